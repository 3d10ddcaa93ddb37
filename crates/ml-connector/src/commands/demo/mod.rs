//! `demo`: everything in one process, so that a person can see it work.

mod books;
mod changes;
mod check;
mod moved;
mod scene;
mod summary;
mod way_back;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use connector::feed::Feed;
use connector::node;
use connector::store::jobs::{self, Job};
use connector::store::movements;
use tokio::sync::watch;

use crate::cli::Global;
use crate::commands::poll::Shown;
use crate::commands::serve::{self, stop_signal};
use crate::{exit, output};

use scene::Scene;
use summary::Summary;

/// How often the demo looks for changes made on the stand-ins' pages.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What to show.
#[derive(Debug, Clone, Args)]
pub struct DemoArgs {
    /// End after the summary
    #[arg(long)]
    pub once: bool,
    /// Load published orders and invoices (JSON Lines) from this directory instead of making some up
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// How many orders to make up, and as many invoices
    #[arg(long, default_value_t = 300, value_name = "N")]
    pub orders: usize,
    /// Equal seeds make equal data
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
    /// Requests a minute that the Asana stand-in allows; the real one allows 1500 or 150
    #[arg(long, default_value_t = 30_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub asana_rate: u32,
    /// Where the status page is served
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    pub listen: std::net::SocketAddr,
}

/// Runs the demo.
pub async fn run(args: DemoArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let begun = Instant::now();
    let say = |text: &str| {
        if !global.json {
            output::say(text);
        }
    };
    say("starting a private PostgreSQL and the stand-ins for Oracle Fusion and Asana ...");
    let scene = Scene::set(&args, global).await?;
    let (orders, invoices) = scene.sandbox.oracle().counts();
    say(&format!(
        "Oracle has {orders} orders and {invoices} invoices; connection `demo` was added, ping is fine"
    ));

    synchronise(&scene, "first synchronisation").await?;
    let before = jiff::Timestamp::now();
    let changed = changes::apply(&scene)?;
    say(&format!("changed in Oracle: {}", changed.join("; ")));
    synchronise(&scene, "second poll").await?;
    let written = moved::table(&scene, before).await?;

    say("completing tasks in Asana ...");
    let serving = way_back::Serving::start(&scene, scene.listen_for_hooks()?).await?;
    let completed = way_back::complete(&scene).await?;
    // nothing moves while it is counted
    serving.end().await?;
    scene.push_until_settled(&watch::Sender::new(0)).await?;

    let summary = Summary::of(&scene, &completed, begun.elapsed()).await?;
    if global.json {
        output::json(&summary)?;
    } else {
        output::data("What the second poll wrote to Asana:");
        output::data(&written);
        output::data(&summary.table());
    }
    for difference in &summary.differences {
        output::complain(&format!("difference: {difference}"));
    }
    let good = summary.consistent && summary.movements_failed == 0;
    if !args.once {
        stay(&scene, &args, global).await?;
    }
    scene.close().await?;
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::from(exit::FOUND_PROBLEMS) })
}

/// Polls both feeds and pushes, with a progress bar.
async fn synchronise(scene: &Scene, what: &'static str) -> anyhow::Result<()> {
    let progress = watch::Sender::new(0);
    let polls: Vec<Job> = Feed::ALL.into_iter().map(Job::Poll).collect();
    let shown = Shown::start(&progress, "reading from Oracle", None);
    let polled = node::run_once(&scene.engine, scene.connection, &polls, &progress).await;
    shown.end();
    polled?;
    let open = movements::standing(&scene.engine.db, scene.connection).await?.open;
    let shown = Shown::start(&progress, what, u64::try_from(open).ok());
    let pushed = scene.push_until_settled(&progress).await;
    shown.end();
    pushed
}

/// Serves until Ctrl-C, and takes over what a person changes on the pages.
async fn stay(scene: &Scene, args: &DemoArgs, global: &Global) -> anyhow::Result<()> {
    let listener = serve::bound(args.listen).await?;
    let status = listener.local_addr()?;
    let serving = way_back::Serving::start(scene, scene.listen_for_hooks()?).await?;
    let stop = watch::Sender::new(false);
    let web = tokio::spawn(console::serve(listener, scene.engine.clone(), stop.subscribe()));
    let mut addresses = output::table(&["open in a browser", "to see"]);
    addresses.add_row([
        format!("{}/", scene.sandbox.oracle_url()),
        "the orders and journals in Oracle; change one".to_owned(),
    ]);
    addresses.add_row([scene.board_url(), "the tasks in Asana; complete one".to_owned()]);
    addresses.add_row([format!("http://{status}/"), "what the connector is doing".to_owned()]);
    output::say(&addresses.to_string());
    output::say(&format!("changes are taken over every {} s; Ctrl-C ends it", LOOK_EVERY.as_secs()));
    if global.json {
        tracing::info!("staying up");
    }
    let asking = tokio::spawn(ask_again_and_again(scene.engine.clone(), scene.connection));
    stop_signal().await?;
    asking.abort();
    stop.send_replace(true);
    web.await?;
    serving.end().await
}

async fn ask_again_and_again(engine: Arc<connector::Engine>, connection: connector::ids::ConnectionId) {
    let mut every = tokio::time::interval(LOOK_EVERY);
    loop {
        every.tick().await;
        let jobs = [Job::Poll(Feed::PurchaseOrders), Job::Poll(Feed::Invoices), Job::Push];
        if let Err(error) = jobs::ask_for(&engine.db, connection, &jobs).await {
            tracing::warn!(%error, "the poll could not be asked for");
        }
    }
}
