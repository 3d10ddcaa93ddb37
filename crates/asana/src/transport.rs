//! Sending one request and reading its answer.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use outbound::exchange::Begun;
use outbound::{Ending, backoff};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, Response};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use url::Url;

use crate::address;
use crate::budget::{Budget, registry};
use crate::config::{BudgetSettings, Config, Kind, Timeouts};
use crate::error::Error;
use crate::refusal;

/// Largest answer that is read, in bytes. A page of 100 tasks with long notes stays far below.
pub const MAX_RESPONSE_BYTES: usize = 32 * 1024 * 1024;

/// Most different announcements of changes that are remembered, to log each only once.
const MAX_CHANGES_REMEMBERED: usize = 200;

/// Header in which Asana announces a breaking change that this request would meet
/// (developers.asana.com, "Deprecations").
const CHANGE_HEADER: &str = "asana-change";

const USER_AGENT: &str = concat!("ml-connector-asana/", env!("CARGO_PKG_VERSION"));

/// One request to be sent.
pub(crate) struct Call<'a> {
    /// Name of the operation, for errors and logs.
    pub(crate) operation: &'static str,
    pub(crate) method: Method,
    pub(crate) kind: Kind,
    pub(crate) path: &'a [&'a str],
    pub(crate) query: &'a [(&'a str, &'a str)],
    pub(crate) body: Option<&'a str>,
}

/// An answer with a status of success.
pub(crate) struct Received {
    pub(crate) operation: &'static str,
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Received {
    /// Reads the body as JSON of this form.
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_str(&self.body).map_err(|error| Error::Malformed {
            operation: self.operation,
            status: self.status,
            reason: if self.body.trim_start().starts_with('<') {
                "a page of HTML or XML instead of JSON".into()
            } else {
                error.to_string()
            },
        })
    }
}

pub(crate) struct Transport {
    http: reqwest::Client,
    base: Url,
    token: SecretString,
    authorization: HeaderValue,
    budget: Arc<Budget>,
    timeouts: Timeouts,
    patience: Duration,
    requests: AtomicU64,
    answered: AtomicU64,
    rate_limited: AtomicU64,
    changes: Mutex<BTreeSet<String>>,
}

impl Transport {
    pub(crate) fn new(config: Config) -> Result<Transport, Error> {
        config.check()?;
        let token = config.token.expose_secret();
        if token.is_empty() {
            return Err(Error::Config("the token is empty".into()));
        }
        let mut authorization = HeaderValue::from_str(&format!("Bearer {token}"))
            .map_err(|_| Error::Config("the token has characters that a header cannot carry".into()))?;
        authorization.set_sensitive(true);
        let http = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(config.connect_timeout)
            // A redirect would carry the token, or a write, to an address nobody configured.
            .redirect(reqwest::redirect::Policy::none())
            // What is sent again is decided by the caller, and must be counted.
            .retry(reqwest::retry::never())
            .referer(false)
            .build()
            .map_err(|error| Error::Config(format!("the HTTP client cannot be built: {error}")))?;
        let budget = registry::budget(&config.base, &config.token, &config.budget);
        if let Some(source) = config.shared {
            budget.share(source);
        }
        Ok(Transport {
            http,
            base: config.base,
            token: config.token,
            authorization,
            budget,
            timeouts: config.timeouts,
            patience: config.patience,
            requests: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            rate_limited: AtomicU64::new(0),
            changes: Mutex::new(BTreeSet::new()),
        })
    }

    /// Waits for the budget, sends the request and reads the answer. A read that was told to wait is sent again
    /// after that time, while the client's patience lasts.
    pub(crate) async fn send(&self, call: &Call<'_>) -> Result<Received, Error> {
        let until = Instant::now() + self.patience;
        let latest = (!self.patience.is_zero()).then_some(until);
        let mut attempt = 0;
        loop {
            let answer = self.send_once(call, latest).await;
            let Err(Error::RateLimited { retry_after, .. }) = &answer else { return answer };
            attempt += 1;
            let wait = backoff::wait(attempt, *retry_after).max(self.budget.paused());
            if matches!(call.kind, Kind::Write | Kind::Webhook) || Instant::now() + wait > until {
                return answer;
            }
            self.budget.pause(Some(wait));
        }
    }

