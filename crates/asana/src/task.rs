//! Tasks and the custom field values on them.

use jiff::{Timestamp, civil};
use serde::{Deserialize, Deserializer};

use crate::custom_field::EnumOption;
use crate::number::{self, Number};
use crate::record::{Reference, null_as_default};
use crate::value::FieldValue;

/// A task as Asana last told it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "WireTask")]
pub struct Task {
    /// Gid of the task.
    pub gid: String,
    /// Title.
    pub name: String,
    /// Plain-text description.
    pub notes: Option<String>,
    /// Whether it is done. For approvals this is also true after a rejection: see `approval_status`.
    pub completed: bool,
    /// When it was completed; `None` while it is open.
    pub completed_at: Option<Timestamp>,
    /// Who completed it, where Asana tells.
    pub completed_by: Option<Reference>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed. Custom field values and completion count; moving it to another project does
    /// not.
    pub modified_at: Timestamp,
    /// Address of the task in the web application.
    pub permalink_url: Option<String>,
    /// `default_task`, `milestone`, `approval`, `custom`, or one that came later.
    pub resource_subtype: String,
    /// For approvals: `pending`, `approved`, `rejected` or `changes_requested`.
    pub approval_status: Option<String>,
    /// The day on which it is due, also where a time of day stands with it.
    pub due_on: Option<civil::Date>,
    /// Who it is assigned to.
    pub assignee: Option<Assignee>,
    /// Gids of its tags. Whether a change of them counts for `modified_at` is not documented.
    pub tags: Vec<String>,
    /// Gid of the task that this is a subtask of.
    pub parent: Option<String>,
    /// Gids of the projects it is in. A subtask is in none unless it was added to one.
    pub projects: Vec<String>,
    /// Gids of the sections it is in, at most one per project.
    pub sections: Vec<String>,
    /// Values of the custom fields of its projects that the token may see, empty ones included.
    pub custom_fields: Vec<TaskField>,
}

impl Task {
    /// The custom field with this gid.
    #[must_use]
    pub fn field(&self, gid: &str) -> Option<&TaskField> {
        self.custom_fields.iter().find(|field| field.gid == gid)
    }
}

/// The user whom a task is assigned to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignee {
    /// Gid of the user.
    pub gid: String,
    /// E-mail address, where the token may see it.
    pub email: Option<String>,
}

/// A custom field on a task, with its value.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct TaskField {
    /// Gid of the custom field.
    pub gid: String,
    /// Name as shown in Asana.
    #[serde(default, deserialize_with = "null_as_default")]
    pub name: String,
    /// Kind of the value: `text`, `number`, `enum`, `multi_enum`, `date`, `people`, `reference`, or one that
    /// came later.
    #[serde(default, deserialize_with = "null_as_default")]
    pub resource_subtype: String,
    /// As `resource_subtype`, or `formula` or `custom_id` for values that Asana makes itself.
    #[serde(default)]
    pub representation_type: Option<String>,
    /// False when the field was taken off the project: the value can then only be cleared.
    #[serde(default = "enabled")]
    pub enabled: bool,
    /// Whether the value cannot be written.
    #[serde(default, deserialize_with = "null_as_default")]
    pub is_value_read_only: bool,
    /// Value of a text field.
    #[serde(default)]
    pub text_value: Option<String>,
    /// Value of a number field, exactly as written in the answer.
    #[serde(default)]
    pub number_value: Option<Number>,
    /// Chosen option of an enum field.
    #[serde(default, deserialize_with = "option_or_empty")]
    pub enum_value: Option<EnumOption>,
    /// Chosen options of a multi-enum field.
    #[serde(default, deserialize_with = "null_as_default")]
    pub multi_enum_values: Vec<EnumOption>,
    /// Value of a date field.
    #[serde(default)]
    pub date_value: Option<DateValue>,
    /// The value as Asana shows it.
    #[serde(default)]
    pub display_value: Option<String>,
}

