//! From alerts to messages that arrive: written down with what they tell, then sent until they arrive or a day is over.

use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;

use super::plan::{self, Reason};
use super::settings::Channel;
use super::{message, send};
use crate::code::Code;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::ids::NotificationId;
use crate::store::connections::{self, Connection};
use crate::store::jobs::{self, Lease};
use crate::store::{self, notifications};
use crate::vault::{self, CredentialName};

/// Messages sent in one run, so that a receiver that does not answer holds up nothing else for long.
const AT_ONCE: usize = 5;
/// The first wait after a failure; each is twice the one before.
const FIRST_WAIT: Duration = Duration::from_secs(30);
/// No wait is longer.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// Writes down what each channel is to be told now.
pub(super) async fn write_down(db: &mut sqlx::PgConnection, connection: &Connection) -> Result<()> {
    let settings = &connection.settings.alerts;
    for channel in &settings.channels {
        let (now, last) = notifications::newest(db, connection.id, &channel.name).await?;
        let found = notifications::candidates(db, connection.id, channel).await?;
        let told = plan::due(settings, channel, &found, last, now);
        if told.is_empty() {
            continue;
        }
        let id = NotificationId::new();
        let body = message::body(channel, id, &connection.name, &told, now)?;
        let told: Vec<_> = told.iter().map(|(alert, why)| (alert.alert_id, *why == Reason::Closed)).collect();
        notifications::insert(db, connection.id, id, &channel.name, &body, &told).await?;
    }
    Ok(())
}

/// Sends what is due; how many messages arrived. A kill between the receiver's answer and the commit sends the message
/// again, with the same id and body.
pub(super) async fn send_due(engine: &Engine, lease: &Lease) -> Result<usize> {
    let mut arrived = 0;
    for _ in 0..AT_ONCE {
        let mut tx = store::begin(&engine.db).await?;
        jobs::hold(&mut tx, lease).await?;
        let taken = notifications::take(&mut tx, lease.connection).await?;
        tx.commit().await?;
        let Some(taken) = taken else { break };
        let connection = connections::load(&engine.db, lease.connection).await?;
        let answer = match channel(&connection, &taken.channel) {
            Ok(channel) => attempt(engine, &connection, channel, taken.id, &taken.body).await,
            Err(error) => Err(error),
        };
        let mut tx = store::begin(&engine.db).await?;
        jobs::hold(&mut tx, lease).await?;
        match answer {
            Ok(_) => {
                notifications::sent(&mut tx, lease.connection, taken.id).await?;
                arrived += 1;
            }
            Err(error) => {
                let over = taken.old || error.code == Code::ChannelUnknown;
                let wait = (!over).then(|| wait(taken.attempts));
                tracing::warn!(connection = connection.name, channel = taken.channel, %error, "alert not sent");
                notifications::failed(&mut tx, lease.connection, taken.id, &error, wait).await?;
            }
        }
        tx.commit().await?;
    }
    Ok(arrived)
}

fn wait(attempts: i32) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(16);
    FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT)
}

fn channel<'a>(connection: &'a Connection, name: &str) -> Result<&'a Channel> {
    connection.settings.alerts.channel(name).ok_or_else(|| {
        let message = format!("`{}` has no alert channel `{name}`", connection.name);
        Error::new(Code::ChannelUnknown, message)
    })
}

async fn attempt(
    engine: &Engine,
    connection: &Connection,
    channel: &Channel,
    id: NotificationId,
    body: &[u8],
) -> Result<String> {
    let mut db = engine.db.acquire().await?;
    let name = CredentialName::AlertChannel(channel.name.clone());
    let secret = match vault::get(&mut db, &engine.master, connection.id, name).await {
        Ok(secret) => Some(secret),
        Err(error) if error.code == Code::CredentialMissing => None,
        Err(error) => return Err(error),
    };
    drop(db);
    send::send(channel, secret.as_ref(), id, body, Timestamp::now()).await
}

/// Sends a test message now; what the receiver answered.
pub async fn test(engine: &Engine, connection: &Connection, name: &str) -> Result<String> {
    let channel = channel(connection, name)?;
    let id = NotificationId::new();
    let body = message::body(channel, id, &connection.name, &[], Timestamp::now())?;
    attempt(engine, connection, channel, id, &body).await
}

/// Stores the secret of a channel.
pub async fn put_secret(
    engine: &Engine,
    connection: &Connection,
    name: &str,
    secret: &SecretString,
) -> Result<()> {
    send::check_secret(channel(connection, name)?, secret)?;
    let mut tx = store::begin(&engine.db).await?;
    let credential = CredentialName::AlertChannel(name.to_owned());
    vault::put(&mut tx, &engine.master, connection.id, credential, secret).await?;
    tx.commit().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_an_hour() {
        let seconds: Vec<u64> = [1, 2, 3, 8, 9, i32::MAX].map(|attempts| wait(attempts).as_secs()).into();
        assert_eq!(seconds, [30, 60, 120, 3600, 3600, 3600]);
    }
}
