//! Filters of webhooks: which events pass, and which filters a workspace's webhook may have.
//!
//! Source: `WebhookFilter` and `WebhookRequest` of the OpenAPI document; the rule for larger resources from the
//! webhooks guide. Filtering on one custom field is not offered by the real service either.

use serde_json::{Map, Value as Body};

use super::event::{Action, Event};
use crate::asana::config::Strictness;
use crate::asana::error::Fail;
use crate::asana::json::{Json, Obj};
use crate::asana::ops::input::{list, text};
use crate::asana::select::{Class, Select};

/// One filter; a member that is absent lets everything pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    resource_type: Option<String>,
    resource_subtype: Option<String>,
    action: Option<Action>,
    fields: Option<Vec<String>>,
}

/// The most filters of one webhook; Asana names no limit.
const MAX_FILTERS: usize = 100;

/// What a webhook on a workspace may hear of: type of resource and actions.
const LARGER: &[(&str, &[Action])] = &[
    ("project", &Action::ALL),
    ("team_membership", &[Action::Added, Action::Removed]),
    ("workspace_membership", &[Action::Added, Action::Removed]),
];

impl Filter {
    /// Reads the `filters` of a request; absent means none.
    pub fn read_all(data: &Map<String, Body>, strictness: Strictness) -> Result<Vec<Self>, Fail> {
        let items = list(data, "filters")?;
        if items.len() > MAX_FILTERS {
            return Err(Fail::bad(format!("filters: At most {MAX_FILTERS} filters are allowed")));
        }
        items.iter().map(|item| Self::read(item, strictness)).collect()
    }

    fn read(item: &Body, strictness: Strictness) -> Result<Self, Fail> {
        let Body::Object(parts) = item else {
            return Err(Fail::bad(format!("filters: Value is not a JSON object: {item}")));
        };
        let known = ["resource_type", "resource_subtype", "action", "fields"];
        if let Some(stray) = parts.keys().find(|k| !known.contains(&k.as_str()))
            && strictness == Strictness::Refuse
        {
            return Err(Fail::bad(format!("filters: {stray}: Not a recognized property")));
        }
        let action = text(parts, "action")?
            .map(|name| {
                Action::parse(name)
                    .ok_or_else(|| Fail::bad(format!("filters: action: Not a valid value: {name}")))
            })
            .transpose()?;
        let fields = match parts.get("fields") {
            None | Some(Body::Null) => None,
            Some(_) => Some(
                list(parts, "fields")?
                    .iter()
                    .map(|f| f.as_str().map(str::to_owned))
                    .collect::<Option<Vec<String>>>()
                    .ok_or_else(|| Fail::bad("filters: fields: Value is not a string"))?,
            ),
        };
        if fields.is_some() && action != Some(Action::Changed) {
            return Err(Fail::bad("filters: fields: Only valid for the action changed"));
        }
        Ok(Self {
            resource_type: text(parts, "resource_type")?.map(str::to_owned),
            resource_subtype: text(parts, "resource_subtype")?.map(str::to_owned),
            action,
            fields,
        })
    }

    pub fn passes(&self, event: &Event) -> bool {
        let of = event.resource.of;
        self.resource_type.as_deref().is_none_or(|t| t == of.name())
            && self.resource_subtype.as_deref().is_none_or(|s| Some(s) == of.subtype())
            && self.action.is_none_or(|a| a == event.action)
            && self.fields.as_ref().is_none_or(|fields| {
                event.change.as_ref().is_some_and(|c| fields.iter().any(|f| f == c.field))
            })
    }

    /// Whether a webhook on a workspace may have this filter.
    fn fits_larger(&self) -> bool {
        let allowed = LARGER.iter().find(|(name, _)| self.resource_type.as_deref() == Some(name));
        let action = |actions: &[Action]| self.action.is_some_and(|a| actions.contains(&a));
        allowed.is_some_and(|(_, actions)| action(actions)) && self.fields.is_none()
    }

