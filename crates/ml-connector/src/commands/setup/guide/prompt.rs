//! The questions on the terminal. Nothing is decided here: an answer, or that the person leaves.

use std::fmt;
use std::io::IsTerminal;

use connector::ping::{Check, Verdict};
use connector::{Code, Error};
use inquire::{Confirm, InquireError, MultiSelect, Password, PasswordDisplayMode, Select, Text};
use secrecy::SecretString;

use crate::cli::Global;
use crate::output;

/// Rows of a list that are seen at once.
const ROWS: usize = 12;
const LIST_HELP: &str = "type to search, arrows to move, Enter to choose, Esc to leave";

/// The person leaves, with Esc or Ctrl-C.
#[derive(Debug)]
pub struct Left;

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the guide was left")
    }
}

impl std::error::Error for Left {}

/// Refuses to ask where nobody can answer.
pub fn check_terminal(global: &Global) -> Result<(), Error> {
    if global.json || !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        let words = "`connection setup` asks a person; `connection apply -f connection.toml` does the same from a file";
        return Err(Error::new(Code::GuideNoTerminal, words));
    }
    Ok(())
}

/// A heading with an explanation below it.
pub fn explain(heading: &str, words: &str) {
    output::say(&format!("\n--- {heading} ---\n{words}\n"));
}

/// A line about something that is done.
pub fn done(what: &str, value: &str) {
    output::say(&format!("  {what}: {value}"));
}

/// What was refused, with what to do.
pub fn refused(error: &Error) {
    let info = error.code.info();
    output::say(&format!("\n  {}: {}\n  what to do: {}\n", info.code, error.told(), info.remedy));
}

/// Tests one by one, each failed one with what to do.
pub fn checks(checks: &[Check]) {
    for check in checks {
        let mark = match check.verdict {
            Verdict::Ok => "ok     ",
            Verdict::Note => "note   ",
            Verdict::Failed => "FAILED ",
            Verdict::Skipped => "skipped",
        };
        match (check.code, check.remedy) {
            (Some(code), Some(remedy)) => {
                output::say(&format!(
                    "  {mark} {}: {code}: {}\n          what to do: {remedy}",
                    check.name, check.detail
                ));
            }
            _ => output::say(&format!("  {mark} {}: {}", check.name, check.detail)),
        }
    }
}

fn answer<T>(given: Result<T, InquireError>) -> anyhow::Result<T> {
    given.map_err(|error| match error {
        InquireError::OperationCanceled | InquireError::OperationInterrupted => Left.into(),
        other => other.into(),
    })
}

/// A line of text that is not empty, without spaces around it.
pub fn text(question: &str, suggestion: Option<&str>) -> anyhow::Result<String> {
    loop {
        let mut prompt = Text::new(question).with_help_message("Esc to leave");
        if let Some(suggestion) = suggestion {
            prompt = prompt.with_default(suggestion);
        }
        let given = answer(prompt.prompt())?;
        if !given.trim().is_empty() {
            return Ok(given.trim().to_owned());
        }
    }
}

/// A secret: not even its length is shown.
pub fn secret(question: &str) -> anyhow::Result<SecretString> {
    loop {
        let prompt = Password::new(question)
            .with_display_mode(PasswordDisplayMode::Hidden)
            .without_confirmation()
            .with_help_message("it is not shown; Esc to leave");
        let given = zeroize::Zeroizing::new(answer(prompt.prompt())?);
        if !given.trim().is_empty() {
            return Ok(SecretString::from(given.trim()));
        }
    }
}

/// Something to choose, with its words.
struct Item<T> {
    words: String,
    value: T,
}

impl<T> fmt::Display for Item<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

fn items<T, W: Into<String>>(options: impl IntoIterator<Item = (W, T)>) -> Vec<Item<T>> {
    options.into_iter().map(|(words, value)| Item { words: words.into(), value }).collect()
}

/// One of a list that is not empty.
pub fn pick<T, W: Into<String>>(
    question: &str,
    options: impl IntoIterator<Item = (W, T)>,
) -> anyhow::Result<T> {
    let prompt = Select::new(question, items(options)).with_page_size(ROWS).with_help_message(LIST_HELP);
    Ok(answer(prompt.prompt())?.value)
}

/// Any of a list that is not empty.
pub fn pick_any<T, W: Into<String>>(
    question: &str,
    options: impl IntoIterator<Item = (W, T)>,
) -> anyhow::Result<Vec<T>> {
    let prompt = MultiSelect::new(question, items(options))
        .with_page_size(ROWS)
        .with_help_message("Space to choose, right for all, left for none, Enter to go on, Esc to leave");
    Ok(answer(prompt.prompt())?.into_iter().map(|item| item.value).collect())
}

/// Yes or no.
pub fn confirm(question: &str, usual: bool) -> anyhow::Result<bool> {
    answer(Confirm::new(question).with_default(usual).with_help_message("Esc to leave").prompt())
}
