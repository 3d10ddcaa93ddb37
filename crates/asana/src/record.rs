//! The small records: users, workspaces, projects, sections, tags.

use serde::{Deserialize, Deserializer};

/// A user: the one that a token belongs to, or another.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct User {
    /// Gid of the user.
    pub gid: String,
    /// Name as shown in Asana.
    #[serde(default, deserialize_with = "null_as_default")]
    pub name: String,
    /// E-mail address, where the token may see it.
    #[serde(default)]
    pub email: Option<String>,
    /// Workspaces that the token's user may see too, which can be fewer than the user belongs to.
    #[serde(default, deserialize_with = "null_as_default")]
    pub workspaces: Vec<Workspace>,
}

/// A workspace or organization.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Workspace {
    /// Gid of the workspace.
    pub gid: String,
    /// Name as shown in Asana.
    #[serde(default, deserialize_with = "null_as_default")]
    pub name: String,
    /// Whether it is an organization; unknown inside a [`User`].
    #[serde(default)]
    pub is_organization: Option<bool>,
}

/// A project.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "WireProject")]
pub struct Project {
    /// Gid of the project.
    pub gid: String,
    /// Name as shown in Asana.
    pub name: String,
    /// Whether it is archived. Listings contain archived projects too.
    pub archived: bool,
    /// Gid of its workspace.
    pub workspace: Option<String>,
    /// Address of the project in the web application.
    pub permalink_url: Option<String>,
}

/// A section of a project.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Section {
    /// Gid of the section.
    pub gid: String,
    /// Name as shown in Asana.
    #[serde(default, deserialize_with = "null_as_default")]
    pub name: String,
}

/// A tag: a label that tasks of one workspace can carry. Whether two may share a name is not documented.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Tag {
    /// Gid of the tag.
    pub gid: String,
    /// Name as shown in Asana.
    #[serde(default, deserialize_with = "null_as_default")]
    pub name: String,
}

/// A record that another one points at.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Reference {
    /// Gid of the record.
    pub gid: String,
    /// Its name, where it was asked for and may be seen.
    #[serde(default)]
    pub name: Option<String>,
}

#[derive(Deserialize)]
struct WireProject {
    gid: String,
    #[serde(default, deserialize_with = "null_as_default")]
    name: String,
    #[serde(default, deserialize_with = "null_as_default")]
    archived: bool,
    #[serde(default)]
    workspace: Option<Reference>,
    #[serde(default)]
    permalink_url: Option<String>,
}

impl From<WireProject> for Project {
    fn from(wire: WireProject) -> Project {
        Project {
            gid: wire.gid,
            name: wire.name,
            archived: wire.archived,
            workspace: wire.workspace.map(|workspace| workspace.gid),
            permalink_url: wire.permalink_url,
        }
    }
}

/// Asana's specification marks few members as nullable, yet several are null in practice.
pub(crate) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}
