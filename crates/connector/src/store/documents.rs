//! Documents: the latest snapshot of each Oracle record, stored page by page.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

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
    /// The order's number; of an invoice the numbers of the orders it names, a line each.
    pub order_number: Option<String>,
    /// The supplier's name.
    pub supplier: Option<String>,
    /// The supplier's number, as an invoice names it.
    pub supplier_number: Option<String>,
    /// Of an invoice its own number.
    pub invoice_number: Option<String>,
    /// Oracle's `LastUpdateDate`.
    pub last_update: Option<Timestamp>,
    /// The digest over what the mapping uses.
    pub fingerprint: Vec<u8>,
    /// The digest over the whole body.
    pub digest: Vec<u8>,
    /// The raw JSON text.
    pub body: String,
}

/// What storing a page did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Stored {
    /// Documents that are new or whose body changed.
    pub written: u64,
    /// Documents whose fingerprint changed: a movement stands for each.
    pub changed: u64,
}

/// What is stored of a record, as far as comparing needs it.
struct Before {
    fingerprint: Vec<u8>,
    digest: Vec<u8>,
    order_number: Option<String>,
}

/// Ids that a first reading remembers, 8 bytes each; a longer reading looks every record up from then on.
const REMEMBERED: usize = 1_000_000;

/// What a reading knows of a feed's documents without asking. A first reading begins with none and is their
/// only writer, so that a record it has not stored itself is new.
#[derive(Debug, Default)]
pub struct Reading {
    hasher: RandomState,
    /// Digests of the ids stored so far; `None`: the documents must be asked.
    stored: Option<HashSet<u64>>,
}

impl Reading {
    /// Begins a reading; the feed's lease must be held.
    pub async fn begin(db: &PgPool, connection: ConnectionId, feed: Feed) -> Result<Reading> {
        let any = sqlx::query_scalar!(
            "select exists (select from documents where connection_id = $1 and feed = $2) as \"any!\"",
            connection.0,
            feed.as_str(),
        )
        .fetch_one(db)
        .await?;
        Ok(Reading { stored: (!any).then(HashSet::new), ..Reading::default() })
    }

    /// The ids among these that may be stored already, and remembers all of them.
    pub fn may_be_stored(&mut self, rows: &[Incoming]) -> Vec<String> {
        let ids = rows.iter().map(|row| row.source_id.clone());
        let Some(stored) = &mut self.stored else { return ids.collect() };
        let known = ids.filter(|id| !stored.insert(self.hasher.hash_one(id))).collect();
        if stored.len() > REMEMBERED {
            self.stored = None;
        }
        known
    }
}

/// Stores the records of a page and opens a movement for each whose fingerprint changed.
///
/// `known` are the ids that may be stored already ([`Reading::may_be_stored`]); all others are new. Before it
/// commits, the transaction must hold the feed's lease ([`jobs::hold`](super::jobs::hold)), which makes it the
/// only writer of the feed's documents: what is new is inserted, only what differs is updated, and what is
/// the same costs one look-up.
pub async fn store_page(
    db: &mut PgConnection,
    connection: ConnectionId,
    feed: Feed,
    known: &[String],
    rows: &[Incoming],
) -> Result<Stored> {
    let newest: HashMap<&str, &Incoming> = rows.iter().map(|row| (row.source_id.as_str(), row)).collect();
    let before = load_before(db, connection, feed, known).await?;
    let (mut new, mut rewritten, mut changed) = (Vec::new(), Vec::new(), Vec::new());
    for row in
        rows.iter().filter(|row| newest.get(row.source_id.as_str()).is_some_and(|n| std::ptr::eq(*n, *row)))
    {
        match before.get(&row.source_id) {
            None => new.push(row),
            Some(known) => {
                if known.fingerprint != row.fingerprint {
                    changed.push(row);
                }
                if known.digest != row.digest {
                    rewritten.push(row);
                }
            }
        }
    }
    if !new.is_empty() {
        insert_new(db, connection, feed, &new).await?;
    }
    if !rewritten.is_empty() {
        rewrite_documents(db, connection, feed, &rewritten).await?;
    }
    if !changed.is_empty() {
        open_movements(db, connection, feed, &changed).await?;
    }
    if !changed.is_empty() {
        add_named_orders(db, connection, feed, &changed).await?;
        drop_named_orders(db, connection, feed, &changed, &before).await?;
    }
    let count = |list: &[&Incoming]| list.len() as u64;
    Ok(Stored { written: count(&new) + count(&rewritten), changed: count(&new) + count(&changed) })
}

