//! The error codes of the journal import, as they stand in the logs of its jobs.
//!
//! Their form and meaning: <https://docs.oracle.com/cd/G31366_01/trans/G31246-01/error-codes-for-journal-import.html>.
//! As a rule a code with `E` rejects the row, and with it its whole group, and one with `W` only warns.

use super::details::LogEntry;

/// Texts in which more distinct codes stand than this explain the codes and name no errors.
const MAX_CODES: usize = 10;

/// Whether a word has the form of a code: `E` or `W`, a capital letter, two digits. Pods name codes that Oracle's
/// page does not have.
#[must_use]
pub fn is_import_code(word: &str) -> bool {
    matches!(word.as_bytes(), [b'E' | b'W', letter, tens, ones]
        if letter.is_ascii_uppercase() && tens.is_ascii_digit() && ones.is_ascii_digit())
}

/// The distinct codes that the jobs' logs and reports name, in the order in which they first stand there. What has
/// the form of a code and stands alone is one ([`is_import_code`]), whether Oracle's page has it or not.
///
/// On real pods the execution report ends with a key that explains every code there is ("Error Key"), which is passed
/// over; in reports of another language that heading is not recognised, and more than ten codes count as none. What is
/// part of something else is no code either, such as an account `101-EF01-000` or a UUID.
#[must_use]
pub fn import_codes(entries: &[LogEntry]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for line in entries.iter().flat_map(|entry| outside_of_key(&entry.text)) {
        for code in line.split(separates).flat_map(candidates) {
            if is_import_code(code) && !found.iter().any(|known| known == code) {
                found.push(code.to_owned());
            }
        }
    }
    if found.len() > MAX_CODES { Vec::new() } else { found }
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
            "Ea01",
            "E101",
            "AP01",
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
    fn codes_that_oracle_s_page_does_not_have_are_found_too() {
        let line = "Group 7 row 1 account 101.10.60540 status EM01,EC11: The journal category is invalid.";
        assert_eq!(codes(&[line]), ["EM01", "EC11"]);
    }

    #[test]
    fn a_key_under_another_heading_names_no_errors() {
        let key: Vec<String> = (1..=11).map(|number| format!("EP{number:02}  ein Datum")).collect();
        assert_eq!(codes(&[&key.join("\n")]), [""; 0]);
        assert_eq!(codes(&[&key[1..].join("\n")]).len(), 10);
    }

    proptest! {
        #[test]
        fn only_words_of_the_form_are_found_and_each_once(texts in prop::collection::vec("[EFPUCW0-3 ,:.\n-]{0,60}", 0..4)) {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let found = codes(&texts);
            for (at, code) in found.iter().enumerate() {
                prop_assert!(is_import_code(code) && !found[..at].contains(code));
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
