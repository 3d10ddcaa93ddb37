//! Events that arrive, and those that were left behind, have completions looked at.

use std::sync::Arc;

use connector::hooks::event;
use connector::hooks::ingest::{Delivery, Ingest, Limits};
use connector::hooks::resource::ResourceKind;
use connector::hooks::wake;
use connector::ids::{DeliveryId, WebhookId};
use connector::store::jobs::{self, Job};
use tokio::sync::watch;

use crate::fixture::World;

impl World {
    /// Whether completions are asked for.
    async fn is_asked_for(&self) -> bool {
        let all = jobs::status(&self.engine.db, self.connection).await.unwrap();
        all.into_iter().any(|status| status.job == Job::Completions.as_str() && status.due_at.is_some())
    }

    async fn until_asked_for(&self) {
        let patience = std::time::Instant::now() + std::time::Duration::from_secs(30);
        while !self.is_asked_for().await {
            assert!(std::time::Instant::now() < patience, "completions are not asked for");
            tokio::task::yield_now().await;
        }
    }

    async fn deliver(&self, ingest: &Arc<Ingest>, gid: &str) {
        let body = format!(
            r#"{{"events":[{{"action":"changed","created_at":"2026-05-04T08:00:00Z","resource":{{"gid":"{gid}","resource_type":"task"}}}}]}}"#
        );
        let events = event::read(ResourceKind::Project, &body).unwrap();
        let (id, webhook) = (DeliveryId::new(), WebhookId::new());
        let delivery = Delivery { id, connection: self.connection, webhook, body, events };
        let admission = ingest.admit(delivery.body.len()).unwrap();
        ingest.commit(admission, delivery).await.unwrap();
    }
}

#[tokio::test]
async fn a_delivery_that_was_stored_has_its_connection_looked_at() {
    let world = World::with_journals().await;
    let ingest = Ingest::start(&world.engine.db, Limits::default());
    let (stop, stopped) = watch::channel(false);
    let waking = tokio::spawn(wake::run(world.engine.clone(), ingest.arrived(), stopped));
    // what an earlier process left behind is asked for first
    world.until_asked_for().await;
    world.engine.woken().await;
    world.sql("update jobs set due_at = null").await;
    for gid in ["1", "2"] {
        world.deliver(&ingest, gid).await;
        world.until_asked_for().await;
        world.engine.woken().await;
        world.sql("update jobs set due_at = null").await;
    }
    stop.send_replace(true);
    waking.await.unwrap();
    ingest.close().await;
    world.end().await;
}

#[tokio::test]
async fn a_connection_without_journals_is_not_looked_at() {
    let world = World::new().await;
    let ingest = Ingest::start(&world.engine.db, Limits::default());
    let (stop, stopped) = watch::channel(false);
    let waking = tokio::spawn(wake::run(world.engine.clone(), ingest.arrived(), stopped));
    // the first asking has ended when it wakes the node
    world.engine.woken().await;
    assert!(!world.is_asked_for().await);
    drop(stop);
    waking.await.unwrap();
    ingest.close().await;
    world.end().await;
}
