//! `[mapping]` of a connection's settings: values that are read and changed, and rules that say where they go.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::FieldGid;
use crate::mapping::path::Path;

/// What goes beyond the built-in values in `[fields]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MappingSettings {
    /// Values by name. One with the name of a purpose replaces what that purpose's field shows.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, ValueSettings>,
    /// Tried in order; for each target the first whose condition holds gives its value.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RuleSettings>,
}

/// One value: where it comes from, and how it is changed, in the order of the members.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ValueSettings {
    /// Path into the order as Oracle sends it, such as `Buyer` or `lines.schedules.PromisedDeliveryDate`; behind
    /// `invoices.` into the invoices of the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read: Option<String>,
    /// Another value, by its name, or a purpose of `[fields]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// MiniJinja template over `order`, `line`, `lines` and `values`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Takes spaces off both ends.
    #[serde(skip_serializing_if = "is_false")]
    pub trim: bool,
    /// Makes letters large or small.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case: Option<Case>,
    /// What each value becomes; one that is not listed becomes `default`, and without a default is held.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub lookup: BTreeMap<String, String>,
    /// What stands where there is nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// Of several values: each once, with this between them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub join: Option<String>,
    /// Of several values: their exact sum.
    #[serde(skip_serializing_if = "is_false")]
    pub sum: bool,
    /// Of several values: the first.
    #[serde(skip_serializing_if = "is_false")]
    pub first: bool,
    /// Of several values: the smallest number, the earliest date, the first text of the alphabet.
    #[serde(skip_serializing_if = "is_false")]
    pub least: bool,
    /// Of several values: the largest number, the latest date, the last text of the alphabet.
    #[serde(skip_serializing_if = "is_false")]
    pub greatest: bool,
    /// Takes text as a number or a date.
    #[serde(rename = "as", skip_serializing_if = "Option::is_none")]
    pub as_kind: Option<AsKind>,
    /// How a date is written where it comes from, in strftime's letters; else as in ISO 8601.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date_from: Option<String>,
    /// The time zone in which an instant becomes a date; else UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Writes a date as text, in strftime's letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date_to: Option<String>,
    /// Writes a number as text with so many decimals; what would lose a digit is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decimals: Option<u32>,
    /// What stands before the decimals in that text; else a point.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decimal_mark: Option<String>,
    /// What stands between groups of three digits in that text; else nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_mark: Option<String>,
}

/// Large or small letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Case {
    /// ABC.
    Upper,
    /// abc.
    Lower,
}

/// What a text is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AsKind {
    /// An exact decimal.
    Number,
    /// A date.
    Date,
}

/// One rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RuleSettings {
    /// Where the value goes, see [`Target`].
    pub to: String,
    /// Which value, by its name, or a purpose of `[fields]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// A constant instead; the empty text clears the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set: Option<String>,
    /// CEL condition over `order`, `line`, `invoices` and `values`; absent: always.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// Where a rule's value goes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// A custom field, by its gid.
    Field(FieldGid),
    /// The task's name.
    Name,
    /// The task's notes; the order's key is always added.
    Notes,
    /// The task's due date.
    DueOn,
    /// The section, by its gid, of a mapped project.
    Section,
    /// The assignee, by e-mail or gid.
    Assignee,
    /// A tag, by its gid: on the task while the rule's condition holds, and off it else.
    Tag(String),
}

impl Target {
    /// Takes a rule's `to` apart; `None` when it names nothing.
    #[must_use]
    pub fn parse(to: &str) -> Option<Target> {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        Some(match to {
            "name" => Target::Name,
            "notes" => Target::Notes,
            "due_on" => Target::DueOn,
            "section" => Target::Section,
            "assignee" => Target::Assignee,
            gid if digits(gid) => Target::Field(gid.into()),
            other => Target::Tag(other.strip_prefix("tag:").filter(|gid| digits(gid))?.to_owned()),
        })
    }

    /// Under what a task's present value is known; of a field its gid.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Target::Field(gid) => gid.0.clone(),
            other => other.to_string(),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Field(gid) => f.write_str(&gid.0),
            Target::Name => f.write_str("name"),
            Target::Notes => f.write_str("notes"),
            Target::DueOn => f.write_str("due_on"),
            Target::Section => f.write_str("section"),
            Target::Assignee => f.write_str("assignee"),
            Target::Tag(gid) => write!(f, "tag:{gid}"),
        }
    }
}

impl MappingSettings {
    /// Whether nothing goes beyond the built-in values.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty() && self.rules.is_empty()
    }

    /// Where rules lead to, each once.
    #[must_use]
    pub fn targets(&self) -> BTreeSet<Target> {
        self.rules.iter().filter_map(|rule| Target::parse(&rule.to)).collect()
    }

    /// Every path that a value reads, each once; what is no path is left to the check.
    #[must_use]
    pub fn paths(&self) -> BTreeSet<Path> {
        self.values.values().filter_map(|value| Path::parse(value.read.as_deref()?).ok()).collect()
    }
}
