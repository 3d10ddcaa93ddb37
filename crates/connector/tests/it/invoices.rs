//! How invoices reach the tasks of the orders that they name.

use connector::Code;
use connector::feed::Feed;
use connector::settings::WithoutOrder;
use connector::store::connections;
use connector::store::jobs::Job;
use sandbox::oracle::{Edit, NewInvoice, NewInvoiceLine, NewOrder};
use sandbox::{Fault, FaultRule, Side};

use crate::fixture::{World, held, invoice_line, lines};

fn paid(invoice: i64) -> Edit {
    let (validation, paid) = (Some("Validated".into()), Some("Paid".into()));
    Edit::InvoiceStatus { invoice, validation, approval: None, paid, accounting: None, touch: true }
}

#[tokio::test]
async fn an_invoice_reaches_the_order_that_its_lines_name() {
    let world = World::new().await;
    world.order("US-1", &["10"]);
    let invoice = world.invoice("INV-1", &[("US-1", "4.50"), ("US-1", "1")]);
    world.sync().await;
    let task = world.task("US-1");
    assert_eq!(task.shows("invoice_numbers"), Some("INV-1"));
    assert_eq!(task.shows("invoiced_amount"), Some("5.5"));
    assert_eq!(task.shows("invoice_status"), Some("Not validated"));
    world.oracle(paid(invoice));
    world.sync().await;
    assert_eq!(world.task("US-1").shows("invoice_status"), Some("Paid"));
    assert_eq!(world.tasks().len(), 1);
    world.end().await;
}

#[tokio::test]
async fn of_several_invoices_the_least_finished_status_and_the_sum_are_shown() {
    let world = World::new().await;
    world.order("US-1", &["100"]);
    let first = world.invoice("INV-1", &[("US-1", "40")]);
    let second = world.invoice("INV-2", &[("US-1", "60.25")]);
    world.oracle(paid(first));
    world.sync().await;
    let task = world.task("US-1");
    assert_eq!(task.shows("invoice_status"), Some("Not validated"));
    assert_eq!(task.shows("invoiced_amount"), Some("100.25"));
    assert_eq!(task.shows("invoice_numbers"), Some("INV-1, INV-2"));
    world.oracle(paid(second));
    world.sync().await;
    assert_eq!(world.task("US-1").shows("invoice_status"), Some("Paid"));
    world.end().await;
}

#[tokio::test]
async fn a_canceled_invoice_no_longer_counts() {
    let world = World::new().await;
    world.order("US-1", &["100"]);
    world.invoice("INV-1", &[("US-1", "40")]);
    let second = world.invoice("INV-2", &[("US-1", "60")]);
    world.sync().await;
    let validation = Some("Canceled".into());
    world.oracle(Edit::InvoiceStatus {
        invoice: second,
        validation,
        approval: None,
        paid: None,
        accounting: None,
        touch: true,
    });
    world.sync().await;
    assert_eq!(world.task("US-1").shows("invoiced_amount"), Some("40"));
    assert_eq!(world.task("US-1").shows("invoice_status"), Some("Not validated"));
    world.end().await;
}

#[tokio::test]
async fn of_an_invoice_for_several_orders_each_shows_its_own_share() {
    let world = World::new().await;
    world.order("US-1", &["100"]);
    world.order("US-2", &["100"]);
    world.invoice("INV-1", &[("US-1", "30.10"), ("US-2", "20"), ("US-1", "5")]);
    world.sync().await;
    assert_eq!(world.task("US-1").shows("invoiced_amount"), Some("35.1"));
    assert_eq!(world.task("US-2").shows("invoiced_amount"), Some("20"));
    for number in ["US-1", "US-2"] {
        assert_eq!(world.task(number).shows("invoice_numbers"), Some("INV-1"));
    }
    world.end().await;
}

#[tokio::test]
async fn an_invoice_with_an_unknown_number_is_ignored_and_shows_up_with_its_order() {
    let world = World::new().await;
    let invoice = world.invoice("INV-1", &[("US-1", "4")]);
    world.sync().await;
    let movement = world.movement_of(invoice).await;
    assert_eq!((movement.state.as_str(), movement.outcome.as_deref()), ("delivered", Some("ignored")));
    assert!(movement.reason.unwrap().contains("no stored order has the number US-1"));
    assert!(world.tasks().is_empty());
    world.order("US-1", &["10"]);
    world.sync().await;
    assert_eq!(world.task("US-1").shows("invoice_numbers"), Some("INV-1"));
    assert_eq!(world.task("US-1").shows("invoiced_amount"), Some("4"));
    world.end().await;
}

