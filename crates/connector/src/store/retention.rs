//! How long the log is kept: months are made ahead and dropped as a whole; what one connection keeps for less time than
//! another is taken away row by row, in small statements.

use jiff::Timestamp;
use sqlx::PgPool;

use crate::alerts::NODES;
use crate::error::Result;
use crate::hooks::event::EventKey;
use crate::ids::ConnectionId;
use crate::store::{self, at};

/// Rows taken away by one statement.
const BATCH: i64 = 5_000;
/// Closed alerts are kept for so many days at least.
const TOLD_DAYS: i32 = 30;
/// How long the months' tables are waited for; whoever uses them comes first.
const LOCK_PATIENCE: &str = "2s";

/// Makes the months that are needed soon and drops those that ended before `keep_from`; returns the names of the dropped
/// tables. `None`: another node is doing it.
pub async fn turn_months(db: &PgPool, keep_from: Timestamp) -> Result<Option<Vec<String>>> {
    let mut tx = store::begin(db).await?;
    let free = sqlx::query_scalar!(
        "select pg_try_advisory_xact_lock(hashtextextended('ml-connector: months of the log', 0)) as \"free!\""
    )
    .fetch_one(&mut *tx)
    .await?;
    if !free {
        return Ok(None);
    }
    sqlx::query_scalar!("select set_config('lock_timeout', $1, true)", LOCK_PATIENCE)
        .fetch_one(&mut *tx)
        .await?;
    sqlx::query_scalar!("select make_months() is null as made").fetch_one(&mut *tx).await?;
    let dropped = sqlx::query_scalar!(
        "select d as \"name!\" from drop_months($1) d",
        at(keep_from) as jiff_sqlx::Timestamp
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(Some(dropped))
}

/// Takes away what a connection's log holds from before `keep_from`; returns how many rows. What is open stays:
/// movements that are not delivered or given up, and the steps of journals on their way.
pub async fn forget_before(db: &PgPool, connection: ConnectionId, keep_from: Timestamp) -> Result<u64> {
    let mut gone = 0;
    loop {
        let batch = sqlx::query_scalar!(
            "with old_movements as (
                 delete from movements where connection_id = $1 and movement_id in (
                     select movement_id from movements
                     where connection_id = $1 and movement_id < first_id($2) and state in ('delivered', 'failed')
                     order by movement_id limit $3)
                 returning 1),
             old_attempts as (
                 delete from attempts where connection_id = $1 and attempt_id in (
                     select attempt_id from attempts
                     where connection_id = $1 and attempt_id < first_id($2) order by attempt_id limit $3)
                 returning 1),
             old_steps as (
                 delete from journal_steps where connection_id = $1 and (journal_id, step_id) in (
                     select s.journal_id, s.step_id from journal_steps s
                     where s.connection_id = $1 and s.step_id < first_id($2) and not exists (
                         select from journals j
                         where j.connection_id = $1 and j.journal_id = s.journal_id
                           and j.state in ('ready', 'submitting', 'submitted', 'in_doubt'))
                     limit $3)
                 returning 1),
             old_actions as (
                 delete from actions where connection_id = $1 and action_id in (
                     select action_id from actions
                     where connection_id = $1 and action_id < first_id($2) order by action_id limit $3)
                 returning 1)
             select (select count(*) from old_movements) + (select count(*) from old_attempts)
                  + (select count(*) from old_steps) + (select count(*) from old_actions) as \"count!\"",
            connection.0,
            at(keep_from) as jiff_sqlx::Timestamp,
            BATCH,
        )
        .fetch_one(db)
        .await?;
        if batch == 0 {
            return Ok(gone);
        }
        gone += batch.unsigned_abs();
    }
}

/// Takes the events away that happened before `keep_from` and were looked at, and the deliveries that came before it and
/// have no event that is still to be looked at. Returns how many rows.
pub async fn forget_inbox_before(db: &PgPool, connection: ConnectionId, keep_from: Timestamp) -> Result<u64> {
    let mut gone = 0;
    loop {
        let batch = sqlx::query_scalar!(
            // keys of events begin with the second in which they happened, or with none when that is not known
            "with old_events as (
                 delete from events where connection_id = $1 and event_key in (
                     select event_key from events
                     where connection_id = $1 and event_key < $4 and state <> 'open'
                       and (happened_at is not null or delivery_id < first_id($2)) order by event_key limit $3)
                 returning 1),
             old_deliveries as (
                 delete from deliveries where connection_id = $1 and delivery_id in (
                     select delivery_id from deliveries
                     where connection_id = $1 and delivery_id < first_id($2) and delivery_id not in (
                         select e.delivery_id from events e
                         where e.connection_id = $1 and e.state = 'open' and e.delivery_id is not null)
                     order by delivery_id limit $3)
                 returning 1)
             select (select count(*) from old_events) + (select count(*) from old_deliveries) as \"count!\"",
            connection.0,
            at(keep_from) as jiff_sqlx::Timestamp,
            BATCH,
            EventKey::first_of(keep_from.as_second()).0,
        )
        .fetch_one(db)
        .await?;
        if batch == 0 {
            return Ok(gone);
        }
        gone += batch.unsigned_abs();
    }
}

