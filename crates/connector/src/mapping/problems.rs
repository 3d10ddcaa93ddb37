//! What is wrong with a mapping by itself, before anything is asked of either side. Pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::date;
use minijinja::Environment;

use crate::mapping::condition::Condition;
use crate::mapping::document::{AsKind, MappingSettings, RuleSettings, Target, ValueSettings};
use crate::mapping::engine::place_of;
use crate::mapping::path::Path;
use crate::mapping::words::nearest;
use crate::purpose::{Holds, Purpose};
use crate::settings::{Settings, TaskPer};
use crate::template;

/// Decimals of a number written as text, at most.
const MAX_DECIMALS: u32 = 12;
/// Longest text of a look-up or a constant, in characters: Asana's limit of a text field.
const MAX_CHARACTERS: usize = 1024;

/// Everything that is wrong, each with its place and what to do.
#[must_use]
pub fn problems(settings: &Settings) -> Vec<String> {
    let mapping = &settings.mapping;
    let mut problems = Vec::new();
    let has_line = settings.tasks.per == TaskPer::Line;
    for (name, value) in &mapping.values {
        let place = format!("mapping.values.{name}");
        problems.extend(of_value(name, value, settings).into_iter().map(|why| format!("{place}: {why}")));
    }
    problems.extend(circles(mapping));
    let named = mapping.values.values().flat_map(names_in);
    let mut uses: BTreeSet<String> = named.map(|name| used(&name, mapping)).collect();
    let mut seen = Seen::default();
    let mut wrong: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, rule) in mapping.rules.iter().enumerate() {
        let place = place_of(at, rule);
        let mut told = of_rule(rule, settings);
        if let Some(when) = rule.when.as_deref() {
            let all = of_condition(when, mapping, has_line, &mut uses);
            // several rules often share a condition: what is wrong with it is told once
            match wrong.get(when) {
                Some(first) => told.push(format!("`when`: as in rule {}", first + 1)),
                None if all.is_empty() => {}
                None => {
                    wrong.insert(when, at);
                    told.extend(all);
                }
            }
        }
        uses.extend(rule.value.iter().map(|name| used(name, mapping)));
        told.extend(seen.add(at, rule));
        problems.extend(told.into_iter().map(|why| format!("{place}: {why}")));
    }
    for name in mapping.values.keys() {
        let shown = name.parse::<Purpose>().is_ok_and(|purpose| settings.fields.contains_key(&purpose));
        if !uses.contains(name) && !shown {
            problems
                .push(format!("mapping.values.{name}: nothing uses it; name it in a rule, or take it out"));
        }
    }
    problems
}

fn of_condition(
    when: &str,
    mapping: &MappingSettings,
    has_line: bool,
    uses: &mut BTreeSet<String>,
) -> Vec<String> {
    match Condition::compile(when) {
        Err(why) => vec![format!("`when` is no CEL: {why}; write it like order.status == 'Open'")],
        Ok(condition) => {
            uses.extend(condition.values.iter().map(|name| used(name, mapping)));
            let all = condition.problems(&known(mapping), has_line);
            all.into_iter().map(|why| format!("`when`: {why}")).collect()
        }
    }
}

/// The names that may be used: those of the document, and the purposes that an order has.
fn known(mapping: &MappingSettings) -> BTreeSet<&str> {
    let purposes = Purpose::ALL.iter().filter(|purpose| purpose.is_of_the_order()).map(|p| p.as_str());
    mapping.values.keys().map(String::as_str).chain(purposes).collect()
}

fn of_value(name: &str, value: &ValueSettings, settings: &Settings) -> Vec<String> {
    let mut problems = Vec::new();
    let is_name = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if !is_name {
        problems.push("a name is small letters, digits and _, beginning with a letter".to_owned());
    }
    if let Ok(purpose) = name.parse::<Purpose>()
        && let Some(why) = not_replaceable(purpose, settings)
    {
        problems.push(why);
    }
    let sources = [&value.read, &value.value, &value.text].into_iter().flatten().count();
    if sources != 1 {
        let many =
            if sources == 0 { "says nothing of where it comes from" } else { "comes from several places" };
        problems.push(format!("it {many}; give exactly one of `read`, `value` and `text`"));
    }
    problems.extend(of_source(name, value, settings));
    problems.extend(of_changes(value));
    problems
}

