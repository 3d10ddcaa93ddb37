//! Leases: which node works on which job of which connection. The rows are the only work
//! distribution; a fence number goes up with every claim, and a node that lost its lease cannot commit.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use outbound::{Moment, Right};
use sqlx::{PgConnection, PgPool};

use crate::backoff;
use crate::code::Code;
use crate::error::{Error, Result};
use crate::feed::Feed;
use crate::ids::{ConnectionId, NodeId};
use crate::limits::{self, Provider};
use crate::reference::Kind;
use crate::store::at;

/// How long a lease lasts unless it is renewed.
pub const LEASE: Duration = Duration::from_secs(60);
/// How long a probe may take before another one may begin: a node that died while it probed holds it no longer.
pub const PROBE: Duration = Duration::from_secs(60);

/// One kind of work on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Job {
    /// Reading a feed from Oracle.
    Poll(Feed),
    /// Writing what moved to Asana.
    Push,
    /// Comparing the webhooks with Asana's list.
    Webhooks,
    /// Looking for completions that no webhook told of.
    Sweep,
    /// From the inbox to completions, and from these to journals.
    Completions,
    /// Driving journals to Oracle.
    Journals,
    /// Opening and closing alerts.
    Alerts,
    /// Reading suppliers or accounts, and keeping the options that stand for them.
    Reference(Kind),
    /// Comparing both systems completely.
    Reconcile,
}

impl Job {
    /// Every job of a connection.
    pub const ALL: [Job; 11] = [
        Job::Poll(Feed::PurchaseOrders),
        Job::Poll(Feed::Invoices),
        Job::Push,
        Job::Webhooks,
        Job::Sweep,
        Job::Completions,
        Job::Journals,
        Job::Alerts,
        Job::Reference(Kind::Suppliers),
        Job::Reference(Kind::Accounts),
        Job::Reconcile,
    ];

    /// Those that run only when they are asked for, unless a schedule is set.
    pub const REFERENCE: [Job; 2] = [Job::Reference(Kind::Suppliers), Job::Reference(Kind::Accounts)];

    /// Those that lead from a completed task to a journal.
    pub const WAY_BACK: [Job; 4] = [Job::Webhooks, Job::Sweep, Job::Completions, Job::Journals];

    /// The name in the table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Job::Poll(feed) => feed.as_str(),
            Job::Push => "push",
            Job::Webhooks => "webhooks",
            Job::Sweep => "sweep",
            Job::Completions => "completions",
            Job::Journals => "journals",
            Job::Alerts => "alerts",
            Job::Reference(kind) => kind.as_str(),
            Job::Reconcile => "reconcile",
        }
    }

    /// Which sides it asks.
    #[must_use]
    pub fn needs(self) -> &'static [Provider] {
        match self {
            Job::Poll(_) | Job::Journals => &[Provider::Oracle],
            Job::Push | Job::Webhooks | Job::Sweep => &[Provider::Asana],
            Job::Completions | Job::Reference(_) | Job::Reconcile => &Provider::ALL,
            Job::Alerts => &[],
        }
    }

    /// The names of those that ask this side.
    fn that_need(provider: Provider) -> Vec<String> {
        let needing = Job::ALL.into_iter().filter(|job| job.needs().contains(&provider));
        needing.map(|job| job.as_str().to_owned()).collect()
    }

    fn parse(text: &str) -> Result<Job> {
        Job::ALL
            .into_iter()
            .find(|job| job.as_str() == text)
            .ok_or_else(|| Error::new(Code::Migration, format!("the database names an unknown job `{text}`")))
    }
}

/// Who claims jobs, and for how long at a time.
#[derive(Debug, Clone, Copy)]
pub struct Holder {
    /// The node.
    pub node: NodeId,
    /// How long its leases last unless they are renewed.
    pub lasts: Duration,
}

impl Holder {
    /// A lease that was asked for at this moment.
    #[must_use]
    pub fn lease(
        self,
        connection: ConnectionId,
        job: Job,
        (fence, failures): (i64, i32),
        asked: Moment,
    ) -> Lease {
        let right = Arc::new(Right::given(asked, self.lasts));
        Lease { connection, job, fence, node: self.node, failures, probes: None, right }
    }
}

