//! Credentials, stored only encrypted.
//!
//! AES-256-GCM. Each connection has a random data key, wrapped by the master key; each credential is
//! encrypted with the data key. The associated data names connection, credential and key version, so
//! that a row moved to another connection, or renamed, does not decrypt.

use std::borrow::Cow;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use secrecy::{ExposeSecret, SecretString};
use sqlx::PgConnection;
use zeroize::Zeroizing;

use crate::code::Code;
use crate::error::{Error, Result};
use crate::ids::{ConnectionId, WebhookId};
use crate::key::{KEY_BYTES, MasterKey};

/// Bytes of a GCM nonce.
const NONCE_BYTES: usize = 12;

/// The secrets a connection needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialName {
    /// The OAuth client secret for Oracle.
    OracleClientSecret,
    /// Asana's access token.
    AsanaToken,
    /// What signs a webhook's deliveries; only a candidate while the registration is pending.
    WebhookSecret(WebhookId),
    /// What an alert channel needs, by the channel's name.
    AlertChannel(String),
}

impl CredentialName {
    /// The name in the table, and in the associated data.
    #[must_use]
    pub fn name(&self) -> Cow<'static, str> {
        match self {
            CredentialName::AlertChannel(channel) => format!("alert_channel/{channel}").into(),
            CredentialName::OracleClientSecret => "oracle_client_secret".into(),
            CredentialName::AsanaToken => "asana_token".into(),
            CredentialName::WebhookSecret(webhook) => format!("webhook_secret/{webhook}").into(),
        }
    }
}

