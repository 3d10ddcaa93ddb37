//! What a person asks of webhooks: what is wrong with them, and to register or take back at once what otherwise waits
//! for the watchdog.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use url::Url;

use crate::code::Code;
use crate::engine::{Clients, Engine};
use crate::error::{Error, Result};
use crate::hooks::reconcile::Step;
use crate::hooks::resource::{Resource, ResourceKind};
use crate::hooks::token::{TokenDigest, Tokens};
use crate::hooks::watch::{self, Repaired};
use crate::ids::ProjectGid;
use crate::store::hooks::{self, Health, Registration, State};
use crate::store::jobs::{self, Job};
use crate::trouble;

/// Names are asked for only up to so many resources: each costs a request.
const MAX_NAMES: usize = 20;
/// Names asked for at once.
const NAMES_AT_ONCE: usize = 5;
/// Names that have not come by then are left out: they are only for reading.
const NAMES_WITHIN: Duration = Duration::from_secs(3);

/// What a comparison with Asana found about a resource, or about a webhook that belongs to none.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// What is watched, or should be.
    pub resource: Option<Resource>,
    /// Whether it is as it should be.
    pub well: bool,
    /// In words.
    pub found: String,
    /// Where its newest registration has deliveries sent, without the token.
    pub target: Option<String>,
    /// When Asana last had success with it, as Asana says.
    pub last_success_at: Option<Timestamp>,
    /// When Asana last failed, as Asana says.
    pub last_failure_at: Option<Timestamp>,
    /// What Asana got for an answer then, or why the registration ended.
    pub last_failure: Option<String>,
}

/// What a connection has watched: nothing as long as completions bring no journals.
///
/// # Errors
/// As [`watch::wanted`].
pub async fn wanted(clients: &Clients) -> Result<Vec<Resource>> {
    let settings = &clients.connection.settings;
    if settings.journal.is_none() {
        return Ok(Vec::new());
    }
    watch::wanted(clients, settings.webhooks.scope).await
}

/// What the steps of [`watch::check`] say to a person, each resource once. `newest` are the newest registrations of
/// each resource.
#[must_use]
pub fn findings(steps: &[Step], newest: &[Registration]) -> Vec<Finding> {
    let lost: BTreeSet<&Resource> = steps
        .iter()
        .filter_map(|step| match step {
            Step::MarkLost { resource, .. } => Some(resource),
            _ => None,
        })
        .collect();
    let told = |step: &Step| {
        let (resource, well, found) = words(step, &lost)?;
        let registration = newest.iter().find(|one| Some(&one.resource) == resource);
        let health = match step {
            Step::Keep { health: Some(health), .. } => health.clone(),
            _ => registration.map(known).unwrap_or_default(),
        };
        Some(Finding {
            resource: resource.cloned(),
            well,
            found,
            target: registration.and_then(Registration::target),
            last_success_at: health.last_success_at,
            last_failure_at: health.last_failure_at,
            last_failure: health.last_failure,
        })
    };
    steps.iter().filter_map(told).collect()
}

/// What was last heard of a registration.
fn known(registration: &Registration) -> Health {
    Health {
        last_success_at: registration.last_success_at,
        last_failure_at: registration.last_failure_at,
        last_failure: registration.last_failure.clone(),
    }
}

/// What a step concerns, whether that is as it should be, and in words what was found; `None` for a registration of
/// what is told to be lost already.
fn words<'a>(step: &'a Step, lost: &BTreeSet<&Resource>) -> Option<(Option<&'a Resource>, bool, String)> {
    let finding = |resource, well, found| Some((resource, well, found));
    match step {
        Step::Keep { resource, health: None, .. } => {
            finding(Some(resource), true, "made just now, or being made".to_owned())
        }
        Step::Keep { resource, health: Some(health), .. } => match failing(health) {
            Some(words) => finding(Some(resource), false, words),
            None => finding(Some(resource), true, "works".to_owned()),
        },
        Step::MarkLost { resource, lost, .. } => {
            finding(Some(resource), false, format!("lost: {}", lost.reason()))
        }
        Step::MarkRemoved { resource, .. } => {
            finding(Some(resource), false, "registered, but no longer watched".to_owned())
        }
        Step::Register(resource) if lost.contains(resource) => None,
        Step::Register(resource) => finding(Some(resource), false, "not registered".to_owned()),
        Step::MarkFailed { .. } => {
            finding(None, false, "a registration was begun and never finished".to_owned())
        }
        Step::DeleteTheirs { gid } => {
            finding(None, false, format!("webhook {gid} in Asana belongs to no registration that works"))
        }
    }
}

/// Words about deliveries that fail at present.
fn failing(health: &Health) -> Option<String> {
    let failed = health.last_failure_at?;
    if health.last_success_at.is_some_and(|success| success >= failed) {
        return None;
    }
    let answer = health.last_failure.as_deref().unwrap_or("no answer that Asana kept");
    Some(format!("deliveries fail since {failed} or before: {answer}"))
}

