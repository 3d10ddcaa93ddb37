//! Holding what is stored and what Asana shows against the stand-in's full state, with nothing of the
//! engine's reading in between.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use connector::feed::Feed;
use connector::store::feeds;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::tenant::Tenant;

/// What is compared of a record: its date in milliseconds, and everything else that a task shows of it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    date_ms: i64,
    facts: Vec<String>,
}

#[derive(Deserialize)]
struct State<'a> {
    #[serde(rename = "purchaseOrders", borrow)]
    orders: Vec<&'a RawValue>,
    #[serde(borrow)]
    invoices: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Order<'a> {
    #[serde(rename = "POHeaderId", borrow)]
    id: &'a RawValue,
    order_number: String,
    supplier: Option<String>,
    status: Option<String>,
    #[serde(borrow)]
    total: &'a RawValue,
    last_update_date: Timestamp,
    #[serde(borrow, rename = "lines")]
    lines: &'a RawValue,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Line<'a> {
    line_number: i64,
    #[serde(borrow)]
    ordered: &'a RawValue,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Invoice<'a> {
    #[serde(borrow)]
    invoice_id: &'a RawValue,
    invoice_number: String,
    #[serde(borrow)]
    invoice_amount: &'a RawValue,
    validation_status: String,
    paid_status: String,
    canceled_flag: Option<bool>,
    last_update_date: Timestamp,
    #[serde(borrow, rename = "invoiceLines")]
    lines: &'a RawValue,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InvoiceLine<'a> {
    purchase_order_number: Option<String>,
    discarded_flag: Option<bool>,
    #[serde(borrow)]
    line_amount: &'a RawValue,
}

/// Children are an array in the full state, and a collection with `items` in an answer.
fn children<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Vec<T> {
    #[derive(Deserialize)]
    struct Items<'a> {
        #[serde(borrow)]
        items: &'a RawValue,
    }
    let text = if raw.get().starts_with('{') {
        serde_json::from_str::<Items>(raw.get()).unwrap().items.get()
    } else {
        raw.get()
    };
    serde_json::from_str(text).unwrap()
}

fn order(raw: &str) -> (String, Seen) {
    let order: Order = serde_json::from_str(raw).unwrap();
    let lines = children::<Line>(order.lines);
    let mut facts =
        vec![order.order_number, order.supplier.unwrap_or_default(), order.status.unwrap_or_default()];
    facts.push(order.total.get().to_owned());
    facts.extend(lines.iter().map(|line| format!("{} {}", line.line_number, line.ordered.get())));
    (unquoted(order.id), Seen { date_ms: order.last_update_date.as_millisecond(), facts })
}

fn invoice(raw: &str) -> (String, Seen) {
    let invoice: Invoice = serde_json::from_str(raw).unwrap();
    let lines = children::<InvoiceLine>(invoice.lines);
    let canceled = format!("{:?}", invoice.canceled_flag);
    let mut facts = vec![invoice.invoice_number, invoice.validation_status, invoice.paid_status, canceled];
    facts.push(invoice.invoice_amount.get().to_owned());
    facts.extend(
        lines
            .iter()
            .map(|l| format!("{:?} {:?} {}", l.purchase_order_number, l.discarded_flag, l.line_amount.get())),
    );
    (unquoted(invoice.invoice_id), Seen { date_ms: invoice.last_update_date.as_millisecond(), facts })
}

/// Ids are numbers or text, by the framework version.
fn unquoted(raw: &RawValue) -> String {
    raw.get().trim_matches('"').to_owned()
}

fn seen(feed: Feed, raw: &str) -> (String, Seen) {
    match feed {
        Feed::PurchaseOrders => order(raw),
        Feed::Invoices => invoice(raw),
    }
}

impl Tenant {
    fn in_oracle(&self, feed: Feed) -> HashMap<String, Seen> {
        let state = self.sandbox.oracle().state_json();
        let state: State = serde_json::from_str(&state).unwrap();
        let rows = match feed {
            Feed::PurchaseOrders => state.orders,
            Feed::Invoices => state.invoices,
        };
        rows.into_iter().map(|raw| seen(feed, raw.get())).collect()
    }

    async fn stored(&self, feed: Feed) -> HashMap<String, Seen> {
        let rows: Vec<(String, String)> =
            sqlx::query_as("select source_id, body from documents where connection_id = $1 and feed = $2")
                .bind(self.connection.0)
                .bind(feed.as_str())
                .fetch_all(&self.engine.db)
                .await
                .unwrap();
        rows.into_iter()
            .map(|(source_id, body)| {
                let (id, seen) = seen(feed, &body);
                assert_eq!(source_id, id);
                (id, seen)
            })
            .collect()
    }

    /// A date as it is compared: whole seconds once Oracle has shown no more than those.
    fn comparable(&self, date_ms: i64) -> i64 {
        if self.cut_instants.load(Ordering::SeqCst) { date_ms.div_euclid(1000) } else { date_ms }
    }

    fn same(&self, a: &Seen, b: &Seen) -> bool {
        a.facts == b.facts && self.comparable(a.date_ms) == self.comparable(b.date_ms)
    }

    /// What is stored equals Oracle's full state.
    pub async fn check_documents(&self) {
        for feed in Feed::ALL {
            let (oracle, stored) = (self.in_oracle(feed), self.stored(feed).await);
            let missing: Vec<_> = oracle.keys().filter(|id| !stored.contains_key(*id)).collect();
            assert!(missing.is_empty(), "{}: not stored: {missing:?}", feed.as_str());
            assert_eq!(stored.len(), oracle.len());
            for (id, wanted) in &oracle {
                assert!(
                    self.same(&stored[id], wanted),
                    "{} {id}: {:?} stored for {wanted:?}",
                    feed.as_str(),
                    stored[id]
                );
            }
        }
    }

    /// Every row that is dated `slack_ms` before the watermark or earlier is stored as it stands, so that a
    /// poll that starts there misses none. Rows with silent edits are only asked to be there.
    pub async fn check_watermarks(&self, slack_ms: i64) {
        for feed in Feed::ALL {
            let state = feeds::load(&self.engine.db, self.connection, feed).await.unwrap();
            let (oracle, stored) = (self.in_oracle(feed), self.stored(feed).await);
            let Some(watermark) = state.watermark else {
                assert!(oracle.is_empty() || slack_ms > 0, "{}: no watermark after a poll", feed.as_str());
                continue;
            };
            for (id, row) in &oracle {
                if row.date_ms > watermark.as_millisecond() - slack_ms {
                    continue;
                }
                let Some(found) = stored.get(id) else {
                    panic!("{} {id} of {} is not stored, watermark {watermark}", feed.as_str(), row.date_ms);
                };
                assert!(
                    self.has_silent_edits() || self.same(found, row),
                    "{} {id}: {found:?} stored for {row:?}, watermark {watermark}",
                    feed.as_str()
                );
            }
        }
    }

    /// Each order has exactly one task, and it shows what Oracle says.
    pub async fn check_asana(&self) {
        let state = self.sandbox.asana().state_json();
        let asana: Asana = serde_json::from_str(&state).unwrap();
        let mut tasks: HashMap<&str, &Task> = HashMap::new();
        for (gid, task) in &asana.tasks {
            let key = task.notes.lines().last().and_then(|l| l.strip_prefix("Oracle order id: "));
            let other = tasks.insert(key.unwrap_or_else(|| panic!("task {gid} is for no order")), task);
            assert!(other.is_none(), "a second task for order {key:?}");
        }
        let oracle = self.sandbox.oracle().state_json();
        let oracle: State = serde_json::from_str(&oracle).unwrap();
        let invoices: Vec<Invoice> =
            oracle.invoices.iter().map(|raw| serde_json::from_str(raw.get()).unwrap()).collect();
        assert_eq!(tasks.len(), oracle.orders.len());
        for raw in &oracle.orders {
            let order: Order = serde_json::from_str(raw.get()).unwrap();
            let id = unquoted(order.id);
            let shown =
                self.shown(tasks.get(id.as_str()).unwrap_or_else(|| panic!("order {id} has no task")));
            assert_eq!(shown, wanted(&order, &invoices), "order {id}");
        }
    }

    fn shown(&self, task: &Task) -> Shown {
        let raw = |key: &str| task.values.get(self.board.field(key).unwrap()).map(|raw| raw.get());
        let text = |key: &str| raw(key).and_then(|raw| serde_json::from_str::<Option<String>>(raw).unwrap());
        let amount = |key: &str| raw(key).filter(|raw| *raw != "null").map(|raw| raw.parse().unwrap());
        let options = self.sandbox.asana().options(self.board.field("invoice_status").unwrap());
        let status = text("invoice_status");
        Shown {
            number: text("po_number"),
            supplier: text("supplier"),
            order_status: text("order_status"),
            invoice_status: status.map(|gid| options.iter().find(|o| o.0 == gid).unwrap().1.clone()),
            lines: amount("line_item_amount"),
            invoiced: amount("invoiced_amount"),
        }
    }
}

#[derive(Deserialize)]
struct Asana<'a> {
    #[serde(borrow)]
    tasks: HashMap<String, Task<'a>>,
}

