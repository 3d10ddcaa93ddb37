//! A connection's mapping, compiled: what each rule gives for a task. Pure.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::value::Serde;
use minijinja::{Environment, Value as Shown, context};

use crate::code::Code;
use crate::error::{Error, Result};
use crate::mapping::Held;
use crate::mapping::condition::{Around, Condition};
use crate::mapping::document::{RuleSettings, Target, ValueSettings};
use crate::mapping::path::{Found, Path, Scalar};
use crate::mapping::shape::{Seen, Source, seen, shape};
use crate::mapping::values::{Subject, Value};
use crate::purpose::Purpose;
use crate::record::LineFacts;
use crate::settings::{LineAmount, Settings};

/// Steps a template may take.
const FUEL: u64 = 100_000;
/// Values that are made of values, at most in a row.
const MAX_DEPTH: usize = 16;

/// A compiled mapping.
#[derive(Debug)]
pub struct Mapping {
    values: BTreeMap<String, Definition>,
    rules: Vec<Rule>,
    templates: Environment<'static>,
    line_amount: LineAmount,
}

#[derive(Debug)]
struct Definition {
    settings: ValueSettings,
    path: Option<Path>,
    /// Values that its template names.
    names: BTreeSet<String>,
}

#[derive(Debug)]
struct Rule {
    place: String,
    target: Target,
    gives: Gives,
    condition: Option<Condition>,
}

#[derive(Debug)]
enum Gives {
    Value(String),
    Constant(String),
    /// The tag itself.
    Tag,
}

/// What a rule that applies gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gave {
    /// A value, or a constant.
    Something,
    /// An empty value.
    Nothing,
    /// No answer for this very record.
    Held,
}

/// What the rules say of one task.
pub type Outcome = Vec<(Target, Value)>;

impl Mapping {
    /// Compiles what [`Settings::check`] accepted.
    ///
    /// # Errors
    /// [`Code::SettingsInvalid`] for what it would not have accepted.
    pub fn of(settings: &Settings) -> Result<Mapping> {
        let wrong = |place: &str, why: String| Error::new(Code::SettingsInvalid, format!("{place}: {why}"));
        let mut mapping = Mapping {
            values: BTreeMap::new(),
            rules: Vec::new(),
            templates: Environment::new(),
            line_amount: settings.tasks.line_amount,
        };
        mapping.templates.set_fuel(Some(FUEL));
        for (name, value) in &settings.mapping.values {
            let place = format!("mapping.values.{name}");
            let path =
                value.read.as_deref().map(Path::parse).transpose().map_err(|why| wrong(&place, why))?;
            if let Some(text) = &value.text {
                let added = mapping.templates.add_template_owned(name.clone(), text.clone());
                added.map_err(|error| wrong(&place, error.to_string()))?;
            }
            let names = mapping.named_by_template(name);
            mapping.values.insert(name.clone(), Definition { settings: value.clone(), path, names });
        }
        for (at, rule) in settings.mapping.rules.iter().enumerate() {
            let place = place_of(at, rule);
            let target = Target::parse(&rule.to).ok_or_else(|| wrong(&place, "no target".to_owned()))?;
            let gives = match (&target, &rule.value, &rule.set) {
                (Target::Tag(_), ..) => Gives::Tag,
                (_, Some(name), _) => Gives::Value(name.clone()),
                (_, None, Some(constant)) => Gives::Constant(constant.clone()),
                (_, None, None) => return Err(wrong(&place, "no value".to_owned())),
            };
            let condition =
                rule.when.as_deref().map(Condition::compile).transpose().map_err(|why| wrong(&place, why))?;
            mapping.rules.push(Rule { place, target, gives, condition });
        }
        Ok(mapping)
    }

    fn named_by_template(&self, name: &str) -> BTreeSet<String> {
        let Ok(template) = self.templates.get_template(name) else { return BTreeSet::new() };
        template
            .undeclared_variables(true)
            .into_iter()
            .filter_map(|path| path.strip_prefix("values.").map(str::to_owned))
            .collect()
    }

    /// Whether a value of the document stands in place of a purpose's own.
    #[must_use]
    pub fn replaces(&self, purpose: Purpose) -> bool {
        self.values.contains_key(purpose.as_str())
    }

    /// A purpose's value, or the one that stands in its place.
    ///
    /// # Errors
    /// Why there is none.
    pub fn value_of(&self, purpose: Purpose, subject: Subject<'_>) -> std::result::Result<Value, Held> {
        if self.replaces(purpose) {
            return self.value(purpose.as_str(), subject, None, MAX_DEPTH);
        }
        subject.value(purpose, self.line_amount)
    }

