//! How often each value of the document was there and each rule gave something, over many tasks: what silently yields
//! nothing is said. Kept beside planning, and only where somebody wants it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::mapping::engine::{Gave, Mapping};
use crate::mapping::shape::Seen;
use crate::mapping::values::{Subject, Value};

/// Different missing texts counted of each value, at most; further ones are only counted together.
const MAX_TEXTS: usize = 1000;
/// Missing texts that are told of each value, the most frequent ones.
const TOLD_TEXTS: usize = 5;
/// Tasks from which on a condition that holds on all of them is told.
const MANY: u64 = 5;
/// Longest missing text that is told, in characters.
const MAX_CHARACTERS: usize = 80;

/// What was seen so far.
#[derive(Debug, Default)]
pub struct Tally {
    /// Order and line of each task that was counted: an order is planned again with its invoices.
    counted: BTreeSet<(String, String)>,
    values: BTreeMap<String, OfValue>,
    rules: Vec<OfRule>,
}

#[derive(Debug, Default)]
struct OfValue {
    empty: u64,
    defaulted: u64,
    /// How often there was something besides the default.
    own: u64,
    held: u64,
    missing: BTreeMap<String, u64>,
    further: u64,
}

#[derive(Debug, Default)]
struct OfRule {
    place: String,
    is_conditional: bool,
    clears: bool,
    applied: u64,
    wrote: u64,
    held: u64,
}

/// What is told in the end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tallied {
    /// Tasks that were looked at.
    pub tasks: u64,
    /// Every value of the document.
    pub values: Vec<ValueTally>,
    /// Every rule, in their order.
    pub rules: Vec<RuleTally>,
}

/// One value of the document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ValueTally {
    /// `mapping.values.NAME`.
    pub place: String,
    /// On how many tasks it was empty.
    pub empty: u64,
    /// On how many its default stood in, for all of it or a part.
    pub defaulted: u64,
    /// On how many it could not be told, so that the record is held if something uses it.
    pub held: u64,
    /// Texts that its look-up table does not have, the most frequent first; at most 5.
    pub missing: Vec<Missing>,
    /// How often further such texts were met.
    pub missing_further: u64,
    /// What there is to say of it in words.
    pub says: Vec<String>,
}

/// A text that a look-up table does not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// The text, cut to 80 characters.
    pub text: String,
    /// On how many tasks.
    pub count: u64,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleTally {
    /// `mapping.rules[N]`, counted from 1, and where it leads.
    pub place: String,
    /// On how many tasks it was the one for its target.
    pub applied: u64,
    /// On how many of these it gave something.
    pub wrote: u64,
    /// On how many it had no answer.
    pub held: u64,
    /// What there is to say of it in words.
    pub says: Vec<String>,
}

impl Tally {
    /// Counts a task, once.
    pub fn add(&mut self, mapping: &Mapping, subject: Subject<'_>) {
        let line = subject.line.map(|line| line.id.clone()).unwrap_or_default();
        if !self.counted.insert((subject.order.id.clone(), line)) {
            return;
        }
        for name in mapping.names() {
            let (seen, value) = mapping.seen(name, subject);
            let of = self.values.entry(name.to_owned()).or_default();
            of.defaulted += u64::from(seen.is_defaulted);
            of.own += u64::from(seen.has_own);
            match value {
                Ok(Value::Empty) => of.empty += 1,
                Ok(Value::Text(text)) if text.trim().is_empty() => of.empty += 1,
                Ok(_) => {}
                Err(_) => of.held += 1,
            }
            of.add_missing(seen);
        }
        if self.rules.is_empty() {
            let places = mapping.places();
            let of = |(place, is_conditional, clears): (&str, bool, bool)| OfRule {
                place: place.to_owned(),
                is_conditional,
                clears,
                ..OfRule::default()
            };
            self.rules = places.map(of).collect();
        }
        for (at, gave) in mapping.given(subject) {
            let Some(rule) = self.rules.get_mut(at) else { continue };
            rule.applied += u64::from(gave != Gave::Held);
            rule.wrote += u64::from(gave == Gave::Something);
            rule.held += u64::from(gave == Gave::Held);
        }
    }

    /// The result.
    #[must_use]
    pub fn told(self) -> Tallied {
        let tasks = self.counted.len() as u64;
        let values = self.values.into_iter().map(|(name, of)| of.told(&name, tasks)).collect();
        let rules = self.rules.into_iter().map(|of| of.told(tasks)).collect();
        Tallied { tasks, values, rules }
    }
}

