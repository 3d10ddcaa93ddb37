//! What is missing in Asana: wanted fields against those that are there. Pure.

use std::collections::{BTreeMap, BTreeSet};

use asana::{CustomField, FIELDS_PER_PROJECT, FieldType, NewCustomField};

use crate::code::Code;
use crate::ids::{FieldGid, ProjectGid};
use crate::mapping::field::Field;
use crate::provision::wanted::{self, Choices, Target};
use crate::purpose::Purpose;
use crate::reference::Kind;
use crate::settings::Settings;

/// What Asana has.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// The workspace's library, as far as the token may see it.
    pub library: Vec<CustomField>,
    /// The fields of each mapped project.
    pub projects: BTreeMap<ProjectGid, Vec<CustomField>>,
    /// Fields whose options were kept before.
    pub kept: BTreeSet<FieldGid>,
}

/// What is to be done about one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What the field is for.
    pub target: Target,
    /// Its name, as it is or will be.
    pub name: String,
    /// Its type in words.
    pub kind: String,
    /// Where the field comes from.
    pub origin: Origin,
    /// The projects it must still be put onto.
    pub attach: Vec<ProjectGid>,
}

/// Where a field comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The settings name it.
    Mapped(FieldGid),
    /// The library has one of that name and exactly that type; it will be mapped.
    Found(FieldGid),
    /// It will be created.
    Create(NewCustomField),
    /// Something stands in the way.
    Problem(Code, String),
}

/// Everything that is to be done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// One step per field.
    pub steps: Vec<Step>,
    /// What fields get their options from that had none of it yet; a new one begins with one, since Asana wants it.
    pub options_of: Vec<Kind>,
    /// What a person should know before consenting.
    pub warnings: Vec<String>,
}

impl Plan {
    /// What stands in the way: nothing is done as long as there is any.
    pub fn problems(&self) -> impl Iterator<Item = (Code, &str)> {
        self.steps.iter().filter_map(|step| match &step.origin {
            Origin::Problem(code, why) => Some((*code, why.as_str())),
            _ => None,
        })
    }

    /// Whether anything is to be written to Asana; fields that are there are only mapped, and get options.
    #[must_use]
    pub fn writes(&self) -> bool {
        let is_written = |step: &Step| matches!(step.origin, Origin::Create(_)) || !step.attach.is_empty();
        !self.options_of.is_empty() || self.steps.iter().any(is_written)
    }

    /// Whether everything is there already, and mapped.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.options_of.is_empty() && self.are_mapped()
    }

    /// Whether all fields are there already, and mapped; they may still want options.
    #[must_use]
    pub fn are_mapped(&self) -> bool {
        self.steps.iter().all(|step| matches!(step.origin, Origin::Mapped(_)) && step.attach.is_empty())
    }
}

/// Compares what is wanted with what is there.
#[must_use]
pub fn plan(settings: &Settings, choices: &Choices, seen: &Seen) -> Plan {
    let of_reference = settings.reference.iter().flat_map(|reference| reference.fields());
    let mapped: BTreeSet<&str> = settings.fields.values().chain(of_reference).map(FieldGid::as_str).collect();
    let mut taken: BTreeMap<String, Target> = BTreeMap::new();
    let steps: Vec<Step> = wanted::targets(settings, choices)
        .into_iter()
        .map(|target| match target.named(settings) {
            Some(gid) => of_mapped(target, gid, seen),
            None => of_unmapped(target, wanted::field(target, settings, choices), seen, &mapped, &mut taken),
        })
        .collect();
    let lacks = |kind: &Kind| {
        let field = settings.fields.get(&kind.purpose());
        settings.optioned().any(|purpose| purpose == kind.purpose())
            && field.is_none_or(|field| !seen.kept.contains(field))
    };
    let options_of: Vec<Kind> = Kind::ALL.into_iter().filter(lacks).collect();
    let mut warnings = crowded(&steps, seen);
    warnings.extend(options_of.iter().map(|kind| {
        format!(
            "the options of {} are made of Oracle's {}, which are read now",
            kind.purpose().as_str(),
            kind.as_str()
        )
    }));
    let has_text =
        settings.reference.iter().any(|reference| reference.text.contains_key(&Purpose::GlAccount));
    if options_of.contains(&Kind::Accounts) && !has_text {
        warnings.push(
            "an order with several accounts has no option and is held, unless reference.text.gl_account names a text \
             field that takes the list"
                .to_owned(),
        );
    }
    Plan { steps, options_of, warnings }
}

