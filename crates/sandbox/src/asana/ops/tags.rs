//! Tags of a workspace, and on tasks. A change of tags is told to no webhook, and changes `modified_at` only where the
//! settings say so.

use super::Ctx;
use super::input::{gid_of, list as items, only, required_gid};
use crate::asana::call::{Call, Reply, select};
use crate::asana::error::Fail;
use crate::asana::paging::Page;
use crate::asana::select::Select;
use crate::asana::world::Gid;

pub(crate) fn list(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let workspace = ctx.workspace_in_path(&call.segments[1])?;
    let page = Page::read(call, ctx.cfg, ctx.now_ms())?;
    let tree = call.tree(ctx.cfg);
    let wanted = select(tree.as_ref(), Select::Compact);
    let view = ctx.view();
    let rows = ctx.world.tags.iter().filter(|(_, tag)| tag.workspace == workspace);
    page.answer_all(call, ctx.cfg, ctx.now_ms(), rows, |w, (gid, tag)| view.tag(w, wanted, **gid, tag))
}

/// Gives a task a tag. That one which it has already is no error is a guess.
pub(crate) fn add(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let (task, tag) = named(ctx, call)?;
    ctx.add_tag(task, tag);
    Ok(Reply::empty())
}

/// Takes a tag away. That one which the task does not have is no error is a guess.
pub(crate) fn remove(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let (task, tag) = named(ctx, call)?;
    ctx.remove_tag(task, tag);
    Ok(Reply::empty())
}

fn named(ctx: &Ctx<'_>, call: &Call) -> Result<(Gid, Gid), Fail> {
    let task = ctx.task_in_path(&call.segments[1])?;
    only(ctx, &call.data, &["tag"])?;
    let tag = required_gid(&call.data, "tag")?;
    let workspace = ctx.seen_task(task, || Fail::unknown("task", task))?.workspace;
    if in_workspace(ctx, tag, workspace) { Ok((task, tag)) } else { Err(Fail::unknown_in_body("tag", tag)) }
}

/// A tag exists in a single workspace; elsewhere it is unknown.
pub(crate) fn in_workspace(ctx: &Ctx<'_>, tag: Gid, workspace: Gid) -> bool {
    ctx.world.tags.get(&tag).is_some_and(|known| known.workspace == workspace)
}

/// The tags that a new task is made with, each once.
pub(crate) fn of_new_task(ctx: &Ctx<'_>, call: &Call, workspace: Gid) -> Result<Vec<Gid>, Fail> {
    let mut tags = Vec::new();
    for (i, item) in items(&call.data, "tags")?.iter().enumerate() {
        let tag = gid_of("tags", item)?;
        if !in_workspace(ctx, tag, workspace) {
            return Err(Fail::bad(format!("tags: [{i}]: Unknown object: {tag}")));
        }
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    Ok(tags)
}
