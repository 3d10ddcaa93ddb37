//! What can go wrong, by kind.

use std::time::Duration;

use crate::refusal::Refusal;

/// The cause beneath a transport error.
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a call did not give its result.
///
/// The kinds follow Asana's status codes (developers.asana.com, "Errors"). No variant carries the token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The client cannot be built from these settings.
    #[error("the settings of the Asana client cannot be used: {0}")]
    Config(String),
    /// The caller gave something that cannot be sent. Nothing was sent.
    #[error("nothing was sent to Asana: {0}")]
    InvalidArgument(String),
    /// 400: the request was wrong, in a way that [`BadRequest`] names where it is known.
    #[error("{refusal}")]
    BadRequest {
        /// Which of the known ways.
        reason: BadRequest,
        /// What Asana said.
        refusal: Box<Refusal>,
    },
    /// 401: the token is wrong, was revoked, or apps of its kind are blocked in the workspace.
    #[error("{0}")]
    Unauthorized(Box<Refusal>),
    /// 402: the workspace's plan does not have the feature.
    #[error("{0}")]
    PaymentRequired(Box<Refusal>),
    /// 403: the token's user may not do this.
    #[error("{0}")]
    Forbidden(Box<Refusal>),
    /// 404: there is no such object for this token, or no such route.
    #[error("{0}")]
    NotFound(Box<Refusal>),
    /// 412: a sync token is missing or too old.
    #[error("{refusal}")]
    Precondition {
        /// The token to go on with.
        sync: Option<String>,
        /// What Asana said.
        refusal: Box<Refusal>,
    },
    /// 429, and 424, which the specification lists where 429 is meant. Every client on this token waits until
    /// the time has passed; this call may then be made again.
    #[error("{refusal}")]
    RateLimited {
        /// How long to wait; `None` when Asana did not say.
        retry_after: Option<Duration>,
        /// What Asana said.
        refusal: Box<Refusal>,
    },
    /// 451: blocked for legal reasons.
    #[error("{0}")]
    Legal(Box<Refusal>),
    /// Any other 4xx.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// 5xx: the fault is on Asana's side.
    #[error("{refusal}")]
    Server {
        /// How long to wait, when Asana said so.
        retry_after: Option<Duration>,
        /// What Asana said.
        refusal: Box<Refusal>,
    },
    /// An answer that cannot be understood: a redirect, HTML, broken or unexpected JSON, or too many bytes.
    #[error("{operation}: the answer (status {status}) cannot be used: {reason}")]
    Malformed {
        /// The call.
        operation: &'static str,
        /// HTTP status of the answer.
        status: u16,
        /// What is wrong with it.
        reason: String,
    },
    /// No connection could be made, so the request certainly was not sent.
    #[error("{operation}: Asana could not be reached")]
    Unreachable {
        /// The call.
        operation: &'static str,
        /// Why not.
        source: Cause,
    },
    /// No complete answer came in time. The request may have been carried out.
    #[error("{operation}: no complete answer came in time")]
    TimedOut {
        /// The call.
        operation: &'static str,
        /// What was being waited for.
        source: Cause,
    },
    /// The connection broke before the answer was complete. The request may have been carried out.
    #[error("{operation}: the connection broke before the answer was complete")]
    Dropped {
        /// The call.
        operation: &'static str,
        /// How it broke.
        source: Cause,
    },
}

impl Error {
    /// Whether a write that ended like this may nevertheless have been carried out, and must be looked up
    /// before it is sent again.
    #[must_use]
    pub fn may_have_happened(&self) -> bool {
        match self {
            Error::TimedOut { .. }
            | Error::Dropped { .. }
            | Error::Server { .. }
            | Error::Malformed { .. } => true,
            Error::Config(_)
            | Error::InvalidArgument(_)
            | Error::BadRequest { .. }
            | Error::Unauthorized(_)
            | Error::PaymentRequired(_)
            | Error::Forbidden(_)
            | Error::NotFound(_)
            | Error::Precondition { .. }
            | Error::RateLimited { .. }
            | Error::Legal(_)
            | Error::Refused(_)
            | Error::Unreachable { .. } => false,
        }
    }

