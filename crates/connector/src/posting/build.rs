//! From a completion that is due to its journal, or to the reason why there is none.
//!
//! The decision itself is that of [`crate::journal`]. What is stored decides, never what a webhook said.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use oracle_fusion::{PurchaseOrder, RawValue};
use sqlx::PgConnection;

use crate::code::Code;
use crate::completion::CompletionsReport;
use crate::engine::{Clients, Engine};
use crate::error::{Error, Result};
use crate::feed::Feed;
use crate::ids::{ConnectionId, JournalId, TaskGid};
use crate::journal::account::Accounts;
use crate::journal::cost::{self, Cost, CostBasis, OwnCost, Sought, TaskFacts};
use crate::journal::date::{accounting_date, ledger_date};
use crate::journal::{
    CodeCombination, GroupId, JournalPlan, JournalSettings, Kind, NoJournal, Period, WaitsFor, plan,
};
use crate::posting::reopen;
use crate::store::completions::{self, Completion, Verdict};
use crate::store::jobs::{self, Job, Lease};
use crate::store::journals::{self, NewJournal};
use crate::store::{connections, documents, links, outbox};

/// Completions decided at once.
const BATCH: i64 = 100;
/// How long a held completion rests before it is looked at again by itself, in seconds. What it waits for
/// mostly comes with a poll, which makes it due at once.
const HELD_SECONDS: f64 = 3600.0;

/// What surrounds a batch of completions.
pub(super) struct Around {
    /// Orders by id.
    orders: HashMap<String, CostBasis>,
    /// Order ids by number.
    by_number: HashMap<String, Vec<String>>,
    /// Each task's orders: pairs of order and line; the line is empty for a whole order.
    links: HashMap<String, Vec<(String, String)>>,
    /// Which task and completion bears a cost already.
    bearers: HashMap<String, (String, i32)>,
    since: Option<Timestamp>,
}

/// Decides about every completion that is due, until none is.
pub async fn decide_due(
    engine: &Engine,
    clients: &Clients,
    lease: &Lease,
    report: &mut CompletionsReport,
) -> Result<()> {
    let Some(settings) = &clients.connection.settings.journal else { return Ok(()) };
    loop {
        let mut db = engine.db.acquire().await?;
        let due = completions::due(&mut db, lease.connection, BATCH).await?;
        if due.is_empty() {
            return Ok(());
        }
        let (reopened, held): (Vec<_>, Vec<_>) = due.into_iter().partition(|c| c.reopened_at.is_some());
        for completion in reopened {
            reopen::decide(engine, clients, lease, settings, &completion).await?;
        }
        let around = Around::load(&mut db, lease.connection, &held).await?;
        drop(db);
        let batch = Batch { engine, clients, lease, settings, around };
        batch.decide(&held, report).await?;
    }
}

impl Around {
    pub(super) async fn load(
        db: &mut PgConnection,
        connection: ConnectionId,
        held: &[Completion],
    ) -> Result<Around> {
        let tasks: Vec<String> = held.iter().map(|c| c.task_gid.clone()).collect();
        let mut around = Around {
            orders: HashMap::new(),
            by_number: HashMap::new(),
            links: HashMap::new(),
            bearers: HashMap::new(),
            since: connections::journals_since(&mut *db, connection).await?,
        };
        for link in links::of_orders_and_tasks(db, connection, &[], &tasks).await? {
            if !link.gone {
                around.links.entry(link.task_gid).or_default().push((link.order_id, link.line_id));
            }
        }
        let ids: Vec<String> = around.links.values().flatten().map(|(order, _)| order.clone()).collect();
        let numbers: Vec<String> = held.iter().filter_map(|c| c.order_number.clone()).collect();
        let mut found = documents::by_ids(db, connection, Feed::PurchaseOrders, &ids).await?;
        found.extend(documents::by_order_number(db, connection, Feed::PurchaseOrders, &numbers).await?);
        for stored in found {
            let raw = serde_json::from_str::<&RawValue>(&stored.body).ok();
            if let Some(Ok(order)) = raw.map(PurchaseOrder::parse) {
                around.add(CostBasis::of(order));
            }
        }
        Ok(around)
    }

