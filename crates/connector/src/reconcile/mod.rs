//! Reconciliation: both systems are read completely, and every difference is told.
//!
//! What a task should show is computed by the planner of the push, over what was read just now
//! ([`dry_run`](crate::dry_run)); there is no second way. Comparing writes nothing, neither to Oracle nor to Asana nor
//! to the database. A run ([`run`]) keeps what it found; its repairs ([`repair`]) are movements, so that the record log
//! explains every write.

mod books;
mod check;
pub mod fate;
pub mod last;
mod records;
pub mod repair;
pub mod report;
pub mod run;
mod sides;

pub use check::check;
