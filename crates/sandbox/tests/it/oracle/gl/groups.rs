//! Groups: no idempotency, leftovers, merged loads, and other people's rows.

use sandbox::oracle::edits::Edit;
use sandbox::oracle::settings::Phases;
use serde_json::{Value, json};

use super::{Books, Line, archive, csv_of};

#[tokio::test]
async fn the_same_file_twice_makes_two_batches_whose_names_differ() {
    let books = Books::open().await;
    let journal = books.journal(28_082_025, &books.pair("10"));
    let ids = [books.submit(&journal).await, books.submit(&journal).await];
    let batches = books.batches();
    let names: Vec<&str> = batches.iter().map(|batch| batch["name"].as_str().unwrap()).collect();
    let expected = ids.map(|id| format!("Costs Project Costs A 28082025 {} N", id + 4));
    assert_eq!(names, expected);
    let oracle = books.pod.sandbox.oracle();
    assert_eq!((oracle.batches_of(28_082_025).len(), oracle.submissions_of(28_082_025)), (2, 2));
    assert_eq!(books.ledger()["submissions"], json!({"28082025": 2}));
}

#[tokio::test]
async fn two_loads_before_an_import_are_imported_together() {
    let books = Books::with(|settings| {
        settings.erp.phases = Phases { wait_ms: 0, run_ms: 0, load_ms: 0, import_ms: 1_000 };
    })
    .await;
    let first = books.import(7, &books.pair("10")).await;
    books.advance(500);
    let second = books.import(7, &books.pair("2.5")).await;
    assert_eq!(books.left().len(), 4);
    books.advance(500);
    let batches = books.batches();
    assert_eq!(
        (batches.len(), &batches[0]["accounted_dr"]),
        (1, &json!("12.5")),
        "the first import takes all"
    );
    books.advance(500);
    assert_eq!(books.status(first).await, "SUCCEEDED");
    let jobs = books.tree(second).await;
    assert_eq!(
        (jobs[0].1.as_str(), jobs[3].1.as_str()),
        ("SUCCEEDED", "WARNING"),
        "nothing was left for the second"
    );
    assert_eq!((books.batches().len(), books.pod.sandbox.oracle().submissions_of(7)), (1, 2));
}

#[tokio::test]
async fn rejected_rows_wait_in_the_interface_and_join_the_next_import_of_their_group() {
    let books = Books::open().await;
    let july = |status: &str| Edit::PeriodStatus {
        period: "Jul-26".to_owned(),
        status: status.to_owned(),
        ledger: None,
        application: None,
    };
    books.apply(july("C"));
    books.import(7, &books.pair("10")).await;
    assert_eq!(books.left(), ["EP01", "EP01"]);
    books.import(7, &books.pair("10")).await;
    assert_eq!(books.left().len(), 4, "the same error again, and twice the rows");
    books.apply(july("O"));
    books.import(7, &books.pair("10")).await;
    let batches = books.batches();
    assert_eq!((batches.len(), &batches[0]["accounted_dr"], books.left().len()), (1, &json!("30"), 0));
}

#[tokio::test]
async fn purging_a_group_takes_its_rows_away_and_no_others() {
    let books = Books::open().await;
    for group in [7, 8] {
        books.import(group, &[books.debit("1")]).await;
    }
    assert_eq!(books.left().len(), 2);
    let oracle = books.pod.sandbox.oracle();
    assert_eq!(oracle.apply(Edit::PurgeInterface { group: 7 }).unwrap(), [7]);
    assert_eq!(oracle.apply(Edit::PurgeInterface { group: 7 }).unwrap(), [0_i64; 0]);
    assert_eq!(books.ledger()["interface"][0]["group"], 8);
    books.import(7, &books.pair("1")).await;
    assert_eq!(books.batches().len(), 1);
}

#[tokio::test]
async fn one_bad_line_keeps_every_journal_of_its_group_and_none_of_another() {
    let books = Books::open().await;
    let bad = Line::new(&books.facts, "101.10.99999.110.000.000", "1", "").with(45, "Bad");
    let good = books.pair("5").map(|line| line.with(45, "Good"));
    let in_group = |line: &Line, group: &str| line.clone().with(66, group);
    let lines = [
        in_group(&good[0], "1"),
        in_group(&good[1], "1"),
        in_group(&good[0], "2"),
        in_group(&good[1], "2"),
        in_group(&bad, "2"),
        in_group(&books.credit("1").with(45, "Bad"), "2"),
    ];
    let request = books.request(&archive("GlInterface.csv", &csv_of(&lines)), "ALL");
    books.submit(&request).await;
    assert_eq!(books.left(), ["P", "P", "EF04", "P"]);
    let batches = books.batches();
    assert_eq!((batches.len(), &batches[0]["group"]), (1, &json!(1)));
    let oracle = books.pod.sandbox.oracle();
    assert_eq!((oracle.submissions_of(1), oracle.submissions_of(2)), (1, 1));
}

