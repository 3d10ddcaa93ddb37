//! What surrounds a batch: as the push loads it, but from what was read just now, over what is stored.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use oracle_fusion::RawValue;
use sqlx::PgConnection;

use crate::dry_run::gather::{Records, Tasks};
use crate::error::Result;
use crate::feed::Feed;
use crate::ids::ConnectionId;
use crate::purpose::Purpose;
use crate::push::world::{Moving, Record, World, invoice_key};
use crate::record::{InvoiceFacts, OrderFacts};
use crate::reference;
use crate::settings::Settings;
use crate::store::links::{self, Link, NewLink};
use crate::store::tasks::{self, KnownTask};
use crate::store::{completions, documents};
use crate::template::order_key;

/// Everything that a dry run knows.
#[derive(Debug)]
pub(crate) struct Known {
    /// The orders read.
    pub(crate) orders: Records,
    /// The invoices read.
    pub(crate) invoices: Records,
    /// The tasks listed.
    pub(crate) tasks: Tasks,
    /// Links that earlier batches would have made.
    pub(crate) links: Vec<NewLink>,
    /// What is stored but was proved not to be there.
    pub(crate) absent: Absent,
}

/// What is stored but is not there any more, as a reading of everything shows. A dry run leaves it empty, as the
/// push knows nothing of it either.
#[derive(Debug, Default)]
pub(crate) struct Absent {
    /// Orders and invoices that Oracle no longer has, by id.
    pub(crate) records: HashSet<(Feed, String)>,
    /// Tasks that are in no mapped project and to which no link leads, or which do not exist.
    pub(crate) tasks: HashSet<String>,
}

impl Known {
    /// Loads what surrounds these movements. Only reads.
    pub(crate) async fn around(
        &mut self,
        db: &mut PgConnection,
        connection: ConnectionId,
        settings: &Settings,
        batch: &[Moving],
    ) -> Result<World> {
        let mut world = World::default();
        let mut numbers = BTreeSet::new();
        let mut keys: Vec<String> = Vec::new();
        for moving in batch {
            match &moving.record {
                Ok(Record::Order(order)) => {
                    numbers.insert(order.number.clone());
                    add_order(&mut world, order.clone());
                }
                Ok(Record::Invoice(invoice)) => {
                    numbers.extend(invoice.order_numbers());
                    keys.push(invoice_key(&invoice.id));
                }
                // a mark is no record
                Ok(Record::Task(_)) | Err(_) => {}
            }
        }
        numbers.remove("");
        let numbers: Vec<String> = numbers.into_iter().collect();
        self.add_records(&mut world, db, connection, settings, &numbers).await?;
        keys.extend(world.orders.keys().cloned());
        self.add_tasks(&mut world, db, connection, &numbers, &keys).await?;
        if settings.fields.contains_key(&Purpose::JournalStatus) {
            let tasks: Vec<String> = world.tasks.keys().cloned().collect();
            world.journal_status =
                completions::shown_on_tasks(db, connection, &tasks).await?.into_iter().collect();
        }
        world.reference = reference::orders::known(db, connection, settings, world.orders.values()).await?;
        Ok(world)
    }

    async fn add_records(
        &mut self,
        world: &mut World,
        db: &mut PgConnection,
        connection: ConnectionId,
        settings: &Settings,
        numbers: &[String],
    ) -> Result<()> {
        let reading = settings.reading();
        let mut orders = self.orders.numbered(numbers)?;
        let stored = documents::by_order_number(db, connection, Feed::PurchaseOrders, numbers).await?;
        // what was read just now is newer
        let absent = |feed: Feed, id: &String| self.absent.records.contains(&(feed, id.clone()));
        orders.extend(
            stored
                .into_iter()
                .filter(|s| !self.orders.has(&s.source_id) && !absent(Feed::PurchaseOrders, &s.source_id))
                .map(|s| s.body),
        );
        for body in orders {
            let raw = serde_json::from_str::<&RawValue>(&body).ok();
            if let Some(Ok(order)) = raw.map(|raw| OrderFacts::read(raw, &reading))
                && !world.orders.contains_key(&order.id)
            {
                add_order(world, order);
            }
        }
        let mut invoices = self.invoices.numbered(numbers)?;
        let stored = documents::by_order_number(db, connection, Feed::Invoices, numbers).await?;
        let absent = |id: &String| self.absent.records.contains(&(Feed::Invoices, id.clone()));
        invoices.extend(
            stored
                .into_iter()
                .filter(|s| !self.invoices.has(&s.source_id) && !absent(&s.source_id))
                .map(|s| s.body),
        );
        for body in invoices {
            let raw = serde_json::from_str::<&RawValue>(&body).ok();
            if let Some(Ok(invoice)) = raw.map(|raw| InvoiceFacts::read(raw, &reading)) {
                for number in invoice.order_numbers() {
                    world.invoices_by_number.entry(number).or_default().push(invoice.clone());
                }
            }
        }
        Ok(())
    }

