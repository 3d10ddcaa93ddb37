//! Settings that are changed while a push is under way.

use connector::store::jobs::Job;
use sandbox::{Fault, FaultRule, Side};

use crate::fixture::World;

#[tokio::test]
async fn what_a_change_made_due_is_not_written_by_the_settings_before_it() {
    let world = World::new().await;
    for n in 0..20 {
        world.order(&format!("US-{n}"), &["10"]);
    }
    world.sync().await;
    assert_eq!(world.task("US-1").shows("cost_center"), Some("10"));
    let segment =
        |position| world.edit(move |settings| settings.routing.account.cost_center_segment = position);
    assert_eq!(segment(3).await.unwrap(), 20);
    let slow = world.fault(FaultRule::new(Fault::Delay { ms: 300 }).on(Side::Asana).method("PUT"));
    let (pushed, ()) = tokio::join!(world.run(Job::Push), async {
        world.until("a write", |world| world.fired(slow) > 0).await;
        assert_eq!(segment(1).await.unwrap(), 20, "all of them, whatever waits already");
    });
    pushed.unwrap();
    assert_eq!(world.task("US-1").shows("cost_center"), Some("60540"), "the push wrote by what it knew");
    world.sandbox.faults().clear();
    world.run(Job::Push).await.unwrap();
    for n in 0..20 {
        assert_eq!(world.task(&format!("US-{n}")).shows("cost_center"), Some("101"));
    }
    // whoever opened them, ids sort by time
    let ids: Vec<uuid::Uuid> = sqlx::query_scalar("select movement_id from movements order by created_at")
        .fetch_all(&world.engine.db)
        .await
        .unwrap();
    assert!(ids.len() >= 60 && ids.iter().all(|id| id.get_version_num() == 7), "{ids:?}");
    world.end().await;
}
