//! `journalBatches`: finding a batch again, reading it, deleting it.

use sandbox::oracle::edits::Edit;
use sandbox::oracle::settings::{Access, Wildcards};
use serde_json::{Value, json};

use super::Books;
use crate::pod::{Answer, ROOT, column};

async fn found(books: &Books, version: u8, q: &str) -> Vec<i64> {
    let page = books.pod.page(version, "journalBatches", &[("q", q), ("orderBy", "JeBatchId")]).await;
    column(&page, "JeBatchId").iter().map(|id| id.as_i64().unwrap()).collect()
}

async fn send(books: &Books, method: &str, key: &str) -> Answer {
    let url = format!("{}{ROOT}/journalBatches{key}", books.pod.sandbox.oracle_url());
    let request = books.pod.http.request(method.parse().unwrap(), url).bearer_auth(&books.pod.token);
    books.pod.send(request.header("REST-Framework-Version", "4")).await
}

/// Two groups, one of them imported twice.
async fn three_batches() -> (Books, Vec<i64>) {
    let books = Books::open().await;
    for group in [4711, 4712, 4711] {
        books.import(group, &books.pair("10.50")).await;
    }
    let ids = books.batches().iter().map(|batch| batch["id"].as_i64().unwrap()).collect();
    (books, ids)
}

#[tokio::test]
async fn a_group_is_found_in_the_name_by_like_and_never_by_equality() {
    let (books, ids) = three_batches().await;
    for version in [2, 4, 9] {
        let page = books.pod.page(version, "journalBatches", &[("q", "BatchName LIKE '% A 4711 %'")]).await;
        assert_eq!(page["count"], 2);
    }
    assert_eq!(found(&books, 4, "BatchName like '* A 4711 *'").await, [ids[0], ids[2]]);
    assert_eq!(found(&books, 1, "BatchName LIKE '%4712%'").await, [ids[1]]);
    assert_eq!(found(&books, 1, "BatchName=*4712*;Status=U").await, [ids[1]]);
    assert_eq!(found(&books, 4, "BatchName = 'Costs'").await, [0_i64; 0]);
    assert_eq!(
        found(&books, 4, "DefaultPeriodName = 'Jul-26' and UserJeSourceName = 'Project Costs'").await,
        ids
    );
    assert_eq!(
        found(&books, 1, "Status='U' and BatchName like '%4711%'").await,
        [0_i64; 0],
        "the silent trap"
    );
    for version in [1, 4] {
        books.pod.refused(400, version, "journalBatches", &[("q", "GroupId=4711")]).await;
        books.pod.refused(400, version, "journalBatches", &[("q", "StatusMeaning='Unposted'")]).await;
    }
}

#[tokio::test]
async fn the_wildcard_is_the_pods_and_the_other_finds_nothing() {
    let (books, ids) = three_batches().await;
    books.change_settings(|settings| settings.wildcards = Wildcards::Star);
    assert_eq!(found(&books, 4, "BatchName like '*4712*'").await, [ids[1]]);
    assert_eq!(found(&books, 4, "BatchName like '%4712%'").await, [0_i64; 0]);
    books.change_settings(|settings| settings.wildcards = Wildcards::Percent);
    assert_eq!(found(&books, 4, "BatchName like '%4712%'").await, [ids[1]]);
    assert_eq!(found(&books, 4, "BatchName like '*4712*'").await, [0_i64; 0]);
}

#[tokio::test]
async fn a_batch_shows_its_totals_with_headers_and_lines_below_it() {
    let (books, ids) = three_batches().await;
    let item = send(&books, "GET", &format!("/{}?expand=journalHeaders.journalLines", ids[0])).await;
    assert_eq!(item.status, 200);
    assert!(
        item.text.contains("\"RunningTotalAccountedDr\":10.50,\"RunningTotalAccountedCr\":10.50"),
        "{}",
        item.text
    );
    let batch = item.json();
    assert_eq!((&batch["Status"], &batch["StatusMeaning"]), (&json!("U"), &json!("Unposted")));
    assert_eq!(batch["CreationDate"], "2026-07-15T12:00:00+00:00");
    let header = &batch["journalHeaders"]["items"][0];
    assert_eq!(
        (&header["JournalName"], &header["DefaultEffectiveDate"]),
        (&json!("Task"), &json!("2026-07-15"))
    );
    assert!(header.get("").is_none(), "the server's own key is not shown");
    let lines = column(&header["journalLines"], "AccountCombination");
    assert_eq!(lines, [json!(super::CHARGE), json!(books.facts.clearing_account)]);
    let line = &header["journalLines"]["items"][0];
    assert_eq!((&line["EnteredCr"], &line["JeLineNumber"]), (&Value::Null, &json!(1)));
}

