//! The charts of accounts that Oracle's ledgers have, in words. Pure.

use std::collections::BTreeMap;

use oracle_fusion::Ledger;

/// Charts that one message names.
const SHOWN: usize = 12;

/// Each chart's number with the ledgers that have it. A ledger that shows no number is named by itself.
pub(super) fn words(ledgers: &[Ledger]) -> String {
    let mut charts: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for ledger in ledgers {
        let name = ledger.name.as_deref().or(ledger.short_name.as_deref()).unwrap_or(&ledger.id);
        if let Some(chart) = &ledger.chart_of_accounts_id {
            charts.entry(chart).or_default().push(name);
        }
    }
    if ledgers.is_empty() {
        return "ledgersLOV shows no ledger to this user".to_owned();
    }
    if charts.is_empty() {
        return "ledgersLOV shows ledgers, and of none its `ChartOfAccountsId`".to_owned();
    }
    let mut shown: Vec<String> = charts
        .iter()
        .take(SHOWN)
        .map(|(chart, ledgers)| format!("{chart} (that of ledger {})", ledgers.join(", ")))
        .collect();
    if let Some(more) = charts.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        shown.push(format!("and {more} more"));
    }
    format!("Oracle shows {}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use oracle_fusion::RawValue;

    use super::*;

    fn ledger(json: &str) -> Ledger {
        Ledger::parse(&RawValue::from_string(json.to_owned()).unwrap()).unwrap()
    }

    #[test]
    fn each_chart_is_named_once_with_its_ledgers() {
        let ledgers = [
            ledger(r#"{"LedgerId":1,"Name":"US Primary","ChartOfAccountsId":5237}"#),
            ledger(r#"{"LedgerId":2,"LedgerName":"US Secondary","ChartOfAccountsId":5237}"#),
            ledger(r#"{"LedgerId":3,"ChartOfAccountsId":21}"#),
            ledger(r#"{"LedgerId":4,"Name":"Odd","ChartOfAccountsStructureId":77}"#),
        ];
        assert_eq!(
            words(&ledgers),
            "Oracle shows 21 (that of ledger 3), 5237 (that of ledger US Primary, US Secondary)"
        );
        assert_eq!(words(&ledgers[3..]), "ledgersLOV shows ledgers, and of none its `ChartOfAccountsId`");
        assert_eq!(words(&[]), "ledgersLOV shows no ledger to this user");
        let many: Vec<Ledger> = (0..14)
            .map(|n| ledger(&format!(r#"{{"LedgerId":{n},"ChartOfAccountsId":{}}}"#, 100 + n)))
            .collect();
        assert!(words(&many).ends_with("111 (that of ledger 11), and 2 more"), "{}", words(&many));
    }
}
