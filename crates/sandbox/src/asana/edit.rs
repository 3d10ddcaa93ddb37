//! Changes made beside the API: what people do in Asana's own pages, and what administrators do to a workspace.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value as Body, json};

use super::config::Plan;
use super::error::Fail;
use super::ops::task_input::{self, Write};
use super::ops::values::Target;
use super::ops::{Ctx, input};
use super::webhooks::config::RevokedToken;
use super::world::{COMMENT, Gid, Place, Story};
use super::{Asana, attributes, lock, seed};

/// One change; as JSON `{"edit": "complete_task", "task": "…"}`. Gids are the API's.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(tag = "edit", rename_all = "snake_case", deny_unknown_fields)]
#[expect(missing_docs, reason = "the members are named like the API's and mean the same")]
pub enum Edit {
    /// Types a value into a field; the same kinds and rules as in the API, null clears.
    SetValue { task: String, field: String, value: Body },
    /// Ticks a task off.
    CompleteTask { task: String },
    /// Opens it again.
    ReopenTask { task: String },
    /// Decides an approval: `pending`, `approved`, `rejected` or `changes_requested`.
    DecideApproval { task: String, status: String },
    /// Changes the kind of a task: `default_task`, `milestone` or `approval`.
    ChangeSubtype { task: String, subtype: String },
    /// Gives a task another name.
    RenameTask { task: String, name: String },
    /// Gives a task another description.
    ChangeNotes { task: String, notes: String },
    /// Sets the day on which a task is due, as `2026-07-31`; none when it is left out.
    SetDueDate {
        task: String,
        #[serde(default)]
        due_on: Option<String>,
    },
    /// Assigns a task to a user, by gid or e-mail address; to nobody when it is left out.
    AssignTask {
        task: String,
        #[serde(default)]
        assignee: Option<String>,
    },
    /// Gives a task a tag.
    TagTask { task: String, tag: String },
    /// Takes a tag away from a task.
    UntagTask { task: String, tag: String },
    /// Puts a task into the trash.
    DeleteTask { task: String },
    /// Takes a task out of the trash, back to where it was.
    RestoreTask { task: String },
    /// Writes a comment on a task.
    Comment { task: String, text: String },
    /// Makes a task in a project, with values keyed by field gid, such as a PO number.
    CreateTask {
        project: String,
        name: String,
        #[serde(default)]
        custom_fields: BTreeMap<String, Body>,
    },
    /// Moves a task into a section, of the same project or of another one.
    MoveTask { task: String, section: String },
    /// Moves a task from one project to the end of another's first section.
    ChangeProject { task: String, from: String, to: String },
    /// Takes a task out of a project.
    RemoveFromProject { task: String, project: String },
    /// Makes a tag in a workspace.
    AddTag { workspace: String, name: String },
    /// Deletes a tag; tasks lose it.
    DeleteTag { tag: String },
    /// Lets another person into all workspaces.
    AddUser { name: String, email: String },
    /// Makes a section at the end of a project.
    AddSection { project: String, name: String },
    /// Makes a project in a workspace.
    AddProject { workspace: String, name: String },
    /// Gives a project another name.
    RenameProject { project: String, name: String },
    /// Gives a field another name.
    RenameField { field: String, name: String },
    /// Takes a field off a project; values on tasks become disabled.
    RemoveField { project: String, field: String },
    /// Puts a field of the library on a project.
    AddField { project: String, field: String },
    /// Changes the decimals of a number field; stored values stay as they are.
    ChangePrecision { field: String, precision: u8 },
    /// Changes the currency of a currency field; stored values stay as they are.
    ChangeCurrency { field: String, currency_code: String },
    /// Enables or disables an enum option.
    EnableOption { option: String, enabled: bool },
    /// Makes a field private to the person, so that the tokens' users no longer see it; or public again.
    HideField { field: String, hidden: bool },
    /// Locks the definition of a field to the person; or unlocks it.
    LockField { field: String, locked: bool },
    /// Lets only the person change values of a field in a project; or everyone again.
    RestrictValues { project: String, field: String, restricted: bool },
    /// Makes a project private to the person; or public again.
    HideProject { project: String, hidden: bool },
    /// Archives a project; or takes it back.
    ArchiveProject { project: String, archived: bool },
    /// Deletes a project. Its tasks stay, outside of it, and webhooks on it stay registered: what becomes of either is
    /// not documented.
    DeleteProject { project: String },
    /// Makes one of the changes above as Asana itself would, by a rule for instance: its events and the completion
    /// name no user.
    BySystem { change: Box<Edit> },
    /// Deletes a webhook without telling anybody, as outages of the real service did.
    DeleteWebhook { webhook: String },
    /// Makes a webhook deaf, or active again.
    ActivateWebhook { webhook: String, active: bool },
    /// Revokes a token; it answers 401 from then on. Its webhooks fare as the settings say.
    RevokeToken { token: String },
    /// Changes what the workspaces have paid for.
    ChangePlan { plan: Plan },
}

