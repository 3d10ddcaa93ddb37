//! From the values that a task should show to the requests that bring them there. Pure.

use std::collections::BTreeMap;

use asana::{FieldValue, NewTask, TaskUpdate};

use crate::mapping::document::Target;

/// A change that Asana takes only as a request of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Into this section.
    Section(String),
    /// This tag on.
    TagOn(String),
    /// This tag off.
    TagOff(String),
}

/// Values by what they are written with.
#[derive(Debug, Default, PartialEq)]
pub struct Parts {
    /// What one `PUT /tasks` writes.
    pub update: TaskUpdate,
    /// What comes after it, in this order.
    pub steps: Vec<Step>,
}

impl Step {
    /// The request for a task: what stands behind `POST`, and the body.
    #[must_use]
    pub fn request(&self, task: &str) -> (String, String) {
        match self {
            Step::Section(section) => (format!("/sections/{section}/addTask"), asana::section_body(task)),
            Step::TagOn(tag) => (format!("/tasks/{task}/addTag"), asana::tag_body(tag)),
            Step::TagOff(tag) => (format!("/tasks/{task}/removeTag"), asana::tag_body(tag)),
        }
    }
}

impl Parts {
    /// Takes values apart by their keys, see [`Target::key`].
    #[must_use]
    pub fn of(values: &BTreeMap<String, FieldValue>) -> Parts {
        let mut parts = Parts::default();
        for (key, value) in values {
            let text = || match value {
                FieldValue::Text(text) => Some(text.clone()),
                _ => None,
            };
            match Target::parse(key) {
                None | Some(Target::Field(_)) => {
                    parts.update.custom_fields.insert(key.clone(), value.clone());
                }
                Some(Target::Name) => parts.update.name = text(),
                Some(Target::Notes) => parts.update.notes = text(),
                Some(Target::DueOn) => {
                    parts.update.due_on = Some(match value {
                        FieldValue::Date(date) => Some(*date),
                        _ => None,
                    });
                }
                Some(Target::Assignee) => parts.update.assignee = Some(text()),
                Some(Target::Section) => parts.steps.extend(text().map(Step::Section)),
                Some(Target::Tag(gid)) => parts.steps.push(match value {
                    FieldValue::Clear => Step::TagOff(gid),
                    _ => Step::TagOn(gid),
                }),
            }
        }
        parts
    }

    /// The body of the `PUT`; empty when only steps are needed.
    #[must_use]
    pub fn body(&self) -> String {
        if self.update.is_empty() { String::new() } else { self.update.to_body() }
    }

    /// Every request for a task, as it stands in the log.
    #[must_use]
    pub fn request(&self, task: &str) -> String {
        let update = Some(self.body()).filter(|body| !body.is_empty());
        let update = update.map(|body| format!("PUT /tasks/{task}\n{body}"));
        let steps = self.steps.iter().map(|step| {
            let (path, body) = step.request(task);
            format!("POST {path}\n{body}")
        });
        update.into_iter().chain(steps).collect::<Vec<_>>().join("\n\n")
    }

    /// Lays the values over a task that is about to be made: one request carries all of them. A section counts only
    /// when it is one of the task's project, which whoever calls knows.
    #[must_use]
    pub fn into_new(self, mut task: NewTask) -> NewTask {
        task.name = self.update.name.unwrap_or(task.name);
        task.notes = self.update.notes.unwrap_or(task.notes);
        task.due_on = self.update.due_on.flatten();
        task.assignee = self.update.assignee.flatten();
        task.custom_fields = self.update.custom_fields;
        for step in self.steps {
            match step {
                Step::Section(section) => task.section = Some(section),
                Step::TagOn(tag) => task.tags.push(tag),
                Step::TagOff(_) => {}
            }
        }
        task
    }
}

/// How many requests bring a task that exists there: one for the body if there is one, one for each step, and after
/// steps one that reads the task.
#[must_use]
pub fn requests(body: &str, steps: &[Step]) -> u64 {
    let reading = u64::from(!steps.is_empty());
    u64::from(!body.is_empty()) + u64::try_from(steps.len()).unwrap_or(u64::MAX - 2) + reading
}

/// The values of attributes under which a task's present state is known.
#[must_use]
pub fn known(task: &asana::Task, targets: impl IntoIterator<Item = Target>) -> BTreeMap<String, FieldValue> {
    let mut values = BTreeMap::new();
    for target in targets {
        let value = match &target {
            Target::Field(gid) => task.field(&gid.0).and_then(asana::TaskField::value),
            Target::Name => Some(FieldValue::Text(task.name.clone())),
            Target::Notes => task.notes.clone().map(FieldValue::Text),
            Target::DueOn => task.due_on.map(FieldValue::Date),
            Target::Section => Some(FieldValue::Text(task.sections.join(" "))),
            Target::Assignee => task.assignee.as_ref().map(|person| {
                let email = person.email.as_deref().unwrap_or_default();
                FieldValue::Text(format!("{} {email}", person.gid).trim_end().to_owned())
            }),
            Target::Tag(gid) => task.tags.contains(gid).then(|| FieldValue::Text(ON.to_owned())),
        };
        values.extend(value.map(|value| (target.key(), value)));
    }
    values
}

/// What stands for a tag that is on the task.
const ON: &str = crate::mapping::engine::ON;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::diff::{ASSIGNEE, SECTION};

    fn text(text: &str) -> FieldValue {
        FieldValue::Text(text.to_owned())
    }

    fn values() -> BTreeMap<String, FieldValue> {
        [
            ("101", text("ACME")),
            ("name", text("Paper")),
            ("due_on", FieldValue::Clear),
            (ASSIGNEE, text("ann@acme.test")),
            (SECTION, text("7")),
            ("tag:8", text(ON)),
            ("tag:9", FieldValue::Clear),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into()
    }

    #[test]
    fn one_request_writes_fields_and_attributes_and_sections_and_tags_have_their_own() {
        let parts = Parts::of(&values());
        assert_eq!(
            parts.request("5").lines().collect::<Vec<_>>(),
            [
                "PUT /tasks/5",
                r#"{"data":{"name":"Paper","due_on":null,"assignee":"ann@acme.test","custom_fields":{"101":"ACME"}}}"#,
                "",
                "POST /sections/7/addTask",
                r#"{"data":{"task":"5"}}"#,
                "",
                "POST /tasks/5/addTag",
                r#"{"data":{"tag":"8"}}"#,
                "",
                "POST /tasks/5/removeTag",
                r#"{"data":{"tag":"9"}}"#,
            ]
        );
        assert_eq!(requests(&parts.body(), &parts.steps), 5, "and one that reads what the steps did");
        let only = Parts::of(&[("tag:8".to_owned(), text(ON))].into());
        assert!(only.body().is_empty() && only.request("5").starts_with("POST "));
        assert_eq!(requests(&only.body(), &only.steps), 2);
        assert_eq!(requests(&parts.body(), &[]), 1);
    }

    #[test]
    fn a_new_task_carries_everything_at_once() {
        let template =
            NewTask { name: "n".into(), notes: "k".into(), project: "1".into(), ..NewTask::default() };
        let task = Parts::of(&values()).into_new(template);
        assert_eq!((task.name.as_str(), task.notes.as_str()), ("Paper", "k"));
        assert_eq!((task.section.as_deref(), task.tags.as_slice()), (Some("7"), ["8".to_owned()].as_slice()));
        assert_eq!((task.due_on, task.assignee.as_deref()), (None, Some("ann@acme.test")));
    }
}
