//! Looking for records and journals by the words and keys that people know: the statements of
//! [`search`](crate::search). Every one reads by an index, but for the sample, which is some pages.

use jiff::Timestamp;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::error::Result;
use crate::ids::ConnectionId;
use crate::search::Found;
use crate::search::words::{self, Named};
use crate::store::{self, at, choices};

/// Stored pages whose words are taken up by one transaction, some thousand records.
const PAGES: i64 = 4;
/// Pages of the table, of 8 kB with about 30 records each, that tell how common a word is.
const SAMPLED_PAGES: f64 = 32.0;
/// Records that tell it at most, where more of them stand on a page.
const MOST_SAMPLED: i64 = 2_000;

/// Takes up the words of some stored pages, the oldest first, so that their records are found. Returns how many records
/// they were; `None` when there is nothing more.
pub async fn take_up(db: &PgPool, connection: ConnectionId) -> Result<Option<usize>> {
    let mut tx = store::begin(db).await?;
    // locked in their order: of two that take up at once, one waits, and each sees what the one before has written
    let pages = sqlx::query!(
        "with page as (
             select page_id from unsearched where connection_id = $1 order by page_id limit $2 for update)
         delete from unsearched u using page p
         where u.connection_id = $1 and u.page_id = p.page_id
         returning u.page_id, u.feed, u.source_ids, u.stored_at",
        connection.0,
        PAGES,
    )
    .fetch_all(&mut *tx)
    .await?;
    if pages.is_empty() {
        return Ok(None);
    }
    let mut newest = std::collections::BTreeMap::new();
    for page in &pages {
        for id in &page.source_ids {
            let changed = newest.entry((page.feed.as_str(), id.as_str())).or_insert(page.stored_at);
            *changed = std::cmp::max_by_key(*changed, page.stored_at, |at| at.to_jiff());
        }
    }
    let (feeds, ids): (Vec<&str>, Vec<&str>) = newest.keys().copied().unzip();
    let changed: Vec<jiff_sqlx::Timestamp> = newest.values().copied().collect();
    write(&mut tx, connection, &feeds, &ids, &changed).await?;
    tx.commit().await?;
    Ok(Some(ids.len()))
}

async fn write(
    db: &mut PgConnection,
    connection: ConnectionId,
    feeds: &[&str],
    ids: &[&str],
    changed: &[jiff_sqlx::Timestamp],
) -> Result<()> {
    let records = sqlx::query!(
        // look-ups by primary key, whatever the planner knows of a table that has just begun to grow
        "select d.feed, d.source_id, d.order_number, d.supplier, d.supplier_number, d.invoice_number,
                i.changed_at as \"changed_at!\"
         from unnest($2::text[], $3::text[], $4::timestamptz[]) as i(feed, source_id, changed_at)
         cross join lateral (
             select * from documents where connection_id = $1 and feed = i.feed and source_id = i.source_id limit 1) d",
        connection.0,
        feeds as _,
        ids as _,
        changed as _,
    )
    .fetch_all(&mut *db)
    .await?;
    let words: Vec<String> = records
        .iter()
        .map(|r| {
            let named = Named {
                source_id: &r.source_id,
                order_numbers: r.order_number.as_deref(),
                supplier: r.supplier.as_deref(),
                supplier_number: r.supplier_number.as_deref(),
                invoice_number: r.invoice_number.as_deref(),
            };
            words::of_record(connection, &named)
        })
        .collect();
    let feeds: Vec<&str> = records.iter().map(|r| r.feed.as_str()).collect();
    let ids: Vec<&str> = records.iter().map(|r| r.source_id.as_str()).collect();
    let changed: Vec<jiff_sqlx::Timestamp> = records.iter().map(|r| r.changed_at).collect();
    sqlx::query!(
        "insert into searched (connection_id, feed, source_id, changed_at, words)
         select $1, i.feed, i.source_id, i.changed_at, i.words::tsvector
         from unnest($2::text[], $3::text[], $4::timestamptz[], $5::text[]) as i(feed, source_id, changed_at, words)
         on conflict (connection_id, feed, source_id) do update
         set changed_at = greatest(searched.changed_at, excluded.changed_at), words = excluded.words",
        connection.0,
        &feeds as _,
        &ids as _,
        &changed as _,
        &words,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Of the `window` records that changed last those that are asked for, newest first.
pub async fn among_newest(
    db: &PgPool,
    connection: ConnectionId,
    asked: &str,
    window: i64,
) -> Result<Vec<String>> {
    let ids = sqlx::query_scalar!(
        "select source_id from (
             select source_id, words, changed_at from searched
             where connection_id = $1 order by changed_at desc limit $3) newest
         where words @@ $2::text::tsquery order by changed_at desc",
        connection.0,
        asked,
        window,
    )
    .fetch_all(db)
    .await?;
    Ok(ids)
}

/// Whether there are more records than so many.
pub async fn are_more_than(db: &PgPool, connection: ConnectionId, many: i64) -> Result<bool> {
    let more = sqlx::query_scalar!(
        "select exists (select from searched where connection_id = $1 offset $2) as \"more!\"",
        connection.0,
        many,
    )
    .fetch_one(db)
    .await?;
    Ok(more)
}

/// Which of these words the records of a sample have, and how many records have just these. The sample are some pages from
/// all over the table: however many records there are, it takes as long.
pub async fn sample(
    db: &PgPool,
    connection: ConnectionId,
    asked: &[String],
) -> Result<Vec<(Vec<bool>, i64)>> {
    let rows = sqlx::query!(
        "select has as \"has!\", count(*) as \"records!\" from (
             select array(select s.words @@ word from unnest($2::text[]::tsquery[]) word) as has
             from searched s tablesample system ((
                 select least(100, 100 * $3::float8 / greatest(pg_relation_size('searched') / current_setting('block_size')::int, 1))))
             where s.connection_id = $1 limit $4) sampled
         group by has",
        connection.0,
        asked,
        SAMPLED_PAGES,
        MOST_SAMPLED,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.has, row.records)).collect())
}