impl From<NodeId> for Holder {
    fn from(node: NodeId) -> Holder {
        Holder { node, lasts: LEASE }
    }
}

/// The right to work on a job until it runs out.
#[derive(Debug, Clone)]
pub struct Lease {
    /// Whose job.
    pub connection: ConnectionId,
    /// Which job.
    pub job: Job,
    /// Goes up with every claim.
    pub fence: i64,
    /// Who holds it.
    pub node: NodeId,
    /// How many times in a row the job has failed before.
    pub failures: i32,
    /// The side whose breaker is open, when the job is to show whether it answers again.
    pub probes: Option<Provider>,
    /// The right to send, which ends before the lease does.
    pub right: Arc<Right>,
}

/// How a job is doing.
#[derive(Debug, Clone, serde::Serialize)]
pub struct JobStatus {
    /// The job's name.
    pub job: String,
    /// When it is due next.
    pub due_at: Option<Timestamp>,
    /// Whether a node works on it now.
    pub running: bool,
    /// When it last ended.
    pub finished_at: Option<Timestamp>,
    /// How many times in a row it has failed.
    pub failures: i32,
    /// The last failure's code.
    pub code: Option<String>,
    /// The last failure's words.
    pub reason: Option<String>,
    /// Whether all there is to tell is a maintenance that Oracle announced less than eight hours ago.
    pub maintenance: bool,
    /// Whether all there is to tell is that it was asked to slow down, less than an hour ago.
    pub slowed: bool,
}

/// Creates the job rows of a new connection, not yet due.
pub async fn create(db: &mut PgConnection, connection: ConnectionId) -> Result<()> {
    let names: Vec<String> = Job::ALL.iter().map(|job| job.as_str().to_owned()).collect();
    sqlx::query!(
        "insert into jobs (connection_id, job) select $1, name from unnest($2::text[]) as name
         on conflict do nothing",
        connection.0,
        &names
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Claims at most `limit` jobs of active connections that are due, the longest waiting first. A lease
/// that ran out counts as due. What needs a side whose breaker is open waits: see [`claim_probes`].
pub async fn claim_due(db: &PgPool, holder: impl Into<Holder>, limit: i64) -> Result<Vec<Lease>> {
    claim_due_but(db, holder, limit, &[]).await
}

/// As [`claim_due`], but none of these: the node has its hands full with such jobs.
pub async fn claim_due_but(
    db: &PgPool,
    holder: impl Into<Holder>,
    limit: i64,
    but: &[Job],
) -> Result<Vec<Lease>> {
    let (holder, asked) = (holder.into(), Moment::now());
    let but: Vec<String> = but.iter().map(|job| job.as_str().to_owned()).collect();
    let rows = sqlx::query!(
        // materialized: a subquery could be run once for each row, and claim more than the limit
        "with due as materialized (
             select j.connection_id, j.job from jobs j join connections c using (connection_id)
             where c.state = 'active' and j.job <> all($6)
               and ((j.due_at <= now() and (j.lease_until is null or j.lease_until < now()))
                    or (j.node_id is not null and j.lease_until < now()))
               and not exists (select from breakers b where b.connection_id = j.connection_id and b.open
                                   and j.job = any(case b.provider when 'oracle' then $4::text[] else $5::text[] end))
             order by j.due_at nulls first
             for update of j skip locked limit $2)
         update jobs set node_id = $1, fence = jobs.fence + 1, due_at = null, started_at = now(),
                lease_until = now() + make_interval(secs => $3)
         from due where jobs.connection_id = due.connection_id and jobs.job = due.job
         returning jobs.connection_id, jobs.job, jobs.fence, jobs.failures",
        holder.node.0,
        limit,
        holder.lasts.as_secs_f64(),
        &Job::that_need(Provider::Oracle),
        &Job::that_need(Provider::Asana),
        &but,
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|r| {
            let (connection, job) = (ConnectionId(r.connection_id), Job::parse(&r.job)?);
            Ok(holder.lease(connection, job, (r.fence, r.failures), asked))
        })
        .collect()
}

/// Claims for each open breaker whose while has passed one due job that needs that side and no other that is closed
/// off, at most `limit`. Until it has ended, or for [`PROBE`], there is no second one.
pub async fn claim_probes(db: &PgPool, holder: impl Into<Holder>, limit: i64) -> Result<Vec<Lease>> {
    let (holder, asked) = (holder.into(), Moment::now());
    let rows = sqlx::query!(
        "with gate as materialized (
             select b.connection_id, b.provider from breakers b join connections c using (connection_id)
             where b.open and b.retry_at <= now() and (b.probing_until is null or b.probing_until < now())
               and c.state = 'active'
             order by b.retry_at for update of b skip locked limit $2),
         due as materialized (
             select g.provider, d.connection_id, d.job from gate g cross join lateral (
                 select j.connection_id, j.job from jobs j
                 where j.connection_id = g.connection_id
                   and j.job = any(case g.provider when 'oracle' then $4::text[] else $5::text[] end)
                   and ((j.due_at <= now() and (j.lease_until is null or j.lease_until < now()))
                        or (j.node_id is not null and j.lease_until < now()))
                   and not exists (select from breakers o where o.connection_id = j.connection_id and o.open
                                   and o.provider <> g.provider
                                   and j.job = any(case o.provider when 'oracle' then $4::text[] else $5::text[] end))
                 order by j.due_at nulls first limit 1 for update of j skip locked) d),
         probing as (
             update breakers b set probing_until = now() + make_interval(secs => $6) from due
             where b.connection_id = due.connection_id and b.provider = due.provider)
         update jobs set node_id = $1, fence = jobs.fence + 1, due_at = null, started_at = now(),
                lease_until = now() + make_interval(secs => $3)
         from due where jobs.connection_id = due.connection_id and jobs.job = due.job
         returning jobs.connection_id, jobs.job, jobs.fence, jobs.failures, due.provider",
        holder.node.0,
        limit,
        holder.lasts.as_secs_f64(),
        &Job::that_need(Provider::Oracle),
        &Job::that_need(Provider::Asana),
        PROBE.as_secs_f64(),
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|r| {
            let (connection, job) = (ConnectionId(r.connection_id), Job::parse(&r.job)?);
            let probes = Provider::ALL.into_iter().find(|provider| provider.as_str() == r.provider);
            Ok(Lease { probes, ..holder.lease(connection, job, (r.fence, r.failures), asked) })
        })
        .collect()
}

