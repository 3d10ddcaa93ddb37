//! Where Asana delivers: `POST /hooks/asana/{token}`.
//!
//! A request is judged in the order of what it costs: its token (arithmetic), its registration (kept in memory),
//! whether there is room, then its body, its signature and its form. Success is answered only after the delivery
//! was committed, and nothing else happens before the answer.
//!
//! It never answers 410, which would make Asana delete the webhook, and never shows what a body holds.

mod body;

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use bytes::Bytes;
use connector::hooks::event;
use connector::hooks::handshake;
use connector::hooks::ingest::{Delivery, Ingest, MAX_BODY_BYTES};
use connector::hooks::registry::{Active, Registry, Standing};
use connector::hooks::token::{PATH, TokenDigest, Tokens};
use connector::ids::{ConnectionId, DeliveryId};
use connector::node::chain;
use connector::{Code, Engine};
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::doors;
pub use crate::doors::Doors;

/// Longest time for a whole request. Asana waits 10 seconds and then sends it again; a refusal in time is better.
const ANSWER_WITHIN: Duration = Duration::from_secs(9);
/// Longest time for reading a body.
const READ_WITHIN: Duration = Duration::from_secs(4);
/// What is asked of those that are refused for now, in seconds. Asana backs off by itself.
const RETRY_SECONDS: &str = "5";
/// A handshake's secret, and the header it is answered with.
const SECRET: &str = "x-hook-secret";
/// The signature. `X-Asana-Request-Signature` belongs to app components and is no substitute.
const SIGNATURE: &str = "x-hook-signature";

/// Judges requests. One for the process, however many listeners there are.
#[derive(Debug)]
pub struct Receiver {
    engine: Arc<Engine>,
    ingest: Arc<Ingest>,
    tokens: Tokens,
    registry: Registry,
}

/// The answer to a request.
type Answer = Response<Body>;

impl Receiver {
    /// A receiver whose deliveries go to `ingest`.
    #[must_use]
    pub fn new(engine: Arc<Engine>, ingest: Arc<Ingest>) -> Arc<Receiver> {
        let tokens = Tokens::new(&engine.master);
        Arc::new(Receiver { engine, ingest, tokens, registry: Registry::default() })
    }

    /// What is known of registrations, for looking at.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Answers one request, always, and in time.
    pub async fn answer<B>(&self, request: Request<B>) -> Answer
    where
        B: HttpBody<Data = Bytes> + Unpin,
    {
        let (parts, body) = request.into_parts();
        tokio::time::timeout(ANSWER_WITHIN, self.judge(&parts, body)).await.unwrap_or_else(|_| not_now())
    }

    async fn judge<B>(&self, parts: &Parts, body: B) -> Answer
    where
        B: HttpBody<Data = Bytes> + Unpin,
    {
        // the public address may have a path of its own, which a proxy may have cut off or not
        let token = parts.uri.path().rsplit_once(PATH).map(|(_, token)| token);
        let Some((connection, digest)) = token.and_then(|token| self.tokens.read(token)) else {
            return plain(StatusCode::NOT_FOUND);
        };
        if parts.method != Method::POST {
            return plain(StatusCode::METHOD_NOT_ALLOWED);
        }
        let standing = match self.registry.standing(&self.engine, connection, digest).await {
            Ok(standing) => standing,
            Err(error) => {
                tracing::warn!(%connection, error = chain(&error), "a webhook's registration cannot be looked up");
                return not_now();
            }
        };
        if let Some(secret) = parts.headers.get(SECRET) {
            return self.handshake(connection, &digest, &standing, secret).await;
        }
        match &*standing {
            Standing::Active(active) => self.delivery(connection, active, parts, body).await,
            // its handshake is not confirmed yet: whose delivery this is cannot be told
            Standing::Pending => not_now(),
            Standing::Ended => plain(StatusCode::NOT_FOUND),
        }
    }

    async fn handshake(
        &self,
        connection: ConnectionId,
        digest: &TokenDigest,
        standing: &Standing,
        secret: &HeaderValue,
    ) -> Answer {
        let offered = match (standing, secret.to_str()) {
            (Standing::Pending, Ok(text)) => SecretString::from(text),
            _ => return plain(StatusCode::FORBIDDEN),
        };
        match handshake::offer(&self.engine, connection, digest, &offered).await {
            Ok(true) => {
                // it becomes active soon
                self.registry.forget(digest);
                let mut answer = plain(StatusCode::OK);
                answer.headers_mut().insert(SECRET, secret.clone());
                answer
            }
            Ok(false) => plain(StatusCode::FORBIDDEN),
            Err(error) => {
                tracing::warn!(%connection, error = chain(&error), "a handshake cannot be answered");
                not_now()
            }
        }
    }