pub(crate) fn apply(asana: &Asana, edit: Edit) -> Result<(), Fail> {
    match edit {
        Edit::RevokeToken { token } => {
            if asana.config().webhooks.revoked_token == RevokedToken::Delete {
                asana.delete_webhooks_of(&token);
            }
            lock(&asana.0.revoked).insert(token);
            Ok(())
        }
        Edit::ChangePlan { plan } => {
            let config = (*asana.config()).clone();
            asana.reconfigure(super::AsanaConfig { plan, ..config });
            Ok(())
        }
        other => {
            let person = asana.person();
            asana.with_ctx(person, None, "", |ctx| on_world(ctx, other))
        }
    }
}

fn on_world(ctx: &mut Ctx<'_>, edit: Edit) -> Result<(), Fail> {
    match edit {
        Edit::SetValue { task, field, value } => {
            let mut fields = Map::new();
            fields.insert(field, value);
            write(ctx, &task, json!({ "custom_fields": fields }))
        }
        Edit::CompleteTask { task } => write(ctx, &task, json!({ "completed": true })),
        Edit::ReopenTask { task } => write(ctx, &task, json!({ "completed": false })),
        Edit::DecideApproval { task, status } => write(ctx, &task, json!({ "approval_status": status })),
        Edit::ChangeSubtype { task, subtype } => write(ctx, &task, json!({ "resource_subtype": subtype })),
        Edit::RenameTask { task, name } => write(ctx, &task, json!({ "name": name })),
        Edit::BySystem { change } => {
            ctx.actor = None;
            on_world(ctx, *change)
        }
        Edit::CreateTask { project, name, custom_fields } => {
            let project = input::path_gid("project", &project)?;
            seed::new_task(ctx, project, &name, &custom_fields).map(|_| ())
        }
        Edit::Comment { task, text } => {
            let task = ctx.task_in_path(&task)?;
            let (created_at, created_by, subtype) = (ctx.now, ctx.actor, COMMENT);
            ctx.remember(task);
            ctx.world.touch(task, created_at);
            ctx.add_story(Story { task, created_at, created_by, subtype, text, html: None });
            Ok(())
        }
        Edit::DeleteTask { task } => {
            let gid = ctx.task_in_path(&task)?;
            ctx.delete_task(gid);
            Ok(())
        }
        Edit::RestoreTask { task } => {
            let gid = known(&task, "task", |g| ctx.world.trash.contains_key(&g))?;
            ctx.restore_task(gid);
            Ok(())
        }
        Edit::MoveTask { .. } | Edit::ChangeProject { .. } | Edit::RemoveFromProject { .. } => {
            on_memberships(ctx, edit)
        }
        Edit::AddProject { .. }
        | Edit::RenameProject { .. }
        | Edit::HideProject { .. }
        | Edit::ArchiveProject { .. }
        | Edit::DeleteProject { .. } => on_projects(ctx, edit),
        Edit::DeleteWebhook { webhook } => {
            let gid = known(&webhook, "webhook", |g| ctx.world.hooks.webhooks.contains_key(&g))?;
            ctx.world.hooks.delete_by_asana(gid);
            Ok(())
        }
        Edit::ActivateWebhook { webhook, active } => {
            let gid = known(&webhook, "webhook", |g| ctx.world.hooks.webhooks.contains_key(&g))?;
            ctx.world.hooks.activate(gid, active);
            Ok(())
        }
        other => on_definitions(ctx, other),
    }
}

fn on_memberships(ctx: &mut Ctx<'_>, edit: Edit) -> Result<(), Fail> {
    match edit {
        Edit::MoveTask { task, section } => {
            let gid = ctx.task_in_path(&task)?;
            let section = known(&section, "section", |g| ctx.world.sections.contains_key(&g))?;
            ctx.remember(gid);
            ctx.place(gid, section, Place::End);
            Ok(())
        }
        Edit::ChangeProject { task, from, to } => {
            let (gid, from) = (ctx.task_in_path(&task)?, ctx.project_in_path(&from)?);
            let to = ctx.project_in_path(&to)?;
            let section = ctx.world.projects.get(&to).and_then(|p| p.sections.first().copied());
            let section = section.ok_or_else(|| Fail::unknown("project", to))?;
            ctx.remember(gid);
            if from != to && ctx.leave(gid, from) {
                ctx.place(gid, section, Place::End);
                return Ok(());
            }
            Err(Fail::unknown("project", from))
        }
        Edit::RemoveFromProject { task, project } => {
            let (gid, project) = (ctx.task_in_path(&task)?, ctx.project_in_path(&project)?);
            ctx.remember(gid);
            if ctx.leave(gid, project) { Ok(()) } else { Err(Fail::unknown("project", project)) }
        }
        _ => Err(Fail::bad("not an edit of memberships")),
    }
}

