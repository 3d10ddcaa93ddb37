//! The dry run: what a synchronisation would write, without writing anything.
//!
//! It reads Oracle and lists the mapped projects as a synchronisation does, and plans with the very planner of the
//! push. What it reads is kept in an unlinked temporary file ([`spool`]), so that memory holds only ids and order
//! numbers. It never writes to Asana or Oracle, and to the database only the note that it was made. With settings that are
//! not stored ([`preview`]) it leaves no note.

mod compare;
pub(crate) mod gather;
pub mod report;
mod run;
pub(crate) mod spool;
pub(crate) mod world;

pub(crate) use run::plan_all;
pub use run::{Options, preview, run};
