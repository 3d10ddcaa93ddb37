//! `search`: finding movements and journals by what people know of them.

use std::process::ExitCode;

use clap::{ArgGroup, Args};
use connector::search::{self, Answer, Found, Wanted, Words};
use connector::store::connections;
use jiff::Timestamp;
use tokio::sync::watch;

use crate::cli::Global;
use crate::commands::poll::Shown;
use crate::database::Database;
use crate::output;

/// What to look for.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).multiple(true))]
pub struct SearchArgs {
    /// The connection's name
    connection: String,
    /// Words, each from its beginning: of a number, a supplier or a reason; or a task or a batch as a whole
    #[arg(group = "what")]
    text: Option<String>,
    /// A purchase order's number
    #[arg(long, value_name = "NUMBER", group = "what")]
    po: Option<String>,
    /// A task's gid
    #[arg(long, value_name = "GID", group = "what")]
    task: Option<String>,
    /// Words of a supplier's name
    #[arg(long, value_name = "NAME", group = "what")]
    supplier: Option<String>,
    /// An invoice's number, or how it begins
    #[arg(long, value_name = "NUMBER", group = "what")]
    invoice: Option<String>,
    /// A journal's batch, group or request in Oracle
    #[arg(long, value_name = "ID", group = "what")]
    batch: Option<String>,
    /// Only what was opened at this moment or later, such as 2026-11-01T00:00:00Z
    #[arg(long, value_name = "TIME", value_parser = crate::commands::chosen::moment)]
    since: Option<Timestamp>,
    /// At most this many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
}

/// Prints what fits.
pub async fn run(args: SearchArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let database = Database::ready(global).await?;
    let answer = answer(&database, args).await;
    database.close().await?;
    let answer = answer?;
    if global.json {
        output::json(&answer)?;
    } else {
        print(&answer);
    }
    Ok(ExitCode::SUCCESS)
}

async fn answer(database: &Database, args: SearchArgs) -> anyhow::Result<Answer> {
    let db = &database.pool;
    let connection = connections::find(db, &args.connection).await?;
    let limit = usize::try_from(args.limit)?;
    let progress = watch::Sender::new(0);
    let shown = Shown::start(&progress, "taking up what is new", None);
    let taken_up = search::take_up(db, connection.id, |count| {
        progress.send_replace(count);
    })
    .await;
    shown.end();
    taken_up?;
    let words = Words { supplier: args.supplier, invoice: args.invoice, text: args.text };
    let wanted =
        Wanted { order_number: args.po, task: args.task, batch: args.batch, words, since: args.since };
    Ok(search::find(db, connection.id, &wanted, limit).await?)
}

fn print(answer: &Answer) {
    if answer.found.is_empty() {
        output::say("nothing fits");
    } else {
        output::data(&table(&answer.found).to_string());
        output::say("more of each with `movements show NAME ID` and `journals show NAME ID`");
        if answer.found.iter().any(|found| found.what == "choice") {
            output::say("a choice stands on its task in Asana; `reference check NAME` lists all of them");
        }
    }
    if answer.more {
        output::say("these are the newest; more with --limit");
    }
    if answer.broad {
        output::say(
            "so many records fit that not all of their journals and reasons were looked at; narrow it with --po or another word",
        );
    }
}

fn table(found: &[Found]) -> output::Table {
    let mut table = output::table(&["when", "what", "number", "supplier", "task, journal", "state", "id"]);
    for f in found {
        let places: Vec<&str> = [f.task.as_deref(), f.journal.as_deref()].into_iter().flatten().collect();
        let why: Vec<&str> = [f.code.as_deref(), f.reason.as_deref()].into_iter().flatten().collect();
        let why = if why.is_empty() { String::new() } else { format!("\n{}", why.join(": ")) };
        table.add_row([
            output::when(Some(f.at)),
            f.what.clone(),
            f.number.as_deref().unwrap_or("-").replace('\n', ", "),
            f.supplier.clone().unwrap_or_else(|| "-".to_owned()),
            places.join("\n"),
            format!("{}{why}", f.state),
            f.id.map_or_else(|| "-".to_owned(), |id| id.to_string()),
        ]);
    }
    table
}
