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
