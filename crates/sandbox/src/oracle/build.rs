//! From the plain facts of an order or invoice to Oracle's records.
//!
//! Ids are dealt in sequence from fixed starts, so that equal input gives equal records. The ids of
//! suppliers, business units and accounts follow from their names.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::ledger::seed::{CORPORATE, enabled_currency};
use super::record::{Record, scramble};
use super::schema::{
    DISTRIBUTIONS, Distribution, INVOICE_LINES, INVOICES, Inv, InvLine, LINES, Line, PURCHASE_ORDERS, Po,
    SCHEDULES, Schedule,
};
use super::value::Value;
use super::words::UNITS;

/// The next free id of each kind; 15 digits, as real ones have.
#[derive(Clone, Debug)]
pub(crate) struct Ids {
    order: i64,
    line: i64,
    schedule: i64,
    distribution: i64,
    invoice: i64,
}

impl Default for Ids {
    fn default() -> Self {
        Self {
            order: 300_000_100_000_000,
            line: 300_000_300_000_000,
            schedule: 300_000_500_000_000,
            distribution: 300_000_700_000_000,
            invoice: 300_000_900_000_000,
        }
    }
}

/// Ids have gaps, as a sequence shared with other work leaves them.
fn next(counter: &mut i64) -> i64 {
    *counter += 3;
    *counter
}

/// A number that follows from a text and looks random.
pub(crate) fn scramble_text(text: &str) -> u64 {
    let mut hash = 0xCBF2_9CE4_8422_2325_u64;
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
    }
    scramble(hash)
}

fn id_of_name(base: i64, span: u64, name: &str) -> i64 {
    base + i64::try_from(scramble_text(name) % span).unwrap_or(0)
}

/// The id that every record uses for a supplier of this name.
pub(crate) fn supplier_id(name: &str) -> i64 {
    id_of_name(300_010_000_000_000, 80_000_000_000, name)
}

fn unit_id(name: &str) -> i64 {
    id_of_name(300_000_046_000_000, 9_000_000, name)
}

fn id_or_null(name: Option<&str>) -> Value {
    name.map_or(Value::Null, |name| Value::Id(unit_id(name)))
}

/// The code combination id of a charge account.
pub(crate) fn account_id(account: &str) -> i64 {
    id_of_name(100_000, 899_000_000, account)
}

/// The facts of an order.
#[derive(Clone, Debug)]
pub(crate) struct OrderDraft {
    pub number: String,
    pub status: (&'static str, &'static str),
    pub description: Option<String>,
    pub supplier: String,
    pub currency: String,
    pub business_unit: String,
    pub legal_entity: String,
    pub buyer: String,
    pub requester: Option<String>,
    pub ordered: String,
    pub tax: String,
    pub total: String,
    pub order_date: Option<Date>,
    pub created: i64,
    pub updated: i64,
    /// Whether what these facts leave open is made up too, rather than null.
    pub made_up: bool,
    pub lines: Vec<LineDraft>,
}

/// The facts of an order line.
#[derive(Clone, Debug)]
pub(crate) struct LineDraft {
    pub number: i64,
    pub description: Option<String>,
    pub quantity: Option<String>,
    pub price: Option<String>,
    pub amount: String,
    pub location: Option<String>,
    /// Charge accounts, one distribution each.
    pub accounts: Vec<String>,
}

