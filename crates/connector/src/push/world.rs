//! Everything that planning a batch of movements needs to know, loaded with a handful of queries.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Deref;

use jiff::Timestamp;
use oracle_fusion::RawValue;
use sqlx::PgConnection;

use crate::engine::ProjectFields;
use crate::error::Result;
use crate::feed::Feed;
use crate::ids::ConnectionId;
use crate::purpose::Purpose;
use crate::record::{InvoiceFacts, OrderFacts, Reading};
use crate::reference;
use crate::reference::check::Choice;
use crate::reference::field::with_bindings;
use crate::settings::Settings;
use crate::store::choices;
use crate::store::completions;
use crate::store::creations::{self, Creation};
use crate::store::documents;
use crate::store::links::{self, Link};
use crate::store::outbox::Claimed;
use crate::store::reference::bindings;
use crate::store::tasks::{self, KnownTask};
use crate::template::order_key;

/// A claimed movement with its record, read.
#[derive(Debug, Clone)]
pub struct Moving {
    /// The movement.
    pub claimed: Claimed,
    /// Its record, or why it cannot be read.
    pub record: std::result::Result<Record, String>,
}

/// A record of either feed.
#[derive(Debug, Clone)]
pub enum Record {
    /// A purchase order.
    Order(OrderFacts),
    /// An invoice.
    Invoice(InvoiceFacts),
    /// No record of Oracle: a task whose mark is to say what may not be used on it.
    Task(String),
}

/// What is known around a batch.
#[derive(Debug, Default)]
pub struct World {
    /// Orders by id: those of the batch, and all that share a number with one.
    pub orders: HashMap<String, OrderFacts>,
    /// Order ids by number.
    pub orders_by_number: HashMap<String, Vec<String>>,
    /// Invoices by the order number they name.
    pub invoices_by_number: HashMap<String, Vec<InvoiceFacts>>,
    /// Links by order id.
    pub links_by_order: HashMap<String, Vec<Link>>,
    /// Links by task.
    pub links_by_task: HashMap<String, Vec<Link>>,
    /// Tasks by gid.
    pub tasks: HashMap<String, KnownTask>,
    /// Task gids by order number.
    pub tasks_by_number: HashMap<String, Vec<String>>,
    /// Task gids by the order's key in their notes.
    pub tasks_by_key: HashMap<String, Vec<String>>,
    /// What became of each task's last completion, when a field is mapped that shows it.
    pub journal_status: HashMap<String, String>,
    /// The suppliers and accounts that the orders name, as far as they are known.
    pub reference: reference::orders::Known,
    /// Since when it is not known whether the task of an order, or a line, was made.
    pub doubted: HashMap<Creation, Timestamp>,
    /// What may not be used on tasks whose marks move.
    pub choices: HashMap<String, Vec<Choice>>,
}

/// Reads a claimed movement's record.
#[must_use]
pub fn read(claimed: Claimed, reading: &Reading) -> Moving {
    if claimed.feed == choices::FEED {
        let record = Ok(Record::Task(claimed.source_id.clone()));
        return Moving { claimed, record };
    }
    let record = match serde_json::from_str::<&RawValue>(&claimed.body) {
        Err(error) => Err(error.to_string()),
        Ok(raw) if claimed.feed == Feed::Invoices.as_str() => {
            InvoiceFacts::read(raw, reading).map(Record::Invoice).map_err(|e| e.to_string())
        }
        Ok(raw) => OrderFacts::read(raw, reading).map(Record::Order).map_err(|e| e.to_string()),
    };
    Moving { claimed, record }
}

/// The key under which an invoice's own task is linked.
#[must_use]
pub fn invoice_key(invoice_id: &str) -> String {
    format!("invoice/{invoice_id}")
}

/// The fields as planning takes them, which only [`bound`] makes: so whatever plans, be it the push, a dry run or a
/// comparison, chooses an option by the supplier or account that it stands for.
#[derive(Debug)]
pub struct BoundFields<'f>(Cow<'f, ProjectFields>);

impl Deref for BoundFields<'_> {
    type Target = ProjectFields;

    fn deref(&self) -> &ProjectFields {
        &self.0
    }
}

/// The fields with their options bound to the suppliers and accounts that they stand for, where the settings want
/// options kept.
///
/// # Errors
/// Failures of the database.
pub async fn bound<'f>(
    db: &mut PgConnection,
    connection: ConnectionId,
    settings: &Settings,
    fields: &'f ProjectFields,
) -> Result<BoundFields<'f>> {
    let unbound = BoundFields(Cow::Borrowed(fields));
    if settings.reference.as_ref().is_none_or(|reference| reference.options.is_empty()) {
        return Ok(unbound);
    }
    let bindings = bindings(db, connection).await?;
    if bindings.is_empty() {
        return Ok(unbound);
    }
    Ok(BoundFields(Cow::Owned(with_bindings(fields, &bindings))))
}

