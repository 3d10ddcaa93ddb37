//! Projects, their sections and their custom field settings.

use super::View;
use crate::asana::json::{Json, Obj};
use crate::asana::select::{Class, Select};
use crate::asana::world::{Gid, Project, Setting};

impl View<'_> {
    pub fn project_by_gid(self, w: &mut Json, select: Select<'_>, gid: Gid) {
        match self.world.projects.get(&gid) {
            Some(project) => self.project(w, select, gid, project),
            None => w.raw("null"),
        }
    }

    pub fn project(self, w: &mut Json, select: Select<'_>, gid: Gid, project: &Project) {
        let mut o = Obj::resource(w, select, gid, "project");
        o.str("name", Class::Compact, &project.name);
        o.bool("archived", Class::Full, project.archived);
        o.lit("color", Class::Full, "null");
        o.lit("icon", Class::Full, "null");
        o.time("created_at", Class::Full, Some(project.created_at));
        o.time("modified_at", Class::Full, Some(project.modified_at));
        o.lit("current_status", Class::Full, "null");
        o.lit("current_status_update", Class::Full, "null");
        o.str("default_view", Class::Full, "list");
        o.lit("due_on", Class::Full, "null");
        o.lit("due_date", Class::Full, "null");
        o.lit("start_on", Class::Full, "null");
        o.str("notes", Class::Full, &project.notes);
        if o.want("html_notes", Class::OptIn).is_some() {
            o.w.string(&crate::asana::text::to_html(&project.notes));
        }
        o.bool("public", Class::Full, project.members.is_none());
        let privacy = if project.members.is_none() { "public_to_workspace" } else { "private" };
        o.str("privacy_setting", Class::Full, privacy);
        o.bool("completed", Class::Full, false);
        o.lit("completed_at", Class::Full, "null");
        o.lit("completed_by", Class::Full, "null");
        self.project_links(&mut o, gid, project);
        o.close();
    }

    fn project_links(self, o: &mut Obj<'_, '_>, gid: Gid, project: &Project) {
        if let Some(inner) = o.want("owner", Class::Full) {
            self.user(o.w, inner, project.owner);
        }
        for people in ["members", "followers"] {
            if let Some(inner) = o.want(people, Class::Full) {
                let who = project.members.iter().flatten().copied();
                o.w.array(who, |w, user| self.user(w, inner, user));
            }
        }
        // A workspace that is not an organization has no teams; the OpenAPI document has no null here, so that
        // the member is left out unless it is asked for.
        if let Some(inner) = o.want("workspace", Class::Full) {
            self.workspace(o.w, inner, project.workspace);
        }
        if self.cfg.plan == crate::asana::config::Plan::Paid
            && let Some(inner) = o.want("custom_field_settings", Class::Full)
        {
            let seen = project.settings.iter().filter(|s| self.sees_field(s.field));
            o.w.array(seen, |w, s| self.setting(w, inner, gid, s));
        }
        if o.want("permalink_url", Class::Full).is_some() {
            o.w.string(&format!("{}/0/{gid}/list", self.base));
        }
    }

    pub fn sees_field(self, field: Gid) -> bool {
        self.world.fields.get(&field).is_some_and(|f| f.sees(self.user))
    }

    pub fn setting(self, w: &mut Json, select: Select<'_>, project: Gid, setting: &Setting) {
        let mut o = Obj::resource(w, select, setting.gid, "custom_field_setting");
        for link in ["project", "parent"] {
            if let Some(inner) = o.want(link, Class::Full) {
                self.project_by_gid(o.w, inner, project);
            }
        }
        o.bool("is_important", Class::Full, setting.important);
        if let Some(inner) = o.want("custom_field", Class::Full) {
            match self.world.fields.get(&setting.field) {
                Some(field) => self.field(o.w, inner, setting.field, field),
                None => o.w.raw("null"),
            }
        }
        o.close();
    }

    pub fn section(self, w: &mut Json, select: Select<'_>, gid: Gid) {
        let Some(section) = self.world.sections.get(&gid) else {
            w.raw("null");
            return;
        };
        let mut o = Obj::resource(w, select, gid, "section");
        o.str("name", Class::Compact, &section.name);
        o.time("created_at", Class::Full, Some(section.created_at));
        if let Some(inner) = o.want("project", Class::Full) {
            self.project_by_gid(o.w, inner, section.project);
        }
        if let Some(inner) = o.want("projects", Class::OptIn) {
            o.w.array([section.project], |w, gid| self.project_by_gid(w, inner, gid));
        }
        o.close();
    }
}
