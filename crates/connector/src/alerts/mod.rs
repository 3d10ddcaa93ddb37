//! Alerts: what a person must know, opened once per cause, and closed by itself when the cause is gone.
//!
//! Nothing is told at the moment it happens. A job reads every few seconds from the rows what is wrong, and compares
//! it with the open alerts: a kill at any point loses nothing. What has a moment of its own (lost webhooks) is derived
//! from rows as well, so that it is told once even when it is over before anybody looked.

pub mod cause;
mod choice;
mod drift;
mod message;
mod notify;
pub mod plan;
mod send;
pub mod settings;
mod tell;

use std::time::Duration;

use jiff::Timestamp;
use sqlx::{PgConnection, PgPool};

pub use cause::{Cause, Changes, Kind, Known, Told, compare};
pub use notify::{put_secret, test};

use crate::engine::Engine;
use crate::error::Result;
use crate::ids::{ConnectionId, NodeId};
use crate::store::jobs::{self, Job, Lease};
use crate::store::{
    self, causes, choices, connections, nodes, notifications, reconciliation_runs, reference,
};

/// How often the causes are looked at.
pub const EVERY: Duration = Duration::from_secs(30);
/// How often a node tells that it lives.
pub const BEAT_EVERY: Duration = Duration::from_secs(10);
/// So many differences are named in an alert.
const EXAMPLES: i64 = 10;
/// Alerts about nodes belong to no connection.
pub const NODES: ConnectionId = ConnectionId(uuid::Uuid::nil());

/// What a look at the causes changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct AlertsReport {
    /// Alerts opened.
    pub opened: usize,
    /// Alerts whose cause lasts.
    pub lasting: usize,
    /// Alerts closed.
    pub closed: usize,
    /// Messages about alerts that arrived.
    pub sent: usize,
}

/// Looks at a connection's causes and opens, updates and closes its alerts.
pub async fn run(engine: &Engine, lease: &Lease) -> Result<AlertsReport> {
    // settings that cannot be read are told by the jobs that need them
    let connection = connections::load(&engine.db, lease.connection).await.ok();
    let causes = of_connection(&engine.db, lease.connection, connection.as_ref()).await?;
    let mut tx = store::begin(&engine.db).await?;
    jobs::hold(&mut tx, lease).await?;
    let mut report = reconcile(&mut tx, lease.connection, causes).await?;
    if let Some(connection) = &connection {
        notify::write_down(&mut tx, connection).await?;
    }
    tx.commit().await?;
    if connection.is_some() {
        report.sent = notify::send_due(engine, lease).await?;
    }
    Ok(report)
}

async fn of_connection(
    db: &PgPool,
    connection: ConnectionId,
    loaded: Option<&connections::Connection>,
) -> Result<Vec<Cause>> {
    let poll_every = loaded.map(|loaded| loaded.settings.schedule.poll_every());
    let mut found = tell::movements(&causes::movements(db, connection).await?);
    found.extend(tell::movements(causes::deviating(db, connection).await?.as_slice()));
    found.extend(tell::completions(&causes::completions(db, connection).await?));
    found.extend(tell::journals(&causes::journals(db, connection).await?));
    let mut jobs = causes::jobs(db, connection).await?;
    if loaded.is_some_and(|loaded| loaded.settings.journal.is_none()) {
        // nothing is watched and no journal is driven: what these jobs once failed for concerns nobody any more
        jobs.retain(|facts| Job::WAY_BACK.iter().all(|job| job.as_str() != facts.job));
    } else {
        found.extend(causes::webhooks(db, connection).await?.map(|lost| tell::webhooks(&lost)));
    }
    found.extend(tell::jobs(&jobs, poll_every));
    found.extend(drift(db, connection).await?);
    found.extend(tell::channels(&notifications::failing(db, connection).await?));
    if let Some(loaded) = loaded {
        let today = Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
        found.extend(tell::expiries(&loaded.settings, today));
        found.extend(tell::options(&reference::kept(db, connection).await?, &loaded.settings));
        found.extend(choice::all(&choices::counted(db, connection).await?, &loaded.settings));
    }
    Ok(found)
}

/// What the last reconciliation left to a person.
async fn drift(db: &PgPool, connection: ConnectionId) -> Result<Option<Cause>> {
    let newest = reconciliation_runs::newest(db, connection, 1).await?;
    let Some(run) = newest.into_iter().find(|run| run.remaining() > 0) else { return Ok(None) };
    let kept = reconciliation_runs::differences(db, connection, run.run_id, EXAMPLES).await?;
    Ok(Some(drift::left(&run, &kept)))
}

/// Tells that a node lives and what its clock shows, and looks at all nodes.
pub async fn beat(db: &PgPool, node: NodeId, host: &str, clock: Timestamp) -> Result<AlertsReport> {
    nodes::beat(db, node, host, clock).await?;
    let found = tell::nodes(&nodes::all(db).await?);
    let mut tx = store::begin(db).await?;
    let report = reconcile(&mut tx, NODES, found).await?;
    tx.commit().await?;
    Ok(report)
}

async fn reconcile(
    db: &mut PgConnection,
    connection: ConnectionId,
    causes: Vec<Cause>,
) -> Result<AlertsReport> {
    let open = store::alerts::open(db, connection).await?;
    let told = store::alerts::told(db, connection).await?;
    let changes = compare(causes, &open, &told);
    for cause in &changes.open {
        tracing::warn!(%connection, kind = cause.kind.as_str(), subject = cause.subject, title = cause.title, "alert");
        store::alerts::insert(db, connection, cause).await?;
    }
    for (alert, cause) in &changes.touch {
        store::alerts::touch(db, connection, *alert, cause).await?;
    }
    if !changes.close.is_empty() {
        store::alerts::close(db, connection, &changes.close).await?;
    }
    let over = changes.touch.iter().filter(|(_, cause)| cause.over).count();
    Ok(AlertsReport {
        opened: changes.open.len(),
        lasting: changes.touch.len() - over,
        closed: changes.close.len() + over,
        sent: 0,
    })
}
