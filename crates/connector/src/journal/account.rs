//! An account as its segments: from a code combination, or from concatenated text as a fallback.
//!
//! Nothing here asks whether Oracle would take the account: disabled accounts and cross-validation rules
//! are Oracle's to judge.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::cost::AccountRef;
use super::reason::NoJournal;
use super::settings::JournalSettings;
use crate::charge_account::AccountLayout;

/// The interface has columns for 30 segments.
pub const MAX_SEGMENTS: usize = 30;

/// The segments of an account, in the chart's order: 1 to 30, none empty, none with a control
/// character.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Account(Vec<String>);

impl Account {
    /// The segments.
    #[must_use]
    pub fn segments(&self) -> &[String] {
        &self.0
    }

    /// The value of a segment; the first is 1.
    #[must_use]
    pub fn segment(&self, position: usize) -> Option<&str> {
        self.0.get(position.checked_sub(1)?).map(String::as_str)
    }

    /// The segments with the delimiter between them.
    #[must_use]
    pub fn text(&self, delimiter: &str) -> String {
        self.0.join(delimiter)
    }

    /// The same account with another value in one segment; the first is 1.
    pub fn with_segment(mut self, position: usize, value: &str) -> Result<Account, String> {
        let count = self.0.len();
        let segment = position.checked_sub(1).and_then(|at| self.0.get_mut(at));
        *segment.ok_or_else(|| format!("it has {count} segments, so there is no segment {position}"))? =
            value.to_owned();
        Account::try_from(self.0)
    }

    /// Cuts concatenated segments such as `101.10.60540.000`.
    pub fn of_text(text: &str, delimiter: &str) -> Result<Account, String> {
        if delimiter.is_empty() {
            return Err("routing.account.delimiter is empty".to_owned());
        }
        Account::try_from(text.split(delimiter).map(|segment| segment.trim().to_owned()).collect::<Vec<_>>())
    }
}

impl TryFrom<Vec<String>> for Account {
    type Error = String;
    fn try_from(segments: Vec<String>) -> Result<Self, String> {
        if segments.is_empty() || segments.len() > MAX_SEGMENTS {
            return Err(format!("it has {} segments; 1 to {MAX_SEGMENTS} can be sent", segments.len()));
        }
        for (at, segment) in segments.iter().enumerate() {
            if segment.trim().is_empty() {
                return Err(format!("segment {} is empty", at + 1));
            }
            if segment.chars().any(char::is_control) {
                return Err(format!("segment {} holds control characters", at + 1));
            }
        }
        Ok(Account(segments))
    }
}

impl From<Account> for Vec<String> {
    fn from(account: Account) -> Self {
        account.0
    }
}

/// What is known of a code combination: a row of `accountCombinationsLOV`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CodeCombination {
    /// The code combination's id.
    pub id: String,
    /// The concatenated segments, if the row has them.
    pub concatenated: Option<String>,
    /// The row's text attributes by name: `Segment1` …, or the names the tenant gave them.
    pub attributes: BTreeMap<String, String>,
}

impl CodeCombination {
    fn attribute(&self, name: &str) -> Option<&str> {
        let exact = self.attributes.get(name);
        exact
            .or_else(|| self.attributes.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v))
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// Its account: the named segments in their order, else `Segment1` …, else the concatenated text.
    pub fn account(&self, names: &[String], delimiter: &str) -> Result<Account, String> {
        if !names.is_empty() {
            let named = |name: &String| {
                let value = self.attribute(name).map(str::to_owned);
                value.ok_or_else(|| format!("the code combination has no segment `{name}`"))
            };
            return Account::try_from(names.iter().map(named).collect::<Result<Vec<_>, _>>()?);
        }
        let numbered: Vec<Option<&str>> =
            (1..=MAX_SEGMENTS).map(|n| self.attribute(&format!("Segment{n}"))).collect();
        let count = numbered.iter().take_while(|value| value.is_some()).count();
        if count > 0 {
            // a gap would shift every later segment into a wrong column
            if numbered.iter().skip(count).any(Option::is_some) {
                return Err(format!("the code combination has no segment `Segment{}`", count + 1));
            }
            return Account::try_from(numbered.into_iter().flatten().map(str::to_owned).collect::<Vec<_>>());
        }
        match self.concatenated.as_deref().filter(|text| !text.is_empty()) {
            Some(text) => Account::of_text(text, delimiter),
            None => Err("the code combination has no segments; set journal.segment_names".to_owned()),
        }
    }
}

