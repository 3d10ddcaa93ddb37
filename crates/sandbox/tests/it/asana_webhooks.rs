//! Registering webhooks: the handshake, who may, how many, and what is shown of them.

use serde_json::{Value, json};

use super::receiver::{Handshake, Receiver};
use super::{World, gid, keys, oauth_token};
use sandbox::asana::{Edit, HandshakeBody, LocalTargets, Purpose};

const NO_HANDSHAKE: &str = "The remote server did not respond with the handshake secret.";

fn body(w: &World, target: &str) -> Value {
    json!({ "resource": w.project, "target": target })
}

#[tokio::test]
async fn a_registration_is_answered_after_its_handshake_and_tells_the_secret_once() {
    let w = World::new();
    let receiver = Receiver::start().await;
    let answer = w.send("POST", "/webhooks", Some(json!({ "data": body(&w, &receiver.url()) }))).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let came = receiver.all();
    assert_eq!(came.len(), 1);
    let secret = answer.body["X-Hook-Secret"].as_str().unwrap();
    assert_eq!(came[0].header("x-hook-secret"), Some(secret));
    assert!(secret.len() == 64 && secret.bytes().all(|b| b.is_ascii_hexdigit()));
    assert_eq!((came[0].target.as_str(), came[0].body.as_str()), ("/hooks/one?app=ml", r#"{"events":[]}"#));
    let data = &answer.body["data"];
    assert_eq!(
        keys(data),
        [
            "active",
            "created_at",
            "delivery_retry_count",
            "failure_deletion_timestamp",
            "filters",
            "gid",
            "last_failure_at",
            "last_failure_content",
            "last_success_at",
            "next_attempt_after",
            "resource",
            "resource_type",
            "target"
        ]
    );
    let expected = json!({
        "gid": data["gid"], "resource_type": "webhook", "active": true,
        "resource": { "gid": w.project, "resource_type": "project", "name": "Payables" },
        "target": receiver.url(), "created_at": super::START, "last_success_at": super::START,
        "last_failure_at": null, "last_failure_content": "", "delivery_retry_count": 0,
        "next_attempt_after": null, "failure_deletion_timestamp": null, "filters": []
    });
    assert_eq!(*data, expected);
    let again = w.get(&format!("/webhooks/{}", gid(data))).await;
    assert_eq!(again, json!({ "data": expected }), "without the secret");
}

#[tokio::test]
async fn a_registration_whose_handshake_fails_is_refused_and_leaves_nothing() {
    let w = World::configured(|c| c.webhooks.deadline_ms = 100);
    let receiver = Receiver::start().await;
    for answer in [
        Handshake::Other("0000"),
        Handshake::Bare,
        Handshake::Echo(201),
        Handshake::Echo(302),
        Handshake::Echo(500),
        Handshake::Silence,
    ] {
        receiver.handshakes_with(answer.clone());
        let refused = w.refused(400, "POST", "/webhooks", body(&w, &receiver.url())).await;
        assert_eq!(refused, NO_HANDSHAKE, "{answer:?}");
    }
    w.refused(400, "POST", "/webhooks", body(&w, &Receiver::nowhere().await)).await;
    assert_eq!(w.data(&format!("/webhooks?workspace={}", w.workspace)).await, json!([]));
    let attempts = w.asana.delivery_attempts();
    assert!(attempts.iter().all(|a| a.purpose == Purpose::Handshake && a.webhook.is_none()));
    let statuses: Vec<Option<u16>> = attempts.iter().map(|a| a.status).collect();
    assert_eq!(statuses, [Some(200), Some(200), Some(201), Some(302), Some(500), None, None]);
    receiver.handshakes_with(Handshake::Echo(204));
    w.register(&w.project, &receiver.url(), json!([])).await;
    w.asana.change_webhooks(|c| c.handshake_failed_status = 403);
    receiver.handshakes_with(Handshake::Bare);
    w.refused(403, "POST", "/webhooks", body(&w, &receiver.at("other"))).await;
}

#[tokio::test]
async fn the_handshake_may_come_without_a_body() {
    let w = World::configured(|c| c.webhooks.handshake_body = HandshakeBody::Empty);
    let receiver = Receiver::start().await;
    w.register(&w.project, &receiver.url(), json!([])).await;
    assert_eq!(receiver.all()[0].body, "");
}

#[tokio::test]
async fn a_signed_heartbeat_may_follow_the_handshake_at_once() {
    let w = World::configured(|c| c.webhooks.heartbeat_after_handshake = true);
    let receiver = Receiver::start().await;
    w.register(&w.project, &receiver.url(), json!([])).await;
    w.asana.deliveries_settled().await;
    let signed = receiver.deliveries();
    assert_eq!((signed.len(), signed[0].body.as_str()), (1, r#"{"events":[]}"#));
    w.advance(8 * 3600);
    w.asana.deliveries_settled().await;
    assert_eq!(receiver.deliveries().len(), 2);
}

#[tokio::test]
async fn a_second_webhook_for_the_same_resource_and_target_is_refused() {
    let w = World::configured(|c| c.tokens.push(oauth_token()));
    let receiver = Receiver::start().await;
    let first = w.register(&w.project, &receiver.url(), json!([])).await;
    let refused = w.refused(403, "POST", "/webhooks", body(&w, &receiver.url())).await;
    assert_eq!(
        refused,
        "Duplicated webhook. You already have an existing webhook for the given resource and target. \
         Delete the old one before creating another."
    );
    assert_eq!(receiver.all().len(), 1, "it is refused before a handshake");
    w.register(&w.project, &receiver.at("two"), json!([])).await;
    let task = w.task("x").await;
    w.register(&task, &receiver.url(), json!([])).await;
    w.as_token("oauth-token").register(&w.project, &receiver.url(), json!([])).await;
    assert_eq!(w.send("DELETE", &first.path(), None).await.status, 200);
    w.register(&w.project, &receiver.url(), json!([])).await;
}

#[tokio::test]
async fn of_two_equal_registrations_at_once_one_is_made() {
    let w = World::new();
    let receiver = Receiver::start().await;
    let send = || w.send("POST", "/webhooks", Some(json!({ "data": body(&w, &receiver.url()) })));
    let (one, other) = tokio::join!(send(), send());
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 403]);
    assert_eq!(w.asana.webhooks().len(), 1);
}

#[tokio::test]
async fn a_target_on_this_machine_is_refused_only_where_that_is_switched_on() {
    let w = World::new();
    let receiver = Receiver::start().await;
    w.register(&w.project, &receiver.url(), json!([])).await;
    w.asana.change_webhooks(|c| c.local_targets = LocalTargets::Refuse);
    for target in [receiver.at("two"), "http://localhost:9/x".to_owned(), "http://10.0.0.1/x".to_owned()] {
        let refused = w.refused(403, "POST", "/webhooks", body(&w, &target)).await;
        assert!(refused.starts_with("target: Invalid hostname"), "{refused}");
    }
}

#[tokio::test]
async fn what_is_missing_unknown_or_hidden_is_refused_before_any_handshake() {
    let w = World::new();
    let receiver = Receiver::start().await;
    let target = receiver.url();
    let refuse = async |status, data: Value| w.refused(status, "POST", "/webhooks", data).await;
    assert_eq!(refuse(400, json!({ "target": target })).await, "resource: Missing input");
    assert_eq!(refuse(400, json!({ "resource": w.project })).await, "target: Missing input");
    assert_eq!(
        refuse(400, json!({ "resource": "99", "target": target })).await,
        "resource: Unknown object: 99"
    );
    assert_eq!(
        refuse(400, json!({ "resource": w.project, "target": "hooks/one" })).await,
        "target: Not a valid URL: hooks/one"
    );
    refuse(400, json!({ "resource": w.project, "target": target, "filters": "task" })).await;
    refuse(400, json!({ "resource": w.project, "target": target, "filters": [{ "action": "done" }] })).await;
    w.edit(Edit::HideProject { project: w.project.clone(), hidden: true });
    assert_eq!(refuse(403, body(&w, &target)).await, "You do not have access to this project.");
    assert_eq!(receiver.all().len(), 0);
    let stray = w.send("POST", "/webhooks", Some(json!({ "resource": "1", "target": "x" }))).await;
    assert!(stray.status == 400 && stray.message().starts_with("Unrecognized request field"));
}

#[tokio::test]
async fn a_workspace_needs_filters_and_allows_only_those_for_projects_and_memberships() {
    let w = World::new();
    let receiver = Receiver::start().await;
    let with =
        |filters: Value| json!({ "resource": w.workspace, "target": receiver.url(), "filters": filters });
    let task = json!({ "resource_type": "task", "action": "changed" });
    let project = json!({ "resource_type": "project", "action": "added" });
    for filters in [
        json!([]),
        json!([task]),
        json!([project, task]),
        json!([{ "resource_type": "project", "action": "changed", "fields": ["name"] }]),
        json!([{ "resource_type": "team_membership", "action": "deleted" }]),
    ] {
        let answer = w.send("POST", "/webhooks", Some(json!({ "data": with(filters.clone()) }))).await;
        assert_eq!(answer.status, 400, "{filters}");
        let error = &answer.body["errors"][0];
        assert_eq!(error["error"], "invalid_filters_for_larger_scoped_webhooks");
        assert_eq!(
            error["message"],
            "Webhooks for larger scoped resources must have at least one filter and all filters must be in our whitelist."
        );
        assert_eq!((&error["user_message"], error["help"].is_string()), (&error["message"], true));
    }
    let memberships = json!({ "resource_type": "workspace_membership", "action": "added" });
    let hook = w.register(&w.workspace, &receiver.url(), json!([project, memberships])).await;
    let answer = w.send("PUT", &hook.path(), Some(json!({ "data": { "filters": [] } }))).await;
    assert_eq!(answer.status, 400);
    assert_eq!(w.data(&hook.path()).await["filters"], json!([project, memberships]), "it stays as it was");
}

#[tokio::test]
async fn webhooks_and_event_streams_of_a_resource_count_together() {
    let w = World::configured(|c| {
        c.webhooks.per_resource = 2;
        c.tokens.push(oauth_token());
    });
    let receiver = Receiver::start().await;
    let stream = format!("/events?resource={}", w.project);
    w.refused_get(412, &stream).await;
    w.refused_get(412, &stream).await;
    w.as_token("oauth-token").register(&w.project, &receiver.url(), json!([])).await;
    w.refused(403, "POST", "/webhooks", body(&w, &receiver.url())).await;
    w.as_token("oauth-token").refused_get(403, &stream).await;
    let task = w.task("x").await;
    w.register(&task, &receiver.url(), json!([])).await;
    w.advance(24 * 3600);
    w.register(&w.project, &receiver.url(), json!([])).await;
    w.refused_get(403, &stream).await;
}

#[tokio::test]
async fn a_user_has_only_so_many_webhooks_of_one_app() {
    let w = World::configured(|c| {
        c.webhooks.per_user = 1;
        c.webhooks.limit_status = 400;
        c.tokens.push(oauth_token());
    });
    let receiver = Receiver::start().await;
    let hook = w.register(&w.project, &receiver.url(), json!([])).await;
    w.refused(400, "POST", "/webhooks", body(&w, &receiver.at("two"))).await;
    w.as_token("oauth-token").register(&w.project, &receiver.at("two"), json!([])).await;
    w.send("DELETE", &hook.path(), None).await;
    w.register(&w.project, &receiver.at("two"), json!([])).await;
}

#[tokio::test]
async fn the_list_shows_the_webhooks_of_this_tokens_user_in_one_workspace() {
    let w = World::configured(|c| c.tokens.push(oauth_token()));
    let receiver = Receiver::start().await;
    let one = w.register(&w.project, &receiver.at("1"), json!([{ "resource_type": "task" }])).await;
    let two = w.register(&w.project, &receiver.at("2"), json!([])).await;
    let task = w.task("x").await;
    let three = w.register(&task, &receiver.at("3"), json!([])).await;
    let other = w.as_token("oauth-token").register(&w.project, &receiver.at("4"), json!([])).await;
    assert_eq!(w.refused_get(400, "/webhooks").await, "workspace: Missing input");
    let path = format!("/webhooks?workspace={}", w.workspace);
    let listed = |rows: &Value| rows.as_array().unwrap().iter().map(gid).collect::<Vec<_>>();
    let rows = w.data(&path).await;
    assert_eq!(listed(&rows), [one.gid.clone(), two.gid.clone(), three.gid.clone()]);
    assert_eq!(keys(&rows[0]), ["active", "gid", "resource", "resource_type", "target"], "compact");
    assert_eq!(listed(&w.data(&format!("{path}&resource={task}")).await), [&*three.gid]);
    let page = w.get(&format!("{path}&limit=2")).await;
    assert_eq!(listed(&page["data"]), [one.gid.clone(), two.gid.clone()]);
    let offset = page["next_page"]["offset"].as_str().unwrap();
    assert_eq!(listed(&w.data(&format!("{path}&limit=2&offset={offset}")).await), [&*three.gid]);
    let chosen = w.data(&format!("{path}&opt_fields=filters.resource_type,resource.name")).await;
    assert_eq!(
        chosen[0],
        json!({ "gid": one.gid, "resource": { "gid": w.project, "name": "Payables" }, "filters": [{ "resource_type": "task" }] })
    );
    let elsewhere = w.asana.seed_workspace("Elsewhere");
    assert_eq!(w.data(&format!("/webhooks?workspace={elsewhere}")).await, json!([]));
    assert_eq!(listed(&w.as_token("oauth-token").data(&path).await), [&*other.gid]);
    assert_eq!(w.asana.webhooks().len(), 4, "who looks from outside sees all");
    assert_eq!(w.refused_get(403, &other.path()).await, "You do not have access to this webhook.");
}

#[tokio::test]
async fn only_the_filters_can_be_changed() {
    let w = World::new();
    let (receiver, hook) = w.listen(json!([{ "resource_type": "task" }])).await;
    let filters = json!([{ "resource_type": "task", "action": "changed", "fields": ["completed", "name"] }]);
    assert_eq!(w.put(&hook.path(), json!({ "filters": filters })).await["filters"], filters);
    assert_eq!(w.put(&hook.path(), json!({})).await["filters"], filters);
    for member in ["target", "resource"] {
        let refused = w.refused(400, "PUT", &hook.path(), json!({ member: receiver.at("two") })).await;
        assert_eq!(refused, format!("{member}: Cannot write this property"));
    }
    assert_eq!(w.put(&hook.path(), json!({ "filters": [] })).await["filters"], json!([]));
}

#[tokio::test]
async fn a_deleted_webhook_is_gone_and_a_wrong_method_finds_nothing() {
    let w = World::new();
    let (_receiver, hook) = w.listen(json!([])).await;
    for (method, path) in [
        ("PATCH", hook.path()),
        ("POST", hook.path()),
        ("PUT", "/webhooks".to_owned()),
        ("DELETE", "/webhooks".to_owned()),
        ("POST", "/events".to_owned()),
    ] {
        let answer = w.send(method, &path, None).await;
        assert_eq!(
            (answer.status, answer.message()),
            (404, "No matching route for request"),
            "{method} {path}"
        );
    }
    assert_eq!(w.send("DELETE", &hook.path(), None).await.body, json!({ "data": {} }));
    let gone = w.refused_get(404, &hook.path()).await;
    assert_eq!(gone, format!("webhook: Unknown object: {}", hook.gid));
    assert_eq!(w.send("DELETE", &hook.path(), None).await.status, 404);
}

#[tokio::test]
async fn a_registration_may_be_answered_as_inactive_and_with_more_than_is_documented() {
    let w = World::configured(|c| {
        c.webhooks.active_in_answer = false;
        c.webhooks.undocumented_members = true;
    });
    let receiver = Receiver::start().await;
    let text = json!({ "data": body(&w, &receiver.url()) }).to_string();
    let answer = w.send_text("POST", "/webhooks?opt_fields=active,is_workspace_webhook", Some(text)).await;
    let data = &answer.body["data"];
    assert_eq!((&data["active"], &data["is_workspace_webhook"]), (&json!(false), &json!(false)));
    assert_eq!(keys(data), ["active", "gid", "is_workspace_webhook"]);
    let later = w.data(&format!("/webhooks/{}?opt_fields=active", gid(data))).await;
    assert_eq!(later["active"], true);
}

#[tokio::test]
async fn webhooks_can_be_registered_in_a_batch() {
    let w = World::new();
    let receiver = Receiver::start().await;
    let action =
        |target: String| json!({ "method": "post", "relative_path": "/webhooks", "data": body(&w, &target) });
    let actions = json!([action(receiver.at("1")), action("nowhere".to_owned()), action(receiver.at("2"))]);
    let results = w.post("/batch", json!({ "actions": actions })).await;
    let statuses: Vec<&Value> = results.as_array().unwrap().iter().map(|r| &r["status_code"]).collect();
    assert_eq!(statuses, [201, 400, 201]);
    let secret = results[0]["body"]["X-Hook-Secret"].as_str().unwrap();
    let came: Vec<String> =
        receiver.all().iter().filter_map(|got| got.header("x-hook-secret").map(str::to_owned)).collect();
    assert!(came.len() == 2 && came.iter().any(|s| s == secret));
}

#[tokio::test]
async fn an_open_registration_counts_as_a_write_in_flight_and_blocks_no_reads() {
    let w = World::configured(|c| c.writes_at_once = 1);
    let receiver = Receiver::start().await;
    receiver.handshakes_with(Handshake::Silence);
    let open = async {
        w.send_text("POST", "/webhooks", Some(json!({ "data": body(&w, &receiver.url()) }).to_string())).await
    };
    let meanwhile = async {
        receiver.reached(1).await;
        let refused =
            w.send("POST", "/tasks", Some(json!({ "data": { "name": "x", "workspace": w.workspace } })));
        assert_eq!(refused.await.status, 429);
        w.get("/users/me").await;
    };
    tokio::select! {
        answer = open => panic!("answered without its handshake: {}", answer.text),
        () = meanwhile => {}
    }
    w.task("there is room again").await;
}
