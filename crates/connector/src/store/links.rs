//! Links: which task stands for which order, or order line.

use sqlx::PgConnection;

use crate::error::Result;
use crate::ids::ConnectionId;
use crate::store::choices;
use crate::store::creations::{self, Creation};

/// A link as the planning needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The order's id.
    pub order_id: String,
    /// The line's id; empty for the whole order.
    pub line_id: String,
    /// The task.
    pub task_gid: String,
    /// Whether the task was deleted in Asana.
    pub gone: bool,
}

/// A link to be stored.
#[derive(Debug, Clone)]
pub struct NewLink {
    /// The order's id.
    pub order_id: String,
    /// The line's id; empty for the whole order.
    pub line_id: String,
    /// The task.
    pub task_gid: String,
    /// `created` by this program or `found` by its order number.
    pub origin: &'static str,
}

/// The links of these orders, and every link of these tasks.
pub async fn of_orders_and_tasks(
    db: &mut PgConnection,
    connection: ConnectionId,
    orders: &[String],
    tasks: &[String],
) -> Result<Vec<Link>> {
    let rows = sqlx::query!(
        "select order_id, line_id, task_gid, gone_at is not null as \"gone!\" from links
         where connection_id = $1 and (order_id = any($2) or task_gid = any($3))
         order by created_at, task_gid",
        connection.0,
        orders,
        tasks,
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| Link { order_id: r.order_id, line_id: r.line_id, task_gid: r.task_gid, gone: r.gone })
        .collect())
}

/// Stores links; that a task was made for what they link is then no longer in doubt.
pub async fn add(db: &mut PgConnection, connection: ConnectionId, links: &[NewLink]) -> Result<()> {
    let orders: Vec<&str> = links.iter().map(|l| l.order_id.as_str()).collect();
    let lines: Vec<&str> = links.iter().map(|l| l.line_id.as_str()).collect();
    let tasks: Vec<&str> = links.iter().map(|l| l.task_gid.as_str()).collect();
    let origins: Vec<&str> = links.iter().map(|l| l.origin).collect();
    sqlx::query!(
        "insert into links (connection_id, order_id, line_id, task_gid, origin)
         select distinct $1::uuid, l.order_id, l.line_id, l.task_gid, l.origin
         from unnest($2::text[], $3::text[], $4::text[], $5::text[]) as l(order_id, line_id, task_gid, origin)
         on conflict (connection_id, order_id, line_id, task_gid) do update set gone_at = null",
        connection.0,
        &orders as _,
        &lines as _,
        &tasks as _,
        &origins as _,
    )
    .execute(&mut *db)
    .await?;
    let made = links.iter().map(|l| Creation { order_id: l.order_id.clone(), line_id: l.line_id.clone() });
    creations::end(db, connection, &made.collect::<Vec<_>>()).await
}

/// Notes that tasks no longer exist.
pub async fn mark_gone(db: &mut PgConnection, connection: ConnectionId, tasks: &[String]) -> Result<()> {
    sqlx::query!(
        "update links set gone_at = now() where connection_id = $1 and task_gid = any($2) and gone_at is null",
        connection.0,
        tasks,
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!("delete from tasks where connection_id = $1 and task_gid = any($2)", connection.0, tasks)
        .execute(&mut *db)
        .await?;
    choices::replace(db, connection, tasks, &[]).await?;
    Ok(())
}

/// Tasks that are gone while their order, which has no other task, has a movement that is due.
pub async fn gone_and_wanted(
    db: &mut PgConnection,
    connection: ConnectionId,
    limit: i64,
) -> Result<Vec<String>> {
    let rows = sqlx::query_scalar!(
        "select distinct l.task_gid from links l
         where l.connection_id = $1 and l.gone_at is not null
           and exists (select from movements m where m.connection_id = $1 and m.source_id = l.order_id
                       and m.state in ('pending', 'retrying') and m.next_attempt_at <= now())
           and not exists (select from links o where o.connection_id = $1 and o.order_id = l.order_id
                           and o.line_id = l.line_id and o.gone_at is null)
         limit $2",
        connection.0,
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(rows)
}

/// When this program made each of these tasks, of those that it has made.
pub async fn made(
    db: &mut PgConnection,
    connection: ConnectionId,
    tasks: &[String],
) -> Result<Vec<(String, jiff::Timestamp)>> {
    let rows = sqlx::query!(
        "select task_gid, created_at from links
         where connection_id = $1 and task_gid = any($2) and origin = 'created'",
        connection.0,
        tasks,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|r| (r.task_gid, r.created_at.to_jiff())).collect())
}
