//! Journals and their steps as people read them.

use jiff::Timestamp;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::read;
use crate::error::Result;
use crate::ids::ConnectionId;
use crate::journal::JournalPlan;

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
