//! What reconciliation asks of the database, and the few statements with which it opens repairs.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::{PgConnection, PgPool};

use crate::error::Result;
use crate::feed::Feed;
use crate::ids::{ConnectionId, MovementId};
use crate::store::at;

/// The digests of these documents over their whole bodies, and whether each was stored at or after an instant of the
/// database's clock; one that is not stored is not there.
pub async fn digests(
    db: &mut PgConnection,
    connection: ConnectionId,
    feed: Feed,
    ids: &[String],
    since: Timestamp,
) -> Result<HashMap<String, (Vec<u8>, bool)>> {
    let rows = sqlx::query!(
        "select d.source_id, d.digest, d.stored_at >= $4 as \"since!\" from unnest($3::text[]) as i(source_id)
         cross join lateral (
             select source_id, digest, stored_at from documents
             where connection_id = $1 and feed = $2 and source_id = i.source_id limit 1) d",
        connection.0,
        feed.as_str(),
        ids,
        at(since) as jiff_sqlx::Timestamp,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|r| (r.source_id, (r.digest, r.since))).collect())
}

/// A document's id, and the order numbers it carries or names.
#[derive(Debug, Clone)]
pub struct StoredId {
    /// The record's id in Oracle.
    pub source_id: String,
    /// The order's number; of an invoice those that it names, a line each.
    pub order_number: Option<String>,
}

/// Documents that were stored before an instant of the database's clock, by id, after one.
pub async fn stored_before(
    db: &PgPool,
    connection: ConnectionId,
    feed: Feed,
    before: Timestamp,
    after: &str,
    limit: i64,
) -> Result<Vec<(StoredId, bool)>> {
    let rows = sqlx::query!(
        "select source_id, order_number, stored_at < $3 as \"before!\" from documents
         where connection_id = $1 and feed = $2 and source_id > $4
         order by source_id limit $5",
        connection.0,
        feed.as_str(),
        at(before) as jiff_sqlx::Timestamp,
        after,
        limit,
    )
    .fetch_all(db)
    .await?;
    let stored = |id, number| StoredId { source_id: id, order_number: number };
    Ok(rows.into_iter().map(|r| (stored(r.source_id, r.order_number), r.before)).collect())
}

/// A link that is believed to lead to a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveLink {
    /// The order's id.
    pub order_id: String,
    /// The line's id; empty for the whole order.
    pub line_id: String,
    /// The task.
    pub task_gid: String,
}

/// Links whose task is not known to be gone, in the order of their key, after one.
pub async fn live_links(
    db: &PgPool,
    connection: ConnectionId,
    after: Option<&LiveLink>,
    limit: i64,
) -> Result<Vec<LiveLink>> {
    let (order, line, task) =
        after.map_or(("", "", ""), |a| (a.order_id.as_str(), a.line_id.as_str(), a.task_gid.as_str()));
    let rows = sqlx::query_as!(
        LiveLink,
        "select order_id, line_id, task_gid from links
         where connection_id = $1 and gone_at is null and (order_id, line_id, task_gid) > ($2, $3, $4)
         order by order_id, line_id, task_gid limit $5",
        connection.0,
        order,
        line,
        task,
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(rows)
}

/// What the record log says of a record last, when that was not delivered.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Explanation {
    /// The movement.
    pub movement: uuid::Uuid,
    /// Its state.
    pub state: String,
    /// Why, as a stable code.
    pub code: Option<String>,
    /// Why, in words.
    pub reason: Option<String>,
}

impl Explanation {
    /// Whether the record is on its way, or arrived since it was read.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        matches!(self.state.as_str(), "pending" | "sending" | "retrying" | "in_doubt" | "delivered")
    }

    /// Whether it explains a difference that lasts.
    #[must_use]
    pub fn explains(&self) -> bool {
        self.state != "delivered"
    }
}

/// The newest movement of each of these records, of those whose newest one is open, held or failed, or was delivered at
/// or after an instant of the database's clock.
pub async fn explanations(
    db: &mut PgConnection,
    connection: ConnectionId,
    records: &[(String, String)],
    since: Timestamp,
) -> Result<HashMap<(String, String), Explanation>> {
    let (feeds, ids): (Vec<&str>, Vec<&str>) =
        records.iter().map(|(feed, id)| (feed.as_str(), id.as_str())).unzip();
    let rows = sqlx::query!(
        "select n.feed as \"feed!\", n.source_id as \"source_id!\", n.movement_id as \"movement_id!\",
                n.state as \"state!\", n.code, n.reason
         from (select distinct on (m.feed, m.source_id) m.feed, m.source_id, m.movement_id, m.state, m.code, m.reason,
                                                      m.finished_at
               from movements m join unnest($2::text[], $3::text[]) as i(feed, source_id)
                    on m.feed = i.feed and m.source_id = i.source_id
               where m.connection_id = $1
               order by m.feed, m.source_id, m.created_at desc, m.movement_id desc) n
         where n.state <> 'delivered' or n.finished_at >= $4",
        connection.0,
        &feeds as _,
        &ids as _,
        at(since) as jiff_sqlx::Timestamp,
    )
    .fetch_all(db)
    .await?;
    let told = |movement, state, code, reason| Explanation { movement, state, code, reason };
    Ok(rows
        .into_iter()
        .map(|r| ((r.feed, r.source_id), told(r.movement_id, r.state, r.code, r.reason)))
        .collect())
}

