//! Making webhooks: the secret is believed only when the handshake and Asana's answer name the same.

use std::sync::Arc;

use connector::Code;
use connector::engine::Clients;
use connector::hooks::ingest::Limits;
use connector::hooks::register::register;
use connector::hooks::resource::{Resource, ResourceKind};
use connector::ids::WebhookId;
use connector::store::hooks::{self, Registration, State};
use serde_json::json;
use url::Url;

use crate::asana_double::{Asana, Manner};
use crate::fixture::{House, Node, completing, public_url};

struct Scene {
    house: House,
    node: Node,
    asana: Asana,
    clients: Arc<Clients>,
}

impl Scene {
    async fn new(manner: Manner) -> Scene {
        let asana = Asana::start().await;
        asana.behave(manner);
        let house = House::with_asana(&asana.url).await;
        let node = house.node(Limits::default()).await;
        let clients = house.engine.clients(house.connection).await.unwrap();
        Scene { house, node, asana, clients }
    }

    async fn register(&self, project: &str) -> connector::Result<WebhookId> {
        self.register_at(&public_url(&self.node), project).await
    }

    async fn register_at(&self, url: &Url, project: &str) -> connector::Result<WebhookId> {
        let resource = Resource { kind: ResourceKind::Project, gid: project.into() };
        register(&self.house.engine, &self.clients, url, &resource).await
    }

    /// The state and the noted reason of the newest registration.
    async fn newest(&self) -> (String, Option<String>) {
        sqlx::query_as("select state, last_failure from webhooks order by webhook_id desc limit 1")
            .fetch_one(&self.house.engine.db)
            .await
            .unwrap()
    }

    async fn secrets(&self) -> i64 {
        self.house.number("select count(*) from credentials where name like 'webhook_secret/%'").await
    }

    async fn end(self) {
        self.node.end().await;
        self.house.end().await;
    }
}

#[tokio::test]
async fn a_registered_webhook_delivers() {
    let scene = Scene::new(Manner::default()).await;
    let webhook = scene.register("77").await.unwrap();
    let kept = scene.asana.webhooks().remove(0);
    assert_eq!(scene.house.state_of(webhook).await.0, "active");
    assert_eq!(kept.resource, "77");
    assert!(kept.target.starts_with(&format!("http://{}/hooks/asana/", scene.node.address)));
    assert_eq!(kept.filters, json!(ResourceKind::Project.filters()));
    let stored: String =
        sqlx::query_scalar("select asana_gid from webhooks").fetch_one(&scene.house.engine.db).await.unwrap();
    assert_eq!(stored, kept.gid);
    crate::fixture::until("the delivery is taken", || async {
        scene.asana.deliver(&kept, &completing(&["9001"])).await == 200
    })
    .await;
    assert_eq!(scene.house.count("events").await, 2);
    // neither token nor secret stands anywhere in the clear
    let token = kept.target.rsplit_once('/').unwrap().1;
    for secret in [token, kept.secret.as_str()] {
        let query = format!(
            "select (select count(*) from webhooks where webhooks::text like '%{secret}%')
                  + (select count(*) from credentials where position('{secret}'::bytea in ciphertext) > 0)
                  + (select count(*) from deliveries where body like '%{secret}%')"
        );
        assert_eq!(scene.house.number(&query).await, 0);
    }
    scene.end().await;
}

#[tokio::test]
async fn a_resource_has_one_registration_at_a_time() {
    let scene = Scene::new(Manner::default()).await;
    scene.register("77").await.unwrap();
    assert_eq!(scene.register("77").await.unwrap_err().code, Code::HookBusy);
    assert_eq!(scene.asana.asked(), 1);
    let (one, other) = tokio::join!(scene.register("78"), scene.register("78"));
    assert!(one.is_ok() != other.is_ok());
    assert_eq!(scene.asana.webhooks().len(), 2);
    scene.end().await;
}

#[tokio::test]
async fn when_the_answer_names_another_secret_the_webhook_is_deleted() {
    let scene = Scene::new(Manner::default()).await;
    for says in ["another", ""] {
        scene.asana.behave(Manner { says: Some(says), ..Manner::default() });
        let error = scene.register("77").await.unwrap_err();
        assert_eq!(error.code, Code::HookSecret, "{says:?}");
        assert!(scene.asana.webhooks().is_empty());
        assert_eq!((scene.newest().await.0.as_str(), scene.secrets().await), ("failed", 0));
    }
    scene.end().await;
}

#[tokio::test]
async fn when_the_answer_comes_without_a_handshake_the_webhook_is_deleted() {
    let scene = Scene::new(Manner { silent: true, ..Manner::default() }).await;
    assert_eq!(scene.register("77").await.unwrap_err().code, Code::HookNoHandshake);
    assert!(scene.asana.webhooks().is_empty());
    assert_eq!(scene.newest().await.0, "failed");
    scene.end().await;
}

