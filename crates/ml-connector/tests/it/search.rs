//! `search`, and what the log costs nothing to tell.

use serde_json::Value;

use crate::pair::Pair;
use crate::world::World;

#[tokio::test]
async fn search_shows_a_table_to_people_and_json_to_programs() {
    let (world, pair) = tokio::join!(World::new(), Pair::new());
    pair.add_orders(4);
    world.add("main", &pair).await;
    world.succeeds(&["poll", "main"]).await;

    let told = world.succeeds(&["search", "main", "po-1"]).await;
    for head in ["when", "what", "number", "supplier", "task", "state", "id", "PO-1", "delivered"] {
        assert!(told.stdout.contains(head), "{head} in {}", told.stdout);
    }
    let json = world.succeeds(&["search", "main", "--po", "PO-1", "--json"]).await.json();
    let found = json["found"].as_array().unwrap();
    let order: Vec<&Value> = found.iter().filter(|f| f["what"] == "order").collect();
    assert_eq!((order.len(), order[0]["number"].as_str()), (1, Some("PO-1")));
    assert_eq!((&json["more"], &json["broad"]), (&Value::from(false), &Value::from(false)));
    let task = order[0]["task"].as_str().unwrap();
    let by_task = world.succeeds(&["search", "main", "--task", task, "--json"]).await.json();
    assert!(by_task["found"].as_array().unwrap().contains(order[0]), "{by_task}");
    let supplier = order[0]["supplier"].as_str().unwrap();
    let by_supplier =
        world.succeeds(&["search", "main", "--supplier", supplier, "--limit", "1", "--json"]).await;
    assert_eq!(by_supplier.json()["found"].as_array().unwrap().len(), 1);
    world.succeeds(&["movements", "show", "main", order[0]["id"].as_str().unwrap()]).await;

    let nothing = world.succeeds(&["search", "main", "--batch", "4711"]).await;
    assert_eq!((nothing.stdout.as_str(), nothing.stderr.contains("nothing fits")), ("", true));
    let refused = world.run(&["search", "main", "--"]).await;
    assert!(refused.stderr.contains("required"), "{}", refused.stderr);
    let refused = world.run(&["search", "main", "?!"]).await;
    assert!(refused.stderr.contains("MLC-6601"), "{}", refused.stderr);

    let counts = world.succeeds(&["connection", "list", "--json"]).await.json()[0]["movements"].clone();
    assert_eq!(counts, serde_json::json!({ "open": 0, "held": 0, "failed": 0 }));
    world.end().await;
}
