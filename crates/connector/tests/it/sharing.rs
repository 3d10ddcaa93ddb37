//! Two connections that map one project: a completed task must never be posted by both.

use connector::Code;
use connector::ids::ConnectionId;
use connector::manage::{self, FirstLook, Secrets};
use connector::ping::{self, Verdict};
use connector::store::connections::{self, Connection, State};
use connector::store::jobs::Job;
use connector::{node, posting};
use tokio::sync::watch;

use crate::fixture::{World, secrets};

impl World {
    /// Another connection with the same settings.
    pub async fn another(&self, name: &str) -> ConnectionId {
        let settings = self.the(self.connection).await.settings;
        manage::add(&self.engine, name, &settings, &secrets(&self.sandbox)).await.unwrap()
    }

    /// A connection as it is stored.
    pub async fn the(&self, id: ConnectionId) -> Connection {
        connections::load(&self.engine.db, id).await.unwrap()
    }

    /// Activates a connection without a dry run.
    pub async fn activates(&self, id: ConnectionId) -> Result<(), connector::Error> {
        manage::activate(&self.engine, &self.the(id).await, FirstLook::Waived).await
    }

    /// What testing a connection says of projects that others map.
    async fn told_of_others(&self, id: ConnectionId) -> Vec<(Verdict, String, Option<&'static str>)> {
        let checks = ping::ping(&self.engine, id).await.unwrap();
        let of_others = checks.into_iter().filter(|check| check.name == "projects of others");
        of_others.map(|check| (check.verdict, check.detail, check.code)).collect()
    }
}

