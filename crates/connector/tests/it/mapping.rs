//! The mapping document at work: every kind of target, values of any path, changes, and what is refused.

use connector::Code;
use connector::dry_run::{self, Options};
use connector::mapping::document::MappingSettings;
use connector::store::connections;
use connector::store::jobs::Job;
use sandbox::Side;
use sandbox::asana::Edit as InAsana;
use sandbox::oracle::{NewInvoice, NewOrder};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::fixture::{World, invoice_line, lines};

/// A world whose mapping is this document; `{section}`, `{tag}`, `{text}` and `{number}` stand for gids.
async fn mapped(document: &str) -> World {
    let world = World::new().await;
    apply(&world, document).await.unwrap();
    world
}

/// Stores a document as the mapping.
async fn apply(world: &World, document: &str) -> connector::Result<u64> {
    let mapping = read(world, document);
    world.edit(|settings| settings.mapping = mapping).await
}

fn read(world: &World, document: &str) -> MappingSettings {
    toml::from_str(&with_gids(world, document)).unwrap()
}

fn with_gids(world: &World, text: &str) -> String {
    let asana = world.sandbox.asana();
    let tag = asana.tags(&world.board.workspace)[0].0.clone();
    let user = asana.users().into_iter().find(|(_, _, email)| email == "ana.torres@example.com").unwrap().0;
    let optional = |key: &str| world.board.field(key).unwrap().to_owned();
    text.replace("{tag}", &tag)
        .replace("{user}", &user)
        .replace("{section}", &section(world))
        .replace("{text}", &optional("requester"))
        .replace("{number}", &optional("ordered_total"))
}

/// A section of the board's project, made when it is first asked for.
fn section(world: &World) -> String {
    let state = world.asana_state();
    let sections = state["sections"].as_object().unwrap();
    let known = sections.iter().find(|(_, section)| section["name"] == "Large orders");
    match known {
        Some((gid, _)) => gid.clone(),
        None => world.sandbox.asana().seed_section(&world.board.project, "Large orders").unwrap(),
    }
}

/// A task with everything that the stand-in knows of it.
fn whole(world: &World, number: &str) -> Value {
    world.asana_state()["tasks"][&world.task(number).gid].clone()
}

/// What a task's custom fields show, by gid.
fn shows(world: &World, number: &str, field: &str) -> Option<String> {
    let gid = with_gids(world, field);
    world.task(number).values.get(&gid).cloned()
}

/// Drops the purposes whose fields the documents use, and the time of the last write, which never is the same.
fn free(settings: &mut connector::settings::Settings) {
    use connector::purpose::Purpose;
    settings.fields.remove(&Purpose::LastSynced);
    settings.fields.remove(&Purpose::Requester);
    settings.fields.remove(&Purpose::OrderedTotal);
}

const EVERYTHING: &str = r#"
[values.title]
text = "{{ order.number }} of {{ values.supplier }}"

[values.needed]
read = "lines.schedules.PromisedDeliveryDate"
first = true
as = "date"

[values.buyer]
read = "Buyer"
lookup = { "Roe, Jane" = "ana.torres@example.com" }
default = ""

[values.quantity]
read = "lines.Ordered"
sum = true

[[rules]]
to = "name"
value = "title"

[[rules]]
to = "notes"
set = "kept by the connector"

[[rules]]
to = "due_on"
value = "needed"

[[rules]]
to = "assignee"
value = "buyer"

[[rules]]
to = "section"
set = "{section}"
when = "order.total != null && order.total > 1000"

[[rules]]
to = "tag:{tag}"
when = "order.total != null && order.total > 1000"

[[rules]]
to = "{text}"
set = "large"
when = "order.total != null && order.total > 1000"

[[rules]]
to = "{text}"
set = "small"

[[rules]]
to = "{number}"
value = "quantity"
"#;

async fn everything() -> (World, i64) {
    let world = World::new().await;
    world.edit(free).await.unwrap();
    apply(&world, EVERYTHING).await.unwrap();
    let order = world.order("US-1", &["900", "200.50"]);
    world.set_order(order, None, "Buyer", "\"Roe, Jane\"");
    (world, order)
}

