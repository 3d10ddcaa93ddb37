use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use oracle_fusion::{Error, ErrorKind, Fusion, Query, Resource, TokenErrorKind};
use serde_json::json;
use wiremock::matchers::{body_string, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{ORDERS, SECRET, answer, asked, client, config, granted, page, server, tokens_fetched};

async fn refusing(answer: ResponseTemplate) -> Error {
    let server = MockServer::start().await;
    Mock::given(method("POST")).respond_with(answer).mount(&server).await;
    let error = client(&server).authorize().await.unwrap_err();
    assert_eq!(tokens_fetched(&server).await, 1);
    error
}

/// `client:cl1ent-s3cret` in base64.
const BASIC: &str = "Y2xpZW50OmNsMWVudC1zM2NyZXQ=";

fn query() -> Query {
    Query::new(Resource::PurchaseOrders)
}

#[tokio::test]
async fn the_client_authenticates_by_basic_and_asks_for_the_scope() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/oauth2/v1/token"))
        .and(header("Authorization", "Basic Y2xpZW50OmNsMWVudC1zM2NyZXQ="))
        .and(header("Content-Type", "application/x-www-form-urlencoded;charset=UTF-8"))
        .and(body_string(
            "grant_type=client_credentials&scope=urn%3Aopc%3Aresource%3Afa%3Ainstanceid%3D1urn%3Aopc%3Aresource%3Aconsumer%3A%3Aall",
        ))
        .respond_with(granted("t", json!("3600")))
        .mount(&server)
        .await;
    let info = client(&server).authorize().await.unwrap();
    let left = info.expires_at.duration_since(Timestamp::now()).as_secs();
    assert!((3590..=3600).contains(&left), "{left}");
}

#[tokio::test]
async fn one_fetch_serves_all_calls_that_wait() {
    let server = MockServer::start().await;
    let slow = granted("t0k3n", json!(3600)).set_delay(Duration::from_millis(200));
    Mock::given(method("POST")).respond_with(slow).expect(1).mount(&server).await;
    answer(&server, ORDERS, page(&[], false)).await;
    let fusion = client(&server);
    let query = query();
    let answers = join_all((0..40).map(|_| fusion.page(&query))).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(fusion.requests(), 41);
}

#[tokio::test]
async fn a_fetch_that_fails_fails_all_calls_that_wait_and_is_tried_anew_later() {
    let server = MockServer::start().await;
    let slow = ResponseTemplate::new(503).set_delay(Duration::from_millis(200));
    Mock::given(method("POST")).respond_with(slow).up_to_n_times(1).mount(&server).await;
    Mock::given(method("POST")).respond_with(granted("t", json!(3600))).mount(&server).await;
    let fusion = client(&server);
    let answers = join_all((0..10).map(|_| fusion.authorize())).await;
    assert!(answers.iter().all(|a| a.as_ref().is_err_and(Error::is_transient)));
    assert_eq!(tokens_fetched(&server).await, 1);
    assert!(fusion.authorize().await.is_ok());
}

#[tokio::test]
async fn a_call_given_up_while_it_fetches_does_not_hold_up_the_next() {
    let server = MockServer::start().await;
    let never = granted("t", json!(3600)).set_delay(Duration::from_secs(3600));
    Mock::given(method("POST")).respond_with(never).up_to_n_times(1).mount(&server).await;
    Mock::given(method("POST")).respond_with(granted("t", json!(3600))).mount(&server).await;
    let fusion = client(&server);
    let given_up = tokio::time::timeout(Duration::from_millis(200), fusion.authorize()).await;
    assert!(given_up.is_err());
    assert!(fusion.authorize().await.is_ok());
}

#[tokio::test]
async fn a_token_of_short_life_is_not_fetched_for_every_request() {
    let server = MockServer::start().await;
    Mock::given(method("POST")).respond_with(granted("t", json!(120))).expect(1).mount(&server).await;
    answer(&server, ORDERS, page(&[], false)).await;
    let fusion = client(&server);
    for _ in 0..3 {
        fusion.page(&query()).await.unwrap();
    }
}

#[tokio::test]
async fn a_token_without_life_is_fetched_again_and_still_used() {
    let server = MockServer::start().await;
    Mock::given(method("POST")).respond_with(granted("t", json!(0))).expect(2).mount(&server).await;
    answer(&server, ORDERS, page(&[], false)).await;
    let fusion = client(&server);
    fusion.page(&query()).await.unwrap();
    fusion.page(&query()).await.unwrap();
}

