//! Reading the record log: a window of it, what of it stands, and searching it.

use std::collections::BTreeSet;

use connector::search::{self, Answer, Wanted, Words};
use connector::store::{export, movements};
use jiff::Timestamp;
use sqlx::AssertSqlSafe;

use crate::fixture::World;

/// A movement opened at the hour of 2026-03-01, for each of these.
const HOURS: &str = "insert into movements (connection_id, movement_id, feed, source_id, state, created_at)
    select connection_id, (lpad(to_hex((extract(epoch from moment) * 1000)::bigint), 12, '0') || '70008000000000000000')::uuid,
           'purchase_orders', 'old-' || h, 'delivered', moment
    from connections, generate_series(0, 23) h, lateral (select '2026-03-01T00:00:00Z'::timestamptz + make_interval(hours => h) as moment) t";

fn hour(hour: u8) -> Option<Timestamp> {
    Some(format!("2026-03-01T{hour:02}:00:00Z").parse().unwrap())
}

fn words(supplier: Option<&str>, invoice: Option<&str>, text: Option<&str>) -> Wanted {
    let words = Words {
        supplier: supplier.map(Into::into),
        invoice: invoice.map(Into::into),
        text: text.map(Into::into),
    };
    Wanted { words, ..Wanted::default() }
}

fn text(text: &str) -> Wanted {
    words(None, None, Some(text))
}

impl World {
    async fn search(&self, wanted: &Wanted) -> Answer {
        search::take_up(&self.engine.db, self.connection, |_| ()).await.unwrap();
        search::find(&self.engine.db, self.connection, wanted, 50).await.unwrap()
    }

    /// What is found, each as its kind and number.
    async fn finds(&self, wanted: &Wanted) -> BTreeSet<(String, String)> {
        let found = self.search(wanted).await.found;
        found.into_iter().map(|f| (f.what, f.number.unwrap_or_default())).collect()
    }
}

fn set<const N: usize>(all: [(&str, &str); N]) -> BTreeSet<(String, String)> {
    all.into_iter().map(|(what, number)| (what.to_owned(), number.to_owned())).collect()
}

#[tokio::test]
async fn a_window_of_the_log_is_counted_and_exported_without_the_rest() {
    let world = World::new().await;
    world.order("US-1", &["10"]);
    world.sync().await;
    world.sql(HOURS).await;
    let (db, id) = (&world.engine.db, world.connection);

    for (since, until, wanted) in [
        (hour(3), hour(5), vec!["old-3", "old-4"]),
        (None, hour(1), vec!["old-0"]),
        (hour(5), hour(5), vec![]),
        (Some(hour(22).unwrap() + jiff::SignedDuration::from_millis(1)), hour(23), vec![]),
    ] {
        let page = export::page(db, id, since, until, None, 500).await.unwrap();
        let sources: Vec<&str> = page.iter().map(|m| m.source_id.as_str()).collect();
        assert_eq!(sources, wanted);
        assert_eq!(export::count(db, id, since, until).await.unwrap(), wanted.len() as u64);
    }
    assert_eq!(export::count(db, id, None, None).await.unwrap(), 25);
    assert_eq!(export::count(db, id, hour(23), None).await.unwrap(), 2, "the newest too");
    let first = export::page(db, id, hour(3), hour(9), None, 2).await.unwrap();
    let next = export::page(db, id, hour(3), hour(9), Some(first[1].movement_id), 2).await.unwrap();
    assert_eq!((first[0].source_id.as_str(), next[0].source_id.as_str()), ("old-3", "old-5"));
    world.end().await;
}

#[tokio::test]
async fn what_stands_is_what_is_counted_by_state() {
    let world = World::new().await;
    world.order("US-1", &["10"]);
    world.sync().await;
    for (at, state) in
        ["pending", "sending", "retrying", "in_doubt", "held", "failed", "failed"].iter().enumerate()
    {
        let insert = format!(
            "insert into movements (connection_id, movement_id, feed, source_id, state)
             select connection_id, gen_random_uuid(), 'invoices', '{at}', '{state}' from connections"
        );
        sqlx::query(AssertSqlSafe(insert)).execute(&world.engine.db).await.unwrap();
    }
    let standing = movements::standing(&world.engine.db, world.connection).await.unwrap();
    assert_eq!((standing.open, standing.held, standing.failed), (4, 1, 2));
    let counts = movements::count(&world.engine.db, world.connection).await.unwrap();
    assert_eq!((counts.open, counts.held, counts.failed), (4, 1, 2));
    world.end().await;
}

