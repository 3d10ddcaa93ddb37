//! `serve`: the connector, until it is told to stop.

use std::net::SocketAddr;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use connector::hooks::ingest::{Ingest, Limits};
use connector::hooks::register::is_public;
use connector::hooks::{token, wake};
use connector::store::{self, nodes};
use connector::{Code, Engine, Error};
use connector::{alerts, node};
use console::hooks::{Doors, Receiver};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};
use url::Url;

use crate::cli::Global;
use crate::database::Database;
use crate::public_url::PublicUrlArgs;
use crate::{output, secret};

/// How long requests under way may go on after the end was asked for. A delivery that was not answered by then is
/// sent again.
const LISTENERS_GRACE: Duration = Duration::from_secs(6);

/// Between two questions whether a database that is away is there.
const ASK_DATABASE_EVERY: Duration = Duration::from_millis(500);
/// Between two words about a database that is still away.
const TELL_EVERY: Duration = Duration::from_secs(30);

/// How to serve.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Where health and status are served
    #[arg(long, env = "ML_CONNECTOR_LISTEN", default_value = "127.0.0.1:8400", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Where Asana's deliveries are taken; without it, at the same address as the status
    #[arg(long, env = "ML_CONNECTOR_HOOKS_LISTEN", value_name = "ADDRESS")]
    hooks_listen: Option<SocketAddr>,
    #[command(flatten)]
    public: PublicUrlArgs,
    /// After how many seconds without a sign of life another node takes over what this one works on
    #[arg(
        long,
        env = "ML_CONNECTOR_LEASE_SECONDS",
        default_value_t = 60,
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u16).range(2..=3600)
    )]
    lease_seconds: u16,
}

/// A listener at an address of this machine.
pub async fn bound(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(|error| {
        let words = format!("{address} cannot be listened at");
        Error::new(Code::AddressTaken, words).because(error)
    })
}

/// Serves until Ctrl-C or SIGTERM; requests and jobs under way get a few seconds to finish.
pub async fn run(args: ServeArgs, global: &Global) -> anyhow::Result<ExitCode> {
    // before anything is started: without the key nothing could be read
    let master = secret::master_key(global.key_file.as_ref())?;
    let public_url = args.public.read()?;
    let database = Database::lazily(global).await?;
    let away = prepared(&database).await?;
    let engine = Engine::new(database.pool.clone(), master).reached_at(public_url.clone());
    let lease = Duration::from_secs(args.lease_seconds.into());
    let engine = Arc::new(engine.with_leases_of(lease));
    let listener = bound(args.listen).await?;
    let hooks_listener = match args.hooks_listen {
        Some(address) => Some(bound(address).await?),
        None => None,
    };
    let asked_to_stop = Stop::listen()?;
    let status = listener.local_addr()?;
    let hooks = hooks_listener.as_ref().map_or(Ok(status), TcpListener::local_addr)?;
    output::say(&format!("ml-connector serves; status at http://{status}/"));
    output::say(&deliveries(hooks, public_url.as_ref()));

    let ingest = Ingest::start(&engine.db, Limits::default());
    let receiver = Receiver::new(engine.clone(), ingest.clone());
    let (close, stop) = (watch::Sender::new(false), watch::Sender::new(false));
    let listeners = listen(listener, hooks_listener, engine.clone(), receiver, &close);
    let mut asked = pin!(asked_to_stop.asked());
    let there = tokio::select! {
        there = comes_back(&database, away) => there.map(|()| true),
        () = &mut asked => Ok(false),
    };
    let mut work = JoinSet::new();
    if let Ok(true) = there {
        work.spawn(node::run(engine.clone(), stop.subscribe()));
        work.spawn(beats(engine.clone(), stop.subscribe()));
        work.spawn(wake::run(engine, ingest.arrived(), stop.subscribe()));
        asked.await;
        output::say("stopping; work under way gets a few seconds to finish");
    }
    // what comes in first, then what was taken, then the work on it: nothing that was answered is lost
    close.send_replace(true);
    let closed = closed(listeners).await;
    ingest.close().await;
    stop.send_replace(true);
    while let Some(ended) = work.join_next().await {
        ended?;
    }
    database.close().await?;
    there?;
    closed?;
    Ok(ExitCode::SUCCESS)
}

/// Brings the schema up to date; `Some` when the database is away and can come back.
async fn prepared(database: &Database) -> anyhow::Result<Option<Error>> {
    let prepared = async {
        store::reachable(&database.pool).await?;
        store::migrate(&database.pool).await
    };
    match prepared.await {
        Ok(()) => Ok(None),
        Err(error) if store::is_away(&error) => Ok(Some(error)),
        Err(error) => Err(error.into()),
    }
}

