//! From a raw record to what is stored of it.

use oracle_fusion::{Invoice, PurchaseOrder, RawValue, RowKey};
use sha2::{Digest, Sha256};

use crate::charge_account::AccountLayout;
use crate::feed::Feed;
use crate::record::{InvoiceFacts, OrderFacts, fingerprint};
use crate::store::documents::Incoming;

/// Reads a record as far as storing needs it. One that cannot be read is stored all the same, with a
/// fingerprint over its whole text; its movement is then held with the reason.
#[must_use]
pub fn prepare(feed: Feed, key: &RowKey, raw: Box<RawValue>, layout: &AccountLayout) -> Incoming {
    let mut incoming = Incoming {
        source_id: key.id.clone(),
        order_number: None,
        last_update: key.last_update,
        fingerprint: Vec::new(),
        digest: short_digest(raw.get()),
        body: String::new(),
    };
    match feed {
        Feed::PurchaseOrders => {
            if let Ok(order) = PurchaseOrder::parse(&raw) {
                let facts = OrderFacts::of(order, layout);
                incoming.fingerprint = fingerprint(&facts);
                incoming.order_number = Some(facts.number);
            }
        }
        Feed::Invoices => {
            if let Ok(invoice) = Invoice::parse(&raw) {
                let facts = InvoiceFacts::of(invoice);
                incoming.fingerprint = fingerprint(&facts);
                incoming.order_number =
                    Some(facts.order_numbers().join("\n")).filter(|numbers| !numbers.is_empty());
            }
        }
    }
    if incoming.fingerprint.is_empty() {
        incoming.fingerprint = incoming.digest.clone();
    }
    incoming.body = String::from(Box::<str>::from(raw));
    incoming
}

/// The digest over a record's whole text.
pub(crate) fn short_digest(text: &str) -> Vec<u8> {
    Sha256::digest(text)[..16].to_vec()
}
