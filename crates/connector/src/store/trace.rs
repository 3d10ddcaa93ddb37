//! What the time line of an order or a task is made of. Every statement is bounded and reads by an index.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::PgPool;
use uuid::Uuid;

use crate::error::Result;
use crate::hooks::event::EventKey;
use crate::ids::ConnectionId;
use crate::settings::Settings;
use crate::store::{at, choices};
use crate::trace::{Entry, Place, sent};

/// Rows of one kind that are told at most, the newest.
pub const MOST: i64 = 2_000;
/// Orders, invoices and tasks that one number may mean.
pub const MOST_SUBJECTS: i64 = 500;
/// An event comes before or after the completion it tells of by Asana's clock by no more than this, in seconds.
const EVENT_WINDOW: i64 = 300;

/// Everything that one number or one task stands for.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Subjects {
    /// Ids of orders and invoices in Oracle.
    pub records: Vec<String>,
    /// Gids of tasks in Asana.
    pub tasks: Vec<String>,
}

/// The orders that carry the number or stand on the task, the invoices that name them, and their tasks.
pub async fn subjects(db: &PgPool, connection: ConnectionId, what: &str) -> Result<Subjects> {
    // completions have the order's id in another collation, with which the documents' key would be of no use
    let records = sqlx::query_scalar!(
        "with orders as (
             select source_id from named_orders
             where connection_id = $1 and order_number = $2 and feed = 'purchase_orders'
             union select order_id from links where connection_id = $1 and task_gid = $2
             union select order_id collate \"default\" from completions
                   where connection_id = $1 and task_gid = $2 and order_id is not null)
         select source_id as \"id!\" from orders
         union
         select n.source_id from orders o
         join documents d on d.connection_id = $1 and d.feed = 'purchase_orders' and d.source_id = o.source_id
         join named_orders n on n.connection_id = $1 and n.order_number = d.order_number
         union
         select source_id from named_orders where connection_id = $1 and order_number = $2
         order by 1 limit $3",
        connection.0,
        what,
        MOST_SUBJECTS,
    )
    .fetch_all(db)
    .await?;
    let tasks = sqlx::query_scalar!(
        "select task_gid as \"gid!\" from links where connection_id = $1 and order_id = any($2)
         union select task_gid from tasks where connection_id = $1 and order_number = $3
         union select task_gid from completions where connection_id = $1 and order_id = any($2)
         union select task_gid from completions where connection_id = $1 and task_gid = $3
         union select task_gid from tasks where connection_id = $1 and task_gid = $3
         order by 1 limit $4",
        connection.0,
        &records,
        what,
        MOST_SUBJECTS,
    )
    .fetch_all(db)
    .await?;
    Ok(Subjects { records, tasks })
}

/// The newest stored text of each record.
pub async fn documents(db: &PgPool, connection: ConnectionId, records: &[String]) -> Result<Vec<Entry>> {
    let rows = sqlx::query!(
        "select feed, source_id, stored_at, last_update, body from documents
         where connection_id = $1 and source_id = any($2) and feed in ('purchase_orders', 'invoices') limit $3",
        connection.0,
        records,
        MOST,
    )
    .fetch_all(db)
    .await?;
    let told = rows.into_iter().map(|r| {
        let of = r.last_update.map_or_else(String::new, |at| format!(", as of {}", at.to_jiff()));
        let what = format!("{} {}: newest text stored{of}", kind(&r.feed), r.source_id);
        Entry { full: Some(r.body), ..Entry::new(r.stored_at.to_jiff(), Place::Oracle, what) }
    });
    Ok(told.collect())
}

