//! Tasks that are about to be made, and those of which nobody knows whether they were.
//!
//! Asana has no idempotency key: a request whose answer was lost may have made a task, or may still make it. Whatever
//! then wants a task for the same order, be it a newer change or an invoice, must wait for a listing that was begun
//! after the request can no longer arrive.

use jiff::Timestamp;
use sqlx::PgConnection;

use crate::error::Result;
use crate::ids::ConnectionId;

/// An order, or one of its lines, whose task is made.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Creation {
    /// The order's id.
    pub order_id: String,
    /// The line's id; empty for the whole order.
    pub line_id: String,
}

/// An order, or a line, of which it is not known whether a task was made.
#[derive(Debug, Clone)]
pub struct Doubted {
    /// For what.
    pub creation: Creation,
    /// Since when, by the database's clock.
    pub since: Timestamp,
}

fn keys(creations: &[Creation]) -> (Vec<&str>, Vec<&str>) {
    creations.iter().map(|c| (c.order_id.as_str(), c.line_id.as_str())).unzip()
}

/// Notes that tasks are about to be made, before their requests leave.
pub async fn begin(db: &mut PgConnection, connection: ConnectionId, creations: &[Creation]) -> Result<()> {
    if creations.is_empty() {
        return Ok(());
    }
    let (orders, lines) = keys(creations);
    sqlx::query!(
        "insert into creations (connection_id, order_id, line_id)
         select distinct $1::uuid, c.order_id, c.line_id from unnest($2::text[], $3::text[]) as c(order_id, line_id)
         on conflict (connection_id, order_id, line_id) do update set doubted_at = null",
        connection.0,
        &orders as _,
        &lines as _,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets them: each was made, or was certainly not.
pub async fn end(db: &mut PgConnection, connection: ConnectionId, creations: &[Creation]) -> Result<()> {
    if creations.is_empty() {
        return Ok(());
    }
    let (orders, lines) = keys(creations);
    sqlx::query!(
        "delete from creations c using unnest($2::text[], $3::text[]) as e(order_id, line_id)
         where c.connection_id = $1 and c.order_id = e.order_id and c.line_id = e.line_id",
        connection.0,
        &orders as _,
        &lines as _,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Notes that no answer came to these.
pub async fn doubt(db: &mut PgConnection, connection: ConnectionId, creations: &[Creation]) -> Result<()> {
    if creations.is_empty() {
        return Ok(());
    }
    let (orders, lines) = keys(creations);
    sqlx::query!(
        "update creations c set doubted_at = now() from unnest($2::text[], $3::text[]) as d(order_id, line_id)
         where c.connection_id = $1 and c.order_id = d.order_id and c.line_id = d.line_id",
        connection.0,
        &orders as _,
        &lines as _,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Notes that whoever waited for an answer is gone: to be called under a new lease, before anything is sent.
pub async fn doubt_unfinished(db: &mut PgConnection, connection: ConnectionId) -> Result<()> {
    sqlx::query!(
        "update creations set doubted_at = now() where connection_id = $1 and doubted_at is null",
        connection.0,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// What is in doubt of these orders.
pub async fn doubted(
    db: &mut PgConnection,
    connection: ConnectionId,
    orders: &[String],
) -> Result<Vec<Doubted>> {
    let rows = sqlx::query!(
        "select order_id, line_id, doubted_at as \"doubted_at!\" from creations
         where connection_id = $1 and order_id = any($2) and doubted_at is not null",
        connection.0,
        orders,
    )
    .fetch_all(db)
    .await?;
    let doubted = rows.into_iter().map(|r| Doubted {
        creation: Creation { order_id: r.order_id, line_id: r.line_id },
        since: r.doubted_at.to_jiff(),
    });
    Ok(doubted.collect())
}
