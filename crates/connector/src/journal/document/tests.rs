use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::path::Path;

use jiff::Timestamp;
use jiff::civil::{Date, date};
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::super::account::{Accounts, CodeCombination};
use super::super::columns as at;
use super::super::cost::{AccountRef, Charge, Cost, Origin};
use super::super::currency::Currency;
use super::super::date::AccountingDate;
use super::super::lines::Side;
use super::super::plan::{Completion, Reversed};
use super::super::settings::JournalSettings;
use super::super::settings::tests::settings;
use super::*;
use crate::charge_account::AccountLayout;
use crate::ids::TaskGid;

const GROUP: &str = "123456789012345678";
const DAY: Date = date(2026, 11, 3);

fn group() -> GroupId {
    GROUP.parse().unwrap()
}

fn completion(name: &str) -> Completion {
    Completion {
        task: TaskGid::from("1200000000000101"),
        task_name: name.to_owned(),
        completed_at: "2026-11-03T15:04:05Z".parse::<Timestamp>().unwrap(),
        completed_on: DAY,
        completed_by: Some("1200000000000007".to_owned()),
    }
}

fn on(date: Date) -> AccountingDate {
    AccountingDate { date, period: "Nov-26".to_owned(), moved_from: None }
}

fn charge(account: &str, weight: i128, line: &str, distribution: &str) -> Charge {
    Charge {
        account: AccountRef { id: None, text: Some(account.to_owned()) },
        weight,
        line_id: format!("30010{line}"),
        line_number: line.to_owned(),
        distribution: Some(distribution.to_owned()),
    }
}

fn cost(amount: &str, currency: &str, charges: Vec<Charge>) -> Cost {
    let currency = Currency::find(currency, &BTreeMap::new()).unwrap();
    Cost {
        amount: currency.amount(currency.minor_units(amount.parse().unwrap()).unwrap()).unwrap(),
        currency,
        origin: Origin::Order,
        order_id: "300100183456789".to_owned(),
        order_number: "US165121".to_owned(),
        line_id: None,
        charges,
        order_lines: Vec::new(),
    }
}

fn plan(settings: &JournalSettings, cost: &Cost, name: &str) -> Result<JournalPlan, NoJournal> {
    let known = BTreeMap::<String, CodeCombination>::new();
    let accounts = Accounts { settings, layout: &AccountLayout::default(), known: &known };
    JournalPlan::posting(completion(name), cost, on(DAY), DAY, &accounts)
}

fn three_distributions() -> Cost {
    let charges = vec![
        charge("101.10.60540.000", 1, "1", "1"),
        charge("101.20.60540.000", 1, "1", "2"),
        charge("101.30.60541.000", 1, "2", "1"),
    ];
    cost("100.00", "USD", charges)
}

/// Compares with the committed file byte by byte; `UPDATE_GOLDEN=1` writes it anew.
fn golden(name: &str, document: &JournalDocument) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/journal/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &document.csv).unwrap();
    }
    let wanted = std::fs::read(&path).unwrap();
    assert_eq!(
        String::from_utf8(document.csv.clone()).unwrap(),
        String::from_utf8(wanted).unwrap(),
        "golden/{name} differs; look at it, then write it anew with UPDATE_GOLDEN=1"
    );
}

