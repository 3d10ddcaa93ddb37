//! What a mapped Asana field is for.

use serde::{Deserialize, Serialize};

/// What a mapped Asana field shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// The order's number.
    PoNumber,
    /// The supplier's name.
    Supplier,
    /// The status of the least finished invoice.
    InvoiceStatus,
    /// The sum of the order's line amounts, or the line's amount.
    LineItemAmount,
    /// The order's status.
    OrderStatus,
    /// The order's ISO 4217 currency code.
    Currency,
    /// The order's total, with tax.
    OrderedTotal,
    /// The sum that invoices ask for this order.
    InvoicedAmount,
    /// The invoices' numbers.
    InvoiceNumbers,
    /// The cost centers of the order's distributions.
    CostCenter,
    /// The charge accounts of the order's distributions.
    GlAccount,
    /// Who asked for the goods.
    Requester,
    /// When the values were last written.
    LastSynced,
    /// A link to the order in Oracle.
    OracleLink,
    /// What became of the task's completion.
    JournalStatus,
    /// What the task itself costs: read for its journal, never written.
    Cost,
}

/// What kinds of Asana field can hold a purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Text only, since it is looked up by its exact value.
    TextOnly,
    /// Text, or an enum with an option of that name.
    Text,
    /// An exact amount.
    Amount,
    /// An instant: a date field or text.
    Instant,
}

impl Purpose {
    /// Fields without which a connection makes no sense.
    pub const REQUIRED: &'static [Purpose] =
        &[Purpose::PoNumber, Purpose::Supplier, Purpose::InvoiceStatus, Purpose::LineItemAmount];

    /// Every purpose.
    pub const ALL: &'static [Purpose] = &[
        Purpose::PoNumber,
        Purpose::Supplier,
        Purpose::InvoiceStatus,
        Purpose::LineItemAmount,
        Purpose::OrderStatus,
        Purpose::Currency,
        Purpose::OrderedTotal,
        Purpose::InvoicedAmount,
        Purpose::InvoiceNumbers,
        Purpose::CostCenter,
        Purpose::GlAccount,
        Purpose::Requester,
        Purpose::LastSynced,
        Purpose::OracleLink,
        Purpose::JournalStatus,
        Purpose::Cost,
    ];

    /// The name used in settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Purpose::PoNumber => "po_number",
            Purpose::Supplier => "supplier",
            Purpose::InvoiceStatus => "invoice_status",
            Purpose::LineItemAmount => "line_item_amount",
            Purpose::OrderStatus => "order_status",
            Purpose::Currency => "currency",
            Purpose::OrderedTotal => "ordered_total",
            Purpose::InvoicedAmount => "invoiced_amount",
            Purpose::InvoiceNumbers => "invoice_numbers",
            Purpose::CostCenter => "cost_center",
            Purpose::GlAccount => "gl_account",
            Purpose::Requester => "requester",
            Purpose::LastSynced => "last_synced",
            Purpose::OracleLink => "oracle_link",
            Purpose::JournalStatus => "journal_status",
            Purpose::Cost => "cost",
        }
    }

    /// Whether its value comes from the order and its invoices alone.
    #[must_use]
    pub fn is_of_the_order(self) -> bool {
        !matches!(self, Purpose::LastSynced | Purpose::OracleLink | Purpose::JournalStatus | Purpose::Cost)
    }

    /// What kinds of field can hold it.
    #[must_use]
    pub fn holds(self) -> Holds {
        match self {
            Purpose::PoNumber | Purpose::InvoiceNumbers | Purpose::OracleLink | Purpose::JournalStatus => {
                Holds::TextOnly
            }
            Purpose::LineItemAmount | Purpose::OrderedTotal | Purpose::InvoicedAmount | Purpose::Cost => {
                Holds::Amount
            }
            Purpose::LastSynced => Holds::Instant,
            _ => Holds::Text,
        }
    }
}

impl std::str::FromStr for Purpose {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Purpose::ALL.iter().copied().find(|p| p.as_str() == text).ok_or_else(|| {
            let known: Vec<&str> = Purpose::ALL.iter().map(|p| p.as_str()).collect();
            format!("`{text}` is not a field purpose; there are: {}", known.join(", "))
        })
    }
}
