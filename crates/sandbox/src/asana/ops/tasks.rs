//! One task: read, create, change, delete.

use std::collections::BTreeMap;

use serde_json::Value as Body;

use super::input::{gid, gid_of, list};
use super::memberships::{MAX_PROJECTS, section_in};
use super::tags;
use super::task_input::{Write, read};
use super::values::Target;
use super::{Ctx, projects};
use crate::asana::call::{Call, Reply, select};
use crate::asana::error::Fail;
use crate::asana::json::Json;
use crate::asana::select::Select;
use crate::asana::world::{Approval, Gid, Subtype, Task};

pub(crate) fn get(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let gid = ctx.task_in_path(&call.segments[1])?;
    Ok(Reply::ok(written(ctx, call, gid)))
}

/// The record of a task as a single read or a write answers it.
fn written(ctx: &Ctx<'_>, call: &Call, gid: Gid) -> Json {
    let tree = call.tree(ctx.cfg);
    let mut w = Json::default();
    ctx.view().task_by_gid(&mut w, select(tree.as_ref(), Select::Full), gid);
    w
}

pub(crate) fn update(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let gid = ctx.task_in_path(&call.segments[1])?;
    let task = ctx.seen_task(gid, || Fail::unknown("task", gid))?;
    let projects: Vec<Gid> = task.memberships.iter().map(|m| m.project).collect();
    let target = Target { projects: &projects, has_value: &|f| task.values.contains_key(&f) };
    let change = read(ctx, &call.data, Write::Update, Some((gid, task)), &target)?;
    ctx.change_task(gid, change);
    Ok(Reply::ok(written(ctx, call, gid)))
}

pub(crate) fn delete(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let gid = ctx.task_in_path(&call.segments[1])?;
    ctx.delete_task(gid);
    Ok(Reply::empty())
}

pub(crate) fn create(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let parent = gid(&call.data, "parent")?;
    create_under(ctx, call, parent)
}

pub(crate) fn create_subtask(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let parent = ctx.task_in_path(&call.segments[1])?;
    create_under(ctx, call, Some(parent))
}

fn create_under(ctx: &mut Ctx<'_>, call: &Call, parent: Option<Gid>) -> Result<Reply, Fail> {
    let homes = homes(ctx, call)?;
    let workspace = workspace(ctx, call, parent, &homes)?;
    let tags = tags::of_new_task(ctx, call, workspace)?;
    let mut followers = vec![ctx.user];
    for named in list(&call.data, "followers")?.iter().filter_map(Body::as_str) {
        let user = ctx.find_user(named);
        let user =
            user.ok_or_else(|| Fail::bad(format!("followers: Not a user in Organization: {named}")))?;
        if !followers.contains(&user) {
            followers.push(user);
        }
    }
    let projects: Vec<Gid> = homes.iter().map(|(p, _)| *p).collect();
    let target = Target { projects: &projects, has_value: &|_| false };
    let mut change = read(ctx, &call.data, Write::Create, None, &target)?;
    let external = change.external.take();
    let mut task = blank(workspace, ctx.user, ctx.now);
    task.followers = followers;
    task.parent = parent;
    task.tags = tags;
    change.apply(&mut task, ctx.actor, ctx.now);
    if ctx.cfg.search_lag_seconds > 0 {
        task.seen_before.push((ctx.search_ms, None));
    }
    let sections: Vec<Gid> = homes.iter().map(|(_, section)| *section).collect();
    let gid = ctx.add_task(task, &sections);
    if let Some(external) = external {
        ctx.world.set_external(gid, external);
    }
    Ok(Reply::created(written(ctx, call, gid), format!("/tasks/{gid}")))
}

/// The projects and sections that a new task goes to, from `projects` and `memberships`.
///
/// Without a section it goes to the end of the first one; where the real service puts it is not documented.
fn homes(ctx: &Ctx<'_>, call: &Call) -> Result<Vec<(Gid, Gid)>, Fail> {
    let mut homes: Vec<(Gid, Gid)> = Vec::new();
    for (i, item) in list(&call.data, "projects")?.iter().enumerate() {
        let project = gid_of("projects", item)?;
        let known =
            ctx.seen_project(project, || Fail::bad(format!("projects: [{i}]: Unknown object: {project}")))?;
        let section = known.sections.first().copied();
        homes.push((project, section.ok_or_else(|| Fail::forbidden("project"))?));
    }
    for (i, item) in list(&call.data, "memberships")?.iter().enumerate() {
        let Body::Object(parts) = item else {
            return Err(Fail::bad(format!("memberships: [{i}]: Value is not a JSON object: {item}")));
        };
        let project = gid(parts, "project")?
            .ok_or_else(|| Fail::bad(format!("memberships: [{i}]: project: Missing required field")))?;
        let known = ctx.seen_project(project, || {
            Fail::bad(format!("memberships: [{i}]: project: Unknown object: {project}"))
        })?;
        let section = match gid(parts, "section")? {
            Some(section) => Some(section_in(ctx, section, project)?),
            None => known.sections.first().copied(),
        };
        homes.retain(|(p, _)| *p != project);
        homes.push((project, section.ok_or_else(|| Fail::forbidden("project"))?));
    }
    homes.dedup();
    if homes.len() > MAX_PROJECTS {
        return Err(Fail::bad(format!("A task can be in at most {MAX_PROJECTS} projects")));
    }
    Ok(homes)
}

fn workspace(ctx: &Ctx<'_>, call: &Call, parent: Option<Gid>, homes: &[(Gid, Gid)]) -> Result<Gid, Fail> {
    let named = match gid(&call.data, "workspace")? {
        Some(gid) => Some(projects::workspace_param(ctx, &gid.to_string())?),
        None => None,
    };
    let of_parent = match parent {
        Some(gid) => Some(ctx.seen_task(gid, || Fail::unknown_in_body("parent", gid))?.workspace),
        None => None,
    };
    let of_projects = homes.first().and_then(|(p, _)| ctx.world.projects.get(p)).map(|p| p.workspace);
    of_parent
        .or(of_projects)
        .or(named)
        .ok_or_else(|| Fail::bad("You should specify one of workspace, parent, projects"))
}

/// A task without anything in it yet.
pub(crate) fn blank(workspace: Gid, user: Gid, now: jiff::Timestamp) -> Task {
    Task {
        workspace,
        name: String::new(),
        notes: String::new(),
        html_notes: None,
        subtype: Subtype::Default,
        approval: Approval::Pending,
        completed: false,
        completed_at: None,
        completed_by: None,
        created_at: now,
        created_by: user,
        modified_at: now,
        due_on: None,
        due_at: None,
        start_on: None,
        start_at: None,
        assignee: None,
        tags: Vec::new(),
        followers: Vec::new(),
        liked: false,
        parent: None,
        subtasks: Vec::new(),
        memberships: Vec::new(),
        values: BTreeMap::new(),
        external: None,
        seen_before: Vec::new(),
    }
}
