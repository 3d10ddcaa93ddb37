//! A journal's plan in the words of an accountant: its lines with their accounts, and why it is dated as it is. Pure.

use crate::journal::JournalPlan;
use crate::journal::lines::{Line, Side};
use crate::journal::plan::Completion;

/// One line of a journal.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ShownLine {
    /// The account, with the chart's delimiter.
    pub account: String,
    /// The debit, with the currency's decimals.
    pub debit: Option<String>,
    /// The credit.
    pub credit: Option<String>,
    /// What it stands for: a distribution, or the clearing account.
    pub stands_for: String,
}

/// The lines, in the order of the file.
#[must_use]
pub fn shown(plan: &JournalPlan, delimiter: &str) -> Vec<ShownLine> {
    plan.lines.iter().map(|line| shown_line(line, delimiter)).collect()
}

fn shown_line(line: &Line, delimiter: &str) -> ShownLine {
    let amount = |side| (line.side == side).then(|| line.amount.to_string());
    let stands_for = match &line.source {
        None => "clearing".to_owned(),
        Some(source) => {
            let number = if source.line_number.is_empty() { "?" } else { &source.line_number };
            match &source.distribution {
                Some(distribution) => format!("line {number}, distribution {distribution}"),
                None => format!("line {number}"),
            }
        }
    };
    ShownLine {
        account: line.account.text(delimiter),
        debit: amount(Side::Debit),
        credit: amount(Side::Credit),
        stands_for,
    }
}

/// Why a journal is dated as it is.
#[must_use]
pub fn dated(plan: &JournalPlan) -> String {
    let Completion { completed_at, completed_on, .. } = &plan.completion;
    let accounting = &plan.accounting;
    let happened = match &plan.reverses {
        Some(reversed) => format!("opened again at {}", reversed.reopened_at),
        None => format!("completed at {completed_at}"),
    };
    match accounting.moved_from {
        Some(from) => format!(
            "{happened}, which is {from} for the ledger; that period took no entries, so it is the first day of the \
             next one that did, {}",
            accounting.period
        ),
        None if plan.reverses.is_some() => {
            format!(
                "{happened}, which is {} for the ledger; {} took entries",
                accounting.date, accounting.period
            )
        }
        None => {
            format!("{happened}, which is {completed_on} for the ledger; {} took entries", accounting.period)
        }
    }
}
