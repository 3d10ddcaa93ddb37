//! PostgreSQL goes away at once under a node's hands, and comes back.

use std::time::{Duration, Instant};

use super::{Scene, checker};
use crate::program::until;

/// How long the database is away.
const AWAY: Duration = Duration::from_secs(4);
/// Until the jobs that it interrupted can be claimed again; their leases last a minute.
const GIVEN_BACK_WITHIN: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_stopped_at_once_and_started_again_costs_nothing() {
    let mut scene = Scene::new(1, 1).await;
    until("the project is watched", || async {
        scene.world.count("select count(*) from webhooks where state = 'active'").await == 1
    })
    .await;
    until("the tasks are made", || async { scene.pair.tasks().len() == 5 }).await;
    scene.both(|pair| pair.add_orders(20));
    scene.complete(1);
    scene.let_time_pass().await;
    let before = scene.pair.tasks().len();
    until("work is under way", || async { scene.pair.tasks().len() > before }).await;

    scene.world.fell_database().await;
    let gone = Instant::now();
    scene.complete(1);
    until("a delivery is refused", || async {
        let attempts = scene.pair.sandbox.asana().delivery_attempts();
        attempts.iter().any(|attempt| attempt.status == Some(503))
    })
    .await;
    until("it was away for a while", || async { gone.elapsed() >= AWAY }).await;
    assert!(scene.nodes[0].running.runs(), "the node ended with its database");

    scene.world.raise_database().await;
    let back = Instant::now();
    // long before its leases would have run out
    until("the node gives its jobs back", || async {
        let of_before = "select count(*) from jobs where lease_until is not null and started_at < pg_postmaster_start_time()";
        scene.world.count(of_before).await == 0
    })
    .await;
    assert!(back.elapsed() < GIVEN_BACK_WITHIN, "after {:?}", back.elapsed());
    let found = scene.converge().await;
    assert!(found.is_empty(), "{found:#?} {:#?}", checker::tasks(&scene));
    assert!(scene.nodes[0].running.runs(), "the node ended afterwards");
    scene.stop().await;
    scene.world.end().await;
}
