//! The token endpoint of the identity domain: OAuth 2.0 client credentials.

use std::collections::HashMap;
use std::sync::Mutex;

use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, Response, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::errors::body;

/// The one client that the identity domain knows.
#[derive(Clone)]
pub struct OracleConfig {
    /// Client id; also the name of the Fusion user whose roles count.
    pub client_id: String,
    /// Client secret. It protects made-up data only.
    pub client_secret: String,
    /// The only scope that is granted.
    pub scope: String,
}

impl Default for OracleConfig {
    fn default() -> Self {
        Self {
            client_id: "sandbox-client".to_owned(),
            client_secret: "sandbox-secret".to_owned(),
            scope: "urn:opc:resource:fa:instanceid=sandboxurn:opc:resource:consumer::all".to_owned(),
        }
    }
}

impl std::fmt::Debug for OracleConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OracleConfig")
            .field("client_id", &self.client_id)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

/// Tokens that were given out, with the instant at which each ends.
#[derive(Default)]
pub(crate) struct Tokens(Mutex<HashMap<String, Timestamp>>);

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").field("issued", &self.lock().len()).finish_non_exhaustive()
    }
}

impl Tokens {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Timestamp>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// A new token, shaped like the JWT that an identity domain signs.
    fn issue(&self, client: &str, now: Timestamp, lifetime_seconds: i64) -> String {
        let ends = now.checked_add(SignedDuration::from_secs(lifetime_seconds)).unwrap_or(Timestamp::MAX);
        let header = URL_SAFE_NO_PAD.encode(br#"{"alg":"RS256","typ":"JWT","kid":"SIGNING_KEY"}"#);
        let claims = format!(
            r#"{{"sub":"{client}","iss":"https://identity.oraclecloud.com/","exp":{},"jti":"{}"}}"#,
            ends.as_second(),
            uuid::Uuid::new_v4()
        );
        let claims = URL_SAFE_NO_PAD.encode(claims);
        let signature = URL_SAFE_NO_PAD.encode(Sha256::digest(claims.as_bytes()));
        let token = format!("{header}.{claims}.{signature}");
        self.lock().insert(token.clone(), ends);
        token
    }

    /// Whether the request carries a token that was given out and has not ended.
    pub(crate) fn accepts(&self, headers: &HeaderMap, now: Timestamp) -> bool {
        let token = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = token.and_then(|value| value.strip_prefix("Bearer "));
        token.is_some_and(|token| self.lock().get(token).is_some_and(|ends| now < *ends))
    }

    pub(crate) fn revoke_all(&self) {
        self.lock().clear();
    }
}

fn refused(status: StatusCode, error: &str, description: &str) -> Response<Body> {
    let text = format!("{{\"error\":\"{error}\",\"error_description\":\"{description}\"}}");
    let mut response = body(status, "application/json", text);
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"IDCS\""));
    }
    response
}

/// Client id and secret of HTTP Basic authentication; both parts are form-encoded (RFC 6749, 2.3.1).
fn basic_client(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let decoded = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

fn same_secret(given: &str, expected: &str) -> bool {
    let form_decoded = url::form_urlencoded::parse(format!("s={given}").as_bytes())
        .next()
        .map(|(_, value)| value.into_owned());
    given == expected || form_decoded.as_deref() == Some(expected)
}

/// Answers a token request.
pub(crate) fn grant(
    tokens: &Tokens,
    config: &OracleConfig,
    now: Timestamp,
    lifetime_seconds: i64,
    headers: &HeaderMap,
    form: &[u8],
) -> Response<Body> {
    let known = basic_client(headers)
        .is_some_and(|(id, secret)| id == config.client_id && same_secret(&secret, &config.client_secret));
    if !known {
        return refused(StatusCode::UNAUTHORIZED, "invalid_client", "Client authentication failed.");
    }
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !content_type.starts_with("application/x-www-form-urlencoded") {
        return refused(StatusCode::BAD_REQUEST, "invalid_request", "The body is not a form.");
    }
    let field = |name: &str| {
        url::form_urlencoded::parse(form).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    match field("grant_type").as_deref() {
        Some("client_credentials") => {}
        Some(_) => {
            return refused(
                StatusCode::BAD_REQUEST,
                "unsupported_grant_type",
                "The grant type is not supported.",
            );
        }
        None => return refused(StatusCode::BAD_REQUEST, "invalid_request", "The grant type is missing."),
    }
    if field("scope").as_deref() != Some(config.scope.as_str()) {
        return refused(StatusCode::BAD_REQUEST, "invalid_scope", "The scope is unknown or not allowed.");
    }
    let token = tokens.issue(&config.client_id, now, lifetime_seconds);
    let text = format!(
        "{{\"access_token\":\"{token}\",\"token_type\":\"Bearer\",\"expires_in\":{lifetime_seconds}}}"
    );
    let mut response = body(StatusCode::OK, "application/json;charset=UTF-8", text);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
