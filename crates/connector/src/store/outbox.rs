//! The movements as an outbox: claiming them, marking them as being sent, recording what came of it.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::PgConnection;

use crate::code::Code;
use crate::error::Result;
use crate::ids::{ConnectionId, MovementId};
use crate::store::at;

/// A movement that this node works on now.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The movement.
    pub id: MovementId,
    /// The feed's name.
    pub feed: String,
    /// The record's id in Oracle.
    pub source_id: String,
    /// Attempts used up so far.
    pub attempts: u32,
    /// The record, frozen into the movement.
    pub body: String,
}

/// Claims at most `limit` movements that are due, together with held ones of the same records, and
/// freezes each record's newest body into its movement; a replay keeps the one that it was opened with.
/// Orders come before invoices, so that a new order takes its invoices along.
///
/// Movements in doubt are claimed only when they were due before `looked_up`, the time of the listing
/// that tells whether their write happened.
pub async fn claim_due_movements(
    db: &mut PgConnection,
    connection: ConnectionId,
    fence: i64,
    limit: i64,
    looked_up: Timestamp,
) -> Result<Vec<Claimed>> {
    let rows = sqlx::query!(
        "with fresh as (
             select movement_id, feed, source_id from movements
             where connection_id = $1 and state = 'pending' and next_attempt_at <= now()
             order by feed desc, source_id desc limit $3 for update skip locked),
         again as (
             select movement_id, feed, source_id from movements
             where connection_id = $1 and state in ('retrying', 'in_doubt')
               and next_attempt_at <= case when state = 'in_doubt' then $4 else now() end
             order by movement_id limit $3 for update skip locked),
         due as (select * from fresh union all select * from again),
         held as (
             select m.movement_id from movements m join due d using (feed, source_id)
             where m.connection_id = $1 and m.state = 'held' for update of m skip locked)
         update movements m set state = 'sending', fence = $2
         from (select movement_id from due union select movement_id from held) c
         where m.connection_id = $1 and m.movement_id = c.movement_id
         returning m.movement_id, m.feed, m.source_id, m.attempts,
                   case when m.replay_of is not null then m.body end as kept",
        connection.0,
        fence,
        limit,
        at(looked_up) as jiff_sqlx::Timestamp,
    )
    .fetch_all(&mut *db)
    .await?;
    let ids: Vec<uuid::Uuid> = rows.iter().map(|r| r.movement_id).collect();
    let bodies = sqlx::query!(
        "update movements m set body = d.body from documents d
         where m.connection_id = $1 and m.movement_id = any($2) and m.replay_of is null
           and d.connection_id = $1 and d.feed = m.feed and d.source_id = m.source_id
         returning m.movement_id, d.body",
        connection.0,
        &ids,
    )
    .fetch_all(db)
    .await?;
    let mut bodies: HashMap<uuid::Uuid, String> =
        bodies.into_iter().map(|r| (r.movement_id, r.body)).collect();
    let mut claimed: Vec<Claimed> = rows
        .into_iter()
        .map(|r| Claimed {
            id: MovementId(r.movement_id),
            feed: r.feed,
            source_id: r.source_id,
            attempts: r.attempts.unsigned_abs(),
            body: r.kept.or_else(|| bodies.remove(&r.movement_id)).unwrap_or_default(),
        })
        .collect();
    claimed.sort_by_key(|c| c.id);
    Ok(claimed)
}

/// A write that is about to be sent, as it is stored before the first byte leaves.
#[derive(Debug, Clone)]
pub struct Sending {
    /// The movement; one that is not in the table yet is added beside `like`.
    pub id: MovementId,
    /// The movement whose record it shares.
    pub like: MovementId,
    /// The task's gid; `None` when the task is about to be made.
    pub destination: Option<String>,
    /// The request, such as `PUT /tasks/12` and its body.
    pub request: String,
}

/// Most that is kept of what a movement sent before its newest request, in characters.
const MAX_EARLIER: i32 = 256 * 1024;

