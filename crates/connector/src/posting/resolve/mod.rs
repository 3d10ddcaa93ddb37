//! A person's decision on a journal in doubt. It is money, so the person's word is not taken alone: Oracle is asked for a
//! batch under the groups of all sendings, while no node may work on the journal, and what it shows has to agree.
//!
//! Whatever is against it, or comes in between, leaves everything as it was.

pub mod decide;

use std::time::Duration;

use jiff::Timestamp;
use outbound::exchange::watched;
use sqlx::PgConnection;
use tokio::time::Instant;

pub use decide::{Choice, Evidence};

use crate::code::Code;
use crate::engine::{Clients, Engine};
use crate::error::{Error, Result};
use crate::ids::{ConnectionId, JournalId};
use crate::journal::JournalSettings;
use crate::journal::machine::{self, Action, Context, Limits, Observation, State};
use crate::journal::settings::Suspense;
use crate::node;
use crate::posting::drive::cut;
use crate::posting::lookup::{self, Proof};
use crate::posting::oracle;
use crate::posting::replay::{self, Sending};
use crate::posting::settled::{self, Settled};
use crate::purpose::Purpose;
use crate::store::actions::{self, NewAction, What};
use crate::store::attempts::{self, About as Subject, NewAttempt};
use crate::store::connections;
use crate::store::jobs::{self, Job, Lease};
use crate::store::journal_replays::Candidate;
use crate::store::journals::{self, Submits, Told};
use crate::store::{self, outbox};

/// How often it is tried to hold the job that drives the journals.
const TRY_EVERY: Duration = Duration::from_millis(200);

/// Who decides.
#[derive(Debug, Clone, Copy)]
pub struct How<'a> {
    /// Who, for the log.
    pub by: &'a str,
    /// Why, for the log.
    pub note: Option<&'a str>,
    /// How long to wait for a node that works on the connection's journals right now.
    pub patience: Duration,
}

/// What was decided.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Resolved {
    /// The journal.
    pub journal: JournalId,
    /// `posted`, `send_anew` or `give_up`.
    pub decision: &'static str,
    /// Where it stands now.
    pub state: &'static str,
    /// Its batch, when it is imported.
    pub batch: Option<String>,
    /// The group of the sending that stands, the new one when it is sent anew.
    pub group: String,
    /// What a person should look at, as a code.
    pub code: Option<&'static str>,
    /// What happened, in words.
    pub what: String,
    /// What was asked of Oracle.
    pub look_up: String,
    /// What it showed.
    pub found: String,
}

/// What deciding would do.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Preview {
    /// The journal.
    pub journal: JournalId,
    /// What is asked of Oracle.
    pub look_up: String,
    /// What it shows now.
    pub found: String,
    /// What would follow; none when it would be refused.
    pub would: Option<String>,
    /// What would be against it.
    pub refused: Option<Refused>,
    /// The group under which it would be sent, when it would be.
    pub group: Option<String>,
    /// How it would be sent, when it would be.
    pub sending: Option<Sending>,
}

/// What is against a decision.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Refused {
    /// The code.
    pub code: &'static str,
    /// The reason.
    pub reason: String,
    /// What to do.
    pub remedy: &'static str,
}

/// Decides a journal in doubt as a person says, if what Oracle shows agrees. The job that drives the connection's journals
/// is held meanwhile.
///
/// # Errors
/// The reason against it, as [`decide::decide`] and [`Code::JournalSubjectUnknown`]; [`Code::LeaseBusy`] when a node
/// works on the connection's journals for longer than the patience lasts, and [`Code::JournalTakenOver`] when one came
/// in between. Nothing was changed then.
pub async fn resolve(
    engine: &Engine,
    connection: ConnectionId,
    id: JournalId,
    choice: &Choice,
    how: How<'_>,
) -> Result<Resolved> {
    let clients = engine.clients(connection).await?;
    // told before anything is waited for
    decide::allowed(&candidate(engine, &clients, id).await?, choice)?;
    let lease = hold_job(engine, connection, how.patience).await?;
    let done = under_lease(engine, &clients, &lease, id, choice, how).await;
    if let Err(error) = jobs::release(&engine.db, &lease).await {
        tracing::warn!(%error, "the lease on the journals could not be given back; it runs out by itself");
    }
    let (resolved, asked) = done.map_err(taken_over)?;
    // what was decided is committed: the jobs come round by themselves, too
    if let Err(error) = jobs::ask_for(&engine.db, connection, &asked).await {
        tracing::warn!(%error, "the jobs that follow a decision could not be asked for");
    }
    engine.wake();
    Ok(resolved)
}

