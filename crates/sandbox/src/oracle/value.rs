//! One attribute value, kept exactly as it was given, and its forms in JSON.
//!
//! Amounts stay decimal text from end to end: nothing here turns them into a float.

use std::fmt::Write as _;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// A stored attribute value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    /// An id of up to 18 digits.
    Id(i64),
    /// A small whole number, which never becomes a string.
    Integer(i64),
    /// Exact decimal text that is a valid JSON number.
    Number(Arc<str>),
    Text(Arc<str>),
    Date(Date),
    /// Unix milliseconds.
    Instant(i64),
    Flag(bool),
    /// Any JSON, put there by an edit.
    Raw(Arc<str>),
}

/// How date-times look in answers; real pods show both forms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstantStyle {
    /// `2026-05-06T10:00:00+00:00`
    Seconds,
    /// `2026-05-06T10:00:00.274+00:00`
    Millis,
    /// Milliseconds only where they are not zero.
    #[default]
    Mixed,
}

impl Value {
    pub(crate) fn text(text: &str) -> Self {
        Self::Text(Arc::from(text))
    }

    pub(crate) fn number(text: &str) -> Self {
        Self::Number(Arc::from(text))
    }

    pub(crate) fn optional_text(text: Option<&str>) -> Self {
        text.map_or(Self::Null, Self::text)
    }

    pub(crate) fn instant(at: Timestamp) -> Self {
        Self::Instant(at.as_millisecond())
    }

    /// Appends the JSON form.
    pub(crate) fn write(&self, out: &mut String, style: InstantStyle, ids_as_text: bool) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Id(id) if ids_as_text => {
                out.push('"');
                write_integer(out, *id);
                out.push('"');
            }
            Self::Id(whole) | Self::Integer(whole) => write_integer(out, *whole),
            Self::Number(text) | Self::Raw(text) => out.push_str(text),
            Self::Text(text) => write_string(out, text),
            Self::Date(date) => {
                let _ = write!(out, "\"{date}\"");
            }
            Self::Instant(ms) => {
                out.push('"');
                write_instant(out, *ms, style);
                out.push('"');
            }
            Self::Flag(flag) => out.push_str(if *flag { "true" } else { "false" }),
        }
    }
}

/// Whether `text` is a plain decimal (`-?`, no leading zeros, no exponent), which is also a JSON number
/// and can be shown digit for digit.
pub(crate) fn is_decimal(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').map_or((unsigned, None), |(w, f)| (w, Some(f)));
    digits(whole) && (whole == "0" || !whole.starts_with('0')) && fraction.is_none_or(digits)
}

fn write_integer(out: &mut String, value: i64) {
    let _ = write!(out, "{value}");
}

/// Appends `text` as a JSON string.
pub(crate) fn write_string(out: &mut String, text: &str) {
    out.push('"');
    let mut start = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.push_str(&text[start..at]);
        start = at + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            other => {
                let _ = write!(out, "\\u{other:04x}");
            }
        }
    }
    out.push_str(&text[start..]);
    out.push('"');
}

/// Appends the instant in UTC with the `+00:00` that Oracle uses (never `Z`).
pub(crate) fn write_instant(out: &mut String, ms: i64, style: InstantStyle) {
    let (days, in_day) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
    let (year, month, day) = civil_from_days(days);
    let seconds = in_day / 1000;
    let millis = in_day % 1000;
    push_padded(out, year, 4);
    out.push('-');
    push_padded(out, month, 2);
    out.push('-');
    push_padded(out, day, 2);
    out.push('T');
    push_padded(out, seconds / 3600, 2);
    out.push(':');
    push_padded(out, seconds / 60 % 60, 2);
    out.push(':');
    push_padded(out, seconds % 60, 2);
    if style == InstantStyle::Millis || (style == InstantStyle::Mixed && millis != 0) {
        out.push('.');
        push_padded(out, millis, 3);
    }
    out.push_str("+00:00");
}

fn push_padded(out: &mut String, value: i64, width: u32) {
    for place in (0..width).rev() {
        let digit = value / 10_i64.pow(place) % 10;
        out.push(char::from(b'0' + u8::try_from(digit).unwrap_or(0)));
    }
}

/// Days since 1970-01-01 to year, month, day (proleptic Gregorian).
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn date_times_carry_an_offset_and_milliseconds_only_where_asked() {
        let ms = "2024-02-29T23:59:58.020Z".parse::<Timestamp>().unwrap().as_millisecond();
        let show = |ms, style| {
            let mut out = String::new();
            write_instant(&mut out, ms, style);
            out
        };
        assert_eq!(show(ms, InstantStyle::Seconds), "2024-02-29T23:59:58+00:00");
        assert_eq!(show(ms, InstantStyle::Millis), "2024-02-29T23:59:58.020+00:00");
        assert_eq!(show(ms - 20, InstantStyle::Mixed), "2024-02-29T23:59:58+00:00");
        assert_eq!(show(ms, InstantStyle::Mixed), "2024-02-29T23:59:58.020+00:00");
    }

    #[test]
    fn plain_decimals_are_told_from_other_numbers() {
        for text in ["0", "-0.10", "5400.00", "12345678901234567890.12"] {
            assert!(is_decimal(text), "{text}");
        }
        for text in ["", "-", "1.", ".5", "+1", "1e3", "01", "1,5", "1 ", "NaN"] {
            assert!(!is_decimal(text), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn strings_survive_json(text in "\\PC*|[\\x00-\\x7f]*") {
            let mut out = String::new();
            write_string(&mut out, &text);
            proptest::prop_assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
        }

        #[test]
        fn instants_agree_with_a_calendar_library(ms in -30_000_000_000_000_i64..200_000_000_000_000) {
            let mut out = String::new();
            write_instant(&mut out, ms, InstantStyle::Millis);
            let parsed: Timestamp = out.parse().unwrap();
            proptest::prop_assert_eq!(parsed.as_millisecond(), ms);
        }
    }
}
