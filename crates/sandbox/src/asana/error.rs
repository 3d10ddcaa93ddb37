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
    /// A code that some refusals carry, with the message repeated for users; neither is documented.
    pub code: Option<&'static str>,
    /// The token that a 412 gives to go on with.
    pub sync: Option<String>,
}

impl Fail {
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), retry_after: None, code: None, sync: None }
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
        let message = "You've made too many requests and hit a rate limit. \
                       Please retry after the given amount of time.";
        Self { retry_after: Some(retry_after), ..Self::new(429, message) }
    }

    pub fn body(&self) -> String {
        let mut w = Json::default();
        w.raw("{\"errors\":[{");
        if let Some(code) = self.code {
            w.raw("\"error\":");
            w.string(code);
            w.raw(",\"user_message\":");
            w.string(&self.message);
            w.raw(",");
        }
        w.raw("\"message\":");
        w.string(&self.message);
        w.raw(",\"help\":");
        w.string(HELP);
        w.raw("}]");
        if let Some(sync) = &self.sync {
            w.raw(",\"sync\":");
            w.string(sync);
        }
        w.raw("}");
        w.finish()
    }
}
