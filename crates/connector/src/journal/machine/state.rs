//! What is stored of a journal on its way: its state, and what the next decision needs besides.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::code::Code;
use crate::journal::import_code;

/// A journal on its way. Stored whole, under the fence of the node that decided.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    /// Where it stands.
    pub state: State,
    /// What the next decision needs besides.
    pub progress: Progress,
}

/// Where a journal stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// Nothing of it is in Oracle as far as is known.
    #[default]
    Ready,
    /// Its bytes may be on their way. Stored before the first one is sent.
    Submitting,
    /// Oracle accepted it under a request.
    Submitted {
        /// `ReqstId` of the load job.
        request_id: String,
    },
    /// It may or may not exist.
    InDoubt {
        /// The request, when Oracle accepted one and nothing came of it; `None` when its answer never came.
        request_id: Option<String>,
    },
    /// Its batch exists.
    Imported {
        /// `JeBatchId`.
        batch_id: String,
        /// What a person should look at.
        remarks: Vec<Remark>,
    },
    /// Oracle did not take it, and it is not sent again by itself.
    Rejected {
        /// Why.
        why: Rejection,
    },
    /// Its task was opened again before anything was sent.
    Withdrawn,
}

impl State {
    /// The stable word.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            State::Ready => "ready",
            State::Submitting => "submitting",
            State::Submitted { .. } => "submitted",
            State::InDoubt { .. } => "in_doubt",
            State::Imported { .. } => "imported",
            State::Rejected { .. } => "rejected",
            State::Withdrawn => "withdrawn",
        }
    }

    /// Whether nothing more happens by itself.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, State::Imported { .. } | State::Rejected { .. } | State::Withdrawn)
    }

    /// The request that Oracle accepted and of which nothing is known yet.
    #[must_use]
    pub fn request(&self) -> Option<&str> {
        match self {
            State::Submitted { request_id } => Some(request_id),
            State::InDoubt { request_id } => request_id.as_deref(),
            _ => None,
        }
    }
}

/// What a person should look at although the batch exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "remark", rename_all = "snake_case")]
pub enum Remark {
    /// The batch's totals are not the journal's.
    TotalsDiffer {
        /// What each side should be.
        #[serde(with = "crate::journal::exact")]
        expected: Decimal,
        /// The batch's debits.
        debits: Option<String>,
        /// The batch's credits.
        credits: Option<String>,
    },
    /// More batches than one carry its group ids.
    SeveralBatches {
        /// How many besides this one.
        more: u32,
    },
    /// The batch of an earlier sending turned up while a later one was accepted as well.
    EarlierSending {
        /// The earlier sending's generation.
        generation: u32,
    },
    /// The import warned: the job's status or its log says so.
    Warned {
        /// The codes in its log.
        codes: Vec<String>,
    },
    /// The import may have warned, and its log could not be read.
    LogUnread,
}

impl Remark {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Remark::TotalsDiffer { .. } => Code::JournalTotalsDiffer,
            Remark::SeveralBatches { .. } | Remark::EarlierSending { .. } => Code::JournalSeveralBatches,
            Remark::Warned { .. } => Code::JournalImportWarned,
            Remark::LogUnread => Code::JournalLogUnread,
        }
    }

    /// For people, as part of a sentence.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Remark::TotalsDiffer { expected, debits, credits } => {
                let total = |total: &Option<String>| total.clone().unwrap_or_else(|| "unknown".to_owned());
                let (debits, credits) = (total(debits), total(credits));
                format!("its totals differ: {debits} debits and {credits} credits instead of {expected}")
            }
            Remark::SeveralBatches { more } => format!("{more} more carry its group ids"),
            Remark::EarlierSending { generation } => {
                let sending = generation.saturating_add(1);
                format!("it is that of sending {sending}, and a later one was accepted as well")
            }
            Remark::Warned { codes } if codes.is_empty() => "the import warned without a code".to_owned(),
            Remark::Warned { codes } => {
                let words: Vec<String> = codes.iter().map(|code| import_code::in_words(code)).collect();
                format!("the import warned: {}", words.join("; "))
            }
            Remark::LogUnread => "the import's log could not be read for warnings".to_owned(),
        }
    }
}

