//! The dry run: it writes nothing, and what it foretells is what happens.

use std::collections::{BTreeMap, BTreeSet};

use connector::Code;
use connector::dry_run::report::{Action, Entry, Report};
use connector::dry_run::{self, Options};
use connector::manage::{self, FirstLook};
use connector::settings::{TaskPer, WithoutOrder};
use connector::store::connections;
use connector::store::jobs::Job;
use sandbox::{AsanaConfig, GenerateOptions, SandboxConfig, Side};
use tokio::sync::watch;

use crate::fixture::World;

async fn dry_run(world: &World, options: Options) -> (Report, Vec<Entry>) {
    let made = dry_run::run(&world.engine, world.connection, options, &watch::Sender::new(0)).await;
    let mut report = made.unwrap();
    let entries = (0..report.len()).map(|place| report.entry(place).unwrap().unwrap()).collect();
    (report, entries)
}

/// Every table with the number of its rows and a digest over them, but those of the rate budget that all nodes share:
/// whoever reads takes from it.
pub async fn tables(world: &World) -> BTreeMap<String, String> {
    let names: Vec<(String,)> = sqlx::query_as(
        "select table_name::text from information_schema.tables where table_schema = 'public' order by 1",
    )
    .fetch_all(&world.engine.db)
    .await
    .unwrap();
    let mut all = BTreeMap::new();
    for (name,) in names.into_iter().filter(|(name,)| !name.starts_with("budget")) {
        let sql = format!(
            "select count(*)::text || md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from {name} t"
        );
        let (rows,): (String,) =
            sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_one(&world.engine.db).await.unwrap();
        all.insert(name, rows);
    }
    all
}

/// A write in a form that can be compared: its task, or the name of the new one, and what each field shows.
type Told = (String, BTreeMap<String, String>);

fn foretold(entries: &[Entry]) -> BTreeSet<Told> {
    let told = |entry: &Entry| {
        let whose = entry.task.clone().unwrap_or_else(|| format!("new {}", entry.name.as_deref().unwrap()));
        let values = entry
            .values
            .iter()
            .map(|v| (v.purpose.clone(), v.new.clone().unwrap_or_else(|| "null".to_owned())))
            .collect();
        (whose, values)
    };
    entries.iter().filter(|entry| entry.action != Action::Held).map(told).collect()
}

/// What was really sent.
fn sent(world: &World) -> Vec<Told> {
    let options: BTreeMap<String, String> =
        world.board.fields.iter().flat_map(|(_, gid)| world.sandbox.asana().options(gid)).collect();
    let purposes: BTreeMap<&str, &str> =
        world.board.fields.iter().map(|(key, gid)| (gid.as_str(), *key)).collect();
    let exchanges = world.sandbox.calls().exchanges();
    exchanges
        .into_iter()
        .filter(|e| e.side == Side::Asana && e.method != "GET")
        .map(|e| {
            let body: serde_json::Value = serde_json::from_str(&e.request_body).unwrap();
            let whose = match e.method.as_str() {
                "POST" => format!("new {}", body["data"]["name"].as_str().unwrap()),
                _ => e.target.split('?').next().unwrap().rsplit('/').next().unwrap().to_owned(),
            };
            let values = body["data"]["custom_fields"].as_object().unwrap();
            let shown = |(gid, value): (&String, &serde_json::Value)| {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let text = options.get(&text).cloned().unwrap_or(text);
                (purposes[gid.as_str()].to_owned(), text)
            };
            (whose, values.iter().map(shown).filter(|(key, _)| key != "last_synced").collect())
        })
        .collect()
}

/// Numbers in one form: `10.50` and `10.5` are the same.
fn plain(all: impl IntoIterator<Item = Told>) -> BTreeSet<Told> {
    let number = |text: String| match text.parse::<rust_decimal::Decimal>() {
        Ok(number) => number.normalize().to_string(),
        Err(_) => text,
    };
    let values = |values: BTreeMap<String, String>| values.into_iter().map(|(k, v)| (k, number(v))).collect();
    all.into_iter().map(|(whose, v)| (whose, values(v))).collect()
}

fn held(entries: &[Entry]) -> BTreeSet<(String, String)> {
    let all = entries.iter().filter(|entry| entry.action == Action::Held);
    all.map(|entry| (entry.source_id.clone(), entry.code.clone().unwrap())).collect()
}

