//! What is sent to import journals, in types that cannot hold anything else.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::Url;

use super::parameters::JournalImportParameters;

/// The largest document, in bytes. A journal of ten thousand lines is below 1 MiB when packed; a document is
/// meant to hold one journal.
const MAX_DOCUMENT: usize = 8 << 20;
/// The longest file name, in bytes.
const MAX_FILE_NAME: usize = 100;
/// The longest account, job or options text, in bytes.
const MAX_TEXT: usize = 200;
/// Jobs of general ledger lie below this, those that import orders or invoices do not.
const PACKAGES: &str = "/oracle/apps/ess/financials/generalLedger/";
/// The job that imports journals.
const LAUNCHER: &str = "JournalImportLauncher";
/// The loader of general ledger's interface table among all loaders.
const INTERFACE: &str = "15";

/// Why a part of an import was refused. Nothing was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BulkImportError {
    /// The document is no zip archive, or too large.
    #[error("the document must be a zip archive of at most {MAX_DOCUMENT} bytes")]
    Document,
    /// The file name holds something else than letters, digits, `_`, `-` and `.`, or does not end in `.zip`.
    #[error("the file name must be letters, digits, `_`, `-` and `.`, ending in `.zip`")]
    FileName,
    /// The document account is not of the form `fin$/generalLedger$/import$`.
    #[error("the document account must be of the form `fin$/generalLedger$/import$`")]
    DocumentAccount,
    /// The job is not the one that imports journals.
    #[error("the job must be `{PACKAGES}…,{LAUNCHER}`")]
    JobName,
    /// The job options are not of the form `Name=Value,Name=Value`, or name another interface than general
    /// ledger's.
    #[error(
        "the job options must be `Name=Value` separated by commas, with no InterfaceDetails but {INTERFACE}"
    )]
    JobOptions,
    /// The notification code is not two digits, 1 to 3 and 0 to 2.
    #[error("the notification code must be 10 to 12, 20 to 22 or 30 to 32")]
    NotificationCode,
    /// The journal source is empty, too long, or holds quotes or control characters.
    #[error("the journal source must be 1 to 100 characters without quotes and control characters")]
    JournalSource,
    /// The group id is not 1 to 18 digits without leading zero.
    #[error("a group id must be a number of 1 to 18 digits without leading zeros")]
    GroupId,
    /// The letter for descriptive flexfields is not a capital letter.
    #[error("how descriptive flexfields are imported must be one capital letter")]
    FlexfieldImport,
    /// The request id is not a number of 1 to 18 digits.
    #[error("a request id must be a number of 1 to 18 digits, not zero")]
    RequestId,
}

/// One import of journals.
///
/// `Debug` shows neither the document nor the callback's address.
#[derive(Clone)]
pub struct BulkImport {
    /// The archive with the rows, `GlInterface.csv`.
    pub document: ZipDocument,
    /// The archive's name in the pod's document store.
    pub file_name: FileName,
    /// The account in the document store. The token's user must have access to it.
    pub document_account: DocumentAccount,
    /// The job.
    pub job_name: JobName,
    /// The job's parameters.
    pub parameters: JournalImportParameters,
    /// Where the pod tells that the job ended. No authentication of that call is documented: put something
    /// unguessable into the path, and take the call for a hint to look ([`parse_callback`](super::parse_callback)).
    pub callback_url: Option<Url>,
    /// Whom the pod notifies, and when.
    pub notification_code: NotificationCode,
    /// Options of the load.
    pub job_options: JobOptions,
}

impl BulkImport {
    /// An import by the usual job, without callback.
    #[must_use]
    pub fn new(
        document: ZipDocument,
        file_name: FileName,
        document_account: DocumentAccount,
        parameters: JournalImportParameters,
    ) -> Self {
        Self {
            document,
            file_name,
            document_account,
            job_name: JobName::default(),
            parameters,
            callback_url: None,
            notification_code: NotificationCode::default(),
            job_options: JobOptions::default(),
        }
    }
}

