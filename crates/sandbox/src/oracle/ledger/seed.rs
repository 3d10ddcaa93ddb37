//! What the General Ledger begins with: ledgers, charts of accounts, sources, categories, rates.
//!
//! Made up, but shaped so that the charge accounts of made-up and published orders are accounts of the primary
//! ledger. A second ledger with another currency and another chart shows what gets mixed up.

use serde::Serialize;

/// The General Ledger's id among Oracle's applications.
pub(crate) const GENERAL_LEDGER: i64 = 101;
/// Payables, Purchasing and Receivables: each has period statuses of its own.
pub(crate) const SUBLEDGERS: [i64; 3] = [200, 201, 222];

/// The access set that both ledgers belong to.
pub(crate) const DATA_ACCESS_SET: i64 = 300_000_046_975_980;

/// Calendar of both ledgers.
pub(crate) const CALENDAR: &str = "Monthly Calendar";

/// A chart of accounts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Chart {
    /// `StructureInstanceId`, which is not the chart's id anywhere else.
    pub instance: i64,
    /// `StructureInstanceNumber`: the `ChartOfAccountsId` of ledgers and combinations.
    pub number: i64,
    pub code: &'static str,
    pub name: &'static str,
    pub delimiter: char,
    /// The tenant's names of the segments, in order.
    pub segments: &'static [&'static str],
    /// Place of the natural account among the segments; the balancing segment is the first.
    pub natural_account: usize,
    pub cost_center: usize,
}

/// A ledger.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LedgerSeed {
    pub id: i64,
    pub name: &'static str,
    pub short_name: &'static str,
    pub currency: &'static str,
    pub chart: &'static Chart,
    pub clearing: &'static str,
    pub suspense: &'static str,
    pub legal_entity: &'static str,
}

/// `101.10.60540.000.000.000`
pub(crate) static US_CHART: Chart = Chart {
    instance: 300_000_046_400_011,
    number: 21_001,
    code: "US_CHART",
    name: "US Chart of Accounts",
    delimiter: '.',
    segments: &["company", "lineOfBusiness", "account", "costCenter", "product", "intercompany"],
    natural_account: 2,
    cost_center: 3,
};

/// `201-60540-110-000`
pub(crate) static EU_CHART: Chart = Chart {
    instance: 300_000_046_400_027,
    number: 21_002,
    code: "EU_CHART",
    name: "EU Chart of Accounts",
    delimiter: '-',
    segments: &["company", "account", "costCenter", "intercompany"],
    natural_account: 1,
    cost_center: 2,
};

pub(crate) static LEDGERS: [LedgerSeed; 2] = [
    LedgerSeed {
        id: 300_000_046_975_971,
        name: "US Primary Ledger",
        short_name: "USPRIMARY",
        currency: "USD",
        chart: &US_CHART,
        clearing: "101.10.21990.000.000.000",
        suspense: "101.10.29990.000.000.000",
        legal_entity: "US1 Legal Entity",
    },
    LedgerSeed {
        id: 300_000_046_981_204,
        name: "EU Primary Ledger",
        short_name: "EUPRIMARY",
        currency: "EUR",
        chart: &EU_CHART,
        clearing: "201-21990-000-000",
        suspense: "201-29990-000-000",
        legal_entity: "EU1 Legal Entity",
    },
];

/// The natural accounts, per chart, that every company has besides those that orders are charged to.
pub(crate) const BALANCE_SHEET: [&str; 2] = ["21990", "29990"];

/// Accounts for trying out rejections: text, whether it is enabled, whether lines may be posted, last day.
pub(crate) const ODD_ACCOUNTS: &[(&str, bool, bool, Option<&str>)] = &[
    ("101.10.60000.000.000.000", true, false, None),
    ("101.10.60550.000.000.000", false, true, None),
    ("101.10.60560.000.000.000", true, true, Some("2020-12-31")),
];

/// Accounts of the second ledger.
pub(crate) const EU_ACCOUNTS: &[&str] = &["201-60540-110-000", "201-60120-000-000", "202-60540-110-000"];

/// `JeSourceName` and `UserJeSourceName`; seeded ones have one name, a tenant's own have a number.
pub(crate) const SOURCES: &[(&str, &str)] = &[
    ("Manual", "Manual"),
    ("Spreadsheet", "Spreadsheet"),
    ("Payables", "Payables"),
    ("300000081590170", "Project Costs"),
];

/// `JeCategoryName` and `UserJeCategoryName`.
pub(crate) const CATEGORIES: &[(&str, &str)] = &[
    ("Adjustment", "Adjustment"),
    ("Accrual", "Accrual"),
    ("Purchase Invoices", "Purchase Invoices"),
    ("300000081590201", "Project Costs"),
];

