//! Plain pages for people: look at orders and invoices, and change them as colleagues would.

use axum::Router;
use axum::extract::{Form, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde::Deserialize;

use super::Oracle;
use super::edits::Edit;
use super::record::Record;
use super::render::instant_text;
use super::schema::{Distribution, Inv, InvLine, Line, Po};
use super::search::{SortTerm, Wanted};
use super::value::{InstantStyle, Value};
use crate::amount_text::grouped;

/// Rows on a page of the list.
const ROWS: usize = 50;

const STYLE: &str = include_str!("pages.css");

pub(super) fn router() -> Router<Oracle> {
    Router::new()
        .route("/", get(list))
        .route("/orders/{order}", get(one))
        .route("/orders/{order}/lines/{line}", post(change_line))
        .route("/orders/{order}/supplier", post(rename))
        .route("/orders/{order}/cancel", post(cancel))
        .route("/orders/{order}/touch", post(touch))
        .route("/orders/{order}/invoices/{invoice}/validate", post(validate))
        .route("/orders/{order}/invoices/{invoice}/pay", post(pay))
}

fn show(record: &Record, attribute: impl Into<u8>) -> String {
    match record.get(attribute) {
        None | Some(Value::Null) => "–".to_owned(),
        Some(Value::Text(text)) => text.to_string(),
        Some(Value::Instant(ms)) => instant_text(*ms).replace('T', " ").replace("+00:00", " UTC"),
        Some(Value::Date(date)) => date.to_string(),
        Some(other) => {
            let mut out = String::new();
            other.write(&mut out, InstantStyle::Seconds, false);
            out
        }
    }
}

/// An amount with its thousands set apart; what stands in a form is [`show`]n as it is.
fn amount(record: &Record, attribute: impl Into<u8>) -> String {
    grouped(&show(record, attribute))
}

pub(super) fn layout(title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " – Oracle stand-in" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header { div {
                    a href="/" { "Purchase orders" }
                    a href="/journals" { "Journal batches" }
                    a href="/periods" { "Periods" }
                    span { "stand-in for Oracle Fusion, no real system" }
                } }
                main { (body) }
            }
        }
    }
}

#[derive(Deserialize)]
struct ListQuery {
    #[serde(default)]
    page: usize,
    #[serde(default)]
    find: String,
}

async fn list(State(oracle): State<Oracle>, Query(query): Query<ListQuery>) -> Markup {
    let data = oracle.data();
    let table = &data.orders;
    let wanted = |record: &Record| {
        let hit = |at: Po| record.text(at).is_some_and(|text| text.contains(&query.find));
        query.find.is_empty() || hit(Po::OrderNumber) || hit(Po::Supplier)
    };
    let newest = SortTerm { attribute: Po::LastUpdateDate.into(), descending: true };
    let all = Wanted { filter: None, order: vec![newest], limit: usize::MAX, offset: 0, count_all: false };
    let found: Vec<&Record> = table
        .search(all)
        .page
        .into_iter()
        .filter_map(|slot| table.row(slot).map(|row| &row.record))
        .filter(|record| wanted(record))
        .collect();
    let last_page = found.len().saturating_sub(1) / ROWS;
    let page = query.page.min(last_page);
    let shown = found.iter().skip(page * ROWS).take(ROWS);
    let address = |page: usize| {
        let mut text = url::form_urlencoded::Serializer::new(String::new());
        format!("/?{}", text.append_pair("find", &query.find).append_pair("page", &page.to_string()).finish())
    };
    layout(
        "Purchase orders",
        &html! {
            h1 { "Purchase orders" }
            p.hint { "Open an order to change it as a colleague would. The last update moves, and the next poll sees it." }
            form.find method="get" action="/" {
                input name="find" value=(query.find) placeholder="Number or supplier" aria-label="Number or supplier";
                button { "Find" }
            }
            nav {
                @if page > 0 { a href=(address(page - 1)) { "← Newer" } }
                span { (found.len()) " orders, page " (page + 1) " of " (last_page + 1) }
                @if page < last_page { a href=(address(page + 1)) { "Older →" } }
            }
            table {
                thead { tr {
                    th { "Order" } th { "Supplier" } th { "Status" } th { "Business unit" }
                    th.amount { "Total" } th { "Last update" }
                } }
                tbody { @for record in shown {
                    tr {
                        td data-label="Order" { a href={ "/orders/" (record.id()) } { (show(record, Po::OrderNumber)) } }
                        td data-label="Supplier" { (show(record, Po::Supplier)) }
                        td.word data-label="Status" { (show(record, Po::Status)) }
                        td.word data-label="Business unit" { (show(record, Po::ProcurementBU)) }
                        td.amount data-label="Total" { span { (amount(record, Po::Total)) " " (show(record, Po::CurrencyCode)) } }
                        td.time data-label="Last update" { (show(record, Po::LastUpdateDate)) }
                    }
                } }
            }
        },
    )
}

