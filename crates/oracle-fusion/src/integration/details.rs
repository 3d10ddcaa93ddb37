//! Logs and reports of the jobs.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use serde_json::value::RawValue;

use super::archive;
use super::operation::INTEGRATIONS;
use crate::error::Error;
use crate::object::Members;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A log or report of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// The file's name, which as a rule begins with the job's request id; empty when none was told.
    pub name: String,
    /// Its text. It holds what the interface rows held: account numbers, amounts, descriptions.
    pub text: String,
}

/// Reads the answer of `downloadESSJobExecutionDetails`; an answer without content is no entries.
pub(super) fn read(body: &[u8]) -> Result<Vec<LogEntry>, Error> {
    let members: Members<'_> = serde_json::from_slice(body).map_err(|error| Error::Malformed {
        resource: INTEGRATIONS,
        reason: "the answer is not an object in JSON".to_owned(),
        truncated: error.is_eof(),
    })?;
    let content = members.text("DocumentContent").or_else(|| {
        let rows: Vec<&RawValue> = serde_json::from_str(members.get("items")?.get()).ok()?;
        rows.iter().find_map(|row| Members::of(row.get()).ok()?.text("DocumentContent"))
    });
    let mut content = content.unwrap_or_default();
    content.retain(|c| !c.is_ascii_whitespace());
    if content.is_empty() {
        return Ok(Vec::new());
    }
    let bytes =
        BASE64.decode(content).map_err(|_| Error::odd(INTEGRATIONS, "the document is not in base64"))?;
    archive::open(&bytes).map_err(|error| Error::odd(INTEGRATIONS, error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn texts(body: &serde_json::Value) -> Result<Vec<String>, Error> {
        Ok(read(body.to_string().as_bytes())?.into_iter().map(|entry| entry.text).collect())
    }

    #[test]
    fn content_is_found_with_or_without_padding_and_line_ends() {
        for content in ["RUYwNCE=", "RUYwNCE", "RUYw\r\nNCE=\n"] {
            assert_eq!(texts(&json!({ "DocumentContent": content })).unwrap(), ["EF04!"]);
            assert_eq!(texts(&json!({ "items": [{ "DocumentContent": content }] })).unwrap(), ["EF04!"]);
        }
    }

    #[test]
    fn nothing_is_no_entries() {
        for body in [
            json!({}),
            json!({ "DocumentContent": null }),
            json!({ "DocumentContent": " " }),
            json!({ "items": [] }),
        ] {
            assert!(read(body.to_string().as_bytes()).unwrap().is_empty(), "{body}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_an_error_and_shows_nothing_of_it() {
        for body in [
            json!({ "DocumentContent": "s%cret" }),
            json!({ "DocumentContent": "UEsDBA==" }),
            json!(["s%cret"]),
        ] {
            let error = read(body.to_string().as_bytes()).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("s%cret"), "{error:?}");
        }
        assert!(read(b"{\"DocumentContent\":\"UEs").unwrap_err().is_transient());
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(body in prop::collection::vec(any::<u8>(), 0..200), content in "\\PC{0,40}") {
            let _ = read(&body);
            let _ = texts(&json!({ "DocumentContent": content }));
        }
    }
}
