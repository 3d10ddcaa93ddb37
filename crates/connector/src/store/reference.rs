//! Suppliers, accounts, and the options that stand for them.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::civil::Date;
use sqlx::{PgConnection, PgPool};

use crate::code::Code;
use crate::erase::MARK;
use crate::error::{Error, Result};
use crate::ids::{ConnectionId, FieldGid};
use crate::purpose::Purpose;
use crate::reference::Kind;
use crate::reference::check::Entry;

/// A supplier or an account, ready to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Oracle's id.
    pub id: String,
    /// The supplier's name, or the account's concatenated segments.
    pub name: String,
    /// The supplier's number; of an account its type.
    pub number: Option<String>,
    /// Whether a status or flag says that it must not be used.
    pub disabled: bool,
    /// Whether lines may be posted to it; always for a supplier.
    pub posting: bool,
    /// The first day on which it may be used.
    pub from: Option<Date>,
    /// The first day on which it may not be used any more.
    pub until: Option<Date>,
    /// The digest over all that.
    pub digest: Vec<u8>,
}

/// How a field's options are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// What the field shows.
    pub purpose: Purpose,
    /// Which options are kept: `all`, `in_use` or `none`.
    pub kept: &'static str,
    /// Options that exist or would be needed.
    pub needed: usize,
    /// What a person must know.
    pub code: Option<Code>,
    /// In words.
    pub reason: Option<String>,
}

/// How a field's options are kept, as a person reads it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct KeptStatus {
    /// The field's gid.
    pub field: String,
    /// What it shows.
    pub purpose: String,
    /// Which options are kept: `all`, `in_use` or `none`.
    pub kept: String,
    /// Options that exist or would be needed.
    pub needed: i64,
    /// What a person must know.
    pub code: Option<String>,
    /// In words.
    pub reason: Option<String>,
}

/// Every known id with its digest; none of what is marked as gone, so that it differs from whatever comes.
pub async fn digests(
    db: &PgPool,
    connection: ConnectionId,
    kind: Kind,
) -> Result<HashMap<String, Option<Vec<u8>>>> {
    Ok(match kind {
        Kind::Suppliers => sqlx::query!(
            "select supplier_id as id, case when gone_at is null then digest end as digest
             from suppliers where connection_id = $1",
            connection.0
        )
        .fetch_all(db)
        .await?
        .into_iter()
        .map(|r| (r.id, r.digest))
        .collect(),
        Kind::Accounts => sqlx::query!(
            "select account_id as id, case when gone_at is null then digest end as digest
             from accounts where connection_id = $1",
            connection.0
        )
        .fetch_all(db)
        .await?
        .into_iter()
        .map(|r| (r.id, r.digest))
        .collect(),
    })
}

/// Writes new and changed rows; the job's lease must be held.
pub async fn write_page(
    db: &mut PgConnection,
    connection: ConnectionId,
    kind: Kind,
    rows: &[Row],
) -> Result<()> {
    let day = |day: &Option<Date>| day.map(|day| day.to_string());
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    let names: Vec<String> = rows.iter().map(|row| row.name.clone()).collect();
    let numbers: Vec<Option<String>> = rows.iter().map(|row| row.number.clone()).collect();
    let disabled: Vec<bool> = rows.iter().map(|row| row.disabled).collect();
    let posting: Vec<bool> = rows.iter().map(|row| row.posting).collect();
    let from: Vec<Option<String>> = rows.iter().map(|row| day(&row.from)).collect();
    let until: Vec<Option<String>> = rows.iter().map(|row| day(&row.until)).collect();
    let digests: Vec<Vec<u8>> = rows.iter().map(|row| row.digest.clone()).collect();
    match kind {
        Kind::Suppliers => {
            sqlx::query!(
                "insert into suppliers (connection_id, supplier_id, name, number, status, inactive_date, digest)
                 select $1, id, name, number, case when disabled then 'INACTIVE' end, until::date, digest
                 from unnest($2::text[], $3::text[], $4::text[], $5::bool[], $6::text[], $7::bytea[])
                     as given(id, name, number, disabled, until, digest)
                 on conflict (connection_id, supplier_id) do update set name = excluded.name,
                     number = excluded.number, status = excluded.status, inactive_date = excluded.inactive_date,
                     digest = excluded.digest, gone_at = null, stored_at = now()",
                connection.0,
                &ids,
                &names,
                &numbers as &[Option<String>],
                &disabled,
                &until as &[Option<String>],
                &digests,
            )
            .execute(db)
            .await?;
        }
        Kind::Accounts => {
            sqlx::query!(
                "insert into accounts (connection_id, account_id, name, account_type, enabled, detail_posting,
                     start_date, end_date, digest)
                 select $1, id, name, number, not disabled, posting, first::date, until::date, digest
                 from unnest($2::text[], $3::text[], $4::text[], $5::bool[], $6::bool[], $7::text[], $8::text[],
                     $9::bytea[]) as given(id, name, number, disabled, posting, first, until, digest)
                 on conflict (connection_id, account_id) do update set name = excluded.name,
                     account_type = excluded.account_type, enabled = excluded.enabled,
                     detail_posting = excluded.detail_posting, start_date = excluded.start_date,
                     end_date = excluded.end_date, digest = excluded.digest, gone_at = null, stored_at = now()",
                connection.0,
                &ids,
                &names,
                &numbers as &[Option<String>],
                &disabled,
                &posting,
                &from as &[Option<String>],
                &until as &[Option<String>],
                &digests,
            )
            .execute(db)
            .await?;
        }
    }
    Ok(())
}

