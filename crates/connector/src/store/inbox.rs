//! Deliveries and their events: stored in one statement, taken out by the work.

use jiff::Timestamp;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection, PgPool};
use uuid::Uuid;

use crate::error::Result;
use crate::hooks::event::{Event, EventKey};
use crate::hooks::ingest::{Delivery, Sink};
use crate::ids::{ConnectionId, DeliveryId};
use crate::store::at;

/// Longest time for one statement, in milliseconds, by the server's own watch: what a node gave up must not go on.
const STATEMENT_TIMEOUT_MS: &str = "5000";

/// A connection of its own for storing deliveries, so that none waits behind other work. Opened when it is first
/// needed, and again after any failure.
#[derive(Debug)]
pub struct Inbox {
    options: PgConnectOptions,
    connection: Option<PgConnection>,
}

impl Inbox {
    pub(crate) fn of(db: &PgPool) -> Inbox {
        let options = (*db.connect_options()).clone().disable_statement_logging().options([
            ("statement_timeout", STATEMENT_TIMEOUT_MS),
            // an insert has but one plan
            ("plan_cache_mode", "force_generic_plan"),
        ]);
        Inbox { options, connection: None }
    }
}

impl Sink for Inbox {
    async fn store(&mut self, batch: &[Delivery]) -> Result<()> {
        // taken out: when this is cancelled or fails, the connection goes with it
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => PgConnection::connect_with(&self.options).await?,
        };
        store(&mut connection, batch).await?;
        self.connection = Some(connection);
        Ok(())
    }
}

/// One array for each column of `events`.
#[derive(Default)]
struct Columns<'a> {
    connections: Vec<Uuid>,
    keys: Vec<Uuid>,
    deliveries: Vec<Uuid>,
    types: Vec<&'a str>,
    gids: Vec<&'a str>,
    parents: Vec<Option<&'a str>>,
    actions: Vec<&'a str>,
    fields: Vec<Option<&'a str>>,
    happened: Vec<Option<jiff_sqlx::Timestamp>>,
    states: Vec<&'static str>,
}

