//! However often, in whatever order and through whatever node a completion is delivered, it has one journal.

use std::sync::Arc;

use connector::Engine;
use connector::ids::ConnectionId;
use connector::node;
use connector::store::hooks;
use connector::store::jobs::Job;
use connector::vault::{self, CredentialName};
use hmac::{Hmac, KeyInit, Mac};
use sandbox::asana::Sending;
use sandbox::{Fault, FaultRule, Side};
use secrecy::ExposeSecret;
use serde_json::json;
use sha2::Sha256;
use tokio::sync::watch;

use super::once::see_it_again;
use crate::fixture::World;

/// How often the same delivery is sent.
const TIMES: usize = 10;

impl World {
    /// The secret of the only registration.
    async fn hook_secret(&self) -> String {
        let registered = hooks::list(&self.engine.db, self.connection, 2, 2).await.unwrap();
        let [webhook] = registered.as_slice() else { panic!("{registered:?}") };
        let name = CredentialName::WebhookSecret(webhook.webhook);
        let mut db = self.engine.db.acquire().await.unwrap();
        let secret = vault::get(&mut db, &self.engine.master, self.connection, name).await.unwrap();
        secret.expose_secret().to_owned()
    }

    /// One completion, one journal, one submission, one batch.
    async fn is_posted_once(&self) {
        assert_eq!(self.completion().await.state, "journal");
        let (journal, ledger) = (self.journal().await, self.ledger());
        assert_eq!((journal.state.as_str(), journal.submissions), ("imported", 1));
        assert_eq!((ledger.one().id.to_string(), ledger.submitted()), (journal.batch_id.unwrap(), 1));
    }
}

async fn register(engine: &Engine, connection: ConnectionId) {
    node::run_once(engine, connection, &[Job::Webhooks], &watch::Sender::new(0)).await.unwrap();
}

/// Sweeps, looks and drives on a node until all of `sent` is so, and some more.
async fn work_until(engine: Arc<Engine>, connection: ConnectionId, mut sent: watch::Receiver<bool>) -> u32 {
    let mut rounds = 0;
    loop {
        let over = *sent.borrow_and_update();
        see_it_again(engine.clone(), connection).await;
        rounds += 1;
        if over {
            return rounds;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_completion_delivered_ten_times_through_two_nodes_during_sweeps_has_one_journal() {
    let world = World::with_journals().await;
    let task = world.ordered("US-1", &["10", "5.55"]).await;
    let nodes = [world.receiving().await, world.receiving().await];
    register(&nodes[0].engine, world.connection).await;
    let [registered] = world.sandbox.asana().webhooks().try_into().unwrap();
    let token = registered.target.rsplit_once('/').unwrap().1.to_owned();
    // only what the test sends arrives
    world.sandbox.asana().change_webhooks(|config| config.sending = Sending::Hold);
    world.complete(&task);
    let body = json!({ "events": [{
        "user": { "gid": "1", "resource_type": "user" }, "created_at": jiff::Timestamp::now().to_string(),
        "action": "changed", "resource": { "gid": task, "resource_type": "task" }, "parent": null,
        "change": { "field": "completed", "action": "changed" },
    }] })
    .to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(world.hook_secret().await.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let signature: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    // so that they meet
    world.fault(FaultRule::new(Fault::Delay { ms: 5 }).on(Side::Oracle));
    let (sent, all_sent) = watch::channel(false);
    let working = [0, 1].map(|n: usize| {
        tokio::spawn(work_until(nodes[n].engine.clone(), world.connection, all_sent.clone()))
    });
    let client = reqwest::Client::new();
    let deliveries: Vec<_> = (0..TIMES)
        .map(|number| {
            let target = format!("http://{}/hooks/asana/{token}", nodes[number % 2].address);
            let request = client.post(target).header("x-hook-signature", &signature);
            tokio::spawn(request.header("content-type", "application/json").body(body.clone()).send())
        })
        .collect();
    for delivery in deliveries {
        assert_eq!(delivery.await.unwrap().unwrap().status(), 200);
    }
    sent.send_replace(true);
    for node in working {
        assert!(node.await.unwrap() > 0);
    }
    world.sandbox.faults().clear();
    world.way_back().await;
    world.is_posted_once().await;
    assert_eq!(world.count("select count(*) from deliveries").await, 1);
    for node in nodes {
        node.end().await;
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn copies_that_come_late_and_out_of_order_bring_one_journal() {
    let world = World::with_journals().await;
    let task = world.ordered("US-1", &["10", "5.55"]).await;
    let nodes = world.two_receiving_at_one_address().await;
    register(&nodes[0].engine, world.connection).await;
    world.sandbox.asana().change_webhooks(|config| {
        (config.copies, config.reordered, config.delay_ms) = (5, true, 1_500);
        (config.at_once, config.events_per_delivery) = (4, 1);
    });
    world.complete(&task);
    world.type_in(&task, "cost", 15.55);
    let (sent, all_sent) = watch::channel(false);
    let working = [0, 1].map(|n: usize| {
        tokio::spawn(work_until(nodes[n].engine.clone(), world.connection, all_sent.clone()))
    });
    world.sandbox.clock().advance(jiff::SignedDuration::from_secs(2));
    world.sandbox.asana().deliveries_settled().await;
    sent.send_replace(true);
    for node in working {
        assert!(node.await.unwrap() > 0);
    }
    let counts = world.sandbox.asana().delivery_counts();
    assert!(counts.events >= 10 && counts.failures == 0 && counts.delivered >= 10, "{counts:?}");
    world.way_back().await;
    world.is_posted_once().await;
    let completing = "select count(*) from events where field = 'completed' and resource_gid in
                          (select task_gid from completions)";
    assert_eq!(world.count(completing).await, 1);
    for node in nodes {
        node.end().await;
    }
    world.end().await;
}
