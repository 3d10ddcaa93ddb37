//! Opening repairs: what differs gets a movement, and the next push writes it. Nothing is written past the log.

use std::time::Duration;

use sqlx::PgConnection;

use crate::error::Result;
use crate::feed::Feed;
use crate::ids::ConnectionId;
use crate::reconcile::fate::{Removed, Repair};
use crate::reconcile::report::Difference;
use crate::store::jobs::{self, Job};
use crate::store::{links, outbox, reconciliations, tasks};

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
    /// Feeds that are polled, since records changed after the last poll.
    pub polls: u64,
    /// Links and known tasks that lead nowhere and were forgotten.
    pub forgotten_tasks: u64,
    /// Invoices that Oracle no longer has and that were forgotten.
    pub forgotten_invoices: u64,
    /// Differences that are left to a person.
    pub left: u64,
}

/// Whether so many missing invoices may be believed to be removed.
pub(super) fn believe(missing: u64, stored: u64) -> Removed {
    if missing <= FEW || missing.saturating_mul(PART) <= stored {
        Removed::Believed
    } else {
        Removed::Doubted
    }
}

/// What is to be put right.
#[derive(Debug, Default)]
pub(super) struct Repairs {
    records: Vec<(String, String)>,
    invoices: Vec<String>,
    scans: Vec<Feed>,
    polls: Vec<Feed>,
    /// Differences that are left to a person.
    left: u64,
}

impl Repairs {
    /// Adds what can be done about a difference.
    pub(super) fn add(&mut self, difference: &Difference, repair: Option<Repair>, removed: Removed) {
        let record = || (difference.feed.clone(), difference.source_id.clone());
        match repair {
            Some(Repair::Move) => self.records.push(record()),
            Some(Repair::Explain) => {
                self.records.push(record());
                self.left += 1;
            }
            Some(Repair::Poll(feed)) => once(&mut self.polls, feed),
            Some(Repair::Scan(feed)) => once(&mut self.scans, feed),
            Some(Repair::Forget) if removed == Removed::Believed => {
                self.invoices.push(difference.source_id.clone());
            }
            Some(Repair::Forget) | None => self.left += 1,
        }
    }

    /// Opens everything within a transaction; the jobs that do it are due then. `stale` are known tasks that are not
    /// there any more.
    pub(super) async fn open(
        mut self,
        db: &mut PgConnection,
        connection: ConnectionId,
        stale: &[String],
    ) -> Result<Opened> {
        let mut opened = Opened { left: self.left, ..Opened::default() };
        for feed in
            Feed::ALL.into_iter().filter(|feed| self.scans.contains(feed) || self.polls.contains(feed))
        {
            jobs::ask_for(&mut *db, connection, &[Job::Poll(feed)]).await?;
        }
        opened.polls = self.polls.iter().filter(|feed| !self.scans.contains(feed)).count() as u64;
        let is_needed = !(self.records.is_empty() && self.invoices.is_empty() && self.scans.is_empty());
        if !is_needed && stale.is_empty() && self.left == 0 {
            return Ok(opened);
        }
        // what was listed may be newer than what is known; the push lists everything anew before it plans
        tasks::forget_listings(db, connection).await?;
        for gone in stale.chunks(AT_ONCE) {
            links::mark_gone(db, connection, gone).await?;
            opened.forgotten_tasks += gone.len() as u64;
        }
        for invoices in self.invoices.chunks(AT_ONCE) {
            opened.movements += reconciliations::forget_invoices(db, connection, invoices).await?;
            opened.forgotten_invoices += invoices.len() as u64;
        }
        self.records.sort();
        self.records.dedup();
        for records in self.records.chunks(AT_ONCE) {
            opened.movements += reconciliations::open_movements(db, connection, records).await?;
        }
        outbox::look_again_at_held(db, connection, Duration::ZERO).await?;
        for feed in &self.scans {
            reconciliations::ask_for_scan(db, connection, *feed).await?;
            opened.scans += 1;
        }
        jobs::ask_for(&mut *db, connection, &[Job::Push]).await?;
        Ok(opened)
    }
}

fn once(feeds: &mut Vec<Feed>, feed: Feed) {
    if !feeds.contains(&feed) {
        feeds.push(feed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_may_be_forgotten_but_not_a_large_part() {
        for (missing, stored) in [(0, 0), (20, 20), (21, 210)] {
            assert_eq!(believe(missing, stored), Removed::Believed);
        }
        for (missing, stored) in [(21, 209), (u64::MAX, 1_000)] {
            assert_eq!(believe(missing, stored), Removed::Doubted);
        }
    }
}
