//! The codes with which an import rejects or accepts rows.

use sandbox::oracle::edits::Edit;
use sandbox::oracle::settings::{Balance, DataAccessSet, SourceParameter};
use serde_json::json;

use super::{Books, CHARGE, Line};

/// The status that each of these lines is left with.
async fn statuses(books: &Books, group: i64, lines: &[Line]) -> Vec<String> {
    let before = books.batches().len();
    books.import(group, lines).await;
    let ledger = books.ledger();
    let rows = ledger["interface"].as_array().unwrap();
    let own = rows.iter().filter(|row| row["group"] == group);
    let left: Vec<String> = own.map(|row| row["status"].as_str().unwrap().to_owned()).collect();
    assert_eq!(left.is_empty(), books.batches().len() > before, "imported or left behind, never both");
    left
}

#[tokio::test]
async fn each_code_has_its_cause() {
    let books = Books::open().await;
    let account = |text: &str| Line::new(&books.facts, text, "10", "");
    let blank = (8..14).fold(books.debit("10"), |line, column| line.with(column, ""));
    let euro = |kind: &str, date: &str, rate: &str| books.debit("10").converted("EUR", kind, date, rate);
    let nines = "9".repeat(30);
    let cases = [
        ("EP01", books.debit("10").with(2, "2026/09/01")),
        ("EP01", books.debit("10").with(2, "2023/01/01")),
        ("EP01", books.debit("10").with(2, "2035/01/01")),
        ("EP03", books.debit("10").with(7, "E")),
        ("EF01", account("101.10.60560.000.000.000")),
        ("EF02", account("101.10.60000.000.000.000")),
        ("EF03", account("101.10.60550.000.000.000")),
        ("EF04", account("101.10.99999.110.000.000")),
        ("EF04", account("201-60540-110-000")),
        ("EF04", account(&format!("{CHARGE}.000"))),
        ("EF05", blank),
        ("EC01", euro("User", "2026/07/15", "")),
        ("EC02", euro("Corporate", "", "")),
        ("EC03", euro("", "", "")),
        ("EC06", euro("Spot", "2026/07/15", "")),
        ("EC06", books.debit("10").converted("CHF", "Corporate", "2026/07/15", "")),
        ("EC08", books.debit("10").with(5, "XXX")),
        ("EC11", euro("Guess", "2026/07/15", "")),
        ("EC12", books.debit("10").with(40, "11")),
        ("EC13", books.debit("1000000000000000")),
        ("EC13", books.debit(&nines)),
        ("EM01", books.debit("10").with(4, "No such category")),
    ];
    for (group, (code, line)) in (1..).zip(cases) {
        let left = statuses(&books, group, &[line.clone(), books.credit("10")]).await;
        let codes: Vec<&str> = left[0].split(',').collect();
        assert!(codes.contains(&code), "{code}: {left:?} {line:?}");
    }
    assert!(books.batches().is_empty());
}

#[tokio::test]
async fn codes_of_one_row_are_joined_and_its_clean_siblings_are_marked_p() {
    let books = Books::open().await;
    let both = Line::new(&books.facts, "101.10.99999.110.000.000", "10", "").converted("EUR", "", "", "");
    let clean = books.credit("10").with(45, "Another journal");
    let pair = books.pair("5");
    let left = statuses(&books, 7, &[both, clean.clone(), pair[0].clone(), pair[1].clone()]).await;
    assert_eq!(left, ["EF04,EC03", "EU02", "P", "P"]);
}

