//! What changed since a point in time.

use std::collections::HashMap;

use jiff::Timestamp;

use super::{KeysetError, MAX_RESTARTS, RowKey, Step};
use crate::query::{Attr, Direction, Filter, Limit, Query, Value};
use crate::resource::Resource;

/// Whole seconds since 1970, rounded down.
type Second = i64;

/// Where in the rows since `from` the next page is asked.
#[derive(Debug, Clone)]
enum Place {
    /// At the first row.
    Start,
    /// At the last row read, which has to come again as the first of its page.
    At(Anchor),
    /// Behind the last row read, since the server sends one row at a time and the one read would be all of
    /// the page.
    Behind(Anchor),
    /// At the row before what was read last: had rows moved, it would not be there any more.
    Check(Anchor, Next),
}

/// A row and the offset at which it stood.
#[derive(Debug, Clone)]
struct Anchor {
    row: RowKey,
    offset: u64,
}

/// How to go on after a check that found nothing moved.
#[derive(Debug, Clone)]
enum Next {
    Behind(Anchor),
    From(Second),
    End,
}

#[derive(Debug, Clone)]
pub(super) struct State {
    from: Option<Second>,
    place: Place,
    /// The rows of the second `from` that were told to be fresh, with the date they had. Rows of earlier
    /// seconds cannot come again.
    seen: HashMap<String, Timestamp>,
    /// The first row of the second `from`.
    first: Option<RowKey>,
    restarts: u32,
    /// How often since the last fresh row a page at an offset began with the first row of all.
    repeats: u32,
    last: Option<RowKey>,
}

impl State {
    pub fn new(from: Option<Timestamp>) -> Self {
        Self {
            from: from.map(second),
            place: Place::Start,
            seen: HashMap::new(),
            first: None,
            restarts: 0,
            repeats: 0,
            last: None,
        }
    }

    pub fn last(&self) -> Option<&RowKey> {
        self.last.as_ref()
    }

    pub fn query(&self, resource: Resource, limit: Limit) -> Query {
        let (offset, limit) = match &self.place {
            Place::Start => (0, limit),
            Place::At(anchor) => (anchor.offset, limit),
            Place::Behind(anchor) => (anchor.offset + 1, limit),
            Place::Check(anchor, _) => (anchor.offset, Limit::ONE),
        };
        let query = Query::new(resource)
            .order_by(Attr::last_update(), Direction::Ascending)
            .order_by(resource.id_attribute(), Direction::Ascending)
            .limit(limit)
            .offset(offset);
        match self.from.and_then(|second| Timestamp::from_second(second).ok()) {
            Some(from) => query.filter(Filter::Ge(Attr::last_update(), Value::Timestamp(from))),
            None => query,
        }
    }

    pub fn accept(&mut self, rows: &[RowKey], has_more: bool) -> Result<Step, KeysetError> {
        let dates = dates(rows, self.from)?;
        match std::mem::replace(&mut self.place, Place::Start) {
            Place::Start => {
                self.first = rows.first().cloned();
                Ok(self.read(rows, &dates, 0, 0, has_more))
            }
            Place::At(anchor) => {
                if rows.first() != Some(&anchor.row) {
                    return self.restart(rows);
                }
                if rows.len() == 1 && has_more {
                    self.place = Place::Behind(anchor);
                    return Ok(Step { fresh: Vec::new(), done: false });
                }
                Ok(self.read(rows, &dates, 1, anchor.offset, has_more))
            }
            Place::Behind(anchor) => self.read_behind(rows, &dates, anchor, has_more),
            Place::Check(anchor, next) => {
                if rows.first() != Some(&anchor.row) {
                    return self.restart(rows);
                }
                let done = matches!(next, Next::End);
                match next {
                    Next::Behind(anchor) => self.place = Place::Behind(anchor),
                    Next::From(second) => self.advance(second),
                    Next::End => {}
                }
                Ok(Step { fresh: Vec::new(), done })
            }
        }
    }

