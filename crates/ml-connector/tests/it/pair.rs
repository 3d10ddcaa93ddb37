//! An Oracle and an Asana that stand in for the real ones, and what each holds.

use std::collections::BTreeMap;

use sandbox::asana::Edit as AsanaEdit;
use sandbox::oracle::settings::{LinkStyle, Phases};
use sandbox::oracle::{NewInvoice, NewInvoiceLine, NewLine, NewOrder};
use sandbox::{AsanaConfig, Board, Edit, OracleConfig, Sandbox, SandboxConfig};
use serde_json::Value;

/// Both stand-ins and the board.
pub struct Pair {
    pub sandbox: Sandbox,
    pub board: Board,
    journals: bool,
    asana_per_minute: u32,
}

/// What a task shows, by the key of its field; enum options by their name.
pub type Shown = BTreeMap<&'static str, String>;

impl Pair {
    /// Empty ones without limits, with these secrets, whose clock stands still.
    pub async fn with_secrets(client_secret: &str, asana_token: &str) -> Pair {
        let oracle = OracleConfig { client_secret: client_secret.to_owned(), ..OracleConfig::default() };
        let mut asana = AsanaConfig::unlimited();
        asana_token.clone_into(&mut asana.tokens[0].token);
        Pair::between(oracle, asana, 1_000_000).await
    }

    /// Empty ones whose Asana lets a token send so much, as the settings say, and keeps to all its other limits.
    pub async fn limited(per_minute: u32) -> Pair {
        let asana = AsanaConfig { requests_per_minute: Some(per_minute), ..AsanaConfig::default() };
        Pair::between(OracleConfig::default(), asana, per_minute).await
    }

    async fn between(oracle: OracleConfig, asana: AsanaConfig, asana_per_minute: u32) -> Pair {
        let sandbox =
            Sandbox::start(SandboxConfig { oracle, asana, ..SandboxConfig::default() }).await.unwrap();
        sandbox.clock().freeze("2026-05-04T09:30:00.250Z".parse().unwrap());
        // so that equal records have equal texts wherever they are served
        sandbox.oracle().change_settings(|s| s.links = LinkStyle::Host("pod.example.com".to_owned()));
        let board = Board::seed(sandbox.asana(), "Purchasing").unwrap();
        Pair { sandbox, board, journals: false, asana_per_minute }
    }

    /// These stand-ins with this board.
    pub fn of(sandbox: Sandbox, board: Board) -> Pair {
        Pair { sandbox, board, journals: false, asana_per_minute: 1_000_000 }
    }

    /// The same with fields and settings for journals. An import has ended when its submission is answered, and what
    /// is completed counts: the clock stands in the near future.
    pub async fn with_journals(client_secret: &str, asana_token: &str) -> Pair {
        let mut pair = Pair::with_secrets(client_secret, asana_token).await;
        pair.sandbox.clock().freeze(jiff::Timestamp::now() + jiff::SignedDuration::from_mins(5));
        pair.sandbox.oracle().change_settings(|s| s.erp.phases = Phases::INSTANT);
        pair.board = pair.board.with_journal_fields(pair.sandbox.asana()).unwrap();
        pair.journals = true;
        pair
    }

    /// Empty ones with secrets of no interest.
    pub async fn new() -> Pair {
        Pair::with_secrets("a-client-secret", "an-asana-token").await
    }

    /// A connection's settings, as a person writes them.
    pub fn settings(&self) -> String {
        let (sandbox, board) = (&self.sandbox, &self.board);
        let oracle = sandbox.oracle().config();
        let fields: String = board.fields.iter().map(|(key, gid)| format!("{key} = \"{gid}\"\n")).collect();
        format!(
            "[oracle]\nurl = \"{}\"\ntoken_url = \"{}\"\nclient_id = \"{}\"\nscope = \"{}\"\npage_size = 10\n\
             [asana]\nurl = \"{}\"\nworkspace = \"{}\"\nrequests_per_minute = {}\n\
             [fields]\n{fields}[routing.default]\nproject = \"{}\"\n{}",
            sandbox.oracle_url(),
            sandbox.token_url(),
            oracle.client_id,
            oracle.scope,
            sandbox.asana_url(),
            board.workspace,
            self.asana_per_minute,
            board.project,
            if self.journals { self.journal_settings() } else { String::new() },
        )
    }

