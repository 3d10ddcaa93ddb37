//! `push`: how much of Asana's allowance is used when many tasks have changed.

use std::path::Path;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::json;

use crate::database::Postgres;
use crate::engine::{Engine, NAME};
use crate::report::{Measured, Target, progress};
use crate::stand_in::StandIn;

/// Requests a minute that are allowed: four times Asana's paid plan, so that a run lasts under a minute.
const ALLOWED: u32 = 6_000;
/// Tasks that change.
const TASKS: usize = 4_000;
/// Milliseconds that the stand-in takes for each answer.
const LATENCY_MS: u32 = 100;
/// Far above what can be reached: for the first synchronisation, which is not measured.
const UNBOUNDED: u32 = 600_000;
/// How often the stand-in's counts are read.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// The steady part lies between these shares of the requests.
const STEADY: [f64; 2] = [0.1, 0.9];

#[derive(Deserialize)]
struct Count {
    side: String,
    status: Option<u16>,
    count: u64,
}

/// Requests to Asana so far, and how many of them were refused as too many.
struct Asked {
    at: Instant,
    all: u64,
    too_many: u64,
}

/// Measures a push of changes to tasks whose links are known.
pub async fn measure(runs: u32, dir: &Path) -> anyhow::Result<Measured> {
    let mut measured = Measured::default();
    let mut postgres = Postgres::start(dir).await?;
    for run in 1..=runs {
        progress(&format!("run {run} of {runs}: making {TASKS} tasks"));
        let stand_in =
            StandIn::start(&["--orders", &TASKS.to_string(), "--lines", "1", "--asana-rate", "0"])?;
        let url = postgres.fresh("engine").await?;
        let engine = Engine::connect(url, &stand_in, postgres.directory(), UNBOUNDED).await?;
        engine.run(&["poll", NAME, "--feed", "purchase_orders"]).await?;
        prepare(&engine, &stand_in).await?;
        progress(&format!("run {run} of {runs}: pushing at {ALLOWED} requests a minute"));
        one(&engine, &stand_in, &mut measured).await?;
        stand_in.end().await?;
    }
    measured.note(format!(
        "{TASKS} tasks, {ALLOWED} requests a minute allowed, answers after {LATENCY_MS} ms; \
         steady: from {} to {} of the requests",
        STEADY[0], STEADY[1]
    ));
    postgres.stop().await?;
    Ok(measured)
}

/// Sets the rate on both sides, settles what that opens, and changes every order.
async fn prepare(engine: &Engine, stand_in: &StandIn) -> anyhow::Result<()> {
    let rate = format!("asana.requests_per_minute={ALLOWED}");
    engine.run(&["connection", "edit", NAME, "--set", &rate]).await?;
    engine.run(&["poll", NAME, "--feed", "purchase_orders"]).await?;
    let mut db = engine.open().await?;
    let open: i64 = sqlx::query_scalar("select count(*) from movements where state <> 'delivered'")
        .fetch_one(&mut db)
        .await?;
    anyhow::ensure!(open == 0, "{open} movements are not delivered before the measured push");
    let orders: Vec<String> =
        sqlx::query_scalar("select source_id from documents").fetch_all(&mut db).await?;
    anyhow::ensure!(orders.len() == TASKS, "{} orders instead of {TASKS}", orders.len());
    let mut edits = Vec::with_capacity(orders.len());
    for (at, order) in orders.iter().enumerate() {
        edits.push(json!({
            "edit": "line_amount", "order": order.parse::<i64>()?, "line": 1, "amount": format!("{}.25", 1_000_000 + at),
        }));
    }
    stand_in.send(reqwest::Method::POST, "/oracle/edits", &edits.into()).await?;
    let settings = json!({ "requests_per_minute": ALLOWED, "latency_ms": LATENCY_MS });
    stand_in.send(reqwest::Method::PUT, "/asana/settings", &settings).await?;
    stand_in.send(reqwest::Method::DELETE, "/calls", &json!({})).await
}

async fn one(engine: &Engine, stand_in: &StandIn, measured: &mut Measured) -> anyhow::Result<()> {
    let mut seen = vec![asked(stand_in).await?];
    let args = ["poll", NAME, "--feed", "purchase_orders", "--json"];
    let mut push = std::pin::pin!(engine.run(&args));
    let mut look = tokio::time::interval(LOOK_EVERY);
    let ended = loop {
        tokio::select! {
            ended = &mut push => break ended?,
            _ = look.tick() => seen.push(asked(stand_in).await?),
        }
    };
    let last = asked(stand_in).await?;
    let report: serde_json::Value = serde_json::from_str(&ended.stdout)?;
    let updated = report["push"]["updated"].as_u64().unwrap_or(0);
    anyhow::ensure!(
        updated == TASKS as u64,
        "of {TASKS} tasks these were updated: {updated}\n{}",
        ended.stdout
    );
    let reach = |share: f64| seen.iter().find(|asked| asked.all as f64 >= share * last.all as f64);
    let (Some(from), Some(to)) = (reach(STEADY[0]), reach(STEADY[1])) else {
        anyhow::bail!("the push was over before it could be watched");
    };
    let minutes = (to.at - from.at).as_secs_f64() / 60.0;
    measured.add(
        "rate_used",
        Target::AtLeast(0.98),
        (to.all - from.all) as f64 / minutes / f64::from(ALLOWED),
    );
    measured.add("own_429", Target::AtMost(0.0), last.too_many as f64);
    measured.add("requests_per_task", Target::AtMost(1.1), last.all as f64 / updated as f64);
    measured.add("seconds", Target::None, ended.elapsed.as_secs_f64());
    measured.add("rss_mb", Target::None, ended.peak_rss as f64 / 1e6);
    measured.add("engine_cpu_seconds", Target::None, ended.cpu.total());
    Ok(())
}

async fn asked(stand_in: &StandIn) -> anyhow::Result<Asked> {
    let counts: Vec<Count> = stand_in.get("/calls").await?;
    let at = Instant::now();
    let asana = || counts.iter().filter(|count| count.side == "asana");
    Ok(Asked {
        at,
        all: asana().map(|count| count.count).sum(),
        too_many: asana().filter(|count| count.status == Some(429)).map(|count| count.count).sum(),
    })
}
