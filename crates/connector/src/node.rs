//! A node: claims jobs that are due, works on several at once, and keeps each lease alive meanwhile.
//!
//! Work takes no input but the rows; a job can be begun again at any point by any node.

mod wait;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use outbound::Moment;
use outbound::right::while_holding;
use tokio::sync::{Semaphore, watch as signal};
use tokio::task::JoinSet;

use self::wait::retry_wait;
use crate::alerts::{self, AlertsReport};
use crate::code::Code;
use crate::completion::sweep::{self, SweepReport};
use crate::completion::{self, CompletionsReport};
use crate::engine::{Clients, Engine};
use crate::error::{Error, Result};
use crate::feed::Feed;
use crate::feed::poll::{self, PollReport};
use crate::hooks::watch;
use crate::ids::ConnectionId;
use crate::limits;
use crate::limits::sides::Sides;
use crate::posting::drive::Trouble;
use crate::posting::{self, JournalsReport};
use crate::push::{self, PushReport};
use crate::reconcile::run::{self as comparison, Done, Order};
use crate::reference::Kind;
use crate::reference::read::{self, ReferenceReport};
use crate::reference::unknown;
use crate::retention::{self, Tidied};
use crate::search;
use crate::settings::Every;
use crate::store;
use crate::store::connections::State;
use crate::store::jobs::{self, Job, Lease};
use crate::store::reconciliation_runs::Run;
use crate::store::{budgets, completions, connections, journals, outbox};

/// Jobs worked on at once by one node.
const JOBS_AT_ONCE: usize = 8;
/// Comparisons of both systems at once by one node: each holds all ids in memory, and may take long.
const COMPARISONS_AT_ONCE: usize = 2;
/// How often a node looks for jobs that are due.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long jobs under way may go on after the node was told to stop. What is cut off then is mended
/// like after a crash: by whoever claims the job next.
const GRACE: Duration = Duration::from_secs(5);
/// How often giving a lease back is tried while the database is away.
const GIVE_BACK_EVERY: Duration = Duration::from_millis(250);
/// How often budgets that nobody uses any more are looked for.
const TIDY_EVERY: Duration = Duration::from_hours(1);
/// How often a lease is renewed while its job runs, in the time that it lasts.
const RENEWALS: u32 = 4;
/// After how long the webhooks of a node without a public address are looked at again: it may be started with one.
const ADDRESS_AGAIN: Duration = Duration::from_mins(1);
/// How often reference data is asked for that cannot be read, when no schedule is set.
const REFERENCE_AGAIN: Duration = Duration::from_hours(24);

/// What a job did.
#[derive(Debug, Clone, serde::Serialize)]
#[serde(untagged)]
pub enum Report {
    /// A poll.
    Poll(PollReport),
    /// A push.
    Push(PushReport),
    /// The watchdog over the webhooks.
    Webhooks(WebhooksReport),
    /// A sweep.
    Sweep(SweepReport),
    /// Completions.
    Completions(CompletionsReport),
    /// Journals.
    Journals(JournalsReport),
    /// Alerts.
    Alerts(AlertsReport),
    /// Suppliers or accounts.
    Reference(ReferenceReport),
    /// A comparison of both systems; `None` when none is wanted.
    Reconcile(Option<Run>),
}

/// What the watchdog did.
#[derive(Debug, Clone, Copy, Default, serde::Serialize)]
pub struct WebhooksReport {
    /// Registrations that work.
    pub working: usize,
    /// Registered now.
    pub registered: usize,
    /// Found lost.
    pub lost: usize,
    /// No longer watched.
    pub removed: usize,
    /// Could not be put right.
    pub failed: usize,
}

