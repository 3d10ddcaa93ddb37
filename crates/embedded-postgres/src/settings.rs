//! What the caller may decide about its private server.

use std::path::PathBuf;
use std::time::Duration;

use crate::Error;

/// A name in PostgreSQL holds at most 63 bytes (`NAMEDATALEN - 1`); a longer one would be cut silently.
const MAX_NAME_BYTES: usize = 63;

/// Long enough for crash recovery over a full `max_wal_size` on a slow disk.
const START_TIMEOUT: Duration = Duration::from_secs(120);

/// How a private server is run. Start from [`Settings::new`] and change what differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The directory that belongs to the server alone: its data, log, lock and socket. Made when missing.
    pub data_dir: PathBuf,
    /// The database that [`Server::url`](crate::Server::url) names; made when missing.
    pub database: String,
    /// The role that owns the database. It may log in and make further databases, but is no superuser.
    pub user: String,
    /// Connections that all clients together may hold; a few more are kept back for administration.
    pub max_connections: u16,
    /// The directory with `initdb` and `postgres`; `None`: look for it on this machine.
    pub programs: Option<PathBuf>,
    /// Further server settings, such as `("shared_buffers", "256MB")`; each wins over the built-in value.
    pub parameters: Vec<(String, String)>,
    /// How long a start may take, crash recovery and waiting for another program's server included.
    pub start_timeout: Duration,
}

impl Settings {
    /// The usual settings for a server in `data_dir`: database and role `ml_connector`, 100 connections.
    #[must_use]
    pub fn new(data_dir: impl Into<PathBuf>) -> Settings {
        Settings {
            data_dir: data_dir.into(),
            database: "ml_connector".to_owned(),
            user: "ml_connector".to_owned(),
            max_connections: 100,
            programs: None,
            parameters: Vec::new(),
            start_timeout: START_TIMEOUT,
        }
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        for (what, name) in [("database", &self.database), ("user", &self.user)] {
            if name.is_empty() || name.len() > MAX_NAME_BYTES || name.chars().any(char::is_control) {
                return Err(Error::SettingsInvalid {
                    reason: format!("the {what} name {name:?} must have 1 to {MAX_NAME_BYTES} plain bytes"),
                });
            }
        }
        if self.max_connections == 0 {
            return Err(Error::SettingsInvalid { reason: "max_connections must be at least 1".to_owned() });
        }
        Ok(())
    }
}

/// Where `program` keeps its private server when nobody said where.
///
/// For root that is below `/var/lib`, since root's home is closed to the user that the server runs as;
/// for everybody else below `$XDG_DATA_HOME` or `~/.local/share`. `None` when there is no home directory.
#[must_use]
pub fn default_data_dir(program: &str) -> Option<PathBuf> {
    let base = if rustix::process::geteuid().is_root() {
        PathBuf::from("/var/lib")
    } else {
        let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
        absolute("XDG_DATA_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/share")))?
    };
    Some(base.join(program).join("postgres"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_postgresql_would_cut_is_refused() {
        let settings = Settings { database: "d".repeat(64), ..Settings::new("/x") };
        assert_eq!(settings.check().unwrap_err().code(), "MLC-1113");
        assert!(Settings { database: "d".repeat(63), ..Settings::new("/x") }.check().is_ok());
    }

    #[test]
    fn a_server_for_no_connections_is_refused() {
        let settings = Settings { max_connections: 0, ..Settings::new("/x") };
        assert_eq!(settings.check().unwrap_err().code(), "MLC-1113");
    }
}
