//! Completions: tasks seen to go from open to complete, each with its journal or the reason why there is none.

use jiff::Timestamp;
use sqlx::{PgConnection, PgPool};

use crate::code::Code;
use crate::error::Result;
use crate::ids::{ConnectionId, TaskGid};
use crate::store::at;

/// A completion as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Completion {
    /// The task.
    pub task_gid: String,
    /// Counts the task's completions from 1.
    pub ordinal: i32,
    /// When the task was completed, by Asana's clock.
    pub completed_at: Timestamp,
    /// Who completed it, where Asana tells.
    pub completed_by: Option<String>,
    /// The task's title when it was last read.
    pub task_name: String,
    /// What stands in its PO-number field.
    pub order_number: Option<String>,
    /// The raw number in its cost field, when one is mapped and filled.
    pub own_cost: Option<String>,
    /// That field's ISO 4217 code, when it is a currency field.
    pub own_currency: Option<String>,
    /// For approvals: what was decided.
    pub approval_status: Option<String>,
    /// Whether the task stood in none of the connection's projects when it was last read.
    pub elsewhere: bool,
    /// The order whose cost it is, once it is known.
    pub order_id: Option<String>,
    /// The order line, when the task stands for one.
    pub line_id: Option<String>,
    /// `held`, `skipped` or `journal`.
    pub state: String,
    /// Why there is no journal, as a code.
    pub code: Option<String>,
    /// What a person should know.
    pub reason: Option<String>,
    /// `webhook` or `sweep`.
    pub found_by: String,
    /// When it was first seen here.
    pub found_at: Timestamp,
    /// When the task was seen to be open again.
    pub reopened_at: Option<Timestamp>,
}

/// What a task says of its completion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The task.
    pub task_gid: String,
    /// When it was completed.
    pub completed_at: Timestamp,
    /// Who completed it.
    pub completed_by: Option<String>,
    /// The task's title.
    pub task_name: String,
    /// What stands in its PO-number field.
    pub order_number: Option<String>,
    /// The raw number in its cost field.
    pub own_cost: Option<String>,
    /// That field's currency.
    pub own_currency: Option<String>,
    /// For approvals: what was decided.
    pub approval_status: Option<String>,
    /// Whether the task stood in none of the connection's projects when it was last read.
    pub elsewhere: bool,
}

macro_rules! completions {
    ($db:expr, $rest:literal $(, $arg:expr)* $(,)?) => {
        sqlx::query!(
            "select task_gid, ordinal, completed_at, completed_by, task_name, order_number, own_cost, own_currency,
                    approval_status, elsewhere, order_id, line_id, state, code, reason, found_by, found_at, reopened_at
             from completions where connection_id = $1 " + $rest
            $(, $arg)*
        )
        .fetch_all($db)
        .await?
        .into_iter()
        .map(|r| Completion {
            task_gid: r.task_gid,
            ordinal: r.ordinal,
            completed_at: r.completed_at.to_jiff(),
            completed_by: r.completed_by,
            task_name: r.task_name,
            order_number: r.order_number,
            own_cost: r.own_cost,
            own_currency: r.own_currency,
            approval_status: r.approval_status,
            elsewhere: r.elsewhere,
            order_id: r.order_id,
            line_id: r.line_id,
            state: r.state,
            code: r.code,
            reason: r.reason,
            found_by: r.found_by,
            found_at: r.found_at.to_jiff(),
            reopened_at: r.reopened_at.map(jiff_sqlx::Timestamp::to_jiff),
        })
        .collect()
    };
}

/// All completions of these tasks, in their order.
pub async fn of_tasks(
    db: &mut PgConnection,
    connection: ConnectionId,
    tasks: &[String],
) -> Result<Vec<Completion>> {
    Ok(completions!(db, "and task_gid = any($2) order by task_gid, ordinal", connection.0, tasks))
}

