//! One HTTP exchange: sent once, never redirected, read up to a limit.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use outbound::Ending;
use outbound::exchange::Begun;
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{ClientBuilder, RequestBuilder, Response};

use crate::config::Config;
use crate::error::Error;

/// The largest body that is read, in bytes: 499 orders with a hundred lines each are about 30 MB.
pub(crate) const MAX_BODY: usize = 64 << 20;
/// A connection that was idle for longer is not used again, in seconds.
const IDLE: Duration = Duration::from_secs(60);

/// Sends requests and counts them.
pub(crate) struct Transport {
    client: reqwest::Client,
    import_client: reqwest::Client,
    sent: AtomicU64,
}

/// An answer of any status.
pub(crate) struct Answer {
    pub status: u16,
    pub html: bool,
    pub retry_after: Option<Duration>,
    pub body: Vec<u8>,
}

/// An exchange that brought no whole answer.
pub(crate) enum Failure {
    Unreachable(reqwest::Error),
    TimedOut(reqwest::Error),
    CutOff,
    TooLarge,
}

impl Failure {
    fn ending(&self) -> Ending {
        match self {
            Failure::Unreachable(error) if error.is_connect() => Ending::Unreachable,
            Failure::TimedOut(_) => Ending::TimedOut,
            Failure::Unreachable(_) | Failure::CutOff => Ending::Dropped,
            Failure::TooLarge => Ending::TooLarge,
        }
    }
}

impl Transport {
    pub fn new(config: &Config) -> Result<Self, Error> {
        let client = build(builder(config, config.timeouts.read).pool_idle_timeout(IDLE))?;
        let import_client = build(builder(config, config.timeouts.import).pool_max_idle_per_host(0))?;
        Ok(Self { client, import_client, sent: AtomicU64::new(0) })
    }

    pub fn client(&self) -> &reqwest::Client {
        &self.client
    }

    /// For what must not happen twice. Every request gets a connection of its own: one that was idle may be
    /// closed by the server just as it is used again, which leaves unknown what became of the request.
    pub fn import_client(&self) -> &reqwest::Client {
        &self.import_client
    }

    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Sends a request and reads its answer; `what` names it where exchanges are noted.
    pub async fn exchange(&self, what: &'static str, request: RequestBuilder) -> Result<Answer, Failure> {
        outbound::right::may_leave().await;
        self.sent.fetch_add(1, Ordering::Relaxed);
        let begun = Begun::now(what);
        let answer = Self::answer(request).await;
        match &answer {
            Ok(answer) => begun.ended(Ending::Answered, Some(answer.status), None),
            Err(failure) => begun.ended(failure.ending(), None, None),
        }
        answer
    }

    async fn answer(request: RequestBuilder) -> Result<Answer, Failure> {
        let response = request.send().await.map_err(|error| {
            let error = error.without_url();
            if error.is_timeout() { Failure::TimedOut(error) } else { Failure::Unreachable(error) }
        })?;
        let status = response.status().as_u16();
        let retry_after = retry_after(response.headers());
        let declared_html = is_html(response.headers());
        let body = read_body(response).await?;
        let html = declared_html || starts_as_html(&body);
        Ok(Answer { status, html, retry_after, body })
    }
}

fn builder(config: &Config, timeout: Duration) -> ClientBuilder {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .timeout(timeout)
        .connect_timeout(config.connect_timeout)
        .user_agent(concat!("oracle-fusion/", env!("CARGO_PKG_VERSION")))
}

fn build(builder: ClientBuilder) -> Result<reqwest::Client, Error> {
    builder.build().map_err(|error| Error::Config(format!("no HTTP client: {error}")))
}

async fn read_body(mut response: Response) -> Result<Vec<u8>, Failure> {
    let announced = response.content_length().and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    if announced > MAX_BODY {
        return Err(Failure::TooLarge);
    }
    let mut body = Vec::with_capacity(announced);
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > MAX_BODY => return Err(Failure::TooLarge),
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body),
            Err(error) if error.is_timeout() => return Err(Failure::TimedOut(error.without_url())),
            Err(_) => return Err(Failure::CutOff),
        }
    }
}

fn is_html(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.is_some_and(|value| value.to_ascii_lowercase().contains("html"))
}

fn starts_as_html(body: &[u8]) -> bool {
    body.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'<')
}

/// Seconds, or the date until which to wait.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let until = jiff::fmt::rfc2822::parse(value).ok()?.timestamp();
    Some(Duration::try_from(until.duration_since(Timestamp::now())).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    fn waiting(value: &str) -> Option<Duration> {
        retry_after(&HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_str(value).unwrap())]))
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(waiting("120"), Some(Duration::from_secs(120)));
        assert_eq!(waiting("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        assert!(waiting("Wed, 21 Oct 2099 07:28:00 GMT").unwrap() > Duration::from_secs(1_000_000));
        assert_eq!(waiting("soon"), None);
    }

    #[test]
    fn a_page_is_known_by_its_first_character() {
        assert!(starts_as_html(b"\r\n <!doctype html>"));
        assert!(!starts_as_html(b"{\"a\":\"<\"}"));
        assert!(!starts_as_html(b""));
    }
}