/// Finds accounts: which code combinations are known, and how the chart of accounts writes them.
#[derive(Debug, Clone, Copy)]
pub struct Accounts<'a> {
    /// The settings.
    pub settings: &'a JournalSettings,
    /// How an account's text is cut.
    pub layout: &'a AccountLayout,
    /// Code combinations by their id.
    pub known: &'a BTreeMap<String, CodeCombination>,
}

impl Accounts<'_> {
    /// The account that a distribution is charged to, with the natural account of the settings.
    pub fn charge(&self, account: &AccountRef) -> Result<Account, NoJournal> {
        let found = self.find(account)?;
        match &self.settings.natural_account {
            Some(natural) => found
                .with_segment(self.layout.account_segment, natural)
                .map_err(|why| unusable(account, format!("the natural account cannot be set: {why}"))),
            None => Ok(found),
        }
    }

    /// The clearing account.
    pub fn clearing(&self) -> Result<Account, NoJournal> {
        self.find(&AccountRef {
            id: self.settings.clearing_account_id.clone(),
            text: self.settings.clearing_account.clone(),
        })
    }

    fn find(&self, account: &AccountRef) -> Result<Account, NoJournal> {
        let names = &self.settings.segment_names;
        let from_id = account.id.as_ref().and_then(|id| self.known.get(id));
        let found = match (from_id, &account.text) {
            (Some(combination), text) => {
                let read = combination.account(names, &self.layout.delimiter);
                match text {
                    Some(text) => read.or_else(|why| self.cut_text(text).map_err(|_| why)),
                    None => read,
                }
            }
            (None, Some(text)) => self.cut_text(text),
            (None, None) => Err("its code combination is not known".to_owned()),
        };
        found.map_err(|why| unusable(account, why))
    }

    fn cut_text(&self, text: &str) -> Result<Account, String> {
        let account = Account::of_text(text, &self.layout.delimiter)?;
        let (found, wanted) = (account.segments().len(), self.settings.segment_names.len());
        if wanted != 0 && found != wanted {
            return Err(format!("its text has {found} segments, journal.segment_names has {wanted}"));
        }
        Ok(account)
    }
}

fn unusable(account: &AccountRef, why: String) -> NoJournal {
    NoJournal::AccountUnusable { account: account.to_string(), why }
}

