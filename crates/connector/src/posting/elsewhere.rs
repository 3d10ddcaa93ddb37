//! Costs that another connection posted. A task is moved from project to project, stands in several, and a project is
//! handed over; an order has tasks in projects of several connections. Its cost is posted once all the same.

use sqlx::PgConnection;

use crate::error::Result;
use crate::ids::{ConnectionId, TaskGid};
use crate::settings::Settings;
use crate::store::connections;
use crate::store::journals::{self, Bearer, Removed};

/// A cost that is to be posted.
#[derive(Debug, Clone, Copy)]
pub struct Sought<'a> {
    /// The task that was completed.
    pub task: &'a TaskGid,
    /// What bears the cost: an order, an order line, or the task itself.
    pub subject: &'a str,
    /// The order's id.
    pub order_id: &'a str,
}

/// The completion whose journal counts in another connection, also in one that was removed, and is of the same task, or
/// bears the same cost or a part of it. In a transaction that stays as it is until the end.
///
/// # Errors
/// Failures of the database, and settings of the other connection that cannot be read.
pub async fn bearer(
    db: &mut PgConnection,
    connection: ConnectionId,
    settings: &Settings,
    sought: Sought<'_>,
) -> Result<Option<Bearer>> {
    let own = Place::of(settings)?;
    for found in journals::elsewhere(&mut *db, connection, sought.task, sought.order_id).await? {
        let (bearer, other) = (found.bearer, place(&mut *db, found.connection, found.removed).await?);
        if bearer.task == sought.task.as_str() {
            // gids are of one Asana: a task elsewhere is another one
            if other.asana == own.asana {
                let subject = format!("task {}", bearer.task);
                return Ok(Some(Bearer { subject, ..bearer }));
            }
        } else if overlaps(sought.subject, &bearer.subject) && own.is_of_ledger(&other) {
            return Ok(Some(bearer));
        }
    }
    Ok(None)
}

/// Where the tasks and journals of a connection are.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    asana: String,
    oracle: String,
    ledger: Option<String>,
}

impl Place {
    fn of(settings: &Settings) -> Result<Place> {
        Ok(Place {
            asana: settings.which_asana().to_owned(),
            oracle: settings.which_oracle()?,
            ledger: settings.journal.as_ref().map(|journal| journal.ledger_id.clone()),
        })
    }

    /// Whether both post into one ledger of one Oracle. A connection without journals may have had the same one.
    fn is_of_ledger(&self, other: &Place) -> bool {
        let differ = self.ledger.as_ref().zip(other.ledger.as_ref()).is_some_and(|(one, other)| one != other);
        self.oracle == other.oracle && !differ
    }
}

async fn place(db: &mut PgConnection, connection: ConnectionId, removed: Option<Removed>) -> Result<Place> {
    match removed {
        Some(Removed { asana_url, oracle_url, ledger_id }) => {
            Ok(Place { asana: asana_url, oracle: oracle_url, ledger: ledger_id })
        }
        None => Place::of(&connections::load(db, connection).await?.settings),
    }
}

/// Whether what bears the costs is the same or contains the other; both are of one order.
fn overlaps(one: &str, other: &str) -> bool {
    let is_order = |subject: &str| subject.starts_with("order ");
    !one.starts_with("task ") && (one == other || is_order(one) || is_order(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_ledger_or_oracle_is_another_cost() {
        let place = |oracle: &str, ledger: Option<&str>| Place {
            asana: String::new(),
            oracle: oracle.to_owned(),
            ledger: ledger.map(str::to_owned),
        };
        let own = place("one", Some("1"));
        assert!(own.is_of_ledger(&place("one", Some("1"))) && own.is_of_ledger(&place("one", None)));
        assert!(!own.is_of_ledger(&place("one", Some("2"))) && !own.is_of_ledger(&place("two", Some("1"))));
    }

    #[test]
    fn an_order_overlaps_its_lines_and_a_line_only_itself_and_its_order() {
        assert!(
            overlaps("order 1", "order 1") && overlaps("order 1", "line 7") && overlaps("line 7", "order 1")
        );
        assert!(overlaps("line 7", "line 7"));
        assert!(!overlaps("line 7", "line 8") && !overlaps("task 5", "order 1"));
    }
}
