//! The accounting date: the completion's date in the ledger's time zone, moved on when its period is closed.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::reason::NoJournal;
use super::settings::ClosedPeriod;

/// Whether a period takes entries: `ClosingStatus` of `accountingPeriodStatusLOV`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeriodStatus {
    /// `O`.
    Open,
    /// `F`: entries may be made, they are posted once it is open.
    FutureEnterable,
    /// `C`.
    Closed,
    /// `P`.
    PermanentlyClosed,
    /// `N`.
    NeverOpened,
    /// Anything else; it counts as taking no entries.
    Other(String),
}

impl PeriodStatus {
    /// Reads the letter.
    #[must_use]
    pub fn of(code: &str) -> PeriodStatus {
        match code.trim() {
            "O" | "o" => PeriodStatus::Open,
            "F" | "f" => PeriodStatus::FutureEnterable,
            "C" | "c" => PeriodStatus::Closed,
            "P" | "p" => PeriodStatus::PermanentlyClosed,
            "N" | "n" => PeriodStatus::NeverOpened,
            other => PeriodStatus::Other(other.to_owned()),
        }
    }

    fn takes_entries(&self) -> bool {
        matches!(self, PeriodStatus::Open | PeriodStatus::FutureEnterable)
    }

    fn words(&self) -> &str {
        match self {
            PeriodStatus::Open => "open",
            PeriodStatus::FutureEnterable => "future-enterable",
            PeriodStatus::Closed => "closed",
            PeriodStatus::PermanentlyClosed => "permanently closed",
            PeriodStatus::NeverOpened => "never opened",
            PeriodStatus::Other(code) => code,
        }
    }
}

/// A general ledger period of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// `PeriodNameId`, such as `Jul-26`.
    pub name: String,
    /// The first day.
    pub start: Date,
    /// The last day.
    pub end: Date,
    /// Whether it takes entries.
    pub status: PeriodStatus,
    /// An adjustment period overlaps an ordinary one and is never chosen.
    pub adjustment: bool,
}

/// The chosen date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountingDate {
    /// The accounting date.
    pub date: Date,
    /// The period's name.
    pub period: String,
    /// The completion's own date, when its period took no entries.
    pub moved_from: Option<Date>,
}

/// The date on which something happened, as the ledger sees it.
#[must_use]
pub fn ledger_date(happened: Timestamp, zone: &TimeZone) -> Date {
    happened.to_zoned(zone.clone()).date()
}

