//! The processes that serve: each tells every few seconds that it lives. No tenant data.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::PgPool;

use crate::error::Result;
use crate::ids::NodeId;
use crate::store::at;

/// A node that was not seen for so long is gone.
pub const GONE_AFTER: Duration = Duration::from_secs(60);
/// A node that is gone is forgotten after so long: its leases ended a minute after it did, so by then all it did is
/// done by others.
pub const FORGOTTEN_AFTER: Duration = Duration::from_secs(24 * 3600);

/// A node as the database knows it.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its id.
    pub node: NodeId,
    /// The machine.
    pub host: String,
    /// The process.
    pub pid: i64,
    /// When it was last seen.
    pub seen_at: Timestamp,
    /// Whether it is gone.
    pub gone: bool,
    /// Its clock minus the database's, in seconds.
    pub clock_offset: f64,
}

/// Tells that a node lives, and what its clock shows.
pub async fn beat(db: &PgPool, node: NodeId, host: &str, clock: Timestamp) -> Result<()> {
    sqlx::query!(
        "insert into nodes (node_id, host, pid, clock_offset)
         values ($1, $2, $3, extract(epoch from $4 - clock_timestamp())::float8)
         on conflict (node_id) do update set seen_at = now(), clock_offset = excluded.clock_offset",
        node.0,
        host,
        i64::from(std::process::id()),
        at(clock) as jiff_sqlx::Timestamp,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A node stops in order.
pub async fn leave(db: &PgPool, node: NodeId) -> Result<()> {
    sqlx::query!("delete from nodes where node_id = $1", node.0).execute(db).await?;
    Ok(())
}

/// All nodes, those that are forgotten taken away.
pub async fn all(db: &PgPool) -> Result<Vec<Node>> {
    sqlx::query!(
        "delete from nodes where seen_at < now() - make_interval(secs => $1)",
        FORGOTTEN_AFTER.as_secs_f64()
    )
    .execute(db)
    .await?;
    let rows = sqlx::query!(
        "select node_id, host, pid, seen_at, clock_offset,
                seen_at < now() - make_interval(secs => $1) as \"gone!\"
         from nodes order by node_id",
        GONE_AFTER.as_secs_f64()
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| Node {
            node: NodeId(r.node_id),
            host: r.host,
            pid: r.pid,
            seen_at: r.seen_at.to_jiff(),
            gone: r.gone,
            clock_offset: r.clock_offset,
        })
        .collect())
}
