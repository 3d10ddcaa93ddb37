//! From what arrived to the work on it: the task of a node that has the jobs of completions begin at once.
//!
//! It only asks for jobs. Arrivals that are lost with the process are found again when it starts, and by the
//! sweep.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::engine::Engine;
use crate::error::Result;
use crate::hooks::arrivals::Arrivals;
use crate::ids::ConnectionId;
use crate::node::chain;
use crate::store::connections;
use crate::store::jobs::{self, Job};

/// Pause before jobs are asked for again, when the database did not take it.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// Asks for completions of every connection whose events arrive, until `stop` turns true. Begins with those of all
/// connections that make journals: a process that ended between storing events and asking left some behind.
pub async fn run(engine: Arc<Engine>, arrivals: Arc<Arrivals>, mut stop: watch::Receiver<bool>) {
    let mut unasked: BTreeSet<ConnectionId> = BTreeSet::new();
    let mut all = true;
    loop {
        if all || !unasked.is_empty() {
            let asked = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return,
                asked = ask(&engine, &unasked, all) => asked,
            };
            match asked {
                Ok(()) => {
                    unasked.clear();
                    all = false;
                    engine.wake();
                }
                Err(error) => tracing::warn!(error = chain(&error), "no work on events could be asked for"),
            }
        }
        let failed = all || !unasked.is_empty();
        tokio::select! {
            biased;
            // a sender that is gone means the same as stop
            _ = stop.wait_for(|stop| *stop) => return,
            arrived = arrivals.next() => unasked.extend(arrived),
            () = tokio::time::sleep(ASK_AGAIN), if failed => {}
        }
    }
}

async fn ask(engine: &Engine, arrived: &BTreeSet<ConnectionId>, all: bool) -> Result<()> {
    for connection in arrived {
        jobs::ask_for(&engine.db, *connection, &[Job::Completions]).await?;
    }
    if all {
        let known = connections::list(&engine.db).await?;
        for connection in known.iter().filter(|connection| connection.settings.journal.is_some()) {
            jobs::ask_for(&engine.db, connection.id, &[Job::Completions]).await?;
        }
    }
    Ok(())
}