async fn load_before(
    db: &mut PgConnection,
    connection: ConnectionId,
    feed: Feed,
    ids: &[String],
) -> Result<HashMap<String, Before>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let found = sqlx::query!(
        // one look-up by primary key per id: without statistics, as in a first poll, the planner takes
        // `source_id = any(…)` for dear and reads all of the connection's rows instead
        "select d.source_id, d.fingerprint, d.digest, d.order_number from unnest($3::text[]) as i(source_id)
         cross join lateral (
             select source_id, fingerprint, digest, order_number from documents
             where connection_id = $1 and feed = $2 and source_id = i.source_id limit 1) d",
        connection.0,
        feed.as_str(),
        ids,
    )
    .fetch_all(db)
    .await?;
    Ok(found
        .into_iter()
        .map(|r| {
            let before =
                Before { fingerprint: r.fingerprint, digest: r.digest, order_number: r.order_number };
            (r.source_id, before)
        })
        .collect())
}

/// Stores records that are new, each with its movement and under the order numbers it carries or names. A
/// record that is new cannot have a movement yet, so none can be in the way. Its words are taken up later
/// ([`search`](crate::search)): the page is one row of what is to be taken up.
///
/// One statement for all tables: over TCP each further exchange costs a round trip, and COPY, which
/// ends with a small packet of its own, waits for a delayed acknowledgement each time.
async fn insert_new(
    db: &mut PgConnection,
    connection: ConnectionId,
    feed: Feed,
    rows: &[&Incoming],
) -> Result<()> {
    let ids: Vec<&str> = rows.iter().map(|row| row.source_id.as_str()).collect();
    let order_numbers: Vec<Option<&str>> = rows.iter().map(|row| row.order_number.as_deref()).collect();
    let dates: Vec<Option<jiff_sqlx::Timestamp>> = rows.iter().map(|row| row.last_update.map(at)).collect();
    let fingerprints: Vec<&[u8]> = rows.iter().map(|row| row.fingerprint.as_slice()).collect();
    let digests: Vec<&[u8]> = rows.iter().map(|row| row.digest.as_slice()).collect();
    let bodies: Vec<&str> = rows.iter().map(|row| row.body.as_str()).collect();
    let suppliers: Vec<Option<&str>> = rows.iter().map(|row| row.supplier.as_deref()).collect();
    let supplier_numbers: Vec<Option<&str>> = rows.iter().map(|row| row.supplier_number.as_deref()).collect();
    let invoice_numbers: Vec<Option<&str>> = rows.iter().map(|row| row.invoice_number.as_deref()).collect();
    let movements: Vec<uuid::Uuid> = rows.iter().map(|_| MovementId::new().0).collect();
    let (numbers, sources) = named(rows);
    sqlx::query!(
        "with moving as (
             insert into movements (connection_id, movement_id, feed, source_id, state)
             select $1, m.movement_id, $2, m.source_id, 'pending'
             from unnest($3::text[], $9::uuid[]) as m(source_id, movement_id)),
         named as (
             insert into named_orders (connection_id, order_number, feed, source_id)
             select $1, n.order_number, $2, n.source_id
             from unnest($10::text[], $11::text[]) as n(order_number, source_id)),
         to_be_searched as (
             insert into unsearched (connection_id, page_id, feed, source_ids) values ($1, $15, $2, $3::text[]))
         insert into documents
             (connection_id, feed, source_id, order_number, last_update, fingerprint, digest, body, supplier,
              supplier_number, invoice_number)
         select $1, $2, d.* from unnest($3::text[], $4::text[], $5::timestamptz[], $6::bytea[], $7::bytea[],
                                        $8::text[], $12::text[], $13::text[], $14::text[]) as d",
        connection.0,
        feed.as_str(),
        &ids as _,
        &order_numbers as _,
        &dates as _,
        &fingerprints as _,
        &digests as _,
        &bodies as _,
        &movements,
        &numbers as _,
        &sources as _,
        &suppliers as _,
        &supplier_numbers as _,
        &invoice_numbers as _,
        uuid::Uuid::now_v7(),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The order numbers of these records, each with its record's id.
fn named<'r>(rows: &[&'r Incoming]) -> (Vec<&'r str>, Vec<&'r str>) {
    rows.iter().flat_map(|row| row.all_numbers().map(|number| (number, row.source_id.as_str()))).unzip()
}

