//! Webhooks and event streams: who listens to what, and how each change reaches whoever listens.
//!
//! A change is told once, by [`World::tell`], whoever made it. The event goes into the queue of every webhook whose
//! resource contains what changed, and into the log that event streams read. A task of its own
//! ([`deliver`]) sends what is due by the virtual clock.
//!
//! Source: the webhooks guide, `createWebhook` and `getEvents` of the OpenAPI document. Nothing here speaks of
//! portfolios, teams, goals and personal task lists, which the stand-in does not have.

pub(crate) mod config;
pub(crate) mod control;
pub(crate) mod deliver;
pub(crate) mod event;
pub(crate) mod filter;
pub(crate) mod log;
pub(crate) mod queue;
pub(crate) mod record;
pub(crate) mod stream;
pub(crate) mod target;
pub(crate) mod tell;

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use sha2::Sha256;
use url::Url;

use config::{Sending, WebhookConfig};
use event::Event;
use filter::Filter;
use log::Log;
use queue::Queue;
use stream::Streams;

use super::json::Json;
use super::world::{Gid, World};

/// Text that `Debug` does not show: the key of a webhook's signatures, and the token that it came with.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    pub fn of(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// A new key: 64 hexadecimal digits, as in Asana's examples.
    pub fn random() -> Self {
        Self(hex(&rand::random::<[u8; 32]>()))
    }

    pub fn text(&self) -> &str {
        &self.0
    }

    /// HMAC-SHA256 of the body with the ASCII text of the key, in lower-case hexadecimal digits.
    pub fn sign(&self, body: &str) -> String {
        // A key may be of any length, so that this never fails.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.0.as_bytes()) else { return String::new() };
        mac.update(body.as_bytes());
        hex(&mac.finalize().into_bytes())
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = Json::default();
    for byte in bytes {
        text.display(format_args!("{byte:02x}"));
    }
    text.finish()
}

/// Who registered something: a user, through an app or with a token of their own.
pub(crate) type Owner = (Gid, Option<String>);

/// What a webhook or a stream listens to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listened {
    Task,
    Project,
    Workspace,
}

/// One registration.
#[derive(Debug)]
pub(crate) struct Webhook {
    pub owner: Owner,
    pub token: Secret,
    pub resource: Gid,
    pub listened: Listened,
    pub workspace: Gid,
    pub target: Url,
    pub filters: Vec<Filter>,
    pub secret: Secret,
    pub active: bool,
    pub created_at: Timestamp,
    pub last_success_at: Option<Timestamp>,
    pub last_failure_at: Option<Timestamp>,
    pub last_failure_content: String,
    pub queue: Queue,
}

/// All that listens.
#[derive(Debug, Default)]
pub(crate) struct Hooks {
    pub cfg: WebhookConfig,
    pub webhooks: BTreeMap<Gid, Webhook>,
    on: HashMap<Gid, Vec<Gid>>,
    pub streams: Streams,
    pub log: Log,
    told: usize,
    /// Something was queued that the sending task has not been woken for.
    fresh: bool,
}

impl Hooks {
    /// Whether anybody would hear of an event.
    pub fn listening(&self) -> bool {
        !self.webhooks.is_empty() || !self.streams.is_empty()
    }

    pub fn add(&mut self, gid: Gid, webhook: Webhook) {
        self.on.entry(webhook.resource).or_default().push(gid);
        self.webhooks.insert(gid, webhook);
        self.fresh = true;
    }

    pub fn remove(&mut self, gid: Gid) -> bool {
        let Some(webhook) = self.webhooks.remove(&gid) else { return false };
        if let Some(list) = self.on.get_mut(&webhook.resource) {
            list.retain(|g| *g != gid);
            if list.is_empty() {
                self.on.remove(&webhook.resource);
            }
        }
        true
    }

    /// Deletes what has failed for too long; it is gone by the time that anybody looks.
    pub fn expire(&mut self, now: Timestamp) {
        let over = |w: &Webhook| w.queue.deletion(&self.cfg).is_some_and(|at| at <= now);
        let gone: Vec<Gid> = self.webhooks.iter().filter(|(_, w)| over(w)).map(|(gid, _)| *gid).collect();
        for gid in gone {
            self.delete_by_asana(gid);
        }
    }

