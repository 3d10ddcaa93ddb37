//! Checking the books, with nothing of the engine's: each completed task's order in Oracle is held against the
//! batches in Oracle's general ledger.

use std::collections::{BTreeMap, HashMap};

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::scene::Scene;

#[derive(Deserialize)]
struct Ledger {
    batches: Vec<Batch>,
}

#[derive(Deserialize)]
struct Batch {
    id: u64,
    journals: Vec<Journal>,
}

#[derive(Deserialize)]
struct Journal {
    currency: String,
    lines: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    account: String,
    entered_dr: Option<String>,
    entered_cr: Option<String>,
    description: Option<String>,
    references: Vec<Option<String>>,
}

#[derive(Deserialize)]
struct Oracle<'a> {
    #[serde(rename = "purchaseOrders", borrow)]
    orders: Vec<Order<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Order<'a> {
    #[serde(rename = "POHeaderId")]
    id: u64,
    order_number: String,
    status_code: Option<String>,
    currency_code: Option<String>,
    #[serde(borrow, default, rename = "lines")]
    lines: Vec<OrderLine<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OrderLine<'a> {
    #[serde(borrow)]
    ordered: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Asana {
    tasks: BTreeMap<String, Task>,
}

#[derive(Deserialize)]
struct Task {
    notes: String,
}

/// What the books say.
#[derive(Debug, Default)]
pub struct Books {
    /// Batches of completed tasks.
    pub journals: u64,
    /// Their lines.
    pub lines: u64,
    /// Debits by currency.
    pub debits: BTreeMap<String, Decimal>,
    /// Credits by currency.
    pub credits: BTreeMap<String, Decimal>,
    /// Batches beyond one for a task.
    pub duplicates: u64,
    /// What is not as it should be.
    pub differences: Vec<String>,
}

/// What the batches charge to a task.
#[derive(Default)]
struct Charged {
    batches: Vec<u64>,
    debits: BTreeMap<String, Decimal>,
    credits: BTreeMap<String, Decimal>,
    /// Debits less credits on all accounts but the clearing account, by currency.
    net: BTreeMap<String, Decimal>,
    named: bool,
}

/// Checks every completed task: one batch with its order's cost to the last minor unit, or none when the order
/// has no cost to post.
pub fn check(scene: &Scene, completed: &[String]) -> anyhow::Result<Books> {
    let ledger: Ledger = serde_json::from_str(&scene.sandbox.oracle().ledger_json())?;
    let oracle = scene.sandbox.oracle().state_json();
    let oracle: Oracle = serde_json::from_str(&oracle)?;
    let asana: Asana = serde_json::from_str(&scene.sandbox.asana().state_json())?;
    let orders: HashMap<String, &Order> = oracle.orders.iter().map(|o| (o.id.to_string(), o)).collect();
    let mut books = Books::default();
    let mut charged: HashMap<String, Charged> = HashMap::new();
    let facts = scene.sandbox.oracle().ledger_facts();
    let clearing = without(&facts.clearing_account, facts.delimiter, facts.balancing_segment);
    let is_clearing = |account: &str| without(account, facts.delimiter, facts.balancing_segment) == clearing;
    for batch in &ledger.batches {
        add(batch, &orders, &is_clearing, &mut charged, &mut books)?;
    }
    for task in completed {
        let key = asana.tasks.get(task).and_then(|task| task.notes.lines().last());
        let key = key.and_then(|line| line.strip_prefix("Oracle order id: ")).unwrap_or_default();
        match orders.get(key) {
            Some(order) => one(task, order, charged.remove(task), &mut books),
            None => books.differences.push(format!("task {task} stands for no order")),
        }
    }
    for (task, _) in charged {
        books.differences.push(format!("there is a batch for task {task}, which was not completed"));
    }
    Ok(books)
}

/// An account without one of its segments.
fn without(account: &str, delimiter: char, segment: usize) -> Vec<&str> {
    account.split(delimiter).enumerate().filter(|(at, _)| *at != segment).map(|(_, value)| value).collect()
}

fn add(
    batch: &Batch,
    orders: &HashMap<String, &Order>,
    is_clearing: &impl Fn(&str) -> bool,
    charged: &mut HashMap<String, Charged>,
    books: &mut Books,
) -> anyhow::Result<()> {
    books.journals += 1;
    for journal in &batch.journals {
        for line in &journal.lines {
            books.lines += 1;
            let reference = |at: usize| line.references.get(at).and_then(Clone::clone).unwrap_or_default();
            let task = charged.entry(reference(0)).or_default();
            if !task.batches.contains(&batch.id) {
                task.batches.push(batch.id);
                task.named = true;
            }
            // what a person reads a year later names the order and the day
            let order = orders.get(&reference(2)).map(|order| order.order_number.as_str());
            let day = reference(4).get(..10).map(str::to_owned).unwrap_or_default();
            let words = line.description.as_deref().unwrap_or_default();
            task.named &= order.is_some_and(|number| words.contains(number)) && words.contains(&day);
            for (side, sign, total, of_task) in [
                (&line.entered_dr, Decimal::ONE, &mut books.debits, &mut task.debits),
                (&line.entered_cr, Decimal::NEGATIVE_ONE, &mut books.credits, &mut task.credits),
            ] {
                if let Some(amount) = side {
                    let amount: Decimal = amount.parse()?;
                    *total.entry(journal.currency.clone()).or_default() += amount;
                    *of_task.entry(journal.currency.clone()).or_default() += amount;
                    if !is_clearing(&line.account) {
                        *task.net.entry(journal.currency.clone()).or_default() += sign * amount;
                    }
                }
            }
        }
    }
    Ok(())
}

fn one(task: &str, order: &Order, charged: Option<Charged>, books: &mut Books) {
    let number = &order.order_number;
    let cost: Option<Decimal> =
        order.lines.iter().map(|line| line.ordered?.get().parse::<Decimal>().ok()).sum();
    let canceled = order.status_code.as_deref() == Some("CANCELED");
    let expected = cost.filter(|cost| *cost > Decimal::ZERO && !canceled && !order.lines.is_empty());
    let Some(charged) = charged else {
        if let Some(cost) = expected {
            books.differences.push(format!("task {task}, order {number}: {cost} was not charged"));
        }
        return;
    };
    books.duplicates += (charged.batches.len() as u64).saturating_sub(1);
    if !charged.named {
        books.differences.push(format!("task {task}: a line does not name order {number} and the day"));
    }
    if charged.debits != charged.credits {
        books
            .differences
            .push(format!("task {task}: debits {:?}, credits {:?}", charged.debits, charged.credits));
    }
    let currency = order.currency_code.clone().unwrap_or_default();
    let expected = BTreeMap::from([(currency, expected.unwrap_or_default())]);
    if charged.net != expected || charged.batches.len() != 1 {
        books.differences.push(format!(
            "task {task}, order {number}: {expected:?} expected, batches {:?} charge {:?}",
            charged.batches, charged.net
        ));
    }
}
