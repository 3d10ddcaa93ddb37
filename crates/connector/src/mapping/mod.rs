//! From Oracle's records to the values that Asana's fields should show: pure decisions.

pub mod condition;
pub mod desired;
pub mod diff;
pub mod document;
pub mod engine;
pub mod field;
pub mod hints;
#[cfg(test)]
pub(crate) mod mistakes;
pub mod path;
pub mod paths;
pub mod places;
pub mod problems;
pub mod shape;
pub mod surroundings;
pub mod tally;
pub mod values;
pub mod words;

use crate::code::Code;

/// Why a value cannot be written: the movement is held until a person or a new record changes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The stable code.
    pub code: Code,
    /// What stands in the way, for this very record.
    pub reason: String,
}

impl Held {
    /// A reason with its code.
    pub fn new(code: Code, reason: impl Into<String>) -> Held {
        Held { code, reason: reason.into() }
    }

    /// Many reasons as one: the first one's code, all texts. Each but the first says its code, since the first one's
    /// stands before the text wherever it is shown.
    #[must_use]
    pub fn joined(all: Vec<Held>) -> Option<Held> {
        let mut all = all.into_iter();
        let mut joined = all.next()?;
        for Held { code, reason } in all {
            joined.reason.push_str(&format!("; {code}: {reason}"));
        }
        Some(joined)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_that_stands_before_the_reasons_is_not_said_in_them_again() {
        let held = |code, reason: &str| Held::new(code, reason);
        let shown = |all: &[Held]| Held::joined(all.to_vec()).map(|h| format!("{}: {}", h.code, h.reason));
        assert_eq!(shown(&[]), None);
        let one = held(Code::ValueUnfit, "`a` is no date");
        assert_eq!(shown(std::slice::from_ref(&one)).unwrap(), "MLC-4020: `a` is no date");
        let same = held(Code::ValueUnfit, "`b` is no number");
        let other = held(Code::NoRoute, "no rule");
        assert_eq!(
            shown(&[one, same, other]).unwrap(),
            format!("MLC-4020: `a` is no date; MLC-4020: `b` is no number; {}: no rule", Code::NoRoute)
        );
    }
}
