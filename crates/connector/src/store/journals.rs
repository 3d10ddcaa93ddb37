//! Journals on their way to Oracle, and the log of every step.

use jiff::Timestamp;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::code::Code;
use crate::error::{Error, Result};
use crate::ids::{ConnectionId, JournalId, NodeId, TaskGid};
use crate::journal::machine::{self, State};
use crate::journal::{GroupId, JournalPlan, Kind};

/// A journal to be opened.
#[derive(Debug)]
pub struct NewJournal<'a> {
    /// Its id.
    pub id: JournalId,
    /// The task that was completed.
    pub task: &'a TaskGid,
    /// Which of its completions.
    pub ordinal: u32,
    /// What bears the cost.
    pub subject: &'a str,
    /// What else may not be borne by another journal that counts, and the subject itself; for a reversal nothing.
    pub overlaps: &'a [String],
    /// The group of its first sending.
    pub group: GroupId,
    /// What is sent.
    pub plan: &'a JournalPlan,
}

/// Opens a journal, ready and due at once; returns `false` when the completion has one of this kind, or when
/// another one that counts bears the cost or a part of it.
///
/// Postings are opened only in a transaction that holds the lease of the completions' job: its row is locked
/// until the end, so that no two are opened at once in a connection, and the statement sees all that were
/// opened before. The unique index on the subject would refuse a second one of the very same cost besides.
pub async fn open(db: &mut PgConnection, connection: ConnectionId, new: &NewJournal<'_>) -> Result<bool> {
    let total = new.plan.totals().map_err(|why| Error::new(why.code(), why.to_string()))?.debits;
    let opened = sqlx::query!(
        "insert into journals (connection_id, journal_id, kind, task_gid, ordinal, subject, counts, group_id, plan,
                accounting_date, currency, amount, state, machine, due_at)
         select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10::text::date, $11, $12, 'ready', $13, now()
         where not exists (select from journals where connection_id = $1 and counts and subject = any($14))
         on conflict do nothing",
        connection.0,
        new.id.0,
        new.plan.kind().as_str(),
        new.task.as_str(),
        i32::try_from(new.ordinal).unwrap_or(i32::MAX),
        new.subject,
        new.plan.kind() == Kind::Posting,
        group_number(new.group),
        text(new.plan)?,
        new.plan.accounting.date.to_string(),
        new.plan.currency.code,
        total.to_string(),
        text(&unsent())?,
        new.overlaps,
    )
    .execute(db)
    .await?;
    Ok(opened.rows_affected() == 1)
}

/// A journal of which nothing was sent as far as this database knows. It may be one that was restored from a
/// backup, so a batch is looked for before even the first sending; and while Oracle cannot be reached, it is that
/// look which fails, and no attempt is used up.
fn unsent() -> machine::Journal {
    let mut journal = machine::Journal::default();
    journal.progress.look_first = true;
    journal
}

/// A journal that this node works on.
#[derive(Debug)]
pub struct Claimed {
    /// Its id.
    pub id: JournalId,
    /// Posting or reversal.
    pub kind: Kind,
    /// The task that was completed.
    pub task: TaskGid,
    /// Which of its completions.
    pub ordinal: u32,
    /// What is sent.
    pub plan: JournalPlan,
    /// Where it stands.
    pub machine: machine::Journal,
    /// What the completion was charged to.
    pub subject: String,
    /// Goes up with every claim; steps count only under the newest.
    pub turn: i64,
    /// Why the plan is dated anew, when it is; the step that sends it stores both.
    pub moved: Option<String>,
}

/// Makes due what a node that stopped had claimed: the fence of its lease is older.
pub async fn take_over(db: &mut PgConnection, connection: ConnectionId, fence: i64) -> Result<u64> {
    let taken = sqlx::query!(
        "update journals set due_at = now()
         where connection_id = $1 and state in ('ready', 'submitting', 'submitted', 'in_doubt')
           and due_at is null and fence < $2",
        connection.0,
        fence,
    )
    .execute(db)
    .await?;
    Ok(taken.rows_affected())
}

