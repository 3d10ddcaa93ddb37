//! Import Journals: takes the rows of a source, ledger and group out of the interface and makes batches of them.
//!
//! Each group is all or nothing: one rejected row keeps every row of its group in the interface. Nothing here
//! knows whether a group was imported before; importing it again makes further batches.

use std::collections::{BTreeMap, BTreeSet};

use super::interface::Row;
use super::journal::{Batch, Conversion, Journal, Line, NameParts, Status, batch_name};
use super::money::{self, Weighed};
use super::seed::{LedgerSeed, enabled_currency};
use super::validate::{Checked, check};
use super::{Ledger, codes};

/// What an import is asked to take.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    /// `UserJeSourceName`
    pub source: String,
    pub ledger: &'static LedgerSeed,
    pub group: Group,
    /// Whether lines with account errors go to the suspense account.
    pub to_suspense: bool,
    /// Whether debits must equal credits for each balancing segment too.
    pub per_segment: bool,
    /// Id of the process, which the names of batches carry.
    pub process: i64,
    /// Virtual milliseconds.
    pub now: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    One(i64),
    /// Everyone's.
    All,
}

/// What an import did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Imported {
    pub rows: usize,
    pub batches: Vec<i64>,
    pub rejected: usize,
    pub warned: bool,
    /// One line of text for each row with codes.
    pub report: Vec<String>,
}

/// A row with what the checks said of it.
struct Seen {
    row: Row,
    checked: Checked,
}

/// Rows that become one journal, by place.
type Places = Vec<usize>;

impl Ledger {
    /// Runs an import.
    pub(crate) fn import(&mut self, order: &Order) -> Imported {
        let mut groups: BTreeMap<Option<i64>, Vec<Row>> = BTreeMap::new();
        let mut kept = Vec::new();
        for row in std::mem::take(&mut self.interface) {
            let wanted = match order.group {
                Group::One(id) => row.group == Some(id),
                Group::All => true,
            };
            if wanted && row.source == order.source && row.ledger == order.ledger.id {
                groups.entry(row.group).or_default().push(row);
            } else {
                kept.push(row);
            }
        }
        let mut result = Imported::default();
        for (group, rows) in groups {
            result.rows += rows.len();
            kept.extend(self.import_group(order, group, rows, &mut result));
        }
        kept.sort_by_key(|row| row.number);
        self.interface = kept;
        result
    }

    /// Returns the rows that stay behind.
    fn import_group(
        &mut self,
        order: &Order,
        group: Option<i64>,
        rows: Vec<Row>,
        result: &mut Imported,
    ) -> Vec<Row> {
        let mut seen: Vec<Seen> = rows
            .into_iter()
            .map(|row| {
                let checked = check(&row, order.ledger, self, order.to_suspense);
                Seen { row, checked }
            })
            .collect();
        let journals = journals_of(&seen);
        for places in journals.values() {
            self.balance(order, &mut seen, places);
        }
        report(&seen, &mut result.report);
        let is_rejected = |seen: &Seen| seen.checked.codes.iter().any(|code| codes::rejects(code));
        if seen.iter().any(is_rejected) {
            result.rejected += seen.len();
            return seen.into_iter().map(left_behind).collect();
        }
        result.warned |= seen.iter().any(|seen| !seen.checked.codes.is_empty());
        let made = self.make_batches(order, group, &seen, &journals);
        result.batches.extend(made);
        Vec::new()
    }

    /// Spreads what rounding left over, then adds the code of a journal that is out of balance to its rows.
    fn balance(&self, order: &Order, seen: &mut [Seen], places: &Places) {
        let mut weighed: Vec<Weighed> = places
            .iter()
            .map(|at| {
                let Seen { row, checked } = &seen[*at];
                Weighed {
                    segment: row.segments.first().cloned().unwrap_or_default(),
                    entered: row.entered,
                    accounted: checked.accounted,
                    converted: checked.converted,
                }
            })
            .collect();
        let digits = enabled_currency(order.ledger.currency).map_or(2, |currency| currency.digits);
        money::spread_rounding(&mut weighed, digits);
        for (at, line) in places.iter().zip(&weighed) {
            seen[*at].checked.accounted = line.accounted;
        }
        // Amounts that could not be had are no sign of imbalance; their rows have codes of their own.
        let known =
            places.iter().all(|at| !seen[*at].checked.codes.iter().any(|code| code.starts_with("EC")));
        if known && !money::is_balanced(&weighed, order.per_segment) {
            let code = if self.allows_suspense(order.ledger.id) { "WU01" } else { "EU02" };
            for at in places {
                seen[*at].checked.codes.push(code);
            }
        }
    }

