//! `explain`: what an error code means and what to do.

use std::process::ExitCode;

use connector::code::{Class, Code, CodeInfo};
use connector::journal::import_code::{self, ImportCode};

use crate::cli::Global;
use crate::output;

/// Explains one code, or lists all.
pub fn run(code: Option<&str>, global: &Global) -> anyhow::Result<ExitCode> {
    let Some(name) = code else { return list(global) };
    if let Some(info) = find(&all(), name) {
        return one(&info, global);
    }
    if let Some(known) = import_code::find(&name.trim().to_ascii_uppercase()) {
        return one_of_oracle(known, global);
    }
    anyhow::bail!("there is no code `{name}`; run `ml-connector explain` for the list")
}

/// All codes: this program's, then those of Oracle's import.
fn list(global: &Global) -> anyhow::Result<ExitCode> {
    let known = all();
    if global.json {
        let all: Vec<_> =
            known.iter().map(in_json).chain(import_code::KNOWN.iter().map(oracle_in_json)).collect();
        output::json(&all)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = output::table(&["code", "class", "what happened"]);
    for info in &known {
        table.add_row([info.code, info.class.as_str(), info.title]);
    }
    for known in import_code::KNOWN {
        table.add_row([known.code, class_of(known).as_str(), &format!("Oracle's import: {}", known.meaning)]);
    }
    output::data(&table.to_string());
    Ok(ExitCode::SUCCESS)
}

fn one(info: &CodeInfo, global: &Global) -> anyhow::Result<ExitCode> {
    if global.json {
        output::json(&[in_json(info)])?;
        return Ok(ExitCode::SUCCESS);
    }
    output::data(&format!(
        "{}: {}\n\nClass\n  {}: {}\n\nWhat it means\n  {}\n\nWhat to do\n  {}",
        info.code,
        info.title,
        info.class,
        info.class.what(),
        info.meaning,
        info.remedy
    ));
    Ok(ExitCode::SUCCESS)
}

/// A code of Oracle's journal import, as its log gives it: Oracle's meaning and our advice.
fn one_of_oracle(known: &ImportCode, global: &Global) -> anyhow::Result<ExitCode> {
    if global.json {
        output::json(&[oracle_in_json(known)])?;
        return Ok(ExitCode::SUCCESS);
    }
    let class = class_of(known);
    output::data(&format!(
        "{}: a code of Oracle's journal import\n\nClass\n  {class}: {}\n\nWhat it means\n  {}\n\nWhat to do\n  {}",
        known.code,
        class.what(),
        known.meaning,
        known.remedy
    ));
    Ok(ExitCode::SUCCESS)
}

fn in_json(info: &CodeInfo) -> serde_json::Value {
    serde_json::json!({
        "code": info.code,
        "class": info.class.as_str(),
        "title": info.title,
        "meaning": info.meaning,
        "remedy": info.remedy,
    })
}

fn oracle_in_json(known: &ImportCode) -> serde_json::Value {
    serde_json::json!({
        "code": known.code,
        "class": class_of(known).as_str(),
        "title": "a code of Oracle's journal import",
        "meaning": known.meaning,
        "remedy": known.remedy,
    })
}

/// Codes that begin with `W` only warn; Oracle took the lines.
fn class_of(known: &ImportCode) -> Class {
    if import_code::rejects(known.code) { Class::RejectedByOracle } else { Class::Notice }
}

/// The engine's codes and those of the private server, by number.
fn all() -> Vec<CodeInfo> {
    let server = embedded_postgres::CODES.iter().map(|i| CodeInfo {
        code: i.code,
        class: Class::Internal,
        title: i.title,
        meaning: i.meaning,
        remedy: i.remedy,
    });
    let mut all: Vec<CodeInfo> = server.chain(Code::ALL.iter().map(|code| code.info())).collect();
    all.sort_by_key(|info| info.code);
    all
}

/// Finds a code by its name, in any case, with or without `MLC-`.
fn find(known: &[CodeInfo], name: &str) -> Option<CodeInfo> {
    let name = name.trim().to_ascii_uppercase();
    let number = name.strip_prefix("MLC-").unwrap_or(&name);
    known.iter().copied().find(|info| info.code.strip_prefix("MLC-") == Some(number))
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;
    use crate::cli::Cli;

    /// The commands that a text names: what stands in backticks and begins with a command's name.
    fn commands(text: &str) -> Vec<Vec<&str>> {
        let quoted = text.split('`').skip(1).step_by(2);
        let words = quoted.map(|quoted| {
            quoted.split_whitespace().skip_while(|word| *word == "ml-connector").collect::<Vec<_>>()
        });
        let program = Cli::command();
        words
            .filter(|words| words.first().is_some_and(|word| program.find_subcommand(word).is_some()))
            .collect()
    }

    /// Why a command cannot be given so; one that is only named need not be whole.
    fn wrong(words: &[&str]) -> Option<String> {
        let mut command = Cli::command();
        let mut known = 0;
        while let Some(next) = words.get(known).and_then(|word| command.find_subcommand(word)).cloned() {
            command = next;
            known += 1;
        }
        if known == words.len() {
            return None;
        }
        let parsed = Cli::try_parse_from(std::iter::once("ml-connector").chain(words.iter().copied()));
        parsed.err().map(|error| error.to_string())
    }

    #[test]
    fn every_command_that_a_code_tells_to_give_can_be_given() {
        let mut found = Vec::new();
        let mut count = 0;
        let of_oracle = import_code::KNOWN.iter().chain([&import_code::UNKNOWN]);
        let of_oracle = of_oracle.map(|known| (known.code, [known.meaning, known.remedy]));
        let own = all().into_iter().map(|info| (info.code, [info.meaning, info.remedy]));
        for (code, texts) in own.chain(of_oracle) {
            for words in texts.into_iter().flat_map(commands) {
                count += 1;
                found.extend(wrong(&words).map(|why| format!("{code}: {}: {why}", words.join(" "))));
            }
        }
        assert!(count > 20, "only {count} commands were found");
        assert!(found.is_empty(), "{found:#?}");
    }

    #[test]
    fn a_command_that_cannot_be_given_is_found() {
        assert!(wrong(&["journals", "resolve", "NAME", "ID", "--not-posted"]).is_some());
        assert!(wrong(&["journals", "settle", "NAME"]).is_some());
        assert!(wrong(&["journals", "replay", "NAME", "ID", "--preview"]).is_none());
        assert_eq!(
            commands("Say `journals list NAME`, not `journal.source`."),
            [["journals", "list", "NAME"]]
        );
    }
}