/// Why a value of the document cannot stand in place of a purpose's own.
fn not_replaceable(purpose: Purpose, settings: &Settings) -> Option<String> {
    let name = purpose.as_str();
    if purpose == Purpose::PoNumber {
        return Some("tasks are found by the order's number as it is; choose another name".to_owned());
    }
    if !purpose.is_of_the_order() || purpose.holds() == Holds::Amount {
        return Some(format!("`{name}` is not to be replaced; choose another name"));
    }
    let options = settings.reference.iter().flat_map(|reference| &reference.options);
    options.into_iter().any(|other| *other == purpose).then(|| {
        format!("reference.options keeps options for `{name}` as Oracle has them; take it out there first")
    })
}

fn of_source(name: &str, value: &ValueSettings, settings: &Settings) -> Vec<String> {
    let mapping = &settings.mapping;
    let mut problems = Vec::new();
    if let Some(read) = &value.read {
        match Path::parse(read) {
            Err(why) => problems.push(format!("`read`: {why}")),
            Ok(path) => {
                let is_many = path.of_invoices || path.is_of_lines();
                let is_one =
                    path.is_of_lines() && path.steps.len() == 2 && settings.tasks.per == TaskPer::Line;
                if is_many && !is_one && value.of_several() == 0 {
                    problems.push(format!(
                        "`{read}` has several values; say `join = \", \"`, or `sum`, `first`, `least` or `greatest = true`"
                    ));
                }
            }
        }
    }
    if let Some(other) = &value.value {
        let is_own = other == name && other.parse::<Purpose>().is_ok();
        if !known(mapping).contains(other.as_str()) || (other == name && !is_own) {
            problems.push(unknown(other, mapping));
        }
    }
    if let Some(text) = &value.text {
        let mut environment = Environment::new();
        match environment.add_template(name, text) {
            Err(error) => problems
                .push(format!("`text` is not a template: {error}; write it like {{{{ order.number }}}}")),
            Ok(()) => problems.extend(of_template(&environment, name, mapping)),
        }
    }
    problems
}

fn of_template(environment: &Environment<'_>, name: &str, mapping: &MappingSettings) -> Vec<String> {
    let Ok(template) = environment.get_template(name) else { return Vec::new() };
    let named = template.undeclared_variables(true);
    let mut problems: Vec<String> =
        template::unknown_members(&template).into_iter().map(|why| format!("`text`: {why}")).collect();
    for path in named.into_iter().collect::<BTreeSet<_>>() {
        let (variable, member) = path.split_once('.').unwrap_or((&path, ""));
        if environment.globals().any(|(global, _)| global == variable) {
            continue;
        }
        match variable {
            "order" | "line" | "lines" => {}
            "values" if member.is_empty() || known(mapping).contains(member) => {}
            "values" => problems.push(format!("`text`: {}", unknown(member, mapping))),
            other => {
                problems.push(format!("`text` names `{other}`; there are order, line, lines and values"));
            }
        }
    }
    problems
}

fn unknown(name: &str, mapping: &MappingSettings) -> String {
    let all: Vec<&str> = known(mapping).into_iter().collect();
    let meant = nearest(name, all.iter().copied());
    let rest = match meant {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("take one of {}", all.join(", ")),
    };
    format!("there is no value `{name}`; {rest}")
}

/// The value that a name stands for; of one that does not exist the one that was meant, so that this is not called unused.
fn used(name: &str, mapping: &MappingSettings) -> String {
    let known = known(mapping);
    let meant = if known.contains(name) { None } else { nearest(name, known.into_iter()) };
    meant.unwrap_or(name).to_owned()
}

