//! `reconcile`: compares both systems completely, puts right what differs, and shows what the last run found.

mod last;
mod show;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use connector::feed::Feed;
use connector::reconcile::repair::Opened;
use connector::reconcile::report::{Kind, Report};
use connector::reconcile::run::Done;
use connector::store::connections::{self, Connection};
use connector::store::jobs::Job;
use connector::{Code, Engine, node, reconcile};
use tokio::sync::watch;

use super::poll::{self, Ran, Shown};
use crate::cli::Global;
use crate::database::Database;
use crate::exit;
use crate::output;

/// How often a busy connection is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// What is compared, and what becomes of it.
#[derive(Debug, Args)]
pub struct ReconcileArgs {
    /// The connection's name
    connection: String,
    /// Only compare and write nothing, in either system or in the database; ends with 3 when something differs
    #[arg(long)]
    check: bool,
    /// Show what the last run found and what became of it, and compare nothing
    #[arg(long, conflicts_with_all = ["check", "wait"])]
    last: bool,
    /// List the runs that are kept, and compare nothing
    #[arg(long, conflicts_with_all = ["check", "last", "wait"])]
    runs: bool,
    /// Show at most so many differences; all are counted
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    /// How long to wait while another node is working on the connection
    #[arg(long, default_value_t = 75, value_name = "SECONDS", conflicts_with = "check")]
    wait: u64,
}

/// Compares, and repairs unless only a check was asked for; or shows what was found before.
pub async fn run(args: ReconcileArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let database = Database::ready(global).await?;
    let connection = connections::find(&database.pool, &args.connection).await?;
    let code = if args.last {
        last::last(&database.pool, &connection, args.limit, global).await?
    } else if args.runs {
        last::runs(&database.pool, &connection, global).await?
    } else {
        let engine = database.engine(global)?;
        if args.check {
            check(&engine, &connection, args.limit, global).await?
        } else {
            repair(&engine, &connection, &args, global).await?
        }
    };
    database.close().await?;
    Ok(code)
}

async fn check(
    engine: &Engine,
    connection: &Connection,
    limit: usize,
    global: &Global,
) -> anyhow::Result<ExitCode> {
    let progress = watch::Sender::new(0);
    let shown = Shown::start(&progress, "reading and comparing; nothing is written", None);
    let compared = reconcile::check(engine, connection.id, &progress).await;
    shown.end();
    let mut report = compared?;
    tell(connection, &mut report, None, limit, global)?;
    Ok(if report.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(exit::FOUND_PROBLEMS) })
}