/// Makes a dry run, proves that nothing was written, synchronises, and compares.
async fn foretells_exactly(world: &World) {
    let before = (tables(world).await, world.asana_writes(), world.asana_state());
    let oracle_posts = || {
        world
            .sandbox
            .calls()
            .count(|c| c.side == Side::Oracle && c.method != "GET" && !c.route.contains("token"))
    };
    let (report, entries) = dry_run(world, Options::default()).await;
    let mut after = tables(world).await;
    assert!(report.whole);
    assert_ne!(before.0.get("dry_runs"), after.get("dry_runs"));
    after.insert("dry_runs".to_owned(), before.0["dry_runs"].clone());
    assert_eq!((before.0, before.1, before.2), (after, world.asana_writes(), world.asana_state()));
    assert_eq!(oracle_posts(), 0);

    world.sandbox.calls().record_exchanges(usize::MAX);
    world.sync().await;
    world.settle().await;
    let sent = sent(world);
    assert_eq!(sent.len() as u64, report.counts.created + report.counts.updated);
    let (wanted, happened) = (plain(foretold(&entries)), plain(sent));
    let missing: Vec<_> = wanted.difference(&happened).take(3).collect();
    let besides: Vec<_> = happened.difference(&wanted).take(3).collect();
    assert!(wanted == happened, "foretold only: {missing:#?}\nhappened only: {besides:#?}");
    assert_eq!(held(&entries), world.held().await.into_iter().collect());
    world.sandbox.calls().record_exchanges(0);

    let (report, entries) = dry_run(world, Options::default()).await;
    assert_eq!((report.counts.created, report.counts.updated), (0, 0), "{entries:?}");
}

/// Orders, invoices, and what makes them difficult: shared numbers, tasks that people made, unreadable amounts,
/// invoices without an order.
fn fill(world: &World, orders: usize) {
    let made = GenerateOptions { orders, invoices: orders, ..GenerateOptions::default() };
    world.sandbox.oracle().generate(&made).unwrap();
    world.order("US-1", &["10.10", "5"]);
    world.order("US-1", &["7"]);
    world.order("US-2", &["3.5"]);
    let broken = world.order("US-3", &["8"]);
    world.set_order(broken, Some(1), "Ordered", "null");
    world.order("US-4", &["1.005"]);
    for number in ["US-2", "US-2", "US-1", "US-9"] {
        world.persons_task(number);
    }
    world.invoice("INV-1", &[("US-2", "1"), ("US-1", "2")]);
    world.invoice("INV-2", &[("US-2", "1.25")]);
    world.invoice("INV-3", &[("US-77", "4")]);
    world.invoice("INV-4", &[]);
}

#[tokio::test]
async fn a_dry_run_writes_nothing_and_foretells_exactly_what_happens() {
    let world = World::new().await;
    fill(&world, 250);
    foretells_exactly(&world).await;
    // and so it does later, when something is stored and linked
    world.set_amount(world.order("US-5", &["1"]), 1, "2.75");
    let number = "US-2";
    let task = world.tasks_of(number)[0].gid.clone();
    let field = world.field("supplier");
    world.asana(sandbox::asana::Edit::SetValue { task, field, value: "somebody typed this".into() });
    world.invoice("INV-5", &[(number, "9")]);
    let (_, entries) = dry_run(&world, Options::default()).await;
    let told: Vec<_> = entries.iter().flat_map(|e| &e.values).collect();
    let typed = told.iter().find(|v| v.old.as_deref() == Some("somebody typed this")).unwrap();
    assert_eq!((typed.purpose.as_str(), typed.new.is_some()), ("supplier", true));
    foretells_exactly(&world).await;
    world.end().await;
}

#[tokio::test]
async fn tasks_per_line_and_invoices_with_tasks_of_their_own_are_foretold_too() {
    let config = SandboxConfig { asana: AsanaConfig::unlimited(), ..SandboxConfig::default() };
    let world = World::with(config, |settings| {
        settings.tasks.per = TaskPer::Line;
        settings.tasks.invoices_without_order = WithoutOrder::Task;
    })
    .await;
    fill(&world, 40);
    foretells_exactly(&world).await;
    world.end().await;
}

/// Takes about two minutes: `cargo test -p connector --test it ten_thousand -- --ignored`.
#[tokio::test]
#[ignore = "takes minutes"]
async fn ten_thousand_orders_are_foretold_exactly() {
    let world = World::new().await;
    fill(&world, 10_000);
    foretells_exactly(&world).await;
    world.end().await;
}

#[tokio::test]
async fn a_part_is_looked_at_when_a_part_is_asked_for() {
    let world = World::new().await;
    for n in 0..20 {
        world.order(&format!("US-{n}"), &["10"]);
    }
    let (report, entries) = dry_run(&world, Options { limit: Some(5), ..Options::default() }).await;
    assert_eq!((report.whole, entries.len()), (false, 5));
    let later = world.sandbox.clock().now() + jiff::SignedDuration::from_hours(1);
    world.sandbox.clock().freeze(later);
    world.order("US-20", &["1"]);
    let since = Some(later - jiff::SignedDuration::from_mins(1));
    let (report, entries) = dry_run(&world, Options { since, ..Options::default() }).await;
    assert_eq!((report.whole, entries.len()), (false, 1));
    assert_eq!(entries[0].order_number, "US-20");
    world.end().await;
}

