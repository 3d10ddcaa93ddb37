//! Paging and ordering of collections.

use std::collections::BTreeSet;

use sandbox::GenerateOptions;
use sandbox::oracle::Edit;
use sandbox::oracle::settings::Granularity;

use crate::pod::{Pod, column, orders};

#[tokio::test]
async fn a_page_has_25_rows_unless_asked_and_never_more_than_499() {
    let pod = Pod::start(GenerateOptions { headers_only: true, ..orders(600) }).await;
    let page = pod.page(4, "purchaseOrders", &[]).await;
    assert_eq!((&page["count"], &page["limit"], &page["hasMore"]), (&25.into(), &25.into(), &true.into()));
    let page = pod.page(4, "purchaseOrders", &[("limit", "5000"), ("totalResults", "true")]).await;
    assert_eq!((&page["count"], &page["limit"], &page["hasMore"]), (&499.into(), &499.into(), &true.into()));
    assert_eq!(page["totalResults"], 600);
    let rest = pod.page(4, "purchaseOrders", &[("limit", "499"), ("offset", "499")]).await;
    assert_eq!(
        (&rest["count"], &rest["hasMore"], &rest["offset"]),
        (&101.into(), &false.into(), &499.into())
    );
    pod.sandbox.oracle().change_settings(|settings| settings.max_limit = 10);
    let page = pod.page(4, "purchaseOrders", &[("limit", "499")]).await;
    assert_eq!((&page["count"], &page["hasMore"]), (&10.into(), &true.into()));
    for bad in [("limit", "0"), ("limit", "x"), ("offset", "-1")] {
        pod.refused(400, 4, "purchaseOrders", &[bad]).await;
    }
}

#[tokio::test]
async fn keyset_pages_by_date_and_id_bring_every_order_once() {
    let pod = Pod::start(GenerateOptions { headers_only: true, ..orders(1_100) }).await;
    let mut seen = BTreeSet::new();
    let mut from = "2000-01-01T00:00:00Z".to_owned();
    loop {
        let q = format!("LastUpdateDate >= '{from}'");
        let query = [
            ("q", q.as_str()),
            ("orderBy", "LastUpdateDate:asc,POHeaderId:asc"),
            ("limit", "499"),
            ("onlyData", "true"),
            ("expand", "lines.schedules.distributions"),
        ];
        let page = pod.page(4, "purchaseOrders", &query).await;
        let times = column(&page, "LastUpdateDate");
        assert!(times.is_sorted_by_key(|time| time.as_str().unwrap().parse::<jiff::Timestamp>().unwrap()));
        seen.extend(column(&page, "POHeaderId").iter().map(|id| id.as_i64().unwrap()));
        if page["hasMore"] == false {
            break;
        }
        from = times.last().unwrap().as_str().unwrap().to_owned();
    }
    assert_eq!(seen.len(), 1_100);
}

#[tokio::test]
async fn a_full_page_of_one_timestamp_is_read_by_offset() {
    let pod = Pod::start(GenerateOptions { headers_only: true, same_timestamp: true, ..orders(1_200) }).await;
    for granularity in [Granularity::Millis, Granularity::Seconds] {
        pod.sandbox.oracle().change_settings(|settings| settings.filter_granularity = granularity);
        let mut seen = Vec::new();
        for offset in ["0", "499", "998"] {
            let query = [
                ("q", "LastUpdateDate >= '2025-01-01T00:00:00+00:00'"),
                ("orderBy", "LastUpdateDate:asc,POHeaderId:asc"),
                ("limit", "499"),
                ("offset", offset),
            ];
            let page = pod.page(4, "purchaseOrders", &query).await;
            assert_eq!(page["hasMore"], offset != "998");
            seen.extend(column(&page, "POHeaderId").iter().map(|id| id.as_i64().unwrap()));
        }
        assert_eq!(seen, pod.sandbox.oracle().order_ids());
    }
}

#[tokio::test]
async fn a_record_that_changes_while_paging_moves_to_the_end_of_the_keyset_order() {
    let pod = Pod::start(orders(30)).await;
    let query = [
        ("q", "LastUpdateDate >= '2000-01-01T00:00:00Z'"),
        ("orderBy", "LastUpdateDate:asc,POHeaderId:asc"),
        ("limit", "30"),
    ];
    let before = column(&pod.page(4, "purchaseOrders", &query).await, "POHeaderId");
    let edit = Edit::Touch {
        resource: "purchaseOrders".to_owned(),
        ids: vec![before[3].as_i64().unwrap()],
        at: None,
    };
    pod.sandbox.oracle().apply(edit).unwrap();
    let after = column(&pod.page(4, "purchaseOrders", &query).await, "POHeaderId");
    assert_eq!((after.last(), &after[3]), (Some(&before[3]), &before[4]));
}
