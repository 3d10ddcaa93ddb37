//! Reading what a path names from a record's raw JSON, with every number's own text.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use oracle_fusion::RawValue;
use serde::Serialize;

/// Steps of a path at most; `lines.schedules.distributions.projectDFF._PROJECT_ID` has five.
const MAX_STEPS: usize = 8;

/// A path into an order, or into the invoices of an order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path {
    /// Whether it leads into the invoices.
    pub of_invoices: bool,
    /// Children, and at the end the attribute.
    pub steps: Vec<String>,
}

/// What stands at the end of a path. Null is nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scalar {
    /// A text.
    Text(String),
    /// A number, as it is written in the record.
    Number(String),
    /// True or false.
    Flag(bool),
}

impl Scalar {
    /// As people read it.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Scalar::Text(text) | Scalar::Number(text) => Cow::Borrowed(text),
            Scalar::Flag(flag) => Cow::Borrowed(if *flag { "true" } else { "false" }),
        }
    }
}

/// What was read of one record, or of one line, by path.
pub type Found = BTreeMap<String, Vec<Scalar>>;

impl Path {
    /// Takes a path apart.
    ///
    /// # Errors
    /// In words, what is wrong with it.
    pub fn parse(text: &str) -> Result<Path, String> {
        let (of_invoices, rest) = match text.strip_prefix("invoices.") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let steps: Vec<String> = rest.split('.').map(str::to_owned).collect();
        let is_name = |step: &String| {
            step.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && step.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        };
        if !steps.iter().all(is_name) {
            return Err(format!(
                "`{text}` is no path: names of letters, digits and _ with a point between them"
            ));
        }
        if steps.len() > MAX_STEPS {
            return Err(format!("`{text}` has more than {MAX_STEPS} steps"));
        }
        Ok(Path { of_invoices, steps })
    }

    /// The children that must come along for it, as `lines.schedules`; empty for an attribute of the record itself.
    #[must_use]
    pub fn children(&self) -> String {
        self.steps.split_last().map(|(_, children)| children.join(".")).unwrap_or_default()
    }

    /// Whether it leads through the order's lines.
    #[must_use]
    pub fn is_of_lines(&self) -> bool {
        !self.of_invoices && self.steps.len() > 1 && self.steps.first().is_some_and(|step| step == LINES)
    }

    /// Everything at its end, in the record's order.
    pub fn read(&self, record: &RawValue, found: &mut Vec<Scalar>) {
        walk(record, &self.steps, found);
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before = if self.of_invoices { "invoices." } else { "" };
        write!(f, "{before}{}", self.steps.join("."))
    }
}

/// The child that an order's lines are.
const LINES: &str = "lines";

/// Reads all paths of one kind of record that do not lead through the lines.
#[must_use]
pub fn of_record(record: &RawValue, paths: &BTreeSet<Path>, of_invoices: bool) -> Found {
    let wanted = paths.iter().filter(|path| path.of_invoices == of_invoices && !path.is_of_lines());
    let mut all = Found::new();
    for path in wanted {
        let mut found = Vec::new();
        path.read(record, &mut found);
        if !found.is_empty() {
            all.insert(path.to_string(), found);
        }
    }
    all
}

/// Reads the paths through the lines, for each line by itself, in the record's order.
#[must_use]
pub fn of_lines(order: &RawValue, paths: &BTreeSet<Path>) -> Vec<Found> {
    let wanted: Vec<&Path> = paths.iter().filter(|path| path.is_of_lines()).collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    let Some(lines) = members(order).and_then(|mut order| order.remove(LINES)) else { return Vec::new() };
    let read = |line: &RawValue| {
        let mut all = Found::new();
        for path in &wanted {
            let mut found = Vec::new();
            walk(line, path.steps.get(1..).unwrap_or_default(), &mut found);
            if !found.is_empty() {
                all.insert(path.to_string(), found);
            }
        }
        all
    };
    rows(lines).into_iter().map(read).collect()
}

fn walk(value: &RawValue, steps: &[String], found: &mut Vec<Scalar>) {
    let Some((step, rest)) = steps.split_first() else {
        found.extend(scalar(value));
        return;
    };
    let Some(inner) = members(value).and_then(|mut members| members.remove(step.as_str())) else { return };
    if rest.is_empty() {
        found.extend(scalar(inner));
        return;
    }
    for row in rows(inner) {
        walk(row, rest, found);
    }
}