#[tokio::test]
async fn a_new_task_gets_every_attribute_with_one_request() {
    let (world, order) = everything().await;
    world.sync().await;
    let posts = world.sandbox.calls().count(|call| call.side == Side::Asana && call.method == "POST");
    assert_eq!((posts, world.asana_writes()), (1, 1));
    let task = whole(&world, "US-1");
    let supplier = world.task("US-1").shows("supplier").unwrap().to_owned();
    assert_eq!(task["name"], json!(format!("US-1 of {supplier}")));
    assert_eq!(task["notes"], json!(format!("kept by the connector\n\nOracle order id: {order}")));
    assert_eq!(task["assignee"], json!([with_gids(&world, "{user}")]));
    assert_eq!(task["tags"], json!([with_gids(&world, "{tag}")]));
    assert_eq!(world.task("US-1").memberships, [(world.board.project.clone(), section(&world))]);
    assert_eq!(shows(&world, "US-1", "{text}").as_deref(), Some("large"));
    assert_eq!(shows(&world, "US-1", "{number}").as_deref(), Some("1100.5"));
    // nothing is left to do, however often it is looked at
    world.edit(|settings| settings.schedule.poll_minutes = 7).await.unwrap();
    world.run(Job::Push).await.unwrap();
    assert_eq!(world.asana_writes(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_change_writes_only_what_differs_and_sections_and_tags_have_requests_of_their_own() {
    let (world, order) = everything().await;
    world.sync().await;
    let before = world.asana_writes();
    world.set_amount(order, 1, "5");
    world.sync().await;
    // the amount and the text field with one request, the tag with another; the section's rule holds no more, and
    // where the task is stays
    assert_eq!(world.asana_writes() - before, 2);
    assert_eq!(whole(&world, "US-1")["tags"], json!([]));
    assert_eq!(shows(&world, "US-1", "{text}").as_deref(), Some("small"));
    let moved = world.movement_of(order).await;
    assert_eq!(moved.state, "delivered");
    world.set_amount(order, 1, "5000");
    world.sync().await;
    assert_eq!(whole(&world, "US-1")["tags"], json!([with_gids(&world, "{tag}")]));
    let moved = world.movement_of(order).await;
    let full = connector::store::movements::show(
        &world.engine.db,
        world.connection,
        connector::ids::MovementId(moved.movement_id),
    )
    .await;
    let request = full.unwrap().unwrap().request.unwrap();
    assert!(request.starts_with("PUT /tasks/") && request.contains("\n\nPOST /tasks/"), "{request}");
    world.end().await;
}

#[tokio::test]
async fn what_a_person_changes_is_put_right_with_the_orders_next_change() {
    let (world, order) = everything().await;
    world.sync().await;
    let task = world.task("US-1").gid;
    world.asana(InAsana::RenameTask { task: task.clone(), name: "mine".into() });
    world.set_amount(order, 1, "901");
    world.sync().await;
    assert!(whole(&world, "US-1")["name"].as_str().unwrap().starts_with("US-1 of "));
    world.end().await;
}

#[tokio::test]
async fn an_attribute_that_only_the_mapping_reads_moves_the_record() {
    let world = World::new().await;
    world.edit(free).await.unwrap();
    let order = world.order("US-1", &["10"]);
    world.sync().await;
    let count = world.movements().await.len();
    world.set_order(order, None, "Buyer", "\"Doe, John\"");
    world.sync().await;
    assert_eq!(world.movements().await.len(), count, "nobody asks for the buyer");
    let document = "[values.buyer]\nread = \"Buyer\"\n[[rules]]\nto = \"{text}\"\nvalue = \"buyer\"";
    assert_eq!(apply(&world, document).await.unwrap(), 1);
    world.sync().await;
    assert_eq!(shows(&world, "US-1", "{text}").as_deref(), Some("Doe, John"));
    world.set_order(order, None, "Buyer", "\"Roe, Jane\"");
    world.sync().await;
    assert_eq!(shows(&world, "US-1", "{text}").as_deref(), Some("Roe, Jane"));
    world.end().await;
}

#[tokio::test]
async fn children_that_did_not_come_along_are_read_for_every_record_once_a_rule_asks() {
    let world = World::new().await;
    world.edit(free).await.unwrap();
    for n in 0..3 {
        world.order(&format!("US-{n}"), &["10"]);
    }
    world.sync().await;
    world.sandbox.calls().record_exchanges(100);
    let asked = |words: &str| {
        let all = world.sandbox.calls().exchanges();
        all.iter().filter(|call| call.side == Side::Oracle && call.target.contains(words)).count()
    };
    world.sync().await;
    assert_eq!(asked("projectDFF"), 0);
    let document = "[values.project]\nread = \"lines.schedules.distributions.projectDFF._PROJECT_ID\"\nfirst = true\n\
                    default = \"none\"\n[[rules]]\nto = \"{text}\"\nvalue = \"project\"";
    apply(&world, document).await.unwrap();
    world.sync().await;
    assert!(asked("projectDFF") > 0);
    for n in 0..3 {
        let shown = shows(&world, &format!("US-{n}"), "{text}").unwrap();
        let body: String = sqlx::query_scalar("select body from documents where order_number = $1")
            .bind(format!("US-{n}"))
            .fetch_one(&world.engine.db)
            .await
            .unwrap();
        assert!(body.contains("projectDFF"), "{body}");
        assert!(shown == "none" || body.contains(&shown), "{shown}: {body}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_record_that_a_rule_has_no_answer_for_is_held_with_the_rules_place() {
    let world = World::new().await;
    world.edit(free).await.unwrap();
    let document = "[values.buyer]\nread = \"Buyer\"\nlookup = { A = \"B\" }\n[[rules]]\nto = \"{text}\"\nvalue = \"buyer\"";
    apply(&world, document).await.unwrap();
    let order = world.order("US-1", &["10"]);
    world.set_order(order, None, "Buyer", "\"Doe, John\"");
    world.sync().await;
    let held = world.movement_of(order).await;
    assert_eq!((held.state.as_str(), held.code.as_deref()), ("held", Some("MLC-4018")));
    let reason = held.reason.unwrap();
    assert!(reason.contains("mapping.rules[1]") && reason.contains("Doe, John"), "{reason}");
    assert_eq!(world.asana_writes(), 0);
    apply(&world, &document.replace("{ A = \"B\" }", "{ \"Doe, John\" = \"John\" }")).await.unwrap();
    world.run(Job::Push).await.unwrap();
    assert_eq!(shows(&world, "US-1", "{text}").as_deref(), Some("John"));
    world.end().await;
}

#[tokio::test]
async fn sums_over_invoices_leave_canceled_ones_out_and_never_mix_currencies() {
    let world = World::new().await;
    world.edit(free).await.unwrap();
    let document = "[values.asked]\nread = \"invoices.InvoiceAmount\"\nsum = true\n[[rules]]\nto = \"{number}\"\nvalue = \"asked\"";
    apply(&world, document).await.unwrap();
    world.order("US-1", &["100"]);
    world.invoice("I-1", &[("US-1", "10.10")]);
    world.invoice("I-2", &[("US-1", "20.20")]);
    world.sync().await;
    assert_eq!(shows(&world, "US-1", "{number}").as_deref(), Some("30.3"));
    world.new_invoice(NewInvoice {
        number: Some("I-3".into()),
        currency: Some("EUR".into()),
        lines: vec![invoice_line("US-1", "5")],
        ..NewInvoice::default()
    });
    world.sync().await;
    let held = world.in_state("held").await;
    assert!(held.iter().all(|m| m.code.as_deref() == Some("MLC-4011")) && !held.is_empty(), "{held:?}");
    world.end().await;
}

#[tokio::test]
async fn a_value_named_like_a_purpose_replaces_what_its_field_shows() {
    let world = mapped("[values.supplier]\nvalue = \"supplier\"\ncase = \"upper\"").await;
    world.new_order(NewOrder {
        number: Some("US-1".into()),
        supplier: Some("Straße Ltd".into()),
        lines: lines(&["10"]),
        ..NewOrder::default()
    });
    world.sync().await;
    assert_eq!(world.task("US-1").shows("supplier"), Some("STRASSE LTD"));
    world.end().await;
}

#[tokio::test]
async fn what_does_not_fit_either_side_is_refused_with_all_problems_and_changes_nothing() {
    let world = World::new().await;
    world.edit(free).await.unwrap();
    world.order("US-1", &["10"]);
    world.sync().await;
    let connection = connections::load(&world.engine.db, world.connection).await.unwrap();
    connector::manage::activate(&world.engine, &connection, connector::manage::FirstLook::Waived)
        .await
        .unwrap();
    let before = connections::load(&world.engine.db, world.connection).await.unwrap();
    let document = "[values.buyer]\nread = \"Byer\"\n[[rules]]\nto = \"{number}\"\nvalue = \"buyer\"\n\
                    [[rules]]\nto = \"tag:1\"\nwhen = \"order.total > 5.0\"\n[[rules]]\nto = \"section\"\nset = \"1\"";
    let refused = apply(&world, document).await.unwrap_err();
    assert_eq!(refused.code, Code::MappingRefused);
    for words in ["mapping.values.buyer", "Byer", "Buyer", "no tag 1", "section 1"] {
        assert!(refused.message.contains(words), "{words}: {}", refused.message);
    }
    let after = connections::load(&world.engine.db, world.connection).await.unwrap();
    assert_eq!((after.settings_version, &after.settings), (before.settings_version, &before.settings));
    world.end().await;
}

#[tokio::test]
async fn a_changed_mapping_is_foretold_exactly_and_can_be_gone_back_from() {
    let (world, _) = everything().await;
    for n in 2..20 {
        world.order(&format!("US-{n}"), &[if n % 2 == 0 { "2000" } else { "20" }]);
    }
    world.sync().await;
    let state = world.asana_state()["tasks"].clone();
    let connection = connections::load(&world.engine.db, world.connection).await.unwrap();
    let version: i32 = sqlx::query_scalar("select max(version) from settings_versions")
        .fetch_one(&world.engine.db)
        .await
        .unwrap();
    let changed = EVERYTHING.replace("> 1000", "> 1500").replace("kept by", "written by");
    let mut settings = connection.settings.clone();
    settings.mapping = read(&world, &changed);
    let writes = world.asana_writes();
    let foretold = dry_run::preview(
        &world.engine,
        &connection,
        settings.clone(),
        Options::default(),
        &watch::Sender::new(0),
    )
    .await
    .unwrap();
    assert_eq!(world.asana_writes(), writes, "a preview writes nothing");
    assert_eq!(foretold.counts.updated, 19);
    world.edit(|present| present.mapping = settings.mapping).await.unwrap();
    world.run(Job::Push).await.unwrap();
    assert_eq!(whole(&world, "US-1")["tags"], json!([]), "1,100.50 is no longer large");
    assert!(whole(&world, "US-2")["notes"].as_str().unwrap().starts_with("written by"));
    let connection = connections::load(&world.engine.db, world.connection).await.unwrap();
    connector::manage::roll_back(&world.engine, &connection, version).await.unwrap();
    world.run(Job::Push).await.unwrap();
    let seen = |tasks: &Value| -> Vec<Value> {
        let tasks = tasks.as_object().unwrap().values();
        tasks
            .map(|t| json!([t["name"], t["notes"], t["tags"], t["assignee"], t["due_on"], t["values"]]))
            .collect()
    };
    assert_eq!(seen(&world.asana_state()["tasks"]), seen(&state));
    world.end().await;
}

const SILENT: &str = r#"
[values.kind]
value = "supplier"
lookup = { NOBODY = "A" }
default = "other"

[values.absent]
read = "Buyer"

[[rules]]
to = "{text}"
value = "kind"

[[rules]]
to = "name"
value = "absent"

[[rules]]
to = "due_on"
set = "2026-12-31"
when = "order.number == 'none'"
"#;

#[tokio::test]
async fn a_preview_says_what_silently_yields_nothing() {
    let world = World::new().await;
    world.edit(free).await.unwrap();
    for number in ["US-1", "US-2"] {
        let order = world.order(number, &["10"]);
        world.set_order(order, None, "Buyer", "null");
    }
    world.sync().await;
    let connection = connections::load(&world.engine.db, world.connection).await.unwrap();
    let mut settings = connection.settings.clone();
    settings.mapping = read(&world, SILENT);
    let progress = watch::Sender::new(0);
    let look = dry_run::preview(&world.engine, &connection, settings, Options::default(), &progress);
    let told = look.await.unwrap().mapping;
    let says: Vec<String> = told.says().map(|(place, words)| format!("{place}: {words}")).collect();
    let tasks = told.tasks;
    assert_eq!(tasks, 2, "an order counts once, with its invoices too");
    for words in [
        "mapping.values.kind: its default always stood in (2 tasks)",
        "mapping.values.kind: not in its look-up table: `",
        "mapping.values.absent: it was always empty (2 tasks)",
        "mapping.rules[2] (to name): it never wrote anything: its value was empty on all 2 tasks",
        "mapping.rules[3] (to due_on): it never applied (2 tasks)",
    ] {
        assert!(says.iter().any(|said| said.starts_with(words)), "{words}: {says:?}");
    }
    assert!(!says.iter().any(|said| said.starts_with("mapping.rules[1]")), "{says:?}");
    let without = dry_run::preview(
        &world.engine,
        &connection,
        connection.settings.clone(),
        Options::default(),
        &progress,
    );
    assert_eq!(without.await.unwrap().mapping.says().count(), 0);
    world.end().await;
}
