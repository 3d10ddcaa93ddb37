//! What a completion would bring, before it does: the same decisions as [`build`](super::build), with nothing written
//! anywhere.

use std::collections::BTreeSet;

use asana::Task;
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use sqlx::PgConnection;

use crate::code::Code;
use crate::completion::see;
use crate::engine::{Clients, Engine, ProjectFields};
use crate::error::{Error, Result};
use crate::feed::Feed;
use crate::ids::{ConnectionId, TaskGid};
use crate::journal::account::Accounts;
use crate::journal::cost::Origin;
use crate::journal::{GroupId, JournalPlan, JournalSettings, Kind, NoJournal, WaitsFor};
use crate::posting::around::Around;
use crate::posting::build::{LedgerFacts, ledger_of, plan_of};
use crate::posting::elsewhere::{self, Sought};
use crate::posting::lines::{self, ShownLine};
use crate::posting::oracle::{import_of, import_words};
use crate::store::completions::{self, Completion};
use crate::store::{documents, journals, links, tasks};
use crate::trouble;

/// Tasks of one order that are looked at.
const MAX_TASKS: usize = 20;
/// Tasks read at once.
const READS_AT_ONCE: usize = 5;

/// What would come of a task's completion.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Preview {
    /// The task.
    pub task_gid: TaskGid,
    /// Its title.
    pub task_name: String,
    /// What stands in its PO-number field.
    pub order_number: Option<String>,
    /// Whether it is completed; otherwise it is taken as if it were completed now.
    pub completed: bool,
    /// When it was completed, or now.
    pub completed_at: Timestamp,
    /// Which of its completions this is.
    pub ordinal: u32,
    /// What would be sent, or why nothing would.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What would be sent, or why nothing would.
#[derive(Debug, Clone, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A journal.
    Journal(Box<Planned>),
    /// Nothing.
    Nothing(Nothing),
}

/// A journal as it would be sent.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Planned {
    /// Where the amount comes from.
    pub cost_from: &'static str,
    /// Debits, which equal credits.
    pub amount: String,
    /// ISO 4217 code.
    pub currency: String,
    /// The accounting date.
    pub accounting_date: String,
    /// Why it is that date.
    pub dated: String,
    /// The group id, as text since it has 18 digits.
    pub group_id: String,
    /// The lines.
    pub lines: Vec<ShownLine>,
    /// The upload's name for the file.
    pub file_name: String,
    /// `GlInterface.csv`.
    pub csv: String,
    /// The request that would carry it, without the packed file.
    pub request: String,
    /// The plan.
    pub plan: JournalPlan,
}

/// Why nothing would be sent.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Nothing {
    /// Why, as a code.
    pub code: &'static str,
    /// Why, in words.
    pub reason: String,
    /// What to do.
    pub remedy: &'static str,
    /// Whether the completion would be held and looked at again.
    pub held: bool,
}

impl From<NoJournal> for Nothing {
    fn from(why: NoJournal) -> Nothing {
        let info = why.code().info();
        let held = why.waits_for() != WaitsFor::Nothing;
        Nothing { code: info.code, reason: why.to_string(), remedy: info.remedy, held }
    }
}

/// Where an amount comes from, in words.
#[must_use]
pub fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Task => "the task's own cost field",
        Origin::Order => "the sum of the order's lines",
        Origin::Line => "the order line",
    }
}

/// What the completion of a task would bring; of an order, each of its tasks. `what` is an order's number or a task's
/// gid.
///
/// # Errors
/// [`Code::SettingsInvalid`] without journal settings, [`Code::JournalSubjectUnknown`] when nothing is known
/// of `what`, [`Code::NoTask`] when no task stands for the order; those of
/// reading from Asana, from Oracle and from the database.
pub async fn preview(engine: &Engine, clients: &Clients, what: &str) -> Result<Vec<Preview>> {
    let Some(settings) = &clients.connection.settings.journal else {
        let words = "the connection makes no journals: its settings have no [journal] section";
        return Err(Error::new(Code::SettingsInvalid, words));
    };
    let mut db = engine.db.acquire().await?;
    let gids = tasks_meant(&mut db, clients.connection.id, what).await?;
    drop(db);
    let read: Vec<Task> = stream::iter(gids)
        .map(|gid| async move { clients.asana.task(&gid).await.map_err(trouble::asana) })
        .buffered(READS_AT_ONCE)
        .try_collect()
        .await?;
    let fields = clients.fields().await?;
    let mut previews = Vec::with_capacity(read.len());
    for task in &read {
        previews.push(of_task(engine, clients, settings, &fields, task).await?);
    }
    Ok(previews)
}

/// The tasks that are meant: those of the order with this number, else the task with this gid.
async fn tasks_meant(db: &mut PgConnection, connection: ConnectionId, what: &str) -> Result<Vec<String>> {
    let number = [what.to_owned()];
    let orders: Vec<String> = documents::by_order_number(db, connection, Feed::PurchaseOrders, &number)
        .await?
        .into_iter()
        .map(|stored| stored.source_id)
        .collect();
    let linked = links::of_orders_and_tasks(db, connection, &orders, &[]).await?;
    let mut gids: BTreeSet<String> =
        linked.into_iter().filter(|link| !link.gone).map(|link| link.task_gid).collect();
    gids.extend(tasks::find(db, connection, &[], &number, &[]).await?.into_iter().map(|task| task.gid));
    if gids.is_empty() && orders.is_empty() && !what.is_empty() && what.bytes().all(|b| b.is_ascii_digit()) {
        gids.insert(what.to_owned());
    }
    if gids.is_empty() {
        let (code, words) = if orders.is_empty() {
            let words = "no purchase order and no task with the number";
            (Code::JournalSubjectUnknown, format!("{words} {what} is known, and it is no task's gid"))
        } else {
            let words = format!("no task stands for purchase order {what} yet, and journals come from tasks");
            (Code::NoTask, words)
        };
        return Err(Error::new(code, words));
    }
    Ok(gids.into_iter().take(MAX_TASKS).collect())
}

