//! `export`: the record log as a file.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use connector::store::connections;
use connector::store::export::{self, Exported};
use connector::{Code, Error};
use jiff::Timestamp;
use tokio::sync::watch;

use crate::cli::Global;
use crate::commands::poll::Shown;
use crate::database::Database;
use crate::output;

/// Movements read at once; what is in memory is bounded by this.
const PAGE: i64 = 500;
/// A cell that begins so is a formula for the programs that open such files.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// The form of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One JSON object a line; every text exactly as it is stored
    Jsonl,
    /// A header and a row for each movement; a text that a spreadsheet would take for a formula gets a `'` before it
    Csv,
}

/// What to export.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The connection's name
    connection: String,
    /// The form
    #[arg(long, value_enum, default_value = "jsonl")]
    format: Format,
    /// Only movements opened at this moment or later, such as 2026-11-01T00:00:00Z
    #[arg(long, value_name = "TIME", value_parser = crate::commands::chosen::moment)]
    since: Option<Timestamp>,
    /// Only movements opened before this moment
    #[arg(long, value_name = "TIME", value_parser = crate::commands::chosen::moment)]
    until: Option<Timestamp>,
    /// Where to write; without it to standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Writes the file.
pub async fn run(args: ExportArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let database = Database::ready(global).await?;
    let written = write(&database, &args).await;
    database.close().await?;
    let written = written?;
    match (&args.out, global.json) {
        (Some(out), true) => output::json(&serde_json::json!({ "movements": written, "file": out }))?,
        (Some(out), false) => output::say(&format!("{written} movements in {}", out.display())),
        (None, _) => output::say(&format!("{written} movements")),
    }
    Ok(ExitCode::SUCCESS)
}

async fn write(database: &Database, args: &ExportArgs) -> anyhow::Result<u64> {
    let db = &database.pool;
    let connection = connections::find(db, &args.connection).await?;
    let target: Box<dyn Write + Send> = match &args.out {
        Some(path) => Box::new(File::create(path).map_err(|error| unwritable(path, error))?),
        None => Box::new(std::io::stdout()),
    };
    let mut sink = Sink::new(args.format, BufWriter::new(target));
    let total = export::count(db, connection.id, args.since, args.until).await?;
    let progress = watch::Sender::new(0);
    let shown = Shown::start(&progress, "exporting", Some(total));
    let (mut after, mut written) = (None, 0);
    loop {
        let page = export::page(db, connection.id, args.since, args.until, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.movement_id);
        written += page.len() as u64;
        let put = page.iter().try_for_each(|movement| sink.put(movement));
        if let Err(error) = put {
            shown.end();
            return ended(error, args);
        }
        progress.send_replace(written);
    }
    shown.end();
    match sink.end() {
        Ok(()) => Ok(written),
        Err(error) => ended(error, args),
    }
}

/// Whoever reads standard output may stop early, as with any other tool.
fn ended(error: std::io::Error, args: &ExportArgs) -> anyhow::Result<u64> {
    match &args.out {
        None if error.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
        None => Err(error.into()),
        Some(path) => Err(unwritable(path, error).into()),
    }
}

fn unwritable(path: &std::path::Path, error: std::io::Error) -> Error {
    Error::new(Code::ExportUnwritable, format!("{} cannot be written", path.display())).because(error)
}

enum Sink {
    Jsonl(BufWriter<Box<dyn Write + Send>>),
    Csv(Box<csv::Writer<BufWriter<Box<dyn Write + Send>>>>),
}

impl Sink {
    fn new(format: Format, out: BufWriter<Box<dyn Write + Send>>) -> Sink {
        match format {
            Format::Jsonl => Sink::Jsonl(out),
            Format::Csv => Sink::Csv(Box::new(csv::Writer::from_writer(out))),
        }
    }

    fn put(&mut self, movement: &Exported) -> std::io::Result<()> {
        match self {
            Sink::Jsonl(out) => {
                serde_json::to_writer(&mut *out, movement)?;
                out.write_all(b"\n")
            }
            Sink::Csv(out) => out.serialize(plain(movement.clone())).map_err(Into::into),
        }
    }

    fn end(self) -> std::io::Result<()> {
        match self {
            Sink::Jsonl(mut out) => out.flush(),
            Sink::Csv(mut out) => out.flush(),
        }
    }
}

/// The movement with no text that a spreadsheet would run.
fn plain(mut movement: Exported) -> Exported {
    let Exported {
        feed,
        source_id,
        destination_id,
        state,
        outcome,
        code,
        reason,
        body,
        request,
        response,
        ..
    } = &mut movement;
    let texts = [destination_id, outcome, code, reason, body, request, response].into_iter().flatten();
    for text in [feed, source_id, state].into_iter().chain(texts) {
        if text.starts_with(FORMULA) {
            text.insert(0, '\'');
        }
    }
    movement
}