/// Registers what is missing, or one project of it. What is there and works stays as it is.
///
/// # Errors
/// [`Code::SettingsInvalid`] when nothing is watched, or not this project; those of [`watch::check`]. What fails for
/// one resource stands in [`Repaired::failed`].
pub async fn register(
    engine: &Engine,
    clients: &Clients,
    public_url: &Url,
    only: Option<&ProjectGid>,
) -> Result<Repaired> {
    let wanted = wanted(clients).await?;
    if wanted.is_empty() {
        let words = "nothing is watched: the settings have no [journal] section, or routing names no project";
        return Err(Error::new(Code::SettingsInvalid, words));
    }
    if let Some(project) = only
        && !wanted.iter().any(|resource| resource.gid == project.0)
    {
        let words = format!("project {project} is not watched: routing does not name it (webhooks.scope)");
        return Err(Error::new(Code::SettingsInvalid, words));
    }
    let concerns = |resource: &Resource| only.is_none_or(|project| resource.gid == project.0);
    let mut steps = watch::check(engine, clients, public_url, &wanted).await?;
    steps.retain(|step| match step {
        Step::MarkLost { resource, .. } | Step::Register(resource) | Step::Keep { resource, .. } => {
            concerns(resource)
        }
        // in the way of whatever it belongs to
        Step::MarkFailed { .. } => true,
        Step::DeleteTheirs { .. } | Step::MarkRemoved { .. } => false,
    });
    let repaired = watch::carry_out(engine, clients, public_url, steps).await?;
    after_a_gap(engine, clients, &repaired).await?;
    Ok(repaired)
}

/// Puts everything right, as the watchdog does.
///
/// # Errors
/// Those of [`watch::repair`].
pub async fn repair(engine: &Engine, clients: &Clients, public_url: &Url) -> Result<Repaired> {
    let repaired = watch::repair(engine, clients, public_url, &wanted(clients).await?).await?;
    after_a_gap(engine, clients, &repaired).await?;
    Ok(repaired)
}

/// What happened while nothing listened is found by the sweep.
async fn after_a_gap(engine: &Engine, clients: &Clients, repaired: &Repaired) -> Result<()> {
    if !repaired.registered.is_empty() || !repaired.lost.is_empty() {
        jobs::ask_for(&engine.db, clients.connection.id, &[Job::Sweep]).await?;
        engine.wake();
    }
    Ok(())
}

/// What taking back did.
#[derive(Debug, Default)]
pub struct TakenBack {
    /// Registrations that ended.
    pub removed: Vec<Resource>,
    /// Webhooks that were deleted in Asana, left-overs included.
    pub deleted: u32,
    /// What could not be deleted; it is still registered.
    pub failed: Vec<(Option<Resource>, Error)>,
}

/// Takes back the webhook of one project, or all that the connection has, left-overs included: first in Asana, then
/// here. A node that serves registers anew at its next check what is still wanted.
///
/// # Errors
/// Those of Asana's list, and of the database. What fails for one resource stands in [`TakenBack::failed`].
pub async fn take_back(engine: &Engine, clients: &Clients, only: Option<&ProjectGid>) -> Result<TakenBack> {
    let connection = clients.connection.id;
    let mut taken = TakenBack::default();
    let mut ours = hooks::live(&engine.db, connection, hooks::now(&engine.db).await?).await?;
    ours.retain(|live| only.is_none_or(|project| live.resource.gid == project.0));
    let tokens = Tokens::new(&engine.master);
    let digest_of = |target: &str| -> Option<TokenDigest> {
        let (_, token) = target.rsplit_once('/')?;
        tokens.read(token).filter(|(owner, _)| *owner == connection).map(|(_, digest)| digest)
    };
    let workspace = &clients.connection.settings.asana.workspace;
    let mut kept = BTreeSet::new();
    for listed in clients.asana.webhooks(workspace).await.map_err(trouble::asana)? {
        let digest = digest_of(&listed.target);
        let row = ours.iter().find(|live| {
            digest == Some(live.digest) || live.asana_gid.as_deref() == Some(listed.gid.as_str())
        });
        if row.is_none() && (only.is_some() || digest.is_none()) {
            continue;
        }
        match clients.asana.delete_webhook(&listed.gid).await {
            Ok(()) => taken.deleted += 1,
            Err(asana::Error::NotFound(_)) => {}
            Err(error) => {
                kept.extend(row.map(|live| live.webhook));
                taken.failed.push((row.map(|live| live.resource.clone()), trouble::asana(error)));
            }
        }
    }
    for live in ours.into_iter().filter(|live| !kept.contains(&live.webhook)) {
        if hooks::end(&engine.db, connection, live.webhook, State::Removed, None).await? {
            taken.removed.push(live.resource);
        }
    }
    Ok(taken)
}

