//! Edits, settings and state of the ledger over the control interface.

use sandbox::oracle::edits::Edit;
use serde_json::{Value, json};

use super::{Books, CHARGE};

async fn ask(books: &Books, method: &str, path: &str, body: Value) -> (u16, Value) {
    let url = format!("{}{path}", books.pod.sandbox.control_url());
    let request = books.pod.http.request(method.parse().unwrap(), url).body(body.to_string());
    let answer = books.pod.send(request).await;
    (answer.status.as_u16(), serde_json::from_str(&answer.text).unwrap_or(Value::Null))
}

#[tokio::test]
async fn the_ledger_and_its_facts_are_shown() {
    let books = Books::open().await;
    books.import(7, &books.pair("10.50")).await;
    let (status, ledger) = ask(&books, "GET", "/oracle/ledger", json!(null)).await;
    assert_eq!((status, &ledger), (200, &books.ledger()));
    assert_eq!(ledger["batches"][0]["accounted_dr"], "10.50");
    assert_eq!(ledger["requests"][0]["jobs"].as_array().unwrap().len(), 5);
    let (_, facts) = ask(&books, "GET", "/oracle/ledger/facts", json!(null)).await;
    assert_eq!(facts["primary"], serde_json::to_value(&books.facts).unwrap());
    assert_eq!(facts["second"]["currency"], "EUR");
}

#[tokio::test]
async fn every_edit_of_the_ledger_can_be_made_from_outside() {
    let books = Books::open().await;
    books.import(7, &books.pair("10")).await;
    books.import(7, &books.pair("10")).await;
    books.import(8, &[books.debit("1")]).await;
    let batches: Vec<i64> = books.batches().iter().map(|batch| batch["id"].as_i64().unwrap()).collect();
    let edits = json!([
        {"edit": "post_batch", "batch": batches[0]},
        {"edit": "delete_batch", "batch": batches[1]},
        {"edit": "purge_interface", "group": 8},
        {"edit": "period_status", "period": "Jul-26", "status": "C"},
        {"edit": "period_status", "period": "Jul-26", "status": "O", "application": 200},
        {"edit": "create_account", "account": "150.10.60540.110.000.000"},
        {"edit": "change_account", "account": CHARGE, "enabled": false},
        {"edit": "end_account", "account": CHARGE, "last_day": "2026-01-31"},
        {"edit": "suspense", "allowed": true},
        {"edit": "remove_source", "source": "Manual"},
    ]);
    let (status, concerned) = ask(&books, "POST", "/oracle/edits", edits).await;
    assert_eq!((status, concerned.as_array().unwrap().len()), (200, 10), "{concerned}");
    let left = books.batches();
    assert_eq!((left.len(), &left[0]["status"], &left[0]["posted"]), (1, &json!("P"), &json!("2026-07-15")));
    assert!(books.left().is_empty());
    books.import(9, &books.pair("1")).await;
    assert_eq!(books.left(), ["EP01,EF03", "EP01"]);
    for refused in [
        json!({"edit": "post_batch", "batch": batches[0]}),
        json!({"edit": "delete_batch", "batch": batches[0]}),
        json!({"edit": "delete_batch", "batch": batches[1]}),
        json!({"edit": "period_status", "period": "Jul-1926", "status": "C"}),
        json!({"edit": "period_status", "period": "Jul-26", "status": "C", "application": 1}),
        json!({"edit": "remove_source", "source": "Nothing"}),
        json!({"edit": "suspense", "allowed": true, "ledger": 1}),
        json!({"edit": "post_batch"}),
    ] {
        let (status, error) = ask(&books, "POST", "/oracle/edits", refused.clone()).await;
        assert_eq!((status, error["error"].is_string()), (400, true), "{refused}");
    }
}

#[tokio::test]
async fn switches_of_a_group_change_one_by_one() {
    let books = Books::open().await;
    let change = json!({"erp": {"rejected_status": "warning", "phases": {"load_ms": 5}}, "ledger": {"flags": "booleans"}});
    let (status, settings) = ask(&books, "PATCH", "/oracle/settings", change).await;
    assert_eq!(status, 200, "{settings}");
    assert_eq!(settings["erp"]["phases"], json!({"wait_ms": 0, "run_ms": 0, "load_ms": 5, "import_ms": 0}));
    assert_eq!(
        (&settings["erp"]["job_privilege"], &settings["ledger"]["balance"]),
        (&json!(true), &json!("per_segment"))
    );
    assert_eq!(books.pod.page(4, "chartOfAccountsLOV", &[]).await["items"][0]["EnabledFlag"], true);
    let (status, _) =
        ask(&books, "PATCH", "/oracle/settings", json!({"erp": {"outcome": "explosion"}})).await;
    assert_eq!(status, 400);
    let (_, settings) =
        ask(&books, "PATCH", "/oracle/settings", json!({"erp": {"outcome": "import_missing"}})).await;
    assert_eq!(settings["erp"]["outcome"], "import_missing");
    let (_, settings) = ask(&books, "PATCH", "/oracle/settings", json!({"erp": {"outcome": null}})).await;
    assert_eq!(settings["erp"]["outcome"], Value::Null);
}

#[tokio::test]
async fn clearing_the_records_starts_the_ledger_anew() {
    let books = Books::open().await;
    let fresh = books.ledger();
    books.import(7, &books.pair("10")).await;
    books.apply(Edit::Suspense { allowed: true, ledger: None });
    assert_eq!(ask(&books, "DELETE", "/oracle/records", json!(null)).await.0, 204);
    assert_eq!(books.ledger(), fresh);
    books.apply(Edit::CreateAccount { account: CHARGE.to_owned() });
    let id = books.import(7, &[books.debit("10")]).await;
    assert_eq!((id, books.left()), (603_547, vec!["EU02".to_owned()]));
}