impl fmt::Debug for BulkImport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BulkImport")
            .field("document", &self.document)
            .field("file_name", &self.file_name)
            .field("document_account", &self.document_account)
            .field("job_name", &self.job_name)
            .field("parameters", &self.parameters)
            .field("callback", &self.callback_url.is_some())
            .field("notification_code", &self.notification_code)
            .field("job_options", &self.job_options)
            .finish()
    }
}

/// A zip archive, 1 byte to 8 MiB.
#[derive(Clone, PartialEq, Eq)]
pub struct ZipDocument(Vec<u8>);

impl ZipDocument {
    /// # Errors
    /// [`BulkImportError::Document`] unless it begins as a zip archive with an entry does and is small enough.
    pub fn new(bytes: Vec<u8>) -> Result<Self, BulkImportError> {
        let fits = bytes.starts_with(b"PK\x03\x04") && bytes.len() <= MAX_DOCUMENT;
        if fits { Ok(Self(bytes)) } else { Err(BulkImportError::Document) }
    }

    /// The archive.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn to_base64(&self) -> String {
        STANDARD.encode(&self.0)
    }
}

impl fmt::Debug for ZipDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// The name of a file in the document store, such as `GlInterface_42.zip`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName(String);

impl FileName {
    /// # Errors
    /// [`BulkImportError::FileName`].
    pub fn new(name: &str) -> Result<Self, BulkImportError> {
        let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
        let stem = name.strip_suffix(".zip").filter(|stem| !stem.is_empty() && !stem.starts_with('.'));
        let fits = stem.is_some() && name.len() <= MAX_FILE_NAME && name.bytes().all(inner);
        if fits { Ok(Self(name.to_owned())) } else { Err(BulkImportError::FileName) }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An account of the document store. Pods differ: `fin$/generalLedger$/import$` and `fin$/journal$/import$` are
/// both used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentAccount(String);

impl DocumentAccount {
    /// # Errors
    /// [`BulkImportError::DocumentAccount`].
    pub fn new(account: &str) -> Result<Self, BulkImportError> {
        let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'$' | b'/' | b'_' | b'-');
        let fits = (1..=MAX_TEXT).contains(&account.len()) && account.bytes().all(inner);
        if fits { Ok(Self(account.to_owned())) } else { Err(BulkImportError::DocumentAccount) }
    }

    /// The account.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The job that imports journals, as `{package},JournalImportLauncher`. The package can differ between releases,
/// but only within general ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobName(String);

impl JobName {
    /// # Errors
    /// [`BulkImportError::JobName`] for every other job.
    pub fn new(name: &str) -> Result<Self, BulkImportError> {
        let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_');
        let parts = name.strip_prefix(PACKAGES).and_then(|rest| rest.split_once(','));
        let fits = parts.is_some_and(|(rest, job)| job == LAUNCHER && rest.bytes().all(inner));
        if fits && name.len() <= MAX_TEXT { Ok(Self(name.to_owned())) } else { Err(BulkImportError::JobName) }
    }

    /// The package and the job.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for JobName {
    fn default() -> Self {
        Self(format!("{PACKAGES}programs/common,{LAUNCHER}"))
    }
}

/// Options of the load, `ExtractFileType=ALL` by default: without it the jobs' files cannot be read afterwards,
/// and without any options no callback comes.
///
/// Other options are community knowledge (`InterfaceDetails=15`, `ImportOption=Y`, `PurgeOption=N`), and a wrong
/// `InterfaceDetails` breaks the import, so none is sent unless it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobOptions(String);

impl JobOptions {
    /// # Errors
    /// [`BulkImportError::JobOptions`].
    pub fn new(options: &str) -> Result<Self, BulkImportError> {
        let word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric());
        let option = |option: &str| {
            let Some((name, value)) = option.split_once('=') else { return false };
            let interface = !name.eq_ignore_ascii_case("InterfaceDetails") || value == INTERFACE;
            word(name) && word(value) && interface
        };
        let fits = options.len() <= MAX_TEXT && options.split(',').all(option);
        if fits { Ok(Self(options.to_owned())) } else { Err(BulkImportError::JobOptions) }
    }

    /// The options.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for JobOptions {
    fn default() -> Self {
        Self("ExtractFileType=ALL".to_owned())
    }
}

/// Two digits: how the pod notifies (e-mail, bell, both) and when (in any case, on success, on failure). Which
/// digit stands for which is not documented; `10` is what working clients send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotificationCode(u8);

impl Default for NotificationCode {
    fn default() -> Self {
        Self(10)
    }
}

impl TryFrom<u8> for NotificationCode {
    type Error = BulkImportError;

