//! What a person sets on a connection: both addresses, the mapped fields, routing and schedule.
//!
//! Written as TOML by people, stored as JSON. Secrets never stand here.

use std::collections::BTreeMap;
use std::time::Duration;

use ::asana::BudgetSettings;
use oracle_fusion::FrameworkVersion;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::alerts::settings::AlertSettings;
use crate::code::Code;
use crate::error::{Error, Result};
use crate::hooks::resource::Scope;
use crate::ids::{FieldGid, ProjectGid};
use crate::journal::JournalSettings;
use crate::purpose::Purpose;
use crate::reference::ReferenceSettings;
use crate::retention::LogSettings;
use crate::routing::Routing;

/// All settings of a connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The Oracle side.
    pub oracle: OracleSettings,
    /// The Asana side.
    pub asana: AsanaSettings,
    /// Which Asana field takes which value, by gid. A draft may lack required ones, see [`Settings::check_mapped`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<Purpose, FieldGid>,
    /// Which project an order's task belongs to.
    pub routing: Routing,
    /// How tasks are made.
    #[serde(default)]
    pub tasks: TaskSettings,
    /// How often things run.
    #[serde(default)]
    pub schedule: Schedule,
    /// The journals that completed tasks bring; absent: none, and nothing listens to Asana.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub journal: Option<JournalSettings>,
    /// Which projects are watched for completions, and how often that is made sure.
    #[serde(default)]
    pub webhooks: WebhookSettings,
    /// Suppliers and accounts, read without being asked; absent: only by command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<ReferenceSettings>,
    /// Whom alerts are sent to, and when.
    #[serde(default)]
    pub alerts: AlertSettings,
    /// How long the log is kept.
    #[serde(default)]
    pub log: LogSettings,
}

/// How completions are learnt of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebhookSettings {
    /// Which projects are watched.
    pub scope: Scope,
    /// Minutes between two comparisons of the registrations with Asana's list, 1 to 1,440.
    pub check_minutes: u32,
    /// Minutes between two sweeps for completions that no webhook told of, 1 to 1,440.
    pub sweep_minutes: u32,
}

impl Default for WebhookSettings {
    fn default() -> Self {
        WebhookSettings { scope: Scope::MappedProjects, check_minutes: 60, sweep_minutes: 60 }
    }
}

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

/// What one task stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskPer {
    /// One task per purchase order.
    Order,
    /// One task per purchase order line.
    Line,
}

/// Which line attribute is the line-item amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineAmount {
    /// `Ordered`, without exclusive tax.
    Ordered,
    /// `Total`, with tax.
    Total,
}

/// What happens when a task was deleted in Asana.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenDeleted {
    /// The movement is held until a person decides.
    Hold,
    /// A new task is made.
    Recreate,
}

/// What happens with an invoice that names no order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WithoutOrder {
    /// It is stored and logged, but no task shows it.
    Ignore,
    /// It gets a task of its own in the default project.
    Task,
}

/// How tasks are made and named.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TaskSettings {
    /// What one task stands for.
    pub per: TaskPer,
    /// Whether a task is created when none carries the order number.
    pub create: bool,
    /// What happens when a task was deleted.
    pub deleted: WhenDeleted,
    /// What happens with an invoice without order.
    pub invoices_without_order: WithoutOrder,
    /// Which attribute is the line-item amount.
    pub line_amount: LineAmount,
    /// MiniJinja template of a new task's name.
    pub name: String,
    /// MiniJinja template of a new task's notes; the order's key is always added.
    pub notes: String,
}

/// How often things run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Schedule {
    /// Minutes between two polls of a feed.
    pub poll_minutes: u32,
    /// How far before the watermark a poll starts, in minutes.
    pub overlap_minutes: u32,
    /// Hours between two full scans; 0: none.
    pub full_scan_hours: u32,
}

fn default_framework_version() -> u8 {
    4
}
fn default_page_size() -> u16 {
    499
}
fn default_oracle_requests_per_minute() -> u32 {
    6_000
}
fn default_requests_per_minute() -> u32 {
    1500
}
fn default_asana_url() -> Url {
    #[expect(clippy::expect_used, reason = "a literal")]
    Url::parse("https://app.asana.com/api/1.0").expect("a literal URL")
}

