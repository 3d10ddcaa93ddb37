//! Tasks.

use super::View;
use super::field::Enabled;
use crate::asana::config::Plan;
use crate::asana::json::{Json, Obj};
use crate::asana::select::{Class, Select};
use crate::asana::text;
use crate::asana::world::{Gid, Subtype, Task};

impl View<'_> {
    pub fn task_by_gid(self, w: &mut Json, select: Select<'_>, gid: Gid) {
        match self.world.tasks.get(&gid) {
            Some(task) => self.task(w, select, gid, task),
            None => w.raw("null"),
        }
    }

    pub fn task(self, w: &mut Json, select: Select<'_>, gid: Gid, task: &Task) {
        let mut o = Obj::resource(w, select, gid, "task");
        o.str("name", Class::Compact, &task.name);
        o.str("resource_subtype", Class::Compact, task.subtype.name());
        if let Some(inner) = o.want("created_by", Class::OptIn) {
            self.user(o.w, inner, task.created_by);
        }
        if task.subtype == Subtype::Approval {
            o.str("approval_status", Class::Full, task.approval.name());
        }
        self.task_dates(&mut o, task);
        o.str("notes", Class::Full, &task.notes);
        if o.want("html_notes", Class::OptIn).is_some() {
            match &task.html_notes {
                Some(html) => o.w.string(html),
                None => o.w.string(&text::to_html(&task.notes)),
            }
        }
        for liked in ["hearted", "liked"] {
            o.bool(liked, Class::Full, task.liked);
        }
        for likes in ["hearts", "likes"] {
            o.lit(likes, Class::Full, "[]");
        }
        for count in ["num_hearts", "num_likes"] {
            o.lit(count, Class::Full, u8::from(task.liked));
        }
        o.lit("num_subtasks", Class::OptIn, task.subtasks.len());
        o.lit("dependencies", Class::OptIn, "[]");
        o.lit("dependents", Class::OptIn, "[]");
        o.bool("is_rendered_as_separator", Class::OptIn, false);
        o.lit("actual_time_minutes", Class::Full, "null");
        self.task_links(&mut o, gid, task);
        self.task_external(&mut o, task);
        self.task_fields(&mut o, task);
        o.close();
    }

    fn task_dates(self, o: &mut Obj<'_, '_>, task: &Task) {
        o.bool("completed", Class::Full, task.completed);
        o.time("completed_at", Class::Full, task.completed_at);
        if let Some(inner) = o.want("completed_by", Class::Full) {
            self.user_or_null(o.w, inner, task.completed_by);
        }
        o.time("created_at", Class::Full, Some(task.created_at));
        o.time("modified_at", Class::Full, Some(task.modified_at));
        o.time("due_at", Class::Full, task.due_at);
        o.date("due_on", Class::Full, task.due_on);
        o.time("start_at", Class::Full, task.start_at);
        o.date("start_on", Class::Full, task.start_on);
    }

    fn task_links(self, o: &mut Obj<'_, '_>, gid: Gid, task: &Task) {
        if let Some(inner) = o.want("assignee", Class::Full) {
            self.user_or_null(o.w, inner, task.assignee);
        }
        if task.assignee.is_some() {
            o.str("assignee_status", Class::Full, "upcoming");
        }
        if let Some(inner) = o.want("followers", Class::Full) {
            o.w.array(&task.followers, |w, user| self.user(w, inner, *user));
        }
        if let Some(inner) = o.want("memberships", Class::Full) {
            o.w.array(&task.memberships, |w, m| {
                let mut member = Obj::plain(w, inner);
                if let Some(inner) = member.want("project", Class::Compact) {
                    self.project_by_gid(member.w, inner, m.project);
                }
                if let Some(inner) = member.want("section", Class::Compact) {
                    self.section(member.w, inner, m.section);
                }
                member.close();
            });
        }
        if let Some(inner) = o.want("projects", Class::Full) {
            o.w.array(&task.memberships, |w, m| self.project_by_gid(w, inner, m.project));
        }
        if let Some(inner) = o.want("parent", Class::Full) {
            match task.parent {
                Some(parent) => self.task_by_gid(o.w, inner, parent),
                None => o.w.raw("null"),
            }
        }
        if let Some(inner) = o.want("tags", Class::Full) {
            let tags = task.tags.iter().filter_map(|gid| Some((*gid, self.world.tags.get(gid)?)));
            o.w.array(tags, |w, (gid, tag)| self.tag(w, inner, gid, tag));
        }
        if let Some(inner) = o.want("workspace", Class::Full) {
            self.workspace(o.w, inner, task.workspace);
        }
        if o.want("permalink_url", Class::Full).is_some() {
            let home = task.memberships.first().map_or(0, |m| m.project.0);
            o.w.string(&format!("{}/0/{home}/{gid}", self.base));
        }
    }

    /// External data is seen by the app that wrote it, and by no other token.
    fn task_external(self, o: &mut Obj<'_, '_>, task: &Task) {
        let own = task.external.as_ref().filter(|e| Some(e.app.as_str()) == self.app);
        if let Some(external) = own
            && let Some(inner) = o.want("external", Class::Full)
        {
            let mut e = Obj::plain(o.w, inner);
            for (name, part) in [("gid", &external.gid), ("data", &external.data)] {
                if let Some(part) = part {
                    e.str(name, Class::Compact, part);
                }
            }
            e.close();
        }
    }

    fn task_fields(self, o: &mut Obj<'_, '_>, task: &Task) {
        if self.cfg.plan == Plan::Free {
            return;
        }
        let Some(inner) = o.want_with("custom_fields", Class::Full, Select::Full) else { return };
        let inner = inner.at_least_compact();
        let live = self.world.fields_of(task);
        let stray = task.values.keys().filter(|f| !live.contains(f)).map(|f| (*f, Enabled::No));
        let all = live.iter().map(|f| (*f, Enabled::Yes)).chain(stray).filter(|(f, _)| self.sees_field(*f));
        o.w.array(all, |w, (gid, enabled)| {
            self.field_value(w, inner, gid, task.values.get(&gid), enabled);
        });
    }
}
