//! The Asana side: the token, the workspace, and each mapped project with its sections and fields.

use std::collections::BTreeSet;

use super::{AsanaSide, Check, failed, note, ok, skipped, webhooks};
use crate::code::Code;
use crate::engine::Engine;
use crate::error::Error;
use crate::ids::ProjectGid;
use crate::journal::{JournalSettings, NoJournal};
use crate::mapping::field::{Field, Kind};
use crate::purpose::Purpose;
use crate::settings::Settings;
use crate::sharing;
use crate::store::connections::Connection;
use crate::trouble;

/// Everything that is tested in Asana.
pub(super) async fn checks(engine: &Engine, clients: &AsanaSide) -> Vec<Check> {
    let side = "asana";
    let settings = &clients.connection.settings;
    let mut checks = Vec::new();
    match clients.asana.me().await {
        Ok(user) => checks.push(ok(side, "token", format!("user {} ({})", user.name, user.gid))),
        Err(error) => return out_of_reach(settings, &trouble::asana(error)),
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
    let unmapped: Vec<&str> = settings.unmapped().into_iter().map(Purpose::as_str).collect();
    if !unmapped.is_empty() {
        let what = format!("not mapped yet: {}; `connection provision` creates them", unmapped.join(", "));
        checks.push(note(side, "fields", what));
    }
    for project in settings.projects() {
        checks.extend(project_checks(clients, project.as_str()).await);
    }
    checks.extend(shared(engine, &clients.connection).await);
    if settings.journal.is_some() {
        checks.extend(webhooks::checks(engine, clients).await);
    }
    checks
}

/// What there is to say when the token is refused, or there is no client that could use it.
pub(super) fn out_of_reach(settings: &Settings, error: &Error) -> Vec<Check> {
    let side = "asana";
    let mut checks = vec![failed(side, "token", error), skipped(side, "workspace")];
    checks.extend(settings.projects().iter().map(|project| skipped(side, format!("project {project}"))));
    checks.extend(settings.journal.as_ref().map(|_| skipped(side, "webhooks")));
    checks
}

/// Projects that another connection maps too.
async fn shared(engine: &Engine, connection: &Connection) -> Vec<Check> {
    let (side, name) = ("asana", "projects of others");
    let all = match sharing::with_others(&engine.db, connection.id, &connection.settings).await {
        Ok(all) => all,
        Err(error) => return vec![failed(side, name, &error)],
    };
    let check = |shared: sharing::Shared| {
        let projects: Vec<&str> = shared.projects.iter().map(ProjectGid::as_str).collect();
        let what = format!("project {} is mapped by `{}` too", projects.join(", "), shared.name);
        if shared.is_active && shared.both_post {
            return failed(side, name, &Error::new(Code::ProjectShared, what));
        }
        note(side, name, format!("{what}: both would write its tasks; let one connection serve it"))
    };
    all.into_iter().map(check).collect()
}

async fn project_checks(clients: &AsanaSide, project: &str) -> Vec<Check> {
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
        checks.push(match (purpose, &settings.journal) {
            (Purpose::Cost, Some(journal)) => cost_check(name, &field, journal),
            _ => field_check(name, &field, *purpose),
        });
    }
    checks
}

fn field_check(name: String, field: &Field, purpose: Purpose) -> Check {
    match field.check(purpose) {
        Ok(()) => ok("asana", name, format!("`{}`, {}", field.name, field.kind.name())),
        Err(held) => failed("asana", name, &Error::new(held.code, held.reason)),
    }
}

/// The cost field is only read, so a formula will do; its currency must be one that can be posted.
fn cost_check(name: String, field: &Field, settings: &JournalSettings) -> Check {
    let read = Field { writable: true, ..field.clone() };
    let found = format!("`{}`, {}", field.name, field.kind.name());
    match (read.check(Purpose::Cost), &field.kind) {
        (Err(held), _) => failed("asana", name, &Error::new(held.code, held.reason)),
        (Ok(()), Kind::Number { currency: Some(code), .. })
            if *code != settings.ledger_currency && settings.rate_type.is_none() =>
        {
            let (currency, ledger) = (code.clone(), settings.ledger_currency.clone());
            let why = NoJournal::NoRateType { currency, ledger };
            failed("asana", name, &Error::new(why.code(), format!("{found}: {why}")))
        }
        (Ok(()), Kind::Number { currency: None, .. }) => {
            ok("asana", name, format!("{found}; its numbers are in the order's currency"))
        }
        (Ok(()), _) => ok("asana", name, found),
    }
}

async fn missing_sections(clients: &AsanaSide, project: &str) -> Option<Check> {
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

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    fn settings(rest: &str) -> JournalSettings {
        let text = format!(
            "ledger_id = \"1\"\nledger_currency = \"USD\"\nsource = \"Asana\"\ncategory = \"Cost\"\n\
             clearing_account = \"1.2\"\ntime_zone = \"UTC\"\n{rest}"
        );
        toml::from_str(&text).unwrap()
    }

    fn checked(kind: Kind, rest: &str) -> Check {
        let field = Field {
            name: "Cost".to_owned(),
            kind,
            writable: false,
            bound: std::collections::BTreeMap::new(),
        };
        cost_check("cost".to_owned(), &field, &settings(rest))
    }

    #[test]
    fn a_cost_field_that_can_only_be_read_will_do() {
        let number =
            |currency: Option<&str>| Kind::Number { precision: 2, currency: currency.map(str::to_owned) };
        assert_eq!(checked(number(None), "").verdict, Verdict::Ok);
        assert_eq!(checked(number(Some("USD")), "").verdict, Verdict::Ok);
        assert_eq!(checked(number(Some("EUR")), "rate_type = \"Corporate\"").verdict, Verdict::Ok);
        assert_eq!(checked(number(Some("EUR")), "").code, Some(Code::JournalNoRateType.info().code));
        assert_eq!(checked(Kind::Text, "").code, Some(Code::FieldType.info().code));
    }
}