/// The records that are asked for, newest first, at most so many. The index over words is asked `by_index` only, which all
/// of them must fit: what very many records have is cheaper seen in each record than read from the index.
pub async fn records(
    db: &PgPool,
    connection: ConnectionId,
    by_index: &str,
    asked: &str,
    most: i64,
) -> Result<Vec<String>> {
    let ids = sqlx::query_scalar!(
        // a subquery that stays one: the index is not asked for the other words too, nor the records read by their age
        "select source_id from (
             select source_id, changed_at, words from searched
             where connection_id = $1 and words @@ $2::text::tsquery offset 0) by_index
         where words @@ $3::text::tsquery order by changed_at desc limit $4",
        connection.0,
        by_index,
        asked,
        most,
    )
    .fetch_all(db)
    .await?;
    Ok(ids)
}

/// Of these records those that are asked for, newest first.
pub async fn among(
    db: &PgPool,
    connection: ConnectionId,
    asked: &str,
    records: &[String],
) -> Result<Vec<String>> {
    let ids = sqlx::query_scalar!(
        "select source_id from searched
         where connection_id = $1 and feed in ('purchase_orders', 'invoices') and source_id = any($3)
           and words @@ $2::text::tsquery
         order by changed_at desc",
        connection.0,
        asked,
        records,
    )
    .fetch_all(db)
    .await?;
    Ok(ids)
}