    async fn delivery<B>(
        &self,
        connection: ConnectionId,
        active: &Active,
        parts: &Parts,
        mut body: B,
    ) -> Answer
    where
        B: HttpBody<Data = Bytes> + Unpin,
    {
        if !may_be_json(&parts.headers) {
            return plain(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        }
        let announced = announced_bytes(&parts.headers);
        if announced.is_some_and(|bytes| bytes > MAX_BODY_BYTES) {
            body::discard(&mut body).await;
            return plain(StatusCode::PAYLOAD_TOO_LARGE);
        }
        let Some(admission) = self.ingest.admit(announced.unwrap_or(MAX_BODY_BYTES)) else {
            tracing::debug!(%connection, "too many deliveries at once");
            return not_now();
        };
        let read = tokio::time::timeout(READ_WITHIN, body::read(&mut body, announced, MAX_BODY_BYTES)).await;
        let bytes = match read {
            Ok(Ok(bytes)) => bytes,
            Ok(Err(body::Unread::TooLarge)) => return plain(StatusCode::PAYLOAD_TOO_LARGE),
            Ok(Err(body::Unread::Broken)) => return plain(StatusCode::BAD_REQUEST),
            Err(_) => return plain(StatusCode::REQUEST_TIMEOUT),
        };
        if !is_signed(&parts.headers, active, &bytes) {
            self.ingest.notes().rejected(connection, active.webhook);
            let code = Code::HookForged.info().code;
            tracing::debug!(%connection, webhook = %active.webhook, code, "a delivery's signature is bad or missing");
            return plain(StatusCode::UNAUTHORIZED);
        }
        let Some((text, events)) = read_events(active, bytes) else {
            let code = Code::HookUnreadable.info().code;
            tracing::warn!(%connection, webhook = %active.webhook, code, "a signed delivery cannot be read");
            return plain(StatusCode::BAD_REQUEST);
        };
        self.ingest.notes().delivered(connection, active.webhook);
        if events.is_empty() {
            return plain(StatusCode::OK);
        }
        let (id, webhook) = (DeliveryId::new(), active.webhook);
        let delivery = Delivery { id, connection, webhook, body: text, events };
        match self.ingest.commit(admission, delivery).await {
            Ok(()) => plain(StatusCode::OK),
            Err(_) => not_now(),
        }
    }
}

/// Takes deliveries, and serves nothing else, until `stop` turns true; what is under way then gets a few seconds.
pub async fn serve(
    listener: TcpListener,
    receiver: Arc<Receiver>,
    doors: Doors,
    stop: watch::Receiver<bool>,
) {
    let answer = move |request| {
        let receiver = receiver.clone();
        async move { receiver.answer(request).await }
    };
    doors::serve(listener, doors, stop, answer).await;
}

/// Exactly one signature, and that of the body.
fn is_signed(headers: &HeaderMap, active: &Active, body: &[u8]) -> bool {
    let mut signatures = headers.get_all(SIGNATURE).iter();
    match (signatures.next(), signatures.next()) {
        (Some(signature), None) => active.verifier.accepts(signature.as_bytes(), body),
        _ => false,
    }
}

/// The text of a signed body and its events. A heartbeat's list is empty; no text at all says no more.
fn read_events(active: &Active, bytes: Vec<u8>) -> Option<(String, Vec<event::Event>)> {
    let text = String::from_utf8(bytes).ok()?;
    if text.is_empty() {
        return Some((text, Vec::new()));
    }
    let events = event::read(active.kind, &text).ok()?;
    Some((text, events))
}

/// Refuses only what says that it is something else. Nothing is said of the letters' case or the charset.
fn may_be_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE) else { return true };
    let Ok(text) = value.to_str() else { return false };
    let essence = text.split(';').next().unwrap_or_default().trim();
    essence.is_empty()
        || essence.eq_ignore_ascii_case("application/json")
        || essence.eq_ignore_ascii_case("text/json")
        || essence.to_ascii_lowercase().ends_with("+json")
}

/// How long the body says it is; `None` when it does not say.
fn announced_bytes(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn plain(status: StatusCode) -> Answer {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = status;
    answer
}

fn not_now() -> Answer {
    let mut answer = plain(StatusCode::SERVICE_UNAVAILABLE);
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(RETRY_SECONDS));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(value: &str) -> bool {
        may_be_json(&HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_str(value).unwrap())]))
    }

    #[test]
    fn only_what_says_it_is_something_else_has_the_wrong_type() {
        assert!(may_be_json(&HeaderMap::new()));
        for good in [
            "application/json",
            "application/json; charset=UTF-8",
            "Application/JSON;charset=latin1;x=y",
            "application/vnd.asana+json",
            "text/json",
            "",
        ] {
            assert!(typed(good), "{good}");
        }
        for bad in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=json",
            "application/jsonp",
        ] {
            assert!(!typed(bad), "{bad}");
        }
    }
}