/// Compares, opens the repairs, and runs the jobs that make them.
async fn repair(
    engine: &Engine,
    connection: &Connection,
    args: &ReconcileArgs,
    global: &Global,
) -> anyhow::Result<ExitCode> {
    let patience = Duration::from_secs(args.wait);
    let progress = watch::Sender::new(0);
    let shown = Shown::start(&progress, "reading and comparing", None);
    let until = Instant::now() + patience;
    let compared = loop {
        match node::reconcile(engine, connection.id, patience, &progress).await {
            Err(busy) if busy.code == Code::LeaseBusy && Instant::now() < until => {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            result => break result,
        }
    };
    shown.end();
    let Done { mut report, opened, .. } = compared?;
    let repaired = match opened {
        None => None,
        Some(opened) => Some((opened, put_right(engine, connection, opened, patience).await)),
    };
    tell(connection, &mut report, repaired.as_ref(), args.limit, global)?;
    let Some((opened, ran)) = repaired else { return Ok(ExitCode::SUCCESS) };
    match ran.into_iter().find_map(|(_, result)| result.err()) {
        Some(error) => Err(error.into()),
        None if opened.left == 0 => Ok(ExitCode::SUCCESS),
        None => Ok(ExitCode::from(exit::FOUND_PROBLEMS)),
    }
}

async fn put_right(engine: &Engine, connection: &Connection, opened: Opened, patience: Duration) -> Ran {
    let mut jobs: Vec<Job> = Vec::new();
    if opened.scans + opened.polls > 0 {
        jobs.extend(Feed::ALL.map(Job::Poll));
    }
    jobs.push(Job::Push);
    poll::patiently(engine, connection.id, &jobs, "putting right", patience).await
}

fn tell(
    connection: &Connection,
    report: &mut Report,
    repaired: Option<&(Opened, Ran)>,
    limit: usize,
    global: &Global,
) -> anyhow::Result<()> {
    if global.json {
        return json(connection, report, repaired, limit);
    }
    table(report, limit)?;
    summary(connection, report, repaired);
    Ok(())
}

fn table(report: &mut Report, limit: usize) -> anyhow::Result<()> {
    let mut table = output::table(&show::COLUMNS);
    let count = report.len().min(limit);
    for place in 0..count {
        if let Some(difference) = report.difference(place)? {
            for row in show::rows(&difference) {
                table.add_row(row);
            }
        }
    }
    if count > 0 {
        output::data(&table.to_string());
    }
    if count < report.len() {
        output::say(&format!("and {} more; --limit N shows more", report.len() - count));
    }
    Ok(())
}

fn summary(connection: &Connection, report: &Report, repaired: Option<&(Opened, Ran)>) {
    let mut rows = vec![(
        "compared".to_owned(),
        format!("{} records, {} tasks, {} journals", report.records, report.tasks, report.journals),
    )];
    rows.extend(report.counts.iter().map(|(kind, count)| (kind.as_str().to_owned(), count.to_string())));
    if !report.is_empty() {
        rows.push(("explained by a movement".to_owned(), report.explained.to_string()));
        rows.push(("changed just now, or on the way".to_owned(), report.under_way.to_string()));
    }
    if let Some((opened, ran)) = repaired {
        rows.push(("movements opened".to_owned(), opened.movements.to_string()));
        for (job, result) in ran {
            let did = result.as_ref().map_or_else(|error| format!("failed: {error}"), poll::sentence);
            rows.push((job.as_str().to_owned(), did));
        }
        rows.push(("left to a person".to_owned(), opened.left.to_string()));
    }
    output::data(&output::pairs(rows).to_string());
    let name = &connection.name;
    output::say(&match repaired {
        None if report.is_empty() => "both systems agree".to_owned(),
        None => format!("nothing was written; ml-connector reconcile {name} puts right what it can"),
        Some(_) => format!("see again with: ml-connector reconcile {name} --check"),
    });
}

/// Prints everything as one JSON value, difference by difference.
fn json(
    connection: &Connection,
    report: &mut Report,
    repaired: Option<&(Opened, Ran)>,
    limit: usize,
) -> anyhow::Result<()> {
    let counts: serde_json::Map<String, serde_json::Value> =
        report.counts.iter().map(|(kind, count)| (kind.as_str().to_owned(), (*count).into())).collect();
    let left: Vec<&str> =
        report.counts.keys().copied().filter(|kind| !kind.is_repaired()).map(Kind::as_str).collect();
    let head = serde_json::json!({
        "name": connection.name,
        "agrees": report.is_empty(),
        "compared": { "records": report.records, "tasks": report.tasks, "journals": report.journals },
        "counts": counts,
        "explained": report.explained,
        "under_way": report.under_way,
        "for_a_person": left,
        "repaired": repaired.map(|(opened, _)| opened),
    });
    let head = serde_json::to_string(&head)?;
    output::data(&format!("{},\n  \"differences\": [", head.strip_suffix('}').unwrap_or(&head)));
    let count = report.len().min(limit);
    for place in 0..count {
        if let Some(difference) = report.difference(place)? {
            let comma = if place + 1 < count { "," } else { "" };
            output::data(&format!("    {}{comma}", serde_json::to_string(&difference)?));
        }
    }
    output::data("  ]\n}");
    Ok(())
}
