//! Costs that another connection posted. A task is moved from project to project, stands in several, and a project is
//! handed over; an order has tasks in projects of several connections. Its cost is posted once all the same.

use jiff::Timestamp;
use serde::Deserialize;
use sqlx::PgConnection;

use crate::code::Code;
use crate::error::Result;
use crate::ids::{ConnectionId, TaskGid};
use crate::journal::JournalPlan;
use crate::settings::Settings;
use crate::store::connections;
use crate::store::journals::{self, Bearer, Elsewhere};

/// A cost that is to be posted.
#[derive(Debug, Clone, Copy)]
pub struct Sought<'a> {
    /// The task that was completed.
    pub task: &'a TaskGid,
    /// When.
    pub completed_at: Timestamp,
    /// What bears the cost: an order, an order line, or the task itself.
    pub subject: &'a str,
    /// The order's id.
    pub order_id: &'a str,
    /// The ledger that it is posted to.
    pub ledger_id: &'a str,
}

impl<'a> Sought<'a> {
    /// The cost of a planned posting.
    #[must_use]
    pub fn of(plan: &'a JournalPlan, subject: &'a str) -> Sought<'a> {
        Sought {
            task: &plan.completion.task,
            completed_at: plan.completion.completed_at,
            subject,
            order_id: &plan.order_id,
            ledger_id: &plan.ledger_id,
        }
    }
}

/// Who bears a cost in another connection.
#[derive(Debug)]
pub struct Borne {
    /// The completion.
    pub by: Bearer,
    /// Whether the journal is in the ledger; else it is still to come there, or may be.
    pub is_posted: bool,
}

/// The completion whose journal counts in another connection, also in one that was removed, and is of the same
/// completion or the same cost or a part of it. In a transaction that stays as it is until the end.
///
/// # Errors
/// Failures of the database.
pub async fn bearer(
    db: &mut PgConnection,
    connection: ConnectionId,
    settings: &Settings,
    sought: Sought<'_>,
) -> Result<Option<Borne>> {
    let own = Place::of(settings)?;
    for found in journals::elsewhere(&mut *db, connection, sought.task, sought.order_id).await? {
        let place = place(&mut *db, &found).await?;
        if !is_the_same(&sought, &own, &found, place.as_ref()) {
            continue;
        }
        let is_posted = found.state == "imported";
        return Ok(Some(Borne { by: found.bearer, is_posted }));
    }
    Ok(None)
}

/// Where the tasks and orders of a connection are: gids are of one Asana, ids of one Oracle.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    asana: String,
    oracle: String,
}

impl Place {
    fn of(settings: &Settings) -> Result<Place> {
        Ok(Place { asana: settings.asana.which().to_owned(), oracle: settings.oracle.which()? })
    }
}

/// Where the other connection's tasks and orders are; not known when its settings cannot be read.
async fn place(db: &mut PgConnection, found: &Elsewhere) -> Result<Option<Place>> {
    if let Some((asana, oracle)) = found.removed.clone() {
        return Ok(Some(Place { asana, oracle }));
    }
    match connections::load(db, found.connection).await.and_then(|other| Place::of(&other.settings)) {
        Ok(place) => Ok(Some(place)),
        Err(error) if error.code == Code::Database => Err(error),
        Err(_) => Ok(None),
    }
}

/// Whether what the other one posted is the completion or the cost that is sought. What cannot be told may be: nothing
/// is posted then.
fn is_the_same(sought: &Sought<'_>, own: &Place, found: &Elsewhere, place: Option<&Place>) -> bool {
    let (one, other) = (sought.subject, found.bearer.subject.as_str());
    let same_asana = place.is_none_or(|place| place.asana == own.asana);
    let same_oracle = place.is_none_or(|place| place.oracle == own.oracle);
    let same_order = same_oracle && found.order_id.as_deref().is_none_or(|order| order == sought.order_id);
    let is_of_task = |subject: &str| subject.starts_with("task ");
    let same_task = same_asana
        && found.bearer.task == sought.task.as_str()
        && (found.completed_at == sought.completed_at || is_of_task(one) || is_of_task(other) || same_order);
    same_task || (same_order && overlaps(one, other) && is_of_ledger(&found.plan, sought.ledger_id))
}

