//! Accounting periods and their statuses, per ledger and application.
//!
//! The statuses follow the virtual clock: the present month and the two years before it are open, the next
//! month may be entered, what is older is closed, what is later was never opened. An edit fixes one period's
//! status for good. On a real pod nothing opens by itself; a person does it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;

use super::seed::{GENERAL_LEDGER, LEDGERS, SUBLEDGERS};

const FIRST_YEAR: i16 = 2019;
const YEARS: i16 = 12;
/// Months before the present one that are open in the General Ledger.
const OPEN_MONTHS: i32 = 24;
/// Months before the present one from which a period is closed for good.
const CLOSED_MONTHS: i32 = 60;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Status letters as Oracle writes them.
pub(crate) const STATUSES: [char; 5] = ['O', 'C', 'F', 'N', 'P'];

/// A month of the calendar, counted from the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Period(i32);

impl Period {
    pub(crate) const COUNT: i32 = YEARS as i32 * 12;

    pub(crate) fn all() -> impl DoubleEndedIterator<Item = Self> {
        (0..Self::COUNT).map(Self)
    }

    /// Nothing when the calendar does not reach the day.
    pub(crate) fn of(day: Date) -> Option<Self> {
        let months = (i32::from(day.year()) - i32::from(FIRST_YEAR)) * 12 + i32::from(day.month()) - 1;
        (0..Self::COUNT).contains(&months).then_some(Self(months))
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::all().find(|period| period.name() == name)
    }

    pub(crate) fn index(self) -> i64 {
        i64::from(self.0)
    }

    pub(crate) fn year(self) -> i16 {
        FIRST_YEAR + i16::try_from(self.0 / 12).unwrap_or(0)
    }

    pub(crate) fn number(self) -> i8 {
        i8::try_from(self.0 % 12 + 1).unwrap_or(1)
    }

    /// `Jul-26`
    pub(crate) fn name(self) -> String {
        let month = MONTHS[usize::try_from(self.0 % 12).unwrap_or(0)];
        format!("{month}-{:02}", self.year() % 100)
    }

    pub(crate) fn start(self) -> Date {
        date(self.year(), self.number(), 1)
    }

    pub(crate) fn end(self) -> Date {
        self.start().last_of_month()
    }
}

/// The statuses of all periods at one month.
#[derive(Debug)]
pub(crate) struct Calendar {
    /// Months since the start of the calendar; may lie outside it.
    present: i32,
    /// Ledger, application and period with a status that an edit fixed.
    fixed: BTreeMap<(i64, i64, Period), char>,
}

/// Months since the start of the calendar.
pub(crate) fn month_of(now: i64) -> i32 {
    let day = Timestamp::from_millisecond(now).unwrap_or_default().to_zoned(TimeZone::UTC).date();
    (i32::from(day.year()) - i32::from(FIRST_YEAR)) * 12 + i32::from(day.month()) - 1
}

impl Calendar {
    pub(crate) fn at(now: i64) -> Self {
        Self { present: month_of(now), fixed: BTreeMap::new() }
    }

    pub(crate) fn present(&self) -> i32 {
        self.present
    }

    pub(crate) fn turn_to(&mut self, now: i64) {
        self.present = month_of(now);
    }

    pub(crate) fn fix(&mut self, ledger: i64, application: i64, period: Period, status: char) {
        self.fixed.insert((ledger, application, period), status);
    }

    pub(crate) fn status(&self, ledger: i64, application: i64, period: Period) -> char {
        let fixed = self.fixed.get(&(ledger, application, period));
        fixed.copied().unwrap_or_else(|| default_status(application, period.0 - self.present))
    }

    /// Whether journals of the day may be entered.
    pub(crate) fn accepts(&self, ledger: i64, day: Date) -> bool {
        let status = Period::of(day).map(|period| self.status(ledger, GENERAL_LEDGER, period));
        matches!(status, Some('O' | 'F'))
    }

    /// Whether the ledger has any period that may be entered.
    pub(crate) fn is_enterable(&self, ledger: i64) -> bool {
        Period::all().any(|period| matches!(self.status(ledger, GENERAL_LEDGER, period), 'O' | 'F'))
    }

    /// Every ledger with every application.
    pub(crate) fn keys() -> impl Iterator<Item = (i64, i64)> {
        let applications = [GENERAL_LEDGER].into_iter().chain(SUBLEDGERS);
        applications.flat_map(|application| LEDGERS.iter().map(move |ledger| (ledger.id, application)))
    }
}

/// Subledgers close earlier than the General Ledger and Receivables may look ahead.
fn default_status(application: i64, months_from_now: i32) -> char {
    let open = match application {
        GENERAL_LEDGER => OPEN_MONTHS,
        200 => 1,
        _ => 0,
    };
    match months_from_now {
        months if months < -CLOSED_MONTHS => 'P',
        months if months < -open => 'C',
        months if months <= 0 => 'O',
        1 if matches!(application, GENERAL_LEDGER | 222) => 'F',
        _ => 'N',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_months_from_2019_to_2030() {
        assert_eq!(Period::of(date(2018, 12, 31)), None);
        assert_eq!(Period::of(date(2031, 1, 1)), None);
        let july = Period::of(date(2026, 7, 31)).unwrap();
        assert_eq!(
            (july.name().as_str(), july.start(), july.end()),
            ("Jul-26", date(2026, 7, 1), date(2026, 7, 31))
        );
        for period in Period::all() {
            assert_eq!(Period::named(&period.name()), Some(period));
            assert_eq!((Period::of(period.start()), Period::of(period.end())), (Some(period), Some(period)));
        }
    }

    #[test]
    fn an_edit_outlives_the_month() {
        let now = |text: &str| text.parse::<Timestamp>().unwrap().as_millisecond();
        let mut calendar = Calendar::at(now("2026-07-15T00:00:00Z"));
        let ledger = LEDGERS[0].id;
        let august = Period::named("Aug-26").unwrap();
        assert!(calendar.accepts(ledger, date(2026, 8, 1)) && !calendar.accepts(ledger, date(2026, 9, 1)));
        calendar.fix(ledger, GENERAL_LEDGER, august, 'C');
        calendar.turn_to(now("2026-08-01T00:00:00Z"));
        assert!(!calendar.accepts(ledger, date(2026, 8, 1)) && calendar.accepts(ledger, date(2026, 9, 1)));
        assert_eq!(calendar.status(ledger, 200, august), 'O');
        assert!(calendar.accepts(LEDGERS[1].id, date(2026, 8, 1)));
    }
}
