//! `webhooks`: what listens to Asana, and doing now what the watchdog would do at its next check.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};
use connector::engine::Clients;
use connector::hooks::by_hand;
use connector::hooks::resource::Resource;
use connector::hooks::watch;
use connector::hooks::watch::Repaired;
use connector::ids::ProjectGid;
use connector::store::connections;
use connector::store::hooks::{self, Registration, State};
use connector::{Code, Engine, Error};
use jiff::Timestamp;
use serde::Serialize;
use url::Url;

use crate::cli::Global;
use crate::database::Database;
use crate::public_url::PublicUrlArgs;
use crate::{exit, output};

/// Registrations that are shown.
const MAX_REGISTRATIONS: i64 = 1000;

/// Looking at webhooks, registering, comparing and taking them back.
#[derive(Debug, Subcommand)]
pub enum WebhooksCommand {
    /// List what is registered, with how deliveries fare
    List(ListArgs),
    /// Register what is missing; a running `serve` answers Asana's handshake
    Register {
        /// The connection's name
        connection: String,
        /// Only this project
        #[arg(long, value_name = "GID")]
        project: Option<String>,
        #[command(flatten)]
        public: PublicUrlArgs,
    },
    /// Take back one webhook or all, in Asana too
    Remove(RemoveArgs),
    /// Compare with Asana's list; ends with 3 when something differs
    Check {
        /// The connection's name
        connection: String,
        /// Put right what differs
        #[arg(long)]
        repair: bool,
        #[command(flatten)]
        public: PublicUrlArgs,
    },
}

/// What to list.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// The connection's name
    connection: String,
    /// Those that ended before, too; otherwise the newest of each resource
    #[arg(long)]
    all: bool,
}

/// What to take back.
#[derive(Debug, Args)]
pub struct RemoveArgs {
    /// The connection's name
    connection: String,
    #[command(flatten)]
    which: Which,
}

/// One or all: it must be said.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// Only this project's
    #[arg(long, value_name = "GID")]
    project: Option<String>,
    /// All of the connection
    #[arg(long)]
    all: bool,
}

/// Runs the command.
pub async fn run(command: WebhooksCommand, global: &Global) -> anyhow::Result<ExitCode> {
    let database = Database::ready(global).await?;
    let result = match command {
        WebhooksCommand::List(args) => list(&database, args, global).await,
        WebhooksCommand::Register { connection, project, public } => {
            let public_url = public.required()?;
            register(&database, &connection, project, &public_url, global).await
        }
        WebhooksCommand::Remove(args) => remove(&database, args, global).await,
        WebhooksCommand::Check { connection, repair, public } => {
            let public_url = public.required()?;
            let (engine, clients) = ready(&database, &connection, global).await?;
            if repair {
                mend(&engine, &clients, &public_url, global).await
            } else {
                check(&engine, &clients, &public_url, global).await
            }
        }
    };
    database.close().await?;
    result
}

async fn ready(
    database: &Database,
    connection: &str,
    global: &Global,
) -> anyhow::Result<(Engine, Arc<Clients>)> {
    let engine = database.engine(global)?;
    let clients = engine.clients(connections::find(&database.pool, connection).await?.id).await?;
    Ok((engine, clients))
}

/// A registration as it is shown: the target it was made with, without its token.
#[derive(Serialize)]
struct Listed {
    #[serde(flatten)]
    registration: Registration,
    name: Option<String>,
    target: Option<String>,
}

