//! What the values of a mapping can read: every attribute that Oracle describes, with what stands there in a stored record.

use oracle_fusion::{Description, RawValue, Resource};
use serde::Serialize;

use crate::engine::Engine;
use crate::error::Result;
use crate::feed::Feed;
use crate::mapping::path::Path;
use crate::store::connections::Connection;
use crate::store::documents;
use crate::trouble;

/// Children within children that are listed; no path is longer.
const MAX_DEPTH: usize = 7;
/// Stored records in which an example is looked for.
const LOOKED_AT: i64 = 25;

/// Something that a value can read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Readable {
    /// What `read` takes, such as `lines.schedules.PromisedDeliveryDate` or `invoices.InvoiceDate`.
    pub path: String,
    /// Its type in Oracle's words; nothing for a child that is named but not described.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// What stands there in a stored record; nothing where none has it, or it was not read along.
    pub example: Option<String>,
}

/// Everything that orders and invoices have as Oracle describes them, in its order.
///
/// # Errors
/// Failures of Oracle, of the vault and of the database.
pub async fn readable(engine: &Engine, connection: &Connection) -> Result<Vec<Readable>> {
    let clients = engine.connect(connection.clone()).await?;
    let mut all = Vec::new();
    for (feed, resource, prefix) in [
        (Feed::PurchaseOrders, Resource::PurchaseOrders, ""),
        (Feed::Invoices, Resource::Invoices, "invoices."),
    ] {
        let described = clients.fusion.describe(resource).await.map_err(trouble::oracle)?;
        let mut paths = Vec::new();
        list(&described, prefix, MAX_DEPTH, &mut paths);
        let stored = documents::some(&engine.db, connection.id, feed, LOOKED_AT).await?;
        let records: Vec<&RawValue> =
            stored.iter().filter_map(|document| serde_json::from_str(&document.body).ok()).collect();
        all.extend(paths.into_iter().map(|(path, kind)| {
            let example = example(&path, &records);
            Readable { path, kind, example }
        }));
    }
    Ok(all)
}

fn list(level: &Description, before: &str, depth: usize, paths: &mut Vec<(String, Option<String>)>) {
    let own = level.attributes.iter();
    paths.extend(own.map(|attribute| (format!("{before}{}", attribute.name), attribute.kind.clone())));
    let Some(depth) = depth.checked_sub(1) else { return };
    for (name, child) in &level.children {
        if *child == Description::default() {
            paths.push((format!("{before}{name}.…"), None));
        }
        list(child, &format!("{before}{name}."), depth, paths);
    }
}

/// The first text that one of the records has there.
fn example(path: &str, records: &[&RawValue]) -> Option<String> {
    let path = Path::parse(path).ok()?;
    records.iter().find_map(|record| {
        let mut found = Vec::new();
        path.read(record, &mut found);
        found.iter().map(|one| one.text().into_owned()).find(|text| !text.trim().is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_attribute_is_listed_with_what_stands_there() {
        let described = r#"{"attributes": [{"name": "OrderNumber", "type": "string"}, {"name": "Buyer"}],
            "children": {"lines": {"attributes": [{"name": "Price", "type": "number"}]}, "attachments": {}}}"#;
        let mut paths = Vec::new();
        list(&serde_json::from_str(described).unwrap(), "", MAX_DEPTH, &mut paths);
        let names: Vec<&str> = paths.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(names, ["OrderNumber", "Buyer", "attachments.…", "lines.Price"]);
        let records =
            [r#"{"OrderNumber": "US-1", "Buyer": null}"#, r#"{"Buyer": " ", "lines": [{"Price": 1.50}]}"#];
        let records: Vec<&RawValue> =
            records.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
        let examples: Vec<_> = names.iter().map(|path| example(path, &records)).collect();
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(examples, [some("US-1"), None, None, some("1.50")], "numbers as Oracle wrote them");
    }
}