/// Changes that do not go together, or cannot be done.
fn of_changes(value: &ValueSettings) -> Vec<String> {
    let mut problems = Vec::new();
    if value.of_several() > 1 {
        problems
            .push("`join`, `sum`, `first`, `least` and `greatest` exclude each other; keep one".to_owned());
    }
    if value.wants_date() && (value.wants_number()) {
        problems.push("it is taken for a date and for a number; keep one".to_owned());
    }
    if value.as_kind == Some(AsKind::Number) && value.date_to.is_some() {
        problems.push("`date_to` needs a date, not `as = \"number\"`".to_owned());
    }
    if value.sum && (value.case.is_some() || !value.lookup.is_empty()) {
        problems.push("numbers are added, not texts; take `case` and `lookup` out".to_owned());
    }
    if value.decimals.is_some_and(|decimals| decimals > MAX_DECIMALS) {
        problems.push(format!("`decimals` is at most {MAX_DECIMALS}"));
    }
    for (name, mark) in [("decimal_mark", &value.decimal_mark), ("group_mark", &value.group_mark)] {
        if mark
            .as_deref()
            .is_some_and(|mark| mark.chars().count() != 1 || mark.bytes().any(|b| b.is_ascii_digit()))
        {
            problems.push(format!("`{name}` is one character and no digit"));
        }
    }
    if value.group_mark.is_some()
        && value.group_mark == Some(value.decimal_mark.clone().unwrap_or(".".to_owned()))
    {
        problems
            .push("`group_mark` and `decimal_mark` are the same; nobody could read such a number".to_owned());
    }
    for (name, format) in [("date_from", &value.date_from), ("date_to", &value.date_to)] {
        if let Some(format) = format
            && let Err(error) = jiff::fmt::strtime::format(format, date(2026, 1, 31))
        {
            problems.push(format!("`{name}` is no date format: {error}; write it like %Y-%m-%d"));
        }
    }
    if let Some(zone) = &value.zone
        && jiff::tz::TimeZone::get(zone).is_err()
    {
        problems.push(format!("there is no time zone `{zone}`; write it like Europe/Berlin"));
    }
    for (from, to) in &value.lookup {
        if from.is_empty() || to.chars().count() > MAX_CHARACTERS {
            problems.push(format!(
                "`lookup` has an entry that is empty or longer than {MAX_CHARACTERS} characters"
            ));
        }
        problems.extend(never_met(value, from));
    }
    problems
}

/// An entry that no text meets any more after trimming and changing its letters.
fn never_met(value: &ValueSettings, entry: &str) -> Option<String> {
    use crate::mapping::document::Case;
    let after = if value.trim { entry.trim() } else { entry };
    let after = match value.case {
        None => after.to_owned(),
        Some(Case::Upper) => after.to_uppercase(),
        Some(Case::Lower) => after.to_lowercase(),
    };
    (after != entry).then(|| format!("`lookup` entry `{entry}` is never met, since texts come as `{after}`"))
}

fn of_rule(rule: &RuleSettings, settings: &Settings) -> Vec<String> {
    let mut problems = Vec::new();
    let Some(target) = Target::parse(&rule.to) else {
        let meant = nearest(&rule.to, ["name", "notes", "due_on", "section", "assignee"].into_iter());
        let rest = match meant {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "`connection mapping NAME --places` lists the gids".to_owned(),
        };
        return vec![format!(
            "`to` must be a field's gid, name, notes, due_on, section, assignee, or tag: and a tag's gid; {rest}"
        )];
    };
    if let Target::Field(gid) = &target {
        let mapped = settings.fields.iter().find(|(_, other)| *other == gid);
        if let Some((purpose, _)) = mapped {
            let name = purpose.as_str();
            problems.push(format!("fields.{name} writes this field already; take it out of one of them"));
        }
        let beside = settings.reference.iter().flat_map(|reference| reference.text.values());
        if beside.into_iter().any(|other| other == gid) {
            problems.push("reference.text writes this field already; choose another".to_owned());
        }
        let mark = settings.reference.as_ref().and_then(|reference| reference.mark.as_ref());
        if mark == Some(gid) {
            problems.push("reference.mark writes this field already; choose another".to_owned());
        }
    }
    if let Target::Tag(_) = target {
        if rule.value.is_some() || rule.set.is_some() {
            problems.push("a tag is on while `when` holds; take `value` and `set` out".to_owned());
        }
        return problems;
    }
    match (&rule.value, &rule.set) {
        (Some(_), Some(_)) => problems.push("`value` and `set` exclude each other; keep one".to_owned()),
        (None, None) => {
            problems.push("it gives nothing; say which `value`, or a constant with `set`".to_owned())
        }
        (Some(name), None) if !known(&settings.mapping).contains(name.as_str()) => {
            problems.push(unknown(name, &settings.mapping));
        }
        _ => {}
    }
    if let Some(constant) = &rule.set {
        problems.extend(of_constant(&target, constant));
    }
    problems
}

