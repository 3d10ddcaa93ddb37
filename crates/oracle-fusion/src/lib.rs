//! A client for the Oracle Fusion Cloud ERP REST resources that carry purchase orders and payables
//! invoices.
//!
//! It reads, and never writes: apart from the `POST` that obtains a token, every request is a `GET`, and
//! no function here could send another. Oracle's own words are kept (a resource, a finder, an expanded
//! child), and a record keeps its raw JSON text, so that no amount ever passes through a float.
//!
//! - [`Fusion`] sends requests: [`Fusion::page`], [`Fusion::describe`], [`Fusion::complete`].
//! - [`Query`] says what to ask for, [`Filter`] which rows; no value can break out of either.
//! - [`keyset::Keyset`] decides which page comes next, as a pure state machine.
//! - [`PurchaseOrder`] and [`Invoice`] are typed views of one raw record.
//!
//! ```no_run
//! # async fn run(fusion: oracle_fusion::Fusion) -> Result<(), Box<dyn std::error::Error>> {
//! use oracle_fusion::{Limit, PurchaseOrder, Resource, RowKey, keyset::Keyset};
//!
//! let mut keyset = Keyset::by_last_update(None);
//! loop {
//!     let page = fusion.page(&keyset.query(Resource::PurchaseOrders, Limit::MAX).expanded()).await?;
//!     let keys = page.keys(Resource::PurchaseOrders)?;
//!     let step = keyset.accept(&keys, page.has_more)?;
//!     for index in step.fresh {
//!         let whole = fusion.complete(page.items[index].clone(), Resource::PurchaseOrders).await?;
//!         let order = PurchaseOrder::parse(&whole)?;
//!         println!("{:?} {:?}", order.order_number, order.total);
//!     }
//!     if step.done {
//!         return Ok(());
//!     }
//! }
//! # }
//! ```

mod client;
mod complete;
mod config;
mod describe;
mod error;
mod http;
pub mod keyset;
mod number;
mod page;
mod query;
mod record;
mod resource;
mod scalar;
mod token;

pub use client::Fusion;
pub use complete::is_truncated;
pub use config::{Config, FrameworkVersion};
pub use describe::{Attribute, Description};
pub use error::{Error, ErrorKind, Fault};
pub use keyset::RowKey;
pub use number::{Number, NumberError};
pub use page::Page;
pub use query::{
    Attr, DateTimeLiteral, Digits, Direction, Expand, Fields, Filter, Finder, Limit, Pattern, Precision,
    Query, QueryError, Quoting, Selection, Value, Values, Zone,
};
pub use record::{
    Distribution, Invoice, InvoiceLine, PurchaseOrder, PurchaseOrderLine, RecordError, Schedule,
};
pub use resource::Resource;
pub use token::{TokenError, TokenErrorKind, TokenInfo};

/// One raw record, as Oracle wrote it.
pub use serde_json::value::RawValue;