#[derive(Deserialize)]
struct Task<'a> {
    notes: String,
    #[serde(borrow)]
    values: HashMap<String, &'a RawValue>,
}

/// What a task shows of its order.
#[derive(Debug, PartialEq)]
struct Shown {
    number: Option<String>,
    supplier: Option<String>,
    order_status: Option<String>,
    invoice_status: Option<String>,
    lines: Option<Decimal>,
    invoiced: Option<Decimal>,
}

fn wanted(order: &Order, invoices: &[Invoice]) -> Shown {
    let decimal = |raw: &RawValue| raw.get().parse::<Decimal>().unwrap();
    // a discarded line counts no more, unless its invoice is canceled as a whole
    let names = |i: &&Invoice| {
        let counts = |l: &InvoiceLine| i.canceled_flag == Some(true) || l.discarded_flag != Some(true);
        let lines = children::<InvoiceLine>(i.lines);
        lines.iter().any(|l| counts(l) && l.purchase_order_number.as_deref() == Some(&order.order_number))
    };
    let own: Vec<&Invoice> = invoices.iter().filter(names).collect();
    let counted: Vec<Decimal> =
        own.iter().filter(|i| i.canceled_flag != Some(true)).map(|i| decimal(i.invoice_amount)).collect();
    Shown {
        number: Some(order.order_number.clone()),
        supplier: order.supplier.clone(),
        order_status: order.status.clone(),
        invoice_status: own
            .iter()
            .map(|i| progress(i))
            .min()
            .map(|at| sandbox::board::INVOICE_STATUSES[at].to_owned()),
        lines: Some(children::<Line>(order.lines).iter().map(|l| decimal(l.ordered)).sum()),
        invoiced: (!counted.is_empty()).then(|| counted.into_iter().sum()),
    }
}

/// Place among the board's invoice statuses, least finished first.
fn progress(invoice: &Invoice) -> usize {
    match (invoice.validation_status.as_str(), invoice.paid_status.as_str()) {
        _ if invoice.canceled_flag == Some(true) => 5,
        (_, "Paid") => 4,
        (_, "Partially paid") => 3,
        ("Validated", _) => 2,
        ("Needs revalidation", _) => 1,
        _ => 0,
    }
}
