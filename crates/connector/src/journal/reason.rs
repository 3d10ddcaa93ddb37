//! Why a completion brought no journal: every reason has a code, words for a person, and says what would
//! change it.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::code::Code;

/// Why there is no journal for a completion. `Display` is for the accountant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum NoJournal {
    /// The task has neither a link to an order nor an order number.
    #[error("the task carries no purchase order number")]
    NoOrderNumber,
    /// The same, of a task that stands in none of the connection's projects.
    #[error(
        "the task carries no purchase order number, and it stands in none of the connection's projects: it may have \
         been moved"
    )]
    Elsewhere,
    /// No stored order has the number.
    #[error("no purchase order {number} is known")]
    OrderUnknown {
        /// The number on the task.
        number: String,
    },
    /// The number alone does not tell which order is meant.
    #[error("several purchase orders have the number {number}")]
    OrderAmbiguous {
        /// The number on the task.
        number: String,
    },
    /// The task stands for a line that the order does not have.
    #[error("purchase order {order} has no line with the id {line}")]
    LineUnknown {
        /// `OrderNumber`.
        order: String,
        /// `POLineId`.
        line: String,
    },
    /// The order or the line was canceled.
    #[error("purchase order {order} has the status {status}")]
    OrderCanceled {
        /// `OrderNumber`.
        order: String,
        /// The status that is on the list of `journal.canceled_statuses`.
        status: String,
    },
    /// An approval task was completed without being approved.
    #[error("the approval was not given: its status is {status}")]
    NotApproved {
        /// Asana's `approval_status`.
        status: String,
    },
    /// The order's or line's cost was posted for another completion.
    #[error("the cost of {what} was posted already for another completion ({by})")]
    AlreadyPosted {
        /// The order or line.
        what: String,
        /// The completion that brought the journal.
        by: String,
    },
    /// The same cost has a journal in another connection that is not in the ledger yet.
    #[error("the cost of {what} is on its way for another completion ({by})")]
    OnItsWay {
        /// The order, line or task.
        what: String,
        /// The completion that asks for the journal.
        by: String,
    },
    /// An amount is missing.
    #[error("there is no cost: {what}")]
    NoCost {
        /// What is missing.
        what: String,
    },
    /// The cost is zero.
    #[error("the cost is zero, there is nothing to post")]
    CostZero,
    /// The cost is negative.
    #[error("the cost is negative: {amount}")]
    CostNegative {
        /// The cost.
        #[serde(with = "super::exact")]
        amount: Decimal,
    },
    /// A number in the record cannot be computed with exactly.
    #[error("{what}")]
    NumberUnreadable {
        /// Which one, and why.
        what: String,
    },
    /// Neither the task nor the order says which currency the cost is in.
    #[error("neither the task nor purchase order {order} says which currency the cost is in")]
    CurrencyMissing {
        /// `OrderNumber`.
        order: String,
    },
    /// Amounts of several currencies would be added.
    #[error("{what}")]
    CurrencyMixed {
        /// Which ones.
        what: String,
    },
    /// How many decimals the currency has is not known.
    #[error("{currency} is not a currency whose decimals are known")]
    CurrencyUnknown {
        /// The code.
        currency: String,
    },
    /// The currency is not the ledger's and no conversion rate type is set.
    #[error("the cost is in {currency}, the ledger in {ledger}, and no conversion rate type is set")]
    NoRateType {
        /// The cost's currency.
        currency: String,
        /// The ledger's currency.
        ledger: String,
    },
    /// A line with an amount has no distribution.
    #[error("line {line} of purchase order {order} has no distribution to charge")]
    NoDistributions {
        /// `OrderNumber`.
        order: String,
        /// `LineNumber`, `?` when it has none.
        line: String,
    },
    /// A distribution names no charge account.
    #[error("distribution {distribution} on line {line} of purchase order {order} has no charge account")]
    NoChargeAccount {
        /// `OrderNumber`.
        order: String,
        /// `LineNumber`, `?` when it has none.
        line: String,
        /// `DistributionNumber`, `?` when it has none.
        distribution: String,
    },
    /// The amount has decimals that the currency does not know.
    #[error("{amount} has more decimals than {currency} has ({decimals})")]
    TooManyDecimals {
        /// The amount.
        #[serde(with = "super::exact")]
        amount: Decimal,
        /// The currency.
        currency: String,
        /// The currency's decimals.
        decimals: u32,
    },
    /// An amount is larger than can be posted.
    #[error("{amount} is too large to be posted")]
    TooLarge {
        /// The amount.
        amount: String,
    },
    /// The journal would have too many lines.
    #[error("the journal would have {lines} lines, at most {limit} are sent")]
    TooManyLines {
        /// Lines it would have.
        lines: usize,
        /// Lines that are sent at most.
        limit: usize,
    },
    /// An account cannot be written as segments.
    #[error("account {account} cannot be used: {why}")]
    AccountUnusable {
        /// The account's text or id.
        account: String,
        /// What is wrong with it.
        why: String,
    },
    /// The date's period takes no entries, and the connection waits instead of moving on.
    #[error("{date} is in no period that takes entries ({period}), and the journal waits for it")]
    PeriodClosed {
        /// The accounting date.
        date: Date,
        /// The period and its state.
        period: String,
    },
    /// No period after the date takes entries.
    #[error("no period on or after {date} takes entries")]
    NoOpenPeriod {
        /// The accounting date.
        date: Date,
    },
    /// The settings do not allow a journal.
    #[error("the journal settings do not work: {problem}")]
    SettingsWrong {
        /// What is wrong.
        problem: String,
    },
    /// It happened before journals were switched on.
    #[error("the task was completed at {completed_at}, before journals were switched on")]
    BeforeStart {
        /// When it was completed.
        completed_at: jiff::Timestamp,
    },
    /// The task is linked to one order and carries the number of another.
    #[error("the task is linked to purchase order {linked}, but carries the number {shown}")]
    OrderMismatch {
        /// The number of the order that it is linked to.
        linked: String,
        /// The number that it carries.
        shown: String,
    },
    /// What must never happen did: a defect of this program. Nothing is sent.
    #[error("{what}; this is a defect of ml-connector")]
    Defect {
        /// What was found.
        what: String,
    },
}

