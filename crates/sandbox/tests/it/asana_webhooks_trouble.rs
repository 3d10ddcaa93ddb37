//! Deliveries that are late, doubled, reordered, lost or held back, and webhooks that vanish.

use serde_json::{Value, json};

use super::receiver::{Delivery, Receiver, shorts};
use super::{TOKEN, World, oauth_token};
use sandbox::asana::{Edit, RevokedToken, Sending};
use sandbox::{Sandbox, SandboxConfig};

/// A task that is renamed as often as told, and the new names' count told.
async fn renamed(w: &World, task: &str, times: std::ops::Range<usize>) {
    for n in times {
        w.advance(1);
        w.edit(Edit::RenameTask { task: task.to_owned(), name: format!("name {n}") });
    }
}

fn times(events: &[Value]) -> Vec<String> {
    events.iter().map(|e| e["created_at"].as_str().unwrap()[17..19].to_owned()).collect()
}

/// A webhook that hears of task names alone, and a task.
async fn named(w: &World) -> (Receiver, String) {
    let names = json!([{ "resource_type": "task", "action": "changed", "fields": ["name"] }]);
    let (receiver, _hook) = w.listen(names).await;
    (receiver, w.task("x").await)
}

#[tokio::test]
async fn what_is_held_back_comes_in_one_delivery_when_it_is_released() {
    let w = World::new();
    let (receiver, task) = named(&w).await;
    w.asana.change_webhooks(|c| c.sending = Sending::Hold);
    renamed(&w, &task, 0..3).await;
    w.asana.deliveries_settled().await;
    assert_eq!((receiver.deliveries().len(), w.asana.webhooks()[0].pending), (0, 3));
    w.asana.change_webhooks(|c| c.sending = Sending::Send);
    w.asana.deliveries_settled().await;
    assert_eq!(receiver.deliveries().len(), 1);
    assert_eq!(times(&receiver.events()), ["01", "02", "03"]);
}

#[tokio::test]
async fn events_can_come_one_by_one_and_the_newest_first() {
    let w = World::new();
    let (receiver, task) = named(&w).await;
    w.asana.change_webhooks(|c| {
        c.sending = Sending::Hold;
        c.events_per_delivery = 1;
        c.reordered = true;
    });
    renamed(&w, &task, 0..3).await;
    w.asana.change_webhooks(|c| c.sending = Sending::Send);
    w.asana.deliveries_settled().await;
    assert_eq!(receiver.deliveries().len(), 3);
    assert_eq!(times(&receiver.events()), ["03", "02", "01"]);
}

#[tokio::test]
async fn a_doubled_delivery_is_the_same_to_the_last_byte() {
    let w = World::configured(|c| c.webhooks.copies = 2);
    let (receiver, task) = named(&w).await;
    renamed(&w, &task, 0..1).await;
    w.asana.deliveries_settled().await;
    let came = receiver.deliveries();
    assert_eq!(came.len(), 2);
    assert_eq!(came[0].body, came[1].body);
    assert_eq!(came[0].header("x-hook-signature"), came[1].header("x-hook-signature"));
    w.advance(8 * 3600);
    w.asana.deliveries_settled().await;
    assert_eq!(receiver.deliveries().len(), 3, "a heartbeat is not doubled");
}

#[tokio::test]
async fn lost_events_never_come() {
    let w = World::new();
    let (receiver, task) = named(&w).await;
    w.asana.change_webhooks(|c| c.sending = Sending::Lose);
    renamed(&w, &task, 0..2).await;
    w.asana.change_webhooks(|c| c.sending = Sending::Send);
    renamed(&w, &task, 2..3).await;
    w.asana.deliveries_settled().await;
    assert_eq!(times(&receiver.events()), ["03"]);
    assert_eq!(w.asana.delivery_counts().lost, 2);
}

#[tokio::test]
async fn a_delayed_delivery_comes_when_the_virtual_clock_gets_there() {
    let w = World::configured(|c| c.webhooks.delay_ms = 600_000);
    let (receiver, task) = named(&w).await;
    renamed(&w, &task, 0..2).await;
    w.advance(598);
    w.asana.deliveries_settled().await;
    assert_eq!(receiver.deliveries().len(), 0);
    w.advance(1);
    w.asana.deliveries_settled().await;
    assert_eq!(times(&receiver.events()), ["01"]);
    w.advance(1);
    w.asana.deliveries_settled().await;
    assert_eq!(times(&receiver.events()), ["01", "02"]);
}

