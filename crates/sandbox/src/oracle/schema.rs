//! The attributes of each resource, named exactly as Oracle names them, and how resources nest.
//!
//! The order of a table is the order in which an answer shows the attributes.
#![expect(
    clippy::enum_variant_names,
    clippy::upper_case_acronyms,
    reason = "variants carry Oracle's own names, letter for letter"
)]

/// What an attribute holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A high-precision whole number; a string from framework version 9.
    Id,
    Integer,
    Number,
    Text,
    Date,
    Instant,
    Flag,
}

/// One attribute.
#[derive(Debug)]
pub(crate) struct Attribute {
    pub name: &'static str,
    pub kind: Kind,
    pub queryable: bool,
    /// A key that the server keeps to itself: never shown, described or asked for.
    pub hidden: bool,
}

/// How an item is named in its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyStyle {
    /// The value of the key attribute.
    Plain,
    /// A hash that only the server can compute.
    Opaque,
    /// The text of this attribute.
    Name(u8),
}

/// What may be written besides reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writes {
    Nothing,
    /// `POST` on the collection.
    Create,
    /// `DELETE` of an item.
    Delete,
}

const fn shown(name: &'static str, kind: Kind) -> Attribute {
    Attribute { name, kind, queryable: true, hidden: false }
}

/// The key of a flexfield's only row, which is that of its parent.
const KEY_OF_PARENT: Attribute = Attribute { name: "", kind: Kind::Id, queryable: false, hidden: true };

/// One resource: a table of attributes and its children.
#[derive(Debug)]
pub(crate) struct Resource {
    pub name: &'static str,
    pub attributes: &'static [Attribute],
    /// The attribute that identifies an item.
    pub key: u8,
    pub key_style: KeyStyle,
    pub last_update: Option<u8>,
    pub children: &'static [&'static Resource],
    pub finders: &'static [(&'static str, &'static str)],
    pub writes: Writes,
}

impl Resource {
    /// The position of an attribute; names are case-sensitive.
    pub(crate) fn attribute(&self, name: &str) -> Option<u8> {
        self.attributes.iter().position(|a| a.name == name && !a.hidden).and_then(|at| u8::try_from(at).ok())
    }

    pub(crate) fn child(&self, name: &str) -> Option<(usize, &'static Resource)> {
        self.children.iter().copied().enumerate().find(|(_, child)| child.name == name)
    }
}

/// Whether an attribute may be queried (`q`) or not (`n`), or is hidden (`h`).
macro_rules! is {
    (queryable q) => {
        true
    };
    (queryable $other:ident) => {
        false
    };
    (hidden h) => {
        true
    };
    (hidden $other:ident) => {
        false
    };
}

macro_rules! attributes {
    ($enum:ident $table:ident { $($name:ident $kind:ident $query:ident,)* }) => {
        #[derive(Clone, Copy, Debug)]
        #[repr(u8)]
        pub(crate) enum $enum { $($name,)* }

        impl From<$enum> for u8 {
            fn from(field: $enum) -> Self {
                field as Self
            }
        }

        pub(crate) static $table: &[Attribute] = &[
            $(Attribute {
                name: stringify!($name),
                kind: Kind::$kind,
                queryable: is!(queryable $query),
                hidden: is!(hidden $query),
            },)*
        ];
    };
}

attributes!(Po PO_ATTRIBUTES {
    POHeaderId Id q,
    OrderNumber Text q,
    Revision Integer q,
    Description Text q,
    DocumentStyle Text q,
    DocumentStyleId Id q,
    StatusCode Text q,
    Status Text q,
    Buyer Text q,
    BuyerId Id q,
    BuyerDisplayName Text q,
    RequesterId Id n,
    RequesterDisplayName Text n,
    ProcurementBU Text q,
    ProcurementBUId Id q,
    RequisitioningBU Text q,
    RequisitioningBUId Id q,
    BillToBU Text q,
    BillToBUId Id q,
    SoldToLegalEntity Text q,
    SoldToLegalEntityId Id q,
    Supplier Text q,
    SupplierId Id q,
    SupplierSite Text q,
    SupplierSiteId Id q,
    SupplierContact Text q,
    SupplierEmailAddress Text n,
    CurrencyCode Text q,
    Currency Text q,
    Ordered Number q,
    TotalTax Number q,
    Total Number q,
    PaymentTerms Text q,
    FrozenFlag Flag q,
    FundsStatus Text n,
    Requisition Text n,
    OrderDate Date q,
    ShipToLocation Text q,
    BillToLocation Text q,
    CreationDate Instant q,
    LastUpdateDate Instant q,
});