/// Claims at most `limit` journals that are due, the longest waiting first.
pub async fn claim_due(
    db: &mut PgConnection,
    connection: ConnectionId,
    fence: i64,
    limit: i64,
) -> Result<Vec<Claimed>> {
    let rows = sqlx::query!(
        // materialized: a subquery could be run once for each row, and claim more than the limit
        "with due as materialized (
             select journal_id from journals where connection_id = $1 and due_at <= now()
             order by due_at, journal_id limit $3 for update skip locked)
         update journals j set fence = $2, turn = j.turn + 1, due_at = null from due
         where j.connection_id = $1 and j.journal_id = due.journal_id
         returning j.journal_id, j.kind, j.task_gid, j.ordinal, j.plan, j.machine, j.subject, j.turn",
        connection.0,
        fence,
        limit,
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|r| {
            Ok(Claimed {
                id: JournalId(r.journal_id),
                kind: if r.kind == Kind::Reversal.as_str() { Kind::Reversal } else { Kind::Posting },
                task: TaskGid(r.task_gid),
                ordinal: r.ordinal.unsigned_abs(),
                plan: read(&r.plan)?,
                machine: read(&r.machine)?,
                subject: r.subject,
                turn: r.turn,
                moved: None,
            })
        })
        .collect()
}

/// One step of a journal, as it is stored before its action is done.
#[derive(Debug)]
pub struct Step<'a> {
    /// The journal.
    pub id: JournalId,
    /// The claim under which it was decided.
    pub turn: i64,
    /// Where it stands now.
    pub machine: &'a machine::Journal,
    /// The group of the sending that stands.
    pub group: GroupId,
    /// What happened and why; `None` for a step that is nothing to tell of.
    pub told: Option<Told<'a>>,
    /// In how many seconds it is due again; `None` while this node goes on with it, or when it is settled.
    pub again_in: Option<f64>,
    /// Whether this step is about to send the document.
    pub submits: Submits,
    /// The plan, when it is another one than before: only of a journal that was never sent.
    pub plan: Option<&'a JournalPlan>,
}

/// What a person reads of a step.
#[derive(Debug)]
pub struct Told<'a> {
    /// What happened and why.
    pub what: &'a str,
    /// What a person should know, as a code.
    pub alert: Option<Code>,
    /// What was asked of Oracle.
    pub request: Option<&'a str>,
    /// What it answered.
    pub response: Option<&'a str>,
}

/// Whether a step sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Submits {
    /// The document is sent right after this.
    Yes,
    /// Nothing is sent.
    No,
}

/// Stores a step under the lease's fence and the journal's newest claim. A rejected or withdrawn journal no longer
/// bears its cost.
///
/// Under an older fence or claim nothing is stored, and the answer is [`Code::LeaseLost`]. A posting that no longer
/// bears its cost does not go on its way again, nor is it taken for imported: another completion may have taken the
/// cost. Then nothing is stored either, and the answer is [`Code::JournalAlreadyPosted`].
pub async fn record_step(
    db: &mut PgConnection,
    connection: ConnectionId,
    fence: i64,
    node: NodeId,
    step: &Step<'_>,
) -> Result<()> {
    let state = &step.machine.state;
    let batch = match state {
        State::Imported { batch_id, .. } => Some(batch_id.as_str()),
        _ => None,
    };
    let bears = !matches!(state, State::Rejected { .. } | State::Withdrawn);
    let told = step.told.as_ref();
    let what = told.map(|told| told.what);
    let stored = sqlx::query!(
        "update journals set machine = $3, state = $4, group_id = $5, request_id = coalesce($6, request_id),
                batch_id = $7, code = case when $8::text is null then code else $9 end,
                reason = coalesce($8, reason), counts = counts and $10, submissions = submissions + $11,
                submitted_at = case when $11 = 1 then now() else submitted_at end,
                decided_at = case when $4 in ('imported', 'rejected', 'withdrawn') then now() end,
                due_at = now() + make_interval(secs => $12), plan = coalesce($15, plan),
                accounting_date = coalesce($16::text::date, accounting_date)
         where connection_id = $1 and journal_id = $2 and fence = $13 and turn = $14
           and (counts or kind = 'reversal' or not $10)",
        connection.0,
        step.id.0,
        text(step.machine)?,
        state.as_str(),
        group_number(step.group),
        state.request(),
        batch,
        what,
        told.and_then(|told| told.alert).map(|code| code.info().code),
        bears,
        i32::from(step.submits == Submits::Yes),
        step.again_in,
        fence,
        step.turn,
        step.plan.map(text).transpose()?,
        step.plan.map(|plan| plan.accounting.date.to_string()),
    )
    .execute(&mut *db)
    .await?;
    if stored.rows_affected() != 1 {
        return Err(not_stored(db, connection, fence, step).await?);
    }
    match told {
        Some(told) => log_step(db, connection, node, step.id, state, told).await,
        None => Ok(()),
    }
}

