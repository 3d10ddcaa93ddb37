//! A server that grants tokens, and a client for it.

use oracle_fusion::{Config, Fusion};
use secrecy::SecretString;
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

pub const SECRET: &str = "cl1ent-s3cret";
pub const ORDERS: &str = "/fscmRestApi/resources/11.13.18.05/purchaseOrders";
pub const INVOICES: &str = "/fscmRestApi/resources/11.13.18.05/invoices";

pub fn config(server: &MockServer) -> Config {
    let token_url = format!("{}/oauth2/v1/token", server.uri()).parse().unwrap();
    let scope = "urn:opc:resource:fa:instanceid=1urn:opc:resource:consumer::all".to_owned();
    Config::new(server.uri().parse().unwrap(), token_url, "client".into(), SecretString::from(SECRET), scope)
}

pub fn client(server: &MockServer) -> Fusion {
    Fusion::new(config(server)).unwrap()
}

pub fn granted(token: &str, expires_in: Value) -> ResponseTemplate {
    ResponseTemplate::new(200)
        .set_body_json(json!({ "access_token": token, "token_type": "Bearer", "expires_in": expires_in }))
}

/// A server that grants the token `t0k3n` for an hour.
pub async fn server() -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/oauth2/v1/token"))
        .respond_with(granted("t0k3n", json!(3600)))
        .mount(&server)
        .await;
    server
}

pub async fn answer(server: &MockServer, at: &str, answer: ResponseTemplate) {
    Mock::given(method("GET")).and(path(at)).respond_with(answer).mount(server).await;
}

/// A page of the rows with that text.
pub fn page(rows: &[&str], has_more: bool) -> ResponseTemplate {
    let (count, rows) = (rows.len(), rows.join(","));
    let body = format!(
        r#"{{"items":[{rows}],"count":{count},"hasMore":{has_more},"limit":499,"offset":0,"links":[]}}"#
    );
    ResponseTemplate::new(200).set_body_raw(body, "application/json")
}

/// The requests to resources, as path and decoded parameters.
pub async fn asked(server: &MockServer) -> Vec<Request> {
    let requests = server.received_requests().await.unwrap();
    requests.into_iter().filter(|request| request.method.as_str() == "GET").collect()
}

pub async fn tokens_fetched(server: &MockServer) -> usize {
    let requests = server.received_requests().await.unwrap();
    requests.iter().filter(|request| request.method.as_str() == "POST").count()
}

pub fn parameter(request: &Request, name: &str) -> Option<String> {
    request.url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}
