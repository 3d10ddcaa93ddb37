//! Measures ml-connector on this machine: the release binary as processes of its own, a private
//! PostgreSQL, and the stand-ins. Run by `script/bench`; `docs/benchmarks.md` says what each case means.
//!
//! It is no test: it fails when the program does not work, never because it is slow.

#![expect(clippy::float_arithmetic, reason = "seconds and megabytes, never money")]

mod build;
mod copy;
mod database;
mod engine;
mod extract;
mod filled;
mod idle;
mod ingest;
mod latency;
mod machine;
mod process;
mod push;
mod reading;
mod record;
mod recovery;
mod report;
mod stand_in;
mod start;
mod suppliers;
mod tcp;

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use crate::report::{Measured, say};

/// Measures ml-connector on this machine.
#[derive(Debug, Parser)]
#[command(name = "script/bench", max_term_width = 100)]
struct Args {
    /// What to measure; without it everything that takes seconds
    cases: Vec<Case>,
    /// Write the medians to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// How many times each case is measured; without it each case has its own number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    runs: Option<u32>,
    /// Where databases are put; it must be on a disk for `fsync` to mean anything
    #[arg(long, default_value = "/var/tmp", value_name = "DIR")]
    dir: PathBuf,
    /// Orders of `extract` and `extract_lines`; targets are meant for the default
    #[arg(long, default_value_t = 100_000, value_name = "N")]
    orders: u64,
    /// Movements of `search`, a million, and of `trace`, ten million; targets are meant for these
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1_000..))]
    movements: Option<u64>,
    /// Tasks of `record`; targets are meant for the default
    #[arg(long, default_value_t = 4_000, value_name = "N")]
    tasks: usize,
    /// What `cargo bench` passes
    #[arg(long, hide = true)]
    bench: bool,
    /// What the receiver of `ingest` is started with
    #[command(flatten)]
    receive: ingest::ReceiveArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Case {
    /// Orders without lines: read, fingerprinted, stored
    Extract,
    /// The same with a line, a schedule and a distribution each
    ExtractLines,
    /// Changed tasks at an allowed rate
    Push,
    /// From starting `serve` until it is ready
    Start,
    /// `serve` with nothing to do
    Idle,
    /// Deliveries of webhooks, as many as can be
    Ingest,
    /// Deliveries of webhooks, 200 a second
    Ingest200,
    /// 50,000 suppliers, read a first time and again without changes
    Suppliers,
    /// From a delivery to a journal that Oracle has accepted
    Latency,
    /// From killing `serve` to the first delivery that it accepts again
    Recovery,
    /// A push with the record log against one without
    Record,
    /// Searches in a log of a million movements; only when named
    Search,
    /// Time lines and look-ups in a log of ten million movements; only when named
    Trace,
    /// A first build for the demo
    Build,
}

impl Case {
    /// What runs when nothing is asked for: everything that takes seconds.
    const USUAL: [Case; 11] = [
        Case::Extract,
        Case::ExtractLines,
        Case::Push,
        Case::Start,
        Case::Idle,
        Case::Ingest,
        Case::Ingest200,
        Case::Suppliers,
        Case::Latency,
        Case::Recovery,
        Case::Record,
    ];

    fn name(self) -> &'static str {
        match self {
            Case::Extract => "extract",
            Case::ExtractLines => "extract_lines",
            Case::Push => "push",
            Case::Start => "start",
            Case::Idle => "idle",
            Case::Ingest => "ingest",
            Case::Ingest200 => "ingest200",
            Case::Suppliers => "suppliers",
            Case::Latency => "latency",
            Case::Recovery => "recovery",
            Case::Record => "record",
            Case::Search => "search",
            Case::Trace => "trace",
            Case::Build => "build",
        }
    }

    /// Enough for a median where a run is short.
    fn usual_runs(self) -> u32 {
        match self {
            Case::Extract | Case::ExtractLines | Case::Start => 5,
            Case::Idle | Case::Ingest | Case::Ingest200 | Case::Suppliers | Case::Latency => 3,
            Case::Recovery | Case::Search | Case::Trace => 3,
            Case::Push | Case::Record | Case::Build => 1,
        }
    }

    async fn measure(self, args: &Args) -> anyhow::Result<Measured> {
        let runs = args.runs.unwrap_or_else(|| self.usual_runs());
        match self {
            Case::Extract => extract::measure(extract::Shape::Headers, args.orders, runs, &args.dir).await,
            Case::ExtractLines => extract::measure(extract::Shape::Lines, args.orders, runs, &args.dir).await,
            Case::Push => push::measure(runs, &args.dir).await,
            Case::Start => start::measure(runs, &args.dir).await,
            Case::Idle => idle::measure(runs, &args.dir).await,
            Case::Ingest => ingest::measure(runs, &args.dir).await,
            Case::Ingest200 => ingest::measure_steady(runs, &args.dir).await,
            Case::Suppliers => suppliers::measure(runs, &args.dir).await,
            Case::Latency => latency::measure(runs, &args.dir).await,
            Case::Recovery => recovery::measure(runs, &args.dir).await,
            Case::Record => record::measure(args.tasks, runs, &args.dir).await,
            Case::Search => reading::search(args.movements.unwrap_or(1_000_000), runs, &args.dir).await,
            Case::Trace => reading::trace(args.movements.unwrap_or(10_000_000), runs, &args.dir).await,
            Case::Build => build::measure(runs, &args.dir).await,
        }
    }
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    if ingest::receive(&args.receive)? {
        return Ok(());
    }
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(measure(args))
}

async fn measure(mut args: Args) -> anyhow::Result<()> {
    args.cases.sort();
    args.cases.dedup();
    let cases = if args.cases.is_empty() { Case::USUAL.to_vec() } else { args.cases.clone() };
    say(&machine::describe(&args.dir)?);
    let mut all = serde_json::Map::new();
    for case in cases {
        let measured = case.measure(&args).await?;
        say(&measured.table(case.name()));
        all.insert(case.name().to_owned(), measured.medians());
    }
    if let Some(file) = &args.json {
        std::fs::write(file, format!("{:#}\n", serde_json::Value::Object(all)))?;
    }
    Ok(())
}
