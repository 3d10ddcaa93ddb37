//! The main flow, at its simplest.

use sandbox::GenerateOptions;
use sandbox::oracle::Edit;

use crate::fixture::World;

fn task_with<'a>(state: &'a serde_json::Value, field: &str, value: &str) -> &'a serde_json::Value {
    let tasks = state["tasks"].as_object().unwrap();
    tasks.values().find(|task| task["values"][field] == value).unwrap()
}

#[tokio::test]
async fn a_second_poll_with_nothing_changed_sends_no_write_to_asana() {
    let world = World::new().await;
    let made = GenerateOptions { orders: 40, invoices: 40, ..GenerateOptions::default() };
    world.sandbox.oracle().generate(&made).unwrap();
    world.sync().await;
    assert_eq!(world.asana_state()["tasks"].as_object().unwrap().len(), 40);
    assert_eq!(world.asana_writes(), 40);
    world.sync().await;
    assert_eq!(world.asana_writes(), 40);
    world.end().await;
}

#[tokio::test]
async fn a_change_of_one_amount_sends_exactly_one_put_with_exactly_that_value() {
    let world = World::with(Default::default(), |settings| {
        settings.fields.retain(|purpose, _| connector::purpose::Purpose::REQUIRED.contains(purpose));
    })
    .await;
    let order = world
        .sandbox
        .oracle()
        .apply(Edit::CreateOrder(sandbox::oracle::NewOrder {
            number: Some("US-1".into()),
            lines: vec![
                sandbox::oracle::NewLine { amount: "10.10".into(), ..Default::default() },
                sandbox::oracle::NewLine { amount: "5".into(), ..Default::default() },
            ],
            ..Default::default()
        }))
        .unwrap()[0];
    world.sync().await;
    world.sandbox.calls().record_exchanges(100);
    world
        .sandbox
        .oracle()
        .apply(Edit::LineAmount { order, line: 2, amount: "7.35".into(), touch: true })
        .unwrap();
    world.sync().await;
    let writes: Vec<_> = world
        .sandbox
        .calls()
        .exchanges()
        .into_iter()
        .filter(|e| e.side == sandbox::Side::Asana && e.method != "GET")
        .collect();
    assert_eq!(writes.len(), 1);
    let field = world.field("line_item_amount");
    assert_eq!(writes[0].method, "PUT");
    assert_eq!(writes[0].request_body, format!("{{\"data\":{{\"custom_fields\":{{\"{field}\":17.45}}}}}}"));
    let state = world.asana_state();
    assert_eq!(task_with(&state, &world.field("po_number"), "US-1")["values"][&field].to_string(), "17.45");
    world.end().await;
}
