//! `alerts`: what a person must know.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use connector::ids::{AlertId, ConnectionId};
use connector::store::alerts::{self, Alert};
use connector::store::connections;
use connector::{Code, Error};

use crate::cli::Global;
use crate::database::Database;
use crate::output;

/// Looking at alerts.
#[derive(Debug, Subcommand)]
pub enum AlertsCommand {
    /// List the open alerts, newest first
    List {
        #[command(flatten)]
        of: Of,
        /// Those that are closed too
        #[arg(long)]
        all: bool,
        /// At most this many
        #[arg(long, default_value_t = 50)]
        limit: i64,
    },
    /// Show one alert: what is known, and what to do
    Show {
        #[command(flatten)]
        of: Of,
        /// The alert's id, or its beginning or end
        #[arg(long, value_name = "ID")]
        id: String,
    },
    /// Take note of an open alert; it closes by itself when its cause is gone
    Ack {
        #[command(flatten)]
        of: Of,
        /// The alert's id, or its beginning or end
        #[arg(long, value_name = "ID")]
        id: String,
        /// Who takes note
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
        /// What is being done about it
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
    },
}

/// Whose alerts.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Of {
    /// The connection's name
    connection: Option<String>,
    /// Alerts about nodes, which belong to no connection
    #[arg(long)]
    nodes: bool,
}

/// Alerts that are looked through for an id.
const LOOKED_THROUGH: i64 = 10_000;

/// Runs the command.
pub async fn run(command: AlertsCommand, global: &Global) -> anyhow::Result<ExitCode> {
    let database = Database::ready(global).await?;
    let result = match command {
        AlertsCommand::List { of, all, limit } => list(&database, &of, all, limit.max(1), global).await,
        AlertsCommand::Show { of, id } => show(&database, &of, &id, global).await,
        AlertsCommand::Ack { of, id, by, note } => {
            acknowledge(&database, &of, &id, by.as_deref(), note.as_deref()).await
        }
    };
    database.close().await?;
    result
}

async fn whose(database: &Database, of: &Of) -> anyhow::Result<ConnectionId> {
    match &of.connection {
        Some(name) => Ok(connections::find(&database.pool, name).await?.id),
        None => Ok(connector::alerts::NODES),
    }
}

async fn list(
    database: &Database,
    of: &Of,
    all: bool,
    limit: i64,
    global: &Global,
) -> anyhow::Result<ExitCode> {
    let found = alerts::list(&database.pool, whose(database, of).await?, all, limit).await?;
    if global.json {
        output::json(&found)?;
        return Ok(ExitCode::SUCCESS);
    }
    if found.is_empty() {
        output::say(if all { "there was no alert yet" } else { "no alert is open" });
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = output::table(&["alert", "what happened", "since", "state"]);
    for alert in &found {
        let since = output::when(Some(alert.opened_at));
        table.add_row([alert.alert_id.to_string(), alert.title.clone(), since, state(alert)]);
    }
    output::data(&table.to_string());
    Ok(ExitCode::SUCCESS)
}

fn state(alert: &Alert) -> String {
    match (alert.closed_at, alert.acked_at) {
        (Some(at), _) => format!("closed {}", output::when(Some(at))),
        (None, Some(_)) => format!("acknowledged by {}", alert.acked_by.as_deref().unwrap_or("somebody")),
        (None, None) => "open".to_owned(),
    }
}

/// The one alert with this id, or whose id begins or ends so.
async fn one(database: &Database, connection: ConnectionId, id: &str) -> anyhow::Result<Alert> {
    let mut found = alerts::list(&database.pool, connection, true, LOOKED_THROUGH).await?;
    found.retain(|alert| {
        let full = alert.alert_id.to_string();
        full.starts_with(id) || full.ends_with(id)
    });
    match (found.pop(), found.is_empty()) {
        (Some(alert), true) => Ok(alert),
        (Some(_), false) => Err(Error::new(Code::AlertUnknown, format!("several alerts fit `{id}`")).into()),
        (None, _) => Err(unknown(id).into()),
    }
}

fn unknown(id: impl std::fmt::Display) -> Error {
    Error::new(Code::AlertUnknown, format!("there is no alert `{id}` to be found here"))
}

async fn show(database: &Database, of: &Of, id: &str, global: &Global) -> anyhow::Result<ExitCode> {
    let alert = one(database, whose(database, of).await?, id).await?;
    if global.json {
        output::json(&alert)?;
        return Ok(ExitCode::SUCCESS);
    }
    let table = output::pairs([
        ("alert", alert.alert_id.to_string()),
        ("kind", alert.kind.clone()),
        ("about", alert.subject.clone()),
        ("code", alert.code.clone().unwrap_or_default()),
        ("count", alert.count.to_string()),
        ("state", state(&alert)),
        ("opened", output::when(Some(alert.opened_at))),
        ("last seen", output::when(Some(alert.seen_at))),
        ("note", alert.note.clone().unwrap_or_default()),
    ]);
    output::data(&table.to_string());
    output::data(&format!("\n{}\n\n{}", alert.title, alert.detail));
    Ok(ExitCode::SUCCESS)
}

async fn acknowledge(
    database: &Database,
    of: &Of,
    id: &str,
    by: Option<&str>,
    note: Option<&str>,
) -> anyhow::Result<ExitCode> {
    let connection = whose(database, of).await?;
    let alert: AlertId = one(database, connection, id).await?.alert_id;
    if !alerts::acknowledge(&database.pool, connection, alert, by, note).await? {
        return Err(unknown(id).into());
    }
    output::say("noted; the alert closes by itself when its cause is gone");
    Ok(ExitCode::SUCCESS)
}