/// Claims one job whether it is due or not, unless another node works on it.
pub async fn claim(
    db: &PgPool,
    holder: impl Into<Holder>,
    connection: ConnectionId,
    job: Job,
) -> Result<Option<Lease>> {
    let (holder, asked) = (holder.into(), Moment::now());
    let row = sqlx::query!(
        "update jobs set node_id = $1, fence = fence + 1, due_at = null, started_at = now(),
                lease_until = now() + make_interval(secs => $4)
         where connection_id = $2 and job = $3 and (lease_until is null or lease_until < now())
         returning fence, failures",
        holder.node.0,
        connection.0,
        job.as_str(),
        holder.lasts.as_secs_f64(),
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|r| holder.lease(connection, job, (r.fence, r.failures), asked)))
}

/// Renews the lease within a transaction; a lost one is refused, so that nothing is committed with it.
pub async fn hold(db: &mut PgConnection, lease: &Lease) -> Result<()> {
    let held = sqlx::query!(
        "update jobs set lease_until = now() + make_interval(secs => $4)
         where connection_id = $1 and job = $2 and fence = $3 and node_id = $5 and lease_until > now()",
        lease.connection.0,
        lease.job.as_str(),
        lease.fence,
        lease.right.lasts().as_secs_f64(),
        lease.node.0,
    )
    .execute(db)
    .await?;
    if held.rows_affected() == 1 {
        return Ok(());
    }
    Err(Error::new(Code::LeaseLost, format!("the lease on {} was lost", lease.job.as_str())))
}

