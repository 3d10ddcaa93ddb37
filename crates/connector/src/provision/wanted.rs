//! Which custom field each purpose needs.

use std::collections::{BTreeMap, BTreeSet};

use asana::{FieldType, NewCustomField};

use crate::invoice_status;
use crate::purpose::{Holds, Purpose};
use crate::settings::Settings;

/// Decimal places of amounts unless set otherwise: those of most currencies.
pub const DECIMALS: u8 = 2;

/// What a person may choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choices {
    /// Optional purposes that get a field too.
    pub optional: BTreeSet<Purpose>,
    /// Names other than the usual ones.
    pub names: BTreeMap<Purpose, String>,
    /// Decimal places of amounts, 0 to 6.
    pub decimals: u8,
    /// ISO 4217 code, when amounts are shown in one currency; amounts of another are held then.
    pub currency: Option<String>,
}

impl Default for Choices {
    fn default() -> Self {
        Choices { optional: BTreeSet::new(), names: BTreeMap::new(), decimals: DECIMALS, currency: None }
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

/// The purposes that are provisioned: the required, the mapped and the chosen ones.
#[must_use]
pub fn purposes(settings: &Settings, choices: &Choices) -> BTreeSet<Purpose> {
    let required = Purpose::REQUIRED.iter().copied();
    required.chain(settings.fields.keys().copied()).chain(choices.optional.iter().copied()).collect()
}

/// The field that a purpose gets when none is mapped.
#[must_use]
pub fn field(purpose: Purpose, choices: &Choices) -> NewCustomField {
    let name = choices.names.get(&purpose).map_or_else(|| usual_name(purpose).to_owned(), Clone::clone);
    let kind = match purpose.holds() {
        Holds::Amount => {
            FieldType::Number { precision: choices.decimals, currency: choices.currency.clone() }
        }
        Holds::Instant => FieldType::Date,
        Holds::Text if purpose == Purpose::InvoiceStatus => {
            FieldType::Enum(invoice_status::SHOWN.map(str::to_owned).to_vec())
        }
        Holds::Text | Holds::TextOnly => FieldType::Text,
    };
    let description = match purpose {
        Purpose::Cost => "What this task costs; its journal is made of it.",
        Purpose::JournalStatus => "What became of this task's journal in Oracle; kept up to date from there.",
        _ => "Kept up to date from Oracle; changes made here are overwritten.",
    };
    NewCustomField { name, description: description.to_owned(), kind }
}

fn usual_name(purpose: Purpose) -> &'static str {
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
        FieldType::Enum(options) => format!("single-select: {}", options.join(", ")),
    }
}