/// Stores what is about to be sent. A record that goes to several tasks gets a movement for each. What was sent before
/// with other content stays in the log: it may have arrived.
pub async fn mark_sending(
    db: &mut PgConnection,
    connection: ConnectionId,
    fence: i64,
    sends: &[Sending],
) -> Result<()> {
    let ids: Vec<uuid::Uuid> = sends.iter().map(|s| s.id.0).collect();
    let likes: Vec<uuid::Uuid> = sends.iter().map(|s| s.like.0).collect();
    let destinations: Vec<Option<&str>> = sends.iter().map(|s| s.destination.as_deref()).collect();
    let requests: Vec<&str> = sends.iter().map(|s| s.request.as_str()).collect();
    sqlx::query!(
        "insert into movements as m (connection_id, movement_id, feed, source_id, state, fence, body, attempts,
                                created_at, destination_id, request, sent_at, replay_of, deviates)
         select $1, s.id, l.feed, l.source_id, 'sending', $2, l.body, l.attempts, l.created_at,
                s.destination, s.request, now(), l.replay_of, l.deviates
         from unnest($3::uuid[], $4::uuid[], $5::text[], $6::text[]) as s(id, like_id, destination, request)
         join movements l on l.connection_id = $1 and l.movement_id = s.like_id
         on conflict (connection_id, movement_id) do update
         set earlier_requests = case when m.request <> excluded.request then
                 right(concat_ws(e'\\n\\n', m.earlier_requests, m.sent_at || e'\\n' || m.request), $7)
                 else m.earlier_requests end,
             destination_id = excluded.destination_id, request = excluded.request, sent_at = excluded.sent_at,
             response = null, outcome = null, code = null, reason = null",
        connection.0,
        fence,
        &ids,
        &likes,
        &destinations as _,
        &requests as _,
        MAX_EARLIER,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Where a movement's state goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Done, with what was done.
    Delivered(Outcome),
    /// To be sent again at `at`, with or without an attempt used up.
    Retrying,
    /// Sent, no answer: looked up before it is sent again.
    InDoubt,
    /// A person must act.
    Held,
    /// Given up.
    Failed,
}

/// What delivering did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A task was made.
    Created,
    /// A task's values were changed.
    Updated,
    /// The task showed the values already.
    Unchanged,
    /// By the settings there is nothing to show it on.
    Ignored,
    /// A newer movement of the same record took its place.
    Superseded,
}

impl Next {
    fn columns(self) -> (&'static str, Option<&'static str>) {
        match self {
            Next::Delivered(outcome) => (
                "delivered",
                Some(match outcome {
                    Outcome::Created => "created",
                    Outcome::Updated => "updated",
                    Outcome::Unchanged => "unchanged",
                    Outcome::Ignored => "ignored",
                    Outcome::Superseded => "superseded",
                }),
            ),
            Next::Retrying => ("retrying", None),
            Next::InDoubt => ("in_doubt", None),
            Next::Held => ("held", None),
            Next::Failed => ("failed", None),
        }
    }
}

/// What came of a movement.
#[derive(Debug, Clone)]
pub struct Fate {
    /// The movement.
    pub id: MovementId,
    /// Its new state.
    pub next: Next,
    /// The task, when known.
    pub destination: Option<String>,
    /// Why, when it needs saying.
    pub code: Option<Code>,
    /// Why, in words.
    pub reason: Option<String>,
    /// Asana's answer.
    pub response: Option<String>,
    /// Attempts used up.
    pub attempts: u32,
    /// How long from now it is tried again; by the database's clock, since a node's may be off.
    pub retry_in: Option<Duration>,
}

