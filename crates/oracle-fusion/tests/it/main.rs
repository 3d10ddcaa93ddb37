//! The client against an HTTP server on this machine.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod completing;
mod failing;
mod following;
mod importing;
mod invariants;
mod journals;
mod reading;
mod references;
mod stand_in;
mod support;
mod tokens;
mod wire;
