//! The job that turns the inbox into completions, and completions into journals.

use std::collections::{BTreeMap, HashMap, HashSet};

use asana::Task;
use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};

use crate::code::Code;
use crate::completion::see::{Seen, see};
use crate::engine::{Clients, Engine, ProjectFields};
use crate::error::{Error, Result};
use crate::hooks::event::EventKey;
use crate::posting::build;
use crate::store::completions::{self, Completion, Facts, Verdict};
use crate::store::inbox::{self, OpenEvent, Outcome};
use crate::store::jobs::{self, Job, Lease};
use crate::store::{self, journals, links};
use crate::trouble;

/// Events taken from the inbox at once.
const EVENTS: i64 = 500;
/// Tasks read at once; the rate budget allows 50 reads, and the push needs some too.
const READS_AT_ONCE: usize = 10;
/// After so many tasks that could not be read, the trouble is not theirs.
const FAILURES: u32 = 10;

/// Actions by which a task can come into a project, complete already; that does not change its date, so no
/// sweep would see it.
const COMES: [&str; 2] = ["added", "undeleted"];
/// Clocks may differ by a minute, and an answer may take one.
const MAKING: SignedDuration = SignedDuration::from_mins(2);

/// What the job did.
#[derive(Debug, Clone, Copy, Default, serde::Serialize)]
pub struct CompletionsReport {
    /// Events looked at.
    pub events: u64,
    /// Completions that were not known.
    pub completions: u64,
    /// Tasks seen to be open again.
    pub reopened: u64,
    /// Journals opened.
    pub journals: u64,
    /// Completions that are held.
    pub held: u64,
    /// Completions that bring no journal.
    pub skipped: u64,
}

/// Looks at what the inbox holds, then decides about every completion that is due. What fails for one task does not
/// stop the others.
pub async fn run(engine: &Engine, clients: &Clients, lease: &Lease) -> Result<CompletionsReport> {
    let mut report = CompletionsReport::default();
    let mut failed = None;
    while failed.is_none() {
        let events = inbox::open_events(&engine.db, lease.connection, EVENTS).await?;
        if events.is_empty() {
            break;
        }
        let (of_tasks, of_projects): (Vec<_>, Vec<_>) =
            events.into_iter().partition(|event| event.resource_type == "task");
        if !of_projects.is_empty() {
            hand_on(engine, lease, &of_projects).await?;
        }
        let of_tasks = worth_a_read(engine, lease, of_tasks, &mut report).await?;
        failed = look(engine, clients, lease, of_tasks, &mut report).await.unwrap_or_else(Some);
        // each batch goes on its way before the next is read: a flood must not hold up the first journal
        failed = failed.or(decide(engine, clients, lease, &mut report).await.err());
    }
    match failed {
        Some(error) => Err(error),
        None => decide(engine, clients, lease, &mut report).await.map(|()| report),
    }
}

/// Decides about what is due, and has the journals driven; also those of a run before this one that broke off.
async fn decide(
    engine: &Engine,
    clients: &Clients,
    lease: &Lease,
    report: &mut CompletionsReport,
) -> Result<()> {
    let decided = build::decide_due(engine, clients, lease, report).await;
    if journals::are_due(&engine.db, lease.connection).await? {
        clients.journals_due.notify_one();
        jobs::ask_for(&engine.db, lease.connection, &[Job::Journals]).await?;
        engine.wake();
    }
    decided
}

/// A project came or went: the watchdog compares what is watched with what there is.
async fn hand_on(engine: &Engine, lease: &Lease, events: &[OpenEvent]) -> Result<()> {
    let keys: Vec<EventKey> = events.iter().map(|event| event.key).collect();
    jobs::ask_for(&engine.db, lease.connection, &[Job::Webhooks]).await?;
    let mut tx = store::begin(&engine.db).await?;
    jobs::hold(&mut tx, lease).await?;
    inbox::close_events(&mut tx, lease.connection, &keys, Outcome::Done).await?;
    tx.commit().await?;
    engine.wake();
    Ok(())
}

