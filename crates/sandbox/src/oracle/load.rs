//! Published orders and invoices, read from JSON Lines into Oracle's shape.
//!
//! Every digit and letter of what was published stays; what Oracle has and the publication lacks is
//! derived from it, the same on every run:
//!
//! - The business unit is the buying organization, the legal entity its part before ` / `. An order
//!   number that comes again within a legal entity is placed in another one, named with ` #2`.
//! - A supplier's number stands in `SupplierSite` of an order and in `SupplierNumber` of an invoice;
//!   a date that is not a date stands in `Requisition`.
//! - The cost center is the fourth segment of the charge account (a `.` in it becomes `-`) and stands
//!   in full in `DeliverToLocation`; for invoices in `Description`.
//! - An order of total zero is canceled, others get a status by chance of their number. Invoice
//!   statuses are taken from the published word, else by chance.
//! - Project coding, flexfields, conversion and the liability account are null: nothing was published of them.
//! - An invoice without a number gets one from its source and place in the file.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::build::{self, Ids, InvoiceDraft, InvoiceLineDraft, LineDraft, OrderDraft, scramble_text};
use super::record::Record;
use super::schema::{Line, Po};
use super::table::Table;
use super::value::{Value, is_decimal};
use super::words::{BUYERS, INVOICE_STATUS, ORDER_STATUS};
use super::{Data, Oracle, charge_accounts};

/// File of orders within a directory.
pub const ORDERS_FILE: &str = "purchase_orders.jsonl";
/// File of invoices within a directory.
pub const INVOICES_FILE: &str = "invoices.jsonl";

const DAY_MS: u64 = 86_400_000;

/// Why files could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// A line is not what it should be.
    #[error("{file}, line {line}: {reason}")]
    Line {
        /// Name of the file.
        file: &'static str,
        /// Number from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// The records do not fit the ones already there.
    #[error("{0}")]
    Conflict(String),
}

/// What was loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Loaded {
    /// Orders.
    pub orders: usize,
    /// Invoices.
    pub invoices: usize,
}

#[derive(Deserialize)]
struct PublishedOrder {
    order_number: String,
    order_date: Option<Date>,
    order_date_raw: Option<String>,
    supplier: String,
    supplier_number: Option<String>,
    currency: String,
    buyer_organization: String,
    cost_center: Option<String>,
    description: Option<String>,
    lines: Vec<PublishedLine>,
    total: String,
}

#[derive(Deserialize)]
struct PublishedLine {
    line_number: i64,
    description: Option<String>,
    quantity: Option<String>,
    unit_price: Option<String>,
    amount: String,
}

#[derive(Deserialize)]
struct PublishedInvoice {
    invoice_number: Option<String>,
    invoice_date: Option<String>,
    supplier: String,
    currency: String,
    amount: String,
    order_number: Option<String>,
    status: Option<String>,
    cost_center: Option<String>,
    source: String,
}

impl Oracle {
    /// Adds the orders and invoices of [`ORDERS_FILE`] and [`INVOICES_FILE`] in `directory`.
    ///
    /// # Errors
    /// When a file cannot be read or a line is not an order or invoice; nothing was added then.
    pub fn load(&self, directory: &Path) -> Result<Loaded, LoadError> {
        let read = |name: &str| {
            let path = directory.join(name);
            std::fs::read_to_string(&path).map_err(|source| LoadError::Read { path, source })
        };
        self.load_text(&read(ORDERS_FILE)?, &read(INVOICES_FILE)?)
    }

    /// Adds orders and invoices given as JSON Lines.
    ///
    /// # Errors
    /// As [`Oracle::load`].
    pub fn load_text(&self, orders: &str, invoices: &str) -> Result<Loaded, LoadError> {
        let now = self.now_ms();
        let mut data = self.data_mut();
        let mut ids = data.ids.clone();
        let orders = read_orders(&mut ids, orders)?;
        let known: Vec<&Record> = data.orders.records().chain(orders.iter()).collect();
        let invoices = read_invoices(&mut ids, invoices, &by_number(&known))?;
        let loaded = Loaded { orders: orders.len(), invoices: invoices.len() };
        let Data { orders: order_table, invoices: invoice_table, suppliers, ids: dealt, ledger, .. } =
            &mut *data;
        ledger.learn_accounts(charge_accounts(orders.iter()));
        super::suppliers::learn(suppliers, orders.iter(), now);
        extend(order_table, orders)?;
        extend(invoice_table, invoices)?;
        *dealt = ids;
        Ok(loaded)
    }
}

