//! Every exchange about a movement or a journal.

use jiff::Timestamp;
use outbound::Exchange;
use sqlx::{PgConnection, PgPool};

use crate::code::Code;
use crate::error::Result;
use crate::ids::{ConnectionId, NodeId};
use crate::store::at;

/// Longest id of the other side's that is kept, in characters.
const MAX_REQUEST_ID: usize = 200;

/// What an exchange was about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// A movement.
    Movement,
    /// A journal.
    Journal,
}

impl About {
    fn as_str(self) -> &'static str {
        match self {
            About::Movement => "movement",
            About::Journal => "journal",
        }
    }
}

/// An exchange to be recorded.
#[derive(Debug, Clone)]
pub struct NewAttempt<'a> {
    /// The movement's or journal's id.
    pub subject: uuid::Uuid,
    /// What was exchanged.
    pub exchange: &'a Exchange,
    /// What it meant, as a code.
    pub code: Option<Code>,
}

/// An exchange as it was recorded.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Attempt {
    /// When it was sent, by the sender's clock.
    pub at: Timestamp,
    /// The operation or the resource.
    pub what: String,
    /// The answer's HTTP status.
    pub status: Option<i16>,
    /// How it ended: `answered`, `timed_out`, `dropped`, `unreachable` or `too_large`.
    pub outcome: String,
    /// What it meant, as a stable code.
    pub code: Option<String>,
    /// From sending to the end of the answer.
    pub elapsed_ms: i32,
    /// The node that sent it.
    pub node_id: uuid::Uuid,
    /// By what the other side finds it again, where it says so.
    pub request_id: Option<String>,
}

/// Records exchanges, in the transaction that records what came of them.
pub async fn record(
    db: &mut PgConnection,
    connection: ConnectionId,
    node: NodeId,
    about: About,
    attempts: &[NewAttempt<'_>],
) -> Result<()> {
    if attempts.is_empty() {
        return Ok(());
    }
    let ids: Vec<uuid::Uuid> = attempts.iter().map(|_| uuid::Uuid::now_v7()).collect();
    let subjects: Vec<uuid::Uuid> = attempts.iter().map(|a| a.subject).collect();
    let times: Vec<jiff_sqlx::Timestamp> = attempts.iter().map(|a| at(a.exchange.at)).collect();
    let whats: Vec<&str> = attempts.iter().map(|a| a.exchange.what).collect();
    let statuses: Vec<Option<i16>> =
        attempts.iter().map(|a| a.exchange.status.and_then(|status| i16::try_from(status).ok())).collect();
    let outcomes: Vec<&str> = attempts.iter().map(|a| a.exchange.ending.as_str()).collect();
    let codes: Vec<Option<&str>> = attempts.iter().map(|a| a.code.map(|code| code.info().code)).collect();
    let elapsed: Vec<i32> =
        attempts.iter().map(|a| i32::try_from(a.exchange.elapsed.as_millis()).unwrap_or(i32::MAX)).collect();
    let request_ids: Vec<Option<String>> = attempts
        .iter()
        .map(|a| a.exchange.request_id.as_deref().map(|id| id.chars().take(MAX_REQUEST_ID).collect()))
        .collect();
    sqlx::query!(
        "insert into attempts (connection_id, attempt_id, subject_kind, subject_id, at, what, status, outcome, code,
                               elapsed_ms, node_id, request_id)
         select $1, a.id, $2, a.subject, a.at, a.what, a.status, a.outcome, a.code, a.elapsed, $3, a.request_id
         from unnest($4::uuid[], $5::uuid[], $6::timestamptz[], $7::text[], $8::smallint[], $9::text[], $10::text[],
                     $11::integer[], $12::text[])
              as a(id, subject, at, what, status, outcome, code, elapsed, request_id)",
        connection.0,
        about.as_str(),
        node.0,
        &ids,
        &subjects,
        &times as _,
        &whats as _,
        &statuses as _,
        &outcomes as _,
        &codes as _,
        &elapsed,
        &request_ids as _,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The newest `limit` exchanges about one movement or journal, oldest first.
pub async fn of(
    db: &PgPool,
    connection: ConnectionId,
    subject: uuid::Uuid,
    limit: i64,
) -> Result<Vec<Attempt>> {
    let rows = sqlx::query!(
        "select at, what, status, outcome, code, elapsed_ms, node_id, request_id from attempts
         where connection_id = $1 and subject_id = $2 order by attempt_id desc limit $3",
        connection.0,
        subject,
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .rev()
        .map(|r| Attempt {
            at: r.at.to_jiff(),
            what: r.what,
            status: r.status,
            outcome: r.outcome,
            code: r.code,
            elapsed_ms: r.elapsed_ms,
            node_id: r.node_id,
            request_id: r.request_id,
        })
        .collect())
}
