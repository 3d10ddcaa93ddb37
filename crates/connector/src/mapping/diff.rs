//! Which values differ between what a task shows and what it should show.

use std::collections::BTreeMap;

use asana::FieldValue;

/// The values to write: those that differ from what is known. A field not known counts as empty.
#[must_use]
pub fn differing(
    desired: &BTreeMap<String, FieldValue>,
    known: &BTreeMap<String, FieldValue>,
) -> BTreeMap<String, FieldValue> {
    desired
        .iter()
        .filter(|(gid, want)| !same(want, known.get(*gid)))
        .map(|(gid, want)| (gid.clone(), want.clone()))
        .collect()
}

fn same(want: &FieldValue, known: Option<&FieldValue>) -> bool {
    match known {
        Some(known) => want == known,
        None => *want == FieldValue::Clear,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(pairs: &[(&str, FieldValue)]) -> BTreeMap<String, FieldValue> {
        pairs.iter().map(|(gid, value)| ((*gid).to_owned(), value.clone())).collect()
    }

    fn number(text: &str) -> FieldValue {
        FieldValue::Number(text.parse().unwrap())
    }

    #[test]
    fn only_what_differs_is_written() {
        let desired = values(&[
            ("1", FieldValue::Text("ACME".into())),
            ("2", number("10.00")),
            ("3", FieldValue::Clear),
            ("4", FieldValue::Clear),
        ]);
        let known = values(&[
            ("1", FieldValue::Text("ACME".into())),
            ("2", number("10.01")),
            ("4", FieldValue::Text("old".into())),
        ]);
        assert_eq!(differing(&desired, &known), values(&[("2", number("10.00")), ("4", FieldValue::Clear)]));
    }

    #[test]
    fn numbers_are_compared_by_value_not_by_text() {
        assert!(differing(&values(&[("2", number("10.50"))]), &values(&[("2", number("10.5"))])).is_empty());
    }
}
