//! `latency`: from a delivery that is stored to a journal that Oracle has accepted, with `serve` and the stand-ins
//! as processes of their own and every answer of both sides after 50 ms.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::json;
use sqlx::Row;

use crate::database::Postgres;
use crate::engine::{Engine, NAME};
use crate::report::{Measured, Target, progress};
use crate::stand_in::StandIn;
use crate::start::{Serve, ready};

/// Tasks that are completed, one after the other.
const TASKS: usize = 120;
/// From one completion to the next: five a second.
const PACE: Duration = Duration::from_millis(200);
/// What each answer of either side takes.
const LATENCY_MS: u64 = 50;
/// Far above what is asked.
const UNBOUNDED: u32 = 600_000;
/// Later than this, something is broken.
const GIVE_UP: Duration = Duration::from_secs(120);
/// How often the database is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Measures single completions, one at a time.
pub async fn measure(runs: u32, dir: &Path) -> anyhow::Result<Measured> {
    let mut measured = Measured::default();
    let mut postgres = Postgres::start(dir).await?;
    for run in 1..=runs {
        progress(&format!("run {run} of {runs}: {TASKS} completions, {} ms apart", PACE.as_millis()));
        // every charge has a cost, and no order is canceled, so that each completion brings a journal
        let count = (TASKS * 2).to_string();
        let stand_in = StandIn::start(&["--orders", &count, "--lines", "1", "--asana-rate", "0"])?;
        let url = postgres.fresh("latency").await?;
        let engine = Engine::connect_with_journals(url, &stand_in, postgres.directory(), UNBOUNDED).await?;
        engine.run(&["poll", NAME]).await?;
        let serve = serve(&engine).await?;
        one(&engine, &stand_in, &mut measured).await?;
        serve.process.end().await?;
        stand_in.end().await?;
    }
    measured.note(format!(
        "from the delivery's row to the step that says that Oracle accepted, by the database's clock; \
         {TASKS} tasks, each answer of Asana and Oracle after {LATENCY_MS} ms"
    ));
    postgres.stop().await?;
    Ok(measured)
}

/// A `serve` that the stand-in can reach.
async fn serve(engine: &Engine) -> anyhow::Result<Serve> {
    let free = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let (address, public) = (free.to_string(), format!("http://{free}"));
    let mut command = engine.command(&[]);
    command.env("ML_CONNECTOR_HOOKS_LISTEN", &address).env("ML_CONNECTOR_PUBLIC_URL", &public);
    let (serve, _) = ready(command).await?;
    engine.run(&["connection", "activate", NAME, "--without-dry-run"]).await?;
    let mut db = engine.open().await?;
    until("a webhook to be registered", async || {
        let active: i64 = sqlx::query_scalar("select count(*) from webhooks where state = 'active'")
            .fetch_one(&mut db)
            .await?;
        Ok(active > 0)
    })
    .await?;
    Ok(serve)
}

async fn one(engine: &Engine, stand_in: &StandIn, measured: &mut Measured) -> anyhow::Result<()> {
    let mut db = engine.open().await?;
    until("the work after the start to be done", async || {
        let busy: i64 = sqlx::query_scalar(
            "select count(*) from jobs where lease_until > now() or due_at <= now() + interval '1 second'",
        )
        .fetch_one(&mut db)
        .await?;
        Ok(busy == 0)
    })
    .await?;
    for side in ["asana", "oracle"] {
        let rule = json!({ "side": side, "fault": { "kind": "delay", "ms": LATENCY_MS } });
        stand_in.send(reqwest::Method::POST, "/faults", &rule).await?;
    }
    let tasks: Vec<String> = sqlx::query_scalar(
        "select l.task_gid from links l join documents d on d.connection_id = l.connection_id
              and d.feed = 'purchase_orders' and d.source_id = l.order_id
         where d.body not like '%\"CANCELED\"%' order by l.task_gid limit $1",
    )
    .bind(i64::try_from(TASKS)?)
    .fetch_all(&mut db)
    .await?;
    let mut pace = tokio::time::interval(PACE);
    for task in &tasks {
        pace.tick().await;
        let edit = json!({ "edit": "complete_task", "task": task });
        stand_in.send(reqwest::Method::POST, "/asana/edits", &edit).await?;
    }
    let wanted = i64::try_from(tasks.len())?;
    until("all completions to be decided and sent", async || {
        let decided: i64 = sqlx::query_scalar(
            "select count(*) from completions c where c.state = 'skipped' or (c.state = 'held' and c.code is not null)
                or exists (select from journals j where j.task_gid = c.task_gid and j.submitted_at is not null
                           and j.state not in ('ready', 'submitting'))",
        )
        .fetch_one(&mut db)
        .await?;
        Ok(decided >= wanted)
    })
    .await?;
    record(&mut db, wanted, measured).await
}

