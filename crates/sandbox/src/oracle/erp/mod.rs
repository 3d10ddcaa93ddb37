//! `erpintegrations`: files for bulk import, jobs, and what becomes of them.
//!
//! This is the only way in which a journal gets into the ledger. A submission is never compared with one before:
//! the same file twice is loaded twice and imported twice.

mod archive;
mod callback;
mod job;
mod log;
mod parameters;
mod request;
mod route;
pub(crate) mod schema;
pub mod settings;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::ledger::seed::{DATA_ACCESS_SET, ledger};
use super::ledger::settings::{Balance, DataAccessSet};
use super::ledger::{Group, Imported, Ledger, Order, instant};
use super::settings::OracleSettings;
pub(super) use callback::{Callbacks, deliver};
use job::{IDS_PER_REQUEST, ImportRun, Request, Stage, Status, Work};
use request::BulkImport;
use settings::{ErpSettings, NothingToImport, Outcome, RejectedStatus};

/// `DocumentAccount` of journal files.
pub(crate) const DOCUMENT_ACCOUNT: &str = "fin$/generalLedger$/import$";
/// Path of the General Ledger's jobs.
const PACKAGE: &str = "/oracle/apps/ess/financials/generalLedger/programs/common";
/// `JobName` of the journal import.
pub(crate) const JOURNAL_IMPORT: &str =
    "/oracle/apps/ess/financials/generalLedger/programs/common,JournalImportLauncher";
/// Id of the General Ledger's interface in `InterfaceDetails`.
const JOURNAL_INTERFACE: &str = "15";
/// First id of a request; ids of real pods have as many digits.
const FIRST_REQUEST: i64 = 603_547;

/// All jobs that were submitted.
#[derive(Debug)]
pub(crate) struct Erp {
    requests: BTreeMap<i64, Request>,
    next: i64,
    /// How often a file with rows of the group was accepted for import.
    submissions: BTreeMap<i64, u64>,
    /// Requests whose callback has not been taken up.
    callbacks: Vec<(i64, String)>,
}

impl Erp {
    pub(crate) fn new() -> Self {
        Self {
            requests: BTreeMap::new(),
            next: FIRST_REQUEST,
            submissions: BTreeMap::new(),
            callbacks: Vec::new(),
        }
    }

    pub(crate) fn submissions_of(&self, group: i64) -> u64 {
        self.submissions.get(&group).copied().unwrap_or_default()
    }

    /// The earliest end of a phase, with its request.
    fn next_due(&self) -> Option<(i64, i64)> {
        self.requests.values().filter_map(|request| request.due.map(|due| (due, request.id))).min()
    }

    /// Whether nothing is due at `now`.
    pub(crate) fn is_settled(&self, now: i64) -> bool {
        self.next_due().is_none_or(|(due, _)| due > now)
    }

    /// Does everything that is due at `now`, in the order in which it fell due.
    pub(crate) fn settle(&mut self, now: i64, ledger: &mut Ledger, settings: &OracleSettings) {
        while let Some((due, id)) = self.next_due().filter(|(due, _)| *due <= now) {
            ledger.turn_to(due);
            if let Some(request) = self.requests.get_mut(&id) {
                request.step(due, ledger, settings);
            }
        }
        ledger.turn_to(now);
    }

    /// Takes a file for import; the id of the load job.
    fn import(
        &mut self,
        import: BulkImport,
        refused: Option<String>,
        settings: &ErpSettings,
        now: i64,
    ) -> i64 {
        let rows = match (refused, import.interface.as_deref()) {
            (Some(reason), _) => Err(reason),
            (None, Some(other)) if other != JOURNAL_INTERFACE => {
                Err(format!("InterfaceDetails {other} is not the General Ledger's interface"))
            }
            (None, _) => archive::journal_rows(&import.content),
        };
        let mut groups: BTreeSet<i64> = rows.iter().flatten().filter_map(|row| row.group).collect();
        let parameters = parameters::read(&import.parameters);
        if groups.is_empty() {
            groups.extend(parameter_group(&parameters));
        }
        for group in &groups {
            *self.submissions.entry(*group).or_default() += 1;
        }
        let id = self.submit(Work::Load(rows), import.parameters, import.extracts_files, settings, now);
        if let Some(request) = self.requests.get_mut(&id) {
            request.groups = groups.into_iter().collect();
            request.callback.clone_from(&import.callback);
        }
        self.callbacks.extend(import.callback.map(|url| (id, url)));
        id
    }

