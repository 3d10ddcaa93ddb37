//! `downloadESSJobExecutionDetails`: what the files of a job say.

use std::io::{Cursor, Read as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use zip::ZipArchive;

use super::{Books, Line};

fn download(request: &Value, files: &str) -> Value {
    json!({"OperationName": "downloadESSJobExecutionDetails", "ReqstId": request, "FileType": files})
}

/// Name and text of each file.
fn unpack(answer: &Value) -> Vec<(String, String)> {
    let bytes = STANDARD.decode(answer["DocumentContent"].as_str().unwrap()).unwrap();
    let mut archive = ZipArchive::new(Cursor::new(bytes)).unwrap();
    (0..archive.len())
        .map(|at| {
            let mut file = archive.by_index(at).unwrap();
            let mut text = String::new();
            file.read_to_string(&mut text).unwrap();
            (file.name().unwrap().into_owned(), text)
        })
        .collect()
}

#[tokio::test]
async fn the_archive_has_one_log_for_each_job_of_the_tree_and_the_imports_names_the_codes() {
    let books = Books::open().await;
    let unknown = Line::new(&books.facts, "101.10.99999.110.000.000", "", "10.00").with(41, "11");
    let id = books.import(7, &[books.debit("10.00"), unknown]).await;
    let answer = books.post(4, &download(&json!(id), "log")).await;
    assert_eq!(answer.status, 201);
    let files = unpack(&answer.json());
    let expected: Vec<String> = (0..5).map(|at| format!("{}.log", id + at)).collect();
    assert_eq!(files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>(), expected);
    let import = &files[3].1;
    assert!(import.contains("row 2 account 101.10.99999.110.000.000 status EF04,EC12"), "{import}");
    assert!(!import.contains("row 1 "), "only rows with codes are named: {import}");
    let of_child = unpack(&books.post(4, &download(&json!((id + 4).to_string()), "LOG")).await.json());
    assert_eq!(of_child.len(), 1);
    let all = unpack(&books.post(4, &download(&json!(id), "ALL")).await.json());
    assert_eq!(all.len(), 10);
    let out = unpack(&books.post(4, &download(&json!(id), "out")).await.json());
    assert!(out[3].1.contains("Rows rejected 2"), "{}", out[3].1);
}

#[tokio::test]
async fn a_job_says_why_it_could_not_load_or_import() {
    let books = Books::open().await;
    let text = async |body: Value| {
        let id = books.submit(&body).await;
        let files = unpack(&books.post(4, &download(&json!(id), "log")).await.json());
        files.into_iter().map(|(_, text)| text).collect::<String>()
    };
    let broken = text(books.journal(7, &[books.debit("ten")])).await;
    assert!(broken.contains("Record 1: ENTERED_DR is not a number"), "{broken}");
    let mut elsewhere = books.journal(7, &books.pair("1"));
    elsewhere["ParameterList"] = json!("#NULL,Project Costs,1,7,N,N,N");
    assert!(text(elsewhere.clone()).await.contains("there is no ledger 1"));
    elsewhere["ParameterList"] = json!(books.parameters("8"));
    assert!(text(elsewhere).await.contains("Found no interface records to process"));
}

#[tokio::test]
async fn without_the_extract_option_or_for_foreign_jobs_there_is_nothing() {
    let books = Books::open().await;
    let mut journal = books.journal(7, &books.pair("1"));
    journal["JobOptions"] = Value::Null;
    let id = books.submit(&journal).await;
    let content =
        async |id: i64| books.post(4, &download(&json!(id), "log")).await.json()["DocumentContent"].clone();
    assert_eq!(
        (content(id).await, content(1).await, content(id + 6).await),
        (Value::Null, Value::Null, Value::Null)
    );
    books.change_settings(|settings| settings.erp.logs_need_extract_option = false);
    let id = books.submit(&journal).await;
    assert!(content(id).await.is_string());
}

#[tokio::test]
async fn the_request_and_the_file_type_are_checked() {
    let books = Books::open().await;
    for body in [
        json!({"OperationName": "downloadESSJobExecutionDetails", "ReqstId": 1}),
        json!({"OperationName": "downloadESSJobExecutionDetails", "FileType": "log"}),
        download(&json!("x"), "log"),
        download(&json!(1), "everything"),
    ] {
        assert_eq!(books.post(4, &body).await.status, 400, "{body}");
    }
}
