//! One API call, whether it came alone or as an action of a batch, and its answer.

use serde_json::{Map, Value as Body};

use super::config::AsanaConfig;
use super::error::Fail;
use super::json::Json;
use super::limits::Cost;
use super::select::{Select, Tree};

/// The methods that Asana's operations use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    Post,
    Put,
    Delete,
}

/// A call as far as it is the same for all operations.
#[derive(Debug, Default)]
pub(crate) struct Call {
    /// Decoded path segments below `/api/1.0`.
    pub segments: Vec<String>,
    pub params: Vec<(String, String)>,
    /// The `data` of the body; empty for a call without one.
    pub data: Map<String, Body>,
    /// `options.fields` of the body.
    pub fields: Vec<String>,
    /// The parts of an upload.
    pub form: Vec<super::ops::attachments::Part>,
    /// What came of the handshake, when a webhook is registered.
    pub confirmed: Option<Result<super::ops::webhooks::Confirmed, Fail>>,
}

impl Call {
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn path(&self) -> String {
        self.segments.iter().fold(String::new(), |path, s| path + "/" + s)
    }

    /// What `opt_fields` and `options.fields` ask for; absent when neither is there.
    pub fn tree(&self, cfg: &AsanaConfig) -> Option<Tree> {
        let lists =
            self.params.iter().filter(|(name, _)| name == "opt_fields").map(|(_, list)| list.as_str());
        let tree = Tree::parse(lists.chain(self.fields.iter().map(String::as_str)), cfg.bare_paths.into());
        (!tree.is_empty()).then_some(tree)
    }

    /// Splits a JSON body into `data` and `options`; nothing else may stand at its top level.
    pub fn read_body(&mut self, bytes: &[u8]) -> Result<(), Fail> {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        let invalid = || Fail::bad("Could not parse request data, invalid JSON");
        let Ok(Body::Object(top)) = serde_json::from_slice(bytes) else { return Err(invalid()) };
        if let Some(stray) = top.keys().find(|k| !matches!(k.as_str(), "data" | "options")) {
            return Err(Fail::bad(format!(
                "Unrecognized request field `{stray}`. The only allowed keys at the top level are: data, options. \
                 Is it possible you did not wrap object properties in a `data` object?"
            )));
        }
        for (key, value) in top {
            match (key.as_str(), value) {
                ("data", Body::Object(data)) => self.data = data,
                ("options", Body::Object(options)) => self.read_options(&options),
                ("data", other) => {
                    return Err(Fail::bad(format!("data: Value is not a JSON object: {other}")));
                }
                _ => {}
            }
        }
        Ok(())
    }

    pub fn read_options(&mut self, options: &Map<String, Body>) {
        match options.get("fields") {
            Some(Body::Array(fields)) => {
                self.fields.extend(fields.iter().filter_map(|f| f.as_str().map(str::to_owned)));
            }
            Some(Body::String(list)) => self.fields.push(list.clone()),
            _ => {}
        }
        for name in ["limit", "offset"] {
            match options.get(name) {
                Some(Body::String(text)) => self.params.push((name.to_owned(), text.clone())),
                Some(Body::Number(n)) => self.params.push((name.to_owned(), n.to_string())),
                _ => {}
            }
        }
    }
}

/// What is wanted of a single record or of the rows of a listing.
pub(crate) fn select<'t>(tree: Option<&'t Tree>, otherwise: Select<'static>) -> Select<'t> {
    tree.map_or(otherwise, Select::Paths)
}

/// An answer; `data` is JSON text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub status: u16,
    pub data: String,
    /// Path of a created object below `/api/1.0`.
    pub location: Option<String>,
    /// Outer: whether `next_page` stands there; inner: the token of the next page.
    pub next_page: Option<Option<String>>,
    /// Further members beside `data`, as names and JSON text.
    pub beside: Vec<(&'static str, String)>,
}

impl Reply {
    pub fn ok(data: Json) -> Self {
        Self { status: 200, data: data.finish(), location: None, next_page: None, beside: Vec::new() }
    }

    pub fn created(data: Json, location: String) -> Self {
        Self { status: 201, location: Some(location), ..Self::ok(data) }
    }

    pub fn empty() -> Self {
        let mut nothing = Json::default();
        nothing.raw("{}");
        Self::ok(nothing)
    }
}

