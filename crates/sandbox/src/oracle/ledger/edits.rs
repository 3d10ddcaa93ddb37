//! What accountants and administrators do: the edits that concern the ledger.

use jiff::civil::Date;

use super::calendar::{Period, STATUSES};
use super::journal::Status;
use super::seed::{self, GENERAL_LEDGER, LEDGERS, SOURCES, SUBLEDGERS};
use super::{BATCHES, COMBINATIONS, Ledger, PERIODS, SOURCE_LIST, Undeletable, view};
use crate::oracle::edits::Edit;

/// Changes to an account; absent ones stay.
#[derive(Clone, Copy, Debug, Default)]
struct AccountChange {
    pub enabled: Option<bool>,
    pub detail_posting: Option<bool>,
    /// The outer `None` stays, the inner one takes the end away.
    pub end: Option<Option<Date>>,
}

fn ledger_or_primary(id: Option<i64>) -> Result<i64, String> {
    let id = id.unwrap_or(LEDGERS[0].id);
    seed::ledger(id).map(|ledger| ledger.id).ok_or_else(|| format!("no ledger with the id {id}"))
}

impl Ledger {
    /// Makes a change of the ledger; one of something else does nothing here.
    pub(crate) fn apply(&mut self, edit: Edit, now: i64) -> Result<Vec<i64>, String> {
        match edit {
            Edit::PeriodStatus { period, status, ledger, application } => {
                self.set_period(&period, &status, ledger, application)
            }
            Edit::CreateAccount { account } => self.create_account(&account),
            Edit::ChangeAccount { account, enabled, detail_posting } => {
                let change = AccountChange { enabled, detail_posting, end: None };
                self.change_account(&account, change)
            }
            Edit::EndAccount { account, last_day } => {
                let change = AccountChange { end: Some(last_day), ..AccountChange::default() };
                self.change_account(&account, change)
            }
            Edit::Suspense { allowed, ledger } => self.set_suspense(ledger, allowed),
            Edit::RemoveSource { source } => self.remove_source(&source),
            Edit::PostBatch { batch } => self.post_batch(batch, now),
            Edit::DeleteBatch { batch } => self.remove_batch(batch),
            Edit::PurgeInterface { group } => Ok(self.purge(group)),
            _ => Ok(Vec::new()),
        }
    }

    /// Fixes the status of a period.
    fn set_period(
        &mut self,
        name: &str,
        status: &str,
        ledger: Option<i64>,
        application: Option<i64>,
    ) -> Result<Vec<i64>, String> {
        let ledger = ledger_or_primary(ledger)?;
        let application = application.unwrap_or(GENERAL_LEDGER);
        let period = Period::named(name).ok_or_else(|| format!("no period {name}"))?;
        let known = STATUSES.into_iter().find(|known| known.to_string() == status);
        let status = known.ok_or_else(|| format!("a period's status is one of {STATUSES:?}"))?;
        if application != GENERAL_LEDGER && !SUBLEDGERS.contains(&application) {
            return Err(format!("no application with the id {application}"));
        }
        self.calendar.fix(ledger, application, period, status);
        self.show(PERIODS);
        Ok(vec![ledger])
    }

    /// Makes an account a valid combination.
    fn create_account(&mut self, text: &str) -> Result<Vec<i64>, String> {
        self.learn_accounts([text]);
        let found = self.accounts.named(text).map(|account| vec![account.id]);
        found.ok_or_else(|| format!("{text} fits no chart of accounts"))
    }

    /// Changes an account, named by its id or its segments.
    fn change_account(&mut self, account: &str, change: AccountChange) -> Result<Vec<i64>, String> {
        let by_id = account.parse().ok().and_then(|id: i64| self.accounts.get(id));
        let found = by_id.or_else(|| self.accounts.named(account)).map(|account| account.id);
        let id = found.ok_or_else(|| format!("no account {account}"))?;
        self.accounts.change(id, |combination| {
            combination.enabled = change.enabled.unwrap_or(combination.enabled);
            combination.detail_posting = change.detail_posting.unwrap_or(combination.detail_posting);
            combination.end = change.end.unwrap_or(combination.end);
        });
        let table = &mut self.tables[COMBINATIONS];
        let changed = self.accounts.get(id).map(|account| view::combination(table.resource, account));
        table.update(id, |record| {
            if let Some(changed) = changed {
                *record = changed;
            }
            Ok(vec![id])
        })
    }

    fn set_suspense(&mut self, ledger: Option<i64>, allowed: bool) -> Result<Vec<i64>, String> {
        let ledger = ledger_or_primary(ledger)?;
        if allowed {
            self.suspense.insert(ledger);
        } else {
            self.suspense.remove(&ledger);
        }
        Ok(vec![ledger])
    }

    /// A source is no longer there, by name or key.
    fn remove_source(&mut self, source: &str) -> Result<Vec<i64>, String> {
        let found = SOURCES.iter().find(|(key, name)| *key == source || *name == source);
        let (_, name) = found.ok_or_else(|| format!("no source {source}"))?;
        self.removed_sources.insert((*name).to_owned());
        self.show(SOURCE_LIST);
        Ok(Vec::new())
    }

    /// Posts a batch.
    fn post_batch(&mut self, id: i64, now: i64) -> Result<Vec<i64>, String> {
        let batch = self.batches.get_mut(&id).ok_or_else(|| format!("no batch with the id {id}"))?;
        if batch.status == Status::Posted {
            return Err(format!("the batch {id} is posted already"));
        }
        batch.status = Status::Posted;
        batch.posted = view::day_of(now);
        batch.updated = now;
        let posted = view::batch(batch);
        self.tables[BATCHES].update(id, |record| {
            *record = posted;
            Ok(vec![id])
        })
    }

    fn remove_batch(&mut self, id: i64) -> Result<Vec<i64>, String> {
        self.delete_batch(id).map(|()| vec![id]).map_err(|reason| match reason {
            Undeletable::Missing => format!("no batch with the id {id}"),
            Undeletable::Posted => format!("the batch {id} is posted"),
        })
    }

    /// Takes a group's rows out of the interface, as Delete Import Data does.
    fn purge(&mut self, group: i64) -> Vec<i64> {
        let before = self.interface.len();
        self.interface.retain(|row| row.group != Some(group));
        if self.interface.len() < before { vec![group] } else { Vec::new() }
    }
}
