//! Asana's tasks against what is known of them: links that lead nowhere, tasks that are elsewhere, and two for one.

use std::collections::{BTreeMap, HashSet};

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::code::Code;
use crate::dry_run::gather::Tasks;
use crate::engine::{Clients, Engine};
use crate::error::{Error, Result};
use crate::push::known::known_task;
use crate::reconcile::report::{Difference, Kind, Report};
use crate::store::reconciliations::{self, LiveLink};
use crate::store::tasks;
use crate::trouble;

/// Rows asked of the database at once.
const AT_ONCE: i64 = 1_000;
/// Tasks read one by one at the same time; Asana's budget has the last word.
const READ_AT_ONCE: usize = 8;

/// What a look at one task that was not listed showed.
enum Seen {
    There(Box<asana::Task>),
    Gone,
    Hidden,
}

/// What was found about tasks.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Links that lead to a task that does not exist, by order and line.
    pub(super) dead: BTreeMap<(String, String), Vec<String>>,
    /// Tasks that are known but not there.
    pub(super) absent: HashSet<String>,
    /// Orders that have a live link.
    pub(super) shown: HashSet<String>,
}

/// Compares the listing with the links and the tasks that are stored. When a project could not be listed, nothing is
/// said about tasks that were not seen.
pub(super) async fn compare(
    engine: &Engine,
    clients: &Clients,
    listed: &mut Tasks,
    report: &mut Report,
) -> Result<Found> {
    let mut found = Found::default();
    duplicates(listed, report)?;
    for project in &listed.unseen {
        let reason = format!("project {project} cannot be listed");
        report.add(&Difference::of(Kind::ProjectUnseen).because(Code::ReconcileUnseen, reason))?;
    }
    let judges = listed.unseen.is_empty();
    let connection = clients.connection.id;
    let mapped: HashSet<String> =
        clients.connection.settings.projects().into_iter().map(|project| project.0).collect();
    let (mut after, mut hidden) = (None::<LiveLink>, HashSet::new());
    loop {
        let links = reconciliations::live_links(&engine.db, connection, after.as_ref(), AT_ONCE).await?;
        let Some(last) = links.last() else { break };
        after = Some(last.clone());
        let unlisted: HashSet<String> =
            links.iter().map(|link| link.task_gid.clone()).filter(|gid| !listed.has(gid)).collect();
        let looks = if judges { look(clients, unlisted).await? } else { Vec::new() };
        for (gid, seen) in looks {
            match seen {
                Seen::Gone => {
                    found.absent.insert(gid);
                }
                Seen::Hidden => {
                    hidden.insert(gid);
                }
                Seen::There(task) => {
                    let known = known_task(&task, &clients.connection.settings);
                    listed.add(&known)?;
                    // one that was moved between sections or projects while they were listed is no stranger
                    if !known.projects.iter().any(|project| mapped.contains(project)) {
                        hidden.insert(gid);
                    }
                }
            }
        }
        for link in links {
            if found.absent.contains(&link.task_gid) {
                found.dead.entry((link.order_id, link.line_id)).or_default().push(link.task_gid);
                continue;
            }
            if hidden.contains(&link.task_gid) {
                report.add(&elsewhere(&link))?;
            }
            found.shown.insert(link.order_id);
        }
    }
    if judges {
        stale(engine, clients, listed, &hidden, &mut found).await?;
    }
    Ok(found)
}

/// Tasks with one key: they were made for one order, as after an answer that never came.
fn duplicates(listed: &Tasks, report: &mut Report) -> Result<()> {
    for (key, gids) in listed.of_one_key() {
        let (order, line) = key.split_once('/').filter(|(kind, _)| *kind != "invoice").unwrap_or((key, ""));
        let (feed, source_id) = super::check::record_of(order);
        let difference = Difference {
            feed,
            source_id,
            line_id: line.to_owned(),
            tasks: gids.to_vec(),
            ..Difference::of(Kind::TaskDuplicated)
        };
        let reason = format!("tasks {} carry the same key", gids.join(" and "));
        report.add(&difference.because(Code::ReconcileDuplicate, reason))?;
    }
    Ok(())
}

fn elsewhere(link: &LiveLink) -> Difference {
    let (feed, source_id) = super::check::record_of(&link.order_id);
    let difference = Difference {
        feed,
        source_id,
        line_id: link.line_id.clone(),
        tasks: vec![link.task_gid.clone()],
        ..Difference::of(Kind::TaskElsewhere)
    };
    let reason = format!("task {} stands in no mapped project that can be seen", link.task_gid);
    difference.because(Code::ReconcileElsewhere, reason)
}

/// Looks at tasks one by one.
async fn look(clients: &Clients, gids: HashSet<String>) -> Result<Vec<(String, Seen)>> {
    let looks = gids.into_iter().map(async |gid| match clients.asana.task(&gid).await {
        Ok(task) => Ok((gid, Seen::There(Box::new(task)))),
        Err(error) if error.status() == Some(404) => Ok((gid, Seen::Gone)),
        Err(error) if error.status() == Some(403) => Ok((gid, Seen::Hidden)),
        Err(error) => Err::<_, Error>(trouble::asana(error)),
    });
    stream::iter(looks).buffer_unordered(READ_AT_ONCE).try_collect().await
}

/// Tasks that are stored without being linked, and that the listing does not show: they left the projects.
async fn stale(
    engine: &Engine,
    clients: &Clients,
    listed: &Tasks,
    hidden: &HashSet<String>,
    found: &mut Found,
) -> Result<()> {
    let mut after = String::new();
    loop {
        let page = tasks::page(&engine.db, clients.connection.id, &after, AT_ONCE).await?;
        let Some((last, ..)) = page.last() else { return Ok(()) };
        after.clone_from(last);
        for (gid, ..) in page {
            if !listed.has(&gid) && !hidden.contains(&gid) {
                found.absent.insert(gid);
            }
        }
    }
}
