//! People, tags and sections that tasks are assigned to, labelled with and put into: making them in-process, and the
//! edits of them.

use serde_json::json;

use super::edit::{known, write};
use super::error::Fail;
use super::ops::{Ctx, tags};
use super::world::{Gid, Tag, User, World};
use super::{Asana, Edit, lock, seed};

impl Asana {
    /// Lets another person into all workspaces, unless somebody has that e-mail address; returns the user's gid.
    pub fn seed_user(&self, name: &str, email: &str) -> String {
        new_user(&mut lock(&self.0.world), name, email).to_string()
    }

    /// All users in the order of their gids, as gid, name and e-mail address.
    #[must_use]
    pub fn users(&self) -> Vec<(String, String, String)> {
        let world = lock(&self.0.world);
        world.users.iter().map(|(gid, u)| (gid.to_string(), u.name.clone(), u.email.clone())).collect()
    }

    /// Makes a tag in a workspace; returns its gid, or `None` if there is no such workspace.
    pub fn seed_tag(&self, workspace: &str, name: &str) -> Option<String> {
        let made = self.with_ctx(self.person(), None, "", |ctx| {
            let workspace = ctx.workspace_in_path(workspace)?;
            Ok(new_tag(ctx, workspace, name))
        });
        Some(made.ok()?.to_string())
    }

    /// The tags of a workspace in the order of their gids, as pairs of gid and name.
    #[must_use]
    pub fn tags(&self, workspace: &str) -> Vec<(String, String)> {
        let (world, workspace) = (lock(&self.0.world), Gid::parse(workspace));
        let here = world.tags.iter().filter(|(_, tag)| Some(tag.workspace) == workspace);
        here.map(|(gid, tag)| (gid.to_string(), tag.name.clone())).collect()
    }
}

fn new_user(world: &mut World, name: &str, email: &str) -> Gid {
    if let Some(gid) = world.user_by_email(email) {
        return gid;
    }
    let gid = world.new_gid_apart();
    world.users.insert(gid, User { name: name.to_owned(), email: email.to_owned() });
    gid
}

fn new_tag(ctx: &mut Ctx<'_>, workspace: Gid, name: &str) -> Gid {
    let gid = ctx.world.new_gid_apart();
    ctx.world.tags.insert(gid, Tag { workspace, name: name.to_owned(), created_at: ctx.now });
    gid
}

/// Edits of what tasks have beside custom fields, and of what there is to choose from.
pub(super) fn change(ctx: &mut Ctx<'_>, edit: Edit) -> Result<(), Fail> {
    match edit {
        Edit::ChangeNotes { task, notes } => write(ctx, &task, json!({ "notes": notes })),
        Edit::SetDueDate { task, due_on } => write(ctx, &task, json!({ "due_on": due_on })),
        Edit::AssignTask { task, assignee } => write(ctx, &task, json!({ "assignee": assignee })),
        Edit::TagTask { task, tag } => {
            let (task, tag) = (ctx.task_in_path(&task)?, known_tag(ctx, &tag)?);
            let workspace = ctx.seen_task(task, || Fail::unknown("task", task))?.workspace;
            if !tags::in_workspace(ctx, tag, workspace) {
                return Err(Fail::unknown("tag", tag));
            }
            ctx.add_tag(task, tag);
            Ok(())
        }
        Edit::UntagTask { task, tag } => {
            let (task, tag) = (ctx.task_in_path(&task)?, known_tag(ctx, &tag)?);
            ctx.remove_tag(task, tag);
            Ok(())
        }
        Edit::AddTag { workspace, name } => {
            let workspace = ctx.workspace_in_path(&workspace)?;
            new_tag(ctx, workspace, &name);
            Ok(())
        }
        Edit::DeleteTag { tag } => {
            let tag = known_tag(ctx, &tag)?;
            ctx.world.delete_tag(tag);
            Ok(())
        }
        Edit::AddUser { name, email } => {
            if ctx.world.user_by_email(&email).is_some() {
                return Err(Fail::bad(format!("email: There is a user with that address: {email}")));
            }
            new_user(ctx.world, &name, &email);
            Ok(())
        }
        Edit::AddSection { project, name } => {
            let project = ctx.project_in_path(&project)?;
            seed::new_section(ctx, project, &name);
            Ok(())
        }
        _ => Err(Fail::bad("not an edit of Asana's records")),
    }
}

fn known_tag(ctx: &Ctx<'_>, text: &str) -> Result<Gid, Fail> {
    known(text, "tag", |gid| ctx.world.tags.contains_key(&gid))
}
