//! The Asana side of a connection's settings.

use ::asana::{BudgetSettings, Config};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;

/// The Asana side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AsanaSettings {
    /// The API's address.
    #[serde(default = "default_asana_url")]
    pub url: Url,
    /// The workspace's gid.
    pub workspace: String,
    /// What the token's plan allows: 1,500 when paid, 150 when free.
    #[serde(default = "default_requests_per_minute")]
    pub requests_per_minute: u32,
    /// The day the token expires, if it does: an alert tells of it before. Asana does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_expires: Option<jiff::civil::Date>,
}

pub(super) fn default_requests_per_minute() -> u32 {
    1500
}

pub(super) fn default_asana_url() -> Url {
    #[expect(clippy::expect_used, reason = "a literal")]
    Url::parse("https://app.asana.com/api/1.0").expect("a literal URL")
}

impl AsanaSettings {
    /// Which Asana this is. Gids of tasks and projects are of one.
    #[must_use]
    pub fn which(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }

    /// What the Asana client is made of.
    #[must_use]
    pub fn client(&self, token: SecretString) -> Config {
        let mut config = Config::new(token);
        config.base = self.url.clone();
        config.budget =
            BudgetSettings { requests_per_minute: self.requests_per_minute, ..BudgetSettings::default() };
        config
    }
}
