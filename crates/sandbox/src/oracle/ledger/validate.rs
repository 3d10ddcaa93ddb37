//! The checks of one interface row, as Import Journals makes them.

use rust_decimal::Decimal;

use super::Ledger;
use super::accounts::{self, Combination};
use super::interface::Row;
use super::money::{self, Sides};
use super::seed::{CATEGORIES, CORPORATE, LedgerSeed, SPOT, USER, enabled_currency};

/// From this amount on a line is rejected. Where a real ledger draws the line is unknown; this is what a
/// currency with two digits shows in 15 significant ones.
const TOO_LARGE: Decimal = Decimal::from_parts(0xA4C6_8000, 0x0003_8D7E, 0, false, 0);

/// What came of a row.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    /// In the order in which the row's status lists them.
    pub codes: Vec<&'static str>,
    /// Id and concatenated segments of the account that takes the line.
    pub account: (i64, String),
    pub accounted: Sides,
    /// Whether the accounted amounts were computed with a rate.
    pub converted: bool,
    pub rate: Option<Decimal>,
}

/// Checks a row of the ledger; `to_suspense` is the import's fifth parameter.
pub(crate) fn check(row: &Row, seed: &LedgerSeed, ledger: &Ledger, to_suspense: bool) -> Checked {
    let mut codes = Vec::new();
    if row.actual_flag == 'E' {
        codes.push("EP03");
    } else if !ledger.calendar.is_enterable(seed.id) {
        codes.push("EP02");
    } else if !ledger.calendar.accepts(seed.id, row.date) {
        codes.push("EP01");
    }
    let account = account(row, seed, ledger, to_suspense, &mut codes);
    let (accounted, converted, rate) = accounted(row, seed, &mut codes);
    if !CATEGORIES.iter().any(|(_, name)| *name == row.category) {
        codes.push("EM01");
    }
    Checked { codes, account, accounted, converted, rate }
}

fn account(
    row: &Row,
    seed: &LedgerSeed,
    ledger: &Ledger,
    to_suspense: bool,
    codes: &mut Vec<&'static str>,
) -> (i64, String) {
    let found = ledger.accounts.find(seed.chart, &row.segments);
    let refused = match found {
        None if row.segments.is_empty() => Some("EF05"),
        None => Some("EF04"),
        Some(combination) => unusable(combination, row),
    };
    let named = |combination: &Combination| (combination.id, combination.text());
    let Some(code) = refused else {
        return found.map(named).unwrap_or_default();
    };
    let suspense = accounts::suspense(&ledger.accounts, seed)
        .filter(|_| to_suspense && ledger.allows_suspense(seed.id))
        .map(named);
    codes.push(if suspense.is_some() { "WF02" } else { code });
    suspense.unwrap_or_default()
}

fn unusable(combination: &Combination, row: &Row) -> Option<&'static str> {
    if !combination.enabled {
        Some("EF03")
    } else if combination.end.is_some_and(|end| row.date > end) {
        Some("EF01")
    } else if !combination.detail_posting {
        Some("EF02")
    } else {
        None
    }
}

/// The accounted amounts, whether they were computed, and the rate used.
fn accounted(row: &Row, seed: &LedgerSeed, codes: &mut Vec<&'static str>) -> (Sides, bool, Option<Decimal>) {
    let given = row.accounted != Sides::default();
    let too_large =
        |sides: Sides| [sides.debit, sides.credit].into_iter().flatten().any(|a| a.abs() >= TOO_LARGE);
    let mut result = (row.accounted, false, None);
    match enabled_currency(&row.currency) {
        None => codes.push("EC08"),
        Some(currency) if currency.code == seed.currency => {
            if given && row.accounted != row.entered {
                codes.push("EC12");
            }
            result.0 = row.entered;
        }
        Some(currency) => match conversion_rate(row, seed, currency, given) {
            Ok(rate) => {
                let digits = enabled_currency(seed.currency).map_or(2, |own| own.digits);
                match rate.map(|rate| row.entered.convert(rate, digits)) {
                    Some(Some(sides)) if !given => result = (sides, true, rate),
                    Some(None) => codes.push("EC13"),
                    Some(_) => result.2 = rate,
                    None => codes.push("ECW1"),
                }
            }
            Err(code) => codes.push(code),
        },
    }
    if (row.too_large || too_large(row.entered) || too_large(result.0)) && !codes.contains(&"EC13") {
        codes.push("EC13");
    }
    result
}

/// The rate, or none where accounted amounts alone are given; otherwise the code of what is missing.
fn conversion_rate(
    row: &Row,
    seed: &LedgerSeed,
    currency: &super::seed::Currency,
    given: bool,
) -> Result<Option<Decimal>, &'static str> {
    match row.conversion_type.as_deref() {
        None if given => Ok(None),
        None => Err("EC03"),
        Some(USER) if row.conversion_rate.is_none() => Err("EC01"),
        Some(USER | CORPORATE | SPOT) if row.conversion_date.is_none() => Err("EC02"),
        Some(USER) => Ok(row.conversion_rate),
        Some(known @ (CORPORATE | SPOT)) => {
            money::rate(currency, seed.currency, known).map(Some).ok_or("EC06")
        }
        Some(_) => Err("EC11"),
    }
}
