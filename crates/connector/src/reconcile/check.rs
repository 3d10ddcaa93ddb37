//! The comparison: read both sides, plan everything as the push would, and tell what differs.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use tokio::sync::watch;

use crate::code::Code;
use crate::dry_run::gather::{Records, Tasks};
use crate::dry_run::plan_all;
use crate::dry_run::report::{Action, Entry};
use crate::dry_run::world::{Absent, Known};
use crate::engine::{Clients, Engine};
use crate::error::Result;
use crate::feed::Feed;
use crate::ids::ConnectionId;
use crate::reconcile::records::Reading;
use crate::reconcile::report::{Difference, Kind, Report, Value};
use crate::reconcile::{books, records, sides};
use crate::store::hooks;
use crate::store::reconciliations::{self, Explanation};

/// Entries whose movements are looked up with one statement.
const AT_ONCE: usize = 200;

/// Compares both systems completely. Writes nothing anywhere. `progress` counts rows and tasks read, then records
/// planned.
pub async fn check(
    engine: &Engine,
    connection: ConnectionId,
    progress: &watch::Sender<u64>,
) -> Result<Report> {
    compare(engine, &*engine.clients(connection).await?, progress).await
}

/// As [`check`], with clients that are there already.
pub(super) async fn compare(
    engine: &Engine,
    clients: &Clients,
    progress: &watch::Sender<u64>,
) -> Result<Report> {
    let connection = clients.connection.id;
    clients.connection.settings.check_mapped()?;
    clients.forget_fields();
    let fields = clients.fields().await?;
    let started = hooks::now(&engine.db).await?;
    let read = |feed| Records::read(clients, feed, None, None, progress);
    let (orders, invoices, tasks) =
        tokio::try_join!(read(Feed::PurchaseOrders), read(Feed::Invoices), Tasks::list(clients, progress))?;
    let mut report = Report::new(clients.connection.settings_version)?;
    report.tasks = tasks.len() as u64;
    let mut known = Known { orders, invoices, tasks, links: Vec::new(), absent: Absent::default() };
    let mut found = sides::compare(engine, clients, &mut known.tasks, &mut report).await?;
    let mut moving = HashSet::new();
    let since = Reading { started, shown: &found.shown };
    for feed in Feed::ALL {
        let records = match feed {
            Feed::PurchaseOrders => &mut known.orders,
            Feed::Invoices => &mut known.invoices,
        };
        let of_feed = records::compare(engine, connection, feed, records, since, &mut report).await?;
        known.absent.records.extend(of_feed.absent);
        moving.extend(of_feed.moving.into_iter().map(|id| (feed.as_str().to_owned(), id)));
    }
    let lately = Lately { started, moving };
    report.stale = found.absent.iter().cloned().collect();
    known.absent.tasks = std::mem::take(&mut found.absent);
    let mut planned = plan_all(engine, clients, &fields, &mut known, None, progress).await?;
    let mut place = 0;
    while place < planned.len() {
        let end = planned.len().min(place + AT_ONCE);
        let mut entries = Vec::with_capacity(end - place);
        for at in place..end {
            entries.extend(planned.entry(at)?);
        }
        tell(engine, clients, &known, &lately, entries, &mut found.dead, &mut report).await?;
        place = end;
    }
    for ((order, line_id), tasks) in found.dead {
        let (feed, source_id) = record_of(&order);
        let reason = Some(format!("the link leads to {}, which does not exist", tasks.join(", ")));
        report.add(&Difference {
            feed,
            source_id,
            line_id,
            tasks,
            reason,
            ..Difference::of(Kind::LinkNowhere)
        })?;
    }
    books::compare(engine, clients, &mut report).await?;
    Ok(report)
}

/// What is no drift, since it happened just now.
struct Lately {
    /// When reading began, by the database's clock.
    started: Timestamp,
    /// Feed and id of records that changed after the last poll, or since reading began.
    moving: HashSet<(String, String)>,
}

