//! What is wrong now, read from the state: a handful of statements, each answered by an index of few rows.

use jiff::Timestamp;
use sqlx::PgPool;

use crate::code::Code;
use crate::error::Result;
use crate::ids::ConnectionId;

/// Things of one kind that stand still with one code.
#[derive(Debug, Clone)]
pub struct Group {
    /// `held`, `failed`, `in_doubt` or `deviates`.
    pub state: String,
    /// Their code.
    pub code: Option<String>,
    /// How many.
    pub count: i64,
    /// Up to ten: what they are, and why.
    pub examples: Vec<String>,
}

/// Movements that are held or failed, and those in doubt for more than an hour, by state and code. A failed one
/// counts no more when a person discarded it, or a newer movement of the same record has ended: delivered it settles it, failed
/// or held it counts in its place.
pub async fn movements(db: &PgPool, connection: ConnectionId) -> Result<Vec<Group>> {
    Ok(sqlx::query_as!(
        Group,
        "select m.state, m.code, count(*) as \"count!\",
                (array_agg(m.feed || ' ' || m.source_id || coalesce(': ' || m.reason, '') order by m.movement_id))[1:10]
                    as \"examples!\"
         from movements m
         where m.connection_id = $1
           and (m.state = 'held'
                or (m.state = 'in_doubt' and m.sent_at < now() - interval '1 hour')
                or (m.state = 'failed' and m.outcome is distinct from 'discarded' and not exists (
                        select from settled_by($1, m.feed, m.source_id, m.created_at))))
         group by m.state, m.code order by m.state, m.code",
        connection.0
    )
    .fetch_all(db)
    .await?)
}

/// Replays that show on tasks what Oracle's newest record does not say, until the record is moved again. A later
/// movement that found nothing to change has looked at the tasks too.
pub async fn deviating(db: &PgPool, connection: ConnectionId) -> Result<Option<Group>> {
    let found = sqlx::query_as!(
        Group,
        "select 'deviates' as \"state!\", $2::text as code, count(distinct m.source_id) as \"count!\",
                (array_agg(m.feed || ' ' || m.source_id || ': movement ' || m.movement_id order by m.movement_id))[1:10]
                    as \"examples!\"
         from movements m
         where m.connection_id = $1 and m.replay_of is not null and m.deviates
           and m.outcome in ('created', 'updated', 'unchanged')
           and not exists (
                select from movements n
                where n.connection_id = $1 and n.movement_id > m.movement_id and n.feed = m.feed
                  and n.source_id = m.source_id and n.state = 'delivered' and not n.deviates)
         having count(*) > 0",
        connection.0,
        Code::ReplayDeviates.info().code,
    )
    .fetch_optional(db)
    .await?;
    Ok(found)
}

/// Completions that are held, by code.
pub async fn completions(db: &PgPool, connection: ConnectionId) -> Result<Vec<Group>> {
    Ok(sqlx::query_as!(
        Group,
        "select state, code, count(*) as \"count!\",
                (array_agg('task ' || task_gid || coalesce(': ' || reason, '') order by found_at))[1:10] as \"examples!\"
         from completions where connection_id = $1 and state = 'held' and code is not null
         group by state, code order by code",
        connection.0
    )
    .fetch_all(db)
    .await?)
}

/// A journal that a person must know of.
#[derive(Debug, Clone)]
pub struct StuckJournal {
    /// Its id.
    pub journal_id: uuid::Uuid,
    /// `rejected` or `in_doubt`.
    pub state: String,
    /// The task whose completion asked for it.
    pub task_gid: String,
    /// Its code.
    pub code: Option<String>,
    /// Why, with Oracle's codes and what they mean.
    pub reason: Option<String>,
    /// How often it was sent.
    pub submissions: i32,
}

/// Journals that Oracle rejected and that none of the same subject was imported after, and those in doubt for more
/// than an hour.
pub async fn journals(db: &PgPool, connection: ConnectionId) -> Result<Vec<StuckJournal>> {
    Ok(sqlx::query_as!(
        StuckJournal,
        "select j.journal_id, j.state, j.task_gid, j.code, j.reason, j.submissions
         from journals j
         where j.connection_id = $1
           and ((j.state = 'in_doubt' and j.submitted_at < now() - interval '1 hour')
                or (j.state = 'rejected' and not exists (
                        select from journals n
                        where n.connection_id = $1 and n.subject = j.subject and n.state = 'imported'
                          and n.journal_id > j.journal_id)))
         order by j.journal_id",
        connection.0
    )
    .fetch_all(db)
    .await?)
}

/// How a job and, where it is a poll, its feed are doing.
#[derive(Debug, Clone)]
pub struct JobFacts {
    /// The job's name.
    pub job: String,
    /// How many times in a row it has failed.
    pub failures: i32,
    /// The last failure's code.
    pub code: Option<String>,
    /// The last failure's words.
    pub reason: Option<String>,
    /// For how long it has been failing with this code.
    pub code_seconds: f64,
    /// How long ago it last ended well, or the connection was changed or activated, whichever is later.
    pub silent_seconds: f64,
    /// For how long the feed's reading has been unfinished without its watermark moving.
    pub stands_seconds: Option<f64>,
    /// Since when complete readings of a feed that has records find nothing.
    pub empty_since: Option<Timestamp>,
}

