//! Which change is told to whom, whoever makes it.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::receiver::{Receiver, shorts};
use super::{World, gid};
use sandbox::asana::{Edit, FieldKind};

/// Filters that leave stories out.
fn tasks() -> Value {
    json!([{ "resource_type": "task" }])
}

#[tokio::test]
async fn completing_is_two_events_and_a_story() {
    let w = World::new();
    let (receiver, _hook) = w.listen(json!([])).await;
    let task = w.task("Order 1").await;
    w.told(&receiver).await;
    w.advance(60);
    w.put(&format!("/tasks/{task}"), json!({ "completed": true })).await;
    let events = w.told(&receiver).await;
    let me = w.data("/users/me").await["gid"].clone();
    let event = |field: &str| {
        json!({
            "user": { "gid": me, "resource_type": "user" }, "created_at": "2026-03-02T09:01:00.000Z",
            "action": "changed", "parent": null, "change": { "field": field, "action": "changed" },
            "resource": { "gid": task, "resource_type": "task", "resource_subtype": "default_task" }
        })
    };
    assert_eq!(events[..2], [event("completed"), event("completed_at")], "no names, and no more than this");
    let story = &events[2];
    assert_eq!((events.len(), &story["action"], story.get("change")), (3, &json!("added"), None));
    assert_eq!(
        story["parent"],
        json!({ "gid": task, "resource_type": "task", "resource_subtype": "default_task" })
    );
    assert_eq!(story["resource"]["resource_subtype"], "marked_complete");
    let kept = w.data(&format!("/stories/{}", gid(&story["resource"]))).await;
    assert_eq!((&kept["type"], &kept["target"]["gid"]), (&json!("system"), &json!(task)));
    w.put(&format!("/tasks/{task}"), json!({ "completed": true })).await;
    assert_eq!(w.told(&receiver).await, [] as [Value; 0], "nothing changed");
    w.edit(Edit::ReopenTask { task });
    let events = w.told(&receiver).await;
    assert_eq!(shorts(&events), ["task changed completed", "task changed completed_at", "story added task"]);
    assert_eq!(events[2]["resource"]["resource_subtype"], "marked_incomplete");
}

#[tokio::test]
async fn filters_decide_what_is_delivered() {
    let w = World::configured(|c| c.webhooks.completion_stories = false);
    let completed = json!({ "resource_type": "task", "action": "changed", "fields": ["completed"] });
    let (receiver, hook) = w.listen(json!([completed])).await;
    let task = w.task("x").await;
    w.put(&format!("/tasks/{task}"), json!({ "name": "y", "completed": true })).await;
    assert_eq!(shorts(&w.told(&receiver).await), ["task changed completed"]);
    w.put(&hook.path(), json!({ "filters": [completed, { "action": "deleted" }] })).await;
    w.edit(Edit::RenameTask { task: task.clone(), name: "z".to_owned() });
    w.edit(Edit::DeleteTask { task });
    assert_eq!(shorts(&w.told(&receiver).await), ["task deleted -"]);
    let milestones = json!([{ "resource_type": "task", "resource_subtype": "milestone" }]);
    w.put(&hook.path(), json!({ "filters": milestones })).await;
    w.task("plain").await;
    assert_eq!(w.told(&receiver).await.len(), 0);
}

