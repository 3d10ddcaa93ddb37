//! The demo's scene: database, stand-ins with data, a board, and a connection that was tested.

use std::path::Path;
use std::sync::Arc;

use connector::Engine;
use connector::ids::ConnectionId;
use connector::key::MasterKey;
use connector::manage::{self, Secrets};
use connector::node;
use connector::ping::{self, Verdict};
use connector::settings::Settings;
use connector::store::jobs::Job;
use connector::store::{self, outbox};
use sandbox::{AsanaConfig, Board, GenerateOptions, Sandbox, SandboxConfig};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::watch;

use crate::cli::Global;
use crate::database::Database;

use super::DemoArgs;

/// Where the demo keeps its database and key below the data directory, if one is given.
const SUBDIRECTORY: &str = "demo";

/// Everything the demo works with.
pub struct Scene {
    /// Both stand-ins.
    pub sandbox: Sandbox,
    /// What was made on the Asana side.
    pub board: Board,
    /// The engine.
    pub engine: Arc<Engine>,
    /// The demo's connection.
    pub connection: ConnectionId,
    /// Which segment of an account is the cost center, counted from 0.
    pub cost_center_at: usize,
    database: Database,
    hooks: std::net::TcpListener,
    /// Deleted when the demo ends.
    _directory: Option<tempfile::TempDir>,
}

impl Scene {
    /// Starts everything.
    pub async fn set(args: &DemoArgs, global: &Global) -> anyhow::Result<Scene> {
        let (directory, dir) = match &global.data_dir {
            // `serve` keeps its own database in that directory
            Some(dir) => (None, dir.join(SUBDIRECTORY)),
            None => {
                let made = tempfile::Builder::new().prefix("ml-connector-demo-").tempdir()?;
                let path = made.path().to_owned();
                // the server runs as another user when this program is root
                std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o711))?;
                (Some(made), path)
            }
        };
        std::fs::create_dir_all(&dir)?;
        let (database, sandbox) =
            tokio::try_join!(Database::private(dir.join("postgres")), start_sandbox(args))?;
        store::migrate(&database.pool).await?;
        let hooks = std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0))?;
        hooks.set_nonblocking(true)?;
        let public_url = url::Url::parse(&format!("http://{}", hooks.local_addr()?))?;
        let engine = Engine::new(database.pool.clone(), demo_key(&dir)?).reached_at(Some(public_url));
        let engine = Arc::new(engine);
        let board = Board::seed(sandbox.asana(), "Purchasing")
            .and_then(|mut board| board.with_journal_fields(sandbox.asana()))
            .ok_or_else(|| anyhow::anyhow!("the Asana stand-in refused the board"))?;
        let connection = connect(&engine, &sandbox, &board, args).await?;
        let cost_center_at = cost_center_segment(args) - 1;
        Ok(Scene {
            sandbox,
            board,
            engine,
            connection,
            cost_center_at,
            database,
            hooks,
            _directory: directory,
        })
    }

    /// Pushes until nothing is due any more.
    pub async fn push_until_settled(&self, progress: &watch::Sender<u64>) -> anyhow::Result<()> {
        loop {
            node::run_once(&self.engine, self.connection, &[Job::Push], progress).await?;
            let open = outbox::open(&self.engine.db, self.connection).await?;
            let Some(due) = open.next_due else { return Ok(()) };
            let wait = due.duration_since(open.now);
            tokio::time::sleep(wait.try_into().unwrap_or_default()).await;
        }
    }

    /// Where Asana's webhooks arrive.
    pub fn listen_for_hooks(&self) -> anyhow::Result<tokio::net::TcpListener> {
        Ok(tokio::net::TcpListener::from_std(self.hooks.try_clone()?)?)
    }

    /// The board's page.
    pub fn board_url(&self) -> String {
        format!("{}/", self.sandbox.asana_url().trim_end_matches("/api/1.0"))
    }

    /// Stops everything.
    pub async fn close(self) -> anyhow::Result<()> {
        self.sandbox.shutdown().await;
        self.database.close().await
    }
}

