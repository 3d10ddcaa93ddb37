//! Suppliers and accounts that people chose on tasks and that may not be used there.

use std::collections::BTreeMap;

use asana::FieldValue;
use jiff::Timestamp;
use sqlx::{PgConnection, PgPool};

use crate::code::Code;
use crate::error::{Error, Result};
use crate::ids::{ConnectionId, ProjectGid};
use crate::reference::Kind;
use crate::reference::check::{Choice, Entry, Validity};
use crate::store::at;
use crate::store::reference::entry;

/// The feed's name of movements that bring a mark onto a task; their source is the task.
pub const FEED: &str = "tasks";

/// What may not be used on these tasks, as it was last judged; in its order.
pub async fn of_tasks(
    db: impl sqlx::PgExecutor<'_>,
    connection: ConnectionId,
    tasks: &[String],
) -> Result<Vec<Choice>> {
    let rows = sqlx::query!(
        "select task_gid, kind, value, validity from invalid_choices
         where connection_id = $1 and task_gid = any($2) order by task_gid, kind desc, place",
        connection.0,
        tasks,
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(|r| choice(r.task_gid, &r.kind, r.value, &r.validity)).collect()
}

fn choice(task: String, kind: &str, value: String, validity: &str) -> Result<Choice> {
    match (Kind::named(kind), Validity::named(validity)) {
        (Some(kind), Some(validity)) => Ok(Choice { task, kind, value, validity }),
        _ => Err(Error::new(Code::Database, "a stored choice cannot be read")),
    }
}

/// Stores what may not be used on these tasks, in place of what was known of them.
pub async fn replace(
    db: &mut PgConnection,
    connection: ConnectionId,
    tasks: &[String],
    choices: &[Choice],
) -> Result<()> {
    sqlx::query!(
        "delete from invalid_choices where connection_id = $1 and task_gid = any($2)",
        connection.0,
        tasks
    )
    .execute(&mut *db)
    .await?;
    let (mut gids, mut kinds, mut values, mut validities) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for choice in choices {
        gids.push(choice.task.as_str());
        kinds.push(choice.kind.as_str());
        values.push(choice.value.as_str());
        validities.push(choice.validity.as_str());
    }
    sqlx::query!(
        "insert into invalid_choices (connection_id, task_gid, kind, place, value, validity)
         select $1, c.task, c.kind, row_number() over (partition by c.task, c.kind order by c.place) - 1, c.value, c.validity
         from unnest($2::text[], $3::text[], $4::text[], $5::text[]) with ordinality
              as c(task, kind, value, validity, place)",
        connection.0,
        &gids as _,
        &kinds as _,
        &values as _,
        &validities as _,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Tasks on which something may not be used, at most `limit`.
pub async fn tasks(db: &PgPool, connection: ConnectionId, limit: i64) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar!(
        "select distinct task_gid from invalid_choices where connection_id = $1 order by task_gid limit $2",
        connection.0,
        limit,
    )
    .fetch_all(db)
    .await?)
}

/// What of these is looked for; `None` lets all pass.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked<'a> {
    /// Words of what stands there, or the task's gid as a whole.
    pub text: Option<&'a str>,
    /// The task.
    pub task: Option<&'a str>,
    /// The number in the task's PO-number field.
    pub order_number: Option<&'a str>,
    /// When it was found at the earliest.
    pub since: Option<Timestamp>,
}

/// What may not be used on a task, and since when that is known.
#[derive(Debug, Clone)]
pub struct Known {
    /// What.
    pub choice: Choice,
    /// When it was found.
    pub found_at: Timestamp,
    /// The number in the task's PO-number field.
    pub order_number: Option<String>,
}

/// Those that are asked for, the newest first.
pub async fn find(db: &PgPool, connection: ConnectionId, asked: Asked<'_>, limit: i64) -> Result<Vec<Known>> {
    let rows = sqlx::query!(
        "select c.task_gid, c.kind, c.value, c.validity, c.found_at, t.order_number as \"order_number?\"
         from invalid_choices c
         left join lateral (
             select order_number from tasks where connection_id = $1 and task_gid = c.task_gid limit 1) t on true
         where c.connection_id = $1
           and ($2::text is null or c.task_gid = $2
                or (lower(c.value) like all (search_parts($2))
                    and array_to_tsvector(search_words(c.connection_id, c.value)) @@ search_query($1, $2)))
           and ($3::text is null or c.task_gid = $3)
           and ($4::text is null or t.order_number = $4)
           and ($5::timestamptz is null or c.found_at >= $5)
         order by c.found_at desc, c.task_gid, c.kind desc, c.place limit $6",
        connection.0,
        asked.text,
        asked.task,
        asked.order_number,
        asked.since.map(at) as Option<jiff_sqlx::Timestamp>,
        limit,
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|r| {
            let choice = choice(r.task_gid, &r.kind, r.value, &r.validity)?;
            Ok(Known { choice, found_at: r.found_at.to_jiff(), order_number: r.order_number })
        })
        .collect()
}

