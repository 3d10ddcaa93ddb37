//! Listing the mapped projects: what changed there since the last time, 100 tasks a request.
//!
//! The listing is strongly consistent, unlike Asana's search, so that it also tells whether a write
//! that is in doubt has happened.

use jiff::{SignedDuration, Timestamp};

use crate::code::Code;
use crate::engine::{Clients, Engine};
use crate::error::{Error, Result};
use crate::ids::ProjectGid;
use crate::push::known::known_task;
use crate::push::walk::Walk;
use crate::reference::choices;
use crate::store::jobs::{self, Lease};
use crate::store::{self, links, tasks};
use crate::trouble;

/// How far before the last change seen a listing starts: Asana's servers need not agree to the second.
const OVERLAP: SignedDuration = SignedDuration::from_mins(1);
/// Tasks that were gone and are looked at again in one cycle, at most.
const GONE_LOOKED_AT: i64 = 100;
/// A listing whose page token expired is begun anew this often.
const RESTARTS: u32 = 3;

/// Lists every mapped project from where the last listing ended; returns how many orders were found
/// that a task newly names.
pub async fn refresh(engine: &Engine, clients: &Clients, lease: &Lease) -> Result<u64> {
    let mut opened = 0;
    for project in clients.connection.settings.projects() {
        let mut restarts = 0;
        loop {
            match list(engine, clients, lease, &project).await {
                Ok(found) => {
                    opened += found;
                    break;
                }
                Err(Listing::TokenExpired) if restarts < RESTARTS => restarts += 1,
                Err(Listing::TokenExpired) => {
                    return Err(Error::new(
                        Code::AsanaRefused,
                        "Asana's page token expired again and again while listing a project",
                    ));
                }
                // its tasks cannot be written either: planning holds them with this reason
                Err(Listing::Failed(error))
                    if matches!(error.code, Code::AsanaNotFound | Code::AsanaForbidden) =>
                {
                    tracing::warn!(%project, %error, "a mapped project cannot be listed");
                    break;
                }
                Err(Listing::Failed(error)) => return Err(error),
            }
        }
    }
    look_for_restored(engine, clients, lease).await?;
    Ok(opened)
}

/// Looks at tasks that were gone when they were last written, before their orders are planned again:
/// taking a task out of the trash need not change its date, and then no listing shows it.
async fn look_for_restored(engine: &Engine, clients: &Clients, lease: &Lease) -> Result<()> {
    let mut db = engine.db.acquire().await?;
    let gone = links::gone_and_wanted(&mut db, lease.connection, GONE_LOOKED_AT).await?;
    drop(db);
    let mut restored = Vec::new();
    for gid in gone {
        match clients.asana.task(&gid).await {
            Ok(task) => restored.push(known_task(&task, &clients.connection.settings)),
            Err(error) if matches!(error.status(), Some(403 | 404)) => {}
            Err(error) => return Err(trouble::asana(error)),
        }
    }
    if restored.is_empty() {
        return Ok(());
    }
    let gids: Vec<String> = restored.iter().map(|task| task.gid.clone()).collect();
    let mut tx = store::begin(&engine.db).await?;
    jobs::hold(&mut tx, lease).await?;
    tasks::store(&mut tx, lease.connection, &restored).await?;
    tasks::revive(&mut tx, lease.connection, &gids).await?;
    tx.commit().await?;
    Ok(())
}

enum Listing {
    TokenExpired,
    Failed(Error),
}

impl<E: Into<Error>> From<E> for Listing {
    fn from(error: E) -> Listing {
        Listing::Failed(error.into())
    }
}

async fn list(
    engine: &Engine,
    clients: &Clients,
    lease: &Lease,
    project: &ProjectGid,
) -> std::result::Result<u64, Listing> {
    let settings = &clients.connection.settings;
    let connection = lease.connection;
    let mut db = engine.db.acquire().await?;
    let since = tasks::listed_until(&mut db, connection, project).await?.map(|until| until - OVERLAP);
    drop(db);
    let (mut walk, mut newest, mut opened) =
        (Walk::new(&clients.asana, project, since), None::<Timestamp>, 0);
    loop {
        let page = match walk.step().await {
            Err(error) if error.is_invalid_offset() => return Err(Listing::TokenExpired),
            other => other.map_err(trouble::asana)?,
        };
        let known: Vec<_> = page.tasks.iter().map(|task| known_task(task, settings)).collect();
        let gids: Vec<String> = known.iter().map(|task| task.gid.clone()).collect();
        newest = known.iter().filter_map(|task| task.modified_at).chain(newest).max();
        let looked = choices::listed(engine, clients, &known).await?;
        let mut tx = store::begin(&engine.db).await?;
        jobs::hold(&mut tx, lease).await?;
        tasks::store(&mut tx, connection, &known).await?;
        tasks::revive(&mut tx, connection, &gids).await?;
        opened += tasks::open_newly_numbered(&mut tx, connection, &gids).await?;
        looked.store(&mut tx, connection).await?;
        if page.is_last {
            // only now: a listing that breaks off begins where the last complete one ended
            tasks::set_listed(&mut tx, connection, project, newest).await?;
        }
        tx.commit().await?;
        if page.is_last {
            return Ok(opened);
        }
    }
}
