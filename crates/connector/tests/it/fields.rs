//! Mapped fields that are not what they should be, and values that do not fit as they are.

use connector::Code;
use connector::feed::Feed;
use connector::ids::FieldGid;
use connector::purpose::Purpose;
use connector::store::jobs::Job;
use sandbox::asana::{Edit as AsanaEdit, FieldKind, FieldSpec};
use sandbox::oracle::{Edit, NewOrder};

use crate::fixture::{World, held, lines};

/// Maps a purpose to another field, of this kind; returns its gid.
async fn map(world: &World, purpose: Purpose, kind: FieldKind) -> String {
    let spec = FieldSpec::new("Another", kind);
    let gid = world.sandbox.asana().seed_local_field(&world.board.project, &spec).unwrap();
    map_to(world, purpose, &gid).await;
    gid
}

async fn map_to(world: &World, purpose: Purpose, gid: &str) {
    let gid = FieldGid(gid.into());
    world.edit(|settings| drop(settings.fields.insert(purpose, gid))).await.unwrap();
}

/// The order is held with this code and nothing is written; with the board's own field it is sent.
async fn is_held_until_mapped_well(world: &World, order: i64, code: Code, purpose: Purpose) {
    world.sync().await;
    assert_eq!(world.held().await, held(&[order], code));
    assert_eq!(world.asana_writes(), 0);
    map_to(world, purpose, &world.field(purpose.as_str())).await;
    world.sync().await;
    assert!(world.held().await.is_empty());
    assert_eq!(world.tasks_of("US-1").len(), 1);
}

#[tokio::test]
async fn a_field_that_does_not_exist_holds_the_order_until_it_is_mapped_well() {
    let world = World::new().await;
    map_to(&world, Purpose::Supplier, "1999999999999999").await;
    let order = world.order("US-1", &["10"]);
    is_held_until_mapped_well(&world, order, Code::FieldMissing, Purpose::Supplier).await;
    world.end().await;
}

