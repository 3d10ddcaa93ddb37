//! A JSON number kept as its text.
//!
//! Money must not pass through binary floating point, so numbers are taken from the raw JSON text and turned
//! into decimals digit by digit.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;

/// Most digits a 96-bit decimal can hold.
const MOST_DIGITS: i64 = 29;

/// A number exactly as Asana wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number(Box<str>);

impl Number {
    /// The text as it stood in the answer, such as `1234.50` or `1.5e3`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The exact value; `None` when it has more digits than a 96-bit decimal holds (28 places, about 28
    /// significant digits). It is never rounded.
    #[must_use]
    pub fn decimal(&self) -> Option<Decimal> {
        exact(&self.0)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Decimal> for Number {
    fn from(value: Decimal) -> Number {
        Number(json_text(value).into())
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Number, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = raw.get();
        if text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
            Ok(Number(text.into()))
        } else {
            Err(de::Error::custom("expected a JSON number"))
        }
    }
}

/// Turns the text of a JSON number into a decimal without rounding; `None` when it is not a JSON number or
/// does not fit.
pub(crate) fn exact(text: &str) -> Option<Decimal> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let all = [whole, fraction].concat();
    let digits = all.trim_start_matches('0').trim_end_matches('0');
    if digits.is_empty() {
        return Some(Decimal::ZERO);
    }
    let dropped = all.len() - all.trim_end_matches('0').len();
    let places = i64::try_from(fraction.len())
        .ok()?
        .checked_sub(i64::try_from(dropped).ok()?)?
        .checked_sub(exponent)?;
    let zeros = places.checked_neg()?.max(0);
    if i64::try_from(digits.len()).ok()?.checked_add(zeros)? > MOST_DIGITS {
        return None;
    }
    let padded = format!("{digits}{}", "0".repeat(usize::try_from(zeros).ok()?));
    let value: i128 = padded.parse().ok()?;
    let signed = if negative { -value } else { value };
    Decimal::try_from_i128_with_scale(signed, u32::try_from(places.max(0)).ok()?).ok()
}

/// Writes a decimal as a JSON number with its exact digits. A negative zero loses its sign.
pub(crate) fn json_text(value: Decimal) -> String {
    if value.is_zero() { "0".into() } else { value.to_string() }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use proptest::prelude::*;

    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::from_str(text).unwrap()
    }

    #[test]
    fn exponents_are_resolved_exactly() {
        for (text, value) in [
            ("1.5e3", "1500"),
            ("15E-1", "1.5"),
            ("1e0", "1"),
            ("-2.50e+2", "-250"),
            ("0e999999", "0"),
            ("-0.0", "0"),
            ("1234.5600", "1234.56"),
            ("1E-28", "0.0000000000000000000000000001"),
            ("79228162514264337593543950335", "79228162514264337593543950335"),
            ("1.00000000000000000000000000000000000000000", "1"),
        ] {
            assert_eq!(exact(text), Some(decimal(value)), "{text}");
        }
    }

    #[test]
    fn what_does_not_fit_is_none_and_never_rounded() {
        for text in [
            "1e29",
            "1e-29",
            "79228162514264337593543950336",
            "1e9223372036854775807",
            "1e-9223372036854775808",
            "1e99999999999999999999",
            "0.12345678901234567890123456789",
        ] {
            assert_eq!(exact(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_not_a_number_is_none() {
        for text in ["", "-", ".5", "1,5", "NaN", "1e", "--1", "1.2.3", "١"] {
            assert_eq!(exact(text), None, "{text}");
        }
    }

    #[test]
    fn a_number_made_from_a_decimal_keeps_its_digits() {
        assert_eq!(Number::from(decimal("1234.50")).as_str(), "1234.50");
        assert_eq!(Number::from(decimal("-0.00")).as_str(), "0");
    }

    #[test]
    fn only_a_json_number_is_read_as_a_number() {
        let read: Number = serde_json::from_str("1234.5600000000001").unwrap();
        assert_eq!(read.as_str(), "1234.5600000000001");
        for text in ["\"12\"", "true", "{}", "[1]"] {
            assert!(serde_json::from_str::<Number>(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn written_and_read_again_a_decimal_is_the_same(mantissa in any::<i64>(), scale in 0u32..=18) {
            let value = Decimal::new(mantissa, scale);
            prop_assert_eq!(exact(&json_text(value)), Some(value));
        }

        #[test]
        fn no_text_makes_it_fail(text in "[-+0-9.eE]{0,40}") {
            let _ = exact(&text);
        }
    }
}
