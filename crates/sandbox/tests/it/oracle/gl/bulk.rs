//! `POST erpintegrations`: what is taken, what is refused, and how.

use sandbox::oracle::settings::{Access, RefusedWith, RequestIds, UnknownAccount};
use serde_json::{Value, json};

use super::{Books, archive, csv_of};
use crate::pod::ROOT;

#[tokio::test]
async fn an_import_is_answered_with_201_and_the_id_of_the_load_job() {
    let books = Books::open().await;
    let answer = books.post(4, &books.journal(7, &books.pair("10.50"))).await;
    assert_eq!(
        (answer.status.as_u16(), answer.content_type.as_str()),
        (201, "application/vnd.oracle.adf.resourceitem+json")
    );
    let item = answer.json();
    assert!(item["ReqstId"].as_i64().unwrap() > 0);
    assert_eq!((&item["OperationName"], &item["RequestStatus"]), (&json!("importBulkData"), &Value::Null));
    assert_eq!(books.batches().len(), 1);
    let latest = format!("{}/fscmRestApi/resources/latest/erpintegrations", books.pod.sandbox.oracle_url());
    let request =
        books.pod.http.post(latest).bearer_auth(&books.pod.token).json(&books.journal(8, &books.pair("1")));
    assert_eq!(books.pod.send(request).await.status, 201);
    assert_eq!(books.batches().len(), 2);
}

#[tokio::test]
async fn the_id_is_a_number_or_a_string_by_version_or_switch() {
    let books = Books::open().await;
    let journal = books.journal(7, &books.pair("1"));
    let form = async |version| {
        let id = books.post(version, &journal).await.json()["ReqstId"].clone();
        (id.is_number(), id.is_string())
    };
    assert_eq!((form(8).await, form(9).await), ((true, false), (false, true)));
    books.change_settings(|settings| settings.erp.request_ids = RequestIds::Text);
    assert_eq!(form(1).await, (false, true));
    books.change_settings(|settings| settings.erp.request_ids = RequestIds::Number);
    assert_eq!(form(9).await, (true, false));
}

#[tokio::test]
async fn both_media_types_are_taken_and_no_other() {
    let books = Books::open().await;
    for (media_type, status) in [
        ("application/vnd.oracle.adf.resourceitem+json", 201),
        ("application/json;charset=utf-8", 201),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
    ] {
        let body = books.journal(7, &books.pair("1")).to_string();
        let request = books.sending(&books.pod.token, media_type, body);
        assert_eq!(books.pod.send(request).await.status, status, "{media_type}");
    }
}

#[tokio::test]
async fn a_bad_job_path_or_a_missing_privilege_is_minus_one_and_nothing_is_scheduled() {
    let books = Books::open().await;
    let refused = async |body: &Value, status: u16| {
        let answer = books.post(4, body).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["ReqstId"]),
            (status, &json!(-1)),
            "{}",
            answer.text
        );
    };
    let mut wrong = books.journal(7, &books.pair("1"));
    wrong["JobName"] =
        json!("/oracle/apps/ess/financials/generalLedger/programs/common/JournalImportLauncher");
    refused(&wrong, 201).await;
    let journal = books.journal(7, &books.pair("1"));
    books.change_settings(|settings| {
        settings.erp.job_privilege = false;
        settings.erp.refused_with = RefusedWith::Ok;
    });
    refused(&journal, 200).await;
    books.change_settings(|settings| {
        settings.erp.job_privilege = true;
        settings.access.insert("erpintegrations".to_owned(), Access { privilege: true, data: false });
    });
    refused(&journal, 200).await;
    let status = books.pod.page(4, "erpintegrations", &[("finder", "ESSJobStatusRF;requestId=603547")]).await;
    assert_eq!(status["items"], json!([]), "without data access there is nothing to see");
    let version_9 = books.post(9, &journal).await.json();
    assert_eq!(version_9["ReqstId"], "-1");
    let ledger = books.ledger();
    assert_eq!((&ledger["requests"], &ledger["submissions"]), (&json!([]), &json!({})));
    assert_eq!(books.pod.sandbox.oracle().submissions_of(7), 0);
}

#[tokio::test]
async fn without_the_resources_privilege_it_is_403() {
    let books = Books::open().await;
    books.change_settings(|settings| {
        settings.access.insert("erpintegrations".to_owned(), Access { privilege: false, data: true });
    });
    assert_eq!(books.post(4, &books.journal(7, &books.pair("1"))).await.status, 403);
    books.pod.refused(403, 4, "erpintegrations", &[]).await;
    let request = books.sending("nobody", "application/json", "{}".to_owned());
    assert_eq!(books.pod.send(request).await.status, 401);
}

#[tokio::test]
async fn an_account_without_access_is_refused_as_the_switch_says() {
    let books = Books::open().await;
    let mut journal = books.journal(7, &books.pair("1"));
    for known in ["fin$/journal$/import$", "fin$/generalLedger$/import", "fin/generalLedger/import"] {
        journal["DocumentAccount"] = json!(known);
        books.submit(&journal).await;
    }
    journal["DocumentAccount"] = json!("fin$/payables$/import$");
    assert_eq!(books.post(4, &journal).await.json()["ReqstId"], -1);
    books.change_settings(|settings| settings.erp.unknown_account = UnknownAccount::BadRequest);
    assert_eq!(books.post(4, &journal).await.status, 400);
    books.change_settings(|settings| settings.erp.unknown_account = UnknownAccount::LoadFails);
    let id = books.submit(&journal).await;
    assert_eq!(books.status(id).await, "ERROR");
    assert_eq!(books.batches().len(), 3);
}

