//! `journals resolve`.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use connector::posting::resolve::{Choice, How, Preview, Resolved, preview, resolve};
use connector::store::connections::{self, Connection};

use crate::cli::Global;
use crate::commands::journals::replay;
use crate::database::Database;
use crate::person;
use crate::{exit, output};

/// How long to wait for a node that works on the connection's journals right now.
const PATIENCE: Duration = Duration::from_secs(20);

/// What to say of which journal.
#[derive(Debug, Args)]
pub struct ResolveArgs {
    /// The connection's name
    connection: String,
    /// The journal's id
    #[arg(value_name = "JOURNAL")]
    journal: String,
    /// It is in Oracle, as this batch: its JeBatchId
    #[arg(
        long,
        value_name = "BATCH-ID",
        required_unless_present = "not_posted",
        conflicts_with = "not_posted"
    )]
    posted: Option<String>,
    /// It is not in Oracle
    #[arg(long, requires = "what_then")]
    not_posted: bool,
    /// Then send it anew, under a new group
    #[arg(long, group = "what_then", requires = "not_posted")]
    send_anew: bool,
    /// Then give it up: it is not sent again, and bears its cost no more
    #[arg(long, group = "what_then", requires = "not_posted")]
    give_up: bool,
    /// Look in Oracle and show what would follow; nothing is sent or stored
    #[arg(long)]
    preview: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    person: person::PersonArgs,
}

impl ResolveArgs {
    fn choice(&self) -> Choice {
        match &self.posted {
            Some(batch) => Choice::Posted { batch: batch.trim().to_owned() },
            None if self.send_anew => Choice::SendAnew,
            None => Choice::GiveUp,
        }
    }
}

/// Runs the command.
pub async fn run(database: &Database, args: ResolveArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let connection = connections::find(&database.pool, &args.connection).await?;
    let (id, choice) = (replay::id(&args.journal)?, args.choice());
    let engine = database.engine(global)?;
    if args.preview {
        print(&preview(&engine, connection.id, id, &choice).await?, global)?;
        return Ok(ExitCode::SUCCESS);
    }
    let (by, note) = args.person.who()?;
    if !args.yes {
        output::say(&match &choice {
            Choice::Posted { batch } => {
                format!("journal {id} would be taken for imported as batch {batch}, if Oracle shows it")
            }
            Choice::SendAnew => {
                format!("journal {id} would be sent to Oracle again, if it is proved not to be there")
            }
            Choice::GiveUp => format!("journal {id} would be given up, if it is proved not to be in Oracle"),
        });
        if !output::consents(global)? {
            output::say("nothing was changed; look with --preview, or consent with --yes");
            return Ok(ExitCode::from(exit::FAILED));
        }
    }
    let how = How { by: &by, note: note.as_deref(), patience: PATIENCE };
    let resolved = resolve(&engine, connection.id, id, &choice, how).await?;
    tell(&connection, &resolved, &choice, global)?;
    Ok(ExitCode::SUCCESS)
}

fn tell(
    connection: &Connection,
    resolved: &Resolved,
    choice: &Choice,
    global: &Global,
) -> anyhow::Result<()> {
    if global.json {
        return output::json(resolved);
    }
    let mut rows = vec![
        ("journal", resolved.journal.to_string()),
        ("now", resolved.state.replace('_', " ")),
        ("what happened", resolved.what.clone()),
        ("asked of Oracle", resolved.look_up.clone()),
        ("shown", resolved.found.clone()),
    ];
    if let Some(code) = resolved.code {
        rows.push(("code", code.to_owned()));
    }
    output::data(&output::pairs(rows).to_string());
    let (name, id) = (&connection.name, resolved.journal);
    output::say(&match choice {
        Choice::SendAnew => replay::next(connection, id),
        _ => format!("its whole story: ml-connector journals show {name} {id}"),
    });
    Ok(())
}

fn print(preview: &Preview, global: &Global) -> anyhow::Result<()> {
    if global.json {
        return output::json(preview);
    }
    output::data(&format!("It is looked for:\n{}\nOracle says now:\n{}", preview.look_up, preview.found));
    if let Some(would) = &preview.would {
        output::data(&format!("\nThen {would}"));
    }
    if let Some(refused) = &preview.refused {
        output::data(&format!(
            "\nIt would be refused. {}: {}\nWhat to do: {}",
            refused.code, refused.reason, refused.remedy
        ));
    }
    if let Some(sending) = &preview.sending {
        replay::print_sending(sending);
    }
    output::say("nothing was sent, and nothing was stored");
    Ok(())
}
