//! Comparing both stand-ins value by value, with nothing of the engine's: what Asana stores is held
//! against what Oracle stores, each read from its own full state.

use std::collections::{BTreeMap, HashMap, HashSet};

use connector::store::movements::Movement;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::scene::Scene;

/// Differences that are shown at most.
const SHOWN: usize = 10;

#[derive(Deserialize)]
struct Oracle<'a> {
    #[serde(rename = "purchaseOrders", borrow)]
    orders: Vec<Order<'a>>,
    #[serde(borrow)]
    invoices: Vec<Invoice<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Order<'a> {
    #[serde(rename = "POHeaderId")]
    id: u64,
    order_number: String,
    supplier: Option<String>,
    status: Option<String>,
    currency_code: Option<String>,
    sold_to_legal_entity: Option<String>,
    requester_display_name: Option<String>,
    #[serde(borrow)]
    total: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "lines")]
    lines: Vec<Line<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Line<'a> {
    #[serde(borrow)]
    ordered: Option<&'a RawValue>,
    #[serde(default, rename = "schedules")]
    schedules: Vec<Schedule>,
}

#[derive(Deserialize)]
struct Schedule {
    #[serde(default)]
    distributions: Vec<Distribution>,
}

#[derive(Deserialize)]
struct Distribution {
    #[serde(rename = "POChargeAccount")]
    account: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Invoice<'a> {
    invoice_id: u64,
    invoice_number: Option<String>,
    #[serde(borrow)]
    invoice_amount: Option<&'a RawValue>,
    legal_entity: Option<String>,
    invoice_currency: Option<String>,
    validation_status: Option<String>,
    paid_status: Option<String>,
    canceled_flag: Option<bool>,
    #[serde(borrow, default, rename = "invoiceLines")]
    lines: Vec<InvoiceLine<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InvoiceLine<'a> {
    purchase_order_number: Option<String>,
    #[serde(borrow)]
    line_amount: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Asana<'a> {
    #[serde(borrow)]
    tasks: BTreeMap<String, Task<'a>>,
}

#[derive(Deserialize)]
struct Task<'a> {
    notes: String,
    #[serde(borrow)]
    values: HashMap<String, &'a RawValue>,
}

/// What the comparison found.
#[derive(Debug, Default)]
pub struct Compared {
    /// Values held against each other.
    pub compared: u64,
    /// The first differences.
    pub differences: Vec<String>,
}

impl Compared {
    fn differs(&mut self, text: String) {
        if self.differences.len() < SHOWN {
            self.differences.push(text);
        }
    }
}

/// Compares every order with its task. One with a held movement must have a value that no task can show.
pub fn compare(scene: &Scene, held: &[Movement]) -> anyhow::Result<Compared> {
    let (oracle, asana) = (scene.sandbox.oracle().state_json(), scene.sandbox.asana().state_json());
    let oracle: Oracle = serde_json::from_str(&oracle)?;
    let asana: Asana = serde_json::from_str(&asana)?;
    let held: HashSet<&str> = held.iter().map(|m| m.source_id.as_str()).collect();
    let mut tasks: HashMap<&str, Vec<(&String, &Task)>> = HashMap::new();
    for (gid, task) in &asana.tasks {
        let key = task.notes.lines().last().and_then(|line| line.strip_prefix("Oracle order id: "));
        tasks.entry(key.unwrap_or_default()).or_default().push((gid, task));
    }
    let mut by_number: HashMap<&str, Vec<&Order>> = HashMap::new();
    for order in &oracle.orders {
        by_number.entry(&order.order_number).or_default().push(order);
    }
    let mut compared = Compared::default();
    for order in &oracle.orders {
        let id = order.id.to_string();
        let shared = by_number[order.order_number.as_str()].len() > 1;
        let invoices: Vec<&Invoice> = oracle.invoices.iter().filter(|i| concerns(i, order, shared)).collect();
        if held.contains(id.as_str()) {
            if can_be_shown(order, &invoices) {
                compared.differs(format!("order {} ({id}) is held without need", order.order_number));
            }
            continue;
        }
        match tasks.get(id.as_str()).map(Vec::as_slice) {
            Some([(gid, task)]) => {
                one(scene, order, &invoices, gid, task, &mut compared);
            }
            found => {
                let count = found.map_or(0, <[_]>::len);
                compared.differs(format!("order {} ({id}) has {count} tasks", order.order_number));
            }
        }
    }
    if compared.compared == 0 {
        compared.differs("not one value was compared".to_owned());
    }
    if let Some(strangers) = tasks.get("") {
        compared.differs(format!("{} tasks stand for no order", strangers.len()));
    }
    Ok(compared)
}

