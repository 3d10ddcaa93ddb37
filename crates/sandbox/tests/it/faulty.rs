//! Faults, counts and recording, on both sides.

use std::time::{Duration, Instant};

use sandbox::{Fault, FaultRule, Side};

use crate::pod::{Pod, ROOT, orders};

fn path() -> String {
    format!("{ROOT}/purchaseOrders")
}

async fn broken(pod: &Pod) -> reqwest::Error {
    match pod.request(4, &path(), &[]).send().await {
        Err(error) => error,
        Ok(response) => response.bytes().await.unwrap_err(),
    }
}

#[tokio::test]
async fn a_status_fault_carries_retry_after_and_a_body() {
    let pod = Pod::start(orders(1)).await;
    let status = |status, retry_after: Option<&str>, html| Fault::Status {
        status,
        retry_after: retry_after.map(str::to_owned),
        body: None,
        html,
    };
    let first =
        pod.sandbox.faults().add(FaultRule::new(status(429, Some("7"), false)).on(Side::Oracle).times(1));
    pod.sandbox
        .faults()
        .add(FaultRule::new(status(503, None, true)).path("purchaseOrders").after(1).times(1));
    let response = pod.request(4, &path(), &[]).send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.headers()["retry-after"].to_str().unwrap()), (429, "7"));
    assert_eq!(pod.get(4, &path(), &[]).await.status, 200);
    let answer = pod.get(4, &path(), &[]).await;
    assert_eq!((answer.status.as_u16(), answer.content_type.as_str()), (503, "text/html; charset=UTF-8"));
    assert_eq!(pod.sandbox.faults().fired(first), 1);
    assert_eq!(pod.sandbox.faults().list().len(), 2);
    pod.sandbox.faults().clear();
    assert_eq!(pod.get(4, &path(), &[]).await.status, 200);
}

#[tokio::test]
async fn connections_drop_before_and_after_the_request_is_applied() {
    let pod = Pod::start(orders(1)).await;
    for fault in
        [Fault::DropBefore, Fault::DropAfter, Fault::TimeoutBefore { ms: 20 }, Fault::TimeoutAfter { ms: 20 }]
    {
        pod.sandbox.faults().clear();
        let id = pod.sandbox.faults().add(FaultRule::new(fault));
        assert!(broken(&pod).await.is_request());
        assert_eq!(pod.sandbox.faults().fired(id), 1);
    }
    assert_eq!(pod.sandbox.calls().count(|call| call.side == Side::Oracle && call.status.is_none()), 4);
}

#[tokio::test]
async fn a_held_request_makes_the_client_time_out() {
    let pod = Pod::start(orders(1)).await;
    pod.sandbox.faults().add(FaultRule::new(Fault::TimeoutAfter { ms: 60_000 }));
    let request = pod.request(4, &path(), &[]).timeout(Duration::from_millis(150));
    assert!(request.send().await.unwrap_err().is_timeout());
}

#[tokio::test]
async fn bodies_are_truncated_malformed_or_a_page() {
    let pod = Pod::start(orders(5)).await;
    pod.sandbox.faults().add(FaultRule::new(Fault::TruncatedBody).times(1));
    let response = pod.request(4, &path(), &[]).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.bytes().await.is_err());
    pod.sandbox.faults().add(FaultRule::new(Fault::MalformedJson).times(1));
    let answer = pod.get(4, &path(), &[]).await;
    assert_eq!(answer.status, 200);
    assert!(serde_json::from_str::<serde_json::Value>(&answer.text).is_err());
    pod.sandbox.faults().add(FaultRule::new(Fault::HtmlPage).times(1));
    let answer = pod.get(4, &path(), &[]).await;
    assert_eq!((answer.status.as_u16(), answer.content_type.as_str()), (200, "text/html; charset=UTF-8"));
}

#[tokio::test]
async fn a_repeated_page_is_the_one_served_before() {
    let pod = Pod::start(orders(40)).await;
    let page = async |offset: &str| {
        let query = [("limit", "20"), ("offset", offset)];
        pod.page(4, "purchaseOrders", &query).await
    };
    let first = page("0").await;
    pod.sandbox.faults().add(FaultRule::new(Fault::RepeatPage).times(1));
    assert_eq!(page("20").await, first);
    assert_ne!(page("20").await, first);
}

#[tokio::test]
async fn a_delay_passes_and_then_other_rules_apply() {
    let pod = Pod::start(orders(1)).await;
    pod.sandbox.faults().add(FaultRule::new(Fault::Delay { ms: 60 }));
    pod.sandbox.faults().add(FaultRule::new(Fault::DropBefore).times(1));
    let start = Instant::now();
    broken(&pod).await;
    assert!(start.elapsed() >= Duration::from_millis(60));
    pod.page(4, "purchaseOrders", &[]).await;
}

#[tokio::test]
async fn faults_can_strike_the_token_endpoint_and_asana_alone() {
    let pod = Pod::start(orders(1)).await;
    pod.sandbox.faults().add(FaultRule::new(Fault::DropBefore).on(Side::Token).method("post"));
    pod.sandbox.faults().add(FaultRule::new(Fault::DropBefore).on(Side::Asana).path("/users/me"));
    pod.page(4, "purchaseOrders", &[]).await;
    let token = pod.http.post(pod.sandbox.token_url()).send().await;
    assert!(token.unwrap_err().is_request());
    let me = format!("{}/users/me", pod.sandbox.asana_url());
    assert!(pod.http.get(me).send().await.unwrap_err().is_request());
    let projects = format!("{}/projects", pod.sandbox.asana_url());
    assert_eq!(pod.send(pod.http.get(projects)).await.status, 401);
}

#[tokio::test]
async fn calls_are_counted_by_kind_and_kept_in_full_on_demand() {
    let pod = Pod::start(orders(30)).await;
    let calls = pod.sandbox.calls();
    assert_eq!(calls.total_of(Side::Token), 1);
    calls.reset();
    calls.record_exchanges(2);
    let page = pod.page(4, "purchaseOrders", &[("links", "self")]).await;
    for item in page["items"].as_array().unwrap() {
        let href = item["links"][0]["href"].as_str().unwrap();
        assert_eq!(pod.send(pod.http.get(href).bearer_auth(&pod.token)).await.status, 200);
    }
    let items = calls.count(|call| call.route == format!("{}/{{id}}", path()) && call.status == Some(200));
    assert_eq!((items, calls.total()), (25, 26));
    let kept = calls.exchanges();
    assert_eq!(kept.len(), 2);
    assert!(kept[1].response_body.contains("POHeaderId"));
    let authorization = kept[1].request_headers.iter().find(|(name, _)| name == "authorization").unwrap();
    assert!(!authorization.1.contains(&pod.token));
}
