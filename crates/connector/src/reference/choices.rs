//! What people chose on tasks: each changed value of the supplier and GL-account fields that is not what this program
//! writes there itself is judged by what is stored of Oracle, and the task is marked while one may not be used.
//!
//! What is found stands in rows, from which the alert and the mark are made. A mark is written by a movement of its own.

mod own;

use std::collections::{BTreeMap, HashMap, HashSet};

use asana::FieldValue;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use sqlx::PgConnection;

use crate::engine::{Clients, Engine, ProjectFields};
use crate::error::Result;
use crate::ids::{ConnectionId, FieldGid};
use crate::mapping::desired::TEXT_CHARACTERS;
use crate::push::known::known_task;
use crate::reference::Kind;
use crate::reference::check::{Choice, Entry, Validity, judge, mark};
use crate::reference::findings::{Shown, option_names, shown};
use crate::settings::Settings;
use crate::store::choices::{self, Standing};
use crate::store::jobs::{self, Lease};
use crate::store::tasks::KnownTask;
use crate::store::{self, links, reference, tasks};
use crate::template::cut;
use crate::trouble;

/// Tasks looked at at once.
const PAGE: i64 = 1_000;
/// Tasks on which something may not be used that are read again when all are looked at: one that was deleted or taken
/// out of the mapped projects is in no listing.
const READ_AGAIN: i64 = 100;
/// What ends a text that was cut.
const CUT: char = '…';

/// What a look at tasks found, to be stored with the listing that it belongs to.
#[derive(Debug, Default)]
pub struct Looked {
    /// Tasks of which something else is known than before.
    changed: Vec<String>,
    /// What may not be used on them.
    found: Vec<Choice>,
    /// Tasks whose mark does not say what is known.
    marks: Vec<String>,
}

impl Looked {
    /// Stores it, and opens a movement for each mark that has to change; the push's lease must be held.
    pub async fn store(&self, db: &mut PgConnection, connection: ConnectionId) -> Result<()> {
        if !self.changed.is_empty() {
            choices::replace(db, connection, &self.changed, &self.found).await?;
        }
        if !self.marks.is_empty() {
            choices::open_marks(db, connection, &self.marks).await?;
        }
        Ok(())
    }
}

/// The fields that are judged; `None` when `[reference]` is not set.
fn watched(settings: &Settings) -> Option<Vec<(Kind, &FieldGid)>> {
    settings.reference.as_ref()?;
    let field = |kind: Kind| settings.fields.get(&kind.purpose()).map(|gid| (kind, gid));
    Some(Kind::ALL.into_iter().filter_map(field).collect())
}

/// Looks at tasks that were just listed and are not stored yet: at those on which a judged value or the mark is another
/// than was known, and at those on which something was wrong.
///
/// # Errors
/// Failures of the database and of reading the fields.
pub async fn listed(engine: &Engine, clients: &Clients, listed: &[KnownTask]) -> Result<Looked> {
    let settings = &clients.connection.settings;
    let Some(watched) = watched(settings) else { return Ok(Looked::default()) };
    let gids: Vec<String> = listed.iter().map(|task| task.gid.clone()).collect();
    let mut db = engine.db.acquire().await?;
    let before = tasks::find(&mut db, clients.connection.id, &gids, &[], &[]).await?;
    let noted = choices::of_tasks(&mut *db, clients.connection.id, &gids).await?;
    drop(db);
    let before: HashMap<&str, &KnownTask> = before.iter().map(|task| (task.gid.as_str(), task)).collect();
    let wrong: HashSet<&str> = noted.iter().map(|choice| choice.task.as_str()).collect();
    let mark = settings.reference.as_ref().and_then(|reference| reference.mark.as_ref());
    let is_other = |task: &&KnownTask| {
        let stored = before.get(task.gid.as_str()).map(|before| &before.values);
        let mut fields = watched.iter().map(|(_, gid)| *gid).chain(mark);
        fields.any(|gid| task.values.get(&gid.0) != stored.and_then(|values| values.get(&gid.0)))
    };
    let looked_at = listed.iter().filter(|task| wrong.contains(task.gid.as_str()) || is_other(task));
    let standing = looked_at.map(|task| Standing {
        task: task.gid.clone(),
        projects: task.projects.clone(),
        values: task.values.clone(),
    });
    look(engine, clients, &watched, standing.collect(), noted).await
}

