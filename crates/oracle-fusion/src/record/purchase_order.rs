//! Purchase orders.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{RecordError, children, read};
use crate::keyset::RowKey;
use crate::number::Number;
use crate::scalar;

/// A row of `purchaseOrders` with its expanded `lines.schedules.distributions`.
///
/// Attributes as in
/// <https://docs.oracle.com/en/cloud/saas/procurement/25d/fapra/use_case_get_purchase_order_list_of_values.html>.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct PurchaseOrder {
    /// `POHeaderId`.
    #[serde(rename = "POHeaderId", deserialize_with = "required_id")]
    pub id: String,
    /// `LastUpdateDate`.
    #[serde(rename = "LastUpdateDate", deserialize_with = "scalar::timestamp")]
    pub last_update: Option<Timestamp>,
    /// `CreationDate`.
    #[serde(rename = "CreationDate", deserialize_with = "scalar::timestamp")]
    pub creation_date: Option<Timestamp>,
    /// `OrderDate`.
    #[serde(rename = "OrderDate", deserialize_with = "scalar::date")]
    pub order_date: Option<Date>,
    /// `OrderNumber`, unique only within the sold-to legal entity.
    #[serde(rename = "OrderNumber", deserialize_with = "scalar::text")]
    pub order_number: Option<String>,
    /// `Description`.
    #[serde(rename = "Description", deserialize_with = "scalar::text")]
    pub description: Option<String>,
    /// `Status`, in the language of the token's user.
    #[serde(rename = "Status", deserialize_with = "scalar::text")]
    pub status: Option<String>,
    /// `StatusCode`, such as `OPEN` or `PENDING_APPROVAL`.
    #[serde(rename = "StatusCode", deserialize_with = "scalar::text")]
    pub status_code: Option<String>,
    /// `Supplier`, its name.
    #[serde(rename = "Supplier", deserialize_with = "scalar::text")]
    pub supplier: Option<String>,
    /// `SupplierId`.
    #[serde(rename = "SupplierId", deserialize_with = "scalar::id")]
    pub supplier_id: Option<String>,
    /// `SupplierSite`.
    #[serde(rename = "SupplierSite", deserialize_with = "scalar::text")]
    pub supplier_site: Option<String>,
    /// `Currency`, a display name such as "US Dollar".
    #[serde(rename = "Currency", deserialize_with = "scalar::text")]
    pub currency: Option<String>,
    /// `CurrencyCode`, the ISO 4217 code.
    #[serde(rename = "CurrencyCode", deserialize_with = "scalar::text")]
    pub currency_code: Option<String>,
    /// `Ordered`, without exclusive tax.
    #[serde(rename = "Ordered", deserialize_with = "scalar::number")]
    pub ordered: Option<Number>,
    /// `TotalTax`.
    #[serde(rename = "TotalTax", deserialize_with = "scalar::number")]
    pub total_tax: Option<Number>,
    /// `Total`, with tax.
    #[serde(rename = "Total", deserialize_with = "scalar::number")]
    pub total: Option<Number>,
    /// `Buyer`, as "Last, First".
    #[serde(rename = "Buyer", deserialize_with = "scalar::text")]
    pub buyer: Option<String>,
    /// `BuyerDisplayName`, from release 24D on.
    #[serde(rename = "BuyerDisplayName", deserialize_with = "scalar::text")]
    pub buyer_display_name: Option<String>,
    /// `RequesterDisplayName`, from release 24D on; not queryable.
    #[serde(rename = "RequesterDisplayName", deserialize_with = "scalar::text")]
    pub requester: Option<String>,
    /// `ProcurementBU`.
    #[serde(rename = "ProcurementBU", deserialize_with = "scalar::text")]
    pub procurement_bu: Option<String>,
    /// `RequisitioningBU`.
    #[serde(rename = "RequisitioningBU", deserialize_with = "scalar::text")]
    pub requisitioning_bu: Option<String>,
    /// `BillToBU`.
    #[serde(rename = "BillToBU", deserialize_with = "scalar::text")]
    pub bill_to_bu: Option<String>,
    /// `SoldToLegalEntity`.
    #[serde(rename = "SoldToLegalEntity", deserialize_with = "scalar::text")]
    pub sold_to_legal_entity: Option<String>,
    /// `lines`; empty when they were not expanded.
    #[serde(rename = "lines", deserialize_with = "children::rows")]
    pub lines: Vec<PurchaseOrderLine>,
}