    /// Whether the same call may succeed later without anyone changing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Error::RateLimited { .. } | Error::Unreachable { .. }) || self.may_have_happened()
    }

    /// Whether a listing was refused or cut because it is too large: ask for a smaller one.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        matches!(self, Error::BadRequest { reason: BadRequest::ResultTooLarge, .. })
    }

    /// Whether a page token expired: the listing must start again from its first page.
    #[must_use]
    pub fn is_invalid_offset(&self) -> bool {
        matches!(self, Error::BadRequest { reason: BadRequest::InvalidOffset, .. })
    }

    /// Whether there is a webhook already for the same resource and target. There is no code for it: this is
    /// the wording that was seen.
    #[must_use]
    pub fn is_duplicate_webhook(&self) -> bool {
        matches!(self, Error::Forbidden(refusal) if refusal.message.to_lowercase().contains("duplicated webhook"))
    }

    /// How long Asana asked to wait.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Error::RateLimited { retry_after, .. } | Error::Server { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// HTTP status of the answer, when there was one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Error::Malformed { status, .. } => Some(*status),
            _ => self.refusal().map(|refusal| refusal.status),
        }
    }

    /// What Asana said, when it answered with an error.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Error::BadRequest { refusal, .. }
            | Error::Precondition { refusal, .. }
            | Error::RateLimited { refusal, .. }
            | Error::Server { refusal, .. }
            | Error::Unauthorized(refusal)
            | Error::PaymentRequired(refusal)
            | Error::Forbidden(refusal)
            | Error::NotFound(refusal)
            | Error::Legal(refusal)
            | Error::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// A stable name of the kind, for metrics and stored records.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Error::Config(_) => "config",
            Error::InvalidArgument(_) => "invalid_argument",
            Error::BadRequest { .. } => "bad_request",
            Error::Unauthorized(_) => "unauthorized",
            Error::PaymentRequired(_) => "payment_required",
            Error::Forbidden(_) => "forbidden",
            Error::NotFound(_) => "not_found",
            Error::Precondition { .. } => "precondition",
            Error::RateLimited { .. } => "rate_limited",
            Error::Legal(_) => "legal",
            Error::Refused(_) => "refused",
            Error::Server { .. } => "server",
            Error::Malformed { .. } => "malformed",
            Error::Unreachable { .. } => "unreachable",
            Error::TimedOut { .. } => "timed_out",
            Error::Dropped { .. } => "dropped",
        }
    }
}

/// The known ways in which a request can be wrong, told apart by Asana's wording: there are no error codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BadRequest {
    /// The page token is unknown or expired.
    InvalidOffset,
    /// The custom field stands on none of the task's projects.
    FieldNotOnTask,
    /// The body refers to an object that does not exist or may not be seen.
    UnknownObject,
    /// Something is not a gid.
    UnrecognizedId,
    /// The listing is too large to be answered.
    ResultTooLarge,
    /// A required member is missing.
    MissingInput,
    /// A member cannot be written this way.
    NotWritable,
    /// The body is not JSON.
    InvalidJson,
    /// The body has a top-level member other than `data` and `options`.
    UnknownMember,
    /// The assignee does not belong to the workspace.
    NotAMember,
    /// A wording that is not known here.
    Other,
}

/// Wordings in lower case, as seen in answers of the API and quoted in its forum.
const WORDINGS: &[(&str, BadRequest)] = &[
    ("pagination token", BadRequest::InvalidOffset),
    ("is not on given object", BadRequest::FieldNotOnTask),
    ("unknown object", BadRequest::UnknownObject),
    ("not a recognized id", BadRequest::UnrecognizedId),
    ("result is too large", BadRequest::ResultTooLarge),
    // the last page of a listing that was cut
    ("truncated", BadRequest::ResultTooLarge),
    ("missing input", BadRequest::MissingInput),
    ("cannot write this property", BadRequest::NotWritable),
    ("could not parse request data", BadRequest::InvalidJson),
    ("unrecognized request field", BadRequest::UnknownMember),
    ("not a user in organization", BadRequest::NotAMember),
];

impl BadRequest {
    pub(crate) fn of(message: &str) -> BadRequest {
        let message = message.to_lowercase();
        WORDINGS
            .iter()
            .find(|(wording, _)| message.contains(wording))
            .map_or(BadRequest::Other, |(_, reason)| *reason)
    }
}
