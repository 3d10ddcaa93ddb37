//! Event streams: `GET /events` and its sync tokens.

use serde_json::{Value, json};

use super::receiver::shorts;
use super::{World, gid, keys, oauth_token};
use sandbox::asana::{Edit, FieldKind};

impl World {
    /// A first token for a resource.
    async fn sync(&self, resource: &str) -> String {
        let answer = self.send("GET", &format!("/events?resource={resource}"), None).await;
        assert_eq!(answer.status, 412, "{}", answer.text);
        answer.body["sync"].as_str().unwrap().to_owned()
    }

    async fn since(&self, resource: &str, sync: &str) -> Value {
        self.get(&format!("/events?resource={resource}&sync={sync}")).await
    }
}

fn rows(page: &Value) -> Vec<Value> {
    page["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn the_first_request_is_answered_412_with_a_token_to_begin_with() {
    let w = World::new();
    let before = w.task("before").await;
    let answer = w.send("GET", &format!("/events?resource={}", w.project), None).await;
    assert_eq!(answer.status, 412);
    assert!(answer.message().starts_with("Sync token invalid or too old."), "{}", answer.message());
    let sync = answer.body["sync"].as_str().unwrap();
    let (digits, number) = sync.split_once(':').unwrap();
    assert!(digits.len() == 32 && number.parse::<u64>().is_ok(), "{sync}");
    let page = w.since(&w.project, sync).await;
    assert_eq!(keys(&page), ["data", "has_more", "sync"]);
    assert_eq!((rows(&page).len(), &page["has_more"]), (0, &json!(false)), "what was before is not told");
    w.put(&format!("/tasks/{before}"), json!({ "completed": true })).await;
    let page = w.since(&w.project, page["sync"].as_str().unwrap()).await;
    assert_eq!(
        shorts(&rows(&page)),
        ["task changed completed", "task changed completed_at", "story added task"]
    );
}

#[tokio::test]
async fn an_event_carries_compact_records_and_opt_fields_chooses() {
    let w = World::new();
    let status = w.field("Status", FieldKind::Enum(vec!["Paid".to_owned()]));
    let task = w.task("Order 1").await;
    let sync = w.sync(&w.project).await;
    let paid = w.asana.options(&status)[0].0.clone();
    w.set(&task, &status, json!(paid)).await;
    w.put(&format!("/tasks/{task}"), json!({ "assignee": "me" })).await;
    let page = rows(&w.since(&w.project, &sync).await);
    let me = w.data("/users/me").await["gid"].clone();
    let user = json!({ "gid": me, "resource_type": "user", "name": "Connector Bot" });
    let resource = json!({ "gid": task, "resource_type": "task", "name": "Order 1", "resource_subtype": "default_task" });
    assert_eq!(page[1]["change"], json!({ "field": "assignee", "action": "changed", "new_value": user }));
    assert_eq!((&page[1]["user"], &page[1]["resource"]), (&user, &resource));
    assert_eq!((&page[1]["type"], &page[1]["parent"]), (&json!("task"), &Value::Null));
    let value = &page[0]["change"]["new_value"];
    assert_eq!((&value["gid"], &value["name"]), (&json!(status), &json!("Status")));
    assert_eq!(value["enum_value"]["name"], "Paid");
    let path = format!(
        "/events?resource={}&sync={sync}&opt_fields=action,change.new_value.email,resource.name",
        w.project
    );
    let narrow = rows(&w.get(&path).await);
    assert_eq!(
        narrow[1],
        json!({
            "action": "changed", "resource": { "gid": task, "name": "Order 1" },
            "change": { "new_value": { "gid": me, "email": "connector@example.com" } }
        })
    );
}

#[tokio::test]
async fn more_than_a_hundred_events_are_read_in_pages_until_there_are_no_more() {
    let w = World::new();
    let task = w.task("x").await;
    let mut sync = w.sync(&w.project).await;
    for n in 0..230 {
        w.edit(Edit::RenameTask { task: task.clone(), name: format!("x{n}") });
    }
    let mut sizes = Vec::new();
    loop {
        let page = w.since(&w.project, &sync).await;
        sizes.push(rows(&page).len());
        sync = page["sync"].as_str().unwrap().to_owned();
        if page["has_more"] == false {
            break;
        }
    }
    assert_eq!(sizes, [100, 100, 30]);
}

#[tokio::test]
async fn the_last_token_gives_the_same_again_and_older_ones_are_refused() {
    let w = World::new();
    let task = w.task("x").await;
    let first = w.sync(&w.project).await;
    w.edit(Edit::RenameTask { task: task.clone(), name: "y".to_owned() });
    let page = w.since(&w.project, &first).await;
    w.edit(Edit::RenameTask { task, name: "z".to_owned() });
    let again = w.since(&w.project, &first).await;
    assert_eq!((shorts(&rows(&again)), &again["sync"]), (shorts(&rows(&page)), &page["sync"]));
    let next = w.since(&w.project, page["sync"].as_str().unwrap()).await;
    assert_eq!(shorts(&rows(&next)), ["task changed name"]);
    w.refused_get(412, &format!("/events?resource={}&sync={first}", w.project)).await;
    w.refused_get(412, &format!("/events?resource={}&sync=nonsense", w.project)).await;
}

#[tokio::test]
async fn a_token_expires_after_a_day() {
    let w = World::new();
    let sync = w.sync(&w.project).await;
    w.advance(24 * 3600 - 1);
    let next = w.since(&w.project, &sync).await;
    w.advance(1);
    w.refused_get(412, &format!("/events?resource={}&sync={sync}", w.project)).await;
    let next = next["sync"].as_str().unwrap();
    w.since(&w.project, next).await;
    w.advance(24 * 3600);
    w.refused_get(412, &format!("/events?resource={}&sync={next}", w.project)).await;
}

#[tokio::test]
async fn a_token_belongs_to_one_resource_and_one_reader() {
    let w = World::configured(|c| c.tokens.push(oauth_token()));
    let sync = w.sync(&w.project).await;
    let other = w.asana.seed_project(&w.workspace, "Other").unwrap();
    w.refused_get(412, &format!("/events?resource={other}&sync={sync}")).await;
    w.as_token("oauth-token").refused_get(412, &format!("/events?resource={}&sync={sync}", w.project)).await;
}

#[tokio::test]
async fn a_task_can_be_listened_to_and_what_left_the_project_is_not_told() {
    let w = World::new();
    let (task, other) = (w.task("x").await, w.task("y").await);
    let (on_task, on_project) = (w.sync(&task).await, w.sync(&w.project).await);
    let child = gid(&w.post(&format!("/tasks/{task}/subtasks"), json!({ "name": "child" })).await);
    w.edit(Edit::RemoveFromProject { task: task.clone(), project: w.project.clone() });
    w.edit(Edit::RenameTask { task: child.clone(), name: "c".to_owned() });
    w.edit(Edit::RenameTask { task: other, name: "o".to_owned() });
    w.edit(Edit::DeleteTask { task: child });
    assert_eq!(
        shorts(&rows(&w.since(&task, &on_task).await)),
        ["task added task", "task removed project", "task changed name", "task deleted -"]
    );
    let told = rows(&w.since(&w.project, &on_project).await);
    assert_eq!(shorts(&told), ["task added task", "task removed project", "task changed name"]);
    assert_eq!(told[0]["resource"]["name"], "c", "a record is as it is now, even in the trash");
}

#[tokio::test]
async fn only_tasks_and_projects_have_streams_and_a_workspace_needs_a_service_account() {
    let w = World::new();
    assert_eq!(w.refused_get(400, "/events").await, "resource: Missing input");
    w.refused_get(400, "/events?resource=99").await;
    w.refused_get(400, &format!("/events?resource={}", w.workspace)).await;
    w.refused_get(403, &format!("/workspaces/{}/events", w.workspace)).await;
    w.refused_get(404, "/workspaces/99/events").await;
    w.edit(Edit::HideProject { project: w.project.clone(), hidden: true });
    w.refused_get(403, &format!("/events?resource={}", w.project)).await;
}

#[tokio::test]
async fn what_asana_does_by_itself_names_nobody() {
    let w = World::new();
    let task = w.task("x").await;
    let sync = w.sync(&task).await;
    w.edit(Edit::BySystem {
        change: Box::new(Edit::RenameTask { task: task.clone(), name: "y".to_owned() }),
    });
    let page = rows(&w.since(&task, &sync).await);
    assert_eq!((page.len(), &page[0]["user"]), (1, &Value::Null));
}

#[tokio::test]
async fn reading_events_counts_like_any_other_request() {
    let w = World::configured(|c| {
        c.requests_per_minute = Some(2);
        c.short_span_seconds = 0;
    });
    let sync = w.sync(&w.project).await;
    w.since(&w.project, &sync).await;
    w.refused_get(429, &format!("/events?resource={}&sync={sync}", w.project)).await;
}
