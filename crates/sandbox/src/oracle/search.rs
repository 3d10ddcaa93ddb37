//! Which records a collection request finds, and in which order.

use std::cmp::Ordering;

use super::query::Filter;
use super::query::plan::{Bounds, plan};
use super::record::{Record, chance};
use super::schema::{Kind, Resource};
use super::table::{Slot, Table};
use super::value::Value;

/// One term of `orderBy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SortTerm {
    pub attribute: u8,
    pub descending: bool,
}

/// A page to find.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub filter: Option<Filter>,
    pub order: Vec<SortTerm>,
    pub limit: usize,
    pub offset: usize,
    pub count_all: bool,
}

/// What was found.
#[derive(Debug)]
pub(crate) struct Found<T> {
    pub page: Vec<T>,
    pub has_more: bool,
    pub total: Option<usize>,
}

/// Reads `orderBy=A:asc,B:desc`; names are case-sensitive.
pub(crate) fn read_order(resource: &Resource, text: &str) -> Result<Vec<SortTerm>, String> {
    text.split(',')
        .map(str::trim)
        .filter(|term| !term.is_empty())
        .map(|term| {
            let (name, direction) = term.split_once(':').unwrap_or((term, "asc"));
            let attribute = resource.attribute(name).ok_or_else(|| name.to_owned())?;
            match direction {
                "asc" => Ok(SortTerm { attribute, descending: false }),
                "desc" => Ok(SortTerm { attribute, descending: true }),
                other => Err(other.to_owned()),
            }
        })
        .collect()
}

/// Walks candidates in order and cuts out the page.
struct Cutter<T> {
    skip: usize,
    limit: usize,
    count_all: bool,
    seen: usize,
    page: Vec<T>,
}

impl<T> Cutter<T> {
    fn new(wanted: &Wanted) -> Self {
        Self {
            skip: wanted.offset,
            limit: wanted.limit,
            count_all: wanted.count_all,
            seen: 0,
            page: Vec::with_capacity(wanted.limit.min(1024)),
        }
    }

    /// Takes one; false when nothing further matters.
    fn take(&mut self, item: T) -> bool {
        if self.seen >= self.skip && self.page.len() < self.limit {
            self.page.push(item);
        }
        self.seen += 1;
        self.count_all || self.seen <= self.skip.saturating_add(self.limit)
    }

    fn finish(self) -> Found<T> {
        Found {
            has_more: self.seen > self.skip.saturating_add(self.page.len()),
            page: self.page,
            total: self.count_all.then_some(self.seen),
        }
    }
}

impl Table {
    pub(crate) fn search(&self, wanted: Wanted) -> Found<Slot> {
        let mut cutter = Cutter::new(&wanted);
        let plan = plan(self.resource, wanted.filter);
        let accepts = |record: &Record| {
            plan.time.contains(record.last_update())
                && plan.id.contains(record.id())
                && plan.residual.as_ref().is_none_or(|filter| filter.accepts(record))
        };
        let exact = plan.residual.is_none();
        let key_term = |descending| SortTerm { attribute: self.resource.key, descending };
        let time_term = self.resource.last_update.map(|attribute| SortTerm { attribute, descending: false });
        match wanted.order.as_slice() {
            [first, second] if Some(*first) == time_term && *second == key_term(false) => {
                let range = self.times(plan.time.low, plan.time.high);
                if exact && plan.id == Bounds::ALL {
                    return cut_range(range, &cutter, |(_, _, slot)| *slot);
                }
                self.walk(range.iter().map(|(_, _, slot)| *slot), &mut cutter, accepts);
            }
            [only] if *only == key_term(false) => {
                let range = self.ids(plan.id.low, plan.id.high);
                if exact && plan.time == Bounds::ALL {
                    return cut_range(range, &cutter, |(_, slot)| *slot);
                }
                self.walk(range.iter().map(|(_, slot)| *slot), &mut cutter, accepts);
            }
            [only] if *only == key_term(true) => {
                let range = self.ids(plan.id.low, plan.id.high);
                self.walk(range.iter().rev().map(|(_, slot)| *slot), &mut cutter, accepts);
            }
            [] if exact && plan.id == Bounds::ALL && plan.time == Bounds::ALL => {
                self.walk(self.unordered().iter().map(|(_, slot)| *slot), &mut cutter, accepts);
            }
            order => self.sort(order, plan.id, plan.time, accepts, &mut cutter),
        }
        cutter.finish()
    }

