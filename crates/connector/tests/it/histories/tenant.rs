//! A connection of a case's own, on a server that all cases of a process share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use connector::Engine;
use connector::feed::Feed;
use connector::ids::ConnectionId;
use connector::key::MasterKey;
use connector::manage;
use connector::node::{self, Report};
use connector::store::jobs::Job;
use connector::store::{self, outbox};
use embedded_postgres::Server;
use jiff::{SignedDuration, Timestamp};
use sandbox::oracle::settings::InstantStyle;
use sandbox::oracle::{Edit, NewInvoice, NewInvoiceLine, NewLine, NewOrder};
use sandbox::{AsanaConfig, Board, Fault, FaultRule, Sandbox, SandboxConfig, Side};
use tokio::sync::watch;

use super::change::{Age, Change};
use crate::fixture::{secrets, settings};

/// How far before the watermark a poll starts, by default.
pub const OVERLAP_MS: i64 = 300_000;
/// Milliseconds that each page takes while people are in Oracle.
const PAGE_TAKES_MS: u64 = 3;

/// A PostgreSQL for one test process.
pub struct SharedServer {
    server: Server,
    _directory: tempfile::TempDir,
}

/// Starts the server.
pub async fn shared_server() -> SharedServer {
    let directory = tempfile::tempdir().unwrap();
    std::fs::set_permissions(directory.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
    let server =
        Server::start(embedded_postgres::Settings::new(directory.path().join("postgres"))).await.unwrap();
    let db = store::open(&server.url()).await.unwrap();
    store::migrate(&db).await.unwrap();
    db.close().await;
    SharedServer { server, _directory: directory }
}

impl SharedServer {
    /// Stops the server.
    pub async fn end(self) {
        self.server.stop().await.unwrap();
    }
}

/// A connection with stand-ins of its own, whose clock stands still.
pub struct Tenant {
    pub sandbox: Sandbox,
    pub board: Board,
    pub engine: Arc<Engine>,
    pub connection: ConnectionId,
    silent: AtomicBool,
    /// Whether Oracle has shown instants without their milliseconds.
    pub cut_instants: AtomicBool,
}

impl Tenant {
    /// An empty Oracle and an empty board.
    pub async fn new(shared: &SharedServer, page_size: u16) -> Tenant {
        let config = SandboxConfig { asana: AsanaConfig::unlimited(), ..SandboxConfig::default() };
        let sandbox = Sandbox::start(config).await.unwrap();
        sandbox.clock().freeze("2026-05-04T09:30:00.250Z".parse().unwrap());
        let board = Board::seed(sandbox.asana(), "Purchasing").unwrap();
        let mut settings = settings(&sandbox, &board);
        settings.oracle.page_size = page_size;
        let db = store::open(&shared.server.url()).await.unwrap();
        let engine = Arc::new(Engine::new(db, MasterKey::from_base64(&MasterKey::generate()).unwrap()));
        let name = engine.node.0.to_string();
        let connection = manage::add(&engine, &name, &settings, &secrets(&sandbox)).await.unwrap();
        let (silent, cut_instants) = (AtomicBool::new(false), AtomicBool::new(false));
        Tenant { sandbox, board, engine, connection, silent, cut_instants }
    }

    /// Closes the pool; the rows stay, as those of other customers do.
    pub async fn end(self) {
        self.engine.db.close().await;
        self.sandbox.shutdown().await;
    }

    /// Whether an edit left its order's date alone, so that only a full scan sees it.
    pub fn has_silent_edits(&self) -> bool {
        self.silent.load(Ordering::SeqCst)
    }

    pub fn show_instants(&self, style: InstantStyle) {
        self.sandbox.oracle().change_settings(|s| s.instants = style);
        self.cut_instants.fetch_or(style == InstantStyle::Seconds, Ordering::SeqCst);
    }

    fn date(&self, age: Age) -> Timestamp {
        let now = self.sandbox.clock().now();
        match age {
            Age::Old => now - SignedDuration::from_hours(24 * 30),
            Age::Now => now,
            Age::Late(ms) => now - SignedDuration::from_millis(ms),
        }
    }

    /// Makes a change; one that needs a record when there is none does nothing.
    pub fn apply(&self, change: &Change) {
        let oracle = self.sandbox.oracle();
        let (orders, invoices) = (oracle.order_ids(), oracle.invoice_ids());
        let order = |pick: usize| orders.get(pick % orders.len().max(1)).copied();
        match *change {
            Change::Orders { count, age } => {
                for n in orders.len()..orders.len() + count {
                    let line = |cents: usize| NewLine { amount: money(cents as i64), ..NewLine::default() };
                    self.edit(Edit::CreateOrder(NewOrder {
                        number: Some(format!("PO-{n}")),
                        supplier: Some(format!("SUPPLIER {}", n % 7)),
                        lines: (0..=n % 3).map(|l| line(n * 131 + l)).collect(),
                        last_update: Some(self.date(age)),
                        ..NewOrder::default()
                    }));
                }
            }
            Change::Touch { every, age } => {
                for (resource, ids) in [("purchaseOrders", &orders), ("invoices", &invoices)] {
                    let ids = ids.iter().copied().step_by(every).collect();
                    self.edit(Edit::Touch { resource: resource.into(), ids, at: Some(self.date(age)) });
                }
            }
            Change::Advance { ms } => self.sandbox.clock().advance(SignedDuration::from_millis(ms)),
            Change::Pay { pick, .. } | Change::Match { pick, .. } | Change::Discard { pick } => {
                if let Some(&invoice) = invoices.get(pick % invoices.len().max(1)) {
                    self.apply_to_invoice(invoice, change, &orders);
                }
            }
            Change::Amount { pick, .. }
            | Change::Line { pick, .. }
            | Change::Rename { pick, .. }
            | Change::Status { pick, .. }
            | Change::Invoice { pick, .. } => {
                if let Some(order) = order(pick) {
                    self.apply_to(order, change);
                }
            }
        }
    }

    fn apply_to(&self, order: i64, change: &Change) {
        match *change {
            Change::Amount { cents, silent, .. } => {
                self.silent.fetch_or(silent, Ordering::SeqCst);
                self.edit(Edit::LineAmount { order, line: 1, amount: money(cents), touch: !silent });
            }
            Change::Line { cents, .. } => {
                let line = NewLine { amount: money(cents), ..NewLine::default() };
                self.edit(Edit::AddLine { order, line, touch: true });
            }
            Change::Rename { to, .. } => {
                let supplier = self.order_text(order, "Supplier");
                self.edit(Edit::RenameSupplier { supplier, name: format!("RENAMED {to}"), touch: true });
            }
            Change::Status { code, .. } => {
                self.edit(Edit::OrderStatus { order, code: code.into(), touch: true })
            }
            Change::Invoice { cents, age, .. } => self.edit(Edit::CreateInvoice(NewInvoice {
                lines: vec![NewInvoiceLine {
                    amount: money(cents),
                    order_number: Some(self.order_text(order, "OrderNumber")),
                    order_line: Some(1),
                    ..NewInvoiceLine::default()
                }],
                last_update: Some(self.date(age)),
                ..NewInvoice::default()
            })),
            _ => unreachable!("the change is for no order"),
        }
    }

    fn apply_to_invoice(&self, invoice: i64, change: &Change, orders: &[i64]) {
        let set = |attribute: &str, json: String| {
            self.edit(Edit::SetRaw {
                resource: "invoices".into(),
                id: invoice,
                line: Some(1),
                attribute: attribute.into(),
                json: Some(json),
                touch: true,
            });
        };
        match *change {
            Change::Pay { validation, paid, .. } => self.edit(Edit::InvoiceStatus {
                invoice,
                validation: Some(validation.into()),
                approval: None,
                paid: Some(paid.into()),
                accounting: None,
                touch: true,
            }),
            Change::Match { to, .. } => {
                let order = to.map(|to| self.order_text(orders[to % orders.len()], "OrderNumber"));
                set("PurchaseOrderNumber", serde_json::to_string(&order).unwrap());
            }
            Change::Discard { .. } => set("DiscardedFlag", "true".to_owned()),
            _ => unreachable!("the change is for no invoice"),
        }
    }

    fn edit(&self, edit: Edit) {
        self.sandbox.oracle().apply(edit).unwrap();
    }

    fn order_text(&self, id: i64, attribute: &str) -> String {
        let state: serde_json::Value = serde_json::from_str(&self.sandbox.oracle().state_json()).unwrap();
        let orders = state["purchaseOrders"].as_array().unwrap();
        let order = orders.iter().find(|order| order["POHeaderId"] == id).unwrap();
        order[attribute].as_str().unwrap().to_owned()
    }

    /// Polls both feeds and returns how many rows were read.
    pub async fn poll(&self) -> u64 {
        let reports = poll_once(self.engine.clone(), self.connection).await.unwrap();
        let rows = |report: &Report| if let Report::Poll(poll) = report { poll.rows } else { 0 };
        reports.values().map(rows).sum()
    }

    /// Polls while people make changes: each comes after one more request of the poll was answered. Returns
    /// how many came before the poll was over.
    pub async fn poll_amid(&self, changes: &[Change]) -> u64 {
        let rule = FaultRule::new(Fault::Delay { ms: PAGE_TAKES_MS }).on(Side::Oracle);
        let delay = self.sandbox.faults().add(rule);
        let begun = self.sandbox.calls().total_of(Side::Oracle);
        let poll = tokio::spawn(poll_once(self.engine.clone(), self.connection));
        let mut landed = 0;
        for (change, answered) in changes.iter().zip(1..) {
            while self.sandbox.calls().total_of(Side::Oracle) < begun + answered && !poll.is_finished() {
                tokio::time::sleep(Duration::from_micros(300)).await;
            }
            self.apply(change);
            landed += u64::from(!poll.is_finished());
        }
        poll.await.unwrap().unwrap();
        self.sandbox.faults().remove(delay);
        landed
    }

    /// Pushes until nothing is open.
    pub async fn push(&self) {
        for _ in 0..5 {
            node::run_once(&self.engine, self.connection, &[Job::Push], &watch::Sender::new(0))
                .await
                .unwrap();
            if outbox::open(&self.engine.db, self.connection).await.unwrap().next_due.is_none() {
                return;
            }
        }
        panic!("movements stay open");
    }

    /// Lets the next poll of each feed read everything besides what changed.
    pub async fn make_full_scan_due(&self) {
        sqlx::query("update feeds set scanned_at = null where connection_id = $1")
            .bind(self.connection.0)
            .execute(&self.engine.db)
            .await
            .unwrap();
    }

    /// How many movements there are, in whatever state.
    pub async fn movements(&self) -> i64 {
        sqlx::query_scalar("select count(*) from movements where connection_id = $1")
            .bind(self.connection.0)
            .fetch_one(&self.engine.db)
            .await
            .unwrap()
    }
}

async fn poll_once(
    engine: Arc<Engine>,
    connection: ConnectionId,
) -> connector::Result<std::collections::HashMap<&'static str, Report>> {
    let jobs = Feed::ALL.map(Job::Poll);
    node::run_once(&engine, connection, &jobs, &watch::Sender::new(0)).await
}

/// Decimal text, with or without a fraction, as Oracle writes amounts.
fn money(cents: i64) -> String {
    rust_decimal::Decimal::new(cents, 2).normalize().to_string()
}