async fn list(database: &Database, args: ListArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let connection = connections::find(&database.pool, &args.connection).await?;
    let of_each = if args.all { MAX_REGISTRATIONS } else { 1 };
    let mut found = hooks::list(&database.pool, connection.id, of_each, MAX_REGISTRATIONS).await?;
    let resources: Vec<Resource> = found.iter().map(|registration| registration.resource.clone()).collect();
    let mut names = match ready(database, &args.connection, global).await {
        Ok((_, clients)) if !resources.is_empty() => by_hand::names(&clients, &resources).await,
        // they are only for reading: without key or credentials the rest is shown all the same
        _ => BTreeMap::new(),
    };
    if !args.all {
        found.sort_by(|a, b| a.resource.cmp(&b.resource));
    }
    let listed: Vec<Listed> = found
        .into_iter()
        .map(|registration| Listed {
            name: if args.all {
                names.get(&registration.resource.gid).cloned()
            } else {
                names.remove(&registration.resource.gid)
            },
            target: registration.target(),
            registration,
        })
        .collect();
    if global.json {
        output::json(&listed)?;
        return Ok(ExitCode::SUCCESS);
    }
    if listed.is_empty() {
        output::say("nothing is registered; see `ml-connector webhooks register --help`");
    }
    let columns = [
        "watches",
        "state",
        "target",
        "registered",
        "last delivery",
        "last success",
        "last failure",
        "rejected",
    ];
    let mut table = output::table(&columns);
    for one in &listed {
        let r = &one.registration;
        table.add_row([
            named(&r.resource, one.name.as_deref()),
            state(r),
            one.target.clone().unwrap_or_else(|| "-".to_owned()),
            output::when(Some(r.active_at.unwrap_or(r.created_at))),
            output::when(r.last_delivery_at),
            output::when(r.last_success_at),
            failure(r.last_failure_at, r.last_failure.as_deref()),
            r.rejected.to_string(),
        ]);
    }
    output::data(&table.to_string());
    Ok(ExitCode::SUCCESS)
}

fn state(registration: &Registration) -> String {
    match (registration.state, registration.failures) {
        (State::Failed, 2..) => format!("failed {} times", registration.failures),
        (state, _) => state.as_str().to_owned(),
    }
}

fn failure(at: Option<Timestamp>, words: Option<&str>) -> String {
    match (at, words) {
        (None, None) => "-".to_owned(),
        (None, Some(words)) => words.to_owned(),
        (at, words) => format!("{} {}", output::when(at), words.unwrap_or_default()).trim_end().to_owned(),
    }
}

fn named(resource: &Resource, name: Option<&str>) -> String {
    name.map_or_else(|| resource.to_string(), |name| format!("{resource} {name}"))
}

/// What could not be done.
#[derive(Serialize)]
struct Failed {
    resource: Option<Resource>,
    code: &'static str,
    message: String,
    remedy: &'static str,
}

/// What could not be done, for printing, and the first of it, for the program's end.
fn failures(failed: Vec<(Option<Resource>, Error)>) -> (Vec<Failed>, Option<Error>) {
    let shown = failed.iter().map(|(resource, error)| Failed {
        resource: resource.clone(),
        code: error.code.info().code,
        message: with_advice(error),
        remedy: error.code.info().remedy,
    });
    let shown = shown.collect();
    let first = failed.into_iter().next().map(|(_, error)| {
        let message = with_advice(&error);
        Error::new(error.code, message).because(error)
    });
    (shown, first)
}

/// A handshake that nobody answered mostly means that nothing serves behind the public address.
fn with_advice(error: &Error) -> String {
    match error.code {
        Code::HookNoHandshake => format!(
            "{}; the public address must lead to a running `serve` with this database and key",
            error.message
        ),
        _ => error.message.clone(),
    }
}

async fn register(
    database: &Database,
    connection: &str,
    project: Option<String>,
    public_url: &Url,
    global: &Global,
) -> anyhow::Result<ExitCode> {
    let (engine, clients) = ready(database, connection, global).await?;
    let project = project.map(ProjectGid);
    let done = by_hand::register(&engine, &clients, public_url, project.as_ref()).await?;
    after(done, global)
}

async fn mend(
    engine: &Engine,
    clients: &Clients,
    public_url: &Url,
    global: &Global,
) -> anyhow::Result<ExitCode> {
    after(by_hand::repair(engine, clients, public_url).await?, global)
}

