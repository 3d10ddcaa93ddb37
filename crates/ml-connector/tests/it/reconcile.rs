//! `reconcile`: what it prints, how it ends, and that it puts right what somebody changed.

use sandbox::asana::Edit;

use crate::pair::Pair;
use crate::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_value_ends_the_check_with_3_and_is_put_right() {
    let (world, pair) = tokio::join!(World::new(), Pair::new());
    pair.add_orders(4);
    world.add("main", &pair).await;
    world.succeeds(&["poll", "main"]).await;
    let agrees = world.run(&["reconcile", "main", "--check", "--json"]).await.ends_with(0).json();
    assert_eq!((&agrees["agrees"], &agrees["differences"]), (&true.into(), &serde_json::json!([])));
    assert_eq!(agrees["compared"]["tasks"], 4);

    let (task, field) = (pair.task_of("PO-1"), pair.board.field("line_item_amount").unwrap().to_owned());
    let before = pair.tasks();
    let typed = Edit::SetValue { task: task.clone(), field, value: serde_json::json!(7.77) };
    pair.sandbox.asana().apply(typed).unwrap();
    let shown = world.run(&["reconcile", "main", "--check"]).await.ends_with(3);
    for text in ["value_differs", "line_item_amount", "7.77", &task] {
        assert!(shown.stdout.contains(text), "{text} in {}", shown.stdout);
    }
    assert!(shown.stderr.contains("nothing was written"), "{}", shown.stderr);
    let told = world.run(&["reconcile", "main", "--check", "--json"]).await.ends_with(3).json();
    let value = &told["differences"][0]["values"][0];
    assert_eq!((&value["field"], &value["shown"]), (&"line_item_amount".into(), &"7.77".into()));
    assert_eq!(told["counts"]["value_differs"], 1);
    let none =
        world.run(&["reconcile", "main", "--check", "--json", "--limit", "0"]).await.ends_with(3).json();
    assert_eq!((&none["differences"], &none["agrees"]), (&serde_json::json!([]), &false.into()));
    assert_ne!(pair.tasks(), before, "a check writes nothing");

    let repaired = world.run(&["reconcile", "main", "--json"]).await.ends_with(0).json();
    assert_eq!((&repaired["repaired"]["movements"], &repaired["repaired"]["left"]), (&1.into(), &0.into()));
    assert_eq!(pair.tasks(), before);
    world.succeeds(&["reconcile", "main", "--check"]).await;
    world.end().await;
}
