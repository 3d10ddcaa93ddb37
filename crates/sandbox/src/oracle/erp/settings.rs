//! Switches of `erpintegrations` and of the jobs behind it.

use serde::{Deserialize, Serialize};

/// How jobs run, what is refused, and in which form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ErpSettings {
    /// How long each phase of a job takes.
    pub phases: Phases,
    /// What becomes of jobs submitted from now on; by default what their data make of them.
    pub outcome: Option<Outcome>,
    /// Whether the user may run the jobs; without it the answer is `ReqstId` -1.
    pub job_privilege: bool,
    /// The HTTP status of an answer with `ReqstId` -1; both are seen.
    pub refused_with: RefusedWith,
    /// The form of `ReqstId`.
    pub request_ids: RequestIds,
    /// UCM accounts that the user may write to; a `$` at the end of a part does not count.
    pub document_accounts: Vec<String>,
    /// What a file for another account leads to; unknown for real pods.
    pub unknown_account: UnknownAccount,
    /// Whether logs can be had only where `JobOptions` says `ExtractFileType`.
    pub logs_need_extract_option: bool,
    /// The jobs below an import.
    pub import_tree: ImportTree,
    /// How an import ends whose rows were rejected.
    pub rejected_status: RejectedStatus,
    /// How an import ends that found no rows.
    pub nothing_to_import: NothingToImport,
    /// Whether the load job ends with the worst status of its children.
    pub parent_follows_children: bool,
    /// Whether jobs below a submitted one have a status of their own by `requestId`; otherwise it is empty, as
    /// for every job that was not submitted through the service.
    pub children_visible: bool,
}

impl Default for ErpSettings {
    fn default() -> Self {
        Self {
            phases: Phases::default(),
            outcome: None,
            job_privilege: true,
            refused_with: RefusedWith::Created,
            request_ids: RequestIds::ByVersion,
            document_accounts: vec!["fin/generalLedger/import".to_owned(), "fin/journal/import".to_owned()],
            unknown_account: UnknownAccount::NotScheduled,
            logs_need_extract_option: true,
            import_tree: ImportTree::WithChild,
            rejected_status: RejectedStatus::Error,
            nothing_to_import: NothingToImport::Warning,
            parent_follows_children: false,
            children_visible: false,
        }
    }
}

/// Lengths of a job's phases in virtual milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Phases {
    /// `WAIT`
    pub wait_ms: i64,
    /// `RUNNING`
    pub run_ms: i64,
    /// `PAUSED` while the file is loaded; the rows are in the interface at its end.
    pub load_ms: i64,
    /// `PAUSED` while the journals are imported; the batches exist at its end.
    pub import_ms: i64,
}

impl Default for Phases {
    fn default() -> Self {
        Self { wait_ms: 250, run_ms: 250, load_ms: 250, import_ms: 250 }
    }
}

impl Phases {
    /// A job has ended when its submission is answered.
    pub const INSTANT: Self = Self { wait_ms: 0, run_ms: 0, load_ms: 0, import_ms: 0 };
}

/// What a job comes to, whatever its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Everything is done as usual, but load job and import end with `WARNING`.
    Warning,
    /// The load job ends with `ERROR`; nothing is loaded.
    Error,
    /// The load job ends with `EXPIRED` before it runs.
    Expired,
    /// The file is loaded and the load job succeeds, but Import Journals ends with `ERROR` before it looks at a
    /// row: the rows stay `NEW`.
    ImportError,
    /// The file is loaded; the load job stays `PAUSED` and the import `RUNNING` for ever.
    Stuck,
    /// The file is loaded and the load job succeeds, but no import ever appears.
    ImportMissing,
}

/// HTTP status of a refusal with `ReqstId` -1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusedWith {
    /// 201
    #[default]
    Created,
    /// 200
    Ok,
}

/// The form of `ReqstId`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestIds {
    /// A string from framework version 9, a number before.
    #[default]
    ByVersion,
    /// Always a string.
    Text,
    /// Always a number.
    Number,
}

/// What a file for a UCM account without access leads to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownAccount {
    /// `ReqstId` -1.
    #[default]
    NotScheduled,
    /// 400.
    BadRequest,
    /// A job whose load ends with `ERROR`.
    LoadFails,
}

/// The jobs below an import, all of which are seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportTree {
    /// `Import Journals` has a child, `Import Journals: Child`, whose id stands in the batch's name; both show the
    /// import's status.
    #[default]
    WithChild,
    /// As before, but `Import Journals` succeeds and only its child tells of a rejection.
    ChildTells,
    /// `Import Journals` alone, with its own id in the batch's name.
    Single,
}

/// How an import with rejected rows ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectedStatus {
    /// `ERROR`
    #[default]
    Error,
    /// `WARNING`
    Warning,
}

/// How an import without rows ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NothingToImport {
    /// `WARNING`
    #[default]
    Warning,
    /// `ERROR`
    Error,
    /// `SUCCEEDED`
    Succeeded,
}
