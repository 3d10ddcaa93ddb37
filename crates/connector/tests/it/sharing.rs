//! Two connections that map one project: a completed task must never be posted by both.

use connector::Code;
use connector::ids::ConnectionId;
use connector::manage::{self, FirstLook, Secrets};
use connector::ping::{self, Verdict};
use connector::store::connections::{self, Connection, State};

use crate::fixture::{World, secrets};

impl World {
    async fn another(&self, name: &str) -> ConnectionId {
        let settings = self.the(self.connection).await.settings;
        manage::add(&self.engine, name, &settings, &secrets(&self.sandbox)).await.unwrap()
    }

    async fn the(&self, id: ConnectionId) -> Connection {
        connections::load(&self.engine.db, id).await.unwrap()
    }

    async fn activates(&self, id: ConnectionId) -> Result<(), connector::Error> {
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