/// Why a step was not stored.
async fn not_stored(
    db: &mut PgConnection,
    connection: ConnectionId,
    fence: i64,
    step: &Step<'_>,
) -> Result<Error> {
    let is_ours = sqlx::query_scalar!(
        "select exists (select from journals where connection_id = $1 and journal_id = $2 and fence = $3
                                               and turn = $4) as \"is!\"",
        connection.0,
        step.id.0,
        fence,
        step.turn,
    )
    .fetch_one(db)
    .await?;
    Ok(if is_ours {
        let words = "the journal no longer bears its cost, so it is not sent anew";
        Error::new(Code::JournalAlreadyPosted, words)
    } else {
        Error::new(Code::LeaseLost, "the journal was taken over meanwhile")
    })
}

/// Logs a step; one that says the same as the one before takes its row.
async fn log_step(
    db: &mut PgConnection,
    connection: ConnectionId,
    node: NodeId,
    id: JournalId,
    state: &State,
    told: &Told<'_>,
) -> Result<()> {
    sqlx::query!(
        "with last as (
             select step_id, state, what, request from journal_steps
             where connection_id = $1 and journal_id = $2 order by step_id desc limit 1),
         repeated as (
             update journal_steps s
             set last_at = now(), repeats = s.repeats + 1, node_id = $4, response = $8
             from last l where s.connection_id = $1 and s.journal_id = $2 and s.step_id = l.step_id
               and l.state = $5 and l.what = $6 and l.request is not distinct from $7
             returning s.step_id)
         insert into journal_steps (connection_id, journal_id, step_id, node_id, state, what, request, response)
         select $1, $2, $3, $4, $5, $6, $7, $8 where not exists (select from repeated)",
        connection.0,
        id.0,
        Uuid::now_v7(),
        node.0,
        state.as_str(),
        told.what,
        told.request,
        told.response,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Makes due what is ready and waits, for a period perhaps: the settings are other ones now.
pub async fn look_again(db: &mut PgConnection, connection: ConnectionId) -> Result<()> {
    sqlx::query!(
        "update journals set due_at = now() where connection_id = $1 and state = 'ready' and due_at > now()",
        connection.0,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Whether a journal is due.
pub async fn are_due(db: &PgPool, connection: ConnectionId) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        "select exists (select from journals where connection_id = $1 and due_at <= now()) as \"due!\"",
        connection.0,
    )
    .fetch_one(db)
    .await?)
}

/// When the next journal is due.
pub async fn next_due(db: &PgPool, connection: ConnectionId) -> Result<Option<Timestamp>> {
    let next = sqlx::query_scalar!(
        "select min(due_at) from journals where connection_id = $1 and due_at is not null",
        connection.0,
    )
    .fetch_one(db)
    .await?;
    Ok(next.map(jiff_sqlx::Timestamp::to_jiff))
}

/// The posting of a completion, as far as a reversal or a person needs it.
#[derive(Debug, Clone)]
pub struct Posting {
    /// Its id.
    pub id: JournalId,
    /// What is sent.
    pub plan: JournalPlan,
    /// Where it stands.
    pub machine: machine::Journal,
    /// The group of the sending that stands.
    pub group_id: String,
    /// The batch in Oracle.
    pub batch_id: Option<String>,
    /// What bears the cost.
    pub subject: String,
}

/// The posting of a completion, locked until the transaction ends.
pub async fn posting_of(
    db: &mut PgConnection,
    connection: ConnectionId,
    task: &str,
    ordinal: i32,
) -> Result<Option<Posting>> {
    let row = sqlx::query!(
        "select journal_id, plan, machine, group_id, batch_id, subject from journals
         where connection_id = $1 and task_gid = $2 and ordinal = $3 and kind = 'posting' for update",
        connection.0,
        task,
        ordinal,
    )
    .fetch_optional(db)
    .await?;
    row.map(|r| {
        Ok(Posting {
            id: JournalId(r.journal_id),
            plan: read(&r.plan)?,
            machine: read(&r.machine)?,
            group_id: r.group_id.to_string(),
            batch_id: r.batch_id,
            subject: r.subject,
        })
    })
    .transpose()
}

