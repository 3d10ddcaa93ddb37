//! Faults on the `POST`: the journal exists or not, whatever the client learns.

use std::time::Duration;

use sandbox::{Fault, FaultRule, Side};

use super::Books;

fn on_post(fault: Fault) -> FaultRule {
    FaultRule::new(fault).on(Side::Oracle).method("POST").path("/erpintegrations").times(1)
}

#[tokio::test]
async fn a_lost_answer_leaves_a_journal_only_where_the_request_was_applied() {
    let books = Books::open().await;
    let cases = [
        (Fault::DropBefore, 0),
        (Fault::TimeoutBefore { ms: 20 }, 0),
        (Fault::DropAfter, 1),
        (Fault::TimeoutAfter { ms: 20 }, 1),
        (Fault::TruncatedBody, 1),
    ];
    for (group, (fault, made)) in (1..).zip(cases) {
        let rule = books.pod.sandbox.faults().add(on_post(fault.clone()));
        let sent = books.posting(4, &books.journal(group, &books.pair("10"))).send().await;
        let lost = match sent {
            Err(_) => true,
            Ok(response) => response.bytes().await.is_err(),
        };
        assert!(lost && books.pod.sandbox.faults().fired(rule) == 1, "{fault:?}");
        let oracle = books.pod.sandbox.oracle();
        assert_eq!(
            (oracle.submissions_of(group), oracle.batches_of(group).len()),
            (made, usize::try_from(made).unwrap()),
            "{fault:?}"
        );
        let q = [("q", &*format!("BatchName like '% A {group} %'"))];
        assert_eq!(books.pod.page(4, "journalBatches", &q).await["count"], made, "reading works again");
    }
}

#[tokio::test]
async fn a_status_or_page_in_place_of_the_answer_applies_nothing_and_a_garbled_one_does() {
    let books = Books::open().await;
    let status = |status, html| Fault::Status { status, retry_after: None, body: None, html };
    for (group, fault, made) in [
        (1, status(503, true), 0),
        (2, status(500, false), 0),
        (3, Fault::HtmlPage, 0),
        (4, Fault::MalformedJson, 1),
        (5, Fault::Delay { ms: 10 }, 1),
    ] {
        books.pod.sandbox.faults().add(on_post(fault));
        books.post(4, &books.journal(group, &books.pair("10"))).await;
        assert_eq!(books.pod.sandbox.oracle().submissions_of(group), made, "{group}");
    }
}

#[tokio::test]
async fn a_client_that_gives_up_waiting_may_have_made_a_journal() {
    let books = Books::open().await;
    books.pod.sandbox.faults().add(on_post(Fault::TimeoutAfter { ms: 60_000 }));
    let request = books.posting(4, &books.journal(7, &books.pair("10"))).timeout(Duration::from_millis(300));
    assert!(request.send().await.unwrap_err().is_timeout());
    assert_eq!(books.pod.sandbox.oracle().batches_of(7).len(), 1);
    books.import(7, &books.pair("10")).await;
    assert_eq!(books.pod.sandbox.oracle().batches_of(7).len(), 2, "sending it again makes another");
}
