//! The zip that carries the file: one entry, and the same bytes every time.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipWriter};

use super::reason::NoJournal;

/// The name by which the loader knows which interface the file is for.
pub const ENTRY: &str = "GlInterface.csv";

/// Packs the file. The entry is stored, not compressed, and carries a fixed date, so that the bytes depend
/// on the content alone.
pub fn zip(csv: &[u8]) -> Result<Vec<u8>, NoJournal> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default())
        .system(System::Unix)
        .unix_permissions(0o644);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let packed = writer
        .start_file(ENTRY, options)
        .and_then(|()| writer.write_all(csv).map_err(Into::into))
        .and_then(|()| writer.finish());
    packed
        .map(Cursor::into_inner)
        .map_err(|e| NoJournal::Defect { what: format!("the zip cannot be written: {e}") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn the_zip_holds_the_one_file_and_is_the_same_every_time() {
        let packed = zip(b"NEW,1\n").unwrap();
        assert_eq!(packed, zip(b"NEW,1\n").unwrap());
        let mut archive = zip::ZipArchive::new(Cursor::new(packed)).unwrap();
        assert_eq!(archive.len(), 1);
        let mut entry = archive.by_index(0).unwrap();
        assert_eq!(entry.name().unwrap(), "GlInterface.csv");
        assert_eq!(entry.last_modified().unwrap().year(), 1980);
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        assert_eq!(text, "NEW,1\n");
    }
}
