//! From the ledger's own data to the records that the REST resources show.
//!
//! Values stand in the order of the attributes in [`super::schema`].

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use super::accounts::Combination;
use super::calendar::{Calendar, Period};
use super::journal::{Batch, Journal, Line, Status, totals};
use super::schema::{FIRST_SEGMENT, JOURNAL_BATCHES, JOURNAL_HEADERS, JOURNAL_LINES, SEGMENTS};
use super::seed::{CALENDAR, CATEGORIES, Chart, DATA_ACCESS_SET, EU_CHART, LEDGERS, SOURCES, US_CHART};
use crate::oracle::record::Record;
use crate::oracle::schema::{Kind, Resource};
use crate::oracle::value::Value;

/// A record of values in the order of the resource's attributes; nothing leaves an attribute out.
fn record(resource: &'static Resource, values: impl IntoIterator<Item = Option<Value>>) -> Record {
    let mut record = Record::new(resource, resource.attributes.len());
    for (at, value) in (0..).zip(values) {
        if let Some(value) = value {
            record.set(at, value);
        }
    }
    record
}

fn all(values: impl IntoIterator<Item = Value>) -> impl Iterator<Item = Option<Value>> {
    values.into_iter().map(Some)
}

fn optional(text: Option<&str>) -> Value {
    Value::optional_text(text)
}

fn amount(amount: Option<Decimal>) -> Value {
    amount.map_or(Value::Null, |amount| Value::number(&amount.to_string()))
}

fn day(day: Option<Date>) -> Value {
    day.map_or(Value::Null, Value::Date)
}

/// The flag in the form that the resource declares at this place.
fn flag(resource: &Resource, at: usize, set: bool) -> Value {
    match resource.attributes.get(at).map(|attribute| attribute.kind) {
        Some(Kind::Flag) => Value::Flag(set),
        _ => Value::text(if set { "Y" } else { "N" }),
    }
}

pub(crate) fn batch(batch: &Batch) -> Record {
    let (debit, credit) = batch.entered();
    let (accounted_debit, accounted_credit) = batch.accounted();
    let mut made = record(
        &JOURNAL_BATCHES,
        all([
            Value::Id(batch.id),
            Value::text(&batch.name),
            optional(batch.description.as_deref()),
            Value::text(&batch.period),
            Value::text(batch.status.letter()),
            Value::text(batch.status.meaning()),
            Value::text(if batch.status == Status::Posted { "Complete" } else { "Incomplete" }),
            Value::text("Not required"),
            Value::text("Not applicable"),
            Value::text(&batch.source),
            Value::text(batch.ledger.chart.name),
            Value::text(CALENDAR),
            Value::text("Actual"),
            amount(Some(debit)),
            amount(Some(credit)),
            amount(Some(accounted_debit)),
            amount(Some(accounted_credit)),
            Value::Null,
            day(batch.posted),
            Value::Null,
            Value::Instant(batch.created),
            Value::Instant(batch.updated),
        ]),
    );
    for journal in &batch.journals {
        made.children_mut(0).push(header(batch, journal));
    }
    made
}

fn header(batch: &Batch, journal: &Journal) -> Record {
    let (debit, credit) = totals(journal.lines.iter(), |line| line.entered);
    let (accounted_debit, accounted_credit) = totals(journal.lines.iter(), |line| line.accounted);
    let conversion = journal.conversion.as_ref();
    let mut made = record(
        &JOURNAL_HEADERS,
        all([
            Value::Id(journal.id),
            Value::text(&journal.name),
            optional(journal.description.as_deref()),
            Value::text(batch.ledger.name),
            Value::text(batch.ledger.currency),
            Value::text(&journal.currency),
            Value::text(&batch.period),
            Value::Date(journal.date),
            Value::text(&journal.category),
            optional(conversion.map(|conversion| conversion.kind.as_str())),
            day(conversion.and_then(|conversion| conversion.date)),
            amount(conversion.and_then(|conversion| conversion.rate)),
            amount(Some(debit)),
            amount(Some(credit)),
            amount(Some(accounted_debit)),
            amount(Some(accounted_credit)),
            Value::text(batch.ledger.legal_entity),
            optional(journal.reference.as_deref()),
            Value::Instant(batch.created),
            Value::Instant(batch.updated),
        ]),
    );
    for line in &journal.lines {
        made.children_mut(0).push(self::line(batch, journal, line));
    }
    made
}

fn line(batch: &Batch, journal: &Journal, line: &Line) -> Record {
    let conversion = journal.conversion.as_ref();
    record(
        &JOURNAL_LINES,
        all([
            Value::Id(line.number),
            Value::text(&line.account),
            optional(line.description.as_deref()),
            Value::text(&journal.currency),
            amount(line.entered.debit),
            amount(line.entered.credit),
            amount(line.accounted.debit),
            amount(line.accounted.credit),
            day(conversion.and_then(|conversion| conversion.date)),
            amount(conversion.and_then(|conversion| conversion.rate)),
            Value::text(batch.ledger.chart.name),
            Value::Instant(batch.created),
            Value::Instant(batch.updated),
        ]),
    )
}

