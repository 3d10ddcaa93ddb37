//! When the database is gone, and when several nodes store at once.

use std::sync::Arc;

use connector::hooks::ingest::Limits;
use serde_json::json;

use crate::fixture::{House, completing, event, until};

#[tokio::test]
async fn without_a_database_everything_is_asked_for_again_and_taken_when_it_is_back() {
    let mut house = House::new().await;
    let node = house.node(Limits::default()).await;
    let (known, unknown) = (house.active("77").await, house.active("78").await);
    assert_eq!(node.deliver(&known, &completing(&["9001"])).await.status, 200);
    house.stop_database().await;
    for hook in [&known, &unknown] {
        let answer = node.deliver(hook, &completing(&["9002"])).await;
        assert_eq!((answer.status, answer.header("retry-after").is_some()), (503, true));
    }
    house.start_database().await;
    for hook in [&known, &unknown] {
        until("deliveries are taken again", || async {
            node.deliver(hook, &completing(&["9002"])).await.status == 200
        })
        .await;
    }
    assert_eq!(house.count("events").await, 4);
    node.end().await;
    house.end().await;
}

#[tokio::test]
async fn ten_identical_deliveries_through_two_receivers_are_one() {
    let house = House::new().await;
    let nodes = Arc::new([house.node(Limits::default()).await, house.node(Limits::default()).await]);
    let hook = house.active("77").await;
    let deliveries: Vec<_> = (0..10)
        .map(|number: usize| {
            let (nodes, hook) = (nodes.clone(), hook.clone());
            tokio::spawn(async move { nodes[number % 2].deliver(&hook, &completing(&["9001"])).await })
        })
        .collect();
    for delivery in deliveries {
        assert_eq!(delivery.await.unwrap().status, 200);
    }
    assert_eq!((house.count("events").await, house.count("deliveries").await), (2, 1));
    for node in Arc::into_inner(nodes).unwrap() {
        node.end().await;
    }
    house.end().await;
}

#[tokio::test]
async fn nodes_that_store_the_same_events_in_other_orders_do_not_block_each_other() {
    let house = House::new().await;
    let nodes = [house.node(Limits::default()).await, house.node(Limits::default()).await];
    let hook = house.active("77").await;
    for round in 0..4 {
        // many, so that both transactions are under way for a while
        let mut events: Vec<_> =
            (0..2_000).map(|task| event(&format!("{round}{task:04}"), "completed")).collect();
        let forwards = json!({"events": events}).to_string();
        events.reverse();
        let backwards = json!({"events": events}).to_string();
        let (one, other) =
            tokio::join!(nodes[0].deliver(&hook, &forwards), nodes[1].deliver(&hook, &backwards));
        assert_eq!((one.status, other.status), (200, 200), "round {round}");
    }
    // whoever came first in a round stored all of it
    assert_eq!((house.count("events").await, house.count("deliveries").await), (8_000, 4));
    let without = "select count(*) from events e where not exists
                       (select from deliveries d where d.delivery_id = e.delivery_id)";
    assert_eq!(house.number(without).await, 0);
    for node in nodes {
        node.end().await;
    }
    house.end().await;
}

#[tokio::test]
async fn what_waits_when_the_node_ends_is_stored_and_answered() {
    let house = House::new().await;
    let node = Arc::new(house.node(Limits::default()).await);
    let hook = house.active("77").await;
    let mut blocker = connector::store::begin(&house.engine.db).await.unwrap();
    sqlx::query("lock table deliveries in access exclusive mode").execute(&mut *blocker).await.unwrap();
    let waiting = tokio::spawn({
        let (node, hook) = (node.clone(), hook.clone());
        async move { node.deliver(&hook, &completing(&["9001"])).await }
    });
    let blocked = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'";
    until("the delivery waits for the table", || async { house.number(blocked).await == 1 }).await;
    let closing = tokio::spawn({
        let ingest = node.ingest.clone();
        async move { ingest.close().await }
    });
    until("no more is admitted", || async { node.ingest.admit(1).is_none() }).await;
    blocker.rollback().await.unwrap();
    assert_eq!(waiting.await.unwrap().status, 200);
    closing.await.unwrap();
    assert_eq!(node.deliver(&hook, &completing(&["9002"])).await.status, 503);
    assert_eq!(house.count("deliveries").await, 1);
    Arc::into_inner(node).unwrap().end().await;
    house.end().await;
}
