use std::time::Duration;

use oracle_fusion::{
    BulkImport, Config, Digits, DocumentAccount, Error, ErrorKind, FileName, Fusion, GroupId, JobOptions,
    JournalImportParameters, JournalSource, Outcome, RequestId, TokenErrorKind, ZipDocument,
};
use serde_json::{Value, json};
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::support::{SECRET, client, config, granted, server};
use crate::wire::Wire;

const IMPORTS: &str = "/fscmRestApi/resources/11.13.18.05/erpintegrations";
const CALLBACK: &str = "https://connector.example/hooks/oracle/0123456789abcdefghij";

fn import() -> BulkImport {
    BulkImport {
        callback_url: Some(CALLBACK.parse().unwrap()),
        ..BulkImport::new(
            ZipDocument::new(b"PK\x03\x04rows".to_vec()).unwrap(),
            FileName::new("GlInterface_42.zip").unwrap(),
            DocumentAccount::new("fin$/generalLedger$/import$").unwrap(),
            JournalImportParameters::new(
                JournalSource::new("My, Source").unwrap(),
                Digits::new("300000002498206").unwrap(),
                GroupId::new(1_234_567_890).unwrap(),
            ),
        )
    }
}

fn scheduled(id: Value) -> ResponseTemplate {
    ResponseTemplate::new(201).set_body_json(json!({ "OperationName": "importBulkData", "ReqstId": id }))
}

async fn posting(server: &MockServer, answer: ResponseTemplate) {
    Mock::given(method("POST")).and(path(IMPORTS)).respond_with(answer).mount(server).await;
}

async fn posted(server: &MockServer) -> Vec<Request> {
    let requests = server.received_requests().await.unwrap();
    requests.into_iter().filter(|request| request.url.path() == IMPORTS).collect()
}

#[tokio::test]
async fn an_import_says_exactly_what_oracle_documents() {
    let server = server().await;
    posting(&server, scheduled(json!("603547"))).await;
    let submission = client(&server).import_bulk_data(&import()).await.unwrap();
    assert_eq!(submission.request_id().map(RequestId::get), Some(603_547));
    assert_eq!(submission.answer, "OperationName: importBulkData, ReqstId: 603547");

    let requests = posted(&server).await;
    assert_eq!(requests.len(), 1);
    let header = |name: &str| requests[0].headers.get(name).unwrap().to_str().unwrap();
    assert_eq!(header("Content-Type"), "application/vnd.oracle.adf.resourceitem+json");
    assert_eq!(header("REST-Framework-Version"), "4");
    assert_eq!(header("Authorization"), "Bearer t0k3n");
    assert_eq!(requests[0].url.query(), None);
    assert_eq!(
        requests[0].body_json::<Value>().unwrap(),
        json!({
            "OperationName": "importBulkData",
            "DocumentContent": "UEsDBHJvd3M=",
            "ContentType": "zip",
            "FileName": "GlInterface_42.zip",
            "DocumentAccount": "fin$/generalLedger$/import$",
            "JobName": "/oracle/apps/ess/financials/generalLedger/programs/common,JournalImportLauncher",
            "ParameterList": "#NULL,\"My, Source\",300000002498206,1234567890,N,N,N",
            "CallbackURL": CALLBACK,
            "NotificationCode": "10",
            "JobOptions": "ExtractFileType=ALL",
        })
    );
}

#[tokio::test]
async fn without_a_callback_none_is_asked_for() {
    let server = server().await;
    posting(&server, scheduled(json!(7))).await;
    let job_options = JobOptions::new("InterfaceDetails=15,ExtractFileType=ALL").unwrap();
    let import = BulkImport { callback_url: None, job_options, ..import() };
    client(&server).import_bulk_data(&import).await.unwrap();
    let body = posted(&server).await[0].body_json::<Value>().unwrap();
    assert_eq!(body["CallbackURL"], "#NULL");
    assert_eq!(body["JobOptions"], "InterfaceDetails=15,ExtractFileType=ALL");
}

#[tokio::test]
async fn minus_one_with_success_is_not_scheduled() {
    for (status, id) in [(200, json!("-1")), (201, json!(-1))] {
        let server = server().await;
        let answer = ResponseTemplate::new(status).set_body_json(json!({ "ReqstId": id }));
        posting(&server, answer).await;
        let submission = client(&server).import_bulk_data(&import()).await.unwrap();
        assert_eq!((submission.outcome, submission.request_id()), (Outcome::NotScheduled, None));
    }
}

