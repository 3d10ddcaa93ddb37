//! The ledger's pages for people.

use serde_json::json;

use super::Books;

async fn text(books: &Books, path: &str) -> (u16, String) {
    let answer =
        books.pod.send(books.pod.http.get(format!("{}{path}", books.pod.sandbox.oracle_url()))).await;
    (answer.status.as_u16(), answer.text)
}

async fn press(books: &Books, path: &str) -> u16 {
    let url = format!("{}{path}", books.pod.sandbox.oracle_url());
    books.pod.send(books.pod.http.post(url)).await.status.as_u16()
}

#[tokio::test]
async fn the_front_page_leads_to_batches_and_a_batch_to_its_lines() {
    let books = Books::open().await;
    let (_, front) = text(&books, "/").await;
    assert!(front.contains("href=\"/journals\"") && front.contains("href=\"/periods\""));
    assert!(text(&books, "/journals").await.1.contains("No journal has been imported yet"));
    let line = |line: super::Line| line.with(51, "<b>Travel</b> & more");
    let pound = |line: super::Line| line.converted("GBP", "Corporate", "2026/07/15", "");
    books.import(7, &books.pair("1234567.80").map(line)).await;
    books.import(8, &books.pair("100").map(pound)).await;
    let (status, list) = text(&books, "/journals").await;
    let batch = books.batches()[0].clone();
    let name = batch["name"].as_str().unwrap();
    assert!(status == 200 && list.contains(name) && list.contains("2 batches, page 1 of 1"), "{list}");
    assert!(list.contains("1,234,567.80 USD"));
    let (status, page) = text(&books, &format!("/journals/{}", batch["id"])).await;
    assert_eq!(status, 200);
    for shown in [
        "&lt;b&gt;Travel&lt;/b&gt; &amp; more",
        "1,234,567.80",
        super::CHARGE,
        &books.facts.clearing_account,
        "Unposted",
    ] {
        assert!(page.contains(shown), "{shown}");
    }
    let (_, foreign) = text(&books, &format!("/journals/{}", books.batches()[1]["id"])).await;
    assert!(foreign.contains("127.15") && foreign.contains("Debit, USD"), "{foreign}");
    assert_eq!(text(&books, "/journals/1").await.0, 404);
    assert_eq!(text(&books, "/journals?page=9").await.0, 200);
}

#[tokio::test]
async fn buttons_post_a_batch_and_close_and_open_a_period() {
    let books = Books::open().await;
    books.import(7, &books.pair("10")).await;
    let id = books.batches()[0]["id"].clone();
    assert_eq!(press(&books, &format!("/journals/{id}/post")).await, 200);
    assert_eq!(books.batches()[0]["status"], json!("P"));
    assert_eq!(press(&books, &format!("/journals/{id}/post")).await, 422);
    let (_, page) = text(&books, "/periods").await;
    let at = format!("/periods/{}/Jul-26", books.facts.ledger_id);
    assert!(page.contains(&format!("action=\"{at}/C\"")) && page.contains("EU Primary Ledger"), "{page}");
    assert_eq!(press(&books, &format!("{at}/C")).await, 200);
    books.import(8, &books.pair("10")).await;
    assert_eq!(books.left(), ["EP01", "EP01"]);
    assert!(text(&books, "/periods").await.1.contains(&format!("action=\"{at}/O\"")));
    assert_eq!(press(&books, &format!("{at}/O")).await, 200);
    books.import(8, &books.pair("10")).await;
    assert_eq!(books.batches().len(), 2);
    assert_eq!(press(&books, &format!("/periods/{}/Nov-99/C", books.facts.ledger_id)).await, 422);
}
