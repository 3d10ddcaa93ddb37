//! Task search: paid plans only, at most a hundred results, no offset, and behind the writes by a lag.
//!
//! Source: `searchTasksForWorkspace` in the API reference. A parameter that is not known is ignored without a
//! word, so that a misspelt one answers everything.

use std::cmp::Ordering;

use jiff::Timestamp;

use super::Ctx;
use super::input::path_gid;
use crate::asana::call::{Call, Reply, select};
use crate::asana::error::Fail;
use crate::asana::json::Json;
use crate::asana::select::Select;
use crate::asana::time;
use crate::asana::world::{Gid, Task, Value};

/// Results when `limit` is absent, and the most it may ask for.
const MAX_RESULTS: usize = 100;

/// One condition of a search.
type Test<'c> = Box<dyn Fn(&Task) -> bool + 'c>;

pub(crate) fn search(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let workspace = ctx.workspace_in_path(&call.segments[1])?;
    ctx.paid("Search is only available to premium users.")?;
    let limit = match call.param("limit") {
        None => MAX_RESULTS,
        Some(text) => {
            let limit = text.parse().ok().filter(|n| (1..=MAX_RESULTS).contains(n));
            limit.ok_or_else(|| Fail::bad("limit: Must be between 1 and 100"))?
        }
    };
    let mut tests: Vec<Test<'_>> = Vec::new();
    for (name, value) in &call.params {
        if let Some(test) = test(ctx, name, value)? {
            tests.push(test);
        }
    }
    let at = ctx.search_ms.saturating_sub(i64::from(ctx.cfg.search_lag_seconds).saturating_mul(1000));
    let mut hits: Vec<(Gid, &Task)> = Vec::new();
    for (gid, task) in &ctx.world.tasks {
        if task.workspace != workspace || !ctx.world.task_visible(task, ctx.user) {
            continue;
        }
        // Conditions are met by the state that search knows; what is answered is the present record.
        if task.as_seen(at).is_some_and(|seen| tests.iter().all(|test| test(seen))) {
            hits.push((*gid, task));
        }
    }
    let by = call.param("sort_by").unwrap_or("modified_at");
    let ascending = call.param("sort_ascending") == Some("true");
    hits.sort_by(|(ga, a), (gb, b)| {
        let order = key(a, by).cmp(&key(b, by)).then(ga.cmp(gb));
        if ascending { order } else { order.reverse() }
    });
    hits.truncate(limit);
    let tree = call.tree(ctx.cfg);
    let wanted = select(tree.as_ref(), Select::Compact);
    let mut w = Json::default();
    w.array(hits, |w, (gid, task)| ctx.view().task(w, wanted, gid, task));
    Ok(Reply::ok(w))
}

fn key(task: &Task, by: &str) -> Option<Timestamp> {
    match by {
        "created_at" => Some(task.created_at),
        "completed_at" => task.completed_at,
        "due_date" => {
            task.due_on.and_then(|d| d.to_zoned(jiff::tz::TimeZone::UTC).ok()).map(|z| z.timestamp())
        }
        _ => Some(task.modified_at),
    }
}

