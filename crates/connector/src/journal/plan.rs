//! The plan of a journal: everything that is sent but the group id. It is stored when the completion is
//! recorded; the file is made from it whenever it is needed, byte for byte the same.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::Kind;
use super::account::Accounts;
use super::cost::Cost;
use super::currency::Currency;
use super::date::AccountingDate;
use super::group::GroupId;
use super::lines::{Line, Totals, posting_lines, totals};
use super::reason::NoJournal;
use super::settings::JournalSettings;
use super::text::{TEXT_CHARACTERS, field};
use crate::ids::TaskGid;

/// The batch name is cut to this: longer ones are not used whole.
const BATCH_NAME_CHARACTERS: usize = 50;
/// The column of the batch name.
const BATCH_NAME_COLUMN: usize = 100;
/// What Oracle appends to the batch name besides the source: balance type, group id (18), process id, a
/// counter and a flag, each with a space. The group id must not be cut off, since it is searched for.
const BATCH_NAME_SUFFIX: usize = 45;
/// The shortest stem that is left, however long the source's name is.
const BATCH_NAME_LEAST: usize = 10;
/// Names and references of the journal are kept this short.
const NAME_CHARACTERS: usize = 50;

/// How an amount of another currency is converted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversion {
    /// The rate type's name.
    pub rate_type: String,
    /// The day whose rate counts. A reversal keeps the posting's day, or it would not take back the same
    /// amount in the ledger's currency.
    pub date: Date,
}

/// The completion that brings a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completion {
    /// The task.
    pub task: TaskGid,
    /// The task's name.
    pub task_name: String,
    /// When it was completed.
    pub completed_at: Timestamp,
    /// That day in the ledger's time zone.
    pub completed_on: Date,
    /// Who completed it, if known.
    pub completed_by: Option<String>,
}

/// What a reversal takes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reversed {
    /// The posting's group id.
    pub group: GroupId,
    /// The posting's `JeBatchId`.
    pub batch_id: String,
    /// When the task was opened again.
    pub reopened_at: Timestamp,
}

/// Everything that is sent but the group id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalPlan {
    /// The ledger's id.
    pub ledger_id: String,
    /// The source's name.
    pub source: String,
    /// The category's name.
    pub category: String,
    /// The currency.
    pub currency: Currency,
    /// How it is converted; `None` in the ledger's currency.
    pub conversion: Option<Conversion>,
    /// The accounting date.
    pub accounting: AccountingDate,
    /// The day the plan was made, in the ledger's time zone.
    pub created: Date,
    /// The completion.
    pub completion: Completion,
    /// `POHeaderId`.
    pub order_id: String,
    /// `OrderNumber`.
    pub order_number: String,
    /// `POLineId`, when the task stands for a line.
    pub line_id: Option<String>,
    /// What is taken back, when this is a reversal.
    pub reverses: Option<Reversed>,
    /// The lines; they balance.
    pub lines: Vec<Line>,
}

impl JournalPlan {
    /// Plans the journal of a completion. `today` is the day in the ledger's time zone.
    pub fn posting(
        completion: Completion,
        cost: &Cost,
        accounting: AccountingDate,
        today: Date,
        accounts: &Accounts<'_>,
    ) -> Result<JournalPlan, NoJournal> {
        let settings = accounts.settings;
        let conversion = if cost.currency.code == settings.ledger_currency {
            None
        } else {
            let rate_type = settings.rate_type.clone().ok_or_else(|| NoJournal::NoRateType {
                currency: cost.currency.code.clone(),
                ledger: settings.ledger_currency.clone(),
            })?;
            Some(Conversion { rate_type, date: accounting.date })
        };
        Ok(JournalPlan {
            ledger_id: settings.ledger_id.clone(),
            source: settings.source.clone(),
            category: settings.category.clone(),
            currency: cost.currency.clone(),
            conversion,
            accounting,
            created: today,
            completion,
            order_id: cost.order_id.clone(),
            order_number: cost.order_number.clone(),
            line_id: cost.line_id.clone(),
            reverses: None,
            lines: posting_lines(cost, accounts)?,
        })
    }

