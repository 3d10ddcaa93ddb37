//! Tokens, routes, bodies and the choice of fields.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::{TOKEN, World, gid, keys, value};
use sandbox::asana::{BarePaths, Edit, FieldKind};

#[tokio::test]
async fn a_request_without_a_known_token_is_not_authorized() {
    let w = World::new();
    for token in ["", "0/bogus"] {
        let answer = w.as_token(token).send("GET", "/users/me", None).await;
        assert_eq!((answer.status, answer.message()), (401, "Not Authorized"));
        assert_eq!(answer.headers["content-type"], "application/json; charset=UTF-8");
    }
    let bare = Request::builder().uri("/api/1.0/users/me").body(Body::empty()).unwrap();
    assert_eq!(w.exchange(bare).await.status, 401);
    assert_eq!(w.get("/users/me").await["data"]["email"], "connector@example.com");
}

#[tokio::test]
async fn a_revoked_token_answers_401() {
    let w = World::new();
    w.edit(Edit::RevokeToken { token: TOKEN.to_owned() });
    assert_eq!(w.send("GET", "/users/me", None).await.status, 401);
}

#[tokio::test]
async fn an_unknown_route_and_a_wrong_method_are_404_even_without_a_token() {
    let w = World::new();
    for (method, path) in
        [("GET", "/nothing/here"), ("PATCH", "/users/me"), ("DELETE", "/workspaces"), ("POST", "/users/me")]
    {
        for w in [&w, &w.as_token("bogus")] {
            let answer = w.send(method, path, None).await;
            assert_eq!(
                (answer.status, answer.message()),
                (404, "No matching route for request"),
                "{method} {path}"
            );
        }
    }
}

#[tokio::test]
async fn an_unknown_object_is_404_in_the_path_and_400_in_the_body() {
    let w = World::new();
    assert_eq!(w.refused_get(404, "/tasks/99").await, "task: Unknown object: 99");
    assert_eq!(w.refused_get(404, "/projects/99").await, "project: Unknown object: 99");
    assert_eq!(w.refused_get(400, "/tasks/abc").await, "task: Not a recognized ID: abc");
    assert_eq!(
        w.refused(400, "POST", "/tasks", json!({ "projects": ["99"] })).await,
        "projects: [0]: Unknown object: 99"
    );
    assert_eq!(
        w.refused(400, "POST", "/tasks", json!({ "workspace": 12 })).await,
        "workspace: Not a valid GID type: number"
    );
}

#[tokio::test]
async fn a_body_holds_data_and_options_and_nothing_else() {
    let w = World::new();
    let stray = w.send("POST", "/tasks", Some(json!({ "name": "x", "data": {} }))).await;
    assert_eq!(stray.status, 400);
    assert_eq!(
        stray.message(),
        "Unrecognized request field `name`. The only allowed keys at the top level are: data, options. \
         Is it possible you did not wrap object properties in a `data` object?"
    );
    for broken in ["{\"data\":", "[]", "nonsense"] {
        let answer = w.send_text("POST", "/tasks", Some(broken.to_owned())).await;
        assert_eq!((answer.status, answer.message()), (400, "Could not parse request data, invalid JSON"));
    }
}

#[tokio::test]
async fn an_error_carries_help_and_no_phrase() {
    let w = World::new();
    let answer = w.send("GET", "/tasks/99", None).await;
    assert_eq!(keys(&answer.body["errors"][0]), ["help", "message"]);
}

#[tokio::test]
async fn a_created_object_says_where_it_is() {
    let w = World::new();
    let answer =
        w.send("POST", "/tasks", Some(json!({ "data": { "name": "x", "projects": [w.project] } }))).await;
    assert_eq!(answer.status, 201);
    let task = gid(&answer.body["data"]);
    assert_eq!(answer.headers["location"], format!("http://asana.test/api/1.0/tasks/{task}"));
    assert_eq!(task.len(), 16);
}

#[tokio::test]
async fn listings_are_compact_and_single_reads_are_full() {
    let w = World::new();
    let task = w.task("x").await;
    let rows = w.data(&format!("/tasks?project={}", w.project)).await;
    assert_eq!(keys(&rows[0]), ["gid", "name", "resource_subtype", "resource_type"]);
    let full = w.data(&format!("/tasks/{task}")).await;
    for member in ["completed", "modified_at", "custom_fields", "memberships", "permalink_url", "workspace"] {
        assert!(full.get(member).is_some(), "{member}");
    }
    for opt_in in ["num_subtasks", "html_notes", "dependencies", "created_by"] {
        assert!(full.get(opt_in).is_none(), "{opt_in}");
    }
}

#[tokio::test]
async fn opt_fields_answers_exactly_what_it_names_and_the_gid() {
    let w = World::new();
    let field = w.field("PO", FieldKind::Text);
    let task = w.task("x").await;
    w.set(&task, &field, json!("PO-1")).await;
    let read = |fields: &'static str| {
        let path = format!("/tasks/{task}?opt_fields={fields}");
        let w = &w;
        async move { w.data(&path).await }
    };
    assert_eq!(keys(&read("name").await), ["gid", "name"]);
    assert_eq!(keys(&read("this.name,nonsense,a.b.c").await), ["gid", "name"]);
    let record = read("custom_fields.text_value,memberships.project.gid").await;
    assert_eq!(keys(&record), ["custom_fields", "gid", "memberships"]);
    assert_eq!(record["custom_fields"], json!([{ "gid": field, "text_value": "PO-1" }]));
    assert_eq!(record["memberships"], json!([{ "project": { "gid": w.project } }]));
    let people = read("(followers|completed_by).email").await;
    assert_eq!(keys(&people["followers"][0]), ["email", "gid"]);
    assert_eq!(people["completed_by"], Value::Null);
}

#[tokio::test]
async fn a_bare_path_to_an_object_follows_the_setting() {
    for (setting, expected) in [
        (BarePaths::Compact, vec!["gid", "name", "resource_type"]),
        (BarePaths::GidOnly, vec!["gid", "resource_type"]),
    ] {
        let w = World::configured(|c| c.bare_paths = setting);
        let field = w.field("PO", FieldKind::Text);
        let task = w.task("x").await;
        let record = w.data(&format!("/tasks/{task}?opt_fields=projects,custom_fields")).await;
        assert_eq!(keys(&record["projects"][0]), expected);
        assert!(value(&record, &field).get("text_value").is_some(), "custom fields are whole once named");
    }
}

#[tokio::test]
async fn options_in_a_body_choose_fields_too() {
    let w = World::new();
    let task = w.task("x").await;
    let body = json!({ "data": { "name": "y" }, "options": { "fields": ["name", "completed"] } });
    let answer = w.send_text("PUT", &format!("/tasks/{task}"), Some(body.to_string())).await;
    assert_eq!(keys(&answer.body["data"]), ["completed", "gid", "name"]);
}
