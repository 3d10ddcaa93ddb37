//! Sending a rejected journal anew after its cause was mended: as it was planned, under a new group, and only while
//! nothing else bears its cost.

use jiff::Timestamp;
use sqlx::{PgConnection, PgPool};

use crate::code::Code;
use crate::engine::Clients;
use crate::error::{Error, Result};
use crate::ids::JournalId;
use crate::journal::machine::{self, Context, Decision, Limits, Observation, State};
use crate::journal::{GroupId, JournalPlan, JournalSettings, Kind, NoJournal};
use crate::posting::elsewhere::{self, Sought};
use crate::posting::lookup::{self, Proof};
use crate::posting::oracle::{About, import_of, import_words};
use crate::posting::redate::{self, Dated};
use crate::store;
use crate::store::actions::{self, NewAction, Subject, What};
use crate::store::connections::{self, Connection};
use crate::store::jobs::{self, Job};
use crate::store::journal_replays::{self, Candidate};

/// A journal that is on its way again.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Replayed {
    /// The journal.
    pub journal: JournalId,
    /// The group of the sending that failed.
    pub old_group: String,
    /// The group under which it is sent.
    pub group: String,
}

/// What sending anew would do.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Preview {
    /// The journal.
    pub journal: JournalId,
    /// The group under which it would be sent.
    pub group: String,
    /// What is asked of Oracle before it is sent.
    pub look_up: String,
    /// What Oracle answers to that now.
    pub found: String,
    /// How it would be sent.
    #[serde(flatten)]
    pub sending: Sending,
}

/// How a journal would be sent now.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Sending {
    /// The date it would be entered under.
    pub accounting_date: String,
    /// Why it would be another date than before, or would wait.
    pub dated: Option<String>,
    /// The import request with its document; none when a batch was found, or when it would wait.
    pub request: Option<String>,
}

/// Where a journal that is sent anew goes on. Pure.
///
/// # Errors
/// The reason against it: [`Code::JournalReplayReversal`], [`Code::JournalReplayImported`],
/// [`Code::JournalReplayUnderWay`], [`Code::JournalReplayInDoubt`], [`Code::JournalReplayReopened`] or
/// [`Code::JournalAlreadyPosted`].
pub fn decide(candidate: &Candidate, context: &Context) -> Result<machine::Journal> {
    let id = candidate.id;
    let no = |code, words: &str| Err(Error::new(code, format!("journal {id} {words}")));
    if candidate.kind == Kind::Reversal {
        return no(Code::JournalReplayReversal, "is a reversal");
    }
    match &candidate.machine.state {
        State::Rejected { .. } => {}
        State::Imported { batch_id, .. } => {
            return no(Code::JournalReplayImported, &format!("is imported as batch {batch_id}"));
        }
        State::InDoubt { .. } => return no(Code::JournalReplayInDoubt, "is in doubt"),
        State::Withdrawn => return no(Code::JournalReplayReopened, "was withdrawn"),
        state @ (State::Ready | State::Submitting | State::Submitted { .. }) => {
            return no(Code::JournalReplayUnderWay, &format!("is {}", state.as_str()));
        }
    }
    if candidate.is_reopened {
        return no(Code::JournalReplayReopened, "is of a task that was opened again");
    }
    if let Some(bearer) = &candidate.borne_by {
        let what =
            format!("cannot bear {}: {}, bears {}", candidate.subject, bearer.completion(), bearer.subject);
        return no(Code::JournalAlreadyPosted, &what);
    }
    let seen = Observation::Person(Decision::SendAnew);
    Ok(machine::step(candidate.machine.clone(), &seen, context).journal)
}

