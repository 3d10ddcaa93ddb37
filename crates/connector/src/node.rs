//! A node: claims jobs that are due, works on several at once, and keeps each lease alive meanwhile.
//!
//! Work takes no input but the rows; a job can be begun again at any point by any node.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::backoff;
use crate::code::Code;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::feed::poll::{self, PollReport};
use crate::ids::ConnectionId;
use crate::push::{self, PushReport};
use crate::store::jobs::{self, Job, Lease};
use crate::store::outbox;

/// Jobs worked on at once by one node.
const JOBS_AT_ONCE: usize = 8;
/// How often a node looks for jobs that are due.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long jobs under way may go on after the node was told to stop. What is cut off then is mended
/// like after a crash: by whoever claims the job next.
const GRACE: Duration = Duration::from_secs(5);
/// How often a lease is renewed while its job runs.
const RENEW_EVERY: Duration = Duration::from_secs(15);

/// What a job did.
#[derive(Debug, Clone, serde::Serialize)]
#[serde(untagged)]
pub enum Report {
    /// A poll.
    Poll(PollReport),
    /// A push.
    Push(PushReport),
}

/// Works until `stop` turns true; jobs under way may go on for a short while, then they are given back.
pub async fn run(engine: Arc<Engine>, mut stop: watch::Receiver<bool>) {
    let mut working: JoinSet<()> = JoinSet::new();
    let mut look = tokio::time::interval(LOOK_EVERY);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            _ = look.tick() => {}
            // a poll that ends makes the push due: look again at once
            Some(_) = working.join_next() => {}
        }
        let free = JOBS_AT_ONCE.saturating_sub(working.len());
        match jobs::claim_due(&engine.db, engine.node, i64::try_from(free).unwrap_or(0)).await {
            Ok(leases) => {
                for lease in leases {
                    working.spawn(work_or_give_back(engine.clone(), lease, stop.clone()));
                }
            }
            Err(error) => tracing::warn!(error = chain(&error), "no jobs could be claimed"),
        }
    }
    while working.join_next().await.is_some() {}
}

async fn work_or_give_back(engine: Arc<Engine>, lease: Lease, mut stop: watch::Receiver<bool>) {
    let progress = watch::Sender::new(0);
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
    }
}

/// Runs the polls and then the push of one connection now, whether they are due or not.
pub async fn run_once(
    engine: &Engine,
    connection: ConnectionId,
    wanted: &[Job],
    progress: &watch::Sender<u64>,
) -> Result<HashMap<&'static str, Report>> {
    let mut reports = HashMap::new();
    for job in wanted {
        let lease = jobs::claim(&engine.db, engine.node, connection, *job).await?.ok_or_else(|| {
            Error::new(Code::LeaseBusy, format!("another node is working on {} now", job.as_str()))
        })?;
        let report = work(engine, &lease, progress).await?;
        reports.insert(job.as_str(), report);
    }
    Ok(reports)
}

/// Works on one leased job to its end and says when it is due again.
pub async fn work(engine: &Engine, lease: &Lease, progress: &watch::Sender<u64>) -> Result<Report> {
    let result = tokio::select! {
        result = attempt(engine, lease, progress) => result,
        lost = keep_lease(engine, lease) => Err(lost),
    };
    let (next, failure) = match &result {
        Ok((_, next)) => (*next, None),
        Err(error) => (Some(Timestamp::now() + signed(retry_wait(lease, error))), Some(error)),
    };
    jobs::finish(&engine.db, lease, next, failure).await?;
    result.map(|(report, _)| report)
}

async fn attempt(
    engine: &Engine,
    lease: &Lease,
    progress: &watch::Sender<u64>,
) -> Result<(Report, Option<Timestamp>)> {
    let clients = engine.clients(lease.connection).await?;
    match lease.job {
        Job::Poll(feed) => {
            let report = poll::run(engine, &clients, lease, feed).await?;
            tracing::info!(
                connection = clients.connection.name,
                feed = feed.as_str(),
                rows = report.rows,
                changed = report.stored.changed,
                "polled"
            );
            jobs::ask_for(&engine.db, lease.connection, &[Job::Push]).await?;
            let every = if report.complete {
                clients.connection.settings.schedule.poll_every()
            } else {
                Duration::ZERO
            };
            Ok((Report::Poll(report), Some(Timestamp::now() + signed(every))))
        }
        Job::Push => {
            let report = push::run(engine, &clients, lease, progress).await?;
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
    }
}

async fn keep_lease(engine: &Engine, lease: &Lease) -> Error {
    let mut renew = tokio::time::interval(RENEW_EVERY);
    renew.tick().await;
    loop {
        renew.tick().await;
        let renewed = async {
            let mut db = engine.db.acquire().await?;
            jobs::hold(&mut db, lease).await
        };
        match renewed.await {
            Ok(()) => {}
            Err(lost) if lost.code == Code::LeaseLost => return lost,
            // the database may come back before the lease runs out; every commit checks it anyway
            Err(error) => tracing::warn!(error = chain(&error), "a lease could not be renewed"),
        }
    }
}

/// How long a failed job waits: what the other side asks, short steps in maintenance, else backoff.
fn retry_wait(lease: &Lease, error: &Error) -> Duration {
    let failures = u32::try_from(lease.failures).unwrap_or(0) + 1;
    match (error.retry_after, error.code) {
        (Some(asked), _) => asked.min(backoff::MAX_RETRY_AFTER),
        (None, Code::OracleMaintenance) => {
            backoff::full_jitter(failures + 2, rand::random()).clamp(backoff::BASE, backoff::MAINTENANCE_STEP)
        }
        (None, _) => backoff::full_jitter(failures, rand::random()).max(backoff::BASE),
    }
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

fn log_failure(lease: &Lease, error: &Error) {
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