    /// Schedules a job.
    fn submit(
        &mut self,
        work: Work,
        parameter_list: String,
        extracts_files: bool,
        settings: &ErpSettings,
        now: i64,
    ) -> i64 {
        let id = self.next;
        self.next += IDS_PER_REQUEST;
        let parameters = parameters::read(&parameter_list);
        let request = Request {
            id,
            work,
            submitted: now,
            stage: Stage::Waiting,
            due: Some(now + settings.phases.wait_ms),
            phases: settings.phases,
            outcome: settings.outcome,
            groups: parameter_group(&parameters).into_iter().collect(),
            parameter_list,
            parameters,
            has_logs: extracts_files || !settings.logs_need_extract_option,
            callback: None,
            tree: settings.import_tree,
            loaded: None,
            import: None,
        };
        self.requests.insert(id, request);
        id
    }

    /// The request whose tree has a job with this id.
    fn request_of(&self, id: i64) -> Option<&Request> {
        let (_, request) = self.requests.range(..=id).next_back()?;
        request.tree().flat().iter().any(|job| job.id == id).then_some(request)
    }

    /// The callbacks that nobody has taken up yet.
    pub(super) fn take_callbacks(&mut self) -> Vec<(i64, String)> {
        std::mem::take(&mut self.callbacks)
    }

    /// What the callback of a request is sent, once it has ended.
    pub(super) fn callback_payload(&self, id: i64) -> Option<Value> {
        self.requests.get(&id)?.callback_payload()
    }

    /// `requests` and `submissions`, as [`crate::Oracle::ledger_json`] describes them.
    pub(super) fn json(&self) -> (Value, Value) {
        let request = |request: &Request| {
            let jobs = request.tree();
            let job =
                |job: &&job::Job| json!({ "id": job.id, "name": job.name, "status": job.status.text() });
            json!({
                "id": request.id,
                "operation": match request.work {
                    Work::Load(_) => "importBulkData",
                    Work::Import | Work::Post => "submitESSJobRequest",
                },
                "submitted": instant(request.submitted),
                "status": request.status().text(),
                "groups": request.groups,
                "parameters": request.parameter_list,
                "callback": request.callback,
                "jobs": jobs.flat().iter().map(job).collect::<Vec<_>>(),
            })
        };
        let submissions: BTreeMap<String, u64> =
            self.submissions.iter().map(|(group, count)| (group.to_string(), *count)).collect();
        (self.requests.values().map(request).collect(), json!(submissions))
    }
}

/// The group that the parameters name, if it is one.
fn parameter_group(parameters: &Result<parameters::ImportParameters, String>) -> Option<i64> {
    parameters.as_ref().ok()?.group.as_ref()?.parse().ok()
}

impl Request {
    /// Ends the phase that is due.
    fn step(&mut self, at: i64, ledger: &mut Ledger, settings: &OracleSettings) {
        match (self.stage, self.outcome) {
            (Stage::Waiting, Some(Outcome::Expired)) => self.end(Status::Expired),
            (Stage::Waiting, _) => self.enter(Stage::Running, at, self.phases.run_ms),
            (Stage::Running, outcome) => match self.work {
                Work::Load(_) => self.enter(Stage::Loading, at, self.phases.load_ms),
                Work::Import if outcome == Some(Outcome::ImportMissing) => self.end(Status::Succeeded),
                Work::Import => self.enter_import(at),
                Work::Post => self.end(Status::Succeeded),
            },
            (Stage::Loading, _) => self.load(at, ledger),
            (Stage::Importing, _) => self.import(at, ledger, settings),
            (Stage::Ended(_), _) => self.due = None,
        }
    }

    fn enter(&mut self, stage: Stage, at: i64, length: i64) {
        self.stage = stage;
        self.due = Some(at + length);
    }

