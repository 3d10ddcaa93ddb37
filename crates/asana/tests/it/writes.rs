//! Creating and changing tasks.

use std::collections::BTreeMap;

use asana::{Error, FieldValue, NewTask, TaskUpdate};
use serde_json::json;
use wiremock::ResponseTemplate;

use crate::support::{TASK_FIELDS, answering, ok, requests, task};

#[tokio::test]
async fn a_created_task_comes_back_with_its_values() {
    let body = json!({"data": task("5")});
    let (server, asana) = answering(ResponseTemplate::new(201).set_body_json(&body)).await;
    let new = NewTask {
        name: "PO-1".into(),
        project: "77".into(),
        section: Some("88".into()),
        custom_fields: BTreeMap::from([("102".into(), FieldValue::Number("10.10".parse().unwrap()))]),
        ..NewTask::default()
    };
    let answer = asana.create_task(&new.to_body()).await.unwrap();
    assert_eq!((answer.status, answer.task.gid.as_str()), (201, "5"));
    assert_eq!(answer.body, body.to_string());
    assert_eq!(requests(&server).await, [format!("POST /api/1.0/tasks?opt_fields={TASK_FIELDS}")]);
    let sent = &server.received_requests().await.unwrap()[0];
    assert_eq!(sent.headers["content-type"], "application/json");
    assert_eq!(
        String::from_utf8(sent.body.clone()).unwrap(),
        r#"{"data":{"name":"PO-1","memberships":[{"project":"77","section":"88"}],"custom_fields":{"102":10.10}}}"#
    );
}

#[tokio::test]
async fn an_update_is_a_put_of_just_the_changes() {
    let (server, asana) = answering(ok(&json!({"data": task("5")}))).await;
    let update = TaskUpdate {
        custom_fields: BTreeMap::from([("101".into(), FieldValue::Clear)]),
        ..TaskUpdate::default()
    };
    let answer = asana.update_task("5", &update.to_body()).await.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(requests(&server).await, [format!("PUT /api/1.0/tasks/5?opt_fields={TASK_FIELDS}")]);
    let sent = &server.received_requests().await.unwrap()[0];
    assert_eq!(sent.body, br#"{"data":{"custom_fields":{"101":null}}}"#);
}

#[tokio::test]
async fn a_body_that_asana_would_refuse_for_its_form_is_not_sent() {
    let (_server, asana) = answering(ok(&json!({"data": task("5")}))).await;
    for bad in ["", "{", "[]", r#"{"name":"x"}"#, r#"{"data":{}} x"#] {
        let error = asana.create_task(bad).await.unwrap_err();
        assert!(matches!(error, Error::InvalidArgument(_)), "{bad}");
        assert!(!error.may_have_happened());
    }
    assert_eq!(asana.requests(), 0);
}

#[tokio::test]
async fn a_write_whose_answer_cannot_be_read_may_have_happened() {
    for body in ["<html>busy</html>", "{\"data\":{\"gid\":\"5\"", "{\"data\":[]}", ""] {
        let (_server, asana) = answering(ResponseTemplate::new(201).set_body_string(body)).await;
        let error = asana.create_task(r#"{"data":{}}"#).await.unwrap_err();
        assert!(matches!(error, Error::Malformed { status: 201, .. }), "{body}: {error}");
        assert!(error.may_have_happened() && error.is_transient());
    }
}

#[tokio::test]
async fn a_custom_field_is_created_in_the_workspace_and_put_onto_a_project() {
    let field = json!({"gid": "7", "name": "Amount", "resource_subtype": "number", "precision": 2});
    let (server, asana) = answering(ResponseTemplate::new(201).set_body_json(json!({"data": field}))).await;
    let wanted = asana::NewCustomField {
        name: "Amount".into(),
        description: "kept by ml-connector".into(),
        kind: asana::FieldType::Number { precision: 2, currency: None },
    };
    let made = asana.create_custom_field("12", &wanted).await.unwrap();
    assert_eq!((made.gid.as_str(), made.precision), ("7", Some(2)));
    asana.add_custom_field("77", "7").await.unwrap();
    let sent = requests(&server).await;
    assert!(sent[0].starts_with("POST /api/1.0/custom_fields?opt_fields=name,"), "{sent:?}");
    assert_eq!(sent[1], "POST /api/1.0/projects/77/addCustomFieldSetting?");
    for bad in ["", "..", "1/2"] {
        assert!(matches!(asana.add_custom_field(bad, "7").await, Err(Error::InvalidArgument(_))), "{bad}");
        assert!(matches!(asana.create_custom_field(bad, &wanted).await, Err(Error::InvalidArgument(_))));
    }
}
