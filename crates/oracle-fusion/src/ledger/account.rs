//! Account combinations.

use jiff::civil::Date;
use serde_json::value::RawValue;

use crate::object::Members;
use crate::record::RecordError;
use crate::scalar;

/// `Segment1` to `Segment30`.
const MAX_SEGMENTS: usize = 30;

/// One part of an account combination, such as the cost center.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The attribute's name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// A row of `accountCombinationsLOV`.
///
/// Which segment is the cost center, no REST resource is known to tell; that is for the caller to know.
#[derive(Debug, Clone)]
pub struct AccountCombination {
    /// `CodeCombinationId`.
    pub id: String,
    /// `ChartOfAccountsId`. On pods it equals the `StructureInstanceNumber` of the chart of accounts, not its id.
    pub chart_of_accounts_id: Option<String>,
    /// `ConcatenatedSegments`. The delimiter is a choice of the chart of accounts.
    pub concatenated: Option<String>,
    /// The segments in their order.
    pub segments: Vec<Segment>,
    /// `AccountType`.
    pub account_type: Option<String>,
    /// `EnabledFlag`; none when the row does not say.
    pub enabled: Option<bool>,
    /// `DetailPostingAllowedFlag`; none when the row does not say.
    pub detail_posting: Option<bool>,
    /// `StartDateActive`, the first day on which it may be used, where the row tells one.
    pub start: Option<Date>,
    /// `EndDateActive`, the last day on which it may be used, where the row tells one.
    pub end: Option<Date>,
    /// The row as it came.
    pub raw: Box<RawValue>,
}

impl AccountCombination {
    /// Reads a raw row. `segments` are the attributes' names where the tenant has named them, in their order;
    /// without any, `Segment1` to `Segment30` are taken, as far as they have a value.
    ///
    /// # Errors
    /// [`RecordError`] when the id is missing, a flag is neither yes nor no, or a named segment is not in the row.
    pub fn parse(raw: &RawValue, segments: &[&str]) -> Result<Self, RecordError> {
        let members = members(raw)?;
        Ok(Self {
            id: id(&members)?,
            chart_of_accounts_id: either(&members, ["ChartOfAccountsId", "_CHART_OF_ACCOUNTS_ID"]),
            concatenated: members.text("ConcatenatedSegments"),
            segments: if segments.is_empty() { numbered(&members) } else { named(&members, segments)? },
            account_type: members.text("AccountType"),
            enabled: flag(&members, "EnabledFlag")?,
            detail_posting: flag(&members, "DetailPostingAllowedFlag")?,
            start: day(&members, "StartDateActive")?,
            end: day(&members, "EndDateActive")?,
            raw: raw.to_owned(),
        })
    }

    /// Reads no more of a row than its id.
    pub(super) fn id_of(raw: &RawValue) -> Result<String, RecordError> {
        id(&members(raw)?)
    }

    /// Whether a line may be charged to it on that day, as far as its row tells.
    #[must_use]
    pub fn is_valid(&self, day: Date) -> bool {
        self.enabled != Some(false)
            && self.detail_posting != Some(false)
            && self.start.is_none_or(|first| first <= day)
            && self.end.is_none_or(|last| day <= last)
    }

    /// The value of a segment, by its name in any case.
    #[must_use]
    pub fn segment(&self, name: &str) -> Option<&str> {
        let found = self.segments.iter().find(|segment| segment.name.eq_ignore_ascii_case(name));
        found.map(|segment| segment.value.as_str())
    }
}

fn members(raw: &RawValue) -> Result<Members<'_>, RecordError> {
    Members::of(raw.get()).map_err(|_| problem("record", "expected an object"))
}

fn id(members: &Members<'_>) -> Result<String, RecordError> {
    let id = either(members, ["CodeCombinationId", "_CODE_COMBINATION_ID"]).filter(|id| !id.is_empty());
    id.ok_or_else(|| RecordError::missing("CodeCombinationId"))
}

/// One attribute under either of its names.
fn either(members: &Members<'_>, names: [&str; 2]) -> Option<String> {
    names.into_iter().find_map(|name| members.text(name))
}

fn numbered(members: &Members<'_>) -> Vec<Segment> {
    let names = (1..=MAX_SEGMENTS).map(|number| format!("Segment{number}"));
    names.filter_map(|name| Some(Segment { value: members.text(&name)?, name })).collect()
}

/// Leaving one out would shift all after it, so each must be there.
fn named(members: &Members<'_>, names: &[&str]) -> Result<Vec<Segment>, RecordError> {
    let segment = |name: &&str| match members.text(name) {
        Some(value) => Ok(Segment { name: (*name).to_owned(), value }),
        None => Err(problem(name, "the row has no such segment")),
    };
    names.iter().map(segment).collect()
}

fn flag(members: &Members<'_>, name: &str) -> Result<Option<bool>, RecordError> {
    let Some(value) = members.get(name) else { return Ok(None) };
    scalar::flag(value).map(Some).map_err(|_| problem(name, "expected a flag"))
}

