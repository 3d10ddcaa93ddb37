//! Paging against a model server: a list of rows that changes between pages.

use std::collections::{BTreeMap, HashMap, HashSet};

use proptest::prelude::*;

use super::*;
use crate::query::{Attr, DateTimeLiteral, Filter, Query, Value};

const SECOND: i64 = 1_000;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Granularity {
    Milliseconds,
    Seconds,
}

#[derive(Debug, Clone)]
struct Server {
    /// `(id, milliseconds)`.
    rows: Vec<(u64, i64)>,
    /// The rows that have no date.
    undated: HashSet<u64>,
    /// Where they stand in the order by date.
    undated_first: bool,
    /// Whether a filter by date lets them through.
    undated_kept: bool,
    clamp: usize,
    filter: Granularity,
    shown: Granularity,
    now: i64,
    requests: usize,
}

impl Server {
    fn new(rows: Vec<(u64, i64)>, clamp: usize) -> Self {
        let now = rows.iter().map(|row| row.1).max().unwrap_or(0);
        Self {
            rows,
            undated: HashSet::new(),
            undated_first: false,
            undated_kept: false,
            clamp,
            filter: Granularity::Milliseconds,
            shown: Granularity::Milliseconds,
            now,
            requests: 0,
        }
    }

    fn key(&self, (id, at): (u64, i64)) -> RowKey {
        let at = match self.shown {
            Granularity::Milliseconds => at,
            Granularity::Seconds => at.div_euclid(SECOND) * SECOND,
        };
        let last_update = Some(Timestamp::from_millisecond(at).unwrap());
        RowKey { id: id.to_string(), last_update: last_update.filter(|_| !self.undated.contains(&id)) }
    }

    fn matches(&self, filter: Option<&Filter>, (id, at): (u64, i64)) -> bool {
        match filter {
            None => true,
            Some(Filter::Ge(attr, Value::Timestamp(from))) if attr.as_str() == "LastUpdateDate" => {
                if self.undated.contains(&id) {
                    return self.undated_kept;
                }
                match self.filter {
                    Granularity::Milliseconds => at >= from.as_millisecond(),
                    Granularity::Seconds => at.div_euclid(SECOND) >= from.as_millisecond().div_euclid(SECOND),
                }
            }
            Some(Filter::Gt(attr, Value::Id(after))) if attr.as_str() == "POHeaderId" => {
                id > after.as_str().parse::<u64>().unwrap()
            }
            other => panic!("a filter that the server does not know: {other:?}"),
        }
    }

    fn answer(&mut self, query: &Query, limit: usize) -> (Vec<RowKey>, bool) {
        self.requests += 1;
        let mut rows: Vec<_> =
            self.rows.iter().copied().filter(|row| self.matches(query.get_filter(), *row)).collect();
        if query.to_query_string(DateTimeLiteral::default()).contains("orderBy=LastUpdateDate") {
            rows.sort_by_key(|(id, at)| match self.undated.contains(id) {
                true => (!self.undated_first, 0, *id),
                false => (self.undated_first, *at, *id),
            });
        } else {
            rows.sort_unstable();
        }
        let size = limit.min(self.clamp);
        let rest: Vec<_> = rows.into_iter().skip(usize::try_from(query.get_offset()).unwrap()).collect();
        (rest.iter().take(size).map(|row| self.key(*row)).collect(), rest.len() > size)
    }

    /// Rows now, as a reader sees them.
    fn keys(&self) -> Vec<RowKey> {
        self.rows.iter().map(|row| self.key(*row)).collect()
    }
}

/// Something that happens on the server before a request.
#[derive(Debug, Clone)]
enum Edit {
    Touch { row: usize, after: i64 },
    Delete { row: usize },
    Insert { id: u64, after: i64 },
    Clamp { rows: usize },
}

