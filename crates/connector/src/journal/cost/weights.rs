//! The weights of distributions: a line's amount times a quantity's share of the line's quantities, as whole
//! numbers in exact proportion.

use rust_decimal::Decimal;

use crate::journal::split::MAX_WEIGHT_DIGITS;

/// A line's amount and its distributions' quantities.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LineWeight {
    pub amount: Decimal,
    pub quantities: Vec<Option<Decimal>>,
}

/// One weight per distribution, line by line; `None` when the numbers cannot be computed with.
///
/// Exact as long as the whole numbers stay within [`MAX_WEIGHT_DIGITS`] digits; beyond that their first
/// digits count.
pub(super) fn weights(lines: &[LineWeight]) -> Option<Vec<i128>> {
    exact(lines).or_else(|| rounded(lines))
}

/// The quantities to go by: equal ones when one is missing or they add up to zero.
fn quantities(line: &LineWeight) -> Vec<Decimal> {
    let known: Option<Vec<Decimal>> = line.quantities.iter().copied().collect();
    let sum = |all: &[Decimal]| all.iter().try_fold(Decimal::ZERO, |sum, q| sum.checked_add(*q));
    match known {
        Some(all) if sum(&all).is_some_and(|sum| !sum.is_zero()) => all,
        _ => vec![Decimal::ONE; line.quantities.len()],
    }
}

fn exact(lines: &[LineWeight]) -> Option<Vec<i128>> {
    let amounts = whole(&lines.iter().map(|line| line.amount).collect::<Vec<_>>())?;
    let mut fractions = Vec::new();
    let mut common = 1i128;
    for (line, amount) in lines.iter().zip(amounts) {
        let parts = whole(&quantities(line))?;
        let sum = parts.iter().try_fold(0i128, |sum, part| sum.checked_add(*part))?;
        let divisor = parts.iter().fold(sum.checked_abs()?, |divisor, part| gcd(divisor, *part)).max(1);
        for part in parts {
            fractions.push((amount.checked_mul(part / divisor)?, sum / divisor));
        }
        common =
            common.checked_mul((sum / divisor).checked_abs()?.max(1) / gcd(common, sum / divisor).max(1))?;
    }
    let weights: Option<Vec<i128>> =
        fractions.into_iter().map(|(top, bottom)| top.checked_mul(common.checked_div(bottom)?)).collect();
    let weights = weights?;
    let divisor = weights.iter().fold(0, |divisor, weight| gcd(divisor, *weight)).max(1);
    let weights: Vec<i128> = weights.into_iter().map(|weight| weight / divisor).collect();
    weights.iter().all(|w| w.unsigned_abs() < 10u128.pow(MAX_WEIGHT_DIGITS)).then_some(weights)
}

/// The numbers without their decimals, all shifted by the same power of ten.
fn whole(numbers: &[Decimal]) -> Option<Vec<i128>> {
    let numbers: Vec<Decimal> = numbers.iter().map(Decimal::normalize).collect();
    let scale = numbers.iter().map(Decimal::scale).max().unwrap_or(0);
    numbers.iter().map(|n| n.mantissa().checked_mul(10i128.checked_pow(scale - n.scale())?)).collect()
}

