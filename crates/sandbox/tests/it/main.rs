//! The stand-ins over HTTP, as a client meets them.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop where it meets what it does not expect"
)]

mod asana;
mod control;
mod documented_edits;
mod faulty;
mod oracle;
mod pod;
