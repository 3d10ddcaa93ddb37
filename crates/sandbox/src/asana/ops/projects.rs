//! Projects and their sections.

use super::Ctx;
use super::input::{path_gid, text};
use crate::asana::call::{Call, Reply, select};
use crate::asana::error::Fail;
use crate::asana::json::Json;
use crate::asana::paging::Page;
use crate::asana::select::Select;
use crate::asana::world::{Gid, Section};

/// The projects that the user may see; without `archived` those that are archived too.
pub(crate) fn list(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let workspace = match call.segments.first().map(String::as_str) {
        Some("workspaces") => Some(ctx.workspace_in_path(&call.segments[1])?),
        _ => call.param("workspace").map(|text| workspace_param(ctx, text)).transpose()?,
    };
    let archived = match call.param("archived") {
        None => None,
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(other) => return Err(Fail::bad(format!("archived: Value is not a boolean: {other}"))),
    };
    let page = Page::read(call, ctx.cfg, ctx.now_ms())?;
    let tree = call.tree(ctx.cfg);
    let wanted = select(tree.as_ref(), Select::Compact);
    let view = ctx.view();
    let rows = ctx.world.projects.iter().filter(|(gid, p)| {
        workspace.is_none_or(|w| p.workspace == w)
            && archived.is_none_or(|a| p.archived == a)
            && matches!(ctx.world.project_for(**gid, ctx.user), Some(Ok(_)))
    });
    page.answer_all(call, ctx.cfg, ctx.now_ms(), rows, |w, (gid, p)| view.project(w, wanted, **gid, p))
}

/// A workspace named in the query or a body.
pub(crate) fn workspace_param(ctx: &Ctx<'_>, text: &str) -> Result<Gid, Fail> {
    let gid = path_gid("workspace", text)?;
    if ctx.world.workspaces.contains_key(&gid) {
        Ok(gid)
    } else {
        Err(Fail::unknown_in_body("workspace", gid))
    }
}

pub(crate) fn get(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let gid = ctx.project_in_path(&call.segments[1])?;
    let tree = call.tree(ctx.cfg);
    let mut w = Json::default();
    ctx.view().project_by_gid(&mut w, select(tree.as_ref(), Select::Full), gid);
    Ok(Reply::ok(w))
}

pub(crate) fn sections(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let gid = ctx.project_in_path(&call.segments[1])?;
    let page = Page::read(call, ctx.cfg, ctx.now_ms())?;
    let tree = call.tree(ctx.cfg);
    let wanted = select(tree.as_ref(), Select::Compact);
    let view = ctx.view();
    let rows = ctx.world.projects.get(&gid).map_or(&[][..], |p| &p.sections).iter();
    page.answer_all(call, ctx.cfg, ctx.now_ms(), rows, |w, gid| view.section(w, wanted, **gid))
}

pub(crate) fn section(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let gid = path_gid("section", &call.segments[1])?;
    let project = ctx.world.sections.get(&gid).ok_or_else(|| Fail::unknown("section", gid))?.project;
    ctx.seen_project(project, || Fail::unknown("section", gid))?;
    let tree = call.tree(ctx.cfg);
    let mut w = Json::default();
    ctx.view().section(&mut w, select(tree.as_ref(), Select::Full), gid);
    Ok(Reply::ok(w))
}

pub(crate) fn create_section(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let project = ctx.project_in_path(&call.segments[1])?;
    let name = text(&call.data, "name")?.filter(|n| !n.is_empty()).ok_or_else(|| Fail::missing("name"))?;
    let before = section_of(ctx, call, "insert_before", project)?;
    let after = section_of(ctx, call, "insert_after", project)?;
    let gid = ctx.world.new_gid();
    let section = Section {
        project,
        name: name.to_owned(),
        created_at: ctx.now,
        tasks: std::collections::BTreeMap::new(),
    };
    ctx.world.sections.insert(gid, section);
    if let Some(p) = ctx.world.projects.get_mut(&project) {
        let place = |other: Gid| p.sections.iter().position(|s| *s == other);
        let at = before.and_then(place).or_else(|| after.and_then(place).map(|i| i.saturating_add(1)));
        p.sections.insert(at.unwrap_or(p.sections.len()), gid);
    }
    ctx.tell_section(gid, project);
    let tree = call.tree(ctx.cfg);
    let mut w = Json::default();
    ctx.view().section(&mut w, select(tree.as_ref(), Select::Full), gid);
    Ok(Reply::created(w, format!("/sections/{gid}")))
}

fn section_of(ctx: &Ctx<'_>, call: &Call, name: &str, project: Gid) -> Result<Option<Gid>, Fail> {
    let Some(gid) = super::input::gid(&call.data, name)? else { return Ok(None) };
    match ctx.world.sections.get(&gid) {
        Some(s) if s.project == project => Ok(Some(gid)),
        _ => Err(Fail::unknown_in_body(name, gid)),
    }
}
