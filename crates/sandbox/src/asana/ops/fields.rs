//! Definitions of custom fields.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Body};

use super::input::{flag, gid, list as items, path_gid, text};
use super::{Ctx, FIELDS_NOT_FREE, enum_options};
use crate::asana::call::{Call, Reply, select};
use crate::asana::error::Fail;
use crate::asana::json::Json;
use crate::asana::paging::Page;
use crate::asana::select::Select;
use crate::asana::world::{Field, Gid, Kind};

/// Names of built-in task properties that a field may not take, in lower case.
const BUILT_IN: &[&str] = &[
    "assignee",
    "due date",
    "start date",
    "projects",
    "dependencies",
    "description",
    "name",
    "tags",
    "subtasks",
];
/// Formats of number fields.
const FORMATS: &[&str] = &["currency", "identifier", "percentage", "custom", "duration", "none"];
/// Most decimal places of a number field.
const MAX_PRECISION: u64 = 6;
/// Kinds of object that a reference field may be limited to.
const REFERABLE: &[&str] = &["task", "project", "portfolio", "goal"];

/// The fields of the workspace's library that the user may see.
pub(crate) fn list(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let workspace = ctx.workspace_in_path(&call.segments[1])?;
    ctx.paid(FIELDS_NOT_FREE)?;
    let page = Page::read(call, ctx.cfg, ctx.now_ms())?;
    let tree = call.tree(ctx.cfg);
    let wanted = select(tree.as_ref(), Select::Compact);
    let view = ctx.view();
    let library = ctx.world.workspaces.get(&workspace).map_or(&[][..], |w| &w.fields);
    let rows = library
        .iter()
        .filter_map(|gid| ctx.world.fields.get(gid).map(|f| (*gid, f)))
        .filter(|(_, f)| f.sees(ctx.user));
    page.answer_all(call, ctx.cfg, ctx.now_ms(), rows, |w, (gid, f)| view.field(w, wanted, *gid, f))
}

/// The field named in the path, if the user may see it.
pub(crate) fn in_path(ctx: &Ctx<'_>, call: &Call) -> Result<Gid, Fail> {
    let gid = path_gid("custom_field", &call.segments[1])?;
    ctx.paid(FIELDS_NOT_FREE)?;
    match ctx.world.fields.get(&gid) {
        Some(field) if field.sees(ctx.user) => Ok(gid),
        Some(_) => Err(Fail::forbidden("custom field")),
        None => Err(Fail::unknown("custom_field", gid)),
    }
}

/// Only whoever locked a field may change its definition.
pub(crate) fn unlocked(ctx: &Ctx<'_>, field: Gid) -> Result<(), Fail> {
    let locked_by = ctx.world.fields.get(&field).and_then(|f| f.locked_by);
    match locked_by {
        Some(user) if user != ctx.user => Err(Fail::new(403, "This custom field is locked.")),
        _ => Ok(()),
    }
}

pub(crate) fn get(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let gid = in_path(ctx, call)?;
    Ok(Reply::ok(written(ctx, call, gid)))
}

fn written(ctx: &Ctx<'_>, call: &Call, gid: Gid) -> Json {
    let tree = call.tree(ctx.cfg);
    let mut w = Json::default();
    match ctx.world.fields.get(&gid) {
        Some(field) => ctx.view().field(&mut w, select(tree.as_ref(), Select::Full), gid, field),
        None => w.raw("null"),
    }
    w
}

pub(crate) fn create(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    ctx.paid(FIELDS_NOT_FREE)?;
    let gid = define(ctx, &call.data, None)?;
    Ok(Reply::created(written(ctx, call, gid), format!("/custom_fields/{gid}")))
}

/// Creates a field of the library, or one that is local to a project.
pub(crate) fn define(
    ctx: &mut Ctx<'_>,
    data: &Map<String, Body>,
    local_to: Option<Gid>,
) -> Result<Gid, Fail> {
    let workspace = gid(data, "workspace")?.ok_or_else(|| Fail::missing("workspace"))?;
    if !ctx.world.workspaces.contains_key(&workspace) {
        return Err(Fail::unknown_in_body("workspace", workspace));
    }
    let subtype = text(data, "resource_subtype")?.or(text(data, "type")?);
    let subtype = subtype.ok_or_else(|| Fail::missing("resource_subtype"))?;
    let kind = Kind::parse(subtype)
        .ok_or_else(|| Fail::bad(format!("resource_subtype: Not a valid custom field type: {subtype}")))?;
    let name = text(data, "name")?.filter(|n| !n.is_empty()).ok_or_else(|| Fail::missing("name"))?;
    unique(ctx, workspace, local_to, name, None)?;
    let mut field = Field::new(workspace, name, kind, ctx.user);
    field.local_to = local_to;
    settle(&mut field, data)?;
    if kind == Kind::Reference && field.input_restrictions.is_empty() {
        return Err(Fail::missing("input_restrictions"));
    }
    let options =
        if kind.has_options() { enum_options::read_new(items(data, "enum_options")?)? } else { Vec::new() };
    let gid = ctx.world.new_gid();
    for (name, color) in options {
        let option = enum_options::new_option(ctx.world, gid, name, color);
        field.options.push(option);
    }
    ctx.world.add_field(gid, field);
    Ok(gid)
}