/// The facts of an invoice.
#[derive(Clone, Debug)]
pub(crate) struct InvoiceDraft {
    pub number: String,
    pub supplier: String,
    pub supplier_number: Option<String>,
    pub currency: String,
    pub amount: String,
    pub paid: String,
    pub date: Option<Date>,
    pub business_unit: String,
    pub legal_entity: String,
    pub description: Option<String>,
    /// Validation, approval, paid and accounting status.
    pub status: [&'static str; 4],
    pub order_number: Option<String>,
    pub updated: i64,
    /// Whether what these facts leave open is made up too, rather than null.
    pub made_up: bool,
    pub lines: Vec<InvoiceLineDraft>,
}

/// The facts of an invoice line.
#[derive(Clone, Debug)]
pub(crate) struct InvoiceLineDraft {
    pub amount: String,
    pub description: Option<String>,
    pub order_number: Option<String>,
    pub order_line: Option<i64>,
    pub account: Option<String>,
}

/// The name that Oracle shows for a currency in the user's language.
pub(crate) fn currency_name(code: &str) -> &str {
    match code {
        "USD" => "US Dollar",
        "EUR" => "Euro",
        "GBP" => "Pound Sterling",
        "JPY" => "Yen",
        "PYG" => "Guarani",
        "BRL" => "Brazilian Real",
        other => other,
    }
}

/// Exact sum of decimal texts, in the most digits after the point that any of them has; nothing
/// when one is not a decimal that fits.
pub(crate) fn sum<'a>(amounts: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let mut total = Decimal::ZERO;
    for amount in amounts {
        total = total.checked_add(amount.parse().ok()?)?;
    }
    Some(total.to_string())
}

/// An order with only the attributes that a list needs: some 350 bytes of JSON.
pub(crate) fn small_order(ids: &mut Ids, draft: &OrderDraft) -> Record {
    let mut record = Record::new(&PURCHASE_ORDERS, 12);
    record
        .set(Po::POHeaderId, Value::Id(next(&mut ids.order)))
        .set(Po::OrderNumber, Value::text(&draft.number))
        .set(Po::StatusCode, Value::text(draft.status.0))
        .set(Po::Status, Value::text(draft.status.1))
        .set(Po::ProcurementBU, Value::text(&draft.business_unit))
        .set(Po::Supplier, Value::text(&draft.supplier))
        .set(Po::SupplierId, Value::Id(supplier_id(&draft.supplier)))
        .set(Po::CurrencyCode, Value::text(&draft.currency))
        .set(Po::Ordered, Value::number(&draft.ordered))
        .set(Po::Total, Value::number(&draft.total))
        .set(Po::CreationDate, Value::Instant(draft.created))
        .set(Po::LastUpdateDate, Value::Instant(draft.updated));
    record
}

/// A whole order.
pub(crate) fn order(ids: &mut Ids, draft: &OrderDraft) -> Record {
    let mut record = Record::new(&PURCHASE_ORDERS, 41);
    record
        .set(Po::POHeaderId, Value::Id(next(&mut ids.order)))
        .set(Po::OrderNumber, Value::text(&draft.number))
        .set(Po::Revision, Value::Integer(0))
        .set(Po::Description, Value::optional_text(draft.description.as_deref()))
        .set(Po::DocumentStyle, Value::text("Purchase Order"))
        .set(Po::DocumentStyleId, Value::Id(1))
        .set(Po::StatusCode, Value::text(draft.status.0))
        .set(Po::Status, Value::text(draft.status.1));
    set_people(&mut record, draft);
    set_units(&mut record, draft);
    set_supplier_and_money(&mut record, draft);
    let location = draft.lines.first().and_then(|line| line.location.as_deref());
    let location = Value::optional_text(location);
    record
        .set(Po::PaymentTerms, Value::text("Net 30"))
        .set(Po::FrozenFlag, Value::Flag(false))
        .set(Po::FundsStatus, Value::Null)
        .set(Po::Requisition, Value::Null)
        .set(Po::OrderDate, draft.order_date.map_or(Value::Null, Value::Date))
        .set(Po::ShipToLocation, location.clone())
        .set(Po::BillToLocation, location)
        .set(Po::CreationDate, Value::Instant(draft.created))
        .set(Po::LastUpdateDate, Value::Instant(draft.updated));
    let header = record.id();
    for line in &draft.lines {
        let line = order_line(ids, header, draft, line);
        record.children_mut(0).push(line);
    }
    record
}

fn set_people(record: &mut Record, draft: &OrderDraft) {
    let display = draft.buyer.split_once(", ").map(|(last, first)| format!("{first} {last}"));
    record
        .set(Po::Buyer, Value::text(&draft.buyer))
        .set(Po::BuyerId, Value::Id(unit_id(&draft.buyer)))
        .set(Po::BuyerDisplayName, Value::text(display.as_deref().unwrap_or(&draft.buyer)))
        .set(Po::RequesterId, id_or_null(draft.requester.as_deref()))
        .set(Po::RequesterDisplayName, Value::optional_text(draft.requester.as_deref()));
}