impl Edit {
    fn apply(&self, server: &mut Server) {
        match *self {
            Self::Touch { row, after } if !server.rows.is_empty() => {
                server.now += after;
                let row = row % server.rows.len();
                server.rows[row].1 = server.now;
                server.undated.remove(&server.rows[row].0);
            }
            Self::Delete { row } if !server.rows.is_empty() => {
                let row = row % server.rows.len();
                server.rows.remove(row);
            }
            Self::Insert { id, after } if server.rows.iter().all(|row| row.0 != id) => {
                server.now += after;
                server.rows.push((id, server.now));
            }
            Self::Clamp { rows } => server.clamp = rows,
            _ => {}
        }
    }
}

#[derive(Debug, Default)]
struct Reading {
    told: HashSet<RowKey>,
    times: HashMap<RowKey, usize>,
}

impl Reading {
    fn note(&mut self, rows: &[RowKey], step: &Step) {
        for index in &step.fresh {
            self.told.insert(rows[*index].clone());
            *self.times.entry(rows[*index].clone()).or_default() += 1;
        }
    }
}

/// Reads to the end; after each page no row before the second of the last one may be untold.
fn read(
    keyset: &mut Keyset,
    server: &mut Server,
    from: i64,
    edits: &[Vec<Edit>],
) -> Result<Reading, KeysetError> {
    let mut reading = Reading::default();
    let mut edits = edits.iter();
    loop {
        for edit in edits.next().into_iter().flatten() {
            edit.apply(server);
        }
        let query = keyset.query(Resource::PurchaseOrders, Limit::MAX);
        let (rows, has_more) = server.answer(&query, 499);
        let step = keyset.accept(&rows, has_more)?;
        reading.note(&rows, &step);
        let last = keyset.last().and_then(|last| last.last_update).map(|at| at.as_second());
        for row in server.keys() {
            let Some(at) = row.last_update else { continue };
            let passed = last.is_some_and(|last| at.as_second() < last);
            assert!(
                !passed || at.as_second() < from || reading.told.contains(&row),
                "{row:?} was passed over"
            );
        }
        if step.done {
            return Ok(reading);
        }
        assert!(server.requests < 20_000, "paging does not end");
    }
}

fn granularity() -> impl Strategy<Value = Granularity> {
    prop_oneof![Just(Granularity::Milliseconds), Just(Granularity::Seconds)]
}

/// Rows in few seconds, so that seconds fill pages.
fn rows() -> impl Strategy<Value = Vec<(u64, i64)>> {
    let row = (0u64..200, 0i64..4, prop_oneof![Just(0i64), Just(500), 0i64..1_000]);
    prop::collection::vec(row, 0..60).prop_map(|rows| {
        let rows: BTreeMap<u64, i64> =
            rows.into_iter().map(|(id, s, ms)| (id, (1_000_000 + s) * SECOND + ms)).collect();
        rows.into_iter().collect()
    })
}

