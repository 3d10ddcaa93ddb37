//! `journals replay`.

use std::process::ExitCode;

use clap::Args;
use connector::ids::JournalId;
use connector::posting::replay::{Preview, Sending, preview, replay};
use connector::store::connections::{self, Connection, State};
use connector::{Code, Error};

use crate::cli::Global;
use crate::database::Database;
use crate::person;
use crate::{exit, output};

/// Which journal to send anew.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The connection's name
    connection: String,
    /// The journal's id
    #[arg(value_name = "JOURNAL")]
    journal: String,
    /// Look for a batch in Oracle and show the exact request; nothing is sent or stored
    #[arg(long)]
    preview: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    person: person::PersonArgs,
}

/// Runs the command.
pub async fn run(database: &Database, args: ReplayArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let connection = connections::find(&database.pool, &args.connection).await?;
    let id = id(&args.journal)?;
    if args.preview {
        let clients = database.engine(global)?.clients(connection.id).await?;
        print(&preview(&database.pool, &clients, id).await?, global)?;
        return Ok(ExitCode::SUCCESS);
    }
    let (by, note) = args.person.who()?;
    if !args.yes {
        output::say(&format!("journal {id} would be sent to Oracle again, under a new group"));
        if !output::consents(global)? {
            output::say("nothing was sent; look with --preview, or consent with --yes");
            return Ok(ExitCode::from(exit::FAILED));
        }
    }
    let replayed = replay(&database.pool, &connection, id, (&by, note.as_deref())).await?;
    if global.json {
        output::json(&replayed)?;
        return Ok(ExitCode::SUCCESS);
    }
    output::data(&format!("journal {id} is sent anew under group {}", replayed.group));
    output::say(&next(&connection, id));
    Ok(ExitCode::SUCCESS)
}

/// A journal's id as it was given.
pub fn id(text: &str) -> Result<JournalId, Error> {
    let unknown = |_| Error::new(Code::JournalSubjectUnknown, format!("`{text}` is not a journal's id"));
    text.parse().map_err(unknown)
}

/// Where to look for what comes of a journal that is sent anew.
pub fn next(connection: &Connection, id: JournalId) -> String {
    let name = &connection.name;
    match connection.state {
        State::Active => format!("see what comes of it with: ml-connector journals show {name} {id}"),
        state => format!("`{name}` is {}: it waits until the connection is activated", state.as_str()),
    }
}

fn print(preview: &Preview, global: &Global) -> anyhow::Result<()> {
    if global.json {
        return output::json(preview);
    }
    output::data(&format!(
        "First it is looked for:\n{}\nOracle says now: {}",
        preview.look_up, preview.found
    ));
    print_sending(&preview.sending);
    output::say("nothing was sent, and nothing was stored");
    Ok(())
}

/// How a journal would be sent.
pub fn print_sending(sending: &Sending) {
    if let Some(dated) = &sending.dated {
        output::data(&format!("\nDate: {dated}"));
    }
    match &sending.request {
        Some(request) => output::data(&format!("\nWhat would be sent, with the file packed:\n{request}")),
        None => output::data("\nNothing would be sent now."),
    }
}