    /// What the rules say of a task; of a target that no rule's condition holds for, nothing. All problems at once.
    ///
    /// # Errors
    /// Why rules have no answer for this very record.
    pub fn outcome(&self, subject: Subject<'_>) -> std::result::Result<Outcome, Vec<Held>> {
        let (mut outcome, mut problems) = (Outcome::new(), Vec::new());
        let each = |_, rule: &Rule, value| match value {
            Ok(value) => outcome.push((rule.target.clone(), value)),
            Err(held) => problems.push(held),
        };
        self.each(subject, each).map_err(|held| vec![held])?;
        if problems.is_empty() { Ok(outcome) } else { Err(problems) }
    }

    /// What each rule that applies gives, by its place in the document; a tag that goes off is none.
    #[must_use]
    pub fn given(&self, subject: Subject<'_>) -> Vec<(usize, Gave)> {
        let mut all = Vec::new();
        let each = |at, rule: &Rule, value: std::result::Result<Value, Held>| {
            let is_empty = match (&value, &rule.gives) {
                (Err(_), _) => return all.push((at, Gave::Held)),
                (Ok(Value::Empty), Gives::Tag) => return,
                // clearing is what an empty constant is for
                (_, Gives::Constant(_)) => false,
                (Ok(Value::Text(text)), _) => text.trim().is_empty(),
                (Ok(value), _) => *value == Value::Empty,
            };
            all.push((at, if is_empty { Gave::Nothing } else { Gave::Something }));
        };
        match self.each(subject, each) {
            Ok(()) => all,
            Err(_) => (0..self.rules.len()).map(|at| (at, Gave::Held)).collect(),
        }
    }

    /// The names of the document's values.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// Where each rule stands, for people, whether it has a condition, and whether an empty value clears its target.
    pub fn places(&self) -> impl Iterator<Item = (&str, bool, bool)> {
        self.rules.iter().map(|rule| {
            let clears = !matches!(rule.target, Target::Name | Target::Section | Target::Tag(_));
            (rule.place.as_str(), rule.condition.is_some(), clears)
        })
    }

    /// A value of the document, and what happens on the way to it.
    pub fn seen(&self, name: &str, subject: Subject<'_>) -> (Seen, std::result::Result<Value, Held>) {
        let source = self.values.get(name).map(|of| (of, self.source(name, of, subject, MAX_DEPTH)));
        let seen = match &source {
            Some((definition, Ok(source))) => seen(&definition.settings, source),
            _ => Seen::default(),
        };
        (seen, self.value(name, subject, None, MAX_DEPTH))
    }

    /// Goes through the rules that apply to a task, in their order, with what each gives.
    fn each(
        &self,
        subject: Subject<'_>,
        mut told: impl FnMut(usize, &Rule, std::result::Result<Value, Held>),
    ) -> std::result::Result<(), Held> {
        let around = if self.rules.iter().any(|rule| rule.condition.is_some()) {
            Around::of(subject).map(Some).map_err(|why| Held::new(Code::ConditionFailed, why))?
        } else {
            None
        };
        let mut settled: BTreeSet<&Target> = BTreeSet::new();
        for (at, rule) in self.rules.iter().enumerate() {
            if settled.contains(&rule.target) {
                continue;
            }
            let holds = match self.holds(rule, subject, around.as_ref()) {
                Ok(holds) => holds,
                Err(held) => {
                    settled.insert(&rule.target);
                    told(at, rule, Err(held));
                    continue;
                }
            };
            let value = match (&rule.gives, holds) {
                (Gives::Tag, true) => Ok(Value::Text(ON.to_owned())),
                (Gives::Tag, false) => Ok(Value::Empty),
                (_, false) => continue,
                (Gives::Constant(text), true) if text.is_empty() => Ok(Value::Empty),
                (Gives::Constant(text), true) => Ok(Value::Text(text.clone())),
                (Gives::Value(name), true) => self.value(name, subject, None, MAX_DEPTH),
            };
            settled.insert(&rule.target);
            let with_place = |held: Held| {
                let reason = format!("{}: {}", rule.place, held.reason);
                Held { reason, ..held }
            };
            told(at, rule, value.map_err(with_place));
        }
        Ok(())
    }

    fn holds(
        &self,
        rule: &Rule,
        subject: Subject<'_>,
        around: Option<&Around>,
    ) -> std::result::Result<bool, Held> {
        let (Some(condition), Some(around)) = (&rule.condition, around) else { return Ok(true) };
        let mut values = BTreeMap::new();
        for name in &condition.values {
            values.insert(name.clone(), self.value(name, subject, None, MAX_DEPTH)?);
        }
        condition.holds(around, &values).map_err(|why| {
            Held::new(
                Code::ConditionFailed,
                format!("{}: its condition cannot be computed: {why}", rule.place),
            )
        })
    }

