//! What an answer of Asana means for the movements that a write carried. Pure.

use std::time::Duration;

use asana::{Answer, BadRequest, Error as AsanaError};

use crate::backoff;
use crate::code::Code;
use crate::mapping::diff::differing;
use crate::push::known::known_task;
use crate::push::plan::{MARKS, Write};
use crate::settings::{Settings, WhenDeleted};
use crate::store::outbox::{Next, Outcome};
use crate::store::tasks::KnownTask;
use crate::trouble;

/// What came of one write.
#[derive(Debug)]
pub struct Verdict {
    /// The movements' next state.
    pub next: Next,
    /// The task, when known.
    pub destination: Option<String>,
    /// Why, as a code.
    pub code: Option<Code>,
    /// Why, in words.
    pub reason: Option<String>,
    /// Asana's answer.
    pub response: Option<String>,
    /// Whether the attempt counts.
    pub attempt: Attempt,
    /// Whether it may have happened all the same.
    pub in_doubt: bool,
    /// How long from now it is tried again.
    pub retry_in: Option<Duration>,
    /// The task as the answer shows it.
    pub known: Option<KnownTask>,
    /// What the whole connection must do about it.
    pub effect: Effect,
}

/// Whether an attempt is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// It counts.
    Counts,
    /// Being asked to slow down does not count.
    Free,
}

/// What an answer means beyond its own movements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    None,
    /// The task is gone.
    TaskGone,
    /// The fields are not as remembered.
    FieldsChanged,
    /// No call of this connection can succeed now.
    Stop,
}

/// Judges Asana's answer to a write.
#[must_use]
pub fn judge(
    write: &Write,
    answer: Result<Answer, AsanaError>,
    attempts: u32,
    settings: &Settings,
) -> Verdict {
    match answer {
        Ok(answer) => accepted(write, answer, settings),
        Err(error) => refused(write, error, attempts, settings),
    }
}

fn accepted(write: &Write, answer: Answer, settings: &Settings) -> Verdict {
    let known = known_task(&answer.task, settings);
    let missing = differing(&write.values, &known.values);
    let outcome = if write.task.is_some() { Outcome::Updated } else { Outcome::Created };
    let mut verdict = Verdict {
        next: Next::Delivered(outcome),
        destination: Some(answer.task.gid.clone()),
        code: None,
        reason: (!write.notes.is_empty()).then(|| write.notes.join("; ")),
        response: Some(format!("{}\n{}", answer.status, answer.body)),
        attempt: Attempt::Counts,
        in_doubt: false,
        retry_in: None,
        known: Some(known),
        effect: Effect::None,
    };
    if let Some((gid, _)) = missing.first_key_value() {
        verdict.next = Next::Failed;
        verdict.code = Some(Code::AsanaStoredOther);
        verdict.reason = Some(format!("field {gid} does not show the value that was sent"));
    }
    verdict
}

fn refused(write: &Write, error: AsanaError, attempts: u32, settings: &Settings) -> Verdict {
    let doubtful = error.may_have_happened();
    let response = error.refusal().map(|r| format!("{}\n{}", r.status, r.message));
    let retry_after = error.retry_after();
    let limited = matches!(error, AsanaError::RateLimited { .. });
    let gone = write.task.is_some() && matches!(error.status(), Some(404));
    let off_object = matches!(error, AsanaError::BadRequest { reason: BadRequest::FieldNotOnTask, .. });
    let stop = matches!(error.status(), Some(401 | 402));
    let forbidden = matches!(error, AsanaError::Forbidden(_));
    let transient = error.is_transient();
    let trouble = trouble::asana(error);
    let mut verdict = Verdict {
        next: Next::Failed,
        destination: write.task.clone(),
        code: Some(trouble.code),
        reason: Some(trouble.message.clone()),
        response,
        attempt: Attempt::Counts,
        in_doubt: doubtful,
        retry_in: None,
        known: None,
        effect: Effect::None,
    };
    if limited {
        verdict.next = Next::Retrying;
        verdict.attempt = Attempt::Free;
        verdict.retry_in = Some(backoff::wait(attempts + 1, retry_after));
    } else if gone {
        verdict.effect = Effect::TaskGone;
        verdict.code = Some(Code::TaskGone);
        verdict.reason = Some(format!("task {} no longer exists", write.task.as_deref().unwrap_or_default()));
        verdict.next = match settings.tasks.deleted {
            // nothing is left to be marked
            _ if write.order_id == MARKS => Next::Delivered(Outcome::Ignored),
            WhenDeleted::Hold => Next::Held,
            WhenDeleted::Recreate => Next::Retrying,
        };
        verdict.retry_in = Some(Duration::ZERO);
    } else if off_object {
        verdict.next = Next::Held;
        verdict.code = Some(Code::FieldMissing);
        verdict.effect = Effect::FieldsChanged;
    } else if forbidden {
        // a person must give the right; then it goes on by itself, since what is held is planned again
        verdict.next = Next::Held;
    } else if stop {
        verdict.next = Next::Retrying;
        verdict.attempt = Attempt::Free;
        verdict.retry_in = Some(backoff::CAP);
        verdict.effect = Effect::Stop;
    } else if doubtful || transient {
        give_another_try(&mut verdict, attempts + 1, retry_after);
    }
    verdict
}

/// A write that may have happened is looked up before the next attempt; a fifth failure is the last.
fn give_another_try(verdict: &mut Verdict, attempts: u32, retry_after: Option<Duration>) {
    if attempts >= backoff::MAX_ATTEMPTS {
        let last = verdict.reason.take().unwrap_or_default();
        verdict.reason = Some(format!("{attempts} attempts were used up; the last: {last}"));
        verdict.code = Some(Code::OutOfAttempts);
        return;
    }
    verdict.next = if verdict.in_doubt { Next::InDoubt } else { Next::Retrying };
    verdict.retry_in = Some(backoff::wait(attempts, retry_after));
}