fn edits() -> impl Strategy<Value = Vec<Vec<Edit>>> {
    // later than all rows there are: what becomes visible among rows already read is for the next poll
    let after = || prop_oneof![2 => Just(1i64), 1 => 1i64..1_500];
    let edit = prop_oneof![
        4 => (any::<usize>(), after()).prop_map(|(row, after)| Edit::Touch { row, after }),
        1 => any::<usize>().prop_map(|row| Edit::Delete { row }),
        2 => (200u64..400, after()).prop_map(|(id, after)| Edit::Insert { id, after }),
        1 => (1usize..9).prop_map(|rows| Edit::Clamp { rows }),
    ];
    prop::collection::vec(prop::collection::vec(edit, 0..4), 0..20)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn rows_at_rest_are_read_once_each(
        rows in rows(), clamp in 1usize..20, filter in granularity(), shown in granularity(), from in prop::option::of(999_999i64..1_000_004)
    ) {
        let mut server = Server { filter, shown, ..Server::new(rows, clamp) };
        let mut keyset = Keyset::by_last_update(from.map(|s| Timestamp::from_second(s).unwrap()));
        let from = from.unwrap_or(0);
        let reading = read(&mut keyset, &mut server, from, &[]).unwrap();
        let expected: HashSet<_> = server.keys().into_iter().filter(|k| k.last_update.unwrap().as_second() >= from).collect();
        prop_assert_eq!(&reading.told, &expected);
        prop_assert!(reading.times.values().all(|times| *times == 1));
        prop_assert!(server.requests <= 4 * server.rows.len() + 10);
    }

    #[test]
    fn no_row_is_lost_while_rows_change(
        rows in rows(), clamp in 1usize..20, filter in granularity(), shown in granularity(), edits in edits(), from in 999_999i64..1_000_004
    ) {
        let mut server = Server { filter, shown, ..Server::new(rows, clamp) };
        let mut keyset = Keyset::by_last_update(Some(Timestamp::from_second(from).unwrap()));
        // `read` checks after each page that nothing was passed over
        let reading = read(&mut keyset, &mut server, from, &edits);
        prop_assert!(reading.is_ok(), "{:?}", reading);
    }

    #[test]
    fn rows_without_a_date_keep_no_dated_row_from_being_read(
        rows in rows(), undated in prop::collection::hash_set(0u64..200, 0..120), first in any::<bool>(), kept in any::<bool>(),
        clamp in 1usize..20, edits in edits(), at_rest in any::<bool>(), from in prop::option::of(999_999i64..1_000_004)
    ) {
        let mut server = Server { undated, undated_first: first, undated_kept: kept, ..Server::new(rows, clamp) };
        let mut keyset = Keyset::by_last_update(from.map(|s| Timestamp::from_second(s).unwrap()));
        let (all, _) = Server { clamp: 499, ..server.clone() }.answer(&keyset.query(Resource::PurchaseOrders, Limit::MAX), 499);
        let dated = |keys: &[RowKey]| -> HashSet<RowKey> { keys.iter().filter(|k| k.last_update.is_some()).cloned().collect() };
        let edits = if at_rest { &[][..] } else { &edits[..] };
        // `read` checks after each page that nothing was passed over
        let reading = read(&mut keyset, &mut server, from.unwrap_or(0), edits);
        prop_assert!(reading.is_ok(), "{:?}", reading);
        let reading = reading.unwrap();
        if at_rest {
            let told: Vec<_> = reading.told.iter().cloned().collect();
            prop_assert_eq!(dated(&told), dated(&all));
            prop_assert!(reading.times.iter().all(|(key, times)| key.last_update.is_none() || *times == 1));
            // those on the first page are told; a filter may leave out the rest
            prop_assert!(all.iter().take(clamp).all(|key| reading.told.contains(key)));
            prop_assert!(!kept || all.iter().all(|key| reading.told.contains(key)));
            prop_assert!(keyset.last().is_none_or(|last| last.last_update.is_some() || dated(&all).is_empty()));
        }
    }

    #[test]
    fn a_full_scan_reads_what_stays_once_whatever_changes(
        rows in rows(), clamp in 1usize..20, edits in edits(), after in prop::option::of(0u64..200)
    ) {
        let before: HashSet<u64> = rows.iter().map(|row| row.0).filter(|id| after.is_none_or(|after| *id > after)).collect();
        let mut server = Server::new(rows, clamp);
        let mut keyset = Keyset::by_id(after.map(|id| id.to_string()));
        let mut told = Vec::new();
        let mut edits = edits.iter();
        loop {
            edits.next().into_iter().flatten().for_each(|edit| edit.apply(&mut server));
            let (rows, has_more) = server.answer(&keyset.query(Resource::PurchaseOrders, Limit::MAX), 499);
            let step = keyset.accept(&rows, has_more).unwrap();
            told.extend(step.fresh.iter().map(|index| rows[*index].id.parse::<u64>().unwrap()));
            if step.done {
                break;
            }
        }
        prop_assert!(told.is_sorted_by(|a, b| a < b));
        let stayed: HashSet<u64> = server.rows.iter().map(|row| row.0).filter(|id| before.contains(id)).collect();
        prop_assert!(stayed.iter().all(|id| told.contains(id)));
    }

    #[test]
    fn a_server_that_answers_anything_is_left_in_the_end(pages in prop::collection::vec((rows(), any::<bool>()), 1..6)) {
        let mut keyset = Keyset::by_last_update(None);
        let mut ended = false;
        for (rows, has_more) in pages.iter().cycle().take(2_000) {
            let mut server = Server::new(rows.clone(), 499);
            let (keys, _) = server.answer(&Keyset::by_last_update(None).query(Resource::PurchaseOrders, Limit::MAX), 499);
            match keyset.accept(&keys, *has_more) {
                Ok(step) if !step.done => {}
                _ => { ended = true; break; }
            }
        }
        prop_assert!(ended);
    }
}

