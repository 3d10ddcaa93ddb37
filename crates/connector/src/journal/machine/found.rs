//! A batch exists: it is adopted, whatever was thought before.
//!
//! Where the import warned, or could put lines to suspense, its log is read first, so that the result says
//! what a person should look at. A log that cannot be read does not hold up the result.

use super::follow::{MAX_UNREADABLE, ask_for_log, wants_log};
use super::{
    Action, Batch, Context, Decimal, Found, Journal, Log, Observation, Outcome, Remark, State, Step, growing,
    read_failed, unmoved,
};
use crate::backoff;
use crate::code::Code;

/// A batch was seen.
pub(super) fn found(mut journal: Journal, batch: &Batch, context: &Context) -> Step {
    if matches!(journal.state, State::Imported { .. }) {
        return unmoved(journal, context);
    }
    let progress = &journal.progress;
    let requested = journal.state.request().is_some();
    let followed = requested && batch.generation == progress.generation;
    let verdict = progress.verdict.as_ref().filter(|_| followed);
    let warned = verdict.is_some_and(|known| known.outcome == Outcome::Warned);
    let codes = verdict.and_then(|known| known.codes.clone());
    let mut remarks = Vec::new();
    if let Some(expected) = context.expected
        && [batch.debits, batch.credits].into_iter().flatten().any(|total| total != expected)
    {
        let text = |total: Option<Decimal>| total.map(|total| total.to_string());
        let (debits, credits) = (text(batch.debits), text(batch.credits));
        remarks.push(Remark::TotalsDiffer { expected, debits, credits });
    }
    if batch.more > 0 {
        remarks.push(Remark::SeveralBatches { more: batch.more });
    }
    if requested && batch.generation < progress.generation {
        remarks.push(Remark::EarlierSending { generation: batch.generation });
    }
    let found = Found { batch_id: batch.id.clone(), remarks, warned };
    match codes {
        Some(codes) => end_with(journal, found, &codes),
        None if !warned && !context.suspense => end(journal, found),
        None if followed => {
            journal.progress.found = Some(found);
            resume(journal, context)
        }
        None => end_unread(journal, found),
    }
}

/// What a journal needs whose batch was found and whose log was not read yet.
pub(super) fn resume(mut journal: Journal, context: &Context) -> Step {
    if wants_log(&journal) {
        return ask_for_log(journal, "the batch exists; reading the log for what the import says of it");
    }
    match journal.progress.found.take() {
        Some(found) => end_unread(journal, found),
        None => unmoved(journal, context),
    }
}

/// An observation about such a journal: only its log is still of interest.
pub(super) fn seen(mut journal: Journal, seen: &Observation, context: &Context) -> Step {
    match seen {
        Observation::Log(Log::Codes(codes)) => match journal.progress.found.take() {
            Some(found) => end_with(journal, found, codes),
            None => unmoved(journal, context),
        },
        Observation::Log(Log::Unreadable) if journal.progress.log_reads < MAX_UNREADABLE => {
            let wait = growing(journal.progress.log_reads, backoff::CAP, context.random);
            Step::new(journal, Action::Wait(wait), "the log cannot be read yet")
        }
        Observation::Log(Log::Unreadable) => match journal.progress.found.take() {
            Some(found) => end_unread(journal, found),
            None => unmoved(journal, context),
        },
        Observation::ReadFailed(failure) => read_failed(journal, *failure, context),
        _ => resume(journal, context),
    }
}

fn end_with(journal: Journal, mut found: Found, codes: &[String]) -> Step {
    if found.warned || !codes.is_empty() {
        found.remarks.push(Remark::Warned { codes: codes.to_vec() });
    }
    end(journal, found)
}

fn end_unread(journal: Journal, mut found: Found) -> Step {
    found.remarks.push(Remark::LogUnread);
    end(journal, found)
}

fn end(mut journal: Journal, found: Found) -> Step {
    let Found { batch_id, remarks, .. } = found;
    let words: String = remarks.iter().map(|remark| format!("; {}", remark.words())).collect();
    let late = match journal.state {
        State::InDoubt { request_id: None } => ", found by look-up: no answer to its sending was recorded",
        _ => "",
    };
    let words = format!("batch {batch_id} exists{late}{words}");
    let alert = gravest(&remarks);
    journal.state = State::Imported { batch_id, remarks };
    Step { alert, ..Step::new(journal, Action::Done, words) }
}

/// What a person should know first.
fn gravest(remarks: &[Remark]) -> Option<Code> {
    [
        Code::JournalSeveralBatches,
        Code::JournalTotalsDiffer,
        Code::JournalImportWarned,
        Code::JournalLogUnread,
    ]
    .into_iter()
    .find(|code| remarks.iter().any(|remark| remark.code() == *code))
}
