//! Asana's deliveries over real HTTP, into a real PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test may stop where it meets what it does not expect")]

mod asana_double;
mod database;
mod deliveries;
mod fixture;
mod floods;
mod handshakes;
mod refusals;
mod registering;
mod watching;
mod wire;