/// Prints what was done; fails with the first thing that could not be.
fn after(done: Repaired, global: &Global) -> anyhow::Result<ExitCode> {
    let (failed, first) = failures(done.failed);
    let kept = done.working.len().saturating_sub(done.registered.len());
    if global.json {
        output::json(&serde_json::json!({
            "registered": done.registered, "lost": done.lost, "removed": done.removed, "deleted": done.deleted,
            "working": done.working.iter().map(|(_, resource)| resource).collect::<Vec<_>>(), "failed": failed,
        }))?;
    } else {
        let mut table = output::table(&["watches", "what was done"]);
        for (resources, what) in [
            (&done.lost, "marked as lost"),
            (&done.removed, "no longer watched: taken back"),
            (&done.registered, "registered"),
        ] {
            for resource in resources {
                table.add_row([resource.to_string(), what.to_owned()]);
            }
        }
        for one in &failed {
            let resource = one.resource.as_ref().map_or_else(|| "-".to_owned(), Resource::to_string);
            table.add_row([resource, format!("FAILED, {}: {}", one.code, one.message)]);
        }
        output::data(&table.to_string());
        output::say(&format!(
            "{} registered, {kept} worked already, {} deleted in Asana that should not be there",
            done.registered.len(),
            done.deleted
        ));
    }
    first.map_or(Ok(ExitCode::SUCCESS), |error| Err(error.into()))
}

async fn remove(database: &Database, args: RemoveArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let (engine, clients) = ready(database, &args.connection, global).await?;
    let project = args.which.project.map(ProjectGid);
    let taken = by_hand::take_back(&engine, &clients, project.as_ref()).await?;
    let (failed, first) = failures(taken.failed);
    if global.json {
        output::json(&serde_json::json!({
            "removed": taken.removed, "deleted": taken.deleted, "failed": failed,
        }))?;
    } else {
        let mut table = output::table(&["watches", "what was done"]);
        for resource in &taken.removed {
            table.add_row([resource.to_string(), "taken back".to_owned()]);
        }
        for one in &failed {
            let resource = one.resource.as_ref().map_or_else(|| "-".to_owned(), Resource::to_string);
            table.add_row([resource, format!("FAILED, {}: {}", one.code, one.message)]);
        }
        output::data(&table.to_string());
        output::say(&format!("{} deleted in Asana", taken.deleted));
        if clients.connection.settings.journal.is_some() {
            output::say(&format!(
                "a running `serve` with a public address registers anew what is still watched, within {} minutes, \
                 unless the connection is paused",
                clients.connection.settings.webhooks.check_minutes
            ));
        }
    }
    first.map_or(Ok(ExitCode::SUCCESS), |error| Err(error.into()))
}

async fn check(
    engine: &Engine,
    clients: &Clients,
    public_url: &Url,
    global: &Global,
) -> anyhow::Result<ExitCode> {
    let wanted = by_hand::wanted(clients).await?;
    let steps = watch::check(engine, clients, public_url, &wanted).await?;
    let newest = hooks::list(&engine.db, clients.connection.id, 1, MAX_REGISTRATIONS).await?;
    let found = by_hand::findings(&steps, &newest);
    let wrong = found.iter().filter(|finding| !finding.well).count();
    if global.json {
        output::json(&serde_json::json!({ "ok": wrong == 0, "findings": found }))?;
    } else {
        let mut table = output::table(&["", "watches", "found", "target", "last success", "last failure"]);
        for one in &found {
            table.add_row([
                if one.well { "ok" } else { "DIFFERS" }.to_owned(),
                one.resource.as_ref().map_or_else(|| "-".to_owned(), Resource::to_string),
                one.found.clone(),
                one.target.clone().unwrap_or_else(|| "-".to_owned()),
                output::when(one.last_success_at),
                failure(one.last_failure_at, one.last_failure.as_deref()),
            ]);
        }
        output::data(&table.to_string());
        if wanted.is_empty() {
            output::say("nothing is to be watched: the settings have no [journal] section");
        }
        if wrong > 0 {
            output::say(&format!("{wrong} of {} differ; --repair puts right what can be", found.len()));
        }
    }
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::from(exit::FOUND_PROBLEMS) })
}
