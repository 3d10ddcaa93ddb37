//! What Asana last said of each task in the mapped projects, so that no task is read one by one.

use std::collections::BTreeMap;

use asana::FieldValue;
use jiff::Timestamp;
use sqlx::{PgConnection, PgPool};

use crate::code::Code;
use crate::error::{Error, Result};
use crate::ids::{ConnectionId, ProjectGid};
use crate::store::at;

/// A task as Asana last showed it.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct KnownTask {
    /// Its gid.
    pub gid: String,
    /// The projects it is in.
    pub projects: Vec<String>,
    /// What stands in its PO-number field.
    pub order_number: Option<String>,
    /// The order's key in its notes.
    pub order_key: Option<String>,
    /// The mapped fields' values; a field that is not there is empty.
    pub values: BTreeMap<String, FieldValue>,
    /// When it was last changed, by Asana's clock.
    pub modified_at: Option<Timestamp>,
}

/// Stores what Asana said of tasks.
pub async fn store(db: &mut PgConnection, connection: ConnectionId, tasks: &[KnownTask]) -> Result<()> {
    let mut gids = Vec::with_capacity(tasks.len());
    let mut projects = Vec::with_capacity(tasks.len());
    let mut numbers = Vec::with_capacity(tasks.len());
    let mut keys = Vec::with_capacity(tasks.len());
    let mut values = Vec::with_capacity(tasks.len());
    let mut modified = Vec::with_capacity(tasks.len());
    for task in tasks {
        gids.push(task.gid.as_str());
        projects.push(task.projects.join(","));
        numbers.push(task.order_number.as_deref());
        keys.push(task.order_key.as_deref());
        values.push(serde_json::to_string(&task.values).map_err(unreadable)?);
        modified.push(task.modified_at.map(at));
    }
    sqlx::query!(
        "insert into tasks (connection_id, task_gid, project_gids, order_number, order_key, field_values, modified_at)
         select $1, t.gid, string_to_array(t.projects, ','), t.number, t.key, t.field_values, t.modified_at
         from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[])
              as t(gid, projects, number, key, field_values, modified_at)
         on conflict (connection_id, task_gid) do update
         set project_gids = excluded.project_gids, order_number = excluded.order_number,
             order_key = coalesce(excluded.order_key, tasks.order_key), field_values = excluded.field_values,
             modified_at = excluded.modified_at, stored_at = now()",
        connection.0,
        &gids as _,
        &projects as _,
        &numbers as _,
        &keys as _,
        &values as _,
        &modified as _,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Tasks that were listed again although their links were gone: restored from the trash. Their links
/// live again.
pub async fn revive(db: &mut PgConnection, connection: ConnectionId, tasks: &[String]) -> Result<()> {
    sqlx::query!(
        "update links set gone_at = null where connection_id = $1 and task_gid = any($2) and gone_at is not null",
        connection.0,
        tasks,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Opens a movement for every order whose number stands on one of these tasks while no link says so,
/// and for every order that is linked to one of them but has a held movement.
pub async fn open_newly_numbered(
    db: &mut PgConnection,
    connection: ConnectionId,
    tasks: &[String],
) -> Result<u64> {
    let opened = sqlx::query!(
        "with wanted as (
         select distinct d.feed, d.source_id
         from tasks t
         join named_orders n on n.connection_id = $1 and n.order_number = t.order_number and n.feed = 'purchase_orders'
         join documents d on d.connection_id = $1 and d.feed = n.feed and d.source_id = n.source_id
              and d.order_number = t.order_number
         where t.connection_id = $1 and t.task_gid = any($2)
           and (not exists (select from links l where l.connection_id = $1 and l.task_gid = t.task_gid)
                or exists (select from links l join movements m on m.connection_id = $1 and m.state = 'held'
                               and m.feed = d.feed and m.source_id = l.order_id
                           where l.connection_id = $1 and l.task_gid = t.task_gid and l.order_id = d.source_id))),
         touched as (
             update movements m set next_attempt_at = least(m.next_attempt_at, now()) from wanted w
             where m.connection_id = $1 and m.feed = w.feed and m.source_id = w.source_id and m.state = 'pending'
             returning m.source_id)
         insert into movements (connection_id, movement_id, feed, source_id, state)
         select $1::uuid, new_movement_id(), w.feed, w.source_id, 'pending' from wanted w
         where w.source_id not in (select t.source_id from touched t)",
        connection.0,
        tasks,
    )
    .execute(db)
    .await?;
    Ok(opened.rows_affected())
}

/// The tasks with these gids, and those that carry one of these order numbers or keys.
pub async fn find(
    db: &mut PgConnection,
    connection: ConnectionId,
    gids: &[String],
    numbers: &[String],
    keys: &[String],
) -> Result<Vec<KnownTask>> {
    let rows = sqlx::query!(
        "select task_gid, project_gids, order_number, order_key, field_values, modified_at from tasks
         where connection_id = $1 and (task_gid = any($2) or order_number = any($3) or order_key = any($4))
         order by task_gid",
        connection.0,
        gids,
        numbers,
        keys,
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|r| {
            Ok(KnownTask {
                gid: r.task_gid,
                projects: r.project_gids,
                order_number: r.order_number,
                order_key: r.order_key,
                values: serde_json::from_str(&r.field_values).map_err(unreadable)?,
                modified_at: r.modified_at.map(jiff_sqlx::Timestamp::to_jiff),
            })
        })
        .collect()
}

/// Every task that is known, with what stands in the mapped fields, after a gid, at most `limit`; by gid.
pub async fn page(
    db: &PgPool,
    connection: ConnectionId,
    after: &str,
    limit: i64,
) -> Result<Vec<(String, Option<String>, BTreeMap<String, FieldValue>)>> {
    let rows = sqlx::query!(
        "select task_gid, order_number, field_values from tasks
         where connection_id = $1 and task_gid > $2 order by task_gid limit $3",
        connection.0,
        after,
        limit,
    )
    .fetch_all(db)
    .await?;
    let read = |text: &str| serde_json::from_str(text).map_err(unreadable);
    rows.into_iter().map(|r| Ok((r.task_gid, r.order_number, read(&r.field_values)?))).collect()
}

fn unreadable(e: serde_json::Error) -> Error {
    Error::new(Code::Database, "stored task values cannot be read").because(e)
}

/// How far a project's listing was read.
pub async fn listed_until(
    db: &mut PgConnection,
    connection: ConnectionId,
    project: &ProjectGid,
) -> Result<Option<Timestamp>> {
    let row = sqlx::query!(
        "select modified_since from listings where connection_id = $1 and project_gid = $2",
        connection.0,
        project.as_str(),
    )
    .fetch_optional(db)
    .await?;
    Ok(row.and_then(|r| r.modified_since).map(jiff_sqlx::Timestamp::to_jiff))
}

/// Notes how far a project's listing was read, by Asana's clock.
pub async fn set_listed(
    db: &mut PgConnection,
    connection: ConnectionId,
    project: &ProjectGid,
    until: Option<Timestamp>,
) -> Result<()> {
    sqlx::query!(
        "insert into listings (connection_id, project_gid, modified_since) values ($1, $2, $3)
         on conflict (connection_id, project_gid) do update
         set modified_since = greatest(listings.modified_since, excluded.modified_since), listed_at = now()",
        connection.0,
        project.as_str(),
        until.map(at) as Option<jiff_sqlx::Timestamp>,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets how far the listings were read, so that the next one is complete.
pub async fn forget_listings(db: &mut PgConnection, connection: ConnectionId) -> Result<()> {
    sqlx::query!("delete from listings where connection_id = $1", connection.0).execute(db).await?;
    Ok(())
}
