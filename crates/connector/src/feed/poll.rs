//! Reading a feed from Oracle, page by page: each page is one transaction that stores the documents,
//! opens their movements and moves the watermark.

use jiff::{SignedDuration, Timestamp};
use oracle_fusion::keyset::{Keyset, KeysetError};
use oracle_fusion::{ErrorKind, Limit, Page};

use crate::code::Code;
use crate::engine::{Clients, Engine};
use crate::error::{Error, Result};
use crate::feed::Feed;
use crate::feed::prepare::prepare;
use crate::store::documents::{self, Incoming, Stored};
use crate::store::feeds::{self, FeedState, Mode};
use crate::store::jobs::{self, Lease};
use crate::trouble;

/// The attribute that polling depends on.
const LAST_UPDATE: &str = "LastUpdateDate";
/// Pages of one poll; what is left is read by the next, which starts at once.
const MAX_PAGES: u64 = 2_000;

/// What a poll did.
#[derive(Debug, Clone, Copy, Default, serde::Serialize)]
pub struct PollReport {
    /// Pages read.
    pub pages: u64,
    /// Rows read, rows seen before in the same poll not counted.
    pub rows: u64,
    /// Documents written and movements opened.
    #[serde(flatten)]
    pub stored: Stored,
    /// Whether the feed was read to its end.
    pub complete: bool,
}

/// Which mark moves with the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Watermark,
    Scan,
}

/// A page's rows, ready to be stored, and the question for the next page.
struct Ready {
    rows: Vec<Incoming>,
    last: Option<(String, Option<Timestamp>)>,
    next: Option<oracle_fusion::Query>,
}

/// Reads what has changed in a feed since its watermark, and everything when a full scan is due.
pub async fn run(engine: &Engine, clients: &Clients, lease: &Lease, feed: Feed) -> Result<PollReport> {
    let poll = Poll { engine, clients, lease, feed };
    let state = feeds::load(&engine.db, lease.connection, feed).await?;
    let mode = match state.mode {
        Some(mode) => mode,
        None => poll.discover_mode().await?,
    };
    let mut report = PollReport { complete: true, ..PollReport::default() };
    if mode == Mode::ByLastUpdate {
        poll.read(Keyset::by_last_update(poll.from(&state)), Mark::Watermark, &mut report).await?;
        let mut tx = engine.db.begin().await?;
        jobs::hold(&mut tx, lease).await?;
        feeds::set_unfinished(&mut tx, lease.connection, feed, !report.complete).await?;
        tx.commit().await?;
    }
    let scan = poll.full_scan_is_due(mode, &state);
    if report.complete && scan {
        poll.read(Keyset::by_id(state.scan_after.clone()), Mark::Scan, &mut report).await?;
    }
    if report.complete && (scan || state.watermark.is_none()) {
        let mut tx = engine.db.begin().await?;
        jobs::hold(&mut tx, lease).await?;
        feeds::finish_scan(&mut tx, lease.connection, feed).await?;
        tx.commit().await?;
    }
    Ok(report)
}

struct Poll<'a> {
    engine: &'a Engine,
    clients: &'a Clients,
    lease: &'a Lease,
    feed: Feed,
}