#[tokio::test]
async fn a_first_activation_needs_a_whole_dry_run_with_the_present_settings() {
    let world = World::new().await;
    world.order("US-1", &["10"]);
    world.order("US-2", &["10"]);
    let load = || async { connections::load(&world.engine.db, world.connection).await.unwrap() };
    let (engine, load) = (&world.engine, &load);
    let refused = |why: &'static str| async move {
        let error = manage::activate(engine, &load().await, FirstLook::Required).await.unwrap_err();
        assert_eq!(error.code, Code::DryRunMissing);
        assert!(error.message.contains(why), "{error}");
    };
    refused("no dry run was made yet").await;
    dry_run(&world, Options { limit: Some(1), ..Options::default() }).await;
    refused("only at a part").await;
    dry_run(&world, Options::default()).await;
    world.edit(|settings| settings.tasks.name = "{{ order.number }}".to_owned()).await.unwrap();
    refused("were changed since").await;
    dry_run(&world, Options::default()).await;
    manage::activate(&world.engine, &load().await, FirstLook::Required).await.unwrap();
    manage::pause(&world.engine, &load().await).await.unwrap();
    world.edit(|settings| settings.schedule.poll_minutes = 5).await.unwrap();
    // only the first needs one
    manage::activate(&world.engine, &load().await, FirstLook::Required).await.unwrap();
    world.run(Job::Push).await.unwrap();
    world.end().await;
}

/// Sets a mapping that puts what costs more than 1,000 into a section, and gives it two tags.
async fn sort_out_large_orders(world: &World) {
    let section = world.sandbox.asana().seed_section(&world.board.project, "Large orders").unwrap();
    let tags = world.sandbox.asana().tags(&world.board.workspace);
    let large = "when = \"order.total != null && order.total > 1000\"";
    let mut document = format!("[[rules]]\nto = \"section\"\nset = \"{section}\"\n{large}\n");
    for (tag, _) in &tags[..2] {
        document.push_str(&format!("[[rules]]\nto = \"tag:{tag}\"\n{large}\n"));
    }
    let mapping = toml::from_str(&document).unwrap();
    world.edit(|settings| settings.mapping = mapping).await.unwrap();
}

/// Makes a dry run, then synchronises, and returns how many requests were foretold, and how many came of each kind.
async fn foretold_and_counted(world: &World) -> (u64, u64, [u64; 6]) {
    let (report, _) = dry_run(world, Options::default()).await;
    world.sandbox.calls().reset();
    world.sync().await;
    let calls = world.sandbox.calls();
    let of = |method: &str, end: &str| {
        calls.count(|call| call.side == Side::Asana && call.method == method && call.route.ends_with(end))
    };
    let kinds = [
        of("POST", "/tasks"),
        of("PUT", "/tasks/{id}"),
        of("POST", "/addTask"),
        of("POST", "/addTag"),
        of("POST", "/removeTag"),
        of("GET", "/tasks/{id}"),
    ];
    (report.counts.asana_requests, calls.total_of(Side::Asana), kinds)
}

#[tokio::test]
async fn the_requests_foretold_are_those_that_are_sent() {
    let world = World::new().await;
    sort_out_large_orders(&world).await;
    for number in ["US-1", "US-2", "US-3"] {
        world.persons_task(number);
    }
    let one = world.order("US-1", &["2000"]);
    world.order("US-2", &["900", "200.50"]);
    world.order("US-3", &["10"]);
    let made = world.order("US-4", &["5000"]);
    world.order("US-5", &["1"]);
    // fields, sections and tasks of the one project, and what the writes take: five for each task that moves and is
    // tagged, one for the third, and one for each that is made
    let (foretold, counted, kinds) = foretold_and_counted(&world).await;
    assert_eq!(kinds, [2, 3, 2, 4, 0, 2]);
    assert_eq!((foretold, counted), (3 + 13, 3 + 13));
    // tags are taken off again, and a task stays in its section
    world.set_amount(one, 1, "5");
    world.set_amount(made, 1, "5");
    let (foretold, counted, kinds) = foretold_and_counted(&world).await;
    assert_eq!(kinds, [0, 2, 0, 0, 4, 2]);
    assert_eq!((foretold, counted), (3 + 8, 3 + 8));
    // nothing else is left, so that not even the fields are looked at
    let (foretold, counted, kinds) = foretold_and_counted(&world).await;
    assert_eq!((foretold, counted, kinds), (3, 1, [0; 6]));
    world.end().await;
}
