//! The HTTP side of ml-connector: health for machines, a status page for people, and where Asana delivers
//! ([`hooks`]).
//!
//! It shows counts and states, never a record, a name from a record, or a secret.

pub mod hooks;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use connector::Engine;
use connector::store::{connections, jobs, movements};
use maud::{DOCTYPE, Markup, PreEscaped, html};
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
        .route("/", get(status))
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
                meta http-equiv="refresh" content=(REFRESH_SECONDS);
                title { "ml-connector" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    h1 { "ml-connector" }
                    @if rows.is_empty() {
                        section { "There is no connection yet. Add one with " code { "ml-connector connection add" } "." }
                    }
                    @for row in rows { (connection(row)) }
                    p.quiet { "All times are UTC. The page renews itself every " (REFRESH_SECONDS) " seconds." }
                }
            }
        }
    }
}

fn connection(row: &Row) -> Markup {
    let counts = row.counts;
    html! {
        section {
            h2 { (row.name) span class={ "pill " (row.state) } { (row.state) } }
            dl.counts {
                div { dt { "to be written" } dd { (counts.open) } }
                div { dt { "delivered" } dd { (counts.delivered) } }
                div.bad[counts.held > 0] { dt { "held for a person" } dd { (counts.held) } }
                div.bad[counts.failed > 0] { dt { "failed" } dd { (counts.failed) } }
            }
            @if counts.held > 0 { (look("held", "Why they are held", &row.name)) }
            @if counts.failed > 0 { (look("failed", "Why they failed", &row.name)) }
            table {
                thead { tr { th { "job" } th { "next" } th { "last ended" } th { "trouble" } } }
                tbody { @for job in &row.jobs { (job_row(job)) } }
            }
        }
    }
}

/// Where the reasons stand: this page shows none, since a reason can name a record.
fn look(state: &str, what: &str, name: &str) -> Markup {
    html! { p { (what) ": " code { "ml-connector movements list " (name) " --state " (state) } } }
}

fn job_row(job: &jobs::JobStatus) -> Markup {
    let name = match job.job.as_str() {
        "purchase_orders" => "read purchase orders",
        "invoices" => "read invoices",
        "push" => "write to Asana",
        other => other,
    };
    html! {
        tr {
            td data-label="job" { (name) }
            td.time data-label="next" {
                @if job.running { "running" }
                @else if let Some(due) = job.due_at { (due.strftime(TIME)) }
                @else { "when there is work" }
            }
            td.time data-label="last ended" {
                @if let Some(at) = job.finished_at { (at.strftime(TIME)) } @else { "–" }
            }
            td data-label="trouble" {
                @if job.maintenance { span.quiet { (MAINTENANCE) } }
                @else if let Some(code) = &job.code { span.trouble { (code) " " (job.reason.as_deref().unwrap_or_default()) } }
                @else { span.quiet { "none" } }
            }
        }
    }
}

/// No trouble for some hours, and nothing for a person to do.
const MAINTENANCE: &str = "Oracle maintenance";
/// Seconds after which a browser asks again.
const REFRESH_SECONDS: u32 = 5;
const TIME: &str = "%Y-%m-%d %H:%M:%S";
const STYLE: &str = include_str!("status.css");
