//! Event streams: what happened to a task or a project since a token.

use super::Ctx;
use super::input::path_gid;
use crate::asana::call::{Call, Reply, select};
use crate::asana::error::Fail;
use crate::asana::json::Json;
use crate::asana::select::Select;
use crate::asana::webhooks::Listened;

/// Message of the 412, from `getEvents` of the OpenAPI document.
const TOO_OLD: &str = "Sync token invalid or too old. If you are attempting to keep resources in sync, you must fetch \
                       the full dataset for this query now and use the new sync token for the next sync.";

/// Without a token, or with one that is not good any more, the answer is 412 and carries a new one.
pub(crate) fn list(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let resource = call.param("resource").ok_or_else(|| Fail::missing("resource"))?;
    let resource = path_gid("resource", resource)?;
    // Goals, which could be listened to as well, are not kept here.
    if ctx.listenable(resource)?.0 == Listened::Workspace {
        return Err(Fail::unknown_in_body("resource", resource));
    }
    let owner = (ctx.user, ctx.app.map(str::to_owned));
    let (now, cfg) = (ctx.now, &ctx.cfg.webhooks);
    let sync = call.param("sync").unwrap_or_default();
    let Some(page) = ctx.world.hooks.streams.read(resource, &owner, sync, now, cfg) else {
        if !ctx.world.hooks.streams.has(resource, &owner, now, cfg) {
            ctx.room_on(resource)?;
        }
        let sync = ctx.world.hooks.streams.begin(resource, &owner, now);
        return Err(Fail { sync: Some(sync), ..Fail::new(412, TOO_OLD) });
    };
    let tree = call.tree(ctx.cfg);
    let wanted = select(tree.as_ref(), Select::Full);
    let (view, mut rows, mut sync) = (ctx.view(), Json::default(), Json::default());
    rows.array(&page.events, |w, event| view.event(w, wanted, event));
    sync.string(&page.sync);
    let mut reply = Reply::ok(rows);
    reply.beside = vec![("sync", sync.finish()), ("has_more", page.has_more.to_string())];
    Ok(reply)
}

/// Only service accounts of Enterprise+ domains may read these, and no token here is one. The message is not
/// documented.
pub(crate) fn of_workspace(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    ctx.workspace_in_path(&call.segments[1])?;
    Err(Fail::new(403, "Workspace events are available to service accounts only."))
}
