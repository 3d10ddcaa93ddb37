//! What to ask a collection for, and its text in the URL.
//!
//! The text is the rowmatch dialect of framework version 2 and later. Names are checked when they are made,
//! values are quoted and the whole is percent-encoded, so that no value can widen a query.

mod filter;
mod finder;
mod literal;
mod name;
mod render;
#[cfg(test)]
mod tests;

pub use filter::{Filter, Pattern, Value, Values, Wildcard};
pub use finder::Finder;
pub use literal::{DateTimeLiteral, Precision, Quoting, Zone};
pub(crate) use name::lies_below;
pub use name::{Attr, Digits, Expand, Fields};
pub(crate) use render::encode;

use crate::collection::Collection;

/// Why a part of a query was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// An attribute, child or finder name holds something that a name cannot.
    #[error("`{0}` is not an attribute, child or finder name")]
    Name(String),
    /// An id holds something other than digits, or far too many.
    #[error("an id must be 1 to 38 digits")]
    Id,
    /// A list that must hold something is empty.
    #[error("the list is empty")]
    Empty,
    /// A search text holds a wildcard, for which no escape is documented.
    #[error("a search text must not hold `*` or `%`")]
    Wildcard,
    /// A finder's value holds a character that separates finder values.
    #[error("a finder value must not hold quotes, `;`, `,`, `=` or control characters")]
    FinderValue,
}

/// How many rows to ask for in one page, 1 to 499; the server may return fewer.
///
/// 499 is the documented most
/// (<https://docs.oracle.com/en/cloud/saas/sales/faaps/Supported_HTTP_Methods.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Limit(u16);

impl Limit {
    /// One row.
    pub const ONE: Self = Self(1);
    /// 499 rows.
    pub const MAX: Self = Self(499);

    /// The nearest limit that is allowed.
    #[must_use]
    pub fn clamped(rows: u32) -> Self {
        Self(u16::try_from(rows.clamp(1, 499)).unwrap_or(Self::MAX.0))
    }

    /// The number of rows.
    #[must_use]
    pub fn get(self) -> u16 {
        self.0
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self::MAX
    }
}

/// Which way rows are ordered by an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Smallest first.
    Ascending,
    /// Largest first.
    Descending,
}

/// Which attributes and children come back. Oracle ignores `expand` beside `fields`, so it is one or the other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Selection {
    /// All attributes of the rows, no children.
    #[default]
    Rows,
    /// All attributes, and these children.
    Expand(Expand),
    /// These attributes only.
    Fields(Fields),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Links {
    /// `onlyData=true`.
    Left,
    /// `links=self`: each row says where it lives.
    Own,
}

/// One request for a page of a collection.
///
/// `totalResults` is never asked for: it can be wrong, and on large tables it can fail.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    collection: Collection,
    filter: Option<Filter>,
    order: Vec<(Attr, Direction)>,
    selection: Selection,
    finder: Option<Finder>,
    limit: Limit,
    offset: u64,
    datetime_literal: Option<DateTimeLiteral>,
    links: Links,
}

impl Query {
    /// Asks for the first 499 rows, in no order.
    #[must_use]
    pub fn new(collection: impl Into<Collection>) -> Self {
        Self {
            collection: collection.into(),
            filter: None,
            order: Vec::new(),
            selection: Selection::Rows,
            finder: None,
            limit: Limit::MAX,
            offset: 0,
            datetime_literal: None,
            links: Links::Left,
        }
    }

    /// Asks only for rows that match; with a filter already there, rows that match both.
    #[must_use]
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = Some(match self.filter.take() {
            Some(earlier) => earlier.and(filter),
            None => filter,
        });
        self
    }

    /// Orders by the attribute, after those already given.
    #[must_use]
    pub fn order_by(mut self, attr: Attr, direction: Direction) -> Self {
        self.order.push((attr, direction));
        self
    }

    /// Says which attributes and children come back.
    #[must_use]
    pub fn select(mut self, selection: Selection) -> Self {
        self.selection = selection;
        self
    }

    /// Selects the children that the typed records read:
    /// [`Resource::default_expand`](crate::Resource::default_expand). A [`Lookup`](crate::Lookup) has none.
    #[must_use]
    pub fn expanded(self) -> Self {
        self.expanding(None)
    }

    /// Selects the children as [`Query::expanded`] does, and after them further ones:
    /// `lines.schedules.distributions,lines.schedules.distributions.projectDFF`. Each is named once, in the order
    /// given; without further ones the request is the usual one, letter for letter. What comes of it is made
    /// whole by [`Fusion::complete_with`](crate::Fusion::complete_with) with the same further children.
    #[must_use]
    pub fn expanding(self, further: Option<&Expand>) -> Self {
        let children = match self.collection {
            Collection::Feed(resource) => resource.expand_with(further),
            Collection::Lookup(_) => further.cloned(),
        };
        self.select(children.map_or(Selection::Rows, Selection::Expand))
    }

    /// Uses a finder, which narrows the rows beside the filter.
    #[must_use]
    pub fn finder(mut self, finder: Finder) -> Self {
        self.finder = Some(finder);
        self
    }

    /// Asks for at most so many rows.
    #[must_use]
    pub fn limit(mut self, limit: Limit) -> Self {
        self.limit = limit;
        self
    }

    /// Skips so many rows.
    #[must_use]
    pub fn offset(mut self, rows: u64) -> Self {
        self.offset = rows;
        self
    }

    /// Writes points in time in this form instead of the client's.
    #[must_use]
    pub fn datetime_literal(mut self, literal: DateTimeLiteral) -> Self {
        self.datetime_literal = Some(literal);
        self
    }

    /// Leaves each row's own address in the answer instead of no links at all.
    pub(crate) fn with_own_links(mut self) -> Self {
        self.links = Links::Own;
        self
    }

    /// The collection asked.
    #[must_use]
    pub fn collection(&self) -> Collection {
        self.collection
    }

    /// The filter, if any.
    #[must_use]
    pub fn get_filter(&self) -> Option<&Filter> {
        self.filter.as_ref()
    }

    /// The rows skipped.
    #[must_use]
    pub fn get_offset(&self) -> u64 {
        self.offset
    }

    /// The URL's query part, percent-encoded. `literal` is used unless the query has one of its own.
    #[must_use]
    pub fn to_query_string(&self, literal: DateTimeLiteral) -> String {
        render::query_string(self, self.datetime_literal.unwrap_or(literal))
    }
}
