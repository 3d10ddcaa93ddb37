//! `ingest` and `ingest200`: deliveries of webhooks, from the socket to the commit.

pub mod load;
mod receive;
mod yardstick;

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use connector::hooks::resource::{Resource, ResourceKind};
use connector::hooks::token::Tokens;
use connector::ids::{ConnectionId, WebhookId};
use connector::key::MasterKey;
use connector::manage::{self, Secrets};
use connector::settings::Settings;
use connector::store::{self, hooks};
use connector::vault::{self, CredentialName};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use self::load::{Load, Pace, Request};
use self::receive::Receiving;
pub use self::receive::{ReceiveArgs, receive};
use crate::database::{Postgres, connect};
use crate::engine::key_file;
use crate::process::peak_memory;
use crate::report::{Measured, Target, progress};

/// Deliveries of one run; a few seconds of them.
const DELIVERIES: usize = 60_000;
/// Deliveries before that are not measured: connections, plans and memory are made.
const WARM_UP: usize = 4_000;
/// Connections that deliver, each waiting for its answer.
const CONNECTIONS: usize = 32;
/// Events in each.
const EVENTS: i64 = 2;
/// Single inserts for the yardstick.
const SINGLE: usize = 20_000;
/// Deliveries a second of `ingest200`.
const RATE: u32 = 200;
/// How long `ingest200` goes on.
const STEADY: Duration = Duration::from_secs(10);

/// Settings of a connection whose sides nobody asks.
pub const SETTINGS: &str = "[oracle]\nurl = \"http://127.0.0.1:1\"\ntoken_url = \"http://127.0.0.1:1\"\nclient_id = \"c\"\n\
     scope = \"s\"\n[asana]\nworkspace = \"1\"\n[fields]\npo_number = \"101\"\nsupplier = \"102\"\ninvoice_status = \"103\"\n\
     line_item_amount = \"104\"\n[routing.default]\nproject = \"77\"\n";

/// A registration in the database.
pub struct Hook {
    path: String,
    secret: String,
}

/// Measures how many deliveries are taken, and what takes the time.
pub async fn measure(runs: u32, dir: &Path) -> anyhow::Result<Measured> {
    let mut measured = Measured::default();
    let mut postgres = Postgres::start(dir).await?;
    for run in 1..=runs {
        progress(&format!("run {run} of {runs}"));
        let key = key_file(postgres.directory())?;
        let url = postgres.fresh("ingested").await?;
        let hook = prepare(&url, &key).await?;
        let warm_up = load::requests(&hook, 0, WARM_UP);
        let requests = load::requests(&hook, WARM_UP, DELIVERIES);

        let receiving = Receiving::start(&url, &key, false)?;
        let (mut load, before) = (Load::open(receiving.address, CONNECTIONS).await?, postgres.cpu()?);
        load.run(&warm_up, Pace::Closed).await?;
        let took = load.run(&requests, Pace::Closed).await?;
        let database = postgres.cpu()?.since(before);
        let stored = stored(&url).await?;
        let expected = i64::try_from(WARM_UP + DELIVERIES)?;
        anyhow::ensure!(stored == (expected, expected * EVENTS), "{stored:?} were stored of {expected}");
        let rss = peak_memory(receiving.process.0.id()).context("the receiver is gone")?;
        let engine = receiving.cpu()?;
        drop(load);
        receiving.process.end().await?;

        let bare = bare(&url, &key, &warm_up, &requests).await?;
        let bodies: Vec<&str> = requests.iter().map(Request::body).collect();
        let group = yardstick::group(&url, &bodies, CONNECTIONS).await?;
        let single = yardstick::single(&url, bodies.get(..SINGLE).unwrap_or(&bodies), CONNECTIONS).await?;

        measured.add("per_second", Target::AtLeast(15_000.0), took.per_second());
        measured.add("p99_ms", Target::AtMost(10.0), took.latency_ms(0.99));
        measured.add("p50_ms", Target::None, took.latency_ms(0.5));
        measured.add("rss_mb", Target::AtMost(60.0), rss as f64 / 1e6);
        measured.add("bare_ratio", Target::None, took.per_second() / bare);
        measured.add("group_ratio", Target::AtLeast(0.5), took.per_second() / group);
        measured.add("pgbench_ratio", Target::AtLeast(1.0), took.per_second() / single);
        measured.note(format!(
            "run {run}: without storing {bare:.0}/s; bodies alone in groups {group:.0}/s, one by one {single:.0}/s; \
             processor: receiver {}, PostgreSQL {}",
            engine.text(),
            database.text()
        ));
    }
    measured.note(format!("PostgreSQL {}", postgres.version().await?));
    postgres.stop().await?;
    Ok(measured)
}

