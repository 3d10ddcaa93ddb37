//! Setting a connection up: its file, its fields, its dry run, its first activation.

use sandbox::asana::{FieldKind, FieldSpec};
use sandbox::{AsanaConfig, Board, OracleConfig, Sandbox, SandboxConfig};
use serde_json::Value;
use tokio::process::Command;

use crate::pair::Pair;
use crate::program::{Run, run, start};
use crate::world::World;

/// A connection's file for a pair whose project has no fields.
fn file(pair: &Pair) -> String {
    let settings = pair.settings();
    let (before, after) = settings.split_once("[fields]\n").unwrap();
    let after = &after[after.find("[routing.default]").unwrap()..];
    format!(
        "name = \"acme\"\n[secrets]\noracle_client_secret = {{ env = \"ORACLE\" }}\n\
         asana_token = {{ file = \"token\" }}\n{before}{after}"
    )
}

/// Both stand-ins with a project that has no fields yet.
async fn bare() -> Pair {
    let sandbox =
        Sandbox::start(SandboxConfig { asana: AsanaConfig::unlimited(), ..SandboxConfig::default() })
            .await
            .unwrap();
    let workspace = sandbox.asana().seed_workspace("Northwind Consulting");
    let project = sandbox.asana().seed_project(&workspace, "Purchasing").unwrap();
    Pair::of(sandbox, Board { workspace, project, fields: Vec::new() })
}

fn applies(world: &World, text: &str, flags: &[&str]) -> Command {
    let file = world.file("acme.toml", text);
    let mut args = vec!["connection", "apply", "-f", file.to_str().unwrap()];
    args.extend(flags);
    let mut command = world.program(&args);
    command.env("ORACLE", OracleConfig::default().client_secret);
    command
}

async fn apply(world: &World, text: &str, flags: &[&str]) -> Run {
    run(applies(world, text, flags)).await
}

