//! Tests of the query languages: a naive model beside the real evaluation, and the traps.

use std::cmp::Ordering;

use proptest::prelude::*;

use super::super::record::Record;
use super::super::schema::{LINES, Line, PURCHASE_ORDERS, Po};
use super::super::settings::{DateTimeLiterals, Granularity, Wildcards};
use super::super::value::Value;
use super::plan::plan;
use super::{Filter, QueryError, Rules, example, rowmatch};

const RULES: Rules = Rules {
    date_times: DateTimeLiterals::Both,
    granularity: Granularity::Millis,
    wildcards: Wildcards::Both,
    last_update_queryable: true,
};

#[derive(Clone, Debug)]
struct Row {
    id: i64,
    number: Option<String>,
    cents: Option<i64>,
    updated_ms: i64,
}

fn record(row: &Row) -> Record {
    let mut record = Record::new(&PURCHASE_ORDERS, 4);
    let cents = |cents: i64| Value::number(&rust_decimal::Decimal::new(cents, 2).to_string());
    record
        .set(Po::POHeaderId, Value::Id(row.id))
        .set(Po::OrderNumber, Value::optional_text(row.number.as_deref()))
        .set(Po::Total, row.cents.map_or(Value::Null, cents))
        .set(Po::LastUpdateDate, Value::Instant(row.updated_ms));
    record
}

