//! The job that drives journals to Oracle: each decision of the state machine is committed before it is done.

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use jiff::Timestamp;
use outbound::exchange::watched;
use tokio::sync::Mutex;

use crate::code::Code;
use crate::engine::{Clients, Engine};
use crate::error::{Error, Result};
use crate::journal::machine::{self, Action, Context, Limits, Observation, State};
use crate::journal::settings::Suspense;
use crate::journal::{GroupId, JournalSettings, Kind};
use crate::posting::intent::{self, Intent};
use crate::posting::lookup::{self, Proof};
use crate::posting::oracle::{self, About, Exchange};
use crate::posting::redate::{self, Dated};
use crate::posting::settled::{self, Settled};
use crate::purpose::Purpose;
use crate::store::attempts::{self, About as Subject, NewAttempt};
use crate::store::jobs::{self, Job, Lease};
use crate::store::journals::{self, Claimed, Submits, Told};
use crate::store::{self, completions, outbox};

/// Journals driven at once; Oracle's import is one job each.
const AT_ONCE: usize = 8;
/// A journal that takes more steps in one turn goes in a circle; the next claim takes it over.
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
    /// What Oracle as a whole failed with, when the last exchange did.
    #[serde(skip)]
    pub trouble: Option<Trouble>,
}

/// A failure that says something of Oracle as a whole.
#[derive(Debug, Clone, Copy)]
pub struct Trouble {
    /// Its code.
    pub code: Code,
    /// How long Oracle asks to be left alone.
    pub retry_after: Option<std::time::Duration>,
}

/// Drives every journal that is due until none is.
pub async fn run(engine: &Engine, clients: &Clients, lease: &Lease) -> Result<JournalsReport> {
    let mut report = JournalsReport::default();
    let Some(settings) = &clients.connection.settings.journal else { return Ok(report) };
    let driver = Driver { engine, clients, lease, settings, gate: Mutex::new(()) };
    let mut tx = store::begin(&engine.db).await?;
    jobs::hold(&mut tx, lease).await?;
    journals::take_over(&mut tx, lease.connection, lease.fence).await?;
    tx.commit().await?;
    // claiming is one of the futures, so that no turn ever stands still, holding a lock, while it waits
    let mut under_way = FuturesUnordered::from_iter([driver.claim(AT_ONCE).boxed()]);
    let (mut claiming, mut more, mut failed) = (true, false, None);
    // whatever failed, a sending under way is not dropped: its answer would be lost
    while !under_way.is_empty() {
        let ended = tokio::select! {
            Some(ended) = under_way.next() => Some(ended),
            () = clients.journals_due.notified() => None,
        };
        more |= match ended {
            None => true,
            Some(Ok(Ended::Claimed(claimed))) => {
                claiming = false;
                let found = !claimed.is_empty();
                under_way.extend(claimed.into_iter().map(|one| driver.turn(one).boxed()));
                found
            }
            Some(Ok(Ended::Turn(turn))) => {
                report.add(&turn);
                true
            }
            Some(Err(error)) => {
                failed = failed.or(Some(error));
                false
            }
        };
        let free = AT_ONCE.saturating_sub(under_way.len());
        if more && !claiming && free > 0 && failed.is_none() {
            (claiming, more) = (true, false);
            under_way.push(driver.claim(free).boxed());
        }
    }
    failed.map_or(Ok(report), Err)
}

/// What one of the futures under way has ended with.
enum Ended {
    Claimed(Vec<Claimed>),
    Turn(Turn),
}

impl JournalsReport {
    fn add(&mut self, turn: &Turn) {
        self.turns += 1;
        self.submitted += turn.submitted;
        if turn.asked {
            self.trouble = turn.trouble;
        }
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
    /// Whether Oracle was asked, and how that ended last.
    asked: bool,
    trouble: Option<Trouble>,
}

impl Driver<'_> {
    async fn claim(&self, limit: usize) -> Result<Ended> {
        let limit = i64::try_from(limit).unwrap_or(0);
        let _turn = self.gate.lock().await;
        let mut tx = store::begin(&self.engine.db).await?;
        jobs::hold(&mut tx, self.lease).await?;
        let claimed = journals::claim_due(&mut tx, self.lease.connection, self.lease.fence, limit).await?;
        tx.commit().await?;
        Ok(Ended::Claimed(claimed))
    }

