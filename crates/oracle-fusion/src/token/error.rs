//! What can go wrong at the token endpoint.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Why no token was obtained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenErrorKind {
    /// The client id or secret is wrong (`invalid_client`, or any 401).
    InvalidClient,
    /// The scope is unknown (`invalid_scope`).
    InvalidScope,
    /// Another refusal, such as `unauthorized_client`.
    Refused,
    /// No connection, or it broke.
    Unreachable,
    /// No whole answer within the time allowed.
    TimedOut,
    /// 429.
    TooManyRequests,
    /// 5xx.
    Unavailable,
    /// Not the answer of a token endpoint: a redirect, a web page, or text.
    NotJson,
    /// JSON without a usable token.
    Malformed,
}

/// The token endpoint's failure.
#[derive(Debug, Clone)]
pub struct TokenError {
    pub(super) kind: TokenErrorKind,
    pub(super) status: Option<u16>,
    pub(super) text: String,
    pub(super) retry_after: Option<Duration>,
    pub(super) cause: Option<Arc<reqwest::Error>>,
}

impl TokenError {
    pub(super) fn of(kind: TokenErrorKind, text: impl Into<String>) -> Self {
        Self { kind, status: None, text: text.into(), retry_after: None, cause: None }
    }

    /// The kind of failure.
    #[must_use]
    pub fn kind(&self) -> TokenErrorKind {
        self.kind
    }

    /// The HTTP status, where an answer came.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// How long the endpoint asked to wait.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Whether the same request may well succeed later without anyone changing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        use TokenErrorKind::{TimedOut, TooManyRequests, Unavailable, Unreachable};
        matches!(self.kind, Unreachable | TimedOut | TooManyRequests | Unavailable)
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            TokenErrorKind::InvalidClient => "the token endpoint refused the client id or secret",
            TokenErrorKind::InvalidScope => "the token endpoint does not know the scope",
            TokenErrorKind::Refused => "the token endpoint refused the request",
            TokenErrorKind::Unreachable => "the token endpoint cannot be reached",
            TokenErrorKind::TimedOut => "the token endpoint did not answer within the time allowed",
            TokenErrorKind::TooManyRequests => "the token endpoint asks for fewer requests",
            TokenErrorKind::Unavailable => "the token endpoint is unavailable",
            TokenErrorKind::NotJson => "the token endpoint's address does not answer as one",
            TokenErrorKind::Malformed => "the token endpoint's answer holds no usable token",
        })?;
        if let Some(status) = self.status {
            write!(f, " ({status})")?;
        }
        if !self.text.is_empty() {
            write!(f, ": {}", self.text)?;
        }
        Ok(())
    }
}

impl std::error::Error for TokenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}