fn row(id: u64, ms: i64) -> RowKey {
    RowKey { id: id.to_string(), last_update: Some(Timestamp::from_millisecond(ms).unwrap()) }
}

#[test]
fn a_full_page_of_one_timestamp_is_read_by_offset() {
    for (clamp, most) in [(499, 8), (500, 8), (100, 40), (3, 1_600)] {
        let mut server =
            Server::new((0..2_000).map(|id| (id, 7_000)).chain([(9_000, 8_000)]).collect(), clamp);
        let mut keyset = Keyset::by_last_update(None);
        let reading = read(&mut keyset, &mut server, 0, &[]).unwrap();
        assert_eq!(reading.told.len(), 2_001);
        assert!(server.requests <= most, "{} requests with pages of {clamp}", server.requests);
    }
}

#[test]
fn a_server_that_sends_one_row_at_a_time_is_read_to_the_end() {
    let mut server =
        Server::new((0..50).map(|id| (id, 7_000 + i64::try_from(id / 20).unwrap() * 900)).collect(), 1);
    let reading = read(&mut Keyset::by_last_update(None), &mut server, 0, &[]).unwrap();
    assert_eq!(reading.told.len(), 50);
}

#[test]
fn the_next_page_starts_at_the_second_of_the_last_row() {
    let mut keyset = Keyset::by_last_update(None);
    keyset.accept(&[row(1, 5_000), row(2, 7_250)], true).unwrap();
    let query = keyset.query(Resource::Invoices, Limit::MAX);
    let second = Timestamp::from_second(7).unwrap();
    assert_eq!(query.get_filter(), Some(&Filter::Ge(Attr::last_update(), Value::Timestamp(second))));
    assert_eq!(query.get_offset(), 0);
    let step = keyset.accept(&[row(9, 7_100), row(2, 7_250), row(3, 7_300)], false).unwrap();
    assert_eq!(step, Step { fresh: vec![0, 2], done: true });
}

#[test]
fn a_row_that_came_again_with_another_date_is_fresh_again() {
    let mut keyset = Keyset::by_last_update(None);
    keyset.accept(&[row(1, 5_000), row(2, 7_000)], true).unwrap();
    let step = keyset.accept(&[row(3, 7_100), row(2, 7_200), row(1, 8_000)], false).unwrap();
    assert_eq!(step.fresh, [0, 1, 2]);
}

#[test]
fn a_second_whose_rows_moved_is_read_again_from_its_start() {
    let mut keyset = Keyset::by_last_update(None);
    keyset.accept(&[row(1, 7_000), row(2, 7_000), row(3, 7_000)], true).unwrap();
    assert_eq!(keyset.query(Resource::Invoices, Limit::MAX).get_offset(), 2);
    // row 1 has gone, and with it row 4 would be skipped
    let step = keyset.accept(&[row(4, 7_000), row(5, 7_000)], false).unwrap();
    assert_eq!(step, Step { fresh: vec![], done: false });
    assert_eq!(keyset.query(Resource::Invoices, Limit::MAX).get_offset(), 0);
    let step = keyset.accept(&[row(2, 7_000), row(3, 7_000), row(4, 7_000), row(5, 7_000)], false).unwrap();
    assert_eq!(step, Step { fresh: vec![2, 3], done: true });
}

