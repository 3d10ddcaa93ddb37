//! Tasks: creating, changing, completing, approving, moving.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::{World, gid, names, oauth_token};
use sandbox::asana::{Strictness, TokenConfig};

#[tokio::test]
async fn a_task_needs_a_workspace_a_parent_or_a_project() {
    let w = World::new();
    assert_eq!(
        w.refused(400, "POST", "/tasks", json!({ "name": "x" })).await,
        "You should specify one of workspace, parent, projects"
    );
    let alone = w.post("/tasks", json!({ "name": "x", "workspace": w.workspace })).await;
    assert_eq!(alone["memberships"], json!([]));
    let child = w.post("/tasks", json!({ "name": "y", "parent": gid(&alone) })).await;
    assert_eq!(child["parent"]["gid"], alone["gid"]);
    let child = w.post(&format!("/tasks/{}/subtasks", gid(&alone)), json!({ "name": "z" })).await;
    assert_eq!(child["workspace"]["gid"], w.workspace);
    let count = w.data(&format!("/tasks/{}?opt_fields=num_subtasks", gid(&alone))).await;
    assert_eq!(count["num_subtasks"], 2);
}

#[tokio::test]
async fn a_subtask_is_not_listed_with_its_parents_project() {
    let w = World::new();
    let parent = w.task("parent").await;
    let child = w.post(&format!("/tasks/{parent}/subtasks"), json!({ "name": "child" })).await;
    assert_eq!(child["memberships"], json!([]));
    assert_eq!(names(&w.data(&format!("/tasks?project={}", w.project)).await), ["parent"]);
}

#[tokio::test]
async fn memberships_put_a_new_task_into_a_section() {
    let w = World::new();
    let section = w.asana.seed_section(&w.project, "Paid").unwrap();
    let data = json!({ "name": "x", "memberships": [{ "project": w.project, "section": section }] });
    let task = w.post("/tasks", data).await;
    assert_eq!(task["memberships"][0]["section"]["name"], "Paid");
    let other = w.asana.seed_project(&w.workspace, "Other").unwrap();
    let data = json!({ "name": "x", "memberships": [{ "project": other, "section": section }] });
    assert_eq!(w.refused(400, "POST", "/tasks", data).await, format!("section: Unknown object: {section}"));
    let data = json!({ "name": "x", "memberships": [{ "section": section }] });
    assert_eq!(
        w.refused(400, "POST", "/tasks", data).await,
        "memberships: [0]: project: Missing required field"
    );
}

#[tokio::test]
async fn associations_cannot_be_written_by_put() {
    let w = World::new();
    let task = w.task("x").await;
    for member in ["projects", "tags", "memberships", "modified_at", "completed_at"] {
        let message = w.refused(400, "PUT", &format!("/tasks/{task}"), json!({ member: [] })).await;
        assert_eq!(message, format!("{member}: Cannot write this property"));
    }
}

#[tokio::test]
async fn a_put_changes_only_what_it_names() {
    let w = World::new();
    let data = json!({ "name": "x", "notes": "n", "due_on": "2026-04-01", "projects": [w.project] });
    let task = gid(&w.post("/tasks", data).await);
    let record = w.put(&format!("/tasks/{task}"), json!({ "name": "y" })).await;
    assert_eq!(
        (&record["name"], &record["notes"], &record["due_on"]),
        (&json!("y"), &json!("n"), &json!("2026-04-01"))
    );
}

#[tokio::test]
async fn completing_sets_who_and_when_and_reopening_clears_both() {
    let w = World::new();
    let task = w.task("x").await;
    let path = format!("/tasks/{task}");
    w.advance(60);
    let done = w.put(&path, json!({ "completed": true })).await;
    assert_eq!(done["completed_at"], "2026-03-02T09:01:00.000Z");
    assert_eq!(done["completed_by"]["name"], "Connector Bot");
    assert_eq!(done["modified_at"], done["completed_at"]);
    w.advance(60);
    let again = w.put(&path, json!({ "completed": true })).await;
    assert_eq!(again["completed_at"], "2026-03-02T09:01:00.000Z", "completing twice changes nothing");
    assert_eq!(again["modified_at"], done["modified_at"]);
    let open = w.put(&path, json!({ "completed": false })).await;
    assert_eq!((&open["completed_at"], &open["completed_by"]), (&Value::Null, &Value::Null));
    assert!(w.refused(400, "PUT", &path, json!({ "completed": "yes" })).await.starts_with("completed:"));
}

