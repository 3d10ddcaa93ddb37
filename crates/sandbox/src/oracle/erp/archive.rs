//! The zip archives of `DocumentContent`, both ways.

use std::io::{Cursor, Read, Write};

use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use crate::oracle::ledger::interface::{self, Row};

/// Names that the journal file may have within the archive.
const JOURNAL_FILES: [&str; 2] = ["GlInterface.csv", "GL_INTERFACE.csv"];
/// Largest journal file, in bytes: some 200,000 rows.
const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// Reads the rows of the journal file.
///
/// # Errors
/// A sentence for the log of the load job.
pub(crate) fn journal_rows(archive: &[u8]) -> Result<Vec<Row>, String> {
    let mut archive = ZipArchive::new(Cursor::new(archive))
        .map_err(|error| format!("the file is not a zip archive: {error}"))?;
    let name = JOURNAL_FILES
        .into_iter()
        .find(|name| archive.index_for_name(name).is_some())
        .ok_or("the archive has no file GlInterface.csv")?;
    let file = archive.by_name(name).map_err(|error| format!("{name} cannot be read: {error}"))?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("{name} cannot be read: {error}"))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_FILE_BYTES) {
        return Err(format!("{name} is larger than {MAX_FILE_BYTES} bytes"));
    }
    interface::read(&bytes).map_err(|reason| format!("{name}: {reason}"))
}

/// An archive of text files.
pub(crate) fn pack(files: &[(String, String)]) -> Result<Vec<u8>, String> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in files {
        writer.start_file(name.as_str(), SimpleFileOptions::default()).map_err(|error| error.to_string())?;
        writer.write_all(text.as_bytes()).map_err(|error| error.to_string())?;
    }
    writer.finish().map(Cursor::into_inner).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_archive_or_has_no_journals_is_said() {
        assert!(journal_rows(b"NEW,1,2").unwrap_err().contains("not a zip archive"));
        let other = pack(&[("ApInvoices.csv".to_owned(), "x".to_owned())]).unwrap();
        assert!(journal_rows(&other).unwrap_err().contains("GlInterface.csv"));
        for name in JOURNAL_FILES {
            let empty = pack(&[(name.to_owned(), String::new())]).unwrap();
            assert!(journal_rows(&empty).unwrap_err().starts_with(name));
        }
    }
}
