//! The client against an HTTP server on this machine.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod completing;
mod failing;
mod reading;
mod support;
mod tokens;
