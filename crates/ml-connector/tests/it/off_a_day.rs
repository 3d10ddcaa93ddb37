//! The service is off for more than a day: Asana gives up its webhooks, and people go on completing tasks. After the
//! start everything mends itself, and one alert tells of it.

use std::time::{Duration, Instant};

use jiff::SignedDuration;
use sandbox::asana::Edit;
use serde_json::Value;

use crate::door::Door;
use crate::pair::Pair;
use crate::program::{Running, start, until};
use crate::world::World;

struct Scene {
    world: World,
    pair: Pair,
    door: Door,
}

impl Scene {
    async fn serve(&self) -> Running {
        let args = ["serve", "--listen", "127.0.0.1:0", "--public-url", &self.door.url];
        let mut node = start(self.world.program(&args));
        self.door.leads_to(Some(node.takes_deliveries().await));
        node
    }

    /// Waits as long as so many tasks may take on a slow machine.
    async fn reaches(&self, what: &str, sql: &'static str, count: usize) {
        let (begin, patience) = (Instant::now(), Duration::from_secs(120 + count as u64));
        loop {
            let now = self.world.count(sql).await;
            if now == count as i64 {
                return;
            }
            assert!(begin.elapsed() < patience, "{now} of {count}: {what}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Completes every task while nobody takes deliveries, and lets 25 hours pass: Asana deletes the webhooks.
    async fn a_day_passes(&self) {
        self.door.leads_to(None);
        let state: Value = serde_json::from_str(&self.pair.sandbox.asana().state_json()).unwrap();
        for task in state["tasks"].as_object().unwrap().keys() {
            self.pair.sandbox.asana().apply(Edit::CompleteTask { task: task.clone() }).unwrap();
        }
        let (asana, clock) = (self.pair.sandbox.asana(), self.pair.sandbox.clock());
        until("a delivery failed and was tried again", || async {
            clock.advance(SignedDuration::from_secs(1));
            asana.webhooks().iter().all(|hook| hook.retries > 0)
        })
        .await;
        clock.advance(SignedDuration::from_hours(25));
        assert_eq!(asana.webhooks(), [], "Asana gives up after a day");
        // the same day for the service
        self.world.execute("update webhooks set active_at = active_at - interval '25 hours'").await;
        self.world.execute("update jobs set due_at = due_at - interval '25 hours'").await;
    }

    async fn story(&self) -> Vec<Value> {
        let all = self.world.succeeds(&["alerts", "list", "main", "--all", "--json"]).await.json();
        let all = all.as_array().unwrap().iter();
        all.filter(|alert| alert["kind"] == "webhooks_lost").cloned().collect()
    }
}

#[expect(clippy::print_stdout, reason = "whoever runs it looks at it")]
async fn tasks_completed_in_a_day_off(count: usize) {
    let pair = Pair::with_journals("a-client-secret", "an-asana-token");
    let (world, pair, door) = tokio::join!(World::new(), pair, Door::new());
    pair.add_orders(count);
    world.add("main", &pair).await;
    world.succeeds(&["connection", "activate", "main", "--without-dry-run"]).await;
    let scene = Scene { world, pair, door };
    let node = scene.serve().await;
    scene.reaches("tasks made", "select count(*) from links where task_gid is not null", count).await;
    let active = "select count(*) from webhooks where state = 'active'";
    scene.reaches("webhooks active", active, 1).await;
    node.stop().await.ends_with(0);
    scene.a_day_passes().await;

    let begin = Instant::now();
    let node = scene.serve().await;
    let lost = "select count(*) from webhooks where state = 'lost'";
    scene.reaches("webhooks found lost", lost, 1).await;
    scene.reaches("webhooks registered anew", active, 1).await;
    let registered = begin.elapsed();
    let imported = "select count(*) from journals where state = 'imported'";
    scene.reaches("journals imported", imported, count).await;
    let journals = begin.elapsed();
    // it may be over before anybody looked: then it is written down as closed
    let closed = "select count(*) from alerts where kind = 'webhooks_lost' and closed_at is not null";
    scene.reaches("the alert closed by itself", closed, 1).await;
    println!(
        "{count} tasks: registered anew {registered:?}, all journals {journals:?}, alert closed {:?} after the start",
        begin.elapsed()
    );
    assert_eq!(scene.pair.batches(), count, "one batch for each task");
    assert_eq!(scene.pair.sandbox.asana().webhooks().len(), 1);
    let story = scene.story().await;
    let [alert] = story.as_slice() else { panic!("one alert, not {story:#?}") };
    let detail = alert["detail"].as_str().unwrap();
    println!("{alert:#}");
    assert_eq!(alert["count"], 1, "{alert}");
    assert!(!alert["closed_at"].is_null() && alert["acked_at"].is_null(), "{alert}");
    assert!(alert["title"].as_str().unwrap().contains("1 registered anew"), "{alert}");
    // events of the connector's own writes, by the new webhook, may lead to a completion before the sweep does
    let swept = scene.world.count("select count(*) from completions where found_by = 'sweep'").await;
    println!("{swept} of {count} completions were found by the sweep");
    assert!(swept > 0 && detail.contains(&format!(": {swept} completion")), "{swept}: {detail}");
    assert!(detail.contains(&format!("{swept} of them with an imported journal")), "{detail}");
    node.stop().await.ends_with(0);
    scene.world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_off_loses_no_completion_and_is_told_once() {
    tasks_completed_in_a_day_off(12).await;
}

/// `script/day-off`
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes"]
async fn a_day_off_with_hundreds_of_completions() {
    let count = std::env::var("TASKS").ok().map_or(500, |text| text.parse().unwrap());
    tasks_completed_in_a_day_off(count).await;
}
