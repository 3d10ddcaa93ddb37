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
use connector::store::{self, connections, jobs, outbox};
use embedded_postgres::Server;
use sandbox::oracle::{Edit, NewInvoice, NewInvoiceLine, NewLine, NewOrder};
use sandbox::{AsanaConfig, Board, FaultRule, OracleSettings, Sandbox, SandboxConfig, Side};
use secrecy::SecretString;
use serde_json::value::RawValue;
use tokio::sync::watch;

/// Push cycles after which nothing may be open any more.
const CYCLES: u32 = 40;

/// Everything a test works with.
pub struct World {
    pub sandbox: Sandbox,
    pub board: Board,
    pub engine: Arc<Engine>,
    pub connection: ConnectionId,
    pub database_url: String,
    pub key: SecretString,
    server: Option<Server>,
    // deleted last
    _directory: tempfile::TempDir,
}

impl World {
    /// A world with an empty Oracle and an empty board, and no limits that are not under test.
    pub async fn new() -> World {
        World::with(SandboxConfig { asana: AsanaConfig::unlimited(), ..SandboxConfig::default() }, |_| {})
            .await
    }

    /// A world with these stand-ins and changed settings.
    pub async fn with(config: SandboxConfig, change: impl FnOnce(&mut Settings)) -> World {
        let sandbox = Sandbox::start(config).await.unwrap();
        let board = Board::seed(sandbox.asana(), "Purchasing").unwrap();
        let mut settings = settings(&sandbox, &board);
        change(&mut settings);
        World::between(sandbox, board, &settings).await
    }