/// At most `limit` held completions that are due, those that wait longest first.
pub async fn due(db: &mut PgConnection, connection: ConnectionId, limit: i64) -> Result<Vec<Completion>> {
    Ok(completions!(db, "and due_at <= now() order by due_at, task_gid limit $2", connection.0, limit))
}

/// The newest completions, of one task or order number when one is given.
pub async fn list(
    db: &PgPool,
    connection: ConnectionId,
    sought: Option<&str>,
    limit: i64,
) -> Result<Vec<Completion>> {
    Ok(completions!(
        db,
        "and ($2::text is null or task_gid = $2 or order_number = $2) order by found_at desc, task_gid limit $3",
        connection.0,
        sought,
        limit,
    ))
}

/// Records a completion that was not known, as held and due at once. One that another node recorded meanwhile
/// stays as it is; returns whether this one was new.
pub async fn add(
    db: &mut PgConnection,
    connection: ConnectionId,
    facts: &Facts,
    found_by: &str,
) -> Result<bool> {
    let added = sqlx::query!(
        "insert into completions (connection_id, task_gid, ordinal, completed_at, completed_by, task_name,
                order_number, own_cost, own_currency, approval_status, state, found_by, due_at, elsewhere)
         select $1, $2, coalesce(max(ordinal), 0) + 1, $3, $4, $5, $6, $7, $8, $9, 'held', $10, now(), $11
         from completions where connection_id = $1 and task_gid = $2
         on conflict do nothing",
        connection.0,
        facts.task_gid,
        at(facts.completed_at) as jiff_sqlx::Timestamp,
        facts.completed_by,
        facts.task_name,
        facts.order_number,
        facts.own_cost,
        facts.own_currency,
        facts.approval_status,
        found_by,
        facts.elsewhere,
    )
    .execute(db)
    .await?;
    Ok(added.rows_affected() == 1)
}

/// Takes over what the task says now into a completion that brought no journal yet, and looks at it again.
pub async fn refresh(
    db: &mut PgConnection,
    connection: ConnectionId,
    ordinal: i32,
    facts: &Facts,
) -> Result<()> {
    sqlx::query!(
        "update completions set task_name = $4, order_number = $5, own_cost = $6, own_currency = $7,
                approval_status = $8, elsewhere = $9, state = 'held', due_at = now()
         where connection_id = $1 and task_gid = $2 and ordinal = $3 and state <> 'journal'",
        connection.0,
        facts.task_gid,
        ordinal,
        facts.task_name,
        facts.order_number,
        facts.own_cost,
        facts.own_currency,
        facts.approval_status,
        facts.elsewhere,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The tasks whose completions are held and looked at again only when something is told of the task.
pub async fn tasks_waited_for(db: &mut PgConnection, connection: ConnectionId) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar!(
        "select distinct task_gid from completions
         where connection_id = $1 and state = 'held' and due_at is null and reopened_at is null",
        connection.0,
    )
    .fetch_all(db)
    .await?)
}

/// What was decided about a completion.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// The task.
    pub task: TaskGid,
    /// Which of its completions.
    pub ordinal: i32,
    /// `held`, `skipped` or `journal`.
    pub state: &'static str,
    /// Why there is no journal.
    pub code: Option<&'static str>,
    /// What a person should know.
    pub reason: Option<String>,
    /// The order, when it was found.
    pub order_id: Option<String>,
    /// The order line, when the task stands for one.
    pub line_id: Option<String>,
    /// When it is looked at again, in seconds from now.
    pub again_in: Option<f64>,
}