impl Default for TaskSettings {
    fn default() -> Self {
        TaskSettings {
            per: TaskPer::Order,
            create: true,
            deleted: WhenDeleted::Hold,
            invoices_without_order: WithoutOrder::Ignore,
            line_amount: LineAmount::Ordered,
            name: crate::template::DEFAULT_NAME.to_owned(),
            notes: crate::template::DEFAULT_NOTES.to_owned(),
        }
    }
}

impl Default for Schedule {
    fn default() -> Self {
        Schedule { poll_minutes: 10, overlap_minutes: 5, full_scan_hours: 24 }
    }
}

/// Where in a settings file something is wrong, and what. Values are not repeated: a secret may have
/// strayed into the file.
pub(crate) fn problem(text: &str, message: &str, span: Option<std::ops::Range<usize>>) -> String {
    let message = message.trim_end();
    let told = match (message.find('"'), message.rfind('"')) {
        (Some(from), Some(to)) if from < to => {
            format!("{}\"…\"{}", &message[..from], &message[to + 1..])
        }
        _ => message.to_owned(),
    };
    let Some(before) = span.and_then(|span| text.get(..span.start)).filter(|_| !text.is_empty()) else {
        return told;
    };
    let line = text.lines().nth(before.matches('\n').count()).unwrap_or_default();
    let number = before.matches('\n').count() + 1;
    match line.split('=').next().map(str::trim).filter(|key| line.contains('=') && !key.is_empty()) {
        Some(key) => format!("line {number}, `{key}`: {told}"),
        None => format!("line {number}: {told}"),
    }
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

impl AsanaSettings {
    /// What the Asana client is made of.
    #[must_use]
    pub fn client(&self, token: SecretString) -> asana::Config {
        let mut config = asana::Config::new(token);
        config.base = self.url.clone();
        config.budget =
            BudgetSettings { requests_per_minute: self.requests_per_minute, ..BudgetSettings::default() };
        config
    }
}

impl Schedule {
    /// Time between two polls of a feed.
    #[must_use]
    pub fn poll_every(&self) -> Duration {
        Duration::from_secs(u64::from(self.poll_minutes) * 60)
    }
}

impl Settings {
    /// Reads settings as people write them. A setting that is unknown, missing or of another type ends the reading; of
    /// what could be read, all problems are named, see [`Settings::check`].
    pub fn from_toml(text: &str) -> Result<Settings> {
        let settings: Settings = toml::from_str(text)
            .map_err(|e| Error::new(Code::SettingsInvalid, problem(text, e.message(), e.span())))?;
        settings.check()?;
        Ok(settings)
    }

    /// The settings as people write them.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string_pretty(self).map_err(|e| {
            Error::new(Code::SettingsInvalid, "the settings cannot be written as TOML").because(e)
        })
    }

    /// Every project that a rule or the default names, each once.
    #[must_use]
    pub fn projects(&self) -> Vec<ProjectGid> {
        self.routing.projects()
    }

    /// What is wrong with the two sides; of what a client itself refuses, the first. No secret is needed for that.
    fn side_problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let OracleSettings { token_url, client_id, scope, .. } = self.oracle.clone();
        let secret = || SecretString::from("");
        match self.oracle.base() {
            Err(error) => problems.push(error.message),
            Ok(base) => {
                let client = oracle_fusion::Config::new(base, token_url, client_id, secret(), scope);
                problems.extend(client.check().err().map(|error| format!("[oracle]: {error}")));
            }
        }
        if !(4..=9).contains(&self.oracle.framework_version) {
            problems.push("oracle.framework_version must be 4 to 9".to_owned());
        }
        if !(1..=499).contains(&self.oracle.page_size) {
            problems.push("oracle.page_size must be 1 to 499".to_owned());
        }
        if self.oracle.requests_per_minute == 0 {
            problems.push("oracle.requests_per_minute must be at least 1".to_owned());
        }
        if self.asana.requests_per_minute == 0 {
            problems.push("asana.requests_per_minute must be at least 1".to_owned());
        } else if let Err(error) = self.asana.client(secret()).check() {
            problems.push(format!("[asana]: {error}"));
        }
        if self.asana.workspace.is_empty() || !self.asana.workspace.bytes().all(|b| b.is_ascii_digit()) {
            problems.push("asana.workspace must be a gid (digits only)".to_owned());
        }
        problems
    }

    fn journal_problems(&self) -> Vec<String> {
        let mut problems = self.journal.as_ref().map(JournalSettings::problems).unwrap_or_default();
        for (name, minutes) in
            [("check_minutes", self.webhooks.check_minutes), ("sweep_minutes", self.webhooks.sweep_minutes)]
        {
            if !(1..=1440).contains(&minutes) {
                problems.push(format!("webhooks.{name} must be 1 to 1440"));
            }
        }
        for purpose in [Purpose::JournalStatus, Purpose::Cost] {
            if self.fields.contains_key(&purpose) && self.journal.is_none() {
                problems.push(format!("fields.{} needs a [journal] section", purpose.as_str()));
            }
        }
        problems
    }

    /// The required fields that are not mapped: a draft may lack them until its fields are provisioned.
    #[must_use]
    pub fn unmapped(&self) -> Vec<Purpose> {
        Purpose::REQUIRED.iter().copied().filter(|purpose| !self.fields.contains_key(purpose)).collect()
    }

    /// Refuses a connection that lacks a required field: nothing may be read or written for it.
    pub fn check_mapped(&self) -> Result<()> {
        let missing: Vec<&str> = self.unmapped().into_iter().map(Purpose::as_str).collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Error::new(Code::FieldsUnmapped, format!("no Asana field is mapped for {}", missing.join(", "))))
    }

    /// Refuses what cannot work. All problems are named; of what a client refuses (addresses, client id, scope) the
    /// first of each side.
    pub fn check(&self) -> Result<()> {
        let mut problems = self.side_problems();
        let link_has_id = self.oracle.order_link.as_deref().is_some_and(|link| link.contains("{id}"));
        if self.fields.contains_key(&Purpose::OracleLink) && !link_has_id {
            problems
                .push("fields.oracle_link needs oracle.order_link, an address with {id} in it".to_owned());
        }
        let mut by_gid: BTreeMap<&FieldGid, Purpose> = BTreeMap::new();
        for (purpose, gid) in &self.fields {
            if gid.0.is_empty() || !gid.0.bytes().all(|b| b.is_ascii_digit()) {
                problems.push(format!("fields.{} must be a gid (digits only)", purpose.as_str()));
            } else if let Some(other) = by_gid.insert(gid, *purpose) {
                let (a, b) = (other.as_str(), purpose.as_str());
                problems.push(format!("fields.{b} names the same field as fields.{a}"));
            }
        }
        if self.schedule.poll_minutes == 0 {
            problems.push("schedule.poll_minutes must be at least 1".to_owned());
        }
        problems.extend(self.journal_problems());
        problems.extend(self.reference.iter().flat_map(|reference| reference.problems(&self.fields)));
        problems.extend(self.alerts.problems());
        problems.extend(self.log.problems());
        problems.extend(self.routing.problems());
        if let Err(error) = crate::template::Templates::new(&self.tasks) {
            problems.push(error.message);
        }
        if problems.is_empty() { Ok(()) } else { Err(Error::new(Code::SettingsInvalid, problems.join("; "))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_file_is_told_by_line_and_key_and_never_by_value() {
        let told = |text: &str| Settings::from_toml(text).unwrap_err().message;
        assert!(
            told("[oracle]\nclient_secret = \"hidden\"")
                .starts_with("line 2, `client_secret`: unknown field")
        );
        assert_eq!(
            told("[oracle]\nurl = \"hid\\\"den\""),
            "line 2, `url`: relative URL without a base: \"…\""
        );
        assert!(
            told("[schedule]\npoll_minutes = \"hidden\"")
                .ends_with("invalid type: string \"…\", expected u32")
        );
        assert!(!told("[oracle]\nclient_id = hidden").contains("hidden"));
    }

    #[test]
    fn what_a_client_would_refuse_is_refused_before_it_is_stored() {
        let good = Settings::from_toml(&examples("docs/settings.md")[0]).unwrap();
        let told = |change: fn(&mut Settings)| {
            let mut settings = good.clone();
            change(&mut settings);
            settings.check().err().map(|error| error.message)
        };
        let refused = |change, words: &str| {
            let told = told(change).unwrap_or_default();
            assert!(told.contains(words), "{words}: {told}");
        };
        let url = |text: &str| Url::parse(text).unwrap();
        refused(|s| s.oracle.url = "http://pod.example".parse().ok(), "base must be an https address");
        refused(|s| s.oracle.token_url.set_scheme("http").unwrap(), "token_url must be an https address");
        refused(|s| s.asana.url.set_scheme("http").unwrap(), "must start with https://");
        refused(|s| s.asana.url.set_query(Some("a=b")), "query");
        refused(|s| s.oracle.client_id.clear(), "client_id");
        refused(|s| s.oracle.scope = " ".into(), "scope");
        refused(|s| s.asana.workspace.clear(), "asana.workspace");
        refused(|s| s.asana.workspace = "Acme".into(), "asana.workspace");
        assert_eq!(told(|s| s.oracle.url = "https://pod.example/path".parse().ok()), None);
        let mut local = good.clone();
        (local.oracle.url, local.asana.url) =
            (Some(url("http://127.0.0.1:1")), url("http://[::1]:2/api/1.0"));
        local.check().unwrap();
        let all = told(|s| {
            s.oracle.scope.clear();
            s.asana.url.set_scheme("http").unwrap();
            s.schedule.poll_minutes = 0;
        });
        assert_eq!(all.unwrap().matches("; ").count(), 2);
    }

    /// The TOML examples of a page.
    fn examples(page: &str) -> Vec<String> {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(page);
        let text = std::fs::read_to_string(path).unwrap();
        let mut found = Vec::new();
        let mut lines = text.lines().map(str::trim_start);
        while let Some(line) = lines.next() {
            if line == "```toml" {
                found.push(lines.by_ref().take_while(|line| *line != "```").collect::<Vec<_>>().join("\n"));
            }
        }
        found
    }

    #[test]
    fn the_examples_in_the_documentation_are_valid_settings() {
        for page in ["README.md", "docs/settings.md"] {
            let examples = examples(page);
            assert!(!examples.is_empty(), "{page} has no example");
            for example in examples {
                Settings::from_toml(&example).unwrap_or_else(|error| panic!("{page}: {error}"));
            }
        }
    }

    #[test]
    fn the_complete_example_names_every_purpose_and_shows_the_defaults() {
        let example = Settings::from_toml(&examples("docs/settings.md")[0]).unwrap();
        assert!(Purpose::ALL.iter().all(|purpose| example.fields.contains_key(purpose)));
        assert_eq!(example.tasks, TaskSettings::default());
        assert_eq!(example.schedule, Schedule::default());
        assert_eq!(example.routing.account, crate::charge_account::AccountLayout::default());
        assert_eq!(
            (example.oracle.framework_version, example.oracle.page_size),
            (default_framework_version(), default_page_size())
        );
        assert_eq!(
            (example.asana.requests_per_minute, example.asana.url),
            (default_requests_per_minute(), default_asana_url())
        );
        assert_eq!(example.webhooks, WebhookSettings::default());
        let reference = example.reference.unwrap();
        let (options, text) = (reference.options.clone(), reference.text.clone());
        assert!(!options.is_empty() && !text.is_empty());
        assert_eq!(reference, ReferenceSettings { options, text, ..ReferenceSettings::default() });
    }

    #[test]
    fn the_complete_example_names_every_journal_setting_and_shows_the_defaults() {
        let example = Settings::from_toml(&examples("docs/settings.md")[0]).unwrap().journal.unwrap();
        let least = JournalSettings { clearing_account: None, ..example.clone() };
        let needed = "ledger_id ledger_currency source category clearing_account_id time_zone";
        let mut table = toml::Table::try_from(&least).unwrap();
        table.retain(|key, _| needed.split(' ').any(|one| one == key));
        let defaults: JournalSettings = table.try_into().unwrap();
        // a setting that is added must be named here, and in the example
        let JournalSettings {
            ledger_id: _,
            ledger,
            ledger_currency: _,
            source: _,
            source_parameter,
            category: _,
            data_access_set,
            clearing_account_id,
            clearing_account,
            natural_account,
            balancing_segment,
            segment_names,
            time_zone: _,
            rate_type,
            decimals,
            closed_period,
            reopened,
            suspense,
            canceled_statuses,
            document_account,
            job,
            job_options,
            notification_code,
            settle_minutes,
            follow,
        } = example;
        let named = [ledger, source_parameter, data_access_set, clearing_account_id, clearing_account];
        assert!(named.iter().chain([&natural_account, &rate_type]).all(Option::is_some));
        assert!(balancing_segment.is_some() && !segment_names.is_empty() && !decimals.is_empty());
        assert_eq!(
            (closed_period, reopened, suspense, canceled_statuses, settle_minutes, follow),
            (
                defaults.closed_period,
                defaults.reopened,
                defaults.suspense,
                defaults.canceled_statuses,
                defaults.settle_minutes,
                defaults.follow
            )
        );
        assert_eq!(
            (document_account, job, job_options, notification_code),
            (defaults.document_account, defaults.job, defaults.job_options, defaults.notification_code)
        );
    }
}
