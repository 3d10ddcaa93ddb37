//! What is done next with a journal on its way to Oracle: a state machine as a pure function.
//!
//! It never sends a journal twice unless it was proved that the first sending left nothing: an upload has
//! no idempotency of its own, and two imports make two batches. The caller commits the step's journal
//! **before** it does the step's action, under its fence, and hands back what it saw. It is to be called
//! with [`Observation::Claimed`] whenever a node takes the journal; that is the normal path and the one
//! after a crash alike.
//!
//! ```text
//! ready -> submitting -> submitted -> imported | rejected
//!   |          |             |
//!   |          +-> in_doubt <+    in_doubt -> imported | rejected | submitting | withdrawn
//!   +-> withdrawn
//! ```

mod doubt;
mod follow;
mod found;
mod observation;
mod state;
mod submit;

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

pub use observation::{Batch, Decision, JobTree, Log, Observation, ReadFailure, Refusal, Trust};
pub use state::{Because, Found, Journal, Outcome, Patience, Progress, Rejection, Remark, State, Verdict};

use super::settings::JournalSettings;
use crate::backoff;
use crate::code::Code;

/// A submission that keeps failing is given up after this many attempts.
pub const MAX_ATTEMPTS: u32 = backoff::MAX_ATTEMPTS;
/// Oracle asks its clients to allow for maintenance of up to eight hours.
pub const MAX_MAINTENANCE: Duration = backoff::MAX_MAINTENANCE;
/// How often a journal looks whether its period takes entries.
const PERIOD: Duration = Duration::from_hours(1);

/// What the machine waits for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// For how long a submission in doubt is looked for before it may be sent again.
    pub settle: Duration,
    /// From the submission to the first look.
    pub first: Duration,
    /// Between two looks, at most.
    pub longest: Duration,
    /// For how long the batch of an ended job is looked for.
    pub read_back: Duration,
    /// After how long a job that still runs is reported.
    pub overdue: Duration,
}

impl Limits {
    /// The limits that the settings ask for.
    #[must_use]
    pub fn of(settings: &JournalSettings) -> Limits {
        let follow = &settings.follow;
        let seconds = |seconds: u32| Duration::from_secs(u64::from(seconds));
        Limits {
            settle: settings.settle(),
            first: seconds(follow.first_seconds),
            longest: seconds(follow.longest_seconds.max(follow.first_seconds)),
            read_back: seconds(follow.read_back_minutes.saturating_mul(60)),
            overdue: seconds(follow.overdue_hours.saturating_mul(3600)),
        }
    }
}

/// What a decision depends on besides the journal and what was seen.
#[derive(Debug, Clone, Copy)]
pub struct Context {
    /// The present instant.
    pub now: Timestamp,
    /// A random number, for the jitter of waits.
    pub random: u64,
    /// How long things may take.
    pub limits: Limits,
    /// What each side of the batch should be; see [`super::JournalPlan::expected`].
    pub expected: Option<Decimal>,
    /// Whether Oracle may put lines with account errors to suspense: then an import that succeeded may have
    /// something to tell.
    pub suspense: bool,
}

/// What is done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Look for a batch under the group id of every generation; see [`Journal::generations`].
    LookUp,
    /// Send the document of the present generation.
    Submit,
    /// Look at the request's job tree.
    Follow {
        /// The request.
        request_id: String,
    },
    /// Read the request's log.
    ReadLog {
        /// The request.
        request_id: String,
    },
    /// Look for the batch of an accepted request: the same question as [`Action::LookUp`].
    ReadBack,
    /// Let it go until this time has passed, then claim it again.
    Wait(Duration),
    /// Nothing more happens by itself.
    Done,
}

/// A decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What is stored now, before the action.
    pub journal: Journal,
    /// What is done next.
    pub action: Action,
    /// What happened and why, for the log.
    pub words: String,
    /// What a person should know. To be closed when a later step brings none.
    pub alert: Option<Code>,
}

impl Step {
    fn new(journal: Journal, action: Action, words: impl Into<String>) -> Step {
        Step { journal, action, words: words.into(), alert: None }
    }

    fn alert(mut self, code: Code) -> Step {
        self.alert = Some(code);
        self
    }
}

