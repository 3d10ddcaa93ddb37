//! Which user the server runs as.
//!
//! PostgreSQL refuses to run as root. An ordinary user runs it as itself; root hands it to the user that
//! already owns the directory, or else to the `postgres` user that the distributions' packages make.

use std::fs;
use std::process::Command;

use crate::Error;

const SERVER_USER: &str = "postgres";

/// A user to drop to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// The user to drop to, given the directory's present owner; `None`: stay who we are.
pub(crate) fn choose(directory_owner: Option<u32>) -> Result<Option<Account>, Error> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    // initdb insists on a name for the user it runs as, so a bare number is no account.
    match directory_owner {
        Some(uid) if uid != 0 => look_up(&uid.to_string()).map(Some).ok_or_else(|| Error::AccountMissing {
            reason: format!("the data directory belongs to user {uid}, which this machine does not know"),
        }),
        _ => look_up(SERVER_USER).map(Some).ok_or_else(|| Error::AccountMissing {
            reason: format!("there is no user `{SERVER_USER}` to run it as"),
        }),
    }
}

/// Finds a user by name or number: in `/etc/passwd`, else wherever the system's name service looks.
fn look_up(key: &str) -> Option<Account> {
    let local = fs::read_to_string("/etc/passwd").unwrap_or_default();
    local.lines().filter_map(parse_line).find(|account| is_named(account, key)).or_else(|| {
        let answer = Command::new("getent").args(["passwd", key]).output().ok()?;
        parse_line(String::from_utf8_lossy(&answer.stdout).lines().next()?)
    })
}

fn is_named(account: &Account, key: &str) -> bool {
    account.name == key || account.uid.to_string() == key
}

/// One line of passwd(5): `name:password:uid:gid:...`.
fn parse_line(line: &str) -> Option<Account> {
    let mut fields = line.split(':');
    let name = fields.next()?.to_owned();
    let (uid, gid) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(Account { name, uid, gid })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passwd_line_gives_name_and_numbers() {
        let account = parse_line("postgres:x:101:104:PostgreSQL,,,:/var/lib/postgresql:/bin/bash").unwrap();
        assert_eq!(account, Account { name: "postgres".to_owned(), uid: 101, gid: 104 });
        assert_eq!(parse_line("+::::::"), None);
    }

    #[test]
    fn a_user_is_found_by_name_and_by_number() {
        assert_eq!(look_up("root"), look_up("0"));
        assert_eq!(look_up("root").unwrap().uid, 0);
    }
}
