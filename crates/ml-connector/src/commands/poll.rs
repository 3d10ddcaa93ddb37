//! `poll`: read from Oracle and write to Asana now.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use connector::feed::Feed;
use connector::ids::ConnectionId;
use connector::node::{self, Report};
use connector::store::jobs::Job;
use connector::store::{connections, outbox};
use connector::{Code, Engine};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::watch;

use crate::cli::Global;
use crate::database::Database;
use crate::output;

/// How often a busy job is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// What to read.
#[derive(Debug, Args)]
pub struct PollArgs {
    /// The connection's name
    connection: String,
    /// Only this feed; the push follows all the same unless --no-push is given
    #[arg(long, value_parser = ["purchase_orders", "invoices"])]
    feed: Option<String>,
    /// How long to wait while another node is working on it; a node that died holds its lease for a minute
    #[arg(long, default_value_t = 75, value_name = "SECONDS")]
    wait: u64,
    /// Only read and store; write nothing to Asana
    #[arg(long)]
    no_push: bool,
}

/// Polls and pushes once.
pub async fn run(args: PollArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let database = Database::ready(global).await?;
    let engine = database.engine(global)?;
    let connection = connections::find(&database.pool, &args.connection).await?;
    connection.settings.check_mapped()?;
    let mut jobs: Vec<Job> = Feed::ALL
        .into_iter()
        .filter(|feed| args.feed.as_deref().is_none_or(|only| only == feed.as_str()))
        .map(Job::Poll)
        .collect();
    if !args.no_push {
        jobs.push(Job::Push);
    }
    let mut db = database.pool.acquire().await?;
    // whoever asks for it now may just have mended what held something
    outbox::look_again_at_held(&mut db, connection.id, Duration::ZERO).await?;
    drop(db);
    let patience = Duration::from_secs(args.wait);
    let ran = patiently(&engine, connection.id, &jobs, "writing to Asana", patience).await;
    show(&ran, global)?;
    database.close().await?;
    // the others stand on standard output
    match ran.into_iter().find_map(|(_, result)| result.err()) {
        Some(error) => Err(error.into()),
        None => Ok(ExitCode::SUCCESS),
    }
}

/// What came of each job, in the order in which they ran.
pub(super) type Ran = Vec<(Job, connector::Result<Report>)>;

