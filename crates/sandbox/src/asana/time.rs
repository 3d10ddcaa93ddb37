//! Dates and instants as Asana writes and reads them.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::error::Fail;

/// Asana's form of an instant: UTC, milliseconds, `Z`.
/// Source: <https://developers.asana.com/docs/dates-and-times>.
pub(crate) fn instant(at: Timestamp) -> impl std::fmt::Display {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ")
}

pub(crate) fn day_of(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// Reads an ISO 8601 instant; a bare date is its midnight in UTC.
pub(crate) fn parse_instant(field: &str, text: &str) -> Result<Timestamp, Fail> {
    let parsed = text.parse::<Timestamp>().ok().or_else(|| {
        text.parse::<jiff::civil::DateTime>()
            .ok()
            .and_then(|at| at.to_zoned(TimeZone::UTC).ok())
            .map(|z| z.timestamp())
    });
    let at = parsed.ok_or_else(|| Fail::bad(format!("{field}: Not a valid date-time: {text}")))?;
    // The service keeps whole milliseconds.
    Timestamp::from_millisecond(at.as_millisecond())
        .map_err(|_| Fail::bad(format!("{field}: Not a valid date-time: {text}")))
}

pub(crate) fn parse_day(field: &str, text: &str) -> Result<Date, Fail> {
    let wrong = || Fail::bad(format!("{field}: Date must be in ISO-8601 (yyyy-mm-dd) format, not: {text}"));
    if text.len() != 10 {
        return Err(wrong());
    }
    text.parse::<Date>().map_err(|_| wrong())
}
