//! What is looked for: names as they can stand in texts, whole words only, in any case and however they are escaped.
//! Pure.

use std::fmt::Write as _;

use crate::code::Code;
use crate::erase::supplier::Supplier;
use crate::error::{Error, Result};

/// A name needs so many letters or digits to be looked for.
const SHORTEST: usize = 3;
/// What may stand before a name in a text for the database: the beginning, no letter or digit, or an escape of JSON.
const BEFORE: &str = r"(^|[^[:alnum:]]|\\[bfnrt]|\\u[0-9a-f]{4})";
/// What may stand after it.
const AFTER: &str = "($|[^[:alnum:]])";

/// What is looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needle {
    /// The names in lower case, as they stand in a text that is not escaped.
    names: Vec<String>,
    /// For the database: the texts of which one must be there, in lower case and with each way of escaping.
    pub(crate) plain: Vec<String>,
    /// For the database: what must fit besides, a regular expression over lower case.
    pub(crate) pattern: String,
    /// Whose records are those of the supplier that is looked for.
    of: Vec<Supplier>,
}

impl Needle {
    /// Looks for names: a supplier's or a person's, an e-mail address, a gid.
    ///
    /// # Errors
    /// [`Code::EraseTooShort`].
    pub fn names(names: &[String]) -> Result<Needle> {
        let mut needle = Needle::default();
        let mut patterns = Vec::new();
        for name in names.iter().map(|name| name.trim()) {
            if letters(name) < SHORTEST {
                let words = format!("`{name}` has fewer than {SHORTEST} letters or digits");
                return Err(Error::new(Code::EraseTooShort, words));
            }
            push_once(&mut needle.names, name.to_lowercase());
            for written in written(name) {
                patterns.push(bounded(&written));
                push_once(&mut needle.plain, written);
            }
        }
        needle.pattern = patterns.join("|");
        Ok(needle)
    }

    /// Looks for a supplier: for its names in all texts, and for records that carry an id, number or name of `known`.
    /// Names that are too short to be looked for in all texts are looked for in records alone.
    ///
    /// # Errors
    /// As [`Needle::names`].
    pub fn supplier(names: &[String], known: Vec<Supplier>) -> Result<Needle> {
        let is_known = |name: &&String| known.iter().any(|one| one.name.as_ref() == Some(*name));
        let (short, names): (Vec<&String>, Vec<&String>) =
            names.iter().partition(|name| is_known(name) && letters(name) < SHORTEST);
        let names: Vec<String> = names.into_iter().cloned().collect();
        let values = |of: fn(&Supplier) -> &Option<String>| -> Vec<String> {
            known.iter().filter_map(|one| of(one).clone()).collect()
        };
        let (ids, numbers) = (values(|one| &one.id), values(|one| &one.number));
        let short: Vec<String> = short.into_iter().cloned().collect();
        let mut needle = Needle::names(&names)?
            .and_attribute("SupplierId", &ids)
            .and_attribute("SupplierNumber", &numbers)
            .and_attribute("Supplier", &short);
        needle.of = known;
        Ok(needle)
    }

    /// The ids of the supplier that is looked for.
    #[must_use]
    pub fn supplier_ids(&self) -> Vec<String> {
        self.of.iter().filter_map(|one| one.id.clone()).collect()
    }

    /// Whether a record's supplier is the one that is looked for.
    #[must_use]
    pub fn is_of(&self, supplier: &Supplier) -> bool {
        let same = |one: &Option<String>, other: &Option<String>| {
            one.as_ref()
                .zip(other.as_ref())
                .is_some_and(|(one, other)| one.to_lowercase() == other.to_lowercase())
        };
        self.of.iter().any(|one| {
            same(&one.id, &supplier.id)
                || same(&one.number, &supplier.number)
                // two suppliers may have one name
                || (same(&one.name, &supplier.name)
                    && (one.id.is_none() || supplier.id.is_none())
                    && (one.number.is_none() || supplier.number.is_none()))
        })
    }

