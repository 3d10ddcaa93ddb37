//! The log: standard error, filtered by `--log` or `ML_CONNECTOR_LOG`; in colours only on a terminal.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

use crate::cli::Global;

/// Starts the log. A filter that cannot be read falls back to warnings, and says so.
pub fn start(global: &Global) {
    let (filter, wrong) = match EnvFilter::try_new(&global.log) {
        Ok(filter) => (filter, None),
        Err(error) => (EnvFilter::new("warn"), Some(error)),
    };
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let started = if global.log_json { log.json().finish().try_init() } else { log.finish().try_init() };
    if let Err(error) = started {
        crate::output::complain(&format!("the log cannot be started: {error}"));
    }
    if let Some(error) = wrong {
        tracing::warn!(%error, filter = global.log, "the log filter cannot be read; showing warnings");
    }
}
