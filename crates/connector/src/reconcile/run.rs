//! A run: compares, puts right what it may, and keeps what it found. All of that is decided in one transaction, so a
//! run that was killed has changed nothing, and the next one begins anew.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

use crate::code::Code;
use crate::engine::{Clients, Engine};
use crate::error::{Error, Result};
use crate::feed::Feed;
use crate::reconcile::check;
use crate::reconcile::fate::{self, Fate, Removed};
use crate::reconcile::repair::{self, Opened, Repairs};
use crate::reconcile::report::{Kind, Report};
use crate::settings::Drift;
use crate::store::jobs::{self, Job, Lease};
use crate::store::reconciliation_runs::{self, Kept, Run, Tally};
use crate::store::{self, connections, documents, hooks};

/// How often a run that the settings overtook begins anew.
const OVERTAKEN: u32 = 3;
/// How often a busy connection is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// So many differences of a run are kept that are left to a person, and as many of the others.
const KEPT: usize = 500;

/// What a run is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The schedule's: what the settings say.
    Schedule,
    /// A person's: what can be put right is, and for so long at most it is waited while the connection is polled or
    /// pushed.
    Person(Duration),
}

/// How long the schedule's run waits while the connection is polled or pushed.
const PATIENCE: Duration = Duration::from_mins(10);

impl Order {
    fn patience(self) -> Duration {
        match self {
            Order::Schedule => PATIENCE,
            Order::Person(patience) => patience,
        }
    }

    fn drift(self, clients: &Clients) -> Drift {
        match self {
            Order::Schedule => clients.connection.settings.reconcile.drift,
            Order::Person(_) => Drift::Repair,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Order::Schedule => "schedule",
            Order::Person(_) => "person",
        }
    }
}

/// What a run did.
#[derive(Debug)]
pub struct Done {
    /// Everything that was found.
    pub report: Report,
    /// What was opened to put it right; `None` when nothing was to be written.
    pub opened: Option<Opened>,
    /// What is kept of it.
    pub run: Run,
}

/// Compares both systems, puts right what it may, and keeps what it found. When the settings change meanwhile, it
/// begins anew.
///
/// # Errors
/// [`Code::ReconcileOvertaken`] when they change again and again, [`Code::LeaseBusy`] when the connection is polled or
/// pushed for longer than it waits.
pub async fn run(
    engine: &Engine,
    clients: &Arc<Clients>,
    lease: &Lease,
    order: Order,
    progress: &watch::Sender<u64>,
) -> Result<Done> {
    let mut clients = clients.clone();
    let mut overtaken = 0;
    loop {
        let run = begin(engine, &clients, lease, order).await?;
        // on the heap: too much for the stack of whoever runs jobs
        let report = Box::pin(check::compare(engine, &clients, progress)).await?;
        match conclude(engine, lease, order.patience(), report, run).await {
            Err(error) if error.code == Code::ReconcileOvertaken && overtaken < OVERTAKEN => {
                overtaken += 1;
                clients = engine.clients(lease.connection).await?;
            }
            result => return result,
        }
    }
}

async fn begin(engine: &Engine, clients: &Clients, lease: &Lease, order: Order) -> Result<Run> {
    let now = hooks::now(&engine.db).await?;
    Ok(Run {
        run_id: Uuid::now_v7(),
        node_id: lease.node.0,
        asked_by: order.as_str().to_owned(),
        drift: order.drift(clients).as_str().to_owned(),
        started_at: now,
        finished_at: now,
        records: 0,
        tasks: 0,
        journals: 0,
        counts: Vec::new(),
    })
}

/// Opens the repairs and keeps the run, as soon as no job of the connection is at work that what was found could
/// mislead.
async fn conclude(
    engine: &Engine,
    lease: &Lease,
    patience: Duration,
    mut report: Report,
    mut run: Run,
) -> Result<Done> {
    let drift = if run.drift == Drift::Repair.as_str() { Drift::Repair } else { Drift::Report };
    let stored = documents::count(&engine.db, lease.connection).await?;
    let invoices = stored.get(Feed::Invoices.as_str()).copied().unwrap_or_default().unsigned_abs();
    let removed = repair::believe(report.removed_invoices, invoices);
    if removed == Removed::Doubted {
        tracing::warn!(connection = %lease.connection, missing = report.removed_invoices,
            code = Code::ReconcileManyRemoved.info().code, "too many invoices are missing in Oracle to forget them");
    }
    let found = Findings::of(&mut report, drift, removed)?;
    let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    (run.records, run.tasks, run.journals) =
        (count(report.records), count(report.tasks), count(report.journals));
    run.counts = found.tallies.into_values().collect();
    let repairs = (drift == Drift::Repair && !report.is_empty()).then_some(found.repairs);
    let until = Instant::now() + patience;
    let mut tx = loop {
        let mut tx = store::begin(&engine.db).await?;
        if connections::settings_version(&mut tx, lease.connection).await? != report.settings_version {
            return Err(Error::plain(Code::ReconcileOvertaken));
        }
        let busy = [Job::Poll(Feed::PurchaseOrders), Job::Poll(Feed::Invoices), Job::Push];
        if repairs.is_none() || !jobs::any_running(&mut tx, lease.connection, &busy).await? {
            break tx;
        }
        drop(tx);
        if Instant::now() >= until {
            return Err(Error::new(Code::LeaseBusy, "the connection is being polled or pushed now"));
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    };
    let opened = match repairs {
        Some(repairs) => Some(repairs.open(&mut tx, lease.connection, &report.stale).await?),
        None => None,
    };
    jobs::hold(&mut tx, lease).await?;
    reconciliation_runs::keep(&mut tx, lease.connection, lease.node, &run, &found.kept).await?;
    tx.commit().await?;
    run.finished_at = hooks::now(&engine.db).await?;
    Ok(Done { report, opened, run })
}

/// What follows from a report.
#[derive(Debug, Default)]
struct Findings {
    tallies: BTreeMap<Kind, Tally>,
    kept: Vec<Kept>,
    repairs: Repairs,
}

impl Findings {
    fn of(report: &mut Report, drift: Drift, removed: Removed) -> Result<Findings> {
        let (mut found, mut others) = (Findings::default(), Vec::new());
        for place in 0..report.len() {
            let Some(difference) = report.difference(place)? else { continue };
            let fate = fate::fate(&difference, drift, removed);
            found.repairs.add(&difference, fate::repair(&difference), removed);
            let difference = fate::with_code(difference, removed);
            let kind = difference.kind;
            let tally = found
                .tallies
                .entry(kind)
                .or_insert_with(|| Tally { kind: kind.as_str().to_owned(), ..Tally::default() });
            tally.found += 1;
            let (count, kept) = match fate {
                Fate::Repaired => (&mut tally.repaired, &mut others),
                Fate::UnderWay => (&mut tally.under_way, &mut others),
                Fate::Told => (&mut tally.told, &mut others),
                Fate::Remaining => (&mut tally.remaining, &mut found.kept),
            };
            *count += 1;
            if kept.len() < KEPT {
                let text = serde_json::to_string(&difference)
                    .map_err(|e| Error::plain(Code::DryRunBroken).because(e))?;
                kept.push(Kept { fate: fate.as_str().to_owned(), difference: text });
            }
        }
        found.kept.append(&mut others);
        Ok(found)
    }
}
