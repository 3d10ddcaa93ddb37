//! Errors as Oracle answers them: structured from framework version 4, plain text before.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::http::{Response, StatusCode};

use super::value::write_string;

/// Media type of structured errors.
pub(crate) const ERROR_TYPE: &str = "application/vnd.oracle.adf.error+json";

/// An answer other than success.
pub(crate) type Refusal = Box<Response<Body>>;

/// How a request wants its errors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ErrorForm {
    structured: bool,
}

impl ErrorForm {
    /// Structured errors need version 4 and an `Accept` that asks for them.
    pub(crate) fn new(version: u8, accept: Option<&str>) -> Self {
        Self { structured: version >= 4 && accept.is_some_and(|accept| accept.contains(ERROR_TYPE)) }
    }

    /// An error with a sentence and, where Oracle gives one, a code and the path of the attribute.
    pub(crate) fn answer(self, status: StatusCode, detail: &str, path: Option<&str>) -> Refusal {
        if !self.structured {
            return Box::new(body(status, "text/plain", detail.to_owned()));
        }
        let title = status.canonical_reason().unwrap_or("Error");
        let mut out = format!("{{\"title\":\"{title}\",\"status\":\"{}\",\"detail\":", status.as_u16());
        write_string(&mut out, detail);
        out.push_str(",\"o:errorDetails\":[{\"detail\":");
        write_string(&mut out, detail);
        out.push_str(",\"o:errorCode\":\"27024\"");
        if let Some(path) = path {
            out.push_str(",\"o:errorPath\":");
            write_string(&mut out, path);
        }
        out.push_str("}]}");
        Box::new(body(status, ERROR_TYPE, out))
    }

    pub(crate) fn bad_request(self, detail: &str) -> Refusal {
        self.answer(StatusCode::BAD_REQUEST, detail, None)
    }

    pub(crate) fn not_found(self) -> Refusal {
        self.answer(StatusCode::NOT_FOUND, "Not Found", None)
    }
}

/// An answer with a body of the given type.
pub(crate) fn body(status: StatusCode, content_type: &'static str, text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// A page from the front door, as proxies send it in place of JSON.
pub(crate) fn html(status: StatusCode, title: &str, text: &str) -> Response<Body> {
    let page = format!(
        "<!DOCTYPE html>\n<html><head><title>{title}</title></head><body><h1>{title}</h1><p>{text}</p></body></html>\n"
    );
    body(status, "text/html; charset=UTF-8", page)
}
