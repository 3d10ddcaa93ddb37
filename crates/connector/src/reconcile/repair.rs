//! Opening repairs: what differs gets a movement, and the next push writes it. Nothing is written past the log.

use sqlx::PgConnection;

use crate::code::Code;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::feed::Feed;
use crate::ids::ConnectionId;
use crate::reconcile::report::{Kind, Report};
use crate::store::jobs::{self, Job};
use crate::store::{self, connections, documents, links, outbox, reconciliations, tasks};

/// Rows written with one statement.
const AT_ONCE: usize = 1_000;
/// So many invoices may always be forgotten at once.
const FEW: u64 = 20;
/// Of more than a few, at most one of so many may be missing: a lost business unit looks like removed records.
const PART: u64 = 10;

/// What was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Opened {
    /// Movements.
    pub movements: u64,
    /// Feeds that are read in full.
    pub scans: u64,
    /// Links and known tasks that lead nowhere and were forgotten.
    pub forgotten_tasks: u64,
    /// Invoices that Oracle no longer has and that were forgotten.
    pub forgotten_invoices: u64,
    /// Differences that are left to a person.
    pub left: u64,
}

/// Opens the repairs of everything that the connector can put right, in one transaction; the jobs that do it are
/// due then. Refused while a job of the connection that reads or writes is at work, and when the settings were
/// changed since the comparison.
pub async fn open(engine: &Engine, connection: ConnectionId, report: &mut Report) -> Result<Opened> {
    let mut repairs = Repairs::collect(report)?;
    let stored = documents::count(&engine.db, connection).await?;
    let invoices = stored.get(Feed::Invoices.as_str()).copied().unwrap_or_default();
    if !may_forget(repairs.invoices.len() as u64, invoices.unsigned_abs()) {
        tracing::warn!(%connection, missing = repairs.invoices.len(), code = Code::ReconcileManyRemoved.info().code,
            "too many invoices are missing in Oracle to forget them");
        repairs.opened.left += repairs.invoices.len() as u64;
        repairs.invoices.clear();
    }
    let mut tx = store::begin(&engine.db).await?;
    let version = connections::settings_version(&mut tx, connection).await?;
    if version != report.settings_version {
        return Err(Error::new(
            Code::LeaseBusy,
            "the settings were changed while both systems were compared",
        ));
    }
    let busy = [Job::Poll(Feed::PurchaseOrders), Job::Poll(Feed::Invoices), Job::Push];
    if jobs::any_running(&mut tx, connection, &busy).await? {
        return Err(Error::new(Code::LeaseBusy, "the connection is being polled or pushed now"));
    }
    repairs.write(&mut tx, connection, &report.stale).await?;
    tx.commit().await?;
    Ok(repairs.opened)
}

/// Whether so many missing invoices may be believed to be removed.
fn may_forget(missing: u64, stored: u64) -> bool {
    missing <= FEW || missing.saturating_mul(PART) <= stored
}

#[derive(Debug, Default)]
struct Repairs {
    records: Vec<(String, String)>,
    invoices: Vec<String>,
    scans: Vec<Feed>,
    opened: Opened,
}

impl Repairs {
    fn collect(report: &mut Report) -> Result<Repairs> {
        let mut repairs = Repairs::default();
        for place in 0..report.len() {
            let Some(difference) = report.difference(place)? else { continue };
            let feed = Feed::ALL.into_iter().find(|feed| feed.as_str() == difference.feed);
            match (difference.kind, feed) {
                (Kind::ValueDiffers | Kind::TaskMissing | Kind::LinkNowhere, Some(_))
                    if difference.code.is_none() =>
                {
                    repairs.records.push((difference.feed, difference.source_id));
                }
                (Kind::DocumentOld, Some(feed)) => {
                    if !repairs.scans.contains(&feed) {
                        repairs.scans.push(feed);
                    }
                }
                (Kind::RecordRemoved, Some(Feed::Invoices)) => repairs.invoices.push(difference.source_id),
                (Kind::Held | Kind::TaskMissing, Some(_)) => {
                    if difference.explained.is_none() {
                        // so that the log says why
                        repairs.records.push((difference.feed, difference.source_id));
                    }
                    repairs.opened.left += 1;
                }
                _ => repairs.opened.left += 1,
            }
        }
        repairs.records.sort();
        repairs.records.dedup();
        Ok(repairs)
    }

    async fn write(
        &mut self,
        db: &mut PgConnection,
        connection: ConnectionId,
        stale: &[String],
    ) -> Result<()> {
        // what was listed may be newer than what is known; the push lists everything anew before it plans
        tasks::forget_listings(db, connection).await?;
        for gone in stale.chunks(AT_ONCE) {
            links::mark_gone(db, connection, gone).await?;
            self.opened.forgotten_tasks += gone.len() as u64;
        }
        for invoices in self.invoices.chunks(AT_ONCE) {
            self.opened.movements += reconciliations::forget_invoices(db, connection, invoices).await?;
            self.opened.forgotten_invoices += invoices.len() as u64;
        }
        for records in self.records.chunks(AT_ONCE) {
            self.opened.movements += reconciliations::open_movements(db, connection, records).await?;
        }
        outbox::look_again_at_held(db, connection, std::time::Duration::ZERO).await?;
        for feed in &self.scans {
            reconciliations::ask_for_scan(db, connection, *feed).await?;
            jobs::ask_for(&mut *db, connection, &[Job::Poll(*feed)]).await?;
            self.opened.scans += 1;
        }
        jobs::ask_for(&mut *db, connection, &[Job::Push]).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_may_be_forgotten_but_not_a_large_part() {
        assert!(may_forget(0, 0) && may_forget(20, 20) && may_forget(21, 210));
        assert!(!may_forget(21, 209) && !may_forget(u64::MAX, 1_000));
    }
}
