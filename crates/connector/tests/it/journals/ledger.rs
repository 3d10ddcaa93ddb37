//! Oracle's side, as its stand-in shows it: batches with their lines, what waits in the interface, submissions.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Deserialize;

/// Oracle's general ledger.
#[derive(Debug, Deserialize)]
pub struct Ledger {
    pub batches: Vec<Batch>,
    pub interface: Vec<Row>,
    /// How often each group was accepted for import.
    pub submissions: BTreeMap<String, u64>,
}

#[derive(Debug, Deserialize)]
pub struct Batch {
    pub id: i64,
    pub name: String,
    pub group: i64,
    pub period: String,
    pub source: String,
    journals: Vec<Journal>,
}

#[derive(Debug, Deserialize)]
pub struct Journal {
    pub category: String,
    pub currency: String,
    pub date: String,
    pub conversion_type: Option<String>,
    lines: Vec<Line>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Line {
    pub account: String,
    entered_dr: Option<String>,
    entered_cr: Option<String>,
    pub description: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Row {
    pub status: String,
    pub group: i64,
}

impl Ledger {
    /// The only batch.
    pub fn one(&self) -> &Batch {
        let [batch] = self.batches.as_slice() else { panic!("not one batch: {self:?}") };
        batch
    }

    /// How many files were accepted, whatever became of them.
    pub fn submitted(&self) -> u64 {
        self.submissions.values().sum()
    }
}

impl Batch {
    /// Its only journal.
    pub fn journal(&self) -> &Journal {
        let [journal] = self.journals.as_slice() else { panic!("not one journal: {self:?}") };
        journal
    }

    /// Its lines as pairs of account and amount; a credit is below zero.
    pub fn lines(&self) -> Vec<(&str, Decimal)> {
        self.journal().lines.iter().map(|line| (line.account.as_str(), line.amount())).collect()
    }

    pub fn descriptions(&self) -> Vec<&str> {
        self.journal().lines.iter().map(|line| line.description.as_deref().unwrap_or_default()).collect()
    }

    /// The sums of both sides.
    pub fn totals(&self) -> (Decimal, Decimal) {
        let lines = &self.journal().lines;
        (lines.iter().map(Line::debit).sum(), lines.iter().map(Line::credit).sum())
    }
}

impl Line {
    fn debit(&self) -> Decimal {
        self.entered_dr.as_deref().map(decimal).unwrap_or_default()
    }

    fn credit(&self) -> Decimal {
        self.entered_cr.as_deref().map(decimal).unwrap_or_default()
    }

    fn amount(&self) -> Decimal {
        self.debit() - self.credit()
    }
}

/// A decimal from its text.
pub fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}