async fn record(db: &mut sqlx::PgConnection, tasks: i64, measured: &mut Measured) -> anyhow::Result<()> {
    let row = sqlx::query(
        "with arrived as (
             select e.resource_gid as task, min(d.received_at) as at
             from events e join deliveries d on d.connection_id = e.connection_id and d.delivery_id = e.delivery_id
             where e.field = 'completed' group by 1),
         step as (
             select j.task_gid as task, s.state, min(s.at) as at
             from journals j join journal_steps s on s.connection_id = j.connection_id
                  and s.journal_id = j.journal_id where s.state in ('submitting', 'submitted') group by 1, 2),
         took as (
             select extract(epoch from accepted.at - arrived.at)::float8 * 1000 as ms,
                    extract(epoch from c.found_at - arrived.at)::float8 * 1000 as found,
                    extract(epoch from j.created_at - c.found_at)::float8 * 1000 as decided,
                    extract(epoch from sending.at - j.created_at)::float8 * 1000 as sent,
                    extract(epoch from accepted.at - sending.at)::float8 * 1000 as accepted
             from arrived join step accepted on accepted.task = arrived.task and accepted.state = 'submitted'
             join step sending on sending.task = arrived.task and sending.state = 'submitting'
             join journals j on j.task_gid = arrived.task join completions c on c.task_gid = arrived.task)
         select count(*) as journals, percentile_cont(0.5) within group (order by ms) as p50,
                percentile_cont(0.99) within group (order by ms) as p99, max(ms) as longest,
                percentile_cont(0.5) within group (order by found) as found,
                percentile_cont(0.5) within group (order by decided) as decided,
                percentile_cont(0.5) within group (order by sent) as sent,
                percentile_cont(0.5) within group (order by accepted) as accepted from took",
    )
    .fetch_one(db)
    .await?;
    let journals: i64 = row.get("journals");
    anyhow::ensure!(journals * 10 >= tasks * 8, "only {journals} of {tasks} completions brought a journal");
    let [p50, p99, longest] = ["p50", "p99", "longest"].map(|name| row.get::<Option<f64>, _>(name));
    measured.add("p50_ms", Target::Below(300.0), p50.context("no journal")?);
    measured.add("p99_ms", Target::Below(1_000.0), p99.context("no journal")?);
    measured.add("longest_ms", Target::None, longest.context("no journal")?);
    // where the time goes: the task read, its journal decided, its turn come, Oracle's answer
    let stages = [
        ("read_ms", "found"),
        ("decided_ms", "decided"),
        ("sending_ms", "sent"),
        ("accepted_ms", "accepted"),
    ];
    for (metric, column) in stages {
        measured.add(metric, Target::None, row.get::<Option<f64>, _>(column).context("no journal")?);
    }
    measured.add("journals", Target::None, journals as f64);
    Ok(())
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let begun = Instant::now();
    while !is_so().await? {
        anyhow::ensure!(begun.elapsed() < GIVE_UP, "waited {} s for {what}", GIVE_UP.as_secs());
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}
