//! The Oracle Fusion stand-in: identity domain, `purchaseOrders`, `invoices`, `suppliers`, `erpintegrations` and a General Ledger.
//!
//! Reads over REST answer as a pod does, with its traps. Orders and invoices are never written over REST; their
//! data come from a generator, from files, and from edits. Journals come from files sent to `erpintegrations`.

mod build;
mod change;
mod derived;
mod describe;
pub mod edits;
pub mod erp;
mod errors;
mod generate;
pub mod ledger;
pub mod load;
mod pages;
mod params;
mod projection;
mod query;
mod record;
mod render;
mod rest;
mod schema;
mod search;
pub mod settings;
mod suppliers;
mod table;
mod token;
mod value;
mod visibility;
mod words;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, Response, StatusCode};
use axum::routing::{any, post};

pub use edits::{Edit, NewInvoice, NewInvoiceLine, NewLine, NewOrder};
pub use generate::GenerateOptions;
pub use ledger::LedgerFacts;
pub use settings::OracleSettings;
pub use token::OracleConfig;

use crate::clock::VirtualClock;
use build::Ids;
use erp::Erp;
use ledger::Ledger;
use record::Record;
use schema::{Distribution, INVOICES, PURCHASE_ORDERS, Po, Resource, SUPPLIERS};
use table::Table;
use token::Tokens;

/// Largest form that the token endpoint reads, in bytes.
const MAX_FORM_BYTES: usize = 64 * 1024;

/// Largest body that a resource reads, in bytes: a file of journals in Base64.
const MAX_BODY_BYTES: usize = 32 * 1024 * 1024;

/// The stand-in; clones are handles on one pod.
#[derive(Clone, Debug)]
pub struct Oracle(Arc<Pod>);

#[derive(Debug)]
struct Pod {
    clock: VirtualClock,
    config: OracleConfig,
    settings: RwLock<Arc<OracleSettings>>,
    tokens: Tokens,
    /// Start of the rate limit's window in virtual milliseconds, and requests in it.
    window: Mutex<(i64, u32)>,
    callbacks: erp::Callbacks,
    data: RwLock<Data>,
}

/// All records.
#[derive(Debug)]
pub(crate) struct Data {
    pub orders: Table,
    pub invoices: Table,
    pub suppliers: Table,
    pub ids: Ids,
    pub ledger: Ledger,
    pub erp: Erp,
}

impl Data {
    fn table(&self, resource: &Resource) -> &Table {
        if resource.name == INVOICES.name {
            return &self.invoices;
        }
        if resource.name == SUPPLIERS.name {
            return &self.suppliers;
        }
        self.ledger.table(resource).unwrap_or(&self.orders)
    }
}

/// The charge accounts of orders, each once.
fn charge_accounts<'r>(orders: impl Iterator<Item = &'r Record>) -> BTreeSet<&'r str> {
    let schedules = orders.flat_map(|order| order.children(0)).flat_map(|line| line.children(0));
    let distributions = schedules.flat_map(|schedule| schedule.children(0));
    distributions
        .filter_map(|record| record.text(Distribution::POChargeAccount).map(|text| &**text))
        .collect()
}

impl Oracle {
    /// An empty pod.
    #[must_use]
    pub fn new(clock: VirtualClock, config: OracleConfig, settings: OracleSettings) -> Self {
        let orders = Table::new(&PURCHASE_ORDERS);
        let ledger = Ledger::new(&settings.ledger, clock.now().as_millisecond());
        let (ids, erp) = (Ids::default(), Erp::new());
        let (invoices, suppliers) = (Table::new(&INVOICES), Table::new(&SUPPLIERS));
        let data = Data { orders, invoices, suppliers, ids, ledger, erp };
        Self(Arc::new(Pod {
            clock,
            config,
            settings: RwLock::new(Arc::new(settings)),
            tokens: Tokens::default(),
            window: Mutex::new((i64::MIN, 0)),
            callbacks: erp::Callbacks::default(),
            data: RwLock::new(data),
        }))
    }

    /// Client id, secret and scope that get a token.
    #[must_use]
    pub fn config(&self) -> &OracleConfig {
        &self.0.config
    }

    /// The switches as they stand.
    #[must_use]
    pub fn settings(&self) -> Arc<OracleSettings> {
        Arc::clone(&self.0.settings.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes switches; requests already running keep the old ones.
    pub fn change_settings(&self, change: impl FnOnce(&mut OracleSettings)) {
        self.settle();
        let mut held = self.0.settings.write().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut held));
        let ledger = held.ledger.clone();
        drop(held);
        self.data_mut().ledger.change_settings(&ledger);
    }

