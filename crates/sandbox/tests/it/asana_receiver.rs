//! A target of webhooks: answers handshakes and deliveries as told, and keeps what came.

use std::future::pending;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::World;

/// How a handshake is answered.
#[derive(Clone, Debug)]
pub enum Handshake {
    /// This status with the secret that came.
    Echo(u16),
    /// 200 with this secret.
    Other(&'static str),
    /// 200 without the header.
    Bare,
    /// Never.
    Silence,
}

/// How a delivery is answered.
#[derive(Clone, Copy, Debug)]
pub enum Delivery {
    /// This status, with a body that says so.
    Status(u16),
    /// Never.
    Silence,
}

/// One request that came.
#[derive(Clone, Debug)]
pub struct Got {
    pub target: String,
    pub headers: HeaderMap,
    pub body: String,
}

impl Got {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|v| v.to_str().unwrap())
    }

    pub fn events(&self) -> Vec<Value> {
        let body: Value = serde_json::from_str(&self.body).unwrap();
        body["events"].as_array().unwrap().clone()
    }
}

struct Shared {
    handshake: Mutex<Handshake>,
    delivery: Mutex<Delivery>,
    got: watch::Sender<Vec<Got>>,
}

/// A listener on a port of its own; closes when dropped.
pub struct Receiver {
    address: String,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn receive(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let got = Got {
        target: parts.uri.to_string(),
        headers: parts.headers,
        body: String::from_utf8(bytes.to_vec()).unwrap(),
    };
    let secret = got.header("x-hook-secret").map(str::to_owned);
    shared.got.send_modify(|all| all.push(got));
    let (handshake, delivery) = (shared.handshake.lock().unwrap().clone(), *shared.delivery.lock().unwrap());
    let status = |code: u16| StatusCode::from_u16(code).unwrap();
    match (secret, handshake, delivery) {
        (Some(secret), Handshake::Echo(code), _) => {
            (status(code), [("x-hook-secret", secret)]).into_response()
        }
        (Some(_), Handshake::Other(secret), _) => [("X-Hook-Secret", secret)].into_response(),
        (Some(_), Handshake::Bare, _) => StatusCode::OK.into_response(),
        (None, _, Delivery::Status(code)) => {
            (status(code), [("location", "/elsewhere")], format!("answered {code}")).into_response()
        }
        (Some(_), Handshake::Silence, _) | (None, _, Delivery::Silence) => pending().await,
    }
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            handshake: Mutex::new(Handshake::Echo(200)),
            delivery: Mutex::new(Delivery::Status(200)),
            got: watch::Sender::default(),
        });
        let router = Router::new().fallback(receive).with_state(shared.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, shared, serving }
    }

    /// An address that nobody listens on.
    pub async fn nowhere() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}/hooks", listener.local_addr().unwrap())
    }

    pub fn url(&self) -> String {
        self.at("one")
    }

    /// A target of this receiver with a name of its own.
    pub fn at(&self, name: &str) -> String {
        format!("{}/hooks/{name}?app=ml", self.address)
    }

    pub fn handshakes_with(&self, answer: Handshake) {
        *self.shared.handshake.lock().unwrap() = answer;
    }

    pub fn answers(&self, answer: Delivery) {
        *self.shared.delivery.lock().unwrap() = answer;
    }

    pub fn all(&self) -> Vec<Got> {
        self.shared.got.borrow().clone()
    }

    /// What came with a signature: deliveries and heartbeats.
    pub fn deliveries(&self) -> Vec<Got> {
        self.all().into_iter().filter(|got| got.header("x-hook-signature").is_some()).collect()
    }

    /// The events of all deliveries, in order of arrival.
    pub fn events(&self) -> Vec<Value> {
        self.deliveries().iter().flat_map(Got::events).collect()
    }

    /// Forgets what came.
    pub fn forget(&self) {
        self.shared.got.send_modify(Vec::clear);
    }

    /// Returns once this many requests have come.
    pub async fn reached(&self, count: usize) {
        self.shared.got.subscribe().wait_for(|all| all.len() >= count).await.unwrap();
    }
}

/// A registered webhook with its secret.
pub struct Hook {
    pub gid: String,
    pub secret: String,
}

impl Hook {
    pub fn path(&self) -> String {
        format!("/webhooks/{}", self.gid)
    }
}

impl World {
    /// Registers a webhook, which must succeed.
    pub async fn register(&self, resource: &str, target: &str, filters: Value) -> Hook {
        let data = json!({ "resource": resource, "target": target, "filters": filters });
        let answer = self.send("POST", "/webhooks", Some(json!({ "data": data }))).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        Hook {
            gid: answer.body["data"]["gid"].as_str().unwrap().to_owned(),
            secret: answer.body["X-Hook-Secret"].as_str().unwrap().to_owned(),
        }
    }

    /// A webhook on the project with a receiver of its own.
    pub async fn listen(&self, filters: Value) -> (Receiver, Hook) {
        let receiver = Receiver::start().await;
        let hook = self.register(&self.project, &receiver.url(), filters).await;
        receiver.forget();
        (receiver, hook)
    }

    /// Waits until nothing is due and gives the events that came since the last time.
    pub async fn told(&self, receiver: &Receiver) -> Vec<Value> {
        self.asana.deliveries_settled().await;
        let events = receiver.events();
        receiver.forget();
        events
    }
}

/// An event in few words: action, type of resource, field or parent.
pub fn short(event: &Value) -> String {
    let text = |path: &str| event.pointer(path).and_then(Value::as_str);
    let what = text("/change/field").or(text("/parent/resource_type")).unwrap_or("-");
    format!("{} {} {what}", text("/resource/resource_type").unwrap(), text("/action").unwrap())
}

pub fn shorts(events: &[Value]) -> Vec<String> {
    events.iter().map(short).collect()
}
