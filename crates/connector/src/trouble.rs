//! From the clients' failures to the engine's codes.

use asana::Error as AsanaError;
use oracle_fusion::{Error as OracleError, RecordError, TokenError};

use crate::code::Code;
use crate::error::Error;

/// Names a failure of the Oracle client.
#[must_use]
pub fn oracle(error: OracleError) -> Error {
    let code = oracle_code(&error);
    let retry_after = error.retry_after();
    Error::new(code, error.to_string()).because(error).wait(retry_after)
}

/// The code of a failure of the Oracle client.
#[must_use]
pub fn oracle_code(error: &OracleError) -> Code {
    match error {
        OracleError::Config(_) => Code::SettingsInvalid,
        OracleError::Unreachable { .. } => Code::OracleUnreachable,
        OracleError::TimedOut { .. } => Code::OracleTimedOut,
        OracleError::Unauthorized(_) => Code::OracleUnauthorized,
        OracleError::Forbidden(_) => Code::OracleForbidden,
        OracleError::NotFound(_) => Code::OracleNotFound,
        OracleError::BadRequest(_) | OracleError::Refused(_) => Code::OracleRefused,
        OracleError::TooManyRequests { .. } => Code::OracleBusy,
        OracleError::Maintenance { announced: true, .. } => Code::OracleMaintenance,
        // a 503 without a word of maintenance is an overload like any other
        OracleError::Maintenance { announced: false, .. } | OracleError::Server { .. } => Code::OracleServer,
        OracleError::Redirected(_)
        | OracleError::UnexpectedBody(_)
        | OracleError::Malformed { .. }
        | OracleError::TooLarge { .. }
        | OracleError::Incomplete { .. } => Code::OracleMalformed,
        OracleError::Token(token) => self::token(token),
    }
}

fn token(error: &TokenError) -> Code {
    use oracle_fusion::TokenErrorKind as Kind;
    match error.kind() {
        Kind::InvalidClient => Code::OracleClientRefused,
        Kind::InvalidScope => Code::OracleScopeRefused,
        Kind::Unreachable => Code::OracleUnreachable,
        Kind::TimedOut => Code::OracleTimedOut,
        Kind::TooManyRequests => Code::OracleBusy,
        Kind::Unavailable => Code::OracleServer,
        Kind::Refused | Kind::NotJson | Kind::Malformed => Code::OracleTokenFailed,
    }
}

/// Whether asking again can only help after somebody has changed something: a setting, a secret, a right or a
/// record.
#[must_use]
pub fn needs_a_person(code: Code) -> bool {
    matches!(
        code,
        Code::SettingsInvalid
            | Code::KeyWrong
            | Code::CredentialMissing
            | Code::CredentialUnreadable
            | Code::OracleClientRefused
            | Code::OracleScopeRefused
            | Code::OracleUnauthorized
            | Code::OracleForbidden
            | Code::OracleNotFound
            | Code::OracleRefused
            | Code::RecordUnreadable
            | Code::ReferenceShrunk
            | Code::TooManyOptions
            | Code::OptionsField
            | Code::ReferenceNoChart
    )
}

/// Names a record that cannot be placed.
#[must_use]
pub fn record(error: RecordError) -> Error {
    Error::new(Code::RecordUnreadable, error.to_string()).because(error)
}

/// Names a failure of the Asana client.
#[must_use]
pub fn asana(error: AsanaError) -> Error {
    let code = match &error {
        AsanaError::Config(_) => Code::SettingsInvalid,
        AsanaError::Unauthorized(_) => Code::AsanaUnauthorized,
        AsanaError::PaymentRequired(_) => Code::AsanaPayment,
        AsanaError::Forbidden(_) | AsanaError::Legal(_) => Code::AsanaForbidden,
        AsanaError::NotFound(_) => Code::AsanaNotFound,
        AsanaError::RateLimited { .. } => Code::AsanaBusy,
        AsanaError::Server { .. } => Code::AsanaServer,
        AsanaError::Malformed { .. } => Code::AsanaMalformed,
        AsanaError::Unreachable { .. } => Code::AsanaUnreachable,
        AsanaError::TimedOut { .. } | AsanaError::Dropped { .. } => Code::AsanaNoAnswer,
        // everything else was understood and declined
        _ => Code::AsanaRefused,
    };
    let retry_after = error.retry_after();
    Error::new(code, error.to_string()).because(error).wait(retry_after)
}
