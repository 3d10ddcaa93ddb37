//! Oracle's records against the stored documents.

use std::collections::HashSet;

use jiff::Timestamp;

use crate::code::Code;
use crate::dry_run::gather::Records;
use crate::engine::Engine;
use crate::error::Result;
use crate::feed::Feed;
use crate::feed::prepare::short_digest;
use crate::ids::ConnectionId;
use crate::reconcile::report::{Difference, Kind, Report};
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

/// Finds documents that are older than Oracle's record, and those whose record is gone. An order that is gone and
/// has no task is no difference: nothing in Asana shows it.
pub(super) async fn compare(
    engine: &Engine,
    connection: ConnectionId,
    feed: Feed,
    records: &mut Records,
    since: Reading<'_>,
    report: &mut Report,
) -> Result<HashSet<(Feed, String)>> {
    let ids = records.ids();
    report.records += ids.len() as u64;
    for chunk in ids.chunks(AT_ONCE) {
        let mut db = engine.db.acquire().await?;
        let stored = reconciliations::digests(&mut db, connection, feed, chunk).await?;
        drop(db);
        for id in chunk {
            let now = short_digest(&records.body(id)?.unwrap_or_default());
            let reason = match stored.get(id) {
                Some(digest) if *digest == now => continue,
                Some(_) => "the stored document is older than Oracle's record",
                None => "the record was never stored",
            };
            report.add(&Difference {
                feed: feed.as_str().to_owned(),
                source_id: id.clone(),
                reason: Some(reason.to_owned()),
                ..Difference::of(Kind::DocumentOld)
            })?;
        }
    }
    let mut absent = HashSet::new();
    let mut after = String::new();
    loop {
        let limit = AT_ONCE as i64;
        let page = reconciliations::stored_before(&engine.db, connection, feed, since.started, &after, limit)
            .await?;
        let Some((last, _)) = page.last() else { return Ok(absent) };
        after.clone_from(&last.source_id);
        for (stored, is_older) in page {
            if is_older && !records.has(&stored.source_id) {
                if feed == Feed::Invoices || since.shown.contains(&stored.source_id) {
                    report.add(&removed(feed, &stored))?;
                }
                absent.insert((feed, stored.source_id));
            }
        }
    }
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
