use std::io::{Cursor, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oracle_fusion::{Error, ErrorKind, IMPORT_JOURNALS, JobClass, RequestId, import_codes};
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::support::{answer, asked, client, server};

const INTEGRATIONS: &str = "/fscmRestApi/resources/11.13.18.05/erpintegrations";

fn request() -> RequestId {
    "603547".parse().unwrap()
}

fn status(text: &str) -> ResponseTemplate {
    ResponseTemplate::new(200)
        .set_body_json(json!({ "items": [{ "RequestStatus": text }], "count": 1, "hasMore": false }))
}

#[tokio::test]
async fn a_job_is_asked_for_by_its_finder() {
    let server = server().await;
    answer(&server, INTEGRATIONS, status("RUNNING")).await;
    let found = client(&server).job_status(request()).await.unwrap();
    assert_eq!((found.as_str(), found.class()), ("RUNNING", JobClass::InProgress));
    let request = &asked(&server).await[0];
    assert_eq!(request.url.query(), Some("finder=ESSJobStatusRF;requestId=603547"));
    assert_eq!(request.headers.get("REST-Framework-Version").unwrap(), "4");
}

#[tokio::test]
async fn the_tree_shows_an_import_that_failed_below_a_load_that_succeeded() {
    let server = server().await;
    let jobs = json!({ "JOBS": {
        "JOBNAME": "Load Interface File for Import", "REQUESTID": "603547", "STATUS": "SUCCEEDED",
        "CHILD": [
            { "JOBNAME": "Transfer File", "REQUESTID": 603548, "STATUS": "SUCCEEDED" },
            { "JOBNAME": "Import Journals", "REQUESTID": 603550, "STATUS": "ERROR", "JOBPATH": "/x" },
        ],
    }});
    answer(&server, INTEGRATIONS, status(&jobs.to_string())).await;
    let tree = client(&server).job_tree(request()).await.unwrap();
    assert_eq!(tree.jobs[0].status.class(), JobClass::Succeeded);
    let import = tree.find_import(IMPORT_JOURNALS).unwrap();
    assert_eq!((import.request_id.unwrap().get(), import.status.class()), (603_550, JobClass::Failed));
    assert_eq!(tree.class(), JobClass::Failed);
    assert_eq!(asked(&server).await[0].url.query(), Some("finder=ESSExecutionDetailsRF;requestId=603547"));
}

#[tokio::test]
async fn no_rows_for_a_job_are_no_end_of_it() {
    let server = server().await;
    answer(&server, INTEGRATIONS, ResponseTemplate::new(200).set_body_json(json!({ "items": [] }))).await;
    let fusion = client(&server);
    assert_eq!(fusion.job_status(request()).await.unwrap().class(), JobClass::InProgress);
    let tree = fusion.job_tree(request()).await.unwrap();
    assert_eq!((tree.jobs.len(), tree.class()), (0, JobClass::InProgress));
}

#[tokio::test]
async fn a_failing_look_at_a_job_is_an_error_of_its_kind_and_asked_once() {
    for (template, kind) in [
        (ResponseTemplate::new(503), ErrorKind::Maintenance),
        (ResponseTemplate::new(403), ErrorKind::Forbidden),
        (ResponseTemplate::new(200).set_body_string("{\"items\":["), ErrorKind::Malformed),
        (ResponseTemplate::new(200).set_body_raw("<html></html>", "text/html"), ErrorKind::UnexpectedBody),
    ] {
        let server = server().await;
        answer(&server, INTEGRATIONS, template).await;
        assert_eq!(client(&server).job_tree(request()).await.unwrap_err().kind(), kind);
        assert_eq!(asked(&server).await.len(), 1);
    }
}

async fn downloading(server: &MockServer, template: ResponseTemplate) {
    Mock::given(method("POST")).and(path(INTEGRATIONS)).respond_with(template).mount(server).await;
}

async fn downloads(server: &MockServer) -> Vec<Value> {
    let requests = server.received_requests().await.unwrap();
    let sent = requests.iter().filter(|request| request.url.path() == INTEGRATIONS);
    sent.map(|request| request.body_json().unwrap()).collect()
}

fn zipped(files: &[(&str, &str)]) -> Value {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in files {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    json!({ "DocumentContent": STANDARD.encode(writer.finish().unwrap().into_inner()), "ReqstId": "603547" })
}

#[tokio::test]
async fn logs_come_unpacked_and_tell_why() {
    let server = server().await;
    let files = [
        ("603547.log", "2 rows loaded"),
        (
            "603550.txt",
            "=== Error Lines ===\nEF04,EC03 Spreadsheet 2026-05-16\n=== Error Key ===\nEP01 closed\n",
        ),
    ];
    downloading(&server, ResponseTemplate::new(201).set_body_json(zipped(&files))).await;
    let entries = client(&server).job_details(request()).await.unwrap();
    assert_eq!(
        entries.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>(),
        ["603547.log", "603550.txt"]
    );
    assert_eq!(import_codes(&entries), ["EF04", "EC03"]);
    let body =
        json!({ "OperationName": "downloadESSJobExecutionDetails", "ReqstId": "603547", "FileType": "ALL" });
    assert_eq!(downloads(&server).await, [body]);
}

#[tokio::test]
async fn no_logs_are_an_empty_list_and_broken_ones_an_error() {
    for (content, entries) in [
        (json!({ "DocumentContent": null }), Some(0)),
        (json!({ "DocumentContent": STANDARD.encode("a plain log") }), Some(1)),
        (json!({ "DocumentContent": STANDARD.encode(b"PK\x03\x04broken") }), None),
        (json!({ "DocumentContent": "not base64!" }), None),
    ] {
        let server = server().await;
        downloading(&server, ResponseTemplate::new(200).set_body_json(&content)).await;
        let found = client(&server).job_details(request()).await;
        match entries {
            Some(count) => assert_eq!(found.unwrap().len(), count, "{content}"),
            None => assert!(matches!(found, Err(Error::Malformed { .. })), "{content}"),
        }
    }
}

#[tokio::test]
async fn a_failing_download_is_sent_once() {
    let server = server().await;
    downloading(&server, ResponseTemplate::new(500)).await;
    assert_eq!(client(&server).job_details(request()).await.unwrap_err().kind(), ErrorKind::Server);
    assert_eq!(downloads(&server).await.len(), 1);
}
