//! `erase`: taking what names a supplier or a person out of the log, on request.

use std::process::ExitCode;

use clap::Args;
use connector::erase::{self, How, Past, Report, Wanted};
use connector::store::connections;
use connector::{Code, Engine};
use tokio::sync::watch;

use crate::cli::Global;
use crate::commands::poll::Shown;
use crate::database::Database;
use crate::{exit, output, person};

/// Whose texts to erase.
#[derive(Debug, Args)]
pub struct EraseArgs {
    /// The connection's name; alone, tells what was erased before
    connection: String,
    /// A supplier, by its name, number or id
    #[arg(long, value_name = "NAME|NUMBER|ID", conflicts_with = "person")]
    supplier: Option<String>,
    /// A person, by gid, e-mail address or name as it is written; may be given several times for one person
    #[arg(long, value_name = "GID|EMAIL|NAME")]
    person: Vec<String>,
    /// Erase without asking; where nobody can be asked, without it only what would be erased is counted
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    who: person::PersonArgs,
}

impl EraseArgs {
    fn wanted(&self) -> Option<Wanted> {
        match (&self.supplier, self.person.as_slice()) {
            (Some(supplier), _) => Some(Wanted::Supplier(supplier.clone())),
            (None, []) => None,
            (None, names) => Some(Wanted::Person(names.to_vec())),
        }
    }
}

/// Counts, erases, or tells what was erased.
pub async fn run(args: EraseArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let database = Database::ready(global).await?;
    let done = match args.wanted() {
        Some(wanted) => one(&database, args, &wanted, global).await,
        None => listed(&database, &args.connection, global).await,
    };
    database.close().await?;
    done
}

async fn listed(database: &Database, connection: &str, global: &Global) -> anyhow::Result<ExitCode> {
    let connection = connections::find(&database.pool, connection).await?;
    let past = erase::past(&database.pool, connection.id).await?;
    if global.json {
        output::json(&past)?;
    } else if past.is_empty() {
        output::say("nothing was erased; say whose texts with --supplier or --person");
    } else {
        output::data(&before(&past).to_string());
    }
    Ok(ExitCode::SUCCESS)
}

async fn one(
    database: &Database,
    args: EraseArgs,
    wanted: &Wanted,
    global: &Global,
) -> anyhow::Result<ExitCode> {
    let engine: Engine = database.engine(global)?;
    let connection = connections::find(&engine.db, &args.connection).await?;
    let progress = watch::Sender::new(0);
    let rows = erase::rows(&engine.db, connection.id).await?;
    if !args.yes {
        let shown = Shown::start(&progress, "looking", Some(rows));
        let report = erase::preview(&engine, &connection, wanted, &progress).await;
        shown.end();
        let report = report?;
        told(&report, global)?;
        if report.erased() + report.open() == 0 {
            return Ok(ExitCode::SUCCESS);
        }
        if !output::consents(global)? {
            if !global.json {
                output::say("nothing was erased; erase it with --yes --by NAME");
            }
            return Ok(ExitCode::from(exit::FAILED));
        }
    }
    let (by, note) = args.who.who()?;
    progress.send_replace(0);
    let shown = Shown::start(&progress, "erasing", Some(rows));
    let report = erase::erase(&engine, &connection, wanted, &How { by, note }, &progress).await;
    shown.end();
    let report = report?;
    told(&report, global)?;
    Ok(if report.open() > 0 { ExitCode::from(exit::FOUND_PROBLEMS) } else { ExitCode::SUCCESS })
}

fn told(report: &Report, global: &Global) -> anyhow::Result<()> {
    if global.json {
        return output::json(report);
    }
    print(report);
    Ok(())
}

fn print(report: &Report) {
    for one in &report.suppliers {
        let name = one.name.as_deref().unwrap_or("(no name)");
        let known = [("id", &one.id), ("number", &one.number)];
        let known: Vec<String> = known
            .iter()
            .filter_map(|(what, text)| text.as_ref().map(|text| format!("{what} {text}")))
            .collect();
        output::say(&format!(
            "supplier: {name}{}{}",
            if known.is_empty() { "" } else { ", " },
            known.join(", ")
        ));
    }
    let what = if report.done { "erased" } else { "would be erased" };
    let mut table = output::table(&["table", what, "under way", "kept"]);
    for one in &report.told.tables {
        if one.erased + one.open + one.kept > 0 {
            table.add_row([
                &one.table,
                &one.erased.to_string(),
                &one.open.to_string(),
                &one.kept.to_string(),
            ]);
        }
    }
    if report.erased() + report.open() + report.kept() == 0 {
        output::say("nothing names it");
    } else {
        output::data(&table.to_string());
    }
    if !report.before.is_empty() {
        output::say("erased before:");
        output::say(&before(&report.before).to_string());
    }
    if report.kept() > 0 {
        output::say(
            "kept: Oracle's list of suppliers still shows it, and tasks are checked against that list",
        );
    }
    if report.in_settings {
        output::say("the connection's settings name it; change them with `connection edit`");
    }
    if report.open() > 0 {
        let info = Code::EraseOpen.info();
        output::say(&format!("{}: {} are left: {}", info.code, report.open(), info.remedy));
    }
    if report.done {
        output::say(
            "Oracle and Asana were not touched: a record or task that changes there is read with its names again",
        );
    } else if report.erased() + report.open() == 0 {
        output::say("nothing was erased");
    }
}

fn before(past: &[Past]) -> output::Table {
    let mut table = output::table(&["when", "by", "what", "rows", "left", "note"]);
    for one in past {
        let sum = |of: fn(&erase::Counted) -> u64| one.told.tables.iter().map(of).sum::<u64>().to_string();
        let rows = if one.told.finished { sum(|c| c.erased) } else { "cut off: do it again".to_owned() };
        table.add_row([
            output::when(Some(one.at)),
            one.by.clone(),
            one.told.kind.clone(),
            rows,
            sum(|c| c.open),
            one.note.clone().unwrap_or_default(),
        ]);
    }
    table
}
