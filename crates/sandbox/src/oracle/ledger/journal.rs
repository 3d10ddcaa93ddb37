//! Journal batches as an import makes them, and how they are named.

use std::collections::BTreeSet;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::money::Sides;
use super::seed::LedgerSeed;

/// Letters of REFERENCE1 that the name of a batch takes over.
const NAME_PART: usize = 50;
/// Letters that the name of a batch has room for.
const MAX_NAME: usize = 100;

#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub id: i64,
    pub name: String,
    pub description: Option<String>,
    pub ledger: &'static LedgerSeed,
    pub source: String,
    pub group: Option<i64>,
    /// Id of the process that made it.
    pub process: i64,
    pub period: String,
    pub status: Status,
    /// Virtual milliseconds.
    pub created: i64,
    pub updated: i64,
    pub posted: Option<Date>,
    /// Codes of what was accepted with a warning.
    pub warnings: BTreeSet<&'static str>,
    pub journals: Vec<Journal>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Unposted,
    Posted,
}

impl Status {
    pub(crate) fn letter(self) -> &'static str {
        match self {
            Self::Unposted => "U",
            Self::Posted => "P",
        }
    }

    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::Unposted => "Unposted",
            Self::Posted => "Posted",
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Journal {
    pub id: i64,
    pub name: String,
    pub description: Option<String>,
    pub reference: Option<String>,
    pub category: String,
    pub currency: String,
    pub date: Date,
    pub conversion: Option<Conversion>,
    pub lines: Vec<Line>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Conversion {
    pub kind: String,
    pub date: Option<Date>,
    pub rate: Option<Decimal>,
}

#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub number: i64,
    pub account_id: i64,
    pub account: String,
    pub entered: Sides,
    pub accounted: Sides,
    pub description: Option<String>,
    /// REFERENCE21 to 30.
    pub references: Vec<Option<String>>,
}

/// Debits and credits of many lines.
pub(crate) fn totals<'a>(
    lines: impl Iterator<Item = &'a Line>,
    of: fn(&Line) -> Sides,
) -> (Decimal, Decimal) {
    lines.fold((Decimal::ZERO, Decimal::ZERO), |(debit, credit), line| {
        let sides = of(line);
        let add = |sum: Decimal, amount: Option<Decimal>| sum.saturating_add(amount.unwrap_or_default());
        (add(debit, sides.debit), add(credit, sides.credit))
    })
}

impl Batch {
    pub(crate) fn lines(&self) -> impl Iterator<Item = &Line> {
        self.journals.iter().flat_map(|journal| &journal.lines)
    }

    pub(crate) fn entered(&self) -> (Decimal, Decimal) {
        totals(self.lines(), |line| line.entered)
    }

    pub(crate) fn accounted(&self) -> (Decimal, Decimal) {
        totals(self.lines(), |line| line.accounted)
    }
}

/// What the name of a batch is composed of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NameParts<'a> {
    pub reference1: Option<&'a str>,
    pub source: &'a str,
    pub group: Option<i64>,
    pub process: i64,
    /// How many batches of the same name the process has made before.
    pub before: usize,
}

/// `<REFERENCE1> <source> A <group id> <process id> [n] N`: the import never keeps a name as it was sent, so
/// that sending it again makes a second batch ("What happens when multiple journals with the same batch name
/// and different ledgers are uploaded into General Ledger?", "How Names for Batches and Journals Are
/// Derived"). Without REFERENCE1 the name begins with the source.
pub(crate) fn batch_name(parts: NameParts<'_>) -> String {
    let mut words = Vec::new();
    if let Some(reference) = parts.reference1 {
        words.push(reference.chars().take(NAME_PART).collect::<String>());
    }
    words.push(parts.source.to_owned());
    words.push("A".to_owned());
    words.extend(parts.group.map(|group| group.to_string()));
    words.push(parts.process.to_string());
    if parts.before > 0 {
        words.push((parts.before + 1).to_string());
    }
    words.push("N".to_owned());
    words.join(" ").chars().take(MAX_NAME).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_renamed_as_the_guide_says() {
        let parts = NameParts {
            reference1: Some("Facility Expenses"),
            source: "Spreadsheet",
            group: Some(28_082_025),
            process: 28_810,
            before: 0,
        };
        assert_eq!(batch_name(parts), "Facility Expenses Spreadsheet A 28082025 28810 N");
        assert_eq!(
            batch_name(NameParts { before: 1, ..parts }),
            "Facility Expenses Spreadsheet A 28082025 28810 2 N"
        );
        let unnamed = NameParts { reference1: None, group: Some(72_002), process: 97_252, ..parts };
        assert_eq!(batch_name(unnamed), "Spreadsheet A 72002 97252 N");
    }

    #[test]
    fn a_long_name_is_cut() {
        let long = "é".repeat(80);
        let parts = NameParts {
            reference1: Some(&long),
            source: "A source of 25 letters, or",
            group: Some(999_999_999_999_999_999),
            process: 300_000_000,
            before: 0,
        };
        let name = batch_name(parts);
        assert_eq!(name.chars().count(), 100);
        assert!(name.starts_with(&"é".repeat(50)) && name.contains(" A 999999999999999999 "), "{name}");
    }
}
