//! Switches of the General Ledger: what differs between pods, and what nobody documents.

use serde::{Deserialize, Serialize};

/// How the ledger's resources spell their attributes, and what an import asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LedgerSettings {
    /// What `ledgersLOV` calls the ledger's name; sources differ.
    pub ledger_name: LedgerName,
    /// What `ledgersLOV` calls the chart's number; sources differ.
    pub ledger_chart: LedgerChart,
    /// What `accountCombinationsLOV` shows of a combination.
    pub combinations: CombinationShape,
    /// How flags of the lists of values are written.
    pub flags: FlagForm,
    /// What a journal's debits must equal its credits within.
    pub balance: Balance,
    /// What the import's second parameter may be.
    pub source_parameter: SourceParameter,
    /// What the import's first parameter may be.
    pub data_access_set: DataAccessSet,
}

/// The attribute of a ledger's name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerName {
    /// `Name`
    #[default]
    Name,
    /// `LedgerName`
    LedgerName,
}

/// The attribute of a ledger's chart of accounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerChart {
    /// `ChartOfAccountsId`
    #[default]
    ChartOfAccountsId,
    /// `ChartOfAccountsStructureId`
    ChartOfAccountsStructureId,
}

/// How a combination looks; both forms are seen on pods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CombinationShape {
    /// `Segment1` and so on, with `ConcatenatedSegments`, `CodeCombinationId` and `ChartOfAccountsId` beside the
    /// attributes that begin with an underscore.
    #[default]
    Numbered,
    /// The tenant's names (`company`, `costCenter`, ..), ids only with an underscore, nothing concatenated.
    TenantNamed,
}

/// How a flag is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlagForm {
    /// `"Y"` and `"N"`
    #[default]
    Letters,
    /// `true` and `false`
    Booleans,
}

/// What must balance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Balance {
    /// Each journal, and in it each balancing segment.
    #[default]
    PerSegment,
    /// Each journal in the whole, as where intercompany balancing adds what is missing.
    PerJournal,
}

/// How a source is named to the import. Seeded sources have one name; a tenant's own have a number besides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceParameter {
    /// Either.
    #[default]
    Either,
    /// `UserJeSourceName` only.
    Name,
    /// `JeSourceName` only.
    Key,
}

/// Whether the import needs the data access set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataAccessSet {
    /// `#NULL` will do.
    #[default]
    Optional,
    /// `#NULL` makes the import end in error.
    Required,
}
