//! Whether journals can be cleared through the clearing account, as far as Oracle lets it be seen.

use oracle_fusion::{
    AccountCombination, Attr, Error as OracleError, Filter, Ledger, Limit, Lookup, Query, RecordError, Value,
};

use super::ledger::{ENTERPRISE_STRUCTURES, SIDE, not_visible, refused};
use super::{Check, OracleSide, failed, note, ok};
use crate::charge_account::AccountLayout;
use crate::code::Code;
use crate::error::Error;
use crate::journal::{Account, JournalSettings};
use crate::posting::ledger::{combination, digits};
use crate::trouble;

const NAME: &str = "journal: clearing account";
/// The attribute by which a combination could be looked up by its text, where a pod lets it be queried.
const CONCATENATED: &str = "ConcatenatedSegments";

/// Looks the clearing account up by its id, else by its text where the pod allows that.
pub(super) async fn check(clients: &OracleSide, settings: &JournalSettings) -> Check {
    let layout = &clients.settings.routing.account;
    match (&settings.clearing_account_id, &settings.clearing_account) {
        (Some(id), _) => match by_id(clients, settings, id).await {
            Ok(Some(row)) => judge(row, settings, layout, ledger(clients, settings).await.as_ref()),
            Ok(None) => {
                not_visible(NAME, format!("accountCombinationsLOV shows no combination with the id {id}"))
            }
            Err(error) => refused(NAME, "accountCombinationsLOV", Some(ENTERPRISE_STRUCTURES), error),
        },
        (None, Some(text)) => match Account::of_text(text, &layout.delimiter) {
            Ok(account) => by_text(clients, settings, text, &account).await,
            Err(why) => unusable(text, &why),
        },
        (None, None) => failed(SIDE, NAME, &Error::new(Code::SettingsInvalid, "none is set")),
    }
}

/// The ledger, for its chart of accounts; that it cannot be read is told by its own check.
async fn ledger(clients: &OracleSide, settings: &JournalSettings) -> Option<Ledger> {
    clients.fusion.ledger(&digits(&settings.ledger_id).ok()?).await.ok().flatten()
}

async fn by_id(
    clients: &OracleSide,
    settings: &JournalSettings,
    id: &str,
) -> Result<Option<AccountCombination>, Error> {
    let found = clients.fusion.account_combination(&digits(id)?, &names(settings)).await;
    found.map_err(trouble::oracle)
}

fn names(settings: &JournalSettings) -> Vec<&str> {
    settings.segment_names.iter().map(String::as_str).collect()
}

async fn by_text(clients: &OracleSide, settings: &JournalSettings, text: &str, account: &Account) -> Check {
    if let Some(why) = unfit(account, settings) {
        return unusable(text, &why);
    }
    let unchecked = |why: &str| {
        let words = format!(
            "{text} is known by its text alone and {why}; with journal.clearing_account_id it is tested"
        );
        note(SIDE, NAME, words)
    };
    match clients.fusion.describe(Lookup::AccountCombinations).await {
        Ok(described) if described.is_queryable(CONCATENATED) => {}
        Ok(_) => return unchecked("cannot be looked up by it"),
        Err(error) => {
            return refused(
                NAME,
                "accountCombinationsLOV",
                Some(ENTERPRISE_STRUCTURES),
                trouble::oracle(error),
            );
        }
    }
    match ask_by_text(clients, settings, text).await {
        Ok(Some(row)) => {
            let layout = &clients.settings.routing.account;
            judge(row, settings, layout, ledger(clients, settings).await.as_ref())
        }
        Ok(None) => unchecked("Oracle shows no combination with it, which may be a matter of access"),
        Err(error) => refused(NAME, "accountCombinationsLOV", Some(ENTERPRISE_STRUCTURES), error),
    }
}

async fn ask_by_text(
    clients: &OracleSide,
    settings: &JournalSettings,
    text: &str,
) -> Result<Option<AccountCombination>, Error> {
    let attribute =
        Attr::new(CONCATENATED).map_err(|e| trouble::oracle(OracleError::Config(e.to_string())))?;
    let query = Query::new(Lookup::AccountCombinations)
        .filter(Filter::Eq(attribute, Value::text(text)))
        .limit(Limit::clamped(2));
    let page = clients.fusion.page(&query).await.map_err(trouble::oracle)?;
    let rows: Result<Vec<_>, RecordError> =
        page.items.iter().map(|raw| AccountCombination::parse(raw, &names(settings))).collect();
    let rows = rows.map_err(trouble::record)?;
    // other charts of accounts may have the same text
    Ok(rows.into_iter().find(|row| row.concatenated.as_deref().is_none_or(|found| found == text)))
}

/// Whether a combination can be used: enabled, open to detail postings, of the ledger's chart of accounts, and cut
/// into as many segments as are needed.
fn judge(
    row: AccountCombination,
    settings: &JournalSettings,
    layout: &AccountLayout,
    ledger: Option<&Ledger>,
) -> Check {
    let chart = row.chart_of_accounts_id.clone();
    let (enabled, detail) = (row.enabled, row.detail_posting);
    let id = row.id.clone();
    let account = match combination(row).account(&settings.segment_names, &layout.delimiter) {
        Ok(account) => account,
        Err(why) => return unusable(&id, &why),
    };
    let text = account.text(&layout.delimiter);
    if enabled == Some(false) {
        return unusable(&text, "it is disabled, so the import would reject it with EF03");
    }
    if detail == Some(false) {
        return unusable(&text, "it takes no detail postings, so the import would reject it with EF02");
    }
    match chart_fits(chart.as_deref(), ledger) {
        Fits::Yes => {}
        Fits::No(why) => return unusable(&text, &why),
        Fits::Perhaps(why) => return note(SIDE, NAME, format!("{text} is there; {why}")),
    }
    if let Some(why) = unfit(&account, settings) {
        return unusable(&text, &why);
    }
    match (enabled, detail) {
        (Some(true), Some(true)) => ok(SIDE, NAME, format!("{text} is enabled and takes detail postings")),
        _ => note(
            SIDE,
            NAME,
            format!("{text} is there; whether it is enabled and takes detail postings is not said"),
        ),
    }
}

