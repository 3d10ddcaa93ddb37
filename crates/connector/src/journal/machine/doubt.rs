//! In doubt: it is looked for until it is found, or until it is proved that there is nothing to find.

use super::{
    Action, Context, Decision, Journal, MAX_ATTEMPTS, Rejection, State, Step, Trust, since, submit, unmoved,
};
use crate::code::Code;

/// A submission may have reached Oracle.
pub(super) fn enter(mut journal: Journal, words: &str, context: &Context) -> Step {
    let progress = &mut journal.progress;
    (progress.tainted, progress.doubted) = (true, true);
    (progress.refusals, progress.patience) = (0, None);
    progress.attempts = progress.attempts.saturating_add(1);
    progress.quiet_since = Some(context.now);
    journal.state = State::InDoubt { request_id: None };
    Step::new(journal, Action::Wait(context.limits.first), words)
}

/// No batch is seen of a journal whose upload was never answered, or that a person had sent anew out of a doubt.
///
/// An accepted job may wait in a queue, and its batch comes later. So it is sent again only when the time
/// of settling has passed and an answer that can be trusted shows nothing; and then under a new group, so
/// that lines which the first sending may have left in the interface are not imported along with it.
pub(super) fn nothing_found(mut journal: Journal, trust: Trust, context: &Context) -> Step {
    journal.state = State::InDoubt { request_id: None };
    let quiet_since = *journal.progress.quiet_since.get_or_insert(context.now);
    let left = context.limits.settle.saturating_sub(since(quiet_since, context.now));
    if !left.is_zero() {
        let wait = left.min(context.limits.longest);
        return Step::new(
            journal,
            Action::Wait(wait),
            "no batch yet; an accepted job may still wait in a queue",
        );
    }
    if trust != Trust::Proved {
        let words = match trust {
            Trust::NothingVisible => "no batch of the ledger is visible at all, so it cannot be told",
            _ => "the look-up was not proved to find batches, so it cannot be told",
        };
        let words = format!("{words} whether the journal exists; a person must look");
        return Step::new(journal, Action::Wait(context.limits.longest), words).alert(Code::JournalInDoubt);
    }
    if let Some(wait) = submit::too_early(&journal, context) {
        return Step::new(journal, Action::Wait(wait), "waiting before the next attempt");
    }
    if journal.progress.attempts >= MAX_ATTEMPTS && !journal.progress.reopened {
        let words = format!("no answer came to {MAX_ATTEMPTS} submissions, and none left a batch");
        return submit::reject(journal, Rejection::OutOfAttempts { words: words.clone() }, &words);
    }
    if journal.progress.tainted {
        journal.progress.generation = journal.progress.generation.saturating_add(1);
        journal.progress.tainted = false;
    }
    submit::begin(
        journal,
        "it is proved that there is no batch; sending the journal under a new group",
        context,
    )
}

/// A person decided about a journal that is rejected or in doubt.
pub(super) fn decided(mut journal: Journal, decision: Decision, context: &Context) -> Step {
    match (&journal.state, decision) {
        (State::Rejected { .. } | State::InDoubt { .. }, Decision::SendAnew) => {
            submit::anew(journal, context)
        }
        (State::InDoubt { .. }, Decision::GiveUp) => {
            journal.state = State::Withdrawn;
            Step::new(journal, Action::Done, "the journal is given up; it is not in Oracle")
        }
        (state, _) => {
            let words = format!("a journal that is {} is not decided like that", state.as_str());
            Step { words, ..unmoved(journal, context) }
        }
    }
}
