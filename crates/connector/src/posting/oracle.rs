//! One exchange with Oracle about a journal, translated into what the state machine understands.

use oracle_fusion::{
    BulkImport, DocumentAccount, Error as OracleError, FileName, Fusion, IMPORT_JOURNALS, JobClass,
    JobOptions, JobTree as Tree, JournalImportParameters, JournalSource, NotificationCode, Outcome,
    RequestId, Suspense as Post, ZipDocument, import_codes,
};

use crate::code::Code;
use crate::error::{Error, Result};
use crate::ids::{ConnectionId, TaskGid};
use crate::journal::machine::{JobTree, Log, Observation, ReadFailure, Refusal};
use crate::journal::settings::Suspense;
use crate::journal::{GroupId, JournalDocument, JournalPlan, JournalSettings, Kind};
use crate::posting::drive::Trouble;
use crate::posting::ledger::digits;
use crate::trouble;

/// What an exchange brought, with its words for the log.
#[derive(Debug)]
pub struct Exchange {
    /// What it means.
    pub seen: Observation,
    /// What was asked.
    pub request: String,
    /// What was answered.
    pub response: String,
    /// What it says of Oracle as a whole, when it failed.
    pub trouble: Option<Trouble>,
    /// Every request that was sent for it.
    pub exchanges: Vec<outbound::Exchange>,
}

impl Exchange {
    /// Nothing was asked.
    #[must_use]
    pub fn without(seen: Observation) -> Exchange {
        Exchange::of(seen, String::new(), String::new())
    }

    pub(super) fn of(seen: Observation, request: String, response: String) -> Exchange {
        Exchange { seen, request, response, trouble: None, exchanges: Vec::new() }
    }
}

/// Which journal the exchange is about.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// Whose.
    pub connection: ConnectionId,
    /// The completed task.
    pub task: &'a TaskGid,
    /// Which of its completions.
    pub ordinal: u32,
    /// Posting or reversal.
    pub kind: Kind,
}

impl About<'_> {
    /// The group id of a generation.
    #[must_use]
    pub fn group(&self, generation: u32) -> GroupId {
        GroupId::derive(self.connection, self.task, self.ordinal, self.kind, generation)
    }
}

/// The import request for a document, or why the settings do not make one. Ledger and source are those of the
/// rows, whatever the settings say by now: under others the import would find nothing.
pub fn import_of(
    document: &JournalDocument,
    plan: &JournalPlan,
    settings: &JournalSettings,
) -> Result<BulkImport> {
    let wrong = |e: oracle_fusion::BulkImportError| {
        Error::new(Code::SettingsInvalid, format!("the journal settings do not work: {e}")).because(e)
    };
    let group = oracle_fusion::GroupId::new(document.group.number()).map_err(wrong)?;
    let parameter = settings.source_parameter.as_deref().filter(|_| settings.source == plan.source);
    let source = JournalSource::new(parameter.unwrap_or(&plan.source)).map_err(wrong)?;
    let mut parameters = JournalImportParameters::new(source, digits(&plan.ledger_id)?, group);
    parameters.data_access_set = settings.data_access_set.as_deref().map(digits).transpose()?;
    parameters.suspense = match settings.suspense {
        Suspense::Off => Post::Refuse,
        Suspense::On => Post::Post,
    };
    let mut import = BulkImport::new(
        ZipDocument::new(document.zip.clone()).map_err(wrong)?,
        FileName::new(&document.file_name()).map_err(wrong)?,
        DocumentAccount::new(&settings.document_account).map_err(wrong)?,
        parameters,
    );
    import.job_name = oracle_fusion::JobName::new(&settings.job).map_err(wrong)?;
    import.job_options = JobOptions::new(&settings.job_options).map_err(wrong)?;
    let code: u8 = settings.notification_code.parse().unwrap_or_default();
    import.notification_code = NotificationCode::try_from(code).map_err(wrong)?;
    Ok(import)
}

/// The import as the log shows it: everything but the packed document, whose rows follow.
#[must_use]
pub fn import_words(import: &BulkImport, document: &JournalDocument) -> String {
    format!("{}\n\nGlInterface.csv\n{}", import_head(import), String::from_utf8_lossy(&document.csv))
}

/// The import as the log shows it, without its document.
#[must_use]
pub fn import_head(import: &BulkImport) -> String {
    format!(
        "POST erpintegrations importBulkData\nFileName: {}\nDocumentAccount: {}\nJobName: {}\nParameterList: {}\n\
         JobOptions: {}\nNotificationCode: {}",
        import.file_name.as_str(),
        import.document_account.as_str(),
        import.job_name.as_str(),
        import.parameters.parameter_list(),
        import.job_options.as_str(),
        import.notification_code,
    )
}