#[tokio::test]
async fn people_pages_and_the_api_are_told_alike() {
    let w = World::new();
    let (receiver, _hook) = w.listen(tasks()).await;
    let task = w.task("x").await;
    w.told(&receiver).await;
    let form = |body: &'static str| {
        Request::post(format!("/0/{}/{task}", w.project))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(body))
            .unwrap()
    };
    let two = ["task changed completed", "task changed completed_at"];
    w.put(&format!("/tasks/{task}"), json!({ "completed": true })).await;
    assert_eq!(shorts(&w.told(&receiver).await), two);
    assert_eq!(w.exchange(form("completed=false")).await.status, 303);
    let by_page = w.told(&receiver).await;
    assert_eq!(shorts(&by_page), two);
    w.edit(Edit::CompleteTask { task: task.clone() });
    let by_edit = w.told(&receiver).await;
    assert_eq!((shorts(&by_edit).len(), &by_edit[0]["user"]), (2, &by_page[0]["user"]));
    let action =
        json!({ "method": "put", "relative_path": format!("/tasks/{task}"), "data": { "completed": false } });
    w.post("/batch", json!({ "actions": [action] })).await;
    assert_eq!(shorts(&w.told(&receiver).await), two);
    let change = Box::new(Edit::CompleteTask { task: task.clone() });
    w.edit(Edit::BySystem { change });
    let by_system = w.told(&receiver).await;
    assert!(shorts(&by_system) == two && by_system.iter().all(|e| e["user"].is_null()));
    assert_eq!(w.data(&format!("/tasks/{task}")).await["completed_by"], Value::Null);
}

#[tokio::test]
async fn an_approval_is_told_with_its_completion_and_rejecting_completes_too() {
    let w = World::new();
    let (receiver, _hook) = w.listen(tasks()).await;
    let task = w.task("Invoice").await;
    w.edit(Edit::ChangeSubtype { task: task.clone(), subtype: "approval".to_owned() });
    w.told(&receiver).await;
    let decide = async |status: &str| {
        w.edit(Edit::DecideApproval { task: task.clone(), status: status.to_owned() });
        let events = w.told(&receiver).await;
        let record = w.data(&format!("/tasks/{task}")).await;
        assert_eq!(record["approval_status"], status);
        (shorts(&events), record["completed"] == true)
    };
    let all = ["task changed approval_status", "task changed completed", "task changed completed_at"];
    let all = all.map(str::to_owned).to_vec();
    assert_eq!(decide("rejected").await, (all.clone(), true));
    assert_eq!(decide("approved").await, (all[..1].to_vec(), true), "it was completed before");
    assert_eq!(decide("pending").await, (all.clone(), false));
    assert_eq!(decide("changes_requested").await, (all.clone(), true));
    w.edit(Edit::ReopenTask { task: task.clone() });
    w.edit(Edit::CompleteTask { task: task.clone() });
    let events = w.told(&receiver).await;
    assert_eq!(shorts(&events), [all.clone(), all].concat());
    assert_eq!(events[0]["resource"]["resource_subtype"], "approval");
    assert_eq!(w.data(&format!("/tasks/{task}")).await["approval_status"], "approved", "completing approves");
}

#[tokio::test]
async fn a_changed_value_names_its_field_and_only_an_option_is_told() {
    let w = World::new();
    let amount = w.field("Amount", FieldKind::Number { precision: 2 });
    let status = w.field("Status", FieldKind::Enum(vec!["Paid".to_owned()]));
    let paid = w.asana.options(&status)[0].0.clone();
    let (receiver, _hook) = w.listen(tasks()).await;
    let task = w.task("x").await;
    w.told(&receiver).await;
    let change = async |field: &str, value: Value| {
        w.set(&task, field, value).await;
        let events = w.told(&receiver).await;
        assert_eq!(events.len(), 1);
        events[0]["change"].clone()
    };
    let field = |gid: &str, kind: &str| json!({ "gid": gid, "resource_type": "custom_field", "resource_subtype": kind });
    let told = |value: Value| json!({ "field": "custom_fields", "action": "changed", "new_value": value });
    assert_eq!(change(&amount, json!(12.5)).await, told(field(&amount, "number")));
    let mut with_option = field(&status, "enum");
    with_option["enum_value"] = json!({ "gid": paid, "resource_type": "enum_option" });
    assert_eq!(change(&status, json!(paid)).await, told(with_option));
    assert_eq!(change(&status, Value::Null).await, told(field(&status, "enum")));
    w.set(&task, &amount, json!(12.5)).await;
    w.put(&format!("/tasks/{task}"), json!({ "assignee": "me", "due_on": "2026-05-01", "notes": "n" })).await;
    let events = w.told(&receiver).await;
    assert_eq!(shorts(&events), ["task changed notes", "task changed due_on", "task changed assignee"]);
    let me = w.data("/users/me").await["gid"].clone();
    assert_eq!(events[2]["change"]["new_value"], json!({ "gid": me, "resource_type": "user" }));
    assert!(events[0]["change"].get("new_value").is_none(), "text is never told");
}