    /// A value by its name. Inside a definition, `within` its name means the purpose's own value.
    fn value(
        &self,
        name: &str,
        subject: Subject<'_>,
        within: Option<&str>,
        depth: usize,
    ) -> std::result::Result<Value, Held> {
        let endless = || Held::new(Code::ValueUnfit, format!("`{name}` is made of too many values in a row"));
        let depth = depth.checked_sub(1).ok_or_else(endless)?;
        let definition = match self.values.get(name) {
            Some(definition) if within != Some(name) => definition,
            _ => {
                let unknown = || Held::new(Code::ValueUnfit, format!("there is no value `{name}`"));
                let purpose: Purpose = name.parse().map_err(|_| unknown())?;
                return subject.value(purpose, self.line_amount);
            }
        };
        shape(name, &definition.settings, self.source(name, definition, subject, depth)?)
    }

    /// What a value is made of.
    fn source(
        &self,
        name: &str,
        definition: &Definition,
        subject: Subject<'_>,
        depth: usize,
    ) -> std::result::Result<Source, Held> {
        Ok(match (&definition.path, &definition.settings.value) {
            (Some(path), _) => read(subject, path, definition.settings.sum),
            (None, Some(other)) => given(self.value(other, subject, Some(name), depth)?),
            (None, None) => {
                let text = self.rendered(name, definition, subject, depth)?;
                Source { found: vec![Scalar::Text(text)], currency: None, is_mixed: false }
            }
        })
    }

    fn rendered(
        &self,
        name: &str,
        definition: &Definition,
        subject: Subject<'_>,
        depth: usize,
    ) -> std::result::Result<String, Held> {
        let mut values = BTreeMap::new();
        for other in &definition.names {
            values.insert(other.clone(), as_text(&self.value(other, subject, Some(name), depth)?));
        }
        let lines: Vec<&LineFacts> = match subject.line {
            Some(line) => vec![line],
            None => subject.order.lines.iter().collect(),
        };
        let shown = context! {
            order => Shown::from(Serde(subject.order)),
            line => Shown::from(Serde(subject.line)),
            lines => Shown::from(Serde(lines)),
            values => Shown::from(Serde(values)),
        };
        let rendered = self.templates.get_template(name).and_then(|template| template.render(&shown));
        rendered.map_err(|error| Held::new(Code::TemplateFailed, format!("`{name}`: {error}")))
    }
}

/// What stands for a tag that is on the task.
pub const ON: &str = "on";

/// Where a rule stands, for people.
#[must_use]
pub fn place_of(at: usize, rule: &RuleSettings) -> String {
    format!("mapping.rules[{}] (to {})", at + 1, if rule.to.is_empty() { "nothing" } else { &rule.to })
}

/// A value in a template: text, or nothing.
fn as_text(value: &Value) -> String {
    match value {
        Value::Empty => String::new(),
        Value::Text(text) => text.clone(),
        Value::Amount(amount, _) => amount.to_string(),
        Value::Date(date) => date.to_string(),
    }
}

/// A value that another one is made of.
fn given(value: Value) -> Source {
    let (found, currency) = match value {
        Value::Empty => (Vec::new(), None),
        Value::Text(text) => (vec![Scalar::Text(text)], None),
        Value::Amount(amount, currency) => (vec![Scalar::Number(amount.to_string())], currency),
        Value::Date(date) => (vec![Scalar::Text(date.to_string())], None),
    };
    Source { found, currency, is_mixed: false }
}

/// Everything at the end of a path, of the order, of the task's line or all lines, or of the task's invoices. A sum
/// leaves canceled invoices out.
fn read(subject: Subject<'_>, path: &Path, is_sum: bool) -> Source {
    let (name, order) = (path.to_string(), subject.order);
    let mut parts: Vec<(&Found, Option<&String>)> = Vec::new();
    if path.of_invoices {
        let counts = subject.concerning().filter(|invoice| !(is_sum && invoice.canceled));
        parts.extend(counts.map(|invoice| (&invoice.read, invoice.currency.as_ref())));
    } else if path.is_of_lines() {
        let lines: Vec<&LineFacts> = match subject.line {
            Some(line) => vec![line],
            None => order.lines.iter().collect(),
        };
        let order = order.currency.as_ref();
        parts.extend(lines.into_iter().map(|line| (&line.read, line.currency.as_ref().or(order))));
    } else {
        parts.push((&order.read, order.currency.as_ref()));
    }
    let (mut found, mut currencies) = (Vec::new(), BTreeSet::new());
    for (read, currency) in parts {
        if let Some(some) = read.get(&name) {
            found.extend(some.iter().cloned());
            currencies.insert(currency.cloned());
        }
    }
    let is_mixed = currencies.len() > 1;
    let currency = if is_mixed { None } else { currencies.into_iter().next().flatten() };
    Source { found, currency, is_mixed }
}