async fn one(State(oracle): State<Oracle>, Path(order): Path<i64>) -> Response {
    let data = oracle.data();
    let Some(row) = data.orders.find(order) else {
        return (StatusCode::NOT_FOUND, layout("Not found", &html! { h1 { "No such order" } }))
            .into_response();
    };
    let record = &row.record;
    let number = record.text(Po::OrderNumber).cloned();
    let names = |line: &Record| line.text(InvLine::PurchaseOrderNumber) == number.as_ref();
    let invoices: Vec<&Record> = data
        .invoices
        .records()
        .filter(|invoice| number.is_some() && invoice.children(0).iter().any(names))
        .collect();
    let title = format!("Order {}", show(record, Po::OrderNumber));
    layout(
        &title,
        &html! {
            h1 { (title) }
            (facts(record))
            (order_forms(record))
            h2 { "Lines" }
            (lines(record))
            h2 { "Invoices" }
            (invoice_table(order, &invoices))
        },
    )
    .into_response()
}

fn facts(record: &Record) -> Markup {
    let texts = [
        ("Status", Po::Status),
        ("Supplier", Po::Supplier),
        ("Description", Po::Description),
        ("Business unit", Po::ProcurementBU),
        ("Legal entity", Po::SoldToLegalEntity),
        ("Last update", Po::LastUpdateDate),
    ];
    let amounts = [("Ordered", Po::Ordered), ("Total with tax", Po::Total)];
    html! {
        dl {
            @for (name, attribute) in texts { dt { (name) } dd { (show(record, attribute)) } }
            @for (name, attribute) in amounts {
                dt { (name) } dd { (amount(record, attribute)) " " (show(record, Po::CurrencyCode)) }
            }
        }
    }
}

fn order_forms(record: &Record) -> Markup {
    let at = format!("/orders/{}", record.id());
    html! {
        div.actions {
            form method="post" action={ (at) "/supplier" } {
                input name="name" value=(show(record, Po::Supplier)) aria-label="Supplier";
                button { "Rename supplier" }
            }
            form method="post" action={ (at) "/cancel" } { button { "Cancel order" } }
            form method="post" action={ (at) "/touch" } {
                button title="Nothing but LastUpdateDate changes" { "Touch" }
            }
        }
    }
}

fn lines(record: &Record) -> Markup {
    html! {
        table {
            thead { tr {
                th { "Line" } th { "Description" } th { "Charge accounts" } th { "Status" } th.amount { "Amount" }
            } }
            tbody { @for line in record.children(0) {
                @let number = show(line, Line::LineNumber);
                tr {
                    td data-label="Line" { (number) }
                    td data-label="Description" { (show(line, Line::Description)) }
                    td.account data-label="Charge accounts" { div {
                        @for schedule in line.children(0) {
                            @for distribution in schedule.children(0) {
                                div { (show(distribution, Distribution::POChargeAccount)) }
                            }
                        }
                    } }
                    td.word data-label="Status" { (show(line, Line::Status)) }
                    td.amount data-label="Amount" {
                        form method="post" action={ "/orders/" (record.id()) "/lines/" (number) } {
                            input name="amount" value=(show(line, Line::Ordered)) aria-label="Amount" inputmode="decimal";
                            button { "Change" }
                        }
                    }
                }
            } }
        }
    }
}

