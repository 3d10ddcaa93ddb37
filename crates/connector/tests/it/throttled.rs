//! Oracle asks to slow down again and again: nothing fails, nothing is sent before its time, and little is sent twice.

use std::time::{Duration, Instant};

use connector::manage;
use connector::node;
use connector::store::connections;
use connector::store::jobs::{self, JobStatus};
use jiff::SignedDuration;
use sandbox::oracle::{NewInvoice, NewInvoiceLine, NewLine, NewOrder};
use sandbox::{Edit, Fault, FaultRule, Side};
use tokio::sync::watch;

use crate::fixture::World;

/// Records of each kind that every round brings.
const RECORDS: usize = 20;
/// How often the jobs are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// A round that takes longer hangs.
const PATIENCE: Duration = Duration::from_mins(5);
/// A request that was on its way when the answer came left before it was heard of.
const ON_ITS_WAY_US: u64 = 500_000;

/// What was seen.
#[derive(Debug)]
struct Seen {
    rounds: usize,
    requests: u64,
    refused: u64,
    needed: u64,
    /// From when a request might be sent again to when it was, the least of all, in microseconds.
    earliest_us: i64,
    /// Requests to the pod in a time in which nothing was to be sent.
    too_early: usize,
    took: Duration,
}

async fn polls(world: &World) -> Vec<JobStatus> {
    let mut all = jobs::status(&world.engine.db, world.connection).await.unwrap();
    all.retain(|job| job.job == "purchase_orders" || job.job == "invoices");
    all
}