    fn and_attribute(mut self, attribute: &str, values: &[String]) -> Needle {
        for value in values {
            let (attribute, value) = (attribute.to_lowercase(), value.to_lowercase());
            let one = format!(r#""{}"\s*:\s*"?{}"?\s*[,}}]"#, escaped(&attribute), escaped(&value));
            if !self.pattern.is_empty() {
                self.pattern.push('|');
            }
            self.pattern.push_str(&one);
            push_once(&mut self.plain, value);
        }
        self
    }

    /// Whether a text, not escaped, says one of the names as a whole word.
    #[must_use]
    pub fn says(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        self.names.iter().any(|name| {
            text.match_indices(name.as_str()).any(|(at, found)| {
                let before = text[..at].chars().next_back();
                let after = text[at + found.len()..].chars().next();
                let joins = |edge: Option<char>, next: Option<char>| {
                    edge.is_some_and(char::is_alphanumeric) && next.is_some_and(char::is_alphanumeric)
                };
                !joins(name.chars().next(), before) && !joins(name.chars().next_back(), after)
            })
        })
    }

    /// The names in lower case, in order: what a digest is made of.
    #[must_use]
    pub fn whole(&self) -> Vec<String> {
        let of = self.of.iter().filter_map(|one| one.name.as_ref()).map(|name| name.to_lowercase());
        let mut names: Vec<String> = self.names.iter().cloned().chain(of).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

fn letters(name: &str) -> usize {
    name.chars().filter(|c| c.is_alphanumeric()).count()
}

/// A name in every way in which it can stand in a stored text, in lower case. The database may know the lower case of
/// A to Z alone, so that other letters are looked for in both cases.
fn written(name: &str) -> Vec<String> {
    let mut all = Vec::new();
    for cased in [name.to_owned(), name.to_lowercase(), name.to_uppercase()] {
        let json = json(&cased);
        let ways = [
            json.replace('/', "\\/"),
            ascii(&json),
            ascii(&json).replace('/', "\\/"),
            self::json(&json),
            xml(&cased),
            self::json(&xml(&cased)),
            json,
            cased,
        ];
        for way in ways {
            push_once(&mut all, way.to_lowercase());
            push_once(&mut all, way.to_ascii_lowercase());
        }
    }
    all
}

/// As it stands in JSON, without the quotes.
fn json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned()
}

/// As it stands in JSON of ASCII alone.
fn ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            // writing to a String has no way to fail
            let _ = write!(out, "\\u{unit:04x}");
        }
    }
    out
}

/// As it stands in XML and in messages to Slack.
fn xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The regular expression for a text as a whole word.
fn bounded(text: &str) -> String {
    let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let before = if is_word(text.chars().next()) { BEFORE } else { "" };
    let after = if is_word(text.chars().next_back()) { AFTER } else { "" };
    format!("{before}{}{after}", escaped(text))
}

/// A text that means itself in a regular expression.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_punctuation() {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn push_once(list: &mut Vec<String>, one: String) {
    if !list.contains(&one) {
        list.push(one);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(name: &str) -> Needle {
        Needle::names(&[name.to_owned()]).unwrap()
    }

    #[test]
    fn a_name_is_found_as_a_whole_word_in_any_case() {
        let needle = of("Ann Müller");
        for text in ["ann müller", "by ANN MÜLLER.", "(Ann Müller)", "Müller, x; Ann Müller"] {
            assert!(needle.says(text), "{text}");
        }
        for text in ["Joann Müller", "Ann Müllers", "Ann Mueller", ""] {
            assert!(!needle.says(text), "{text}");
        }
        assert!(of("ACME (UK)").says("paid to acme (uk)x"));
    }

    #[test]
    fn too_short_names_are_refused() {
        for name in ["", " ", "ab", "a. b.", "--"] {
            let error = Needle::names(&[name.to_owned()]).unwrap_err();
            assert_eq!(error.code, Code::EraseTooShort, "{name}");
        }
    }

    #[test]
    fn names_are_looked_for_however_they_are_escaped() {
        let plain = of("Bär \"&\" Co/KG").plain;
        for text in [
            r#"bär "&" co/kg"#,
            r#"bär \"&\" co/kg"#,
            r#"b\u00e4r \"&\" co\/kg"#,
            r#"b\u00c4r \"&\" co/kg"#.to_lowercase().as_str(),
            r#"bär "&amp;" co/kg"#,
            r#"bär \\\"&\\\" co/kg"#,
        ] {
            assert!(plain.iter().any(|one| one == text), "{text} is none of {plain:#?}");
        }
    }

    #[test]
    fn a_suppliers_records_are_known_by_id_or_number_and_by_name_where_there_is_no_id() {
        let some = |text: &str| Some(text.to_owned());
        let known = vec![Supplier { name: some("3M"), id: some("7"), number: some("12") }];
        let needle = Needle::supplier(&["3M".to_owned()], known).unwrap();
        let of = |name: Option<&str>, id: Option<&str>, number: Option<&str>| {
            let own = |text: Option<&str>| text.map(str::to_owned);
            needle.is_of(&Supplier { name: own(name), id: own(id), number: own(number) })
        };
        assert!(of(None, Some("7"), None) && of(Some("x"), None, Some("12")) && of(Some("3m"), None, None));
        assert!(!of(Some("3M"), Some("8"), None) && !of(None, None, None) && !of(Some("x"), None, Some("7")));
        assert!(!needle.says("3M"), "too short for all texts");
        assert_eq!(needle.plain, ["7", "12", "3m"]);
    }

    proptest! {
        #[test]
        fn what_is_said_is_found(name in "[a-zA-ZäÖß]{3,8}( [a-z&.]{1,5}[a-z])?", before in "[ ,\n(]?", after in "[ .,)\n]?") {
            let said = format!("{before}{name}{after}");
            prop_assert!(of(&name).says(&said));
            prop_assert!(of(&name).says(&said.to_lowercase()));
        }
    }
}