/// Runs the jobs one after the other, whatever becomes of those before; while another node is at one, waits for at
/// most `patience` in all.
pub(super) async fn patiently(
    engine: &Engine,
    connection: ConnectionId,
    jobs: &[Job],
    what: &'static str,
    patience: Duration,
) -> Ran {
    let until = Instant::now() + patience;
    let progress = watch::Sender::new(0);
    let shown = Shown::start(&progress, what, None);
    let mut ran = Ran::new();
    for job in jobs {
        let result = loop {
            match node::run_job(engine, connection, *job, &progress).await {
                Err(busy) if busy.code == Code::LeaseBusy && Instant::now() < until => {
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
                result => break result,
            }
        };
        ran.push((*job, result));
    }
    shown.end();
    ran
}

pub(super) fn show(ran: &Ran, global: &Global) -> anyhow::Result<()> {
    // one and the same failure of all says everything
    let mut codes = ran.iter().map(|(_, result)| result.as_ref().err().map(|error| error.code));
    if let Some(Some(first)) = codes.next()
        && codes.all(|code| code == Some(first))
    {
        return Ok(());
    }
    if global.json {
        let told: serde_json::Map<String, serde_json::Value> = ran
            .iter()
            .map(|(job, result)| {
                let value = match result {
                    Ok(report) => serde_json::to_value(report)?,
                    Err(error) => {
                        let info = error.code.info();
                        serde_json::json!({ "error": {
                            "code": info.code, "message": error.message, "remedy": info.remedy } })
                    }
                };
                Ok((job.as_str().to_owned(), value))
            })
            .collect::<serde_json::Result<_>>()?;
        return output::json(&told);
    }
    let mut table = output::table(&["job", "what it did"]);
    for (job, result) in ran {
        let did = result.as_ref().map_or_else(|error| format!("failed: {error}"), sentence);
        table.add_row([job.as_str().to_owned(), did]);
    }
    output::data(&table.to_string());
    Ok(())
}

/// What a job did, for a person.
pub(super) fn sentence(report: &Report) -> String {
    match report {
        Report::Poll(poll) => {
            let end = if poll.complete { "" } else { "; the rest follows" };
            format!("{} rows on {} pages, {} changed{end}", poll.rows, poll.pages, poll.stored.changed)
        }
        Report::Push(push) => counted(&[
            ("tasks made", push.created),
            ("tasks changed", push.updated),
            ("unchanged", push.unchanged),
            ("ignored", push.ignored),
            ("held", push.held),
            ("to be tried again", push.retrying),
            ("failed", push.failed),
        ]),
        Report::Webhooks(hooks) => counted(&[
            ("work", hooks.working as u64),
            ("registered", hooks.registered as u64),
            ("lost", hooks.lost as u64),
            ("taken back", hooks.removed as u64),
            ("failed", hooks.failed as u64),
        ]),
        Report::Sweep(sweep) => counted(&[
            ("projects swept", sweep.projects),
            ("tasks listed", sweep.tasks),
            ("in another state than known", sweep.found),
        ]),
        Report::Completions(seen) => counted(&[
            ("events", seen.events),
            ("completions", seen.completions),
            ("opened again", seen.reopened),
            ("journals", seen.journals),
            ("held", seen.held),
            ("skipped", seen.skipped),
        ]),
        Report::Journals(journals) => counted(&[
            ("sent", journals.submitted),
            ("imported", journals.imported),
            ("rejected", journals.rejected),
            ("in doubt", journals.in_doubt),
        ]),
        Report::Alerts(alerts) => counted(&[
            ("opened", alerts.opened as u64),
            ("lasting", alerts.lasting as u64),
            ("closed", alerts.closed as u64),
            ("sent", alerts.sent as u64),
        ]),
        Report::Reference(read) => counted(&[
            ("rows", read.rows),
            ("new or changed", read.written),
            ("no longer in Oracle", read.gone),
            ("options made", read.created),
            ("options renamed", read.renamed),
            ("options switched", read.switched),
        ]),
        Report::Reconcile(None) => "switched off".to_owned(),
        Report::Reconcile(Some(run)) => {
            format!("{} records compared, {} differences, {} left", run.records, run.found(), run.remaining())
        }
    }
}

/// What happened at least once.
fn counted(counts: &[(&str, u64)]) -> String {
    let told: Vec<String> =
        counts.iter().filter(|(_, n)| *n > 0).map(|(what, n)| format!("{n} {what}")).collect();
    if told.is_empty() { "nothing to do".to_owned() } else { told.join(", ") }
}

/// A progress bar that follows a counter; hidden when standard error is not a terminal.
pub struct Shown {
    bar: ProgressBar,
    follow: tokio::task::JoinHandle<()>,
}

impl Shown {
    /// Shows the counter, against a total when it is known.
    pub fn start(progress: &watch::Sender<u64>, what: &'static str, total: Option<u64>) -> Shown {
        let bar = match total {
            Some(total) => ProgressBar::new(total).with_style(style("{msg} {wide_bar} {pos}/{len} {eta}")),
            None => ProgressBar::new_spinner().with_style(style("{spinner} {msg} {pos}")),
        };
        bar.set_message(what);
        bar.enable_steady_tick(Duration::from_millis(100));
        let (mut count, shown) = (progress.subscribe(), bar.clone());
        let follow = tokio::spawn(async move {
            while count.changed().await.is_ok() {
                shown.set_position(*count.borrow_and_update());
            }
        });
        Shown { bar, follow }
    }

    /// Says something else beside the counter.
    pub fn says(&self, what: String) {
        self.bar.set_message(what);
    }

    /// Takes the bar away.
    pub fn end(self) {
        self.follow.abort();
        self.bar.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