/// Stores what was decided.
pub async fn decide(db: &mut PgConnection, connection: ConnectionId, verdict: &Verdict) -> Result<()> {
    sqlx::query!(
        "update completions set state = $4, code = $5, reason = $6, order_id = coalesce($7, order_id),
                line_id = coalesce($8, line_id), looked_at = now(), due_at = now() + make_interval(secs => $9)
         where connection_id = $1 and task_gid = $2 and ordinal = $3",
        connection.0,
        verdict.task.as_str(),
        verdict.ordinal,
        verdict.state,
        verdict.code,
        verdict.reason,
        verdict.order_id,
        verdict.line_id,
        verdict.again_in,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Notes that a task was seen to be open again after a completion.
pub async fn reopen(
    db: &mut PgConnection,
    connection: ConnectionId,
    task: &str,
    ordinal: i32,
    when: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "update completions set reopened_at = $4, due_at = now()
         where connection_id = $1 and task_gid = $2 and ordinal = $3 and reopened_at is null",
        connection.0,
        task,
        ordinal,
        at(when) as jiff_sqlx::Timestamp,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Adds words to what a person reads about a completion, once; with a code, where somebody may have to do something.
pub async fn remark(
    db: &mut PgConnection,
    connection: ConnectionId,
    task: &str,
    ordinal: i32,
    code: Option<Code>,
    words: &str,
) -> Result<()> {
    sqlx::query!(
        "update completions set reason = concat_ws('; ', reason, $4::text), code = coalesce($5, code)
         where connection_id = $1 and task_gid = $2 and ordinal = $3
           and position($4::text in coalesce(reason, '')) = 0",
        connection.0,
        task,
        ordinal,
        words,
        code.map(|code| code.info().code),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Makes held completions due that are looked at now and then: what they wait for may have come. Those that wait
/// for their task alone are told of by Asana.
pub async fn look_again(db: &mut PgConnection, connection: ConnectionId) -> Result<u64> {
    let again = sqlx::query!(
        "with waiting as (
             select task_gid, ordinal from completions
             where connection_id = $1 and state = 'held' and due_at > now()
             order by task_gid, ordinal for update)
         update completions c set due_at = now() from waiting w
         where c.connection_id = $1 and c.task_gid = w.task_gid and c.ordinal = w.ordinal",
        connection.0,
    )
    .execute(db)
    .await?;
    Ok(again.rows_affected())
}

/// Makes due what waits for a task's journal, which was settled just now.
pub async fn look_again_at_task(db: &mut PgConnection, connection: ConnectionId, task: &str) -> Result<u64> {
    let again = sqlx::query!(
        "with waiting as (
             select task_gid, ordinal from completions
             where connection_id = $1 and task_gid = $2 and due_at > now()
             order by task_gid, ordinal for update)
         update completions c set due_at = now() from waiting w
         where c.connection_id = $1 and c.task_gid = w.task_gid and c.ordinal = w.ordinal",
        connection.0,
        task,
    )
    .execute(db)
    .await?;
    Ok(again.rows_affected())
}

/// Makes due the completions of an order, and of its lines, that brought no journal since another one bore the cost:
/// it does so no more.
pub async fn look_again_at_cost(
    db: &mut PgConnection,
    connection: ConnectionId,
    order_id: &str,
) -> Result<u64> {
    let again = sqlx::query!(
        "with waiting as (
             select task_gid, ordinal from completions
             where connection_id = $1 and order_id = $2 and state = 'skipped' and code = $3
               and reopened_at is null
             order by task_gid, ordinal for update)
         update completions c set state = 'held', due_at = now() from waiting w
         where c.connection_id = $1 and c.task_gid = w.task_gid and c.ordinal = w.ordinal",
        connection.0,
        order_id,
        Code::JournalAlreadyPosted.info().code,
    )
    .execute(db)
    .await?;
    Ok(again.rows_affected())
}

/// Lets held completions rest whose reason is what it was; those that wait for their task alone until that
/// changes.
pub async fn rest(
    db: &mut PgConnection,
    connection: ConnectionId,
    resting: &[(&Completion, Option<f64>)],
) -> Result<()> {
    let tasks: Vec<&str> = resting.iter().map(|(completion, _)| completion.task_gid.as_str()).collect();
    let ordinals: Vec<i32> = resting.iter().map(|(completion, _)| completion.ordinal).collect();
    let seconds: Vec<Option<f64>> = resting.iter().map(|(_, seconds)| *seconds).collect();
    sqlx::query!(
        "with resting as (
             select c.task_gid, c.ordinal, r.seconds from completions c
             join unnest($2::text[], $3::integer[], $4::float8[]) as r(task_gid, ordinal, seconds)
                  on c.task_gid = r.task_gid and c.ordinal = r.ordinal
             where c.connection_id = $1 and c.state = 'held'
             order by c.task_gid, c.ordinal for update of c)
         update completions c set looked_at = now(), due_at = now() + make_interval(secs => r.seconds)
         from resting r where c.connection_id = $1 and c.task_gid = r.task_gid and c.ordinal = r.ordinal",
        connection.0,
        &tasks as _,
        &ordinals,
        &seconds as _,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// When the next completion is due.
pub async fn next_due(db: &PgPool, connection: ConnectionId) -> Result<Option<Timestamp>> {
    let next = sqlx::query_scalar!(
        "select min(due_at) from completions where connection_id = $1 and due_at is not null",
        connection.0,
    )
    .fetch_one(db)
    .await?;
    Ok(next.map(jiff_sqlx::Timestamp::to_jiff))
}

/// Leaves a completion due, behind those that have waited longer.
pub async fn postpone(
    db: &mut PgConnection,
    connection: ConnectionId,
    task: &str,
    ordinal: i32,
) -> Result<()> {
    sqlx::query!(
        "update completions set due_at = now() where connection_id = $1 and task_gid = $2 and ordinal = $3",
        connection.0,
        task,
        ordinal,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Leaves a completion as it is and looks at it no more.
pub async fn settle(db: &mut PgConnection, connection: ConnectionId, task: &str, ordinal: i32) -> Result<()> {
    sqlx::query!(
        "update completions set due_at = null where connection_id = $1 and task_gid = $2 and ordinal = $3",
        connection.0,
        task,
        ordinal,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Where the last completion of each of these tasks stands, in the words that the task shows.
pub async fn shown_on_tasks(
    db: &mut PgConnection,
    connection: ConnectionId,
    tasks: &[String],
) -> Result<Vec<(String, String)>> {
    let rows = sqlx::query!(
        "select distinct on (c.task_gid) c.task_gid, c.state, c.code, c.reason,
                j.kind as \"kind?\", j.state as \"journal_state?\", j.batch_id, j.code as \"journal_code?\"
         from completions c left join journals j
              on j.connection_id = $1 and j.task_gid = c.task_gid and j.ordinal = c.ordinal
         where c.connection_id = $1 and c.task_gid = any($2)
         order by c.task_gid, c.ordinal desc, j.created_at desc nulls last",
        connection.0,
        tasks,
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| {
            let why = || {
                let words = [r.code.as_deref(), r.reason.as_deref()];
                words.into_iter().flatten().collect::<Vec<_>>().join(" ")
            };
            let what = if r.kind.as_deref() == Some("reversal") { "Reversal" } else { "Journal" };
            let words = match (r.state.as_str(), r.journal_state.as_deref()) {
                ("held", _) => format!("Held: {}", why()),
                ("skipped", _) => format!("No journal: {}", why()),
                (_, Some("imported")) => {
                    format!("{what} imported: batch {}", r.batch_id.as_deref().unwrap_or("?"))
                }
                (_, Some("rejected")) => {
                    format!("{what} rejected: {}", r.journal_code.as_deref().unwrap_or("see the log"))
                }
                (_, Some("in_doubt")) => format!("{what} in doubt"),
                (_, Some("withdrawn")) => format!("{what} withdrawn"),
                (_, Some("ready")) if r.journal_code.is_some() => {
                    format!("{what} waits: {}", r.journal_code.as_deref().unwrap_or_default())
                }
                _ => format!("{what} on its way"),
            };
            (r.task_gid, words)
        })
        .collect())
}