#[tokio::test]
async fn a_journal_out_of_balance_is_rejected_row_by_row() {
    let books = Books::open().await;
    assert_eq!(statuses(&books, 1, &[books.debit("10.00"), books.credit("9.99")]).await, ["EU02", "EU02"]);
    let other_journal = [books.debit("10").with(45, "One"), books.credit("10").with(45, "Two")];
    assert_eq!(statuses(&books, 2, &other_journal).await, ["EU02", "EU02"], "two journals, each one-sided");
    let other_month = [books.debit("10").with(2, "2026/06/30"), books.credit("10")];
    assert_eq!(statuses(&books, 3, &other_month).await, ["EU02", "EU02"], "a journal lies in one period");
    let other_currency =
        [books.debit("10"), books.credit("10").converted("EUR", "Corporate", "2026/07/15", "")];
    assert_eq!(statuses(&books, 4, &other_currency).await, ["EU02", "EU02"]);
    let split = [books.debit("3.33"), books.debit("3.33"), books.debit("3.34"), books.credit("10")];
    assert!(statuses(&books, 5, &split).await.is_empty());
}

#[tokio::test]
async fn each_balancing_segment_balances_unless_the_switch_says_otherwise() {
    let books = Books::open().await;
    books.apply(Edit::CreateAccount { account: "102.10.60540.110.000.000".to_owned() });
    let debit = Line::new(&books.facts, "102.10.60540.110.000.000", "10", "");
    assert_eq!(statuses(&books, 1, &[debit.clone(), books.credit("10")]).await, ["EU02", "EU02"]);
    let own = Line::new(&books.facts, "102.10.21990.000.000.000", "", "10");
    assert!(
        statuses(&books, 2, &[debit.clone(), own]).await.is_empty(),
        "each company has a clearing account"
    );
    books.change_settings(|settings| settings.ledger.balance = Balance::PerJournal);
    assert!(statuses(&books, 3, &[debit, books.credit("10")]).await.is_empty());
}

#[tokio::test]
async fn with_suspense_an_unbalanced_journal_is_imported_as_it_is() {
    let books = Books::open().await;
    books.apply(Edit::Suspense { allowed: true, ledger: None });
    assert!(statuses(&books, 7, &[books.debit("10"), books.credit("9.5")]).await.is_empty());
    let batch = &books.batches()[0];
    assert_eq!((&batch["warnings"], &batch["status"]), (&json!(["WU01"]), &json!("U")));
    assert_eq!((&batch["accounted_dr"], &batch["accounted_cr"]), (&json!("10"), &json!("9.5")));
    books.apply(Edit::Suspense { allowed: false, ledger: None });
    assert_eq!(statuses(&books, 8, &[books.debit("10"), books.credit("9.5")]).await, ["EU02", "EU02"]);
}

#[tokio::test]
async fn account_errors_go_to_the_suspense_account_only_where_asked_and_allowed() {
    let books = Books::open().await;
    let lines = [Line::new(&books.facts, "101.10.99999.110.000.000", "10", ""), books.credit("10")];
    let mut journal = books.journal(7, &lines);
    let parameters = books.parameters("7").replacen(",N", ",Y", 1);
    journal["ParameterList"] = json!(parameters);
    books.submit(&journal).await;
    assert_eq!(books.left(), ["EF04", "P"]);
    books.apply(Edit::PurgeInterface { group: 7 });
    books.apply(Edit::Suspense { allowed: true, ledger: None });
    books.submit(&journal).await;
    let batch = books.batches()[0].clone();
    assert_eq!(batch["warnings"], json!(["WF02"]));
    assert_eq!(batch["journals"][0]["lines"][0]["account"], json!(books.facts.suspense_account));
}

#[tokio::test]
async fn a_ledger_without_an_open_period_says_so() {
    let books = Books::open().await;
    books.pod.sandbox.clock().freeze("2040-01-01T00:00:00Z".parse().unwrap());
    assert_eq!(statuses(&books, 7, &books.pair("10")).await, ["EP02", "EP02"]);
}

