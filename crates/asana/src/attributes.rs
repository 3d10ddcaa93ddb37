//! What a task has beside its members: its section and its tags, which Asana changes by calls of their own; and what
//! these and the assignee are chosen from.

use reqwest::Method;
use serde_json::{Map, Value};

use crate::address::{gid, user};
use crate::client::{Asana, check_body};
use crate::config::Kind;
use crate::error::Error;
use crate::listing::One;
use crate::opt_fields;
use crate::record::{Tag, User};
use crate::transport::Call;

/// What came of a write that Asana answers with an empty object: that it was done, and nothing of the task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    /// HTTP status: 200.
    pub status: u16,
    /// The answer as it was received.
    pub body: String,
}

impl Asana {
    /// Puts a task into a section (`addTaskForSection`), with a body as [`section_body`](crate::section_body) makes it:
    /// to the top of the section, and out of the other sections of its project. A task that is not in the project
    /// comes into it. Done twice, it is where it was, at the top.
    ///
    /// Whether `modified_at` changes is not documented for sections; read the task to see where it is.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the section is gone; [`Error::BadRequest`] with
    /// [`BadRequest::UnknownObject`](crate::BadRequest::UnknownObject) when the task is.
    pub async fn add_to_section(&self, section: &str, body: &str) -> Result<Acknowledged, Error> {
        self.acknowledged("add_to_section", &["sections", gid("section", section)?, "addTask"], body).await
    }

    /// Gives a task a tag (`addTagForTask`), with a body as [`tag_body`](crate::tag_body) makes it.
    ///
    /// Whether `modified_at` changes is not documented for tags; read the task to see which it has.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the task is gone; [`Error::BadRequest`] with
    /// [`BadRequest::UnknownObject`](crate::BadRequest::UnknownObject) when the tag is.
    pub async fn add_tag(&self, task: &str, body: &str) -> Result<Acknowledged, Error> {
        self.acknowledged("add_tag", &["tasks", gid("task", task)?, "addTag"], body).await
    }

    /// Takes a tag away from a task (`removeTagForTask`), with a body as [`tag_body`](crate::tag_body) makes it.
    ///
    /// # Errors
    /// As [`Asana::add_tag`].
    pub async fn remove_tag(&self, task: &str, body: &str) -> Result<Acknowledged, Error> {
        self.acknowledged("remove_tag", &["tasks", gid("task", task)?, "removeTag"], body).await
    }

    /// The tags of a workspace (`getTagsForWorkspace`).
    pub async fn tags(&self, workspace: &str) -> Result<Vec<Tag>, Error> {
        let path = ["workspaces", gid("workspace", workspace)?, "tags"];
        self.transport.all("tags", &path, &[("opt_fields", opt_fields::TAG)]).await
    }

    /// A user, by gid, by e-mail address or as `me` (`getUser`).
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none.
    pub async fn user(&self, id_or_email: &str) -> Result<User, Error> {
        self.read("user", &["users", user(id_or_email)?], opt_fields::USER).await
    }

    async fn acknowledged(
        &self,
        operation: &'static str,
        path: &[&str],
        body: &str,
    ) -> Result<Acknowledged, Error> {
        check_body(operation, body)?;
        let call =
            Call { operation, method: Method::POST, kind: Kind::Write, path, query: &[], body: Some(body) };
        let received = self.transport.send(&call).await?;
        received.parse::<One<Map<String, Value>>>()?;
        Ok(Acknowledged { status: received.status, body: received.body })
    }
}
