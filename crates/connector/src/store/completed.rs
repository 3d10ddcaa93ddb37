//! Completions with what became of them, for people to read.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::PgPool;
use uuid::Uuid;

use crate::code::Code;
use crate::error::Result;
use crate::ids::ConnectionId;
use crate::store::at;

/// Steps looked through at most when an id of an earlier sending is looked for.
const MAX_STEPS: i64 = 20;

/// A completion and one of its journals, or the completion alone.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Entry {
    /// The task.
    pub task_gid: String,
    /// Which of its completions.
    pub ordinal: i32,
    /// The task's title.
    pub task_name: String,
    /// What stands in its PO-number field.
    pub order_number: Option<String>,
    /// When it was completed.
    pub completed_at: Timestamp,
    /// `held` or `skipped` without a journal, else the journal's state.
    pub state: String,
    /// What a person should know, as a code.
    pub code: Option<String>,
    /// The same in words.
    pub reason: Option<String>,
    /// The journal's id.
    pub journal_id: Option<Uuid>,
    /// `posting` or `reversal`.
    pub kind: Option<String>,
    /// Debits, which equal credits.
    pub amount: Option<String>,
    /// ISO 4217 code.
    pub currency: Option<String>,
    /// The date it is entered under.
    pub accounting_date: Option<String>,
    /// The group id, as text since it has 18 digits.
    pub group_id: Option<String>,
    /// Oracle's request.
    pub request_id: Option<String>,
    /// The batch in Oracle.
    pub batch_id: Option<String>,
}

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only this state, as [`Entry::state`].
    pub state: Option<String>,
    /// Only tasks that carry this order number.
    pub order_number: Option<String>,
    /// Only this task.
    pub task: Option<String>,
    /// Only with one of these codes.
    pub codes: Option<Vec<String>>,
    /// Only completed at this moment or later.
    pub since: Option<Timestamp>,
    /// Only completed before this moment.
    pub until: Option<Timestamp>,
    /// At most this many, newest first.
    pub limit: i64,
}

/// Completions and journals that share a code.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Group {
    /// The class of the code; none without a code.
    pub class: Option<&'static str>,
    /// The code, if they have one.
    pub code: Option<String>,
    /// How many.
    pub count: i64,
    /// The newest of them: a journal's id, or the gid of a task without a journal.
    pub example: String,
}

/// Lists completions with their journals, newest first.
pub async fn list(db: &PgPool, connection: ConnectionId, filter: &Filter) -> Result<Vec<Entry>> {
    let rows = sqlx::query!(
        "select c.task_gid, c.ordinal, c.task_name, c.order_number, c.completed_at,
                coalesce(j.state, c.state) as \"state!\", j.journal_id as \"journal_id?\", j.kind as \"kind?\",
                case when j.journal_id is null then c.code else j.code end as code,
                case when j.journal_id is null then c.reason else j.reason end as reason,
                j.amount as \"amount?\", j.currency as \"currency?\", j.accounting_date::text as accounting_date,
                j.group_id::text as group_id, j.request_id, j.batch_id
         from completions c left join journals j
              on j.connection_id = $1 and j.task_gid = c.task_gid and j.ordinal = c.ordinal
         where c.connection_id = $1 and ($2::text is null or coalesce(j.state, c.state) = $2)
           and ($3::text is null or c.order_number = $3) and ($4::text is null or c.task_gid = $4)
           and ($5::text[] is null or case when j.journal_id is null then c.code else j.code end = any($5))
           and ($6::timestamptz is null or c.completed_at >= $6) and ($7::timestamptz is null or c.completed_at < $7)
         order by coalesce(j.created_at, c.found_at) desc, c.task_gid, c.ordinal desc, j.journal_id desc limit $8",
        connection.0,
        filter.state,
        filter.order_number,
        filter.task,
        filter.codes.as_deref(),
        filter.since.map(at) as Option<jiff_sqlx::Timestamp>,
        filter.until.map(at) as Option<jiff_sqlx::Timestamp>,
        filter.limit,
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| Entry {
            task_gid: r.task_gid,
            ordinal: r.ordinal,
            task_name: r.task_name,
            order_number: r.order_number,
            completed_at: r.completed_at.to_jiff(),
            state: r.state,
            code: r.code,
            reason: r.reason,
            journal_id: r.journal_id,
            kind: r.kind,
            amount: r.amount,
            currency: r.currency,
            accounting_date: r.accounting_date,
            group_id: r.group_id,
            request_id: r.request_id,
            batch_id: r.batch_id,
        })
        .collect())
}

