//! Completions: from an event, which is only a hint to look, to a task that is known to be complete.
//!
//! What counts is the task as it is read, never the event. Nothing here writes to Asana or to Oracle.

pub mod see;
pub mod sweep;
pub mod work;

pub use work::{CompletionsReport, run};
