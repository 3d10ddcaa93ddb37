//! Settings of the Asana stand-in; each one that stands for an unknown of the real service says so.

use std::fmt;

use serde::Deserialize;

use super::webhooks::config::WebhookConfig;

/// How the stand-in behaves. Every field has a default, so that `{}` is a valid configuration.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct AsanaConfig {
    /// The accepted bearer tokens; users are created from them in this order.
    pub tokens: Vec<TokenConfig>,
    /// What the workspaces have paid for.
    pub plan: Plan,
    /// Requests in any 60 seconds for one token; absent: 1,500 paid and 150 free; 0: no limit.
    /// Source: <https://developers.asana.com/docs/rate-limits>.
    pub requests_per_minute: Option<u32>,
    /// Length of the shorter span over which the allowance is also checked, in seconds; 0: not checked.
    ///
    /// Asana says that the allowance is evaluated more often than once a minute, not how often.
    pub short_span_seconds: u32,
    /// Share of the allowance that may be used within the shorter span, in percent.
    pub short_span_percent: u32,
    /// GET requests in flight for one token; 0: no limit.
    pub reads_at_once: u32,
    /// POST, PUT, PATCH and DELETE requests in flight for one token; 0: no limit.
    pub writes_at_once: u32,
    /// Searches in any 60 seconds for one token; 0: no limit.
    pub searches_per_minute: u32,
    /// `Retry-After` of a 429 for too many requests in flight, in seconds (the real value is not documented).
    pub at_once_retry_after_seconds: u64,
    /// The clock by which the rate limits are measured.
    pub limits_clock: TimeBase,
    /// Seconds until a change is seen by search; Asana names 10 to 60.
    pub search_lag_seconds: u32,
    /// The clock by which the search lag is measured.
    pub search_clock: TimeBase,
    /// Seconds that a page token lives, on the virtual clock (Asana: "after some time").
    pub page_token_seconds: u32,
    /// What a listing without `limit` does beyond [`AsanaConfig::unpaged_rows`].
    pub unpaged: Unpaged,
    /// The most rows that a listing without `limit` answers.
    pub unpaged_rows: usize,
    /// Rows after which a paged listing ends with 400 instead of another page; 0: never.
    ///
    /// The errors page says that very large result sets are cut so, not at how many rows nor in which words.
    pub cut_after_rows: u64,
    /// Milliseconds that every request takes at least.
    pub latency_ms: u64,
    /// What a bare `opt_fields` path that names an object answers.
    pub bare_paths: BarePaths,
    /// Whether a number field accepts a JSON string that holds a number (unknown of the real service).
    pub number_as_text: NumberAsText,
    /// Message of the 400 for a text value that is too long (the real text is unknown).
    pub text_too_long: String,
    /// Whether the empty text clears a text field, so that it reads back as null (unknown).
    pub empty_text_clears: bool,
    /// Whether `modified_since` includes the very instant (unknown).
    pub modified_since_inclusive: bool,
    /// Whether a tag that is given or taken, and a move between sections of one project, change `modified_at`.
    ///
    /// The specification lists neither under `modified_at`, and says elsewhere that associations count.
    pub arranging_changes_modified_at: bool,
    /// What an unknown member of `data` does in a write of a task, its section or its tags (unknown).
    pub unknown_members: Strictness,
    /// What adding a field that already is on the project does (unknown).
    pub field_added_twice: AddedTwice,
    /// Whether two enabled options of one field may share a name (unknown).
    pub duplicate_option_names: Strictness,
    /// What a write of `external` does with a token that is not from OAuth (the docs only say that OAuth is required).
    pub external_without_oauth: Strictness,
    /// What a second task with the same `external.gid` of one app does (unknown).
    pub duplicate_external: Strictness,
    /// The most custom fields of one project.
    pub fields_per_project: usize,
    /// In which order the actions of one batch run; Asana promises none.
    pub batch_order: BatchOrder,
    /// Origin for `Location`, `next_page.uri` and permalinks; absent: the request's `Host` header.
    pub public_url: Option<String>,
    /// How webhooks and event streams behave.
    pub webhooks: WebhookConfig,
}

