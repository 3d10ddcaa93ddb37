//! Following an accepted request: its job, its log, and the batch that should come of it.
//!
//! No word of the job is believed by itself: a warning and even a success are verified by the batch, and
//! a failure by its absence. An accepted request is never sent again by itself.

use std::time::Duration;

use super::{
    Action, Context, JobTree, Journal, Log, MAX_LOG_READS, Outcome, Rejection, State, Step, Verdict, growing,
    since, submit, unmoved,
};
use crate::backoff;
use crate::code::Code;
use crate::journal::import_code;

/// What an accepted request needs next.
pub(super) fn resume(journal: Journal) -> Step {
    let request_id = journal.state.request().unwrap_or_default().to_owned();
    match &journal.progress.verdict {
        Some(Verdict { outcome: Outcome::Ended, .. }) => {
            Step::new(journal, Action::ReadBack, "the import ended; looking for its batch")
        }
        Some(Verdict { outcome: Outcome::LoadFailed | Outcome::ImportFailed, codes: None, .. }) => {
            Step::new(journal, Action::ReadLog { request_id }, "the job failed; reading its log")
        }
        Some(Verdict { outcome: Outcome::LoadFailed | Outcome::ImportFailed, .. }) => {
            Step::new(journal, Action::ReadBack, "the job failed; making sure that there is no batch")
        }
        Some(Verdict { outcome: Outcome::NoImport, .. }) | None => {
            let words = format!("looking at request {request_id}");
            Step::new(journal, Action::Follow { request_id }, words)
        }
    }
}

/// What the job tree shows.
pub(super) fn job(mut journal: Journal, tree: JobTree, context: &Context) -> Step {
    let Some(request_id) = journal.state.request().map(str::to_owned) else {
        return unmoved(journal, context);
    };
    let outcome = match tree {
        JobTree::Running | JobTree::ImportRunning => {
            journal.state = State::Submitted { request_id };
            journal.progress.verdict = None;
            return running(journal, context);
        }
        JobTree::NotVisible => {
            let words = format!("Oracle shows nothing for request {request_id}; looking for its batch");
            return Step::new(journal, Action::ReadBack, words);
        }
        JobTree::LoadFailed => Outcome::LoadFailed,
        JobTree::ImportFailed => Outcome::ImportFailed,
        JobTree::NoImportJob => Outcome::NoImport,
        JobTree::ImportSucceeded | JobTree::ImportWarning => Outcome::Ended,
    };
    if journal.progress.verdict.as_ref().is_none_or(|known| known.outcome != outcome) {
        journal.progress.verdict = Some(Verdict { outcome, at: context.now, codes: None });
    }
    if outcome == Outcome::NoImport {
        return Step::new(journal, Action::ReadBack, "the job ended without an import; looking for a batch");
    }
    resume(journal)
}

fn running(journal: Journal, context: &Context) -> Step {
    let taken = journal.progress.submitted_at.map_or(Duration::ZERO, |at| since(at, context.now));
    let step = Step::new(journal, Action::Wait(pause(taken, context)), "the job runs");
    if taken >= context.limits.overdue { step.alert(Code::JournalSlow) } else { step }
}

/// The longer it has taken, the less often it is looked at.
fn pause(taken: Duration, context: &Context) -> Duration {
    (taken / 4).clamp(context.limits.first, context.limits.longest.max(context.limits.first))
}

/// What the log says. The batch is looked for once more before anything follows from it.
pub(super) fn log(mut journal: Journal, log: &Log, context: &Context) -> Step {
    if journal.state.request().is_none() {
        return unmoved(journal, context);
    }
    let misses = journal.progress.misses.saturating_add(1);
    let Some(verdict) = &mut journal.progress.verdict else {
        return resume(journal);
    };
    let words = match log {
        Log::Codes(codes) => {
            verdict.codes = Some(codes.clone());
            if codes.is_empty() { "the log names no code".to_owned() } else { codes.join(", ") }
        }
        Log::Unreadable if misses < MAX_LOG_READS => {
            journal.progress.misses = misses;
            let wait = growing(misses, backoff::CAP, context.random);
            return Step::new(journal, Action::Wait(wait), "the log cannot be read yet");
        }
        Log::Unreadable => {
            verdict.codes = Some(Vec::new());
            "the log cannot be read".to_owned()
        }
    };
    journal.progress.misses = 0;
    Step::new(journal, Action::ReadBack, words)
}

/// No batch of an accepted request is seen.
pub(super) fn nothing_found(journal: Journal, context: &Context) -> Step {
    let request_id = journal.state.request().unwrap_or_default().to_owned();
    let Some(verdict) = &journal.progress.verdict else {
        let taken = journal.progress.submitted_at.map_or(Duration::ZERO, |at| since(at, context.now));
        if taken >= context.limits.overdue {
            return for_a_person(journal, "Oracle shows neither the job nor a batch", context);
        }
        let words = format!("neither request {request_id} nor a batch is visible yet");
        return Step::new(journal, Action::Wait(pause(taken, context)), words);
    };
    let Some(codes) = &verdict.codes else {
        return Step::new(journal, Action::ReadLog { request_id }, "there is no batch; reading the log");
    };
    if codes.iter().any(|code| import_code::rejects(code)) {
        let words: Vec<String> = codes.iter().map(|code| import_code::in_words(code)).collect();
        let words = format!("Oracle rejected the journal: {}", words.join("; "));
        let why = Rejection::ImportRejected { codes: codes.clone() };
        return submit::reject(journal, why, &words);
    }
    match verdict.outcome {
        Outcome::LoadFailed => {
            submit::reject(journal, Rejection::LoadFailed, "Oracle could not load the file")
        }
        Outcome::ImportFailed => submit::reject(journal, Rejection::ImportFailed, "the import job failed"),
        Outcome::NoImport | Outcome::Ended => {
            let taken = since(verdict.at, context.now);
            if taken >= context.limits.read_back {
                return for_a_person(
                    journal,
                    "the job ended, and neither a batch nor an error is seen",
                    context,
                );
            }
            let wait = pause(taken, context);
            Step::new(journal, Action::Wait(wait), "the job ended, its batch is not visible yet")
        }
    }
}

/// An accepted request of which nothing came: it may exist, so it is never sent again by itself, but it
/// is looked for on and on.
fn for_a_person(mut journal: Journal, words: &str, context: &Context) -> Step {
    journal.state = State::InDoubt { request_id: journal.state.request().map(str::to_owned) };
    let words = format!("{words}; a person must look");
    Step::new(journal, Action::Wait(context.limits.longest), words).alert(Code::JournalInDoubt)
}