/// Puts a rejected journal on its way again, and asks for the job that sends it. Before the sending, a batch is looked
/// for under the groups of all earlier ones.
///
/// # Errors
/// Those of [`decide`], [`Code::JournalSubjectUnknown`] when there is no such journal, and
/// [`Code::SettingsInvalid`] when the connection makes no journals; nothing was changed then.
pub async fn replay(
    db: &PgPool,
    connection: &Connection,
    id: JournalId,
    (by, note): (&str, Option<&str>),
) -> Result<Replayed> {
    let context = context(settings(connection)?);
    let mut tx = store::begin(db).await?;
    let candidate = locked(&mut tx, connection, id).await?;
    let next = decide(&candidate, &context)?;
    let group = group(connection, &candidate, &next);
    let words = format!("{by} had it sent anew, under group {group}");
    if !journal_replays::send_anew(&mut tx, connection.id, id, &next, group, &words).await? {
        let words = format!("journal {id} is not as it was rejected");
        return Err(Error::new(Code::JournalReplayUnderWay, words));
    }
    let after = group.to_string();
    let told = NewAction { subject_id: id.0, note, before: Some(&candidate.group_id), after: Some(&after) };
    actions::record(&mut tx, connection.id, (Subject::Journal, What::Replayed), by, &[told]).await?;
    tx.commit().await?;
    jobs::ask_for(db, connection.id, &[Job::Journals]).await?;
    Ok(Replayed { journal: id, old_group: candidate.group_id, group: after })
}

/// What [`replay`] would do, asked of Oracle with reads alone; nothing is stored.
///
/// # Errors
/// Those of [`replay`], of reading Oracle's periods, and of a plan that makes no document.
pub async fn preview(db: &PgPool, clients: &Clients, id: JournalId) -> Result<Preview> {
    let connection = &clients.connection;
    let settings = settings(connection)?;
    // never committed: it only reads, and its locks end before Oracle is asked
    let mut tx = store::begin(db).await?;
    let candidate = locked(&mut tx, connection, id).await?;
    let next = decide(&candidate, &context(settings))?;
    tx.rollback().await?;
    let group = group(connection, &candidate, &next);
    let about = about(connection, &candidate);
    let looked = lookup::look_up(&clients.fusion, about, next.generations(), Proof::Idle).await.exchange;
    let accounting_date = candidate.plan.accounting.date.to_string();
    let sending = match looked.seen {
        Observation::NoBatch(_) => sending(clients, settings, candidate.plan, group).await?,
        _ => Sending { accounting_date, dated: None, request: None },
    };
    let group = group.to_string();
    Ok(Preview { journal: id, group, look_up: looked.request, found: looked.response, sending })
}

/// How a journal would be sent under a group: its date is looked at as before every first sending.
pub(super) async fn sending(
    clients: &Clients,
    settings: &JournalSettings,
    plan: JournalPlan,
    group: GroupId,
) -> Result<Sending> {
    let periods = clients.ledger.periods(&clients.fusion, settings).await?;
    let (plan, dated) = match redate::dated(&plan, &periods, settings) {
        Dated::Stands => (plan, None),
        Dated::Moved(moved) => {
            let words = redate::words(&plan, &moved);
            (*moved, Some(words))
        }
        Dated::Waits(why) => {
            let accounting_date = plan.accounting.date.to_string();
            let dated = Some(format!("it would wait: {why}"));
            return Ok(Sending { accounting_date, dated, request: None });
        }
    };
    let unfit = |why: NoJournal| Error::new(why.code(), why.to_string());
    let document = plan.document(group).map_err(unfit)?;
    let import = import_of(&document, &plan, settings)?;
    let request = Some(import_words(&import, &document));
    Ok(Sending { accounting_date: plan.accounting.date.to_string(), dated, request })
}

/// The journal, with everything locked that could change what is decided about it.
pub(super) async fn locked(
    db: &mut PgConnection,
    connection: &Connection,
    id: JournalId,
) -> Result<Candidate> {
    connections::settings_version(db, connection.id).await?;
    // journals are opened only by whoever has this row locked
    jobs::any_running(db, connection.id, &[Job::Completions]).await?;
    let found = journal_replays::lock(db, connection.id, id).await?;
    let unknown = || Error::new(Code::JournalSubjectUnknown, format!("there is no journal {id}"));
    let mut candidate = found.ok_or_else(unknown)?;
    if candidate.borne_by.is_none() && candidate.kind == Kind::Posting {
        let sought = Sought::of(&candidate.plan, &candidate.subject);
        let borne = elsewhere::bearer(db, connection.id, &connection.settings, sought).await?;
        candidate.borne_by = borne.map(|borne| borne.by);
    }
    Ok(candidate)
}

