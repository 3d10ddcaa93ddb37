//! `extract` and `extract_lines`: a first reading of all orders into an empty database.

use std::path::Path;

use sqlx::Row;

use crate::copy;
use crate::database::Postgres;
use crate::engine::Engine;
use crate::process::Ended;
use crate::report::{Measured, Target, progress};
use crate::stand_in::StandIn;
use crate::tcp::Forwarded;

/// What the orders look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// No lines, few attributes.
    Headers,
    /// One line with one schedule and its distributions.
    Lines,
}

impl Shape {
    fn generated(self) -> &'static [&'static str] {
        match self {
            Shape::Headers => &["--headers-only"],
            Shape::Lines => &["--lines", "1"],
        }
    }

    fn targets(self) -> Targets {
        let [seconds, rss, copy_ratio] = match self {
            Shape::Headers => [Target::AtMost(2.0), Target::AtMost(60.0), Target::None],
            Shape::Lines => [Target::None, Target::None, Target::AtLeast(0.5)],
        };
        Targets { seconds, rss, copy_ratio }
    }
}

struct Targets {
    seconds: Target,
    rss: Target,
    copy_ratio: Target,
}

/// What one reading did.
struct Poll {
    ended: Ended,
    own_seconds: f64,
    bytes: f64,
}

/// Measures engine and COPY in turn.
pub async fn measure(shape: Shape, orders: u64, runs: u32, dir: &Path) -> anyhow::Result<Measured> {
    let mut measured = Measured::default();
    let mut postgres = Postgres::start(dir).await?;
    progress(&format!("making {orders} orders"));
    let count = orders.to_string();
    let stand_in = StandIn::start(&[&["--orders", count.as_str()], shape.generated()].concat())?;
    let saved = postgres.directory().join("documents.copy");

    // one reading that does not count: the stand-in renders each record once and then keeps it
    let engine = connect(&mut postgres, "engine", &stand_in).await?;
    let first = poll(&engine, orders).await?;
    copy::save_documents(&mut engine.open().await?, &saved).await?;
    measured.note(format!(
        "a first reading, not counted (the stand-in renders then): {:.2} s",
        first.ended.elapsed.as_secs_f64()
    ));

    let targets = shape.targets();
    for run in 1..=runs {
        progress(&format!("run {run} of {runs}"));
        let engine = connect(&mut postgres, "engine", &stand_in).await?;
        let (stand_in_before, postgres_before) = (stand_in.cpu()?, postgres.cpu()?);
        let poll = poll(&engine, orders).await?;
        let (stand_in_cpu, postgres_cpu) =
            (stand_in.cpu()?.since(stand_in_before), postgres.cpu()?.since(postgres_before));
        let copied = copy_again(&mut postgres, &stand_in, &saved, orders).await?;
        let seconds = poll.ended.elapsed.as_secs_f64();
        measured.add("seconds", targets.seconds, seconds);
        measured.add("poll_seconds", Target::None, poll.own_seconds);
        measured.add("rss_mb", targets.rss, poll.ended.peak_rss as f64 / 1e6);
        measured.add("copy_seconds", Target::None, copied);
        measured.add("copy_ratio", targets.copy_ratio, copied / seconds);
        measured.add("records_per_second", Target::None, orders as f64 / seconds);
        measured.add("mb_per_second", Target::None, poll.bytes / seconds / 1e6);
        measured.add("bytes_per_record", Target::None, poll.bytes / orders as f64);
        measured.add("engine_cpu_seconds", Target::None, poll.ended.cpu.total());
        measured.add("stand_in_cpu_seconds", Target::None, stand_in_cpu.total());
        measured.add("postgres_cpu_seconds", Target::None, postgres_cpu.total());
        if run == runs {
            measured.note(format!(
                "processor time of the last run: engine {}; stand-in {}; PostgreSQL {}",
                poll.ended.cpu.text(),
                stand_in_cpu.text(),
                postgres_cpu.text()
            ));
        }
    }
    progress("once more with the database over TCP");
    let mut engine = connect(&mut postgres, "engine", &stand_in).await?;
    let tcp = Forwarded::to(&engine.url).await?;
    engine.url.clone_from(&tcp.url);
    let over_tcp = poll(&engine, orders).await?;
    measured.add("over_tcp_seconds", Target::None, over_tcp.ended.elapsed.as_secs_f64());
    drop(tcp);
    measured.note(format!("PostgreSQL {}", postgres.version().await?));
    stand_in.end().await?;
    postgres.stop().await?;
    Ok(measured)
}

/// An empty database with a connection of its own.
async fn connect(postgres: &mut Postgres, database: &str, stand_in: &StandIn) -> anyhow::Result<Engine> {
    let url = postgres.fresh(database).await?;
    Engine::connect(url, stand_in, postgres.directory(), 1500).await
}

/// Polls all orders and checks that they are all there.
async fn poll(engine: &Engine, orders: u64) -> anyhow::Result<Poll> {
    let ended = engine.run(&["poll", crate::engine::NAME, "--feed", "purchase_orders", "--no-push"]).await?;
    let mut db = engine.open().await?;
    let stored = sqlx::query(
        "select (select count(*) from documents) as documents,
                (select count(*) from movements where state = 'pending') as movements,
                (select count(*) from feeds where watermark is not null) as watermarks,
                (select sum(octet_length(body))::float8 from documents) as bytes,
                (select extract(epoch from finished_at - started_at)::float8
                 from jobs where job = 'purchase_orders') as seconds",
    )
    .fetch_one(&mut db)
    .await?;
    let counted: [i64; 3] = [stored.get("documents"), stored.get("movements"), stored.get("watermarks")];
    let wanted = i64::try_from(orders)?;
    anyhow::ensure!(
        counted == [wanted, wanted, 1],
        "of {orders} orders, documents, movements and watermarks stored are {counted:?}:\n{}",
        ended.stdout
    );
    Ok(Poll { ended, own_seconds: stored.get("seconds"), bytes: stored.get("bytes") })
}

/// Pipes the saved rows into the same table of a fresh database of the same schema.
async fn copy_again(
    postgres: &mut Postgres,
    stand_in: &StandIn,
    saved: &Path,
    orders: u64,
) -> anyhow::Result<f64> {
    let engine = connect(postgres, "copied", stand_in).await?;
    let (took, rows) = copy::load_documents(&mut engine.open().await?, saved).await?;
    anyhow::ensure!(rows == orders, "COPY stored {rows} of {orders} rows");
    Ok(took.as_secs_f64())
}
