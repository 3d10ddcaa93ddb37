//! Calling the outside world: when a request may leave, how long to wait before the next one, and what became of
//! each.
//!
//! - [`Pacer`] is one rate budget: every request waits in it before it leaves. Many processes keep to one budget by a
//!   [`Source`], of which each takes places ahead, a second's worth at a time.
//! - [`backoff`] says how long to wait after a failure.
//! - [`exchange`] notes every exchange for whoever wants to keep it.
//! - [`right`] keeps requests back whose sender has lost the right to send them.
//!
//! It knows neither what is sent nor to whom, and sends nothing itself.

pub mod backoff;
pub mod exchange;
mod pacer;
mod rate;
pub mod right;
mod schedule;
mod shared;

pub use exchange::{Ending, Exchange};
pub use pacer::Pacer;
pub use rate::{Bucket, Rate, WINDOW};
pub use right::{Moment, Right};
pub use shared::{Answer, Grant, Source, Want};
