//! Refusals, in Asana's own wording where it is known.

use std::fmt;

use super::json::Json;

/// What every Asana error carries beside its message.
const HELP: &str = "For more information on API status codes and how to handle them, \
                    read the docs on errors: https://developers.asana.com/docs/errors";

/// A refused request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fail {
    pub status: u16,
    pub message: String,
    /// Seconds for the `Retry-After` header of a 429.
    pub retry_after: Option<u64>,
}

impl Fail {
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), retry_after: None }
    }

    pub fn bad(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }

    pub fn no_route() -> Self {
        Self::new(404, "No matching route for request")
    }

    pub fn not_authorized() -> Self {
        Self::new(401, "Not Authorized")
    }

    /// An object that is named in the path and is not there.
    pub fn unknown(resource: &str, id: impl fmt::Display) -> Self {
        Self::new(404, format!("{resource}: Unknown object: {id}"))
    }

    /// An object that is named in the body or the query and is not there.
    pub fn unknown_in_body(field: &str, id: impl fmt::Display) -> Self {
        Self::bad(format!("{field}: Unknown object: {id}"))
    }

    pub fn not_an_id(field: &str, value: impl fmt::Display) -> Self {
        Self::bad(format!("{field}: Not a recognized ID: {value}"))
    }

    pub fn missing(field: &str) -> Self {
        Self::bad(format!("{field}: Missing input"))
    }

    pub fn no_write(field: &str) -> Self {
        Self::bad(format!("{field}: Cannot write this property"))
    }

    pub fn forbidden(what: &str) -> Self {
        Self::new(403, format!("You do not have access to this {what}."))
    }

    pub fn too_many(retry_after: u64) -> Self {
        Self {
            status: 429,
            message: "You've made too many requests and hit a rate limit. \
                      Please retry after the given amount of time."
                .to_owned(),
            retry_after: Some(retry_after),
        }
    }

    pub fn body(&self) -> String {
        let mut w = Json::default();
        w.raw("{\"errors\":[{\"message\":");
        w.string(&self.message);
        w.raw(",\"help\":");
        w.string(HELP);
        w.raw("}]}");
        w.finish()
    }
}
