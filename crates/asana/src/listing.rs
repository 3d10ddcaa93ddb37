//! Reading listings page by page.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::config::Kind;
use crate::error::Error;
use crate::record::null_as_default;
use crate::transport::{Call, Transport};

/// Rows per page: the most that Asana gives.
pub(crate) const PAGE_ROWS: &str = "100";

/// Most pages read in one listing, so that a page token that leads in a circle comes to an end.
const MAX_PAGES: usize = 1_000;

/// The envelope of every answer with one record.
#[derive(Deserialize)]
pub(crate) struct One<T> {
    pub(crate) data: T,
}

/// The envelope of every answer with a page of records.
#[derive(Deserialize)]
pub(crate) struct Page<T> {
    pub(crate) data: Vec<T>,
    #[serde(default, deserialize_with = "null_as_default")]
    next_page: NextPage,
}

#[derive(Default, Deserialize)]
struct NextPage {
    #[serde(default)]
    offset: Option<String>,
}

impl<T> Page<T> {
    /// Token of the next page; `None` on the last one.
    pub(crate) fn next(&mut self) -> Option<String> {
        self.next_page.offset.take().filter(|offset| !offset.is_empty())
    }
}

impl Transport {
    /// Reads one page; the query gets `limit` and `offset` besides.
    pub(crate) async fn page<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &[&str],
        query: &[(&str, &str)],
        offset: Option<&str>,
    ) -> Result<Page<T>, Error> {
        let mut query = query.to_vec();
        query.push(("limit", PAGE_ROWS));
        query.extend(offset.map(|offset| ("offset", offset)));
        let call = Call {
            operation,
            method: reqwest::Method::GET,
            kind: Kind::Listing,
            path,
            query: &query,
            body: None,
        };
        self.send(&call).await?.parse()
    }

    /// Reads a whole listing. Page tokens expire; then it starts again from the first page, once.
    pub(crate) async fn all<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Vec<T>, Error> {
        match self.all_pages(operation, path, query).await {
            Err(error) if error.is_invalid_offset() => {
                tracing::debug!(operation, "a page token expired; the listing starts again");
                self.all_pages(operation, path, query).await
            }
            result => result,
        }
    }

    async fn all_pages<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Vec<T>, Error> {
        let mut rows = Vec::new();
        let mut offset: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let mut page = self.page::<T>(operation, path, query, offset.as_deref()).await?;
            let next = page.next();
            rows.append(&mut page.data);
            if next.is_none() {
                return Ok(rows);
            }
            if next == offset {
                break;
            }
            offset = next;
        }
        Err(Error::Malformed { operation, status: 200, reason: "the pages of the listing do not end".into() })
    }
}
