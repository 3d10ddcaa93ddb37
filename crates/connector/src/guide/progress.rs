//! How far a stored connection has come.

use crate::code::Code;
use crate::engine::Engine;
use crate::error::Result;
use crate::guide::answers::Answers;
use crate::guide::stage::{Facts, Stage, stage};
use crate::store::connections::Connection;
use crate::store::{self, dry_runs, setup};
use crate::vault::{self, CredentialName};

/// What is next for the connection. A secret that does not decrypt counts as missing: a new one mends it.
///
/// # Errors
/// [`Code::KeyWrong`] when the secrets are those of another key; the database's failures.
pub async fn next(engine: &Engine, connection: &Connection, answers: &Answers) -> Result<Stage> {
    let made = dry_runs::last(&engine.db, connection.id).await?;
    let looked = made.is_some_and(|m| m.whole && m.settings_version == connection.settings_version);
    Ok(stage(&Facts {
        state: connection.state,
        settings: &connection.settings,
        client_secret: is_there(engine, connection, CredentialName::OracleClientSecret).await?,
        asana_token: is_there(engine, connection, CredentialName::AsanaToken).await?,
        accounts: answers.accounts,
        routes: answers.routes.done,
        journals: answers.journals,
        looked,
    }))
}

async fn is_there(engine: &Engine, connection: &Connection, name: CredentialName) -> Result<bool> {
    let mut db = engine.db.acquire().await?;
    match vault::get(&mut db, &engine.master, connection.id, name).await {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.code, Code::CredentialMissing | Code::CredentialUnreadable) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Forgets the answers: what they led to is stored.
///
/// # Errors
/// The database's failures.
pub async fn forget_answers(engine: &Engine, name: &str) -> Result<()> {
    let mut tx = store::begin(&engine.db).await?;
    setup::forget(&mut tx, name).await?;
    tx.commit().await?;
    Ok(())
}
