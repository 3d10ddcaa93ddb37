//! Which page to ask for next, so that every row is read once although rows change meanwhile.
//!
//! Pages by offset are not stable: a row that is updated moves to the end of the order, and all rows behind
//! its old place move up by one. So paging goes by key: ordered by `(LastUpdateDate, id)`, the next page
//! starts at the second of the last row. What comes again of that second is dropped. Only where one second
//! fills a whole page is it read on by offset, and there each page has to begin with the last row of the page
//! before; if it does not, rows have moved, and the second is read again from its start.
//!
//! Points in time are asked for in whole seconds, since it is not documented whether a pod compares seconds or
//! milliseconds, nor how it rounds. Nothing here waits, sends or knows the time.
//!
//! A row without a date has no place in this order. One that comes with a page is told as fresh, but the pages behind
//! are asked for by date and leave out others like it: only a full scan by id reads them all.
//!
//! A row that becomes visible late, in the order before rows already read, is not found in the same poll. That
//! is what the overlap between polls is for.

mod by_id;
mod by_last_update;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

use crate::query::{Limit, Query};
use crate::resource::Resource;

/// How often one second may be read again from its start because rows moved.
const MAX_RESTARTS: u32 = 50;

/// What paging has to know of a row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RowKey {
    /// The row's id, in digits.
    pub id: String,
    /// `LastUpdateDate`.
    pub last_update: Option<Timestamp>,
}

/// In which order rows are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// What changed since a point in time, oldest first.
    ByLastUpdate,
    /// Everything, by id.
    ById,
}

/// What came of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Indexes of the rows not yet seen in this poll, or changed since they were. The others need no work.
    pub fresh: Vec<usize>,
    /// Whether that was the last page.
    pub done: bool,
}

/// Why paging cannot go on. Starting again with a new [`Keyset`] is always safe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeysetError {
    /// The server says that more rows exist, and sends none, or the same ones again.
    #[error("the server repeats itself instead of sending the next page")]
    Repeats,
    /// One second's rows kept moving while they were read.
    #[error("the rows of one second changed {MAX_RESTARTS} times while they were read")]
    Unstable,
    /// The rows of a page are not in the order asked for.
    #[error("the server does not order the rows as asked; see the row with id {id}")]
    Unordered {
        /// The first row out of order.
        id: String,
    },
    /// A row's id is not a number.
    #[error("`{id}` is not a numeric id")]
    BadId {
        /// The id.
        id: String,
    },
}

/// The state of one poll.
#[derive(Debug, Clone)]
pub struct Keyset(State);

#[derive(Debug, Clone)]
enum State {
    ByLastUpdate(Box<by_last_update::State>),
    ById(by_id::State),
}

impl Keyset {
    /// Reads what changed at or after `from`, or everything that has a date. `from` is the watermark less the
    /// overlap that the caller wants against rows that become visible late.
    #[must_use]
    pub fn by_last_update(from: Option<Timestamp>) -> Self {
        Self(State::ByLastUpdate(Box::new(by_last_update::State::new(from))))
    }

    /// Reads everything with an id greater than `after`, or everything. Changes meanwhile cannot shift this
    /// order.
    #[must_use]
    pub fn by_id(after: Option<String>) -> Self {
        Self(State::ById(by_id::State::new(after)))
    }

    /// The order of reading.
    #[must_use]
    pub fn order(&self) -> Order {
        match &self.0 {
            State::ByLastUpdate(_) => Order::ByLastUpdate,
            State::ById(_) => Order::ById,
        }
    }

    /// The next request to make. Children are not part of it; see [`Query::expanded`].
    #[must_use]
    pub fn query(&self, resource: Resource, limit: Limit) -> Query {
        match &self.0 {
            State::ByLastUpdate(state) => state.query(resource, limit),
            State::ById(state) => state.query(resource, limit),
        }
    }

    /// Takes in the answer to [`Keyset::query`]: all rows of the page, in their order.
    ///
    /// # Errors
    /// [`KeysetError`]; the state is then of no more use.
    pub fn accept(&mut self, rows: &[RowKey], has_more: bool) -> Result<Step, KeysetError> {
        if rows.is_empty() && has_more {
            return Err(KeysetError::Repeats);
        }
        match &mut self.0 {
            State::ByLastUpdate(state) => state.accept(rows, has_more),
            State::ById(state) => state.accept(rows, has_more),
        }
    }

    /// The last row in the order of reading that was told to be fresh. All rows in seconds before its own,
    /// or with smaller ids, have been told too: once they are stored, its date (or id) may become the
    /// watermark.
    #[must_use]
    pub fn last(&self) -> Option<&RowKey> {
        match &self.0 {
            State::ByLastUpdate(state) => state.last(),
            State::ById(state) => state.last(),
        }
    }
}
