//! The data directory: what stands where in it, and that only the right user can use it.
//!
//! A directory that holds somebody else's files is never touched: its mode and owner would be changed.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use crate::Error;
use crate::account::{self, Account};
use crate::process::Cluster;
use crate::socket;

/// The lock file; it also marks a directory as ours, so it is the first thing made in it.
const LOCK: &str = "owner.lock";
/// Held shared by every program that uses the server, so that the last one to end stops it.
const USERS: &str = "users.lock";
/// Names the server that its owner asked to stop, so that nobody takes it for a healthy one.
const STOPPING: &str = "stopping.pid";
const LOG: &str = "postgres.log";

/// The server's private directory, made and checked.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    root: PathBuf,
    /// The user that the server runs as when that is not this process's user.
    pub(crate) account: Option<Account>,
    pub(crate) cluster: Cluster,
}

impl Home {
    /// Makes the directory when it is missing, and closes it to everybody but the server's user.
    pub(crate) fn prepare(data_dir: &Path) -> Result<Home, Error> {
        check_name(data_dir)?;
        let root = make(data_dir)?;
        let unreadable = |error| Error::directory_io(&root, "it cannot be read", error);
        let found = fs::metadata(&root).map_err(unreadable)?;
        let account = account::choose(Some(found.uid()))?;
        check_owner(&root, &found, account.as_ref())?;
        if !is_ours_or_empty(&root).map_err(unreadable)? {
            let reason = "it holds files that this program did not make; name an empty or a new directory";
            return Err(Error::directory(root, reason));
        }
        let cluster = Cluster::new(root.join("cluster"));
        let home = Home { root, account, cluster };
        // The lock file comes first: it is what a second program recognises the directory by.
        home.open_lock()?;
        home.close_to_others(&found)?;
        Ok(home)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn lock_path(&self) -> PathBuf {
        self.root.join(LOCK)
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.root.join(LOG)
    }

    pub(crate) fn stopping(&self) -> PathBuf {
        self.root.join(STOPPING)
    }

    /// Whether the server with this number is one that was asked to stop.
    pub(crate) fn was_told_to_stop(&self, pid: i32) -> bool {
        fs::read_to_string(self.stopping()).is_ok_and(|noted| noted == pid.to_string())
    }

    pub(crate) fn socket_dir(&self) -> PathBuf {
        socket::directory(&self.root)
    }

    /// The owner's lock file, open but not yet locked.
    pub(crate) fn open_lock(&self) -> Result<File, Error> {
        self.open_lock_file(self.lock_path())
    }

    /// The users' lock file, open but not yet locked.
    pub(crate) fn open_users(&self) -> Result<File, Error> {
        self.open_lock_file(self.root.join(USERS))
    }

    fn open_lock_file(&self, path: PathBuf) -> Result<File, Error> {
        let open =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
        open.and_then(|file| self.hand_over(&path).map(|()| file))
            .map_err(|error| Error::directory_io(&path, "its lock file cannot be opened", error))
    }

    /// Gives a file that this process made to the user that the server runs as.
    pub(crate) fn hand_over(&self, path: &Path) -> io::Result<()> {
        match &self.account {
            Some(account) => chown(path, Some(account.uid), Some(account.gid)),
            None => Ok(()),
        }
    }

    /// The user that the server runs as.
    pub(crate) fn server_uid(&self) -> u32 {
        self.account.as_ref().map_or_else(|| rustix::process::geteuid().as_raw(), |account| account.uid)
    }

    fn close_to_others(&self, found: &Metadata) -> Result<(), Error> {
        let failed = |error| Error::directory_io(&self.root, "its owner and mode cannot be set", error);
        if found.mode() & 0o7777 != 0o700 {
            fs::set_permissions(&self.root, Permissions::from_mode(0o700)).map_err(failed)?;
        }
        if found.uid() != self.server_uid() {
            self.hand_over(&self.root).map_err(failed)?;
        }
        Ok(())
    }

    /// Turns a failed start of a program into what stands in its way.
    pub(crate) fn explain_spawn(&self, program: &Path, error: io::Error) -> Error {
        let Some(account) = &self.account else {
            return Error::ProgramUnusable { program: program.to_owned(), source: error };
        };
        if error.kind() == io::ErrorKind::PermissionDenied
            && let Some(blocked) = first_closed_parent(&self.root, account)
        {
            let name = &account.name;
            let reason = format!(
                "the server runs as user `{name}`, who may not pass through it on the way to {}; put the data \
                 somewhere open to that user (such as /var/lib), or run `chmod o+x {}`",
                self.root.display(),
                blocked.display()
            );
            return Error::DirectoryUnusable { path: blocked, reason, source: Some(error) };
        }
        Error::ProgramUnusable { program: program.to_owned(), source: error }
    }
}

/// The path ends up in a connection URL and, line by line, in `postmaster.pid`.
fn check_name(path: &Path) -> Result<(), Error> {
    match path.to_str() {
        Some(text) if !text.is_empty() && !text.chars().any(char::is_control) => Ok(()),
        _ => {
            Err(Error::directory(path, "its name must be plain text: valid UTF-8 without control characters"))
        }
    }
}

fn make(data_dir: &Path) -> Result<PathBuf, Error> {
    let failed = |error| Error::directory_io(data_dir, "it cannot be made", error);
    if let Some(parent) = data_dir.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    match DirBuilder::new().mode(0o700).create(data_dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
        _ => {}
    }
    let root = fs::canonicalize(data_dir).map_err(failed)?;
    if !root.is_dir() {
        return Err(Error::directory(root, "it is not a directory"));
    }
    check_name(&root)?;
    Ok(root)
}

/// A freshly mounted volume holds nothing but `lost+found`.
fn is_ours_or_empty(root: &Path) -> io::Result<bool> {
    if root.join(LOCK).exists() {
        return Ok(true);
    }
    for entry in fs::read_dir(root)? {
        // Another program may make the lock file between the two looks.
        if !["lost+found", LOCK].contains(&entry?.file_name().to_string_lossy().as_ref()) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn check_owner(root: &Path, found: &Metadata, account: Option<&Account>) -> Result<(), Error> {
    let me = rustix::process::geteuid().as_raw();
    if account.is_some() || found.uid() == me {
        return Ok(());
    }
    let reason = format!(
        "it belongs to user {}, and this program runs as user {me}; run it as that user, or name another directory",
        found.uid()
    );
    Err(Error::directory(root, reason))
}

/// The outermost directory on the way to `path` that `account` may not pass, by the mode bits.
fn first_closed_parent(path: &Path, account: &Account) -> Option<PathBuf> {
    let mut parents: Vec<&Path> = path.ancestors().skip(1).collect();
    parents.reverse();
    let closed = |dir: &&Path| fs::metadata(dir).is_ok_and(|found| !may_pass(&found, account));
    parents.into_iter().find(closed).map(Path::to_owned)
}

fn may_pass(found: &Metadata, account: &Account) -> bool {
    let bit = match (found.uid() == account.uid, found.gid() == account.gid) {
        (true, _) => 0o100,
        (false, true) => 0o010,
        (false, false) => 0o001,
    };
    found.mode() & bit != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_with_other_files_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("full");
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o750)).unwrap();
        fs::write(path.join("letter.txt"), "mine").unwrap();
        assert_eq!(Home::prepare(&path).unwrap_err().code(), "MLC-1103");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o750);
        assert_eq!(fs::read_dir(&path).unwrap().count(), 1);
    }

    #[test]
    fn a_name_that_cannot_stand_in_a_pid_file_is_refused() {
        assert_eq!(Home::prepare(Path::new("/tmp/two\nlines")).unwrap_err().code(), "MLC-1103");
        assert_eq!(Home::prepare(Path::new("")).unwrap_err().code(), "MLC-1103");
    }

    #[test]
    fn a_file_in_the_place_of_the_directory_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(Home::prepare(file.path()).unwrap_err().code(), "MLC-1103");
        assert_eq!(Home::prepare(&file.path().join("below")).unwrap_err().code(), "MLC-1103");
    }

    #[test]
    fn the_outermost_closed_parent_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let stranger = Account { name: "stranger".to_owned(), uid: 4_000_000, gid: 4_000_000 };
        let path = dir.path().join("a/b");
        fs::create_dir_all(&path).unwrap();
        fs::set_permissions(dir.path(), Permissions::from_mode(0o700)).unwrap();
        assert_eq!(first_closed_parent(&path, &stranger).unwrap(), dir.path());
        fs::set_permissions(dir.path(), Permissions::from_mode(0o711)).unwrap();
        fs::set_permissions(dir.path().join("a"), Permissions::from_mode(0o750)).unwrap();
        assert_eq!(first_closed_parent(&path, &stranger).unwrap(), dir.path().join("a"));
    }
}
