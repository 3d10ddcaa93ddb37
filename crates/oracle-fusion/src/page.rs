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
    fn an_answer_cut_off_is_worth_asking_for_again() {
        for body in [&br#"{"items":[{"a":1},{"b"#[..], b""] {
            let error = Page::read("invoices", body).unwrap_err();
            assert_eq!((error.kind(), error.is_transient()), (ErrorKind::Malformed, true));
        }
    }
}
