//! Costs that another connection posted. A task is moved from project to project, stands in several, and a project is
//! handed over; an order has tasks in projects of several connections. Its cost is posted once all the same.

use sqlx::PgConnection;

use crate::error::Result;
use crate::ids::{ConnectionId, TaskGid};
use crate::settings::Settings;
use crate::store::connections;
use crate::store::journals::{self, Bearer};

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

/// The completion whose journal counts in another connection and is of the same task, or bears the same cost or a part
/// of it. In a transaction that stays as it is until the end. Journals of a removed connection are not known any more.
///
/// # Errors
/// Failures of the database, and settings of the other connection that cannot be read.
pub async fn bearer(
    db: &mut PgConnection,
    connection: ConnectionId,
    settings: &Settings,
    sought: Sought<'_>,
) -> Result<Option<Bearer>> {
    for (id, bearer) in journals::elsewhere(&mut *db, connection, sought.task, sought.order_id).await? {
        let other = connections::load(&mut *db, id).await?.settings;
        if bearer.task == sought.task.as_str() {
            // gids are of one Asana: a task elsewhere is another one
            if other.asana.url == settings.asana.url {
                let subject = format!("task {}", bearer.task);
                return Ok(Some(Bearer { subject, ..bearer }));
            }
        } else if overlaps(sought.subject, &bearer.subject) && is_same_ledger(settings, &other) {
            return Ok(Some(bearer));
        }
    }
    Ok(None)
}

/// Whether what bears the costs is the same or contains the other; both are of one order.
fn overlaps(one: &str, other: &str) -> bool {
    let is_order = |subject: &str| subject.starts_with("order ");
    !one.starts_with("task ") && (one == other || is_order(one) || is_order(other))
}

/// Whether both post into one ledger of one Oracle. A connection without journals may have had the same one.
fn is_same_ledger(one: &Settings, other: &Settings) -> bool {
    let ledger = |settings: &Settings| settings.journal.as_ref().map(|journal| journal.ledger_id.clone());
    let differ = ledger(one).zip(ledger(other)).is_some_and(|(one, other)| one != other);
    one.oracle.url == other.oracle.url && !differ
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_overlaps_its_lines_and_a_line_only_itself_and_its_order() {
        assert!(
            overlaps("order 1", "order 1") && overlaps("order 1", "line 7") && overlaps("line 7", "order 1")
        );
        assert!(overlaps("line 7", "line 7"));
        assert!(!overlaps("line 7", "line 8") && !overlaps("task 5", "order 1"));
    }
}