impl World {
    /// Loads what surrounds these movements.
    pub async fn load(
        db: &mut PgConnection,
        connection: ConnectionId,
        settings: &Settings,
        batch: &[Moving],
    ) -> Result<World> {
        let mut world = World::default();
        let mut numbers: Vec<String> = Vec::new();
        let mut keys: Vec<String> = Vec::new();
        let mut marked: Vec<String> = Vec::new();
        let mut moving_invoices: HashMap<&str, &InvoiceFacts> = HashMap::new();
        for moving in batch {
            match &moving.record {
                Ok(Record::Order(order)) => {
                    numbers.push(order.number.clone());
                    world.add_order(order.clone());
                }
                Ok(Record::Invoice(invoice)) => {
                    numbers.extend(invoice.order_numbers());
                    keys.push(invoice_key(&invoice.id));
                    moving_invoices.insert(&invoice.id, invoice);
                }
                Ok(Record::Task(gid)) => marked.push(gid.clone()),
                Err(_) => {}
            }
        }
        numbers.sort();
        numbers.dedup();
        numbers.retain(|number| !number.is_empty());
        world.load_records(db, connection, settings, &numbers, &moving_invoices).await?;
        keys.extend(world.orders.keys().cloned());
        world.load_tasks(db, connection, &numbers, &keys).await?;
        let doubted = creations::doubted(&mut *db, connection, &keys).await?;
        world.doubted = doubted.into_iter().map(|doubt| (doubt.creation, doubt.since)).collect();
        if settings.fields.contains_key(&Purpose::JournalStatus) {
            let tasks: Vec<String> = world.tasks.keys().cloned().collect();
            let shown = completions::shown_on_tasks(db, connection, &tasks).await?;
            world.journal_status = shown.into_iter().collect();
        }
        world.reference = reference::orders::known(db, connection, settings, world.orders.values()).await?;
        if !marked.is_empty() {
            world.load_marked(db, connection, &marked).await?;
        }
        Ok(world)
    }

    /// The tasks whose marks move.
    async fn load_marked(
        &mut self,
        db: &mut PgConnection,
        connection: ConnectionId,
        marked: &[String],
    ) -> Result<()> {
        for choice in choices::of_tasks(&mut *db, connection, marked).await? {
            self.choices.entry(choice.task.clone()).or_default().push(choice);
        }
        for task in tasks::find(db, connection, marked, &[], &[]).await? {
            self.tasks.insert(task.gid.clone(), task);
        }
        Ok(())
    }

    async fn load_records(
        &mut self,
        db: &mut PgConnection,
        connection: ConnectionId,
        settings: &Settings,
        numbers: &[String],
        moving_invoices: &HashMap<&str, &InvoiceFacts>,
    ) -> Result<()> {
        let reading = settings.reading();
        for stored in documents::by_order_number(db, connection, Feed::PurchaseOrders, numbers).await? {
            let raw = serde_json::from_str::<&RawValue>(&stored.body).ok();
            if let Some(Ok(order)) = raw.map(|raw| OrderFacts::read(raw, &reading)) {
                // a record of the batch stays as it was frozen into its movement
                if !self.orders.contains_key(&order.id) {
                    self.add_order(order);
                }
            }
        }
        for stored in documents::by_order_number(db, connection, Feed::Invoices, numbers).await? {
            let raw = serde_json::from_str::<&RawValue>(&stored.body).ok();
            if let Some(Ok(invoice)) = raw.map(|raw| InvoiceFacts::read(raw, &reading))
                && !moving_invoices.contains_key(invoice.id.as_str())
            {
                self.add_invoice(&invoice);
            }
        }
        // likewise as they were frozen
        for invoice in moving_invoices.values() {
            self.add_invoice(invoice);
        }
        Ok(())
    }

    fn add_invoice(&mut self, invoice: &InvoiceFacts) {
        for number in invoice.order_numbers() {
            self.invoices_by_number.entry(number).or_default().push(invoice.clone());
        }
    }

    fn add_order(&mut self, order: OrderFacts) {
        let ids = self.orders_by_number.entry(order.number.clone()).or_default();
        if !ids.contains(&order.id) {
            ids.push(order.id.clone());
        }
        self.orders.insert(order.id.clone(), order);
    }

    async fn load_tasks(
        &mut self,
        db: &mut PgConnection,
        connection: ConnectionId,
        numbers: &[String],
        orders: &[String],
    ) -> Result<()> {
        let lines = self.orders.values().flat_map(|o| o.lines.iter().map(|l| order_key(&o.id, Some(&l.id))));
        let keys: Vec<String> = orders.iter().cloned().chain(lines).collect();
        let numbered = tasks::find(db, connection, &[], numbers, &keys).await?;
        let gids: Vec<String> = numbered.iter().map(|task| task.gid.clone()).collect();
        let all_links = links::of_orders_and_tasks(db, connection, orders, &gids).await?;
        let linked: Vec<String> =
            all_links.iter().map(|l| l.task_gid.clone()).filter(|gid| !gids.contains(gid)).collect();
        let others = tasks::find(db, connection, &linked, &[], &[]).await?;
        for link in all_links {
            self.links_by_order.entry(link.order_id.clone()).or_default().push(link.clone());
            self.links_by_task.entry(link.task_gid.clone()).or_default().push(link);
        }
        for task in numbered.into_iter().chain(others) {
            if let Some(number) = &task.order_number {
                self.tasks_by_number.entry(number.clone()).or_default().push(task.gid.clone());
            }
            if let Some(key) = &task.order_key {
                self.tasks_by_key.entry(key.clone()).or_default().push(task.gid.clone());
            }
            self.tasks.insert(task.gid.clone(), task);
        }
        Ok(())
    }
}
