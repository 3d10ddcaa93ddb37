//! Where the rules of a mapping can lead: the fields, sections and tags that there are, with their gids.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::engine::Engine;
use crate::error::Result;
use crate::mapping::document::Target;
use crate::mapping::field::Kind;
use crate::settings::Settings;
use crate::store::connections::Connection;
use crate::trouble;

/// Something that a rule can lead to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// `field`, `section` or `tag`.
    pub what: &'static str,
    /// What a rule names: the `to` of a field or tag, the value of a rule to `section`.
    pub name_it: String,
    /// Its name in Asana.
    pub name: String,
    /// Of a field: what it takes, and the options of a single-select one.
    pub takes: Option<String>,
    /// The mapped projects that have it, by gid; a tag belongs to the workspace.
    pub projects: Vec<String>,
    /// What writes it by the present settings, such as `fields.supplier` or `mapping.rules[2]`.
    pub written_by: Vec<String>,
}

/// Every field and section of the mapped projects, and every tag of the workspace, each once, for a connection with
/// settings as they are given, which are not always as they are stored. A project that the
/// integration user may not see has none.
///
/// # Errors
/// Failures of Asana, and of the vault.
pub async fn places(engine: &Engine, connection: &Connection) -> Result<Vec<Place>> {
    let settings = &connection.settings;
    let clients = engine.connect(connection.clone()).await?;
    let all = clients.fields().await?;
    let mut fields: BTreeMap<String, Place> = BTreeMap::new();
    let mut sections = Vec::new();
    for project in settings.projects() {
        for (gid, field) in all.get(&project).and_then(|set| set.as_ref().ok()).into_iter().flatten() {
            let place = fields.entry(gid.0.clone()).or_insert_with(|| Place {
                what: "field",
                written_by: writers(settings, &gid.0),
                name_it: gid.0.clone(),
                name: field.name.clone(),
                takes: Some(takes(&field.kind, field.writable)),
                projects: Vec::new(),
            });
            place.projects.push(project.0.clone());
        }
        let of_project = clients.sections_of(&project).await?;
        sections.extend(of_project.into_iter().map(|section| Place {
            what: "section",
            written_by: writers(settings, &section.gid),
            name_it: section.gid,
            name: section.name,
            takes: None,
            projects: vec![project.0.clone()],
        }));
    }
    let tags = clients.asana.tags(&settings.asana.workspace).await.map_err(trouble::asana)?;
    let tags = tags.into_iter().map(|tag| {
        let name_it = Target::Tag(tag.gid).to_string();
        let written_by = writers(settings, &name_it);
        Place { what: "tag", written_by, name_it, name: tag.name, takes: None, projects: Vec::new() }
    });
    Ok(fields.into_values().chain(sections).chain(tags).collect())
}

fn takes(kind: &Kind, writable: bool) -> String {
    let what = match kind {
        Kind::Number { precision, currency: Some(currency) } => format!("{currency}, {precision} decimals"),
        Kind::Number { precision, currency: None } => format!("number, {precision} decimals"),
        Kind::Enum(options) => {
            let names: Vec<&str> = options.iter().map(|(name, _)| name.as_str()).collect();
            format!("{}: {}", kind.name(), names.join(", "))
        }
        other => other.name().to_owned(),
    };
    if writable { what } else { format!("{what}; cannot be written") }
}

/// The settings that name a place.
fn writers(settings: &Settings, name_it: &str) -> Vec<String> {
    let fields = settings.fields.iter().filter(|(_, gid)| gid.0 == name_it);
    let rules = settings.mapping.rules.iter().enumerate();
    let rules = rules.filter(|(_, rule)| {
        rule.to == name_it || (rule.to == Target::Section.to_string() && rule.set.as_deref() == Some(name_it))
    });
    let reference = settings.reference.iter();
    let beside = reference.flat_map(|reference| {
        let mark = reference.mark.iter().map(|gid| ("reference.mark".to_owned(), gid));
        let text =
            reference.text.iter().map(|(purpose, gid)| (format!("reference.text.{}", purpose.as_str()), gid));
        mark.chain(text)
    });
    fields
        .map(|(purpose, _)| format!("fields.{}", purpose.as_str()))
        .chain(beside.filter(|(_, gid)| gid.0 == name_it).map(|(place, _)| place))
        .chain(rules.map(|(at, _)| format!("mapping.rules[{}]", at + 1)))
        .collect()
}