/// The greatest common divisor, never negative.
fn gcd(a: i128, b: i128) -> i128 {
    let (mut a, mut b) = (a.unsigned_abs(), b.unsigned_abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    i128::try_from(a).unwrap_or(1)
}

fn rounded(lines: &[LineWeight]) -> Option<Vec<i128>> {
    let mut weights = Vec::new();
    for line in lines {
        let parts = quantities(line);
        let sum = parts.iter().try_fold(Decimal::ZERO, |sum, part| sum.checked_add(*part))?;
        for part in parts {
            weights.push(line.amount.checked_mul(part.checked_div(sum)?)?.normalize());
        }
    }
    // the power of ten that gives the largest weight its allowed digits
    let digits =
        |weight: &Decimal| i64::from(weight.mantissa().unsigned_abs().checked_ilog10().map_or(0, |d| d + 1));
    let largest = weights
        .iter()
        .filter(|weight| !weight.is_zero())
        .map(|weight| digits(weight) - i64::from(weight.scale()))
        .max()
        .unwrap_or(0);
    let power = i64::from(MAX_WEIGHT_DIGITS) - largest;
    weights.iter().map(|weight| shifted(weight.mantissa(), power - i64::from(weight.scale()))).collect()
}

/// `mantissa` times ten to the `power`; what falls below one is cut off.
fn shifted(mantissa: i128, power: i64) -> Option<i128> {
    let factor = |power: i64| u32::try_from(power).ok().and_then(|power| 10i128.checked_pow(power));
    if mantissa == 0 {
        Some(0)
    } else if power >= 0 {
        mantissa.checked_mul(factor(power)?)
    } else {
        Some(factor(-power).map_or(0, |divisor| mantissa / divisor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(amount: &str, quantities: &[&str]) -> LineWeight {
        let decimal = |text: &&str| text.parse::<Decimal>().ok();
        LineWeight { amount: amount.parse().unwrap(), quantities: quantities.iter().map(decimal).collect() }
    }

    #[test]
    fn a_weight_is_the_line_s_amount_times_the_quantity_s_share() {
        assert_eq!(weights(&[line("100.00", &["1", "3"])]), Some(vec![1, 3]));
        // 60 over 1:2 and 40 whole: 20, 40, 40
        assert_eq!(weights(&[line("60", &["0.5", "1.0"]), line("40.0", &["7"])]), Some(vec![1, 2, 2]));
        // a third of 100 and a seventh of 50, in exact proportion: 100/3 to 50/7 is 14 to 3
        let thirds = weights(&[line("100", &["1", "1", "1"]), line("50", &["1"; 7])]).unwrap();
        assert_eq!(thirds, [[14i128; 3].as_slice(), &[3; 7]].concat());
    }

    #[test]
    fn shares_are_equal_when_a_quantity_is_missing_or_they_add_up_to_zero() {
        for quantities in [["", "5"], ["3", "-3"], ["0", "0"]] {
            assert_eq!(weights(&[line("10", &quantities)]), Some(vec![1, 1]), "{quantities:?}");
        }
    }

    #[test]
    fn a_credit_line_weighs_negative() {
        assert_eq!(weights(&[line("100", &["1"]), line("-20", &["1", "1"])]), Some(vec![10, -1, -1]));
        assert_eq!(weights(&[line("100", &["-1", "-3"])]), Some(vec![1, 3]));
    }

    #[test]
    fn weights_too_long_to_be_exact_are_rounded_to_their_first_digits() {
        let long = line("123456789012345.67", &["1.000000000001", "2.000000000003", "3.00000000000007"]);
        let lines = [long, line("98765432101234.51", &["1.00000000000037", "1.0000000000000001"])];
        assert_eq!(exact(&lines), None);
        let all = weights(&lines).unwrap();
        assert!(all.iter().all(|weight| weight.unsigned_abs() < 10u128.pow(MAX_WEIGHT_DIGITS)));
        assert!((all[0] * 2 - all[1]).abs() < all[0] / 10i128.pow(11));
        assert!(all[0] < all[1] && all[1] < all[2]);
    }

    proptest! {
        #[test]
        fn rounded_weights_agree_with_exact_ones(
            lines in proptest::collection::vec((1i64..10_000_000, proptest::collection::vec(1u32..10_000, 1..5)), 1..5)
        ) {
            let lines: Vec<LineWeight> = lines.into_iter().map(|(amount, quantities)| LineWeight {
                amount: Decimal::new(amount, 2),
                quantities: quantities.into_iter().map(|q| Some(Decimal::new(i64::from(q), 1))).collect(),
            }).collect();
            let (exact, rounded) = (exact(&lines), rounded(&lines).unwrap());
            prop_assume!(exact.is_some());
            let total = 10i128.pow(14) + 7;
            let of_exact = crate::journal::split::split(total, &exact.unwrap()).unwrap();
            let of_rounded = crate::journal::split::split(total, &rounded).unwrap();
            prop_assert!(of_exact.iter().zip(&of_rounded).all(|(a, b)| (a - b).abs() <= 1));
        }
    }
}
