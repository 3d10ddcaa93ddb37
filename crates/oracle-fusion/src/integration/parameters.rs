//! The seven parameters of the job that imports journals.
//!
//! Their order and meaning are known from clients that work against real pods, not from an Oracle page.

use std::fmt;
use std::str::FromStr;

use super::bulk::BulkImportError;
use crate::query::Digits;

/// A group id has at most so many digits.
const MAX_GROUP: u64 = 999_999_999_999_999_999;
/// The longest name of a source, in characters.
const MAX_SOURCE: usize = 100;
/// What stands for no value.
const NULL: &str = "#NULL";

/// Which rows of the interface table are imported, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalImportParameters {
    /// The data access set's id; a pod may demand it.
    pub data_access_set: Option<Digits>,
    /// The journal source of the rows.
    pub source: JournalSource,
    /// The ledger's id.
    pub ledger_id: Digits,
    /// The group of the rows.
    pub group_id: GroupId,
    /// What becomes of rows whose account is wrong.
    pub suspense: Suspense,
    /// Whether lines are added up.
    pub summary: Summary,
    /// Whether descriptive flexfields are imported.
    pub flexfields: FlexfieldImport,
}

impl JournalImportParameters {
    /// Nothing into suspense, no summary, no flexfields, no data access set.
    #[must_use]
    pub fn new(source: JournalSource, ledger_id: Digits, group_id: GroupId) -> Self {
        Self {
            data_access_set: None,
            source,
            ledger_id,
            group_id,
            suspense: Suspense::default(),
            summary: Summary::default(),
            flexfields: FlexfieldImport::default(),
        }
    }

    /// The text of `ParameterList`.
    #[must_use]
    pub fn parameter_list(&self) -> String {
        let group = self.group_id.to_string();
        let suspense = match self.suspense {
            Suspense::Refuse => "N",
            Suspense::Post => "Y",
        };
        let summary = match self.summary {
            Summary::None => "N",
            Summary::Summarize => "Y",
        };
        let flexfields = self.flexfields.0.to_string();
        parameter_list(&[
            self.data_access_set.as_ref().map_or("", Digits::as_str),
            self.source.as_str(),
            self.ledger_id.as_str(),
            &group,
            suspense,
            summary,
            &flexfields,
        ])
    }
}

/// Values separated by commas: one with a comma stands in double quotes, an empty one is `#NULL`.
fn parameter_list(values: &[&str]) -> String {
    let quoted = values.iter().map(|value| match *value {
        "" => NULL.to_owned(),
        value if value.contains(',') => format!("\"{value}\""),
        value => value.to_owned(),
    });
    quoted.collect::<Vec<_>>().join(",")
}

/// A journal source: its name, or for a source of the tenant's own sometimes its numeric key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalSource(String);

impl JournalSource {
    /// # Errors
    /// [`BulkImportError::JournalSource`] unless it is 1 to 100 characters without double quotes, for which no
    /// escape is documented, and control characters, and does not mean no value.
    pub fn new(source: &str) -> Result<Self, BulkImportError> {
        let odd = |c: char| c.is_control() || c == '"';
        let fits = source == source.trim()
            && (1..=MAX_SOURCE).contains(&source.chars().count())
            && !source.contains(odd)
            && !source.eq_ignore_ascii_case(NULL);
        if fits { Ok(Self(source.to_owned())) } else { Err(BulkImportError::JournalSource) }
    }

    /// The name or key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The group of interface rows that are imported together, 1 to 18 digits.
///
/// `ALL`, which the job also takes, cannot be said: it imports the pending rows of everybody else too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupId(u64);

impl GroupId {
    /// # Errors
    /// [`BulkImportError::GroupId`] for 0 and for more than 18 digits.
    pub fn new(id: u64) -> Result<Self, BulkImportError> {
        if (1..=MAX_GROUP).contains(&id) { Ok(Self(id)) } else { Err(BulkImportError::GroupId) }
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0
    }
}

impl FromStr for GroupId {
    type Err = BulkImportError;