#[tokio::test]
async fn a_field_of_the_wrong_type_holds_the_order_until_it_is_mapped_well() {
    let world = World::new().await;
    let order = world.order("US-1", &["10"]);
    world.run(Job::Poll(Feed::PurchaseOrders)).await.unwrap();
    for (purpose, kind) in [
        (Purpose::LineItemAmount, FieldKind::Text),
        (Purpose::Supplier, FieldKind::Number { precision: 2 }),
        (Purpose::PoNumber, FieldKind::Enum(vec!["US-1".into()])),
        (Purpose::LastSynced, FieldKind::Number { precision: 0 }),
    ] {
        map(&world, purpose, kind).await;
        world.run(Job::Push).await.unwrap();
        assert_eq!(world.held().await, held(&[order], Code::FieldType), "{purpose:?}");
        map_to(&world, purpose, &world.field(purpose.as_str())).await;
    }
    assert_eq!(world.asana_writes(), 0);
    world.run(Job::Push).await.unwrap();
    assert!(world.held().await.is_empty());
    assert_eq!(world.tasks_of("US-1").len(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_field_that_asana_computes_holds_the_order_until_it_is_mapped_well() {
    let world = World::new().await;
    map(&world, Purpose::LineItemAmount, FieldKind::Formula).await;
    let order = world.order("US-1", &["10"]);
    is_held_until_mapped_well(&world, order, Code::FieldReadOnly, Purpose::LineItemAmount).await;
    world.end().await;
}

#[tokio::test]
async fn a_field_that_only_others_may_fill_holds_the_order_until_the_right_is_given() {
    let world = World::new().await;
    let restrict = |restricted| AsanaEdit::RestrictValues {
        project: world.board.project.clone(),
        field: world.field("supplier"),
        restricted,
    };
    world.asana(restrict(true));
    let order = world.order("US-1", &["10"]);
    world.sync().await;
    // Asana says so only when it is tried: the field's definition does not show it
    assert_eq!(world.held().await, held(&[order], Code::AsanaForbidden));
    assert!(world.tasks().is_empty());
    world.asana(restrict(false));
    world.an_hour_later().await;
    assert!(world.held().await.is_empty());
    assert_eq!(world.tasks_of("US-1").len(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_field_that_is_not_on_the_project_holds_the_order_until_it_is_added() {
    let world = World::new().await;
    let (project, field) = (world.board.project.clone(), world.field("supplier"));
    world.asana(AsanaEdit::RemoveField { project: project.clone(), field: field.clone() });
    let order = world.order("US-1", &["10"]);
    world.sync().await;
    assert_eq!(world.held().await, held(&[order], Code::FieldMissing));
    world.asana(AsanaEdit::AddField { project, field });
    world.an_hour_later().await;
    assert_eq!(world.tasks_of("US-1").len(), 1);
    assert!(world.held().await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn a_field_that_is_removed_or_hidden_later_holds_what_changes_and_nothing_is_lost() {
    let world = World::new().await;
    let (project, field) = (world.board.project.clone(), world.field("line_item_amount"));
    let order = world.order("US-1", &["10"]);
    world.sync().await;
    world.asana(AsanaEdit::RemoveField { project: project.clone(), field: field.clone() });
    world.set_amount(order, 1, "11");
    world.sync().await;
    assert_eq!(world.held().await, held(&[order], Code::FieldMissing));
    world.asana(AsanaEdit::AddField { project, field: field.clone() });
    world.an_hour_later().await;
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("11"));
    world.asana(AsanaEdit::HideField { field: field.clone(), hidden: true });
    world.set_amount(order, 1, "12");
    world.sync().await;
    assert_eq!(world.held().await, held(&[order], Code::FieldMissing));
    world.asana(AsanaEdit::HideField { field, hidden: false });
    world.an_hour_later().await;
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("12"));
    assert!(world.held().await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn a_status_without_an_option_is_held_until_the_option_is_there() {
    let world = World::new().await;
    world.order("US-1", &["10"]);
    let invoice = world.invoice("INV-1", &[("US-1", "4")]);
    world.sync().await;
    let options = world.sandbox.asana().options(&world.field("invoice_status"));
    let option = options.into_iter().find(|(_, name)| name == "Paid").unwrap().0;
    world.asana(AsanaEdit::EnableOption { option: option.clone(), enabled: false });
    let (validation, paid) = (Some("Validated".into()), Some("Paid".into()));
    world.oracle(Edit::InvoiceStatus {
        invoice,
        validation,
        approval: None,
        paid,
        accounting: None,
        touch: true,
    });
    world.sync().await;
    assert_eq!(world.held().await, held(&[invoice], Code::NoOption));
    assert_eq!(world.task("US-1").shows("invoice_status"), Some("Not validated"));
    world.asana(AsanaEdit::EnableOption { option, enabled: true });
    world.an_hour_later().await;
    assert_eq!(world.task("US-1").shows("invoice_status"), Some("Paid"));
    assert!(world.held().await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn a_text_of_more_than_1024_characters_is_cut_with_an_ellipsis_and_noted() {
    let world = World::new().await;
    let name = "ż".repeat(1025);
    let order = world.new_order(NewOrder {
        number: Some("US-1".into()),
        supplier: Some(name.clone()),
        lines: lines(&["1"]),
        ..NewOrder::default()
    });
    world.sync().await;
    let task = world.task("US-1");
    let shown = task.shows("supplier").unwrap();
    assert_eq!(shown.chars().count(), 1024);
    assert_eq!(shown.strip_suffix('…').unwrap(), "ż".repeat(1023));
    let movement = world.movement_of(order).await;
    assert_eq!(movement.state, "delivered");
    assert_eq!(movement.reason.as_deref(), Some("supplier was cut to 1024 characters"));
    world.sync().await;
    assert_eq!(world.asana_writes(), 1, "the cut text is known as such and not written again");
    world.end().await;
}

#[tokio::test]
async fn last_synced_is_written_only_together_with_another_value() {
    let world = World::new().await;
    let order = world.order("US-1", &["10"]);
    world.sync().await;
    let first = world.task("US-1").shows("last_synced").unwrap().to_owned();
    // a change that no mapped field shows: the movement ends without a write
    world.set_order(order, Some(1), "Description", "\"other words\"");
    world.sync().await;
    assert_eq!(world.movement_of(order).await.outcome.as_deref(), Some("unchanged"));
    assert_eq!(world.asana_writes(), 1);
    assert_eq!(world.task("US-1").shows("last_synced"), Some(first.as_str()));
    world.sandbox.calls().record_exchanges(10);
    world.set_amount(order, 1, "11");
    world.run(Job::Poll(Feed::PurchaseOrders)).await.unwrap();
    world.run(Job::Push).await.unwrap();
    let write = world.sandbox.calls().exchanges().into_iter().find(|e| e.method == "PUT").unwrap();
    for key in ["line_item_amount", "ordered_total", "last_synced"] {
        assert!(write.request_body.contains(&world.field(key)), "{key}: {}", write.request_body);
    }
    assert!(!write.request_body.contains(&world.field("supplier")));
    world.end().await;
}

#[tokio::test]
async fn a_value_that_is_gone_in_oracle_is_cleared_in_asana() {
    let world = World::new().await;
    let order = world.new_order(NewOrder {
        number: Some("US-1".into()),
        requester: Some("Curie, Marie".into()),
        lines: lines(&["1"]),
        ..NewOrder::default()
    });
    world.sync().await;
    assert_eq!(world.task("US-1").shows("requester"), Some("Curie, Marie"));
    world.set_order(order, None, "RequesterDisplayName", "null");
    world.sync().await;
    assert_eq!(world.task("US-1").shows("requester"), None);
    world.end().await;
}
