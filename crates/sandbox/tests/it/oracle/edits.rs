//! Changes by colleagues, and which of them a poll can notice.

use jiff::{SignedDuration, Timestamp};
use sandbox::oracle::edits::{Edit, NewInvoice, NewInvoiceLine, NewLine, NewOrder};
use serde_json::{Value, json};

use crate::pod::{Pod, column, orders};

const NOW: &str = "2026-07-01T08:00:00Z";

async fn pod_at_noon() -> (Pod, i64) {
    let pod = Pod::start(orders(0)).await;
    pod.sandbox.clock().freeze("2026-06-30T12:00:00Z".parse().unwrap());
    let line = |amount: &str| NewLine { amount: amount.to_owned(), ..NewLine::default() };
    let new = NewOrder { lines: vec![line("100.25"), line("50")], ..NewOrder::default() };
    let id = pod.sandbox.oracle().apply(Edit::CreateOrder(new)).unwrap()[0];
    pod.sandbox.clock().freeze(NOW.parse().unwrap());
    let token = pod.new_token().await;
    (Pod { token, ..pod }, id)
}

async fn order(pod: &Pod, id: i64) -> Value {
    let query = [("q", &*format!("POHeaderId = {id}")), ("expand", "lines.schedules.distributions")];
    pod.page(4, "purchaseOrders", &query).await["items"][0].clone()
}

#[tokio::test]
async fn a_line_edit_may_or_may_not_touch_the_header() {
    let (pod, id) = pod_at_noon().await;
    let edit =
        |amount: &str, touch| Edit::LineAmount { order: id, line: 2, amount: amount.to_owned(), touch };
    pod.sandbox.oracle().apply(edit("50.5", false)).unwrap();
    let seen = order(&pod, id).await;
    assert_eq!((&seen["Ordered"], &seen["Total"]), (&json!(150.75), &json!(150.75)));
    assert_eq!(seen["LastUpdateDate"], "2026-06-30T12:00:00+00:00");
    assert_eq!(seen["lines"]["items"][1]["LastUpdateDate"], "2026-07-01T08:00:00+00:00");
    pod.sandbox.oracle().apply(edit("60", true)).unwrap();
    let seen = order(&pod, id).await;
    assert_eq!(
        (&seen["Total"], &seen["LastUpdateDate"]),
        (&json!(160.25), &json!("2026-07-01T08:00:00+00:00"))
    );
    pod.sandbox.oracle().apply(edit("12,5", true)).unwrap_err();
}

#[tokio::test]
async fn a_renamed_supplier_keeps_its_id_on_every_record() {
    let pod = Pod::start(orders(200)).await;
    let oracle = pod.sandbox.oracle();
    let first = pod.page(4, "purchaseOrders", &[]).await["items"][0].clone();
    let (name, id) = (first["Supplier"].as_str().unwrap(), &first["SupplierId"]);
    let rename = |from: &str, to: &str| Edit::RenameSupplier {
        supplier: from.to_owned(),
        name: to.to_owned(),
        touch: true,
    };
    let changed = oracle.apply(rename(name, "Neuer Name ÄÖÜ")).unwrap();
    let page = pod.page(4, "purchaseOrders", &[("q", "Supplier = 'Neuer Name ÄÖÜ'"), ("limit", "400")]).await;
    assert!(column(&page, "SupplierId").iter().all(|other| other == id));
    let invoices = pod.page(4, "invoices", &[("q", "Supplier = 'Neuer Name ÄÖÜ'"), ("limit", "400")]).await;
    let count = page["count"].as_u64().unwrap() + invoices["count"].as_u64().unwrap();
    assert_eq!(count, u64::try_from(changed.len()).unwrap());
    oracle.apply(rename(name, "x")).unwrap_err();
}

#[tokio::test]
async fn lines_accounts_and_statuses_change() {
    let (pod, id) = pod_at_noon().await;
    let oracle = pod.sandbox.oracle();
    let account = "102-20-61010-340-000-000".to_owned();
    let line =
        NewLine { amount: "0.75".to_owned(), description: Some("More".to_owned()), ..NewLine::default() };
    oracle.apply(Edit::AddLine { order: id, line, touch: true }).unwrap();
    oracle
        .apply(Edit::ChargeAccount {
            order: id,
            line: 3,
            distribution: 1,
            account: account.clone(),
            touch: false,
        })
        .unwrap();
    oracle.apply(Edit::OrderStatus { order: id, code: "CANCELED".to_owned(), touch: true }).unwrap();
    let seen = order(&pod, id).await;
    assert_eq!(
        (&seen["Total"], &seen["StatusCode"], &seen["Status"]),
        (&json!(151.00), &json!("CANCELED"), &json!("Canceled"))
    );
    let added = &seen["lines"]["items"][2];
    assert_eq!(
        (&added["LineNumber"], &added["Description"], &added["StatusCode"]),
        (&json!(3), &json!("More"), &json!("CANCELED"))
    );
    assert_eq!(
        added["schedules"]["items"][0]["distributions"]["items"][0]["POChargeAccount"],
        json!(account)
    );
    oracle.apply(Edit::OrderStatus { order: id, code: "Open".to_owned(), touch: true }).unwrap_err();
    oracle.apply(Edit::OrderStatus { order: 1, code: "OPEN".to_owned(), touch: true }).unwrap_err();
}

