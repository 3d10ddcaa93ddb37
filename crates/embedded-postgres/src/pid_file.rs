//! What a server says about itself in `postmaster.pid`.
//!
//! The lines are: process id, data directory, start time, port, socket directory, listen address, shared
//! memory key, status. The server adds them one after the other, so a reader may see only the first few.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub(crate) const NAME: &str = "postmaster.pid";

/// The parts of `postmaster.pid` that matter here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PidFile {
    pub(crate) pid: i32,
    pub(crate) socket_dir: Option<PathBuf>,
    pub(crate) status: Status,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Starting,
    Ready,
    Stopping,
}

impl PidFile {
    /// The file of `cluster`, or `None` when there is none or it holds no process id.
    pub(crate) fn read(cluster: &Path) -> io::Result<Option<PidFile>> {
        match fs::read_to_string(cluster.join(NAME)) {
            Ok(text) => Ok(PidFile::parse(&text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn parse(text: &str) -> Option<PidFile> {
        let mut lines = text.lines();
        let first: i32 = lines.next()?.trim().parse().ok()?;
        let socket_dir = lines.nth(3).filter(|line| !line.is_empty()).map(PathBuf::from);
        let status = match lines.nth(2).map(str::trim) {
            Some("ready") => Status::Ready,
            Some("stopping") => Status::Stopping,
            _ => Status::Starting,
        };
        // A bootstrap or single-user process marks itself with a negative number.
        Some(PidFile { pid: first.checked_abs()?, socket_dir, status })
    }
}

/// Removes a file whose server is gone.
pub(crate) fn remove(cluster: &Path) -> io::Result<()> {
    match fs::remove_file(cluster.join(NAME)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str = "16370\n/d/cluster\n1790000000\n5432\n/d/socket\n\n   9185817   1966080\nready   \n";

    #[test]
    fn a_full_file_gives_process_socket_and_status() {
        let expected =
            PidFile { pid: 16370, socket_dir: Some(PathBuf::from("/d/socket")), status: Status::Ready };
        assert_eq!(PidFile::parse(FULL), Some(expected));
        assert_eq!(PidFile::parse(&FULL.replace("ready   ", "stopping")).unwrap().status, Status::Stopping);
    }

    #[test]
    fn every_half_written_file_counts_as_starting() {
        let end_of_status = FULL.rfind("ready").unwrap() + "ready".len();
        for length in FULL.find('\n').unwrap()..end_of_status {
            assert_eq!(PidFile::parse(&FULL[..length]).unwrap().status, Status::Starting, "{length} bytes");
        }
    }

    #[test]
    fn a_file_without_a_process_id_is_no_file() {
        assert_eq!(PidFile::parse(""), None);
        assert_eq!(PidFile::parse("\n\n"), None);
        assert_eq!(PidFile::parse("rubbish\n/d\n"), None);
    }
}
