//! The error codes of the journal import.
//!
//! Codes and meanings: <https://docs.oracle.com/cd/G31366_01/trans/G31246-01/error-codes-for-journal-import.html>.
//! As a rule a code with `E` rejects the row, and with it its whole group, and one with `W` only warns.

use super::details::LogEntry;

/// Each code with what it means.
const CODES: [(&str, &str); 22] = [
    ("EC01", "the conversion rate is missing"),
    ("EC02", "the conversion date is missing"),
    ("EC03", "the conversion type is missing"),
    ("EC06", "there is no conversion rate"),
    ("EC08", "the currency is invalid or disabled"),
    ("EC12", "the entered amount differs from the accounted one although the currency is the ledger's"),
    ("EC13", "the amount is too large"),
    ("EF01", "the account is inactive on that date"),
    ("EF02", "detail posting to the account is not allowed"),
    ("EF03", "the account is disabled"),
    ("EF04", "the account is invalid: check the segments' values and the cross-validation rules"),
    ("EF05", "there is no such code combination id"),
    ("EP01", "the date is not in an open or future-enterable period"),
    ("EP02", "the ledger has no open period"),
    ("EP03", "the date is not in an open encumbrance year"),
    ("EP04", "the date is not a business day"),
    ("EP05", "the period has no business day"),
    ("EU02", "the journal is unbalanced, and suspense is not allowed"),
    ("EU03", "the encumbrance journal is unbalanced"),
    ("WF01", "an alternate account was used"),
    ("WF02", "the suspense account was used"),
    ("WU01", "the journal is unbalanced, and was imported because suspense is allowed"),
];

/// What a code means; none for a code that Oracle's table does not have.
#[must_use]
pub fn meaning(code: &str) -> Option<&'static str> {
    CODES.iter().find(|(known, _)| *known == code).map(|(_, meaning)| *meaning)
}

/// The distinct codes that the jobs' logs and reports name, in the order in which they first stand there. Only
/// codes of Oracle's table are found; the text may name others, and why.
///
/// On real pods the execution report ends with a key that explains every code there is ("Error Key"); in reports of
/// another language that heading is not recognised. The key is passed over, as are codes that are part of something else, such as an account `101-EF01-000` or a UUID.
#[must_use]
pub fn import_codes(entries: &[LogEntry]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for line in entries.iter().flat_map(|entry| outside_of_key(&entry.text)) {
        for code in line.split(separates).flat_map(candidates) {
            if meaning(code).is_some() && !found.iter().any(|known| known == code) {
                found.push(code.to_owned());
            }
        }
    }
    found
}

/// The lines of a report but those of its key, which lasts until the rows with errors follow, or to the end.
fn outside_of_key(text: &str) -> impl Iterator<Item = &str> {
    let mut in_key = false;
    text.lines().filter(move |line| {
        if let Some(title) = title(line) {
            if title.eq_ignore_ascii_case("error key") {
                in_key = true;
            } else if title.eq_ignore_ascii_case("error lines") {
                in_key = false;
            }
        }
        !in_key
    })
}

/// The text of a heading: `====== Error Key ======`, or the bare words on a line of their own.
fn title(line: &str) -> Option<&str> {
    Some(line.trim_matches(|c: char| c.is_whitespace() || "=-*#:".contains(c)))
        .filter(|title| !title.is_empty())
}

fn separates(c: char) -> bool {
    c.is_whitespace() || ",;()[]{}<>|=*\"'".contains(c)
}

