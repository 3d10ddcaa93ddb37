//! From a completion that is due to its journal, or to the reason why there is none.
//!
//! The decision itself is that of [`crate::journal`]. What is stored decides, never what a webhook said.

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};

use crate::code::Code;
use crate::completion::CompletionsReport;
use crate::engine::{Clients, Engine};
use crate::error::{Error, Result};
use crate::ids::{JournalId, TaskGid};
use crate::journal::account::Accounts;
use crate::journal::cost::Cost;
use crate::journal::date::{accounting_date, ledger_date};
use crate::journal::settings::Reopened;
use crate::journal::{
    CodeCombination, GroupId, JournalPlan, JournalSettings, Kind, NoJournal, Period, WaitsFor, plan,
};
use crate::posting::around::{Around, Subject};
use crate::posting::elsewhere::{self, Borne, Sought};
use crate::posting::reopen;
use crate::purpose::Purpose;
use crate::store;
use crate::store::completions::{self, Completion, Verdict};
use crate::store::connections;
use crate::store::jobs::{self, Job, Lease};
use crate::store::journals::{self, Bearer, NewJournal};
use crate::store::outbox;

/// Completions decided at once.
const BATCH: i64 = 100;
/// How long a held completion rests before it is looked at again by itself, in seconds. What it waits for
/// mostly comes with a poll, which makes it due at once.
const HELD_SECONDS: f64 = 3600.0;
/// The same for one whose cost is on its way in another connection; nothing of one connection is changed by another, so
/// one that is posted there is looked at again too: it may be reversed.
const ON_ITS_WAY_SECONDS: f64 = 300.0;
/// From then on a person is told that the other connection's journal does not get there.
const LONG_ON_ITS_WAY: SignedDuration = SignedDuration::from_hours(1);

/// Decides about every completion that is due, until none is, or until something fails that is in the way of all.
pub async fn decide_due(
    engine: &Engine,
    clients: &Clients,
    lease: &Lease,
    report: &mut CompletionsReport,
) -> Result<()> {
    let Some(settings) = &clients.connection.settings.journal else { return Ok(()) };
    let mut failed = None;
    while failed.is_none() {
        let mut db = engine.db.acquire().await?;
        let version = connections::settings_version(&mut db, lease.connection).await?;
        if version != clients.connection.settings_version {
            // what the change made due is for the next run, which knows the new ones
            break;
        }
        let due = completions::due(&mut db, lease.connection, BATCH).await?;
        drop(db);
        if due.is_empty() {
            break;
        }
        let (reopened, held): (Vec<_>, Vec<_>) = due.into_iter().partition(|c| c.reopened_at.is_some());
        for completion in reopened {
            if let Err(error) = reopen::decide(engine, clients, lease, settings, &completion).await {
                // it stays due, behind the others
                postpone(engine, lease, &completion).await?;
                failed = failed.or(Some(error));
            }
        }
        let mut db = engine.db.acquire().await?;
        let around = Around::load(&mut db, lease.connection, &held).await?;
        drop(db);
        let batch = Batch { engine, clients, lease, settings, around, bearers: HashMap::new() };
        if let Err(error) = batch.decide(&held, report).await {
            failed = failed.or(Some(error));
        }
    }
    failed.map_or(Ok(()), Err)
}

async fn postpone(engine: &Engine, lease: &Lease, completion: &Completion) -> Result<()> {
    let mut tx = store::begin(&engine.db).await?;
    jobs::hold(&mut tx, lease).await?;
    completions::postpone(&mut tx, lease.connection, &completion.task_gid, completion.ordinal).await?;
    tx.commit().await?;
    Ok(())
}

/// A completion whose cost is known.
struct Priced<'a> {
    completion: &'a Completion,
    cost: Cost,
    subject: Subject,
}

struct Batch<'a> {
    engine: &'a Engine,
    clients: &'a Clients,
    lease: &'a Lease,
    settings: &'a JournalSettings,
    around: Around,
    /// Which completion bears the cost of a subject already.
    bearers: HashMap<String, Bearer>,
}

