//! `reconcile`: what it prints, how it ends, and that it puts right what somebody changed.

use sandbox::asana::Edit;

use crate::pair::Pair;
use crate::program::start;
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_last_run_found_is_kept_and_shown_again() {
    let (world, pair) = tokio::join!(World::new(), Pair::new());
    pair.add_orders(3);
    world.add("main", &pair).await;
    let never = world.run(&["reconcile", "main", "--last"]).await.ends_with(1);
    assert!(never.stderr.contains("MLC-4510"), "{}", never.stderr);
    let none = world.run(&["reconcile", "main", "--runs"]).await.ends_with(0);
    assert!(none.stderr.contains("no reconciliation has ended yet"), "{}", none.stderr);
    world.succeeds(&["poll", "main"]).await;
    let field = pair.board.field("line_item_amount").unwrap().to_owned();
    let typed = Edit::SetValue { task: pair.task_of("PO-1"), field, value: serde_json::json!(7.77) };
    pair.sandbox.asana().apply(typed).unwrap();
    world.run(&["reconcile", "main", "--check"]).await.ends_with(3);
    let told = world.run(&["reconcile", "main", "--runs", "--json"]).await.ends_with(0).json();
    assert_eq!(told, serde_json::json!([]), "a check keeps nothing");
    let made = world.run(&["reconcile", "main", "--json"]).await.ends_with(0).json();
    let told = world.run(&["reconcile", "main", "--last", "--json"]).await.ends_with(0).json();
    assert_eq!((&told["found"], &told["remaining"]), (&1.into(), &0.into()));
    assert_eq!((&told["run"]["asked_by"], &told["run"]["drift"]), (&"person".into(), &"repair".into()));
    let compared = &made["compared"];
    assert_eq!(compared["tasks"], 3);
    for what in ["records", "tasks", "journals"] {
        assert_eq!(told["run"][what], compared[what], "{what}");
    }
    let difference = &told["differences"][0];
    assert_eq!((&difference["fate"], &difference["kind"]), (&"repaired".into(), &"value_differs".into()));
    assert_eq!(difference["values"][0]["shown"], "7.77");
    let shown = world.succeeds(&["reconcile", "main", "--last"]).await;
    for text in ["value_differs", "repaired", "7.77", "1 put right"] {
        assert!(shown.stdout.contains(text), "{text} in {}", shown.stdout);
    }
    let runs = world.run(&["reconcile", "main", "--runs", "--json"]).await.ends_with(0).json();
    assert_eq!(runs.as_array().unwrap().len(), 1);
    assert!(world.succeeds(&["reconcile", "main", "--runs"]).await.stdout.contains("person"));
    let mut node = start(world.program(&["serve", "--listen", "127.0.0.1:0"]));
    let page = reqwest::get(node.listens().await).await.unwrap().text().await.unwrap();
    assert!(page.contains("1 found to differ, 0 left"), "{page}");
    node.stop().await.ends_with(0);
    world.end().await;
}
