//! What each code of this crate says to the person who meets it: one list for the program's `explain`
//! and for its documentation.

/// A code with its texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeInfo {
    /// The stable name, such as `MLC-1101`; never reused.
    pub code: &'static str,
    /// One line: what happened.
    pub title: &'static str,
    /// What it means for the data.
    pub meaning: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}

macro_rules! codes {
    ($($name:ident $code:literal $title:literal, $meaning:literal, $remedy:literal;)*) => {
        $(pub(crate) const $name: CodeInfo =
            CodeInfo { code: $code, title: $title, meaning: $meaning, remedy: $remedy };)*

        /// Every code of this crate, in the order of their numbers: MLC-1100 to MLC-1199.
        pub const CODES: &[CodeInfo] = &[$($name,)*];
    };
}

codes! {
    PROGRAMS_MISSING "MLC-1101" "The PostgreSQL server programs are not installed",
        "No DATABASE_URL was given, so a private server was to be run, and `initdb` and `postgres` were found neither in PATH nor where distributions put them. Nothing was started.",
        "Install PostgreSQL 15 or later (Debian and Ubuntu: postgresql; Fedora and RHEL: postgresql-server; Arch: postgresql; Homebrew: postgresql@17), or set DATABASE_URL to use a server that runs elsewhere.";
    PROGRAMS_TOO_OLD "MLC-1102" "The installed PostgreSQL is too old",
        "Version 15 is the oldest that works. Nothing was started.",
        "Install PostgreSQL 15 or later, or set DATABASE_URL to use a newer server that runs elsewhere.";
    DIRECTORY_UNUSABLE "MLC-1103" "The data directory cannot be used",
        "It belongs to somebody else, holds files that this program did not make, or cannot be reached by the user that the server runs as. Nothing in it was changed.",
        "The message names the directory and what stands in the way. Name an empty or new directory with --data-dir, or mend owner and mode.";
    LOCK_TIMED_OUT "MLC-1104" "Another program holds the data directory",
        "A live process owns the directory, and its server did not answer in time. Nothing was started; its data are untouched.",
        "Stop that process (the message names it), or choose another directory with --data-dir.";
    INITDB_FAILED "MLC-1105" "A new database could not be made",
        "`initdb` ended with an error. The half-made database is cleared away by the next start.",
        "Read the end of its output in the message; a full disk or a missing locale is the usual cause.";
    START_FAILED "MLC-1106" "The PostgreSQL server did not start",
        "It ended at once or was not ready in time. The data are as they were.",
        "Read the end of its log, which the message shows and names; look for a full disk, too little memory or damaged files.";
    ACCOUNT_MISSING "MLC-1107" "Root has no ordinary user to run the server as",
        "PostgreSQL refuses to run as root, and the user `postgres` does not exist. Nothing was started.",
        "Install the distribution's PostgreSQL package, which makes that user, or run this program as an ordinary user.";
    VERSION_MISMATCH "MLC-1108" "The data were written by a PostgreSQL version that is not installed",
        "A major version reads only its own data. Nothing was started and nothing changed.",
        "Install the version that the message names, or move the data with pg_upgrade or a dump.";
    LEFTOVER_STUCK "MLC-1109" "A server left over from an earlier run does not end",
        "It was asked to stop, then killed, and is still there: usually it waits for a disk. A second server on the same data would damage them, so none was started.",
        "Look at it with the `ps` command that the message gives, and start again when it is gone.";
    STOP_TIMED_OUT "MLC-1110" "The server did not stop in time",
        "Its data are safe: everything committed is in its write-ahead log.",
        "Nothing; the next start puts it right.";
    REFUSED "MLC-1111" "The private server refused what it was asked",
        "It runs, but its role or its database could not be made or opened.",
        "Read its log, which the message names; a full disk is the usual cause.";
    PROGRAM_UNUSABLE "MLC-1112" "A PostgreSQL program could not be run",
        "The file exists, but the system refused to execute it. Nothing was started.",
        "Check that it is executable for the user that the server runs as.";
    SETTINGS_INVALID "MLC-1113" "The private server's settings are wrong",
        "A name or number cannot be used. Nothing was started.",
        "Mend the setting that the message names.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_unique_and_in_order() {
        for pair in CODES.windows(2) {
            assert!(pair[0].code < pair[1].code, "{} before {}", pair[0].code, pair[1].code);
        }
        for info in CODES {
            assert!(info.code.starts_with("MLC-11") && info.code.len() == 8, "{}", info.code);
            assert!(!info.title.is_empty() && !info.meaning.is_empty() && !info.remedy.is_empty());
        }
    }
}
