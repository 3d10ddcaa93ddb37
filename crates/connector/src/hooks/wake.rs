//! From a delivery that was stored to the work: the job is made due, and this node looks at once.

use std::sync::Arc;

use tokio::sync::watch;

use crate::engine::Engine;
use crate::hooks::arrivals::Arrivals;
use crate::node::chain;
use crate::store::jobs::{self, Job};

/// Has the completions of connections looked at when something arrives for them, until `stop` turns true.
///
/// It is only a hint: what it misses is found when the job is due by itself.
pub async fn run(engine: Arc<Engine>, arrivals: Arc<Arrivals>, mut stop: watch::Receiver<bool>) {
    loop {
        let connections = tokio::select! {
            // a sender that is gone means the same as stop
            _ = stop.wait_for(|stop| *stop) => return,
            connections = arrivals.next() => connections,
        };
        for connection in connections {
            if let Err(error) = jobs::ask_for(&engine.db, connection, &[Job::Completions]).await {
                tracing::warn!(%connection, error = chain(&error), "the work could not be asked for");
            }
        }
        engine.wake();
    }
}
