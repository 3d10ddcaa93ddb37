//! Number values as Asana keeps them: a double, of which fifteen significant digits are safe.

use std::fmt;

use rust_decimal::{Decimal, RoundingStrategy};

/// A stored number: plain decimal text with at most fifteen significant digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Num(String);

impl Num {
    /// Rounds to `places` decimal places, halves away from zero; `None` when `value` is not finite.
    ///
    /// Asana documents that a value is rounded to the field's precision, not how a half is rounded.
    pub fn new(value: f64, places: Option<u32>) -> Option<Self> {
        if !value.is_finite() {
            return None;
        }
        let fifteen = format!("{value:.14e}");
        let text = match Decimal::from_scientific(&fifteen) {
            Ok(exact) => {
                let rounded = match places {
                    Some(p) => exact.round_dp_with_strategy(p, RoundingStrategy::MidpointAwayFromZero),
                    None => exact,
                };
                let plain = rounded.normalize().to_string();
                if plain == "-0" { "0".to_owned() } else { plain }
            }
            // Too large or too small for a decimal: far beyond any precision that can be set.
            Err(_) => format!("{value}"),
        };
        Some(Self(text))
    }

    pub fn text(&self) -> &str {
        &self.0
    }

    fn decimal(&self) -> Option<Decimal> {
        self.0.parse().ok()
    }

    /// The text with exactly `places` decimal places; a percentage is shown times a hundred.
    pub fn shown(&self, places: u32, percent: Percent) -> String {
        let (factor, sign) = match percent {
            Percent::No => (Decimal::ONE, ""),
            Percent::Yes => (Decimal::ONE_HUNDRED, "%"),
        };
        let Some(value) = self.decimal().and_then(|v| v.checked_mul(factor)) else { return self.0.clone() };
        let rounded = value.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero);
        format!("{rounded:.p$}{sign}", p = places as usize)
    }

    pub fn compare(&self, other: &str) -> Option<std::cmp::Ordering> {
        Some(self.decimal()?.cmp(&other.trim().parse::<Decimal>().ok()?))
    }
}

/// Whether a number is shown as a percentage.
#[derive(Clone, Copy)]
pub(crate) enum Percent {
    No,
    Yes,
}

impl fmt::Display for Num {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(value: f64, places: u32) -> String {
        Num::new(value, Some(places)).unwrap().to_string()
    }

    #[test]
    fn a_number_is_rounded_to_the_precision_of_its_field() {
        assert_eq!(stored(1.2345, 2), "1.23");
        assert_eq!(stored(1.005, 2), "1.01", "decided on the decimal text, not on the binary value");
        assert_eq!(stored(-2.5, 0), "-3");
        assert_eq!(stored(-0.001, 2), "0");
        assert_eq!(stored(1500.0, 2), "1500");
    }

    #[test]
    fn a_number_is_shown_with_the_decimals_of_its_field() {
        let shown = |v: f64, places, percent| Num::new(v, None).unwrap().shown(places, percent);
        assert_eq!(shown(12.35, 1, Percent::No), "12.4");
        assert_eq!(shown(1500.0, 2, Percent::No), "1500.00");
        assert_eq!(shown(0.256, 1, Percent::Yes), "25.6%");
        assert_eq!(shown(1e300, 2, Percent::No).len(), 301);
    }

    #[test]
    fn digits_beyond_the_fifteenth_are_lost() {
        assert_eq!(stored(1_234_567_890_123_456.0, 0), "1234567890123460");
        assert_eq!(stored(9_999_999_999_999.99, 2), "9999999999999.99");
        assert_eq!(stored(1e300, 2).len(), 301);
    }
}
