//! The movements as a record log, for people to read.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use sqlx::PgPool;

use crate::code::{Class, Code};
use crate::error::{Error, Result};
use crate::ids::{ConnectionId, MovementId};
use crate::store::actions::{self, ActionRow};
use crate::store::at;
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
    /// The movement whose record it sends again.
    pub replay_of: Option<uuid::Uuid>,
    /// Of a failed one the newest movement of its record that was opened later and has ended: this one needs nobody then.
    pub settled_by: Option<uuid::Uuid>,
}

/// Which movements are meant; what is `None` lets all pass.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only this state.
    pub state: Option<String>,
    /// Only records of this feed.
    pub feed: Option<String>,
    /// Only those with one of these codes.
    pub codes: Option<Vec<String>>,
    /// Only those opened at this time or later.
    pub since: Option<Timestamp>,
    /// Only those opened before this time.
    pub until: Option<Timestamp>,
    /// Only records that carry or name this order number, or once did.
    pub order_number: Option<String>,
    /// Only this task.
    pub task: Option<String>,
    /// Only what still needs somebody: held, or failed, not discarded and not [settled](Movement::settled_by).
    pub unsettled: bool,
}

/// Lists at most `limit` movements, newest first.
pub async fn list(
    db: &PgPool,
    connection: ConnectionId,
    filter: &Filter,
    limit: i64,
) -> Result<Vec<Movement>> {
    let rows = sqlx::query!(
        "select m.movement_id as \"movement_id!\", m.feed as \"feed!\", m.source_id as \"source_id!\",
                d.order_number as \"order_number?\", m.destination_id, m.state as \"state!\", m.outcome, m.code, m.reason,
                m.attempts as \"attempts!\", m.created_at as \"created_at!\", m.sent_at, m.finished_at,
                m.next_attempt_at as \"next_attempt_at!\", m.replay_of
         from filtered_movements($1, $2, $3, $4, $5, $6, $7, $8) m left join documents d
              on d.connection_id = m.connection_id and d.feed = m.feed and d.source_id = m.source_id
         where not $10 or m.state = 'held' or (m.state = 'failed' and m.outcome is distinct from 'discarded'
               and not exists (select from settled_by($1, m.feed, m.source_id, m.created_at)))
         order by m.movement_id desc limit $9",
        connection.0,
        filter.state,
        filter.feed,
        filter.codes.as_deref(),
        filter.since.map(at) as Option<jiff_sqlx::Timestamp>,
        filter.until.map(at) as Option<jiff_sqlx::Timestamp>,
        filter.order_number,
        filter.task,
        limit,
        filter.unsettled,
    )
    .fetch_all(db)
    .await?;
    let failed: Vec<uuid::Uuid> =
        rows.iter().filter(|r| r.state == "failed").map(|r| r.movement_id).collect();
    let settled = settled(db, connection, &failed).await?;
    Ok(rows
        .into_iter()
        .map(|r| Movement {
            settled_by: settled.get(&r.movement_id).copied(),
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
            replay_of: r.replay_of,
        })
        .collect())
}

/// Which of these failed movements are settled, each with the movement that stands in its place.
pub async fn settled(
    db: &PgPool,
    connection: ConnectionId,
    failed: &[uuid::Uuid],
) -> Result<HashMap<uuid::Uuid, uuid::Uuid>> {
    if failed.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query!(
        "select m.movement_id, s.by_id as \"by_id!\" from movements m
         cross join lateral settled_by($1, m.feed, m.source_id, m.created_at) as s(by_id)
         where m.connection_id = $1 and m.movement_id = any($2) and m.state = 'failed'",
        connection.0,
        failed,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|r| (r.movement_id, r.by_id)).collect())
}

/// Movements that stand alike.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Group {
    /// Their state.
    pub state: String,
    /// Their code.
    pub code: Option<String>,
    /// How many.
    pub count: i64,
    /// When the newest was opened.
    pub newest_at: Timestamp,
    /// The newest one's id.
    pub example: uuid::Uuid,
    /// The newest one's reason.
    pub reason: Option<String>,
}

impl Group {
    /// The class of its code, for grouping.
    fn class(&self) -> Option<Class> {
        self.code.as_deref().and_then(Code::find).map(Code::class)
    }
}

