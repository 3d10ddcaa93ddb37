//! Oracle's records against the stored documents.

use std::collections::HashSet;

use jiff::Timestamp;
use oracle_fusion::{RawValue, RowKey};

use crate::code::Code;
use crate::dry_run::gather::Records;
use crate::engine::Engine;
use crate::error::Result;
use crate::feed::Feed;
use crate::feed::prepare::short_digest;
use crate::ids::ConnectionId;
use crate::reconcile::report::{Difference, Kind, Report};
use crate::store::feeds::{self, FeedState, Mode};
use crate::store::reconciliations::{self, StoredId};

/// Rows asked of the database at once.
const AT_ONCE: usize = 1_000;

/// What is known when the records are compared.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading<'a> {
    /// When reading began, by the database's clock: what was stored since may be newer than what was read.
    pub(super) started: Timestamp,
    /// Orders that have a task.
    pub(super) shown: &'a HashSet<String>,
}

/// What was found of a feed's records.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Stored records that Oracle does not show.
    pub(super) absent: HashSet<(Feed, String)>,
    /// Records that changed in Oracle since the last poll, or were stored while both sides were read.
    pub(super) moving: HashSet<String>,
}

/// Finds documents that are older than Oracle's record, and those whose record is gone. An order that is gone and
/// has no task is no difference: nothing in Asana shows it.
pub(super) async fn compare(
    engine: &Engine,
    connection: ConnectionId,
    feed: Feed,
    records: &mut Records,
    since: Reading<'_>,
    report: &mut Report,
) -> Result<Found> {
    let mut found = Found::default();
    let state = feeds::load(&engine.db, connection, feed).await?;
    let ids = records.ids();
    report.records += ids.len() as u64;
    for chunk in ids.chunks(AT_ONCE) {
        let mut db = engine.db.acquire().await?;
        let stored = reconciliations::digests(&mut db, connection, feed, chunk, since.started).await?;
        drop(db);
        for id in chunk {
            let body = records.body(id)?.unwrap_or_default();
            let (digest, is_new) = stored.get(id).map_or((None, false), |(digest, new)| (Some(digest), *new));
            let agrees = digest == Some(&short_digest(&body));
            let under_way = is_new || (!agrees && is_unread(&state, feed, &body));
            if under_way {
                found.moving.insert(id.clone());
            }
            if agrees {
                continue;
            }
            let reason = match digest {
                Some(_) => "the stored document is older than Oracle's record",
                None => "the record was never stored",
            };
            report.add(&Difference {
                feed: feed.as_str().to_owned(),
                source_id: id.clone(),
                reason: Some(reason.to_owned()),
                under_way,
                ..Difference::of(Kind::DocumentOld)
            })?;
        }
    }
    let mut after = String::new();
    loop {
        let limit = AT_ONCE as i64;
        let page = reconciliations::stored_before(&engine.db, connection, feed, since.started, &after, limit)
            .await?;
        let Some((last, _)) = page.last() else { return Ok(found) };
        after.clone_from(&last.source_id);
        for (stored, is_older) in page {
            if is_older && !records.has(&stored.source_id) {
                if feed == Feed::Invoices || since.shown.contains(&stored.source_id) {
                    report.add(&removed(feed, &stored))?;
                }
                found.absent.insert((feed, stored.source_id));
            }
        }
    }
}

/// Whether the next poll reads a record by itself: it changed after what was read last, or each poll reads everything.
fn is_unread(state: &FeedState, feed: Feed, body: &str) -> bool {
    let (Some(Mode::ByLastUpdate), Some(watermark)) = (state.mode, state.watermark) else { return true };
    let raw = serde_json::from_str::<&RawValue>(body).ok();
    let key = raw.and_then(|raw| RowKey::read(feed.resource(), raw).ok());
    key.and_then(|key| key.last_update).is_some_and(|changed| changed > watermark)
}

fn removed(feed: Feed, stored: &StoredId) -> Difference {
    let numbers: Vec<&str> = stored.order_number.as_deref().unwrap_or_default().lines().collect();
    let difference = Difference {
        feed: feed.as_str().to_owned(),
        source_id: stored.source_id.clone(),
        order_number: numbers.join(", "),
        ..Difference::of(Kind::RecordRemoved)
    };
    difference.because(Code::ReconcileRemoved, "Oracle no longer shows the record")
}
