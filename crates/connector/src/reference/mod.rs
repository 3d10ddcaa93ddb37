//! Reference data: suppliers and account combinations as Oracle has them, and the options of Asana fields that stand
//! for them.
//!
//! Read on demand, on a schedule, and when an order names what is not known yet. Nothing is ever written to Oracle.

mod charts;
pub mod check;
pub mod choices;
pub mod field;
pub mod findings;
pub mod options;
pub mod orders;
pub mod read;
pub mod unknown;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::purpose::Purpose;
use crate::settings::Settings;

/// One kind of reference data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Suppliers.
    Suppliers,
    /// Account combinations of the ledger's chart of accounts.
    Accounts,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 2] = [Kind::Suppliers, Kind::Accounts];

    /// The name in tables, jobs and commands.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Suppliers => "suppliers",
            Kind::Accounts => "accounts",
        }
    }

    /// The kind of a name in a table.
    #[must_use]
    pub fn named(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// One of them, in a sentence.
    #[must_use]
    pub fn singular(self) -> &'static str {
        match self {
            Kind::Suppliers => "supplier",
            Kind::Accounts => "account",
        }
    }

    /// Whether they are read without a command: `[reference]` is there, a field shows them, and it is known what to read.
    #[must_use]
    pub fn is_wanted(self, settings: &Settings) -> bool {
        let Some(reference) = &settings.reference else { return false };
        let can_be_read = match self {
            Kind::Suppliers => true,
            // which chart of accounts is read, a person or the journals' ledger tells
            Kind::Accounts => reference.chart_of_accounts.is_some() || settings.journal.is_some(),
        };
        can_be_read && settings.fields.contains_key(&self.purpose())
    }

    /// The purpose whose field shows them.
    #[must_use]
    pub fn purpose(self) -> Purpose {
        match self {
            Kind::Suppliers => Purpose::Supplier,
            Kind::Accounts => Purpose::GlAccount,
        }
    }
}

/// What happens when a field would need more options than Asana allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Beyond {
    /// Only what stored orders name gets options; when that is too much as well, as `hold`.
    #[default]
    InUse,
    /// No option is touched; values without an option go to the field in `text`, else they are held.
    Hold,
}

/// What is done with an order whose supplier or account may not be used in Oracle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Invalid {
    /// It is written, since that is what the order says, and the movement says what is wrong.
    #[default]
    Write,
    /// It is not written, and the movement is held.
    Hold,
}

/// `[reference]`: reading suppliers and accounts without being asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReferenceSettings {
    /// Hours between two readings; 0: only by command, and when an order names what is not known.
    pub hours: u32,
    /// The chart of accounts whose combinations are read; absent: that of the `[journal]` ledger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chart_of_accounts: Option<String>,
    /// The fields, by purpose, whose single-select options are kept in step: `supplier`, `gl_account`. A draft may lack
    /// them until they are provisioned.
    pub options: Vec<Purpose>,
    /// What happens beyond Asana's limit of 500 options.
    pub beyond: Beyond,
    /// What is done with an order whose supplier or account may not be used.
    pub invalid: Invalid,
    /// A text field that says which supplier or account, chosen on a task by a person, may not be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mark: Option<crate::ids::FieldGid>,
    /// Text fields, by purpose, that take a value for which there is no option.
    #[serde(skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub text: std::collections::BTreeMap<Purpose, crate::ids::FieldGid>,
}

impl Default for ReferenceSettings {
    fn default() -> Self {
        let (options, text) = (Vec::new(), std::collections::BTreeMap::new());
        let (beyond, invalid) = (Beyond::InUse, Invalid::Write);
        ReferenceSettings { hours: 0, chart_of_accounts: None, options, beyond, invalid, mark: None, text }
    }
}

impl ReferenceSettings {
    /// The fields that they name beside the mapped ones.
    pub fn fields(&self) -> impl Iterator<Item = &crate::ids::FieldGid> {
        self.text.values().chain(&self.mark)
    }

    /// What is wrong with them, given the fields that are mapped.
    #[must_use]
    pub fn problems(
        &self,
        fields: &std::collections::BTreeMap<Purpose, crate::ids::FieldGid>,
    ) -> Vec<String> {
        let mut problems = Vec::new();
        let is_kind = |purpose: &Purpose| Kind::ALL.iter().any(|kind| kind.purpose() == *purpose);
        let named: BTreeSet<&Purpose> = self.options.iter().chain(self.text.keys()).collect();
        for purpose in named {
            let name = purpose.as_str();
            if !is_kind(purpose) {
                problems.push(format!("[reference] knows supplier and gl_account, not {name}"));
            } else if !self.options.contains(purpose) && !fields.contains_key(purpose) {
                problems.push(format!("[reference.text] names {name}, but fields.{name} is not mapped"));
            }
        }
        for (purpose, gid) in &self.text {
            let name = purpose.as_str();
            if gid.0.is_empty() || !gid.0.bytes().all(|b| b.is_ascii_digit()) {
                problems.push(format!("reference.text.{name} must be a gid (digits only)"));
            }
            if fields.values().any(|other| other == gid)
                || self.text.iter().any(|(other, its)| other != purpose && its == gid)
            {
                problems.push(format!("reference.text.{name} must be a field of its own"));
            }
        }
        if let Some(mark) = &self.mark {
            if mark.0.is_empty() || !mark.0.bytes().all(|b| b.is_ascii_digit()) {
                problems.push("reference.mark must be a gid (digits only)".to_owned());
            }
            if fields.values().chain(self.text.values()).any(|other| other == mark) {
                problems.push("reference.mark must be a field of its own".to_owned());
            }
        }
        let digits = |chart: &String| !chart.is_empty() && chart.bytes().all(|b| b.is_ascii_digit());
        if !self.chart_of_accounts.as_ref().is_none_or(digits) {
            problems.push("reference.chart_of_accounts must be a number".to_owned());
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_cannot_work_are_named() {
        let fields = [(Purpose::Supplier, "1".into()), (Purpose::PoNumber, "2".into())].into();
        let good = ReferenceSettings { options: vec![Purpose::Supplier], ..ReferenceSettings::default() };
        assert_eq!(good.problems(&fields), Vec::<String>::new());
        let wrong = ReferenceSettings {
            options: vec![Purpose::Currency],
            chart_of_accounts: Some("US".into()),
            text: [(Purpose::Supplier, "2".into()), (Purpose::GlAccount, "9".into())].into(),
            mark: Some("1".into()),
            ..good.clone()
        };
        let told = wrong.problems(&fields).join("; ");
        let mark = "reference.mark must be a field of its own";
        for words in [
            "fields.gl_account is not mapped",
            "not currency",
            "supplier must be a field of its own",
            "must be a number",
            mark,
        ] {
            assert!(told.contains(words), "{words}: {told}");
        }
        let named = ReferenceSettings { mark: Some("Invalid".into()), ..good };
        assert_eq!(named.problems(&fields), ["reference.mark must be a gid (digits only)"]);
    }
}
