//! The last dry run of each connection.

use jiff::Timestamp;
use sqlx::{PgConnection, PgExecutor};

use crate::error::Result;
use crate::ids::ConnectionId;

/// What a dry run said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DryRun {
    /// When it was made, by the database's clock.
    pub made_at: Timestamp,
    /// The settings it was made with.
    pub settings_version: i32,
    /// Whether it looked at everything.
    pub whole: bool,
    /// Its counts.
    pub counts: Counts,
}

/// How much there is to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Tasks to be made.
    pub created: u64,
    /// Tasks to be changed.
    pub updated: u64,
    /// Records whose task shows everything already, or that need none.
    pub unchanged: u64,
    /// Records that wait for a person.
    pub held: u64,
    /// Requests to Asana: the listings, and all that the writes take, sections and tags included.
    pub asana_requests: u64,
    /// Requests to Oracle: pages of both feeds.
    pub oracle_requests: u64,
}

/// Notes a dry run in place of the one before.
pub async fn record(
    db: &mut PgConnection,
    connection: ConnectionId,
    settings_version: i32,
    whole: bool,
    counts: &Counts,
) -> Result<()> {
    sqlx::query!(
        "insert into dry_runs (connection_id, settings_version, whole, created, updated, unchanged, held,
                               asana_requests, oracle_requests)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (connection_id) do update
         set made_at = now(), settings_version = excluded.settings_version, whole = excluded.whole,
             created = excluded.created, updated = excluded.updated, unchanged = excluded.unchanged,
             held = excluded.held, asana_requests = excluded.asana_requests,
             oracle_requests = excluded.oracle_requests",
        connection.0,
        settings_version,
        whole,
        stored(counts.created),
        stored(counts.updated),
        stored(counts.unchanged),
        stored(counts.held),
        stored(counts.asana_requests),
        stored(counts.oracle_requests),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The last dry run.
pub async fn last(db: impl PgExecutor<'_>, connection: ConnectionId) -> Result<Option<DryRun>> {
    let row = sqlx::query!(
        "select made_at, settings_version, whole, created, updated, unchanged, held, asana_requests, oracle_requests
         from dry_runs where connection_id = $1",
        connection.0
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|r| DryRun {
        made_at: jiff_sqlx::Timestamp::to_jiff(r.made_at),
        settings_version: r.settings_version,
        whole: r.whole,
        counts: Counts {
            created: r.created.unsigned_abs(),
            updated: r.updated.unsigned_abs(),
            unchanged: r.unchanged.unsigned_abs(),
            held: r.held.unsigned_abs(),
            asana_requests: r.asana_requests.unsigned_abs(),
            oracle_requests: r.oracle_requests.unsigned_abs(),
        },
    }))
}

fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
