//! Calling both sides: what is recorded of it, when a side is left alone, and being asked to slow down.

use std::sync::Arc;
use std::time::{Duration, Instant};

use connector::Code;
use connector::feed::Feed;
use connector::ids::{ConnectionId, MovementId, NodeId};
use connector::limits::{Provider, SharedBudget};
use connector::manage;
use connector::node;
use connector::store::attempts::{self, Attempt};
use connector::store::breakers::{self, Failing};
use connector::store::jobs::{self, Job, JobStatus, Lease};
use connector::store::{connections, journals};
use outbound::{Pacer, Rate, Source as _, Want};
use sandbox::oracle::settings::{Maintenance, RateLimit};
use sandbox::{Fault, FaultRule, Side};
use sqlx::PgPool;
use tokio::sync::watch;

use crate::fixture::World;

const ORDERS: Job = Job::Poll(Feed::PurchaseOrders);
const INVOICES: Job = Job::Poll(Feed::Invoices);

fn status(status: u16, retry_after: Option<&str>) -> Fault {
    Fault::Status { status, retry_after: retry_after.map(str::to_owned), body: None, html: false }
}

impl World {
    async fn failing(&self) -> Vec<Failing> {
        breakers::failing(&self.engine.db, self.connection).await.unwrap()
    }

    async fn job(&self, job: Job) -> JobStatus {
        let all = jobs::status(&self.engine.db, self.connection).await.unwrap();
        all.into_iter().find(|status| status.job == job.as_str()).unwrap()
    }

    async fn attempts_of(&self, subject: uuid::Uuid) -> Vec<Attempt> {
        attempts::of(&self.engine.db, self.connection, subject, 100).await.unwrap()
    }

    async fn activate(&self) {
        let connection = connections::load(&self.engine.db, self.connection).await.unwrap();
        manage::activate(&self.engine, &connection, manage::FirstLook::Waived).await.unwrap();
    }

    /// Every job is due, and what is under way elsewhere is not waited for.
    async fn all_due(&self) {
        self.sql("update jobs set due_at = now(), node_id = null, lease_until = null").await;
    }

    async fn end_the_rest(&self) {
        self.sql("update breakers set retry_at = now()").await;
    }

    async fn probes(&self, node: NodeId) -> Vec<Lease> {
        jobs::claim_probes(&self.engine.db, node, 8).await.unwrap()
    }

    async fn due(&self) -> Vec<Job> {
        let leases = jobs::claim_due(&self.engine.db, self.engine.node, 8).await.unwrap();
        leases.into_iter().map(|lease| lease.job).collect()
    }
}

/// A world whose Oracle has failed five times in a row, whichever job asked.
async fn with_a_failing_oracle() -> World {
    let world = World::new().await;
    world.order("US-1", &["10"]);
    world.activate().await;
    world.fault(FaultRule::new(status(500, None)).on(Side::Oracle));
    for (times, job) in [ORDERS, INVOICES, ORDERS, INVOICES, ORDERS].into_iter().enumerate() {
        assert!(world.failing().await.iter().all(|side| !side.open), "after {times}");
        assert_eq!(world.run(job).await.unwrap_err().code, Code::OracleServer);
    }
    world
}

#[tokio::test]
async fn after_five_failures_of_a_side_only_one_job_at_a_time_tries_it() {
    let world = with_a_failing_oracle().await;
    let failing = world.failing().await;
    assert_eq!((failing.len(), failing[0].provider.as_str()), (1, "oracle"));
    assert_eq!((failing[0].failures, failing[0].open), (5, true));
    assert_eq!(failing[0].code.as_deref(), Some(Code::OracleServer.info().code));

    // what needs Oracle is not begun, what needs Asana alone is
    world.all_due().await;
    world.sql("update breakers set retry_at = now() + interval '1 minute'").await;
    let began = world.due().await;
    assert!(began.contains(&Job::Push) && began.contains(&Job::Sweep), "{began:?}");
    assert!(began.iter().all(|job| !job.needs().contains(&Provider::Oracle)), "{began:?}");
    let asked = world.sandbox.calls().total_of(Side::Oracle);
    assert!(world.probes(world.engine.node).await.is_empty(), "its while has not passed");

    // then one, whichever node comes first
    world.all_due().await;
    world.end_the_rest().await;
    let other = NodeId::new();
    let (mine, others) = tokio::join!(world.probes(world.engine.node), world.probes(other));
    assert_eq!(mine.len() + others.len(), 1);
    assert!(world.probes(other).await.is_empty(), "one is under way");
    assert_eq!(world.sandbox.calls().total_of(Side::Oracle), asked);
    world.end().await;
}

