//! Ledgers, and rows of lists whose attributes are not known.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::object::Members;
use crate::record::{RecordError, read};
use crate::scalar;

/// A row of `ledgersLOV`. Sources spell its attributes differently, so both spellings are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    /// `LedgerId`.
    pub id: String,
    /// `Name` or `LedgerName`.
    pub name: Option<String>,
    /// `LedgerShortName`.
    pub short_name: Option<String>,
    /// `LedgerType`.
    pub ledger_type: Option<String>,
    /// `CurrencyCode`, the ISO 4217 code of the ledger's own currency.
    pub currency: Option<String>,
    /// `ChartOfAccountsId`, the number that account combinations carry too.
    pub chart_of_accounts_id: Option<String>,
    /// `ChartOfAccountsStructureId`, which other sources show in its place.
    pub chart_structure_id: Option<String>,
    /// `AccountingCalendar`.
    pub calendar: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct LedgerBody {
    #[serde(rename = "LedgerId", deserialize_with = "scalar::id")]
    id: Option<String>,
    #[serde(rename = "Name", deserialize_with = "scalar::text")]
    name: Option<String>,
    #[serde(rename = "LedgerName", deserialize_with = "scalar::text")]
    ledger_name: Option<String>,
    #[serde(rename = "LedgerShortName", deserialize_with = "scalar::text")]
    short_name: Option<String>,
    #[serde(rename = "LedgerType", deserialize_with = "scalar::text")]
    ledger_type: Option<String>,
    #[serde(rename = "CurrencyCode", deserialize_with = "scalar::text")]
    currency: Option<String>,
    #[serde(rename = "ChartOfAccountsId", deserialize_with = "scalar::id")]
    chart: Option<String>,
    #[serde(rename = "ChartOfAccountsStructureId", deserialize_with = "scalar::id")]
    structure: Option<String>,
    #[serde(rename = "AccountingCalendar", deserialize_with = "scalar::text")]
    calendar: Option<String>,
}

impl Ledger {
    /// Reads a raw row.
    ///
    /// # Errors
    /// [`RecordError`] when the id is missing or an attribute has an unreadable value.
    pub fn parse(raw: &RawValue) -> Result<Self, RecordError> {
        let body: LedgerBody = read(raw)?;
        Ok(Self {
            id: body.id.ok_or_else(|| RecordError::missing("LedgerId"))?,
            name: body.name.or(body.ledger_name),
            short_name: body.short_name,
            ledger_type: body.ledger_type,
            currency: body.currency,
            chart_of_accounts_id: body.chart,
            chart_structure_id: body.structure,
            calendar: body.calendar,
        })
    }

    /// Whether that is its name or its short name, in any case.
    #[must_use]
    pub fn is_named(&self, name: &str) -> bool {
        let name = name.trim().to_lowercase();
        let is = |own: &String| !name.is_empty() && own.trim().to_lowercase() == name;
        self.name.iter().chain(&self.short_name).any(is)
    }
}

/// A row of a list of which not even the attributes' names are documented: `journalSourcesLOV`,
/// `journalCategoriesLOV` and `dataAccessSetLedgersLOV`.
#[derive(Debug, Clone)]
pub struct ListRow {
    /// Every attribute that is text, a number or a flag, in the row's order, with its text.
    pub attributes: Vec<(String, String)>,
    /// The row as it came.
    pub raw: Box<RawValue>,
}

impl ListRow {
    /// Reads a raw row.
    ///
    /// # Errors
    /// [`RecordError`] when it is no object.
    pub fn parse(raw: &RawValue) -> Result<Self, RecordError> {
        let Members(members) = Members::of(raw.get()).map_err(|_| RecordError {
            path: "record".to_owned(),
            problem: "expected an object".to_owned(),
        })?;
        let text = |(name, value): (String, &RawValue)| Some((name, scalar::text(value).ok().flatten()?));
        Ok(Self { attributes: members.into_iter().filter_map(text).collect(), raw: raw.to_owned() })
    }

    /// The text of an attribute, by its name in any case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Whether any attribute has exactly this text, which can be a name as well as a key or an id.
    #[must_use]
    pub fn says(&self, text: &str) -> bool {
        self.attributes.iter().any(|(_, value)| value == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.to_owned()).unwrap()
    }

    #[test]
    fn a_ledger_is_read_in_both_spellings() {
        let one = Ledger::parse(&raw(
            r#"{"LedgerId":300000002498206,"Name":"US Primary","CurrencyCode":"USD","ChartOfAccountsId":5237}"#,
        ));
        let other = Ledger::parse(&raw(
            r#"{"LedgerId":"300000002498206","LedgerName":"US Primary","Name":null,"CurrencyCode":"USD","ChartOfAccountsStructureId":"5237"}"#,
        ));
        let (ledger, mut other) = (one.unwrap(), other.unwrap());
        assert_eq!(
            (&other.chart_of_accounts_id, &other.chart_structure_id),
            (&None, &Some("5237".to_owned()))
        );
        std::mem::swap(&mut other.chart_of_accounts_id, &mut other.chart_structure_id);
        assert_eq!(ledger, other);
        assert!(ledger.is_named(" us primary") && !ledger.is_named("US") && !ledger.is_named(""));
        assert_eq!(Ledger::parse(&raw("{}")).unwrap_err().path, "LedgerId");
    }

    #[test]
    fn a_row_of_unknown_attributes_is_found_by_any_of_them() {
        let row = ListRow::parse(&raw(
            r#"{"UserJeSourceName":"Asana","JeSourceKey":300000081590170,"Deep":{"a":"b"},"Flag":true}"#,
        ))
        .unwrap();
        assert!(row.says("Asana") && row.says("300000081590170") && row.says("true"));
        assert!(!row.says("asana") && !row.says("b") && !row.says("Asan"));
        assert_eq!((row.get("userjesourcename"), row.get("Deep")), (Some("Asana"), None));
        assert!(ListRow::parse(&raw("7")).is_err());
    }
}
