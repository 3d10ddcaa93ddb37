//! The import's error codes: what they mean, what to do, and how they are found in a job's log.
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

const PERIOD: &str = "Open the period in Oracle, or leave `journal.closed_period` at `next_open`; then open the task and complete it again.";
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

/// A log in which more codes stand than this is its own table of all codes, not a list of errors.
const MAX_CODES: usize = 10;
/// Bytes of a log that are looked at; errors stand at its beginning and a log can be long.
const MAX_LOG: usize = 16 * 1024 * 1024;
/// The report's heading over the lines in error, and what ends them.
const ERROR_LINES: &str = "Error Lines";
const RULE: &str = "====================";

/// Finds a documented code.
#[must_use]
pub fn find(code: &str) -> Option<&'static ImportCode> {
    KNOWN.iter().find(|known| known.code == code)
}

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

/// The codes in an import's log, each once, in their order: at most ten.
///
/// The report lists the lines in error under "Error Lines" and explains every code there is in a table
/// further down, so only that part counts when it is there. Otherwise codes count wherever they stand, but
/// for a line that explains one; so many of them that it must be the table count as none.
#[must_use]
pub fn codes_in(log: &str) -> Vec<String> {
    let log = cut(log);
    let errors: Vec<&str> = log.lines().skip_while(|line| !line.contains(ERROR_LINES)).skip(1).collect();
    let mut codes = Vec::new();
    let listed = !errors.is_empty();
    let mut after_rule = false;
    for line in if listed { errors } else { log.lines().collect() } {
        if listed && line.contains(RULE) {
            // the heading may be underlined
            if after_rule || !codes.is_empty() {
                break;
            }
            after_rule = true;
            continue;
        }
        if !listed && explains(line) {
            continue;
        }
        for code in line.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| is_code(word)) {
            if !codes.iter().any(|known| known == code) {
                codes.push(code.to_owned());
            }
        }
    }
    if codes.len() > MAX_CODES && !listed {
        return Vec::new();
    }
    codes.truncate(MAX_CODES);
    codes
}

fn cut(log: &str) -> &str {
    let mut end = log.len().min(MAX_LOG);
    while !log.is_char_boundary(end) {
        end -= 1;
    }
    log.get(..end).unwrap_or_default()
}

fn is_code(word: &str) -> bool {
    let bytes = word.as_bytes();
    matches!(bytes, [b'E' | b'W', letter, a, b]
        if letter.is_ascii_uppercase() && a.is_ascii_digit() && b.is_ascii_digit())
}

/// A line of the table: the code alone, at least two spaces, its explanation.
fn explains(line: &str) -> bool {
    let line = line.trim_start();
    let (Some(code), Some(rest)) = (line.get(..4), line.get(4..)) else { return false };
    is_code(code) && rest.starts_with("  ") && rest.trim().contains(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_code_is_one_and_says_what_to_do() {
        for (at, known) in KNOWN.iter().enumerate() {
            assert!(is_code(known.code), "{}", known.code);
            assert!(!known.meaning.is_empty() && known.remedy.ends_with('.'), "{}", known.code);
            assert!(KNOWN[..at].iter().all(|other| other.code != known.code), "{} stands twice", known.code);
        }
        assert_eq!(find("EF04").unwrap().code, "EF04");
        assert_eq!(find("EX99"), None);
        assert!(rejects("EF04") && !rejects("WU01"));
    }

    #[test]
    fn the_codes_of_the_lines_in_error_are_found_and_the_table_is_not() {
        let report = "Journal Import Execution Report\n\
            ============== Error Lines ==============\n\
            EF04,EC03   300000001234567  101.10.60540\n\
            EF04        300000001234567  101.20.60540\n\
            ========================================\n\
            Error Key\n\
            EP01   This date is not in an open period.\n\
            EF04   The account isn't valid.\n";
        assert_eq!(codes_in(report), ["EF04", "EC03"]);
    }

    #[test]
    fn without_that_part_codes_count_where_they_stand() {
        assert_eq!(codes_in("line 1 rejected: EP01\nline 2 rejected: EP01, EF02."), ["EP01", "EF02"]);
        assert_eq!(codes_in("EP01   This date is not in an open period."), Vec::<String>::new());
        assert_eq!(codes_in("request 12 ended; PREP01x, EP001, ep01"), Vec::<String>::new());
    }

    #[test]
    fn a_table_of_all_codes_is_no_list_of_errors() {
        let table: Vec<&str> = KNOWN.iter().map(|known| known.code).collect();
        assert_eq!(codes_in(&table.join(" ")), Vec::<String>::new());
    }
}
