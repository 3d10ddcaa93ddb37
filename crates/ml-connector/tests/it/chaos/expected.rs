//! What a task must show, computed from Oracle's state alone, with nothing of the engine in it. Each invoice of these
//! schedules names one order, and none is canceled.

use std::collections::BTreeMap;

use serde_json::Value;

/// A text that is shown, or `null`.
fn text(value: &Value) -> String {
    value.as_str().filter(|text| !text.is_empty()).unwrap_or("null").to_owned()
}

/// An amount in millionths, exactly.
fn millionths(raw: &str) -> i128 {
    let (whole, part) = raw.split_once('.').unwrap_or((raw, ""));
    assert!(part.len() <= 6 && !raw.contains(['e', 'E']), "{raw} is no plain amount");
    let digits = format!("{whole}{part:0<6}");
    digits.parse().unwrap_or_else(|error| panic!("{raw}: {error}"))
}

/// Millionths as a number without needless digits.
fn number(millionths: i128) -> String {
    let text = format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn amount(value: &Value) -> String {
    if value.is_null() { "null".to_owned() } else { number(millionths(&value.to_string())) }
}

fn members<'a>(of: &'a Value, name: &str) -> &'a [Value] {
    of[name].as_array().map_or(&[], Vec::as_slice)
}

/// The one status of an order's invoices, the least finished.
fn status(invoices: &[&Value]) -> String {
    const STEPS: [&str; 5] = ["Not validated", "Needs revalidation", "Validated", "Partially paid", "Paid"];
    let step = |invoice: &&Value| {
        let (validation, paid) = (text(&invoice["ValidationStatus"]), text(&invoice["PaidStatus"]));
        let is = |word: &str| paid.eq_ignore_ascii_case(word) || validation.eq_ignore_ascii_case(word);
        STEPS.iter().rposition(|step| is(step)).unwrap_or(0)
    };
    invoices.iter().map(step).min().map_or("null", |least| STEPS[least]).to_owned()
}

/// What the task of an order must show.
pub fn values(order: &Value, invoices: &[Value]) -> BTreeMap<&'static str, String> {
    let names = |invoice: &&Value| {
        members(invoice, "invoiceLines")
            .iter()
            .any(|line| line["PurchaseOrderNumber"] == order["OrderNumber"])
    };
    let own: Vec<&Value> = invoices.iter().filter(names).collect();
    let sum = |all: &mut dyn Iterator<Item = &Value>| number(all.map(|v| millionths(&v.to_string())).sum());
    let mut numbers: Vec<String> = own.iter().map(|invoice| text(&invoice["InvoiceNumber"])).collect();
    numbers.sort();
    let or_null = |shown: String| if own.is_empty() { "null".to_owned() } else { shown };
    BTreeMap::from([
        ("po_number", text(&order["OrderNumber"])),
        ("supplier", text(&order["Supplier"])),
        ("order_status", text(&order["Status"])),
        ("currency", text(&order["CurrencyCode"])),
        ("requester", text(&order["RequesterDisplayName"])),
        ("line_item_amount", sum(&mut members(order, "lines").iter().map(|line| &line["Ordered"]))),
        ("ordered_total", amount(&order["Total"])),
        ("invoice_status", status(&own)),
        ("invoice_numbers", or_null(numbers.join(", "))),
        ("invoiced_amount", or_null(sum(&mut own.iter().map(|invoice| &invoice["InvoiceAmount"])))),
    ])
}

/// Whether a task shows a value; amounts by what they are worth.
pub fn shows(shown: &str, wanted: &str, field: &str) -> bool {
    match field {
        "line_item_amount" | "ordered_total" | "invoiced_amount" if shown != "null" && wanted != "null" => {
            millionths(shown) == millionths(wanted)
        }
        _ => shown == wanted,
    }
}

#[test]
fn amounts_are_summed_and_compared_exactly() {
    assert_eq!(number(millionths("0.1") + millionths("0.2")), "0.3");
    assert_eq!(number(millionths("17")), "17");
    assert!(shows("42.250", "42.25", "ordered_total") && !shows("42.2", "42.25", "ordered_total"));
    assert!(!shows("null", "1", "invoiced_amount"));
}
