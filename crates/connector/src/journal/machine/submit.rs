//! Sending: from ready to whatever the upload's answer makes of it.

use super::state::{Because, Patience};
use super::{
    Action, Context, Journal, MAX_ATTEMPTS, MAX_MAINTENANCE, PERIOD, Progress, Refusal, Rejection, State,
    Step, after, doubt, growing, resume as resume_any, since, unmoved,
};
use crate::backoff;
use crate::code::Code;

/// A journal that is ready: wait, look, or send.
pub(super) fn resume(journal: Journal, context: &Context) -> Step {
    if let Some(wait) = too_early(&journal, context) {
        return Step::new(journal, Action::Wait(wait), "waiting before the next attempt");
    }
    if journal.progress.look_first {
        return Step::new(journal, Action::LookUp, "looking for a batch before it is sent again");
    }
    begin(journal, "sending the journal", context)
}

/// How long to wait until the next submission is allowed; an hour at most, were the clock to go back.
pub(super) fn too_early(journal: &Journal, context: &Context) -> Option<std::time::Duration> {
    let not_before = journal.progress.not_before.filter(|at| *at > context.now)?;
    Some(since(context.now, not_before).min(backoff::MAX_RETRY_AFTER))
}

/// Marks the journal as being sent. The caller stores this before the first byte.
pub(super) fn begin(mut journal: Journal, words: &str, context: &Context) -> Step {
    if journal.progress.reopened {
        journal.state = State::Withdrawn;
        return Step::new(journal, Action::Done, "the task was opened again before the journal was sent");
    }
    journal.state = State::Submitting;
    journal.progress.submitted_at = Some(context.now);
    journal.progress.not_before = None;
    (journal.progress.verdict, journal.progress.log_reads) = (None, 0);
    journal.progress.look_first = true;
    Step::new(journal, Action::Submit, words)
}

/// No batch, and nothing that was sent before can have arrived: every sending was refused for certain, or a
/// person decided.
pub(super) fn nothing_found(journal: Journal, context: &Context) -> Step {
    match too_early(&journal, context) {
        Some(wait) => Step::new(journal, Action::Wait(wait), "waiting before the next attempt"),
        None => begin(journal, "no batch was found; sending the journal", context),
    }
}

/// The ledger takes no entries on the date of a journal that was never sent.
pub(super) fn not_enterable(journal: Journal, code: Code, words: &str, context: &Context) -> Step {
    if !journal.is_unsent() {
        return unmoved(journal, context);
    }
    // an earlier sending that may be in Oracle is not withdrawn by this: only proof says that there is nothing
    if journal.progress.reopened && !journal.needs_proof() {
        return begin(journal, "", context);
    }
    Step::new(journal, Action::Wait(PERIOD), format!("the journal waits: {words}")).alert(code)
}

pub(super) fn reopened(mut journal: Journal, context: &Context) -> Step {
    if journal.state.is_final() {
        return unmoved(journal, context);
    }
    journal.progress.reopened = true;
    if journal.state == State::Ready && !journal.progress.look_first {
        return begin(journal, "", context);
    }
    unmoved(journal, context)
}

/// A request exists. Whatever state the journal is in, that is the stronger evidence.
pub(super) fn accepted(mut journal: Journal, request_id: &str, context: &Context) -> Step {
    if matches!(journal.state, State::Imported { .. } | State::Submitted { .. }) {
        return unmoved(journal, context);
    }
    let progress = &mut journal.progress;
    (progress.tainted, progress.look_first) = (true, true);
    (progress.refusals, progress.patience) = (0, None);
    progress.submitted_at.get_or_insert(context.now);
    journal.state = State::Submitted { request_id: request_id.to_owned() };
    let words = format!("Oracle accepted the journal as request {request_id}");
    Step::new(journal, Action::Wait(context.limits.first), words)
}

