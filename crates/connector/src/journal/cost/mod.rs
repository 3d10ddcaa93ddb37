//! The cost of a completion: its amount, its currency, and the distributions it falls on with their weights;
//! or the reason why there is none.

mod basis;
mod weights;

#[cfg(test)]
mod tests;

use rust_decimal::Decimal;

pub use basis::{CostBasis, DistributionFacts};

use self::basis::LineBasis;
use self::weights::{LineWeight, weights};
use super::currency::Currency;
use super::reason::NoJournal;
use super::settings::JournalSettings;
use crate::amount;
use crate::code::Code;
use crate::mapping::Held;
use crate::mapping::values::{Subject, Value};
use crate::purpose::Purpose;
use crate::record::LineFacts;
use crate::settings::LineAmount;

/// The only `approval_status` that counts.
const APPROVED: &str = "approved";

/// What the task says at its completion.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskFacts {
    /// `approval_status` of an approval task, `None` for any other.
    pub approval_status: Option<String>,
    /// The value of the mapped cost field, when there is one and it is filled.
    pub own_cost: Option<OwnCost>,
}

/// A cost that stands on the task itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnCost {
    /// The number's raw JSON text.
    pub amount: String,
    /// The field's ISO 4217 code, when it is a currency field; else the order's currency counts.
    pub currency: Option<String>,
}

/// The order that belongs to the task, as far as it was found.
#[derive(Debug, Clone, Copy)]
pub enum Sought<'a> {
    /// The task carries no order number and no link.
    NoNumber,
    /// No stored order has this number.
    Unknown(&'a str),
    /// Several orders have it.
    Ambiguous(&'a str),
    /// The task stands for the whole order.
    Order(&'a CostBasis),
    /// The task stands for the line with this `POLineId`.
    Line(&'a CostBasis, &'a str),
}

/// Where the amount comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The task's own cost field.
    Task,
    /// The sum of the order's lines.
    Order,
    /// The order line.
    Line,
}

/// An account as a distribution or a setting names it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountRef {
    /// The code combination's id.
    pub id: Option<String>,
    /// The concatenated segments.
    pub text: Option<String>,
}

impl std::fmt::Display for AccountRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.text.as_deref().or(self.id.as_deref()).unwrap_or("?"))
    }
}

/// A distribution that takes part of the cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// Its charge account.
    pub account: AccountRef,
    /// Its weight, in exact proportion to the others'.
    pub weight: i128,
    /// `POLineId`, empty when Oracle sent none.
    pub line_id: String,
    /// `LineNumber`, empty when Oracle sent none.
    pub line_number: String,
    /// `DistributionNumber`.
    pub distribution: Option<String>,
}

/// What a completion costs, and on which distributions it falls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cost {
    /// The amount, above zero, with the currency's decimals.
    pub amount: Decimal,
    /// The currency.
    pub currency: Currency,
    /// Where the amount comes from.
    pub origin: Origin,
    /// `POHeaderId`.
    pub order_id: String,
    /// `OrderNumber`.
    pub order_number: String,
    /// `POLineId`, when the task stands for a line.
    pub line_id: Option<String>,
    /// The distributions, in the order's order; never empty.
    pub charges: Vec<Charge>,
    /// `POLineId` of all lines of the order.
    pub order_lines: Vec<String>,
}

impl Cost {
    /// What the cost may be posted for only once, however many tasks carry it; `None` when the task has a
    /// cost of its own.
    #[must_use]
    pub fn posted_once_for(&self) -> Option<String> {
        match (self.origin, &self.line_id) {
            (Origin::Task, _) => None,
            (Origin::Line, Some(line)) => Some(format!("line {line}")),
            (Origin::Order | Origin::Line, _) => Some(format!("order {}", self.order_id)),
        }
    }

    /// Everything whose posting contains this cost or a part of it, itself first: a line's cost is part of its
    /// order's. Empty when the task has a cost of its own.
    #[must_use]
    pub fn overlaps(&self) -> Vec<String> {
        let Some(own) = self.posted_once_for() else { return Vec::new() };
        if self.origin == Origin::Line && self.line_id.is_some() {
            return vec![own, format!("order {}", self.order_id)];
        }
        let lines = self.order_lines.iter().filter(|line| !line.is_empty());
        std::iter::once(own).chain(lines.map(|line| format!("line {line}"))).collect()
    }