/// The movements of the records: when each was opened, what was sent, and where it stands. Returns their ids too.
pub async fn movements(
    db: &PgPool,
    connection: ConnectionId,
    records: &[String],
    settings: &Settings,
) -> Result<(Vec<Entry>, Vec<Uuid>)> {
    let rows = sqlx::query!(
        "select movement_id, feed, source_id, destination_id, state, outcome, code, reason, request,
                earlier_requests, response, created_at, sent_at, finished_at
         from movements where connection_id = $1 and source_id = any($2)
         order by movement_id desc limit $3",
        connection.0,
        records,
        MOST,
    )
    .fetch_all(db)
    .await?;
    let mut told = Vec::with_capacity(rows.len() * 3);
    let mut ids = Vec::with_capacity(rows.len());
    // one request can carry an order and its invoices
    let mut first: HashMap<_, Uuid> = HashMap::new();
    let sent = rows
        .iter()
        .map(|r| ((r.sent_at.map(jiff_sqlx::Timestamp::to_jiff), r.request.as_deref()), r.movement_id));
    let carriers: Vec<Uuid> = sent.map(|(request, id)| *first.entry(request).or_insert(id)).collect();
    for (r, carrier) in rows.into_iter().zip(carriers) {
        ids.push(r.movement_id);
        let record = format!("{} {}", kind(&r.feed), r.source_id);
        let task = r.destination_id.map_or_else(String::new, |task| format!(", task {task}"));
        let of = |entry: Entry| Entry { id: Some(r.movement_id.to_string()), ..entry };
        let opened = format!("{record}: movement opened");
        told.push(of(Entry::new(r.created_at.to_jiff(), Place::Connector, opened)));
        if let Some(at) = r.sent_at {
            let values = match r.request.as_deref() {
                Some(_) if carrier != r.movement_id => format!(", by the request of movement {carrier}"),
                Some(request) => sent::told(request, settings),
                None => String::new(),
            };
            let what = format!("{record}: sent to Asana{task}{values}");
            let sent: Vec<String> = [r.earlier_requests, r.request].into_iter().flatten().collect();
            let full = Some(sent.join("\n\n")).filter(|sent| !sent.is_empty());
            told.push(Entry { full, ..of(Entry::new(at.to_jiff(), Place::Asana, what)) });
        }
        let done = r.outcome.map_or_else(String::new, |outcome| format!(": {outcome}"));
        let why = r.reason.map_or_else(String::new, |reason| format!(" ({reason})"));
        let what = format!("{record}: {}{done}{task}{why}", r.state.replace('_', " "));
        let at = r.finished_at.or(r.sent_at).map(jiff_sqlx::Timestamp::to_jiff);
        if let Some(at) = at {
            let entry = of(Entry::new(at, Place::Connector, what));
            told.push(Entry { code: r.code, full: r.response, ..entry });
        }
    }
    Ok((told, ids))
}

/// Every exchange about these movements and journals.
pub async fn attempts(db: &PgPool, connection: ConnectionId, about: &[Uuid]) -> Result<Vec<Entry>> {
    let rows = sqlx::query!(
        "select subject_kind, subject_id, at, what, status, outcome, code, elapsed_ms, node_id, request_id
         from attempts where connection_id = $1 and subject_id = any($2) order by attempt_id desc limit $3",
        connection.0,
        about,
        MOST,
    )
    .fetch_all(db)
    .await?;
    let told = rows.into_iter().map(|r| {
        let place = if r.subject_kind == "journal" { Place::Oracle } else { Place::Asana };
        let status = r.status.map_or_else(|| r.outcome.replace('_', " "), |status| format!("HTTP {status}"));
        let found = r.request_id.map_or_else(String::new, |id| format!(", request {id}"));
        let what = format!("asked: {}, {status} after {} ms{found}", r.what, r.elapsed_ms);
        Entry {
            code: r.code,
            node: Some(r.node_id),
            id: Some(r.subject_id.to_string()),
            ..Entry::new(r.at.to_jiff(), place, what)
        }
    });
    Ok(told.collect())
}

/// What became of these tasks' completions. Returns each with its moment, for their events.
pub async fn completions(
    db: &PgPool,
    connection: ConnectionId,
    tasks: &[String],
) -> Result<(Vec<Entry>, Vec<(String, Timestamp)>)> {
    let rows = sqlx::query!(
        "select task_gid, ordinal, completed_at, completed_by, state, code, reason, found_by, found_at, looked_at,
                reopened_at
         from completions where connection_id = $1 and task_gid = any($2)
         order by task_gid, ordinal desc limit $3",
        connection.0,
        tasks,
        MOST,
    )
    .fetch_all(db)
    .await?;
    let (mut told, mut moments) = (Vec::new(), Vec::new());
    for r in rows {
        let task = &r.task_gid;
        let by = r.completed_by.map_or_else(String::new, |by| format!(" by {by}"));
        let completed = r.completed_at.to_jiff();
        told.push(Entry::new(completed, Place::Asana, format!("task {task}: completed{by}")));
        let found = format!("task {task}: completion {} seen by {}", r.ordinal, r.found_by);
        told.push(Entry::new(r.found_at.to_jiff(), Place::Connector, found));
        if let Some(at) = r.looked_at {
            let why = r.reason.map_or_else(String::new, |reason| format!(" ({reason})"));
            let what = format!("task {task}: completion {} is {}{why}", r.ordinal, r.state);
            told.push(Entry { code: r.code, ..Entry::new(at.to_jiff(), Place::Connector, what) });
        }
        if let Some(at) = r.reopened_at {
            told.push(Entry::new(at.to_jiff(), Place::Asana, format!("task {task}: opened again")));
        }
        moments.push((r.task_gid, completed));
    }
    Ok((told, moments))
}

