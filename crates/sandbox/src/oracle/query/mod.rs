//! The two languages of `q`, and what they mean on a record.
//!
//! Framework version 1 reads `q` as query-by-example ([`example`]), later versions as a row match
//! expression ([`rowmatch`]). Both become a [`Filter`], evaluated with SQL's three-valued logic.

pub(crate) mod example;
mod lexer;
pub(crate) mod literal;
#[cfg(test)]
mod model;
pub(crate) mod plan;
pub(crate) mod rowmatch;

use std::cmp::Ordering;

use super::record::Record;
use super::schema::{Attribute, HEADERS, Kind, Resource};
use super::settings::{DateTimeLiterals, Granularity, Wildcards};
use literal::{Literal, Pattern};

/// Why a query was refused; always answered with 400.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum QueryError {
    #[error("{0}")]
    Syntax(String),
    /// The answer does not name the attribute, as on a real pod.
    #[error("unknown attribute")]
    UnknownAttribute,
    #[error("attribute {0} cannot be used in a query")]
    NotQueryable(String),
}

/// What a pod accepts in `q`, beyond the version's language.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub date_times: DateTimeLiterals,
    pub granularity: Granularity,
    pub wildcards: Wildcards,
    pub last_update_queryable: bool,
}

/// A condition on a record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Filter {
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    Test(Test),
}

/// A condition on one attribute of the record or of a descendant.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Test {
    /// Positions of child resources on the way down; true when any descendant passes.
    pub path: Vec<usize>,
    pub attribute: u8,
    pub condition: Condition,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Condition {
    Compare(Comparison, Literal),
    Like(Pattern),
    In(Vec<Literal>),
    Between(Literal, Literal),
    IsNull,
    /// What a value that cannot be of the attribute's type finds in version 1: no row, no error.
    Nothing,
}

impl Comparison {
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

impl Filter {
    /// Whether the record passes; `None` is SQL's unknown.
    pub(crate) fn evaluate(&self, record: &Record) -> Option<bool> {
        match self {
            Self::And(parts) => all(parts.iter().map(|part| part.evaluate(record))),
            Self::Or(parts) => all(parts.iter().map(|part| not(part.evaluate(record)))).map(|none| !none),
            Self::Not(inner) => not(inner.evaluate(record)),
            Self::Test(test) => test.evaluate(record, &test.path),
        }
    }

    pub(crate) fn accepts(&self, record: &Record) -> bool {
        self.evaluate(record) == Some(true)
    }
}

fn not(value: Option<bool>) -> Option<bool> {
    value.map(|known| !known)
}

/// SQL's AND: false wins over unknown.
fn all(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut result = Some(true);
    for part in parts {
        match part {
            Some(false) => return Some(false),
            None => result = None,
            Some(true) => {}
        }
    }
    result
}

impl Test {
    fn evaluate(&self, record: &Record, path: &[usize]) -> Option<bool> {
        if let Some((first, rest)) = path.split_first() {
            let found =
                record.shown_children(*first).iter().any(|child| self.evaluate(child, rest) == Some(true));
            return Some(found);
        }
        let value = record.get(self.attribute);
        match &self.condition {
            Condition::Nothing => Some(false),
            Condition::IsNull => Some(value.is_none_or(|value| *value == super::value::Value::Null)),
            Condition::Compare(comparison, literal) => Some(comparison.holds(literal.compare(value?)?)),
            Condition::Like(pattern) => pattern.matches(value?),
            Condition::In(list) => {
                let value = value?;
                all(list.iter().map(|literal| literal.compare(value).map(Ordering::is_ne))).map(|none| !none)
            }
            Condition::Between(low, high) => {
                let value = value?;
                Some(low.compare(value)?.is_ge() && high.compare(value)?.is_le())
            }
        }
    }
}

/// Finds a possibly dotted attribute and checks that it may be filtered.
fn resolve(
    resource: &'static Resource,
    name: &str,
    rules: &Rules,
    nested: Nested,
) -> Result<(Vec<usize>, u8, &'static Attribute), QueryError> {
    let mut path = Vec::new();
    let mut current = resource;
    let mut name = name;
    while let Some((child, rest)) = name.split_once('.') {
        if nested == Nested::Refused {
            return Err(QueryError::UnknownAttribute);
        }
        let (at, found) = current.child(child).ok_or(QueryError::UnknownAttribute)?;
        path.push(at);
        current = found;
        name = rest;
    }
    let at = current.attribute(name).ok_or(QueryError::UnknownAttribute)?;
    let attribute = &current.attributes[usize::from(at)];
    if !is_queryable(current, attribute, rules.last_update_queryable) {
        return Err(QueryError::NotQueryable(attribute.name.to_owned()));
    }
    Ok((path, at, attribute))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Nested {
    Allowed,
    Refused,
}

/// What `describe` says and what a filter is held to.
pub(crate) fn is_queryable(resource: &Resource, attribute: &Attribute, last_update_queryable: bool) -> bool {
    let switched = attribute.kind == Kind::Instant
        && attribute.name == "LastUpdateDate"
        && HEADERS.iter().any(|header| header.name == resource.name);
    attribute.queryable && (last_update_queryable || !switched)
}

/// Both conditions at once.
pub(crate) fn join(left: Option<Filter>, right: Option<Filter>) -> Option<Filter> {
    match (left, right) {
        (Some(left), Some(right)) => Some(Filter::And(vec![left, right])),
        (left, right) => left.or(right),
    }
}
