//! The client against an HTTP server on this machine.

mod completing;
mod failing;
mod reading;
mod support;
mod tokens;