    fn add(&mut self, order: CostBasis) {
        let ids = self.by_number.entry(order.order_number().to_owned()).or_default();
        if !ids.iter().any(|id| id == order.order_id()) {
            ids.push(order.order_id().to_owned());
        }
        self.orders.insert(order.order_id().to_owned(), order);
    }

    /// The order, or the line of it, whose cost a completion is. A link says it, unless the task carries
    /// another order's number by now: then somebody must say which is meant.
    fn sought<'a>(&'a self, completion: &'a Completion) -> std::result::Result<Sought<'a>, NoJournal> {
        let number = completion.order_number.as_deref();
        if let Some(links) = self.links.get(&completion.task_gid) {
            let [(order_id, line_id)] = links.as_slice() else {
                return Ok(Sought::Ambiguous(number.unwrap_or("its links")));
            };
            let Some(order) = self.orders.get(order_id) else {
                return Ok(Sought::Unknown(number.unwrap_or(order_id)));
            };
            if let Some(shown) = number.filter(|shown| *shown != order.order_number()) {
                return Err(NoJournal::OrderMismatch {
                    linked: order.order_number().to_owned(),
                    shown: shown.to_owned(),
                });
            }
            let whole = line_id.is_empty();
            return Ok(if whole { Sought::Order(order) } else { Sought::Line(order, line_id) });
        }
        let Some(number) = number else { return Ok(Sought::NoNumber) };
        let orders = self.by_number.get(number).map(Vec::as_slice).unwrap_or_default();
        Ok(match orders {
            [] => Sought::Unknown(number),
            [one] => self.orders.get(one).map_or(Sought::Unknown(number), Sought::Order),
            _ => Sought::Ambiguous(number),
        })
    }

    /// The cost of a completion and what bears it.
    pub(super) fn cost(
        &self,
        completion: &Completion,
        settings: &JournalSettings,
        line_amount: crate::settings::LineAmount,
    ) -> std::result::Result<(Cost, String), NoJournal> {
        if self.since.is_some_and(|since| completion.completed_at < since) {
            return Err(NoJournal::BeforeStart { completed_at: completion.completed_at });
        }
        let task = TaskFacts {
            approval_status: completion.approval_status.clone(),
            own_cost: completion
                .own_cost
                .clone()
                .map(|amount| OwnCost { amount, currency: completion.own_currency.clone() }),
        };
        let cost = cost::cost(&task, self.sought(completion)?, settings, line_amount)?;
        let subject = cost.posted_once_for().unwrap_or_else(|| format!("task {}", completion.task_gid));
        Ok((cost, subject))
    }
}

/// A completion whose cost is known.
struct Priced<'a> {
    completion: &'a Completion,
    cost: Cost,
    subject: String,
}

struct Batch<'a> {
    engine: &'a Engine,
    clients: &'a Clients,
    lease: &'a Lease,
    settings: &'a JournalSettings,
    around: Around,
}

