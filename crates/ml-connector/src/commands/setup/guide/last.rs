//! The end: both sides tested whole, the dry run, the activation, and the file that does it again.

use std::process::ExitCode;

use connector::apply::file;
use connector::dry_run::Options;
use connector::dry_run::report::estimate;
use connector::manage::{self, FirstLook};
use connector::ping::{self, Verdict};
use connector::store::connections::{self, Connection, State};
use connector::store::dry_runs;
use connector::vault::CredentialName;

use super::super::{activate, dry_run};
use super::{Guide, prompt, sides, words};
use crate::commands::doctor;
use crate::output;

/// What a person does about failed tests.
enum Now {
    Again,
    Anew(CredentialName),
    GoOn,
}

/// Tests both sides, and makes the dry run.
pub async fn look(guide: &Guide<'_>, connection: &Connection) -> anyhow::Result<()> {
    prompt::explain("the last look", words::DRY_RUN);
    let checks = ping::ping(&guide.engine, connection.id).await?;
    doctor::show(&checks, guide.global)?;
    if checks.iter().any(|check| check.verdict == Verdict::Failed) {
        let options = [
            ("test again", Now::Again),
            ("change: Oracle's client secret", Now::Anew(CredentialName::OracleClientSecret)),
            ("change: Asana's token", Now::Anew(CredentialName::AsanaToken)),
            ("go on all the same", Now::GoOn),
        ];
        match prompt::pick("What now?", options)? {
            Now::Again => return Ok(()),
            Now::Anew(name) => return sides::give_anew(guide, connection, &name).await,
            Now::GoOn => {}
        }
    }
    match dry_run::look(&guide.engine, connection, None, Options::default()).await {
        Ok(mut report) => {
            dry_run::table(&mut report)?;
            dry_run::mapping(&report);
            dry_run::counts(connection, &report);
        }
        Err(error) => {
            prompt::refused(&error);
            prompt::pick("What now?", [("look again", ())])?;
        }
    }
    Ok(())
}

/// Offers the activation, and tells how to do all this again elsewhere.
pub async fn activate(guide: &Guide<'_>, connection: &Connection) -> anyhow::Result<ExitCode> {
    let name = &connection.name;
    if let Some(made) = dry_runs::last(&guide.engine.db, connection.id).await? {
        let words = format!(
            "Dry run of {}: {} tasks would be made, {} changed, {} records held.\nThe first synchronisation: {}.\n\
             All of it as a page: ml-connector connection dry-run {name} --html FILE",
            output::when(Some(made.made_at)),
            made.counts.created,
            made.counts.updated,
            made.counts.held,
            estimate(&made.counts, &connection.settings)
        );
        prompt::explain("activation", &words);
    }
    if prompt::confirm(&format!("Activate `{name}` now?"), true)? {
        manage::activate(&guide.engine, connection, FirstLook::Required).await?;
        let (message, _) = activate::told(&guide.engine, connection).await?;
        output::say(&message);
        output::say("The work is done by `ml-connector serve`; start it, or let it run.");
        if connection.settings.journal.is_some() {
            output::say(&format!(
                "Asana tells it of completed tasks under `serve --public-url https://...`; without that they are\n\
                 found by a sweep every {} minutes.",
                connection.settings.webhooks.sweep_minutes
            ));
        }
    } else {
        output::say(&format!("Not activated; when it is time: ml-connector connection activate {name}"));
    }
    let stored = connections::find(&guide.database.pool, name).await?;
    output::say(
        "\nThe same as one file, for another place: name the secrets' variables or files in it, then\n\
         ml-connector connection apply -f FILE. `connection export` prints it again.\n",
    );
    output::data(file::write(name, &stored.settings)?.trim_end());
    Ok(ExitCode::SUCCESS)
}

/// Nothing is left to do.
pub fn over(connection: &Connection) -> ExitCode {
    let name = &connection.name;
    if connection.state == State::Paused {
        output::say(&format!("\nIt is paused; ml-connector connection activate {name} lets it go on."));
    }
    output::say(&format!(
        "\nNothing is left to set up. Changes: `connection edit {name}`; tests: `connection ping {name}`; \
         its file: `connection export {name}`."
    ));
    ExitCode::SUCCESS
}