#[tokio::test]
async fn a_probe_that_fails_makes_the_while_longer_and_one_that_is_answered_ends_it() {
    let world = with_a_failing_oracle().await;
    world.all_due().await;
    world.end_the_rest().await;
    let probe = world.probes(world.engine.node).await.remove(0);
    assert_eq!(probe.probes, Some(Provider::Oracle));
    node::work(&world.engine, &probe, &watch::Sender::new(0)).await.unwrap_err();
    let failing = world.failing().await;
    assert_eq!((failing[0].failures, failing[0].open, failing[0].probing), (6, true, false));
    assert!(failing[0].retry_at.unwrap() > jiff::Timestamp::now(), "{failing:?}");

    world.sandbox.faults().clear();
    world.all_due().await;
    world.end_the_rest().await;
    let probe = world.probes(world.engine.node).await.remove(0);
    node::work(&world.engine, &probe, &watch::Sender::new(0)).await.unwrap();
    assert!(world.failing().await.is_empty());
    world.all_due().await;
    let began = world.due().await;
    assert!(began.contains(&ORDERS) && began.contains(&INVOICES), "{began:?}");
    world.end().await;
}

#[tokio::test]
async fn a_person_who_changes_the_connection_has_both_sides_asked_at_once() {
    let world = with_a_failing_oracle().await;
    world.edit(|_| {}).await.unwrap();
    assert!(world.failing().await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn a_node_gets_through_a_side_that_fails_for_a_while() {
    let world = with_a_failing_oracle().await;
    world.end_the_rest().await;
    let (stop, stopped) = watch::channel(false);
    let node = tokio::spawn(node::run(world.engine.clone(), stopped));
    world.sandbox.faults().clear();
    world.all_due().await;
    world.until("the order arrives", |world| !world.tasks().is_empty()).await;
    stop.send_replace(true);
    node.await.unwrap();
    assert!(world.failing().await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn a_maintenance_opens_at_its_first_word_and_is_no_trouble() {
    let world = World::new().await;
    let maintenance = Some(Maintenance { retry_after: Some(600) });
    world.sandbox.oracle().change_settings(|settings| settings.maintenance = maintenance);
    assert_eq!(world.run(ORDERS).await.unwrap_err().code, Code::OracleMaintenance);
    let failing = world.failing().await;
    assert_eq!((failing[0].open, failing[0].maintenance), (true, true));
    let wait = failing[0].retry_at.unwrap().duration_since(jiff::Timestamp::now()).as_secs();
    assert!((590..=600).contains(&wait), "{wait}");
    world.sql("update breakers set code_since = code_since - interval '8 hours'").await;
    assert!(!world.failing().await[0].maintenance, "after eight hours it is an error");
    world.end().await;
}

#[tokio::test]
async fn a_side_that_asks_to_slow_down_does_not_count_as_failing() {
    let world = World::new().await;
    let limit = RateLimit { requests: 0, window_seconds: 600, retry_after: true };
    world.sandbox.oracle().change_settings(|settings| settings.rate_limit = Some(limit));
    for _ in 0..7 {
        assert_eq!(world.run(ORDERS).await.unwrap_err().code, Code::OracleBusy);
    }
    assert!(world.failing().await.is_empty());
    let job = world.job(ORDERS).await;
    assert_eq!((job.failures, job.slowed, job.maintenance), (0, true, false));
    assert_eq!(world.sandbox.calls().total_of(Side::Oracle), 1, "the rest was not sent");
    // after an hour of it a person is told
    world.sql("update jobs set code_since = code_since - interval '61 minutes' where code is not null").await;
    world.run(ORDERS).await.unwrap_err();
    let job = world.job(ORDERS).await;
    assert_eq!((job.failures, job.slowed), (1, false));
    world.end().await;
}

#[tokio::test]
async fn asana_s_time_to_wait_is_kept_by_every_job_and_no_job_waits_an_hour_with_its_lease() {
    let world = World::new().await;
    let id = world.order("US-1", &["10"]);
    let rule = world.fault(FaultRule::new(status(429, Some("600"))).on(Side::Asana).method("POST").times(1));
    world.sync().await;
    assert_eq!(world.fired(rule), 1);
    let movement = world.movement_of(id).await;
    assert_eq!((movement.state.as_str(), movement.attempts), ("retrying", 0));
    let asked = world.sandbox.calls().total_of(Side::Asana);
    for job in [Job::Push, Job::Push] {
        let error = world.run(job).await.unwrap_err();
        assert_eq!(error.code, Code::AsanaBusy);
        assert!(error.retry_after.unwrap() > Duration::from_secs(500), "{error:?}");
    }
    let job = world.job(Job::Push).await;
    assert_eq!((job.failures, job.slowed), (0, true));
    assert_eq!(world.sandbox.calls().total_of(Side::Asana), asked, "nothing was sent");
    assert!(world.failing().await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn journals_count_for_the_same_breaker() {
    let world = World::with_journals().await;
    let task = world.ordered("US-1", &["10"]).await;
    world.complete(&task);
    world.run(Job::Sweep).await.unwrap();
    world.run(Job::Completions).await.unwrap();
    assert_eq!(world.journals().await.len(), 1);
    world.fault(FaultRule::new(status(500, None)).on(Side::Oracle));
    for _ in 0..4 {
        world.sql("update journals set due_at = now()").await;
        world.run(Job::Journals).await.unwrap();
    }
    world.run(ORDERS).await.unwrap_err();
    let failing = world.failing().await;
    assert_eq!((failing[0].provider.as_str(), failing[0].failures, failing[0].open), ("oracle", 5, true));
    world.end().await;
}

#[tokio::test]
async fn every_write_to_asana_is_recorded_on_its_movement() {
    let world = World::new().await;
    let id = world.order("US-1", &["10"]);
    let post = |fault| FaultRule::new(fault).on(Side::Asana).method("POST").times(1);
    world.fault(post(status(429, Some("1"))));
    world.fault(post(Fault::DropAfter));
    world.sync().await;
    world.settle().await;
    // what was sent is the oldest movement's; the look-up may have opened another
    let movement = world.movements().await.pop().unwrap();
    assert_eq!((movement.source_id, movement.state.as_str()), (id.to_string(), "delivered"));
    let tries = world.attempts_of(movement.movement_id).await;
    let told: Vec<_> =
        tries.iter().map(|one| (one.what.as_str(), one.status, one.outcome.as_str())).collect();
    assert_eq!(told, [("create_task", Some(429), "answered"), ("create_task", None, "dropped")], "{tries:?}");
    let codes: Vec<_> = tries.iter().map(|one| one.code.as_deref()).collect();
    assert_eq!(codes, [Code::AsanaBusy, Code::AsanaNoAnswer].map(|code| Some(code.info().code)));
    assert!(tries.iter().all(|one| one.node_id == world.engine.node.0));

    world.set_amount(id, 1, "12");
    let put = FaultRule::new(Fault::Delay { ms: 30 }).on(Side::Asana).method("PUT").times(1);
    world.fault(put);
    world.sync().await;
    let movement = world.movement_of(id).await;
    let tries = world.attempts_of(movement.movement_id).await;
    assert_eq!((tries.len(), tries[0].status, tries[0].code.as_deref()), (1, Some(200), None));
    assert!(tries[0].elapsed_ms >= 30, "{tries:?}");
    let shown = connector::store::movements::show(
        &world.engine.db,
        world.connection,
        MovementId(movement.movement_id),
    );
    assert_eq!(shown.await.unwrap().unwrap().exchanges.len(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_phrase_of_asana_s_is_kept_by_which_its_support_finds_the_request() {
    let world = World::new().await;
    let id = world.order("US-1", &["10"]);
    let body = r#"{"errors":[{"message":"Server Error","phrase":"6 sad squid snuggle softly"}]}"#;
    let fault = Fault::Status { status: 500, retry_after: None, body: Some(body.into()), html: false };
    world.fault(FaultRule::new(fault).on(Side::Asana).method("POST").times(1));
    world.sync().await;
    let movement = world.movement_of(id).await;
    let tries = world.attempts_of(movement.movement_id).await;
    assert_eq!(tries[0].request_id.as_deref(), Some("6 sad squid snuggle softly"));
    world.end().await;
}

#[tokio::test]
async fn every_exchange_about_a_journal_is_recorded_on_it() {
    let world = World::with_journals().await;
    let task = world.ordered("US-1", &["10"]).await;
    world.complete(&task);
    world.fault(FaultRule::new(status(429, Some("0"))).on(Side::Oracle).method("POST").times(1));
    world.way_back().await;
    let journal = world.journal().await;
    assert_eq!(journal.state, "imported");
    let tries = world.attempts_of(journal.journal_id).await;
    let posts: Vec<_> =
        tries.iter().filter(|one| one.what == "erpintegrations").map(|one| one.status).collect();
    assert!(posts.starts_with(&[Some(429), Some(201)]), "{tries:?}");
    assert!(tries.iter().any(|one| one.what == "journalBatches" && one.status == Some(200)), "{tries:?}");
    let steps = journals::steps(&world.engine.db, world.connection, journal.journal_id).await.unwrap();
    assert!(!steps.is_empty());
    world.end().await;
}

/// Sends through a pacer of its own, as a node does.
async fn send(db: &PgPool, connection: ConnectionId, requests: u32) -> Vec<Instant> {
    let pacer = Pacer::new(3_000);
    pacer.share(SharedBudget::of_oracle(db, NodeId::new(), connection, 1));
    let mut sent = Vec::new();
    for _ in 0..requests {
        pacer.enter().await;
        sent.push(Instant::now());
    }
    sent
}

#[tokio::test]
async fn nodes_that_share_a_budget_keep_to_one_pace_by_the_database() {
    let world = World::new().await;
    let (db, connection) = (&world.engine.db, ConnectionId::new());
    let began = Instant::now();
    let (one, two, three) =
        tokio::join!(send(db, connection, 80), send(db, connection, 80), send(db, connection, 80));
    let mut sent = [one, two, three].concat();
    sent.sort();
    let rate = Rate::within(3_000);
    let least = rate.interval() * (240 - 1) - rate.depth();
    assert!(sent[239] - began >= least, "{:?} for 240 requests", sent[239] - began);
    world.end().await;
}

#[tokio::test]
async fn one_node_uses_the_budget_up_by_the_database() {
    let world = World::new().await;
    let began = Instant::now();
    let sent = send(&world.engine.db, ConnectionId::new(), 200).await;
    let (took, rate) = (sent[199] - began, Rate::within(3_000));
    assert!(took <= rate.interval() * 200 * 5 / 4, "{took:?} for 200 requests");
    world.end().await;
}

#[tokio::test]
async fn places_that_nobody_used_bring_no_burst() {
    let world = World::new().await;
    let budget = SharedBudget::of_oracle(&world.engine.db, NodeId::new(), ConnectionId::new(), 1);
    let (interval, depth) = (Duration::from_secs(1), Duration::from_secs(5));
    let want = Want { places: 10, interval, depth };
    let ahead = async || {
        let sql = "select extract(epoch from next_at - clock_timestamp())::float8 from budgets";
        sqlx::query_scalar::<_, f64>(sql).fetch_one(&world.engine.db).await.unwrap()
    };
    budget.reserve(want).await.unwrap();
    world.sql("update budgets set next_at = clock_timestamp() - interval '10 seconds'").await;
    budget.reserve(want).await.unwrap();
    assert!(ahead().await > 8.0, "it begins at the present after a rest");
    world.sql("update budgets set next_at = clock_timestamp() - interval '2 seconds'").await;
    budget.reserve(want).await.unwrap();
    assert!(ahead().await < 8.5, "and goes on where it was when somebody asks a little late");
    world.end().await;
}

#[tokio::test]
async fn a_budget_begins_anew_when_the_database_s_clock_was_set_back() {
    let world = World::new().await;
    let budget = SharedBudget::of_oracle(&world.engine.db, NodeId::new(), ConnectionId::new(), 1);
    let want = Want { places: 10, interval: Duration::from_millis(10), depth: Duration::ZERO };
    budget.reserve(want).await.unwrap();
    world.sql("update budgets set next_at = now() + interval '1 day'").await;
    let grant = budget.reserve(want).await.unwrap();
    assert!(grant.first_in <= Duration::from_mins(10), "{grant:?}");
    world.end().await;
}

#[tokio::test]
async fn a_pause_of_one_node_is_one_of_all() {
    let world = World::new().await;
    let (db, connection) = (&world.engine.db, ConnectionId::new());
    let [one, other] = [(); 2].map(|()| SharedBudget::of_oracle(db, NodeId::new(), connection, 1));
    let want = Want { places: 10, interval: Duration::from_millis(10), depth: Duration::ZERO };
    let first = one.reserve(want).await.unwrap();
    assert_eq!((first.nodes, first.paused_for), (1, Duration::ZERO));
    one.pause(Duration::from_secs(30)).await;
    one.pause(Duration::from_secs(5)).await;
    let after = other.reserve(want).await.unwrap();
    assert_eq!(after.nodes, 2);
    assert!(after.paused_for > Duration::from_secs(29), "{after:?}");
    assert!(after.first_in > Duration::from_secs(29), "{after:?}");
    // another budget has its own
    let stranger = SharedBudget::of_oracle(db, NodeId::new(), connection, 2).reserve(want).await.unwrap();
    assert_eq!((stranger.nodes, stranger.paused_for), (1, Duration::ZERO));
    world.end().await;
}

#[tokio::test]
async fn places_that_nobody_needs_are_given_back_unless_another_stands_behind_them() {
    let world = World::new().await;
    let (db, connection) = (&world.engine.db, ConnectionId::new());
    let [one, other, last] = [(); 3].map(|()| SharedBudget::of_oracle(db, NodeId::new(), connection, 1));
    let interval = Duration::from_secs(1);
    let want = |places: u32| Want { places, interval, depth: Duration::ZERO };
    one.reserve(want(60)).await.unwrap();
    one.give_back(interval * 50).await;
    // given back once
    one.give_back(interval * 50).await;
    let first_in = other.reserve(want(60)).await.unwrap().first_in;
    assert!(first_in > interval * 5 && first_in <= interval * 10, "{first_in:?}");
    last.reserve(want(1)).await.unwrap();
    other.give_back(interval * 60).await;
    let first_in = last.reserve(want(1)).await.unwrap().first_in;
    assert!(first_in > interval * 60, "{first_in:?}");
    world.end().await;
}

#[tokio::test]
async fn without_the_database_a_budget_says_so_at_once() {
    let world = World::new().await;
    let budget: Arc<SharedBudget> =
        SharedBudget::of_oracle(&world.engine.db, NodeId::new(), ConnectionId::new(), 1);
    world.end().await;
    let want = Want { places: 1, interval: Duration::from_millis(10), depth: Duration::ZERO };
    assert_eq!(budget.reserve(want).await, None);
}
