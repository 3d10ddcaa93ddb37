//! What can go wrong with a request, told apart by what one can do about it.

mod fault;

use std::fmt;
use std::time::Duration;

pub use fault::Fault;
pub(crate) use fault::{announces_maintenance, cleaned};

use crate::record::RecordError;
use crate::token::{TokenError, TokenErrorKind};

/// The statuses by which a pod, or what stands before it, declines a request without having carried it out.
const DECLINED: [u16; 8] = [400, 401, 403, 404, 413, 415, 422, 429];

/// A request that brought no result. No variant ever holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The settings are refused; nothing was sent.
    #[error("configuration: {0}")]
    Config(String),
    /// No connection, or it broke before an answer came.
    #[error("{resource}: Oracle cannot be reached")]
    Unreachable {
        /// What was asked for.
        resource: &'static str,
        /// The cause, without the address.
        source: reqwest::Error,
    },
    /// No whole answer within the time allowed.
    #[error("{resource}: no answer from Oracle within the time allowed")]
    TimedOut {
        /// What was asked for.
        resource: &'static str,
        /// The cause, without the address.
        source: reqwest::Error,
    },
    /// 401, again after a new token: the token is not trusted or its user is unknown to the pod.
    #[error("{0}")]
    Unauthorized(Box<Fault>),
    /// 403: the user lacks a privilege, or calls from a place that is not allowed.
    #[error("{0}")]
    Forbidden(Box<Fault>),
    /// 404: no such path, or no row that the user may see.
    #[error("{0}")]
    NotFound(Box<Fault>),
    /// 400: the query is wrong, for instance it names an attribute that is not queryable.
    #[error("{0}")]
    BadRequest(Box<Fault>),
    /// 429, or nothing was sent since the wait that an earlier 429 asked for is not over.
    #[error("{fault}")]
    TooManyRequests {
        /// What Oracle said.
        fault: Box<Fault>,
        /// How long to wait, where the answer says so.
        retry_after: Option<Duration>,
    },
    /// 503, or another 5xx that speaks of maintenance. Oracle asks clients to keep trying for up to 8 hours
    /// (<https://docs.oracle.com/en/cloud/saas/procurement/25c/fainp/prc-rest-apis.html>).
    #[error("{fault}")]
    Maintenance {
        /// What Oracle said.
        fault: Box<Fault>,
        /// How long to wait, where the answer says so.
        retry_after: Option<Duration>,
        /// Whether the body speaks of maintenance; a 503 without it may be a short overload.
        announced: bool,
    },
    /// Another 5xx, or 408.
    #[error("{fault}")]
    Server {
        /// What Oracle said.
        fault: Box<Fault>,
        /// How long to wait, where the answer says so.
        retry_after: Option<Duration>,
    },
    /// Another 4xx.
    #[error("{0}")]
    Refused(Box<Fault>),
    /// 3xx: redirects are not followed, since the token must not go elsewhere.
    #[error("{0}")]
    Redirected(Box<Fault>),
    /// Success with a body that is not JSON, such as the HTML of a login or maintenance page.
    #[error("{0}")]
    UnexpectedBody(Box<Fault>),
    /// Success with JSON that is cut off, broken, or not what the resource documents.
    #[error("{resource}: the answer cannot be read: {reason}")]
    Malformed {
        /// What was asked for.
        resource: &'static str,
        /// What is wrong with it.
        reason: String,
        /// Whether the body ended early, so that asking again can help.
        truncated: bool,
    },
    /// The body is larger than this client takes.
    #[error("{resource}: the answer is larger than {limit} bytes")]
    TooLarge {
        /// What was asked for.
        resource: &'static str,
        /// The limit in bytes.
        limit: usize,
    },
    /// A record's children could not all be read, for instance because it changed meanwhile.
    #[error("{resource}: the record's children could not be read to the end: {reason}")]
    Incomplete {
        /// What was asked for.
        resource: &'static str,
        /// What stood in the way.
        reason: String,
    },
    /// No token could be obtained.
    #[error(transparent)]
    Token(#[from] TokenError),
}

/// The kinds of [`Error`], to decide by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// [`Error::Config`].
    Config,
    /// [`Error::Unreachable`].
    Unreachable,
    /// [`Error::TimedOut`].
    TimedOut,
    /// [`Error::Unauthorized`].
    Unauthorized,
    /// [`Error::Forbidden`].
    Forbidden,
    /// [`Error::NotFound`].
    NotFound,
    /// [`Error::BadRequest`].
    BadRequest,
    /// [`Error::TooManyRequests`].
    TooManyRequests,
    /// [`Error::Maintenance`].
    Maintenance,
    /// [`Error::Server`].
    Server,
    /// [`Error::Refused`].
    Refused,
    /// [`Error::Redirected`].
    Redirected,
    /// [`Error::UnexpectedBody`].
    UnexpectedBody,
    /// [`Error::Malformed`].
    Malformed,
    /// [`Error::TooLarge`].
    TooLarge,
    /// [`Error::Incomplete`].
    Incomplete,
    /// [`Error::Token`], with its own kind.
    Token(TokenErrorKind),
}

