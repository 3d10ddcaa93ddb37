//! A receiver with a database of its own, registrations in it, and deliveries signed as Asana signs them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use connector::Engine;
use connector::hooks::ingest::{Ingest, Limits};
use connector::hooks::resource::{Resource, ResourceKind};
use connector::hooks::token::Tokens;
use connector::ids::{ConnectionId, WebhookId};
use connector::key::MasterKey;
use connector::manage::{self, Secrets};
use connector::settings::Settings;
use connector::store::{self, hooks};
use connector::vault::{self, CredentialName};
use console::hooks::{Doors, Receiver, serve};
use embedded_postgres::Server;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use sha2::Sha256;
use sqlx::AssertSqlSafe;
use tokio::net::TcpListener;
use tokio::sync::watch;
use url::Url;

use crate::wire::{Answer, Wire};

/// A private PostgreSQL with the schema, and the key.
pub struct House {
    pub key: SecretString,
    pub url: String,
    pub connection: ConnectionId,
    pub engine: Arc<Engine>,
    server: Option<Server>,
    place: PathBuf,
    // deleted last
    _directory: tempfile::TempDir,
}

/// One node that serves deliveries.
pub struct Node {
    pub address: SocketAddr,
    pub engine: Arc<Engine>,
    pub ingest: Arc<Ingest>,
    pub receiver: Arc<Receiver>,
    stop: watch::Sender<bool>,
    serving: tokio::task::JoinHandle<()>,
}

/// A registration whose secret the test knows.
#[derive(Clone)]
pub struct Hook {
    pub connection: ConnectionId,
    pub webhook: WebhookId,
    pub path: String,
    pub secret: String,
}

impl House {
    pub async fn new() -> House {
        House::with_asana("http://127.0.0.1:1/api/1.0").await
    }

    /// A house whose connection has its Asana at this address.
    pub async fn with_asana(asana: &str) -> House {
        let directory = tempfile::tempdir().unwrap();
        std::fs::set_permissions(directory.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711))
            .unwrap();
        let place = directory.path().join("postgres");
        let server = Server::start(embedded_postgres::Settings::new(&place)).await.unwrap();
        let url = server.url();
        let key = MasterKey::generate();
        let engine = engine(&url, &key).await;
        store::migrate(&engine.db).await.unwrap();
        let connection = add(&engine, "test", asana).await;
        House { key, url, connection, engine, server: Some(server), place, _directory: directory }
    }

    /// Another connection, whose Asana nobody asks.
    pub async fn add(&self, name: &str) -> ConnectionId {
        add(&self.engine, name, "http://127.0.0.1:1/api/1.0").await
    }

    /// A node with an engine, a pool and a receiver of its own.
    pub async fn node(&self, limits: Limits) -> Node {
        self.node_with(limits, Doors::default()).await
    }

    pub async fn node_with(&self, limits: Limits, doors: Doors) -> Node {
        self.node_serving(limits, |listener, _, receiver, stop| serve(listener, receiver, doors, stop)).await
    }

    /// A node that serves the status at the same address.
    pub async fn shared_node(&self, limits: Limits, doors: Doors) -> Node {
        self.node_serving(limits, |listener, engine, receiver, stop| {
            console::serve_with_hooks(listener, engine, receiver, doors, stop)
        })
        .await
    }

    async fn node_serving<F: Future<Output = ()> + Send + 'static>(
        &self,
        limits: Limits,
        serve: impl FnOnce(TcpListener, Arc<Engine>, Arc<Receiver>, watch::Receiver<bool>) -> F,
    ) -> Node {
        let engine = engine(&self.url, &self.key).await;
        let ingest = Ingest::start(&engine.db, limits);
        let receiver = Receiver::new(engine.clone(), ingest.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let serving = tokio::spawn(serve(listener, engine.clone(), receiver.clone(), stopped));
        Node { address, engine, ingest, receiver, stop, serving }
    }

    /// A pending registration on a project.
    pub async fn pending(&self, project: &str) -> Hook {
        self.pending_of(self.connection, project).await
    }

    pub async fn pending_of(&self, connection: ConnectionId, project: &str) -> Hook {
        let (token, digest) = Tokens::new(&self.engine.master).mint(connection);
        let webhook = WebhookId::new();
        let resource = Resource { kind: ResourceKind::Project, gid: project.to_owned() };
        let url = Url::parse("https://erp.example").unwrap();
        assert!(hooks::begin(&self.engine.db, connection, webhook, &resource, &digest, &url).await.unwrap());
        let secret = format!("{:032x}{:032x}", webhook.0.as_u128(), connection.0.as_u128());
        Hook { connection, webhook, path: format!("/hooks/asana/{}", token.expose_secret()), secret }
    }

    /// An active registration on a project.
    pub async fn active(&self, project: &str) -> Hook {
        let hook = self.pending(project).await;
        self.activate(&hook).await;
        hook
    }

    /// What a handshake and Asana's answer make of a pending registration.
    pub async fn activate(&self, hook: &Hook) {
        let mut db = self.engine.db.acquire().await.unwrap();
        let name = CredentialName::WebhookSecret(hook.webhook);
        let secret = SecretString::from(hook.secret.clone());
        vault::put_first(&mut db, &self.engine.master, hook.connection, name, &secret).await.unwrap();
        let gid = format!("asana-{}", hook.webhook);
        assert!(hooks::activate(&mut db, hook.connection, hook.webhook, &gid).await.unwrap());
    }

    pub async fn count(&self, table: &'static str) -> i64 {
        self.number(&format!("select count(*) from {table}")).await
    }

    pub async fn number(&self, query: &str) -> i64 {
        sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_one(&self.engine.db).await.unwrap()
    }

    pub async fn sql(&self, statement: &'static str) -> u64 {
        sqlx::query(statement).execute(&self.engine.db).await.unwrap().rows_affected()
    }

    /// The stored state of a registration, and what was noted of its failure.
    pub async fn state_of(&self, webhook: WebhookId) -> (String, Option<String>) {
        sqlx::query_as("select state, last_failure from webhooks where webhook_id = $1")
            .bind(webhook.0)
            .fetch_one(&self.engine.db)
            .await
            .unwrap()
    }

    pub async fn stop_database(&mut self) {
        self.server.take().unwrap().stop().await.unwrap();
    }

    pub async fn start_database(&mut self) {
        let server = Server::start(embedded_postgres::Settings::new(&self.place)).await.unwrap();
        assert_eq!(server.url(), self.url);
        self.server = Some(server);
    }

    pub async fn end(mut self) {
        self.engine.db.close().await;
        if let Some(server) = self.server.take() {
            server.stop().await.unwrap();
        }
    }
}