/// A row of `lines`. A service line of fixed price has an amount but neither quantity nor price.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct PurchaseOrderLine {
    /// `POLineId`.
    #[serde(rename = "POLineId", deserialize_with = "scalar::id")]
    pub id: Option<String>,
    /// `LineNumber`.
    #[serde(rename = "LineNumber", deserialize_with = "scalar::number")]
    pub line_number: Option<Number>,
    /// `LineType`.
    #[serde(rename = "LineType", deserialize_with = "scalar::text")]
    pub line_type: Option<String>,
    /// `Description`.
    #[serde(rename = "Description", deserialize_with = "scalar::text")]
    pub description: Option<String>,
    /// `ItemId`.
    #[serde(rename = "ItemId", deserialize_with = "scalar::id")]
    pub item_id: Option<String>,
    /// `Item`, its number.
    #[serde(rename = "Item", deserialize_with = "scalar::text")]
    pub item: Option<String>,
    /// `Category`.
    #[serde(rename = "Category", deserialize_with = "scalar::text")]
    pub category: Option<String>,
    /// `Quantity`.
    #[serde(rename = "Quantity", deserialize_with = "scalar::number")]
    pub quantity: Option<Number>,
    /// `UOM`, the unit's name.
    #[serde(rename = "UOM", deserialize_with = "scalar::text")]
    pub uom: Option<String>,
    /// `Price` per unit.
    #[serde(rename = "Price", deserialize_with = "scalar::number")]
    pub price: Option<Number>,
    /// `Ordered`, without exclusive tax.
    #[serde(rename = "Ordered", deserialize_with = "scalar::number")]
    pub ordered: Option<Number>,
    /// `Total`, with tax.
    #[serde(rename = "Total", deserialize_with = "scalar::number")]
    pub total: Option<Number>,
    /// `CurrencyCode`, the ISO 4217 code.
    #[serde(rename = "CurrencyCode", deserialize_with = "scalar::text")]
    pub currency_code: Option<String>,
    /// `Status`, in the language of the token's user.
    #[serde(rename = "Status", deserialize_with = "scalar::text")]
    pub status: Option<String>,
    /// `StatusCode`.
    #[serde(rename = "StatusCode", deserialize_with = "scalar::text")]
    pub status_code: Option<String>,
    /// `LastUpdateDate` of the line.
    #[serde(rename = "LastUpdateDate", deserialize_with = "scalar::timestamp")]
    pub last_update: Option<Timestamp>,
    /// `schedules`.
    #[serde(rename = "schedules", deserialize_with = "children::rows")]
    pub schedules: Vec<Schedule>,
}

/// A row of `schedules`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Schedule {
    /// `LineLocationId`.
    #[serde(rename = "LineLocationId", deserialize_with = "scalar::id")]
    pub id: Option<String>,
    /// `ScheduleNumber`.
    #[serde(rename = "ScheduleNumber", deserialize_with = "scalar::number")]
    pub number: Option<Number>,
    /// `Quantity`.
    #[serde(rename = "Quantity", deserialize_with = "scalar::number")]
    pub quantity: Option<Number>,
    /// `distributions`.
    #[serde(rename = "distributions", deserialize_with = "children::rows")]
    pub distributions: Vec<Distribution>,
}

