//! How each resource is written: which members it has and in which records they stand.
//!
//! Members and their optionality follow Asana's published OpenAPI document; those marked there as opt-in
//! stand only where `opt_fields` names them.

pub(crate) mod field;
pub(crate) mod project;
pub(crate) mod task;

use super::config::AsanaConfig;
use super::json::{Json, Obj};
use super::select::{Class, Select};
use super::world::{Attachment, COMMENT, Gid, Story, Tag, World};

/// Who is looking, and at what.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub world: &'a World,
    pub cfg: &'a AsanaConfig,
    pub user: Gid,
    /// The OAuth app of the token, if it has one.
    pub app: Option<&'a str>,
    /// Scheme and host for links.
    pub base: &'a str,
}

impl View<'_> {
    pub fn user_or_null(self, w: &mut Json, select: Select<'_>, gid: Option<Gid>) {
        match gid {
            Some(gid) => self.user(w, select, gid),
            None => w.raw("null"),
        }
    }

    pub fn user(self, w: &mut Json, select: Select<'_>, gid: Gid) {
        let user = self.world.users.get(&gid);
        let mut o = Obj::resource(w, select, gid, "user");
        o.str("name", Class::Compact, user.map_or("", |u| &u.name));
        o.str("email", Class::Full, user.map_or("", |u| &u.email));
        o.lit("photo", Class::Full, "null");
        if let Some(inner) = o.want("workspaces", Class::Full) {
            o.w.array(self.world.workspaces.keys(), |w, gid| self.workspace(w, inner, *gid));
        }
        o.close();
    }

    pub fn workspace(self, w: &mut Json, select: Select<'_>, gid: Gid) {
        let name = self.world.workspaces.get(&gid).map_or("", |ws| ws.name.as_str());
        let mut o = Obj::resource(w, select, gid, "workspace");
        o.str("name", Class::Compact, name);
        o.lit("email_domains", Class::Full, "[]");
        o.bool("is_organization", Class::Full, false);
        o.close();
    }

    pub fn tag(self, w: &mut Json, select: Select<'_>, gid: Gid, tag: &Tag) {
        let mut o = Obj::resource(w, select, gid, "tag");
        o.str("name", Class::Compact, &tag.name);
        o.lit("color", Class::Full, "null");
        o.str("notes", Class::Full, "");
        o.time("created_at", Class::Full, Some(tag.created_at));
        o.lit("followers", Class::Full, "[]");
        if let Some(inner) = o.want("workspace", Class::Full) {
            self.workspace(o.w, inner, tag.workspace);
        }
        if o.want("permalink_url", Class::Full).is_some() {
            o.w.string(&format!("{}/0/{gid}/list", self.base));
        }
        o.close();
    }

    pub fn story(self, w: &mut Json, select: Select<'_>, gid: Gid, story: &Story) {
        let mut o = Obj::resource(w, select, gid, "story");
        o.time("created_at", Class::Compact, Some(story.created_at));
        if let Some(inner) = o.want("created_by", Class::Compact) {
            self.user_or_null(o.w, inner, story.created_by);
        }
        o.str("resource_subtype", Class::Compact, story.subtype);
        o.str("text", Class::Compact, &story.text);
        if o.want("html_text", Class::OptIn).is_some() {
            match &story.html {
                Some(html) => o.w.string(html),
                None => o.w.string(&super::text::to_html(&story.text)),
            }
        }
        let comment = story.subtype == COMMENT;
        o.str("type", Class::Full, if comment { "comment" } else { "system" });
        o.bool("is_editable", Class::Full, comment && story.created_by == Some(self.user));
        o.bool("is_edited", Class::Full, false);
        o.bool("is_pinned", Class::Full, false);
        o.bool("liked", Class::Full, false);
        o.lit("likes", Class::Full, "[]");
        o.lit("num_likes", Class::Full, 0);
        o.str("source", Class::Full, "api");
        if let Some(inner) = o.want("target", Class::Full) {
            self.task_by_gid(o.w, inner, story.task);
        }
        o.close();
    }

    pub fn attachment(self, w: &mut Json, select: Select<'_>, gid: Gid, file: &Attachment) {
        let host = if file.size.is_some() { "asana" } else { "external" };
        let link = format!("{}/app/asana/-/get_asset?asset_id={gid}", self.base);
        let mut o = Obj::resource(w, select, gid, "attachment");
        o.str("name", Class::Compact, &file.name);
        o.str("resource_subtype", Class::Compact, host);
        o.time("created_at", Class::Full, Some(file.created_at));
        o.opt_str("download_url", Class::Full, file.size.map(|_| link.as_str()));
        o.str("permanent_url", Class::Full, &link);
        o.opt_str("view_url", Class::Full, Some(file.url.as_deref().unwrap_or(&link)));
        o.str("host", Class::Full, host);
        if let Some(inner) = o.want("parent", Class::Full) {
            self.task_by_gid(o.w, inner, file.task);
        }
        if let Some(size) = file.size {
            o.lit("size", Class::Full, size);
        }
        o.close();
    }
}
