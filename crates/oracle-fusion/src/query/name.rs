//! Names and ids that are safe to stand unquoted in a query, because they are checked when made.

use std::borrow::Cow;
use std::fmt;

use super::QueryError;

const MAX_NAME: usize = 128;
/// Oracle's `NUMBER` holds 38 digits.
const MAX_DIGITS: usize = 38;
/// Words of the rowmatch language, which cannot be attribute names in it.
const RESERVED: [&str; 9] = ["and", "or", "not", "like", "in", "is", "null", "between", "exists"];

fn is_name(text: &str) -> bool {
    text.len() <= MAX_NAME
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !RESERVED.iter().any(|word| word.eq_ignore_ascii_case(text))
}

pub(super) fn checked(text: &str) -> Result<&str, QueryError> {
    if is_name(text) { Ok(text) } else { Err(QueryError::Name(text.chars().take(MAX_NAME).collect())) }
}

fn checked_path(text: &str) -> Result<&str, QueryError> {
    text.split('.').try_for_each(|part| checked(part).map(drop))?;
    Ok(text)
}

/// An attribute's name, or a child attribute's as `invoiceDff.Name`. Case matters to Oracle.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Attr(Cow<'static, str>);

impl Attr {
    /// # Errors
    /// [`QueryError::Name`] unless it consists of ASCII letters, digits and underscores, with single dots
    /// between a child and its attribute, and is no word of the query language.
    pub fn new(name: &str) -> Result<Self, QueryError> {
        checked_path(name).map(|name| Self(Cow::Owned(name.to_owned())))
    }

    /// `LastUpdateDate`.
    #[must_use]
    pub fn last_update() -> Self {
        Self::known("LastUpdateDate")
    }

    pub(crate) const fn known(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Attr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Digits of an id, which stand in a query without quotes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Digits(String);

impl Digits {
    /// # Errors
    /// [`QueryError::Id`] unless it is 1 to 38 ASCII digits.
    pub fn new(text: &str) -> Result<Self, QueryError> {
        if (1..=MAX_DIGITS).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(QueryError::Id)
        }
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Children to return with each row, as `lines.schedules`; children in between come along, which Oracle documents
/// for `expand=lines.schedules.distributions`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expand(Cow<'static, str>);

impl Expand {
    /// # Errors
    /// [`QueryError::Empty`] without a path, [`QueryError::Name`] when a step of a path is no name.
    pub fn new<'a>(paths: impl IntoIterator<Item = &'a str>) -> Result<Self, QueryError> {
        join(paths).map(|text| Self(Cow::Owned(text)))
    }

    pub(crate) const fn known(path: &'static str) -> Self {
        Self(Cow::Borrowed(path))
    }

    /// The paths, separated by commas.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The paths one by one.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.split(',')
    }

    /// These paths as they are, then those of `further` in their order. One that comes along with a path before
    /// it, because it is the same or lies on the way to it, is not named again.
    #[must_use]
    pub fn and(&self, further: &Self) -> Self {
        let mut paths: Vec<&str> = self.paths().collect();
        for path in further.paths() {
            if !paths.iter().any(|before| *before == path || lies_below(before, path)) {
                paths.push(path);
            }
        }
        Self(Cow::Owned(paths.join(",")))
    }
}

/// Whether the path leads on from the other, as `lines.schedules` does from `lines`.
pub(crate) fn lies_below(path: &str, other: &str) -> bool {
    path.strip_prefix(other).is_some_and(|rest| rest.starts_with('.'))
}

/// Attributes to return, of the rows and of their children: `fields=A,B;lines:C,D`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields(String);

impl Fields {
    /// Attributes of the rows.
    ///
    /// # Errors
    /// [`QueryError::Empty`] without an attribute, [`QueryError::Name`] when one is no name.
    pub fn new<'a>(attributes: impl IntoIterator<Item = &'a str>) -> Result<Self, QueryError> {
        join(attributes).map(Self)
    }

    /// Adds attributes of a child, which may be a path such as `lines.schedules`.
    ///
    /// # Errors
    /// As [`Fields::new`].
    pub fn child<'a>(
        self,
        path: &str,
        attributes: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, QueryError> {
        Ok(Self(format!("{};{}:{}", self.0, checked_path(path)?, join(attributes)?)))
    }

    pub(crate) fn only(attr: &Attr) -> Self {
        Self(attr.as_str().to_owned())
    }

    /// The text after `fields=`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn join<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<String, QueryError> {
    let names: Vec<&str> = names.into_iter().map(checked_path).collect::<Result<_, _>>()?;
    if names.is_empty() { Err(QueryError::Empty) } else { Ok(names.join(",")) }
}