/// A currency that is enabled: its digits after the point, and its `Corporate` rates where they are defined.
#[derive(Debug)]
pub(crate) struct Currency {
    pub code: &'static str,
    pub digits: u32,
    pub to_usd: Option<&'static str>,
    pub to_eur: Option<&'static str>,
}

const fn currency(
    code: &'static str,
    digits: u32,
    to_usd: Option<&'static str>,
    to_eur: Option<&'static str>,
) -> Currency {
    Currency { code, digits, to_usd, to_eur }
}

/// `CHF` is enabled but has no rate.
pub(crate) static CURRENCIES: [Currency; 8] = [
    currency("USD", 2, None, Some("0.92336")),
    currency("EUR", 2, Some("1.083"), None),
    currency("GBP", 2, Some("1.2715"), Some("1.174")),
    currency("JPY", 0, Some("0.00671"), Some("0.0062")),
    currency("BRL", 2, Some("0.1805"), Some("0.1667")),
    currency("PYG", 0, Some("0.000127"), Some("0.000117")),
    currency("CAD", 2, Some("0.7304"), Some("0.6744")),
    currency("CHF", 2, None, None),
];

/// The type of the seeded rates, and the one whose rate stands on the line.
pub(crate) const CORPORATE: &str = "Corporate";
pub(crate) const USER: &str = "User";
/// A type that exists but has no rates.
pub(crate) const SPOT: &str = "Spot";

pub(crate) fn ledger(id: i64) -> Option<&'static LedgerSeed> {
    LEDGERS.iter().find(|ledger| ledger.id == id)
}

pub(crate) fn enabled_currency(code: &str) -> Option<&'static Currency> {
    CURRENCIES.iter().find(|currency| currency.code == code)
}

/// What a test or a connection needs to know of a ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LedgerFacts {
    /// `LedgerId`
    pub ledger_id: i64,
    /// Name of the ledger.
    pub ledger_name: String,
    /// ISO code of its currency.
    pub currency: String,
    /// Id of the data access set.
    pub data_access_set_id: i64,
    /// `ChartOfAccountsId`, which `chartOfAccountsLOV` calls `StructureInstanceNumber`.
    pub chart_of_accounts_id: i64,
    /// Stands between the segments of an account.
    pub delimiter: char,
    /// Number of segments.
    pub segments: usize,
    /// Place of the balancing segment, from 0.
    pub balancing_segment: usize,
    /// Place of the natural account, from 0.
    pub account_segment: usize,
    /// Place of the cost center, from 0.
    pub cost_center_segment: usize,
    /// `UserJeSourceName` of a source of the tenant's own.
    pub source: String,
    /// Its `JeSourceName`, which some tenants pass in place of the name.
    pub source_key: String,
    /// `UserJeCategoryName`
    pub category: String,
    /// Code combination id of the clearing account; each company of the primary ledger has one like it.
    pub clearing_account_id: i64,
    /// The clearing account.
    pub clearing_account: String,
    /// The suspense account.
    pub suspense_account: String,
    /// A conversion type with rates.
    pub conversion_type: String,
    /// `DocumentAccount` of journal files.
    pub document_account: String,
    /// `JobName` of the journal import.
    pub job_name: String,
}

impl LedgerFacts {
    pub(crate) fn of(ledger: &LedgerSeed, clearing_account_id: i64) -> Self {
        let (source_key, source) = SOURCES[SOURCES.len() - 1];
        Self {
            ledger_id: ledger.id,
            ledger_name: ledger.name.to_owned(),
            currency: ledger.currency.to_owned(),
            data_access_set_id: DATA_ACCESS_SET,
            chart_of_accounts_id: ledger.chart.number,
            delimiter: ledger.chart.delimiter,
            segments: ledger.chart.segments.len(),
            balancing_segment: 0,
            account_segment: ledger.chart.natural_account,
            cost_center_segment: ledger.chart.cost_center,
            source: source.to_owned(),
            source_key: source_key.to_owned(),
            category: CATEGORIES[CATEGORIES.len() - 1].1.to_owned(),
            clearing_account_id,
            clearing_account: ledger.clearing.to_owned(),
            suspense_account: ledger.suspense.to_owned(),
            conversion_type: CORPORATE.to_owned(),
            document_account: crate::oracle::erp::DOCUMENT_ACCOUNT.to_owned(),
            job_name: crate::oracle::erp::JOURNAL_IMPORT.to_owned(),
        }
    }
}
