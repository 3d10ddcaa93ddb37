//! Who gives a command that is kept with its author.

use clap::Args;
use connector::{Code, Error};

/// Who, and why.
#[derive(Debug, Args)]
pub struct PersonArgs {
    /// Who does this, for the log; without it the system's user
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Why, for the log
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

impl PersonArgs {
    /// The person's name and note.
    ///
    /// # Errors
    /// [`Code::InputUnreadable`] when nobody is named and the system names nobody either.
    pub fn who(self) -> Result<(String, Option<String>), Error> {
        let named = self.by.map(|by| by.trim().to_owned()).filter(|by| !by.is_empty());
        let by = named.or_else(of_the_system);
        let by = by.ok_or_else(|| {
            Error::new(Code::InputUnreadable, "the system does not say who you are; give --by NAME")
        })?;
        Ok((by, self.note))
    }
}

/// Whom the system says it is.
pub fn of_the_system() -> Option<String> {
    let names = ["SUDO_USER", "USER", "LOGNAME"].iter().filter_map(|name| std::env::var(name).ok());
    let named = names.map(|name| name.trim().to_owned()).find(|name| !name.is_empty());
    named.or_else(|| Some(format!("uid {}", rustix::process::getuid().as_raw())))
}