/// The condition that a parameter stands for; `None` for one that is not known.
fn test<'c>(ctx: &'c Ctx<'_>, name: &'c str, value: &'c str) -> Result<Option<Test<'c>>, Fail> {
    if let Some((gid, operator)) = name.strip_prefix("custom_fields.").and_then(|rest| rest.split_once('.')) {
        let field = path_gid("custom_fields", gid)?;
        let enabled = ctx.view().sees_field(field);
        return Ok(field_test(field, operator, value).filter(|_| enabled));
    }
    if let Some((what, how)) = name.split_once('.') {
        return Ok(match how {
            "any" | "not" | "all" => membership(ctx, what, how, value)?,
            "before" | "after" => dated(what, how, value)?,
            _ => None,
        });
    }
    Ok(match name {
        "text" => {
            let words = value.to_lowercase();
            Some(Box::new(move |t| {
                t.name.to_lowercase().contains(&words) || t.notes.to_lowercase().contains(&words)
            }))
        }
        "completed" => yes_no(name, value).map(|want| -> Test<'c> { Box::new(move |t| t.completed == want) }),
        "is_subtask" => {
            yes_no(name, value).map(|want| -> Test<'c> { Box::new(move |t| t.parent.is_some() == want) })
        }
        "resource_subtype" => Some(Box::new(move |t| t.subtype.name() == value)),
        "due_on" | "created_on" | "modified_on" | "completed_on" | "start_on" => {
            let day = if value == "null" { None } else { Some(time::parse_day(name, value)?) };
            Some(Box::new(move |t| date_of(t, name) == day))
        }
        _ => None,
    })
}

fn yes_no(_name: &str, value: &str) -> Option<bool> {
    match value {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

fn membership<'c>(ctx: &Ctx<'_>, what: &str, how: &str, value: &str) -> Result<Option<Test<'c>>, Fail> {
    let mut wanted = Vec::new();
    for text in value.split(',').map(str::trim).filter(|t| !t.is_empty()) {
        wanted.push(match what {
            "projects" | "sections" | "tags" | "teams" | "portfolios" => path_gid(what, text)?,
            _ => match ctx.find_user(text) {
                Some(user) => user,
                None => path_gid(what, text)?,
            },
        });
    }
    let of: fn(&Task) -> Vec<Gid> = match what {
        "projects" => |t| t.memberships.iter().map(|m| m.project).collect(),
        "sections" => |t| t.memberships.iter().map(|m| m.section).collect(),
        "assignee" => |t| t.assignee.into_iter().collect(),
        "created_by" => |t| vec![t.created_by],
        "followers" => |t| t.followers.clone(),
        "tags" => |t| t.tags.clone(),
        "teams" | "portfolios" => |_| Vec::new(),
        _ => return Ok(None),
    };
    let how = how.to_owned();
    Ok(Some(Box::new(move |t| {
        let has = of(t);
        match how.as_str() {
            "any" => wanted.iter().any(|g| has.contains(g)),
            "all" => wanted.iter().all(|g| has.contains(g)),
            _ => !wanted.iter().any(|g| has.contains(g)),
        }
    })))
}

fn instant_of(task: &Task, what: &str) -> Option<Timestamp> {
    match what {
        "created_at" => Some(task.created_at),
        "modified_at" => Some(task.modified_at),
        "completed_at" => task.completed_at,
        "due_at" => task.due_at,
        _ => None,
    }
}

fn date_of(task: &Task, what: &str) -> Option<jiff::civil::Date> {
    match what {
        "due_on" => task.due_on,
        "start_on" => task.start_on,
        other => instant_of(task, &other.replace("_on", "_at")).map(time::day_of),
    }
}

/// Bounds on dates and instants, both exclusive.
fn dated<'c>(what: &'c str, how: &str, value: &str) -> Result<Option<Test<'c>>, Fail> {
    let wanted = if how == "before" { Ordering::Less } else { Ordering::Greater };
    Ok(match what {
        "created_at" | "modified_at" | "completed_at" | "due_at" => {
            let bound = time::parse_instant(what, value)?;
            Some(Box::new(move |t| instant_of(t, what).is_some_and(|at| at.cmp(&bound) == wanted)))
        }
        "created_on" | "modified_on" | "completed_on" | "due_on" | "start_on" => {
            let bound = time::parse_day(what, value)?;
            Some(Box::new(move |t| date_of(t, what).is_some_and(|day| day.cmp(&bound) == wanted)))
        }
        _ => None,
    })
}

/// A condition on a custom field; an operator that does not fit the field's type matches nothing.
fn field_test<'c>(field: Gid, operator: &'c str, value: &'c str) -> Option<Test<'c>> {
    if operator == "is_set" {
        let want = yes_no(operator, value)?;
        return Some(Box::new(move |t| t.values.contains_key(&field) == want));
    }
    let known =
        ["value", "starts_with", "ends_with", "contains", "less_than", "greater_than", "before", "after"];
    if !known.contains(&operator) {
        return None;
    }
    Some(Box::new(move |t| match (t.values.get(&field), operator) {
        (Some(Value::Text(text)), "value") => text == value,
        (Some(Value::Text(text)), "starts_with") => text.starts_with(value),
        (Some(Value::Text(text)), "ends_with") => text.ends_with(value),
        (Some(Value::Text(text)), "contains") => text.contains(value),
        (Some(Value::Number(n)), "value") => n.compare(value) == Some(Ordering::Equal),
        (Some(Value::Number(n)), "less_than") => n.compare(value) == Some(Ordering::Less),
        (Some(Value::Number(n)), "greater_than") => n.compare(value) == Some(Ordering::Greater),
        (Some(Value::Enum(option)), "value") => option.to_string() == value,
        (Some(Value::Date(day, _)), "value") => day.to_string() == value,
        (Some(Value::Date(day, _)), "before") => day.to_string().as_str() < value,
        (Some(Value::Date(day, _)), "after") => day.to_string().as_str() > value,
        _ => false,
    }))
}
