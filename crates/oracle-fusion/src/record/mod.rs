//! Typed views of one raw record.
//!
//! Every attribute is optional but the record's id, and unknown ones are passed over, since Oracle adds
//! attributes with each quarterly release. Amounts stay text ([`Number`](crate::Number)).

mod children;
mod invoice;
mod purchase_order;
mod supplier;

use serde::Deserialize;
use serde_json::value::RawValue;

pub use invoice::{Invoice, InvoiceLine};
pub use purchase_order::{Distribution, PurchaseOrder, PurchaseOrderLine, Schedule};
pub use supplier::Supplier;

use crate::keyset::RowKey;
use crate::resource::Resource;
use crate::scalar;

/// An attribute of a record that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct RecordError {
    /// Where it stands, as `lines[2].Total`.
    pub path: String,
    /// What is wrong with it. The value itself is not told.
    pub problem: String,
}

impl RecordError {
    pub(crate) fn missing(attribute: &str) -> Self {
        Self { path: attribute.to_owned(), problem: "the record has no id".to_owned() }
    }
}

pub(crate) fn read<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Result<T, RecordError> {
    serde_json::from_str(raw.get()).or_else(|_| explain(raw))
}

/// Reads a record that failed once more, this time following the path; that would slow down all others.
fn explain<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Result<T, RecordError> {
    serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(raw.get())).map_err(|error| {
        // the `items` of a child is a matter of form
        let path = error.path().to_string().replace(".items[", "[");
        let path = if path == "." { "record".to_owned() } else { path };
        let problem = error.into_inner().to_string();
        let problem =
            problem.rsplit_once(" at line ").map_or(problem.as_str(), |(problem, _)| problem).to_owned();
        RecordError { path, problem }
    })
}

#[derive(Deserialize)]
struct Id(#[serde(deserialize_with = "scalar::id")] Option<String>);

#[derive(Deserialize)]
struct OrderKey {
    #[serde(rename = "POHeaderId", default, deserialize_with = "scalar::id")]
    id: Option<String>,
    #[serde(rename = "LastUpdateDate", default, deserialize_with = "scalar::timestamp")]
    last_update: Option<jiff::Timestamp>,
}

#[derive(Deserialize)]
struct InvoiceKey {
    #[serde(rename = "InvoiceId", default, deserialize_with = "scalar::id")]
    id: Option<String>,
    #[serde(rename = "LastUpdateDate", default, deserialize_with = "scalar::timestamp")]
    last_update: Option<jiff::Timestamp>,
}

#[derive(Deserialize)]
struct SupplierKey {
    #[serde(rename = "SupplierId", default, deserialize_with = "scalar::id")]
    id: Option<String>,
    #[serde(rename = "LastUpdateDate", default, deserialize_with = "scalar::timestamp")]
    last_update: Option<jiff::Timestamp>,
}

impl RowKey {
    /// Reads no more of a record than its id and date.
    ///
    /// # Errors
    /// [`RecordError`] when the id is missing or either cannot be read.
    pub fn read(resource: Resource, raw: &RawValue) -> Result<Self, RecordError> {
        let (id, last_update) = match resource {
            Resource::PurchaseOrders => {
                let key: OrderKey = read(raw)?;
                (key.id, key.last_update)
            }
            Resource::Invoices => {
                let key: InvoiceKey = read(raw)?;
                (key.id, key.last_update)
            }
            Resource::Suppliers => {
                let key: SupplierKey = read(raw)?;
                (key.id, key.last_update)
            }
        };
        let id = id.ok_or_else(|| RecordError::missing(resource.id_attribute().as_str()))?;
        Ok(Self { id, last_update })
    }

    /// Reads no more of a record than its id, whatever its date is.
    pub(crate) fn undated(resource: Resource, raw: &RawValue) -> Result<Self, RecordError> {
        let attribute = resource.id_attribute();
        let members: std::collections::HashMap<String, &RawValue> = read(raw)?;
        let id = members.get(attribute.as_str()).map(|id| read::<Id>(id)).transpose()?;
        let id = id.and_then(|Id(id)| id).ok_or_else(|| RecordError::missing(attribute.as_str()))?;
        Ok(Self { id, last_update: None })
    }
}
