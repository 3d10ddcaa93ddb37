//! The answers about journals, in the order in which they are asked, and the section that follows from them. Pure.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::code::Code;
use crate::error::{Error, Result};
use crate::guide::answers::Named;
use crate::guide::answers::with_defaults;
use crate::journal::JournalSettings;
use crate::journal::currency::Currency;
use crate::journal::settings::is_id;

/// What was answered about journals.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct JournalAnswers {
    /// The ledger, by its id.
    pub ledger: Option<Named>,
    /// The ledger's currency.
    pub currency: Option<String>,
    /// The journal source's name.
    pub source: Option<String>,
    /// The journal category's name.
    pub category: Option<String>,
    /// Which data access set, if any.
    pub access: Option<AccessSet>,
    /// The clearing account.
    pub clearing: Option<Clearing>,
    /// The ledger's time zone.
    pub time_zone: Option<String>,
    /// By which rate type a cost in another currency is converted, if any.
    pub rate: Option<RateType>,
}

/// What becomes of a cost in another currency than the ledger's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RateType {
    /// It brings no journal.
    None,
    /// It is converted by the conversion rate type of this name.
    Name(String),
}

/// Which data access set an import names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessSet {
    /// None: not every pod needs one.
    None,
    /// The one with this id.
    Id(String),
}

/// How the clearing account is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clearing {
    /// By its code combination id.
    Id(String),
    /// By its segments.
    Segments(String),
}

/// What is asked about journals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JournalQuestion {
    /// The ledger.
    Ledger,
    /// Its currency, when Oracle does not tell it.
    Currency,
    /// The source.
    Source,
    /// The category.
    Category,
    /// The data access set.
    Access,
    /// The clearing account.
    Clearing,
    /// The time zone.
    TimeZone,
    /// The conversion rate type.
    Rate,
}

impl JournalQuestion {
    /// What is asked for, in a few words.
    #[must_use]
    pub fn what(self) -> &'static str {
        match self {
            JournalQuestion::Ledger => "ledger",
            JournalQuestion::Currency => "ledger's currency",
            JournalQuestion::Source => "journal source",
            JournalQuestion::Category => "journal category",
            JournalQuestion::Access => "data access set",
            JournalQuestion::TimeZone => "ledger's time zone",
            JournalQuestion::Rate => "conversion rate type",
            JournalQuestion::Clearing => "clearing account",
        }
    }
}

impl JournalAnswers {
    /// Takes an answer back, and what depends on it: another ledger has a currency, a time zone, accounts and data access
    /// sets of its own.
    pub fn take_back(&mut self, question: JournalQuestion) {
        match question {
            JournalQuestion::Ledger => {
                let (source, category, rate) = (self.source.take(), self.category.take(), self.rate.take());
                *self = JournalAnswers { source, category, rate, ..JournalAnswers::default() };
            }
            JournalQuestion::Currency => self.currency = None,
            JournalQuestion::Source => self.source = None,
            JournalQuestion::Category => self.category = None,
            JournalQuestion::Access => self.access = None,
            JournalQuestion::TimeZone => self.time_zone = None,
            JournalQuestion::Rate => self.rate = None,
            JournalQuestion::Clearing => self.clearing = None,
        }
    }

    /// What is asked next; `None`: the section is whole.
    #[must_use]
    pub fn next(&self) -> Option<JournalQuestion> {
        let open = [
            (self.ledger.is_none(), JournalQuestion::Ledger),
            (self.currency.is_none(), JournalQuestion::Currency),
            (self.source.is_none(), JournalQuestion::Source),
            (self.category.is_none(), JournalQuestion::Category),
            (self.access.is_none(), JournalQuestion::Access),
            (self.time_zone.is_none(), JournalQuestion::TimeZone),
            (self.rate.is_none(), JournalQuestion::Rate),
            (self.clearing.is_none(), JournalQuestion::Clearing),
        ];
        open.into_iter().find_map(|(is_open, question)| is_open.then_some(question))
    }

