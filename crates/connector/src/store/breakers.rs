//! The breakers: which side of a connection is not asked for a while.

use jiff::Timestamp;
use sqlx::{PgConnection, PgPool};

use crate::backoff;
use crate::code::Code;
use crate::error::Result;
use crate::ids::ConnectionId;
use crate::limits::Provider;
use crate::limits::breaker::{Breaker, Seen, Trouble};
use crate::store;

/// A side that fails, as people see it.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Failing {
    /// Which side.
    pub provider: String,
    /// Failures in a row, over all jobs.
    pub failures: i32,
    /// Whether nothing is asked until `retry_at`; then one job is, as a probe.
    pub open: bool,
    /// Since when.
    pub opened_at: Option<Timestamp>,
    /// When it is tried again.
    pub retry_at: Option<Timestamp>,
    /// Whether a job tries it now.
    pub probing: bool,
    /// The last failure's code.
    pub code: Option<String>,
    /// The last failure's words.
    pub reason: Option<String>,
    /// Whether it is a maintenance that was announced less than eight hours ago, and no trouble.
    pub maintenance: bool,
}

/// Notes that a side answered. Returns whether that closed its breaker.
pub async fn answered(db: &PgPool, connection: ConnectionId, provider: Provider) -> Result<bool> {
    let closed = sqlx::query_scalar!(
        "delete from breakers where connection_id = $1 and provider = $2 returning open",
        connection.0,
        provider.as_str(),
    )
    .fetch_optional(db)
    .await?;
    Ok(closed == Some(true))
}

/// Notes that a side failed. Returns where its breaker stands now, and whether this opened it.
pub async fn failed(
    db: &PgPool,
    connection: ConnectionId,
    provider: Provider,
    trouble: Trouble,
    failure: (Code, &str),
    asked: Option<std::time::Duration>,
) -> Result<(Breaker, bool)> {
    let mut tx = store::begin(db).await?;
    sqlx::query!(
        "insert into breakers (connection_id, provider) values ($1, $2) on conflict do nothing",
        connection.0,
        provider.as_str(),
    )
    .execute(&mut *tx)
    .await?;
    let row = sqlx::query!(
        "select failures, open, coalesce(retry_at <= now(), true) as \"is_due!\" from breakers
         where connection_id = $1 and provider = $2 for update",
        connection.0,
        provider.as_str(),
    )
    .fetch_one(&mut *tx)
    .await?;
    let before = Breaker { failures: row.failures.unsigned_abs(), open: row.open };
    let (after, wait) = before.after(Seen::Failed(trouble, asked), row.is_due, rand::random());
    sqlx::query!(
        "update breakers set failures = $3, open = $4, opened_at = case when $4 then coalesce(opened_at, now()) end,
                retry_at = coalesce(now() + make_interval(secs => $5), retry_at),
                probing_until = case when $5 is null then probing_until end,
                code_since = case when code = $6 then code_since else now() end, code = $6, reason = $7
         where connection_id = $1 and provider = $2",
        connection.0,
        provider.as_str(),
        i32::try_from(after.failures).unwrap_or(i32::MAX),
        after.open,
        wait.map(|wait| wait.as_secs_f64()),
        failure.0.info().code,
        failure.1,
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok((after, after.open && !before.open))
}

/// A probe that ended without having asked anything lets another one begin.
pub async fn probe_again(db: &PgPool, connection: ConnectionId, provider: Provider) -> Result<()> {
    sqlx::query!(
        "update breakers set probing_until = null where connection_id = $1 and provider = $2",
        connection.0,
        provider.as_str(),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A person changed the connection: both sides are asked again at once.
pub async fn close_all(db: &mut PgConnection, connection: ConnectionId) -> Result<()> {
    sqlx::query!("delete from breakers where connection_id = $1", connection.0).execute(db).await?;
    Ok(())
}

/// The sides of a connection whose last answer was a failure.
pub async fn failing(db: &PgPool, connection: ConnectionId) -> Result<Vec<Failing>> {
    let rows = sqlx::query!(
        "select provider, failures, open, opened_at, retry_at, code, reason,
                coalesce(probing_until > now(), false) as \"probing!\",
                coalesce(code = $2 and code_since > now() - make_interval(secs => $3), false) as \"maintenance!\"
         from breakers where connection_id = $1 order by provider",
        connection.0,
        Code::OracleMaintenance.info().code,
        backoff::MAX_MAINTENANCE.as_secs_f64(),
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| Failing {
            provider: r.provider,
            failures: r.failures,
            open: r.open,
            opened_at: r.opened_at.map(jiff_sqlx::Timestamp::to_jiff),
            retry_at: r.retry_at.map(jiff_sqlx::Timestamp::to_jiff),
            probing: r.probing,
            code: r.code,
            reason: r.reason,
            maintenance: r.maintenance,
        })
        .collect())
}