/// How many completions and journals have each code, most first. The filter's limit does not count.
pub async fn groups(db: &PgPool, connection: ConnectionId, filter: &Filter) -> Result<Vec<Group>> {
    let rows = sqlx::query!(
        "select f.code, count(*) as \"count!\", (array_agg(f.id order by f.at desc, f.id desc))[1] as \"example!\"
         from (select case when j.journal_id is null then c.code else j.code end as code,
                      coalesce(j.journal_id::text, c.task_gid) as id, coalesce(j.created_at, c.found_at) as at
               from completions c left join journals j
                    on j.connection_id = $1 and j.task_gid = c.task_gid and j.ordinal = c.ordinal
               where c.connection_id = $1 and ($2::text is null or coalesce(j.state, c.state) = $2)
                 and ($3::text is null or c.order_number = $3) and ($4::text is null or c.task_gid = $4)
                 and ($6::timestamptz is null or c.completed_at >= $6)
                 and ($7::timestamptz is null or c.completed_at < $7)) f
         where $5::text[] is null or f.code = any($5)
         group by f.code order by 2 desc, f.code",
        connection.0,
        filter.state,
        filter.order_number,
        filter.task,
        filter.codes.as_deref(),
        filter.since.map(at) as Option<jiff_sqlx::Timestamp>,
        filter.until.map(at) as Option<jiff_sqlx::Timestamp>,
    )
    .fetch_all(db)
    .await?;
    let class = |code: &Option<String>| Some(Code::find(code.as_deref()?)?.class().as_str());
    Ok(rows
        .into_iter()
        .map(|r| Group { class: class(&r.code), code: r.code, count: r.count, example: r.example })
        .collect())
}

/// How many completions and journals stand in each state, as [`Entry::state`].
pub async fn count(db: &PgPool, connection: ConnectionId) -> Result<BTreeMap<String, i64>> {
    let rows = sqlx::query!(
        "select coalesce(j.state, c.state) as \"state!\", count(*) as \"count!\"
         from completions c left join journals j
              on j.connection_id = $1 and j.task_gid = c.task_gid and j.ordinal = c.ordinal
         where c.connection_id = $1 group by 1",
        connection.0,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|r| (r.state, r.count)).collect())
}

/// Which completions a text means, the newest first: a task's gid, an order number, or a journal's id, batch,
/// request or group id. Pairs of task and ordinal.
pub async fn sought(
    db: &PgPool,
    connection: ConnectionId,
    text: &str,
    limit: i64,
) -> Result<Vec<(String, i32)>> {
    let rows = sqlx::query!(
        "select c.task_gid, c.ordinal from completions c
         where c.connection_id = $1 and (c.task_gid = $2 or c.order_number = $2 or exists (
             select from journals j where j.connection_id = $1 and j.task_gid = c.task_gid and j.ordinal = c.ordinal
                and (j.batch_id = $2 or j.request_id = $2 or j.group_id::text = $2 or j.journal_id::text = $2)))
         order by c.completed_at desc, c.task_gid, c.ordinal desc limit $3",
        connection.0,
        text,
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|r| (r.task_gid, r.ordinal)).collect())
}

/// Which completions have a journal in whose exchanges with Oracle a number stands: a group or request of an earlier
/// sending. It looks through all steps. Anything but digits finds nothing.
pub async fn sought_in_steps(
    db: &PgPool,
    connection: ConnectionId,
    number: &str,
) -> Result<Vec<(String, i32)>> {
    // it becomes part of a pattern
    if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(Vec::new());
    }
    let rows = sqlx::query!(
        "select distinct j.task_gid, j.ordinal from journal_steps s
         join journals j on j.connection_id = $1 and j.journal_id = s.journal_id
         where s.connection_id = $1 and concat_ws(' ', s.request, s.response) ~ ('\\m' || $2::text || '\\M')
         limit $3",
        connection.0,
        number,
        MAX_STEPS,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|r| (r.task_gid, r.ordinal)).collect())
}
