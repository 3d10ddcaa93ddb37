//! Reading a feed from Oracle, page by page: each page is one transaction that stores the documents,
//! opens their movements and moves the watermark.

use std::sync::Arc;

use futures_util::stream::FuturesOrdered;
use futures_util::{FutureExt, StreamExt};
use jiff::{SignedDuration, Timestamp};
use oracle_fusion::keyset::{Keyset, KeysetError};
use oracle_fusion::{ErrorKind, Limit, Page, Placed};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::code::Code;
use crate::engine::{Clients, Engine};
use crate::error::{Error, Result};
use crate::feed::Feed;
use crate::feed::prepare::{self, prepare};
use crate::store;
use crate::store::documents::{self, Incoming, Reading, Stored};
use crate::store::feeds::{self, FeedState, Mode};
use crate::store::jobs::{self, Lease};
use crate::trouble;

/// The attribute that polling depends on.
const LAST_UPDATE: &str = "LastUpdateDate";
/// An id smaller than any: a scan that has come so far is begun, and reads everything.
pub(crate) const BEFORE_ALL: &str = "0";
/// Pages of one poll; what is left is read by the next, which starts at once.
const MAX_PAGES: u64 = 2_000;
/// Prepared pages that wait to be stored; with the one that is prepared and the two that are stored, four
/// pages are in memory.
const PAGES_AHEAD: usize = 1;
/// Pages that are stored at once, each in its transaction. Storing keeps one of PostgreSQL's processes busy,
/// and a second one takes up what a first reading leaves idle.
const STORED_AT_ONCE: usize = 2;

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

/// A page's rows, ready to be stored.
struct Ready {
    rows: Vec<Incoming>,
    last: Option<(String, Option<Timestamp>)>,
    /// Whether a row without a date came although none was asked for by date: there may be more like it, which
    /// only a full scan reads.
    undated: bool,
    more: bool,
}

/// Reads what has changed in a feed since its watermark, and everything when a full scan is due.
pub async fn run(engine: &Engine, clients: &Arc<Clients>, lease: &Lease, feed: Feed) -> Result<PollReport> {
    let poll = Poll { engine, clients, lease, feed };
    let state = feeds::load(&engine.db, lease.connection, feed).await?;
    let mut mode = match state.mode {
        Some(mode) => mode,
        None => poll.discover_mode().await?,
    };
    let mut report = PollReport { complete: true, ..PollReport::default() };
    if mode == Mode::ByLastUpdate {
        let read = poll.read(Keyset::by_last_update(poll.from(&state)), Mark::Watermark, &mut report).await;
        mode = poll.still(read).await?;
    }
    if mode == Mode::ByLastUpdate {
        let mut tx = store::begin(&engine.db).await?;
        jobs::hold(&mut tx, lease).await?;
        feeds::set_unfinished(&mut tx, lease.connection, feed, !report.complete).await?;
        tx.commit().await?;
    } else {
        report.complete = true;
    }
    let scan_after = feeds::load(&engine.db, lease.connection, feed).await?.scan_after;
    let resumed = scan_after.as_deref().is_some_and(|after| after != BEFORE_ALL);
    let before_scan = report.rows;
    let scan = scan_after.is_some() || poll.full_scan_is_due(mode, &state);
    if report.complete && scan {
        poll.read(Keyset::by_id(scan_after), Mark::Scan, &mut report).await?;
    }
    if report.complete && (scan || state.watermark.is_none()) {
        let mut tx = store::begin(&engine.db).await?;
        jobs::hold(&mut tx, lease).await?;
        feeds::finish_scan(&mut tx, lease.connection, feed).await?;
        // a scan that only goes on where another ended may find nothing more
        let found = if scan { report.rows > before_scan } else { report.rows > 0 };
        if found || !resumed {
            feeds::note_whole_reading(&mut tx, lease.connection, feed, found).await?;
        }
        tx.commit().await?;
    }
    Ok(report)
}

