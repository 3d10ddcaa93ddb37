//! What is wrong with a mapping when it meets Oracle's records and Asana's fields. Pure, besides [`look`].

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use iso_currency::Currency;
use oracle_fusion::{Description, Resource};

use crate::code::Code;
use crate::engine::{Clients, Engine, ProjectFields, Sections};
use crate::error::{Error, Result};
use crate::ids::{FieldGid, ProjectGid};
use crate::mapping::document::{RuleSettings, Target, ValueSettings};
use crate::mapping::engine::place_of;
use crate::mapping::field::{Field, Kind};
use crate::mapping::path::Path;
use crate::mapping::problems::of_constant;
use crate::purpose::{Holds, Purpose};
use crate::settings::Settings;
use crate::store::connections::Connection;
use crate::trouble;

/// Decimals that most currencies have.
const USUAL_DECIMALS: u32 = 2;
/// So long both sides are asked for what is told besides; a person waits for the rest meanwhile.
const FORESEEN_WITHIN: Duration = Duration::from_secs(10);
/// Values made of values that are followed.
const MAX_DEPTH: usize = 16;

/// What both sides say of themselves.
#[derive(Debug, Default)]
pub struct Surroundings {
    /// What an order has.
    pub orders: Description,
    /// What an invoice has.
    pub invoices: Description,
    /// The mapped projects' fields.
    pub fields: ProjectFields,
    /// The project of each section of them.
    pub sections: Sections,
    /// The workspace's tags, by gid.
    pub tags: BTreeSet<String>,
    /// Users whom the document names, and whether there are such.
    pub people: BTreeMap<String, bool>,
}

/// Asks both sides for what the check needs, and nothing that it does not.
///
/// # Errors
/// Failures of either side.
pub async fn look(clients: &Clients) -> Result<Surroundings> {
    let settings = &clients.connection.settings;
    let mut around = Surroundings { fields: (*clients.fields().await?).clone(), ..Surroundings::default() };
    let paths = settings.mapping.paths();
    let describe =
        async |resource: Resource| clients.fusion.describe(resource).await.map_err(trouble::oracle);
    if paths.iter().any(|path| !path.of_invoices) {
        around.orders = describe(Resource::PurchaseOrders).await?;
    }
    if paths.iter().any(|path| path.of_invoices) {
        around.invoices = describe(Resource::Invoices).await?;
    }
    around.sections = (*clients.sections().await?).clone();
    let targets = settings.mapping.targets();
    if targets.iter().any(|target| matches!(target, Target::Tag(_))) {
        let tags = clients.asana.tags(&settings.asana.workspace).await.map_err(trouble::asana)?;
        around.tags = tags.into_iter().map(|tag| tag.gid).collect();
    }
    for person in people(settings) {
        let found = match clients.asana.user(&person).await {
            Ok(_) => true,
            Err(error) if matches!(error.status(), Some(400 | 403 | 404)) => false,
            Err(error) => return Err(trouble::asana(error)),
        };
        around.people.insert(person, found);
    }
    Ok(around)
}

/// As [`look`], for a connection with settings as they are given, which are not always as they are stored.
///
/// # Errors
/// Failures of either side, and of the vault.
pub async fn around(engine: &Engine, connection: &Connection) -> Result<Surroundings> {
    look(&engine.connect(connection.clone()).await?).await
}

/// What would be said of settings that are refused for other reasons already. Nothing where that cannot be told: the
/// credentials belong to the sides as they are stored, and a side may not answer.
pub(crate) async fn foreseen(engine: &Engine, present: &Connection, settings: &Settings) -> Vec<String> {
    let has_same_sides =
        settings.oracle == present.settings.oracle && settings.asana == present.settings.asana;
    if !has_same_sides {
        return Vec::new();
    }
    let proposed = Connection { settings: settings.clone(), ..present.clone() };
    match tokio::time::timeout(FORESEEN_WITHIN, around(engine, &proposed)).await {
        Ok(Ok(around)) => problems(settings, &around),
        Ok(Err(_)) | Err(_) => Vec::new(),
    }
}

