//! What a person sets for the journals of a connection. Whatever is unknown about a real pod is a setting
//! here, and its documentation says so.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::account::MAX_SEGMENTS;
use super::currency::{Currency, MAX_DECIMALS};

/// The least time for which a submission in doubt is looked for: an hour.
pub const MIN_SETTLE_MINUTES: u32 = 60;
/// The most: a week.
pub const MAX_SETTLE_MINUTES: u32 = 7 * 24 * 60;
/// Ids of Oracle have 18 digits at most.
const ID_DIGITS: usize = 18;

/// What happens when the accounting date's period takes no entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClosedPeriod {
    /// The journal is dated on the first day of the next period that takes entries.
    #[default]
    NextOpen,
    /// The journal waits until the period is opened.
    Hold,
}

/// What happens when a completed task is opened again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reopened {
    /// The journal stays.
    #[default]
    Ignore,
    /// A journal with the sides swapped is sent.
    Reverse,
}

/// Whether Oracle may put lines with account errors into the suspense account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Suspense {
    /// A line with an account error rejects the journal.
    #[default]
    Off,
    /// Such a line goes to the suspense account.
    On,
}

/// How an import is followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FollowSettings {
    /// Seconds from the submission to the first look at the job.
    pub first_seconds: u32,
    /// Seconds between two looks, at most.
    pub longest_seconds: u32,
    /// Minutes for which the batch of an ended job is looked for before a person is asked.
    pub read_back_minutes: u32,
    /// Hours after which a job that still runs is reported. It is followed for longer all the same.
    pub overdue_hours: u32,
}

impl Default for FollowSettings {
    fn default() -> Self {
        FollowSettings { first_seconds: 20, longest_seconds: 300, read_back_minutes: 60, overdue_hours: 8 }
    }
}

/// Everything about journals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JournalSettings {
    /// The ledger's id, digits.
    pub ledger_id: String,
    /// The ledger's name, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<String>,
    /// The ledger's currency, an ISO 4217 code.
    pub ledger_currency: String,
    /// The journal source's name (`USER_JE_SOURCE_NAME`).
    pub source: String,
    /// What the import job's source parameter takes when it is not the name: some pods want the numeric key
    /// of a custom source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_parameter: Option<String>,
    /// The journal category's name (`USER_JE_CATEGORY_NAME`).
    pub category: String,
    /// The data access set's id, digits; not every pod needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_access_set: Option<String>,
    /// The clearing account's code combination id. Either this or `clearing_account`; this wins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clearing_account_id: Option<String>,
    /// The clearing account's segments, written as the chart of accounts writes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clearing_account: Option<String>,
    /// Takes the place of the charge accounts' natural account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub natural_account: Option<String>,
    /// Which segment the clearing account takes over from the charge account, so that each value balances
    /// by itself; the first is 1. Unset: one clearing line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balancing_segment: Option<usize>,
    /// The code combinations' segment attributes in their order, when they are not `Segment1`, `Segment2` ….
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segment_names: Vec<String>,
    /// The ledger's time zone, an IANA name such as `Europe/Berlin`.
    pub time_zone: String,
    /// The conversion rate type's name, for a cost in another currency than the ledger's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_type: Option<String>,
    /// Decimals of currencies for which the pod differs from ISO 4217.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub decimals: BTreeMap<String, u32>,
    /// What happens when the period takes no entries.
    #[serde(default)]
    pub closed_period: ClosedPeriod,
    /// What happens when a task is opened again.
    #[serde(default)]
    pub reopened: Reopened,
    /// Whether account errors go to suspense.
    #[serde(default)]
    pub suspense: Suspense,
    /// Statuses (code or display text, case does not matter) of orders and lines that bring no journal.
    #[serde(default = "default_canceled_statuses")]
    pub canceled_statuses: Vec<String>,
    /// The document account of the upload.
    #[serde(default = "default_document_account")]
    pub document_account: String,
    /// The import job: its package and its name, separated by a comma.
    #[serde(default = "default_job")]
    pub job: String,
    /// `JobOptions` of the upload.
    #[serde(default = "default_job_options")]
    pub job_options: String,
    /// `NotificationCode` of the upload.
    #[serde(default = "default_notification_code")]
    pub notification_code: String,
    /// Minutes for which a submission in doubt is looked for before it may be sent again.
    #[serde(default = "default_settle_minutes")]
    pub settle_minutes: u32,
    /// How an import is followed.
    #[serde(default)]
    pub follow: FollowSettings,
}

fn default_canceled_statuses() -> Vec<String> {
    vec!["CANCELED".to_owned(), "CANCELLED".to_owned()]
}
fn default_document_account() -> String {
    "fin$/generalLedger$/import$".to_owned()
}
fn default_job() -> String {
    "/oracle/apps/ess/financials/generalLedger/programs/common,JournalImportLauncher".to_owned()
}
fn default_job_options() -> String {
    "ExtractFileType=ALL".to_owned()
}
fn default_notification_code() -> String {
    "10".to_owned()
}
/// Oracle speaks of maintenance of up to eight hours. A job accepted just before it may run only after it,
/// so less than that would risk a second journal; four hours are left for the queue.
fn default_settle_minutes() -> u32 {
    12 * 60
}

