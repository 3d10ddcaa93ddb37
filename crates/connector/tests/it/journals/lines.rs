//! With a task for each order line, an order and its lines are one cost: it is posted whole or by lines, never both.

use std::collections::BTreeMap;

use connector::Code;
use connector::settings::TaskPer;
use connector::store::completions::Completion;
use connector::store::jobs::Job;
use rust_decimal::Decimal;
use sandbox::{Fault, FaultRule, Side};

use super::ledger::decimal;
use super::once::see_it_again;
use super::reopened::REVERSE;
use crate::fixture::World;

/// A world in which each line has a task.
async fn by_lines() -> World {
    let world = World::with_journals().await;
    set_per(&world, TaskPer::Line).await;
    world
}

async fn set_per(world: &World, per: TaskPer) {
    world.edit(|settings| settings.tasks.per = per).await.unwrap();
}

/// The tasks of an order's lines, by the amount that they show.
fn line_tasks(world: &World, number: &str) -> BTreeMap<String, String> {
    let of_lines = world.tasks_of(number).into_iter().filter(|task| task.name != "made by a person");
    of_lines.filter_map(|task| Some((task.shows("line_item_amount")?.to_owned(), task.gid.clone()))).collect()
}

async fn of(world: &World, task: &str) -> Completion {
    world.completions().await.into_iter().find(|completion| completion.task_gid == task).unwrap()
}

fn debits(world: &World) -> Vec<Decimal> {
    let mut debits: Vec<_> = world.ledger().batches.iter().map(|batch| batch.totals().0).collect();
    debits.sort();
    debits
}

/// Expects that a completion brought no journal, since that of another task bears the cost in other words.
async fn refused(world: &World, task: &str, bearer: &str, words: &str) {
    let completion = of(world, task).await;
    assert_eq!(completion.state, "skipped");
    assert_eq!(completion.code, Some(Code::JournalAlreadyPosted.to_string()));
    let reason = completion.reason.unwrap();
    assert!(reason.contains(words) && reason.contains(bearer), "{reason}");
}

#[tokio::test]
async fn a_completed_line_posts_exactly_its_own_cost() {
    let world = by_lines().await;
    world.order("US-1", &["10.10", "5"]);
    world.sync().await;
    let tasks = line_tasks(&world, "US-1");
    assert_eq!(tasks.len(), 2);
    world.complete(&tasks["5"]);
    world.way_back().await;
    let journal = world.journal().await;
    assert_eq!((journal.state.as_str(), journal.amount.as_str()), ("imported", "5.00"));
    let ledger = world.ledger();
    let cost = decimal("5.00");
    assert_eq!(ledger.one().lines()[0], ("101.10.60540.000.000.000", cost));
    assert_eq!(ledger.one().totals(), (cost, cost));
    assert!(
        world.task_with_gid(&tasks["5"]).shows("journal_status").unwrap().starts_with("Journal imported")
    );
    assert_eq!(world.task_with_gid(&tasks["10.1"]).shows("journal_status"), None);
    world.complete(&tasks["10.1"]);
    world.way_back().await;
    assert_eq!(debits(&world), [decimal("5"), decimal("10.10")]);
    world.end().await;
}

#[tokio::test]
async fn a_task_for_the_whole_order_posts_nothing_when_a_line_was_posted() {
    let world = by_lines().await;
    world.order("US-1", &["10", "5"]);
    world.sync().await;
    let (lines, whole) = (line_tasks(&world, "US-1"), world.persons_task("US-1"));
    world.complete(&lines["10"]);
    world.way_back().await;
    world.complete(&whole);
    world.way_back().await;
    refused(&world, &whole, &lines["10"], "which is part of order").await;
    // the other line is not touched by that
    world.complete(&lines["5"]);
    world.way_back().await;
    assert_eq!(debits(&world), [decimal("5"), decimal("10")]);
    world.end().await;
}

#[tokio::test]
async fn a_line_posts_nothing_when_its_order_was_posted_whole() {
    let world = by_lines().await;
    world.order("US-1", &["10", "5"]);
    world.order("US-2", &["7", "8"]);
    world.sync().await;
    let (lines, whole) = (line_tasks(&world, "US-1"), world.persons_task("US-1"));
    world.complete(&whole);
    world.way_back().await;
    assert_eq!(debits(&world), [decimal("15")]);
    for task in lines.values() {
        world.complete(task);
    }
    world.complete(&line_tasks(&world, "US-2")["7"]);
    world.way_back().await;
    for task in lines.values() {
        refused(&world, task, &whole, "which includes line").await;
    }
    assert_eq!(debits(&world), [decimal("7"), decimal("15")], "another order is another cost");
    world.end().await;
}

#[tokio::test]
async fn an_order_posted_whole_stays_posted_when_lines_get_tasks_and_the_other_way_round() {
    let world = World::with_journals().await;
    let first = world.ordered("US-1", &["10", "5"]).await;
    world.complete(&first);
    world.way_back().await;
    set_per(&world, TaskPer::Line).await;
    world.order("US-2", &["7", "8"]);
    world.sync().await;
    let lines = line_tasks(&world, "US-1");
    for task in lines.values().filter(|task| **task != first) {
        world.complete(task);
    }
    for task in line_tasks(&world, "US-2").values() {
        world.complete(task);
    }
    world.way_back().await;
    let posted = [decimal("7"), decimal("8"), decimal("15")];
    assert_eq!(debits(&world), posted);
    set_per(&world, TaskPer::Order).await;
    world.sync().await;
    let whole = world.persons_task("US-2");
    world.complete(&whole);
    world.way_back().await;
    refused(&world, &whole, "completion 1", "which is part of order").await;
    assert_eq!(debits(&world), posted);
    world.end().await;
}

#[tokio::test]
async fn a_line_takes_the_cost_over_when_the_journal_of_its_order_is_withdrawn() {
    let world = by_lines().await;
    world.edit(|settings| settings.journal.as_mut().unwrap().reopened = REVERSE).await.unwrap();
    world.order("US-1", &["10", "5"]);
    world.sync().await;
    let (lines, whole) = (line_tasks(&world, "US-1"), world.persons_task("US-1"));
    for task in [&whole, &lines["5"]] {
        world.complete(task);
        for job in [Job::Sweep, Job::Completions] {
            world.run(job).await.unwrap();
        }
    }
    refused(&world, &lines["5"], &whole, "which includes line").await;
    world.reopen(&whole);
    world.way_back().await;
    assert_eq!(of(&world, &whole).await.code, Some(Code::JournalReopened.to_string()));
    assert_eq!(debits(&world), [decimal("5")]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_nodes_at_once_post_each_order_whole_or_by_lines() {
    let world = by_lines().await;
    let numbers: Vec<String> = (1..=6).map(|n| format!("US-{n}")).collect();
    for number in &numbers {
        world.order(number, &["10", "5"]);
    }
    world.sync().await;
    for number in &numbers {
        world.persons_task(number);
        for task in world.tasks_of(number) {
            world.complete(&task.gid);
        }
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
    let mut posted: BTreeMap<String, Decimal> = BTreeMap::new();
    for journal in world.journals().await {
        assert_eq!(journal.state, "imported");
        *posted.entry(journal.order_number.unwrap()).or_default() += decimal(&journal.amount);
    }
    assert!(numbers.iter().all(|number| posted[number] == decimal("15")), "{posted:?}");
    assert_eq!(debits(&world).iter().sum::<Decimal>(), decimal("90"));
    other.db.close().await;
    world.end().await;
}
