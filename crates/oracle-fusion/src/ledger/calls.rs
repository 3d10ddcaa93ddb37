//! The reads.

use serde_json::value::RawValue;

use super::account::AccountCombination;
use super::batch::{JournalBatch, searchable};
use super::list::{Ledger, ListRow};
use super::period::{Period, Row};
use super::rows;
use crate::client::Fusion;
use crate::collection::Lookup;
use crate::error::Error;
use crate::integration::GroupId;
use crate::query::{
    Attr, Digits, Filter, Finder, Limit, Pattern, Query, QueryError, Value, Values, Wildcard,
};
use crate::record::RecordError;

/// General ledger among the applications that have periods of their own.
const GENERAL_LEDGER: &str = "101";
/// One group is one batch, or a few; more say that the search found something else.
const MAX_BATCHES: usize = 2_000;
/// Ids in one question for batches: at 20 digits each the address stays well under 8 KB.
const IDS_AT_ONCE: usize = 100;
/// A century of months is 1,200 periods.
const MAX_PERIODS: usize = 5_000;
/// The most ledgers, sources, categories, or data access sets with their ledgers.
const MAX_LIST: usize = 20_000;

impl Fusion {
    /// The journal batches whose name carries the group id. General ledger puts it into the name of every batch
    /// that it makes of the group.
    ///
    /// Which wildcard a pod takes is not documented. **An empty list is no proof that there is no batch**: the
    /// wildcard may be the wrong one ([`Fusion::wildcard_works`]), the user may not see the ledger's batches
    /// ([`Fusion::any_journal_batch`]), or the import is still running ([`Fusion::job_tree`]).
    ///
    /// # Errors
    /// As [`Fusion::page`]; [`Error::Incomplete`] when rows moved while they were read, or far too many match.
    pub async fn journal_batches_of(
        &self,
        group: GroupId,
        wildcard: Wildcard,
    ) -> Result<Vec<JournalBatch>, Error> {
        let name = Lookup::JournalBatches.name();
        let query = Query::new(Lookup::JournalBatches).filter(named_like(&group.to_string(), wildcard)?);
        let rows = rows::all(self, query, MAX_BATCHES).await?;
        let batches: Vec<JournalBatch> = parsed(Lookup::JournalBatches, &rows, JournalBatch::parse)?;
        rows::check_distinct(name, batches.iter().map(|batch| batch.id.as_str()))?;
        // the pattern also finds longer numbers
        Ok(batches.into_iter().filter(|batch| batch.carries(group)).collect())
    }

    /// The journal batches with these ids, of those that the user may see. One that is not among them was deleted, or
    /// the user does not see its ledger. An id that is none is not found.
    ///
    /// # Errors
    /// As [`Fusion::page`]; [`Error::Incomplete`] when rows moved while they were read.
    pub async fn journal_batches(&self, ids: &[&str]) -> Result<Vec<JournalBatch>, Error> {
        let name = Lookup::JournalBatches.name();
        let mut batches: Vec<JournalBatch> = Vec::new();
        for some in ids.chunks(IDS_AT_ONCE) {
            let values = some.iter().filter_map(|id| Value::id(id).ok()).collect();
            let Ok(values) = Values::new(values) else { continue };
            let query =
                Query::new(Lookup::JournalBatches).filter(Filter::In(Attr::known("JeBatchId"), values));
            let rows = rows::all(self, query, MAX_BATCHES).await?;
            batches.extend(parsed(Lookup::JournalBatches, &rows, JournalBatch::parse)?);
        }
        rows::check_distinct(name, batches.iter().map(|batch| batch.id.as_str()))?;
        Ok(batches)
    }

    /// Any one journal batch that the user may see, whatever it is. None says that a search for batches proves
    /// nothing, since the user sees none, or none exist yet.
    ///
    /// # Errors
    /// As [`Fusion::page`].
    pub async fn any_journal_batch(&self) -> Result<Option<JournalBatch>, Error> {
        let page = self.page(&Query::new(Lookup::JournalBatches).limit(Limit::ONE)).await?;
        Ok(parsed(Lookup::JournalBatches, &page.items, JournalBatch::parse)?.into_iter().next())
    }

    /// Whether a search with this wildcard finds a batch that is known to exist, by a part from the middle of its
    /// name. `false` when the name holds nothing to search for, and when the batch is gone.
    ///
    /// # Errors
    /// As [`Fusion::page`].
    pub async fn wildcard_works(&self, known: &JournalBatch, wildcard: Wildcard) -> Result<bool, Error> {
        let (Some(part), Ok(id)) = (known.name.as_deref().and_then(searchable), Value::id(&known.id)) else {
            return Ok(false);
        };
        let query = Query::new(Lookup::JournalBatches)
            .filter(named_like(part, wildcard)?)
            .filter(Filter::Eq(Attr::known("JeBatchId"), id))
            .limit(Limit::ONE);
        let page = self.page(&query).await?;
        let found = parsed(Lookup::JournalBatches, &page.items, JournalBatch::parse)?;
        Ok(found.iter().any(|batch| batch.id == known.id))
    }