/// New records of both kinds, and one poll of each feed to its end.
async fn round(world: &World, number: usize) {
    for at in 0..RECORDS {
        let name = format!("US-{number}-{at}");
        // each at a second of its own, so that equal work takes equally many pages
        world.sandbox.clock().advance(SignedDuration::from_secs(1));
        let line = NewLine { amount: "10".into(), ..NewLine::default() };
        world.oracle(Edit::CreateOrder(NewOrder {
            number: Some(name.clone()),
            lines: vec![line],
            ..NewOrder::default()
        }));
        let line =
            NewInvoiceLine { amount: "10".into(), order_number: Some(name), ..NewInvoiceLine::default() };
        world.oracle(Edit::CreateInvoice(NewInvoice { lines: vec![line], ..NewInvoice::default() }));
    }
    let before = polls(world).await;
    world.sql("update jobs set due_at = now() where job in ('purchase_orders', 'invoices')").await;
    let (began, mut look) = (Instant::now(), tokio::time::interval(LOOK_EVERY));
    loop {
        look.tick().await;
        let now = polls(world).await;
        assert!(now.iter().all(|job| job.failures == 0), "a poll counts as failed: {now:?}");
        let done = now
            .iter()
            .zip(&before)
            .all(|(now, before)| now.finished_at > before.finished_at && now.code.is_none() && !now.running);
        if done {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{now:?}");
    }
}

/// Lets a node work while 30 % of the requests to Oracle are refused, for so long; then as many rounds without.
async fn throttled(time: Duration, rules: &[(f64, &str)]) -> Seen {
    let world = World::new().await;
    world.sandbox.clock().freeze(jiff::Timestamp::now());
    world
        .edit(|settings| {
            settings.oracle.page_size = 5;
            settings.schedule.overlap_minutes = 0;
        })
        .await
        .unwrap();
    let connection = connections::load(&world.engine.db, world.connection).await.unwrap();
    world.sync().await;
    manage::activate(&world.engine, &connection, manage::FirstLook::Waived).await.unwrap();
    let (stop, stopped) = watch::channel(false);
    let node = tokio::spawn(node::run(world.engine.clone(), stopped));
    round(&world, 0).await;

    let calls = world.sandbox.calls();
    calls.reset();
    calls.record_exchanges(1_000_000);
    for (probability, retry_after) in rules {
        let retry_after = Some((*retry_after).to_owned());
        let busy = Fault::Status { status: 429, retry_after, body: None, html: false };
        world.fault(FaultRule::new(busy).on(Side::Oracle).probability(*probability));
    }
    let (began, mut rounds) = (Instant::now(), 0);
    while began.elapsed() < time {
        rounds += 1;
        round(&world, rounds).await;
    }
    let took = began.elapsed();
    let requests = calls.total_of(Side::Oracle);
    let refused = world.sandbox.faults().list().iter().map(|rule| rule.fired).sum();
    let exchanges: Vec<_> = calls.exchanges().into_iter().filter(|one| one.side == Side::Oracle).collect();
    calls.record_exchanges(0);
    calls.reset();
    world.sandbox.faults().clear();

    for number in 1..=rounds {
        round(&world, rounds + number).await;
    }
    let needed = calls.total_of(Side::Oracle);
    stop.send_replace(true);
    node.await.unwrap();
    world.sync().await;
    world.settle().await;
    assert_eq!(world.in_state("failed").await.len(), 0);
    assert_eq!(world.tasks().len(), (2 * rounds + 1) * RECORDS, "every order arrived");
    let (earliest_us, too_early) = timing(&exchanges);
    world.end().await;
    Seen { rounds, requests, refused, needed, earliest_us, too_early, took }
}

/// How exactly the times to wait were kept.
fn timing(exchanges: &[sandbox::Exchange]) -> (i64, usize) {
    let (mut earliest, mut too_early) = (i64::MAX, 0);
    for refused in exchanges.iter().filter(|one| one.status == Some(429)) {
        let header = refused.response_headers.iter().find(|(name, _)| name == "retry-after").unwrap();
        let until = refused.answered_us + header.1.parse::<u64>().unwrap() * 1_000_000;
        let again = exchanges
            .iter()
            .filter(|one| one.target == refused.target && one.came_us > refused.answered_us)
            .map(|one| one.came_us)
            .min();
        if let Some(again) = again {
            earliest = earliest.min(i64::try_from(again).unwrap() - i64::try_from(until).unwrap());
        }
        let silence = refused.answered_us + ON_ITS_WAY_US..until;
        too_early += exchanges.iter().filter(|one| silence.contains(&one.came_us)).count();
    }
    (earliest, too_early)
}

impl Seen {
    /// Requests that no program could have done without: those of the same work, and each refused one once more.
    fn minimum(&self) -> u64 {
        self.needed + self.refused
    }

    fn check(&self) {
        assert!(self.refused > 0, "nothing was refused: {self:?}");
        assert!(self.earliest_us >= 0, "sent again before its time: {self:?}");
        assert_eq!(self.too_early, 0, "sent in a time to wait: {self:?}");
        assert!(self.requests * 10 <= self.minimum() * 11, "more than 10 % over the minimum: {self:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_are_refused_for_a_while_are_sent_again_after_their_time_and_nothing_fails() {
    throttled(Duration::from_secs(5), &[(0.3, "1")]).await.check();
}

/// `script/throttled` runs it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes ten minutes, and as many for the same work without refusals"]
async fn ten_minutes_of_refusals() {
    let minutes = std::env::var("MINUTES").ok().and_then(|minutes| minutes.parse().ok()).unwrap_or(10);
    // 15 % of all, and 15 % of all among the rest
    let seen = throttled(Duration::from_mins(minutes), &[(0.15, "1"), (15.0 / 85.0, "3")]).await;
    println!(
        "refused {} of {} requests in {:?}, {} rounds",
        seen.refused, seen.requests, seen.took, seen.rounds
    );
    println!("minimum {} ({} needed, and each refused one again)", seen.minimum(), seen.needed);
    println!("earliest request again: {} ms after its Retry-After", seen.earliest_us / 1_000);
    println!("requests in a time to wait: {}; failed: 0", seen.too_early);
    seen.check();
}
