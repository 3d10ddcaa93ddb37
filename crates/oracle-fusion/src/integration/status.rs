//! How far a scheduled job is.

use std::fmt;

/// The longest text of a status that is kept, in characters.
const MAX_TEXT: usize = 64;

/// A job's status in the pod's own word, such as `RUNNING`.
///
/// The words: <https://docs.oracle.com/en/cloud/saas/applications-common/25c/oacpr/statuses-of-scheduled-processes.html>.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct JobStatus(String);

/// What a [`JobStatus`] means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobClass {
    /// It has not ended: it waits, runs, or, as a parent, is paused until its children end. The empty status
    /// also belongs here; a job that was not submitted through `erpintegrations` shows it for ever, so a limit
    /// in time belongs to every wait.
    InProgress,
    /// It ended well.
    Succeeded,
    /// It ended with `WARNING`, which some take for success and some for failure. What was imported shows in
    /// the log and in the journal batches.
    LookCloser,
    /// It ended badly, or will never run.
    Failed,
    /// A word that is not known. Nothing may be concluded from it.
    Unknown,
}

impl JobStatus {
    /// A status in the pod's word.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.trim().chars().take(MAX_TEXT).collect())
    }

    /// The pod's word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What it means; case and underscores do not matter.
    #[must_use]
    pub fn class(&self) -> JobClass {
        match self.0.to_ascii_uppercase().replace('_', " ").as_str() {
            "" | "WAIT" | "READY" | "SCHEDULED" | "RUNNING" | "PROCESSING" | "PAUSED" | "BLOCKED"
            | "HOLD" => JobClass::InProgress,
            "SUCCEEDED" | "COMPLETED" | "FINISHED" => JobClass::Succeeded,
            "WARNING" => JobClass::LookCloser,
            "ERROR"
            | "ERROR MANUAL RECOVERY"
            | "EXPIRED"
            | "CANCELLED"
            | "CANCELED"
            | "VALIDATION FAILED" => JobClass::Failed,
            _ => JobClass::Unknown,
        }
    }
}

impl JobClass {
    /// Of two classes the one that decides about both: what still runs, then what failed, what cannot be
    /// understood, what must be looked at, and only last what succeeded.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        if self.weight() >= other.weight() { self } else { other }
    }

    fn weight(self) -> u8 {
        match self {
            Self::InProgress => 4,
            Self::Failed => 3,
            Self::Unknown => 2,
            Self::LookCloser => 1,
            Self::Succeeded => 0,
        }
    }
}

impl fmt::Display for JobStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for JobStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_documented_word_has_its_class() {
        use JobClass::{Failed, InProgress, LookCloser, Succeeded, Unknown};
        for (words, class) in [
            (
                &[
                    "",
                    " ",
                    "WAIT",
                    "READY",
                    "SCHEDULED",
                    "RUNNING",
                    "PROCESSING",
                    "PAUSED",
                    "BLOCKED",
                    "HOLD",
                ][..],
                InProgress,
            ),
            (&["SUCCEEDED", "COMPLETED", "FINISHED", "Succeeded"], Succeeded),
            (&["WARNING"], LookCloser),
            (
                &[
                    "ERROR",
                    "ERROR MANUAL RECOVERY",
                    "ERROR_MANUAL_RECOVERY",
                    "EXPIRED",
                    "CANCELLED",
                    "CANCELED",
                    "VALIDATION FAILED",
                ],
                Failed,
            ),
            (&["SUCCEEDED?", "ERRORS", "Fehler", "-1", "<html>"], Unknown),
        ] {
            for word in words {
                assert_eq!(JobStatus::new(word).class(), class, "{word}");
            }
        }
    }

    #[test]
    fn success_is_never_concluded_beside_anything_else() {
        use JobClass::{Failed, InProgress, LookCloser, Succeeded, Unknown};
        let all = [InProgress, Failed, Unknown, LookCloser, Succeeded];
        for (at, one) in all.into_iter().enumerate() {
            for (other_at, other) in all.into_iter().enumerate() {
                assert_eq!(one.worse(other), all[at.min(other_at)]);
            }
        }
    }

    proptest! {
        #[test]
        fn an_unknown_word_keeps_its_text_and_is_never_a_success(text in "\\PC{0,80}") {
            let status = JobStatus::new(&text);
            prop_assert!(text.trim().starts_with(status.as_str()));
            if status.class() == JobClass::Succeeded {
                prop_assert!(["SUCCEEDED", "COMPLETED", "FINISHED"].contains(&&*text.trim().to_ascii_uppercase()));
            }
        }
    }
}
