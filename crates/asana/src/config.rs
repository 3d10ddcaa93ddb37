//! What a client must be told: where Asana is, the token, and how much of it may be used.

use std::sync::Arc;
use std::time::Duration;

use outbound::Source;
use secrecy::SecretString;
use url::Url;

use crate::error::Error;

/// Where the public Asana API answers.
pub const DEFAULT_BASE: &str = "https://app.asana.com/api/1.0";

/// Longest time for name lookup, TCP and TLS together. Shorter than the whole timeout, so that a host that
/// does not answer is reported as unreachable, which is known not to have happened.
const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Settings of one client. `Debug` does not show the token.
#[derive(Clone, Debug)]
pub struct Config {
    /// The address under which the resources stand; [`DEFAULT_BASE`] unless a stand-in is used.
    /// `http://` is accepted for this machine only, since the token travels in the clear.
    pub base: Url,
    /// A personal access token, a service account token or an OAuth access token. Opaque: Asana may change
    /// its form at any time.
    pub token: SecretString,
    /// The allowance of the token.
    pub budget: BudgetSettings,
    /// Longest time for one request of each kind.
    pub timeouts: Timeouts,
    /// After a 429 a read waits for so long at most and is sent again by itself, and no request waits longer for the
    /// end of a pause: it fails as [`Error::RateLimited`] with what is left. Zero, the default: nothing is sent again,
    /// and a request waits for the end of a pause however long it lasts. Writes are never sent again by the client.
    pub patience: Duration,
    /// Where the places of a budget come from that other processes share; none by default.
    pub shared: Option<Arc<dyn Source>>,
    /// Longest time for reaching the host; 10 s by default.
    pub connect_timeout: Duration,
}

impl Config {
    /// The public Asana API with this token and the allowance of a paid plan.
    #[must_use]
    pub fn new(token: impl Into<SecretString>) -> Config {
        Config {
            base: default_base(),
            token: token.into(),
            budget: BudgetSettings::default(),
            timeouts: Timeouts::default(),
            patience: Duration::ZERO,
            shared: None,
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
        }
    }

    /// Refuses an address that could leak the token, and a budget that lets nothing through.
    ///
    /// # Errors
    /// [`Error::Config`] with the first problem.
    pub fn check(&self) -> Result<(), Error> {
        crate::address::check_base(&self.base)?;
        self.budget.check()
    }
}

#[expect(clippy::expect_used, reason = "the address is a constant, parsed by every test")]
fn default_base() -> Url {
    Url::parse(DEFAULT_BASE).expect("the default address is valid")
}

/// What a request is, for its time limit and for what it counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One object.
    Read,
    /// A page of a listing.
    Listing,
    /// A search.
    Search,
    /// A task is made or changed.
    Write,
    /// A webhook is made, changed or deleted.
    Webhook,
}

/// Longest time from sending a request to the last byte of its answer; waiting for the budget is not in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// One object: 30 s.
    pub read: Duration,
    /// A page of a listing, 100 rows: 60 s.
    pub listing: Duration,
    /// A search: 60 s.
    pub search: Duration,
    /// Making or changing a task: 60 s. Giving up on it leaves unknown whether it happened.
    pub write: Duration,
    /// Making, changing or deleting a webhook: 90 s, since Asana asks the target before it answers.
    pub webhook: Duration,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts {
            read: Duration::from_secs(30),
            listing: Duration::from_secs(60),
            search: Duration::from_secs(60),
            write: Duration::from_secs(60),
            webhook: Duration::from_secs(90),
        }
    }
}

impl Timeouts {
    /// The same for every kind.
    #[must_use]
    pub fn all(time: Duration) -> Timeouts {
        Timeouts { read: time, listing: time, search: time, write: time, webhook: time }
    }

    pub(crate) fn of(&self, kind: Kind) -> Duration {
        match kind {
            Kind::Read => self.read,
            Kind::Listing => self.listing,
            Kind::Search => self.search,
            Kind::Write => self.write,
            Kind::Webhook => self.webhook,
        }
    }
}

/// How much one token may be used: within this process, or, with [`Config::shared`], by all that share it.
///
/// Asana counts per token (developers.asana.com, "Rate limits"): where several processes use a token, they must
/// share the budget or be given their parts. Reads and writes at once are counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BudgetSettings {
    /// Requests a minute: 1,500 on paid plans, 150 on free ones.
    pub requests_per_minute: u32,
    /// GET requests under way at the same time: 50.
    pub reads_at_once: usize,
    /// POST, PUT and DELETE requests under way at the same time: 15.
    pub writes_at_once: usize,
    /// Searches a minute: 60. Each counts as a request too.
    pub searches_per_minute: u32,
}

impl Default for BudgetSettings {
    fn default() -> BudgetSettings {
        BudgetSettings {
            requests_per_minute: 1_500,
            reads_at_once: 50,
            writes_at_once: 15,
            searches_per_minute: 60,
        }
    }
}

impl BudgetSettings {
    /// The allowance of a workspace without a paid plan.
    #[must_use]
    pub fn free_plan() -> BudgetSettings {
        BudgetSettings { requests_per_minute: 150, ..BudgetSettings::default() }
    }

    /// Every number must be at least 1; a zero would make calls wait for ever.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let zero = self.requests_per_minute == 0
            || self.reads_at_once == 0
            || self.writes_at_once == 0
            || self.searches_per_minute == 0;
        if zero {
            return Err(Error::Config("every number of the rate budget must be at least 1".into()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_never_shown() {
        let config = Config::new("1/2345:very-secret");
        let shown = format!("{config:?}");
        assert!(!shown.contains("very-secret"), "{shown}");
        assert_eq!(config.base.as_str(), DEFAULT_BASE);
    }

    #[test]
    fn a_budget_of_zero_is_refused() {
        assert!(BudgetSettings::default().check().is_ok());
        for broken in [
            BudgetSettings { requests_per_minute: 0, ..BudgetSettings::default() },
            BudgetSettings { reads_at_once: 0, ..BudgetSettings::default() },
            BudgetSettings { writes_at_once: 0, ..BudgetSettings::default() },
            BudgetSettings { searches_per_minute: 0, ..BudgetSettings::default() },
        ] {
            assert!(matches!(broken.check(), Err(Error::Config(_))));
        }
    }
}
