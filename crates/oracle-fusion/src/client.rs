//! The client: one pod and one token.
//!
//! Requests either read a collection with `GET`, or go to `erpintegrations` with one of the two
//! [`Operation`]s. There is no function that could send another, so no purchase order and no invoice can be
//! written with it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use outbound::{Pacer, backoff};
use reqwest::RequestBuilder;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use secrecy::ExposeSecret as _;
use serde_json::value::RawValue;
use url::Url;

use crate::collection::Collection;
use crate::complete;
use crate::config::{Config, FrameworkVersion, Kind, Timeouts};
use crate::describe::Description;
use crate::error::{Error, ErrorKind, Fault, announces_maintenance};
use crate::http::{Answer, Failure, MAX_BODY, Transport};
use crate::integration::{INTEGRATIONS, Operation};
use crate::page::Page;
use crate::query::{DateTimeLiteral, Expand, Query};
use crate::resource::Resource;
use crate::token::{Token, TokenErrorKind, TokenInfo, TokenSource};

const ROOT: [&str; 3] = ["fscmRestApi", "resources", "11.13.18.05"];
const VERSION_HEADER: &str = "REST-Framework-Version";
/// Asks for errors in their structured form.
const ACCEPTED: &str = "application/json, application/vnd.oracle.adf.error+json";
/// What a body for `erpintegrations` is.
const RESOURCE_ITEM: &str = "application/vnd.oracle.adf.resourceitem+json";

/// A client for one pod. Clones share connections, token and counters.
///
/// After a 429 with a `Retry-After`, of the pod or of the token endpoint, no request leaves before that time, an
/// hour at most: within [`Config::patience`] it waits, else it fails as [`Error::TooManyRequests`] with what is left
/// of the wait.
///
/// It has no function that could write a purchase order or an invoice: collections are only ever asked with
/// `GET`, and the one thing that can be created is a journal, by [`Fusion::import_bulk_data`].
#[derive(Clone)]
pub struct Fusion(Arc<Inner>);

struct Inner {
    base: Url,
    version: FrameworkVersion,
    datetime_literal: DateTimeLiteral,
    transport: Arc<Transport>,
    tokens: Arc<TokenSource>,
    pacer: Arc<Pacer>,
    timeouts: Timeouts,
    patience: Duration,
    answered: AtomicU64,
}

impl Fusion {
    /// Checks the settings; sends nothing yet.
    ///
    /// # Errors
    /// [`Error::Config`].
    pub fn new(config: Config) -> Result<Self, Error> {
        config.check()?;
        let transport = Arc::new(Transport::new(&config)?);
        let tokens = Arc::new(TokenSource::new(&config, Arc::clone(&transport)));
        let Config { base, framework_version: version, datetime_literal, timeouts, patience, pacer, .. } =
            config;
        Ok(Self(Arc::new(Inner {
            base,
            version,
            datetime_literal,
            transport,
            tokens,
            pacer: pacer.unwrap_or_else(|| Pacer::new(u32::MAX)),
            timeouts,
            patience,
            answered: AtomicU64::new(0),
        })))
    }

    /// Makes sure that there is a token, which shows that the token endpoint accepts the client. Whether the
    /// pod accepts the token, only a request to a resource shows.
    ///
    /// # Errors
    /// [`Error::Token`], and [`Error::TooManyRequests`] in a pause.
    pub async fn authorize(&self) -> Result<TokenInfo, Error> {
        Ok(self.token("token", Instant::now()).await?.info())
    }

    /// Gives back what was taken ahead of a budget that processes share: for one that needs no more.
    pub async fn rest(&self) {
        self.0.pacer.rest().await;
    }

    /// Reads one page of a collection.
    ///
    /// An empty page is no proof that nothing exists: a user without access to the data is answered with
    /// success and no rows.
    ///
    /// # Errors
    /// [`Error`] of every kind but [`Error::Incomplete`].
    pub async fn page(&self, query: &Query) -> Result<Page, Error> {
        let name = query.collection().name();
        self.rows(name, &[name], &query.to_query_string(self.0.datetime_literal)).await
    }

    /// Reads what a collection says of its attributes.
    ///
    /// # Errors
    /// As [`Fusion::page`].
    pub async fn describe(&self, collection: impl Into<Collection>) -> Result<Description, Error> {
        let name = collection.into().name();
        let body = self.get(Kind::Describe, name, self.url(&[name, "describe"], None)?).await?;
        Description::read(name, &body)
    }

