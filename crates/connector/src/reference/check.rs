//! Whether what stands on a task is a supplier or an account that may be used. Pure.

use jiff::civil::Date;
use serde::Serialize;

use crate::erase::MARK;
use crate::reference::Kind;

/// A stored supplier or account, as far as its validity goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Oracle's id.
    pub id: String,
    /// The supplier's name, or the account's concatenated segments.
    pub name: String,
    /// The supplier's number; of an account its type.
    pub number: Option<String>,
    /// Whether Oracle says by a status or flag that it must not be used.
    pub disabled: bool,
    /// The first day on which it may be used.
    pub from: Option<Date>,
    /// The first day on which it may not be used any more.
    pub until: Option<Date>,
    /// Whether the last complete reading did not show it any more.
    pub gone: bool,
}

/// Whether something may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Validity {
    /// It may.
    Valid,
    /// Oracle does not show it any more.
    Gone,
    /// Its dates exclude the day.
    Expired,
    /// A status or flag says no.
    Disabled,
    /// Oracle never showed it.
    Unknown,
}

impl Validity {
    /// Every one.
    pub const ALL: [Validity; 5] =
        [Validity::Valid, Validity::Gone, Validity::Expired, Validity::Disabled, Validity::Unknown];

    /// The name in tables and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Validity::Valid => "valid",
            Validity::Gone => "gone",
            Validity::Expired => "expired",
            Validity::Disabled => "disabled",
            Validity::Unknown => "unknown",
        }
    }

    /// The one of a name in a table.
    #[must_use]
    pub fn named(name: &str) -> Option<Validity> {
        Validity::ALL.into_iter().find(|validity| validity.as_str() == name)
    }

    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Validity::Valid => "valid",
            Validity::Gone => "no longer in Oracle",
            Validity::Expired => "not valid on this day",
            Validity::Disabled => "inactive in Oracle",
            Validity::Unknown => "not known to Oracle",
        }
    }
}

impl Entry {
    /// Whether it may be used on that day.
    #[must_use]
    pub fn validity(&self, day: Date) -> Validity {
        if self.gone {
            Validity::Gone
        } else if self.disabled {
            Validity::Disabled
        } else if self.from.is_some_and(|from| day < from) || self.until.is_some_and(|until| until <= day) {
            Validity::Expired
        } else {
            Validity::Valid
        }
    }
}

/// Judges a name by all stored entries that carry it: one that may be used is enough.
#[must_use]
pub fn judge<'e>(named: impl IntoIterator<Item = &'e Entry>, day: Date) -> Validity {
    named.into_iter().map(|entry| entry.validity(day)).min().unwrap_or(Validity::Unknown)
}

/// A supplier or an account that a person chose on a task and that may not be used there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The task's gid.
    pub task: String,
    /// What it is.
    pub kind: Kind,
    /// What stands on the task.
    pub value: String,
    /// What is wrong with it.
    pub validity: Validity,
}

/// What is wrong, in a sentence.
#[must_use]
pub fn words(kind: Kind, value: &str, validity: Validity) -> String {
    format!("{} `{value}` is {}", kind.singular(), validity.words())
}

/// What a task's mark says of these choices, all of it; nothing when there is none.
#[must_use]
pub fn mark<'c>(choices: impl IntoIterator<Item = &'c Choice>) -> Option<String> {
    // of what was erased nothing more is told
    let said = choices.into_iter().filter(|choice| choice.value != MARK);
    let said: Vec<String> = said.map(|choice| words(choice.kind, &choice.value, choice.validity)).collect();
    (!said.is_empty()).then(|| said.join("; "))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn entry() -> Entry {
        let (from, until) = (Some(date(2026, 1, 1)), Some(date(2026, 7, 1)));
        Entry { id: "1".into(), name: "A".into(), number: None, disabled: false, from, until, gone: false }
    }

    #[test]
    fn an_entry_is_valid_within_its_days_unless_oracle_says_otherwise() {
        let entry = entry();
        assert_eq!(entry.validity(date(2026, 1, 1)), Validity::Valid);
        assert_eq!(entry.validity(date(2026, 6, 30)), Validity::Valid);
        assert_eq!(entry.validity(date(2026, 7, 1)), Validity::Expired);
        assert_eq!(entry.validity(date(2025, 12, 31)), Validity::Expired);
        assert_eq!(Entry { disabled: true, ..entry.clone() }.validity(date(2026, 2, 1)), Validity::Disabled);
        assert_eq!(Entry { gone: true, ..entry }.validity(date(2026, 2, 1)), Validity::Gone);
    }

    #[test]
    fn a_mark_names_all_that_may_not_be_used_but_nothing_that_was_erased() {
        let choice = |kind, value: &str, validity| {
            let task = "7".to_owned();
            Choice { task, kind, value: value.to_owned(), validity }
        };
        let foo = choice(Kind::Suppliers, "Foo Ltd", Validity::Unknown);
        let account = choice(Kind::Accounts, "101.10", Validity::Disabled);
        let erased = choice(Kind::Suppliers, MARK, Validity::Gone);
        assert_eq!(
            mark([&foo, &erased, &account]).as_deref(),
            Some("supplier `Foo Ltd` is not known to Oracle; account `101.10` is inactive in Oracle")
        );
        assert_eq!(mark([&erased]), None);
        assert_eq!(mark([]), None);
        for validity in Validity::ALL {
            assert_eq!(Validity::named(validity.as_str()), Some(validity));
            assert_eq!(serde_json::to_string(&validity).unwrap(), format!("\"{}\"", validity.as_str()));
        }
    }

    #[test]
    fn one_valid_entry_of_a_name_is_enough_and_none_is_unknown() {
        let (good, bad) = (entry(), Entry { disabled: true, ..entry() });
        assert_eq!(judge([&bad, &good], date(2026, 2, 1)), Validity::Valid);
        assert_eq!(judge([&bad], date(2026, 2, 1)), Validity::Disabled);
        assert_eq!(judge([], date(2026, 2, 1)), Validity::Unknown);
    }
}
