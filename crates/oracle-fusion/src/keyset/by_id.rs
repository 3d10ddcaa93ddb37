//! A full scan by id.

use std::cmp::Ordering;

use super::{KeysetError, RowKey, Step};
use crate::query::{Direction, Filter, Limit, Query, Value};
use crate::resource::Resource;

#[derive(Debug, Clone)]
pub(super) struct State {
    after: Option<String>,
    last: Option<RowKey>,
}

impl State {
    pub fn new(after: Option<String>) -> Self {
        Self { after, last: None }
    }

    pub fn query(&self, resource: Resource, limit: Limit) -> Query {
        let id = resource.id_attribute();
        let query = Query::new(resource).limit(limit).order_by(id.clone(), Direction::Ascending);
        match &self.after {
            // an id that is not digits is quoted, and for the server to refuse
            Some(after) => {
                query.filter(Filter::Gt(id, Value::id(after).unwrap_or_else(|_| Value::text(after))))
            }
            None => query,
        }
    }

    pub fn accept(&mut self, rows: &[RowKey], has_more: bool) -> Result<Step, KeysetError> {
        for row in rows {
            if row.id.is_empty() || !row.id.bytes().all(|b| b.is_ascii_digit()) {
                return Err(KeysetError::BadId { id: row.id.clone() });
            }
        }
        for pair in rows.windows(2) {
            if compare(&pair[0].id, &pair[1].id) != Ordering::Less {
                return Err(KeysetError::Unordered { id: pair[1].id.clone() });
            }
        }
        let is_new = |row: &RowKey| {
            self.after.as_ref().is_none_or(|after| compare(&row.id, after) == Ordering::Greater)
        };
        let fresh: Vec<usize> = (0..rows.len()).filter(|index| is_new(&rows[*index])).collect();
        match fresh.last() {
            Some(last) => {
                self.after = Some(rows[*last].id.clone());
                self.last = Some(rows[*last].clone());
            }
            // the place did not move, so asking again would bring the same page
            None if has_more => return Err(KeysetError::Repeats),
            None => {}
        }
        Ok(Step { fresh, done: !has_more })
    }

    pub fn last(&self) -> Option<&RowKey> {
        self.last.as_ref()
    }
}

/// Compares digits as numbers of any length.
fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}
