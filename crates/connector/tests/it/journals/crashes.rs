//! A node stops at any point, and another one goes on: nothing is sent twice, and nothing is forgotten.

use std::sync::Arc;

use connector::ids::JournalId;
use connector::journal::machine;
use connector::store::jobs::{self, Job};
use connector::store::journals::{self, Step, Submits, Told};
use connector::{Code, Engine, node};
use sandbox::{Fault, FaultRule, Side};
use tokio::sync::watch;

use crate::fixture::World;

/// Longer than the time of settling that these tests set.
const SETTLED: i64 = 61 * 60;
/// Requests of a whole way that a node can stop at, and more.
const REQUESTS: u64 = 14;

/// Lets every lease of a node that vanished run out, and has another node go on.
async fn taken_over(world: &World, other: &Arc<Engine>) {
    let expire = "update jobs set lease_until = now() - interval '1 second' where node_id is not null";
    world.sql(expire).await;
    for job in [Job::Completions, Job::Journals] {
        node::run_once(other, world.connection, &[job], &watch::Sender::new(0)).await.unwrap();
    }
}

/// Completes tasks, and for each has the node stop at another of its requests to Oracle.
async fn stopping_at_every_request(fault: Fault) {
    let world = World::with_journals().await;
    world.record_uploads();
    let other = world.another_node().await;
    // a batch that a look-up can be proved by
    let first = world.ordered("US-0", &["1"]).await;
    world.complete(&first);
    world.way_back().await;
    let mut stopped = 0;
    for n in 0..REQUESTS {
        let task = world.ordered(&format!("US-{}", n + 1), &["10", "20.01"]).await;
        world.complete(&task);
        let rule = world.fault(FaultRule::new(fault.clone()).on(Side::Oracle).after(n).times(1));
        tokio::select! {
            () = world.way_back() => {}
            () = world.until("the request", |world| world.fired(rule) > 0) => stopped += 1,
        }
        world.sandbox.faults().clear();
        taken_over(&world, &other).await;
        world.way_back().await;
        world.pass(SETTLED).await;
        world.way_back().await;
    }
    assert!(stopped >= 6, "the node stopped {stopped} times");
    let (journals, ledger) = (world.journals().await, world.ledger());
    assert_eq!(journals.len() as u64, REQUESTS + 1);
    for journal in &journals {
        assert_eq!(journal.state, "imported", "{journal:#?} {:#?}", world.steps(journal).await);
        assert_eq!(journal.code, None, "{journal:#?}");
        let sendings = world.sendings_after_a_look(journal).await;
        assert_eq!(sendings, journal.submissions, "{journal:#?}");
    }
    assert_eq!(ledger.batches.len(), journals.len());
    assert_eq!(ledger.submitted(), journals.len() as u64);
    assert!(ledger.submissions.values().all(|count| *count == 1), "{ledger:?}");
    world.uploads_after_a_look().await;
    other.db.close().await;
    world.end().await;
}

#[tokio::test]
async fn a_node_that_stops_before_any_of_its_requests_is_replaced() {
    stopping_at_every_request(Fault::Delay { ms: 60_000 }).await;
}

#[tokio::test]
async fn a_node_that_stops_before_it_hears_the_answer_is_replaced() {
    stopping_at_every_request(Fault::TimeoutAfter { ms: 60_000 }).await;
}

#[tokio::test]
async fn a_node_that_stops_between_completion_and_journal_is_replaced() {
    let world = World::with_journals().await;
    let other = world.another_node().await;
    let task = world.ordered("US-1", &["10"]).await;
    world.complete(&task);
    world.run(Job::Sweep).await.unwrap();
    let slow = world.fault(FaultRule::new(Fault::Delay { ms: 60_000 }).on(Side::Asana).path("/tasks/"));
    tokio::select! {
        _ = world.run(Job::Completions) => panic!("the job cannot end"),
        () = world.until("the read", |world| world.fired(slow) > 0) => {}
    }
    world.sandbox.faults().clear();
    taken_over(&world, &other).await;
    world.way_back().await;
    assert_eq!(world.journal().await.state, "imported");
    assert_eq!(world.completions().await.len(), 1);
    other.db.close().await;
    world.end().await;
}

#[tokio::test]
async fn a_node_that_lost_its_lease_while_it_sent_records_nothing() {
    let world = World::with_journals().await;
    let other = world.another_node().await;
    let task = world.ordered("US-1", &["10"]).await;
    world.complete(&task);
    for job in [Job::Sweep, Job::Completions] {
        world.run(job).await.unwrap();
    }
    let slow = FaultRule::new(Fault::Delay { ms: 1_500 }).on(Side::Oracle).method("POST").times(1);
    let rule = world.fault(slow);
    let (drove, lease) = tokio::join!(world.run(Job::Journals), async {
        world.until("the upload", |world| world.fired(rule) > 0).await;
        world.sql("update jobs set lease_until = now() - interval '1 second' where job = 'journals'").await;
        jobs::claim(&other.db, other.node, world.connection, Job::Journals).await.unwrap().unwrap()
    });
    assert_eq!(drove.unwrap_err().code, Code::LeaseLost);
    assert_eq!(world.journal().await.state, "submitting", "whether it happened is not known here");
    node::work(&other, &lease, &watch::Sender::new(0)).await.unwrap();
    world.way_back().await;
    let (journal, ledger) = (world.journal().await, world.ledger());
    assert_eq!((journal.state.as_str(), journal.submissions), ("imported", 1));
    assert_eq!((ledger.batches.len(), ledger.submitted()), (1, 1));
    other.db.close().await;
    world.end().await;
}

