//! `alerts`: what a person must know.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use connector::ids::{AlertId, ConnectionId};
use connector::store::alerts::{self, Alert};
use connector::store::connections;
use connector::store::jobs::{self, Job};
use connector::{Code, Error};

use crate::cli::Global;
use crate::database::Database;
use crate::{exit, output, secret};

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
    /// Send a test message now, and say what each receiver answered
    Test {
        /// The connection's name
        connection: String,
        /// The channel; without it, every channel
        channel: Option<String>,
    },
    /// Store a channel's secret: a signing secret (`whsec_…`), a Slack hook's address, or a mail password
    Secret {
        /// The connection's name
        connection: String,
        /// The channel
        #[arg(long)]
        channel: String,
        /// File with the secret (`-`: standard input); else ML_CONNECTOR_ALERT_SECRET
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
}

/// Whose alerts; without either, those of all connections and nodes.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub struct Of {
    /// The connection's name; without it, all
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
            acknowledge(&database, &of, &id, by.as_deref(), note.as_deref(), global).await
        }
        AlertsCommand::Test { connection, channel } => {
            test(&database, &connection, channel.as_deref(), global).await
        }
        AlertsCommand::Secret { connection, channel, file } => {
            store_secret(&database, &connection, &channel, file.as_deref(), global).await
        }
    };
    database.close().await?;
    result
}

/// The name under which alerts about nodes are shown.
const OF_NODES: &str = "nodes";

/// Those whose alerts are meant, with their names.
async fn whose(database: &Database, of: &Of) -> Result<Vec<(String, ConnectionId)>, Error> {
    let nodes = || (OF_NODES.to_owned(), connector::alerts::NODES);
    if let Some(name) = &of.connection {
        return Ok(vec![(name.clone(), connections::find(&database.pool, name).await?.id)]);
    }
    if of.nodes {
        return Ok(vec![nodes()]);
    }
    let all = connections::list(&database.pool).await?.into_iter().map(|one| (one.name, one.id));
    Ok(all.chain([nodes()]).collect())
}

/// An alert, and whose it is.
#[derive(serde::Serialize)]
struct Shown {
    of: String,
    #[serde(flatten)]
    alert: Alert,
}

async fn list(
    database: &Database,
    of: &Of,
    all: bool,
    limit: i64,
    global: &Global,
) -> anyhow::Result<ExitCode> {
    let whose = whose(database, of).await?;
    let mut found = Vec::new();
    for (name, connection) in &whose {
        let alerts = alerts::list(&database.pool, *connection, all, limit).await?;
        found.extend(alerts.into_iter().map(|alert| Shown { of: name.clone(), alert }));
    }
    found.sort_by_key(|shown| std::cmp::Reverse(shown.alert.opened_at));
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    if global.json {
        output::json(&found)?;
        return Ok(ExitCode::SUCCESS);
    }
    if found.is_empty() {
        output::say(if all { "there was no alert yet" } else { "no alert is open" });
    } else {
        let mut table = output::table(&["alert", "of", "what happened", "since", "state"]);
        for Shown { of, alert } in &found {
            let since = output::when(Some(alert.opened_at));
            let id = alert.alert_id.to_string();
            table.add_row([id, of.clone(), alert.title.clone(), since, state(alert)]);
        }
        output::data(&table.to_string());
    }
    let of: Vec<_> = whose.into_iter().filter(|(_, id)| *id != connector::alerts::NODES).collect();
    looked(database, &of).await?.iter().for_each(|words| output::say(words));
    Ok(ExitCode::SUCCESS)
}

/// When causes were last looked for: of several connections the one that waits longest, and those where they never were.
async fn looked(database: &Database, of: &[(String, ConnectionId)]) -> Result<Vec<String>, Error> {
    let (mut oldest, mut never) = (None, Vec::new());
    for (name, connection) in of {
        let all = jobs::status(&database.pool, *connection).await?;
        let alerts = all.into_iter().find(|job| job.job == Job::Alerts.as_str());
        match alerts.and_then(|job| job.finished_at) {
            Some(at) if oldest.is_none_or(|(before, _)| at < before) => oldest = Some((at, name)),
            Some(_) => {}
            None => never.push(format!("`{name}`")),
        }
    }
    let every =
        format!("`serve` does that every {} s while it is active", connector::alerts::EVERY.as_secs());
    let oldest = oldest.map(|(at, name)| {
        let at = output::when(Some(at));
        let of = if of.len() > 1 { "longest ago for " } else { "" };
        format!("{of}`{name}`: causes were last looked for at {at}; {every}")
    });
    let never =
        (!never.is_empty()).then(|| format!("{}: causes were not looked for yet; {every}", never.join(", ")));
    Ok(oldest.into_iter().chain(never).collect())
}

