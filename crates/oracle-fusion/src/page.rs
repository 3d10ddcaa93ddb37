//! One page of a collection, with each row as its raw text.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::Error;
use crate::keyset::RowKey;
use crate::record::RecordError;
use crate::resource::Resource;

/// A page.
#[derive(Debug)]
pub struct Page {
    /// The rows' raw texts.
    pub items: Vec<Box<RawValue>>,
    /// How many rows came. This is what to go on by: the server may return fewer than asked for.
    pub count: usize,
    /// Whether more rows exist; the only sign of the end.
    pub has_more: bool,
    /// The page size that the server used.
    pub limit: u64,
    /// The rows that were skipped.
    pub offset: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    items: Vec<Box<RawValue>>,
    has_more: bool,
    #[serde(default)]
    limit: u64,
    #[serde(default)]
    offset: u64,
}

impl Page {
    /// Reads the body of an answer; `resource` names the collection in an error.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn read(resource: &'static str, body: &[u8]) -> Result<Self, Error> {
        let body: Body = serde_json::from_slice(body).map_err(|error| Error::malformed(resource, &error))?;
        let Body { items, has_more, limit, offset } = body;
        Ok(Self { count: items.len(), items, has_more, limit, offset })
    }

    /// The rows' ids and dates, for [`Keyset::accept`](crate::keyset::Keyset::accept).
    ///
    /// # Errors
    /// [`RecordError`] when a row has no id or a date that cannot be read.
    pub fn keys(&self, resource: Resource) -> Result<Vec<RowKey>, RecordError> {
        self.items.iter().map(|item| RowKey::read(resource, item)).collect()
    }

    /// As [`Page::keys`], but one row that has no id, or whose date cannot be read, does not stop the others. A date that
    /// cannot be read counts as none.
    ///
    /// # Errors
    /// [`RecordError`] when there are rows, and none has an id: then there is no place from which to go on.
    pub fn placed(&self, resource: Resource) -> Result<Placed, RecordError> {
        let mut placed = Placed::default();
        let mut first = None;
        for (at, item) in self.items.iter().enumerate() {
            match RowKey::read(resource, item).or_else(|_| RowKey::undated(resource, item)) {
                Ok(key) => {
                    placed.keys.push(key);
                    placed.at.push(at);
                }
                Err(error) => {
                    placed.nameless.push(at);
                    first.get_or_insert(error);
                }
            }
        }
        match first {
            Some(error) if placed.keys.is_empty() => Err(error),
            _ => Ok(placed),
        }
    }
}

/// The rows of a page, by whether they have an id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Placed {
    /// Ids and dates of the rows that have one, for [`Keyset::accept`](crate::keyset::Keyset::accept).
    pub keys: Vec<RowKey>,
    /// Where each of these stands among the page's items.
    pub at: Vec<usize>,
    /// Where the others stand.
    pub nameless: Vec<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn rows_keep_their_text() {
        let body = br#"{"items":[{"Total":1.10},{"Total":1e3}],"count":7,"hasMore":true,"limit":25,"offset":50,"links":[]}"#;
        let page = Page::read("invoices", body).unwrap();
        assert_eq!(
            page.items.iter().map(|row| row.get()).collect::<Vec<_>>(),
            [r#"{"Total":1.10}"#, r#"{"Total":1e3}"#]
        );
        assert_eq!((page.count, page.has_more, page.limit, page.offset), (2, true, 25, 50));
    }

    #[test]
    fn an_answer_that_does_not_say_whether_more_exist_is_not_the_end() {
        let error = Page::read("invoices", br#"{"items":[]}"#).unwrap_err();
        assert_eq!((error.kind(), error.is_transient()), (ErrorKind::Malformed, false));
    }

    #[test]
    fn a_row_without_an_id_does_not_stop_the_others_unless_none_has_one() {
        let page = |rows: &str| {
            Page::read("invoices", format!("{{\"items\":[{rows}],\"hasMore\":false}}").as_bytes())
        };
        let placed = |rows| page(rows).unwrap().placed(Resource::Invoices);
        let rows = r#"{"InvoiceId":7,"LastUpdateDate":"2026-05-04T08:00:00+00:00"},{"InvoiceId":null},{"InvoiceId":{}},
            {"InvoiceId":9,"LastUpdateDate":"yesterday"}"#;
        let found = placed(rows).unwrap();
        let keys: Vec<_> =
            found.keys.iter().map(|key| (key.id.as_str(), key.last_update.is_some())).collect();
        assert_eq!((keys, found.at), (vec![("7", true), ("9", false)], vec![0, 3]));
        assert_eq!(found.nameless, [1, 2]);
        assert!(page(rows).unwrap().keys(Resource::Invoices).is_err());
        assert!(placed(r#"{"InvoiceId":null},{"Other":1}"#).is_err());
        assert_eq!(placed("").unwrap(), Placed::default());
    }

    #[test]
    fn an_answer_cut_off_is_worth_asking_for_again() {
        for body in [&br#"{"items":[{"a":1},{"b"#[..], b""] {
            let error = Page::read("invoices", body).unwrap_err();
            assert_eq!((error.kind(), error.is_transient()), (ErrorKind::Malformed, true));
        }
    }
}
