//! Bulk import, jobs and the General Ledger.

mod bulk;
mod callbacks;
mod changes;
mod codes;
mod conversion;
mod faulty;
mod groups;
mod jobs;
mod logs;
mod pages;
mod read_back;
mod reference;

use std::io::{Cursor, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sandbox::oracle::edits::Edit;
use sandbox::oracle::settings::Phases;
use sandbox::oracle::{LedgerFacts, OracleSettings};
use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::pod::{Answer, Pod, ROOT, orders};

/// The present of the virtual clock: July is open, August may be entered.
pub const NOW: &str = "2026-07-15T12:00:00Z";
/// Columns of the file.
pub const COLUMNS: usize = 149;
const GROUP_ID: usize = 66;

/// One row of the file.
#[derive(Clone, Debug)]
pub struct Line(Vec<String>);

impl Line {
    /// A line of the primary ledger in its currency; empty amounts are left blank.
    pub fn new(facts: &LedgerFacts, account: &str, debit: &str, credit: &str) -> Self {
        let mut cells = vec![String::new(); COLUMNS];
        let ledger = facts.ledger_id.to_string();
        let fixed = [
            (0, "NEW"),
            (1, ledger.as_str()),
            (2, "2026/07/15"),
            (3, facts.source.as_str()),
            (4, facts.category.as_str()),
            (5, facts.currency.as_str()),
            (6, "2026/07/15"),
            (7, "A"),
            (38, debit),
            (39, credit),
            (42, "Costs"),
            (43, "Costs of a project"),
            (45, "Task"),
            (46, "A task was completed"),
            (51, "Work"),
        ];
        for (at, text) in fixed {
            cells[at] = text.to_owned();
        }
        for (at, segment) in account.split(facts.delimiter).enumerate() {
            cells[8 + at] = segment.to_owned();
        }
        Self(cells)
    }

    /// Another value in a column, counted from 0.
    pub fn with(mut self, column: usize, text: &str) -> Self {
        self.0[column] = text.to_owned();
        self
    }

    /// In another currency.
    pub fn converted(self, currency: &str, kind: &str, date: &str, rate: &str) -> Self {
        self.with(5, currency).with(63, kind).with(64, date).with(65, rate)
    }
}

pub fn csv_of(lines: &[Line]) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    for line in lines {
        writer.write_record(&line.0).unwrap();
    }
    writer.into_inner().unwrap()
}

pub fn archive(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file(name, SimpleFileOptions::default()).unwrap();
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap().into_inner()
}

/// A pod with a clock that stands still, for journals.
pub struct Books {
    pub pod: Pod,
    pub facts: LedgerFacts,
}

impl Books {
    /// Jobs take no time.
    pub async fn open() -> Self {
        Self::with(|settings| settings.erp.phases = Phases::INSTANT).await
    }

    pub async fn with(change: impl FnOnce(&mut OracleSettings)) -> Self {
        // Tests move the clock by months.
        let mut settings =
            OracleSettings { token_lifetime_seconds: 1_000_000_000, ..OracleSettings::default() };
        change(&mut settings);
        let pod = Pod::start_with(orders(0), settings).await;
        pod.sandbox.clock().freeze(NOW.parse().unwrap());
        let token = pod.new_token().await;
        let pod = Pod { token, ..pod };
        pod.sandbox.oracle().apply(Edit::CreateAccount { account: CHARGE.to_owned() }).unwrap();
        let facts = pod.sandbox.oracle().ledger_facts();
        Self { pod, facts }
    }

    pub fn change_settings(&self, change: impl FnOnce(&mut OracleSettings)) {
        self.pod.sandbox.oracle().change_settings(change);
    }

    pub fn apply(&self, edit: Edit) {
        self.pod.sandbox.oracle().apply(edit).unwrap();
    }

    pub fn advance(&self, ms: i64) {
        self.pod.sandbox.clock().advance(jiff::SignedDuration::from_millis(ms));
    }

    /// A debit on the charge account.
    pub fn debit(&self, amount: &str) -> Line {
        Line::new(&self.facts, CHARGE, amount, "")
    }

    /// A credit on the clearing account.
    pub fn credit(&self, amount: &str) -> Line {
        Line::new(&self.facts, &self.facts.clearing_account, "", amount)
    }

