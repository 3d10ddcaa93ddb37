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