/// Works until `stop` turns true; jobs under way may go on for a short while, then they are given back.
pub async fn run(engine: Arc<Engine>, mut stop: signal::Receiver<bool>) {
    let mut working: JoinSet<()> = JoinSet::new();
    let comparing = Arc::new(Semaphore::new(COMPARISONS_AT_ONCE));
    let mut look = tokio::time::interval(LOOK_EVERY);
    let mut tidy = tokio::time::interval(TIDY_EVERY);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            _ = look.tick() => {}
            _ = tidy.tick() => {
                working.spawn(tidy_up(engine.clone()));
            }
            // a poll that ends makes the push due: look again at once
            Some(_) = working.join_next() => {}
            () = engine.woken() => {}
        }
        let free = JOBS_AT_ONCE.saturating_sub(working.len());
        match claim(&engine, free, comparing.available_permits()).await {
            Ok(leases) => {
                for lease in leases {
                    let held = match lease.job {
                        Job::Reconcile => comparing.clone().try_acquire_owned().ok(),
                        _ => None,
                    };
                    // a probe works all the same: the other jobs wait for what it shows
                    if lease.job == Job::Reconcile && held.is_none() && lease.probes.is_none() {
                        working.spawn(give_back_at_once(engine.clone(), lease));
                        continue;
                    }
                    let work = work_or_give_back(engine.clone(), lease, stop.clone());
                    working.spawn(async move {
                        work.await;
                        drop(held);
                    });
                }
            }
            Err(error) => tracing::warn!(error = chain(&error), "no jobs could be claimed"),
        }
    }
    while working.join_next().await.is_some() {}
}

async fn tidy_up(engine: Arc<Engine>) {
    match retention::tidy(&engine.db, Timestamp::now()).await {
        Ok(tidied) if tidied != Tidied::default() => tracing::info!(?tidied, "the log was tidied"),
        Ok(_) => {}
        // the months to come were made long ago; it is tried again in an hour
        Err(error) => tracing::warn!(error = chain(&error), "the log could not be tidied"),
    }
    if let Err(error) = budgets::forget_old(&engine.db).await {
        tracing::debug!(error = chain(&error), "old budgets could not be forgotten");
    }
}

/// What is due; first what shows whether a side that failed answers again.
async fn claim(engine: &Engine, free: usize, comparisons: usize) -> Result<Vec<Lease>> {
    let free = i64::try_from(free).unwrap_or(0);
    let mut leases = jobs::claim_probes(&engine.db, engine.holder(), free).await?;
    let probes = i64::try_from(leases.len()).unwrap_or(free);
    let but: &[Job] = if comparisons > 0 { &[] } else { &[Job::Reconcile] };
    leases.extend(jobs::claim_due_but(&engine.db, engine.holder(), free - probes, but).await?);
    Ok(leases)
}

/// Gives back a job for which this node has no place; it is not claimed here again before there is one.
async fn give_back_at_once(engine: Arc<Engine>, lease: Lease) {
    if let Err(error) = jobs::release(&engine.db, &lease).await {
        log_failure(&lease, &error);
    }
}

async fn work_or_give_back(engine: Arc<Engine>, lease: Lease, mut stop: signal::Receiver<bool>) {
    let progress = signal::Sender::new(0);
    let stopped = async {
        let _ = stop.wait_for(|stop| *stop).await;
        tokio::time::sleep(GRACE).await;
    };
    let result = tokio::select! {
        result = work(&engine, &lease, &progress) => result.map(|_| ()),
        () = stopped => jobs::release(&engine.db, &lease).await,
    };
    if let Err(error) = result {
        log_failure(&lease, &error);
        if error.code == Code::Database {
            give_back(&engine, &lease, &stop).await;
        }
    }
    if matches!(lease.job, Job::Poll(_)) {
        take_up_words(&engine, &lease, &mut stop).await;
    }
    if matches!(lease.job, Job::Poll(_) | Job::Push | Job::Reference(_)) {
        store::shrink_buffers(&engine.db);
    }
}