/// Counts movements by class, code and state; without a code last, within a class the most frequent first.
pub async fn groups(db: &PgPool, connection: ConnectionId, filter: &Filter) -> Result<Vec<Group>> {
    let rows = sqlx::query!(
        "select g.state as \"state!\", g.code, g.count as \"count!\", m.created_at as \"newest_at!\",
                g.example as \"example!\", m.reason
         from (select state, code, count(*) as count, (array_agg(movement_id order by movement_id desc))[1] as example
               from filtered_movements($1, $2, $3, $4, $5, $6, $7, $8) f
               where not $9 or f.state = 'held' or (f.state = 'failed' and f.outcome is distinct from 'discarded'
                     and not exists (select from settled_by($1, f.feed, f.source_id, f.created_at)))
               group by state, code) g
         join movements m on m.connection_id = $1 and m.movement_id = g.example
         order by g.count desc, g.state, g.code",
        connection.0,
        filter.state,
        filter.feed,
        filter.codes.as_deref(),
        filter.since.map(at) as Option<jiff_sqlx::Timestamp>,
        filter.until.map(at) as Option<jiff_sqlx::Timestamp>,
        filter.order_number,
        filter.task,
        filter.unsettled,
    )
    .fetch_all(db)
    .await?;
    let mut groups: Vec<Group> = rows
        .into_iter()
        .map(|r| Group {
            state: r.state,
            code: r.code,
            count: r.count,
            newest_at: r.newest_at.to_jiff(),
            example: r.example,
            reason: r.reason,
        })
        .collect();
    groups.sort_by_key(|group| (group.class().is_none(), group.class()));
    Ok(groups)
}

/// The newest movement of each record among those that a filter means: one replay sends a record once, to all its
/// tasks. Those under way are left out unless a state was asked for; always what was given up or replaced, and what failed
/// and is [settled](Movement::settled_by). In the order in which they were opened.
pub async fn newest_of_each(
    db: &PgPool,
    connection: ConnectionId,
    filter: &Filter,
) -> Result<Vec<MovementId>> {
    let rows = sqlx::query_scalar!(
        "select movement_id as \"movement_id!\" from (
             select distinct on (m.feed, m.source_id) m.movement_id
             from filtered_movements($1, $2, $3, $4, $5, $6, $7, $8) m
             where ($2 is not null or m.state in ('delivered', 'failed', 'held'))
               and coalesce(m.outcome, '') not in ('superseded', 'discarded')
               and (not $9 or m.state in ('held', 'failed'))
               and not (m.state = 'failed' and exists (
                        select from settled_by($1, m.feed, m.source_id, m.created_at)))
             order by m.feed, m.source_id, m.movement_id desc) newest
         order by movement_id",
        connection.0,
        filter.state,
        filter.feed,
        filter.codes.as_deref(),
        filter.since.map(at) as Option<jiff_sqlx::Timestamp>,
        filter.until.map(at) as Option<jiff_sqlx::Timestamp>,
        filter.order_number,
        filter.task,
        filter.unsettled,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(MovementId).collect())
}

/// Of replays the movements whose records they carry, of others themselves, each once.
///
/// # Errors
/// [`Code::MovementUnknown`] names the first that the connection does not have.
pub async fn origins(db: &PgPool, connection: ConnectionId, ids: &[MovementId]) -> Result<Vec<MovementId>> {
    let asked: Vec<uuid::Uuid> = ids.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        "select i.id as \"id!\", coalesce(m.replay_of, m.movement_id) as origin
         from unnest($2::uuid[]) with ordinality as i(id, place)
         left join movements m on m.connection_id = $1 and m.movement_id = i.id
         order by i.place",
        connection.0,
        &asked,
    )
    .fetch_all(db)
    .await?;
    let mut seen = HashSet::with_capacity(rows.len());
    let mut origins = Vec::with_capacity(rows.len());
    for row in rows {
        let unknown = || Error::new(Code::MovementUnknown, format!("there is no movement {}", row.id));
        let origin = row.origin.ok_or_else(unknown)?;
        if seen.insert(origin) {
            origins.push(MovementId(origin));
        }
    }
    Ok(origins)
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
    /// What was sent, at last.
    pub request: Option<String>,
    /// What was sent before with other content, each with its time.
    pub earlier_requests: Option<String>,
    /// What Asana answered.
    pub response: Option<String>,
    /// Whether a person sent what Oracle's newest record does not say.
    pub deviates: bool,
    /// What people did to it, oldest first.
    pub actions: Vec<ActionRow>,
    /// Every request that was sent for it, oldest first; of very many the newest.
    pub exchanges: Vec<Attempt>,
}

/// Exchanges and actions of one movement that are shown.
const SHOWN: i64 = 200;

/// Loads one movement of a connection.
pub async fn show(db: &PgPool, connection: ConnectionId, id: MovementId) -> Result<Option<FullMovement>> {
    let row = sqlx::query!(
        "select m.movement_id, m.feed, m.source_id, d.order_number as \"order_number?\", m.destination_id, m.state,
                m.outcome, m.code, m.reason, m.attempts, m.created_at, m.sent_at, m.finished_at, m.next_attempt_at,
                coalesce(m.body, d.body) as body, m.request, m.earlier_requests, m.response, m.replay_of, m.deviates
         from movements m left join documents d
              on d.connection_id = m.connection_id and d.feed = m.feed and d.source_id = m.source_id
         where m.connection_id = $1 and m.movement_id = $2",
        connection.0,
        id.0,
    )
    .fetch_optional(db)
    .await?;
    let settled = match &row {
        Some(row) if row.state == "failed" => settled(db, connection, &[id.0]).await?,
        _ => HashMap::new(),
    };
    let exchanges = attempts::of(db, connection, id.0, SHOWN).await?;
    let actions = actions::of(db, connection, id.0, SHOWN).await?;
    Ok(row.map(|r| FullMovement {
        exchanges,
        actions,
        deviates: r.deviates,
        connection_id: connection.0,
        body: r.body,
        request: r.request,
        earlier_requests: r.earlier_requests,
        response: r.response,
        movement: Movement {
            settled_by: settled.get(&r.movement_id).copied(),
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
            replay_of: r.replay_of,
        },
    }))
}

