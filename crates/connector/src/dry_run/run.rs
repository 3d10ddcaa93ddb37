//! The run itself: read both sides, plan batch by batch, keep what is found.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use jiff::Timestamp;
use tokio::sync::watch;

use crate::code::Code;
use crate::dry_run::compare;
use crate::dry_run::gather::{Records, Tasks};
use crate::dry_run::report::{Entry, Report};
use crate::dry_run::spool::{Slot, Spool};
use crate::dry_run::world::{Absent, Known};
use crate::engine::{Clients, Engine, ProjectFields, Sections};
use crate::error::{Error, Result};
use crate::feed::Feed;
use crate::ids::{ConnectionId, MovementId};
use crate::mapping::document::Target;
use crate::mapping::engine::Mapping;
use crate::mapping::surroundings;
use crate::mapping::tally::{Tallied, Tally};
use crate::push::plan::{Plan, Planner};
use crate::push::world::{self, BoundFields, Moving, World};
use crate::settings::Settings;
use crate::store::connections::Connection;
use crate::store::dry_runs::{self, Counts};
use crate::store::outbox::{Claimed, Next};
use crate::template::Templates;

/// Records planned at once, as many as the push claims.
const BATCH: usize = 200;

/// What is looked at.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Only records that changed since.
    pub since: Option<Timestamp>,
    /// At most so many records of each feed.
    pub limit: Option<u64>,
}

/// Makes a dry run and notes that it was made. `progress` counts rows and tasks read, then records planned.
pub async fn run(
    engine: &Engine,
    connection: ConnectionId,
    options: Options,
    progress: &watch::Sender<u64>,
) -> Result<Report> {
    let clients = engine.clients(connection).await?;
    clients.forget_fields();
    let report = look(engine, &clients, options, progress).await?;
    let mut db = engine.db.acquire().await?;
    let version = clients.connection.settings_version;
    dry_runs::record(&mut db, connection, version, report.whole, &report.counts).await?;
    Ok(report)
}

/// A dry run with settings that are not stored: what would be written if they were. It is not noted, so it opens no way to
/// a first activation.
pub async fn preview(
    engine: &Engine,
    connection: &Connection,
    settings: Settings,
    options: Options,
    progress: &watch::Sender<u64>,
) -> Result<Report> {
    settings.check()?;
    let clients = engine.connect(Connection { settings, ..connection.clone() }).await?;
    look(engine, &clients, options, progress).await
}

async fn look(
    engine: &Engine,
    clients: &Clients,
    options: Options,
    progress: &watch::Sender<u64>,
) -> Result<Report> {
    clients.connection.settings.check_mapped()?;
    surroundings::check(clients).await?;
    let fields = clients.fields().await?;
    let read = |feed| Records::read(clients, feed, options.since, options.limit, progress);
    let (orders, invoices, tasks) =
        tokio::try_join!(read(Feed::PurchaseOrders), read(Feed::Invoices), Tasks::list(clients, progress))?;
    let whole = options.since.is_none() && orders.complete && invoices.complete;
    let reads = tasks.requests + looks_at_projects(&clients.connection.settings);
    let pages = orders.pages + invoices.pages;
    let mut known = Known { orders, invoices, tasks, links: Vec::new(), absent: Absent::default() };
    let tally = (!clients.connection.settings.mapping.is_empty()).then(Mutex::default);
    let mut report = plan_all(engine, clients, &fields, &mut known, tally.as_ref(), progress).await?;
    let tally = tally.and_then(|tally| tally.into_inner().ok());
    report.mapping = tally.map(Tally::told).unwrap_or_default();
    report.whole = whole;
    report.counts.asana_requests += reads;
    report.counts.oracle_requests = pages;
    Ok(report)
}

/// Requests that read what the mapped projects have: their fields, and their sections where a rule names one.
fn looks_at_projects(settings: &Settings) -> u64 {
    let looks = if settings.mapping.targets().contains(&Target::Section) { 2 } else { 1 };
    settings.projects().len() as u64 * looks
}