/// Names are unique in the library and within a project, and may not be those of built-in properties.
/// The message and that upper and lower case are one are assumptions.
fn unique(
    ctx: &Ctx<'_>,
    workspace: Gid,
    local_to: Option<Gid>,
    name: &str,
    except: Option<Gid>,
) -> Result<(), Fail> {
    let taken = ctx.world.fields.iter().any(|(gid, f)| {
        f.workspace == workspace
            && f.local_to == local_to
            && Some(*gid) != except
            && f.name.eq_ignore_ascii_case(name)
    });
    if taken || BUILT_IN.contains(&name.to_ascii_lowercase().as_str()) {
        return Err(Fail::bad(format!("name: A custom field with this name already exists: {name}")));
    }
    Ok(())
}

/// Reads the members that a create and an update share.
fn settle(field: &mut Field, data: &Map<String, Body>) -> Result<(), Fail> {
    if let Some(description) = text(data, "description")? {
        description.clone_into(&mut field.description);
    }
    if let Some(on) = flag(data, "has_notifications_enabled")? {
        field.notifications = on;
    }
    if let Some(format) = text(data, "format")? {
        if !FORMATS.contains(&format) {
            return Err(Fail::bad(format!("format: Not a valid format: {format}")));
        }
        format.clone_into(&mut field.format);
    }
    match data.get("precision") {
        None | Some(Body::Null) => {}
        Some(n) => {
            let places = n.as_u64().filter(|p| *p <= MAX_PRECISION).and_then(|p| u8::try_from(p).ok());
            field.precision = places.ok_or_else(|| Fail::bad("precision: Must be between 0 and 6"))?;
        }
    }
    if field.format == "identifier" {
        field.precision = 0;
    }
    let owned = |name: &str| -> Result<Option<String>, Fail> { Ok(text(data, name)?.map(str::to_owned)) };
    if let Some(code) = owned("currency_code")? {
        let iso = code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase());
        if !iso {
            return Err(Fail::bad(format!("currency_code: Not a valid ISO 4217 currency code: {code}")));
        }
        field.currency_code = Some(code);
    }
    if field.format == "currency" && field.currency_code.is_none() {
        return Err(Fail::missing("currency_code"));
    }
    if field.format != "currency" {
        field.currency_code = None;
    }
    if let Some(label) = owned("custom_label")? {
        field.custom_label = Some(label);
    }
    if let Some(position) = owned("custom_label_position")? {
        field.custom_label_position = Some(position);
    }
    if field.format != "custom" {
        (field.custom_label, field.custom_label_position) = (None, None);
    }
    let kinds = items(data, "input_restrictions")?.iter().filter_map(Body::as_str);
    let kinds: BTreeSet<&str> = kinds.filter(|k| REFERABLE.contains(k)).collect();
    if !kinds.is_empty() {
        field.input_restrictions = kinds.into_iter().map(str::to_owned).collect();
    }
    Ok(())
}

/// Changes a definition; its type and its enum options cannot be changed here.
pub(crate) fn update(ctx: &mut Ctx<'_>, call: &Call) -> Result<Reply, Fail> {
    let gid = in_path(ctx, call)?;
    unlocked(ctx, gid)?;
    let data = &call.data;
    let Some(field) = ctx.world.fields.get(&gid) else { return Err(Fail::unknown("custom_field", gid)) };
    for name in ["resource_subtype", "type"] {
        if text(data, name)?.is_some_and(|t| t != field.kind.name()) {
            return Err(Fail::no_write(name));
        }
    }
    for name in ["enum_options", "is_global_to_workspace", "created_by", "gid"] {
        if data.contains_key(name) {
            return Err(Fail::no_write(name));
        }
    }
    let mut changed = field.clone();
    if let Some(name) = text(data, "name")? {
        if name.is_empty() {
            return Err(Fail::missing("name"));
        }
        unique(ctx, field.workspace, field.local_to, name, Some(gid))?;
        name.clone_into(&mut changed.name);
    }
    settle(&mut changed, data)?;
    ctx.world.fields.insert(gid, changed);
    Ok(Reply::ok(written(ctx, call, gid)))
}
