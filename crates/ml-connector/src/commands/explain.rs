//! `explain`: what an error code means and what to do.

use std::process::ExitCode;

use connector::Code;

use crate::cli::Global;
use crate::output;

/// Explains one code, or lists all.
pub fn run(code: Option<&str>, global: &Global) -> anyhow::Result<ExitCode> {
    let codes: Vec<Code> = match code {
        Some(name) => vec![Code::find(name).ok_or_else(|| {
            anyhow::anyhow!("there is no code `{name}`; run `ml-connector explain` for the list")
        })?],
        None => Code::ALL.to_vec(),
    };
    if global.json {
        let all: Vec<_> = codes
            .iter()
            .map(|code| code.info())
            .map(|i| serde_json::json!({ "code": i.code, "title": i.title, "meaning": i.meaning, "remedy": i.remedy }))
            .collect();
        output::json(&all)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let ([only], Some(_)) = (codes.as_slice(), code) {
        let info = only.info();
        output::data(&format!(
            "{}: {}\n\nWhat it means\n  {}\n\nWhat to do\n  {}",
            info.code, info.title, info.meaning, info.remedy
        ));
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = output::table(&["code", "what happened"]);
    for code in codes {
        table.add_row([code.info().code, code.info().title]);
    }
    output::data(&table.to_string());
    Ok(ExitCode::SUCCESS)
}
