//! Whose record it is. Pure.

use oracle_fusion::RawValue;
use serde::Deserialize;

/// What tells a supplier, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Supplier {
    /// The name.
    pub name: Option<String>,
    /// `SupplierId`.
    pub id: Option<String>,
    /// `SupplierNumber`.
    pub number: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Attributes<'a> {
    #[serde(borrow, rename = "Supplier")]
    name: Option<&'a RawValue>,
    #[serde(borrow, rename = "SupplierId")]
    id: Option<&'a RawValue>,
    #[serde(borrow, rename = "SupplierNumber")]
    number: Option<&'a RawValue>,
}

/// The supplier of a record, whatever the rest of it is.
#[must_use]
pub fn supplier_of(body: &str) -> Supplier {
    let found: Attributes<'_> = serde_json::from_str(body).unwrap_or_default();
    let text = |raw: Option<&RawValue>| {
        let raw = raw?.get();
        let text = serde_json::from_str::<String>(raw).unwrap_or_else(|_| raw.to_owned());
        Some(text).filter(|text| !text.is_empty() && text != "null" && text != super::MARK)
    };
    Supplier { name: text(found.name), id: text(found.id), number: text(found.number) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_from_the_record_itself_and_not_from_its_lines() {
        let body = r#"{"lines":[{"Supplier":"other","SupplierId":1}],"Supplier":"A\"B","SupplierId":300,"SupplierNumber":"12"}"#;
        let supplier = supplier_of(body);
        assert_eq!(supplier.name.as_deref(), Some("A\"B"));
        assert_eq!((supplier.id.as_deref(), supplier.number.as_deref()), (Some("300"), Some("12")));
        for nothing in ["", "[]", "{", r#"{"Supplier":null}"#, r#"{"Supplier":"[erased]"}"#] {
            assert_eq!(supplier_of(nothing), Supplier::default(), "{nothing}");
        }
    }
}