/// Why a completion brings no journal now.
struct Refusal<'a> {
    completion: &'a Completion,
    why: NoJournal,
    /// The order and the line whose cost it is, when that is known.
    of: Option<(String, Option<String>)>,
    /// In how many seconds it is looked at again; `None`: not before something is told.
    again_in: Option<f64>,
    held: bool,
}

impl<'a> Refusal<'a> {
    fn new(completion: &'a Completion, why: NoJournal) -> Refusal<'a> {
        let held = why.waits_for() != WaitsFor::Nothing;
        // a number is put onto the task, or the task moved back, and that is told
        let rests = held && why.code() != Code::JournalNoOrderNumber;
        Refusal { completion, why, of: None, again_in: rests.then_some(HELD_SECONDS), held }
    }

    fn of(mut self, cost: &Cost) -> Refusal<'a> {
        self.of = Some((cost.order_id.clone(), cost.line_id.clone()));
        self
    }

    fn is_news(&self) -> bool {
        let state = if self.held { "held" } else { "skipped" };
        self.completion.state != state
            || self.completion.code.as_deref() != Some(self.why.code().info().code)
            || self.completion.reason.as_deref() != Some(self.why.to_string().as_str())
    }
}

impl Batch<'_> {
    async fn decide(mut self, held: &[Completion], report: &mut CompletionsReport) -> Result<()> {
        let line_amount = self.clients.connection.settings.tasks.line_amount;
        let (mut priced, mut refused) = (Vec::new(), Vec::new());
        for completion in held {
            match self.around.cost(completion, self.settings, line_amount) {
                Ok((cost, subject)) => priced.push(Priced { completion, cost, subject }),
                Err(why) => refused.push(Refusal::new(completion, why)),
            }
        }
        self.refuse(refused, report).await?;
        if priced.is_empty() {
            return Ok(());
        }
        let subjects: Vec<String> = priced.iter().flat_map(|p| p.subject.overlaps.clone()).collect();
        let mut db = self.engine.db.acquire().await?;
        let bearers = journals::bearers(&mut db, self.lease.connection, &subjects).await?;
        self.bearers = bearers.into_iter().map(|bearer| (bearer.subject.clone(), bearer)).collect();
        drop(db);
        let costs = priced.iter().map(|p| &p.cost);
        let (periods, combinations) = match ledger_of(self.clients, self.settings, costs).await {
            Ok(known) => known,
            Err(error) => {
                // nothing is lost: each says why it waits, and is due again with the job's next attempt
                for one in &priced {
                    self.wait(one.completion, &error).await?;
                }
                return Err(error);
            }
        };
        let mut refused = Vec::new();
        for one in &priced {
            match self.open(one, &periods, &combinations).await? {
                Ok(()) => report.journals += 1,
                Err(refusal) => refused.push(refusal.of(&one.cost)),
            }
        }
        self.refuse(refused, report).await
    }

    /// Opens the journal of a completion whose cost is known, or tells why not.
    async fn open<'p>(
        &self,
        priced: &Priced<'p>,
        periods: &[Period],
        combinations: &BTreeMap<String, CodeCombination>,
    ) -> Result<std::result::Result<(), Refusal<'p>>> {
        let completion = priced.completion;
        let mut overlaps = priced.subject.overlaps.iter();
        if let Some(bearer) = overlaps.find_map(|subject| self.bearers.get(subject)) {
            return Ok(Err(self.posted_already(priced, bearer)));
        }
        let plan = match self.plan(priced, periods, combinations) {
            Ok(plan) => plan,
            Err(why) => return Ok(Err(Refusal::new(completion, why))),
        };
        let connection = self.lease.connection;
        let task = TaskGid(completion.task_gid.clone());
        let ordinal = completion.ordinal.unsigned_abs();
        let new = NewJournal {
            id: JournalId::new(),
            task: &task,
            ordinal,
            subject: &priced.subject.name,
            overlaps: &priced.subject.overlaps,
            group: GroupId::derive(connection, &task, ordinal, Kind::Posting, 0),
            plan: &plan,
        };
        let moved = plan.accounting.moved_from.map(|from| {
            format!(
                "completed on {from}, entered on {} since that period takes no entries",
                plan.accounting.date
            )
        });
        let mut tx = store::begin(&self.engine.db).await?;
        jobs::hold(&mut tx, self.lease).await?;
        let settings = &self.clients.connection.settings;
        let sought = Sought::of(&plan, &priced.subject.name);
        if let Some(borne) = elsewhere::bearer(&mut tx, connection, settings, sought).await? {
            return Ok(Err(borne_elsewhere(priced, &borne)));
        }
        if !journals::open(&mut tx, connection, &new).await? {
            // another completion of this very batch bears the cost
            let bearers = journals::bearers(&mut tx, connection, &priced.subject.overlaps).await?;
            return Ok(Err(match bearers.first() {
                Some(bearer) => self.posted_already(priced, bearer),
                None => {
                    let what = "the completion has a journal and is decided again".to_owned();
                    Refusal::new(completion, NoJournal::Defect { what })
                }
            }));
        }
        let verdict = Verdict {
            task,
            ordinal: completion.ordinal,
            state: "journal",
            code: None,
            reason: moved,
            order_id: Some(priced.cost.order_id.clone()),
            line_id: priced.cost.line_id.clone(),
            again_in: None,
        };
        completions::decide(&mut tx, connection, &verdict).await?;
        tx.commit().await?;
        Ok(Ok(()))
    }

    /// The cost is borne already. When it is by an earlier completion of the same task, whose journal is to be
    /// reversed, that is waited for.
    fn posted_already<'p>(&self, priced: &Priced<'p>, bearer: &Bearer) -> Refusal<'p> {
        let completion = priced.completion;
        let why = priced.subject.posted_already(bearer);
        let reversed = self.settings.reopened == Reopened::Reverse
            && bearer.task == completion.task_gid
            && bearer.ordinal < completion.ordinal;
        let refusal = Refusal::new(completion, why);
        if reversed { Refusal { held: true, again_in: Some(HELD_SECONDS), ..refusal } } else { refusal }
    }

    fn plan(
        &self,
        priced: &Priced<'_>,
        periods: &[Period],
        combinations: &BTreeMap<String, CodeCombination>,
    ) -> std::result::Result<JournalPlan, NoJournal> {
        plan_of(
            priced.completion,
            &priced.cost,
            periods,
            &Accounts {
                settings: self.settings,
                layout: &self.clients.connection.settings.routing.account,
                known: combinations,
            },
        )
    }

    /// Stores why there is no journal, and when that is looked at again. Those whose reason is what it was are
    /// many where tasks without an order are completed, and cost one statement.
    async fn refuse(&self, refused: Vec<Refusal<'_>>, report: &mut CompletionsReport) -> Result<()> {
        let held = refused.iter().filter(|refusal| refusal.held).count() as u64;
        report.held += held;
        report.skipped += refused.len() as u64 - held;
        if refused.iter().any(|refusal| refusal.why.waits_for() == WaitsFor::Period) {
            self.clients.ledger.forget_periods();
        }
        let (news, known): (Vec<_>, Vec<_>) = refused.into_iter().partition(Refusal::is_news);
        if !known.is_empty() {
            let resting: Vec<_> = known.iter().map(|known| (known.completion, known.again_in)).collect();
            let mut tx = store::begin(&self.engine.db).await?;
            jobs::hold(&mut tx, self.lease).await?;
            completions::rest(&mut tx, self.lease.connection, &resting).await?;
            tx.commit().await?;
        }
        let mut shown = false;
        for refusal in news {
            shown |= self.tell(refusal).await?;
        }
        if shown {
            jobs::ask_for(&self.engine.db, self.lease.connection, &[Job::Push]).await?;
            self.engine.wake();
        }
        Ok(())
    }

    /// Stores one reason; returns whether the task is to show it.
    async fn tell(&self, refusal: Refusal<'_>) -> Result<bool> {
        let completion = refusal.completion;
        let of = refusal.of.or_else(|| self.around.order_of(completion).map(|id| (id, None)));
        let (order_id, line_id) = of.map_or((None, None), |(order, line)| (Some(order), line));
        let verdict = Verdict {
            task: TaskGid(completion.task_gid.clone()),
            ordinal: completion.ordinal,
            state: if refusal.held { "held" } else { "skipped" },
            code: Some(refusal.why.code().info().code),
            reason: Some(refusal.why.to_string()),
            order_id: order_id.clone(),
            line_id,
            again_in: refusal.again_in,
        };
        let maps = self.clients.connection.settings.fields.contains_key(&Purpose::JournalStatus);
        let shows = order_id.filter(|_| maps);
        let mut tx = store::begin(&self.engine.db).await?;
        jobs::hold(&mut tx, self.lease).await?;
        completions::decide(&mut tx, self.lease.connection, &verdict).await?;
        if let Some(order) = &shows {
            outbox::open_for_order(&mut tx, self.lease.connection, order).await?;
        }
        tx.commit().await?;
        Ok(shows.is_some())
    }

    /// Notes what a completion waits for; it stays due.
    async fn wait(&self, completion: &Completion, error: &Error) -> Result<()> {
        let verdict = Verdict {
            task: TaskGid(completion.task_gid.clone()),
            ordinal: completion.ordinal,
            state: "held",
            code: Some(error.code.info().code),
            reason: Some(error.message.clone()),
            order_id: None,
            line_id: None,
            again_in: Some(0.0),
        };
        let mut tx = store::begin(&self.engine.db).await?;
        jobs::hold(&mut tx, self.lease).await?;
        completions::decide(&mut tx, self.lease.connection, &verdict).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Why there is no journal while another connection bears the cost.
fn borne_elsewhere<'p>(priced: &Priced<'p>, borne: &Borne) -> Refusal<'p> {
    let completion = priced.completion;
    let refusal = Refusal::new(completion, priced.subject.borne_elsewhere(borne));
    let again = if borne.is_posted { HELD_SECONDS } else { ON_ITS_WAY_SECONDS };
    let is_late = Timestamp::now().duration_since(completion.found_at) > LONG_ON_ITS_WAY;
    Refusal { held: !borne.is_posted && is_late, again_in: Some(again), ..refusal }
}