/// Whether a board with two decimals can show the order's amounts: all there, in one currency, with no more decimals.
fn can_be_shown(order: &Order, invoices: &[&Invoice]) -> bool {
    let fits = |amount: Option<Decimal>| amount.is_some_and(|amount| amount.normalize().scale() <= 2);
    let lines: Option<Decimal> = order.lines.iter().map(|line| decimal(line.ordered)).sum();
    let counted = || invoices.iter().filter(|invoice| invoice.canceled_flag != Some(true));
    let one_currency = counted()
        .all(|invoice| invoice.invoice_currency.is_none() || invoice.invoice_currency == order.currency_code);
    let invoiced = counted().next().is_none() || fits(invoiced(order, invoices));
    let total = order.total.is_none() || fits(decimal(order.total));
    !order.lines.is_empty() && fits(lines) && total && one_currency && invoiced
}

/// Distinct values in the order in which they first stand there.
fn listed<'v>(values: impl Iterator<Item = &'v str>) -> Option<String> {
    let mut found: Vec<&str> = Vec::new();
    for value in values.filter(|value| !value.is_empty()) {
        if !found.contains(&value) {
            found.push(value);
        }
    }
    (!found.is_empty()).then(|| clipped(&found.join(", ")))
}

fn accounts<'o>(order: &'o Order) -> impl Iterator<Item = &'o str> {
    let schedules = order.lines.iter().flat_map(|line| &line.schedules);
    schedules.flat_map(|schedule| &schedule.distributions).filter_map(|d| d.account.as_deref())
}

fn concerns(invoice: &Invoice, order: &Order, shared: bool) -> bool {
    let names = invoice.lines.iter().any(|l| l.purchase_order_number.as_deref() == Some(&order.order_number));
    names && (!shared || invoice.legal_entity == order.sold_to_legal_entity)
}

fn one(scene: &Scene, order: &Order, invoices: &[&Invoice], gid: &str, task: &Task, compared: &mut Compared) {
    let text = |key: &str| {
        let raw = scene.board.field(key).and_then(|field| task.values.get(field))?;
        serde_json::from_str::<Option<String>>(raw.get()).ok().flatten()
    };
    let number = |key: &str| {
        let raw = scene.board.field(key).and_then(|field| task.values.get(field))?;
        raw.get().parse::<Decimal>().ok()
    };
    let mut numbers: Vec<String> = invoices
        .iter()
        .map(|i| i.invoice_number.clone().unwrap_or_else(|| i.invoice_id.to_string()))
        .collect();
    numbers.sort();
    numbers.dedup();
    let status = invoices.iter().map(|i| progress(i)).min().map(|at| sandbox::board::INVOICE_STATUSES[at]);
    let status_shown = text("invoice_status").and_then(|option| {
        let options = scene.sandbox.asana().options(scene.board.field("invoice_status")?);
        options.into_iter().find(|(gid, _)| *gid == option).map(|(_, name)| name)
    });
    let texts = [
        ("po_number", Some(order.order_number.clone()), text("po_number")),
        ("supplier", order.supplier.clone(), text("supplier")),
        ("order_status", order.status.clone(), text("order_status")),
        ("currency", order.currency_code.clone(), text("currency")),
        (
            "invoice_numbers",
            Some(numbers.join(", ")).filter(|n| !n.is_empty()).map(|n| clipped(&n)),
            text("invoice_numbers"),
        ),
        ("invoice_status", status.map(str::to_owned), status_shown),
        ("gl_account", listed(accounts(order)), text("gl_account")),
        (
            "cost_center",
            listed(accounts(order).filter_map(|account| account.split('.').nth(scene.cost_center_at))),
            text("cost_center"),
        ),
        (
            "requester",
            order.requester_display_name.clone().filter(|name| !name.is_empty()),
            text("requester"),
        ),
    ];
    for (name, wanted, shown) in texts {
        compared.compared += 1;
        if wanted != shown {
            compared.differs(format!("task {gid}, {name}: Oracle {wanted:?}, Asana {shown:?}"));
        }
    }
    let lines: Option<Decimal> = order.lines.iter().map(|l| decimal(l.ordered)).sum();
    let amounts = [
        ("line_item_amount", lines, number("line_item_amount")),
        ("ordered_total", decimal(order.total), number("ordered_total")),
        ("invoiced_amount", invoiced(order, invoices), number("invoiced_amount")),
    ];
    for (name, wanted, shown) in amounts {
        compared.compared += 1;
        if wanted != shown {
            compared.differs(format!("task {gid}, {name}: Oracle {wanted:?}, Asana {shown:?}"));
        }
    }
}

