//! `connection apply` and `connection export`: a connection as one file.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use connector::apply::changes::Change;
use connector::apply::file::{self, File, SecretSources, Source};
use connector::apply::{self, Proposal};
use connector::manage::Secrets;
use connector::mapping::hints::hints;
use connector::store::connections;
use connector::{Code, Error};
use secrecy::SecretString;

use crate::cli::Global;
use crate::commands::proposed::second_looks;
use crate::commands::serve::Stop;
use crate::database::Database;
use crate::{output, secret};

/// Which file.
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// The connection's file, TOML (`-`: standard input)
    #[arg(long, short = 'f', value_name = "FILE")]
    file: PathBuf,
    /// Only show what would change
    #[arg(long, conflicts_with = "follow")]
    dry_run: bool,
    /// Show how the records come through, which a running `serve` compares; Ctrl-C only stops watching
    #[arg(long)]
    follow: bool,
}

/// Applies a file.
pub async fn run(database: &Database, args: ApplyArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let engine = database.engine(global)?;
    let file = read(&args.file)?;
    let sources = file.secrets.clone();
    let accepted = apply::accept(&engine, file).await?;
    let secrets = secrets(&args.file, &sources)?;
    let proposal = apply::propose(&engine, accepted, &secrets).await?;
    // of a new connection everything is new: its file says it better
    if !global.json && (args.dry_run || proposal.present.is_some()) {
        show(&proposal);
    }
    let stop = args.follow.then(Stop::listen).transpose()?;
    let compared = match args.dry_run || proposal.is_done() {
        true => None,
        false => Some(apply::carry_out(&engine, &proposal, &secrets).await?),
    };
    let (message, object) = report(&proposal, compared);
    super::follow::told(&engine, &proposal.name, (&message, object), stop, global).await
}

fn read(path: &Path) -> Result<File, Error> {
    let unreadable =
        |e| Error::new(Code::InputUnreadable, format!("{} cannot be read", path.display())).because(e);
    let text = if path == Path::new("-") {
        std::io::read_to_string(std::io::stdin()).map_err(unreadable)?
    } else {
        std::fs::read_to_string(path).map_err(unreadable)?
    };
    Ok(file::read(&text))
}

/// Reads the secrets that a file refers to; all problems are named.
fn secrets(path: &Path, sources: &SecretSources) -> Result<Secrets, Error> {
    let directory = path.parent().unwrap_or(Path::new(""));
    let mut problems = Vec::new();
    let mut find = |name: &str, source: &Option<Source>| match source {
        None => None,
        Some(source) => match find(directory, source) {
            Ok(secret) => Some(secret),
            Err(why) => {
                problems.push(format!("secrets.{name}: {why}"));
                None
            }
        },
    };
    let secrets = Secrets {
        oracle_client_secret: find("oracle_client_secret", &sources.oracle_client_secret),
        asana_token: find("asana_token", &sources.asana_token),
    };
    if problems.is_empty() {
        return Ok(secrets);
    }
    Err(Error::several(Code::SecretUnreadable, problems))
}

/// Finds one secret, or says why there is none. The name of a variable is not repeated unless it looks like one:
/// somebody may have written the secret itself there.
fn find(directory: &Path, source: &Source) -> Result<SecretString, String> {
    match source {
        Source::Env(variable) => {
            let is_name = variable.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
            if variable.is_empty() || !is_name {
                return Err("`env` takes the name of a variable: capital letters, digits and `_`".to_owned());
            }
            let value = std::env::var(variable).ok().filter(|value| !value.trim().is_empty());
            let value = value.ok_or_else(|| format!("the variable {variable} is not set"))?;
            Ok(SecretString::from(value.trim()))
        }
        Source::File(path) => {
            let path = directory.join(path);
            let found = secret::read(Some(&path), "").map_err(|error| {
                let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
                format!("{}{}", error.message, cause.unwrap_or_default())
            })?;
            found.ok_or_else(|| format!("{} is empty", path.display()))
        }
    }
}

fn show(proposal: &Proposal) {
    if proposal.is_done() {
        return;
    }
    let mut table = changes_table(&proposal.changes);
    for secret in &proposal.secrets {
        table.add_row([
            format!("secrets.{secret}"),
            "not shown".to_owned(),
            "stored anew, encrypted".to_owned(),
        ]);
    }
    output::data(&table.to_string());
}

/// What changes, old and new.
pub(in crate::commands) fn changes_table(changes: &[Change]) -> output::Table {
    let mut table = output::table(&["setting", "now", "will be"]);
    for change in changes {
        let shown = |value: &Option<String>| value.as_deref().map_or_else(|| "-".to_owned(), output::short);
        table.add_row([change.setting.clone(), shown(&change.old), shown(&change.new)]);
    }
    table
}

/// What was done, as a sentence and as an object; `compared`: how many records, when anything was done.
fn report(proposal: &Proposal, compared: Option<u64>) -> (String, serde_json::Value) {
    let action = match (&proposal.present, proposal.is_done()) {
        (None, _) => "add",
        (Some(_), true) => "nothing",
        (Some(_), false) => "change",
    };
    let name = &proposal.name;
    let looks = match &proposal.present {
        Some(present) => second_looks(&present.settings, &proposal.settings),
        None => hints(&proposal.settings),
    };
    let object = serde_json::json!({
        "name": name, "action": action, "done": compared.is_some(), "changes": proposal.changes,
        "secrets": proposal.secrets, "compared_anew": compared.unwrap_or(0), "second_looks": looks,
    });
    let message = match (action, compared) {
        ("nothing", _) => format!("nothing to change: `{name}` is as the file says"),
        (_, None) => "nothing was changed: this was a dry run".to_owned(),
        ("add", _) => format!("`{name}` was added as a draft; next: ml-connector connection ping {name}"),
        (_, Some(records)) => format!("`{name}` was changed; {records} records are compared anew"),
    };
    ([vec![message], looks].concat().join("\n"), object)
}

/// Prints a connection in the form that `apply` takes.
pub async fn export(database: &Database, name: &str, global: &Global) -> anyhow::Result<ExitCode> {
    let connection = connections::find(&database.pool, name).await?;
    let text = file::write(&connection.name, &connection.settings)?;
    if global.json {
        output::json(&serde_json::json!({ "toml": text }))?;
    } else {
        output::data(text.trim_end());
    }
    Ok(ExitCode::SUCCESS)
}
