//! The collections that can be asked.
//!
//! [`Resource`] are those that feeds read in full, page after page. [`Lookup`] are those of which a few rows are
//! looked up, mostly for a journal: they have no keyset, no children and no date to go on by.

use crate::resource::Resource;

/// A collection of which single rows are looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lookup {
    /// `journalBatches`; here only ever read
    /// (<https://docs.oracle.com/en/cloud/saas/financials/23d/farfa/api-journal-batches.html>).
    JournalBatches,
    /// `ledgersLOV`. Like the other lists of values it is opened by the privilege "Get Enterprise Structures
    /// Using REST Service"
    /// (<https://docs.oracle.com/en/cloud/saas/financials/25d/farfa/Get_Enterprise_Structures_Using_REST_API.html>).
    Ledgers,
    /// `accountingPeriodStatusLOV`.
    PeriodStatuses,
    /// `accountCombinationsLOV`.
    AccountCombinations,
    /// `journalSourcesLOV`.
    JournalSources,
    /// `journalCategoriesLOV`.
    JournalCategories,
    /// `dataAccessSetLedgersLOV`.
    DataAccessSetLedgers,
}

impl Lookup {
    /// The last segment of the collection's path.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::JournalBatches => "journalBatches",
            Self::Ledgers => "ledgersLOV",
            Self::PeriodStatuses => "accountingPeriodStatusLOV",
            Self::AccountCombinations => "accountCombinationsLOV",
            Self::JournalSources => "journalSourcesLOV",
            Self::JournalCategories => "journalCategoriesLOV",
            Self::DataAccessSetLedgers => "dataAccessSetLedgersLOV",
        }
    }
}

/// Any collection of the pod that this client knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Collection {
    /// One that is read in full.
    Feed(Resource),
    /// One of which rows are looked up.
    Lookup(Lookup),
}

impl Collection {
    /// The last segment of the collection's path.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Feed(resource) => resource.name(),
            Self::Lookup(lookup) => lookup.name(),
        }
    }
}

impl From<Resource> for Collection {
    fn from(resource: Resource) -> Self {
        Self::Feed(resource)
    }
}

impl From<Lookup> for Collection {
    fn from(lookup: Lookup) -> Self {
        Self::Lookup(lookup)
    }
}
