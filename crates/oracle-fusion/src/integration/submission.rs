//! What the pod answers to an import.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use serde_json::value::RawValue;

use super::bulk::BulkImportError;
use super::operation::INTEGRATIONS;
use crate::error::{Error, cleaned};
use crate::object::Members;
use crate::scalar;

/// A request id has at most so many digits.
const MAX_DIGITS: usize = 18;
/// What the pod answers, with success, when it did not schedule the job.
const NOT_SCHEDULED: &str = "-1";

/// The id of a scheduled job (an "ESS request").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(NonZeroU64);

impl RequestId {
    /// The number.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0.get()
    }
}

/// From 1 to 18 digits; `-1`, 0 and everything else is no request.
impl FromStr for RequestId {
    type Err = BulkImportError;

    fn from_str(text: &str) -> Result<Self, BulkImportError> {
        let digits = (1..=MAX_DIGITS).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        text.parse().ok().filter(|_| digits).map(Self).ok_or(BulkImportError::RequestId)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The answer to an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// Whether a job was scheduled.
    pub outcome: Outcome,
    /// What the pod answered, on one line of at most 500 characters, without the document that it repeats.
    pub answer: String,
}

/// Whether a job was scheduled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was. The id is that of the job which loads the file; the import of the journals is another.
    Scheduled(RequestId),
    /// It was not, although the pod answered with success: the job's path is wrong, or the user lacks the
    /// privilege to run it. Nothing will come of it.
    NotScheduled,
}

impl Submission {
    /// The job's id, if one was scheduled.
    #[must_use]
    pub fn request_id(&self) -> Option<RequestId> {
        match self.outcome {
            Outcome::Scheduled(id) => Some(id),
            Outcome::NotScheduled => None,
        }
    }

    /// Reads the body of a success. A body that does not say what became of the import is an error, after which
    /// the import may have happened.
    pub(super) fn read(body: &[u8], secrets: &[&str]) -> Result<Self, Error> {
        let broken = |truncated| Error::Malformed {
            resource: INTEGRATIONS,
            reason: "the answer is not an object in JSON".to_owned(),
            truncated,
        };
        let members: Members<'_> = serde_json::from_slice(body).map_err(|error| broken(error.is_eof()))?;
        let answer = answer(&members, secrets);
        let id = members.text("ReqstId").unwrap_or_default();
        let outcome = match id.trim() {
            NOT_SCHEDULED => Outcome::NotScheduled,
            id => Outcome::Scheduled(id.parse().map_err(|_| {
                Error::odd(INTEGRATIONS, format_args!("ReqstId is neither a request's id nor -1: {answer}"))
            })?),
        };
        Ok(Self { outcome, answer })
    }
}

/// The answer as far as it is kept.
fn answer(members: &Members<'_>, secrets: &[&str]) -> String {
    let kept = members.0.iter().filter(|(name, value)| {
        !name.eq_ignore_ascii_case("DocumentContent")
            && !name.eq_ignore_ascii_case("links")
            && value.get() != "null"
    });
    // as text and not as JSON, in which a secret may be escaped
    let text =
        |value: &RawValue| scalar::text(value).ok().flatten().unwrap_or_else(|| value.get().to_owned());
    let text: Vec<String> = kept.map(|(name, value)| format!("{name}: {}", text(value))).collect();
    cleaned(&text.join(", "), secrets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(body: &str) -> Result<Submission, Error> {
        Submission::read(body.as_bytes(), &["https://me.example/hooks/unguessable"])
    }

    #[test]
    fn an_id_is_a_string_or_a_number() {
        for body in
            [r#"{"ReqstId":"603547"}"#, r#"{"OperationName":"importBulkData","ReqstId":603547,"links":[]}"#]
        {
            assert_eq!(read(body).unwrap().request_id().map(RequestId::get), Some(603_547));
        }
    }

    #[test]
    fn minus_one_is_no_id_but_a_refusal() {
        for body in [r#"{"ReqstId":"-1"}"#, r#"{"ReqstId":-1}"#, r#"{"ReqstId":" -1 "}"#] {
            let submission = read(body).unwrap();
            assert_eq!((submission.outcome, submission.request_id()), (Outcome::NotScheduled, None));
        }
    }

    #[test]
    fn an_answer_without_an_id_leaves_open_what_happened() {
        for body in [
            "",
            "{",
            "[]",
            "7",
            "null",
            r#""603547""#,
            "{}",
            r#"{"ReqstId":null}"#,
            r#"{"ReqstId":""}"#,
            r#"{"ReqstId":0}"#,
            r#"{"ReqstId":"-2"}"#,
            r#"{"ReqstId":"abc"}"#,
            r#"{"ReqstId":6.5}"#,
            r#"{"ReqstId":{}}"#,
            r#"{"ReqstId":"12345678901234567890"}"#,
        ] {
            assert!(read(body).unwrap_err().may_have_happened(), "{body}");
        }
    }

    #[test]
    fn the_answer_is_kept_without_document_and_secrets() {
        let submission = read(
            r#"{"OperationName":"importBulkData","DocumentContent":"UEsDBBQ=","CallbackURL":"https:\/\/me.example/hooks/unguessable",
            "FileName":null,"ReqstId":"7"}"#,
        )
        .unwrap();
        assert_eq!(submission.answer, "OperationName: importBulkData, CallbackURL: [secret], ReqstId: 7");
    }

    proptest! {
        #[test]
        fn any_body_is_read_without_panic(body in prop::collection::vec(any::<u8>(), 0..200), id in "\\PC{0,12}") {
            let _ = Submission::read(&body, &[]);
            let text = serde_json::json!({ "ReqstId": id }).to_string();
            if let Ok(submission) = Submission::read(text.as_bytes(), &[]) {
                let said = submission.request_id().map_or("-1".to_owned(), |found| found.to_string());
                prop_assert_eq!(said.trim_start_matches('0'), id.trim().trim_start_matches('0'));
            }
        }
    }
}