fn clipped(text: &str) -> String {
    if text.chars().count() <= 1024 {
        return text.to_owned();
    }
    text.chars().take(1023).chain(['…']).collect()
}

fn decimal(raw: Option<&RawValue>) -> Option<Decimal> {
    raw?.get().parse().ok()
}

/// Place in [`sandbox::board::INVOICE_STATUSES`], least finished first.
fn progress(invoice: &Invoice) -> usize {
    let validation = invoice.validation_status.as_deref().unwrap_or_default().to_lowercase();
    let paid = invoice.paid_status.as_deref().unwrap_or_default().to_lowercase();
    match (validation.as_str(), paid.as_str()) {
        _ if invoice.canceled_flag == Some(true) => 5,
        ("canceled", _) => 5,
        (_, "paid") => 4,
        (_, "partially paid") => 3,
        ("validated", _) => 2,
        ("needs revalidation", _) => 1,
        _ => 0,
    }
}

/// An invoice for this order alone counts whole, of another only the lines that name this order.
fn invoiced(order: &Order, invoices: &[&Invoice]) -> Option<Decimal> {
    let counted: Vec<_> = invoices.iter().filter(|i| i.canceled_flag != Some(true)).collect();
    if counted.is_empty() {
        return None;
    }
    counted
        .into_iter()
        .map(|invoice| {
            let named: Vec<_> = invoice.lines.iter().filter(|l| l.purchase_order_number.is_some()).collect();
            let own: Vec<_> = named
                .iter()
                .filter(|l| l.purchase_order_number.as_deref() == Some(&order.order_number))
                .collect();
            if own.len() == named.len() {
                decimal(invoice.invoice_amount)
            } else {
                own.iter().map(|l| decimal(l.line_amount)).sum()
            }
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: &str = r#"{"POHeaderId":77,"OrderNumber":"US-1","CurrencyCode":"USD","Total":10.5,
        "lines":[{"Ordered":10.50,"schedules":[{"distributions":[{"POChargeAccount":"101.10"},{"POChargeAccount":null},
        {"POChargeAccount":"101.20"},{"POChargeAccount":"101.10"}]}]}]}"#;
    const INVOICE: &str = r#"{"InvoiceId":5,"InvoiceAmount":3,"InvoiceCurrency":"USD","CanceledFlag":false,
        "invoiceLines":[{"PurchaseOrderNumber":"US-1","LineAmount":3}]}"#;

    fn shown(order: &str, invoice: &str) -> bool {
        let order: Order = serde_json::from_str(order).unwrap();
        let invoice: Invoice = serde_json::from_str(invoice).unwrap();
        can_be_shown(&order, &[&invoice])
    }

    #[test]
    fn an_order_is_held_with_need_only_for_a_value_that_no_task_can_show() {
        assert!(shown(ORDER, INVOICE));
        for (right, wrong) in [
            ("\"Ordered\":10.50", "\"Ordered\":10.505"),
            ("\"Ordered\":10.50", "\"Ordered\":null"),
            ("\"Total\":10.5", "\"Total\":10.501"),
        ] {
            assert!(!shown(&ORDER.replacen(right, wrong, 1), INVOICE), "{wrong}");
        }
        for (right, wrong) in
            [("\"InvoiceAmount\":3", "\"InvoiceAmount\":3.001"), ("Currency\":\"USD", "Currency\":\"EUR")]
        {
            let invoice = INVOICE.replacen(right, wrong, 1);
            assert!(!shown(ORDER, &invoice), "{wrong}");
            assert!(
                shown(ORDER, &invoice.replace("false", "true")),
                "a canceled invoice does not count: {wrong}"
            );
        }
    }

    #[test]
    fn accounts_are_listed_once_in_their_order() {
        let order: Order = serde_json::from_str(ORDER).unwrap();
        assert_eq!(listed(accounts(&order)), Some("101.10, 101.20".to_owned()));
        assert_eq!(listed(["", ""].into_iter()), None);
    }
}