/// Marks rows that a complete reading did not show.
pub async fn mark_gone(
    db: &mut PgConnection,
    connection: ConnectionId,
    kind: Kind,
    ids: &[String],
) -> Result<()> {
    match kind {
        Kind::Suppliers => {
            sqlx::query!(
                "update suppliers set gone_at = now()
                 where connection_id = $1 and supplier_id = any($2) and gone_at is null",
                connection.0,
                ids
            )
            .execute(db)
            .await?
        }
        Kind::Accounts => {
            sqlx::query!(
                "update accounts set gone_at = now()
                 where connection_id = $1 and account_id = any($2) and gone_at is null",
                connection.0,
                ids
            )
            .execute(db)
            .await?
        }
    };
    Ok(())
}

/// Notes a complete reading.
pub async fn finish_reading(
    db: &mut PgConnection,
    connection: ConnectionId,
    kind: Kind,
    rows: usize,
) -> Result<()> {
    sqlx::query!(
        "insert into reference_readings (connection_id, kind, rows, finished_at) values ($1, $2, $3, now())
         on conflict (connection_id, kind) do update set rows = excluded.rows, finished_at = excluded.finished_at",
        connection.0,
        kind.as_str(),
        i64::try_from(rows).unwrap_or(i64::MAX),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A row, with its dates read.
pub(super) fn entry(
    (id, name, number, disabled): (String, String, Option<String>, bool),
    from: Option<String>,
    until: Option<String>,
    gone: bool,
) -> Result<Entry> {
    let day = |text: Option<String>| text.map(|text| text.parse::<Date>()).transpose();
    let unreadable = |error| Error::new(Code::Database, "a stored date cannot be read").because(error);
    let (from, until) = (day(from).map_err(unreadable)?, day(until).map_err(unreadable)?);
    Ok(Entry { id, name, number, disabled, from, until, gone })
}

/// All that is stored of a kind, by name.
pub async fn entries(db: &PgPool, connection: ConnectionId, kind: Kind) -> Result<Vec<Entry>> {
    find(db, connection, kind, None, i64::MAX).await
}

/// Those whose name, number or id contains a text, in any case, at most `limit`; by name.
pub async fn find(
    db: &PgPool,
    connection: ConnectionId,
    kind: Kind,
    text: Option<&str>,
    limit: i64,
) -> Result<Vec<Entry>> {
    match kind {
        Kind::Suppliers => sqlx::query!(
            "select supplier_id, name, number, status is not null as \"disabled!\",
                    inactive_date::text as until, gone_at is not null as \"gone!\"
             from suppliers where connection_id = $1
               and ($2::text is null or strpos(upper(name), upper($2)) > 0 or number = $2 or supplier_id = $2)
             order by name, supplier_id limit $3",
            connection.0,
            text,
            limit
        )
        .fetch_all(db)
        .await?
        .into_iter()
        .map(|r| entry((r.supplier_id, r.name, r.number, r.disabled), None, r.until, r.gone))
        .collect(),
        Kind::Accounts => sqlx::query!(
            "select account_id, name, account_type, not (enabled and detail_posting) as \"disabled!\",
                    start_date::text as first, end_date::text as until, gone_at is not null as \"gone!\"
             from accounts where connection_id = $1
               and ($2::text is null or strpos(upper(name), upper($2)) > 0 or account_id = $2)
             order by name, account_id limit $3",
            connection.0,
            text,
            limit
        )
        .fetch_all(db)
        .await?
        .into_iter()
        .map(|r| entry((r.account_id, r.name, r.account_type, r.disabled), r.first, r.until, r.gone))
        .collect(),
    }
}

/// How many [`find`] would return without a limit.
pub async fn count(db: &PgPool, connection: ConnectionId, kind: Kind, text: Option<&str>) -> Result<i64> {
    Ok(match kind {
        Kind::Suppliers => {
            sqlx::query_scalar!(
                "select count(*) as \"count!\" from suppliers where connection_id = $1
                   and ($2::text is null or strpos(upper(name), upper($2)) > 0 or number = $2 or supplier_id = $2)",
                connection.0,
                text,
            )
            .fetch_one(db)
            .await?
        }
        Kind::Accounts => {
            sqlx::query_scalar!(
                "select count(*) as \"count!\" from accounts where connection_id = $1
                   and ($2::text is null or strpos(upper(name), upper($2)) > 0 or account_id = $2)",
                connection.0,
                text,
            )
            .fetch_one(db)
            .await?
        }
    })
}

/// The ids that stored orders name.
pub async fn in_use(db: &PgPool, connection: ConnectionId, kind: Kind) -> Result<HashSet<String>> {
    Ok(match kind {
        Kind::Suppliers => sqlx::query_scalar!(
            "select distinct substring(body from '\"SupplierId\"\\s*:\\s*\"?([0-9]+)') as \"id!\" from documents
             where connection_id = $1 and feed = 'purchase_orders' and body ~ '\"SupplierId\"\\s*:\\s*\"?[0-9]'",
            connection.0
        )
        .fetch_all(db)
        .await?
        .into_iter()
        .collect(),
        Kind::Accounts => sqlx::query_scalar!(
            "select distinct found.id[1] as \"id!\" from documents,
                 regexp_matches(body, '\"POChargeAccountId\"\\s*:\\s*\"?([0-9]+)', 'g') as found(id)
             where connection_id = $1 and feed = 'purchase_orders'",
            connection.0
        )
        .fetch_all(db)
        .await?
        .into_iter()
        .collect(),
    })
}

/// Whether an order that was stored since the last complete reading names a supplier or an account that is not known,
/// or a supplier by another name than it is known by; letters' case and spaces around it make no other name. Never within `every` seconds after a reading, also one that failed.
pub async fn names_unknown(db: &PgPool, connection: ConnectionId, kind: Kind, every: f64) -> Result<bool> {
    match kind {
        Kind::Suppliers => names_unknown_supplier(db, connection, every).await,
        Kind::Accounts => names_unknown_account(db, connection, every).await,
    }
}

async fn names_unknown_supplier(db: &PgPool, connection: ConnectionId, every: f64) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        "with reading as (select finished_at from reference_readings where connection_id = $1 and kind = 'suppliers')
         select not exists (select from jobs where connection_id = $1 and job = 'suppliers'
                            and finished_at > now() - make_interval(secs => $2))
            and exists (
                select from documents d
                left join suppliers s on s.connection_id = $1
                    and s.supplier_id = substring(d.body from '\"SupplierId\"\\s*:\\s*\"?([0-9]+)')
                where d.connection_id = $1 and d.feed = 'purchase_orders'
                  and d.stored_at > coalesce((select finished_at from reading), '-infinity')
                  and substring(d.body from '\"SupplierId\"\\s*:\\s*\"?([0-9]+)') is not null
                  and (s.supplier_id is null
                       -- a row without a name is stored under its id, and one that is gone would not be read again
                       or s.name <> s.supplier_id and s.gone_at is null and d.supplier <> $3
                          and upper(btrim(d.supplier)) <> upper(btrim(s.name)))
                ) as \"unknown!\"",
        connection.0,
        every,
        MARK,
    )
    .fetch_one(db)
    .await?)
}

