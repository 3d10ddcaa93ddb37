//! `q`, `orderBy` and `finder` over HTTP.

use sandbox::oracle::edits::{Edit, NewLine, NewOrder};
use sandbox::oracle::settings::Granularity;
use serde_json::json;

use crate::pod::{Pod, column, orders};

fn order(number: &str, status: &str, amount: &str, at: &str) -> Edit {
    Edit::CreateOrder(NewOrder {
        number: Some(number.to_owned()),
        status_code: Some(status.to_owned()),
        lines: vec![NewLine { amount: amount.to_owned(), ..NewLine::default() }],
        last_update: Some(at.parse().unwrap()),
        ..NewOrder::default()
    })
}

async fn small_pod() -> Pod {
    let pod = Pod::start(orders(0)).await;
    for edit in [
        order("A-1", "OPEN", "10.5", "2026-01-01T10:00:00.250Z"),
        order("A-2", "PENDING_APPROVAL", "-3", "2026-01-01T10:00:00.750Z"),
        order("B'1", "CLOSED", "12345678901234567890.12", "2026-01-02T10:00:00Z"),
    ] {
        pod.sandbox.oracle().apply(edit).unwrap();
    }
    pod
}

async fn numbers(pod: &Pod, version: u8, q: &str) -> Vec<String> {
    let page = pod.page(version, "purchaseOrders", &[("q", q), ("orderBy", "OrderNumber")]).await;
    column(&page, "OrderNumber").iter().map(|number| number.as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn row_match_is_spoken_from_version_2() {
    let pod = small_pod().await;
    for version in [2, 4, 9] {
        assert_eq!(numbers(&pod, version, "OrderNumber like 'A*' and Total > 0").await, ["A-1"]);
        assert_eq!(
            numbers(&pod, version, "OrderNumber = 'B''1' or StatusCode in ('OPEN')").await,
            ["A-1", "B'1"]
        );
        assert_eq!(numbers(&pod, version, "Total >= 12345678901234567890.12").await, ["B'1"]);
        assert_eq!(numbers(&pod, version, "lines.LineNumber = 2 and not OrderNumber is null").await.len(), 0);
        pod.refused(400, version, "purchaseOrders", &[("q", "OrderNumber='A-1';Total=1")]).await;
    }
}

#[tokio::test]
async fn version_1_is_the_default_and_finds_nothing_with_the_later_language() {
    let pod = small_pod().await;
    assert_eq!(numbers(&pod, 1, "OrderNumber=A*;StatusCode=OPEN").await, ["A-1"]);
    assert_eq!(
        numbers(&pod, 1, "LastUpdateDate>=2026-01-01T00:00:00Z and <2026-01-02T00:00:00Z").await.len(),
        2
    );
    assert_eq!(numbers(&pod, 1, "StatusCode = 'OPEN' and OrderNumber = 'A-1'").await, Vec::<String>::new());
    let url = format!("{}/fscmRestApi/resources/latest/purchaseOrders", pod.sandbox.oracle_url());
    let request = pod.http.get(url).query(&[("q", "OrderNumber=A-1")]).bearer_auth(&pod.token);
    assert_eq!(pod.send(request).await.json()["count"], 1, "no header, no quotes");
}

#[tokio::test]
async fn both_filter_granularities_read_the_same_set_with_an_inclusive_bound() {
    let pod = small_pod().await;
    let at_millis = "LastUpdateDate >= '2026-01-01T10:00:00.500Z'";
    assert_eq!(numbers(&pod, 4, at_millis).await, ["A-2", "B'1"]);
    pod.sandbox.oracle().change_settings(|settings| settings.filter_granularity = Granularity::Seconds);
    assert_eq!(numbers(&pod, 4, at_millis).await, ["A-1", "A-2", "B'1"]);
    assert_eq!(numbers(&pod, 4, "LastUpdateDate > '2026-01-01T10:00:00Z'").await, ["B'1"]);
}

#[tokio::test]
async fn a_filter_on_an_unknown_or_unqueryable_attribute_is_refused() {
    let pod = small_pod().await;
    for version in [1, 4] {
        let unknown = pod.refused(400, version, "purchaseOrders", &[("q", "TotalAmount=1")]).await;
        assert!(!unknown.text.contains("TotalAmount"), "{}", unknown.text);
        pod.refused(400, version, "purchaseOrders", &[("q", "RequesterId=1")]).await;
        pod.refused(400, version, "invoices", &[("q", "LegalName=1")]).await;
    }
}

#[tokio::test]
async fn last_update_date_can_be_made_unqueryable_and_describe_says_so() {
    let pod = small_pod().await;
    let filter = [("q", "LastUpdateDate >= '2026-01-01T00:00:00Z'")];
    assert_eq!(pod.page(4, "purchaseOrders", &filter).await["count"], 3);
    pod.sandbox.oracle().change_settings(|settings| settings.last_update_queryable = false);
    for resource in ["purchaseOrders", "invoices"] {
        pod.refused(400, 4, resource, &filter).await;
        let described = pod.page(4, &format!("{resource}/describe"), &[]).await;
        let attributes = described["Resources"][resource]["attributes"].as_array().unwrap().clone();
        let date = attributes.iter().find(|attribute| attribute["name"] == "LastUpdateDate").unwrap();
        assert_eq!(date["queryable"], false);
    }
    let by_id = [("orderBy", "POHeaderId:asc")];
    assert_eq!(pod.page(4, "purchaseOrders", &by_id).await["count"], 3);
    pod.sandbox.oracle().change_settings(|settings| settings.last_update_sortable = false);
    pod.refused(400, 4, "purchaseOrders", &[("orderBy", "LastUpdateDate:asc")]).await;
}

#[tokio::test]
async fn order_by_sorts_by_value_and_refuses_unknown_names() {
    let pod = small_pod().await;
    let totals = |page| column(&page, "OrderNumber");
    let page = pod.page(4, "purchaseOrders", &[("orderBy", "Total:desc")]).await;
    assert_eq!(totals(page), ["B'1", "A-1", "A-2"]);
    let page = pod.page(4, "purchaseOrders", &[("orderBy", "LastUpdateDate:asc,POHeaderId:asc")]).await;
    assert_eq!(totals(page), ["A-1", "A-2", "B'1"]);
    for bad in ["lastUpdateDate", "Amount:asc", "Total:up"] {
        pod.refused(400, 4, "purchaseOrders", &[("orderBy", bad)]).await;
    }
}

#[tokio::test]
async fn without_order_by_the_order_is_repeatable_but_not_by_id() {
    let pod = Pod::start(orders(60)).await;
    let query = [("limit", "60")];
    let first = column(&pod.page(4, "purchaseOrders", &query).await, "POHeaderId");
    assert_eq!(first, column(&pod.page(4, "purchaseOrders", &query).await, "POHeaderId"));
    assert!(!first.is_sorted_by_key(|id| id.as_i64()));
    assert_eq!(first.len(), 60);
}

#[tokio::test]
async fn finders_find_by_key_and_by_intent() {
    let pod = small_pod().await;
    let id = pod.sandbox.oracle().orders_numbered("A-2")[0];
    let page = pod.page(4, "purchaseOrders", &[("finder", &format!("PrimaryKey;POHeaderId={id}"))]).await;
    assert_eq!(column(&page, "OrderNumber"), ["A-2"]);
    for (intent, count) in [("POUser", 3), ("APUser", 2), ("LOBUser", 2)] {
        let page =
            pod.page(4, "purchaseOrders", &[("finder", &format!("findByIntent;Intent={intent}"))]).await;
        assert_eq!(page["count"], count, "{intent}");
    }
    for bad in ["PrimaryKey", "PrimaryKey;InvoiceId=1", "ByName;Name=x", "findByIntent;Intent=Me"] {
        pod.refused(400, 4, "purchaseOrders", &[("finder", bad)]).await;
    }
    pod.sandbox.oracle().change_settings(|settings| {
        settings.intents.po_user.granted = false;
        settings.intents.lob_user.business_units = Some(vec!["None of these".to_owned()]);
    });
    assert_eq!(pod.page(4, "purchaseOrders", &[]).await["count"], 2, "the union of what the roles allow");
    let hidden = pod.page(4, "purchaseOrders", &[("q", &format!("POHeaderId={id}"))]).await;
    assert_eq!(hidden["items"], json!([]));
}

#[tokio::test]
async fn offset_pages_without_a_unique_order_can_lose_a_record_that_changes() {
    let pod = Pod::start(orders(40)).await;
    let before = column(&pod.page(4, "purchaseOrders", &[("limit", "40")]).await, "POHeaderId");
    let ids: Vec<i64> = before.iter().take(20).map(|id| id.as_i64().unwrap()).collect();
    let touch = Edit::Touch { resource: "purchaseOrders".to_owned(), ids, at: None };
    pod.sandbox.oracle().apply(touch).unwrap();
    let after = column(&pod.page(4, "purchaseOrders", &[("limit", "40")]).await, "POHeaderId");
    assert_ne!(before, after);
}
