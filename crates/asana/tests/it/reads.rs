//! Reading records and listings: exact requests, pages, starting again.

use asana::Error;
use serde_json::{Value, json};
use wiremock::matchers::{any, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{TASK_FIELDS, answering, client, ok, requests, task};

fn expired() -> ResponseTemplate {
    ResponseTemplate::new(400)
        .set_body_json(json!({"errors": [{"message": "offset: Your pagination token is invalid."}]}))
}

#[tokio::test]
async fn me_asks_for_the_user_and_its_workspaces() {
    let body = json!({"data": {"gid": "3", "resource_type": "user", "name": "Bot", "email": "bot@example.com",
        "workspaces": [{"gid": "1", "name": "Firm"}]}});
    let (server, asana) = answering(ok(&body)).await;
    let me = asana.me().await.unwrap();
    assert_eq!((me.gid.as_str(), me.name.as_str()), ("3", "Bot"));
    assert_eq!(me.workspaces[0].name, "Firm");
    assert_eq!(requests(&server).await, ["GET /api/1.0/users/me?opt_fields=name,email,workspaces.name"]);
    let sent = server.received_requests().await.unwrap();
    assert!(sent[0].headers["authorization"].to_str().unwrap().starts_with("Bearer token-"));
    assert_eq!(sent[0].headers["accept"], "application/json");
}

#[tokio::test]
async fn workspaces_are_listed_by_the_hundred() {
    let body = json!({"data": [{"gid": "1", "name": "Firm", "is_organization": true}], "next_page": null});
    let (server, asana) = answering(ok(&body)).await;
    let workspaces = asana.workspaces().await.unwrap();
    assert_eq!(workspaces[0].is_organization, Some(true));
    assert_eq!(
        requests(&server).await,
        ["GET /api/1.0/workspaces?opt_fields=name,is_organization&limit=100"]
    );
}

#[tokio::test]
async fn a_project_tells_its_workspace_and_whether_it_is_archived() {
    let body = json!({"data": {"gid": "77", "name": "AP", "archived": true, "workspace": {"gid": "1"},
        "permalink_url": "https://app.asana.com/0/77", "colour_of_the_future": 5}});
    let (server, asana) = answering(ok(&body)).await;
    let project = asana.project("77").await.unwrap();
    assert!(project.archived);
    assert_eq!(project.workspace.as_deref(), Some("1"));
    assert_eq!(
        requests(&server).await,
        ["GET /api/1.0/projects/77?opt_fields=name,archived,workspace,permalink_url"]
    );
}

#[tokio::test]
async fn custom_field_settings_ask_for_the_whole_definition() {
    let body = json!({"data": [
        {"gid": "s1", "custom_field": {"gid": "102", "name": "Amount", "resource_subtype": "number",
            "representation_type": "number", "precision": 2, "format": "currency", "currency_code": "EUR"}},
        {"gid": "s2", "custom_field": {"gid": "103", "name": "Status", "resource_subtype": "enum",
            "enum_options": [{"gid": "9", "name": "Paid", "enabled": true},
                             {"gid": "8", "name": "Old", "enabled": false}]}},
        {"gid": "s3", "custom_field": {"gid": "104", "name": "Sum", "resource_subtype": "number",
            "representation_type": "formula", "is_formula_field": true, "is_value_read_only": true}},
    ], "next_page": null});
    let (server, asana) = answering(ok(&body)).await;
    let fields = asana.custom_field_settings("77").await.unwrap();
    assert_eq!((fields[0].precision, fields[0].currency_code.as_deref()), (Some(2), Some("EUR")));
    assert!(!fields[1].enum_options[1].enabled);
    let writable: Vec<bool> = fields.iter().map(asana::CustomField::is_writable).collect();
    assert_eq!(writable, [true, true, false]);
    assert_eq!(
        requests(&server).await,
        ["GET /api/1.0/projects/77/custom_field_settings?opt_fields=custom_field.name,\
          custom_field.resource_subtype,custom_field.representation_type,custom_field.precision,\
          custom_field.format,custom_field.currency_code,custom_field.enum_options.name,\
          custom_field.enum_options.enabled,custom_field.is_value_read_only,custom_field.is_formula_field,\
          custom_field.is_global_to_workspace&limit=100"]
    );
}

#[tokio::test]
async fn a_task_is_read_with_every_kind_of_value() {
    let (server, asana) = answering(ok(&json!({"data": task("5")}))).await;
    let read = asana.task("5").await.unwrap();
    assert!(read.field("101").unwrap().has("PO-1"));
    assert_eq!((read.projects[0].as_str(), read.sections[0].as_str()), ("77", "88"));
    assert_eq!(requests(&server).await, [format!("GET /api/1.0/tasks/5?opt_fields={TASK_FIELDS}")]);
}

#[tokio::test]
async fn a_gid_is_one_encoded_segment_and_a_bad_one_is_never_sent() {
    let (server, asana) = answering(ok(&json!({"data": task("5")}))).await;
    asana.task("external:o\u{308}1").await.unwrap();
    for bad in ["", "..", "1/../2", "1?x=y", "a b"] {
        assert!(matches!(asana.task(bad).await, Err(Error::InvalidArgument(_))), "{bad:?}");
    }
    let sent = requests(&server).await;
    assert_eq!(sent, [format!("GET /api/1.0/tasks/external:o%CC%881?opt_fields={TASK_FIELDS}")]);
    assert_eq!(asana.requests(), 1);
}

#[tokio::test]
async fn a_page_of_tasks_tells_where_the_next_one_begins() {
    let body = json!({"data": [task("5"), task("6")],
        "next_page": {"offset": "tok+/=", "path": "/x", "uri": "https://elsewhere.example/x"}});
    let (server, asana) = answering(ok(&body)).await;
    let since = "2026-06-30T10:00:00Z".parse().unwrap();
    let first = asana.tasks_page("77", Some(since), None).await.unwrap();
    assert_eq!(first.tasks.len(), 2);
    assert_eq!(first.next.as_deref(), Some("tok+/="));
    let next = asana.tasks_page("77", None, Some("earlier")).await.unwrap();
    assert_eq!(next.next, first.next);
    assert_eq!(
        requests(&server).await,
        [
            format!(
                "GET /api/1.0/tasks?project=77&opt_fields={TASK_FIELDS}&\
                 modified_since=2026-06-30T10:00:00Z&limit=100"
            ),
            format!("GET /api/1.0/tasks?project=77&opt_fields={TASK_FIELDS}&limit=100&offset=earlier"),
        ]
    );
}

#[tokio::test]
async fn a_page_that_leads_to_itself_is_an_error() {
    let (_server, asana) = answering(ok(&json!({"data": [], "next_page": {"offset": "same"}}))).await;
    assert!(matches!(asana.tasks_page("77", None, Some("same")).await, Err(Error::Malformed { .. })));
    assert!(matches!(asana.sections("77").await, Err(Error::Malformed { .. })));
    assert_eq!(asana.requests(), 3);
}

#[tokio::test]
async fn an_expired_page_of_tasks_is_told_to_the_caller() {
    let (_server, asana) = answering(expired()).await;
    let error = asana.tasks_page("77", None, Some("old")).await.unwrap_err();
    assert!(error.is_invalid_offset());
    assert!(!error.is_transient());
    assert_eq!(asana.requests(), 1);
}

async fn sections_in_pages(server: &MockServer) {
    let page = |gid: &str, next: Value| ok(&json!({"data": [{"gid": gid, "name": null}], "next_page": next}));
    Mock::given(query_param("offset", "b")).respond_with(page("2", Value::Null)).mount(server).await;
    Mock::given(query_param_is_missing("offset"))
        .respond_with(page("1", json!({"offset": "b"})))
        .mount(server)
        .await;
}

#[tokio::test]
async fn a_listing_is_read_to_its_end() {
    let server = MockServer::start().await;
    sections_in_pages(&server).await;
    let asana = client(&server);
    let gids: Vec<String> = asana.sections("77").await.unwrap().into_iter().map(|s| s.gid).collect();
    assert_eq!(gids, ["1", "2"]);
    assert_eq!(
        requests(&server).await,
        [
            "GET /api/1.0/projects/77/sections?opt_fields=name&limit=100",
            "GET /api/1.0/projects/77/sections?opt_fields=name&limit=100&offset=b",
        ]
    );
}

#[tokio::test]
async fn a_listing_whose_page_expired_starts_again_and_has_each_row_once() {
    let server = MockServer::start().await;
    let first = query_param("offset", "b");
    Mock::given(first).respond_with(expired()).up_to_n_times(1).with_priority(1).mount(&server).await;
    sections_in_pages(&server).await;
    let asana = client(&server);
    let gids: Vec<String> = asana.sections("77").await.unwrap().into_iter().map(|s| s.gid).collect();
    assert_eq!(gids, ["1", "2"]);
    assert_eq!(asana.requests(), 4);
}

#[tokio::test]
async fn a_listing_starts_again_only_once() {
    let server = MockServer::start().await;
    Mock::given(query_param("offset", "b")).respond_with(expired()).mount(&server).await;
    let body = json!({"data": [{"gid": "1", "name": "AP"}], "next_page": {"offset": "b"}});
    Mock::given(any()).respond_with(ok(&body)).with_priority(9).mount(&server).await;
    let asana = client(&server);
    assert!(asana.projects("1").await.unwrap_err().is_invalid_offset());
    assert_eq!(asana.requests(), 4);
    assert_eq!(
        requests(&server).await[0],
        "GET /api/1.0/workspaces/1/projects?opt_fields=name,archived,workspace,permalink_url&limit=100"
    );
}
