//! `connection dry-run`: shows what a synchronisation would write, and writes nothing.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use connector::apply::changes;
use connector::dry_run::report::{Action, Entry, Report, Value, estimate, minutes};
use connector::dry_run::{self, Options};
use connector::mapping::hints::hints;
use connector::settings::Settings;
use connector::store::connections::{self, Connection};
use connector::{Engine, Error};
use jiff::Timestamp;
use tokio::sync::watch;

use super::report_page;
use crate::cli::Global;
use crate::commands::poll::Shown;
use crate::commands::proposed::{proposed, second_looks};
use crate::database::Database;
use crate::output::{self, short};

/// Rows of the table that people get; the rest is for the report.
const ROWS: usize = 60;

/// What is looked at, and where it is shown.
#[derive(Debug, Args)]
pub struct DryRunArgs {
    /// The connection's name
    name: String,
    /// Look with these settings instead of the stored ones, TOML; nothing is stored
    #[arg(long, short = 'f', value_name = "FILE")]
    file: Option<PathBuf>,
    /// Look with one setting changed, such as `tasks.per=line`; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Only records that changed since, such as 2026-05-01T00:00:00Z; the first activation needs all
    #[arg(long, value_name = "TIME", value_parser = crate::commands::chosen::moment)]
    since: Option<Timestamp>,
    /// At most so many records of each feed; the first activation needs all
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Write the whole report to this file, as a page for a browser
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// Makes a dry run and shows it.
pub async fn run(database: &Database, args: DryRunArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let engine = database.engine(global)?;
    let mut connection = connections::find(&database.pool, &args.name).await?;
    let before = connection.settings.clone();
    let options = Options { since: args.since, limit: args.limit };
    let is_preview = args.file.is_some() || !args.set.is_empty();
    let proposed = if is_preview {
        let settings = proposed(&engine, &connection, args.file.as_deref(), &args.set).await?.settings;
        connection.settings = settings.clone();
        Some(settings)
    } else {
        None
    };
    if is_preview && !global.json {
        let changes = changes::between(Some(&before), &connection.settings)?;
        output::data(&super::apply::changes_table(&changes).to_string());
    }
    let mut report = look(&engine, &connection, proposed, options).await?;
    if let Some(file) = &args.html {
        report_page::write(file, &connection, &mut report)?;
    }
    if global.json {
        json(&connection, &mut report)?;
        return Ok(ExitCode::SUCCESS);
    }
    table(&mut report)?;
    mapping(&report);
    summary(&connection, &report, args.html.as_ref());
    let looks = if is_preview { second_looks(&before, &connection.settings) } else { hints(&before) };
    looks.iter().for_each(|look| output::say(look));
    output::say(&what_is_next(&connection, &report, is_preview));
    Ok(ExitCode::SUCCESS)
}

/// Makes a dry run, by the stored settings or by `proposed` ones, with its progress shown to people.
pub(super) async fn look(
    engine: &Engine,
    connection: &Connection,
    proposed: Option<Settings>,
    options: Options,
) -> Result<Report, Error> {
    let progress = watch::Sender::new(0);
    let shown = Shown::start(&progress, "reading and comparing; nothing is written", None);
    let made = match proposed {
        Some(settings) => dry_run::preview(engine, connection, settings, options, &progress).await,
        None => dry_run::run(engine, connection.id, options, &progress).await,
    };
    shown.end();
    made
}

/// The first entries as a table.
pub(super) fn table(report: &mut Report) -> anyhow::Result<()> {
    let mut table = output::table(&["task", "field", "now", "would be"]);
    let (mut rows, mut entries) = (0, 0);
    while rows < ROWS
        && let Some(entry) = report.entry(entries)?
    {
        entries += 1;
        let mut what = title(&entry);
        if let (Some(code), Some(reason)) = (&entry.code, &entry.reason) {
            table.add_row([what, "-".to_owned(), "-".to_owned(), format!("{code}: {reason}")]);
            rows += 1;
            continue;
        }
        for Value { purpose, old, new } in &entry.values {
            let shown = |value: &Option<String>| value.as_deref().map_or_else(|| "-".to_owned(), short);
            let first = std::mem::take(&mut what);
            table.add_row([first, purpose.clone(), shown(old), shown(new)]);
            rows += 1;
        }
    }
    if rows > 0 {
        output::data(&table.to_string());
    }
    if entries < report.len() {
        output::say(&format!("and {} more; --html FILE or --json shows all", report.len() - entries));
    }
    Ok(())
}

/// What there is to say of the mapping document over all tasks, if anything.
pub(super) fn mapping(report: &Report) {
    let mut says = report.mapping.says().peekable();
    if says.peek().is_none() {
        return;
    }
    let mut table = output::table(&["mapping", "over all tasks"]);
    for (place, words) in says {
        table.add_row([place, words]);
    }
    output::data(&table.to_string());
}

/// What an entry is about, in a few words.
pub fn title(entry: &Entry) -> String {
    let line = if entry.line_id.is_empty() { String::new() } else { format!(", line id {}", entry.line_id) };
    let number = if entry.order_number.is_empty() { &entry.source_id } else { &entry.order_number };
    match (entry.action, &entry.task) {
        (Action::Create, _) => {
            let name = entry.name.as_deref().unwrap_or(number);
            format!("new: {}{line}", short(name))
        }
        (Action::Held, _) => format!("held: {number}, {} {}", entry.feed, entry.source_id),
        (Action::Update, task) => format!("change: {number}{line}, task {}", task.as_deref().unwrap_or("?")),
    }
}

/// How much there is to do.
pub(super) fn counts(connection: &Connection, report: &Report) {
    let counts = &report.counts;
    output::data(
        &output::pairs([
            ("tasks that would be made", counts.created.to_string()),
            ("tasks that would be changed", counts.updated.to_string()),
            ("records that need no write", counts.unchanged.to_string()),
            ("records that would be held", counts.held.to_string()),
            ("the synchronisation", estimate(counts, &connection.settings)),
        ])
        .to_string(),
    );
}

fn summary(connection: &Connection, report: &Report, html: Option<&PathBuf>) {
    counts(connection, report);
    if let Some(file) = html {
        output::say(&format!("the report stands in {}", file.display()));
    }
}

fn what_is_next(connection: &Connection, report: &Report, is_preview: bool) -> String {
    let name = &connection.name;
    if is_preview {
        return format!(
            "nothing was written or stored; `ml-connector connection edit {name}` with the same -f and --set applies it to all \
             tasks, and `connection rollback` takes the settings back"
        );
    }
    match (report.whole, connection.state) {
        (false, _) => {
            "nothing was written; this looked at a part, so it does not do for a first activation".to_owned()
        }
        (true, connections::State::Draft) => {
            format!("nothing was written; next: ml-connector connection activate {name}")
        }
        (true, _) => "nothing was written".to_owned(),
    }
}

/// Prints everything as one JSON value, entry by entry.
fn json(connection: &Connection, report: &mut Report) -> anyhow::Result<()> {
    let counts = serde_json::to_string(&report.counts)?;
    let minutes = minutes(&report.counts, &connection.settings);
    let mapping = serde_json::to_string(&report.mapping)?;
    output::data(&format!(
        "{{\n  \"name\": {},\n  \"whole\": {},\n  \"counts\": {counts},\n  \"minutes\": {minutes},\n  \"mapping\": {mapping},\n  \"tasks\": [",
        serde_json::to_string(&connection.name)?,
        report.whole,
    ));
    let count = report.len();
    for place in 0..count {
        if let Some(entry) = report.entry(place)? {
            let comma = if place + 1 < count { "," } else { "" };
            output::data(&format!("    {}{comma}", serde_json::to_string(&entry)?));
        }
    }
    output::data("  ]\n}");
    Ok(())
}
