//! Several nodes on one database: the rows decide who works, and whoever lost a lease changes nothing.

use std::sync::Arc;
use std::time::Duration;

use connector::feed::Feed;
use connector::node;
use connector::reference::Kind;
use connector::store::jobs::{self, Holder, Job};
use connector::store::{self, connections, feeds, journals, outbox};
use connector::{Code, Engine, manage};
use sandbox::{Fault, FaultRule, GenerateOptions, Side};
use tokio::sync::watch;

use crate::expected;
use crate::fixture::World;

const ORDERS: Job = Job::Poll(Feed::PurchaseOrders);

/// Polls and pushes until every job was done `rounds` times; where another node is at it, goes on.
async fn work(engine: Arc<Engine>, connection: connector::ids::ConnectionId, rounds: u32) -> u32 {
    let mut refused = 0;
    for job in [ORDERS, Job::Poll(Feed::Invoices), Job::Push].into_iter().cycle().take(3 * rounds as usize) {
        loop {
            match node::run_once(&engine, connection, &[job], &watch::Sender::new(0)).await {
                Ok(_) => break,
                Err(error) if error.code == Code::LeaseBusy => refused += 1,
                Err(error) => panic!("{error}"),
            }
            tokio::task::yield_now().await;
        }
    }
    refused
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nodes_that_poll_and_push_at_once_make_one_task_per_order_and_write_nothing_twice() {
    let world = World::new().await;
    let made = GenerateOptions { orders: 120, invoices: 0, ..GenerateOptions::default() };
    world.sandbox.oracle().generate(&made).unwrap();
    let other = world.another_node().await;
    let (a, b) = tokio::join!(
        tokio::spawn(work(world.engine.clone(), world.connection, 6)),
        tokio::spawn(work(other.clone(), world.connection, 6)),
    );
    assert!(a.unwrap() + b.unwrap() > 0, "they were in each other's way");
    world.settle().await;
    assert_eq!(world.tasks().len(), 120);
    assert_eq!(world.asana_writes(), 120);
    for order in world.sandbox.oracle().order_ids() {
        world.set_amount(order, 1, "8.75");
    }
    let (a, b) = tokio::join!(
        tokio::spawn(work(world.engine.clone(), world.connection, 3)),
        tokio::spawn(work(other.clone(), world.connection, 3)),
    );
    assert!(a.is_ok() && b.is_ok());
    let found = expected::compare(&world).await;
    assert_eq!((found.agree, found.held), (120, 0));
    assert!(world.asana_writes() <= 240, "{} writes for 120 tasks and 120 changes", world.asana_writes());
    other.db.close().await;
    world.end().await;
}

/// Lets the lease on a job run out, and another node take it.
async fn take_over(world: &World, other: &Engine, job: Job) -> jobs::Lease {
    let name = job.as_str();
    sqlx::query("update jobs set lease_until = now() - interval '1 second' where job = $1")
        .bind(name)
        .execute(&world.engine.db)
        .await
        .unwrap();
    jobs::claim(&other.db, other.node, world.connection, job).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_lease_that_was_taken_over_is_refused_and_the_new_one_holds() {
    let world = World::new().await;
    let other = world.another_node().await;
    let old =
        jobs::claim(&world.engine.db, world.engine.node, world.connection, Job::Push).await.unwrap().unwrap();
    let busy = jobs::claim(&other.db, other.node, world.connection, Job::Push).await.unwrap();
    assert!(busy.is_none(), "a lease that runs is not given away");
    let new = take_over(&world, &other, Job::Push).await;
    assert!(new.fence > old.fence);
    let mut db = world.engine.db.acquire().await.unwrap();
    assert_eq!(jobs::hold(&mut db, &old).await.unwrap_err().code, Code::LeaseLost);
    jobs::hold(&mut db, &new).await.unwrap();
    // the old holder's end of the job changes nothing either
    jobs::finish(&world.engine.db, &old, None, None).await.unwrap();
    jobs::hold(&mut db, &new).await.unwrap();
    drop(db);
    other.db.close().await;
    world.end().await;
}

#[tokio::test]
async fn a_poll_whose_lease_was_taken_over_stores_nothing() {
    let world = World::new().await;
    world.order("US-1", &["10"]);
    let other = world.another_node().await;
    let slow = FaultRule::new(Fault::Delay { ms: 1_500 }).on(Side::Oracle).path("orderBy").after(1);
    let rule = world.fault(slow);
    let (polled, lease) = tokio::join!(world.run(ORDERS), async {
        world.until("the poll's page", |world| world.fired(rule) > 0).await;
        take_over(&world, &other, ORDERS).await
    });
    assert_eq!(polled.unwrap_err().code, Code::LeaseLost);
    assert!(world.movements().await.is_empty());
    let state = feeds::load(&world.engine.db, world.connection, Feed::PurchaseOrders).await.unwrap();
    assert_eq!(state.watermark, None);
    world.sandbox.faults().clear();
    node::work(&other, &lease, &watch::Sender::new(0)).await.unwrap();
    world.run(Job::Push).await.unwrap();
    assert_eq!(world.tasks_of("US-1").len(), 1);
    other.db.close().await;
    world.end().await;
}

#[tokio::test]
async fn a_push_whose_lease_was_taken_over_records_nothing_and_the_next_looks_what_happened() {
    let world = World::new().await;
    let order = world.order("US-1", &["10"]);
    world.run(ORDERS).await.unwrap();
    let other = world.another_node().await;
    let slow = FaultRule::new(Fault::Delay { ms: 1_500 }).on(Side::Asana).method("POST").times(1);
    let rule = world.fault(slow);
    let (pushed, lease) = tokio::join!(world.run(Job::Push), async {
        world.until("the write", |world| world.fired(rule) > 0).await;
        take_over(&world, &other, Job::Push).await
    });
    assert_eq!(pushed.unwrap_err().code, Code::LeaseLost);
    assert_eq!(world.movement_of(order).await.state, "sending", "whether it happened is not known here");
    assert_eq!(world.tasks_of("US-1").len(), 1);
    node::work(&other, &lease, &watch::Sender::new(0)).await.unwrap();
    let movement = world.movement_of(order).await;
    assert_eq!((movement.state.as_str(), movement.outcome.as_deref()), ("delivered", Some("unchanged")));
    assert_eq!(world.tasks().len(), 1);
    assert_eq!(world.asana_writes(), 1);
    other.db.close().await;
    world.end().await;
}

#[tokio::test]
async fn a_node_that_vanished_in_the_middle_of_a_push_is_replaced_and_no_task_is_doubled() {
    let world = World::new().await;
    let made = GenerateOptions { orders: 60, invoices: 0, ..GenerateOptions::default() };
    world.sandbox.oracle().generate(&made).unwrap();
    world.run(ORDERS).await.unwrap();
    let slow = FaultRule::new(Fault::Delay { ms: 60_000 }).on(Side::Asana).method("POST").after(25);
    let rule = world.fault(slow);
    tokio::select! {
        _ = world.run(Job::Push) => panic!("the push cannot end"),
        () = world.until("writes under way", |world| world.fired(rule) > 5) => {}
    }
    world.sandbox.faults().clear();
    world.sql("update jobs set lease_until = now() - interval '1 second'").await;
    let other = world.another_node().await;
    let lease = jobs::claim_due(&other.db, other.node, 8).await.unwrap();
    assert!(lease.is_empty(), "a draft connection is worked on only when asked");
    node::run_once(&other, world.connection, &[Job::Push], &watch::Sender::new(0)).await.unwrap();
    world.settle().await;
    assert_eq!(world.tasks().len(), 60);
    let found = expected::compare(&world).await;
    assert_eq!((found.agree, found.held), (60, 0));
    other.db.close().await;
    world.end().await;
}

#[tokio::test]
async fn only_an_active_connection_is_claimed() {
    let world = World::new().await;
    let load = async || connections::load(&world.engine.db, world.connection).await.unwrap();
    let claimed = async || {
        let mut jobs: Vec<_> = jobs::claim_due(&world.engine.db, world.engine.node, 100)
            .await
            .unwrap()
            .into_iter()
            .map(|lease| lease.job.as_str())
            .collect();
        jobs.sort_unstable();
        jobs
    };
    assert!(claimed().await.is_empty(), "a draft");
    manage::activate(&world.engine, &load().await, connector::manage::FirstLook::Waived).await.unwrap();
    // reference data has no schedule here, and there is nothing to compare yet
    let asked = |job: &Job| !Job::REFERENCE.contains(job) && *job != Job::Reconcile;
    let mut all: Vec<&str> = Job::ALL.into_iter().filter(asked).map(Job::as_str).collect();
    all.sort_unstable();
    assert_eq!(claimed().await, all);
    assert!(claimed().await.is_empty(), "they are leased");
    world.sql("update jobs set node_id = null, lease_until = null, due_at = now()").await;
    manage::pause(&world.engine, &load().await).await.unwrap();
    assert!(claimed().await.is_empty(), "paused");
    // not even when a node vanished while it worked on it
    world.sql("update jobs set node_id = gen_random_uuid(), lease_until = now() - interval '1 hour'").await;
    assert!(claimed().await.is_empty(), "paused, with a lease that ran out");
    assert_eq!(manage::pause(&world.engine, &load().await).await.unwrap_err().code, Code::ConnectionState);
    manage::activate(&world.engine, &load().await, connector::manage::FirstLook::Waived).await.unwrap();
    assert_eq!(claimed().await.len(), Job::ALL.len(), "the update made all due");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nodes_that_run_by_themselves_bring_everything_over() {
    let world = World::new().await;
    let made = GenerateOptions { orders: 40, invoices: 30, ..GenerateOptions::default() };
    world.sandbox.oracle().generate(&made).unwrap();
    let connection = connections::load(&world.engine.db, world.connection).await.unwrap();
    manage::activate(&world.engine, &connection, connector::manage::FirstLook::Waived).await.unwrap();
    let other = world.another_node().await;
    let (stop, stopped) = watch::channel(false);
    let nodes =
        [world.engine.clone(), other.clone()].map(|node| tokio::spawn(node::run(node, stopped.clone())));
    world.until("a task per order", |world| world.tasks().len() >= 40).await;
    stop.send_replace(true);
    for node in nodes {
        node.await.unwrap();
    }
    world.sync().await;
    world.settle().await;
    let found = expected::compare(&world).await;
    assert_eq!((found.agree, found.held), (40, 0));
    other.db.close().await;
    world.end().await;
}

/// Every row that a lease may change, to the letter.
async fn rows(world: &World) -> Vec<String> {
    let mut all = Vec::new();
    for table in ["jobs", "movements", "journals", "completions", "feeds", "tasks", "links", "events"] {
        let sql = format!("select t::text from {table} t order by 1");
        let found: Vec<String> =
            sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_all(&world.engine.db).await.unwrap();
        all.extend(found);
    }
    all
}

#[tokio::test]
async fn no_store_function_changes_a_row_for_a_lease_or_fence_that_is_stale() {
    let world = World::new().await;
    world.order("US-1", &["10"]);
    world.run(ORDERS).await.unwrap();
    let other = world.another_node().await;
    let failure = connector::Error::new(Code::LeaseLost, "made up");
    for job in Job::ALL {
        let claimed = jobs::claim(&world.engine.db, world.engine.node, world.connection, job).await;
        let old = claimed.unwrap().unwrap();
        let new = take_over(&world, &other, job).await;
        let mut db = world.engine.db.acquire().await.unwrap();
        if job == Job::Push {
            let now = jiff::Timestamp::now();
            let claimed =
                outbox::claim_due_movements(&mut db, world.connection, new.fence, 10, now).await.unwrap();
            assert_eq!(claimed.len(), 1);
            let before = rows(&world).await;
            assert!(before.iter().any(|row| row.contains("sending")), "{before:#?}");
            let fate = outbox::Fate {
                id: claimed[0].id,
                next: outbox::Next::Delivered(outbox::Outcome::Created),
                destination: Some("77".to_owned()),
                code: None,
                reason: None,
                response: None,
                attempts: 1,
                retry_in: None,
            };
            outbox::record_fates(&mut db, world.connection, old.fence, &[fate]).await.unwrap();
            assert_eq!(outbox::doubt_unfinished(&mut db, world.connection, old.fence).await.unwrap(), 0);
            assert_eq!(rows(&world).await, before, "the outbox");
        }
        let before = rows(&world).await;
        assert_eq!(journals::take_over(&mut db, world.connection, old.fence).await.unwrap(), 0);
        assert_eq!(jobs::hold(&mut db, &old).await.unwrap_err().code, Code::LeaseLost);
        jobs::finish(&world.engine.db, &old, Some(jiff::Timestamp::now()), Some(&failure)).await.unwrap();
        jobs::finish(&world.engine.db, &old, None, None).await.unwrap();
        jobs::release(&world.engine.db, &old).await.unwrap();
        assert_eq!(rows(&world).await, before, "{}", job.as_str());
        // what is compared can be changed: the new holder's end is seen
        jobs::release(&world.engine.db, &new).await.unwrap();
        assert_ne!(rows(&world).await, before, "{}", job.as_str());
    }
    other.db.close().await;
    world.end().await;
}

#[tokio::test]
async fn a_node_whose_lease_has_run_out_sends_nothing() {
    let world = World::with_journals().await;
    for job in [Job::Sweep, Job::Reference(Kind::Suppliers)] {
        let holder = Holder { node: world.engine.node, lasts: Duration::from_millis(1) };
        let lease = jobs::claim(&world.engine.db, holder, world.connection, job).await.unwrap().unwrap();
        while world.count("select count(*) from jobs where lease_until > now()").await > 0 {}
        let before = world.sandbox.calls().total();
        let ended = node::work(&world.engine, &lease, &watch::Sender::new(0)).await;
        assert_eq!(ended.unwrap_err().code, Code::LeaseLost);
        assert_eq!(world.sandbox.calls().total(), before, "{job:?}");
        // whatever comes of it: this Oracle has no suppliers
        let _ = world.run(job).await;
        assert!(world.sandbox.calls().total() > before, "with a lease that lasts it asks");
    }
    world.end().await;
}

/// Holds the row of the world's connection in a transaction, as whoever changes it does.
async fn lock_connection(world: &World) -> sqlx::Transaction<'static, sqlx::Postgres> {
    let mut tx = store::begin(&world.engine.db).await.unwrap();
    let sql = "update connections set name = name where connection_id = $1";
    sqlx::query(sql).bind(world.connection.0).execute(&mut *tx).await.unwrap();
    tx
}

#[tokio::test]
async fn what_a_stopped_node_has_locked_is_free_long_before_its_leases_have_run_out() {
    let world = World::new().await;
    let mut stopped = lock_connection(&world).await;
    let begun = std::time::Instant::now();
    lock_connection(&world).await.commit().await.unwrap();
    let waited = begun.elapsed();
    assert!(waited + Duration::from_secs(1) > store::HELD_LOCKS, "it was never locked: {waited:?}");
    assert!(waited < jobs::LEASE / 2, "{waited:?}");
    let goes_on = sqlx::query("update connections set name = name").execute(&mut *stopped).await;
    assert!(goes_on.is_err(), "the stopped node's transaction goes on");
    drop(stopped);
    world.end().await;
}
