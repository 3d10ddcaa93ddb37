//! Tokens of the identity domain and how resources take them.

use jiff::SignedDuration;
use sandbox::oracle::settings::UnauthorizedBody;
use serde_json::Value;

use crate::pod::{Pod, ROOT, orders};

async fn ask(pod: &Pod, secret: &str, form: &[(&str, &str)]) -> (u16, Value) {
    let id = pod.sandbox.oracle().config().client_id.clone();
    let request = pod.http.post(pod.sandbox.token_url()).basic_auth(id, Some(secret)).form(form);
    let answer = pod.send(request).await;
    (answer.status.as_u16(), answer.json())
}

#[tokio::test]
async fn a_token_needs_the_right_secret_grant_and_scope() {
    let pod = Pod::start(orders(0)).await;
    let config = pod.sandbox.oracle().config().clone();
    let (secret, scope) = (config.client_secret.as_str(), config.scope.as_str());
    let right = [("grant_type", "client_credentials"), ("scope", scope)];

    let (status, body) = ask(&pod, secret, &right).await;
    assert_eq!((status, &body["token_type"], &body["expires_in"]), (200, &"Bearer".into(), &3600.into()));
    assert!(body.get("refresh_token").is_none());

    let (status, body) = ask(&pod, "wrong", &right).await;
    assert_eq!((status, &body["error"]), (401, &"invalid_client".into()));
    let (status, body) = ask(&pod, secret, &[("grant_type", "client_credentials"), ("scope", "x")]).await;
    assert_eq!((status, &body["error"]), (400, &"invalid_scope".into()));
    let (status, body) = ask(&pod, secret, &[("grant_type", "password"), ("scope", scope)]).await;
    assert_eq!((status, &body["error"]), (400, &"unsupported_grant_type".into()));
}

#[tokio::test]
async fn a_token_ends_with_its_lifetime_on_the_virtual_clock() {
    let pod = Pod::start(orders(1)).await;
    pod.page(4, "purchaseOrders", &[]).await;
    pod.sandbox.clock().advance(SignedDuration::from_secs(3_601));
    let answer = pod.refused(401, 4, "purchaseOrders", &[]).await;
    assert_eq!(answer.text, "");
    for (body, start) in
        [(UnauthorizedBody::Text, "Unauthorized"), (UnauthorizedBody::Html, "<!DOCTYPE html>")]
    {
        pod.sandbox.oracle().change_settings(|settings| settings.unauthorized_body = body);
        assert!(pod.refused(401, 4, "purchaseOrders", &[]).await.text.starts_with(start));
    }
}

#[tokio::test]
async fn a_request_without_a_known_token_is_refused() {
    let pod = Pod::start(orders(1)).await;
    let url = format!("{}{ROOT}/purchaseOrders", pod.sandbox.oracle_url());
    assert_eq!(pod.send(pod.http.get(&url)).await.status, 401);
    assert_eq!(pod.send(pod.http.get(&url).bearer_auth("made-up")).await.status, 401);
}
