//! What follows from a person's word and from what Oracle shows. Pure.

use crate::code::Code;
use crate::error::{Error, Result};
use crate::journal::Kind;
use crate::journal::machine::{self, Action, Context, Decision, JobTree, Observation, State, Trust};
use crate::posting::lookup::{Found, LookedUp};
use crate::posting::oracle::Exchange;
use crate::store::journal_replays::Candidate;

/// What a person says of a journal in doubt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// It is in Oracle, as this batch.
    Posted {
        /// `JeBatchId`.
        batch: String,
    },
    /// It is not in Oracle, and is to be sent anew.
    SendAnew,
    /// It is not in Oracle, and is not to be sent any more.
    GiveUp,
}

impl Choice {
    /// The stable word.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Choice::Posted { .. } => "posted",
            Choice::SendAnew => "send_anew",
            Choice::GiveUp => "give_up",
        }
    }
}

/// What Oracle showed when it was asked.
#[derive(Debug)]
pub struct Evidence {
    /// The batches of all sendings.
    pub looked: LookedUp,
    /// The job of the request, when Oracle accepted one and no batch was found.
    pub job: Option<Exchange>,
    /// The import's log, when a batch was found and its log tells of warnings.
    pub log: Option<Exchange>,
}

impl Evidence {
    fn all(&self) -> impl Iterator<Item = &Exchange> {
        [Some(&self.looked.exchange), self.job.as_ref(), self.log.as_ref()].into_iter().flatten()
    }

    /// What was asked.
    #[must_use]
    pub fn requests(&self) -> String {
        self.all().map(|one| one.request.as_str()).collect::<Vec<_>>().join("\n")
    }

    /// What was answered.
    #[must_use]
    pub fn responses(&self) -> String {
        self.all().map(|one| one.response.as_str()).collect::<Vec<_>>().join("\n")
    }
}

/// Whether a person may decide so about the journal at all, by where it stands.
///
/// # Errors
/// The reason against it: [`Code::JournalNotInDoubt`], [`Code::JournalResolveRejected`],
/// [`Code::JournalReplayReopened`] or [`Code::JournalAlreadyPosted`].
pub fn allowed(candidate: &Candidate, choice: &Choice) -> Result<()> {
    let id = candidate.id;
    let no = |code, words: String| Err(Error::new(code, format!("journal {id} {words}")));
    match &candidate.machine.state {
        State::InDoubt { .. } => {}
        State::Rejected { .. } => return no(Code::JournalResolveRejected, "was rejected".to_owned()),
        State::Imported { batch_id, .. } => {
            return no(Code::JournalNotInDoubt, format!("is imported as batch {batch_id}"));
        }
        State::Withdrawn => return no(Code::JournalNotInDoubt, "was withdrawn".to_owned()),
        state => {
            let words = format!("is {}: it goes on by itself", state.as_str());
            return no(Code::JournalNotInDoubt, words);
        }
    }
    if let Some(found) = &candidate.machine.progress.found {
        let words = format!("has its batch, {}, and the import's log is being read", found.batch_id);
        return no(Code::JournalNotInDoubt, words);
    }
    if *choice != Choice::SendAnew || candidate.kind == Kind::Reversal {
        return Ok(());
    }
    if candidate.is_reopened {
        let words = "is of a task that was opened again; it can be given up".to_owned();
        return no(Code::JournalReplayReopened, words);
    }
    match &candidate.borne_by {
        Some(bearer) => {
            let words = format!(
                "cannot bear {}: {}, bears {}",
                candidate.subject,
                bearer.completion(),
                bearer.subject
            );
            no(Code::JournalAlreadyPosted, words)
        }
        None => Ok(()),
    }
}