fn set_units(record: &mut Record, draft: &OrderDraft) {
    let unit = Value::text(&draft.business_unit);
    let id = Value::Id(unit_id(&draft.business_unit));
    record
        .set(Po::ProcurementBU, unit.clone())
        .set(Po::ProcurementBUId, id.clone())
        .set(Po::RequisitioningBU, unit.clone())
        .set(Po::RequisitioningBUId, id.clone())
        .set(Po::BillToBU, unit)
        .set(Po::BillToBUId, id)
        .set(Po::SoldToLegalEntity, Value::text(&draft.legal_entity))
        .set(Po::SoldToLegalEntityId, Value::Id(unit_id(&draft.legal_entity)));
}

fn set_supplier_and_money(record: &mut Record, draft: &OrderDraft) {
    record
        .set(Po::Supplier, Value::text(&draft.supplier))
        .set(Po::SupplierId, Value::Id(supplier_id(&draft.supplier)))
        .set(Po::SupplierSite, Value::text("MAIN"))
        .set(Po::SupplierSiteId, Value::Id(supplier_id(&draft.supplier) + 1))
        .set(Po::SupplierContact, Value::Null)
        .set(Po::SupplierEmailAddress, Value::Null)
        .set(Po::CurrencyCode, Value::text(&draft.currency))
        .set(Po::Currency, Value::text(currency_name(&draft.currency)))
        .set(Po::Ordered, Value::number(&draft.ordered))
        .set(Po::TotalTax, Value::number(&draft.tax))
        .set(Po::Total, Value::number(&draft.total));
}

/// A line with its schedule and distributions.
pub(crate) fn order_line(ids: &mut Ids, header: i64, order: &OrderDraft, line: &LineDraft) -> Record {
    let id = next(&mut ids.line);
    let goods = line.quantity.is_some();
    let mut record = Record::new(&LINES, 22);
    let number = |text: &Option<String>| text.as_deref().map_or(Value::Null, Value::number);
    record
        .set(Line::POLineId, Value::Id(id))
        .set(Line::POHeaderId, Value::Id(header))
        .set(Line::LineNumber, Value::Integer(line.number))
        .set(Line::LineType, Value::text(if goods { "Goods" } else { "Fixed Price Services" }))
        .set(Line::LineTypeId, Value::Id(if goods { 1 } else { 6 }))
        .set(Line::Item, Value::Null)
        .set(Line::ItemId, Value::Null)
        .set(Line::Description, Value::optional_text(line.description.as_deref()))
        .set(Line::Category, Value::text("Miscellaneous"))
        .set(Line::CategoryId, Value::Id(unit_id("Miscellaneous")))
        .set(Line::Quantity, number(&line.quantity))
        .set(Line::UOM, if goods { Value::text("Each") } else { Value::Null })
        .set(Line::UOMCode, if goods { Value::text("Ea") } else { Value::Null })
        .set(Line::Price, number(&line.price))
        .set(Line::Ordered, Value::number(&line.amount))
        .set(Line::Total, Value::number(&line.amount))
        .set(Line::CurrencyCode, Value::text(&order.currency))
        .set(Line::Currency, Value::text(currency_name(&order.currency)))
        .set(Line::StatusCode, Value::text(order.status.0))
        .set(Line::Status, Value::text(order.status.1))
        .set(Line::SupplierItem, Value::Null)
        .set(Line::LastUpdateDate, Value::Instant(order.updated));
    let schedule = schedule(ids, order, line);
    record.children_mut(0).push(schedule);
    record
}

