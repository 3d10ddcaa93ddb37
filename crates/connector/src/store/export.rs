//! The record log page by page, for exporting it.

use jiff::Timestamp;
use sqlx::PgPool;
use uuid::Uuid;

use crate::error::Result;
use crate::ids::ConnectionId;
use crate::store::at;

/// A movement in full, as it is exported.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Exported {
    /// Its id.
    pub movement_id: Uuid,
    /// `purchase_orders` or `invoices`.
    pub feed: String,
    /// The record's id in Oracle.
    pub source_id: String,
    /// The task.
    pub destination_id: Option<String>,
    /// Its state.
    pub state: String,
    /// What delivering did.
    pub outcome: Option<String>,
    /// Why, as a stable code.
    pub code: Option<String>,
    /// Why, in words.
    pub reason: Option<String>,
    /// Attempts used up.
    pub attempts: i32,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it was last sent.
    pub sent_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// The record as it was moved.
    pub body: Option<String>,
    /// What was sent, at last.
    pub request: Option<String>,
    /// What was sent before with other content, each with its time.
    pub earlier_requests: Option<String>,
    /// What was answered.
    pub response: Option<String>,
}

/// How many movements were opened between two moments. Ids begin with the time, so that a narrow window reads only its own
/// part of the log.
pub async fn count(
    db: &PgPool,
    connection: ConnectionId,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
) -> Result<u64> {
    let count = sqlx::query_scalar!(
        "select count(*) as \"count!\" from movements
         where connection_id = $1 and ($2::timestamptz is null or movement_id >= first_id($2))
           and ($3::timestamptz is null or movement_id < first_id($3))",
        connection.0,
        since.map(at) as Option<jiff_sqlx::Timestamp>,
        until.map(at) as Option<jiff_sqlx::Timestamp>,
    )
    .fetch_one(db)
    .await?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// The next movements after this one, or the first ones, in the order of their ids, at most `limit`.
pub async fn page(
    db: &PgPool,
    connection: ConnectionId,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Exported>> {
    let rows = sqlx::query!(
        "select movement_id, feed, source_id, destination_id, state, outcome, code, reason, attempts, created_at,
                sent_at, finished_at, body, request, earlier_requests, response
         from movements
         where connection_id = $1 and movement_id > $4 and ($2::timestamptz is null or movement_id >= first_id($2))
           and ($3::timestamptz is null or movement_id < first_id($3))
         order by movement_id limit $5",
        connection.0,
        since.map(at) as Option<jiff_sqlx::Timestamp>,
        until.map(at) as Option<jiff_sqlx::Timestamp>,
        after.unwrap_or_default(),
        limit,
    )
    .fetch_all(db)
    .await?;
    let exported = rows.into_iter().map(|r| Exported {
        movement_id: r.movement_id,
        feed: r.feed,
        source_id: r.source_id,
        destination_id: r.destination_id,
        state: r.state,
        outcome: r.outcome,
        code: r.code,
        reason: r.reason,
        attempts: r.attempts,
        created_at: r.created_at.to_jiff(),
        sent_at: r.sent_at.map(jiff_sqlx::Timestamp::to_jiff),
        finished_at: r.finished_at.map(jiff_sqlx::Timestamp::to_jiff),
        body: r.body,
        request: r.request,
        earlier_requests: r.earlier_requests,
        response: r.response,
    });
    Ok(exported.collect())
}
