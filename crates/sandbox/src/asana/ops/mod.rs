//! The operations: each reads its input, decides as Asana does, and writes the answer.

pub(crate) mod attachments;
pub(crate) mod batch;
pub(crate) mod enum_options;
pub(crate) mod events;
pub(crate) mod fields;
pub(crate) mod input;
pub(crate) mod memberships;
pub(crate) mod people;
pub(crate) mod projects;
pub(crate) mod search;
pub(crate) mod settings;
pub(crate) mod stories;
pub(crate) mod tags;
pub(crate) mod task_input;
pub(crate) mod task_list;
pub(crate) mod tasks;
pub(crate) mod values;
pub(crate) mod webhooks;

use jiff::Timestamp;

use super::call::{Call, Op, Reply};
use super::config::{AsanaConfig, Plan};
use super::error::Fail;
use super::records::View;
use super::world::{Gid, World};

/// What an operation works with.
pub(crate) struct Ctx<'a> {
    pub world: &'a mut World,
    pub cfg: &'a AsanaConfig,
    /// The user of the token.
    pub user: Gid,
    /// Whom changes are ascribed to: the user, or nobody when Asana itself makes them.
    pub actor: Option<Gid>,
    pub app: Option<&'a str>,
    pub base: &'a str,
    pub now: Timestamp,
    /// Milliseconds on the clock of the search lag.
    pub search_ms: i64,
}

impl Ctx<'_> {
    pub fn view(&self) -> View<'_> {
        View { world: self.world, cfg: self.cfg, user: self.user, app: self.app, base: self.base }
    }

    pub fn now_ms(&self) -> i64 {
        self.now.as_millisecond()
    }

    /// To be called before a task changes, so that search can lag behind.
    pub fn remember(&mut self, task: Gid) {
        let lag = i64::from(self.cfg.search_lag_seconds).saturating_mul(1000);
        self.world.remember(task, self.search_ms, lag);
    }

    /// 402 on the free plan, in the words known for each feature.
    pub fn paid(&self, message: &str) -> Result<(), Fail> {
        match self.cfg.plan {
            Plan::Paid => Ok(()),
            Plan::Free => Err(Fail::new(402, message)),
        }
    }
}

/// Message of the 402 for custom field definitions and values.
pub(crate) const FIELDS_NOT_FREE: &str = "Custom Fields are not available for free users or guests.";

/// Runs one operation.
pub(crate) fn perform(ctx: &mut Ctx<'_>, op: Op, call: &Call) -> Result<Reply, Fail> {
    match op {
        Op::User => people::user(ctx, call),
        Op::Workspaces => people::workspaces(ctx, call),
        Op::Workspace => people::workspace(ctx, call),
        Op::Projects | Op::WorkspaceProjects => projects::list(ctx, call),
        Op::Project => projects::get(ctx, call),
        Op::Sections => projects::sections(ctx, call),
        Op::CreateSection => projects::create_section(ctx, call),
        Op::ProjectSettings => settings::list(ctx, call),
        Op::AddSetting => settings::add(ctx, call),
        Op::RemoveSetting => settings::remove(ctx, call),
        Op::Tasks => task_list::by_query(ctx, call),
        Op::ProjectTasks => task_list::of_project(ctx, call),
        Op::SectionTasks => task_list::of_section(ctx, call),
        Op::Subtasks => task_list::of_task(ctx, call),
        Op::Task => tasks::get(ctx, call),
        Op::CreateTask => tasks::create(ctx, call),
        Op::CreateSubtask => tasks::create_subtask(ctx, call),
        Op::UpdateTask => tasks::update(ctx, call),
        Op::DeleteTask => tasks::delete(ctx, call),
        Op::AddProject => memberships::add_project(ctx, call),
        Op::RemoveProject => memberships::remove_project(ctx, call),
        Op::AddTag => tags::add(ctx, call),
        Op::RemoveTag => tags::remove(ctx, call),
        Op::WorkspaceTags => tags::list(ctx, call),
        Op::SectionAddTask => memberships::add_to_section(ctx, call),
        Op::Section => projects::section(ctx, call),
        Op::Story => stories::get(ctx, call),
        Op::Attachment => attachments::get(ctx, call),
        Op::Stories => stories::list(ctx, call),
        Op::CreateStory => stories::create(ctx, call),
        Op::Search => search::search(ctx, call),
        Op::WorkspaceFields => fields::list(ctx, call),
        Op::Field => fields::get(ctx, call),
        Op::CreateField => fields::create(ctx, call),
        Op::UpdateField => fields::update(ctx, call),
        Op::CreateOption => enum_options::create(ctx, call),
        Op::InsertOption => enum_options::insert(ctx, call),
        Op::UpdateOption => enum_options::update(ctx, call),
        Op::Attach => attachments::create(ctx, call),
        Op::Webhooks => webhooks::list(ctx, call),
        Op::CreateWebhook => webhooks::create(ctx, call),
        Op::Webhook => webhooks::get(ctx, call),
        Op::UpdateWebhook => webhooks::update(ctx, call),
        Op::DeleteWebhook => webhooks::delete(ctx, call),
        Op::Events => events::list(ctx, call),
        Op::WorkspaceEvents => events::of_workspace(ctx, call),
        // A batch runs its actions one by one and never holds another batch.
        Op::Batch => Err(Fail::bad("Batch requests may not be nested.")),
    }
}
