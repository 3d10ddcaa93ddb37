//! What every API request passes on its way to a stand-in: faults, counting, recording.
//!
//! Pages for people pass it untouched.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use axum::http::{HeaderMap, Request, Response, StatusCode};
use futures_util::{Stream, StreamExt as _, stream};
use tower::ServiceExt as _;

use crate::calls::{Calls, Exchange, now_us};
use crate::faults::{Fault, Faults, Side};

/// Largest request body that is read, in bytes; a batch of the largest attachments stays below.
const MAX_REQUEST_BYTES: usize = 128 * 1024 * 1024;

/// Paths whose newest answer is kept.
const PAGES_KEPT: usize = 64;

/// The connection ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("connection dropped on demand")]
pub(crate) struct Dropped;

/// One listener's way to its router.
#[derive(Clone)]
pub(crate) struct Gate {
    router: Router,
    /// Path prefixes of the API and the side that each belongs to.
    sides: &'static [(&'static str, Side)],
    faults: Faults,
    calls: Calls,
    /// The newest successful answer by path, for repeating it.
    last_pages: Arc<Mutex<HashMap<String, Bytes>>>,
}

impl Gate {
    pub(crate) fn new(
        router: Router,
        sides: &'static [(&'static str, Side)],
        faults: Faults,
        calls: Calls,
    ) -> Self {
        Self { router, sides, faults, calls, last_pages: Arc::default() }
    }

    /// Answers a request, or drops its connection.
    pub(crate) async fn pass(&self, request: Request<Body>) -> Result<Response<Body>, Dropped> {
        let path = request.uri().path();
        let side = self.sides.iter().find(|(prefix, _)| path.starts_with(prefix)).map(|(_, side)| *side);
        let Some(side) = side else { return Ok(self.call(request).await) };
        let path = path.to_owned();
        let method = request.method().as_str().to_owned();
        let target = request.uri().path_and_query().map_or(path.as_str(), |both| both.as_str()).to_owned();
        let (request, mut exchange) = self.begin_exchange(side, &target, request).await;
        let faults = self.faults.strike(side, &method, &target);
        let result = self.handle(request, &path, faults, exchange.as_mut()).await;
        let status = result.as_ref().ok().map(|response| response.status().as_u16());
        self.calls.add(side, &method, &path, status);
        if let Some(mut exchange) = exchange {
            exchange.status = status;
            exchange.answered_us = now_us();
            if let Ok(response) = &result {
                exchange.response_headers = headers_of(response.headers());
            }
            self.calls.keep(exchange);
        }
        result
    }

    async fn begin_exchange(
        &self,
        side: Side,
        target: &str,
        request: Request<Body>,
    ) -> (Request<Body>, Option<Exchange>) {
        if !self.calls.is_recording() {
            return (request, None);
        }
        let (parts, body) = request.into_parts();
        let bytes = to_bytes(body, MAX_REQUEST_BYTES).await.unwrap_or_default();
        let exchange = Exchange {
            side,
            method: parts.method.as_str().to_owned(),
            target: target.to_owned(),
            request_headers: headers_of(&parts.headers),
            request_body: String::from_utf8_lossy(&bytes).into_owned(),
            came_us: now_us(),
            answered_us: 0,
            status: None,
            response_headers: Vec::new(),
            response_body: String::new(),
            spoilt_by: None,
        };
        (Request::from_parts(parts, Body::from(bytes)), Some(exchange))
    }

    async fn handle(
        &self,
        request: Request<Body>,
        path: &str,
        faults: Vec<Fault>,
        exchange: Option<&mut Exchange>,
    ) -> Result<Response<Body>, Dropped> {
        let mut chosen = None;
        for fault in faults {
            match fault {
                Fault::Delay { ms } => tokio::time::sleep(Duration::from_millis(ms)).await,
                Fault::DropBefore => return Err(Dropped),
                Fault::TimeoutBefore { ms } => {
                    tokio::time::sleep(Duration::from_millis(ms)).await;
                    return Err(Dropped);
                }
                Fault::Status { status, retry_after, body, html } => {
                    return Ok(stand_in_status(status, retry_after.as_deref(), body, html));
                }
                Fault::HtmlPage => return Ok(stand_in_status(200, None, None, true)),
                other => chosen = Some(other),
            }
        }
        let (mut parts, body) = self.call(request).await.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
        if let Some(exchange) = exchange {
            exchange.response_body = String::from_utf8_lossy(&bytes).into_owned();
            exchange.spoilt_by.clone_from(&chosen);
        }
        parts.headers.remove(CONTENT_LENGTH);
        let body = match chosen {
            None => {
                self.remember(path, parts.status, &bytes);
                Body::from(bytes)
            }
            Some(Fault::RepeatPage) => Body::from(self.last_page(path).unwrap_or(bytes)),
            Some(Fault::MalformedJson) => Body::from(bytes.slice(..bytes.len() / 2)),
            Some(Fault::TruncatedBody) => {
                parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
                Body::from_stream(half_of(bytes))
            }
            Some(Fault::TimeoutAfter { ms }) => {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                return Err(Dropped);
            }
            Some(_) => return Err(Dropped),
        };
        Ok(Response::from_parts(parts, body))
    }

    async fn call(&self, request: Request<Body>) -> Response<Body> {
        match self.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    fn remember(&self, path: &str, status: StatusCode, bytes: &Bytes) {
        if status == StatusCode::OK {
            let mut pages = self.last_pages.lock().unwrap_or_else(PoisonError::into_inner);
            // Only collections are paged; a kept answer per item would fill the memory.
            if pages.contains_key(path) || pages.len() < PAGES_KEPT {
                pages.insert(path.to_owned(), bytes.clone());
            }
        }
    }

    fn last_page(&self, path: &str) -> Option<Bytes> {
        self.last_pages.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned()
    }
}

/// Half of the body, then an error. What came before it must be on its way first, or the client
/// would not even see the status.
fn half_of(bytes: Bytes) -> impl Stream<Item = Result<Bytes, Dropped>> {
    let half = bytes.slice(..bytes.len() / 2);
    stream::once(async { Ok(half) }).chain(stream::once(async {
        tokio::task::yield_now().await;
        Err(Dropped)
    }))
}

fn headers_of(headers: &HeaderMap) -> Vec<(String, String)> {
    let show = |name: &str, value: &HeaderValue| match name {
        "authorization" => "(left out)".to_owned(),
        _ => String::from_utf8_lossy(value.as_bytes()).into_owned(),
    };
    headers.iter().map(|(name, value)| (name.to_string(), show(name.as_str(), value))).collect()
}

fn stand_in_status(
    status: u16,
    retry_after: Option<&str>,
    body: Option<String>,
    html: bool,
) -> Response<Body> {
    let page = || {
        format!(
            "<!DOCTYPE html><html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>"
        )
    };
    let text = body.unwrap_or_else(|| if html { page() } else { String::new() });
    let content_type = match text.chars().find(|letter| !letter.is_whitespace()) {
        _ if html => "text/html; charset=UTF-8",
        Some('{' | '[') => "application/json",
        _ => "text/plain",
    };
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Some(value) = retry_after.and_then(|text| HeaderValue::from_str(text).ok()) {
        response.headers_mut().insert(RETRY_AFTER, value);
    }
    response
}
