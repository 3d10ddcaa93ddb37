//! What is sent, as bytes that every attempt sends anew. Pure.

use jiff::Timestamp;
use lettre::Message;
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use serde_json::json;

use super::plan::Reason;
use super::settings::{Channel, ChannelKind};
use crate::code::Code;
use crate::error::{Error, Result};
use crate::ids::NotificationId;
use crate::store::alerts::Alert;

/// The body of a message about these alerts.
pub fn body(
    channel: &Channel,
    id: NotificationId,
    connection: &str,
    told: &[(&Alert, Reason)],
    now: Timestamp,
) -> Result<Vec<u8>> {
    match channel.kind {
        ChannelKind::Email => mail(channel, id, connection, told, now),
        ChannelKind::Slack => {
            let text = format!("{}\n{}", subject(connection, told), text(told));
            let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            Ok(json!({ "text": escaped }).to_string().into_bytes())
        }
        ChannelKind::Webhook => {
            let alerts: Vec<_> = told.iter().map(|(a, why)| json!({ "event": why, "alert": a })).collect();
            let data = json!({ "connection": connection, "alerts": alerts });
            Ok(json!({ "type": "alerts", "timestamp": now, "data": data }).to_string().into_bytes())
        }
    }
}

fn subject(connection: &str, told: &[(&Alert, Reason)]) -> String {
    let what = match told {
        [] => "test: alerts arrive here".to_owned(),
        [(alert, why)] => format!("{}: {}", word(*why), alert.title),
        _ => format!("{} alerts", told.len()),
    };
    format!("[ml-connector {connection}] {what}")
}

fn word(why: Reason) -> &'static str {
    match why {
        Reason::Opened => "open",
        Reason::Again => "still open",
        Reason::Closed => "closed",
    }
}

fn text(told: &[(&Alert, Reason)]) -> String {
    if told.is_empty() {
        return "This is a test. Nothing is wrong.\n".to_owned();
    }
    let one = |(alert, why): &(&Alert, Reason)| {
        let detail = if *why == Reason::Closed { "" } else { alert.detail.as_str() };
        let (id, since) = (alert.alert_id, alert.opened_at);
        format!("{}: {}\nsince {since}, alert {id}\n{detail}\n", word(*why), alert.title)
    };
    told.iter().map(one).collect::<Vec<_>>().join("\n")
}

fn mail(
    channel: &Channel,
    id: NotificationId,
    connection: &str,
    told: &[(&Alert, Reason)],
    now: Timestamp,
) -> Result<Vec<u8>> {
    let unwritable = || Error::new(Code::ChannelUnfit, "the mail cannot be written: look at `from` and `to`");
    let from: Mailbox = channel.from.as_deref().and_then(|from| from.parse().ok()).ok_or_else(unwritable)?;
    let mut mail = Message::builder()
        .message_id(Some(format!("<{id}@{}>", from.email.domain())))
        .date(std::time::SystemTime::from(now))
        .subject(subject(connection, told))
        .header(ContentType::TEXT_PLAIN)
        .from(from);
    for to in &channel.to {
        mail = mail.to(to.parse().map_err(|_| unwritable())?);
    }
    Ok(mail.body(text(told)).map_err(|e| unwritable().because(e))?.formatted())
}
