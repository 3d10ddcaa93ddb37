//! The push: writing what moved onto Asana's tasks.
//!
//! One node pushes for a connection at a time (the lease), so that a task's writes keep their order.
//! A cycle lists what changed in the mapped projects, then claims movements batch by batch, plans them,
//! stores each request before it is sent, and records what came of it. What an earlier cycle left
//! unfinished is in doubt and goes the same way: the listing shows whether its write happened.

pub mod classify;
pub mod cycle;
pub mod known;
pub mod listing;
pub mod parts;
pub mod plan;
pub mod sender;
pub(crate) mod walk;
pub mod world;

pub use cycle::{PushReport, run};
