//! Pages for people: journal batches, their lines, and accounting periods to close and open.

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use maud::{Markup, html};
use rust_decimal::Decimal;
use serde::Deserialize;

use super::calendar::Period;
use super::journal::{Batch, Journal, Status};
use super::seed::{GENERAL_LEDGER, LEDGERS};
use crate::amount_text::grouped;
use crate::oracle::Oracle;
use crate::oracle::edits::Edit;
use crate::oracle::pages::layout;
use crate::oracle::render::instant_text;

/// Batches on a page of the list.
const ROWS: usize = 50;
/// Periods shown before and after the present month.
const PERIODS_AROUND: i64 = 18;

pub(in crate::oracle) fn router() -> Router<Oracle> {
    Router::new()
        .route("/journals", get(list))
        .route("/journals/{batch}", get(one))
        .route("/journals/{batch}/post", post(post_batch))
        .route("/periods", get(periods))
        .route("/periods/{ledger}/{period}/{status}", post(set_period))
}

fn amount(value: Option<Decimal>) -> String {
    value.map_or_else(String::new, |value| grouped(&value.to_string()))
}

fn when(ms: i64) -> String {
    instant_text(ms).replace('T', " ").replace("+00:00", " UTC")
}

#[derive(Deserialize)]
struct ListQuery {
    #[serde(default)]
    page: usize,
}

async fn list(State(oracle): State<Oracle>, Query(query): Query<ListQuery>) -> Markup {
    oracle.settle();
    let data = oracle.data();
    let batches = &data.ledger.batches;
    let last_page = batches.len().saturating_sub(1) / ROWS;
    let page = query.page.min(last_page);
    let shown = batches.values().rev().skip(page * ROWS).take(ROWS);
    layout(
        "Journal batches",
        &html! {
            h1 { "Journal batches" }
            p.hint { "What journal imports have made, the newest first. Posted batches cannot be deleted any more." }
            nav {
                @if page > 0 { a href={ "/journals?page=" (page - 1) } { "← Newer" } }
                span { (batches.len()) " batches, page " (page + 1) " of " (last_page + 1) }
                @if page < last_page { a href={ "/journals?page=" (page + 1) } { "Older →" } }
            }
            table {
                thead { tr {
                    th { "Batch" } th { "Source" } th { "Period" } th { "Status" }
                    th.amount { "Debit" } th.amount { "Credit" } th { "Created" }
                } }
                tbody {
                    @for batch in shown { (row(batch)) }
                    @if batches.is_empty() { tr { td.none colspan="7" { "No journal has been imported yet." } } }
                }
            }
        },
    )
}

fn row(batch: &Batch) -> Markup {
    let (debit, credit) = batch.accounted();
    html! {
        tr {
            td data-label="Batch" { a href={ "/journals/" (batch.id) } { (batch.name) } }
            td.word data-label="Source" { (batch.source) }
            td.word data-label="Period" { (batch.period) }
            td.word data-label="Status" { (batch.status.meaning()) }
            td.amount data-label="Debit" { span { (amount(Some(debit))) " " (batch.ledger.currency) } }
            td.amount data-label="Credit" { span { (amount(Some(credit))) " " (batch.ledger.currency) } }
            td.time data-label="Created" { (when(batch.created)) }
        }
    }
}

async fn one(State(oracle): State<Oracle>, Path(id): Path<i64>) -> Response {
    oracle.settle();
    let data = oracle.data();
    let Some(batch) = data.ledger.batches.get(&id) else {
        return (StatusCode::NOT_FOUND, layout("Not found", &html! { h1 { "No such batch" } }))
            .into_response();
    };
    layout(
        &batch.name,
        &html! {
            h1 { (batch.name) }
            (facts(batch))
            @if batch.status == Status::Unposted {
                div.actions { form method="post" action={ "/journals/" (batch.id) "/post" } { button { "Post" } } }
            }
            @for journal in &batch.journals { (lines(journal, batch)) }
        },
    )
    .into_response()
}

