//! From a completed task to a journal in Oracle's ledger: each rule against both stand-ins, over HTTP, on a real
//! PostgreSQL.

mod crashes;
mod delivered;
mod held;
mod histories;
mod ledger;
mod lines;
mod lost_answers;
mod once;
mod periods;
mod posting;
mod receiving;
mod rejected;
mod reopened;
mod replayed;
mod resolved;
mod tasks;
mod trace;
mod workspace;
mod world;
