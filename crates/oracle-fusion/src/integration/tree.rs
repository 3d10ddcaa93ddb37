//! The tree of jobs that an import consists of.
//!
//! The job that loads the file can succeed while the import of the journals, below or beside it, fails; so the
//! whole tree is read, not the first status.

use serde_json::value::RawValue;

use super::operation::INTEGRATIONS;
use super::status::{JobClass, JobStatus};
use super::submission::RequestId;
use crate::error::Error;
use crate::object::Members;

/// The name of the job that makes the journals. It may differ in a pod of another language.
pub const IMPORT_JOURNALS: &str = "Import Journals";

/// The largest text of a tree, in bytes. A tree has about ten jobs of some hundred bytes each.
const MAX_BYTES: usize = 1 << 20;
/// The most jobs of a tree.
const MAX_JOBS: usize = 1_000;
/// The deepest tree.
const MAX_DEPTH: usize = 32;
/// The longest name of a job that is kept, in characters.
const MAX_NAME: usize = 240;

/// One job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// `JOBNAME`.
    pub name: Option<String>,
    /// `REQUESTID`.
    pub request_id: Option<RequestId>,
    /// `STATUS`.
    pub status: JobStatus,
    /// `CHILD`: the jobs that it started.
    pub children: Vec<Job>,
}

/// A tree of jobs. An empty one says nothing yet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JobTree {
    /// The jobs at the top.
    pub jobs: Vec<Job>,
    /// `SUMMARYSTATUS`, which only a callback carries.
    pub summary: Option<JobStatus>,
}

/// Why a tree cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JobTreeError {
    /// The text is cut off.
    #[error("the jobs are cut off")]
    CutOff,
    /// The text is not JSON, or something else than jobs.
    #[error("the text is not a tree of jobs")]
    NotJobs,
    /// The text is larger than 1 MiB, or holds more than 1,000 jobs, or more than 32 levels.
    #[error("the tree of jobs is larger than {MAX_BYTES} bytes, {MAX_JOBS} jobs or {MAX_DEPTH} levels")]
    TooLarge,
}

impl JobTree {
    /// All jobs, each before its children.
    #[must_use]
    pub fn all(&self) -> Vec<&Job> {
        let mut found = Vec::new();
        let mut waiting: Vec<&Job> = self.jobs.iter().rev().collect();
        while let Some(job) = waiting.pop() {
            found.push(job);
            waiting.extend(job.children.iter().rev());
        }
        found
    }

    /// What is to be said of the whole: the worst that is said of any job ([`JobClass::worse`]). A tree without
    /// jobs is in progress.
    #[must_use]
    pub fn class(&self) -> JobClass {
        let jobs = self.all().into_iter().map(|job| &job.status).chain(&self.summary);
        jobs.map(JobStatus::class).reduce(JobClass::worse).unwrap_or(JobClass::InProgress)
    }

    /// The job that makes the journals, wherever it stands: the one with that name in any case, or with that name
    /// and a colon after it, since *Import Journals* may leave the work to a child named *Import Journals: Child*
    /// and succeed although that ended with a warning. Of several the one that decides ([`JobClass::worse`]).
    ///
    /// `None` is no proof that no import was started: on some pods it runs as a request of its own, which this
    /// tree does not show. The journal batches tell.
    #[must_use]
    pub fn find_import(&self, name: &str) -> Option<&Job> {
        let jobs = self.all().into_iter().filter(|job| job.is_named(name));
        jobs.reduce(|one, other| {
            let worse = one.status.class().worse(other.status.class());
            if worse == other.status.class() { other } else { one }
        })
    }
}

