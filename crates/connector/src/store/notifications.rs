//! What is sent to people about alerts.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::{PgConnection, PgPool};

use crate::alerts::NODES;
use crate::alerts::plan::Candidate;
use crate::alerts::settings::Channel;
use crate::error::{Error, Result};
use crate::ids::{AlertId, ConnectionId, NotificationId};
use crate::store::alerts::Alert;

/// A message that is to be sent.
#[derive(Debug, Clone)]
pub struct Notification {
    /// Its id, the same in every attempt.
    pub id: NotificationId,
    /// To which channel.
    pub channel: String,
    /// What is sent.
    pub body: Vec<u8>,
    /// Attempts, with the one that begins now.
    pub attempts: i32,
    /// Whether it was made more than a day ago.
    pub old: bool,
}

/// A channel whose messages do not arrive.
#[derive(Debug, Clone)]
pub struct Failing {
    /// The channel.
    pub channel: String,
    /// Messages that wait or were given up since the last one that arrived.
    pub count: i64,
    /// Of these, those that were given up.
    pub given_up: i64,
    /// The last failure's code.
    pub code: Option<String>,
    /// The last failure's words.
    pub reason: Option<String>,
}

/// The database's clock, and when a channel's newest message was made.
pub async fn newest(
    db: &mut PgConnection,
    connection: ConnectionId,
    channel: &str,
) -> Result<(Timestamp, Option<Timestamp>)> {
    let row = sqlx::query!(
        "select now() as \"now!\", max(created_at) as newest from notifications
         where connection_id = $1 and channel = $2",
        connection.0,
        channel,
    )
    .fetch_one(db)
    .await?;
    Ok((row.now.to_jiff(), row.newest.map(jiff_sqlx::Timestamp::to_jiff)))
}

/// Alerts of which a channel may have to be told: the open ones, and those closed within a day of whose end it was not.
pub async fn candidates(
    db: &mut PgConnection,
    connection: ConnectionId,
    channel: &Channel,
) -> Result<Vec<Candidate>> {
    let mut whose = vec![connection.0];
    whose.extend(channel.nodes.then_some(NODES.0));
    let rows = sqlx::query!(
        "select a.alert_id, a.kind, a.subject, a.code, a.count, a.title, a.detail, a.opened_at, a.seen_at,
                a.closed_at, a.acked_at, a.acked_by, a.note, t.told_at as \"told_at?\"
         from alerts a left join told_alerts t
           on t.connection_id = $1 and t.channel = $2 and t.alert_id = a.alert_id
         where a.connection_id = any($3)
           and (a.closed_at is null
                or (a.closed_at > now() - interval '1 day' and not coalesce(t.over, false)))
         order by a.opened_at, a.alert_id limit 200",
        connection.0,
        channel.name,
        &whose,
    )
    .fetch_all(db)
    .await?;
    let read = |r: jiff_sqlx::Timestamp| r.to_jiff();
    Ok(rows
        .into_iter()
        .map(|r| Candidate {
            told_at: r.told_at.map(read),
            alert: Alert {
                alert_id: AlertId(r.alert_id),
                kind: r.kind,
                subject: r.subject,
                code: r.code,
                count: r.count,
                title: r.title,
                detail: r.detail,
                opened_at: r.opened_at.to_jiff(),
                seen_at: r.seen_at.to_jiff(),
                closed_at: r.closed_at.map(read),
                acked_at: r.acked_at.map(read),
                acked_by: r.acked_by,
                note: r.note,
            },
        })
        .collect())
}

/// Writes a message down, and which alerts (and whether their end) it tells of.
pub async fn insert(
    db: &mut PgConnection,
    connection: ConnectionId,
    id: NotificationId,
    channel: &str,
    body: &[u8],
    told: &[(AlertId, bool)],
) -> Result<()> {
    sqlx::query!(
        "insert into notifications (connection_id, notification_id, channel, body) values ($1, $2, $3, $4)",
        connection.0,
        id.0,
        channel,
        body,
    )
    .execute(&mut *db)
    .await?;
    let (alerts, over): (Vec<uuid::Uuid>, Vec<bool>) = told.iter().map(|(id, over)| (id.0, *over)).unzip();
    sqlx::query!(
        "insert into told_alerts (connection_id, channel, alert_id, over)
         select $1, $2, alert_id, over from unnest($3::uuid[], $4::boolean[]) as u (alert_id, over)
         on conflict (connection_id, channel, alert_id) do update set told_at = now(), over = excluded.over",
        connection.0,
        channel,
        &alerts,
        &over,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The message that has been due longest. It is due again a minute later, should this attempt never end.
pub async fn take(db: &mut PgConnection, connection: ConnectionId) -> Result<Option<Notification>> {
    let row = sqlx::query!(
        "with due as materialized (
             select notification_id from notifications
             where connection_id = $1 and state = 'pending' and due_at <= now()
             order by due_at limit 1 for update)
         update notifications n set attempts = n.attempts + 1, due_at = now() + interval '1 minute'
         from due where n.connection_id = $1 and n.notification_id = due.notification_id
         returning n.notification_id, n.channel, n.body, n.attempts,
                   n.created_at < now() - interval '1 day' as \"old!\"",
        connection.0,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|r| Notification {
        id: NotificationId(r.notification_id),
        channel: r.channel,
        body: r.body,
        attempts: r.attempts,
        old: r.old,
    }))
}

/// A message has arrived.
pub async fn sent(db: &mut PgConnection, connection: ConnectionId, id: NotificationId) -> Result<()> {
    sqlx::query!(
        "update notifications set state = 'sent', sent_at = now(), code = null, reason = null
         where connection_id = $1 and notification_id = $2",
        connection.0,
        id.0,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// An attempt failed; the next one comes after `wait`, or never.
pub async fn failed(
    db: &mut PgConnection,
    connection: ConnectionId,
    id: NotificationId,
    error: &Error,
    wait: Option<Duration>,
) -> Result<()> {
    sqlx::query!(
        "update notifications set code = $3, reason = $4, state = case when $5 then 'given_up' else state end,
                due_at = now() + make_interval(secs => $6)
         where connection_id = $1 and notification_id = $2",
        connection.0,
        id.0,
        error.code.info().code,
        error.message,
        wait.is_none(),
        wait.unwrap_or_default().as_secs_f64(),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Channels of which a message failed five times or was given up within a week, and none has arrived since.
pub async fn failing(db: &PgPool, connection: ConnectionId) -> Result<Vec<Failing>> {
    Ok(sqlx::query_as!(
        Failing,
        "select n.channel, count(*) as \"count!\", count(*) filter (where n.state = 'given_up') as \"given_up!\",
                (array_agg(n.code order by n.created_at desc))[1] as code,
                (array_agg(n.reason order by n.created_at desc))[1] as reason
         from notifications n
         where n.connection_id = $1 and n.created_at > now() - interval '7 days'
           and (n.state = 'given_up' or (n.state = 'pending' and n.attempts >= 5))
           and not exists (select 1 from notifications s where s.connection_id = $1
                           and s.channel = n.channel and s.state = 'sent' and s.sent_at > n.created_at
                           and s.created_at >= n.created_at)
         group by n.channel order by n.channel",
        connection.0,
    )
    .fetch_all(db)
    .await?)
}
