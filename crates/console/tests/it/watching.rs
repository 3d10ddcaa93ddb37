//! The watchdog: what Asana has is compared with what we have and what is wanted.

use std::sync::Arc;

use connector::Engine;
use connector::engine::Clients;
use connector::hooks::ingest::Limits;
use connector::hooks::reconcile::Step;
use connector::hooks::resource::{Resource, ResourceKind, Scope};
use connector::hooks::watch::{Repaired, check, repair, wanted};
use connector::key::MasterKey;
use url::Url;

use crate::asana_double::{Asana, Manner};
use crate::fixture::{House, Node, completing, public_url, until};

struct Scene {
    house: House,
    node: Node,
    asana: Asana,
    clients: Arc<Clients>,
    url: Url,
}

fn project(gid: &str) -> Resource {
    Resource { kind: ResourceKind::Project, gid: gid.into() }
}

fn projects(gids: &[&str]) -> Vec<Resource> {
    gids.iter().map(|gid| project(gid)).collect()
}

impl Scene {
    async fn new() -> Scene {
        let asana = Asana::start().await;
        let house = House::with_asana(&asana.url).await;
        let node = house.node(Limits::default()).await;
        let clients = house.engine.clients(house.connection).await.unwrap();
        let url = public_url(&node);
        Scene { house, node, asana, clients, url }
    }

    async fn check(&self, wanted: &[Resource]) -> Vec<Step> {
        check(&self.house.engine, &self.clients, &self.url, wanted).await.unwrap()
    }

    async fn repair(&self, wanted: &[Resource]) -> Repaired {
        let repaired = repair(&self.house.engine, &self.clients, &self.url, wanted).await.unwrap();
        assert!(repaired.failed.is_empty(), "{:?}", repaired.failed);
        repaired
    }

    /// Whether every delivery of what Asana keeps is taken, but those of others.
    async fn all_deliver(&self) -> bool {
        for kept in self.asana.webhooks() {
            if kept.secret != "foreign" && self.asana.deliver(&kept, &completing(&["9001"])).await != 200 {
                return false;
            }
        }
        true
    }

    async fn end(self) {
        self.node.end().await;
        self.house.end().await;
    }
}

fn settled(steps: &[Step]) -> bool {
    steps.iter().all(|step| matches!(step, Step::Keep { .. }))
}

#[tokio::test]
async fn every_wanted_project_gets_a_webhook_and_is_then_left_alone() {
    let scene = Scene::new().await;
    let foreign = scene.asana.keep("70", "https://elsewhere.example/hook");
    let gids: Vec<String> = (0..12).map(|number| (70 + number).to_string()).collect();
    let wanted: Vec<Resource> = gids.iter().map(|gid| project(gid)).collect();
    let repaired = scene.repair(&wanted).await;
    assert_eq!((repaired.registered.len(), repaired.working.len(), repaired.deleted), (12, 12, 0));
    assert_eq!(scene.asana.webhooks().len(), 13);
    until("all deliver", || scene.all_deliver()).await;
    // a check changes nothing
    assert!(settled(&scene.check(&wanted).await));
    assert_eq!(scene.check(&projects(&["99"])).await.len(), 12 + 12 + 1);
    assert!(settled(&scene.check(&wanted).await));
    let again = scene.repair(&wanted).await;
    assert_eq!((again.registered.len(), again.lost.len(), again.working.len()), (0, 0, 12));
    assert!(scene.asana.webhooks().iter().any(|kept| kept.gid == foreign));
    let told = "select count(*) from webhooks where last_success_at is not null";
    assert_eq!(scene.house.number(told).await, 12);
    scene.end().await;
}

#[tokio::test]
async fn a_webhook_that_asana_deleted_is_made_anew_and_reported() {
    let scene = Scene::new().await;
    let wanted = projects(&["77", "78"]);
    scene.repair(&wanted).await;
    let deleted = scene.asana.webhooks().into_iter().find(|kept| kept.resource == "77").unwrap();
    scene.asana.forget(&deleted.gid);
    let repaired = scene.repair(&wanted).await;
    assert_eq!((&repaired.lost, &repaired.registered), (&projects(&["77"]), &projects(&["77"])));
    // what comes late from the old one is not taken
    until("the old target is unknown", || async {
        scene.asana.deliver(&deleted, &completing(&["9001"])).await == 404
    })
    .await;
    until("all deliver", || scene.all_deliver()).await;
    scene.end().await;
}

#[tokio::test]
async fn what_a_crash_left_is_put_right() {
    let scene = Scene::new().await;
    let wanted = projects(&["77"]);
    // a node that died between Asana's answer and making the registration active
    scene.repair(&wanted).await;
    scene.house.sql("update webhooks set state = 'pending', active_at = null, asana_gid = null").await;
    assert!(settled(&scene.check(&wanted).await), "it may still be under way");
    scene.house.sql("update webhooks set created_at = now() - interval '10 minutes'").await;
    let left = scene.asana.webhooks().remove(0);
    let repaired = scene.repair(&wanted).await;
    assert_eq!((repaired.deleted, &repaired.registered), (1, &wanted));
    let kept = scene.asana.webhooks();
    assert!(kept.len() == 1 && kept[0].gid != left.gid);
    assert_eq!(scene.house.number("select count(*) from webhooks where state = 'failed'").await, 1);
    // a row that was lost altogether: its webhook is an orphan
    scene.house.sql("delete from webhooks").await;
    let repaired = scene.repair(&wanted).await;
    assert_eq!((repaired.deleted, repaired.registered.len()), (1, 1));
    assert_eq!(scene.asana.webhooks().len(), 1);
    until("all deliver", || scene.all_deliver()).await;
    scene.end().await;
}

