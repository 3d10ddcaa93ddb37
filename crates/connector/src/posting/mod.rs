//! Journals on their way: decided from a completion ([`build`]), driven to Oracle step by step ([`drive`]).
//!
//! Decisions are those of [`crate::journal`]; here they meet the database and Oracle. Whatever is decided is
//! committed before it is done.

mod around;
pub mod build;
pub mod drive;
pub mod ledger;
pub mod oracle;
pub mod reopen;

pub use drive::{JournalsReport, run};