/// Tells the machine of a journal that its task was opened again: at its next turn it is withdrawn unless it
/// was sent. Nothing happens when a node works on it right now; the caller looks again.
pub async fn note_reopened(
    db: &mut PgConnection,
    connection: ConnectionId,
    id: JournalId,
    machine: &machine::Journal,
) -> Result<()> {
    sqlx::query!(
        "update journals set machine = $3, due_at = least(due_at, now())
         where connection_id = $1 and journal_id = $2 and due_at is not null",
        connection.0,
        id.0,
        text(machine)?,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A posting whose reversal is imported no longer bears its cost: the task may be completed and charged again.
pub async fn stop_counting(
    db: &mut PgConnection,
    connection: ConnectionId,
    task: &str,
    ordinal: u32,
) -> Result<()> {
    sqlx::query!(
        "update journals set counts = false
         where connection_id = $1 and task_gid = $2 and ordinal = $3 and kind = 'posting'",
        connection.0,
        task,
        i32::try_from(ordinal).unwrap_or(i32::MAX),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The completion whose journal bears a cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bearer {
    /// What is borne: an order, an order line, or a task's own cost.
    pub subject: String,
    /// The task.
    pub task: String,
    /// Which of its completions.
    pub ordinal: i32,
}

/// The completions whose journals bear the cost of these subjects, in the order of the subjects.
pub async fn bearers(
    db: &mut PgConnection,
    connection: ConnectionId,
    subjects: &[String],
) -> Result<Vec<Bearer>> {
    Ok(sqlx::query_as!(
        Bearer,
        "select subject, task_gid as task, ordinal from journals
         where connection_id = $1 and counts and subject = any($2)
         order by array_position($2, subject)",
        connection.0,
        subjects,
    )
    .fetch_all(db)
    .await?)
}

/// A journal as people read it.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Journal {
    /// Its id.
    pub journal_id: Uuid,
    /// `posting` or `reversal`.
    pub kind: String,
    /// The task that was completed.
    pub task_gid: String,
    /// Which of its completions.
    pub ordinal: i32,
    /// The order's number.
    pub order_number: Option<String>,
    /// The task's title.
    pub task_name: Option<String>,
    /// When the task was completed.
    pub completed_at: Option<Timestamp>,
    /// Where it stands.
    pub state: String,
    /// The date it is entered under.
    pub accounting_date: String,
    /// ISO 4217 code.
    pub currency: String,
    /// Debits, which equal credits.
    pub amount: String,
    /// The group id, as text since it has 18 digits.
    pub group_id: String,
    /// Oracle's request.
    pub request_id: Option<String>,
    /// The batch in Oracle.
    pub batch_id: Option<String>,
    /// What a person should know, as a code.
    pub code: Option<String>,
    /// What happened last, and why.
    pub reason: Option<String>,
    /// How often it was sent.
    pub submissions: i32,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it was last sent.
    pub submitted_at: Option<Timestamp>,
    /// When it was settled.
    pub decided_at: Option<Timestamp>,
    /// When it is looked at next.
    pub due_at: Option<Timestamp>,
    /// What bears the cost: an order, an order line, or a task with a cost of its own.
    pub subject: String,
    /// What is sent.
    #[serde(skip)]
    pub plan: String,
}

/// The newest journals; of one state, or of one task, order number, batch, request or group id.
pub async fn list(
    db: &PgPool,
    connection: ConnectionId,
    state: Option<&str>,
    sought: Option<&str>,
    limit: i64,
) -> Result<Vec<Journal>> {
    let rows = sqlx::query!(
        "select j.journal_id, j.kind, j.task_gid, j.ordinal, c.order_number as \"order_number?\",
                c.task_name as \"task_name?\", c.completed_at as \"completed_at?\", j.state,
                j.accounting_date::text as \"accounting_date!\", j.currency, j.amount, j.group_id, j.request_id, j.batch_id, j.code, j.reason, j.submissions,
                j.created_at, j.submitted_at, j.decided_at, j.due_at, j.subject, j.plan
         from journals j left join completions c
              on c.connection_id = $1 and c.task_gid = j.task_gid and c.ordinal = j.ordinal
         where j.connection_id = $1 and ($2::text is null or j.state = $2)
           and ($3::text is null or j.task_gid = $3 or c.order_number = $3 or j.batch_id = $3
                or j.request_id = $3 or j.group_id::text = $3 or j.journal_id::text = $3)
         order by j.created_at desc, j.journal_id desc limit $4",
        connection.0,
        state,
        sought,
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| Journal {
            journal_id: r.journal_id,
            kind: r.kind,
            task_gid: r.task_gid,
            ordinal: r.ordinal,
            order_number: r.order_number,
            task_name: r.task_name,
            completed_at: r.completed_at.map(jiff_sqlx::Timestamp::to_jiff),
            state: r.state,
            accounting_date: r.accounting_date,
            currency: r.currency,
            amount: r.amount,
            group_id: r.group_id.to_string(),
            request_id: r.request_id,
            batch_id: r.batch_id,
            code: r.code,
            reason: r.reason,
            submissions: r.submissions,
            created_at: r.created_at.to_jiff(),
            submitted_at: r.submitted_at.map(jiff_sqlx::Timestamp::to_jiff),
            decided_at: r.decided_at.map(jiff_sqlx::Timestamp::to_jiff),
            due_at: r.due_at.map(jiff_sqlx::Timestamp::to_jiff),
            subject: r.subject,
            plan: r.plan,
        })
        .collect())
}

/// One step of a journal, as people read it.
#[derive(Debug, Clone, serde::Serialize)]
pub struct LoggedStep {
    /// When.
    pub at: Timestamp,
    /// When the same was last seen again.
    pub last_at: Timestamp,
    /// How often it was.
    pub repeats: i32,
    /// Which node.
    pub node_id: Uuid,
    /// Where the journal stood then.
    pub state: String,
    /// What happened and why.
    pub what: String,
    /// What was asked of Oracle.
    pub request: Option<String>,
    /// What it answered.
    pub response: Option<String>,
}

/// A journal's steps in their order.
pub async fn steps(db: &PgPool, connection: ConnectionId, id: Uuid) -> Result<Vec<LoggedStep>> {
    let rows = sqlx::query!(
        "select at, last_at, repeats, node_id, state, what, request, response from journal_steps
         where connection_id = $1 and journal_id = $2 order by step_id",
        connection.0,
        id,
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| LoggedStep {
            at: r.at.to_jiff(),
            last_at: r.last_at.to_jiff(),
            repeats: r.repeats,
            node_id: r.node_id,
            state: r.state,
            what: r.what,
            request: r.request,
            response: r.response,
        })
        .collect())
}

/// The latest journal of each of these tasks: task, kind and state.
pub async fn states_of_tasks(
    db: &mut PgConnection,
    connection: ConnectionId,
    tasks: &[String],
) -> Result<Vec<(String, String, String)>> {
    let rows = sqlx::query!(
        "select distinct on (task_gid) task_gid, kind, state from journals
         where connection_id = $1 and task_gid = any($2) order by task_gid, created_at desc, journal_id desc",
        connection.0,
        tasks,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|r| (r.task_gid, r.kind, r.state)).collect())
}