    /// A page known to continue what was read: `rows` stand at `offset`, the first `skip` of them are known.
    fn read(
        &mut self,
        rows: &[RowKey],
        dates: &[Timestamp],
        skip: usize,
        offset: u64,
        has_more: bool,
    ) -> Step {
        let fresh = self.note(rows, dates, skip);
        if let (true, Some(row), Some(date)) = (has_more, rows.last(), dates.last()) {
            let whole_page_in_one_second = dates.first().is_some_and(|first| second(*first) == second(*date));
            let later = self.from.is_none_or(|from| second(*date) > from);
            if later {
                self.advance(second(*date));
            }
            // the rows of a page that holds one second only are the first of that second
            if !later || (whole_page_in_one_second && skip == 0) {
                let anchor = Anchor { row: row.clone(), offset: offset + rows.len() as u64 - 1 };
                self.first = self.first.take().or_else(|| rows.first().cloned());
                self.place = if rows.len() == 1 { Place::Behind(anchor) } else { Place::At(anchor) };
            }
        }
        Step { fresh, done: !has_more }
    }

    /// A page that was asked for without its anchor. Only rows of the second being read count, until a look
    /// at the anchor has shown that none was skipped.
    fn read_behind(
        &mut self,
        rows: &[RowKey],
        dates: &[Timestamp],
        anchor: Anchor,
        has_more: bool,
    ) -> Result<Step, KeysetError> {
        if rows.first() == Some(&anchor.row) {
            return self.restart(rows);
        }
        let here =
            dates.iter().take_while(|date| self.from.is_none_or(|from| second(**date) <= from)).count();
        let next = match (dates.get(here), rows.get(here.wrapping_sub(1))) {
            (Some(later), _) => Next::From(second(*later)),
            (None, Some(row)) if has_more => {
                Next::Behind(Anchor { row: row.clone(), offset: anchor.offset + here as u64 })
            }
            (None, _) => Next::End,
        };
        let fresh = self.note(&rows[..here], &dates[..here], 0);
        self.place = Place::Check(anchor, next);
        Ok(Step { fresh, done: false })
    }

    /// Remembers the rows and tells which are fresh. Rows before the second asked for do not count: a server
    /// that compares more coarsely sends them again and again.
    fn note(&mut self, rows: &[RowKey], dates: &[Timestamp], skip: usize) -> Vec<usize> {
        let mut fresh = Vec::new();
        for (index, (row, date)) in rows.iter().zip(dates).enumerate().skip(skip) {
            let asked_for = self.from.is_none_or(|from| second(*date) >= from);
            if asked_for && self.seen.insert(row.id.clone(), *date) != Some(*date) {
                fresh.push(index);
                if self.last.as_ref().is_none_or(|last| last.last_update <= row.last_update) {
                    self.last = Some(row.clone());
                }
            }
        }
        if !fresh.is_empty() {
            self.repeats = 0;
        }
        fresh
    }

    /// Goes on from a later second; what was seen of earlier ones cannot come again.
    fn advance(&mut self, to: Second) {
        self.from = Some(to);
        self.place = Place::Start;
        self.seen.retain(|_, date| second(*date) >= to);
        self.first = None;
        self.restarts = 0;
        self.repeats = 0;
    }

    /// Rows have moved: reads the second again from its start. Nothing of this page counts, since rows
    /// before it may have been skipped.
    fn restart(&mut self, rows: &[RowKey]) -> Result<Step, KeysetError> {
        if !rows.is_empty() && rows.first() == self.first.as_ref() {
            self.repeats += 1;
            if self.repeats == 2 {
                return Err(KeysetError::Repeats);
            }
        }
        self.restarts += 1;
        if self.restarts > MAX_RESTARTS {
            return Err(KeysetError::Unstable);
        }
        self.place = Place::Start;
        Ok(Step { fresh: Vec::new(), done: false })
    }
}

fn second(at: Timestamp) -> Second {
    let second = at.as_second();
    // as_second rounds towards 1970
    if at.subsec_nanosecond() < 0 { second - 1 } else { second }
}

/// The rows' dates, which must not go back from one second to an earlier one. A row without one counts as of the date
/// before it, else of the next, else of the second asked for: it moves the place in the order nowhere.
fn dates(rows: &[RowKey], from: Option<Second>) -> Result<Vec<Timestamp>, KeysetError> {
    let asked = from.and_then(|second| Timestamp::from_second(second).ok());
    let first = rows.iter().find_map(|row| row.last_update).or(asked).unwrap_or(Timestamp::UNIX_EPOCH);
    let mut before = first;
    let mut dates = Vec::with_capacity(rows.len());
    for row in rows {
        let date = row.last_update.unwrap_or(before);
        if second(before) > second(date) {
            return Err(KeysetError::Unordered { id: row.id.clone() });
        }
        dates.push(date);
        before = date;
    }
    Ok(dates)
}