/// Measures how long an answer takes when there is room.
pub async fn measure_steady(runs: u32, dir: &Path) -> anyhow::Result<Measured> {
    let mut measured = Measured::default();
    let mut postgres = Postgres::start(dir).await?;
    let count = RATE as usize * usize::try_from(STEADY.as_secs())?;
    for run in 1..=runs {
        progress(&format!("run {run} of {runs}"));
        let key = key_file(postgres.directory())?;
        let url = postgres.fresh("steady").await?;
        let hook = prepare(&url, &key).await?;
        let receiving = Receiving::start(&url, &key, false)?;
        let mut load = Load::open(receiving.address, CONNECTIONS).await?;
        load.run(&load::requests(&hook, 0, 100), Pace::Closed).await?;
        let took = load.run(&load::requests(&hook, 100, count), Pace::PerSecond(RATE)).await?;
        measured.add("p99_ms", Target::AtMost(5.0), took.latency_ms(0.99));
        measured.add("p50_ms", Target::None, took.latency_ms(0.5));
        measured.add("max_ms", Target::None, took.latency_ms(1.0));
        measured.add("per_second", Target::None, took.per_second());
        drop(load);
        receiving.process.end().await?;
    }
    postgres.stop().await?;
    Ok(measured)
}

/// The same receiver with a store that answers at once.
async fn bare(url: &str, key: &Path, warm_up: &[Request], requests: &[Request]) -> anyhow::Result<f64> {
    let receiving = Receiving::start(url, key, true)?;
    let mut load = Load::open(receiving.address, CONNECTIONS).await?;
    load.run(warm_up, Pace::Closed).await?;
    let took = load.run(requests, Pace::Closed).await?;
    receiving.process.end().await?;
    Ok(took.per_second())
}

/// The schema, a connection, and an active registration.
async fn prepare(url: &str, key: &Path) -> anyhow::Result<Hook> {
    let master = MasterKey::from_file(key)?;
    let engine = connector::Engine::new(store::open(url).await?, master);
    store::migrate(&engine.db).await?;
    let settings = Settings::from_toml(SETTINGS)?;
    let connection = manage::add(&engine, "bench", &settings, &Secrets::default()).await?;
    let hook = register(&engine, connection).await?;
    engine.db.close().await;
    Ok(hook)
}

/// An active registration.
pub async fn register(engine: &connector::Engine, connection: ConnectionId) -> anyhow::Result<Hook> {
    let (token, digest) = Tokens::new(&engine.master).mint(connection);
    let (webhook, secret) = (WebhookId::new(), format!("{:064x}", WebhookId::new().0.as_u128()));
    let resource = Resource { kind: ResourceKind::Project, gid: "77".into() };
    let public_url = Url::parse("https://erp.example")?;
    anyhow::ensure!(hooks::begin(&engine.db, connection, webhook, &resource, &digest, &public_url).await?);
    let mut db = engine.db.acquire().await?;
    let name = CredentialName::WebhookSecret(webhook);
    vault::put(&mut db, &engine.master, connection, name, &SecretString::from(secret.clone())).await?;
    anyhow::ensure!(hooks::activate(&mut db, connection, webhook, "1").await?);
    Ok(Hook { path: format!("/hooks/asana/{}", token.expose_secret()), secret })
}

async fn stored(url: &str) -> anyhow::Result<(i64, i64)> {
    let mut db = connect(url).await?;
    let counts =
        "select (select count(*) from deliveries), (select count(*) from events where state = 'open')";
    Ok(sqlx::query_as(counts).fetch_one(&mut db).await?)
}