    /// A connection between these stand-ins, on a database of its own.
    pub async fn between(sandbox: Sandbox, board: Board, settings: &Settings) -> World {
        let directory = tempfile::tempdir().unwrap();
        std::fs::set_permissions(directory.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711))
            .unwrap();
        let server =
            Server::start(embedded_postgres::Settings::new(directory.path().join("postgres"))).await.unwrap();
        let db = store::open(&server.url()).await.unwrap();
        store::migrate(&db).await.unwrap();
        let key = MasterKey::generate();
        let engine = Arc::new(Engine::new(db, MasterKey::from_base64(&key).unwrap()));
        let connection = manage::add(&engine, "test", settings, &secrets(&sandbox)).await.unwrap();
        let database_url = server.url();
        World {
            sandbox,
            board,
            engine,
            connection,
            database_url,
            key,
            server: Some(server),
            _directory: directory,
        }
    }

    /// A world whose Oracle has these switches.
    pub async fn with_oracle(change: impl FnOnce(&mut OracleSettings)) -> World {
        let mut oracle_settings = OracleSettings::default();
        change(&mut oracle_settings);
        let asana = AsanaConfig::unlimited();
        World::with(SandboxConfig { asana, oracle_settings, ..SandboxConfig::default() }, |_| {}).await
    }

    /// Another node on the same database, with the same key.
    pub async fn another_node(&self) -> Arc<Engine> {
        let key = MasterKey::from_base64(&self.key).unwrap();
        Arc::new(Engine::new(store::open(&self.database_url).await.unwrap(), key))
    }

    /// Waits until something is so, for at most half a minute.
    pub async fn until(&self, what: &str, is_so: impl Fn(&World) -> bool) {
        let patience = std::time::Instant::now() + std::time::Duration::from_secs(30);
        while !is_so(self) {
            assert!(std::time::Instant::now() < patience, "{what} did not come about");
            tokio::task::yield_now().await;
        }
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
        movements::list(&self.engine.db, self.connection, &Filter::default(), i64::MAX).await.unwrap()
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

    /// Changes something in Oracle; returns the ids of the records concerned.
    pub fn oracle(&self, edit: Edit) -> Vec<i64> {
        self.sandbox.oracle().apply(edit).unwrap()
    }

    /// Makes an order with a number and a line for each amount.
    pub fn order(&self, number: &str, amounts: &[&str]) -> i64 {
        self.new_order(NewOrder { number: Some(number.into()), lines: lines(amounts), ..NewOrder::default() })
    }

    /// Makes an order.
    pub fn new_order(&self, order: NewOrder) -> i64 {
        self.oracle(Edit::CreateOrder(order))[0]
    }

    /// Makes an invoice with a line for each order number and amount.
    pub fn invoice(&self, number: &str, parts: &[(&str, &str)]) -> i64 {
        self.new_invoice(NewInvoice {
            number: Some(number.into()),
            lines: parts.iter().map(|(order, amount)| invoice_line(order, amount)).collect(),
            ..NewInvoice::default()
        })
    }

    /// Makes an invoice.
    pub fn new_invoice(&self, invoice: NewInvoice) -> i64 {
        self.oracle(Edit::CreateInvoice(invoice))[0]
    }

    /// Another amount for an order's line.
    pub fn set_amount(&self, order: i64, line: i64, amount: &str) {
        self.oracle(Edit::LineAmount { order, line, amount: amount.into(), touch: true });
    }

    /// Any JSON as an attribute of an order, or of one of its lines.
    pub fn set_order(&self, id: i64, line: Option<i64>, attribute: &str, json: &str) {
        let (resource, attribute) = ("purchaseOrders".to_owned(), attribute.to_owned());
        self.oracle(Edit::SetRaw { resource, id, line, attribute, json: Some(json.into()), touch: true });
    }

    /// Any JSON as an attribute of an invoice, or of one of its lines.
    pub fn set_invoice(&self, id: i64, line: Option<i64>, attribute: &str, json: &str) {
        let (resource, attribute) = ("invoices".to_owned(), attribute.to_owned());
        self.oracle(Edit::SetRaw { resource, id, line, attribute, json: Some(json.into()), touch: true });
    }

    /// Changes something in Asana as a person would.
    pub fn asana(&self, edit: sandbox::asana::Edit) {
        self.sandbox.asana().apply(edit).unwrap();
    }

    /// A task that a person makes in the board's project, with an order number; returns its gid.
    pub fn persons_task(&self, number: &str) -> String {
        let values = [(self.field("po_number"), number.into())].into();
        self.sandbox.asana().seed_task(&self.board.project, "made by a person", &values).unwrap()
    }

    /// All tasks, in the order of their gids.
    pub fn tasks(&self) -> Vec<Task> {
        #[derive(serde::Deserialize)]
        struct State {
            tasks: std::collections::BTreeMap<String, Stored>,
        }
        #[derive(serde::Deserialize)]
        struct Stored {
            name: String,
            notes: String,
            memberships: Vec<(String, String)>,
            values: HashMap<String, Box<RawValue>>,
        }
        let asana = self.sandbox.asana();
        let state: State = serde_json::from_str(&asana.state_json()).unwrap();
        let options: HashMap<String, String> =
            self.board.fields.iter().flat_map(|(_, gid)| asana.options(gid)).collect();
        let shown = |value: &RawValue| match serde_json::from_str::<String>(value.get()) {
            Ok(text) => options.get(&text).cloned().unwrap_or(text),
            Err(_) => value.get().to_owned(),
        };
        let read = |(gid, stored): (String, Stored)| Task {
            values: stored.values.iter().map(|(field, value)| (field.clone(), shown(value))).collect(),
            keys: self.board.fields.iter().cloned().collect(),
            name: stored.name,
            notes: stored.notes,
            memberships: stored.memberships,
            gid,
        };
        state.tasks.into_iter().map(read).collect()
    }

    /// The tasks that show an order number.
    pub fn tasks_of(&self, number: &str) -> Vec<Task> {
        self.tasks().into_iter().filter(|task| task.shows("po_number") == Some(number)).collect()
    }

    /// The one task that shows an order number.
    pub fn task(&self, number: &str) -> Task {
        let mut tasks = self.tasks_of(number);
        assert_eq!(tasks.len(), 1, "tasks with {number}: {tasks:?}");
        tasks.remove(0)
    }

    /// The one task with this gid.
    pub fn task_with_gid(&self, gid: &str) -> Task {
        self.tasks().into_iter().find(|task| task.gid == gid).unwrap()
    }

    /// What is held, as pairs of source id and code, sorted.
    pub async fn held(&self) -> Vec<(String, String)> {
        self.in_state("held").await.into_iter().map(|m| (m.source_id, m.code.unwrap())).collect()
    }

    /// The movements in a state, sorted by source id.
    pub async fn in_state(&self, state: &str) -> Vec<Movement> {
        let mut found = self.movements().await;
        found.retain(|movement| movement.state == state);
        found.sort_by(|a, b| a.source_id.cmp(&b.source_id));
        found
    }

    /// The newest movement of a record.
    pub async fn movement_of(&self, id: i64) -> Movement {
        let id = id.to_string();
        self.movements().await.into_iter().find(|movement| movement.source_id == id).unwrap()
    }

    /// Runs SQL on the engine's database.
    pub async fn sql(&self, statement: &'static str) -> u64 {
        sqlx::query(statement).execute(&self.engine.db).await.unwrap().rows_affected()
    }

    /// Makes everything due that waits for its next attempt, as if the time had passed.
    pub async fn pass_the_wait(&self) {
        self.sql(
            "update movements set next_attempt_at = now() - interval '1 second'
             where state in ('retrying', 'in_doubt')",
        )
        .await;
        self.sql("update creations set doubted_at = doubted_at - interval '1 minute'").await;
    }

    /// Lets an hour pass, after which what is held is planned again, and pushes.
    pub async fn an_hour_later(&self) {
        self.sql("update movements set finished_at = finished_at - interval '1 hour' where state = 'held'")
            .await;
        self.run(Job::Push).await.unwrap();
    }

    /// Pushes until nothing is open, passing every wait.
    pub async fn settle(&self) {
        for _ in 0..CYCLES {
            if outbox::open(&self.engine.db, self.connection).await.unwrap().next_due.is_none() {
                return;
            }
            self.pass_the_wait().await;
            self.run(Job::Push).await.unwrap();
        }
        panic!("still open after {CYCLES} cycles: {:?}", self.movements().await);
    }

    /// How a job ended: the code of its failure, if it failed.
    pub async fn job_code(&self, job: Job) -> Option<String> {
        let all = jobs::status(&self.engine.db, self.connection).await.unwrap();
        all.into_iter().find(|status| status.job == job.as_str()).unwrap().code
    }

    /// Makes requests go wrong; returns the rule's id.
    pub fn fault(&self, rule: FaultRule) -> u64 {
        self.sandbox.faults().add(rule)
    }

    /// How often a fault happened.
    pub fn fired(&self, id: u64) -> u64 {
        self.sandbox.faults().fired(id)
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

/// A task as Asana stores it.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    pub gid: String,
    pub name: String,
    pub notes: String,
    /// Pairs of project and section.
    pub memberships: Vec<(String, String)>,
    /// By the field's gid; options of the board's fields by name.
    pub values: HashMap<String, String>,
    keys: HashMap<&'static str, String>,
}

impl Task {
    /// What stands in a mapped field: a text, a number's stored digits, or an option's name.
    pub fn shows(&self, key: &str) -> Option<&str> {
        self.shows_gid(&self.keys[key])
    }

    /// What stands in a field.
    pub fn shows_gid(&self, field: &str) -> Option<&str> {
        self.values.get(field).map(String::as_str)
    }
}

/// Records that are held with one code, as [`World::held`] shows them.
pub fn held(ids: &[i64], code: connector::Code) -> Vec<(String, String)> {
    let mut held: Vec<_> = ids.iter().map(|id| (id.to_string(), code.to_string())).collect();
    held.sort();
    held
}

/// A line for each amount.
pub fn lines(amounts: &[&str]) -> Vec<NewLine> {
    amounts.iter().map(|amount| NewLine { amount: (*amount).into(), ..NewLine::default() }).collect()
}

/// An invoice line for an order.
pub fn invoice_line(order: &str, amount: &str) -> NewInvoiceLine {
    NewInvoiceLine { amount: amount.into(), order_number: Some(order.into()), ..NewInvoiceLine::default() }
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
