//! Making, listing, changing and deleting webhooks; the projects they are made for.

use std::sync::Arc;

use asana::{Asana, BudgetSettings, Config, Error, WebhookFilter};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use wiremock::matchers::{any, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{answering, client, config, ok, read_request, requests};

const FIELDS: &str = "active,resource.name,target,created_at,last_success_at,last_failure_at,\
last_failure_content,delivery_retry_count,next_attempt_after,failure_deletion_timestamp,filters";
const TARGET: &str = "https://erp.example/hooks/asana/very-secret-token";
const SECRET: &str = "b537207f20cbfa02357cf448134da559e8bd39d61597dcd5631b8012eae53e81";

fn webhook(gid: &str) -> Value {
    json!({
        "gid": gid, "resource_type": "webhook", "active": false,
        "resource": {"gid": "77", "resource_type": "project", "name": "AP"},
        "target": TARGET,
        "created_at": "2026-06-01T08:00:00.000Z",
        "last_success_at": "2026-06-02T08:00:00.000Z",
        "last_failure_at": null, "last_failure_content": "",
        "delivery_retry_count": 0, "next_attempt_after": null, "failure_deletion_timestamp": null,
        "is_workspace_webhook": false,
        "filters": [{"resource_type": "task", "resource_subtype": null, "action": "changed", "fields": ["completed"]},
                    {"resource_type": "task", "action": "added", "fields": null}],
    })
}

fn filters() -> Vec<WebhookFilter> {
    let filter = |action: &str| WebhookFilter {
        resource_type: Some("task".into()),
        action: Some(action.into()),
        ..WebhookFilter::default()
    };
    vec![WebhookFilter { fields: vec!["completed".into()], ..filter("changed") }, filter("added")]
}

fn created(body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(201).set_body_json(body)
}

#[tokio::test]
async fn a_made_webhook_comes_with_the_secret_beside_it() {
    let (server, asana) = answering(created(&json!({"data": webhook("5"), "X-Hook-Secret": SECRET}))).await;
    let made = asana.create_webhook("77", TARGET, &filters()).await.unwrap();
    assert_eq!(made.secret.as_ref().unwrap().expose_secret(), SECRET);
    assert_eq!((made.webhook.gid.as_str(), made.webhook.active), ("5", Some(false)));
    assert_eq!(made.webhook.target, TARGET);
    assert_eq!(requests(&server).await, [format!("POST /api/1.0/webhooks?opt_fields={FIELDS}")]);
    let sent: Value = serde_json::from_slice(&server.received_requests().await.unwrap()[0].body).unwrap();
    assert_eq!(
        sent,
        json!({"data": {"resource": "77", "target": TARGET, "filters": [
            {"resource_type": "task", "action": "changed", "fields": ["completed"]},
            {"resource_type": "task", "action": "added"},
        ]}})
    );
}

#[tokio::test]
async fn neither_secret_nor_target_is_shown() {
    let (_server, asana) = answering(created(&json!({"data": webhook("5"), "X-Hook-Secret": SECRET}))).await;
    let made = asana.create_webhook("77", TARGET, &[]).await.unwrap();
    let shown = format!("{made:?}");
    assert!(!shown.contains(SECRET) && !shown.contains("very-secret-token"), "{shown}");
    // nor when the answer cannot be read
    let broken = json!({"data": {"gid": 5}, "X-Hook-Secret": SECRET});
    let (_server, asana) = answering(created(&broken)).await;
    let error = asana.create_webhook("77", TARGET, &[]).await.unwrap_err();
    assert!(error.may_have_happened());
    assert!(!format!("{error} {error:?}").contains(SECRET), "{error:?}");
}

#[tokio::test]
async fn a_webhook_without_a_usable_secret_is_told_nevertheless() {
    for odd in [json!(null), json!(""), json!(5), json!({"a": 1})] {
        let body = json!({"data": {"gid": "5"}, "X-Hook-Secret": odd});
        let (_server, asana) = answering(created(&body)).await;
        let made = asana.create_webhook("77", TARGET, &[]).await.unwrap();
        assert!(made.secret.is_none(), "{odd}");
        assert_eq!(made.webhook.gid, "5");
        assert_eq!(made.webhook.active, None);
    }
}

#[tokio::test]
async fn a_duplicate_is_told_apart_from_other_refusals() {
    for (message, duplicate) in [
        (
            "Duplicated webhook. You already have an existing webhook for the given resource and target. \
             Delete the old one before creating another.",
            true,
        ),
        ("The target is not allowed", false),
    ] {
        let body = json!({"errors": [{"message": message}]});
        let (_server, asana) = answering(ResponseTemplate::new(403).set_body_json(body)).await;
        let error = asana.create_webhook("77", TARGET, &[]).await.unwrap_err();
        assert!(matches!(error, Error::Forbidden(_)));
        assert_eq!(error.is_duplicate_webhook(), duplicate, "{message}");
    }
}

#[tokio::test]
async fn all_pages_of_webhooks_are_read() {
    let server = MockServer::start().await;
    let page = |gid: &str, next: Value| ok(&json!({"data": [webhook(gid)], "next_page": next}));
    Mock::given(query_param_is_missing("offset"))
        .respond_with(page("5", json!({"offset": "more"})))
        .mount(&server)
        .await;
    Mock::given(query_param("offset", "more")).respond_with(page("6", Value::Null)).mount(&server).await;
    let webhooks = client(&server).webhooks("1").await.unwrap();
    let gids: Vec<&str> = webhooks.iter().map(|webhook| webhook.gid.as_str()).collect();
    assert_eq!(gids, ["5", "6"]);
    assert_eq!(webhooks[0].resource.as_ref().unwrap().gid, "77");
    assert!(webhooks[0].last_success_at.is_some() && webhooks[0].last_failure_at.is_none());
    assert_eq!(webhooks[0].filters, filters());
    assert_eq!(
        requests(&server).await,
        [
            format!("GET /api/1.0/webhooks?workspace=1&opt_fields={FIELDS}&limit=100"),
            format!("GET /api/1.0/webhooks?workspace=1&opt_fields={FIELDS}&limit=100&offset=more"),
        ]
    );
}

#[tokio::test]
async fn one_webhook_is_read_changed_and_deleted() {
    let (server, asana) = answering(ok(&json!({"data": webhook("5")}))).await;
    assert_eq!(asana.webhook("5").await.unwrap().gid, "5");
    assert_eq!(asana.update_webhook_filters("5", &filters()[1..]).await.unwrap().gid, "5");
    asana.delete_webhook("5").await.unwrap();
    for bad in ["", "5/6", ".."] {
        assert!(matches!(asana.delete_webhook(bad).await, Err(Error::InvalidArgument(_))), "{bad}");
    }
    assert_eq!(
        requests(&server).await,
        [
            format!("GET /api/1.0/webhooks/5?opt_fields={FIELDS}"),
            format!("PUT /api/1.0/webhooks/5?opt_fields={FIELDS}"),
            "DELETE /api/1.0/webhooks/5?".to_owned(),
        ]
    );
    let sent = &server.received_requests().await.unwrap();
    let body: Value = serde_json::from_slice(&sent[1].body).unwrap();
    assert_eq!(body, json!({"data": {"filters": [{"resource_type": "task", "action": "added"}]}}));
    assert_eq!((sent[2].url.query(), sent[2].body.as_slice()), (None, b"".as_slice()));
}

#[tokio::test]
async fn a_webhook_that_is_gone_cannot_be_deleted_again() {
    let body = json!({"errors": [{"message": "webhook: Unknown object: 5"}]});
    let (_server, asana) = answering(ResponseTemplate::new(404).set_body_json(body)).await;
    assert!(matches!(asana.delete_webhook("5").await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn the_projects_of_a_workspace_leave_out_archived_ones() {
    let body = json!({"data": [{"gid": "77", "name": "AP", "archived": false}], "next_page": null});
    let (server, asana) = answering(ok(&body)).await;
    assert_eq!(asana.workspace_projects("1").await.unwrap()[0].gid, "77");
    assert_eq!(
        requests(&server).await,
        ["GET /api/1.0/projects?workspace=1&archived=false&\
          opt_fields=name,archived,workspace,permalink_url&limit=100"]
    );
}

/// Answers the request for a webhook only after the target has answered its handshake, as Asana does.
async fn handshaking(target: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        assert!(read_request(&mut stream).await);
        let mut to_target = TcpStream::connect(&target).await.unwrap();
        to_target.write_all(b"POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        let mut answer = [0u8; 64];
        assert!(to_target.read(&mut answer).await.unwrap() > 0);
        let body = json!({"data": webhook("5"), "X-Hook-Secret": SECRET}).to_string();
        let head = format!("HTTP/1.1 201 Created\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all((head + &body).as_bytes()).await.unwrap();
    });
    base
}

#[tokio::test]
async fn the_handshake_can_be_answered_while_the_only_place_for_writes_is_held() {
    let target = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = handshaking(target.local_addr().unwrap().to_string()).await;
    let budget = BudgetSettings { writes_at_once: 1, reads_at_once: 1, ..config(&base).budget };
    let asana = Asana::new(Config { budget, ..config(&base) }).unwrap();
    // whoever answers the handshake may read from Asana meanwhile
    let reading = MockServer::start().await;
    Mock::given(any()).respond_with(ok(&json!({"data": {"gid": "3"}}))).mount(&reading).await;
    let other = Arc::new(client(&reading));
    let answer = tokio::spawn(async move {
        let (mut stream, _) = target.accept().await.unwrap();
        assert!(read_request(&mut stream).await);
        other.me().await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    });
    asana.create_webhook("77", TARGET, &[]).await.unwrap();
    answer.await.unwrap();
}
