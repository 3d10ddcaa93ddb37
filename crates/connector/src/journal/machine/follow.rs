//! Following an accepted request: its job, its log, and the batch that should come of it.
//!
//! No word of the job is believed by itself: a warning and even a success are verified by the batch, and
//! a failure by its absence. An accepted request is never sent again by itself.

use std::time::Duration;

use super::{
    Action, Context, JobTree, Journal, Log, Outcome, Rejection, State, Step, Verdict, growing, since, submit,
    unmoved,
};
use crate::backoff;
use crate::code::Code;
use crate::journal::import_code;

/// A log of which Oracle says that there is none, or which cannot be opened, is asked for this often.
pub(super) const MAX_UNREADABLE: u32 = 3;
/// However the reading fails, a log is asked for this often: what is known without it is told then.
const MAX_LOG_READS: u32 = 12;

/// Whether the log was not read yet and is still asked for.
pub(super) fn wants_log(journal: &Journal) -> bool {
    let read = journal.progress.verdict.as_ref().is_some_and(|verdict| verdict.codes.is_some());
    !read && journal.progress.log_reads < MAX_LOG_READS
}

/// Asks for the log of the followed request.
pub(super) fn ask_for_log(mut journal: Journal, words: &str) -> Step {
    let request_id = journal.state.request().unwrap_or_default().to_owned();
    journal.progress.log_reads = journal.progress.log_reads.saturating_add(1);
    Step::new(journal, Action::ReadLog { request_id }, words)
}

/// What an accepted request needs next.
pub(super) fn resume(journal: Journal) -> Step {
    let request_id = journal.state.request().unwrap_or_default().to_owned();
    match &journal.progress.verdict {
        Some(Verdict { outcome: Outcome::Ended | Outcome::Warned, .. }) => {
            Step::new(journal, Action::ReadBack, "the import ended; looking for its batch")
        }
        Some(Verdict { outcome: Outcome::LoadFailed | Outcome::ImportFailed, .. }) if wants_log(&journal) => {
            ask_for_log(journal, "the job failed; reading its log")
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
            (journal.progress.verdict, journal.progress.log_reads) = (None, 0);
            return running(journal, context);
        }
        JobTree::NotVisible => {
            let words = format!("Oracle shows nothing for request {request_id}; looking for its batch");
            return Step::new(journal, Action::ReadBack, words);
        }
        JobTree::LoadFailed => Outcome::LoadFailed,
        JobTree::ImportFailed => Outcome::ImportFailed,
        JobTree::NoImportJob => Outcome::NoImport,
        JobTree::ImportSucceeded => Outcome::Ended,
        JobTree::ImportWarning => Outcome::Warned,
    };
    if journal.progress.verdict.as_ref().is_none_or(|known| known.outcome != outcome) {
        journal.progress.verdict = Some(Verdict { outcome, at: context.now, codes: None });
        journal.progress.log_reads = 0;
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
    let asked = journal.progress.log_reads;
    let Some(verdict) = &mut journal.progress.verdict else {
        return resume(journal);
    };
    let words = match log {
        Log::Codes(codes) => {
            verdict.codes = Some(codes.clone());
            if codes.is_empty() { "the log names no code".to_owned() } else { codes.join(", ") }
        }
        Log::Unreadable if asked < MAX_UNREADABLE => {
            let wait = growing(asked, backoff::CAP, context.random);
            return Step::new(journal, Action::Wait(wait), "the log cannot be read yet");
        }
        Log::Unreadable => {
            journal.progress.log_reads = MAX_LOG_READS;
            "the log cannot be read".to_owned()
        }
    };
    Step::new(journal, Action::ReadBack, words)
}

/// No batch of an accepted request is seen.
pub(super) fn nothing_found(journal: Journal, context: &Context) -> Step {
    let Some(verdict) = &journal.progress.verdict else {
        let request_id = journal.state.request().unwrap_or_default();
        let taken = journal.progress.submitted_at.map_or(Duration::ZERO, |at| since(at, context.now));
        if taken >= context.limits.overdue {
            return for_a_person(journal, "Oracle shows neither the job nor a batch", context);
        }
        let words = format!("neither request {request_id} nor a batch is visible yet");
        return Step::new(journal, Action::Wait(pause(taken, context)), words);
    };
    if wants_log(&journal) {
        return ask_for_log(journal, "there is no batch; reading the log");
    }
    let codes = verdict.codes.clone().unwrap_or_default();
    // what only has the form of a code is no evidence against a job that ended well: its batch may come late
    let outcome = verdict.outcome;
    let counts = |code: &str| outcome != Outcome::Ended || import_code::find(code).is_some();
    if codes.iter().any(|code| import_code::rejects(code) && counts(code)) {
        let words: Vec<String> = codes.iter().map(|code| import_code::in_words(code)).collect();
        let words = format!("Oracle rejected the journal: {}", words.join("; "));
        let why = Rejection::ImportRejected { codes };
        return submit::reject(journal, why, &words);
    }
    match outcome {
        Outcome::LoadFailed => {
            submit::reject(journal, Rejection::LoadFailed, "Oracle could not load the file")
        }
        Outcome::ImportFailed => submit::reject(journal, Rejection::ImportFailed, "the import job failed"),
        Outcome::NoImport | Outcome::Ended | Outcome::Warned => {
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
/// is looked for on and on, and its log is asked for once more each time.
fn for_a_person(mut journal: Journal, words: &str, context: &Context) -> Step {
    journal.state = State::InDoubt { request_id: journal.state.request().map(str::to_owned) };
    journal.progress.log_reads = journal.progress.log_reads.min(MAX_LOG_READS - 1);
    let words = format!("{words}; a person must look");
    Step::new(journal, Action::Wait(context.limits.longest), words).alert(Code::JournalInDoubt)
}
