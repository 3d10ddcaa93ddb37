//! Building a world in-process: workspaces, projects, sections, fields. Gids are counted up from one start, so
//! that the same steps give the same gids.

use std::collections::BTreeMap;

use serde_json::Value as Body;

use super::ops::{Ctx, enum_options, tasks, values};
use super::world::{Field, Gid, Kind, Project, Section, Setting, Value, Workspace, World};
use super::{Asana, PERSON, lock};
use crate::asana::error::Fail;

/// Name of the section that every new project has.
const FIRST_SECTION: &str = "Untitled section";

/// Type of a custom field, with what that type needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// Text of up to 1,024 characters.
    Text,
    /// A number; `precision` is the number of decimals shown.
    Number {
        /// Decimals, 0 to 6.
        precision: u8,
    },
    /// A number shown in one currency.
    Currency {
        /// Decimals, 0 to 6.
        precision: u8,
        /// ISO 4217 code.
        code: String,
    },
    /// A share: 0.25 is shown as 25%.
    Percentage {
        /// Decimals of the percentage shown.
        precision: u8,
    },
    /// One of some options.
    Enum(Vec<String>),
    /// Any of some options.
    MultiEnum(Vec<String>),
    /// A date, with or without a time.
    Date,
    /// Some users.
    People,
    /// Tasks or projects.
    Reference,
    /// A number that Asana computes; nobody can write it.
    Formula,
    /// Asana's own number of a task, such as AP-12; nobody can write it.
    CustomId {
        /// What stands before the dash.
        prefix: String,
    },
}

/// A custom field to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldSpec {
    /// Name as people see it.
    pub name: String,
    /// Type.
    pub kind: FieldKind,
}

impl FieldSpec {
    /// A field of a name and a type.
    pub fn new(name: impl Into<String>, kind: FieldKind) -> Self {
        Self { name: name.into(), kind }
    }
}

impl Asana {
    /// Makes a workspace; returns its gid.
    pub fn seed_workspace(&self, name: &str) -> String {
        let mut world = lock(&self.0.world);
        let gid = world.new_gid();
        let workspace = Workspace { name: name.to_owned(), fields: Vec::new(), projects: Vec::new() };
        world.workspaces.insert(gid, workspace);
        gid.to_string()
    }

    /// Makes a project with its first section; returns its gid, or `None` if there is no such workspace.
    pub fn seed_project(&self, workspace: &str, name: &str) -> Option<String> {
        let workspace = Gid::parse(workspace)?;
        let made = self.with_ctx(self.person(), None, "", |ctx| Ok(new_project(ctx, workspace, name)));
        Some(made.ok()??.to_string())
    }

    /// Makes a section at the end of a project; returns its gid, or `None` if there is no such project.
    pub fn seed_section(&self, project: &str, name: &str) -> Option<String> {
        let project = Gid::parse(project).filter(|p| lock(&self.0.world).projects.contains_key(p))?;
        let made = self.with_ctx(self.person(), None, "", |ctx| Ok(new_section(ctx, project, name)));
        Some(made.ok()?.to_string())
    }

    /// The sections of a project in order, as pairs of gid and name.
    #[must_use]
    pub fn sections(&self, project: &str) -> Vec<(String, String)> {
        let world = lock(&self.0.world);
        let known = Gid::parse(project).and_then(|p| world.projects.get(&p));
        let sections = known.map_or(&[][..], |p| &p.sections);
        sections.iter().filter_map(|s| Some((s.to_string(), world.sections.get(s)?.name.clone()))).collect()
    }

    /// Makes a field of the workspace's library; returns its gid, or `None` if there is no such workspace.
    pub fn seed_field(&self, workspace: &str, spec: &FieldSpec) -> Option<String> {
        let mut world = lock(&self.0.world);
        let workspace = Gid::parse(workspace).filter(|w| world.workspaces.contains_key(w))?;
        Some(new_field(&mut world, workspace, None, spec).to_string())
    }

    /// Makes a field that belongs to one project alone, and puts it there; returns its gid.
    pub fn seed_local_field(&self, project: &str, spec: &FieldSpec) -> Option<String> {
        let mut world = lock(&self.0.world);
        let project = Gid::parse(project)?;
        let workspace = world.projects.get(&project)?.workspace;
        let field = new_field(&mut world, workspace, Some(project), spec);
        attach(&mut world, project, field);
        Some(field.to_string())
    }

    /// The options of an enum field in order, as pairs of gid and name.
    #[must_use]
    pub fn options(&self, field: &str) -> Vec<(String, String)> {
        let world = lock(&self.0.world);
        let options = Gid::parse(field).and_then(|f| world.fields.get(&f)).map_or(&[][..], |f| &f.options);
        options.iter().map(|o| (o.gid.to_string(), o.name.clone())).collect()
    }

    /// Puts a field on a project; returns the gid of the setting. A field that is there stays as it is.
    pub fn seed_attach(&self, project: &str, field: &str) -> Option<String> {
        let mut world = lock(&self.0.world);
        let (project, field) = (Gid::parse(project)?, Gid::parse(field)?);
        if !world.projects.contains_key(&project) || !world.fields.contains_key(&field) {
            return None;
        }
        Some(attach(&mut world, project, field).to_string())
    }

