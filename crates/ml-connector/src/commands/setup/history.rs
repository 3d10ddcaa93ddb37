//! `connection history` and `connection rollback`: earlier settings, and going back to them.

use std::process::ExitCode;

use clap::Args;
use connector::apply::changes::{self, Change};
use connector::settings::Settings;
use connector::store::connections::{self, Connection};
use connector::store::settings_versions::{self, Version};
use connector::{Code, Error, manage};

use crate::cli::Global;
use crate::commands::proposed::second_looks;
use crate::commands::serve::Stop;
use crate::database::Database;
use crate::exit;
use crate::output::{self, short};

/// Changes of one version that a person is shown; `--json` has all.
const CHANGES_SHOWN: usize = 6;

/// Which versions are shown.
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// The connection's name
    name: String,
    /// Print the settings of this version as TOML
    #[arg(long, value_name = "N")]
    version: Option<i32>,
    /// The newest so many versions
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
}

/// Which version is gone back to.
#[derive(Debug, Args)]
pub struct RollbackArgs {
    /// The connection's name
    name: String,
    /// The version, as `connection history` numbers them
    version: i32,
    /// Do it without asking
    #[arg(long)]
    yes: bool,
    /// Show how the records come through, which a running `serve` compares; Ctrl-C only stops watching
    #[arg(long)]
    follow: bool,
}

/// Shows what was changed when, newest first.
pub async fn history(database: &Database, args: HistoryArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let connection = connections::find(&database.pool, &args.name).await?;
    if let Some(version) = args.version {
        let toml = of_version(database, &connection, version).await?.to_toml()?;
        if global.json {
            output::json(&serde_json::json!({ "version": version, "toml": toml }))?;
        } else {
            output::data(toml.trim_end());
        }
        return Ok(ExitCode::SUCCESS);
    }
    // one more, to compare the oldest that is shown with
    let limit = i64::from(args.limit);
    let versions = settings_versions::list(&database.pool, connection.id, None, limit + 1).await?;
    let before = versions.get(1..).unwrap_or_default().iter().map(Some).chain([None]);
    let mut shown = Vec::with_capacity(versions.len());
    for (version, before) in versions.iter().zip(before).take(usize::from(args.limit)) {
        shown.push((version, changed(version, before)?));
    }
    if global.json {
        output::json(&shown.iter().map(|(version, changes)| json(version, changes)).collect::<Vec<_>>())?;
    } else {
        table(&shown);
    }
    Ok(ExitCode::SUCCESS)
}

/// The settings of a version; one that is not there is told with the command that lists those that are.
async fn of_version(database: &Database, connection: &Connection, version: i32) -> Result<Settings, Error> {
    settings_versions::settings(&database.pool, connection.id, version).await.map_err(|error| {
        match error.code {
            Code::SettingsVersionUnknown => {
                let (name, newest) = (&connection.name, connection.settings_version);
                let words = format!(
                    "`{name}` has no version {version} of its settings, the newest is {newest}; \
                 `ml-connector connection history {name}` lists them"
                );
                Error::new(error.code, words)
            }
            _ => error,
        }
    })
}

/// What a version changed; `None` for the first one, and where a version cannot be read.
fn changed(version: &Version, before: Option<&Version>) -> anyhow::Result<Option<Vec<Change>>> {
    let (Ok(settings), Some(Ok(before))) = (&version.settings, before.map(|before| before.settings.as_ref()))
    else {
        return Ok(None);
    };
    Ok(Some(changes::between(Some(before), settings)?))
}

fn json(version: &Version, changes: &Option<Vec<Change>>) -> serde_json::Value {
    serde_json::json!({
        "version": version.version, "at": version.at, "by": version.by, "rollback_to": version.rollback_to,
        "changes": changes, "unreadable": version.settings.as_ref().err(),
    })
}

fn table(shown: &[(&Version, Option<Vec<Change>>)]) {
    let mut table = output::table(&["version", "since", "by", "changed"]);
    for (version, changes) in shown {
        let what = match (&version.settings, changes) {
            (Err(why), _) => format!("cannot be read by this program: {why}"),
            (Ok(_), None) => "the first settings".to_owned(),
            (Ok(_), Some(changes)) if changes.is_empty() => {
                "no setting; a secret may have been stored anew".to_owned()
            }
            (Ok(_), Some(changes)) => lines(changes),
        };
        let back = version.rollback_to.map_or_else(String::new, |to| format!("back to {to}:\n"));
        table.add_row([
            version.version.to_string(),
            output::when(Some(version.at)),
            version.by.clone().unwrap_or_else(|| "-".to_owned()),
            back + &what,
        ]);
    }
    output::data(&table.to_string());
}

fn lines(changes: &[Change]) -> String {
    let value = |value: &Option<String>| value.as_deref().map_or_else(|| "-".to_owned(), short);
    let mut lines: Vec<String> = changes
        .iter()
        .take(CHANGES_SHOWN)
        .map(|change| format!("{}: {} -> {}", change.setting, value(&change.old), value(&change.new)))
        .collect();
    if let Some(more) = changes.len().checked_sub(CHANGES_SHOWN).filter(|more| *more > 0) {
        lines.push(format!("and {more} more"));
    }
    lines.join("\n")
}

/// Goes back to an earlier version, after it was shown what changes.
pub async fn rollback(database: &Database, args: RollbackArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let engine = database.engine(global)?;
    let connection = connections::find(&database.pool, &args.name).await?;
    let settings = of_version(database, &connection, args.version).await?;
    let changes = changes::between(Some(&connection.settings), &settings)?;
    if !global.json && !changes.is_empty() {
        output::data(&super::apply::changes_table(&changes).to_string());
    }
    if changes.is_empty() || !(args.yes || output::consents(global)?) {
        let done =
            if changes.is_empty() { "nothing to change" } else { "nothing was changed; say --yes to do it" };
        if global.json {
            output::json(&serde_json::json!({ "done": false, "changes": changes, "compared_anew": 0 }))?;
        } else {
            output::say(done);
        }
        let asked_in_vain = !changes.is_empty();
        return Ok(if asked_in_vain { ExitCode::from(exit::FAILED) } else { ExitCode::SUCCESS });
    }
    let stop = args.follow.then(Stop::listen).transpose()?;
    let compared = manage::roll_back(&engine, &connection, args.version).await?;
    let looks = second_looks(&connection.settings, &settings);
    let object = serde_json::json!({
        "done": true, "changes": changes, "compared_anew": compared, "second_looks": looks,
    });
    let (name, version) = (&connection.name, args.version);
    let message =
        format!("`{name}` has the settings of version {version} again; {compared} records are compared anew");
    let message = [vec![message], looks].concat().join("\n");
    super::follow::told(&engine, name, (&message, object), stop, global).await
}
