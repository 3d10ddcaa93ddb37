//! From a planned write to what people read: old and new value of each field. Pure.

use std::collections::HashMap;

use asana::FieldValue;

use crate::dry_run::report::{Action, Entry, Value};
use crate::engine::ProjectFields;
use crate::feed::Feed;
use crate::ids::FieldGid;
use crate::mapping::field::Kind;
use crate::purpose::Purpose;
use crate::push::plan::Write;
use crate::push::world::{Moving, World, invoice_key};
use crate::settings::Settings;
use crate::store::outbox::Fate;

/// The names of all fields of the mapped projects and of their options, by gid.
pub(crate) fn names(fields: &ProjectFields) -> HashMap<String, String> {
    let mut names = HashMap::new();
    for (gid, field) in fields.values().filter_map(|set| set.as_ref().ok()).flatten() {
        names.insert(gid.0.clone(), field.name.clone());
        if let Kind::Enum(options) = &field.kind {
            names.extend(options.iter().map(|(name, gid)| (gid.clone(), name.clone())));
        }
    }
    names
}

/// A write, told.
pub(crate) fn write(
    write: &Write,
    settings: &Settings,
    world: &World,
    names: &HashMap<String, String>,
    carrier: Option<&Moving>,
) -> Entry {
    let purposes: HashMap<&FieldGid, Purpose> = settings.fields.iter().map(|(p, gid)| (gid, *p)).collect();
    let known = write.task.as_ref().and_then(|gid| world.tasks.get(gid));
    let mut values: Vec<(Option<Purpose>, Value)> = Vec::with_capacity(write.values.len());
    for (key, new) in &write.values {
        let purpose = purposes.get(&FieldGid(key.clone())).copied();
        if purpose == Some(Purpose::LastSynced) {
            continue;
        }
        let old = known.and_then(|task| task.values.get(key)).and_then(|old| shown(old, names));
        let label = match purpose {
            Some(purpose) => purpose.as_str().to_owned(),
            None => names.get(key).unwrap_or(key).clone(),
        };
        values.push((purpose, Value { purpose: label, old, new: shown(new, names) }));
    }
    // the purposes in their order, then what rules lead to
    values.sort_by_key(|(purpose, _)| (purpose.is_none(), *purpose));
    let values = values.into_iter().map(|(_, value)| value).collect();
    let (name, project) = if write.task.is_none() { place(&write.body) } else { (None, None) };
    Entry {
        action: if write.task.is_some() { Action::Update } else { Action::Create },
        feed: carrier.map(|m| m.claimed.feed.clone()).unwrap_or_default(),
        source_id: carrier.map(|m| m.claimed.source_id.clone()).unwrap_or_default(),
        order_id: write.order_id.clone(),
        order_number: write.order_number.clone(),
        line_id: write.line_id.clone(),
        task: write.task.clone(),
        name,
        project,
        values,
        notes: write.notes.clone(),
        code: None,
        reason: None,
    }
}

/// A record that is held, told.
pub(crate) fn held(fate: &Fate, moving: &Moving) -> Entry {
    let order_number = match &moving.record {
        Ok(crate::push::world::Record::Order(order)) => order.number.clone(),
        Ok(crate::push::world::Record::Invoice(invoice)) => invoice.order_numbers().join(", "),
        Ok(crate::push::world::Record::Task(_)) | Err(_) => String::new(),
    };
    let order_id = match moving.claimed.feed.as_str() {
        feed if feed == Feed::Invoices.as_str() => invoice_key(&moving.claimed.source_id),
        _ => moving.claimed.source_id.clone(),
    };
    Entry {
        action: Action::Held,
        feed: moving.claimed.feed.clone(),
        source_id: moving.claimed.source_id.clone(),
        order_id,
        order_number,
        line_id: String::new(),
        task: None,
        name: None,
        project: None,
        values: Vec::new(),
        notes: Vec::new(),
        code: fate.code.map(|code| code.to_string()),
        reason: fate.reason.clone(),
    }
}

/// A value as people read it in Asana; `None` when there is nothing to show.
fn shown(value: &FieldValue, names: &HashMap<String, String>) -> Option<String> {
    let option = |gid: &String| names.get(gid).cloned().unwrap_or_else(|| gid.clone());
    match value {
        FieldValue::Clear => None,
        FieldValue::Text(text) => Some(text.clone()),
        FieldValue::Number(number) => Some(number.to_string()),
        FieldValue::Enum(gid) => Some(option(gid)),
        FieldValue::MultiEnum(gids) => Some(gids.iter().map(option).collect::<Vec<_>>().join(", ")),
        FieldValue::Date(date) => Some(date.to_string()),
        FieldValue::DateTime(at) => Some(at.to_string()),
    }
}

/// Name and project of a task that would be made.
fn place(body: &str) -> (Option<String>, Option<String>) {
    let Ok(body) = serde_json::from_str::<serde_json::Value>(body) else { return (None, None) };
    let text = |pointer: &str| body.pointer(pointer).and_then(|v| v.as_str()).map(str::to_owned);
    let project = text("/data/projects/0").or_else(|| text("/data/memberships/0/project"));
    (text("/data/name"), project)
}
