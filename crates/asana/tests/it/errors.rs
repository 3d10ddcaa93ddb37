//! Every status of Asana's documentation becomes its kind.

use std::time::Duration;

use asana::{BadRequest, Error};
use serde_json::json;
use wiremock::ResponseTemplate;

use crate::support::answering;

fn refusing(status: u16) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(json!({"errors": [{
        "message": "Something is wrong", "help": "see the docs", "phrase": "6 sad squid snuggle softly",
        "error": "some_name", "user_message": "Sorry",
    }]}))
}

async fn error(answer: ResponseTemplate) -> Error {
    let (_server, asana) = answering(answer).await;
    asana.update_task("5", r#"{"data":{}}"#).await.unwrap_err()
}

#[tokio::test]
async fn each_status_has_its_kind_and_says_whether_a_write_may_have_happened() {
    for (status, kind, transient, happened) in [
        (400, "bad_request", false, false),
        (401, "unauthorized", false, false),
        (402, "payment_required", false, false),
        (403, "forbidden", false, false),
        (404, "not_found", false, false),
        (405, "refused", false, false),
        (412, "precondition", false, false),
        (424, "rate_limited", true, false),
        (429, "rate_limited", true, false),
        (451, "legal", false, false),
        (500, "server", true, true),
        (501, "server", true, true),
        (502, "server", true, true),
        (503, "server", true, true),
        (504, "server", true, true),
    ] {
        let error = error(refusing(status)).await;
        assert_eq!(error.kind(), kind, "{status}");
        assert_eq!(error.status(), Some(status));
        assert_eq!(error.is_transient(), transient, "{status}");
        assert_eq!(error.may_have_happened(), happened, "{status}");
        assert!(error.to_string().contains("Something is wrong"), "{error}");
    }
}

#[tokio::test]
async fn all_that_asana_said_is_kept() {
    let error = error(refusing(500)).await;
    let refusal = error.refusal().unwrap();
    assert_eq!(refusal.operation, "update_task");
    assert_eq!(refusal.message, "Something is wrong");
    assert_eq!(refusal.help.as_deref(), Some("see the docs"));
    assert_eq!(refusal.phrase.as_deref(), Some("6 sad squid snuggle softly"));
    assert_eq!(refusal.error.as_deref(), Some("some_name"));
    assert_eq!(refusal.user_message.as_deref(), Some("Sorry"));
}

#[tokio::test]
async fn a_bad_request_is_told_apart_by_its_wording() {
    let message = "Custom field with ID 102 is not on given object";
    let body = json!({"errors": [{"message": message}]});
    let error = error(ResponseTemplate::new(400).set_body_json(body)).await;
    assert!(matches!(error, Error::BadRequest { reason: BadRequest::FieldNotOnTask, .. }), "{error}");
}

#[tokio::test]
async fn the_status_decides_when_the_body_is_a_page_of_a_proxy() {
    for (status, kind) in [(403, "forbidden"), (429, "rate_limited"), (502, "server")] {
        let error = error(ResponseTemplate::new(status).set_body_string("<html>no</html>")).await;
        assert_eq!(error.kind(), kind);
        assert_eq!(error.refusal().unwrap().message, "");
    }
}

#[tokio::test]
async fn a_precondition_carries_the_new_sync_token() {
    let body = json!({"errors": [{"message": "Sync token invalid or too old"}], "sync": "de47:0"});
    let error = error(ResponseTemplate::new(412).set_body_json(body)).await;
    assert!(matches!(&error, Error::Precondition { sync: Some(sync), .. } if sync == "de47:0"), "{error}");
}

#[tokio::test]
async fn how_long_to_wait_is_told() {
    let limited = error(refusing(429).insert_header("retry-after", "30")).await;
    assert_eq!(limited.retry_after(), Some(Duration::from_secs(30)));
    assert_eq!(error(refusing(429)).await.retry_after(), None);
    let down = error(refusing(503).insert_header("retry-after", "120")).await;
    assert_eq!(down.retry_after(), Some(Duration::from_secs(120)));
    assert_eq!(error(refusing(400).insert_header("retry-after", "9")).await.retry_after(), None);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (server, asana) = answering(ResponseTemplate::new(302).insert_header("location", "/elsewhere")).await;
    let error = asana.me().await.unwrap_err();
    assert!(matches!(error, Error::Malformed { status: 302, .. }), "{error}");
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}
