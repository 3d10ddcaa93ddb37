//! `connection activate`: says what the first synchronisation will take, and shows how it goes.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use connector::Engine;
use connector::dry_run::report::{estimate, minutes};
use connector::feed::Feed;
use connector::manage::{self, FirstLook};
use connector::store::connections::{self, Connection, State};
use connector::store::dry_runs::{self, DryRun};
use connector::store::jobs::{self, Job};
use connector::store::movements;
use tokio::sync::watch;

use crate::cli::Global;
use crate::commands::poll::Shown;
use crate::commands::serve::Stop;
use crate::database::Database;
use crate::output;

/// How often the progress is looked at, unless looking takes long.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Of the time, at most one part in so many is spent on looking.
pub(super) const LOOKING: u32 = 20;

/// How it is activated.
#[derive(Debug, Args)]
pub struct ActivateArgs {
    /// The connection's name
    name: String,
    /// Activate for the first time although no dry run shows what will be written
    #[arg(long)]
    without_dry_run: bool,
    /// Show the progress of the first synchronisation, which a running `serve` makes; Ctrl-C pauses it safely
    #[arg(long)]
    follow: bool,
}

/// Activates a connection.
pub async fn run(database: &Database, args: ActivateArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let engine = database.engine(global)?;
    let connection = connections::find(&database.pool, &args.name).await?;
    // heard before anything is said: whoever is told that it goes on can stop it
    let stop = if args.follow { Some(Stop::listen()?) } else { None };
    let look = if args.without_dry_run { FirstLook::Waived } else { FirstLook::Required };
    manage::activate(&engine, &connection, look).await?;
    let (message, foretold) = told(&engine, &connection).await?;
    if global.json {
        let first = foretold.as_ref().map(|made| {
            serde_json::json!({
                "counts": made.counts, "minutes": minutes(&made.counts, &connection.settings) })
        });
        output::json(&serde_json::json!({ "done": message, "first_synchronisation": first }))?;
    } else {
        output::say(&message);
    }
    if let Some(stop) = stop {
        follow(&engine, &connection, foretold.as_ref(), stop).await?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What is said of a connection, as it was before it was activated; and the dry run that foretells the first
/// synchronisation, when there is one that fits.
pub(super) async fn told(
    engine: &Engine,
    connection: &Connection,
) -> Result<(String, Option<DryRun>), connector::Error> {
    let made = dry_runs::last(&engine.db, connection.id).await?;
    let foretold = made.filter(|made| {
        let fits = made.whole && made.settings_version == connection.settings_version;
        fits && connection.state == State::Draft
    });
    let name = &connection.name;
    let message = match &foretold {
        Some(made) => format!(
            "`{name}` is active; a running `serve` begins within a second. The first synchronisation: {}. \
             `ml-connector connection pause {name}` stops it safely at any time",
            estimate(&made.counts, &connection.settings)
        ),
        None => format!("`{name}` is active; a running `serve` begins within a second"),
    };
    Ok((message, foretold))
}

/// Shows how far the first synchronisation is until it is through. Ctrl-C pauses the connection: what was written
/// stays, what is under way is finished and recorded, and activating again goes on.
async fn follow(
    engine: &Engine,
    connection: &Connection,
    foretold: Option<&DryRun>,
    stop: Stop,
) -> anyhow::Result<()> {
    let from = movements::frontier(&engine.db, connection.id).await?;
    let before = movements::delivered_from(&engine.db, connection.id, from).await?;
    let written = async || {
        let delivered = movements::delivered_from(&engine.db, connection.id, from).await?;
        Ok::<_, connector::Error>(delivered.saturating_sub(before))
    };
    let total = foretold.map(|made| made.counts.created + made.counts.updated + made.counts.unchanged);
    let progress = watch::Sender::new(0);
    let shown = Shown::start(&progress, "records settled", total.filter(|total| *total > 0));
    let asked = jiff::Timestamp::now();
    let mut asked_to_stop = std::pin::pin!(stop.asked());
    let mut wait = Duration::ZERO;
    let ended = loop {
        tokio::select! {
            () = &mut asked_to_stop => break false,
            () = tokio::time::sleep(wait) => {
                let began = Instant::now();
                progress.send_replace(u64::try_from(written().await?).unwrap_or_default());
                let open = movements::standing(&engine.db, connection.id).await?.open;
                if open == 0 && all_ran(engine, connection, asked).await? {
                    break true;
                }
                wait = LOOK_EVERY.max(began.elapsed() * LOOKING);
            }
        }
    };
    shown.end();
    let written = written().await?;
    let standing = movements::standing(&engine.db, connection.id).await?;
    let name = &connection.name;
    if ended {
        output::say(&format!(
            "the first synchronisation is through: {written} records delivered, {} held, {} failed",
            standing.held, standing.failed
        ));
    } else {
        manage::pause(engine, &connections::load(&engine.db, connection.id).await?).await?;
        output::say(&format!(
            "`{name}` is paused after {written} records; `ml-connector connection activate {name}` goes on from there"
        ));
    }
    Ok(())
}

/// Whether both feeds were read and pushed since.
async fn all_ran(
    engine: &Engine,
    connection: &Connection,
    since: jiff::Timestamp,
) -> Result<bool, connector::Error> {
    let wanted: Vec<&str> =
        Feed::ALL.into_iter().map(Job::Poll).chain([Job::Push]).map(Job::as_str).collect();
    let jobs = jobs::status(&engine.db, connection.id).await?;
    let mut of_feeds = jobs.iter().filter(|job| wanted.contains(&job.job.as_str()));
    Ok(of_feeds
        .all(|job| !job.running && job.code.is_none() && job.finished_at.is_some_and(|at| at >= since)))
}
