//! A mapping document by commands: shown and checked, previewed on live tasks, made for all of them, and taken back.

use serde_json::Value;

use crate::follow::{serves, shown};
use crate::pair::Pair;

const MAPPING: &str = r#"
[mapping.values.title]
text = "{{ order.number }} from {{ values.supplier }}"

[[mapping.rules]]
to = "name"
value = "title"

[[mapping.rules]]
to = "due_on"
set = "2026-12-31"
when = "order.total != null && order.total > 0"
"#;

/// Name and due date of every task, by gid.
fn tasks(pair: &Pair) -> Vec<(String, Value)> {
    let state: Value = serde_json::from_str(&pair.sandbox.asana().state_json()).unwrap();
    let tasks = state["tasks"].as_object().unwrap().values();
    tasks.map(|task| (task["name"].as_str().unwrap().to_owned(), task["due_on"].clone())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mapping_is_checked_previewed_followed_to_all_tasks_and_rolled_back() {
    let (world, pair) = shown().await;
    let before = tasks(&pair);
    let file = world.file("mapped.toml", &(pair.settings() + MAPPING));
    let file = file.to_str().unwrap();

    // what is wrong is told at once, with 3, and nothing is stored
    let wrong = pair.settings() + &MAPPING.replace("name\"", "tag:77\"").replace("value = \"title\"\n", "");
    let wrong = wrong.replace("set = \"2026-12-31\"", "value = \"title\"");
    let wrong = world.file("wrong.toml", &wrong);
    let refused =
        world.run(&["connection", "mapping", "main", "-f", wrong.to_str().unwrap()]).await.ends_with(3);
    assert!(refused.stderr.contains("MLC-8121: 2 problems"), "{refused:?}");
    assert!(refused.stderr.contains("no tag 77") && refused.stderr.contains("not a date"), "{refused:?}");
    let edit = world.run(&["connection", "edit", "main", "-f", wrong.to_str().unwrap()]).await.ends_with(1);
    assert!(edit.stderr.contains("MLC-8121") && edit.stderr.contains("connection mapping"), "{edit:?}");
    assert_eq!(world.count("select count(*) from settings_versions").await, 1);

    // problems of the settings stand on a line each, and as a list for programs
    let words = pair.settings()
        + &MAPPING.replace("set = ", "sett = ").replace("value = \"title\"", "value = \"titel\"")
        + "[[mapping.rules]]\nto = \"tag:77\"\nwhen = \"order.status == 'OPEN'\"\n";
    let words = world.file("words.toml", &words);
    let wrong = ["connection", "edit", "main", "-f", words.to_str().unwrap()];
    let told = world.run(&wrong).await.ends_with(1);
    assert!(
        told.stderr.contains("error: MLC-1208: 4 problems\n  - mapping.rules[2]: there is no"),
        "{told:?}"
    );
    assert!(told.stderr.contains("did you mean `set`?\n  - mapping."), "{told:?}");
    // with what only Asana knows
    assert!(told.stderr.contains("the workspace has no tag 77"), "{told:?}");
    let told = world.run(&[&wrong[..], &["--json"]].concat()).await.ends_with(1);
    let told: Value = serde_json::from_str(told.stderr.lines().last().unwrap()).unwrap();
    assert_eq!(told["error"]["problems"].as_array().unwrap().len(), 4, "{told}");

    let fits = world.succeeds(&["connection", "mapping", "main", "-f", file, "--json"]).await.json();
    assert_eq!(fits["problems"], Value::Array(Vec::new()));
    let rows = fits["rows"].as_array().unwrap();
    let of_name = rows.iter().find(|row| row["to"] == "name").unwrap();
    assert_eq!((&of_name["shows"], &of_name["from"]), (&"title".into(), &"a template".into()));
    // the whole file of the connection does as well
    let exported = world.succeeds(&["connection", "export", "main"]).await.stdout;
    let whole = world.file("whole.toml", &(exported + MAPPING));
    let whole = whole.to_str().unwrap();
    assert_eq!(world.succeeds(&["connection", "mapping", "main", "-f", whole, "--json"]).await.json(), fits);
    let foretold = world.succeeds(&["connection", "dry-run", "main", "-f", file, "--json"]).await.json();
    assert_eq!(foretold["counts"]["updated"], 12);
    assert_eq!(foretold["mapping"]["rules"][0]["wrote"], foretold["mapping"]["tasks"]);
    // what never applies is said, in the table and on the page
    let never = pair.settings() + &MAPPING.replace("order.total > 0", "order.total < 0");
    let never = world.file("never.toml", &never);
    let page = world.file("never.html", "");
    let (never, html) = (never.to_str().unwrap(), page.to_str().unwrap());
    let said = world.succeeds(&["connection", "dry-run", "main", "-f", never, "--html", html]).await;
    let page = std::fs::read_to_string(&page).unwrap();
    for shown in [&said.stdout, &page] {
        assert!(shown.contains("mapping.rules[2] (to due_on)"), "{shown}");
        assert!(shown.contains("it never applied ("), "{shown}");
    }
    assert_eq!(tasks(&pair), before);

    let serving = serves(&world).await;
    let followed =
        world.succeeds(&["connection", "edit", "main", "-f", file, "--follow", "--json"]).await.json();
    assert_eq!(followed["followed"]["ended"], "settled");
    let after = tasks(&pair);
    assert!(after.iter().all(|(name, due)| name.contains(" from ") && due == "2026-12-31"), "{after:?}");
    // another version, and back
    let other = world.file("other.toml", &(pair.settings() + &MAPPING.replace("} from {", "} by {")));
    world.succeeds(&["connection", "edit", "main", "-f", other.to_str().unwrap(), "--follow"]).await;
    assert!(tasks(&pair).iter().all(|(name, _)| name.contains(" by ")));
    world.succeeds(&["connection", "rollback", "main", "2", "--yes", "--follow"]).await;
    assert_eq!(tasks(&pair), after);
    serving.stop().await.ends_with(0);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_without_fields_keeps_those_that_are_stored_and_another_connections_file_is_refused() {
    let (world, pair) = shown().await;
    let exported = world.succeeds(&["connection", "export", "main"]).await.stdout;
    let fields = exported.find("[fields]").unwrap();
    let after = exported[fields..].find("\n\n").unwrap() + fields;
    let bare = format!("{}{}\n{MAPPING}", &exported[..fields], &exported[after..]);
    let file = world.file("bare.toml", &bare);
    let file = file.to_str().unwrap();
    for command in ["mapping", "dry-run"] {
        world.succeeds(&["connection", command, "main", "-f", file]).await;
    }
    world.succeeds(&["connection", "edit", "main", "-f", file]).await;
    let edited = world.succeeds(&["connection", "export", "main"]).await.stdout;
    assert!(edited.contains(&exported[fields..after]), "{edited}");
    let again = world.succeeds(&["connection", "apply", "-f", file, "--json"]).await.json();
    assert_eq!(again["action"], "nothing", "both take the file for the same");

    // what changes is shown, nothing is made anew where nothing does, and a section that goes is told
    let versions = "select count(*) from settings_versions";
    let before = world.count(versions).await;
    let same = world.succeeds(&["connection", "edit", "main", "-f", file]).await;
    assert!(same.stderr.contains("nothing to change: `main` is so already"), "{same:?}");
    assert_eq!(world.count(versions).await, before);
    let more = world.file("more.toml", &format!("{bare}\n[reference]\nhours = 5\n"));
    let added = world.succeeds(&["connection", "edit", "main", "-f", more.to_str().unwrap()]).await;
    assert!(added.stdout.contains("reference.hours"), "{added:?}");
    for command in ["dry-run", "edit"] {
        let gone = world.succeeds(&["connection", command, "main", "-f", file]).await;
        assert!(gone.stdout.contains("reference.hours"), "{gone:?}");
        assert!(gone.stderr.contains("[reference] is taken out"), "{gone:?}");
    }

    let other = world.file("other.toml", &bare.replace("name = \"main\"", "name = \"other\""));
    for command in ["mapping", "dry-run", "edit"] {
        let refused = world.run(&["connection", command, "main", "-f", other.to_str().unwrap()]).await;
        let refused = refused.ends_with(1);
        assert!(
            refused.stderr.contains("MLC-1208: `name`: the file is of `other`, not of `main`"),
            "{refused:?}"
        );
    }
    // the secrets of a file are stored by `apply` alone, which is said
    let secret = bare.replace("# asana_token", "asana_token");
    let secret = world.file("secret.toml", &secret);
    let edit = world.succeeds(&["connection", "edit", "main", "-f", secret.to_str().unwrap()]).await;
    assert!(edit.stderr.contains("were not read; `ml-connector connection apply -f"), "{edit:?}");
    assert_eq!(pair.tasks().len(), 12);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_be_meant_otherwise_and_what_stays_is_said_and_places_are_listed() {
    let (world, pair) = shown().await;
    let mapping = MAPPING.replace("order.total != null && ", "");
    let file = world.file("hinted.toml", &(pair.settings() + &mapping));
    let file = file.to_str().unwrap();
    let hint = "where Oracle leaves out `order.total` the movement is held (MLC-4021)";
    for command in ["mapping", "dry-run", "edit"] {
        let said = world.succeeds(&["connection", command, "main", "-f", file]).await;
        assert!(said.stderr.contains(hint) && said.stderr.contains("whatever its currency"), "{said:?}");
    }
    let looked = world.succeeds(&["connection", "mapping", "main"]).await;
    assert!(looked.stderr.contains("next: ml-connector connection dry-run main shows"), "{looked:?}");
    let back = world.succeeds(&["connection", "rollback", "main", "1", "--yes"]).await;
    let stays = "what name, due_on wrote stays on the tasks: nothing says what stood there before";
    assert!(back.stderr.contains(stays), "{back:?}");

    let table = world.succeeds(&["connection", "mapping", "main", "--places"]).await;
    for shown in ["Urgent", "fields.supplier", "text", "section"] {
        assert!(table.stdout.contains(shown), "{shown}: {table:?}");
    }
    let places =
        world.succeeds(&["connection", "mapping", "main", "-f", file, "--places", "--json"]).await.json();
    let places = places.as_array().unwrap();
    let state: Value = serde_json::from_str(&pair.sandbox.asana().state_json()).unwrap();
    let of = |what: &str| places.iter().filter(|place| place["what"] == what).count();
    assert_eq!(of("tag"), state["tags"].as_object().unwrap().len());
    assert!(of("section") > 0 && of("field") >= 4, "{places:?}");
    for tag in state["tags"].as_object().unwrap().keys() {
        assert!(places.iter().any(|place| place["name_it"] == format!("tag:{tag}")), "{tag}");
    }

    let paths = world.succeeds(&["connection", "mapping", "main", "--paths", "--json"]).await.json();
    let of = |path: &str| paths.as_array().unwrap().iter().find(|one| one["path"] == path).unwrap().clone();
    assert_eq!((&of("OrderNumber")["type"], of("Supplier")["example"].is_string()), (&"string".into(), true));
    assert_eq!(of("lines.schedules.PromisedDeliveryDate")["type"], "date");
    assert!(of("invoices.InvoiceAmount")["example"].is_string(), "{paths}");

    // nobody looked for causes yet, and which connection need not be said
    let quiet = world.succeeds(&["alerts", "list"]).await;
    assert!(quiet.stderr.contains("no alert is open"), "{quiet:?}");
    assert!(quiet.stderr.contains("`main`: causes were not looked for yet"), "{quiet:?}");
    let one = world.succeeds(&["alerts", "list", "main"]).await;
    assert_eq!(one.stderr, quiet.stderr);
    let checked = world.succeeds(&["reference", "check", "main"]).await;
    assert!(checked.stderr.contains("suppliers were never read and are not judged"), "{checked:?}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn options_for_a_text_field_are_refused_and_shown_with_the_mapping() {
    let (world, _pair) = shown().await;
    let set = "reference.options=[\"supplier\"]";
    let edit = world.run(&["connection", "edit", "main", "--set", set]).await.ends_with(1);
    let words =
        "MLC-8121: reference.options: field `Supplier` is text, options need a single-select field; map one";
    assert!(edit.stderr.contains(words), "{edit:?}");
    assert_eq!(world.count("select count(*) from settings_versions").await, 1);
    let looked = world.run(&["connection", "mapping", "main", "--set", set]).await.ends_with(3);
    assert!(looked.stderr.contains(words), "{looked:?}");
    let foretold = world.run(&["connection", "dry-run", "main", "--set", set]).await.ends_with(1);
    assert!(foretold.stderr.contains(words), "{foretold:?}");
    world.end().await;
}
