//! The lines of a journal: a debit per distribution's share, and the clearing account on the other side.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::account::{Account, Accounts, same_length};
use super::cost::{Charge, Cost};
use super::reason::NoJournal;
use super::split::{SplitError, split};

/// A journal of more lines is not sent: it would be a file of several megabytes that nobody can read.
pub const MAX_LINES: usize = 5_000;

/// Which side of the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Debit.
    Debit,
    /// Credit.
    Credit,
}

impl Side {
    /// The other side.
    #[must_use]
    pub fn swapped(self) -> Side {
        match self {
            Side::Debit => Side::Credit,
            Side::Credit => Side::Debit,
        }
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The account.
    pub account: Account,
    /// The side.
    pub side: Side,
    /// The amount, above zero, with the currency's decimals.
    #[serde(with = "super::exact")]
    pub amount: Decimal,
    /// The order line it belongs to, `None` for a clearing line.
    pub source: Option<LineSource>,
}

/// The distribution that a line stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineSource {
    /// `POLineId`, empty when Oracle sent none.
    pub line_id: String,
    /// `LineNumber`, empty when Oracle sent none.
    pub line_number: String,
    /// `DistributionNumber`.
    pub distribution: Option<String>,
}

/// What stands on each side, added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Sum of the debits.
    pub debits: Decimal,
    /// Sum of the credits.
    pub credits: Decimal,
}

/// The lines that charge a cost: the debits in the order's order, then the clearing lines.
///
/// A share of nothing makes no line. A negative share is a credit. With `journal.balancing_segment` there
/// is a clearing line for each value of that segment, else one.
pub fn posting_lines(cost: &Cost, accounts: &Accounts<'_>) -> Result<Vec<Line>, NoJournal> {
    if cost.charges.len() >= MAX_LINES {
        return Err(NoJournal::TooManyLines { lines: cost.charges.len() + 1, limit: MAX_LINES });
    }
    let weights: Vec<i128> = cost.charges.iter().map(|charge| charge.weight).collect();
    let units = cost.currency.minor_units(cost.amount)?;
    let shares = split(units, &weights).map_err(|error| match error {
        SplitError::NoWeights => NoJournal::Defect { what: "there is no distribution to charge".to_owned() },
        SplitError::TooLarge => {
            NoJournal::TooLarge { amount: format!("{} {}", cost.amount, cost.currency.code) }
        }
    })?;
    let clearing = accounts.clearing()?;
    let mut lines = Vec::with_capacity(shares.len() + 1);
    let mut cleared: Vec<(Account, i128)> = Vec::new();
    for (charge, share) in cost.charges.iter().zip(shares).filter(|(_, share)| *share != 0) {
        let account = accounts.charge(&charge.account)?;
        let against = clearing_for(&clearing, &account, accounts)?;
        match cleared.iter_mut().find(|(account, _)| *account == against) {
            Some((_, units)) => *units += share,
            None => cleared.push((against, share)),
        }
        lines.push(line(cost, account, share, Some(source(charge)))?);
    }
    for (account, units) in cleared.into_iter().filter(|(_, units)| *units != 0) {
        lines.push(line(cost, account, -units, None)?);
    }
    if lines.len() > MAX_LINES {
        return Err(NoJournal::TooManyLines { lines: lines.len(), limit: MAX_LINES });
    }
    same_length(lines.iter().map(|line| &line.account), &accounts.layout.delimiter)?;
    totals(&lines)?;
    Ok(lines)
}

/// The clearing account against a charge account: with its balancing segment, if one is set.
fn clearing_for(
    clearing: &Account,
    charged: &Account,
    accounts: &Accounts<'_>,
) -> Result<Account, NoJournal> {
    let Some(position) = accounts.settings.balancing_segment else {
        return Ok(clearing.clone());
    };
    let value = charged.segment(position).ok_or_else(|| format!("it has no segment {position}"));
    value
        .and_then(|value| clearing.clone().with_segment(position, value))
        .map_err(|why| NoJournal::AccountUnusable { account: charged.text(&accounts.layout.delimiter), why })
}

fn line(cost: &Cost, account: Account, units: i128, source: Option<LineSource>) -> Result<Line, NoJournal> {
    let side = if units < 0 { Side::Credit } else { Side::Debit };
    Ok(Line { account, side, amount: cost.currency.amount(units)?.abs(), source })
}

fn source(charge: &Charge) -> LineSource {
    LineSource {
        line_id: charge.line_id.clone(),
        line_number: charge.line_number.clone(),
        distribution: charge.distribution.clone(),
    }
}

/// Adds up both sides and refuses lines that do not balance: Oracle would take them where suspense is
/// allowed, and post the difference to the suspense account.
pub fn totals(lines: &[Line]) -> Result<Totals, NoJournal> {
    let defect = |what: String| NoJournal::Defect { what };
    let mut totals = Totals { debits: Decimal::ZERO, credits: Decimal::ZERO };
    for line in lines {
        if line.amount <= Decimal::ZERO {
            return Err(defect(format!("a line has the amount {}", line.amount)));
        }
        let side = match line.side {
            Side::Debit => &mut totals.debits,
            Side::Credit => &mut totals.credits,
        };
        let sum = side.checked_add(line.amount);
        *side = sum.ok_or_else(|| NoJournal::TooLarge { amount: "the sum of the lines".to_owned() })?;
    }
    if totals.debits != totals.credits || totals.debits.is_zero() {
        let Totals { debits, credits } = totals;
        return Err(defect(format!("the lines do not balance: {debits} debits, {credits} credits")));
    }
    Ok(totals)
}