#[tokio::test]
async fn deliveries_of_one_webhook_can_be_under_way_at_once() {
    let w = World::configured(|c| {
        c.webhooks.at_once = 2;
        c.webhooks.events_per_delivery = 1;
    });
    let (receiver, task) = named(&w).await;
    receiver.answers(Delivery::Silence);
    renamed(&w, &task, 0..3).await;
    receiver.reached(2).await;
    let attempts = w.asana.delivery_attempts();
    assert_eq!((receiver.deliveries().len(), attempts.len()), (2, 1), "only the handshake has ended");
}

#[tokio::test]
async fn a_webhook_can_vanish_as_in_an_outage() {
    let w = World::new();
    let (receiver, hook) = w.listen(json!([])).await;
    w.edit(Edit::DeleteWebhook { webhook: hook.gid.clone() });
    w.task("x").await;
    w.asana.deliveries_settled().await;
    assert_eq!(receiver.all().len(), 0, "nobody is told");
    w.refused_get(404, &hook.path()).await;
    assert!(w.asana.apply(Edit::DeleteWebhook { webhook: hook.gid }).is_err());
}

#[tokio::test]
async fn an_inactive_webhook_hears_nothing() {
    let w = World::new();
    let (receiver, hook) = w.listen(json!([])).await;
    let activate = |active| w.edit(Edit::ActivateWebhook { webhook: hook.gid.clone(), active });
    activate(false);
    w.task("x").await;
    w.advance(8 * 3600);
    w.asana.deliveries_settled().await;
    assert_eq!((receiver.all().len(), &w.data(&hook.path()).await["active"]), (0, &json!(false)));
    activate(true);
    assert_eq!(shorts(&w.told(&receiver).await), [] as [String; 0], "but a heartbeat comes");
    w.task("y").await;
    assert_eq!(w.told(&receiver).await.len(), 2);
}

#[tokio::test]
async fn webhooks_of_a_revoked_token_fare_as_set() {
    for (setting, left) in [(RevokedToken::Keep, 2), (RevokedToken::Delete, 1)] {
        let w = World::configured(|c| {
            c.webhooks.revoked_token = setting;
            c.tokens.push(oauth_token());
        });
        let (receiver, _hook) = w.listen(json!([])).await;
        w.as_token("oauth-token").register(&w.project, &receiver.at("two"), json!([])).await;
        receiver.forget();
        w.edit(Edit::RevokeToken { token: TOKEN.to_owned() });
        assert_eq!(w.asana.webhooks().len(), left);
        w.as_token("oauth-token").task("x").await;
        w.asana.deliveries_settled().await;
        assert_eq!(receiver.deliveries().len(), left);
    }
}

#[tokio::test]
async fn webhooks_are_seen_and_switched_from_the_control_interface() {
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let http = reqwest::Client::new();
    let control = async |method: &str, path: &str, body: Value| {
        let url = format!("{}{path}", sandbox.control_url());
        let request = http.request(method.parse().unwrap(), url).body(body.to_string());
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str::<Value>(&text).unwrap_or(Value::Null))
    };
    let workspace = sandbox.asana().seed_workspace("Northwind");
    let project = sandbox.asana().seed_project(&workspace, "Payables").unwrap();
    let receiver = Receiver::start().await;
    let data = json!({ "data": { "resource": project, "target": receiver.url() } });
    let created = http.post(format!("{}/webhooks", sandbox.asana_url())).bearer_auth(TOKEN).json(&data);
    assert_eq!(created.send().await.unwrap().status(), 201);
    let (status, settings) = control("PATCH", "/asana/webhooks/settings", json!({ "copies": 3 })).await;
    assert_eq!((status, &settings["copies"], &settings["deadline_ms"]), (200, &json!(3), &json!(10_000)));
    assert_eq!(control("PATCH", "/asana/webhooks/settings", json!({ "copy": 3 })).await.0, 400);
    let edit = json!({ "edit": "create_task", "project": project, "name": "x" });
    assert_eq!(control("POST", "/asana/edits", edit).await.0, 204);
    assert_eq!(control("POST", "/asana/deliveries/settle", json!({})).await.1, json!({ "settled": true }));
    let (_, sent) = control("GET", "/asana/deliveries", json!({})).await;
    let purposes: Vec<&Value> = sent.as_array().unwrap().iter().map(|a| &a["purpose"]).collect();
    assert_eq!(purposes, ["handshake", "events", "events", "events"]);
    let (_, all) = control("GET", "/asana/webhooks", json!({})).await;
    assert_eq!(all["webhooks"][0]["resource"], json!(project));
    assert_eq!((&all["counts"]["delivered"], all.to_string().contains("secret")), (&json!(3), false));
    assert_eq!(control("DELETE", "/asana/deliveries", json!({})).await.0, 204);
    assert_eq!(control("GET", "/asana/deliveries", json!({})).await.1, json!([]));
    control("POST", "/clock/advance", json!({ "seconds": 8 * 3600 })).await;
    receiver.reached(5).await;
}
