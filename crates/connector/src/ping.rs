//! Testing a connection: what works on each side, what does not, and what to do about it.

use std::collections::BTreeSet;

use oracle_fusion::{Limit, Query};

use crate::code::Code;
use crate::engine::{Clients, Engine};
use crate::error::{Error, Result};
use crate::feed::Feed;
use crate::ids::ConnectionId;
use crate::mapping::field::Field;
use crate::trouble;

/// One thing that was tested.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Check {
    /// `oracle` or `asana`.
    pub side: &'static str,
    /// What was tested.
    pub name: String,
    /// How it went.
    pub verdict: Verdict,
    /// What was found.
    pub detail: String,
    /// The failure's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<&'static str>,
}

/// How a test went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It works.
    Ok,
    /// It works, with something to know.
    Note,
    /// It does not work.
    Failed,
    /// It could not be tested, since something before it failed.
    Skipped,
}

/// Tests both sides, each to its end, and writes nothing anywhere.
pub async fn ping(engine: &Engine, connection: ConnectionId) -> Result<Vec<Check>> {
    let clients = engine.clients(connection).await?;
    let (mut oracle, asana) = tokio::join!(oracle_side(&clients), asana_side(&clients));
    oracle.extend(asana);
    Ok(oracle)
}

fn ok(side: &'static str, name: impl Into<String>, detail: impl Into<String>) -> Check {
    Check { side, name: name.into(), verdict: Verdict::Ok, detail: detail.into(), code: None, remedy: None }
}

fn note(side: &'static str, name: impl Into<String>, detail: impl Into<String>) -> Check {
    Check { verdict: Verdict::Note, ..ok(side, name, detail) }
}

fn skipped(side: &'static str, name: impl Into<String>) -> Check {
    Check { verdict: Verdict::Skipped, ..ok(side, name, "not tested, since an earlier test failed") }
}

fn failed(side: &'static str, name: impl Into<String>, error: &Error) -> Check {
    Check {
        verdict: Verdict::Failed,
        code: Some(error.code.info().code),
        remedy: Some(error.code.info().remedy),
        ..ok(side, name, error.message.clone())
    }
}

async fn oracle_side(clients: &Clients) -> Vec<Check> {
    let side = "oracle";
    let mut checks = Vec::new();
    match clients.fusion.authorize().await {
        Ok(token) => checks.push(ok(
            side,
            "token",
            format!("valid until {}", token.expires_at.strftime("%Y-%m-%d %H:%M:%SZ")),
        )),
        Err(error) => {
            checks.push(failed(side, "token", &trouble::oracle(error)));
            for feed in Feed::ALL {
                checks.push(skipped(side, feed.as_str()));
            }
            return checks;
        }
    }
    for feed in Feed::ALL {
        checks.extend(feed_checks(clients, feed).await);
    }
    checks
}

async fn feed_checks(clients: &Clients, feed: Feed) -> Vec<Check> {
    let side = "oracle";
    let name = feed.as_str();
    let mut checks = Vec::new();
    match clients.fusion.describe(feed.resource()).await {
        Ok(described) if described.is_queryable("LastUpdateDate") => {
            checks.push(ok(side, format!("{name}: describe"), "LastUpdateDate can be queried"));
        }
        Ok(_) => checks.push(note(
            side,
            format!("{name}: describe"),
            "LastUpdateDate cannot be queried: every poll reads the whole feed and compares",
        )),
        Err(error) => checks.push(failed(side, format!("{name}: describe"), &trouble::oracle(error))),
    }
    // the canary: missing data access looks like an empty collection
    let canary = Query::new(feed.resource()).limit(Limit::ONE);
    checks.push(match clients.fusion.page(&canary).await {
        Ok(page) if page.items.is_empty() => failed(
            side,
            format!("{name}: rows"),
            &Error::new(Code::OracleNoRows, format!("{name}: status 200, but not one row is visible")),
        ),
        Ok(_) => ok(side, format!("{name}: rows"), "at least one row is visible"),
        Err(error) => failed(side, format!("{name}: rows"), &trouble::oracle(error)),
    });
    checks
}

