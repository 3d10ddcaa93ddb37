//! Edits, the state for comparison, and the pages for people.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::{World, gid, names, value};
use sandbox::Board;
use sandbox::asana::{AsanaConfig, Edit, FieldKind};

#[tokio::test]
async fn edits_are_read_from_json_and_show_in_the_api() {
    let w = World::new();
    let field = w.field("Amount", FieldKind::Currency { precision: 2, code: "EUR".to_owned() });
    let task = w.task("x").await;
    let apply = |edit: Value| w.asana.apply(serde_json::from_value(edit).unwrap());
    w.advance(1);
    apply(json!({ "edit": "set_value", "task": task, "field": field, "value": 12.345 })).unwrap();
    apply(json!({ "edit": "complete_task", "task": task })).unwrap();
    apply(json!({ "edit": "rename_field", "field": field, "name": "Total" })).unwrap();
    apply(json!({ "edit": "change_currency", "field": field, "currency_code": "USD" })).unwrap();
    apply(json!({ "edit": "change_precision", "field": field, "precision": 1 })).unwrap();
    let record = w.data(&format!("/tasks/{task}")).await;
    let amount = value(&record, &field);
    assert_eq!((&amount["name"], &amount["currency_code"]), (&json!("Total"), &json!("USD")));
    assert_eq!((&amount["number_value"], &amount["display_value"]), (&json!(12.35), &json!("12.4")));
    assert_eq!(record["completed_by"]["name"], "Project Lead");
    assert_eq!(record["modified_at"], "2026-03-02T09:00:01.000Z");
    let refused = apply(json!({ "edit": "set_value", "task": task, "field": field, "value": "text" }));
    assert!(refused.unwrap_err().starts_with("custom_fields: Invalid string"));
}

#[tokio::test]
async fn people_create_move_and_delete_tasks() {
    let w = World::new();
    let po = w.field("PO number", FieldKind::Text);
    let paid = w.asana.seed_section(&w.project, "Paid").unwrap();
    let custom_fields = [(po.clone(), json!("PO-7"))].into_iter().collect();
    w.edit(Edit::CreateTask { project: w.project.clone(), name: "Order".to_owned(), custom_fields });
    let path = format!(
        "/tasks?project={}&opt_fields=name,custom_fields.text_value,memberships.section.name",
        w.project
    );
    let rows = w.data(&path).await;
    assert_eq!(value(&rows[0], &po)["text_value"], "PO-7");
    let task = gid(&rows[0]);
    w.edit(Edit::MoveTask { task: task.clone(), section: paid });
    let moved = w.data(&path).await;
    assert_eq!(moved[0]["memberships"][0]["section"]["name"], "Paid");
    w.edit(Edit::DeleteTask { task: task.clone() });
    w.refused_get(404, &format!("/tasks/{task}")).await;
    assert_eq!(w.data(&path).await, json!([]));
    w.edit(Edit::RestoreTask { task: task.clone() });
    assert_eq!(w.data(&path).await, moved);
    assert!(w.asana.apply(Edit::RestoreTask { task }).is_err(), "it is not in the trash any more");
    w.edit(Edit::AddProject { workspace: w.workspace.clone(), name: "New".to_owned() });
    assert_eq!(names(&w.data(&format!("/projects?workspace={}", w.workspace)).await), ["Payables", "New"]);
}

#[tokio::test]
async fn the_same_steps_give_the_same_state() {
    let build = async || {
        let w = World::new();
        let field = w.field("Amount", FieldKind::Number { precision: 2 });
        let task = w.task("x").await;
        w.set(&task, &field, json!(10.5)).await;
        (w.asana.state_json(), task, field)
    };
    let (one, task, field) = build().await;
    assert_eq!(build().await.0, one);
    let state: Value = serde_json::from_str(&one).unwrap();
    assert_eq!(state["tasks"][&task]["values"][&field], 10.5);
    assert!(one.contains("10.5"));
}

#[tokio::test]
async fn a_configuration_is_read_from_json() {
    let config: AsanaConfig = serde_json::from_value(json!({
        "plan": "free", "requests_per_minute": 10, "number_as_text": "accept", "limits_clock": "virtual"
    }))
    .unwrap();
    assert_eq!((config.allowance(), config.reads_at_once), (10, 50));
    assert_eq!(serde_json::from_value::<AsanaConfig>(json!({})).unwrap(), AsanaConfig::default());
    serde_json::from_value::<AsanaConfig>(json!({ "reqests": 1 })).unwrap_err();
    assert!(!format!("{config:?}").contains("sandbox-asana-token"), "a token is never shown");
}

