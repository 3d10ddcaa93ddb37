//! Tasks in projects and sections. None of this changes `modified_at`, unless the settings say so of sections.

use serde_json::{Map, Value as Body};

use super::Ctx;
use super::input::{gid, only, path_gid, required_gid};
use crate::asana::call::{Call, Reply};
use crate::asana::error::Fail;
use crate::asana::world::{Gid, Place};

/// The most projects that a task can be in.
pub(crate) const MAX_PROJECTS: usize = 20;

/// A section, if it belongs to this project.
pub(crate) fn section_in(ctx: &Ctx<'_>, section: Gid, project: Gid) -> Result<Gid, Fail> {
    match ctx.world.sections.get(&section) {
        Some(s) if s.project == project => Ok(section),
        _ => Err(Fail::unknown_in_body("section", section)),
    }
}

/// Where `insert_before` and `insert_after` point: the section of the task they name, and the place in it.
/// In `addProject` a null is a place too: the end, or the beginning.
enum Anchor {
    None,
    Start,
    End,
    Beside(Gid, Place),
}

fn anchor(ctx: &Ctx<'_>, data: &Map<String, Body>, project: Gid) -> Result<Anchor, Fail> {
    let beside = |name: &str, place: fn(Gid) -> Place| -> Result<Anchor, Fail> {
        let Some(other) = gid(data, name)? else { return Ok(Anchor::None) };
        let home =
            ctx.world.tasks.get(&other).and_then(|t| t.memberships.iter().find(|m| m.project == project));
        let home = home.ok_or_else(|| Fail::unknown_in_body(name, other))?;
        Ok(Anchor::Beside(home.section, place(other)))
    };
    match (data.get("insert_before"), data.get("insert_after")) {
        (Some(_), Some(_)) => Err(Fail::bad("You may only provide one of insert_before or insert_after!")),
        (Some(Body::Null), None) => Ok(Anchor::End),
        (None, Some(Body::Null)) => Ok(Anchor::Start),
        (Some(_), None) => beside("insert_before", Place::Before),
        (None, Some(_)) => beside("insert_after", Place::After),
        (None, None) => Ok(Anchor::None),
    }
}

pub(crate) fn add_project(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let task = ctx.task_in_path(&call.segments[1])?;
    let project = required_gid(&call.data, "project")?;
    let known = ctx.seen_project(project, || Fail::unknown_in_body("project", project))?;
    let (first, last) = (known.sections.first().copied(), known.sections.last().copied());
    let section = gid(&call.data, "section")?.map(|s| section_in(ctx, s, project)).transpose()?;
    let anchor = anchor(ctx, &call.data, project)?;
    let homes = ctx.world.tasks.get(&task).map_or(&[][..], |t| &t.memberships);
    let inside = homes.iter().any(|m| m.project == project);
    if !inside && homes.len() >= MAX_PROJECTS {
        return Err(Fail::bad(format!("A task can be in at most {MAX_PROJECTS} projects")));
    }
    let place = match (anchor, section) {
        (Anchor::Beside(home, _), Some(section)) if home != section => {
            return Err(Fail::bad("The task to insert beside is not in the given section"));
        }
        (Anchor::Beside(home, place), _) => Some((home, place)),
        (Anchor::Start, Some(section)) => Some((section, Place::Start)),
        (Anchor::Start, None) => first.map(|s| (s, Place::Start)),
        (Anchor::End | Anchor::None, Some(section)) => Some((section, Place::End)),
        (Anchor::End, None) => last.map(|s| (s, Place::End)),
        (Anchor::None, None) if inside => None,
        (Anchor::None, None) => last.map(|s| (s, Place::End)),
    };
    if let Some((section, place)) = place {
        ctx.remember(task);
        ctx.place(task, section, place);
    }
    Ok(Reply::empty())
}

pub(crate) fn remove_project(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let task = ctx.task_in_path(&call.segments[1])?;
    let project = required_gid(&call.data, "project")?;
    ctx.seen_project(project, || Fail::unknown_in_body("project", project))?;
    ctx.remember(task);
    ctx.leave(task, project);
    Ok(Reply::empty())
}

/// Puts a task at the top of a section, or beside another; it leaves the project's other sections.
pub(crate) fn add_to_section(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let section = path_gid("section", &call.segments[1])?;
    let project = ctx.world.sections.get(&section).ok_or_else(|| Fail::unknown("section", section))?.project;
    ctx.seen_project(project, || Fail::unknown("section", section))?;
    only(ctx, &call.data, &["task", "insert_before", "insert_after"])?;
    let task = required_gid(&call.data, "task")?;
    let homes = &ctx.seen_task(task, || Fail::unknown_in_body("task", task))?.memberships;
    if !homes.iter().any(|m| m.project == project) && homes.len() >= MAX_PROJECTS {
        return Err(Fail::bad(format!("A task can be in at most {MAX_PROJECTS} projects")));
    }
    let place = match anchor(ctx, &call.data, project)? {
        Anchor::Beside(home, _) if home != section => {
            return Err(Fail::bad("The task to insert beside is not in the given section"));
        }
        Anchor::Beside(_, place) => place,
        Anchor::End => Place::End,
        Anchor::Start | Anchor::None => Place::Start,
    };
    ctx.remember(task);
    ctx.place(task, section, place);
    Ok(Reply::empty())
}
