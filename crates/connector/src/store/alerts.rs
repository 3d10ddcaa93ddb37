//! Alerts: opened once per cause, kept when they are closed.

use jiff::Timestamp;
use sqlx::{PgConnection, PgPool};

use crate::alerts::{Cause, Known, Told};
use crate::error::Result;
use crate::ids::{AlertId, ConnectionId};
use crate::store::at;

/// An alert as people see it.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Alert {
    /// Its id.
    pub alert_id: AlertId,
    /// What kind of cause.
    pub kind: String,
    /// What it is about, within the kind.
    pub subject: String,
    /// The code of what went wrong, where there is one.
    pub code: Option<String>,
    /// How many things are concerned, or how often it happened in a row.
    pub count: i64,
    /// One line: what happened.
    pub title: String,
    /// What is known, and what to do.
    pub detail: String,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When the cause was last seen.
    pub seen_at: Timestamp,
    /// When the cause was gone.
    pub closed_at: Option<Timestamp>,
    /// When a person took note.
    pub acked_at: Option<Timestamp>,
    /// Who took note.
    pub acked_by: Option<String>,
    /// What that person wrote.
    pub note: Option<String>,
}

/// The connection's alerts, newest first: the open ones, or all.
pub async fn list(db: &PgPool, connection: ConnectionId, closed_too: bool, limit: i64) -> Result<Vec<Alert>> {
    let rows = sqlx::query!(
        "select alert_id, kind, subject, code, count, title, detail, opened_at, seen_at, closed_at,
                acked_at, acked_by, note
         from alerts where connection_id = $1 and ($2 or closed_at is null)
         order by opened_at desc, alert_id desc limit $3",
        connection.0,
        closed_too,
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| Alert {
            alert_id: AlertId(r.alert_id),
            kind: r.kind,
            subject: r.subject,
            code: r.code,
            count: r.count,
            title: r.title,
            detail: r.detail,
            opened_at: r.opened_at.to_jiff(),
            seen_at: r.seen_at.to_jiff(),
            closed_at: r.closed_at.map(jiff_sqlx::Timestamp::to_jiff),
            acked_at: r.acked_at.map(jiff_sqlx::Timestamp::to_jiff),
            acked_by: r.acked_by,
            note: r.note,
        })
        .collect())
}

/// A person takes note of an open alert; whether there is one of that id.
pub async fn acknowledge(
    db: &PgPool,
    connection: ConnectionId,
    alert: AlertId,
    by: Option<&str>,
    note: Option<&str>,
) -> Result<bool> {
    let noted = sqlx::query!(
        "update alerts set acked_at = now(), acked_by = $3, note = $4
         where connection_id = $1 and alert_id = $2 and closed_at is null",
        connection.0,
        alert.0,
        by,
        note,
    )
    .execute(db)
    .await?;
    Ok(noted.rows_affected() == 1)
}

/// The open alerts, locked until the transaction ends.
pub async fn open(db: &mut PgConnection, connection: ConnectionId) -> Result<Vec<Known>> {
    let rows = sqlx::query!(
        "select alert_id, kind, subject from alerts where connection_id = $1 and closed_at is null
         order by alert_id for update",
        connection.0
    )
    .fetch_all(db)
    .await?;
    let known = |kind, subject, id| Known { id: AlertId(id), kind, subject };
    Ok(rows.into_iter().map(|r| known(r.kind, r.subject, r.alert_id)).collect())
}

/// Of what has a moment of its own, the newest moment that was told.
pub async fn told(db: &mut PgConnection, connection: ConnectionId) -> Result<Vec<Told>> {
    let rows = sqlx::query!(
        "select kind, subject, max(event_at) as \"event_at!\" from alerts
         where connection_id = $1 and event_at is not null group by kind, subject",
        connection.0
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| Told { kind: r.kind, subject: r.subject, event_at: r.event_at.to_jiff() })
        .collect())
}

/// Opens an alert, closed at once when its cause is over; nothing when one is open for the same cause.
pub async fn insert(db: &mut PgConnection, connection: ConnectionId, cause: &Cause) -> Result<()> {
    sqlx::query!(
        "insert into alerts (connection_id, alert_id, kind, subject, code, count, title, detail, event_at, closed_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, case when $10 then now() end)
         on conflict (connection_id, kind, subject) where closed_at is null do nothing",
        connection.0,
        AlertId::new().0,
        cause.kind.as_str(),
        cause.subject,
        cause.code,
        cause.count,
        cause.title,
        cause.detail,
        cause.event_at.map(at) as Option<jiff_sqlx::Timestamp>,
        cause.over,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Writes what is known of a cause now; an alert whose cause is over is closed.
pub async fn touch(
    db: &mut PgConnection,
    connection: ConnectionId,
    alert: AlertId,
    cause: &Cause,
) -> Result<()> {
    sqlx::query!(
        "update alerts set code = $3, count = $4, title = $5, detail = $6, event_at = $7, seen_at = now(),
                closed_at = case when $8 then now() end
         where connection_id = $1 and alert_id = $2",
        connection.0,
        alert.0,
        cause.code,
        cause.count,
        cause.title,
        cause.detail,
        cause.event_at.map(at) as Option<jiff_sqlx::Timestamp>,
        cause.over,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Closes alerts whose causes are gone.
pub async fn close(db: &mut PgConnection, connection: ConnectionId, alerts: &[AlertId]) -> Result<()> {
    let ids: Vec<uuid::Uuid> = alerts.iter().map(|id| id.0).collect();
    sqlx::query!(
        "update alerts set closed_at = now() where connection_id = $1 and alert_id = any($2)",
        connection.0,
        &ids,
    )
    .execute(db)
    .await?;
    Ok(())
}
