//! Sending what was frozen to a channel.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use lettre::address::Envelope;
use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use url::Url;

use super::settings::{Channel, ChannelKind, SmtpTls, may_be_sent_to};
use crate::code::Code;
use crate::error::{Error, Result};
use crate::ids::NotificationId;

/// A receiver answers within this, or the attempt failed.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Sends a body; what the receiver answered. A secret is needed unless the channel is mail without a user.
pub async fn send(
    channel: &Channel,
    secret: Option<&SecretString>,
    id: NotificationId,
    body: &[u8],
    now: Timestamp,
) -> Result<String> {
    let missing =
        || Error::new(Code::ChannelSecret, format!("the secret of channel `{}` is not stored", channel.name));
    match channel.kind {
        ChannelKind::Email => mail(channel, secret, body).await,
        ChannelKind::Webhook => {
            let url = channel.url.clone().filter(may_be_sent_to).ok_or_else(|| {
                Error::new(Code::ChannelUnfit, format!("channel `{}` has no https address", channel.name))
            })?;
            let signature = sign(secret.ok_or_else(missing)?, id, now.as_second(), body)?;
            let headers = [
                ("webhook-id", id.to_string()),
                ("webhook-timestamp", now.as_second().to_string()),
                ("webhook-signature", signature),
            ];
            post(channel, url, &headers, body).await
        }
        ChannelKind::Slack => {
            let url = slack_url(secret.ok_or_else(missing)?)?;
            post(channel, url, &[], body).await
        }
    }
}

/// Refuses a secret that cannot serve a channel of this kind.
pub fn check_secret(channel: &Channel, secret: &SecretString) -> Result<()> {
    match channel.kind {
        ChannelKind::Email => Ok(()),
        ChannelKind::Webhook => key(secret).map(drop),
        ChannelKind::Slack => slack_url(secret).map(drop),
    }
}

fn slack_url(secret: &SecretString) -> Result<Url> {
    Url::parse(secret.expose_secret()).ok().filter(may_be_sent_to).ok_or_else(|| {
        Error::new(Code::ChannelSecret, "the secret of a Slack channel is its hook's https address")
    })
}

fn key(secret: &SecretString) -> Result<Hmac<Sha256>> {
    let unfit = || {
        Error::new(Code::ChannelSecret, "a signing secret is `whsec_` and the base64 text of 24 to 64 bytes")
    };
    let text = secret.expose_secret().strip_prefix("whsec_").ok_or_else(unfit)?;
    let bytes = zeroize::Zeroizing::new(BASE64_STANDARD.decode(text).map_err(|_| unfit())?);
    if !(24..=64).contains(&bytes.len()) {
        return Err(unfit());
    }
    Hmac::new_from_slice(&bytes).map_err(|_| unfit())
}

fn sign(secret: &SecretString, id: NotificationId, seconds: i64, body: &[u8]) -> Result<String> {
    let mut mac = key(secret)?;
    mac.update(format!("{id}.{seconds}.").as_bytes());
    mac.update(body);
    Ok(format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes())))
}

async fn post(channel: &Channel, url: Url, headers: &[(&str, String)], body: &[u8]) -> Result<String> {
    let name = &channel.name;
    // the address may be a secret: it is never part of what is told
    let unreachable = |e: reqwest::Error| {
        let what = if e.is_timeout() { "did not answer in time" } else { "cannot be reached" };
        Error::new(Code::ChannelUnreachable, format!("channel `{name}` {what}")).because(e.without_url())
    };
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(TIMEOUT)
        .build()
        .map_err(unreachable)?;
    let mut request = client.post(url).header("content-type", "application/json").body(body.to_vec());
    for (header, value) in headers {
        request = request.header(*header, value);
    }
    let status = request.send().await.map_err(unreachable)?.status();
    if status.is_success() {
        return Ok(status.to_string());
    }
    Err(Error::new(Code::ChannelRefused, format!("channel `{name}` answered {status}")))
}

async fn mail(channel: &Channel, secret: Option<&SecretString>, body: &[u8]) -> Result<String> {
    let name = &channel.name;
    let unfit = || Error::new(Code::ChannelUnfit, format!("channel `{name}` has no usable mail settings"));
    let address = |text: &String| text.parse::<Mailbox>().map(|mailbox| mailbox.email).map_err(|_| unfit());
    let from = channel.from.as_ref().map(address).transpose()?;
    let to = channel.to.iter().map(address).collect::<Result<Vec<_>>>()?;
    let envelope = Envelope::new(from, to).map_err(|e| unfit().because(e))?;
    let host = channel.smtp_host.as_deref().ok_or_else(unfit)?;
    let failed = |e: lettre::transport::smtp::Error| {
        // a refused password is told by its number: what the server says may repeat what it got
        match e.status() {
            Some(code) => Error::new(Code::ChannelRefused, format!("channel `{name}` answered {code}")),
            None => {
                Error::new(Code::ChannelUnreachable, format!("channel `{name}` cannot be reached")).because(e)
            }
        }
    };
    let parameters = || TlsParameters::new(host.to_owned()).map_err(failed);
    let (tls, port) = match channel.smtp_tls {
        SmtpTls::Starttls => (Tls::Required(parameters()?), 587),
        SmtpTls::Implicit => (Tls::Wrapper(parameters()?), 465),
        SmtpTls::None => (Tls::None, 25),
    };
    let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
        .port(channel.smtp_port.unwrap_or(port))
        .tls(tls)
        .timeout(Some(TIMEOUT));
    if let Some(user) = &channel.smtp_user {
        let password = secret.ok_or_else(|| {
            Error::new(Code::ChannelSecret, format!("the password of channel `{name}` is not stored"))
        })?;
        let password = password.expose_secret().to_owned();
        transport = transport.credentials(Credentials::new(user.clone(), password));
    }
    let sending = transport.build();
    // lettre's patience is for one command; a server that is slow at each must not hold up the others
    match tokio::time::timeout(TIMEOUT * 3, sending.send_raw(&envelope, body)).await {
        Ok(answer) => Ok(answer.map_err(failed)?.code().to_string()),
        Err(_) => {
            Err(Error::new(Code::ChannelUnreachable, format!("channel `{name}` did not answer in time")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_cannot_sign_is_refused_and_not_repeated() {
        for secret in ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_c2hvcnQ=", "whsec_!"] {
            let error = key(&SecretString::from(secret)).map(drop).unwrap_err();
            assert!(error.code == Code::ChannelSecret && !error.message.contains(secret));
        }
    }
}
