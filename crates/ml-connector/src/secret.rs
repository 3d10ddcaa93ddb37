//! Reading secrets: from a file, standard input (`-`) or the environment, never from an argument, since
//! arguments show in the process list.

use std::io::Read;
use std::path::{Path, PathBuf};

use connector::key::MasterKey;
use connector::{Code, Error};
use secrecy::SecretString;
use zeroize::Zeroizing;

/// A secret is at most this long.
const MAX_BYTES: usize = 64 * 1024;

/// Reads a secret from `file`, or from the environment variable when no file is given.
pub fn read(file: Option<&Path>, variable: &str) -> Result<Option<SecretString>, Error> {
    let Some(file) = file else {
        return Ok(std::env::var(variable).ok().filter(|v| !v.is_empty()).map(SecretString::from));
    };
    let unreadable = |e: std::io::Error| {
        Error::new(Code::InputUnreadable, format!("the secret cannot be read from {}", file.display()))
            .because(e)
    };
    // large enough from the start: what grows leaves copies behind
    let mut text = Zeroizing::new(String::with_capacity(MAX_BYTES));
    if file == Path::new("-") {
        std::io::stdin().take(MAX_BYTES as u64).read_to_string(&mut text).map_err(unreadable)?;
    } else {
        std::fs::File::open(file)
            .map_err(unreadable)?
            .take(MAX_BYTES as u64)
            .read_to_string(&mut text)
            .map_err(unreadable)?;
    }
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(Error::new(Code::InputUnreadable, format!("{} is empty", file.display())));
    }
    Ok(Some(SecretString::from(trimmed)))
}

/// Reads the key-encryption key from `--key-file` or `ML_CONNECTOR_KEY`.
pub fn master_key(file: Option<&PathBuf>) -> Result<MasterKey, Error> {
    match (file, std::env::var("ML_CONNECTOR_KEY")) {
        (Some(file), _) => MasterKey::from_file(file),
        (None, Ok(text)) if !text.is_empty() => MasterKey::from_base64(&SecretString::from(text)),
        (None, _) => Err(Error::plain(Code::KeyMissing)),
    }
}