/// The newest movements of these records.
pub async fn of_records(
    db: &PgPool,
    connection: ConnectionId,
    records: &[String],
    since: Option<Timestamp>,
    limit: i64,
) -> Result<Vec<Uuid>> {
    let ids = sqlx::query_scalar!(
        "select movement_id from movements
         where connection_id = $1 and source_id = any($2) and ($3::timestamptz is null or movement_id >= first_id($3))
         order by movement_id desc limit $4",
        connection.0,
        records,
        since.map(at) as Option<jiff_sqlx::Timestamp>,
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(ids)
}

/// Movements that are not delivered, whose reasons have these words, in no order; of the records `among` where it is given.
/// At most `limit`.
pub async fn by_reason(
    db: &PgPool,
    connection: ConnectionId,
    text: &str,
    among: Option<&[String]>,
    since: Option<Timestamp>,
    limit: i64,
) -> Result<Vec<Uuid>> {
    let ids = sqlx::query_scalar!(
        "select movement_id from movements
         where connection_id = $1 and ($3::timestamptz is null or movement_id >= first_id($3)) and reason is not null
           and state in ('held', 'failed', 'retrying', 'in_doubt')
           and lower(left(reason, 4000)) like all (search_parts($2))
           and array_to_tsvector(search_words(connection_id, reason)) @@ search_query($1, $2)
           and ($5::text[] is null or source_id = any($5))
         limit $4",
        connection.0,
        text,
        since.map(at) as Option<jiff_sqlx::Timestamp>,
        limit,
        among,
    )
    .fetch_all(db)
    .await?;
    Ok(ids)
}

/// The same among the `window` newest that are not delivered.
pub async fn by_reason_among_newest(
    db: &PgPool,
    connection: ConnectionId,
    text: &str,
    window: i64,
    limit: i64,
) -> Result<Vec<Uuid>> {
    let ids = sqlx::query_scalar!(
        "select movement_id from (
             select connection_id, movement_id, reason from movements
             where connection_id = $1 and reason is not null and state in ('held', 'failed', 'retrying', 'in_doubt')
             order by movement_id desc limit $3) newest
         where lower(left(reason, 4000)) like all (search_parts($2))
           and array_to_tsvector(search_words(connection_id, reason)) @@ search_query($1, $2)
         limit $4",
        connection.0,
        text,
        window,
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(ids)
}

/// Which of a connection's journals are meant; `None` of each lets all pass.
#[derive(Debug, Clone, Default)]
pub struct Journals {
    /// Those that are known in Oracle by one of these: batch, group or request.
    pub known_as: Vec<String>,
    /// Those of these tasks.
    pub tasks: Vec<String>,
    /// Those of these orders.
    pub orders: Vec<String>,
    /// Those whose reasons have these words.
    pub reason: Option<String>,
}

/// The newest journals of any of these kinds.
pub async fn journals(
    db: &PgPool,
    connection: ConnectionId,
    any_of: &Journals,
    since: Option<Timestamp>,
    limit: i64,
) -> Result<Vec<Found>> {
    let groups: Vec<i64> = any_of.known_as.iter().filter_map(|known| known.parse().ok()).collect();
    let rows = sqlx::query!(
        // which ones is decided before anything is joined to them
        "with fit as materialized (
             select journal_id, created_at from (
                 select journal_id, created_at from journals where connection_id = $1 and batch_id = any($2)
                 union select journal_id, created_at from journals where connection_id = $1 and request_id = any($2)
                 union select journal_id, created_at from journals where connection_id = $1 and group_id = any($3)
                 union select journal_id, created_at from journals where connection_id = $1 and task_gid = any($4)
                 union select o.journal_id, o.created_at from completions k join journals o
                       on o.connection_id = $1 and o.task_gid = k.task_gid and o.ordinal = k.ordinal
                       where k.connection_id = $1 and k.order_id = any($5)
                 union select journal_id, created_at from journals
                       where connection_id = $1 and reason is not null
                         and array_to_tsvector(search_words(connection_id, reason)) @@ search_query($1, $6)) any_of
             where $7::timestamptz is null or created_at >= $7
             order by created_at desc, journal_id desc limit $8)
         select j.journal_id, j.created_at, j.task_gid, j.group_id, j.batch_id, j.state, j.code, j.reason,
                c.order_number as \"order_number?\", d.supplier as \"supplier?\"
         from fit join journals j on j.connection_id = $1 and j.journal_id = fit.journal_id
         left join completions c
              on c.connection_id = $1 and c.task_gid = j.task_gid and c.ordinal = j.ordinal
         left join documents d
              on d.connection_id = $1 and d.feed = 'purchase_orders' and d.source_id = c.order_id collate \"default\"
         order by j.created_at desc, j.journal_id desc",
        connection.0,
        &any_of.known_as,
        &groups,
        &any_of.tasks,
        &any_of.orders,
        any_of.reason,
        since.map(at) as Option<jiff_sqlx::Timestamp>,
        limit,
    )
    .fetch_all(db)
    .await?;
    let found = rows.into_iter().map(|r| Found {
        what: "journal".to_owned(),
        id: Some(r.journal_id),
        at: r.created_at.to_jiff(),
        number: r.order_number,
        supplier: r.supplier,
        task: Some(r.task_gid),
        journal: Some(r.batch_id.unwrap_or_else(|| r.group_id.to_string())),
        state: r.state,
        code: r.code,
        reason: r.reason,
    });
    Ok(found.collect())
}

fn what(feed: &str) -> &'static str {
    match feed {
        "invoices" => "invoice",
        choices::FEED => "mark",
        _ => "order",
    }
}

/// These movements as they are shown, newest first.
pub async fn shown(db: &PgPool, connection: ConnectionId, ids: &[Uuid]) -> Result<Vec<Found>> {
    let rows = sqlx::query!(
        "select m.movement_id, m.feed, m.created_at, m.destination_id, m.state, m.code, m.reason,
                coalesce(d.invoice_number, d.order_number) as number, d.supplier as \"supplier?\"
         from movements m
         left join documents d on d.connection_id = $1 and d.feed = m.feed and d.source_id = m.source_id
         where m.connection_id = $1 and m.movement_id = any($2) order by m.movement_id desc",
        connection.0,
        ids,
    )
    .fetch_all(db)
    .await?;
    let found = rows.into_iter().map(|r| Found {
        what: what(&r.feed).to_owned(),
        id: Some(r.movement_id),
        at: r.created_at.to_jiff(),
        number: r.number,
        supplier: r.supplier,
        task: r.destination_id,
        journal: None,
        state: r.state,
        code: r.code,
        reason: r.reason,
    });
    Ok(found.collect())
}
