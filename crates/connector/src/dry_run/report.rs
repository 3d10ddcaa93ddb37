//! What a dry run found: counts, and task by task what would be written.

use serde::{Deserialize, Serialize};

use crate::dry_run::spool::{Slot, Spool};
use crate::error::Result;
use crate::mapping::tally::Tallied;
use crate::settings::Settings;
use crate::store::dry_runs::Counts;

/// What would become of one task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It would be made.
    Create,
    /// It would be changed.
    Update,
    /// Nothing would be written until a person has looked.
    Held,
}

/// One task, or one record that is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What would happen.
    pub action: Action,
    /// `purchase_orders` or `invoices`: whose record it is.
    pub feed: String,
    /// The record's id in Oracle.
    pub source_id: String,
    /// The id of the order that the task stands for; `invoice/ID` for an invoice's own task.
    pub order_id: String,
    /// The order's number.
    pub order_number: String,
    /// The line's id, when a task stands for one.
    pub line_id: String,
    /// The task's gid; `None` for a new one.
    pub task: Option<String>,
    /// A new task's name.
    pub name: Option<String>,
    /// A new task's project.
    pub project: Option<String>,
    /// The values that would be written; the time of the last synchronisation is not among them.
    pub values: Vec<Value>,
    /// What would be done to make a value fit.
    pub notes: Vec<String>,
    /// Why it is held.
    pub code: Option<String>,
    /// Why, for this very record.
    pub reason: Option<String>,
}

/// One value, before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Value {
    /// What the field shows: a purpose, or where a rule of the mapping leads.
    pub purpose: String,
    /// What stands in Asana now.
    pub old: Option<String>,
    /// What would stand there.
    pub new: Option<String>,
}

/// A whole dry run.
#[derive(Debug)]
pub struct Report {
    /// How much there is to do.
    pub counts: Counts,
    /// Whether everything was looked at, and not only what changed since, or a part.
    pub whole: bool,
    /// What the mapping document gave over all tasks; nothing without one.
    pub mapping: Tallied,
    pub(crate) spool: Spool,
    pub(crate) slots: Vec<Slot>,
}

impl Report {
    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The entry at a place; they come one by one, since all together need not fit into memory.
    pub fn entry(&mut self, place: usize) -> Result<Option<Entry>> {
        let Some(slot) = self.slots.get(place) else { return Ok(None) };
        let text = self.spool.get(*slot)?;
        let read = serde_json::from_str(&text);
        read.map(Some).map_err(|e| crate::Error::plain(crate::Code::DryRunBroken).because(e))
    }
}

/// Minutes that so many requests to Asana take at least, at what the token's plan allows.
#[must_use]
pub fn minutes(counts: &Counts, settings: &Settings) -> u64 {
    counts.asana_requests.div_ceil(u64::from(settings.asana.requests_per_minute.max(1)))
}

/// The estimate in words.
#[must_use]
pub fn estimate(counts: &Counts, settings: &Settings) -> String {
    let minutes = match minutes(counts, settings) {
        0 | 1 => "about a minute".to_owned(),
        more => format!("at least {more} minutes"),
    };
    format!(
        "{} tasks made and {} changed with about {} requests to Asana and {} to Oracle: {minutes} at {} requests a minute",
        counts.created,
        counts.updated,
        counts.asana_requests,
        counts.oracle_requests,
        settings.asana.requests_per_minute
    )
}