    fn from_str(text: &str) -> Result<Self, BulkImportError> {
        let digits = !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit());
        let id = text.parse().ok().filter(|_| digits).ok_or(BulkImportError::GroupId)?;
        Self::new(id)
    }
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What becomes of rows whose account is wrong. Only [`Suspense::Refuse`] was seen in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Suspense {
    /// They are rejected, and with them the group: `N`.
    #[default]
    Refuse,
    /// They are posted to the suspense account: `Y`.
    Post,
}

/// Whether lines of the same account are added up. Only [`Summary::None`] was seen in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Summary {
    /// Every line stays: `N`.
    #[default]
    None,
    /// Lines are added up: `Y`.
    Summarize,
}

/// Whether descriptive flexfields are imported: `N`, or another capital letter, of which none is documented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlexfieldImport(char);

impl FlexfieldImport {
    /// They are not imported.
    pub const NONE: Self = Self('N');
}

impl Default for FlexfieldImport {
    fn default() -> Self {
        Self::NONE
    }
}

impl TryFrom<char> for FlexfieldImport {
    type Error = BulkImportError;

    fn try_from(letter: char) -> Result<Self, BulkImportError> {
        if letter.is_ascii_uppercase() { Ok(Self(letter)) } else { Err(BulkImportError::FlexfieldImport) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parameters(source: &str) -> JournalImportParameters {
        JournalImportParameters::new(
            JournalSource::new(source).unwrap(),
            Digits::new("300000002498206").unwrap(),
            GroupId::new(1_234_567_890).unwrap(),
        )
    }

    #[test]
    fn the_list_has_seven_places_and_says_null_for_nothing() {
        assert_eq!(
            parameters("MySource").parameter_list(),
            "#NULL,MySource,300000002498206,1234567890,N,N,N"
        );
        let full = JournalImportParameters {
            data_access_set: Some(Digits::new("300000001234567").unwrap()),
            suspense: Suspense::Post,
            summary: Summary::Summarize,
            flexfields: FlexfieldImport::try_from('O').unwrap(),
            ..parameters("Projects, Inc.")
        };
        assert_eq!(
            full.parameter_list(),
            "300000001234567,\"Projects, Inc.\",300000002498206,1234567890,Y,Y,O"
        );
    }

    #[test]
    fn a_source_that_could_become_another_parameter_is_refused() {
        for source in ["", " a", "a ", "a\"b", "a\nb", "#NULL", "#null", &"a".repeat(101)] {
            assert_eq!(JournalSource::new(source), Err(BulkImportError::JournalSource), "{source}");
        }
        assert!(JournalSource::new("300000081590170").is_ok());
    }

    #[test]
    fn a_group_is_one_group() {
        for text in ["", "0", "01", "ALL", "-1", "+1", "1 ", "1234567890123456789", "99999999999999999999999"]
        {
            assert_eq!(text.parse::<GroupId>(), Err(BulkImportError::GroupId), "{text}");
        }
        assert_eq!("999999999999999999".parse::<GroupId>().unwrap().get(), 999_999_999_999_999_999);
        assert!(GroupId::new(0).is_err() && FlexfieldImport::try_from('n').is_err());
    }

    /// Takes the list apart as Oracle describes it.
    fn places(list: &str) -> Vec<String> {
        let mut places = vec![String::new()];
        let mut quoted = false;
        for c in list.chars() {
            match c {
                '"' => quoted = !quoted,
                ',' if !quoted => places.push(String::new()),
                c => places.last_mut().unwrap().push(c),
            }
        }
        assert!(!quoted, "an open quote in {list}");
        places
    }

    proptest! {
        #[test]
        fn no_source_moves_the_other_parameters(source in any::<String>(), hostile in "[a-z,\"# ]{1,12}") {
            for text in [source, hostile] {
                let Ok(source) = JournalSource::new(&text) else { continue };
                let list = JournalImportParameters { source, ..parameters("x") }.parameter_list();
                prop_assert_eq!(places(&list), ["#NULL", &*text, "300000002498206", "1234567890", "N", "N", "N"]);
            }
        }

        #[test]
        fn a_group_id_comes_back_from_its_text(id in any::<u64>()) {
            match GroupId::new(id) {
                Ok(group) => prop_assert_eq!(group.to_string().parse(), Ok(group)),
                Err(_) => prop_assert!(id == 0 || id.to_string().len() > 18),
            }
        }
    }
}
