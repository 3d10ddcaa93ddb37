//! The General Ledger: reference data, the interface table, Import Journals, and journal batches.
//!
//! Journals come into being only by an import of interface rows. Nothing here knows what it has imported
//! before: the same rows once more are a second batch.

mod accounts;
mod calendar;
mod codes;
mod edits;
mod import;
pub(crate) mod interface;
mod journal;
#[cfg(test)]
mod model;
mod money;
mod pages;
mod route;
pub(crate) mod schema;
pub(crate) mod seed;
pub mod settings;
mod state;
mod validate;
pub(super) mod view;

use std::collections::{BTreeMap, BTreeSet};

use super::schema::Resource;
use super::table::Table;
use accounts::Accounts;
use calendar::{Calendar, month_of};
pub(crate) use import::{Group, Imported, Order};
use interface::Row;
use journal::{Batch, Status};
pub(super) use pages::router as pages_router;
pub use seed::LedgerFacts;
use seed::{LEDGERS, SOURCES};
use settings::LedgerSettings;
pub(crate) use state::instant;

/// First ids of batches and journals; the ids of real ones are of this size.
const FIRST_BATCH: i64 = 2_485_001;
const FIRST_JOURNAL: i64 = 3_107_001;

/// The whole ledger.
#[derive(Debug)]
pub(crate) struct Ledger {
    settings: LedgerSettings,
    pub(crate) calendar: Calendar,
    accounts: Accounts,
    batches: BTreeMap<i64, Batch>,
    interface: Vec<Row>,
    /// Ledgers in which suspense posting is allowed.
    suspense: BTreeSet<i64>,
    removed_sources: BTreeSet<String>,
    next_batch: i64,
    next_journal: i64,
    next_row: u64,
    /// What REST shows of all this, in the order of [`schema::resources`].
    tables: [Table; 8],
}

/// Places of tables that change.
const BATCHES: usize = 0;
const PERIODS: usize = 2;
const COMBINATIONS: usize = 4;
const SOURCE_LIST: usize = 5;

impl Ledger {
    /// The seeded ledger at an instant in virtual milliseconds.
    pub(crate) fn new(settings: &LedgerSettings, now: i64) -> Self {
        let mut ledger = Self {
            settings: settings.clone(),
            calendar: Calendar::at(now),
            accounts: Accounts::seeded(),
            batches: BTreeMap::new(),
            interface: Vec::new(),
            suspense: BTreeSet::new(),
            removed_sources: BTreeSet::new(),
            next_batch: FIRST_BATCH,
            next_journal: FIRST_JOURNAL,
            next_row: 1,
            tables: schema::resources(settings).map(Table::new),
        };
        ledger.show_all();
        ledger
    }

    /// Takes over switches; what REST shows is made anew if its spelling changed.
    pub(crate) fn change_settings(&mut self, settings: &LedgerSettings) {
        if self.settings != *settings {
            self.settings = settings.clone();
            self.tables = schema::resources(settings).map(Table::new);
            self.show_all();
        }
    }

    fn show_all(&mut self) {
        for at in 0..self.tables.len() {
            self.show(at);
        }
    }

    /// Makes one table anew.
    fn show(&mut self, at: usize) {
        let resource = self.tables[at].resource;
        let records = match at {
            BATCHES => self.batches.values().map(view::batch).collect(),
            1 => view::ledgers(resource),
            PERIODS => view::periods(resource, &self.calendar),
            3 => view::charts(resource),
            COMBINATIONS => {
                self.accounts.iter().map(|account| view::combination(resource, account)).collect()
            }
            SOURCE_LIST => view::sources(resource, |source| !self.removed_sources.contains(source)),
            6 => view::categories(resource),
            _ => view::access_set(resource),
        };
        self.tables[at].clear();
        if let Err(reason) = self.tables[at].extend(records) {
            tracing::warn!(reason, resource = resource.name, "records of the ledger share an id");
        }
    }