/// How many movements a person may have to do with: what is not delivered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Standing {
    /// Not yet delivered: pending, sending, retrying or in doubt.
    pub open: i64,
    /// Held for a person.
    pub held: i64,
    /// Given up, unless a person discarded it or it is [settled](Movement::settled_by).
    pub failed: i64,
}

/// Counts a connection's movements that are not delivered, each state by its own partial index: what this costs
/// depends on how many they are, not on how long the log is.
pub async fn standing(db: &PgPool, connection: ConnectionId) -> Result<Standing> {
    let row = sqlx::query_as!(
        Standing,
        "select (select count(*) from movements where connection_id = $1 and state = 'pending')
                + (select count(*) from movements
                   where connection_id = $1 and state in ('sending', 'retrying', 'in_doubt')) as \"open!\",
                (select count(*) from movements where connection_id = $1 and state = 'held') as \"held!\",
                (select count(*) from movements m
                 where m.connection_id = $1 and m.state = 'failed' and m.outcome is distinct from 'discarded'
                   and not exists (select from settled_by($1, m.feed, m.source_id, m.created_at))) as \"failed!\"",
        connection.0
    )
    .fetch_one(db)
    .await?;
    Ok(row)
}

/// The id from which on movements can be delivered from now on: that of the oldest open one, or one of two hours ago, so
/// that a node's clock need not be right.
pub async fn frontier(db: &PgPool, connection: ConnectionId) -> Result<uuid::Uuid> {
    let from = sqlx::query_scalar!(
        "select least(
             first_id(now() - interval '2 hours'),
             (select movement_id from movements where connection_id = $1 and state = 'pending'
              order by movement_id limit 1),
             (select movement_id from movements where connection_id = $1 and state in ('sending', 'retrying', 'in_doubt')
              order by movement_id limit 1)) as \"from!\"",
        connection.0
    )
    .fetch_one(db)
    .await?;
    Ok(from)
}

/// How many movements from an id on were delivered: what this costs depends on them alone, not on how long the log is.
pub async fn delivered_from(db: &PgPool, connection: ConnectionId, from: uuid::Uuid) -> Result<i64> {
    let count = sqlx::query_scalar!(
        "select count(*) as \"count!\" from movements
         where connection_id = $1 and movement_id >= $2 and state = 'delivered'",
        connection.0,
        from,
    )
    .fetch_one(db)
    .await?;
    Ok(count)
}

/// Tasks that were written since a version of the settings was stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Written {
    /// Tasks made.
    pub made: i64,
    /// Tasks changed.
    pub changed: i64,
}

/// Counts the tasks that movements from an id on have written since a version of the settings was stored.
pub async fn written_since(
    db: &PgPool,
    connection: ConnectionId,
    from: uuid::Uuid,
    version: i32,
) -> Result<Written> {
    let row = sqlx::query_as!(
        Written,
        "select count(distinct m.destination_id) filter (where m.outcome = 'created') as \"made!\",
                count(distinct m.destination_id) filter (where m.outcome = 'updated') as \"changed!\"
         from movements m
         where m.connection_id = $1 and m.movement_id >= $2 and m.state = 'delivered'
           and m.finished_at >= (select at from settings_versions where connection_id = $1 and version = $3)",
        connection.0,
        from,
        version,
    )
    .fetch_one(db)
    .await?;
    Ok(row)
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
    /// Given up, and as [`Standing`] has it not settled.
    pub failed: i64,
}

/// Counts a connection's movements by state. This reads its whole log; [`standing`] does not.
pub async fn count(db: &PgPool, connection: ConnectionId) -> Result<Counts> {
    let Standing { open, held, failed } = standing(db, connection).await?;
    let row = sqlx::query!(
        "select count(*) filter (where state = 'delivered') as \"delivered!\",
                count(distinct destination_id) filter (where outcome = 'created') as \"created!\",
                count(distinct destination_id) filter (where outcome = 'updated') as \"updated!\"
         from movements where connection_id = $1",
        connection.0
    )
    .fetch_one(db)
    .await?;
    Ok(Counts { open, delivered: row.delivered, created: row.created, updated: row.updated, held, failed })
}