#[tokio::test]
async fn headers_and_lines_are_collections_of_their_own_under_opaque_keys() {
    let (books, ids) = three_batches().await;
    let path = format!("journalBatches/{}/child/journalHeaders", ids[1]);
    let headers = books.pod.page(4, &path, &[]).await;
    let links = headers["items"][0]["links"].as_array().unwrap();
    let lines = links.iter().find(|link| link["name"] == "journalLines").unwrap()["href"].as_str().unwrap();
    let below = lines.split_once(ROOT).unwrap().1.trim_start_matches('/').to_owned();
    let page = books.pod.page(4, &below, &[("q", "EnteredDr > 0"), ("onlyData", "true")]).await;
    assert_eq!(page["count"], 1);
    books.pod.refused(404, 4, &format!("{path}/3107002"), &[]).await;
    books.pod.refused(404, 4, "journalBatches/1", &[]).await;
    books.pod.refused(404, 4, "journalBatches/x", &[]).await;
}

#[tokio::test]
async fn pages_fields_and_finders_work_as_on_any_resource() {
    let (books, ids) = three_batches().await;
    let query =
        [("limit", "2"), ("orderBy", "JeBatchId:desc"), ("fields", "JeBatchId"), ("onlyData", "true")];
    let page = books.pod.page(4, "journalBatches", &query).await;
    assert_eq!(page["items"], json!([{"JeBatchId": ids[2]}, {"JeBatchId": ids[1]}]));
    assert_eq!(page["hasMore"], true);
    let next = books.pod.page(9, "journalBatches", &[query[1], query[2], query[3], ("offset", "2")]).await;
    assert_eq!(
        (&next["items"], &next["hasMore"]),
        (&json!([{"JeBatchId": ids[0].to_string()}]), &json!(false))
    );
    let finder = format!("PrimaryKey;JeBatchId={}", ids[1]);
    let page = books.pod.page(4, "journalBatches", &[("finder", &finder)]).await;
    assert_eq!(column(&page, "JeBatchId"), [json!(ids[1])]);
    let by_date =
        [("q", "LastUpdateDate >= '2026-07-15T12:00:00Z'"), ("orderBy", "LastUpdateDate,JeBatchId")];
    assert_eq!(books.pod.page(4, "journalBatches", &by_date).await["count"], 3);
}

#[tokio::test]
async fn an_unposted_batch_can_be_deleted_once_and_a_posted_one_never() {
    let (books, ids) = three_batches().await;
    books.apply(Edit::PostBatch { batch: ids[2] });
    let page = books.pod.page(4, "journalBatches", &[("q", "Status = 'P'")]).await;
    assert_eq!(
        (&page["items"][0]["JeBatchId"], &page["items"][0]["PostedDate"]),
        (&json!(ids[2]), &json!("2026-07-15"))
    );
    let delete = async |id: i64| send(&books, "DELETE", &format!("/{id}")).await.status.as_u16();
    assert_eq!((delete(ids[0]).await, delete(ids[0]).await, delete(ids[2]).await), (204, 404, 400));
    assert_eq!(found(&books, 4, "BatchName like '%4711%'").await, [ids[2]]);
    assert_eq!(books.pod.sandbox.oracle().batches_of(4711), [ids[2]]);
}

#[tokio::test]
async fn nothing_creates_a_batch_over_rest_and_changing_one_is_not_for_this_user() {
    let (books, ids) = three_batches().await;
    let key = format!("/{}", ids[0]);
    assert_eq!(send(&books, "POST", "").await.status, 400);
    assert_eq!(send(&books, "PUT", &key).await.status, 400);
    assert_eq!(send(&books, "PATCH", &key).await.status, 403);
    assert_eq!(send(&books, "DELETE", "").await.status, 400);
    assert_eq!(send(&books, "DELETE", &format!("{key}/child/journalHeaders")).await.status, 400);
    assert_eq!(books.batches().len(), 3);
}

#[tokio::test]
async fn access_is_403_without_the_privilege_and_empty_without_data() {
    let (books, ids) = three_batches().await;
    let set = |privilege, data| {
        books.change_settings(|settings| {
            settings.access.insert("journalBatches".to_owned(), Access { privilege, data });
        });
    };
    set(true, false);
    assert_eq!(found(&books, 4, "BatchName like '%4711%'").await, [0_i64; 0]);
    let key = format!("/{}", ids[0]);
    assert_eq!(
        (send(&books, "GET", &key).await.status, send(&books, "DELETE", &key).await.status),
        (404.try_into().unwrap(), 404.try_into().unwrap())
    );
    set(false, true);
    books.pod.refused(403, 4, "journalBatches", &[]).await;
    assert_eq!(send(&books, "DELETE", &key).await.status, 403);
    assert_eq!(books.batches().len(), 3);
}
