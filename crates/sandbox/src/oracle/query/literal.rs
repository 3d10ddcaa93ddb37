//! Values written in a query, typed by the attribute they are compared with.

use std::cmp::Ordering;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use rust_decimal::Decimal;

use super::super::schema::Kind;
use super::super::settings::{DateTimeLiterals, Granularity, Wildcards};
use super::super::value::Value;
use super::Rules;

/// A typed value of a query.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    Integer(i64),
    Number(Decimal),
    Text(String),
    Date(Date),
    /// Unix milliseconds, cut down to the pod's filter granularity, and that granularity.
    Instant {
        ms: i64,
        unit: i64,
    },
    Flag(bool),
}

/// A value as it stands in the text of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub text: String,
    pub quoted: bool,
}

impl Granularity {
    pub(crate) const fn unit_ms(self) -> i64 {
        match self {
            Self::Seconds => 1000,
            Self::Millis => 1,
        }
    }
}

impl Literal {
    /// Reads `written` as a value of `kind`, or nothing when it cannot be one.
    pub(crate) fn read(kind: Kind, written: &Written, rules: &Rules) -> Option<Self> {
        let text = written.text.as_str();
        match kind {
            Kind::Id | Kind::Integer | Kind::Number => match text.parse() {
                Ok(whole) => Some(Self::Integer(whole)),
                Err(_) => text.parse().ok().map(Self::Number),
            },
            Kind::Text => Some(Self::Text(text.to_owned())),
            Kind::Date => text.get(..10)?.parse().ok().map(Self::Date),
            Kind::Instant => {
                let accepted = match rules.date_times {
                    DateTimeLiterals::Both => true,
                    DateTimeLiterals::Quoted => written.quoted,
                    DateTimeLiterals::Unquoted => !written.quoted,
                };
                let unit = rules.granularity.unit_ms();
                let ms = read_instant(text).filter(|_| accepted)?;
                Some(Self::Instant { ms: ms.div_euclid(unit) * unit, unit })
            }
            Kind::Flag => match text {
                "true" | "Y" => Some(Self::Flag(true)),
                "false" | "N" => Some(Self::Flag(false)),
                _ => None,
            },
        }
    }

    /// How the stored value stands to this literal; unknown for null and for other types.
    pub(crate) fn compare(&self, value: &Value) -> Option<Ordering> {
        match (value, self) {
            (Value::Id(stored) | Value::Integer(stored), Self::Integer(asked)) => Some(stored.cmp(asked)),
            (Value::Id(stored) | Value::Integer(stored), Self::Number(asked)) => {
                Some(Decimal::from(*stored).cmp(asked))
            }
            (Value::Number(stored) | Value::Raw(stored), Self::Integer(asked)) => {
                Some(stored.parse::<Decimal>().ok()?.cmp(&Decimal::from(*asked)))
            }
            (Value::Number(stored) | Value::Raw(stored), Self::Number(asked)) => {
                Some(stored.parse::<Decimal>().ok()?.cmp(asked))
            }
            (Value::Text(stored), Self::Text(asked)) => Some(stored.as_ref().cmp(asked.as_str())),
            (Value::Date(stored), Self::Date(asked)) => Some(stored.cmp(asked)),
            (Value::Instant(stored), Self::Instant { ms, unit }) => {
                Some((stored.div_euclid(*unit) * unit).cmp(ms))
            }
            (Value::Flag(stored), Self::Flag(asked)) => Some(stored.cmp(asked)),
            _ => None,
        }
    }
}

/// A date-time with offset or `Z`; without either it is taken as UTC; a bare date is its midnight.
fn read_instant(text: &str) -> Option<i64> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(instant.as_millisecond());
    }
    let civil: DateTime = text.parse().ok()?;
    let zoned = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(zoned.timestamp().as_millisecond())
}

/// A text pattern: pieces that must follow each other with anything between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern(Vec<String>);

impl Wildcards {
    pub(crate) fn includes(self, letter: char) -> bool {
        match self {
            Self::Both => letter == '*' || letter == '%',
            Self::Star => letter == '*',
            Self::Percent => letter == '%',
        }
    }
}

impl Pattern {
    pub(crate) fn new(text: &str, wildcards: Wildcards) -> Self {
        Self(text.split(|letter| wildcards.includes(letter)).map(str::to_owned).collect())
    }

    pub(crate) fn has_wildcard(&self) -> bool {
        self.0.len() > 1
    }

    /// Unknown for null and for values that are not text.
    pub(crate) fn matches(&self, value: &Value) -> Option<bool> {
        let Value::Text(text) = value else { return None };
        Some(self.matches_text(text))
    }

    fn matches_text(&self, text: &str) -> bool {
        let [first, middle @ .., last] = self.0.as_slice() else {
            return self.0.first().is_some_and(|only| only == text);
        };
        let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
        for piece in middle {
            let Some(at) = rest.find(piece.as_str()) else { return false };
            rest = &rest[at + piece.len()..];
        }
        rest.ends_with(last.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_the_whole_text() {
        let matches = |pattern: &str, text: &str| Pattern::new(pattern, Wildcards::Both).matches_text(text);
        assert!(matches("SA*", "SALES"));
        assert!(matches("%ES", "SALES"));
        assert!(matches("*A*E*", "SALES"));
        assert!(!matches("SA", "SALES"));
        assert!(!matches("SAL*ALES", "SALES"));
        assert!(matches("*", ""));
        assert!(!Pattern::new("SA%", Wildcards::Star).has_wildcard());
    }

    #[test]
    fn an_instant_may_lack_its_offset() {
        let expected = "2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap().as_millisecond();
        for text in
            ["2026-01-01T00:00:00Z", "2026-01-01T01:00:00.000+01:00", "2026-01-01T00:00:00", "2026-01-01"]
        {
            assert_eq!(read_instant(text), Some(expected), "{text}");
        }
        assert_eq!(read_instant("yesterday"), None);
    }
}