#[tokio::test]
async fn more_edits_are_read_from_json() {
    let w = World::new();
    let other = w.asana.seed_project(&w.workspace, "Other").unwrap();
    let task = w.task("x").await;
    let apply = |edit: Value| w.asana.apply(serde_json::from_value(edit).unwrap());
    let approval = json!({ "edit": "change_subtype", "task": task, "subtype": "approval" });
    apply(json!({ "edit": "by_system", "change": approval })).unwrap();
    apply(json!({ "edit": "decide_approval", "task": task, "status": "rejected" })).unwrap();
    apply(json!({ "edit": "comment", "task": task, "text": "too dear" })).unwrap();
    apply(json!({ "edit": "change_project", "task": task, "from": w.project, "to": other })).unwrap();
    apply(json!({ "edit": "rename_project", "project": other, "name": "Archive" })).unwrap();
    let record = w.data(&format!("/tasks/{task}")).await;
    assert_eq!(
        (&record["completed"], &record["approval_status"], &record["projects"][0]["name"]),
        (&json!(true), &json!("rejected"), &json!("Archive"))
    );
    let stories = w.data(&format!("/tasks/{task}/stories")).await;
    assert_eq!(stories.as_array().unwrap().last().unwrap()["text"], "too dear");
    assert!(
        apply(json!({ "edit": "change_project", "task": task, "from": w.project, "to": other })).is_err()
    );
    assert!(apply(json!({ "edit": "delete_webhook", "webhook": "99" })).is_err());
    let nested = json!({ "edit": "revoke_token", "token": "t" });
    assert!(
        apply(json!({ "edit": "by_system", "change": nested })).is_err(),
        "Asana revokes no token by itself"
    );
}

#[tokio::test]
async fn a_board_gets_the_fields_for_journals_when_asked_and_once() {
    let w = World::new();
    let mut board = Board::seed(&w.asana, "Purchasing").unwrap();
    let before = board.fields.len();
    assert_eq!(board.field("cost"), None);
    for _ in 0..2 {
        let with = board.with_journal_fields(&w.asana).unwrap();
        assert_eq!((with.fields.len(), board.fields.len()), (before + 2, before + 2));
    }
    let path = format!(
        "/projects/{}/custom_field_settings?opt_fields=custom_field.(name|precision|type)",
        board.project
    );
    let settings = w.data(&path).await;
    let of = |key: &str| {
        let gid = board.field(key).unwrap();
        settings.as_array().unwrap().iter().find(|s| s["custom_field"]["gid"] == gid).unwrap()["custom_field"]
            .clone()
    };
    assert_eq!(
        (&of("journal_status")["type"], &of("journal_status")["name"]),
        (&json!("text"), &json!("Journal status"))
    );
    assert_eq!((&of("cost")["type"], &of("cost")["precision"]), (&json!("number"), &json!(2)));
}

async fn page(w: &World, path: &str) -> (u16, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let answer = w.exchange(request).await;
    (answer.status, answer.text)
}

#[tokio::test]
async fn a_person_sees_projects_and_tasks_and_changes_them() {
    let w = World::new();
    let amount = w.field("Amount", FieldKind::Number { precision: 2 });
    let status = w.field("Status", FieldKind::Enum(vec!["Paid".to_owned()]));
    let task = w.task("<Order> 1").await;
    assert!(page(&w, "/").await.1.contains("Payables"));
    let form = async |body: String| {
        let request = Request::post(format!("/0/{}/{task}", w.project))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(body))
            .unwrap();
        w.exchange(request).await.status
    };
    let paid = w.asana.options(&status)[0].0.clone();
    assert_eq!(form(format!("field={amount}&value=12.50")).await, 303);
    assert_eq!(form(format!("field={status}&value={paid}")).await, 303);
    assert_eq!(form(format!("field={amount}&value=twelve")).await, 400);
    assert_eq!(form("completed=true".to_owned()).await, 303);
    let board = page(&w, &format!("/0/{}/list", w.project)).await.1;
    assert!(board.contains("12.50") && board.contains("Paid") && board.contains("&lt;Order&gt; 1"));
    for (find, listed) in [("oRDER", true), ("another", false)] {
        let found = page(&w, &format!("/0/{}/list?find={find}", w.project)).await.1;
        assert_eq!(found.contains("&lt;Order&gt; 1"), listed, "{find}");
    }
    assert!(board.contains("Reopen") && board.contains("2026-03-02 09:00:00 UTC"), "{board}");
    let shown = page(&w, &format!("/0/{}/{task}", w.project)).await.1;
    assert!(shown.contains("Reopen"));
    assert_eq!(w.data(&format!("/tasks/{task}")).await["completed"], true);
    let request = Request::post(format!("/0/{}/{task}", w.project))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from("completed=false&list=order+1"))
        .unwrap();
    let answer = w.exchange(request).await;
    assert_eq!(answer.headers["location"], format!("/0/{}/list?find=order+1", w.project), "back to the list");
    assert_eq!(form(format!("field={amount}&value=")).await, 303);
    let record = w.data(&format!("/tasks/{task}")).await;
    assert_eq!(
        (&record["completed"], &value(&record, &amount)["number_value"]),
        (&json!(false), &Value::Null)
    );
    assert_eq!(page(&w, "/0/1/2").await.0, 404);
}
