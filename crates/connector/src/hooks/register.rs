//! Making a webhook: the row first, then Asana, and the secret believed only when both ways name the same.
//!
//! No database connection is held while Asana is asked: the handshake that comes meanwhile needs one.

use asana::{CreatedWebhook, Error as AsanaError};
use secrecy::ExposeSecret;
use url::{Host, Url};

use crate::code::Code;
use crate::engine::{Clients, Engine};
use crate::error::{Error, Result};
use crate::hooks::handshake::same;
use crate::hooks::resource::Resource;
use crate::hooks::token::{self, Tokens};
use crate::ids::WebhookId;
use crate::node::chain;
use crate::store::hooks::{self, State};
use crate::trouble;
use crate::vault::{self, CredentialName};

/// Refuses a public address that Asana could not call, or that would be built wrongly into a target.
///
/// # Errors
/// [`Code::HookAddress`].
pub fn check_public_url(public_url: &Url) -> Result<()> {
    let refused = |reason: &str| Err(Error::new(Code::HookAddress, format!("the public address {reason}")));
    if !matches!(public_url.scheme(), "https" | "http") || !public_url.has_host() {
        return refused("must start with https:// and name a host");
    }
    if !public_url.username().is_empty() || public_url.password().is_some() {
        return refused("must not carry credentials");
    }
    if public_url.query().is_some() || public_url.fragment().is_some() {
        return refused("must not have a query or a fragment");
    }
    Ok(())
}

/// Registers a webhook on a resource that has none. When this returns, deliveries are taken.
///
/// # Errors
/// [`Code::HookBusy`] when the resource has one that is pending or active. Otherwise the registration is marked
/// failed with the error's words, and what may have been made in Asana is deleted, now or by the watchdog.
pub async fn register(
    engine: &Engine,
    clients: &Clients,
    public_url: &Url,
    resource: &Resource,
) -> Result<WebhookId> {
    check_public_url(public_url)?;
    let connection = clients.connection.id;
    let webhook = WebhookId::new();
    let (secret_part, digest) = Tokens::new(&engine.master).mint(connection);
    if !hooks::begin(&engine.db, connection, webhook, resource, &digest, public_url).await? {
        let message = format!("{resource} has a webhook that is pending or active");
        return Err(Error::new(Code::HookBusy, message));
    }
    let target = token::target(public_url, &secret_part);
    let filters = resource.kind.filters();
    let asked = clients.asana.create_webhook(&resource.gid, target.expose_secret(), &filters).await;
    let mut failure = match asked {
        Ok(created) => match confirm(engine, clients, webhook, &created).await? {
            None => return Ok(webhook),
            Some(failure) => failure,
        },
        Err(error) => {
            let shaken = candidate(engine, clients, webhook).await?.is_some();
            refused(error, public_url, shaken)
        }
    };
    failure.message = format!("{resource}: {}", failure.message);
    hooks::end(&engine.db, connection, webhook, State::Failed, Some(&failure.to_string())).await?;
    Err(failure)
}

/// Makes the registration active when the secret in Asana's answer is the candidate; deletes the webhook
/// otherwise, and says why.
async fn confirm(
    engine: &Engine,
    clients: &Clients,
    webhook: WebhookId,
    created: &CreatedWebhook,
) -> Result<Option<Error>> {
    let candidate = candidate(engine, clients, webhook).await?;
    let failure = match (&candidate, &created.secret) {
        (Some(candidate), Some(secret)) if same(candidate, secret) => {
            let mut db = engine.db.acquire().await?;
            if hooks::activate(&mut db, clients.connection.id, webhook, &created.webhook.gid).await? {
                return Ok(None);
            }
            Error::new(Code::HookBusy, "it took too long and was given up meanwhile")
        }
        (Some(_), Some(_)) => Error::new(
            Code::HookSecret,
            "somebody else offered a secret while the webhook was made; the webhook was deleted",
        ),
        (Some(_), None) => Error::new(Code::HookSecret, "Asana's answer names no secret"),
        (None, _) => Error::new(
            Code::HookNoHandshake,
            "Asana made the webhook, but its handshake was answered by something else than this installation",
        ),
    };
    match clients.asana.delete_webhook(&created.webhook.gid).await {
        Ok(()) | Err(AsanaError::NotFound(_)) => {}
        // the watchdog finds it by its target
        Err(error) => {
            tracing::warn!(webhook = %webhook, error = chain(&error), "a webhook could not be deleted")
        }
    }
    Ok(Some(failure))
}

async fn candidate(
    engine: &Engine,
    clients: &Clients,
    webhook: WebhookId,
) -> Result<Option<secrecy::SecretString>> {
    let mut db = engine.db.acquire().await?;
    let name = CredentialName::WebhookSecret(webhook);
    match vault::get(&mut db, &engine.master, clients.connection.id, name).await {
        Ok(candidate) => Ok(Some(candidate)),
        Err(error) if error.code == Code::CredentialMissing => Ok(None),
        Err(error) => Err(error),
    }
}

/// Names a refusal. What Asana answers when a handshake fails is not documented; whether one arrived tells.
fn refused(error: AsanaError, public_url: &Url, shaken: bool) -> Error {
    let code = match &error {
        _ if error.is_duplicate_webhook() => Code::HookDuplicate,
        AsanaError::PaymentRequired(_) => Code::HookPlan,
        AsanaError::Forbidden(_) if !is_public(public_url) => Code::HookAddress,
        AsanaError::BadRequest { .. } | AsanaError::Refused(_) | AsanaError::Server { .. } if !shaken => {
            Code::HookNoHandshake
        }
        AsanaError::BadRequest { .. } | AsanaError::Refused(_) | AsanaError::Forbidden(_) => {
            Code::HookRefused
        }
        _ => return trouble::asana(error),
    };
    let retry_after = error.retry_after();
    Error::new(code, error.to_string()).because(error).wait(retry_after)
}

/// Whether a host could be one of the open network, as far as its name tells: Asana calls no other.
#[must_use]
pub fn is_public(public_url: &Url) -> bool {
    match public_url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name.contains('.') && name != "localhost" && !name.ends_with(".localhost")
        }
        Some(Host::Ipv4(ip)) => {
            !(ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_unspecified())
        }
        Some(Host::Ipv6(ip)) => {
            !(ip.is_loopback() || ip.is_unspecified() || ip.is_unique_local() || ip.is_unicast_link_local())
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn a_public_address_has_nothing_behind_its_path() {
        for good in ["https://erp.example", "https://erp.example/base/", "http://127.0.0.1:8401"] {
            check_public_url(&url(good)).unwrap();
        }
        for bad in
            ["ftp://erp.example", "https://u:p@erp.example", "https://erp.example?a", "https://erp.example#a"]
        {
            assert_eq!(check_public_url(&url(bad)).unwrap_err().code, Code::HookAddress, "{bad}");
        }
    }

    #[test]
    fn a_host_that_only_this_network_knows_is_told() {
        for private in [
            "http://localhost",
            "http://a.localhost.",
            "http://erp",
            "http://10.0.0.1",
            "http://127.0.0.1",
            "http://[::1]",
            "http://[fd00::1]",
        ] {
            assert!(!is_public(&url(private)), "{private}");
        }
        for public in ["https://erp.example", "https://8.8.8.8", "https://[2600::1]"] {
            assert!(is_public(&url(public)), "{public}");
        }
    }
}
