//! Looking for records and journals by the words and keys that people know: the statements of
//! [`search`](crate::search). Every one reads by an index.

use jiff::Timestamp;
use sqlx::PgPool;
use uuid::Uuid;

use crate::error::Result;
use crate::ids::ConnectionId;
use crate::search::{Found, Words};
use crate::store::at;

/// Movements whose records are made findable by one statement.
const BATCH: i64 = 2_000;
/// The reach stays so many minutes behind, for what was opened earlier than it was committed.
const BEHIND_MINUTES: i32 = 10;
/// Of the newest movements so many are looked through for words that fit very many records.
const LOOKED_THROUGH: i64 = 20_000;

/// Up to which movement the records of the log are findable.
pub async fn reach(db: &PgPool, connection: ConnectionId) -> Result<Uuid> {
    let reach =
        sqlx::query_scalar!("select movement_id from search_reach where connection_id = $1", connection.0)
            .fetch_optional(db)
            .await?;
    Ok(reach.unwrap_or_default())
}

/// Makes the records of the next movements after this one findable. Returns the last movement and how many they were;
/// `None` when there is no further one. What changes in a document later, its trigger takes over.
pub async fn catch_up(db: &PgPool, connection: ConnectionId, after: Uuid) -> Result<Option<(Uuid, u64)>> {
    let batch = sqlx::query!(
        // look-ups by primary key, whatever the planner knows of a table that has just begun to grow
        "with page as (
             select movement_id, feed, source_id from movements
             where connection_id = $1 and movement_id > $2 order by movement_id limit $3),
         missing as (
             select distinct p.feed, p.source_id from page p
             left join lateral (
                 select true as known from searched
                 where connection_id = $1 and feed = p.feed and source_id = p.source_id limit 1) s on true
             where s.known is null),
         added as (
             insert into searched
             select s.* from missing m
             cross join lateral (
                 select * from documents where connection_id = $1 and feed = m.feed and source_id = m.source_id
                 limit 1) d
             cross join lateral searched_of(d.connection_id, d.feed, d.source_id, d.order_number, d.body) s
             on conflict do nothing)
         select (array_agg(movement_id order by movement_id desc))[1] as last, count(*) as \"count!\",
                least((array_agg(movement_id order by movement_id desc))[1],
                      first_id(now() - make_interval(mins => $4))) as reach
         from page",
        connection.0,
        after,
        BATCH,
        BEHIND_MINUTES,
    )
    .fetch_one(db)
    .await?;
    let Some(last) = batch.last else { return Ok(None) };
    sqlx::query!(
        "insert into search_reach (connection_id, movement_id)
         select connection_id, $2 from connections where connection_id = $1
         on conflict (connection_id) do update
         set movement_id = greatest(search_reach.movement_id, excluded.movement_id)",
        connection.0,
        batch.reach,
    )
    .execute(db)
    .await?;
    Ok(Some((last, batch.count.unsigned_abs())))
}

