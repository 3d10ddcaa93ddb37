//! Checking the books, with nothing of the engine's: each completed task's order in Oracle is held against the
//! batches in Oracle's general ledger.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
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
    name: String,
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
    completed_at: Option<Timestamp>,
}

/// How the ledger writes the clearing account.
struct Chart {
    clearing: String,
    delimiter: char,
    balancing: usize,
}

impl Chart {
    /// Whether it is the clearing account of any company.
    fn is_clearing(&self, account: &str) -> bool {
        self.without_balancing(account).eq(self.without_balancing(&self.clearing))
    }

    fn without_balancing<'a>(&self, account: &'a str) -> impl Iterator<Item = &'a str> {
        let balancing = self.balancing;
        account
            .split(self.delimiter)
            .enumerate()
            .filter(move |(at, _)| *at != balancing)
            .map(|(_, value)| value)
    }
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
    /// Debits less credits on all accounts but the clearing account, by currency. A negative line is a credit.
    pub charged: BTreeMap<String, Decimal>,
    /// What the completed tasks' orders cost by Oracle's records, by currency.
    pub cost: BTreeMap<String, Decimal>,
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
    /// What the lines say they stand for.
    said: Vec<Said>,
}

/// What a person reads of a line a year later.
struct Said {
    order_id: String,
    order_number: String,
    completed_at: String,
    words: String,
    batch: String,
}

/// Checks every completed task: one batch with its order's cost to the last minor unit, or none when the order
/// has no cost to post.
pub fn check(scene: &Scene, completed: &[String]) -> anyhow::Result<Books> {
    let ledger: Ledger = serde_json::from_str(&scene.sandbox.oracle().ledger_json())?;
    let oracle = scene.sandbox.oracle().state_json();
    let oracle: Oracle = serde_json::from_str(&oracle)?;
    let asana: Asana = serde_json::from_str(&scene.sandbox.asana().state_json())?;
    let facts = scene.sandbox.oracle().ledger_facts();
    let chart = Chart {
        clearing: facts.clearing_account,
        delimiter: facts.delimiter,
        balancing: facts.balancing_segment,
    };
    hold(&ledger, &oracle, &asana, &chart, completed)
}

/// Holds the ledger against what was completed.
fn hold(
    ledger: &Ledger,
    oracle: &Oracle,
    asana: &Asana,
    chart: &Chart,
    completed: &[String],
) -> anyhow::Result<Books> {
    let orders: HashMap<String, &Order> = oracle.orders.iter().map(|o| (o.id.to_string(), o)).collect();
    let mut books = Books::default();
    let mut charged: HashMap<String, Charged> = HashMap::new();
    for batch in &ledger.batches {
        add(batch, chart, &mut charged, &mut books)?;
    }
    for gid in completed {
        let task = asana.tasks.get(gid);
        let key = task.and_then(|task| task.notes.lines().last());
        let key = key.and_then(|line| line.strip_prefix("Oracle order id: ")).unwrap_or_default();
        match (orders.get(key), task.and_then(|task| task.completed_at)) {
            (Some(order), Some(at)) => one(gid, order, at, charged.remove(gid), &mut books),
            _ => books.differences.push(format!("task {gid} stands for no order, or is not completed")),
        }
    }
    for (task, _) in charged {
        books.differences.push(format!("there is a batch for task {task}, which was not completed"));
    }
    if books.charged != books.cost {
        books.differences.push(format!("{:?} charged, {:?} expected", books.charged, books.cost));
    }
    if books.journals == 0 {
        books.differences.push("there is not one journal".to_owned());
    }
    Ok(books)
}

fn add(
    batch: &Batch,
    chart: &Chart,
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
            }
            task.said.push(Said {
                order_number: reference(1),
                order_id: reference(2),
                completed_at: reference(4),
                words: line.description.clone().unwrap_or_default(),
                batch: batch.name.clone(),
            });
            for (side, sign, total, of_task) in [
                (&line.entered_dr, Decimal::ONE, &mut books.debits, &mut task.debits),
                (&line.entered_cr, Decimal::NEGATIVE_ONE, &mut books.credits, &mut task.credits),
            ] {
                if let Some(amount) = side {
                    let amount: Decimal = amount.parse()?;
                    *total.entry(journal.currency.clone()).or_default() += amount;
                    *of_task.entry(journal.currency.clone()).or_default() += amount;
                    if !chart.is_clearing(&line.account) {
                        for net in [&mut task.net, &mut books.charged] {
                            *net.entry(journal.currency.clone()).or_default() += sign * amount;
                        }
                    }
                }
            }
        }
    }
    Ok(())
}

impl Said {
    /// Whether the line is about this completion: by its references as well as by what a person reads.
    fn is_of(&self, task: &str, order: &Order, at: Timestamp) -> bool {
        let (number, day) = (&order.order_number, at.strftime("%Y-%m-%d").to_string());
        self.order_id == order.id.to_string()
            && self.order_number == *number
            && self.completed_at.parse::<Timestamp>().is_ok_and(|said| said == at)
            && [number.as_str(), &day].iter().all(|part| self.words.contains(part))
            && self.batch.contains(task)
    }
}