attributes!(Line LINE_ATTRIBUTES {
    POLineId Id q,
    POHeaderId Id q,
    LineNumber Integer q,
    LineType Text q,
    LineTypeId Id q,
    Item Text q,
    ItemId Id q,
    Description Text q,
    Category Text q,
    CategoryId Id q,
    Quantity Number q,
    UOM Text q,
    UOMCode Text q,
    Price Number q,
    Ordered Number n,
    Total Number n,
    CurrencyCode Text q,
    Currency Text q,
    StatusCode Text q,
    Status Text q,
    SupplierItem Text q,
    LastUpdateDate Instant q,
});

attributes!(Schedule SCHEDULE_ATTRIBUTES {
    LineLocationId Id q,
    ScheduleNumber Integer q,
    Quantity Number q,
    ShipToOrganization Text q,
    ShipToLocation Text q,
    DestinationTypeCode Text q,
    DestinationType Text q,
    RequestedDeliveryDate Date q,
    PromisedDeliveryDate Date q,
    LastUpdateDate Instant q,
});

attributes!(Distribution DISTRIBUTION_ATTRIBUTES {
    PODistributionId Id q,
    DistributionNumber Integer q,
    Quantity Number q,
    DeliverToLocation Text q,
    DeliverToLocationId Id q,
    Requester Text q,
    RequesterId Id q,
    BudgetDate Date q,
    POChargeAccountId Id q,
    POChargeAccount Text q,
    LastUpdateDate Instant q,
    // there for records that were made up, whose project is made up too
    MadeUp Flag h,
});

/// Below a distribution, where project coding stands: there is no flat project number.
static PROJECT_DFF_ATTRIBUTES: &[Attribute] = &[
    KEY_OF_PARENT,
    shown("_PROJECT_ID", Kind::Id),
    shown("_TASK_ID", Kind::Id),
    shown("_EXPENDITURE_TYPE_ID", Kind::Id),
    shown("_ORGANIZATION_ID", Kind::Id),
    shown("_EXPENDITURE_ITEM_DATE", Kind::Date),
];

attributes!(Inv INVOICE_ATTRIBUTES {
    InvoiceId Id q,
    InvoiceNumber Text q,
    InvoiceCurrency Text q,
    PaymentCurrency Text q,
    InvoiceAmount Number q,
    InvoiceDate Date q,
    BusinessUnit Text q,
    Supplier Text q,
    SupplierNumber Text q,
    ProcurementBU Text q,
    SupplierSite Text q,
    RequesterId Id q,
    Requester Text q,
    InvoiceGroup Text q,
    ConversionRateType Text q,
    ConversionDate Date q,
    ConversionRate Number q,
    AccountingDate Date q,
    Description Text q,
    PaymentTerms Text q,
    PaymentMethod Text q,
    InvoiceSource Text q,
    InvoiceType Text q,
    LegalEntity Text q,
    LiabilityDistribution Text q,
    ValidationStatus Text q,
    ApprovalStatus Text q,
    PaidStatus Text q,
    AccountingStatus Text q,
    AmountPaid Number q,
    PurchaseOrderNumber Text q,
    CanceledFlag Flag q,
    CanceledBy Text n,
    CreationDate Instant q,
    LastUpdateDate Instant q,
    LastUpdatedBy Text n,
    // there for records that were made up, whose flexfield and instalments are made up too
    MadeUp Flag h,
});

attributes!(InvLine INVOICE_LINE_ATTRIBUTES {
    LineNumber Integer q,
    LineType Text q,
    LineAmount Number q,
    Description Text q,
    Quantity Number q,
    UnitPrice Number q,
    UOM Text q,
    DistributionCombination Text n,
    PurchaseOrderNumber Text q,
    PurchaseOrderLineNumber Integer q,
    PurchaseOrderScheduleLineNumber Integer q,
    DiscardedFlag Flag q,
    CanceledFlag Flag q,
    LastUpdateDate Instant q,
});

attributes!(Installment INSTALLMENT_ATTRIBUTES {
    InstallmentNumber Integer q,
    DueDate Date q,
    GrossAmount Number q,
    UnpaidAmount Number q,
    HoldFlag Flag q,
    HoldReason Text q,
});

/// `ProcessingQueue` is the attribute by which Oracle's example filters; a tenant has others.
static INVOICE_DFF_ATTRIBUTES: &[Attribute] =
    &[KEY_OF_PARENT, shown("ProcessingQueue", Kind::Text), shown("__FLEX_Context", Kind::Text)];

attributes!(Sup SUPPLIER_ATTRIBUTES {
    SupplierId Id q,
    SupplierPartyId Id q,
    Supplier Text q,
    SupplierNumber Text q,
    AlternateName Text q,
    BusinessRelationship Text n,
    BusinessRelationshipCode Text q,
    SupplierType Text n,
    SupplierTypeCode Text q,
    Status Text n,
    InactiveDate Date q,
    TaxpayerId Text n,
    CreationDate Instant q,
    LastUpdateDate Instant q,
});

