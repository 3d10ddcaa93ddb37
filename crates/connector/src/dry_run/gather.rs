//! Reading both sides into temporary files: Oracle's records, and the tasks of the mapped projects.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use oracle_fusion::keyset::Keyset;
use oracle_fusion::{Limit, Placed};
use tokio::sync::watch;

use crate::code::Code;
use crate::dry_run::spool::{Slot, Spool};
use crate::engine::Clients;
use crate::error::{Error, Result};
use crate::feed::Feed;
use crate::feed::prepare::{self, prepare};
use crate::ids::ProjectGid;
use crate::push::known::known_task;
use crate::push::walk::Walk;
use crate::store::tasks::KnownTask;
use crate::trouble;

/// A listing whose page token expired is begun anew this often.
const RESTARTS: u32 = 3;

/// How often a listing goes on after a rate limit.
const RATE_LIMITED: u32 = 20;

/// The records of one feed.
#[derive(Debug)]
pub(crate) struct Records {
    spool: Spool,
    by_id: BTreeMap<String, Slot>,
    by_number: HashMap<String, Vec<String>>,
    /// Pages read.
    pub(crate) pages: u64,
    /// Whether the feed was read to its end.
    pub(crate) complete: bool,
}

impl Records {
    /// Reads a feed: all of it by id, or what changed since; at most `limit` records.
    pub(crate) async fn read(
        clients: &Clients,
        feed: Feed,
        since: Option<Timestamp>,
        limit: Option<u64>,
        progress: &watch::Sender<u64>,
    ) -> Result<Records> {
        let mut records = Records {
            spool: Spool::new()?,
            by_id: BTreeMap::new(),
            by_number: HashMap::new(),
            pages: 0,
            complete: false,
        };
        let mut keyset = match since {
            Some(since) => Keyset::by_last_update(Some(since)),
            None => Keyset::by_id(None),
        };
        let settings = &clients.connection.settings;
        let at_once = Limit::clamped(settings.oracle.page_size.into());
        let (further, reading) = (settings.further_children(feed), settings.reading());
        let limit = limit.unwrap_or(u64::MAX);
        loop {
            let query = keyset.query(feed.resource(), at_once).expanding(further.as_ref());
            let page = clients.fusion.page(&query).await.map_err(trouble::oracle)?;
            records.pages += 1;
            let Placed { keys, at, nameless } = page.placed(feed.resource()).map_err(trouble::record)?;
            let step = keyset.accept(&keys, page.has_more).map_err(|error| {
                Error::new(Code::OraclePageRepeats, format!("{}: {error}", feed.as_str())).because(error)
            })?;
            let mut items: Vec<Option<_>> = page.items.into_iter().map(Some).collect();
            for raw in nameless.into_iter().filter_map(|at| items.get_mut(at).and_then(Option::take)) {
                let incoming = prepare(feed, &prepare::nameless(&raw), raw, &reading);
                records.add(incoming.source_id, None, &incoming.body)?;
            }
            for index in step.fresh {
                let (Some(at), Some(key)) = (at.get(index), keys.get(index)) else { continue };
                let Some(raw) = items.get_mut(*at).and_then(Option::take) else { continue };
                if records.by_id.len() as u64 >= limit {
                    return Ok(records);
                }
                let raw = clients.fusion.complete_with(raw, feed.resource(), further.as_ref()).await;
                let raw = raw.map_err(trouble::oracle)?;
                let incoming = prepare(feed, key, raw, &reading);
                records.add(incoming.source_id, incoming.order_number.as_deref(), &incoming.body)?;
            }
            progress.send_modify(|count| *count += keys.len() as u64);
            if step.done {
                records.complete = true;
                return Ok(records);
            }
        }
    }

    fn add(&mut self, id: String, numbers: Option<&str>, body: &str) -> Result<()> {
        let slot = self.spool.add(body)?;
        for number in numbers.unwrap_or_default().split('\n').filter(|number| !number.is_empty()) {
            let ids = self.by_number.entry(number.to_owned()).or_default();
            if !ids.contains(&id) {
                ids.push(id.clone());
            }
        }
        self.by_id.insert(id, slot);
        Ok(())
    }

    /// All ids, in the order in which the push claims them.
    pub(crate) fn ids(&self) -> Vec<String> {
        self.by_id.keys().rev().cloned().collect()
    }

    /// A record's text.
    pub(crate) fn body(&mut self, id: &str) -> Result<Option<String>> {
        self.by_id.get(id).copied().map(|slot| self.spool.get(slot)).transpose()
    }

    /// The records that have or name an order number.
    pub(crate) fn named(&self, number: &str) -> &[String] {
        self.by_number.get(number).map_or(&[], Vec::as_slice)
    }