    /// Adds made-up orders and invoices.
    ///
    /// # Errors
    /// When ids run out.
    pub fn generate(&self, options: &GenerateOptions) -> Result<(), String> {
        let mut data = self.data_mut();
        let Data { orders, invoices, suppliers, ids, ledger, .. } = &mut *data;
        generate::orders(orders, ids, options)?;
        suppliers::learn(suppliers, orders.records(), options.start.as_millisecond());
        ledger.learn_accounts(charge_accounts(orders.records()));
        generate::invoices(invoices, orders, ids, options)
    }

    /// Takes all orders, invoices, suppliers, journals and jobs away and starts the ids anew; the ledger is as at the start.
    pub fn clear(&self) {
        let settings = self.settings();
        let mut data = self.data_mut();
        data.orders.clear();
        data.invoices.clear();
        data.suppliers.clear();
        data.ids = Ids::default();
        data.ledger = Ledger::new(&settings.ledger, self.now_ms());
        data.erp = Erp::new();
    }

    /// What a connection's settings or a test needs to know of the primary ledger.
    #[must_use]
    pub fn ledger_facts(&self) -> LedgerFacts {
        self.data().ledger.facts(0)
    }

    /// The same of the second ledger, which has another currency and another chart of accounts.
    #[must_use]
    pub fn second_ledger_facts(&self) -> LedgerFacts {
        self.data().ledger.facts(1)
    }

    /// How often a file with rows of the group was accepted for import, whatever became of it.
    #[must_use]
    pub fn submissions_of(&self, group: i64) -> u64 {
        self.data().erp.submissions_of(group)
    }

    /// `JeBatchId` of every batch that exists of the group, ascending.
    #[must_use]
    pub fn batches_of(&self, group: i64) -> Vec<i64> {
        self.settle();
        self.data().ledger.batches_of(group)
    }

    /// Journals, interface and jobs as JSON, the same for the same history:
    /// `{"batches":[..],"interface":[..],"requests":[..],"submissions":{"<group>":n}}`.
    ///
    /// A batch has `id`, `name`, `description`, `ledger`, `source`, `group`, `process`, `period`, `status` (`U`,
    /// `P`), `created`, `posted`, `warnings`, the sums `entered_dr`, `entered_cr`, `accounted_dr`, `accounted_cr`,
    /// and `journals`; a journal `id`, `name`, `description`, `reference`, `category`, `currency`, `date`,
    /// `conversion_type`, `conversion_date`, `conversion_rate` and `lines`; a line `number`, `account_id`, `account`,
    /// the four amounts, `description` and `references` (REFERENCE21 to 30). An interface row has `row`,
    /// `load_request`, `status`, `group`, `ledger`, `source`, `category`, `date`, `currency`, `segments`,
    /// `entered_dr`, `entered_cr`, `batch_name` and `line_description`. A request has `id`, `operation`,
    /// `submitted`, `status`, `groups`, `parameters`, `callback` and `jobs` (`id`, `name`, `status`). Ids are numbers,
    /// amounts decimal text or null, days `YYYY-MM-DD`, instants UTC with milliseconds.
    #[must_use]
    pub fn ledger_json(&self) -> String {
        self.settle();
        let data = self.data();
        let (batches, interface) = data.ledger.json();
        let (requests, submissions) = data.erp.json();
        serde_json::json!({
            "batches": batches, "interface": interface, "requests": requests, "submissions": submissions,
        })
        .to_string()
    }

    /// Does what fell due on the virtual clock: phases of jobs, a new month.
    pub(crate) fn settle(&self) {
        let now = self.now_ms();
        let data = self.data();
        let is_settled = data.erp.is_settled(now) && data.ledger.is_at(now);
        drop(data);
        if !is_settled {
            let settings = self.settings();
            let Data { ledger, erp, .. } = &mut *self.data_mut();
            erp.settle(now, ledger, &settings);
        }
    }

    /// `POHeaderId` of every order with this number; several legal entities may use one number.
    #[must_use]
    pub fn orders_numbered(&self, number: &str) -> Vec<i64> {
        let data = self.data();
        let numbered = |record: &&Record| record.text(Po::OrderNumber).is_some_and(|own| &**own == number);
        data.orders.records().filter(numbered).map(Record::id).collect()
    }

    /// `POHeaderId` of every order, ascending.
    #[must_use]
    pub fn order_ids(&self) -> Vec<i64> {
        self.data().orders.records().map(Record::id).collect()
    }

    /// `InvoiceId` of every invoice, ascending.
    #[must_use]
    pub fn invoice_ids(&self) -> Vec<i64> {
        self.data().invoices.records().map(Record::id).collect()
    }