/// `purchaseOrders` and below it `lines`, `schedules`, `distributions`, `projectDFF`.
pub(crate) static PURCHASE_ORDERS: Resource = Resource {
    name: "purchaseOrders",
    attributes: PO_ATTRIBUTES,
    key: Po::POHeaderId as u8,
    key_style: KeyStyle::Opaque,
    last_update: Some(Po::LastUpdateDate as u8),
    children: &[&LINES],
    finders: &[("PrimaryKey", "POHeaderId"), ("findByIntent", "Intent")],
    writes: Writes::Nothing,
};

pub(crate) static LINES: Resource = Resource {
    name: "lines",
    attributes: LINE_ATTRIBUTES,
    key: Line::POLineId as u8,
    key_style: KeyStyle::Plain,
    last_update: Some(Line::LastUpdateDate as u8),
    children: &[&SCHEDULES],
    finders: &[("PrimaryKey", "POLineId")],
    writes: Writes::Nothing,
};

pub(crate) static SCHEDULES: Resource = Resource {
    name: "schedules",
    attributes: SCHEDULE_ATTRIBUTES,
    key: Schedule::LineLocationId as u8,
    key_style: KeyStyle::Opaque,
    last_update: Some(Schedule::LastUpdateDate as u8),
    children: &[&DISTRIBUTIONS],
    finders: &[("PrimaryKey", "LineLocationId")],
    writes: Writes::Nothing,
};

pub(crate) static DISTRIBUTIONS: Resource = Resource {
    name: "distributions",
    attributes: DISTRIBUTION_ATTRIBUTES,
    key: Distribution::PODistributionId as u8,
    key_style: KeyStyle::Opaque,
    last_update: Some(Distribution::LastUpdateDate as u8),
    children: &[&PROJECT_DFF],
    finders: &[("PrimaryKey", "PODistributionId")],
    writes: Writes::Nothing,
};

pub(crate) static PROJECT_DFF: Resource = Resource {
    name: "projectDFF",
    attributes: PROJECT_DFF_ATTRIBUTES,
    key: 0,
    key_style: KeyStyle::Opaque,
    last_update: None,
    children: &[],
    finders: &[],
    writes: Writes::Nothing,
};

/// `invoices` and below it `invoiceLines`, `invoiceInstallments`, `invoiceDff`.
pub(crate) static INVOICES: Resource = Resource {
    name: "invoices",
    attributes: INVOICE_ATTRIBUTES,
    key: Inv::InvoiceId as u8,
    key_style: KeyStyle::Opaque,
    last_update: Some(Inv::LastUpdateDate as u8),
    children: &[&INVOICE_LINES, &INVOICE_INSTALLMENTS, &INVOICE_DFF],
    finders: &[("PrimaryKey", "InvoiceId")],
    writes: Writes::Nothing,
};

pub(crate) static INVOICE_LINES: Resource = Resource {
    name: "invoiceLines",
    attributes: INVOICE_LINE_ATTRIBUTES,
    key: InvLine::LineNumber as u8,
    key_style: KeyStyle::Opaque,
    last_update: Some(InvLine::LastUpdateDate as u8),
    children: &[],
    finders: &[("PrimaryKey", "LineNumber")],
    writes: Writes::Nothing,
};

pub(crate) static INVOICE_INSTALLMENTS: Resource = Resource {
    name: "invoiceInstallments",
    attributes: INSTALLMENT_ATTRIBUTES,
    key: Installment::InstallmentNumber as u8,
    key_style: KeyStyle::Opaque,
    last_update: None,
    children: &[],
    finders: &[("PrimaryKey", "InstallmentNumber")],
    writes: Writes::Nothing,
};

pub(crate) static INVOICE_DFF: Resource = Resource {
    name: "invoiceDff",
    attributes: INVOICE_DFF_ATTRIBUTES,
    key: 0,
    key_style: KeyStyle::Opaque,
    last_update: None,
    children: &[],
    finders: &[],
    writes: Writes::Nothing,
};

/// `suppliers`; their sites, contacts and addresses are not imitated.
pub(crate) static SUPPLIERS: Resource = Resource {
    name: "suppliers",
    attributes: SUPPLIER_ATTRIBUTES,
    key: Sup::SupplierId as u8,
    key_style: KeyStyle::Plain,
    last_update: Some(Sup::LastUpdateDate as u8),
    children: &[],
    finders: &[("PrimaryKey", "SupplierId")],
    writes: Writes::Nothing,
};

/// The resources whose `LastUpdateDate` the switches are about.
pub(crate) static HEADERS: [&Resource; 2] = [&PURCHASE_ORDERS, &INVOICES];
