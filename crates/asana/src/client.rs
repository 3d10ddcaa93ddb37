//! The client and its operations.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Method;
use secrecy::SecretString;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::address::gid;
use crate::config::{BudgetSettings, Config, Kind};
use crate::custom_field::{CustomField, CustomFieldSetting, EnumOption};
use crate::definition::{self, NewCustomField};
use crate::enum_option;
use crate::error::Error;
use crate::listing::{One, PAGE_ROWS, Page};
use crate::opt_fields;
use crate::record::{Project, Section, User, Workspace};
use crate::task::Task;
use crate::transport::{Call, Received, Transport};
use crate::webhook::{self, Created, CreatedWebhook, Webhook, WebhookFilter};

/// Most tasks that a search answers; it has no further pages.
const SEARCH_ROWS: usize = 100;

/// A client for one token. Clones share everything; clients with the same token and address share the rate
/// budget.
///
/// Every call waits for the budget first, then sends its request once. Errors are those of [`Error`]; the
/// operations name only what is special about them.
#[derive(Clone)]
pub struct Asana {
    pub(crate) transport: Arc<Transport>,
}

impl fmt::Debug for Asana {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asana").field("base", &self.transport.base().as_str()).finish_non_exhaustive()
    }
}

/// One page of tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskPage {
    /// The tasks, at most 100.
    pub tasks: Vec<Task>,
    /// Token of the next page; `None` on the last one. It expires: go on without delay.
    pub next: Option<String>,
}

/// What came of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The task as it is now.
    pub task: Task,
    /// HTTP status: 201 for a new task, 200 for a changed one.
    pub status: u16,
    /// The answer as it was received.
    pub body: String,
}

impl Asana {
    /// A client with these settings. Nothing is sent.
    ///
    /// # Errors
    /// [`Error::Config`] when the address, the token or the budget cannot be used.
    pub fn new(config: Config) -> Result<Asana, Error> {
        Ok(Asana { transport: Arc::new(Transport::new(config)?) })
    }

    /// The user that the token belongs to (`getUser`).
    pub async fn me(&self) -> Result<User, Error> {
        self.read("me", &["users", "me"], opt_fields::USER).await
    }

    /// The workspaces that the token may see (`getWorkspaces`). One whose administrator blocked the token's
    /// kind of app is missing.
    pub async fn workspaces(&self) -> Result<Vec<Workspace>, Error> {
        let query = [("opt_fields", opt_fields::WORKSPACE)];
        self.transport.all("workspaces", &["workspaces"], &query).await
    }

    /// The projects of a workspace, archived ones included (`getProjectsForWorkspace`). May time out in very
    /// large organizations.
    pub async fn projects(&self, workspace: &str) -> Result<Vec<Project>, Error> {
        let path = ["workspaces", gid("workspace", workspace)?, "projects"];
        self.transport.all("projects", &path, &[("opt_fields", opt_fields::PROJECT)]).await
    }

    /// The projects of a workspace that are not archived (`getProjects`). May time out in very large
    /// organizations.
    pub async fn workspace_projects(&self, workspace: &str) -> Result<Vec<Project>, Error> {
        let query = [
            ("workspace", gid("workspace", workspace)?),
            ("archived", "false"),
            ("opt_fields", opt_fields::PROJECT),
        ];
        self.transport.all("workspace_projects", &["projects"], &query).await
    }

    /// One project (`getProject`).
    pub async fn project(&self, project: &str) -> Result<Project, Error> {
        self.read("project", &["projects", gid("project", project)?], opt_fields::PROJECT).await
    }

    /// The sections of a project, in their order (`getSectionsForProject`).
    pub async fn sections(&self, project: &str) -> Result<Vec<Section>, Error> {
        let path = ["projects", gid("project", project)?, "sections"];
        self.transport.all("sections", &path, &[("opt_fields", opt_fields::SECTION)]).await
    }

    /// The custom fields on a project (`getCustomFieldSettingsForProject`). Private fields that the token may
    /// not see are left out by Asana without a word, so a missing field is not a deleted one.
    pub async fn custom_field_settings(&self, project: &str) -> Result<Vec<CustomField>, Error> {
        let path = ["projects", gid("project", project)?, "custom_field_settings"];
        let query = [("opt_fields", opt_fields::CUSTOM_FIELD_SETTING)];
        let settings: Vec<CustomFieldSetting> =
            self.transport.all("custom_field_settings", &path, &query).await?;
        Ok(settings.into_iter().map(|setting| setting.custom_field).collect())
    }

