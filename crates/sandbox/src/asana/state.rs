//! The whole store as JSON text, for comparing two worlds.

use super::json::{Json, Obj};
use super::select::{Class, Select};
use super::time::instant;
use super::world::{Field, Gid, Project, Task, Value, World};

/// Every member is written.
const ALL: Class = Class::Compact;

pub(crate) fn write(world: &World) -> String {
    let mut w = Json::default();
    let mut o = Obj::plain(&mut w, Select::Compact);
    keyed(&mut o, "users", &world.users, |o, u| {
        o.str("name", ALL, &u.name);
        o.str("email", ALL, &u.email);
    });
    keyed(&mut o, "workspaces", &world.workspaces, |o, ws| {
        o.str("name", ALL, &ws.name);
        gids(o, "custom_fields", ws.fields.iter().copied());
        gids(o, "projects", ws.projects.iter().copied());
    });
    keyed(&mut o, "tags", &world.tags, |o, t| {
        o.str("name", ALL, &t.name);
        gids(o, "workspace", [t.workspace]);
    });
    keyed(&mut o, "projects", &world.projects, project);
    keyed(&mut o, "sections", &world.sections, |o, s| {
        o.str("name", ALL, &s.name);
        gids(o, "tasks", s.tasks.values().copied());
    });
    keyed(&mut o, "custom_fields", &world.fields, field);
    keyed(&mut o, "tasks", &world.tasks, task);
    keyed(&mut o, "stories", &world.stories, |o, s| {
        gids(o, "task", [s.task]);
        o.str("text", ALL, &s.text);
    });
    keyed(&mut o, "attachments", &world.attachments, |o, a| {
        gids(o, "task", [a.task]);
        o.str("name", ALL, &a.name);
    });
    o.close();
    w.finish()
}

fn keyed<'t, T: 't>(
    o: &mut Obj<'_, '_>,
    name: &str,
    items: impl IntoIterator<Item = (&'t Gid, &'t T)>,
    each: impl Fn(&mut Obj<'_, '_>, &T),
) {
    if o.want(name, ALL).is_none() {
        return;
    }
    let mut map = Obj::plain(o.w, Select::Compact);
    for (gid, item) in items {
        if map.want(&gid.to_string(), ALL).is_some() {
            let mut inner = Obj::plain(map.w, Select::Compact);
            each(&mut inner, item);
            inner.close();
        }
    }
    map.close();
}

fn gids(o: &mut Obj<'_, '_>, name: &str, gids: impl IntoIterator<Item = Gid>) {
    if o.want(name, ALL).is_some() {
        o.w.array(gids, |w, gid| w.string(&gid.to_string()));
    }
}

fn project(o: &mut Obj<'_, '_>, p: &Project) {
    o.str("name", ALL, &p.name);
    o.bool("archived", ALL, p.archived);
    gids(o, "sections", p.sections.iter().copied());
    gids(o, "custom_fields", p.settings.iter().map(|s| s.field));
}

fn field(o: &mut Obj<'_, '_>, f: &Field) {
    o.str("name", ALL, &f.name);
    o.str("type", ALL, f.kind.name());
    o.lit("precision", ALL, f.precision);
    o.str("format", ALL, &f.format);
    o.opt_str("currency_code", ALL, f.currency_code.as_deref());
    if o.want("options", ALL).is_some() {
        o.w.array(&f.options, |w, option| {
            let mut item = Obj::plain(w, Select::Compact);
            gids(&mut item, "gid", [option.gid]);
            item.str("name", ALL, &option.name);
            item.bool("enabled", ALL, option.enabled);
            item.close();
        });
    }
}

fn task(o: &mut Obj<'_, '_>, t: &Task) {
    o.str("name", ALL, &t.name);
    o.str("notes", ALL, &t.notes);
    o.str("subtype", ALL, t.subtype.name());
    o.str("approval", ALL, t.approval.name());
    o.bool("completed", ALL, t.completed);
    o.time("completed_at", ALL, t.completed_at);
    o.time("created_at", ALL, Some(t.created_at));
    o.time("modified_at", ALL, Some(t.modified_at));
    o.date("due_on", ALL, t.due_on);
    gids(o, "assignee", t.assignee);
    gids(o, "tags", t.tags.iter().copied());
    gids(o, "parent", t.parent);
    if o.want("memberships", ALL).is_some() {
        o.w.array(&t.memberships, |w, m| {
            w.array([m.project, m.section], |w, gid| w.string(&gid.to_string()))
        });
    }
    if o.want("values", ALL).is_some() {
        let mut values = Obj::plain(o.w, Select::Compact);
        for (gid, v) in &t.values {
            if values.want(&gid.to_string(), ALL).is_some() {
                value(values.w, v);
            }
        }
        values.close();
    }
    if let Some(e) = &t.external
        && o.want("external", ALL).is_some()
    {
        let mut inner = Obj::plain(o.w, Select::Compact);
        inner.opt_str("gid", ALL, e.gid.as_deref());
        inner.opt_str("data", ALL, e.data.as_deref());
        inner.close();
    }
}

fn value(w: &mut Json, value: &Value) {
    match value {
        Value::Text(text) => w.string(text),
        Value::Number(n) => w.display(n),
        Value::Enum(gid) => w.string(&gid.to_string()),
        Value::Date(day, None) => w.string(&day.to_string()),
        Value::Date(_, Some(at)) => w.string(&instant(*at).to_string()),
        Value::Multi(many) | Value::People(many) | Value::Reference(many) => {
            w.array(many, |w, gid| w.string(&gid.to_string()));
        }
    }
}