fn rows(document: &JournalDocument) -> Vec<Vec<String>> {
    let reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(document.csv.as_slice());
    let records = reader.into_records();
    records.map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

#[test]
fn three_distributions_of_a_hundred() {
    let document =
        plan(&settings(), &three_distributions(), "Roof, north wing").unwrap().document(group()).unwrap();
    golden("three_distributions.csv", &document);
    let amounts: Vec<String> = document.lines.iter().map(|line| line.amount.to_string()).collect();
    assert_eq!(amounts, ["33.34", "33.33", "33.33", "100.00"]);
    assert_eq!(document.lines[3].side, Side::Credit);
    assert_eq!(document.totals, Totals { debits: Decimal::new(10_000, 2), credits: Decimal::new(10_000, 2) });
    assert_eq!(document.file_name(), "GlInterface_123456789012345678.zip");
}

#[test]
fn yen_have_no_decimals() {
    let settings = JournalSettings { ledger_currency: "JPY".to_owned(), ..settings() };
    let charges = vec![charge("101.10.60540.000", 2, "1", "1"), charge("101.20.60540.000", 1, "1", "2")];
    golden(
        "yen.csv",
        &plan(&settings, &cost("1000", "JPY", charges), "Dach").unwrap().document(group()).unwrap(),
    );
}

#[test]
fn a_credit_line_is_credited() {
    let charges = vec![charge("101.10.60540.000", 10, "1", "1"), charge("101.20.60540.000", -1, "2", "1")];
    let document =
        plan(&settings(), &cost("90.00", "USD", charges), "Roof").unwrap().document(group()).unwrap();
    golden("credit_line.csv", &document);
    assert_eq!(document.lines[1].side, Side::Credit);
    assert_eq!(document.totals.debits, Decimal::new(10_000, 2));
}

#[test]
fn another_currency_carries_its_rate_type_and_date() {
    let settings = JournalSettings { rate_type: Some("Corporate".to_owned()), ..settings() };
    let charges = vec![charge("101.10.60540.000", 1, "1", "1")];
    let plan = plan(&settings, &cost("12.345", "BHD", charges), "Roof").unwrap();
    golden("foreign_currency.csv", &plan.document(group()).unwrap());
    assert_eq!(plan.expected(&settings), None);
}

#[test]
fn a_reversal_swaps_the_sides_and_names_what_it_takes_back() {
    let settings = JournalSettings { rate_type: Some("Corporate".to_owned()), ..settings() };
    let charges = vec![charge("101.10.60540.000", 1, "1", "1"), charge("101.20.60540.000", 2, "1", "2")];
    let posting = plan(&settings, &cost("10.00", "EUR", charges), "Roof").unwrap();
    let reversed = Reversed {
        group: group(),
        batch_id: "300100555".to_owned(),
        reopened_at: "2026-12-01T00:00:00Z".parse().unwrap(),
    };
    let later = date(2026, 12, 1);
    let reversal = posting.reversal(reversed.clone(), on(later), later).unwrap();
    let own: GroupId = "987654321098765432".parse().unwrap();
    golden("reversal.csv", &reversal.document(own).unwrap());
    // the rate is that of the posting, or another amount would be taken back
    assert_eq!(reversal.conversion, posting.conversion);
    assert!(reversal.reversal(reversed, on(later), later).is_err());
}

#[test]
fn names_of_any_script_with_quotes_commas_and_line_ends() {
    let name = "=\"Łódź\", 屋根\r\nof the “north” wing\u{7}";
    let document = plan(&settings(), &three_distributions(), name).unwrap().document(group()).unwrap();
    golden("names.csv", &document);
    let description = rows(&document)[0][at::REFERENCE10].clone();
    assert!(description.ends_with("=\"Łódź\", 屋根  of the “north” wing"), "{description}");
}

#[test]
fn thirty_segments_fill_their_columns() {
    let segments: Vec<String> = (1..=30).map(|n| format!("S{n:02}")).collect();
    let account = segments.join(".");
    let settings = JournalSettings { clearing_account: Some(account.clone()), ..settings() };
    let document = plan(&settings, &cost("1.00", "USD", vec![charge(&account, 1, "1", "1")]), "Roof")
        .unwrap()
        .document(group())
        .unwrap();
    golden("thirty_segments.csv", &document);
    assert_eq!(rows(&document)[0][at::SEGMENT1..at::SEGMENT1 + 30], segments);
}

#[test]
fn each_balancing_segment_clears_by_itself_when_that_is_set() {
    let settings = JournalSettings { balancing_segment: Some(1), ..settings() };
    let charges = vec![
        charge("101.10.60540.000", 1, "1", "1"),
        charge("202.10.60540.000", 2, "1", "2"),
        charge("101.20.60540.000", 1, "2", "1"),
    ];
    let plan = plan(&settings, &cost("8.00", "USD", charges), "Roof").unwrap();
    let clearing: Vec<String> = plan
        .lines
        .iter()
        .filter(|line| line.source.is_none())
        .map(|line| format!("{} {}", line.account.text("."), line.amount))
        .collect();
    assert_eq!(clearing, ["101.00.21999.000 4.00", "202.00.21999.000 4.00"]);
}

#[test]
fn a_share_of_nothing_makes_no_line() {
    let charges = vec![charge("101.10.60540.000", 1, "1", "1"), charge("101.20.60540.000", 1, "1", "2")];
    let plan = plan(&settings(), &cost("0.01", "USD", charges), "Roof").unwrap();
    assert_eq!(plan.lines.len(), 2);
}

#[test]
fn lines_that_do_not_balance_are_never_written() {
    let mut plan = plan(&settings(), &three_distributions(), "Roof").unwrap();
    plan.lines[0].amount += Decimal::new(1, 2);
    let refused = plan.document(group()).unwrap_err().to_string();
    assert!(refused.contains("100.01 debits, 100.00 credits"), "{refused}");
    plan.lines.clear();
    assert!(plan.document(group()).is_err());
}

#[test]
fn accounts_of_different_length_make_no_journal() {
    let charges = vec![charge("101.10.60540", 1, "1", "1")];
    let refused = plan(&settings(), &cost("1.00", "USD", charges), "Roof").unwrap_err();
    assert!(matches!(refused, NoJournal::AccountUnusable { .. }), "{refused}");
}

#[test]
fn a_journal_of_too_many_lines_is_refused() {
    let charges = vec![charge("101.10.60540.000", 1, "1", "1"); super::super::lines::MAX_LINES];
    let refused = plan(&settings(), &cost("1000.00", "USD", charges), "Roof").unwrap_err();
    assert!(matches!(refused, NoJournal::TooManyLines { .. }), "{refused}");
}

#[test]
fn the_batch_name_leaves_room_for_the_group_id_that_oracle_appends() {
    let long = JournalSettings { source: "S".repeat(25), ..settings() };
    let plan = plan(&long, &three_distributions(), "Roof").unwrap();
    let batch = format!("{} {} A {GROUP}", plan.batch_name(), plan.source);
    assert!(plan.batch_name().chars().count() <= 50);
    assert!(batch.chars().count() <= 100, "{batch}");
}

#[test]
fn a_plan_survives_being_stored() {
    let plan = plan(&settings(), &three_distributions(), "Roof \"1\"").unwrap();
    let again: JournalPlan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
    assert_eq!(again.document(group()).unwrap(), plan.document(group()).unwrap());
    assert_eq!(again.expected(&settings()), Some(Decimal::new(10_000, 2)));
}

fn any_charge() -> impl Strategy<Value = Charge> {
    let weight = prop_oneof![4 => 0i128..1_000_000, 1 => -1_000i128..0];
    ("[0-9]{3}\\.[0-9A-Z,\" ]{1,6}x\\.[0-9]{5}\\.000", weight, "[0-9]{1,3}", "[0-9]{1,2}")
        .prop_map(|(account, weight, line, distribution)| charge(&account, weight, &line, &distribution))
}

proptest! {
    #[test]
    fn every_document_has_149_columns_reads_back_and_balances(
        charges in proptest::collection::vec(any_charge(), 1..20),
        cents in 1i64..1_000_000_000,
        name in ".{0,300}",
        balancing in proptest::option::of(1usize..=4),
    ) {
        let settings = JournalSettings { balancing_segment: balancing, ..settings() };
        let cost = cost(&Decimal::new(cents, 2).to_string(), "USD", charges);
        let plan = plan(&settings, &cost, &name);
        // a sum of weights near zero can blow a share up beyond what is posted
        prop_assume!(!matches!(plan, Err(NoJournal::TooLarge { .. })));
        let plan = plan.unwrap();
        let document = plan.document(group()).unwrap();
        let rows = rows(&document);
        prop_assert_eq!(rows.len(), plan.lines.len());
        prop_assert_eq!(document.csv.iter().filter(|byte| **byte == b'\n').count(), rows.len());
        prop_assert!(!document.csv.contains(&b'\r'));
        let (mut debits, mut credits) = (Decimal::ZERO, Decimal::ZERO);
        for (row, line) in rows.iter().zip(&plan.lines) {
            prop_assert_eq!(row.len(), at::COUNT);
            prop_assert!(row[at::ENTERED_DR].is_empty() != row[at::ENTERED_CR].is_empty());
            let (column, sum) = match line.side {
                Side::Debit => (at::ENTERED_DR, &mut debits),
                Side::Credit => (at::ENTERED_CR, &mut credits),
            };
            let read: Decimal = row[column].parse().unwrap();
            prop_assert_eq!(read, line.amount);
            *sum += read;
            prop_assert_eq!(&row[at::SEGMENT1..at::SEGMENT1 + 4], line.account.segments());
            prop_assert_eq!(&row[at::GROUP_ID], GROUP);
            prop_assert_eq!(&row[at::REFERENCE10], &plan.line_description(line));
            prop_assert!(row.iter().all(|cell| cell.chars().count() <= 240));
        }
        prop_assert_eq!(debits, credits);
        let mut packed = zip::ZipArchive::new(Cursor::new(&document.zip)).unwrap();
        let mut unpacked = Vec::new();
        packed.by_name("GlInterface.csv").unwrap().read_to_end(&mut unpacked).unwrap();
        prop_assert_eq!(unpacked, document.csv);
    }

    #[test]
    fn a_reversal_takes_back_exactly_what_was_posted(
        charges in proptest::collection::vec(any_charge(), 1..10), cents in 1i64..1_000_000_000
    ) {
        let posting = plan(&settings(), &cost(&Decimal::new(cents, 2).to_string(), "USD", charges), "Roof");
        prop_assume!(!matches!(posting, Err(NoJournal::TooLarge { .. })));
        let posting = posting.unwrap();
        let reversed = Reversed { group: group(), batch_id: "1".to_owned(), reopened_at: Timestamp::UNIX_EPOCH };
        let reversal = posting.reversal(reversed, on(DAY), DAY).unwrap();
        prop_assert_eq!(reversal.totals().unwrap(), posting.totals().unwrap());
        for (back, line) in reversal.lines.iter().zip(&posting.lines) {
            prop_assert_eq!(back.side, line.side.swapped());
            prop_assert_eq!((&back.account, back.amount), (&line.account, line.amount));
        }
    }
}