/// The step that the journal takes.
///
/// # Errors
/// Those of [`allowed`], and what is against it by what Oracle shows: [`Code::JournalLookUpFailed`],
/// [`Code::JournalBatchNotIts`], [`Code::JournalBatchExists`], [`Code::JournalStillRuns`],
/// [`Code::JournalNotSettled`] or [`Code::JournalLookUpUnproved`].
pub fn decide(
    candidate: &Candidate,
    choice: &Choice,
    evidence: &Evidence,
    context: &Context,
) -> Result<machine::Step> {
    allowed(candidate, choice)?;
    answered(candidate, &evidence.looked.exchange)?;
    let journal = candidate.machine.clone();
    let decision = match choice {
        Choice::Posted { batch } => {
            let seen = Observation::BatchFound(its_batch(candidate, batch, evidence)?.batch.clone());
            let step = machine::step(journal, &seen, context);
            return Ok(match &evidence.log {
                Some(log) if matches!(step.action, Action::ReadLog { .. }) => {
                    machine::step(step.journal, &log.seen, context)
                }
                _ => step,
            });
        }
        Choice::SendAnew => Decision::SendAnew,
        Choice::GiveUp => Decision::GiveUp,
    };
    is_not_there(candidate, evidence, context)?;
    Ok(machine::step(journal, &Observation::Person(decision), context))
}

/// A look that failed says nothing.
fn answered(candidate: &Candidate, exchange: &Exchange) -> Result<()> {
    if !matches!(exchange.seen, Observation::ReadFailed(_)) {
        return Ok(());
    }
    let words = format!("journal {}: {}: {}", candidate.id, exchange.request, exchange.response);
    Err(Error::new(Code::JournalLookUpFailed, words))
}

/// The batch that a person names, among those that carry one of the journal's groups.
fn its_batch<'a>(candidate: &Candidate, batch: &str, evidence: &'a Evidence) -> Result<&'a Found> {
    let found = &evidence.looked.found;
    found.iter().find(|one| one.batch.id == batch).ok_or_else(|| {
        let shown = if found.is_empty() { "no batch".to_owned() } else { listed(found) };
        let asked = &evidence.looked.exchange.request;
        let words = format!(
            "batch {batch} is not among what Oracle shows for journal {}: {asked}: {shown}",
            candidate.id
        );
        Error::new(Code::JournalBatchNotIts, words)
    })
}

fn listed(found: &[Found]) -> String {
    found.iter().map(Found::words).collect::<Vec<_>>().join(", ")
}

/// Whether it is proved that the journal is not in Oracle, and will not come any more.
fn is_not_there(candidate: &Candidate, evidence: &Evidence, context: &Context) -> Result<()> {
    let id = candidate.id;
    let no = |code, words: String| Err(Error::new(code, format!("journal {id}: {words}")));
    let found = &evidence.looked.found;
    let Observation::NoBatch(trust) = evidence.looked.exchange.seen else {
        return no(Code::JournalBatchExists, listed(found));
    };
    let asked = candidate.machine.state.request();
    match (asked, &evidence.job) {
        (None, _) => {}
        // a request that was not looked at may still bring a batch
        (Some(request), None) => {
            return no(Code::JournalLookUpFailed, format!("request {request} was not looked at"));
        }
        (Some(request), Some(job)) => {
            answered(candidate, job)?;
            if let Observation::Job(JobTree::Running | JobTree::ImportRunning) = job.seen {
                return no(Code::JournalStillRuns, format!("request {request}: {}", job.response));
            }
        }
    }
    match candidate.machine.settled_at(context.limits.settle) {
        Some(at) if at <= context.now => {}
        Some(at) => {
            let at = at.strftime("%Y-%m-%d %H:%M:%SZ");
            let words = format!("no batch yet, and until {at} one may still come of its last sending");
            return no(Code::JournalNotSettled, words);
        }
        None => {
            let words = "no batch yet, and it is not known when it was sent last".to_owned();
            return no(Code::JournalNotSettled, words);
        }
    }
    match trust {
        Trust::Proved => Ok(()),
        Trust::PatternUnproved | Trust::NothingVisible => {
            no(Code::JournalLookUpUnproved, evidence.looked.exchange.response.clone())
        }
    }
}

#[cfg(test)]
mod tests;