/// Whether it can be an id of Oracle's.
pub(crate) fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= ID_DIGITS && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_name(text: &str) -> bool {
    !text.trim().is_empty() && !text.chars().any(char::is_control)
}

impl JournalSettings {
    /// The ledger's time zone, `None` when the name is not known.
    #[must_use]
    pub fn zone(&self) -> Option<TimeZone> {
        TimeZone::get(&self.time_zone).ok()
    }

    /// How long a submission in doubt is looked for before it may be sent again.
    #[must_use]
    pub fn settle(&self) -> Duration {
        Duration::from_secs(u64::from(self.settle_minutes) * 60)
    }

    /// Everything that cannot work, each with its place.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        self.ids_and_names(&mut problems);
        self.accounts(&mut problems);
        self.currencies(&mut problems);
        self.times(&mut problems);
        problems
    }

    fn ids_and_names(&self, problems: &mut Vec<String>) {
        for (name, id) in [
            ("ledger_id", Some(&self.ledger_id)),
            ("data_access_set", self.data_access_set.as_ref()),
            ("clearing_account_id", self.clearing_account_id.as_ref()),
        ] {
            if id.is_some_and(|id| !is_id(id)) {
                problems.push(format!("journal.{name} must be an id of at most {ID_DIGITS} digits"));
            }
        }
        for (name, text) in [
            ("source", Some(&self.source)),
            ("source_parameter", self.source_parameter.as_ref()),
            ("category", Some(&self.category)),
            ("ledger", self.ledger.as_ref()),
            ("clearing_account", self.clearing_account.as_ref()),
            ("natural_account", self.natural_account.as_ref()),
            ("rate_type", self.rate_type.as_ref()),
            ("document_account", Some(&self.document_account)),
            ("job_options", Some(&self.job_options)),
        ] {
            if text.is_some_and(|text| !is_name(text)) {
                problems.push(format!("journal.{name} must not be empty or hold control characters"));
            }
        }
        let job: Vec<&str> = self.job.split(',').collect();
        if job.len() != 2 || !job.iter().all(|part| is_name(part)) {
            problems.push("journal.job must be the job's package and name with a comma between".to_owned());
        }
        if self.notification_code.len() != 2 || !self.notification_code.bytes().all(|b| b.is_ascii_digit()) {
            problems.push("journal.notification_code must be two digits".to_owned());
        }
    }

    fn accounts(&self, problems: &mut Vec<String>) {
        if self.clearing_account_id.is_none() && self.clearing_account.is_none() {
            problems.push("journal needs clearing_account_id or clearing_account".to_owned());
        }
        if self.segment_names.len() > MAX_SEGMENTS {
            problems.push(format!("journal.segment_names can be at most {MAX_SEGMENTS}"));
        }
        for (at, name) in self.segment_names.iter().enumerate() {
            if !is_name(name) {
                problems.push(format!("journal.segment_names[{at}] is empty"));
            } else if self.segment_names.iter().take(at).any(|other| other.eq_ignore_ascii_case(name)) {
                problems.push(format!("journal.segment_names names `{name}` twice"));
            }
        }
        if self.balancing_segment.is_some_and(|position| !(1..=MAX_SEGMENTS).contains(&position)) {
            problems.push(format!("journal.balancing_segment must be 1 to {MAX_SEGMENTS}"));
        }
    }

    fn currencies(&self, problems: &mut Vec<String>) {
        for (code, decimals) in &self.decimals {
            if *decimals > MAX_DECIMALS {
                problems.push(format!("journal.decimals.{code} must be at most {MAX_DECIMALS}"));
            }
        }
        if Currency::find(&self.ledger_currency, &self.decimals).is_err() {
            problems.push("journal.ledger_currency must be an ISO 4217 code such as EUR".to_owned());
        }
    }

    fn times(&self, problems: &mut Vec<String>) {
        if self.zone().is_none() {
            problems.push("journal.time_zone must be an IANA name such as Europe/Berlin".to_owned());
        }
        if !(MIN_SETTLE_MINUTES..=MAX_SETTLE_MINUTES).contains(&self.settle_minutes) {
            problems
                .push(format!("journal.settle_minutes must be {MIN_SETTLE_MINUTES} to {MAX_SETTLE_MINUTES}"));
        }
        let follow = &self.follow;
        for (name, value, longest) in [
            ("first_seconds", follow.first_seconds, 3600),
            ("longest_seconds", follow.longest_seconds, 3600),
            ("read_back_minutes", follow.read_back_minutes, 24 * 60),
            ("overdue_hours", follow.overdue_hours, 7 * 24),
        ] {
            if !(1..=longest).contains(&value) {
                problems.push(format!("journal.follow.{name} must be 1 to {longest}"));
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
