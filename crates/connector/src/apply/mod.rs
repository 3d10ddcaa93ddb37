//! A connection as one file: its name, its settings, and where its secrets are found. Applying it adds the
//! connection or changes it to what the file says; applying it again changes nothing.

pub mod changes;
pub mod file;

use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use crate::apply::changes::Change;
use crate::code::Code;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::manage::{self, Secrets};
use crate::settings::Settings;
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

/// Compares a file with what is stored. A file without a `[fields]` section leaves the mapped fields as they are:
/// provisioning may have written them.
pub async fn propose(
    engine: &Engine,
    name: &str,
    mut settings: Settings,
    fields_are_given: bool,
    secrets: &Secrets,
) -> Result<Proposal> {
    let present = match connections::find(&engine.db, name).await {
        Ok(found) => Some(found),
        Err(error) if error.code == Code::ConnectionUnknown => None,
        Err(error) => return Err(error),
    };
    if let (false, Some(present)) = (fields_are_given, &present) {
        settings.fields.clone_from(&present.settings.fields);
    }
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
    Ok(Proposal { name: name.to_owned(), present, settings, changes, secrets: anew })
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
