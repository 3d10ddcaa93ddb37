//! `movements list`.

use std::process::ExitCode;

use clap::Args;
use connector::Code;
use connector::store::movements::{self, Group, Movement};
use connector::store::{choices, connections};

use super::filter::FilterArgs;
use crate::cli::Global;
use crate::database::Database;
use crate::output;

/// What to list.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// The connection's name
    connection: String,
    #[command(flatten)]
    filter: FilterArgs,
    /// Count them by class and code, with an example of each, instead of listing them
    #[arg(long, value_parser = ["class"])]
    group: Option<String>,
    /// At most this many
    #[arg(long, default_value_t = 50)]
    limit: i64,
}

/// Runs the command.
pub async fn run(database: &Database, args: ListArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let connection = connections::find(&database.pool, &args.connection).await?;
    let filter = args.filter.filter();
    if args.group.is_some() {
        return groups(&movements::groups(&database.pool, connection.id, &filter).await?, global);
    }
    let limit = args.limit.max(1);
    let found = movements::list(&database.pool, connection.id, &filter, limit).await?;
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
    if i64::try_from(found.len()).unwrap_or(i64::MAX) == limit {
        output::say(&format!("the newest {limit}; more with --limit"));
    }
    Ok(ExitCode::SUCCESS)
}

/// A movement as an entry of a log: when, what came of it, which record, which task; then its id, which
/// `movements show` takes, and why.
fn entry(m: &Movement) -> String {
    let outcome = m.outcome.as_deref().map(|outcome| format!(": {outcome}")).unwrap_or_default();
    let kind = match m.feed.as_str() {
        "invoices" => "invoice",
        choices::FEED => "mark of task",
        _ => "order",
    };
    let numbers = m.number.as_deref().unwrap_or_default().lines().collect::<Vec<_>>().join(", ");
    let number = if numbers.is_empty() { numbers } else { format!("{numbers} ") };
    let task = m.destination_id.as_deref().map(|task| format!(" -> task {task}")).unwrap_or_default();
    let mut text = format!(
        "{}  {}{outcome}  {kind} {number}({}){task}\n    {}",
        output::when(Some(m.created_at)),
        m.state,
        m.source_id,
        m.movement_id,
    );
    if let Some(of) = m.replay_of {
        text.push_str(&format!("\n    sends again what {of} carried"));
    }
    if let Some(by) = m.settled_by {
        text.push_str(&format!("\n    settled: {by} stands for the record now"));
    }
    let why: Vec<&str> = [m.code.as_deref(), m.reason.as_deref()].into_iter().flatten().collect();
    if !why.is_empty() {
        text.push_str(&format!("\n    {}", why.join(": ")));
    }
    text
}

fn groups(found: &[Group], global: &Global) -> anyhow::Result<ExitCode> {
    if global.json {
        output::json(&found)?;
    } else if found.is_empty() {
        output::say("no movement fits");
    } else {
        output::data(&table(found).to_string());
    }
    Ok(ExitCode::SUCCESS)
}

/// Groups with what their codes mean.
pub(super) fn table(found: &[Group]) -> output::Table {
    let mut table = output::table(&["class", "code", "state", "count", "newest", "an example"]);
    for group in found {
        let code = group.code.as_deref().and_then(Code::find);
        table.add_row([
            code.map_or_else(|| "-".to_owned(), |code| code.class().to_string()),
            code.map_or_else(|| "-".to_owned(), |code| format!("{code} {}", code.info().title)),
            group.state.clone(),
            group.count.to_string(),
            output::when(Some(group.newest_at)),
            group.example.to_string(),
        ]);
    }
    table
}
