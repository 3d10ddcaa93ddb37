//! Finders: named queries that Oracle defines on a resource.

use super::QueryError;
use super::name::checked;

/// A finder with its values, such as `PrimaryKey;POHeaderId=300100183456789` or `findByIntent;Intent=POUser`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finder {
    name: String,
    values: Vec<(String, String)>,
}

impl Finder {
    /// # Errors
    /// [`QueryError::Name`] when it is no name.
    pub fn new(name: &str) -> Result<Self, QueryError> {
        Ok(Self { name: checked(name)?.to_owned(), values: Vec::new() })
    }

    /// Sets a variable of the finder.
    ///
    /// # Errors
    /// [`QueryError::Name`] when the variable is no name; [`QueryError::FinderValue`] when the value holds a
    /// character that separates values, since the server decodes the text before it takes it apart.
    pub fn with(mut self, variable: &str, value: &str) -> Result<Self, QueryError> {
        let separates = |c: char| c.is_control() || matches!(c, ';' | ',' | '=' | '\'' | '"');
        if value.contains(separates) {
            return Err(QueryError::FinderValue);
        }
        self.values.push((checked(variable)?.to_owned(), value.to_owned()));
        Ok(self)
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn values(&self) -> &[(String, String)] {
        &self.values
    }
}
