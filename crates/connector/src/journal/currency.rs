//! A currency and how many decimals it has.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::reason::NoJournal;

/// Amounts of more digits (in the currency's minor unit) are not posted: an Asana number does not hold
/// them, and the split needs room to compute exactly.
pub const MAX_DIGITS: u32 = 15;
/// No currency has more decimals; a setting cannot say so either.
pub const MAX_DECIMALS: u32 = 6;

/// An ISO 4217 currency with its decimals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Currency {
    /// The code, such as `USD`.
    pub code: String,
    /// Decimals of the smallest unit: 0 for JPY, 2 for USD, 3 for BHD.
    pub decimals: u32,
}

impl Currency {
    /// Finds a currency. `decimals` (a setting) wins over ISO 4217: a pod's administrator can give a
    /// currency another precision, and no resource that tells it is known.
    pub fn find(code: &str, decimals: &BTreeMap<String, u32>) -> Result<Currency, NoJournal> {
        let unknown = || NoJournal::CurrencyUnknown { currency: code.to_owned() };
        let decimals = match decimals.get(code) {
            Some(set) => *set,
            None => {
                let known = iso_currency::Currency::from_code(code).ok_or_else(unknown)?;
                u32::from(known.exponent().ok_or_else(unknown)?)
            }
        };
        if decimals > MAX_DECIMALS {
            return Err(unknown());
        }
        Ok(Currency { code: code.to_owned(), decimals })
    }

    /// The amount in minor units, exactly.
    pub fn minor_units(&self, amount: Decimal) -> Result<i128, NoJournal> {
        let plain = amount.normalize();
        if plain.scale() > self.decimals {
            return Err(NoJournal::TooManyDecimals {
                amount: plain,
                currency: self.code.clone(),
                decimals: self.decimals,
            });
        }
        let too_large = || NoJournal::TooLarge { amount: format!("{plain} {}", self.code) };
        let shift = 10i128.pow(self.decimals - plain.scale());
        let units = plain.mantissa().checked_mul(shift).ok_or_else(too_large)?;
        if units.unsigned_abs() < 10u128.pow(MAX_DIGITS) { Ok(units) } else { Err(too_large()) }
    }

    /// The amount of that many minor units, with the currency's decimals.
    pub fn amount(&self, units: i128) -> Result<Decimal, NoJournal> {
        let too_large =
            || NoJournal::TooLarge { amount: format!("{units}e-{} {}", self.decimals, self.code) };
        if units.unsigned_abs() >= 10u128.pow(MAX_DIGITS) {
            return Err(too_large());
        }
        Decimal::try_from_i128_with_scale(units, self.decimals).map_err(|_| too_large())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn iso(code: &str) -> Result<Currency, NoJournal> {
        Currency::find(code, &BTreeMap::new())
    }

    #[test]
    fn decimals_are_those_of_the_currency() {
        for (code, decimals) in [("JPY", 0), ("USD", 2), ("BHD", 3), ("CLF", 4)] {
            assert_eq!(iso(code).unwrap().decimals, decimals, "{code}");
        }
        let set = BTreeMap::from([("TWD".to_owned(), 0), ("ABC".to_owned(), 1), ("USD".to_owned(), 7)]);
        assert_eq!(Currency::find("TWD", &set).unwrap().decimals, 0);
        assert_eq!(Currency::find("ABC", &set).unwrap().decimals, 1);
        assert!(Currency::find("USD", &set).is_err());
    }

    #[test]
    fn a_currency_without_a_smallest_unit_is_refused() {
        for code in ["XAU", "XXX", "usd", "US Dollar", ""] {
            assert_eq!(iso(code), Err(NoJournal::CurrencyUnknown { currency: code.to_owned() }));
        }
    }

    #[test]
    fn what_the_currency_cannot_hold_is_refused_and_never_rounded() {
        let (usd, jpy) = (iso("USD").unwrap(), iso("JPY").unwrap());
        assert_eq!(usd.minor_units(Decimal::new(10_050_000, 5)), Ok(10_050));
        assert!(matches!(usd.minor_units(Decimal::new(10_005, 3)), Err(NoJournal::TooManyDecimals { .. })));
        assert!(matches!(jpy.minor_units(Decimal::new(5, 1)), Err(NoJournal::TooManyDecimals { .. })));
        assert_eq!(usd.minor_units(Decimal::new(999_999_999_999_999, 2)), Ok(999_999_999_999_999));
        assert!(matches!(usd.minor_units(Decimal::new(10i64.pow(15), 2)), Err(NoJournal::TooLarge { .. })));
        assert!(matches!(usd.minor_units(Decimal::MAX), Err(NoJournal::TooLarge { .. })));
    }

    proptest! {
        #[test]
        fn an_amount_comes_back_from_its_minor_units(units in -999_999_999_999_999i128..=999_999_999_999_999, code in "JPY|USD|BHD") {
            let currency = iso(&code).unwrap();
            let amount = currency.amount(units).unwrap();
            prop_assert_eq!(amount.scale(), currency.decimals);
            prop_assert_eq!(currency.minor_units(amount), Ok(units));
        }
    }
}
