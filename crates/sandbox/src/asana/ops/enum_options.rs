//! Options of enum and multi-enum fields. An option is never deleted, only disabled.

use serde_json::Value as Body;

use super::Ctx;
use super::fields::{in_path, unlocked};
use super::input::{flag, gid, path_gid, required_gid, text};
use crate::asana::call::{Call, Reply, select};
use crate::asana::config::Strictness;
use crate::asana::error::Fail;
use crate::asana::json::Json;
use crate::asana::select::Select;
use crate::asana::world::{EnumOption, Gid, World};

/// The most options of one field, disabled ones included.
const MAX_OPTIONS: usize = 500;
/// Colour of an option that names none.
const NO_COLOR: &str = "none";

/// Names and colours of the options of a new field: at least one, at most [`MAX_OPTIONS`].
pub(crate) fn read_new(items: &[Body]) -> Result<Vec<(String, String)>, Fail> {
    if items.is_empty() {
        return Err(Fail::missing("enum_options"));
    }
    if items.len() > MAX_OPTIONS {
        return Err(too_many());
    }
    items
        .iter()
        .map(|item| {
            let Body::Object(parts) = item else {
                return Err(Fail::bad(format!("enum_options: Value is not a JSON object: {item}")));
            };
            let name = text(parts, "name")?.filter(|n| !n.is_empty()).ok_or_else(|| Fail::missing("name"))?;
            Ok((name.to_owned(), text(parts, "color")?.unwrap_or(NO_COLOR).to_owned()))
        })
        .collect()
}

fn too_many() -> Fail {
    Fail::bad(format!("A custom field can have at most {MAX_OPTIONS} enum options"))
}

/// Makes an option and notes which field it belongs to.
pub(crate) fn new_option(world: &mut World, field: Gid, name: String, color: String) -> EnumOption {
    let gid = world.new_gid();
    world.options.insert(gid, field);
    EnumOption { gid, name, color, enabled: true }
}

fn name_free(ctx: &Ctx<'_>, field: Gid, name: &str, except: Option<Gid>) -> Result<(), Fail> {
    let options = ctx.world.fields.get(&field).map_or(&[][..], |f| &f.options);
    let taken = options.iter().any(|o| o.enabled && Some(o.gid) != except && o.name == name);
    if taken && ctx.cfg.duplicate_option_names == Strictness::Refuse {
        return Err(Fail::bad(format!("name: An enum option with this name already exists: {name}")));
    }
    Ok(())
}

/// Where in the list two members of the body point; both at once are refused.
fn position(ctx: &Ctx<'_>, call: &Call, field: Gid, names: [&str; 2]) -> Result<Option<usize>, Fail> {
    let [before, after] = names;
    let options = ctx.world.fields.get(&field).map_or(&[][..], |f| &f.options);
    let find = |name: &str| -> Result<Option<usize>, Fail> {
        let Some(other) = gid(&call.data, name)? else { return Ok(None) };
        let at = options.iter().position(|o| o.gid == other);
        at.map(Some).ok_or_else(|| Fail::unknown_in_body(name, other))
    };
    match (find(before)?, find(after)?) {
        (Some(_), Some(_)) => Err(Fail::bad(format!("You may only provide one of {before} or {after}!"))),
        (Some(at), None) => Ok(Some(at)),
        (None, Some(at)) => Ok(Some(at.saturating_add(1))),
        (None, None) => Ok(None),
    }
}

fn written(ctx: &Ctx<'_>, call: &Call, field: Gid, option: Gid) -> Json {
    let tree = call.tree(ctx.cfg);
    let mut w = Json::default();
    match ctx.world.fields.get(&field).and_then(|f| f.option(option)) {
        Some(o) => ctx.view().option(&mut w, select(tree.as_ref(), Select::Full), o),
        None => w.raw("null"),
    }
    w
}

/// A field that has options and may be changed by this user.
fn with_options(ctx: &Ctx<'_>, call: &Call) -> Result<Gid, Fail> {
    let field = in_path(ctx, call)?;
    unlocked(ctx, field)?;
    let has = ctx.world.fields.get(&field).is_some_and(|f| f.kind.has_options());
    if has { Ok(field) } else { Err(Fail::bad("custom_field: Only enum custom fields have enum options")) }
}

pub(crate) fn create(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let field = with_options(ctx, call)?;
    let name = text(&call.data, "name")?.filter(|n| !n.is_empty()).ok_or_else(|| Fail::missing("name"))?;
    name_free(ctx, field, name, None)?;
    let color = text(&call.data, "color")?.unwrap_or(NO_COLOR);
    let at = position(ctx, call, field, ["insert_before", "insert_after"])?;
    if ctx.world.fields.get(&field).is_some_and(|f| f.options.len() >= MAX_OPTIONS) {
        return Err(too_many());
    }
    let option = new_option(ctx.world, field, name.to_owned(), color.to_owned());
    let gid = option.gid;
    if let Some(f) = ctx.world.fields.get_mut(&field) {
        f.options.insert(at.unwrap_or(f.options.len()), option);
    }
    Ok(Reply::created(written(ctx, call, field, gid), format!("/enum_options/{gid}")))
}

/// Moves an option before or after another.
pub(crate) fn insert(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let field = with_options(ctx, call)?;
    let moved = required_gid(&call.data, "enum_option")?;
    let to = position(ctx, call, field, ["before_enum_option", "after_enum_option"])?;
    let Some(f) = ctx.world.fields.get_mut(&field) else { return Err(Fail::unknown("custom_field", field)) };
    let Some(from) = f.options.iter().position(|o| o.gid == moved) else {
        return Err(Fail::unknown_in_body("enum_option", moved));
    };
    let to = to.unwrap_or(f.options.len());
    let option = f.options.remove(from);
    let to = if from < to { to.saturating_sub(1) } else { to };
    f.options.insert(to.min(f.options.len()), option);
    Ok(Reply::ok(written(ctx, call, field, moved)))
}

pub(crate) fn update(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let gid = path_gid("enum_option", &call.segments[1])?;
    ctx.paid(super::FIELDS_NOT_FREE)?;
    let field = ctx.world.options.get(&gid).copied().ok_or_else(|| Fail::unknown("enum_option", gid))?;
    if !ctx.view().sees_field(field) {
        return Err(Fail::forbidden("custom field"));
    }
    unlocked(ctx, field)?;
    let name = text(&call.data, "name")?;
    if let Some(name) = name {
        name_free(ctx, field, name, Some(gid))?;
    }
    let (color, enabled) = (text(&call.data, "color")?, flag(&call.data, "enabled")?);
    let Some(f) = ctx.world.fields.get_mut(&field) else { return Err(Fail::unknown("enum_option", gid)) };
    let others = f.options.iter().any(|o| o.gid != gid && o.enabled);
    if enabled == Some(false) && !others {
        return Err(Fail::bad("enabled: A custom field needs at least one enabled enum option"));
    }
    if let Some(option) = f.options.iter_mut().find(|o| o.gid == gid) {
        if let Some(name) = name {
            name.clone_into(&mut option.name);
        }
        if let Some(color) = color {
            color.clone_into(&mut option.color);
        }
        option.enabled = enabled.unwrap_or(option.enabled);
    }
    Ok(Reply::ok(written(ctx, call, field, gid)))
}
