//! The job that drives journals to Oracle: each decision of the state machine is committed before it is done.

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use jiff::Timestamp;
use tokio::sync::Mutex;

use crate::code::Code;
use crate::engine::{Clients, Engine};
use crate::error::{Error, Result};
use crate::ids::{JournalId, NodeId};
use crate::journal::machine::{self, Action, Context, Limits, Observation, State};
use crate::journal::{GroupId, JournalSettings};
use crate::posting::oracle::{self, About, Exchange};
use crate::purpose::Purpose;
use crate::store::jobs::{self, Job, Lease};
use crate::store::journals::{self, Claimed, Submits};
use crate::store::outbox;

/// Journals driven at once; Oracle's import is one job each.
const AT_ONCE: usize = 8;
/// A journal is put aside after so many steps in one turn; it is due again at once.
const STEPS: u32 = 50;
/// The longest answer kept in the log, in bytes; job logs can have megabytes.
const MAX_LOGGED: usize = 256 << 10;

/// What the job did.
#[derive(Debug, Clone, Copy, Default, serde::Serialize)]
pub struct JournalsReport {
    /// Turns of journals.
    pub turns: u64,
    /// Documents sent.
    pub submitted: u64,
    /// Journals whose batch exists.
    pub imported: u64,
    /// Journals that Oracle did not take.
    pub rejected: u64,
    /// Turns that ended in doubt.
    pub in_doubt: u64,
}

/// Drives every journal that is due until none is.
pub async fn run(engine: &Engine, clients: &Clients, lease: &Lease) -> Result<JournalsReport> {
    let mut report = JournalsReport::default();
    let Some(settings) = &clients.connection.settings.journal else { return Ok(report) };
    let driver = Driver { engine, clients, lease, settings, gate: Mutex::new(()) };
    let mut tx = engine.db.begin().await?;
    jobs::hold(&mut tx, lease).await?;
    journals::take_over(&mut tx, lease.connection, lease.fence).await?;
    tx.commit().await?;
    // claiming is one of the futures, so that no turn ever stands still, holding a lock, while it waits
    let mut under_way = FuturesUnordered::from_iter([driver.claim(AT_ONCE).boxed()]);
    let mut claiming = true;
    while let Some(ended) = under_way.next().await {
        let found = match ended? {
            Ended::Claimed(claimed) => {
                claiming = false;
                let found = !claimed.is_empty();
                under_way.extend(claimed.into_iter().map(|claimed| driver.turn(claimed).boxed()));
                found
            }
            Ended::Turn(turn) => {
                report.count(&turn);
                true
            }
        };
        let free = AT_ONCE.saturating_sub(under_way.len());
        if found && !claiming && free > 0 {
            claiming = true;
            under_way.push(driver.claim(free).boxed());
        }
    }
    Ok(report)
}

/// What one of the futures under way has ended with.
enum Ended {
    Claimed(Vec<Claimed>),
    Turn(Turn),
}

impl JournalsReport {
    fn count(&mut self, turn: &Turn) {
        self.turns += 1;
        self.submitted += turn.submitted;
        match turn.state {
            State::Imported { .. } => self.imported += 1,
            State::Rejected { .. } => self.rejected += 1,
            State::InDoubt { .. } => self.in_doubt += 1,
            _ => {}
        }
    }
}

struct Driver<'a> {
    engine: &'a Engine,
    clients: &'a Clients,
    lease: &'a Lease,
    settings: &'a JournalSettings,
    /// One transaction at a time: each holds the lease's row, and would only wait, with a connection.
    gate: Mutex<()>,
}

/// What came of a journal's turn.
struct Turn {
    state: State,
    submitted: u64,
}

