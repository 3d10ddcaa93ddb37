//! `connection mapping`: what goes where, and everything that is wrong with it.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use connector::code::Code;
use connector::mapping::hints::hints;
use connector::mapping::paths::{self, Readable};
use connector::mapping::places::{self, Place};
use connector::mapping::surroundings::{self, Surroundings};
use connector::settings::Settings;
use connector::store::connections::{self, Connection};

use crate::cli::Global;
use crate::commands::proposed::proposed;
use crate::database::Database;
use crate::output::{self, short};

/// Whose mapping is looked at.
#[derive(Debug, Args)]
pub struct MappingArgs {
    /// The connection's name
    name: String,
    /// Look at these settings instead of the stored ones, TOML; nothing is stored
    #[arg(long, short = 'f', value_name = "FILE")]
    file: Option<PathBuf>,
    /// Look with one setting changed, such as `tasks.per=line`; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// List where rules can lead to: fields, sections and tags, each with the gid to write
    #[arg(long, conflicts_with = "paths")]
    places: bool,
    /// List what values can read, with an example of each from the stored records
    #[arg(long)]
    paths: bool,
}

/// One line of the mapping.
#[derive(Debug, serde::Serialize)]
struct Row {
    to: String,
    field: Option<String>,
    shows: String,
    from: String,
    when: Option<String>,
}

/// Shows the mapping and checks it against both sides; ends with 3 when something is wrong.
pub async fn run(database: &Database, args: MappingArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let engine = database.engine(global)?;
    let mut connection = connections::find(&database.pool, &args.name).await?;
    if args.file.is_some() || !args.set.is_empty() {
        connection.settings = proposed(&engine, &connection, args.file.as_deref(), &args.set).await?.settings;
    }
    if args.places {
        return show_places(&places::places(&engine, &connection).await?, global);
    }
    if args.paths {
        return show_paths(&paths::readable(&engine, &connection).await?, &args.name, global);
    }
    let around = surroundings::around(&engine, &connection).await?;
    let mut problems = surroundings::problems(&connection.settings, &around);
    if let Err(unmapped) = connection.settings.check_mapped() {
        let name = &connection.name;
        problems.insert(0, format!("fields: {}; `connection provision {name}` makes them", unmapped.message));
    }
    let rows = rows(&connection, &around);
    let hints = hints(&connection.settings);
    if global.json {
        output::json(&serde_json::json!({ "rows": rows, "problems": problems, "hints": hints }))?;
    } else {
        show(&rows);
        let code = Code::MappingRefused.info().code;
        match problems.as_slice() {
            [] => output::say("the mapping fits Oracle's records and Asana's fields"),
            [one] => output::say(&format!("{code}: {one}")),
            many => {
                output::say(&format!("{code}: {} problems", many.len()));
                many.iter().for_each(|problem| output::say(&format!("- {problem}")));
            }
        }
        if !hints.is_empty() {
            output::say("worth a second look:");
            hints.iter().for_each(|hint| output::say(&format!("- {hint}")));
        }
        if problems.is_empty() {
            output::say(&next(&args));
        }
    }
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

fn show_places(places: &[Place], global: &Global) -> anyhow::Result<ExitCode> {
    if global.json {
        output::json(&places)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = output::table(&["what", "write", "name", "takes", "of project", "written by"]);
    for place in places {
        let takes = place.takes.as_deref().map_or_else(|| "-".to_owned(), short);
        let projects = if place.projects.is_empty() { "-".to_owned() } else { place.projects.join(", ") };
        let writers = if place.written_by.is_empty() { "-".to_owned() } else { place.written_by.join(", ") };
        table.add_row([place.what, &place.name_it, &place.name, &takes, &projects, &writers]);
    }
    output::data(&table.to_string());
    output::say("besides: name, notes, due_on, and assignee with an e-mail address or a gid");
    output::say("a field or tag is the `to` of a rule; a section is the value of one with to = \"section\"");
    Ok(ExitCode::SUCCESS)
}

fn show_paths(paths: &[Readable], name: &str, global: &Global) -> anyhow::Result<ExitCode> {
    if global.json {
        output::json(&paths)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = output::table(&["read", "type", "for example"]);
    for Readable { path, kind, example } in paths {
        let kind = kind.as_deref().unwrap_or("-");
        let example = example.as_deref().map_or_else(|| "-".to_owned(), short);
        table.add_row([path.as_str(), kind, &example]);
    }
    output::data(&table.to_string());
    output::say("examples are from stored records; children that nothing reads yet are not stored");
    if paths.iter().all(|path| path.example.is_none()) {
        output::say(&format!(
            "no record is stored yet: ml-connector connection dry-run {name} shows what comes"
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// The dry run with the same settings.
fn next(args: &MappingArgs) -> String {
    let file = args.file.as_ref().map(|file| format!(" -f {}", file.display()));
    let sets = args.set.iter().map(|set| format!(" --set '{set}'"));
    let same: String = file.into_iter().chain(sets).collect();
    let name = &args.name;
    format!(
        "next: ml-connector connection dry-run {name}{same} shows what each task would show; nothing is written"
    )
}

fn rows(connection: &Connection, around: &Surroundings) -> Vec<Row> {
    let settings = &connection.settings;
    let named = |gid: &str| {
        let mut sets = around.fields.values().filter_map(|set| set.as_ref().ok());
        sets.find_map(|set| set.get(&gid.into()))
            .map(|field| format!("{} ({})", field.name, field.kind.name()))
    };
    let mut rows: Vec<Row> = Vec::new();
    for (purpose, gid) in &settings.fields {
        let name = purpose.as_str();
        rows.push(Row {
            to: gid.0.clone(),
            field: named(&gid.0),
            shows: name.to_owned(),
            from: match settings.mapping.values.contains_key(name) {
                true => source(name, settings),
                false => "built in".to_owned(),
            },
            when: None,
        });
    }
    for rule in &settings.mapping.rules {
        let shows = rule.value.clone().or_else(|| rule.set.as_ref().map(|text| format!("{text:?}")));
        rows.push(Row {
            to: rule.to.clone(),
            field: named(&rule.to),
            shows: shows.unwrap_or_else(|| "the tag".to_owned()),
            from: rule.value.as_deref().map(|name| source(name, settings)).unwrap_or_default(),
            when: rule.when.clone(),
        });
    }
    rows
}

/// Where a value comes from.
fn source(name: &str, settings: &Settings) -> String {
    let Some(value) = settings.mapping.values.get(name) else { return "built in".to_owned() };
    match (&value.read, &value.value, &value.text) {
        (Some(path), ..) => path.clone(),
        (None, Some(other), _) => format!("value {other}"),
        (None, None, Some(_)) => "a template".to_owned(),
        (None, None, None) => String::new(),
    }
}

fn show(rows: &[Row]) {
    let mut table = output::table(&["to", "field", "shows", "from", "when"]);
    for row in rows {
        let Row { to, field, shows, from, when } = row;
        let when = when.as_deref().unwrap_or("always");
        table.add_row([to, field.as_deref().unwrap_or("-"), &short(shows), &short(from), &short(when)]);
    }
    output::data(&table.to_string());
}
