//! A world with journals: a board with fields for status and cost, and a ledger.

use std::collections::{BTreeMap, BTreeSet};

use connector::error::Result;
use connector::ids::TaskGid;
use connector::journal::settings::FollowSettings;
use connector::journal::{GroupId, JournalSettings, Kind};
use connector::posting::story;
use connector::purpose::Purpose;
use connector::store::completions::{self, Completion};
use connector::store::connections;
use connector::store::inbox;
use connector::store::jobs::{self, Job};
use connector::store::journals::{self, Journal, LoggedStep};
use sandbox::asana::Edit as AsanaEdit;
use sandbox::oracle::settings::Phases;
use sandbox::{AsanaConfig, Board, OracleSettings, Sandbox, SandboxConfig};
use uuid::Uuid;

use super::ledger::Ledger;
use crate::fixture::{self, World};

/// Rounds after which nothing may move any more.
const ROUNDS: u32 = 12;
/// What a round lets pass for journals: longer than any wait between attempts, shorter than all settling.
const ROUND_SECONDS: i64 = 60;

/// Sendings under groups of their own that a test can bring about.
const GENERATIONS: u32 = 8;

/// The journal settings that fit the stand-in's primary ledger, which balances by company.
pub fn journal_settings(sandbox: &Sandbox) -> JournalSettings {
    let facts = sandbox.oracle().ledger_facts();
    let text = format!(
        "ledger_id = \"{}\"\nledger_currency = \"{}\"\nsource = \"{}\"\ncategory = \"{}\"\n\
         data_access_set = \"{}\"\nclearing_account_id = \"{}\"\nbalancing_segment = {}\n\
         time_zone = \"America/New_York\"\nrate_type = \"{}\"\nsettle_minutes = 60\n",
        facts.ledger_id,
        facts.currency,
        facts.source,
        facts.category,
        facts.data_access_set_id,
        facts.clearing_account_id,
        facts.balancing_segment + 1,
        facts.conversion_type,
    );
    let settings: JournalSettings = toml::from_str(&text).unwrap();
    let follow = FollowSettings { first_seconds: 1, longest_seconds: 2, ..FollowSettings::default() };
    JournalSettings { follow, ..settings }
}

impl World {
    /// A world with journals, where an import has ended when its submission is answered.
    pub async fn with_journals() -> World {
        World::with_journals_and(|_| {}, |_| {}).await
    }

    /// A world with journals, other switches of Oracle and other journal settings.
    pub async fn with_journals_and(
        oracle: impl FnOnce(&mut OracleSettings),
        change: impl FnOnce(&mut JournalSettings),
    ) -> World {
        let mut oracle_settings = OracleSettings::default();
        oracle_settings.erp.phases = Phases::INSTANT;
        oracle(&mut oracle_settings);
        let asana = AsanaConfig::unlimited();
        let config = SandboxConfig { asana, oracle_settings, ..SandboxConfig::default() };
        let sandbox = Sandbox::start(config).await.unwrap();
        let mut board = Board::seed(sandbox.asana(), "Purchasing").unwrap();
        let mut settings = fixture::settings(&sandbox, &board);
        let board = board.with_journal_fields(sandbox.asana()).unwrap();
        for purpose in [Purpose::JournalStatus, Purpose::Cost] {
            settings.fields.insert(purpose, board.field(purpose.as_str()).unwrap().into());
        }
        let mut journal = journal_settings(&sandbox);
        change(&mut journal);
        settings.journal = Some(journal);
        World::between(sandbox, board, &settings).await
    }

    /// Makes an order with a line for each amount and brings it to Asana; returns its task's gid.
    pub async fn ordered(&self, number: &str, amounts: &[&str]) -> String {
        self.order(number, amounts);
        self.sync().await;
        self.task(number).gid
    }

    /// Ticks a task off as a person would.
    pub fn complete(&self, task: &str) {
        self.asana(AsanaEdit::CompleteTask { task: task.to_owned() });
    }

    /// Opens a task again.
    pub fn reopen(&self, task: &str) {
        self.asana(AsanaEdit::ReopenTask { task: task.to_owned() });
    }

    /// Types a value into a mapped field of a task.
    pub fn type_in(&self, task: &str, field: &str, value: impl Into<serde_json::Value>) {
        let (task, field) = (task.to_owned(), self.field(field));
        self.asana(AsanaEdit::SetValue { task, field, value: value.into() });
    }