async fn rewrite_documents(
    db: &mut PgConnection,
    connection: ConnectionId,
    feed: Feed,
    rows: &[&Incoming],
) -> Result<()> {
    let ids: Vec<&str> = rows.iter().map(|row| row.source_id.as_str()).collect();
    let numbers: Vec<Option<&str>> = rows.iter().map(|row| row.order_number.as_deref()).collect();
    let dates: Vec<Option<jiff_sqlx::Timestamp>> = rows.iter().map(|row| row.last_update.map(at)).collect();
    let fingerprints: Vec<&[u8]> = rows.iter().map(|row| row.fingerprint.as_slice()).collect();
    let digests: Vec<&[u8]> = rows.iter().map(|row| row.digest.as_slice()).collect();
    let bodies: Vec<&str> = rows.iter().map(|row| row.body.as_str()).collect();
    let suppliers: Vec<Option<&str>> = rows.iter().map(|row| row.supplier.as_deref()).collect();
    let supplier_numbers: Vec<Option<&str>> = rows.iter().map(|row| row.supplier_number.as_deref()).collect();
    let invoice_numbers: Vec<Option<&str>> = rows.iter().map(|row| row.invoice_number.as_deref()).collect();
    sqlx::query!(
        "with to_be_searched as (
             insert into unsearched (connection_id, page_id, feed, source_ids) values ($1, $12, $2, $3::text[]))
         update documents d set order_number = i.order_number, last_update = i.last_update,
                fingerprint = i.fingerprint, digest = i.digest, body = i.body, stored_at = now(),
                supplier = i.supplier, supplier_number = i.supplier_number, invoice_number = i.invoice_number
         from unnest($3::text[], $4::text[], $5::timestamptz[], $6::bytea[], $7::bytea[], $8::text[], $9::text[],
                     $10::text[], $11::text[])
              as i(source_id, order_number, last_update, fingerprint, digest, body, supplier, supplier_number,
                   invoice_number)
         where d.connection_id = $1 and d.feed = $2 and d.source_id = i.source_id",
        connection.0,
        feed.as_str(),
        &ids as _,
        &numbers as _,
        &dates as _,
        &fingerprints as _,
        &digests as _,
        &bodies as _,
        &suppliers as _,
        &supplier_numbers as _,
        &invoice_numbers as _,
        uuid::Uuid::now_v7(),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Touching a movement that is pending already takes its row lock, so that a claim at the same time
/// either comes after this transaction, and sees the new body, or before it, and a new movement opens: then the row is
/// no longer pending when the lock is had, and counts as not touched.
async fn open_movements(
    db: &mut PgConnection,
    connection: ConnectionId,
    feed: Feed,
    rows: &[&Incoming],
) -> Result<()> {
    let ids: Vec<&str> = rows.iter().map(|row| row.source_id.as_str()).collect();
    let movements: Vec<uuid::Uuid> = rows.iter().map(|_| MovementId::new().0).collect();
    sqlx::query!(
        "with touched as (
             update movements m set next_attempt_at = least(m.next_attempt_at, now())
             where m.connection_id = $1 and m.feed = $2 and m.source_id = any($3) and m.state = 'pending'
             returning m.source_id)
         insert into movements (connection_id, movement_id, feed, source_id, state)
         select $1, i.movement_id, $2, i.source_id, 'pending'
         from unnest($3::text[], $4::uuid[]) as i(source_id, movement_id)
         where i.source_id not in (select t.source_id from touched t)",
        connection.0,
        feed.as_str(),
        &ids as _,
        &movements,
    )
    .execute(db)
    .await?;
    Ok(())
}

async fn add_named_orders(
    db: &mut PgConnection,
    connection: ConnectionId,
    feed: Feed,
    rows: &[&Incoming],
) -> Result<()> {
    let (numbers, sources) = named(rows);
    sqlx::query!(
        "insert into named_orders (connection_id, order_number, feed, source_id)
         select $1, n.order_number, $2, n.source_id
         from unnest($3::text[], $4::text[]) as n(order_number, source_id)
         on conflict do nothing",
        connection.0,
        feed.as_str(),
        &numbers as _,
        &sources as _,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// An order that an invoice no longer names still shows it: its values are computed anew.
async fn drop_named_orders(
    db: &mut PgConnection,
    connection: ConnectionId,
    feed: Feed,
    rows: &[&Incoming],
    before: &HashMap<String, Before>,
) -> Result<()> {
    let (mut numbers, mut sources) = (Vec::new(), Vec::new());
    for row in rows {
        let were = before.get(&row.source_id).and_then(|b| b.order_number.as_deref()).unwrap_or_default();
        for number in were.lines().filter(|were| row.all_numbers().all(|now| now != *were)) {
            numbers.push(number);
            sources.push(row.source_id.as_str());
        }
    }
    if numbers.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "with dropped as (
             select * from unnest($3::text[], $4::text[]) as n(order_number, source_id)),
         gone as (
             delete from named_orders n using dropped o
             where n.connection_id = $1 and n.feed = $2
               and n.order_number = o.order_number and n.source_id = o.source_id),
         concerned as (
             select distinct n.source_id from named_orders n join dropped o using (order_number)
             where n.connection_id = $1 and n.feed = 'purchase_orders'),
         touched as (
             update movements m set next_attempt_at = least(m.next_attempt_at, now()) from concerned c
             where m.connection_id = $1 and m.feed = 'purchase_orders' and m.source_id = c.source_id
               and m.state = 'pending'
             returning m.source_id)
         insert into movements (connection_id, movement_id, feed, source_id, state)
         select $1::uuid, new_movement_id(), 'purchase_orders', c.source_id, 'pending'
         from concerned c where c.source_id not in (select t.source_id from touched t)",
        connection.0,
        feed.as_str(),
        &numbers as _,
        &sources as _,
    )
    .execute(db)
    .await?;
    Ok(())
}