#[tokio::test]
async fn an_invoice_without_order_is_ignored_or_has_a_task_by_the_settings() {
    let world = World::new().await;
    let line = NewInvoiceLine { amount: "99.90".into(), ..NewInvoiceLine::default() };
    let invoice = world.new_invoice(NewInvoice {
        number: Some("RENT-1".into()),
        supplier: Some("Landlord".into()),
        lines: vec![line],
        ..NewInvoice::default()
    });
    world.sync().await;
    assert_eq!(world.movement_of(invoice).await.outcome.as_deref(), Some("ignored"));
    assert!(world.tasks().is_empty());
    world.edit(|settings| settings.tasks.invoices_without_order = WithoutOrder::Task).await.unwrap();
    world.run(Job::Push).await.unwrap();
    let task = world.tasks().remove(0);
    assert_eq!(task.shows("supplier"), Some("Landlord"));
    assert_eq!(task.shows("invoice_numbers"), Some("RENT-1"));
    assert_eq!(task.shows("invoiced_amount"), Some("99.9"));
    assert_eq!(task.shows("po_number"), None);
    world.oracle(paid(invoice));
    world.sync().await;
    let tasks = world.tasks();
    assert_eq!(tasks.len(), 1, "{tasks:?}");
    assert_eq!(tasks[0].shows("invoice_status"), Some("Paid"));
    world.end().await;
}

#[tokio::test]
async fn an_invoice_that_is_moved_to_another_order_leaves_the_first() {
    let world = World::new().await;
    world.order("US-1", &["10"]);
    world.order("US-2", &["10"]);
    let invoice = world.invoice("INV-1", &[("US-1", "4")]);
    world.sync().await;
    assert_eq!(world.task("US-1").shows("invoiced_amount"), Some("4"));
    world.set_invoice(invoice, Some(1), "PurchaseOrderNumber", "\"US-2\"");
    world.sync().await;
    assert_eq!(world.task("US-2").shows("invoiced_amount"), Some("4"));
    for key in ["invoiced_amount", "invoice_numbers", "invoice_status"] {
        assert_eq!(world.task("US-1").shows(key), None, "{key}");
    }
    world.end().await;
}

fn order_of(entity: &str, unit: &str) -> NewOrder {
    NewOrder {
        number: Some("4711".into()),
        legal_entity: Some(entity.into()),
        business_unit: Some(unit.into()),
        supplier: Some(entity.into()),
        lines: lines(&["10"]),
        ..NewOrder::default()
    }
}