fn extend(table: &mut Table, records: Vec<Record>) -> Result<(), LoadError> {
    table.extend(records).map_err(LoadError::Conflict)
}

/// Parses each line and hands it on with its place.
fn each_line<T: for<'de> Deserialize<'de>>(
    file: &'static str,
    text: &str,
    mut make: impl FnMut(usize, T) -> Result<Record, String>,
) -> Result<Vec<Record>, LoadError> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(at, line)| {
            serde_json::from_str(line)
                .map_err(|error| error.to_string())
                .and_then(|parsed| make(at, parsed))
                .map_err(|reason| LoadError::Line { file, line: at + 1, reason })
        })
        .collect()
}

fn read_orders(ids: &mut Ids, text: &str) -> Result<Vec<Record>, LoadError> {
    let mut used: HashMap<(String, String), u32> = HashMap::new();
    each_line(ORDERS_FILE, text, |at, order: PublishedOrder| {
        let organization = order.buyer_organization.clone();
        let entity = organization.split(" / ").next().unwrap_or(&organization).to_owned();
        let times = used.entry((entity.clone(), order.order_number.clone())).or_default();
        *times += 1;
        let entity = if *times > 1 { format!("{entity} #{times}") } else { entity };
        order_record(ids, at, entity, &order)
    })
}

fn check(amounts: &[Option<&str>]) -> Result<(), String> {
    match amounts.iter().flatten().find(|amount| !is_decimal(amount)) {
        Some(wrong) => Err(format!("{wrong:?} is not a decimal number")),
        None => Ok(()),
    }
}

fn order_record(ids: &mut Ids, at: usize, entity: String, order: &PublishedOrder) -> Result<Record, String> {
    check(&[Some(&order.total)])?;
    let chance = scramble_text(&format!("{}/{}/{at}", order.buyer_organization, order.order_number));
    let account = charge_account(order.cost_center.as_deref());
    let mut lines = Vec::with_capacity(order.lines.len());
    for line in &order.lines {
        check(&[Some(&line.amount), line.quantity.as_deref(), line.unit_price.as_deref()])?;
        lines.push(LineDraft {
            number: line.line_number,
            description: line.description.clone(),
            quantity: line.quantity.clone(),
            price: line.unit_price.clone(),
            amount: line.amount.clone(),
            location: order.cost_center.clone(),
            accounts: vec![account.clone()],
        });
    }
    let created = instant_on(order.order_date, chance);
    let lag = i64::try_from(scramble_text(&order.order_number) % (30 * DAY_MS)).unwrap_or(0);
    let draft = OrderDraft {
        number: order.order_number.clone(),
        status: order_status(&order.total, chance),
        description: order.description.clone(),
        supplier: order.supplier.clone(),
        currency: order.currency.clone(),
        business_unit: order.buyer_organization.clone(),
        legal_entity: entity,
        buyer: BUYERS[usize::try_from(chance % 5).unwrap_or(0)].to_owned(),
        requester: None,
        ordered: order.total.clone(),
        tax: "0".to_owned(),
        total: order.total.clone(),
        order_date: order.order_date,
        created,
        updated: created + lag,
        made_up: false,
        lines,
    };
    let mut record = build::order(ids, &draft);
    if let Some(number) = &order.supplier_number {
        record.set(Po::SupplierSite, Value::text(number));
    }
    if let Some(raw) = &order.order_date_raw {
        record.set(Po::Requisition, Value::text(raw));
    }
    Ok(record)
}

/// An instant within the day; days that were not published lie in the first half of 2025.
fn instant_on(date: Option<Date>, chance: u64) -> i64 {
    let known = date.and_then(|date| date.to_zoned(TimeZone::UTC).ok());
    let midnight = known.map_or_else(
        || 1_735_689_600_000 + i64::try_from(chance / DAY_MS % 180 * DAY_MS).unwrap_or(0),
        |zoned| zoned.timestamp().as_millisecond(),
    );
    midnight + i64::try_from(chance % DAY_MS).unwrap_or(0)
}