async fn asana_side(clients: &Clients) -> Vec<Check> {
    let side = "asana";
    let settings = &clients.connection.settings;
    let mut checks = Vec::new();
    match clients.asana.me().await {
        Ok(user) => checks.push(ok(side, "token", format!("user {} ({})", user.name, user.gid))),
        Err(error) => {
            checks.push(failed(side, "token", &trouble::asana(error)));
            checks.push(skipped(side, "workspace"));
            for project in settings.projects() {
                checks.push(skipped(side, format!("project {project}")));
            }
            return checks;
        }
    }
    let workspace = &settings.asana.workspace;
    checks.push(match clients.asana.workspaces().await {
        Ok(all) => match all.iter().find(|w| w.gid == *workspace) {
            Some(found) => ok(side, "workspace", found.name.clone()),
            None => {
                let seen: Vec<String> = all.iter().map(|w| format!("{} ({})", w.name, w.gid)).collect();
                let message = format!("{workspace} is not among the visible ones: {}", seen.join(", "));
                failed(side, "workspace", &Error::new(Code::AsanaWorkspace, message))
            }
        },
        Err(error) => failed(side, "workspace", &trouble::asana(error)),
    });
    for project in settings.projects() {
        checks.extend(project_checks(clients, project.as_str()).await);
    }
    checks
}

async fn project_checks(clients: &Clients, project: &str) -> Vec<Check> {
    let side = "asana";
    let settings = &clients.connection.settings;
    let mut checks = Vec::new();
    match clients.asana.project(project).await {
        Ok(found) if found.archived => {
            checks.push(note(side, format!("project {project}"), format!("{} is archived", found.name)));
        }
        Ok(found) => checks.push(ok(side, format!("project {project}"), found.name)),
        Err(error) => {
            checks.push(failed(side, format!("project {project}"), &trouble::asana(error)));
            return checks;
        }
    }
    if let Some(missing) = missing_sections(clients, project).await {
        checks.push(missing);
    }
    let fields = match clients.asana.custom_field_settings(project).await {
        Ok(fields) => fields,
        Err(error) => {
            checks.push(failed(side, format!("project {project}: fields"), &trouble::asana(error)));
            return checks;
        }
    };
    for (purpose, gid) in &settings.fields {
        let name = format!("project {project}: {}", purpose.as_str());
        let Some(field) = fields.iter().find(|f| f.gid == gid.0).map(Field::of) else {
            let message = format!("field {gid} is not on the project, or hidden from the integration user");
            checks.push(failed(side, name, &Error::new(Code::FieldMissing, message)));
            continue;
        };
        checks.push(match field.check(*purpose) {
            Ok(()) => ok(side, name, format!("`{}`, {}", field.name, field.kind.name())),
            Err(held) => failed(side, name, &Error::new(held.code, held.reason)),
        });
    }
    checks
}

async fn missing_sections(clients: &Clients, project: &str) -> Option<Check> {
    let routing = &clients.connection.settings.routing;
    let of_rules = routing.rules.iter().filter(|r| r.project == project).filter_map(|r| r.section.clone());
    let of_default =
        routing.default.iter().filter(|d| d.project.0 == project).filter_map(|d| d.section.clone());
    let wanted: BTreeSet<String> = of_rules.chain(of_default).collect();
    if wanted.is_empty() {
        return None;
    }
    let name = format!("project {project}: sections");
    Some(match clients.asana.sections(project).await {
        Ok(sections) => {
            let missing: Vec<&String> =
                wanted.iter().filter(|w| !sections.iter().any(|s| s.gid == **w)).collect();
            if missing.is_empty() {
                ok("asana", name, format!("{} sections", wanted.len()))
            } else {
                failed("asana", name, &Error::new(Code::AsanaNotFound, format!("no section {missing:?}")))
            }
        }
        Err(error) => failed("asana", name, &trouble::asana(error)),
    })
}
