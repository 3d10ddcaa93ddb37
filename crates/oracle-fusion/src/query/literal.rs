//! How a point in time is written in a filter.
//!
//! The form that a pod accepts is not documented, so it is a setting.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Whether the literal stands in single quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Quoting {
    /// `'2026-01-02T03:04:05+00:00'`.
    #[default]
    Quoted,
    /// `2026-01-02T03:04:05+00:00`.
    Bare,
}

/// How finely the literal is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// `.678`.
    #[default]
    Milliseconds,
    /// No fraction.
    Seconds,
}

/// How the literal names UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Zone {
    /// `+00:00`, as Oracle writes it in answers.
    #[default]
    Offset,
    /// `Z`.
    Zulu,
}

/// The form of a point in time; by default `'2026-01-02T03:04:05.678+00:00'`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DateTimeLiteral {
    /// Quotes or none.
    pub quoting: Quoting,
    /// Milliseconds or seconds.
    pub precision: Precision,
    /// `+00:00` or `Z`.
    pub zone: Zone,
}

#[derive(Clone, Copy)]
pub(super) enum Rounding {
    Down,
    Up,
}

impl DateTimeLiteral {
    pub(super) fn write(self, out: &mut String, at: Timestamp, rounding: Rounding) {
        let unit = match self.precision {
            Precision::Milliseconds => 1_000_000,
            Precision::Seconds => 1_000_000_000,
        };
        let time = round(at, unit, rounding).to_zoned(TimeZone::UTC).datetime();
        let quote = match self.quoting {
            Quoting::Quoted => "'",
            Quoting::Bare => "",
        };
        let fraction = match self.precision {
            Precision::Milliseconds => format!(".{:03}", time.millisecond()),
            Precision::Seconds => String::new(),
        };
        let zone = match self.zone {
            Zone::Offset => "+00:00",
            Zone::Zulu => "Z",
        };
        // writing to a String cannot fail
        let _ = write!(
            out,
            "{quote}{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{fraction}{zone}{quote}",
            time.year(),
            time.month(),
            time.day(),
            time.hour(),
            time.minute(),
            time.second()
        );
    }
}

/// To a multiple of `unit` nanoseconds; at the ends of the calendar the value stays as it is.
fn round(at: Timestamp, unit: i128, rounding: Rounding) -> Timestamp {
    let nanoseconds = at.as_nanosecond();
    let down = nanoseconds.div_euclid(unit) * unit;
    let rounded = match rounding {
        Rounding::Down => down,
        Rounding::Up if down == nanoseconds => down,
        Rounding::Up => down + unit,
    };
    Timestamp::from_nanosecond(rounded).unwrap_or(at)
}
