//! The engine against the stand-ins, over HTTP, on a real PostgreSQL.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop where it meets what it does not expect"
)]

mod alerts;
mod alerts_sent;
mod asana_trouble;
mod asana_writes;
mod choices;
mod corpora;
mod documented;
mod drift;
mod dry_run;
mod erase;
mod expected;
mod fields;
mod first_sync;
mod fixture;
mod histories;
mod invoices;
mod journals;
mod leases;
mod ledger_ping;
mod limits;
mod log;
mod mapping;
mod migrations;
mod money;
mod options;
mod oracle_forms;
mod oracle_trouble;
mod plans;
mod pods;
mod preview;
mod provision;
mod real_orders;
mod reconcile;
mod reference;
mod replay;
mod retention;
mod routing;
mod search;
mod secrets;
mod settings_changed;
mod sharing;
mod task_attributes;
mod tasks;
mod throttled;
mod transactions;
mod wake;