impl Node {
    pub async fn wire(&self) -> Wire {
        Wire::to(self.address).await
    }

    /// One POST over a connection of its own.
    pub async fn post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.wire().await.request(&format!("POST {path}"), headers, body).await
    }

    /// A delivery as Asana sends it.
    pub async fn deliver(&self, hook: &Hook, body: &str) -> Answer {
        self.post(&hook.path, &signed(&hook.secret, body.as_bytes()).headers(), body.as_bytes()).await
    }

    pub async fn end(self) {
        self.stop.send_replace(true);
        self.serving.await.unwrap();
        self.ingest.close().await;
        self.engine.db.close().await;
    }
}

/// The headers of a delivery.
pub struct Signed(String);

impl Signed {
    pub fn headers(&self) -> [(&'static str, &str); 2] {
        [("content-type", "application/json"), ("x-hook-signature", &self.0)]
    }
}

pub fn signed(secret: &str, body: &[u8]) -> Signed {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap().chain_update(body);
    Signed(mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A delivery that says that each task was completed, as Asana says it: two events.
pub fn completing(tasks: &[&str]) -> String {
    let events: Vec<Value> =
        tasks.iter().flat_map(|task| ["completed", "completed_at"].map(|field| event(task, field))).collect();
    json!({"events": events}).to_string()
}

pub fn event(task: &str, field: &str) -> Value {
    json!({
        "user": {"gid": "11", "resource_type": "user"},
        "created_at": "2026-06-30T10:11:12.345Z",
        "action": "changed",
        "parent": null,
        "change": {"field": field, "action": "changed"},
        "resource": {"gid": task, "resource_type": "task", "resource_subtype": "default_task"},
    })
}

/// A gid that no other test of this process uses.
pub fn fresh_gid() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1_200_000_000_000_000);
    NEXT.fetch_add(1, Ordering::Relaxed).to_string()
}

/// Waits until something is so.
pub async fn until<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) {
    let patience = Instant::now() + Duration::from_secs(30);
    while !is_so().await {
        assert!(Instant::now() < patience, "{what} did not come about");
        tokio::task::yield_now().await;
    }
}

async fn engine(url: &str, key: &SecretString) -> Arc<Engine> {
    let db = store::open(url).await.unwrap();
    Arc::new(Engine::new(db, MasterKey::from_base64(key).unwrap()))
}

async fn add(engine: &Engine, name: &str, asana: &str) -> ConnectionId {
    let settings = Settings::from_toml(&format!(
        "[oracle]\nurl = \"http://127.0.0.1:1\"\ntoken_url = \"http://127.0.0.1:1/token\"\nclient_id = \"c\"\nscope = \"s\"\n\
         [asana]\nurl = \"{asana}\"\nworkspace = \"1\"\nrequests_per_minute = 1000000\n\
         [fields]\npo_number = \"101\"\nsupplier = \"102\"\ninvoice_status = \"103\"\nline_item_amount = \"104\"\n\
         [routing.default]\nproject = \"77\"\n"
    ))
    .unwrap();
    // clients with one token share a budget
    let secrets = Secrets {
        oracle_client_secret: Some(SecretString::from("oracle")),
        asana_token: Some(SecretString::from(format!("token-{}-{}", std::process::id(), fresh_gid()))),
    };
    manage::add(engine, name, &settings, &secrets).await.unwrap()
}

pub fn public_url(node: &Node) -> Url {
    Url::parse(&format!("http://{}", node.address)).unwrap()
}
