//! One cycle of the push: list, then claim, plan and send until nothing is due.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};

use crate::code::Code;
use crate::engine::{Clients, Engine};
use crate::error::{Error, Result};
use crate::limits::PATIENCE;
use crate::mapping::engine::Mapping;
use crate::push::plan::{MARKS, Plan, Planner, Write};
use crate::push::world::{self, Moving, World};
use crate::push::{listing, sender};
use crate::reference::choices;
use crate::store::jobs::{self, Lease};
use crate::store::outbox::{self, Next, Outcome};
use crate::store::{self, connections, creations, documents, links};
use crate::template::Templates;

/// Movements claimed at once.
const BATCH: i64 = 200;
/// From so many open movements on, the tables have grown enough to be analysed first.
const MANY: i64 = 5_000;
/// How long a held movement rests before it is planned again.
const HELD_FOR: Duration = Duration::from_secs(3600);
/// Planned writes that wait for a free place.
const QUEUE: usize = 100;

/// What a cycle did.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct PushReport {
    /// Tasks made.
    pub created: u64,
    /// Tasks changed.
    pub updated: u64,
    /// Movements that needed no write.
    pub unchanged: u64,
    /// Movements that concern no task by the settings.
    pub ignored: u64,
    /// Movements held for a person.
    pub held: u64,
    /// Movements given up.
    pub failed: u64,
    /// Writes that will be tried again.
    pub retrying: u64,
    /// Why the cycle ended before its end.
    #[serde(skip)]
    pub stopped: Option<(Code, String)>,
}

/// Runs a cycle. `progress` is told of every recorded result.
pub async fn run(
    engine: &Engine,
    clients: &Clients,
    lease: &Lease,
    progress: &watch::Sender<u64>,
) -> Result<PushReport> {
    let mut tx = store::begin(&engine.db).await?;
    jobs::hold(&mut tx, lease).await?;
    outbox::doubt_unfinished(&mut tx, lease.connection, lease.fence).await?;
    creations::doubt_unfinished(&mut tx, lease.connection).await?;
    outbox::look_again_at_held(&mut tx, lease.connection, HELD_FOR).await?;
    tx.commit().await?;
    let open = outbox::open(&engine.db, lease.connection).await?;
    if open.count >= MANY {
        documents::analyze(&engine.db).await?;
    }
    let looked_up = open.now;
    // one request per project: a field's type, precision or currency may be another by now, and a value
    // that is held for its field's sake should see the field as it is
    clients.forget_fields();
    listing::refresh(engine, clients, lease).await?;
    choices::all(engine, clients, lease).await?;

    let report = Mutex::new(PushReport::default());
    let (to_send, writes) = mpsc::channel(QUEUE);
    let (done, results) = mpsc::channel(QUEUE);
    let recorded = watch::Sender::new(0);
    let cycle = Cycle { engine, clients, lease, looked_up, report: &report, recorded: &recorded, progress };
    let send = async {
        let sent = sender::send_all(clients, writes, done, &report, &recorded);
        Ok::<_, Error>(tokio::join!(cycle.plan_all(to_send), sent))
    };
    // a recorder that fails has lost the lease or the database: nothing more may be sent then
    let record = sender::record_all(engine, clients, lease, results, &report, &recorded);
    let ((planned, ()), ()) = tokio::try_join!(send, record)?;
    planned?;
    Ok(report.into_inner().unwrap_or_else(PoisonError::into_inner))
}

struct Cycle<'a> {
    engine: &'a Engine,
    clients: &'a Clients,
    lease: &'a Lease,
    looked_up: Timestamp,
    report: &'a Mutex<PushReport>,
    recorded: &'a watch::Sender<u64>,
    progress: &'a watch::Sender<u64>,
}