/// Records what came of movements that this lease has claimed.
pub async fn record_fates(
    db: &mut PgConnection,
    connection: ConnectionId,
    fence: i64,
    fates: &[Fate],
) -> Result<()> {
    let ids: Vec<uuid::Uuid> = fates.iter().map(|f| f.id.0).collect();
    let (states, outcomes): (Vec<&str>, Vec<Option<&str>>) = fates.iter().map(|f| f.next.columns()).unzip();
    let destinations: Vec<Option<&str>> = fates.iter().map(|f| f.destination.as_deref()).collect();
    let codes: Vec<Option<&str>> = fates.iter().map(|f| f.code.map(|c| c.info().code)).collect();
    let reasons: Vec<Option<&str>> = fates.iter().map(|f| f.reason.as_deref()).collect();
    let responses: Vec<Option<&str>> = fates.iter().map(|f| f.response.as_deref()).collect();
    let attempts: Vec<i32> = fates.iter().map(|f| i32::try_from(f.attempts).unwrap_or(i32::MAX)).collect();
    let retries: Vec<Option<f64>> = fates.iter().map(|f| f.retry_in.map(|wait| wait.as_secs_f64())).collect();
    sqlx::query!(
        "update movements m set state = f.state, outcome = f.outcome, code = f.code, reason = f.reason,
                destination_id = coalesce(f.destination, m.destination_id),
                response = coalesce(f.response, m.response), attempts = f.attempts,
                next_attempt_at = coalesce(now() + make_interval(secs => f.retry_in), m.next_attempt_at),
                finished_at = case when f.state in ('delivered', 'failed', 'held') then now() end
         from unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
                     $10::integer[], $11::float8[])
              as f(id, state, outcome, destination, code, reason, response, attempts, retry_in)
         where m.connection_id = $1 and m.movement_id = f.id and m.fence = $2",
        connection.0,
        fence,
        &ids,
        &states as _,
        &outcomes as _,
        &destinations as _,
        &codes as _,
        &reasons as _,
        &responses as _,
        &attempts,
        &retries as _,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Puts in doubt what an earlier lease was sending when it ended: a request that was stored may have
/// been sent. What had no request yet goes back to be planned anew.
pub async fn doubt_unfinished(db: &mut PgConnection, connection: ConnectionId, fence: i64) -> Result<u64> {
    let doubted = sqlx::query!(
        "update movements set state = case when request is null then 'retrying' else 'in_doubt' end,
                next_attempt_at = now(), code = case when request is null then code else 'MLC-3002' end,
                reason = case when request is null then reason else 'the sender stopped before the answer was stored' end
         where connection_id = $1 and state = 'sending' and fence < $2",
        connection.0,
        fence,
    )
    .execute(db)
    .await?;
    Ok(doubted.rows_affected())
}

/// Makes held movements due again that were last planned at least `age` ago: what held them may have
/// been mended in Asana, which nobody would tell.
pub async fn look_again_at_held(
    db: &mut PgConnection,
    connection: ConnectionId,
    age: Duration,
) -> Result<u64> {
    let again = sqlx::query!(
        "update movements set state = 'retrying', next_attempt_at = now()
         where connection_id = $1 and state = 'held' and finished_at <= now() - make_interval(secs => $2)",
        connection.0,
        age.as_secs_f64(),
    )
    .execute(db)
    .await?;
    Ok(again.rows_affected())
}

/// Opens a movement for an order, so that its tasks show what became of their journals.
pub async fn open_for_order(db: &mut PgConnection, connection: ConnectionId, order_id: &str) -> Result<()> {
    sqlx::query!(
        "with touched as (
             update movements set next_attempt_at = least(next_attempt_at, now())
             where connection_id = $1 and feed = 'purchase_orders' and source_id = $2 and state = 'pending'
             returning source_id)
         insert into movements (connection_id, movement_id, feed, source_id, state)
         select connection_id, new_movement_id(), feed, source_id, 'pending' from documents
         where connection_id = $1 and feed = 'purchase_orders' and source_id = $2
           and not exists (select from touched)",
        connection.0,
        order_id,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// What is open: how much, and when the next movement is due.
#[derive(Debug, Clone, Copy)]
pub struct Open {
    /// When the next one is due.
    pub next_due: Option<Timestamp>,
    /// How many there are.
    pub count: i64,
    /// The database's clock.
    pub now: Timestamp,
}

/// Looks at what is open for a connection.
pub async fn open(db: impl sqlx::PgExecutor<'_>, connection: ConnectionId) -> Result<Open> {
    let row = sqlx::query!(
        "select min(next_attempt_at) as next_due, count(*) as \"count!\", now() as \"now!\"
         from movements where connection_id = $1 and state in ('pending', 'retrying', 'in_doubt')",
        connection.0
    )
    .fetch_one(db)
    .await?;
    Ok(Open {
        next_due: row.next_due.map(jiff_sqlx::Timestamp::to_jiff),
        count: row.count,
        now: row.now.to_jiff(),
    })
}