    /// The custom fields of a workspace's library (`getCustomFieldsForWorkspace`). Fields of one project only are
    /// not among them, and private ones that the token may not see are left out without a word.
    ///
    /// # Errors
    /// [`Error::PaymentRequired`] without a paid plan; guests may not list them either.
    pub async fn workspace_custom_fields(&self, workspace: &str) -> Result<Vec<CustomField>, Error> {
        let path = ["workspaces", gid("workspace", workspace)?, "custom_fields"];
        let query = [("opt_fields", opt_fields::CUSTOM_FIELD)];
        self.transport.all("workspace_custom_fields", &path, &query).await
    }

    /// Creates a custom field in a workspace's library (`createCustomField`); it stands on no project yet.
    ///
    /// Asana has no idempotency key, but a name is unique in a workspace: when [`Error::may_have_happened`], look
    /// for the name in [`Asana::workspace_custom_fields`] before creating it again.
    ///
    /// # Errors
    /// [`Error::PaymentRequired`] without a paid plan.
    pub async fn create_custom_field(
        &self,
        workspace: &str,
        field: &NewCustomField,
    ) -> Result<CustomField, Error> {
        let body = field.to_body(gid("workspace", workspace)?);
        let query = [("opt_fields", opt_fields::CUSTOM_FIELD)];
        let call = Call {
            operation: "create_custom_field",
            method: Method::POST,
            kind: Kind::Write,
            path: &["custom_fields"],
            query: &query,
            body: Some(&body),
        };
        Ok(self.transport.send(&call).await?.parse::<One<CustomField>>()?.data)
    }

    /// Puts a field of the library onto a project (`addCustomFieldSettingForProject`). What happens when it stands
    /// there already is not documented: look at [`Asana::custom_field_settings`] first.
    ///
    /// # Errors
    /// [`Error::PaymentRequired`] without a paid plan; [`Error::BadRequest`] when the project has no room for
    /// another field.
    pub async fn add_custom_field(&self, project: &str, field: &str) -> Result<(), Error> {
        let body = definition::setting(gid("custom field", field)?);
        let path = ["projects", gid("project", project)?, "addCustomFieldSetting"];
        let call = Call {
            operation: "add_custom_field",
            method: Method::POST,
            kind: Kind::Write,
            path: &path,
            query: &[],
            body: Some(&body),
        };
        self.transport.send(&call).await.map(|_| ())
    }

    /// One task (`getTask`).
    pub async fn task(&self, task: &str) -> Result<Task, Error> {
        self.read("task", &["tasks", gid("task", task)?], opt_fields::TASK).await
    }

    /// One page of the tasks of a project, up to 100 (`getTasks`), all of them or those changed since an
    /// instant. Deleted tasks are not told. The listing is strongly consistent.
    ///
    /// # Errors
    /// When the page token expired, an error for which [`Error::is_invalid_offset`] holds: start again without
    /// `offset`.
    pub async fn tasks_page(
        &self,
        project: &str,
        modified_since: Option<Timestamp>,
        offset: Option<&str>,
    ) -> Result<TaskPage, Error> {
        self.page_of(("project", gid("project", project)?), modified_since, offset).await
    }

    /// As [`Asana::tasks_page`], of a section: a part of a project whose own listing Asana cuts
    /// ([`Error::is_too_large`]).
    ///
    /// # Errors
    /// As [`Asana::tasks_page`].
    pub async fn section_tasks_page(
        &self,
        section: &str,
        modified_since: Option<Timestamp>,
        offset: Option<&str>,
    ) -> Result<TaskPage, Error> {
        self.page_of(("section", gid("section", section)?), modified_since, offset).await
    }

    async fn page_of(
        &self,
        place: (&str, &str),
        modified_since: Option<Timestamp>,
        offset: Option<&str>,
    ) -> Result<TaskPage, Error> {
        let since = modified_since.map(|since| since.to_string());
        let mut query = vec![place, ("opt_fields", opt_fields::TASK)];
        query.extend(since.as_deref().map(|since| ("modified_since", since)));
        let mut page: Page<Task> = self.transport.page("tasks_page", &["tasks"], &query, offset).await?;
        let next = page.next();
        if next.is_some() && next.as_deref() == offset {
            let reason = "the next page is the same page".into();
            return Err(Error::Malformed { operation: "tasks_page", status: 200, reason });
        }
        Ok(TaskPage { tasks: page.data, next })
    }

