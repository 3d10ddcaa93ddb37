//! Users and workspaces.

use super::Ctx;
use super::input::path_gid;
use crate::asana::call::{Call, Reply, select};
use crate::asana::error::Fail;
use crate::asana::json::Json;
use crate::asana::paging::Page;
use crate::asana::select::Select;

pub(crate) fn user(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let named = &call.segments[1];
    let gid = match ctx.find_user(named) {
        Some(gid) => gid,
        None if named.contains('@') => return Err(Fail::unknown("user", named)),
        None => return Err(Fail::unknown("user", path_gid("user", named)?)),
    };
    let tree = call.tree(ctx.cfg);
    let mut w = Json::default();
    ctx.view().user(&mut w, select(tree.as_ref(), Select::Full), gid);
    Ok(Reply::ok(w))
}

pub(crate) fn workspaces(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let page = Page::read(call, ctx.cfg, ctx.now_ms())?;
    let tree = call.tree(ctx.cfg);
    let wanted = select(tree.as_ref(), Select::Compact);
    let view = ctx.view();
    let rows = ctx.world.workspaces.keys().copied();
    page.answer_all(call, ctx.cfg, ctx.now_ms(), rows, |w, gid| view.workspace(w, wanted, *gid))
}

pub(crate) fn workspace(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let gid = ctx.workspace_in_path(&call.segments[1])?;
    let tree = call.tree(ctx.cfg);
    let mut w = Json::default();
    ctx.view().workspace(&mut w, select(tree.as_ref(), Select::Full), gid);
    Ok(Reply::ok(w))
}