/// An object's members; `None` for anything else.
fn members(value: &RawValue) -> Option<BTreeMap<Cow<'_, str>, &RawValue>> {
    value.get().starts_with('{').then(|| serde_json::from_str(value.get()).ok()).flatten()
}

/// The rows of a child: a list, an object with `items`, or one row by itself, as the framework version has it.
fn rows(child: &RawValue) -> Vec<&RawValue> {
    if child.get().starts_with('[') {
        return serde_json::from_str(child.get()).unwrap_or_default();
    }
    match members(child).and_then(|mut members| members.remove("items")) {
        Some(items) => serde_json::from_str(items.get()).unwrap_or_default(),
        None => vec![child],
    }
}

/// `None` for null, and for a list or object, which is no value.
fn scalar(value: &RawValue) -> Option<Scalar> {
    let text = value.get();
    match text.as_bytes().first()? {
        b'"' => serde_json::from_str(text).ok().map(Scalar::Text),
        b't' => Some(Scalar::Flag(true)),
        b'f' => Some(Scalar::Flag(false)),
        b'-' | b'0'..=b'9' => Some(Scalar::Number(text.to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: &str = r#"{"POHeaderId":300100183456789012,"Buyer":"Roe, \"Jane\"","FrozenFlag":false,"Note":null,
        "Ordered":1200.50,"DFF":[{"stage":"design"}],
        "lines":{"items":[
            {"LineNumber":1,"Price":10.10,"schedules":[{"NeedBy":"2026-01-02"},{"NeedBy":"2026-01-03"}]},
            {"LineNumber":2,"Price":0.20,"schedules":{"items":[]}}],"hasMore":false}}"#;

    fn raw(text: &str) -> Box<RawValue> {
        serde_json::from_str(text).unwrap()
    }

    fn read(path: &str) -> Vec<Scalar> {
        let mut found = Vec::new();
        Path::parse(path).unwrap().read(&raw(ORDER), &mut found);
        found
    }

    #[test]
    fn a_path_gives_every_value_at_its_end_with_its_own_text() {
        assert_eq!(read("Buyer"), [Scalar::Text("Roe, \"Jane\"".into())]);
        assert_eq!(read("POHeaderId"), [Scalar::Number("300100183456789012".into())]);
        assert_eq!(read("Ordered"), [Scalar::Number("1200.50".into())]);
        assert_eq!(read("FrozenFlag"), [Scalar::Flag(false)]);
        assert_eq!(read("DFF.stage"), [Scalar::Text("design".into())]);
        assert_eq!(read("lines.Price"), [Scalar::Number("10.10".into()), Scalar::Number("0.20".into())]);
        assert_eq!(read("lines.schedules.NeedBy").len(), 2);
        for nothing in ["Note", "None", "lines", "lines.None.X", "Buyer.X", "lines.schedules"] {
            assert_eq!(read(nothing), [], "{nothing}");
        }
    }

    #[test]
    fn lines_are_read_one_by_one() {
        let paths: BTreeSet<Path> = ["lines.Price", "lines.schedules.NeedBy", "Buyer"]
            .iter()
            .map(|p| Path::parse(p).unwrap())
            .collect();
        let lines = of_lines(&raw(ORDER), &paths);
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0]["lines.schedules.NeedBy"].len(), 2);
        assert_eq!(lines[1]["lines.Price"], [Scalar::Number("0.20".into())]);
        assert!(!lines[1].contains_key("lines.schedules.NeedBy"));
        let record = of_record(&raw(ORDER), &paths, false);
        assert_eq!(record.keys().collect::<Vec<_>>(), ["Buyer"]);
        assert!(of_record(&raw(ORDER), &paths, true).is_empty());
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for wrong in ["", "a..b", "invoices.", "lines[0].X", "1a", "a b", "a.b.c.d.e.f.g.h.i"] {
            assert!(Path::parse(wrong).is_err(), "{wrong}");
        }
        let path = Path::parse("invoices.invoiceDff.ProcessingQueue").unwrap();
        assert!(path.of_invoices && path.children() == "invoiceDff");
        assert_eq!(path.to_string(), "invoices.invoiceDff.ProcessingQueue");
    }
}
