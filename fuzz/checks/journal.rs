//! The file of a journal, whatever people write into names and numbers.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use connector::charge_account::AccountLayout;
use connector::ids::TaskGid;
use connector::journal::account::Accounts;
use connector::journal::columns;
use connector::journal::cost::{AccountRef, Charge, Cost, Origin};
use connector::journal::plan::Completion;
use connector::journal::{AccountingDate, CodeCombination, Currency, JournalPlan, JournalSettings};
use jiff::civil::date;

const SETTINGS: &str = r#"
    ledger_id = "300000046975971"
    ledger = "US Primary Ledger"
    ledger_currency = "USD"
    source = "Asana"
    category = "Project Cost"
    data_access_set = "300000046975980"
    clearing_account = "101.00.99999.000"
    balancing_segment = 1
    time_zone = "UTC"
    rate_type = "Corporate"
"#;

/// Lines of the input: name, order, line, person, amount in minor units, then accounts with weights.
pub fn check(input: &[u8]) {
    let mut texts = super::texts(input);
    let mut next = || texts.next().unwrap_or_default();
    let (name, order, line, person, units) = (next(), next(), next(), next(), next());
    let charges: Vec<Charge> =
        texts.take(12).enumerate().map(|(at, text)| charge(at, &text, &line)).collect();
    let currency = Currency::find("USD", &BTreeMap::new()).expect("dollars are known");
    let Ok(amount) = currency.amount(units.trim().parse().unwrap_or(10_001)) else { return };
    let cost = Cost {
        amount,
        currency,
        origin: Origin::Order,
        order_id: "300100183456789".to_owned(),
        order_number: order,
        line_id: None,
        charges,
        order_lines: Vec::new(),
    };
    let settings: JournalSettings = toml::from_str(SETTINGS).expect("settings");
    let known = BTreeMap::<String, CodeCombination>::new();
    let accounts = Accounts { settings: &settings, layout: &AccountLayout::default(), known: &known };
    let day = date(2026, 11, 3);
    let completion = Completion {
        task: TaskGid::from("1200000000000101"),
        task_name: name,
        completed_at: jiff::Timestamp::UNIX_EPOCH,
        completed_on: day,
        completed_by: Some(person),
    };
    let on = AccountingDate { date: day, period: "Nov-26".to_owned(), moved_from: None };
    if let Ok(plan) = JournalPlan::posting(completion, &cost, on, day, &accounts) {
        file(&plan, &cost);
    }
}

fn charge(at: usize, text: &str, line: &str) -> Charge {
    let (weight, account) = text.split_once(' ').unwrap_or(("1", text));
    Charge {
        account: AccountRef { id: None, text: Some(account.to_owned()) },
        weight: weight.parse().unwrap_or(1),
        line_id: line.to_owned(),
        line_number: (at + 1).to_string(),
        distribution: None,
    }
}

/// One row a line, as many columns as the loader counts, nothing that starts a new row; balanced, and the cost.
fn file(plan: &JournalPlan, cost: &Cost) {
    let group = "123456789012345678".parse().expect("a group id");
    let document = plan.document(group).expect("a plan has a document");
    assert_eq!(document.totals.debits, document.totals.credits);
    let rows =
        csv::ReaderBuilder::new().has_headers(false).from_reader(document.csv.as_slice()).into_records();
    let rows: Vec<csv::StringRecord> = rows.map(|row| row.expect("a row")).collect();
    assert_eq!(rows.len(), plan.lines.len());
    assert_eq!(
        document.csv.iter().filter(|byte| **byte == b'\n').count(),
        rows.len(),
        "a cell breaks its row"
    );
    assert!(!document.csv.contains(&b'\r'));
    let net = |column: usize| -> rust_decimal::Decimal {
        let cells = rows.iter().map(|row| row.get(column).expect("a cell"));
        cells
            .filter(|cell| !cell.is_empty())
            .map(|cell| cell.parse::<rust_decimal::Decimal>().expect("an amount"))
            .sum()
    };
    assert_eq!(net(columns::ENTERED_DR), net(columns::ENTERED_CR));
    assert!(net(columns::ENTERED_DR) >= cost.amount.abs());
    for row in &rows {
        assert_eq!(row.len(), columns::COUNT);
        assert_eq!(row.get(columns::GROUP_ID), Some("123456789012345678"));
    }
    let mut packed = zip::ZipArchive::new(Cursor::new(&document.zip)).expect("a zip");
    let mut unpacked = Vec::new();
    packed.by_index(0).expect("its file").read_to_end(&mut unpacked).expect("whole");
    assert_eq!(unpacked, document.csv);
}