    async fn send_once(&self, call: &Call<'_>, latest: Option<Instant>) -> Result<Received, Error> {
        let url = address::resource(&self.base, call.path, call.query)?;
        let mut request = self
            .http
            .request(call.method.clone(), url)
            .header(AUTHORIZATION, self.authorization.clone())
            .header(ACCEPT, "application/json")
            .timeout(self.timeouts.of(call.kind));
        if let Some(body) = call.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_owned());
        }
        let entered = self.budget.enter(call.kind.into(), latest).await;
        let _slot = entered.map_err(|left| refusal::still_busy(call.operation, left))?;
        outbound::right::may_leave().await;
        self.requests.fetch_add(1, Ordering::Relaxed);
        let begun = Begun::now(call.operation);
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => {
                let error = lost(call.operation, error);
                begun.ended(ending(&error), None, None);
                return Err(error);
            }
        };
        let status = answer.status().as_u16();
        let elapsed_ms = begun.elapsed().as_millis();
        tracing::debug!(operation = call.operation, status, elapsed_ms, "Asana answered");
        if !matches!(status, 401 | 424 | 429 | 500..) {
            self.answered.fetch_add(1, Ordering::Relaxed);
        }
        self.note_changes(call.operation, answer.headers());
        let judged = self.judge(call.operation, status, answer).await;
        let (ending, phrase) = match &judged {
            Ok(_) => (Ending::Answered, None),
            // the one thing by which Asana's support finds a request again, with a 500
            Err(error) => (ending(error), error.refusal().and_then(|refusal| refusal.phrase.clone())),
        };
        begun.ended(ending, Some(status), phrase);
        judged
    }

    async fn judge(&self, operation: &'static str, status: u16, answer: Response) -> Result<Received, Error> {
        let retry_after = refusal::retry_after(answer.headers(), Timestamp::now());
        if matches!(status, 424 | 429) {
            // Before the body is read, so that no other request leaves meanwhile.
            self.budget.pause(retry_after);
            self.rate_limited.fetch_add(1, Ordering::Relaxed);
            tracing::debug!(operation, ?retry_after, "Asana's rate limit was hit");
        }
        let body = read(operation, status, answer).await;
        match status {
            200..=299 => Ok(Received { operation, status, body: body? }),
            // The status alone decides; the body only explains, and may be missing.
            400..=599 => {
                let body = body.unwrap_or_default();
                Err(refusal::classify(operation, status, retry_after, &body, self.token.expose_secret()))
            }
            _ => Err(Error::Malformed { operation, status, reason: "an unexpected status".into() }),
        }
    }

    fn note_changes(&self, operation: &'static str, headers: &HeaderMap) {
        for value in headers.get_all(CHANGE_HEADER) {
            let change = String::from_utf8_lossy(value.as_bytes()).into_owned();
            let mut known = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
            if known.len() < MAX_CHANGES_REMEMBERED && !known.contains(&change) {
                tracing::warn!(operation, change, "Asana announces a change of its API");
                known.insert(change);
            }
        }
    }

    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    pub(crate) async fn rest(&self) {
        self.budget.rest().await;
    }

    pub(crate) fn set_budget(&self, settings: &BudgetSettings) -> Result<(), Error> {
        settings.check()?;
        self.budget.set(settings);
        Ok(())
    }

    pub(crate) fn paused(&self) -> Duration {
        self.budget.paused()
    }

    pub(crate) fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    pub(crate) fn rate_limited(&self) -> u64 {
        self.rate_limited.load(Ordering::Relaxed)
    }
}

/// Reads the body up to its limit.
async fn read(operation: &'static str, status: u16, mut answer: Response) -> Result<String, Error> {
    let malformed = |reason: &str| Error::Malformed { operation, status, reason: reason.into() };
    let announced = answer.content_length().unwrap_or(0);
    if announced > MAX_RESPONSE_BYTES as u64 {
        return Err(malformed("it is larger than 32 MiB"));
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| lost(operation, error))? {
        if body.len() + chunk.len() > MAX_RESPONSE_BYTES {
            return Err(malformed("it is larger than 32 MiB"));
        }
        body.extend_from_slice(&chunk);
    }
    String::from_utf8(body).map_err(|_| malformed("it is not UTF-8"))
}

/// How an exchange ended that ended with this error.
fn ending(error: &Error) -> Ending {
    match error {
        Error::Unreachable { .. } => Ending::Unreachable,
        Error::TimedOut { .. } => Ending::TimedOut,
        Error::Dropped { .. } => Ending::Dropped,
        _ => Ending::Answered,
    }
}

/// Tells apart what was certainly not sent from what may have arrived.
fn lost(operation: &'static str, error: reqwest::Error) -> Error {
    let (never_sent, too_late) = (error.is_connect(), error.is_timeout());
    if error.is_builder() {
        return Error::InvalidArgument(format!("the request cannot be built: {}", error.without_url()));
    }
    let source = Box::new(error.without_url());
    if never_sent {
        Error::Unreachable { operation, source }
    } else if too_late {
        Error::TimedOut { operation, source }
    } else {
        Error::Dropped { operation, source }
    }
}