/// Tells planned entries as differences, each with the movement that explains it: its record's own, or that of an
/// invoice that names the order.
async fn tell(
    engine: &Engine,
    clients: &Clients,
    known: &Known,
    lately: &Lately,
    entries: Vec<Entry>,
    dead: &mut BTreeMap<(String, String), Vec<String>>,
    report: &mut Report,
) -> Result<()> {
    let invoices = |entry: &Entry| -> Vec<(String, String)> {
        let named = known.invoices.named(&entry.order_number);
        named.iter().map(|id| (Feed::Invoices.as_str().to_owned(), id.clone())).collect()
    };
    let records: HashSet<(String, String)> = entries
        .iter()
        .flat_map(|entry| invoices(entry).into_iter().chain([record_of(&entry.order_id)]))
        .collect();
    let records: Vec<(String, String)> = records.into_iter().collect();
    let mut db = engine.db.acquire().await?;
    let told =
        reconciliations::explanations(&mut db, clients.connection.id, &records, lately.started).await?;
    drop(db);
    for entry in entries {
        let concerned: Vec<_> = [record_of(&entry.order_id)].into_iter().chain(invoices(&entry)).collect();
        let movements = || concerned.iter().filter_map(|record| told.get(record));
        let explained = movements().find(|movement| movement.explains());
        let under_way = movements().any(Explanation::is_under_way)
            || concerned.iter().any(|record| lately.moving.contains(record));
        let gone = match entry.action {
            Action::Update => None,
            Action::Create => dead.remove(&(entry.order_id.clone(), entry.line_id.clone())),
            // it does not say which line is held
            Action::Held => {
                let keys: Vec<_> =
                    dead.keys().filter(|(order, _)| *order == entry.order_id).cloned().collect();
                Some(keys.iter().filter_map(|key| dead.remove(key)).flatten().collect())
            }
        };
        let told = difference(entry, gone.unwrap_or_default(), explained.cloned());
        report.add(&Difference { under_way, ..told })?;
    }
    Ok(())
}

/// An entry of the plan as a difference.
fn difference(entry: Entry, gone: Vec<String>, explained: Option<Explanation>) -> Difference {
    let (feed, source_id) = record_of(&entry.order_id);
    let kind = match entry.action {
        Action::Update => Kind::ValueDiffers,
        Action::Create => Kind::TaskMissing,
        // the settings say that nobody but a person makes it anew
        Action::Held if !gone.is_empty() || is_gone(&entry) => Kind::TaskMissing,
        Action::Held => Kind::Held,
    };
    let reason = match (kind, entry.reason) {
        (_, Some(reason)) => Some(reason),
        (Kind::TaskMissing, None) if gone.is_empty() => Some("the order has no task".to_owned()),
        (Kind::TaskMissing, None) => Some(format!("task {} does not exist any more", gone.join(", "))),
        (_, None) => None,
    };
    let values = entry
        .values
        .into_iter()
        .map(|value| Value { field: value.purpose, expected: value.new, shown: value.old })
        .collect();
    Difference {
        kind,
        feed,
        source_id,
        order_number: entry.order_number,
        line_id: entry.line_id,
        tasks: entry.task.into_iter().chain(gone).collect(),
        values,
        code: entry.code,
        reason,
        explained,
        under_way: false,
    }
}

/// Whether a record is held because its task was deleted.
fn is_gone(entry: &Entry) -> bool {
    entry.code.as_deref().is_some_and(|code| code == Code::TaskGone.info().code)
}

/// Feed and id of the record that an order's key stands for: an invoice without an order has a task of its own.
pub(super) fn record_of(order: &str) -> (String, String) {
    match order.strip_prefix(INVOICE) {
        Some(invoice) => (Feed::Invoices.as_str().to_owned(), invoice.to_owned()),
        None => (Feed::PurchaseOrders.as_str().to_owned(), order.to_owned()),
    }
}

/// What [`invoice_key`](crate::push::world::invoice_key) begins with.
const INVOICE: &str = "invoice/";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::push::world::invoice_key;

    #[test]
    fn an_invoices_own_key_leads_back_to_it() {
        assert_eq!(record_of(&invoice_key("7")), ("invoices".to_owned(), "7".to_owned()));
        assert_eq!(record_of("7"), ("purchase_orders".to_owned(), "7".to_owned()));
    }
}
