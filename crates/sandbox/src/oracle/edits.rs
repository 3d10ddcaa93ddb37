//! What people do in Oracle: the changes that a poll must notice, and some that it cannot.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// A change. Records are named by `POHeaderId` or `InvoiceId`, lines by `LineNumber`.
///
/// `touch` says whether the header's `LastUpdateDate` moves to the present of the virtual clock;
/// whether a line edit does so on a real pod is unknown, so both are possible. The dates of the lines
/// themselves always move.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "edit", rename_all = "snake_case", deny_unknown_fields)]
pub enum Edit {
    /// Another name for a supplier, on the supplier and on every order and invoice; the `SupplierId` stays.
    RenameSupplier {
        /// The name until now.
        supplier: String,
        /// The name from now on.
        name: String,
        /// See [`Edit`].
        #[serde(default = "yes")]
        touch: bool,
    },
    /// The supplier is inactive from that day on; without a day it is active again.
    DeactivateSupplier {
        /// `SupplierId`
        supplier: i64,
        /// The first inactive day.
        #[serde(default)]
        from: Option<Date>,
    },
    /// Takes a supplier away, as if the user had lost sight of it.
    RemoveSupplier {
        /// `SupplierId`
        supplier: i64,
    },
    /// Another amount for a line; the order's `Ordered` and `Total` follow.
    LineAmount {
        /// `POHeaderId`
        order: i64,
        /// `LineNumber`
        line: i64,
        /// Decimal text, kept digit for digit.
        amount: String,
        /// See [`Edit`].
        #[serde(default = "yes")]
        touch: bool,
    },
    /// One more line.
    AddLine {
        /// `POHeaderId`
        order: i64,
        /// The line.
        line: NewLine,
        /// See [`Edit`].
        #[serde(default = "yes")]
        touch: bool,
    },
    /// Another charge account for a distribution of a line's first schedule.
    ChargeAccount {
        /// `POHeaderId`
        order: i64,
        /// `LineNumber`
        line: i64,
        /// `DistributionNumber`
        distribution: i64,
        /// Concatenated segments.
        account: String,
        /// See [`Edit`].
        #[serde(default = "yes")]
        touch: bool,
    },
    /// Another status, with its lines; amounts stay.
    OrderStatus {
        /// `POHeaderId`
        order: i64,
        /// `StatusCode`: `OPEN`, `CLOSED`, `FINALLY_CLOSED`, `CANCELED`, `PENDING_APPROVAL`, `INCOMPLETE`, `ON_HOLD`.
        code: String,
        /// See [`Edit`].
        #[serde(default = "yes")]
        touch: bool,
    },
    /// An order appears. With an older `last_update` it is a late commit, which a poll that trusts the
    /// clock never sees.
    CreateOrder(NewOrder),
    /// An invoice appears.
    CreateInvoice(NewInvoice),
    /// Other statuses of an invoice; absent ones stay. `Paid` sets the amount paid, `Canceled` the flag.
    InvoiceStatus {
        /// `InvoiceId`
        invoice: i64,
        /// `ValidationStatus`
        #[serde(default)]
        validation: Option<String>,
        /// `ApprovalStatus`
        #[serde(default)]
        approval: Option<String>,
        /// `PaidStatus`
        #[serde(default)]
        paid: Option<String>,
        /// `AccountingStatus`
        #[serde(default)]
        accounting: Option<String>,
        /// See [`Edit`].
        #[serde(default = "yes")]
        touch: bool,
    },
    /// Only `LastUpdateDate` changes: to `at`, else to the present. All ids get one and the same instant.
    Touch {
        /// `purchaseOrders` or `invoices`
        resource: String,
        /// `POHeaderId` or `InvoiceId`
        ids: Vec<i64>,
        /// The instant.
        #[serde(default)]
        at: Option<Timestamp>,
    },
    /// Any JSON as the value of an attribute, or the attribute left out.
    SetRaw {
        /// `purchaseOrders` or `invoices`
        resource: String,
        /// `POHeaderId` or `InvoiceId`
        id: i64,
        /// `LineNumber`, for an attribute of a line.
        #[serde(default)]
        line: Option<i64>,
        /// Name of the attribute; or children and their attribute, as `invoiceDff.ProcessingQueue` or, with a line,
        /// `schedules.distributions[2].projectDFF._PROJECT_ID`: the second row of that child, of the others the
        /// first.
        attribute: String,
        /// JSON text, shown as it is; absent leaves the attribute out of answers.
        #[serde(default)]
        json: Option<String>,
        /// See [`Edit`].
        #[serde(default = "yes")]
        touch: bool,
    },
    /// A record is no longer seen.
    Remove {
        /// `purchaseOrders` or `invoices`
        resource: String,
        /// `POHeaderId` or `InvoiceId`
        id: i64,
    },
    /// All tokens given out so far are refused from now on.
    RevokeTokens,
    /// An accounting period is closed, opened or otherwise given a status.
    PeriodStatus {
        /// `PeriodNameId`, such as `Jul-26`.
        period: String,
        /// `ClosingStatus`: `O`, `C`, `F`, `N` or `P`.
        status: String,
        /// `LedgerId`; the primary ledger by default.
        #[serde(default)]
        ledger: Option<i64>,
        /// `ApplicationId`; the General Ledger (101) by default.
        #[serde(default)]
        application: Option<i64>,
    },
    /// An account becomes a valid combination.
    CreateAccount {
        /// Concatenated segments.
        account: String,
    },
    /// An account is enabled or disabled, or its detail posting is; absent ones stay.
    ChangeAccount {
        /// Code combination id or concatenated segments.
        account: String,
        /// `EnabledFlag`
        #[serde(default)]
        enabled: Option<bool>,
        /// `DetailPostingAllowedFlag`
        #[serde(default)]
        detail_posting: Option<bool>,
    },
    /// An account gets a last day, or loses it.
    EndAccount {
        /// Code combination id or concatenated segments.
        account: String,
        /// `EndDateActive`; none when absent.
        #[serde(default)]
        last_day: Option<Date>,
    },
    /// Suspense posting is allowed in a ledger or no longer.
    Suspense {
        /// Whether it is allowed.
        allowed: bool,
        /// `LedgerId`; the primary ledger by default.
        #[serde(default)]
        ledger: Option<i64>,
    },
    /// A journal source is no longer there.
    RemoveSource {
        /// Name or key.
        source: String,
    },
    /// A journal batch is posted, and cannot be deleted any more.
    PostBatch {
        /// `JeBatchId`
        batch: i64,
    },
    /// A journal batch that is not posted is deleted.
    DeleteBatch {
        /// `JeBatchId`
        batch: i64,
    },
    /// The rows of a group are deleted from the interface, as Delete Import Data does.
    PurgeInterface {
        /// `GROUP_ID`
        group: i64,
    },
}

