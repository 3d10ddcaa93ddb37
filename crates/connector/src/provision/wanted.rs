//! Which custom fields are needed, and what for.

use std::collections::{BTreeMap, BTreeSet};

use asana::{FieldType, NewCustomField};

use crate::ids::FieldGid;
use crate::invoice_status;
use crate::purpose::{Holds, Purpose};
use crate::settings::Settings;

/// Decimal places of amounts unless set otherwise: those of most currencies.
pub const DECIMALS: u8 = 2;

/// What a field is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// What it shows of an order, in `[fields]`.
    Purpose(Purpose),
    /// `reference.mark`: what a person chose on the task and may not be used.
    Mark,
}

impl Target {
    /// The name in plans and options.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Target::Purpose(purpose) => purpose.as_str(),
            Target::Mark => "mark",
        }
    }

    /// The field that the settings name.
    #[must_use]
    pub fn named(self, settings: &Settings) -> Option<&FieldGid> {
        match self {
            Target::Purpose(purpose) => settings.fields.get(&purpose),
            Target::Mark => settings.reference.as_ref()?.mark.as_ref(),
        }
    }

    /// Writes the field into the settings; whether they named none before. There is no mark without `[reference]`.
    pub fn map(self, settings: &mut Settings, gid: FieldGid) -> bool {
        match self {
            Target::Purpose(purpose) => settings.fields.insert(purpose, gid).is_none(),
            Target::Mark => {
                let Some(reference) = &mut settings.reference else { return false };
                reference.mark.replace(gid).is_none()
            }
        }
    }
}

impl std::str::FromStr for Target {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text == Target::Mark.as_str() {
            return Ok(Target::Mark);
        }
        text.parse()
            .map(Target::Purpose)
            .map_err(|why: String| format!("{why}; and {}", Target::Mark.as_str()))
    }
}

/// What a person may choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choices {
    /// Optional purposes that get a field too.
    pub optional: BTreeSet<Purpose>,
    /// Whether `[reference]` gets a field for its mark too; there is none without the section.
    pub mark: bool,
    /// Names other than the usual ones.
    pub names: BTreeMap<Target, String>,
    /// Decimal places of amounts, 0 to 6.
    pub decimals: u8,
    /// ISO 4217 code, when amounts are shown in one currency; amounts of another are held then.
    pub currency: Option<String>,
}

impl Default for Choices {
    fn default() -> Self {
        let (optional, names) = (BTreeSet::new(), BTreeMap::new());
        Choices { optional, mark: true, names, decimals: DECIMALS, currency: None }
    }
}

/// Every optional purpose that makes sense with these settings.
#[must_use]
pub fn sensible(settings: &Settings) -> BTreeSet<Purpose> {
    let fits = |purpose: &Purpose| match purpose {
        Purpose::OracleLink => settings.oracle.order_link.is_some(),
        Purpose::JournalStatus | Purpose::Cost => settings.journal.is_some(),
        _ => true,
    };
    Purpose::ALL.iter().copied().filter(fits).collect()
}

/// What is provisioned: the required, the mapped and the chosen purposes, those whose options are kept, and the mark
/// where it is named or wanted.
#[must_use]
pub fn targets(settings: &Settings, choices: &Choices) -> BTreeSet<Target> {
    let required = Purpose::REQUIRED.iter().copied();
    let purposes = required.chain(settings.fields.keys().copied()).chain(choices.optional.iter().copied());
    let purposes = purposes.chain(settings.optioned());
    let mark = settings.reference.as_ref().filter(|reference| choices.mark || reference.mark.is_some());
    purposes.map(Target::Purpose).chain(mark.map(|_| Target::Mark)).collect()
}

/// The field that is made when none is named. A single-select whose options are kept comes without any: a field that is
/// there may have whichever it has, and what a new one begins with is known only where it is made.
#[must_use]
pub fn field(target: Target, settings: &Settings, choices: &Choices) -> NewCustomField {
    let name = choices.names.get(&target).map_or_else(|| usual_name(target).to_owned(), Clone::clone);
    let (kind, description) = match target {
        Target::Purpose(purpose) if settings.optioned().any(|kept| kept == purpose) => {
            (FieldType::Enum(Vec::new()), description(purpose))
        }
        Target::Purpose(purpose) => (kind(purpose, choices), description(purpose)),
        Target::Mark => (
            FieldType::Text,
            "Says which supplier or account, chosen here by a person, may not be used in Oracle; empty when all is right.",
        ),
    };
    NewCustomField { name, description: description.to_owned(), kind }
}

fn kind(purpose: Purpose, choices: &Choices) -> FieldType {
    match purpose.holds() {
        Holds::Amount => {
            FieldType::Number { precision: choices.decimals, currency: choices.currency.clone() }
        }
        Holds::Instant => FieldType::Date,
        Holds::Text if purpose == Purpose::InvoiceStatus => {
            FieldType::Enum(invoice_status::SHOWN.map(str::to_owned).to_vec())
        }
        Holds::Text | Holds::TextOnly => FieldType::Text,
    }
}

fn description(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Cost => "What this task costs; its journal is made of it.",
        Purpose::JournalStatus => "What became of this task's journal in Oracle; kept up to date from there.",
        _ => "Kept up to date from Oracle; changes made here are overwritten.",
    }
}

fn usual_name(target: Target) -> &'static str {
    let Target::Purpose(purpose) = target else { return "Oracle check" };
    match purpose {
        Purpose::PoNumber => "PO number",
        Purpose::Supplier => "Supplier",
        Purpose::InvoiceStatus => "Invoice status",
        Purpose::LineItemAmount => "Line-item amount",
        Purpose::OrderStatus => "Order status",
        Purpose::Currency => "Currency",
        Purpose::OrderedTotal => "Ordered total",
        Purpose::InvoicedAmount => "Invoiced amount",
        Purpose::InvoiceNumbers => "Invoice numbers",
        Purpose::CostCenter => "Cost center",
        Purpose::GlAccount => "GL account",
        Purpose::Requester => "Requester",
        Purpose::LastSynced => "Last synced",
        Purpose::OracleLink => "Oracle link",
        Purpose::JournalStatus => "Journal status",
        Purpose::Cost => "Actual cost",
    }
}

/// A field's type in words.
#[must_use]
pub fn words(kind: &FieldType) -> String {
    match kind {
        FieldType::Text => "text".to_owned(),
        FieldType::Date => "date".to_owned(),
        FieldType::Number { precision, currency: None } => format!("number with {precision} decimals"),
        FieldType::Number { precision, currency: Some(code) } => format!("{code} with {precision} decimals"),
        FieldType::Enum(options) if options.is_empty() => "single-select".to_owned(),
        FieldType::Enum(options) => format!("single-select: {}", options.join(", ")),
    }
}
