//! What has to be done so that every wanted resource has exactly one webhook that works: pure.

use std::collections::BTreeSet;

use crate::hooks::resource::Resource;
use crate::hooks::token::Whose;
use crate::ids::WebhookId;
use crate::store::hooks::{Health, Live};

/// A webhook as Asana lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theirs {
    /// Its gid.
    pub gid: String,
    /// Whose its target is.
    pub whose: Whose,
    /// What Asana says of its attempts.
    pub health: Health,
}

/// Why a registration no longer works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lost {
    /// Asana does not list it: it was deleted after a day of failure, by a person, or belongs to another token.
    Gone,
    /// It leads to another address, or its token was made under another key.
    Elsewhere,
}

impl Lost {
    /// In words, for the registration's row.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Lost::Gone => "Asana no longer lists it for this token",
            Lost::Elsewhere => "its target is not the present public address, or was made under another key",
        }
    }
}

/// One thing to do. The order matters: what is there is put right before anything new is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Delete a webhook of ours in Asana that must not be there.
    DeleteTheirs {
        /// Its gid.
        gid: String,
    },
    /// A registration was begun and never finished.
    MarkFailed {
        /// Which one.
        webhook: WebhookId,
    },
    /// A registration no longer works: what happened meanwhile has to be swept.
    MarkLost {
        /// Which one.
        webhook: WebhookId,
        /// What it watched.
        resource: Resource,
        /// Why it does not work.
        lost: Lost,
    },
    /// Nobody wants the resource watched any more.
    MarkRemoved {
        /// Which one.
        webhook: WebhookId,
        /// What it watched.
        resource: Resource,
    },
    /// It works.
    Keep {
        /// Which one.
        webhook: WebhookId,
        /// What it watches.
        resource: Resource,
        /// What Asana says of its attempts; `None` while it is too young to be listed.
        health: Option<Health>,
    },
    /// Make a webhook.
    Register(Resource),
}

/// Compares our registrations and Asana's list with what is wanted.
///
/// `theirs` must have been listed before `ours` was read: a registration's row is committed before Asana hears of
/// it, so every listed webhook of ours has a row by then unless it is an orphan. Webhooks of others are never
/// touched.
#[must_use]
pub fn reconcile(ours: &[Live], theirs: &[Theirs], wanted: &[Resource]) -> Vec<Step> {
    let wanted: BTreeSet<&Resource> = wanted.iter().collect();
    let (mut marks, mut keeps, mut watched) = (Vec::new(), Vec::new(), BTreeSet::new());
    // what is left of these at the end belongs to no registration that works
    let mut unused: BTreeSet<&str> =
        theirs.iter().filter(|t| is_ours(t, ours)).map(|t| t.gid.as_str()).collect();
    for live in ours {
        let resource = live.resource.clone();
        if live.recent {
            unused.retain(|gid| !theirs.iter().any(|t| t.gid == *gid && belongs(t, live)));
            watched.insert(&live.resource);
            keeps.push(Step::Keep { webhook: live.webhook, resource, health: None });
        } else if !live.active {
            marks.push(Step::MarkFailed { webhook: live.webhook });
        } else if !wanted.contains(&live.resource) {
            marks.push(Step::MarkRemoved { webhook: live.webhook, resource });
        } else if let Some(works) = theirs.iter().find(|t| works(t, live)) {
            unused.remove(works.gid.as_str());
            watched.insert(&live.resource);
            keeps.push(Step::Keep { webhook: live.webhook, resource, health: Some(works.health.clone()) });
        } else {
            let there = theirs.iter().any(|t| belongs(t, live));
            let lost = if there { Lost::Elsewhere } else { Lost::Gone };
            marks.push(Step::MarkLost { webhook: live.webhook, resource, lost });
        }
    }
    let deletions = unused.into_iter().map(|gid| Step::DeleteTheirs { gid: gid.to_owned() });
    let missing = wanted.into_iter().filter(|resource| !watched.contains(resource));
    let registrations = missing.map(|resource| Step::Register(resource.clone()));
    deletions.chain(marks).chain(keeps).chain(registrations).collect()
}

/// Its token is of this connection and key, or a registration of ours remembers its gid.
fn is_ours(theirs: &Theirs, ours: &[Live]) -> bool {
    matches!(theirs.whose, Whose::Ours { .. }) || ours.iter().any(|live| belongs(theirs, live))
}

fn belongs(theirs: &Theirs, live: &Live) -> bool {
    let same_token = matches!(theirs.whose, Whose::Ours { digest, .. } if digest == live.digest);
    same_token || live.asana_gid.as_deref() == Some(theirs.gid.as_str())
}

/// The very webhook whose secret is known, at the very address that is served.
fn works(theirs: &Theirs, live: &Live) -> bool {
    theirs.whose == Whose::Ours { digest: live.digest, here: true }
        && live.asana_gid.as_deref() == Some(theirs.gid.as_str())
}

#[cfg(test)]
mod tests;