/// Looks at all tasks, when that is due: what may be used changes by readings and by dates.
///
/// # Errors
/// As [`listed`], and failures of reading tasks.
pub async fn all(engine: &Engine, clients: &Clients, lease: &Lease) -> Result<()> {
    let (connection, settings) = (lease.connection, &clients.connection.settings);
    let Some(watched) = watched(settings) else { return Ok(()) };
    let version = clients.connection.settings_version;
    let Some(began) = choices::look_is_due(&engine.db, connection, version).await? else { return Ok(()) };
    read_again(engine, clients, lease).await?;
    let (projects, mut after) = (settings.projects(), String::new());
    loop {
        let page = choices::page(&engine.db, connection, &projects, &after, PAGE).await?;
        let Some(last) = page.last() else { break };
        last.task.clone_into(&mut after);
        let gids: Vec<String> = page.iter().map(|standing| standing.task.clone()).collect();
        let noted = choices::of_tasks(&engine.db, connection, &gids).await?;
        let looked = look(engine, clients, &watched, page, noted).await?;
        let mut tx = store::begin(&engine.db).await?;
        jobs::hold(&mut tx, lease).await?;
        looked.store(&mut tx, connection).await?;
        tx.commit().await?;
    }
    let mut tx = store::begin(&engine.db).await?;
    jobs::hold(&mut tx, lease).await?;
    choices::set_looked(&mut tx, connection, version, began).await?;
    tx.commit().await?;
    Ok(())
}

/// Reads the tasks again on which something was wrong, so that none that is gone keeps an alert open.
async fn read_again(engine: &Engine, clients: &Clients, lease: &Lease) -> Result<()> {
    let settings = &clients.connection.settings;
    let projects = settings.projects();
    for gid in choices::tasks(&engine.db, lease.connection, READ_AGAIN).await? {
        let known = match clients.asana.task(&gid).await {
            Ok(task) => Some(known_task(&task, settings)),
            Err(error) if error.status() == Some(404) => None,
            // it may be seen again
            Err(error) if error.status() == Some(403) => continue,
            Err(error) => return Err(trouble::asana(error)),
        };
        let is_here = |task: &KnownTask| {
            projects.iter().any(|project| task.projects.iter().any(|its| its == project.as_str()))
        };
        if known.as_ref().is_some_and(is_here) {
            // the listing has it
            continue;
        }
        let mut tx = store::begin(&engine.db).await?;
        jobs::hold(&mut tx, lease).await?;
        match known {
            Some(elsewhere) => {
                tasks::store(&mut tx, lease.connection, &[elsewhere]).await?;
                choices::replace(&mut tx, lease.connection, &[gid], &[]).await?;
            }
            None => links::mark_gone(&mut tx, lease.connection, &[gid]).await?,
        }
        tx.commit().await?;
    }
    Ok(())
}

/// A value on a task that is to be judged.
struct Seen<'t> {
    task: &'t Standing,
    kind: Kind,
    shown: Shown,
}

async fn look(
    engine: &Engine,
    clients: &Clients,
    watched: &[(Kind, &FieldGid)],
    tasks: Vec<Standing>,
    noted: Vec<Choice>,
) -> Result<Looked> {
    if tasks.is_empty() {
        return Ok(Looked::default());
    }
    let seen = seen(engine, clients, watched, &tasks).await?;
    let mut found = judged(engine, clients.connection.id, seen).await?;
    if !found.is_empty() {
        let wrong: Vec<String> = found.iter().map(|(seen, _)| seen.task.task.clone()).collect();
        let mut db = engine.db.acquire().await?;
        let own = own::values(&mut db, clients.connection.id, &clients.connection.settings, &wrong).await?;
        drop(db);
        found.retain(|(seen, _)| {
            !own.get(&(seen.task.task.clone(), seen.kind)).is_some_and(|own| own.writes(&seen.shown))
        });
    }
    let mut by_task: BTreeMap<&str, Vec<Choice>> = BTreeMap::new();
    for (seen, validity) in found {
        let (task, value) = (seen.task.task.clone(), seen.shown.text);
        let choice = Choice { task, kind: seen.kind, value, validity };
        by_task.entry(seen.task.task.as_str()).or_default().push(choice);
    }
    let mut before: HashMap<String, Vec<Choice>> = HashMap::new();
    for choice in noted {
        before.entry(choice.task.clone()).or_default().push(choice);
    }
    let mut looked = Looked::default();
    let mut unmarked = Vec::new();
    let field = clients.connection.settings.reference.as_ref().and_then(|reference| reference.mark.as_ref());
    for task in &tasks {
        let now = by_task.remove(task.task.as_str()).unwrap_or_default();
        if field.is_some_and(|field| task.values.get(&field.0) != wanted(&now).as_ref()) {
            unmarked.push(task);
        }
        if now != before.remove(&task.task).unwrap_or_default() {
            looked.changed.push(task.task.clone());
            looked.found.extend(now);
        }
    }
    if let Some(field) = field.filter(|_| !unmarked.is_empty()) {
        let fields = clients.fields().await?;
        unmarked.retain(|task| can_be_marked(&fields, task, field));
    }
    looked.marks = unmarked.into_iter().map(|task| task.task.clone()).collect();
    Ok(looked)
}