fn schedule(ids: &mut Ids, order: &OrderDraft, line: &LineDraft) -> Record {
    let quantity = line.quantity.as_deref().map_or(Value::Null, Value::number);
    let location = Value::optional_text(line.location.as_deref());
    let mut record = Record::new(&SCHEDULES, 10);
    record
        .set(Schedule::LineLocationId, Value::Id(next(&mut ids.schedule)))
        .set(Schedule::ScheduleNumber, Value::Integer(1))
        .set(Schedule::Quantity, quantity.clone())
        .set(Schedule::ShipToOrganization, Value::Null)
        .set(Schedule::ShipToLocation, location.clone())
        .set(Schedule::DestinationTypeCode, Value::text("EXPENSE"))
        .set(Schedule::DestinationType, Value::text("Expense"))
        .set(Schedule::RequestedDeliveryDate, order.order_date.map_or(Value::Null, Value::Date))
        .set(Schedule::PromisedDeliveryDate, Value::Null)
        .set(Schedule::LastUpdateDate, Value::Instant(order.updated));
    let shares = split_quantity(line.quantity.as_deref(), line.accounts.len());
    for (place, account) in line.accounts.iter().enumerate() {
        let mut distribution = Record::new(&DISTRIBUTIONS, 11 + usize::from(order.made_up));
        distribution
            .set(Distribution::PODistributionId, Value::Id(next(&mut ids.distribution)))
            .set(Distribution::DistributionNumber, Value::Integer(i64::try_from(place + 1).unwrap_or(1)))
            .set(Distribution::Quantity, shares.get(place).cloned().unwrap_or(Value::Null))
            .set(Distribution::DeliverToLocation, location.clone())
            .set(Distribution::DeliverToLocationId, id_or_null(line.location.as_deref()))
            .set(Distribution::Requester, Value::optional_text(order.requester.as_deref()))
            .set(Distribution::RequesterId, id_or_null(order.requester.as_deref()))
            .set(Distribution::BudgetDate, order.order_date.map_or(Value::Null, Value::Date))
            .set(Distribution::POChargeAccountId, Value::Id(account_id(account)))
            .set(Distribution::POChargeAccount, Value::text(account))
            .set(Distribution::LastUpdateDate, Value::Instant(order.updated));
        if order.made_up {
            distribution.set(Distribution::MadeUp, Value::Flag(true));
        }
        record.children_mut(0).push(distribution);
    }
    record
}

/// The first distribution takes what an equal split leaves over; a single one keeps the text.
fn split_quantity(quantity: Option<&str>, parts: usize) -> Vec<Value> {
    let (Some(text), true) = (quantity, parts > 0) else { return vec![Value::Null; parts] };
    let whole: Option<Decimal> = text.parse().ok();
    let (Some(whole), Ok(count), true) = (whole, i64::try_from(parts), parts > 1) else {
        return vec![Value::number(text); parts];
    };
    let share = (whole / Decimal::from(count)).trunc();
    let first = whole - share * Decimal::from(count - 1);
    (0..parts).map(|at| Value::number(&if at == 0 { first } else { share }.to_string())).collect()
}