/// A word without the point or colon at its end; of `code:EF04` both parts. With more colons it is an address.
fn candidates(word: &str) -> impl Iterator<Item = &str> {
    let word = word.trim_end_matches(['.', ':', '!', '?']);
    let parts = if word.matches(':').count() <= 1 { 2 } else { 0 };
    word.splitn(parts, ':')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn codes(texts: &[&str]) -> Vec<String> {
        let entry = |text: &&str| LogEntry { name: "603550.txt".to_owned(), text: (*text).to_owned() };
        import_codes(&texts.iter().map(entry).collect::<Vec<_>>())
    }

    /// Made up after what is known of the report's form, not a recording.
    const REPORT: &str = "
Journal Import Execution Report          Date: 2026-05-16
====================== Error Lines ======================
EF04,EC03        Manual       2026-05-16  USD  100.00   101-EF01-000  A1B2C3D4-EC12-41D4-A716-446655440000
P                Manual       2026-05-16  USD  100.00   101.EF02.000
EF04             Manual       2026-05-16  USD    5.00   101-10-60540
====================== Error Key ======================
Unbalanced Journal Errors
-------------------------
WU01  Warning: This journal entry is unbalanced. It is accepted because suspense posting is allowed.
EU02  This journal entry is unbalanced and suspense posting is not allowed.
Period Error Codes
EP01  This date is not in any open or future enterable period.
";

    #[test]
    fn codes_of_rows_are_found_and_the_key_is_passed_over() {
        assert_eq!(codes(&["Import Journals started", REPORT]), ["EF04", "EC03"]);
        let key_first =
            REPORT.replace("Error Lines", "x").replace("Error Key", "Error Lines").replace('x', "Error Key");
        assert_eq!(codes(&[&key_first]), ["WU01", "EU02", "EP01"]);
        assert_eq!(codes(&["Error Key\nEP01 a date\n", "EU02 next entry"]), ["EU02"]);
    }

    #[test]
    fn codes_are_found_in_every_way_of_writing_them() {
        for text in [
            "EP01",
            "status=EP01",
            "(EP01)",
            "Error EP01.",
            "code:EP01",
            "EP01: closed",
            "P,EP01;x",
            "'EP01'",
            "EP01|",
        ] {
            assert_eq!(codes(&[text]), ["EP01"], "{text}");
        }
        assert_eq!(codes(&["EF04", "EU02 EF04", "EC03"]), ["EF04", "EU02", "EC03"]);
    }

    #[test]
    fn what_only_looks_like_a_code_is_not_one() {
        for text in [
            "",
            "ep01",
            "EP1",
            "EP010",
            "XEP01",
            "EP01X",
            "EP06",
            "EX01",
            "W01",
            "EP-01",
            "EP 01",
            "A-EP01",
            "EP01-A",
            "a/EP01",
            "EP01/b",
            "2001:EC01:0:0:EC02",
            "EC01_2",
            "$EP01",
            "WARNING",
            "ERROR",
            "E",
            "0xEC01",
            "EC01.EC02.EC03",
            "éEC01",
        ] {
            assert_eq!(codes(&[text]), [""; 0], "{text}");
        }
    }

    #[test]
    fn every_code_has_one_meaning() {
        for (at, (code, meaning)) in CODES.iter().enumerate() {
            assert!(code.len() == 4 && !meaning.is_empty(), "{code}");
            assert!(CODES[..at].iter().all(|(earlier, _)| earlier != code), "{code}");
        }
        assert_eq!(meaning("EF03"), Some("the account is disabled"));
        assert_eq!((meaning(""), meaning("EM29"), meaning("ef03")), (None, None, None));
    }

    proptest! {
        #[test]
        fn only_codes_of_the_table_are_found_and_each_once(texts in prop::collection::vec("[EFPUCW0-3 ,:.\n-]{0,60}", 0..4)) {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let found = codes(&texts);
            for (at, code) in found.iter().enumerate() {
                prop_assert!(meaning(code).is_some() && !found[..at].contains(code));
                prop_assert!(texts.iter().any(|text| text.contains(code.as_str())));
            }
        }

        #[test]
        fn a_code_within_a_word_is_never_found(before in "[A-Za-z0-9_-]{1,6}", after in "[A-Za-z0-9_-]{0,6}") {
            let word = format!("{before}EF04{after}");
            prop_assert_eq!(codes(&[word.as_str()]), [""; 0]);
        }

        #[test]
        fn no_text_makes_the_search_panic(text in any::<String>()) {
            let _ = codes(&[text.as_str()]);
        }
    }
}
