//! What journals need of Oracle: the ledger, a period, the accounts and names that the settings say, and that what was
//! sent could be found again.

use jiff::Timestamp;
use jiff::civil::Date;
use oracle_fusion::{Digits, ListRow, RequestId, Wildcard};

use super::{Check, OracleSide, account, failed, note, ok};
use crate::code::Code;
use crate::error::{Error, Result};
use crate::journal::date::{accounting_date, ledger_date};
use crate::journal::settings::ClosedPeriod;
use crate::journal::{JournalSettings, NoJournal, Period};
use crate::posting::ledger::digits;
use crate::trouble;

pub(super) const SIDE: &str = "oracle";
/// Opens `ledgersLOV`, `accountingPeriodStatusLOV` and `accountCombinationsLOV`
/// (<https://docs.oracle.com/en/cloud/saas/financials/25d/farfa/Get_Enterprise_Structures_Using_REST_API.html>).
pub(super) const ENTERPRISE_STRUCTURES: &str =
    "FUN_GET_ENTERPRISE_STRUCTURES_REST_SERVICE_PRIV (\"Get Enterprise Structures Using REST Service\")";
/// A request that is asked for only to see whether such a question is answered; it need not exist.
const ANY_REQUEST: &str = "1";

/// Tests everything that the journal settings name.
pub(super) async fn checks(clients: &OracleSide, settings: &JournalSettings) -> Vec<Check> {
    let id = match digits(&settings.ledger_id) {
        Ok(id) => id,
        Err(error) => return vec![failed(SIDE, "journal: ledger", &error)],
    };
    let (ledger, period, clearing, source, category, access, batches, jobs) = tokio::join!(
        ledger(clients, settings, &id),
        period(clients, settings),
        account::check(clients, settings),
        source(clients, settings),
        category(clients, settings),
        data_access_set(clients, settings, &id),
        batches(clients),
        jobs(clients),
    );
    vec![ledger, period, clearing, source, category, access, batches, jobs]
}

/// A failure of a read; a missing privilege is named where Oracle's pages name it.
pub(super) fn refused(name: &str, resource: &str, privilege: Option<&str>, mut error: Error) -> Check {
    if error.code == Code::OracleForbidden {
        let which = match privilege {
            Some(privilege) => format!("the user lacks the privilege {privilege}"),
            None => {
                "the user lacks the privilege for it, whose name Oracle's public pages do not tell".to_owned()
            }
        };
        error.message = format!("{resource}: {which}: {}", error.message);
    }
    failed(SIDE, name, &error)
}

/// Something that the settings name is not there, or not for this user: Oracle answers both alike.
pub(super) fn not_visible(name: &str, words: impl std::fmt::Display) -> Check {
    let words = format!("{words}; it does not exist, or the user may not see it");
    failed(SIDE, name, &Error::new(Code::OracleNotVisible, words))
}

async fn ledger(clients: &OracleSide, settings: &JournalSettings, id: &Digits) -> Check {
    let name = "journal: ledger";
    let ledger = match clients.fusion.ledger(id).await.map_err(trouble::oracle) {
        Ok(Some(ledger)) => ledger,
        Ok(None) => {
            return not_visible(name, format!("ledgersLOV shows no ledger with the id {}", id.as_str()));
        }
        Err(error) => return refused(name, "ledgersLOV", Some(ENTERPRISE_STRUCTURES), error),
    };
    let title = ledger.name.clone().unwrap_or_else(|| id.as_str().to_owned());
    if let Some(named) = settings.ledger.as_ref().filter(|named| !ledger.is_named(named)) {
        let words = format!("ledger {} is \"{title}\", and journal.ledger is \"{named}\"", id.as_str());
        return failed(SIDE, name, &Error::new(Code::JournalSettingsWrong, words));
    }
    match ledger.currency {
        Some(currency) if currency == settings.ledger_currency => {
            ok(SIDE, name, format!("{title}, {currency}"))
        }
        Some(currency) => {
            let set = &settings.ledger_currency;
            let words = format!("{title} is in {currency}, and journal.ledger_currency is {set}");
            failed(SIDE, name, &Error::new(Code::JournalSettingsWrong, words))
        }
        None => note(SIDE, name, format!("{title}; its currency is not said")),
    }
}

