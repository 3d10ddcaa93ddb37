//! What Oracle answers: pages, records, callbacks and logs.

use connector::charge_account::AccountLayout;
use connector::record::{self, InvoiceFacts, OrderFacts};
use oracle_fusion::{Invoice, Number, Page, PurchaseOrder, RawValue, Resource, RowKey};

/// The input is a page, a record and a callback.
pub fn check(input: &[u8]) {
    let _ = oracle_fusion::parse_callback(input);
    if let Ok(page) = Page::read("purchaseOrders", input) {
        assert_eq!(page.count, page.items.len());
        for item in &page.items {
            record(item);
        }
    }
    let text = String::from_utf8_lossy(input).into_owned();
    if let Ok(raw) = RawValue::from_string(text) {
        record(&raw);
    }
}

fn record(raw: &RawValue) {
    for resource in [Resource::PurchaseOrders, Resource::Invoices] {
        let _ = RowKey::read(resource, raw);
    }
    let _ = oracle_fusion::is_truncated(raw);
    if let Ok(order) = PurchaseOrder::parse(raw) {
        exact(raw, order.total.as_ref());
        for line in &order.lines {
            exact(raw, line.ordered.as_ref());
        }
        let facts =
            || OrderFacts::of(PurchaseOrder::parse(raw).expect("read before"), &AccountLayout::default());
        assert_eq!(record::fingerprint(&facts()), record::fingerprint(&facts()));
    }
    if let Ok(invoice) = Invoice::parse(raw) {
        exact(raw, invoice.amount.as_ref());
        let facts = InvoiceFacts::of(invoice);
        assert!(facts.order_numbers().iter().all(|number| !number.is_empty()));
    }
}

/// The digits of an amount are those of the text.
fn exact(raw: &RawValue, number: Option<&Number>) {
    let Some(number) = number else { return };
    assert!(raw.get().contains(number.as_str()), "{number:?} stands nowhere in the record");
    let _ = number.to_decimal();
}
