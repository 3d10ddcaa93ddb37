//! Made-up orders and invoices of any number, messy as real ones are. Equal options, equal bytes.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::build::{self, Ids, InvoiceDraft, InvoiceLineDraft, LineDraft, OrderDraft};
use super::record::Record;
use super::schema::{Line, Po};
use super::table::Table;
use super::words::{
    ACCOUNTS, BUYERS, COST_CENTERS, CURRENCIES, DESCRIPTIONS, FIRST, INVOICE_STATUS, LEGAL, LOCATIONS, LONG,
    ORDER_STATUS, REQUESTERS, SECOND, UNITS,
};

/// How long after the start the last change may be: 90 days.
const SPAN_MS: i64 = 90 * 86_400_000;

/// What to make up.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GenerateOptions {
    /// Equal seeds (and options) give equal records.
    pub seed: u64,
    /// Number of orders.
    pub orders: usize,
    /// Number of invoices; they name orders that are already there.
    pub invoices: usize,
    /// Orders without lines and with few attributes, about 350 bytes each.
    pub headers_only: bool,
    /// Lines of every order; by default 1 to 6, and 30 now and then.
    pub lines_per_order: Option<usize>,
    /// Every record carries the start as its `LastUpdateDate`.
    pub same_timestamp: bool,
    /// Before the first change; the last one is within 90 days.
    pub start: Timestamp,
}

impl Default for GenerateOptions {
    fn default() -> Self {
        Self {
            seed: 1,
            orders: 100,
            invoices: 100,
            headers_only: false,
            lines_per_order: None,
            same_timestamp: false,
            start: Timestamp::from_second(1_735_689_600).unwrap_or_default(),
        }
    }
}

struct Maker<'a> {
    random: ChaCha8Rng,
    options: &'a GenerateOptions,
    last_instant: i64,
    /// Number and unit of the order before, which some orders share.
    before: Option<(String, usize)>,
}

/// Decimal text of an amount in minor units; sometimes with its trailing zeros, as both occur.
fn money(minor: i64, digits: u32, keep_zeros: bool) -> String {
    let text = rust_decimal::Decimal::new(minor, digits);
    if keep_zeros { text.to_string() } else { text.normalize().to_string() }
}

fn weighted<'t, T>(random: &mut ChaCha8Rng, table: &'t [T], weight: impl Fn(&T) -> u32) -> &'t T {
    let total: u32 = table.iter().map(&weight).sum();
    let mut ticket = random.random_range(0..total);
    for item in table {
        let share = weight(item);
        if ticket < share {
            return item;
        }
        ticket -= share;
    }
    &table[0]
}

/// The day of an instant in UTC.
pub(crate) fn civil(ms: i64) -> Option<Date> {
    Timestamp::from_millisecond(ms).ok().map(|at| at.to_zoned(TimeZone::UTC).date())
}

/// Makes orders and puts them into the table.
pub(crate) fn orders(table: &mut Table, ids: &mut Ids, options: &GenerateOptions) -> Result<(), String> {
    let mut maker = Maker {
        random: ChaCha8Rng::seed_from_u64(options.seed),
        options,
        last_instant: options.start.as_millisecond(),
        before: None,
    };
    let base = table.len();
    let mut made = Vec::with_capacity(options.orders);
    for at in 0..options.orders {
        let draft = maker.order(base + at);
        made.push(if options.headers_only {
            build::small_order(ids, &draft)
        } else {
            build::order(ids, &draft)
        });
    }
    table.extend(made)
}

/// Makes invoices for orders of `orders` and puts them into the table.
pub(crate) fn invoices(
    table: &mut Table,
    orders: &Table,
    ids: &mut Ids,
    options: &GenerateOptions,
) -> Result<(), String> {
    let mut maker = Maker {
        random: ChaCha8Rng::seed_from_u64(options.seed ^ 0x1BAD_B002),
        options,
        last_instant: options.start.as_millisecond(),
        before: None,
    };
    let pool: Vec<&Record> = orders.records().collect();
    let base = table.len();
    let made =
        (0..options.invoices).map(|at| build::invoice(ids, &maker.invoice(base + at, &pool))).collect();
    table.extend(made)
}

