//! The name and notes of a new task, from MiniJinja templates.

use std::collections::BTreeSet;

use minijinja::value::Serde;
use minijinja::{Environment, Template, Value, context};
use serde::Serialize;

use crate::code::Code;
use crate::error::{Error, Result};
use crate::mapping::words::absent;
use crate::record::{LineFacts, OrderFacts};
use crate::settings::TaskSettings;

/// A new task's name unless set otherwise.
pub const DEFAULT_NAME: &str =
    "{{ order.number }}{% if line %}/{{ line.number }}{% endif %} {{ order.supplier or '' }}";
/// A new task's notes unless set otherwise.
pub const DEFAULT_NOTES: &str = "\
{% if order.description %}{{ order.description }}
{% endif %}\
{% for l in lines %}{{ l.number }}. {{ l.description or '' }}: \
{% if l.quantity and l.price %}{{ l.quantity }} x {{ l.price }} = {% endif %}{{ l.ordered or l.total or '?' }} {{ order.currency or '' }}
{% endfor %}";
/// Steps a template may take; the default needs about 30 per line.
const FUEL: u64 = 100_000;
/// Asana takes longer names, but nobody reads them.
pub(crate) const NAME_CHARACTERS: usize = 250;
/// Notes are cut here; Asana's own limit is not documented.
pub(crate) const NOTES_CHARACTERS: usize = 20_000;
/// What leads the order's key on the last line of the notes.
pub const KEY_PREFIX: &str = "Oracle order id: ";

/// The compiled templates of a connection.
#[derive(Debug)]
pub struct Templates {
    env: Environment<'static>,
}

impl Templates {
    /// Compiles both templates.
    pub fn new(settings: &TaskSettings) -> Result<Templates> {
        let mut env = Environment::new();
        env.set_fuel(Some(FUEL));
        for (name, source) in [("name", &settings.name), ("notes", &settings.notes)] {
            env.add_template_owned(name, source.clone()).map_err(|e| {
                Error::new(Code::SettingsInvalid, format!("tasks.{name} is not a template: {e}"))
            })?;
        }
        Ok(Templates { env })
    }

    /// Names in the templates that do not exist, each with its place.
    #[must_use]
    pub fn unknown(&self) -> Vec<String> {
        let all =
            ["name", "notes"].into_iter().filter_map(|name| Some((name, self.env.get_template(name).ok()?)));
        let told = |(name, template): (&str, Template<'_, '_>)| {
            unknown_members(&template)
                .into_iter()
                .map(|why| format!("tasks.{name}: {why}"))
                .collect::<Vec<_>>()
        };
        all.flat_map(told).collect()
    }

    /// Renders name and notes; the notes end with the order's key, by which the task is known again.
    pub fn render(&self, order: &OrderFacts, line: Option<&LineFacts>) -> Result<(String, String)> {
        let lines: Vec<&LineFacts> = match line {
            Some(line) => vec![line],
            None => order.lines.iter().collect(),
        };
        let shown = context! {
            order => Value::from(Serde(order)),
            line => Value::from(Serde(line)),
            lines => Value::from(Serde(lines)),
        };
        let render = |name: &str| {
            self.env
                .get_template(name)
                .and_then(|t| t.render(&shown))
                .map_err(|e| Error::new(Code::TemplateFailed, format!("tasks.{name}: {e}")))
        };
        let name = cut(render("name")?.trim(), NAME_CHARACTERS).0;
        let name = if name.is_empty() { order.id.clone() } else { name };
        let notes = cut(render("notes")?.trim_end(), NOTES_CHARACTERS).0;
        Ok((name, with_key(&notes, &order.id, line.map(|l| l.id.as_str()))))
    }
}

/// What a template names of `order` and `line` that neither has; MiniJinja would leave a blank there.
pub(crate) fn unknown_members(template: &Template<'_, '_>) -> Vec<String> {
    let named: BTreeSet<String> = template.undeclared_variables(true).into_iter().collect();
    let mut problems = Vec::new();
    for path in &named {
        let mut steps = path.split('.');
        let (Some(variable), Some(member)) = (steps.next(), steps.next()) else { continue };
        let known = match variable {
            "order" => members(&OrderFacts::default()),
            "line" => members(&LineFacts::default()),
            _ => continue,
        };
        if !known.contains(member) {
            problems.push(absent(variable, member, &known));
        }
    }
    problems
}

