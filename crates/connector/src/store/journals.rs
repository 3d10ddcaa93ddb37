//! Journals on their way to Oracle: opening them, what is due, what bears a cost. Their [steps](record_step) and
//! what people [read](list) of them stand beside.

mod reading;
mod steps;

use jiff::Timestamp;
use sqlx::{PgConnection, PgPool};

pub use reading::{Counts, Journal, LoggedStep, count, list, plan, states_of_tasks, steps};
pub use steps::{Claimed, Step, Submits, Told, claim_due, log_step, record_step, take_doubtful, take_over};

use crate::code::Code;
use crate::error::{Error, Result};
use crate::ids::{ConnectionId, JournalId, TaskGid};
use crate::journal::machine;
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
    /// The connection that posted it, when it is another one.
    pub elsewhere: Option<String>,
}

impl Bearer {
    /// The completion, in words.
    #[must_use]
    pub fn completion(&self) -> String {
        let of = self.elsewhere.as_ref().map_or_else(String::new, |name| format!(" of connection `{name}`"));
        format!("task {}, completion {}{of}", self.task, self.ordinal)
    }
}

/// The completions whose journals bear the cost of these subjects, in the order of the subjects.
pub async fn bearers(
    db: &mut PgConnection,
    connection: ConnectionId,
    subjects: &[String],
) -> Result<Vec<Bearer>> {
    Ok(sqlx::query_as!(
        Bearer,
        "select subject, task_gid as task, ordinal, null as elsewhere from journals
         where connection_id = $1 and counts and subject = any($2)
         order by array_position($2, subject)",
        connection.0,
        subjects,
    )
    .fetch_all(db)
    .await?)
}

/// A journal of another connection that counts.
#[derive(Debug)]
pub struct Elsewhere {
    /// The completion.
    pub bearer: Bearer,
    /// When its task was completed.
    pub completed_at: Timestamp,
    /// The order whose cost it is.
    pub order_id: Option<String>,
    /// Where it stands.
    pub state: String,
    /// What was, or is to be, sent.
    pub plan: String,
    /// The other connection.
    pub connection: ConnectionId,
    /// Asana's and Oracle's addresses, of a removed connection; one that is there has them in its settings.
    pub removed: Option<(String, String)>,
}

/// The journals that count in other connections, removed ones included, and are of this task, or bear the cost of this
/// order or of a line of it; the oldest first. Whoever else asks for the same task or order waits until this
/// transaction ends, so that two connections do not both find none.
pub async fn elsewhere(
    db: &mut PgConnection,
    connection: ConnectionId,
    task: &TaskGid,
    order_id: &str,
) -> Result<Vec<Elsewhere>> {
    // the task always comes first: two never wait for each other
    sqlx::query!(
        "select pg_advisory_xact_lock(hashtextextended('ml-connector: posting ' || what, 0))
         from unnest(array ['task ' || $1::text, 'order ' || $2::text]) as what",
        task.as_str(),
        order_id,
    )
    .fetch_all(&mut *db)
    .await?;
    let rows = sqlx::query!(
        "select c.connection_id as \"connection!\", c.name as \"name!\", c.asana_url, c.oracle_url,
                d.task_gid as \"task!\", d.ordinal as \"ordinal!\", d.completed_at as \"completed_at!\", d.order_id,
                j.subject, j.state, j.plan
         from (select connection_id, name, null as asana_url, null as oracle_url from connections
               union all
               select connection_id, name, asana_url, oracle_url from removed_connections) c
         cross join lateral (
             select task_gid, ordinal, completed_at, order_id from completions
             where connection_id = c.connection_id and task_gid = $2
             union all
             select task_gid, ordinal, completed_at, order_id from completions
             where connection_id = c.connection_id and order_id = $3 and task_gid <> $2) d
         join journals j on j.connection_id = c.connection_id and j.task_gid = d.task_gid and j.ordinal = d.ordinal
             and j.counts
         where c.connection_id <> $1 order by j.created_at, j.journal_id",
        connection.0,
        task.as_str(),
        order_id,
    )
    .fetch_all(db)
    .await?;
    let found = rows.into_iter().map(|r| Elsewhere {
        bearer: Bearer { subject: r.subject, task: r.task, ordinal: r.ordinal, elsewhere: Some(r.name) },
        completed_at: r.completed_at.to_jiff(),
        order_id: r.order_id,
        state: r.state,
        plan: r.plan,
        connection: ConnectionId(r.connection),
        removed: r.asana_url.zip(r.oracle_url),
    });
    Ok(found.collect())
}

/// How many journals are ready, sent or in doubt.
pub async fn without_end(db: &mut PgConnection, connection: ConnectionId) -> Result<i64> {
    Ok(sqlx::query_scalar!(
        "select count(*) as \"count!\" from journals
         where connection_id = $1 and state in ('ready', 'submitting', 'submitted', 'in_doubt')",
        connection.0
    )
    .fetch_one(db)
    .await?)
}

/// Before its connection is removed: what was never sent bears its cost no more. How many were sent and have no end.
pub async fn withdraw_unsent(db: &mut PgConnection, connection: ConnectionId) -> Result<i64> {
    sqlx::query!(
        "update journals set counts = false, due_at = null, turn = turn + 1,
                reason = 'its connection was removed before it was sent'
         where connection_id = $1 and state = 'ready' and submissions = 0",
        connection.0
    )
    .execute(&mut *db)
    .await?;
    Ok(sqlx::query_scalar!(
        "select count(*) as \"count!\" from journals
         where connection_id = $1 and (state in ('submitting', 'submitted', 'in_doubt') or (state = 'ready' and submissions > 0))",
        connection.0
    )
    .fetch_one(db)
    .await?)
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