/// What a poll stored becomes findable after its lease was given back, so that neither the next poll nor the push waits.
async fn take_up_words(engine: &Engine, lease: &Lease, stop: &mut signal::Receiver<bool>) {
    tokio::select! {
        taken_up = search::take_up(&engine.db, lease.connection, |_| ()) => if let Err(error) = taken_up {
            tracing::debug!(error = chain(&error), "words were not taken up; the next poll or search does it");
        },
        _ = stop.wait_for(|stop| *stop) => {}
    }
}

/// A job that ended since the database was away is still leased: it is given back as soon as the database is there, so
/// that it need not wait until the lease has run out.
async fn give_back(engine: &Engine, lease: &Lease, stop: &signal::Receiver<bool>) {
    let runs_out = tokio::time::Instant::now() + lease.right.lasts();
    while tokio::time::Instant::now() < runs_out && !*stop.borrow() {
        if jobs::release(&engine.db, lease).await.is_ok() {
            engine.wake();
            return;
        }
        tokio::time::sleep(GIVE_BACK_EVERY).await;
    }
}

/// Runs these jobs of one connection now, in their order, whether they are due or not. One that fails keeps none
/// of the others from running; then the first failure is the answer.
pub async fn run_once(
    engine: &Engine,
    connection: ConnectionId,
    wanted: &[Job],
    progress: &signal::Sender<u64>,
) -> Result<HashMap<&'static str, Report>> {
    let mut reports = HashMap::new();
    let mut first = None;
    for job in wanted {
        match run_job(engine, connection, *job, progress).await {
            Ok(report) => {
                reports.insert(job.as_str(), report);
            }
            Err(error) => {
                first.get_or_insert(error);
            }
        }
    }
    first.map_or(Ok(reports), Err)
}

/// Runs one job of a connection now, whether it is due or not.
pub async fn run_job(
    engine: &Engine,
    connection: ConnectionId,
    job: Job,
    progress: &signal::Sender<u64>,
) -> Result<Report> {
    let result = work(engine, &lease(engine, connection, job).await?, progress).await;
    engine.rest(connection).await;
    result
}

async fn lease(engine: &Engine, connection: ConnectionId, job: Job) -> Result<Lease> {
    let claimed = jobs::claim(&engine.db, engine.holder(), connection, job).await?;
    claimed.ok_or_else(|| {
        Error::new(Code::LeaseBusy, format!("another node is working on {} now", job.as_str()))
    })
}

/// Works on one leased job to its end and says when it is due again.
pub async fn work(engine: &Engine, lease: &Lease, progress: &signal::Sender<u64>) -> Result<Report> {
    let result = match lease.job {
        // without the clients: a credential that cannot be read is told too
        Job::Alerts => tokio::select! {
            result = tell_of_causes(engine, lease) => result,
            lost = keep_lease(engine, lease) => Err(lost),
        },
        _ => match engine.clients(lease.connection).await {
            Ok(clients) => {
                // boxed: it is large, and moved through several frames
                let attempt = Box::pin(attempt(engine, &clients, lease, progress));
                ask_the_sides(engine, &clients, lease, attempt, journals_trouble).await
            }
            Err(error) => Err(error),
        },
    };
    conclude(engine, lease, result).await
}

/// Compares both systems of a connection now and puts right what can be, whatever the settings say of it. While the
/// connection is polled or pushed, it waits for `patience` at most.
///
/// # Errors
/// [`Code::LeaseBusy`] while another comparison is made, and as [`comparison::run`].
pub async fn reconcile(
    engine: &Engine,
    connection: ConnectionId,
    patience: Duration,
    progress: &signal::Sender<u64>,
) -> Result<Done> {
    let lease = lease(engine, connection, Job::Reconcile).await?;
    let result = match engine.clients(connection).await {
        Ok(clients) => {
            let attempt = Box::pin(async {
                let order = Order::Person(patience);
                let done = Box::pin(comparison::run(engine, &clients, &lease, order, progress)).await?;
                Ok((done, next_comparison(engine, connection).await?))
            });
            ask_the_sides(engine, &clients, &lease, attempt, |_| None).await
        }
        Err(error) => Err(error),
    };
    conclude(engine, &lease, result).await
}

