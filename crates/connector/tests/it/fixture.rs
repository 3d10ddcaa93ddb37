//! A world for one test: a PostgreSQL of its own, both stand-ins, and a connection between them.

use std::collections::HashMap;
use std::sync::Arc;

use connector::Engine;
use connector::feed::Feed;
use connector::ids::ConnectionId;
use connector::key::MasterKey;
use connector::manage::{self, Secrets};
use connector::node::{self, Report};
use connector::settings::Settings;
use connector::store::jobs::Job;
use connector::store::movements::{self, Filter, Movement};
use connector::store::{self, connections};
use embedded_postgres::Server;
use sandbox::{AsanaConfig, Board, Sandbox, SandboxConfig, Side};
use secrecy::SecretString;
use tokio::sync::watch;

/// Everything a test works with.
pub struct World {
    pub sandbox: Sandbox,
    pub board: Board,
    pub engine: Arc<Engine>,
    pub connection: ConnectionId,
    pub database_url: String,
    server: Option<Server>,
    // deleted last
    _directory: tempfile::TempDir,
}

impl World {
    /// A world with an empty Oracle and an empty board, and no limits that are not under test.
    pub async fn new() -> World {
        World::with(SandboxConfig { asana: AsanaConfig::unlimited(), ..SandboxConfig::default() }, |_| {}).await
    }

    /// A world with these stand-ins and changed settings.
    pub async fn with(config: SandboxConfig, change: impl FnOnce(&mut Settings)) -> World {
        let directory = tempfile::tempdir().unwrap();
        std::fs::set_permissions(directory.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
        let server = Server::start(embedded_postgres::Settings::new(directory.path().join("postgres"))).await.unwrap();
        let db = store::open(&server.url()).await.unwrap();
        store::migrate(&db).await.unwrap();
        let master = MasterKey::from_base64(&MasterKey::generate()).unwrap();
        let engine = Arc::new(Engine::new(db, master));
        let sandbox = Sandbox::start(config).await.unwrap();
        let board = Board::seed(sandbox.asana(), "Purchasing").unwrap();
        let mut settings = settings(&sandbox, &board);
        change(&mut settings);
        let connection = manage::add(&engine, "test", &settings, &secrets(&sandbox)).await.unwrap();
        let database_url = server.url();
        World { sandbox, board, engine, connection, database_url, server: Some(server), _directory: directory }
    }

    /// Another node on the same database.
    pub async fn another_node(&self, key: MasterKey) -> Engine {
        Engine::new(store::open(&self.database_url).await.unwrap(), key)
    }

    /// Polls both feeds, then pushes; every job must succeed.
    pub async fn sync(&self) -> HashMap<&'static str, Report> {
        self.try_sync().await.unwrap()
    }

    /// Polls both feeds, then pushes.
    pub async fn try_sync(&self) -> connector::Result<HashMap<&'static str, Report>> {
        let mut jobs: Vec<Job> = Feed::ALL.into_iter().map(Job::Poll).collect();
        jobs.push(Job::Push);
        node::run_once(&self.engine, self.connection, &jobs, &watch::Sender::new(0)).await
    }

    /// Only one job.
    pub async fn run(&self, job: Job) -> connector::Result<HashMap<&'static str, Report>> {
        node::run_once(&self.engine, self.connection, &[job], &watch::Sender::new(0)).await
    }

    /// All movements, newest first.
    pub async fn movements(&self) -> Vec<Movement> {
        let filter = Filter { limit: i64::MAX, ..Filter::default() };
        movements::list(&self.engine.db, self.connection, &filter).await.unwrap()
    }

    /// The full state of the Asana side.
    pub fn asana_state(&self) -> serde_json::Value {
        serde_json::from_str(&self.sandbox.asana().state_json()).unwrap()
    }

    /// Writes that Asana received.
    pub fn asana_writes(&self) -> u64 {
        self.sandbox.calls().count(|call| call.side == Side::Asana && call.method != "GET")
    }

    /// The connection's settings, changed and stored.
    pub async fn edit(&self, change: impl FnOnce(&mut Settings)) -> connector::Result<u64> {
        let connection = connections::load(&self.engine.db, self.connection).await?;
        let mut settings = connection.settings.clone();
        change(&mut settings);
        manage::edit(&self.engine, &connection, &settings, &Secrets::default()).await
    }

    /// The gid of a mapped field.
    pub fn field(&self, key: &str) -> String {
        self.board.field(key).unwrap().to_owned()
    }

    /// Stops everything in order.
    pub async fn end(mut self) {
        self.engine.db.close().await;
        if let Some(server) = self.server.take() {
            server.stop().await.unwrap();
        }
    }
}

/// The settings of a connection to these stand-ins, with the defaults wherever there are some.
pub fn settings(sandbox: &Sandbox, board: &Board) -> Settings {
    let oracle = sandbox.oracle().config();
    let fields: String = board.fields.iter().map(|(key, gid)| format!("{key} = \"{gid}\"\n")).collect();
    let text = format!(
        "[oracle]\nurl = \"{}\"\ntoken_url = \"{}\"\nclient_id = \"{}\"\nscope = \"{}\"\n\
         [asana]\nurl = \"{}\"\nworkspace = \"{}\"\nrequests_per_minute = 1000000\n\
         [fields]\n{fields}[routing.default]\nproject = \"{}\"\n",
        sandbox.oracle_url(),
        sandbox.token_url(),
        oracle.client_id,
        oracle.scope,
        sandbox.asana_url(),
        board.workspace,
        board.project,
    );
    Settings::from_toml(&text).unwrap()
}

/// The secrets that fit these stand-ins.
pub fn secrets(sandbox: &Sandbox) -> Secrets {
    Secrets {
        oracle_client_secret: Some(SecretString::from(sandbox.oracle().config().client_secret.clone())),
        asana_token: Some(SecretString::from(sandbox.asana().config().tokens[0].token.clone())),
    }
}
