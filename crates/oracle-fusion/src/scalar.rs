//! Lenient reading of attribute values.
//!
//! Framework versions disagree on whether an id is a number or a string, and a flag is `"Y"` in one resource
//! and `true` in another. Every value is looked at as text, so that no number passes through a float.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::number::Number;

enum Scalar<'a> {
    Null,
    Bool(bool),
    Number(&'a str),
    Text(Cow<'a, str>),
}

impl<'de> Scalar<'de> {
    fn read<D: Deserializer<'de>>(deserializer: D, expected: &str) -> Result<Self, D::Error> {
        let text = <&'de RawValue>::deserialize(deserializer)?.get();
        Ok(match text.as_bytes().first() {
            Some(b'n') => Self::Null,
            Some(b't') => Self::Bool(true),
            Some(b'f') => Self::Bool(false),
            Some(b'"') => Self::Text(string(text).map_err(D::Error::custom)?),
            Some(b'{') => return Err(wrong(expected, "an object")),
            Some(b'[') => return Err(wrong(expected, "an array")),
            _ => Self::Number(text),
        })
    }
}

/// What a JSON string says; nearly all are without escapes and are borrowed.
fn string(quoted: &str) -> Result<Cow<'_, str>, serde_json::Error> {
    match quoted.get(1..quoted.len().saturating_sub(1)) {
        Some(inner) if !inner.as_bytes().contains(&b'\\') => Ok(Cow::Borrowed(inner)),
        _ => serde_json::from_str::<String>(quoted).map(Cow::Owned),
    }
}

fn wrong<E: serde::de::Error>(expected: &str, found: &str) -> E {
    E::custom(format_args!("expected {expected}, found {found}"))
}

/// Text of any scalar.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Scalar::read(deserializer, "text")? {
        Scalar::Null => None,
        Scalar::Bool(flag) => Some(flag.to_string()),
        Scalar::Number(number) => Some(number.to_owned()),
        Scalar::Text(text) => Some(text.into_owned()),
    })
}

/// An id, a number or a string; an empty string is no id.
pub(crate) fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Scalar::read(deserializer, "an id")? {
        Scalar::Null => Ok(None),
        Scalar::Bool(_) => Err(wrong("an id", "a flag")),
        Scalar::Number(number) => Ok(Some(number.to_owned())),
        Scalar::Text(text) => Ok(Some(text.into_owned()).filter(|text| !text.is_empty())),
    }
}

/// A number, or a string that holds one.
pub(crate) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Number>, D::Error> {
    match Scalar::read(deserializer, "a number")? {
        Scalar::Null => Ok(None),
        Scalar::Bool(_) => Err(wrong("a number", "a flag")),
        Scalar::Number(number) => Ok(Some(Number::from(number))),
        Scalar::Text(text) if text.is_empty() => Ok(None),
        Scalar::Text(text) if Number::is_number(&text) => Ok(Some(Number::from(text.into_owned()))),
        Scalar::Text(_) => Err(wrong("a number", "other text")),
    }
}

/// `true`, `"true"`, `"Y"` and `"Yes"` in any case; everything else known, and nothing, is false.
pub(crate) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    match Scalar::read(deserializer, "a flag")? {
        Scalar::Null => Ok(false),
        Scalar::Bool(flag) => Ok(flag),
        Scalar::Number(_) => Err(wrong("a flag", "a number")),
        Scalar::Text(text) => match text.to_ascii_lowercase().as_str() {
            "y" | "yes" | "true" => Ok(true),
            "n" | "no" | "false" | "" => Ok(false),
            _ => Err(wrong("a flag", "other text")),
        },
    }
}

/// A point in time with an offset or `Z`, with or without a fraction.
pub(crate) fn timestamp<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    const EXPECTED: &str = "a date and time with an offset";
    match Scalar::read(deserializer, EXPECTED)? {
        Scalar::Null => Ok(None),
        Scalar::Text(text) if text.is_empty() => Ok(None),
        Scalar::Text(text) => text.parse().map(Some).map_err(|_| wrong(EXPECTED, "other text")),
        Scalar::Bool(_) | Scalar::Number(_) => Err(wrong(EXPECTED, "another type")),
    }
}

