//! The sweep: what changed in the watched projects since the last one, for completions that no webhook told
//! of. Asana delivers at most once and forgets a webhook after a day of failures.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::code::Code;
use crate::completion::see::{Seen, see};
use crate::engine::{Clients, Engine};
use crate::error::{Error, Result};
use crate::hooks::event::Event;
use crate::hooks::resource::ResourceKind;
use crate::hooks::watch;
use crate::ids::ProjectGid;
use crate::push::walk::Walk;
use crate::store::completions::{self, Completion};
use crate::store::inbox;
use crate::store::jobs::{self, Job, Lease};
use crate::store::{self, connections, sweeps};
use crate::trouble;

/// How far before the last change seen a sweep starts: Asana's servers need not agree to the second.
const OVERLAP: SignedDuration = SignedDuration::from_mins(1);
/// A listing whose page token expired is begun anew this often.
const RESTARTS: u32 = 3;

/// What a sweep did.
#[derive(Debug, Clone, Copy, Default, serde::Serialize)]
pub struct SweepReport {
    /// Projects swept.
    pub projects: u64,
    /// Tasks listed.
    pub tasks: u64,
    /// Tasks in another state than was known: put into the inbox.
    pub found: u64,
}

/// Sweeps every watched project. Whatever is in the inbox then is looked at, also when it was a sweep before this
/// one that put it there and broke off.
pub async fn run(engine: &Engine, clients: &Clients, lease: &Lease) -> Result<SweepReport> {
    let swept = sweep(engine, clients, lease).await;
    if inbox::count_open(&engine.db, lease.connection).await? > 0 {
        jobs::ask_for(&engine.db, lease.connection, &[Job::Completions]).await?;
        engine.wake();
    }
    swept
}

async fn sweep(engine: &Engine, clients: &Clients, lease: &Lease) -> Result<SweepReport> {
    let mut report = SweepReport::default();
    let Some(since) = connections::journals_since(&engine.db, lease.connection).await? else {
        return Ok(report);
    };
    for project in watched(clients).await? {
        let mut restarts = 0;
        loop {
            match project_once(engine, clients, lease, &project, since, &mut report).await {
                Ok(()) => break,
                Err(Sweeping::TokenExpired) if restarts < RESTARTS => restarts += 1,
                Err(Sweeping::TokenExpired) => {
                    let words = "Asana's page token expired again and again while sweeping a project";
                    return Err(Error::new(Code::AsanaRefused, words));
                }
                Err(Sweeping::Failed(error))
                    if matches!(error.code, Code::AsanaNotFound | Code::AsanaForbidden) =>
                {
                    tracing::warn!(%project, %error, "a watched project cannot be swept");
                    break;
                }
                Err(Sweeping::Failed(error)) => return Err(error),
            }
        }
        report.projects += 1;
    }
    Ok(report)
}

/// The projects that are watched for completions.
async fn watched(clients: &Clients) -> Result<Vec<ProjectGid>> {
    let wanted = watch::wanted(clients, clients.connection.settings.webhooks.scope).await?;
    let projects = wanted.into_iter().filter(|resource| resource.kind == ResourceKind::Project);
    Ok(projects.map(|resource| ProjectGid(resource.gid)).collect())
}

enum Sweeping {
    TokenExpired,
    Failed(Error),
}

impl<E: Into<Error>> From<E> for Sweeping {
    fn from(error: E) -> Sweeping {
        Sweeping::Failed(error.into())
    }
}

async fn project_once(
    engine: &Engine,
    clients: &Clients,
    lease: &Lease,
    project: &ProjectGid,
    since: Timestamp,
    report: &mut SweepReport,
) -> std::result::Result<(), Sweeping> {
    let connection = lease.connection;
    let fields = clients.fields().await?;
    let mut db = engine.db.acquire().await?;
    let from =
        sweeps::swept_until(&mut db, connection, project).await?.map_or(since, |until| until - OVERLAP);
    drop(db);
    let (mut walk, mut newest) = (Walk::new(&clients.asana, project, Some(from)), None::<Timestamp>);
    loop {
        let page = match walk.step().await {
            Err(error) if error.is_invalid_offset() => return Err(Sweeping::TokenExpired),
            other => other.map_err(trouble::asana)?,
        };
        newest = page.tasks.iter().map(|task| task.modified_at).chain(newest).max();
        report.tasks += page.tasks.len() as u64;
        let gids: Vec<String> = page.tasks.iter().map(|task| task.gid.clone()).collect();
        let mut tx = store::begin(&engine.db).await?;
        jobs::hold(&mut tx, lease).await?;
        let mut known: BTreeMap<String, Vec<Completion>> = BTreeMap::new();
        for completion in completions::of_tasks(&mut tx, connection, &gids).await? {
            known.entry(completion.task_gid.clone()).or_default().push(completion);
        }
        let of = |gid: &str| known.get(gid).map(Vec::as_slice).unwrap_or_default();
        let found: Vec<Event> = page
            .tasks
            .iter()
            .filter(|task| match see(task, of(&task.gid), &clients.connection.settings, &fields) {
                Seen::Nothing => false,
                // what was complete before journals were switched on is no news
                Seen::Completed(facts, _) => facts.completed_at >= since,
                _ => true,
            })
            .map(|task| Event::swept(&task.gid, task.modified_at))
            .collect();
        report.found += inbox::add_found(&mut tx, connection, &found).await?;
        if page.is_last {
            // only now: a sweep that breaks off begins where the last complete one ended
            sweeps::set_swept(&mut tx, connection, project, newest).await?;
        }
        tx.commit().await?;
        if page.is_last {
            return Ok(());
        }
    }
}
