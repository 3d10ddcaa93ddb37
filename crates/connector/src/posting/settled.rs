//! What follows when a journal comes to its end.

use sqlx::PgConnection;

use crate::error::Result;
use crate::ids::ConnectionId;
use crate::journal::Kind;
use crate::journal::machine::State;
use crate::store::{completions, journals};

/// A journal that came to its end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settled<'a> {
    /// Posting or reversal.
    pub kind: Kind,
    /// The task that was completed.
    pub task: &'a str,
    /// Which of its completions.
    pub ordinal: u32,
    /// The order's id.
    pub order: &'a str,
}

/// A journal is settled: whatever waited for it is looked at, and a cost that it bears no more can be borne by
/// another one.
pub(super) async fn settle(
    db: &mut PgConnection,
    connection: ConnectionId,
    of: Settled<'_>,
    state: &State,
) -> Result<()> {
    let freed = match (of.kind, state) {
        (Kind::Reversal, State::Imported { .. }) => {
            journals::stop_counting(db, connection, of.task, of.ordinal).await?;
            true
        }
        // what Oracle rejected is not in the books: it is for a person, and holds up no other completion
        (Kind::Posting, State::Rejected { .. } | State::Withdrawn) => true,
        _ => false,
    };
    completions::look_again_at_task(db, connection, of.task).await?;
    if freed {
        completions::look_again_at_cost(db, connection, of.order).await?;
    }
    Ok(())
}
