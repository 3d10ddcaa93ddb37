//! The bodies that are sent to `erpintegrations`. There is no third.

use serde::Serialize;
use url::Url;

use super::bulk::BulkImport;
use super::submission::RequestId;
use crate::error::Error;

/// The last segment of the path.
pub(crate) const INTEGRATIONS: &str = "erpintegrations";
/// A last path segment of at least this many characters is taken for an unguessable token.
const MIN_TOKEN: usize = 16;

/// An operation of `erpintegrations`.
pub(crate) enum Operation<'a> {
    /// `importBulkData`.
    Import(&'a BulkImport),
    /// `downloadESSJobExecutionDetails`, which only reads.
    Details(RequestId),
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Import<'a> {
    operation_name: &'static str,
    document_content: String,
    content_type: &'static str,
    file_name: &'a str,
    document_account: &'a str,
    job_name: &'a str,
    parameter_list: String,
    #[serde(rename = "CallbackURL")]
    callback_url: &'a str,
    notification_code: String,
    job_options: &'a str,
}

/// The names are exactly these: `requestId` is refused as an invalid attribute.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Details {
    operation_name: &'static str,
    reqst_id: String,
    file_type: &'static str,
}

impl Operation<'_> {
    /// Whether something comes into being by it.
    pub fn creates(&self) -> bool {
        matches!(self, Self::Import(_))
    }

    /// The body's text.
    pub fn body(&self) -> Result<String, Error> {
        let body = match self {
            Self::Import(import) => serde_json::to_string(&Import {
                operation_name: "importBulkData",
                document_content: import.document.to_base64(),
                content_type: "zip",
                file_name: import.file_name.as_str(),
                document_account: import.document_account.as_str(),
                job_name: import.job_name.as_str(),
                parameter_list: import.parameters.parameter_list(),
                callback_url: import.callback_url.as_ref().map_or("#NULL", Url::as_str),
                notification_code: import.notification_code.to_string(),
                job_options: import.job_options.as_str(),
            }),
            Self::Details(request_id) => serde_json::to_string(&Details {
                operation_name: "downloadESSJobExecutionDetails",
                reqst_id: request_id.to_string(),
                file_type: "ALL",
            }),
        };
        body.map_err(|error| Error::Config(format!("the operation cannot be written: {error}")))
    }

    /// What an answer may repeat and nobody may read: the callback's address, which is known to the pod alone.
    pub fn secrets(&self) -> Vec<&str> {
        let Self::Import(BulkImport { callback_url: Some(url), .. }) = self else { return Vec::new() };
        let last = url.path_segments().and_then(|mut segments| segments.next_back());
        let token = last.filter(|token| token.len() >= MIN_TOKEN);
        [Some(url.as_str()), token].into_iter().flatten().collect()
    }
}
