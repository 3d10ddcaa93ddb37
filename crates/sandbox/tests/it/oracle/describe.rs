//! `describe` and the catalog of versions.

use serde_json::{Value, json};

use crate::pod::{Pod, ROOT, orders};

#[track_caller]
fn attribute<'v>(resource: &'v Value, name: &str) -> &'v Value {
    resource["attributes"].as_array().unwrap().iter().find(|attribute| attribute["name"] == name).unwrap()
}

#[tokio::test]
async fn the_context_root_names_the_framework_versions() {
    let pod = Pod::start(orders(0)).await;
    let root = pod.get(1, "/fscmRestApi/resources", &[]).await.json();
    let version = &root["items"][0];
    assert_eq!((&version["version"], &version["isLatest"]), (&json!("11.13.18.05"), &json!(true)));
    assert_eq!(version["adf:extension"]["defaultFrameworkVersion"], "1");
    assert_eq!(version["adf:extension"]["allowedFrameworkVersions"].as_array().unwrap().len(), 9);
    assert_eq!(pod.get(1, ROOT, &[]).await.json()["version"], "11.13.18.05");
    let all = pod.get(1, &format!("{ROOT}/describe"), &[]).await.json();
    assert!(all["Resources"]["purchaseOrders"].is_object() && all["Resources"]["invoices"].is_object());
}

#[tokio::test]
async fn describe_tells_types_and_what_may_be_queried() {
    let pod = Pod::start(orders(0)).await;
    let answer = pod.get(4, &format!("{ROOT}/purchaseOrders/describe"), &[]).await;
    assert_eq!(answer.content_type, "application/vnd.oracle.adf.description+json");
    let described = answer.json();
    let orders = &described["Resources"]["purchaseOrders"];
    assert_eq!(attribute(orders, "POHeaderId")["type"], "integer");
    assert_eq!(attribute(orders, "Total")["type"], "number");
    assert_eq!(attribute(orders, "LastUpdateDate")["type"], "datetime");
    assert_eq!(attribute(orders, "LastUpdateDate")["queryable"], true);
    assert_eq!(attribute(orders, "RequesterId")["queryable"], false);
    let lines = &orders["children"]["lines"];
    let distributions = &lines["children"]["schedules"]["children"]["distributions"];
    assert_eq!(attribute(distributions, "POChargeAccount")["type"], "string");
    let finders = orders["collection"]["finders"].as_array().unwrap();
    assert!(finders.iter().any(|finder| finder["name"] == "findByIntent"));
}