#[test]
fn a_server_that_repeats_a_page_is_an_error() {
    let page = [row(1, 7_000), row(2, 7_000), row(3, 7_000)];
    let mixed = [row(1, 5_000), row(2, 6_000), row(3, 7_000)];
    let single = [row(1, 7_000)];
    for page in [&page[..], &mixed, &single] {
        let mut keyset = Keyset::by_last_update(None);
        let error = (0..10).find_map(|_| keyset.accept(page, true).err());
        assert_eq!(error, Some(KeysetError::Repeats), "{page:?}");
        let mut keyset = Keyset::by_id(None);
        let error = (0..2).find_map(|_| keyset.accept(page, true).err());
        assert_eq!(error, Some(KeysetError::Repeats));
    }
    assert_eq!(Keyset::by_last_update(None).accept(&[], true), Err(KeysetError::Repeats));
}

#[test]
fn rows_that_never_stop_moving_are_an_error() {
    let mut keyset = Keyset::by_last_update(None);
    let error =
        (0..1_000).find_map(|n| keyset.accept(&[row(n * 2, 7_000), row(n * 2 + 1, 7_000)], true).err());
    assert_eq!(error, Some(KeysetError::Unstable));
}

#[test]
fn a_page_out_of_order_is_an_error() {
    let rows = [row(1, 9_000), row(2, 7_000)];
    assert_eq!(
        Keyset::by_last_update(None).accept(&rows, false),
        Err(KeysetError::Unordered { id: "2".into() })
    );
    let rows = [row(10, 0), row(9, 0)];
    assert_eq!(Keyset::by_id(None).accept(&rows, false), Err(KeysetError::Unordered { id: "9".into() }));
    let rows = [row(1, 9_000), undated(5), row(2, 7_000)];
    assert_eq!(
        Keyset::by_last_update(None).accept(&rows, false),
        Err(KeysetError::Unordered { id: "2".into() })
    );
}

fn undated(id: u64) -> RowKey {
    RowKey { id: id.to_string(), last_update: None }
}

#[test]
fn a_row_without_a_date_is_told_and_moves_nothing() {
    let mut keyset = Keyset::by_last_update(None);
    assert_eq!(keyset.accept(&[undated(5)], false), Ok(Step { fresh: vec![0], done: true }));
    let mut keyset = Keyset::by_last_update(None);
    let step = keyset.accept(&[undated(5), row(1, 5_000), row(2, 7_250), undated(6)], true).unwrap();
    assert_eq!(step.fresh, [0, 1, 2, 3]);
    assert_eq!(keyset.last(), Some(&row(2, 7_250)));
    let second = Timestamp::from_second(7).unwrap();
    assert_eq!(
        keyset.query(Resource::Invoices, Limit::MAX).get_filter(),
        Some(&Filter::Ge(Attr::last_update(), Value::Timestamp(second)))
    );
}

#[test]
fn ids_are_compared_as_numbers() {
    let mut keyset = Keyset::by_id(Some("9".into()));
    let step = keyset.accept(&[row(9, 0), row(10, 0), row(100, 0)], true).unwrap();
    assert_eq!(step.fresh, [1, 2]);
    let query = keyset.query(Resource::Invoices, Limit::MAX).to_query_string(DateTimeLiteral::default());
    assert!(query.contains("q=InvoiceId%20%3E%20100&"), "{query}");
    let odd = RowKey { id: "1e5".into(), last_update: None };
    assert_eq!(Keyset::by_id(None).accept(&[odd], false), Err(KeysetError::BadId { id: "1e5".into() }));
    let broken = Keyset::by_id(Some("1 or 2".into())).query(Resource::Invoices, Limit::MAX);
    assert_eq!(
        broken.get_filter(),
        Some(&Filter::Gt(Resource::Invoices.id_attribute(), Value::text("1 or 2")))
    );
}