/// The ledger's periods, and code combinations by their id.
pub(super) type LedgerFacts = (Vec<Period>, BTreeMap<String, CodeCombination>);

/// The ledger's periods, and the accounts that these costs fall on.
pub(super) async fn ledger_of(
    clients: &Clients,
    settings: &JournalSettings,
    costs: impl Iterator<Item = &Cost>,
) -> Result<LedgerFacts> {
    let (memory, fusion) = (&clients.ledger, &clients.fusion);
    let mut ids: Vec<String> = costs.flat_map(Cost::combination_ids).map(str::to_owned).collect();
    ids.extend(settings.clearing_account_id.clone());
    ids.sort_unstable();
    ids.dedup();
    let combinations = memory.combinations(fusion, settings, &ids);
    tokio::try_join!(memory.periods(fusion, settings), combinations)
}

/// The plan of a completion's posting. Pure.
pub fn plan_of(
    completion: &Completion,
    cost: &Cost,
    periods: &[Period],
    accounts: &Accounts<'_>,
) -> std::result::Result<JournalPlan, NoJournal> {
    let zone = accounts.settings.zone().ok_or_else(|| NoJournal::SettingsWrong {
        problem: format!("{} is no time zone", accounts.settings.time_zone),
    })?;
    let completed_on = ledger_date(completion.completed_at, &zone);
    let accounting = accounting_date(completed_on, periods, accounts.settings.closed_period)?;
    let of = plan::Completion {
        task: TaskGid(completion.task_gid.clone()),
        task_name: completion.task_name.clone(),
        completed_at: completion.completed_at,
        completed_on,
        completed_by: completion.completed_by.clone(),
    };
    JournalPlan::posting(of, cost, accounting, ledger_date(Timestamp::now(), &zone), accounts)
}

/// The `code` that a completion shows when its task was opened again before anything was sent.
pub(super) const REOPENED: Code = Code::JournalReopened;