pub(crate) fn ledgers(resource: &'static Resource) -> Vec<Record> {
    let one = |ledger: &super::seed::LedgerSeed| {
        record(
            resource,
            all([
                Value::Id(ledger.id),
                Value::text(ledger.name),
                Value::text(ledger.short_name),
                Value::text("PRIMARY"),
                Value::text(ledger.currency),
                Value::Id(ledger.chart.number),
                Value::text(CALENDAR),
            ]),
        )
    };
    LEDGERS.iter().map(one).collect()
}

pub(crate) fn periods(resource: &'static Resource, calendar: &Calendar) -> Vec<Record> {
    let mut made = Vec::new();
    for (place, (ledger, application)) in (0_i64..).zip(Calendar::keys()) {
        for period in Period::all() {
            let effective = i64::from(period.year()) * 10_000 + i64::from(period.number());
            made.push(record(
                resource,
                all([
                    Value::Id(1 + place * 1_000 + period.index()),
                    Value::text(&period.name()),
                    Value::Id(application),
                    Value::Id(ledger),
                    Value::text(&calendar.status(ledger, application, period).to_string()),
                    Value::Date(period.start()),
                    Value::Date(period.end()),
                    Value::Id(effective),
                    Value::Integer(i64::from(period.year())),
                    Value::Integer(i64::from(period.number())),
                    flag(resource, 10, false),
                ]),
            ));
        }
    }
    made
}

pub(crate) fn charts(resource: &'static Resource) -> Vec<Record> {
    let one = |chart: &Chart| {
        record(
            resource,
            all([
                Value::Id(chart.instance),
                Value::Id(chart.number),
                Value::text(chart.code),
                Value::text(chart.name),
                flag(resource, 4, true),
            ]),
        )
    };
    vec![one(&US_CHART), one(&EU_CHART)]
}

/// Nothing but what the resource's shape has: with the tenant's names there are no ids without an underscore.
pub(crate) fn combination(resource: &'static Resource, combination: &Combination) -> Record {
    let numbered = resource.attribute("Segment1").is_some();
    let id = || Value::Id(combination.id);
    let chart = || Value::Id(combination.chart.number);
    let segments = segments(resource, combination);
    let head = [
        Some(id()),
        Some(chart()),
        numbered.then(id),
        numbered.then(chart),
        numbered.then(|| Value::text(&combination.text())),
    ];
    let at = FIRST_SEGMENT + SEGMENTS;
    let tail = [
        Value::text(combination.account_type()),
        flag(resource, at + 1, combination.enabled),
        flag(resource, at + 2, combination.detail_posting),
        flag(resource, at + 3, false),
        Value::Null,
        day(combination.end),
    ];
    record(resource, head.into_iter().chain(segments).chain(all(tail)))
}

/// The segments at the places of their names; a chart without a segment leaves its place empty.
fn segments(resource: &Resource, combination: &Combination) -> [Option<Value>; SEGMENTS] {
    let mut places = [const { None }; SEGMENTS];
    for (number, segment) in combination.segments.iter().enumerate() {
        let named = combination.chart.segments.get(number).and_then(|name| resource.attribute(name));
        let place = named.map_or(number, |at| usize::from(at).saturating_sub(FIRST_SEGMENT));
        if let Some(value) = places.get_mut(place) {
            *value = Some(Value::text(segment));
        }
    }
    places
}

fn names<'a>(
    resource: &'static Resource,
    list: impl IntoIterator<Item = &'a (&'static str, &'static str)>,
) -> Vec<Record> {
    let numbered = (1..).zip(list);
    numbered
        .map(|(id, (name, user))| {
            record(resource, all([Value::Id(id), Value::text(name), Value::text(user)]))
        })
        .collect()
}

pub(crate) fn sources(resource: &'static Resource, is_there: impl Fn(&str) -> bool) -> Vec<Record> {
    names(resource, SOURCES.iter().filter(|(_, user)| is_there(user)))
}

pub(crate) fn categories(resource: &'static Resource) -> Vec<Record> {
    names(resource, CATEGORIES)
}

pub(crate) fn access_set(resource: &'static Resource) -> Vec<Record> {
    LEDGERS
        .iter()
        .map(|ledger| {
            record(
                resource,
                all([Value::Id(ledger.id), Value::Id(DATA_ACCESS_SET), Value::text(ledger.name)]),
            )
        })
        .collect()
}

/// The day of an instant in UTC.
pub(crate) fn day_of(now: i64) -> Option<Date> {
    Timestamp::from_millisecond(now).ok().map(|at| at.to_zoned(TimeZone::UTC).date())
}
