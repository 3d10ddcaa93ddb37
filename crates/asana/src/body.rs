//! Request bodies for writing tasks.
//!
//! They are written as text, not through a JSON tree, so that a number keeps its digits and the same input
//! always gives the same bytes: a stored body can be compared and sent again.

use std::collections::BTreeMap;

use crate::value::{FieldValue, quoted};

/// A task to be created in one project (`POST /tasks`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewTask {
    /// Title of the task.
    pub name: String,
    /// Plain-text description; left out of the body when empty.
    pub notes: String,
    /// Gid of the project that the task is put into.
    pub project: String,
    /// Gid of the section of that project; the project's first section when `None`.
    pub section: Option<String>,
    /// Values by gid of the custom field. The fields must stand on the project.
    pub custom_fields: BTreeMap<String, FieldValue>,
}

impl NewTask {
    /// The body of the request. The same task always gives the same text.
    #[must_use]
    pub fn to_body(&self) -> String {
        let mut members = vec![member("name", &quoted(&self.name))];
        if !self.notes.is_empty() {
            members.push(member("notes", &quoted(&self.notes)));
        }
        let project = quoted(&self.project);
        members.push(match &self.section {
            Some(section) => {
                let membership = object(&[member("project", &project), member("section", &quoted(section))]);
                member("memberships", &format!("[{membership}]"))
            }
            None => member("projects", &format!("[{project}]")),
        });
        if !self.custom_fields.is_empty() {
            members.push(custom_fields(&self.custom_fields));
        }
        data(&members)
    }
}

/// Changes to one task (`PUT /tasks/{gid}`). What is `None` or absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskUpdate {
    /// A new title.
    pub name: Option<String>,
    /// A new plain-text description; the empty text empties it.
    pub notes: Option<String>,
    /// New values by gid of the custom field.
    pub custom_fields: BTreeMap<String, FieldValue>,
}

impl TaskUpdate {
    /// Whether nothing would be changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.name.is_none() && self.notes.is_none() && self.custom_fields.is_empty()
    }

    /// The body of the request. The same changes always give the same text.
    #[must_use]
    pub fn to_body(&self) -> String {
        let mut members = Vec::new();
        if let Some(name) = &self.name {
            members.push(member("name", &quoted(name)));
        }
        if let Some(notes) = &self.notes {
            members.push(member("notes", &quoted(notes)));
        }
        if !self.custom_fields.is_empty() {
            members.push(custom_fields(&self.custom_fields));
        }
        data(&members)
    }
}

/// Asana refuses any top-level member but `data` and `options`.
fn data(members: &[String]) -> String {
    object(&[member("data", &object(members))])
}

fn custom_fields(values: &BTreeMap<String, FieldValue>) -> String {
    let members: Vec<String> = values.iter().map(|(gid, value)| member(gid, &value.to_json())).collect();
    member("custom_fields", &object(&members))
}

fn object(members: &[String]) -> String {
    format!("{{{}}}", members.join(","))
}

fn member(name: &str, json: &str) -> String {
    format!("{}:{json}", quoted(name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parsed(body: &str) -> serde_json::Value {
        serde_json::from_str(body).unwrap()
    }

    fn values() -> BTreeMap<String, FieldValue> {
        BTreeMap::from([
            ("101".into(), FieldValue::Text("INV \"7\"\n\u{1F4C4}".into())),
            ("102".into(), FieldValue::Number("1234.50".parse().unwrap())),
            ("103".into(), FieldValue::Enum("9001".into())),
            ("104".into(), FieldValue::MultiEnum(vec!["9002".into(), "9003".into()])),
            ("105".into(), FieldValue::Date("2026-06-30".parse().unwrap())),
            ("106".into(), FieldValue::DateTime("2026-06-30T14:00:00.1239+02:00".parse().unwrap())),
            ("107".into(), FieldValue::Clear),
        ])
    }

    #[test]
    fn every_kind_of_value_has_the_form_that_asana_takes() {
        let body = TaskUpdate { custom_fields: values(), ..TaskUpdate::default() }.to_body();
        assert!(body.contains("\"102\":1234.50,"), "{body}");
        assert_eq!(
            parsed(&body),
            json!({"data": {"custom_fields": {
                "101": "INV \"7\"\n\u{1F4C4}",
                "102": 1234.5,
                "103": "9001",
                "104": ["9002", "9003"],
                "105": {"date": "2026-06-30"},
                "106": {"date_time": "2026-06-30T12:00:00.123Z"},
                "107": null,
            }}})
        );
    }

    #[test]
    fn a_new_task_names_its_project_once() {
        let task = NewTask {
            name: "PO 1001".into(),
            notes: String::new(),
            project: "77".into(),
            section: None,
            custom_fields: BTreeMap::new(),
        };
        assert_eq!(task.to_body(), r#"{"data":{"name":"PO 1001","projects":["77"]}}"#);
        let placed = NewTask { section: Some("88".into()), notes: "two lines".into(), ..task };
        assert_eq!(
            placed.to_body(),
            r#"{"data":{"name":"PO 1001","notes":"two lines","memberships":[{"project":"77","section":"88"}]}}"#
        );
    }

    #[test]
    fn an_update_says_only_what_changes() {
        assert!(TaskUpdate::default().is_empty());
        assert_eq!(TaskUpdate::default().to_body(), r#"{"data":{}}"#);
        let renamed = TaskUpdate { name: Some("New".into()), ..TaskUpdate::default() };
        assert!(!renamed.is_empty());
        assert_eq!(renamed.to_body(), r#"{"data":{"name":"New"}}"#);
        let emptied = TaskUpdate { notes: Some(String::new()), ..TaskUpdate::default() };
        assert_eq!(emptied.to_body(), r#"{"data":{"notes":""}}"#);
    }

    #[test]
    fn the_same_input_gives_the_same_bytes() {
        let update = TaskUpdate { custom_fields: values(), ..TaskUpdate::default() };
        assert_eq!(update.to_body(), update.clone().to_body());
    }
}
