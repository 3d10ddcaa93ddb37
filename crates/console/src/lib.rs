//! The HTTP side of ml-connector: health for machines, a status page for people.
//!
//! It shows counts and states, never a record, a name from a record, or a secret.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use connector::Engine;
use connector::store::{connections, jobs, movements};
use maud::{DOCTYPE, Markup, html};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Serves until `stop` turns true.
///
/// # Errors
/// Whatever the listener fails with.
pub async fn serve(
    listener: TcpListener,
    engine: Arc<Engine>,
    mut stop: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let routes = Router::new()
        .route("/health", get(health))
        .route("/ready", get(ready))
        .route("/", get(status))
        .with_state(engine);
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

struct Row {
    name: String,
    state: &'static str,
    jobs: Vec<jobs::JobStatus>,
    counts: movements::Counts,
}

async fn status(State(engine): State<Arc<Engine>>) -> Response {
    match rows(&engine).await {
        Ok(rows) => page(&rows).into_response(),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response(),
    }
}

async fn rows(engine: &Engine) -> connector::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for connection in connections::list(&engine.db).await? {
        rows.push(Row {
            jobs: jobs::status(&engine.db, connection.id).await?,
            counts: movements::count(&engine.db, connection.id).await?,
            state: connection.state.as_str(),
            name: connection.name,
        });
    }
    Ok(rows)
}

fn page(rows: &[Row]) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="refresh" content="5";
                title { "ml-connector" }
                style { (STYLE) }
            }
            body {
                h1 { "ml-connector" }
                @if rows.is_empty() { p { "There is no connection yet." } }
                @for row in rows {
                    h2 { (row.name) " " span class=(row.state) { (row.state) } }
                    table {
                        tr { th { "open" } th { "delivered" } th { "held" } th { "failed" } }
                        tr { td { (row.counts.open) } td { (row.counts.delivered) } td { (row.counts.held) } td { (row.counts.failed) } }
                    }
                    table {
                        tr { th { "job" } th { "due" } th { "last ended" } th { "trouble" } }
                        @for job in &row.jobs {
                            tr {
                                td { (job.job) }
                                td { @if job.running { "running" } @else if let Some(due) = job.due_at { (due.strftime("%H:%M:%SZ")) } @else { "–" } }
                                td { @if let Some(at) = job.finished_at { (at.strftime("%Y-%m-%d %H:%M:%SZ")) } @else { "–" } }
                                td { @if let Some(code) = &job.code { (code) " " } @if let Some(reason) = &job.reason { (reason) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#222}\
table{border-collapse:collapse;margin:.5rem 0 1rem;width:100%}th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ddd}\
th{color:#666;font-weight:600}h2 span{font-size:.8rem;padding:.1rem .5rem;border-radius:1rem;background:#eee;vertical-align:middle}\
.active{background:#d3f0d8!important}.paused{background:#fbe8c8!important}";
