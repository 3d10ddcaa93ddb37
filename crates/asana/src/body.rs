//! Request bodies for writing tasks.
//!
//! They are written as text, not through a JSON tree, so that a number keeps its digits and the same input
//! always gives the same bytes: a stored body can be compared and sent again.

use std::collections::BTreeMap;

use jiff::civil::Date;

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
    /// The day on which it is due.
    pub due_on: Option<Date>,
    /// Who it is assigned to: the gid of a user, an e-mail address, or `me`.
    pub assignee: Option<String>,
    /// Gids of its tags, which must stand in the project's workspace; left out of the body when empty.
    pub tags: Vec<String>,
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
        members.extend(self.due_on.map(due_on));
        members.extend(self.assignee.as_deref().map(assignee));
        if !self.tags.is_empty() {
            let tags: Vec<String> = self.tags.iter().map(|tag| quoted(tag)).collect();
            members.push(member("tags", &format!("[{}]", tags.join(","))));
        }
        if !self.custom_fields.is_empty() {
            members.push(custom_fields(&self.custom_fields));
        }
        data(&members)
    }
}

/// Changes to one task (`PUT /tasks/{gid}`). What is `None` or absent stays as it is. Section and tags cannot be
/// changed so: see [`section_body`] and [`tag_body`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskUpdate {
    /// A new title.
    pub name: Option<String>,
    /// A new plain-text description; the empty text empties it.
    pub notes: Option<String>,
    /// Another day on which it is due, or none. A time of day that stood with the day goes.
    pub due_on: Option<Option<Date>>,
    /// Somebody else whom it is assigned to, as in [`NewTask::assignee`], or nobody.
    pub assignee: Option<Option<String>>,
    /// New values by gid of the custom field.
    pub custom_fields: BTreeMap<String, FieldValue>,
}

impl TaskUpdate {
    /// Whether nothing would be changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.name.is_none()
            && self.notes.is_none()
            && self.due_on.is_none()
            && self.assignee.is_none()
            && self.custom_fields.is_empty()
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
        members.extend(self.due_on.map(|due| due.map_or_else(|| null("due_on"), due_on)));
        members.extend(
            self.assignee.as_ref().map(|who| who.as_deref().map_or_else(|| null("assignee"), assignee)),
        );
        if !self.custom_fields.is_empty() {
            members.push(custom_fields(&self.custom_fields));
        }
        data(&members)
    }
}

/// The body that puts this task to the top of a section ([`Asana::add_to_section`](crate::Asana::add_to_section)).
#[must_use]
pub fn section_body(task: &str) -> String {
    data(&[member("task", &quoted(task))])
}

/// The body that gives a task this tag, or takes it away ([`Asana::add_tag`](crate::Asana::add_tag),
/// [`Asana::remove_tag`](crate::Asana::remove_tag)).
#[must_use]
pub fn tag_body(tag: &str) -> String {
    data(&[member("tag", &quoted(tag))])
}

/// Asana refuses any top-level member but `data` and `options`.
fn data(members: &[String]) -> String {
    object(&[member("data", &object(members))])
}

fn due_on(day: Date) -> String {
    member("due_on", &format!("\"{day}\""))
}

fn assignee(who: &str) -> String {
    member("assignee", &quoted(who))
}

fn null(name: &str) -> String {
    member(name, "null")
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
            ..NewTask::default()
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
    fn a_new_task_carries_due_date_assignee_and_tags_only_where_there_are_some() {
        let task = NewTask {
            name: "PO 1001".into(),
            project: "77".into(),
            due_on: Some("2026-07-31".parse().unwrap()),
            assignee: Some("ann.\"x\"@example.com".into()),
            tags: vec!["901".into(), "902".into()],
            custom_fields: BTreeMap::from([("103".into(), FieldValue::Enum("9001".into()))]),
            ..NewTask::default()
        };
        assert_eq!(
            task.to_body(),
            r#"{"data":{"name":"PO 1001","projects":["77"],"due_on":"2026-07-31","assignee":"ann.\"x\"@example.com","tags":["901","902"],"custom_fields":{"103":"9001"}}}"#
        );
        let due = NewTask { assignee: None, tags: Vec::new(), custom_fields: BTreeMap::new(), ..task };
        assert_eq!(due.to_body(), r#"{"data":{"name":"PO 1001","projects":["77"],"due_on":"2026-07-31"}}"#);
    }

    #[test]
    fn an_update_sets_and_clears_due_date_and_assignee() {
        let update = |due_on, assignee| TaskUpdate { due_on, assignee, ..TaskUpdate::default() };
        let day = Some("2026-07-31".parse().unwrap());
        for (update, body) in [
            (update(Some(day), None), r#"{"data":{"due_on":"2026-07-31"}}"#),
            (update(Some(None), None), r#"{"data":{"due_on":null}}"#),
            (update(None, Some(Some("3".into()))), r#"{"data":{"assignee":"3"}}"#),
            (update(None, Some(None)), r#"{"data":{"assignee":null}}"#),
            (
                TaskUpdate {
                    name: Some("n".into()),
                    notes: Some("t".into()),
                    custom_fields: BTreeMap::from([("107".into(), FieldValue::Clear)]),
                    ..update(Some(day), Some(None))
                },
                r#"{"data":{"name":"n","notes":"t","due_on":"2026-07-31","assignee":null,"custom_fields":{"107":null}}}"#,
            ),
        ] {
            assert!(!update.is_empty(), "{body}");
            assert_eq!(update.to_body(), body);
        }
    }

    #[test]
    fn section_and_tag_are_named_alone() {
        assert_eq!(section_body("5"), r#"{"data":{"task":"5"}}"#);
        assert_eq!(tag_body("901"), r#"{"data":{"tag":"901"}}"#);
        assert_eq!(parsed(&tag_body("a\"b")), json!({"data": {"tag": "a\"b"}}));
    }

    #[test]
    fn the_same_input_gives_the_same_bytes() {
        let update = TaskUpdate { custom_fields: values(), ..TaskUpdate::default() };
        assert_eq!(update.to_body(), update.clone().to_body());
    }
}