async fn period(clients: &OracleSide, settings: &JournalSettings) -> Check {
    let name = "journal: period";
    let Some(zone) = settings.zone() else {
        let words = format!("journal.time_zone: {} is no time zone", settings.time_zone);
        return failed(SIDE, name, &Error::new(Code::JournalSettingsWrong, words));
    };
    clients.ledger.forget_periods();
    match clients.ledger.periods(&clients.fusion, settings).await {
        Ok(periods) => judge_period(&periods, ledger_date(Timestamp::now(), &zone), settings.closed_period),
        Err(error) if error.code == Code::OracleNoRows => not_visible(name, error.message),
        Err(error) => refused(name, "accountingPeriodStatusLOV", Some(ENTERPRISE_STRUCTURES), error),
    }
}

/// Whether what is completed today can be entered, and when it is dated otherwise.
fn judge_period(periods: &[Period], today: Date, closed: ClosedPeriod) -> Check {
    let name = "journal: period";
    let waits = match accounting_date(today, periods, ClosedPeriod::Hold) {
        Ok(date) => return ok(SIDE, name, format!("{today} for the ledger; {} takes entries", date.period)),
        Err(NoJournal::PeriodClosed { date, period }) => format!("{date}: {period}"),
        Err(why) => why.to_string(),
    };
    match accounting_date(today, periods, ClosedPeriod::NextOpen) {
        Ok(next) => {
            let then = match closed {
                ClosedPeriod::NextOpen => "what is completed now is dated then",
                ClosedPeriod::Hold => "what is completed now waits, by journal.closed_period",
            };
            let (date, period) = (next.date, next.period);
            note(SIDE, name, format!("{waits}; the next that takes entries is {period}, from {date}: {then}"))
        }
        Err(none) => failed(SIDE, name, &Error::new(none.code(), format!("{waits}; {none}"))),
    }
}

async fn source(clients: &OracleSide, settings: &JournalSettings) -> Check {
    let (name, source) = ("journal: source", &settings.source);
    let rows = clients.fusion.journal_sources_named(source).await.map_err(trouble::oracle);
    let parameter = settings.source_parameter.as_ref();
    match listed(name, "journalSourcesLOV", source, rows) {
        Err(check) => *check,
        Ok(rows) => match parameter.filter(|parameter| !rows.iter().any(|row| row.says(parameter))) {
            None => ok(SIDE, name, format!("`{source}`")),
            Some(parameter) => note(
                SIDE,
                name,
                format!(
                    "`{source}` is there, but its row does not show `{parameter}`, which is journal.source_parameter"
                ),
            ),
        },
    }
}

async fn category(clients: &OracleSide, settings: &JournalSettings) -> Check {
    let (name, category) = ("journal: category", &settings.category);
    let rows = clients.fusion.journal_categories_named(category).await.map_err(trouble::oracle);
    match listed(name, "journalCategoriesLOV", category, rows) {
        Err(check) => *check,
        Ok(_) => ok(SIDE, name, format!("`{category}`")),
    }
}

/// The rows with a name, or the failure that there are none.
fn listed(
    name: &str,
    resource: &str,
    sought: &str,
    rows: Result<Vec<ListRow>>,
) -> std::result::Result<Vec<ListRow>, Box<Check>> {
    match rows {
        Err(error) => Err(Box::new(refused(name, resource, None, error))),
        Ok(rows) if rows.is_empty() => {
            Err(Box::new(not_visible(name, format!("{resource} shows no row with `{sought}`"))))
        }
        Ok(rows) => Ok(rows),
    }
}

async fn data_access_set(clients: &OracleSide, settings: &JournalSettings, ledger: &Digits) -> Check {
    let (name, resource) = ("journal: data access set", "dataAccessSetLedgersLOV");
    let rows = match clients.fusion.data_access_sets_of(ledger).await.map_err(trouble::oracle) {
        Ok(rows) => rows,
        Err(error) => return refused(name, resource, None, error),
    };
    match &settings.data_access_set {
        Some(set) if rows.iter().any(|row| row.says(set)) => ok(SIDE, name, format!("{set} has the ledger")),
        Some(set) => {
            not_visible(name, format!("{resource} shows no set {set} with ledger {}", ledger.as_str()))
        }
        None => {
            let words = format!(
                "journal.data_access_set is not set; {} with the ledger are visible. Some pods want one",
                rows.len()
            );
            note(SIDE, name, words)
        }
    }
}

