//! Where the machine keeps `initdb` and `postgres`.
//!
//! PATH is asked first, then the directories where distributions put versions side by side, newest first.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Error;

/// The store relies on features of this version.
pub(crate) const OLDEST_MAJOR: u32 = 15;

/// Directories that hold one directory per version: parent, prefix of the version's directory, and what follows.
const VERSIONED: [(&str, &str, &str); 5] = [
    ("/usr/lib/postgresql", "", "bin"),          // Debian, Ubuntu
    ("/usr", "pgsql-", "bin"),                   // PostgreSQL's own packages for Fedora and RHEL
    ("/usr/libexec", "postgresql", ""),          // Alpine
    ("/opt/homebrew/opt", "postgresql@", "bin"), // Homebrew on ARM
    ("/usr/local/opt", "postgresql@", "bin"),    // Homebrew on Intel
];

/// One installed version of the server programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Programs {
    bin: PathBuf,
    pub(crate) major: u32,
}

impl Programs {
    pub(crate) fn initdb(&self) -> PathBuf {
        self.bin.join("initdb")
    }

    pub(crate) fn postgres(&self) -> PathBuf {
        self.bin.join("postgres")
    }
}

/// All usable versions, the preferred one first; never empty.
pub(crate) fn find(given: Option<&Path>) -> Result<Vec<Programs>, Error> {
    let (found, searched) = match given {
        Some(bin) => (in_directory(bin).into_iter().collect(), bin.display().to_string()),
        None => {
            let path = env::var_os("PATH").unwrap_or_default();
            let mut found: Vec<Programs> = on_path(&path).into_iter().collect();
            found.extend(VERSIONED.iter().flat_map(|(parent, prefix, rest)| versions(parent, prefix, rest)));
            let parents: Vec<&str> = VERSIONED.iter().map(|(parent, ..)| *parent).collect();
            (found, format!("PATH, {}", parents.join(", ")))
        }
    };
    usable(found, searched)
}

fn usable(found: Vec<Programs>, searched: String) -> Result<Vec<Programs>, Error> {
    let newest = found.iter().max_by_key(|programs| programs.major).cloned();
    let usable: Vec<Programs> = found.into_iter().filter(|p| p.major >= OLDEST_MAJOR).collect();
    match newest {
        None => Err(Error::ProgramsMissing { searched }),
        Some(newest) if usable.is_empty() => {
            Err(Error::ProgramsTooOld { found: newest.bin, version: newest.major })
        }
        Some(_) => Ok(usable),
    }
}

/// The version that can read a cluster written by `major`.
pub(crate) fn matching(candidates: &[Programs], major: u32, cluster: &Path) -> Result<Programs, Error> {
    candidates.iter().find(|programs| programs.major == major).cloned().ok_or_else(|| {
        let found: Vec<String> = candidates.iter().map(|p| p.major.to_string()).collect();
        Error::VersionMismatch { cluster: cluster.to_owned(), needed: major, found: found.join(", ") }
    })
}

fn on_path(path: &OsStr) -> Option<Programs> {
    env::split_paths(path).filter(|dir| dir.is_absolute()).find_map(|dir| in_directory(&dir))
}

/// Both programs in one directory, their version asked of the program itself.
fn in_directory(bin: &Path) -> Option<Programs> {
    if !has_both(bin) {
        return None;
    }
    let answer = Command::new(bin.join("postgres")).arg("--version").output().ok()?;
    let major = major_in_banner(&String::from_utf8_lossy(&answer.stdout))?;
    Some(Programs { bin: bin.to_owned(), major })
}

/// Versions side by side below `parent`, newest first; the directory's name is trusted for the version.
fn versions(parent: &str, prefix: &str, rest: &str) -> Vec<Programs> {
    let Ok(entries) = fs::read_dir(parent) else { return Vec::new() };
    let mut found: Vec<Programs> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name();
            let major = name.to_str()?.strip_prefix(prefix)?.parse().ok()?;
            let bin = entry.path().join(rest);
            has_both(&bin).then_some(Programs { bin, major })
        })
        .collect();
    found.sort_by_key(|programs| std::cmp::Reverse(programs.major));
    found
}

fn has_both(bin: &Path) -> bool {
    ["initdb", "postgres"].iter().all(|program| bin.join(program).is_file())
}

/// `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`, `... 18beta1`, `... 19devel`.
fn major_in_banner(banner: &str) -> Option<u32> {
    let version = banner.split_once("(PostgreSQL)")?.1.trim_start();
    let digits = version.find(|c: char| !c.is_ascii_digit()).unwrap_or(version.len());
    version[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn programs(major: u32) -> Programs {
        Programs { bin: PathBuf::from(format!("/pg/{major}")), major }
    }

    #[test]
    fn the_major_version_is_read_from_every_form_of_banner() {
        assert_eq!(major_in_banner("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(major_in_banner("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(major_in_banner("postgres (PostgreSQL) 9.6.24"), Some(9));
        assert_eq!(major_in_banner("something else 15"), None);
    }

    #[test]
    fn no_programs_and_old_programs_are_different_errors() {
        assert_eq!(usable(vec![], String::new()).unwrap_err().code(), "MLC-1101");
        let old = usable(vec![programs(13), programs(14)], String::new()).unwrap_err();
        assert!(matches!(&old, Error::ProgramsTooOld { version: 14, .. }));
        assert_eq!(old.code(), "MLC-1102");
    }

    #[test]
    fn an_old_version_on_path_does_not_hide_a_newer_one() {
        assert_eq!(usable(vec![programs(14), programs(16)], String::new()).unwrap(), vec![programs(16)]);
    }

    #[test]
    fn a_cluster_is_only_given_to_the_version_that_wrote_it() {
        let installed = [programs(17), programs(15)];
        assert_eq!(matching(&installed, 15, Path::new("/c")).unwrap(), programs(15));
        assert_eq!(matching(&installed, 16, Path::new("/c")).unwrap_err().code(), "MLC-1108");
    }

    #[test]
    fn versions_side_by_side_are_ordered_by_number() {
        let dir = tempfile::tempdir().unwrap();
        for major in ["9", "15", "16", "100", "common"] {
            let bin = dir.path().join(major).join("bin");
            fs::create_dir_all(&bin).unwrap();
            fs::write(bin.join("initdb"), "").unwrap();
            if major != "16" {
                fs::write(bin.join("postgres"), "").unwrap();
            }
        }
        let found = versions(dir.path().to_str().unwrap(), "", "bin");
        assert_eq!(found.iter().map(|p| p.major).collect::<Vec<_>>(), [100, 15, 9]);
    }
}
