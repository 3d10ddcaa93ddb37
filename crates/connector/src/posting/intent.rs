//! A sending as it is about to leave. What it is gets stored before the first byte, so that the journal's story explains
//! a batch even when the process was gone before it could record what it had sent.

use jiff::Timestamp;
use oracle_fusion::BulkImport;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;

use crate::error::Result;
use crate::ids::{ConnectionId, JournalId, NodeId};
use crate::journal::machine::State;
use crate::journal::{GroupId, JournalDocument, JournalPlan, JournalSettings};
use crate::posting::oracle::{import_head, import_of, import_words};
use crate::store::journals::{self, Told};

/// An import with its document.
#[derive(Debug)]
pub(super) struct Intent {
    /// The import.
    pub import: BulkImport,
    document: JournalDocument,
}

impl Intent {
    /// The sending of a plan under a group; the same plan and group give the same document.
    ///
    /// # Errors
    /// Why no request can be made of it, in words.
    pub fn of(
        plan: &JournalPlan,
        group: GroupId,
        settings: &JournalSettings,
    ) -> std::result::Result<Intent, String> {
        let document = plan.document(group).map_err(|why| why.to_string())?;
        let import = import_of(&document, plan, settings).map_err(|error| error.message)?;
        Ok(Intent { import, document })
    }

    /// One line: the group, and the document's length and digest.
    pub fn words(&self) -> String {
        let (group, csv) = (self.document.group, &self.document.csv);
        format!("group {group}, GlInterface.csv of {} bytes, SHA-256 {}", csv.len(), digest(csv))
    }

    /// The request without the rows, which the stored plan gives again.
    pub fn head(&self) -> String {
        let csv = &self.document.csv;
        format!(
            "{}\n\nGlInterface.csv: {} bytes, SHA-256 {}; its rows are made of the stored plan",
            import_head(&self.import),
            csv.len(),
            digest(csv)
        )
    }

    /// Logs the sending as the step that it is, in the transaction that commits it.
    pub async fn log(
        &self,
        db: &mut PgConnection,
        connection: ConnectionId,
        node: NodeId,
        journal: JournalId,
    ) -> Result<()> {
        let (what, head) = (format!("its import begins: {}", self.words()), self.head());
        let told = Told { what: &what, alert: None, request: Some(&head), response: None };
        journals::log_step(db, connection, node, journal, &State::Submitting, &told).await
    }

    /// The whole request.
    pub fn request(&self) -> String {
        import_words(&self.import, &self.document)
    }
}

/// What is said of a batch that was found for a journal in doubt: of which sending it is, with its document where the plan
/// is still the one that was sent.
pub(super) fn explained(
    plan: &JournalPlan,
    (of, newest): (GroupId, GroupId),
    began: Option<Timestamp>,
) -> String {
    let document = (of == newest).then(|| plan.document(of).ok()).flatten();
    let document =
        document.map_or_else(String::new, |made| format!(", document SHA-256 {}", digest(&made.csv)));
    let began = began.filter(|_| of == newest);
    let began = began.map_or_else(String::new, |at| {
        format!(", whose sending began at {}", at.strftime("%Y-%m-%d %H:%M:%SZ"))
    });
    format!("it is of group {of}{began}{document}")
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::posting::redate::tests::plan;

    #[test]
    fn a_digest_is_written_in_hexadecimal() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(digest(b""), empty);
    }

    #[test]
    fn of_an_earlier_sending_neither_time_nor_document_is_claimed() {
        let (one, other): (GroupId, GroupId) =
            ("123456789012345678".parse().unwrap(), "223456789012345678".parse().unwrap());
        let told = explained(&plan(None), (one, other), Some(Timestamp::UNIX_EPOCH));
        assert_eq!(told, "it is of group 123456789012345678");
        let told = explained(&plan(None), (other, other), Some(Timestamp::UNIX_EPOCH));
        assert!(told.contains("began at 1970-01-01 00:00:00Z"), "{told}");
    }
}
