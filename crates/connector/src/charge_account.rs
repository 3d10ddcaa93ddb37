//! Cutting a charge account such as `101.10.60540.000.000.000` into its segments.
//!
//! Which segment carries the cost center cannot be asked over REST, so it is a setting.

use serde::{Deserialize, Serialize};

/// How the ledger's chart of accounts writes an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccountLayout {
    /// What stands between two segments.
    pub delimiter: String,
    /// Which segment is the cost center; the first is 1.
    pub cost_center_segment: usize,
    /// Which segment is the natural account; the first is 1.
    pub account_segment: usize,
}

impl Default for AccountLayout {
    fn default() -> Self {
        AccountLayout { delimiter: ".".to_owned(), cost_center_segment: 2, account_segment: 3 }
    }
}

impl AccountLayout {
    /// The cost center of an account, if it has that many segments.
    #[must_use]
    pub fn cost_center<'a>(&self, account: &'a str) -> Option<&'a str> {
        self.segment(account, self.cost_center_segment)
    }

    /// What may stand between the segments of an account: each character that is neither letter nor digit, once.
    #[must_use]
    pub fn delimiters_in(account: &str) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for c in account.chars().filter(|c| !c.is_alphanumeric() && !c.is_whitespace()) {
            if !found.contains(&c.to_string()) {
                found.push(c.to_string());
            }
        }
        found
    }

    fn segment<'a>(&self, account: &'a str, position: usize) -> Option<&'a str> {
        if self.delimiter.is_empty() {
            return None;
        }
        account.split(self.delimiter.as_str()).nth(position.checked_sub(1)?).filter(|s| !s.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cost_center_is_the_set_segment() {
        let layout = AccountLayout::default();
        assert_eq!(layout.cost_center("101.10.60540.000.000.000"), Some("10"));
        assert_eq!(layout.cost_center("101"), None);
        let dashes = AccountLayout { delimiter: "-".into(), cost_center_segment: 3, ..layout };
        assert_eq!(dashes.cost_center("101-10-60540"), Some("60540"));
        assert_eq!(AccountLayout { cost_center_segment: 0, ..dashes }.cost_center("a-b"), None);
        assert_eq!(AccountLayout::delimiters_in("101.10.605-40.000"), [".", "-"]);
        assert_eq!(AccountLayout::delimiters_in("10110"), [""; 0]);
    }
}
