//! The other half of the demo: tasks are completed in Asana, and become journals in Oracle.

use std::sync::Arc;
use std::time::{Duration, Instant};

use connector::Engine;
use connector::hooks::ingest::{Ingest, Limits};
use connector::store::{connections, hooks, journals, outbox};
use connector::{hooks::wake, manage, node};
use console::hooks::{Doors, Receiver};
use sandbox::asana::Edit;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::scene::Scene;
use crate::commands::poll::Shown;

/// Tasks that are completed at most: enough to see, and quick at Asana's and Oracle's pace.
const COMPLETED: usize = 100;
/// At most one task in so many is completed, so that the board stays full.
const ONE_IN: usize = 4;
/// How long all of it may take.
const PATIENCE: Duration = Duration::from_mins(3);
/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The node and the receiver of webhooks, at work.
pub struct Serving {
    stop: watch::Sender<bool>,
    ingest: Arc<Ingest>,
    tasks: Vec<JoinHandle<()>>,
}

impl Serving {
    /// Starts both; the connection is activated.
    pub async fn start(scene: &Scene, hooks: TcpListener) -> anyhow::Result<Serving> {
        let engine = scene.engine.clone();
        let stop = watch::Sender::new(false);
        let ingest = Ingest::start(&engine.db, Limits::default());
        let receiver = Receiver::new(engine.clone(), ingest.clone());
        let tasks = vec![
            tokio::spawn(console::hooks::serve(hooks, receiver, Doors::default(), stop.subscribe())),
            tokio::spawn(wake::run(engine.clone(), ingest.arrived(), stop.subscribe())),
            tokio::spawn(node::run(engine.clone(), stop.subscribe())),
        ];
        let connection = connections::load(&engine.db, scene.connection).await?;
        if connection.state != connections::State::Active {
            manage::activate(&engine, &connection, manage::FirstLook::Waived).await?;
        }
        Ok(Serving { stop, ingest, tasks })
    }

    /// Ends both in order.
    pub async fn end(self) -> anyhow::Result<()> {
        self.stop.send_replace(true);
        for task in self.tasks {
            task.await?;
        }
        self.ingest.close().await;
        Ok(())
    }
}

/// Completes tasks as a person would, and waits until each has its journal, or the reason why there is none.
/// Returns the tasks.
pub async fn complete(scene: &Scene) -> anyhow::Result<Vec<String>> {
    let begun = Instant::now();
    until(begun, "Asana's webhook to be registered", async || is_watched(&scene.engine, scene).await).await?;
    let tasks = chosen(scene)?;
    for task in &tasks {
        let edit = Edit::CompleteTask { task: task.clone() };
        scene.sandbox.asana().apply(edit).map_err(anyhow::Error::msg)?;
    }
    let total = u64::try_from(tasks.len()).unwrap_or(u64::MAX);
    let progress = watch::Sender::new(0);
    let shown = Shown::start(&progress, "completed tasks to journals", Some(total));
    let settled = until(begun, "all journals to be settled", async || {
        let count = journals::count(&scene.engine.db, scene.connection).await?;
        progress.send_replace(count.settled.unsigned_abs());
        let open = outbox::open(&scene.engine.db, scene.connection).await?.count;
        Ok(count.completions.unsigned_abs() >= total && count.unsettled == 0 && open == 0)
    })
    .await;
    shown.end();
    settled?;
    Ok(tasks)
}

async fn is_watched(engine: &Engine, scene: &Scene) -> anyhow::Result<bool> {
    let registrations = hooks::list(&engine.db, scene.connection, 10, 10).await?;
    Ok(registrations.iter().any(|registration| registration.state == hooks::State::Active))
}

#[derive(Deserialize)]
struct State {
    tasks: std::collections::BTreeMap<String, serde::de::IgnoredAny>,
}

fn chosen(scene: &Scene) -> anyhow::Result<Vec<String>> {
    let state: State = serde_json::from_str(&scene.sandbox.asana().state_json())?;
    // from all over the board, since what is alike stands together
    let step = ONE_IN.max(state.tasks.len().div_ceil(COMPLETED));
    Ok(state.tasks.into_keys().step_by(step).collect())
}

async fn until(
    begun: Instant,
    what: &str,
    mut is_so: impl AsyncFnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    while !is_so().await? {
        anyhow::ensure!(begun.elapsed() < PATIENCE, "waited {} s for {what}", PATIENCE.as_secs());
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}
