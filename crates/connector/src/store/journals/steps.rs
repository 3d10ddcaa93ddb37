//! Claiming journals, and every step of one: stored with its log before its action is done.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{group_number, read, text};
use crate::code::Code;
use crate::error::{Error, Result};
use crate::ids::{ConnectionId, JournalId, NodeId, TaskGid};
use crate::journal::machine::{self, State};
use crate::journal::{GroupId, JournalPlan, Kind};

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

/// Takes a journal in doubt for a person's decision under the fence of its job's lease, and returns its turn; `None` when
/// it is not in doubt. Whoever else works on it can store nothing more of it. When it is due stays as it is.
pub async fn take_doubtful(
    db: &mut PgConnection,
    connection: ConnectionId,
    fence: i64,
    id: JournalId,
) -> Result<Option<i64>> {
    Ok(sqlx::query_scalar!(
        "update journals set fence = $3, turn = turn + 1
         where connection_id = $1 and journal_id = $2 and state = 'in_doubt' and fence <= $3
         returning turn",
        connection.0,
        id.0,
        fence,
    )
    .fetch_optional(db)
    .await?)
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
pub async fn log_step(
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