fn members(facts: &impl Serialize) -> BTreeSet<String> {
    match serde_json::to_value(facts) {
        // what the mapping reads is left out when there is nothing
        Ok(serde_json::Value::Object(members)) => {
            members.into_iter().map(|(name, _)| name).chain(["read".to_owned()]).collect()
        }
        _ => BTreeSet::new(),
    }
}

/// Notes with the order's key as their last line.
#[must_use]
pub fn with_key(notes: &str, order_id: &str, line_id: Option<&str>) -> String {
    let key = order_key(order_id, line_id);
    if notes.is_empty() { format!("{KEY_PREFIX}{key}") } else { format!("{notes}\n\n{KEY_PREFIX}{key}") }
}

/// The key written into a task's notes: the order's id, and the line's when a task is one line.
#[must_use]
pub fn order_key(order_id: &str, line_id: Option<&str>) -> String {
    match line_id {
        Some(line_id) => format!("{order_id}/{line_id}"),
        None => order_id.to_owned(),
    }
}

/// Finds the order's key in a task's notes.
#[must_use]
pub fn find_order_key(notes: &str) -> Option<&str> {
    notes
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix(KEY_PREFIX))
        .map(str::trim)
        .filter(|k| !k.is_empty())
}

/// Cuts a text to `limit` characters, with an ellipsis; says whether it was cut.
#[must_use]
pub fn cut(text: &str, limit: usize) -> (String, bool) {
    if text.chars().count() <= limit {
        return (text.to_owned(), false);
    }
    let mut kept: String = text.chars().take(limit.saturating_sub(1)).collect();
    kept.push('…');
    (kept, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order() -> OrderFacts {
        let line = |number: &str, ordered: &str| LineFacts {
            number: number.into(),
            description: Some("Paper & <ink>".into()),
            quantity: Some("2".into()),
            price: Some("5.00".into()),
            ordered: Some(ordered.into()),
            ..LineFacts::default()
        };
        OrderFacts {
            id: "300100".into(),
            number: "US-1".into(),
            supplier: Some("Łódź Sp. z o.o.".into()),
            currency: Some("PLN".into()),
            lines: vec![line("1", "10.00"), line("2", "12345678901234567890.12")],
            ..OrderFacts::default()
        }
    }

    #[test]
    fn the_default_task_lists_the_lines_and_carries_the_key() {
        let templates = Templates::new(&TaskSettings::default()).unwrap();
        let (name, notes) = templates.render(&order(), None).unwrap();
        assert_eq!(name, "US-1 Łódź Sp. z o.o.");
        assert_eq!(
            notes,
            "1. Paper & <ink>: 2 x 5.00 = 10.00 PLN\n2. Paper & <ink>: 2 x 5.00 = 12345678901234567890.12 PLN\n\n\
             Oracle order id: 300100"
        );
        assert_eq!(find_order_key(&notes), Some("300100"));
    }

    #[test]
    fn a_template_that_does_not_compile_is_refused() {
        let bad = TaskSettings { name: "{{ order.".into(), ..TaskSettings::default() };
        assert_eq!(Templates::new(&bad).unwrap_err().code, Code::SettingsInvalid);
    }

    #[test]
    fn a_template_that_runs_away_is_stopped() {
        let bad = TaskSettings {
            notes: "{% for a in range(10000) %}{% for b in range(10000) %}x{% endfor %}{% endfor %}".into(),
            ..TaskSettings::default()
        };
        let failed = Templates::new(&bad).unwrap().render(&order(), None).unwrap_err();
        assert_eq!(failed.code, Code::TemplateFailed);
    }

    #[test]
    fn a_text_is_cut_by_characters_with_an_ellipsis() {
        assert_eq!(cut("żółw", 4), ("żółw".to_owned(), false));
        assert_eq!(cut("żółwik", 4), ("żół…".to_owned(), true));
    }
}