#[tokio::test]
async fn every_outcome_of_an_approval_completes_it() {
    let w = World::new();
    let data = json!({ "name": "x", "resource_subtype": "approval", "projects": [w.project] });
    let task = w.post("/tasks", data).await;
    assert_eq!((&task["approval_status"], &task["completed"]), (&json!("pending"), &json!(false)));
    let path = format!("/tasks/{}", gid(&task));
    for (status, completed) in [
        ("rejected", true),
        ("pending", false),
        ("changes_requested", true),
        ("approved", true),
        ("pending", false),
    ] {
        let task = w.put(&path, json!({ "approval_status": status })).await;
        assert_eq!((&task["approval_status"], &task["completed"]), (&json!(status), &json!(completed)));
        assert_eq!(task["completed_at"].is_null(), !completed);
    }
    let task = w.put(&path, json!({ "completed": true })).await;
    assert_eq!(task["approval_status"], "approved");
    let plain = w.task("y").await;
    let full = w.data(&format!("/tasks/{plain}")).await;
    assert!(full.get("approval_status").is_none());
    w.refused(400, "PUT", &format!("/tasks/{plain}"), json!({ "approval_status": "approved" })).await;
}

#[tokio::test]
async fn dates_come_one_at_a_time_and_a_start_needs_a_due_date() {
    let w = World::new();
    let task = w.task("x").await;
    let path = format!("/tasks/{task}");
    let both = json!({ "due_on": "2026-04-01", "due_at": "2026-04-01T10:00:00.000Z" });
    assert_eq!(w.refused(400, "PUT", &path, both).await, "You may only provide one of due_on or due_at!");
    w.refused(400, "PUT", &path, json!({ "start_on": "2026-03-01" })).await;
    let message = w.refused(400, "PUT", &path, json!({ "due_on": "04/01/2026" })).await;
    assert_eq!(message, "due_on: Date must be in ISO-8601 (yyyy-mm-dd) format, not: 04/01/2026");
    let record = w.put(&path, json!({ "due_at": "2026-04-01T23:30:00+02:00" })).await;
    assert_eq!(
        (&record["due_at"], &record["due_on"]),
        (&json!("2026-04-01T21:30:00.000Z"), &json!("2026-04-01"))
    );
    let record = w.put(&path, json!({ "due_on": "2026-04-02", "start_on": "2026-04-01" })).await;
    assert_eq!((&record["due_at"], &record["start_on"]), (&Value::Null, &json!("2026-04-01")));
    let record = w.put(&path, json!({ "due_on": null })).await;
    assert_eq!(record["due_on"], Value::Null);
}

#[tokio::test]
async fn html_notes_stand_in_a_body_element() {
    let w = World::new();
    let task = w.task("x").await;
    let path = format!("/tasks/{task}");
    w.refused(400, "PUT", &path, json!({ "html_notes": "<b>no body</b>" })).await;
    let record = w.put(&path, json!({ "html_notes": "<body>one <b>two</b> &amp; three</body>" })).await;
    assert_eq!(record["notes"], "one two & three");
    w.put(&path, json!({ "notes": "a < b" })).await;
    let html = w.data(&format!("{path}?opt_fields=html_notes")).await;
    assert_eq!(html["html_notes"], "<body>a &lt; b</body>");
}

