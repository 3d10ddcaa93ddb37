//! Every command: what it prints for people, what it prints as JSON, and how it ends.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::pair::Pair;
use crate::program::{Run, program, run, start};
use crate::world::World;

/// Runs a command that only looks, for people and as JSON; returns the JSON.
async fn looks(world: &World, args: &[&str], code: i32) -> Value {
    let shown = world.run(args).await.ends_with(code);
    assert!(!shown.stdout.trim().is_empty(), "{} shows nothing", shown.what);
    assert!(serde_json::from_str::<Value>(&shown.stdout).is_err(), "{} shows JSON unasked", shown.what);
    let mut args = args.to_vec();
    args.push("--json");
    let answered = world.run(&args).await.ends_with(code);
    answered.json()
}

/// Runs a command that does something, with `--json`.
async fn does(world: &World, args: &[&str]) -> Value {
    let mut args = args.to_vec();
    args.push("--json");
    world.succeeds(&args).await.json()
}

/// The failure that a command prints as JSON on standard error, with nothing on standard output.
#[track_caller]
fn failure(run: &Run) -> (String, String) {
    assert_eq!(run.stdout, "", "{}", run.what);
    let error: Value =
        serde_json::from_str(run.stderr.trim()).unwrap_or_else(|e| panic!("{e}: {}", run.stderr));
    let text = |key: &str| error["error"][key].as_str().unwrap_or_default().to_owned();
    (text("code"), text("message"))
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_command_shows_a_table_to_people_and_pure_json_to_programs() {
    let (world, pair) = tokio::join!(World::new(), Pair::new());
    pair.add_orders(4);
    assert_eq!(does(&world, &["migrate"]).await["migrated"], true);
    assert_eq!(looks(&world, &["connection", "list"], 0).await, serde_json::json!([]));
    let added = run(world.adds("main", &pair, &["--json"])).await.ends_with(0).json();
    assert!(added["done"].as_str().unwrap().contains("`main` was added"));
    assert_eq!(looks(&world, &["connection", "list"], 0).await[0]["state"], "draft");
    assert_eq!(looks(&world, &["connection", "ping", "main"], 0).await["ok"], true);

    does(&world, &["connection", "activate", "main", "--without-dry-run"]).await;
    does(&world, &["connection", "pause", "main"]).await;
    let polled = looks(&world, &["poll", "main"], 0).await;
    assert_eq!(keys(&polled), BTreeSet::from(["invoices", "purchase_orders", "push"]));
    assert_eq!(
        keys(&looks(&world, &["poll", "main", "--feed", "invoices"], 0).await),
        BTreeSet::from(["invoices", "push"])
    );
    assert_eq!(pair.tasks().len(), 4);

    let shown = looks(&world, &["connection", "show", "main"], 0).await;
    assert_eq!(shown["documents"]["purchase_orders"], 4);
    assert_eq!(shown["state"], "paused");
    let moved = looks(&world, &["movements", "list", "main"], 0).await;
    let id = moved[0]["movement_id"].as_str().unwrap();
    assert_eq!(moved.as_array().unwrap().len(), 6);
    let one = looks(&world, &["movements", "list", "main", "--po", "PO-1", "--state", "delivered"], 0).await;
    assert_eq!(one.as_array().unwrap().len(), 1);
    let task = one[0]["destination_id"].as_str().unwrap();
    assert!(
        !looks(&world, &["movements", "list", "main", "--task", task], 0)
            .await
            .as_array()
            .unwrap()
            .is_empty()
    );
    let movement = looks(&world, &["movements", "show", "main", id], 0).await;
    assert!(movement["body"].is_string() && movement["state"] == "delivered");

    let trace = looks(&world, &["trace", "main", "PO-1"], 0).await;
    assert_eq!(trace["tasks"], serde_json::json!([task]));
    assert_eq!(looks(&world, &["trace", "main", task], 0).await, trace);

    assert_eq!(looks(&world, &["doctor"], 0).await["ok"], true);
    world
        .execute(
            "insert into breakers (connection_id, provider, failures, open, opened_at, retry_at, code, reason)
             select connection_id, 'asana', 5, true, now(), now(), 'MLC-3001', 'HTTP 500' from connections
             on conflict (connection_id, provider) do update
             set failures = 5, open = true, opened_at = now(), retry_at = now(), code = 'MLC-3001', reason = 'HTTP 500'",
        )
        .await;
    let failing = world.run(&["doctor"]).await.ends_with(3).stdout;
    let line = failing.lines().find(|line| line.contains("keeps failing")).unwrap();
    assert_eq!(line.matches("MLC-1301").count(), 1, "{failing}");
    world.execute("delete from breakers").await;
    let codes = looks(&world, &["explain"], 0).await;
    assert!(codes.as_array().unwrap().len() > 40);
    assert_eq!(looks(&world, &["explain", "1206"], 0).await[0]["code"], "MLC-1206");
    let explained = &looks(&world, &["explain", "ef04"], 0).await[0];
    assert_eq!(
        (&explained["code"], &explained["class"]),
        (&Value::from("EF04"), &Value::from("rejected_by_oracle"))
    );
    assert!(codes.as_array().unwrap().contains(explained));
    does(&world, &["connection", "remove", "main", "--yes"]).await;
    assert_eq!(looks(&world, &["connection", "list"], 0).await, serde_json::json!([]));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_that_are_shown_as_toml_can_be_given_back_and_changed_one_by_one() {
    let (world, pair) = tokio::join!(World::new(), Pair::new());
    world.add("main", &pair).await;
    let toml = world.succeeds(&["connection", "show", "main", "--toml"]).await.stdout;
    let file = world.file("back.toml", &toml);
    world.succeeds(&["connection", "edit", "main", "-f", file.to_str().unwrap()]).await;
    assert_eq!(world.succeeds(&["connection", "show", "main", "--toml"]).await.stdout, toml);
    let set = ["connection", "edit", "main", "--set", "schedule.poll_minutes=3", "--set", "tasks.per=line"];
    world.succeeds(&set).await;
    let shown = does(&world, &["connection", "show", "main"]).await;
    assert_eq!(shown["settings"]["schedule"]["poll_minutes"], 3);
    assert_eq!(shown["settings"]["tasks"]["per"], "line");
    // gids are texts however they are written, and what is valid only together is changed together
    let fields = &shown["settings"]["fields"];
    let gid = |purpose: &str| fields[purpose].as_str().unwrap().to_owned();
    let (one, other) = (gid("cost_center"), gid("gl_account"));
    let (first, second) = (format!("fields.cost_center={other}"), format!("fields.gl_account={one}"));
    world.succeeds(&["connection", "edit", "main", "--set", &first, "--set", &second]).await;
    let shown = does(&world, &["connection", "show", "main"]).await;
    assert_eq!(shown["settings"]["fields"]["cost_center"], other.as_str());
    assert_eq!(shown["settings"]["fields"]["gl_account"], one.as_str());
    for wrong in [
        "schedule.poll_minutes=0",
        "schedule.no_such=1",
        "nothing.at.all=1",
        "schedule.poll_minutes",
        "tasks.per=week",
    ] {
        let refused = world.run(&["connection", "edit", "main", "--set", wrong, "--json"]).await.ends_with(1);
        let (code, told) = failure(&refused);
        assert_eq!(code, "MLC-1208", "{wrong}");
        assert!(!told.contains("line "), "no file was given: {told}");
    }
    assert_eq!(does(&world, &["connection", "show", "main"]).await["settings"], shown["settings"]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_exit_code_says_what_kind_of_failure_it_was() {
    let (world, pair) = tokio::join!(World::new(), Pair::new());
    world.add("main", &pair).await;
    // 1: failed, with the code
    for (args, code) in [
        (vec!["connection", "show", "nobody"], "MLC-1209"),
        (vec!["poll", "nobody"], "MLC-1209"),
        (vec!["connection", "pause", "main"], "MLC-1211"),
        (vec!["connection", "add", "main", "-f", "/no/such/file"], "MLC-1214"),
        (vec!["connection", "remove", "main"], ""),
        (vec!["movements", "show", "main", "no-id"], "MLC-6508"),
        (vec!["journals", "show", "main", "no-id"], "MLC-6510"),
        (vec!["journals", "replay", "main", "no-id", "--yes", "--by", "Ada"], "MLC-6510"),
        (vec!["journals", "preview", "main", "PO-1"], "MLC-1208"),
        (vec!["webhooks", "register", "main"], "MLC-5003"),
        (vec!["webhooks", "check", "main", "--public-url", "ftp://erp.example"], "MLC-5003"),
        (vec!["webhooks", "register", "main", "--public-url", "https://erp.example"], "MLC-1208"),
        (vec!["serve", "--public-url", "https://u:p@erp.example"], "MLC-5003"),
        (vec!["explain", "MLC-9999"], ""),
    ] {
        let told = world.run(&args).await.ends_with(1);
        assert!(
            told.stderr.starts_with("error: ") && told.stderr.contains(code) && told.stdout.is_empty(),
            "{told:?}"
        );
        let args: Vec<&str> = args.into_iter().chain(["--json"]).collect();
        let (named, message) = failure(&world.run(&args).await.ends_with(1));
        assert_eq!(named, code);
        assert!(!message.is_empty());
    }
    let again = run(world.adds("main", &pair, &["--json"])).await.ends_with(1);
    assert_eq!(failure(&again).0, "MLC-1210");
    // 2: wrong use
    for args in [
        &["no-such-command"][..],
        &["poll"],
        &["movements", "list", "main", "--state", "lost"],
        &["journals", "list", "main", "--state", "lost"],
        &["webhooks", "remove", "main"],
        &["webhooks", "remove", "main", "--all", "--project", "1"],
        &[],
    ] {
        world.run(args).await.ends_with(2);
    }
    // 3: a check found a problem
    pair.sandbox.asana().apply(sandbox::asana::Edit::RevokeToken { token: pair.asana_token() }).unwrap();
    let pinged = looks(&world, &["connection", "ping", "main"], 3).await;
    assert_eq!(pinged["ok"], false);
    assert!(pinged["checks"].as_array().unwrap().iter().any(|check| check["code"] == "MLC-3003"));
    // 4: no key, or another one
    let mut keyless = world.program(&["poll", "main", "--json"]);
    keyless.env_remove("ML_CONNECTOR_KEY");
    assert_eq!(failure(&run(keyless).await.ends_with(4)).0, "MLC-1201");
    let mut malformed = world.program(&["poll", "main", "--json"]);
    malformed.env("ML_CONNECTOR_KEY", "abc");
    assert_eq!(failure(&run(malformed).await.ends_with(4)).0, "MLC-1202");
    let other = connector::key::MasterKey::generate();
    let mut wrong = world.program(&["poll", "main", "--json"]);
    wrong.env("ML_CONNECTOR_KEY", secrecy::ExposeSecret::expose_secret(&other));
    assert_eq!(failure(&run(wrong).await.ends_with(4)).0, "MLC-1203");
    // 5: another node is at it
    world
        .execute("update jobs set node_id = gen_random_uuid(), lease_until = now() + interval '1 minute'")
        .await;
    let busy = world.run(&["poll", "main", "--wait", "0", "--json"]).await.ends_with(5);
    assert_eq!(failure(&busy).0, "MLC-1213");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poll_with_one_feed_in_trouble_does_the_rest_and_shows_all_of_it() {
    let (world, pair) = tokio::join!(World::new(), Pair::new());
    world.add("main", &pair).await;
    let refused = sandbox::Fault::Status { status: 403, retry_after: None, body: None, html: false };
    let refused = sandbox::FaultRule::new(refused).on(sandbox::Side::Oracle).path("/purchaseOrders");
    pair.sandbox.faults().add(refused);
    let told = world.run(&["poll", "main"]).await.ends_with(1);
    assert!(told.stdout.contains("failed: MLC-2007") && told.stdout.contains("push"), "{told:?}");
    assert!(told.stderr.starts_with("error: MLC-2007"), "{told:?}");
    let told = world.run(&["poll", "main", "--json"]).await.ends_with(1).json();
    assert_eq!(told["purchase_orders"]["error"]["code"], "MLC-2007");
    assert!(told["invoices"]["rows"].is_u64() && told["push"]["failed"].is_u64(), "{told}");
    world.end().await;
}

#[tokio::test]
async fn completions_are_scripts_of_the_shell_that_was_asked_for() {
    for (shell, word) in
        [("bash", "complete -F"), ("zsh", "#compdef ml-connector"), ("fish", "complete -c ml-connector")]
    {
        let script = run(program(&["completions", shell])).await.ends_with(0);
        assert!(script.stdout.contains(word), "{shell}");
        assert_eq!(script.stderr, "");
    }
    run(program(&["completions", "tcsh"])).await.ends_with(2);
}

#[tokio::test]
async fn a_reader_that_goes_away_ends_the_program_quietly() {
    for args in [
        &["explain"][..],
        &["explain", "--json"],
        &["completions", "bash"],
        &["completions", "fish"],
        &["--help"],
    ] {
        let mut child = program(args).spawn().unwrap();
        drop(child.stdout.take());
        let ended = child.wait_with_output().await.unwrap();
        assert_eq!(String::from_utf8_lossy(&ended.stderr), "", "{args:?}");
        assert_eq!(ended.status.code(), Some(0), "{args:?}");
    }
}

#[tokio::test]
async fn the_stand_ins_say_in_json_where_they_are_and_what_opens_them() {
    let any = "127.0.0.1:0";
    let args = ["sandbox", "--json", "--orders", "3", "--oracle", any, "--asana", any, "--control", any];
    let mut running = start(program(&args));
    let mut facts = String::new();
    let mut out = tokio::io::BufReader::new(running.child.stdout.take().unwrap());
    tokio::io::AsyncBufReadExt::read_line(&mut out, &mut facts).await.unwrap();
    let facts: Value = serde_json::from_str(&facts).unwrap();
    for key in [
        "oracle_url",
        "token_url",
        "client_id",
        "client_secret",
        "scope",
        "asana_url",
        "asana_token",
        "control_url",
        "workspace",
        "project",
    ] {
        assert!(facts[key].is_string(), "{key} in {facts}");
    }
    assert!(facts["fields"].as_object().unwrap().len() >= 4);
    assert!(facts["journal_fields"]["cost"].is_string() && facts["ledger"]["ledger_id"].is_number());
    let url = format!("{}/workspaces", facts["asana_url"].as_str().unwrap());
    let asked = reqwest::Client::new().get(url).bearer_auth(facts["asana_token"].as_str().unwrap());
    assert!(asked.send().await.unwrap().status().is_success());
    running.stop().await.ends_with(0);
}

#[tokio::test]
async fn the_record_log_is_exported_whole_and_as_it_is() {
    let (world, pair) = tokio::join!(World::new(), Pair::new());
    pair.add_orders(4);
    world.add("main", &pair).await;
    world.succeeds(&["poll", "main"]).await;
    world.execute("update movements set reason = '=1+1' where feed = 'invoices'").await;
    let all = world.count("select count(*) from movements").await;

    let lines = world.succeeds(&["export", "main"]).await;
    let movements: Vec<Value> =
        lines.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(movements.len() as i64, all);
    let bodies = world.count("select sum(length(body) + length(request))::bigint from movements").await;
    let length = |movement: &Value, key: &str| movement[key].as_str().map_or(0, |text| text.chars().count());
    let exported: usize = movements.iter().map(|m| length(m, "body") + length(m, "request")).sum();
    assert!(exported as i64 >= bodies && bodies > 0, "{exported} of {bodies}");
    assert!(movements.iter().any(|movement| movement["reason"] == "=1+1"), "a text stays as it is");

    let file = world.file("log.csv", "");
    let path = file.to_str().unwrap();
    world.succeeds(&["export", "main", "--format", "csv", "--out", path]).await;
    let mut rows = csv::Reader::from_path(&file).unwrap();
    let reason = rows.headers().unwrap().iter().position(|name| name == "reason").unwrap();
    let rows: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
    assert_eq!(rows.len() as i64, all);
    assert!(rows.iter().any(|row| &row[reason] == "'=1+1"), "no formula");

    let later = world.succeeds(&["export", "main", "--since", "2100-01-01T00:00:00Z"]).await;
    assert_eq!(later.stdout, "");
    let refused = world.run(&["export", "main", "--out", "/nowhere/log"]).await;
    assert!(refused.stderr.contains("MLC-6002"), "{}", refused.stderr);
    world.end().await;
}

#[tokio::test]
async fn the_settings_that_the_stand_ins_print_make_a_connection() {
    let any = "127.0.0.1:0";
    let world = World::new().await;
    let mut running =
        start(program(&["sandbox", "--orders", "1", "--oracle", any, "--asana", any, "--control", any]));
    running.says("Ctrl-C ends it").await;
    let printed = running.stop().await.ends_with(0).stdout;
    let from = printed.find("[oracle]\n").unwrap();
    let settings = connector::settings::Settings::from_toml(&printed[from..]).unwrap();
    assert_eq!(settings.journal.as_ref().unwrap().problems(), Vec::<String>::new());
    assert_eq!(settings.routing.account.delimiter.to_string(), ".");
    assert!(settings.fields.len() >= 6, "{:?}", settings.fields);

    let file = world.file("tried.toml", &printed[from..]);
    let added = world.succeeds(&["connection", "add", "tried", "-f", file.to_str().unwrap()]).await;
    assert!(
        added.stderr.contains("still missing: Oracle's client secret and Asana's token")
            && added
                .stderr
                .contains("connection edit tried --oracle-secret-file FILE --asana-token-file FILE"),
        "{}",
        added.stderr
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_stand_ins_write_for_a_newcomer_is_said_and_works_at_once() {
    let any = "127.0.0.1:0";
    let world = World::new().await;
    let place = world.directory.path().join("my place");
    let mut command =
        program(&["sandbox", "--orders", "3", "--oracle", any, "--asana", any, "--control", any]);
    command.arg("--newcomer").arg(&place);
    let mut running = start(command);
    running.says("Ctrl-C ends it").await;
    let file = place.join("connection.toml");
    let applied = world.succeeds(&["connection", "apply", "-f", file.to_str().unwrap()]).await;
    assert!(applied.stderr.contains("`acme` was added as a draft"), "{applied:?}");
    world.succeeds(&["connection", "ping", "acme"]).await;
    let read = does(&world, &["reference", "sync", "acme"]).await;
    for kind in ["suppliers", "accounts"] {
        assert!(read[kind]["rows"].as_u64().unwrap() > 0, "{read}");
    }
    let told = running.stop().await.ends_with(0).stdout;
    for name in ["connection.toml", "oracle.secret", "asana.token"] {
        assert!(told.contains(&format!("{}/{name}", place.display())), "{told}");
    }
    let next = format!("ml-connector connection apply -f '{}'\n", file.display());
    assert!(
        told.contains(&next) && told.contains("ml-connector connection setup acme --asana-url http"),
        "{told}"
    );
    let secret = std::fs::read_to_string(place.join("oracle.secret")).unwrap();
    assert!(!told.contains(secret.trim()), "{told}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_serves_its_status_and_stops_when_told() {
    let (world, pair) = tokio::join!(World::new(), Pair::new());
    pair.add_orders(3);
    world.add("main", &pair).await;
    world.succeeds(&["connection", "activate", "main", "--without-dry-run"]).await;
    let mut node = start(world.program(&["serve", "--listen", "127.0.0.1:0"]));
    let url = node.listens().await;
    crate::program::until("the tasks are made", || async { pair.tasks().len() == 3 }).await;
    for (path, status) in [("/health", 200), ("/ready", 200), ("/", 200), ("/nothing", 404)] {
        assert_eq!(reqwest::get(format!("{url}{path}")).await.unwrap().status(), status, "{path}");
    }
    let stopped = node.stop().await.ends_with(0);
    assert_eq!(stopped.stdout, "");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn suppliers_are_read_listed_shown_and_compared_with_tasks() {
    let (world, pair) = tokio::join!(World::new(), Pair::new());
    pair.sandbox.oracle().generate_reference(60, 0).unwrap();
    world.add("main", &pair).await;
    assert_eq!(looks(&world, &["reference", "list", "main"], 0).await, serde_json::json!([]));
    let read = does(&world, &["reference", "sync", "main", "suppliers"]).await;
    assert_eq!((&read["suppliers"]["rows"], &read["suppliers"]["written"]), (&60.into(), &60.into()));
    let listed = looks(&world, &["reference", "list", "main", "--limit", "7"], 0).await;
    assert_eq!(listed.as_array().unwrap().len(), 7);
    // what is left out is said, to programs too
    for (args, words) in [
        (vec!["list", "main"], "the first 50 of 60 suppliers; more with --limit"),
        (vec!["list", "main", "--limit", "59", "--json"], "the first 59 of 60 suppliers; more with --limit"),
        (vec!["list", "main", "--limit", "60"], ""),
        (
            vec!["show", "main", "supplier"],
            "the first 50 of 60 suppliers; a longer part of the name finds fewer",
        ),
        (vec!["show", "main", "supplier 00000"], ""),
    ] {
        let run = world.succeeds(&[&["reference"], args.as_slice()].concat()).await;
        assert_eq!(run.stderr.trim(), words, "{}", run.what);
    }
    let shown = looks(&world, &["reference", "show", "main", "supplier 000003"], 0).await;
    assert_eq!((&shown[0]["name"], &shown[0]["validity"]), (&"SUPPLIER 000003 LTD".into(), &"valid".into()));
    assert_eq!(looks(&world, &["reference", "check", "main"], 0).await, serde_json::json!([]));
    // no ledger and no chart of accounts is set
    let refused = world.run(&["reference", "sync", "main", "accounts", "--json"]).await.ends_with(1);
    let (code, message) = failure(&refused);
    let chart = pair.sandbox.oracle().ledger_facts().chart_of_accounts_id.to_string();
    assert!(code == "MLC-8005" && message.contains(&chart), "{code}: {message}");
    // which is set although there is no such section yet
    let set = format!("reference.chart_of_accounts={chart}");
    world.succeeds(&["connection", "edit", "main", "--set", &set]).await;
    world.succeeds(&["reference", "sync", "main", "accounts"]).await;
    let wrong = ["connection", "edit", "main", "--set", "referenz.chart_of_accounts=1", "--json"];
    assert_eq!(failure(&world.run(&wrong).await.ends_with(1)).0, "MLC-1208");
    world.end().await;
}