/// A completion that has neither a journal nor a reason why there is none.
#[derive(Debug, Clone)]
pub struct BareCompletion {
    /// The task.
    pub task_gid: String,
    /// Counts the task's completions from 1.
    pub ordinal: i32,
    /// What stands in its PO-number field.
    pub order_number: Option<String>,
}

/// Completions without a journal and without a reason; one that is due to be decided has not had its turn yet.
pub async fn bare_completions(
    db: &PgPool,
    connection: ConnectionId,
    limit: i64,
) -> Result<Vec<BareCompletion>> {
    let rows = sqlx::query_as!(
        BareCompletion,
        "select c.task_gid, c.ordinal, c.order_number from completions c
         where c.connection_id = $1
           and ((c.state = 'journal' and not exists (
                    select from journals j where j.connection_id = $1 and j.task_gid = c.task_gid
                        and j.ordinal = c.ordinal and j.kind = 'posting'))
                or (c.state <> 'journal' and c.code is null and c.reason is null and c.due_at is null))
         order by c.task_gid, c.ordinal limit $2",
        connection.0,
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(rows)
}

/// A journal that is said to be in Oracle.
#[derive(Debug, Clone)]
pub struct ImportedJournal {
    /// The journal.
    pub journal_id: uuid::Uuid,
    /// The task that was completed.
    pub task_gid: String,
    /// The group id that its batch carries.
    pub group_id: i64,
    /// The batch's id, when it is known.
    pub batch_id: Option<String>,
}

/// Journals that are said to be imported, by id, after one.
pub async fn imported_journals(
    db: &PgPool,
    connection: ConnectionId,
    after: uuid::Uuid,
    limit: i64,
) -> Result<Vec<ImportedJournal>> {
    let rows = sqlx::query_as!(
        ImportedJournal,
        "select journal_id, task_gid, group_id, batch_id from journals
         where connection_id = $1 and state = 'imported' and journal_id > $2
         order by journal_id limit $3",
        connection.0,
        after,
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(rows)
}

/// Opens a movement for each of these records that is stored; returns how many were opened. One that is pending
/// already becomes due.
pub async fn open_movements(
    db: &mut PgConnection,
    connection: ConnectionId,
    records: &[(String, String)],
) -> Result<u64> {
    let (feeds, ids): (Vec<&str>, Vec<&str>) =
        records.iter().map(|(feed, id)| (feed.as_str(), id.as_str())).unzip();
    let movements: Vec<uuid::Uuid> = records.iter().map(|_| MovementId::new().0).collect();
    let opened = sqlx::query_scalar!(
        "with wanted as (
             select d.feed, d.source_id, i.movement_id
             from unnest($2::text[], $3::text[], $4::uuid[]) as i(feed, source_id, movement_id)
             join documents d on d.connection_id = $1 and d.feed = i.feed and d.source_id = i.source_id),
         touched as (
             update movements m set next_attempt_at = least(m.next_attempt_at, now()) from wanted w
             where m.connection_id = $1 and m.feed = w.feed and m.source_id = w.source_id and m.state = 'pending'
             returning m.feed, m.source_id),
         opened as (
             insert into movements (connection_id, movement_id, feed, source_id, state)
             select $1, w.movement_id, w.feed, w.source_id, 'pending' from wanted w
             where (w.feed, w.source_id) not in (select t.feed, t.source_id from touched t)
             returning movement_id)
         select (select count(*) from touched) + (select count(*) from opened) as \"count!\"",
        connection.0,
        &feeds as _,
        &ids as _,
        &movements,
    )
    .fetch_one(db)
    .await?;
    Ok(opened.unsigned_abs())
}

/// Forgets invoices that Oracle no longer has, and opens a movement for every order that they named.
pub async fn forget_invoices(db: &mut PgConnection, connection: ConnectionId, ids: &[String]) -> Result<u64> {
    let orders = sqlx::query!(
        "select distinct o.source_id from named_orders i
         join named_orders o on o.connection_id = $1 and o.feed = 'purchase_orders' and o.order_number = i.order_number
         where i.connection_id = $1 and i.feed = 'invoices' and i.source_id = any($2)",
        connection.0,
        ids,
    )
    .fetch_all(&mut *db)
    .await?;
    sqlx::query!(
        "delete from named_orders where connection_id = $1 and feed = 'invoices' and source_id = any($2)",
        connection.0,
        ids,
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!(
        "delete from searched where connection_id = $1 and feed = 'invoices' and source_id = any($2)",
        connection.0,
        ids,
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!(
        "delete from documents where connection_id = $1 and feed = 'invoices' and source_id = any($2)",
        connection.0,
        ids,
    )
    .execute(&mut *db)
    .await?;
    let records: Vec<(String, String)> =
        orders.into_iter().map(|r| (Feed::PurchaseOrders.as_str().to_owned(), r.source_id)).collect();
    open_movements(db, connection, &records).await
}

/// Makes the next poll of a feed read it in full, from before its first id.
pub async fn ask_for_scan(db: &mut PgConnection, connection: ConnectionId, feed: Feed) -> Result<()> {
    sqlx::query!(
        "update feeds set scan_after = '0', scan_started_at = now() where connection_id = $1 and feed = $2",
        connection.0,
        feed.as_str(),
    )
    .execute(db)
    .await?;
    Ok(())
}
