//! Values of custom fields: which kind each type takes and who may write them.
//!
//! Source: the "Custom fields" page of the API reference and the OpenAPI document's task requests.

use serde_json::{Map, Value as Body};

use super::input::{gid_of, kind};
use super::{Ctx, FIELDS_NOT_FREE};
use crate::asana::config::NumberAsText;
use crate::asana::error::Fail;
use crate::asana::number::Num;
use crate::asana::time;
use crate::asana::world::{Field, Gid, Kind, Value};

/// The most characters of a text value.
const MAX_TEXT: usize = 1024;

/// The task that is written to, as far as it decides what may be written.
pub(crate) struct Target<'a> {
    /// The projects that the task is in, or will be in.
    pub projects: &'a [Gid],
    /// Fields that the task has a value for, live or not.
    pub has_value: &'a dyn Fn(Gid) -> bool,
}

/// New values, each checked; `None` clears.
pub(crate) type Values = Vec<(Gid, Option<Value>)>;

/// Reads the `custom_fields` member of a task write.
pub(crate) fn read(ctx: &Ctx<'_>, data: &Map<String, Body>, target: &Target<'_>) -> Result<Values, Fail> {
    let fields = match data.get("custom_fields") {
        None => return Ok(Vec::new()),
        Some(Body::Object(fields)) => fields,
        Some(other) => return Err(Fail::bad(format!("custom_fields: Value is not a JSON object: {other}"))),
    };
    ctx.paid(FIELDS_NOT_FREE)?;
    let mut values = Vec::with_capacity(fields.len());
    for (key, value) in fields {
        let gid = Gid::parse(key).ok_or_else(|| Fail::not_an_id("custom_fields", key))?;
        let field = writable(ctx, gid, value, target)?;
        values.push((gid, parse(ctx, gid, field, value)?));
    }
    Ok(values)
}

/// The field, if this user may write this value of it on this task.
fn writable<'c>(ctx: &'c Ctx<'_>, gid: Gid, value: &Body, target: &Target<'_>) -> Result<&'c Field, Fail> {
    let absent = || Fail::bad(format!("Custom field with ID {gid} is not on given object"));
    let field = ctx.world.fields.get(&gid).filter(|f| f.sees(ctx.user)).ok_or_else(absent)?;
    let settings = target.projects.iter().filter_map(|p| ctx.world.projects.get(p)).flat_map(|p| &p.settings);
    let mut live = false;
    for setting in settings.filter(|s| s.field == gid) {
        live = true;
        if setting.editors.as_ref().is_some_and(|who| !who.contains(&ctx.user)) {
            return Err(Fail::new(
                403,
                format!("You do not have permission to edit custom field with ID {gid}."),
            ));
        }
    }
    // A value whose field left the project can be cleared and nothing else.
    let clears = value.is_null() && (target.has_value)(gid);
    if !live && !clears {
        return Err(absent());
    }
    if live && field.read_only() {
        return Err(Fail::bad(format!("Custom field with ID {gid} is read only")));
    }
    Ok(field)
}

fn parse(ctx: &Ctx<'_>, gid: Gid, field: &Field, value: &Body) -> Result<Option<Value>, Fail> {
    let wrong = || {
        let wanted = field.kind.name();
        Fail::bad(format!("custom_fields: Invalid {} for {wanted} custom field with ID {gid}", kind(value)))
    };
    Ok(Some(match (field.kind, value) {
        (_, Body::Null) => return Ok(None),
        (Kind::Text, Body::String(text)) => {
            if text.chars().count() > MAX_TEXT {
                return Err(Fail::bad(&ctx.cfg.text_too_long));
            }
            if text.is_empty() && ctx.cfg.empty_text_clears {
                return Ok(None);
            }
            Value::Text(text.clone())
        }
        (Kind::Number, Body::Number(n)) => {
            let number = n.as_f64().and_then(|v| Num::new(v, Some(field.stored_places())));
            Value::Number(number.ok_or_else(wrong)?)
        }
        (Kind::Number, Body::String(text)) if ctx.cfg.number_as_text == NumberAsText::Accept => {
            let number = text.trim().parse().ok().and_then(|v| Num::new(v, Some(field.stored_places())));
            Value::Number(number.ok_or_else(wrong)?)
        }
        (Kind::Enum, Body::String(_)) => Value::Enum(enabled_option(field, value)?),
        (Kind::MultiEnum, Body::Array(items)) => {
            let chosen = each(items, |item| enabled_option(field, item))?;
            if chosen.is_empty() {
                return Ok(None);
            }
            Value::Multi(chosen)
        }
        (Kind::Date, Body::Object(parts)) => return date(parts, wrong),
        (Kind::People, Body::Array(items)) => {
            let people = each(items, |item| {
                let named = item.as_str().ok_or_else(wrong)?;
                ctx.find_user(named).ok_or_else(|| Fail::not_an_id("custom_fields", named))
            })?;
            if people.is_empty() {
                return Ok(None);
            }
            Value::People(people)
        }
        (Kind::Reference, Body::Array(items)) => {
            let things = each(items, |item| referenced(ctx, field, item))?;
            if things.is_empty() {
                return Ok(None);
            }
            Value::Reference(things)
        }
        _ => return Err(wrong()),
    }))
}

/// Reads a list of which each item stands once.
fn each(items: &[Body], read: impl Fn(&Body) -> Result<Gid, Fail>) -> Result<Vec<Gid>, Fail> {
    let mut gids = Vec::with_capacity(items.len());
    for item in items {
        let gid = read(item)?;
        if !gids.contains(&gid) {
            gids.push(gid);
        }
    }
    Ok(gids)
}

fn enabled_option(field: &Field, value: &Body) -> Result<Gid, Fail> {
    let gid = gid_of("custom_fields", value)?;
    let known = field.option(gid).is_some_and(|o| o.enabled);
    if known { Ok(gid) } else { Err(Fail::not_an_id("custom_fields", gid)) }
}

fn referenced(ctx: &Ctx<'_>, field: &Field, value: &Body) -> Result<Gid, Fail> {
    let gid = gid_of("custom_fields", value)?;
    let may = |kind: &str| field.input_restrictions.iter().any(|k| k == kind);
    let known = (may("task") && ctx.world.tasks.contains_key(&gid))
        || (may("project") && ctx.world.projects.contains_key(&gid));
    if known { Ok(gid) } else { Err(Fail::unknown_in_body("custom_fields", gid)) }
}

/// `{"date": …}` or `{"date_time": …}`; a plain string is refused by the real service too.
fn date(parts: &Map<String, Body>, wrong: impl Fn() -> Fail) -> Result<Option<Value>, Fail> {
    if parts.is_empty() || parts.keys().any(|k| !matches!(k.as_str(), "date" | "date_time")) {
        return Err(wrong());
    }
    let part = |name: &str| match parts.get(name) {
        None | Some(Body::Null) => Ok(None),
        Some(Body::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(wrong()),
    };
    match (part("date_time")?, part("date")?) {
        (Some(at), _) => {
            let at = time::parse_instant("date_time", at)?;
            Ok(Some(Value::Date(time::day_of(at), Some(at))))
        }
        (None, Some(day)) => Ok(Some(Value::Date(time::parse_day("date", day)?, None))),
        (None, None) => Ok(None),
    }
}