/// How a connection's completions and journals stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Tasks seen to be completed.
    pub completions: i64,
    /// Of these, without a journal, for a reason that is told.
    pub without_journal: i64,
    /// Completions that are decided and whose journal, if any, is settled.
    pub settled: i64,
    /// Events not looked at, completions not decided, journals on their way.
    pub unsettled: i64,
}

/// Counts completions and journals.
pub async fn count(db: &PgPool, connection: ConnectionId) -> Result<Counts> {
    Ok(sqlx::query_as!(
        Counts,
        "with c as (
             select count(*) as completions, count(*) filter (where state <> 'journal') as without_journal,
                    count(*) filter (where state = 'held' and looked_at is null) as undecided
             from completions where connection_id = $1),
         j as (
             select count(*) as under_way from journals
             where connection_id = $1 and state in ('ready', 'submitting', 'submitted', 'in_doubt')),
         e as (select count(*) as open from events where connection_id = $1 and state = 'open')
         select completions as \"completions!\", without_journal as \"without_journal!\",
                completions - undecided - under_way as \"settled!\",
                undecided + under_way + open as \"unsettled!\"
         from c, j, e",
        connection.0,
    )
    .fetch_one(db)
    .await?)
}

/// A plan as it is stored.
pub fn plan(text: &str) -> Result<JournalPlan> {
    read(text)
}

pub(super) fn group_number(group: GroupId) -> i64 {
    // 18 digits at most, so it always fits
    i64::try_from(group.number()).unwrap_or(i64::MAX)
}

pub(super) fn text(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|e| Error::new(Code::Database, "a journal cannot be written down").because(e))
}

pub(super) fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text)
        .map_err(|e| Error::new(Code::Database, "a stored journal cannot be read").because(e))
}
