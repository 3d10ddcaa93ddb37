//! Errors, and what the front door answers in place of the framework.

use sandbox::oracle::settings::{Maintenance, RateLimit};
use serde_json::json;

use crate::pod::{Pod, ROOT, orders};

#[tokio::test]
async fn errors_are_structured_from_version_4_and_plain_text_before() {
    let pod = Pod::start(orders(1)).await;
    let bad = [("q", "Nothing = 1")];
    let answer = pod.refused(400, 4, "purchaseOrders", &bad).await;
    assert_eq!(answer.content_type, "application/vnd.oracle.adf.error+json");
    let body = answer.json();
    assert_eq!((&body["title"], &body["status"]), (&json!("Bad Request"), &json!("400")));
    assert!(body["o:errorDetails"][0]["detail"].is_string());
    let answer = pod.refused(400, 3, "purchaseOrders", &bad).await;
    assert_eq!(answer.content_type, "text/plain");
    let request = pod
        .request(4, &format!("{ROOT}/purchaseOrders"), &bad)
        .header("Accept", "application/vnd.oracle.adf.resourcecollection+json");
    assert_eq!(pod.send(request).await.content_type, "text/plain");
}

#[tokio::test]
async fn only_the_nine_framework_versions_exist() {
    let pod = Pod::start(orders(1)).await;
    for version in 1..=9 {
        pod.page(version, "purchaseOrders", &[]).await;
    }
    for version in [0, 10] {
        pod.refused(400, version, "purchaseOrders", &[]).await;
    }
}

#[tokio::test]
async fn nothing_but_the_known_paths_exists() {
    let pod = Pod::start(orders(1)).await;
    for path in [
        "suppliersLOV",
        "purchaseOrdersLOV",
        "purchaseorders",
        "purchaseOrders/x/child/lines",
        "payablesInvoices",
    ] {
        pod.refused(404, 4, path, &[]).await;
    }
    let other = pod.get(4, "/fscmRestApi/resources/11.13.18.04/purchaseOrders", &[]).await;
    assert_eq!(other.status, 404);
}

#[tokio::test]
async fn orders_and_invoices_cannot_be_written() {
    let pod = Pod::start(orders(1)).await;
    let before = pod.sandbox.oracle().state_json();
    for (method, word) in [("POST", "create"), ("PATCH", "update"), ("DELETE", "delete")] {
        let method: reqwest::Method = method.parse().unwrap();
        let send = |resource: &str| {
            let url = format!("{}{ROOT}/{resource}", pod.sandbox.oracle_url());
            let request = pod.http.request(method.clone(), url).bearer_auth(&pod.token);
            pod.send(request.header("REST-Framework-Version", "4").json(&json!({"OrderNumber": "1"})))
        };
        let answer = send("purchaseOrders").await;
        assert_eq!(answer.status, 400);
        assert_eq!(answer.json()["detail"], format!("Invalid operation {word} for the specified resource."));
        assert_eq!(send("invoices").await.status, 403);
    }
    assert_eq!(pod.sandbox.oracle().state_json(), before);
}

#[tokio::test]
async fn too_many_requests_are_told_to_wait_if_so_set() {
    let pod = Pod::start(orders(1)).await;
    let limit = |retry_after| Some(RateLimit { requests: 2, window_seconds: 60, retry_after });
    pod.sandbox.clock().freeze("2026-01-01T00:00:00Z".parse().unwrap());
    let pod = Pod { token: pod.new_token().await, ..pod };
    pod.sandbox.oracle().change_settings(|settings| settings.rate_limit = limit(true));
    pod.page(4, "purchaseOrders", &[]).await;
    pod.page(4, "purchaseOrders", &[]).await;
    let send = || pod.request(4, &format!("{ROOT}/purchaseOrders"), &[]).send();
    let refused = send().await.unwrap();
    assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (429, "60"));
    pod.sandbox.oracle().change_settings(|settings| settings.rate_limit = limit(false));
    assert!(!send().await.unwrap().headers().contains_key("retry-after"));
    pod.sandbox.clock().advance(jiff::SignedDuration::from_secs(61));
    assert_eq!(send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn maintenance_answers_503_with_a_page_but_tokens_are_still_given() {
    let pod = Pod::start(orders(1)).await;
    pod.sandbox
        .oracle()
        .change_settings(|settings| settings.maintenance = Some(Maintenance { retry_after: None }));
    let answer = pod.refused(503, 4, "purchaseOrders", &[]).await;
    assert!(answer.content_type.starts_with("text/html") && answer.text.contains("maintenance"));
    pod.new_token().await;
    pod.sandbox.oracle().change_settings(|settings| settings.maintenance = None);
    pod.page(4, "purchaseOrders", &[]).await;
}

#[tokio::test]
async fn the_media_type_follows_accept() {
    let pod = Pod::start(orders(1)).await;
    let path = format!("{ROOT}/purchaseOrders");
    let answer = pod.get(4, &path, &[]).await;
    assert_eq!(answer.content_type, "application/vnd.oracle.adf.resourcecollection+json");
    let request = pod.request(4, &path, &[]).header("Accept", "application/json");
    assert_eq!(pod.send(request).await.content_type, "application/json");
}
