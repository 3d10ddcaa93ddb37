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
    /// How long the other side asks to wait before the next attempt.
    pub retry_after: Option<std::time::Duration>,
    /// Everything that is wrong, when several things are; `message` holds all of them too.
    pub problems: Vec<String>,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What the engine's functions answer.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A failure with its own words.
    pub fn new(code: Code, message: impl Into<String>) -> Error {
        Error { code, message: message.into(), retry_after: None, problems: Vec::new(), source: None }
    }

    /// A failure whose words are the code's title.
    #[must_use]
    pub fn plain(code: Code) -> Error {
        Error::new(code, code.info().title)
    }

    /// A failure for one or several problems, each of which can be told by itself.
    #[must_use]
    pub fn of_problems(code: Code, problems: Vec<String>) -> Error {
        let mut error = Error::new(code, problems.join("; "));
        if problems.len() > 1 {
            error.problems = problems;
        }
        error
    }

    /// The problems one by one, or else the message.
    #[must_use]
    pub fn into_problems(self) -> Vec<String> {
        if self.problems.is_empty() { vec![self.message] } else { self.problems }
    }

    /// The message for people, each of several problems on a line of its own.
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
