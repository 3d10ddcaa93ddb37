//! A client for the Oracle Fusion Cloud ERP REST resources that carry purchase orders and payables
//! invoices, and for the import of journals into general ledger.
//!
//! **It has no function that could write a purchase order or an invoice.** Collections are only ever asked with
//! `GET`. There are three `POST`s: one obtains a token, and two go to `erpintegrations`, of which
//! [`Fusion::import_bulk_data`] imports a journal, the only thing that can be created, and
//! [`Fusion::job_details`] only reads. The job that is started can be none but the import of journals
//! ([`JobName`]).
//!
//! Oracle's own words are kept (a resource, a finder, an expanded child), and a record keeps its raw JSON text,
//! so that no amount ever passes through a float. Nothing is sent again by itself, except once after a 401.
//!
//! - [`Fusion`] sends requests. Feeds: [`Fusion::page`], [`Fusion::describe`], [`Fusion::complete`].
//! - [`Query`] says what to ask for, [`Filter`] which rows; no value can break out of either.
//! - [`keyset::Keyset`] decides which page comes next, as a pure state machine.
//! - [`PurchaseOrder`] and [`Invoice`] are typed views of one raw record.
//! - A journal: [`BulkImport`] is sent by [`Fusion::import_bulk_data`]; an error that
//!   [may have happened](Error::may_have_happened) must be looked into before the next try. Then
//!   [`Fusion::job_tree`], [`Fusion::job_status`] and [`parse_callback`] tell how far the jobs are,
//!   [`Fusion::job_details`] and [`import_codes`] why they failed, and [`Fusion::journal_batches_of`] what came
//!   of them.
//! - What a journal needs to know: [`Fusion::ledger`], [`Fusion::periods`], [`Fusion::account_combination`],
//!   [`Fusion::journal_sources_named`], [`Fusion::journal_categories_named`], [`Fusion::data_access_sets_of`].
//! - Reference data: [`Resource::Suppliers`] are read in pages with a keyset, [`Supplier`] is one of them;
//!   [`Fusion::account_page`] reads the account combinations of a chart of accounts.
//!
//! No empty answer of a read is ever a proof that something does not exist: who may not see the rows is answered
//! with success and none.
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
mod collection;
mod complete;
mod config;
mod describe;
mod error;
mod http;
mod integration;
pub mod keyset;
mod ledger;
mod number;
mod object;
mod page;
mod query;
mod record;
mod resource;
mod scalar;
mod token;

pub use client::Fusion;
pub use collection::{Collection, Lookup};
pub use complete::is_truncated;
pub use config::{Config, FrameworkVersion, Timeouts};
pub use describe::{Attribute, Description, Missing, Misstep};
pub use error::{Error, ErrorKind, Fault};
pub use integration::{
    BulkImport, BulkImportError, DocumentAccount, FileName, FlexfieldImport, GroupId, IMPORT_JOURNALS, Job,
    JobClass, JobName, JobOptions, JobStatus, JobTree, JobTreeError, JournalImportParameters, JournalSource,
    LogEntry, NotificationCode, Outcome, RequestId, Submission, Summary, Suspense, ZipDocument, import_codes,
    is_import_code, parse_callback,
};
pub use keyset::RowKey;
pub use ledger::{AccountCombination, JournalBatch, Ledger, ListRow, Period, PeriodStatus, Segment};
pub use number::{Number, NumberError};
pub use page::{Page, Placed};
pub use query::{
    Attr, DateTimeLiteral, Digits, Direction, Expand, Fields, Filter, Finder, Limit, Pattern, Precision,
    Query, QueryError, Quoting, Selection, Value, Values, Wildcard, Zone,
};
pub use record::{
    Distribution, Invoice, InvoiceLine, PurchaseOrder, PurchaseOrderLine, RecordError, Schedule, Supplier,
};
pub use resource::Resource;
pub use token::{TokenError, TokenErrorKind, TokenInfo};

/// One raw record, as Oracle wrote it.
pub use serde_json::value::RawValue;