    pub fn activate(&mut self, gid: Gid, active: bool) {
        if let Some(webhook) = self.webhooks.get_mut(&gid) {
            webhook.active = active;
            self.fresh = true;
        }
    }

    /// Deletes the webhooks that were registered with a token.
    pub fn delete_of_token(&mut self, token: &Secret) {
        let of_token = self.webhooks.iter().filter(|(_, w)| w.token == *token);
        let gone: Vec<Gid> = of_token.map(|(gid, _)| *gid).collect();
        for gid in gone {
            self.delete_by_asana(gid);
        }
    }

    pub fn delete_by_asana(&mut self, gid: Gid) {
        if self.remove(gid) {
            self.log.counts.deleted = self.log.counts.deleted.saturating_add(1);
        }
    }

    /// Webhooks and streams on a resource, all apps together.
    pub fn count_on(&self, resource: Gid, now: Timestamp) -> usize {
        let webhooks = self.on.get(&resource).map_or(0, Vec::len);
        webhooks.saturating_add(self.streams.count_on(resource, now, &self.cfg))
    }

    pub fn count_of(&self, owner: &Owner) -> usize {
        self.webhooks.values().filter(|w| w.owner == *owner).count()
    }

    /// Whether the sending task is to be woken; asks once.
    pub fn take_fresh(&mut self) -> bool {
        std::mem::take(&mut self.fresh)
    }
}

impl World {
    /// Hands an event to everyone who listens.
    pub fn tell(&mut self, event: Event) {
        if !self.hooks.listening() {
            return;
        }
        let heard: Vec<Gid> =
            event.scope.iter().filter_map(|gid| self.hooks.on.get(gid)).flatten().copied().collect();
        for gid in heard {
            if self.hears(gid, &event) {
                self.queue_event(gid, &event);
            }
        }
        self.hooks.streams.push(event, &self.hooks.cfg);
    }

    /// A webhook hears of an event if a filter lets it pass and its owner may still see the resource.
    fn hears(&self, gid: Gid, event: &Event) -> bool {
        let Some(webhook) = self.hooks.webhooks.get(&gid) else { return false };
        webhook.active
            && filter::passes(&webhook.filters, event)
            && self.listened_visible(webhook.resource, webhook.listened, webhook.owner.0)
    }

    /// Whether a user may see what is listened to. A task in the trash is still listened to.
    pub fn listened_visible(&self, gid: Gid, listened: Listened, user: Gid) -> bool {
        match listened {
            Listened::Task => {
                let task = self.tasks.get(&gid).or_else(|| self.trash.get(&gid));
                task.is_some_and(|task| self.task_visible(task, user))
            }
            Listened::Project => matches!(self.project_for(gid, user), Some(Ok(_))),
            Listened::Workspace => true,
        }
    }

    fn queue_event(&mut self, gid: Gid, event: &Event) {
        let hooks = &mut self.hooks;
        let Some(webhook) = hooks.webhooks.get_mut(&gid) else { return };
        let lost = if hooks.cfg.sending == Sending::Lose {
            1
        } else {
            let mut text = Json::default();
            event.write(&mut text, if hooks.cfg.vary_member_order { hooks.told } else { 0 });
            webhook.queue.push(text.finish(), event.at, &hooks.cfg)
        };
        hooks.told = hooks.told.wrapping_add(1);
        hooks.log.counts.lost = hooks.log.counts.lost.saturating_add(lost);
        hooks.fresh = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_hmac_sha256_with_the_text_of_the_key() {
        // RFC 4231, test case 2: the key is the text "Jefe".
        let signature = Secret::of("Jefe").sign("what do ya want for nothing?");
        assert_eq!(signature, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn a_new_secret_is_64_digits_and_never_shown() {
        let (one, other) = (Secret::random(), Secret::random());
        assert!(one.text().len() == 64 && one.text().bytes().all(|b| b.is_ascii_hexdigit()));
        assert_ne!(one.text(), other.text());
        assert!(!format!("{one:?}").contains(one.text()));
    }
}