#[tokio::test]
async fn another_public_address_replaces_all_webhooks() {
    let mut scene = Scene::new().await;
    let wanted = projects(&["77"]);
    scene.repair(&wanted).await;
    let before = scene.asana.webhooks().remove(0);
    scene.url = scene.url.join("/behind/a/proxy").unwrap();
    let repaired = scene.repair(&wanted).await;
    assert_eq!((repaired.deleted, &repaired.lost, &repaired.registered), (1, &wanted, &wanted));
    let now = scene.asana.webhooks();
    assert!(
        now.len() == 1 && now[0].gid != before.gid && now[0].target.contains("/behind/a/proxy/hooks/asana/")
    );
    until("all deliver", || scene.all_deliver()).await;
    scene.end().await;
}

#[tokio::test]
async fn another_key_makes_old_targets_unknown_and_the_watchdog_replaces_them() {
    let scene = Scene::new().await;
    let wanted = projects(&["77"]);
    scene.repair(&wanted).await;
    let old = scene.asana.webhooks().remove(0);
    // as after the key was changed, with the credentials encrypted anew
    let key = MasterKey::from_base64(&MasterKey::generate()).unwrap();
    let engine = Engine::new(scene.house.engine.db.clone(), key);
    scene.house.sql("delete from data_keys").await;
    let mut db = engine.db.acquire().await.unwrap();
    for (name, secret) in [
        (connector::vault::CredentialName::OracleClientSecret, "oracle"),
        (connector::vault::CredentialName::AsanaToken, "another-token"),
    ] {
        connector::vault::put(
            &mut db,
            &engine.master,
            scene.house.connection,
            name,
            &secret.to_owned().into(),
        )
        .await
        .unwrap();
    }
    drop(db);
    let engine = Arc::new(engine);
    let ingest = connector::hooks::ingest::Ingest::start(&engine.db, Limits::default());
    let receiver = console::hooks::Receiver::new(engine.clone(), ingest.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let stop = tokio::sync::watch::Sender::new(false);
    let serving = tokio::spawn(console::hooks::serve(
        listener,
        receiver,
        console::hooks::Doors::default(),
        stop.subscribe(),
    ));
    let clients = engine.clients(scene.house.connection).await.unwrap();
    let moved = old.target.replace(&scene.node.address.to_string(), url.authority());
    let stale = crate::asana_double::Kept { target: moved, ..old.clone() };
    assert_eq!(scene.asana.deliver(&stale, &completing(&["9001"])).await, 404);
    let repaired = repair(&engine, &clients, &url, &wanted).await.unwrap();
    assert_eq!((repaired.deleted, &repaired.lost, &repaired.registered), (1, &wanted, &wanted));
    assert!(scene.asana.webhooks().len() == 1 && scene.asana.webhooks()[0].gid != old.gid);
    until("all deliver", || scene.all_deliver()).await;
    stop.send_replace(true);
    serving.await.unwrap();
    ingest.close().await;
    scene.end().await;
}

#[tokio::test]
async fn with_nothing_wanted_everything_of_ours_is_taken_back() {
    let scene = Scene::new().await;
    let foreign = scene.asana.keep("77", "https://elsewhere.example/hook");
    scene.repair(&projects(&["77", "78"])).await;
    let repaired = scene.repair(&[]).await;
    assert_eq!((repaired.removed, repaired.deleted), (projects(&["77", "78"]), 2));
    let left = scene.asana.webhooks();
    assert!(left.len() == 1 && left[0].gid == foreign);
    assert_eq!(scene.house.number("select count(*) from webhooks where state = 'removed'").await, 2);
    assert_eq!(
        scene.house.number("select count(*) from credentials where name like 'webhook_secret/%'").await,
        0
    );
    scene.end().await;
}

#[tokio::test]
async fn one_project_that_asana_refuses_does_not_stop_the_others() {
    let scene = Scene::new().await;
    scene.repair(&projects(&["77"])).await;
    scene.asana.behave(Manner { refusal: Some((403, "no")), ..Manner::default() });
    let wanted = projects(&["77", "78", "79"]);
    let repaired = repair(&scene.house.engine, &scene.clients, &scene.url, &wanted).await.unwrap();
    let mut failed: Vec<_> = repaired.failed.into_iter().filter_map(|(resource, _)| resource).collect();
    failed.sort();
    assert_eq!(failed, projects(&["78", "79"]));
    assert_eq!(repaired.working.len(), 1);
    scene.asana.behave(Manner::default());
    assert_eq!(scene.repair(&wanted).await.registered.len(), 2);
    scene.end().await;
}

#[tokio::test]
async fn the_scope_decides_what_is_wanted() {
    let scene = Scene::new().await;
    scene.asana.set_projects(&[("77", false), ("80", false), ("81", true)]);
    assert_eq!(wanted(&scene.clients, Scope::MappedProjects).await.unwrap(), projects(&["77"]));
    let all = wanted(&scene.clients, Scope::Workspace).await.unwrap();
    let workspace = Resource { kind: ResourceKind::Workspace, gid: "1".into() };
    assert_eq!(all, [projects(&["77", "80"]), vec![workspace]].concat());
    scene.repair(&all).await;
    let of_workspace = scene.asana.webhooks().into_iter().find(|kept| kept.resource == "1").unwrap();
    let filters = of_workspace.filters.as_array().unwrap();
    assert!(filters.iter().all(|filter| filter["resource_type"] == "project" && filter["fields"].is_null()));
    scene.end().await;
}
