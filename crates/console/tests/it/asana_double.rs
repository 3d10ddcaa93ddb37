//! Asana's side of webhooks, as far as it is documented: the handshake within the request, the list, deletion.
//! What it does wrong on purpose stands in [`Manner`].

use std::sync::{Arc, Mutex};

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::fixture::{fresh_gid, signed};

/// How a request for a webhook is treated.
#[derive(Clone, Default)]
pub struct Manner {
    /// Somebody else's handshakes, before Asana's own.
    pub intruders: Vec<&'static str>,
    /// Whether Asana's own handshake is left out.
    pub silent: bool,
    /// Another secret than the handshake's in the answer; the empty one: none at all.
    pub says: Option<&'static str>,
    /// Refused before any handshake.
    pub refusal: Option<(u16, &'static str)>,
}

#[derive(Clone, Debug)]
pub struct Kept {
    pub gid: String,
    pub resource: String,
    pub target: String,
    pub secret: String,
    pub filters: Value,
}

#[derive(Default)]
struct Memory {
    manner: Manner,
    webhooks: Vec<Kept>,
    projects: Vec<(String, bool)>,
    asked: u32,
    /// Statuses of all handshakes.
    handshakes: Vec<u16>,
}

#[derive(Clone)]
pub struct Asana {
    pub url: String,
    memory: Arc<Mutex<Memory>>,
}

impl Asana {
    pub async fn start() -> Asana {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/api/1.0", listener.local_addr().unwrap());
        let asana = Asana { url, memory: Arc::default() };
        let routes = Router::new()
            .route("/api/1.0/webhooks", post(create).get(list))
            .route("/api/1.0/webhooks/{gid}", delete(remove))
            .route("/api/1.0/projects", get(projects))
            .with_state(asana.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        asana
    }

    pub fn behave(&self, manner: Manner) {
        self.memory.lock().unwrap().manner = manner;
    }

    pub fn webhooks(&self) -> Vec<Kept> {
        self.memory.lock().unwrap().webhooks.clone()
    }

    /// A webhook that is there without anybody having asked.
    pub fn keep(&self, resource: &str, target: &str) -> String {
        let (gid, secret) = (fresh_gid(), "foreign".to_owned());
        let kept = Kept {
            gid: gid.clone(),
            resource: resource.into(),
            target: target.into(),
            secret,
            filters: json!([]),
        };
        self.memory.lock().unwrap().webhooks.push(kept);
        gid
    }

    /// As Asana does after a day of failure.
    pub fn forget(&self, gid: &str) {
        self.memory.lock().unwrap().webhooks.retain(|kept| kept.gid != gid);
    }

    pub fn set_projects(&self, projects: &[(&str, bool)]) {
        self.memory.lock().unwrap().projects =
            projects.iter().map(|(gid, archived)| ((*gid).to_owned(), *archived)).collect();
    }

    /// Requests for webhooks.
    pub fn asked(&self) -> u32 {
        self.memory.lock().unwrap().asked
    }

    pub fn handshakes(&self) -> Vec<u16> {
        self.memory.lock().unwrap().handshakes.clone()
    }

    /// Sends a delivery of a webhook that is kept.
    pub async fn deliver(&self, kept: &Kept, body: &str) -> u16 {
        let mut request = reqwest::Client::new().post(&kept.target).body(body.to_owned());
        for (name, value) in signed(&kept.secret, body.as_bytes()).headers() {
            request = request.header(name, value);
        }
        request.send().await.unwrap().status().as_u16()
    }

    async fn shake(&self, target: &str, secret: &str) -> bool {
        let sent = reqwest::Client::new().post(target).header("X-Hook-Secret", secret).send().await;
        let Ok(answer) = sent else { return false };
        self.memory.lock().unwrap().handshakes.push(answer.status().as_u16());
        answer.status() == 200 && answer.headers().get("x-hook-secret").is_some_and(|echo| echo == secret)
    }
}

fn refusal(status: u16, message: &str) -> (StatusCode, Json<Value>) {
    (StatusCode::from_u16(status).unwrap(), Json(json!({"errors": [{"message": message}]})))
}

fn shown(kept: &Kept) -> Value {
    json!({
        "gid": kept.gid, "resource_type": "webhook", "active": true, "target": kept.target,
        "resource": {"gid": kept.resource, "resource_type": "project", "name": "AP"},
        "created_at": "2026-06-01T08:00:00.000Z", "last_success_at": "2026-06-30T08:00:00.000Z",
        "last_failure_at": null, "last_failure_content": "", "filters": kept.filters,
    })
}

async fn create(State(asana): State<Asana>, Json(body): Json<Value>) -> (StatusCode, Json<Value>) {
    let manner = {
        let mut memory = asana.memory.lock().unwrap();
        memory.asked += 1;
        memory.manner.clone()
    };
    if let Some((status, message)) = manner.refusal {
        return refusal(status, message);
    }
    let text = |name: &str| body["data"][name].as_str().unwrap().to_owned();
    let (resource, target) = (text("resource"), text("target"));
    for intruder in manner.intruders {
        asana.shake(&target, intruder).await;
    }
    let secret = format!("secret-of-{}", fresh_gid());
    if !manner.silent && !asana.shake(&target, &secret).await {
        return refusal(400, "The handshake was not acknowledged");
    }
    let filters = body["data"]["filters"].clone();
    let kept = Kept { gid: fresh_gid(), resource, target, secret: secret.clone(), filters };
    let mut answer = json!({"data": shown(&kept), "X-Hook-Secret": manner.says.unwrap_or(&secret)});
    if manner.says == Some("") {
        answer.as_object_mut().unwrap().remove("X-Hook-Secret");
    }
    asana.memory.lock().unwrap().webhooks.push(kept);
    (StatusCode::CREATED, Json(answer))
}

#[derive(serde::Deserialize)]
struct Asked {
    workspace: String,
    archived: Option<String>,
}

async fn list(State(asana): State<Asana>, Query(asked): Query<Asked>) -> Json<Value> {
    assert_eq!(asked.workspace, "1");
    let data: Vec<Value> = asana.webhooks().iter().map(shown).collect();
    Json(json!({"data": data, "next_page": null}))
}

async fn projects(State(asana): State<Asana>, Query(asked): Query<Asked>) -> Json<Value> {
    assert_eq!((asked.workspace.as_str(), asked.archived.as_deref()), ("1", Some("false")));
    let memory = asana.memory.lock().unwrap();
    let data: Vec<Value> =
        memory.projects.iter().map(|(gid, archived)| json!({"gid": gid, "archived": archived})).collect();
    Json(json!({"data": data, "next_page": null}))
}

async fn remove(State(asana): State<Asana>, Path(gid): Path<String>) -> (StatusCode, Json<Value>) {
    if asana.webhooks().iter().any(|kept| kept.gid == gid) {
        asana.forget(&gid);
        return (StatusCode::OK, Json(json!({"data": {}})));
    }
    refusal(404, "webhook: Unknown object")
}
