//! What an event says: who did what to which resource, and how it is written into a delivery.
//!
//! Source: `EventResponse` of the OpenAPI document. An event has no id, no sequence and no time but its own.

use jiff::Timestamp;

use crate::asana::json::Json;
use crate::asana::time::instant;
use crate::asana::world::{Field, Gid, Kind, Subtype, Task, Value, World};

/// What happened to the resource itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Changed,
    Added,
    Removed,
    Deleted,
    Undeleted,
}

impl Action {
    pub const ALL: [Self; 5] = [Self::Changed, Self::Added, Self::Removed, Self::Deleted, Self::Undeleted];

    pub fn name(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Deleted => "deleted",
            Self::Undeleted => "undeleted",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.name() == text)
    }
}

/// The type of a resource that an event names, with its subtype where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Task(Subtype),
    Project,
    Section,
    /// With the subtype of the story.
    Story(&'static str),
    Workspace,
    User,
    CustomField(Kind),
    EnumOption,
}

impl Type {
    pub fn name(self) -> &'static str {
        match self {
            Self::Task(_) => "task",
            Self::Project => "project",
            Self::Section => "section",
            Self::Story(_) => "story",
            Self::Workspace => "workspace",
            Self::User => "user",
            Self::CustomField(_) => "custom_field",
            Self::EnumOption => "enum_option",
        }
    }

    pub fn subtype(self) -> Option<&'static str> {
        match self {
            Self::Task(subtype) => Some(subtype.name()),
            Self::Story(subtype) => Some(subtype),
            Self::CustomField(kind) => Some(kind.name()),
            _ => None,
        }
    }
}

/// A resource that an event names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Thing {
    pub gid: Gid,
    pub of: Type,
}

impl Thing {
    pub fn task(gid: Gid, task: &Task) -> Self {
        Self { gid, of: Type::Task(task.subtype) }
    }
}

/// What a field holds now, as far as it is an Asana resource; other values are never told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NewValue {
    pub thing: Thing,
    /// The option chosen, when the thing is an enum field. What the real service tells of the other types of field
    /// is not known, and nothing is told here.
    pub option: Option<Gid>,
}

/// One field that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub field: &'static str,
    pub new_value: Option<NewValue>,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// Absent for what Asana did by itself.
    pub user: Option<Gid>,
    pub at: Timestamp,
    pub action: Action,
    pub resource: Thing,
    pub parent: Option<Thing>,
    /// Only where the action is `changed`.
    pub change: Option<Change>,
    /// Where it is seen: the resource and all that contain it. Tasks never reach their workspace.
    pub scope: Vec<Gid>,
}

/// Orders in which the members of an event may stand.
const ORDERS: [[&str; 6]; 3] = [
    ["user", "created_at", "action", "parent", "change", "resource"],
    ["user", "created_at", "action", "resource", "parent", "change"],
    ["action", "change", "created_at", "parent", "resource", "user"],
];

impl Event {
    /// Writes the event as a delivery carries it: no names, no `type`. `order` picks the order of its members.
    pub fn write(&self, w: &mut Json, order: usize) {
        let members = ORDERS[order % ORDERS.len()];
        let mut first = true;
        w.raw("{");
        for name in members.into_iter().filter(|name| *name != "change" || self.change.is_some()) {
            if !first {
                w.raw(",");
            }
            first = false;
            w.raw("\"");
            w.raw(name);
            w.raw("\":");
            match name {
                "user" => or_null(w, self.user.map(|gid| Thing { gid, of: Type::User })),
                "created_at" => {
                    w.raw("\"");
                    w.display(instant(self.at));
                    w.raw("\"");
                }
                "action" => w.string(self.action.name()),
                "parent" => or_null(w, self.parent),
                "resource" => thing(w, self.resource),
                _ => self.write_change(w),
            }
        }
        w.raw("}");
    }

    fn write_change(&self, w: &mut Json) {
        let Some(change) = &self.change else { return };
        w.raw("{\"field\":");
        w.string(change.field);
        w.raw(",\"action\":\"changed\"");
        if let Some(value) = change.new_value {
            w.raw(",\"new_value\":");
            open(w, value.thing);
            if let Some(gid) = value.option {
                w.raw(",\"enum_value\":");
                thing(w, Thing { gid, of: Type::EnumOption });
            }
            w.raw("}");
        }
        w.raw("}");
    }
}

