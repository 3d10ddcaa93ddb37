//! Opening an archive that comes from outside, within bounds.

use std::io::{Cursor, Read as _};

use zip::ZipArchive;

use super::details::LogEntry;

/// The largest archive, in bytes. Logs of one import are some kilobytes.
const MAX_ARCHIVE: usize = 8 << 20;
/// The most entries; there are about two for each job of a tree.
const MAX_ENTRIES: usize = 256;
/// The largest entry once unpacked, in bytes.
const MAX_ENTRY: u64 = 4 << 20;
/// The most bytes that all entries together have once unpacked.
const MAX_TOTAL: u64 = 16 << 20;
/// The most bytes that one byte may become: text packs to a twentieth, of repetitions only bombs are made.
const MAX_RATIO: u64 = 200;
/// Entries up to this size, in bytes, may have any ratio: a short log can be all blanks.
const RATIO_FREE: u64 = 64 << 10;
/// The longest entry name that is kept, in characters.
const MAX_NAME: usize = 240;

/// Why an archive is not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum ArchiveError {
    #[error("the archive is broken")]
    Broken,
    #[error("the archive is larger than {MAX_ARCHIVE} bytes")]
    Large,
    #[error("the archive has more than {MAX_ENTRIES} entries")]
    Entries,
    #[error("an entry of the archive is larger than {MAX_ENTRY} bytes, or all are larger than {MAX_TOTAL}")]
    Unpacked,
    #[error("an entry of the archive unpacks to more than {MAX_RATIO} times its size")]
    Ratio,
}

/// The entries of an archive as text; bytes that are not UTF-8 are replaced.
///
/// What does not begin as an archive is taken for the text of a single file, which some pods are said to send.
pub(super) fn open(bytes: &[u8]) -> Result<Vec<LogEntry>, ArchiveError> {
    if bytes.len() > MAX_ARCHIVE {
        return Err(ArchiveError::Large);
    }
    if !bytes.starts_with(b"PK") {
        return Ok(vec![LogEntry { name: String::new(), text: text(bytes) }]);
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| ArchiveError::Broken)?;
    if archive.len() > MAX_ENTRIES {
        return Err(ArchiveError::Entries);
    }
    let mut total = 0;
    let mut entries = Vec::new();
    for index in 0..archive.len() {
        let file = archive.by_index(index).map_err(|_| ArchiveError::Broken)?;
        if file.is_dir() {
            continue;
        }
        let name = file.name().map_err(|_| ArchiveError::Broken)?;
        let name = name.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect();
        let packed = file.compressed_size().max(1);
        // the sizes that an archive declares need not be true, so what counts is what comes out
        let most = MAX_ENTRY.min(MAX_TOTAL - total);
        let dense = packed.saturating_mul(MAX_RATIO).max(RATIO_FREE);
        let mut unpacked = Vec::new();
        let read = file.take(most.min(dense) + 1).read_to_end(&mut unpacked);
        let size = unpacked.len() as u64;
        if size > most {
            return Err(ArchiveError::Unpacked);
        }
        if size > dense {
            return Err(ArchiveError::Ratio);
        }
        read.map_err(|_| ArchiveError::Broken)?;
        total += size;
        entries.push(LogEntry { name, text: text(&unpacked) });
    }
    Ok(entries)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn archive(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in entries {
            writer.start_file(name.as_str(), SimpleFileOptions::default()).unwrap();
            writer.write_all(content).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn noise(bytes: usize) -> Vec<u8> {
        let mut state = 1u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        };
        (0..bytes).map(|_| next()).collect()
    }

    #[test]
    fn every_entry_comes_out_as_text() {
        let bytes = archive(&[
            ("603547.log".to_owned(), b"loaded\n".to_vec()),
            ("603550.txt".to_owned(), b"EF04 \xff".to_vec()),
            ("empty".to_owned(), Vec::new()),
        ]);
        let entries = open(&bytes).unwrap();
        let found: Vec<(&str, &str)> = entries.iter().map(|e| (e.name.as_str(), e.text.as_str())).collect();
        assert_eq!(found, [("603547.log", "loaded\n"), ("603550.txt", "EF04 \u{fffd}"), ("empty", "")]);
    }

    #[test]
    fn what_is_no_archive_is_one_text() {
        assert_eq!(open(b"plain").unwrap(), [LogEntry { name: String::new(), text: "plain".to_owned() }]);
        assert_eq!(open(b"PK but not really"), Err(ArchiveError::Broken));
    }

    #[test]
    fn an_archive_has_bounds() {
        let many: Vec<_> = (0..=MAX_ENTRIES).map(|n| (n.to_string(), Vec::new())).collect();
        assert_eq!(open(&archive(&many)), Err(ArchiveError::Entries));
        assert!(open(&archive(&many[1..])).is_ok());
        let bomb = vec![b'0'; usize::try_from(MAX_ENTRY).unwrap()];
        assert_eq!(open(&archive(&[("bomb".to_owned(), bomb)])), Err(ArchiveError::Ratio));
        let blanks = vec![b' '; usize::try_from(RATIO_FREE).unwrap()];
        assert!(open(&archive(&[("blanks".to_owned(), blanks)])).is_ok());
        let mut large = noise(MAX_ARCHIVE);
        large[..2].copy_from_slice(b"PK");
        large.push(0);
        assert_eq!(open(&large), Err(ArchiveError::Large));
    }

    #[test]
    fn entries_that_are_too_large_together_are_refused() {
        // lines that repeat pack well, but not suspiciously
        let line = noise(20_000);
        let log = line.iter().copied().cycle().take(7 << 19).collect::<Vec<u8>>();
        let five: Vec<_> = (0..5).map(|n| (n.to_string(), log.clone())).collect();
        assert!(open(&archive(&five[1..])).is_ok());
        assert_eq!(open(&archive(&five)), Err(ArchiveError::Unpacked));
        let long = line.iter().copied().cycle().take((4 << 20) + 1).collect::<Vec<u8>>();
        assert_eq!(open(&archive(&[("long".to_owned(), long)])), Err(ArchiveError::Unpacked));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(mut body in prop::collection::vec(any::<u8>(), 0..200), zip in any::<bool>()) {
            if zip && body.len() > 4 {
                body[..4].copy_from_slice(b"PK\x03\x04");
            }
            let _ = open(&body);
        }

        #[test]
        fn a_damaged_archive_is_an_error_or_opens(at in 0usize..400, with in any::<u8>(), cut in any::<bool>()) {
            let mut bytes = archive(&[("a.log".to_owned(), noise(60)), ("b.log".to_owned(), b"text text text".to_vec())]);
            let at = at % bytes.len();
            if cut { bytes.truncate(at); } else { bytes[at] = with; }
            if let Ok(entries) = open(&bytes) {
                prop_assert!(entries.len() <= 2);
            }
        }
    }
}