async fn names_unknown_account(db: &PgPool, connection: ConnectionId, every: f64) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        "with reading as (select finished_at from reference_readings where connection_id = $1 and kind = 'accounts')
         select not exists (select from jobs where connection_id = $1 and job = 'accounts'
                            and finished_at > now() - make_interval(secs => $2))
            and exists (
                select from documents d
                cross join regexp_matches(d.body, '\"POChargeAccountId\"\\s*:\\s*\"?([0-9]+)', 'g') as found(id)
                where d.connection_id = $1 and d.feed = 'purchase_orders'
                  and d.stored_at > coalesce((select finished_at from reading), '-infinity')
                  and not exists (select from accounts a where a.connection_id = $1 and a.account_id = found.id[1])
            ) as \"unknown!\"",
        connection.0,
        every,
    )
    .fetch_one(db)
    .await?)
}

/// Whether a field keeps only options in use, and an order that was stored since the last complete reading, in the last
/// hour, names a supplier or account that has none. Never within `every` seconds after a reading, also one that failed.
pub async fn comes_into_use(db: &PgPool, connection: ConnectionId, kind: Kind, every: f64) -> Result<bool> {
    let id = match kind {
        Kind::Suppliers => r#""SupplierId"\s*:\s*"?([0-9]+)"#,
        Kind::Accounts => r#""POChargeAccountId"\s*:\s*"?([0-9]+)"#,
    };
    Ok(sqlx::query_scalar!(
        "select exists (
            select from reference_fields f
            join reference_readings r on r.connection_id = $1 and r.kind = $2
            join documents d on d.connection_id = $1 and d.feed = 'purchase_orders' and d.stored_at > greatest(r.finished_at, now() - interval '1 hour')
            cross join regexp_matches(d.body, $3, 'g') as found(id)
            where f.connection_id = $1 and f.purpose = $4 and f.kept = 'in_use'
              and not exists (select from reference_options o where o.connection_id = $1
                              and o.field_gid = f.field_gid and o.source_id = found.id[1])
              and not exists (select from jobs where connection_id = $1 and job = $2
                              and finished_at > now() - make_interval(secs => $5))) as \"is!\"",
        connection.0,
        kind.as_str(),
        id,
        kind.purpose().as_str(),
        every,
    )
    .fetch_one(db)
    .await?)
}

