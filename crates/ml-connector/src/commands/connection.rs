//! `connection`: adding, showing, changing and testing connections.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use connector::apply::changes;
use connector::hooks::by_hand;
use connector::manage::{self, Secrets};
use connector::store::breakers::{self, Failing};
use connector::store::connections::{self, Connection, State};
use connector::store::{completed, documents, feeds, hooks, jobs, movements};
use connector::{Code, Engine, Error, ping};

use crate::cli::Global;
use crate::commands::proposed::{Proposed, of_new, proposed, second_looks};
use crate::commands::serve::Stop;
use crate::database::Database;
use crate::public_url::PublicUrlArgs;
use crate::{output, secret};

/// Adding, showing, changing and testing connections.
#[derive(Debug, Subcommand)]
pub enum ConnectionCommand {
    /// Add a connection as a draft, from a settings file
    Add {
        /// A name for it: letters, digits, `-`, `_`, `.`
        name: String,
        /// The settings, TOML
        #[arg(long, short = 'f', value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        secrets: SecretArgs,
    },
    /// Be guided from nothing to an active connection, in the terminal; leave and come back at any time
    Setup(super::setup::guide::SetupArgs),
    /// Add a connection, or change it, to what one file says; a second time changes nothing
    Apply(super::setup::apply::ApplyArgs),
    /// Print a connection as a file that `apply` takes, without its secrets
    Export {
        /// The connection's name
        name: String,
    },
    /// List connections with their state
    List,
    /// Show a connection: settings, feeds, jobs, counts
    Show {
        /// The connection's name
        name: String,
        /// Print the settings as TOML, ready for `add` or `edit`
        #[arg(long)]
        toml: bool,
    },
    /// Change settings or secrets; new settings have every record compared anew
    Edit {
        /// The connection's name
        name: String,
        /// New settings, TOML
        #[arg(long, short = 'f', value_name = "FILE")]
        file: Option<PathBuf>,
        /// Change one setting, such as `schedule.poll_minutes=5`; may be repeated
        #[arg(long, value_name = "KEY=VALUE")]
        set: Vec<String>,
        #[command(flatten)]
        secrets: SecretArgs,
        /// Show how the records come through, which a running `serve` compares; Ctrl-C only stops watching
        #[arg(long)]
        follow: bool,
    },
    /// Test both sides, and what journals need of them; nothing is written
    Ping {
        /// The connection's name
        name: String,
        #[command(flatten)]
        public: PublicUrlArgs,
    },
    /// Show which custom fields are missing in Asana, and create them on consent
    Provision(super::setup::provision::ProvisionArgs),
    /// Show what a synchronisation would write, old and new value; nothing is written
    DryRun(super::setup::dry_run::DryRunArgs),
    /// Show what goes where on tasks, and check it against Oracle and Asana
    Mapping(super::setup::mapping::MappingArgs),
    /// List the versions of the settings: when, who, what changed
    History(super::setup::history::HistoryArgs),
    /// Go back to an earlier version of the settings
    Rollback(super::setup::history::RollbackArgs),
    /// Start polling on schedule; the first time after a dry run
    Activate(super::setup::activate::ActivateArgs),
    /// Stop polling
    Pause {
        /// The connection's name
        name: String,
    },
    /// Remove a connection with its secrets and webhooks; its record log and its journals stay
    Remove {
        /// The connection's name
        name: String,
        /// Do it without asking
        #[arg(long)]
        yes: bool,
    },
}

/// Where the secrets are read from.
#[derive(Debug, Args)]
pub struct SecretArgs {
    /// File with Oracle's client secret (`-`: standard input); else ML_CONNECTOR_ORACLE_SECRET
    #[arg(long, value_name = "FILE")]
    oracle_secret_file: Option<PathBuf>,
    /// File with Asana's token (`-`: standard input); else ML_CONNECTOR_ASANA_TOKEN
    #[arg(long, value_name = "FILE")]
    asana_token_file: Option<PathBuf>,
}

impl SecretArgs {
    fn read(&self) -> Result<Secrets, Error> {
        Ok(Secrets {
            oracle_client_secret: secret::read(
                self.oracle_secret_file.as_deref(),
                "ML_CONNECTOR_ORACLE_SECRET",
            )?,
            asana_token: secret::read(self.asana_token_file.as_deref(), "ML_CONNECTOR_ASANA_TOKEN")?,
        })
    }
}

/// Runs the command.
pub async fn run(command: ConnectionCommand, global: &Global) -> anyhow::Result<ExitCode> {
    if matches!(command, ConnectionCommand::Setup(_)) {
        // before a private server is started for nothing
        super::setup::guide::prompt::check_terminal(global)?;
    }
    let database = Database::ready(global).await?;
    let result = dispatch(&database, command, global).await;
    database.close().await?;
    result
}