/// Plans every record that was read, as the push would, and tells what would be written. Writes nothing anywhere;
/// of the requests only those of the writes are counted. A `tally` counts what the mapping gives.
pub(crate) async fn plan_all(
    engine: &Engine,
    clients: &Clients,
    fields: &ProjectFields,
    known: &mut Known,
    tally: Option<&Mutex<Tally>>,
    progress: &watch::Sender<u64>,
) -> Result<Report> {
    let batches = [(Feed::PurchaseOrders, known.orders.ids()), (Feed::Invoices, known.invoices.ids())];
    let sections = clients.sections().await?;
    let connection = &clients.connection;
    let mut db = engine.db.acquire().await?;
    let bound = world::bound(&mut db, connection.id, &connection.settings, fields).await?;
    drop(db);
    let mut trial = Trial {
        engine,
        clients,
        fields: &bound,
        mapping: Mapping::of(&clients.connection.settings)?,
        sections: &sections,
        templates: Templates::new(&clients.connection.settings.tasks)?,
        names: compare::names(fields),
        known,
        tally,
        seen: HashSet::new(),
        counts: Counts::default(),
        spool: Spool::new()?,
        slots: Vec::new(),
    };
    // orders come first and bring their invoices along; an invoice adds what its orders did not show
    for (feed, ids) in batches {
        for batch in ids.chunks(BATCH) {
            trial.plan(feed, batch).await?;
            progress.send_modify(|count| *count += batch.len() as u64);
        }
    }
    let Trial { counts, spool, slots, .. } = trial;
    Ok(Report { counts, whole: true, mapping: Tallied::default(), spool, slots })
}

struct Trial<'a> {
    engine: &'a Engine,
    clients: &'a Clients,
    fields: &'a BoundFields<'a>,
    mapping: Mapping,
    sections: &'a Sections,
    templates: Templates,
    names: HashMap<String, String>,
    known: &'a mut Known,
    tally: Option<&'a Mutex<Tally>>,
    /// Order, line and task of every write so far: the second one would find nothing left to do.
    seen: HashSet<(String, String, Option<String>)>,
    counts: Counts,
    spool: Spool,
    slots: Vec<Slot>,
}

impl Trial<'_> {
    async fn plan(&mut self, feed: Feed, ids: &[String]) -> Result<()> {
        let connection = &self.clients.connection;
        let reading = connection.settings.reading();
        let mut batch = Vec::with_capacity(ids.len());
        for id in ids {
            let records = match feed {
                Feed::PurchaseOrders => &mut self.known.orders,
                Feed::Invoices => &mut self.known.invoices,
            };
            let body = records.body(id)?.unwrap_or_default();
            let claimed = Claimed {
                id: MovementId::new(),
                feed: feed.as_str().to_owned(),
                source_id: id.clone(),
                attempts: 0,
                body,
            };
            batch.push(world::read(claimed, &reading));
        }
        let mut db = self.engine.db.acquire().await?;
        let world = self.known.around(&mut db, connection.id, &connection.settings, &batch).await?;
        drop(db);
        let planner = Planner {
            settings: &connection.settings,
            fields: self.fields,
            mapping: &self.mapping,
            sections: self.sections,
            templates: &self.templates,
            world: &world,
            tally: self.tally,
            now: Timestamp::now(),
            looked_up: Timestamp::now(),
        };
        let plan = planner.plan(&batch);
        self.keep(plan, &batch, &world)
    }

    fn keep(&mut self, plan: Plan, batch: &[Moving], world: &World) -> Result<()> {
        let by_id: HashMap<MovementId, &Moving> = batch.iter().map(|m| (m.claimed.id, m)).collect();
        for fate in &plan.fates {
            match (fate.next, by_id.get(&fate.id)) {
                (Next::Held, Some(moving)) => {
                    self.counts.held += 1;
                    self.add(&compare::held(fate, moving))?;
                }
                _ => self.counts.unchanged += 1,
            }
        }
        for write in &plan.writes {
            if !self.seen.insert((write.order_id.clone(), write.line_id.clone(), write.task.clone())) {
                continue;
            }
            match write.task {
                None => self.counts.created += 1,
                Some(_) => self.counts.updated += 1,
            }
            self.counts.asana_requests += write.requests();
            let carrier = write.movements.first().and_then(|(sending, _)| by_id.get(&sending.like)).copied();
            let entry = compare::write(write, &self.clients.connection.settings, world, &self.names, carrier);
            self.add(&entry)?;
        }
        self.known.links.extend(plan.links);
        Ok(())
    }

    fn add(&mut self, entry: &Entry) -> Result<()> {
        let text = serde_json::to_string(entry).map_err(|e| Error::plain(Code::DryRunBroken).because(e))?;
        self.slots.push(self.spool.add(&text)?);
        Ok(())
    }
}
