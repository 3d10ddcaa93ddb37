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

    /// Many reasons as one: the first one's code, all texts.
    #[must_use]
    pub fn joined(mut all: Vec<Held>) -> Option<Held> {
        if all.len() < 2 {
            return all.pop();
        }
        let code = all.first()?.code;
        let reason = all.iter().map(|h| format!("{}: {}", h.code, h.reason)).collect::<Vec<_>>().join("; ");
        Some(Held { code, reason })
    }
}