/// Decides what an observation means. Every state takes every observation: one that does not belong to
/// it changes nothing and asks for what the state needs.
#[must_use]
pub fn step(mut journal: Journal, seen: &Observation, context: &Context) -> Step {
    if matches!(
        seen,
        Observation::BatchFound(_) | Observation::NoBatch(_) | Observation::Job(_) | Observation::Log(_)
    ) {
        journal.progress.misses = 0;
    }
    if journal.progress.found.is_some() {
        return found::seen(journal, seen, context);
    }
    match seen {
        Observation::Claimed => resume(journal, context),
        Observation::TaskReopened => submit::reopened(journal, context),
        Observation::Accepted { request_id } => submit::accepted(journal, request_id, context),
        Observation::NotScheduled => submit::not_scheduled(journal, context),
        Observation::Refused(refusal) => submit::refused(journal, refusal, context),
        Observation::MayHaveHappened { words } => submit::may_have_happened(journal, words, context),
        Observation::BatchFound(batch) => found::found(journal, batch, context),
        Observation::NoBatch(trust) => match journal.state {
            State::Ready if !journal.needs_proof() => submit::nothing_found(journal, context),
            State::Ready | State::InDoubt { request_id: None } => {
                doubt::nothing_found(journal, *trust, context)
            }
            State::Submitted { .. } | State::InDoubt { .. } => follow::nothing_found(journal, context),
            _ => unmoved(journal, context),
        },
        Observation::NotEnterable { code, words } => submit::not_enterable(journal, *code, words, context),
        Observation::Job(tree) => follow::job(journal, *tree, context),
        Observation::Log(log) => follow::log(journal, log, context),
        Observation::ReadFailed(failure) => read_failed(journal, *failure, context),
        Observation::Hint { request_id } => hinted(journal, request_id, context),
        Observation::Person(decision) => doubt::decided(journal, *decision, context),
    }
}

/// What the journal needs when a node takes it.
fn resume(journal: Journal, context: &Context) -> Step {
    match &journal.state {
        State::Ready => submit::resume(journal, context),
        State::Submitting => {
            let words = "a node stopped while it was sending; the journal may have arrived";
            let mut step = doubt::enter(journal, words, context);
            step.action = Action::LookUp;
            step
        }
        State::InDoubt { request_id: None } => {
            Step::new(journal, Action::LookUp, "looking for the batch of a journal in doubt")
        }
        State::Submitted { .. } | State::InDoubt { .. } => follow::resume(journal),
        State::Imported { .. } | State::Rejected { .. } | State::Withdrawn => unmoved(journal, context),
    }
}

/// The observation does not belong to the state. Unlike [`resume`] this takes no sending node for dead.
fn unmoved(journal: Journal, context: &Context) -> Step {
    match &journal.state {
        State::Submitting => {
            Step::new(journal, Action::Wait(context.limits.first), "another node is sending the journal")
        }
        state if state.is_final() => {
            let words = format!("nothing is left to do: the journal is {}", state.as_str());
            Step::new(journal, Action::Done, words)
        }
        _ => resume(journal, context),
    }
}

fn read_failed(mut journal: Journal, failure: ReadFailure, context: &Context) -> Step {
    if journal.state.is_final() || journal.state == State::Submitting {
        return unmoved(journal, context);
    }
    journal.progress.misses = journal.progress.misses.saturating_add(1);
    match failure {
        ReadFailure::Maintenance => {
            // it says nothing of the log that may have been asked for
            journal.progress.log_reads = 0;
            // no job runs meanwhile: one that was accepted before may come this much later
            if journal.state == (State::InDoubt { request_id: None }) {
                journal.progress.quiet_since = Some(context.now);
            }
            let wait = growing(journal.progress.misses, backoff::MAINTENANCE_STEP, context.random);
            Step::new(journal, Action::Wait(wait), "Oracle is in maintenance")
        }
        ReadFailure::Other { retry_after } => {
            let own = growing(journal.progress.misses, backoff::CAP, context.random);
            let wait = backoff::asked_for(retry_after, own);
            Step::new(journal, Action::Wait(wait), "Oracle could not be read")
        }
    }
}

/// A hint moves nothing: it only makes the next look happen now.
fn hinted(journal: Journal, request_id: &str, context: &Context) -> Step {
    let mut step = unmoved(journal, context);
    if step.journal.state.request() == Some(request_id) {
        step.words = format!("Oracle says that request {request_id} has ended; looking");
    }
    step
}

/// The time since an instant; zero when the clock went back.
fn since(instant: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(instant)).unwrap_or(Duration::ZERO)
}

fn after(now: Timestamp, wait: Duration) -> Timestamp {
    let span = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
    now.checked_add(span).unwrap_or(Timestamp::MAX)
}

/// A wait that doubles up to a cap; between a half and the whole of it, so that many do not come at once.
fn growing(times: u32, cap: Duration, random: u64) -> Duration {
    let whole = backoff::BASE.saturating_mul(1 << times.saturating_sub(1).min(16)).min(cap);
    let half = whole / 2;
    let spread = u64::try_from(half.as_millis()).unwrap_or(u64::MAX).saturating_add(1);
    half + Duration::from_millis(random % spread)
}
