//! The status page: counts and states of every connection, and what each job is doing.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use connector::Code;
use connector::Engine;
use connector::store::alerts::Alert;
use connector::store::reconciliation_runs::{self, Run};
use connector::store::{alerts, breakers, completed, connections, jobs, movements};
use maud::{DOCTYPE, Markup, PreEscaped, html};

struct Row {
    name: String,
    state: &'static str,
    jobs: Vec<jobs::JobStatus>,
    sides: Vec<breakers::Failing>,
    alerts: Vec<Alert>,
    counts: movements::Standing,
    /// The last complete comparison of both systems, if there was one.
    compared: Option<Run>,
    /// Completed tasks by the state of their journals, where journals are made.
    journals: Option<BTreeMap<String, i64>>,
}

/// The page.
pub(crate) async fn show(State(engine): State<Arc<Engine>>) -> Response {
    match crate::in_time(rows(&engine)).await {
        Ok(rows) => page(&rows).into_response(),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response(),
    }
}

async fn rows(engine: &Engine) -> connector::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for connection in connections::list(&engine.db).await? {
        let journals = match &connection.settings.journal {
            Some(_) => Some(completed::count(&engine.db, connection.id).await?),
            None => None,
        };
        rows.push(Row {
            journals,
            compared: reconciliation_runs::newest(&engine.db, connection.id, 1).await?.pop(),
            alerts: alerts::list(&engine.db, connection.id, false, MOST_ALERTS).await?,
            jobs: jobs::status(&engine.db, connection.id).await?,
            sides: breakers::failing(&engine.db, connection.id).await?,
            counts: movements::standing(&engine.db, connection.id).await?,
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
            @for alert in &row.alerts { (open_alert(alert)) }
            @if !row.alerts.is_empty() { p { "What to do: " code { "ml-connector alerts list " (row.name) } } }
            dl.counts {
                div { dt { "to be written" } dd { (counts.open) } }
                div.bad[counts.held > 0] { dt { "held for a person" } dd { (counts.held) } }
                div.bad[counts.failed > 0] { dt { "failed" } dd { (counts.failed) } }
            }
            @if counts.held > 0 { (look("movements", "held", "Why they are held", &row.name)) }
            @if counts.failed > 0 { (look("movements", "failed --unsettled", "Why they failed", &row.name)) }
            @if let Some(journals) = &row.journals { (completed_tasks(journals, &row.name)) }
            @if let Some(run) = &row.compared { (comparison(run, &row.name)) }
            @for side in row.sides.iter().filter(|side| side.open) { (failing_side(side)) }
            table {
                thead { tr { th { "job" } th { "next" } th { "last ended" } th { "trouble" } } }
                tbody { @for job in &row.jobs { (job_row(job)) } }
            }
        }
    }
}

/// Title only: the rest can name a record.
fn open_alert(alert: &Alert) -> Markup {
    html! {
        p.bad { span.trouble { (alert.title) } " since " (alert.opened_at.strftime(TIME))
            @if alert.acked_at.is_some() { span.quiet { " (acknowledged)" } } }
    }
}

/// What the last comparison of both systems found.
fn comparison(run: &Run, name: &str) -> Markup {
    html! {
        p { "Both systems were compared at " (run.finished_at.strftime(TIME)) ": "
            @if run.found() == 0 { "they agreed." }
            @else {
                (run.found()) " found to differ, " (run.remaining()) " left. What they are: "
                code { "ml-connector reconcile " (name) " --last" }
            }
        }
    }
}

/// What became of completed tasks.
fn completed_tasks(journals: &BTreeMap<String, i64>, name: &str) -> Markup {
    let of = |states: &[&str]| states.iter().filter_map(|state| journals.get(*state)).sum::<i64>();
    let [held, rejected, in_doubt] = ["held", "rejected", "in_doubt"].map(|state| of(&[state]));
    html! {
        h3 { "Completed tasks" }
        dl.counts {
            div { dt { "journal under way" } dd { (of(&["ready", "submitting", "submitted"])) } }
            div { dt { "journal imported" } dd { (of(&["imported"])) } }
            div { dt { "without journal" } dd { (of(&["skipped", "withdrawn"])) } }
            div.bad[held > 0] { dt { "held" } dd { (held) } }
            div.bad[rejected > 0] { dt { "journal rejected" } dd { (rejected) } }
            div.bad[in_doubt > 0] { dt { "journal in doubt" } dd { (in_doubt) } }
        }
        @if held > 0 { (look("journals", "held", "Why they are held", name)) }
        @if rejected > 0 { (look("journals", "rejected", "Why they were rejected", name)) }
        @if in_doubt > 0 { (look("journals", "in_doubt", "What is known of them", name)) }
    }
}

/// Where the reasons stand: this page shows none, since a reason can name a record.
fn look(list: &str, state: &str, what: &str, name: &str) -> Markup {
    html! { p { (what) ": " code { "ml-connector " (list) " list " (name) " --state " (state) } } }
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
                @else if job.slowed { span.quiet { (SLOWED) } }
                @else if let Some(code) = &job.code { span.trouble { (code) " " (job.reason.as_deref().unwrap_or_default()) } }
                @else { span.quiet { "none" } }
            }
        }
    }
}

/// A side that is asked seldom, since it keeps failing.
fn failing_side(side: &breakers::Failing) -> Markup {
    let name = if side.provider == "oracle" { "Oracle" } else { "Asana" };
    let since = side.opened_at.map(|at| at.strftime(TIME).to_string()).unwrap_or_default();
    let again = side.retry_at.map(|at| at.strftime(TIME).to_string()).unwrap_or_default();
    html! {
        @if side.maintenance {
            p.quiet { (name) " is in maintenance since " (since) ", and is tried again at " (again) "." }
        } @else {
            p { span.trouble {
                (Code::SideFailing.info().code) " " (name) " keeps failing since " (since)
                ", last with " (side.code.as_deref().unwrap_or_default()) ", and is tried again at " (again) "."
            } }
        }
    }
}

/// Nothing for a person to do, for an hour.
const SLOWED: &str = "asked to slow down";
/// No trouble for some hours, and nothing for a person to do.
const MAINTENANCE: &str = "Oracle maintenance";
/// Open alerts shown of one connection.
const MOST_ALERTS: i64 = 20;
/// Seconds after which a browser asks again.
const REFRESH_SECONDS: u32 = 5;
const TIME: &str = "%Y-%m-%d %H:%M:%S";
const STYLE: &str = include_str!("status.css");
