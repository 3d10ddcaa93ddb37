//! OAuth access tokens by client credentials.
//!
//! One token is kept and shared. It is used while more than five minutes of it remain; then the next call
//! fetches another, and every call that comes meanwhile waits for that same fetch.

mod error;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use jiff::Timestamp;
use reqwest::RequestBuilder;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use url::Url;

pub use error::{TokenError, TokenErrorKind};

use crate::config::Config;
use crate::error::cleaned;
use crate::http::{Answer, Failure, Transport};
use crate::number::Number;

/// A token is not used in its last five minutes, so that a slow request cannot outlive it.
const MARGIN: Duration = Duration::from_secs(300);
/// A token that lives no longer than [`MARGIN`] is used until this part of its life is left.
const SHORT_LIFE_PART: u32 = 10;
/// The documented life of a token, for an answer that does not say.
const USUAL_LIFE: Duration = Duration::from_secs(3600);
/// No token is trusted to live longer than this, whatever the answer says.
const MAX_LIFE: Duration = Duration::from_secs(24 * 3600);

/// What is known of the token in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenInfo {
    /// When it ends, by this machine's clock.
    pub expires_at: Timestamp,
}

pub(crate) struct Token {
    pub secret: SecretString,
    fetched: Instant,
    life: Duration,
    expires_at: Timestamp,
}

impl Token {
    pub fn info(&self) -> TokenInfo {
        TokenInfo { expires_at: self.expires_at }
    }

    fn is_fresh(&self) -> bool {
        is_fresh(self.fetched.elapsed(), self.life)
    }
}

/// Whether a token of that age and life is still used.
fn is_fresh(age: Duration, life: Duration) -> bool {
    let margin = if life > MARGIN { MARGIN } else { life / SHORT_LIFE_PART };
    life.saturating_sub(age) > margin
}

type Fetched = Result<Arc<Token>, TokenError>;
type Fetch = BoxFuture<'static, Fetched>;

#[derive(Default)]
struct State {
    token: Option<Arc<Token>>,
    /// Weak, so that a fetch that nobody waits for any more is dropped, and not resumed much later.
    fetch: Option<WeakShared<Fetch>>,
}

/// Obtains tokens and keeps the newest.
pub(crate) struct TokenSource {
    transport: Arc<Transport>,
    url: Url,
    client_id: String,
    client_secret: SecretString,
    scope: String,
    timeout: Duration,
    state: Mutex<State>,
}

impl TokenSource {
    pub fn new(config: &Config, transport: Arc<Transport>) -> Self {
        Self {
            transport,
            url: config.token_url.clone(),
            client_id: config.client_id.clone(),
            client_secret: config.client_secret.clone(),
            scope: config.scope.clone(),
            timeout: config.timeouts.token,
            state: Mutex::default(),
        }
    }

    /// The kept token, or the one that the fetch now under way brings.
    pub async fn get(self: &Arc<Self>) -> Fetched {
        let fetch = {
            let mut state = self.state();
            if let Some(token) = state.token.as_ref().filter(|token| token.is_fresh()) {
                return Ok(Arc::clone(token));
            }
            state.fetch.as_ref().and_then(WeakShared::upgrade).unwrap_or_else(|| {
                let fetch = Arc::clone(self).fetch_and_keep().boxed().shared();
                state.fetch = Shared::downgrade(&fetch);
                fetch
            })
        };
        fetch.await
    }

    /// Forgets this token, unless another has taken its place meanwhile.
    pub fn discard(&self, token: &Arc<Token>) {
        let mut state = self.state();
        if state.token.as_ref().is_some_and(|kept| Arc::ptr_eq(kept, token)) {
            state.token = None;
        }
    }

