//! A movement that failed is edited, previewed and sent again, and everything tells who did that, and when.

use sandbox::{Fault, FaultRule, Side};
use serde_json::Value;

use crate::pair::Pair;
use crate::world::World;

/// The log keeps that it failed, and everything else knows that it needs nobody.
async fn is_settled(world: &World, id: &str, new: &str) {
    let list = ["movements", "list", "main", "--state", "failed", "--kind", "order"];
    let all = world.succeeds(&list).await;
    assert!(all.stdout.contains(id) && all.stdout.contains(&format!("settled: {new}")), "{all:?}");
    let left = world.succeeds(&[&list[..], &["--unsettled", "--json"]].concat()).await.json();
    assert_eq!(left, serde_json::json!([]));
    let counted = world.succeeds(&["connection", "show", "main", "--json"]).await.json();
    assert_eq!(counted["movements"]["failed"], 1, "only its invoice's");
    let listed = world.succeeds(&["connection", "list", "--json"]).await.json();
    assert_eq!(listed[0]["movements"]["failed"], 1);
    let again = ["movements", "replay", "main", "--state", "failed", "--kind", "order", "--yes"];
    let again = world.succeeds(&again).await;
    assert!(again.stderr.contains("0 sent again"), "{again:?}");
}

/// What is shown of a movement names its order, and what its fields are for.
async fn names_its_fields(world: &World, id: &str, shown: &Value) {
    let field = shown["fields"].as_object().unwrap().iter().find(|(_, purpose)| *purpose == "po_number");
    let field = field.unwrap().0;
    assert!(shown["request"].as_str().unwrap().contains(field), "{shown}");
    let people = world.succeeds(&["movements", "show", "main", id]).await.stdout;
    let named = people.lines().any(|line| line.contains("po_number") && line.contains(field));
    assert!(named && people.lines().any(|l| l.contains("order number") && l.contains("PO-0")), "{people}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_movement_is_edited_previewed_and_sent_again_and_the_trace_shows_all_of_it() {
    let (world, pair) = tokio::join!(World::new(), Pair::new());
    world.add("main", &pair).await;
    pair.add_orders(1);
    let status = Fault::Status { status: 400, retry_after: None, body: None, html: false };
    let rule = pair.sandbox.faults().add(FaultRule::new(status).on(Side::Asana).method("POST"));
    world.succeeds(&["poll", "main"]).await;
    assert_eq!(pair.sandbox.faults().fired(rule), 1);
    pair.sandbox.faults().clear();

    let grouped = world.succeeds(&["movements", "list", "main", "--group", "class"]).await;
    assert!(grouped.stdout.contains("MLC-3") && grouped.stdout.contains("failed"), "{grouped:?}");
    let failed = world
        .succeeds(&["movements", "list", "main", "--state", "failed", "--kind", "order", "--json"])
        .await
        .json();
    assert_eq!(failed.as_array().unwrap().len(), 1);
    let (id, code) = (failed[0]["movement_id"].as_str().unwrap(), failed[0]["code"].as_str().unwrap());
    let by_code = world
        .succeeds(&["movements", "list", "main", "--code", code, "--kind", "order", "--json"])
        .await
        .json();
    assert_eq!(by_code, failed);

    let shown = world.succeeds(&["movements", "show", "main", id, "--json"]).await.json();
    names_its_fields(&world, id, &shown).await;
    let record = shown["body"].as_str().unwrap();
    let body = world.file("record.json", &record.replace("\"PO-0\"", "\"PO-0-B\""));
    let body = body.to_str().unwrap();
    let edit = ["movements", "edit", "main", id, "--body", body, "--by", "Ada", "--note", "wrong number"];
    let edited = world.succeeds(&edit).await;
    assert!(edited.stderr.contains("PO-0-B"), "{edited:?}");

    let calls = pair.sandbox.calls().count(|call| call.method != "GET");
    let rows = "select count(*) from movements";
    let before = world.count(rows).await;
    let previewed = world.succeeds(&["movements", "replay", "main", id, "--preview"]).await;
    assert!(previewed.stdout.contains("POST /tasks") && previewed.stdout.contains("PO-0-B"), "{previewed:?}");
    assert_eq!(pair.sandbox.calls().count(|call| call.method != "GET"), calls);
    assert_eq!(world.count(rows).await, before);

    let read = pair.sandbox.calls().count(|call| call.side == Side::Oracle);
    let replay = ["movements", "replay", "main", id, "--by", "Grace", "--note", "as agreed", "--json"];
    let replayed = world.succeeds(&replay).await.json();
    let new = replayed["opened"][0]["movement"].as_str().unwrap();
    assert_eq!(pair.sandbox.calls().count(|call| call.side == Side::Oracle), read);
    world.succeeds(&["poll", "main"]).await;
    let numbers: Vec<String> = pair.tasks().into_values().map(|shown| shown["po_number"].clone()).collect();
    assert_eq!(numbers, ["PO-0-B"]);
    is_settled(&world, id, new).await;

    let shown = world.succeeds(&["movements", "show", "main", id]).await.stdout;
    for text in ["Ada", "wrong number", "Grace", "as agreed", new, "PO-0-B"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    let trace = world.succeeds(&["trace", "main", "PO-0", "--full", "--json"]).await.json();
    let entries = trace["entries"].as_array().unwrap();
    let whats: Vec<&str> = entries.iter().filter_map(|entry| entry["what"].as_str()).collect();
    let at = |text: &str| {
        whats.iter().position(|what| what.contains(text)).unwrap_or_else(|| panic!("{text}: {whats:#?}"))
    };
    assert!(at("Ada") < at("Grace"), "{whats:#?}");
    for (who, note) in [("Ada", "wrong number"), ("Grace", "as agreed")] {
        let entry = &entries[at(who)];
        assert!(entry["what"].as_str().unwrap().contains(note), "{entry}");
        assert!(entry["at"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok(), "{entry}");
    }
    assert!(entries.iter().any(|entry| entry["id"] == new), "{whats:#?}");
    let all = trace.to_string();
    assert!(all.contains("PO-0-B"), "what was edited");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_sent_again_says_why_and_many_are_sent_only_with_consent() {
    let (world, pair) = tokio::join!(World::new(), Pair::new());
    world.add("main", &pair).await;
    pair.add_orders(3);
    world.succeeds(&["poll", "main"]).await;
    let list = world.succeeds(&["movements", "list", "main", "--kind", "order", "--json"]).await.json();
    let id = list[0]["movement_id"].as_str().unwrap();

    let asked = world.run(&["movements", "replay", "main", "--kind", "order"]).await.ends_with(1);
    assert!(asked.stderr.contains("3 records would be sent again"), "{asked:?}");
    assert!(asked.stderr.contains("--yes"), "{asked:?}");
    let by = ["movements", "replay", "main", "--kind", "order", "--yes", "--by", "Ada"];
    let sent = world.succeeds(&by).await;
    assert!(sent.stderr.contains("3 sent again"), "{sent:?}");
    // they are open now, and another one would only be in their way
    let refused = world.run(&by).await.ends_with(1);
    assert!(refused.stdout.contains("MLC-6503"), "{refused:?}");

    let code = |run: crate::program::Run| {
        let error: Value = serde_json::from_str(run.stderr.trim()).unwrap();
        error["error"]["code"].as_str().unwrap_or_default().to_owned()
    };
    let unknown = uuid::Uuid::now_v7().to_string();
    let body = world.file("bad.json", "{\"POHeaderId\":1}");
    let body = body.to_str().unwrap();
    for (args, wanted) in [
        (["movements", "show", "main", &unknown].as_slice(), "MLC-6508"),
        (&["movements", "replay", "main", "nonsense", "--by", "Ada"], "MLC-6508"),
        (&["movements", "discard", "main", id, "--by", "Ada", "--yes"], "MLC-6509"),
        (&["movements", "edit", "main", id, "--body", body, "--by", "Ada"], "MLC-6505"),
        (&["movements", "edit", "main", id, "--body", "/no/such/file", "--by", "Ada"], "MLC-1214"),
    ] {
        let mut args = args.to_vec();
        args.push("--json");
        assert_eq!(code(world.run(&args).await.ends_with(1)), wanted, "{args:?}");
    }
    let asked = world.run(&["movements", "discard", "main", id, "--by", "Ada"]).await.ends_with(1);
    assert!(asked.stderr.contains("nothing was discarded") && asked.stderr.contains("--yes"), "{asked:?}");
    world.run(&["movements", "replay", "main"]).await.ends_with(2);
    world.end().await;
}
