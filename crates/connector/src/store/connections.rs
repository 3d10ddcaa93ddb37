//! Connections: settings and state.

use jiff::Timestamp;
use sqlx::{PgConnection, PgPool};

use crate::code::Code;
use crate::error::{Error, Result};
use crate::ids::ConnectionId;
use crate::settings::Settings;

/// Whether a connection runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Added, never activated.
    Draft,
    /// Polled on schedule.
    Active,
    /// Stopped by a person.
    Paused,
}

impl State {
    /// The name in the table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            State::Draft => "draft",
            State::Active => "active",
            State::Paused => "paused",
        }
    }

    fn parse(text: &str) -> State {
        match text {
            "active" => State::Active,
            "paused" => State::Paused,
            _ => State::Draft,
        }
    }
}

/// A stored connection.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Its id.
    pub id: ConnectionId,
    /// Its unique name.
    pub name: String,
    /// Whether it runs.
    pub state: State,
    /// What was set.
    pub settings: Settings,
    /// Goes up with every change of the settings.
    pub settings_version: i32,
    /// When it was added.
    pub created_at: Timestamp,
}

struct Row {
    connection_id: uuid::Uuid,
    name: String,
    state: String,
    settings: String,
    settings_version: i32,
    created_at: jiff_sqlx::Timestamp,
}

impl Row {
    fn read(self) -> Result<Connection> {
        let settings: Settings = serde_json::from_str(&self.settings).map_err(|e| {
            let message = format!("the stored settings of `{}` cannot be read by this version", self.name);
            Error::new(Code::SettingsInvalid, message).because(e)
        })?;
        Ok(Connection {
            id: ConnectionId(self.connection_id),
            state: State::parse(&self.state),
            settings,
            settings_version: self.settings_version,
            created_at: self.created_at.to_jiff(),
            name: self.name,
        })
    }
}

fn json(settings: &Settings) -> Result<String> {
    serde_json::to_string(settings)
        .map_err(|e| Error::new(Code::SettingsInvalid, "the settings cannot be stored").because(e))
}

/// Adds a connection as a draft.
pub async fn add(db: &mut PgConnection, id: ConnectionId, name: &str, settings: &Settings) -> Result<()> {
    let added = sqlx::query!(
        "insert into connections (connection_id, name, state, settings) values ($1, $2, 'draft', $3)
         on conflict (name) do nothing",
        id.0,
        name,
        json(settings)?,
    )
    .execute(db)
    .await?;
    if added.rows_affected() == 1 {
        return Ok(());
    }
    Err(Error::new(Code::ConnectionExists, format!("there is a connection `{name}` already")))
}

/// Finds a connection by its name.
pub async fn find(db: &PgPool, name: &str) -> Result<Connection> {
    sqlx::query_as!(
        Row,
        "select connection_id, name, state, settings, settings_version, created_at
         from connections where name = $1",
        name
    )
    .fetch_optional(db)
    .await?
    .ok_or_else(|| Error::new(Code::ConnectionUnknown, format!("there is no connection `{name}`")))?
    .read()
}

/// Loads a connection by its id.
pub async fn load(db: impl sqlx::PgExecutor<'_>, id: ConnectionId) -> Result<Connection> {
    sqlx::query_as!(
        Row,
        "select connection_id, name, state, settings, settings_version, created_at
         from connections where connection_id = $1",
        id.0
    )
    .fetch_optional(db)
    .await?
    .ok_or_else(|| Error::new(Code::ConnectionUnknown, format!("there is no connection {id}")))?
    .read()
}

/// Has whoever decides which connection may have which projects wait for whoever does so now, until the transaction ends.
pub async fn lock_projects(db: &mut PgConnection) -> Result<()> {
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended('ml-connector: projects of journals', 0))")
        .fetch_one(db)
        .await?;
    Ok(())
}

/// All connections by name.
pub async fn list(db: impl sqlx::PgExecutor<'_>) -> Result<Vec<Connection>> {
    sqlx::query_as!(
        Row,
        "select connection_id, name, state, settings, settings_version, created_at
         from connections order by name"
    )
    .fetch_all(db)
    .await?
    .into_iter()
    .map(Row::read)
    .collect()
}

