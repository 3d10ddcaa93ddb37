use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// The payload that Oracle documents, see
/// <https://docs.oracle.com/en/solutions/import-data-for-enterprise-resource-planning/verify-receipt-oracle-erp-cloud1.html>.
const CALLBACK: &str = r#"{ "JOBS": [
    { "JOBNAME": "Load Interface File for Import", "REQUESTID": "603547", "STATUS": "SUCCEEDED",
      "CHILD": [ { "JOBNAME": "Transfer File", "REQUESTID": "603548", "STATUS": "SUCCEEDED" } ] },
    { "JOBNAME": "Import Journals", "REQUESTID": "603550", "STATUS": "ERROR" } ],
  "SUMMARYSTATUS": "ERROR" }"#;

fn answer(status: &str) -> Vec<u8> {
    json!({ "items": [{ "OperationName": null, "RequestStatus": status }], "count": 1 })
        .to_string()
        .into_bytes()
}

fn tree(value: &Value) -> JobTree {
    tree_of(&answer(&value.to_string())).unwrap()
}

fn names(tree: &JobTree) -> Vec<&str> {
    tree.all().iter().map(|job| job.name.as_deref().unwrap_or("?")).collect()
}

#[test]
fn the_documented_callback_is_read() {
    let tree = parse_callback(CALLBACK.as_bytes()).unwrap();
    assert_eq!(names(&tree), ["Load Interface File for Import", "Transfer File", "Import Journals"]);
    let import = tree.find_import(IMPORT_JOURNALS).unwrap();
    assert_eq!(import.request_id.map(RequestId::get), Some(603_550));
    assert_eq!((import.status.class(), tree.class()), (JobClass::Failed, JobClass::Failed));
    assert_eq!(tree.summary.unwrap().as_str(), "ERROR");
}

#[test]
fn a_callback_wrapped_in_soap_is_read() {
    let escaped = CALLBACK.replace('"', "&quot;");
    let soap = format!(
        "<?xml version=\"1.0\"?><soap:Envelope><onJobCompletion><r>{escaped}</r></onJobCompletion></soap:Envelope>"
    );
    assert_eq!(parse_callback(soap.as_bytes()), parse_callback(CALLBACK.as_bytes()));
    assert_eq!(parse_callback(b"<a></a>"), Err(JobTreeError::NotJobs));
    assert_eq!(parse_callback(b"<a>}{</a>"), Err(JobTreeError::NotJobs));
}

#[test]
fn jobs_and_children_are_objects_or_arrays_and_ids_strings_or_numbers() {
    let leaf = |id: Value| json!({ "JOBNAME": "Transfer File", "REQUESTID": id, "STATUS": "SUCCEEDED" });
    let root = |child: Value| json!({ "JOBNAME": "Load", "REQUESTID": 1, "STATUS": "PAUSED", "CHILD": child, "NEW": [1] });
    let one = tree(&json!({ "JOBS": root(leaf(json!(2))) }));
    for other in [
        json!({ "JOBS": [root(leaf(json!("2")))] }),
        json!({ "JOBS": root(json!([leaf(json!(2))])), "OTHER": {} }),
        json!({ "jobs": [root(json!([leaf(json!(" 2 ")), null, 7]))] }),
        json!([root(leaf(json!(2)))]),
    ] {
        assert_eq!(tree(&other), one, "{other}");
    }
    assert_eq!(one.class(), JobClass::InProgress);
    assert_eq!(one.jobs[0].children[0].request_id.map(RequestId::get), Some(2));
    for nothing in [Value::Null, json!(""), json!([]), json!(0)] {
        assert_eq!(tree(&json!({ "JOBS": root(nothing) })).jobs[0].children, []);
    }
}

#[test]
fn the_import_is_found_at_any_depth_and_in_any_case() {
    let mut job = json!({ "JOBNAME": "IMPORT journals", "REQUESTID": 9, "STATUS": "WARNING" });
    for level in 0..20 {
        job = json!({ "JOBNAME": format!("Level {level}"), "STATUS": "SUCCEEDED", "CHILD": [job] });
    }
    let tree = tree(&json!({ "JOBS": job }));
    assert_eq!(tree.find_import(" import Journals").unwrap().status.class(), JobClass::LookCloser);
    assert_eq!(tree.find_import("Journale importieren"), None);
    assert_eq!(tree.find_import("Import"), None);
}

#[test]
fn an_import_is_not_taken_for_success_while_its_child_warns() {
    let child = json!({ "JOBNAME": "Import Journals: Child", "REQUESTID": 3, "STATUS": "WARNING" });
    let tree = tree(&json!({ "JOBS": [
        { "JOBNAME": "Load Interface File for Import", "REQUESTID": 1, "STATUS": "SUCCEEDED" },
        { "JOBNAME": "Import Journals", "REQUESTID": 2, "STATUS": "SUCCEEDED", "CHILD": child },
    ]}));
    let import = tree.find_import(IMPORT_JOURNALS).unwrap();
    assert_eq!(
        (import.request_id.map(RequestId::get), import.status.class()),
        (Some(3), JobClass::LookCloser)
    );
    assert_eq!(tree.class(), JobClass::LookCloser);
}

