//! Journals that Oracle rejected and a person has sent anew.

use sqlx::PgConnection;

use super::journals::{Bearer, group_number, read, text};
use crate::error::Result;
use crate::ids::{ConnectionId, JournalId, TaskGid};
use crate::journal::machine;
use crate::journal::{GroupId, JournalPlan, Kind};

/// A journal that is to be sent anew, and what decides whether it may be.
#[derive(Debug, Clone)]
pub struct Candidate {
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
    /// The group of its last sending.
    pub group_id: String,
    /// What bears the cost.
    pub subject: String,
    /// Whether the task was opened again after this completion.
    pub is_reopened: bool,
    /// Another journal that counts and bears the cost or a part of it, here or in another connection.
    pub borne_by: Option<Bearer>,
}

/// Locks a journal and its completion until the transaction ends, and loads what decides about it; `None` when there
/// is no such journal. What bears the cost stays as it is only while the row of the completions' job is locked, which
/// must come first.
pub async fn lock(
    db: &mut PgConnection,
    connection: ConnectionId,
    id: JournalId,
) -> Result<Option<Candidate>> {
    let row = sqlx::query!(
        "select kind, task_gid, ordinal, plan, machine, group_id, subject from journals
         where connection_id = $1 and journal_id = $2 for update",
        connection.0,
        id.0,
    )
    .fetch_optional(&mut *db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let reopened = sqlx::query_scalar!(
        "select reopened_at is not null as \"reopened!\" from completions
         where connection_id = $1 and task_gid = $2 and ordinal = $3 for update",
        connection.0,
        row.task_gid,
        row.ordinal,
    )
    .fetch_optional(&mut *db)
    .await?;
    let plan: JournalPlan = read(&row.plan)?;
    let borne_by = overlapping(db, connection, id, &row.subject, &plan.order_id).await?;
    Ok(Some(Candidate {
        id,
        kind: if row.kind == Kind::Reversal.as_str() { Kind::Reversal } else { Kind::Posting },
        task: TaskGid(row.task_gid),
        ordinal: row.ordinal.unsigned_abs(),
        plan,
        machine: read(&row.machine)?,
        group_id: row.group_id.to_string(),
        subject: row.subject,
        // a journal whose completion is not known is not sent
        is_reopened: reopened.unwrap_or(true),
        borne_by,
    }))
}

/// Another journal that counts and bears the same cost or a part of it: an order and its lines are never both posted.
async fn overlapping(
    db: &mut PgConnection,
    connection: ConnectionId,
    id: JournalId,
    subject: &str,
    order_id: &str,
) -> Result<Option<Bearer>> {
    let whole = format!("order {order_id}");
    let (same, lines) = match subject.split_once(' ') {
        Some(("line", _)) => (vec![subject.to_owned(), whole], false),
        Some(("order", _)) => (vec![subject.to_owned()], true),
        _ => (vec![subject.to_owned()], false),
    };
    Ok(sqlx::query_as!(
        Bearer,
        "select j.subject, j.task_gid as task, j.ordinal, null as elsewhere from journals j
         where j.connection_id = $1 and j.counts and j.journal_id <> $2
           and (j.subject = any($3)
                or ($4 and j.subject like 'line %' and exists (
                        select from completions c
                        where c.connection_id = $1 and c.task_gid = j.task_gid and c.ordinal = j.ordinal
                          and c.order_id = $5)))
         order by j.journal_id limit 1",
        connection.0,
        id.0,
        &same,
        lines,
        order_id,
    )
    .fetch_optional(db)
    .await?)
}

/// Puts a rejected journal that is [locked](lock) on its way again: it bears its cost and is due at once. Whoever
/// still worked on it does so no more.
pub async fn send_anew(
    db: &mut PgConnection,
    connection: ConnectionId,
    id: JournalId,
    machine: &machine::Journal,
    group: GroupId,
    words: &str,
) -> Result<bool> {
    let stored = sqlx::query!(
        "update journals set counts = true, machine = $3, state = $4, group_id = $5, code = null, reason = $6,
                decided_at = null, due_at = now(), turn = turn + 1
         where connection_id = $1 and journal_id = $2 and state = 'rejected' and kind = 'posting' and not counts",
        connection.0,
        id.0,
        text(machine)?,
        machine.state.as_str(),
        group_number(group),
        words,
    )
    .execute(db)
    .await?;
    Ok(stored.rows_affected() == 1)
}