async fn of_task(
    engine: &Engine,
    clients: &Clients,
    settings: &JournalSettings,
    fields: &ProjectFields,
    task: &Task,
) -> Result<Preview> {
    let connection = clients.connection.id;
    let mut db = engine.db.acquire().await?;
    let known = completions::of_tasks(&mut db, connection, std::slice::from_ref(&task.gid)).await?;
    let completion = as_completed(clients, fields, task, &known, now());
    let preview = |outcome| Preview {
        task_gid: TaskGid(completion.task_gid.clone()),
        task_name: completion.task_name.clone(),
        order_number: completion.order_number.clone(),
        completed: task.completed,
        completed_at: completion.completed_at,
        ordinal: completion.ordinal.unsigned_abs(),
        outcome,
    };
    let nothing = |why: NoJournal| Ok(preview(Outcome::Nothing(why.into())));
    if completion.state == "journal" {
        return Ok(preview(Outcome::Nothing(has_one(&completion))));
    }
    let around = Around::load(&mut db, connection, std::slice::from_ref(&completion)).await?;
    let line_amount = clients.connection.settings.tasks.line_amount;
    let (cost, subject) = match around.cost(&completion, settings, line_amount) {
        Ok(found) => found,
        Err(why) => return nothing(why),
    };
    if let Some(bearer) = journals::bearers(&mut db, connection, &subject.overlaps).await?.first() {
        return nothing(subject.posted_already(bearer));
    }
    let sought = Sought {
        task: &TaskGid(completion.task_gid.clone()),
        completed_at: completion.completed_at,
        subject: &subject.name,
        order_id: &cost.order_id,
        ledger_id: &settings.ledger_id,
    };
    let borne = elsewhere::bearer(&mut db, connection, &clients.connection.settings, sought).await?;
    drop(db);
    if let Some(borne) = borne {
        return nothing(subject.borne_elsewhere(&borne));
    }
    let ledger = ledger_of(clients, settings, std::iter::once(&cost)).await?;
    match planned(clients, settings, &completion, &cost, &ledger)? {
        Ok(planned) => Ok(preview(Outcome::Journal(Box::new(planned)))),
        Err(why) => nothing(why),
    }
}

/// The completion itself brought a journal.
fn has_one(completion: &Completion) -> Nothing {
    Nothing {
        code: Code::JournalAlreadyPosted.info().code,
        reason: format!(
            "completion {} of task {} has its journal already",
            completion.ordinal, completion.task_gid
        ),
        remedy: "Nothing; `journals show NAME TASK` tells where that journal stands.",
        held: false,
    }
}

/// The present, as finely as Asana tells it.
fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}

/// The completion that a task has, or would have if it were completed at `now`.
fn as_completed(
    clients: &Clients,
    fields: &ProjectFields,
    task: &Task,
    known: &[Completion],
    now: Timestamp,
) -> Completion {
    let completed_at = task.completed_at.filter(|_| task.completed).unwrap_or(now);
    let facts = see::facts(task, completed_at, &clients.connection.settings, fields);
    // the database keeps microseconds
    let same = |known: &&Completion| known.completed_at.as_microsecond() == completed_at.as_microsecond();
    let recorded = known.iter().find(same);
    let next = known.last().map_or(0, |last| last.ordinal) + 1;
    Completion {
        ordinal: recorded.map_or(next, |recorded| recorded.ordinal),
        state: recorded.map_or_else(|| "held".to_owned(), |recorded| recorded.state.clone()),
        task_gid: facts.task_gid,
        completed_at: facts.completed_at,
        completed_by: facts.completed_by,
        task_name: facts.task_name,
        order_number: facts.order_number,
        own_cost: facts.own_cost,
        own_currency: facts.own_currency,
        approval_status: facts.approval_status,
        elsewhere: facts.elsewhere,
        order_id: None,
        line_id: None,
        code: None,
        reason: None,
        found_by: "preview".to_owned(),
        found_at: now,
        reopened_at: None,
    }
}

/// Plans the journal and makes its document.
fn planned(
    clients: &Clients,
    settings: &JournalSettings,
    completion: &Completion,
    cost: &crate::journal::Cost,
    (periods, combinations): &LedgerFacts,
) -> Result<std::result::Result<Planned, NoJournal>> {
    let layout = &clients.connection.settings.routing.account;
    let accounts = Accounts { settings, layout, known: combinations };
    let task = TaskGid(completion.task_gid.clone());
    let ordinal = completion.ordinal.unsigned_abs();
    let group = GroupId::derive(clients.connection.id, &task, ordinal, Kind::Posting, 0);
    let made = plan_of(completion, cost, periods, &accounts)
        .and_then(|plan| plan.document(group).map(|document| (plan, document)));
    let (plan, document) = match made {
        Ok(made) => made,
        Err(why) => return Ok(Err(why)),
    };
    let import = import_of(&document, &plan, settings)?;
    Ok(Ok(Planned {
        cost_from: origin(cost.origin),
        amount: document.totals.debits.to_string(),
        currency: plan.currency.code.clone(),
        accounting_date: plan.accounting.date.to_string(),
        dated: lines::dated(&plan),
        group_id: group.to_string(),
        lines: lines::shown(&plan, &layout.delimiter),
        file_name: document.file_name(),
        request: import_words(&import, &document),
        csv: String::from_utf8_lossy(&document.csv).into_owned(),
        plan,
    }))
}
