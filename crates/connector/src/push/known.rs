//! From an Asana task to what is remembered of it.

use std::collections::BTreeMap;

use asana::Task;

use crate::purpose::Purpose;
use crate::push::parts::known;
use crate::settings::Settings;
use crate::store::tasks::KnownTask;
use crate::template::find_order_key;

/// What is remembered of a task: its mapped values and attributes, its order number and its order's key.
#[must_use]
pub fn known_task(task: &Task, settings: &Settings) -> KnownTask {
    let mut values = BTreeMap::new();
    let beside = settings.reference.iter().flat_map(crate::reference::ReferenceSettings::fields);
    for gid in settings.fields.values().chain(beside) {
        if let Some(value) = task.field(gid.0.as_str()).and_then(asana::TaskField::value) {
            values.insert(gid.0.clone(), value);
        }
    }
    values.extend(known(task, settings.mapping.targets()));
    let number_field = settings.fields.get(&Purpose::PoNumber);
    let order_number = number_field
        .and_then(|gid| task.field(gid.0.as_str()))
        .and_then(|field| field.text_value.as_deref())
        .map(str::trim)
        .filter(|number| !number.is_empty())
        .map(str::to_owned);
    KnownTask {
        gid: task.gid.clone(),
        projects: task.projects.clone(),
        order_number,
        order_key: task.notes.as_deref().and_then(find_order_key).map(str::to_owned),
        values,
        modified_at: Some(task.modified_at),
    }
}