/// Whether an account belongs to the ledger's chart of accounts.
enum Fits {
    Yes,
    No(String),
    /// Oracle's answers do not say it for certain.
    Perhaps(String),
}

/// Sources differ in what a ledger calls its chart; only one of the names is known to carry the account's number.
fn chart_fits(of_account: Option<&str>, ledger: Option<&Ledger>) -> Fits {
    let (Some(own), Some(ledger)) = (of_account, ledger) else { return Fits::Yes };
    match (ledger.chart_of_accounts_id.as_deref(), ledger.chart_structure_id.as_deref()) {
        (Some(chart), _) if chart != own => Fits::No(format!(
            "its chart of accounts is {own}, the ledger's is {chart}, so the import would reject it with EF04"
        )),
        (None, Some(structure)) if structure != own => Fits::Perhaps(format!(
            "its chart of accounts is {own}, the ledger's structure is {structure}: compare them, the import rejects \
             an account of another chart with EF04"
        )),
        _ => Fits::Yes,
    }
}

/// Why the settings cannot work with an account of so many segments.
fn unfit(account: &Account, settings: &JournalSettings) -> Option<String> {
    let (has, names) = (account.segments().len(), settings.segment_names.len());
    match settings.balancing_segment {
        Some(position) if position > has => {
            Some(format!("it has {has} segments, and journal.balancing_segment is {position}"))
        }
        _ if names != 0 && names != has => {
            Some(format!("it has {has} segments, and journal.segment_names has {names}"))
        }
        _ => None,
    }
}

fn unusable(account: &str, why: &str) -> Check {
    failed(SIDE, NAME, &Error::new(Code::JournalAccountUnusable, format!("account {account}: {why}")))
}

#[cfg(test)]
mod tests {
    use oracle_fusion::RawValue;

    use super::super::Verdict;
    use super::*;

    fn settings(rest: &str) -> JournalSettings {
        let text = format!(
            "ledger_id = \"1\"\nledger_currency = \"USD\"\nsource = \"Asana\"\ncategory = \"Cost\"\n\
             clearing_account_id = \"7\"\ntime_zone = \"UTC\"\n{rest}"
        );
        toml::from_str(&text).unwrap()
    }

    fn judged(json: &str, rest: &str) -> Check {
        let raw = RawValue::from_string(json.to_owned()).unwrap();
        let row = AccountCombination::parse(&raw, &[]).unwrap();
        judge(row, &settings(rest), &AccountLayout::default(), None)
    }

    #[test]
    fn an_account_that_the_import_would_reject_is_a_failure() {
        let row =
            |flags: &str| format!(r#"{{"CodeCombinationId":7,"Segment1":"101","Segment2":"10"{flags}}}"#);
        for (flags, rest, verdict) in [
            (r#","EnabledFlag":"Y","DetailPostingAllowedFlag":"Y""#, "", Verdict::Ok),
            (r#","EnabledFlag":"N","DetailPostingAllowedFlag":"Y""#, "", Verdict::Failed),
            (r#","EnabledFlag":true,"DetailPostingAllowedFlag":false"#, "", Verdict::Failed),
            (r#","EnabledFlag":"Y""#, "", Verdict::Note),
            ("", "", Verdict::Note),
            (
                r#","EnabledFlag":"Y","DetailPostingAllowedFlag":"Y""#,
                "balancing_segment = 3",
                Verdict::Failed,
            ),
            (r#","EnabledFlag":"Y","DetailPostingAllowedFlag":"Y""#, "balancing_segment = 2", Verdict::Ok),
        ] {
            let check = judged(&row(flags), rest);
            assert_eq!(check.verdict, verdict, "{flags} {rest}: {}", check.detail);
            assert_eq!(check.code.is_some(), verdict == Verdict::Failed);
        }
        assert_eq!(judged(r#"{"CodeCombinationId":7}"#, "").verdict, Verdict::Failed);
    }

    #[test]
    fn an_account_of_another_chart_fails_where_the_ledger_says_its_chart_for_certain() {
        let row = r#"{"CodeCombinationId":7,"ChartOfAccountsId":5237,"Segment1":"101","EnabledFlag":"Y",
            "DetailPostingAllowedFlag":"Y"}"#;
        for (ledger, verdict) in [
            (r#"{"LedgerId":1,"ChartOfAccountsId":5237}"#, Verdict::Ok),
            (r#"{"LedgerId":1,"ChartOfAccountsId":"5238"}"#, Verdict::Failed),
            (r#"{"LedgerId":1,"ChartOfAccountsStructureId":5237}"#, Verdict::Ok),
            (r#"{"LedgerId":1,"ChartOfAccountsStructureId":101}"#, Verdict::Note),
            (r#"{"LedgerId":1}"#, Verdict::Ok),
        ] {
            let raw = |json: &str| RawValue::from_string(json.to_owned()).unwrap();
            let account = AccountCombination::parse(&raw(row), &[]).unwrap();
            let ledger = Ledger::parse(&raw(ledger)).unwrap();
            let check = judge(account, &settings(""), &AccountLayout::default(), Some(&ledger));
            assert_eq!(check.verdict, verdict, "{}", check.detail);
            assert_eq!(check.detail.contains("EF04"), verdict != Verdict::Ok, "{}", check.detail);
        }
    }
}
