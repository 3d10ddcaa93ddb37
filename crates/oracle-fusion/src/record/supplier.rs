//! Suppliers.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::purchase_order::required_id;
use super::{RecordError, read};
use crate::scalar;

/// How `Status` says that a supplier must not be used any more, in any case.
const INACTIVE: &str = "INACTIVE";

/// A row of `suppliers`.
///
/// `Status` comes with a row and cannot be filtered by; `LastUpdateDate` can. Who has no access to the data of
/// suppliers is answered with success and no rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Supplier {
    /// `SupplierId`. It stays when the supplier is renamed.
    #[serde(rename = "SupplierId", deserialize_with = "required_id")]
    pub id: String,
    /// `Supplier`, the name, mostly in upper case.
    #[serde(rename = "Supplier", deserialize_with = "scalar::text")]
    pub name: Option<String>,
    /// `SupplierNumber`, by which an invoice names its supplier.
    #[serde(rename = "SupplierNumber", deserialize_with = "scalar::text")]
    pub number: Option<String>,
    /// `AlternateName`.
    #[serde(rename = "AlternateName", deserialize_with = "scalar::text")]
    pub alternate_name: Option<String>,
    /// `Status`, such as "ACTIVE".
    #[serde(rename = "Status", deserialize_with = "scalar::text")]
    pub status: Option<String>,
    /// `InactiveDate`: the first day on which the supplier is inactive.
    #[serde(rename = "InactiveDate", deserialize_with = "scalar::date")]
    pub inactive_date: Option<Date>,
    /// `LastUpdateDate`.
    #[serde(rename = "LastUpdateDate", deserialize_with = "scalar::timestamp")]
    pub last_update: Option<Timestamp>,
}

impl Supplier {
    /// Reads a raw row.
    ///
    /// # Errors
    /// [`RecordError`] when the id is missing or an attribute has another type.
    pub fn parse(raw: &RawValue) -> Result<Self, RecordError> {
        let supplier: Self = read(raw)?;
        if supplier.id.is_empty() { Err(RecordError::missing("SupplierId")) } else { Ok(supplier) }
    }

    /// Whether the supplier may be used on that day, as far as its row tells.
    #[must_use]
    pub fn is_active(&self, day: Date) -> bool {
        let said = self.status.as_deref().is_some_and(|status| status.trim().eq_ignore_ascii_case(INACTIVE));
        !said && self.inactive_date.is_none_or(|from| day < from)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn parse(json: &str) -> Result<Supplier, RecordError> {
        Supplier::parse(&RawValue::from_string(json.to_owned()).unwrap())
    }

    #[test]
    fn a_row_is_read_with_ids_in_either_form() {
        for id in ["300100012345678", "\"300100012345678\""] {
            let supplier = parse(&format!(
                r#"{{"SupplierId":{id},"Supplier":"ACME","SupplierNumber":1201,"Status":"ACTIVE","InactiveDate":null,
                    "LastUpdateDate":"2026-01-02T03:04:05+00:00","Unknown":{{}}}}"#
            ))
            .unwrap();
            assert_eq!((supplier.id.as_str(), supplier.name.as_deref()), ("300100012345678", Some("ACME")));
            assert_eq!(supplier.number.as_deref(), Some("1201"));
            assert!(supplier.is_active(date(2026, 1, 1)));
        }
        assert_eq!(parse(r#"{"Supplier":"ACME"}"#).unwrap_err().path, "SupplierId");
        assert!(parse(r#"{"SupplierId":1,"InactiveDate":"soon"}"#).is_err());
    }

    #[test]
    fn a_supplier_is_inactive_from_its_day_on_or_when_its_status_says_so() {
        let supplier = parse(r#"{"SupplierId":1,"Status":"Active","InactiveDate":"2026-03-01"}"#).unwrap();
        assert!(supplier.is_active(date(2026, 2, 28)));
        assert!(!supplier.is_active(date(2026, 3, 1)));
        assert!(!parse(r#"{"SupplierId":1,"Status":"Inactive"}"#).unwrap().is_active(date(2026, 1, 1)));
    }
}
