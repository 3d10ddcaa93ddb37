//! From a raw record to what is stored of it.

use oracle_fusion::{Invoice, RawValue, RowKey};
use sha2::{Digest, Sha256};

use crate::feed::Feed;
use crate::mapping::path;
use crate::record::{InvoiceFacts, OrderFacts, Reading, fingerprint};
use crate::store::documents::Incoming;

/// Reads a record as far as storing needs it. One that cannot be read is stored all the same, with a
/// fingerprint over its whole text; its movement is then held with the reason.
#[must_use]
pub fn prepare(feed: Feed, key: &RowKey, raw: Box<RawValue>, reading: &Reading) -> Incoming {
    let mut incoming = Incoming {
        source_id: key.id.clone(),
        order_number: None,
        supplier: None,
        supplier_number: None,
        invoice_number: None,
        last_update: key.last_update,
        fingerprint: Vec::new(),
        digest: short_digest(raw.get()),
        body: String::new(),
    };
    if let Some(used) = used(feed, &raw, reading) {
        incoming.fingerprint = used.fingerprint;
        incoming.order_number = used.order_number;
        incoming.supplier = used.supplier.map(storable);
        incoming.supplier_number = used.supplier_number.map(storable);
        incoming.invoice_number = used.invoice_number.map(storable);
    } else {
        incoming.fingerprint = incoming.digest.clone();
    }
    incoming.body = String::from(Box::<str>::from(raw));
    incoming
}

/// The key of a record that has no id: by its text, so that it is stored once, held by its movement, and seen by
/// whoever looks at the log. No id of Oracle's looks like it.
pub(crate) fn nameless(raw: &RawValue) -> RowKey {
    let digest = short_digest(raw.get());
    let id = digest.iter().fold(NAMELESS.to_owned(), |id, byte| format!("{id}{byte:02x}"));
    RowKey { id, last_update: None }
}

/// What the key of a record without an id begins with.
const NAMELESS: &str = "nameless/";

/// PostgreSQL stores no NUL in a text; in the body it is an escape.
fn storable(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "") } else { text }
}

/// What storing uses of a record.
struct Used {
    fingerprint: Vec<u8>,
    /// A line each.
    order_number: Option<String>,
    supplier: Option<String>,
    supplier_number: Option<String>,
    invoice_number: Option<String>,
}

/// `None` when the record cannot be read.
fn used(feed: Feed, raw: &RawValue, reading: &Reading) -> Option<Used> {
    Some(match feed {
        Feed::PurchaseOrders => {
            let facts = OrderFacts::read(raw, reading).ok()?;
            Used {
                fingerprint: fingerprint(&facts),
                order_number: Some(facts.number),
                supplier: facts.supplier,
                supplier_number: None,
                invoice_number: None,
            }
        }
        Feed::Invoices => {
            let mut invoice = Invoice::parse(raw).ok()?;
            let supplier_number = invoice.supplier_number.take();
            let mut facts = InvoiceFacts::of(invoice);
            facts.read = path::of_record(raw, &reading.paths, true);
            let numbers = facts.order_numbers().join("\n");
            Used {
                fingerprint: fingerprint(&facts),
                order_number: Some(numbers).filter(|numbers| !numbers.is_empty()),
                supplier: facts.supplier,
                supplier_number,
                invoice_number: facts.number,
            }
        }
    })
}

/// The fingerprint that [`prepare`] gives a record with this text.
pub(crate) fn fingerprint_of(feed: Feed, body: &str, reading: &Reading) -> Vec<u8> {
    serde_json::from_str::<&RawValue>(body)
        .ok()
        .and_then(|raw| used(feed, raw, reading))
        .map_or_else(|| short_digest(body), |used| used.fingerprint)
}

/// The digest over a record's whole text.
pub(crate) fn short_digest(text: &str) -> Vec<u8> {
    Sha256::digest(text)[..16].to_vec()
}
