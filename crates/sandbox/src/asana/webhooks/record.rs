//! How webhooks and events are written in answers of the API.

use super::Webhook;
use super::event::{Event, NewValue, Thing, Type};
use crate::asana::json::{Json, Obj};
use crate::asana::records::View;
use crate::asana::select::{Class, Select};
use crate::asana::world::Gid;

impl View<'_> {
    /// A webhook. Its secret is not part of it; it is told once, beside the answer to its registration.
    pub fn webhook(self, w: &mut Json, select: Select<'_>, gid: Gid, webhook: &Webhook) {
        let cfg = &self.cfg.webhooks;
        let failing = webhook.queue.failing();
        let mut o = Obj::resource(w, select, gid, "webhook");
        o.bool("active", Class::Compact, webhook.active);
        if let Some(inner) = o.want("resource", Class::Compact) {
            self.listened(o.w, inner, webhook.resource);
        }
        o.str("target", Class::Compact, webhook.target.as_str());
        o.time("created_at", Class::Full, Some(webhook.created_at));
        o.time("last_success_at", Class::Full, webhook.last_success_at);
        o.time("last_failure_at", Class::Full, webhook.last_failure_at);
        o.str("last_failure_content", Class::Full, &webhook.last_failure_content);
        o.lit("delivery_retry_count", Class::Full, failing.map_or(0, |f| f.retries));
        o.time("next_attempt_after", Class::Full, failing.map(|f| f.next_attempt));
        o.time("failure_deletion_timestamp", Class::Full, webhook.queue.deletion(cfg));
        if let Some(inner) = o.want("filters", Class::Full) {
            o.w.array(&webhook.filters, |w, filter| filter.write(w, inner));
        }
        if cfg.undocumented_members {
            let larger = webhook.listened == super::Listened::Workspace;
            o.bool("is_workspace_webhook", Class::Full, larger);
        }
        o.close();
    }

    fn listened(self, w: &mut Json, select: Select<'_>, gid: Gid) {
        let tasks = self.world.tasks.get(&gid).or_else(|| self.world.trash.get(&gid));
        if self.world.projects.contains_key(&gid) {
            self.project_by_gid(w, select, gid);
        } else if let Some(task) = tasks {
            self.task(w, select, gid, task);
        } else if self.world.workspaces.contains_key(&gid) {
            self.workspace(w, select, gid);
        } else {
            // only projects are ever deleted for good
            self.thing(w, select, Thing { gid, of: Type::Project });
        }
    }

    /// An event as an event stream tells it: with compact records in place of bare gids.
    pub fn event(self, w: &mut Json, select: Select<'_>, event: &Event) {
        let mut o = Obj::plain(w, select);
        if let Some(inner) = o.want("user", Class::Compact) {
            self.user_or_null(o.w, inner, event.user);
        }
        o.time("created_at", Class::Compact, Some(event.at));
        o.str("type", Class::Compact, event.resource.of.name());
        o.str("action", Class::Compact, event.action.name());
        if let Some(inner) = o.want("resource", Class::Compact) {
            self.thing(o.w, inner, event.resource);
        }
        if let Some(inner) = o.want("parent", Class::Compact) {
            match event.parent {
                Some(parent) => self.thing(o.w, inner, parent),
                None => o.w.raw("null"),
            }
        }
        if let Some(change) = &event.change
            && let Some(inner) = o.want("change", Class::Compact)
        {
            let mut c = Obj::plain(o.w, inner);
            c.str("field", Class::Compact, change.field);
            c.str("action", Class::Compact, "changed");
            if let Some(value) = change.new_value
                && let Some(inner) = c.want("new_value", Class::Compact)
            {
                self.new_value(c.w, inner, value);
            }
            c.close();
        }
        o.close();
    }

    fn new_value(self, w: &mut Json, select: Select<'_>, value: NewValue) {
        let (gid, fields) = (value.thing.gid, &self.world.fields);
        let (Type::CustomField(_), Some(field)) = (value.thing.of, fields.get(&gid)) else {
            self.thing(w, select, value.thing);
            return;
        };
        let mut o = Obj::resource(w, select, gid, "custom_field");
        self.definition(&mut o, field);
        if let Some(option) = value.option.and_then(|gid| field.option(gid))
            && let Some(inner) = o.want("enum_value", Class::Compact)
        {
            self.option(o.w, inner.at_least_compact(), option);
        }
        o.close();
    }

    /// A resource that an event names; of one that is gone for good only its gid is left.
    fn thing(self, w: &mut Json, select: Select<'_>, thing: Thing) {
        let (world, gid) = (self.world, thing.gid);
        match thing.of {
            Type::Task(_) => {
                if let Some(task) = world.tasks.get(&gid).or_else(|| world.trash.get(&gid)) {
                    return self.task(w, select, gid, task);
                }
            }
            Type::Project if world.projects.contains_key(&gid) => return self.project_by_gid(w, select, gid),
            Type::Section if world.sections.contains_key(&gid) => return self.section(w, select, gid),
            // An event's resource has a name where it has one, and no more; a story has none.
            Type::Story(_) if matches!(select, Select::Paths(_)) => {
                if let Some(story) = world.stories.get(&gid) {
                    return self.story(w, select, gid, story);
                }
            }
            Type::User => return self.user(w, select, gid),
            Type::Workspace => return self.workspace(w, select, gid),
            _ => {}
        }
        let mut o = Obj::resource(w, select, gid, thing.of.name());
        if let Some(subtype) = thing.of.subtype() {
            o.str("resource_subtype", Class::Compact, subtype);
        }
        o.close();
    }
}