impl Error {
    /// The kind of error.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Config(_) => ErrorKind::Config,
            Self::Unreachable { .. } => ErrorKind::Unreachable,
            Self::TimedOut { .. } => ErrorKind::TimedOut,
            Self::Unauthorized(_) => ErrorKind::Unauthorized,
            Self::Forbidden(_) => ErrorKind::Forbidden,
            Self::NotFound(_) => ErrorKind::NotFound,
            Self::BadRequest(_) => ErrorKind::BadRequest,
            Self::TooManyRequests { .. } => ErrorKind::TooManyRequests,
            Self::Maintenance { .. } => ErrorKind::Maintenance,
            Self::Server { .. } => ErrorKind::Server,
            Self::Refused(_) => ErrorKind::Refused,
            Self::Redirected(_) => ErrorKind::Redirected,
            Self::UnexpectedBody(_) => ErrorKind::UnexpectedBody,
            Self::Malformed { .. } => ErrorKind::Malformed,
            Self::TooLarge { .. } => ErrorKind::TooLarge,
            Self::Incomplete { .. } => ErrorKind::Incomplete,
            Self::Token(error) => ErrorKind::Token(error.kind()),
        }
    }

    /// Whether the same request may well succeed later without anyone changing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::TimedOut { .. }
            | Self::TooManyRequests { .. }
            | Self::Maintenance { .. }
            | Self::Server { .. }
            | Self::UnexpectedBody(_)
            | Self::Incomplete { .. } => true,
            Self::Malformed { truncated, .. } => *truncated,
            Self::Token(error) => error.is_transient(),
            Self::Config(_)
            | Self::Unauthorized(_)
            | Self::Forbidden(_)
            | Self::NotFound(_)
            | Self::BadRequest(_)
            | Self::Refused(_)
            | Self::Redirected(_)
            | Self::TooLarge { .. } => false,
        }
    }

    /// Whether a write that ended like this may nevertheless have been carried out, and must be looked up
    /// before it is sent again. It is asked of the error of
    /// [`Fusion::import_bulk_data`](crate::Fusion::import_bulk_data), the only write there is.
    ///
    /// Certainly not carried out: the settings are refused, no token, no connection (also when connecting took
    /// too long), or the statuses 400, 401, 403, 404, 413, 415, 422 and 429. Everything else may have happened:
    /// no answer in time, a connection that broke after it was made, every 5xx with 503 among them (a gateway's
    /// 503 says nothing of the request that it had passed on), 408, redirects, other 4xx, and a success whose
    /// body is cut off, too large or not what was expected.
    #[must_use]
    pub fn may_have_happened(&self) -> bool {
        match self {
            Self::Config(_) | Self::Token(_) | Self::Incomplete { .. } => false,
            Self::Unreachable { source, .. } | Self::TimedOut { source, .. } => {
                !(source.is_connect() || source.is_builder())
            }
            Self::Malformed { .. } | Self::TooLarge { .. } => true,
            Self::Unauthorized(fault)
            | Self::Forbidden(fault)
            | Self::NotFound(fault)
            | Self::BadRequest(fault)
            | Self::TooManyRequests { fault, .. }
            | Self::Maintenance { fault, .. }
            | Self::Server { fault, .. }
            | Self::Refused(fault)
            | Self::Redirected(fault)
            | Self::UnexpectedBody(fault) => !DECLINED.contains(&fault.status),
        }
    }

    /// How long the server asked to wait.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::TooManyRequests { retry_after, .. }
            | Self::Maintenance { retry_after, .. }
            | Self::Server { retry_after, .. } => *retry_after,
            Self::Token(error) => error.retry_after(),
            _ => None,
        }
    }

    /// What Oracle said, where an answer came.
    #[must_use]
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Unauthorized(fault)
            | Self::Forbidden(fault)
            | Self::NotFound(fault)
            | Self::BadRequest(fault)
            | Self::TooManyRequests { fault, .. }
            | Self::Maintenance { fault, .. }
            | Self::Server { fault, .. }
            | Self::Refused(fault)
            | Self::Redirected(fault)
            | Self::UnexpectedBody(fault) => Some(fault),
            _ => None,
        }
    }

    /// The HTTP status, where an answer came.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Token(error) => error.status(),
            _ => self.fault().map(|fault| fault.status),
        }
    }

    /// Oracle's own code, such as `27024` or `GL-782245`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.fault()?.code.as_deref()
    }

    pub(crate) fn malformed(resource: &'static str, error: &serde_json::Error) -> Self {
        Self::Malformed { resource, reason: error.to_string(), truncated: error.is_eof() }
    }

    /// JSON that is whole but says something else than what the resource documents.
    pub(crate) fn odd(resource: &'static str, reason: impl fmt::Display) -> Self {
        Self::Malformed { resource, reason: reason.to_string(), truncated: false }
    }

    pub(crate) fn unreadable(resource: &'static str, error: &RecordError) -> Self {
        Self::odd(resource, error)
    }

    pub(crate) fn incomplete(resource: &'static str, reason: impl fmt::Display) -> Self {
        Self::Incomplete { resource, reason: reason.to_string() }
    }
}
