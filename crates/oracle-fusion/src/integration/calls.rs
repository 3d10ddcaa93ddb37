//! The calls.

use super::bulk::BulkImport;
use super::details::{self, LogEntry};
use super::operation::Operation;
use super::status::JobStatus;
use super::submission::{RequestId, Submission};
use super::tree::{self, JobTree};
use crate::client::Fusion;
use crate::error::Error;

impl Fusion {
    /// Sends interface rows to the pod and lets it schedule the import of journals: `importBulkData`.
    ///
    /// This is the only call that creates anything, and it is sent exactly once, on a connection of its own; only
    /// after a 401, which is told before anything happens, it is sent once more with a new token. It is given
    /// [`Config::import_timeout`](crate::Config::import_timeout).
    ///
    /// A pod imports the same rows as often as they are sent. So before the first try the group id must be
    /// stored, and after an error that [may have happened](Error::may_have_happened), the journal batches must be
    /// looked at ([`Fusion::journal_batches_of`]) before the next.
    ///
    /// That a job was scheduled says nothing of the journal; see [`Fusion::job_tree`]. And the pod can answer with
    /// success that it did not schedule one: [`Outcome::NotScheduled`](super::Outcome::NotScheduled).
    ///
    /// # Errors
    /// [`Error`] of every kind but [`Error::Incomplete`]. [`Error::may_have_happened`] tells the two sorts apart.
    pub async fn import_bulk_data(&self, import: &BulkImport) -> Result<Submission, Error> {
        self.operate(&Operation::Import(import), Submission::read).await
    }

    /// How far one job is: the finder `ESSJobStatusRF`.
    ///
    /// A job that was not submitted through `erpintegrations`, or that the user may not see, has the empty status
    /// for ever, which counts as in progress. A job that loaded the file can have succeeded while the import of
    /// the journals fails: [`Fusion::job_tree`] shows both.
    ///
    /// # Errors
    /// As [`Fusion::page`].
    pub async fn job_status(&self, request_id: RequestId) -> Result<JobStatus, Error> {
        let body = self.integration(&format!("finder=ESSJobStatusRF;requestId={request_id}")).await?;
        tree::status_of(&body)
    }

    /// How far a job and all that it started are: the finder `ESSExecutionDetailsRF`.
    ///
    /// An empty tree says nothing, neither that the job is unknown nor that it ended.
    ///
    /// # Errors
    /// As [`Fusion::page`].
    pub async fn job_tree(&self, request_id: RequestId) -> Result<JobTree, Error> {
        let body = self.integration(&format!("finder=ESSExecutionDetailsRF;requestId={request_id}")).await?;
        tree::tree_of(&body)
    }

    /// The logs and reports of a job: `downloadESSJobExecutionDetails`. It is a `POST` that only reads.
    ///
    /// They are there only when the import was sent with `ExtractFileType=ALL`, and the user may need a privilege
    /// of its own for them. No entries are no proof that nothing went wrong.
    ///
    /// # Errors
    /// As [`Fusion::page`]; [`Error::Malformed`] too when the archive is broken or larger than is opened: 8 MiB
    /// packed, 256 entries, 4 MiB for one of them and 16 MiB for all unpacked, 200 bytes for one.
    pub async fn job_details(&self, request_id: RequestId) -> Result<Vec<LogEntry>, Error> {
        self.operate(&Operation::Details(request_id), |body, _| details::read(body)).await
    }
}
