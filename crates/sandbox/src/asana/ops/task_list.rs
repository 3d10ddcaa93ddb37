//! Listings of tasks. Each page costs what it answers, not what the project holds.

use jiff::Timestamp;

use super::Ctx;
use super::input::path_gid;
use super::projects::workspace_param;
use crate::asana::call::{Call, Reply, select};
use crate::asana::error::Fail;
use crate::asana::paging::Page;
use crate::asana::select::Select;
use crate::asana::time;
use crate::asana::world::{Gid, Project, Task, World};

/// Up to so many changed tasks are sorted into the project's order; beyond, the order is walked instead.
const SORTED: usize = 512;

/// Which tasks of a listing are wanted.
#[derive(Clone, Copy, Default)]
struct Filter {
    /// Incomplete tasks and those completed since; `completed_since=now` leaves the incomplete ones.
    completed_since: Option<Timestamp>,
    modified_since: Option<Timestamp>,
    inclusive: bool,
}

impl Filter {
    fn read(ctx: &Ctx<'_>, call: &Call) -> Result<Self, Fail> {
        let completed_since = match call.param("completed_since") {
            None => None,
            Some("now") => Some(ctx.now),
            Some(text) => Some(time::parse_instant("completed_since", text)?),
        };
        Ok(Self { completed_since, modified_since: None, inclusive: ctx.cfg.modified_since_inclusive })
    }

    fn with_modified(mut self, call: &Call) -> Result<Self, Fail> {
        self.modified_since =
            call.param("modified_since").map(|t| time::parse_instant("modified_since", t)).transpose()?;
        Ok(self)
    }

    fn passes(&self, task: &Task) -> bool {
        let open = self.completed_since.is_none_or(|since| task.completed_at.is_none_or(|at| at >= since));
        open && self
            .modified_since
            .is_none_or(|since| task.modified_at > since || (self.inclusive && task.modified_at == since))
    }
}

/// A task and its place: the number of its section in the project, and its rank there.
type Row<'w> = ((u64, u64), (Gid, &'w Task));

/// `GET /tasks`: exactly one of project, tag, section, or assignee with workspace.
pub(crate) fn by_query(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let filter = Filter::read(ctx, call)?.with_modified(call)?;
    let named = |name: &str| call.param(name).filter(|v| !v.is_empty());
    let (assignee, workspace) = (named("assignee"), named("workspace"));
    let ways = ["project", "section", "tag", "user_task_list"].map(|w| named(w).map(|v| (w, v)));
    let given: Vec<(&str, &str)> = ways.into_iter().flatten().collect();
    match (given.as_slice(), assignee, workspace) {
        ([("project", gid)], None, None) => {
            let gid = path_gid("project", gid)?;
            ctx.seen_project(gid, || Fail::unknown_in_body("project", gid))?;
            in_project(ctx, call, gid, filter)
        }
        ([("section", gid)], None, None) => {
            let gid = path_gid("section", gid)?;
            seen_section(ctx, gid, || Fail::unknown_in_body("section", gid))?;
            in_section(ctx, call, gid, filter)
        }
        ([("tag", gid)], None, None) => {
            let gid = path_gid("tag", gid)?;
            if !ctx.world.tags.contains_key(&gid) {
                return Err(Fail::unknown_in_body("tag", gid));
            }
            let tagged = |t: &Task| t.tags.contains(&gid) && filter.passes(t);
            unordered(ctx, call, ctx.world.tasks.iter().filter(|(_, t)| tagged(t)).map(|(g, t)| (*g, t)))
        }
        // There are no personal lists here.
        ([(way, gid)], None, None) => Err(Fail::unknown_in_body(way, path_gid(way, gid)?)),
        ([], Some(who), Some(workspace)) => {
            let workspace = workspace_param(ctx, workspace)?;
            let user = ctx.find_user(who);
            let user =
                user.ok_or_else(|| Fail::bad(format!("assignee: Not a user in Organization: {who}")))?;
            let mine = |t: &Task| t.assignee == Some(user) && t.workspace == workspace && filter.passes(t);
            unordered(ctx, call, ctx.world.tasks.iter().filter(|(_, t)| mine(t)).map(|(g, t)| (*g, t)))
        }
        _ => Err(Fail::bad(
            "Must specify exactly one of project, tag, section, user task list, or assignee + workspace",
        )),
    }
}

/// `GET /projects/{gid}/tasks`, which has no `modified_since` and ignores one.
pub(crate) fn of_project(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let gid = ctx.project_in_path(&call.segments[1])?;
    let filter = Filter::read(ctx, call)?;
    in_project(ctx, call, gid, filter)
}

pub(crate) fn of_section(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let gid = path_gid("section", &call.segments[1])?;
    seen_section(ctx, gid, || Fail::unknown("section", gid))?;
    let filter = Filter::read(ctx, call)?;
    in_section(ctx, call, gid, filter)
}

