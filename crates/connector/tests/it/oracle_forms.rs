//! What differs between pods and versions changes nothing in what arrives.

use connector::Code;
use connector::feed::Feed;
use connector::settings::Settings;
use connector::store::feeds::{self, Mode};
use connector::store::jobs::Job;
use jiff::SignedDuration;
use sandbox::oracle::settings::{DateTimeLiterals, Granularity, InstantStyle, OracleSettings};
use sandbox::oracle::{Edit, NewOrder};
use sandbox::{AsanaConfig, Fault, FaultRule, GenerateOptions, SandboxConfig, Side};

use crate::expected;
use crate::fixture::{World, held, lines};

/// Everything arrives, is read once, and changes are seen, whatever the pod is like.
async fn arrives_whole(
    oracle: impl FnOnce(&mut OracleSettings),
    settings: impl FnOnce(&mut Settings),
) -> World {
    let mut oracle_settings = OracleSettings::default();
    oracle(&mut oracle_settings);
    let asana = AsanaConfig::unlimited();
    let world =
        World::with(SandboxConfig { asana, oracle_settings, ..SandboxConfig::default() }, settings).await;
    let made = GenerateOptions { orders: 60, invoices: 40, ..GenerateOptions::default() };
    world.sandbox.oracle().generate(&made).unwrap();
    world.sync().await;
    let found = expected::compare(&world).await;
    assert_eq!(found.agree + found.held, 60, "{found:?}");
    assert!(found.agree > 50, "{found:?}");
    let writes = world.asana_writes();
    world.sync().await;
    assert_eq!(world.asana_writes(), writes, "nothing changed");
    for order in world.sandbox.oracle().order_ids().into_iter().step_by(9) {
        world.set_amount(order, 1, "12.34");
    }
    let invoice = world.sandbox.oracle().invoice_ids()[0];
    world.set_invoice(invoice, None, "PaidStatus", "\"Paid\"");
    world.sync().await;
    let found = expected::compare(&world).await;
    assert_eq!(found.agree + found.held, 60, "{found:?}");
    world
}

async fn mode(world: &World, feed: Feed) -> Option<Mode> {
    feeds::load(&world.engine.db, world.connection, feed).await.unwrap().mode
}

#[tokio::test]
async fn pages_of_seven_rows_with_whole_seconds() {
    let world = arrives_whole(
        |oracle| {
            oracle.max_limit = 7;
            oracle.filter_granularity = Granularity::Seconds;
            oracle.instants = InstantStyle::Seconds;
        },
        |_| {},
    )
    .await;
    assert_eq!(mode(&world, Feed::PurchaseOrders).await, Some(Mode::ByLastUpdate));
    world.end().await;
}

#[tokio::test]
async fn pages_of_seven_rows_with_milliseconds() {
    arrives_whole(
        |oracle| {
            oracle.max_limit = 7;
            oracle.filter_granularity = Granularity::Millis;
            oracle.instants = InstantStyle::Millis;
        },
        |_| {},
    )
    .await
    .end()
    .await;
}

#[tokio::test]
async fn date_times_in_quotation_marks_only() {
    arrives_whole(|oracle| oracle.date_time_literals = DateTimeLiterals::Quoted, |_| {}).await.end().await;
}

#[tokio::test]
async fn date_times_without_quotation_marks_only() {
    arrives_whole(|oracle| oracle.date_time_literals = DateTimeLiterals::Unquoted, |_| {}).await.end().await;
}

#[tokio::test]
async fn lines_that_come_cut_short_are_fetched() {
    let world = arrives_whole(|oracle| oracle.child_limit = Some(2), |_| {}).await;
    assert!(world.sandbox.calls().count(|c| c.side == Side::Oracle && c.route.contains("/child/")) > 0);
    world.end().await;
}

#[tokio::test]
async fn framework_version_9_with_ids_as_text() {
    let world = arrives_whole(|_| {}, |settings| settings.oracle.framework_version = 9).await;
    let order = world.sandbox.oracle().order_ids()[0];
    assert!(world.tasks().iter().any(|task| task.notes.ends_with(&format!("Oracle order id: {order}"))));
    world.end().await;
}

#[tokio::test]
async fn a_pod_that_cannot_filter_by_date_is_read_whole_each_time() {
    let world = arrives_whole(|oracle| oracle.last_update_queryable = false, |_| {}).await;
    assert_eq!(mode(&world, Feed::PurchaseOrders).await, Some(Mode::FullScan));
    // so even a change that leaves the date as it was is seen
    let order = world.sandbox.oracle().order_ids()[1];
    world.oracle(Edit::LineAmount { order, line: 1, amount: "77".into(), touch: false });
    world.sync().await;
    let found = expected::compare(&world).await;
    assert_eq!(found.agree + found.held, 60, "{found:?}");
    world.end().await;
}

#[tokio::test]
async fn a_pod_that_cannot_sort_by_date_is_read_whole_each_time() {
    let world = arrives_whole(|oracle| oracle.last_update_sortable = false, |_| {}).await;
    assert_eq!(mode(&world, Feed::Invoices).await, Some(Mode::FullScan));
    world.end().await;
}