/// Whose change would bring the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitsFor {
    /// Nothing: the reason is final for this completion.
    Nothing,
    /// Somebody changes the task in Asana or the order in Oracle.
    Record,
    /// The connection's settings change.
    Settings,
    /// A period is opened in Oracle.
    Period,
}

impl NoJournal {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            NoJournal::NoOrderNumber | NoJournal::Elsewhere => Code::JournalNoOrderNumber,
            NoJournal::OrderUnknown { .. } => Code::JournalOrderUnknown,
            NoJournal::OrderAmbiguous { .. } => Code::JournalOrderAmbiguous,
            NoJournal::LineUnknown { .. } => Code::JournalLineUnknown,
            NoJournal::OrderCanceled { .. } => Code::JournalOrderCanceled,
            NoJournal::NotApproved { .. } => Code::JournalNotApproved,
            NoJournal::AlreadyPosted { .. } | NoJournal::OnItsWay { .. } => Code::JournalAlreadyPosted,
            NoJournal::NoCost { .. } => Code::JournalNoCost,
            NoJournal::CostZero => Code::JournalCostZero,
            NoJournal::CostNegative { .. } => Code::JournalCostNegative,
            NoJournal::NumberUnreadable { .. } => Code::JournalNumberUnreadable,
            NoJournal::CurrencyMissing { .. } => Code::JournalCurrencyMissing,
            NoJournal::CurrencyMixed { .. } => Code::JournalCurrencyMixed,
            NoJournal::CurrencyUnknown { .. } => Code::JournalCurrencyUnknown,
            NoJournal::NoRateType { .. } => Code::JournalNoRateType,
            NoJournal::NoDistributions { .. } => Code::JournalNoDistributions,
            NoJournal::NoChargeAccount { .. } => Code::JournalNoChargeAccount,
            NoJournal::TooManyDecimals { .. } => Code::JournalTooManyDecimals,
            NoJournal::TooLarge { .. } => Code::JournalTooLarge,
            NoJournal::TooManyLines { .. } => Code::JournalTooManyLines,
            NoJournal::AccountUnusable { .. } => Code::JournalAccountUnusable,
            NoJournal::PeriodClosed { .. } => Code::JournalPeriodClosed,
            NoJournal::NoOpenPeriod { .. } => Code::JournalNoOpenPeriod,
            NoJournal::SettingsWrong { .. } => Code::JournalSettingsWrong,
            NoJournal::BeforeStart { .. } => Code::JournalBeforeStart,
            NoJournal::OrderMismatch { .. } => Code::JournalOrderMismatch,
            NoJournal::Defect { .. } => Code::JournalDefect,
        }
    }

    /// Whose change would bring the journal; until then it need not be planned again.
    #[must_use]
    pub fn waits_for(&self) -> WaitsFor {
        match self {
            NoJournal::NotApproved { .. }
            | NoJournal::AlreadyPosted { .. }
            | NoJournal::BeforeStart { .. }
            | NoJournal::Defect { .. } => WaitsFor::Nothing,
            NoJournal::NoOrderNumber
            | NoJournal::Elsewhere
            | NoJournal::OnItsWay { .. }
            | NoJournal::OrderUnknown { .. }
            | NoJournal::OrderAmbiguous { .. }
            | NoJournal::OrderMismatch { .. }
            | NoJournal::LineUnknown { .. }
            | NoJournal::OrderCanceled { .. }
            | NoJournal::NoCost { .. }
            | NoJournal::CostZero
            | NoJournal::CostNegative { .. }
            | NoJournal::NumberUnreadable { .. }
            | NoJournal::CurrencyMissing { .. }
            | NoJournal::CurrencyMixed { .. }
            | NoJournal::NoDistributions { .. }
            | NoJournal::NoChargeAccount { .. }
            | NoJournal::TooManyDecimals { .. }
            | NoJournal::TooLarge { .. }
            | NoJournal::TooManyLines { .. } => WaitsFor::Record,
            NoJournal::CurrencyUnknown { .. }
            | NoJournal::NoRateType { .. }
            | NoJournal::AccountUnusable { .. }
            | NoJournal::SettingsWrong { .. } => WaitsFor::Settings,
            NoJournal::PeriodClosed { .. } | NoJournal::NoOpenPeriod { .. } => WaitsFor::Period,
        }
    }
}
