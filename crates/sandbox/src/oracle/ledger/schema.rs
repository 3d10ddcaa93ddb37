//! The General Ledger's resources, named as Oracle names them.
//!
//! `journalBatches` and its children: Oracle Financials REST, "Journal Batches", with the attributes that public
//! clients list. The lists of values: "Get Enterprise Structures Using REST API" and "Get General Ledger Setups
//! Using REST API". Where clients disagree about a spelling, there are several tables, and a switch chooses.
//!
//! Records are built from values in the order of the table, see [`super::view`].

use super::settings::{CombinationShape, FlagForm, LedgerChart, LedgerName, LedgerSettings};
use crate::oracle::schema::{Attribute, KeyStyle, Kind, Resource, Writes};

const fn shown(name: &'static str, kind: Kind) -> Attribute {
    Attribute { name, kind, queryable: true, hidden: false }
}

const fn unasked(name: &'static str, kind: Kind) -> Attribute {
    Attribute { name, kind, queryable: false, hidden: false }
}

/// A number that only this server knows, for resources whose key Oracle composes or keeps to itself.
const HIDDEN: Attribute = Attribute { name: "", kind: Kind::Id, queryable: false, hidden: true };

/// A list of values: no children, nothing to write.
const fn list(
    name: &'static str,
    attributes: &'static [Attribute],
    key: u8,
    key_style: KeyStyle,
    finders: &'static [(&'static str, &'static str)],
) -> Resource {
    let (last_update, writes) = (None, Writes::Nothing);
    Resource { name, attributes, key, key_style, last_update, children: &[], finders, writes }
}

pub(crate) static JOURNAL_BATCHES: Resource = Resource {
    name: "journalBatches",
    attributes: &[
        shown("JeBatchId", Kind::Id),
        shown("BatchName", Kind::Text),
        shown("BatchDescription", Kind::Text),
        shown("DefaultPeriodName", Kind::Text),
        shown("Status", Kind::Text),
        unasked("StatusMeaning", Kind::Text),
        unasked("CompletionStatusMeaning", Kind::Text),
        unasked("ApprovalStatusMeaning", Kind::Text),
        unasked("FundsStatusMeaning", Kind::Text),
        shown("UserJeSourceName", Kind::Text),
        unasked("ChartOfAccountsName", Kind::Text),
        unasked("UserPeriodSetName", Kind::Text),
        unasked("ActualFlagMeaning", Kind::Text),
        shown("RunningTotalDr", Kind::Number),
        shown("RunningTotalCr", Kind::Number),
        shown("RunningTotalAccountedDr", Kind::Number),
        shown("RunningTotalAccountedCr", Kind::Number),
        unasked("ControlTotal", Kind::Number),
        shown("PostedDate", Kind::Date),
        unasked("ErrorMessage", Kind::Text),
        shown("CreationDate", Kind::Instant),
        shown("LastUpdateDate", Kind::Instant),
    ],
    key: 0,
    key_style: KeyStyle::Plain,
    last_update: Some(21),
    children: &[&JOURNAL_HEADERS],
    finders: &[("PrimaryKey", "JeBatchId")],
    writes: Writes::Delete,
};

pub(crate) static JOURNAL_HEADERS: Resource = Resource {
    name: "journalHeaders",
    attributes: &[
        HIDDEN,
        shown("JournalName", Kind::Text),
        shown("JournalDescription", Kind::Text),
        shown("LedgerName", Kind::Text),
        shown("LedgerCurrencyCode", Kind::Text),
        shown("CurrencyCode", Kind::Text),
        shown("PeriodName", Kind::Text),
        shown("DefaultEffectiveDate", Kind::Date),
        shown("UserJeCategoryName", Kind::Text),
        shown("UserCurrencyConversionType", Kind::Text),
        shown("CurrencyConversionDate", Kind::Date),
        shown("CurrencyConversionRate", Kind::Number),
        shown("RunningTotalDr", Kind::Number),
        shown("RunningTotalCr", Kind::Number),
        shown("RunningTotalAccountedDr", Kind::Number),
        shown("RunningTotalAccountedCr", Kind::Number),
        shown("LegalEntityName", Kind::Text),
        shown("ExternalReference", Kind::Text),
        shown("CreationDate", Kind::Instant),
        shown("LastUpdateDate", Kind::Instant),
    ],
    key: 0,
    key_style: KeyStyle::Opaque,
    last_update: Some(19),
    children: &[&JOURNAL_LINES],
    finders: &[],
    writes: Writes::Nothing,
};