/// What [`resolve`] would do, asked of Oracle with reads alone; nothing is stored.
///
/// # Errors
/// Those of [`decide::allowed`], [`Code::JournalSubjectUnknown`], and of a plan that makes no document. What Oracle shows
/// against it is told in the preview.
pub async fn preview(
    engine: &Engine,
    connection: ConnectionId,
    id: JournalId,
    choice: &Choice,
) -> Result<Preview> {
    let clients = engine.clients(connection).await?;
    let settings = replay::settings(&clients.connection)?;
    let candidate = candidate(engine, &clients, id).await?;
    decide::allowed(&candidate, choice)?;
    let evidence = gather(&clients, settings, &candidate, choice).await;
    let mut preview = Preview {
        journal: id,
        look_up: evidence.requests(),
        found: evidence.responses(),
        would: None,
        refused: None,
        group: None,
        sending: None,
    };
    let step = match decide::decide(&candidate, choice, &evidence, &context(settings, &candidate)) {
        Ok(step) => step,
        Err(error) => {
            let info = error.code.info();
            preview.refused = Some(Refused { code: info.code, reason: error.message, remedy: info.remedy });
            return Ok(preview);
        }
    };
    let group = replay::about(&clients.connection, &candidate).group(step.journal.progress.generation);
    preview.would = Some(match choice {
        Choice::SendAnew => {
            preview.sending = Some(replay::sending(&clients, settings, candidate.plan, group).await?);
            preview.group = Some(group.to_string());
            format!("it would be looked for once more, and sent anew under group {group}")
        }
        Choice::GiveUp => "it would be withdrawn, and bear its cost no more".to_owned(),
        Choice::Posted { .. } => format!("it would be {}: {}", step.journal.state.as_str(), step.words),
    });
    Ok(preview)
}

/// The journal with what decides about it, as it stands now.
async fn candidate(engine: &Engine, clients: &Clients, id: JournalId) -> Result<Candidate> {
    // never committed: it only reads
    let mut tx = store::begin(&engine.db).await?;
    let candidate = replay::locked(&mut tx, &clients.connection, id).await?;
    tx.rollback().await?;
    Ok(candidate)
}

/// Claims the job that drives the journals, so that no node begins with it.
async fn hold_job(engine: &Engine, connection: ConnectionId, patience: Duration) -> Result<Lease> {
    let until = Instant::now() + patience;
    loop {
        if let Some(lease) = jobs::claim(&engine.db, engine.holder(), connection, Job::Journals).await? {
            return Ok(lease);
        }
        if Instant::now() >= until {
            let words = "a node is working on the connection's journals now; nothing was changed";
            return Err(Error::new(Code::LeaseBusy, words));
        }
        tokio::time::sleep(TRY_EVERY).await;
    }
}

fn taken_over(error: Error) -> Error {
    if error.code != Code::LeaseLost {
        return error;
    }
    Error::new(Code::JournalTakenOver, format!("{}; nothing was changed", error.message)).because(error)
}

/// Asks Oracle and decides. Returns the jobs that are to be asked for, too.
async fn under_lease(
    engine: &Engine,
    clients: &Clients,
    lease: &Lease,
    id: JournalId,
    choice: &Choice,
    how: How<'_>,
) -> Result<(Resolved, Vec<Job>)> {
    let settings = replay::settings(&clients.connection)?;
    let mut tx = store::begin(&engine.db).await?;
    jobs::hold(&mut tx, lease).await?;
    let turn = journals::take_doubtful(&mut tx, lease.connection, lease.fence, id).await?;
    tx.commit().await?;
    let before = candidate(engine, clients, id).await?;
    decide::allowed(&before, choice)?;
    let turn = turn.ok_or_else(|| Error::new(Code::LeaseLost, "the journal was decided meanwhile"))?;
    let (evidence, exchanges) = watched(async {
        tokio::select! {
            evidence = gather(clients, settings, &before, choice) => Ok(evidence),
            lost = node::keep_lease(engine, lease) => Err(lost),
        }
    })
    .await;
    let decision = Decision { clients, settings, lease, turn, id, choice, how };
    decision.store(engine, &evidence?, &exchanges).await
}

/// Everything that is asked of Oracle.
async fn gather(
    clients: &Clients,
    settings: &JournalSettings,
    candidate: &Candidate,
    choice: &Choice,
) -> Evidence {
    let fusion = &clients.fusion;
    let about = replay::about(&clients.connection, candidate);
    let proof = if matches!(choice, Choice::Posted { .. }) { Proof::Idle } else { Proof::Needed };
    let looked = lookup::look_up(fusion, about, candidate.machine.generations(), proof).await;
    let mut evidence = Evidence { looked, job: None, log: None };
    let is_empty = matches!(evidence.looked.exchange.seen, Observation::NoBatch(_));
    if let (true, Some(request)) = (is_empty && proof == Proof::Needed, candidate.machine.state.request()) {
        evidence.job = Some(oracle::follow(fusion, request).await);
    }
    if let Ok(machine::Step { action: Action::ReadLog { request_id }, .. }) =
        decide::decide(candidate, choice, &evidence, &context(settings, candidate))
    {
        evidence.log = Some(oracle::read_log(fusion, &request_id).await);
    }
    evidence
}

