//! Due date, assignee, section and tags: exact requests, and what comes of refusals and lost answers.

use asana::{Acknowledged, Asana, BadRequest, Error, NewTask, TaskUpdate, section_body, tag_body};
use serde_json::{Value, json};
use wiremock::matchers::{query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{TASK_FIELDS, answering, client, ok, requests, task};

/// Each of the three calls once, in the order section, tag, tag away.
async fn all_three(asana: &Asana) -> [Result<Acknowledged, Error>; 3] {
    [
        asana.add_to_section("88", &section_body("5")).await,
        asana.add_tag("5", &tag_body("901")).await,
        asana.remove_tag("5", &tag_body("901")).await,
    ]
}

#[tokio::test]
async fn section_and_tags_are_changed_by_calls_of_their_own() {
    let (server, asana) = answering(ok(&json!({"data": {}}))).await;
    for done in all_three(&asana).await {
        assert_eq!(done.unwrap(), Acknowledged { status: 200, body: r#"{"data":{}}"#.into() });
    }
    assert_eq!(
        requests(&server).await,
        [
            "POST /api/1.0/sections/88/addTask?",
            "POST /api/1.0/tasks/5/addTag?",
            "POST /api/1.0/tasks/5/removeTag?",
        ]
    );
    let sent: Vec<String> = server.received_requests().await.unwrap().iter().map(body_of).collect();
    assert_eq!(sent, [r#"{"data":{"task":"5"}}"#, r#"{"data":{"tag":"901"}}"#, r#"{"data":{"tag":"901"}}"#]);
}

fn body_of(request: &wiremock::Request) -> String {
    String::from_utf8(request.body.clone()).unwrap()
}

#[tokio::test]
async fn a_refusal_did_not_happen_and_says_what_is_unknown() {
    let gone = json!({"errors": [{"message": "tag: Unknown object: 901"}]});
    let (_server, asana) = answering(ResponseTemplate::new(400).set_body_json(&gone)).await;
    for refused in all_three(&asana).await {
        let error = refused.unwrap_err();
        assert!(matches!(error, Error::BadRequest { reason: BadRequest::UnknownObject, .. }), "{error}");
        assert!(!error.may_have_happened());
    }
    for (status, kind) in [(403, "forbidden"), (404, "not_found"), (429, "rate_limited")] {
        // a client of its own for each: after a 429 the next call would wait
        let (_server, asana) = answering(ResponseTemplate::new(status)).await;
        let error = asana.add_to_section("88", &section_body("5")).await.unwrap_err();
        assert_eq!((error.kind(), error.may_have_happened()), (kind, false));
    }
}

#[tokio::test]
async fn an_acknowledgement_that_cannot_be_read_may_have_happened() {
    for body in ["<html>busy</html>", "", "{}", r#"{"data":null}"#, r#"{"data":[]}"#] {
        let (_server, asana) = answering(ResponseTemplate::new(200).set_body_string(body)).await;
        for lost in all_three(&asana).await {
            let error = lost.unwrap_err();
            assert!(matches!(error, Error::Malformed { status: 200, .. }), "{body}: {error}");
            assert!(error.may_have_happened());
        }
    }
}

#[tokio::test]
async fn what_could_lead_elsewhere_or_has_no_data_is_not_sent() {
    let (_server, asana) = answering(ok(&json!({"data": {}}))).await;
    for bad in ["", "..", "1/2", "1?a", "a b"] {
        for refused in [
            asana.add_to_section(bad, &section_body("5")).await.err(),
            asana.add_tag(bad, &tag_body("9")).await.err(),
            asana.remove_tag(bad, &tag_body("9")).await.err(),
            asana.tags(bad).await.err(),
            asana.user(bad).await.err(),
        ] {
            assert!(matches!(refused, Some(Error::InvalidArgument(_))), "{bad:?}: {refused:?}");
        }
    }
    for bad in ["", "{", r#"{"tag":"9"}"#] {
        assert!(matches!(asana.add_tag("5", bad).await, Err(Error::InvalidArgument(_))), "{bad:?}");
    }
    let error = asana.user("ann lee@example.com").await.unwrap_err();
    assert!(error.to_string().contains("by gid, by e-mail address"), "{error}");
    assert_eq!(asana.requests(), 0);
}

#[tokio::test]
async fn tags_are_listed_to_the_end() {
    let server = MockServer::start().await;
    let page = |gid: &str, name: Value, next: Value| {
        ok(&json!({"data": [{"gid": gid, "resource_type": "tag", "name": name}], "next_page": next}))
    };
    let last = page("902", Value::Null, Value::Null);
    Mock::given(query_param("offset", "b")).respond_with(last).mount(&server).await;
    Mock::given(query_param_is_missing("offset"))
        .respond_with(page("901", json!("Urgent"), json!({"offset": "b"})))
        .mount(&server)
        .await;
    let asana = client(&server);
    let tags = asana.tags("1").await.unwrap();
    let read: Vec<(&str, &str)> = tags.iter().map(|tag| (tag.gid.as_str(), tag.name.as_str())).collect();
    assert_eq!(read, [("901", "Urgent"), ("902", "")]);
    assert_eq!(
        requests(&server).await,
        [
            "GET /api/1.0/workspaces/1/tags?opt_fields=name&limit=100",
            "GET /api/1.0/workspaces/1/tags?opt_fields=name&limit=100&offset=b",
        ]
    );
}

#[tokio::test]
async fn a_user_is_found_by_address_or_gid() {
    let body = json!({"data": {"gid": "3", "name": "Ann", "email": "ann+ap@example.com", "workspaces": []}});
    let (server, asana) = answering(ok(&body)).await;
    for named in ["ann+ap@example.com", "3", "me"] {
        let user = asana.user(named).await.unwrap();
        assert_eq!((user.gid.as_str(), user.email.as_deref()), ("3", Some("ann+ap@example.com")));
    }
    let sent = requests(&server).await;
    let wanted = |named: &str| format!("GET /api/1.0/users/{named}?opt_fields=name,email,workspaces.name");
    assert_eq!(sent, [wanted("ann+ap@example.com"), wanted("3"), wanted("me")]);
    let none = json!({"errors": [{"message": "user: Unknown object: 9"}]});
    let (_server, asana) = answering(ResponseTemplate::new(404).set_body_json(none)).await;
    assert!(matches!(asana.user("9").await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn due_date_and_assignee_are_written_and_read_with_the_task() {
    let mut record = task("5");
    record["due_on"] = json!("2026-07-31");
    record["assignee"] = json!({"gid": "3", "email": "ann@example.com"});
    record["tags"] = json!([{"gid": "901", "name": "Urgent"}]);
    let (server, asana) = answering(ok(&json!({"data": record}))).await;
    let day = "2026-07-31".parse().unwrap();
    let new = NewTask {
        name: "PO-1".into(),
        project: "77".into(),
        due_on: Some(day),
        assignee: Some("ann@example.com".into()),
        tags: vec!["901".into()],
        ..NewTask::default()
    };
    let made = asana.create_task(&new.to_body()).await.unwrap().task;
    assert_eq!((made.due_on, made.tags.as_slice()), (Some(day), ["901".to_owned()].as_slice()));
    assert_eq!(made.assignee.unwrap().email.as_deref(), Some("ann@example.com"));
    let update = TaskUpdate { due_on: Some(None), assignee: Some(None), ..TaskUpdate::default() };
    asana.update_task("5", &update.to_body()).await.unwrap();
    let sent: Vec<String> = server.received_requests().await.unwrap().iter().map(body_of).collect();
    assert_eq!(
        sent,
        [
            r#"{"data":{"name":"PO-1","projects":["77"],"due_on":"2026-07-31","assignee":"ann@example.com","tags":["901"]}}"#,
            r#"{"data":{"due_on":null,"assignee":null}}"#,
        ]
    );
    assert_eq!(requests(&server).await[1], format!("PUT /api/1.0/tasks/5?opt_fields={TASK_FIELDS}"));
}

#[tokio::test]
async fn an_assignee_from_outside_is_told_apart_from_other_refusals() {
    let message = "assignee: Not a user in Organization: nobody@example.com";
    let body = json!({"errors": [{"message": message}]});
    let (_server, asana) = answering(ResponseTemplate::new(400).set_body_json(body)).await;
    let update = TaskUpdate { assignee: Some(Some("nobody@example.com".into())), ..TaskUpdate::default() };
    let error = asana.update_task("5", &update.to_body()).await.unwrap_err();
    assert!(matches!(error, Error::BadRequest { reason: BadRequest::NotAMember, .. }), "{error}");
}