impl Poll<'_> {
    /// Where a poll begins: an overlap before the watermark, for records that were committed late. One
    /// that goes on where another ended needs none, and must not read the same stretch for ever.
    fn from(&self, state: &FeedState) -> Option<Timestamp> {
        let minutes = self.clients.connection.settings.schedule.overlap_minutes;
        let overlap = SignedDuration::from_mins(if state.unfinished { 0 } else { i64::from(minutes) });
        state.watermark.map(|watermark| watermark - overlap)
    }

    /// Asks the pod whether the feed can be filtered by its change date, and tries it: what is said to
    /// be queryable may still not be sortable.
    async fn discover_mode(&self) -> Result<Mode> {
        let described = self.clients.fusion.describe(self.feed.resource()).await.map_err(trouble::oracle)?;
        let mut mode = Mode::FullScan;
        if described.is_queryable(LAST_UPDATE) {
            let probe =
                Keyset::by_last_update(Some(Timestamp::UNIX_EPOCH)).query(self.feed.resource(), Limit::ONE);
            mode = match self.clients.fusion.page(&probe).await {
                Ok(_) => Mode::ByLastUpdate,
                Err(error) if error.kind() == ErrorKind::BadRequest => Mode::FullScan,
                Err(error) => return Err(trouble::oracle(error)),
            };
        }
        feeds::set_mode(&self.engine.db, self.lease.connection, self.feed, mode).await?;
        Ok(mode)
    }

    /// A full scan runs when the pod has no other way, when one broke off, and on its own schedule.
    /// The first poll of a feed reads everything anyway.
    fn full_scan_is_due(&self, mode: Mode, state: &FeedState) -> bool {
        if mode == Mode::FullScan || state.scan_after.is_some() {
            return true;
        }
        let every = self.clients.connection.settings.schedule.full_scan_hours;
        let is_old = |scanned: Timestamp| {
            Timestamp::now().duration_since(scanned) >= SignedDuration::from_hours(i64::from(every))
        };
        every > 0 && state.watermark.is_some() && state.scanned_at.is_none_or(is_old)
    }

    /// Reads to the end; while one page is being stored, the next is fetched and read.
    async fn read(&self, mut keyset: Keyset, mark: Mark, report: &mut PollReport) -> Result<()> {
        let limit = Limit::clamped(self.clients.connection.settings.oracle.page_size.into());
        let first = keyset.query(self.feed.resource(), limit).expanded();
        let mut ready = self.fetch(&mut keyset, first, limit).await?;
        loop {
            report.pages += 1;
            report.rows += ready.rows.len() as u64;
            let more = ready.next.is_some();
            let next = if report.pages < MAX_PAGES { ready.next.take() } else { None };
            report.complete = !more;
            let ahead = async {
                match next {
                    Some(query) => self.fetch(&mut keyset, query, limit).await.map(Some),
                    None => Ok(None),
                }
            };
            let (stored, fetched) = tokio::join!(self.store(&ready, mark), ahead);
            let stored = stored?;
            report.stored.written += stored.written;
            report.stored.changed += stored.changed;
            match fetched? {
                Some(page) => ready = page,
                None => return Ok(()),
            }
        }
    }

    async fn fetch(&self, keyset: &mut Keyset, query: oracle_fusion::Query, limit: Limit) -> Result<Ready> {
        let resource = self.feed.resource();
        let page: Page = self.clients.fusion.page(&query).await.map_err(trouble::oracle)?;
        let keys = page.keys(resource).map_err(trouble::record)?;
        let step = keyset.accept(&keys, page.has_more).map_err(|e| self.lost_its_way(e))?;
        let mut items: Vec<Option<_>> = page.items.into_iter().map(Some).collect();
        let mut whole = Vec::with_capacity(step.fresh.len());
        for index in step.fresh {
            let (Some(raw), Some(key)) = (items.get_mut(index).and_then(Option::take), keys.get(index))
            else {
                continue;
            };
            let raw = self.clients.fusion.complete(raw, resource).await.map_err(trouble::oracle)?;
            whole.push((key.clone(), raw));
        }
        // on a thread of its own, so that the page before is stored meanwhile
        let (feed, layout) = (self.feed, self.clients.connection.settings.routing.account.clone());
        let rows = tokio::task::spawn_blocking(move || {
            whole.into_iter().map(|(key, raw)| prepare(feed, &key, raw, &layout)).collect()
        })
        .await
        .map_err(|e| Error::new(Code::RecordUnreadable, "a page could not be prepared").because(e))?;
        let next = (!step.done).then(|| keyset.query(resource, limit).expanded());
        let last = keyset.last().map(|key| (key.id.clone(), key.last_update));
        Ok(Ready { rows, last, next })
    }

    fn lost_its_way(&self, error: KeysetError) -> Error {
        let code = match error {
            KeysetError::NoDate { .. } | KeysetError::BadId { .. } => Code::RecordUnreadable,
            _ => Code::OraclePageRepeats,
        };
        Error::new(code, format!("{}: {error}", self.feed.as_str())).because(error)
    }

    async fn store(&self, ready: &Ready, mark: Mark) -> Result<Stored> {
        let connection = self.lease.connection;
        let mut tx = self.engine.db.begin().await?;
        jobs::hold(&mut tx, self.lease).await?;
        let stored = documents::store_page(&mut tx, connection, self.feed, &ready.rows).await?;
        match (mark, &ready.last) {
            (Mark::Watermark, Some((id, Some(last_update)))) => {
                feeds::advance_watermark(&mut tx, connection, self.feed, (*last_update, id)).await?;
            }
            (Mark::Scan, Some((id, _))) => {
                feeds::advance_scan(&mut tx, connection, self.feed, Some(id)).await?
            }
            _ => {}
        }
        tx.commit().await?;
        Ok(stored)
    }
}