fn order_status(total: &str, chance: u64) -> (&'static str, &'static str) {
    if !total.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) {
        return ("CANCELED", "Canceled");
    }
    let mut ticket = u32::try_from(chance % 100).unwrap_or(0);
    for (status, share) in ORDER_STATUS {
        if ticket < *share {
            return if status.0 == "CANCELED" { ("OPEN", "Open") } else { *status };
        }
        ticket -= share;
    }
    ("OPEN", "Open")
}

fn charge_account(cost_center: Option<&str>) -> String {
    format!("101.10.60540.{}.000.000", cost_center.unwrap_or("000").replace('.', "-"))
}

fn by_number<'r>(orders: &[&'r Record]) -> HashMap<String, &'r Record> {
    let mut found = HashMap::new();
    for order in orders {
        if let Some(number) = order.text(Po::OrderNumber) {
            found.entry(number.to_string()).or_insert(*order);
        }
    }
    found
}

fn read_invoices(
    ids: &mut Ids,
    text: &str,
    orders: &HashMap<String, &Record>,
) -> Result<Vec<Record>, LoadError> {
    each_line(INVOICES_FILE, text, |at, invoice: PublishedInvoice| {
        check(&[Some(&invoice.amount)])?;
        let order = invoice.order_number.as_ref().and_then(|number| orders.get(number)).copied();
        let text = |attribute: Po| {
            let found = order.and_then(|order| order.text(attribute));
            found.map_or_else(|| invoice.source.clone(), ToString::to_string)
        };
        let chance = scramble_text(&format!("{}/{at}", invoice.source));
        let status = invoice_status(invoice.status.as_deref(), chance);
        let date = invoice.invoice_date.as_deref().and_then(published_date);
        let line = InvoiceLineDraft {
            amount: invoice.amount.clone(),
            description: invoice.cost_center.clone(),
            order_number: invoice.order_number.clone(),
            order_line: order.and_then(|order| matching_line(order, &invoice.amount)),
            account: Some(charge_account(invoice.cost_center.as_deref())),
        };
        let draft = InvoiceDraft {
            number: invoice
                .invoice_number
                .clone()
                .unwrap_or_else(|| format!("{}-{}", invoice.source, at + 1)),
            supplier_number: order.and_then(|order| order.text(Po::SupplierSite)).map(ToString::to_string),
            currency: invoice.currency.clone(),
            paid: if status[2] == "Paid" { invoice.amount.clone() } else { "0".to_owned() },
            amount: invoice.amount.clone(),
            date,
            business_unit: text(Po::ProcurementBU),
            legal_entity: text(Po::SoldToLegalEntity),
            description: invoice.cost_center.clone(),
            status,
            order_number: invoice.order_number.clone().filter(|_| chance.is_multiple_of(3)),
            updated: instant_on(date, chance),
            made_up: false,
            lines: vec![line],
            supplier: invoice.supplier,
        };
        Ok(build::invoice(ids, &draft))
    })
}

/// A day, or the first of a published month.
fn published_date(text: &str) -> Option<Date> {
    text.parse().ok().or_else(|| format!("{text}-01").parse().ok())
}

/// The order's line of this amount, else its first.
fn matching_line(order: &Record, amount: &str) -> Option<i64> {
    let lines = order.children(0);
    let line =
        lines.iter().find(|line| line.number(Line::Ordered) == Some(amount)).or_else(|| lines.first())?;
    match line.get(Line::LineNumber) {
        Some(Value::Integer(number)) => Some(*number),
        _ => None,
    }
}

fn invoice_status(word: Option<&str>, chance: u64) -> [&'static str; 4] {
    match word {
        Some("Efetuado") => ["Validated", "Workflow approved", "Paid", "Accounted"],
        Some("Cancelado") => ["Canceled", "Not required", "Unpaid", "Partially accounted"],
        Some("Aguardando Liberação") => ["Validated", "Initiated", "Unpaid", "Unaccounted"],
        _ => {
            let count = u64::try_from(INVOICE_STATUS.len()).unwrap_or(1);
            INVOICE_STATUS[usize::try_from(chance % count).unwrap_or(0)]
        }
    }
}