/// What is printed, without what differs from run to run.
fn steady(text: &str, pair: &Pair, world: &World) -> String {
    text.replace(pair.sandbox.oracle_url().as_str(), "ORACLE")
        .replace(pair.sandbox.asana_url().as_str(), "ASANA")
        .replace(world.directory.path().to_str().unwrap(), "DIR")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_applied_once_and_a_second_time_changes_nothing() {
    let (world, pair) = tokio::join!(World::new(), bare());
    world.file("token", &pair.asana_token());
    pair.add_orders(2);
    let text = file(&pair);
    let shown = apply(&world, &text, &["--dry-run"]).await.ends_with(0);
    assert!(shown.stdout.contains("secrets.asana_token") && !shown.stdout.contains(&pair.asana_token()));
    assert!(shown.stderr.contains("this was a dry run"), "{shown:?}");
    assert_eq!(world.count("select count(*) from connections").await, 0);

    let added = apply(&world, &text, &[]).await.ends_with(0);
    assert!(added.stderr.contains("`acme` was added as a draft; next: ml-connector connection ping acme"));
    let pinged = world.succeeds(&["connection", "ping", "acme"]).await;
    assert!(pinged.stderr.contains("next: ml-connector connection provision acme"), "{pinged:?}");
    let version = "select settings_version::bigint from connections";
    let again = apply(&world, &text, &[]).await.ends_with(0);
    assert_eq!((again.stdout.as_str(), world.count(version).await), ("", 1));
    assert!(again.stderr.contains("nothing to change"), "{again:?}");

    // what provisioning wrote stays, since the file has no [fields]
    world.succeeds(&["connection", "provision", "acme", "--yes"]).await;
    let pinged = world.succeeds(&["connection", "ping", "acme"]).await;
    assert!(pinged.stderr.contains("next: ml-connector connection dry-run acme"), "{pinged:?}");
    assert_eq!(apply(&world, &text, &["--json"]).await.ends_with(0).json()["action"], "nothing");
    // its own form without the secrets says the same
    let exported = world.succeeds(&["connection", "export", "acme"]).await.stdout;
    assert!(!exported.contains(&pair.asana_token()) && !exported.contains(&pair.client_secret()));
    let whole = apply(&world, &exported, &["--json"]).await.ends_with(0).json();
    assert_eq!((&whole["action"], &whole["changes"]), (&"nothing".into(), &serde_json::json!([])));

    let changed = text.replace("page_size = 10", "page_size = 20");
    let told = apply(&world, &changed, &["--json"]).await.ends_with(0).json();
    assert_eq!(told["action"], "change");
    let one = serde_json::json!([{ "setting": "oracle.page_size", "old": "10", "new": "20" }]);
    assert_eq!(told["changes"], one);
    world.file("token", "another token");
    let told = apply(&world, &changed, &["--json"]).await.ends_with(0).json();
    assert_eq!(
        (&told["changes"], &told["secrets"]),
        (&serde_json::json!([]), &serde_json::json!(["asana_token"]))
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_apply_and_export_print_is_as_it_was_agreed() {
    let (world, pair) = tokio::join!(World::new(), bare());
    world.file("token", &pair.asana_token());
    let text = file(&pair);
    let mut all = String::new();
    let mut tell = |what: &str, run: &Run| {
        let text = format!("{}{}", run.stdout, run.stderr);
        all.push_str(&format!("## {what}\n{}\n", steady(&text, &pair, &world)));
    };
    let broken = text.replace("workspace =", "work_space =").replace("name = \"acme\"", "name = 7");
    tell("two mistakes", &apply(&world, &broken, &[]).await.ends_with(1));
    let secrets = text.replace("\"ORACLE\"", "\"NOBODY_SET_IT\"").replace("\"token\"", "\"nowhere\"");
    tell("secrets that are not there", &apply(&world, &secrets, &[]).await.ends_with(1));
    let stray = text.replace("\"ORACLE\"", "\"s3cret-written-here\"");
    tell("a secret where its variable belongs", &apply(&world, &stray, &[]).await.ends_with(1));
    assert_eq!(world.count("select count(*) from connections").await, 0);
    apply(&world, &text, &[]).await.ends_with(0);
    tell("one setting changed", &apply(&world, &text.replace("page_size = 10", "page_size = 20"), &[]).await);
    tell("export", &world.succeeds(&["connection", "export", "acme"]).await);
    assert!(!all.contains("s3cret"), "{all}");
    insta::assert_snapshot!(all);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn provision_shows_its_plan_and_creates_only_on_consent() {
    let (world, pair) = tokio::join!(World::new(), bare());
    world.file("token", &pair.asana_token());
    apply(&world, &file(&pair), &[]).await.ends_with(0);
    let writes = || pair.sandbox.calls().count(|c| c.side == sandbox::Side::Asana && c.method != "GET");
    let poll = world.run(&["poll", "acme"]).await.ends_with(1);
    assert!(poll.stderr.contains("MLC-8101"), "{poll:?}");
    let shown = world.run(&["connection", "provision", "acme"]).await.ends_with(1);
    assert!(shown.stdout.contains("Line-item amount") && shown.stdout.contains("create it"), "{shown:?}");
    assert!(shown.stderr.contains("nothing was created; say --yes"), "{shown:?}");
    assert_eq!(writes(), 0);
    let plan = world.run(&["connection", "provision", "acme", "--json"]).await.ends_with(1).json();
    assert_eq!((&plan["complete"], &plan["done"]), (&Value::Bool(false), &Value::Null));
    assert_eq!(plan["fields"].as_array().unwrap().len(), 4);
    assert_eq!(writes(), 0);

    let args = ["connection", "provision", "acme", "--yes", "--all-fields", "--json"];
    let done = world.succeeds(&args).await.json();
    assert_eq!(
        done["done"],
        serde_json::json!({ "created": 13, "attached": 13, "mapped": 13, "compared_anew": 0, "options": 0 })
    );
    assert_eq!(writes(), 26);
    let again = world.succeeds(&["connection", "provision", "acme", "--yes"]).await;
    assert!(again.stderr.contains("nothing to do: all fields are there"), "{again:?}");
    assert_eq!(writes(), 26);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fields_whose_options_are_kept_are_made_with_them() {
    let (world, pair) = tokio::join!(World::new(), bare());
    world.file("token", &pair.asana_token());
    let text = format!("{}\n[reference]\noptions = [\"supplier\"]\n", file(&pair));
    apply(&world, &text, &[]).await.ends_with(0);
    let provision = ["connection", "provision", "acme", "--yes"];
    // Oracle shows no supplier yet
    let refused = world.run(&provision).await.ends_with(1);
    assert!(refused.stderr.contains("Oracle shows no supplier"), "{refused:?}");
    assert_eq!(pair.sandbox.calls().count(|c| c.side == sandbox::Side::Asana && c.method != "GET"), 0);
    pair.add_orders(6);
    // what was made before something failed is said, and the options are what the next run is for
    let status = sandbox::Fault::Status { status: 403, retry_after: None, body: None, html: false };
    let rule = sandbox::FaultRule::new(status).on(sandbox::Side::Asana).path("/enum_options");
    pair.sandbox.faults().add(rule);
    let half = world.run(&provision).await.ends_with(1);
    assert!(half.stderr.contains("5 fields created, 5 put onto projects, 5 mapped; next"), "{half:?}");
    assert!(half.stderr.contains("MLC-3"), "{half:?}");
    pair.sandbox.faults().clear();
    let done = world.succeeds(&provision).await;
    let suppliers = world.count("select count(*) from suppliers").await;
    assert!(suppliers > 1, "{suppliers}");
    let (note, made) = ("the options of supplier are made of", format!("{} options made", suppliers - 1));
    assert!(done.stderr.contains(note) && done.stderr.contains(&made), "{done:?}");
    // all of them are known when the first orders come
    let foretold = world.succeeds(&["connection", "dry-run", "acme", "--json"]).await.json();
    assert_eq!((&foretold["counts"]["created"], &foretold["counts"]["held"]), (&6.into(), &0.into()));
    let again = world.succeeds(&provision).await;
    assert!(again.stderr.contains("nothing to do: all fields are there"), "{again:?}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_is_taken_by_another_type_is_reported_and_another_name_helps() {
    let (world, pair) = tokio::join!(World::new(), bare());
    world.file("token", &pair.asana_token());
    apply(&world, &file(&pair), &[]).await.ends_with(0);
    let spec = FieldSpec::new("Supplier", FieldKind::Date);
    pair.sandbox.asana().seed_field(&pair.board.workspace, &spec).unwrap();
    let refused = world.run(&["connection", "provision", "acme", "--yes"]).await.ends_with(3);
    assert!(refused.stdout.contains("MLC-8102") && refused.stdout.contains("is date"), "{refused:?}");
    assert!(refused.stderr.contains("nothing was created"), "{refused:?}");
    let named = ["connection", "provision", "acme", "--yes", "--name", "supplier=ERP supplier"];
    world.succeeds(&named).await;
    let wrong = world.run(&["connection", "provision", "acme", "--name", "suplier=x"]).await.ends_with(2);
    assert!(wrong.stderr.contains("not a field purpose"), "{wrong:?}");
    world.end().await;
}

/// The first of the published orders and invoices, in a directory of their own, if they are there.
fn published(world: &World, count: usize) -> Option<std::path::PathBuf> {
    let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let place = world.directory.path().join("data");
    std::fs::create_dir(&place).unwrap();
    for file in ["purchase_orders.jsonl", "invoices.jsonl"] {
        let text = std::fs::read_to_string(data.join(file)).ok()?;
        let first: String = text.lines().take(count).map(|line| format!("{line}\n")).collect();
        std::fs::write(place.join(file), first).unwrap();
    }
    Some(place)
}

/// What each new task would show, by its name: number, supplier and amount.
fn foretold(told: &Value) -> Vec<[String; 3]> {
    let of = |entry: &Value, purpose: &str| {
        let values = entry["values"].as_array().unwrap();
        let value = values.iter().find(|v| v["purpose"] == purpose).unwrap();
        value["new"].as_str().unwrap_or("null").to_owned()
    };
    let tasks = told["tasks"].as_array().unwrap().iter().filter(|entry| entry["action"] == "create");
    let mut all: Vec<_> =
        tasks.map(|t| ["po_number", "supplier", "line_item_amount"].map(|purpose| of(t, purpose))).collect();
    all.sort();
    all
}

/// What each task shows in Asana.
fn shown(pair: &Pair, fields: &Value) -> Vec<[String; 3]> {
    let state: Value = serde_json::from_str(&pair.sandbox.asana().state_json()).unwrap();
    let mut all: Vec<_> = state["tasks"]
        .as_object()
        .unwrap()
        .values()
        .map(|task| {
            ["po_number", "supplier", "line_item_amount"].map(|purpose| {
                let value = &task["values"][fields[purpose].as_str().unwrap()];
                value.as_str().map_or_else(|| value.to_string(), str::to_owned)
            })
        })
        .collect();
    all.sort();
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newcomer_comes_from_an_empty_database_to_correct_tasks() {
    let (world, pair) = tokio::join!(World::new(), bare());
    match published(&world, 120) {
        Some(directory) => {
            pair.sandbox.oracle().load(&directory).unwrap();
        }
        None => pair.add_orders(120),
    }
    world.file("token", &pair.asana_token());
    apply(&world, &file(&pair), &[]).await.ends_with(0);
    world.succeeds(&["connection", "ping", "acme"]).await;
    world.succeeds(&["connection", "provision", "acme", "--yes"]).await;
    let refused = world.run(&["connection", "activate", "acme"]).await.ends_with(1);
    assert!(refused.stderr.contains("MLC-8107"), "{refused:?}");

    let writes = || pair.sandbox.calls().count(|c| c.side == sandbox::Side::Asana && c.method != "GET");
    let before = writes();
    let page = world.directory.path().join("report.html");
    let html = ["connection", "dry-run", "acme", "--html", page.to_str().unwrap()];
    let people = world.succeeds(&html).await;
    assert!(people.stdout.contains("tasks that would be made"), "{people:?}");
    assert!(people.stderr.contains("next: ml-connector connection activate acme"), "{people:?}");
    let told = world.succeeds(&["connection", "dry-run", "acme", "--json"]).await.json();
    assert_eq!(writes(), before, "a dry run writes nothing");
    let foretold = foretold(&told);
    assert!(foretold.len() > 50 && told["whole"] == true, "{}", told["counts"]);
    let html = std::fs::read_to_string(&page).unwrap();
    assert_eq!(html.matches("<h2>").count(), told["tasks"].as_array().unwrap().len());
    assert!(html.starts_with("<!DOCTYPE html>") && html.ends_with("</body></html>\n"));

    let serving = start(world.program(&["serve", "--listen", "127.0.0.1:0"]));
    let followed = world.succeeds(&["connection", "activate", "acme", "--follow"]).await;
    assert!(followed.stderr.contains("The first synchronisation: "), "{followed:?}");
    assert!(followed.stderr.contains("the first synchronisation is through"), "{followed:?}");
    serving.stop().await;
    let settings = world.succeeds(&["connection", "show", "acme", "--json"]).await.json();
    let shown = shown(&pair, &settings["settings"]["fields"]);
    assert_eq!(foretold.len(), shown.len());
    let same = |one: &[String; 3], other: &[String; 3]| {
        let number = |text: &str| text.parse::<rust_decimal::Decimal>().ok();
        one[..2] == other[..2] && number(&one[2]) == number(&other[2])
    };
    for (wanted, is) in foretold.iter().zip(&shown) {
        assert!(same(wanted, is), "{wanted:?} {is:?}");
    }
    let after = world.succeeds(&["connection", "dry-run", "acme", "--json"]).await.json();
    assert_eq!((&after["counts"]["created"], &after["counts"]["updated"]), (&0.into(), &0.into()));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_stops_following_the_first_synchronisation_pauses_it_and_can_go_on() {
    let (world, pair) = tokio::join!(World::new(), Pair::new());
    pair.add_orders(3);
    world.add("main", &pair).await;
    world.succeeds(&["connection", "dry-run", "main"]).await;
    // nobody serves yet, so it waits
    let mut following = start(world.program(&["connection", "activate", "main", "--follow"]));
    following.says("3 tasks made and 0 changed").await;
    let stopped = following.stop().await.ends_with(0);
    assert!(stopped.stderr.contains("`main` is paused after 0 records"), "{stopped:?}");
    assert_eq!(world.count("select count(*) from connections where state = 'paused'").await, 1);
    let serving = start(world.program(&["serve", "--listen", "127.0.0.1:0"]));
    let through = world.succeeds(&["connection", "activate", "main", "--follow"]).await;
    assert!(through.stderr.contains("is through: "), "{through:?}");
    serving.stop().await;
    assert_eq!(pair.tasks().len(), 3);
    world.end().await;
}
