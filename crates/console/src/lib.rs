//! The HTTP side of ml-connector: health for machines, a status page for people, and where Asana delivers
//! ([`hooks`]).
//!
//! It shows counts and states, never a record, a name from a record, or a secret.

mod doors;
pub mod hooks;
mod status;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use connector::hooks::token;
use connector::{Code, Engine};
use hyper::body::Incoming;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower::ServiceExt as _;

use crate::hooks::Doors;

/// Serves health and status until `stop` turns true; what is under way then gets a few seconds.
pub async fn serve(listener: TcpListener, engine: Arc<Engine>, stop: watch::Receiver<bool>) {
    let routes = routes(engine);
    doors::serve(listener, Doors::default(), stop, move |request| routed(routes.clone(), request)).await;
}

/// Serves health and status, and takes Asana's deliveries at the same address, until `stop` turns true; what is under
/// way then gets a few seconds.
pub async fn serve_with_hooks(
    listener: TcpListener,
    engine: Arc<Engine>,
    receiver: Arc<hooks::Receiver>,
    doors: Doors,
    stop: watch::Receiver<bool>,
) {
    let routes = routes(engine);
    let answer = move |request: Request<Incoming>| {
        let (receiver, routes) = (receiver.clone(), routes.clone());
        async move {
            // the public address may have a path of its own before it
            if request.uri().path().contains(token::PATH) {
                receiver.answer(request).await
            } else {
                routed(routes, request).await
            }
        }
    };
    doors::serve(listener, doors, stop, answer).await;
}

async fn routed(routes: Router, request: Request<Incoming>) -> Response {
    routes.oneshot(request).await.unwrap_or_else(|never| match never {})
}

fn routes(engine: Arc<Engine>) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/ready", get(ready))
        .route("/", get(status::show))
        .with_state(engine)
}

/// The process is alive.
async fn health() -> &'static str {
    "ok"
}

/// The database answers and has this program's schema.
async fn ready(State(engine): State<Arc<Engine>>) -> Response {
    match in_time(connector::store::is_migrated(&engine.db)).await {
        Ok(true) => "ready".into_response(),
        Ok(false) => (StatusCode::SERVICE_UNAVAILABLE, "the schema is not up to date").into_response(),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response(),
    }
}

/// What the database answers, unless it takes longer than whoever asks for a page waits.
async fn in_time<T>(answer: impl Future<Output = connector::Result<T>>) -> connector::Result<T> {
    let silent = |_| connector::Error::new(Code::Database, "the database does not answer");
    tokio::time::timeout(DATABASE_WITHIN, answer).await.map_err(silent)?
}

/// A database that is away is asked for longer than this: the work waits for it, a page need not.
const DATABASE_WITHIN: Duration = Duration::from_secs(3);