pub(super) fn not_scheduled(journal: Journal, context: &Context) -> Step {
    if journal.state != State::Submitting {
        return unmoved(journal, context);
    }
    reject(journal, Rejection::NotScheduled, "Oracle did not schedule the import (request id -1)")
}

pub(super) fn may_have_happened(journal: Journal, words: &str, context: &Context) -> Step {
    if journal.state != State::Submitting {
        return unmoved(journal, context);
    }
    doubt::enter(journal, &format!("it is not known whether the journal arrived: {words}"), context)
}

/// The upload certainly did not happen.
pub(super) fn refused(mut journal: Journal, refusal: &Refusal, context: &Context) -> Step {
    if journal.state != State::Submitting {
        return unmoved(journal, context);
    }
    let words = match refusal {
        Refusal::Busy { .. } => "Oracle asks to slow down",
        Refusal::Maintenance => "Oracle is in maintenance",
        Refusal::Unauthorized { words } | Refusal::Unreachable { words } => words,
        Refusal::Permanent { words } => {
            let why = Rejection::Refused { words: words.clone() };
            return reject(journal, why, &format!("Oracle refused the upload: {words}"));
        }
    };
    let patient = is_patient(&mut journal.progress, refusal, context);
    let progress = &mut journal.progress;
    progress.refusals = progress.refusals.saturating_add(1);
    if !patient {
        progress.attempts = progress.attempts.saturating_add(1);
        if progress.attempts >= MAX_ATTEMPTS {
            let text = format!("given up after {MAX_ATTEMPTS} attempts: {words}");
            return reject(journal, Rejection::OutOfAttempts { words: words.to_owned() }, &text);
        }
    }
    let wait = match refusal {
        Refusal::Busy { retry_after } => {
            backoff::asked_for(*retry_after, growing(progress.refusals, backoff::CAP, context.random))
        }
        Refusal::Maintenance => growing(progress.refusals, backoff::MAINTENANCE_STEP, context.random),
        _ => backoff::full_jitter(progress.attempts, context.random),
    };
    progress.not_before = Some(after(context.now, wait));
    // an earlier sending may still be in Oracle: only proof lets this one be sent
    journal.state = if journal.progress.doubted { State::InDoubt { request_id: None } } else { State::Ready };
    Step::new(journal, Action::Wait(wait), words)
}

/// Whether Oracle has asked for patience for less than it may: then no attempt is used up.
fn is_patient(progress: &mut Progress, refusal: &Refusal, context: &Context) -> bool {
    let (because, longest) = match refusal {
        Refusal::Busy { .. } => (Because::Busy, backoff::MAX_RETRY_AFTER),
        Refusal::Maintenance => (Because::Maintenance, MAX_MAINTENANCE),
        _ => {
            progress.patience = None;
            return false;
        }
    };
    let asked = progress.patience.filter(|patience| patience.because == because);
    let patience = asked.unwrap_or(Patience { because, since: context.now });
    progress.patience = Some(patience);
    since(patience.since, context.now) < longest
}

pub(super) fn reject(mut journal: Journal, why: Rejection, words: &str) -> Step {
    let code = why.code();
    journal.state = State::Rejected { why };
    Step::new(journal, Action::Done, words).alert(code)
}

/// Makes a journal ready again under a new group: lines of the old one may be left in the interface. One that was in
/// doubt stays doubted, so that it is proof alone which lets it be sent, whatever a person saw before.
pub(super) fn anew(mut journal: Journal, context: &Context) -> Step {
    let generation = journal.progress.generation.saturating_add(1);
    let before = std::mem::take(&mut journal.progress);
    journal.progress = Progress { generation, look_first: true, ..Progress::default() };
    if matches!(journal.state, State::InDoubt { .. }) {
        journal.progress.doubted = true;
        journal.progress.quiet_since = before.quiet_since.max(before.submitted_at);
        journal.progress.reopened = before.reopened;
    }
    journal.state = State::Ready;
    resume_any(journal, context)
}