impl Batch<'_> {
    async fn decide(mut self, held: &[Completion], report: &mut CompletionsReport) -> Result<()> {
        let line_amount = self.clients.connection.settings.tasks.line_amount;
        let (mut priced, mut without) = (Vec::new(), Vec::new());
        for completion in held {
            match self.around.cost(completion, self.settings, line_amount) {
                Ok((cost, subject)) => priced.push(Priced { completion, cost, subject }),
                Err(why) => without.push((completion, why)),
            }
        }
        for (completion, why) in without {
            self.refuse(completion, &why, report).await?;
        }
        if priced.is_empty() {
            return Ok(());
        }
        let subjects: Vec<String> = priced.iter().map(|p| p.subject.clone()).collect();
        let mut db = self.engine.db.acquire().await?;
        for (subject, task, ordinal) in journals::bearers(&mut db, self.lease.connection, &subjects).await? {
            self.around.bearers.insert(subject, (task, ordinal));
        }
        drop(db);
        let costs = priced.iter().map(|p| &p.cost);
        match ledger_of(self.clients, self.settings, costs).await {
            Ok((periods, combinations)) => {
                for one in priced {
                    self.open(&one, &periods, &combinations, report).await?;
                }
                Ok(())
            }
            Err(error) => {
                // nothing is lost: each says why it waits, and is due again with the job's next attempt
                for one in &priced {
                    self.wait(one.completion, &error).await?;
                }
                Err(error)
            }
        }
    }

    /// Opens the journal of a completion whose cost is known.
    async fn open(
        &self,
        priced: &Priced<'_>,
        periods: &[Period],
        combinations: &BTreeMap<String, CodeCombination>,
        report: &mut CompletionsReport,
    ) -> Result<()> {
        let completion = priced.completion;
        if let Some((task, ordinal)) = self.around.bearers.get(&priced.subject)
            && (task, ordinal) != (&completion.task_gid, &completion.ordinal)
        {
            return self.refuse(completion, &posted_already(&priced.subject, task, *ordinal), report).await;
        }
        let plan = match self.plan(priced, periods, combinations) {
            Ok(plan) => plan,
            Err(why) => return self.refuse(completion, &why, report).await,
        };
        let connection = self.lease.connection;
        let task = TaskGid(completion.task_gid.clone());
        let ordinal = completion.ordinal.unsigned_abs();
        let new = NewJournal {
            id: JournalId::new(),
            task: &task,
            ordinal,
            subject: &priced.subject,
            group: GroupId::derive(connection, &task, ordinal, Kind::Posting, 0),
            plan: &plan,
        };
        let moved = plan.accounting.moved_from.map(|from| {
            format!(
                "completed on {from}, entered on {} since that period takes no entries",
                plan.accounting.date
            )
        });
        let mut tx = self.engine.db.begin().await?;
        jobs::hold(&mut tx, self.lease).await?;
        if !journals::open(&mut tx, connection, &new).await? {
            // another completion of this very batch bears the cost
            let bearer =
                journals::bearers(&mut tx, connection, std::slice::from_ref(&priced.subject)).await?;
            drop(tx);
            let (task, ordinal) = bearer.into_iter().next().map(|(_, t, o)| (t, o)).unwrap_or_default();
            return self.refuse(completion, &posted_already(&priced.subject, &task, ordinal), report).await;
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
        report.journals += 1;
        Ok(())
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

    /// Stores why there is no journal, and when that is looked at again.
    async fn refuse(
        &self,
        completion: &Completion,
        why: &NoJournal,
        report: &mut CompletionsReport,
    ) -> Result<()> {
        let waits = why.waits_for() != WaitsFor::Nothing;
        if why.waits_for() == WaitsFor::Period {
            self.clients.ledger.forget_periods();
        }
        if waits {
            report.held += 1;
        } else {
            report.skipped += 1;
        }
        let order_id =
            self.around.links.get(&completion.task_gid).and_then(|l| l.first()).map(|(o, _)| o.clone());
        let verdict = Verdict {
            task: TaskGid(completion.task_gid.clone()),
            ordinal: completion.ordinal,
            state: if waits { "held" } else { "skipped" },
            code: Some(why.code().info().code),
            reason: Some(why.to_string()),
            order_id: order_id.clone(),
            line_id: None,
            again_in: waits.then_some(HELD_SECONDS),
        };
        let news = completion.code.as_deref() != verdict.code || completion.reason != verdict.reason;
        let mut tx = self.engine.db.begin().await?;
        jobs::hold(&mut tx, self.lease).await?;
        completions::decide(&mut tx, self.lease.connection, &verdict).await?;
        let shown =
            self.clients.connection.settings.fields.contains_key(&crate::purpose::Purpose::JournalStatus);
        if let (true, true, Some(order)) = (news, shown, order_id) {
            outbox::open_for_order(&mut tx, self.lease.connection, &order).await?;
            jobs::ask_for(&mut *tx, self.lease.connection, &[Job::Push]).await?;
        }
        tx.commit().await?;
        Ok(())
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
        let mut tx = self.engine.db.begin().await?;
        jobs::hold(&mut tx, self.lease).await?;
        completions::decide(&mut tx, self.lease.connection, &verdict).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// What a plan needs to know of the ledger.
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

pub(super) fn posted_already(what: &str, task: &str, ordinal: i32) -> NoJournal {
    NoJournal::AlreadyPosted { what: what.to_owned(), by: format!("task {task}, completion {ordinal}") }
}

/// The `code` that a completion shows when its task was opened again before anything was sent.
pub(super) const REOPENED: Code = Code::JournalReopened;
