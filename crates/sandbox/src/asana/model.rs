//! What the stand-in knows of each resource.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;

use super::number::Num;

/// An Asana gid; always digits here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Gid(pub u64);

impl Gid {
    /// Reads a gid; only digits are recognised.
    pub fn parse(text: &str) -> Option<Self> {
        (!text.is_empty() && text.len() <= 20 && text.bytes().all(|b| b.is_ascii_digit()))
            .then(|| text.parse().ok().map(Self))
            .flatten()
    }
}

impl fmt::Display for Gid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[derive(Debug)]
pub(crate) struct User {
    pub name: String,
    pub email: String,
}

#[derive(Debug)]
pub(crate) struct Workspace {
    pub name: String,
    /// Library fields, in order of creation.
    pub fields: Vec<Gid>,
    pub projects: Vec<Gid>,
}

/// A label that tasks of one workspace can carry.
#[derive(Debug)]
pub(crate) struct Tag {
    pub workspace: Gid,
    pub name: String,
    pub created_at: Timestamp,
}

#[derive(Debug)]
pub(crate) struct Project {
    pub workspace: Gid,
    pub name: String,
    pub notes: String,
    pub archived: bool,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
    pub owner: Gid,
    /// Who may see it; absent: everyone in the workspace.
    pub members: Option<BTreeSet<Gid>>,
    pub sections: Vec<Gid>,
    pub settings: Vec<Setting>,
    /// Its tasks by the time of their last change.
    pub by_modified: BTreeSet<(Timestamp, Gid)>,
}

/// A custom field on a project.
#[derive(Debug)]
pub(crate) struct Setting {
    pub gid: Gid,
    pub field: Gid,
    pub important: bool,
    /// Who may change values of the field in this project; absent: everyone.
    pub editors: Option<BTreeSet<Gid>>,
}

#[derive(Debug)]
pub(crate) struct Section {
    pub project: Gid,
    pub name: String,
    pub created_at: Timestamp,
    pub tasks: BTreeMap<u64, Gid>,
}

/// The basic type of a custom field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Number,
    Enum,
    MultiEnum,
    Date,
    People,
    Reference,
}

impl Kind {
    pub const ALL: [Self; 7] =
        [Self::Text, Self::Number, Self::Enum, Self::MultiEnum, Self::Date, Self::People, Self::Reference];

    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Enum => "enum",
            Self::MultiEnum => "multi_enum",
            Self::Date => "date",
            Self::People => "people",
            Self::Reference => "reference",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.name() == text)
    }

    pub fn has_options(self) -> bool {
        matches!(self, Self::Enum | Self::MultiEnum)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub workspace: Gid,
    pub name: String,
    pub description: String,
    pub kind: Kind,
    /// `formula` or `custom_id` where that differs from the type.
    pub representation: Option<String>,
    pub precision: u8,
    pub format: String,
    pub currency_code: Option<String>,
    pub custom_label: Option<String>,
    pub custom_label_position: Option<String>,
    pub id_prefix: Option<String>,
    pub options: Vec<EnumOption>,
    pub input_restrictions: Vec<String>,
    /// The project it belongs to; absent for a field of the workspace's library.
    pub local_to: Option<Gid>,
    pub created_by: Gid,
    pub value_read_only: bool,
    pub notifications: bool,
    pub locked_by: Option<Gid>,
    /// Who may see it; absent: everyone.
    pub visible_to: Option<BTreeSet<Gid>>,
    pub privacy: String,
    pub default_access: String,
}

#[derive(Clone, Debug)]
pub(crate) struct EnumOption {
    pub gid: Gid,
    pub name: String,
    pub color: String,
    pub enabled: bool,
}

impl Task {
    /// What search shows of the task for a state as of `at_ms`; `None` before it was created.
    pub fn as_seen(&self, at_ms: i64) -> Option<&Task> {
        match self.seen_before.iter().find(|(replaced, _)| *replaced > at_ms) {
            Some((_, earlier)) => earlier.as_deref(),
            None => Some(self),
        }
    }
}