#[tokio::test]
async fn a_pod_that_no_longer_filters_by_date_is_read_whole_from_then_on() {
    let world = arrives_whole(|oracle| oracle.max_limit = 7, |_| {}).await;
    assert_eq!(mode(&world, Feed::PurchaseOrders).await, Some(Mode::ByLastUpdate));
    world.sandbox.oracle().change_settings(|settings| settings.last_update_queryable = false);
    let order = world.sandbox.oracle().order_ids()[1];
    world.oracle(Edit::LineAmount { order, line: 1, amount: "77".into(), touch: false });
    world.sync().await;
    assert_eq!(mode(&world, Feed::PurchaseOrders).await, Some(Mode::FullScan));
    let found = expected::compare(&world).await;
    assert_eq!(found.agree + found.held, 60, "{found:?}");
    world.end().await;
}

#[tokio::test]
async fn a_query_that_is_refused_for_another_reason_leaves_the_feed_as_it_was() {
    let world = World::new().await;
    world.order("US-1", &["10"]);
    world.sync().await;
    let refused = Fault::Status { status: 400, retry_after: None, body: None, html: false };
    world.fault(FaultRule::new(refused).on(Side::Oracle).path("orderBy").times(1));
    let error = world.run(Job::Poll(Feed::PurchaseOrders)).await.unwrap_err();
    assert_eq!(error.code, Code::OracleRefused);
    assert_eq!(mode(&world, Feed::PurchaseOrders).await, Some(Mode::ByLastUpdate));
    world.end().await;
}

#[tokio::test]
async fn a_line_edit_that_leaves_the_orders_date_is_seen_by_the_full_scan() {
    let world = World::new().await;
    let order = world.new_order(NewOrder {
        number: Some("US-1".into()),
        last_update: Some(world.sandbox.clock().now() - SignedDuration::from_hours(1)),
        lines: lines(&["10"]),
        ..NewOrder::default()
    });
    world.order("US-2", &["20"]);
    world.sync().await;
    world.oracle(Edit::LineAmount { order, line: 1, amount: "11".into(), touch: false });
    world.sync().await;
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("10"));
    world.sql("update feeds set scanned_at = scanned_at - interval '25 hours'").await;
    world.sync().await;
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("11"));
    world.end().await;
}

#[tokio::test]
async fn an_order_committed_late_with_an_older_date_is_found_within_the_overlap() {
    let world = World::new().await;
    world.order("US-1", &["10"]);
    world.sync().await;
    world.new_order(NewOrder {
        number: Some("US-2".into()),
        last_update: Some(world.sandbox.clock().now() - SignedDuration::from_mins(4)),
        lines: lines(&["3"]),
        ..NewOrder::default()
    });
    world.sync().await;
    assert_eq!(world.task("US-2").shows("line_item_amount"), Some("3"));
    world.end().await;
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_held_alone_and_read_when_it_is_mended() {
    let world = World::new().await;
    let order = world.order("US-1", &["10"]);
    world.order("US-2", &["20"]);
    world.set_order(order, Some(1), "Ordered", "{\"odd\":1}");
    world.sync().await;
    assert_eq!(world.held().await, held(&[order], Code::RecordUnreadable));
    assert_eq!(world.task("US-2").shows("line_item_amount"), Some("20"));
    world.set_order(order, Some(1), "Ordered", "10.5");
    world.sync().await;
    assert!(world.held().await.is_empty());
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("10.5"));
    world.end().await;
}

fn undate(world: &World, order: i64) {
    world.oracle(Edit::SetRaw {
        resource: "purchaseOrders".into(),
        id: order,
        line: None,
        attribute: "LastUpdateDate".into(),
        json: Some("null".into()),
        touch: false,
    });
}

#[tokio::test]
async fn a_row_without_its_date_is_a_record_like_any_other() {
    let world = World::new().await;
    let order = world.order("US-1", &["10"]);
    undate(&world, order);
    world.sync().await;
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("10"));
    world.order("US-2", &["20"]);
    world.sync().await;
    assert_eq!(world.task("US-2").shows("line_item_amount"), Some("20"));
    world.set_amount(order, 1, "11");
    world.oracle(Edit::Touch { resource: "purchaseOrders".into(), ids: vec![order], at: None });
    world.sync().await;
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("11"));
    assert!(world.held().await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn rows_without_a_date_behind_the_first_page_are_read_by_a_full_scan_in_the_same_poll() {
    let world =
        World::with(SandboxConfig { asana: AsanaConfig::unlimited(), ..SandboxConfig::default() }, |s| {
            s.oracle.page_size = 2;
            s.schedule.full_scan_hours = 0;
        })
        .await;
    world.order("US-0", &["10"]);
    for number in 1..=5 {
        let order = world.order(&format!("US-{number}"), &["10"]);
        undate(&world, order);
    }
    world.sync().await;
    for number in 0..=5 {
        assert_eq!(world.task(&format!("US-{number}")).shows("line_item_amount"), Some("10"));
    }
    let state = feeds::load(&world.engine.db, world.connection, Feed::PurchaseOrders).await.unwrap();
    assert!(state.watermark.is_some() && state.scan_after.is_none() && state.scanned_at.is_some());
    let writes = world.asana_writes();
    world.sync().await;
    assert_eq!(world.asana_writes(), writes, "nothing changed");
    world.end().await;
}
