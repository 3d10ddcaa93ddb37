//! The accounting date once more, right before a journal is sent for the first time: between the decision and the
//! sending its period may have been closed. What was sent once is never dated anew.

use crate::journal::date::{accounting_date, ledger_date};
use crate::journal::machine::{Observation, ReadFailure};
use crate::journal::settings::ClosedPeriod;
use crate::journal::{JournalPlan, JournalSettings, NoJournal, Period};
use crate::posting::drive::Trouble;
use crate::posting::oracle::Exchange;

/// What is asked of Oracle.
const REQUEST: &str = "GET accountingPeriodStatusLOV";

/// What the periods of today make of a planned date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dated {
    /// It takes entries.
    Stands,
    /// It takes none any more, and by the settings the journal is entered on another date.
    Moved(Box<JournalPlan>),
    /// It takes none any more, and that is waited for.
    Waits(NoJournal),
}

/// Looks at the date of a journal that was never sent. Pure.
#[must_use]
pub fn dated(plan: &JournalPlan, periods: &[Period], settings: &JournalSettings) -> Dated {
    if accounting_date(plan.accounting.date, periods, ClosedPeriod::Hold).is_ok() {
        return Dated::Stands;
    }
    let Some(zone) = settings.zone() else {
        let problem = format!("{} is no time zone", settings.time_zone);
        return Dated::Waits(NoJournal::SettingsWrong { problem });
    };
    let happened = ledger_date(plan.happened_at(), &zone);
    match accounting_date(happened, periods, settings.closed_period) {
        Ok(accounting) => Dated::Moved(Box::new(plan.redated(accounting))),
        Err(why) => Dated::Waits(why),
    }
}

/// What a person reads of a moved date.
#[must_use]
pub fn words(before: &JournalPlan, now: &JournalPlan) -> String {
    format!(
        "{} took no entries any more when the journal was to be sent on {}: it is entered on {} instead",
        before.accounting.period, before.accounting.date, now.accounting.date
    )
}

/// The journal waits for its period.
pub(super) fn waits(why: &NoJournal, looked: Exchange) -> Exchange {
    let seen = Observation::NotEnterable { code: why.code(), words: why.to_string() };
    Exchange { seen, ..looked }
}

/// The periods could not be read: nothing is sent on a date that nobody looked at.
pub(super) fn unread(error: &crate::Error) -> Exchange {
    let seen = Observation::ReadFailed(ReadFailure::Other { retry_after: None });
    let trouble = Some(Trouble { code: error.code, retry_after: error.retry_after });
    let words = error.message.clone();
    Exchange { trouble, request: REQUEST.to_owned(), response: words, ..Exchange::without(seen) }
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;

    use jiff::civil::{Date, date};

    use super::*;
    use crate::journal::currency::Currency;
    use crate::journal::date::AccountingDate;
    use crate::journal::plan::{Completion, Conversion, Reversed};
    use crate::journal::settings::tests::settings;
    use crate::journal::{GroupId, PeriodStatus};

    const DAY: Date = date(2026, 10, 31);

    pub(in crate::posting) fn plan(reversed_at: Option<&str>) -> JournalPlan {
        let group: GroupId = "123456789012345678".parse().unwrap();
        let reverses = reversed_at.map(|at| Reversed {
            group,
            batch_id: "55".to_owned(),
            reopened_at: at.parse().unwrap(),
        });
        JournalPlan {
            ledger_id: "1".to_owned(),
            source: "Asana".to_owned(),
            category: "Project Cost".to_owned(),
            currency: Currency::find("EUR", &BTreeMap::new()).unwrap(),
            conversion: Some(Conversion { rate_type: "Corporate".to_owned(), date: DAY }),
            accounting: AccountingDate { date: DAY, period: "M10".to_owned(), moved_from: None },
            created: DAY,
            completion: Completion {
                task: "1200".into(),
                task_name: "Roof".to_owned(),
                completed_at: "2026-10-31T15:00:00Z".parse().unwrap(),
                completed_on: DAY,
                completed_by: None,
            },
            order_id: "300".to_owned(),
            order_number: "US-1".to_owned(),
            line_id: None,
            reverses,
            lines: Vec::new(),
        }
    }

    fn periods(october: &str, november: &str) -> Vec<Period> {
        let month = |month: i8, status: &str| {
            let start = date(2026, month, 1);
            let status = PeriodStatus::of(status);
            Period { name: format!("M{month}"), start, end: start.last_of_month(), status, adjustment: false }
        };
        vec![month(10, october), month(11, november)]
    }

    fn of(plan: &JournalPlan, periods: &[Period], closed_period: ClosedPeriod) -> Dated {
        dated(plan, periods, &JournalSettings { closed_period, ..settings() })
    }

    #[test]
    fn a_date_that_takes_entries_stands_whatever_is_set() {
        for set in [ClosedPeriod::NextOpen, ClosedPeriod::Hold] {
            assert_eq!(of(&plan(None), &periods("O", "O"), set), Dated::Stands);
        }
    }

    #[test]
    fn a_period_that_was_closed_meanwhile_moves_the_date_and_the_day_of_the_rate() {
        let moved = of(&plan(None), &periods("C", "F"), ClosedPeriod::NextOpen);
        let Dated::Moved(moved) = moved else { panic!("{moved:?}") };
        let next = date(2026, 11, 1);
        assert_eq!((moved.accounting.date, moved.accounting.moved_from), (next, Some(DAY)));
        assert_eq!(moved.conversion.as_ref().map(|conversion| conversion.date), Some(next));
        let told = words(&plan(None), &moved);
        assert!(told.contains("M10") && told.contains("2026-11-01"), "{told}");
        let waits = of(&plan(None), &periods("C", "F"), ClosedPeriod::Hold);
        assert!(matches!(waits, Dated::Waits(NoJournal::PeriodClosed { .. })), "{waits:?}");
        let nowhere = of(&plan(None), &periods("C", "N"), ClosedPeriod::NextOpen);
        assert!(matches!(nowhere, Dated::Waits(NoJournal::NoOpenPeriod { .. })), "{nowhere:?}");
    }

    #[test]
    fn a_reversal_moves_from_the_day_of_its_own_and_keeps_the_posting_s_rate() {
        let reversal = plan(Some("2026-11-02T15:00:00Z"));
        let moved = of(&reversal, &periods("C", "O"), ClosedPeriod::NextOpen);
        let Dated::Moved(moved) = moved else { panic!("{moved:?}") };
        assert_eq!((moved.accounting.date, moved.accounting.moved_from), (date(2026, 11, 2), None));
        assert_eq!(moved.conversion, reversal.conversion);
    }
}
