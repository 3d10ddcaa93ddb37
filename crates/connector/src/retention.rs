//! How long the log is kept, by the settings of each connection.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;

use crate::alerts::NODES;
use crate::error::Result;
use crate::store::{connections, retention};

/// The longest time that can be set, in days: a hundred years.
const LONGEST: u32 = 36_500;
const DEFAULT_DAYS: u32 = 400;

/// How long the log is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogSettings {
    /// Days that movements, attempts, steps of journals, people's actions, what Asana delivered, closed alerts and messages
    /// about them are kept, 1 to 36,500.
    pub keep_days: u32,
    /// Days that records, requests and answers of movements and journals are kept, at most `keep_days`; absent: as long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_bodies_days: Option<u32>,
}

impl Default for LogSettings {
    fn default() -> Self {
        LogSettings { keep_days: DEFAULT_DAYS, keep_bodies_days: None }
    }
}

impl LogSettings {
    /// What is wrong with these settings.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if !(1..=LONGEST).contains(&self.keep_days) {
            problems.push(format!("log.keep_days must be 1 to {LONGEST}"));
        }
        if self.keep_bodies_days.is_some_and(|days| days < 1 || days > self.keep_days) {
            problems.push("log.keep_bodies_days must be 1 to log.keep_days".to_owned());
        }
        problems
    }
}

/// What was taken away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tidied {
    /// Tables of whole months that were dropped.
    pub months: Vec<String>,
    /// Rows taken away from connections that keep less.
    pub rows: u64,
    /// Rows whose bodies were taken away.
    pub bodies: u64,
}

/// Makes the log's months ahead and takes away what no connection keeps any more. Any node may do it at any time.
pub async fn tidy(db: &PgPool, now: Timestamp) -> Result<Tidied> {
    let all = connections::list(db).await?;
    let longest = all.iter().map(|one| one.settings.log.keep_days).max().unwrap_or(DEFAULT_DAYS);
    let mut tidied = Tidied::default();
    let Some(months) = retention::turn_months(db, days_before(now, longest)).await? else {
        return Ok(tidied);
    };
    tidied.months = months;
    tidied.rows += retention::forget_alerts_before(db, NODES, days_before(now, longest)).await?;
    for connection in all {
        let log = &connection.settings.log;
        let keep_from = days_before(now, log.keep_days);
        tidied.rows += retention::forget_before(db, connection.id, keep_from).await?;
        tidied.rows += retention::forget_inbox_before(db, connection.id, keep_from).await?;
        tidied.rows += retention::forget_alerts_before(db, connection.id, keep_from).await?;
        if let Some(days) = log.keep_bodies_days {
            tidied.bodies += retention::blank_before(db, connection.id, days_before(now, days)).await?;
        }
    }
    Ok(tidied)
}

fn days_before(now: Timestamp, days: u32) -> Timestamp {
    now.checked_sub(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_out_of_range_are_named() {
        let problems =
            |keep_days, keep_bodies_days| LogSettings { keep_days, keep_bodies_days }.problems().len();
        assert_eq!(problems(400, None), 0);
        assert_eq!(problems(400, Some(400)), 0);
        assert_eq!(problems(0, None), 1);
        assert_eq!(problems(LONGEST + 1, None), 1);
        assert_eq!(problems(30, Some(31)), 1);
        assert_eq!(problems(30, Some(0)), 1);
    }
}
