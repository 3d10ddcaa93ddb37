//! The HTTP side of ml-connector: health for machines, a status page for people, and where Asana delivers
//! ([`hooks`]).
//!
//! It shows counts and states, never a record, a name from a record, or a secret.

pub mod hooks;
mod status;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use connector::Engine;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Serves health and status until `stop` turns true.
///
/// # Errors
/// Whatever the listener fails with.
pub async fn serve(
    listener: TcpListener,
    engine: Arc<Engine>,
    stop: watch::Receiver<bool>,
) -> std::io::Result<()> {
    serve_routes(listener, routes(engine), stop).await
}

/// Serves health and status, and takes Asana's deliveries at the same address, until `stop` turns true.
///
/// # Errors
/// Whatever the listener fails with.
pub async fn serve_with_hooks(
    listener: TcpListener,
    engine: Arc<Engine>,
    receiver: Arc<hooks::Receiver>,
    stop: watch::Receiver<bool>,
) -> std::io::Result<()> {
    serve_routes(listener, routes(engine).merge(hooks::router(receiver)), stop).await
}

fn routes(engine: Arc<Engine>) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/ready", get(ready))
        .route("/", get(status::show))
        .with_state(engine)
}

async fn serve_routes(
    listener: TcpListener,
    routes: Router,
    mut stop: watch::Receiver<bool>,
) -> std::io::Result<()> {
    axum::serve(listener, routes)
        .with_graceful_shutdown(async move {
            // a sender that is gone means the same as stop
            let _ = stop.wait_for(|stop| *stop).await;
        })
        .await
}

/// The process is alive.
async fn health() -> &'static str {
    "ok"
}

/// The database answers and has this program's schema.
async fn ready(State(engine): State<Arc<Engine>>) -> Response {
    match connector::store::is_migrated(&engine.db).await {
        Ok(true) => "ready".into_response(),
        Ok(false) => (StatusCode::SERVICE_UNAVAILABLE, "the schema is not up to date").into_response(),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response(),
    }
}