    /// What was answered, with its value.
    #[must_use]
    pub fn told(&self) -> Vec<(JournalQuestion, String)> {
        let access = self.access.as_ref().map(|access| match access {
            AccessSet::None => "none".to_owned(),
            AccessSet::Id(id) => id.clone(),
        });
        let clearing = self.clearing.as_ref().map(|clearing| match clearing {
            Clearing::Id(id) => format!("id {id}"),
            Clearing::Segments(text) => text.clone(),
        });
        let rate = self.rate.as_ref().map(|rate| match rate {
            RateType::None => "none: costs in other currencies bring no journal".to_owned(),
            RateType::Name(name) => name.clone(),
        });
        let all = [
            (JournalQuestion::Ledger, self.ledger.as_ref().map(Named::to_string)),
            (JournalQuestion::Currency, self.currency.clone()),
            (JournalQuestion::Source, self.source.clone()),
            (JournalQuestion::Category, self.category.clone()),
            (JournalQuestion::Access, access),
            (JournalQuestion::TimeZone, self.time_zone.clone()),
            (JournalQuestion::Rate, rate),
            (JournalQuestion::Clearing, clearing),
        ];
        all.into_iter().filter_map(|(question, value)| Some((question, value?))).collect()
    }

    /// The `[journal]` section with this clearing account in place of the answered one.
    ///
    /// # Errors
    /// [`Code::SettingsInvalid`] with every problem, or that an answer is missing.
    pub fn section(&self, clearing: Option<&Clearing>) -> Result<JournalSettings> {
        let clearing = clearing.or(self.clearing.as_ref());
        let (Some(ledger), Some(currency), Some(source), Some(category), Some(zone), Some(clearing)) =
            (&self.ledger, &self.currency, &self.source, &self.category, &self.time_zone, clearing)
        else {
            return Err(Error::new(Code::SettingsInvalid, "journals are not answered whole"));
        };
        let mut given = json!({
            "ledger_id": ledger.gid, "ledger_currency": currency, "source": source, "category": category,
            "time_zone": zone,
        });
        if !ledger.name.is_empty() {
            given["ledger"] = json!(ledger.name);
        }
        if let Some(AccessSet::Id(id)) = &self.access {
            given["data_access_set"] = json!(id);
        }
        if let Some(RateType::Name(name)) = &self.rate {
            given["rate_type"] = json!(name);
        }
        match clearing {
            Clearing::Id(id) => given["clearing_account_id"] = json!(id),
            Clearing::Segments(text) => given["clearing_account"] = json!(text),
        }
        let section: JournalSettings = with_defaults(given)?;
        match section.problems() {
            problems if problems.is_empty() => Ok(section),
            problems => Err(Error::several(Code::SettingsInvalid, problems)),
        }
    }
}

/// A clearing account as people give it: the id of its code combination, which is digits alone, or its segments.
#[must_use]
pub fn clearing(text: &str) -> Clearing {
    let text = text.trim();
    match text.bytes().all(|b| b.is_ascii_digit()) {
        true => Clearing::Id(text.to_owned()),
        false => Clearing::Segments(text.to_owned()),
    }
}

/// An id of Oracle's.
///
/// # Errors
/// [`Code::SettingsInvalid`] when it is no number that an id can be.
pub fn id(text: &str) -> Result<String> {
    let text = text.trim();
    match is_id(text) {
        true => Ok(text.to_owned()),
        false => Err(Error::new(Code::SettingsInvalid, "that is no id: a number of at most 18 digits")),
    }
}

/// A time zone's name, as it is known.
///
/// # Errors
/// [`Code::SettingsInvalid`] when it is not known.
pub fn time_zone(text: &str) -> Result<String> {
    let unknown = || Error::new(Code::SettingsInvalid, "that is no time zone such as America/New_York");
    let zone = TimeZone::get(text.trim()).map_err(|_| unknown())?;
    zone.iana_name().map(str::to_owned).ok_or_else(unknown)
}

