//! What answers look like, by framework version and parameters.

use sandbox::GenerateOptions;
use sandbox::oracle::edits::{Edit, NewLine, NewOrder};
use sandbox::oracle::settings::{InstantStyle, LinkStyle};
use serde_json::Value;

use crate::pod::{Pod, ROOT, column, orders};

const DEEP: (&str, &str) = ("expand", "lines.schedules.distributions");

async fn three_line_pod() -> (Pod, i64) {
    let pod = Pod::start(orders(0)).await;
    let line = |amount: &str| NewLine { amount: amount.to_owned(), ..NewLine::default() };
    let new = NewOrder { lines: vec![line("1.10"), line("2"), line("-0.1")], ..NewOrder::default() };
    let id = pod.sandbox.oracle().apply(Edit::CreateOrder(new)).unwrap()[0];
    (pod, id)
}

fn names(item: &Value) -> Vec<&str> {
    item.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn expanded_children_are_arrays_before_version_3_and_objects_from_it() {
    let (pod, _) = three_line_pod().await;
    let page = pod.page(2, "purchaseOrders", &[DEEP]).await;
    let lines = page["items"][0]["lines"].as_array().unwrap();
    assert_eq!(lines[0]["schedules"][0]["distributions"][0]["POChargeAccount"], "101.10.60540.000.000.000");
    let page = pod.page(3, "purchaseOrders", &[DEEP]).await;
    let lines = &page["items"][0]["lines"];
    assert_eq!((&lines["count"], &lines["hasMore"], &lines["offset"]), (&3.into(), &false.into(), &0.into()));
    let schedules = &lines["items"][0]["schedules"]["items"][0];
    assert_eq!(schedules["distributions"]["items"][0]["DistributionNumber"], 1);
    assert!(pod.page(4, "purchaseOrders", &[]).await["items"][0].get("lines").is_none());
}

#[tokio::test]
async fn a_child_limit_says_that_more_children_exist_and_their_collection_has_them() {
    let (pod, _) = three_line_pod().await;
    pod.sandbox.oracle().change_settings(|settings| settings.child_limit = Some(2));
    let page = pod.page(4, "purchaseOrders", &[("expand", "lines")]).await;
    let item = &page["items"][0];
    assert_eq!((&item["lines"]["count"], &item["lines"]["hasMore"]), (&2.into(), &true.into()));
    let href = item["links"].as_array().unwrap().iter().find(|link| link["name"] == "lines").unwrap();
    let path = href["href"].as_str().unwrap().split_once(ROOT).unwrap().1.trim_start_matches('/').to_owned();
    let rest = pod.page(4, &path, &[("offset", "2"), ("orderBy", "LineNumber")]).await;
    assert_eq!((column(&rest, "LineNumber"), &rest["hasMore"]), (vec![3.into()], &false.into()));
}

#[tokio::test]
async fn items_are_addressed_by_an_opaque_key_and_never_by_the_id() {
    let (pod, id) = three_line_pod().await;
    pod.refused(404, 4, &format!("purchaseOrders/{id}"), &[]).await;
    let page = pod.page(4, "purchaseOrders", &[("links", "self")]).await;
    let links = page["items"][0]["links"].as_array().unwrap();
    assert_eq!(links.len(), 1);
    let href = links[0]["href"].as_str().unwrap();
    assert!(!href.contains(&id.to_string()), "{href}");
    let item =
        pod.send(pod.http.get(href).bearer_auth(&pod.token).header("REST-Framework-Version", "4")).await;
    assert_eq!(item.content_type, "application/vnd.oracle.adf.resourceitem+json");
    assert_eq!(item.json()["POHeaderId"], id);
    let key = href.rsplit('/').next().unwrap();
    let line = pod.page(4, &format!("purchaseOrders/{key}/child/lines"), &[("q", "LineNumber = 2")]).await;
    let line_id = column(&line, "POLineId")[0].as_i64().unwrap();
    let schedules = format!("purchaseOrders/{key}/child/lines/{line_id}/child/schedules");
    let schedule = pod.page(4, &schedules, &[("onlyData", "true")]).await;
    assert_eq!(names(&schedule["items"][0])[0], "DestinationType");
    pod.refused(404, 4, &format!("purchaseOrders/{key}/child/lines/1"), &[]).await;
    pod.refused(404, 4, &format!("purchaseOrders/{key}/child/invoices"), &[]).await;
}

#[tokio::test]
async fn fields_choose_attributes_and_win_over_expand() {
    let (pod, _) = three_line_pod().await;
    let query = [("fields", "OrderNumber,Total;lines:LineNumber,Ordered"), DEEP, ("onlyData", "true")];
    let page = pod.page(4, "purchaseOrders", &query).await;
    let item = &page["items"][0];
    assert_eq!(names(item), ["OrderNumber", "Total", "lines"]);
    assert_eq!(names(&item["lines"]["items"][0]), ["LineNumber", "Ordered"]);
    let page = pod.page(4, "purchaseOrders", &[("fields", "OrderNumber")]).await;
    assert_eq!(names(&page["items"][0]), ["OrderNumber", "links"]);
    pod.refused(400, 4, "purchaseOrders", &[("fields", "TotalAmount")]).await;
    pod.refused(400, 4, "purchaseOrders", &[("fields", "lines.distributions:Quantity")]).await;
    pod.refused(400, 4, "purchaseOrders", &[("expand", "invoices")]).await;
}

#[tokio::test]
async fn ids_are_numbers_until_version_9_makes_them_strings() {
    let (pod, id) = three_line_pod().await;
    let page = pod.page(8, "purchaseOrders", &[DEEP]).await;
    assert_eq!(page["items"][0]["POHeaderId"], id);
    let page = pod.page(9, "purchaseOrders", &[DEEP]).await;
    let item = &page["items"][0];
    assert_eq!(item["POHeaderId"], id.to_string());
    assert_eq!(item["lines"]["items"][0]["LineNumber"], 1);
    assert!(item["lines"]["items"][0]["POLineId"].is_string());
    assert!(item["@context"]["links"].is_array() && item.get("links").is_none());
    let page = pod.page(9, "purchaseOrders", &[("onlyData", "true")]).await;
    assert!(page["items"][0].get("@context").is_none());
}

#[tokio::test]
async fn only_data_leaves_links_out_of_items() {
    let (pod, _) = three_line_pod().await;
    let text = pod.page(4, "purchaseOrders", &[DEEP, ("onlyData", "true")]).await["items"].to_string();
    assert!(!text.contains("links"), "{text}");
}

#[tokio::test]
async fn links_may_name_a_port_or_host_that_nobody_asked_for() {
    let (pod, _) = three_line_pod().await;
    for (style, start) in [
        (LinkStyle::Port443, "http://127.0.0.1:443/fscmRestApi"),
        (LinkStyle::Host("pod.example.com".to_owned()), "http://pod.example.com/fscmRestApi"),
    ] {
        pod.sandbox.oracle().change_settings(|settings| settings.links = style);
        let page = pod.page(4, "purchaseOrders", &[]).await;
        assert!(page["items"][0]["links"][0]["href"].as_str().unwrap().starts_with(start));
    }
}

#[tokio::test]
async fn date_times_are_written_as_set() {
    let pod = Pod::start(GenerateOptions {
        start: "2026-01-01T00:00:00.070Z".parse().unwrap(),
        same_timestamp: true,
        ..orders(1)
    })
    .await;
    for (style, text) in [
        (InstantStyle::Seconds, "2026-01-01T00:00:00+00:00"),
        (InstantStyle::Millis, "2026-01-01T00:00:00.070+00:00"),
        (InstantStyle::Mixed, "2026-01-01T00:00:00.070+00:00"),
    ] {
        pod.sandbox.oracle().change_settings(|settings| settings.instants = style);
        let page = pod.page(4, "purchaseOrders", &[]).await;
        assert_eq!(page["items"][0]["LastUpdateDate"], text);
    }
}

#[tokio::test]
async fn amounts_keep_every_digit() {
    let pod = Pod::start(orders(0)).await;
    for amount in ["12345678901234567890.12", "0.10", "-5400.00", "1e3"] {
        let line = NewLine { amount: amount.to_owned(), ..NewLine::default() };
        let new = NewOrder { lines: vec![line], ..NewOrder::default() };
        let edit = Edit::CreateOrder(new);
        if amount == "1e3" {
            pod.sandbox.oracle().apply(edit).unwrap_err();
            continue;
        }
        let id = pod.sandbox.oracle().apply(edit).unwrap()[0];
        let query = [("q", format!("POHeaderId={id}")), ("expand", "lines".to_owned())];
        let query: Vec<(&str, &str)> = query.iter().map(|(key, value)| (*key, value.as_str())).collect();
        let text = pod.get(4, &format!("{ROOT}/purchaseOrders"), &query).await.text;
        assert!(text.contains(&format!("\"Ordered\":{amount},\"TotalTax\":0,\"Total\":{amount},")), "{text}");
        assert!(text.contains(&format!("\"Ordered\":{amount},\"Total\":{amount},")), "{text}");
    }
}

#[tokio::test]
async fn invoices_name_orders_on_their_lines_and_use_iso_currencies() {
    let pod = Pod::start(orders(120)).await;
    let page = pod.page(4, "invoices", &[("limit", "120"), ("expand", "invoiceLines")]).await;
    let mut named = [0; 3];
    for invoice in page["items"].as_array().unwrap() {
        let lines = invoice["invoiceLines"]["items"].as_array().unwrap();
        named[lines.iter().filter(|line| line["PurchaseOrderNumber"].is_string()).count()] += 1;
        assert!(["USD", "EUR", "GBP", "JPY"].contains(&invoice["InvoiceCurrency"].as_str().unwrap()));
        assert!(invoice.get("InvoiceStatus").is_none() && invoice.get("SupplierId").is_none());
    }
    assert!(named.iter().all(|count| *count > 0), "{named:?}");
    let order = &pod.page(4, "purchaseOrders", &[("q", "CurrencyCode = 'USD'")]).await["items"][0];
    assert_eq!((&order["Currency"], &order["CurrencyCode"]), (&"US Dollar".into(), &"USD".into()));
}
