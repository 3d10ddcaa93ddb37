//! Journal batches.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::integration::GroupId;
use crate::number::Number;
use crate::record::{RecordError, read};
use crate::scalar;

/// A row of `journalBatches`.
///
/// Attributes as clients see them on pods; Oracle's page names the resource and its finder
/// (<https://docs.oracle.com/en/cloud/saas/financials/23d/farfa/api-journal-batches.html>).
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct JournalBatch {
    /// `JeBatchId`.
    #[serde(rename = "JeBatchId", deserialize_with = "required_id")]
    pub id: String,
    /// `BatchName`. General ledger builds it when it imports, from the name that was sent, the source, the
    /// balance type, the group id, the id of the import's process and more, so it never equals what was sent
    /// (<https://docs.oracle.com/en/cloud/saas/financials/25d/faugl/what-happens-when-multiple-journals-with-the-same-batch-name-and-different-ledgers-are-uploaded-into-general-ledger.html>).
    #[serde(rename = "BatchName", deserialize_with = "scalar::text")]
    pub name: Option<String>,
    /// `BatchDescription`.
    #[serde(rename = "BatchDescription", deserialize_with = "scalar::text")]
    pub description: Option<String>,
    /// `DefaultPeriodName`.
    #[serde(rename = "DefaultPeriodName", deserialize_with = "scalar::text")]
    pub period: Option<String>,
    /// `Status`, such as `U` for unposted or `P` for posted; the whole list is not documented.
    #[serde(rename = "Status", deserialize_with = "scalar::text")]
    pub status: Option<String>,
    /// `StatusMeaning`, in the language of the token's user.
    #[serde(rename = "StatusMeaning", deserialize_with = "scalar::text")]
    pub status_meaning: Option<String>,
    /// `CompletionStatusMeaning`, in the language of the token's user.
    #[serde(rename = "CompletionStatusMeaning", deserialize_with = "scalar::text")]
    pub completion_status: Option<String>,
    /// `ApprovalStatusMeaning`, in the language of the token's user.
    #[serde(rename = "ApprovalStatusMeaning", deserialize_with = "scalar::text")]
    pub approval_status: Option<String>,
    /// `UserJeSourceName`.
    #[serde(rename = "UserJeSourceName", deserialize_with = "scalar::text")]
    pub source: Option<String>,
    /// `RunningTotalAccountedDr`, in the ledger's currency.
    #[serde(rename = "RunningTotalAccountedDr", deserialize_with = "scalar::number")]
    pub running_total_dr: Option<Number>,
    /// `RunningTotalAccountedCr`, in the ledger's currency.
    #[serde(rename = "RunningTotalAccountedCr", deserialize_with = "scalar::number")]
    pub running_total_cr: Option<Number>,
    /// `CreationDate`; none as well when it is no point in time with an offset.
    #[serde(rename = "CreationDate", deserialize_with = "scalar::timestamp_if_any")]
    pub created: Option<Timestamp>,
}

/// A null id reads as none, which [`JournalBatch::parse`] refuses.
fn required_id<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(scalar::id(deserializer)?.unwrap_or_default())
}

impl JournalBatch {
    /// Reads a raw row.
    ///
    /// # Errors
    /// [`RecordError`] when the id is missing or an attribute has an unreadable value.
    pub fn parse(raw: &RawValue) -> Result<Self, RecordError> {
        let batch: Self = read(raw)?;
        if batch.id.is_empty() {
            return Err(RecordError::missing("JeBatchId"));
        }
        Ok(batch)
    }

    /// Whether the batch's name carries the group id, as a number of its own and not as part of a longer one.
    #[must_use]
    pub fn carries(&self, group: GroupId) -> bool {
        let group = group.to_string();
        let name = self.name.as_deref().unwrap_or_default();
        name.split(|c: char| !c.is_ascii_digit()).any(|number| number == group)
    }
}

