//! What the program ends with. 0: done; 1: failed, or not consented to; 2: wrong use (clap); 3: a check found a problem;
//! 4: the key-encryption key is missing or wrong; 5: another node is busy with it.

use std::process::ExitCode;

use connector::{Code, Error};

use crate::cli::Global;

/// A check found a problem; the command itself worked.
pub const FOUND_PROBLEMS: u8 = 3;
/// The command failed, or a person did not consent to what it was to do: nothing was done.
pub const FAILED: u8 = 1;
const NO_KEY: u8 = 4;
const BUSY: u8 = 5;

/// Says what went wrong, with its code and what to do, on standard error; as JSON when asked for.
pub fn report(error: &anyhow::Error, global: &Global) -> ExitCode {
    let known = error.downcast_ref::<Error>();
    let postgres = error.downcast_ref::<embedded_postgres::Error>();
    let (code, remedy) = match (known, postgres) {
        (Some(known), _) => (Some(known.code.info().code), Some(known.code.info().remedy)),
        (None, Some(postgres)) => (Some(postgres.code()), None),
        (None, None) => (None, None),
    };
    let message = known.map_or_else(|| error.to_string(), |known| known.message.clone());
    let causes: Vec<String> = error.chain().skip(1).map(ToString::to_string).collect();
    let problems = known.map_or(&[][..], |known| &known.problems);
    if global.json {
        let mut body = serde_json::json!({ "error": { "code": code, "message": message, "causes": causes, "remedy": remedy } });
        if let (false, Some(error)) = (problems.is_empty(), body.get_mut("error")) {
            error["problems"] = problems.into();
        }
        crate::output::complain(&body.to_string());
    } else {
        let told = known.map_or_else(|| message.clone(), Error::told);
        let code = code.map(|code| format!("{code}: ")).unwrap_or_default();
        crate::output::complain(&format!("error: {code}{told}"));
        // a client's error repeats as the cause of ours what the message said already
        for cause in causes.iter().filter(|cause| !message.contains(cause.as_str())) {
            crate::output::complain(&format!("  because: {cause}"));
        }
        if let Some(remedy) = remedy {
            crate::output::complain(&format!("  what to do: {remedy}"));
        }
    }
    ExitCode::from(match known.map(|known| known.code) {
        Some(Code::KeyMissing | Code::KeyMalformed | Code::KeyWrong) => NO_KEY,
        Some(Code::LeaseBusy) => BUSY,
        _ => FAILED,
    })
}