fn open(w: &mut Json, thing: Thing) {
    w.raw("{\"gid\":\"");
    w.display(thing.gid);
    w.raw("\",\"resource_type\":\"");
    w.raw(thing.of.name());
    w.raw("\"");
    if let Some(subtype) = thing.of.subtype() {
        w.raw(",\"resource_subtype\":\"");
        w.raw(subtype);
        w.raw("\"");
    }
}

fn thing(w: &mut Json, it: Thing) {
    open(w, it);
    w.raw("}");
}

fn or_null(w: &mut Json, it: Option<Thing>) {
    match it {
        Some(it) => thing(w, it),
        None => w.raw("null"),
    }
}

/// What of a task changed, in the order in which it is told. A completion is two changes, as on the real service.
pub(crate) fn changes(before: &Task, after: &Task, world: &World) -> Vec<Change> {
    let plain = |field, changed: bool| changed.then_some(Change { field, new_value: None });
    let assignee = after.assignee.map(|gid| NewValue { thing: Thing { gid, of: Type::User }, option: None });
    let mut all: Vec<Change> = [
        plain("name", before.name != after.name),
        plain("notes", before.notes != after.notes || before.html_notes != after.html_notes),
        plain("due_on", before.due_on != after.due_on),
        plain("due_at", before.due_at != after.due_at),
        plain("start_on", before.start_on != after.start_on),
        plain("start_at", before.start_at != after.start_at),
        plain("resource_subtype", before.subtype != after.subtype),
        (before.assignee != after.assignee).then_some(Change { field: "assignee", new_value: assignee }),
    ]
    .into_iter()
    .flatten()
    .collect();
    let gids = before.values.keys().chain(after.values.keys().filter(|g| !before.values.contains_key(g)));
    for gid in gids.copied().filter(|g| before.values.get(g) != after.values.get(g)) {
        let Some(field) = world.fields.get(&gid) else { continue };
        all.push(Change {
            field: "custom_fields",
            new_value: Some(told(gid, field, after.values.get(&gid))),
        });
    }
    let approval = after.subtype == Subtype::Approval;
    all.extend(plain("approval_status", approval && before.approval != after.approval));
    all.extend(plain("completed", before.completed != after.completed));
    all.extend(plain("completed_at", before.completed_at != after.completed_at));
    all
}

/// The new value of a custom field as events name it.
fn told(gid: Gid, field: &Field, value: Option<&Value>) -> NewValue {
    let option = if let Some(Value::Enum(option)) = value { Some(*option) } else { None };
    NewValue { thing: Thing { gid, of: Type::CustomField(field.kind) }, option }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(event: &Event, order: usize) -> serde_json::Value {
        let mut w = Json::default();
        event.write(&mut w, order);
        serde_json::from_str(&w.finish()).unwrap()
    }

    #[test]
    fn the_order_of_members_varies_and_nothing_else() {
        let event = Event {
            user: Some(Gid(11)),
            at: "2021-10-29T02:44:21.987Z".parse().unwrap(),
            action: Action::Changed,
            resource: Thing { gid: Gid(99), of: Type::Task(Subtype::Default) },
            parent: None,
            change: Some(Change { field: "completed", new_value: None }),
            scope: Vec::new(),
        };
        // The sample of a real delivery.
        let expected = serde_json::json!({
            "user": { "gid": "11", "resource_type": "user" },
            "created_at": "2021-10-29T02:44:21.987Z",
            "action": "changed",
            "parent": null,
            "change": { "field": "completed", "action": "changed" },
            "resource": { "gid": "99", "resource_type": "task", "resource_subtype": "default_task" }
        });
        let mut texts = Vec::new();
        for order in 0..ORDERS.len() {
            assert_eq!(written(&event, order), expected);
            let mut w = Json::default();
            event.write(&mut w, order);
            texts.push(w.finish());
        }
        texts.dedup();
        assert_eq!(texts.len(), ORDERS.len());
    }

    #[test]
    fn an_event_of_nobody_and_of_no_change_says_so() {
        let event = Event {
            user: None,
            at: Timestamp::UNIX_EPOCH,
            action: Action::Added,
            resource: Thing { gid: Gid(1), of: Type::Story("comment_added") },
            parent: Some(Thing { gid: Gid(2), of: Type::Project }),
            change: None,
            scope: Vec::new(),
        };
        let told = written(&event, 0);
        assert!(told["user"].is_null() && told.get("change").is_none());
        assert_eq!(told["parent"], serde_json::json!({ "gid": "2", "resource_type": "project" }));
    }
}