#[tokio::test]
async fn entering_and_leaving_a_project_is_told_there_and_nowhere_else() {
    let w = World::new();
    let other = w.asana.seed_project(&w.workspace, "Other").unwrap();
    let (here, _hook) = w.listen(tasks()).await;
    let there = Receiver::start().await;
    w.register(&other, &there.url(), tasks()).await;
    let task = w.task("x").await;
    let entered = ["task added project", "task added section"];
    assert_eq!(
        (shorts(&w.told(&here).await), w.told(&there).await.len()),
        (entered.map(str::to_owned).to_vec(), 0)
    );
    w.edit(Edit::ChangeProject { task: task.clone(), from: w.project.clone(), to: other.clone() });
    let left = w.told(&here).await;
    assert_eq!(shorts(&left), ["task removed project"]);
    assert_eq!(left[0]["parent"], json!({ "gid": w.project, "resource_type": "project" }));
    assert_eq!(shorts(&w.told(&there).await), entered);
    w.edit(Edit::CompleteTask { task: task.clone() });
    assert_eq!((w.told(&here).await.len(), w.told(&there).await.len()), (0, 2));
    w.post(&format!("/tasks/{task}/addProject"), json!({ "project": w.project })).await;
    assert_eq!(shorts(&w.told(&here).await), entered);
    w.post(&format!("/tasks/{task}/removeProject"), json!({ "project": other })).await;
    assert_eq!(shorts(&w.told(&there).await)[2..], ["task removed project"]);
    let section = w.asana.seed_section(&w.project, "Paid").unwrap();
    w.told(&here).await;
    w.post(&format!("/sections/{section}/addTask"), json!({ "task": task })).await;
    let moved = w.told(&here).await;
    assert_eq!(shorts(&moved), ["task added section"]);
    assert_eq!(moved[0]["parent"]["gid"], section);
}

#[tokio::test]
async fn deleting_and_restoring_are_told() {
    let w = World::new();
    let (receiver, _hook) = w.listen(tasks()).await;
    let task = w.task("x").await;
    let child = gid(&w.post(&format!("/tasks/{task}/subtasks"), json!({ "name": "c" })).await);
    w.told(&receiver).await;
    w.send("DELETE", &format!("/tasks/{task}"), None).await;
    let events = w.told(&receiver).await;
    assert_eq!(shorts(&events), ["task deleted -", "task deleted -"]);
    assert_eq!((gid(&events[0]["resource"]), gid(&events[1]["resource"])), (task.clone(), child));
    w.edit(Edit::RestoreTask { task: task.clone() });
    assert_eq!(shorts(&w.told(&receiver).await), ["task undeleted -"]);
    w.edit(Edit::CompleteTask { task });
    assert_eq!(w.told(&receiver).await.len(), 2, "it is in its project again");
}

#[tokio::test]
async fn subtasks_and_comments_reach_the_project_of_the_task_above() {
    let w = World::new();
    let (receiver, _hook) = w.listen(json!([])).await;
    let task = w.task("x").await;
    let on_task = Receiver::start().await;
    w.register(&task, &on_task.url(), json!([])).await;
    w.told(&receiver).await;
    on_task.forget();
    let child = gid(&w.post(&format!("/tasks/{task}/subtasks"), json!({ "name": "c" })).await);
    let grandchild = gid(&w.post("/tasks", json!({ "name": "g", "parent": child })).await);
    w.edit(Edit::RenameTask { task: grandchild.clone(), name: "gg".to_owned() });
    w.post(&format!("/tasks/{grandchild}/stories"), json!({ "text": "done?" })).await;
    w.edit(Edit::Comment { task: task.clone(), text: "yes".to_owned() });
    let expected =
        ["task added task", "task added task", "task changed name", "story added task", "story added task"];
    let events = w.told(&receiver).await;
    assert_eq!(shorts(&events), expected);
    assert_eq!(gid(&events[0]["parent"]), task);
    assert_eq!(shorts(&on_task.events()), expected, "the task hears of all below it");
    let alone = gid(&w.post("/tasks", json!({ "name": "alone", "workspace": w.workspace })).await);
    w.edit(Edit::CompleteTask { task: alone });
    assert_eq!(w.told(&receiver).await.len(), 0);
}