fn day(members: &Members<'_>, name: &str) -> Result<Option<Date>, RecordError> {
    let Some(value) = members.get(name) else { return Ok(None) };
    scalar::date(value).map_err(|_| problem(name, "expected a date"))
}

fn problem(path: &str, problem: &str) -> RecordError {
    RecordError { path: path.to_owned(), problem: problem.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(json: &str, segments: &[&str]) -> Result<AccountCombination, RecordError> {
        AccountCombination::parse(&RawValue::from_string(json.to_owned()).unwrap(), segments)
    }

    fn values(account: &AccountCombination) -> Vec<&str> {
        account.segments.iter().map(|segment| segment.value.as_str()).collect()
    }

    #[test]
    fn numbered_segments_come_in_their_order() {
        let json = r#"{"Segment10":"9","Segment2":"10","Segment1":"101","Segment3":60540,"Segment4":null,"CodeCombinationId":626955,
            "_CHART_OF_ACCOUNTS_ID":5237,"ConcatenatedSegments":"101.10.60540","AccountType":"E","EnabledFlag":"Y",
            "DetailPostingAllowedFlag":false,"Segment31":"x"}"#;
        let account = parse(json, &[]).unwrap();
        assert_eq!(values(&account), ["101", "10", "60540", "9"]);
        assert_eq!((account.id.as_str(), account.chart_of_accounts_id.as_deref()), ("626955", Some("5237")));
        assert_eq!((account.enabled, account.detail_posting), (Some(true), Some(false)));
        assert_eq!(account.raw.get(), json);
        assert_eq!((account.segment("segment2"), account.segment("Segment4")), (Some("10"), None));
    }

    #[test]
    fn segments_that_the_tenant_named_come_in_the_order_asked_for() {
        let json = r#"{"_CODE_COMBINATION_ID":"626955","account":"60540","company":"101","costCenter":"10","Segment1":"no","EnabledFlag":true}"#;
        let account = parse(json, &["company", "CostCenter", "account"]).unwrap();
        assert_eq!(values(&account), ["101", "10", "60540"]);
        assert_eq!((account.enabled, account.detail_posting), (Some(true), None));
        assert_eq!(parse(json, &["company", "subAccount"]).unwrap_err().path, "subAccount");
    }

    #[test]
    fn a_row_that_says_nothing_of_itself_is_refused() {
        for (json, path) in [
            ("{}", "CodeCombinationId"),
            ("[]", "record"),
            (r#"{"CodeCombinationId":null}"#, "CodeCombinationId"),
            (r#"{"CodeCombinationId":1,"EnabledFlag":"perhaps"}"#, "EnabledFlag"),
            (r#"{"CodeCombinationId":1,"EndDateActive":"never"}"#, "EndDateActive"),
        ] {
            assert_eq!(parse(json, &[]).unwrap_err().path, path, "{json}");
        }
    }

    #[test]
    fn a_combination_is_valid_within_its_days_unless_a_flag_says_no() {
        let day = |text: &str| text.parse().unwrap();
        let dated = parse(
            r#"{"CodeCombinationId":1,"StartDateActive":"2026-01-02","EndDateActive":"2026-03-31"}"#,
            &[],
        );
        let dated = dated.unwrap();
        assert!(dated.is_valid(day("2026-01-02")) && dated.is_valid(day("2026-03-31")));
        assert!(!dated.is_valid(day("2026-01-01")) && !dated.is_valid(day("2026-04-01")));
        for flag in ["EnabledFlag", "DetailPostingAllowedFlag"] {
            let off = parse(&format!(r#"{{"CodeCombinationId":1,"{flag}":"N"}}"#), &[]).unwrap();
            assert!(!off.is_valid(day("2026-01-02")), "{flag}");
        }
    }

    proptest! {
        #[test]
        fn every_row_gives_its_segments_back(values in prop::collection::vec("[A-Z0-9]{1,6}", 1..=30), seed in any::<prop::sample::Index>()) {
            let mut members: Vec<String> =
                values.iter().enumerate().map(|(at, value)| format!("\"Segment{}\":\"{value}\"", at + 1)).collect();
            members.rotate_left(seed.index(values.len()));
            let account = parse(&format!("{{\"CodeCombinationId\":1,{}}}", members.join(",")), &[]).unwrap();
            let found: Vec<String> = account.segments.into_iter().map(|segment| segment.value).collect();
            prop_assert_eq!(found, values);
        }

        #[test]
        fn no_row_makes_the_reader_panic(text in "\\PC{0,60}", value in "[0-9\"{}a-zT:.-]{0,20}") {
            for json in [text, format!("{{\"CodeCombinationId\":{value},\"EnabledFlag\":{value}}}")] {
                if let Ok(raw) = RawValue::from_string(json) {
                    let _ = AccountCombination::parse(&raw, &["a"]);
                }
            }
        }
    }
}