impl TaskField {
    /// The present value; `None` when there is none, when the kind is one that [`FieldValue`] does not have
    /// (people, references, kinds that came later), or when a number has more digits than a decimal holds.
    #[must_use]
    pub fn value(&self) -> Option<FieldValue> {
        match self.resource_subtype.as_str() {
            "text" => self.text_value.clone().filter(|text| !text.is_empty()).map(FieldValue::Text),
            "number" => self.number_value.as_ref().and_then(Number::decimal).map(FieldValue::Number),
            "enum" => self.enum_value.as_ref().map(|option| FieldValue::Enum(option.gid.clone())),
            "multi_enum" if self.multi_enum_values.is_empty() => None,
            "multi_enum" => {
                let gids = self.multi_enum_values.iter().map(|option| option.gid.clone());
                Some(FieldValue::MultiEnum(gids.collect()))
            }
            "date" => self.date_value.as_ref().and_then(DateValue::value),
            _ => None,
        }
    }

    /// Whether the value is this one, in the form in which a search takes it: the text, the number, or the
    /// gid of the enum option.
    #[must_use]
    pub fn has(&self, searched: &str) -> bool {
        match self.value() {
            Some(FieldValue::Text(text)) => text == searched,
            Some(FieldValue::Number(value)) => number::exact(searched) == Some(value),
            Some(FieldValue::Enum(gid)) => gid == searched,
            _ => false,
        }
    }
}

/// Value of a date field: a date, or an instant with its date.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct DateValue {
    /// The date.
    #[serde(default)]
    pub date: Option<civil::Date>,
    /// The instant, when a time of day was given.
    #[serde(default)]
    pub date_time: Option<Timestamp>,
}

impl DateValue {
    fn value(&self) -> Option<FieldValue> {
        self.date_time.map(FieldValue::DateTime).or_else(|| self.date.map(FieldValue::Date))
    }
}

fn enabled() -> bool {
    true
}

/// An unset option is null; the specification would also allow an object without members.
fn option_or_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<EnumOption>, D::Error> {
    #[derive(Deserialize)]
    struct Wire {
        gid: Option<String>,
        name: Option<String>,
        enabled: Option<bool>,
    }
    let wire = Option::<Wire>::deserialize(deserializer)?;
    Ok(wire.and_then(|wire| {
        Some(EnumOption {
            gid: wire.gid?,
            name: wire.name.unwrap_or_default(),
            enabled: wire.enabled.unwrap_or(true),
        })
    }))
}

#[derive(Deserialize)]
struct WireTask {
    gid: String,
    #[serde(default, deserialize_with = "null_as_default")]
    name: String,
    #[serde(default)]
    notes: Option<String>,
    completed: bool,
    #[serde(default)]
    completed_at: Option<Timestamp>,
    #[serde(default)]
    completed_by: Option<WireReference>,
    created_at: Timestamp,
    modified_at: Timestamp,
    #[serde(default)]
    permalink_url: Option<String>,
    #[serde(default, deserialize_with = "null_as_default")]
    resource_subtype: String,
    #[serde(default)]
    approval_status: Option<String>,
    #[serde(default)]
    due_on: Option<civil::Date>,
    #[serde(default)]
    assignee: Option<WireAssignee>,
    #[serde(default, deserialize_with = "null_as_default")]
    tags: Vec<WireReference>,
    #[serde(default)]
    parent: Option<WireReference>,
    #[serde(default, deserialize_with = "null_as_default")]
    memberships: Vec<WireMembership>,
    #[serde(default, deserialize_with = "null_as_default")]
    custom_fields: Vec<TaskField>,
}

#[derive(Deserialize)]
struct WireMembership {
    #[serde(default)]
    project: Option<WireReference>,
    #[serde(default)]
    section: Option<WireReference>,
}

/// As [`Reference`], but an object without members stands for null.
#[derive(Deserialize)]
struct WireReference {
    #[serde(default)]
    gid: Option<String>,
    #[serde(default)]
    name: Option<String>,
}

