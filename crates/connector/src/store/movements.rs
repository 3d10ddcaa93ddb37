//! The movements as a record log, for people to read.

use jiff::Timestamp;
use sqlx::PgPool;

use crate::error::Result;
use crate::ids::{ConnectionId, MovementId};
use crate::store::attempts::{self, Attempt};

/// A movement as the log shows it.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Movement {
    /// Its id.
    pub movement_id: uuid::Uuid,
    /// The feed of the record.
    pub feed: String,
    /// The record's id in Oracle.
    pub source_id: String,
    /// The order's or invoice's number.
    pub number: Option<String>,
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
    /// When it is tried again, while it is open.
    pub next_attempt_at: Timestamp,
}

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only this state.
    pub state: Option<String>,
    /// Only records of this order number.
    pub order_number: Option<String>,
    /// Only this task.
    pub task: Option<String>,
    /// At most this many, newest first.
    pub limit: i64,
}

/// Lists movements, newest first.
pub async fn list(db: &PgPool, connection: ConnectionId, filter: &Filter) -> Result<Vec<Movement>> {
    let rows = sqlx::query!(
        "select m.movement_id, m.feed, m.source_id, d.order_number, m.destination_id, m.state, m.outcome, m.code,
                m.reason, m.attempts, m.created_at, m.sent_at, m.finished_at, m.next_attempt_at
         from movements m left join documents d
              on d.connection_id = m.connection_id and d.feed = m.feed and d.source_id = m.source_id
         where m.connection_id = $1
           and ($2::text is null or m.state = $2)
           and ($3::text is null or (m.feed = 'purchase_orders' and d.order_number = $3)
                or (m.feed = 'invoices' and exists (select from named_orders n where n.connection_id = $1
                        and n.order_number = $3 and n.feed = m.feed and n.source_id = m.source_id)))
           and ($4::text is null or m.destination_id = $4)
         order by m.created_at desc, m.movement_id desc limit $5",
        connection.0,
        filter.state,
        filter.order_number,
        filter.task,
        filter.limit,
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| Movement {
            movement_id: r.movement_id,
            feed: r.feed,
            source_id: r.source_id,
            number: r.order_number,
            destination_id: r.destination_id,
            state: r.state,
            outcome: r.outcome,
            code: r.code,
            reason: r.reason,
            attempts: r.attempts,
            created_at: r.created_at.to_jiff(),
            sent_at: r.sent_at.map(jiff_sqlx::Timestamp::to_jiff),
            finished_at: r.finished_at.map(jiff_sqlx::Timestamp::to_jiff),
            next_attempt_at: r.next_attempt_at.to_jiff(),
        })
        .collect())
}

/// A movement with everything that was kept of it.
#[derive(Debug, Clone, serde::Serialize)]
pub struct FullMovement {
    /// Whose.
    pub connection_id: uuid::Uuid,
    /// Its place in the list.
    #[serde(flatten)]
    pub movement: Movement,
    /// The record's raw JSON, frozen when it was claimed; the document's while it is pending.
    pub body: Option<String>,
    /// What was sent.
    pub request: Option<String>,
    /// What Asana answered.
    pub response: Option<String>,
    /// Every request that was sent for it, oldest first; of very many the newest.
    pub exchanges: Vec<Attempt>,
}

/// Exchanges of one movement that are shown.
const EXCHANGES_SHOWN: i64 = 200;

/// Loads one movement of a connection.
pub async fn show(db: &PgPool, connection: ConnectionId, id: MovementId) -> Result<Option<FullMovement>> {
    let row = sqlx::query!(
        "select m.movement_id, m.feed, m.source_id, d.order_number as \"order_number?\", m.destination_id, m.state,
                m.outcome, m.code, m.reason, m.attempts, m.created_at, m.sent_at, m.finished_at, m.next_attempt_at,
                coalesce(m.body, d.body) as body, m.request, m.response
         from movements m left join documents d
              on d.connection_id = m.connection_id and d.feed = m.feed and d.source_id = m.source_id
         where m.connection_id = $1 and m.movement_id = $2",
        connection.0,
        id.0,
    )
    .fetch_optional(db)
    .await?;
    let exchanges = attempts::of(db, connection, id.0, EXCHANGES_SHOWN).await?;
    Ok(row.map(|r| FullMovement {
        exchanges,
        connection_id: connection.0,
        body: r.body,
        request: r.request,
        response: r.response,
        movement: Movement {
            movement_id: r.movement_id,
            feed: r.feed,
            source_id: r.source_id,
            number: r.order_number,
            destination_id: r.destination_id,
            state: r.state,
            outcome: r.outcome,
            code: r.code,
            reason: r.reason,
            attempts: r.attempts,
            created_at: r.created_at.to_jiff(),
            sent_at: r.sent_at.map(jiff_sqlx::Timestamp::to_jiff),
            finished_at: r.finished_at.map(jiff_sqlx::Timestamp::to_jiff),
            next_attempt_at: r.next_attempt_at.to_jiff(),
        },
    }))
}

/// How many movements stand in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Not yet delivered: pending, sending, retrying or in doubt.
    pub open: i64,
    /// Delivered.
    pub delivered: i64,
    /// Tasks made.
    pub created: i64,
    /// Tasks changed.
    pub updated: i64,
    /// Held for a person.
    pub held: i64,
    /// Given up.
    pub failed: i64,
}

/// Counts a connection's movements by state.
pub async fn count(db: &PgPool, connection: ConnectionId) -> Result<Counts> {
    let row = sqlx::query_as!(
        Counts,
        "select count(*) filter (where state in ('pending', 'sending', 'retrying', 'in_doubt')) as \"open!\",
                count(*) filter (where state = 'delivered') as \"delivered!\",
                count(distinct destination_id) filter (where outcome = 'created') as \"created!\",
                count(distinct destination_id) filter (where outcome = 'updated') as \"updated!\",
                count(*) filter (where state = 'held') as \"held!\",
                count(*) filter (where state = 'failed') as \"failed!\"
         from movements where connection_id = $1",
        connection.0
    )
    .fetch_one(db)
    .await?;
    Ok(row)
}
