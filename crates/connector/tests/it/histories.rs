//! Histories of edits: whatever people do in Oracle, and whenever a poll comes in between, what is stored
//! equals a full scan, and Asana shows it.

mod change;
mod compare;
mod tenant;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sandbox::oracle::settings::{Granularity, InstantStyle};

use change::{Age, Change, change};
use tenant::{Tenant, shared_server};

/// Histories that are tried unless PROPTEST_CASES says otherwise.
const CASES: u32 = 24;

/// One step of a history.
#[derive(Debug, Clone)]
enum Step {
    Edit(Change),
    /// A poll with nobody in Oracle.
    Poll,
    /// A poll with people in Oracle: each change comes after a page more was served.
    PollAmid(Vec<Change>),
    Push,
    /// The next poll reads everything besides.
    FullScanIsDue,
    Granularity(Granularity),
    Instants(InstantStyle),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => change().prop_map(Step::Edit),
        3 => Just(Step::Poll),
        4 => prop::collection::vec(change(), 1..5).prop_map(Step::PollAmid),
        2 => Just(Step::Push),
        1 => Just(Step::FullScanIsDue),
        1 => prop_oneof![Just(Granularity::Seconds), Just(Granularity::Millis)].prop_map(Step::Granularity),
        1 => prop_oneof![Just(InstantStyle::Seconds), Just(InstantStyle::Millis), Just(InstantStyle::Mixed)]
            .prop_map(Step::Instants),
    ]
}

/// Carries out a history and says how many changes came while a poll was under way.
async fn carry_out(tenant: &Tenant, steps: Vec<Step>) -> u64 {
    let mut landed = 0;
    for step in steps {
        match step {
            Step::Edit(change) => tenant.apply(&change),
            Step::Poll => {
                tenant.poll().await;
                tenant.check_watermarks(0).await;
            }
            Step::PollAmid(changes) => {
                landed += tenant.poll_amid(&changes).await;
                tenant.check_watermarks(tenant::OVERLAP_MS).await;
            }
            Step::Push => tenant.push().await,
            Step::FullScanIsDue => tenant.make_full_scan_due().await,
            Step::Granularity(to) => tenant.sandbox.oracle().change_settings(|s| s.filter_granularity = to),
            Step::Instants(to) => tenant.show_instants(to),
        }
    }
    tenant.poll().await;
    tenant.check_watermarks(0).await;
    if tenant.has_silent_edits() {
        tenant.make_full_scan_due().await;
        tenant.poll().await;
    }
    tenant.check_documents().await;
    tenant.push().await;
    tenant.check_asana().await;
    landed
}

#[test]
fn whatever_the_history_of_edits_documents_equal_a_full_scan_and_asana_shows_them() {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(CASES);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let server = runtime.block_on(shared_server());
    let (landed, amid) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    let config = Config { cases, max_shrink_iters: 60, failure_persistence: None, ..Config::default() };
    let history = (3u16..50, 0usize..150, prop::collection::vec(step(), 1..14));
    let result = TestRunner::new(config).run(&history, |(page_size, orders, steps)| {
        amid.set(amid.get() + u64::from(steps.iter().any(|s| matches!(s, Step::PollAmid(_)))));
        runtime.block_on(async {
            let tenant = Tenant::new(&server, page_size).await;
            tenant.apply(&Change::Orders { count: orders, age: Age::Old });
            landed.set(landed.get() + carry_out(&tenant, steps).await);
            tenant.end().await;
        });
        Ok(())
    });
    runtime.block_on(server.end());
    result.unwrap_or_else(|error| panic!("{error}"));
    assert!(
        landed.get() * 2 >= amid.get(),
        "{} of the edits came during a poll, in {} histories",
        landed.get(),
        amid.get()
    );
}

#[tokio::test]
async fn an_order_that_an_invoice_names_no_more_shows_it_no_more() {
    let server = shared_server().await;
    let tenant = Tenant::new(&server, 499).await;
    tenant.apply(&Change::Orders { count: 3, age: Age::Now });
    for pick in 0..3 {
        tenant.apply(&Change::Invoice { pick, cents: 1_000, age: Age::Now });
    }
    tenant.poll().await;
    tenant.push().await;
    tenant.check_asana().await;
    tenant.apply(&Change::Match { pick: 0, to: Some(1) });
    tenant.apply(&Change::Match { pick: 1, to: None });
    tenant.apply(&Change::Pay { pick: 2, validation: "Canceled", paid: "Unpaid" });
    tenant.poll().await;
    tenant.push().await;
    tenant.check_asana().await;
    tenant.end().await;
    server.end().await;
}

#[tokio::test]
async fn twelve_hundred_orders_that_share_one_timestamp_are_read_once_each() {
    let server = shared_server().await;
    let tenant = Tenant::new(&server, 499).await;
    tenant.apply(&Change::Orders { count: 1200, age: Age::Now });
    let rows = tenant.poll().await;
    assert_eq!(rows, 1200);
    assert_eq!(tenant.movements().await, 1200);
    tenant.check_documents().await;
    tenant.check_watermarks(0).await;
    tenant.end().await;
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn six_hundred_ties_that_are_updated_while_paging_are_all_stored_as_they_end() {
    let server = shared_server().await;
    for page_size in [499, 100, 7] {
        let tenant = Tenant::new(&server, page_size).await;
        tenant.apply(&Change::Orders { count: 600, age: Age::Now });
        let changes = [
            Change::Touch { every: 2, age: Age::Late(1_000) },
            Change::Amount { pick: 599, cents: 12_345, silent: false },
            Change::Advance { ms: 1_500 },
            Change::Touch { every: 3, age: Age::Now },
            Change::Orders { count: 20, age: Age::Late(90_000) },
        ];
        let landed = tenant.poll_amid(&changes).await;
        // with the largest page the whole is read in three requests
        assert!(landed >= 2, "{landed} changes came while the poll was under way");
        tenant.check_watermarks(tenant::OVERLAP_MS).await;
        tenant.poll().await;
        tenant.check_watermarks(0).await;
        tenant.check_documents().await;
        tenant.end().await;
    }
    server.end().await;
}
