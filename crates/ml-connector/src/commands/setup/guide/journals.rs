//! Whether completed tasks bring journals, and what those need.

use std::fmt::Display;

use connector::Result;
use connector::guide::answers::Named;
use connector::guide::journal::{self, AccessSet, Clearing, JournalAnswers, JournalQuestion, RateType};
use connector::guide::offers::{self, RowOffer};
use connector::manage::{self, Secrets};
use connector::ping::Verdict;
use connector::settings::Settings;
use connector::store::connections::Connection;

use super::{Guide, prompt, words};
use crate::output;

/// Asks one thing, or stores the section when everything is answered.
pub async fn ask(guide: &mut Guide<'_>, connection: &Connection) -> anyhow::Result<()> {
    if guide.answers.journals.is_none() {
        prompt::explain("journals", words::JOURNALS);
        guide.answers.journals = Some(prompt::confirm("Should completed tasks bring journals?", false)?);
        guide.keep().await?;
        return Ok(());
    }
    if let Some(question) = guide.answers.journal.next() {
        prompt::explain(question.what(), words::about_journals(question));
        answer(guide, connection, question).await?;
        return guide.keep().await;
    }
    if let Some(question) = go_on(&guide.answers.journal)? {
        guide.answers.journal.take_back(question);
        return guide.keep().await;
    }
    let section = match guide.answers.journal.section(None) {
        Ok(section) => section,
        Err(error) => {
            prompt::refused(&error);
            guide.answers.journal = JournalAnswers::default();
            return Ok(());
        }
    };
    let settings = Settings { journal: Some(section), ..connection.settings.clone() };
    manage::edit(&guide.engine, connection, &settings, &Secrets::default()).await?;
    output::say("\nThe settings for journals are stored; the others have their defaults (docs/journals.md).");
    Ok(())
}

/// Shows everything once more; the answer that is to be another.
fn go_on(answers: &JournalAnswers) -> anyhow::Result<Option<JournalQuestion>> {
    let told = answers.told();
    output::say("\nJournals will have:");
    told.iter().for_each(|(question, value)| prompt::done(question.what(), value));
    let changes = told.iter().map(|(question, _)| (format!("change: {}", question.what()), Some(*question)));
    prompt::pick("Store this?", [("yes, store it".to_owned(), None)].into_iter().chain(changes))
}

async fn answer(
    guide: &mut Guide<'_>,
    connection: &Connection,
    question: JournalQuestion,
) -> anyhow::Result<()> {
    let engine = &guide.engine;
    let answers = &mut guide.answers.journal;
    match question {
        JournalQuestion::Ledger => match listed(async || offers::ledgers(engine, connection).await).await? {
            Some(ledgers) => {
                let chosen = pick("Ledger:", ledgers)?;
                answers.ledger = Some(chosen.named);
                answers.currency = chosen.currency.and_then(|code| journal::currency(&code).ok());
            }
            None => {
                let gid = read("The ledger's id, digits:", None, journal::id)?;
                answers.ledger = Some(Named { gid, name: String::new() });
            }
        },
        JournalQuestion::Currency => {
            answers.currency = Some(read("Ledger's currency:", None, journal::currency)?)
        }
        JournalQuestion::Source => {
            let rows = listed(async || offers::sources(engine, connection).await).await?;
            answers.source = Some(name_of("Journal source:", rows)?);
        }
        JournalQuestion::Category => {
            let rows = listed(async || offers::categories(engine, connection).await).await?;
            answers.category = Some(name_of("Journal category:", rows)?);
        }
        JournalQuestion::Access => {
            let ledger = answers.ledger.as_ref().map(|ledger| ledger.gid.clone()).unwrap_or_default();
            let rows = listed(async || offers::access_sets(engine, connection, &ledger).await).await?;
            answers.access = Some(access_set(rows)?);
        }
        JournalQuestion::TimeZone => {
            let own = jiff::tz::TimeZone::system();
            answers.time_zone = Some(read("Ledger's time zone:", own.iana_name(), journal::time_zone)?);
        }
        JournalQuestion::Rate => {
            let options = [("they bring no journal", false), ("they are converted by a rate type", true)];
            answers.rate = Some(match prompt::pick("Costs in other currencies:", options)? {
                true => RateType::Name(prompt::text("Conversion rate type:", Some("Corporate"))?),
                false => RateType::None,
            });
        }
        JournalQuestion::Clearing => {
            let clearing = clearing(guide, connection).await?;
            guide.answers.journal.clearing = Some(clearing);
        }
    }
    Ok(())
}

/// What Oracle lists; `None`: it lists nothing to this user, and a person types it.
pub(super) async fn listed<T>(list: impl AsyncFn() -> Result<Vec<T>>) -> anyhow::Result<Option<Vec<T>>> {
    loop {
        match list().await {
            Ok(all) => return Ok(Some(all)),
            Err(error) => prompt::refused(&error),
        }
        if !prompt::pick("What now?", [("ask Oracle again", true), ("type it", false)])? {
            return Ok(None);
        }
    }
}

fn pick<T: Display>(asks: &str, all: Vec<T>) -> anyhow::Result<T> {
    prompt::pick(asks, all.into_iter().map(|one| (one.to_string(), one)))
}

/// A line that is understood; asks again with the reason otherwise.
fn read(
    asks: &str,
    suggestion: Option<&str>,
    read: impl Fn(&str) -> Result<String>,
) -> anyhow::Result<String> {
    loop {
        match read(&prompt::text(asks, suggestion)?) {
            Ok(value) => return Ok(value),
            Err(error) => prompt::refused(&error),
        }
    }
}

fn name_of(asks: &str, rows: Option<Vec<RowOffer>>) -> anyhow::Result<String> {
    match rows {
        Some(rows) => one_of("Which of these is its name?", pick(asks, rows)?),
        None => prompt::text(asks, None),
    }
}

fn access_set(rows: Option<Vec<RowOffer>>) -> anyhow::Result<AccessSet> {
    let none = ("none".to_owned(), None);
    let rows: Vec<RowOffer> = match rows {
        Some(rows) => rows,
        None => {
            let typed = prompt::pick("Data access set:", [("none", false), ("type its id", true)])?;
            return Ok(match typed {
                true => AccessSet::Id(read("Its id, digits:", None, journal::id)?),
                false => AccessSet::None,
            });
        }
    };
    let all = rows.into_iter().map(|row| (row.to_string(), Some(row)));
    match prompt::pick("Data access set:", [none].into_iter().chain(all))? {
        Some(row) => Ok(AccessSet::Id(one_of("Which of these is its id?", row)?)),
        None => Ok(AccessSet::None),
    }
}

/// The one value that a row may mean; a person says which when there are several.
fn one_of(asks: &str, row: RowOffer) -> anyhow::Result<String> {
    match &row.values[..] {
        [only] => Ok(only.clone()),
        _ => pick(asks, row.values),
    }
}

/// A clearing account that Oracle takes for journals, or that a person wants all the same.
async fn clearing(guide: &Guide<'_>, connection: &Connection) -> anyhow::Result<Clearing> {
    loop {
        let given = journal::clearing(&prompt::text("Clearing account:", None)?);
        let section = match guide.answers.journal.section(Some(&given)) {
            Ok(section) => section,
            Err(error) => {
                prompt::refused(&error);
                continue;
            }
        };
        let check = offers::test_clearing(&guide.engine, connection, &section).await?;
        let failed = check.verdict == Verdict::Failed;
        prompt::checks(&[check]);
        if !failed || prompt::confirm("Use it all the same?", false)? {
            return Ok(given);
        }
    }
}