#[tokio::test]
async fn an_intruder_who_offers_first_prevents_the_webhook_but_never_becomes_its_secret() {
    let scene = Scene::new(Manner { intruders: vec!["stolen"], ..Manner::default() }).await;
    let error = scene.register("77").await.unwrap_err();
    assert_eq!(error.code, Code::HookRefused, "{error}");
    assert_eq!(scene.asana.handshakes(), [200, 403]);
    assert_eq!((scene.newest().await.0.as_str(), scene.secrets().await), ("failed", 0));
    // and when Asana would not mind that its own was refused
    scene.asana.behave(Manner { intruders: vec!["stolen"], silent: true, ..Manner::default() });
    assert_eq!(scene.register("77").await.unwrap_err().code, Code::HookSecret);
    assert!(scene.asana.webhooks().is_empty());
    scene.end().await;
}

#[tokio::test]
async fn a_refusal_is_named_and_kept_without_the_target() {
    const DUPLICATE: &str =
        "Duplicated webhook. You already have an existing webhook for the given resource and target.";
    let scene = Scene::new(Manner::default()).await;
    for (status, message, code) in [
        (403, DUPLICATE, Code::HookDuplicate),
        (402, "Webhooks are not available", Code::HookPlan),
        // the address of the tests is of this machine
        (403, "Forbidden", Code::HookAddress),
        (400, "Something is wrong", Code::HookNoHandshake),
        (404, "resource: Unknown object: 77", Code::AsanaNotFound),
        (401, "Not Authorized", Code::AsanaUnauthorized),
        (500, "Server Error", Code::HookNoHandshake),
    ] {
        scene.asana.behave(Manner { refusal: Some((status, message)), ..Manner::default() });
        let error = scene.register("77").await.unwrap_err();
        assert_eq!(error.code, code, "{error}");
        let (state, reason) = scene.newest().await;
        let reason = reason.unwrap();
        assert_eq!(state, "failed");
        assert!(
            reason.contains(message) && reason.contains("project 77") && !reason.contains("/hooks/"),
            "{reason}"
        );
    }
    scene.end().await;
}

#[tokio::test]
async fn a_project_that_keeps_being_refused_leaves_one_failed_row_with_its_count() {
    let scene = Scene::new(Manner { refusal: Some((403, "no")), ..Manner::default() }).await;
    let listed = |of_each| hooks::list(&scene.house.engine.db, scene.house.connection, of_each, 100);
    let counted = |listed: &[Registration]| -> Vec<(String, State, i32)> {
        listed.iter().map(|one| (one.resource.gid.clone(), one.state, one.failures)).collect()
    };
    for project in ["78", "77", "77", "77"] {
        scene.register(project).await.unwrap_err();
    }
    let failed = |project: &str, failures| (project.to_owned(), State::Failed, failures);
    assert_eq!(counted(&listed(100).await.unwrap()), [failed("77", 3), failed("78", 1)]);
    scene.asana.behave(Manner::default());
    let webhook = scene.register("77").await.unwrap();
    let active = ("77".to_owned(), State::Active, 0);
    assert_eq!(
        counted(&listed(100).await.unwrap()),
        [active.clone(), failed("77", 3), failed("78", 1)],
        "what works has no failures, and its history stays"
    );
    assert_eq!(counted(&listed(1).await.unwrap()), [active, failed("78", 1)]);
    // what had ended in another way is no failure and stays
    let db = &scene.house.engine.db;
    assert!(hooks::end(db, scene.house.connection, webhook, State::Lost, None).await.unwrap());
    assert!(!hooks::end(db, scene.house.connection, webhook, State::Failed, None).await.unwrap());
    scene.asana.behave(Manner { refusal: Some((403, "no")), ..Manner::default() });
    scene.register("77").await.unwrap_err();
    let lost = ("77".to_owned(), State::Lost, 0);
    assert_eq!(counted(&listed(100).await.unwrap()), [failed("77", 1), lost.clone(), failed("78", 1)]);
    scene.register("77").await.unwrap_err();
    assert_eq!(counted(&listed(100).await.unwrap()), [failed("77", 2), lost, failed("78", 1)]);
    scene.end().await;
}

#[tokio::test]
async fn a_refusal_of_a_public_address_is_not_blamed_on_the_address() {
    let scene = Scene::new(Manner { refusal: Some((403, "Forbidden")), ..Manner::default() }).await;
    let public = Url::parse("https://erp.example/base").unwrap();
    assert_eq!(scene.register_at(&public, "77").await.unwrap_err().code, Code::HookRefused);
    let broken = Url::parse("https://erp.example/?a=b").unwrap();
    assert_eq!(scene.register_at(&broken, "78").await.unwrap_err().code, Code::HookAddress);
    assert_eq!((scene.asana.asked(), scene.house.count("webhooks").await), (1, 1));
    scene.end().await;
}

#[tokio::test]
async fn an_address_that_nobody_answers_at_is_told() {
    let scene = Scene::new(Manner::default()).await;
    let nobody = Url::parse("http://127.0.0.1:1").unwrap();
    assert_eq!(scene.register_at(&nobody, "77").await.unwrap_err().code, Code::HookNoHandshake);
    scene.end().await;
}