fn state(alert: &Alert) -> String {
    match (alert.closed_at, alert.acked_at) {
        (Some(at), _) => format!("closed {}", output::when(Some(at))),
        (None, Some(_)) => format!("acknowledged by {}", alert.acked_by.as_deref().unwrap_or("somebody")),
        (None, None) => "open".to_owned(),
    }
}

/// The one alert with this id, or whose id begins or ends so, and whose it is.
async fn one(database: &Database, of: &Of, id: &str) -> anyhow::Result<(ConnectionId, Alert)> {
    let mut found = Vec::new();
    for (_, connection) in whose(database, of).await? {
        let mut alerts = alerts::list(&database.pool, connection, true, LOOKED_THROUGH).await?;
        alerts.retain(|alert| {
            let full = alert.alert_id.to_string();
            full.starts_with(id) || full.ends_with(id)
        });
        found.extend(alerts.into_iter().map(|alert| (connection, alert)));
    }
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
    let (_, alert) = one(database, of, id).await?;
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
    global: &Global,
) -> anyhow::Result<ExitCode> {
    let (connection, alert) = one(database, of, id).await?;
    let alert: AlertId = alert.alert_id;
    if !alerts::acknowledge(&database.pool, connection, alert, by, note).await? {
        return Err(unknown(id).into());
    }
    if global.json {
        output::json(&one(database, of, &alert.to_string()).await?.1)?;
        return Ok(ExitCode::SUCCESS);
    }
    output::say("noted; the alert closes by itself when its cause is gone");
    Ok(ExitCode::SUCCESS)
}

/// What a receiver answered to a test message.
#[derive(serde::Serialize)]
struct Tested {
    channel: String,
    arrived: bool,
    answer: String,
}

async fn test(
    database: &Database,
    connection: &str,
    channel: Option<&str>,
    global: &Global,
) -> anyhow::Result<ExitCode> {
    let engine = database.engine(global)?;
    let connection = connections::find(&database.pool, connection).await?;
    let channels = connection.settings.alerts.channels.iter().map(|channel| channel.name.clone());
    let names = channel.map_or_else(|| channels.collect(), |name| vec![name.to_owned()]);
    let mut tested = Vec::new();
    for channel in names {
        let answer = connector::alerts::test(&engine, &connection, &channel).await;
        let arrived = answer.is_ok();
        let answer = answer.unwrap_or_else(|error| error.to_string());
        tested.push(Tested { channel, arrived, answer });
    }
    if tested.is_empty() {
        let message = format!("`{}` has no alert channel", connection.name);
        return Err(Error::new(Code::ChannelUnknown, message).into());
    }
    if global.json {
        output::json(&tested)?;
    } else {
        let mut table = output::table(&["channel", "arrived", "answer"]);
        for one in &tested {
            table.add_row([
                one.channel.as_str(),
                if one.arrived { "yes" } else { "no" },
                one.answer.as_str(),
            ]);
        }
        output::data(&table.to_string());
    }
    Ok(if tested.iter().all(|one| one.arrived) { ExitCode::SUCCESS } else { ExitCode::from(exit::FAILED) })
}

async fn store_secret(
    database: &Database,
    connection: &str,
    channel: &str,
    file: Option<&Path>,
    global: &Global,
) -> anyhow::Result<ExitCode> {
    let given = secret::read(file, "ML_CONNECTOR_ALERT_SECRET")?.ok_or_else(|| {
        Error::new(
            Code::InputUnreadable,
            "no secret was given: name a --file, or set ML_CONNECTOR_ALERT_SECRET",
        )
    })?;
    let engine = database.engine(global)?;
    let connection = connections::find(&database.pool, connection).await?;
    connector::alerts::put_secret(&engine, &connection, channel, &given).await?;
    output::say(&format!("stored; try it with `alerts test {} {channel}`", connection.name));
    Ok(ExitCode::SUCCESS)
}
