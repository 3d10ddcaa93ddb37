//! When no answer comes, or only half of one.

use std::time::Duration;

use asana::{Asana, Config, Error, MAX_RESPONSE_BYTES, Timeouts};
use tokio::net::TcpListener;
use wiremock::ResponseTemplate;

use crate::support::{Gate, answering, config, raw};

const BODY: &str = r#"{"data":{"name":"x"}}"#;

async fn write_to(config: Config) -> Error {
    Asana::new(config).unwrap().create_task(BODY).await.unwrap_err()
}

#[tokio::test]
async fn a_refused_connection_certainly_did_not_happen() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = write_to(config(&base)).await;
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    assert!(!error.may_have_happened());
    assert!(error.is_transient());
}

#[tokio::test]
async fn an_answer_that_never_comes_may_have_happened() {
    let gate = Gate::open().await;
    let error =
        write_to(Config { timeouts: Timeouts::all(Duration::from_millis(200)), ..config(&gate.base) }).await;
    assert!(matches!(error, Error::TimedOut { .. }), "{error:?}");
    assert!(error.may_have_happened() && error.is_transient());
    assert_eq!(error.status(), None);
}

#[tokio::test]
async fn a_connection_closed_without_an_answer_may_have_happened() {
    let error = write_to(config(&raw(b"").await)).await;
    assert!(matches!(error, Error::Dropped { .. }), "{error:?}");
    assert!(error.may_have_happened() && error.is_transient());
}

#[tokio::test]
async fn a_truncated_answer_may_have_happened() {
    let base = raw(b"HTTP/1.1 201 Created\r\ncontent-length: 500\r\n\r\n{\"data\":{\"gid\":\"5\"").await;
    let error = write_to(config(&base)).await;
    assert!(matches!(error, Error::Dropped { .. }), "{error:?}");
    assert!(error.may_have_happened());
}

#[tokio::test]
async fn a_truncated_refusal_is_still_a_refusal() {
    let base = raw(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 500\r\n\r\n{\"err").await;
    let error = write_to(config(&base)).await;
    assert!(matches!(error, Error::Forbidden(_)), "{error:?}");
    assert!(!error.may_have_happened());
}

#[tokio::test]
async fn an_answer_without_end_is_not_read() {
    let huge = vec![b' '; MAX_RESPONSE_BYTES + 1];
    let (_server, asana) = answering(ResponseTemplate::new(200).set_body_bytes(huge)).await;
    let error = asana.me().await.unwrap_err();
    assert!(matches!(&error, Error::Malformed { reason, .. } if reason.contains("32 MiB")), "{error:?}");
    let base = raw(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n{").await;
    let error = Asana::new(config(&base)).unwrap().me().await.unwrap_err();
    assert!(matches!(error, Error::Malformed { status: 200, .. }), "{error:?}");
}

#[tokio::test]
async fn the_token_is_in_no_error_and_no_debug_output() {
    let settings =
        Config { timeouts: Timeouts::all(Duration::from_millis(100)), ..config(&Gate::open().await.base) };
    let token = "0/s3cr3t-0123456789";
    let asana = Asana::new(Config { token: token.into(), ..settings }).unwrap();
    let error = asana.me().await.unwrap_err();
    let shown = format!("{error} {error:?} {asana:?}");
    assert!(!shown.contains("s3cr3t"), "{shown}");
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused_without_showing_the_token() {
    let with_newline = Config { token: "s3cr3t\n".into(), ..config("http://127.0.0.1:1") };
    let empty = Config { token: "".into(), ..config("http://127.0.0.1:1") };
    for broken in [with_newline, empty, config("ftp://127.0.0.1/"), config("http://a:b@127.0.0.1/")] {
        let error = Asana::new(broken).unwrap_err();
        assert!(matches!(error, Error::Config(_)));
        assert!(!format!("{error:?}").contains("s3cr3t"));
    }
}