/// Whether what bears the costs is the same or contains the other; both are of one order.
fn overlaps(one: &str, other: &str) -> bool {
    let is_order = |subject: &str| subject.starts_with("order ");
    let is_own = |subject: &str| subject.starts_with("task ");
    !is_own(one) && !is_own(other) && (one == other || is_order(one) || is_order(other))
}

/// Whether a stored plan posts to this ledger.
fn is_of_ledger(plan: &str, ledger_id: &str) -> bool {
    #[derive(Deserialize)]
    struct Planned {
        ledger_id: String,
    }
    serde_json::from_str(plan).map_or(true, |planned: Planned| planned.ledger_id == ledger_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(asana: &str, oracle: &str) -> Place {
        Place { asana: asana.to_owned(), oracle: oracle.to_owned() }
    }

    fn found(task: &str, at: i64, subject: &str, order: &str) -> Elsewhere {
        let bearer =
            Bearer { subject: subject.into(), task: task.into(), ordinal: 1, elsewhere: Some("a".into()) };
        Elsewhere {
            bearer,
            completed_at: Timestamp::from_second(at).unwrap(),
            order_id: Some(order.to_owned()),
            state: "imported".to_owned(),
            plan: r#"{"ledger_id":"1"}"#.to_owned(),
            connection: ConnectionId::new(),
            removed: None,
        }
    }

    #[test]
    fn the_same_completion_or_cost_is_found_and_no_other() {
        let (task, own) = (TaskGid("5".into()), place("a", "o"));
        let sought = |subject: &'static str, ledger_id: &'static str| Sought {
            task: &task,
            completed_at: Timestamp::from_second(100).unwrap(),
            subject,
            order_id: "1",
            ledger_id,
        };
        let is =
            |sought: &Sought<'_>, found: &Elsewhere, at: &Place| is_the_same(sought, &own, found, Some(at));
        let (same, order) = (sought("order 1", "1"), found("5", 100, "order 1", "1"));
        assert!(is(&same, &order, &own));
        // the very completion is one, whatever its order and its Oracle; a task's gid says nothing in another Asana
        assert!(is(&same, &found("5", 100, "order 2", "2"), &place("a", "other")));
        assert!(!is(&same, &found("5", 100, "order 2", "2"), &place("other", "o")));
        // completed again: for the same order, or with a cost of its own, but not for another order
        assert!(is(&same, &found("5", 50, "order 1", "1"), &own));
        assert!(is(&same, &found("5", 50, "task 5", "2"), &own));
        assert!(!is(&same, &found("5", 50, "order 2", "2"), &own));
        // another task of the order, also under another name of the same Asana
        assert!(is(&same, &found("6", 50, "line 7", "1"), &place("alias", "o")));
        assert!(is(&same, &found("5", 50, "order 1", "1"), &place("alias", "o")));
        assert!(is(&sought("line 7", "1"), &found("6", 50, "order 1", "1"), &own));
        assert!(!is(&sought("line 7", "1"), &found("6", 50, "line 8", "1"), &own));
        assert!(!is(&sought("task 5", "1"), &found("6", 50, "order 1", "1"), &own));
        assert!(!is(&same, &found("6", 50, "order 1", "1"), &place("a", "other")));
        // the ledger is the one that was posted to
        assert!(!is(&sought("order 1", "2"), &found("6", 50, "order 1", "1"), &own));
        // what cannot be told may be the same
        assert!(is_the_same(&same, &own, &found("6", 50, "order 1", "1"), None));
        assert!(is(&same, &Elsewhere { plan: String::new(), ..found("6", 50, "order 1", "1") }, &own));
    }
}
