//! The records of one resource, with the orders in which they are asked for.

use std::sync::Mutex;

use super::record::{Record, chance};
use super::schema::Resource;

/// Renderings kept per record: as many as a test and a demo ask for in turn.
const RENDERINGS_KEPT: usize = 4;

/// Position of a record in its table.
pub(crate) type Slot = u32;

#[derive(Debug)]
pub(crate) struct Row {
    pub record: Record,
    /// Rendered text by projection; emptied by every change.
    rendered: Mutex<Vec<(u64, Box<str>)>>,
}

impl Row {
    fn new(record: Record) -> Self {
        Self { record, rendered: Mutex::new(Vec::new()) }
    }

    /// Appends the text for `projection`, rendering it at the first request.
    pub(crate) fn append(&self, projection: u64, out: &mut String, render: impl FnOnce(&Record) -> String) {
        let mut kept = match self.rendered.lock() {
            Ok(kept) => kept,
            Err(poisoned) => poisoned.into_inner(),
        };
        if let Some((_, text)) = kept.iter().find(|(key, _)| *key == projection) {
            out.push_str(text);
            return;
        }
        let text = render(&self.record);
        out.push_str(&text);
        if kept.len() >= RENDERINGS_KEPT {
            kept.remove(0);
        }
        kept.push((projection, text.into_boxed_str()));
    }
}

#[derive(Debug)]
pub(crate) struct Table {
    pub resource: &'static Resource,
    rows: Vec<Option<Row>>,
    /// (id, slot)
    by_id: Vec<(i64, Slot)>,
    /// (LastUpdateDate in ms, id, slot)
    by_time: Vec<(i64, i64, Slot)>,
    /// The order of a request without `orderBy`: repeatable, but by no attribute, and a record
    /// that changes moves.
    by_chance: Vec<(u64, Slot)>,
}

impl Table {
    pub(crate) fn new(resource: &'static Resource) -> Self {
        Self { resource, rows: Vec::new(), by_id: Vec::new(), by_time: Vec::new(), by_chance: Vec::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(crate) fn row(&self, slot: Slot) -> Option<&Row> {
        self.rows.get(usize::try_from(slot).ok()?)?.as_ref()
    }

    pub(crate) fn find(&self, id: i64) -> Option<&Row> {
        let at = self.by_id.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        self.row(self.by_id[at].1)
    }

    /// Adds many records at once; one whose id is taken is refused.
    pub(crate) fn extend(&mut self, records: Vec<Record>) -> Result<(), String> {
        let mut ids: Vec<i64> = records.iter().map(Record::id).collect();
        ids.sort_unstable();
        if ids.windows(2).any(|pair| pair[0] == pair[1]) || ids.iter().any(|id| self.find(*id).is_some()) {
            return Err(format!("two {} with one id", self.resource.name));
        }
        for record in records {
            let slot = Slot::try_from(self.rows.len()).map_err(|_| "too many records".to_owned())?;
            self.by_id.push((record.id(), slot));
            self.by_time.push((record.last_update(), record.id(), slot));
            self.by_chance.push((chance(&record), slot));
            self.rows.push(Some(Row::new(record)));
        }
        self.by_id.sort_unstable();
        self.by_time.sort_unstable();
        self.by_chance.sort_unstable();
        Ok(())
    }

    /// Changes a record and puts it in its new place; the id never changes.
    pub(crate) fn update<T>(
        &mut self,
        id: i64,
        change: impl FnOnce(&mut Record) -> Result<T, String>,
    ) -> Result<T, String> {
        let slot = self.slot(id)?;
        let mut record = self.row(slot).map(|row| row.record.clone()).ok_or_else(|| self.missing(id))?;
        let result = change(&mut record)?;
        if record.id() != id {
            return Err("the key of a record cannot be changed".to_owned());
        }
        self.unindex(slot);
        insert_sorted(&mut self.by_id, (id, slot));
        insert_sorted(&mut self.by_time, (record.last_update(), id, slot));
        insert_sorted(&mut self.by_chance, (chance(&record), slot));
        if let Some(place) = usize::try_from(slot).ok().and_then(|at| self.rows.get_mut(at)) {
            *place = Some(Row::new(record));
        }
        Ok(result)
    }

    /// Takes a record away, as if the user had lost sight of it.
    pub(crate) fn remove(&mut self, id: i64) -> Result<(), String> {
        let slot = self.slot(id)?;
        self.unindex(slot);
        if let Some(place) = usize::try_from(slot).ok().and_then(|at| self.rows.get_mut(at)) {
            *place = None;
        }
        Ok(())
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.resource);
    }

    fn slot(&self, id: i64) -> Result<Slot, String> {
        let found = self.by_id.binary_search_by_key(&id, |(id, _)| *id);
        found.map(|at| self.by_id[at].1).map_err(|_| self.missing(id))
    }

    fn missing(&self, id: i64) -> String {
        format!("no {} with the id {id}", self.resource.name)
    }

    fn unindex(&mut self, slot: Slot) {
        let Some(record) = self.row(slot).map(|row| &row.record) else { return };
        let (id, time, chance) = (record.id(), record.last_update(), chance(record));
        remove_sorted(&mut self.by_id, &(id, slot));
        remove_sorted(&mut self.by_time, &(time, id, slot));
        remove_sorted(&mut self.by_chance, &(chance, slot));
    }

    /// Slots by id within `low..high`.
    pub(crate) fn ids(&self, low: i64, high: i64) -> &[(i64, Slot)] {
        let start = self.by_id.partition_point(|(id, _)| *id < low);
        let end = self.by_id.partition_point(|(id, _)| *id < high);
        self.by_id.get(start..end).unwrap_or_default()
    }

    /// Slots by `LastUpdateDate`, then id, within `low..high` milliseconds.
    pub(crate) fn times(&self, low: i64, high: i64) -> &[(i64, i64, Slot)] {
        let start = self.by_time.partition_point(|(ms, _, _)| *ms < low);
        let end = self.by_time.partition_point(|(ms, _, _)| *ms < high);
        self.by_time.get(start..end).unwrap_or_default()
    }

    /// Slots in the order of a request without `orderBy`.
    pub(crate) fn unordered(&self) -> &[(u64, Slot)] {
        &self.by_chance
    }

    pub(crate) fn records(&self) -> impl Iterator<Item = &Record> {
        self.by_id.iter().filter_map(|(_, slot)| self.row(*slot).map(|row| &row.record))
    }
}

fn insert_sorted<T: Ord>(list: &mut Vec<T>, item: T) {
    let at = list.partition_point(|other| *other < item);
    list.insert(at, item);
}

fn remove_sorted<T: Ord>(list: &mut Vec<T>, item: &T) {
    if let Ok(at) = list.binary_search(item) {
        list.remove(at);
    }
}
