//! The Oracle side of a connection's settings.

use oracle_fusion::FrameworkVersion;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::code::Code;
use crate::error::{Error, Result};

/// The Oracle side: either `url`, or `pod` and `region`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OracleSettings {
    /// The pod's origin, such as `https://acme.fa.us2.oraclecloud.com`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Url>,
    /// The pod's name, with `region` instead of `url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod: Option<String>,
    /// The pod's region, with `pod`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The identity domain's token endpoint.
    pub token_url: Url,
    /// The confidential application's client id.
    pub client_id: String,
    /// The scope string, exactly as the identity domain's console shows it.
    pub scope: String,
    /// The pinned `REST-Framework-Version`, 4 to 9.
    #[serde(default = "default_framework_version")]
    pub framework_version: u8,
    /// Address of an order's page with `{id}` for the `POHeaderId`, for the `oracle_link` field. Oracle's
    /// deep-link form differs by release, so it is copied from a browser instead of being assumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_link: Option<String>,
    /// Rows asked for at once, 1 to 499.
    #[serde(default = "default_page_size")]
    pub page_size: u16,
    /// Requests a minute, over all nodes. Oracle publishes no limit; the pod's own word, a 429, always counts.
    #[serde(default = "default_oracle_requests_per_minute")]
    pub requests_per_minute: u32,
    /// The day the client secret expires, if it does: an alert tells of it before. Oracle does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_expires: Option<jiff::civil::Date>,
}

pub(super) fn default_framework_version() -> u8 {
    4
}

pub(super) fn default_page_size() -> u16 {
    499
}

pub(super) fn default_oracle_requests_per_minute() -> u32 {
    6_000
}
impl OracleSettings {
    /// The pod's origin, whichever way it was given.
    pub fn base(&self) -> Result<Url> {
        match (&self.url, &self.pod, &self.region) {
            (Some(url), None, None) => Ok(url.clone()),
            (None, Some(pod), Some(region)) => oracle_fusion::Config::pod_url(pod, region).map_err(|e| {
                Error::new(Code::SettingsInvalid, "oracle.pod and oracle.region do not form a host name")
                    .because(e)
            }),
            _ => Err(Error::new(
                Code::SettingsInvalid,
                "oracle needs either `url`, or `pod` together with `region`",
            )),
        }
    }

    /// Which Oracle this is, whichever way it was given. Ids of orders are of one.
    pub fn which(&self) -> Result<String> {
        Ok(self.base()?.as_str().trim_end_matches('/').to_owned())
    }

    /// What the Oracle client is made of.
    pub fn client(&self, secret: SecretString) -> Result<oracle_fusion::Config> {
        let (base, token_url) = (self.base()?, self.token_url.clone());
        let mut config =
            oracle_fusion::Config::new(base, token_url, self.client_id.clone(), secret, self.scope.clone());
        config.framework_version = FrameworkVersion::try_from(self.framework_version)
            .map_err(|e| Error::new(Code::SettingsInvalid, e.to_string()))?;
        Ok(config)
    }
}
