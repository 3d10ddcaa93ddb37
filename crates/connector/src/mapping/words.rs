//! What of a mapping in a file cannot even be read: unknown settings, wrong words, wrong types. Each is told with its place
//! and what to write, and taken out, so that all the rest is checked as well. Pure; a wrong value is not repeated, since a
//! secret may have strayed into the file.

use std::collections::BTreeSet;

use toml::{Table, Value};

/// Longest word that is compared with others, in bytes.
const MAX_COMPARED: usize = 64;

/// What a setting takes.
#[derive(Debug, Clone, Copy)]
enum Takes {
    Text,
    Flag,
    Count,
    Texts,
    Word(&'static [&'static str]),
}

const OF_MAPPING: [&str; 2] = ["values", "rules"];

const OF_VALUE: [(&str, Takes); 19] = [
    ("read", Takes::Text),
    ("value", Takes::Text),
    ("text", Takes::Text),
    ("trim", Takes::Flag),
    ("case", Takes::Word(&["upper", "lower"])),
    ("lookup", Takes::Texts),
    ("default", Takes::Text),
    ("join", Takes::Text),
    ("sum", Takes::Flag),
    ("first", Takes::Flag),
    ("least", Takes::Flag),
    ("greatest", Takes::Flag),
    ("as", Takes::Word(&["number", "date"])),
    ("date_from", Takes::Text),
    ("zone", Takes::Text),
    ("date_to", Takes::Text),
    ("decimals", Takes::Count),
    ("decimal_mark", Takes::Text),
    ("group_mark", Takes::Text),
];

const OF_RULE: [(&str, Takes); 4] =
    [("to", Takes::Text), ("value", Takes::Text), ("set", Takes::Text), ("when", Takes::Text)];

/// Takes out of `[mapping]` what cannot be read, and tells all of it.
pub fn take_out(file: &mut Table) -> Vec<String> {
    let mut told = Vec::new();
    let Some(mapping) = file.get_mut("mapping") else { return told };
    let Some(mapping) = mapping.as_table_mut() else {
        file.remove("mapping");
        return vec![
            "mapping: it holds values and rules; write [mapping.values.NAME] and [[mapping.rules]]"
                .to_owned(),
        ];
    };
    for key in keys(mapping) {
        if !OF_MAPPING.contains(&key.as_str()) {
            mapping.remove(&key);
            told.push(format!("mapping: {}", unknown(&key, &OF_MAPPING)));
        }
    }
    told.extend(of_values(mapping));
    told.extend(of_rules(mapping));
    told
}

fn of_values(mapping: &mut Table) -> Vec<String> {
    let Some(values) = mapping.get_mut("values") else { return Vec::new() };
    let Some(values) = values.as_table_mut() else {
        mapping.remove("values");
        return vec!["mapping.values: each value has a name; write [mapping.values.NAME]".to_owned()];
    };
    let mut told = Vec::new();
    for (name, value) in values.iter_mut() {
        let place = format!("mapping.values.{name}");
        match value.as_table_mut() {
            Some(table) => told.extend(of_table(&place, table, &OF_VALUE)),
            None => {
                told.push(format!("{place}: a value is a table; write {name} = {{ read = \"Buyer\" }}"));
                *value = Value::Table(Table::new());
            }
        }
    }
    told
}

fn of_rules(mapping: &mut Table) -> Vec<String> {
    let Some(rules) = mapping.get_mut("rules") else { return Vec::new() };
    let Some(rules) = rules.as_array_mut() else {
        mapping.remove("rules");
        return vec![
            "mapping.rules: rules are a list; write [[mapping.rules]], with two brackets".to_owned(),
        ];
    };
    let mut told = Vec::new();
    for (at, rule) in rules.iter_mut().enumerate() {
        let place = format!("mapping.rules[{}]", at + 1);
        match rule.as_table_mut() {
            Some(table) => told.extend(of_table(&place, table, &OF_RULE)),
            None => {
                told.push(format!("{place}: a rule is a table; write {{ to = \"name\", set = \"text\" }}"));
                *rule = Value::Table(Table::new());
            }
        }
    }
    told
}

fn of_table(place: &str, table: &mut Table, known: &[(&str, Takes)]) -> Vec<String> {
    let mut told = Vec::new();
    for key in keys(table) {
        let why = match (known.iter().find(|(name, _)| *name == key), table.get(&key)) {
            (Some((_, takes)), Some(value)) => unfit(&key, *takes, value),
            _ => Some(unknown(&key, &known.iter().map(|(name, _)| *name).collect::<Vec<_>>())),
        };
        if let Some(why) = why {
            table.remove(&key);
            told.push(format!("{place}: {why}"));
        }
    }
    told
}