    /// The table of a resource, if it is the ledger's.
    pub(crate) fn table(&self, resource: &Resource) -> Option<&Table> {
        self.tables.iter().find(|table| table.resource.name == resource.name)
    }

    /// Whether the calendar stands at the month of `now`.
    pub(crate) fn is_at(&self, now: i64) -> bool {
        self.calendar.present() == month_of(now)
    }

    /// Turns the calendar to the month of `now`.
    pub(crate) fn turn_to(&mut self, now: i64) {
        if !self.is_at(now) {
            self.calendar.turn_to(now);
            self.show(PERIODS);
        }
    }

    /// Makes charge accounts valid combinations.
    pub(crate) fn learn_accounts<'a>(&mut self, accounts: impl IntoIterator<Item = &'a str>) {
        let new: Vec<i64> = accounts.into_iter().flat_map(|account| self.accounts.learn(account)).collect();
        let resource = self.tables[COMBINATIONS].resource;
        let learned = new.iter().filter_map(|id| self.accounts.get(*id));
        let records = learned.map(|account| view::combination(resource, account)).collect();
        if let Err(reason) = self.tables[COMBINATIONS].extend(records) {
            tracing::warn!(reason, "an account is known already");
        }
    }

    pub(crate) fn allows_suspense(&self, ledger: i64) -> bool {
        self.suspense.contains(&ledger)
    }

    /// The name of a source that is there, by name or key as the settings allow.
    pub(crate) fn source(&self, parameter: &str) -> Option<&'static str> {
        use settings::SourceParameter::{Either, Key, Name};
        let matches = |(key, name): &&(&'static str, &'static str)| match self.settings.source_parameter {
            Either => *key == parameter || *name == parameter,
            Name => *name == parameter,
            Key => *key == parameter,
        };
        let found = SOURCES.iter().find(matches).map(|(_, name)| *name);
        found.filter(|name| !self.removed_sources.contains(*name))
    }

    /// Puts rows into the interface.
    pub(crate) fn load(&mut self, rows: Vec<Row>, request: i64) {
        for mut row in rows {
            row.number = self.next_row;
            row.load_request = request;
            self.next_row += 1;
            self.interface.push(row);
        }
    }

    fn next_batch(&mut self) -> i64 {
        self.next_batch += 1;
        self.next_batch
    }

    fn next_journal(&mut self) -> i64 {
        self.next_journal += 1;
        self.next_journal
    }

    fn add_batch(&mut self, batch: Batch) -> i64 {
        let id = batch.id;
        if let Err(reason) = self.tables[BATCHES].extend(vec![view::batch(&batch)]) {
            tracing::warn!(reason, "a batch is known already");
        }
        self.batches.insert(id, batch);
        id
    }

    /// Deletes a batch that is not posted.
    ///
    /// # Errors
    /// When there is none with this id, or it is posted.
    pub(crate) fn delete_batch(&mut self, id: i64) -> Result<(), Undeletable> {
        match self.batches.get(&id).map(|batch| batch.status) {
            None => Err(Undeletable::Missing),
            Some(Status::Posted) => Err(Undeletable::Posted),
            Some(Status::Unposted) => {
                self.batches.remove(&id);
                self.tables[BATCHES].remove(id).map_err(|_| Undeletable::Missing)
            }
        }
    }

    /// Ids of the batches that an import made of a group, ascending.
    pub(crate) fn batches_of(&self, group: i64) -> Vec<i64> {
        self.batches.values().filter(|batch| batch.group == Some(group)).map(|batch| batch.id).collect()
    }

    /// Facts of the ledger at this place.
    pub(crate) fn facts(&self, place: usize) -> LedgerFacts {
        let seed = &LEDGERS[place];
        let clearing = self.accounts.named(seed.clearing).map_or(0, |account| account.id);
        LedgerFacts::of(seed, clearing)
    }
}

/// Why a batch cannot be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Undeletable {
    Missing,
    Posted,
}