/// What the mark's field is to show.
pub(crate) fn wanted<'c>(choices: impl IntoIterator<Item = &'c Choice>) -> Option<FieldValue> {
    mark(choices).map(|words| FieldValue::Text(cut(&words, TEXT_CHARACTERS).0))
}

/// Whether the mark's field is on one of the task's projects.
fn can_be_marked(fields: &ProjectFields, task: &Standing, field: &FieldGid) -> bool {
    let sets = task.projects.iter().filter_map(|project| fields.get(&project.as_str().into()));
    sets.filter_map(|set| set.as_ref().ok()).any(|set| set.contains_key(field))
}

/// What stands in the judged fields. A kind that was never read to its end is left out: nothing can be said of it.
async fn seen<'t>(
    engine: &Engine,
    clients: &Clients,
    watched: &[(Kind, &FieldGid)],
    tasks: &'t [Standing],
) -> Result<Vec<Seen<'t>>> {
    let connection = clients.connection.id;
    let read = choices::kinds_read(&engine.db, connection).await?;
    let standing = tasks.iter().flat_map(|task| {
        let of_kind = watched.iter().filter(|(kind, _)| read.contains(kind));
        of_kind.filter_map(move |(kind, gid)| Some((task, *kind, *gid, task.values.get(&gid.0)?)))
    });
    let standing: Vec<_> = standing.collect();
    let has_options = standing.iter().any(|(.., value)| option(value).is_some());
    let (bindings, options) = if has_options {
        (reference::bindings(&engine.db, connection).await?, option_names(clients).await?)
    } else {
        (BTreeMap::new(), BTreeMap::new())
    };
    let mut all = Vec::new();
    for (task, kind, gid, value) in standing {
        for shown in shown(kind.purpose(), &gid.0, value, &bindings, &options) {
            // an option that cannot be chosen any more, of which nothing but its gid is known
            let nameless =
                shown.source.is_none() && option(value).is_some_and(|gid| !options.contains_key(gid));
            // the end of a list that did not fit
            if !nameless && !shown.text.ends_with(CUT) {
                all.push(Seen { task, kind, shown });
            }
        }
    }
    Ok(all)
}

fn option(value: &FieldValue) -> Option<&str> {
    match value {
        FieldValue::Enum(gid) => Some(gid),
        _ => None,
    }
}

/// Of what is seen that which may not be used today, with one or two statements for each kind.
async fn judged<'t>(
    engine: &Engine,
    connection: ConnectionId,
    seen: Vec<Seen<'t>>,
) -> Result<Vec<(Seen<'t>, Validity)>> {
    let day = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let mut known = Known { by_id: HashMap::new(), by_name: HashMap::new() };
    let of = |kind: Kind, by: fn(&Shown) -> Option<String>| -> Vec<String> {
        let all = seen.iter().filter(|seen| seen.kind == kind).filter_map(|seen| by(&seen.shown));
        all.collect::<HashSet<_>>().into_iter().collect()
    };
    let sources = |kind| of(kind, |shown| shown.source.clone());
    let (suppliers, accounts) = (sources(Kind::Suppliers), sources(Kind::Accounts));
    if !suppliers.is_empty() || !accounts.is_empty() {
        let found = choices::by_id(&engine.db, connection, &suppliers, &accounts).await?;
        known.by_id = found.into_iter().map(|(kind, entry)| ((kind, entry.id.clone()), entry)).collect();
    }
    for kind in Kind::ALL {
        let names = of(kind, |shown| Some(shown.text.clone()));
        if names.is_empty() {
            continue;
        }
        for (given, entry) in choices::named(&engine.db, connection, kind, &names).await? {
            known.by_name.entry((kind, given)).or_default().push(entry);
        }
    }
    let judged = seen.into_iter().map(|seen| {
        let validity = known.judge(seen.kind, &seen.shown, day);
        (seen, validity)
    });
    Ok(judged.filter(|(_, validity)| *validity != Validity::Valid).collect())
}

/// The stored entries that values may mean.
struct Known {
    by_id: HashMap<(Kind, String), Entry>,
    by_name: HashMap<(Kind, String), Vec<Entry>>,
}

impl Known {
    /// By the option's own entry, else by all of the name: one that may be used is enough.
    fn judge(&self, kind: Kind, shown: &Shown, day: Date) -> Validity {
        let source = shown.source.as_ref().and_then(|source| self.by_id.get(&(kind, source.clone())));
        match source {
            Some(entry) => entry.validity(day),
            None => judge(self.by_name.get(&(kind, shown.text.clone())).into_iter().flatten(), day),
        }
    }
}