pub(super) fn settings(connection: &Connection) -> Result<&JournalSettings> {
    let words = "the connection makes no journals: its settings have no [journal] section";
    connection.settings.journal.as_ref().ok_or_else(|| Error::new(Code::SettingsInvalid, words))
}

fn context(settings: &JournalSettings) -> Context {
    Context {
        now: Timestamp::now(),
        random: 0,
        limits: Limits::of(settings),
        expected: None,
        suspense: false,
    }
}

pub(super) fn about<'a>(connection: &Connection, candidate: &'a Candidate) -> About<'a> {
    let Candidate { task, ordinal, kind, .. } = candidate;
    About { connection: connection.id, task, ordinal: *ordinal, kind: *kind }
}

fn group(connection: &Connection, candidate: &Candidate, next: &machine::Journal) -> GroupId {
    about(connection, candidate).group(next.progress.generation)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::ids::TaskGid;
    use crate::journal::machine::{Journal, Rejection};
    use crate::journal::settings::tests::settings;
    use crate::posting::redate::tests::plan;
    use crate::store::journals::Bearer;

    pub(in crate::posting) fn candidate(state: State) -> Candidate {
        let mut machine = Journal { state, ..Journal::default() };
        machine.progress.submitted_at = Some(Timestamp::UNIX_EPOCH);
        Candidate {
            id: JournalId::new(),
            kind: Kind::Posting,
            task: TaskGid("1200".to_owned()),
            ordinal: 1,
            plan: plan(None),
            machine,
            group_id: "123456789012345678".to_owned(),
            subject: "order 300".to_owned(),
            is_reopened: false,
            borne_by: None,
        }
    }

    fn rejected() -> Candidate {
        candidate(State::Rejected { why: Rejection::LoadFailed })
    }

    fn code(candidate: &Candidate) -> Option<Code> {
        decide(candidate, &context(&settings())).err().map(|error| error.code)
    }

    #[test]
    fn a_rejected_journal_goes_on_under_a_new_group_and_is_looked_for_first() {
        let next = decide(&rejected(), &context(&settings())).unwrap();
        assert_eq!((next.state.clone(), next.generations()), (State::Ready, 0..=1));
        assert!(next.progress.look_first && next.is_unsent());
    }

    #[test]
    fn whatever_is_or_may_be_in_oracle_is_refused() {
        let imported = State::Imported { batch_id: "55".to_owned(), remarks: Vec::new() };
        let submitted = State::Submitted { request_id: "7".to_owned() };
        for (state, why) in [
            (State::Ready, Code::JournalReplayUnderWay),
            (State::Submitting, Code::JournalReplayUnderWay),
            (submitted, Code::JournalReplayUnderWay),
            (State::InDoubt { request_id: None }, Code::JournalReplayInDoubt),
            (State::InDoubt { request_id: Some("7".to_owned()) }, Code::JournalReplayInDoubt),
            (imported, Code::JournalReplayImported),
            (State::Withdrawn, Code::JournalReplayReopened),
        ] {
            assert_eq!(code(&candidate(state.clone())), Some(why), "{state:?}");
        }
    }

    #[test]
    fn what_is_not_to_be_posted_any_more_is_refused() {
        let reversal = Candidate { kind: Kind::Reversal, ..rejected() };
        assert_eq!(code(&reversal), Some(Code::JournalReplayReversal));
        let reopened = Candidate { is_reopened: true, ..rejected() };
        assert_eq!(code(&reopened), Some(Code::JournalReplayReopened));
        let bearer =
            Bearer { subject: "line 1".to_owned(), task: "9".to_owned(), ordinal: 2, elsewhere: None };
        let borne = Candidate { borne_by: Some(bearer), ..rejected() };
        let refused = decide(&borne, &context(&settings())).unwrap_err();
        assert_eq!(refused.code, Code::JournalAlreadyPosted);
        assert!(refused.message.contains("task 9, completion 2, bears line 1"), "{}", refused.message);
    }
}