    /// All ledgers that the user may see. None is no proof that there are none.
    ///
    /// # Errors
    /// As [`Fusion::page`]; [`Error::Incomplete`] when rows moved while they were read.
    pub async fn ledgers(&self) -> Result<Vec<Ledger>, Error> {
        let rows = rows::all(self, Query::new(Lookup::Ledgers), MAX_LIST).await?;
        let ledgers = parsed(Lookup::Ledgers, &rows, Ledger::parse)?;
        rows::check_distinct(Lookup::Ledgers.name(), ledgers.iter().map(|ledger| ledger.id.as_str()))?;
        Ok(ledgers)
    }

    /// The ledgers of that name or short name, in any case. They are looked for among all that the user may see,
    /// since it is not documented which attribute holds the name. None is no proof that there is none.
    ///
    /// # Errors
    /// As [`Fusion::ledgers`].
    pub async fn ledgers_named(&self, name: &str) -> Result<Vec<Ledger>, Error> {
        let ledgers = self.ledgers().await?;
        Ok(ledgers.into_iter().filter(|ledger| ledger.is_named(name)).collect())
    }

    /// The ledger with that id. `None` is no proof that it does not exist.
    ///
    /// # Errors
    /// As [`Fusion::page`].
    pub async fn ledger(&self, id: &Digits) -> Result<Option<Ledger>, Error> {
        let filter = Filter::Eq(Attr::known("LedgerId"), Value::Id(id.clone()));
        let page = self.page(&Query::new(Lookup::Ledgers).filter(filter)).await?;
        let found = parsed(Lookup::Ledgers, &page.items, Ledger::parse)?;
        Ok(found.into_iter().find(|ledger| ledger.id == id.as_str()))
    }

    /// All periods of a ledger as general ledger sees them (application 101; without it, a row of any subledger
    /// may come), by their dates. None is no proof that the ledger has none.
    ///
    /// # Errors
    /// As [`Fusion::page`]; [`Error::Incomplete`] when rows moved while they were read.
    pub async fn periods(&self, ledger: &Digits) -> Result<Vec<Period>, Error> {
        let of_ledger = Filter::Eq(Attr::known("LedgerId"), Value::Id(ledger.clone()));
        let of_application = Filter::Eq(Attr::known("ApplicationId"), id_value(GENERAL_LEDGER)?);
        let query = Query::new(Lookup::PeriodStatuses).filter(of_ledger.and(of_application));
        let rows = rows::all(self, query, MAX_PERIODS).await?;
        let rows = parsed(Lookup::PeriodStatuses, &rows, Row::parse)?.into_iter();
        let fitting = rows.filter(|row| row.is_of(ledger.as_str(), GENERAL_LEDGER));
        let mut periods: Vec<Period> = fitting.map(Period::from).collect();
        rows::check_distinct(
            Lookup::PeriodStatuses.name(),
            periods.iter().map(|period| period.name.as_str()),
        )?;
        periods.sort_by_key(|period| (period.start, period.adjustment, period.effective_number));
        Ok(periods)
    }

    /// The account combination with that id, by the finder `PrimaryKey`. `segments` as for
    /// [`AccountCombination::parse`]. `None` is no proof that it does not exist.
    ///
    /// # Errors
    /// As [`Fusion::page`]; [`Error::Malformed`] too when a named segment is not in the row.
    pub async fn account_combination(
        &self,
        id: &Digits,
        segments: &[&str],
    ) -> Result<Option<AccountCombination>, Error> {
        let finder = Finder::new("PrimaryKey").and_then(|f| f.with("_CODE_COMBINATION_ID", id.as_str()));
        let query = Query::new(Lookup::AccountCombinations).finder(finder.map_err(|error| refused(&error))?);
        let page = self.page(&query.limit(Limit::clamped(2))).await?;
        let ids = parsed(Lookup::AccountCombinations, &page.items, AccountCombination::id_of)?;
        let Some(at) = ids.iter().position(|found| found == id.as_str()) else { return Ok(None) };
        let parse = |raw: &RawValue| AccountCombination::parse(raw, segments);
        Ok(parsed(Lookup::AccountCombinations, &page.items[at..=at], parse)?.pop())
    }