/// The events that can mean something new; the others are closed. Most of what Asana tells is what this
/// program has written itself, and each read costs a request.
async fn worth_a_read(
    engine: &Engine,
    lease: &Lease,
    events: Vec<OpenEvent>,
    report: &mut CompletionsReport,
) -> Result<Vec<OpenEvent>> {
    let tasks: Vec<String> = events.iter().map(|event| event.resource_gid.clone()).collect();
    let mut tx = store::begin(&engine.db).await?;
    jobs::hold(&mut tx, lease).await?;
    let completions = completions::of_tasks(&mut tx, lease.connection, &tasks).await?;
    let completed: HashSet<&str> = completions.iter().map(|known| known.task_gid.as_str()).collect();
    let made: HashMap<String, Timestamp> =
        links::made(&mut tx, lease.connection, &tasks).await?.into_iter().collect();
    let (worth, idle): (Vec<_>, Vec<_>) = events.into_iter().partition(|event| {
        let task = event.resource_gid.as_str();
        event.delivery.is_none()
            || event.field.as_deref().is_some_and(|field| field.starts_with("completed"))
            || completed.contains(task)
            || (COMES.contains(&event.action.as_str()) && !just_made(event, made.get(task)))
    });
    let keys: Vec<EventKey> = idle.iter().map(|event| event.key).collect();
    inbox::close_events(&mut tx, lease.connection, &keys, Outcome::Ignored).await?;
    tx.commit().await?;
    report.events += keys.len() as u64;
    Ok(worth)
}

/// Whether an event tells of nothing but that this program has made the task.
fn just_made(event: &OpenEvent, made: Option<&Timestamp>) -> bool {
    match (event.happened_at, made) {
        (Some(happened), Some(made)) => made.duration_since(happened).abs() < MAKING,
        _ => false,
    }
}

/// What reading a task brought.
enum Read {
    Task(Box<Task>),
    /// It is gone, or hidden from the token, or Asana will not show it however often it is asked.
    Gone(String),
}

/// Reads the tasks that events are about and stores what is seen. Answers with what could not be read: its events
/// stay open and are read again.
async fn look(
    engine: &Engine,
    clients: &Clients,
    lease: &Lease,
    events: Vec<OpenEvent>,
    report: &mut CompletionsReport,
) -> Result<Option<Error>> {
    if events.is_empty() {
        return Ok(None);
    }
    let mut by_task: BTreeMap<String, Vec<OpenEvent>> = BTreeMap::new();
    for event in events {
        by_task.entry(event.resource_gid.clone()).or_default().push(event);
    }
    let fields = clients.fields().await?;
    let tasks: Vec<String> = by_task.keys().cloned().collect();
    let mut reads = stream::iter(tasks)
        .map(|gid| read(clients, gid))
        .buffer_unordered(READS_AT_ONCE)
        .ready_chunks(READS_AT_ONCE);
    let (mut failed, mut failures) = (None, 0);
    while let Some(chunk) = reads.next().await {
        let mut done = Vec::new();
        for (gid, read) in chunk {
            match read {
                Ok(read) => done.push((gid, read)),
                Err(error) => {
                    failures += 1;
                    failed = failed.or(Some(error));
                }
            }
        }
        record(engine, clients, lease, &fields, &by_task, &done, report).await?;
        if failures >= FAILURES {
            break;
        }
    }
    Ok(failed)
}

async fn read(clients: &Clients, gid: String) -> (String, Result<Read>) {
    let read = match clients.asana.task(&gid).await {
        Ok(task) => Ok(Read::Task(Box::new(task))),
        Err(error) if is_of_the_task(&error) => Ok(Read::Gone(error.to_string())),
        Err(error) => Err(trouble::asana(error)),
    };
    (gid, read)
}

/// Whether an error tells of this one task, for good; others are those of the token or of the moment.
fn is_of_the_task(error: &asana::Error) -> bool {
    use asana::Error as E;
    matches!(
        error,
        E::BadRequest { .. }
            | E::Forbidden(_)
            | E::NotFound(_)
            | E::Legal(_)
            | E::Refused(_)
            | E::InvalidArgument(_)
    )
}

