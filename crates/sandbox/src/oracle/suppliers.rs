//! Suppliers: those that orders name, those made up in any number, and what people change on them.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::build;
use super::ledger::view;
use super::record::Record;
use super::schema::{Po, SUPPLIERS, Sup};
use super::table::Table;
use super::value::Value;

/// Makes a supplier of every name and id that an order carries and that is not one yet.
pub(super) fn learn<'r>(table: &mut Table, orders: impl Iterator<Item = &'r Record>, now: i64) {
    let mut new: BTreeMap<i64, Record> = BTreeMap::new();
    for order in orders {
        let (Some(Value::Id(id)), Some(name)) = (order.get(Po::SupplierId), order.text(Po::Supplier)) else {
            continue;
        };
        if table.find(*id).is_none() {
            new.entry(*id).or_insert_with(|| record(*id, name, now));
        }
    }
    if let Err(reason) = table.extend(new.into_values().collect()) {
        tracing::warn!(reason, "a supplier is known already");
    }
}

/// Adds so many made-up suppliers after those that are there.
pub(super) fn generate(table: &mut Table, count: usize, now: i64) -> Result<(), String> {
    let from = table.len();
    let named = (from..from.saturating_add(count)).map(|number| format!("SUPPLIER {number:06} LTD"));
    table.extend(named.map(|name| record(build::supplier_id(&name), &name, now)).collect())
}

/// Made-up charge accounts of the first chart, no two alike.
pub(super) fn account_names(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|number| format!("101.10.{:05}.{:03}.000.000", 60_000 + number / 900, 100 + number % 900))
}

fn record(id: i64, name: &str, now: i64) -> Record {
    let mut record = Record::new(&SUPPLIERS, SUPPLIERS.attributes.len());
    record
        .set(Sup::SupplierId, Value::Id(id))
        .set(Sup::SupplierPartyId, Value::Id(id + 1))
        .set(Sup::Supplier, Value::text(name))
        // as generated invoices name it
        .set(Sup::SupplierNumber, Value::text(&(id % 1_000_000).to_string()))
        .set(Sup::AlternateName, Value::Null)
        .set(Sup::BusinessRelationship, Value::text("Spend Authorized"))
        .set(Sup::BusinessRelationshipCode, Value::text("SPEND_AUTHORIZED"))
        .set(Sup::SupplierType, Value::Null)
        .set(Sup::SupplierTypeCode, Value::Null)
        .set(Sup::Status, Value::text("ACTIVE"))
        .set(Sup::InactiveDate, Value::Null)
        .set(Sup::TaxpayerId, Value::Null)
        .set(Sup::CreationDate, Value::Instant(now))
        .set(Sup::LastUpdateDate, Value::Instant(now));
    record
}

/// Another name for the supplier of that name, if it is one: it keeps its id.
pub(super) fn rename(table: &mut Table, from: &str, to: &str, now: i64) -> Result<bool, String> {
    let named = |record: &&Record| record.text(Sup::Supplier).is_some_and(|name| &**name == from);
    let ids: Vec<i64> = table.records().filter(named).map(Record::id).collect();
    for id in &ids {
        table.update(*id, |record| {
            record.set(Sup::Supplier, Value::text(to)).set(Sup::LastUpdateDate, Value::Instant(now));
            Ok(())
        })?;
    }
    Ok(!ids.is_empty())
}

/// From when on the supplier is inactive; without a day it is active again.
pub(super) fn deactivate(
    table: &mut Table,
    id: i64,
    from: Option<Date>,
    now: i64,
) -> Result<Vec<i64>, String> {
    table.update(id, |record| {
        // the status follows the day only from that day on
        let past = from.is_some_and(|day| view::day_of(now).is_some_and(|today| day <= today));
        record
            .set(Sup::Status, Value::text(if past { "INACTIVE" } else { "ACTIVE" }))
            .set(Sup::InactiveDate, from.map_or(Value::Null, Value::Date))
            .set(Sup::LastUpdateDate, Value::Instant(now));
        Ok(Vec::new())
    })
}