/// Ends a job, and says when it is due again.
async fn conclude<T>(engine: &Engine, lease: &Lease, result: Result<(T, Option<Timestamp>)>) -> Result<T> {
    let (next, failure) = match &result {
        Ok((_, next)) => (*next, None),
        Err(error) => {
            let usual = usual_interval(engine, lease).await;
            (Some(Timestamp::now() + signed(retry_wait(lease, error, usual))), Some(error))
        }
    };
    jobs::finish(&engine.db, lease, next, failure).await?;
    if failure.is_some() && lease.job != Job::Alerts {
        jobs::ask_for(&engine.db, lease.connection, &[Job::Alerts]).await?;
    }
    result.map(|(report, _)| report)
}

/// Works with both clients, and notes what the end says of the sides that were asked.
async fn ask_the_sides<T>(
    engine: &Engine,
    clients: &Clients,
    lease: &Lease,
    attempt: impl Future<Output = Result<(T, Option<Timestamp>)>>,
    trouble: fn(&T) -> Option<Trouble>,
) -> Result<(T, Option<Timestamp>)> {
    let sides = Sides::of(engine, lease, clients);
    let result = tokio::select! {
        result = while_holding(lease.right.clone(), attempt) => result,
        lost = keep_lease(engine, lease) => Err(lost),
        never = sides.watch_probe() => match never {},
    };
    let seen = match &result {
        Err(error) => {
            Some((Trouble { code: error.code, retry_after: error.retry_after }, error.message.clone()))
        }
        Ok((done, _)) => trouble(done).map(|trouble| (trouble, trouble.code.info().title.to_owned())),
    };
    sides.observe(seen.as_ref().map(|(trouble, words)| (*trouble, words.as_str()))).await;
    result
}

/// A job that drives journals ends well whatever Oracle does.
fn journals_trouble(report: &Report) -> Option<Trouble> {
    match report {
        Report::Journals(report) => report.trouble,
        _ => None,
    }
}

async fn tell_of_causes(engine: &Engine, lease: &Lease) -> Result<(Report, Option<Timestamp>)> {
    let report = alerts::run(engine, lease).await?;
    Ok((Report::Alerts(report), Some(Timestamp::now() + signed(alerts::EVERY))))
}

async fn attempt(
    engine: &Engine,
    clients: &Arc<Clients>,
    lease: &Lease,
    progress: &signal::Sender<u64>,
) -> Result<(Report, Option<Timestamp>)> {
    match lease.job {
        Job::Poll(feed) => poll_feed(engine, clients, lease, feed).await,
        Job::Push => {
            let report = push::run(engine, clients, lease, progress).await?;
            if let Some(failure) = report.failure() {
                return Err(failure);
            }
            tracing::info!(
                connection = clients.connection.name,
                created = report.created,
                updated = report.updated,
                unchanged = report.unchanged,
                held = report.held,
                failed = report.failed,
                retrying = report.retrying,
                "pushed"
            );
            let next = outbox::open(&engine.db, lease.connection).await?.next_due;
            Ok((Report::Push(report), next))
        }
        Job::Reference(kind) => read_reference(engine, clients, lease, kind, progress).await,
        Job::Reconcile => compare(engine, clients, lease, progress).await,
        _ if clients.connection.settings.journal.is_none() => {
            // nothing is watched: whoever adds journals asks for the job
            Ok((Report::Completions(CompletionsReport::default()), None))
        }
        Job::Webhooks => watch_webhooks(engine, clients, lease).await,
        Job::Sweep => {
            let report = sweep::run(engine, clients, lease).await?;
            let every = u64::from(clients.connection.settings.webhooks.sweep_minutes) * 60;
            Ok((Report::Sweep(report), Some(Timestamp::now() + signed(Duration::from_secs(every)))))
        }
        Job::Completions => {
            let report = completion::run(engine, clients, lease).await?;
            tracing::info!(
                connection = clients.connection.name,
                events = report.events,
                completions = report.completions,
                journals = report.journals,
                held = report.held,
                "looked at completions"
            );
            let next = completions::next_due(&engine.db, lease.connection).await?;
            Ok((Report::Completions(report), next))
        }
        Job::Journals => {
            let report = posting::run(engine, clients, lease).await?;
            let next = journals::next_due(&engine.db, lease.connection).await?;
            Ok((Report::Journals(report), next))
        }
        Job::Alerts => tell_of_causes(engine, lease).await,
    }
}

