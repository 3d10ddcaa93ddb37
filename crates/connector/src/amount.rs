//! Exact money: decimals that never lose a digit, and the limits of what Asana can hold.

use rust_decimal::Decimal;

use crate::code::Code;
use crate::mapping::Held;

/// Asana keeps numbers as IEEE doubles: 15 significant decimal digits survive.
pub const ASANA_DIGITS: u32 = 15;

/// Reads an amount from its JSON text without losing a digit.
pub fn parse(text: &str, what: &str) -> Result<Decimal, Held> {
    oracle_fusion::Number::from(text.to_owned()).to_decimal().map_err(|_| {
        Held::new(Code::NumberUnreadable, format!("{what} is {text}, which has more than 28 digits"))
    })
}

/// Adds exactly; what would have to be rounded is refused.
pub fn add(a: Decimal, b: Decimal, what: &str) -> Result<Decimal, Held> {
    let refuse = || Held::new(Code::NumberUnreadable, format!("{what} needs more than 28 digits"));
    let sum = a.checked_add(b).ok_or_else(refuse)?;
    // rust_decimal drops decimals when the sum does not fit in 96 bits; taking it apart again shows it
    if sum.checked_sub(a) == Some(b) && sum.checked_sub(b) == Some(a) { Ok(sum) } else { Err(refuse()) }
}

/// Refuses an amount that Asana could not show exactly in a field of that precision.
pub fn fits(value: Decimal, precision: u32, what: &str) -> Result<Decimal, Held> {
    let value = value.normalize();
    let digits = significant_digits(value);
    if digits > ASANA_DIGITS {
        return Err(Held::new(
            Code::TooManyDigits,
            format!("{what} is {value}: {digits} significant digits, Asana keeps {ASANA_DIGITS}"),
        ));
    }
    if value.scale() > precision {
        return Err(Held::new(
            Code::PrecisionLoss,
            format!("{what} is {value}, but the field shows {precision} decimals"),
        ));
    }
    Ok(value)
}

/// Digits from the first to the last one that is not zero.
fn significant_digits(value: Decimal) -> u32 {
    let text = value.mantissa().unsigned_abs().to_string();
    u32::try_from(text.trim_end_matches('0').len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decimal(text: &str) -> Decimal {
        parse(text, "it").unwrap()
    }

    #[test]
    fn an_amount_survives_to_the_last_digit() {
        assert_eq!(decimal("12345678901234567890.12").to_string(), "12345678901234567890.12");
        assert_eq!(
            parse("123456789012345678901234567890.12", "it").unwrap_err().code,
            Code::NumberUnreadable
        );
    }

    #[test]
    fn a_sum_that_would_be_rounded_is_refused() {
        let big = decimal("7922816251426433759354395033");
        assert_eq!(add(big, decimal("0.001"), "sum").unwrap_err().code, Code::NumberUnreadable);
        assert_eq!(add(decimal("0.10"), decimal("0.20"), "sum").unwrap(), decimal("0.3"));
    }

    #[test]
    fn what_asana_would_round_is_refused() {
        assert_eq!(fits(decimal("1234567890123456"), 2, "it").unwrap_err().code, Code::TooManyDigits);
        assert_eq!(fits(decimal("1.005"), 2, "it").unwrap_err().code, Code::PrecisionLoss);
        assert_eq!(fits(decimal("5400.00"), 0, "it").unwrap(), decimal("5400"));
        assert_eq!(fits(decimal("496743473000"), 0, "it").unwrap(), decimal("496743473000"));
    }

    proptest! {
        #[test]
        fn what_fits_survives_a_double(mantissa in -999_999_999_999_999i64..=999_999_999_999_999, scale in 0u32..=6) {
            let value = Decimal::new(mantissa, scale);
            let kept = fits(value, 6, "it").unwrap();
            let double: f64 = kept.to_string().parse().unwrap();
            let back: Decimal = double.to_string().parse().unwrap();
            prop_assert_eq!(back.normalize(), kept);
        }
    }
}