#[tokio::test]
async fn a_workspace_hears_of_its_projects_and_never_of_tasks() {
    let w = World::new();
    let receiver = Receiver::start().await;
    let filters: Vec<Value> = ["added", "changed", "removed", "deleted", "undeleted"]
        .iter()
        .map(|action| json!({ "resource_type": "project", "action": action }))
        .collect();
    w.register(&w.workspace, &receiver.url(), json!(filters)).await;
    w.told(&receiver).await;
    let (on_project, _hook) = w.listen(json!([])).await;
    let task = w.task("x").await;
    w.edit(Edit::CompleteTask { task });
    assert_eq!(w.told(&receiver).await.len(), 0);
    w.told(&on_project).await;
    w.edit(Edit::AddProject { workspace: w.workspace.clone(), name: "New".to_owned() });
    w.edit(Edit::RenameProject { project: w.project.clone(), name: "Payables 2".to_owned() });
    w.edit(Edit::ArchiveProject { project: w.project.clone(), archived: true });
    let events = w.told(&receiver).await;
    assert_eq!(
        shorts(&events),
        ["project added workspace", "project changed name", "project changed archived"]
    );
    assert_eq!(events[0]["parent"], json!({ "gid": w.workspace, "resource_type": "workspace" }));
    assert_eq!(shorts(&on_project.events()), ["project changed name", "project changed archived"]);
    w.post(&format!("/projects/{}/sections", w.project), json!({ "name": "Later" })).await;
    assert_eq!(
        (shorts(&w.told(&on_project).await)[2..].to_vec(), w.told(&receiver).await.len()),
        (vec!["section added project".to_owned()], 0)
    );
}

#[tokio::test]
async fn a_workspace_hears_that_a_project_was_deleted() {
    let w = World::new();
    let receiver = Receiver::start().await;
    let filters = json!([{ "resource_type": "project", "action": "deleted" }]);
    w.register(&w.workspace, &receiver.url(), filters).await;
    let (_, hook) = w.listen(tasks()).await;
    let task = w.task("x").await;
    w.told(&receiver).await;
    w.edit(Edit::DeleteProject { project: w.project.clone() });
    let events = w.told(&receiver).await;
    assert_eq!(shorts(&events), ["project deleted -"]);
    assert_eq!(gid(&events[0]["resource"]), w.project);
    w.refused_get(404, &format!("/projects/{}", w.project)).await;
    assert_eq!(w.data(&format!("/projects?workspace={}", w.workspace)).await, json!([]));
    assert_eq!(w.data(&format!("/tasks/{task}")).await["memberships"], json!([]));
    assert_eq!(w.data(&hook.path()).await["resource"]["gid"], json!(w.project));
    assert!(w.asana.apply(Edit::DeleteProject { project: w.project.clone() }).is_err());
}

#[tokio::test]
async fn a_webhook_hears_nothing_of_a_project_that_its_user_may_not_see() {
    let w = World::new();
    let (receiver, _hook) = w.listen(tasks()).await;
    let task = w.task("x").await;
    w.told(&receiver).await;
    w.edit(Edit::HideProject { project: w.project.clone(), hidden: true });
    w.edit(Edit::CompleteTask { task: task.clone() });
    assert_eq!(w.told(&receiver).await.len(), 0);
    w.edit(Edit::HideProject { project: w.project.clone(), hidden: false });
    w.edit(Edit::ReopenTask { task });
    assert_eq!(w.told(&receiver).await.len(), 2);
}