    /// A journal in balance.
    pub fn pair(&self, amount: &str) -> [Line; 2] {
        [self.debit(amount), self.credit(amount)]
    }

    /// Parameters of the import for a group.
    pub fn parameters(&self, group: &str) -> String {
        let LedgerFacts { data_access_set_id, source, ledger_id, .. } = &self.facts;
        format!("{data_access_set_id},{source},{ledger_id},{group},N,N,N")
    }

    /// Attributes of an import.
    pub fn request(&self, content: &[u8], group: &str) -> Value {
        json!({
            "OperationName": "importBulkData",
            "DocumentContent": STANDARD.encode(content),
            "ContentType": "zip",
            "FileName": "GlInterface.zip",
            "DocumentAccount": self.facts.document_account,
            "JobName": self.facts.job_name,
            "ParameterList": self.parameters(group),
            "CallbackURL": "#NULL",
            "NotificationCode": "10",
            "JobOptions": "ExtractFileType=ALL",
        })
    }

    /// Attributes of an import of these lines in a group.
    pub fn journal(&self, group: i64, lines: &[Line]) -> Value {
        let id = group.to_string();
        let lines: Vec<Line> = lines.iter().map(|line| line.clone().with(GROUP_ID, &id)).collect();
        self.request(&archive("GlInterface.csv", &csv_of(&lines)), &id)
    }

    /// A request with a body of any type.
    pub fn sending(&self, token: &str, media_type: &str, body: String) -> reqwest::RequestBuilder {
        self.pod
            .http
            .post(format!("{}{ROOT}/erpintegrations", self.pod.sandbox.oracle_url()))
            .bearer_auth(token)
            .header("Content-Type", media_type)
            .body(body)
    }

    pub fn posting(&self, version: u8, body: &Value) -> reqwest::RequestBuilder {
        let request = self.sending(&self.pod.token, "application/json", body.to_string());
        request.header("REST-Framework-Version", version.to_string())
    }

    pub async fn post(&self, version: u8, body: &Value) -> Answer {
        self.pod.send(self.posting(version, body)).await
    }

    /// Sends an operation that must be taken; the id of its job.
    pub async fn submit(&self, body: &Value) -> i64 {
        let answer = self.post(4, body).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.json()["ReqstId"].as_i64().unwrap()
    }

    /// Imports lines in a group; the id of the job.
    pub async fn import(&self, group: i64, lines: &[Line]) -> i64 {
        self.submit(&self.journal(group, lines)).await
    }

    /// `RequestStatus` that a finder shows.
    pub async fn finder(&self, name: &str, request: i64) -> String {
        let finder = format!("{name};requestId={request}");
        let page = self.pod.page(4, "erpintegrations", &[("finder", &finder)]).await;
        assert_eq!(page["count"], 1);
        page["items"][0]["RequestStatus"].as_str().unwrap().to_owned()
    }

    pub async fn status(&self, request: i64) -> String {
        self.finder("ESSJobStatusRF", request).await
    }

    /// The jobs of a tree, as name and status.
    pub async fn tree(&self, request: i64) -> Vec<(String, String)> {
        let text = self.finder("ESSExecutionDetailsRF", request).await;
        let parsed: Value = serde_json::from_str(&text).unwrap();
        let mut jobs = Vec::new();
        walk(&parsed["JOBS"], &mut jobs);
        jobs
    }

    /// The ledger's state.
    pub fn ledger(&self) -> Value {
        serde_json::from_str(&self.pod.sandbox.oracle().ledger_json()).unwrap()
    }

    pub fn batches(&self) -> Vec<Value> {
        self.ledger()["batches"].as_array().unwrap().clone()
    }

    /// Statuses of the rows in the interface.
    pub fn left(&self) -> Vec<String> {
        let rows = self.ledger()["interface"].clone();
        rows.as_array().unwrap().iter().map(|row| row["status"].as_str().unwrap().to_owned()).collect()
    }
}

/// An account that orders are charged to.
pub const CHARGE: &str = "101.10.60540.110.000.000";

pub fn walk(job: &Value, into: &mut Vec<(String, String)>) {
    let text = |name: &str| job[name].as_str().unwrap().to_owned();
    into.push((text("JOBNAME"), text("STATUS")));
    for child in job["CHILD"].as_array().into_iter().flatten() {
        walk(child, into);
    }
}