/// A row of `distributions`: which account a part of the schedule is charged to.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(from = "DistributionBody")]
pub struct Distribution {
    /// `DistributionNumber`.
    pub number: Option<Number>,
    /// `POChargeAccount`, the concatenated segments.
    pub charge_account: Option<String>,
    /// `POChargeAccountId`, the code combination's id.
    pub charge_account_id: Option<String>,
    /// `Quantity`.
    pub quantity: Option<Number>,
    /// `Requester`.
    pub requester: Option<String>,
    /// `RequesterId`.
    pub requester_id: Option<String>,
    /// `DeliverToLocation`.
    pub deliver_to_location: Option<String>,
    /// `BudgetDate`.
    pub budget_date: Option<Date>,
    /// `_PROJECT_ID` of the child `projectDFF`, where that is expanded too.
    pub project_id: Option<String>,
    /// `_TASK_ID` of the same.
    pub task_id: Option<String>,
    /// `_EXPENDITURE_TYPE_ID` of the same.
    pub expenditure_type_id: Option<String>,
    /// `_ORGANIZATION_ID` of the same.
    pub organization_id: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct DistributionBody {
    #[serde(rename = "DistributionNumber", deserialize_with = "scalar::number")]
    number: Option<Number>,
    #[serde(rename = "POChargeAccount", deserialize_with = "scalar::text")]
    charge_account: Option<String>,
    #[serde(rename = "POChargeAccountId", deserialize_with = "scalar::id")]
    charge_account_id: Option<String>,
    #[serde(rename = "Quantity", deserialize_with = "scalar::number")]
    quantity: Option<Number>,
    #[serde(rename = "Requester", deserialize_with = "scalar::text")]
    requester: Option<String>,
    #[serde(rename = "RequesterId", deserialize_with = "scalar::id")]
    requester_id: Option<String>,
    #[serde(rename = "DeliverToLocation", deserialize_with = "scalar::text")]
    deliver_to_location: Option<String>,
    #[serde(rename = "BudgetDate", deserialize_with = "scalar::date")]
    budget_date: Option<Date>,
    #[serde(rename = "projectDFF", deserialize_with = "children::rows")]
    project: Vec<ProjectFlexfield>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ProjectFlexfield {
    #[serde(rename = "_PROJECT_ID", deserialize_with = "scalar::id")]
    project: Option<String>,
    #[serde(rename = "_TASK_ID", deserialize_with = "scalar::id")]
    task: Option<String>,
    #[serde(rename = "_EXPENDITURE_TYPE_ID", deserialize_with = "scalar::id")]
    expenditure_type: Option<String>,
    #[serde(rename = "_ORGANIZATION_ID", deserialize_with = "scalar::id")]
    organization: Option<String>,
}

impl From<DistributionBody> for Distribution {
    fn from(body: DistributionBody) -> Self {
        let project = body.project.into_iter().next().unwrap_or_default();
        Self {
            number: body.number,
            charge_account: body.charge_account,
            charge_account_id: body.charge_account_id,
            quantity: body.quantity,
            requester: body.requester,
            requester_id: body.requester_id,
            deliver_to_location: body.deliver_to_location,
            budget_date: body.budget_date,
            project_id: project.project,
            task_id: project.task,
            expenditure_type_id: project.expenditure_type,
            organization_id: project.organization,
        }
    }
}

/// A null id reads as none, which [`PurchaseOrder::parse`] refuses.
pub(super) fn required_id<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(scalar::id(deserializer)?.unwrap_or_default())
}

impl PurchaseOrder {
    /// Reads a raw record.
    ///
    /// # Errors
    /// [`RecordError`] when the id is missing, an attribute has an unreadable value, or a child is cut short
    /// (see [`Fusion::complete`](crate::Fusion::complete)).
    pub fn parse(raw: &RawValue) -> Result<Self, RecordError> {
        let order: Self = read(raw)?;
        if order.id.is_empty() {
            return Err(RecordError::missing("POHeaderId"));
        }
        Ok(order)
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

    fn parse(json: &str) -> Result<PurchaseOrder, RecordError> {
        PurchaseOrder::parse(&RawValue::from_string(json.to_owned()).unwrap())
    }

    const LINES: &str = r#"[{"POLineId":1,"LineNumber":1,"Quantity":null,"Price":null,"Ordered":1200.00,"schedules":
        {"items":[{"LineLocationId":"2","ScheduleNumber":"1","distributions":{"items":[{"DistributionNumber":1,
        "POChargeAccount":"101.10.60540.000","POChargeAccountId":300100,"Quantity":0.50,
        "projectDFF":{"items":[{"_PROJECT_ID":300,"_TASK_ID":"301"}],"hasMore":false}}],"hasMore":false}}],"hasMore":false}}]"#;