/// Polls a feed, and asks for what may follow from it.
async fn poll_feed(
    engine: &Engine,
    clients: &Arc<Clients>,
    lease: &Lease,
    feed: Feed,
) -> Result<(Report, Option<Timestamp>)> {
    let report = poll::run(engine, clients, lease, feed).await?;
    tracing::info!(
        connection = clients.connection.name,
        feed = feed.as_str(),
        rows = report.rows,
        changed = report.stored.changed,
        "polled"
    );
    jobs::ask_for(&engine.db, lease.connection, &[Job::Push]).await?;
    // not only what the mapping shows: a journal needs charge accounts too
    if report.stored.written > 0 {
        look_again_at_completions(engine, lease.connection).await?;
    }
    if feed == Feed::PurchaseOrders {
        unknown::ask_for(engine, clients, report.stored.written > 0).await?;
    }
    let every =
        if report.complete { clients.connection.settings.schedule.poll_every() } else { Duration::ZERO };
    Ok((Report::Poll(report), Some(Timestamp::now() + signed(every))))
}

/// Reads suppliers or accounts, and says when they are read again.
async fn read_reference(
    engine: &Engine,
    clients: &Clients,
    lease: &Lease,
    kind: Kind,
    progress: &signal::Sender<u64>,
) -> Result<(Report, Option<Timestamp>)> {
    let report = read::run(engine, clients, lease, kind, progress).await?;
    tracing::info!(
        connection = clients.connection.name,
        kind = kind.as_str(),
        rows = report.rows,
        written = report.written,
        gone = report.gone,
        "read reference data"
    );
    let next = scheduled(clients).map(|every| Timestamp::now() + signed(every));
    Ok((Report::Reference(report), next))
}

/// Compares both systems as the settings say.
async fn compare(
    engine: &Engine,
    clients: &Arc<Clients>,
    lease: &Lease,
    progress: &signal::Sender<u64>,
) -> Result<(Report, Option<Timestamp>)> {
    if clients.connection.settings.reconcile.every == Every::OFF {
        return Ok((Report::Reconcile(None), None));
    }
    let Done { run, .. } =
        Box::pin(comparison::run(engine, clients, lease, Order::Schedule, progress)).await?;
    tracing::info!(
        connection = clients.connection.name,
        drift = run.drift,
        records = run.records,
        found = run.found(),
        remaining = run.remaining(),
        "compared both systems"
    );
    // repairs made other jobs due
    engine.wake();
    Ok((Report::Reconcile(Some(run)), next_comparison(engine, lease.connection).await?))
}

/// When both systems are compared next by themselves, if at all. The clients do not know whether the connection is
/// still active.
async fn next_comparison(engine: &Engine, connection: ConnectionId) -> Result<Option<Timestamp>> {
    let connection = connections::load(&engine.db, connection).await?;
    let every = connection.settings.reconcile.every.duration().filter(|_| connection.state == State::Active);
    Ok(every.map(|every| Timestamp::now() + signed(every)))
}

/// How often reference data is read by itself, if at all.
fn scheduled(clients: &Clients) -> Option<Duration> {
    let hours = clients.connection.settings.reference.as_ref()?.hours;
    (hours > 0).then(|| Duration::from_hours(hours.into()))
}

