//! Documents: the latest snapshot of each Oracle record, stored page by page.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::{PgConnection, PgPool};

use crate::error::Result;
use crate::feed::Feed;
use crate::ids::{ConnectionId, MovementId};
use crate::store::at;

/// One record of a page, ready to be stored.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// The record's id in Oracle.
    pub source_id: String,
    /// The order's number, for a purchase order.
    pub order_number: Option<String>,
    /// Oracle's `LastUpdateDate`.
    pub last_update: Option<Timestamp>,
    /// The digest over what the mapping uses.
    pub fingerprint: Vec<u8>,
    /// The raw JSON text.
    pub body: String,
    /// The numbers of the orders that an invoice names.
    pub names_orders: Vec<String>,
}

/// What storing a page did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Stored {
    /// Documents that are new or whose body changed.
    pub written: u64,
    /// Documents whose fingerprint changed: a movement stands for each.
    pub changed: u64,
}

/// Stores the records of a page and opens a movement for each whose fingerprint changed.
///
/// Touching a movement that is pending already takes its row lock, so that a claim at the same time
/// either comes after this transaction, and sees the new body, or before it, and a new movement opens.
pub async fn store_page(
    db: &mut PgConnection,
    connection: ConnectionId,
    feed: Feed,
    rows: &[Incoming],
) -> Result<Stored> {
    let mut ids = Vec::with_capacity(rows.len());
    let mut numbers = Vec::with_capacity(rows.len());
    let mut dates = Vec::with_capacity(rows.len());
    let mut fingerprints = Vec::with_capacity(rows.len());
    let mut bodies = Vec::with_capacity(rows.len());
    let mut movements = Vec::with_capacity(rows.len());
    for row in rows {
        ids.push(row.source_id.as_str());
        numbers.push(row.order_number.as_deref());
        dates.push(row.last_update.map(at));
        fingerprints.push(row.fingerprint.as_slice());
        bodies.push(row.body.as_str());
        movements.push(MovementId::new().0);
    }
    let counts = sqlx::query!(
        "with input as (
             select * from unnest($3::text[], $4::text[], $5::timestamptz[], $6::bytea[], $7::text[], $8::uuid[])
                 as t(source_id, order_number, last_update, fingerprint, body, movement_id)),
         before as (
             select d.source_id, d.fingerprint from documents d
             where d.connection_id = $1 and d.feed = $2 and d.source_id = any($3::text[])),
         written as (
             insert into documents as d
                 (connection_id, feed, source_id, order_number, last_update, fingerprint, body)
             select $1, $2, i.source_id, i.order_number, i.last_update, i.fingerprint, i.body from input i
             on conflict (connection_id, feed, source_id) do update
             set order_number = excluded.order_number, last_update = excluded.last_update,
                 fingerprint = excluded.fingerprint, body = excluded.body, stored_at = now()
             where d.body <> excluded.body or d.fingerprint <> excluded.fingerprint
             returning 1),
         opened as (
             insert into movements as m (connection_id, movement_id, feed, source_id, state)
             select $1, i.movement_id, $2, i.source_id, 'pending'
             from input i left join before b using (source_id)
             where b.fingerprint is distinct from i.fingerprint
             on conflict (connection_id, feed, source_id) where state = 'pending' do update
             set next_attempt_at = least(m.next_attempt_at, now())
             returning 1)
         select (select count(*) from written) as \"written!\", (select count(*) from opened) as \"changed!\"",
        connection.0,
        feed.as_str(),
        &ids as _,
        &numbers as _,
        &dates as _,
        &fingerprints as _,
        &bodies as _,
        &movements,
    )
    .fetch_one(&mut *db)
    .await?;
    if feed == Feed::Invoices {
        store_named_orders(db, connection, rows).await?;
    }
    Ok(Stored { written: counts.written.unsigned_abs(), changed: counts.changed.unsigned_abs() })
}

async fn store_named_orders(
    db: &mut PgConnection,
    connection: ConnectionId,
    rows: &[Incoming],
) -> Result<()> {
    let all: Vec<&str> = rows.iter().map(|row| row.source_id.as_str()).collect();
    let (mut numbers, mut invoices) = (Vec::new(), Vec::new());
    for row in rows {
        for number in &row.names_orders {
            numbers.push(number.as_str());
            invoices.push(row.source_id.as_str());
        }
    }
    sqlx::query!(
        "delete from invoice_orders io where connection_id = $1 and invoice_id = any($2)
         and not exists (select from unnest($3::text[], $4::text[]) as n(order_number, invoice_id)
                         where n.order_number = io.order_number and n.invoice_id = io.invoice_id)",
        connection.0,
        &all as _,
        &numbers as _,
        &invoices as _,
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!(
        "insert into invoice_orders (connection_id, order_number, invoice_id)
         select $1, n.order_number, n.invoice_id
         from unnest($2::text[], $3::text[]) as n(order_number, invoice_id)
         on conflict do nothing",
        connection.0,
        &numbers as _,
        &invoices as _,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A stored body with its id.
#[derive(Debug, Clone)]
pub struct Body {
    /// The record's id in Oracle.
    pub source_id: String,
    /// The raw JSON text.
    pub body: String,
}

/// The orders that carry one of these numbers.
pub async fn orders_by_number(
    db: &mut PgConnection,
    connection: ConnectionId,
    numbers: &[String],
) -> Result<Vec<Body>> {
    let rows = sqlx::query_as!(
        Body,
        "select source_id, body from documents
         where connection_id = $1 and feed = 'purchase_orders' and order_number = any($2)",
        connection.0,
        numbers,
    )
    .fetch_all(db)
    .await?;
    Ok(rows)
}

/// The invoices that name one of these order numbers.
pub async fn invoices_by_order_number(
    db: &mut PgConnection,
    connection: ConnectionId,
    numbers: &[String],
) -> Result<Vec<Body>> {
    let rows = sqlx::query_as!(
        Body,
        "select d.source_id, d.body from documents d
         where d.connection_id = $1 and d.feed = 'invoices' and d.source_id in (
             select io.invoice_id from invoice_orders io
             where io.connection_id = $1 and io.order_number = any($2))",
        connection.0,
        numbers,
    )
    .fetch_all(db)
    .await?;
    Ok(rows)
}

/// How many documents a connection has, by feed.
pub async fn count(db: &PgPool, connection: ConnectionId) -> Result<HashMap<String, i64>> {
    let rows = sqlx::query!(
        "select feed, count(*) as \"count!\" from documents where connection_id = $1 group by feed",
        connection.0
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|r| (r.feed, r.count)).collect())
}

/// Opens a movement for every document, as after a change of the mapping; returns how many opened.
pub async fn open_all(db: &mut PgConnection, connection: ConnectionId) -> Result<u64> {
    let opened = sqlx::query!(
        "insert into movements (connection_id, movement_id, feed, source_id, state)
         select connection_id, gen_random_uuid(), feed, source_id, 'pending' from documents
         where connection_id = $1
         on conflict (connection_id, feed, source_id) where state = 'pending' do nothing",
        connection.0,
    )
    .execute(db)
    .await?;
    Ok(opened.rows_affected())
}
