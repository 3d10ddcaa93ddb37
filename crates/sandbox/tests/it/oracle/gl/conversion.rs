//! Foreign currencies: accounted amounts, exactly.

use serde_json::{Value, json};

use super::Books;

fn amounts(batch: &Value) -> Vec<[Value; 4]> {
    let lines = batch["journals"][0]["lines"].as_array().unwrap();
    let names = ["entered_dr", "entered_cr", "accounted_dr", "accounted_cr"];
    lines.iter().map(|line| names.map(|name| line[name].clone())).collect()
}

#[tokio::test]
async fn the_ledgers_own_currency_is_taken_over_digit_for_digit() {
    let books = Books::open().await;
    books
        .import(7, &[books.debit("0.10"), books.debit("999999999999.80"), books.credit("999999999999.9")])
        .await;
    let expected = [
        [json!("0.10"), Value::Null, json!("0.10"), Value::Null],
        [json!("999999999999.80"), Value::Null, json!("999999999999.80"), Value::Null],
        [Value::Null, json!("999999999999.9"), Value::Null, json!("999999999999.9")],
    ];
    assert_eq!(amounts(&books.batches()[0]), expected);
}

#[tokio::test]
async fn corporate_rates_convert_and_the_largest_line_takes_the_rounding() {
    let books = Books::open().await;
    let pound = |line: super::Line| line.converted("GBP", "Corporate", "2026/07/15", "");
    // 1.2715 each: 0.0127.. three times is 0.03 rounded apart, but the credit of 0.03 is 0.04.
    let lines =
        [books.debit("0.01"), books.debit("0.01"), books.debit("0.01"), books.credit("0.03")].map(pound);
    books.import(7, &lines).await;
    let batch = &books.batches()[0];
    assert_eq!((&batch["accounted_dr"], &batch["accounted_cr"]), (&json!("0.03"), &json!("0.03")));
    assert_eq!((&batch["entered_dr"], &batch["entered_cr"]), (&json!("0.03"), &json!("0.03")));
    let journal = &batch["journals"][0];
    assert_eq!(
        (&journal["conversion_type"], &journal["conversion_rate"]),
        (&json!("Corporate"), &json!("1.2715"))
    );
    assert_eq!((&journal["currency"], &journal["conversion_date"]), (&json!("GBP"), &json!("2026-07-15")));
}

#[tokio::test]
async fn a_rate_of_the_users_own_is_used_as_it_stands() {
    let books = Books::open().await;
    let lines = books.pair("1000").map(|line| line.converted("JPY", "User", "2026/07/15", "0.00712345"));
    books.import(7, &lines).await;
    let batch = &books.batches()[0];
    assert_eq!((&batch["accounted_dr"], &batch["entered_dr"]), (&json!("7.12"), &json!("1000")));
    assert_eq!(batch["journals"][0]["conversion_rate"], "0.00712345");
}

#[tokio::test]
async fn accounted_amounts_that_are_given_are_kept_and_must_balance_too() {
    let books = Books::open().await;
    let given = |debit: &str, credit: &str| {
        let [first, second] = books.pair("10").map(|line| line.with(5, "EUR"));
        [first.with(40, debit), second.with(41, credit)]
    };
    books.import(1, &given("10.83", "10.83")).await;
    let batch = books.batches()[0].clone();
    assert_eq!((&batch["accounted_dr"], &batch["warnings"]), (&json!("10.83"), &json!(["ECW1"])));
    books.import(2, &given("10.83", "10.84")).await;
    assert!(books.left().iter().all(|status| status.contains("EU02")), "{:?}", books.left());
}

#[tokio::test]
async fn the_second_ledger_has_its_own_currency_chart_and_journals() {
    let books = Books::open().await;
    let second = books.pod.sandbox.oracle().second_ledger_facts();
    assert_eq!((second.currency.as_str(), second.delimiter), ("EUR", '-'));
    let books = Books { facts: second, ..books };
    let lines = [
        super::Line::new(&books.facts, "201-60540-110-000", "12.30", ""),
        super::Line::new(&books.facts, &books.facts.clearing_account, "", "12.30"),
    ];
    books.import(7, &lines).await;
    let batch = books.batches()[0].clone();
    assert_eq!((&batch["ledger"], &batch["accounted_dr"]), (&json!(books.facts.ledger_id), &json!("12.30")));
    assert_eq!(batch["journals"][0]["lines"][0]["account"], "201-60540-110-000");
    let dollars = lines.map(|line| line.converted("USD", "Corporate", "2026/07/15", ""));
    books.import(8, &dollars).await;
    assert_eq!(books.batches()[1]["accounted_dr"], "11.36");
}
