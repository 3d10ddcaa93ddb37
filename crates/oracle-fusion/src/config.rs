//! What a client must know: where the pod is, how to obtain a token, how long to wait.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use outbound::Pacer;
use secrecy::SecretString;
use url::Url;

use crate::error::Error;
use crate::query::DateTimeLiteral;

/// Oracle ends a query that runs longer than five minutes, so waiting longer is of no use.
const MAX_TIMEOUT: Duration = Duration::from_secs(300);
/// An import that is not answered by then will not be.
const MAX_IMPORT_TIMEOUT: Duration = Duration::from_secs(600);
const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest label in a host name, in bytes (RFC 1035).
const MAX_LABEL: usize = 63;

/// What a request is, for its time limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A page of a collection.
    Read,
    /// What a collection says of itself.
    Describe,
    /// The logs of a job.
    Details,
    /// An import.
    Import,
}

/// Time allowed for one whole request, from sending it to the end of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// A token: 30 s.
    pub token: Duration,
    /// What a collection says of itself: 60 s.
    pub describe: Duration,
    /// A page of a collection: 120 s, at most 300.
    pub read: Duration,
    /// The logs of a job, which the pod packs first: 180 s, at most 300.
    pub details: Duration,
    /// [`Fusion::import_bulk_data`](crate::Fusion::import_bulk_data): 300 s, at most 600. An import is answered
    /// only after the pod has stored the file and scheduled the job. Giving up on it leaves unknown whether a
    /// journal comes into being, which costs more than waiting, so it is given more time than a read.
    pub import: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            token: Duration::from_secs(30),
            describe: Duration::from_secs(60),
            read: Duration::from_secs(120),
            details: Duration::from_secs(180),
            import: Duration::from_secs(300),
        }
    }
}

impl Timeouts {
    pub(crate) fn of(&self, kind: Kind) -> Duration {
        match kind {
            Kind::Read => self.read,
            Kind::Describe => self.describe,
            Kind::Details => self.details,
            Kind::Import => self.import,
        }
    }

    fn check(&self) -> Result<(), Error> {
        for (name, time, most) in [
            ("token", self.token, MAX_TIMEOUT),
            ("describe", self.describe, MAX_TIMEOUT),
            ("read", self.read, MAX_TIMEOUT),
            ("details", self.details, MAX_TIMEOUT),
            ("import", self.import, MAX_IMPORT_TIMEOUT),
        ] {
            if time.is_zero() || time > most {
                let most = most.as_secs();
                return Err(Error::Config(format!("timeouts.{name} must be from 1 ms to {most} s")));
            }
        }
        Ok(())
    }
}

/// Settings of one client.
#[derive(Debug, Clone)]
pub struct Config {
    /// The pod's origin, such as `https://acme.fa.us2.oraclecloud.com`.
    pub base: Url,
    /// The identity domain's token endpoint, such as `https://idcs-….identity.oraclecloud.com/oauth2/v1/token`.
    pub token_url: Url,
    /// OAuth client id; in Fusion the user of the same name decides what can be read.
    pub client_id: String,
    /// OAuth client secret.
    pub client_secret: SecretString,
    /// The scope exactly as the identity domain's console shows it; it differs between pods.
    pub scope: String,
    /// Sent as `REST-Framework-Version` with every request.
    pub framework_version: FrameworkVersion,
    /// How a point in time is written in `q`.
    pub datetime_literal: DateTimeLiteral,
    /// Time allowed for one whole request of each kind.
    pub timeouts: Timeouts,
    /// After a 429 a request that only reads waits for so long at most, and is sent again by itself; not at all by
    /// default. An import is never sent again by the client.
    pub patience: Duration,
    /// The budget in which every request waits before it leaves; one of its own without limit by default.
    pub pacer: Option<Arc<Pacer>>,
    /// Time allowed for connecting.
    pub connect_timeout: Duration,
}

impl Config {
    /// Settings with framework version 4, the usual [`Timeouts`], and 10 s for connecting.
    #[must_use]
    pub fn new(
        base: Url,
        token_url: Url,
        client_id: String,
        client_secret: SecretString,
        scope: String,
    ) -> Self {
        Self {
            base,
            token_url,
            client_id,
            client_secret,
            scope,
            framework_version: FrameworkVersion::default(),
            datetime_literal: DateTimeLiteral::default(),
            timeouts: Timeouts::default(),
            patience: Duration::ZERO,
            pacer: None,
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
        }
    }

    /// The usual address of a pod, `https://{pod}.fa.{region}.oraclecloud.com`.
    ///
    /// # Errors
    /// [`Error::Config`] unless both are single host name labels. A pod with an address of another form is
    /// given as [`Config::base`] directly.
    pub fn pod_url(pod: &str, region: &str) -> Result<Url, Error> {
        let (pod, region) = (label("pod", pod)?, label("region", region)?);
        Url::parse(&format!("https://{pod}.fa.{region}.oraclecloud.com"))
            .map_err(|_| Error::Config("pod and region do not form a host name".to_owned()))
    }

