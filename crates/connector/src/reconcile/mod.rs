//! Reconciliation: both systems are read completely, and every difference is told.
//!
//! What a task should show is computed by the planner of the push, over what was read just now
//! ([`dry_run`](crate::dry_run)); there is no second way. Comparing writes nothing, neither to Oracle nor to Asana nor
//! to the database. Repairing ([`repair`]) opens movements, so that the record log explains every write.

mod books;
mod check;
mod records;
pub mod repair;
pub mod report;
mod sides;

pub use check::check;
