//! A change of the mapping: looked at before it is made, made for all tasks, and taken back.

use serde_json::{Value, json};

use crate::pair::Pair;
use crate::world::World;

const CHANGE: &str = "routing.account.cost_center_segment=3";

/// What the tasks show as their cost center.
fn cost_centers(pair: &Pair) -> Vec<String> {
    pair.tasks().values().map(|task| task["cost_center"].clone()).collect()
}

async fn reads(world: &World, args: &[&str]) -> Value {
    let mut command = world.program(&[args, &["--json"]].concat());
    command.env("USER", "Ada");
    crate::program::run(command).await.ends_with(0).json()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_settings_is_previewed_on_live_tasks_applied_to_all_and_rolled_back() {
    let (world, pair) = tokio::join!(World::new(), Pair::new());
    pair.add_orders(12);
    world.add("main", &pair).await;
    world.succeeds(&["poll", "main"]).await;
    let before = cost_centers(&pair);
    assert_eq!(before.len(), 12);

    // every task is told with its old and its new value, and nothing is written or stored
    let writes =
        || pair.sandbox.calls().count(|call| call.side == sandbox::Side::Asana && call.method != "GET");
    let (written, dry_runs) = (writes(), "select count(*) from dry_runs");
    let foretold = reads(&world, &["connection", "dry-run", "main", "--set", CHANGE]).await;
    assert_eq!((&foretold["counts"]["updated"], &foretold["counts"]["created"]), (&12.into(), &0.into()));
    let tasks = foretold["tasks"].as_array().unwrap();
    let of_preview = |side: &str| -> Vec<String> {
        let mut all: Vec<String> =
            tasks.iter().map(|task| task["values"][0][side].as_str().unwrap().to_owned()).collect();
        all.sort();
        all
    };
    let sorted = |mut all: Vec<String>| {
        all.sort();
        all
    };
    assert_eq!(of_preview("old"), sorted(before.clone()));
    let shown = world.succeeds(&["connection", "dry-run", "main", "--set", CHANGE]).await;
    assert!(shown.stderr.contains("nothing was written or stored"), "{shown:?}");
    assert_eq!((writes(), world.count(dry_runs).await), (written, 0));
    assert_eq!(cost_centers(&pair), before);

    reads(&world, &["connection", "edit", "main", "--set", CHANGE]).await;
    world.succeeds(&["poll", "main"]).await;
    let after = cost_centers(&pair);
    assert_eq!(of_preview("new"), sorted(after.clone()), "the preview said so");
    assert_ne!(after, before);

    let history = reads(&world, &["connection", "history", "main"]).await;
    let change = json!([{ "setting": "routing.account.cost_center_segment", "old": "2", "new": "3" }]);
    assert_eq!((&history[0]["version"], &history[0]["by"]), (&2.into(), &"Ada".into()));
    assert_eq!((&history[0]["changes"], &history[1]["changes"]), (&change, &Value::Null));
    let text = reads(&world, &["connection", "history", "main", "--version", "1"]).await;
    assert!(!text["toml"].as_str().unwrap().contains("cost_center_segment = 3"), "{text}");

    // without consent it only shows
    let asked = world.run(&["connection", "rollback", "main", "1"]).await.ends_with(1);
    assert!(asked.stdout.contains("cost_center_segment") && asked.stderr.contains("--yes"), "{asked:?}");
    world.succeeds(&["poll", "main"]).await;
    assert_eq!(cost_centers(&pair), after);
    let done = reads(&world, &["connection", "rollback", "main", "1", "--yes"]).await;
    let all = world.count("select count(*) from documents").await;
    assert_eq!((&done["done"], &done["compared_anew"]), (&true.into(), &all.into()));
    world.succeeds(&["poll", "main"]).await;
    assert_eq!(cost_centers(&pair), before);
    // the time line of an order tells of the changes that fall into it, and of none before it
    let trace = reads(&world, &["trace", "main", "PO-0"]).await;
    let whats: Vec<&str> =
        trace["entries"].as_array().unwrap().iter().map(|entry| entry["what"].as_str().unwrap()).collect();
    let at =
        |what: &str| whats.iter().position(|w| *w == what).unwrap_or_else(|| panic!("{what}: {whats:#?}"));
    let (changed, back) =
        (at("settings: version 2 by Ada"), at("settings: version 3 by Ada, back to version 1"));
    assert!(0 < changed && changed < back && back + 1 < whats.len(), "{whats:#?}");
    assert!(!whats.iter().any(|what| what.starts_with("settings: version 1")), "{whats:#?}");
    let told = world.succeeds(&["connection", "history", "main"]).await.stdout;
    assert!(told.contains("back to 1") && told.contains("the first settings"), "{told}");
    let again = world.succeeds(&["connection", "rollback", "main", "1", "--yes"]).await;
    assert!(again.stderr.contains("nothing to change"), "{again:?}");
    let unknown = world.run(&["connection", "rollback", "main", "7", "--yes"]).await.ends_with(1);
    assert!(unknown.stderr.contains("MLC-8120") && unknown.stderr.contains("version 7"), "{unknown:?}");
    assert!(unknown.stderr.contains("`ml-connector connection history main` lists them"), "{unknown:?}");
    world.end().await;
}