/// A whole invoice.
pub(crate) fn invoice(ids: &mut Ids, draft: &InvoiceDraft) -> Record {
    let [validation, approval, paid, accounting] = draft.status;
    let date = draft.date.map_or(Value::Null, Value::Date);
    let currency = Value::text(&draft.currency);
    let mut record = Record::new(&INVOICES, 36 + usize::from(draft.made_up));
    record
        .set(Inv::InvoiceId, Value::Id(next(&mut ids.invoice)))
        .set(Inv::InvoiceNumber, Value::text(&draft.number))
        .set(Inv::InvoiceCurrency, currency.clone())
        .set(Inv::PaymentCurrency, currency)
        .set(Inv::InvoiceAmount, Value::number(&draft.amount))
        .set(Inv::InvoiceDate, date.clone())
        .set(Inv::BusinessUnit, Value::text(&draft.business_unit))
        .set(Inv::Supplier, Value::text(&draft.supplier))
        .set(Inv::SupplierNumber, Value::optional_text(draft.supplier_number.as_deref()))
        .set(Inv::ProcurementBU, Value::text(&draft.business_unit))
        .set(Inv::SupplierSite, Value::text("MAIN"))
        .set(Inv::RequesterId, Value::Null)
        .set(Inv::Requester, Value::Null)
        .set(Inv::InvoiceGroup, Value::Null)
        .set(Inv::ConversionRateType, Value::Null)
        .set(Inv::ConversionDate, Value::Null)
        .set(Inv::ConversionRate, Value::Null)
        .set(Inv::AccountingDate, date)
        .set(Inv::Description, Value::optional_text(draft.description.as_deref()))
        .set(Inv::PaymentTerms, Value::text("Net 30"))
        .set(Inv::PaymentMethod, Value::text("Electronic"))
        .set(Inv::InvoiceSource, Value::text("Manual Invoice Entry"))
        .set(
            Inv::InvoiceType,
            Value::text(if draft.amount.starts_with('-') { "Credit memo" } else { "Standard" }),
        )
        .set(Inv::LegalEntity, Value::text(&draft.legal_entity))
        .set(Inv::LiabilityDistribution, Value::Null)
        .set(Inv::ValidationStatus, Value::text(validation))
        .set(Inv::ApprovalStatus, Value::text(approval))
        .set(Inv::PaidStatus, Value::text(paid))
        .set(Inv::AccountingStatus, Value::text(accounting))
        .set(Inv::AmountPaid, Value::number(&draft.paid))
        .set(Inv::PurchaseOrderNumber, Value::optional_text(draft.order_number.as_deref()))
        .set(Inv::CanceledFlag, Value::Flag(validation == "Canceled"))
        .set(Inv::CanceledBy, Value::Null)
        .set(Inv::CreationDate, Value::Instant(draft.updated))
        .set(Inv::LastUpdateDate, Value::Instant(draft.updated))
        .set(Inv::LastUpdatedBy, Value::text("FUSION_USER"));
    if draft.made_up {
        make_up(&mut record, draft);
    }
    for (place, line) in draft.lines.iter().enumerate() {
        let number = i64::try_from(place + 1).unwrap_or(1);
        record.children_mut(0).push(invoice_line(number, draft.updated, line));
    }
    record
}

/// What the facts of an invoice leave open: its liability account, and the conversion of a foreign currency.
fn make_up(record: &mut Record, draft: &InvoiceDraft) {
    let unit = UNITS.iter().position(|(name, _)| *name == draft.business_unit).unwrap_or(0);
    let account = format!("{}.10.21100.000.000.000", 101 + unit);
    record.set(Inv::MadeUp, Value::Flag(true)).set(Inv::LiabilityDistribution, Value::text(&account));
    if let Some(rate) = enabled_currency(&draft.currency).and_then(|currency| currency.to_usd) {
        record
            .set(Inv::ConversionRateType, Value::text(CORPORATE))
            .set(Inv::ConversionDate, draft.date.map_or(Value::Null, Value::Date))
            .set(Inv::ConversionRate, Value::number(rate));
    }
}

fn invoice_line(number: i64, updated: i64, line: &InvoiceLineDraft) -> Record {
    let mut record = Record::new(&INVOICE_LINES, 14);
    record
        .set(InvLine::LineNumber, Value::Integer(number))
        .set(InvLine::LineType, Value::text("Item"))
        .set(InvLine::LineAmount, Value::number(&line.amount))
        .set(InvLine::Description, Value::optional_text(line.description.as_deref()))
        .set(InvLine::Quantity, Value::Null)
        .set(InvLine::UnitPrice, Value::Null)
        .set(InvLine::UOM, Value::Null)
        .set(InvLine::DistributionCombination, Value::optional_text(line.account.as_deref()))
        .set(InvLine::PurchaseOrderNumber, Value::optional_text(line.order_number.as_deref()))
        .set(InvLine::PurchaseOrderLineNumber, line.order_line.map_or(Value::Null, Value::Integer))
        .set(
            InvLine::PurchaseOrderScheduleLineNumber,
            line.order_line.map_or(Value::Null, |_| Value::Integer(1)),
        )
        .set(InvLine::DiscardedFlag, Value::Flag(false))
        .set(InvLine::CanceledFlag, Value::Flag(false))
        .set(InvLine::LastUpdateDate, Value::Instant(updated));
    record
}
