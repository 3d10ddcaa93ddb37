//! How deliveries are made: body, signature, retries, heartbeats, deletion.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::receiver::{Delivery, Got, Receiver, shorts};
use super::{START, World};
use sandbox::asana::{Edit, Purpose};

fn signature(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect()
}

/// What came since the last time, after nothing is due any more.
async fn came(w: &World, receiver: &Receiver) -> Vec<Got> {
    w.asana.deliveries_settled().await;
    let came = receiver.deliveries();
    receiver.forget();
    came
}

#[tokio::test]
async fn a_delivery_is_json_signed_over_its_raw_body() {
    let w = World::new();
    let (receiver, hook) = w.listen(json!([])).await;
    let task = w.task("Größe & <Order>").await;
    w.edit(Edit::CompleteTask { task });
    let came = came(&w, &receiver).await;
    assert_eq!(came.iter().map(|got| got.events().len()).sum::<usize>(), 5);
    for got in &came {
        assert_eq!(got.target, "/hooks/one?app=ml");
        assert_eq!(got.header("content-type"), Some("application/json"));
        let signed = signature(&hook.secret, &got.body);
        assert_eq!(got.header("x-hook-signature"), Some(signed.as_str()));
        assert_eq!(got.header("x-asana-request-signature"), Some(signed.as_str()));
        assert_eq!(got.header("x-hook-secret"), None);
    }
    let attempts = w.asana.delivery_attempts();
    let last = attempts.last().unwrap();
    assert_eq!((last.purpose, last.status, last.attempt), (Purpose::Events, Some(200), 1));
    assert_eq!(
        (last.webhook.as_deref(), last.target.as_str()),
        (Some(hook.gid.as_str()), receiver.url().as_str())
    );
    assert_eq!(last.body, came.last().unwrap().body);
    assert_eq!(last.signature.as_deref(), came.last().unwrap().header("x-hook-signature"));
    w.asana.change_webhooks(|c| c.request_signature = false);
    w.task("y").await;
    w.asana.deliveries_settled().await;
    assert_eq!(receiver.deliveries()[0].header("x-asana-request-signature"), None);
}

