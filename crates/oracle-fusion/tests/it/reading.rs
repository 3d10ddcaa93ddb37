use oracle_fusion::{
    Attr, DateTimeLiteral, Filter, FrameworkVersion, Fusion, Limit, Precision, Query, Resource, Value,
};
use wiremock::ResponseTemplate;

use crate::support::{INVOICES, ORDERS, answer, asked, client, config, page, parameter, server};

#[tokio::test]
async fn every_request_is_pinned_and_asks_for_structured_errors() {
    let server = server().await;
    answer(&server, ORDERS, page(&[r#"{"POHeaderId":300100183456789,"Total":1260.00}"#], false)).await;
    let page = client(&server).page(&Query::new(Resource::PurchaseOrders)).await.unwrap();
    assert_eq!(page.items[0].get(), r#"{"POHeaderId":300100183456789,"Total":1260.00}"#);
    assert_eq!((page.count, page.has_more), (1, false));

    let request = &asked(&server).await[0];
    let header = |name: &str| request.headers.get(name).unwrap().to_str().unwrap();
    assert_eq!(header("REST-Framework-Version"), "4");
    assert_eq!(header("Accept"), "application/json, application/vnd.oracle.adf.error+json");
    assert_eq!(header("Authorization"), "Bearer t0k3n");
    assert_eq!(parameter(request, "onlyData").as_deref(), Some("true"));
    assert_eq!(parameter(request, "limit").as_deref(), Some("499"));
    assert_eq!(parameter(request, "totalResults"), None);
}

#[tokio::test]
async fn the_query_arrives_as_it_was_meant() {
    let server = server().await;
    answer(&server, INVOICES, page(&[], false)).await;
    let mut config = config(&server);
    config.framework_version = FrameworkVersion::try_from(9).unwrap();
    config.datetime_literal = DateTimeLiteral { precision: Precision::Seconds, ..DateTimeLiteral::default() };
    let from = Value::Timestamp("2026-01-02T03:04:05.678Z".parse().unwrap());
    let supplier = Attr::new("Supplier").unwrap();
    let query = Query::new(Resource::Invoices)
        .filter(Filter::Ge(Attr::last_update(), from).and(Filter::Eq(supplier, Value::text("Ä&Söhne's +1%"))))
        .limit(Limit::clamped(25));
    Fusion::new(config).unwrap().page(&query).await.unwrap();

    let request = &asked(&server).await[0];
    let q = "LastUpdateDate >= '2026-01-02T03:04:05+00:00' and Supplier = 'Ä&Söhne''s +1%'";
    assert_eq!(parameter(request, "q").as_deref(), Some(q));
    assert_eq!(parameter(request, "limit").as_deref(), Some("25"));
    assert_eq!(request.headers.get("REST-Framework-Version").unwrap(), "9");
}

#[tokio::test]
async fn a_description_tells_what_can_be_filtered() {
    let server = server().await;
    let body = r#"{"Resources":{"purchaseOrders":{"attributes":[{"name":"LastUpdateDate","type":"datetime","queryable":true}]}}}"#;
    answer(
        &server,
        &format!("{ORDERS}/describe"),
        ResponseTemplate::new(200).set_body_raw(body, "application/json"),
    )
    .await;
    let description = client(&server).describe(Resource::PurchaseOrders).await.unwrap();
    assert!(description.is_queryable("LastUpdateDate"));
    assert!(!description.is_queryable("RequesterDisplayName"));
}

#[tokio::test]
async fn requests_are_counted_with_those_for_tokens() {
    let server = server().await;
    answer(&server, ORDERS, page(&[], false)).await;
    let fusion = client(&server);
    assert_eq!(fusion.requests(), 0);
    fusion.page(&Query::new(Resource::PurchaseOrders)).await.unwrap();
    fusion.clone().page(&Query::new(Resource::PurchaseOrders)).await.unwrap();
    assert_eq!(fusion.requests(), 3);
}

#[tokio::test]
async fn a_base_with_a_path_keeps_it() {
    let server = server().await;
    answer(&server, &format!("/oracle{ORDERS}"), page(&[], false)).await;
    for suffix in ["/oracle", "/oracle/"] {
        let mut config = config(&server);
        config.base = format!("{}{suffix}", server.uri()).parse().unwrap();
        assert!(Fusion::new(config).unwrap().page(&Query::new(Resource::PurchaseOrders)).await.is_ok());
    }
}
