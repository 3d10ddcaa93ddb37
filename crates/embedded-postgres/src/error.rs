//! Everything that can keep a private server from running, each with a stable code and a remedy.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::code::{self, CodeInfo};

/// Why a private server could not be started or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// `initdb` and `postgres` were not found.
    #[error(
        "the PostgreSQL server programs (initdb, postgres) are not installed; looked in {searched}. \
         Install version {oldest} or later (Debian and Ubuntu: postgresql; Fedora and RHEL: postgresql-server; \
         Arch: postgresql; Homebrew: postgresql@17), or set DATABASE_URL to use a server that runs elsewhere",
        oldest = crate::programs::OLDEST_MAJOR
    )]
    ProgramsMissing {
        /// The places that were looked at, separated by commas.
        searched: String,
    },

    /// Programs were found, but none is new enough.
    #[error(
        "PostgreSQL {version} in {} is too old; install version {oldest} or later, or set DATABASE_URL to use \
         a newer server that runs elsewhere",
        found.display(),
        oldest = crate::programs::OLDEST_MAJOR
    )]
    ProgramsTooOld {
        /// The directory of the newest programs found.
        found: PathBuf,
        /// Their major version.
        version: u32,
    },

    /// The data directory cannot be used as it is.
    #[error("the data directory {} cannot be used: {reason}", path.display())]
    DirectoryUnusable {
        /// The directory, or the parent that is in the way.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
        /// The system's answer, if it was a failed call.
        source: Option<io::Error>,
    },

    /// Another live program owns the directory and its server never became ready.
    #[error(
        "another program ({owner}) holds {}, and its server did not answer within {waited:?}; \
         stop that program, or choose another data directory",
        path.display()
    )]
    LockTimedOut {
        /// The lock file.
        path: PathBuf,
        /// What the lock file says about its owner.
        owner: String,
        /// How long this program waited.
        waited: Duration,
    },

    /// A new database could not be made.
    #[error("initdb could not make a new database; what it said last: {output}")]
    InitdbFailed {
        /// The tail of its output.
        output: String,
    },

    /// The server ended, or was not ready in time.
    #[error("the PostgreSQL server did not start: {reason}; the end of {}: {log_tail}", log.display())]
    StartFailed {
        /// What was seen.
        reason: String,
        /// The server's log file.
        log: PathBuf,
        /// What the server wrote during this start.
        log_tail: String,
    },

    /// Root found no ordinary user to run the server as.
    #[error(
        "PostgreSQL refuses to run as root, and {reason}; install the distribution's PostgreSQL package, which \
         makes that user, or run this program as an ordinary user"
    )]
    AccountMissing {
        /// Which user was looked for.
        reason: String,
    },

    /// The data were written by a major version that is not installed.
    #[error(
        "the data in {} were written by PostgreSQL {needed}, and only version {found} is installed; install \
         PostgreSQL {needed}, or move the data to the new version with pg_upgrade or a dump",
        cluster.display()
    )]
    VersionMismatch {
        /// The database cluster.
        cluster: PathBuf,
        /// The major version that it needs.
        needed: u32,
        /// The major versions found.
        found: String,
    },

    /// A server left over from an earlier run does not end.
    #[error(
        "a PostgreSQL server left over from an earlier run (process {pid}) does not end, not even when killed; \
         look at why with `ps -o pid,state,wchan,cmd -p {pid}` and start again when it is gone"
    )]
    LeftoverStuck {
        /// Its process id.
        pid: i32,
    },

    /// The server did not stop in time.
    #[error(
        "the PostgreSQL server (process {pid}) did not stop within {waited:?}; its data are safe, and the next \
         start puts it right"
    )]
    StopTimedOut {
        /// The server's process id.
        pid: i32,
        /// How long it was waited for.
        waited: Duration,
    },

    /// The server runs but refuses what is needed of it.
    #[error("the private PostgreSQL server runs but refused to {action}; its log is {}", log.display())]
    Refused {
        /// What was asked of it.
        action: &'static str,
        /// The server's log file.
        log: PathBuf,
        /// The server's answer.
        source: sqlx::Error,
    },

    /// A program could not be run at all.
    #[error("{} could not be run; check that it is executable for the user that the server runs as", program.display())]
    ProgramUnusable {
        /// The program.
        program: PathBuf,
        /// The system's answer.
        source: io::Error,
    },

    /// The settings make no sense.
    #[error("the settings of the private PostgreSQL server are wrong: {reason}")]
    SettingsInvalid {
        /// Which one, and what it must be.
        reason: String,
    },
}

impl Error {
    /// The stable code of this error, from the range MLC-1100 to MLC-1199.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.info().code
    }

    /// The code with what it means and what to do.
    #[must_use]
    pub fn info(&self) -> CodeInfo {
        match self {
            Error::ProgramsMissing { .. } => code::PROGRAMS_MISSING,
            Error::ProgramsTooOld { .. } => code::PROGRAMS_TOO_OLD,
            Error::DirectoryUnusable { .. } => code::DIRECTORY_UNUSABLE,
            Error::LockTimedOut { .. } => code::LOCK_TIMED_OUT,
            Error::InitdbFailed { .. } => code::INITDB_FAILED,
            Error::StartFailed { .. } => code::START_FAILED,
            Error::AccountMissing { .. } => code::ACCOUNT_MISSING,
            Error::VersionMismatch { .. } => code::VERSION_MISMATCH,
            Error::LeftoverStuck { .. } => code::LEFTOVER_STUCK,
            Error::StopTimedOut { .. } => code::STOP_TIMED_OUT,
            Error::Refused { .. } => code::REFUSED,
            Error::ProgramUnusable { .. } => code::PROGRAM_UNUSABLE,
            Error::SettingsInvalid { .. } => code::SETTINGS_INVALID,
        }
    }

    pub(crate) fn directory(path: impl Into<PathBuf>, reason: impl Into<String>) -> Error {
        Error::DirectoryUnusable { path: path.into(), reason: reason.into(), source: None }
    }

    pub(crate) fn directory_io(path: impl Into<PathBuf>, reason: &str, source: io::Error) -> Error {
        Error::DirectoryUnusable { path: path.into(), reason: reason.to_owned(), source: Some(source) }
    }
}