/// The names of resources by their gid, as far as they come soon and cost little.
pub async fn names(clients: &Clients, resources: &[Resource]) -> BTreeMap<String, String> {
    let resources: BTreeSet<&Resource> = resources.iter().collect();
    let mut names = BTreeMap::new();
    if resources.len() > MAX_NAMES {
        return names;
    }
    let asked = stream::iter(resources)
        .map(|resource| async move { Some((resource.gid.clone(), name(clients, resource).await?)) })
        .buffer_unordered(NAMES_AT_ONCE);
    let mut asked = std::pin::pin!(asked.filter_map(std::future::ready));
    let all = async {
        while let Some((gid, name)) = asked.next().await {
            names.insert(gid, name);
        }
    };
    // whatever did not come in time is only a name
    let _ = tokio::time::timeout(NAMES_WITHIN, all).await;
    names
}

async fn name(clients: &Clients, resource: &Resource) -> Option<String> {
    match resource.kind {
        ResourceKind::Project => Some(clients.asana.project(&resource.gid).await.ok()?.name),
        ResourceKind::Workspace => {
            let all = clients.asana.workspaces().await.ok()?;
            all.into_iter().find(|workspace| workspace.gid == resource.gid).map(|workspace| workspace.name)
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::hooks::reconcile::Lost;
    use crate::ids::WebhookId;

    fn project(gid: &str) -> Resource {
        Resource { kind: ResourceKind::Project, gid: gid.to_owned() }
    }

    fn told(steps: &[Step]) -> Vec<(Option<String>, bool, String)> {
        let told = findings(steps, &[]).into_iter();
        told.map(|finding| (finding.resource.map(|r| r.gid), finding.well, finding.found)).collect()
    }

    fn keep(gid: &str, health: Option<Health>) -> Step {
        Step::Keep { webhook: WebhookId::new(), resource: project(gid), health }
    }

    #[test]
    fn a_lost_webhook_is_told_once_and_not_as_missing_too() {
        let lost = |lost| Step::MarkLost { webhook: WebhookId::new(), resource: project("1"), lost };
        let steps = [lost(Lost::Gone), Step::Register(project("1")), Step::Register(project("2"))];
        let told = told(&steps);
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(
            told[0].2.starts_with("lost: ") && told[1] == (Some("2".into()), false, "not registered".into())
        );
    }

    #[test]
    fn a_webhook_whose_last_delivery_failed_is_not_well() {
        let at = |seconds| Some(Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds));
        let health = |success, failure| {
            Some(Health {
                last_success_at: success,
                last_failure_at: failure,
                last_failure: Some("502".into()),
            })
        };
        for (health, well) in [
            (None, true),
            (health(None, None), true),
            (health(at(2), at(1)), true),
            (health(at(1), at(2)), false),
            (health(None, at(2)), false),
        ] {
            let told = told(&[keep("1", health.clone())]);
            assert_eq!(told[0].1, well, "{health:?}");
            assert_eq!(told[0].2.contains("502"), !well, "{told:?}");
        }
    }

    #[test]
    fn a_finding_tells_what_its_newest_registration_tells_unless_asana_says_it_now() {
        let at = Timestamp::UNIX_EPOCH;
        let newest = [Registration {
            webhook: WebhookId::new(),
            resource: project("1"),
            state: State::Lost,
            asana_gid: None,
            created_at: at,
            active_at: None,
            ended_at: None,
            last_delivery_at: None,
            last_success_at: Some(at),
            last_failure_at: None,
            last_failure: Some("gone".into()),
            rejected: 0,
            public_url: Some("https://erp.example/base".into()),
            failures: 0,
        }];
        let now = Health { last_failure: Some("502".into()), ..Health::default() };
        let steps = [Step::Register(project("1")), keep("1", Some(now)), Step::Register(project("2"))];
        let told = findings(&steps, &newest).into_iter();
        let told: Vec<_> =
            told.map(|one| (one.target, one.last_success_at, one.last_failure.unwrap_or_default())).collect();
        let target = Some("https://erp.example/base/hooks/asana/…".to_owned());
        let expected = [
            (target.clone(), Some(at), "gone".into()),
            (target, None, "502".into()),
            (None, None, "".into()),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn what_belongs_to_no_resource_is_told_too() {
        let told = told(&[
            Step::DeleteTheirs { gid: "77".into() },
            Step::MarkFailed { webhook: WebhookId::new() },
            Step::MarkRemoved { webhook: WebhookId::new(), resource: project("3") },
        ]);
        assert_eq!(told.len(), 3);
        assert!(told.iter().all(|(_, well, _)| !well) && told[0].2.contains("77"), "{told:?}");
    }
}
