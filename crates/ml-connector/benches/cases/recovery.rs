//! `recovery`: from killing `serve` without warning and starting it anew to the first delivery that it accepts.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Context;
use connector::key::MasterKey;
use connector::store::{self, connections};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::database::Postgres;
use crate::engine::{Engine, NAME};
use crate::idle::settled;
use crate::ingest::load::{Request, requests};
use crate::ingest::register;
use crate::process::Background;
use crate::report::{Measured, Target, progress};
use crate::stand_in::StandIn;

/// Orders, and as many invoices, that are there.
const ORDERS: &str = "300";
/// How often it is killed in one run.
const KILLS: usize = 20;
/// Deliveries that are accepted before each kill; the last is followed by the kill at once.
const BEFORE: usize = 10;
/// Between two tries to deliver.
const AGAIN_AFTER: Duration = Duration::from_millis(1);
/// Later than this, something is broken.
const GIVE_UP: Duration = Duration::from_secs(60);

/// Kills and starts an active `serve` whose database goes on running.
pub async fn measure(runs: u32, dir: &Path) -> anyhow::Result<Measured> {
    let mut measured = Measured::default();
    let mut postgres = Postgres::start(dir).await?;
    for run in 1..=runs {
        progress(&format!("run {run} of {runs}: {KILLS} kills"));
        let stand_in = StandIn::start(&["--orders", ORDERS])?;
        let url = postgres.fresh("killed").await?;
        let engine = Engine::connect(url.clone(), &stand_in, postgres.directory(), 600_000).await?;
        engine.run(&["connection", "activate", NAME, "--without-dry-run"]).await?;
        let inside = connector::Engine::new(store::open(&url).await?, MasterKey::from_file(engine.key())?);
        let connection = connections::find(&inside.db, NAME).await?;
        let hook = register(&inside, connection.id).await?;
        let deliveries = requests(&hook, 0, KILLS * (BEFORE + 1) + 1);
        let took = one(&engine, &deliveries).await?;
        let stored: i64 = sqlx::query_scalar("select count(*) from deliveries").fetch_one(&inside.db).await?;
        anyhow::ensure!(
            stored >= i64::try_from(deliveries.len())?,
            "of {} accepted {stored} are stored",
            deliveries.len()
        );
        inside.db.close().await;
        stand_in.end().await?;
        let at = |share: f64| {
            let place = (share * (took.len() - 1) as f64).ceil() as usize;
            took.get(place).map_or(f64::NAN, Duration::as_secs_f64) * 1e3
        };
        measured.add("p95_ms", Target::Below(300.0), at(0.95));
        measured.add("p50_ms", Target::None, at(0.5));
        measured.add("longest_ms", Target::None, at(1.0));
    }
    measured.note(format!(
        "PostgreSQL {}, which goes on running; {KILLS} kills a run, each at once after an accepted delivery; every \
         accepted delivery was found stored",
        postgres.version().await?
    ));
    postgres.stop().await?;
    Ok(measured)
}

/// The times of all kills, sorted.
async fn one(engine: &Engine, deliveries: &[Request]) -> anyhow::Result<Vec<Duration>> {
    let address = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let mut deliveries = deliveries.iter();
    let mut next = || deliveries.next().context("no delivery is left");
    let mut serve = start(engine, address)?;
    accepted(address, next()?).await?;
    settled(engine).await?;
    let mut took = Vec::new();
    for _ in 0..KILLS {
        for _ in 0..BEFORE {
            accepted(address, next()?).await?;
        }
        let delivery = next()?;
        serve.0.kill()?;
        serve.0.wait()?;
        let begun = Instant::now();
        serve = start(engine, address)?;
        accepted(address, delivery).await?;
        took.push(begun.elapsed());
    }
    took.sort_unstable();
    Ok(took)
}

fn start(engine: &Engine, hooks: SocketAddr) -> anyhow::Result<Background> {
    let mut command = engine.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("ML_CONNECTOR_HOOKS_LISTEN", hooks.to_string());
    command.env("ML_CONNECTOR_PUBLIC_URL", format!("http://{hooks}"));
    Ok(Background(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?))
}

/// Delivers until it is accepted.
async fn accepted(address: SocketAddr, delivery: &Request) -> anyhow::Result<()> {
    let begun = Instant::now();
    loop {
        let answer = deliver(address, delivery).await.unwrap_or_default();
        if answer.starts_with("HTTP/1.1 200 ") {
            return Ok(());
        }
        anyhow::ensure!(
            begun.elapsed() < GIVE_UP,
            "no delivery was accepted; the last answer was {answer:?}"
        );
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}

/// The beginning of the answer.
async fn deliver(address: SocketAddr, delivery: &Request) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(delivery.text().as_bytes()).await?;
    let mut answer = vec![0; 512];
    let length = stream.read(&mut answer).await?;
    answer.truncate(length);
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
