//! `journals`: completed tasks and what became of them in Oracle, for whoever keeps the books.

mod preview;
mod replay;
mod resolve;
mod show;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use connector::code::{Class, Code};
use connector::store::completed::{self, Entry, Filter, Group};
use connector::store::connections;
use jiff::Timestamp;

use crate::cli::Global;
use crate::commands::chosen;
use crate::database::Database;
use crate::output;

/// Looking at completions and their journals, sending rejected ones anew, and deciding doubtful ones.
#[derive(Debug, Subcommand)]
pub enum JournalsCommand {
    /// List completed tasks with their journals, newest first
    List(ListArgs),
    /// Show everything about a completion: the task, the order, the lines, every step
    Show {
        /// The connection's name
        connection: String,
        /// A journal's id, task gid, PO number, batch id, request id or group id
        what: String,
        /// Requests and answers too, whole
        #[arg(long)]
        full: bool,
    },
    /// Show what a task's completion would bring; nothing is written or sent
    Preview {
        /// The connection's name
        connection: String,
        /// A task's gid, or a PO number for each of its tasks
        what: String,
    },
    /// Send a rejected journal anew, as it was planned, after its cause was mended
    Replay(replay::ReplayArgs),
    /// Say of a journal in doubt whether it is in Oracle; nothing follows but what Oracle shows, too
    Resolve(resolve::ResolveArgs),
}

/// What to list.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// The connection's name
    connection: String,
    /// Only this state; `held` and `skipped` are completions without a journal
    #[arg(long, value_parser = [
        "held", "skipped", "ready", "submitting", "submitted", "imported", "rejected", "in_doubt", "withdrawn",
    ])]
    state: Option<String>,
    /// Only tasks that carry this PO number
    #[arg(long, value_name = "NUMBER")]
    po: Option<String>,
    /// Only this task's gid
    #[arg(long, value_name = "GID")]
    task: Option<String>,
    /// Only with codes of this class, such as `value` or `rejected_by_oracle`
    #[arg(long, value_parser = chosen::class)]
    class: Option<Class>,
    /// Only with this code, such as `MLC-5136`
    #[arg(long, value_parser = chosen::code)]
    code: Option<Code>,
    /// Only completed at this moment or later, such as 2026-11-01T00:00:00Z
    #[arg(long, value_name = "TIME", value_parser = crate::commands::chosen::moment)]
    since: Option<Timestamp>,
    /// Only completed before this moment
    #[arg(long, value_name = "TIME", value_parser = crate::commands::chosen::moment)]
    until: Option<Timestamp>,
    /// Count them by class and code, with an example of each, instead of listing them
    #[arg(long, value_parser = ["class"])]
    group: Option<String>,
    /// At most this many
    #[arg(long, default_value_t = 50)]
    limit: i64,
}

/// Runs the command.
pub async fn run(command: JournalsCommand, global: &Global) -> anyhow::Result<ExitCode> {
    let database = Database::ready(global).await?;
    let result = match command {
        JournalsCommand::List(args) => list(&database, args, global).await,
        JournalsCommand::Show { connection, what, full } => {
            show::run(&database, &connection, &what, full, global).await
        }
        JournalsCommand::Preview { connection, what } => {
            preview::run(&database, &connection, &what, global).await
        }
        JournalsCommand::Replay(args) => replay::run(&database, args, global).await,
        JournalsCommand::Resolve(args) => resolve::run(&database, args, global).await,
    };
    database.close().await?;
    result
}

async fn list(database: &Database, args: ListArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let connection = connections::find(&database.pool, &args.connection).await?;
    let filter = Filter {
        state: args.state,
        order_number: args.po,
        task: args.task,
        codes: chosen::codes(args.class, args.code),
        since: args.since,
        until: args.until,
        limit: args.limit.max(1),
    };
    if args.group.is_some() {
        return grouped(&completed::groups(&database.pool, connection.id, &filter).await?, global);
    }
    let found = completed::list(&database.pool, connection.id, &filter).await?;
    if global.json {
        output::json(&found)?;
        return Ok(ExitCode::SUCCESS);
    }
    if found.is_empty() {
        output::say("no completion fits");
    }
    for one in &found {
        output::data(&entry(one));
    }
    if i64::try_from(found.len()).unwrap_or(i64::MAX) == filter.limit {
        output::say(&format!("the newest {}; more with --limit", filter.limit));
    }
    Ok(ExitCode::SUCCESS)
}

/// How many there are of each class and code.
fn grouped(groups: &[Group], global: &Global) -> anyhow::Result<ExitCode> {
    if global.json {
        output::json(&groups)?;
        return Ok(ExitCode::SUCCESS);
    }
    if groups.is_empty() {
        output::say("no completion fits");
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = output::table(&["class", "code", "count", "what happened", "newest"]);
    for group in groups {
        let title = group.code.as_deref().and_then(Code::find).map_or("", |code| code.info().title);
        table.add_row([
            group.class.unwrap_or("-"),
            group.code.as_deref().unwrap_or("-"),
            &group.count.to_string(),
            title,
            &group.example,
        ]);
    }
    output::data(&table.to_string());
    Ok(ExitCode::SUCCESS)
}

/// An entry of the list: when, what came of it, how much, for which order and task; then the ids that `journals show`
/// takes, and why.
fn entry(one: &Entry) -> String {
    let kind = one.kind.as_deref().map(|kind| format!("  {kind}")).unwrap_or_default();
    let money = match (&one.amount, &one.currency, &one.accounting_date) {
        (Some(amount), Some(currency), Some(date)) => format!(" {amount} {currency} on {date}"),
        _ => String::new(),
    };
    let order = one.order_number.as_deref().map(|number| format!("  PO {number}")).unwrap_or_default();
    let title = if one.task_name.is_empty() { String::new() } else { format!(" \"{}\"", one.task_name) };
    let mut text = format!(
        "{}  {}{kind}{money}{order}  task {}{title}",
        output::when(Some(one.completed_at)),
        one.state,
        one.task_gid,
    );
    let ids = [
        one.journal_id.map(|id| id.to_string()),
        one.group_id.as_ref().map(|id| format!("group {id}")),
        one.request_id.as_ref().map(|id| format!("request {id}")),
        one.batch_id.as_ref().map(|id| format!("batch {id}")),
    ];
    let ids: Vec<String> = ids.into_iter().flatten().collect();
    if !ids.is_empty() {
        text.push_str(&format!("\n    {}", ids.join("  ")));
    }
    let why: Vec<&str> = [one.code.as_deref(), one.reason.as_deref()].into_iter().flatten().collect();
    if !why.is_empty() {
        text.push_str(&format!("\n    {}", why.join(": ")));
    }
    text
}
