//! What a reconciliation found.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::code::Code;
use crate::dry_run::spool::{Slot, Spool};
use crate::error::{Error, Result};
use crate::feed::Feed;
use crate::store::reconciliations::Explanation;

/// A kind of difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A task shows other values than the record asks for.
    ValueDiffers,
    /// An order has no task: it was never made, or it was deleted.
    TaskMissing,
    /// Two tasks were made for one order.
    TaskDuplicated,
    /// A linked task stands in no mapped project.
    TaskElsewhere,
    /// A link leads to a task that does not exist, while the order has another.
    LinkNowhere,
    /// A stored record is no longer in Oracle.
    RecordRemoved,
    /// The stored document is older than Oracle's, or there is none.
    DocumentOld,
    /// The values cannot be computed until a person has looked.
    Held,
    /// A mapped project cannot be listed.
    ProjectUnseen,
    /// A completion has neither a journal nor a reason.
    CompletionBare,
    /// A journal is said to be imported, and its batch is not in Oracle.
    BatchMissing,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 11] = [
        Kind::ValueDiffers,
        Kind::TaskMissing,
        Kind::TaskDuplicated,
        Kind::TaskElsewhere,
        Kind::LinkNowhere,
        Kind::RecordRemoved,
        Kind::DocumentOld,
        Kind::Held,
        Kind::ProjectUnseen,
        Kind::CompletionBare,
        Kind::BatchMissing,
    ];

    /// The name used in JSON and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::ValueDiffers => "value_differs",
            Kind::TaskMissing => "task_missing",
            Kind::TaskDuplicated => "task_duplicated",
            Kind::TaskElsewhere => "task_elsewhere",
            Kind::LinkNowhere => "link_nowhere",
            Kind::RecordRemoved => "record_removed",
            Kind::DocumentOld => "document_old",
            Kind::Held => "held",
            Kind::ProjectUnseen => "project_unseen",
            Kind::CompletionBare => "completion_bare",
            Kind::BatchMissing => "batch_missing",
        }
    }

    /// Whether the connector can put it right by itself; else a person must.
    #[must_use]
    pub fn is_repaired(self) -> bool {
        match self {
            Kind::ValueDiffers | Kind::TaskMissing | Kind::LinkNowhere | Kind::DocumentOld => true,
            // invoices are; `repair` says which
            Kind::RecordRemoved
            | Kind::TaskDuplicated
            | Kind::TaskElsewhere
            | Kind::Held
            | Kind::ProjectUnseen
            | Kind::CompletionBare
            | Kind::BatchMissing => false,
        }
    }
}

/// One field that shows another value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Value {
    /// What the field is for, or where a rule of the mapping leads.
    pub field: String,
    /// What should stand there; `None` for nothing.
    pub expected: Option<String>,
    /// What stands there.
    pub shown: Option<String>,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// What kind it is.
    pub kind: Kind,
    /// `purchase_orders` or `invoices`; empty where no record is concerned.
    pub feed: String,
    /// The record's id in Oracle; empty where none is concerned.
    pub source_id: String,
    /// The order's number, or those that an invoice names.
    pub order_number: String,
    /// The order line's id, when a task stands for one.
    pub line_id: String,
    /// The tasks concerned.
    pub tasks: Vec<String>,
    /// The fields that differ.
    pub values: Vec<Value>,
    /// What a person must do something about, as a stable code.
    pub code: Option<String>,
    /// In words.
    pub reason: Option<String>,
    /// The open, held or failed movement that explains it.
    pub explained: Option<Explanation>,
    /// Whether it is gone by itself soon: the record changed after the last poll, or is on its way.
    pub under_way: bool,
}

impl Difference {
    /// A difference of a kind, about nothing yet.
    pub(crate) fn of(kind: Kind) -> Difference {
        Difference {
            kind,
            feed: String::new(),
            source_id: String::new(),
            order_number: String::new(),
            line_id: String::new(),
            tasks: Vec::new(),
            values: Vec::new(),
            code: None,
            reason: None,
            explained: None,
            under_way: false,
        }
    }

    /// With the reason for which a person must look at it.
    pub(crate) fn because(mut self, code: Code, reason: impl Into<String>) -> Difference {
        self.code = Some(code.to_string());
        self.reason = Some(reason.into());
        self
    }
}

/// Everything that a reconciliation found. The differences stand in a temporary file: there may be many.
#[derive(Debug)]
pub struct Report {
    /// How many differences there are of each kind.
    pub counts: BTreeMap<Kind, u64>,
    /// How many of them an open, held or failed movement explains.
    pub explained: u64,
    /// How many are gone by themselves soon.
    pub under_way: u64,
    /// Orders and invoices that were read.
    pub records: u64,
    /// Tasks that were listed.
    pub tasks: u64,
    /// Journals whose batch was looked up.
    pub journals: u64,
    /// Invoices that are stored and no longer in Oracle.
    pub(crate) removed_invoices: u64,
    /// Known tasks that are not there any more, in no order.
    pub(crate) stale: Vec<String>,
    /// The version of the settings that were compared with.
    pub(crate) settings_version: i32,
    spool: Spool,
    slots: Vec<Slot>,
}

impl Report {
    /// An empty one.
    pub(crate) fn new(settings_version: i32) -> Result<Report> {
        Ok(Report {
            counts: BTreeMap::new(),
            explained: 0,
            under_way: 0,
            records: 0,
            tasks: 0,
            journals: 0,
            removed_invoices: 0,
            stale: Vec::new(),
            settings_version,
            spool: Spool::new()?,
            slots: Vec::new(),
        })
    }

    /// Adds a difference.
    pub(crate) fn add(&mut self, difference: &Difference) -> Result<()> {
        *self.counts.entry(difference.kind).or_default() += 1;
        self.explained += u64::from(difference.explained.is_some());
        let invoice = difference.kind == Kind::RecordRemoved && difference.feed == Feed::Invoices.as_str();
        self.removed_invoices += u64::from(invoice);
        self.under_way += u64::from(difference.under_way);
        let text = serde_json::to_string(difference).map_err(broken)?;
        self.slots.push(self.spool.add(&text)?);
        Ok(())
    }

    /// How many differences there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether both systems agree.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The difference at a place.
    pub fn difference(&mut self, place: usize) -> Result<Option<Difference>> {
        let Some(slot) = self.slots.get(place).copied() else { return Ok(None) };
        serde_json::from_str(&self.spool.get(slot)?).map(Some).map_err(broken)
    }
}

fn broken(error: serde_json::Error) -> Error {
    Error::plain(Code::DryRunBroken).because(error)
}