    fn make_batches(
        &mut self,
        order: &Order,
        group: Option<i64>,
        seen: &[Seen],
        journals: &BTreeMap<JournalKey, Places>,
    ) -> Vec<i64> {
        let mut batches: BTreeMap<(&Option<String>, &String), Batch> = BTreeMap::new();
        let mut named: BTreeMap<&Option<String>, usize> = BTreeMap::new();
        for (key, rows) in journals {
            let journal = journal(self.next_journal(), seen, rows);
            let batch = batches.entry((&key.batch, &key.period)).or_insert_with(|| {
                let before = named.entry(&key.batch).or_default();
                *before += 1;
                self.new_batch(order, group, &seen[rows[0]], &key.period, *before - 1)
            });
            batch.warnings.extend(rows.iter().flat_map(|row| seen[*row].checked.codes.iter().copied()));
            batch.journals.push(journal);
        }
        batches.into_values().map(|batch| self.add_batch(batch)).collect()
    }

    fn new_batch(
        &mut self,
        order: &Order,
        group: Option<i64>,
        first: &Seen,
        period: &str,
        before: usize,
    ) -> Batch {
        let reference1 = first.row.batch_name.as_deref();
        let parts = NameParts { reference1, source: &order.source, group, process: order.process, before };
        Batch {
            id: self.next_batch(),
            name: batch_name(parts),
            description: first.row.batch_description.clone(),
            ledger: order.ledger,
            source: order.source.clone(),
            group,
            process: order.process,
            period: period.to_owned(),
            status: Status::Unposted,
            created: order.now,
            updated: order.now,
            posted: None,
            warnings: BTreeSet::new(),
            journals: Vec::new(),
        }
    }
}

/// What sets one journal apart from another: the batch's name and period, the journal's name, category,
/// currency and conversion.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct JournalKey {
    batch: Option<String>,
    period: String,
    journal: Option<String>,
    category: String,
    currency: String,
    conversion: Option<(String, String, String)>,
}

fn journals_of(seen: &[Seen]) -> BTreeMap<JournalKey, Places> {
    let mut journals: BTreeMap<JournalKey, Places> = BTreeMap::new();
    for (at, Seen { row, .. }) in seen.iter().enumerate() {
        let period = super::calendar::Period::of(row.date).map_or_else(|| row.date.to_string(), |p| p.name());
        let shown = |text: Option<String>| text.unwrap_or_default();
        let conversion = row.conversion_type.clone().map(|kind| {
            (
                kind,
                shown(row.conversion_date.map(|date| date.to_string())),
                shown(row.conversion_rate.map(|rate| rate.normalize().to_string())),
            )
        });
        let key = JournalKey {
            batch: row.batch_name.clone(),
            period,
            journal: row.journal_name.clone(),
            category: row.category.clone(),
            currency: row.currency.clone(),
            conversion,
        };
        journals.entry(key).or_default().push(at);
    }
    journals
}

/// The name that REFERENCE4 gives; without it the category's.
fn journal(id: i64, seen: &[Seen], places: &Places) -> Journal {
    let first = &seen[places[0]].row;
    let lines = places.iter().zip(1..).map(|(at, number)| {
        let Seen { row, checked } = &seen[*at];
        Line {
            number,
            account_id: checked.account.0,
            account: checked.account.1.clone(),
            entered: row.entered,
            accounted: checked.accounted,
            description: row.line_description.clone(),
            references: row.references.clone(),
        }
    });
    Journal {
        id,
        name: first.journal_name.clone().unwrap_or_else(|| first.category.clone()),
        description: first.journal_description.clone(),
        reference: first.journal_reference.clone(),
        category: first.category.clone(),
        currency: first.currency.clone(),
        date: places.iter().map(|at| seen[*at].row.date).max().unwrap_or(first.date),
        conversion: first.conversion_type.clone().map(|kind| Conversion {
            kind,
            date: first.conversion_date,
            rate: seen[places[0]].checked.rate,
        }),
        lines: lines.collect(),
    }
}

/// The row with the codes of its rejection; a row without any is marked `P`.
fn left_behind(seen: Seen) -> Row {
    let Seen { mut row, checked } = seen;
    let rejecting: Vec<&str> = checked.codes.into_iter().filter(|code| codes::rejects(code)).collect();
    row.status = if rejecting.is_empty() { "P".to_owned() } else { rejecting.join(",") };
    row
}

fn report(seen: &[Seen], report: &mut Vec<String>) {
    for Seen { row, checked } in seen.iter().filter(|seen| !seen.checked.codes.is_empty()) {
        let codes = checked.codes.join(",");
        let meanings: Vec<&str> = checked.codes.iter().map(|code| codes::meaning(code)).collect();
        report.push(format!(
            "Group {} row {} account {} status {codes}: {}",
            row.group.map_or_else(String::new, |group| group.to_string()),
            row.number,
            row.segments.join("."),
            meanings.join(" ")
        ));
    }
}