impl Driver<'_> {
    async fn claim(&self, limit: usize) -> Result<Ended> {
        let limit = i64::try_from(limit).unwrap_or(0);
        let _turn = self.gate.lock().await;
        let mut tx = self.engine.db.begin().await?;
        jobs::hold(&mut tx, self.lease).await?;
        let claimed = journals::claim_due(&mut tx, self.lease.connection, self.lease.fence, limit).await?;
        tx.commit().await?;
        Ok(Ended::Claimed(claimed))
    }

    /// Drives one journal until it waits or is settled.
    async fn turn(&self, mut journal: Claimed) -> Result<Ended> {
        let mut submitted = 0;
        let mut exchange =
            Exchange { seen: Observation::Claimed, request: String::new(), response: String::new() };
        for _ in 0..STEPS {
            let context = Context {
                now: Timestamp::now(),
                random: rand::random(),
                limits: Limits::of(self.settings),
                expected: journal.plan.expected(self.settings),
            };
            let before = journal.machine.state.clone();
            let step = machine::step(journal.machine, &exchange.seen, &context);
            let group = self
                .about(&journal.task, journal.ordinal, journal.kind)
                .group(step.journal.progress.generation);
            self.store((&journal.id, &journal.plan.order_id), group, &before, &step, &exchange).await?;
            journal.machine = step.journal;
            let about = self.about(&journal.task, journal.ordinal, journal.kind);
            exchange = match step.action {
                Action::Wait(_) | Action::Done => {
                    return Ok(Ended::Turn(Turn { state: journal.machine.state, submitted }));
                }
                Action::Submit => {
                    submitted += 1;
                    self.submit(&journal, group).await
                }
                Action::LookUp | Action::ReadBack => {
                    oracle::look_up(&self.clients.fusion, about, journal.machine.generations()).await
                }
                Action::Follow { request_id } => oracle::follow(&self.clients.fusion, &request_id).await,
                Action::ReadLog { request_id } => oracle::read_log(&self.clients.fusion, &request_id).await,
            };
        }
        Err(Error::new(Code::JournalDefect, "a journal took too many steps in one turn"))
    }

    fn about<'j>(
        &self,
        task: &'j crate::ids::TaskGid,
        ordinal: u32,
        kind: crate::journal::Kind,
    ) -> About<'j> {
        About { connection: self.lease.connection, task, ordinal, kind }
    }

    async fn submit(&self, journal: &Claimed, group: GroupId) -> Exchange {
        let document = match journal.plan.document(group) {
            Ok(document) => document,
            Err(why) => return not_sent(why.to_string()),
        };
        match oracle::import_of(&document, self.settings) {
            Ok(import) => {
                let request = oracle::import_words(&import, &document);
                oracle::submit(&self.clients.fusion, &import, request).await
            }
            Err(error) => not_sent(error.message),
        }
    }

    async fn store(
        &self,
        (id, order): (&JournalId, &str),
        group: GroupId,
        before: &State,
        step: &machine::Step,
        exchange: &Exchange,
    ) -> Result<()> {
        let logged = |text: &str| (!text.is_empty()).then(|| cut(text));
        let (request, response) = (logged(&exchange.request), logged(&exchange.response));
        let again_in = match step.action {
            Action::Wait(wait) => Some(wait.as_secs_f64()),
            _ => None,
        };
        let record = journals::Step {
            id: *id,
            machine: &step.journal,
            group,
            what: &step.words,
            alert: step.alert,
            request: request.as_deref(),
            response: response.as_deref(),
            again_in,
            submits: if step.action == Action::Submit { Submits::Yes } else { Submits::No },
        };
        let _turn = self.gate.lock().await;
        let mut tx = self.engine.db.begin().await?;
        jobs::hold(&mut tx, self.lease).await?;
        let node: NodeId = self.engine.node;
        journals::record_step(&mut tx, self.lease.connection, self.lease.fence, node, &record).await?;
        self.show(&mut tx, before, &step.journal.state, order).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Has the task show where its journal stands, when a field is mapped for it. What is only on its way is not
    /// worth a write.
    async fn show(
        &self,
        db: &mut sqlx::PgConnection,
        before: &State,
        now: &State,
        order: &str,
    ) -> Result<()> {
        let is_mapped = self.clients.connection.settings.fields.contains_key(&Purpose::JournalStatus);
        let is_news =
            before.as_str() != now.as_str() && (now.is_final() || matches!(now, State::InDoubt { .. }));
        if is_mapped && is_news {
            outbox::open_for_order(db, self.lease.connection, order).await?;
            jobs::ask_for(&mut *db, self.lease.connection, &[Job::Push]).await?;
        }
        Ok(())
    }
}

/// Nothing was sent, since no request could be made of the journal.
fn not_sent(words: String) -> Exchange {
    let seen = Observation::Refused(machine::Refusal::Permanent { words: words.clone() });
    Exchange { seen, request: String::new(), response: words }
}

/// A text for the log, cut at a character.
fn cut(text: &str) -> String {
    if text.len() <= MAX_LOGGED {
        // PostgreSQL stores no NUL
        return text.replace('\0', "\u{fffd}");
    }
    let end = (0..=MAX_LOGGED).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let kept = text.get(..end).unwrap_or_default().replace('\0', "\u{fffd}");
    format!("{kept}\n… {} bytes in all", text.len())
}
