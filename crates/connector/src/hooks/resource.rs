//! What a webhook watches, and which events are asked for.

use asana::WebhookFilter;
use serde::{Deserialize, Serialize};

use crate::code::Code;
use crate::error::{Error, Result};

/// Properties of a task whose change is a reason to look at it.
const TASK_FIELDS: [&str; 5] = ["completed", "custom_fields", "name", "due_on", "assignee"];

/// Kinds of resources that a webhook watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceKind {
    /// A project: tells of its tasks, their subtasks and comments.
    Project,
    /// The workspace: tells of its projects. Asana never sends events of tasks to it.
    Workspace,
}

impl ResourceKind {
    /// The name in the table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ResourceKind::Project => "project",
            ResourceKind::Workspace => "workspace",
        }
    }

    pub(crate) fn parse(text: &str) -> Result<ResourceKind> {
        match text {
            "project" => Ok(ResourceKind::Project),
            "workspace" => Ok(ResourceKind::Workspace),
            _ => Err(Error::new(Code::Migration, format!("the database names an unknown kind `{text}`"))),
        }
    }

    /// Type of the resources whose events are looked at; others are stored but ignored.
    #[must_use]
    pub fn events_of(self) -> &'static str {
        match self {
            ResourceKind::Project => "task",
            ResourceKind::Workspace => "project",
        }
    }

    /// Which events Asana is asked for. A workspace takes only filters of a fixed list, none with `fields`
    /// (developers.asana.com, "Webhooks", "Filtering").
    #[must_use]
    pub fn filters(self) -> Vec<WebhookFilter> {
        let fields = match self {
            ResourceKind::Project => TASK_FIELDS.map(str::to_owned).to_vec(),
            ResourceKind::Workspace => Vec::new(),
        };
        let filter = |action: &str| WebhookFilter {
            resource_type: Some(self.events_of().to_owned()),
            action: Some(action.to_owned()),
            ..WebhookFilter::default()
        };
        let mut filters = vec![WebhookFilter { fields, ..filter("changed") }];
        filters.extend(["added", "removed", "deleted", "undeleted"].map(filter));
        filters
    }
}

/// Something that is watched.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Resource {
    /// Project or workspace.
    pub kind: ResourceKind,
    /// Its gid in Asana.
    pub gid: String,
}

impl std::fmt::Display for Resource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind.as_str(), self.gid)
    }
}

/// How far a connection watches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The projects that routing names.
    #[default]
    MappedProjects,
    /// Every project of the workspace that is not archived, and the workspace itself, which tells of new ones.
    Workspace,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workspace_is_asked_only_for_what_it_may_be_asked() {
        let filters = ResourceKind::Workspace.filters();
        assert_eq!(filters.len(), 5);
        assert!(filters.iter().all(|f| f.fields.is_empty() && f.resource_type.as_deref() == Some("project")));
    }

    #[test]
    fn fields_stand_only_with_changes() {
        for filter in ResourceKind::Project.filters() {
            assert_eq!(!filter.fields.is_empty(), filter.action.as_deref() == Some("changed"), "{filter:?}");
            assert_eq!(filter.resource_type.as_deref(), Some("task"));
        }
    }
}
