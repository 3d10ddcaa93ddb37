//! The engine's error: a stable code, what happened, and the cause behind it.

use crate::code::Code;

/// A failure of the engine. `Display` is for the person: code, what happened, what to do stands in
/// [`Code::info`]; the cause is only in `source()`.
#[derive(Debug, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Error {
    /// The stable code.
    pub code: Code,
    /// What happened, for this very case.
    pub message: String,
    /// The problems of which the message is made, when there are several.
    pub problems: Vec<String>,
    /// How long the other side asks to wait before the next attempt.
    pub retry_after: Option<std::time::Duration>,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What the engine's functions answer.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A failure with its own words.
    pub fn new(code: Code, message: impl Into<String>) -> Error {
        Error { code, message: message.into(), problems: Vec::new(), retry_after: None, source: None }
    }

    /// A failure whose words are the code's title.
    #[must_use]
    pub fn plain(code: Code) -> Error {
        Error::new(code, code.info().title)
    }

    /// A failure for several reasons; the message is all of them in one line.
    #[must_use]
    pub fn several(code: Code, problems: Vec<String>) -> Error {
        let message = problems.join("; ");
        let problems = if problems.len() > 1 { problems } else { Vec::new() };
        Error { problems, ..Error::new(code, message) }
    }

    /// Each of its reasons.
    #[must_use]
    pub fn reasons(self) -> Vec<String> {
        if self.problems.is_empty() { vec![self.message] } else { self.problems }
    }

    /// The message for people, each of several reasons on a line of its own.
    #[must_use]
    pub fn told(&self) -> String {
        if self.problems.is_empty() {
            return self.message.clone();
        }
        let lines: String = self.problems.iter().map(|problem| format!("\n  - {problem}")).collect();
        format!("{} problems{lines}", self.problems.len())
    }

    /// Adds the cause.
    #[must_use]
    pub fn because(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Error {
        self.source = Some(Box::new(source));
        self
    }

    /// Adds the time the other side asks to wait.
    #[must_use]
    pub fn wait(mut self, retry_after: Option<std::time::Duration>) -> Error {
        self.retry_after = retry_after;
        self
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Error {
        Error::new(Code::Database, Code::Database.info().title).because(error)
    }
}