    fn try_from(code: u8) -> Result<Self, BulkImportError> {
        let fits = (1..=3).contains(&(code / 10)) && code % 10 <= 2;
        if fits { Ok(Self(code)) } else { Err(BulkImportError::NotificationCode) }
    }
}

impl fmt::Display for NotificationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_other_job_can_be_named() {
        assert_eq!(
            JobName::default().as_str(),
            "/oracle/apps/ess/financials/generalLedger/programs/common,JournalImportLauncher"
        );
        assert_eq!(JobName::new(JobName::default().as_str()), Ok(JobName::default()));
        for name in [
            "",
            "/oracle/apps/ess/financials/payables/invoices/transactions,APXIIMPT",
            "/oracle/apps/ess/prc/po/pdoi,ImportSPOJob",
            "/oracle/apps/ess/financials/generalLedger/programs/common,AutomaticPosting",
            "/oracle/apps/ess/financials/generalLedger/programs/common,JournalImportLauncher,x",
            "/oracle/apps/ess/financials/generalLedger/../payables,JournalImportLauncher",
            "/oracle/apps/ess/financials/generalLedger/programs/common",
        ] {
            assert_eq!(JobName::new(name), Err(BulkImportError::JobName), "{name}");
        }
    }

    #[test]
    fn options_that_load_another_interface_are_refused() {
        for options in
            ["ExtractFileType=ALL", "InterfaceDetails=15,ImportOption=Y,PurgeOption=N,ExtractFileType=ALL"]
        {
            assert_eq!(JobOptions::new(options).map(|o| o.0), Ok(options.to_owned()));
        }
        for options in
            ["", "InterfaceDetails=1", "interfacedetails=24", "A", "A=", "=B", "A=B,", "A=B C", "A=B=C"]
        {
            assert_eq!(JobOptions::new(options), Err(BulkImportError::JobOptions), "{options}");
        }
    }

    #[test]
    fn a_name_that_is_more_than_a_name_is_refused() {
        assert!(FileName::new("GlInterface_42.zip").is_ok());
        for name in [
            "",
            ".zip",
            "a.csv",
            "../a.zip",
            "a b.zip",
            "a/b.zip",
            "ä.zip",
            &format!("{}.zip", "a".repeat(99)),
        ] {
            assert_eq!(FileName::new(name), Err(BulkImportError::FileName), "{name}");
        }
        assert!(DocumentAccount::new("fin$/generalLedger$/import$").is_ok());
        for account in ["", "fin generalLedger", "fin$'", "a,b", &"a".repeat(201)] {
            assert_eq!(DocumentAccount::new(account), Err(BulkImportError::DocumentAccount), "{account}");
        }
    }

    #[test]
    fn only_a_zip_archive_is_a_document() {
        assert!(ZipDocument::new(b"PK\x03\x04rest".to_vec()).is_ok());
        let mut huge = vec![0; MAX_DOCUMENT + 1];
        huge[..4].copy_from_slice(b"PK\x03\x04");
        for bytes in [Vec::new(), b"STATUS,LEDGER_ID".to_vec(), b"PK\x05\x06".to_vec(), huge] {
            assert_eq!(ZipDocument::new(bytes), Err(BulkImportError::Document));
        }
    }

    #[test]
    fn a_notification_code_is_a_mode_and_an_occasion() {
        let accepted: Vec<u8> =
            (0..=u8::MAX).filter(|code| NotificationCode::try_from(*code).is_ok()).collect();
        assert_eq!(accepted, [10, 11, 12, 20, 21, 22, 30, 31, 32]);
        assert_eq!(NotificationCode::default().to_string(), "10");
    }
}
