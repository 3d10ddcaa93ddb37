//! What the user behind the token sees of orders, by intent.

use super::query::literal::Literal;
use super::query::{Comparison, Condition, Filter, Test};
use super::schema::{Po, Resource};
use super::settings::{Intent, Intents};
use super::words::NOT_APPROVED;

fn test(attribute: u8, condition: Condition) -> Filter {
    Filter::Test(Test { path: Vec::new(), attribute, condition })
}

fn texts<'a>(list: impl IntoIterator<Item = &'a str>) -> Condition {
    Condition::In(list.into_iter().map(|text| Literal::Text(text.to_owned())).collect())
}

/// The record with this key.
pub(super) fn key_is(resource: &Resource, id: i64) -> Filter {
    test(resource.key, Condition::Compare(Comparison::Equal, Literal::Integer(id)))
}

fn nothing(resource: &Resource) -> Filter {
    test(resource.key, Condition::Nothing)
}

#[derive(Clone, Copy)]
enum Approval {
    Any,
    ApprovedOnly,
}

/// What one intent sees: `Ok(None)` is everything, `Err` nothing.
fn seen(intent: &Intent, unit: Po, approval: Approval) -> Result<Option<Filter>, ()> {
    if !intent.granted {
        return Err(());
    }
    let mut parts = Vec::new();
    if let Approval::ApprovedOnly = approval {
        let pending = test(Po::StatusCode.into(), texts(NOT_APPROVED.iter().copied()));
        parts.push(Filter::Not(Box::new(pending)));
    }
    if let Some(units) = &intent.business_units {
        parts.push(test(unit.into(), texts(units.iter().map(String::as_str))));
    }
    Ok((!parts.is_empty()).then_some(Filter::And(parts)))
}

fn by_name(intents: &Intents, name: &str) -> Option<Result<Option<Filter>, ()>> {
    match name {
        "APUser" => Some(seen(&intents.ap_user, Po::BillToBU, Approval::ApprovedOnly)),
        "POUser" => Some(seen(&intents.po_user, Po::ProcurementBU, Approval::Any)),
        "LOBUser" => Some(seen(&intents.lob_user, Po::RequisitioningBU, Approval::ApprovedOnly)),
        _ => None,
    }
}

/// The filter of `findByIntent`; nothing when the intent does not exist.
pub(super) fn intent(resource: &Resource, intents: &Intents, name: &str) -> Option<Option<Filter>> {
    by_name(intents, name).map(|seen| seen.unwrap_or_else(|()| Some(nothing(resource))))
}

/// Without a finder the user sees what any intent shows. Intents are a matter of orders only.
pub(super) fn union(resource: &Resource, intents: &Intents) -> Option<Filter> {
    if resource.name != "purchaseOrders" {
        return None;
    }
    let mut parts = Vec::new();
    for name in ["POUser", "APUser", "LOBUser"] {
        match by_name(intents, name) {
            Some(Ok(None)) => return None,
            Some(Ok(Some(filter))) => parts.push(filter),
            Some(Err(())) | None => {}
        }
    }
    Some(if parts.is_empty() { nothing(resource) } else { Filter::Or(parts) })
}
