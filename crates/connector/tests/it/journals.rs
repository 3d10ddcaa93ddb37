//! From a completed task to a journal in Oracle's ledger: each rule against both stand-ins, over HTTP, on a real
//! PostgreSQL.

mod ledger;
mod posting;
mod world;
