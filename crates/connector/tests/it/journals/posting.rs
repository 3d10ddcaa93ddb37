//! A completed task becomes one journal that charges its order's distributions.

use super::ledger::decimal;
use crate::fixture::World;

/// Where an order's line is charged when nothing else is said.
const CHARGED: &str = "101.10.60540.000.000.000";
const CLEARING: &str = "101.10.21990.000.000.000";

#[tokio::test]
async fn a_completed_task_brings_one_imported_batch() {
    let world = World::with_journals().await;
    let task = world.ordered("US-1", &["1200.10", "99.90"]).await;
    world.complete(&task);
    world.way_back().await;
    let ledger = world.ledger();
    let batch = ledger.one();
    assert_eq!(
        batch.lines(),
        [(CHARGED, decimal("1200.10")), (CHARGED, decimal("99.90")), (CLEARING, decimal("-1300.00"))]
    );
    assert_eq!(ledger.submitted(), 1);
    assert!(ledger.interface.is_empty(), "{ledger:?}");
    let journal = world.journal().await;
    assert_eq!((journal.state.as_str(), journal.submissions), ("imported", 1));
    assert_eq!(journal.batch_id, Some(batch.id.to_string()));
    assert_eq!(journal.group_id, batch.group.to_string());
    let completion = world.completion().await;
    assert_eq!((completion.state.as_str(), completion.ordinal), ("journal", 1));
    for step in world.steps(&journal).await {
        println!("{} {} | {:?} | {:?}", step.state, step.what, step.request, step.response);
    }
    assert_eq!(
        world.task("US-1").shows("journal_status"),
        Some(format!("Journal imported: batch {}", batch.id).as_str())
    );
    world.end().await;
}