/// The operations that are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    User,
    Workspaces,
    Workspace,
    Projects,
    WorkspaceProjects,
    Project,
    Sections,
    CreateSection,
    ProjectTasks,
    SectionTasks,
    ProjectSettings,
    AddSetting,
    RemoveSetting,
    Tasks,
    CreateTask,
    Task,
    UpdateTask,
    DeleteTask,
    Subtasks,
    CreateSubtask,
    AddProject,
    RemoveProject,
    AddTag,
    RemoveTag,
    WorkspaceTags,
    SectionAddTask,
    Section,
    Stories,
    Story,
    CreateStory,
    Search,
    WorkspaceFields,
    Field,
    CreateField,
    UpdateField,
    CreateOption,
    InsertOption,
    UpdateOption,
    Batch,
    Attach,
    Attachment,
    Webhooks,
    CreateWebhook,
    Webhook,
    UpdateWebhook,
    DeleteWebhook,
    Events,
    WorkspaceEvents,
}

/// Finds the operation; a wrong method finds none, as on the real service.
pub(crate) fn route(verb: Verb, segments: &[String]) -> Option<Op> {
    use Verb::{Delete, Get, Post, Put};
    let path: Vec<&str> = segments.iter().map(String::as_str).collect();
    Some(match (verb, path.as_slice()) {
        (Get, ["users", _]) => Op::User,
        (Get, ["workspaces"]) => Op::Workspaces,
        (Get, ["workspaces", _]) => Op::Workspace,
        (Get, ["projects"]) => Op::Projects,
        (Get, ["workspaces", _, "projects"]) => Op::WorkspaceProjects,
        (Get, ["projects", _]) => Op::Project,
        (Get, ["projects", _, "sections"]) => Op::Sections,
        (Post, ["projects", _, "sections"]) => Op::CreateSection,
        (Get, ["projects", _, "tasks"]) => Op::ProjectTasks,
        (Get, ["sections", _]) => Op::Section,
        (Get, ["sections", _, "tasks"]) => Op::SectionTasks,
        (Get, ["projects", _, "custom_field_settings"]) => Op::ProjectSettings,
        (Post, ["projects", _, "addCustomFieldSetting"]) => Op::AddSetting,
        (Post, ["projects", _, "removeCustomFieldSetting"]) => Op::RemoveSetting,
        (Get, ["tasks"]) => Op::Tasks,
        (Post, ["tasks"]) => Op::CreateTask,
        (Get, ["tasks", _]) => Op::Task,
        (Put, ["tasks", _]) => Op::UpdateTask,
        (Delete, ["tasks", _]) => Op::DeleteTask,
        (Get, ["tasks", _, "subtasks"]) => Op::Subtasks,
        (Post, ["tasks", _, "subtasks"]) => Op::CreateSubtask,
        (Post, ["tasks", _, "addProject"]) => Op::AddProject,
        (Post, ["tasks", _, "removeProject"]) => Op::RemoveProject,
        (Post, ["tasks", _, "addTag"]) => Op::AddTag,
        (Post, ["tasks", _, "removeTag"]) => Op::RemoveTag,
        (Get, ["workspaces", _, "tags"]) => Op::WorkspaceTags,
        (Post, ["sections", _, "addTask"]) => Op::SectionAddTask,
        (Get, ["tasks", _, "stories"]) => Op::Stories,
        (Post, ["tasks", _, "stories"]) => Op::CreateStory,
        (Get, ["stories", _]) => Op::Story,
        (Get, ["workspaces", _, "tasks", "search"]) => Op::Search,
        (Get, ["workspaces", _, "custom_fields"]) => Op::WorkspaceFields,
        (Get, ["custom_fields", _]) => Op::Field,
        (Post, ["custom_fields"]) => Op::CreateField,
        (Put, ["custom_fields", _]) => Op::UpdateField,
        (Post, ["custom_fields", _, "enum_options"]) => Op::CreateOption,
        (Post, ["custom_fields", _, "enum_options", "insert"]) => Op::InsertOption,
        (Put, ["enum_options", _]) => Op::UpdateOption,
        (Post, ["batch"]) => Op::Batch,
        (Post, ["attachments"]) => Op::Attach,
        (Get, ["attachments", _]) => Op::Attachment,
        (Get, ["webhooks"]) => Op::Webhooks,
        (Post, ["webhooks"]) => Op::CreateWebhook,
        (Get, ["webhooks", _]) => Op::Webhook,
        (Put, ["webhooks", _]) => Op::UpdateWebhook,
        (Delete, ["webhooks", _]) => Op::DeleteWebhook,
        (Get, ["events"]) => Op::Events,
        (Get, ["workspaces", _, "events"]) => Op::WorkspaceEvents,
        _ => return None,
    })
}

/// What a call uses of the limits.
pub(crate) fn cost(verb: Verb, op: Op) -> Cost {
    let read = verb == Verb::Get;
    Cost { reads: u32::from(read), writes: u32::from(!read), searches: u32::from(op == Op::Search) }
}
