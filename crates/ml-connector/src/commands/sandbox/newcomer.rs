//! `sandbox --newcomer DIR`: a connection's file with its secrets, and what to do with them.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use sandbox::{Board, Sandbox};

use super::{account_settings, addresses, asana_token, settings_without_journals};
use crate::output;

/// What was written, in this order: who waits for the connection's file finds all.
const FILES: [(&str, &str); 3] = [
    ("oracle.secret", "Oracle's client secret, made up"),
    ("asana.token", "Asana's token, made up"),
    ("connection.toml", "the connection `acme`: both sides, one project without fields"),
];

/// A connection's file and its secrets, in this directory.
pub(super) struct Written(PathBuf);

/// Writes a connection's file, without journals, and its secrets, readable by this user alone.
pub(super) fn write(directory: &Path, sandbox: &Sandbox, board: &Board) -> anyhow::Result<Written> {
    std::fs::create_dir_all(directory)?;
    let ledger = sandbox.oracle().ledger_facts();
    let connection = format!(
        "name = \"acme\"\n\n[secrets]\noracle_client_secret = {{ file = \"oracle.secret\" }}\n\
         asana_token = {{ file = \"asana.token\" }}\n\n{}{}\n[reference]\nchart_of_accounts = \"{}\"   \
         # whose accounts `reference sync` reads\n",
        settings_without_journals(sandbox, board),
        account_settings(&ledger),
        ledger.chart_of_accounts_id,
    );
    let contents = [sandbox.oracle().config().client_secret.clone(), asana_token(sandbox), connection];
    for ((name, _), content) in FILES.iter().zip(contents) {
        let mut options = std::fs::OpenOptions::new();
        let mut file =
            options.write(true).create(true).truncate(true).mode(0o600).open(directory.join(name))?;
        writeln!(file, "{content}")?;
    }
    // another terminal may stand elsewhere
    Ok(Written(std::fs::canonicalize(directory)?))
}

impl Written {
    /// Every file that was written.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        FILES.iter().map(|(name, _)| self.0.join(name)).collect()
    }

    /// Says what was written, and what comes next.
    pub(super) fn show(&self, sandbox: &Sandbox) {
        output::data("Oracle and Asana are stood in for, until Ctrl-C:");
        output::data(&output::pairs(addresses(sandbox)).to_string());
        output::data("Written:");
        let files = self.files().into_iter().zip(FILES);
        let rows = files.map(|(path, (_, what))| (path.display().to_string(), what));
        output::data(&output::pairs(rows).to_string());
        let file = quoted(&self.0.join("connection.toml").display().to_string());
        output::data(&format!(
            "Next, in another terminal, where ML_CONNECTOR_KEY is set (README, \"Make the key\"):\n\n  \
             ml-connector connection apply -f {file}\n  \
             ml-connector connection ping acme\n  \
             ml-connector connection provision acme\n  \
             ml-connector connection dry-run acme\n  \
             ml-connector serve                             # in a terminal of its own\n  \
             ml-connector connection activate acme --follow\n\n\
             Or be asked for one thing at a time, with the values of these files:\n\n  \
             ml-connector connection setup acme --asana-url {}\n",
            sandbox.asana_url()
        ));
        output::say("Ctrl-C ends it");
    }
}

/// A path as a shell takes it.
fn quoted(path: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@%".contains(c);
    if path.chars().all(is_plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_quoted_where_a_shell_would_cut_it() {
        assert_eq!(quoted("/tmp/mine/connection.toml"), "/tmp/mine/connection.toml");
        assert_eq!(quoted("/tmp/my place"), "'/tmp/my place'");
        assert_eq!(quoted("/tmp/it's"), r"'/tmp/it'\''s'");
    }
}
