//! Calling both sides: the shared budgets, the breaker of each side, and what a failure says of a side as a whole.
//!
//! How long to wait after a failure stands in [`backoff`](crate::backoff); the pace and the time limits are the
//! clients' (`outbound`, and `Timeouts` of each).

pub mod breaker;
mod budget;
pub mod sides;

use std::time::Duration;

pub use budget::SharedBudget;

use crate::code::Code;

/// After a 429 a job that only reads waits for so long at most where it stands, with its lease; a longer wait gives
/// the job back until then.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// One of the two sides of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// Oracle Fusion, with its token endpoint.
    Oracle,
    /// Asana.
    Asana,
}

impl Provider {
    /// Both.
    pub const ALL: [Provider; 2] = [Provider::Oracle, Provider::Asana];

    /// The name in the table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Provider::Oracle => "oracle",
            Provider::Asana => "asana",
        }
    }

    /// The name for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Provider::Oracle => "Oracle",
            Provider::Asana => "Asana",
        }
    }
}

/// What a failure says of a whole side, if it does: then whatever is asked next would fail alike.
#[must_use]
pub fn trips(code: Code) -> Option<(Provider, breaker::Trouble)> {
    use Provider::{Asana, Oracle};
    use breaker::Trouble::{Credential, Maintenance, Server, Unreachable};
    Some(match code {
        Code::OracleUnreachable | Code::OracleTimedOut => (Oracle, Unreachable),
        Code::OracleServer | Code::OracleMalformed => (Oracle, Server),
        Code::OracleClientRefused
        | Code::OracleScopeRefused
        | Code::OracleTokenFailed
        | Code::OracleUnauthorized => (Oracle, Credential),
        Code::OracleMaintenance => (Oracle, Maintenance),
        Code::AsanaUnreachable | Code::AsanaNoAnswer => (Asana, Unreachable),
        Code::AsanaServer | Code::AsanaMalformed => (Asana, Server),
        Code::AsanaUnauthorized => (Asana, Credential),
        _ => return None,
    })
}

/// Whether it is no failure but a request to slow down.
#[must_use]
pub fn is_busy(code: Code) -> bool {
    matches!(code, Code::OracleBusy | Code::AsanaBusy)
}