pub(crate) static JOURNAL_LINES: Resource = Resource {
    name: "journalLines",
    attributes: &[
        shown("JeLineNumber", Kind::Id),
        shown("AccountCombination", Kind::Text),
        shown("Description", Kind::Text),
        shown("CurrencyCode", Kind::Text),
        shown("EnteredDr", Kind::Number),
        shown("EnteredCr", Kind::Number),
        shown("AccountedDr", Kind::Number),
        shown("AccountedCr", Kind::Number),
        shown("CurrencyConversionDate", Kind::Date),
        shown("CurrencyConversionRate", Kind::Number),
        unasked("ChartOfAccountsName", Kind::Text),
        shown("CreationDate", Kind::Instant),
        shown("LastUpdateDate", Kind::Instant),
    ],
    key: 0,
    key_style: KeyStyle::Opaque,
    last_update: Some(12),
    children: &[],
    finders: &[],
    writes: Writes::Nothing,
};

macro_rules! ledgers {
    ($name:literal, $chart:literal) => {
        list(
            "ledgersLOV",
            const {
                &[
                    shown("LedgerId", Kind::Id),
                    shown($name, Kind::Text),
                    shown("LedgerShortName", Kind::Text),
                    shown("LedgerType", Kind::Text),
                    shown("CurrencyCode", Kind::Text),
                    shown($chart, Kind::Id),
                    shown("AccountingCalendar", Kind::Text),
                ]
            },
            0,
            KeyStyle::Plain,
            &[("PrimaryKey", "LedgerId")],
        )
    };
}

static LEDGERS_LOV: [Resource; 4] = [
    ledgers!("Name", "ChartOfAccountsId"),
    ledgers!("Name", "ChartOfAccountsStructureId"),
    ledgers!("LedgerName", "ChartOfAccountsId"),
    ledgers!("LedgerName", "ChartOfAccountsStructureId"),
];

macro_rules! periods {
    ($flag:expr) => {
        list(
            "accountingPeriodStatusLOV",
            const {
                &[
                    HIDDEN,
                    shown("PeriodNameId", Kind::Text),
                    shown("ApplicationId", Kind::Id),
                    shown("LedgerId", Kind::Id),
                    shown("ClosingStatus", Kind::Text),
                    shown("StartDate", Kind::Date),
                    shown("EndDate", Kind::Date),
                    shown("EffectivePeriodNumber", Kind::Id),
                    shown("PeriodYear", Kind::Integer),
                    shown("PeriodNumber", Kind::Integer),
                    shown("AdjustmentPeriodFlag", $flag),
                ]
            },
            0,
            KeyStyle::Opaque,
            &[],
        )
    };
}

static PERIODS_LOV: [Resource; 2] = [periods!(Kind::Text), periods!(Kind::Flag)];

macro_rules! charts {
    ($flag:expr) => {
        list(
            "chartOfAccountsLOV",
            const {
                &[
                    shown("StructureInstanceId", Kind::Id),
                    shown("StructureInstanceNumber", Kind::Id),
                    shown("Code", Kind::Text),
                    shown("Name", Kind::Text),
                    shown("EnabledFlag", $flag),
                ]
            },
            0,
            KeyStyle::Plain,
            &[("PrimaryKey", "StructureInstanceId")],
        )
    };
}

