//! The watchdog: Asana deletes a webhook after a day of failure and tells nobody, so its list is compared with
//! ours now and then, and what is missing is made again.

use asana::Webhook;
use futures_util::{StreamExt, stream};
use url::Url;

use crate::engine::{Clients, Engine};
use crate::error::{Error, Result};
use crate::hooks::reconcile::{Step, Theirs, reconcile};
use crate::hooks::register::{check_public_url, register};
use crate::hooks::resource::{Resource, ResourceKind, Scope};
use crate::hooks::token::Tokens;
use crate::ids::WebhookId;
use crate::store::hooks::{self, Health, State};
use crate::trouble;

/// Registrations under way at once: each holds one of Asana's 15 places for writes until its handshake is done.
const REGISTRATIONS_AT_ONCE: usize = 4;
/// Longest text kept of what Asana got for an answer, in characters.
const MAX_FAILURE_CHARACTERS: usize = 500;

/// What a connection wants watched.
///
/// # Errors
/// Those of Asana, when its projects are to be listed.
pub async fn wanted(clients: &Clients, scope: Scope) -> Result<Vec<Resource>> {
    let settings = &clients.connection.settings;
    let project = |gid: String| Resource { kind: ResourceKind::Project, gid };
    let mut wanted: Vec<Resource> = settings.projects().into_iter().map(|gid| project(gid.0)).collect();
    if scope == Scope::Workspace {
        let workspace = settings.asana.workspace.clone();
        let listed = clients.asana.workspace_projects(&workspace).await.map_err(trouble::asana)?;
        wanted.extend(listed.into_iter().filter(|listed| !listed.archived).map(|listed| project(listed.gid)));
        wanted.push(Resource { kind: ResourceKind::Workspace, gid: workspace });
    }
    wanted.sort();
    wanted.dedup();
    Ok(wanted)
}

/// What would have to be done; changes nothing.
///
/// # Errors
/// Those of Asana's list, and [`Code::HookAddress`](crate::Code::HookAddress).
pub async fn check(
    engine: &Engine,
    clients: &Clients,
    public_url: &Url,
    wanted: &[Resource],
) -> Result<Vec<Step>> {
    check_public_url(public_url)?;
    let connection = clients.connection.id;
    // by the database's clock, and before the list: what is made from now on may be missing in it
    let listed_at = hooks::now(&engine.db).await?;
    let workspace = &clients.connection.settings.asana.workspace;
    let listed = clients.asana.webhooks(workspace).await.map_err(trouble::asana)?;
    let tokens = Tokens::new(&engine.master);
    let theirs: Vec<Theirs> = listed
        .into_iter()
        .map(|webhook| Theirs {
            whose: tokens.judge(connection, public_url, &webhook.target),
            health: health(&webhook),
            gid: webhook.gid,
        })
        .collect();
    let ours = hooks::live(&engine.db, connection, listed_at).await?;
    Ok(reconcile(&ours, &theirs, wanted))
}

/// What a repair did.
#[derive(Debug, Default)]
pub struct Repaired {
    /// Registrations that work, those just made included.
    pub working: Vec<(WebhookId, Resource)>,
    /// What was registered now. Nothing was heard of it before: it has to be swept.
    pub registered: Vec<Resource>,
    /// What had a webhook that no longer worked: it has to be swept.
    pub lost: Vec<Resource>,
    /// What is no longer watched.
    pub removed: Vec<Resource>,
    /// Webhooks that were deleted in Asana.
    pub deleted: u32,
    /// What could not be done; the rest was.
    pub failed: Vec<(Option<Resource>, Error)>,
}

/// Puts everything right: deletes orphans, marks what was lost, registers what is missing. With nothing wanted,
/// it takes all webhooks of the connection back.
///
/// # Errors
/// Those of [`check`], and of the database. What fails for one resource stands in [`Repaired::failed`].
pub async fn repair(
    engine: &Engine,
    clients: &Clients,
    public_url: &Url,
    wanted: &[Resource],
) -> Result<Repaired> {
    let steps = check(engine, clients, public_url, wanted).await?;
    carry_out(engine, clients, public_url, steps).await
}

/// Does what [`check`] found.
pub(super) async fn carry_out(
    engine: &Engine,
    clients: &Clients,
    public_url: &Url,
    steps: Vec<Step>,
) -> Result<Repaired> {
    let mut repaired = Repaired::default();
    let mut missing = Vec::new();
    for step in steps {
        match step {
            Step::Register(resource) => missing.push(resource),
            step => put_right(engine, clients, step, &mut repaired).await?,
        }
    }
    let registrations = missing.into_iter().map(|resource| async move {
        let registered = register(engine, clients, public_url, &resource).await;
        (resource, registered)
    });
    let mut registrations = stream::iter(registrations).buffer_unordered(REGISTRATIONS_AT_ONCE);
    while let Some((resource, registered)) = registrations.next().await {
        match registered {
            Ok(webhook) => {
                repaired.working.push((webhook, resource.clone()));
                repaired.registered.push(resource);
            }
            Err(error) => repaired.failed.push((Some(resource), error)),
        }
    }
    Ok(repaired)
}

async fn put_right(engine: &Engine, clients: &Clients, step: Step, repaired: &mut Repaired) -> Result<()> {
    let (db, connection) = (&engine.db, clients.connection.id);
    match step {
        Step::DeleteTheirs { gid } => match clients.asana.delete_webhook(&gid).await {
            Ok(()) => repaired.deleted += 1,
            Err(asana::Error::NotFound(_)) => {}
            Err(error) => repaired.failed.push((None, trouble::asana(error))),
        },
        Step::MarkFailed { webhook } => {
            let reason = Some("it was begun and never finished");
            hooks::end(db, connection, webhook, State::Failed, reason).await?;
        }
        Step::MarkLost { webhook, resource, lost } => {
            if hooks::end(db, connection, webhook, State::Lost, Some(lost.reason())).await? {
                repaired.lost.push(resource);
            }
        }
        Step::MarkRemoved { webhook, resource } => {
            if hooks::end(db, connection, webhook, State::Removed, None).await? {
                repaired.removed.push(resource);
            }
        }
        Step::Keep { webhook, resource, health } => {
            if let Some(health) = health {
                hooks::set_health(db, connection, webhook, &health).await?;
            }
            repaired.working.push((webhook, resource));
        }
        // made together, after everything else
        Step::Register(_) => {}
    }
    Ok(())
}

fn health(webhook: &Webhook) -> Health {
    let failure = webhook.last_failure_content.as_deref().filter(|text| !text.is_empty());
    let plain =
        |text: &str| -> String { text.chars().filter(|c| *c != '\0').take(MAX_FAILURE_CHARACTERS).collect() };
    Health {
        last_success_at: webhook.last_success_at,
        last_failure_at: webhook.last_failure_at,
        last_failure: failure.map(plain),
    }
}
