//! Values of custom fields, as they are compared, stored and written.

use jiff::{Timestamp, civil};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::number;

/// One value of a custom field.
///
/// As JSON for storage it is `{"kind": .., "value": ..}`, with numbers as text, for example
/// `{"kind":"number","value":"1234.50"}`; this form is stable. The form that Asana understands is made by
/// [`TaskUpdate::to_body`](crate::TaskUpdate::to_body).
///
/// Two values are equal when Asana would show the same: numbers compare by value (`1.50` equals `1.5`), the
/// options of a multi-enum as a set, instants to the millisecond, which is all that Asana carries.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", content = "value", rename_all = "snake_case")]
pub enum FieldValue {
    /// Text; Asana takes up to 1,024 characters.
    Text(String),
    /// An exact number, sent as a JSON number with these very digits.
    #[serde(with = "decimal_text")]
    Number(Decimal),
    /// The gid of an enum option.
    Enum(String),
    /// The gids of multi-enum options. Writing replaces the whole set.
    MultiEnum(Vec<String>),
    /// A calendar date, sent as `{"date": ".."}`.
    Date(civil::Date),
    /// An instant, sent as `{"date_time": ".."}` in UTC with milliseconds.
    DateTime(Timestamp),
    /// No value: sent as `null`, which empties the field.
    Clear,
}

impl FieldValue {
    /// The value in the form in which Asana takes it under `custom_fields`.
    #[must_use]
    pub fn to_json(&self) -> String {
        match self {
            FieldValue::Text(text) => quoted(text),
            FieldValue::Number(value) => number::json_text(*value),
            FieldValue::Enum(gid) => quoted(gid),
            FieldValue::MultiEnum(gids) => {
                let gids: Vec<String> = gids.iter().map(|gid| quoted(gid)).collect();
                format!("[{}]", gids.join(","))
            }
            FieldValue::Date(date) => format!("{{\"date\":\"{date}\"}}"),
            FieldValue::DateTime(at) => format!("{{\"date_time\":\"{at:.3}\"}}"),
            FieldValue::Clear => "null".into(),
        }
    }
}

impl PartialEq for FieldValue {
    fn eq(&self, other: &FieldValue) -> bool {
        use FieldValue::{Clear, Date, DateTime, Enum, MultiEnum, Number, Text};
        match (self, other) {
            (Text(a), Text(b)) | (Enum(a), Enum(b)) => a == b,
            (Number(a), Number(b)) => a == b,
            (MultiEnum(a), MultiEnum(b)) => as_set(a) == as_set(b),
            (Date(a), Date(b)) => a == b,
            (DateTime(a), DateTime(b)) => a.as_millisecond() == b.as_millisecond(),
            (Clear, Clear) => true,
            _ => false,
        }
    }
}

impl Eq for FieldValue {}

fn as_set(gids: &[String]) -> std::collections::BTreeSet<&str> {
    gids.iter().map(String::as_str).collect()
}

/// A JSON string with its quotation marks.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

mod decimal_text {
    use rust_decimal::Decimal;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(value: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
        let text = String::deserialize(deserializer)?;
        Decimal::from_str_exact(&text).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(text: &str) -> FieldValue {
        FieldValue::Number(text.parse().unwrap())
    }

    fn instant(text: &str) -> FieldValue {
        FieldValue::DateTime(text.parse().unwrap())
    }

    #[test]
    fn values_are_equal_when_asana_would_show_the_same() {
        assert_eq!(number("1.50"), number("1.5"));
        assert_ne!(number("1.50"), number("1.51"));
        let options = |gids: &[&str]| FieldValue::MultiEnum(gids.iter().map(ToString::to_string).collect());
        assert_eq!(options(&["1", "2"]), options(&["2", "1"]));
        assert_ne!(options(&["1", "2"]), options(&["1"]));
        assert_eq!(instant("2026-01-01T00:00:00.1234Z"), instant("2026-01-01T00:00:00.1239Z"));
        assert_ne!(instant("2026-01-01T00:00:00.123Z"), instant("2026-01-01T00:00:00.124Z"));
        assert_ne!(FieldValue::Text("1".into()), FieldValue::Enum("1".into()));
        assert_ne!(FieldValue::Text(String::new()), FieldValue::Clear);
    }

    #[test]
    fn the_stored_form_is_stable() {
        for (value, stored) in [
            (FieldValue::Text("a".into()), r#"{"kind":"text","value":"a"}"#),
            (number("1234.50"), r#"{"kind":"number","value":"1234.50"}"#),
            (FieldValue::Enum("9".into()), r#"{"kind":"enum","value":"9"}"#),
            (FieldValue::MultiEnum(vec!["8".into()]), r#"{"kind":"multi_enum","value":["8"]}"#),
            (FieldValue::Date("2026-06-30".parse().unwrap()), r#"{"kind":"date","value":"2026-06-30"}"#),
            (instant("2026-06-30T12:00:00Z"), r#"{"kind":"date_time","value":"2026-06-30T12:00:00Z"}"#),
            (FieldValue::Clear, r#"{"kind":"clear"}"#),
        ] {
            assert_eq!(serde_json::to_string(&value).unwrap(), stored);
            assert_eq!(serde_json::from_str::<FieldValue>(stored).unwrap(), value);
        }
    }

    #[test]
    fn a_stored_number_that_does_not_fit_is_refused_and_not_rounded() {
        let stored = r#"{"kind":"number","value":"0.12345678901234567890123456789"}"#;
        assert!(serde_json::from_str::<FieldValue>(stored).is_err());
    }

    proptest! {
        #[test]
        fn a_number_is_stored_with_every_digit(mantissa in any::<i64>(), scale in 0u32..=18) {
            let value = Decimal::new(mantissa, scale);
            let stored = serde_json::to_string(&FieldValue::Number(value)).unwrap();
            let FieldValue::Number(read) = serde_json::from_str(&stored).unwrap() else {
                return Err(TestCaseError::fail("another kind came back"));
            };
            prop_assert_eq!(read.to_string(), value.to_string());
        }

        #[test]
        fn any_text_becomes_a_json_string(text in any::<String>()) {
            let json = FieldValue::Text(text.clone()).to_json();
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }
}