/// The events that told of these completions, with their deliveries. Keys of events begin with their second, so they
/// are found around each completion's moment without an index of their own.
pub async fn events(
    db: &PgPool,
    connection: ConnectionId,
    moments: &[(String, Timestamp)],
) -> Result<Vec<Entry>> {
    let tasks: Vec<&str> = moments.iter().map(|(task, _)| task.as_str()).collect();
    let from: Vec<Uuid> =
        moments.iter().map(|(_, at)| EventKey::first_of(at.as_second() - EVENT_WINDOW).0).collect();
    let to: Vec<Uuid> =
        moments.iter().map(|(_, at)| EventKey::first_of(at.as_second() + EVENT_WINDOW).0).collect();
    let rows = sqlx::query!(
        "select distinct e.event_key, e.resource_gid, e.action, e.field, e.happened_at, e.state, e.delivery_id,
                d.received_at as \"received_at?\", d.webhook_id as \"webhook_id?\"
         from unnest($2::text[], $3::uuid[], $4::uuid[]) as m(task, from_key, to_key)
         join events e on e.connection_id = $1 and e.event_key between m.from_key and m.to_key
                      and e.resource_gid = m.task
         left join deliveries d on d.connection_id = $1 and d.delivery_id = e.delivery_id
         limit $5",
        connection.0,
        &tasks as _,
        &from,
        &to,
        MOST,
    )
    .fetch_all(db)
    .await?;
    let told = rows.into_iter().filter_map(|r| {
        let (at, way) = match (r.received_at, r.webhook_id) {
            (Some(at), Some(webhook)) => (at.to_jiff(), format!("delivered by webhook {webhook}")),
            _ => (r.happened_at?.to_jiff(), "found by the sweep".to_owned()),
        };
        let field = r.field.map_or_else(String::new, |field| format!(" {field}"));
        let what = format!("task {}: event {}{field}, {way}, {}", r.resource_gid, r.action, r.state);
        Some(Entry { id: r.delivery_id.map(|id| id.to_string()), ..Entry::new(at, Place::Asana, what) })
    });
    Ok(told.collect())
}

/// Every step of these tasks' journals. Returns the journals' ids too.
pub async fn journals(
    db: &PgPool,
    connection: ConnectionId,
    tasks: &[String],
) -> Result<(Vec<Entry>, Vec<Uuid>)> {
    let rows = sqlx::query!(
        "select j.journal_id, j.kind, j.task_gid, j.amount, j.currency, j.group_id, j.code, j.created_at, j.batch_id,
                s.at, s.last_at, s.repeats, s.node_id, s.state, s.what, s.request, s.response
         from journals j join journal_steps s on s.connection_id = $1 and s.journal_id = j.journal_id
         where j.connection_id = $1 and j.task_gid = any($2)
         order by s.step_id desc limit $3",
        connection.0,
        tasks,
        MOST,
    )
    .fetch_all(db)
    .await?;
    let (mut told, mut ids) = (Vec::with_capacity(rows.len()), Vec::new());
    for r in rows {
        if !ids.contains(&r.journal_id) {
            ids.push(r.journal_id);
            let batch = r.batch_id.map_or_else(String::new, |batch| format!(", batch {batch}"));
            let what = format!(
                "task {}: {} of {} {} planned, group {}{batch}",
                r.task_gid, r.kind, r.amount, r.currency, r.group_id
            );
            let entry = Entry::new(r.created_at.to_jiff(), Place::Connector, what);
            told.push(Entry { id: Some(r.journal_id.to_string()), code: r.code, ..entry });
        }
        let times = match r.repeats {
            0 => String::new(),
            more => format!(", {} times until {}", more + 1, r.last_at.to_jiff()),
        };
        let full: Vec<String> = [r.request, r.response].into_iter().flatten().collect();
        let what = format!("journal {}: {}{times}", r.state.replace('_', " "), r.what);
        told.push(Entry {
            id: Some(r.journal_id.to_string()),
            node: Some(r.node_id),
            full: (!full.is_empty()).then(|| full.join("\n")),
            ..Entry::new(r.at.to_jiff(), Place::Oracle, what)
        });
    }
    Ok((told, ids))
}

