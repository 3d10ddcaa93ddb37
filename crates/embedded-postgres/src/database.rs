//! The role and the database inside a running server.
//!
//! The program gets a role that owns its database and is no superuser: a hole in its SQL opens no shell on
//! the machine, and row-level security applies to it.

use std::path::Path;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use tokio::time::Instant;

use crate::Settings;
use crate::launch::POLL_INTERVAL;
use crate::socket::PORT;

/// The superuser, and the database that every cluster has. Only this crate connects as it.
pub(crate) const ADMIN: &str = "postgres";

/// A healthy server answers over its socket within milliseconds, even while it recovers.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

const INVALID_AUTHORIZATION: &str = "28000";
const UNKNOWN_DATABASE: &str = "3D000";
const CANNOT_CONNECT_NOW: &str = "57P03";
const DUPLICATE_DATABASE: &str = "42P04";
const DUPLICATE_ROLE: &str = "42710";
const UNIQUE_VIOLATION: &str = "23505";

/// The URL of the program's database. It leaves nothing to the `PG*` variables of the environment.
pub(crate) fn url(settings: &Settings, socket_dir: &Path) -> String {
    format!(
        "postgres://{}@localhost:{PORT}/{}?host={}&sslmode=disable",
        percent_encode(&settings.user, ""),
        percent_encode(&settings.database, ""),
        percent_encode(&socket_dir.to_string_lossy(), "/"),
    )
}

fn percent_encode(text: &str, also_plain: &str) -> String {
    let plain = |byte: u8| {
        byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || also_plain.as_bytes().contains(&byte)
    };
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// Proves that the server answers, and makes the role and the database when they are missing.
pub(crate) async fn ensure(
    settings: &Settings,
    socket_dir: &Path,
    deadline: Instant,
) -> Result<(), sqlx::Error> {
    loop {
        let answer = connect(&settings.user, &settings.database, socket_dir).await;
        let Err(error) = answer else { return Ok(()) };
        match code_of(&error).as_deref() {
            Some(INVALID_AUTHORIZATION | UNKNOWN_DATABASE) => return create(settings, socket_dir).await,
            Some(CANNOT_CONNECT_NOW) if Instant::now() < deadline => tokio::time::sleep(POLL_INTERVAL).await,
            _ => return Err(error),
        }
    }
}

/// Opens a connection and closes it again.
async fn connect(user: &str, database: &str, socket_dir: &Path) -> Result<(), sqlx::Error> {
    open(user, database, socket_dir).await?.close().await
}

async fn open(user: &str, database: &str, socket_dir: &Path) -> Result<PgConnection, sqlx::Error> {
    let options = PgConnectOptions::new_without_pgpass()
        .socket(socket_dir)
        .port(PORT)
        .username(user)
        .database(database)
        .ssl_mode(PgSslMode::Disable)
        .application_name("embedded-postgres")
        .disable_statement_logging();
    let opening = PgConnection::connect_with(&options);
    tokio::time::timeout(CONNECT_TIMEOUT, opening).await.unwrap_or_else(|_| {
        let hangs = format!("no answer on the socket within {CONNECT_TIMEOUT:?}");
        Err(sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, hangs)))
    })
}

/// Several programs may do this at once on a new server, so what another has just made is no error.
async fn create(settings: &Settings, socket_dir: &Path) -> Result<(), sqlx::Error> {
    let (user, database) = (quote(&settings.user), quote(&settings.database));
    let mut admin = open(ADMIN, ADMIN, socket_dir).await?;
    if settings.user != ADMIN {
        // pg_monitor lets the program report on its own server: sizes, waits, running statements.
        let role = format!("CREATE ROLE {user} LOGIN CREATEDB IN ROLE pg_monitor");
        unless_made(sqlx::raw_sql(AssertSqlSafe(role)).execute(&mut admin).await)?;
    }
    let made = format!("CREATE DATABASE {database} OWNER {user}");
    unless_made(sqlx::raw_sql(AssertSqlSafe(made)).execute(&mut admin).await)?;
    admin.close().await?;
    connect(&settings.user, &settings.database, socket_dir).await
}

fn unless_made<T>(answer: Result<T, sqlx::Error>) -> Result<(), sqlx::Error> {
    match answer {
        Err(error) if !is_already_made(&error) => Err(error),
        _ => Ok(()),
    }
}

fn is_already_made(error: &sqlx::Error) -> bool {
    matches!(code_of(error).as_deref(), Some(DUPLICATE_DATABASE | DUPLICATE_ROLE | UNIQUE_VIOLATION))
}

fn code_of(error: &sqlx::Error) -> Option<String> {
    error.as_database_error()?.code().map(std::borrow::Cow::into_owned)
}

fn quote(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;

    #[test]
    fn the_url_survives_sqlx_with_any_path_and_name() {
        let settings =
            Settings { database: "a b/ü?".to_owned(), user: "u@x".to_owned(), ..Settings::new("/d") };
        let text = url(&settings, Path::new("/a+b c/&?#%/ä"));
        let options = PgConnectOptions::from_str(&text).unwrap();
        assert_eq!(options.get_socket().unwrap(), Path::new("/a+b c/&?#%/ä"));
        assert_eq!(options.get_database().unwrap(), "a b/ü?");
        assert_eq!(options.get_username(), "u@x");
        assert_eq!(options.get_port(), PORT);
    }

    #[test]
    fn the_usual_url_reads_well() {
        assert_eq!(
            url(&Settings::new("/d"), Path::new("/var/lib/x/socket")),
            "postgres://ml_connector@localhost:5432/ml_connector?host=/var/lib/x/socket&sslmode=disable"
        );
    }

    #[test]
    fn a_quote_cannot_leave_an_identifier() {
        assert_eq!(quote("a\"; DROP ROLE x; --"), "\"a\"\"; DROP ROLE x; --\"");
    }
}