fn facts(batch: &Batch) -> Markup {
    let (debit, credit) = batch.accounted();
    let texts = [
        ("Status", batch.status.meaning().to_owned()),
        ("Ledger", batch.ledger.name.to_owned()),
        ("Source", batch.source.clone()),
        ("Group", batch.group.map_or_else(|| "–".to_owned(), |group| group.to_string())),
        ("Period", batch.period.clone()),
        ("Description", batch.description.clone().unwrap_or_else(|| "–".to_owned())),
        ("Created", when(batch.created)),
        ("Debit", format!("{} {}", amount(Some(debit)), batch.ledger.currency)),
        ("Credit", format!("{} {}", amount(Some(credit)), batch.ledger.currency)),
    ];
    html! {
        dl {
            @for (name, text) in texts { dt { (name) } dd { (text) } }
            @if !batch.warnings.is_empty() {
                dt { "Warnings" } dd { @for code in &batch.warnings { (code) " " } }
            }
        }
    }
}

fn lines(journal: &Journal, batch: &Batch) -> Markup {
    let foreign = journal.currency != batch.ledger.currency;
    html! {
        h2 { (journal.name) }
        p.hint {
            (journal.category) ", " (journal.date) ", " (journal.currency)
            @if let Some(description) = &journal.description { ", " (description) }
        }
        table {
            thead { tr {
                th { "Line" } th { "Account" } th { "Description" } th.amount { "Debit" } th.amount { "Credit" }
                @if foreign {
                    th.amount { "Debit, " (batch.ledger.currency) } th.amount { "Credit, " (batch.ledger.currency) }
                }
            } }
            tbody { @for line in &journal.lines {
                tr {
                    td data-label="Line" { (line.number) }
                    td.account data-label="Account" { (line.account) }
                    td data-label="Description" { (line.description.as_deref().unwrap_or("–")) }
                    td.amount data-label="Debit" { (amount(line.entered.debit)) }
                    td.amount data-label="Credit" { (amount(line.entered.credit)) }
                    @if foreign {
                        td.amount data-label="Debit, ledger" { (amount(line.accounted.debit)) }
                        td.amount data-label="Credit, ledger" { (amount(line.accounted.credit)) }
                    }
                }
            } }
        }
    }
}

/// Makes the change and goes back to the page.
fn change(oracle: &Oracle, back: &str, edit: Edit) -> Response {
    match oracle.apply(edit) {
        Ok(_) => Redirect::to(back).into_response(),
        Err(reason) => {
            let body = html! { h1 { "Not changed" } p { (reason) } p { a href=(back) { "Back" } } };
            (StatusCode::UNPROCESSABLE_ENTITY, layout("Not changed", &body)).into_response()
        }
    }
}

async fn post_batch(State(oracle): State<Oracle>, Path(batch): Path<i64>) -> Response {
    change(&oracle, &format!("/journals/{batch}"), Edit::PostBatch { batch })
}

async fn periods(State(oracle): State<Oracle>) -> Markup {
    oracle.settle();
    let data = oracle.data();
    let calendar = &data.ledger.calendar;
    let present = i64::from(calendar.present());
    let near = |period: &Period| (period.index() - present).abs() <= PERIODS_AROUND;
    layout(
        "Accounting periods",
        &html! {
            h1 { "Accounting periods" }
            p.hint { "Close a period as an accountant would: journals dated in it are rejected with EP01 from then on." }
            @for ledger in &LEDGERS {
                h2 { (ledger.name) ", " (ledger.currency) }
                table {
                    thead { tr { th { "Period" } th { "Days" } th { "Status" } th {} } }
                    tbody { @for period in Period::all().rev().filter(near) {
                        @let status = calendar.status(ledger.id, GENERAL_LEDGER, period);
                        @let at = format!("/periods/{}/{}", ledger.id, period.name());
                        tr {
                            td data-label="Period" { (period.name()) }
                            td.word data-label="Days" { (period.start()) " – " (period.end()) }
                            td.word data-label="Status" { (status_name(status)) }
                            td data-label="" { div.actions {
                                @if status == 'O' {
                                    form method="post" action={ (at) "/C" } { button { "Close" } }
                                } @else {
                                    form method="post" action={ (at) "/O" } { button { "Open" } }
                                }
                            } }
                        }
                    } }
                }
            }
        },
    )
}

fn status_name(status: char) -> &'static str {
    match status {
        'O' => "Open",
        'C' => "Closed",
        'F' => "Future – entry",
        'P' => "Permanently closed",
        _ => "Never opened",
    }
}

async fn set_period(
    State(oracle): State<Oracle>,
    Path((ledger, period, status)): Path<(i64, String, String)>,
) -> Response {
    let edit = Edit::PeriodStatus { period, status, ledger: Some(ledger), application: None };
    change(&oracle, "/periods", edit)
}
