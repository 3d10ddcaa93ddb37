//! The events of a delivery, read from its raw text.
//!
//! Asana's events have no id; the key that tells them apart is made here. Members that are missing, unknown or of
//! another type than documented never make a delivery unreadable: at worst an event is stored and ignored.
//! Values that a member may carry are not read: booleans, numbers and texts are never in a webhook's events
//! (developers.asana.com, "Events"), so a task has to be read anyway.

use std::borrow::Cow;

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::hooks::resource::ResourceKind;

mod wire;

use wire::{EventMembers, Lenient};

/// Most events in one delivery. A body of 1 MiB holds a few thousand of Asana's.
pub const MAX_EVENTS: usize = 10_000;

/// Longest text kept of a member, in bytes; Asana's gids have 16 digits, its names fewer than 30 letters.
const MAX_TEXT_BYTES: usize = 64;
/// Bytes at the front of a key that say when the event happened.
const KEY_TIME_BYTES: usize = 4;

/// Tells one event of a connection from all others: sixteen bytes.
///
/// The first four are the second in which it happened, so that keys sort by time and new ones stand together in
/// an index; the rest is a digest. Two changes of one property by one user within a millisecond have one key,
/// which does no harm, since whoever looks sees the state after both.
///
/// The webhook is not part of it: a task that stands in two watched projects is reported by both webhooks, and
/// that is one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventKey(pub Uuid);

impl EventKey {
    /// The key of an event with these members.
    fn of(members: &EventMembers<'_>, happened_at: Option<Timestamp>) -> EventKey {
        let change = &members.change.0;
        let value = [&change.new_value, &change.added_value, &change.removed_value];
        EventKey::digest(
            happened_at,
            &[
                members.resource.0.gid.as_deref(),
                members.action.as_deref(),
                change.field.as_deref(),
                change.action.as_deref(),
                value.iter().find_map(|value| value.0.gid.as_deref()),
                members.parent.0.gid.as_deref(),
                members.created_at.as_deref(),
                members.user.0.gid.as_deref(),
            ],
        )
    }

    /// The key of a task that the sweep found changed at an instant.
    fn swept(task: &str, changed_at: Timestamp) -> EventKey {
        EventKey::digest(Some(changed_at), &[Some("sweep"), Some(task), Some(&changed_at.to_string())])
    }

    /// The least key of an event of that second.
    #[must_use]
    pub fn first_of(second: i64) -> EventKey {
        let second = u32::try_from(second.max(0)).unwrap_or(u32::MAX);
        EventKey(Uuid::from_u128(u128::from(second) << (8 * (16 - KEY_TIME_BYTES))))
    }

    fn digest(happened_at: Option<Timestamp>, parts: &[Option<&str>]) -> EventKey {
        let mut digest = Sha256::new();
        for part in parts {
            // with its length, so that no two lists run together to the same bytes; a missing one has none
            let length = part.map_or(u32::MAX, |part| u32::try_from(part.len()).unwrap_or(u32::MAX - 1));
            digest.update(length.to_be_bytes());
            digest.update(part.unwrap_or_default());
        }
        let mut key = [0u8; 16];
        let second = happened_at.and_then(|at| u32::try_from(at.as_second()).ok()).unwrap_or(0);
        let (time, rest) = key.split_at_mut(KEY_TIME_BYTES);
        time.copy_from_slice(&second.to_be_bytes());
        rest.copy_from_slice(&digest.finalize()[..16 - KEY_TIME_BYTES]);
        EventKey(Uuid::from_bytes(key))
    }
}

/// What is stored of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Tells it from all others of the connection.
    pub key: EventKey,
    /// Type of what changed, such as `task`; empty when the event does not say.
    pub resource_type: String,
    /// Gid of what changed; empty when the event does not say.
    pub resource_gid: String,
    /// Gid of where it was added or removed.
    pub parent_gid: Option<String>,
    /// `changed`, `added`, `removed`, `deleted` or `undeleted`; empty when the event does not say.
    pub action: String,
    /// The property that changed.
    pub field: Option<String>,
    /// When, by Asana's clock.
    pub happened_at: Option<Timestamp>,
    /// Whether it is a reason to look at something.
    pub open: bool,
}

impl Event {
    /// What the sweep makes of a task that was changed at an instant, as Asana says: a reason to look at it. To
    /// find it again is the same event.
    #[must_use]
    pub fn swept(task: &str, changed_at: Timestamp) -> Event {
        Event {
            key: EventKey::swept(task, changed_at),
            resource_type: ResourceKind::Project.events_of().to_owned(),
            resource_gid: task.to_owned(),
            parent_gid: None,
            action: "changed".to_owned(),
            field: None,
            happened_at: Some(changed_at),
            open: true,
        }
    }
}

/// A body that is not a JSON object with a list of at most [`MAX_EVENTS`] events.
#[derive(Debug, thiserror::Error)]
#[error("line {}, column {}", .0.line(), .0.column())]
pub struct Unreadable(serde_json::Error);

/// Reads the events of a delivery to a webhook on this kind of resource.
///
/// # Errors
/// [`Unreadable`], which tells where and nothing of what stands there.
pub fn read(kind: ResourceKind, body: &str) -> Result<Vec<Event>, Unreadable> {
    let delivery: wire::Delivery<'_> = serde_json::from_str(body).map_err(Unreadable)?;
    Ok(delivery.events.0.into_iter().map(|Lenient(members)| event(kind, members)).collect())
}

fn event(kind: ResourceKind, members: EventMembers<'_>) -> Event {
    // what was before Asana is no time of an event, and some of it the database cannot keep
    let happened_at = members
        .created_at
        .as_deref()
        .and_then(|at| at.parse::<Timestamp>().ok())
        .filter(|at| *at >= Timestamp::UNIX_EPOCH);
    let key = EventKey::of(&members, happened_at);
    let resource = members.resource.0;
    let resource_gid = resource.gid.and_then(kept).unwrap_or_default();
    let resource_type = resource.resource_type.and_then(kept).unwrap_or_default();
    let open = !resource_gid.is_empty() && resource_type == kind.events_of();
    Event {
        key,
        open,
        resource_type,
        resource_gid,
        parent_gid: members.parent.0.gid.and_then(kept),
        action: members.action.and_then(kept).unwrap_or_default(),
        field: members.change.0.field.and_then(kept),
        happened_at,
    }
}

/// Gids and names are short and plain; anything else could not be what it stands for, and the database refuses
/// some of it.
fn kept(text: Cow<'_, str>) -> Option<String> {
    let plain = text.len() <= MAX_TEXT_BYTES && text.bytes().all(|b| b.is_ascii_graphic());
    plain.then(|| text.into_owned())
}

#[cfg(test)]
mod tests;
