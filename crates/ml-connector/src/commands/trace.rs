//! `trace`: everything that happened about one order or one task.

use std::process::ExitCode;

use clap::Args;
use connector::store::connections;
use connector::trace::{self, Trace};

use crate::cli::Global;
use crate::database::Database;
use crate::output;

/// What to trace.
#[derive(Debug, Args)]
pub struct TraceArgs {
    /// The connection's name
    connection: String,
    /// An order's number, or a task's gid
    #[arg(value_name = "PO-NUMBER|TASK")]
    what: String,
    /// Print records, requests and answers in full
    #[arg(long)]
    full: bool,
}

/// Prints the time line.
pub async fn run(args: TraceArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let database = Database::ready(global).await?;
    let result = shown(&database, &args, global).await;
    database.close().await?;
    result
}

async fn shown(database: &Database, args: &TraceArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let connection = connections::find(&database.pool, &args.connection).await?;
    let mut trace = trace::of(&database.pool, &connection, &args.what).await?;
    if !args.full {
        for entry in &mut trace.entries {
            entry.full = None;
        }
    }
    if global.json {
        output::json(&trace)?;
    } else {
        print(&trace, args.full);
    }
    Ok(ExitCode::SUCCESS)
}

fn print(trace: &Trace, full: bool) {
    let listed = |ids: &[String]| if ids.is_empty() { "none".to_owned() } else { ids.join(", ") };
    let subjects =
        [("orders and invoices", listed(&trace.subjects.records)), ("tasks", listed(&trace.subjects.tasks))];
    output::data(&output::pairs(subjects).to_string());
    let mut table = output::table(&["when", "where", "what"]);
    for entry in &trace.entries {
        let code = entry.code.as_deref().map(|code| format!("{code}: ")).unwrap_or_default();
        let node = entry.node.map(|node| format!("\nnode {node}")).unwrap_or_default();
        let id = entry.id.as_deref().map(|id| format!("\n{id}")).unwrap_or_default();
        let text = entry.full.as_deref().map(|full| format!("\n{full}")).unwrap_or_default();
        let row = [
            output::when(Some(entry.at)),
            entry.place.as_str().to_owned(),
            format!("{code}{}{id}{node}{text}", entry.what),
        ];
        table.add_row(row);
    }
    output::data(&table.to_string());
    if trace.cut {
        output::say(
            "there is more: of each kind only the newest are told; `movements list` and `export` have all",
        );
    }
    if !full {
        output::say("records, requests and answers with --full");
    }
}