fn context(settings: &JournalSettings, candidate: &Candidate) -> Context {
    Context {
        now: Timestamp::now(),
        random: rand::random(),
        limits: Limits::of(settings),
        expected: candidate.plan.expected(settings),
        suspense: settings.suspense == Suspense::On,
    }
}

/// A decision that is to be stored.
struct Decision<'a> {
    clients: &'a Clients,
    settings: &'a JournalSettings,
    lease: &'a Lease,
    turn: i64,
    id: JournalId,
    choice: &'a Choice,
    how: How<'a>,
}

impl Decision<'_> {
    /// Decides about the journal as it stands now, and commits the step with all that follows, if the lease and the
    /// journal's turn are still this one's.
    async fn store(
        &self,
        engine: &Engine,
        evidence: &Evidence,
        exchanges: &[outbound::Exchange],
    ) -> Result<(Resolved, Vec<Job>)> {
        let (connection, lease) = (&self.clients.connection, self.lease);
        let mut tx = store::begin(&engine.db).await?;
        if connections::settings_version(&mut tx, connection.id).await? != connection.settings_version {
            return Err(Error::new(Code::LeaseLost, "the connection's settings were changed meanwhile"));
        }
        // rows of jobs are locked in the order of their names, and before those of journals
        jobs::any_running(&mut tx, connection.id, &[Job::Completions]).await?;
        jobs::hold(&mut tx, lease).await?;
        let candidate = replay::locked(&mut tx, connection, self.id).await?;
        let step = decide::decide(&candidate, self.choice, evidence, &context(self.settings, &candidate))?;
        let group = replay::about(connection, &candidate).group(step.journal.progress.generation);
        let what = self.words(&step, &group.to_string());
        let gives_up = *self.choice == Choice::GiveUp;
        let alert = if gives_up { Some(Code::JournalGivenUp) } else { step.alert };
        let (request, response) = (cut(&evidence.requests()), cut(&evidence.responses()));
        let told = Told { what: &what, alert, request: Some(&request), response: Some(&response) };
        let state = &step.journal.state;
        let record = journals::Step {
            id: self.id,
            turn: self.turn,
            machine: &step.journal,
            group,
            told: Some(told),
            again_in: match step.action {
                Action::Done => None,
                Action::Wait(wait) => Some(wait.as_secs_f64()),
                _ => Some(0.0),
            },
            submits: Submits::No,
            plan: None,
        };
        journals::record_step(&mut tx, connection.id, lease.fence, engine.node, &record).await?;
        let attempt = |one| NewAttempt { subject: self.id.0, exchange: one, code: None };
        let tried: Vec<_> = exchanges.iter().map(attempt).collect();
        attempts::record(&mut tx, connection.id, engine.node, Subject::Journal, &tried).await?;
        let found = format!("in doubt; {request}: {response}");
        let action = NewAction {
            subject_id: self.id.0,
            note: self.how.note,
            before: Some(&found),
            after: Some(&what),
        };
        let of = (actions::Subject::Journal, What::Resolved);
        actions::record(&mut tx, connection.id, of, self.how.by, &[action]).await?;
        let asked = self.follow_up(&mut tx, &candidate, state).await?;
        tx.commit().await?;
        let resolved = Resolved {
            journal: self.id,
            decision: self.choice.as_str(),
            state: state.as_str(),
            batch: match state {
                State::Imported { batch_id, .. } => Some(batch_id.clone()),
                _ => None,
            },
            group: group.to_string(),
            code: alert.map(|code| code.info().code),
            what,
            look_up: request,
            found: response,
        };
        Ok((resolved, asked))
    }

    /// What else changes with the journal's state. Returns the jobs that are to be asked for once it is committed.
    async fn follow_up(
        &self,
        db: &mut PgConnection,
        candidate: &Candidate,
        state: &State,
    ) -> Result<Vec<Job>> {
        let connection = &self.clients.connection;
        let (task, order) = (candidate.task.as_str(), candidate.plan.order_id.as_str());
        let mut asked = vec![Job::Journals];
        if state.is_final() {
            let of = Settled { kind: candidate.kind, task, ordinal: candidate.ordinal, order };
            settled::settle(db, connection.id, of, state).await?;
            asked.push(Job::Completions);
        }
        if connection.settings.fields.contains_key(&Purpose::JournalStatus) {
            outbox::open_for_order(db, connection.id, order).await?;
            asked.push(Job::Push);
        }
        Ok(asked)
    }

    /// What happened, for people.
    fn words(&self, step: &machine::Step, group: &str) -> String {
        let by = self.how.by;
        match self.choice {
            Choice::Posted { batch } => format!("{by} decided that it is batch {batch}: {}", step.words),
            Choice::SendAnew => {
                format!("{by} had it sent anew under group {group}, since it is not in Oracle")
            }
            Choice::GiveUp => format!("{by} gave it up: it is not in Oracle, and is not sent again"),
        }
    }
}