    /// The tasks of a project whose custom field has exactly this value (`searchTasksForWorkspace`): the text,
    /// the number, or the gid of the enum option. Multi-enum fields cannot be searched.
    ///
    /// The index lags 10 to 60 seconds, sometimes more: an empty result does not prove that there is no task.
    /// Asana ignores a parameter that it does not know and then answers with other tasks; so every task is
    /// checked against the project and the value.
    ///
    /// # Errors
    /// [`Error::PaymentRequired`] without a paid plan. [`Error::Malformed`] when a full answer contains tasks
    /// with other values: the filter was not applied, and tasks that match may be missing.
    pub async fn search_by_custom_field(
        &self,
        workspace: &str,
        project: &str,
        field_gid: &str,
        value: &str,
    ) -> Result<Vec<Task>, Error> {
        let operation = "search_by_custom_field";
        let project = gid("project", project)?;
        let condition = format!("custom_fields.{}.value", gid("custom field", field_gid)?);
        let path = ["workspaces", gid("workspace", workspace)?, "tasks", "search"];
        let query = [
            ("projects.any", project),
            (condition.as_str(), value),
            ("opt_fields", opt_fields::TASK),
            ("limit", PAGE_ROWS),
        ];
        let call = Call {
            operation,
            method: Method::GET,
            kind: Kind::Search,
            path: &path,
            query: &query,
            body: None,
        };
        let received = self.transport.send(&call).await?;
        let mut tasks = received.parse::<One<Vec<Task>>>()?.data;
        let answered = tasks.len();
        tasks.retain(|task| {
            task.projects.iter().any(|gid| gid == project)
                && task.field(field_gid).is_some_and(|field| field.has(value))
        });
        if tasks.len() < answered {
            tracing::debug!(operation, dropped = answered - tasks.len(), "search answered other tasks too");
            if answered >= SEARCH_ROWS {
                let reason = "a full search result with tasks of other values".into();
                return Err(Error::Malformed { operation, status: received.status, reason });
            }
        }
        Ok(tasks)
    }

    /// Creates a task (`createTask`) with a body as [`NewTask::to_body`](crate::NewTask::to_body) makes it.
    ///
    /// Asana has no idempotency key: when [`Error::may_have_happened`], look the task up before creating it
    /// again.
    pub async fn create_task(&self, body: &str) -> Result<Answer, Error> {
        self.write("create_task", Method::POST, &["tasks"], body).await
    }

    /// Changes a task (`updateTask`) with a body as [`TaskUpdate::to_body`](crate::TaskUpdate::to_body) makes
    /// it. The last write wins; Asana has no conditional writes.
    pub async fn update_task(&self, task: &str, body: &str) -> Result<Answer, Error> {
        self.write("update_task", Method::PUT, &["tasks", gid("task", task)?], body).await
    }

    /// Makes an option of a single-select or multi-select field, behind those that are there
    /// (`createEnumOptionForCustomField`). Asana allows 500, disabled ones included, and none is ever deleted.
    ///
    /// # Errors
    /// When [`Error::may_have_happened`], look for the name in [`Asana::custom_field_settings`] before making it again.
    pub async fn create_enum_option(&self, field: &str, name: &str) -> Result<EnumOption, Error> {
        let path = ["custom_fields", gid("custom field", field)?, "enum_options"];
        self.option("create_enum_option", Method::POST, &path, &enum_option::named(name)).await
    }

    /// Gives an option another name (`updateEnumOption`). Tasks that show the option show the new name.
    pub async fn rename_enum_option(&self, option: &str, name: &str) -> Result<EnumOption, Error> {
        self.update_option("rename_enum_option", option, &enum_option::named(name)).await
    }

    /// Lets an option be chosen (`updateEnumOption`).
    pub async fn enable_enum_option(&self, option: &str) -> Result<EnumOption, Error> {
        self.update_option("enable_enum_option", option, enum_option::ENABLED).await
    }

    /// Lets an option no longer be chosen (`updateEnumOption`); at least one of a field must remain.
    pub async fn disable_enum_option(&self, option: &str) -> Result<EnumOption, Error> {
        self.update_option("disable_enum_option", option, enum_option::DISABLED).await
    }

    async fn update_option(
        &self,
        operation: &'static str,
        option: &str,
        body: &str,
    ) -> Result<EnumOption, Error> {
        self.option(operation, Method::PUT, &["enum_options", gid("enum option", option)?], body).await
    }

    async fn option(
        &self,
        operation: &'static str,
        method: Method,
        path: &[&str],
        body: &str,
    ) -> Result<EnumOption, Error> {
        let query = [("opt_fields", opt_fields::ENUM_OPTION)];
        let call = Call { operation, method, kind: Kind::Write, path, query: &query, body: Some(body) };
        Ok(self.transport.send(&call).await?.parse::<One<EnumOption>>()?.data)
    }

    /// Makes a webhook (`createWebhook`): deliveries about `resource` go to `target`.
    ///
    /// Before Asana answers, it sends a handshake to the target, which must answer it meanwhile. A place among
    /// the writes under way is held that long, so whoever answers the handshake must not wait for this client.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a target on a host like localhost, and, with
    /// [`Error::is_duplicate_webhook`], when there is one for the same resource and target. When
    /// [`Error::may_have_happened`], look for the target in [`Asana::webhooks`].
    pub async fn create_webhook(
        &self,
        resource: &str,
        target: &str,
        filters: &[WebhookFilter],
    ) -> Result<CreatedWebhook, Error> {
        let body = webhook::creation(gid("resource", resource)?, target, filters);
        let received = self.change("create_webhook", Method::POST, &["webhooks"], Some(&body)).await?;
        let Created { data, secret } = received.parse()?;
        // the text with the secret in it is not left in memory
        drop(SecretString::from(received.body));
        Ok(CreatedWebhook { webhook: data, secret })
    }