#[test]
fn what_says_nothing_is_in_progress() {
    for body in [
        answer(""),
        br#"{"items":[]}"#.to_vec(),
        br#"{"items":[{"RequestStatus":null}]}"#.to_vec(),
        answer(r#"{"JOBS":[]}"#),
        answer(r#"{"JOBS":null}"#),
        answer("PAUSED"),
    ] {
        let text = String::from_utf8_lossy(&body);
        assert_eq!(tree_of(&body).unwrap().class(), JobClass::InProgress, "{text}");
    }
    assert_eq!(status_of(br#"{"items":[]}"#).unwrap().class(), JobClass::InProgress);
    assert_eq!(status_of(&answer("SUCCEEDED")).unwrap().class(), JobClass::Succeeded);
    assert_eq!(tree_of(&answer("No such request")).unwrap().class(), JobClass::Unknown);
}

#[test]
fn a_status_that_is_json_itself_is_taken_too() {
    let body = json!({ "items": [{ "RequestStatus": { "JOBS": { "STATUS": "SUCCEEDED" } } }] }).to_string();
    assert_eq!(tree_of(body.as_bytes()).unwrap().class(), JobClass::Succeeded);
}

#[test]
fn an_answer_that_cannot_be_read_is_an_error() {
    for (body, truncated) in [
        (&b""[..], true),
        (b"{\"items\":[{\"RequestStatus\":\"RUNN", true),
        (b"[]", false),
        (b"{}", false),
        (b"{\"items\":7}", false),
        (b"{\"items\":[7]}", false),
    ] {
        let Err(Error::Malformed { truncated: found, .. }) = tree_of(body) else {
            panic!("{}", String::from_utf8_lossy(body));
        };
        assert_eq!(found, truncated, "{}", String::from_utf8_lossy(body));
    }
    let cut = tree_of(&answer(r#"{"JOBS":[{"STATUS":"SUCC"#)).unwrap_err();
    assert!(cut.is_transient(), "{cut}");
    assert!(tree_of(&answer(r#"{"error":"none"}"#)).is_err());
}

#[test]
fn a_tree_has_bounds() {
    let nested = |levels: usize| {
        (0..levels)
            .fold(json!({ "STATUS": "SUCCEEDED" }), |job, _| json!({ "STATUS": "SUCCEEDED", "CHILD": job }))
    };
    let read = |value: Value| parse_callback(json!({ "JOBS": value }).to_string().as_bytes());
    assert!(read(nested(MAX_DEPTH - 1)).is_ok());
    assert_eq!(read(nested(MAX_DEPTH)), Err(JobTreeError::TooLarge));
    assert!(read(json!(vec![json!({}); MAX_JOBS])).is_ok());
    assert_eq!(read(json!(vec![json!({}); MAX_JOBS + 1])), Err(JobTreeError::TooLarge));
    let deep = format!("{{\"JOBS\":{}", "[{\"CHILD\":".repeat(20_000));
    assert!(parse_callback(deep.as_bytes()).is_err());
    assert_eq!(parse_callback(&vec![b' '; MAX_BYTES + 1]), Err(JobTreeError::TooLarge));
}

fn any_status() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec!["SUCCEEDED", "RUNNING", "PAUSED", "WARNING", "ERROR", "", "ODD"])
            .prop_map(str::to_owned),
        "[A-Z]{0,8}",
    ]
}

fn any_job() -> impl Strategy<Value = Job> {
    let leaf = ("[A-Za-z :]{0,16}", any_status(), prop::option::of(1u64..=999_999)).prop_map(
        |(name, status, id)| Job {
            name: Some(name),
            request_id: id.map(|id| id.to_string().parse().unwrap()),
            status: JobStatus::new(&status),
            children: Vec::new(),
        },
    );
    leaf.prop_recursive(4, 24, 3, |inner| {
        (inner.clone(), prop::collection::vec(inner, 0..3))
            .prop_map(|(job, children)| Job { children, ..job })
    })
}

/// Writes a job in one of the forms that pods use.
fn written(job: &Job, as_object: bool) -> Value {
    let children: Vec<Value> = job.children.iter().map(|child| written(child, !as_object)).collect();
    let mut value = json!({
        "JOBNAME": job.name, "REQUESTID": job.request_id.map(RequestId::get), "STATUS": job.status.as_str(), "NEW": {},
    });
    match children.as_slice() {
        [] => {}
        [child] if as_object => value["CHILD"] = child.clone(),
        children => value["CHILD"] = json!(children),
    }
    value
}

proptest! {
    #[test]
    fn every_tree_is_read_back(jobs in prop::collection::vec(any_job(), 0..3), as_object in any::<bool>()) {
        let values: Vec<Value> = jobs.iter().map(|job| written(job, as_object)).collect();
        let tree = tree(&json!({ "JOBS": values }));
        prop_assert_eq!(&tree.jobs, &jobs);
        // the whole succeeded only when every job did
        let all = tree.all();
        let succeeded = !all.is_empty() && all.iter().all(|job| job.status.class() == JobClass::Succeeded);
        prop_assert_eq!(tree.class() == JobClass::Succeeded, succeeded);
        let running = all.is_empty() || all.iter().any(|job| job.status.class() == JobClass::InProgress);
        prop_assert_eq!(tree.class() == JobClass::InProgress, running);
        if let Some(import) = tree.find_import(IMPORT_JOURNALS) {
            prop_assert!(import.name.as_deref().unwrap().to_lowercase().contains("import journals"));
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = (parse_callback(&body), tree_of(&body), status_of(&body));
    }

    #[test]
    fn no_text_near_the_right_one_makes_the_reader_panic(at in 0usize..400, with in "[\\[\\]{}\",:<&a0]{0,4}", cut in any::<bool>()) {
        let mut text = CALLBACK.to_owned();
        let at = at.min(text.len());
        if cut { text.truncate(at); } else { text.insert_str(at, &with); }
        let _ = parse_callback(text.as_bytes());
        let body = answer(&text);
        let _ = tree_of(&body);
        let _ = tree_of(&body[..at]);
    }
}