pub(crate) fn of_task(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let gid = ctx.task_in_path(&call.segments[1])?;
    let children = ctx.world.tasks.get(&gid).map_or(&[][..], |t| &t.subtasks);
    unordered(ctx, call, children.iter().filter_map(|c| ctx.world.tasks.get(c).map(|t| (*c, t))))
}

fn seen_section(ctx: &Ctx<'_>, gid: Gid, missing: impl Fn() -> Fail) -> Result<(), Fail> {
    let section = ctx.world.sections.get(&gid).ok_or_else(&missing)?;
    ctx.seen_project(section.project, missing).map(|_| ())
}

fn in_project(ctx: &Ctx<'_>, call: &Call, gid: Gid, filter: Filter) -> Result<Reply, Fail> {
    let page = Page::read(call, ctx.cfg, ctx.now_ms())?;
    let world = &*ctx.world;
    let Some(project) = world.projects.get(&gid) else { return Err(Fail::unknown("project", gid)) };
    let few = filter.modified_since.and_then(|since| changed(project, since));
    let fetch = page.fetch(ctx.cfg);
    let rows: Vec<Row<'_>> = match few {
        Some(gids) => {
            let mut rows: Vec<Row<'_>> =
                gids.iter().filter_map(|g| placed(world, gid, project, *g)).collect();
            rows.sort_unstable_by_key(|(place, _)| *place);
            rows.retain(|(place, (_, task))| page.after.is_none_or(|a| *place > a) && filter.passes(task));
            rows.truncate(fetch);
            rows
        }
        None => walk(world, &project.sections, page.after)
            .filter(|(_, (_, t))| filter.passes(t))
            .take(fetch)
            .collect(),
    };
    answer(ctx, call, &page, rows)
}

/// The tasks changed since, unless they are many.
fn changed(project: &Project, since: Timestamp) -> Option<Vec<Gid>> {
    let mut gids = Vec::new();
    for (_, gid) in project.by_modified.range((since, Gid(0))..) {
        if gids.len() == SORTED {
            return None;
        }
        gids.push(*gid);
    }
    Some(gids)
}

fn placed<'w>(world: &'w World, gid: Gid, project: &Project, task: Gid) -> Option<Row<'w>> {
    let entry = world.tasks.get(&task)?;
    let home = entry.memberships.iter().find(|m| m.project == gid)?;
    let nth = project.sections.iter().position(|s| *s == home.section)?;
    Some(((u64::try_from(nth).ok()?, home.rank), (task, entry)))
}

/// The tasks of sections in order, from after a place on.
fn walk<'w>(
    world: &'w World,
    sections: &'w [Gid],
    after: Option<(u64, u64)>,
) -> impl Iterator<Item = Row<'w>> {
    let start = after.unwrap_or((0, 0));
    let from_section = usize::try_from(start.0).unwrap_or(usize::MAX);
    (0_u64..).zip(sections).skip(from_section).flat_map(move |(nth, section)| {
        let from = if nth == start.0 && after.is_some() { start.1.saturating_add(1) } else { 0 };
        let tasks = world.sections.get(section).map(|s| s.tasks.range(from..));
        tasks
            .into_iter()
            .flatten()
            .filter_map(move |(rank, gid)| Some(((nth, *rank), (*gid, world.tasks.get(gid)?))))
    })
}

fn in_section(ctx: &Ctx<'_>, call: &Call, gid: Gid, filter: Filter) -> Result<Reply, Fail> {
    let page = Page::read(call, ctx.cfg, ctx.now_ms())?;
    let sections = [gid];
    let rows = walk(ctx.world, &sections, page.after)
        .filter(|(_, (_, t))| filter.passes(t))
        .take(page.fetch(ctx.cfg))
        .collect();
    answer(ctx, call, &page, rows)
}

fn answer(ctx: &Ctx<'_>, call: &Call, page: &Page, rows: Vec<Row<'_>>) -> Result<Reply, Fail> {
    let tree = call.tree(ctx.cfg);
    let wanted = select(tree.as_ref(), Select::Compact);
    let view = ctx.view();
    page.answer(call, ctx.cfg, ctx.now_ms(), rows, |w, (gid, task)| view.task(w, wanted, *gid, task))
}

fn unordered<'w>(
    ctx: &'w Ctx<'_>,
    call: &Call,
    rows: impl Iterator<Item = (Gid, &'w Task)>,
) -> Result<Reply, Fail> {
    let page = Page::read(call, ctx.cfg, ctx.now_ms())?;
    let tree = call.tree(ctx.cfg);
    let wanted = select(tree.as_ref(), Select::Compact);
    let view = ctx.view();
    let seen = rows.filter(|(_, t)| ctx.world.task_visible(t, ctx.user));
    page.answer_all(call, ctx.cfg, ctx.now_ms(), seen, |w, (gid, task)| view.task(w, wanted, *gid, task))
}
