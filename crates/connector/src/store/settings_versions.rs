//! Every version of a connection's settings: what was valid when, and who changed it.

use jiff::Timestamp;
use sqlx::{PgConnection, PgPool};

use crate::code::Code;
use crate::error::{Error, Result};
use crate::ids::ConnectionId;
use crate::settings::Settings;

/// A version as it was stored.
#[derive(Debug, Clone)]
pub struct Version {
    /// Its number; numbers go up by one.
    pub version: i32,
    /// Since when it is valid.
    pub at: Timestamp,
    /// Who changed it, where the system said so.
    pub by: Option<String>,
    /// The version that was gone back to.
    pub rollback_to: Option<i32>,
    /// The settings, or why this program cannot read them any more.
    pub settings: std::result::Result<Box<Settings>, String>,
}

/// Who changes the settings, and how.
#[derive(Debug, Clone, Copy, Default)]
pub struct Change<'a> {
    /// Who, where the system says so.
    pub by: Option<&'a str>,
    /// The version that is gone back to.
    pub rollback_to: Option<i32>,
}

/// Keeps the connection's settings, as they are now, under their version.
pub async fn keep(db: &mut PgConnection, connection: ConnectionId, change: Change<'_>) -> Result<()> {
    sqlx::query!(
        "insert into settings_versions (connection_id, version, settings, done_by, rollback_to)
         select connection_id, settings_version, settings, $2, $3 from connections where connection_id = $1",
        connection.0,
        change.by,
        change.rollback_to,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The newest `limit` versions before `below`, newest first.
pub async fn list(
    db: &PgPool,
    connection: ConnectionId,
    below: Option<i32>,
    limit: i64,
) -> Result<Vec<Version>> {
    let rows = sqlx::query!(
        "select version, settings, at, done_by, rollback_to from settings_versions
         where connection_id = $1 and ($2::integer is null or version < $2) order by version desc limit $3",
        connection.0,
        below,
        limit,
    )
    .fetch_all(db)
    .await?;
    let read = |text: &str| serde_json::from_str(text).map(Box::new).map_err(|error| error.to_string());
    Ok(rows
        .into_iter()
        .map(|r| Version {
            version: r.version,
            at: r.at.to_jiff(),
            by: r.done_by,
            rollback_to: r.rollback_to,
            settings: read(&r.settings),
        })
        .collect())
}

/// The settings of one version.
///
/// # Errors
/// [`Code::SettingsVersionUnknown`] when there is none of this number, [`Code::SettingsInvalid`] when this program cannot
/// read it any more.
pub async fn settings(db: &PgPool, connection: ConnectionId, version: i32) -> Result<Settings> {
    let found = list(db, connection, version.checked_add(1), 1).await?.pop();
    let found = found.filter(|found| found.version == version).ok_or_else(|| {
        Error::new(Code::SettingsVersionUnknown, format!("there is no version {version} of these settings"))
    })?;
    found.settings.map(|settings| *settings).map_err(|why| {
        let message = format!("version {version} of the settings cannot be read by this program: {why}");
        Error::new(Code::SettingsInvalid, message)
    })
}
