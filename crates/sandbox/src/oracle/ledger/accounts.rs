//! Account combinations: which exist, and whether a line may be posted to them on a day.
//!
//! A combination is never made by an import; whatever an order is charged to is one of the primary ledger's.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;

use super::seed::{self, BALANCE_SHEET, Chart, EU_ACCOUNTS, EU_CHART, LEDGERS, ODD_ACCOUNTS, US_CHART};
use crate::oracle::build::account_id;

/// A combination of segment values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Combination {
    pub id: i64,
    pub chart: &'static Chart,
    pub segments: Vec<String>,
    pub enabled: bool,
    pub detail_posting: bool,
    pub end: Option<Date>,
}

impl Combination {
    /// The segments with the chart's delimiter between them.
    pub(crate) fn text(&self) -> String {
        self.segments.join(&self.chart.delimiter.to_string())
    }

    /// Expense, liability and so on, by the natural account.
    pub(crate) fn account_type(&self) -> &'static str {
        match self.segments.get(self.chart.natural_account).and_then(|account| account.chars().next()) {
            Some('1') => "A",
            Some('2') => "L",
            Some('3') => "O",
            Some('4') => "R",
            _ => "E",
        }
    }
}

/// All combinations.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    by_id: BTreeMap<i64, Combination>,
    by_segments: HashMap<(i64, Vec<String>), i64>,
    companies: BTreeSet<String>,
}

impl Accounts {
    pub(crate) fn seeded() -> Self {
        let mut accounts = Self::default();
        for ledger in &LEDGERS {
            for text in [ledger.clearing, ledger.suspense] {
                accounts.learn(text);
            }
        }
        for (text, enabled, detail_posting, end) in ODD_ACCOUNTS {
            for id in accounts.learn(text) {
                if let Some(odd) =
                    accounts.by_id.get_mut(&id).filter(|combination| combination.text() == **text)
                {
                    (odd.enabled, odd.detail_posting) = (*enabled, *detail_posting);
                    odd.end = end.and_then(|day| day.parse().ok());
                }
            }
        }
        for text in EU_ACCOUNTS {
            accounts.learn(text);
        }
        accounts
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Combination> {
        self.by_id.values()
    }

    pub(crate) fn get(&self, id: i64) -> Option<&Combination> {
        self.by_id.get(&id)
    }

    pub(crate) fn find(&self, chart: &Chart, segments: &[String]) -> Option<&Combination> {
        self.by_segments.get(&(chart.number, segments.to_vec())).and_then(|id| self.get(*id))
    }

    /// By concatenated segments of any chart.
    pub(crate) fn named(&self, text: &str) -> Option<&Combination> {
        let (chart, segments) = split(text)?;
        self.find(chart, &segments)
    }

    pub(crate) fn change(&mut self, id: i64, change: impl FnOnce(&mut Combination)) {
        if let Some(combination) = self.by_id.get_mut(&id) {
            change(combination);
        }
    }

    /// Makes the account a valid combination if it is not one yet, and with the first account of a company
    /// its clearing and suspense accounts. Returns the ids of what is new. A text that fits no chart is
    /// left alone.
    pub(crate) fn learn(&mut self, text: &str) -> Vec<i64> {
        let Some((chart, segments)) = split(text) else { return Vec::new() };
        let mut new = Vec::new();
        if chart == &US_CHART && self.companies.insert(segments[0].clone()) {
            for natural in BALANCE_SHEET {
                let company = &segments[0];
                new.extend(self.learn(&format!("{company}.10.{natural}.000.000.000")));
            }
        }
        if self.find(chart, &segments).is_some() {
            return new;
        }
        let mut id = account_id(text);
        while self.by_id.contains_key(&id) {
            id += 1;
        }
        self.by_segments.insert((chart.number, segments.clone()), id);
        self.by_id
            .insert(id, Combination { id, chart, segments, enabled: true, detail_posting: true, end: None });
        new.push(id);
        new
    }
}

/// The chart that an account fits, and its segments. A pod whose chart uses the other delimiter writes the
/// same accounts with it.
fn split(text: &str) -> Option<(&'static Chart, Vec<String>)> {
    for (chart, delimiter) in
        [(&US_CHART, US_CHART.delimiter), (&US_CHART, '-'), (&EU_CHART, EU_CHART.delimiter)]
    {
        let segments: Vec<String> = text.split(delimiter).map(str::to_owned).collect();
        if segments.len() == chart.segments.len() && segments.iter().all(|segment| !segment.is_empty()) {
            return Some((chart, segments));
        }
    }
    None
}

/// The suspense account that takes what belongs to no valid account.
pub(crate) fn suspense<'a>(accounts: &'a Accounts, ledger: &seed::LedgerSeed) -> Option<&'a Combination> {
    accounts.named(ledger.suspense)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charge_account_becomes_a_combination_under_the_id_that_orders_show() {
        let mut accounts = Accounts::seeded();
        let text = "107.10.60540.10-5 Trees, \"old\".000.000";
        let new = accounts.learn(text);
        assert_eq!(new.len(), 3, "the company's clearing and suspense accounts come with it");
        let learned = accounts.get(account_id(text)).unwrap();
        assert_eq!((learned.text().as_str(), learned.account_type()), (text, "E"));
        assert!(accounts.named("107.10.21990.000.000.000").is_some());
        assert!(accounts.learn(text).is_empty());
        for odd in ["", "101.10", "101..1.1.1.1", "a-b-c"] {
            assert!(accounts.learn(odd).is_empty(), "{odd}");
        }
    }

    #[test]
    fn one_chart_does_not_know_the_others_accounts() {
        let accounts = Accounts::seeded();
        let european = accounts.named("201-60540-110-000").unwrap();
        assert_eq!(european.chart.number, EU_CHART.number);
        assert!(accounts.find(&US_CHART, &european.segments).is_none());
    }
}