#[tokio::test]
async fn an_invoice_appears_is_validated_and_paid() {
    let (pod, _) = pod_at_noon().await;
    let line = |amount: &str, number: &str| NewInvoiceLine {
        amount: amount.to_owned(),
        order_number: Some(number.to_owned()),
        order_line: Some(1),
        ..NewInvoiceLine::default()
    };
    let new = NewInvoice { lines: vec![line("10.10", "A"), line("5", "B")], ..NewInvoice::default() };
    let id = pod.sandbox.oracle().apply(Edit::CreateInvoice(new)).unwrap()[0];
    let set = |validation: Option<&str>, paid: Option<&str>| Edit::InvoiceStatus {
        invoice: id,
        validation: validation.map(str::to_owned),
        approval: None,
        paid: paid.map(str::to_owned),
        accounting: None,
        touch: true,
    };
    pod.sandbox.clock().advance(SignedDuration::from_secs(5));
    pod.sandbox.oracle().apply(set(Some("Validated"), None)).unwrap();
    pod.sandbox.oracle().apply(set(None, Some("Paid"))).unwrap();
    let query = [("q", "PaidStatus = 'Paid' and ValidationStatus != 'Canceled'"), ("expand", "invoiceLines")];
    let seen = pod.page(4, "invoices", &query).await["items"][0].clone();
    assert_eq!((&seen["InvoiceAmount"], &seen["AmountPaid"]), (&json!(15.10), &json!(15.10)));
    assert_eq!(seen["LastUpdateDate"], "2026-07-01T08:00:05+00:00");
    assert_eq!(seen["invoiceLines"]["items"][1]["PurchaseOrderNumber"], "B");
}

#[tokio::test]
async fn a_late_commit_carries_an_older_date_than_what_was_already_read() {
    let (pod, _) = pod_at_noon().await;
    let late: Timestamp = "2026-06-30T11:59:00Z".parse().unwrap();
    let new = NewOrder { last_update: Some(late), number: Some("LATE".to_owned()), ..NewOrder::default() };
    pod.sandbox.oracle().apply(Edit::CreateOrder(new)).unwrap();
    let since = |from: &'static str| [("q", from), ("orderBy", "LastUpdateDate:asc,POHeaderId:asc")];
    let page = pod.page(4, "purchaseOrders", &since("LastUpdateDate >= '2026-06-30T12:00:00Z'")).await;
    assert!(!column(&page, "OrderNumber").contains(&json!("LATE")));
    let page = pod.page(4, "purchaseOrders", &since("LastUpdateDate >= '2026-06-30T11:55:00Z'")).await;
    assert_eq!(column(&page, "OrderNumber")[0], "LATE");
}

#[tokio::test]
async fn records_can_share_one_instant_and_disappear() {
    let pod = Pod::start(orders(12)).await;
    let oracle = pod.sandbox.oracle();
    let ids = oracle.order_ids();
    let at: Timestamp = "2026-02-02T02:02:02.200Z".parse().unwrap();
    let resource = "purchaseOrders".to_owned();
    oracle.apply(Edit::Touch { resource: resource.clone(), ids: ids.clone(), at: Some(at) }).unwrap();
    let query = [
        ("q", "LastUpdateDate = '2026-02-02T02:02:02.200Z'"),
        ("orderBy", "LastUpdateDate:asc,POHeaderId:asc"),
    ];
    let page = pod.page(4, "purchaseOrders", &query).await;
    assert_eq!(column(&page, "POHeaderId"), ids.iter().map(|id| json!(id)).collect::<Vec<_>>());
    oracle.apply(Edit::Remove { resource, id: ids[3] }).unwrap();
    assert_eq!(pod.page(4, "purchaseOrders", &query).await["count"], 11);
}

#[tokio::test]
async fn any_json_can_stand_in_for_an_attribute() {
    let (pod, id) = pod_at_noon().await;
    let set = |attribute: &str, line: Option<i64>, json: Option<&str>| Edit::SetRaw {
        resource: "purchaseOrders".to_owned(),
        id,
        line,
        attribute: attribute.to_owned(),
        json: json.map(str::to_owned),
        touch: true,
    };
    let oracle = pod.sandbox.oracle();
    oracle.apply(set("Ordered", Some(1), Some("null"))).unwrap();
    oracle.apply(set("Total", None, Some("\"not a number\""))).unwrap();
    oracle.apply(set("Supplier", None, Some("{\"deep\":[1,2]}"))).unwrap();
    oracle.apply(set("CurrencyCode", None, None)).unwrap();
    let seen = order(&pod, id).await;
    assert_eq!(seen["lines"]["items"][0]["Ordered"], Value::Null);
    assert_eq!((&seen["Total"], &seen["Supplier"]), (&json!("not a number"), &json!({"deep": [1, 2]})));
    assert!(seen.get("CurrencyCode").is_none());
    for wrong in
        [set("Nope", None, Some("1")), set("POHeaderId", None, Some("1")), set("Total", None, Some("{"))]
    {
        oracle.apply(wrong).unwrap_err();
    }
}

#[tokio::test]
async fn revoked_tokens_are_refused_and_new_ones_work() {
    let (pod, _) = pod_at_noon().await;
    pod.sandbox.oracle().apply(Edit::RevokeTokens).unwrap();
    pod.refused(401, 4, "purchaseOrders", &[]).await;
    let token = pod.new_token().await;
    Pod { token, ..pod }.page(4, "purchaseOrders", &[]).await;
}

#[test]
fn edits_read_from_json() {
    let text = r#"{"edit":"line_amount","order":5,"line":1,"amount":"1.50"}"#;
    let edit: Edit = serde_json::from_str(text).unwrap();
    assert_eq!(edit, Edit::LineAmount { order: 5, line: 1, amount: "1.50".to_owned(), touch: true });
    assert_eq!(serde_json::from_str::<Edit>(r#"{"edit":"revoke_tokens"}"#).unwrap(), Edit::RevokeTokens);
    serde_json::from_str::<Edit>(r#"{"edit":"line_amount","order":5,"line":1,"amount":"1","x":1}"#)
        .unwrap_err();
}