    /// Plans the journal that takes this one back: the same lines with the sides swapped, on a date of its
    /// own. The accounts are those of the posting, whatever the settings say by now.
    pub fn reversal(
        &self,
        reverses: Reversed,
        accounting: AccountingDate,
        today: Date,
    ) -> Result<JournalPlan, NoJournal> {
        if self.reverses.is_some() {
            return Err(NoJournal::Defect { what: "a reversal would be reversed".to_owned() });
        }
        let swap = |line: &Line| Line { side: line.side.swapped(), ..line.clone() };
        Ok(JournalPlan {
            accounting,
            created: today,
            reverses: Some(reverses),
            lines: self.lines.iter().map(swap).collect(),
            ..self.clone()
        })
    }

    /// The same journal on another date: only for one that was never sent.
    #[must_use]
    pub fn redated(&self, accounting: AccountingDate) -> JournalPlan {
        let mut plan = self.clone();
        if let Some(conversion) = plan.conversion.as_mut().filter(|_| self.reverses.is_none()) {
            conversion.date = accounting.date;
        }
        plan.accounting = accounting;
        plan
    }

    /// When that happened which the journal is for: the completion, or for a reversal that the task was opened again.
    #[must_use]
    pub fn happened_at(&self) -> Timestamp {
        self.reverses.as_ref().map_or(self.completion.completed_at, |reversed| reversed.reopened_at)
    }

    /// What the journal is for.
    #[must_use]
    pub fn kind(&self) -> Kind {
        if self.reverses.is_some() { Kind::Reversal } else { Kind::Posting }
    }

    /// Both sides added up; refuses lines that do not balance.
    pub fn totals(&self) -> Result<Totals, NoJournal> {
        totals(&self.lines)
    }

    /// What each side of the batch should show: its running totals are in the ledger's currency, so
    /// nothing is expected of a journal in another one.
    #[must_use]
    pub fn expected(&self, settings: &JournalSettings) -> Option<Decimal> {
        let own = self.conversion.is_none() && self.currency.code == settings.ledger_currency;
        self.totals().ok().filter(|_| own).map(|totals| totals.debits)
    }

    /// `REFERENCE1`: Oracle appends source, group id and more, so there is room left for them.
    pub(super) fn batch_name(&self) -> String {
        let room = BATCH_NAME_COLUMN.saturating_sub(BATCH_NAME_SUFFIX + self.source.chars().count());
        field(&self.name(), room.clamp(BATCH_NAME_LEAST, BATCH_NAME_CHARACTERS))
    }

    /// `REFERENCE4`.
    pub(super) fn journal_name(&self) -> String {
        field(&self.name(), NAME_CHARACTERS)
    }

    /// Never holds a group id: a reversal that named the posting's would be found in its place.
    fn name(&self) -> String {
        let reversal = if self.reverses.is_some() { "reversal " } else { "" };
        format!("Asana {reversal}{} {}", self.completion.task, self.order_number)
    }

    /// `REFERENCE6`.
    pub(super) fn journal_reference(&self) -> String {
        let reference = match &self.reverses {
            Some(reversed) => format!("Reverses {}", reversed.group),
            None => format!("Asana {}", self.completion.task),
        };
        field(&reference, NAME_CHARACTERS)
    }

    /// `REFERENCE5`.
    pub(super) fn journal_description(&self) -> String {
        field(&self.described(""), TEXT_CHARACTERS)
    }

    /// `REFERENCE10`: what must not be cut off comes first.
    pub(super) fn line_description(&self, line: &Line) -> String {
        let place = line.source.as_ref().map_or_else(String::new, |source| {
            let number = if source.line_number.is_empty() { "?" } else { &source.line_number };
            match &source.distribution {
                Some(distribution) => format!(" line {number} distribution {distribution}"),
                None => format!(" line {number}"),
            }
        });
        field(&self.described(&place), TEXT_CHARACTERS)
    }

    fn described(&self, place: &str) -> String {
        let reversal = match &self.reverses {
            Some(reversed) => format!("Reversal of batch {} (group {}): ", reversed.batch_id, reversed.group),
            None => String::new(),
        };
        let completion = &self.completion;
        let (order, day, name) = (&self.order_number, completion.completed_on, &completion.task_name);
        format!("{reversal}PO {order}{place}, completed {day}: {name}")
    }
}
