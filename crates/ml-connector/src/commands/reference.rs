//! `reference`: suppliers and accounts, read from Oracle now, looked at, and compared with what stands on tasks.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use connector::reference::Kind;
use connector::reference::check::Entry;
use connector::reference::findings;
use connector::store::choices::{self, AsOf};
use connector::store::jobs::Job;
use connector::store::{connections, reference};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::cli::Global;
use crate::commands::poll;
use crate::database::Database;
use crate::{exit, output};

/// So many of each kind are shown of what is known by a name.
const SHOWN: i64 = 50;

/// Reading reference data, and looking at it.
#[derive(Debug, Subcommand)]
pub enum ReferenceCommand {
    /// Read suppliers and accounts from Oracle now, and keep the options that stand for them
    Sync(SyncArgs),
    /// List what is stored
    List(ListArgs),
    /// Show what is known by a name, a number or an id
    Show {
        /// The connection's name
        connection: String,
        /// A name or a part of it, a supplier's number, or an id
        what: String,
    },
    /// Compare suppliers and accounts on tasks with what is stored; ends with 3 when one may not be used
    Check {
        /// The connection's name
        connection: String,
    },
}

/// One kind of reference data.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum What {
    /// Suppliers
    Suppliers,
    /// Account combinations
    Accounts,
}

impl What {
    fn kind(self) -> Kind {
        match self {
            What::Suppliers => Kind::Suppliers,
            What::Accounts => Kind::Accounts,
        }
    }
}

/// What to read.
#[derive(Debug, Args)]
pub struct SyncArgs {
    /// The connection's name
    connection: String,
    /// Only this; both otherwise
    what: Option<What>,
    /// How long to wait while another node is working on it
    #[arg(long, default_value_t = 75, value_name = "SECONDS")]
    wait: u64,
}

/// What to list.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// The connection's name
    connection: String,
    /// Which kind
    #[arg(default_value = "suppliers")]
    what: What,
    /// At most this many
    #[arg(long, default_value_t = 50)]
    limit: i64,
}

/// Runs the command.
pub async fn run(command: ReferenceCommand, global: &Global) -> anyhow::Result<ExitCode> {
    let database = Database::ready(global).await?;
    let result = match command {
        ReferenceCommand::Sync(args) => sync(&database, args, global).await,
        ReferenceCommand::List(args) => list(&database, args, global).await,
        ReferenceCommand::Show { connection, what } => show(&database, &connection, &what, global).await,
        ReferenceCommand::Check { connection } => check(&database, &connection, global).await,
    };
    database.close().await?;
    result
}

fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}

async fn sync(database: &Database, args: SyncArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let engine = database.engine(global)?;
    let connection = connections::find(&database.pool, &args.connection).await?;
    let jobs: Vec<Job> = match args.what {
        Some(what) => vec![Job::Reference(what.kind())],
        None => Job::REFERENCE.to_vec(),
    };
    let patience = Duration::from_secs(args.wait);
    let ran = poll::patiently(&engine, connection.id, &jobs, "reading from Oracle", patience).await;
    poll::show(&ran, global)?;
    if !global.json {
        for kept in reference::kept(&database.pool, connection.id).await? {
            if let (Some(code), Some(reason)) = (kept.code, kept.reason) {
                output::say(&format!("{code}: {reason}"));
            }
        }
    }
    match ran.into_iter().find_map(|(_, result)| result.err()) {
        Some(error) => Err(error.into()),
        None => Ok(ExitCode::SUCCESS),
    }
}

