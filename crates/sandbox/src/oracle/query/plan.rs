//! What an index can answer of a filter: bounds on `LastUpdateDate` and on the key.

use super::literal::Literal;
use super::{Comparison, Condition, Filter, Test};
use crate::oracle::schema::Resource;

/// Half-open bounds: `low <= value < high`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub low: i64,
    pub high: i64,
}

impl Bounds {
    pub(crate) const ALL: Self = Self { low: i64::MIN, high: i64::MAX };

    pub(crate) fn contains(self, value: i64) -> bool {
        (self.low..self.high).contains(&value)
    }

    fn intersect(self, other: Self) -> Self {
        Self { low: self.low.max(other.low), high: self.high.min(other.high) }
    }

    fn hull(self, other: Self) -> Self {
        if self.low >= self.high {
            return other;
        }
        if other.low >= other.high {
            return self;
        }
        Self { low: self.low.min(other.low), high: self.high.max(other.high) }
    }
}

/// Bounds that every row of the answer keeps, and what must still be evaluated per row.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Unix milliseconds of `LastUpdateDate`.
    pub time: Bounds,
    pub id: Bounds,
    pub residual: Option<Filter>,
}

pub(crate) fn plan(resource: &Resource, filter: Option<Filter>) -> Plan {
    let mut plan = Plan { time: Bounds::ALL, id: Bounds::ALL, residual: None };
    let Some(filter) = filter else { return plan };
    plan.time = hull(&filter, resource.last_update);
    plan.id = hull(&filter, Some(resource.key));
    let mut parts = Vec::new();
    flatten(filter, &mut parts);
    parts.retain(|part| {
        exact_bounds(part, resource.last_update).is_none() && exact_bounds(part, Some(resource.key)).is_none()
    });
    plan.residual = (!parts.is_empty()).then_some(Filter::And(parts));
    plan
}

fn flatten(filter: Filter, into: &mut Vec<Filter>) {
    match filter {
        Filter::And(parts) => parts.into_iter().for_each(|part| flatten(part, into)),
        Filter::Or(mut parts) if parts.len() == 1 => parts.drain(..).for_each(|part| flatten(part, into)),
        other => into.push(other),
    }
}

/// Bounds that hold for every row that the filter accepts.
fn hull(filter: &Filter, attribute: Option<u8>) -> Bounds {
    match filter {
        Filter::And(parts) => {
            parts.iter().fold(Bounds::ALL, |bounds, part| bounds.intersect(hull(part, attribute)))
        }
        Filter::Or(parts) => {
            parts.iter().map(|part| hull(part, attribute)).reduce(Bounds::hull).unwrap_or(Bounds::ALL)
        }
        Filter::Not(_) => Bounds::ALL,
        Filter::Test(test) => match (&test.condition, exact_bounds(filter, attribute)) {
            (_, Some(bounds)) => bounds,
            (Condition::In(list), None) if on(test, attribute) => list
                .iter()
                .map(|literal| compare_bounds(Comparison::Equal, literal).unwrap_or(Bounds::ALL))
                .reduce(Bounds::hull)
                .unwrap_or(Bounds::ALL),
            _ => Bounds::ALL,
        },
    }
}

fn on(test: &Test, attribute: Option<u8>) -> bool {
    test.path.is_empty() && Some(test.attribute) == attribute
}

/// Bounds that say exactly what the filter says.
fn exact_bounds(filter: &Filter, attribute: Option<u8>) -> Option<Bounds> {
    let Filter::Test(test) = filter else { return None };
    if !on(test, attribute) {
        return None;
    }
    match &test.condition {
        Condition::Compare(comparison, literal) => compare_bounds(*comparison, literal),
        Condition::Between(low, high) => Some(
            compare_bounds(Comparison::GreaterOrEqual, low)?
                .intersect(compare_bounds(Comparison::LessOrEqual, high)?),
        ),
        _ => None,
    }
}

/// `i64::MIN` is kept for rows without a value, which no comparison accepts.
fn compare_bounds(comparison: Comparison, literal: &Literal) -> Option<Bounds> {
    let (value, unit) = match literal {
        Literal::Integer(value) => (*value, 1),
        Literal::Instant { ms, unit } => (*ms, *unit),
        _ => return None,
    };
    let next = value.checked_add(unit)?;
    let least = i64::MIN + 1;
    Some(match comparison {
        Comparison::Equal => Bounds { low: value, high: next },
        Comparison::Less => Bounds { low: least, high: value },
        Comparison::LessOrEqual => Bounds { low: least, high: next },
        Comparison::Greater => Bounds { low: next, high: i64::MAX },
        Comparison::GreaterOrEqual => Bounds { low: value, high: i64::MAX },
        Comparison::NotEqual => return None,
    })
}