    /// All webhooks in a workspace that the token's app registered for the token's user (`getWebhooks`).
    pub async fn webhooks(&self, workspace: &str) -> Result<Vec<Webhook>, Error> {
        let query = [("workspace", gid("workspace", workspace)?), ("opt_fields", opt_fields::WEBHOOK)];
        self.transport.all("webhooks", &["webhooks"], &query).await
    }

    /// One webhook (`getWebhook`).
    pub async fn webhook(&self, webhook: &str) -> Result<Webhook, Error> {
        self.read("webhook", &["webhooks", gid("webhook", webhook)?], opt_fields::WEBHOOK).await
    }

    /// Replaces all filters of a webhook (`updateWebhook`); resource and target cannot be changed.
    pub async fn update_webhook_filters(
        &self,
        webhook: &str,
        filters: &[WebhookFilter],
    ) -> Result<Webhook, Error> {
        let path = ["webhooks", gid("webhook", webhook)?];
        let body = webhook::filters(filters);
        let received = self.change("update_webhook_filters", Method::PUT, &path, Some(&body)).await?;
        Ok(received.parse::<One<Webhook>>()?.data)
    }

    /// Deletes a webhook for good (`deleteWebhook`). A delivery that was on its way may still arrive.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is gone already.
    pub async fn delete_webhook(&self, webhook: &str) -> Result<(), Error> {
        let path = ["webhooks", gid("webhook", webhook)?];
        self.change("delete_webhook", Method::DELETE, &path, None).await.map(|_| ())
    }

    /// Changes the allowance of the token, for all clients that share it; what was used stays used.
    ///
    /// # Errors
    /// [`Error::Config`] when a number is zero.
    pub fn set_budget(&self, settings: &BudgetSettings) -> Result<(), Error> {
        self.transport.set_budget(settings)
    }

    /// Gives back what was taken ahead of a budget that processes share: for one that needs no more.
    pub async fn rest(&self) {
        self.transport.rest().await;
    }

    /// How long calls are held back after a 429; zero when they are not.
    #[must_use]
    pub fn paused(&self) -> Duration {
        self.transport.paused()
    }

    /// Answers of this client and its clones by which Asana is at work and takes the token: everything but 401, 429
    /// and 5xx.
    #[must_use]
    pub fn answered(&self) -> u64 {
        self.transport.answered()
    }

    /// HTTP requests sent by this client and its clones, those included that found no connection.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.transport.requests()
    }

    /// Answers of this client and its clones that said that a rate limit was hit.
    #[must_use]
    pub fn rate_limited(&self) -> u64 {
        self.transport.rate_limited()
    }

    pub(crate) async fn read<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &[&str],
        fields: &str,
    ) -> Result<T, Error> {
        let query = [("opt_fields", fields)];
        let call = Call { operation, method: Method::GET, kind: Kind::Read, path, query: &query, body: None };
        Ok(self.transport.send(&call).await?.parse::<One<T>>()?.data)
    }

    /// Sends a change of a webhook.
    async fn change(
        &self,
        operation: &'static str,
        method: Method,
        path: &[&str],
        body: Option<&str>,
    ) -> Result<Received, Error> {
        let fields = [("opt_fields", opt_fields::WEBHOOK)];
        let query: &[(&str, &str)] = if method == Method::DELETE { &[] } else { &fields };
        self.transport.send(&Call { operation, method, kind: Kind::Webhook, path, query, body }).await
    }

    async fn write(
        &self,
        operation: &'static str,
        method: Method,
        path: &[&str],
        body: &str,
    ) -> Result<Answer, Error> {
        check_body(operation, body)?;
        let query = [("opt_fields", opt_fields::TASK)];
        let call = Call { operation, method, kind: Kind::Write, path, query: &query, body: Some(body) };
        let received = self.transport.send(&call).await?;
        let task = received.parse::<One<Task>>()?.data;
        Ok(Answer { task, status: received.status, body: received.body })
    }
}

/// Refuses a body that Asana would refuse for its form.
pub(crate) fn check_body(operation: &'static str, body: &str) -> Result<(), Error> {
    if serde_json::from_str::<One<IgnoredAny>>(body).is_err() {
        return Err(Error::InvalidArgument(format!(
            "the body of {operation} is not a JSON object with data"
        )));
    }
    Ok(())
}