/// What may not be used, of one kind.
#[derive(Debug, Clone)]
pub struct Counted {
    /// Which kind.
    pub kind: String,
    /// On how many tasks.
    pub tasks: i64,
    /// Up to ten of these tasks.
    pub examples: Vec<String>,
    /// What is wrong on each of them.
    pub validities: Vec<String>,
}

/// How much may not be used, by kind.
pub async fn counted(db: &PgPool, connection: ConnectionId) -> Result<Vec<Counted>> {
    Ok(sqlx::query_as!(
        Counted,
        "select kind, count(distinct task_gid) as \"tasks!\",
                (array_agg(task_gid order by task_gid, place))[1:10] as \"examples!\",
                (array_agg(validity order by task_gid, place))[1:10] as \"validities!\"
         from invalid_choices where connection_id = $1 group by kind order by kind desc",
        connection.0
    )
    .fetch_all(db)
    .await?)
}

/// Opens a movement for each of these tasks, which brings the mark in step with what is known of the task.
pub async fn open_marks(db: &mut PgConnection, connection: ConnectionId, tasks: &[String]) -> Result<()> {
    sqlx::query!(
        "with touched as (
             update movements set next_attempt_at = least(next_attempt_at, now())
             where connection_id = $1 and feed = $3 and source_id = any($2) and state = 'pending'
             returning source_id)
         insert into movements (connection_id, movement_id, feed, source_id, state, destination_id)
         select $1, new_movement_id(), $3, t.gid, 'pending', t.gid from unnest($2::text[]) as t(gid)
         where t.gid not in (select source_id from touched)",
        connection.0,
        tasks,
        FEED,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Whether all tasks have to be looked at: for the first time, with other settings, after a reading, or on another day
/// (UTC), since dates begin and end. Then the present by the database's clock.
pub async fn look_is_due(db: &PgPool, connection: ConnectionId, version: i32) -> Result<Option<Timestamp>> {
    let row = sqlx::query!(
        "select now() as \"now!\",
                coalesce((select l.settings_version = $2
                             and (l.looked_at at time zone 'UTC')::date = (now() at time zone 'UTC')::date
                             and not exists (select from reference_readings r
                                             where r.connection_id = $1 and r.finished_at > l.looked_at)
                          from reference_looks l where l.connection_id = $1), false) as \"fresh!\"",
        connection.0,
        version,
    )
    .fetch_one(db)
    .await?;
    Ok((!row.fresh).then(|| row.now.to_jiff()))
}

/// Notes that all tasks were looked at, beginning at that time.
pub async fn set_looked(
    db: &mut PgConnection,
    connection: ConnectionId,
    version: i32,
    began: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "insert into reference_looks (connection_id, settings_version, looked_at) values ($1, $2, $3)
         on conflict (connection_id) do update
             set settings_version = excluded.settings_version, looked_at = excluded.looked_at",
        connection.0,
        version,
        at(began) as jiff_sqlx::Timestamp,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A task as far as it is judged.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Its gid.
    pub task: String,
    /// The projects it is in.
    pub projects: Vec<String>,
    /// The mapped fields' values.
    pub values: BTreeMap<String, FieldValue>,
}

/// Tasks in these projects as Asana last showed them, after a gid, at most `limit`; by gid.
pub async fn page(
    db: &PgPool,
    connection: ConnectionId,
    projects: &[ProjectGid],
    after: &str,
    limit: i64,
) -> Result<Vec<Standing>> {
    let projects: Vec<&str> = projects.iter().map(ProjectGid::as_str).collect();
    let rows = sqlx::query!(
        "select task_gid, project_gids, field_values from tasks
         where connection_id = $1 and project_gids && $2 and task_gid > $3 order by task_gid limit $4",
        connection.0,
        &projects as _,
        after,
        limit,
    )
    .fetch_all(db)
    .await?;
    let unreadable = |e| Error::new(Code::Database, "stored task values cannot be read").because(e);
    rows.into_iter()
        .map(|r| {
            let values = serde_json::from_str(&r.field_values).map_err(unreadable)?;
            Ok(Standing { task: r.task_gid, projects: r.project_gids, values })
        })
        .collect()
}

/// How old what is known is.
#[derive(Debug, Clone, Default)]
pub struct AsOf {
    /// When the mapped project that was listed longest ago was; `None` when there is one that was not yet.
    pub listed: Option<Timestamp>,
    /// When each kind was last read to its end.
    pub read: Vec<(Kind, Timestamp)>,
}

/// How old what is known of the tasks of these projects, and of Oracle's reference data, is.
pub async fn as_of(db: &PgPool, connection: ConnectionId, projects: &[ProjectGid]) -> Result<AsOf> {
    let projects: Vec<&str> = projects.iter().map(ProjectGid::as_str).collect();
    let listed = sqlx::query!(
        "select count(*) as \"count!\", min(listed_at) as first from listings
         where connection_id = $1 and project_gid = any($2)",
        connection.0,
        &projects as _,
    )
    .fetch_one(db)
    .await?;
    let is_whole = usize::try_from(listed.count).is_ok_and(|count| count == projects.len());
    let readings = sqlx::query!(
        "select kind, finished_at from reference_readings where connection_id = $1 order by kind desc",
        connection.0
    )
    .fetch_all(db)
    .await?;
    let read = readings.into_iter().filter_map(|r| Some((Kind::named(&r.kind)?, r.finished_at.to_jiff())));
    Ok(AsOf {
        listed: listed.first.filter(|_| is_whole).map(jiff_sqlx::Timestamp::to_jiff),
        read: read.collect(),
    })
}

/// The kinds that were ever read to their end.
pub async fn kinds_read(db: &PgPool, connection: ConnectionId) -> Result<Vec<Kind>> {
    let kinds =
        sqlx::query_scalar!("select kind from reference_readings where connection_id = $1", connection.0)
            .fetch_all(db)
            .await?;
    Ok(kinds.iter().filter_map(|kind| Kind::named(kind)).collect())
}

/// What is stored under these names, in any case, each with the name as it was given.
pub async fn named(
    db: &PgPool,
    connection: ConnectionId,
    kind: Kind,
    names: &[String],
) -> Result<Vec<(String, Entry)>> {
    match kind {
        Kind::Suppliers => sqlx::query!(
            "select g.given as \"given!\", s.supplier_id, s.name, s.number, s.status is not null as \"disabled!\",
                    s.inactive_date::text as until, s.gone_at is not null as \"gone!\"
             from unnest($2::text[]) as g(given)
             join suppliers s on s.connection_id = $1 and upper(s.name) = upper(g.given)",
            connection.0,
            names
        )
        .fetch_all(db)
        .await?
        .into_iter()
        .map(|r| Ok((r.given, entry((r.supplier_id, r.name, r.number, r.disabled), None, r.until, r.gone)?)))
        .collect(),
        Kind::Accounts => sqlx::query!(
            "select g.given as \"given!\", a.account_id, a.name, a.account_type,
                    not (a.enabled and a.detail_posting) as \"disabled!\", a.start_date::text as first,
                    a.end_date::text as until, a.gone_at is not null as \"gone!\"
             from unnest($2::text[]) as g(given)
             join accounts a on a.connection_id = $1 and upper(a.name) = upper(g.given)",
            connection.0,
            names
        )
        .fetch_all(db)
        .await?
        .into_iter()
        .map(|r| {
            let of = (r.account_id, r.name, r.account_type, r.disabled);
            Ok((r.given, entry(of, r.first, r.until, r.gone)?))
        })
        .collect(),
    }
}

/// What is stored under these ids, with one statement for both kinds.
pub async fn by_id(
    db: impl sqlx::PgExecutor<'_>,
    connection: ConnectionId,
    suppliers: &[String],
    accounts: &[String],
) -> Result<Vec<(Kind, Entry)>> {
    let rows = sqlx::query!(
        "select 'suppliers' as \"kind!\", supplier_id as \"id!\", name as \"name!\", status is not null as \"disabled!\",
                null as first, inactive_date::text as until, gone_at is not null as \"gone!\"
         from suppliers where connection_id = $1 and supplier_id = any($2)
         union all
         select 'accounts', account_id, name, not (enabled and detail_posting), start_date::text, end_date::text,
                gone_at is not null
         from accounts where connection_id = $1 and account_id = any($3)",
        connection.0,
        suppliers,
        accounts,
    )
    .fetch_all(db)
    .await?;
    let read = rows.into_iter().filter_map(|r| {
        let kind = Kind::named(&r.kind)?;
        Some(entry((r.id, r.name, None, r.disabled), r.first, r.until, r.gone).map(|entry| (kind, entry)))
    });
    read.collect()
}