/// Why a journal was rejected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rejection", rename_all = "snake_case")]
pub enum Rejection {
    /// Oracle answered with the request id -1.
    NotScheduled,
    /// Oracle refused the upload for good.
    Refused {
        /// Oracle's words.
        words: String,
    },
    /// All attempts were used up.
    OutOfAttempts {
        /// What the last one met.
        words: String,
    },
    /// The load job failed.
    LoadFailed,
    /// The import job failed without naming a code.
    ImportFailed,
    /// The import named codes.
    ImportRejected {
        /// The codes in the log, warnings included.
        codes: Vec<String>,
    },
}

impl Rejection {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Rejection::NotScheduled => Code::JournalNotScheduled,
            Rejection::Refused { .. } => Code::JournalRefused,
            Rejection::OutOfAttempts { .. } => Code::JournalOutOfAttempts,
            Rejection::LoadFailed => Code::JournalLoadFailed,
            Rejection::ImportFailed => Code::JournalImportFailed,
            Rejection::ImportRejected { .. } => Code::JournalImportRejected,
        }
    }

    /// Oracle's own codes.
    #[must_use]
    pub fn import_codes(&self) -> &[String] {
        match self {
            Rejection::ImportRejected { codes } => codes,
            _ => &[],
        }
    }
}

/// How a followed job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The file was not loaded.
    LoadFailed,
    /// The import failed.
    ImportFailed,
    /// The tree ended without an import job in it.
    NoImport,
    /// The import ended well.
    Ended,
    /// The import ended with a warning.
    Warned,
}

/// What is known of a job that ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// How it ended.
    pub outcome: Outcome,
    /// When that was first seen.
    pub at: Timestamp,
    /// The codes in its log; `None`: the log was not read yet.
    pub codes: Option<Vec<String>>,
}

/// A batch that was found while the import's log is still to be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// `JeBatchId`.
    pub batch_id: String,
    /// What a person should look at, as far as the batch shows it.
    pub remarks: Vec<Remark>,
    /// Whether the job ended with a warning.
    pub warned: bool,
}

/// Oracle asks for patience: refusals that use up no attempt for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patience {
    /// Why.
    pub because: Because,
    /// Since when, without another answer in between.
    pub since: Timestamp,
}

/// Why Oracle asks for patience.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// Too many requests.
    Busy,
    /// Maintenance.
    Maintenance,
}

/// What the next decision needs besides the state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// Counts the groups under which it was sent; part of the group id. A group that may have lines in
    /// Oracle is never sent again.
    pub generation: u32,
    /// Whether a submission under the present generation may have reached Oracle.
    pub tainted: bool,
    /// Whether any submission may have reached Oracle: then only proof lets it be sent again.
    pub doubted: bool,
    /// Whether a look-up must come before the next submission: something was sent before.
    pub look_first: bool,
    /// Attempts used up.
    pub attempts: u32,
    /// Refusals in a row.
    pub refusals: u32,
    /// What Oracle asks patience for, and since when.
    pub patience: Option<Patience>,
    /// No submission before this.
    pub not_before: Option<Timestamp>,
    /// When the last submission began.
    pub submitted_at: Option<Timestamp>,
    /// From when the time of settling counts.
    pub quiet_since: Option<Timestamp>,
    /// Reads in a row that failed.
    pub misses: u32,
    /// How the followed job ended.
    pub verdict: Option<Verdict>,
    /// How often the followed job's log was asked for.
    pub log_reads: u32,
    /// The batch, when it was found and only the log is still to be read.
    pub found: Option<Found>,
    /// Whether the task was opened again before anything was known to be in Oracle.
    pub reopened: bool,
}

impl Journal {
    /// Whether it was never sent, not even in vain, or not since a person had it sent anew under a new group: only
    /// then may it still be dated anew.
    #[must_use]
    pub fn is_unsent(&self) -> bool {
        self.state == State::Ready && self.progress.submitted_at.is_none()
    }

    /// Whether only a look-up that was proved to find batches lets it be sent: a sending before it may have arrived.
    #[must_use]
    pub fn needs_proof(&self) -> bool {
        match self.state {
            State::InDoubt { request_id: None } => true,
            State::Ready => self.progress.doubted,
            _ => false,
        }
    }

    /// When the time is over in which a job that Oracle accepted may still bring a batch; `None` as long as it is not
    /// known since when that counts.
    #[must_use]
    pub fn settled_at(&self, settle: std::time::Duration) -> Option<Timestamp> {
        let since = self.progress.quiet_since.max(self.progress.submitted_at)?;
        Some(super::after(since, settle))
    }

    /// The generations under whose group ids a batch may exist.
    #[must_use]
    pub fn generations(&self) -> std::ops::RangeInclusive<u32> {
        0..=self.progress.generation
    }
}