/// The error of one import, which was sent as often as said.
async fn failing(answer: ResponseTemplate, times: usize) -> Error {
    let server = server().await;
    posting(&server, answer).await;
    let error = client(&server).import_bulk_data(&import()).await.unwrap_err();
    assert_eq!(posted(&server).await.len(), times, "{error}");
    error
}

#[tokio::test]
async fn a_declined_import_certainly_did_not_happen() {
    for status in [400, 401, 403, 404, 413, 415, 422, 429] {
        let times = if status == 401 { 2 } else { 1 };
        let error = failing(ResponseTemplate::new(status).set_body_string("no"), times).await;
        assert_eq!((error.status(), error.may_have_happened()), (Some(status), false), "{error}");
        // also when what declines is a page of a front door
        let page = ResponseTemplate::new(status).set_body_raw("<html><title>No</title></html>", "text/html");
        assert!(!failing(page, times).await.may_have_happened(), "{status}");
    }
}

#[tokio::test]
async fn every_other_status_may_have_happened_and_is_not_sent_again() {
    for status in [301, 303, 307, 405, 408, 409, 412, 500, 502, 503, 504] {
        let error = failing(ResponseTemplate::new(status).set_body_string("hm"), 1).await;
        assert_eq!((error.status(), error.may_have_happened()), (Some(status), true), "{error}");
    }
    let maintenance = ResponseTemplate::new(503)
        .insert_header("Retry-After", "3600")
        .set_body_raw("<html><title>Scheduled Maintenance</title></html>", "text/html");
    let error = failing(maintenance, 1).await;
    assert!(matches!(error, Error::Maintenance { announced: true, .. }) && error.may_have_happened());
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
}

