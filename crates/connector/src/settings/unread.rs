//! What keeps a text from being read as settings: every section that is wrong, and in `[mapping]` every value and rule, so
//! that one mistyped word hides nothing else. Pure.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use crate::alerts::settings::AlertSettings;
use crate::ids::FieldGid;
use crate::journal::JournalSettings;
use crate::mapping::document::{MappingSettings, RuleSettings, ValueSettings};
use crate::mapping::engine::place_of;
use crate::purpose::Purpose;
use crate::reference::ReferenceSettings;
use crate::retention::LogSettings;
use crate::routing::Routing;
use crate::settings::{
    AsanaSettings, OracleSettings, ReconcileSettings, Schedule, Settings, TaskSettings, WebhookSettings,
    problem,
};

/// What is said of a section that only the whole of a connection's file has; nothing when it has no such one.
pub(crate) type Beside<'a> = &'a dyn Fn(&str, &Value) -> Option<Vec<String>>;

/// Everything that keeps `text` from being read, `error` being the first of it. Where only `[mapping]` is wrong, what
/// could be read of the settings is checked too.
pub(crate) fn unread(
    text: &str,
    error: &toml::de::Error,
    required: &[&str],
    beside: Beside<'_>,
) -> Vec<String> {
    let first = problem(text, error.message(), error.span());
    let Ok(mut table) = text.parse::<Table>() else { return vec![first] };
    let (mut problems, mut wrong) = (Vec::new(), Vec::new());
    for (key, value) in &table {
        match beside(key, value) {
            Some(told) => problems.extend(told.into_iter().map(|told| format!("`{key}`: {told}"))),
            None if key == "mapping" => {}
            None => problems.extend(section(key, value).map(|told| format!("`{key}`: {told}"))),
        }
    }
    for key in required.iter().filter(|key| !table.contains_key(**key)) {
        problems.push(format!("`{key}` is missing"));
    }
    if let Some(mapping) = table.remove("mapping") {
        let read = Readable::of(mapping);
        wrong = read.wrong;
        if problems.is_empty() {
            table.retain(|key, value| beside(key, value).is_none());
            problems.extend(of_the_rest(table, read.mapping, &wrong));
        }
    }
    let wrong = wrong.into_iter().map(|wrong| format!("{}: {}", wrong.place, wrong.why));
    with_line(first, wrong.chain(problems).collect())
}

/// What is wrong with settings whose mapping could be read in part, without what follows from that alone.
fn of_the_rest(table: Table, mapping: MappingSettings, wrong: &[Wrong]) -> Vec<String> {
    let Ok(settings) = Value::Table(table).try_into::<Settings>() else { return Vec::new() };
    let checked = Settings { mapping, ..settings }.problems();
    let follows = |told: &String| {
        let of_place = |wrong: &Wrong| told.strip_prefix(&wrong.place).is_some_and(|rest| rest.starts_with(':'));
        told.ends_with("nothing uses it; name it in a rule, or take it out") || wrong.iter().any(of_place)
    };
    checked.into_iter().filter(|told| !follows(told)).collect()
}

/// Gives the problem that the reading stopped at its line.
fn with_line(first: String, mut problems: Vec<String>) -> Vec<String> {
    if problems.is_empty() {
        return vec![first];
    }
    let Some((line, why)) = first.split_once(": ").filter(|(line, _)| line.starts_with("line ")) else {
        return problems;
    };
    let same = |told: &String| {
        told.ends_with(why) || (why.starts_with("unknown field") && told.ends_with("there is no such section"))
    };
    if let Some(at) = problems.iter().position(same) {
        let told = problems.remove(at);
        let is_placed = told.starts_with("mapping.");
        problems.insert(0, if is_placed { format!("{}, {told}", number_of(line)) } else { first });
    }
    problems
}

/// `line 7` of `line 7, `key``.
fn number_of(line: &str) -> &str {
    line.split_once(',').map_or(line, |(number, _)| number)
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

/// A place of the mapping that cannot be read.
#[derive(Debug)]
struct Wrong {
    place: String,
    why: String,
}

/// What of a mapping can be read, and what cannot.
#[derive(Debug, Default)]
struct Readable {
    mapping: MappingSettings,
    wrong: Vec<Wrong>,
}

impl Readable {
    fn of(mapping: Value) -> Readable {
        let mut read = Readable::default();
        let Some(table) = read.table("mapping", mapping) else { return read };
        for (key, value) in table {
            match (key.as_str(), value) {
                ("values", values) => {
                    for (name, value) in read.table("mapping.values", values).unwrap_or_default() {
                        let value = read.part::<ValueSettings>(&format!("mapping.values.{name}"), value);
                        read.mapping.values.insert(name, value);
                    }
                }
                ("rules", Value::Array(rules)) => {
                    for (at, rule) in rules.into_iter().enumerate() {
                        let to = rule.get("to").and_then(Value::as_str).unwrap_or_default().to_owned();
                        let place = place_of(at, &RuleSettings { to, ..RuleSettings::default() });
                        let rule = read.part::<RuleSettings>(&place, rule);
                        read.mapping.rules.push(rule);
                    }
                }
                ("rules", _) => read.wrong("mapping.rules", "each rule is a table of its own: [[mapping.rules]]"),
                (other, _) => {
                    let why = format!("unknown field `{other}`, expected `values` or `rules`");
                    read.wrong("mapping", &why);
                }
            }
        }
        read
    }

    fn wrong(&mut self, place: &str, why: &str) {
        self.wrong.push(Wrong { place: place.to_owned(), why: why.to_owned() });
    }

    fn table(&mut self, place: &str, value: Value) -> Option<Table> {
        match value {
            Value::Table(table) => Some(table),
            _ => {
                self.wrong(place, "it must be a table");
                None
            }
        }
    }

    /// One value or rule, of the keys that can be read.
    fn part<T: DeserializeOwned + Default>(&mut self, place: &str, value: Value) -> T {
        let mut table = self.table(place, value).unwrap_or_default();
        table.retain(|key, value| {
            let alone = Table::from_iter([((*key).to_owned(), value.clone())]);
            let why = told::<T>(&Value::Table(alone));
            if let Some(why) = &why {
                // an unknown key is in the words already
                let named = why.contains(&format!("`{key}`"));
                self.wrong(place, &if named { why.clone() } else { format!("`{key}`: {why}") });
            }
            why.is_none()
        });
        Value::Table(table).try_into().unwrap_or_default()
    }
}
