//! The words by which a record is found, and what asks for them, both as PostgreSQL reads them.
//!
//! Words are lower-case runs of letters and digits. Each begins with the last digits of its connection's id, so that an
//! index over the words of all connections is read for one alone.

use std::collections::BTreeSet;

use crate::ids::ConnectionId;
use crate::search::Words;

/// Characters of a text whose words are taken up; an invoice can name very many orders.
const MOST_TEXT: usize = 4_000;
/// Characters of a text that asks.
const MOST_ASKED: usize = 400;
/// Characters of one word.
const LONGEST: usize = 60;
/// Digits inside of a word that are a word of their own.
const DIGITS: usize = 3;

/// What the words of a record are taken from.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Named<'a> {
    /// Its id in Oracle.
    pub source_id: &'a str,
    /// The numbers of orders that it carries or names.
    pub order_numbers: Option<&'a str>,
    /// The supplier's name.
    pub supplier: Option<&'a str>,
    /// The supplier's number.
    pub supplier_number: Option<&'a str>,
    /// Of an invoice its own number.
    pub invoice_number: Option<&'a str>,
}

/// What a word belongs to, as the weight of its place in the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    Supplier,
    Invoice,
    Other,
}

impl Weight {
    /// Places are kept apart by weight: of two at one place the lighter would be lost.
    fn place(self) -> &'static str {
        match self {
            Weight::Supplier => "1A",
            Weight::Invoice => "2B",
            Weight::Other => "3C",
        }
    }
}

/// The words of a record as the text of a `tsvector`.
pub(crate) fn of_record(connection: ConnectionId, record: &Named<'_>) -> String {
    let texts = [
        (Some(record.source_id), Weight::Other),
        (record.order_numbers, Weight::Other),
        (record.supplier, Weight::Supplier),
        (record.supplier_number, Weight::Supplier),
        (record.invoice_number, Weight::Invoice),
    ];
    let mut all = BTreeSet::new();
    for (text, weight) in texts {
        for word in split(text.unwrap_or_default(), MOST_TEXT) {
            all.extend(digits(&word).map(|digits| (digits.to_owned(), weight)));
            all.insert((word, weight));
        }
    }
    let mark = mark(connection);
    let words: Vec<String> =
        all.iter().map(|(word, weight)| format!("'{mark}{word}':{}", weight.place())).collect();
    words.join(" ")
}

/// What asks for each of these words from its beginning, as texts of a `tsquery` each; none: for nothing.
pub(crate) fn each(connection: ConnectionId, words: &Words) -> Vec<String> {
    let mark = mark(connection);
    let texts = [(&words.supplier, "A"), (&words.invoice, "B"), (&words.text, "")];
    let mut all = Vec::new();
    for (text, weight) in texts {
        let text = text.as_deref().unwrap_or_default();
        all.extend(split(text, MOST_ASKED).map(|word| format!("'{mark}{word}':*{weight}")));
    }
    all
}

/// What asks for all of these words, as the text of a `tsquery`; empty: for nothing.
pub(crate) fn asked(connection: ConnectionId, words: &Words) -> String {
    all_of(&each(connection, words))
}

/// What asks for all that these ask for.
pub(crate) fn all_of(asked: &[String]) -> String {
    asked.join(" & ")
}

fn mark(connection: ConnectionId) -> String {
    let id = connection.0.simple().to_string();
    id.get(id.len() - 6..).unwrap_or_default().to_owned()
}

fn split(text: &str, most: usize) -> impl Iterator<Item = String> {
    let text: String = text.chars().take(most).collect::<String>().to_lowercase();
    let words: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| word.chars().take(LONGEST).collect())
        .collect();
    words.into_iter()
}

/// The longer runs of digits in a word that mixes them with letters: 165121 finds US165121.
fn digits(word: &str) -> impl Iterator<Item = &str> {
    word.split(|c: char| !c.is_ascii_digit()).filter(move |run| run.len() >= DIGITS && run.len() < word.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    const ID: ConnectionId = ConnectionId(Uuid::from_u128(0xabc_123));

    fn supplier(name: &str) -> String {
        of_record(ID, &Named { supplier: Some(name), ..Named::default() })
    }

    #[test]
    fn a_record_has_the_words_of_all_its_parts_each_with_its_weight() {
        let record = Named {
            source_id: "300",
            order_numbers: Some("US165121\nUS2"),
            supplier: Some("Müller & Söhne"),
            supplier_number: Some("1201"),
            invoice_number: Some("INV-2/a"),
        };
        assert_eq!(
            of_record(ID, &record),
            "'abc1231201':1A 'abc123165121':3C 'abc1232':2B 'abc123300':3C 'abc123a':2B 'abc123inv':2B \
             'abc123müller':1A 'abc123söhne':1A 'abc123us165121':3C 'abc123us2':3C"
        );
        assert_eq!(supplier("300 300"), "'abc123300':1A");
        assert_eq!(of_record(ID, &Named { source_id: "9", ..Named::default() }), "'abc1239':3C");
    }

    #[test]
    fn words_are_asked_for_where_they_should_stand() {
        let words = |supplier: &str, invoice: &str, text: &str| Words {
            supplier: Some(supplier.into()).filter(|_| !supplier.is_empty()),
            invoice: Some(invoice.into()).filter(|_| !invoice.is_empty()),
            text: Some(text.into()).filter(|_| !text.is_empty()),
        };
        assert_eq!(asked(ID, &words("Acme", "", "US-1")), "'abc123acme':*A & 'abc123us':* & 'abc1231':*");
        assert_eq!(asked(ID, &words("", "inv-7", "")), "'abc123inv':*B & 'abc1237':*B");
        assert_eq!(asked(ID, &words("", "", "&|!'")), "");
    }

    proptest! {
        /// Nothing in a text can leave its quotes, and no word is longer than an index takes.
        #[test]
        fn any_text_gives_words_that_can_be_read(text in "\\PC{0,300}|.{0,80}") {
            for text in [supplier(&text), asked(ID, &Words { text: Some(text.clone()), ..Words::default() })] {
                for part in text.split([' ', '&']).filter(|part| !part.is_empty()) {
                    let (word, place) = part.trim_start_matches('\'').split_once("':").unwrap();
                    prop_assert!(word.chars().all(char::is_alphanumeric) && word.len() < 2_000, "{}", part);
                    prop_assert!(["1A", "*"].contains(&place), "{}", part);
                }
            }
        }
    }
}