    pub fn write(&self, w: &mut Json, select: Select<'_>) {
        let mut o = Obj::plain(w, select);
        if let Some(name) = &self.resource_type {
            o.str("resource_type", Class::Compact, name);
        }
        if let Some(name) = &self.resource_subtype {
            o.str("resource_subtype", Class::Compact, name);
        }
        if let Some(action) = self.action {
            o.str("action", Class::Compact, action.name());
        }
        if let Some(fields) = &self.fields
            && o.want("fields", Class::Compact).is_some()
        {
            o.w.array(fields, |w, field| w.string(field));
        }
        o.close();
    }
}

/// Whether an event passes: any filter lets it, or there are none.
pub(crate) fn passes(filters: &[Filter], event: &Event) -> bool {
    filters.is_empty() || filters.iter().any(|f| f.passes(event))
}

/// Refuses filters that a webhook on a workspace may not have, and none at all.
///
/// The wording and its two extra members are from <https://forum.asana.com/t/463270>.
pub(crate) fn check_larger(filters: &[Filter]) -> Result<(), Fail> {
    if !filters.is_empty() && filters.iter().all(Filter::fits_larger) {
        return Ok(());
    }
    let message = "Webhooks for larger scoped resources must have at least one filter \
                   and all filters must be in our whitelist.";
    Err(Fail { code: Some("invalid_filters_for_larger_scoped_webhooks"), ..Fail::bad(message) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::event::{Change, Thing, Type};
    use super::*;
    use crate::asana::world::{Gid, Subtype};

    fn filter(text: Body) -> Filter {
        Filter::read(&text, Strictness::Refuse).unwrap()
    }

    fn changed(field: &'static str, subtype: Subtype) -> Event {
        Event {
            user: None,
            at: jiff::Timestamp::UNIX_EPOCH,
            action: Action::Changed,
            resource: Thing { gid: Gid(1), of: Type::Task(subtype) },
            parent: None,
            change: Some(Change { field, new_value: None }),
            scope: Vec::new(),
        }
    }

    #[test]
    fn every_member_narrows_and_any_filter_lets_pass() {
        let event = changed("completed", Subtype::Default);
        for (text, passes) in [
            (json!({}), true),
            (json!({ "resource_type": "task" }), true),
            (json!({ "resource_type": "story" }), false),
            (json!({ "resource_type": "task", "resource_subtype": "milestone" }), false),
            (json!({ "action": "added" }), false),
            (json!({ "action": "changed", "fields": ["completed", "name"] }), true),
            (json!({ "action": "changed", "fields": ["name"] }), false),
            (json!({ "action": "changed", "fields": [] }), false),
        ] {
            assert_eq!(filter(text.clone()).passes(&event), passes, "{text}");
        }
        let two = [filter(json!({ "action": "added" })), filter(json!({ "resource_type": "task" }))];
        assert!(passes(&two, &event) && passes(&[], &event) && !passes(&two[..1], &event));
    }

    #[test]
    fn a_workspace_hears_of_projects_and_memberships_alone() {
        for (text, allowed) in [
            (json!({ "resource_type": "project", "action": "added" }), true),
            (json!({ "resource_type": "project", "action": "undeleted" }), true),
            (json!({ "resource_type": "workspace_membership", "action": "removed" }), true),
            (json!({ "resource_type": "team_membership", "action": "changed" }), false),
            (json!({ "resource_type": "project" }), false),
            (json!({ "resource_type": "project", "action": "changed", "fields": ["name"] }), false),
            (json!({ "resource_type": "task", "action": "changed" }), false),
            (json!({}), false),
        ] {
            assert_eq!(check_larger(&[filter(text.clone())]).is_ok(), allowed, "{text}");
        }
        assert_eq!(check_larger(&[]).unwrap_err().status, 400);
    }

    #[test]
    fn a_filter_that_makes_no_sense_is_refused() {
        for text in [
            json!({ "action": "completed" }),
            json!({ "action": "added", "fields": ["name"] }),
            json!({ "fields": ["name"] }),
            json!({ "action": "changed", "fields": [1] }),
            json!({ "colour": "red" }),
            json!("task"),
        ] {
            assert!(Filter::read(&text, Strictness::Refuse).is_err(), "{text}");
        }
        assert!(Filter::read(&json!({ "colour": "red" }), Strictness::Ignore).is_ok());
    }
}