/// Ends a job. `next` is when it is due again unless it was asked for sooner meanwhile. For an hour, being asked to slow
/// down is no failure that counts.
pub async fn finish(
    db: &PgPool,
    lease: &Lease,
    next: Option<Timestamp>,
    failure: Option<&Error>,
) -> Result<()> {
    let failed = failure.is_some();
    let busy = failure.is_some_and(|failure| limits::is_busy(failure.code));
    sqlx::query!(
        "update jobs set node_id = null, lease_until = null, finished_at = now(), due_at = least(due_at, $4),
                succeeded_at = case when $5 then succeeded_at else now() end,
                failures = case when not $5 then 0
                                when $8 and not coalesce(code = $6 and code_since < now() - make_interval(secs => $9), false)
                                then failures else failures + 1 end,
                code = $6, reason = $7,
                code_since = case when not $5 then null when code = $6 then coalesce(code_since, now()) else now() end
         where connection_id = $1 and job = $2 and fence = $3",
        lease.connection.0,
        lease.job.as_str(),
        lease.fence,
        next.map(at) as Option<jiff_sqlx::Timestamp>,
        failed,
        failure.map(|f| f.code.info().code),
        failure.map(|f| f.message.as_str()),
        busy,
        backoff::MAX_RETRY_AFTER.as_secs_f64(),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Gives a job back unfinished, due at once, so that nobody waits for the lease to run out. One that was finished or is
/// another's by now stays as it is.
pub async fn release(db: &PgPool, lease: &Lease) -> Result<()> {
    sqlx::query!(
        "update jobs set node_id = null, lease_until = null, due_at = now()
         where connection_id = $1 and job = $2 and fence = $3 and lease_until is not null",
        lease.connection.0,
        lease.job.as_str(),
        lease.fence,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Whether a node works on one of these jobs. Until the transaction ends, none begins.
pub async fn any_running(db: &mut PgConnection, connection: ConnectionId, jobs: &[Job]) -> Result<bool> {
    let names: Vec<String> = jobs.iter().map(|job| job.as_str().to_owned()).collect();
    let running = sqlx::query_scalar!(
        "select coalesce(lease_until > now(), false) as \"running!\" from jobs
         where connection_id = $1 and job = any($2) order by job for update",
        connection.0,
        &names,
    )
    .fetch_all(db)
    .await?;
    Ok(running.contains(&true))
}

/// Asks for jobs now. Not to be called in a transaction that holds the lease of another job: two that wait for each
/// other's rows would stop each other.
pub async fn ask_for(db: impl sqlx::PgExecutor<'_>, connection: ConnectionId, jobs: &[Job]) -> Result<()> {
    let names: Vec<String> = jobs.iter().map(|job| job.as_str().to_owned()).collect();
    sqlx::query!(
        "with asked as (
             select job from jobs where connection_id = $1 and job = any($2) order by job for update)
         update jobs j set due_at = least(j.due_at, now()) from asked a
         where j.connection_id = $1 and j.job = a.job",
        connection.0,
        &names,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Has a job run after so long, unless it is due sooner.
pub async fn plan(db: &mut PgConnection, connection: ConnectionId, job: Job, after: Duration) -> Result<()> {
    sqlx::query!(
        "update jobs set due_at = least(due_at, now() + make_interval(secs => $3))
         where connection_id = $1 and job = $2",
        connection.0,
        job.as_str(),
        after.as_secs_f64(),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// How the connection's jobs are doing.
pub async fn status(db: &PgPool, connection: ConnectionId) -> Result<Vec<JobStatus>> {
    let rows = sqlx::query!(
        "select job, due_at, coalesce(lease_until > now(), false) as \"running!\", finished_at, failures, code, reason,
                coalesce(code = $2 and code_since > now() - make_interval(secs => $3), false) as \"maintenance!\",
                coalesce(code = any($4) and code_since > now() - make_interval(secs => $5), false) as \"slowed!\"
         from jobs where connection_id = $1 order by job desc",
        connection.0,
        Code::OracleMaintenance.info().code,
        backoff::MAX_MAINTENANCE.as_secs_f64(),
        &[Code::OracleBusy, Code::AsanaBusy].map(|code| code.info().code.to_owned()),
        backoff::MAX_RETRY_AFTER.as_secs_f64(),
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| JobStatus {
            job: r.job,
            due_at: r.due_at.map(jiff_sqlx::Timestamp::to_jiff),
            running: r.running,
            finished_at: r.finished_at.map(jiff_sqlx::Timestamp::to_jiff),
            failures: r.failures,
            code: r.code,
            reason: r.reason,
            maintenance: r.maintenance,
            slowed: r.slowed,
        })
        .collect())
}