    /// Whether the record was read.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.by_id.contains_key(id)
    }

    /// The records that have or name one of these order numbers.
    pub(crate) fn numbered(&mut self, numbers: &[String]) -> Result<Vec<String>> {
        let mut ids: Vec<String> =
            numbers.iter().filter_map(|number| self.by_number.get(number)).flatten().cloned().collect();
        ids.sort();
        ids.dedup();
        let mut bodies = Vec::with_capacity(ids.len());
        for id in ids {
            bodies.extend(self.body(&id)?);
        }
        Ok(bodies)
    }
}

/// The tasks of the mapped projects.
#[derive(Debug)]
pub(crate) struct Tasks {
    spool: Spool,
    by_gid: HashMap<String, Slot>,
    by_number: HashMap<String, Vec<String>>,
    by_key: HashMap<String, Vec<String>>,
    /// Requests made.
    pub(crate) requests: u64,
    /// Mapped projects that cannot be listed: the token's user does not see them.
    pub(crate) unseen: Vec<ProjectGid>,
}

impl Tasks {
    /// Lists every mapped project; one that cannot be seen is skipped, since planning holds its orders.
    pub(crate) async fn list(clients: &Clients, progress: &watch::Sender<u64>) -> Result<Tasks> {
        let mut tasks = Tasks {
            spool: Spool::new()?,
            by_gid: HashMap::new(),
            by_number: HashMap::new(),
            by_key: HashMap::new(),
            requests: 0,
            unseen: Vec::new(),
        };
        for project in clients.connection.settings.projects() {
            tasks.list_project(clients, &project, progress).await?;
        }
        Ok(tasks)
    }

    async fn list_project(
        &mut self,
        clients: &Clients,
        project: &ProjectGid,
        progress: &watch::Sender<u64>,
    ) -> Result<()> {
        let (mut restarts, mut busy) = (0, 0);
        let mut walk = Walk::new(&clients.asana, project, None);
        loop {
            self.requests += 1;
            let page = match walk.step().await {
                Ok(page) => page,
                Err(error) if error.is_invalid_offset() && restarts < RESTARTS => {
                    restarts += 1;
                    walk = Walk::new(&clients.asana, project, None);
                    continue;
                }
                // the client holds back as long as Asana asked
                Err(asana::Error::RateLimited { .. }) if busy < RATE_LIMITED => {
                    busy += 1;
                    continue;
                }
                Err(error) if matches!(error.status(), Some(403 | 404)) => {
                    self.unseen.push(project.clone());
                    return Ok(());
                }
                Err(error) => return Err(trouble::asana(error)),
            };
            for task in &page.tasks {
                self.add(&known_task(task, &clients.connection.settings))?;
            }
            progress.send_modify(|count| *count += page.tasks.len() as u64);
            if page.is_last {
                return Ok(());
            }
        }
    }

    /// Adds a task to those that were listed.
    pub(crate) fn add(&mut self, task: &KnownTask) -> Result<()> {
        let text = serde_json::to_string(task).map_err(|e| Error::plain(Code::DryRunBroken).because(e))?;
        let slot = self.spool.add(&text)?;
        if self.by_gid.insert(task.gid.clone(), slot).is_some() {
            return Ok(());
        }
        if let Some(number) = &task.order_number {
            self.by_number.entry(number.clone()).or_default().push(task.gid.clone());
        }
        if let Some(key) = &task.order_key {
            self.by_key.entry(key.clone()).or_default().push(task.gid.clone());
        }
        Ok(())
    }

    /// How many tasks there are.
    pub(crate) fn len(&self) -> usize {
        self.by_gid.len()
    }

    /// Whether the task was listed.
    pub(crate) fn has(&self, gid: &str) -> bool {
        self.by_gid.contains_key(gid)
    }

    /// Keys that more than one task carries, with these tasks.
    pub(crate) fn of_one_key(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.by_key
            .iter()
            .filter(|(_, gids)| gids.len() > 1)
            .map(|(key, gids)| (key.as_str(), gids.as_slice()))
    }

    /// A task as it was listed.
    pub(crate) fn get(&mut self, gid: &str) -> Result<Option<KnownTask>> {
        let Some(slot) = self.by_gid.get(gid).copied() else { return Ok(None) };
        let text = self.spool.get(slot)?;
        serde_json::from_str(&text).map(Some).map_err(|e| Error::plain(Code::DryRunBroken).because(e))
    }

    /// The gids of tasks that carry one of these numbers or keys.
    pub(crate) fn carrying(&self, numbers: &[String], keys: &[String]) -> Vec<String> {
        let by_number = numbers.iter().filter_map(|number| self.by_number.get(number)).flatten();
        let by_key = keys.iter().filter_map(|key| self.by_key.get(key)).flatten();
        let mut gids: Vec<String> = by_number.chain(by_key).cloned().collect();
        gids.sort();
        gids.dedup();
        gids
    }
}