impl<'a> Columns<'a> {
    /// In the order of their keys: transactions that insert the same events at once wait for each other in one
    /// order, and never in a circle.
    fn of(batch: &'a [Delivery]) -> Columns<'a> {
        let mut events: Vec<(&Delivery, &Event)> = batch
            .iter()
            .flat_map(|delivery| delivery.events.iter().map(move |event| (delivery, event)))
            .collect();
        events.sort_unstable_by_key(|(delivery, event)| (delivery.connection, event.key));
        let mut columns = Columns::default();
        for (delivery, event) in events {
            columns.connections.push(delivery.connection.0);
            columns.keys.push(event.key.0);
            columns.deliveries.push(delivery.id.0);
            columns.types.push(&event.resource_type);
            columns.gids.push(&event.resource_gid);
            columns.parents.push(event.parent_gid.as_deref());
            columns.actions.push(&event.action);
            columns.fields.push(event.field.as_deref());
            columns.happened.push(event.happened_at.map(at));
            columns.states.push(if event.open { "open" } else { "ignored" });
        }
        columns
    }
}

/// Stores deliveries with their events, committed when it returns. An event that is there already stays as it is,
/// and a delivery that brings nothing else leaves no row: sent again and again, it takes no room.
async fn store(db: &mut PgConnection, batch: &[Delivery]) -> Result<()> {
    let events = Columns::of(batch);
    let connections: Vec<_> = batch.iter().map(|delivery| delivery.connection.0).collect();
    let ids: Vec<_> = batch.iter().map(|delivery| delivery.id.0).collect();
    let webhooks: Vec<_> = batch.iter().map(|delivery| delivery.webhook.0).collect();
    let counts: Vec<_> =
        batch.iter().map(|delivery| i32::try_from(delivery.events.len()).unwrap_or(i32::MAX)).collect();
    let bodies: Vec<_> = batch.iter().map(|delivery| delivery.body.as_str()).collect();
    sqlx::query!(
        "with stored as (
             insert into events (connection_id, event_key, delivery_id, resource_type, resource_gid, parent_gid, action,
                                 field, happened_at, state)
             select * from unnest($6::uuid[], $7::uuid[], $8::uuid[], $9::text[], $10::text[], $11::text[], $12::text[],
                                  $13::text[], $14::timestamptz[], $15::text[])
             on conflict do nothing
             returning delivery_id)
         insert into deliveries (connection_id, delivery_id, webhook_id, events, body)
         select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::integer[], $5::text[])
                       as came (connection_id, delivery_id, webhook_id, events, body)
         -- 'is true' keeps this a hashed look-up: as a join it could be nested, whose time grows with both sides
         where (came.delivery_id in (select delivery_id from stored)) is true",
        &connections,
        &ids,
        &webhooks,
        &counts,
        &bodies as &[&str],
        &events.connections,
        &events.keys,
        &events.deliveries,
        &events.types as &[&str],
        &events.gids as &[&str],
        &events.parents as &[Option<&str>],
        &events.actions as &[&str],
        &events.fields as &[Option<&str>],
        &events.happened as &[Option<jiff_sqlx::Timestamp>],
        &events.states as &[&str],
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Adds what the sweep found, as open events without a delivery; how many were new.
pub async fn add_found(db: &mut PgConnection, connection: ConnectionId, found: &[Event]) -> Result<u64> {
    let mut found: Vec<&Event> = found.iter().collect();
    found.sort_unstable_by_key(|event| event.key);
    let keys: Vec<_> = found.iter().map(|event| event.key.0).collect();
    let types: Vec<_> = found.iter().map(|event| event.resource_type.as_str()).collect();
    let gids: Vec<_> = found.iter().map(|event| event.resource_gid.as_str()).collect();
    let actions: Vec<_> = found.iter().map(|event| event.action.as_str()).collect();
    let happened: Vec<_> = found.iter().map(|event| event.happened_at.map(at)).collect();
    let added = sqlx::query!(
        "insert into events (connection_id, event_key, resource_type, resource_gid, action, happened_at, state)
         select $1, event_key, resource_type, resource_gid, action, happened_at, 'open'
         from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
              as found (event_key, resource_type, resource_gid, action, happened_at)
         on conflict do nothing",
        connection.0,
        &keys,
        &types as &[&str],
        &gids as &[&str],
        &actions as &[&str],
        &happened as &[Option<jiff_sqlx::Timestamp>],
    )
    .execute(db)
    .await?;
    Ok(added.rows_affected())
}

/// An event that nobody has looked at yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenEvent {
    /// Tells it from all others of the connection.
    pub key: EventKey,
    /// What it came with; `None` when the sweep found it.
    pub delivery: Option<DeliveryId>,
    /// Type of what changed: `task`, or `project` from a webhook on the workspace.
    pub resource_type: String,
    /// Gid of what changed.
    pub resource_gid: String,
    /// Gid of where it was added or removed.
    pub parent_gid: Option<String>,
    /// `changed`, `added`, `removed`, `deleted` or `undeleted`.
    pub action: String,
    /// The property that changed.
    pub field: Option<String>,
    /// When, by Asana's clock.
    pub happened_at: Option<Timestamp>,
}

/// The oldest open events of a connection, at most `limit`. Nothing is locked: who works on a connection's
/// events holds a lease for it.
pub async fn open_events(db: &PgPool, connection: ConnectionId, limit: i64) -> Result<Vec<OpenEvent>> {
    let rows = sqlx::query!(
        "select event_key, delivery_id, resource_type, resource_gid, parent_gid, action, field, happened_at
         from events where connection_id = $1 and state = 'open' order by event_key limit $2",
        connection.0,
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| OpenEvent {
            key: EventKey(row.event_key),
            delivery: row.delivery_id.map(DeliveryId),
            resource_type: row.resource_type,
            resource_gid: row.resource_gid,
            parent_gid: row.parent_gid,
            action: row.action,
            field: row.field,
            happened_at: row.happened_at.map(jiff_sqlx::Timestamp::to_jiff),
        })
        .collect())
}

/// What came of looking at an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// What it was about was looked at.
    Done,
    /// There was nothing to look at.
    Ignored,
}

/// Closes events. To be called within the transaction that stores what came of them.
pub async fn close_events(
    db: &mut PgConnection,
    connection: ConnectionId,
    keys: &[EventKey],
    outcome: Outcome,
) -> Result<u64> {
    let keys: Vec<_> = keys.iter().map(|key| key.0).collect();
    let state = match outcome {
        Outcome::Done => "done",
        Outcome::Ignored => "ignored",
    };
    let closed = sqlx::query!(
        "update events set state = $3 where connection_id = $1 and event_key = any($2) and state = 'open'",
        connection.0,
        &keys,
        state,
    )
    .execute(db)
    .await?;
    Ok(closed.rows_affected())
}

/// How many events are open.
pub async fn count_open(db: &PgPool, connection: ConnectionId) -> Result<i64> {
    Ok(sqlx::query_scalar!(
        "select count(*) as \"count!\" from events where connection_id = $1 and state = 'open'",
        connection.0
    )
    .fetch_one(db)
    .await?)
}
