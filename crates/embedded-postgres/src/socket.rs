//! Where the server's Unix socket stands.
//!
//! Who may open the socket may use the database, so its directory is always open to its owner alone.

use std::fs::{self, DirBuilder};
use std::hash::Hasher;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::Error;

/// The socket's name in its directory follows the port number; nothing listens on that port.
pub(crate) const PORT: u16 = 5432;

/// The address of a Unix socket holds 108 bytes on Linux and 104 elsewhere, the closing zero included.
const MAX_PATH_BYTES: usize = 103;

/// For data directories too deep for a socket: short, and writable for every user.
const SHORT_PARENT: &str = "/tmp";

/// The directory for the socket of the server whose files stand in `home`.
pub(crate) fn directory(home: &Path) -> PathBuf {
    let inside = home.join("socket");
    if inside.as_os_str().len() + format!("/.s.PGSQL.{PORT}").len() <= MAX_PATH_BYTES {
        inside
    } else {
        Path::new(SHORT_PARENT).join(format!("embedded-postgres-{:016x}", fingerprint(home)))
    }
}

/// Makes the directory, or checks that what stands there is a directory that `owner` alone can use.
pub(crate) fn prepare(
    directory: &Path,
    owner: u32,
    hand_over: impl Fn(&Path) -> io::Result<()>,
) -> Result<(), Error> {
    match DirBuilder::new().mode(0o700).create(directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(Error::directory_io(directory, "the directory for the socket cannot be made", error));
        }
        _ => {}
    }
    let failed = |error| Error::directory_io(directory, "the directory for the socket cannot be used", error);
    let found = fs::symlink_metadata(directory).map_err(failed)?;
    let ours = found.uid() == owner || found.uid() == rustix::process::geteuid().as_raw();
    // In a directory that everybody can write to, somebody else may have been here first.
    if !found.is_dir() || !ours || found.mode() & 0o077 != 0 {
        let reason = "the place for the socket is taken by somebody else's file; remove it and start again";
        return Err(Error::directory(directory, reason));
    }
    hand_over(directory).map_err(failed)
}

/// Removes the socket and its lock file after their server is gone.
///
/// The lock file names a process id too, and a server refuses to start while another program has that id.
pub(crate) fn remove_stale(directory: &Path) -> io::Result<()> {
    for name in [format!(".s.PGSQL.{PORT}"), format!(".s.PGSQL.{PORT}.lock")] {
        match fs::remove_file(directory.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Takes away a directory that stands outside the data directory.
pub(crate) fn remove_if_outside(directory: &Path, home: &Path) {
    if !directory.starts_with(home) {
        // It may be gone already, or hold another server's socket: then it stays.
        let _ = fs::remove_dir(directory);
    }
}

/// A short name for a directory that is the same in every run and every build.
pub(crate) fn fingerprint(path: &Path) -> u64 {
    let mut hasher = Fnv1a(0xcbf2_9ce4_8422_2325);
    hasher.write(path.as_os_str().as_encoded_bytes());
    hasher.finish()
}

/// FNV-1a: the standard library's hasher promises no stable result.
struct Fnv1a(u64);

impl Hasher for Fnv1a {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_socket_stands_beside_the_data_as_long_as_its_path_fits() {
        let fits = format!("/{}", "d".repeat(MAX_PATH_BYTES - "//socket/.s.PGSQL.5432".len()));
        assert_eq!(directory(Path::new(&fits)), Path::new(&fits).join("socket"));
        let too_long = directory(Path::new(&format!("{fits}d")));
        assert!(too_long.starts_with(SHORT_PARENT));
        assert_eq!(too_long, directory(Path::new(&format!("{fits}d"))));
    }

    #[test]
    fn the_fingerprint_never_changes() {
        assert_eq!(fingerprint(Path::new("a")), 0xaf63_dc4c_8601_ec8c);
    }

    #[test]
    fn a_socket_directory_that_others_can_enter_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("s");
        let me = rustix::process::geteuid().as_raw();
        prepare(&place, me, |_| Ok(())).unwrap();
        assert_eq!(fs::metadata(&place).unwrap().mode() & 0o777, 0o700);
        fs::set_permissions(&place, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(prepare(&place, me, |_| Ok(())).unwrap_err().code(), "MLC-1103");
        fs::remove_dir(&place).unwrap();
        std::os::unix::fs::symlink("/", &place).unwrap();
        assert_eq!(prepare(&place, me, |_| Ok(())).unwrap_err().code(), "MLC-1103");
    }
}
