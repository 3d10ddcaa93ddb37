//! Payables invoices.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::purchase_order::required_id;
use super::{RecordError, children, read};
use crate::keyset::RowKey;
use crate::number::Number;
use crate::scalar;

/// A row of `invoices` with its expanded `invoiceLines`.
///
/// The status values are display texts in the language of the token's user; compare them without regard to
/// case and let unknown ones pass.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Invoice {
    /// `InvoiceId`.
    #[serde(rename = "InvoiceId", deserialize_with = "required_id")]
    pub id: String,
    /// `LastUpdateDate`.
    #[serde(rename = "LastUpdateDate", deserialize_with = "scalar::timestamp")]
    pub last_update: Option<Timestamp>,
    /// `CreationDate`.
    #[serde(rename = "CreationDate", deserialize_with = "scalar::timestamp")]
    pub creation_date: Option<Timestamp>,
    /// `InvoiceNumber`, unique only per supplier.
    #[serde(rename = "InvoiceNumber", deserialize_with = "scalar::text")]
    pub number: Option<String>,
    /// `InvoiceCurrency`, the ISO 4217 code.
    #[serde(rename = "InvoiceCurrency", deserialize_with = "scalar::text")]
    pub currency: Option<String>,
    /// `InvoiceAmount`.
    #[serde(rename = "InvoiceAmount", deserialize_with = "scalar::number")]
    pub amount: Option<Number>,
    /// `AmountPaid`.
    #[serde(rename = "AmountPaid", deserialize_with = "scalar::number")]
    pub amount_paid: Option<Number>,
    /// `InvoiceDate`.
    #[serde(rename = "InvoiceDate", deserialize_with = "scalar::date")]
    pub date: Option<Date>,
    /// `Description`.
    #[serde(rename = "Description", deserialize_with = "scalar::text")]
    pub description: Option<String>,
    /// `InvoiceType`.
    #[serde(rename = "InvoiceType", deserialize_with = "scalar::text")]
    pub invoice_type: Option<String>,
    /// `BusinessUnit`.
    #[serde(rename = "BusinessUnit", deserialize_with = "scalar::text")]
    pub business_unit: Option<String>,
    /// `LegalEntity`.
    #[serde(rename = "LegalEntity", deserialize_with = "scalar::text")]
    pub legal_entity: Option<String>,
    /// `Supplier`, its name.
    #[serde(rename = "Supplier", deserialize_with = "scalar::text")]
    pub supplier: Option<String>,
    /// `SupplierNumber`.
    #[serde(rename = "SupplierNumber", deserialize_with = "scalar::text")]
    pub supplier_number: Option<String>,
    /// `ValidationStatus`, such as "Validated" or "Needs revalidation".
    #[serde(rename = "ValidationStatus", deserialize_with = "scalar::text")]
    pub validation_status: Option<String>,
    /// `ApprovalStatus`.
    #[serde(rename = "ApprovalStatus", deserialize_with = "scalar::text")]
    pub approval_status: Option<String>,
    /// `PaidStatus`, such as "Paid", "Unpaid" or "Partially paid".
    #[serde(rename = "PaidStatus", deserialize_with = "scalar::text")]
    pub paid_status: Option<String>,
    /// `AccountingStatus`.
    #[serde(rename = "AccountingStatus", deserialize_with = "scalar::text")]
    pub accounting_status: Option<String>,
    /// `CanceledFlag`; an absent flag is false.
    #[serde(rename = "CanceledFlag", deserialize_with = "scalar::flag")]
    pub canceled: bool,
    /// `PurchaseOrderNumber` of the header, set only where the invoice was entered for one order. What counts
    /// is the number on each line.
    #[serde(rename = "PurchaseOrderNumber", deserialize_with = "scalar::text")]
    pub purchase_order_number: Option<String>,
    /// `invoiceLines`; empty when they were not expanded.
    #[serde(rename = "invoiceLines", deserialize_with = "children::rows")]
    pub lines: Vec<InvoiceLine>,
}

/// A row of `invoiceLines`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct InvoiceLine {
    /// `LineNumber`.
    #[serde(rename = "LineNumber", deserialize_with = "scalar::number")]
    pub number: Option<Number>,
    /// `LineType`, such as "Item", "Freight" or "Tax".
    #[serde(rename = "LineType", deserialize_with = "scalar::text")]
    pub line_type: Option<String>,
    /// `LineAmount`.
    #[serde(rename = "LineAmount", deserialize_with = "scalar::number")]
    pub amount: Option<Number>,
    /// `Description`.
    #[serde(rename = "Description", deserialize_with = "scalar::text")]
    pub description: Option<String>,
    /// `PurchaseOrderNumber`: the order that this line is matched to.
    #[serde(rename = "PurchaseOrderNumber", deserialize_with = "scalar::text")]
    pub purchase_order_number: Option<String>,
    /// `PurchaseOrderLineNumber`.
    #[serde(rename = "PurchaseOrderLineNumber", deserialize_with = "scalar::number")]
    pub purchase_order_line_number: Option<Number>,
    /// `DiscardedFlag`.
    #[serde(rename = "DiscardedFlag", deserialize_with = "scalar::flag")]
    pub discarded: bool,
    /// `CanceledFlag`.
    #[serde(rename = "CanceledFlag", deserialize_with = "scalar::flag")]
    pub canceled: bool,
}

impl Invoice {
    /// Reads a raw record.
    ///
    /// # Errors
    /// [`RecordError`] when the id is missing, an attribute has an unreadable value, or a child is cut short
    /// (see [`Fusion::complete`](crate::Fusion::complete)).
    pub fn parse(raw: &RawValue) -> Result<Self, RecordError> {
        let invoice: Self = read(raw)?;
        if invoice.id.is_empty() {
            return Err(RecordError::missing("InvoiceId"));
        }
        Ok(invoice)
    }

    /// The id and date, for paging.
    #[must_use]
    pub fn key(&self) -> RowKey {
        RowKey { id: self.id.clone(), last_update: self.last_update }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invoice_is_read_with_the_orders_of_its_lines() {
        let raw = r#"{"InvoiceId":"300100555","InvoiceNumber":7,"InvoiceCurrency":"USD","InvoiceAmount":-10.50,
            "InvoiceDate":"2026-05-04","PaidStatus":"Unpaid","CanceledFlag":"Y","invoiceLines":{"items":[
            {"LineNumber":1,"LineType":"Item","LineAmount":"-10.50","PurchaseOrderNumber":"US1","PurchaseOrderLineNumber":"2"},
            {"LineNumber":2,"DiscardedFlag":true,"CanceledFlag":false}],"hasMore":false}}"#;
        let invoice = Invoice::parse(&RawValue::from_string(raw.to_owned()).unwrap()).unwrap();
        assert_eq!((invoice.id.as_str(), invoice.number.as_deref()), ("300100555", Some("7")));
        assert_eq!(invoice.amount.as_ref().unwrap().as_str(), "-10.50");
        assert!(invoice.canceled && !invoice.lines[0].discarded && invoice.lines[1].discarded);
        assert_eq!(invoice.lines[0].purchase_order_line_number, Some(Number::from("2")));
        assert_eq!(invoice.key().id, "300100555");
    }
}
