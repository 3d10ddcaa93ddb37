//! What Asana should show, computed from the stand-in's full state alone, with nothing of the engine in it.

use std::collections::{BTreeSet, HashMap};

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::fixture::{Task, World};

#[derive(Deserialize)]
struct State {
    #[serde(rename = "purchaseOrders")]
    orders: Vec<Order>,
    invoices: Vec<Invoice>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Order {
    #[serde(rename = "POHeaderId")]
    id: i64,
    order_number: String,
    supplier: Option<String>,
    status: Option<String>,
    currency_code: Option<String>,
    total: Option<Box<RawValue>>,
    requester_display_name: Option<String>,
    #[serde(rename = "ProcurementBU")]
    business_unit: Option<String>,
    sold_to_legal_entity: Option<String>,
    #[serde(rename = "lines")]
    lines: Vec<Line>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Line {
    ordered: Option<Box<RawValue>>,
    currency_code: Option<String>,
    #[serde(rename = "schedules")]
    schedules: Vec<Schedule>,
}

#[derive(Deserialize)]
struct Schedule {
    distributions: Vec<Distribution>,
}

#[derive(Deserialize)]
struct Distribution {
    #[serde(rename = "POChargeAccount")]
    account: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Invoice {
    invoice_id: i64,
    invoice_number: Option<String>,
    invoice_currency: Option<String>,
    invoice_amount: Option<Box<RawValue>>,
    business_unit: Option<String>,
    legal_entity: Option<String>,
    validation_status: Option<String>,
    paid_status: Option<String>,
    canceled_flag: bool,
    purchase_order_number: Option<String>,
    #[serde(rename = "invoiceLines")]
    lines: Vec<InvoiceLine>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InvoiceLine {
    line_amount: Option<Box<RawValue>>,
    purchase_order_number: Option<String>,
    #[serde(default)]
    discarded_flag: bool,
    #[serde(default)]
    canceled_flag: bool,
}

/// What a comparison found.
#[derive(Debug, Default)]
pub struct Found {
    /// Orders whose one task shows every value as it should.
    pub agree: usize,
    /// Orders whose amounts cannot be shown, and that are held.
    pub held: usize,
}

/// The state's orders and invoices, by what they refer to each other with.
struct Oracle {
    state: State,
    by_number: HashMap<String, Vec<usize>>,
}

/// An amount that Asana can show exactly with two decimals.
fn exact(raw: Option<&RawValue>) -> Result<Decimal, String> {
    let text = raw.ok_or("an amount is null")?.get();
    Decimal::from_str_exact(text).map_err(|e| format!("{text}: {e}"))
}

fn shown(value: Decimal) -> Result<String, String> {
    let value = value.normalize();
    let digits = value.mantissa().unsigned_abs().to_string();
    if value.scale() > 2 || digits.trim_end_matches('0').len() > 15 {
        return Err(format!("{value} does not fit"));
    }
    Ok(value.to_string())
}

impl Invoice {
    /// The order numbers it names, each with the lines' amounts.
    fn parts(&self) -> Vec<(&str, Option<&RawValue>)> {
        let lines =
            self.lines.iter().filter(|l| self.canceled_flag || !(l.discarded_flag || l.canceled_flag));
        let named = lines.filter_map(|l| {
            let number = l.purchase_order_number.as_deref().filter(|n| !n.is_empty())?;
            Some((number, l.line_amount.as_deref()))
        });
        let mut parts: Vec<_> = named.collect();
        if parts.is_empty()
            && let Some(number) = self.purchase_order_number.as_deref().filter(|n| !n.is_empty())
        {
            parts.push((number, self.invoice_amount.as_deref()));
        }
        parts
    }

    /// How far it has come, least finished first, and the words for it.
    fn progress(&self) -> (usize, String) {
        const STEPS: [&str; 6] =
            ["Not validated", "Needs revalidation", "Validated", "Partially paid", "Paid", "Canceled"];
        let validation = self.validation_status.as_deref().unwrap_or("Not validated");
        let paid = self.paid_status.as_deref().unwrap_or_default();
        let word = match (self.canceled_flag, paid) {
            (true, _) => "Canceled",
            (_, paid) if paid.eq_ignore_ascii_case("Paid") => "Paid",
            (_, paid) if paid.eq_ignore_ascii_case("Partially paid") => "Partially paid",
            _ if validation.eq_ignore_ascii_case("Unvalidated") => "Not validated",
            _ => validation,
        };
        let step = STEPS.iter().position(|step| step.eq_ignore_ascii_case(word));
        let step = step.unwrap_or_else(|| panic!("no step for {word}"));
        (step, STEPS[step].to_owned())
    }
}

impl Oracle {
    fn of(world: &World) -> Oracle {
        let state: State = serde_json::from_str(&world.sandbox.oracle().state_json()).unwrap();
        let mut by_number: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, order) in state.orders.iter().enumerate() {
            by_number.entry(order.order_number.clone()).or_default().push(at);
        }
        Oracle { state, by_number }
    }

    /// Whether an invoice that names the order's number means this very order.
    fn means(&self, invoice: &Invoice, order: &Order) -> bool {
        let mut left: Vec<&Order> =
            self.by_number[&order.order_number].iter().map(|at| &self.state.orders[*at]).collect();
        let keep_fitting = |left: &mut Vec<&Order>, fits: &dyn Fn(&Order) -> bool| {
            if left.len() > 1 && left.iter().any(|o| fits(o)) {
                left.retain(|o| fits(o));
            }
        };
        if invoice.legal_entity.is_some() {
            keep_fitting(&mut left, &|o| o.sold_to_legal_entity == invoice.legal_entity);
        }
        if invoice.business_unit.is_some() {
            keep_fitting(&mut left, &|o| o.business_unit == invoice.business_unit);
        }
        left.len() == 1 && left[0].id == order.id
    }

    /// What the order's task should show, or why its amounts cannot be shown.
    fn values(&self, order: &Order) -> Result<Vec<(&'static str, Option<String>)>, String> {
        if order.lines.is_empty() {
            return Err("no lines".into());
        }
        let mut sum = Decimal::ZERO;
        let (mut accounts, mut centers) = (Vec::<String>::new(), Vec::<String>::new());
        for line in &order.lines {
            if line.currency_code != order.currency_code {
                return Err("mixed currencies".into());
            }
            sum += exact(line.ordered.as_deref())?;
            for account in
                line.schedules.iter().flat_map(|s| &s.distributions).filter_map(|d| d.account.clone())
            {
                let center = account.split('.').nth(1).filter(|c| !c.is_empty()).map(str::to_owned);
                centers.extend(center.filter(|c| !centers.contains(c)));
                if !accounts.contains(&account) {
                    accounts.push(account);
                }
            }
        }
        let (status, numbers, invoiced) = self.invoiced(order)?;
        let total = order.total.as_deref().map(|total| shown(exact(Some(total))?)).transpose()?;
        let text = |text: &Option<String>| text.clone().filter(|t| !t.is_empty()).map(|t| cut(&t));
        let list = |list: Vec<String>| Some(list.join(", ")).filter(|t| !t.is_empty()).map(|t| cut(&t));
        Ok(vec![
            ("po_number", Some(order.order_number.clone())),
            ("supplier", text(&order.supplier)),
            ("invoice_status", status),
            ("line_item_amount", Some(shown(sum)?)),
            ("order_status", text(&order.status)),
            ("currency", text(&order.currency_code)),
            ("ordered_total", total),
            ("invoiced_amount", invoiced),
            ("invoice_numbers", list(numbers.into_iter().collect())),
            ("cost_center", list(centers)),
            ("gl_account", list(accounts)),
            ("requester", text(&order.requester_display_name)),
        ])
    }

    /// Status, numbers and sum of the order's invoices.
    #[expect(clippy::type_complexity, reason = "three values that are used once")]
    fn invoiced(&self, order: &Order) -> Result<(Option<String>, BTreeSet<String>, Option<String>), String> {
        let (mut least, mut numbers, mut sum) = (None::<(usize, String)>, BTreeSet::new(), None::<Decimal>);
        for invoice in &self.state.invoices {
            let parts = invoice.parts();
            let own: Vec<_> = parts.iter().filter(|(number, _)| *number == order.order_number).collect();
            if own.is_empty() || !self.means(invoice, order) {
                continue;
            }
            let progress = invoice.progress();
            least = Some(least.map_or(progress.clone(), |least| least.min(progress)));
            numbers.insert(invoice.invoice_number.clone().unwrap_or_else(|| invoice.invoice_id.to_string()));
            if invoice.canceled_flag {
                continue;
            }
            if invoice.invoice_currency != order.currency_code {
                return Err("an invoice in another currency".into());
            }
            let share = match own.len() == parts.len() {
                true => exact(invoice.invoice_amount.as_deref())?,
                false => own.iter().map(|(_, amount)| exact(*amount)).sum::<Result<Decimal, String>>()?,
            };
            sum = Some(sum.unwrap_or_default() + share);
        }
        Ok((least.map(|(_, word)| word), numbers, sum.map(shown).transpose()?))
    }
}

fn cut(text: &str) -> String {
    if text.chars().count() <= 1024 {
        return text.to_owned();
    }
    text.chars().take(1023).chain(['…']).collect()
}

/// Holds every order's task against what it should show. Each order has exactly one task, made for it.
pub async fn compare(world: &World) -> Found {
    let oracle = Oracle::of(world);
    let mut tasks: HashMap<String, Vec<Task>> = HashMap::new();
    for task in world.tasks() {
        let key = task.notes.rsplit_once("Oracle order id: ").map(|(_, key)| key.to_owned());
        tasks.entry(key.unwrap_or_default()).or_default().push(task);
    }
    let held: BTreeSet<String> = world.held().await.into_iter().map(|(id, _)| id).collect();
    let mut found = Found::default();
    for order in &oracle.state.orders {
        let own = tasks.remove(&order.id.to_string()).unwrap_or_default();
        match oracle.values(order) {
            Ok(values) => {
                assert_eq!(own.len(), 1, "{} ({}): {own:?}", order.order_number, order.id);
                for (key, value) in values {
                    assert_eq!(own[0].shows(key), value.as_deref(), "{key} of {}", order.order_number);
                }
                found.agree += 1;
            }
            Err(why) => {
                assert!(held.contains(&order.id.to_string()), "{} is not held: {why}", order.order_number);
                found.held += 1;
            }
        }
    }
    assert!(tasks.is_empty(), "tasks of no order: {tasks:?}");
    found
}