    /// Refuses settings that could leak the token or wait for nothing.
    ///
    /// # Errors
    /// [`Error::Config`] with the first problem.
    pub fn check(&self) -> Result<(), Error> {
        check_url("base", &self.base)?;
        check_url("token_url", &self.token_url)?;
        if self.client_id.trim().is_empty() || self.scope.trim().is_empty() {
            return Err(Error::Config("client_id and scope must not be empty".to_owned()));
        }
        self.timeouts.check()?;
        if self.connect_timeout.is_zero() {
            return Err(Error::Config("connect_timeout must not be zero".to_owned()));
        }
        Ok(())
    }
}

fn label(what: &str, text: &str) -> Result<String, Error> {
    let inner = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    let fits = !text.is_empty()
        && text.len() <= MAX_LABEL
        && text.bytes().all(inner)
        && !text.starts_with('-')
        && !text.ends_with('-');
    if fits {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(Error::Config(format!("{what} must be one host name label: letters, digits and inner hyphens")))
    }
}

/// Plain HTTP is accepted for this very machine only, where stand-ins run.
fn check_url(what: &str, url: &Url) -> Result<(), Error> {
    let loopback = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let secure = url.scheme() == "https" && url.host().is_some();
    let on_this_machine = url.scheme() == "http" && loopback;
    if !(secure || on_this_machine) {
        return Err(Error::Config(format!("{what} must be an https address")));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::Config(format!("{what} must not carry a user name or password")));
    }
    if url.fragment().is_some() || (what == "base" && url.query().is_some()) {
        return Err(Error::Config(format!("{what} must not have a query or fragment")));
    }
    Ok(())
}

/// The REST framework version that requests are pinned to, 4 to 9.
///
/// Version 4, the default, is the lowest that has the rowmatch form of `q`, expanded children that say
/// whether more exist, and structured errors
/// (<https://docs.oracle.com/en/cloud/saas/human-resources/farws/Setting_the_REST_Framework_Version.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FrameworkVersion(u8);

impl FrameworkVersion {
    /// The version's number.
    #[must_use]
    pub fn get(self) -> u8 {
        self.0
    }
}

impl Default for FrameworkVersion {
    fn default() -> Self {
        Self(4)
    }
}

impl TryFrom<u8> for FrameworkVersion {
    type Error = Error;

    fn try_from(version: u8) -> Result<Self, Error> {
        if (4..=9).contains(&version) {
            Ok(Self(version))
        } else {
            Err(Error::Config(format!("framework version {version} is not one of 4 to 9")))
        }
    }
}

impl fmt::Display for FrameworkVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(base: &str, token_url: &str) -> Config {
        let secret = SecretString::from("hunter2hunter2");
        Config::new(base.parse().unwrap(), token_url.parse().unwrap(), "id".into(), secret, "scope".into())
    }

    #[test]
    fn a_pod_and_region_form_the_address() {
        let url = Config::pod_url("Acme-Test", "us2").unwrap();
        assert_eq!(url.as_str(), "https://acme-test.fa.us2.oraclecloud.com/");
    }

    #[test]
    fn a_label_that_would_change_the_host_is_refused() {
        for pod in ["", "a.b", "evil.com/", "a@b", "a:1", "-a", "a-", "ä", "a b", &"a".repeat(64)] {
            assert!(Config::pod_url(pod, "us2").is_err(), "{pod}");
            assert!(Config::pod_url("acme", pod).is_err(), "{pod}");
        }
    }

    #[test]
    fn plain_http_is_accepted_for_this_machine_only() {
        let token = "https://idcs.example/oauth2/v1/token";
        for (base, fits) in [
            ("https://acme.fa.us2.oraclecloud.com", true),
            ("http://127.0.0.1:8080", true),
            ("http://[::1]:8080", true),
            ("http://localhost:8080/oracle", true),
            ("http://acme.example", false),
            ("https://user:word@acme.example", false),
            ("https://acme.example/?a=b", false),
            ("ftp://acme.example", false),
        ] {
            assert_eq!(config(base, token).check().is_ok(), fits, "{base}");
            assert_eq!(config(token, base).check().is_ok(), fits || base.contains('?'), "{base}");
        }
    }

    #[test]
    fn a_timeout_over_five_minutes_is_refused() {
        let mut config = config("https://a.example", "https://b.example");
        config.timeouts.read = Duration::from_secs(301);
        assert!(config.check().is_err());
        config.timeouts.read = Duration::from_secs(300);
        assert!(config.check().is_ok());
    }

    #[test]
    fn an_import_is_waited_for_longer_than_a_read_but_not_for_ever() {
        let mut config = config("https://a.example", "https://b.example");
        assert!(config.timeouts.import > config.timeouts.read && config.check().is_ok());
        for (seconds, fits) in [(0, false), (1, true), (600, true), (601, false)] {
            config.timeouts.import = Duration::from_secs(seconds);
            assert_eq!(config.check().is_ok(), fits, "{seconds}");
        }
    }

    #[test]
    fn debug_does_not_show_the_secret() {
        assert!(!format!("{:?}", config("https://a.example", "https://b.example")).contains("hunter2"));
    }

    #[test]
    fn versions_without_rowmatch_or_structured_errors_are_refused() {
        let accepted: Vec<u8> = (0..=u8::MAX).filter(|v| FrameworkVersion::try_from(*v).is_ok()).collect();
        assert_eq!(accepted, [4, 5, 6, 7, 8, 9]);
    }
}