fn unfit(key: &str, takes: Takes, value: &Value) -> Option<String> {
    let (fits, what) = match takes {
        Takes::Text => (value.is_str(), "a text in quotes".to_owned()),
        Takes::Flag => (value.is_bool(), "true or false, without quotes".to_owned()),
        Takes::Count => (
            value.as_integer().is_some_and(|count| u32::try_from(count).is_ok()),
            "a whole number, not negative, without quotes".to_owned(),
        ),
        Takes::Texts => (
            value.as_table().is_some_and(|table| table.values().all(Value::is_str)),
            "a table of texts in quotes, such as { A = \"B\" }".to_owned(),
        ),
        Takes::Word(words) => {
            let word = value.as_str().unwrap_or_default();
            let all: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
            (words.contains(&word), format!("{}{}", all.join(" or "), meant(word, words)))
        }
    };
    (!fits).then(|| format!("`{key}` takes {what}"))
}

fn unknown(key: &str, known: &[&str]) -> String {
    let meant = meant(key, known);
    let rest = if meant.is_empty() { format!("; there are {}", known.join(", ")) } else { meant };
    format!("there is no setting `{key}`{rest}")
}

fn meant(word: &str, words: &[&str]) -> String {
    nearest(word, words.iter().copied())
        .map_or_else(String::new, |known| format!("; did you mean `{known}`?"))
}

/// Which of these words was meant, when one is close: a quarter of its letters may be wrong.
pub(crate) fn nearest<'w>(word: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    if word.is_empty() || word.len() > MAX_COMPARED {
        return None;
    }
    let word = word.to_lowercase();
    let (distance, known) = words.map(|known| (strsim::osa_distance(&word, known), known)).min()?;
    let letters = known.chars().count();
    (distance <= letters.div_ceil(4) && distance < letters).then_some(known)
}

/// What is said of a member that a variable does not have, `there` being those that it has.
pub(crate) fn absent(variable: &str, member: &str, there: &BTreeSet<String>) -> String {
    let rest = match nearest(member, there.iter().map(String::as_str)) {
        Some(meant) => format!("did you mean `{variable}.{meant}`?"),
        None if there.is_empty() => format!("`{variable}` has nothing"),
        None => format!("`{variable}` has {}", there.iter().cloned().collect::<Vec<_>>().join(", ")),
    };
    let besides = match variable {
        "order" | "line" if !rest.ends_with('?') => {
            "; what else Oracle has is read by a value of the mapping (`read`)"
        }
        _ => "",
    };
    format!("`{variable}.{member}` does not exist; {rest}{besides}")
}

fn keys(table: &Table) -> Vec<String> {
    table.keys().cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::document::{AsKind, Case, MappingSettings, RuleSettings, ValueSettings};

    #[test]
    fn every_setting_that_is_written_is_known_here() {
        let some = || Some("x".to_owned());
        let value = ValueSettings {
            read: some(),
            value: some(),
            text: some(),
            trim: true,
            case: Some(Case::Lower),
            lookup: [("a".to_owned(), "b".to_owned())].into(),
            default: some(),
            join: some(),
            sum: true,
            first: true,
            least: true,
            greatest: true,
            as_kind: Some(AsKind::Date),
            date_from: some(),
            zone: some(),
            date_to: some(),
            decimals: Some(2),
            decimal_mark: some(),
            group_mark: some(),
        };
        let rule = RuleSettings { to: "name".into(), value: some(), set: some(), when: some() };
        let mapping = MappingSettings { values: [("a".to_owned(), value)].into(), rules: vec![rule] };
        let whole = Table::from_iter([("mapping".to_owned(), Value::try_from(&mapping).unwrap())]);
        let mut read = whole.clone();
        assert_eq!(take_out(&mut read), Vec::<String>::new());
        assert_eq!(read, whole);
        let of_value = whole["mapping"]["values"]["a"].as_table().unwrap();
        assert_eq!(of_value.len(), OF_VALUE.len());
        for word in ["upper", "lower"] {
            assert!(toml::from_str::<ValueSettings>(&format!("case = \"{word}\"")).is_ok());
        }
        for word in ["number", "date"] {
            assert!(toml::from_str::<ValueSettings>(&format!("as = \"{word}\"")).is_ok());
        }
    }

    #[test]
    fn what_is_taken_out_leaves_something_that_can_be_read() {
        for broken in [
            "mapping = 1",
            "[mapping]\nvalues = 1\nrules = 2\nvaluse = 3",
            "[mapping]\nvalues = { a = 1 }\nrules = [1, { to = 5 }]",
            "[mapping.values.a]\ntrim = \"yes\"\nas = 1\ndecimals = -1\nlookup = { A = 1 }\nraed = \"x\"",
        ] {
            let mut file: Table = broken.parse().unwrap();
            assert!(!take_out(&mut file).is_empty(), "{broken}");
            if let Some(mapping) = file.get("mapping") {
                assert!(mapping.clone().try_into::<MappingSettings>().is_ok(), "{broken}");
            }
        }
    }
}