/// Alerts about these journals.
pub async fn alerts(db: &PgPool, connection: ConnectionId, journals: &[Uuid]) -> Result<Vec<Entry>> {
    let subjects: Vec<String> = journals.iter().map(Uuid::to_string).collect();
    let rows = sqlx::query!(
        "select alert_id, kind, title, code, opened_at, closed_at, acked_at, acked_by, note from alerts
         where connection_id = $1 and subject = any($2) order by opened_at desc limit $3",
        connection.0,
        &subjects,
        MOST,
    )
    .fetch_all(db)
    .await?;
    let mut told = Vec::new();
    for r in rows {
        let id = Some(r.alert_id.to_string());
        let entry =
            |at: Timestamp, what: String| Entry { id: id.clone(), ..Entry::new(at, Place::Connector, what) };
        let opened = entry(r.opened_at.to_jiff(), format!("alert {}: {}", r.kind, r.title));
        told.push(Entry { code: r.code, ..opened });
        if let Some(at) = r.acked_at {
            let (by, note) = (r.acked_by.unwrap_or_default(), r.note.unwrap_or_default());
            told.push(entry(at.to_jiff(), format!("alert {}: {by} took note of it. {note}", r.kind)));
        }
        told.extend(r.closed_at.map(|at| entry(at.to_jiff(), format!("alert {}: closed", r.kind))));
    }
    Ok(told)
}

/// What people did to these movements and journals.
pub async fn actions(db: &PgPool, connection: ConnectionId, about: &[Uuid]) -> Result<Vec<Entry>> {
    let rows = sqlx::query!(
        "select subject_kind, subject_id, at, done_by, what, note, before, after from actions
         where connection_id = $1 and subject_id = any($2) order by action_id desc limit $3",
        connection.0,
        about,
        MOST,
    )
    .fetch_all(db)
    .await?;
    let told = rows.into_iter().map(|r| {
        let note = r.note.map_or_else(String::new, |note| format!(": {note}"));
        let decided = r.after.as_deref().filter(|_| r.what == "resolved");
        let decided = decided.map_or_else(String::new, |decided| format!(" ({decided})"));
        let texts = [("before", r.before), ("after", r.after)];
        let full: Vec<String> =
            texts.into_iter().filter_map(|(name, text)| Some(format!("{name}: {}", text?))).collect();
        Entry {
            id: Some(r.subject_id.to_string()),
            full: (!full.is_empty()).then(|| full.join("\n")),
            ..Entry::new(
                r.at.to_jiff(),
                Place::Connector,
                format!("{} {} by {}{note}{decided}", r.subject_kind, r.what, r.done_by),
            )
        }
    });
    Ok(told.collect())
}

/// The versions of the settings that were made between these moments, both included.
pub async fn settings(
    db: &PgPool,
    connection: ConnectionId,
    first: Timestamp,
    last: Timestamp,
) -> Result<Vec<Entry>> {
    let rows = sqlx::query!(
        "select version, at, done_by, rollback_to from settings_versions
         where connection_id = $1 and at between $2 and $3 order by version desc limit $4",
        connection.0,
        at(first) as jiff_sqlx::Timestamp,
        at(last) as jiff_sqlx::Timestamp,
        MOST,
    )
    .fetch_all(db)
    .await?;
    let told = rows.into_iter().map(|r| {
        let by = r.done_by.map_or_else(String::new, |by| format!(" by {by}"));
        let back = r.rollback_to.map_or_else(String::new, |to| format!(", back to version {to}"));
        let what = format!("settings: version {}{by}{back}", r.version);
        Entry::new(r.at.to_jiff(), Place::Connector, what)
    });
    Ok(told.collect())
}

fn kind(feed: &str) -> &'static str {
    match feed {
        "invoices" => "invoice",
        choices::FEED => "mark of task",
        _ => "order",
    }
}
