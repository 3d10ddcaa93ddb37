//! Creating a journal: `erpintegrations`.
//!
//! There is no REST call that creates a GL journal. A file of interface rows is sent with `importBulkData`; the
//! pod answers with the id of a scheduled job, which loads the file and then lets *Import Journals* make the
//! journal. So a journal is created by one call of [`Fusion::import_bulk_data`](crate::Fusion::import_bulk_data),
//! followed by reading the jobs ([`Fusion::job_tree`](crate::Fusion::job_tree)) and finally the batch
//! ([`Fusion::journal_batches_of`](crate::Fusion::journal_batches_of)).
//!
//! The import knows no idempotency: the same file sent twice makes two journals. Nothing here sends it twice,
//! and [`Error::may_have_happened`](crate::Error::may_have_happened) tells when to look before doing so.
//!
//! What this never does: start any job but the import of journals. A job of another package or name is refused
//! when it is named ([`JobName`]), as are job options that would load another interface table ([`JobOptions`]),
//! since by such a job a purchase order or an invoice could be imported.
//!
//! Facts: <https://docs.oracle.com/en/cloud/saas/financials/24d/farfa/Importing_Financials_Data.html> for the flow
//! and the attributes' names; most of the rest is only known from clients that work against real pods, and is
//! marked so where it matters.

mod archive;
mod bulk;
mod calls;
mod codes;
mod details;
mod operation;
mod parameters;
mod status;
mod submission;
mod tree;

pub use bulk::{
    BulkImport, BulkImportError, DocumentAccount, FileName, JobName, JobOptions, NotificationCode,
    ZipDocument,
};
pub use codes::{import_codes, is_import_code};
pub use details::LogEntry;
pub(crate) use operation::{INTEGRATIONS, Operation};
pub use parameters::{FlexfieldImport, GroupId, JournalImportParameters, JournalSource, Summary, Suspense};
pub use status::{JobClass, JobStatus};
pub use submission::{Outcome, RequestId, Submission};
pub use tree::{IMPORT_JOURNALS, Job, JobTree, JobTreeError, parse_callback};
