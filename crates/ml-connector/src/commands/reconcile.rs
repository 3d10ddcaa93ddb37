//! `reconcile`: compares both systems completely, and puts right what differs.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use connector::feed::Feed;
use connector::reconcile;
use connector::reconcile::repair::{self, Opened};
use connector::reconcile::report::{Difference, Kind, Report};
use connector::store::connections::{self, Connection};
use connector::store::jobs::Job;
use connector::{Code, Engine};
use tokio::sync::watch;

use super::poll::{self, Ran, Shown};
use crate::cli::Global;
use crate::database::Database;
use crate::exit;
use crate::output::{self, short};

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
    /// Show at most so many differences; all are counted
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    /// How long to wait while another node is working on the connection
    #[arg(long, default_value_t = 75, value_name = "SECONDS", conflicts_with = "check")]
    wait: u64,
}

/// Compares, and repairs unless only a check was asked for.
pub async fn run(args: ReconcileArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let database = Database::ready(global).await?;
    let engine = database.engine(global)?;
    let connection = connections::find(&database.pool, &args.connection).await?;
    let progress = watch::Sender::new(0);
    let what = if args.check { "reading and comparing; nothing is written" } else { "reading and comparing" };
    let shown = Shown::start(&progress, what, None);
    let compared = reconcile::check(&engine, connection.id, &progress).await;
    shown.end();
    let mut report = compared?;
    let repaired = if args.check || report.is_empty() {
        None
    } else {
        Some(repaired(&engine, &connection, &mut report, Duration::from_secs(args.wait)).await?)
    };
    if global.json {
        json(&connection, &mut report, repaired.as_ref(), args.limit)?;
    } else {
        table(&mut report, args.limit)?;
        summary(&connection, &report, repaired.as_ref());
    }
    database.close().await?;
    match repaired {
        None if report.is_empty() => Ok(ExitCode::SUCCESS),
        None => Ok(ExitCode::from(exit::FOUND_PROBLEMS)),
        Some((opened, ran)) => match ran.into_iter().find_map(|(_, result)| result.err()) {
            Some(error) => Err(error.into()),
            None if opened.left == 0 => Ok(ExitCode::SUCCESS),
            None => Ok(ExitCode::from(exit::FOUND_PROBLEMS)),
        },
    }
}

/// Opens the repairs, and runs the jobs that make them.
async fn repaired(
    engine: &Engine,
    connection: &Connection,
    report: &mut Report,
    patience: Duration,
) -> anyhow::Result<(Opened, Ran)> {
    let until = Instant::now() + patience;
    let opened = loop {
        match repair::open(engine, connection.id, report).await {
            Err(busy) if busy.code == Code::LeaseBusy && Instant::now() < until => {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            result => break result?,
        }
    };
    let mut jobs: Vec<Job> = Vec::new();
    if opened.scans > 0 {
        jobs.extend(Feed::ALL.map(Job::Poll));
    }
    jobs.push(Job::Push);
    let ran = poll::patiently(engine, connection.id, &jobs, "putting right", patience).await;
    Ok((opened, ran))
}

fn table(report: &mut Report, limit: usize) -> anyhow::Result<()> {
    let mut table = output::table(&["difference", "whose", "field", "expected", "shown", "explained by"]);
    let count = report.len().min(limit);
    for place in 0..count {
        let Some(difference) = report.difference(place)? else { continue };
        let explained = explained(&difference);
        let mut first = [difference.kind.as_str().to_owned(), whose(&difference)];
        if difference.values.is_empty() {
            let reason = match (&difference.code, &difference.reason) {
                (Some(code), Some(reason)) => format!("{code}: {reason}"),
                (_, reason) => reason.clone().unwrap_or_default(),
            };
            let [kind, whose] = first;
            table.add_row([kind, whose, "-".to_owned(), reason, "-".to_owned(), explained]);
            continue;
        }
        for value in &difference.values {
            let text = |value: &Option<String>| value.as_deref().map_or_else(|| "-".to_owned(), short);
            let [kind, whose] = std::mem::take(&mut first);
            let field = value.field.as_str().to_owned();
            table.add_row([kind, whose, field, text(&value.expected), text(&value.shown), explained.clone()]);
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

/// Whose a difference is, in a few words.
fn whose(difference: &Difference) -> String {
    let record = match (difference.feed.as_str(), difference.order_number.as_str()) {
        ("", "") => String::new(),
        ("", number) => number.to_owned(),
        ("invoices", _) => format!("invoice {}", difference.source_id),
        (_, "") => format!("order {}", difference.source_id),
        (_, number) => number.to_owned(),
    };
    let line =
        if difference.line_id.is_empty() { String::new() } else { format!("line {}", difference.line_id) };
    let tasks: Vec<String> = difference.tasks.iter().map(|task| format!("task {task}")).collect();
    [record, line, tasks.join(", ")]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(", ")
}

fn explained(difference: &Difference) -> String {
    match &difference.explained {
        None => "-".to_owned(),
        Some(why) => {
            let code = why.code.as_deref().map(|code| format!(" {code}")).unwrap_or_default();
            format!("{}{code}, movement {}", why.state, why.movement)
        }
    }
}

fn summary(connection: &Connection, report: &Report, repaired: Option<&(Opened, Ran)>) {
    let mut rows = vec![(
        "compared".to_owned(),
        format!("{} records, {} tasks, {} journals", report.records, report.tasks, report.journals),
    )];
    rows.extend(report.counts.iter().map(|(kind, count)| (kind.as_str().to_owned(), count.to_string())));
    if !report.is_empty() {
        rows.push(("explained by a movement".to_owned(), report.explained.to_string()));
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