/// Waits for a database that is `away`; meanwhile deliveries are refused with 503, and Asana sends them again.
async fn comes_back(database: &Database, mut away: Option<Error>) -> anyhow::Result<()> {
    let mut told: Option<Instant> = None;
    let mut ask = tokio::time::interval(ASK_DATABASE_EVERY);
    ask.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while let Some(error) = away {
        if told.is_none_or(|told| told.elapsed() >= TELL_EVERY) {
            let cause = node::chain(&error);
            output::say(&format!(
                "{cause}; deliveries are refused until it is there, it is asked again and again"
            ));
            told = Some(Instant::now());
        }
        ask.tick().await;
        away = prepared(database).await?;
    }
    if told.is_some() {
        output::say("the database is there; the work begins");
    }
    Ok(())
}

/// Tells every few seconds that this node lives, until `stop` turns true; then that it stopped in order.
async fn beats(engine: Arc<Engine>, mut stop: watch::Receiver<bool>) {
    // the machine's name is only for people
    let host = tokio::fs::read_to_string("/proc/sys/kernel/hostname").await.unwrap_or_default();
    let host = if host.trim().is_empty() { "unknown" } else { host.trim() };
    let mut beat = tokio::time::interval(alerts::BEAT_EVERY);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            _ = beat.tick() => {}
        }
        if let Err(error) = alerts::beat(&engine.db, engine.node, host, jiff::Timestamp::now()).await {
            tracing::warn!(error = node::chain(&error), "the node could not tell that it lives");
        }
    }
    if let Err(error) = nodes::leave(&engine.db, engine.node).await {
        tracing::warn!(error = node::chain(&error), "the node could not tell that it stops");
    }
}

/// Where deliveries are taken, and where Asana sends them.
fn deliveries(at: SocketAddr, public_url: Option<&Url>) -> String {
    let taken = format!("Asana's deliveries are taken at http://{at}{}", token::PATH);
    match public_url {
        Some(url) => {
            let sent = format!("{taken} and sent to {}{}", url.as_str().trim_end_matches('/'), token::PATH);
            let only_here = "; only this machine or its network can call that, Asana itself cannot";
            if is_public(url) { sent } else { sent + only_here }
        }
        None => {
            format!("{taken}; without --public-url no webhook is registered, and the sweep finds completions")
        }
    }
}

/// Everything that listens, until `close` turns true.
fn listen(
    status: TcpListener,
    hooks: Option<TcpListener>,
    engine: Arc<Engine>,
    receiver: Arc<Receiver>,
    close: &watch::Sender<bool>,
) -> JoinSet<()> {
    let mut listeners = JoinSet::new();
    match hooks {
        None => {
            let doors = Doors::default();
            listeners.spawn(console::serve_with_hooks(status, engine, receiver, doors, close.subscribe()));
        }
        Some(hooks) => {
            listeners.spawn(console::serve(status, engine, close.subscribe()));
            listeners.spawn(console::hooks::serve(hooks, receiver, Doors::default(), close.subscribe()));
        }
    }
    listeners
}

/// Waits until all have ended, for a while; what has not is cut off.
async fn closed(mut listeners: JoinSet<()>) -> anyhow::Result<()> {
    let all = async {
        while let Some(ended) = listeners.join_next().await {
            ended?;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(LISTENERS_GRACE, all).await.unwrap_or(Ok(()))
}

/// Ctrl-C and SIGTERM, heard from the moment this is made: whoever was told that the program runs can end it.
pub struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    /// Begins to listen.
    pub fn listen() -> anyhow::Result<Stop> {
        Ok(Stop { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for either.
    pub async fn asked(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Waits for Ctrl-C or SIGTERM.
pub async fn stop_signal() -> anyhow::Result<()> {
    Stop::listen()?.asked().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_asana_cannot_call_is_told_at_the_start() {
        let at: SocketAddr = ([127, 0, 0, 1], 8400).into();
        let said = |url: &str| deliveries(at, Some(&Url::parse(url).unwrap()));
        let public = said("https://erp.example/base/");
        assert!(public.ends_with("and sent to https://erp.example/base/hooks/asana/"), "{public}");
        for local in ["http://127.0.0.1:8400", "https://erp", "https://10.1.2.3"] {
            assert!(said(local).contains("Asana itself cannot"), "{local}");
        }
        assert!(deliveries(at, None).contains("the sweep finds completions"));
    }
}
