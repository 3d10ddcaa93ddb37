//! The SQL: one function per statement or transaction, named for what it does.

pub mod actions;
pub mod alerts;
pub mod attempts;
pub mod breakers;
pub mod budgets;
pub mod causes;
pub mod choices;
pub mod completed;
pub mod completions;
pub mod connections;
pub mod creations;
pub mod documents;
pub mod dry_runs;
pub mod erase;
pub mod export;
pub mod feeds;
pub mod hooks;
pub mod inbox;
pub mod jobs;
pub mod journal_replays;
pub mod journals;
pub mod links;
pub mod movements;
pub mod nodes;
pub mod notifications;
pub mod outbox;
pub mod reconciliation_runs;
pub mod reconciliations;
pub mod reference;
pub mod replays;
pub mod retention;
pub mod search;
pub mod settings_versions;
pub mod setup;
pub mod sweeps;
pub mod tasks;
pub mod trace;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool, Postgres, Transaction};

use crate::code::Code;
use crate::error::{Error, Result};

/// Connections of one node; the work is bounded, so few are enough.
pub const POOL_CONNECTIONS: u32 = 8;
/// How long a statement waits for a free connection.
const ACQUIRE_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);

/// How long the first connection may take.
const CONNECT_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

/// How long a transaction may stand still before the database ends it. None waits for anything outside the database,
/// and its locks (a token's budget, a connection's row) stop the work of every other node.
pub const HELD_LOCKS: std::time::Duration = std::time::Duration::from_secs(10);

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations");

/// Opens a pool on the database; nothing is created.
pub async fn open(url: &str) -> Result<PgPool> {
    let pool = lazily(url)?;
    reachable(&pool).await?;
    Ok(pool)
}

/// A pool that asks nothing of the database before it is used.
pub fn lazily(url: &str) -> Result<PgPool> {
    if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
        let words = "DATABASE_URL is no address of PostgreSQL: it begins with postgres://";
        return Err(Error::new(Code::Database, words));
    }
    let options: PgConnectOptions = url.parse().map_err(unreachable)?;
    Ok(PgPoolOptions::new()
        .max_connections(POOL_CONNECTIONS)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_lazy_with(options.application_name("ml-connector").options([
            // a plan made while a table was empty would be kept for the session, and be wrong soon after
            ("plan_cache_mode", "force_custom_plan"),
            // what a node that was stopped has locked is free again long before its leases have run out
            ("idle_in_transaction_session_timeout", &format!("{}s", HELD_LOCKS.as_secs())),
        ])))
}

/// Lets go of what the buffers of connections that rest have grown to: a page of records takes megabytes, and a
/// connection keeps them until it is closed.
pub fn shrink_buffers(db: &PgPool) {
    // all at once, so that none is met twice
    let mut resting: Vec<_> = std::iter::from_fn(|| db.try_acquire()).collect();
    for connection in &mut resting {
        connection.shrink_buffers();
    }
}

/// Asks the database once, beside the pool: a pool goes on trying for its whole patience and then forgets why.
pub async fn reachable(db: &PgPool) -> Result<()> {
    let options = db.connect_options();
    match tokio::time::timeout(CONNECT_TIMEOUT, PgConnection::connect_with(&options)).await {
        Ok(answer) => answer.map_err(|e| silent_at(&options, e))?.close().await.map_err(unreachable),
        Err(_) => {
            let silent = format!("no answer within {} seconds", CONNECT_TIMEOUT.as_secs());
            let timed_out = std::io::Error::new(std::io::ErrorKind::TimedOut, silent);
            Err(silent_at(&options, sqlx::Error::Io(timed_out)))
        }
    }
}

fn silent_at(options: &PgConnectOptions, error: sqlx::Error) -> Error {
    let at = match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    };
    Error::new(Code::Database, format!("the database at {at} cannot be reached (from DATABASE_URL)"))
        .because(error)
}

fn unreachable(error: sqlx::Error) -> Error {
    Error::new(Code::Database, "the database cannot be reached (the address is in DATABASE_URL)")
        .because(error)
}

/// Whether a database that failed like this can be there later without a person: it is away, starts, stops, or has no
/// connection to spare. A wrong password or a database that does not exist is not that.
#[must_use]
pub fn is_away(error: &Error) -> bool {
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    causes.filter_map(|cause| cause.downcast_ref::<sqlx::Error>()).any(|cause| match cause {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(refused) => {
            refused.code().is_some_and(|code| AWAY_STATES.iter().any(|away| code.starts_with(away)))
        }
        _ => false,
    })
}

/// SQLSTATE: the connection was cut; no connection to spare; an operator stops or starts the server.
const AWAY_STATES: [&str; 3] = ["08", "53300", "57P"];

/// Begins a transaction; it may be given up at any point, also while it begins.
///
/// `Pool::begin` of sqlx 0.9.0 may not: when it is dropped between `BEGIN` and the answer, the connection goes back
/// into the pool with its transaction open, and whoever gets it next works inside that, uncommitted and holding locks
/// (<https://github.com/transact-rs/sqlx/issues/4385>).
pub async fn begin(db: &PgPool) -> Result<Transaction<'static, Postgres>> {
    let db = db.clone();
    #[expect(clippy::disallowed_methods, reason = "this is the one place where it is not given up")]
    let begin = async move { db.begin().await };
    // a task goes on when nobody waits for it any more; what it began is then rolled back
    match tokio::spawn(begin).await {
        Ok(begun) => Ok(begun?),
        Err(ended) => Err(Error::new(Code::Database, "the program is ending").because(ended)),
    }
}

/// Applies the migrations that are missing; safe to run on many nodes at once.
pub async fn migrate(db: &PgPool) -> Result<()> {
    MIGRATIONS.run(db).await.map_err(|e| Error::plain(Code::Migration).because(e))
}

/// Whether the database has exactly this program's migrations.
pub async fn is_migrated(db: &PgPool) -> Result<bool> {
    let exists = sqlx::query_scalar!("select to_regclass('_sqlx_migrations') is not null as \"exists!\"")
        .fetch_one(db)
        .await?;
    if !exists {
        return Ok(false);
    }
    let applied: Vec<i64> =
        sqlx::query_scalar("select version from _sqlx_migrations where success order by version")
            .fetch_all(db)
            .await?;
    Ok(MIGRATIONS.iter().map(|m| m.version).eq(applied))
}

/// A jiff instant as the database takes it.
pub(crate) fn at(timestamp: jiff::Timestamp) -> jiff_sqlx::Timestamp {
    jiff_sqlx::ToSqlx::to_sqlx(timestamp)
}
