use std::time::Duration;

use oracle_fusion::{Error, ErrorKind, Fusion, Query, Resource};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use wiremock::{MockServer, ResponseTemplate};

use crate::support::{ORDERS, answer, asked, client, config, page, server};

async fn failing(template: ResponseTemplate) -> Error {
    let server = server().await;
    answer(&server, ORDERS, template).await;
    let error = client(&server).page(&Query::new(Resource::PurchaseOrders)).await.unwrap_err();
    assert_eq!(asked(&server).await.len(), 1, "only 401 is tried again");
    error
}

/// A server that answers with exactly these bytes and closes.
async fn raw(bytes: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        assert!(socket.read(&mut request).await.unwrap() > 0);
        socket.write_all(bytes).await.unwrap();
        socket.shutdown().await.unwrap();
    });
    address
}

async fn against(server: &MockServer, base: String) -> Error {
    let mut config = config(server);
    config.base = base.parse().unwrap();
    Fusion::new(config).unwrap().page(&Query::new(Resource::PurchaseOrders)).await.unwrap_err()
}

#[tokio::test]
async fn each_status_has_its_kind() {
    for (status, kind, transient) in [
        (301, ErrorKind::Redirected, false),
        (400, ErrorKind::BadRequest, false),
        (403, ErrorKind::Forbidden, false),
        (404, ErrorKind::NotFound, false),
        (408, ErrorKind::Server, true),
        (412, ErrorKind::Refused, false),
        (429, ErrorKind::TooManyRequests, true),
        (500, ErrorKind::Server, true),
        (502, ErrorKind::Server, true),
        (503, ErrorKind::Maintenance, true),
        (504, ErrorKind::Server, true),
    ] {
        let error = failing(ResponseTemplate::new(status).set_body_string("Something\nwent wrong")).await;
        assert_eq!(
            (error.kind(), error.is_transient(), error.status()),
            (kind, transient, Some(status)),
            "{error}"
        );
        assert_eq!(error.fault().unwrap().detail.as_deref(), Some("Something went wrong"));
        assert_eq!(
            error.to_string(),
            format!("purchaseOrders: Oracle answered {status}: Something went wrong")
        );
    }
}

#[tokio::test]
async fn a_structured_error_is_told() {
    let body = r#"{"title":"Bad Request","status":"400","detail":"URL request parameter q cannot be used",
        "o:errorDetails":[{"detail":"Attribute X is not queryable","o:errorCode":"27024","o:errorPath":"/X"}]}"#;
    let json = "application/vnd.oracle.adf.error+json";
    let error = failing(ResponseTemplate::new(400).set_body_raw(body, json)).await;
    assert_eq!(error.code(), Some("27024"));
    let fault = error.fault().unwrap();
    assert_eq!((fault.title.as_deref(), fault.path.as_deref()), (Some("Bad Request"), Some("/X")));
    assert!(fault.detail.as_ref().unwrap().contains("not queryable"));
}

#[tokio::test]
async fn the_time_to_wait_is_told() {
    for (status, wait) in [(429, 60), (503, 3600), (500, 5)] {
        let template = ResponseTemplate::new(status).insert_header("Retry-After", wait.to_string());
        assert_eq!(failing(template).await.retry_after(), Some(Duration::from_secs(wait)));
    }
    assert_eq!(failing(ResponseTemplate::new(429)).await.retry_after(), None);
}

#[tokio::test]
async fn no_request_leaves_before_the_time_that_a_429_names() {
    let server = server().await;
    answer(&server, ORDERS, ResponseTemplate::new(429).insert_header("Retry-After", "60")).await;
    let fusion = client(&server);
    let orders = Query::new(Resource::PurchaseOrders);
    fusion.page(&orders).await.unwrap_err();
    let sent = fusion.requests();
    for error in [
        fusion.clone().page(&orders).await.unwrap_err(),
        fusion.page(&Query::new(Resource::Invoices)).await.unwrap_err(),
        fusion.describe(Resource::Invoices).await.unwrap_err(),
        fusion.authorize().await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::TooManyRequests);
        let left = error.retry_after().unwrap();
        assert!(left > Duration::from_secs(50) && left <= Duration::from_secs(60), "{left:?}");
        assert!(!error.may_have_happened());
    }
    assert_eq!(fusion.requests(), sent);
}