#[tokio::test]
async fn unknown_attributes_and_operations_are_400() {
    let books = Books::open().await;
    let mut camel = books.journal(7, &books.pair("1"));
    camel["callbackUrl"] = json!("#NULL");
    let mut zipped = books.journal(7, &books.pair("1"));
    zipped["ContentType"] = json!("csv");
    let mut garbled = books.journal(7, &books.pair("1"));
    garbled["DocumentContent"] = json!("not base64!");
    for (body, detail) in [
        (camel, "Invalid attribute \"callbackUrl\""),
        (
            json!({"OperationName": "downloadESSJobExecutionDetails", "requestId": "1"}),
            "Invalid attribute \"requestId\"",
        ),
        (json!({"OperationName": "importJournals"}), "Invalid operation \"importJournals\""),
        (json!({"OperationName": "exportBulkData"}), "does not imitate"),
        (json!({"JobName": "x"}), "OperationName is required"),
        (json!({"OperationName": "importBulkData"}), "is required"),
        (json!({"OperationName": {"a": 1}}), "OperationName"),
        (json!([1]), "not an object"),
        (zipped, "ContentType"),
        (garbled, "DocumentContent"),
    ] {
        let answer = books.post(4, &body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.content_type.as_str()),
            (400, "application/vnd.oracle.adf.error+json")
        );
        let error = answer.json();
        assert!(error["detail"].as_str().unwrap().contains(detail), "{error}");
        assert_eq!(error["status"], "400");
    }
    let request = books.posting(4, &json!({})).body("{");
    assert_eq!(books.pod.send(request).await.status, 400);
    assert_eq!(books.post(3, &json!({})).await.content_type, "text/plain");
    assert_eq!(books.ledger()["requests"], json!([]));
}

#[tokio::test]
async fn a_file_that_cannot_be_loaded_ends_the_load_job_in_error_and_loads_nothing() {
    let books = Books::open().await;
    let good = csv_of(&books.pair("1"));
    let mut with_header = b"STATUS,LEDGER_ID\n".to_vec();
    with_header.extend(&good);
    let mut bad_date = good.clone();
    bad_date.extend(csv_of(&[books.debit("1").with(2, "07/15/2026")]));
    for content in [
        b"no zip".to_vec(),
        archive("Other.csv", &good),
        archive("GlInterface.csv", &with_header),
        archive("GlInterface.csv", &bad_date),
        archive("GlInterface.csv", b""),
    ] {
        let id = books.submit(&books.request(&content, "7")).await;
        assert_eq!(books.status(id).await, "ERROR");
        let jobs = books.tree(id).await;
        assert_eq!(jobs.last().unwrap(), &("Load File to Interface".to_owned(), "ERROR".to_owned()));
    }
    let mut other_interface = books.journal(7, &books.pair("1"));
    other_interface["JobOptions"] = json!("InterfaceDetails=2,ExtractFileType=ALL");
    let id = books.submit(&other_interface).await;
    assert_eq!((books.status(id).await.as_str(), books.left().len(), books.batches().len()), ("ERROR", 0, 0));
    other_interface["JobOptions"] =
        json!("InterfaceDetails=15,ImportOption=Y,PurgeOption=N,ExtractFileType=ALL");
    let id = books.submit(&other_interface).await;
    assert_eq!((books.status(id).await.as_str(), books.batches().len()), ("SUCCEEDED", 1));
}

#[tokio::test]
async fn both_names_of_the_file_are_read() {
    let books = Books::open().await;
    let lines: Vec<_> = books.pair("1").into_iter().map(|line| line.with(66, "7")).collect();
    for name in ["GlInterface.csv", "GL_INTERFACE.csv"] {
        let id = books.submit(&books.request(&archive(name, &csv_of(&lines)), "7")).await;
        assert_eq!(books.status(id).await, "SUCCEEDED", "{name}");
    }
    assert_eq!(books.batches().len(), 2);
}

#[tokio::test]
async fn the_resource_describes_itself_and_has_no_items_of_its_own() {
    let books = Books::open().await;
    books.import(7, &books.pair("1")).await;
    let described = books.pod.page(4, "erpintegrations/describe", &[]).await;
    let resource = &described["Resources"]["erpintegrations"];
    assert!(
        resource["collection"]["actions"].as_array().unwrap().iter().any(|action| action["method"] == "POST")
    );
    let attributes = resource["attributes"].as_array().unwrap();
    assert!(attributes.iter().any(|attribute| attribute["name"] == "ReqstId"));
    assert!(attributes.iter().all(|attribute| attribute["name"] != ""));
    assert_eq!(books.pod.page(4, "erpintegrations", &[]).await["items"], json!([]));
    books.pod.refused(404, 4, "erpintegrations/1", &[]).await;
    for finder in ["ESSJobStatusRF", "ESSJobStatusRF;requestId=x", "ESSJobStatusRF;id=1", "Other;requestId=1"]
    {
        books.pod.refused(400, 4, "erpintegrations", &[("finder", finder)]).await;
    }
    let url = format!("{}{ROOT}/erpintegrations", books.pod.sandbox.oracle_url());
    let request = books.pod.http.delete(url).bearer_auth(&books.pod.token);
    assert_eq!(books.pod.send(request).await.status, 405);
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_413_and_does_nothing() {
    let books = Books::open().await;
    let body = "x".repeat(33 * 1024 * 1024);
    let request = books.sending(&books.pod.token, "application/json", body);
    assert_eq!(books.pod.send(request).await.status, 413);
    assert_eq!(books.ledger()["requests"], json!([]));
}
