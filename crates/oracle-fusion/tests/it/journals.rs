use oracle_fusion::{ErrorKind, Fusion, GroupId, Wildcard};
use wiremock::matchers::{method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{answer, asked, client, page, parameter, server};

const BATCHES: &str = "/fscmRestApi/resources/11.13.18.05/journalBatches";
const BATCH: &str = r#"{"JeBatchId":300000123456789,"BatchName":"Costs Spreadsheet A 1234567890 28810 N","Status":"U",
    "RunningTotalAccountedDr":100.10,"RunningTotalAccountedCr":100.10}"#;

fn group() -> GroupId {
    GroupId::new(1_234_567_890).unwrap()
}

#[tokio::test]
async fn batches_of_a_group_are_searched_for_with_the_wildcard_asked_for() {
    for (wildcard, pattern) in [(Wildcard::Star, "*1234567890*"), (Wildcard::Percent, "%1234567890%")] {
        let server = server().await;
        let longer = r#"{"JeBatchId":2,"BatchName":"Other A 91234567890 1 N"}"#;
        answer(&server, BATCHES, page(&[BATCH, longer, r#"{"JeBatchId":3}"#], false)).await;
        let batches = client(&server).journal_batches_of(group(), wildcard).await.unwrap();
        assert_eq!(batches.iter().map(|batch| batch.id.as_str()).collect::<Vec<_>>(), ["300000123456789"]);
        assert_eq!(batches[0].running_total_dr.as_ref().unwrap().as_str(), "100.10");
        let request = &asked(&server).await[0];
        assert_eq!(parameter(request, "q"), Some(format!("BatchName like '{pattern}'")));
        assert_eq!(request.headers.get("REST-Framework-Version").unwrap(), "4");
    }
}

async fn paged(server: &MockServer, offset: &str, template: ResponseTemplate) {
    let at = Mock::given(method("GET")).and(path(BATCHES)).and(query_param("offset", offset));
    at.respond_with(template).mount(server).await;
}

#[tokio::test]
async fn every_page_is_read_by_what_came_and_not_by_what_was_asked_for() {
    let server = server().await;
    let second = BATCH.replace("300000123456789", "2");
    paged(&server, "0", page(&[BATCH], true)).await;
    paged(&server, "1", page(&[&second], false)).await;
    assert_eq!(client(&server).journal_batches_of(group(), Wildcard::Star).await.unwrap().len(), 2);
}

#[tokio::test]
async fn rows_that_moved_or_do_not_end_are_no_answer() {
    let moved = server().await;
    paged(&moved, "0", page(&[BATCH], true)).await;
    paged(&moved, "1", page(&[BATCH], false)).await;
    let endless = server().await;
    paged(&endless, "0", page(&[BATCH], true)).await;
    paged(&endless, "1", page(&[], true)).await;
    let too_many = server().await;
    answer(&too_many, BATCHES, page(&[BATCH; 499], true)).await;
    for server in [moved, endless, too_many] {
        let error = client(&server).journal_batches_of(group(), Wildcard::Star).await.unwrap_err();
        assert_eq!((error.kind(), error.is_transient()), (ErrorKind::Incomplete, true), "{error}");
        assert!(asked(&server).await.len() <= 6);
    }
}

#[tokio::test]
async fn a_control_read_asks_for_any_one_batch() {
    let server = server().await;
    answer(&server, BATCHES, page(&[BATCH], true)).await;
    let batch = client(&server).any_journal_batch().await.unwrap().unwrap();
    assert!(batch.carries(group()));
    let request = &asked(&server).await[0];
    assert_eq!((parameter(request, "limit").as_deref(), parameter(request, "q")), (Some("1"), None));
}

#[tokio::test]
async fn no_batch_at_all_is_told_as_none() {
    let server = server().await;
    answer(&server, BATCHES, page(&[], false)).await;
    let fusion = client(&server);
    assert_eq!(fusion.any_journal_batch().await.unwrap(), None);
    assert!(fusion.journal_batches_of(group(), Wildcard::Star).await.unwrap().is_empty());
}

/// A pod that takes only this letter for a wildcard.
async fn taking(letter: char) -> (MockServer, Fusion) {
    let server = server().await;
    let inner = "osts Spreadsheet A 1234567890 28810 ";
    let q = format!("BatchName like '{letter}{inner}{letter}' and JeBatchId = 300000123456789");
    let searched = Mock::given(method("GET")).and(path(BATCHES)).and(query_param("q", q));
    searched.respond_with(page(&[BATCH], false)).mount(&server).await;
    let any = Mock::given(method("GET")).and(path(BATCHES)).and(query_param("limit", "1"));
    any.respond_with(page(&[], false)).with_priority(9).mount(&server).await;
    let fusion = client(&server);
    (server, fusion)
}

#[tokio::test]
async fn the_wildcard_that_a_pod_takes_is_found_out_with_a_known_batch() {
    let known = server().await;
    answer(&known, BATCHES, page(&[BATCH], false)).await;
    let batch = client(&known).any_journal_batch().await.unwrap().unwrap();
    for (letter, works) in [('*', [true, false]), ('%', [false, true])] {
        let (_server, fusion) = taking(letter).await;
        for (wildcard, works) in Wildcard::ALL.into_iter().zip(works) {
            assert_eq!(
                fusion.wildcard_works(&batch, wildcard).await.unwrap(),
                works,
                "{letter} {wildcard:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_batch_that_cannot_be_read_is_an_error_and_not_absent() {
    let server = server().await;
    answer(&server, BATCHES, page(&[r#"{"BatchName":"A 1234567890"}"#], false)).await;
    let error = client(&server).journal_batches_of(group(), Wildcard::Star).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Malformed);
    assert!(error.to_string().contains("JeBatchId"), "{error}");
}