#[tokio::test]
async fn records_are_found_by_every_word_that_people_know_of_them() {
    let world = World::new().await;
    let first = world.order("US-165121", &["10"]);
    world.set_order(first, None, "Supplier", "\"Müller & Söhne GmbH\"");
    let second = world.order("US-2", &["10"]);
    world.set_order(second, None, "Supplier", "\"Acme \\\"Best\\\" Corp\"");
    world.invoice("INV-77/a", &[("US-2", "10")]);
    world.sync().await;

    let order = set([("order", "US-165121")]);
    for found in ["US-165121", "165121", "1651", "müller", "MÜLLER gmbh", "söhne", &first.to_string()] {
        assert_eq!(world.finds(&text(found)).await, order, "{found}");
    }
    assert_eq!(world.finds(&words(Some("mull"), None, None)).await, set([]), "another letter");
    assert_eq!(world.finds(&words(Some("best acme"), None, None)).await, set([("order", "US-2")]));
    assert_eq!(world.finds(&words(Some("165121"), None, None)).await, set([]), "no supplier's name");
    assert_eq!(world.finds(&words(None, Some("inv-77"), None)).await, set([("invoice", "INV-77/a")]));
    assert_eq!(world.finds(&words(Some("acme"), None, Some("165121"))).await, set([]), "both must fit");
    let po = Wanted { order_number: Some("US-2".into()), ..Wanted::default() };
    assert_eq!(world.finds(&po).await, set([("order", "US-2"), ("invoice", "INV-77/a")]));
    let gid = world.task("US-165121").gid;
    let task = Wanted { task: Some(gid.clone()), ..Wanted::default() };
    assert_eq!(world.finds(&task).await, order);
    assert_eq!(world.finds(&text(&gid)).await, order);
    let late = Wanted { since: Some("2100-01-01T00:00:00Z".parse().unwrap()), ..text("müller") };
    assert_eq!(world.finds(&late).await, set([]));

    // what changes is found by its new words, and no more by the old ones
    world.set_order(first, None, "Supplier", "\"Nobody\"");
    world.sync().await;
    assert_eq!(world.finds(&text("nobody")).await, order);
    assert_eq!(world.finds(&text("müller")).await, set([]));
    // a reason, while it stands
    world.sql("update movements set state = 'held', reason = 'the Amount has 3 decimals' where feed = 'invoices'").await;
    assert_eq!(world.finds(&text("decimals amount")).await, set([("invoice", "INV-77/a")]));
    for nothing in ["", " - ", "&|!'"] {
        let refused = search::find(&world.engine.db, world.connection, &text(nothing), 5).await.unwrap_err();
        assert_eq!(refused.code, connector::Code::SearchEmpty, "{nothing}");
    }
    for odd in ["a'b:*", "\\", "100%_x", "!us & (2)"] {
        let _ = search::find(&world.engine.db, world.connection, &text(&format!("{odd}x")), 5).await.unwrap();
    }
    world.end().await;
}

#[tokio::test]
async fn nothing_in_a_record_keeps_it_from_being_found_by_the_rest() {
    let world = World::new().await;
    let id = world.order("US-9", &["10"]);
    // a NUL, which PostgreSQL cannot store, and a name longer than an index takes
    let name = format!("\"nul\\u0000 {}\"", "x".repeat(5_000));
    world.set_order(id, None, "Supplier", &name);
    world.order("US-10", &["10"]);
    world.sync().await;
    assert_eq!(world.finds(&text(&id.to_string())).await, set([("order", "US-9")]));
    assert_eq!(world.finds(&text("us 9 nul")).await, set([("order", "US-9")]));
    // another connection's words are not found
    world.sql("update searched set connection_id = gen_random_uuid()").await;
    let found = search::find(&world.engine.db, world.connection, &text("nul"), 5).await.unwrap();
    assert!(found.found.is_empty(), "{found:?}");
    world.end().await;
}

#[tokio::test]
async fn journals_are_found_by_batch_group_task_order_and_supplier() {
    let world = World::with_journals().await;
    let order = world.order("US-1", &["10"]);
    world.set_order(order, None, "Supplier", "\"Acme\"");
    world.order("US-2", &["10"]);
    world.sync().await;
    let task = world.task("US-1").gid;
    world.complete(&task);
    world.way_back().await;

    let journal = |answer: &Answer| answer.found.iter().find(|f| f.what == "journal").cloned();
    let of_order = Wanted { order_number: Some("US-1".into()), ..Wanted::default() };
    let found = journal(&world.search(&of_order).await).expect("the order's journal");
    assert_eq!((found.number.as_deref(), found.task.as_deref()), (Some("US-1"), Some(task.as_str())));
    assert_eq!((found.supplier.as_deref(), found.state.as_str()), (Some("Acme"), "imported"));
    let batch = found.journal.clone().unwrap();
    let by_batch = world.search(&Wanted { batch: Some(batch.clone()), ..Wanted::default() }).await;
    assert_eq!(by_batch.found.iter().map(|f| f.id).collect::<Vec<_>>(), [found.id]);
    for wanted in [
        text(&batch),
        text(&task),
        text("US-1"),
        words(Some("acme"), None, None),
        Wanted { task: Some(task.clone()), ..Wanted::default() },
        Wanted { order_number: Some("US-1".into()), ..words(Some("acme"), None, None) },
    ] {
        assert_eq!(journal(&world.search(&wanted).await).map(|f| f.id), Some(found.id), "{wanted:?}");
    }
    for wanted in [text("US-2"), Wanted { batch: Some("1".into()), ..Wanted::default() }] {
        assert!(journal(&world.search(&wanted).await).is_none(), "{wanted:?}");
    }
    world.end().await;
}