async fn record(
    engine: &Engine,
    clients: &Clients,
    lease: &Lease,
    fields: &ProjectFields,
    by_task: &BTreeMap<String, Vec<OpenEvent>>,
    done: &[(String, Read)],
    report: &mut CompletionsReport,
) -> Result<()> {
    let connection = lease.connection;
    let gids: Vec<String> = done.iter().map(|(gid, _)| gid.clone()).collect();
    let mut tx = store::begin(&engine.db).await?;
    jobs::hold(&mut tx, lease).await?;
    let mut known: BTreeMap<String, Vec<Completion>> = BTreeMap::new();
    for completion in completions::of_tasks(&mut tx, connection, &gids).await? {
        known.entry(completion.task_gid.clone()).or_default().push(completion);
    }
    let mut keys = Vec::new();
    for (gid, read) in done {
        let events = by_task.get(gid).map(Vec::as_slice).unwrap_or_default();
        keys.extend(events.iter().map(|event| event.key));
        let of_task = known.get(gid).map(Vec::as_slice).unwrap_or_default();
        let found_by = if events.iter().any(|event| event.delivery.is_some()) { "webhook" } else { "sweep" };
        match read {
            Read::Task(task) => {
                let seen = see(task, of_task, &clients.connection.settings, fields);
                store(&mut tx, lease, gid, seen, found_by, report).await?;
            }
            Read::Gone(why) => gone(&mut tx, lease, gid, events, of_task, found_by, why, report).await?,
        }
    }
    inbox::close_events(&mut tx, connection, &keys, Outcome::Done).await?;
    tx.commit().await?;
    report.events += keys.len() as u64;
    Ok(())
}

async fn store(
    db: &mut sqlx::PgConnection,
    lease: &Lease,
    task: &str,
    seen: Seen,
    found_by: &str,
    report: &mut CompletionsReport,
) -> Result<()> {
    let connection = lease.connection;
    match seen {
        Seen::Nothing => {}
        Seen::Completed(facts, before) => {
            if let Some(before) = before {
                // its journal is withdrawn or reversed, or stays, as if it had been seen open
                report.reopened += 1;
                completions::reopen(db, connection, task, before, facts.completed_at).await?;
            }
            report.completions += u64::from(completions::add(db, connection, &facts, found_by).await?);
        }
        Seen::Changed(ordinal, facts) => completions::refresh(db, connection, ordinal, &facts).await?,
        Seen::Renumbered(ordinal, words) => {
            let code = Some(Code::JournalRenumbered);
            completions::remark(db, connection, task, ordinal, code, &words).await?;
        }
        Seen::Reopened(ordinal, when) => {
            report.reopened += 1;
            completions::reopen(db, connection, task, ordinal, when).await?;
        }
    }
    Ok(())
}

/// A task that is gone before its completion could be read leaves a visible trace of the completion that its
/// event told of.
#[expect(clippy::too_many_arguments, reason = "all of it is the one situation that is recorded")]
async fn gone(
    db: &mut sqlx::PgConnection,
    lease: &Lease,
    task: &str,
    events: &[OpenEvent],
    known: &[Completion],
    found_by: &str,
    why: &str,
    report: &mut CompletionsReport,
) -> Result<()> {
    // a sweep only finds what its listing showed to be completed, or open again
    let told = events.iter().filter(|event| {
        event.delivery.is_none() || event.field.as_deref().is_some_and(|field| field.starts_with("completed"))
    });
    let Some(when) = told.filter_map(|event| event.happened_at).max() else { return Ok(()) };
    if known.iter().any(|known| known.completed_at >= when) {
        return Ok(());
    }
    let facts = Facts {
        task_gid: task.to_owned(),
        completed_at: when,
        completed_by: None,
        task_name: String::new(),
        order_number: None,
        own_cost: None,
        own_currency: None,
        approval_status: None,
        elsewhere: false,
    };
    if completions::add(db, lease.connection, &facts, found_by).await? {
        report.completions += 1;
        report.skipped += 1;
        let verdict = Verdict {
            task: task.into(),
            ordinal: known.last().map_or(0, |last| last.ordinal) + 1,
            state: "skipped",
            code: Some(Code::TaskGone.info().code),
            reason: Some(format!(
                "the task was completed or opened again, and then could not be read: {why}"
            )),
            order_id: None,
            line_id: None,
            again_in: None,
        };
        completions::decide(db, lease.connection, &verdict).await?;
    }
    Ok(())
}