#[tokio::test]
async fn a_success_that_cannot_be_read_may_have_happened() {
    let json = |body: &str| ResponseTemplate::new(201).set_body_raw(body.to_owned(), "application/json");
    for (answer, kind) in [
        (json(""), ErrorKind::Malformed),
        (json(r#"{"ReqstId":"60"#), ErrorKind::Malformed),
        (json("{}"), ErrorKind::Malformed),
        (json(r#"{"ReqstId":null}"#), ErrorKind::Malformed),
        (json(r#"{"ReqstId":"soon"}"#), ErrorKind::Malformed),
        (json("<html><title>Sign In</title></html>"), ErrorKind::UnexpectedBody),
    ] {
        let error = failing(answer, 1).await;
        assert_eq!((error.kind(), error.may_have_happened()), (kind, true), "{error}");
    }
}

async fn against(config: Config) -> Error {
    Fusion::new(config).unwrap().import_bulk_data(&import()).await.unwrap_err()
}

#[tokio::test]
async fn a_connection_that_breaks_may_have_happened_and_none_is_certain() {
    let server = server().await;
    for (bytes, kind) in [
        (&b""[..], ErrorKind::Unreachable),
        (b"HTTP/1.1 201 Cre", ErrorKind::Unreachable),
        (b"garbage", ErrorKind::Unreachable),
        (b"HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\n{\"ReqstId\":\"6", ErrorKind::Malformed),
        (b"HTTP/1.1 400 Bad Request\r\nContent-Length: 500\r\n\r\n{\"ti", ErrorKind::Malformed),
        (b"HTTP/1.1 201 Created\r\nContent-Length: 99999999999\r\n\r\n{", ErrorKind::TooLarge),
    ] {
        let wire = Wire::answering(bytes).await;
        let mut config = config(&server);
        config.base = wire.address.parse().unwrap();
        let error = against(config).await;
        let text = String::from_utf8_lossy(bytes);
        assert_eq!((error.kind(), error.may_have_happened()), (kind, true), "{text}: {error}");
        assert_eq!(wire.requests(), 1, "{text}");
    }
    let mut nowhere = config(&server);
    nowhere.base = "http://127.0.0.1:1".parse().unwrap();
    let error = against(nowhere).await;
    assert_eq!((error.kind(), error.may_have_happened()), (ErrorKind::Unreachable, false));
}

#[tokio::test]
async fn an_import_has_its_own_time_and_may_have_happened_when_it_runs_out() {
    let server = server().await;
    posting(&server, scheduled(json!(7)).set_delay(Duration::from_millis(700))).await;
    let mut config = config(&server);
    config.timeouts.read = Duration::from_millis(100);
    config.timeouts.import = Duration::from_secs(30);
    assert!(Fusion::new(config.clone()).unwrap().import_bulk_data(&import()).await.is_ok());
    config.timeouts.import = Duration::from_millis(300);
    let error = against(config).await;
    assert_eq!((error.kind(), error.may_have_happened()), (ErrorKind::TimedOut, true));
    assert_eq!(posted(&server).await.len(), 2, "one for each call");
}

#[tokio::test]
async fn a_connection_that_takes_too_long_to_make_is_certain() {
    let server = server().await;
    // a listener whose queue is full takes no more connections
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queued = Vec::new();
    let full = loop {
        match tokio::time::timeout(Duration::from_millis(300), tokio::net::TcpStream::connect(address)).await
        {
            Ok(Ok(stream)) if queued.len() < 64 => queued.push(stream),
            Ok(_) => break false,
            Err(_) => break true,
        }
    };
    assert!(full, "the queue never filled");
    let mut config = config(&server);
    config.base = format!("http://{address}").parse().unwrap();
    config.connect_timeout = Duration::from_millis(300);
    let error = against(config).await;
    assert_eq!((error.kind(), error.may_have_happened()), (ErrorKind::TimedOut, false), "{error:?}");
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/oauth2/v1/token"))
        .respond_with(ResponseTemplate::new(503))
        .mount(&server)
        .await;
    let error = client(&server).import_bulk_data(&import()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.may_have_happened()),
        (ErrorKind::Token(TokenErrorKind::Unavailable), false)
    );
    assert!(posted(&server).await.is_empty());
}

#[tokio::test]
async fn after_401_the_same_import_is_sent_once_more_with_a_new_token() {
    let server = MockServer::start().await;
    for token in ["old", "new"] {
        let grant = Mock::given(method("POST"))
            .and(path("/oauth2/v1/token"))
            .respond_with(granted(token, json!(3600)));
        grant.up_to_n_times(1).mount(&server).await;
    }
    let with = |token: &str| {
        Mock::given(method("POST")).and(path(IMPORTS)).and(header("Authorization", format!("Bearer {token}")))
    };
    with("old").respond_with(ResponseTemplate::new(401)).mount(&server).await;
    with("new").respond_with(scheduled(json!(7))).mount(&server).await;
    assert!(client(&server).import_bulk_data(&import()).await.unwrap().request_id().is_some());
    let requests = posted(&server).await;
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].body, requests[1].body);
}

#[tokio::test]
async fn a_token_that_fails_after_401_leaves_no_doubt() {
    let server = MockServer::start().await;
    let token = || Mock::given(method("POST")).and(path("/oauth2/v1/token"));
    token().respond_with(granted("old", json!(3600))).up_to_n_times(1).mount(&server).await;
    token().respond_with(ResponseTemplate::new(500)).mount(&server).await;
    posting(&server, ResponseTemplate::new(401)).await;
    let error = client(&server).import_bulk_data(&import()).await.unwrap_err();
    assert!(matches!(error, Error::Token(_)) && !error.may_have_happened(), "{error}");
    assert_eq!(posted(&server).await.len(), 1);
}

#[tokio::test]
async fn two_imports_never_share_a_connection() {
    let wire = Wire::keeping_open(
        b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 26\r\n\r\n{\"ReqstId\":\"7\",\"items\":[]}",
    )
    .await;
    let server = server().await;
    let mut config = config(&server);
    config.base = wire.address.parse().unwrap();
    let fusion = Fusion::new(config).unwrap();
    for _ in 0..3 {
        fusion.job_status("7".parse().unwrap()).await.unwrap();
    }
    assert_eq!((wire.connections(), wire.requests()), (1, 3), "reads do share one");
    for _ in 0..3 {
        fusion.import_bulk_data(&import()).await.unwrap();
    }
    assert_eq!((wire.connections(), wire.requests()), (4, 6));
}

#[tokio::test]
async fn neither_the_callback_nor_a_secret_nor_the_document_is_shown() {
    let echo =
        format!(r#"{{"title":"Bad","detail":"{CALLBACK} of t0k3n and {SECRET}, 0123456789abcdefghij"}}"#);
    let error = failing(ResponseTemplate::new(400).set_body_string(echo), 1).await;
    let odd = json!({ "ReqstId": "x", "CallbackURL": CALLBACK, "DocumentContent": "UEsDBHJvd3M=", "Echo": "t0k3n" });
    let unread = failing(ResponseTemplate::new(200).set_body_json(odd), 1).await;
    for text in [format!("{error} {error:?}"), format!("{unread} {unread:?}"), format!("{:?}", import())] {
        for secret in ["0123456789abcdefghij", "t0k3n", SECRET, "UEsDB"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}