fn one(task: &str, order: &Order, at: Timestamp, charged: Option<Charged>, books: &mut Books) {
    let number = &order.order_number;
    let cost: Option<Decimal> =
        order.lines.iter().map(|line| line.ordered?.get().parse::<Decimal>().ok()).sum();
    let canceled = order.status_code.as_deref() == Some("CANCELED");
    let expected = cost.filter(|cost| *cost > Decimal::ZERO && !canceled && !order.lines.is_empty());
    let currency = order.currency_code.clone().unwrap_or_default();
    if let Some(cost) = expected {
        *books.cost.entry(currency.clone()).or_default() += cost;
    }
    let Some(charged) = charged else {
        if let Some(cost) = expected {
            books.differences.push(format!("task {task}, order {number}: {cost} was not charged"));
        }
        return;
    };
    books.duplicates += (charged.batches.len() as u64).saturating_sub(1);
    if !charged.said.iter().all(|said| said.is_of(task, order, at)) {
        books.differences.push(format!("task {task}: a line is not about order {number}, completed at {at}"));
    }
    if charged.debits != charged.credits {
        books
            .differences
            .push(format!("task {task}: debits {:?}, credits {:?}", charged.debits, charged.credits));
    }
    let expected = BTreeMap::from([(currency, expected.unwrap_or_default())]);
    if charged.net != expected || charged.batches.len() != 1 {
        books.differences.push(format!(
            "task {task}, order {number}: {expected:?} expected, batches {:?} charge {:?}",
            charged.batches, charged.net
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORACLE: &str = r#"{"purchaseOrders":[
        {"POHeaderId":77,"OrderNumber":"US-1","StatusCode":"OPEN","CurrencyCode":"USD","lines":[{"Ordered":10.5}]}]}"#;
    const ASANA: &str = r#"{"tasks":{"1200":{
        "notes":"Made by hand\nOracle order id: 77","completed_at":"2026-07-15T23:30:00.000Z"}}}"#;
    const BATCH: &str = r#"{"id":1,"name":"Asana 1200 US-1 Asana A 7","journals":[{"currency":"USD","lines":[
        {"account":"101.10.60540","entered_dr":"10.5","entered_cr":null,"description":"PO US-1, completed 2026-07-15: Roof",
         "references":["1200","US-1","77","1","2026-07-15T23:30:00Z"]},
        {"account":"101.00.21990","entered_dr":null,"entered_cr":"10.5","description":"PO US-1, completed 2026-07-15: Roof",
         "references":["1200","US-1","77",null,"2026-07-15T23:30:00Z"]}]}]}"#;

    /// The check of batches against one completed task.
    fn held(batches: &[&str]) -> Books {
        let ledger = format!("{{\"batches\":[{}]}}", batches.join(","));
        let chart = Chart { clearing: "102.00.21990".to_owned(), delimiter: '.', balancing: 0 };
        hold(
            &serde_json::from_str(&ledger).unwrap(),
            &serde_json::from_str(ORACLE).unwrap(),
            &serde_json::from_str(ASANA).unwrap(),
            &chart,
            &["1200".to_owned()],
        )
        .unwrap()
    }

    #[test]
    fn books_that_are_right_have_no_differences() {
        let books = held(&[BATCH]);
        assert_eq!(books.differences, [""; 0]);
        assert_eq!((books.journals, books.lines, books.duplicates), (1, 2, 0));
        assert_eq!(books.debits, BTreeMap::from([("USD".to_owned(), Decimal::new(105, 1))]));
        assert_eq!((&books.credits, &books.cost), (&books.debits, &books.debits));
        assert_eq!(books.charged, books.cost);
    }

    #[test]
    fn whatever_is_wrong_in_one_place_is_noticed() {
        for (right, wrong) in [
            ("completed 2026-07-15", "completed 2026-07-16"),
            ("PO US-1,", "PO US-2,"),
            ("\"77\"", "\"78\""),
            ("\"US-1\"", "\"\""),
            ("\"2026-07-15T23:30:00Z\"", "\"2026-07-15T23:31:00Z\""),
            ("\"2026-07-15T23:30:00Z\"", "\"\""),
            ("[\"1200\"", "[\"1201\""),
            ("Asana 1200", "Asana 1201"),
            ("\"entered_dr\":\"10.5\"", "\"entered_dr\":\"10.4\""),
            ("101.10.60540", "101.00.21990"),
            ("\"USD\"", "\"EUR\""),
        ] {
            assert!(BATCH.contains(right), "{right}");
            let books = held(&[&BATCH.replacen(right, wrong, 1)]);
            assert!(!books.differences.is_empty(), "{right} became {wrong}");
        }
    }

    #[test]
    fn a_missing_line_a_doubled_batch_and_no_batch_are_noticed() {
        let (start, end) = (BATCH.find("{\"account\"").unwrap(), BATCH.rfind("{\"account\"").unwrap());
        for batch in [format!("{}{}", &BATCH[..start], &BATCH[end..]), {
            let kept = BATCH[..end].trim_end().trim_end_matches(',');
            format!("{kept}]}}]}}")
        }] {
            assert!(!held(&[&batch]).differences.is_empty(), "{batch}");
        }
        let again = BATCH.replacen("\"id\":1", "\"id\":2", 1);
        let doubled = held(&[BATCH, &again]);
        assert_eq!((doubled.duplicates, doubled.differences.len()), (1, 2), "{:?}", doubled.differences);
        assert_eq!(held(&[]).differences.len(), 3);
    }
}