    fn walk(
        &self,
        slots: impl Iterator<Item = Slot>,
        cutter: &mut Cutter<Slot>,
        accepts: impl Fn(&Record) -> bool,
    ) {
        for slot in slots {
            if self.row(slot).is_some_and(|row| accepts(&row.record)) && !cutter.take(slot) {
                return;
            }
        }
    }

    fn sort(
        &self,
        order: &[SortTerm],
        id: Bounds,
        time: Bounds,
        accepts: impl Fn(&Record) -> bool,
        cutter: &mut Cutter<Slot>,
    ) {
        let slots: Vec<Slot> = if time == Bounds::ALL {
            self.ids(id.low, id.high).iter().map(|(_, slot)| *slot).collect()
        } else {
            self.times(time.low, time.high).iter().map(|(_, _, slot)| *slot).collect()
        };
        let mut found: Vec<(&Record, Slot)> = slots
            .into_iter()
            .filter_map(|slot| self.row(slot).map(|row| (&row.record, slot)))
            .filter(|(record, _)| accepts(record))
            .collect();
        found.sort_by(|(left, _), (right, _)| compare_records(order, left, right));
        for (_, slot) in found {
            if !cutter.take(slot) {
                return;
            }
        }
    }
}

/// The page of a range in which every entry belongs to the answer.
fn cut_range<T, S>(range: &[T], cutter: &Cutter<S>, slot: impl Fn(&T) -> S) -> Found<S> {
    let start = cutter.skip.min(range.len());
    let end = start.saturating_add(cutter.limit).min(range.len());
    Found {
        page: range[start..end].iter().map(slot).collect(),
        has_more: end < range.len(),
        total: cutter.count_all.then_some(range.len()),
    }
}

/// Finds among the children of a record; without an order they come as they stand.
pub(crate) fn search_list(records: &[Record], wanted: &Wanted) -> Found<usize> {
    let mut cutter = Cutter::new(wanted);
    let mut found: Vec<usize> = (0..records.len())
        .filter(|at| wanted.filter.as_ref().is_none_or(|filter| filter.accepts(&records[*at])))
        .collect();
    if !wanted.order.is_empty() {
        found.sort_by(|left, right| compare_records(&wanted.order, &records[*left], &records[*right]));
    }
    for at in found {
        if !cutter.take(at) {
            break;
        }
    }
    cutter.finish()
}

/// Ties are broken by chance, the same on every run: only a unique key makes an order.
fn compare_records(order: &[SortTerm], left: &Record, right: &Record) -> Ordering {
    for term in order {
        let kind = left.resource.attributes[usize::from(term.attribute)].kind;
        let ordering = compare_values(kind, left.get(term.attribute), right.get(term.attribute));
        let ordering = if term.descending { ordering.reverse() } else { ordering };
        if ordering.is_ne() {
            return ordering;
        }
    }
    chance(left).cmp(&chance(right))
}

/// Null stands last in ascending order, as in the database.
fn compare_values(kind: Kind, left: Option<&Value>, right: Option<&Value>) -> Ordering {
    let present = |value: Option<&Value>| value.is_some_and(|value| *value != Value::Null);
    match (left, right) {
        (Some(left), Some(right)) if *left != Value::Null && *right != Value::Null => {
            compare_present(kind, left, right)
        }
        _ => present(right).cmp(&present(left)),
    }
}

fn compare_present(kind: Kind, left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Id(a) | Value::Integer(a), Value::Id(b) | Value::Integer(b)) => a.cmp(b),
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        (Value::Date(a), Value::Date(b)) => a.cmp(b),
        (Value::Instant(a), Value::Instant(b)) => a.cmp(b),
        (Value::Flag(a), Value::Flag(b)) => a.cmp(b),
        (Value::Number(a) | Value::Raw(a), Value::Number(b) | Value::Raw(b)) if kind == Kind::Number => {
            let decimal = |text: &str| text.parse::<rust_decimal::Decimal>().unwrap_or_default();
            decimal(a).cmp(&decimal(b))
        }
        _ => Ordering::Equal,
    }
}
