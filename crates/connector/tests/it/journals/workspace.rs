//! Where the whole workspace is watched: projects that come are registered by themselves, projects that go are
//! unregistered.

use std::collections::BTreeSet;

use connector::hooks::resource::Scope;
use connector::manage;
use connector::store::connections;
use connector::store::hooks;
use sandbox::asana::Edit;

use super::receiving::Node;
use crate::documented;
use crate::fixture::World;

impl World {
    /// What Asana has webhooks on.
    fn listened_to(&self) -> BTreeSet<String> {
        self.sandbox.asana().webhooks().into_iter().map(|webhook| webhook.resource).collect()
    }

    /// All projects of the workspace by their names.
    fn project_called(&self, name: &str) -> String {
        let projects = self.asana_state()["projects"].as_object().unwrap().clone();
        let found = projects.into_iter().find(|(_, project)| project["name"] == name);
        found.unwrap_or_else(|| panic!("no project is called {name}")).0
    }

    /// How the newest registration of a resource stands.
    async fn registration_of(&self, resource: &str) -> &'static str {
        let all = hooks::list(&self.engine.db, self.connection, 1, 100).await.unwrap();
        all.iter().find(|one| one.resource.gid == resource).unwrap().state.as_str()
    }

    async fn ends_removed(&self, resource: &str) {
        let patience = std::time::Instant::now() + std::time::Duration::from_secs(30);
        while self.registration_of(resource).await != "removed" {
            assert!(std::time::Instant::now() < patience, "{resource} is still registered");
            tokio::task::yield_now().await;
        }
    }
}

/// A world whose whole workspace is watched by a node that works by itself.
async fn watched() -> (World, Node) {
    let world = World::with_journals().await;
    world.sandbox.calls().record_exchanges(documented::KEPT);
    world.edit(|settings| settings.webhooks.scope = Scope::Workspace).await.unwrap();
    let mut node = world.receiving().await;
    let connection = connections::load(&world.engine.db, world.connection).await.unwrap();
    manage::activate(&world.engine, &connection, connector::manage::FirstLook::Waived).await.unwrap();
    node.works();
    let first = BTreeSet::from([world.board.workspace.clone(), world.board.project.clone()]);
    world.until("the workspace and its project are registered", |world| world.listened_to() == first).await;
    (world, node)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_project_that_is_made_is_registered_and_what_is_completed_in_it_is_posted() {
    let (world, node) = watched().await;
    world.asana(Edit::AddProject { workspace: world.board.workspace.clone(), name: "New".into() });
    let project = world.project_called("New");
    world.until("it is registered", |world| world.listened_to().contains(&project)).await;
    for (_, field) in &world.board.fields {
        world.asana(Edit::AddField { project: project.clone(), field: field.clone() });
    }
    world.order("US-1", &["10"]);
    let custom_fields = [(world.field("po_number"), "US-1".into())].into();
    world.asana(Edit::CreateTask { project: project.clone(), name: "by a person".into(), custom_fields });
    let task = world.task("US-1").gid;
    assert!(world.task_with_gid(&task).memberships.iter().all(|(of, _)| *of == project));
    connector::store::jobs::ask_for(
        &world.engine.db,
        world.connection,
        &[connector::store::jobs::Job::Poll(connector::feed::Feed::PurchaseOrders)],
    )
    .await
    .unwrap();
    world.complete(&task);
    world.until("its journal is in the ledger", |world| world.ledger().batches.len() == 1).await;
    assert_eq!((world.journal().await.task_gid, world.ledger().submitted()), (task, 1));
    node.end().await;
    let conforms = documented::conform(&world);
    assert!(conforms.is_none_or(|(_, kinds)| kinds.contains(&("POST".to_owned(), 201))));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn projects_that_are_archived_or_deleted_are_unregistered() {
    let (world, node) = watched().await;
    let before = world.listened_to();
    let names = ["Archived", "Deleted"];
    for name in names {
        world.asana(Edit::AddProject { workspace: world.board.workspace.clone(), name: name.into() });
    }
    let [archived, deleted] = names.map(|name| world.project_called(name));
    world
        .until("both are registered", |world| {
            world.listened_to().is_superset(&[archived.clone(), deleted.clone()].into())
        })
        .await;
    world.asana(Edit::ArchiveProject { project: archived.clone(), archived: true });
    world.until("the archived one is not", |world| !world.listened_to().contains(&archived)).await;
    world.asana(Edit::DeleteProject { project: deleted.clone() });
    world.until("only what was there before is left", |world| world.listened_to() == before).await;
    world.ends_removed(&archived).await;
    world.ends_removed(&deleted).await;
    // what comes back is registered again
    world.asana(Edit::ArchiveProject { project: archived.clone(), archived: false });
    world.until("it is registered again", |world| world.listened_to().contains(&archived)).await;
    node.end().await;
    let conforms = documented::conform(&world);
    assert!(conforms.is_none_or(|(_, kinds)| kinds.contains(&("DELETE".to_owned(), 200))));
    world.end().await;
}
