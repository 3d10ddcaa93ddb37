//! The body of a `POST`: which operation, with which attributes.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::schema::ERP_INTEGRATIONS;

/// Attributes by name; nulls are left out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attributes(BTreeMap<String, String>);

impl Attributes {
    /// Reads a body.
    ///
    /// # Errors
    /// What the 400 says.
    pub(crate) fn read(body: &[u8]) -> Result<Self, String> {
        let parsed: Value =
            serde_json::from_slice(body).map_err(|_| "The payload is not JSON.".to_owned())?;
        let Value::Object(members) = parsed else { return Err("The payload is not an object.".to_owned()) };
        let mut attributes = BTreeMap::new();
        for (name, value) in members {
            if ERP_INTEGRATIONS.attribute(&name).is_none() {
                return Err(format!("Invalid attribute \"{name}\" in the payload."));
            }
            match value {
                Value::Null => {}
                Value::String(text) => drop(attributes.insert(name, text)),
                Value::Number(number) => drop(attributes.insert(name, number.to_string())),
                _ => return Err(format!("The value of attribute \"{name}\" is not valid.")),
            }
        }
        Ok(Self(attributes))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// As [`Attributes::get`], where `#NULL` and a blank stand for no value too.
    fn value(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|text| !text.trim().is_empty() && *text != "#NULL")
    }

    fn required(&self, name: &str) -> Result<&str, String> {
        self.value(name).ok_or_else(|| format!("Attribute {name} is required."))
    }
}

/// What is asked for.
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    Import(BulkImport),
    Submit { package: String, definition: String, parameters: String },
    DownloadLogs { request: i64, files: Files },
}

/// Which files of a job are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Files {
    Log,
    Out,
    All,
}

/// `importBulkData`
#[derive(Clone, Debug)]
pub(crate) struct BulkImport {
    pub content: Vec<u8>,
    pub account: String,
    pub job: String,
    pub parameters: String,
    /// Only where `JobOptions` are given too; without them no callback is made.
    pub callback: Option<String>,
    /// `ExtractFileType` is among the options.
    pub extracts_files: bool,
    /// `InterfaceDetails`, if it is among the options.
    pub interface: Option<String>,
}

/// Reads the operation.
///
/// # Errors
/// What the 400 says.
pub(crate) fn operation(attributes: &Attributes) -> Result<Operation, String> {
    match attributes.required("OperationName")? {
        "importBulkData" => bulk_import(attributes).map(Operation::Import),
        "submitESSJobRequest" => Ok(Operation::Submit {
            package: attributes.required("JobPackageName")?.to_owned(),
            definition: attributes.required("JobDefName")?.to_owned(),
            parameters: attributes.get("ESSParameters").unwrap_or_default().to_owned(),
        }),
        "downloadESSJobExecutionDetails" => {
            let request = attributes.required("ReqstId")?.parse();
            let files = match attributes.required("FileType")?.to_ascii_lowercase().as_str() {
                "log" => Files::Log,
                "out" => Files::Out,
                "all" => Files::All,
                _ => return Err("The value of attribute \"FileType\" is not valid.".to_owned()),
            };
            let request =
                request.map_err(|_| "The value of attribute \"ReqstId\" is not valid.".to_owned())?;
            Ok(Operation::DownloadLogs { request, files })
        }
        other @ ("uploadFileToUCM" | "exportBulkData" | "getDocumentForDocumentId") => {
            Err(format!("The stand-in does not imitate the operation {other}."))
        }
        other => Err(format!("Invalid operation \"{other}\".")),
    }
}

fn bulk_import(attributes: &Attributes) -> Result<BulkImport, String> {
    attributes.required("FileName")?;
    if !attributes.required("ContentType")?.eq_ignore_ascii_case("zip") {
        return Err("The value of attribute \"ContentType\" is not valid.".to_owned());
    }
    let content = STANDARD
        .decode(attributes.required("DocumentContent")?)
        .map_err(|_| "The value of attribute \"DocumentContent\" is not valid.".to_owned())?;
    let options = attributes.value("JobOptions");
    let option = |name: &str| {
        let pairs = options.unwrap_or_default().split(',').filter_map(|pair| pair.split_once('='));
        pairs
            .map(|(key, value)| (key.trim(), value.trim()))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    };
    Ok(BulkImport {
        content,
        account: attributes.required("DocumentAccount")?.to_owned(),
        job: attributes.required("JobName")?.to_owned(),
        parameters: attributes.required("ParameterList")?.to_owned(),
        callback: options.and(attributes.value("CallbackURL")).map(str::to_owned),
        extracts_files: option("ExtractFileType").is_some(),
        interface: option("InterfaceDetails").map(str::to_owned),
    })
}