/// Which option stands for which source, by field.
pub async fn bindings(
    db: impl sqlx::PgExecutor<'_>,
    connection: ConnectionId,
) -> Result<BTreeMap<String, BTreeMap<String, String>>> {
    let rows = sqlx::query!(
        "select field_gid, source_id, option_gid from reference_options where connection_id = $1",
        connection.0
    )
    .fetch_all(db)
    .await?;
    let mut bindings: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for row in rows {
        bindings.entry(row.field_gid).or_default().insert(row.source_id, row.option_gid);
    }
    Ok(bindings)
}

/// Stores which option stands for which source.
pub async fn bind(
    db: &mut PgConnection,
    connection: ConnectionId,
    field: &FieldGid,
    pairs: &[(String, String)],
) -> Result<()> {
    let (sources, options): (Vec<String>, Vec<String>) = pairs.iter().cloned().unzip();
    sqlx::query!(
        "insert into reference_options (connection_id, field_gid, source_id, option_gid)
         select $1, $2, source, option from unnest($3::text[], $4::text[]) as given(source, option)
         on conflict (connection_id, field_gid, source_id) do update
             set option_gid = excluded.option_gid, bound_at = now()",
        connection.0,
        field.0,
        &sources,
        &options,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Notes how a field's options are kept.
pub async fn set_kept(
    db: &mut PgConnection,
    connection: ConnectionId,
    field: &FieldGid,
    kept: &Kept,
) -> Result<()> {
    sqlx::query!(
        "insert into reference_fields (connection_id, field_gid, purpose, kept, needed, code, reason)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (connection_id, field_gid) do update set purpose = excluded.purpose, kept = excluded.kept,
             needed = excluded.needed, code = excluded.code, reason = excluded.reason, looked_at = now()",
        connection.0,
        field.0,
        kept.purpose.as_str(),
        kept.kept,
        i64::try_from(kept.needed).unwrap_or(i64::MAX),
        kept.code.map(|code| code.info().code),
        kept.reason,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// How each field's options are kept.
pub async fn kept(db: &PgPool, connection: ConnectionId) -> Result<Vec<KeptStatus>> {
    let rows = sqlx::query!(
        "select field_gid, purpose, kept, needed, code, reason from reference_fields
         where connection_id = $1 order by purpose, field_gid",
        connection.0
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| KeptStatus {
            field: r.field_gid,
            purpose: r.purpose,
            kept: r.kept,
            needed: r.needed,
            code: r.code,
            reason: r.reason,
        })
        .collect())
}