/// How the connection's jobs are doing.
pub async fn jobs(db: &PgPool, connection: ConnectionId) -> Result<Vec<JobFacts>> {
    let rows = sqlx::query!(
        "select j.job, j.failures, j.code, j.reason,
                coalesce(extract(epoch from now() - j.code_since), 0)::float8 as \"code_seconds!\",
                extract(epoch from now() - greatest(j.succeeded_at, c.updated_at))::float8 as \"silent_seconds!\",
                case when f.unfinished
                     then extract(epoch from now() - greatest(f.moved_at, c.updated_at))::float8 end as stands_seconds,
                case when exists (select from documents d where d.connection_id = $1 and d.feed = f.feed)
                     then f.empty_since end as empty_since
         from jobs j
         join connections c on c.connection_id = j.connection_id
         left join feeds f on f.connection_id = j.connection_id and f.feed = j.job
         where j.connection_id = $1 order by j.job",
        connection.0
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| JobFacts {
            job: r.job,
            failures: r.failures,
            code: r.code,
            reason: r.reason,
            code_seconds: r.code_seconds,
            silent_seconds: r.silent_seconds,
            stands_seconds: r.stands_seconds,
            empty_since: r.empty_since.map(jiff_sqlx::Timestamp::to_jiff),
        })
        .collect())
}

/// What became of the webhooks that were lost within the last seven days.
#[derive(Debug, Clone)]
pub struct LostWebhooks {
    /// How many were lost.
    pub lost: i64,
    /// How many of these are wanted and have no working successor.
    pub missing: i64,
    /// When the first was found lost.
    pub first_at: Timestamp,
    /// When the last was found lost.
    pub last_at: Timestamp,
    /// When the last successor worked.
    pub again_at: Option<Timestamp>,
    /// Whether a sweep has ended well since.
    pub swept: bool,
    /// Completions that the sweep found since the first was lost.
    pub found: i64,
    /// Of these, those whose journals were imported.
    pub imported: i64,
    /// What the sweep found and is not decided: events and completions to be looked at, journals on their way.
    pub under_way: i64,
}

/// What became of lost webhooks; `None` when none was lost lately.
pub async fn webhooks(db: &PgPool, connection: ConnectionId) -> Result<Option<LostWebhooks>> {
    let row = sqlx::query!(
        "with lost as (
             select l.resource_gid, l.ended_at,
                    (select max(n.active_at) from webhooks n
                     where n.connection_id = $1 and n.resource_gid = l.resource_gid and n.webhook_id > l.webhook_id)
                        as again_at,
                    exists (select from webhooks n
                            where n.connection_id = $1 and n.resource_gid = l.resource_gid
                              and n.webhook_id > l.webhook_id and n.state in ('active', 'removed')) as settled
             from webhooks l
             where l.connection_id = $1 and l.state = 'lost' and l.ended_at > now() - interval '7 days'),
         told as (
             select count(*) as lost, count(*) filter (where not settled) as missing, min(ended_at) as first_at,
                    max(ended_at) as last_at, max(again_at) as again_at from lost)
         select t.lost as \"lost!\", t.missing as \"missing!\", t.first_at, t.last_at, t.again_at,
                exists (select from jobs j where j.connection_id = $1 and j.job = 'sweep' and j.code is null
                        and j.succeeded_at > t.again_at and j.started_at >= t.again_at) as \"swept!\",
                f.found as \"found!\", f.imported as \"imported!\",
                f.under_way + (select count(*) from events e where e.connection_id = $1 and e.state = 'open'
                               and e.delivery_id is null) as \"under_way!\"
         from told t cross join lateral (
             select count(*) as found, count(*) filter (where j.state = 'imported') as imported,
                    count(*) filter (where c.due_at <= now() or j.state in ('ready', 'submitting', 'submitted'))
                        as under_way
             from completions c
             left join journals j on j.connection_id = $1 and j.task_gid = c.task_gid and j.ordinal = c.ordinal
                 and j.kind = 'posting'
             where c.connection_id = $1 and c.found_by = 'sweep' and c.found_at >= t.first_at) f",
        connection.0
    )
    .fetch_one(db)
    .await?;
    let (Some(first_at), Some(last_at)) = (row.first_at, row.last_at) else { return Ok(None) };
    Ok(Some(LostWebhooks {
        lost: row.lost,
        missing: row.missing,
        first_at: first_at.to_jiff(),
        last_at: last_at.to_jiff(),
        again_at: row.again_at.map(jiff_sqlx::Timestamp::to_jiff),
        swept: row.swept,
        found: row.found,
        imported: row.imported,
        under_way: row.under_way,
    }))
}