/// The longest part of a batch's name that can be searched for and is not its beginning or end.
pub(super) fn searchable(name: &str) -> Option<&str> {
    let mut inner = name.chars();
    inner.next()?;
    inner.next_back()?;
    inner.as_str().split(['*', '%']).max_by_key(|part| part.len()).filter(|part| !part.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn named(name: &str) -> JournalBatch {
        JournalBatch { id: "1".to_owned(), name: Some(name.to_owned()), ..JournalBatch::default() }
    }

    fn group(id: u64) -> GroupId {
        GroupId::new(id).unwrap()
    }

    #[test]
    fn a_batch_is_read_with_its_exact_totals() {
        let raw = r#"{"JeBatchId":300000123456789,"BatchName":"Facility Expenses Spreadsheet A 28082025 28810 N",
            "DefaultPeriodName":"May-26","Status":"U","StatusMeaning":"Unposted","RunningTotalAccountedDr":1200.10,
            "RunningTotalAccountedCr":"1200.10","CreationDate":"2026-05-04T08:11:02.120+00:00","New":{}}"#;
        let batch = JournalBatch::parse(&RawValue::from_string(raw.to_owned()).unwrap()).unwrap();
        assert_eq!((batch.id.as_str(), batch.status.as_deref()), ("300000123456789", Some("U")));
        assert_eq!(batch.running_total_dr, batch.running_total_cr);
        assert_eq!(batch.created.unwrap().to_string(), "2026-05-04T08:11:02.12Z");
        assert!(batch.carries(group(28_082_025)));
        for (json, path) in [(r#"{"BatchName":"x"}"#, "JeBatchId"), (r#"{"JeBatchId":null}"#, "JeBatchId")] {
            assert_eq!(
                JournalBatch::parse(&RawValue::from_string(json.to_owned()).unwrap()).unwrap_err().path,
                path
            );
        }
    }

    #[test]
    fn an_odd_date_does_not_hide_a_batch() {
        for date in ["\"2026-05-04\"", "7", "null", "{}"] {
            let raw = format!(r#"{{"JeBatchId":1,"CreationDate":{date}}}"#);
            assert_eq!(JournalBatch::parse(&RawValue::from_string(raw).unwrap()).unwrap().created, None);
        }
    }

    #[test]
    fn a_longer_number_is_another_group() {
        for (name, carries) in [
            ("Costs Spreadsheet A 4711 28810 N", true),
            ("4711", true),
            ("Costs A 147110 1 N", false),
            ("Costs A 47110 1 N", false),
            ("", false),
        ] {
            assert_eq!(named(name).carries(group(4711)), carries, "{name}");
        }
        assert!(!JournalBatch::default().carries(group(1)));
    }

    #[test]
    fn a_part_to_search_for_lies_within_the_name() {
        for (name, part) in [
            ("Costs A 4711", Some("osts A 471")),
            ("a100% of cost*b", Some(" of cost")),
            ("abc", Some("b")),
            ("äöü", Some("ö")),
            ("ab", None),
            ("", None),
            ("a%*b", None),
        ] {
            assert_eq!(searchable(name), part, "{name}");
        }
    }

    proptest! {
        #[test]
        fn a_batch_named_by_general_ledger_carries_its_group(id in 1u64..=999_999_999_999_999_999, name in "[A-Za-z ]{0,20}", process in 1u64..99_999) {
            let name = format!("{name} Spreadsheet A {id} {process} N");
            prop_assert!(named(&name).carries(group(id)));
        }

        #[test]
        fn no_row_makes_the_reader_panic(text in "\\PC{0,60}", value in "[0-9\"{}\\[\\]a-z:,.-]{0,20}") {
            for json in [text, format!("{{\"JeBatchId\":{value},\"BatchName\":{value}}}")] {
                if let Ok(raw) = RawValue::from_string(json) {
                    let _ = JournalBatch::parse(&raw);
                }
            }
        }
    }
}
