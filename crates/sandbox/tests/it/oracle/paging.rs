//! Paging and ordering of collections.

use std::collections::BTreeSet;

use sandbox::GenerateOptions;

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