impl Field {
    /// A field as it is when only its type and name were given.
    pub fn new(workspace: Gid, name: &str, kind: Kind, created_by: Gid) -> Self {
        Self {
            workspace,
            name: name.to_owned(),
            description: String::new(),
            kind,
            representation: None,
            precision: 0,
            format: "none".to_owned(),
            currency_code: None,
            custom_label: None,
            custom_label_position: None,
            id_prefix: None,
            options: Vec::new(),
            input_restrictions: Vec::new(),
            local_to: None,
            created_by,
            value_read_only: false,
            notifications: false,
            locked_by: None,
            visible_to: None,
            privacy: "public_with_guests".to_owned(),
            default_access: "user".to_owned(),
        }
    }

    pub fn sees(&self, user: Gid) -> bool {
        self.visible_to.as_ref().is_none_or(|who| who.contains(&user))
    }

    pub fn option(&self, gid: Gid) -> Option<&EnumOption> {
        self.options.iter().find(|o| o.gid == gid)
    }

    /// Decimal places that a stored number keeps; a percentage is stored as a fraction and so has two more.
    pub fn stored_places(&self) -> u32 {
        let shown = u32::from(self.precision);
        if self.format == "percentage" { shown.saturating_add(2) } else { shown }
    }

    /// Whether no client may write values: formulas and Asana's own ids.
    pub fn read_only(&self) -> bool {
        self.value_read_only || matches!(self.representation.as_deref(), Some("formula" | "custom_id"))
    }
}

/// The value of a custom field on a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    Number(Num),
    Enum(Gid),
    Multi(Vec<Gid>),
    Date(Date, Option<Timestamp>),
    People(Vec<Gid>),
    Reference(Vec<Gid>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Membership {
    pub project: Gid,
    pub section: Gid,
    pub rank: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct External {
    pub app: String,
    pub gid: Option<String>,
    pub data: Option<String>,
}

/// Kind of a task, as far as it decides behaviour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subtype {
    Default,
    Milestone,
    Approval,
}

impl Subtype {
    pub fn name(self) -> &'static str {
        match self {
            Self::Default => "default_task",
            Self::Milestone => "milestone",
            Self::Approval => "approval",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Default, Self::Milestone, Self::Approval].into_iter().find(|s| s.name() == text)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Approval {
    Pending,
    Approved,
    Rejected,
    ChangesRequested,
}

impl Approval {
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::ChangesRequested => "changes_requested",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Pending, Self::Approved, Self::Rejected, Self::ChangesRequested]
            .into_iter()
            .find(|s| s.name() == text)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub workspace: Gid,
    pub name: String,
    pub notes: String,
    /// Kept when notes were written as HTML; else derived from `notes`.
    pub html_notes: Option<String>,
    pub subtype: Subtype,
    pub approval: Approval,
    pub completed: bool,
    pub completed_at: Option<Timestamp>,
    pub completed_by: Option<Gid>,
    pub created_at: Timestamp,
    pub created_by: Gid,
    pub modified_at: Timestamp,
    pub due_on: Option<Date>,
    pub due_at: Option<Timestamp>,
    pub start_on: Option<Date>,
    pub start_at: Option<Timestamp>,
    pub assignee: Option<Gid>,
    /// In the order in which they were given, each once.
    pub tags: Vec<Gid>,
    pub followers: Vec<Gid>,
    pub liked: bool,
    pub parent: Option<Gid>,
    pub subtasks: Vec<Gid>,
    pub memberships: Vec<Membership>,
    pub values: BTreeMap<Gid, Value>,
    pub external: Option<External>,
    /// Earlier states that search may still be showing, each with the instant in milliseconds it was replaced.
    pub seen_before: Vec<(i64, Option<Box<Task>>)>,
}

/// Subtype of the stories that people write.
pub(crate) const COMMENT: &str = "comment_added";

#[derive(Debug)]
pub(crate) struct Story {
    pub task: Gid,
    pub created_at: Timestamp,
    /// Absent for what nobody did.
    pub created_by: Option<Gid>,
    pub subtype: &'static str,
    pub text: String,
    pub html: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Attachment {
    pub task: Gid,
    pub name: String,
    pub created_at: Timestamp,
    /// Size in bytes of an uploaded file; absent for a link.
    pub size: Option<usize>,
    pub url: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_digits_are_a_gid() {
        assert_eq!(Gid::parse("1200000000000001"), Some(Gid(1_200_000_000_000_001)));
        for wrong in ["", "abc", "12 ", "-1", "99999999999999999999"] {
            assert_eq!(Gid::parse(wrong), None, "{wrong:?}");
        }
    }
}