fn on_projects(ctx: &mut Ctx<'_>, edit: Edit) -> Result<(), Fail> {
    match edit {
        Edit::AddProject { workspace, name } => {
            let workspace = ctx.workspace_in_path(&workspace)?;
            let made = seed::new_project(ctx, workspace, &name);
            made.map(|_| ()).ok_or_else(|| Fail::unknown("workspace", workspace))
        }
        Edit::RenameProject { project, name } => project_changed(ctx, &project, "name", |p| p.name = name),
        Edit::HideProject { project, hidden } => {
            let who = hidden.then(|| BTreeSet::from([ctx.user]));
            project_changed(ctx, &project, "privacy_setting", |p| p.members = who)
        }
        Edit::ArchiveProject { project, archived } => {
            project_changed(ctx, &project, "archived", |p| p.archived = archived)
        }
        Edit::DeleteProject { project } => {
            let gid = known(&project, "project", |g| ctx.world.projects.contains_key(&g))?;
            ctx.delete_project(gid);
            Ok(())
        }
        _ => Err(Fail::bad("not an edit of a project")),
    }
}

fn project_changed(
    ctx: &mut Ctx<'_>,
    text: &str,
    field: &'static str,
    change: impl FnOnce(&mut super::world::Project),
) -> Result<(), Fail> {
    let gid = project_mut(ctx, text, change)?;
    ctx.tell_project_change(gid, field);
    Ok(())
}

fn on_definitions(ctx: &mut Ctx<'_>, edit: Edit) -> Result<(), Fail> {
    let only = |yes: bool| yes.then(|| BTreeSet::from([ctx.user]));
    match edit {
        Edit::RenameField { field, name } => field_mut(ctx, &field, |f| f.name = name),
        Edit::ChangePrecision { field, precision } => {
            field_mut(ctx, &field, |f| f.precision = precision.min(6))
        }
        Edit::ChangeCurrency { field, currency_code } => {
            field_mut(ctx, &field, |f| f.currency_code = Some(currency_code))
        }
        Edit::HideField { field, hidden } => {
            let who = only(hidden);
            field_mut(ctx, &field, |f| {
                f.privacy = if hidden { "private" } else { "public_with_guests" }.to_owned();
                f.visible_to = who;
            })
        }
        Edit::LockField { field, locked } => {
            let user = ctx.user;
            field_mut(ctx, &field, |f| f.locked_by = locked.then_some(user))
        }
        Edit::EnableOption { option, enabled } => {
            let gid = known(&option, "enum_option", |g| ctx.world.options.contains_key(&g))?;
            let field = ctx.world.options.get(&gid).copied();
            let options = field.and_then(|f| ctx.world.fields.get_mut(&f)).map(|f| &mut f.options);
            for o in options.into_iter().flatten().filter(|o| o.gid == gid) {
                o.enabled = enabled;
            }
            Ok(())
        }
        Edit::RemoveField { project, field } => {
            let gid = known(&field, "custom_field", |g| ctx.world.fields.contains_key(&g))?;
            project_mut(ctx, &project, |p| p.settings.retain(|s| s.field != gid)).map(|_| ())
        }
        Edit::AddField { project, field } => {
            let field = known(&field, "custom_field", |g| ctx.world.fields.contains_key(&g))?;
            let project = known(&project, "project", |g| ctx.world.projects.contains_key(&g))?;
            seed::attach(ctx.world, project, field);
            Ok(())
        }
        Edit::RestrictValues { project, field, restricted } => {
            let gid = known(&field, "custom_field", |g| ctx.world.fields.contains_key(&g))?;
            let who = only(restricted);
            project_mut(ctx, &project, |p| {
                for s in p.settings.iter_mut().filter(|s| s.field == gid) {
                    s.editors.clone_from(&who);
                }
            })
            .map(|_| ())
        }
        other => attributes::change(ctx, other),
    }
}

/// A write of a task as the API does it, by the person of the edit.
pub(super) fn write(ctx: &mut Ctx<'_>, task: &str, body: Body) -> Result<(), Fail> {
    let gid = ctx.task_in_path(task)?;
    let Body::Object(data) = body else { return Err(Fail::bad("data: Value is not a JSON object")) };
    let entry = ctx.seen_task(gid, || Fail::unknown("task", gid))?;
    let projects: Vec<Gid> = entry.memberships.iter().map(|m| m.project).collect();
    let target = Target { projects: &projects, has_value: &|f| entry.values.contains_key(&f) };
    let change = task_input::read(ctx, &data, Write::Update, Some((gid, entry)), &target)?;
    ctx.change_task(gid, change);
    Ok(())
}

pub(super) fn known(text: &str, resource: &str, there: impl Fn(Gid) -> bool) -> Result<Gid, Fail> {
    let gid = input::path_gid(resource, text)?;
    if there(gid) { Ok(gid) } else { Err(Fail::unknown(resource, gid)) }
}

fn field_mut(
    ctx: &mut Ctx<'_>,
    text: &str,
    change: impl FnOnce(&mut super::world::Field),
) -> Result<(), Fail> {
    let gid = input::path_gid("custom_field", text)?;
    ctx.world.fields.get_mut(&gid).map(change).ok_or_else(|| Fail::unknown("custom_field", gid))
}

fn project_mut(
    ctx: &mut Ctx<'_>,
    text: &str,
    change: impl FnOnce(&mut super::world::Project),
) -> Result<Gid, Fail> {
    let gid = input::path_gid("project", text)?;
    ctx.world.projects.get_mut(&gid).map(change).ok_or_else(|| Fail::unknown("project", gid))?;
    Ok(gid)
}
