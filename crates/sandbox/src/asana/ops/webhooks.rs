//! Webhooks: registering, listing, changing filters, deleting.
//!
//! A registration has two halves. [`read`] checks the request; then the handshake is done without holding the store
//! (see `webhooks::deliver`); then [`create`] stores what came of it. Source: `createWebhook` and the webhooks guide.

use jiff::Timestamp;
use serde_json::{Map, Value as Body};
use url::Url;

use super::Ctx;
use super::input::{path_gid, required_gid, text};
use super::projects::workspace_param;
use crate::asana::call::{Call, Reply, select};
use crate::asana::config::Strictness;
use crate::asana::error::Fail;
use crate::asana::json::Json;
use crate::asana::paging::Page;
use crate::asana::select::Select;
use crate::asana::webhooks::filter::{self, Filter};
use crate::asana::webhooks::queue::Queue;
use crate::asana::webhooks::{Listened, Owner, Secret, Webhook, target};
use crate::asana::world::Gid;

/// A registration that may go on to its handshake.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub target: Url,
    resource: Gid,
    listened: Listened,
    workspace: Gid,
    filters: Vec<Filter>,
}

/// A registration whose target has answered the handshake.
#[derive(Clone, Debug)]
pub(crate) struct Confirmed {
    pub request: Request,
    pub secret: Secret,
    /// The token that asked for it.
    pub token: Secret,
    /// When the target answered.
    pub at: Timestamp,
}

impl Ctx<'_> {
    fn owner(&self) -> Owner {
        (self.user, self.app.map(str::to_owned))
    }

    fn no_stray(&self, data: &Map<String, Body>, known: &[&str]) -> Result<(), Fail> {
        match data.keys().find(|k| !known.contains(&k.as_str())) {
            Some(stray) if self.cfg.unknown_members == Strictness::Refuse => {
                Err(Fail::bad(format!("{stray}: Not a recognized property")))
            }
            _ => Ok(()),
        }
    }

    /// What a gid in a body or a query names, if one can listen to it and this user may see it.
    pub fn listenable(&self, gid: Gid) -> Result<(Listened, Gid), Fail> {
        let missing = || Fail::unknown_in_body("resource", gid);
        if self.world.tasks.contains_key(&gid) {
            return Ok((Listened::Task, self.seen_task(gid, missing)?.workspace));
        }
        if self.world.projects.contains_key(&gid) {
            return Ok((Listened::Project, self.seen_project(gid, missing)?.workspace));
        }
        if self.world.workspaces.contains_key(&gid) {
            return Ok((Listened::Workspace, gid));
        }
        Err(missing())
    }

    /// Refuses one more listener on a resource that has as many as it may have.
    pub fn room_on(&self, resource: Gid) -> Result<(), Fail> {
        let (hooks, most) = (&self.world.hooks, self.cfg.webhooks.per_resource);
        if hooks.count_on(resource, self.now) < most {
            return Ok(());
        }
        let message = format!("A resource can have at most {most} webhooks and event streams");
        Err(Fail::new(self.cfg.webhooks.limit_status, message))
    }
}

/// Checks all of a registration that can be checked before its handshake.
pub(crate) fn read(ctx: &Ctx<'_>, data: &Map<String, Body>) -> Result<Request, Fail> {
    ctx.no_stray(data, &["resource", "target", "filters"])?;
    let resource = required_gid(data, "resource")?;
    let named = text(data, "target")?.ok_or_else(|| Fail::missing("target"))?;
    let target = target::read(named, ctx.cfg.webhooks.local_targets)?;
    let (listened, workspace) = ctx.listenable(resource)?;
    let filters = filters(ctx, data, listened)?;
    let request = Request { target, resource, listened, workspace, filters };
    admissible(ctx, &request)?;
    Ok(request)
}

fn filters(ctx: &Ctx<'_>, data: &Map<String, Body>, listened: Listened) -> Result<Vec<Filter>, Fail> {
    let filters = Filter::read_all(data, ctx.cfg.unknown_members)?;
    if listened == Listened::Workspace {
        filter::check_larger(&filters)?;
    }
    Ok(filters)
}

/// Refuses a second webhook for the same resource and target, and one too many.
fn admissible(ctx: &Ctx<'_>, request: &Request) -> Result<(), Fail> {
    let owner = ctx.owner();
    let same = |w: &Webhook| {
        w.owner == owner && w.resource == request.resource && w.target.as_str() == request.target.as_str()
    };
    if ctx.world.hooks.webhooks.values().any(same) {
        return Err(Fail::new(
            403,
            "Duplicated webhook. You already have an existing webhook for the given resource and target. \
             Delete the old one before creating another.",
        ));
    }
    ctx.room_on(request.resource)?;
    let most = ctx.cfg.webhooks.per_user;
    if ctx.world.hooks.count_of(&owner) >= most {
        let message = format!("A user can have at most {most} webhooks of one app");
        return Err(Fail::new(ctx.cfg.webhooks.limit_status, message));
    }
    Ok(())
}

