//! The time line of an order and of its task.

use connector::Code;
use connector::store::connections;
use connector::trace::{self, Place, Trace};

use crate::fixture::World;

impl World {
    async fn trace(&self, what: &str) -> connector::Result<Trace> {
        let connection = connections::load(&self.engine.db, self.connection).await?;
        trace::of(&self.engine.db, &connection, what).await
    }
}

#[tokio::test]
async fn an_order_and_its_task_have_one_story_from_oracle_to_the_batch() {
    let world = World::with_journals().await;
    let order = world.order("US-1", &["10"]);
    world.order("US-2", &["10"]);
    world.sync().await;
    let task = world.task("US-1").gid;
    world.set_amount(order, 1, "12.50");
    world.sync().await;
    world.complete(&task);
    world.way_back().await;

    let told = world.trace("US-1").await.unwrap();
    assert_eq!(told.subjects.tasks, std::slice::from_ref(&task));
    assert_eq!(told.subjects.records, [order.to_string()], "not those of the other order");
    assert!(!told.cut);
    assert!(told.entries.is_sorted_by_key(|entry| entry.at));
    let mut from = 0;
    for (place, words) in [
        (Place::Connector, "movement opened"),
        (Place::Asana, "sent to Asana"),
        (Place::Connector, "delivered: created"),
        (Place::Connector, "delivered: updated"),
        (Place::Connector, "planned, group"),
        (Place::Oracle, "journal imported"),
    ] {
        let found = told.entries[from..].iter().position(|e| e.place == place && e.what.contains(words));
        from += found.unwrap_or_else(|| panic!("{words:?} comes not after: {:#?}", told.entries)) + 1;
    }
    for words in [
        "newest text stored",
        "asked: create_task, HTTP 201",
        "asked: update_task, HTTP 200",
        "completed",
        "seen by sweep",
        "found by the sweep",
        "completion 1 is journal",
    ] {
        assert!(told.entries.iter().any(|e| e.what.contains(words)), "{words:?} in {:#?}", told.entries);
    }
    let mut written = told.entries.iter().filter(|e| e.what.contains("sent to Asana"));
    assert!(written.any(|e| e.full.as_ref().is_some_and(|full| full.contains("12.5"))), "the new amount");
    // the same from the other end
    assert_eq!(world.trace(&task).await.unwrap().entries, told.entries);
    // an order that was tried very often: what is left out is said
    world
        .sql(
            "insert into attempts (connection_id, attempt_id, subject_kind, subject_id, at, what, outcome, elapsed_ms,
                                   node_id)
             select connection_id, new_movement_id(), 'movement', movement_id, now(), 'update_task', 'timed_out', 1,
                    gen_random_uuid()
             from movements, generate_series(1, 2000)",
        )
        .await;
    assert!(world.trace("US-1").await.unwrap().cut);
    assert_eq!(world.trace("US-3").await.unwrap_err().code, Code::TraceUnknown);
    world.end().await;
}
