//! Every operation once, held against the OpenAPI document; and that the document would object.

use serde_json::{Value, json};

use super::{World, gid, receiver::Receiver, spec::Spec};
use sandbox::asana::FieldKind;

#[tokio::test]
async fn every_operation_answers_as_the_document_says() {
    let w = World::new();
    let text = w.field("Text", FieldKind::Text);
    for (name, kind) in [
        ("Number", FieldKind::Currency { precision: 2, code: "USD".to_owned() }),
        ("Flags", FieldKind::MultiEnum(vec!["a".to_owned()])),
        ("Date", FieldKind::Date),
        ("People", FieldKind::People),
        ("Refs", FieldKind::Reference),
        ("Formula", FieldKind::Formula),
    ] {
        w.field(name, kind);
    }
    let (p, ws, s) = (&w.project, &w.workspace, &w.section);
    let task = gid(&w
        .post("/tasks", json!({ "name": "x", "projects": [p], "custom_fields": { &text: "1" } }))
        .await);
    let data = json!({ "name": "S", "resource_subtype": "enum", "workspace": ws, "enum_options": [{ "name": "a" }] });
    let field = gid(&w.post("/custom_fields", data).await);
    w.post(&format!("/projects/{p}/addCustomFieldSetting"), json!({ "custom_field": field })).await;
    let option = gid(&w.post(&format!("/custom_fields/{field}/enum_options"), json!({ "name": "b" })).await);
    w.post(&format!("/custom_fields/{field}/enum_options/insert"), json!({ "enum_option": option })).await;
    w.put(&format!("/enum_options/{option}"), json!({ "name": "c", "color": "red" })).await;
    w.put(&format!("/custom_fields/{field}"), json!({ "name": "T" })).await;
    w.put(&format!("/tasks/{task}"), json!({ "custom_fields": { &field: option }, "completed": true })).await;
    w.post(&format!("/tasks/{task}/subtasks"), json!({ "name": "y" })).await;
    let story = gid(&w.post(&format!("/tasks/{task}/stories"), json!({ "text": "done" })).await);
    w.post(&format!("/tasks/{task}/addProject"), json!({ "project": p, "section": s })).await;
    w.post(&format!("/sections/{s}/addTask"), json!({ "task": task })).await;
    w.post(&format!("/projects/{p}/sections"), json!({ "name": "Later" })).await;
    let action = json!({ "method": "get", "relative_path": "/users/me" });
    w.post("/batch", json!({ "actions": [action] })).await;
    let receiver = Receiver::start().await;
    let data = json!({ "resource": p, "target": receiver.url(), "filters": [{ "resource_type": "task" }] });
    let webhook = gid(&w.post("/webhooks", data).await);
    let filters = json!([{ "action": "changed", "fields": ["completed"] }]);
    w.put(&format!("/webhooks/{webhook}"), json!({ "filters": filters })).await;
    let first = w.send("GET", &format!("/events?resource={p}"), None).await;
    let sync = first.body["sync"].as_str().unwrap();
    w.put(&format!("/tasks/{task}"), json!({ "completed": false, "custom_fields": { &field: null } })).await;
    for path in [
        "/users/me".to_owned(),
        "/workspaces?limit=5".to_owned(),
        format!("/workspaces/{ws}"),
        format!("/projects?workspace={ws}&limit=5"),
        format!("/workspaces/{ws}/projects"),
        format!("/projects/{p}"),
        format!("/projects/{p}/sections"),
        format!("/projects/{p}/tasks?limit=1"),
        format!("/projects/{p}/custom_field_settings"),
        format!("/tasks?project={p}"),
        format!("/tasks/{task}"),
        format!("/tasks/{task}/subtasks"),
        format!("/tasks/{task}/stories"),
        format!("/stories/{story}"),
        format!("/sections/{s}"),
        format!("/sections/{s}/tasks"),
        format!("/custom_fields/{field}"),
        format!("/workspaces/{ws}/custom_fields"),
        format!("/workspaces/{ws}/tasks/search"),
        format!("/tasks/{task}?opt_fields=custom_fields,memberships,followers,workspace,parent,projects"),
        format!("/webhooks/{webhook}"),
        format!("/webhooks?workspace={ws}&resource={p}&limit=5"),
        format!("/events?resource={p}&sync={sync}"),
    ] {
        w.get(&path).await;
    }
    w.refused_get(403, &format!("/workspaces/{ws}/events")).await;
    let gone = w.send("DELETE", &format!("/webhooks/{webhook}"), None).await;
    assert_eq!((gone.status, &gone.body["data"]), (200, &json!({})));
}

#[test]
fn the_document_objects_to_what_is_wrong() {
    let Some(spec) = Spec::shared() else { return };
    let judge = |method: &str, path: &str, status: u16, request: Option<Value>, response: Value| {
        spec.violations(method, path, status, request.as_ref(), Some(&response)).join("\n")
    };
    let task = |more: Value| {
        let mut record = json!({ "gid": "1", "resource_type": "task" });
        record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "data": record })
    };
    assert_eq!(judge("GET", "/tasks/1", 200, None, task(json!({ "completed_at": null }))), "");
    for (wrong, about) in [
        (task(json!({ "completed": "yes" })), "completed"),
        (task(json!({ "completed": null })), "completed"),
        (task(json!({ "completed_at": "yesterday" })), "completed_at"),
        (task(json!({ "colour": "red" })), "colour"),
        (task(json!({ "custom_fields": [{ "gid": 1 }] })), "custom_fields"),
        (json!({ "data": {}, "extra": 1 }), "extra"),
        (json!({}), "no data"),
    ] {
        assert!(judge("GET", "/tasks/1", 200, None, wrong).contains(about), "{about}");
    }
    let request = |data: Value| judge("PUT", "/tasks/1", 200, Some(json!({ "data": data })), task(json!({})));
    assert_eq!(request(json!({ "custom_fields": { "1": 2.5, "2": null, "3": ["4"] } })), "");
    assert!(request(json!({ "completed_at": "2026-01-01T00:00:00.000Z" })).contains("completed_at"));
    assert!(request(json!({ "name": 1 })).contains("name"));
    assert!(judge("GET", "/tasks?projekt=1", 200, None, json!({ "data": [] })).contains("projekt"));
    assert!(judge("GET", "/nothing", 200, None, json!({})).contains("no operation"));
    assert!(judge("GET", "/tasks/1", 418, None, json!({ "errors": [] })).contains("418"));
    let hook = |more: Value| {
        let mut record = json!({ "gid": "1", "resource_type": "webhook", "active": true });
        record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        judge("GET", "/webhooks/1", 200, None, json!({ "data": record }))
    };
    assert_eq!(hook(json!({ "last_failure_at": null, "delivery_retry_count": 0 })), "");
    assert!(hook(json!({ "last_failure_content": null })).contains("last_failure_content"));
    assert!(hook(json!({ "secret": "s" })).contains("secret"));
    let event = |value: Value| json!({ "data": [{ "change": { "new_value": value } }], "sync": "s", "has_more": false });
    assert_eq!(judge("GET", "/events?resource=1", 200, None, event(json!({ "anything": 1 }))), "");
    assert!(judge("GET", "/events?resource=1", 200, None, json!({ "data": [], "more": 1 })).contains("more"));
    let error = json!({ "errors": [{ "message": "m", "help": "h", "phrase": "6 sad squid" }] });
    assert!(judge("GET", "/tasks/1", 400, None, error).contains("phrase"));
}
