//! How often things run, and how completions are learnt of.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::hooks::resource::Scope;

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

impl Default for Schedule {
    fn default() -> Self {
        Schedule { poll_minutes: 10, overlap_minutes: 5, full_scan_hours: 24 }
    }
}

impl Schedule {
    /// Time between two polls of a feed.
    #[must_use]
    pub fn poll_every(&self) -> Duration {
        Duration::from_secs(u64::from(self.poll_minutes) * 60)
    }
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