impl Cycle<'_> {
    async fn plan_all(&self, to_send: mpsc::Sender<Write>) -> Result<()> {
        let templates = Templates::new(&self.clients.connection.settings.tasks)?;
        let mapping = Mapping::of(&self.clients.connection.settings)?;
        let mut sent = 0;
        let mut in_flight: HashSet<String> = HashSet::new();
        loop {
            if self.report.lock().unwrap_or_else(PoisonError::into_inner).stopped.is_some() {
                return Ok(());
            }
            if self.clients.asana.paused() > PATIENCE {
                // the next cycle begins with what is pending, after that time
                return Ok(());
            }
            let batch = self.claim().await?;
            if batch.is_empty() {
                if in_flight.is_empty() {
                    return Ok(());
                }
                // what was in flight may have become due again
                self.drain(sent, &mut in_flight).await?;
                continue;
            }
            if batch.iter().any(|m| touches(m, &in_flight)) {
                self.drain(sent, &mut in_flight).await?;
            }
            let plan = self.plan(&templates, &mapping, &batch).await?;
            for write in plan.writes {
                in_flight.insert(write.order_id.clone());
                in_flight.insert(numbered(&write.order_number));
                sent += 1;
                let closed = |_| Error::new(Code::LeaseLost, "the recorder ended, so nothing more is sent");
                to_send.send(write).await.map_err(closed)?;
                self.progress.send_replace(*self.recorded.borrow());
            }
        }
    }

    /// Waits until everything that was sent is recorded, so that no task has two writes in flight and
    /// planning knows what the last one did.
    async fn drain(&self, sent: u64, in_flight: &mut HashSet<String>) -> Result<()> {
        let mut recorded = self.recorded.subscribe();
        recorded
            .wait_for(|count| {
                self.progress.send_replace(*count);
                *count >= sent
            })
            .await
            .map_err(|_| Error::new(Code::LeaseLost, "the recorder ended"))?;
        in_flight.clear();
        Ok(())
    }

    /// Nothing more when the settings were changed: what that made due is for the next cycle, which knows the new
    /// ones.
    async fn claim(&self) -> Result<Vec<Moving>> {
        let reading = self.clients.connection.settings.reading();
        let mut tx = store::begin(&self.engine.db).await?;
        let version = connections::settings_version(&mut tx, self.lease.connection).await?;
        if version != self.clients.connection.settings_version {
            return Ok(Vec::new());
        }
        jobs::hold(&mut tx, self.lease).await?;
        let claimed = outbox::claim_due_movements(
            &mut tx,
            self.lease.connection,
            self.lease.fence,
            BATCH,
            self.looked_up,
        )
        .await?;
        tx.commit().await?;
        Ok(claimed.into_iter().map(|c| world::read(c, &reading)).collect())
    }

    /// Plans a batch and stores the plan: what is settled, what was found, what is about to be sent.
    async fn plan(&self, templates: &Templates, mapping: &Mapping, batch: &[Moving]) -> Result<Plan> {
        let settings = &self.clients.connection.settings;
        let fields = self.clients.fields().await?;
        let sections = &*self.clients.sections().await?;
        let connection = self.lease.connection;
        let mut tx = store::begin(&self.engine.db).await?;
        jobs::hold(&mut tx, self.lease).await?;
        let fields = &world::bound(&mut tx, connection, settings, &fields).await?;
        let world = World::load(&mut tx, connection, settings, batch).await?;
        let now = Timestamp::now();
        let (looked_up, tally) = (self.looked_up, None);
        let planner =
            Planner { settings, fields, mapping, sections, templates, world: &world, tally, now, looked_up };
        let plan = planner.plan(batch);
        links::add(&mut tx, connection, &plan.links).await?;
        outbox::record_fates(&mut tx, connection, self.lease.fence, &plan.fates).await?;
        let sends: Vec<_> =
            plan.writes.iter().flat_map(|w| w.movements.iter().map(|(s, _)| s.clone())).collect();
        outbox::mark_sending(&mut tx, connection, self.lease.fence, &sends).await?;
        let creations: Vec<_> = plan.writes.iter().filter_map(Write::creation).collect();
        creations::begin(&mut tx, connection, &creations).await?;
        tx.commit().await?;
        let mut report = self.report.lock().unwrap_or_else(PoisonError::into_inner);
        for fate in &plan.fates {
            match fate.next {
                Next::Delivered(Outcome::Ignored) => report.ignored += 1,
                Next::Delivered(_) => report.unchanged += 1,
                Next::InDoubt => report.retrying += 1,
                _ => report.held += 1,
            }
        }
        drop(report);
        Ok(plan)
    }
}

/// An order's number, apart from ids: orders that share it may change each other.
fn numbered(number: &str) -> String {
    format!("number {number}")
}

/// Whether a movement concerns an order that has a write in flight. An invoice does not say which order
/// it will reach before it is planned, so any write in flight is waited for; nor does a mark which orders its task has.
fn touches(moving: &Moving, in_flight: &HashSet<String>) -> bool {
    match &moving.record {
        Ok(world::Record::Order(order)) => {
            let keys = [order.id.as_str(), &numbered(&order.number), MARKS];
            keys.into_iter().any(|key| in_flight.contains(key))
        }
        Ok(world::Record::Invoice(_) | world::Record::Task(_)) => !in_flight.is_empty(),
        Err(_) => false,
    }
}