/// A constant that its target cannot take.
pub(crate) fn of_constant(target: &Target, constant: &str) -> Option<String> {
    let digits = !constant.is_empty() && constant.bytes().all(|b| b.is_ascii_digit());
    match target {
        Target::Name if constant.trim().is_empty() => Some("a task must have a name; set a text".to_owned()),
        Target::Section if !digits => Some("a section is set by its gid, digits only".to_owned()),
        Target::DueOn if !constant.is_empty() && constant.parse::<jiff::civil::Date>().is_err() => {
            Some("a due date is written like 2026-01-31".to_owned())
        }
        Target::Assignee if !constant.is_empty() && !digits && !constant.contains('@') => {
            Some("an assignee is an e-mail address or a gid".to_owned())
        }
        _ if constant.contains("{{") || constant.contains("{%") => Some(
            "a constant is written as it stands, so this template would be; put it into a value's `text`, and name the \
             value"
                .to_owned(),
        ),
        Target::Field(_) if constant.chars().count() > MAX_CHARACTERS => {
            Some(format!("a text field holds at most {MAX_CHARACTERS} characters"))
        }
        _ => None,
    }
}

/// Rules that came before.
#[derive(Default)]
struct Seen<'r> {
    always: BTreeMap<&'r str, usize>,
    conditions: BTreeMap<(&'r str, &'r str), usize>,
    tags: BTreeMap<&'r str, usize>,
}

impl<'r> Seen<'r> {
    /// Why a rule is never reached, or hides another.
    fn add(&mut self, at: usize, rule: &'r RuleSettings) -> Option<String> {
        let to = rule.to.as_str();
        if to.starts_with("tag:") {
            let first = self.tags.insert(to, at)?;
            return Some(format!("rule {} sets this tag too; join both conditions with ||", first + 1));
        }
        if let Some(first) = self.always.get(to) {
            return Some(format!(
                "it is never reached, since rule {} always holds; put it before that one",
                first + 1
            ));
        }
        match rule.when.as_deref().map(str::trim) {
            None => {
                self.always.insert(to, at);
                None
            }
            Some(when) => {
                let first = self.conditions.insert((to, when), at)?;
                Some(format!(
                    "it is never reached, since rule {} has the same condition; take one out",
                    first + 1
                ))
            }
        }
    }
}

/// The names of the values that a value is made of.
fn names_in(value: &ValueSettings) -> Vec<String> {
    let mut names: Vec<String> = value.value.iter().cloned().collect();
    if let Some(text) = &value.text {
        let mut environment = Environment::new();
        if environment.add_template("text", text).is_ok()
            && let Ok(template) = environment.get_template("text")
        {
            let named = template.undeclared_variables(true);
            names.extend(named.iter().filter_map(|path| path.strip_prefix("values.").map(str::to_owned)));
        }
    }
    names
}

/// Values that are made of themselves.
fn circles(mapping: &MappingSettings) -> Vec<String> {
    let mut problems = Vec::new();
    for start in mapping.values.keys() {
        let (mut reached, mut next) = (BTreeSet::new(), vec![start.clone()]);
        while let Some(name) = next.pop() {
            let Some(value) = mapping.values.get(&name) else { continue };
            for inner in names_in(value).into_iter().filter(|name| mapping.values.contains_key(name)) {
                // its own name stands for the purpose's own value there
                let is_own = inner == name && inner.parse::<Purpose>().is_ok();
                if !is_own && reached.insert(inner.clone()) {
                    next.push(inner);
                }
            }
        }
        if reached.contains(start) {
            problems.push(format!("mapping.values.{start}: it is made of itself; break the circle"));
        }
    }
    problems
}