#[tokio::test]
async fn all_takes_everyones_rows_of_the_source_and_ledger_and_a_number_only_its_own() {
    let books = Books::open().await;
    let someone = books.pair("1");
    let mut pending = books.journal(1, &someone);
    pending["ParameterList"] = json!(books.parameters("99"));
    books.submit(&pending).await;
    let spreadsheet = someone.clone().map(|line| line.with(3, "Spreadsheet"));
    let mut other_source = books.journal(2, &spreadsheet);
    other_source["ParameterList"] = json!(books.parameters("99"));
    books.submit(&other_source).await;
    books.import(3, &books.pair("2")).await;
    assert_eq!((books.left().len(), books.batches().len()), (4, 1));
    let mut all = books.journal(4, &books.pair("3"));
    all["ParameterList"] = json!(books.parameters("ALL"));
    books.submit(&all).await;
    let groups: Vec<Value> = books.batches().iter().map(|batch| batch["group"].clone()).collect();
    assert_eq!(groups, [json!(3), json!(1), json!(4)]);
    let ledger = books.ledger();
    assert!(ledger["interface"].as_array().unwrap().iter().all(|row| row["source"] == "Spreadsheet"));
}

#[tokio::test]
async fn a_batch_lies_in_one_period_and_the_second_of_one_name_is_numbered() {
    let books = Books::open().await;
    let june = books.pair("1").map(|line| line.with(2, "2026/06/30"));
    let named = books.pair("2").map(|line| line.with(42, "Other"));
    let lines: Vec<Line> = books.pair("3").into_iter().chain(june).chain(named).collect();
    let id = books.import(7, &lines).await;
    let mut names: Vec<String> =
        books.batches().iter().map(|batch| batch["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    let process = id + 4;
    let expected = [
        format!("Costs Project Costs A 7 {process} 2 N"),
        format!("Costs Project Costs A 7 {process} N"),
        format!("Other Project Costs A 7 {process} N"),
    ];
    assert_eq!(names, expected);
    let unnamed = books.pair("1").map(|line| line.with(42, ""));
    let id = books.import(8, &unnamed).await;
    assert_eq!(books.batches()[3]["name"], format!("Project Costs A 8 {} N", id + 4));
}

#[tokio::test]
async fn a_journal_keeps_its_texts_and_references() {
    let books = Books::open().await;
    let described = |line: Line| {
        line.with(47, "PO 4711")
            .with(51, "Travel: \"São Paulo\", 2 days\nsecond line")
            .with(52, "line ref")
            .with(61, "last ref")
    };
    let lines: Vec<Line> = books.pair("1").into_iter().map(described).collect();
    books.import(7, &lines).await;
    let batch = books.batches()[0].clone();
    assert_eq!((&batch["description"], &batch["process"]), (&json!("Costs of a project"), &json!(603_551)));
    let journal = &batch["journals"][0];
    assert_eq!((&journal["name"], &journal["description"]), (&json!("Task"), &json!("A task was completed")));
    assert_eq!((&journal["reference"], &journal["date"]), (&json!("PO 4711"), &json!("2026-07-15")));
    let line = &journal["lines"][1];
    assert_eq!(line["description"], "Travel: \"São Paulo\", 2 days\nsecond line");
    assert_eq!((&line["references"][0], &line["references"][9]), (&json!("line ref"), &json!("last ref")));
    assert_eq!(
        (&line["account"], &line["account_id"]),
        (&json!(books.facts.clearing_account), &json!(books.facts.clearing_account_id))
    );
}

#[tokio::test]
async fn equal_histories_leave_equal_ledgers() {
    let history = async || {
        let books = Books::open().await;
        books.import(7, &books.pair("10")).await;
        books.import(8, &[books.debit("1")]).await;
        books.apply(Edit::Suspense { allowed: true, ledger: None });
        books.import(8, &[books.debit("1")]).await;
        books.pod.sandbox.oracle().ledger_json()
    };
    assert_eq!(history().await, history().await);
}