#[tokio::test]
async fn legal_entity_and_business_unit_tell_apart_orders_that_share_a_number() {
    let world = World::new().await;
    world.new_order(order_of("First", "BU 1"));
    world.new_order(order_of("Second", "BU 2"));
    let invoice = |number: &str, entity: &str, unit: &str, amount: &str| NewInvoice {
        number: Some(number.into()),
        legal_entity: Some(entity.into()),
        business_unit: Some(unit.into()),
        lines: vec![invoice_line("4711", amount)],
        ..NewInvoice::default()
    };
    world.new_invoice(invoice("A", "First", "elsewhere", "1"));
    world.new_invoice(invoice("B", "elsewhere", "BU 2", "2"));
    let unclear = world.new_invoice(invoice("C", "elsewhere", "elsewhere", "4"));
    world.sync().await;
    let shown = |supplier: &str| {
        let task = world.tasks().into_iter().find(|t| t.shows("supplier") == Some(supplier)).unwrap();
        (task.shows("invoice_numbers").map(str::to_owned), task.shows("invoiced_amount").map(str::to_owned))
    };
    assert_eq!(shown("First"), (Some("A".into()), Some("1".into())));
    assert_eq!(shown("Second"), (Some("B".into()), Some("2".into())));
    assert_eq!(world.held().await, held(&[unclear], Code::InvoiceAmbiguous));
    world.set_invoice(unclear, None, "LegalEntity", "\"Second\"");
    world.sync().await;
    assert_eq!(shown("Second"), (Some("B, C".into()), Some("6".into())));
    assert!(world.held().await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn an_invoice_goes_over_to_an_order_that_comes_later_and_fits_better() {
    let world = World::new().await;
    world.new_order(order_of("First", "BU 1"));
    world.new_invoice(NewInvoice {
        number: Some("A".into()),
        legal_entity: Some("Second".into()),
        lines: vec![invoice_line("4711", "4")],
        ..NewInvoice::default()
    });
    world.sync().await;
    let of = |supplier: &str| {
        let task = world.tasks().into_iter().find(|t| t.shows("supplier") == Some(supplier)).unwrap();
        task.shows("invoiced_amount").map(str::to_owned)
    };
    assert_eq!(of("First").as_deref(), Some("4"), "there is no other order yet");
    world.new_order(order_of("Second", "BU 2"));
    world.sync().await;
    assert_eq!(of("Second").as_deref(), Some("4"));
    assert_eq!(of("First"), None);
    world.end().await;
}

#[tokio::test]
async fn an_order_and_its_invoice_that_change_together_are_one_write() {
    let world = World::new().await;
    let order = world.order("US-1", &["10"]);
    let invoice = world.invoice("INV-1", &[("US-1", "4")]);
    world.sync().await;
    assert_eq!(world.asana_writes(), 1);
    world.set_amount(order, 1, "11");
    world.oracle(paid(invoice));
    world.sync().await;
    assert_eq!(world.asana_writes(), 2);
    let task = world.task("US-1");
    assert_eq!((task.shows("line_item_amount"), task.shows("invoice_status")), (Some("11"), Some("Paid")));
    for id in [order, invoice] {
        let movement = world.movement_of(id).await;
        assert_eq!((movement.state.as_str(), movement.outcome.as_deref()), ("delivered", Some("updated")));
        assert_eq!(movement.destination_id.as_deref(), Some(task.gid.as_str()));
    }
    world.end().await;
}

#[tokio::test]
async fn several_changes_before_a_push_are_one_write_with_the_newest_state() {
    let world = World::new().await;
    let order = world.order("US-1", &["10"]);
    world.sync().await;
    for amount in ["11", "12", "13"] {
        world.set_amount(order, 1, amount);
        world.run(Job::Poll(Feed::PurchaseOrders)).await.unwrap();
    }
    world.run(Job::Push).await.unwrap();
    assert_eq!(world.asana_writes(), 2);
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("13"));
    world.end().await;
}

#[tokio::test]
async fn what_changes_while_its_write_waits_for_a_retry_goes_with_the_newest_state() {
    let world = World::new().await;
    let order = world.order("US-1", &["10"]);
    world.sync().await;
    world.set_amount(order, 1, "11");
    let busy = Fault::Status { status: 500, retry_after: None, body: None, html: false };
    let fault = world.fault(FaultRule::new(busy).on(Side::Asana).method("PUT").times(1));
    world.sync().await;
    assert_eq!(world.fired(fault), 1);
    world.set_amount(order, 1, "12");
    world.sync().await;
    world.settle().await;
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("12"));
    let movements = world.movements().await;
    assert!(movements.iter().all(|m| m.state == "delivered"), "{movements:?}");
    world.end().await;
}

#[tokio::test]
async fn what_an_order_and_its_invoices_bring_is_one_request_that_each_movement_keeps() {
    let world = World::new().await;
    let document = "[values.needed]\nread = \"Buyer\"\nas = \"date\"\ndefault = \"\"\n\
                    [[rules]]\nto = \"due_on\"\nvalue = \"needed\"";
    let mapping = toml::from_str(document).unwrap();
    world.edit(|settings| settings.mapping = mapping).await.unwrap();
    let order = world.order("US-1", &["100"]);
    world.set_order(order, None, "Buyer", "\"2026-07-31\"");
    let number = |n: u32| format!("INV-{n}");
    let invoices: Vec<i64> = (1..5).map(|n| world.invoice(&number(n), &[("US-1", "10")])).collect();
    world.sync().await;
    let due_on = || world.asana_state()["tasks"][&world.task("US-1").gid]["due_on"].clone();
    assert_eq!((due_on(), world.asana_writes()), ("2026-07-31".into(), 1));
    world.set_order(order, None, "Buyer", "null");
    for invoice in invoices {
        world.oracle(paid(invoice));
    }
    world.sync().await;
    assert_eq!((due_on(), world.asana_writes()), (serde_json::Value::Null, 2));
    let emptied = "select count(*), count(distinct request), count(distinct sent_at) from movements
                   where state = 'delivered' and request like 'PUT %' and request like '%\"due_on\":null%'";
    let counted: (i64, i64, i64) = sqlx::query_as(emptied).fetch_one(&world.engine.db).await.unwrap();
    assert_eq!(counted, (5, 1, 1));
    // whoever reads the story sees that it was one
    let loaded = connections::load(&world.engine.db, world.connection).await.unwrap();
    let told = connector::trace::of(&world.engine.db, &loaded, "US-1").await.unwrap();
    let said = |words: &str| told.entries.iter().filter(|entry| entry.what.contains(words)).count();
    assert_eq!(said(": due_on emptied"), 1);
    // the first push was one request for all five too
    assert_eq!(said(", by the request of movement "), 8);
    // what was emptied is known to be empty
    world.edit(|settings| settings.schedule.poll_minutes = 7).await.unwrap();
    world.run(Job::Push).await.unwrap();
    assert_eq!(world.asana_writes(), 2);
    world.end().await;
}
