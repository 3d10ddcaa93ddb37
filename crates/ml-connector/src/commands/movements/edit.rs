//! `movements edit` and `movements discard`.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use connector::replay::{How, discard as give_up, edit};
use connector::store::connections;
use connector::{Code, Error};

use super::show::changed;
use crate::cli::Global;
use crate::database::Database;
use crate::person;
use crate::{exit, output};

/// What to edit.
#[derive(Debug, Args)]
pub struct EditArgs {
    /// The connection's name
    connection: String,
    /// The movement's id
    id: String,
    /// The new record, or `-` for standard input; without it $EDITOR is opened
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    #[command(flatten)]
    person: person::PersonArgs,
}

/// Stores an edit.
pub async fn run(database: &Database, args: EditArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let connection = connections::find(&database.pool, &args.connection).await?;
    let id = super::id(&args.id)?;
    let (by, note) = args.person.who()?;
    let before = edit::text(&database.pool, &connection, id).await?;
    let new = match &args.body {
        Some(path) => read(path)?,
        None => edited(&before)?,
    };
    if new.trim() == before.trim() {
        output::say("nothing was changed");
        return Ok(ExitCode::SUCCESS);
    }
    let how = How { by, note, older: false };
    edit::edit(&database.pool, &connection, id, &new, &how).await?;
    let changed = changed(&before, new.trim());
    if global.json {
        output::json(&serde_json::json!({ "movement": id, "edited": true, "changed": changed }))?;
    } else {
        output::say(&format!("the edit is stored: {changed}"));
        let name = &connection.name;
        output::say(&format!(
            "next: ml-connector movements replay {name} {id} --preview, then without --preview"
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn read(path: &Path) -> Result<String, Error> {
    let unreadable = |error: std::io::Error| {
        Error::new(Code::InputUnreadable, format!("{} cannot be read", path.display())).because(error)
    };
    if path.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().lock().read_to_string(&mut text).map_err(unreadable)?;
        return Ok(text);
    }
    std::fs::read_to_string(path).map_err(unreadable)
}

/// Opens the person's editor on the text, in a file that only this user can read.
fn edited(text: &str) -> anyhow::Result<String> {
    let editor = ["VISUAL", "EDITOR"].iter().find_map(|name| std::env::var(name).ok());
    let no_editor = || {
        Error::new(Code::InputUnreadable, "neither VISUAL nor EDITOR names an editor to open the record with")
    };
    let editor = editor.filter(|editor| !editor.trim().is_empty()).ok_or_else(no_editor)?;
    let file = tempfile::Builder::new().prefix("movement-").suffix(".json").tempfile()?;
    std::fs::write(file.path(), text)?;
    // as git does: the variable may carry arguments
    let mut words = editor.split_whitespace();
    let status =
        std::process::Command::new(words.next().unwrap_or_default()).args(words).arg(file.path()).status();
    match status {
        Ok(status) if status.success() => Ok(read(file.path())?),
        Ok(status) => Err(Error::new(
            Code::InputUnreadable,
            format!("`{editor}` ended with {status}; nothing was changed"),
        )
        .into()),
        Err(error) => Err(Error::new(Code::InputUnreadable, format!("`{editor}` cannot be started"))
            .because(error)
            .into()),
    }
}

/// What to give up.
#[derive(Debug, Args)]
pub struct DiscardArgs {
    /// The connection's name
    connection: String,
    /// The movements' ids
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    person: person::PersonArgs,
}

/// Gives movements up.
pub async fn discard(database: &Database, args: DiscardArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let connection = connections::find(&database.pool, &args.connection).await?;
    let ids = args.ids.iter().map(|id| super::id(id)).collect::<Result<Vec<_>, _>>()?;
    if !args.yes {
        output::say(&format!("{} movements would be given up for good", ids.len()));
        if !output::consents(global)? {
            output::say("nothing was discarded; consent with --yes");
            return Ok(ExitCode::from(exit::FAILED));
        }
    }
    let (by, note) = args.person.who()?;
    give_up(&database.pool, &connection, &ids, &How { by, note, older: false }).await?;
    if global.json {
        output::json(&serde_json::json!({ "discarded": ids }))?;
    } else {
        output::say(&format!(
            "{} discarded; what Asana shows stays until the record changes, and `reconcile {}` still compares it",
            ids.len(),
            connection.name
        ));
    }
    Ok(ExitCode::SUCCESS)
}