/// The ids of the records that these words fit, of `among` where it is given, at most `limit`, in no order.
pub async fn records(
    db: &PgPool,
    connection: ConnectionId,
    words: &Words,
    among: Option<&[String]>,
    limit: i64,
) -> Result<Vec<String>> {
    let ids = sqlx::query_scalar!(
        "select source_id from searched
         where connection_id = $1 and words @@ search_query($1, $2)
           and ($3::text is null or array_to_tsvector(search_words($1, supplier)) @@ search_query($1, $3))
           and ($4::text is null or array_to_tsvector(search_words($1, invoice_number)) @@ search_query($1, $4))
           and ($5::text[] is null or source_id = any($5))
         limit $6",
        connection.0,
        words.all(),
        words.supplier,
        words.invoice,
        among,
        limit,
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

/// The newest movements of records that these words fit, where the records are very many: among the newest of the log,
/// and if those do not suffice, all.
pub async fn of_many(
    db: &PgPool,
    connection: ConnectionId,
    words: &Words,
    since: Option<Timestamp>,
    limit: i64,
) -> Result<Vec<Uuid>> {
    let newest = sqlx::query_scalar!(
        "select m.movement_id from (
             select movement_id, feed, source_id from movements where connection_id = $1 and ($2::timestamptz is null or movement_id >= first_id($2))
             order by movement_id desc limit $3) m
         join searched s on s.connection_id = $1 and s.feed = m.feed and s.source_id = m.source_id
         where s.words @@ search_query($1, $4)
           and ($5::text is null or array_to_tsvector(search_words($1, s.supplier)) @@ search_query($1, $5))
           and ($6::text is null or array_to_tsvector(search_words($1, s.invoice_number)) @@ search_query($1, $6))
         order by m.movement_id desc limit $7",
        connection.0,
        since.map(at) as Option<jiff_sqlx::Timestamp>,
        LOOKED_THROUGH,
        words.all(),
        words.supplier,
        words.invoice,
        limit,
    )
    .fetch_all(db)
    .await?;
    if i64::try_from(newest.len()).unwrap_or(i64::MAX) >= limit {
        return Ok(newest);
    }
    let all = records(db, connection, words, None, i64::MAX).await?;
    of_records(db, connection, &all, since, limit).await
}

/// The newest movements that are not delivered, whose reasons have these words; of the records `among` where it is given.
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
           and array_to_tsvector(search_words(connection_id, reason)) @@ search_query($1, $2)
           and ($5::text[] is null or source_id = any($5))
         order by movement_id desc limit $4",
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
        "select j.journal_id, j.created_at, j.task_gid, j.group_id, j.batch_id, j.state, j.code, j.reason,
                c.order_number as \"order_number?\", s.supplier as \"supplier?\"
         from journals j
         left join completions c
              on c.connection_id = $1 and c.task_gid = j.task_gid and c.ordinal = j.ordinal
         left join searched s
              on s.connection_id = $1 and s.feed = 'purchase_orders' and s.source_id = c.order_id collate \"default\"
         where j.connection_id = $1 and ($7::timestamptz is null or j.created_at >= $7) and j.journal_id in (
             select journal_id from journals where connection_id = $1 and batch_id = any($2)
             union all select journal_id from journals where connection_id = $1 and request_id = any($2)
             union all select journal_id from journals where connection_id = $1 and group_id = any($3)
             union all select journal_id from journals where connection_id = $1 and task_gid = any($4)
             union all select o.journal_id from completions k join journals o
                       on o.connection_id = $1 and o.task_gid = k.task_gid and o.ordinal = k.ordinal
                       where k.connection_id = $1 and k.order_id = any($5)
             union all select journal_id from journals
                       where connection_id = $1 and reason is not null
                         and array_to_tsvector(search_words(connection_id, reason)) @@ search_query($1, $6))
         order by j.created_at desc, j.journal_id desc limit $8",
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
        id: r.journal_id,
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

/// These movements as they are shown, newest first.
pub async fn shown(db: &PgPool, connection: ConnectionId, ids: &[Uuid]) -> Result<Vec<Found>> {
    let rows = sqlx::query!(
        "select m.movement_id, m.feed, m.created_at, m.destination_id, m.state, m.code, m.reason,
                coalesce(s.invoice_number, d.order_number) as number, s.supplier as \"supplier?\"
         from movements m
         left join documents d on d.connection_id = $1 and d.feed = m.feed and d.source_id = m.source_id
         left join searched s on s.connection_id = $1 and s.feed = m.feed and s.source_id = m.source_id
         where m.connection_id = $1 and m.movement_id = any($2) order by m.movement_id desc",
        connection.0,
        ids,
    )
    .fetch_all(db)
    .await?;
    let found = rows.into_iter().map(|r| Found {
        what: if r.feed == "invoices" { "invoice" } else { "order" }.to_owned(),
        id: r.movement_id,
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
