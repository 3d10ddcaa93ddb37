//! The engine of ml-connector: keeps Asana tasks in agreement with Oracle Fusion's purchase orders and
//! payables invoices.
//!
//! It never writes to Oracle, knows nothing of HTTP servers or pages, and keeps everything it must not
//! forget in PostgreSQL. The journey of a purchase order: [`feed::poll`] reads and stores it and opens a
//! movement; [`push`] claims the movement, computes the values ([`mapping`]), finds the task and writes
//! what differs.

pub mod alerts;
pub mod amount;
pub mod apply;
pub mod charge_account;
pub mod code;
pub mod completion;
pub mod dry_run;
pub mod engine;
pub mod erase;
pub mod error;
pub mod feed;
pub mod guide;
pub mod hooks;
pub mod ids;
pub mod invoice_status;
pub mod journal;
pub mod key;
pub mod limits;
pub mod manage;
pub mod mapping;
pub mod node;
pub mod ping;
pub mod posting;
pub mod provision;
pub mod purpose;
pub mod push;
pub mod reconcile;
pub mod record;
pub mod reference;
pub mod replay;
pub mod retention;
pub mod routing;
pub mod search;
pub mod settings;
pub mod sharing;
pub mod store;
pub mod template;
pub mod trace;
pub mod trouble;
pub mod vault;

pub use code::Code;
pub use engine::Engine;
pub use error::{Error, Result};
pub use outbound::backoff;