/// A held completion may wait for an order that has just come.
async fn look_again_at_completions(engine: &Engine, connection: ConnectionId) -> Result<()> {
    let mut db = engine.db.acquire().await?;
    let again = completions::look_again(&mut db, connection).await?;
    drop(db);
    if again > 0 {
        jobs::ask_for(&engine.db, connection, &[Job::Completions]).await?;
        engine.wake();
    }
    Ok(())
}

/// Compares the webhooks with Asana's list and puts right what differs. After a gap the projects are swept. Without a
/// public address there is nothing to do.
async fn watch_webhooks(
    engine: &Engine,
    clients: &Clients,
    lease: &Lease,
) -> Result<(Report, Option<Timestamp>)> {
    let settings = &clients.connection.settings;
    let every = Duration::from_secs(u64::from(settings.webhooks.check_minutes) * 60);
    let Some(public_url) = &engine.public_url else {
        // nothing can be registered, and sweeps find completions: no failure, but an address may be given any time
        let next = Timestamp::now() + signed(every.min(ADDRESS_AGAIN));
        return Ok((Report::Webhooks(WebhooksReport::default()), Some(next)));
    };
    let wanted = watch::wanted(clients, settings.webhooks.scope).await?;
    let repaired = watch::repair(engine, clients, public_url, &wanted).await?;
    if !repaired.registered.is_empty() || !repaired.lost.is_empty() {
        jobs::ask_for(&engine.db, lease.connection, &[Job::Sweep, Job::Alerts]).await?;
        engine.wake();
    }
    let report = WebhooksReport {
        working: repaired.working.len(),
        registered: repaired.registered.len(),
        lost: repaired.lost.len(),
        removed: repaired.removed.len(),
        failed: repaired.failed.len(),
    };
    tracing::info!(connection = clients.connection.name, ?report, "watched over the webhooks");
    match repaired.failed.into_iter().next() {
        Some((_, error)) => Err(error),
        None => Ok((Report::Webhooks(report), Some(Timestamp::now() + signed(every)))),
    }
}

pub(crate) async fn keep_lease(engine: &Engine, lease: &Lease) -> Error {
    let mut renew = tokio::time::interval(lease.right.lasts() / RENEWALS);
    renew.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    renew.tick().await;
    loop {
        renew.tick().await;
        let asked = Moment::now();
        let renewed = async {
            let mut db = engine.db.acquire().await?;
            jobs::hold(&mut db, lease).await
        };
        match renewed.await {
            Ok(()) => lease.right.renew(asked),
            Err(lost) if lost.code == Code::LeaseLost => return lost,
            // the database may come back before the lease runs out; every commit checks it anyway
            Err(error) => tracing::warn!(error = chain(&error), "a lease could not be renewed"),
        }
    }
}

/// How often a job runs when nothing is wrong; the other jobs come when there is something to do.
async fn usual_interval(engine: &Engine, lease: &Lease) -> Option<Duration> {
    let connection = connections::load(&engine.db, lease.connection).await.ok()?;
    let settings = connection.settings;
    match lease.job {
        Job::Poll(_) => Some(settings.schedule.poll_every()),
        Job::Reference(_) => {
            let hours = settings.reference.map_or(0, |reference| reference.hours);
            Some(if hours > 0 { Duration::from_hours(hours.into()) } else { REFERENCE_AGAIN })
        }
        Job::Reconcile => settings.reconcile.every.duration(),
        _ => None,
    }
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

fn log_failure(lease: &Lease, error: &Error) {
    if error.code == Code::OracleMaintenance {
        tracing::info!(connection = %lease.connection, job = lease.job.as_str(), "Oracle is in maintenance");
        return;
    }
    if limits::is_busy(error.code) {
        tracing::info!(connection = %lease.connection, job = lease.job.as_str(), code = error.code.info().code,
            "asked to slow down; the job goes on after that time");
        return;
    }
    tracing::warn!(connection = %lease.connection, job = lease.job.as_str(), code = error.code.info().code,
        error = chain(error), "a job failed and will be tried again");
}

/// An error with its causes, for the log.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}