#[tokio::test]
async fn an_assignee_is_me_a_gid_or_an_email() {
    let w = World::new();
    let task = w.task("x").await;
    let path = format!("/tasks/{task}");
    for named in ["me", "connector@example.com"] {
        assert_eq!(w.put(&path, json!({ "assignee": named })).await["assignee"]["name"], "Connector Bot");
    }
    let message = w.refused(400, "PUT", &path, json!({ "assignee": "nobody@example.com" })).await;
    assert_eq!(message, "assignee: Not a user in Organization: nobody@example.com");
    assert_eq!(w.put(&path, json!({ "assignee": null })).await["assignee"], Value::Null);
}

#[tokio::test]
async fn moving_between_projects_leaves_the_date_of_change() {
    let w = World::new();
    let task = w.task("x").await;
    let other = w.asana.seed_project(&w.workspace, "Other").unwrap();
    let section = w.asana.seed_section(&other, "Late").unwrap();
    w.advance(60);
    let added =
        w.post(&format!("/tasks/{task}/addProject"), json!({ "project": other, "section": section })).await;
    assert_eq!(added, json!({}));
    w.post(&format!("/tasks/{task}/removeProject"), json!({ "project": w.project })).await;
    let record = w.data(&format!("/tasks/{task}")).await;
    assert_eq!(record["modified_at"], "2026-03-02T09:00:00.000Z");
    assert_eq!(record["memberships"][0]["section"]["name"], "Late");
    assert_eq!(names(&w.data(&format!("/tasks?project={}", w.project)).await), [""; 0]);
}

#[tokio::test]
async fn a_task_is_in_at_most_twenty_projects() {
    let w = World::new();
    let task = w.task("x").await;
    for i in 0..19 {
        let other = w.asana.seed_project(&w.workspace, &format!("P{i}")).unwrap();
        w.post(&format!("/tasks/{task}/addProject"), json!({ "project": other })).await;
    }
    let last = w.asana.seed_project(&w.workspace, "P20").unwrap();
    w.refused(400, "POST", &format!("/tasks/{task}/addProject"), json!({ "project": last })).await;
}

#[tokio::test]
async fn a_place_in_a_project_can_be_named() {
    let w = World::new();
    let path = format!("/tasks?project={}", w.project);
    let (a, b, c) = (w.task("a").await, w.task("b").await, w.task("c").await);
    assert_eq!(names(&w.data(&path).await), ["a", "b", "c"]);
    let to = |task: &str| format!("/tasks/{task}/addProject");
    w.post(&to(&c), json!({ "project": w.project, "insert_before": b })).await;
    assert_eq!(names(&w.data(&path).await), ["a", "c", "b"]);
    w.post(&to(&a), json!({ "project": w.project, "insert_after": b })).await;
    assert_eq!(names(&w.data(&path).await), ["c", "b", "a"]);
    let start = json!({ "project": w.project, "section": w.section, "insert_after": null });
    w.post(&to(&b), start).await;
    assert_eq!(names(&w.data(&path).await), ["b", "c", "a"]);
    let both = json!({ "project": w.project, "insert_after": a, "insert_before": c });
    w.refused(400, "POST", &to(&b), both).await;
}

#[tokio::test]
async fn a_section_takes_a_task_at_its_top() {
    let w = World::new();
    let paid = w.asana.seed_section(&w.project, "Paid").unwrap();
    let (a, b) = (w.task("a").await, w.task("b").await);
    for task in [&a, &b] {
        let done = w.post(&format!("/sections/{paid}/addTask"), json!({ "task": task })).await;
        assert_eq!(done, json!({}));
    }
    assert_eq!(names(&w.data(&format!("/tasks?section={paid}")).await), ["b", "a"]);
    let record = w.data(&format!("/tasks/{a}")).await;
    assert_eq!(record["memberships"].as_array().unwrap().len(), 1, "it left the other section");
}

#[tokio::test]
async fn a_deleted_task_is_404_and_in_no_listing() {
    let w = World::new();
    let task = w.task("x").await;
    assert_eq!(w.send("DELETE", &format!("/tasks/{task}"), None).await.body["data"], json!({}));
    w.refused_get(404, &format!("/tasks/{task}")).await;
    let since = format!("/tasks?project={}&modified_since=2020-01-01T00:00:00.000Z", w.project);
    assert_eq!(names(&w.data(&since).await), [""; 0]);
}

