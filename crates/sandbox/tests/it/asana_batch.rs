//! The batch API.

use serde_json::{Value, json};

use super::{World, names};
use sandbox::asana::{AsanaConfig, TimeBase};

impl World {
    async fn batch(&self, actions: Value) -> Vec<Value> {
        let data = self.post("/batch", json!({ "actions": actions })).await;
        data.as_array().unwrap().clone()
    }
}

#[tokio::test]
async fn each_action_has_its_own_result_in_the_order_of_the_request() {
    let w = World::new();
    let task = w.task("x").await;
    w.task("other").await;
    let path = format!("/tasks/{task}");
    let results = w
        .batch(json!([
            { "method": "put", "relative_path": path, "data": { "name": "y" }, "options": { "fields": ["name"] } },
            { "method": "get", "relative_path": "/tasks/99" },
            { "method": "post", "relative_path": "/tasks", "data": { "name": "z", "projects": [w.project] } },
            { "method": "get", "relative_path": "/tasks", "data": { "project": w.project }, "options": { "limit": 1 } },
        ]))
        .await;
    let codes: Vec<u64> = results.iter().map(|r| r["status_code"].as_u64().unwrap()).collect();
    assert_eq!(codes, [200, 404, 201, 200]);
    assert_eq!(results[0]["body"]["data"], json!({ "gid": task, "name": "y" }));
    assert_eq!(results[1]["body"]["errors"][0]["message"], "task: Unknown object: 99");
    let location = results[2]["headers"]["location"].as_str().unwrap();
    assert!(location.ends_with(results[2]["body"]["data"]["gid"].as_str().unwrap()));
    assert_eq!(names(&results[3]["body"]["data"]).len(), 1);
    assert!(results[3]["body"]["next_page"]["offset"].is_string());
}

#[tokio::test]
async fn a_batch_holds_one_to_ten_actions() {
    let w = World::new();
    let action = json!({ "method": "get", "relative_path": "/users/me" });
    for n in [0, 11] {
        w.refused(400, "POST", "/batch", json!({ "actions": vec![action.clone(); n] })).await;
    }
    w.refused(400, "POST", "/batch", json!({})).await;
    assert_eq!(w.batch(json!(vec![action; 10])).await.len(), 10);
}

#[tokio::test]
async fn what_cannot_be_batched_is_refused_for_that_action_alone() {
    let w = World::new();
    let results = w
        .batch(json!([
            { "method": "post", "relative_path": "/attachments" },
            { "method": "post", "relative_path": "/batch", "data": {} },
            { "method": "get", "relative_path": "/users/me?opt_fields=name" },
            { "method": "get", "relative_path": "/users/me" },
        ]))
        .await;
    let codes: Vec<u64> = results.iter().map(|r| r["status_code"].as_u64().unwrap()).collect();
    assert_eq!(codes, [400, 400, 400, 200]);
}

#[tokio::test]
async fn every_action_counts_and_one_too_many_fails_the_whole_batch() {
    let config = AsanaConfig {
        requests_per_minute: Some(12),
        short_span_seconds: 0,
        limits_clock: TimeBase::Virtual,
        ..AsanaConfig::default()
    };
    let w = World::with(config);
    let create = json!({ "method": "post", "relative_path": "/tasks", "data": { "projects": [w.project] } });
    w.batch(json!(vec![create.clone(); 10])).await;
    w.get("/users/me").await;
    let body = json!({ "data": { "actions": [create.clone(), create] } });
    let answer = w.send("POST", "/batch", Some(body)).await;
    assert_eq!(answer.status, 429);
    w.advance(61);
    assert_eq!(
        names(&w.data(&format!("/tasks?project={}", w.project)).await).len(),
        10,
        "none of the two ran"
    );
}

#[tokio::test]
async fn every_action_counts_as_in_flight() {
    let w = World::with(AsanaConfig { writes_at_once: 5, ..AsanaConfig::default() });
    let create = json!({ "method": "post", "relative_path": "/tasks", "data": { "projects": [w.project] } });
    let body = json!({ "data": { "actions": vec![create; 6] } });
    assert_eq!(w.send("POST", "/batch", Some(body)).await.status, 429);
}