    fn journal_settings(&self) -> String {
        let facts = self.sandbox.oracle().ledger_facts();
        format!(
            "[journal]\nledger_id = \"{}\"\nledger_currency = \"{}\"\nsource = \"{}\"\ncategory = \"{}\"\n\
             clearing_account_id = \"{}\"\nbalancing_segment = {}\ntime_zone = \"UTC\"\n\
             [journal.follow]\nfirst_seconds = 1\n",
            facts.ledger_id,
            facts.currency,
            facts.source,
            facts.category,
            facts.clearing_account_id,
            facts.balancing_segment + 1,
        )
    }

    /// Settings are those of another, new board from now on.
    pub fn change_board(&mut self, name: &str) {
        self.board = Board::seed(self.sandbox.asana(), name).unwrap();
    }

    /// Ticks off the task of an order; returns its gid.
    pub fn complete(&self, number: &str) -> String {
        let task = self.task_of(number);
        self.sandbox.asana().apply(AsanaEdit::CompleteTask { task: task.clone() }).unwrap();
        task
    }

    /// The gid of the task that shows an order number.
    pub fn task_of(&self, number: &str) -> String {
        let state: Value = serde_json::from_str(&self.sandbox.asana().state_json()).unwrap();
        let field = self.board.field("po_number").unwrap();
        let tasks = state["tasks"].as_object().unwrap();
        let (gid, _) = tasks.iter().find(|(_, task)| task["values"][field] == number).unwrap();
        gid.clone()
    }

    /// How many batches stand in Oracle's ledger.
    pub fn batches(&self) -> usize {
        let ledger: Value = serde_json::from_str(&self.sandbox.oracle().ledger_json()).unwrap();
        ledger["batches"].as_array().unwrap().len()
    }

    pub fn client_secret(&self) -> String {
        self.sandbox.oracle().config().client_secret.clone()
    }

    pub fn asana_token(&self) -> String {
        self.sandbox.asana().config().tokens[0].token.clone()
    }

    pub fn edit(&self, edit: Edit) -> i64 {
        self.sandbox.oracle().apply(edit).unwrap()[0]
    }

    /// So many new orders, each with an invoice for every second one.
    pub fn add_orders(&self, count: usize) {
        let before = self.sandbox.oracle().counts().0;
        for n in before..before + count {
            let number = format!("PO-{n}");
            let amounts = [format!("{n}.25"), "17".to_owned()];
            self.edit(Edit::CreateOrder(NewOrder {
                number: Some(number.clone()),
                supplier: Some(format!("SUPPLIER {}", n % 5)),
                lines: amounts.map(|amount| NewLine { amount, ..NewLine::default() }).into(),
                ..NewOrder::default()
            }));
            if n % 2 == 0 {
                let line = NewInvoiceLine {
                    amount: format!("{n}.10"),
                    order_number: Some(number),
                    ..NewInvoiceLine::default()
                };
                self.edit(Edit::CreateInvoice(NewInvoice { lines: vec![line], ..NewInvoice::default() }));
            }
        }
    }

    /// Each order's task, by the order's id. No order has two.
    pub fn tasks(&self) -> BTreeMap<String, Shown> {
        let state: Value = serde_json::from_str(&self.sandbox.asana().state_json()).unwrap();
        let options: BTreeMap<String, String> =
            self.board.fields.iter().flat_map(|(_, gid)| self.sandbox.asana().options(gid)).collect();
        let mut tasks = BTreeMap::new();
        for task in state["tasks"].as_object().unwrap().values() {
            let last = task["notes"].as_str().unwrap().lines().last().unwrap();
            let id = last.strip_prefix("Oracle order id: ").unwrap().to_owned();
            let shown =
                self.board.fields.iter().filter(|(key, _)| *key != "last_synced").map(|(key, gid)| {
                    let value = &task["values"][gid];
                    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    (*key, options.get(&text).cloned().unwrap_or(text))
                });
            let other = tasks.insert(id.clone(), shown.collect());
            assert!(other.is_none(), "order {id} has two tasks");
        }
        tasks
    }

    /// Date of every order and invoice by feed and id, in milliseconds.
    pub fn dates(&self) -> BTreeMap<(&'static str, String), i64> {
        let state: Value = serde_json::from_str(&self.sandbox.oracle().state_json()).unwrap();
        let mut dates = BTreeMap::new();
        for (feed, resource, key) in
            [("purchase_orders", "purchaseOrders", "POHeaderId"), ("invoices", "invoices", "InvoiceId")]
        {
            for record in state[resource].as_array().unwrap() {
                let date: jiff::Timestamp = record["LastUpdateDate"].as_str().unwrap().parse().unwrap();
                dates.insert((feed, record[key].to_string()), date.as_millisecond());
            }
        }
        dates
    }
}