    /// Fetches the rows of expanded children that did not come along, at any depth, and returns the record
    /// with all of them. Every number keeps its exact text. A record that is whole is returned as it is,
    /// without a request.
    ///
    /// # Errors
    /// As [`Fusion::page`], and [`Error::Incomplete`] when the record changed or vanished meanwhile.
    pub async fn complete(&self, item: Box<RawValue>, resource: Resource) -> Result<Box<RawValue>, Error> {
        self.complete_with(item, resource, None).await
    }

    /// As [`Fusion::complete`], for a record that [`Query::expanding`] asked for with the same further children.
    /// They are asked for again too where nothing of a child came along that would show them.
    ///
    /// # Errors
    /// As [`Fusion::complete`].
    pub async fn complete_with(
        &self,
        item: Box<RawValue>,
        resource: Resource,
        further: Option<&Expand>,
    ) -> Result<Box<RawValue>, Error> {
        complete::complete(self, item, resource, further).await
    }

    /// How many HTTP requests were sent so far, those for tokens included.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.0.transport.sent()
    }

    /// Answers by which the pod is at work and takes the token: everything but 401, 429 and 5xx.
    #[must_use]
    pub fn answered(&self) -> u64 {
        self.0.answered.load(Ordering::Relaxed)
    }

    /// A page of the collection at that path below the resources' root.
    pub(crate) async fn rows(
        &self,
        resource: &'static str,
        path: &[&str],
        query: &str,
    ) -> Result<Page, Error> {
        let body = self.get(Kind::Read, resource, self.url(path, Some(query))?).await?;
        Page::read(resource, &body)
    }

    fn url(&self, path: &[&str], query: Option<&str>) -> Result<Url, Error> {
        let mut url = self.0.base.clone();
        url.path_segments_mut()
            .map_err(|()| Error::Config("base is not the address of a server".to_owned()))?
            .pop_if_empty()
            .extend(ROOT.iter().chain(path));
        url.set_query(query);
        Ok(url)
    }

    /// What `erpintegrations` says of a job, by one of its finders.
    pub(crate) async fn integration(&self, query: &str) -> Result<Vec<u8>, Error> {
        self.get(Kind::Read, INTEGRATIONS, self.url(&[INTEGRATIONS], Some(query))?).await
    }

    /// Sends an operation to `erpintegrations`, once; after a 401, which is told before anything happens, once
    /// more with a new token. `read` is told what of a success must not be kept.
    pub(crate) async fn operate<T>(
        &self,
        operation: &Operation<'_>,
        read: impl FnOnce(&[u8], &[&str]) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let url = self.url(&[INTEGRATIONS], None)?;
        let body = operation.body()?;
        let transport = &self.0.transport;
        let (kind, client) = if operation.creates() {
            (Kind::Import, transport.import_client())
        } else {
            (Kind::Details, transport.client())
        };
        let request = || client.post(url.clone()).header(CONTENT_TYPE, RESOURCE_ITEM).body(body.clone());
        let secrets = operation.secrets();
        let (body, token) = self.ask(kind, INTEGRATIONS, &secrets, request).await?;
        read(&body, &self.secrets(&token, &secrets))
    }

    async fn get(&self, kind: Kind, resource: &'static str, url: Url) -> Result<Vec<u8>, Error> {
        Ok(self.ask(kind, resource, &[], || self.0.transport.client().get(url.clone())).await?.0)
    }

    /// As [`Fusion::ask_once`]; what only reads is asked again after a 429, while the patience lasts.
    async fn ask(
        &self,
        kind: Kind,
        resource: &'static str,
        secrets: &[&str],
        request: impl Fn() -> RequestBuilder,
    ) -> Result<(Vec<u8>, Arc<Token>), Error> {
        let patience = if kind == Kind::Import { Duration::ZERO } else { self.0.patience };
        let latest = Instant::now() + patience;
        let mut attempt = 0;
        loop {
            let asked = self.ask_once(kind, resource, secrets, &request, latest).await;
            let Err(error) = &asked else { return asked };
            let kind = error.kind();
            let busy = ErrorKind::Token(TokenErrorKind::TooManyRequests);
            if kind != ErrorKind::TooManyRequests && kind != busy {
                return asked;
            }
            attempt += 1;
            let wait = backoff::wait(attempt, error.retry_after());
            if Instant::now() + wait > latest {
                return asked;
            }
            self.0.pacer.pause(wait);
        }
    }

    /// The body of a success, and the token that brought it. `secrets` are taken out of what a failure says.
    async fn ask_once(
        &self,
        kind: Kind,
        resource: &'static str,
        secrets: &[&str],
        request: impl Fn() -> RequestBuilder,
        latest: Instant,
    ) -> Result<(Vec<u8>, Arc<Token>), Error> {
        let request = || request().timeout(self.0.timeouts.of(kind));
        let token = self.token(resource, latest).await?;
        let answer = self.send(resource, request(), &token, latest).await?;
        if answer.status != 401 {
            return Ok((self.judge(resource, answer, &token, secrets)?, token));
        }
        // the token may have ended early or been revoked: one new token, one more try
        self.0.tokens.discard(&token);
        let token = self.token(resource, latest).await?;
        let answer = self.send(resource, request(), &token, latest).await?;
        if answer.status == 401 {
            self.0.tokens.discard(&token);
        }
        Ok((self.judge(resource, answer, &token, secrets)?, token))
    }

    async fn token(&self, resource: &'static str, latest: Instant) -> Result<Arc<Token>, Error> {
        self.0.pacer.wait_out(latest).await.map_err(|left| still_busy(resource, left))?;
        self.0.tokens.get().await.map_err(|error| {
            if error.kind() == TokenErrorKind::TooManyRequests {
                self.begin_pause(error.retry_after());
            }
            Error::Token(error)
        })
    }

    fn begin_pause(&self, retry_after: Option<Duration>) {
        if let Some(wait) = retry_after {
            self.0.pacer.pause(wait);
        }
    }

    async fn send(
        &self,
        resource: &'static str,
        request: RequestBuilder,
        token: &Token,
        latest: Instant,
    ) -> Result<Answer, Error> {
        // another request may have been answered while the token was fetched
        self.0.pacer.enter_until(latest).await.map_err(|left| still_busy(resource, left))?;
        let request = request
            .bearer_auth(token.secret.expose_secret())
            .header(VERSION_HEADER, u16::from(self.0.version.get()))
            .header(ACCEPT, ACCEPTED);
        let started = Instant::now();
        let answer = self.0.transport.exchange(resource, request).await;
        let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let status = answer.as_ref().ok().map(|answer| answer.status);
        tracing::debug!(resource, status, elapsed_ms, "asked Oracle");
        if status.is_some_and(|status| !matches!(status, 401 | 429 | 500..)) {
            self.0.answered.fetch_add(1, Ordering::Relaxed);
        }
        answer.map_err(|failure| match failure {
            Failure::Unreachable(source) => Error::Unreachable { resource, source },
            Failure::TimedOut(source) => Error::TimedOut { resource, source },
            Failure::CutOff => {
                Error::Malformed { resource, reason: "the body was cut off".to_owned(), truncated: true }
            }
            Failure::TooLarge => Error::TooLarge { resource, limit: MAX_BODY },
        })
    }

    /// What must never be kept of an answer: the token, the client's secret, and `more`.
    fn secrets<'a>(&'a self, token: &'a Token, more: &[&'a str]) -> Vec<&'a str> {
        let own = [token.secret.expose_secret(), self.0.tokens.client_secret()];
        own.iter().chain(more).copied().collect()
    }

    /// The body of a success, or the error that the answer is.
    fn judge(
        &self,
        resource: &'static str,
        answer: Answer,
        token: &Token,
        secrets: &[&str],
    ) -> Result<Vec<u8>, Error> {
        let Answer { status, html, retry_after, body } = answer;
        if (200..300).contains(&status) && !html {
            return Ok(body);
        }
        let secrets = self.secrets(token, secrets);
        let fault = Box::new(Fault::read(resource, status, &body, html, &secrets));
        let announced = announces_maintenance(&body);
        Err(match status {
            200..300 => Error::UnexpectedBody(fault),
            300..400 => Error::Redirected(fault),
            400 => Error::BadRequest(fault),
            401 => Error::Unauthorized(fault),
            403 => Error::Forbidden(fault),
            404 => Error::NotFound(fault),
            429 => {
                self.begin_pause(retry_after);
                Error::TooManyRequests { fault, retry_after }
            }
            503 => Error::Maintenance { fault, retry_after, announced },
            500.. if announced => Error::Maintenance { fault, retry_after, announced },
            408 | 500.. => Error::Server { fault, retry_after },
            _ => Error::Refused(fault),
        })
    }
}

/// A request before the time that a 429 named: nothing was sent.
fn still_busy(resource: &'static str, left: Duration) -> Error {
    Error::TooManyRequests { fault: Box::new(Fault::still_busy(resource)), retry_after: Some(left) }
}

impl fmt::Debug for Fusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fusion")
            .field("base", &self.0.base.as_str())
            .field("version", &self.0.version)
            .field("requests", &self.requests())
            .finish_non_exhaustive()
    }
}