/// Stores a credential, encrypted, in place of the one before.
pub async fn put(
    db: &mut PgConnection,
    master: &MasterKey,
    connection: ConnectionId,
    name: CredentialName,
    secret: &SecretString,
) -> Result<()> {
    let name = name.name();
    let (version, nonce, ciphertext) = encrypt(db, master, connection, &name, secret).await?;
    sqlx::query!(
        "insert into credentials (connection_id, name, key_version, nonce, ciphertext)
         values ($1, $2, $3, $4, $5)
         on conflict (connection_id, name) do update
         set key_version = excluded.key_version, nonce = excluded.nonce,
             ciphertext = excluded.ciphertext, updated_at = now()",
        connection.0,
        &*name,
        version,
        nonce.as_slice(),
        ciphertext,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Stores a credential, encrypted, unless there is one of that name; whether it was stored.
pub async fn put_first(
    db: &mut PgConnection,
    master: &MasterKey,
    connection: ConnectionId,
    name: CredentialName,
    secret: &SecretString,
) -> Result<bool> {
    let name = name.name();
    let (version, nonce, ciphertext) = encrypt(db, master, connection, &name, secret).await?;
    let stored = sqlx::query!(
        "insert into credentials (connection_id, name, key_version, nonce, ciphertext)
         values ($1, $2, $3, $4, $5) on conflict do nothing",
        connection.0,
        &*name,
        version,
        nonce.as_slice(),
        ciphertext,
    )
    .execute(db)
    .await?;
    Ok(stored.rows_affected() == 1)
}

/// Forgets a credential.
pub async fn forget(db: &mut PgConnection, connection: ConnectionId, name: CredentialName) -> Result<()> {
    sqlx::query!(
        "delete from credentials where connection_id = $1 and name = $2",
        connection.0,
        &*name.name()
    )
    .execute(db)
    .await?;
    Ok(())
}

async fn encrypt(
    db: &mut PgConnection,
    master: &MasterKey,
    connection: ConnectionId,
    name: &str,
    secret: &SecretString,
) -> Result<(i32, [u8; NONCE_BYTES], Vec<u8>)> {
    let (version, key) = match data_key(db, master, connection).await? {
        Some(found) => found,
        None => make_data_key(db, master, connection).await?,
    };
    let context = aad(connection, name, version);
    let (nonce, ciphertext) = seal(&key, secret.expose_secret().as_bytes(), &context)?;
    Ok((version, nonce, ciphertext))
}

/// Reads a credential.
pub async fn get(
    db: &mut PgConnection,
    master: &MasterKey,
    connection: ConnectionId,
    name: CredentialName,
) -> Result<SecretString> {
    let name = name.name();
    let row = sqlx::query!(
        "select key_version, nonce, ciphertext from credentials where connection_id = $1 and name = $2",
        connection.0,
        &*name,
    )
    .fetch_optional(&mut *db)
    .await?
    .ok_or_else(|| Error::new(Code::CredentialMissing, format!("the credential `{name}` is not stored")))?;
    let unreadable =
        || Error::new(Code::CredentialUnreadable, format!("the credential `{name}` does not decrypt"));
    let (version, key) = data_key(db, master, connection).await?.ok_or_else(unreadable)?;
    if version != row.key_version {
        return Err(unreadable());
    }
    let plain =
        open(&key, &row.nonce, &row.ciphertext, &aad(connection, &name, version)).ok_or_else(unreadable)?;
    let text = std::str::from_utf8(&plain).map_err(|_| unreadable())?;
    Ok(SecretString::from(text))
}

type DataKey = Zeroizing<Vec<u8>>;

async fn data_key(
    db: &mut PgConnection,
    master: &MasterKey,
    connection: ConnectionId,
) -> Result<Option<(i32, DataKey)>> {
    let Some(row) = sqlx::query!(
        "select key_version, kek_id, nonce, wrapped from data_keys
         where connection_id = $1 order by key_version desc limit 1",
        connection.0,
    )
    .fetch_optional(db)
    .await?
    else {
        return Ok(None);
    };
    if row.kek_id != master.id() {
        let message = format!("encrypted with key {}, started with key {}", row.kek_id, master.id());
        return Err(Error::new(Code::KeyWrong, message));
    }
    let aad = aad(connection, "data_key", row.key_version);
    let key = open(master.bytes(), &row.nonce, &row.wrapped, &aad).ok_or_else(|| {
        Error::new(Code::CredentialUnreadable, "the connection's data key does not decrypt")
    })?;
    Ok(Some((row.key_version, key)))
}

async fn make_data_key(
    db: &mut PgConnection,
    master: &MasterKey,
    connection: ConnectionId,
) -> Result<(i32, DataKey)> {
    let version = 1;
    let fresh: [u8; KEY_BYTES] = rand::random();
    let key = Zeroizing::new(fresh.to_vec());
    let (nonce, wrapped) = seal(master.bytes(), &key, &aad(connection, "data_key", version))?;
    sqlx::query!(
        "insert into data_keys (connection_id, key_version, kek_id, nonce, wrapped) values ($1, $2, $3, $4, $5)",
        connection.0,
        version,
        master.id(),
        nonce.as_slice(),
        wrapped,
    )
    .execute(db)
    .await?;
    Ok((version, key))
}

fn aad(connection: ConnectionId, name: &str, version: i32) -> Vec<u8> {
    format!("ml-connector\0{connection}\0{name}\0{version}").into_bytes()
}

fn seal(key: &[u8], plain: &[u8], aad: &[u8]) -> Result<([u8; NONCE_BYTES], Vec<u8>)> {
    let failed = || Error::new(Code::CredentialUnreadable, "the credential could not be encrypted");
    let nonce: [u8; NONCE_BYTES] = rand::random();
    let cipher = Aes256Gcm::new_from_slice(key).map_err(|_| failed())?;
    let sealed = cipher.encrypt(&Nonce::from(nonce), Payload { msg: plain, aad }).map_err(|_| failed())?;
    Ok((nonce, sealed))
}

fn open(key: &[u8], nonce: &[u8], sealed: &[u8], aad: &[u8]) -> Option<DataKey> {
    let nonce: [u8; NONCE_BYTES] = nonce.try_into().ok()?;
    let cipher = Aes256Gcm::new_from_slice(key).ok()?;
    cipher.decrypt(&Nonce::from(nonce), Payload { msg: sealed, aad }).ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_sealed_opens_only_with_its_own_key_and_context(secret: Vec<u8>, flip in 0usize..4) {
            let key = [7u8; KEY_BYTES];
            let (nonce, sealed) = seal(&key, &secret, b"context").unwrap();
            let opened = open(&key, &nonce, &sealed, b"context").unwrap();
            prop_assert_eq!(opened.as_slice(), secret.as_slice());
            let mut broken = sealed.clone();
            broken[0] ^= 1;
            let refused = match flip {
                0 => open(&[8u8; KEY_BYTES], &nonce, &sealed, b"context"),
                1 => open(&key, &nonce, &sealed, b"another context"),
                2 => open(&key, &nonce, &broken, b"context"),
                _ => open(&key, &[0; NONCE_BYTES], &sealed, b"context"),
            };
            prop_assert!(refused.is_none());
        }
    }
}
