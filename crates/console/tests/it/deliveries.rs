//! What is taken, and what becomes of it.

use connector::hooks::ingest::Limits;
use connector::store::hooks::{self, State};
use connector::store::inbox::{self, Outcome};
use console::hooks::Doors;
use serde_json::json;
use uuid::Uuid;

use crate::fixture::{House, completing, event, signed, until};

#[tokio::test]
async fn a_signed_delivery_is_stored_to_the_letter_with_its_events() {
    let house = House::new().await;
    let node = house.node(Limits::default()).await;
    let hook = house.active("77").await;
    // neither the spaces nor the letters of the text are those that a program would write
    let body = format!(" {} \r\n", completing(&["9001"]).replace("changed", "chan\\u0067ed"));
    let answer = node.deliver(&hook, &body).await;
    assert_eq!(answer.status, 200);
    let (webhook, events, stored): (Uuid, i32, String) =
        sqlx::query_as("select webhook_id, events, body from deliveries")
            .fetch_one(&house.engine.db)
            .await
            .unwrap();
    assert_eq!((webhook, events, stored), (hook.webhook.0, 2, body));
    let open = inbox::open_events(&house.engine.db, house.connection, 10).await.unwrap();
    let mut fields: Vec<_> = open.iter().map(|event| event.field.clone().unwrap()).collect();
    fields.sort();
    assert_eq!(fields, ["completed", "completed_at"]);
    for event in &open {
        assert_eq!((event.resource_type.as_str(), event.resource_gid.as_str()), ("task", "9001"));
        assert_eq!(event.action, "changed");
        assert!(event.delivery.is_some());
        assert_eq!(event.happened_at.unwrap().to_string(), "2026-06-30T10:11:12.345Z");
    }
    assert_eq!(node.ingest.arrived().next().await.into_iter().collect::<Vec<_>>(), [house.connection]);
    node.end().await;
    house.end().await;
}

#[tokio::test]
async fn an_event_that_arrives_again_changes_nothing() {
    let house = House::new().await;
    let node = house.node(Limits::default()).await;
    let hook = house.active("77").await;
    let body = completing(&["9001"]);
    assert_eq!(node.deliver(&hook, &body).await.status, 200);
    let open = inbox::open_events(&house.engine.db, house.connection, 10).await.unwrap();
    let keys: Vec<_> = open.iter().map(|event| event.key).collect();
    let mut db = house.engine.db.acquire().await.unwrap();
    assert_eq!(inbox::close_events(&mut db, house.connection, &keys, Outcome::Done).await.unwrap(), 2);
    drop(db);
    // the same delivery, and its events in another one, together with a new one
    assert_eq!(node.deliver(&hook, &body).await.status, 200);
    let more =
        json!({"events": [event("9001", "completed_at"), event("9001", "name"), event("9001", "completed")]});
    assert_eq!(node.deliver(&hook, &more.to_string()).await.status, 200);
    assert_eq!(house.count("events").await, 3);
    let open = inbox::open_events(&house.engine.db, house.connection, 10).await.unwrap();
    assert_eq!(open.iter().map(|event| event.field.as_deref()).collect::<Vec<_>>(), [Some("name")]);
    node.end().await;
    house.end().await;
}

#[tokio::test]
async fn an_event_of_a_task_in_two_projects_is_one_event() {
    let house = House::new().await;
    let node = house.node(Limits::default()).await;
    let hooks = [house.active("77").await, house.active("78").await];
    for hook in &hooks {
        assert_eq!(node.deliver(hook, &completing(&["9001"])).await.status, 200);
    }
    assert_eq!((house.count("deliveries").await, house.count("events").await), (1, 2));
    node.end().await;
    house.end().await;
}

#[tokio::test]
async fn a_delivery_sent_again_leaves_nothing_and_what_is_new_in_another_is_kept_with_its_body() {
    let house = House::new().await;
    let node = house.node(Limits::default()).await;
    let hook = house.active("77").await;
    let first = completing(&["9001"]);
    for _ in 0..5 {
        assert_eq!(node.deliver(&hook, &first).await.status, 200);
    }
    assert_eq!((house.count("deliveries").await, house.count("events").await), (1, 2));
    let more = completing(&["9001", "9002"]);
    assert_eq!(node.deliver(&hook, &more).await.status, 200);
    let kept: Vec<(String, i64)> = sqlx::query_as(
        "select body, (select count(*) from events e where e.delivery_id = d.delivery_id)
         from deliveries d order by delivery_id",
    )
    .fetch_all(&house.engine.db)
    .await
    .unwrap();
    assert_eq!(kept, [(first, 2), (more, 2)]);
    node.end().await;
    house.end().await;
}

#[tokio::test]
async fn a_heartbeat_leaves_no_row_but_is_noted() {
    let house = House::new().await;
    let node = house.node(Limits::default()).await;
    let hook = house.active("77").await;
    for body in [r#"{"events":[]}"#, ""] {
        assert_eq!(node.deliver(&hook, body).await.status, 200, "{body:?}");
    }
    assert_eq!((house.count("deliveries").await, house.count("events").await), (0, 0));
    node.ingest.notes().write(&node.engine.db).await;
    let noted = &hooks::list(&house.engine.db, house.connection, 10, 10).await.unwrap()[0];
    assert!(noted.last_delivery_at.is_some() && noted.rejected == 0, "{noted:?}");
    node.end().await;
    house.end().await;
}