/// Takes the alerts away that were closed before `keep_from`, and the messages about alerts that were made before it and
/// do not wait. Alerts of the last [`TOLD_DAYS`] stay, since by them is known what was told. Returns how many rows.
pub async fn forget_alerts_before(
    db: &PgPool,
    connection: ConnectionId,
    keep_from: Timestamp,
) -> Result<u64> {
    let mut gone = 0;
    loop {
        let batch = sqlx::query_scalar!(
            "with old_alerts as (
                 delete from alerts where connection_id = $1 and alert_id in (
                     select alert_id from alerts
                     where connection_id = $1 and closed_at < least($2, now() - make_interval(days => $4))
                     order by alert_id limit $3)
                 returning alert_id),
             old_told as (
                 delete from told_alerts where connection_id = $1 and (channel, alert_id) in (
                     select t.channel, t.alert_id from told_alerts t
                     where t.connection_id = $1 and t.told_at < least($2, now() - make_interval(days => $4))
                       and not exists (select from alerts a where a.connection_id in ($1, $5) and a.alert_id = t.alert_id)
                     limit $3)
                 returning 1),
             old_notifications as (
                 delete from notifications where connection_id = $1 and notification_id in (
                     select notification_id from notifications
                     where connection_id = $1 and created_at < $2 and state <> 'pending'
                     order by notification_id limit $3)
                 returning 1)
             select (select count(*) from old_alerts) + (select count(*) from old_told)
                  + (select count(*) from old_notifications) as \"count!\"",
            connection.0,
            at(keep_from) as jiff_sqlx::Timestamp,
            BATCH,
            TOLD_DAYS,
            NODES.0,
        )
        .fetch_one(db)
        .await?;
        if batch == 0 {
            return Ok(gone);
        }
        gone += batch.unsigned_abs();
    }
}

/// Takes the bodies, requests and answers away that the log holds from before `keep_from`; returns of how many rows.
/// Movements and edits that it has looked at once it does not look at again; steps of journals it does, since a journal
/// can be on its way for long.
pub async fn blank_before(db: &PgPool, connection: ConnectionId, keep_from: Timestamp) -> Result<u64> {
    let mut blanked = 0;
    loop {
        let batch = sqlx::query_scalar!(
            "with kept as (
                 select coalesce(first_id(bodies_kept_from), '00000000-0000-0000-0000-000000000000') as from_id
                 from connections where connection_id = $1),
             old_movements as (
                 update movements set body = null, request = null, earlier_requests = null, response = null
                 where connection_id = $1 and movement_id in (
                     select m.movement_id from movements m, kept
                     where m.connection_id = $1 and m.movement_id >= kept.from_id and m.movement_id < first_id($2)
                       and m.state in ('delivered', 'failed')
                       and (m.body is not null or m.request is not null or m.response is not null)
                     order by m.movement_id limit $3)
                 returning 1),
             old_actions as (
                 update actions set before = null, after = null
                 where connection_id = $1 and what = 'edited' and action_id in (
                     select a.action_id from actions a, kept
                     where a.connection_id = $1 and a.action_id >= kept.from_id and a.action_id < first_id($2)
                       and a.what = 'edited' and (a.before is not null or a.after is not null)
                     order by a.action_id limit $3)
                 returning 1),
             old_steps as (
                 update journal_steps set request = null, response = null
                 where connection_id = $1 and (journal_id, step_id) in (
                     select s.journal_id, s.step_id from journal_steps s
                     where s.connection_id = $1 and s.step_id < first_id($2)
                       and (s.request is not null or s.response is not null) and not exists (
                           select from journals j
                           where j.connection_id = $1 and j.journal_id = s.journal_id
                             and j.state in ('ready', 'submitting', 'submitted', 'in_doubt'))
                     limit $3)
                 returning 1)
             select (select count(*) from old_movements) + (select count(*) from old_actions)
                  + (select count(*) from old_steps) as \"count!\"",
            connection.0,
            at(keep_from) as jiff_sqlx::Timestamp,
            BATCH,
        )
        .fetch_one(db)
        .await?;
        if batch == 0 {
            break;
        }
        blanked += batch.unsigned_abs();
    }
    sqlx::query!(
        "update connections set bodies_kept_from = $2
         where connection_id = $1 and (bodies_kept_from is null or bodies_kept_from < $2)",
        connection.0,
        at(keep_from) as jiff_sqlx::Timestamp,
    )
    .execute(db)
    .await?;
    Ok(blanked)
}