impl OfValue {
    fn add_missing(&mut self, seen: Seen) {
        for text in seen.missing {
            let text: String = text.chars().take(MAX_CHARACTERS).collect();
            if let Some(count) = self.missing.get_mut(&text) {
                *count += 1;
            } else if self.missing.len() < MAX_TEXTS {
                self.missing.insert(text, 1);
            } else {
                self.further += 1;
            }
        }
    }

    fn told(self, name: &str, tasks: u64) -> ValueTally {
        let mut says = Vec::new();
        if self.empty == tasks {
            says.push(format!("it was always empty ({tasks} tasks); see whether Oracle has what it reads"));
        } else if self.empty > 0 {
            says.push(format!("it was empty on {} of {tasks} tasks", self.empty));
        }
        if self.defaulted == tasks && self.own == 0 {
            says.push(format!("its default always stood in ({tasks} tasks)"));
        } else if self.defaulted > 0 {
            says.push(format!("its default stood in on {} of {tasks} tasks", self.defaulted));
        }
        if self.held > 0 {
            says.push(format!("it could not be told on {} of {tasks} tasks", self.held));
        }
        let mut missing: Vec<Missing> =
            self.missing.into_iter().map(|(text, count)| Missing { text, count }).collect();
        missing.sort_by_key(|one| std::cmp::Reverse(one.count));
        let rest: u64 = missing.iter().skip(TOLD_TEXTS).map(|one| one.count).sum();
        missing.truncate(TOLD_TEXTS);
        let missing_further = self.further + rest;
        if !missing.is_empty() {
            let mut words: Vec<String> =
                missing.iter().map(|one| format!("`{}` ({})", one.text, one.count)).collect();
            if missing_further > 0 {
                words.push(format!("others ({missing_further})"));
            }
            says.push(format!("not in its look-up table: {}", words.join(", ")));
        }
        let OfValue { empty, defaulted, held, .. } = self;
        let place = format!("mapping.values.{name}");
        ValueTally { place, empty, defaulted, held, missing, missing_further, says }
    }
}

impl OfRule {
    fn told(self, tasks: u64) -> RuleTally {
        let OfRule { place, is_conditional, clears, applied, wrote, held } = self;
        let mut says = Vec::new();
        let clearing = if clears { ", where it clears what a person put there" } else { "" };
        if applied == 0 && held == 0 {
            says.push(format!("it never applied ({tasks} tasks)"));
        } else if wrote == 0 && held == 0 {
            says.push(format!(
                "it never wrote anything: its value was empty on all {applied} tasks{clearing}"
            ));
        } else if wrote < tasks {
            says.push(format!("it wrote something on {wrote} of {tasks} tasks"));
        }
        if is_conditional && applied == tasks && tasks >= MANY {
            says.push(format!("its condition held on all {tasks} tasks"));
        }
        let empty = applied.saturating_sub(wrote);
        if empty > 0 && wrote > 0 && clears {
            says.push(format!("its value was empty on {empty} tasks{clearing}"));
        }
        if held > 0 {
            says.push(format!("it had no answer on {held} of {tasks} tasks"));
        }
        RuleTally { place, applied, wrote, held, says }
    }
}

