//! The control interface over HTTP.

use sandbox::{Sandbox, SandboxConfig};
use serde_json::{Value, json};

struct Remote {
    sandbox: Sandbox,
    http: reqwest::Client,
}

impl Remote {
    async fn start() -> Self {
        let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
        Self { sandbox, http: reqwest::Client::new() }
    }

    async fn ask(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let method: reqwest::Method = method.parse().unwrap();
        let url = format!("{}{path}", self.sandbox.control_url());
        let response = self.http.request(method, url).body(body.to_string()).send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }
}

#[tokio::test]
async fn the_clock_is_frozen_and_advanced() {
    let remote = Remote::start().await;
    let (status, now) = remote.ask("POST", "/clock/freeze", json!({"at": "2026-01-01T00:00:00Z"})).await;
    assert_eq!((status, &now["now"]), (200, &json!("2026-01-01T00:00:00Z")));
    let (_, now) = remote.ask("POST", "/clock/advance", json!({"seconds": 90})).await;
    assert_eq!(now["now"], "2026-01-01T00:01:30Z");
    assert_eq!(remote.sandbox.clock().now().to_string(), "2026-01-01T00:01:30Z");
    assert_eq!(remote.ask("GET", "/clock", json!(null)).await.1, now);
}

#[tokio::test]
async fn records_are_generated_edited_and_shown() {
    let remote = Remote::start().await;
    let (_, counts) =
        remote.ask("POST", "/oracle/generate", json!({"orders": 3, "invoices": 2, "seed": 5})).await;
    assert_eq!(counts, json!({"purchaseOrders": 3, "invoices": 2}));
    let id = remote.sandbox.oracle().order_ids()[0];
    let edits = json!([
        {"edit": "order_status", "order": id, "code": "CLOSED"},
        {"edit": "create_order", "number": "X", "lines": [{"amount": "1.00"}]},
    ]);
    let (status, concerned) = remote.ask("POST", "/oracle/edits", edits).await;
    assert_eq!((status, concerned.as_array().unwrap().len()), (200, 2));
    let (_, state) = remote.ask("GET", "/oracle/state", json!(null)).await;
    assert_eq!(state["purchaseOrders"][0]["StatusCode"], "CLOSED");
    assert_eq!(state["purchaseOrders"][3]["OrderNumber"], "X");
    let (status, refused) = remote
        .ask("POST", "/oracle/edits", json!({"edit": "order_status", "order": 1, "code": "OPEN"}))
        .await;
    assert_eq!((status, refused["error"].is_string()), (400, true));
    assert_eq!(remote.ask("DELETE", "/oracle/records", json!(null)).await.0, 204);
    assert_eq!(remote.sandbox.oracle().counts(), (0, 0));
    let (status, refused) = remote.ask("POST", "/oracle/load", json!({"directory": "/nowhere"})).await;
    assert!(status == 400 && refused["error"].as_str().unwrap().contains("/nowhere"));
}

#[tokio::test]
async fn settings_change_one_by_one() {
    let remote = Remote::start().await;
    let change = json!({"max_limit": 100, "filter_granularity": "seconds", "links": {"host": "x.example"}});
    let (status, settings) = remote.ask("PATCH", "/oracle/settings", change).await;
    assert_eq!(
        (status, &settings["max_limit"], &settings["token_lifetime_seconds"]),
        (200, &json!(100), &json!(3600))
    );
    assert_eq!(remote.sandbox.oracle().settings().max_limit, 100);
    assert_eq!(remote.ask("PATCH", "/oracle/settings", json!({"max_limits": 1})).await.0, 400);
    assert_eq!(remote.ask("GET", "/oracle/settings", json!(null)).await.1, settings);
}

#[tokio::test]
async fn faults_and_calls_are_shown_and_cleared() {
    let remote = Remote::start().await;
    let rule = json!({"side": "oracle", "count": 1, "fault": {"kind": "status", "status": 500}});
    let (_, added) = remote.ask("POST", "/faults", rule).await;
    let url = format!("{}/fscmRestApi/resources/latest/invoices", remote.sandbox.oracle_url());
    assert_eq!(remote.http.get(&url).send().await.unwrap().status(), 500);
    let (_, list) = remote.ask("GET", "/faults", json!(null)).await;
    assert_eq!((&list[0]["id"], &list[0]["fired"]), (&added["id"], &json!(1)));
    let (_, calls) = remote.ask("GET", "/calls", json!(null)).await;
    assert_eq!(
        calls,
        json!([{"side": "oracle", "method": "GET", "route": "/fscmRestApi/resources/latest/invoices", "status": 500, "count": 1}])
    );
    assert_eq!(remote.ask("DELETE", &format!("/faults/{}", added["id"]), json!(null)).await.0, 204);
    assert_eq!(remote.ask("DELETE", "/faults/99", json!(null)).await.0, 404);
    assert_eq!(remote.ask("DELETE", "/calls", json!(null)).await.0, 204);
    assert_eq!(remote.sandbox.calls().total(), 0);
    assert_eq!(remote.ask("POST", "/faults", json!({"fault": {"kind": "earthquake"}})).await.0, 400);
}

#[tokio::test]
async fn asana_is_shown_too() {
    let remote = Remote::start().await;
    let (status, state) = remote.ask("GET", "/asana/state", json!(null)).await;
    assert!(status == 200 && state["tasks"].is_object(), "{state}");
    assert_eq!(remote.ask("POST", "/asana/edits", json!({"edit": "no such edit"})).await.0, 400);
    let (_, index) = remote.ask("GET", "/", json!(null)).await;
    assert_eq!(index["asana"], remote.sandbox.asana_url());
}

#[tokio::test]
async fn a_shut_down_sandbox_answers_no_more() {
    let remote = Remote::start().await;
    let url = remote.sandbox.oracle_url();
    assert!(remote.http.get(&url).send().await.is_ok());
    remote.sandbox.shutdown().await;
    assert!(remote.http.get(&url).send().await.is_err());
}