/// Whether the settings say anything that can be wrong for every record: a mapping document, options that are kept, or
/// fields that take what has none.
#[must_use]
pub fn is_needed(settings: &Settings) -> bool {
    !settings.mapping.is_empty() || !options(settings).is_empty() || texts(settings).next().is_some()
}

/// The purposes whose fields' options are kept in step with Oracle.
pub(crate) fn options(settings: &Settings) -> &[Purpose] {
    settings.reference.as_ref().map_or(&[], |reference| &reference.options)
}

/// The fields that take values without an option, by purpose.
pub(crate) fn texts(settings: &Settings) -> impl Iterator<Item = (&Purpose, &FieldGid)> {
    settings.reference.iter().flat_map(|reference| &reference.text)
}

/// Refuses settings that do not fit, with all problems. Neither side is asked when nothing [is needed](is_needed).
///
/// # Errors
/// [`Code::MappingRefused`], and failures of either side.
pub async fn check(clients: &Clients) -> Result<()> {
    if !is_needed(&clients.connection.settings) {
        return Ok(());
    }
    let problems = problems(&clients.connection.settings, &look(clients).await?);
    if problems.is_empty() { Ok(()) } else { Err(Error::several(Code::MappingRefused, problems)) }
}

/// Constant assignees that the document names.
fn people(settings: &Settings) -> BTreeSet<String> {
    let rules = settings.mapping.rules.iter().filter(|rule| rule.to == Target::Assignee.to_string());
    rules.flat_map(|rule| constants(rule, settings)).filter(|person| !person.is_empty()).collect()
}

/// Everything that is wrong, each with its place and what to do.
#[must_use]
pub fn problems(settings: &Settings, around: &Surroundings) -> Vec<String> {
    let mut problems = Vec::new();
    for (name, value) in &settings.mapping.values {
        let told = of_value(value, settings, around);
        problems.extend(told.into_iter().map(|why| format!("mapping.values.{name}: {why}")));
    }
    for (at, rule) in settings.mapping.rules.iter().enumerate() {
        let told = of_rule(rule, settings, around);
        problems.extend(told.into_iter().map(|why| format!("{}: {why}", place_of(at, rule))));
    }
    for (purpose, gid) in &settings.fields {
        for (project, set) in around.fields.iter().collect::<BTreeMap<_, _>>() {
            let Ok(set) = set else { continue };
            let why = match set.get(gid) {
                None => Some(absent(project)),
                Some(_) if *purpose == Purpose::Cost => None,
                Some(field) => of_field(field, *purpose),
            };
            problems.extend(why.map(|why| format!("fields.{} ({gid}): {why}", purpose.as_str())));
        }
    }
    for purpose in options(settings) {
        problems.extend(of_options(*purpose, settings, around));
    }
    for (purpose, gid) in texts(settings) {
        for (project, set) in around.fields.iter().collect::<BTreeMap<_, _>>() {
            let Ok(set) = set else { continue };
            let why = match set.get(gid) {
                None => Some(absent(project)),
                Some(field) if field.writable && matches!(field.kind, Kind::Text) => None,
                Some(field) => {
                    Some(format!("field `{}` is no text field that can be written; take another", field.name))
                }
            };
            problems.extend(why.map(|why| format!("reference.text.{} ({gid}): {why}", purpose.as_str())));
        }
    }
    for (project, set) in around.fields.iter().collect::<BTreeMap<_, _>>() {
        if let Err(held) = set {
            problems.push(format!("routing, project {project}: {}", held.reason));
        }
    }
    problems
}

fn absent(project: &ProjectGid) -> String {
    format!(
        "it is not on project {project}, or hidden from the integration user; add it there, run `connection provision`, or \
         take one that `connection mapping NAME --places` lists"
    )
}

/// A purpose whose field cannot have options. That the field is absent is told of the field itself.
fn of_options(purpose: Purpose, settings: &Settings, around: &Surroundings) -> Option<String> {
    let gid = settings.fields.get(&purpose)?;
    let field = around.fields.values().flatten().find_map(|set| set.get(gid))?;
    let why = field.check_options().err()?.reason;
    let name = purpose.as_str();
    Some(format!(
        "reference.options: {why}; map one as `fields.{name}`, or take `{name}` out of `reference.options`"
    ))
}

