//! However often a completion is seen, and by however many nodes, it has one journal, and a cost is posted once.

use std::sync::Arc;

use connector::store::jobs::Job;
use connector::{Code, Engine, manage, node};
use sandbox::{Fault, FaultRule, Side};
use tokio::sync::watch;

use crate::fixture::World;

/// Sweeps and drives again and again; where another node is at it, goes on.
pub async fn see_it_again(engine: Arc<Engine>, connection: connector::ids::ConnectionId) -> u32 {
    let mut refused = 0;
    for job in [Job::Sweep, Job::Completions, Job::Journals].into_iter().cycle().take(30) {
        match node::run_once(&engine, connection, &[job], &watch::Sender::new(0)).await {
            Ok(_) => {}
            Err(error) if error.code == Code::LeaseBusy => refused += 1,
            Err(error) => panic!("{error}"),
        }
        tokio::task::yield_now().await;
    }
    refused
}

#[tokio::test]
async fn a_completion_that_is_swept_ten_times_has_one_journal() {
    let world = World::with_journals().await;
    let task = world.ordered("US-1", &["10"]).await;
    world.complete(&task);
    see_it_again(world.engine.clone(), world.connection).await;
    world.way_back().await;
    assert_eq!(world.journal().await.submissions, 1);
    assert_eq!(world.completion().await.state, "journal");
    let ledger = world.ledger();
    assert_eq!(
        (ledger.one().id.to_string(), ledger.submitted()),
        (world.journal().await.batch_id.unwrap(), 1)
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_nodes_at_once_post_each_completion_once() {
    let world = World::with_journals().await;
    for n in 1..=12 {
        world.order(&format!("US-{n}"), &["10", "5.55"]);
    }
    world.sync().await;
    for task in world.tasks() {
        world.complete(&task.gid);
    }
    // so that they meet
    world.fault(FaultRule::new(Fault::Delay { ms: 5 }).on(Side::Oracle));
    let other = world.another_node().await;
    let (a, b) = tokio::join!(
        tokio::spawn(see_it_again(world.engine.clone(), world.connection)),
        tokio::spawn(see_it_again(other.clone(), world.connection)),
    );
    assert!(a.unwrap() + b.unwrap() > 0, "they were in each other's way");
    world.sandbox.faults().clear();
    world.way_back().await;
    let (journals, ledger) = (world.journals().await, world.ledger());
    assert_eq!(journals.len(), 12);
    assert!(journals.iter().all(|j| j.state == "imported" && j.submissions == 1), "{journals:#?}");
    assert_eq!((ledger.batches.len(), ledger.submitted()), (12, 12));
    assert!(ledger.submissions.values().all(|count| *count == 1));
    other.db.close().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nodes_that_run_by_themselves_post_what_is_completed() {
    let world = World::with_journals().await;
    let task = world.ordered("US-1", &["10"]).await;
    world.complete(&task);
    let connection = connector::store::connections::load(&world.engine.db, world.connection).await.unwrap();
    manage::activate(&world.engine, &connection, connector::manage::FirstLook::Waived).await.unwrap();
    let other = world.another_node().await;
    let (stop, stopped) = watch::channel(false);
    let nodes =
        [world.engine.clone(), other.clone()].map(|node| tokio::spawn(node::run(node, stopped.clone())));
    world
        .until("the task shows its journal", |world| {
            let shown = world.task_with_gid(&task).shows("journal_status").map(str::to_owned);
            shown.is_some_and(|shown| shown.starts_with("Journal imported"))
        })
        .await;
    stop.send_replace(true);
    for node in nodes {
        node.await.unwrap();
    }
    assert_eq!(world.journal().await.state, "imported");
    assert_eq!(world.ledger().submitted(), 1);
    other.db.close().await;
    world.end().await;
}

#[tokio::test]
async fn of_two_tasks_with_one_order_only_the_first_posts_its_cost() {
    let world = World::with_journals().await;
    let (first, second) = (world.persons_task("US-1"), world.persons_task("US-1"));
    world.order("US-1", &["10"]);
    world.sync().await;
    world.complete(&first);
    world.way_back().await;
    world.complete(&second);
    world.way_back().await;
    assert_eq!(world.journal().await.task_gid, first);
    let completions = world.completions().await;
    let of = |task: &str| completions.iter().find(|c| c.task_gid == task).unwrap();
    assert_eq!(of(&first).state, "journal");
    assert_eq!(of(&second).state, "skipped");
    assert_eq!(of(&second).code, Some(Code::JournalAlreadyPosted.to_string()));
    assert!(of(&second).reason.as_deref().unwrap().contains(&first), "{:?}", of(&second));
    assert!(
        world.task_with_gid(&second).shows("journal_status").unwrap().starts_with("No journal: MLC-5107"),
        "{:?}",
        world.task_with_gid(&second)
    );
    world.end().await;
}

#[tokio::test]
async fn two_tasks_with_one_order_that_are_seen_at_once_post_its_cost_once() {
    let world = World::with_journals().await;
    let tasks = [world.persons_task("US-1"), world.persons_task("US-1")];
    world.order("US-1", &["10"]);
    world.sync().await;
    for task in &tasks {
        world.complete(task);
    }
    world.way_back().await;
    assert_eq!(world.journal().await.state, "imported");
    let mut states: Vec<_> = world.completions().await.into_iter().map(|c| c.state).collect();
    states.sort();
    assert_eq!(states, ["journal", "skipped"]);
    assert_eq!(world.ledger().submitted(), 1);
    world.end().await;
}

#[tokio::test]
async fn the_other_task_posts_the_cost_when_the_first_one_s_journal_is_withdrawn() {
    let world = World::with_journals().await;
    let (first, second) = (world.persons_task("US-1"), world.persons_task("US-1"));
    world.order("US-1", &["10"]);
    world.sync().await;
    world.complete(&first);
    for job in [Job::Sweep, Job::Completions] {
        world.run(job).await.unwrap();
    }
    world.complete(&second);
    for job in [Job::Sweep, Job::Completions] {
        world.run(job).await.unwrap();
    }
    let skipped = world.completions().await.into_iter().find(|c| c.task_gid == second).unwrap();
    assert_eq!(skipped.state, "skipped");
    world
        .edit(|settings| settings.journal.as_mut().unwrap().reopened = super::reopened::REVERSE)
        .await
        .unwrap();
    world.reopen(&first);
    world.way_back().await;
    let journals = world.journals().await;
    let of = |task: &str| journals.iter().find(|j| j.task_gid == task).unwrap();
    assert_eq!(of(&first).state, "withdrawn");
    assert_eq!(of(&second).state, "imported");
    assert_eq!(world.ledger().one().id.to_string(), *of(&second).batch_id.as_ref().unwrap());
    world.end().await;
}

#[tokio::test]
async fn what_was_completed_before_journals_were_switched_on_brings_nothing() {
    let world = World::with_journals().await;
    let task = world.ordered("US-1", &["10"]).await;
    world.complete(&task);
    world.sql("update connections set journals_since = now()").await;
    world.way_back().await;
    assert!(world.completions().await.is_empty());
    // an event makes it be looked at all the same
    world.event(&task, "completed").await;
    world.way_back().await;
    let completion = world.completion().await;
    assert_eq!(completion.state, "skipped");
    assert_eq!(completion.code, Some(Code::JournalBeforeStart.to_string()));
    assert!(world.journals().await.is_empty());
    assert_eq!(world.ledger().submitted(), 0);
    world.end().await;
}

#[tokio::test]
async fn a_sweep_that_broke_off_has_its_finds_looked_at_all_the_same() {
    let world = World::with_journals().await;
    let task = world.ordered("US-1", &["10"]).await;
    world.complete(&task);
    world.run(Job::Sweep).await.unwrap();
    // as if the node had stopped before it could ask for the job
    world.sql("update jobs set due_at = null").await;
    let down = FaultRule::new(Fault::Status { status: 500, retry_after: None, body: None, html: false });
    world.fault(down.on(Side::Asana));
    world.run(Job::Sweep).await.unwrap_err();
    assert!(world.is_due(Job::Completions).await);
    world.sandbox.faults().clear();
    world.run(Job::Completions).await.unwrap();
    assert!(world.is_due(Job::Journals).await);
    world.end().await;
}

#[tokio::test]
async fn journals_that_were_opened_before_a_failure_are_driven_all_the_same() {
    let world = World::with_journals().await;
    let first = world.ordered("US-1", &["10"]).await;
    let second = world.ordered("US-2", &["10"]).await;
    world.complete(&first);
    world.complete(&second);
    world.run(Job::Sweep).await.unwrap();
    let broken = FaultRule::new(Fault::Status { status: 500, retry_after: None, body: None, html: false });
    world.fault(broken.on(Side::Asana).path(&format!("/tasks/{second}")));
    let error = world.run(Job::Completions).await.unwrap_err();
    assert_eq!(error.code, Code::AsanaServer);
    assert_eq!(world.journal().await.task_gid, first, "one task that cannot be read stops no other");
    assert!(world.is_due(Job::Journals).await && world.is_due(Job::Completions).await);
    world.sandbox.faults().clear();
    world.way_back().await;
    assert_eq!(world.ledger().batches.len(), 2);
    world.end().await;
}