#[tokio::test]
async fn a_project_is_posted_for_by_one_active_connection_alone() {
    let world = World::with_journals().await;
    world.activates(world.connection).await.unwrap();
    assert_eq!(world.told_of_others(world.connection).await, []);
    let other = world.another("other").await;
    // before it is activated, testing says so
    let said = world.told_of_others(other).await;
    let project = &world.board.project;
    assert!(
        matches!(&said[..], [(Verdict::Failed, what, Some("MLC-8122"))]
        if *what == format!("project {project} is mapped by `test` too")),
        "{said:?}"
    );
    let refused = world.activates(other).await.unwrap_err();
    assert_eq!(refused.code, Code::ProjectShared);
    assert_eq!(refused.message, format!("`test` posts journals for tasks of project {project} already"));
    assert_eq!(world.the(other).await.state, State::Draft);

    // without journals it may be, which is told all the same; journals cannot be added then
    let draft = world.the(other).await;
    let mut settings = draft.settings.clone();
    let journal = settings.journal.take();
    settings.fields.retain(|purpose, _| !["journal_status", "cost"].contains(&purpose.as_str()));
    manage::edit(&world.engine, &draft, &settings, &Secrets::default()).await.unwrap();
    world.activates(other).await.unwrap();
    let said = world.told_of_others(other).await;
    assert!(
        matches!(&said[..], [(Verdict::Note, what, None)] if what.contains("both would write")),
        "{said:?}"
    );
    settings.journal = journal;
    let active = world.the(other).await;
    let refused = manage::edit(&world.engine, &active, &settings, &Secrets::default()).await.unwrap_err();
    assert_eq!(refused.code, Code::ProjectShared);
    assert!(world.the(other).await.settings.journal.is_none());

    // when the first one does it no more, the other may
    manage::pause(&world.engine, &world.the(world.connection).await).await.unwrap();
    manage::edit(&world.engine, &active, &settings, &Secrets::default()).await.unwrap();
    assert_eq!(world.activates(world.connection).await.unwrap_err().code, Code::ProjectShared);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_that_are_activated_at_once_one_is_refused() {
    let world = World::with_journals().await;
    let others = [world.another("one").await, world.another("two").await];
    for _ in 0..10 {
        let (one, two) = tokio::join!(world.activates(others[0]), world.activates(others[1]));
        let refused: Vec<Code> =
            [&one, &two].into_iter().filter_map(|r| r.as_ref().err()).map(|e| e.code).collect();
        assert_eq!(refused, [Code::ProjectShared], "{one:?} {two:?}");
        let active = if one.is_ok() { others[0] } else { others[1] };
        manage::pause(&world.engine, &world.the(active).await).await.unwrap();
    }
    world.end().await;
}

/// Completions of a connection with their states and codes.
async fn decided(world: &World) -> Vec<(String, Option<String>)> {
    world.completions().await.into_iter().map(|one| (one.state, one.code)).collect()
}

/// A task that was completed while its connection was active, and another connection that was so before and counts
/// completions since then.
async fn completed_before_the_handover() -> (World, ConnectionId, String) {
    let world = World::with_journals().await;
    let (old, new) = (world.connection, world.another("new").await);
    world.activates(new).await.unwrap();
    manage::pause(&world.engine, &world.the(new).await).await.unwrap();
    world.activates(old).await.unwrap();
    let task = world.ordered("US-1", &["10"]).await;
    world.complete(&task);
    (world, new, task)
}

/// The world's connection is paused and the other one takes over: it skips what the first one bears.
async fn hands_over(world: &mut World, new: ConnectionId) {
    manage::pause(&world.engine, &world.the(world.connection).await).await.unwrap();
    world.connection = new;
    world.activates(new).await.unwrap();
    world.sync().await;
    world.way_back().await;
    assert_eq!(decided(world).await, [("skipped".to_owned(), Some("MLC-5107".to_owned()))]);
}

#[tokio::test]
async fn what_was_posted_before_a_project_was_handed_over_is_not_posted_again() {
    let (mut world, new, task) = completed_before_the_handover().await;
    let old = world.connection;
    world.way_back().await;
    assert_eq!(decided(&world).await, [("journal".to_owned(), None)]);
    hands_over(&mut world, new).await;
    let reason = world.completion().await.reason.unwrap();
    let by =
        format!("was posted already for another completion (task {task}, completion 1 of connection `test`)");
    assert!(reason.starts_with("the cost of order ") && reason.ends_with(&by), "{reason}");
    let clients = world.engine.clients(new).await.unwrap();
    let preview = posting::preview::preview(&world.engine, &clients, &task).await.unwrap();
    assert!(serde_json::to_string(&preview).unwrap().contains("of connection `test`"), "{preview:?}");
    assert_eq!(world.ledger().batches.len(), 1);

    // a connection that is removed is remembered by what it posted
    manage::remove(&world.engine, &world.the(old).await).await.unwrap();
    let preview = posting::preview::preview(&world.engine, &clients, &task).await.unwrap();
    assert!(serde_json::to_string(&preview).unwrap().contains("of connection `test`"), "{preview:?}");
    let third = world.another("third").await;
    manage::remove(&world.engine, &world.the(third).await).await.unwrap();
    assert_eq!(world.count("select count(*) from removed_connections").await, 1, "the third posted nothing");

    // what the old one bears no more is the new one's within an hour
    world.sql("update journals set counts = false").await;
    world.way_back().await;
    assert_eq!(world.ledger().batches.len(), 1);
    world.sql("update completions set due_at = due_at - interval '1 hour' where due_at is not null").await;
    world.way_back().await;
    assert_eq!(decided(&world).await, [("journal".to_owned(), None)]);
    assert_eq!(world.ledger().batches.len(), 2);
    world.end().await;
}

#[tokio::test]
async fn a_cost_that_is_on_its_way_elsewhere_is_waited_for_and_a_person_is_told_after_an_hour() {
    let (mut world, new, _) = completed_before_the_handover().await;
    let old = world.connection;
    // decided, and never sent
    for job in [Job::Sweep, Job::Completions] {
        world.run(job).await.unwrap();
    }
    hands_over(&mut world, new).await;
    assert!(world.completion().await.reason.unwrap().contains("is on its way for another completion"));
    let later = "update completions set found_at = found_at - interval '2 hours', due_at = now() where due_at is not null";
    world.sql(later).await;
    world.way_back().await;
    assert_eq!(decided(&world).await, [("held".to_owned(), Some("MLC-5107".to_owned()))]);

    // what may have been sent keeps its connection; what never was goes with it, and the other one posts
    world.sql("update journals set state = 'submitting'").await;
    let refused = manage::remove(&world.engine, &world.the(old).await).await.unwrap_err();
    assert!(refused.code == Code::ConnectionState && refused.message.contains("1 journal"), "{refused}");
    assert_eq!(world.count("select count(*) from journals where counts").await, 1);
    world.sql("update journals set state = 'ready'").await;
    manage::remove(&world.engine, &world.the(old).await).await.unwrap();
    assert_eq!(world.count("select count(*) from removed_connections").await, 0);
    world.sql("update completions set due_at = now() where due_at is not null").await;
    world.way_back().await;
    assert_eq!(decided(&world).await, [("journal".to_owned(), None)]);
    assert_eq!(world.ledger().batches.len(), 1);
    world.end().await;
}

const TASKS: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn the_cost_of_a_task_or_an_order_of_two_connections_is_posted_by_one_of_them() {
    let mut world = World::with_journals().await;
    let (one, two) = (world.connection, world.another("two").await);
    let project = world.board.add_project(world.sandbox.asana(), "Building").unwrap();
    let mut settings = world.the(two).await.settings;
    settings.routing.default.as_mut().unwrap().project = project.as_str().into();
    manage::edit(&world.engine, &world.the(two).await, &settings, &Secrets::default()).await.unwrap();
    world.activates(one).await.unwrap();
    world.activates(two).await.unwrap();
    let numbers: Vec<String> = (1..=TASKS).map(|number| format!("US-{number}")).collect();
    for number in &numbers {
        world.order(number, &["10"]);
    }
    world.sync().await;
    let tasks: Vec<String> = numbers.iter().map(|number| world.task(number).gid).collect();
    let client = reqwest::Client::new();
    let token = &world.sandbox.asana().config().tokens[0].token;
    // some tasks stand in both projects, of the other orders each has a task
    for task in &tasks[..TASKS / 2] {
        let url = format!("{}/tasks/{task}/addProject", world.sandbox.asana_url());
        let added = client.post(url).bearer_auth(token).header("content-type", "application/json");
        let added = added.body(format!(r#"{{"data":{{"project":"{project}"}}}}"#)).send().await.unwrap();
        assert_eq!(added.status(), 200);
    }
    world.connection = two;
    world.sync().await;
    let all = world.tasks();
    assert_eq!(all.len(), TASKS + TASKS / 2);
    for task in all {
        world.complete(&task.gid);
    }
    // both have found all of them before either decides
    let other = world.another_node().await;
    let run = async |engine, connection, job| {
        node::run_once(engine, connection, &[job], &watch::Sender::new(0)).await.unwrap();
    };
    for job in [Job::Sweep, Job::Completions, Job::Journals] {
        tokio::join!(run(&world.engine, one, job), run(&other, two, job));
    }
    let mut journals = 0;
    for connection in [one, two] {
        world.connection = connection;
        world.way_back().await;
        let decided = decided(&world).await;
        assert_eq!(decided.len(), TASKS, "{decided:?}");
        for (state, code) in decided {
            match state.as_str() {
                "journal" => journals += 1,
                _ => assert_eq!(code.as_deref(), Some("MLC-5107")),
            }
        }
    }
    assert_eq!((journals, world.ledger().batches.len()), (TASKS, TASKS));
    world.end().await;
}