/// A purpose's field that cannot show every value.
fn of_field(field: &Field, purpose: Purpose) -> Option<String> {
    if let Err(held) = field.check(purpose) {
        return Some(format!("{}; map another field", held.reason));
    }
    let Kind::Number { precision, currency } = &field.kind else { return None };
    if purpose.holds() != Holds::Amount {
        return None;
    }
    let needed = match currency.as_deref().and_then(Currency::from_code) {
        Some(currency) => u32::from(currency.exponent().unwrap_or(0)),
        None => USUAL_DECIMALS,
    };
    (*precision < needed).then(|| {
        format!(
            "field `{}` keeps {precision} decimals and would lose cents; raise its precision to {needed} in Asana",
            field.name
        )
    })
}

/// What a value is, as far as it can be said before any record comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Text,
    Number,
    Date,
    /// A date as Oracle writes it, taken as text.
    DateText,
    Unknown,
}

/// The type of what a path leads to; `Err` when it leads nowhere.
fn described(path: &Path, around: &Surroundings) -> std::result::Result<Sort, String> {
    let mut level = if path.of_invoices { &around.invoices } else { &around.orders };
    for step in path.steps.iter().take(path.steps.len().saturating_sub(1)) {
        if *level == Description::default() {
            // named, but not described: nothing can be said of it
            return Ok(Sort::Unknown);
        }
        match level.children.get(step) {
            Some(child) => level = child,
            None => break,
        }
    }
    if *level == Description::default() {
        return Ok(Sort::Unknown);
    }
    let root = if path.of_invoices { &around.invoices } else { &around.orders };
    match root.find(&path.steps.join(".")) {
        Err(missing) => Err(missing.to_string()),
        Ok(attribute) => Ok(match attribute.kind.as_deref() {
            Some("integer" | "number") => Sort::Number,
            Some("date" | "datetime") => Sort::DateText,
            Some("string" | "boolean") => Sort::Text,
            _ => Sort::Unknown,
        }),
    }
}

fn of_value(value: &ValueSettings, settings: &Settings, around: &Surroundings) -> Vec<String> {
    let mut problems = Vec::new();
    if let Some(path) = value.read.as_deref().and_then(|read| Path::parse(read).ok()) {
        match described(&path, around) {
            Err(why) => {
                problems.push(format!("`read`: {why}; write it as Oracle names it, capital letters included"))
            }
            Ok(sort) => problems.extend(of_read(value, &path, sort)),
        }
    }
    let sort = sort_of(value, settings, around, MAX_DEPTH);
    if let Some(default) = value.default.as_deref().filter(|default| !default.is_empty()) {
        let why = match sort {
            Sort::Number if default.parse::<rust_decimal::Decimal>().is_err() => Some("number"),
            Sort::Date if default.parse::<jiff::civil::Date>().is_err() && value.date_from.is_none() => {
                Some("date")
            }
            _ => None,
        };
        problems.extend(
            why.map(|what| {
                format!("`default` is no {what}, and the value is one; write one, or take it out")
            }),
        );
    }
    problems
}

/// Changes that do not go with what Oracle has there.
fn of_read(value: &ValueSettings, path: &Path, sort: Sort) -> Option<String> {
    let is_looked_up = !value.lookup.is_empty();
    match sort {
        Sort::Text if value.sum && value.as_kind.is_none() => Some(format!(
            "`{path}` is text in Oracle and cannot be added; say `as = \"number\"` if it holds numbers"
        )),
        Sort::DateText if value.wants_number() => {
            Some(format!("`{path}` is a date in Oracle, not a number; take it as a date"))
        }
        Sort::Number if value.wants_date() && !is_looked_up => {
            Some(format!("`{path}` is a number in Oracle, not a date; take it as it is"))
        }
        _ => None,
    }
}