/// Whether a batch could be found again by its group id.
async fn batches(clients: &OracleSide) -> Check {
    let name = "journal: batches";
    let doubt = "a journal in doubt cannot be proved absent, so it waits for a person";
    match findable(clients).await {
        Ok(Findable::No) => note(SIDE, name, format!("not one journal batch is visible: {doubt}")),
        Ok(Findable::NotByName) => {
            note(SIDE, name, format!("batches are visible, but none is found by a part of its name: {doubt}"))
        }
        Ok(Findable::ByName(wildcard)) => {
            let letter = wildcard.letter();
            ok(SIDE, name, format!("batches are visible, and found by a part of their name with `{letter}`"))
        }
        Err(error) => refused(name, "journalBatches", None, error),
    }
}

enum Findable {
    No,
    NotByName,
    ByName(Wildcard),
}

async fn findable(clients: &OracleSide) -> Result<Findable> {
    let fusion = &clients.fusion;
    let Some(known) = fusion.any_journal_batch().await.map_err(trouble::oracle)? else {
        return Ok(Findable::No);
    };
    for wildcard in Wildcard::ALL {
        if fusion.wildcard_works(&known, wildcard).await.map_err(trouble::oracle)? {
            return Ok(Findable::ByName(wildcard));
        }
    }
    Ok(Findable::NotByName)
}

/// Whether `erpintegrations` answers. Whether the user may import shows only when something is imported.
async fn jobs(clients: &OracleSide) -> Check {
    let name = "journal: erpintegrations";
    let Ok(request) = ANY_REQUEST.parse::<RequestId>() else {
        return note(SIDE, name, "no question could be made of the request id");
    };
    match clients.fusion.job_status(request).await.map_err(trouble::oracle) {
        Ok(_) => {
            let words = "answers; whether the user may import shows with the first journal (MLC-5131 if not)";
            ok(SIDE, name, words)
        }
        Err(error) => refused(name, "erpintegrations", None, error),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::super::Verdict;
    use super::*;
    use crate::journal::PeriodStatus;

    fn month(month: i8, status: &str) -> Period {
        let start = date(2026, month, 1);
        let end = start.last_of_month();
        Period { name: format!("M{month}"), start, end, status: PeriodStatus::of(status), adjustment: false }
    }

    #[test]
    fn a_closed_present_period_is_a_failure_only_when_none_follows() {
        let today = date(2026, 7, 15);
        for (statuses, verdict, word) in [
            (["O", "O"], Verdict::Ok, "M7"),
            (["F", "C"], Verdict::Ok, "M7"),
            (["C", "O"], Verdict::Note, "M8"),
            (["N", "F"], Verdict::Note, "M8"),
            (["C", "C"], Verdict::Failed, "M7"),
        ] {
            let periods = [month(7, statuses[0]), month(8, statuses[1])];
            for closed in [ClosedPeriod::NextOpen, ClosedPeriod::Hold] {
                let check = judge_period(&periods, today, closed);
                assert_eq!(check.verdict, verdict, "{statuses:?}: {}", check.detail);
                assert!(check.detail.contains(word), "{statuses:?}: {}", check.detail);
            }
        }
    }

    #[test]
    fn a_missing_privilege_is_named_where_its_name_is_known() {
        let forbidden = || Error::new(Code::OracleForbidden, "status 403");
        let named = refused("a", "ledgersLOV", Some(ENTERPRISE_STRUCTURES), forbidden());
        assert!(named.detail.contains("FUN_GET_ENTERPRISE_STRUCTURES_REST_SERVICE_PRIV"), "{}", named.detail);
        let unnamed = refused("a", "journalBatches", None, forbidden());
        assert!(unnamed.detail.starts_with("journalBatches: ") && !unnamed.detail.contains("PRIV"));
        let other = refused("a", "journalBatches", None, Error::new(Code::OracleServer, "status 500"));
        assert_eq!(other.detail, "status 500");
    }
}