    fn enter_import(&mut self, at: i64) {
        self.enter(Stage::Importing, at, self.phases.import_ms);
        if self.outcome == Some(Outcome::Stuck) {
            self.due = None;
        }
    }

    fn end(&mut self, status: Status) {
        self.stage = Stage::Ended(status);
        self.due = None;
    }

    fn load(&mut self, at: i64, ledger: &mut Ledger) {
        let rows = match &mut self.work {
            Work::Load(rows) => std::mem::replace(rows, Ok(Vec::new())),
            Work::Import | Work::Post => Ok(Vec::new()),
        };
        let rows = match self.outcome {
            Some(Outcome::Error) => Err("the loader ended with an error".to_owned()),
            _ => rows,
        };
        self.loaded = Some(rows.as_ref().map(Vec::len).map_err(Clone::clone));
        match (rows, self.outcome) {
            (Err(_), _) => self.end(Status::Error),
            (Ok(rows), outcome) => {
                ledger.load(rows, self.id);
                if outcome == Some(Outcome::ImportMissing) {
                    self.end(Status::Succeeded);
                } else {
                    self.enter_import(at);
                }
            }
        }
    }

    fn import(&mut self, at: i64, ledger: &mut Ledger, settings: &OracleSettings) {
        let result = match self.outcome {
            Some(Outcome::ImportError | Outcome::Error) => Err("The process ended with an error.".to_owned()),
            _ => self.order(at, ledger, settings).map(|order| ledger.import(&order)),
        };
        let erp = &settings.erp;
        let status = match &result {
            Err(_) => Status::Error,
            Ok(imported) => status_of(imported, erp),
        };
        let status =
            if self.outcome == Some(Outcome::Warning) { status.worse(Status::Warning) } else { status };
        self.import = Some(ImportRun { status, result });
        let root = match (&self.work, self.outcome) {
            (Work::Load(_), Some(Outcome::Warning)) => Status::Warning,
            (Work::Load(_), _) if erp.parent_follows_children => status,
            (Work::Load(_), _) => Status::Succeeded,
            _ => status,
        };
        self.end(root);
    }

    /// What the parameters ask for.
    fn order(&self, now: i64, ledger: &Ledger, settings: &OracleSettings) -> Result<Order, String> {
        let given = self.parameters.as_ref().map_err(|reason| format!("Invalid parameters: {reason}."))?;
        match given.data_access_set.as_deref() {
            None if settings.ledger.data_access_set == DataAccessSet::Required => {
                return Err("Invalid parameters: the data access set is missing.".to_owned());
            }
            Some(id) if id.parse() != Ok(DATA_ACCESS_SET) => {
                return Err(format!("Invalid parameters: there is no data access set {id}."));
            }
            _ => {}
        }
        let source = given.source.as_deref().unwrap_or_default();
        let source = ledger
            .source(source)
            .ok_or_else(|| format!("Invalid parameters: there is no journal source {source}."))?;
        let id = given.ledger.as_deref().unwrap_or_default();
        let ledger = id.parse().ok().and_then(self::ledger);
        let ledger = ledger.ok_or_else(|| format!("Invalid parameters: there is no ledger {id}."))?;
        let group = match given.group.as_deref() {
            Some("ALL") => Group::All,
            Some(id) => Group::One(id.parse().map_err(|_| format!("Invalid parameters: {id} is no group."))?),
            None => return Err("Invalid parameters: the group is missing.".to_owned()),
        };
        Ok(Order {
            source: source.to_owned(),
            ledger,
            group,
            to_suspense: given.to_suspense,
            per_segment: settings.ledger.balance == Balance::PerSegment,
            process: self.process_id(),
            now,
        })
    }
}

fn status_of(imported: &Imported, settings: &ErpSettings) -> Status {
    if imported.rejected > 0 {
        return match settings.rejected_status {
            RejectedStatus::Error => Status::Error,
            RejectedStatus::Warning => Status::Warning,
        };
    }
    match settings.nothing_to_import {
        _ if imported.rows > 0 => Status::Succeeded,
        NothingToImport::Warning => Status::Warning,
        NothingToImport::Error => Status::Error,
        NothingToImport::Succeeded => Status::Succeeded,
    }
}