    /// The jobs of the way back, once each.
    pub async fn once_back(&self) -> Result<()> {
        for job in [Job::Sweep, Job::Completions, Job::Journals] {
            self.run(job).await?;
        }
        Ok(())
    }

    /// Runs the way back until nothing moves, letting waits pass but for those of held completions and for the
    /// time of settling; then lets the tasks show it.
    pub async fn way_back(&self) {
        for _ in 0..ROUNDS {
            self.once_back().await.unwrap();
            if self.is_quiet().await {
                break;
            }
            self.pass(ROUND_SECONDS).await;
        }
        self.run(Job::Push).await.unwrap();
    }

    /// Whether no event is open, no journal on its way, and no reopened completion undecided.
    async fn is_quiet(&self) -> bool {
        let moving = self
            .count(
                "select (select count(*) from journals where due_at is not null)
                      + (select count(*) from completions
                         where due_at is not null and (reopened_at is not null or due_at <= now()))",
            )
            .await;
        moving == 0 && inbox::count_open(&self.engine.db, self.connection).await.unwrap() == 0
    }

    /// Puts an event into the inbox as a webhook's delivery does.
    pub async fn event(&self, task: &str, field: &str) {
        sqlx::query(
            "insert into events (connection_id, event_key, delivery_id, resource_type, resource_gid, action,
                                 field, happened_at, state)
             values ($1, gen_random_uuid(), gen_random_uuid(), 'task', $2, 'changed', $3, now(), 'open')",
        )
        .bind(self.connection.0)
        .bind(task)
        .bind(field)
        .execute(&self.engine.db)
        .await
        .unwrap();
    }

    /// Whether a job is due by its row.
    pub async fn is_due(&self, job: Job) -> bool {
        let all = jobs::status(&self.engine.db, self.connection).await.unwrap();
        let due = all.into_iter().find(|status| status.job == job.as_str()).unwrap().due_at;
        due.is_some_and(|due| due <= jiff::Timestamp::now() + jiff::SignedDuration::from_secs(300))
    }

    /// Remembers every exchange from now on.
    pub fn record_uploads(&self) {
        self.sandbox.calls().record_exchanges(20_000);
    }

    /// How often a journal was about to be sent; each time right after a look that showed no batch, and with what was to be
    /// sent stored before.
    pub async fn sendings_after_a_look(&self, journal: &Journal) -> i32 {
        let (mut sendings, mut begun) = (0, 0);
        for step in self.steps(journal).await.iter().filter(|step| step.state == "submitting") {
            if step.what.starts_with("its import begins: group ") {
                begun += 1 + step.repeats;
                continue;
            }
            let look = step.request.as_deref().unwrap_or_default();
            let answer = step.response.as_deref().unwrap_or_default();
            assert!(look.starts_with("GET journalBatches") && answer.starts_with("no batch"), "{step:?}");
            sendings += 1 + step.repeats;
        }
        assert_eq!(begun, sendings, "{journal:?}");
        sendings
    }

    /// How many uploads Oracle received, accepted or not. Every one must come after a look for a batch of its
    /// journal which itself came after the upload before.
    pub async fn uploads_after_a_look(&self) -> usize {
        let mut journal_of: BTreeMap<String, Uuid> = BTreeMap::new();
        for journal in self.journals().await {
            let kind = if journal.kind == "reversal" { Kind::Reversal } else { Kind::Posting };
            let (task, ordinal) = (TaskGid(journal.task_gid.clone()), journal.ordinal.unsigned_abs());
            for generation in 0..=GENERATIONS {
                let group = GroupId::derive(self.connection, &task, ordinal, kind, generation);
                journal_of.insert(group.to_string(), journal.journal_id);
            }
        }
        let journals = |text: &str| -> Vec<Uuid> {
            let words = text.split(|c: char| !c.is_ascii_digit());
            words.filter_map(|word| journal_of.get(word).copied()).collect()
        };
        let (mut uploads, mut looked) = (0, BTreeSet::new());
        for exchange in self.sandbox.calls().exchanges() {
            if exchange.target.contains("journalBatches") {
                looked.extend(journals(&exchange.target));
            } else if exchange.request_body.contains("importBulkData") {
                uploads += 1;
                let of = journals(&exchange.request_body);
                let of = of.first().unwrap_or_else(|| panic!("an upload of no journal: {exchange:?}"));
                assert!(looked.remove(of), "journal {of} was sent without a look");
            }
        }
        uploads
    }

    /// One number from the engine's database.
    pub async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(&self.engine.db).await.unwrap()
    }

    /// Lets seconds pass for the journals on their way, and makes due what waits.
    pub async fn pass(&self, seconds: i64) {
        let rows: Vec<(Uuid, String)> =
            sqlx::query_as("select journal_id, machine from journals where due_at is not null")
                .fetch_all(&self.engine.db)
                .await
                .unwrap();
        for (id, machine) in rows {
            let mut machine: serde_json::Value = serde_json::from_str(&machine).unwrap();
            age(&mut machine, jiff::SignedDuration::from_secs(seconds));
            sqlx::query("update journals set machine = $2 where journal_id = $1")
                .bind(id)
                .bind(machine.to_string())
                .execute(&self.engine.db)
                .await
                .unwrap();
        }
        self.sql("update journals set due_at = now() - interval '1 second' where due_at is not null").await;
        self.sql(
            "update completions set due_at = now() - interval '1 second'
             where due_at is not null and reopened_at is not null",
        )
        .await;
    }

    /// Lets an hour pass for held completions.
    pub async fn an_hour_later_for_completions(&self) {
        self.sql("update completions set due_at = due_at - interval '1 hour' where due_at is not null").await;
    }

    /// All journals, the oldest first.
    pub async fn journals(&self) -> Vec<Journal> {
        let mut found = journals::list(&self.engine.db, self.connection, None, None, i64::MAX).await.unwrap();
        found.reverse();
        found
    }

    /// The only journal.
    pub async fn journal(&self) -> Journal {
        let mut found = self.journals().await;
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }

    /// A journal's steps.
    pub async fn steps(&self, journal: &Journal) -> Vec<LoggedStep> {
        journals::steps(&self.engine.db, self.connection, journal.journal_id).await.unwrap()
    }

    /// All completions, by task and ordinal.
    pub async fn completions(&self) -> Vec<Completion> {
        let mut found = completions::list(&self.engine.db, self.connection, None, i64::MAX).await.unwrap();
        found.sort_by(|a, b| (&a.task_gid, a.ordinal).cmp(&(&b.task_gid, b.ordinal)));
        found
    }

    /// The only completion.
    pub async fn completion(&self) -> Completion {
        let mut found = self.completions().await;
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }

    /// Expects that what `journals show` tells of a task's newest completion gives a reason, and says what to do;
    /// `None` where nothing is to be done.
    pub async fn tells(&self, task: &str, reason: &str, advice: Option<&str>) {
        let connection = connections::load(&self.engine.db, self.connection).await.unwrap();
        let stories = story::find(&self.engine.db, &connection, task).await.unwrap();
        let newest = stories.iter().max_by_key(|told| told.completion.ordinal).unwrap();
        let of_journals = newest.journals.iter().filter_map(|told| told.journal.reason.as_deref());
        let reasons: Vec<&str> = newest.completion.reason.as_deref().into_iter().chain(of_journals).collect();
        assert!(reasons.iter().any(|told| told.contains(reason)), "no word of {reason:?}: {reasons:#?}");
        let of_journals =
            newest.journals.iter().flat_map(|told| told.advice.iter().chain(&told.import_codes));
        let remedies: Vec<&str> = newest.advice.iter().chain(of_journals).map(|told| told.remedy).collect();
        match advice {
            Some(advice) => {
                assert!(remedies.iter().any(|told| told.contains(advice)), "no {advice:?}: {remedies:#?}");
            }
            None => assert!(remedies.is_empty(), "{remedies:#?}"),
        }
    }

    /// Oracle's side.
    pub fn ledger(&self) -> Ledger {
        serde_json::from_str(&self.sandbox.oracle().ledger_json()).unwrap()
    }
}

/// Moves every instant in a stored machine into the past.
fn age(value: &mut serde_json::Value, by: jiff::SignedDuration) {
    match value {
        serde_json::Value::String(text) => {
            if let Ok(at) = text.parse::<jiff::Timestamp>() {
                *text = (at - by).to_string();
            }
        }
        serde_json::Value::Array(all) => all.iter_mut().for_each(|one| age(one, by)),
        serde_json::Value::Object(all) => all.values_mut().for_each(|one| age(one, by)),
        _ => {}
    }
}
