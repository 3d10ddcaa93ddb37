//! Choosing by the class of failures and by code.

use connector::code::{Class, Code};

/// A class as it was typed.
pub fn class(name: &str) -> Result<Class, String> {
    let all: Vec<&str> = Class::ALL.iter().map(|class| class.as_str()).collect();
    Class::parse(name).ok_or_else(|| format!("the classes are {}", all.join(", ")))
}

/// A code as it was typed.
pub fn code(name: &str) -> Result<Code, String> {
    Code::find(name).ok_or_else(|| "run `ml-connector explain` for the list".to_owned())
}

/// The codes that fit both; all codes when neither is given.
pub fn codes(class: Option<Class>, code: Option<Code>) -> Option<Vec<String>> {
    if class.is_none() && code.is_none() {
        return None;
    }
    let fits =
        |one: &&Code| class.is_none_or(|class| one.class() == class) && code.is_none_or(|code| **one == code);
    Some(Code::ALL.iter().filter(fits).map(ToString::to_string).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn class_and_code_together_leave_what_fits_both() {
        assert_eq!(codes(None, None), None);
        let value = codes(Some(Class::Value), None).unwrap();
        assert!(
            value.contains(&Code::EditUnfit.to_string()) && !value.contains(&Code::LeaseBusy.to_string())
        );
        assert_eq!(codes(None, Some(Code::EditUnfit)), Some(vec![Code::EditUnfit.to_string()]));
        assert_eq!(codes(Some(Class::Conflict), Some(Code::EditUnfit)), Some(Vec::new()));
    }
}

/// A moment, or a day that begins in UTC.
pub fn moment(text: &str) -> Result<jiff::Timestamp, String> {
    let day = || {
        let date: jiff::civil::Date = text.parse().ok()?;
        Some(date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
    };
    // a day first: a moment is no day
    let is_day = text.len() == "2026-11-01".len();
    let moment = if is_day { day() } else { text.parse().ok() };
    moment.ok_or_else(|| {
        "it must be a day such as 2026-11-01 or a moment such as 2026-11-01T08:30:00Z".to_owned()
    })
}

#[cfg(test)]
#[test]
fn a_moment_is_a_day_or_a_time_with_its_zone() {
    let at = |text: &str| moment(text).map(|at| at.to_string());
    assert_eq!(at("2026-11-01").unwrap(), "2026-11-01T00:00:00Z");
    assert_eq!(at("2026-11-01T08:30:00+01:00").unwrap(), "2026-11-01T07:30:00Z");
    for wrong in ["", "2026-13-01", "2026-11-01T08:30", "yesterday"] {
        assert!(at(wrong).unwrap_err().contains("2026-11-01T08:30:00Z"), "{wrong}");
    }
}