fn of_mapped(target: Target, gid: &FieldGid, seen: &Seen) -> Step {
    let everywhere = seen.library.iter().chain(seen.projects.values().flatten());
    let Some(field) = everywhere.into_iter().find(|field| field.gid == gid.as_str()) else {
        let why = format!(
            "field {gid} for {} is neither in the workspace nor on a mapped project, or hidden from the token's user",
            target.as_str()
        );
        return problem(target, gid.to_string(), "unknown".to_owned(), Code::FieldMissing, why);
    };
    let mut read = Field::of(field);
    let kind = read.kind.name();
    if target == Target::Purpose(Purpose::Cost) {
        // only read, so a formula will do
        read.writable = true;
    }
    let fits = match target {
        Target::Purpose(purpose) => read.check(purpose),
        Target::Mark => read.check_mark(),
    };
    if let Err(held) = fits {
        return problem(target, field.name.clone(), kind, held.code, held.reason);
    }
    let attach = missing_on(seen, &field.gid);
    if !attach.is_empty() && field.is_global_to_workspace == Some(false) {
        let why = format!(
            "field `{}` for {} belongs to one project only and cannot be put onto {}",
            field.name,
            target.as_str(),
            listed(&attach)
        );
        return problem(target, field.name.clone(), kind, Code::FieldConflict, why);
    }
    Step { target, name: field.name.clone(), kind, origin: Origin::Mapped(gid.clone()), attach }
}

fn of_unmapped(
    target: Target,
    new: NewCustomField,
    seen: &Seen,
    mapped: &BTreeSet<&str>,
    taken: &mut BTreeMap<String, Target>,
) -> Step {
    let (name, kind) = (new.name.clone(), wanted::words(&new.kind));
    let refuse = |why: String| problem(target, name.clone(), kind.clone(), Code::FieldConflict, why);
    if let Some(other) = taken.insert(name.to_lowercase(), target) {
        return refuse(format!("{} and {} would share the name `{name}`", other.as_str(), target.as_str()));
    }
    let same_name = |field: &&CustomField| field.name.trim().to_lowercase() == name.trim().to_lowercase();
    let in_library: Vec<&CustomField> = seen.library.iter().filter(same_name).collect();
    for (project, fields) in &seen.projects {
        let own = |f: &&CustomField| same_name(f) && !in_library.iter().any(|l| l.gid == f.gid);
        if let Some(field) = fields.iter().find(own) {
            return refuse(format!(
                "project {project} has a field `{}` of its own ({}), {}",
                field.name,
                field.gid,
                Field::of(field).kind.name()
            ));
        }
    }
    let field = match in_library.as_slice() {
        [] => {
            let attach = seen.projects.keys().cloned().collect();
            return Step { target, name, kind, origin: Origin::Create(new), attach };
        }
        [one] => *one,
        several => return refuse(format!("the workspace has {} fields `{name}`", several.len())),
    };
    if mapped.contains(field.gid.as_str()) {
        return refuse(format!("field `{}` ({}) is used for something else already", field.name, field.gid));
    }
    if !is_exactly(field, &new.kind) {
        let found = Field::of(field);
        let how =
            if found.writable { found.kind.name() } else { format!("{}, read-only", found.kind.name()) };
        return refuse(format!("field `{}` ({}) is {how}; wanted is {kind}", field.name, field.gid));
    }
    let (gid, attach) = (FieldGid(field.gid.clone()), missing_on(seen, &field.gid));
    Step { target, name: field.name.clone(), kind, origin: Origin::Found(gid), attach }
}

/// Whether a field is of the very type that would be created. Number fields may keep more decimals, selects may
/// have more options.
#[must_use]
pub fn is_exactly(field: &CustomField, wanted: &FieldType) -> bool {
    if !field.is_writable() {
        return false;
    }
    match (field.resource_subtype.as_str(), wanted) {
        ("text", FieldType::Text) | ("date", FieldType::Date) => true,
        ("number", FieldType::Number { precision, currency }) => {
            let format_fits = match (currency, field.format.as_deref()) {
                (None, None | Some("none" | "custom")) => true,
                (Some(code), Some("currency")) => field.currency_code.as_ref() == Some(code),
                _ => false,
            };
            format_fits && field.precision.is_some_and(|has| has >= *precision)
        }
        ("enum", FieldType::Enum(options)) => {
            options.iter().all(|name| field.enum_options.iter().any(|o| o.enabled && o.name == *name))
        }
        _ => false,
    }
}

fn missing_on(seen: &Seen, gid: &str) -> Vec<ProjectGid> {
    let lacks = |fields: &[CustomField]| !fields.iter().any(|field| field.gid == gid);
    seen.projects.iter().filter(|(_, fields)| lacks(fields)).map(|(project, _)| project.clone()).collect()
}

fn crowded(steps: &[Step], seen: &Seen) -> Vec<String> {
    let told = |(project, fields): (&ProjectGid, &Vec<CustomField>)| {
        let more = steps.iter().filter(|step| step.attach.contains(project)).count();
        let then = fields.len() + more;
        (more > 0 && then > FIELDS_PER_PROJECT).then(|| {
            format!(
                "project {project} has {} fields and would have {then}; Asana's specification allows \
                 {FIELDS_PER_PROJECT}, so it may refuse some",
                fields.len()
            )
        })
    };
    seen.projects.iter().filter_map(told).collect()
}

fn problem(target: Target, name: String, kind: String, code: Code, why: String) -> Step {
    Step { target, name, kind, origin: Origin::Problem(code, why), attach: Vec::new() }
}

fn listed(projects: &[ProjectGid]) -> String {
    projects.iter().map(ProjectGid::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
#[path = "plan/tests.rs"]
mod tests;