    /// Drives one journal until it waits or is settled.
    async fn turn(&self, mut journal: Claimed) -> Result<Ended> {
        let before = journal.machine.state.as_str();
        let (mut submitted, mut asked, mut trouble) = (0, false, None);
        let mut exchange = self.claimed(&journal);
        for _ in 0..STEPS {
            let context = Context {
                now: Timestamp::now(),
                random: rand::random(),
                limits: Limits::of(self.settings),
                expected: journal.plan.expected(self.settings),
                suspense: self.settings.suspense == Suspense::On,
            };
            let from = journal.machine.state.as_str();
            let mut step = machine::step(std::mem::take(&mut journal.machine), &exchange.seen, &context);
            let about = self.about(&journal.task, journal.ordinal, journal.kind);
            let group = about.group(step.journal.progress.generation);
            if let (Observation::BatchFound(batch), "in_doubt") = (&exchange.seen, from) {
                let groups = (about.group(batch.generation), group);
                let told = intent::explained(&journal.plan, groups, step.journal.progress.submitted_at);
                step.words = format!("{}; {told}", step.words);
            }
            let intent =
                (step.action == Action::Submit).then(|| Intent::of(&journal.plan, group, self.settings));
            let ends = matches!(step.action, Action::Wait(_) | Action::Done);
            // what is only on its way is not worth a write
            let state = &step.journal.state;
            let waits = matches!(exchange.seen, Observation::NotEnterable { .. });
            let settles = state.is_final() || matches!(state, State::InDoubt { .. });
            let shows = ends && (waits || (state.as_str() != before && settles));
            let begins = intent.as_ref().and_then(|intent| intent.as_ref().ok());
            self.store(&journal, group, from, &step, &exchange, (begins, shows)).await?;
            let about = self.about(&journal.task, journal.ordinal, journal.kind);
            let submits = step.action == Action::Submit;
            let done = match step.action {
                Action::Wait(_) | Action::Done => {
                    let state = step.journal.state;
                    return Ok(Ended::Turn(Turn { state, submitted, asked, trouble }));
                }
                action => watched(self.act(&step.journal, action, about, intent)).await,
            };
            submitted += u64::from(submits);
            exchange = Exchange { exchanges: done.1, ..done.0 };
            asked |= !exchange.exchanges.is_empty();
            trouble = exchange.trouble;
            journal.machine = step.journal;
            if journal.machine.is_unsent() && matches!(exchange.seen, Observation::NoBatch(_)) {
                let looked = std::mem::take(&mut exchange.exchanges);
                let (dated, more) = watched(self.date(&mut journal, exchange)).await;
                exchange = Exchange { exchanges: looked.into_iter().chain(more).collect(), ..dated };
                trouble = exchange.trouble.or(trouble);
            }
        }
        Err(Error::new(Code::JournalDefect, "a journal took too many steps in one turn"))
    }

    /// Does what the state machine decided.
    async fn act(
        &self,
        next: &machine::Journal,
        action: Action,
        about: About<'_>,
        intent: Option<std::result::Result<Intent, String>>,
    ) -> Exchange {
        let fusion = &self.clients.fusion;
        match action {
            Action::Submit => match intent {
                Some(Ok(intent)) => oracle::submit(fusion, &intent.import, intent.request()).await,
                Some(Err(words)) => not_sent(words),
                None => not_sent("no document was made".to_owned()),
            },
            Action::LookUp | Action::ReadBack => {
                let proof = if next.needs_proof() { Proof::Needed } else { Proof::Idle };
                lookup::look_up(fusion, about, next.generations(), proof).await.exchange
            }
            Action::Follow { request_id } => oracle::follow(fusion, &request_id).await,
            Action::ReadLog { request_id } => oracle::read_log(fusion, &request_id).await,
            Action::Wait(_) | Action::Done => Exchange::without(Observation::Claimed),
        }
    }

