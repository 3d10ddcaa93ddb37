//! Journals on their way: decided from a completion ([`build`]), driven to Oracle step by step ([`drive`]);
//! for people told in full ([`story`]), or before anything happens ([`preview`]).
//!
//! Decisions are those of [`crate::journal`]; here they meet the database and Oracle. Whatever is decided is
//! committed before it is done.

mod around;
pub mod build;
pub mod drive;
mod elsewhere;
mod intent;
pub mod ledger;
pub mod lines;
pub mod lookup;
pub mod oracle;
pub mod preview;
mod redate;
pub mod reopen;
pub mod replay;
pub mod resolve;
mod settled;
pub mod story;

pub use drive::{JournalsReport, run};