    pub fn client_secret(&self) -> &str {
        self.client_secret.expose_secret()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn fetch_and_keep(self: Arc<Self>) -> Fetched {
        let fetched = self.fetch().await.map(Arc::new);
        let mut state = self.state();
        state.fetch = None;
        state.token = fetched.as_ref().ok().cloned();
        if let Err(error) = &fetched {
            tracing::debug!(kind = ?error.kind, status = error.status, "no Oracle token");
        }
        fetched
    }

    async fn fetch(&self) -> Result<Token, TokenError> {
        let fetched = Instant::now();
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("scope", &self.scope)
            .finish();
        let request = self
            .request()
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded;charset=UTF-8")
            .header(ACCEPT, "application/json")
            .body(form);
        let answer = self.transport.exchange("token", request).await.map_err(failure)?;
        if (200..300).contains(&answer.status) {
            self.accept(&answer, fetched)
        } else {
            Err(self.refusal(&answer))
        }
    }

    fn request(&self) -> RequestBuilder {
        let request = self.transport.client().post(self.url.clone()).timeout(self.timeout);
        request.basic_auth(&self.client_id, Some(self.client_secret.expose_secret()))
    }

    /// Client id and secret as the request carries them, which the endpoint may repeat too.
    fn credentials(&self) -> SecretString {
        let request = self.request().build().ok();
        let header = request.as_ref().and_then(|request| request.headers().get(AUTHORIZATION)?.to_str().ok());
        SecretString::from(header.and_then(|header| header.strip_prefix("Basic ")).unwrap_or_default())
    }

    fn accept(&self, answer: &Answer, fetched: Instant) -> Result<Token, TokenError> {
        let refuse =
            |kind, text: &str| TokenError { status: Some(answer.status), ..TokenError::of(kind, text) };
        // an answer that cannot be read may still hold the token, so none of its text is kept
        if answer.html || !is_json(&answer.body) {
            return Err(refuse(TokenErrorKind::NotJson, ""));
        }
        let granted: Granted = serde_json::from_slice(&answer.body)
            .map_err(|_| refuse(TokenErrorKind::Malformed, "the answer is not a token's"))?;
        let usable =
            !granted.access_token.is_empty() && granted.access_token.bytes().all(|b| b.is_ascii_graphic());
        if !usable {
            return Err(refuse(TokenErrorKind::Malformed, "access_token is empty or holds odd characters"));
        }
        if granted.token_type.is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
            return Err(refuse(TokenErrorKind::Malformed, "token_type is not Bearer"));
        }
        let life = match granted.expires_in {
            None => USUAL_LIFE,
            Some(number) => {
                life(&number).ok_or_else(|| refuse(TokenErrorKind::Malformed, "expires_in is odd"))?
            }
        };
        let expires_at = Timestamp::now().checked_add(life).unwrap_or(Timestamp::MAX);
        Ok(Token { secret: SecretString::from(granted.access_token), fetched, life, expires_at })
    }

    fn refusal(&self, answer: &Answer) -> TokenError {
        let refused: Option<Refused> =
            if answer.html { None } else { serde_json::from_slice(&answer.body).ok() };
        let code = refused.as_ref().map(|refused| refused.error.as_str());
        let kind = match (answer.status, code) {
            (429, _) => TokenErrorKind::TooManyRequests,
            (500.., _) => TokenErrorKind::Unavailable,
            (_, Some("invalid_client")) | (401, _) => TokenErrorKind::InvalidClient,
            (_, Some("invalid_scope")) => TokenErrorKind::InvalidScope,
            (_, Some(_)) => TokenErrorKind::Refused,
            (_, None) => TokenErrorKind::NotJson,
        };
        let text = refused.map(|refused| match refused.error_description {
            Some(description) => format!("{}: {description}", refused.error),
            None => refused.error,
        });
        let credentials = self.credentials();
        let secrets = [credentials.expose_secret(), self.client_secret.expose_secret()];
        let text = cleaned(&text.unwrap_or_default(), &secrets);
        TokenError {
            status: Some(answer.status),
            retry_after: answer.retry_after,
            ..TokenError::of(kind, text)
        }
    }
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    token_type: Option<String>,
    expires_in: Option<Number>,
}

#[derive(Deserialize)]
struct Refused {
    error: String,
    error_description: Option<String>,
}

fn is_json(body: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok()
}

/// Whole seconds, rounded down.
fn life(expires_in: &Number) -> Option<Duration> {
    let seconds: u64 = expires_in.to_decimal().ok()?.trunc().try_into().ok()?;
    Some(Duration::from_secs(seconds).min(MAX_LIFE))
}

fn failure(failure: Failure) -> TokenError {
    let caused = |kind, cause| TokenError { cause: Some(Arc::new(cause)), ..TokenError::of(kind, "") };
    match failure {
        Failure::Unreachable(cause) => caused(TokenErrorKind::Unreachable, cause),
        Failure::TimedOut(cause) => caused(TokenErrorKind::TimedOut, cause),
        Failure::CutOff => TokenError::of(TokenErrorKind::Unreachable, "the answer was cut off"),
        Failure::TooLarge => TokenError::of(TokenErrorKind::NotJson, "the answer is too large"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn a_token_is_used_while_more_than_five_minutes_remain() {
        assert!(is_fresh(seconds(0), seconds(3600)));
        assert!(is_fresh(seconds(3299), seconds(3600)));
        assert!(!is_fresh(seconds(3300), seconds(3600)));
        assert!(!is_fresh(seconds(9999), seconds(3600)));
    }

    #[test]
    fn a_token_of_short_life_is_used_until_a_tenth_remains() {
        assert!(is_fresh(seconds(0), seconds(300)));
        assert!(is_fresh(seconds(269), seconds(300)));
        assert!(!is_fresh(seconds(270), seconds(300)));
        assert!(!is_fresh(seconds(0), seconds(0)));
    }

    #[test]
    fn a_life_is_whole_seconds_and_bounded() {
        assert_eq!(life(&Number::from("3600")), Some(seconds(3600)));
        assert_eq!(life(&Number::from("1e99")), None);
        assert_eq!(life(&Number::from("99999999999")), Some(MAX_LIFE));
        assert_eq!(life(&Number::from("-1")), None);
    }
}
