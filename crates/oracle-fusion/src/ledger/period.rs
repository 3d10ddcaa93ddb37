//! Accounting periods and whether journals can be entered into them.

use jiff::civil::Date;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::record::{RecordError, read};
use crate::scalar;

/// Whether a period takes journals: the letter of `ClosingStatus`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PeriodStatus {
    /// `O`.
    Open,
    /// `C`.
    Closed,
    /// `F`: journals can be entered, but not posted yet.
    FutureEnterable,
    /// `N`.
    NeverOpened,
    /// `P`.
    PermanentlyClosed,
    /// Anything else, or nothing.
    Other(String),
}

impl PeriodStatus {
    fn of(letter: Option<String>) -> Self {
        let letter = letter.unwrap_or_default();
        match letter.trim().to_ascii_uppercase().as_str() {
            "O" => Self::Open,
            "C" => Self::Closed,
            "F" => Self::FutureEnterable,
            "N" => Self::NeverOpened,
            "P" => Self::PermanentlyClosed,
            _ => Self::Other(letter),
        }
    }
}

/// A period of one ledger, as general ledger sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// `PeriodNameId`, such as `Jul-26`.
    pub name: String,
    /// `ClosingStatus`.
    pub status: PeriodStatus,
    /// `StartDate`.
    pub start: Option<Date>,
    /// `EndDate`, which belongs to the period.
    pub end: Option<Date>,
    /// `AdjustmentPeriodFlag`: such a period lies within the dates of an ordinary one.
    pub adjustment: bool,
    /// `EffectivePeriodNumber`, by which the periods of all years are in order.
    pub effective_number: Option<u64>,
    /// `PeriodYear`.
    pub year: Option<u64>,
    /// `PeriodNumber` within its year.
    pub number: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Row {
    #[serde(rename = "PeriodNameId", deserialize_with = "scalar::text")]
    name: Option<String>,
    #[serde(rename = "ApplicationId", deserialize_with = "scalar::id")]
    application: Option<String>,
    #[serde(rename = "LedgerId", deserialize_with = "scalar::id")]
    ledger: Option<String>,
    #[serde(rename = "ClosingStatus", deserialize_with = "scalar::text")]
    status: Option<String>,
    #[serde(rename = "StartDate", deserialize_with = "scalar::date")]
    start: Option<Date>,
    #[serde(rename = "EndDate", deserialize_with = "scalar::date")]
    end: Option<Date>,
    #[serde(rename = "AdjustmentPeriodFlag", deserialize_with = "scalar::flag")]
    adjustment: bool,
    #[serde(rename = "EffectivePeriodNumber", deserialize_with = "scalar::id")]
    effective_number: Option<String>,
    #[serde(rename = "PeriodYear", deserialize_with = "scalar::id")]
    year: Option<String>,
    #[serde(rename = "PeriodNumber", deserialize_with = "scalar::id")]
    number: Option<String>,
}

impl Row {
    pub fn parse(raw: &RawValue) -> Result<Self, RecordError> {
        let row: Self = read(raw)?;
        match row.name.as_deref() {
            None | Some("") => Err(RecordError::missing("PeriodNameId")),
            Some(_) => Ok(row),
        }
    }

    /// Whether the row is of that ledger and application, as far as it says so.
    pub fn is_of(&self, ledger: &str, application: &str) -> bool {
        let fits = |found: &Option<String>, wanted: &str| found.as_ref().is_none_or(|found| found == wanted);
        fits(&self.ledger, ledger) && fits(&self.application, application)
    }
}

impl From<Row> for Period {
    fn from(row: Row) -> Self {
        let whole = |text: Option<String>| text.and_then(|text| text.parse().ok());
        Self {
            name: row.name.unwrap_or_default(),
            status: PeriodStatus::of(row.status),
            start: row.start,
            end: row.end,
            adjustment: row.adjustment,
            effective_number: whole(row.effective_number),
            year: whole(row.year),
            number: whole(row.number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn row(json: &str) -> Result<Row, RecordError> {
        Row::parse(&RawValue::from_string(json.to_owned()).unwrap())
    }

    #[test]
    fn a_period_is_read_in_both_forms_of_its_values() {
        let period: Period = row(
            r#"{"PeriodNameId":"Jul-26","ApplicationId":101,"LedgerId":300000002498206,"ClosingStatus":"O","StartDate":"2026-07-01",
            "EndDate":"2026-07-31","EffectivePeriodNumber":20260007,"PeriodYear":2026,"PeriodNumber":7,"AdjustmentPeriodFlag":"N"}"#,
        )
        .unwrap()
        .into();
        let strings: Period = row(
            r#"{"PeriodNameId":"Jul-26","ClosingStatus":"o","StartDate":"2026-07-01T00:00:00+00:00","EndDate":"2026-07-31",
            "EffectivePeriodNumber":"20260007","PeriodYear":"2026","PeriodNumber":"7","AdjustmentPeriodFlag":false}"#,
        )
        .unwrap()
        .into();
        assert_eq!(period, strings);
        assert_eq!((period.status, period.effective_number), (PeriodStatus::Open, Some(20_260_007)));
        assert_eq!(period.end, Some(jiff::civil::date(2026, 7, 31)));
    }

    #[test]
    fn every_letter_has_its_status_and_an_unknown_one_is_kept() {
        use PeriodStatus::{Closed, FutureEnterable, NeverOpened, Open, Other, PermanentlyClosed};
        for (letter, status) in [
            ("O", Open),
            ("C", Closed),
            ("F", FutureEnterable),
            ("N", NeverOpened),
            ("P", PermanentlyClosed),
            ("W", Other("W".to_owned())),
            ("Open", Other("Open".to_owned())),
            ("", Other(String::new())),
        ] {
            assert_eq!(PeriodStatus::of(Some(letter.to_owned())), status, "{letter}");
        }
        assert_eq!(PeriodStatus::of(None), Other(String::new()));
    }

    #[test]
    fn a_row_of_another_ledger_or_application_is_known() {
        for (json, fits) in [
            (r#"{"PeriodNameId":"a","LedgerId":1,"ApplicationId":"101"}"#, true),
            (r#"{"PeriodNameId":"a"}"#, true),
            (r#"{"PeriodNameId":"a","LedgerId":1,"ApplicationId":200}"#, false),
            (r#"{"PeriodNameId":"a","LedgerId":2}"#, false),
        ] {
            assert_eq!(row(json).unwrap().is_of("1", "101"), fits, "{json}");
        }
    }

    #[test]
    fn a_date_that_cannot_be_read_is_an_error() {
        assert_eq!(row(r#"{"PeriodNameId":"a","StartDate":"July"}"#).err().unwrap().path, "StartDate");
        assert_eq!(row(r#"{"ClosingStatus":"O"}"#).err().unwrap().path, "PeriodNameId");
    }

    proptest! {
        #[test]
        fn no_row_makes_the_reader_panic(text in "\\PC{0,60}", value in "[0-9\"{}a-zT:.-]{0,20}") {
            for json in [text, format!("{{\"PeriodNameId\":\"a\",\"StartDate\":{value},\"ClosingStatus\":{value}}}")] {
                if let Ok(raw) = RawValue::from_string(json) {
                    let _ = Row::parse(&raw).map(Period::from);
                }
            }
        }
    }
}