struct Poll<'a> {
    engine: &'a Engine,
    clients: &'a Arc<Clients>,
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
        self.set_mode(Some(mode)).await?;
        Ok(mode)
    }

    /// How the feed goes on after it was read by its change date. A query that the pod now refuses may have
    /// worked before: an update can take the attribute's filter away.
    async fn still(&self, read: Result<()>) -> Result<Mode> {
        let Err(refused) = read else { return Ok(Mode::ByLastUpdate) };
        let client = std::error::Error::source(&refused).and_then(|source| source.downcast_ref());
        if client.map(oracle_fusion::Error::kind) != Some(ErrorKind::BadRequest) {
            return Err(refused);
        }
        self.set_mode(None).await?;
        match self.discover_mode().await? {
            Mode::ByLastUpdate => Err(refused),
            Mode::FullScan => Ok(Mode::FullScan),
        }
    }

    async fn set_mode(&self, mode: Option<Mode>) -> Result<()> {
        let mut tx = store::begin(&self.engine.db).await?;
        jobs::hold(&mut tx, self.lease).await?;
        feeds::set_mode(&mut tx, self.lease.connection, self.feed, mode).await?;
        tx.commit().await?;
        Ok(())
    }

    /// A full scan runs when the pod has no other way, and on its own schedule; besides, when one was begun.
    /// The first poll of a feed reads everything that has a date anyway.
    fn full_scan_is_due(&self, mode: Mode, state: &FeedState) -> bool {
        if mode == Mode::FullScan {
            return true;
        }
        let every = self.clients.connection.settings.schedule.full_scan_hours;
        let is_old = |scanned: Timestamp| {
            Timestamp::now().duration_since(scanned) >= SignedDuration::from_hours(i64::from(every))
        };
        every > 0 && state.watermark.is_some() && state.scanned_at.is_none_or(is_old)
    }

    /// Reads to the end. A task of its own fetches and prepares pages ahead, so that parsing never holds
    /// up the statements that store the page before.
    async fn read(&self, keyset: Keyset, mark: Mark, report: &mut PollReport) -> Result<()> {
        let (pages, ready) = mpsc::channel(PAGES_AHEAD);
        let reader = Reader { clients: self.clients.clone(), feed: self.feed, pages };
        // ends with this function, however that ends
        let mut ahead = JoinSet::new();
        ahead.spawn(reader.read_all(keyset, MAX_PAGES.saturating_sub(report.pages).max(1)));
        self.store_all(ready, mark, report).await?;
        match ahead.join_next().await {
            Some(Ok(read)) => read,
            Some(Err(error)) => {
                Err(Error::new(Code::RecordUnreadable, "the pages could not be read").because(error))
            }
            None => Ok(()),
        }
    }

    /// Stores pages as they come, two at once while all they bring is new; they are committed in their order.
    async fn store_all(
        &self,
        mut ready: mpsc::Receiver<Ready>,
        mark: Mark,
        report: &mut PollReport,
    ) -> Result<()> {
        let mut reading = Reading::begin(&self.engine.db, self.lease.connection, self.feed).await?;
        let turn = watch::Sender::new(Turn::default());
        let mut storing = FuturesOrdered::new();
        let (mut place, mut ended) = (0, false);
        while !(ended && storing.is_empty()) {
            tokio::select! {
                page = ready.recv(), if !ended && storing.len() < STORED_AT_ONCE => match page {
                    Some(page) => {
                        let known = reading.may_be_stored(&page.rows);
                        storing.push_back(self.store(page, known, mark, place, &turn).boxed());
                        place += 1;
                    }
                    None => ended = true,
                },
                Some(page) = storing.next() => {
                    let (page, counts) = page?;
                    report.pages += 1;
                    report.rows += page.rows.len() as u64;
                    report.complete = !page.more;
                    report.stored.written += counts.written;
                    report.stored.changed += counts.changed;
                }
            }
        }
        Ok(())
    }

    /// Stores the page that came at `place`. Its transaction begins and ends after that of the page before;
    /// what may be stored already is looked up only when that one is committed.
    async fn store(
        &self,
        page: Ready,
        known: Vec<String>,
        mark: Mark,
        place: usize,
        turn: &watch::Sender<Turn>,
    ) -> Result<(Ready, Stored)> {
        let mut before = turn.subscribe();
        let gone = |_| Error::new(Code::LeaseLost, "the pages before were not stored");
        let may_begin = |turn: &Turn| if known.is_empty() { turn.begun } else { turn.committed };
        before.wait_for(|turn| may_begin(turn) >= place).await.map_err(gone)?;
        let mut tx = store::begin(&self.engine.db).await?;
        turn.send_modify(|turn| turn.begun = place + 1);
        let connection = self.lease.connection;
        let stored = documents::store_page(&mut tx, connection, self.feed, &known, &page.rows).await?;
        before.wait_for(|turn| turn.committed >= place).await.map_err(gone)?;
        // last, since it holds up the page behind: whoever has lost the lease commits nothing
        jobs::hold(&mut tx, self.lease).await?;
        if mark == Mark::Watermark && page.undated {
            feeds::advance_scan(&mut tx, connection, self.feed, Some(BEFORE_ALL)).await?;
        }
        match (mark, &page.last) {
            (Mark::Watermark, Some((id, Some(last_update)))) => {
                feeds::advance_watermark(&mut tx, connection, self.feed, (*last_update, id)).await?;
            }
            (Mark::Scan, Some((id, _))) => {
                feeds::advance_scan(&mut tx, connection, self.feed, Some(id)).await?
            }
            _ => {}
        }
        tx.commit().await?;
        turn.send_modify(|turn| turn.committed = place + 1);
        Ok((page, stored))
    }
}

