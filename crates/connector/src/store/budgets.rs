//! The budgets that all nodes share: one schedule each, by the database's clock.

use std::time::Duration;

use jiff::Timestamp;
use outbound::{Grant, Want};
use sqlx::PgPool;

use crate::backoff;
use crate::error::Result;
use crate::ids::NodeId;
use crate::store::at;

/// A node that took places within this time counts when the limits are divided.
const NODE_COUNTS: Duration = Duration::from_secs(10);
/// No schedule is ahead by more, unless the database's clock was set back: then it begins anew from there.
const FARTHEST_AHEAD: Duration = Duration::from_mins(10);
/// What nobody used for so long is forgotten.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(86_400);

/// Takes the next places of a budget's schedule for a node. One statement, without a transaction around it: the row
/// is locked only as long as it takes. A schedule whose end has passed for longer than `want.depth` begins anew: places
/// that nobody used bring no burst.
///
/// Returns with them the end of the schedule, which is known by it when places are given back.
pub async fn reserve(db: &PgPool, budget: &[u8], node: NodeId, want: Want) -> Result<(Grant, Timestamp)> {
    let stretch = want.interval.saturating_mul(want.places);
    let row = sqlx::query!(
        "with seen as (
             insert into budget_nodes (budget, node_id, seen_at) values ($1, $2, clock_timestamp())
             on conflict (budget, node_id) do update set seen_at = excluded.seen_at)
         insert into budgets as b (budget, next_at) values ($1, clock_timestamp() + make_interval(secs => $3))
         on conflict (budget) do update
         set next_at = greatest(case when b.next_at < clock_timestamp() - make_interval(secs => $4) then clock_timestamp()
                                     else least(b.next_at, clock_timestamp() + make_interval(secs => $6)) end,
                                case when b.paused_until > clock_timestamp()
                                     then least(b.paused_until, clock_timestamp() + make_interval(secs => $7)) end)
                       + make_interval(secs => $3)
         returning b.next_at, greatest(extract(epoch from b.next_at - make_interval(secs => $3) - clock_timestamp())::float8, 0)
                       as \"first_in!\",
                   coalesce(greatest(extract(epoch from b.paused_until - clock_timestamp())::float8, 0), 0)
                       as \"paused_for!\",
                   (select count(*) from budget_nodes n where n.budget = $1 and n.node_id <> $2
                        and n.seen_at > clock_timestamp() - make_interval(secs => $5)) as \"others!\"",
        budget,
        node.0,
        stretch.as_secs_f64(),
        want.depth.as_secs_f64(),
        NODE_COUNTS.as_secs_f64(),
        FARTHEST_AHEAD.as_secs_f64(),
        backoff::MAX_RETRY_AFTER.as_secs_f64(),
    )
    .fetch_one(db)
    .await?;
    let grant = Grant {
        first_in: seconds(row.first_in),
        paused_for: seconds(row.paused_for),
        nodes: u32::try_from(row.others).unwrap_or(u32::MAX).saturating_add(1),
    };
    Ok((grant, row.next_at.to_jiff()))
}

/// Gives back so much of a schedule's end, if it is still `until`: else others took places after it.
pub async fn give_back(db: &PgPool, budget: &[u8], until: Timestamp, unused: Duration) -> Result<()> {
    sqlx::query!(
        "update budgets set next_at = next_at - make_interval(secs => $3) where budget = $1 and next_at = $2",
        budget,
        at(until) as jiff_sqlx::Timestamp,
        unused.as_secs_f64(),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Lets no places begin for so long; a pause is never shortened.
pub async fn pause(db: &PgPool, budget: &[u8], wait: Duration) -> Result<()> {
    sqlx::query!(
        "insert into budgets as b (budget, next_at, paused_until)
         values ($1, clock_timestamp(), clock_timestamp() + make_interval(secs => $2))
         on conflict (budget) do update set paused_until = greatest(b.paused_until, excluded.paused_until)",
        budget,
        wait.as_secs_f64(),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets budgets and nodes of which nothing was seen for a day.
pub async fn forget_old(db: &PgPool) -> Result<()> {
    let age = FORGOTTEN_AFTER.as_secs_f64();
    sqlx::query!("delete from budget_nodes where seen_at < now() - make_interval(secs => $1)", age)
        .execute(db)
        .await?;
    sqlx::query!(
        "delete from budgets where next_at < now() - make_interval(secs => $1)
             and coalesce(paused_until < now(), true)",
        age,
    )
    .execute(db)
    .await?;
    Ok(())
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
