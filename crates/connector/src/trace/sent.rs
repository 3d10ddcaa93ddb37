//! What requests to Asana show on a task, in a line for people. Pure; the requests themselves stand in the log.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::settings::Settings;

/// Longest value that is told whole, in characters.
const CHARACTERS: usize = 40;

#[derive(Deserialize)]
struct Body<'b> {
    #[serde(borrow)]
    data: Data<'b>,
}

#[derive(Deserialize)]
struct Data<'b> {
    #[serde(borrow, default)]
    custom_fields: BTreeMap<String, &'b RawValue>,
    #[serde(borrow, default)]
    name: Option<&'b RawValue>,
    #[serde(borrow, default, deserialize_with = "even_null")]
    due_on: Option<&'b RawValue>,
    #[serde(borrow, default, deserialize_with = "even_null")]
    assignee: Option<&'b RawValue>,
}

/// A value that was sent, `null` too: that empties.
fn even_null<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// The values of these requests, each a line with method and path and a line with the body, under the names that the
/// settings have for their fields, behind a colon. Empty where there are none, or the body was erased.
pub(crate) fn told(requests: &str, settings: &Settings) -> String {
    let mut told = Vec::new();
    let mut lines = requests.lines();
    while let Some(line) = lines.next() {
        let Some((_, path)) = line.split_once(" /") else { continue };
        let Some(body) = lines.next() else { break };
        if let Some((what, gid)) = step(path, body) {
            told.push(format!("{what} {gid}"));
            continue;
        }
        let Ok(Body { data }) = serde_json::from_str::<Body<'_>>(body) else { continue };
        for (name, value) in [("name", data.name), ("due_on", data.due_on), ("assignee", data.assignee)] {
            told.extend(value.map(|value| format!("{name} {}", shown(value))));
        }
        let mapped = settings.fields.iter().map(|(purpose, gid)| (purpose.as_str(), &gid.0));
        let names: Vec<(&str, &String)> =
            mapped.filter(|(_, gid)| data.custom_fields.contains_key(*gid)).collect();
        told.extend(
            names
                .iter()
                .filter_map(|(name, gid)| Some(format!("{name} {}", shown(data.custom_fields.get(*gid)?)))),
        );
        let others =
            data.custom_fields.iter().filter(|(gid, _)| !names.iter().any(|(_, mapped)| mapped == gid));
        told.extend(others.map(|(gid, value)| format!("field {gid} {}", shown(value))));
    }
    if told.is_empty() { String::new() } else { format!(": {}", told.join(", ")) }
}

/// A change that has a request of its own: what it is, and of which gid.
fn step<'b>(path: &'b str, body: &'b str) -> Option<(&'static str, String)> {
    if let Some(section) = path.strip_prefix("sections/").and_then(|rest| rest.strip_suffix("/addTask")) {
        return Some(("section", section.to_owned()));
    }
    let what = match path.rsplit('/').next() {
        Some("addTag") => "with tag",
        Some("removeTag") => "without tag",
        _ => return None,
    };
    let body: serde_json::Value = serde_json::from_str(body).ok()?;
    Some((what, body.get("data")?.get("tag")?.as_str()?.to_owned()))
}

fn shown(raw: &RawValue) -> String {
    let text = match serde_json::from_str::<serde_json::Value>(raw.get()) {
        Ok(serde_json::Value::Null) => return "emptied".to_owned(),
        Ok(serde_json::Value::String(text)) => text,
        Ok(serde_json::Value::Object(date)) => match date.get("date").and_then(serde_json::Value::as_str) {
            Some(day) => day.to_owned(),
            None => raw.get().to_owned(),
        },
        // a number as it was sent, to its last digit
        _ => raw.get().to_owned(),
    };
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(CHARACTERS) {
        Some((end, _)) => format!("`{}…`", line.get(..end).unwrap_or_default()),
        None => format!("`{line}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_told_under_their_names_and_exactly() {
        let settings = Settings::from_toml(crate::mapping::mistakes::BASE).unwrap();
        let requests = "POST /tasks\n{\"data\":{\"name\":\"US-1\\n paper\",\"projects\":[\"77\"],\"custom_fields\":\
             {\"102\":\"ACME\",\"104\":100000000000000.10,\"103\":null,\"999\":{\"date\":\"2026-01-31\"}}}}\n\
             POST /sections/7/addTask\n{\"data\":{\"task\":\"5\"}}\n\
             POST /tasks/5/addTag\n{\"data\":{\"tag\":\"8\"}}\nPOST /tasks/5/removeTag\n{\"data\":{\"tag\":\"9\"}}\n\
             PUT /tasks/5\n{\"data\":{\"name\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaé!\",\"due_on\":null}}";
        assert_eq!(
            told(requests, &settings),
            ": name `US-1 paper`, supplier `ACME`, invoice_status emptied, line_item_amount `100000000000000.10`, \
             field 999 `2026-01-31`, section 7, with tag 8, without tag 9, \
             name `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…`, due_on emptied"
        );
        for nothing in ["", "PUT /tasks/5", "PUT /tasks/5\n{\"erased\":\"2026\"}", "PUT /tasks/5\n{"] {
            assert_eq!(told(nothing, &settings), "", "{nothing}");
        }
    }
}
