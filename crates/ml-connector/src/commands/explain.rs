//! `explain`: what an error code means and what to do.

use std::process::ExitCode;

use connector::code::{Code, CodeInfo};

use crate::cli::Global;
use crate::output;

/// Explains one code, or lists all.
pub fn run(code: Option<&str>, global: &Global) -> anyhow::Result<ExitCode> {
    let known = all();
    let codes: Vec<CodeInfo> = match code {
        Some(name) => vec![find(&known, name).ok_or_else(|| {
            anyhow::anyhow!("there is no code `{name}`; run `ml-connector explain` for the list")
        })?],
        None => known,
    };
    if global.json {
        let all: Vec<_> = codes
            .iter()
            .map(|i| serde_json::json!({ "code": i.code, "title": i.title, "meaning": i.meaning, "remedy": i.remedy }))
            .collect();
        output::json(&all)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let ([info], Some(_)) = (codes.as_slice(), code) {
        output::data(&format!(
            "{}: {}\n\nWhat it means\n  {}\n\nWhat to do\n  {}",
            info.code, info.title, info.meaning, info.remedy
        ));
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = output::table(&["code", "what happened"]);
    for info in codes {
        table.add_row([info.code, info.title]);
    }
    output::data(&table.to_string());
    Ok(ExitCode::SUCCESS)
}

/// The engine's codes and those of the private server, by number.
fn all() -> Vec<CodeInfo> {
    let server = embedded_postgres::CODES.iter().map(|i| CodeInfo {
        code: i.code,
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