/// Sends the document, once.
pub async fn submit(fusion: &Fusion, import: &BulkImport, request: String) -> Exchange {
    match fusion.import_bulk_data(import).await {
        Ok(submission) => {
            let seen = match submission.outcome {
                Outcome::Scheduled(id) => Observation::Accepted { request_id: id.to_string() },
                Outcome::NotScheduled => Observation::NotScheduled,
            };
            Exchange::of(seen, request, submission.answer)
        }
        Err(error) => {
            let words = error.to_string();
            let seen = refused(&error, &words);
            Exchange { trouble: Some(trouble_of(&error)), ..Exchange::of(seen, request, words) }
        }
    }
}

fn refused(error: &OracleError, words: &str) -> Observation {
    let words = words.to_owned();
    // the door in front of the pod says that there is nobody behind it
    if let OracleError::Maintenance { announced: true, .. } = error {
        return Observation::Refused(Refusal::Maintenance);
    }
    if error.may_have_happened() {
        return Observation::MayHaveHappened { words };
    }
    Observation::Refused(match error {
        OracleError::TooManyRequests { retry_after, .. } => Refusal::Busy { retry_after: *retry_after },
        OracleError::Token(token) if token.is_transient() => Refusal::Unreachable { words },
        OracleError::Unauthorized(_) | OracleError::Token(_) => Refusal::Unauthorized { words },
        OracleError::Unreachable { .. } | OracleError::TimedOut { .. } => Refusal::Unreachable { words },
        _ => Refusal::Permanent { words },
    })
}

/// Looks at a request's job tree.
pub async fn follow(fusion: &Fusion, request_id: &str) -> Exchange {
    let request = format!("GET erpintegrations ESSExecutionDetailsRF requestId={request_id}");
    let Ok(id) = request_id.parse::<RequestId>() else {
        let seen = Observation::Job(JobTree::NotVisible);
        return Exchange::of(seen, request, "the request id cannot be asked for".to_owned());
    };
    match fusion.job_tree(id).await {
        Ok(tree) => Exchange::of(Observation::Job(judge(&tree)), request, words(&tree)),
        Err(error) => read_failed(&error, request),
    }
}

/// What a tree says. The import job decides; without one, the whole tree.
fn judge(tree: &Tree) -> JobTree {
    if tree.all().is_empty() {
        return JobTree::NotVisible;
    }
    if let Some(import) = tree.find_import(IMPORT_JOURNALS) {
        return match import.status.class() {
            JobClass::Succeeded => JobTree::ImportSucceeded,
            JobClass::LookCloser => JobTree::ImportWarning,
            JobClass::Failed => JobTree::ImportFailed,
            JobClass::InProgress | JobClass::Unknown => JobTree::ImportRunning,
        };
    }
    match tree.class() {
        JobClass::InProgress | JobClass::Unknown => JobTree::Running,
        JobClass::Failed => JobTree::LoadFailed,
        JobClass::Succeeded | JobClass::LookCloser => JobTree::NoImportJob,
    }
}

fn words(tree: &Tree) -> String {
    let jobs = tree.all().into_iter().map(|job| {
        let id = job.request_id.map_or_else(String::new, |id| format!(" {id}"));
        format!("{}{id}: {}", job.name.as_deref().unwrap_or("?"), job.status.as_str())
    });
    let jobs: Vec<String> = jobs.collect();
    if jobs.is_empty() { "no job".to_owned() } else { jobs.join("; ") }
}

/// Reads a request's logs for the codes in them.
pub async fn read_log(fusion: &Fusion, request_id: &str) -> Exchange {
    let request = format!("POST erpintegrations downloadESSJobExecutionDetails ReqstId={request_id}");
    let Ok(id) = request_id.parse::<RequestId>() else {
        let response = "the request id cannot be asked for".to_owned();
        return Exchange::of(Observation::Log(Log::Unreadable), request, response);
    };
    match fusion.job_details(id).await {
        Ok(entries) if entries.is_empty() => {
            let response = "no log".to_owned();
            Exchange::of(Observation::Log(Log::Unreadable), request, response)
        }
        Ok(entries) => {
            let codes = import_codes(&entries);
            let text = entries.iter().map(|e| format!("--- {}\n{}", e.name, e.text));
            let response = text.collect::<Vec<_>>().join("\n");
            Exchange::of(Observation::Log(Log::Codes(codes)), request, response)
        }
        Err(error) if error.is_transient() => read_failed(&error, request),
        Err(error) => {
            let response = error.to_string();
            Exchange::of(Observation::Log(Log::Unreadable), request, response)
        }
    }
}

pub(super) fn read_failed(error: &OracleError, request: String) -> Exchange {
    let failure = match error {
        OracleError::Maintenance { announced: true, .. } => ReadFailure::Maintenance,
        _ => ReadFailure::Other { retry_after: error.retry_after() },
    };
    let seen = Observation::ReadFailed(failure);
    Exchange { trouble: Some(trouble_of(error)), ..Exchange::of(seen, request, error.to_string()) }
}

fn trouble_of(error: &OracleError) -> Trouble {
    Trouble { code: trouble::oracle_code(error), retry_after: error.retry_after() }
}