/// How many pages of a reading have begun to be stored, and how many are committed. A page begins only when
/// the one before has a database connection, so that no page ever waits for one that waits for it.
#[derive(Debug, Clone, Copy, Default)]
struct Turn {
    begun: usize,
    committed: usize,
}

/// Fetches the pages of a feed one after the other and prepares them for storing.
struct Reader {
    clients: Arc<Clients>,
    feed: Feed,
    pages: mpsc::Sender<Ready>,
}

impl Reader {
    /// Reads at most so many pages; ends early when nobody stores them any more.
    async fn read_all(self, mut keyset: Keyset, at_most: u64) -> Result<()> {
        let settings = &self.clients.connection.settings;
        let limit = Limit::clamped(settings.oracle.page_size.into());
        let further = settings.further_children(self.feed);
        for _ in 0..at_most {
            let query = keyset.query(self.feed.resource(), limit).expanding(further.as_ref());
            let page = self.fetch(&mut keyset, query).await?;
            let more = page.more;
            if self.pages.send(page).await.is_err() || !more {
                break;
            }
        }
        Ok(())
    }

    async fn fetch(&self, keyset: &mut Keyset, query: oracle_fusion::Query) -> Result<Ready> {
        let resource = self.feed.resource();
        let further = self.clients.connection.settings.further_children(self.feed);
        let page: Page = self.clients.fusion.page(&query).await.map_err(trouble::oracle)?;
        let Placed { keys, at, nameless } = page.placed(resource).map_err(trouble::record)?;
        let step = keyset.accept(&keys, page.has_more).map_err(|e| self.lost_its_way(e))?;
        let mut items: Vec<Option<_>> = page.items.into_iter().map(Some).collect();
        let mut whole = Vec::with_capacity(step.fresh.len());
        let undated = query.get_filter().is_none() && keys.iter().any(|key| key.last_update.is_none());
        for raw in nameless.into_iter().filter_map(|at| items.get_mut(at).and_then(Option::take)) {
            whole.push((prepare::nameless(&raw), raw));
        }
        for index in step.fresh {
            let (Some(at), Some(key)) = (at.get(index), keys.get(index)) else { continue };
            let Some(raw) = items.get_mut(*at).and_then(Option::take) else { continue };
            let raw = self.clients.fusion.complete_with(raw, resource, further.as_ref()).await;
            let raw = raw.map_err(trouble::oracle)?;
            whole.push((key.clone(), raw));
        }
        let (feed, reading) = (self.feed, self.clients.connection.settings.reading());
        // not on the runtime's threads, which a page would keep from everything else
        let rows = tokio::task::spawn_blocking(move || {
            whole.into_iter().map(|(key, raw)| prepare(feed, &key, raw, &reading)).collect()
        })
        .await
        .map_err(|e| Error::new(Code::RecordUnreadable, "a page could not be prepared").because(e))?;
        let last = keyset.last().map(|key| (key.id.clone(), key.last_update));
        Ok(Ready { rows, last, undated, more: !step.done })
    }

    fn lost_its_way(&self, error: KeysetError) -> Error {
        let code = match error {
            KeysetError::BadId { .. } => Code::RecordUnreadable,
            _ => Code::OraclePageRepeats,
        };
        Error::new(code, format!("{}: {error}", self.feed.as_str())).because(error)
    }
}