impl Maker<'_> {
    fn pick<'t, T>(&mut self, list: &'t [T]) -> &'t T {
        &list[self.random.random_range(0..list.len())]
    }

    fn one_in(&mut self, count: u32) -> bool {
        self.random.random_ratio(1, count)
    }

    /// Instants spread over the span; one in eight repeats the one before, many are whole seconds.
    fn instant(&mut self) -> i64 {
        if self.options.same_timestamp {
            return self.options.start.as_millisecond();
        }
        if !self.one_in(8) {
            let at = self.options.start.as_millisecond() + self.random.random_range(0..SPAN_MS);
            self.last_instant = if self.one_in(3) { at.div_euclid(1000) * 1000 } else { at };
        }
        self.last_instant
    }

    fn supplier(&mut self) -> String {
        if self.one_in(40) {
            return (*self.pick(LONG)).to_owned();
        }
        let (first, second, legal) = (*self.pick(FIRST), *self.pick(SECOND), *self.pick(LEGAL));
        format!("{first} {second} {legal}")
    }

    fn description(&mut self) -> Option<String> {
        (!self.one_in(10)).then(|| (*self.pick(DESCRIPTIONS)).to_owned())
    }

    fn account(&mut self, company: usize) -> String {
        let (account, center) = (*self.pick(ACCOUNTS), *self.pick(COST_CENTERS));
        format!("{}.10.{account}.{center}.000.000", 101 + company)
    }

    /// Number and unit: one order in twenty has the number of the one before in another legal entity.
    fn number(&mut self, at: usize) -> (String, usize) {
        let unit = self.random.random_range(0..UNITS.len());
        let fresh = (format!("US{}", 160_000 + at), unit);
        let chosen = match self.before.take() {
            Some((number, other)) if at % 20 == 19 => (number, (other + 1) % UNITS.len()),
            _ => fresh,
        };
        self.before = Some(chosen.clone());
        chosen
    }

    fn order(&mut self, at: usize) -> OrderDraft {
        let (number, unit) = self.number(at);
        let (currency, digits, _) = *weighted(&mut self.random, CURRENCIES, |(_, _, weight)| *weight);
        let (status, _) = *weighted(&mut self.random, ORDER_STATUS, |(_, weight)| *weight);
        let updated = self.instant();
        let zeros = self.one_in(3);
        let (lines, minor) = self.lines(unit, digits, zeros);
        let minor = if status.0 == "CANCELED" && self.options.headers_only { 0 } else { minor };
        let tax = if self.one_in(10) { minor / 20 } else { 0 };
        OrderDraft {
            number,
            status,
            description: self.description(),
            supplier: self.supplier(),
            currency: currency.to_owned(),
            business_unit: UNITS[unit].0.to_owned(),
            legal_entity: UNITS[unit].1.to_owned(),
            buyer: (*self.pick(BUYERS)).to_owned(),
            requester: (!self.one_in(5)).then(|| (*self.pick(REQUESTERS)).to_owned()),
            ordered: money(minor, digits, zeros),
            tax: money(tax, digits, zeros),
            total: money(minor + tax, digits, zeros),
            order_date: civil(updated),
            created: updated - self.random.random_range(0..SPAN_MS),
            updated,
            made_up: true,
            lines,
        }
    }

    /// Lines and their sum in minor units.
    fn lines(&mut self, unit: usize, digits: u32, zeros: bool) -> (Vec<LineDraft>, i64) {
        if self.options.headers_only {
            return (Vec::new(), self.random.random_range(0..50_000_000));
        }
        let count = match (self.options.lines_per_order, self.one_in(50)) {
            (Some(count), _) => count,
            (None, true) => 30,
            (None, false) => self.random.random_range(1..=6),
        };
        let all_free = self.one_in(60);
        let mut sum = 0;
        let lines = (1..=count)
            .map(|number| {
                let (line, minor) = self.line(number, unit, digits, zeros, all_free);
                sum += minor;
                line
            })
            .collect();
        (lines, sum)
    }

    fn line(&mut self, number: usize, unit: usize, digits: u32, zeros: bool, free: bool) -> (LineDraft, i64) {
        let goods = self.random.random_bool(0.7);
        let sign = if self.one_in(20) { -1 } else { 1 };
        let price = if free { 0 } else { sign * self.random.random_range(1..2_000_000_i64) };
        let quantity = if goods { self.random.random_range(1..200_i64) } else { 1 };
        let minor = price * quantity;
        let distributions = if self.one_in(6) { 2 } else { 1 };
        let line = LineDraft {
            number: i64::try_from(number).unwrap_or(i64::MAX),
            description: self.description(),
            quantity: goods.then(|| quantity.to_string()),
            price: goods.then(|| money(price, digits, zeros)),
            amount: money(minor, digits, zeros),
            location: Some((*self.pick(LOCATIONS)).to_owned()),
            accounts: (0..distributions).map(|_| self.account(unit)).collect(),
        };
        (line, minor)
    }

    /// An invoice for no, one or two orders of one supplier's currency and unit.
    fn invoice(&mut self, at: usize, pool: &[&Record]) -> InvoiceDraft {
        let updated = self.instant();
        let named = if pool.is_empty() || self.one_in(10) { 0 } else { 1 + usize::from(self.one_in(8)) };
        let mut lines = Vec::new();
        let first = (!pool.is_empty()).then(|| *self.pick(pool));
        for place in 0..named {
            let order = if place == 0 { first } else { self.companion(first, pool) };
            if let Some(order) = order {
                lines.push(self.invoice_line(order));
            }
        }
        if lines.is_empty() {
            let amount = self.random.random_range(-90_000..900_000_i64).to_string();
            let account = Some(self.account(0));
            let description = self.description();
            lines.push(InvoiceLineDraft {
                amount,
                description,
                order_number: None,
                order_line: None,
                account,
            });
        }
        let text = |field: Po, other: &str| {
            first.and_then(|order| order.text(field)).map_or_else(|| other.to_owned(), ToString::to_string)
        };
        let amount = build::sum(lines.iter().map(|line| line.amount.as_str())).unwrap_or_default();
        let status = INVOICE_STATUS[at % INVOICE_STATUS.len()];
        InvoiceDraft {
            number: format!("INV-{}/{}", 2025, 10_000 + at),
            supplier: text(Po::Supplier, "ACME CONSULTING INC"),
            supplier_number: first.map(supplier_number),
            currency: text(Po::CurrencyCode, "USD"),
            paid: if status[2] == "Paid" { amount.clone() } else { "0".to_owned() },
            amount,
            date: civil(updated),
            business_unit: text(Po::ProcurementBU, UNITS[0].0),
            legal_entity: text(Po::SoldToLegalEntity, UNITS[0].1),
            description: self.description(),
            status,
            order_number: lines
                .first()
                .filter(|_| at.is_multiple_of(3))
                .and_then(|line| line.order_number.clone()),
            updated,
            made_up: true,
            lines,
        }
    }

    /// Another order of the same currency and business unit, if a few tries find one.
    fn companion<'t>(&mut self, first: Option<&'t Record>, pool: &[&'t Record]) -> Option<&'t Record> {
        let first = first?;
        (0..32).map(|_| *self.pick(pool)).find(|other| {
            other.id() != first.id()
                && other.text(Po::CurrencyCode) == first.text(Po::CurrencyCode)
                && other.text(Po::ProcurementBU) == first.text(Po::ProcurementBU)
        })
    }

    fn invoice_line(&mut self, order: &Record) -> InvoiceLineDraft {
        let lines = order.children(0);
        let line = (!lines.is_empty()).then(|| self.pick(lines));
        let number = match line.map(|line| line.get(Line::LineNumber)) {
            Some(Some(super::value::Value::Integer(number))) => Some(*number),
            _ => None,
        };
        let amount = line.map_or_else(|| order.number(Po::Ordered), |line| line.number(Line::Ordered));
        InvoiceLineDraft {
            amount: amount.unwrap_or("0").to_owned(),
            description: self.description(),
            order_number: order.text(Po::OrderNumber).map(ToString::to_string),
            order_line: number,
            account: None,
        }
    }
}

fn supplier_number(order: &Record) -> String {
    match order.get(Po::SupplierId) {
        Some(super::value::Value::Id(id)) => (id % 1_000_000).to_string(),
        _ => "1".to_owned(),
    }
}