/// As [`Assignee`], but an object without members stands for null.
#[derive(Deserialize)]
struct WireAssignee {
    #[serde(default)]
    gid: Option<String>,
    #[serde(default)]
    email: Option<String>,
}

impl WireAssignee {
    fn known(self) -> Option<Assignee> {
        Some(Assignee { gid: self.gid?, email: self.email })
    }
}

impl WireReference {
    fn known(self) -> Option<Reference> {
        Some(Reference { gid: self.gid?, name: self.name })
    }
}

impl From<WireTask> for Task {
    fn from(wire: WireTask) -> Task {
        let (mut projects, mut sections) = (Vec::new(), Vec::new());
        for membership in wire.memberships {
            projects.extend(membership.project.and_then(|project| project.gid));
            sections.extend(membership.section.and_then(|section| section.gid));
        }
        Task {
            gid: wire.gid,
            name: wire.name,
            notes: wire.notes,
            completed: wire.completed,
            completed_at: wire.completed_at,
            completed_by: wire.completed_by.and_then(WireReference::known),
            created_at: wire.created_at,
            modified_at: wire.modified_at,
            permalink_url: wire.permalink_url,
            resource_subtype: wire.resource_subtype,
            approval_status: wire.approval_status,
            due_on: wire.due_on,
            assignee: wire.assignee.and_then(WireAssignee::known),
            tags: wire.tags.into_iter().filter_map(|tag| tag.gid).collect(),
            parent: wire.parent.and_then(|parent| parent.gid),
            projects,
            sections,
            custom_fields: wire.custom_fields,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(json: &str) -> TaskField {
        serde_json::from_str(json).unwrap()
    }

    fn value(json: &str) -> Option<FieldValue> {
        field(json).value()
    }

    #[test]
    fn every_kind_of_value_is_read() {
        for (json, expected) in [
            (r#"{"gid":"1","resource_subtype":"text","text_value":"x"}"#, FieldValue::Text("x".into())),
            (
                r#"{"gid":"1","resource_subtype":"number","number_value":1.2345e4}"#,
                FieldValue::Number("12345".parse().unwrap()),
            ),
            (
                r#"{"gid":"1","resource_subtype":"enum","enum_value":{"gid":"9","name":"Paid"}}"#,
                FieldValue::Enum("9".into()),
            ),
            (
                r#"{"gid":"1","resource_subtype":"multi_enum","multi_enum_values":[{"gid":"8"},{"gid":"9"}]}"#,
                FieldValue::MultiEnum(vec!["9".into(), "8".into()]),
            ),
            (
                r#"{"gid":"1","resource_subtype":"date","date_value":{"date":"2026-06-30","date_time":null}}"#,
                FieldValue::Date("2026-06-30".parse().unwrap()),
            ),
            (
                r#"{"gid":"1","resource_subtype":"date",
                    "date_value":{"date":"2026-06-30","date_time":"2026-06-30T12:00:00.000Z"}}"#,
                FieldValue::DateTime("2026-06-30T12:00:00Z".parse().unwrap()),
            ),
        ] {
            assert_eq!(value(json), Some(expected), "{json}");
        }
    }

    #[test]
    fn empty_and_unknown_values_are_none() {
        for json in [
            r#"{"gid":"1","resource_subtype":"text","text_value":null}"#,
            r#"{"gid":"1","resource_subtype":"text","text_value":""}"#,
            r#"{"gid":"1","resource_subtype":"number","number_value":null}"#,
            r#"{"gid":"1","resource_subtype":"number","number_value":1e300}"#,
            r#"{"gid":"1","resource_subtype":"enum","enum_value":null}"#,
            r#"{"gid":"1","resource_subtype":"enum","enum_value":{}}"#,
            r#"{"gid":"1","resource_subtype":"multi_enum","multi_enum_values":[]}"#,
            r#"{"gid":"1","resource_subtype":"multi_enum","multi_enum_values":null}"#,
            r#"{"gid":"1","resource_subtype":"date","date_value":null}"#,
            r#"{"gid":"1","resource_subtype":"people","people_value":[{"gid":"3"}]}"#,
            r#"{"gid":"1","resource_subtype":"hologram","hologram_value":3}"#,
        ] {
            assert_eq!(value(json), None, "{json}");
        }
    }

    #[test]
    fn a_number_keeps_its_text_even_where_a_float_would_not() {
        let field = field(r#"{"gid":"1","resource_subtype":"number","number_value":90071992547409931.07}"#);
        assert_eq!(field.number_value.as_ref().unwrap().as_str(), "90071992547409931.07");
        assert!(field.has("90071992547409931.070"));
        assert!(!field.has("90071992547409931.08"));
    }

    #[test]
    fn a_field_has_the_text_the_number_or_the_option_that_was_searched() {
        assert!(field(r#"{"gid":"1","resource_subtype":"text","text_value":"PO-1"}"#).has("PO-1"));
        assert!(!field(r#"{"gid":"1","resource_subtype":"text","text_value":"PO-10"}"#).has("PO-1"));
        assert!(field(r#"{"gid":"1","resource_subtype":"enum","enum_value":{"gid":"9"}}"#).has("9"));
        assert!(!field(r#"{"gid":"1","resource_subtype":"text","text_value":null}"#).has(""));
    }

    #[test]
    fn memberships_parent_and_unknown_members_are_understood() {
        let task: Task = serde_json::from_str(
            r#"{"gid":"5","name":"t","completed":true,"completed_at":"2026-06-30T10:00:00.000Z",
                "completed_by":{"gid":"3","name":"Ann"},
                "created_at":"2026-06-01T10:00:00.000Z","modified_at":"2026-06-30T10:00:00.000Z",
                "resource_subtype":"approval","approval_status":"rejected","parent":{"gid":"4"},
                "memberships":[{"project":{"gid":"p1"},"section":{"gid":"s1"}},{"project":{"gid":"p2"},"section":null}],
                "unheard_of":{"a":1}}"#,
        )
        .unwrap();
        assert_eq!(task.projects, ["p1", "p2"]);
        assert_eq!(task.sections, ["s1"]);
        assert_eq!(task.parent.as_deref(), Some("4"));
        assert_eq!(task.approval_status.as_deref(), Some("rejected"));
        assert_eq!(task.completed_by.unwrap().name.as_deref(), Some("Ann"));
        assert_eq!(task.notes, None);
        assert!(task.custom_fields.is_empty());
    }

    #[test]
    fn due_date_assignee_and_tags_are_read_and_may_be_missing() {
        let task = |members: &str| -> Task {
            let json = format!(
                r#"{{"gid":"5","completed":false,"created_at":"2026-06-01T10:00:00.000Z",
                    "modified_at":"2026-06-30T10:00:00.000Z"{members}}}"#
            );
            serde_json::from_str(&json).unwrap()
        };
        let whole = task(
            r#","due_on":"2026-07-31","assignee":{"gid":"3","email":"ann@example.com"},
                "tags":[{"gid":"901","name":"Urgent"},{"gid":"902"}]"#,
        );
        assert_eq!(whole.due_on, Some(civil::date(2026, 7, 31)));
        assert_eq!(whole.assignee, Some(Assignee { gid: "3".into(), email: Some("ann@example.com".into()) }));
        assert_eq!(whole.tags, ["901", "902"]);
        let hidden = task(r#","assignee":{"gid":"3"}"#);
        assert_eq!(hidden.assignee, Some(Assignee { gid: "3".into(), email: None }));
        for none in ["", r#","due_on":null,"assignee":null,"tags":null"#, r#","assignee":{},"tags":[]"#] {
            let task = task(none);
            assert_eq!((task.due_on, task.assignee, task.tags), (None, None, Vec::new()), "{none}");
        }
    }

    #[test]
    fn a_task_that_does_not_say_whether_it_is_completed_is_not_guessed() {
        let json = r#"{"gid":"5","created_at":"2026-06-01T10:00:00Z","modified_at":"2026-06-30T10:00:00Z"}"#;
        assert!(serde_json::from_str::<Task>(json).is_err());
    }
}
