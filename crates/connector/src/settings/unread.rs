//! What keeps a text from being read as settings: every section that is wrong, and in `[mapping]` every word, so that one
//! mistyped word hides nothing else. Pure.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use crate::alerts::settings::AlertSettings;
use crate::ids::FieldGid;
use crate::journal::JournalSettings;
use crate::mapping::words;
use crate::purpose::Purpose;
use crate::reference::ReferenceSettings;
use crate::retention::LogSettings;
use crate::routing::Routing;
use crate::settings::{
    AsanaSettings, Draft, OracleSettings, ReconcileSettings, Schedule, TaskSettings, WebhookSettings, problem,
};

/// What is said of a section that only the whole of a connection's file has; nothing when it has no such one.
pub(crate) type Beside<'a> = &'a dyn Fn(&str, &Value) -> Option<Vec<String>>;

/// Everything that keeps `text` from being read, `error` being the first of it. Where only `[mapping]` is wrong, there are
/// the settings without that.
pub(crate) fn unread(text: &str, error: &toml::de::Error, required: &[&str], beside: Beside<'_>) -> Draft {
    let first = problem(text, error.message(), error.span());
    let Ok(mut table) = text.parse::<Table>() else {
        return Draft { settings: None, unread: vec![first] };
    };
    let wrong = words::take_out(&mut table);
    let mut problems = Vec::new();
    for (key, value) in table.iter().filter(|(key, _)| *key != "mapping") {
        let told = beside(key, value).unwrap_or_else(|| section(key, value).into_iter().collect());
        problems.extend(told.into_iter().map(|told| format!("`{key}`: {told}")));
    }
    for key in required.iter().filter(|key| !table.contains_key(**key)) {
        problems.push(format!("`{key}` is missing"));
    }
    let problems = with_line(first, problems, wrong.is_empty());
    if !problems.is_empty() {
        return Draft { settings: None, unread: wrong.into_iter().chain(problems).collect() };
    }
    table.retain(|key, value| beside(key, value).is_none());
    Draft { settings: Value::Table(table).try_into().ok(), unread: wrong }
}

/// Gives the problem that the reading stopped at its line; it is the only one where no section shows another, unless
/// words of the mapping were taken out.
fn with_line(first: String, mut problems: Vec<String>, is_all: bool) -> Vec<String> {
    if problems.is_empty() {
        return if is_all { vec![first] } else { problems };
    }
    let Some((_, why)) = first.split_once(": ").filter(|(line, _)| line.starts_with("line ")) else {
        return problems;
    };
    let same = |told: &String| {
        told.ends_with(why)
            || (why.starts_with("unknown field") && told.ends_with("there is no such section"))
    };
    if let Some(at) = problems.iter().position(same) {
        problems.remove(at);
        problems.insert(0, first);
    }
    problems
}

fn section(key: &str, value: &Value) -> Option<String> {
    match key {
        "oracle" => told::<OracleSettings>(value),
        "asana" => told::<AsanaSettings>(value),
        "fields" => told::<BTreeMap<Purpose, FieldGid>>(value),
        "routing" => told::<Routing>(value),
        "tasks" => told::<TaskSettings>(value),
        "schedule" => told::<Schedule>(value),
        "journal" => told::<JournalSettings>(value),
        "webhooks" => told::<WebhookSettings>(value),
        "reconcile" => told::<ReconcileSettings>(value),
        "reference" => told::<ReferenceSettings>(value),
        "alerts" => told::<AlertSettings>(value),
        "log" => told::<LogSettings>(value),
        _ => Some("there is no such section".to_owned()),
    }
}

/// Why a section cannot be read, without its values.
pub(crate) fn told<T: DeserializeOwned>(value: &Value) -> Option<String> {
    value.clone().try_into::<T>().err().map(|error| problem("", error.message(), None))
}