impl Incoming {
    /// The order numbers under which the record is found.
    fn all_numbers(&self) -> impl Iterator<Item = &str> {
        self.order_number.iter().flat_map(|numbers| numbers.lines()).filter(|number| !number.is_empty())
    }
}

/// A stored body with its id.
#[derive(Debug, Clone)]
pub struct Body {
    /// The record's id in Oracle.
    pub source_id: String,
    /// The raw JSON text.
    pub body: String,
}

/// The records of a feed that carry or name one of these order numbers, or once did.
pub async fn by_order_number(
    db: &mut PgConnection,
    connection: ConnectionId,
    feed: Feed,
    numbers: &[String],
) -> Result<Vec<Body>> {
    let rows = sqlx::query_as!(
        Body,
        "select d.source_id, d.body from documents d
         where d.connection_id = $1 and d.feed = $2 and d.source_id in (
             select n.source_id from named_orders n
             where n.connection_id = $1 and n.feed = $2 and n.order_number = any($3))",
        connection.0,
        feed.as_str(),
        numbers,
    )
    .fetch_all(db)
    .await?;
    Ok(rows)
}

/// The records of a feed with these ids.
pub async fn by_ids(
    db: &mut PgConnection,
    connection: ConnectionId,
    feed: Feed,
    ids: &[String],
) -> Result<Vec<Body>> {
    let rows = sqlx::query_as!(
        Body,
        "select d.source_id, d.body from unnest($3::text[]) as i(source_id)
         cross join lateral (
             select source_id, body from documents
             where connection_id = $1 and feed = $2 and source_id = i.source_id limit 1) d",
        connection.0,
        feed.as_str(),
        ids,
    )
    .fetch_all(db)
    .await?;
    Ok(rows)
}

/// Some records of a feed, whichever come first.
pub async fn some(db: &PgPool, connection: ConnectionId, feed: Feed, limit: i64) -> Result<Vec<Body>> {
    let rows = sqlx::query_as!(
        Body,
        "select source_id, body from documents where connection_id = $1 and feed = $2 order by source_id limit $3",
        connection.0,
        feed.as_str(),
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(rows)
}

/// Lets the planner know how large the tables have become, as after a first poll; the server's own
/// autovacuum would only do so a minute later.
pub async fn analyze(db: &PgPool) -> Result<()> {
    sqlx::query!("analyze documents, named_orders, movements, tasks, links").execute(db).await?;
    Ok(())
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

/// Whether a connection has any document.
pub async fn any(db: &mut PgConnection, connection: ConnectionId) -> Result<bool> {
    let any = sqlx::query_scalar!(
        "select exists (select from documents where connection_id = $1) as \"any!\"",
        connection.0
    )
    .fetch_one(db)
    .await?;
    Ok(any)
}

/// Opens a movement for every document, as after a change of the mapping; returns how many there are.
pub async fn open_all(db: &mut PgConnection, connection: ConnectionId) -> Result<u64> {
    sqlx::query!(
        "with touched as (
             update movements set next_attempt_at = least(next_attempt_at, now())
             where connection_id = $1 and state = 'pending' returning feed, source_id)
         insert into movements (connection_id, movement_id, feed, source_id, state)
         select d.connection_id, new_movement_id(), d.feed, d.source_id, 'pending' from documents d
         where d.connection_id = $1 and (d.feed, d.source_id) not in (select t.feed, t.source_id from touched t)",
        connection.0,
    )
    .execute(&mut *db)
    .await?;
    let all = sqlx::query_scalar!(
        "select count(*) as \"count!\" from documents where connection_id = $1",
        connection.0
    )
    .fetch_one(db)
    .await?;
    Ok(all.unsigned_abs())
}