#[tokio::test]
async fn after_401_one_new_token_is_tried_once() {
    let server = MockServer::start().await;
    for token in ["old", "new"] {
        Mock::given(method("POST"))
            .respond_with(granted(token, json!(3600)))
            .up_to_n_times(1)
            .mount(&server)
            .await;
    }
    let with =
        |token: &str| Mock::given(method("GET")).and(header("Authorization", format!("Bearer {token}")));
    with("old").respond_with(ResponseTemplate::new(401)).mount(&server).await;
    with("new").respond_with(page(&[], false)).mount(&server).await;
    let fusion = client(&server);
    let query = query();
    let answers = join_all((0..20).map(|_| fusion.page(&query))).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(tokens_fetched(&server).await, 2);
}

#[tokio::test]
async fn a_second_401_is_the_end() {
    let server = server().await;
    let body = r#"{"title":"Unauthorized","detail":"token t0k3n is not trusted"}"#;
    answer(&server, ORDERS, ResponseTemplate::new(401).set_body_string(body)).await;
    let error = client(&server).page(&query()).await.unwrap_err();
    assert_eq!((error.kind(), error.is_transient()), (ErrorKind::Unauthorized, false));
    assert!(!error.to_string().contains("t0k3n"), "{error}");
    assert_eq!(tokens_fetched(&server).await, 2);
    assert_eq!(asked(&server).await.len(), 2);
}

#[tokio::test]
async fn refusals_of_the_token_endpoint_are_told_apart() {
    use TokenErrorKind::{
        InvalidClient, InvalidScope, Malformed, NotJson, Refused, TooManyRequests, Unavailable,
    };
    let json = |status: u16, body: serde_json::Value| ResponseTemplate::new(status).set_body_json(body);
    let page = |status: u16| ResponseTemplate::new(status).set_body_raw("<html>Sign in</html>", "text/html");
    for (answer, kind, transient) in [
        (json(401, json!({"error": "invalid_client", "error_description": "no"})), InvalidClient, false),
        (json(400, json!({"error": "invalid_client"})), InvalidClient, false),
        (ResponseTemplate::new(401), InvalidClient, false),
        (json(400, json!({"error": "invalid_scope"})), InvalidScope, false),
        (json(400, json!({"error": "unauthorized_client"})), Refused, false),
        (ResponseTemplate::new(429).insert_header("Retry-After", "30"), TooManyRequests, true),
        (page(503), Unavailable, true),
        (page(200), NotJson, false),
        (page(302), NotJson, false),
        (ResponseTemplate::new(200).set_body_string("access_token=abc"), NotJson, false),
        (json(200, json!({"token": "abc"})), Malformed, false),
        (json(200, json!({"access_token": "a\r\nb"})), Malformed, false),
        (json(200, json!({"access_token": "a", "token_type": "mac"})), Malformed, false),
        (json(200, json!({"access_token": "a", "expires_in": -1})), Malformed, false),
    ] {
        let error = refusing(answer).await;
        assert_eq!((error.kind(), error.is_transient()), (ErrorKind::Token(kind), transient), "{error}");
        assert_eq!(error.retry_after(), (kind == TooManyRequests).then_some(Duration::from_secs(30)));
    }
}

#[tokio::test]
async fn an_unreachable_token_endpoint_is_told_apart() {
    let server = server().await;
    let mut config = config(&server);
    config.token_url = "http://127.0.0.1:1/token".parse().unwrap();
    let error = Fusion::new(config).unwrap().authorize().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Token(TokenErrorKind::Unreachable));
    assert!(error.is_transient());
}

#[tokio::test]
async fn no_secret_is_shown() {
    let error = refusing(ResponseTemplate::new(401).set_body_json(
        json!({"error": "invalid_client", "error_description": format!("bad secret {SECRET}, Basic {BASIC}")}),
    ))
    .await;
    let server = server().await;
    let fusion = client(&server);
    fusion.authorize().await.unwrap();
    for text in
        [format!("{error}"), format!("{error:?}"), format!("{fusion:?}"), format!("{:?}", config(&server))]
    {
        assert!([SECRET, BASIC, "t0k3n"].iter().all(|secret| !text.contains(secret)), "{text}");
    }
}
