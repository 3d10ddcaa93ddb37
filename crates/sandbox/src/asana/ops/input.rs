//! Reading members of a body and resolving what they name.

use serde_json::{Map, Value as Body};

use super::Ctx;
use crate::asana::config::Strictness;
use crate::asana::error::Fail;
use crate::asana::world::{Gid, Project, Task};

/// The JSON name of a value's kind.
pub(crate) fn kind(value: &Body) -> &'static str {
    match value {
        Body::Null => "null",
        Body::Bool(_) => "boolean",
        Body::Number(_) => "number",
        Body::String(_) => "string",
        Body::Array(_) => "array",
        Body::Object(_) => "object",
    }
}

/// A member that is text; absent and null are `None`.
pub(crate) fn text<'d>(data: &'d Map<String, Body>, name: &str) -> Result<Option<&'d str>, Fail> {
    match data.get(name) {
        None | Some(Body::Null) => Ok(None),
        Some(Body::String(text)) => Ok(Some(text)),
        Some(other) => Err(Fail::bad(format!("{name}: Value is not a string: {other}"))),
    }
}

pub(crate) fn flag(data: &Map<String, Body>, name: &str) -> Result<Option<bool>, Fail> {
    match data.get(name) {
        None => Ok(None),
        Some(Body::Bool(yes)) => Ok(Some(*yes)),
        Some(other) => Err(Fail::bad(format!("{name}: Value is not a boolean: {other}"))),
    }
}

/// A JSON value that names an object by gid.
pub(crate) fn gid_of(field: &str, value: &Body) -> Result<Gid, Fail> {
    match value {
        Body::String(text) => Gid::parse(text).ok_or_else(|| Fail::not_an_id(field, text)),
        other => Err(Fail::bad(format!("{field}: Not a valid GID type: {}", kind(other)))),
    }
}

/// A member that names an object; absent and null are `None`.
pub(crate) fn gid(data: &Map<String, Body>, name: &str) -> Result<Option<Gid>, Fail> {
    match data.get(name) {
        None | Some(Body::Null) => Ok(None),
        Some(value) => gid_of(name, value).map(Some),
    }
}

pub(crate) fn required_gid(data: &Map<String, Body>, name: &str) -> Result<Gid, Fail> {
    gid(data, name)?.ok_or_else(|| Fail::missing(name))
}

/// Refuses members that an operation does not know, where the settings say so.
pub(crate) fn only(ctx: &Ctx<'_>, data: &Map<String, Body>, known: &[&str]) -> Result<(), Fail> {
    match data.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) if ctx.cfg.unknown_members == Strictness::Refuse => {
            Err(Fail::bad(format!("{name}: Not a recognized property")))
        }
        _ => Ok(()),
    }
}

pub(crate) fn list<'d>(data: &'d Map<String, Body>, name: &str) -> Result<&'d [Body], Fail> {
    match data.get(name) {
        None | Some(Body::Null) => Ok(&[]),
        Some(Body::Array(items)) => Ok(items),
        Some(other) => Err(Fail::bad(format!("{name}: Value is not an array: {other}"))),
    }
}

/// The gid in a path; one that is not digits is refused before anything is looked up.
pub(crate) fn path_gid(resource: &str, text: &str) -> Result<Gid, Fail> {
    Gid::parse(text).ok_or_else(|| Fail::not_an_id(resource, text))
}

impl Ctx<'_> {
    /// The task named in a path: a gid, or `external:` and the app's own id.
    pub fn task_in_path(&self, text: &str) -> Result<Gid, Fail> {
        let gid = match (text.strip_prefix("external:"), self.app) {
            (Some(name), Some(app)) => {
                let known = self.world.externals.get(&(app.to_owned(), name.to_owned()));
                *known.ok_or_else(|| Fail::unknown("task", text))?
            }
            (Some(_), None) => return Err(Fail::unknown("task", text)),
            (None, _) => path_gid("task", text)?,
        };
        self.seen_task(gid, || Fail::unknown("task", gid)).map(|_| gid)
    }

    pub fn seen_task(&self, gid: Gid, missing: impl Fn() -> Fail) -> Result<&Task, Fail> {
        let task = self.world.tasks.get(&gid).ok_or_else(missing)?;
        if self.world.task_visible(task, self.user) { Ok(task) } else { Err(Fail::forbidden("task")) }
    }

    /// A project that the user may see.
    pub fn seen_project(&self, gid: Gid, missing: impl Fn() -> Fail) -> Result<&Project, Fail> {
        match self.world.project_for(gid, self.user) {
            Some(Ok(project)) => Ok(project),
            Some(Err(())) => Err(Fail::forbidden("project")),
            None => Err(missing()),
        }
    }

    pub fn project_in_path(&self, text: &str) -> Result<Gid, Fail> {
        let gid = path_gid("project", text)?;
        self.seen_project(gid, || Fail::unknown("project", gid)).map(|_| gid)
    }

    pub fn workspace_in_path(&self, text: &str) -> Result<Gid, Fail> {
        let gid = path_gid("workspace", text)?;
        if self.world.workspaces.contains_key(&gid) { Ok(gid) } else { Err(Fail::unknown("workspace", gid)) }
    }

    /// `me`, a gid or an email.
    pub fn find_user(&self, text: &str) -> Option<Gid> {
        if text == "me" {
            return Some(self.user);
        }
        match Gid::parse(text) {
            Some(gid) => self.world.users.contains_key(&gid).then_some(gid),
            None => self.world.user_by_email(text),
        }
    }
}
