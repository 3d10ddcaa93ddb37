//! Connections that map the same project: both would write its tasks, and which of them posts a completed task's cost would
//! be chance.

use sqlx::{PgConnection, PgPool};

use crate::code::Code;
use crate::error::{Error, Result};
use crate::ids::{ConnectionId, ProjectGid};
use crate::settings::Settings;
use crate::store::connections::{self, Connection, State};

/// Another connection that maps some of the same projects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    /// Its name.
    pub name: String,
    /// Whether it is active.
    pub is_active: bool,
    /// Whether both post journals.
    pub both_post: bool,
    /// The projects.
    pub projects: Vec<ProjectGid>,
}

/// The connections that map some of these projects of this [Asana](crate::settings::AsanaSettings::which), with those. Gids are of one
/// Asana: a project elsewhere is another one.
pub fn mapping<'a>(
    asana: &'a str,
    projects: &'a [ProjectGid],
    all: &'a [Connection],
) -> impl Iterator<Item = (&'a Connection, Vec<ProjectGid>)> {
    let there = all.iter().filter(move |connection| connection.settings.asana.which() == asana);
    let mapped = there.map(|connection| {
        let mut mapped = connection.settings.projects();
        mapped.retain(|project| projects.contains(project));
        (connection, mapped)
    });
    mapped.filter(|(_, mapped)| !mapped.is_empty())
}

/// What these settings share with other connections.
#[must_use]
pub fn shared(id: ConnectionId, settings: &Settings, all: &[Connection]) -> Vec<Shared> {
    let own = settings.projects();
    let others = mapping(settings.asana.which(), &own, all).filter(|(other, _)| other.id != id);
    let shared = others.map(|(other, projects)| Shared {
        name: other.name.clone(),
        is_active: other.state == State::Active,
        both_post: settings.journal.is_some() && other.settings.journal.is_some(),
        projects,
    });
    shared.collect()
}

/// The same, of the connections that are stored.
///
/// # Errors
/// Failures of the database.
pub async fn with_others(db: &PgPool, id: ConnectionId, settings: &Settings) -> Result<Vec<Shared>> {
    Ok(shared(id, settings, &connections::list(db).await?))
}

/// Refuses to post journals for a project for which another active connection does: a completed task would be posted by
/// both. Two that are activated or changed at once wait for each other here.
///
/// # Errors
/// [`Code::ProjectShared`], and failures of the database.
pub async fn refuse_twice(db: &mut PgConnection, id: ConnectionId, settings: &Settings) -> Result<()> {
    if settings.journal.is_none() {
        return Ok(());
    }
    connections::lock_projects(db).await?;
    let all = connections::list(&mut *db).await?;
    let twice = shared(id, settings, &all).into_iter().filter(|shared| shared.is_active && shared.both_post);
    let told: Vec<String> = twice
        .map(|shared| {
            let projects: Vec<&str> = shared.projects.iter().map(ProjectGid::as_str).collect();
            format!("`{}` posts journals for tasks of project {} already", shared.name, projects.join(", "))
        })
        .collect();
    if told.is_empty() { Ok(()) } else { Err(Error::several(Code::ProjectShared, told)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::mistakes::BASE;

    fn connection(name: &str, settings: &Settings) -> Connection {
        Connection {
            id: ConnectionId::new(),
            name: name.to_owned(),
            state: State::Active,
            settings: settings.clone(),
            settings_version: 1,
            created_at: jiff::Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn only_the_same_projects_of_the_same_asana_are_shared() {
        let settings = Settings::from_toml(BASE).unwrap();
        let mut elsewhere = settings.clone();
        elsewhere.asana.url = "https://other.example/api/1.0".parse().unwrap();
        let other_project =
            Settings::from_toml(&BASE.replace("project = \"77\"", "project = \"78\"")).unwrap();
        let own = connection("own", &settings);
        let same = connection("same", &settings);
        let all =
            [own.clone(), same, connection("elsewhere", &elsewhere), connection("project", &other_project)];
        let found = shared(own.id, &settings, &all);
        let names: Vec<&str> = found.iter().map(|shared| shared.name.as_str()).collect();
        assert_eq!(names, ["same"]);
        assert!(!found[0].both_post && found[0].is_active);
        assert_eq!(found[0].projects, [ProjectGid("77".into())]);
    }
}
