//! Comments on tasks, and the stories that Asana writes when a task is completed or reopened. It writes more of
//! them, about other changes, which are not kept here.

use super::Ctx;
use super::input::{path_gid, text};
use crate::asana::call::{Call, Reply, select};
use crate::asana::error::Fail;
use crate::asana::json::Json;
use crate::asana::paging::Page;
use crate::asana::select::Select;
use crate::asana::text::from_html;
use crate::asana::world::{COMMENT, Story};

pub(crate) fn list(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let task = ctx.task_in_path(&call.segments[1])?;
    let page = Page::read(call, ctx.cfg, ctx.now_ms())?;
    let tree = call.tree(ctx.cfg);
    let wanted = select(tree.as_ref(), Select::Compact);
    let view = ctx.view();
    let rows = ctx.world.stories_of.get(&task).into_iter().flatten();
    let rows = rows.filter_map(|gid| ctx.world.stories.get(gid).map(|s| (*gid, s)));
    page.answer_all(call, ctx.cfg, ctx.now_ms(), rows, |w, (gid, s)| view.story(w, wanted, *gid, s))
}

pub(crate) fn get(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let gid = path_gid("story", &call.segments[1])?;
    let story = ctx.world.stories.get(&gid).ok_or_else(|| Fail::unknown("story", gid))?;
    ctx.seen_task(story.task, || Fail::unknown("story", gid))?;
    let tree = call.tree(ctx.cfg);
    let mut w = Json::default();
    ctx.view().story(&mut w, select(tree.as_ref(), Select::Full), gid, story);
    Ok(Reply::ok(w))
}

/// A comment is a story, and a story changes the task's `modified_at`.
pub(crate) fn create(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let task = ctx.task_in_path(&call.segments[1])?;
    let (plain, html) = match (text(&call.data, "text")?, text(&call.data, "html_text")?) {
        (Some(_), Some(_)) => return Err(Fail::bad("You may only provide one of text or html_text!")),
        (Some(plain), None) if !plain.is_empty() => (plain.to_owned(), None),
        (None, Some(html)) => (from_html("html_text", html)?, Some(html.to_owned())),
        _ => return Err(Fail::missing("text")),
    };
    let (created_at, created_by, subtype) = (ctx.now, ctx.actor, COMMENT);
    let gid = ctx.add_story(Story { task, created_at, created_by, subtype, text: plain, html });
    ctx.remember(task);
    ctx.world.touch(task, ctx.now);
    let tree = call.tree(ctx.cfg);
    let mut w = Json::default();
    if let Some(story) = ctx.world.stories.get(&gid) {
        ctx.view().story(&mut w, select(tree.as_ref(), Select::Full), gid, story);
    }
    Ok(Reply::created(w, format!("/stories/{gid}")))
}
