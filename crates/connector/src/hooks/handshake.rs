//! Answering a handshake: Asana, or anybody who knows the target, offers a secret.
//!
//! Nobody signs a handshake, so it only ever makes a candidate, and only for a registration that is pending and
//! has none. Whether the candidate is the secret is decided by Asana's answer to the request for the webhook
//! ([`register`](crate::hooks::register)). At any other time an offer changes nothing.

use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use crate::engine::Engine;
use crate::error::Result;
use crate::hooks::token::TokenDigest;
use crate::ids::ConnectionId;
use crate::store;
use crate::store::hooks;
use crate::vault::{self, CredentialName};

/// Longest secret that is taken, in bytes; Asana's have 64 hex digits.
pub const MAX_SECRET_BYTES: usize = 256;

/// Keeps an offered secret as the candidate of a pending registration. Whether the offer is to be answered: it
/// became the candidate now, or is the very candidate that is there already.
pub async fn offer(
    engine: &Engine,
    connection: ConnectionId,
    digest: &TokenDigest,
    offered: &SecretString,
) -> Result<bool> {
    let length = offered.expose_secret().len();
    if length == 0 || length > MAX_SECRET_BYTES {
        return Ok(false);
    }
    let mut tx = store::begin(&engine.db).await?;
    let Some(webhook) = hooks::hold_pending(&mut tx, connection, digest).await? else {
        return Ok(false);
    };
    let name = CredentialName::WebhookSecret(webhook);
    if vault::put_first(&mut tx, &engine.master, connection, name.clone(), offered).await? {
        tx.commit().await?;
        return Ok(true);
    }
    let candidate = vault::get(&mut tx, &engine.master, connection, name).await?;
    Ok(same(&candidate, offered))
}

/// Compares two secrets in time that does not depend on where they differ.
#[must_use]
pub(crate) fn same(one: &SecretString, other: &SecretString) -> bool {
    one.expose_secret().as_bytes().ct_eq(other.expose_secret().as_bytes()).into()
}
