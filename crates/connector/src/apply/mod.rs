//! A connection as one file: its name, its settings, and where its secrets are found. Applying it adds the
//! connection or changes it to what the file says; applying it again changes nothing.

pub mod changes;
pub mod file;

use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use crate::apply::changes::Change;
use crate::apply::file::File;
use crate::code::Code;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::manage::{self, Secrets};
use crate::mapping::surroundings;
use crate::settings::{Draft, Settings};
use crate::store::connections::{self, Connection};
use crate::vault::{self, CredentialName};

/// What applying a file would do.
#[derive(Debug)]
pub struct Proposal {
    /// The connection's name.
    pub name: String,
    /// The connection as it is; `None`: it is added.
    pub present: Option<Connection>,
    /// The settings as they will be.
    pub settings: Settings,
    /// Settings that change; for a new connection all of them.
    pub changes: Vec<Change>,
    /// Which secrets are stored anew; their values are never shown.
    pub secrets: Vec<&'static str>,
}

impl Proposal {
    /// Whether the connection is as the file says.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.present.is_some() && self.changes.is_empty() && self.secrets.is_empty()
    }
}

/// A file in which nothing is wrong, and the connection that it is about.
#[derive(Debug)]
pub struct Accepted {
    /// The connection's name.
    pub name: String,
    /// The connection as it is; `None`: there is none yet.
    pub present: Option<Connection>,
    /// The settings of the file, with the mapped fields that are stored where it names none.
    pub settings: Settings,
}

/// Accepts a connection's file, or refuses it with everything that is wrong with it.
///
/// # Errors
/// [`Code::SettingsInvalid`], and failures of the database.
pub async fn accept(engine: &Engine, mut file: File) -> Result<Accepted> {
    let name = file.name.take().unwrap_or_default();
    let present = match connections::find(&engine.db, &name).await {
        Ok(found) => Some(found),
        Err(error) if error.code == Code::ConnectionUnknown => None,
        Err(error) => return Err(error),
    };
    if let Some(present) = &present {
        file.keep_provisioned(&present.settings);
    }
    let settings = checked(engine, present.as_ref(), file.draft).await?;
    Ok(Accepted { name, present, settings })
}

/// The settings of a draft for a connection when nothing is wrong with them by themselves. Otherwise all problems, those
/// too that only show when the mapping meets Oracle's records and Asana's fields, as far as both sides can be asked.
///
/// # Errors
/// [`Code::SettingsInvalid`].
pub async fn checked(engine: &Engine, present: Option<&Connection>, draft: Draft) -> Result<Settings> {
    let mut problems = draft.problems();
    if !problems.is_empty()
        && let (Some(present), Some(settings)) = (present, &draft.settings)
    {
        problems.extend(surroundings::foreseen(engine, present, settings).await);
        return Err(Error::several(Code::SettingsInvalid, problems));
    }
    draft.accepted()
}

/// Compares an accepted file with what is stored.
pub async fn propose(engine: &Engine, accepted: Accepted, secrets: &Secrets) -> Result<Proposal> {
    let Accepted { name, present, settings } = accepted;
    let changes = changes::between(present.as_ref().map(|c| &c.settings), &settings)?;
    let mut anew = Vec::new();
    for (credential, given, what) in [
        (CredentialName::OracleClientSecret, &secrets.oracle_client_secret, "oracle_client_secret"),
        (CredentialName::AsanaToken, &secrets.asana_token, "asana_token"),
    ] {
        if let Some(given) = given
            && !is_stored(engine, present.as_ref(), credential, given).await?
        {
            anew.push(what);
        }
    }
    Ok(Proposal { name, present, settings, changes, secrets: anew })
}

async fn is_stored(
    engine: &Engine,
    present: Option<&Connection>,
    name: CredentialName,
    given: &SecretString,
) -> Result<bool> {
    let Some(present) = present else { return Ok(false) };
    let mut db = engine.db.acquire().await?;
    match vault::get(&mut db, &engine.master, present.id, name).await {
        Ok(stored) => Ok(stored.expose_secret().as_bytes().ct_eq(given.expose_secret().as_bytes()).into()),
        // a new one mends a row that does not decrypt
        Err(error) if matches!(error.code, Code::CredentialMissing | Code::CredentialUnreadable) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Does what was proposed; returns how many records are compared anew.
pub async fn carry_out(engine: &Engine, proposal: &Proposal, secrets: &Secrets) -> Result<u64> {
    let Some(present) = &proposal.present else {
        manage::add(engine, &proposal.name, &proposal.settings, secrets).await?;
        return Ok(0);
    };
    if proposal.is_done() {
        return Ok(0);
    }
    let newest = connections::load(&engine.db, present.id).await?;
    if newest.settings_version != present.settings_version {
        let message = format!("`{}` was changed by somebody else meanwhile", proposal.name);
        return Err(Error::new(Code::ConnectionState, message));
    }
    let anew = |name: &str, secret: &Option<SecretString>| {
        secret.clone().filter(|_| proposal.secrets.contains(&name))
    };
    let secrets = Secrets {
        oracle_client_secret: anew("oracle_client_secret", &secrets.oracle_client_secret),
        asana_token: anew("asana_token", &secrets.asana_token),
    };
    manage::edit(engine, &newest, &proposal.settings, &secrets).await
}