    async fn add_tasks(
        &mut self,
        world: &mut World,
        db: &mut PgConnection,
        connection: ConnectionId,
        numbers: &[String],
        orders: &[String],
    ) -> Result<()> {
        let lines = world.orders.values().flat_map(|o| o.lines.iter().map(|l| order_key(&o.id, Some(&l.id))));
        let keys: Vec<String> = orders.iter().cloned().chain(lines).collect();
        let mut found: BTreeMap<String, KnownTask> = BTreeMap::new();
        for task in tasks::find(db, connection, &[], numbers, &keys).await? {
            found.insert(task.gid.clone(), task);
        }
        for gid in self.tasks.carrying(numbers, &keys) {
            self.refresh(&mut found, &gid)?;
        }
        let gids: Vec<String> = found.keys().cloned().collect();
        let mut all = links::of_orders_and_tasks(db, connection, orders, &gids).await?;
        let concerns =
            |link: &&NewLink| orders.contains(&link.order_id) || found.contains_key(&link.task_gid);
        all.extend(self.links.iter().filter(concerns).map(|link| Link {
            order_id: link.order_id.clone(),
            line_id: link.line_id.clone(),
            task_gid: link.task_gid.clone(),
            gone: false,
        }));
        let others: Vec<String> =
            all.iter().map(|l| l.task_gid.clone()).filter(|gid| !found.contains_key(gid)).collect();
        for task in tasks::find(db, connection, &others, &[], &[]).await? {
            found.insert(task.gid.clone(), task);
        }
        let every: Vec<String> = found.keys().cloned().chain(others).collect();
        for gid in every {
            self.refresh(&mut found, &gid)?;
        }
        found.retain(|gid, _| !self.absent.tasks.contains(gid));
        for mut link in all {
            // a task that is listed again was restored
            let is_absent = self.absent.tasks.contains(&link.task_gid);
            link.gone = (link.gone || is_absent) && !self.tasks.has(&link.task_gid);
            world.links_by_order.entry(link.order_id.clone()).or_default().push(link.clone());
            world.links_by_task.entry(link.task_gid.clone()).or_default().push(link);
        }
        for task in found.into_values() {
            if let Some(number) = &task.order_number {
                world.tasks_by_number.entry(number.clone()).or_default().push(task.gid.clone());
            }
            if let Some(key) = &task.order_key {
                world.tasks_by_key.entry(key.clone()).or_default().push(task.gid.clone());
            }
            world.tasks.insert(task.gid.clone(), task);
        }
        Ok(())
    }

    /// Puts the task as it was listed in place of the stored one; an order's key that was known stays known.
    fn refresh(&mut self, found: &mut BTreeMap<String, KnownTask>, gid: &str) -> Result<()> {
        if let Some(mut task) = self.tasks.get(gid)? {
            let before = found.get(gid).and_then(|stored| stored.order_key.clone());
            task.order_key = task.order_key.or(before);
            found.insert(gid.to_owned(), task);
        }
        Ok(())
    }
}

fn add_order(world: &mut World, order: OrderFacts) {
    let ids = world.orders_by_number.entry(order.number.clone()).or_default();
    if !ids.contains(&order.id) {
        ids.push(order.id.clone());
    }
    world.orders.insert(order.id.clone(), order);
}
