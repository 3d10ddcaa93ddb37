//! Makes a new database cluster.
//!
//! `initdb` works in a directory of its own that is renamed when it is complete and on disk. So a cluster
//! either stands there whole or not at all, and what a killed `initdb` leaves behind is thrown away.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::Error;
use crate::database::ADMIN;
use crate::directory::Home;
use crate::launch::{command, tail};
use crate::programs::{self, Programs};

/// Directories that `initdb` works in begin with this.
const SCRATCH_PREFIX: &str = "initdb-";

/// `initdb` takes half a second; minutes mean that the disk hangs.
const INITDB_TIMEOUT: Duration = Duration::from_secs(120);

/// The programs for the cluster in `home`, which is made first when there is none.
pub(crate) async fn ensure(home: &Home, candidates: &[Programs]) -> Result<Programs, Error> {
    remove_scratch(home);
    let cluster = &home.cluster.directory;
    if let Some(major) = version_of(cluster)? {
        return programs::matching(candidates, major, cluster);
    }
    let Some(newest) = candidates.first() else {
        return Err(Error::ProgramsMissing { searched: String::new() });
    };
    initialise(home, newest).await?;
    Ok(newest.clone())
}

/// The major version that wrote the cluster; `None` when there is no cluster.
fn version_of(cluster: &Path) -> Result<Option<u32>, Error> {
    let damaged = || {
        let reason = "it is no complete PostgreSQL cluster any more; put a backup in its place, or move it away \
                      to begin with an empty database";
        Error::directory(cluster, reason)
    };
    match fs::read_to_string(cluster.join("PG_VERSION")) {
        Ok(text) if cluster.join("global/pg_control").exists() => {
            text.trim().parse().map(Some).map_err(|_| damaged())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound && !cluster.exists() => Ok(None),
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::directory_io(cluster, "its version cannot be read", error))
        }
        _ => Err(damaged()),
    }
}

async fn initialise(home: &Home, programs: &Programs) -> Result<(), Error> {
    let scratch = scratch_directory(home);
    let initdb = programs.initdb();
    let made = command(&initdb, home)
        .arg("-D")
        .arg(&scratch)
        .args(["--encoding=UTF8", "--locale=C.UTF-8", "--lc-messages=C", "--no-sync", "--no-instructions"])
        // The directory is closed to all other users, and so is the socket: whoever reaches it is the owner.
        .args(["--auth-local=trust", "--auth-host=reject", &format!("--username={ADMIN}")])
        .output();
    expect_success(finish(made, home, &initdb).await?)?;

    if supports_lz4(home, programs, &scratch).await? {
        let failed = |error| Error::directory_io(&scratch, "its configuration cannot be written", error);
        prefer_lz4(&scratch).map_err(failed)?;
    }
    let synced = command(&initdb, home).arg("-D").arg(&scratch).arg("--sync-only").output();
    expect_success(finish(synced, home, &initdb).await?)?;

    let cluster = &home.cluster.directory;
    fs::rename(&scratch, cluster)
        .and_then(|()| File::open(home.root())?.sync_all())
        .map_err(|error| Error::directory_io(cluster, "the new cluster cannot be put in its place", error))
}

/// A name that no earlier attempt has used: its `initdb` may have outlived the program that started it.
fn scratch_directory(home: &Home) -> PathBuf {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    home.root().join(format!("{SCRATCH_PREFIX}{}-{}", std::process::id(), now.as_nanos()))
}

fn remove_scratch(home: &Home) {
    let Ok(entries) = fs::read_dir(home.root()) else { return };
    for entry in entries.filter_map(Result::ok) {
        if entry.file_name().to_string_lossy().starts_with(SCRATCH_PREFIX) {
            tracing::warn!(directory = %entry.path().display(), "removing a half-made PostgreSQL cluster");
            if let Err(error) = fs::remove_dir_all(entry.path()) {
                // It is in nobody's way: the next attempt works in another directory.
                tracing::warn!(directory = %entry.path().display(), %error, "could not remove it");
            }
        }
    }
}

/// Whether this build knows LZ4: an unknown value makes `postgres -C` fail.
async fn supports_lz4(home: &Home, programs: &Programs, cluster: &Path) -> Result<bool, Error> {
    let postgres = programs.postgres();
    let asked = command(&postgres, home)
        .arg("-D")
        .arg(cluster)
        .args(["-C", "wal_compression", "-c", "wal_compression=lz4", "-c", "default_toast_compression=lz4"])
        .output();
    Ok(finish(asked, home, &postgres).await?.status.success())
}

fn prefer_lz4(cluster: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).open(cluster.join("postgresql.conf"))?;
    file.write_all(b"\nwal_compression = lz4\ndefault_toast_compression = lz4\n")?;
    file.sync_all()
}

async fn finish(
    running: impl Future<Output = io::Result<Output>>,
    home: &Home,
    program: &Path,
) -> Result<Output, Error> {
    match tokio::time::timeout(INITDB_TIMEOUT, running).await {
        Ok(ended) => ended.map_err(|error| home.explain_spawn(program, error)),
        Err(_) => Err(Error::InitdbFailed { output: format!("nothing for {INITDB_TIMEOUT:?}") }),
    }
}

fn expect_success(output: Output) -> Result<(), Error> {
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(Error::InitdbFailed { output: tail(&said) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_cluster_and_a_damaged_one_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let cluster = dir.path().join("cluster");
        assert_eq!(version_of(&cluster).unwrap(), None);
        fs::create_dir_all(cluster.join("global")).unwrap();
        assert_eq!(version_of(&cluster).unwrap_err().code(), "MLC-1103");
        fs::write(cluster.join("PG_VERSION"), "15\n").unwrap();
        assert_eq!(version_of(&cluster).unwrap_err().code(), "MLC-1103");
        fs::write(cluster.join("global/pg_control"), "").unwrap();
        assert_eq!(version_of(&cluster).unwrap(), Some(15));
    }
}