    /// A page of the account combinations of a chart of accounts, from `offset` on, and whether more follow; `chart`
    /// as [`Ledger::chart_of_accounts_id`] tells it, `segments` as for [`AccountCombination::parse`].
    ///
    /// By what these rows can be ordered is not documented, so they come in the server's own order: whoever reads all
    /// of them refuses a reading in which a row came twice, since then another was missed. **No rows are no proof**:
    /// who has no access is answered with success and none.
    ///
    /// # Errors
    /// As [`Fusion::account_combination`]; [`Error::Incomplete`] when the server says that more rows exist, and sends none.
    pub async fn account_page(
        &self,
        chart: &Digits,
        segments: &[&str],
        offset: u64,
        limit: Limit,
    ) -> Result<(Vec<AccountCombination>, bool), Error> {
        let name = Lookup::AccountCombinations.name();
        // one comparison alone means the same in every dialect of filters
        let of_chart = Filter::Eq(Attr::known("_CHART_OF_ACCOUNTS_ID"), Value::Id(chart.clone()));
        let query = Query::new(Lookup::AccountCombinations).filter(of_chart).limit(limit).offset(offset);
        let page = self.page(&query).await?;
        if page.has_more && page.items.is_empty() {
            return Err(Error::incomplete(name, "the server says that more rows exist, and sends none"));
        }
        let parse = |raw: &RawValue| AccountCombination::parse(raw, segments);
        Ok((parsed(Lookup::AccountCombinations, &page.items, parse)?, page.has_more))
    }

    /// All rows of `journalSourcesLOV` that the user may see. None is no proof that there is no source.
    ///
    /// # Errors
    /// As [`Fusion::journal_sources_named`].
    pub async fn journal_sources(&self) -> Result<Vec<ListRow>, Error> {
        self.all_rows(Lookup::JournalSources).await
    }

    /// All rows of `journalCategoriesLOV` that the user may see; see [`Fusion::journal_sources`].
    ///
    /// # Errors
    /// As [`Fusion::journal_sources_named`].
    pub async fn journal_categories(&self) -> Result<Vec<ListRow>, Error> {
        self.all_rows(Lookup::JournalCategories).await
    }

    /// The rows of `journalSourcesLOV` in which any attribute is this text: a name as well as a key. The names of
    /// the attributes, and which of them could be filtered by, are not documented, so all rows are read. None is
    /// no proof that there is no such source.
    ///
    /// # Errors
    /// As [`Fusion::page`]; [`Error::Incomplete`] beyond 20,000 rows.
    pub async fn journal_sources_named(&self, name: &str) -> Result<Vec<ListRow>, Error> {
        self.list_rows(Lookup::JournalSources, name).await
    }

    /// The rows of `journalCategoriesLOV` in which any attribute is this text; see
    /// [`Fusion::journal_sources_named`].
    ///
    /// # Errors
    /// As [`Fusion::journal_sources_named`].
    pub async fn journal_categories_named(&self, name: &str) -> Result<Vec<ListRow>, Error> {
        self.list_rows(Lookup::JournalCategories, name).await
    }

    /// The rows of `dataAccessSetLedgersLOV` in which any attribute is the ledger's id; see
    /// [`Fusion::journal_sources_named`].
    ///
    /// # Errors
    /// As [`Fusion::journal_sources_named`].
    pub async fn data_access_sets_of(&self, ledger: &Digits) -> Result<Vec<ListRow>, Error> {
        self.list_rows(Lookup::DataAccessSetLedgers, ledger.as_str()).await
    }

    async fn list_rows(&self, lookup: Lookup, text: &str) -> Result<Vec<ListRow>, Error> {
        Ok(self.all_rows(lookup).await?.into_iter().filter(|row| row.says(text)).collect())
    }

    async fn all_rows(&self, lookup: Lookup) -> Result<Vec<ListRow>, Error> {
        let rows = rows::all(self, Query::new(lookup), MAX_LIST).await?;
        parsed(lookup, &rows, ListRow::parse)
    }
}

fn named_like(text: &str, wildcard: Wildcard) -> Result<Filter, Error> {
    let pattern = Pattern::contains_by(text, wildcard).map_err(|error| refused(&error))?;
    Ok(Filter::Like(Attr::known("BatchName"), pattern))
}

fn id_value(digits: &str) -> Result<Value, Error> {
    Value::id(digits).map_err(|error| refused(&error))
}

fn refused(error: &QueryError) -> Error {
    Error::Config(error.to_string())
}

fn parsed<T>(
    lookup: Lookup,
    rows: &[Box<RawValue>],
    parse: impl Fn(&RawValue) -> Result<T, RecordError>,
) -> Result<Vec<T>, Error> {
    rows.iter().map(|row| parse(row).map_err(|error| Error::unreadable(lookup.name(), &error))).collect()
}