static CHARTS_LOV: [Resource; 2] = [charts!(Kind::Text), charts!(Kind::Flag)];

/// Places of the segments among a combination's attributes.
pub(crate) const FIRST_SEGMENT: usize = 5;
pub(crate) const SEGMENTS: usize = 6;

macro_rules! combinations {
    ($one:literal, $two:literal, $three:literal, $four:literal, $five:literal, $six:literal, $flag:expr) => {
        list(
            "accountCombinationsLOV",
            const {
                &[
                    shown("_CODE_COMBINATION_ID", Kind::Id),
                    shown("_CHART_OF_ACCOUNTS_ID", Kind::Id),
                    shown("CodeCombinationId", Kind::Id),
                    shown("ChartOfAccountsId", Kind::Id),
                    unasked("ConcatenatedSegments", Kind::Text),
                    shown($one, Kind::Text),
                    shown($two, Kind::Text),
                    shown($three, Kind::Text),
                    shown($four, Kind::Text),
                    shown($five, Kind::Text),
                    shown($six, Kind::Text),
                    shown("AccountType", Kind::Text),
                    shown("EnabledFlag", $flag),
                    shown("DetailPostingAllowedFlag", $flag),
                    shown("SummaryFlag", $flag),
                    shown("StartDateActive", Kind::Date),
                    shown("EndDateActive", Kind::Date),
                ]
            },
            0,
            KeyStyle::Plain,
            &[("PrimaryKey", "_CODE_COMBINATION_ID")],
        )
    };
}

macro_rules! numbered {
    ($flag:expr) => {
        combinations!("Segment1", "Segment2", "Segment3", "Segment4", "Segment5", "Segment6", $flag)
    };
}

macro_rules! named {
    ($flag:expr) => {
        combinations!("company", "lineOfBusiness", "account", "costCenter", "product", "intercompany", $flag)
    };
}

static COMBINATIONS_LOV: [Resource; 4] =
    [numbered!(Kind::Text), numbered!(Kind::Flag), named!(Kind::Text), named!(Kind::Flag)];

static SOURCES_LOV: Resource = list(
    "journalSourcesLOV",
    const { &[HIDDEN, shown("JeSourceName", Kind::Text), shown("UserJeSourceName", Kind::Text)] },
    0,
    KeyStyle::Name(1),
    &[],
);

static CATEGORIES_LOV: Resource = list(
    "journalCategoriesLOV",
    const { &[HIDDEN, shown("JeCategoryName", Kind::Text), shown("UserJeCategoryName", Kind::Text)] },
    0,
    KeyStyle::Name(1),
    &[],
);

static ACCESS_SET_LEDGERS_LOV: Resource = list(
    "dataAccessSetLedgersLOV",
    const { &[shown("LedgerId", Kind::Id), shown("AccessSetId", Kind::Id), shown("Name", Kind::Text)] },
    0,
    KeyStyle::Plain,
    &[("PrimaryKey", "LedgerId")],
);

/// The ledger's resources in the spelling that the settings choose.
pub(crate) fn resources(settings: &LedgerSettings) -> [&'static Resource; 8] {
    let flag = usize::from(settings.flags == FlagForm::Booleans);
    let by_tenant = usize::from(settings.combinations == CombinationShape::TenantNamed);
    let name = usize::from(settings.ledger_name == LedgerName::LedgerName);
    let structure = usize::from(settings.ledger_chart == LedgerChart::ChartOfAccountsStructureId);
    [
        &JOURNAL_BATCHES,
        &LEDGERS_LOV[name * 2 + structure],
        &PERIODS_LOV[flag],
        &CHARTS_LOV[flag],
        &COMBINATIONS_LOV[by_tenant * 2 + flag],
        &SOURCES_LOV,
        &CATEGORIES_LOV,
        &ACCESS_SET_LEDGERS_LOV,
    ]
}