impl Job {
    fn is_named(&self, wanted: &str) -> bool {
        let wanted = wanted.trim().to_lowercase();
        if wanted.is_empty() {
            return false;
        }
        let name = self.name.as_deref().unwrap_or_default().trim().to_lowercase();
        name.strip_prefix(&wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    }
}

/// Reads what the pod sends to a callback address. It is a hint to look and nothing more: nobody is
/// authenticated by it, so nothing may be concluded from what it says.
///
/// # Errors
/// [`JobTreeError`].
pub fn parse_callback(body: &[u8]) -> Result<JobTree, JobTreeError> {
    if body.len() > MAX_BYTES {
        return Err(JobTreeError::TooLarge);
    }
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches('\u{feff}').trim();
    if !text.starts_with('<') {
        return read(text);
    }
    // older pods wrap the same text in a SOAP message
    let inner = text.find('{').zip(text.rfind('}')).filter(|(start, end)| start < end);
    let inner = inner.and_then(|(start, end)| text.get(start..=end));
    read(&unescaped(inner.ok_or(JobTreeError::NotJobs)?))
}

fn unescaped(xml: &str) -> String {
    let marks =
        [("&quot;", "\""), ("&#34;", "\""), ("&apos;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
    marks.into_iter().fold(xml.to_owned(), |text, (mark, letter)| text.replace(mark, letter))
}

/// Reads the text of a tree.
fn read(text: &str) -> Result<JobTree, JobTreeError> {
    if text.len() > MAX_BYTES {
        return Err(JobTreeError::TooLarge);
    }
    let mut left = MAX_JOBS;
    if text.starts_with('[') {
        return Ok(JobTree { jobs: jobs(text, MAX_DEPTH, &mut left)?, summary: None });
    }
    let members = Members::of(text).map_err(broken)?;
    let Some(inner) = members.0.iter().find(|(name, _)| name.eq_ignore_ascii_case("JOBS")) else {
        return Err(JobTreeError::NotJobs);
    };
    let jobs = jobs(inner.1.get(), MAX_DEPTH, &mut left)?;
    Ok(JobTree { jobs, summary: members.text("SUMMARYSTATUS").map(|status| JobStatus::new(&status)) })
}

/// One job, several, or none: anything that is neither an object nor an array.
fn jobs(text: &str, levels: usize, left: &mut usize) -> Result<Vec<Job>, JobTreeError> {
    match text.as_bytes().first() {
        Some(b'{') => Ok(vec![job(text, levels, left)?]),
        Some(b'[') => {
            let rows: Vec<&RawValue> = serde_json::from_str(text).map_err(broken)?;
            let rows = rows.iter().map(|row| row.get()).filter(|row| row.starts_with('{'));
            rows.map(|row| job(row, levels, left)).collect()
        }
        _ => Ok(Vec::new()),
    }
}

fn job(text: &str, levels: usize, left: &mut usize) -> Result<Job, JobTreeError> {
    *left = left.checked_sub(1).ok_or(JobTreeError::TooLarge)?;
    let levels = levels.checked_sub(1).ok_or(JobTreeError::TooLarge)?;
    let members = Members::of(text).map_err(broken)?;
    let name = members.text("JOBNAME").map(|name| name.chars().take(MAX_NAME).collect());
    let request_id = members.text("REQUESTID").and_then(|id| id.trim().parse().ok());
    let status = JobStatus::new(&members.text("STATUS").unwrap_or_default());
    let children = match members.get("CHILD") {
        Some(child) => jobs(child.get(), levels, left)?,
        None => Vec::new(),
    };
    Ok(Job { name, request_id, status, children })
}

fn broken(error: serde_json::Error) -> JobTreeError {
    if error.is_eof() { JobTreeError::CutOff } else { JobTreeError::NotJobs }
}

/// The text of `RequestStatus` in the answer to a finder; empty when no row or no status came.
fn request_status(body: &[u8]) -> Result<String, Error> {
    let unreadable = |error: serde_json::Error| Error::Malformed {
        resource: INTEGRATIONS,
        reason: "the answer is not a list of requests".to_owned(),
        truncated: error.is_eof(),
    };
    let members: Members<'_> = serde_json::from_slice(body).map_err(unreadable)?;
    let items = members.get("items").ok_or_else(|| Error::odd(INTEGRATIONS, "the answer has no items"))?;
    let rows: Vec<&RawValue> = serde_json::from_str(items.get()).map_err(unreadable)?;
    for row in rows {
        let row = Members::of(row.get()).map_err(unreadable)?;
        if let Some(status) = row.get("RequestStatus") {
            // a JSON text within the JSON, but taken as JSON too
            return Ok(row.text("RequestStatus").unwrap_or_else(|| status.get().to_owned()));
        }
    }
    Ok(String::new())
}

/// Reads the answer of the finder `ESSJobStatusRF`.
pub(super) fn status_of(body: &[u8]) -> Result<JobStatus, Error> {
    Ok(JobStatus::new(&request_status(body)?))
}

/// Reads the answer of the finder `ESSExecutionDetailsRF`. A status that is a plain word is that of one job.
pub(super) fn tree_of(body: &[u8]) -> Result<JobTree, Error> {
    let text = request_status(body)?;
    let text = text.trim();
    if text.is_empty() {
        return Ok(JobTree::default());
    }
    if !text.starts_with(['{', '[']) {
        let job = Job { name: None, request_id: None, status: JobStatus::new(text), children: Vec::new() };
        return Ok(JobTree { jobs: vec![job], summary: None });
    }
    read(text).map_err(|error| Error::Malformed {
        resource: INTEGRATIONS,
        reason: error.to_string(),
        truncated: error == JobTreeError::CutOff,
    })
}

#[cfg(test)]
mod tests;
