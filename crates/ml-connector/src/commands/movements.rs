//! `movements`: the record log.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use connector::ids::MovementId;
use connector::store::attempts::Attempt;
use connector::store::connections;
use connector::store::movements::{self, Filter, FullMovement, Movement};

use crate::cli::Global;
use crate::database::Database;
use crate::output;

/// Looking at the record log.
#[derive(Debug, Subcommand)]
pub enum MovementsCommand {
    /// List movements, newest first
    List(ListArgs),
    /// Show one movement with its record, request and answer
    Show {
        /// The connection's name
        connection: String,
        /// The movement's id
        id: String,
    },
}

/// What to list.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// The connection's name
    connection: String,
    /// Only this state
    #[arg(long, value_parser = ["pending", "sending", "delivered", "retrying", "failed", "held", "in_doubt"])]
    state: Option<String>,
    /// Only this purchase order's number
    #[arg(long, value_name = "NUMBER")]
    po: Option<String>,
    /// Only this task's gid
    #[arg(long, value_name = "GID")]
    task: Option<String>,
    /// At most this many
    #[arg(long, default_value_t = 50)]
    limit: i64,
}

/// Runs the command.
pub async fn run(command: MovementsCommand, global: &Global) -> anyhow::Result<ExitCode> {
    let database = Database::ready(global).await?;
    let result = match command {
        MovementsCommand::List(args) => list(&database, args, global).await,
        MovementsCommand::Show { connection, id } => show(&database, &connection, &id, global).await,
    };
    database.close().await?;
    result
}

async fn list(database: &Database, args: ListArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let connection = connections::find(&database.pool, &args.connection).await?;
    let filter =
        Filter { state: args.state, order_number: args.po, task: args.task, limit: args.limit.max(1) };
    let found = movements::list(&database.pool, connection.id, &filter).await?;
    if global.json {
        output::json(&found)?;
        return Ok(ExitCode::SUCCESS);
    }
    if found.is_empty() {
        output::say("no movement fits");
    }
    for movement in &found {
        output::data(&entry(movement));
    }
    if i64::try_from(found.len()).unwrap_or(i64::MAX) == filter.limit {
        output::say(&format!("the newest {}; more with --limit", filter.limit));
    }
    Ok(ExitCode::SUCCESS)
}

/// A movement as an entry of a log: when, what came of it, which record, which task; then its id, which
/// `movements show` takes, and why.
fn entry(m: &Movement) -> String {
    let outcome = m.outcome.as_deref().map(|outcome| format!(": {outcome}")).unwrap_or_default();
    let kind = if m.feed == "invoices" { "invoice" } else { "order" };
    let number = m.number.as_deref().map(|number| format!("{number} ")).unwrap_or_default();
    let task = m.destination_id.as_deref().map(|task| format!(" -> task {task}")).unwrap_or_default();
    let mut text = format!(
        "{}  {}{outcome}  {kind} {number}({}){task}\n    {}",
        output::when(Some(m.created_at)),
        m.state,
        m.source_id,
        m.movement_id,
    );
    let why: Vec<&str> = [m.code.as_deref(), m.reason.as_deref()].into_iter().flatten().collect();
    if !why.is_empty() {
        text.push_str(&format!("\n    {}", why.join(": ")));
    }
    text
}

async fn show(database: &Database, connection: &str, id: &str, global: &Global) -> anyhow::Result<ExitCode> {
    let connection = connections::find(&database.pool, connection).await?;
    let id: MovementId = id.parse().map_err(|_| anyhow::anyhow!("`{id}` is not a movement's id"))?;
    let found = movements::show(&database.pool, connection.id, id)
        .await?
        .ok_or_else(|| anyhow::anyhow!("`{}` has no movement {id}", connection.name))?;
    if global.json {
        output::json(&found)?;
    } else {
        print(&found);
    }
    Ok(ExitCode::SUCCESS)
}

/// Every request that was sent, with what came of it; `None` when there was none.
pub(crate) fn exchanges(sent: &[Attempt]) -> Option<comfy_table::Table> {
    if sent.is_empty() {
        return None;
    }
    let mut table = output::table(&["sent", "what", "answer", "took", "node", "their id"]);
    for one in sent {
        let answer = match (one.status, one.outcome.as_str()) {
            (Some(status), "answered") => status.to_string(),
            (Some(status), outcome) => format!("{status}, {outcome}"),
            (None, outcome) => outcome.to_owned(),
        };
        let answer = one.code.as_ref().map_or_else(|| answer.clone(), |code| format!("{answer} {code}"));
        table.add_row([
            output::when(Some(one.at)),
            one.what.clone(),
            answer,
            format!("{} ms", one.elapsed_ms),
            one.node_id.to_string(),
            one.request_id.clone().unwrap_or_default(),
        ]);
    }
    Some(table)
}

fn print(found: &FullMovement) {
    let m = &found.movement;
    let table = output::pairs([
        ("movement", m.movement_id.to_string()),
        ("record", format!("{} {}", m.feed, m.source_id)),
        ("task", m.destination_id.clone().unwrap_or_default()),
        ("state", m.state.clone()),
        ("outcome", m.outcome.clone().unwrap_or_default()),
        ("code", m.code.clone().unwrap_or_default()),
        ("reason", m.reason.clone().unwrap_or_default()),
        ("attempts", m.attempts.to_string()),
        ("opened", output::when(Some(m.created_at))),
        ("sent", output::when(m.sent_at)),
        ("ended", output::when(m.finished_at)),
    ]);
    output::data(&table.to_string());
    if let Some(table) = exchanges(&found.exchanges) {
        output::data(&table.to_string());
    }
    for (name, text) in [("record", &found.body), ("request", &found.request), ("answer", &found.response)] {
        if let Some(text) = text {
            output::data(&format!("\n{name}:\n{text}"));
        }
    }
}
