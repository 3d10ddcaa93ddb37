//! Reads the body of a task write and checks it whole before anything is changed.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Map, Value as Body};

use super::Ctx;
use super::input::{flag, text};
use super::values::{self, Target, Values};
use crate::asana::config::Strictness;
use crate::asana::error::Fail;
use crate::asana::text::from_html;
use crate::asana::time;
use crate::asana::world::{Approval, External, Gid, Subtype, Task};

/// Limits of external data, in characters.
const MAX_EXTERNAL_GID: usize = 1024;
const MAX_EXTERNAL_DATA: usize = 32_768;

/// Members that no write may hold.
const NEVER: &[&str] = &[
    "gid",
    "resource_type",
    "completed_at",
    "completed_by",
    "created_at",
    "created_by",
    "modified_at",
    "permalink_url",
    "num_subtasks",
    "num_likes",
    "num_hearts",
    "hearted",
    "hearts",
    "likes",
    "dependencies",
    "dependents",
    "is_rendered_as_separator",
    "actual_time_minutes",
    "assigned_by",
];
/// Members that only a create may hold.
const CREATE_ONLY: &[&str] = &["projects", "tags", "memberships", "workspace", "parent", "followers"];
/// Members that any write may hold.
const WRITABLE: &[&str] = &[
    "name",
    "notes",
    "html_notes",
    "completed",
    "approval_status",
    "resource_subtype",
    "due_on",
    "due_at",
    "start_on",
    "start_at",
    "assignee",
    "assignee_section",
    "assignee_status",
    "liked",
    "external",
    "custom_fields",
    "custom_type",
    "custom_type_status_option",
];

/// Whether a body creates a task or changes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Write {
    Create,
    Update,
}

/// A checked change; every member that is `None` stays as it is.
#[derive(Debug, Default)]
pub(crate) struct Change {
    name: Option<String>,
    /// Plain text, and the HTML where it was given as such.
    notes: Option<(String, Option<String>)>,
    completed: Option<bool>,
    approval: Option<Approval>,
    subtype: Option<Subtype>,
    due: Option<(Option<Date>, Option<Timestamp>)>,
    start: Option<(Option<Date>, Option<Timestamp>)>,
    assignee: Option<Option<Gid>>,
    liked: Option<bool>,
    pub external: Option<External>,
    values: Values,
}

/// Reads a body.
pub(crate) fn read(
    ctx: &Ctx<'_>,
    data: &Map<String, Body>,
    write: Write,
    task: Option<(Gid, &Task)>,
    target: &Target<'_>,
) -> Result<Change, Fail> {
    check_members(ctx, data, write)?;
    let subtype = text(data, "resource_subtype")?
        .map(|s| {
            Subtype::parse(s).ok_or_else(|| Fail::bad(format!("resource_subtype: Not a valid value: {s}")))
        })
        .transpose()?;
    let approval = text(data, "approval_status")?
        .map(|s| {
            Approval::parse(s).ok_or_else(|| Fail::bad(format!("approval_status: Not a valid value: {s}")))
        })
        .transpose()?;
    let kind = subtype.or(task.map(|(_, t)| t.subtype)).unwrap_or(Subtype::Default);
    if approval.is_some() && kind != Subtype::Approval {
        return Err(Fail::no_write("approval_status"));
    }
    let assignee = match data.get("assignee") {
        None => None,
        Some(Body::Null) => Some(None),
        Some(_) => {
            let named = text(data, "assignee")?.unwrap_or_default();
            let user = ctx.find_user(named);
            Some(Some(
                user.ok_or_else(|| Fail::bad(format!("assignee: Not a user in Organization: {named}")))?,
            ))
        }
    };
    Ok(Change {
        name: text(data, "name")?.map(str::to_owned),
        notes: notes(data)?,
        completed: flag(data, "completed")?,
        approval,
        subtype,
        due: due(data)?,
        start: start(data)?,
        assignee,
        liked: flag(data, "liked")?,
        external: external(ctx, data, task.map(|(gid, _)| gid))?,
        values: values::read(ctx, data, target)?,
    })
}

fn check_members(ctx: &Ctx<'_>, data: &Map<String, Body>, write: Write) -> Result<(), Fail> {
    for name in data.keys().map(String::as_str) {
        let refused = NEVER.contains(&name) || (write == Write::Update && CREATE_ONLY.contains(&name));
        if refused {
            return Err(Fail::no_write(name));
        }
        let known = WRITABLE.contains(&name) || CREATE_ONLY.contains(&name);
        if !known && ctx.cfg.unknown_members == Strictness::Refuse {
            return Err(Fail::bad(format!("{name}: Not a recognized property")));
        }
    }
    Ok(())
}

fn notes(data: &Map<String, Body>) -> Result<Option<(String, Option<String>)>, Fail> {
    match (text(data, "notes")?, text(data, "html_notes")?) {
        (_, Some(html)) => Ok(Some((from_html("html_notes", html)?, Some(html.to_owned())))),
        (Some(plain), None) => Ok(Some((plain.to_owned(), None))),
        (None, None) => Ok(None),
    }
}

type When = (Option<Date>, Option<Timestamp>);

fn due(data: &Map<String, Body>) -> Result<Option<When>, Fail> {
    if !data.contains_key("due_on") && !data.contains_key("due_at") {
        return Ok(None);
    }
    match (text(data, "due_on")?, text(data, "due_at")?) {
        (Some(_), Some(_)) => Err(Fail::bad("You may only provide one of due_on or due_at!")),
        (Some(day), None) => Ok(Some((Some(time::parse_day("due_on", day)?), None))),
        (None, Some(at)) => {
            let at = time::parse_instant("due_at", at)?;
            Ok(Some((Some(time::day_of(at)), Some(at))))
        }
        (None, None) => Ok(Some((None, None))),
    }
}

