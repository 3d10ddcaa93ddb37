//! Jobs: their statuses on the virtual clock, their trees, and what they can come to.

use sandbox::oracle::settings::{ImportTree, NothingToImport, Outcome, Phases, RejectedStatus};
use serde_json::{Value, json};

use super::Books;

const LOAD: &str = "Load Interface File for Import";
const IMPORT: &str = "Import Journals";
const CHILD: &str = "Import Journals: Child";

fn names(jobs: &[(String, String)]) -> Vec<(&str, &str)> {
    jobs.iter().map(|(name, status)| (name.as_str(), status.as_str())).collect()
}

#[tokio::test]
async fn a_job_waits_runs_pauses_while_its_children_work_and_succeeds() {
    let books = Books::with(|settings| {
        settings.erp.phases = Phases { wait_ms: 10, run_ms: 20, load_ms: 30, import_ms: 40 };
    })
    .await;
    let id = books.import(7, &books.pair("10")).await;
    assert_eq!(names(&books.tree(id).await), [(LOAD, "WAIT")]);
    books.advance(10);
    assert_eq!(names(&books.tree(id).await), [(LOAD, "RUNNING")]);
    books.advance(20);
    let loading = [(LOAD, "PAUSED"), ("Transfer File", "SUCCEEDED"), ("Load File to Interface", "RUNNING")];
    assert_eq!(names(&books.tree(id).await), loading);
    assert_eq!((books.left().len(), books.batches().len()), (0, 0));
    books.advance(30);
    let jobs = books.tree(id).await;
    assert_eq!(names(&jobs)[0], (LOAD, "PAUSED"));
    assert_eq!(
        names(&jobs)[2..],
        [("Load File to Interface", "SUCCEEDED"), (IMPORT, "PAUSED"), (CHILD, "RUNNING")]
    );
    assert_eq!((books.left(), books.batches().len()), (vec!["NEW".to_owned(); 2], 0));
    books.advance(39);
    assert_eq!(books.status(id).await, "PAUSED");
    books.advance(1);
    assert_eq!(books.status(id).await, "SUCCEEDED");
    assert!(books.tree(id).await.iter().all(|(_, status)| status == "SUCCEEDED"));
    assert_eq!((books.left().len(), books.batches().len()), (0, 1));
}

#[tokio::test]
async fn by_default_a_job_takes_a_moment_but_not_long() {
    let books = Books::with(|_| {}).await;
    let id = books.import(7, &books.pair("10")).await;
    assert_eq!(books.status(id).await, "WAIT");
    books.advance(1_000);
    assert_eq!((books.status(id).await.as_str(), books.batches().len()), ("SUCCEEDED", 1));
}

#[tokio::test]
async fn the_tree_is_json_within_a_string_and_its_ids_are_strings() {
    let books = Books::open().await;
    let id = books.import(7, &books.pair("10")).await;
    let text = books.finder("ESSExecutionDetailsRF", id).await;
    let tree: Value = serde_json::from_str(&text).unwrap();
    let root = &tree["JOBS"];
    assert_eq!((&root["JOBNAME"], &root["REQUESTID"]), (&json!(LOAD), &json!(id.to_string())));
    let import = root["CHILD"].as_array().unwrap().iter().find(|job| job["JOBNAME"] == IMPORT).unwrap();
    let child = import["CHILD"][0]["REQUESTID"].as_str().unwrap();
    let name = books.batches()[0]["name"].as_str().unwrap().to_owned();
    assert_eq!(name, format!("Costs Project Costs A 7 {child} N"), "the child's id stands in the name");
    let only = [
        ("finder", &*format!("ESSJobStatusRF;requestId={id}")),
        ("fields", "RequestStatus"),
        ("onlyData", "true"),
    ];
    let page = books.pod.page(9, "erpintegrations", &only).await;
    assert_eq!(page["items"], json!([{"RequestStatus": "SUCCEEDED"}]));
}

#[tokio::test]
async fn jobs_that_were_not_submitted_here_have_an_empty_status_for_ever() {
    let books = Books::open().await;
    let id = books.import(7, &books.pair("10")).await;
    for other in [1, id - 1, id + 6, id + 100] {
        assert_eq!(books.status(other).await, "", "{other}");
        assert_eq!(books.finder("ESSExecutionDetailsRF", other).await, "");
    }
    assert_eq!(books.status(id + 3).await, "", "a child's own status is not shown");
    books.change_settings(|settings| settings.erp.children_visible = true);
    assert_eq!(books.status(id + 3).await, "SUCCEEDED");
    assert_eq!(names(&books.tree(id + 3).await), [(IMPORT, "SUCCEEDED"), (CHILD, "SUCCEEDED")]);
}

