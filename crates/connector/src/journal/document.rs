//! The document of a journal: the plan under a group id, as bytes.

use super::archive;
use super::csv;
use super::group::GroupId;
use super::lines::{Line, Totals};
use super::plan::JournalPlan;
use super::reason::NoJournal;

/// What is sent. One document is one journal is one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalDocument {
    /// The group id in every row.
    pub group: GroupId,
    /// The lines.
    pub lines: Vec<Line>,
    /// Both sides added up; they are equal.
    pub totals: Totals,
    /// `GlInterface.csv`.
    pub csv: Vec<u8>,
    /// The zip with that one file.
    pub zip: Vec<u8>,
}

impl JournalDocument {
    /// The name the upload gives its file.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("GlInterface_{}.zip", self.group)
    }
}

impl JournalPlan {
    /// Makes the document; the same plan and group give the same bytes.
    pub fn document(&self, group: GroupId) -> Result<JournalDocument, NoJournal> {
        let totals = self.totals()?;
        let csv = csv::write(self, group)?;
        Ok(JournalDocument { group, lines: self.lines.clone(), totals, zip: archive::zip(&csv)?, csv })
    }
}

#[cfg(test)]
mod tests;