    /// Adds suppliers and charge accounts of which no order knows yet, as many as asked for of each.
    ///
    /// # Errors
    /// When a supplier's id is taken.
    pub fn generate_reference(&self, suppliers: usize, accounts: usize) -> Result<(), String> {
        let now = self.now_ms();
        let mut data = self.data_mut();
        suppliers::generate(&mut data.suppliers, suppliers, now)?;
        let accounts: Vec<String> = suppliers::account_names(accounts).collect();
        data.ledger.learn_accounts(accounts.iter().map(String::as_str));
        Ok(())
    }

    /// `SupplierId` of the supplier with that name.
    #[must_use]
    pub fn supplier_named(&self, name: &str) -> Option<i64> {
        let data = self.data();
        let named = |record: &&Record| record.text(schema::Sup::Supplier).is_some_and(|own| &**own == name);
        data.suppliers.records().find(named).map(Record::id)
    }

    /// Number of orders and of invoices.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        let data = self.data();
        (data.orders.len(), data.invoices.len())
    }

    /// The whole state as JSON: `{"purchaseOrders":[..],"invoices":[..]}`, each in the order of
    /// its id.
    ///
    /// A record is an object of Oracle's attributes with its children as arrays below their names:
    /// orders have `lines`, these `schedules`, these `distributions`, these `projectDFF`; invoices have
    /// `invoiceLines`, `invoiceInstallments` and `invoiceDff`.
    /// Ids are numbers, amounts carry the stored digits, date-times always have milliseconds.
    #[must_use]
    pub fn state_json(&self) -> String {
        let data = self.data();
        let mut out = "{".to_owned();
        for table in [&data.orders, &data.invoices] {
            out.push_str(if out.len() > 1 { "],\"" } else { "\"" });
            out.push_str(table.resource.name);
            out.push_str("\":[");
            for (place, record) in table.records().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                render::state(record, &mut out);
            }
        }
        out.push_str("]}");
        out
    }

    /// The HTTP side: token endpoint, REST resources, and pages for people.
    pub fn router(&self) -> Router {
        pages::router()
            .merge(ledger::pages_router())
            .route("/oauth2/v1/token", post(token_endpoint))
            .route("/fscmRestApi/{*path}", any(rest_endpoint))
            .with_state(self.clone())
    }

    fn clock(&self) -> &VirtualClock {
        &self.0.clock
    }

    /// The present of the virtual clock in milliseconds.
    fn now_ms(&self) -> i64 {
        self.clock().now().as_millisecond()
    }

    fn tokens(&self) -> &Tokens {
        &self.0.tokens
    }

    fn data(&self) -> RwLockReadGuard<'_, Data> {
        self.0.data.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn data_mut(&self) -> RwLockWriteGuard<'_, Data> {
        self.0.data.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request; over the limit, the seconds to wait if they are to be told.
    fn over_limit(&self, settings: &OracleSettings) -> Option<Option<u32>> {
        let limit = settings.rate_limit?;
        let now = self.clock().now().as_millisecond();
        let length = limit.window_seconds.saturating_mul(1000);
        let mut window = self.0.window.lock().unwrap_or_else(PoisonError::into_inner);
        if now < window.0 || now.saturating_sub(window.0) >= length {
            *window = (now, 0);
        }
        window.1 = window.1.saturating_add(1);
        if window.1 <= limit.requests {
            return None;
        }
        let wait = (window.0 + length - now + 999) / 1000;
        Some(limit.retry_after.then(|| u32::try_from(wait).unwrap_or(1)))
    }
}

async fn token_endpoint(State(oracle): State<Oracle>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Ok(form) = to_bytes(body, MAX_FORM_BYTES).await else {
        return errors::body(StatusCode::PAYLOAD_TOO_LARGE, "text/plain", String::new());
    };
    let lifetime = oracle.settings().token_lifetime_seconds;
    let now = oracle.clock().now();
    token::grant(oracle.tokens(), oracle.config(), now, lifetime, &parts.headers, &form)
}

async fn rest_endpoint(State(oracle): State<Oracle>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    if parts.method != Method::POST {
        return oracle.rest(&parts.method, &parts.uri, &parts.headers, &[]);
    }
    let Ok(body) = to_bytes(body, MAX_BODY_BYTES).await else {
        return errors::body(StatusCode::PAYLOAD_TOO_LARGE, "text/plain", String::new());
    };
    let response = oracle.rest(&parts.method, &parts.uri, &parts.headers, &body);
    erp::deliver(&oracle, &oracle.0.callbacks);
    response
}