#[tokio::test]
async fn a_job_comes_to_what_the_switch_says() {
    let books = Books::open().await;
    // Outcome, status of the load job and of the import, rows left, batches made.
    let cases = [
        (Outcome::Warning, "WARNING", Some("WARNING"), 0, 1),
        (Outcome::Error, "ERROR", None, 0, 0),
        (Outcome::Expired, "EXPIRED", None, 0, 0),
        (Outcome::ImportError, "SUCCEEDED", Some("ERROR"), 2, 0),
        (Outcome::Stuck, "PAUSED", Some("PAUSED"), 2, 0),
        (Outcome::ImportMissing, "SUCCEEDED", None, 2, 0),
    ];
    for (group, (outcome, root, import, left, batches)) in (1..).zip(cases) {
        books.change_settings(|settings| settings.erp.outcome = Some(outcome));
        let before = (books.left().len(), books.batches().len());
        let id = books.import(group, &books.pair("10")).await;
        books.advance(86_400_000);
        let jobs = books.tree(id).await;
        let status = |name: &str| jobs.iter().find(|(job, _)| job == name).map(|(_, status)| status.as_str());
        assert_eq!((status(LOAD), status(IMPORT)), (Some(root), import), "{outcome:?}");
        assert_eq!(
            (books.left().len() - before.0, books.batches().len() - before.1),
            (left, batches),
            "{outcome:?}"
        );
        assert!(books.left().iter().all(|row| row == "NEW"));
    }
}

#[tokio::test]
async fn the_switch_is_taken_at_submission() {
    let books = Books::with(|settings| settings.erp.outcome = Some(Outcome::Stuck)).await;
    let stuck = books.import(7, &books.pair("10")).await;
    books.change_settings(|settings| settings.erp.outcome = None);
    let second = books.import(8, &books.pair("10")).await;
    books.advance(10_000);
    assert_eq!(
        (books.status(stuck).await.as_str(), books.status(second).await.as_str()),
        ("PAUSED", "SUCCEEDED")
    );
}

#[tokio::test]
async fn a_rejection_shows_on_the_import_and_not_on_the_load_job_unless_so_set() {
    let books = Books::open().await;
    let unbalanced = [books.debit("10"), books.credit("9")];
    let tree = async |group| {
        let id = books.import(group, &unbalanced).await;
        let jobs = books.tree(id).await;
        let status = |name: &str| jobs.iter().find(|(job, _)| job == name).map(|(_, status)| status.clone());
        [LOAD, IMPORT, CHILD].map(|name| status(name).unwrap_or_default())
    };
    assert_eq!(tree(1).await, ["SUCCEEDED", "ERROR", "ERROR"]);
    books.change_settings(|settings| settings.erp.rejected_status = RejectedStatus::Warning);
    assert_eq!(tree(2).await, ["SUCCEEDED", "WARNING", "WARNING"]);
    books.change_settings(|settings| settings.erp.import_tree = ImportTree::ChildTells);
    assert_eq!(tree(3).await, ["SUCCEEDED", "SUCCEEDED", "WARNING"]);
    books.change_settings(|settings| {
        settings.erp.import_tree = ImportTree::Single;
        settings.erp.parent_follows_children = true;
    });
    assert_eq!(tree(4).await, ["WARNING", "WARNING", ""]);
}

#[tokio::test]
async fn an_import_can_be_submitted_alone_and_takes_what_is_in_the_interface() {
    let books = Books::with(|settings| {
        settings.erp.phases = Phases::INSTANT;
        settings.erp.outcome = Some(Outcome::ImportMissing);
    })
    .await;
    books.import(7, &books.pair("10")).await;
    books.change_settings(|settings| settings.erp.outcome = None);
    let job = |definition: &str, parameters: String| {
        json!({
            "OperationName": "submitESSJobRequest",
            "JobPackageName": "/oracle/apps/ess/financials/generalLedger/programs/common/",
            "JobDefName": definition,
            "ESSParameters": parameters,
            "ReqstId": null,
        })
    };
    let id = books.submit(&job("JournalImportLauncher", books.parameters("7"))).await;
    assert_eq!(names(&books.tree(id).await), [(IMPORT, "SUCCEEDED"), (CHILD, "SUCCEEDED")]);
    assert_eq!((books.left().len(), books.batches().len()), (0, 1));
    assert_eq!(books.pod.sandbox.oracle().submissions_of(7), 1, "only files count as submissions");
    let id = books.submit(&job("AutomaticPosting", "1".to_owned())).await;
    assert_eq!((books.status(id).await.as_str(), &books.batches()[0]["status"]), ("SUCCEEDED", &json!("U")));
    assert_eq!(books.post(4, &job("Nothing", String::new())).await.json()["ReqstId"], -1);
    let mut elsewhere = job("JournalImportLauncher", books.parameters("7"));
    elsewhere["JobPackageName"] = json!("/oracle/apps/ess/financials/payables");
    assert_eq!(books.post(4, &elsewhere).await.json()["ReqstId"], -1);
}

#[tokio::test]
async fn an_import_that_finds_no_rows_warns_or_as_set() {
    let books = Books::open().await;
    let import = json!({
        "OperationName": "submitESSJobRequest",
        "JobPackageName": "/oracle/apps/ess/financials/generalLedger/programs/common",
        "JobDefName": "JournalImportLauncher",
        "ESSParameters": books.parameters("7"),
    });
    let id = books.submit(&import).await;
    assert_eq!(books.status(id).await, "WARNING");
    for (set, status) in [(NothingToImport::Error, "ERROR"), (NothingToImport::Succeeded, "SUCCEEDED")] {
        books.change_settings(|settings| settings.erp.nothing_to_import = set);
        let id = books.submit(&import).await;
        assert_eq!(books.status(id).await, status);
    }
}
