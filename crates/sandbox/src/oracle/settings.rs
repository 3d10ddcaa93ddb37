//! Switches of the Oracle stand-in: what differs between pods, and what nobody documents.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use super::erp::settings::{
    ErpSettings, ImportTree, NothingToImport, Outcome, Phases, RefusedWith, RejectedStatus, RequestIds,
    UnknownAccount,
};
pub use super::ledger::settings::{
    Balance, CombinationShape, DataAccessSet, FlagForm, LedgerChart, LedgerName, LedgerSettings,
    SourceParameter,
};
pub use super::value::InstantStyle;

/// Largest page that a pod serves; Oracle documents 499.
pub const PAGE_LIMIT: usize = 499;

/// Everything about the pod that can be changed while it runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OracleSettings {
    /// Lifetime of an access token in virtual seconds; identity domains default to 3600.
    pub token_lifetime_seconds: i64,
    /// What a 401 carries.
    pub unauthorized_body: UnauthorizedBody,
    /// Largest page; a request for more is cut down without saying so.
    pub max_limit: usize,
    /// Items shown of each expanded child collection; more are said with `hasMore`.
    pub child_limit: Option<usize>,
    /// How date-times are written.
    pub instants: InstantStyle,
    /// How finely `q` compares date-times.
    pub filter_granularity: Granularity,
    /// Which spelling of date-times `q` accepts.
    pub date_time_literals: DateTimeLiterals,
    /// Wildcards of `like`.
    pub wildcards: Wildcards,
    /// Whether `LastUpdateDate` of orders and invoices may be filtered.
    pub last_update_queryable: bool,
    /// Whether `LastUpdateDate` of orders and invoices may be sorted by.
    pub last_update_sortable: bool,
    /// What `totalResults=true` brings.
    pub total_results: TotalResults,
    /// How the host of links is written.
    pub links: LinkStyle,
    /// Seen by resource: privilege and data access.
    pub access: BTreeMap<String, Access>,
    /// What each intent of `findByIntent` sees.
    pub intents: Intents,
    /// Requests allowed before 429; none by default.
    pub rate_limit: Option<RateLimit>,
    /// The pod is down for maintenance and answers 503 with a page.
    pub maintenance: Option<Maintenance>,
    /// Bulk import and jobs.
    pub erp: ErpSettings,
    /// The General Ledger.
    pub ledger: LedgerSettings,
}

impl Default for OracleSettings {
    fn default() -> Self {
        Self {
            token_lifetime_seconds: 3600,
            unauthorized_body: UnauthorizedBody::Empty,
            max_limit: PAGE_LIMIT,
            child_limit: None,
            instants: InstantStyle::Mixed,
            filter_granularity: Granularity::Millis,
            date_time_literals: DateTimeLiterals::Both,
            wildcards: Wildcards::Both,
            last_update_queryable: true,
            last_update_sortable: true,
            total_results: TotalResults::Accurate,
            links: LinkStyle::AsAsked,
            access: BTreeMap::new(),
            intents: Intents::default(),
            rate_limit: None,
            maintenance: None,
            erp: ErpSettings::default(),
            ledger: LedgerSettings::default(),
        }
    }
}

impl OracleSettings {
    /// Access to one resource; everything is allowed unless set otherwise.
    #[must_use]
    pub fn access_to(&self, resource: &str) -> Access {
        self.access.get(resource).copied().unwrap_or_default()
    }
}

/// The body of a 401, which a client must not rely on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnauthorizedBody {
    /// No body at all.
    #[default]
    Empty,
    /// A line of plain text.
    Text,
    /// A page from the front door.
    Html,
}

/// How finely date-times are compared; unknown for real pods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Granularity {
    /// Both sides are cut down to whole seconds.
    Seconds,
    /// Milliseconds count.
    #[default]
    Millis,
}

/// Which spelling of a date-time a filter accepts; unknown for real pods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateTimeLiterals {
    /// `'2026-01-01T00:00:00Z'` only.
    Quoted,
    /// `2026-01-01T00:00:00Z` only.
    Unquoted,
    /// Either.
    #[default]
    Both,
}

/// Which letters match anything in `like`; Oracle's examples use `*`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wildcards {
    /// `*` only.
    Star,
    /// `%` only.
    Percent,
    /// Either.
    #[default]
    Both,
}

/// What `totalResults=true` brings; real pods have been seen to answer wrongly or to fail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TotalResults {
    /// The true count.
    #[default]
    Accurate,
    /// A count that is too high.
    Wrong,
    /// 500.
    Fails,
}

/// How the host of a link is written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkStyle {
    /// As the request named it.
    #[default]
    AsAsked,
    /// With `:443`, whatever the request's port.
    Port443,
    /// Another host.
    Host(String),
}

/// What the user behind the token may do with a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Access {
    /// Without the privilege: 403.
    pub privilege: bool,
    /// Without data access: 200 and nothing in it.
    pub data: bool,
}

impl Default for Access {
    fn default() -> Self {
        Self { privilege: true, data: true }
    }
}

/// What each intent sees; without a finder the union is served.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Intents {
    /// Approved orders of the user's bill-to business units.
    pub ap_user: Intent,
    /// All orders of the user's procurement business units.
    pub po_user: Intent,
    /// Approved orders of the user's requisitioning business units.
    pub lob_user: Intent,
}

/// Whether the user holds an intent's access, and for which business units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Intent {
    /// Whether the access is held at all.
    pub granted: bool,
    /// Names of business units; all when absent.
    pub business_units: Option<Vec<String>>,
}

impl Default for Intent {
    fn default() -> Self {
        Self { granted: true, business_units: None }
    }
}

/// A limit on requests, counted on the virtual clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateLimit {
    /// Requests allowed in a window.
    pub requests: u32,
    /// Length of the window in virtual seconds.
    pub window_seconds: i64,
    /// Whether the 429 says when to come back.
    pub retry_after: bool,
}

/// The pod is down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Maintenance {
    /// Value of `Retry-After` in seconds, if sent.
    pub retry_after: Option<u32>,
}