/// A start needs a due date in the same request; the rule is documented, the messages are not.
fn start(data: &Map<String, Body>) -> Result<Option<When>, Fail> {
    let (on, at) = (data.contains_key("start_on"), data.contains_key("start_at"));
    if !on && !at {
        return Ok(None);
    }
    if on && !data.contains_key("due_on") && !data.contains_key("due_at") {
        return Err(Fail::bad("You must provide due_on or due_at when you set or unset start_on"));
    }
    if at && !data.contains_key("due_at") {
        return Err(Fail::bad("You must provide due_at when you set or unset start_at"));
    }
    match (text(data, "start_on")?, text(data, "start_at")?) {
        (Some(_), Some(_)) => Err(Fail::bad("You may only provide one of start_on or start_at!")),
        (Some(day), None) => Ok(Some((Some(time::parse_day("start_on", day)?), None))),
        (None, Some(at)) => {
            let at = time::parse_instant("start_at", at)?;
            Ok(Some((Some(time::day_of(at)), Some(at))))
        }
        (None, None) => Ok(Some((None, None))),
    }
}

fn external(ctx: &Ctx<'_>, data: &Map<String, Body>, task: Option<Gid>) -> Result<Option<External>, Fail> {
    let parts = match data.get("external") {
        None | Some(Body::Null) => return Ok(None),
        Some(Body::Object(parts)) => parts,
        Some(other) => return Err(Fail::bad(format!("external: Value is not a JSON object: {other}"))),
    };
    let app = match (ctx.app, ctx.cfg.external_without_oauth) {
        (Some(app), _) => app.to_owned(),
        (None, Strictness::Ignore) => return Ok(None),
        (None, Strictness::Refuse) => return Err(Fail::new(403, "external: OAuth required")),
        (None, Strictness::Accept) => String::new(),
    };
    let bounded = |name: &str, most: usize| -> Result<Option<String>, Fail> {
        match text(parts, name)? {
            Some(t) if t.chars().count() > most => {
                Err(Fail::bad(format!("external: {name} exceeds the maximum length of {most} characters")))
            }
            other => Ok(other.map(str::to_owned)),
        }
    };
    let (gid, blob) = (bounded("gid", MAX_EXTERNAL_GID)?, bounded("data", MAX_EXTERNAL_DATA)?);
    if let Some(name) = &gid {
        let owner = ctx.world.externals.get(&(app.clone(), name.clone())).copied();
        let taken = owner.is_some() && owner != task;
        if taken && ctx.cfg.duplicate_external == Strictness::Refuse {
            return Err(Fail::bad(format!("external: gid is already in use: {name}")));
        }
    }
    Ok(Some(External { app, gid, data: blob }))
}

impl Change {
    /// Writes the change into a task; says whether it is one that changes `modified_at`.
    pub fn apply(self, task: &mut Task, user: Option<Gid>, now: Timestamp) -> bool {
        let mut modified = false;
        let mut set = |changed: bool| modified |= changed;
        if let Some(name) = self.name {
            set(replace(&mut task.name, name));
        }
        if let Some((plain, html)) = self.notes {
            let rich = replace(&mut task.html_notes, html);
            set(replace(&mut task.notes, plain) || rich);
        }
        if let Some((on, at)) = self.due {
            let timed = replace(&mut task.due_at, at);
            set(replace(&mut task.due_on, on) || timed);
        }
        if let Some((on, at)) = self.start {
            let timed = replace(&mut task.start_at, at);
            set(replace(&mut task.start_on, on) || timed);
        }
        if let Some(assignee) = self.assignee {
            set(replace(&mut task.assignee, assignee));
        }
        if let Some(subtype) = self.subtype {
            task.subtype = subtype;
            task.approval = if task.completed { Approval::Approved } else { Approval::Pending };
        }
        if let Some(liked) = self.liked {
            task.liked = liked;
        }
        for (field, value) in self.values {
            set(match value {
                Some(value) => task.values.insert(field, value.clone()) != Some(value),
                None => task.values.remove(&field).is_some(),
            });
        }
        set(complete(task, self.completed, self.approval, user, now));
        modified
    }
}

/// Keeps `completed` and the approval in step: every outcome of an approval completes the task, and completing
/// one approves it.
pub(crate) fn complete(
    task: &mut Task,
    completed: Option<bool>,
    approval: Option<Approval>,
    user: Option<Gid>,
    now: Timestamp,
) -> bool {
    let (done, outcome) = match (approval, completed) {
        (Some(outcome), _) => (outcome != Approval::Pending, outcome),
        (None, Some(done)) if done == task.completed => return false,
        (None, Some(true)) => (true, Approval::Approved),
        (None, Some(false)) => (false, Approval::Pending),
        (None, None) => return false,
    };
    let changed = replace(&mut task.approval, outcome);
    if done == task.completed {
        return changed && task.subtype == Subtype::Approval;
    }
    task.completed = done;
    task.completed_at = done.then_some(now);
    task.completed_by = user.filter(|_| done);
    true
}

fn replace<T: PartialEq>(old: &mut T, new: T) -> bool {
    if *old == new {
        return false;
    }
    *old = new;
    true
}