/// As [`timestamp`], but none for whatever is no point in time.
pub(crate) fn timestamp_if_any<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Timestamp>, D::Error> {
    Ok(timestamp(<&'de RawValue>::deserialize(deserializer)?).ok().flatten())
}

/// A date; of a date and time, the date as written.
pub(crate) fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Date>, D::Error> {
    const EXPECTED: &str = "a date";
    match Scalar::read(deserializer, EXPECTED)? {
        Scalar::Null => Ok(None),
        Scalar::Text(text) if text.is_empty() => Ok(None),
        Scalar::Text(text) => {
            let date = text.split_once('T').map_or(&*text, |(date, _)| date);
            date.parse().map(Some).map_err(|_| wrong(EXPECTED, "other text"))
        }
        Scalar::Bool(_) | Scalar::Number(_) => Err(wrong(EXPECTED, "another type")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Id(#[serde(deserialize_with = "id")] Option<String>);
    #[derive(Debug, PartialEq, Deserialize)]
    struct Flag(#[serde(deserialize_with = "flag")] bool);
    #[derive(Debug, PartialEq, Deserialize)]
    struct Time(#[serde(deserialize_with = "timestamp")] Option<Timestamp>);
    #[derive(Debug, PartialEq, Deserialize)]
    struct Day(#[serde(deserialize_with = "date")] Option<Date>);
    #[derive(Debug, PartialEq, Deserialize)]
    struct Words(#[serde(deserialize_with = "text")] Option<String>);

    #[test]
    fn an_id_keeps_digits_that_a_float_would_lose() {
        for json in ["300100183456789123456", "\"300100183456789123456\""] {
            assert_eq!(serde_json::from_str::<Id>(json).unwrap().0.as_deref(), Some("300100183456789123456"));
        }
        assert_eq!(serde_json::from_str::<Id>("null").unwrap().0, None);
        assert_eq!(serde_json::from_str::<Id>("\"\"").unwrap().0, None);
        assert!(serde_json::from_str::<Id>("true").is_err());
    }

    #[test]
    fn a_flag_is_read_in_every_form() {
        for (json, flag) in [
            ("true", true),
            ("\"Y\"", true),
            ("\"true\"", true),
            ("false", false),
            ("\"N\"", false),
            ("null", false),
        ] {
            assert_eq!(serde_json::from_str::<Flag>(json).unwrap().0, flag, "{json}");
        }
        assert!(serde_json::from_str::<Flag>("\"perhaps\"").is_err());
    }

    #[test]
    fn a_point_in_time_is_read_in_every_form() {
        let at: Timestamp = "2026-05-06T10:00:20.274Z".parse().unwrap();
        for json in [
            "\"2026-05-06T10:00:20.274+00:00\"",
            "\"2026-05-06T10:00:20.274Z\"",
            "\"2026-05-06T12:00:20.274+02:00\"",
        ] {
            assert_eq!(serde_json::from_str::<Time>(json).unwrap().0, Some(at), "{json}");
        }
        assert_eq!(
            serde_json::from_str::<Time>("\"2026-05-06T10:00:20+00:00\"")
                .unwrap()
                .0
                .unwrap()
                .subsec_nanosecond(),
            0
        );
        assert!(serde_json::from_str::<Time>("\"yesterday\"").is_err());
        assert!(serde_json::from_str::<Time>("1").is_err());
    }

    #[test]
    fn a_date_may_carry_a_time() {
        for json in ["\"2026-05-06\"", "\"2026-05-06T23:59:59+00:00\""] {
            assert_eq!(
                serde_json::from_str::<Day>(json).unwrap().0,
                Some(jiff::civil::date(2026, 5, 6)),
                "{json}"
            );
        }
    }

    #[test]
    fn text_is_unescaped() {
        assert_eq!(serde_json::from_str::<Words>(r#""a\"b\u00e4\n""#).unwrap().0.as_deref(), Some("a\"bä\n"));
        assert_eq!(serde_json::from_str::<Words>(r#""""#).unwrap().0.as_deref(), Some(""));
        assert!(serde_json::from_str::<Words>("{}").is_err());
    }
}