fn yes() -> bool {
    true
}

/// An order to create; what is absent is made up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewOrder {
    /// `OrderNumber`
    pub number: Option<String>,
    /// `Supplier`
    pub supplier: Option<String>,
    /// ISO code; USD by default.
    pub currency: Option<String>,
    /// `ProcurementBU`, also for requisitioning and billing.
    pub business_unit: Option<String>,
    /// `SoldToLegalEntity`
    pub legal_entity: Option<String>,
    /// `StatusCode`; OPEN by default.
    pub status_code: Option<String>,
    /// `Description`
    pub description: Option<String>,
    /// `RequesterDisplayName`
    pub requester: Option<String>,
    /// Lines, numbered from 1.
    pub lines: Vec<NewLine>,
    /// `LastUpdateDate`; the present by default.
    pub last_update: Option<Timestamp>,
}

/// An order line to create.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewLine {
    /// `Description`
    pub description: Option<String>,
    /// Decimal text; 0 when empty.
    pub amount: String,
    /// Decimal text; absent for services with an amount only.
    pub quantity: Option<String>,
    /// Decimal text.
    pub price: Option<String>,
    /// Charge accounts, a distribution each; one is made up when empty.
    pub accounts: Vec<String>,
}

/// An invoice to create; what is absent is made up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewInvoice {
    /// `InvoiceNumber`
    pub number: Option<String>,
    /// `Supplier`
    pub supplier: Option<String>,
    /// ISO code; USD by default.
    pub currency: Option<String>,
    /// `BusinessUnit`
    pub business_unit: Option<String>,
    /// `LegalEntity`
    pub legal_entity: Option<String>,
    /// Lines; the invoice's amount is their sum.
    pub lines: Vec<NewInvoiceLine>,
    /// `PurchaseOrderNumber` of the header, which real invoices often lack.
    pub order_number: Option<String>,
    /// `LastUpdateDate`; the present by default.
    pub last_update: Option<Timestamp>,
}

/// An invoice line to create.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewInvoiceLine {
    /// Decimal text.
    pub amount: String,
    /// `PurchaseOrderNumber`
    pub order_number: Option<String>,
    /// `PurchaseOrderLineNumber`
    pub order_line: Option<i64>,
    /// `Description`
    pub description: Option<String>,
}
