//! Reading an error answer: its body, its status, and how long to wait.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde::Deserialize;

use crate::error::{BadRequest, Error};

/// Longest text kept of each member, in characters; an error page must not fill the log.
const MAX_TEXT_CHARS: usize = 1_000;

/// What is shorter is no token of Asana's but a placeholder, and could stand in any word.
const SHORTEST_TOKEN_BYTES: usize = 8;

/// What Asana said when it answered with an error.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// The call.
    pub operation: &'static str,
    /// HTTP status.
    pub status: u16,
    /// Messages of all entries of `errors`, joined by `; `. Empty when the body was not in Asana's form, as
    /// with an error page of a proxy.
    pub message: String,
    /// Where Asana's documentation says more.
    pub help: Option<String>,
    /// A few words by which Asana's support finds the incident; 500 only.
    pub phrase: Option<String>,
    /// A name of the error; undocumented, sometimes present.
    pub error: Option<String>,
    /// A message for the user of an app; undocumented, sometimes present.
    pub user_message: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: Asana answered {}", self.operation, self.status)?;
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        if let Some(phrase) = &self.phrase {
            write!(f, " (phrase: {phrase})")?;
        }
        Ok(())
    }
}

/// A request before the time that a 429 named: nothing was sent.
pub(crate) fn still_busy(operation: &'static str, left: Duration) -> Error {
    let refusal = Refusal {
        operation,
        status: 429,
        message: "its time to wait is not over, nothing was sent".to_owned(),
        help: None,
        phrase: None,
        error: None,
        user_message: None,
    };
    Error::RateLimited { retry_after: Some(left), refusal: Box::new(refusal) }
}

#[derive(Default, Deserialize)]
struct Body {
    #[serde(default)]
    errors: Vec<Entry>,
    #[serde(default)]
    sync: Option<String>,
}

#[derive(Default, Deserialize)]
struct Entry {
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    help: Option<String>,
    #[serde(default)]
    phrase: Option<String>,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    user_message: Option<String>,
}

/// Makes the error for an answer with a status of 400 or more. `token` is blotted out should it be echoed.
pub(crate) fn classify(
    operation: &'static str,
    status: u16,
    retry_after: Option<Duration>,
    body: &str,
    token: &str,
) -> Error {
    let body: Body = serde_json::from_str(body).unwrap_or_default();
    let refusal = Box::new(refusal(operation, status, &body.errors, token));
    match status {
        400 => Error::BadRequest { reason: BadRequest::of(&refusal.message), refusal },
        401 => Error::Unauthorized(refusal),
        402 => Error::PaymentRequired(refusal),
        403 => Error::Forbidden(refusal),
        404 => Error::NotFound(refusal),
        412 => Error::Precondition { sync: body.sync, refusal },
        424 | 429 => Error::RateLimited { retry_after, refusal },
        451 => Error::Legal(refusal),
        ..=499 => Error::Refused(refusal),
        _ => Error::Server { retry_after, refusal },
    }
}

fn refusal(operation: &'static str, status: u16, entries: &[Entry], token: &str) -> Refusal {
    let clean = |text: &str| -> String {
        let echoed = token.len() >= SHORTEST_TOKEN_BYTES;
        let text = if echoed { text.replace(token, "[token]") } else { text.to_owned() };
        text.chars().take(MAX_TEXT_CHARS).collect()
    };
    let first = |member: fn(&Entry) -> Option<&String>| entries.iter().find_map(member).map(|t| clean(t));
    let messages: Vec<&str> = entries.iter().filter_map(|entry| entry.message.as_deref()).collect();
    Refusal {
        operation,
        status,
        message: clean(&messages.join("; ")),
        help: first(|entry| entry.help.as_ref()),
        phrase: first(|entry| entry.phrase.as_ref()),
        error: first(|entry| entry.error.as_ref()),
        user_message: first(|entry| entry.user_message.as_ref()),
    }
}

/// How long an answer asks to wait: whole seconds, as Asana writes it, or the date form of HTTP.
pub(crate) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(value: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, value.parse().unwrap());
        retry_after(&headers, "2026-06-30T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(wait("30"), Some(Duration::from_secs(30)));
        assert_eq!(wait(" 0 "), Some(Duration::ZERO));
        assert_eq!(wait("Tue, 30 Jun 2026 12:01:30 GMT"), Some(Duration::from_secs(90)));
        assert_eq!(wait("Tue, 30 Jun 2026 11:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(wait("soon"), None);
        assert_eq!(wait("-5"), None);
        assert_eq!(retry_after(&HeaderMap::new(), Timestamp::UNIX_EPOCH), None);
    }

    #[test]
    fn every_known_wording_has_its_reason() {
        for (message, reason) in [
            ("offset: Your pagination token is invalid.", BadRequest::InvalidOffset),
            ("Custom field with ID 12 is not on given object", BadRequest::FieldNotOnTask),
            ("project: Unknown object: 12", BadRequest::UnknownObject),
            ("project: Not a recognized ID: x", BadRequest::UnrecognizedId),
            (
                "The result is too large. You should use pagination (may require specifying a workspace)!",
                BadRequest::ResultTooLarge,
            ),
            (
                "The result set is too large and was truncated. Narrow your request.",
                BadRequest::ResultTooLarge,
            ),
            ("name: Missing input", BadRequest::MissingInput),
            ("projects: Cannot write this property", BadRequest::NotWritable),
            ("Could not parse request data, invalid JSON", BadRequest::InvalidJson),
            ("Unrecognized request field foo.", BadRequest::UnknownMember),
            ("assignee: Not a user in Organization: 7", BadRequest::NotAMember),
            ("You may only provide one of due_on or due_at!", BadRequest::Other),
        ] {
            assert_eq!(BadRequest::of(message), reason, "{message}");
        }
    }

    #[test]
    fn a_token_echoed_in_a_message_is_blotted_out() {
        let body = r#"{"errors":[{"message":"bad token 0/abcdef","help":"0/abcdef"}]}"#;
        let error = classify("me", 401, None, body, "0/abcdef");
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("abcdef"), "{shown}");
        assert!(shown.contains("[token]"), "{shown}");
    }

    #[test]
    fn several_messages_are_all_kept() {
        let body = r#"{"errors":[{"message":"a: Missing input"},{"message":"b: Missing input","help":"h"}]}"#;
        let error = classify("create_task", 400, None, body, "t");
        let refusal = error.refusal().unwrap();
        assert_eq!(refusal.message, "a: Missing input; b: Missing input");
        assert_eq!(refusal.help.as_deref(), Some("h"));
    }
}