/// A currency's code in capital letters.
///
/// # Errors
/// [`Code::SettingsInvalid`] when it is not known.
pub fn currency(text: &str) -> Result<String> {
    let code = text.trim().to_uppercase();
    let unknown = |_| Error::new(Code::SettingsInvalid, "that is no ISO 4217 code such as USD");
    Currency::find(&code, &BTreeMap::new()).map_err(unknown)?;
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole() -> JournalAnswers {
        JournalAnswers {
            ledger: Some(Named { gid: "300".to_owned(), name: "US Primary".to_owned() }),
            currency: Some("USD".to_owned()),
            source: Some("Asana".to_owned()),
            category: Some("Cost".to_owned()),
            access: Some(AccessSet::Id("41".to_owned())),
            clearing: Some(clearing("7")),
            time_zone: Some("America/New_York".to_owned()),
            rate: Some(RateType::Name("Corporate".to_owned())),
        }
    }

    #[test]
    fn each_answer_is_asked_once_and_the_account_last() {
        let whole = whole();
        let (mut answers, mut asked) = (JournalAnswers::default(), Vec::new());
        while let Some(question) = answers.next() {
            asked.push(question);
            let can_miss = matches!(question, JournalQuestion::Rate | JournalQuestion::Access);
            assert!(can_miss || answers.section(None).is_err(), "{question:?} is open");
            match question {
                JournalQuestion::Ledger => answers.ledger.clone_from(&whole.ledger),
                JournalQuestion::Currency => answers.currency.clone_from(&whole.currency),
                JournalQuestion::Source => answers.source.clone_from(&whole.source),
                JournalQuestion::Category => answers.category.clone_from(&whole.category),
                JournalQuestion::Access => answers.access.clone_from(&whole.access),
                JournalQuestion::Clearing => answers.clearing.clone_from(&whole.clearing),
                JournalQuestion::TimeZone => answers.time_zone.clone_from(&whole.time_zone),
                JournalQuestion::Rate => answers.rate.clone_from(&whole.rate),
            }
        }
        assert_eq!((asked.len(), asked.last()), (8, Some(&JournalQuestion::Clearing)));
        let told: Vec<JournalQuestion> = answers.told().into_iter().map(|(question, _)| question).collect();
        assert_eq!(told, asked);
        for question in asked {
            let mut answers = whole.clone();
            answers.take_back(question);
            assert_eq!(answers.next(), Some(question), "it is asked again");
        }
        answers.take_back(JournalQuestion::Ledger);
        let left: Vec<JournalQuestion> = answers.told().into_iter().map(|(question, _)| question).collect();
        assert_eq!(left, [JournalQuestion::Source, JournalQuestion::Category, JournalQuestion::Rate]);
    }

    #[test]
    fn the_section_is_that_of_a_file_with_the_same_values() {
        let text = "ledger_id = \"300\"\nledger = \"US Primary\"\nledger_currency = \"USD\"\nsource = \"Asana\"\n\
                    category = \"Cost\"\ndata_access_set = \"41\"\nclearing_account_id = \"7\"\n\
                    time_zone = \"America/New_York\"\nrate_type = \"Corporate\"\n";
        let read = |text: &str| toml::from_str::<JournalSettings>(text).unwrap();
        assert_eq!(whole().section(None).unwrap(), read(text));
        let segments = text.replace("clearing_account_id = \"7\"", "clearing_account = \"1.2\"");
        assert_eq!(whole().section(Some(&clearing(" 1.2 "))).unwrap(), read(&segments));
        let (access, rate) = (Some(AccessSet::None), Some(RateType::None));
        let answers = JournalAnswers { access, rate, ..whole() };
        let section = answers.section(None).unwrap();
        assert_eq!((section.data_access_set, section.rate_type), (None, None));
        let stored: JournalAnswers = serde_json::from_str(&serde_json::to_string(&answers).unwrap()).unwrap();
        assert_eq!(stored, answers);
    }

    #[test]
    fn what_cannot_work_is_told_as_in_a_file() {
        let answers = JournalAnswers { access: Some(AccessSet::Id("x".to_owned())), ..whole() };
        let error = answers.section(None).unwrap_err();
        assert!(error.message.contains("journal.data_access_set"), "{error}");
        assert!(id("x").is_err() && id("").is_err() && id("1234567890123456789").is_err());
        assert_eq!(id(" 7 ").unwrap(), "7");
        assert!(time_zone("Mars/Base").is_err() && currency("XX").is_err());
        assert_eq!(
            (time_zone("Europe/Berlin").unwrap().as_str(), currency("usd").unwrap().as_str()),
            ("Europe/Berlin", "USD")
        );
    }
}
