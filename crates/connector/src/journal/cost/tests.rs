use oracle_fusion::{PurchaseOrder, RawValue};
use proptest::prelude::*;

use super::super::settings::tests::settings;
use super::*;

fn basis(json: &str) -> CostBasis {
    CostBasis::of(PurchaseOrder::parse(&RawValue::from_string(json.to_owned()).unwrap()).unwrap())
}

fn line(id: u32, ordered: &str, distributions: &str) -> String {
    format!(
        r#"{{"POLineId":{id},"LineNumber":{id},"Ordered":{ordered},"Total":"7777",
            "schedules":[{{"distributions":[{distributions}]}}]}}"#
    )
}

fn distribution(account: &str, quantity: &str) -> String {
    format!(r#"{{"DistributionNumber":1,"POChargeAccount":"{account}","Quantity":{quantity}}}"#)
}

fn order(head: &str, lines: &[String]) -> CostBasis {
    basis(&format!(r#"{{"POHeaderId":300,"OrderNumber":"US-1",{head}"lines":[{}]}}"#, lines.join(",")))
}

const USD: &str = r#""CurrencyCode":"USD","#;

fn two_lines() -> CostBasis {
    let both = format!("{},{}", distribution("1.10.5", "1"), distribution("1.20.5", "3"));
    order(USD, &[line(1, "60.00", &both), line(2, "40.00", &distribution("1.30.5", "9"))])
}

fn of(sought: Sought<'_>) -> Result<Cost, NoJournal> {
    cost(&TaskFacts::default(), sought, &settings(), LineAmount::Ordered)
}

fn own(amount: &str, currency: Option<&str>, sought: Sought<'_>) -> Result<Cost, NoJournal> {
    let own_cost = OwnCost { amount: amount.to_owned(), currency: currency.map(str::to_owned) };
    let task = TaskFacts { own_cost: Some(own_cost), ..TaskFacts::default() };
    cost(&task, sought, &settings(), LineAmount::Ordered)
}

fn weights_of(cost: &Cost) -> Vec<i128> {
    cost.charges.iter().map(|charge| charge.weight).collect()
}

#[test]
fn an_order_costs_the_sum_of_its_lines() {
    let found = of(Sought::Order(&two_lines())).unwrap();
    assert_eq!((found.amount.to_string().as_str(), found.origin), ("100.00", Origin::Order));
    assert_eq!(weights_of(&found), [3, 9, 8]);
    assert_eq!(found.posted_once_for().as_deref(), Some("order 300"));
    assert_eq!(found.overlaps(), ["order 300", "line 1", "line 2"]);
    let accounts: Vec<String> = found.charges.iter().map(|c| c.account.to_string()).collect();
    assert_eq!(accounts, ["1.10.5", "1.20.5", "1.30.5"]);
}

#[test]
fn the_setting_decides_which_attribute_is_the_line_s_amount() {
    let total =
        cost(&TaskFacts::default(), Sought::Order(&two_lines()), &settings(), LineAmount::Total).unwrap();
    assert_eq!(total.amount.to_string(), "15554.00");
}

#[test]
fn a_line_costs_its_own_amount() {
    let basis = two_lines();
    let found = of(Sought::Line(&basis, "2")).unwrap();
    assert_eq!((found.amount.to_string().as_str(), found.origin), ("40.00", Origin::Line));
    assert_eq!(found.charges.len(), 1);
    assert_eq!(found.posted_once_for().as_deref(), Some("line 2"));
    assert_eq!(found.overlaps(), ["line 2", "order 300"]);
    let unknown = of(Sought::Line(&basis, "9")).unwrap_err();
    assert_eq!(unknown.to_string(), "purchase order US-1 has no line with the id 9");
}

#[test]
fn the_task_s_own_cost_wins_and_falls_on_the_order_s_distributions() {
    let basis = two_lines();
    let found = own("1e2", None, Sought::Order(&basis)).unwrap();
    assert_eq!((found.amount.to_string().as_str(), found.origin), ("100.00", Origin::Task));
    assert_eq!(weights_of(&found), [3, 9, 8]);
    assert_eq!(found.posted_once_for(), None);
    assert!(found.overlaps().is_empty());
    let euro = own("5", Some("EUR"), Sought::Order(&basis)).unwrap_err();
    assert_eq!(euro.to_string(), "the cost is in EUR, the ledger in USD, and no conversion rate type is set");
}

#[test]
fn an_own_cost_needs_no_amounts_when_there_is_one_line_or_all_are_zero() {
    let single = order(USD, &[line(1, "null", &distribution("1.1.1", "2"))]);
    assert_eq!(weights_of(&own("5", None, Sought::Order(&single)).unwrap()), [1]);
    let lines = [line(1, "0", &distribution("1.1.1", "2")), line(2, "0", &distribution("1.2.1", "2"))];
    let zero = order(USD, &lines);
    assert_eq!(weights_of(&own("5", None, Sought::Order(&zero)).unwrap()), [1, 1]);
    assert_eq!(of(Sought::Order(&zero)), Err(NoJournal::CostZero));
}

#[test]
fn lines_of_no_amount_need_no_distribution() {
    let basis = order(USD, &[line(1, "0.00", ""), line(2, "5", &distribution("1.2.1", "null"))]);
    assert_eq!(weights_of(&of(Sought::Order(&basis)).unwrap()), [1]);
}

#[test]
fn a_credit_line_weighs_negative() {
    let lines = [line(1, "100", &distribution("1.1.1", "1")), line(2, "-10", &distribution("1.2.1", "1"))];
    let found = of(Sought::Order(&order(USD, &lines))).unwrap();
    assert_eq!((found.amount.to_string().as_str(), weights_of(&found)), ("90.00", vec![10, -1]));
}

#[test]
fn the_lines_currency_counts_when_the_header_has_none() {
    let with = |currency: &str| {
        line(1, "5", &distribution("1.1.1", "1"))
            .replace("\"Total\"", &format!(r#""CurrencyCode":"{currency}","Total""#))
    };
    assert_eq!(of(Sought::Order(&order("", &[with("USD"), with("USD")]))).unwrap().currency.code, "USD");
    let mixed = of(Sought::Order(&order("", &[with("USD"), with("EUR")]))).unwrap_err();
    assert!(matches!(mixed, NoJournal::CurrencyMixed { .. }), "{mixed}");
    let other = of(Sought::Order(&order(USD, &[with("EUR")]))).unwrap_err();
    assert!(matches!(other, NoJournal::CurrencyMixed { .. }), "{other}");
}

#[test]
fn every_absence_has_its_reason() {
    let reason = |sought: Sought<'_>| of(sought).unwrap_err().code();
    assert_eq!(reason(Sought::NoNumber), Code::JournalNoOrderNumber);
    assert_eq!(reason(Sought::Unknown("US-9")), Code::JournalOrderUnknown);
    assert_eq!(reason(Sought::Ambiguous("US-9")), Code::JournalOrderAmbiguous);
    let account = distribution("1.1.1", "1");
    let with = |head: &str, ordered: &str, distributions: &str| {
        let basis = order(head, &[line(1, ordered, distributions)]);
        of(Sought::Order(&basis)).unwrap_err().code()
    };
    assert_eq!(with(USD, "null", &account), Code::JournalNoCost);
    assert_eq!(with(USD, "0", &account), Code::JournalCostZero);
    assert_eq!(with(USD, "-5", &account), Code::JournalCostNegative);
    assert_eq!(with(USD, "5.005", &account), Code::JournalTooManyDecimals);
    assert_eq!(with(USD, "1e14", &account), Code::JournalTooLarge);
    assert_eq!(with(USD, "1e40", &account), Code::JournalNumberUnreadable);
    assert_eq!(with("", "5", &account), Code::JournalCurrencyMissing);
    assert_eq!(with(r#""CurrencyCode":"XAU","#, "5", &account), Code::JournalCurrencyUnknown);
    assert_eq!(with(r#""CurrencyCode":"EUR","#, "5", &account), Code::JournalNoRateType);
    assert_eq!(with(USD, "5", ""), Code::JournalNoDistributions);
    assert_eq!(with(USD, "5", r#"{"Quantity":1}"#), Code::JournalNoChargeAccount);
    assert_eq!(reason(Sought::Order(&order(USD, &[]))), Code::JournalNoCost);
}

#[test]
fn a_canceled_order_or_line_brings_no_journal() {
    let account = distribution("1.1.1", "1");
    for head in
        [r#""StatusCode":"CANCELED","CurrencyCode":"USD","#, r#""Status":"Cancelled","CurrencyCode":"USD","#]
    {
        let canceled = order(head, &[line(1, "5", &account)]);
        assert_eq!(of(Sought::Order(&canceled)).unwrap_err().code(), Code::JournalOrderCanceled);
    }
    let canceled_line = line(1, "5", &account).replace("\"Total\"", r#""StatusCode":"CANCELED","Total""#);
    let basis = order(USD, &[canceled_line]);
    assert_eq!(of(Sought::Line(&basis, "1")).unwrap_err().code(), Code::JournalOrderCanceled);
}

#[test]
fn an_approval_counts_only_when_it_was_given() {
    let basis = two_lines();
    let with = |status: &str| {
        let task = TaskFacts { approval_status: Some(status.to_owned()), ..TaskFacts::default() };
        cost(&task, Sought::Order(&basis), &settings(), LineAmount::Ordered)
    };
    assert!(with("approved").is_ok());
    for status in ["rejected", "changes_requested", "pending"] {
        assert_eq!(with(status), Err(NoJournal::NotApproved { status: status.to_owned() }));
    }
}

proptest! {
    #[test]
    fn the_cost_is_the_amount_that_the_task_shows(amounts in proptest::collection::vec(1i64..1_000_000, 1..6)) {
        let lines: Vec<String> = (1u32..)
            .zip(&amounts)
            .map(|(id, cents)| line(id, &Decimal::new(*cents, 2).to_string(), &distribution("1.1.1", "1")))
            .collect();
        let basis = order(USD, &lines);
        let shown = Subject { order: &basis.facts, line: None, invoices: &[] }
            .value(Purpose::LineItemAmount, LineAmount::Ordered)
            .unwrap();
        let found = of(Sought::Order(&basis)).unwrap();
        prop_assert_eq!(shown, Value::Amount(found.amount, Some("USD".to_owned())));
    }
}