#[tokio::test]
async fn periods_and_accounts_count_as_they_are_when_the_import_runs() {
    let books = Books::open().await;
    let period = |status: &str| Edit::PeriodStatus {
        period: "Jul-26".to_owned(),
        status: status.to_owned(),
        ledger: None,
        application: None,
    };
    books.apply(period("C"));
    assert_eq!(statuses(&books, 1, &books.pair("1")).await, ["EP01", "EP01"]);
    for open in ["F", "O"] {
        books.apply(period(open));
        assert!(statuses(&books, 2, &books.pair("1")).await.is_empty());
    }
    assert!(statuses(&books, 3, &books.pair("1").map(|line| line.with(2, "2026/08/31"))).await.is_empty());
    let account = |enabled| Edit::ChangeAccount {
        account: CHARGE.to_owned(),
        enabled: Some(enabled),
        detail_posting: None,
    };
    books.apply(account(false));
    assert_eq!(statuses(&books, 4, &books.pair("1")).await, ["EF03", "P"]);
    books.apply(account(true));
    let last = |day: Option<&str>| Edit::EndAccount {
        account: CHARGE.to_owned(),
        last_day: day.map(|day| day.parse().unwrap()),
    };
    books.apply(last(Some("2026-07-14")));
    assert_eq!(statuses(&books, 5, &books.pair("1")).await, ["EF01", "P"]);
    books.apply(last(Some("2026-07-15")));
    assert!(statuses(&books, 6, &books.pair("1")).await.is_empty(), "the last day counts");
    books.apply(last(None));
    books.apply(Edit::ChangeAccount {
        account: CHARGE.to_owned(),
        enabled: None,
        detail_posting: Some(false),
    });
    assert_eq!(statuses(&books, 7, &books.pair("1")).await, ["EF02", "P"]);
}

#[tokio::test]
async fn wrong_parameters_end_the_import_in_error_and_leave_the_rows_as_they_are() {
    let books = Books::open().await;
    let ledger = books.facts.ledger_id;
    let cases = [
        format!("#NULL,Project Costs,{ledger},7,N,N"),
        format!("1,Project Costs,{ledger},7,N,N,N"),
        format!("#NULL,No such source,{ledger},7,N,N,N"),
        format!("#NULL,Project Costs,{ledger},#NULL,N,N,N"),
        format!("#NULL,Project Costs,{ledger},seven,N,N,N"),
        "#NULL,Project Costs,42,7,N,N,N".to_owned(),
    ];
    for parameters in cases {
        let mut journal = books.journal(7, &books.pair("1"));
        journal["ParameterList"] = json!(parameters);
        let id = books.submit(&journal).await;
        let jobs = books.tree(id).await;
        assert_eq!((jobs[0].1.as_str(), jobs[3].1.as_str()), ("SUCCEEDED", "ERROR"), "{parameters}");
    }
    assert!(books.batches().is_empty() && books.left().iter().all(|status| status == "NEW"));
}

#[tokio::test]
async fn the_source_is_named_by_name_or_key_and_the_access_set_may_be_demanded() {
    let books = Books::open().await;
    let tried = async |group: i64, set: &str, source: &str| {
        let mut journal = books.journal(group, &books.pair("1"));
        journal["ParameterList"] = json!(format!("{set},{source},{},{group},N,N,N", books.facts.ledger_id));
        books.submit(&journal).await;
        !books.pod.sandbox.oracle().batches_of(group).is_empty()
    };
    let (name, key) = (books.facts.source.clone(), books.facts.source_key.clone());
    let set = books.facts.data_access_set_id.to_string();
    let quoted = format!("\"{name}\"");
    assert!(tried(1, &set, &name).await && tried(2, "#NULL", &key).await && tried(3, "", &quoted).await);
    books.change_settings(|settings| settings.ledger.source_parameter = SourceParameter::Key);
    assert!(tried(4, &set, &key).await && !tried(5, &set, &name).await);
    books.change_settings(|settings| settings.ledger.source_parameter = SourceParameter::Name);
    assert!(tried(6, &set, &name).await && !tried(7, &set, &key).await);
    books.change_settings(|settings| settings.ledger.data_access_set = DataAccessSet::Required);
    assert!(tried(8, &set, &name).await && !tried(9, "#NULL", &name).await);
    books.apply(Edit::RemoveSource { source: name.clone() });
    assert!(!tried(10, &set, &name).await);
}
