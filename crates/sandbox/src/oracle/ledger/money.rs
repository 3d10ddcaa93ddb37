//! Amounts of journal lines: conversion to the ledger's currency, rounding, balance. Exact decimals throughout.
//!
//! Where a real ledger puts a rounding difference depends on its setup; here the largest line takes it.

use std::collections::BTreeMap;

use rust_decimal::{Decimal, RoundingStrategy};

use super::seed::{CORPORATE, Currency};

/// Debit and credit of a line; absent is not zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sides {
    pub debit: Option<Decimal>,
    pub credit: Option<Decimal>,
}

impl Sides {
    /// Debit less credit; nothing when it does not fit.
    pub(crate) fn net(self) -> Option<Decimal> {
        self.debit.unwrap_or_default().checked_sub(self.credit.unwrap_or_default())
    }

    /// Each side times the rate, rounded half up to `digits` after the point.
    pub(crate) fn convert(self, rate: Decimal, digits: u32) -> Option<Self> {
        let side = |amount: Option<Decimal>| match amount {
            None => Some(None),
            Some(amount) => amount.checked_mul(rate).map(|exact| {
                Some(exact.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero))
            }),
        };
        Some(Self { debit: side(self.debit)?, credit: side(self.credit)? })
    }
}

/// The seeded rate from a currency into the ledger's; nothing where none is defined.
pub(crate) fn rate(from: &Currency, into: &str, conversion_type: &str) -> Option<Decimal> {
    let text = match (conversion_type, into) {
        (CORPORATE, "USD") => from.to_usd,
        (CORPORATE, "EUR") => from.to_eur,
        _ => None,
    };
    text.and_then(|text| text.parse().ok())
}

/// A line as the balance sees it.
#[derive(Clone, Debug)]
pub(crate) struct Weighed {
    /// Value of the balancing segment.
    pub segment: String,
    pub entered: Sides,
    pub accounted: Sides,
    /// Whether the accounted amounts came from a conversion here, and so may carry a rounding difference.
    pub converted: bool,
}

/// Whether debits equal credits, entered and accounted, in the whole and for each balancing segment if
/// segments count. Amounts that do not fit are not balanced.
pub(crate) fn is_balanced(lines: &[Weighed], per_segment: bool) -> bool {
    let mut sums: BTreeMap<&str, (Decimal, Decimal)> = BTreeMap::new();
    for line in lines {
        let sum = sums.entry(if per_segment { line.segment.as_str() } else { "" }).or_default();
        let added =
            (|| Some((sum.0.checked_add(line.entered.net()?)?, sum.1.checked_add(line.accounted.net()?)?)))();
        match added {
            Some(added) => *sum = added,
            None => return false,
        }
    }
    sums.values().all(|(entered, accounted)| entered.is_zero() && accounted.is_zero())
}

/// Rounding each line apart can leave accounted amounts some minor units out of balance though the entered
/// ones balance; the largest converted line of the balancing segment takes the difference.
pub(crate) fn spread_rounding(lines: &mut [Weighed], digits: u32) {
    let segments: Vec<String> = lines.iter().map(|line| line.segment.clone()).collect();
    let mut seen: Vec<&String> = Vec::new();
    for segment in &segments {
        if !seen.contains(&segment) {
            seen.push(segment);
            spread_in(lines, segment, digits);
        }
    }
}

fn spread_in(lines: &mut [Weighed], segment: &str, digits: u32) {
    let own = || lines.iter().filter(|line| line.segment == segment);
    let total = |of: fn(&Weighed) -> Sides| {
        own().try_fold(Decimal::ZERO, |sum, line| sum.checked_add(of(line).net()?))
    };
    let (Some(entered), Some(difference)) = (total(|line| line.entered), total(|line| line.accounted)) else {
        return;
    };
    let unit = Decimal::new(1, digits);
    let most = unit * Decimal::from(own().count());
    if !entered.is_zero() || difference.is_zero() || difference.abs() > most {
        return;
    }
    let size = |line: &Weighed| line.accounted.net().unwrap_or_default().abs();
    let converted = lines.iter_mut().filter(|line| line.segment == segment && line.converted);
    // The first of the largest, so that equal input gives equal journals.
    let largest = converted.reduce(|best, line| if size(line) > size(best) { line } else { best });
    if let Some(line) = largest {
        match (&mut line.accounted.debit, &mut line.accounted.credit) {
            (Some(debit), _) => *debit -= difference,
            (None, Some(credit)) => *credit += difference,
            (None, None) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn weighed(segment: &str, debit: Option<Decimal>, credit: Option<Decimal>) -> Weighed {
        let entered = Sides { debit, credit };
        Weighed { segment: segment.to_owned(), entered, accounted: entered, converted: false }
    }

    #[test]
    fn a_journal_balances_in_the_whole_and_per_segment() {
        let ten = Some(Decimal::from(10));
        let across = [weighed("101", ten, None), weighed("102", None, ten)];
        assert!(is_balanced(&across, false) && !is_balanced(&across, true));
        assert!(is_balanced(&[weighed("101", ten, ten)], true));
        assert!(!is_balanced(&[weighed("101", Some(Decimal::MAX), None), weighed("101", ten, None)], true));
    }

    #[test]
    fn amounts_convert_exactly_and_round_half_up() {
        let sides = Sides { debit: "100.005".parse().ok(), credit: None };
        let converted = sides.convert("1.1".parse().unwrap(), 2).unwrap();
        assert_eq!(converted, Sides { debit: "110.01".parse().ok(), credit: None });
        assert_eq!(Sides { debit: Some(Decimal::MAX), credit: None }.convert(Decimal::TEN, 2), None);
    }

    proptest! {
        /// Any split of an amount over debits stays in balance with its one credit, whatever the rate.
        #[test]
        fn converted_journals_balance_when_entered_ones_do(
            parts in prop::collection::vec(1_i64..10_000_000, 1..20),
            rate in 1_i64..5_000_000,
        ) {
            let rate = Decimal::new(rate, 6);
            let minor = |value: i64| Some(Decimal::new(value, 2));
            let mut lines: Vec<Weighed> = parts.iter().map(|part| weighed("101", minor(*part), None)).collect();
            lines.push(weighed("101", None, minor(parts.iter().sum())));
            for line in &mut lines {
                line.accounted = line.entered.convert(rate, 2).unwrap();
                line.converted = true;
            }
            spread_rounding(&mut lines, 2);
            prop_assert!(is_balanced(&lines, true));
        }

        /// One cent more on any line and the journal is out of balance.
        #[test]
        fn a_cent_too_much_is_seen(parts in prop::collection::vec(1_i64..10_000_000, 1..20), at in 0_usize..20) {
            let minor = |value: i64| Some(Decimal::new(value, 2));
            let mut lines: Vec<Weighed> = parts.iter().map(|part| weighed("101", minor(*part), None)).collect();
            lines.push(weighed("101", None, minor(parts.iter().sum())));
            prop_assert!(is_balanced(&lines, true));
            let place = at % parts.len();
            lines[place] = weighed("101", minor(parts[place] + 1), None);
            prop_assert!(!is_balanced(&lines, true));
        }
    }
}