    /// Makes a task at the end of a project's first section, with values as the API takes them; returns its gid.
    ///
    /// # Errors
    /// What the API would say.
    pub fn seed_task(
        &self,
        project: &str,
        name: &str,
        custom_fields: &BTreeMap<String, Body>,
    ) -> Result<String, String> {
        let gid = Gid::parse(project).ok_or_else(|| format!("project: Not a recognized ID: {project}"))?;
        let made = self.with_ctx(self.person(), None, "", |ctx| new_task(ctx, gid, name, custom_fields));
        made.map(|g| g.to_string()).map_err(|fail| fail.message)
    }

    pub(crate) fn person(&self) -> Gid {
        lock(&self.0.world).user(PERSON.0, PERSON.1)
    }
}

/// A task at the end of a project's first section.
pub(crate) fn new_task(
    ctx: &mut Ctx<'_>,
    project: Gid,
    name: &str,
    custom_fields: &BTreeMap<String, Body>,
) -> Result<Gid, Fail> {
    let known = ctx.seen_project(project, || Fail::unknown("project", project))?;
    let (workspace, section) = (known.workspace, known.sections.first().copied());
    let section = section.ok_or_else(|| Fail::unknown("section", 0))?;
    let body = custom_fields.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
    let data = [("custom_fields".to_owned(), Body::Object(body))].into_iter().collect();
    let projects = [project];
    let target = values::Target { projects: &projects, has_value: &|_| false };
    let values = if custom_fields.is_empty() { Vec::new() } else { values::read(ctx, &data, &target)? };
    let mut task = tasks::blank(workspace, ctx.user, ctx.now);
    name.clone_into(&mut task.name);
    task.followers.push(ctx.user);
    task.values = values.into_iter().filter_map(|(f, v): (Gid, Option<Value>)| Some((f, v?))).collect();
    Ok(ctx.add_task(task, &[section]))
}

pub(crate) fn new_project(ctx: &mut Ctx<'_>, workspace: Gid, name: &str) -> Option<Gid> {
    let now = ctx.now;
    let world = &mut *ctx.world;
    if !world.workspaces.contains_key(&workspace) {
        return None;
    }
    let owner = world.user(PERSON.0, PERSON.1);
    let gid = world.new_gid();
    let project = Project {
        workspace,
        name: name.to_owned(),
        notes: String::new(),
        archived: false,
        created_at: now,
        modified_at: now,
        owner,
        members: None,
        sections: Vec::new(),
        settings: Vec::new(),
        by_modified: std::collections::BTreeSet::new(),
    };
    world.projects.insert(gid, project);
    if let Some(w) = world.workspaces.get_mut(&workspace) {
        w.projects.push(gid);
    }
    ctx.tell_project(gid, workspace);
    new_section(ctx, gid, FIRST_SECTION);
    Some(gid)
}

pub(crate) fn new_section(ctx: &mut Ctx<'_>, project: Gid, name: &str) -> Gid {
    let now = ctx.now;
    let world = &mut *ctx.world;
    let gid = world.new_gid();
    let section = Section { project, name: name.to_owned(), created_at: now, tasks: BTreeMap::new() };
    world.sections.insert(gid, section);
    if let Some(p) = world.projects.get_mut(&project) {
        p.sections.push(gid);
    }
    ctx.tell_section(gid, project);
    gid
}

pub(crate) fn attach(world: &mut World, project: Gid, field: Gid) -> Gid {
    let settings = world.projects.get(&project).map_or(&[][..], |p| &p.settings);
    if let Some(there) = settings.iter().find(|s| s.field == field) {
        return there.gid;
    }
    let gid = world.new_gid();
    if let Some(p) = world.projects.get_mut(&project) {
        p.settings.push(Setting { gid, field, important: false, editors: None });
    }
    gid
}

fn new_field(world: &mut World, workspace: Gid, local_to: Option<Gid>, spec: &FieldSpec) -> Gid {
    let owner = world.user(PERSON.0, PERSON.1);
    let gid = world.new_gid();
    let kind = match &spec.kind {
        FieldKind::Text | FieldKind::CustomId { .. } => Kind::Text,
        FieldKind::Number { .. }
        | FieldKind::Currency { .. }
        | FieldKind::Percentage { .. }
        | FieldKind::Formula => Kind::Number,
        FieldKind::Enum(_) => Kind::Enum,
        FieldKind::MultiEnum(_) => Kind::MultiEnum,
        FieldKind::Date => Kind::Date,
        FieldKind::People => Kind::People,
        FieldKind::Reference => Kind::Reference,
    };
    let mut field = Field::new(workspace, &spec.name, kind, owner);
    field.local_to = local_to;
    match &spec.kind {
        FieldKind::Number { precision } => field.precision = *precision,
        FieldKind::Currency { precision, code } => {
            field.precision = *precision;
            "currency".clone_into(&mut field.format);
            field.currency_code = Some(code.clone());
        }
        FieldKind::Percentage { precision } => {
            field.precision = *precision;
            "percentage".clone_into(&mut field.format);
        }
        FieldKind::Enum(names) | FieldKind::MultiEnum(names) => {
            for name in names {
                let option = enum_options::new_option(world, gid, name.clone(), "none".to_owned());
                field.options.push(option);
            }
        }
        FieldKind::Reference => field.input_restrictions = vec!["project".to_owned(), "task".to_owned()],
        FieldKind::Formula => field.representation = Some("formula".to_owned()),
        FieldKind::CustomId { prefix } => {
            field.representation = Some("custom_id".to_owned());
            field.id_prefix = Some(prefix.clone());
        }
        FieldKind::Text | FieldKind::Date | FieldKind::People => {}
    }
    world.add_field(gid, field);
    gid
}