#[tokio::test]
async fn the_members_of_an_event_stand_in_no_fixed_order() {
    let w = World::new();
    let (receiver, _hook) = w.listen(json!([])).await;
    w.task("x").await;
    w.task("y").await;
    let bodies: String = came(&w, &receiver).await.iter().map(|got| got.body.clone()).collect();
    assert!(bodies.contains(r#"{"user":"#) && bodies.contains(r#"{"action":"#), "{bodies}");
    w.asana.change_webhooks(|c| c.vary_member_order = false);
    w.task("z").await;
    w.task("z").await;
    let bodies: String = came(&w, &receiver).await.iter().map(|got| got.body.clone()).collect();
    assert!(!bodies.contains(r#"{"action":"#), "{bodies}");
}

#[tokio::test]
async fn anything_but_200_and_204_is_a_failure_and_no_redirect_is_followed() {
    let w = World::new();
    let (receiver, hook) = w.listen(json!([])).await;
    for status in [201, 202, 302, 307, 400, 401, 404, 500, 503] {
        receiver.answers(Delivery::Status(status));
        w.task("x").await;
        let came = came(&w, &receiver).await;
        assert!(came.iter().all(|got| got.target == "/hooks/one?app=ml"), "{status}");
        let record = w.data(&hook.path()).await;
        assert_eq!(record["last_failure_content"], format!("answered {status}"));
        receiver.answers(Delivery::Status(204));
        w.advance(3600);
        w.asana.deliveries_settled().await;
        assert_eq!(w.asana.webhooks()[0].pending, 0, "{status}");
        receiver.forget();
    }
    let counts = w.asana.delivery_counts();
    assert_eq!((counts.failures, counts.deleted), (9, 0));
}

#[tokio::test]
async fn a_failed_delivery_is_tried_again_on_the_virtual_clock_ever_later() {
    let w = World::new();
    let (receiver, hook) = w.listen(json!([])).await;
    receiver.answers(Delivery::Status(500));
    w.task("x").await;
    let first = came(&w, &receiver).await;
    assert_eq!(first.len(), 1);
    let record = w.data(&hook.path()).await;
    let fields = |record: &Value| {
        ["delivery_retry_count", "next_attempt_after", "failure_deletion_timestamp", "last_failure_at"]
            .map(|name| record[name].clone())
    };
    let (next, deletion) = ("2026-03-02T09:00:10.000Z", "2026-03-03T09:00:00.000Z");
    assert_eq!(fields(&record), [json!(0), json!(next), json!(deletion), json!(START)]);
    w.task("y").await;
    for wait in [10, 20, 40, 80] {
        w.advance(wait - 1);
        assert_eq!(came(&w, &receiver).await.len(), 0, "not before {wait} s");
        w.advance(1);
        let again = came(&w, &receiver).await;
        assert_eq!((again.len(), &again[0].body), (1, &first[0].body), "the same body after {wait} s");
        assert_eq!(again[0].header("x-hook-signature"), first[0].header("x-hook-signature"));
    }
    let record = w.data(&hook.path()).await;
    assert_eq!(
        (&record["delivery_retry_count"], &record["failure_deletion_timestamp"]),
        (&json!(4), &json!(deletion))
    );
    receiver.answers(Delivery::Status(200));
    w.advance(160);
    let events = w.told(&receiver).await;
    assert_eq!(shorts(&events).len(), 4, "what waited behind it comes after it");
    let record = w.data(&hook.path()).await;
    assert_eq!(fields(&record)[..3], [json!(0), Value::Null, Value::Null]);
    assert_eq!(record["last_success_at"], "2026-03-02T09:05:10.000Z");
    let attempts = w.asana.delivery_attempts();
    let tries: Vec<u32> = attempts.iter().filter(|a| a.delivery == 1).map(|a| a.attempt).collect();
    assert_eq!(tries, [1, 2, 3, 4, 5, 6]);
}

#[tokio::test]
async fn silence_and_a_closed_port_are_failures_too() {
    let w = World::configured(|c| c.webhooks.deadline_ms = 100);
    let (receiver, hook) = w.listen(json!([])).await;
    receiver.answers(Delivery::Silence);
    w.task("x").await;
    w.asana.deliveries_settled().await;
    let record = w.data(&hook.path()).await;
    assert_eq!(record["last_failure_content"], "no answer within 100 ms");
    drop(receiver);
    w.advance(10);
    w.asana.deliveries_settled().await;
    let attempts = w.asana.delivery_attempts();
    let last = attempts.last().unwrap();
    assert_eq!((last.status, last.attempt), (None, 2));
    assert!(last.error.is_some());
    assert_eq!(w.data(&hook.path()).await["delivery_retry_count"], 1);
}

#[tokio::test]
async fn a_webhook_without_success_for_a_day_is_deleted() {
    let w = World::new();
    let (receiver, hook) = w.listen(json!([])).await;
    receiver.answers(Delivery::Status(503));
    w.task("x").await;
    w.asana.deliveries_settled().await;
    w.advance(24 * 3600 - 1);
    w.asana.deliveries_settled().await;
    assert_eq!(w.data(&hook.path()).await["active"], true);
    w.advance(1);
    w.refused_get(404, &hook.path()).await;
    assert_eq!(w.data(&format!("/webhooks?workspace={}", w.workspace)).await, json!([]));
    receiver.answers(Delivery::Status(200));
    receiver.forget();
    w.task("y").await;
    w.advance(24 * 3600);
    assert_eq!(came(&w, &receiver).await.len(), 0, "nothing more is sent");
    assert_eq!(w.asana.delivery_counts().deleted, 1);
}

#[tokio::test]
async fn a_success_within_the_day_saves_the_webhook() {
    let w = World::new();
    let (receiver, hook) = w.listen(json!([])).await;
    for _ in 0..3 {
        receiver.answers(Delivery::Status(503));
        w.task("x").await;
        w.asana.deliveries_settled().await;
        w.advance(20 * 3600);
        receiver.answers(Delivery::Status(200));
        w.asana.deliveries_settled().await;
    }
    assert_eq!(w.data(&hook.path()).await["failure_deletion_timestamp"], Value::Null);
}

#[tokio::test]
async fn gone_deletes_a_webhook_at_once_unless_switched_off() {
    let w = World::configured(|c| c.webhooks.gone_deletes = false);
    let (receiver, hook) = w.listen(json!([])).await;
    receiver.answers(Delivery::Status(410));
    w.task("x").await;
    w.asana.deliveries_settled().await;
    assert_eq!(w.data(&hook.path()).await["last_failure_content"], "answered 410");
    w.asana.change_webhooks(|c| c.gone_deletes = true);
    w.advance(10);
    w.asana.deliveries_settled().await;
    w.refused_get(404, &hook.path()).await;
}

#[tokio::test]
async fn a_heartbeat_comes_every_eight_hours_and_may_fail_like_any_delivery() {
    let w = World::new();
    let (receiver, hook) = w.listen(json!([])).await;
    w.advance(8 * 3600 - 1);
    assert_eq!(came(&w, &receiver).await.len(), 0);
    w.advance(1);
    let beats = came(&w, &receiver).await;
    assert_eq!((beats.len(), beats[0].body.as_str()), (1, r#"{"events":[]}"#));
    assert_eq!(beats[0].header("x-hook-signature"), Some(signature(&hook.secret, &beats[0].body).as_str()));
    assert_eq!(w.data(&hook.path()).await["last_success_at"], "2026-03-02T17:00:00.000Z");
    receiver.answers(Delivery::Status(500));
    w.advance(8 * 3600);
    assert_eq!(came(&w, &receiver).await.len(), 1);
    assert_eq!(w.data(&hook.path()).await["failure_deletion_timestamp"], "2026-03-04T01:00:00.000Z");
    receiver.answers(Delivery::Status(200));
    w.advance(10);
    assert_eq!(came(&w, &receiver).await.len(), 1);
    let counts = w.asana.delivery_counts();
    assert_eq!((counts.heartbeats, counts.failures, counts.handshakes), (2, 1, 1));
}

#[tokio::test]
async fn moving_the_clock_is_enough_to_make_due_deliveries_happen() {
    let w = World::new();
    let (receiver, _hook) = w.listen(json!([])).await;
    w.advance(8 * 3600);
    receiver.reached(1).await;
}

#[tokio::test]
async fn a_deleted_webhook_is_sent_nothing_more_though_one_may_be_under_way() {
    let w = World::new();
    let (receiver, hook) = w.listen(json!([])).await;
    receiver.answers(Delivery::Silence);
    w.task("x").await;
    receiver.reached(1).await;
    w.task("y").await;
    w.send("DELETE", &hook.path(), None).await;
    w.advance(48 * 3600);
    w.asana.deliveries_settled().await;
    assert_eq!(receiver.deliveries().len(), 1);
}
