//! What people do to a task around its completion.

use std::collections::BTreeMap;

use connector::Code;
use connector::feed::Feed;
use connector::store::jobs::Job;
use sandbox::asana::Edit as AsanaEdit;
use sandbox::{Board, Fault, FaultRule, Side};

use crate::fixture::World;

#[tokio::test]
async fn a_number_that_is_changed_after_the_completion_leaves_the_journal_and_a_remark() {
    let world = World::with_journals().await;
    let task = world.ordered("US-1", &["10"]).await;
    world.complete(&task);
    world.way_back().await;
    world.type_in(&task, "po_number", "US-2");
    world.way_back().await;
    world.way_back().await;
    assert_eq!(world.journal().await.state, "imported");
    let completion = world.completion().await;
    let reason = completion.reason.unwrap();
    assert_eq!(completion.state, "journal");
    assert_eq!(reason.matches("the journal stays").count(), 1, "{reason}");
    assert!(reason.contains("US-1") && reason.contains("US-2"), "{reason}");
    world.tells(&task, "the journal stays", Some("completed anew, it counts for the other order")).await;
    assert_eq!(world.ledger().submitted(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_task_that_is_deleted_before_it_is_read_leaves_a_trace() {
    let world = World::with_journals().await;
    let task = world.ordered("US-1", &["10"]).await;
    world.complete(&task);
    world.event(&task, "completed").await;
    world.asana(AsanaEdit::DeleteTask { task: task.clone() });
    world.run(Job::Completions).await.unwrap();
    let completion = world.completion().await;
    assert_eq!((completion.task_gid.as_str(), completion.state.as_str()), (task.as_str(), "skipped"));
    assert_eq!(completion.code, Some(Code::TaskGone.to_string()));
    assert_eq!(completion.found_by, "webhook");
    world.tells(&task, "could not be read", Some("Restore the task")).await;
    assert!(world.journals().await.is_empty());
    // told again it is the same completion
    world.event(&task, "name").await;
    world.way_back().await;
    world.completion().await;
    world.end().await;
}

#[tokio::test]
async fn a_task_that_is_deleted_after_its_completion_was_seen_keeps_its_journal() {
    let world = World::with_journals().await;
    let task = world.ordered("US-1", &["10"]).await;
    world.complete(&task);
    for job in [Job::Sweep, Job::Completions] {
        world.run(job).await.unwrap();
    }
    world.event(&task, "name").await;
    world.asana(AsanaEdit::DeleteTask { task: task.clone() });
    world.way_back().await;
    assert_eq!(world.journal().await.state, "imported");
    assert_eq!(world.completion().await.state, "journal");
    world.end().await;
}

/// Makes a project outside the routing.
fn another_project(world: &World) -> String {
    Board::seed(world.sandbox.asana(), "Elsewhere").unwrap().project
}

fn move_to(world: &World, task: &str, from: &str, to: &str) {
    let [task, from, to] = [task, from, to].map(str::to_owned);
    world.asana(AsanaEdit::ChangeProject { task, from, to });
}

#[tokio::test]
async fn a_task_that_is_moved_before_it_is_read_has_its_journal_by_its_link_or_its_number() {
    let world = World::with_journals().await;
    let linked = world.ordered("US-1", &["10"]).await;
    let unlinked = world.persons_task("US-2");
    let elsewhere = another_project(&world);
    for task in [&linked, &unlinked] {
        world.complete(task);
        world.event(task, "completed").await;
        move_to(&world, task, &world.board.project, &elsewhere);
    }
    world.order("US-2", &["20"]);
    world.run(Job::Poll(Feed::PurchaseOrders)).await.unwrap();
    world.way_back().await;
    let mut posted: Vec<_> =
        world.journals().await.into_iter().map(|j| (j.task_gid, j.amount, j.state)).collect();
    let mut expected = [(linked, "10.00"), (unlinked, "20.00")]
        .map(|(task, amount)| (task, amount.to_owned(), "imported".to_owned()));
    posted.sort();
    expected.sort();
    assert_eq!(posted, expected);
    world.end().await;
}

#[tokio::test]
async fn a_task_without_a_number_that_is_moved_before_it_is_read_says_so_and_counts_once_it_is_back() {
    let world = World::with_journals().await;
    world.ordered("US-1", &["10"]).await;
    let task = world.sandbox.asana().seed_task(&world.board.project, "Roof", &BTreeMap::new()).unwrap();
    world.complete(&task);
    world.event(&task, "completed").await;
    let elsewhere = another_project(&world);
    move_to(&world, &task, &world.board.project, &elsewhere);
    world.once_back().await.unwrap();
    let held = world.completion().await;
    assert_eq!((held.state.as_str(), held.code), ("held", Some(Code::JournalNoOrderNumber.to_string())));
    let reason = held.reason.unwrap();
    assert!(reason.contains("it may have been moved"), "{reason}");
    world.tells(&task, "it may have been moved", Some("moved out of the connection's projects")).await;
    move_to(&world, &task, &elsewhere, &world.board.project);
    world.event(&task, "projects").await;
    world.once_back().await.unwrap();
    assert!(!world.completion().await.reason.unwrap().contains("moved"), "it is back");
    world.type_in(&task, "po_number", "US-1");
    world.way_back().await;
    assert_eq!((world.journal().await.task_gid, world.journal().await.state), (task, "imported".into()));
    world.end().await;
}

#[tokio::test]
async fn an_event_of_something_that_asana_does_not_know_is_closed_and_stops_nothing() {
    let world = World::with_journals().await;
    let task = world.ordered("US-1", &["10"]).await;
    world.complete(&task);
    world.event("no-gid", "completed").await;
    world.way_back().await;
    assert_eq!(world.journal().await.task_gid, task);
    let trace = world.completions().await.into_iter().find(|c| c.task_gid == "no-gid").unwrap();
    assert_eq!((trace.state.as_str(), trace.code), ("skipped", Some(Code::TaskGone.to_string())));
    world.end().await;
}

#[tokio::test]
async fn a_revoked_token_stops_the_reading_and_leaves_every_event_open() {
    let world = World::with_journals().await;
    for n in 0..30 {
        let task = world.persons_task(&format!("X-{n}"));
        world.complete(&task);
    }
    world.run(Job::Sweep).await.unwrap();
    let refused = Fault::Status { status: 401, retry_after: None, body: None, html: false };
    let rule = world.fault(FaultRule::new(refused).on(Side::Asana).path("/tasks/"));
    let error = world.run(Job::Completions).await.unwrap_err();
    assert_eq!(error.code, Code::AsanaUnauthorized);
    assert!(world.fired(rule) <= 20, "{} of 30 were read", world.fired(rule));
    assert_eq!(world.count("select count(*) from events where state = 'open'").await, 30);
    world.sandbox.faults().clear();
    world.way_back().await;
    assert_eq!(world.completions().await.len(), 30);
    world.end().await;
}