    #[test]
    fn a_header_is_read_with_its_exact_numbers() {
        let order = parse(
            r#"{"POHeaderId":300100183456789,"OrderNumber":"US165121","Status":"Open","StatusCode":"OPEN",
            "ProcurementBU":"US1 Business Unit","Supplier":"ACME","SupplierId":300100012345678,"Currency":"US Dollar",
            "CurrencyCode":"USD","Ordered":1200.10,"TotalTax":"60","Total":1.2601E3,"OrderDate":"2026-05-04",
            "CreationDate":"2026-05-04T08:11:02+00:00","LastUpdateDate":"2026-05-06T10:00:00.120+00:00","New":{"a":[1]}}"#,
        )
        .unwrap();
        assert_eq!(order.id, "300100183456789");
        assert_eq!(order.ordered.unwrap().as_str(), "1200.10");
        assert_eq!(order.total_tax.unwrap().as_str(), "60");
        assert_eq!(order.total.unwrap().as_str(), "1.2601E3");
        assert_eq!(order.last_update.unwrap().to_string(), "2026-05-06T10:00:00.12Z");
        assert_eq!(order.order_date, Some(jiff::civil::date(2026, 5, 4)));
        assert!(order.lines.is_empty());
    }

    #[test]
    fn children_are_read_from_arrays_and_from_objects() {
        let array = parse(&format!(r#"{{"POHeaderId":"1","lines":{LINES}}}"#)).unwrap();
        let object = parse(&format!(
            r#"{{"POHeaderId":1,"lines":{{"count":1,"items":{LINES},"hasMore":false,"links":[]}}}}"#
        ))
        .unwrap();
        assert_eq!(array, object);
        let line = &object.lines[0];
        assert_eq!((line.quantity.as_ref(), line.ordered.as_ref().unwrap().as_str()), (None, "1200.00"));
        let distribution = &line.schedules[0].distributions[0];
        assert_eq!(distribution.charge_account.as_deref(), Some("101.10.60540.000"));
        assert_eq!(distribution.charge_account_id.as_deref(), Some("300100"));
        assert_eq!(distribution.quantity.as_ref().unwrap().as_str(), "0.50");
        assert_eq!(
            (distribution.project_id.as_deref(), distribution.task_id.as_deref()),
            (Some("300"), Some("301"))
        );
        assert!(parse(r#"{"POHeaderId":1,"lines":null}"#).unwrap().lines.is_empty());
    }

    #[test]
    fn an_error_names_the_attribute() {
        for (json, path) in [
            (r#"{"OrderNumber":"x"}"#, "POHeaderId"),
            (r#"{"POHeaderId":null}"#, "POHeaderId"),
            (r#"{"POHeaderId":1,"Total":"12 EUR","Status":"x"}"#, "Total"),
            (r#"{"POHeaderId":1, "LastUpdateDate":"soon" , "Status":"x"}"#, "LastUpdateDate"),
            (
                "{\"POHeaderId\":1,\n\"Supplier\":\"a\\\"b,{\",\n \"Buyer\":{\"a\":[1,2]},\"Total\":1}",
                "Buyer",
            ),
            (
                r#"{"POHeaderId":1,"lines":{"items":[{"Price":1},{"Price":2},{"Price":true}]}}"#,
                "lines[2].Price",
            ),
            (
                r#"{"POHeaderId":1,"lines":[{"schedules":[{"distributions":{"items":[{"Quantity":[]}]}}]}]}"#,
                "lines[0].schedules[0].distributions[0].Quantity",
            ),
            (r#"{"POHeaderId":1,"lines":7}"#, "lines"),
            ("7", "record"),
        ] {
            let error = parse(json).unwrap_err();
            assert_eq!(error.path, path, "{json}: {error}");
        }
    }

    #[test]
    fn a_child_cut_short_is_not_read_as_if_whole() {
        let error = parse(r#"{"POHeaderId":1,"lines":{"items":[],"hasMore":true}}"#).unwrap_err();
        assert_eq!(error.path, "lines");
    }
}
