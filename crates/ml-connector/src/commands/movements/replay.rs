//! `movements replay`.

use std::process::ExitCode;

use clap::Args;
use connector::ids::MovementId;
use connector::replay::preview::{Preview, preview};
use connector::replay::{How, Report, replay};
use connector::store::connections::{self, Connection};
use connector::store::movements::{self, Filter};
use tokio::sync::watch;

use super::filter::FilterArgs;
use super::list;
use crate::cli::Global;
use crate::commands::poll::Shown;
use crate::database::Database;
use crate::person;
use crate::{exit, output};

/// What to send again.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The connection's name
    connection: String,
    /// The movements' ids; or say which by the options below
    #[arg(value_name = "ID", conflicts_with = "filter", required_unless_present = "filter")]
    ids: Vec<String>,
    #[command(flatten)]
    filter: FilterArgs,
    /// Show the exact requests and send nothing
    #[arg(long)]
    preview: bool,
    /// Preview at most so many
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// Send records as they were although Oracle has newer ones; an alert says so as long as Asana shows them
    #[arg(long)]
    older: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    person: person::PersonArgs,
}

/// Runs the command.
pub async fn run(database: &Database, args: ReplayArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let connection = connections::find(&database.pool, &args.connection).await?;
    let by_filter = args.ids.is_empty();
    let ids = if by_filter {
        let filter = args.filter.filter();
        if !global.json {
            // as below, what is settled is not meant when all that failed is
            let unsettled = filter.unsettled || filter.state.as_deref() == Some("failed");
            let meant = Filter { unsettled, ..filter.clone() };
            let groups = movements::groups(&database.pool, connection.id, &meant).await?;
            output::data(&list::table(&groups).to_string());
        }
        movements::newest_of_each(&database.pool, connection.id, &filter).await?
    } else {
        args.ids.iter().map(|id| super::id(id)).collect::<Result<_, _>>()?
    };
    if args.preview {
        return previewed(database, &connection, &ids, args.older, args.limit, global).await;
    }
    if by_filter && !args.yes {
        output::say(&format!("{} records would be sent again", ids.len()));
        if !output::consents(global)? {
            output::say("nothing was sent again; look with --preview, or consent with --yes");
            return Ok(ExitCode::from(exit::FAILED));
        }
    }
    let (by, note) = args.person.who()?;
    let how = How { by, note, older: args.older };
    let progress = watch::Sender::new(0);
    let shown = Shown::start(&progress, "sending again", Some(ids.len() as u64));
    let report = replay(&database.pool, &connection, &ids, &how, &progress).await;
    shown.end();
    told(&connection, &report?, global)
}

async fn previewed(
    database: &Database,
    connection: &Connection,
    ids: &[MovementId],
    older: bool,
    limit: usize,
    global: &Global,
) -> anyhow::Result<ExitCode> {
    let engine = database.engine(global)?;
    let first = ids.get(..limit.min(ids.len())).unwrap_or_default();
    let previews = preview(&engine, connection, first, older).await?;
    if global.json {
        output::json(&previews)?;
        return Ok(ExitCode::SUCCESS);
    }
    for preview in &previews {
        output::data(&entry(preview));
    }
    if first.len() < ids.len() {
        output::say(&format!("and {} more; --limit N shows more", ids.len() - first.len()));
    }
    output::say("nothing was sent or stored");
    Ok(ExitCode::SUCCESS)
}

fn entry(preview: &Preview) -> String {
    let edited = if preview.is_edited { ", edited" } else { "" };
    let mut text = format!("movement {}{edited}", preview.movement);
    for request in &preview.requests {
        text.push_str("\n    ");
        text.push_str(&request.replace('\n', "\n    "));
    }
    let why: Vec<&str> = [preview.code, preview.reason.as_deref()].into_iter().flatten().collect();
    if !why.is_empty() {
        text.push_str(&format!("\n    {}", why.join(": ")));
    }
    text
}

/// Ends well when anything is sent again or nothing was to be.
fn told(connection: &Connection, report: &Report, global: &Global) -> anyhow::Result<ExitCode> {
    let code = if report.count == 0 && !report.refused.is_empty() { exit::FAILED } else { 0 };
    if global.json {
        output::json(report)?;
        return Ok(ExitCode::from(code));
    }
    if !report.opened.is_empty() {
        let mut table = output::table(&["sent again", "as movement"]);
        for opened in &report.opened {
            table.add_row([opened.of.to_string(), opened.movement.to_string()]);
        }
        output::data(&table.to_string());
    }
    if !report.refused.is_empty() {
        let mut table = output::table(&["refused", "count", "an example", "why", "what to do"]);
        for refused in &report.refused {
            let remedy = connector::Code::find(refused.code).map_or("", |code| code.info().remedy);
            table.add_row([
                refused.code,
                &refused.count.to_string(),
                &refused.example.to_string(),
                &refused.reason,
                remedy,
            ]);
        }
        output::data(&table.to_string());
    }
    output::say(&format!("{} sent again", report.count));
    if report.count > 0 {
        let name = &connection.name;
        output::say(&match connection.state {
            connections::State::Active => {
                format!("see what comes of it with: ml-connector movements list {name}")
            }
            state => format!(
                "`{name}` is {}: they wait until it is activated, or until ml-connector poll {name}",
                state.as_str()
            ),
        });
    }
    Ok(ExitCode::from(code))
}
