//! The import's error codes: what they mean and what to do. How they are found in a job's log:
//! [`oracle_fusion::import_codes`].
//!
//! Meanings: <https://docs.oracle.com/cd/G31366_01/trans/G31246-01/error-codes-for-journal-import.html>.
//! What to do is our own advice.

/// One code of the import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportCode {
    /// The code, such as `EF04`.
    pub code: &'static str,
    /// What Oracle says it means.
    pub meaning: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}

const PERIOD: &str = "Open the period in Oracle, or leave `journal.closed_period` at `next_open`; then `journals replay NAME ID` sends the journal anew.";
const DAY: &str = "The ledger takes entries on business days only; ask who keeps the ledger's calendar.";
const ACCOUNT: &str = "Compare the account with the chart of accounts; mend the order's distribution, `journal.natural_account` or the clearing account.";
const BALANCE: &str = "The lines balance in the file. If they do not balance within a balancing segment, set `journal.balancing_segment` or let Oracle make intercompany lines.";
const RATE: &str = "Compare `journal.rate_type` with the conversion rate types of the pod, and see that there is a rate for the day.";
const PLEASE_REPORT: &str = "The file does not carry this on its own; please report it with the log.";

const fn code(code: &'static str, meaning: &'static str, remedy: &'static str) -> ImportCode {
    ImportCode { code, meaning, remedy }
}

/// The documented codes.
pub const KNOWN: &[ImportCode] = &[
    code("EP01", "the date is not in an open or future-enterable period", PERIOD),
    code("EP02", "the ledger has no open period", PERIOD),
    code("EP03", "the date is not in an open encumbrance year", PERIOD),
    code("EP04", "the date is not a business day", DAY),
    code("EP05", "there is no business day", DAY),
    code("WU01", "the lines do not balance; they were taken, since suspense is allowed", BALANCE),
    code("EU02", "the lines do not balance, and suspense is not allowed", BALANCE),
    code("EU03", "the encumbrance lines do not balance", BALANCE),
    code("WF01", "an alternate account was used", "Look at the batch in Oracle before posting it."),
    code("WF02", "the suspense account was used", "Look at the batch in Oracle before posting it."),
    code("EF01", "the account is inactive on that date", ACCOUNT),
    code("EF02", "detail posting to the account is not allowed", ACCOUNT),
    code("EF03", "the account is disabled", ACCOUNT),
    code("EF04", "the account is invalid: check the segment values and the cross-validation rules", ACCOUNT),
    code("EF05", "there is no such code combination id", ACCOUNT),
    code("EC01", "the conversion rate is missing", RATE),
    code("EC02", "the conversion date is missing", RATE),
    code("EC03", "the conversion rate type is missing", RATE),
    code("EC06", "there is no conversion rate", RATE),
    code("EC08", "the currency is invalid or disabled", "Enable the currency in Oracle."),
    code("EC12", "entered and accounted amount differ in the ledger's currency", PLEASE_REPORT),
    code("EC13", "the amount is too large", "Split the order in Oracle, or post by hand."),
];

/// Finds a documented code.
#[must_use]
pub fn find(code: &str) -> Option<&'static ImportCode> {
    KNOWN.iter().find(|known| known.code == code)
}

/// What is told of a code that is not documented.
pub const UNKNOWN: ImportCode = code(
    "",
    "a code without a documented meaning",
    "The job's log says more: `ml-connector journals show NAME JOURNAL --full` prints it.",
);

/// A code with its meaning, when it is documented.
#[must_use]
pub fn in_words(code: &str) -> String {
    find(code).map_or_else(|| code.to_owned(), |known| format!("{code} ({})", known.meaning))
}

/// Whether a code rejects the journal; codes that begin with `W` only warn.
#[must_use]
pub fn rejects(code: &str) -> bool {
    code.starts_with('E')
}

#[cfg(test)]
mod tests {
    use oracle_fusion::is_import_code;

    use super::*;

    #[test]
    fn every_known_code_is_one_and_says_what_to_do() {
        for (at, known) in KNOWN.iter().enumerate() {
            assert!(is_import_code(known.code), "{}", known.code);
            assert!(!known.meaning.is_empty() && known.remedy.ends_with('.'), "{}", known.code);
            assert!(KNOWN[..at].iter().all(|other| other.code != known.code), "{} stands twice", known.code);
        }
        assert_eq!(find("EF04").unwrap().code, "EF04");
        assert_eq!(find("EX99"), None);
        assert!(rejects("EF04") && !rejects("WU01"));
    }
}
