//! Amounts: exact from Oracle's text to Asana's, or held with the reason; never rounded, never guessed.

use connector::Code;
use connector::ids::{FieldGid, MovementId};
use connector::purpose::Purpose;
use connector::settings::LineAmount;
use connector::store::movements;
use sandbox::asana::{Edit as AsanaEdit, FieldKind, FieldSpec};
use sandbox::oracle::{Edit, NewOrder};

use crate::fixture::{World, held, lines};

const HUGE: &str = "12345678901234567890.12";

/// A world where only the required fields are mapped, the amount to a field of this kind.
async fn with_amount_field(kind: FieldKind) -> (World, String) {
    let world = World::new().await;
    let spec = FieldSpec::new("Amount", kind);
    let field = world.sandbox.asana().seed_local_field(&world.board.project, &spec).unwrap();
    let gid = FieldGid(field.clone());
    world
        .edit(|settings| {
            settings.fields.retain(|purpose, _| Purpose::REQUIRED.contains(purpose));
            settings.fields.insert(Purpose::LineItemAmount, gid);
        })
        .await
        .unwrap();
    (world, field)
}

fn in_currency(number: &str, currency: &str, amounts: &[&str]) -> NewOrder {
    NewOrder {
        number: Some(number.into()),
        currency: Some(currency.into()),
        lines: lines(amounts),
        ..NewOrder::default()
    }
}

async fn stored_order(world: &World, id: i64) -> String {
    let text = "select body from documents where feed = 'purchase_orders' and source_id = $1";
    sqlx::query_scalar(text).bind(id.to_string()).fetch_one(&world.engine.db).await.unwrap()
}

/// The order is held with this code, nothing was written for it, and the mended amount releases it.
async fn is_held_until_mended(world: &World, order: i64, code: Code, mend: impl FnOnce(&World)) {
    let writes = world.asana_writes();
    world.sync().await;
    assert_eq!(world.held().await, held(&[order], code));
    assert_eq!(world.asana_writes(), writes);
    mend(world);
    world.sync().await;
    assert!(world.held().await.is_empty(), "{:?}", world.held().await);
    assert_eq!(world.movement_of(order).await.outcome.as_deref(), Some("created"));
}

#[tokio::test]
async fn an_amount_of_22_digits_is_kept_to_the_letter_and_held() {
    let world = World::new().await;
    let order = world.order("US-1", &[HUGE, "1"]);
    world.sync().await;
    assert_eq!(world.held().await, held(&[order], Code::TooManyDigits));
    assert_eq!(world.asana_writes(), 0);
    let amount = format!("\"Ordered\":{HUGE}");
    assert!(stored_order(&world, order).await.contains(&amount));
    let movement = world.movement_of(order).await;
    let id = MovementId(movement.movement_id);
    let shown = movements::show(&world.engine.db, world.connection, id).await.unwrap().unwrap();
    assert!(shown.body.unwrap().contains(&amount));
    assert!(movement.reason.unwrap().contains("12345678901234567891.12"), "the sum is named exactly");
    world.set_amount(order, 1, "10");
    world.sync().await;
    assert!(world.held().await.is_empty());
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("11"));
    world.end().await;
}

#[tokio::test]
async fn the_digits_of_an_amount_are_stored_as_oracle_wrote_them() {
    let world = World::new().await;
    let order = world.order("US-1", &["5400.00", "0.1", "0.2"]);
    world.sync().await;
    let body = stored_order(&world, order).await;
    assert!(body.contains("\"Ordered\":5400.00") && body.contains("\"Ordered\":0.1"), "{body}");
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("5400.3"));
    world.end().await;
}