/// Replaces the settings.
pub async fn set_settings(db: &mut PgConnection, id: ConnectionId, settings: &Settings) -> Result<()> {
    sqlx::query!(
        "update connections set settings = $2, settings_version = settings_version + 1, updated_at = now()
         where connection_id = $1",
        id.0,
        json(settings)?,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The version of the settings, which stays until the transaction ends. To be asked before a job's row is locked: an
/// edit locks in this order too.
pub async fn settings_version(db: &mut PgConnection, id: ConnectionId) -> Result<i32> {
    Ok(sqlx::query_scalar!(
        "select settings_version from connections where connection_id = $1 for share",
        id.0
    )
    .fetch_one(db)
    .await?)
}

/// Sets the state.
pub async fn set_state(db: &mut PgConnection, id: ConnectionId, state: State) -> Result<()> {
    sqlx::query!(
        "update connections set state = $2, updated_at = now() where connection_id = $1",
        id.0,
        state.as_str()
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Remembers of a connection that is about to be removed where its journals went, if it has any that count.
pub async fn remember(db: &mut PgConnection, connection: &Connection) -> Result<()> {
    let settings = &connection.settings;
    sqlx::query!(
        "insert into removed_connections (connection_id, name, asana_url, oracle_url)
         select $1, $2, $3, $4 where exists (select from journals where connection_id = $1 and counts)",
        connection.id.0,
        connection.name,
        settings.asana.which(),
        settings.oracle.which()?,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Removes a connection with its credentials, documents, links and events. The record log stays.
pub async fn remove(db: &mut PgConnection, id: ConnectionId) -> Result<()> {
    sqlx::query!("delete from connections where connection_id = $1", id.0).execute(&mut *db).await?;
    sqlx::query!("delete from documents where connection_id = $1", id.0).execute(&mut *db).await?;
    sqlx::query!("delete from searched where connection_id = $1", id.0).execute(&mut *db).await?;
    sqlx::query!("delete from unsearched where connection_id = $1", id.0).execute(&mut *db).await?;
    sqlx::query!("delete from named_orders where connection_id = $1", id.0).execute(&mut *db).await?;
    sqlx::query!("delete from links where connection_id = $1", id.0).execute(&mut *db).await?;
    sqlx::query!("delete from tasks where connection_id = $1", id.0).execute(&mut *db).await?;
    sqlx::query!("delete from listings where connection_id = $1", id.0).execute(&mut *db).await?;
    sqlx::query!("delete from suppliers where connection_id = $1", id.0).execute(&mut *db).await?;
    sqlx::query!("delete from accounts where connection_id = $1", id.0).execute(&mut *db).await?;
    sqlx::query!("delete from reference_readings where connection_id = $1", id.0).execute(&mut *db).await?;
    sqlx::query!("delete from reference_options where connection_id = $1", id.0).execute(&mut *db).await?;
    sqlx::query!("delete from reference_fields where connection_id = $1", id.0).execute(&mut *db).await?;
    sqlx::query!("delete from invalid_choices where connection_id = $1", id.0).execute(&mut *db).await?;
    sqlx::query!("delete from reference_looks where connection_id = $1", id.0).execute(&mut *db).await?;
    sqlx::query!("delete from events where connection_id = $1", id.0).execute(&mut *db).await?;
    sqlx::query!("delete from deliveries where connection_id = $1", id.0).execute(&mut *db).await?;
    sqlx::query!("delete from alerts where connection_id = $1", id.0).execute(&mut *db).await?;
    sqlx::query!("delete from notifications where connection_id = $1", id.0).execute(&mut *db).await?;
    sqlx::query!("delete from told_alerts where connection_id = $1", id.0).execute(&mut *db).await?;
    sqlx::query!(
        "update movements set state = 'failed', code = 'MLC-1209', reason = 'the connection was removed',
                finished_at = now()
         where connection_id = $1 and state in ('pending', 'sending', 'retrying', 'in_doubt', 'held')",
        id.0
    )
    .execute(db)
    .await?;
    Ok(())
}

/// From when on completions count; `None` until journals were switched on.
pub async fn journals_since(db: impl sqlx::PgExecutor<'_>, id: ConnectionId) -> Result<Option<Timestamp>> {
    let since = sqlx::query_scalar!("select journals_since from connections where connection_id = $1", id.0)
        .fetch_optional(db)
        .await?;
    Ok(since.flatten().map(jiff_sqlx::Timestamp::to_jiff))
}

/// Lets completions count from now on, unless they do already.
pub async fn begin_journals(db: &mut PgConnection, id: ConnectionId) -> Result<()> {
    sqlx::query!(
        "update connections set journals_since = coalesce(journals_since, now()) where connection_id = $1",
        id.0
    )
    .execute(db)
    .await?;
    Ok(())
}
