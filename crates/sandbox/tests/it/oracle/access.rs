//! Privileges and data access.

use sandbox::oracle::settings::{Access, TotalResults};
use serde_json::json;

use crate::pod::{Pod, orders};

#[tokio::test]
async fn a_missing_privilege_is_403_for_that_resource_only() {
    let pod = Pod::start(orders(2)).await;
    let none = Access { privilege: false, data: true };
    pod.sandbox.oracle().change_settings(|settings| {
        settings.access.insert("invoices".to_owned(), none);
    });
    pod.refused(403, 4, "invoices", &[]).await;
    pod.page(4, "purchaseOrders", &[]).await;
}

#[tokio::test]
async fn missing_data_access_is_200_and_empty() {
    let pod = Pod::start(orders(2)).await;
    let page = pod.page(4, "purchaseOrders", &[]).await;
    let href = page["items"][0]["links"][0]["href"].as_str().unwrap().to_owned();
    pod.sandbox.oracle().change_settings(|settings| {
        settings.access.insert("purchaseOrders".to_owned(), Access { privilege: true, data: false });
    });
    let page = pod.page(4, "purchaseOrders", &[("totalResults", "true")]).await;
    assert_eq!(
        (&page["items"], &page["hasMore"], &page["totalResults"]),
        (&json!([]), &json!(false), &json!(0))
    );
    pod.refused(400, 4, "purchaseOrders", &[("q", "Nope=1")]).await;
    assert_eq!(pod.send(pod.http.get(href).bearer_auth(&pod.token)).await.status, 404);
}

#[tokio::test]
async fn total_results_may_be_wrong_or_fail() {
    let pod = Pod::start(orders(30)).await;
    let query = [("totalResults", "true")];
    assert_eq!(pod.page(4, "purchaseOrders", &query).await["totalResults"], 30);
    assert!(pod.page(4, "purchaseOrders", &[]).await.get("totalResults").is_none());
    pod.sandbox.oracle().change_settings(|settings| settings.total_results = TotalResults::Wrong);
    assert_ne!(pod.page(4, "purchaseOrders", &query).await["totalResults"], 30);
    pod.sandbox.oracle().change_settings(|settings| settings.total_results = TotalResults::Fails);
    pod.refused(500, 4, "purchaseOrders", &query).await;
}