    fn about<'j>(&self, task: &'j crate::ids::TaskGid, ordinal: u32, kind: Kind) -> About<'j> {
        About { connection: self.lease.connection, task, ordinal, kind }
    }

    /// Looks at the date once more, before the first sending: its period may have been closed since.
    async fn date(&self, journal: &mut Claimed, looked: Exchange) -> Exchange {
        let periods = match self.clients.ledger.periods(&self.clients.fusion, self.settings).await {
            Ok(periods) => periods,
            Err(error) => return redate::unread(&error),
        };
        match redate::dated(&journal.plan, &periods, self.settings) {
            Dated::Stands => {}
            Dated::Moved(plan) => {
                journal.moved = Some(redate::words(&journal.plan, &plan));
                journal.plan = *plan;
            }
            Dated::Waits(why) => return redate::waits(&why, looked),
        }
        looked
    }

    /// What a claim shows. Of a sending whose answer nobody recorded, the request is told as the stored plan gives it again.
    fn claimed(&self, journal: &Claimed) -> Exchange {
        let mut exchange = Exchange::without(Observation::Claimed);
        if journal.machine.state == State::Submitting {
            let about = self.about(&journal.task, journal.ordinal, journal.kind);
            let group = about.group(journal.machine.progress.generation);
            if let Ok(intent) = Intent::of(&journal.plan, group, self.settings) {
                let words = intent.words();
                exchange.request = intent.request();
                exchange.response = format!("no answer was recorded; made again of the stored plan: {words}");
            }
        }
        exchange
    }

    /// Commits a step before its action is done, with all that follows from it.
    async fn store(
        &self,
        journal: &Claimed,
        group: GroupId,
        from: &str,
        step: &machine::Step,
        exchange: &Exchange,
        (begins, shows): (Option<&Intent>, bool),
    ) -> Result<()> {
        let logged = |text: &str| (!text.is_empty()).then(|| cut(text));
        let (request, response) = (logged(&exchange.request), logged(&exchange.response));
        let submits = step.action == Action::Submit;
        let is_news = request.is_some()
            || response.is_some()
            || submits
            || step.alert.is_some()
            || step.journal.state.as_str() != from;
        let moved = journal.moved.as_ref().filter(|_| submits);
        let words = moved.map(|moved| format!("{}; {moved}", step.words));
        let told = Told {
            what: words.as_deref().unwrap_or(&step.words),
            alert: step.alert,
            request: request.as_deref(),
            response: response.as_deref(),
        };
        let record = journals::Step {
            id: journal.id,
            turn: journal.turn,
            machine: &step.journal,
            group,
            told: is_news.then_some(told),
            again_in: match step.action {
                Action::Wait(wait) => Some(wait.as_secs_f64()),
                _ => None,
            },
            submits: if submits { Submits::Yes } else { Submits::No },
            plan: moved.map(|_| &journal.plan),
        };
        let shows = shows && self.clients.connection.settings.fields.contains_key(&Purpose::JournalStatus);
        let is_settled = step.journal.state.is_final();
        let (connection, node) = (self.lease.connection, self.engine.node);
        let turn = self.gate.lock().await;
        let mut tx = store::begin(&self.engine.db).await?;
        jobs::hold(&mut tx, self.lease).await?;
        journals::record_step(&mut tx, connection, self.lease.fence, node, &record).await?;
        if let Some(intent) = begins {
            intent.log(&mut tx, connection, node, journal.id).await?;
        }
        let tried: Vec<_> = exchange
            .exchanges
            .iter()
            .map(|one| NewAttempt { subject: journal.id.0, exchange: one, code: None })
            .collect();
        attempts::record(&mut tx, connection, node, Subject::Journal, &tried).await?;
        if let Some(moved) = moved {
            let ordinal = i32::try_from(journal.ordinal).unwrap_or(i32::MAX);
            completions::remark(&mut tx, connection, journal.task.as_str(), ordinal, None, moved).await?;
        }
        if is_settled {
            let (task, order) = (journal.task.as_str(), journal.plan.order_id.as_str());
            let of = Settled { kind: journal.kind, task, ordinal: journal.ordinal, order };
            settled::settle(&mut tx, connection, of, &step.journal.state).await?;
        }
        if shows {
            outbox::open_for_order(&mut tx, connection, &journal.plan.order_id).await?;
        }
        tx.commit().await?;
        drop(turn);
        // not before: a transaction that holds the row of one job must never wait for that of another
        let asked: Vec<Job> = [(shows, Job::Push), (is_settled, Job::Completions)]
            .into_iter()
            .filter_map(|(asks, job)| asks.then_some(job))
            .collect();
        if !asked.is_empty() {
            jobs::ask_for(&self.engine.db, connection, &asked).await?;
            self.engine.wake();
        }
        Ok(())
    }
}

/// Nothing was sent, since no request could be made of the journal.
fn not_sent(words: String) -> Exchange {
    let seen = Observation::Refused(machine::Refusal::Permanent { words: words.clone() });
    Exchange { response: words, ..Exchange::without(seen) }
}

/// A text for the log, cut at a character.
pub(super) fn cut(text: &str) -> String {
    if text.len() <= MAX_LOGGED {
        // PostgreSQL stores no NUL
        return text.replace('\0', "\u{fffd}");
    }
    let end = (0..=MAX_LOGGED).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let kept = text.get(..end).unwrap_or_default().replace('\0', "\u{fffd}");
    format!("{kept}\n… {} bytes in all", text.len())
}