    /// The code combinations whose segments are needed, each once.
    #[must_use]
    pub fn combination_ids(&self) -> Vec<&str> {
        let mut ids: Vec<&str> = self.charges.iter().filter_map(|c| c.account.id.as_deref()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}

/// The cost of a completion, or the first reason why there is none.
pub fn cost(
    task: &TaskFacts,
    sought: Sought<'_>,
    settings: &JournalSettings,
    line_amount: LineAmount,
) -> Result<Cost, NoJournal> {
    if let Some(status) = task.approval_status.as_ref().filter(|status| *status != APPROVED) {
        return Err(NoJournal::NotApproved { status: status.clone() });
    }
    let scope = Scope::of(sought)?;
    scope.not_canceled(&settings.canceled_statuses)?;
    let (amount, currency, origin) = match &task.own_cost {
        Some(own) => {
            let amount = amount::parse(&own.amount, "the task's cost").map_err(from_held)?;
            (amount, own.currency.clone().or(scope.currency()?), Origin::Task)
        }
        None => (scope.amount(line_amount)?, scope.currency()?, scope.origin()),
    };
    let order = scope.basis.order_number();
    let code = currency.filter(|code| !code.is_empty());
    let code = code.ok_or_else(|| NoJournal::CurrencyMissing { order: order.to_owned() })?;
    if amount.is_zero() {
        return Err(NoJournal::CostZero);
    }
    if amount.is_sign_negative() {
        return Err(NoJournal::CostNegative { amount });
    }
    let currency = Currency::find(&code, &settings.decimals)?;
    let amount = currency.amount(currency.minor_units(amount)?)?;
    if code != settings.ledger_currency && settings.rate_type.is_none() {
        return Err(NoJournal::NoRateType { currency: code, ledger: settings.ledger_currency.clone() });
    }
    Ok(Cost {
        amount,
        currency,
        origin,
        order_id: scope.basis.order_id().to_owned(),
        order_number: order.to_owned(),
        line_id: scope.line.map(|at| scope.line_id(at)),
        charges: scope.charges(origin, line_amount)?,
        order_lines: scope.basis.facts.lines.iter().map(|line| line.id.clone()).collect(),
    })
}

fn from_held(held: Held) -> NoJournal {
    match held.code {
        Code::CurrencyMixed => NoJournal::CurrencyMixed { what: held.reason },
        Code::AmountMissing | Code::NoLines => NoJournal::NoCost { what: held.reason },
        _ => NoJournal::NumberUnreadable { what: held.reason },
    }
}

/// The order, or the one line of it, that a task stands for.
struct Scope<'a> {
    basis: &'a CostBasis,
    line: Option<usize>,
}

impl<'a> Scope<'a> {
    fn of(sought: Sought<'a>) -> Result<Scope<'a>, NoJournal> {
        match sought {
            Sought::NoNumber => Err(NoJournal::NoOrderNumber),
            Sought::Unknown(number) => Err(NoJournal::OrderUnknown { number: number.to_owned() }),
            Sought::Ambiguous(number) => Err(NoJournal::OrderAmbiguous { number: number.to_owned() }),
            Sought::Order(basis) => Ok(Scope { basis, line: None }),
            Sought::Line(basis, id) => {
                let at = basis.facts.lines.iter().position(|line| line.id == id && !id.is_empty());
                let at = at.ok_or_else(|| NoJournal::LineUnknown {
                    order: basis.order_number().to_owned(),
                    line: id.to_owned(),
                })?;
                Ok(Scope { basis, line: Some(at) })
            }
        }
    }

    fn origin(&self) -> Origin {
        if self.line.is_some() { Origin::Line } else { Origin::Order }
    }

    fn line_id(&self, at: usize) -> String {
        self.basis.facts.lines.get(at).map(|line| line.id.clone()).unwrap_or_default()
    }

    /// The lines that belong to the task, each with what stands beside it.
    fn lines(&self) -> impl Iterator<Item = (&'a LineFacts, &'a LineBasis)> {
        let wanted = self.line;
        let all = self.basis.facts.lines.iter().zip(&self.basis.lines).enumerate();
        all.filter(move |(at, _)| wanted.is_none_or(|wanted| wanted == *at)).map(|(_, line)| line)
    }

    fn not_canceled(&self, canceled: &[String]) -> Result<(), NoJournal> {
        let of_line = self.line.and_then(|at| self.basis.lines.get(at)).map(|line| line.statuses.as_slice());
        let statuses = self.basis.statuses.iter().chain(of_line.unwrap_or_default());
        let is_canceled = |status: &&String| canceled.iter().any(|c| c.eq_ignore_ascii_case(status));
        match statuses.into_iter().find(is_canceled) {
            Some(status) => Err(NoJournal::OrderCanceled {
                order: self.basis.order_number().to_owned(),
                status: status.clone(),
            }),
            None => Ok(()),
        }
    }

    /// The line-item amount, computed by the very code that computes it for the task's field.
    fn amount_of(&self, line: Option<&LineFacts>, which: LineAmount) -> Result<Decimal, NoJournal> {
        let subject = Subject { order: &self.basis.facts, line, invoices: &[] };
        match subject.value(Purpose::LineItemAmount, which).map_err(from_held)? {
            Value::Amount(amount, _) => Ok(amount),
            Value::Text(_) | Value::Date(_) | Value::Empty => {
                Err(NoJournal::NoCost { what: "the order has no amount".to_owned() })
            }
        }
    }

    fn amount(&self, which: LineAmount) -> Result<Decimal, NoJournal> {
        self.amount_of(self.line.and_then(|at| self.basis.facts.lines.get(at)), which)
    }

    /// The order's currency, else the one that all its lines have.
    fn currency(&self) -> Result<Option<String>, NoJournal> {
        if let Some(code) = self.basis.facts.currency.as_ref().filter(|code| !code.is_empty()) {
            return Ok(Some(code.clone()));
        }
        let mut codes: Vec<&String> = self.lines().filter_map(|(line, _)| line.currency.as_ref()).collect();
        codes.sort_unstable();
        codes.dedup();
        match codes.as_slice() {
            [] => Ok(None),
            [code] => Ok(Some((*code).clone())),
            [first, second, ..] => Err(NoJournal::CurrencyMixed {
                what: format!("order {} has lines in {first} and in {second}", self.basis.order_number()),
            }),
        }
    }

    /// The lines' amounts as weights. For a cost of the task's own they are only proportions: a single line
    /// needs none, and lines that are all zero count equally.
    fn line_weights(&self, origin: Origin, which: LineAmount) -> Result<Vec<Decimal>, NoJournal> {
        let count = self.lines().count();
        if origin == Origin::Task && count == 1 {
            return Ok(vec![Decimal::ONE]);
        }
        let amounts = self.lines().map(|(line, _)| self.amount_of(Some(line), which));
        let amounts = amounts.collect::<Result<Vec<_>, _>>()?;
        let all_zero = amounts.iter().all(Decimal::is_zero);
        Ok(if all_zero { vec![Decimal::ONE; count] } else { amounts })
    }

    fn charges(&self, origin: Origin, which: LineAmount) -> Result<Vec<Charge>, NoJournal> {
        let order = || self.basis.order_number().to_owned();
        let mut charges = Vec::new();
        let mut weighed = Vec::new();
        for ((line, beside), amount) in self.lines().zip(self.line_weights(origin, which)?) {
            if amount.is_zero() {
                continue;
            }
            if beside.distributions.is_empty() {
                return Err(NoJournal::NoDistributions { order: order(), line: or_unknown(&line.number) });
            }
            let mut quantities = Vec::with_capacity(beside.distributions.len());
            for distribution in &beside.distributions {
                let what = format!("a distribution's quantity on line {}", line.number);
                let quantity = distribution.quantity.as_ref().map(|q| amount::parse(q, &what));
                quantities.push(quantity.transpose().map_err(from_held)?);
                charges.push(charge(line, distribution));
            }
            weighed.push(LineWeight { amount, quantities });
        }
        if charges.is_empty() {
            return Err(NoJournal::NoDistributions { order: order(), line: or_unknown("") });
        }
        let weights = weights(&weighed).ok_or_else(|| NoJournal::NumberUnreadable {
            what: format!("amounts and quantities of order {} are too large to be split", order()),
        })?;
        for (charge, weight) in charges.iter_mut().zip(weights) {
            charge.weight = weight;
        }
        match charges.iter().find(|c| c.weight != 0 && c.account == AccountRef::default()) {
            Some(charge) => Err(NoJournal::NoChargeAccount {
                order: order(),
                line: or_unknown(&charge.line_number),
                distribution: or_unknown(charge.distribution.as_deref().unwrap_or_default()),
            }),
            None => Ok(charges),
        }
    }
}

fn charge(line: &LineFacts, distribution: &DistributionFacts) -> Charge {
    Charge {
        account: AccountRef {
            id: distribution.charge_account_id.clone(),
            text: distribution.charge_account.clone(),
        },
        weight: 0,
        line_id: line.id.clone(),
        line_number: line.number.clone(),
        distribution: distribution.number.clone(),
    }
}

fn or_unknown(text: &str) -> String {
    if text.is_empty() { "?".to_owned() } else { text.to_owned() }
}