#[tokio::test]
async fn a_step_under_an_older_fence_or_claim_is_refused_and_leaves_no_row() {
    let world = World::with_journals().await;
    let task = world.ordered("US-1", &["10"]).await;
    world.complete(&task);
    for job in [Job::Sweep, Job::Completions] {
        world.run(job).await.unwrap();
    }
    let journal = world.journal().await;
    world.sql("update journals set fence = 7, turn = 3").await;
    let machine = machine::Journal { state: machine::State::Submitting, ..machine::Journal::default() };
    let told = || Told { what: "sending", alert: None, request: None, response: None };
    let step = |turn| Step {
        id: JournalId(journal.journal_id),
        turn,
        machine: &machine,
        group: journal.group_id.parse().unwrap(),
        told: Some(told()),
        again_in: None,
        submits: Submits::Yes,
        plan: None,
    };
    let mut db = world.engine.db.acquire().await.unwrap();
    for (fence, turn) in [(6, 3), (8, 3), (7, 2), (7, 4)] {
        let stored =
            journals::record_step(&mut db, world.connection, fence, world.engine.node, &step(turn)).await;
        assert_eq!(stored.unwrap_err().code, Code::LeaseLost);
    }
    assert!(world.steps(&journal).await.is_empty());
    assert_eq!(world.journal().await.state, "ready");
    journals::record_step(&mut db, world.connection, 7, world.engine.node, &step(3)).await.unwrap();
    assert_eq!(world.steps(&journal).await.len(), 1);
    assert_eq!((world.journal().await.state.as_str(), world.journal().await.submissions), ("submitting", 1));
    drop(db);
    world.end().await;
}

#[tokio::test]
async fn no_more_is_claimed_than_there_is_room_for() {
    let world = World::with_journals().await;
    for n in 1..=12 {
        world.order(&format!("US-{n}"), &["10"]);
    }
    world.sync().await;
    for task in world.tasks() {
        world.complete(&task.gid);
    }
    for job in [Job::Sweep, Job::Completions] {
        world.run(job).await.unwrap();
    }
    let mut db = world.engine.db.acquire().await.unwrap();
    for (limit, expected) in [(5, 5), (5, 5), (5, 2), (5, 0)] {
        let claimed = journals::claim_due(&mut db, world.connection, 1, limit).await.unwrap();
        assert_eq!(claimed.len(), expected);
    }
    drop(db);
    world.end().await;
}

#[tokio::test]
async fn one_journal_s_trouble_does_not_cut_off_the_others_while_they_are_sent() {
    let world = World::with_journals().await;
    for n in 1..=6 {
        world.order(&format!("US-{n}"), &["10"]);
    }
    world.sync().await;
    for task in world.tasks() {
        world.complete(&task.gid);
    }
    for job in [Job::Sweep, Job::Completions] {
        world.run(job).await.unwrap();
    }
    let slow = FaultRule::new(Fault::Delay { ms: 700 }).on(Side::Oracle).method("POST");
    let rule = world.fault(slow);
    let (drove, ()) = tokio::join!(world.run(Job::Journals), async {
        world.until("the uploads", |world| world.fired(rule) >= 6).await;
        // somebody else took one of them
        let taken = "update journals set fence = fence + 1
                     where journal_id = (select journal_id from journals order by journal_id limit 1)";
        world.sql(taken).await;
    });
    assert_eq!(drove.unwrap_err().code, Code::LeaseLost);
    let mut states: Vec<_> = world.journals().await.into_iter().map(|j| j.state).collect();
    states.sort();
    assert_eq!(states, ["submitted", "submitted", "submitted", "submitted", "submitted", "submitting"]);
    world.sandbox.faults().clear();
    world.sql("update journals set fence = 0 where state = 'submitting'").await;
    world.way_back().await;
    assert!(world.journals().await.iter().all(|j| j.state == "imported" && j.submissions == 1));
    assert_eq!(world.ledger().submitted(), 6);
    world.end().await;
}

#[tokio::test]
async fn a_journal_that_is_claimed_twice_at_once_is_sent_once() {
    let world = World::with_journals().await;
    for n in 1..=2 {
        let task = world.ordered(&format!("US-{n}"), &["10"]).await;
        world.complete(&task);
    }
    for job in [Job::Sweep, Job::Completions] {
        world.run(job).await.unwrap();
    }
    let [slow, quick] = <[_; 2]>::try_from(world.journals().await).unwrap();
    // both forms of the first look-up; the quick one's end has the job claim again
    let rule = |ms, group: &str| FaultRule::new(Fault::Delay { ms }).on(Side::Oracle).path(group).times(2);
    let looked_for = world.fault(rule(2_000, &slow.group_id));
    world.fault(rule(600, &quick.group_id));
    let (drove, ()) = tokio::join!(world.run(Job::Journals), async {
        world.until("the look-up", |world| world.fired(looked_for) > 0).await;
        world.sql("update journals set due_at = now() where due_at is null").await;
    });
    assert_eq!(drove.unwrap_err().code, Code::LeaseLost);
    let ledger = world.ledger();
    assert!(ledger.submissions.len() == 2 && ledger.submitted() == 2, "{ledger:?}");
    world.way_back().await;
    assert!(world.journals().await.iter().all(|journal| journal.state == "imported"));
    assert_eq!(world.ledger().batches.len(), 2);
    world.end().await;
}