#[tokio::test]
async fn with_patience_a_read_is_sent_again_after_its_time() {
    let server = server().await;
    let busy = ResponseTemplate::new(429).insert_header("Retry-After", "1");
    wiremock::Mock::given(wiremock::matchers::method("GET"))
        .respond_with(busy)
        .up_to_n_times(1)
        .with_priority(1)
        .mount(&server)
        .await;
    answer(&server, ORDERS, page(&[], false)).await;
    let mut config = config(&server);
    config.patience = Duration::from_secs(60);
    let fusion = Fusion::new(config).unwrap();
    let began = std::time::Instant::now();
    let orders = Query::new(Resource::PurchaseOrders);
    let (read, seen) = outbound::exchange::watched(fusion.page(&orders)).await;
    read.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
    let seen: Vec<_> = seen.iter().map(|one| (one.what, one.status)).collect();
    assert_eq!(seen, [("token", Some(200)), ("purchaseOrders", Some(429)), ("purchaseOrders", Some(200))]);
    assert_eq!(fusion.answered(), 1);
}

#[tokio::test]
async fn maintenance_is_recognised_by_its_words() {
    let html = |status: u16, text: &str| {
        ResponseTemplate::new(status)
            .set_body_raw(format!("<html><title>{text}</title></html>"), "text/html; charset=UTF-8")
    };
    for (template, expected) in [
        (html(503, "Scheduled Maintenance"), Some(true)),
        (html(500, "Under maintenance"), Some(true)),
        (ResponseTemplate::new(503).set_body_string("busy"), Some(false)),
        (html(500, "Oops"), None),
    ] {
        let error = failing(template).await;
        let found = if let Error::Maintenance { announced, .. } = error { Some(announced) } else { None };
        assert_eq!(found, expected, "{error}");
    }
}

#[tokio::test]
async fn a_page_of_html_is_no_answer_even_with_200() {
    for template in [
        ResponseTemplate::new(200).set_body_raw("<html><title>Sign In</title></html>", "text/html"),
        ResponseTemplate::new(200)
            .set_body_raw("\n<!DOCTYPE html><title>Sign In</title>", "application/json"),
    ] {
        let error = failing(template).await;
        assert_eq!((error.kind(), error.status()), (ErrorKind::UnexpectedBody, Some(200)));
        assert_eq!(error.fault().unwrap().title.as_deref(), Some("Sign In"));
    }
}

#[tokio::test]
async fn an_answer_cut_off_is_transient_and_a_broken_one_is_not() {
    for (body, transient) in [
        (r#"{"items":[{"POHeaderId":1"#, true),
        ("", true),
        (r#"{"items":[}"#, false),
        (r#"{"items":[]}"#, false),
    ] {
        let error = failing(ResponseTemplate::new(200).set_body_raw(body, "application/json")).await;
        assert_eq!(
            (error.kind(), error.is_transient()),
            (ErrorKind::Malformed, transient),
            "{body}: {error}"
        );
    }
    let server = server().await;
    let cut =
        raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"items\":[")
            .await;
    let error = against(&server, cut).await;
    assert_eq!((error.kind(), error.is_transient()), (ErrorKind::Malformed, true));
}

#[tokio::test]
async fn a_body_over_the_limit_is_not_read() {
    let server = server().await;
    let huge =
        raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n{")
            .await;
    let error = against(&server, huge).await;
    assert_eq!((error.kind(), error.is_transient()), (ErrorKind::TooLarge, false));
}

#[tokio::test]
async fn no_answer_in_time_and_no_server_are_told_apart() {
    let server = server().await;
    answer(&server, ORDERS, page(&[], false).set_delay(Duration::from_secs(30))).await;
    let mut config = config(&server);
    config.timeouts.read = Duration::from_millis(300);
    let error = Fusion::new(config).unwrap().page(&Query::new(Resource::PurchaseOrders)).await.unwrap_err();
    assert_eq!((error.kind(), error.is_transient()), (ErrorKind::TimedOut, true));
    let error = against(&server, "http://127.0.0.1:1".to_owned()).await;
    assert_eq!((error.kind(), error.is_transient()), (ErrorKind::Unreachable, true));
    assert!(!format!("{error:?}").contains("fscmRestApi"), "{error:?}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = MockServer::start().await;
    let target = format!("{}/steal", elsewhere.uri());
    let error = failing(ResponseTemplate::new(302).insert_header("Location", target.as_str())).await;
    assert_eq!(error.kind(), ErrorKind::Redirected);
    assert!(elsewhere.received_requests().await.unwrap().is_empty());
}