/// Chooses the accounting date for what happened on `date`.
pub fn accounting_date(
    date: Date,
    periods: &[Period],
    closed: ClosedPeriod,
) -> Result<AccountingDate, NoJournal> {
    let mut ordinary: Vec<&Period> = periods.iter().filter(|p| !p.adjustment).collect();
    ordinary.sort_by_key(|p| (p.start, p.end));
    let own = ordinary.iter().filter(|p| (p.start..=p.end).contains(&date));
    // were two ordinary periods to overlap, the one that takes entries counts
    let own = own.clone().find(|p| p.status.takes_entries()).or_else(|| own.clone().next());
    if let Some(period) = own
        && period.status.takes_entries()
    {
        return Ok(AccountingDate { date, period: period.name.clone(), moved_from: None });
    }
    match closed {
        ClosedPeriod::Hold => {
            let period = match own {
                Some(period) => format!("{} is {}", period.name, period.status.words()),
                None => "the ledger shows no period for it".to_owned(),
            };
            Err(NoJournal::PeriodClosed { date, period })
        }
        ClosedPeriod::NextOpen => ordinary
            .iter()
            .find(|p| p.start > date && p.status.takes_entries())
            .map(|p| AccountingDate { date: p.start, period: p.name.clone(), moved_from: Some(date) })
            .ok_or(NoJournal::NoOpenPeriod { date }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn month(month: i8, status: &str) -> Period {
        let start = date(2026, month, 1);
        Period {
            name: format!("M{month}"),
            start,
            end: start.last_of_month(),
            status: PeriodStatus::of(status),
            adjustment: false,
        }
    }

    fn chosen(day: Date, periods: &[Period]) -> Result<(Date, String), NoJournal> {
        accounting_date(day, periods, ClosedPeriod::NextOpen).map(|a| (a.date, a.period))
    }

    #[test]
    fn the_date_is_that_of_the_ledger_s_time_zone() {
        let happened: Timestamp = "2026-11-01T03:30:00Z".parse().unwrap();
        let on = |zone| ledger_date(happened, &TimeZone::get(zone).unwrap());
        assert_eq!(on("America/New_York"), date(2026, 10, 31));
        assert_eq!(on("Europe/Berlin"), date(2026, 11, 1));
        assert_eq!(on("Asia/Tokyo"), date(2026, 11, 1));
    }

    #[test]
    fn a_date_in_a_period_that_takes_entries_stays() {
        let periods = [month(10, "C"), month(11, "O"), month(12, "F")];
        assert_eq!(chosen(date(2026, 11, 30), &periods), Ok((date(2026, 11, 30), "M11".into())));
        assert_eq!(chosen(date(2026, 12, 1), &periods), Ok((date(2026, 12, 1), "M12".into())));
    }

    #[test]
    fn a_closed_period_moves_the_date_to_the_next_one_that_takes_entries() {
        let periods = [month(12, "F"), month(11, "O"), month(10, "P"), month(9, "C")];
        let moved = accounting_date(date(2026, 9, 17), &periods, ClosedPeriod::NextOpen).unwrap();
        assert_eq!(
            moved,
            AccountingDate {
                date: date(2026, 11, 1),
                period: "M11".into(),
                moved_from: Some(date(2026, 9, 17))
            }
        );
    }

    #[test]
    fn a_closed_period_is_waited_for_when_that_is_set() {
        let held = accounting_date(date(2026, 10, 5), &[month(10, "C"), month(11, "O")], ClosedPeriod::Hold);
        let words = held.unwrap_err().to_string();
        assert!(words.contains("M10 is closed"), "{words}");
    }

    #[test]
    fn without_a_later_period_there_is_a_reason() {
        let periods = [month(9, "O"), month(10, "C"), month(11, "N"), month(12, "?")];
        let day = date(2026, 10, 5);
        assert_eq!(chosen(day, &periods), Err(NoJournal::NoOpenPeriod { date: day }));
        assert_eq!(chosen(day, &[]), Err(NoJournal::NoOpenPeriod { date: day }));
    }

    #[test]
    fn an_adjustment_period_is_never_chosen() {
        let adjustment = Period { adjustment: true, name: "ADJ".into(), ..month(12, "O") };
        assert_eq!(
            chosen(date(2026, 12, 31), &[adjustment.clone(), month(12, "O")]).unwrap().1,
            "M12".to_owned()
        );
        assert!(chosen(date(2026, 11, 5), &[month(11, "C"), adjustment]).is_err());
    }

    proptest! {
        #[test]
        fn the_chosen_date_lies_in_a_period_that_takes_entries_and_never_before_the_day(
            statuses in proptest::collection::vec("[OFCPN]", 12), day in 1i8..=28, in_month in 1i8..=12
        ) {
            let periods: Vec<Period> =
                (1i8..).zip(&statuses).map(|(number, status)| month(number, status)).collect();
            let day = date(2026, in_month, day);
            match accounting_date(day, &periods, ClosedPeriod::NextOpen) {
                Ok(chosen) => {
                    let period = periods.iter().find(|p| p.name == chosen.period).unwrap();
                    prop_assert!(period.status.takes_entries());
                    prop_assert!((period.start..=period.end).contains(&chosen.date));
                    prop_assert!(chosen.date >= day);
                    prop_assert_eq!(chosen.moved_from.is_none(), chosen.date == day);
                }
                Err(_) => prop_assert!(periods.iter().all(|p| p.end < day || !p.status.takes_entries())),
            }
        }
    }
}
