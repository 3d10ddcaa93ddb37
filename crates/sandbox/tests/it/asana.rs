//! The Asana stand-in, called as a client calls it; every call is also held against Asana's OpenAPI document.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use jiff::SignedDuration;
use sandbox::asana::{Asana, AsanaConfig, Edit, FieldKind, FieldSpec, TokenConfig};
use sandbox::clock::VirtualClock;
use serde_json::{Value, json};
use tower::ServiceExt as _;

#[path = "asana_attributes.rs"]
mod attributes;
#[path = "asana_batch.rs"]
mod batch;
#[path = "asana_edits.rs"]
mod edits;
#[path = "asana_events.rs"]
mod events;
#[path = "asana_fields.rs"]
mod fields;
#[path = "asana_limits.rs"]
mod limits;
#[path = "asana_listing.rs"]
mod listing;
#[path = "asana_operations.rs"]
mod operations;
#[path = "asana_projects.rs"]
mod projects;
#[path = "asana_protocol.rs"]
mod protocol;
#[path = "asana_receiver.rs"]
mod receiver;
#[path = "asana_search.rs"]
mod search;
#[path = "asana_spec.rs"]
pub mod spec;
#[path = "asana_tasks.rs"]
mod tasks;
#[path = "asana_values.rs"]
mod values;
#[path = "asana_webhooks.rs"]
mod webhooks;
#[path = "asana_webhooks_deliveries.rs"]
mod webhooks_deliveries;
#[path = "asana_webhooks_told.rs"]
mod webhooks_told;
#[path = "asana_webhooks_trouble.rs"]
mod webhooks_trouble;

const TOKEN: &str = "sandbox-asana-token";
const START: &str = "2026-03-02T09:00:00.000Z";

/// An answer as it came over HTTP.
struct Answer {
    status: u16,
    headers: HeaderMap,
    text: String,
    body: Value,
}

impl Answer {
    fn message(&self) -> &str {
        self.body["errors"][0]["message"].as_str().unwrap_or_default()
    }
}

/// A workspace with one project and one field of each type.
struct World {
    asana: Asana,
    clock: VirtualClock,
    token: String,
    workspace: String,
    project: String,
    section: String,
}

impl World {
    fn new() -> Self {
        Self::with(AsanaConfig::unlimited())
    }

    fn with(config: AsanaConfig) -> Self {
        let clock = VirtualClock::default();
        clock.freeze(START.parse().unwrap());
        let asana = Asana::new(clock.clone(), config);
        let workspace = asana.seed_workspace("Northwind");
        let project = asana.seed_project(&workspace, "Payables").unwrap();
        let section = asana.sections(&project)[0].0.clone();
        Self { asana, clock, token: TOKEN.to_owned(), workspace, project, section }
    }

    /// A configuration without limits that differs in some members.
    fn configured(change: impl FnOnce(&mut AsanaConfig)) -> Self {
        let mut config = AsanaConfig::unlimited();
        change(&mut config);
        Self::with(config)
    }

    /// The same world seen with another token.
    fn as_token(&self, token: &str) -> Self {
        Self {
            asana: self.asana.clone(),
            clock: self.clock.clone(),
            token: token.to_owned(),
            workspace: self.workspace.clone(),
            project: self.project.clone(),
            section: self.section.clone(),
        }
    }

    fn field(&self, name: &str, kind: FieldKind) -> String {
        let gid = self.asana.seed_field(&self.workspace, &FieldSpec::new(name, kind)).unwrap();
        self.asana.seed_attach(&self.project, &gid).unwrap();
        gid
    }

    fn edit(&self, edit: Edit) {
        self.asana.apply(edit).unwrap();
    }

    fn advance(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// Sends a request and judges it by the OpenAPI document, unless `path` is not an operation of it.
    async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let text = body.as_ref().map(Value::to_string);
        let answer = self.send_text(method, path, text).await;
        self.judge(method, path, body.as_ref(), &answer);
        answer
    }

    async fn send_text(&self, method: &str, path: &str, body: Option<String>) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/1.0{path}"))
            .header("host", "asana.test")
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json")
            .body(body.map_or_else(Body::empty, Body::from))
            .unwrap();
        self.exchange(request).await
    }

    async fn exchange(&self, request: Request<Body>) -> Answer {
        let response = self.asana.router().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer { status: parts.status.as_u16(), headers: parts.headers, text, body }
    }

    fn judge(&self, method: &str, path: &str, request: Option<&Value>, answer: &Answer) {
        let Some(spec) = spec::Spec::shared() else { return };
        // What is refused need not be well formed; what is accepted must be.
        let request = request.filter(|_| answer.status < 400);
        let found = spec.violations(method, path, answer.status, request, Some(&answer.body));
        let unrouted = answer.status == 404 && answer.message() == "No matching route for request";
        let query_alone = found.iter().all(|v| v.contains("query parameter"));
        assert!(found.is_empty() || unrouted || query_alone, "{found:#?}\n{}", answer.text);
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.send("GET", path, None).await;
        assert_eq!(answer.status, 200, "GET {path}: {}", answer.text);
        answer.body
    }

    /// The `data` of a single read or a listing.
    async fn data(&self, path: &str) -> Value {
        self.get(path).await["data"].take()
    }

    async fn post(&self, path: &str, data: Value) -> Value {
        let answer = self.send("POST", path, Some(json!({ "data": data }))).await;
        assert!(matches!(answer.status, 200 | 201), "POST {path}: {}", answer.text);
        answer.body["data"].clone()
    }

    async fn put(&self, path: &str, data: Value) -> Value {
        let answer = self.send("PUT", path, Some(json!({ "data": data }))).await;
        assert_eq!(answer.status, 200, "PUT {path}: {}", answer.text);
        answer.body["data"].clone()
    }

    async fn refused(&self, status: u16, method: &str, path: &str, data: Value) -> String {
        let answer = self.send(method, path, Some(json!({ "data": data }))).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text);
        answer.message().to_owned()
    }

    async fn refused_get(&self, status: u16, path: &str) -> String {
        let answer = self.send("GET", path, None).await;
        assert_eq!(answer.status, status, "GET {path}: {}", answer.text);
        answer.message().to_owned()
    }

    async fn task(&self, name: &str) -> String {
        gid(&self.post("/tasks", json!({ "name": name, "projects": [self.project] })).await)
    }

    async fn set(&self, task: &str, field: &str, value: Value) -> Value {
        self.put(&format!("/tasks/{task}"), json!({ "custom_fields": { field: value } })).await
    }

    async fn set_refused(&self, task: &str, field: &str, value: Value) -> String {
        self.refused(400, "PUT", &format!("/tasks/{task}"), json!({ "custom_fields": { field: value } }))
            .await
    }
}

fn gid(record: &Value) -> String {
    record["gid"].as_str().unwrap().to_owned()
}

fn names(rows: &Value) -> Vec<&str> {
    rows.as_array().unwrap().iter().map(|r| r["name"].as_str().unwrap()).collect()
}

fn keys(record: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = record.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

/// The custom field of a task record.
fn value<'r>(record: &'r Value, field: &str) -> &'r Value {
    record["custom_fields"].as_array().unwrap().iter().find(|f| f["gid"] == field).unwrap()
}

/// A token of an OAuth app beside the personal one.
fn oauth_token() -> TokenConfig {
    TokenConfig {
        token: "oauth-token".to_owned(),
        name: "App User".to_owned(),
        email: "app@example.com".to_owned(),
        app: Some("ml".to_owned()),
    }
}
