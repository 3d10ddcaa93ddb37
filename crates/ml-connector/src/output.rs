//! Data goes to standard output, everything else to standard error.

use std::io::{BufRead, IsTerminal, Write};

use serde::Serialize;

pub use self::table::Table;
use crate::cli::Global;

mod table;

/// Writes a line of data. A closed pipe ends the program quietly, as with any other tool.
pub fn data(text: &str) {
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{text}").and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}

/// Writes a line for the person.
pub fn say(text: &str) {
    let mut err = std::io::stderr().lock();
    // there is nobody to tell when standard error is gone
    let _ = writeln!(err, "{text}");
}

/// Writes a failure for the person.
pub fn complain(text: &str) {
    say(text);
}

/// Writes a value as JSON, indented for people who look at it.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    data(&serde_json::to_string_pretty(value)?);
    Ok(())
}

/// A table with these columns, as wide as the terminal.
pub fn table(columns: &[&str]) -> Table {
    Table::new(columns)
}

/// Names with their values, without a header.
pub fn pairs<N: Into<String>, V: Into<String>>(rows: impl IntoIterator<Item = (N, V)>) -> Table {
    let mut table = Table::new(&[]);
    for (name, value) in rows {
        table.add_row([name.into(), value.into()]);
    }
    table
}

/// A value for a table: on one line, and not too long for one.
pub fn short(text: &str) -> String {
    const CHARACTERS: usize = 40;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= CHARACTERS {
        return line;
    }
    let mut cut: String = line.chars().take(CHARACTERS - 1).collect();
    cut.push('…');
    cut
}

/// An instant without the fraction that nobody reads, or `-`.
pub fn when(at: Option<jiff::Timestamp>) -> String {
    at.map_or_else(|| "-".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
}

/// Asks a person; nobody is asked where nobody can answer.
pub fn consents(global: &Global) -> anyhow::Result<bool> {
    if global.json || !std::io::stdin().is_terminal() {
        return Ok(false);
    }
    say("do this? [y/N]");
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
