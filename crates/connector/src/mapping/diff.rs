//! Which values differ between what a task shows and what it should show.

use std::collections::BTreeMap;

use asana::FieldValue;

/// The key of the assignee, see [`Target::key`](crate::mapping::document::Target::key).
pub const ASSIGNEE: &str = "assignee";
/// The key of the section.
pub const SECTION: &str = "section";

/// The values to write: those that differ from what is known. A field not known counts as empty.
#[must_use]
pub fn differing(
    desired: &BTreeMap<String, FieldValue>,
    known: &BTreeMap<String, FieldValue>,
) -> BTreeMap<String, FieldValue> {
    desired
        .iter()
        .filter(|(key, want)| !same(key, want, known.get(*key)))
        .map(|(gid, want)| (gid.clone(), want.clone()))
        .collect()
}

fn same(key: &str, want: &FieldValue, known: Option<&FieldValue>) -> bool {
    match known {
        // known by several words: gid and e-mail of the assignee, one section for each project
        Some(FieldValue::Text(words)) if [ASSIGNEE, SECTION].contains(&key) => match want {
            FieldValue::Text(want) => words.split(' ').any(|word| word.eq_ignore_ascii_case(want)),
            _ => false,
        },
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
    fn an_assignee_is_known_by_gid_and_by_e_mail_and_a_task_has_a_section_in_each_project() {
        let known = values(&[
            ("assignee", FieldValue::Text("12 ann@acme.test".into())),
            ("section", FieldValue::Text("7 8".into())),
        ]);
        for same in [("assignee", "12"), ("assignee", "Ann@acme.test"), ("section", "8")] {
            let want = values(&[(same.0, FieldValue::Text(same.1.into()))]);
            assert!(differing(&want, &known).is_empty(), "{same:?}");
        }
        for other in [("assignee", FieldValue::Clear), ("assignee", FieldValue::Text("ann".into()))] {
            assert_eq!(differing(&values(std::slice::from_ref(&other)), &known).len(), 1, "{other:?}");
        }
    }

    #[test]
    fn numbers_are_compared_by_value_not_by_text() {
        assert!(differing(&values(&[("2", number("10.50"))]), &values(&[("2", number("10.5"))])).is_empty());
    }
}