impl Tallied {
    /// Everything there is to say, each with its place; nothing when no task was looked at.
    pub fn says(&self) -> impl Iterator<Item = (&str, &str)> {
        let values = self.values.iter().map(|of| (&of.place, &of.says));
        let all = values.chain(self.rules.iter().map(|of| (&of.place, &of.says)));
        all.flat_map(|(place, says)| says.iter().map(move |words| (place.as_str(), words.as_str())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::document::MappingSettings;
    use crate::record::OrderFacts;
    use crate::settings::Settings;

    const DOCUMENT: &str = r#"
[values.kind]
value = "order_status"
trim = true
lookup = { OPEN = "Open" }
default = "Other"

[values.never]
value = "supplier"
lookup = { ACME = "A" }
default = "?"

[values.nothing]
read = "Absent"

[values.strict]
value = "order_status"
lookup = { OPEN = "Open" }

[[rules]]
to = "201"
value = "kind"

[[rules]]
to = "202"
value = "nothing"

[[rules]]
to = "name"
set = "x"
when = "order.number == 'none'"

[[rules]]
to = "tag:7"
when = "values.kind == 'Open'"

[[rules]]
to = "notes"
set = ""
when = "order.total > 5"
"#;

    fn told(orders: &[OrderFacts]) -> Tallied {
        told_by(DOCUMENT, orders)
    }

    fn told_by(document: &str, orders: &[OrderFacts]) -> Tallied {
        let mut settings = Settings::from_toml(crate::mapping::mistakes::BASE).unwrap();
        settings.mapping = toml::from_str::<MappingSettings>(document).unwrap();
        let mapping = Mapping::of(&settings).unwrap();
        let mut tally = Tally::default();
        for order in orders {
            tally.add(&mapping, Subject { order, line: None, invoices: &[] });
        }
        tally.told()
    }

    fn order(id: usize, status: &str, supplier: &str) -> OrderFacts {
        OrderFacts {
            id: id.to_string(),
            status: Some(status.into()),
            supplier: Some(supplier.into()),
            ..OrderFacts::default()
        }
    }

    #[test]
    fn what_yields_nothing_is_said_with_its_place_and_each_task_counts_once() {
        let orders =
            [order(1, "OPEN", "B"), order(2, "CLOSED", "B"), order(3, "CLOSED", "C"), order(3, "X", "X")];
        let told = told(&orders);
        assert_eq!(told.tasks, 3);
        let says: Vec<String> = told.says().map(|(place, words)| format!("{place}: {words}")).collect();
        assert_eq!(
            says,
            [
                "mapping.values.kind: its default stood in on 2 of 3 tasks",
                "mapping.values.kind: not in its look-up table: `CLOSED` (2)",
                "mapping.values.never: its default always stood in (3 tasks)",
                "mapping.values.never: not in its look-up table: `B` (2), `C` (1)",
                "mapping.values.nothing: it was always empty (3 tasks); see whether Oracle has what it reads",
                "mapping.values.strict: it could not be told on 2 of 3 tasks",
                "mapping.values.strict: not in its look-up table: `CLOSED` (2)",
                "mapping.rules[2] (to 202): it never wrote anything: its value was empty on all 3 tasks, where it clears what a person put there",
                "mapping.rules[3] (to name): it never applied (3 tasks)",
                "mapping.rules[4] (to tag:7): it wrote something on 1 of 3 tasks",
                "mapping.rules[5] (to notes): it wrote something on 0 of 3 tasks",
                "mapping.rules[5] (to notes): it had no answer on 3 of 3 tasks",
            ]
        );
        assert_eq!((told.rules[0].applied, told.rules[0].wrote), (3, 3));
    }

    #[test]
    fn a_condition_that_held_on_all_tasks_is_said_where_there_are_some() {
        let document = "[values.nothing]\nread = \"Absent\"\n\
             [[rules]]\nto = \"name\"\nset = \"x\"\nwhen = \"order.status != 'closed'\"\n\
             [[rules]]\nto = \"notes\"\nset = \"x\"\n\
             [[rules]]\nto = \"due_on\"\nvalue = \"nothing\"\nwhen = \"order.number == ''\"";
        let always = "mapping.rules[1] (to name): its condition held on all 5 tasks";
        let said = |many: usize| {
            let orders: Vec<OrderFacts> = (0..many).map(|at| order(at, "Closed", "A")).collect();
            let told = told_by(document, &orders);
            told.says().map(|(place, words)| format!("{place}: {words}")).collect::<Vec<_>>()
        };
        assert!(said(5).iter().any(|words| words == always), "{:?}", said(5));
        assert!(!said(4).iter().any(|words| words.contains("its condition held")), "{:?}", said(4));
        assert!(!said(5).iter().any(|words| words.contains("(to notes)")), "a rule without one is to hold");
    }

    #[test]
    fn nothing_is_said_of_no_tasks_and_missing_texts_are_bounded() {
        assert_eq!(told(&[]), Tallied::default());
        let orders: Vec<OrderFacts> =
            (0..MAX_TEXTS + 10).map(|at| order(at, &format!("S{at}"), "ACME")).collect();
        let told = told(&orders);
        let kind = &told.values[0];
        assert_eq!(kind.missing.len(), TOLD_TEXTS);
        assert_eq!(kind.missing_further, (MAX_TEXTS + 10 - TOLD_TEXTS) as u64);
        assert_eq!(told.values[1].says, Vec::<String>::new());
    }
}
