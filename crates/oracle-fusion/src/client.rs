//! The client: one pod and one token.
//!
//! Requests either read a collection with `GET`, or go to `erpintegrations` with one of the two
//! [`Operation`]s. There is no function that could send another, so no purchase order and no invoice can be
//! written with it.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::RequestBuilder;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use secrecy::ExposeSecret as _;
use serde_json::value::RawValue;
use url::Url;

use crate::collection::Collection;
use crate::complete;
use crate::config::{Config, FrameworkVersion};
use crate::describe::Description;
use crate::error::{Error, Fault, announces_maintenance};
use crate::http::{Answer, Failure, MAX_BODY, Transport};
use crate::integration::{INTEGRATIONS, Operation};
use crate::page::Page;
use crate::pause::Pause;
use crate::query::{DateTimeLiteral, Query};
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
/// hour at most: it fails as [`Error::TooManyRequests`] with what is left of the wait.
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
    pause: Pause,
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
        let pause = Pause::default();
        let Config { base, framework_version: version, datetime_literal, .. } = config;
        Ok(Self(Arc::new(Inner { base, version, datetime_literal, transport, tokens, pause })))
    }

    /// Makes sure that there is a token, which shows that the token endpoint accepts the client. Whether the
    /// pod accepts the token, only a request to a resource shows.
    ///
    /// # Errors
    /// [`Error::Token`], and [`Error::TooManyRequests`] in a pause.
    pub async fn authorize(&self) -> Result<TokenInfo, Error> {
        Ok(self.token("token").await?.info())
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
        let body = self.get(name, self.url(&[name, "describe"], None)?).await?;
        Description::read(name, &body)
    }

    /// Fetches the rows of expanded children that did not come along, at any depth, and returns the record
    /// with all of them. Every number keeps its exact text. A record that is whole is returned as it is,
    /// without a request.
    ///
    /// # Errors
    /// As [`Fusion::page`], and [`Error::Incomplete`] when the record changed or vanished meanwhile.
    pub async fn complete(&self, item: Box<RawValue>, resource: Resource) -> Result<Box<RawValue>, Error> {
        complete::complete(self, item, resource).await
    }

    /// How many HTTP requests were sent so far, those for tokens included.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.0.transport.sent()
    }

    /// A page of the collection at that path below the resources' root.
    pub(crate) async fn rows(
        &self,
        resource: &'static str,
        path: &[&str],
        query: &str,
    ) -> Result<Page, Error> {
        let body = self.get(resource, self.url(path, Some(query))?).await?;
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
        self.get(INTEGRATIONS, self.url(&[INTEGRATIONS], Some(query))?).await
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
        let client = if operation.creates() { transport.import_client() } else { transport.client() };
        let request = || client.post(url.clone()).header(CONTENT_TYPE, RESOURCE_ITEM).body(body.clone());
        let secrets = operation.secrets();
        let (body, token) = self.ask(INTEGRATIONS, &secrets, request).await?;
        read(&body, &self.secrets(&token, &secrets))
    }

    async fn get(&self, resource: &'static str, url: Url) -> Result<Vec<u8>, Error> {
        Ok(self.ask(resource, &[], || self.0.transport.client().get(url.clone())).await?.0)
    }

    /// The body of a success, and the token that brought it. `secrets` are taken out of what a failure says.
    async fn ask(
        &self,
        resource: &'static str,
        secrets: &[&str],
        request: impl Fn() -> RequestBuilder,
    ) -> Result<(Vec<u8>, Arc<Token>), Error> {
        let token = self.token(resource).await?;
        let answer = self.send(resource, request(), &token).await?;
        if answer.status != 401 {
            return Ok((self.judge(resource, answer, &token, secrets)?, token));
        }
        // the token may have ended early or been revoked: one new token, one more try
        self.0.tokens.discard(&token);
        let token = self.token(resource).await?;
        let answer = self.send(resource, request(), &token).await?;
        if answer.status == 401 {
            self.0.tokens.discard(&token);
        }
        Ok((self.judge(resource, answer, &token, secrets)?, token))
    }

    async fn token(&self, resource: &'static str) -> Result<Arc<Token>, Error> {
        self.respect_pause(resource)?;
        self.0.tokens.get().await.map_err(|error| {
            if error.kind() == TokenErrorKind::TooManyRequests {
                self.begin_pause(error.retry_after());
            }
            Error::Token(error)
        })
    }

    /// Refuses a request before the time that a 429 named.
    fn respect_pause(&self, resource: &'static str) -> Result<(), Error> {
        let Some(left) = self.0.pause.left(Instant::now()) else { return Ok(()) };
        let fault = Box::new(Fault::still_busy(resource));
        Err(Error::TooManyRequests { fault, retry_after: Some(left) })
    }

    fn begin_pause(&self, retry_after: Option<Duration>) {
        if let Some(wait) = retry_after {
            self.0.pause.begin(wait, Instant::now());
        }
    }

    async fn send(
        &self,
        resource: &'static str,
        request: RequestBuilder,
        token: &Token,
    ) -> Result<Answer, Error> {
        // another request may have been answered while the token was fetched
        self.respect_pause(resource)?;
        let request = request
            .bearer_auth(token.secret.expose_secret())
            .header(VERSION_HEADER, u16::from(self.0.version.get()))
            .header(ACCEPT, ACCEPTED);
        let started = Instant::now();
        let answer = self.0.transport.exchange(request).await;
        let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let status = answer.as_ref().ok().map(|answer| answer.status);
        tracing::debug!(resource, status, elapsed_ms, "asked Oracle");
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

impl fmt::Debug for Fusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fusion")
            .field("base", &self.0.base.as_str())
            .field("version", &self.0.version)
            .field("requests", &self.requests())
            .finish_non_exhaustive()
    }
}