#[derive(Clone, Debug)]
enum Naive {
    And(Box<Naive>, Box<Naive>),
    Or(Box<Naive>, Box<Naive>),
    Not(Box<Naive>),
    Id(&'static str, i64),
    IdIn(Vec<i64>),
    Number(&'static str, String),
    StartsWith(String),
    Total(&'static str, i64),
    TotalBetween(i64, i64),
    Updated(&'static str, i64),
    NumberIsNull,
    TotalIsNotNull,
}

fn holds(sign: &str, ordering: Ordering) -> bool {
    match sign {
        "=" => ordering.is_eq(),
        "!=" | "<>" => ordering.is_ne(),
        "<" => ordering.is_lt(),
        "<=" => ordering.is_le(),
        ">" => ordering.is_gt(),
        _ => ordering.is_ge(),
    }
}

impl Naive {
    fn evaluate(&self, row: &Row) -> Option<bool> {
        match self {
            Self::And(left, right) => match (left.evaluate(row), right.evaluate(row)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            Self::Or(left, right) => match (left.evaluate(row), right.evaluate(row)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
            Self::Not(inner) => inner.evaluate(row).map(|value| !value),
            Self::Id(sign, id) => Some(holds(sign, row.id.cmp(id))),
            Self::IdIn(list) => Some(list.contains(&row.id)),
            Self::Number(sign, text) => row.number.as_ref().map(|number| holds(sign, number.cmp(text))),
            Self::StartsWith(text) => row.number.as_ref().map(|number| number.starts_with(text)),
            Self::Total(sign, cents) => row.cents.map(|own| holds(sign, own.cmp(cents))),
            Self::TotalBetween(low, high) => row.cents.map(|own| own >= *low && own <= *high),
            Self::Updated(sign, ms) => Some(holds(sign, row.updated_ms.cmp(ms))),
            Self::NumberIsNull => Some(row.number.is_none()),
            Self::TotalIsNotNull => Some(row.cents.is_some()),
        }
    }

    fn text(&self) -> String {
        let quote = |text: &str| format!("'{}'", text.replace('\'', "''"));
        let cents = |cents: i64| rust_decimal::Decimal::new(cents, 2).to_string();
        match self {
            Self::And(left, right) => format!("({}) AND {}", left.text(), right.in_brackets()),
            Self::Or(left, right) => format!("{} or ({})", left.in_brackets(), right.text()),
            Self::Not(inner) => format!("not {}", inner.in_brackets()),
            Self::Id(sign, id) => format!("POHeaderId{sign}{id}"),
            Self::IdIn(list) => {
                let list: Vec<String> = list.iter().map(i64::to_string).collect();
                format!("POHeaderId in ({})", list.join(" , "))
            }
            Self::Number(sign, text) => format!("OrderNumber {sign} {}", quote(text)),
            Self::StartsWith(text) => format!("OrderNumber LIKE {}", quote(&format!("{text}*"))),
            Self::Total(sign, value) => format!("Total {sign}{}", cents(*value)),
            Self::TotalBetween(low, high) => format!("Total between {} and {}", cents(*low), cents(*high)),
            Self::Updated(sign, ms) => {
                let at = jiff::Timestamp::from_millisecond(*ms).unwrap();
                if ms % 2 == 0 {
                    format!("LastUpdateDate {sign} '{at}'")
                } else {
                    format!("LastUpdateDate{sign}{at}")
                }
            }
            Self::NumberIsNull => "OrderNumber is null".to_owned(),
            Self::TotalIsNotNull => "Total IS NOT NULL".to_owned(),
        }
    }

    fn in_brackets(&self) -> String {
        match self {
            Self::And(..) | Self::Or(..) => format!("({})", self.text()),
            _ => self.text(),
        }
    }
}

fn sign() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["=", "!=", "<>", "<", "<=", ">", ">="])
}

fn number() -> impl Strategy<Value = String> {
    "[AB';]{0,3}"
}

fn naive() -> impl Strategy<Value = Naive> {
    let leaf = prop_oneof![
        (sign(), 0_i64..6).prop_map(|(sign, id)| Naive::Id(sign, id)),
        prop::collection::vec(0_i64..6, 1..4).prop_map(Naive::IdIn),
        (sign(), number()).prop_map(|(sign, text)| Naive::Number(sign, text)),
        number().prop_map(Naive::StartsWith),
        (sign(), -3_i64..4).prop_map(|(sign, cents)| Naive::Total(sign, cents)),
        (-3_i64..4, -3_i64..4).prop_map(|(low, high)| Naive::TotalBetween(low, high)),
        (sign(), 0_i64..5).prop_map(|(sign, ms)| Naive::Updated(sign, ms)),
        Just(Naive::NumberIsNull),
        Just(Naive::TotalIsNotNull),
    ];
    leaf.prop_recursive(4, 24, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(l, r)| Naive::And(Box::new(l), Box::new(r))),
            (inner.clone(), inner.clone()).prop_map(|(l, r)| Naive::Or(Box::new(l), Box::new(r))),
            inner.prop_map(|only| Naive::Not(Box::new(only))),
        ]
    })
}

fn row() -> impl Strategy<Value = Row> {
    (0_i64..6, prop::option::of(number()), prop::option::of(-3_i64..4), 0_i64..5)
        .prop_map(|(id, number, cents, updated_ms)| Row { id, number, cents, updated_ms })
}

proptest! {
    #[test]
    fn row_matches_evaluate_as_a_naive_model_does(expression in naive(), rows in prop::collection::vec(row(), 1..20)) {
        let text = expression.text();
        let filter = rowmatch::parse(&PURCHASE_ORDERS, &text, &RULES).unwrap().unwrap();
        let plan = plan(&PURCHASE_ORDERS, Some(filter.clone()));
        for row in rows {
            let record = record(&row);
            prop_assert_eq!(filter.evaluate(&record), expression.evaluate(&row), "{}", &text);
            let planned = plan.time.contains(row.updated_ms)
                && plan.id.contains(row.id)
                && plan.residual.as_ref().is_none_or(|rest| rest.accepts(&record));
            prop_assert_eq!(planned, expression.evaluate(&row) == Some(true), "plan of {}", &text);
        }
    }

    #[test]
    fn no_text_makes_the_parsers_panic(text in "\\PC{0,40}|[A-Za-z'();=<>!* ]{0,40}") {
        let _ = rowmatch::parse(&PURCHASE_ORDERS, &text, &RULES);
        let _ = example::parse(&PURCHASE_ORDERS, &text, &RULES);
    }
}

fn sample() -> Record {
    let at = "2026-01-01T12:00:00.500Z".parse::<jiff::Timestamp>().unwrap().as_millisecond();
    let number = Some("US1; or 'x'".to_owned());
    let mut order = record(&Row { id: 7, number, cents: Some(12_050), updated_ms: at });
    let mut line = Record::new(&LINES, 1);
    line.set(Line::Description, Value::text("Laptop"));
    order.children_mut(0).push(line);
    order
}

fn by_example(text: &str) -> Result<bool, QueryError> {
    example::parse(&PURCHASE_ORDERS, text, &RULES)
        .map(|filter| filter.is_none_or(|filter: Filter| filter.accepts(&sample())))
}

fn by_row_match(text: &str) -> Result<bool, QueryError> {
    rowmatch::parse(&PURCHASE_ORDERS, text, &RULES)
        .map(|filter| filter.is_none_or(|filter: Filter| filter.accepts(&sample())))
}

#[test]
fn version_1_joins_attributes_with_semicolons_and_knows_wildcards() {
    for text in [
        "POHeaderId=7;OrderNumber=US1*",
        "POHeaderId = 7; OrderNumber='US1; or ''x'''",
        "OrderNumber=%x%",
        "OrderNumber like 'US*'",
        "Total>=120.5;Total<121",
        "LastUpdateDate>=2026-01-01T00:00:00Z and <2026-01-02T00:00:00Z",
        "LastUpdateDate>='2026-01-01T00:00:00Z'",
        "POHeaderId=1 or =7",
        "",
    ] {
        assert_eq!(by_example(text), Ok(true), "{text}");
    }
    assert_eq!(by_example("POHeaderId=7;Total=1"), Ok(false));
}

#[test]
fn version_1_reads_an_and_between_attributes_as_part_of_the_value_and_finds_nothing() {
    for text in [
        "POHeaderId=7 and Total=120.5",
        "POHeaderId = 7 and OrderNumber like 'US*'",
        "OrderNumber='US1; or ''x''' and POHeaderId=7",
        "LastUpdateDate >= '2020-01-01T00:00:00Z' and POHeaderId > 1",
    ] {
        assert_eq!(by_example(text), Ok(false), "{text}");
        assert!(by_row_match(text).unwrap(), "{text}");
    }
}

#[test]
fn later_versions_refuse_semicolons_and_unquoted_text() {
    for text in [
        "POHeaderId=7;Total=1",
        "OrderNumber=US1",
        "POHeaderId",
        "POHeaderId=",
        "(POHeaderId=7",
        "x y z",
        "Total='a'",
    ] {
        assert!(
            matches!(by_row_match(text), Err(QueryError::Syntax(_) | QueryError::UnknownAttribute)),
            "{text}"
        );
    }
}

#[test]
fn unknown_and_unqueryable_attributes_are_refused_in_both_languages() {
    for parse in [by_example, by_row_match] {
        assert_eq!(parse("TotalAmount=1"), Err(QueryError::UnknownAttribute));
        assert_eq!(parse("poheaderid=7"), Err(QueryError::UnknownAttribute));
        assert!(matches!(parse("RequesterId=7"), Err(QueryError::NotQueryable(_))));
    }
    assert_eq!(by_example("lines.Description=Laptop"), Err(QueryError::UnknownAttribute));
}

#[test]
fn child_attributes_match_when_any_child_does() {
    assert_eq!(by_row_match("lines.Description = 'Laptop'"), Ok(true));
    assert_eq!(by_row_match("lines.Description = 'Desk'"), Ok(false));
    assert_eq!(by_row_match("schedules.Quantity = 1"), Err(QueryError::UnknownAttribute));
}

#[test]
fn whole_second_filters_ignore_milliseconds_on_both_sides() {
    let rules = Rules { granularity: Granularity::Seconds, ..RULES };
    let accepts = |text: &str| {
        let filter = rowmatch::parse(&PURCHASE_ORDERS, text, &rules).unwrap().unwrap();
        let plan = plan(&PURCHASE_ORDERS, Some(filter.clone()));
        let record = sample();
        assert_eq!(plan.time.contains(record.last_update()), filter.accepts(&record), "{text}");
        filter.accepts(&record)
    };
    assert!(accepts("LastUpdateDate >= '2026-01-01T12:00:00.900Z'"));
    assert!(accepts("LastUpdateDate = '2026-01-01T12:00:00Z'"));
    assert!(!accepts("LastUpdateDate > '2026-01-01T12:00:00.100Z'"));
    assert!(!accepts("LastUpdateDate < '2026-01-01T12:00:00.900Z'"));
    assert!(!by_row_match("LastUpdateDate >= '2026-01-01T12:00:00.900Z'").unwrap());
}

#[test]
fn the_accepted_spelling_of_date_times_is_a_setting() {
    let parse = |date_times, text| rowmatch::parse(&PURCHASE_ORDERS, text, &Rules { date_times, ..RULES });
    let (quoted, unquoted) =
        ("LastUpdateDate >= '2026-01-01T00:00:00Z'", "LastUpdateDate >= 2026-01-01T00:00:00Z");
    assert!(parse(DateTimeLiterals::Quoted, quoted).is_ok());
    assert!(parse(DateTimeLiterals::Quoted, unquoted).is_err());
    assert!(parse(DateTimeLiterals::Unquoted, quoted).is_err());
    assert!(parse(DateTimeLiterals::Unquoted, unquoted).is_ok());
}
