//! Numbers as their exact text.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::scalar;

/// rust_decimal keeps at most 28 decimals.
const MAX_SCALE: i64 = 28;

/// A number exactly as it stood in the JSON text: `1200`, `0.10` and `1.2E3` stay what they are.
///
/// Read from a JSON number, or from a string that holds one (framework version 9 writes numbers of high
/// precision as strings). Equality is that of the text: `1.0` and `1` differ.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Number(String);

impl Number {
    /// The number's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The exact value; trailing zeros of the fraction are kept where they fit.
    ///
    /// # Errors
    /// [`NumberError`] when the text is not a JSON number or the value does not fit without rounding
    /// (96 bits of digits, 28 decimals).
    pub fn to_decimal(&self) -> Result<Decimal, NumberError> {
        let parts = Parts::of(&self.0).ok_or_else(|| NumberError::NotANumber(shortened(&self.0)))?;
        parts.decimal().ok_or_else(|| NumberError::DoesNotFit(shortened(&self.0)))
    }

    /// Whether the text follows JSON's grammar of numbers.
    pub(crate) fn is_number(text: &str) -> bool {
        Parts::of(text).is_some()
    }
}

/// Why a [`Number`] has no exact [`Decimal`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// The text is not a number in JSON's grammar.
    #[error("`{0}` is not a number")]
    NotANumber(String),
    /// The value would have to be rounded.
    #[error("`{0}` has more digits than can be kept exactly")]
    DoesNotFit(String),
}

fn shortened(text: &str) -> String {
    text.chars().take(64).collect()
}

/// The parts of a number's text; `exponent` is clamped, which no value that fits can notice.
struct Parts<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    exponent: i64,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, rest) = digits(rest);
        if whole.is_empty() || (whole.len() > 1 && whole.starts_with('0')) {
            return None;
        }
        let (fraction, rest) = match rest.strip_prefix('.') {
            Some(rest) => Some(digits(rest)).filter(|(fraction, _)| !fraction.is_empty())?,
            None => ("", rest),
        };
        let exponent = match rest.strip_prefix(['e', 'E']) {
            Some(power) => exponent(power)?,
            None if rest.is_empty() => 0,
            None => return None,
        };
        Some(Self { negative, whole, fraction, exponent })
    }

    fn decimal(&self) -> Option<Decimal> {
        let mut digits: String = format!("{}{}", self.whole, self.fraction);
        let mut scale = i64::try_from(self.fraction.len()).ok()?.saturating_sub(self.exponent);
        let leading = digits.len() - digits.trim_start_matches('0').len();
        digits.drain(..leading);
        if digits.is_empty() {
            return Decimal::try_from_i128_with_scale(0, u32::try_from(scale.clamp(0, MAX_SCALE)).ok()?).ok();
        }
        loop {
            if let Some(value) = assemble(&digits, scale) {
                return Some(if self.negative { -value } else { value });
            }
            // only zeros at the end of the fraction may go
            if scale <= 0 || digits.pop()? != '0' {
                return None;
            }
            scale -= 1;
        }
    }
}

fn assemble(digits: &str, scale: i64) -> Option<Decimal> {
    if !(-MAX_SCALE..=MAX_SCALE).contains(&scale) {
        return None;
    }
    let mantissa: i128 = digits.parse().ok()?;
    let zeros = u32::try_from((-scale).max(0)).ok()?;
    let mantissa = mantissa.checked_mul(10i128.checked_pow(zeros)?)?;
    Decimal::try_from_i128_with_scale(mantissa, u32::try_from(scale.max(0)).ok()?).ok()
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(text.len()))
}

fn exponent(text: &str) -> Option<i64> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (power, rest) = digits(rest);
    if power.is_empty() || !rest.is_empty() {
        return None;
    }
    let power = power.parse::<i64>().unwrap_or(i64::MAX / 2).min(i64::MAX / 2);
    Some(if negative { -power } else { power })
}

/// Takes any text; [`Number::to_decimal`] says whether it is a number.
impl From<String> for Number {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Number {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// From a JSON number or a string that holds one; from borrowed text only, as [`RawValue`] is.
impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        scalar::number(deserializer)?
            .ok_or_else(|| serde::de::Error::custom("expected a number, found nothing"))
    }
}

/// Written back as the very same text.
impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !Self::is_number(&self.0) {
            return serializer.serialize_str(&self.0);
        }
        RawValue::from_string(self.0.clone()).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decimal(text: &str) -> Result<String, NumberError> {
        Number::from(text).to_decimal().map(|d| d.to_string())
    }

    #[test]
    fn an_exponent_is_applied_exactly() {
        for (text, value) in [
            ("1200", "1200"),
            ("-0.10", "-0.10"),
            ("1.2E3", "1200"),
            ("1.2e-3", "0.0012"),
            ("12345e-2", "123.45"),
            ("1E+2", "100"),
            ("0e999999999999999999999", "0"),
            ("7.9228162514264337593543950335e28", "79228162514264337593543950335"),
            ("1.50000000000000000000000000000000000", "1.5000000000000000000000000000"),
        ] {
            assert_eq!(decimal(text).as_deref(), Ok(value), "{text}");
        }
    }

    #[test]
    fn what_would_be_rounded_is_refused() {
        for text in [
            "1e29",
            "1e-29",
            "79228162514264337593543950336",
            "1.23456789012345678901234567891",
            "1e999999999999999999999",
        ] {
            assert_eq!(decimal(text), Err(NumberError::DoesNotFit(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn text_outside_the_grammar_is_not_a_number() {
        for text in ["", "-", "1.", ".5", "01", "+1", "1,200.00", "1e", "NaN", "1 ", "0x1", "١"] {
            assert_eq!(decimal(text), Err(NumberError::NotANumber(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn the_text_survives_reading_and_writing() {
        for json in ["1200.00", "1.2E3", "300100183456789012345678901234567890"] {
            let number: Number = serde_json::from_str(json).unwrap();
            assert_eq!(number.as_str(), json);
            assert_eq!(serde_json::to_string(&number).unwrap(), json);
            assert_eq!(serde_json::from_str::<Number>(&format!("\"{json}\"")).unwrap(), number);
        }
        assert!(serde_json::from_str::<Number>("\"12 EUR\"").is_err());
        assert!(serde_json::from_str::<Number>("true").is_err());
    }

    proptest! {
        #[test]
        fn every_decimal_comes_back_from_its_text(mantissa in any::<i64>(), scale in 0u32..=28, shift in -9i64..=9) {
            let value = Decimal::from_i128_with_scale(i128::from(mantissa), scale);
            prop_assert_eq!(Number::from(value.to_string()).to_decimal(), Ok(value));
            // the same value with the point moved and the exponent moved back
            let shifted = format!("{mantissa}e{}", shift - i64::from(scale));
            let plain = Number::from(shifted.as_str()).to_decimal();
            if let Ok(plain) = plain {
                prop_assert_eq!(Number::from(format!("{plain}e{}", -shift)).to_decimal().map(|d| d.normalize()), Ok(value.normalize()));
            }
        }

        #[test]
        fn the_grammar_is_that_of_json(text in "-?[0-9]{0,3}[-+.eE0-9]{0,6}") {
            let json = serde_json::from_str::<&RawValue>(&text).is_ok();
            prop_assert_eq!(Number::is_number(&text), json);
        }
    }
}