/// All accounts of a ledger have the same number of segments: another number means that one was cut wrongly.
pub fn same_length<'a>(
    accounts: impl IntoIterator<Item = &'a Account>,
    delimiter: &str,
) -> Result<(), NoJournal> {
    let mut first: Option<&Account> = None;
    for account in accounts {
        let expected = first.get_or_insert(account);
        if expected.0.len() != account.0.len() {
            return Err(NoJournal::AccountUnusable {
                account: account.text(delimiter),
                why: format!(
                    "it has {} segments, but {} has {}",
                    account.0.len(),
                    expected.text(delimiter),
                    expected.0.len()
                ),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::settings::tests::settings;
    use super::*;

    fn combination(id: &str, attributes: &[(&str, &str)]) -> CodeCombination {
        CodeCombination {
            id: id.to_owned(),
            attributes: attributes.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
            ..CodeCombination::default()
        }
    }

    fn reference(id: Option<&str>, text: Option<&str>) -> AccountRef {
        AccountRef { id: id.map(str::to_owned), text: text.map(str::to_owned) }
    }

    fn charged(
        settings: &JournalSettings,
        known: &[CodeCombination],
        account: &AccountRef,
    ) -> Result<String, NoJournal> {
        let known = known.iter().map(|c| (c.id.clone(), c.clone())).collect();
        let accounts = Accounts { settings, layout: &AccountLayout::default(), known: &known };
        accounts.charge(account).map(|account| account.text("."))
    }

    fn why(result: Result<String, NoJournal>) -> String {
        match result {
            Err(NoJournal::AccountUnusable { account, why }) => format!("{account}: {why}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn segments_come_from_the_code_combination_first() {
        let known = [combination("9", &[("Segment1", "101"), ("segment2", "10"), ("Segment3", "60540")])];
        let both = reference(Some("9"), Some("X.Y.Z"));
        assert_eq!(charged(&settings(), &known, &both).unwrap(), "101.10.60540");
        assert_eq!(charged(&settings(), &[], &both).unwrap(), "X.Y.Z");
        let concatenated = CodeCombination { concatenated: Some("1.2.3".into()), ..combination("9", &[]) };
        assert_eq!(charged(&settings(), &[concatenated], &reference(Some("9"), None)).unwrap(), "1.2.3");
    }

    #[test]
    fn segments_named_by_the_tenant_stand_in_the_order_of_the_setting() {
        let named = JournalSettings {
            segment_names: vec!["company".into(), "department".into(), "account".into()],
            ..settings()
        };
        let row = [("account", "60540"), ("company", "101"), ("department", "10"), ("Segment1", "no")];
        let known = [combination("9", &row)];
        assert_eq!(charged(&named, &known, &reference(Some("9"), None)).unwrap(), "101.10.60540");
        let lacking = [combination("9", &[("company", "101")])];
        let missing = charged(&named, &lacking, &reference(Some("9"), None));
        assert_eq!(why(missing), "9: the code combination has no segment `department`");
        let text = charged(&named, &[], &reference(None, Some("101.10")));
        assert!(why(text).contains("2 segments, journal.segment_names has 3"));
    }

    #[test]
    fn a_gap_between_segments_is_refused() {
        let known = [combination("9", &[("Segment1", "101"), ("Segment3", "60540")])];
        let gap = charged(&settings(), &known, &reference(Some("9"), None));
        assert_eq!(why(gap), "9: the code combination has no segment `Segment2`");
        assert_eq!(
            why(charged(&settings(), &[], &reference(None, Some("1..3")))),
            "1..3: segment 2 is empty"
        );
    }

    #[test]
    fn the_natural_account_is_put_into_the_set_segment_and_the_cost_center_stays() {
        let natural = JournalSettings { natural_account: Some("70000".into()), ..settings() };
        let long = reference(None, Some("101.10.60540.000"));
        assert_eq!(charged(&natural, &[], &long).unwrap(), "101.10.70000.000");
        let short = why(charged(&natural, &[], &reference(None, Some("101.10"))));
        assert!(short.contains("no segment 3"), "{short}");
    }

    #[test]
    fn an_account_that_is_only_an_unknown_id_is_refused() {
        let unknown = charged(&settings(), &[], &reference(Some("9"), None));
        assert_eq!(why(unknown), "9: its code combination is not known");
    }

    #[test]
    fn accounts_of_different_length_are_refused() {
        let account = |text| Account::of_text(text, ".").unwrap();
        assert_eq!(same_length([&account("1.2"), &account("3.4")], "."), Ok(()));
        let error = same_length([&account("1.2"), &account("1.2.3")], ".").unwrap_err().to_string();
        assert_eq!(error, "account 1.2.3 cannot be used: it has 3 segments, but 1.2 has 2");
    }

    #[test]
    fn thirty_segments_fit_and_no_more() {
        let text = |count| vec!["1"; count].join("-");
        assert_eq!(Account::of_text(&text(30), "-").unwrap().segments().len(), 30);
        assert!(Account::of_text(&text(31), "-").is_err());
    }
}