fn sort_of(value: &ValueSettings, settings: &Settings, around: &Surroundings, depth: usize) -> Sort {
    if value.wants_date() {
        return if value.date_to.is_some() { Sort::Text } else { Sort::Date };
    }
    if value.wants_number() {
        return if value.writes_number() { Sort::Text } else { Sort::Number };
    }
    if value.text.is_some()
        || value.trim
        || value.case.is_some()
        || !value.lookup.is_empty()
        || value.join.is_some()
    {
        return Sort::Text;
    }
    match (&value.read, &value.value) {
        (Some(read), _) => {
            let path = Path::parse(read).ok();
            path.and_then(|path| described(&path, around).ok()).unwrap_or(Sort::Unknown)
        }
        (None, Some(name)) => sort_named(name, settings, around, depth.saturating_sub(1)),
        (None, None) => Sort::Text,
    }
}

fn sort_named(name: &str, settings: &Settings, around: &Surroundings, depth: usize) -> Sort {
    if depth == 0 {
        return Sort::Unknown;
    }
    match (settings.mapping.values.get(name), name.parse::<Purpose>()) {
        (Some(value), _) if value.value.as_deref() != Some(name) => sort_of(value, settings, around, depth),
        (_, Ok(purpose)) if purpose.holds() == Holds::Amount => Sort::Number,
        (_, Ok(_)) => Sort::Text,
        (_, Err(_)) => Sort::Unknown,
    }
}

/// Everything that a rule can give besides what comes from Oracle: its constant, and the ends of its look-up table. A
/// constant that is refused by itself is left out.
fn constants(rule: &RuleSettings, settings: &Settings) -> Vec<String> {
    let target = Target::parse(&rule.to);
    let is_told = |set: &String| target.as_ref().is_some_and(|target| of_constant(target, set).is_some());
    let mut all: Vec<String> = rule.set.iter().filter(|set| !is_told(set)).cloned().collect();
    if let Some(value) = rule.value.as_ref().and_then(|name| settings.mapping.values.get(name))
        && value.join.is_none()
        && !value.wants_date()
        && !value.wants_number()
    {
        all.extend(value.lookup.values().cloned());
        all.extend(value.default.clone());
    }
    all
}

fn of_rule(rule: &RuleSettings, settings: &Settings, around: &Surroundings) -> Vec<String> {
    let Some(target) = Target::parse(&rule.to) else { return Vec::new() };
    let sort = match (&rule.value, &rule.set) {
        (Some(name), _) => sort_named(name, settings, around, MAX_DEPTH),
        _ => Sort::Unknown,
    };
    let constants = constants(rule, settings);
    match &target {
        Target::Field(gid) => {
            let mut problems = Vec::new();
            for (project, set) in around.fields.iter().collect::<BTreeMap<_, _>>() {
                let Ok(set) = set else { continue };
                match set.get(gid) {
                    None => problems.push(absent(project)),
                    Some(field) => problems.extend(unfit(field, sort, rule, &constants, settings)),
                }
            }
            problems.dedup();
            problems
        }
        Target::Section => constants
            .iter()
            .filter(|section| !around.sections.contains_key(*section))
            .map(|section| format!("section {section} is of no mapped project; `connection mapping NAME --places` lists those that there are"))
            .collect(),
        Target::Tag(gid) if !around.tags.contains(gid) => {
            vec![format!(
                "the workspace has no tag {gid}, or it is hidden from the integration user; \
                 `connection mapping NAME --places` lists those that there are"
            )]
        }
        Target::Assignee => constants
            .iter()
            .filter(|person| around.people.get(*person) == Some(&false))
            .map(|person| {
                format!("there is no user {person} whom the integration user can see; take a member of the workspace")
            })
            .collect(),
        Target::DueOn => due(sort, &constants),
        Target::Tag(_) | Target::Name | Target::Notes => Vec::new(),
    }
}

