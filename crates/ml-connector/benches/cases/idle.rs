//! `idle`: the memory of a `serve` whose connection has nothing to do.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::database::Postgres;
use crate::engine::{Engine, NAME};
use crate::process::{cpu_of_family, memory_now, peak_memory};
use crate::report::{Measured, Target, progress};
use crate::stand_in::StandIn;
use crate::start;

/// Orders, and as many invoices, that are there.
const ORDERS: &str = "300";
/// How long nothing happens before memory is read.
const IDLE: Duration = Duration::from_secs(5);
/// How often it is looked whether the first synchronisation is done.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Later than this, something is broken.
const GIVE_UP: Duration = Duration::from_secs(300);

/// Measures a `serve` that has itself done the first synchronisation.
pub async fn measure(runs: u32, dir: &Path) -> anyhow::Result<Measured> {
    let mut measured = Measured::default();
    let mut postgres = Postgres::start(dir).await?;
    for run in 1..=runs {
        progress(&format!("run {run} of {runs}"));
        let stand_in = StandIn::start(&["--orders", ORDERS])?;
        let url = postgres.fresh("served").await?;
        let engine = Engine::connect(url, &stand_in, postgres.directory(), 1500).await?;
        engine.run(&["connection", "activate", NAME, "--without-dry-run"]).await?;
        let (serve, _) = start::ready(engine.command(&[])).await?;
        settled(&engine).await?;
        let pid = serve.process.0.id();
        let before = cpu_of_family(pid)?;
        tokio::time::sleep(IDLE).await;
        let used = cpu_of_family(pid)?.since(before);
        let read = |bytes: Option<u64>| Ok::<_, anyhow::Error>(bytes.context("serve is gone")? as f64 / 1e6);
        measured.add("rss_mb", Target::AtMost(30.0), read(memory_now(pid))?);
        measured.add("peak_rss_mb", Target::None, read(peak_memory(pid))?);
        measured.add("cpu_percent", Target::None, used.total() / IDLE.as_secs_f64() * 100.0);
        serve.process.end().await?;
        stand_in.end().await?;
    }
    postgres.stop().await?;
    Ok(measured)
}

/// Waits until both feeds were polled and nothing is left to push.
pub async fn settled(engine: &Engine) -> anyhow::Result<()> {
    let started = Instant::now();
    let mut db = engine.open().await?;
    loop {
        // what was never asked for, such as reference data, has not begun; alerts are looked at all the time
        let settled: bool = sqlx::query_scalar(
            "select bool_and(node_id is null and failures = 0
                             and (finished_at is not null or started_at is null)
                             and (due_at is null or job = 'alerts' or due_at > now() + interval '30 seconds'))
                    and not exists (select from movements
                                    where state in ('pending', 'sending', 'retrying', 'in_doubt'))
             from jobs",
        )
        .fetch_one(&mut db)
        .await?;
        if settled {
            return Ok(());
        }
        anyhow::ensure!(started.elapsed() < GIVE_UP, "the first synchronisation did not end");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
