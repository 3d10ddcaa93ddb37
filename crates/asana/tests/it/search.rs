//! Searching by custom field: nothing is believed that was not checked.

use asana::Error;
use serde_json::{Value, json};

use crate::support::{TASK_FIELDS, answering, ok, requests, task};

fn with_po(gid: &str, number: &str) -> Value {
    let mut task = task(gid);
    task["custom_fields"][0]["text_value"] = number.into();
    task
}

#[tokio::test]
async fn a_search_names_project_field_and_value() {
    let (server, asana) = answering(ok(&json!({"data": [with_po("5", "PO&1")]}))).await;
    let found = asana.search_by_custom_field("1", "77", "101", "PO&1").await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(
        requests(&server).await,
        [format!(
            "GET /api/1.0/workspaces/1/tasks/search?projects.any=77&custom_fields.101.value=PO&1&\
             opt_fields={TASK_FIELDS}&limit=100"
        )]
    );
}

#[tokio::test]
async fn tasks_with_other_values_or_in_other_projects_are_dropped() {
    let mut elsewhere = with_po("8", "PO-1");
    elsewhere["memberships"] = json!([{"project": {"gid": "99"}, "section": null}]);
    let body =
        json!({"data": [with_po("5", "PO-1"), with_po("6", "PO-10"), elsewhere, with_po("7", "PO-1")]});
    let (_server, asana) = answering(ok(&body)).await;
    let found = asana.search_by_custom_field("1", "77", "101", "PO-1").await.unwrap();
    let gids: Vec<&str> = found.iter().map(|task| task.gid.as_str()).collect();
    assert_eq!(gids, ["5", "7"]);
    assert!(asana.search_by_custom_field("1", "77", "102", "PO-1").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_full_answer_to_an_ignored_filter_is_not_taken_for_no_match() {
    let all: Vec<Value> = (0..100).map(|n| with_po(&n.to_string(), "PO-2")).collect();
    let (_server, asana) = answering(ok(&json!({"data": all}))).await;
    let error = asana.search_by_custom_field("1", "77", "101", "PO-1").await.unwrap_err();
    assert!(matches!(error, Error::Malformed { .. }), "{error}");
    assert!(asana.search_by_custom_field("1", "77", "101", "PO-2").await.unwrap().len() == 100);
}