#[tokio::test]
async fn an_amount_that_the_fields_precision_would_round_is_held() {
    let (world, field) = with_amount_field(FieldKind::Number { precision: 2 }).await;
    let order = world.order("US-1", &["1.005"]);
    is_held_until_mended(&world, order, Code::PrecisionLoss, |world| world.set_amount(order, 1, "1.01"))
        .await;
    assert_eq!(world.task("US-1").shows_gid(&field), Some("1.01"));
    // or the field is mended in Asana
    world.set_amount(order, 1, "1.0105");
    world.sync().await;
    assert_eq!(world.held().await, held(&[order], Code::PrecisionLoss));
    world.asana(AsanaEdit::ChangePrecision { field: field.clone(), precision: 4 });
    world.an_hour_later().await;
    assert_eq!(world.task("US-1").shows_gid(&field), Some("1.0105"));
    assert!(world.held().await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn a_currency_field_never_gets_an_amount_of_another_currency() {
    let kind = FieldKind::Currency { precision: 2, code: "EUR".into() };
    let (world, field) = with_amount_field(kind).await;
    world.new_order(in_currency("DE-1", "EUR", &["10.50"]));
    let order = world.new_order(in_currency("US-1", "USD", &["20"]));
    world.sync().await;
    assert_eq!(world.task("DE-1").shows_gid(&field), Some("10.5"));
    assert_eq!(world.held().await, held(&[order], Code::FieldCurrency));
    assert!(world.tasks_of("US-1").is_empty());
    world.set_order(order, None, "CurrencyCode", "\"EUR\"");
    world.set_order(order, Some(1), "CurrencyCode", "\"EUR\"");
    world.sync().await;
    assert!(world.held().await.is_empty());
    assert_eq!(world.task("US-1").shows_gid(&field), Some("20"));
    world.end().await;
}

#[tokio::test]
async fn a_field_whose_currency_was_changed_in_asana_gets_no_further_amount() {
    let kind = FieldKind::Currency { precision: 2, code: "USD".into() };
    let (world, field) = with_amount_field(kind).await;
    let order = world.order("US-1", &["20"]);
    world.sync().await;
    world.asana(AsanaEdit::ChangeCurrency { field: field.clone(), currency_code: "CHF".into() });
    world.set_amount(order, 1, "21");
    world.sync().await;
    assert_eq!(world.task("US-1").shows_gid(&field), Some("20"));
    assert_eq!(world.held().await, held(&[order], Code::FieldCurrency));
    world.end().await;
}

#[tokio::test]
async fn yen_go_into_a_field_without_decimals() {
    let (world, field) = with_amount_field(FieldKind::Currency { precision: 0, code: "JPY".into() }).await;
    world.new_order(in_currency("JP-1", "JPY", &["496743473000", "1"]));
    world.new_order(in_currency("JP-2", "JPY", &["5400.00"]));
    world.sync().await;
    assert_eq!(world.task("JP-1").shows_gid(&field), Some("496743473001"));
    assert_eq!(world.task("JP-2").shows_gid(&field), Some("5400"));
    assert!(world.held().await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn credit_lines_and_zero_count_like_any_other() {
    let world = World::new().await;
    world.order("US-1", &["100", "-30.5", "0"]);
    world.order("US-2", &["-12.34"]);
    world.order("US-3", &["7", "-7.00"]);
    world.invoice("CR-1", &[("US-1", "-5.25"), ("US-1", "1")]);
    world.sync().await;
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("69.5"));
    assert_eq!(world.task("US-2").shows("line_item_amount"), Some("-12.34"));
    assert_eq!(world.task("US-3").shows("line_item_amount"), Some("0"));
    assert_eq!(world.task("US-1").shows("invoiced_amount"), Some("-4.25"));
    world.end().await;
}

#[tokio::test]
async fn the_line_amount_can_be_the_one_with_tax() {
    let world = World::new().await;
    let order = world.order("US-1", &["100"]);
    world.set_order(order, Some(1), "Total", "119.00");
    world.sync().await;
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("100"));
    world.edit(|settings| settings.tasks.line_amount = LineAmount::Total).await.unwrap();
    world.sync().await;
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("119"));
    world.end().await;
}

#[tokio::test]
async fn an_order_with_a_null_amount_is_held_until_it_has_one() {
    let world = World::new().await;
    let order = world.order("US-1", &["10", "20"]);
    world.set_order(order, Some(2), "Ordered", "null");
    is_held_until_mended(&world, order, Code::AmountMissing, |world| world.set_amount(order, 2, "5")).await;
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("15"));
    world.end().await;
}

#[tokio::test]
async fn an_order_without_lines_is_held_until_it_has_one() {
    let world = World::new().await;
    let order = world.order("US-1", &[]);
    let line = lines(&["7.5"]).remove(0);
    let mend = |world: &World| {
        world.oracle(Edit::AddLine { order, line, touch: true });
    };
    is_held_until_mended(&world, order, Code::NoLines, mend).await;
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("7.5"));
    world.end().await;
}

#[tokio::test]
async fn amounts_of_different_currencies_are_never_added() {
    let world = World::new().await;
    let order = world.order("US-1", &["10", "20"]);
    world.set_order(order, Some(2), "CurrencyCode", "\"EUR\"");
    let mend = |world: &World| world.set_order(order, Some(2), "CurrencyCode", "\"USD\"");
    is_held_until_mended(&world, order, Code::CurrencyMixed, mend).await;
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("30"));
    world.end().await;
}

#[tokio::test]
async fn an_invoice_of_another_currency_holds_its_order_and_nothing_else() {
    let world = World::new().await;
    let order = world.order("US-1", &["10"]);
    world.order("US-2", &["10"]);
    let invoice = world.invoice("INV-1", &[("US-1", "4")]);
    world.set_invoice(invoice, None, "InvoiceCurrency", "\"EUR\"");
    world.sync().await;
    assert_eq!(world.held().await, held(&[order, invoice], Code::CurrencyMixed));
    assert_eq!(world.tasks().len(), 1);
    world.set_invoice(invoice, None, "InvoiceCurrency", "\"USD\"");
    world.sync().await;
    assert_eq!(world.task("US-1").shows("invoiced_amount"), Some("4"));
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("10"));
    // the invoice brought the order's values; the order's own movement follows
    world.an_hour_later().await;
    assert!(world.held().await.is_empty(), "{:?}", world.held().await);
    world.end().await;
}

#[tokio::test]
async fn an_amount_of_more_than_28_digits_is_kept_as_text_and_held() {
    let world = World::new().await;
    let order = world.order("US-1", &["1"]);
    let text = "123456789012345678901234567890.12";
    world.set_order(order, Some(1), "Ordered", text);
    world.sync().await;
    assert_eq!(world.held().await, held(&[order], Code::NumberUnreadable));
    assert!(stored_order(&world, order).await.contains(text));
    world.set_amount(order, 1, "2");
    world.sync().await;
    assert_eq!(world.task("US-1").shows("line_item_amount"), Some("2"));
    world.end().await;
}

#[tokio::test]
async fn one_held_order_does_not_keep_the_others_back() {
    let world = World::new().await;
    let mut bad = Vec::new();
    for n in 0..30 {
        let amount = if n % 3 == 0 { HUGE } else { "5" };
        let order = world.order(&format!("US-{n}"), &[amount]);
        if n % 3 == 0 {
            bad.push(order);
        }
    }
    world.sync().await;
    assert_eq!(world.held().await, held(&bad, Code::TooManyDigits));
    assert_eq!(world.tasks().len(), 20);
    for order in bad {
        world.set_amount(order, 1, "6");
    }
    world.sync().await;
    assert!(world.held().await.is_empty());
    assert_eq!(world.tasks().len(), 30);
    world.end().await;
}
