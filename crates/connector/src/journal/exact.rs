//! An amount in stored JSON: as text with all its decimals, never as a JSON number.

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serializer};

pub(super) fn serialize<S: Serializer>(amount: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(amount)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    let text = String::deserialize(deserializer)?;
    oracle_fusion::Number::from(text).to_decimal().map_err(serde::de::Error::custom)
}
