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
#[non_exhaustive]
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

/// A custom field on a task, with its value.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
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
#[non_exhaustive]
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
            parent: wire.parent.and_then(|parent| parent.gid),
            projects,
            sections,
            custom_fields: wire.custom_fields,
        }
    }
}