fn invoice_table(order: i64, invoices: &[&Record]) -> Markup {
    html! {
        table {
            thead { tr {
                th { "Invoice" } th { "Validation" } th { "Approval" } th { "Paid" } th.amount { "Amount" } th {}
            } }
            tbody {
                @for invoice in invoices {
                    @let at = format!("/orders/{order}/invoices/{}", invoice.id());
                    tr {
                        td data-label="Invoice" { (show(invoice, Inv::InvoiceNumber)) }
                        td data-label="Validation" { (show(invoice, Inv::ValidationStatus)) }
                        td data-label="Approval" { (show(invoice, Inv::ApprovalStatus)) }
                        td data-label="Paid" { (show(invoice, Inv::PaidStatus)) }
                        td.amount data-label="Amount" {
                            span { (amount(invoice, Inv::InvoiceAmount)) " " (show(invoice, Inv::InvoiceCurrency)) }
                        }
                        td data-label="" { div.actions {
                            form method="post" action={ (at) "/validate" } { button { "Validate" } }
                            form method="post" action={ (at) "/pay" } { button { "Mark paid" } }
                        } }
                    }
                }
                @if invoices.is_empty() { tr { td.none colspan="6" { "No invoice names this order." } } }
            }
        }
    }
}

/// Makes the change and goes back to the order.
fn change(oracle: &Oracle, order: i64, edit: Edit) -> Response {
    match oracle.apply(edit) {
        Ok(_) => Redirect::to(&format!("/orders/{order}")).into_response(),
        Err(reason) => {
            let page = layout(
                "Not changed",
                &html! {
                    h1 { "Not changed" } p { (reason) } p { a href={ "/orders/" (order) } { "Back" } }
                },
            );
            (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
        }
    }
}

#[derive(Deserialize)]
struct AmountForm {
    amount: String,
}

#[derive(Deserialize)]
struct NameForm {
    name: String,
}

async fn change_line(
    State(oracle): State<Oracle>,
    Path((order, line)): Path<(i64, i64)>,
    Form(form): Form<AmountForm>,
) -> Response {
    let amount = form.amount.trim().to_owned();
    change(&oracle, order, Edit::LineAmount { order, line, amount, touch: true })
}

async fn rename(
    State(oracle): State<Oracle>,
    Path(order): Path<i64>,
    Form(form): Form<NameForm>,
) -> Response {
    let supplier = oracle.data().orders.find(order).map(|row| show(&row.record, Po::Supplier));
    let edit = Edit::RenameSupplier { supplier: supplier.unwrap_or_default(), name: form.name, touch: true };
    change(&oracle, order, edit)
}

async fn cancel(State(oracle): State<Oracle>, Path(order): Path<i64>) -> Response {
    change(&oracle, order, Edit::OrderStatus { order, code: "CANCELED".to_owned(), touch: true })
}

async fn touch(State(oracle): State<Oracle>, Path(order): Path<i64>) -> Response {
    let edit = Edit::Touch { resource: "purchaseOrders".to_owned(), ids: vec![order], at: None };
    change(&oracle, order, edit)
}

fn status(invoice: i64, validation: Option<&str>, paid: Option<&str>) -> Edit {
    Edit::InvoiceStatus {
        invoice,
        validation: validation.map(str::to_owned),
        approval: None,
        paid: paid.map(str::to_owned),
        accounting: None,
        touch: true,
    }
}

async fn validate(State(oracle): State<Oracle>, Path((order, invoice)): Path<(i64, i64)>) -> Response {
    change(&oracle, order, status(invoice, Some("Validated"), None))
}

async fn pay(State(oracle): State<Oracle>, Path((order, invoice)): Path<(i64, i64)>) -> Response {
    change(&oracle, order, status(invoice, None, Some("Paid")))
}
