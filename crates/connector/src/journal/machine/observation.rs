//! What can be seen of a journal on its way. The caller translates Oracle's answers into these.

use std::time::Duration;

use rust_decimal::Decimal;

use crate::code::Code;

/// Something that was seen, and that the next step depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation {
    /// A node took the journal under a new fence: at its first turn, after a wait, or after a crash. A
    /// journal found submitting then was left by a node that may have sent its bytes.
    Claimed,
    /// The task was opened again.
    TaskReopened,
    /// The upload was answered with a request id above zero.
    Accepted {
        /// `ReqstId`.
        request_id: String,
    },
    /// The upload was answered with the request id -1.
    NotScheduled,
    /// The upload certainly did not happen.
    Refused(Refusal),
    /// The upload's answer did not arrive, or was a server error: it may have happened.
    MayHaveHappened {
        /// What was seen.
        words: String,
    },
    /// A batch carries one of the journal's group ids.
    BatchFound(Batch),
    /// No batch does, as far as can be seen.
    NoBatch(Trust),
    /// No batch does, and the ledger takes no entries on the date of this journal, which was never sent; by the
    /// settings that is waited for.
    NotEnterable {
        /// Why it waits, as a code.
        code: Code,
        /// Why, in words.
        words: String,
    },
    /// What the request's job tree shows.
    Job(JobTree),
    /// What the request's log says.
    Log(Log),
    /// A read failed: a look-up, a look at the job, or at the log.
    ReadFailed(ReadFailure),
    /// Oracle's callback named a request. Anybody can send one, so it is only a hint to look.
    Hint {
        /// The request it names.
        request_id: String,
    },
    /// A person decided.
    Person(Decision),
}

/// Why an upload certainly did not happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// 429.
    Busy {
        /// What Oracle asks for.
        retry_after: Option<Duration>,
    },
    /// 503 with the maintenance wording.
    Maintenance,
    /// 401, also with a fresh token.
    Unauthorized {
        /// What was seen.
        words: String,
    },
    /// No connection was made, or the door in front of Oracle was shut (503).
    Unreachable {
        /// What was seen.
        words: String,
    },
    /// 400, 403, 404, 422: asking again would not help.
    Permanent {
        /// Oracle's words.
        words: String,
    },
}

/// A batch that carries one of the journal's group ids in its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// `JeBatchId`.
    pub id: String,
    /// The generation whose group id it carries.
    pub generation: u32,
    /// `RunningTotalAccountedDr`.
    pub debits: Option<Decimal>,
    /// `RunningTotalAccountedCr`.
    pub credits: Option<Decimal>,
    /// How many other batches carry one.
    pub more: u32,
}

/// Whether an empty answer proves that there is no batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// The same form of pattern found a batch that is known to exist.
    Proved,
    /// It was not seen to find anything: the pod may want the other wildcard.
    PatternUnproved,
    /// No batch of the ledger is visible at all: the user may lack access.
    NothingVisible,
}

/// What a request's job tree shows. The import job decides: a load that succeeded says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobTree {
    /// Not ended; a paused parent waits for its children.
    Running,
    /// The load job failed.
    LoadFailed,
    /// The import job runs.
    ImportRunning,
    /// The import job succeeded.
    ImportSucceeded,
    /// The import job ended with a warning.
    ImportWarning,
    /// The import job failed, was canceled or expired.
    ImportFailed,
    /// The tree ended and has no import job.
    NoImportJob,
    /// Oracle shows nothing for the request.
    NotVisible,
}

/// What a request's log says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Log {
    /// The codes in it; see [`oracle_fusion::import_codes`].
    Codes(Vec<String>),
    /// There is none, or it cannot be read.
    Unreadable,
}

/// Why a read failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadFailure {
    /// 503 with the maintenance wording: jobs stand still meanwhile.
    Maintenance,
    /// Anything else.
    Other {
        /// What Oracle asks for.
        retry_after: Option<Duration>,
    },
}

/// What a person can decide about a journal. That it exists is none of it: a batch is seen, never believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Send it again, under a new group; for one that is rejected or in doubt.
    SendAnew,
    /// Send it no more; for one in doubt of which the caller has seen that it is not in Oracle.
    GiveUp,
}