/// Stores a registration whose handshake went well, and tells its secret, once.
pub(crate) fn create(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let confirmed = call.confirmed.clone().unwrap_or_else(|| Err(Fail::missing("resource")))?;
    // Another registration may have been quicker while this one's handshake was under way.
    admissible(ctx, &confirmed.request)?;
    let Confirmed { request, secret, token, at } = confirmed;
    let webhook = Webhook {
        owner: ctx.owner(),
        token,
        resource: request.resource,
        listened: request.listened,
        workspace: request.workspace,
        target: request.target,
        filters: request.filters,
        secret: secret.clone(),
        active: ctx.cfg.webhooks.active_in_answer,
        created_at: ctx.now,
        last_success_at: Some(at),
        last_failure_at: None,
        last_failure_content: String::new(),
        queue: Queue::new(at, &ctx.cfg.webhooks),
    };
    let gid = ctx.world.new_gid();
    ctx.world.hooks.add(gid, webhook);
    let mut reply = Reply::created(written(ctx, call, gid), format!("/webhooks/{gid}"));
    if let Some(webhook) = ctx.world.hooks.webhooks.get_mut(&gid) {
        webhook.active = true;
    }
    let mut told = Json::default();
    told.string(secret.text());
    reply.beside.push(("X-Hook-Secret", told.finish()));
    Ok(reply)
}

/// The webhooks that this token's user registered through the same app; others are not shown.
pub(crate) fn list(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let workspace = call.param("workspace").ok_or_else(|| Fail::missing("workspace"))?;
    let workspace = workspace_param(ctx, workspace)?;
    let resource = call.param("resource").map(|text| path_gid("resource", text)).transpose()?;
    let page = Page::read(call, ctx.cfg, ctx.now_ms())?;
    let tree = call.tree(ctx.cfg);
    let wanted = select(tree.as_ref(), Select::Compact);
    let (view, owner) = (ctx.view(), ctx.owner());
    let rows = ctx.world.hooks.webhooks.iter().filter(|(_, w)| {
        w.owner == owner && w.workspace == workspace && resource.is_none_or(|r| w.resource == r)
    });
    page.answer_all(call, ctx.cfg, ctx.now_ms(), rows, |w, (gid, hook)| view.webhook(w, wanted, **gid, hook))
}

/// The webhook named in the path; that another's is refused with 403 is an assumption.
fn in_path(ctx: &Ctx<'_>, call: &Call) -> Result<Gid, Fail> {
    let gid = path_gid("webhook", &call.segments[1])?;
    match ctx.world.hooks.webhooks.get(&gid) {
        Some(webhook) if webhook.owner == ctx.owner() => Ok(gid),
        Some(_) => Err(Fail::forbidden("webhook")),
        None => Err(Fail::unknown("webhook", gid)),
    }
}

fn written(ctx: &Ctx<'_>, call: &Call, gid: Gid) -> Json {
    let tree = call.tree(ctx.cfg);
    let mut w = Json::default();
    match ctx.world.hooks.webhooks.get(&gid) {
        Some(webhook) => ctx.view().webhook(&mut w, select(tree.as_ref(), Select::Full), gid, webhook),
        None => w.raw("null"),
    }
    w
}

pub(crate) fn get(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let gid = in_path(ctx, call)?;
    Ok(Reply::ok(written(ctx, call, gid)))
}

/// Replaces the filters; nothing else of a webhook can be changed.
pub(crate) fn update(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let gid = in_path(ctx, call)?;
    if let Some(fixed) = ["resource", "target"].into_iter().find(|name| call.data.contains_key(*name)) {
        return Err(Fail::no_write(fixed));
    }
    ctx.no_stray(&call.data, &["filters"])?;
    let listened = ctx.world.hooks.webhooks.get(&gid).map(|w| w.listened);
    if call.data.contains_key("filters") {
        let filters = filters(ctx, &call.data, listened.unwrap_or(Listened::Project))?;
        if let Some(webhook) = ctx.world.hooks.webhooks.get_mut(&gid) {
            webhook.filters = filters;
        }
    }
    Ok(Reply::ok(written(ctx, call, gid)))
}

/// A delivery that is under way may still arrive.
pub(crate) fn delete(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let gid = in_path(ctx, call)?;
    ctx.world.hooks.remove(gid);
    Ok(Reply::empty())
}