#[tokio::test]
async fn what_nobody_looks_at_is_stored_but_not_open() {
    let house = House::new().await;
    let node = house.node(Limits::default()).await;
    let hook = house.active("77").await;
    let mut story = event("5", "text");
    story["resource"]["resource_type"] = json!("story");
    let odd = [json!(null), json!({}), json!({"resource": "x", "action": 5})];
    let body = json!({"events": [story, odd[0], odd[1], odd[2], event("9001", "completed")]}).to_string();
    assert_eq!(node.deliver(&hook, &body).await.status, 200);
    assert_eq!(inbox::count_open(&house.engine.db, house.connection).await.unwrap(), 1);
    assert_eq!(house.number("select count(*) from events where state = 'ignored'").await, 2);
    node.end().await;
    house.end().await;
}

#[tokio::test]
async fn the_type_may_be_written_in_any_way_that_means_json() {
    let house = House::new().await;
    let node = house.node(Limits::default()).await;
    let hook = house.active("77").await;
    let body = completing(&["9001"]);
    let signature = signed(&hook.secret, body.as_bytes());
    let signature = signature.headers()[1];
    let plain: &[(&str, &str)] = &[signature];
    assert_eq!(node.post(&hook.path, plain, body.as_bytes()).await.status, 200);
    for good in ["application/json; charset=UTF-8", "Application/Json", "application/vnd.api+json"] {
        let answer = node.post(&hook.path, &[("content-type", good), signature], body.as_bytes()).await;
        assert_eq!(answer.status, 200, "{good}");
    }
    for bad in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
        let answer = node.post(&hook.path, &[("content-type", bad), signature], body.as_bytes()).await;
        assert_eq!(answer.status, 415, "{bad}");
    }
    // the same four times
    assert_eq!(house.count("deliveries").await, 1);
    node.end().await;
    house.end().await;
}

#[tokio::test]
async fn a_proxy_may_leave_a_path_before_the_target() {
    let house = House::new().await;
    let node = house.node(Limits::default()).await;
    let mut hook = house.active("77").await;
    hook.path = format!("/erp/base{}", hook.path);
    assert_eq!(node.deliver(&hook, &completing(&["9001"])).await.status, 200);
    hook.path = format!("{}/more", hook.path);
    assert_eq!(node.deliver(&hook, &completing(&["9001"])).await.status, 404);
    node.end().await;
    house.end().await;
}

#[tokio::test]
async fn an_ended_registration_is_unknown_soon_after_it_ended() {
    let house = House::new().await;
    let node = house.node(Limits::default()).await;
    for state in [State::Lost, State::Removed, State::Failed] {
        let hook = house.active("77").await;
        hooks::end(&house.engine.db, house.connection, hook.webhook, state, None).await.unwrap();
        assert_eq!(node.deliver(&hook, &completing(&["9001"])).await.status, 404, "{state:?}");
    }
    node.end().await;
    assert_eq!(house.count("deliveries").await, 0);
    assert_eq!(house.number("select count(*) from credentials where name like 'webhook_secret/%'").await, 0);
    house.end().await;
}

#[tokio::test]
async fn a_delivery_to_a_pending_registration_is_asked_for_again_and_taken_once_it_is_active() {
    let house = House::new().await;
    let node = house.node(Limits::default()).await;
    let hook = house.pending("77").await;
    let answer = node.deliver(&hook, &completing(&["9001"])).await;
    assert_eq!((answer.status, answer.header("retry-after").is_some()), (503, true));
    // by another node: this one learns of it by itself
    house.activate(&hook).await;
    let began = std::time::Instant::now();
    until("the delivery is taken", || async {
        node.deliver(&hook, &completing(&["9001"])).await.status == 200
    })
    .await;
    assert!(began.elapsed() < std::time::Duration::from_secs(2), "{:?}", began.elapsed());
    node.end().await;
    house.end().await;
}

#[tokio::test]
async fn deliveries_are_taken_beside_the_status_at_one_address() {
    let house = House::new().await;
    let node = house.shared_node(Limits::default(), Doors::default()).await;
    let mut hook = house.active("77").await;
    assert_eq!(node.deliver(&hook, &completing(&["9001"])).await.status, 200);
    let url = format!("http://{}", node.address);
    let get = async |path: &str| reqwest::get(format!("{url}{path}")).await.unwrap();
    assert_eq!(get("/health").await.text().await.unwrap(), "ok");
    assert_eq!(get("/ready").await.text().await.unwrap(), "ready");
    assert!(get("/").await.text().await.unwrap().contains("ml-connector"));
    for path in ["/other", "/hooks/asana/x"] {
        assert_eq!(get(path).await.status(), 404, "{path}");
    }
    // a proxy may leave a path before the target here too
    hook.path = format!("/erp{}", hook.path);
    assert_eq!(node.deliver(&hook, &completing(&["9002"])).await.status, 200);
    assert_eq!(house.count("events").await, 4);
    node.end().await;
    house.end().await;
}
