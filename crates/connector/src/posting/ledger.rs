//! What is known of the ledger: its periods and code combinations, remembered for a while.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, TryStreamExt, stream};
use oracle_fusion::{AccountCombination, Digits, Error as OracleError, Fusion};

use crate::code::Code;
use crate::error::{Error, Result};
use crate::journal::{CodeCombination, JournalSettings, Period, PeriodStatus};
use crate::trouble;

/// How long periods are believed; a person who opens one expects it to count soon.
const PERIODS_FRESH: Duration = Duration::from_mins(5);
/// How long a code combination is believed: its segments never change.
const COMBINATIONS_FRESH: Duration = Duration::from_hours(24);
/// Combinations remembered of one connection, about 1 KB each; beyond, all are forgotten.
const REMEMBERED: usize = 10_000;
/// Combinations asked for at once.
const ASKED_AT_ONCE: usize = 8;

/// What is remembered of a connection's ledger.
#[derive(Debug, Default)]
pub struct LedgerMemory {
    periods: Mutex<Option<(Instant, Vec<Period>)>>,
    combinations: Mutex<BTreeMap<String, (Instant, CodeCombination)>>,
}

impl LedgerMemory {
    /// The ledger's periods.
    pub async fn periods(&self, fusion: &Fusion, settings: &JournalSettings) -> Result<Vec<Period>> {
        let known = self.periods.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((read, periods)) = known
            && read.elapsed() < PERIODS_FRESH
        {
            return Ok(periods);
        }
        let found = fusion.periods(&digits(&settings.ledger_id)?).await.map_err(trouble::oracle)?;
        let periods: Vec<Period> = found.into_iter().filter_map(period).collect();
        if periods.is_empty() {
            // no rows can mean no access: nothing is concluded from it
            let words = format!("Oracle shows no period of ledger {}", settings.ledger_id);
            return Err(Error::new(Code::OracleNoRows, words));
        }
        *self.periods.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((Instant::now(), periods.clone()));
        Ok(periods)
    }

    /// Makes the next look at the periods a fresh one.
    pub fn forget_periods(&self) {
        *self.periods.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The code combinations with these ids; one that Oracle does not show is left out.
    pub async fn combinations(
        &self,
        fusion: &Fusion,
        settings: &JournalSettings,
        ids: &[String],
    ) -> Result<BTreeMap<String, CodeCombination>> {
        let mut found = self.known(ids);
        let unknown: Vec<String> = ids.iter().filter(|id| !found.contains_key(*id)).cloned().collect();
        let asked = unknown.into_iter().map(|id| ask(fusion, settings, id));
        // the first failure ends it: an Oracle that does not answer is not asked for every account
        let answers: Vec<_> = stream::iter(asked).buffer_unordered(ASKED_AT_ONCE).try_collect().await?;
        let mut known = self.combinations.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() + answers.len() > REMEMBERED {
            known.clear();
        }
        // one that is not shown is asked for again next time
        for (id, combination) in answers {
            if let Some(combination) = combination {
                known.insert(id.clone(), (Instant::now(), combination.clone()));
                found.insert(id, combination);
            }
        }
        Ok(found)
    }

    fn known(&self, ids: &[String]) -> BTreeMap<String, CodeCombination> {
        let known = self.combinations.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = |id: &String| {
            let (read, combination) = known.get(id)?;
            (read.elapsed() < COMBINATIONS_FRESH).then(|| (id.clone(), combination.clone()))
        };
        ids.iter().filter_map(fresh).collect()
    }
}

async fn ask(
    fusion: &Fusion,
    settings: &JournalSettings,
    id: String,
) -> Result<(String, Option<CodeCombination>)> {
    let names: Vec<&str> = settings.segment_names.iter().map(String::as_str).collect();
    // what is wrong with one account must not stop the others: the plan says that it is not known
    let Ok(asked) = digits(&id) else { return Ok((id, None)) };
    match fusion.account_combination(&asked, &names).await {
        Ok(row) => Ok((id, row.map(combination))),
        Err(error @ OracleError::Malformed { truncated: false, .. }) => {
            tracing::warn!(id, %error, "a code combination cannot be read");
            Ok((id, None))
        }
        Err(error) => Err(trouble::oracle(error)),
    }
}

/// The client's row as the pure part takes it.
#[must_use]
pub fn combination(row: AccountCombination) -> CodeCombination {
    CodeCombination {
        id: row.id,
        concatenated: row.concatenated,
        attributes: row.segments.into_iter().map(|segment| (segment.name, segment.value)).collect(),
    }
}

fn period(row: oracle_fusion::Period) -> Option<Period> {
    use oracle_fusion::PeriodStatus as Told;
    let status = match row.status {
        Told::Open => PeriodStatus::Open,
        Told::Closed => PeriodStatus::Closed,
        Told::FutureEnterable => PeriodStatus::FutureEnterable,
        Told::NeverOpened => PeriodStatus::NeverOpened,
        Told::PermanentlyClosed => PeriodStatus::PermanentlyClosed,
        Told::Other(code) => PeriodStatus::Other(code),
    };
    // a period without dates can hold no date
    Some(Period { name: row.name, start: row.start?, end: row.end?, status, adjustment: row.adjustment })
}

/// An id of the settings or of a record, as the client takes it.
pub fn digits(id: &str) -> Result<Digits> {
    Digits::new(id).map_err(|e| Error::new(Code::SettingsInvalid, format!("`{id}` is no id: {e}")).because(e))
}
