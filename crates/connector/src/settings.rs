//! What a person sets on a connection: both addresses, the mapped fields, routing and schedule.
//!
//! Written as TOML by people, stored as JSON. Secrets never stand here.

mod asana;
mod oracle;
mod problems;
mod reconcile;
mod schedule;
mod tasks;
#[cfg(test)]
mod tests;
mod unread;

use std::collections::{BTreeMap, BTreeSet};

use oracle_fusion::Expand;
use serde::{Deserialize, Serialize};

pub use self::asana::AsanaSettings;
pub use self::oracle::OracleSettings;
pub(crate) use self::problems::problem;
pub use self::reconcile::{Drift, Every, ReconcileSettings};
pub use self::schedule::{Schedule, WebhookSettings};
pub use self::tasks::{LineAmount, TaskPer, TaskSettings, WhenDeleted, WithoutOrder};
pub(crate) use self::unread::{told, unread};
use crate::alerts::settings::AlertSettings;
use crate::code::Code;
use crate::error::{Error, Result};
use crate::feed::Feed;
use crate::ids::{FieldGid, ProjectGid};
use crate::journal::JournalSettings;
use crate::mapping::document::MappingSettings;
use crate::mapping::path::Path;
use crate::purpose::Purpose;
use crate::record::Reading;
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
    /// Values beyond the built-in ones, and where they go.
    #[serde(default, skip_serializing_if = "MappingSettings::is_empty")]
    pub mapping: MappingSettings,
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
    /// How both systems are compared completely by themselves.
    #[serde(default)]
    pub reconcile: ReconcileSettings,
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

/// The child with the projects that an order's distributions are charged to.
const PROJECTS: &str = "lines.schedules.distributions.projectDFF";

/// Settings as somebody wrote them, with what of them could not be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// What could be read; what of `[mapping]` could not is left out. `None` where nothing could.
    pub settings: Option<Settings>,
    /// What could not be read, each with its place and what to do.
    pub unread: Vec<String>,
}

impl Draft {
    /// Everything that keeps them from being taken, see [`Settings::check`].
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let of_the_rest = self.settings.iter().flat_map(Settings::problems);
        self.unread.iter().cloned().chain(of_the_rest).collect()
    }

    /// The settings when nothing is wrong.
    ///
    /// # Errors
    /// [`Code::SettingsInvalid`] with all problems.
    pub fn accepted(self) -> Result<Settings> {
        let problems = self.problems();
        match self.settings {
            Some(settings) if problems.is_empty() => Ok(settings),
            _ => Err(Error::several(Code::SettingsInvalid, problems)),
        }
    }
}

impl Settings {
    /// Reads settings as people write them, whether they are good or not.
    #[must_use]
    pub fn draft(text: &str) -> Draft {
        match toml::from_str::<Settings>(text) {
            Ok(settings) => Draft { settings: Some(settings), unread: Vec::new() },
            Err(error) => unread(text, &error, &["oracle", "asana"], &|_, _| None),
        }
    }

    /// Reads settings as people write them; all problems are named at once, see [`Settings::check`].
    pub fn from_toml(text: &str) -> Result<Settings> {
        Settings::draft(text).accepted()
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

    /// How records are read.
    #[must_use]
    pub fn reading(&self) -> Reading {
        Reading { layout: self.routing.account.clone(), paths: self.mapping.paths() }
    }

    /// Children of a feed's records that only the mapping or a routing rule reads.
    #[must_use]
    pub fn further_children(&self, feed: Feed) -> Option<Expand> {
        let paths = self.mapping.paths();
        let of_feed = paths.iter().filter(|path| path.of_invoices == (feed == Feed::Invoices));
        let mut children: BTreeSet<String> =
            of_feed.map(Path::children).filter(|children| !children.is_empty()).collect();
        let by_project = self.routing.rules.iter().any(|rule| rule.project_number.is_some());
        if feed == Feed::PurchaseOrders && by_project {
            children.insert(PROJECTS.to_owned());
        }
        Expand::new(children.iter().map(String::as_str)).ok()
    }

    /// The required fields, and those whose options are kept, that are not mapped: a draft may lack them until its fields
    /// are provisioned.
    #[must_use]
    pub fn unmapped(&self) -> BTreeSet<Purpose> {
        let needed = Purpose::REQUIRED.iter().copied().chain(self.optioned());
        needed.filter(|purpose| !self.fields.contains_key(purpose)).collect()
    }

    /// What the fields are for whose options `[reference]` keeps.
    pub fn optioned(&self) -> impl Iterator<Item = Purpose> {
        self.reference.iter().flat_map(|reference| reference.options.iter().copied())
    }

    /// Refuses a connection that lacks a required field: nothing may be read or written for it.
    pub fn check_mapped(&self) -> Result<()> {
        let missing: Vec<&str> = self.unmapped().into_iter().map(Purpose::as_str).collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Error::new(Code::FieldsUnmapped, format!("no Asana field is mapped for {}", missing.join(", "))))
    }
}
