//! Conditions on rows.

use jiff::Timestamp;
use jiff::civil::Date;

use super::QueryError;
use super::name::{Attr, Digits};

/// A value to compare with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Any text, quoted.
    Text(String),
    /// An id, unquoted.
    Id(Digits),
    /// A point in time, in the form of [`DateTimeLiteral`](super::DateTimeLiteral).
    Timestamp(Timestamp),
    /// A date, quoted.
    Date(Date),
}

impl Value {
    /// Any text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// # Errors
    /// [`QueryError::Id`] unless it is 1 to 38 digits.
    pub fn id(digits: &str) -> Result<Self, QueryError> {
        Digits::new(digits).map(Self::Id)
    }
}

/// One or more values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Values(Vec<Value>);

impl Values {
    /// # Errors
    /// [`QueryError::Empty`] without a value: `in ()` is no condition.
    pub fn new(values: Vec<Value>) -> Result<Self, QueryError> {
        if values.is_empty() { Err(QueryError::Empty) } else { Ok(Self(values)) }
    }

    /// The values.
    #[must_use]
    pub fn as_slice(&self) -> &[Value] {
        &self.0
    }
}

/// The letter that stands for any text in `like`. `*` is that of Oracle's examples, `%` that of several
/// clients; which of them a pod takes is not documented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Wildcard {
    /// `*`.
    #[default]
    Star,
    /// `%`.
    Percent,
}

impl Wildcard {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Star, Self::Percent];

    /// The letter.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Self::Star => '*',
            Self::Percent => '%',
        }
    }
}

/// A search text with wildcards where this library put them: [`Wildcard::Star`] unless told otherwise.
///
/// An underscore may match any one character on a pod, so the result can be wider than the text: compare
/// again what comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// # Errors
    /// [`QueryError::Wildcard`] when the text holds `*` or `%`.
    pub fn starts_with(text: &str) -> Result<Self, QueryError> {
        plain(text).map(|text| Self(format!("{text}*")))
    }

    /// # Errors
    /// [`QueryError::Wildcard`] when the text holds `*` or `%`.
    pub fn ends_with(text: &str) -> Result<Self, QueryError> {
        plain(text).map(|text| Self(format!("*{text}")))
    }

    /// # Errors
    /// [`QueryError::Wildcard`] when the text holds `*` or `%`.
    pub fn contains(text: &str) -> Result<Self, QueryError> {
        plain(text).map(|text| Self(format!("*{text}*")))
    }

    /// As [`Pattern::contains`], with that wildcard. Whichever is used, neither may stand in the text.
    ///
    /// # Errors
    /// [`QueryError::Wildcard`] when the text holds `*` or `%`.
    pub fn contains_by(text: &str, wildcard: Wildcard) -> Result<Self, QueryError> {
        let letter = wildcard.letter();
        plain(text).map(|text| Self(format!("{letter}{text}{letter}")))
    }

    /// The text with its wildcards.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn plain(text: &str) -> Result<&str, QueryError> {
    if text.contains(['*', '%']) { Err(QueryError::Wildcard) } else { Ok(text) }
}

/// A condition on rows. Attributes must be queryable, as [`Description`](crate::Description) tells.
///
/// A point in time is written with the precision of the literal. Where that is coarser than the value, a
/// bound is widened, never narrowed: a lower bound is rounded down and an upper bound up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// Equal.
    Eq(Attr, Value),
    /// Not equal.
    Ne(Attr, Value),
    /// Greater or equal.
    Ge(Attr, Value),
    /// Greater.
    Gt(Attr, Value),
    /// Less or equal.
    Le(Attr, Value),
    /// Less.
    Lt(Attr, Value),
    /// Text that matches.
    Like(Attr, Pattern),
    /// Equal to one of the values.
    In(Attr, Values),
    /// Both.
    And(Box<Filter>, Box<Filter>),
    /// Either.
    Or(Box<Filter>, Box<Filter>),
    /// Without a value.
    IsNull(Attr),
}

impl Filter {
    /// Rows that match both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::And(Box::new(self), Box::new(other))
    }

    /// Rows that match either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self::Or(Box::new(self), Box::new(other))
    }
}