async fn list(database: &Database, args: ListArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let connection = connections::find(&database.pool, &args.connection).await?;
    let kind = args.what.kind();
    let found = reference::find(&database.pool, connection.id, kind, None, args.limit).await?;
    let stored = reference::count(&database.pool, connection.id, kind, None).await?;
    let left_out = left_out(kind, found.len(), stored);
    told(&[(kind, found)], global)?;
    if let Some(words) = left_out {
        output::say(&format!("{words}; more with --limit"));
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(database: &Database, name: &str, what: &str, global: &Global) -> anyhow::Result<ExitCode> {
    let connection = connections::find(&database.pool, name).await?;
    let (mut found, mut left) = (Vec::new(), Vec::new());
    for kind in Kind::ALL {
        let shown = reference::find(&database.pool, connection.id, kind, Some(what), SHOWN).await?;
        let stored = reference::count(&database.pool, connection.id, kind, Some(what)).await?;
        left.extend(left_out(kind, shown.len(), stored));
        found.push((kind, shown));
    }
    told(&found, global)?;
    for words in left {
        output::say(&format!("{words}; a longer part of the name finds fewer"));
    }
    Ok(ExitCode::SUCCESS)
}

/// How many of how many are shown, unless these are all.
fn left_out(kind: Kind, shown: usize, stored: i64) -> Option<String> {
    let all = usize::try_from(stored).unwrap_or(usize::MAX);
    (shown < all).then(|| format!("the first {shown} of {all} {}", kind.as_str()))
}

/// Prints what was found.
fn told(found: &[(Kind, Vec<Entry>)], global: &Global) -> anyhow::Result<()> {
    let today = today();
    let rows = || found.iter().flat_map(|(kind, entries)| entries.iter().map(move |entry| (*kind, entry)));
    if global.json {
        let row = |(kind, entry): (Kind, &Entry)| {
            serde_json::json!({
                "kind": kind, "id": entry.id, "name": entry.name, "number": entry.number,
                "from": entry.from, "until": entry.until, "validity": entry.validity(today),
            })
        };
        return output::json(&rows().map(row).collect::<Vec<_>>());
    }
    if rows().next().is_none() {
        output::data(
            "Nothing is stored of that. `reference sync NAME` reads suppliers and accounts from Oracle.",
        );
        return Ok(());
    }
    let mut table = output::table(&["kind", "name", "number or type", "id", "today"]);
    for (kind, entry) in rows() {
        table.add_row([
            kind.singular(),
            &entry.name,
            entry.number.as_deref().unwrap_or("-"),
            &entry.id,
            entry.validity(today).words(),
        ]);
    }
    output::data(&table.to_string());
    Ok(())
}

async fn check(database: &Database, name: &str, global: &Global) -> anyhow::Result<ExitCode> {
    let engine = database.engine(global)?;
    let connection = connections::find(&database.pool, name).await?;
    let clients = engine.clients(connection.id).await?;
    let as_of = choices::as_of(&engine.db, connection.id, &connection.settings.projects()).await?;
    let found = findings::findings(&engine, &clients, today()).await?;
    if global.json {
        output::json(&found)?;
    } else if found.is_empty() {
        output::data("Every supplier and account on a known task may be used.");
    } else {
        let mut table = output::table(&["task", "order", "field", "value", "what is wrong"]);
        for finding in &found {
            let order = finding.order_number.as_deref().unwrap_or("-");
            table.add_row([&finding.task, order, finding.field, &finding.value, finding.validity.words()]);
        }
        output::data(&table.to_string());
    }
    if !global.json {
        output::say(&how_old(&as_of, name));
    }
    Ok(if found.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(exit::FOUND_PROBLEMS) })
}

/// What was compared with what, and how old both are.
fn how_old(as_of: &AsOf, name: &str) -> String {
    let tasks = match as_of.listed {
        Some(at) => format!("tasks as Asana listed them at {}", output::when(Some(at))),
        None => "not all mapped projects were listed since the last change of the settings".to_owned(),
    };
    let read = Kind::ALL.into_iter().map(|kind| {
        let of = kind.as_str();
        match as_of.read.iter().find(|(read, _)| *read == kind) {
            Some((_, at)) => format!("{of} as of {}", output::when(Some(*at))),
            None => format!("{of} were never read and are not judged (reference sync {name} {of})"),
        }
    });
    let all: Vec<String> = std::iter::once(tasks).chain(read).collect();
    format!("{}; the next poll lists the tasks anew: ml-connector poll {name}", all.join("; "))
}
