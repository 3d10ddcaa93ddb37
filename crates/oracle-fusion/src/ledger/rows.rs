//! Reading all rows that match, within a bound.

use std::collections::HashSet;

use serde_json::value::RawValue;

use crate::client::Fusion;
use crate::error::Error;
use crate::query::Query;

/// Reads page after page until the server says that there are no more.
///
/// The rows are not ordered, since it is not documented by what these collections can be; see [`check_distinct`].
pub(super) async fn all(fusion: &Fusion, query: Query, most: usize) -> Result<Vec<Box<RawValue>>, Error> {
    let name = query.collection().name();
    let mut rows = Vec::new();
    loop {
        let skipped = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        let page = fusion.page(&query.clone().offset(skipped)).await?;
        if page.has_more && page.items.is_empty() {
            return Err(Error::incomplete(name, "the server says that more rows exist, and sends none"));
        }
        rows.extend(page.items);
        if rows.len() > most {
            return Err(Error::incomplete(name, format_args!("more than {most} rows match")));
        }
        if !page.has_more {
            return Ok(rows);
        }
    }
}

/// Refuses rows of which one came twice: they moved between two pages, and for each that came twice another did
/// not come at all. As long as the number of rows stays the same, this finds every row that was missed.
pub(super) fn check_distinct<'a>(
    name: &'static str,
    keys: impl Iterator<Item = &'a str>,
) -> Result<(), Error> {
    let mut seen = HashSet::new();
    for key in keys {
        if !seen.insert(key) {
            return Err(Error::incomplete(name, "rows moved while they were read"));
        }
    }
    Ok(())
}
