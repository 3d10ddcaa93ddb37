//! Custom fields on projects.

use serde_json::Value as Body;

use super::input::{flag, gid, gid_of, required_gid};
use super::{Ctx, fields};
use crate::asana::call::{Call, Reply, select};
use crate::asana::config::AddedTwice;
use crate::asana::error::Fail;
use crate::asana::json::Json;
use crate::asana::paging::Page;
use crate::asana::select::Select;
use crate::asana::world::{Gid, Setting};

/// Message of the 402 on the free plan.
const NOT_FREE: &str = "Custom Field Settings are not available for free users.";

/// Fields that the user may not see are left out without a word.
pub(crate) fn list(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let project = ctx.project_in_path(&call.segments[1])?;
    ctx.paid(NOT_FREE)?;
    let page = Page::read(call, ctx.cfg, ctx.now_ms())?;
    let tree = call.tree(ctx.cfg);
    let wanted = select(tree.as_ref(), Select::Compact);
    let view = ctx.view();
    let settings = ctx.world.projects.get(&project).map_or(&[][..], |p| &p.settings);
    let rows = settings.iter().filter(|s| view.sees_field(s.field));
    page.answer_all(call, ctx.cfg, ctx.now_ms(), rows, |w, s| view.setting(w, wanted, project, s))
}

pub(crate) fn add(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let project = ctx.project_in_path(&call.segments[1])?;
    ctx.paid(NOT_FREE)?;
    let important = flag(&call.data, "is_important")?.unwrap_or(false);
    let named = call.data.get("custom_field").ok_or_else(|| Fail::missing("custom_field"))?;
    let (before, after) = (gid(&call.data, "insert_before")?, gid(&call.data, "insert_after")?);
    if before.is_some() && after.is_some() {
        return Err(Fail::bad("You may only provide one of insert_before or insert_after!"));
    }
    let settings = ctx.world.projects.get(&project).map_or(&[][..], |p| &p.settings);
    for (name, other) in [("insert_before", before), ("insert_after", after)] {
        if let Some(other) = other.filter(|o| !settings.iter().any(|s| s.gid == *o)) {
            return Err(Fail::unknown_in_body(name, other));
        }
    }
    let full = settings.len() >= ctx.cfg.fields_per_project;
    let existing = match named {
        Body::Object(_) => None,
        other => {
            let field = gid_of("custom_field", other)?;
            let seen = ctx.world.fields.get(&field).filter(|f| f.sees(ctx.user));
            // A local field belongs to its own project alone.
            let usable = seen.filter(|f| f.local_to.is_none_or(|p| p == project));
            usable.ok_or_else(|| Fail::unknown_in_body("custom_field", field))?;
            Some(field)
        }
    };
    if let Some(there) = existing.and_then(|f| settings.iter().find(|s| s.field == f)) {
        return match ctx.cfg.field_added_twice {
            AddedTwice::Answer => Ok(written(ctx, call, project, there.gid)),
            AddedTwice::Refuse => Err(Fail::bad("custom_field: Custom field is already on this project")),
        };
    }
    if full {
        let most = ctx.cfg.fields_per_project;
        return Err(Fail::bad(format!("A project can have at most {most} custom fields")));
    }
    let field = match (existing, named) {
        (Some(field), _) => field,
        (None, Body::Object(definition)) => fields::define(ctx, definition, Some(project))?,
        (None, _) => return Err(Fail::missing("custom_field")),
    };
    let setting = ctx.world.new_gid();
    let entry = Setting { gid: setting, field, important, editors: None };
    if let Some(p) = ctx.world.projects.get_mut(&project) {
        let place = |other: Gid| p.settings.iter().position(|s| s.gid == other);
        let at = before.and_then(place).or_else(|| after.and_then(place).map(|i| i.saturating_add(1)));
        p.settings.insert(at.unwrap_or(p.settings.len()), entry);
    }
    Ok(written(ctx, call, project, setting))
}

fn written(ctx: &Ctx<'_>, call: &Call, project: Gid, setting: Gid) -> Reply {
    let tree = call.tree(ctx.cfg);
    let mut w = Json::default();
    let found = ctx.world.projects.get(&project).and_then(|p| p.settings.iter().find(|s| s.gid == setting));
    match found {
        Some(s) => ctx.view().setting(&mut w, select(tree.as_ref(), Select::Full), project, s),
        None => w.raw("{}"),
    }
    Reply::ok(w)
}

/// Values on tasks stay and are shown as disabled.
pub(crate) fn remove(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let project = ctx.project_in_path(&call.segments[1])?;
    ctx.paid(NOT_FREE)?;
    let field = required_gid(&call.data, "custom_field")?;
    let Some(p) = ctx.world.projects.get_mut(&project) else { return Err(Fail::unknown("project", project)) };
    let Some(at) = p.settings.iter().position(|s| s.field == field) else {
        return Err(Fail::unknown_in_body("custom_field", field));
    };
    p.settings.remove(at);
    Ok(Reply::empty())
}
