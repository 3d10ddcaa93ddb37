//! The program as people run it: the real binary against stand-ins that the test serves, on a real PostgreSQL.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop where it meets what it does not expect"
)]

mod budget;
mod chaos;
mod commands;
mod demo;
mod door;
mod echo;
mod erase;
mod follow;
mod guide;
mod kill;
mod kill_journals;
mod mapping;
mod narrow;
mod off_a_day;
mod outage;
mod pair;
mod private_server;
mod program;
mod reconcile;
mod replay;
mod resolve;
mod search;
mod secrets;
mod settings_files;
mod settings_history;
mod setup;
mod terminal;
mod two_nodes;
mod way_back;
mod world;