async fn start_sandbox(args: &DemoArgs) -> anyhow::Result<Sandbox> {
    let asana = AsanaConfig { requests_per_minute: Some(args.asana_rate), ..AsanaConfig::default() };
    let sandbox = Sandbox::start(SandboxConfig { asana, ..SandboxConfig::default() }).await?;
    match &args.data {
        Some(directory) => {
            sandbox.oracle().load(directory)?;
        }
        None => {
            let made = GenerateOptions {
                seed: args.seed,
                orders: args.orders,
                invoices: args.orders,
                ..GenerateOptions::default()
            };
            sandbox.oracle().generate(&made).map_err(anyhow::Error::msg)?;
        }
    }
    Ok(sandbox)
}

/// The demo's own key, in its data directory, readable by its user alone.
fn demo_key(dir: &Path) -> anyhow::Result<MasterKey> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let path = dir.join("key");
    if !path.exists() {
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        writeln!(file, "{}", MasterKey::generate().expose_secret())?;
    }
    Ok(MasterKey::from_file(&path)?)
}

async fn connect(
    engine: &Engine,
    sandbox: &Sandbox,
    board: &Board,
    args: &DemoArgs,
) -> anyhow::Result<ConnectionId> {
    let settings = Settings::from_toml(&settings_toml(sandbox, board, args))?;
    let secrets = Secrets {
        oracle_client_secret: Some(SecretString::from(sandbox.oracle().config().client_secret.clone())),
        asana_token: sandbox.asana().config().tokens.first().map(|t| SecretString::from(t.token.clone())),
    };
    // a kept data directory may hold an earlier demo, whose stand-ins are gone
    if let Ok(earlier) = store::connections::find(&engine.db, "demo").await {
        let mut db = engine.db.acquire().await?;
        store::connections::remove(&mut db, earlier.id).await?;
    }
    let connection = manage::add(engine, "demo", &settings, &secrets).await?;
    let failed: Vec<String> = ping::ping(engine, connection)
        .await?
        .into_iter()
        .filter(|check| check.verdict == Verdict::Failed)
        .map(|check| format!("{} {}: {}", check.side, check.name, check.detail))
        .collect();
    anyhow::ensure!(failed.is_empty(), "the connection's test failed: {}", failed.join("; "));
    Ok(connection)
}

/// Published data carries its cost center in another segment than made-up data.
fn cost_center_segment(args: &DemoArgs) -> usize {
    if args.data.is_some() { 4 } else { 2 }
}

/// The connection's settings, as a person would write them.
fn settings_toml(sandbox: &Sandbox, board: &Board, args: &DemoArgs) -> String {
    let oracle = sandbox.oracle().config();
    let ledger = sandbox.oracle().ledger_facts();
    let fields: String = board.fields.iter().map(|(key, gid)| format!("{key} = \"{gid}\"\n")).collect();
    let segment = cost_center_segment(args);
    format!(
        r#"
[oracle]
url = "{oracle_url}"
token_url = "{token_url}"
client_id = "{client_id}"
scope = "{scope}"

[asana]
url = "{asana_url}"
workspace = "{workspace}"
requests_per_minute = {rate}

[fields]
{fields}
[routing.default]
project = "{project}"

[routing.account]
cost_center_segment = {segment}

[journal]
ledger_id = "{ledger_id}"
ledger = "{ledger_name}"
ledger_currency = "{ledger_currency}"
source = "{source}"
category = "{category}"
data_access_set = "{data_access_set}"
clearing_account_id = "{clearing}"
balancing_segment = {balancing}
time_zone = "UTC"
rate_type = "{rate_type}"

[journal.follow]
first_seconds = 1
longest_seconds = 5
"#,
        ledger_id = ledger.ledger_id,
        ledger_name = ledger.ledger_name,
        ledger_currency = ledger.currency,
        source = ledger.source,
        category = ledger.category,
        data_access_set = ledger.data_access_set_id,
        clearing = ledger.clearing_account_id,
        // counted from 1 by people
        balancing = ledger.balancing_segment + 1,
        rate_type = ledger.conversion_type,
        oracle_url = sandbox.oracle_url(),
        token_url = sandbox.token_url(),
        client_id = oracle.client_id,
        scope = oracle.scope,
        asana_url = sandbox.asana_url(),
        workspace = board.workspace,
        rate = args.asana_rate,
        project = board.project,
    )
}
