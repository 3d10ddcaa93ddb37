//! Callbacks: one payload when a job has ended, and never without `JobOptions`.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::routing::post;
use sandbox::oracle::settings::{Outcome, Phases};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::Books;

type Received = (String, HeaderMap, Value);

/// Takes callbacks; the address and what arrives.
async fn receiver() -> (String, mpsc::UnboundedReceiver<Received>) {
    let (send, receive) = mpsc::unbounded_channel();
    let app = Router::new()
        .route(
            "/{token}",
            post(
                async |Path(token): Path<String>,
                       State(send): State<mpsc::UnboundedSender<Received>>,
                       headers: HeaderMap,
                       body: String| {
                    send.send((token, headers, serde_json::from_str(&body).unwrap())).unwrap();
                },
            ),
        )
        .with_state(send);
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (address, receive)
}

async fn next(receive: &mut mpsc::UnboundedReceiver<Received>) -> Received {
    tokio::time::timeout(Duration::from_secs(10), receive.recv()).await.unwrap().unwrap()
}

#[tokio::test]
async fn the_documented_payload_comes_when_the_tree_has_ended_and_not_before() {
    let (address, mut receive) = receiver().await;
    let books = Books::with(|_| {}).await;
    let mut journal = books.journal(7, &[books.debit("10"), books.credit("9")]);
    journal["CallbackURL"] = json!(format!("{address}/secret-token"));
    let id = books.submit(&journal).await;
    books.advance(999);
    assert_eq!(books.status(id).await, "PAUSED");
    assert!(receive.try_recv().is_err());
    books.advance(1);
    let (token, headers, payload) = next(&mut receive).await;
    assert_eq!(
        (token.as_str(), headers["content-type"].to_str().unwrap()),
        ("secret-token", "application/json")
    );
    assert!(!headers.contains_key("authorization"));
    let id = |at: i64| (id + at).to_string();
    let expected = json!({
        "JOBS": [
            {"JOBNAME": "Load Interface File for Import", "REQUESTID": id(0), "STATUS": "SUCCEEDED", "CHILD": [
                {"JOBNAME": "Transfer File", "REQUESTID": id(1), "STATUS": "SUCCEEDED"},
                {"JOBNAME": "Load File to Interface", "REQUESTID": id(2), "STATUS": "SUCCEEDED"},
            ]},
            {"JOBNAME": "Import Journals", "REQUESTID": id(3), "STATUS": "ERROR", "CHILD": [
                {"JOBNAME": "Import Journals: Child", "REQUESTID": id(4), "STATUS": "ERROR"},
            ]},
        ],
        "SUMMARYSTATUS": "ERROR",
    });
    assert_eq!(payload, expected);
}

#[tokio::test]
async fn without_options_or_with_null_no_callback_is_made() {
    let (address, mut receive) = receiver().await;
    let books = Books::open().await;
    let mut journal = books.journal(7, &books.pair("10"));
    for (token, options) in [("absent", Value::Null), ("null", json!("#NULL")), ("empty", json!(""))] {
        journal["CallbackURL"] = json!(format!("{address}/{token}"));
        journal["JobOptions"] = options;
        books.submit(&journal).await;
    }
    journal["JobOptions"] = json!("ExtractFileType=ALL");
    journal["CallbackURL"] = json!("#NULL");
    books.submit(&journal).await;
    journal["CallbackURL"] = json!(format!("{address}/wanted"));
    books.submit(&journal).await;
    let (token, _, payload) = next(&mut receive).await;
    assert_eq!((token.as_str(), &payload["SUMMARYSTATUS"]), ("wanted", &json!("SUCCEEDED")));
    assert!(receive.try_recv().is_err(), "a job before it would have been called back before it");
}

#[tokio::test]
async fn a_job_that_never_ends_calls_nobody_and_a_receiver_that_is_gone_harms_nothing() {
    let (address, mut receive) = receiver().await;
    let books = Books::with(|settings| {
        settings.erp.phases = Phases::INSTANT;
        settings.erp.outcome = Some(Outcome::Stuck);
    })
    .await;
    let mut journal = books.journal(7, &books.pair("10"));
    journal["CallbackURL"] = json!(format!("{address}/stuck"));
    books.submit(&journal).await;
    books.change_settings(|settings| settings.erp.outcome = None);
    for nowhere in ["http://127.0.0.1:1/", "not a url"] {
        journal["CallbackURL"] = json!(nowhere);
        let id = books.submit(&journal).await;
        assert_eq!(books.status(id).await, "SUCCEEDED");
    }
    journal["CallbackURL"] = json!(format!("{address}/ended"));
    books.submit(&journal).await;
    assert_eq!(next(&mut receive).await.0, "ended");
    assert!(receive.try_recv().is_err());
}
