//! What this program itself writes onto tasks for the records that they are linked to: no person chose that.

use std::collections::HashMap;

use oracle_fusion::{Invoice, PurchaseOrder, RawValue};
use sqlx::PgConnection;

use crate::erase::MARK;
use crate::error::Result;
use crate::feed::Feed;
use crate::ids::ConnectionId;
use crate::record::{InvoiceFacts, OrderFacts};
use crate::reference::Kind;
use crate::reference::findings::Shown;
use crate::settings::Settings;
use crate::store::documents;
use crate::store::links::{self, Link};

/// What a link's order begins with when it is an invoice's own task.
const OF_INVOICE: &str = "invoice/";

/// What is written into one field of a task.
#[derive(Debug, Default)]
pub(super) struct Own {
    names: Vec<String>,
    ids: Vec<String>,
}

impl Own {
    fn add(&mut self, names: &[String], ids: &[String]) {
        self.names.extend_from_slice(names);
        self.ids.extend_from_slice(ids);
    }

    /// Whether what is shown is among it.
    pub(super) fn writes(&self, shown: &Shown) -> bool {
        // what an erased record said cannot be told any more
        let is_same = |name: &String| name == MARK || name.trim().eq_ignore_ascii_case(&shown.text);
        self.names.iter().any(is_same) || shown.source.as_ref().is_some_and(|id| self.ids.contains(id))
    }
}

/// What is written onto these tasks, with three statements.
pub(super) async fn values(
    db: &mut PgConnection,
    connection: ConnectionId,
    settings: &Settings,
    tasks: &[String],
) -> Result<HashMap<(String, Kind), Own>> {
    let mut all = links::of_orders_and_tasks(db, connection, &[], tasks).await?;
    all.retain(|link| !link.gone);
    let (invoices, orders): (Vec<&Link>, Vec<&Link>) =
        all.iter().partition(|link| link.order_id.starts_with(OF_INVOICE));
    let mut own: HashMap<(String, Kind), Own> = HashMap::new();
    let ids = once(orders.iter().map(|link| link.order_id.clone()));
    for stored in documents::by_ids(db, connection, Feed::PurchaseOrders, &ids).await? {
        let raw = serde_json::from_str::<&RawValue>(&stored.body).ok();
        let Some(Ok(order)) = raw.map(PurchaseOrder::parse) else { continue };
        let order = OrderFacts::of(order, &settings.routing.account);
        for link in orders.iter().filter(|link| link.order_id == order.id) {
            let suppliers = own.entry((link.task_gid.clone(), Kind::Suppliers)).or_default();
            suppliers.add(order.supplier.as_slice(), order.supplier_id.as_slice());
            let accounts = own.entry((link.task_gid.clone(), Kind::Accounts)).or_default();
            match order.lines.iter().find(|line| line.id == link.line_id) {
                Some(line) => accounts.add(&line.accounts, &line.account_ids),
                None => accounts.add(&order.accounts, &order.account_ids),
            }
        }
    }
    let id = |link: &Link| link.order_id.trim_start_matches(OF_INVOICE).to_owned();
    let ids = once(invoices.iter().map(|link| id(link)));
    for stored in documents::by_ids(db, connection, Feed::Invoices, &ids).await? {
        let raw = serde_json::from_str::<&RawValue>(&stored.body).ok();
        let Some(Ok(invoice)) = raw.map(Invoice::parse) else { continue };
        let invoice = InvoiceFacts::of(invoice);
        for link in invoices.iter().filter(|link| id(link) == invoice.id) {
            let suppliers = own.entry((link.task_gid.clone(), Kind::Suppliers)).or_default();
            suppliers.add(invoice.supplier.as_slice(), &[]);
        }
    }
    Ok(own)
}

fn once(ids: impl Iterator<Item = String>) -> Vec<String> {
    let mut ids: Vec<String> = ids.collect();
    ids.sort();
    ids.dedup();
    ids
}
