//! Comparing both systems by itself: how often, and what becomes of drift.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The longest time between two comparisons, in hours: a month.
const MOST_HOURS: u32 = 744;

/// How both systems are compared completely by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReconcileSettings {
    /// Time between two comparisons.
    pub every: Every,
    /// What becomes of what differs.
    pub drift: Drift,
}

impl Default for ReconcileSettings {
    fn default() -> Self {
        ReconcileSettings { every: Every::hours(24), drift: Drift::Repair }
    }
}

/// What a comparison that ran by itself does with what differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Drift {
    /// What can be put right is put right, through movements.
    Repair,
    /// Nothing is written; an alert tells of it.
    Report,
}

impl Drift {
    /// The name in settings, tables and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Drift::Repair => "repair",
            Drift::Report => "report",
        }
    }
}

/// A whole number of hours, or never: `24h`, `7d`, `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Every(Option<u32>);

impl Every {
    /// Never.
    pub const OFF: Every = Every(None);

    const fn hours(hours: u32) -> Every {
        Every(Some(hours))
    }

    /// The time, unless it is never.
    #[must_use]
    pub fn duration(self) -> Option<Duration> {
        self.0.map(|hours| Duration::from_hours(hours.into()))
    }
}

/// What is no [`Every`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("reconcile.every must be `off`, or 1h to 744h in hours (24h) or days (7d)")]
pub struct NoEvery;

impl FromStr for Every {
    type Err = NoEvery;

    fn from_str(text: &str) -> Result<Every, NoEvery> {
        if text == "off" {
            return Ok(Every::OFF);
        }
        let hours = match (text.strip_suffix('h'), text.strip_suffix('d')) {
            (Some(hours), _) => digits(hours),
            (None, Some(days)) => digits(days).and_then(|days| days.checked_mul(24)),
            (None, None) => None,
        };
        hours.filter(|hours| (1..=MOST_HOURS).contains(hours)).map(Every::hours).ok_or(NoEvery)
    }
}

/// `parse` alone would take a sign.
fn digits(text: &str) -> Option<u32> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

impl fmt::Display for Every {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(hours) => write!(f, "{hours}h"),
            None => f.write_str("off"),
        }
    }
}

impl TryFrom<String> for Every {
    type Error = NoEvery;

    fn try_from(text: String) -> Result<Every, NoEvery> {
        text.parse()
    }
}

impl From<Every> for String {
    fn from(every: Every) -> String {
        every.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_days_and_never_are_read_and_written() {
        for (text, again) in [("24h", "24h"), ("7d", "168h"), ("1h", "1h"), ("744h", "744h"), ("off", "off")]
        {
            assert_eq!(text.parse::<Every>().unwrap().to_string(), again);
        }
        for text in ["", "h", "0h", "745h", "32d", "24", "+4h", "-1h", "1.5h", "24 h", "never", "4294967295d"]
        {
            assert_eq!(text.parse::<Every>(), Err(NoEvery), "{text}");
        }
        let read: ReconcileSettings = toml::from_str("every = \"2d\"\ndrift = \"report\"").unwrap();
        assert_eq!(read.every.duration(), Some(Duration::from_hours(48)));
        assert_eq!(read.drift, Drift::Report);
        assert_eq!(Every::OFF.duration(), None);
        let wrong = toml::from_str::<ReconcileSettings>("every = \"daily\"").unwrap_err();
        assert!(wrong.message().contains("744h") && !wrong.message().contains("daily"), "{wrong}");
    }
}
