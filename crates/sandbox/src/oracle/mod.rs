//! The Oracle Fusion stand-in: identity domain, `purchaseOrders` and `invoices`.
//!
//! Reads over REST answer as a pod does, with its traps; nothing can be written over REST. Data comes
//! from a generator, from files, and from edits.

mod build;
mod change;
mod describe;
pub mod edits;
mod errors;
mod generate;
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
mod table;
mod token;
mod value;
mod visibility;
mod words;

use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode};
use axum::routing::{any, post};

pub use edits::{Edit, NewInvoice, NewInvoiceLine, NewLine, NewOrder};
pub use generate::GenerateOptions;
pub use settings::OracleSettings;
pub use token::OracleConfig;

use crate::clock::VirtualClock;
use build::Ids;
use record::Record;
use schema::{INVOICES, PURCHASE_ORDERS, Po, Resource};
use table::Table;
use token::Tokens;

/// Largest form that the token endpoint reads, in bytes.
const MAX_FORM_BYTES: usize = 64 * 1024;

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
    data: RwLock<Data>,
}

/// All records.
#[derive(Debug)]
pub(crate) struct Data {
    pub orders: Table,
    pub invoices: Table,
    pub ids: Ids,
}

impl Data {
    fn table(&self, resource: &Resource) -> &Table {
        if resource.name == INVOICES.name { &self.invoices } else { &self.orders }
    }
}

impl Oracle {
    /// An empty pod.
    #[must_use]
    pub fn new(clock: VirtualClock, config: OracleConfig, settings: OracleSettings) -> Self {
        let orders = Table::new(&PURCHASE_ORDERS);
        let data = Data { orders, invoices: Table::new(&INVOICES), ids: Ids::default() };
        Self(Arc::new(Pod {
            clock,
            config,
            settings: RwLock::new(Arc::new(settings)),
            tokens: Tokens::default(),
            window: Mutex::new((i64::MIN, 0)),
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
        let mut held = self.0.settings.write().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut held));
    }

    /// Adds made-up orders and invoices.
    ///
    /// # Errors
    /// When ids run out.
    pub fn generate(&self, options: &GenerateOptions) -> Result<(), String> {
        let mut data = self.data_mut();
        let Data { orders, invoices, ids } = &mut *data;
        generate::orders(orders, ids, options)?;
        generate::invoices(invoices, orders, ids, options)
    }

    /// Takes all orders and invoices away and starts the ids anew.
    pub fn clear(&self) {
        let mut data = self.data_mut();
        data.orders.clear();
        data.invoices.clear();
        data.ids = Ids::default();
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
    /// orders have `lines`, these `schedules`, these `distributions`; invoices have `invoiceLines`.
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
            .route("/oauth2/v1/token", post(token_endpoint))
            .route("/fscmRestApi/{*path}", any(rest_endpoint))
            .with_state(self.clone())
    }

    fn clock(&self) -> &VirtualClock {
        &self.0.clock
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
    oracle.rest(request.method(), request.uri(), request.headers())
}