impl Default for AsanaConfig {
    fn default() -> Self {
        Self {
            tokens: vec![TokenConfig::default()],
            plan: Plan::Paid,
            requests_per_minute: None,
            short_span_seconds: 15,
            short_span_percent: 25,
            reads_at_once: 50,
            writes_at_once: 15,
            searches_per_minute: 60,
            at_once_retry_after_seconds: 1,
            limits_clock: TimeBase::Real,
            search_lag_seconds: 30,
            search_clock: TimeBase::Virtual,
            page_token_seconds: 900,
            unpaged: Unpaged::Truncate,
            unpaged_rows: 1000,
            cut_after_rows: 0,
            latency_ms: 0,
            bare_paths: BarePaths::Compact,
            number_as_text: NumberAsText::Refuse,
            text_too_long: "custom_fields: Value exceeds the maximum length of 1024 characters".to_owned(),
            empty_text_clears: true,
            modified_since_inclusive: true,
            arranging_changes_modified_at: false,
            unknown_members: Strictness::Ignore,
            field_added_twice: AddedTwice::Refuse,
            duplicate_option_names: Strictness::Accept,
            external_without_oauth: Strictness::Ignore,
            duplicate_external: Strictness::Refuse,
            fields_per_project: 20,
            batch_order: BatchOrder::Reversed,
            public_url: None,
            webhooks: WebhookConfig::default(),
        }
    }
}

impl AsanaConfig {
    /// The allowance of one token in 60 seconds; 0 means no limit.
    #[must_use]
    pub fn allowance(&self) -> u32 {
        self.requests_per_minute.unwrap_or(match self.plan {
            Plan::Free => 150,
            Plan::Paid => 1500,
        })
    }

    /// No rate limits and no lag, for tests of something else and for loading data.
    #[must_use]
    pub fn unlimited() -> Self {
        Self {
            requests_per_minute: Some(0),
            reads_at_once: 0,
            writes_at_once: 0,
            searches_per_minute: 0,
            search_lag_seconds: 0,
            ..Self::default()
        }
    }
}

/// One bearer token and the user it stands for.
#[derive(Clone, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct TokenConfig {
    /// The text after `Bearer `.
    pub token: String,
    /// Full name of the user; several tokens may name one user by the same email.
    pub name: String,
    /// Email of the user.
    pub email: String,
    /// The OAuth app that the token was granted to; absent for a personal access token.
    #[serde(default)]
    pub app: Option<String>,
}

impl Default for TokenConfig {
    fn default() -> Self {
        Self {
            token: "sandbox-asana-token".to_owned(),
            name: "Connector Bot".to_owned(),
            email: "connector@example.com".to_owned(),
            app: None,
        }
    }
}

impl fmt::Debug for TokenConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenConfig")
            .field("email", &self.email)
            .field("app", &self.app)
            .finish_non_exhaustive()
    }
}

/// What a workspace has paid for.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Plan {
    /// Custom fields and search answer 402.
    Free,
    /// Everything is there.
    Paid,
}

/// Which clock measures a span.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum TimeBase {
    /// Time as it really passes.
    Real,
    /// The stand-in's own clock, which a test may move.
    Virtual,
}

/// What a listing without `limit` does when it is too long.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Unpaged {
    /// Answers the first rows and says nothing of the rest.
    Truncate,
    /// Answers 400 "The result is too large".
    Refuse,
}

/// What a bare `opt_fields` path that names an object answers.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum BarePaths {
    /// The compact record.
    Compact,
    /// Only `gid` and `resource_type`.
    GidOnly,
}

/// Whether a number may be sent as a JSON string.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum NumberAsText {
    /// 400.
    Refuse,
    /// Read as the number that it spells.
    Accept,
}

/// What happens to something that the documentation does not speak of.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Strictness {
    /// It is stored.
    Accept,
    /// It is dropped without a word.
    Ignore,
    /// It is answered with an error.
    Refuse,
}

/// What adding a custom field to a project that has it does.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum AddedTwice {
    /// 400.
    Refuse,
    /// 200 with the setting that is there.
    Answer,
}

/// The order in which the actions of a batch run.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum BatchOrder {
    /// As listed.
    Listed,
    /// Last first, so that a client that relies on the order is found out.
    Reversed,
}