async fn dispatch(
    database: &Database,
    command: ConnectionCommand,
    global: &Global,
) -> anyhow::Result<ExitCode> {
    let db = &database.pool;
    match command {
        ConnectionCommand::List => return list(database, global).await,
        ConnectionCommand::Setup(args) => return super::setup::guide::run(database, args, global).await,
        ConnectionCommand::Apply(args) => return super::setup::apply::run(database, args, global).await,
        ConnectionCommand::Export { name } => {
            return super::setup::apply::export(database, &name, global).await;
        }
        ConnectionCommand::Provision(args) => {
            return super::setup::provision::run(database, args, global).await;
        }
        ConnectionCommand::Show { name, toml } => return show(database, &name, toml, global).await,
        ConnectionCommand::Add { name, file, secrets } => {
            let engine = database.engine(global)?;
            let secrets = secrets.read()?;
            manage::add(&engine, &name, &of_new(&name, &file)?, &secrets).await?;
            done(global, &format!("`{name}` was added as a draft; {}", what_is_next(&name, &secrets)))?;
        }
        ConnectionCommand::Edit { name, file, set, secrets, follow } => {
            return edit(database, &name, (file.as_deref(), &set), &secrets, follow, global).await;
        }
        ConnectionCommand::Ping { name, public } => return tested(database, &name, &public, global).await,
        ConnectionCommand::History(args) => {
            return super::setup::history::history(database, args, global).await;
        }
        ConnectionCommand::Rollback(args) => {
            return super::setup::history::rollback(database, args, global).await;
        }
        ConnectionCommand::DryRun(args) => return super::setup::dry_run::run(database, args, global).await,
        ConnectionCommand::Mapping(args) => return super::setup::mapping::run(database, args, global).await,
        ConnectionCommand::Activate(args) => {
            return super::setup::activate::run(database, args, global).await;
        }
        ConnectionCommand::Pause { name } => {
            let waiting =
                manage::pause(&database.engine(global)?, &connections::find(db, &name).await?).await?;
            let journals = match waiting {
                0 => String::new(),
                1 => "; 1 journal is not at its end and waits until it is active again".to_owned(),
                n => format!("; {n} journals are not at their end and wait until it is active again"),
            };
            done(global, &format!("`{name}` is paused{journals}"))?;
        }
        ConnectionCommand::Remove { name, yes } => {
            let connection = connections::find(db, &name).await?;
            if !yes {
                anyhow::bail!(
                    "this removes the secrets, documents and links of `{name}`; say --yes if you mean it"
                );
            }
            let engine = database.engine(global)?;
            if connection.state != State::Active {
                take_webhooks_back(&engine, &connection).await?;
            }
            manage::remove(&engine, &connection).await?;
            done(global, &format!("`{name}` was removed; its record log stays"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Changes settings and secrets, and watches what follows when that is asked for.
async fn edit(
    database: &Database,
    name: &str,
    (file, set): (Option<&Path>, &[String]),
    secrets: &SecretArgs,
    follow: bool,
    global: &Global,
) -> anyhow::Result<ExitCode> {
    let engine = database.engine(global)?;
    // heard before anything is said, so that whoever is told can stop watching
    let stop = follow.then(Stop::listen).transpose()?;
    let connection = connections::find(&database.pool, name).await?;
    let Proposed { settings, has_secrets } = proposed(&engine, &connection, file, set).await?;
    let secrets = secrets.read()?;
    let changes = changes::between(Some(&connection.settings), &settings)?;
    let is_same =
        changes.is_empty() && secrets.oracle_client_secret.is_none() && secrets.asana_token.is_none();
    if !global.json && !changes.is_empty() {
        output::data(&super::setup::apply::changes_table(&changes).to_string());
    }
    let opened = if is_same { 0 } else { manage::edit(&engine, &connection, &settings, &secrets).await? };
    let mut looks = second_looks(&connection.settings, &settings);
    if let (true, Some(file)) = (has_secrets, file) {
        let file = file.display();
        looks.push(format!(
            "the secrets that {file} refers to were not read; `ml-connector connection apply -f {file}` stores them"
        ));
    }
    let message = match is_same {
        true => format!("nothing to change: `{name}` is so already"),
        false => format!("`{name}` was changed; {opened} records are compared anew"),
    };
    let object = serde_json::json!({ "done": message, "changes": changes, "second_looks": looks });
    let message = [vec![message], looks].concat().join("\n");
    super::setup::follow::told(&engine, name, (&message, object), stop, global).await
}

/// Tests both sides; where a draft is fine, the next step is told.
async fn tested(
    database: &Database,
    name: &str,
    public: &PublicUrlArgs,
    global: &Global,
) -> anyhow::Result<ExitCode> {
    let engine = database.engine(global)?.reached_at(public.read()?);
    let connection = connections::find(&database.pool, name).await?;
    let checks = ping::ping(&engine, connection.id).await?;
    let code = super::doctor::show(&checks, global)?;
    let all_fine = !checks.iter().any(|check| check.verdict == ping::Verdict::Failed);
    if all_fine && connection.state == State::Draft && !global.json {
        let next = if connection.settings.unmapped().is_empty() { "dry-run" } else { "provision" };
        output::say(&format!("next: ml-connector connection {next} {name}"));
    }
    Ok(code)
}

/// What a new connection needs next: its secrets, if they did not come with it.
fn what_is_next(name: &str, secrets: &Secrets) -> String {
    let given = [
        (secrets.oracle_client_secret.is_some(), "Oracle's client secret", "--oracle-secret-file FILE"),
        (secrets.asana_token.is_some(), "Asana's token", "--asana-token-file FILE"),
    ];
    let missing = || given.iter().filter(|(is_given, ..)| !is_given);
    if missing().next().is_none() {
        return format!("next: ml-connector connection ping {name}");
    }
    let what: Vec<&str> = missing().map(|(_, what, _)| *what).collect();
    let options: Vec<&str> = missing().map(|(.., option)| *option).collect();
    let (what, options) = (what.join(" and "), options.join(" "));
    format!("still missing: {what}; next: ml-connector connection edit {name} {options}")
}

/// Nobody could take them back once the connection is gone. What fails is left to Asana, and does not stop the removal.
async fn take_webhooks_back(engine: &Engine, connection: &Connection) -> Result<(), Error> {
    let registered = hooks::count(&engine.db, connection.id).await?;
    if !["active", "pending"].iter().any(|state| registered.contains_key(*state)) {
        return Ok(());
    }
    let taken = async {
        let clients = engine.clients(connection.id).await?;
        let taken = by_hand::take_back(engine, &clients, None).await?;
        match taken.failed.into_iter().next() {
            Some((_, error)) => Err(error),
            None => Ok(()),
        }
    };
    if let Err(error) = taken.await {
        output::say(&format!(
            "not all webhooks could be taken back, since {error}; Asana deletes them by itself after a day of refusals"
        ));
    }
    Ok(())
}

fn done(global: &Global, message: &str) -> anyhow::Result<()> {
    if global.json {
        return output::json(&serde_json::json!({ "done": message }));
    }
    output::say(message);
    Ok(())
}

async fn list(database: &Database, global: &Global) -> anyhow::Result<ExitCode> {
    let all = connections::list(&database.pool).await?;
    if global.json {
        let mut shown = Vec::with_capacity(all.len());
        for c in all {
            let counts = movements::standing(&database.pool, c.id).await?;
            shown.push(serde_json::json!({
                "connection_id": c.id, "name": c.name, "state": c.state, "created_at": c.created_at,
                "oracle": c.settings.oracle.base().ok(), "asana_workspace": c.settings.asana.workspace,
                "movements": counts,
            }));
        }
        output::json(&shown)?;
        return Ok(ExitCode::SUCCESS);
    }
    if all.is_empty() {
        output::say("there is no connection yet; `ml-connector connection setup` guides you to one");
    }
    let mut table = output::table(&["name", "state", "oracle", "asana workspace", "held", "failed", "open"]);
    for c in all {
        let counts = movements::standing(&database.pool, c.id).await?;
        table.add_row([
            c.name,
            c.state.as_str().to_owned(),
            c.settings.oracle.base().map(|url| url.to_string()).unwrap_or_default(),
            c.settings.asana.workspace,
            counts.held.to_string(),
            counts.failed.to_string(),
            counts.open.to_string(),
        ]);
    }
    output::data(&table.to_string());
    Ok(ExitCode::SUCCESS)
}

async fn show(database: &Database, name: &str, as_toml: bool, global: &Global) -> anyhow::Result<ExitCode> {
    let db = &database.pool;
    let connection = connections::find(db, name).await?;
    if as_toml {
        let text = connection.settings.to_toml()?;
        if global.json {
            output::json(&serde_json::json!({ "toml": text }))?;
        } else {
            output::data(text.trim_end());
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut states = Vec::new();
    for feed in connector::feed::Feed::ALL {
        states.push(feeds::load(db, connection.id, feed).await?);
    }
    let jobs = jobs::status(db, connection.id).await?;
    let sides = breakers::failing(db, connection.id).await?;
    let counts = movements::count(db, connection.id).await?;
    let documents = documents::count(db, connection.id).await?;
    let completed = completed::count(db, connection.id).await?;
    let webhooks = hooks::count(db, connection.id).await?;
    let since = connections::journals_since(db, connection.id).await?;
    if global.json {
        output::json(&serde_json::json!({
            "connection_id": connection.id, "name": connection.name, "state": connection.state,
            "created_at": connection.created_at, "settings": connection.settings,
            "feeds": states, "jobs": jobs, "sides": sides, "movements": counts, "documents": documents,
            "journals_since": since, "completions": completed, "webhooks": webhooks,
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    output::data(&format!(
        "{} is {}, added {}",
        connection.name,
        connection.state.as_str(),
        output::when(Some(connection.created_at))
    ));
    output::data(&feed_table(states, &documents).to_string());
    output::data(&job_table(jobs).to_string());
    for side in &sides {
        let (code, words) = failing_side(side);
        output::data(&code.map_or_else(|| words.clone(), |code| format!("{code}: {words}")));
    }
    let mut table = output::table(&["movements", "count"]);
    for (state, count) in [
        ("open", counts.open),
        ("delivered", counts.delivered),
        ("held", counts.held),
        ("failed", counts.failed),
    ] {
        table.add_row([state.to_owned(), count.to_string()]);
    }
    output::data(&table.to_string());
    output::data(&format!("webhooks: {}", counted(&webhooks)));
    let from = since.map_or_else(String::new, |at| format!(", since {}", output::when(Some(at))));
    output::data(&match connection.settings.journal {
        Some(_) => format!("completions and journals{from}: {}", counted(&completed)),
        None => "no journals: the settings have no [journal] section".to_owned(),
    });
    Ok(ExitCode::SUCCESS)
}

fn feed_table(states: Vec<feeds::FeedState>, documents: &HashMap<String, i64>) -> output::Table {
    let mut table = output::table(&["feed", "documents", "read", "watermark", "last full scan"]);
    for state in states {
        table.add_row([
            state.feed.clone(),
            documents.get(&state.feed).copied().unwrap_or(0).to_string(),
            how_read(state.mode).to_owned(),
            output::when(state.watermark),
            output::when(state.scanned_at),
        ]);
    }
    table
}

fn job_table(jobs: Vec<jobs::JobStatus>) -> output::Table {
    let mut table = output::table(&["job", "due", "last ended", "trouble"]);
    for job in jobs {
        let due = if job.running { "running".to_owned() } else { output::when(job.due_at) };
        let trouble = if job.maintenance {
            "none; Oracle maintenance".to_owned()
        } else if job.slowed {
            "none; asked to slow down".to_owned()
        } else {
            [job.code, job.reason].into_iter().flatten().collect::<Vec<_>>().join(" ")
        };
        table.add_row([job.job, due, output::when(job.finished_at), trouble]);
    }
    table
}

/// A side whose last answer was a failure, in one line; with its code when a person must know of it.
pub(super) fn failing_side(side: &Failing) -> (Option<Code>, String) {
    let name = if side.provider == "oracle" { "Oracle" } else { "Asana" };
    let why: Vec<&str> = [side.code.as_deref(), side.reason.as_deref()].into_iter().flatten().collect();
    let why = why.join(": ");
    let tried = match side.retry_at {
        _ if side.probing => "is tried now".to_owned(),
        at => format!("is tried again at {}", output::when(at)),
    };
    if side.maintenance {
        let since = output::when(side.opened_at);
        return (None, format!("{name} is in maintenance since {since}; it {tried}"));
    }
    if side.open {
        let since = output::when(side.opened_at);
        let words = format!("{name} keeps failing since {since}, and {tried}; last {why}");
        return (Some(Code::SideFailing), words);
    }
    let times = if side.failures == 1 { "once".to_owned() } else { format!("{} times", side.failures) };
    (None, format!("{name} failed {times} in a row; last {why}"))
}

/// How many stand in each state.
fn counted(states: &BTreeMap<String, i64>) -> String {
    if states.is_empty() {
        return "none".to_owned();
    }
    states.iter().map(|(state, count)| format!("{count} {state}")).collect::<Vec<_>>().join(", ")
}

fn how_read(mode: Option<feeds::Mode>) -> &'static str {
    match mode {
        None => "not asked yet",
        Some(feeds::Mode::ByLastUpdate) => "by change date",
        Some(feeds::Mode::FullScan) => "in full each time",
    }
}