fn due(sort: Sort, constants: &[String]) -> Vec<String> {
    match sort {
        Sort::Number => vec!["the value is a number, not a date".to_owned()],
        Sort::DateText => vec!["the value is a date as Oracle writes it; say `as = \"date\"`".to_owned()],
        Sort::Text if constants.is_empty() => {
            vec!["the value is text, not a date; say `as = \"date\"`, with `date_from` if needed".to_owned()]
        }
        _ => constants
            .iter()
            .filter(|text| !text.is_empty() && text.parse::<jiff::civil::Date>().is_err())
            .map(|text| format!("`{text}` is no date; write it like 2026-01-31"))
            .collect(),
    }
}

/// Why a field cannot show what a rule gives.
fn unfit(
    field: &Field,
    sort: Sort,
    rule: &RuleSettings,
    constants: &[String],
    settings: &Settings,
) -> Option<String> {
    let name = &field.name;
    if !field.writable {
        return Some(format!("field `{name}` cannot be written; choose another"));
    }
    let what = match sort {
        Sort::Number => "a number",
        Sort::Date | Sort::DateText => "a date",
        Sort::Text | Sort::Unknown => "text",
    };
    match (&field.kind, sort) {
        (Kind::Other(kind), _) => {
            Some(format!("field `{name}` is {kind}, which rules cannot write; choose another"))
        }
        (Kind::Number { .. }, Sort::Text | Sort::Date | Sort::DateText) => Some(format!(
            "field `{name}` takes numbers, the value is {what}; say `as = \"number\"`, or choose a text field"
        )),
        (Kind::Date, Sort::DateText) => {
            Some(format!("field `{name}` takes dates; say `as = \"date\"` for the value"))
        }
        (Kind::Date, Sort::Text | Sort::Number) => Some(format!(
            "field `{name}` takes dates, the value is {what}; say `as = \"date\"`, or choose another field"
        )),
        (Kind::Enum(_), Sort::Number | Sort::Date) => Some(format!(
            "field `{name}` takes one of its options, the value is {what}; choose another field"
        )),
        (Kind::Enum(options), _) => {
            let has = |text: &str| options.iter().any(|(option, _)| option.eq_ignore_ascii_case(text));
            let missing: Vec<&str> =
                constants.iter().map(String::as_str).filter(|text| !text.is_empty() && !has(text)).collect();
            (!missing.is_empty()).then(|| {
                format!("field `{name}` has no enabled option `{}`; add it in Asana", missing.join("`, `"))
            })
        }
        (Kind::Number { precision, currency }, Sort::Number | Sort::Unknown) => {
            let why = constants.iter().find_map(|text| unfit_constant(text, *precision));
            why.map(|why| format!("field `{name}`: {why}"))
                .or_else(|| loses_cents(name, *precision, currency.as_deref(), rule, settings))
        }
        (Kind::Text, _) | (Kind::Date, Sort::Date | Sort::Unknown) => None,
    }
}

fn unfit_constant(text: &str, precision: u32) -> Option<String> {
    if text.is_empty() {
        return None;
    }
    match text.parse::<rust_decimal::Decimal>() {
        Err(_) => Some(format!("`{text}` is no number")),
        Ok(number) if number.normalize().scale() > precision => Some(format!(
            "`{text}` has more than the {precision} decimals that it keeps; raise its precision"
        )),
        Ok(_) => None,
    }
}

/// A field with fewer decimals than its currency has, or than an amount needs.
fn loses_cents(
    name: &str,
    precision: u32,
    currency: Option<&str>,
    rule: &RuleSettings,
    settings: &Settings,
) -> Option<String> {
    let is_amount = |value: &str| value.parse::<Purpose>().is_ok_and(|p| p.holds() == Holds::Amount);
    let value = rule.value.as_deref()?;
    let given = settings.mapping.values.get(value).and_then(|value| value.value.as_deref());
    let needed = match currency.and_then(Currency::from_code) {
        Some(currency) => u32::from(currency.exponent().unwrap_or(0)),
        None if is_amount(value) || given.is_some_and(is_amount) => USUAL_DECIMALS,
        None => return None,
    };
    (precision < needed).then(|| {
        format!(
            "field `{name}` keeps {precision} decimals and would lose cents; raise its precision to {needed} in Asana"
        )
    })
}