#[tokio::test]
async fn a_comment_changes_the_tasks_date() {
    let w = World::new();
    let task = w.task("x").await;
    w.advance(5);
    let path = format!("/tasks/{task}/stories");
    let story = w.post(&path, json!({ "text": "posted" })).await;
    assert_eq!((&story["text"], &story["resource_subtype"]), (&json!("posted"), &json!("comment_added")));
    assert_eq!(story["created_by"]["name"], "Connector Bot");
    assert_eq!(w.data(&format!("/tasks/{task}")).await["modified_at"], "2026-03-02T09:00:05.000Z");
    w.refused(400, "POST", &path, json!({ "text": "a", "html_text": "<body>a</body>" })).await;
    w.refused(400, "POST", &path, json!({})).await;
    assert_eq!(w.data(&path).await[0]["text"], "posted");
}

#[tokio::test]
async fn an_upload_answers_200() {
    let w = World::new();
    let task = w.task("x").await;
    let body = format!(
        "--b\r\nContent-Disposition: form-data; name=\"parent\"\r\n\r\n{task}\r\n--b\r\n\
         Content-Disposition: form-data; name=\"file\"; filename=\"po.pdf\"\r\n\r\n12345\r\n--b--\r\n"
    );
    let request = Request::post("/api/1.0/attachments")
        .header("authorization", "Bearer sandbox-asana-token")
        .header("content-type", "multipart/form-data; boundary=b")
        .body(Body::from(body))
        .unwrap();
    let answer = w.exchange(request).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    w.judge("POST", "/attachments", None, &answer);
    let made = &answer.body["data"];
    assert_eq!((&made["name"], &made["size"]), (&json!("po.pdf"), &json!(5)));
    assert_eq!(&w.data(&format!("/attachments/{}", gid(made))).await["parent"]["gid"], &json!(task));
}

#[tokio::test]
async fn external_ids_are_the_apps_own_and_need_oauth() {
    let w = World::configured(|c| c.tokens.push(oauth_token()));
    let app = w.as_token("oauth-token");
    let data = json!({ "projects": [w.project], "external": { "gid": "oracle:ap:3001", "data": "{}" } });
    let task = app.post("/tasks", data.clone()).await;
    assert_eq!(task["external"]["gid"], "oracle:ap:3001");
    assert_eq!(app.data("/tasks/external:oracle%3Aap%3A3001").await["gid"], task["gid"]);
    app.refused(400, "POST", "/tasks", data.clone()).await;
    // A personal token neither sees nor writes it.
    w.refused_get(404, "/tasks/external:oracle%3Aap%3A3001").await;
    assert!(w.data(&format!("/tasks/{}", gid(&task))).await.get("external").is_none());
    assert!(w.post("/tasks", data).await.get("external").is_none());
}

#[tokio::test]
async fn another_app_does_not_see_external_ids() {
    let other = TokenConfig { token: "other".to_owned(), app: Some("else".to_owned()), ..oauth_token() };
    let w = World::configured(|c| c.tokens.extend([oauth_token(), other]));
    let data = json!({ "projects": [w.project], "external": { "gid": "k" } });
    w.as_token("oauth-token").post("/tasks", data.clone()).await;
    w.as_token("other").refused_get(404, "/tasks/external:k").await;
    w.as_token("other").post("/tasks", data).await;
}

#[tokio::test]
async fn an_unknown_member_is_ignored_or_refused_by_setting() {
    let w = World::new();
    w.post("/tasks", json!({ "projects": [w.project], "nmae": "typo" })).await;
    let w = World::configured(|c| c.unknown_members = Strictness::Refuse);
    w.refused(400, "POST", "/tasks", json!({ "projects": [w.project], "nmae": "typo" })).await;
}
