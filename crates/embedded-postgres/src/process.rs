//! Which processes belong to a cluster, and signals to them.
//!
//! A process id alone proves nothing: after a crash it may name another program. A process belongs to a
//! cluster when it works in the cluster's directory, was started with `-D` on it, or carries the cluster's
//! name in its title. The last two matter to root in a container: without the right to trace other users'
//! processes it may read their command lines but not their working directories.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tokio::time::Instant;

use crate::launch::POLL_INTERVAL;
use crate::socket::fingerprint;

/// The server's program, as the system names its processes.
const PROGRAM: &str = "postgres";

/// A cluster, as its processes can be recognised.
#[derive(Debug, Clone)]
pub(crate) struct Cluster {
    pub(crate) directory: PathBuf,
    /// What the server is told as `cluster_name`: its processes show it in their titles.
    pub(crate) name: String,
}

impl Cluster {
    pub(crate) fn new(directory: PathBuf) -> Cluster {
        let name = format!("private-{:016x}", fingerprint(&directory));
        Cluster { directory, name }
    }

    /// The live process `pid`, if it belongs to this cluster.
    pub(crate) fn process(&self, pid: i32) -> Option<Process> {
        let process = Process::find(pid)?;
        let mine = if has_proc() { self.owns(pid) } else { self.owns_by_ps(pid) };
        mine.then_some(process)
    }

    /// All live processes of this cluster. Empty on a system without `/proc`.
    pub(crate) fn processes(&self) -> Vec<Process> {
        let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
        let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        numbers.filter_map(|pid| self.process(pid)).collect()
    }

    fn owns(&self, pid: i32) -> bool {
        let program = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        if program.trim_end() != PROGRAM {
            return false;
        }
        if fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|dir| dir == self.directory) {
            return true;
        }
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        self.is_named_in(&String::from_utf8_lossy(&line))
    }

    /// Arguments are closed by zero bytes; a process that set its title has one long first argument.
    fn is_named_in(&self, command_line: &str) -> bool {
        let mut arguments = command_line.split('\0');
        let first = arguments.next().unwrap_or_default();
        if first.starts_with(&format!("postgres: {}: ", self.name)) {
            return true;
        }
        let rest: Vec<&str> = arguments.collect();
        rest.windows(2).any(|pair| pair[0] == "-D" && Path::new(pair[1]) == self.directory)
    }

    fn owns_by_ps(&self, pid: i32) -> bool {
        let answer = Command::new("ps").args(["-o", "command=", "-p", &pid.to_string()]).output();
        let line = answer.map(|answer| String::from_utf8_lossy(&answer.stdout).into_owned());
        line.is_ok_and(|line| line.contains("postgres") && line.contains(&self.name))
    }
}

fn has_proc() -> bool {
    Path::new("/proc/self/stat").exists()
}

/// One process, told apart from a later one with the same number by when it started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process {
    pid: Pid,
    started: Option<u64>,
}

impl Process {
    /// The live process `pid`, whatever it is.
    pub(crate) fn find(pid: i32) -> Option<Process> {
        // Numbers below 1 would name groups of processes.
        let pid = Pid::from_raw(pid.max(0))?;
        if !has_proc() {
            return test_kill_process(pid).is_ok().then_some(Process { pid, started: None });
        }
        let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_pid())).ok()?;
        Some(Process { pid, started: Some(start_of_live(&stat)?) })
    }

    pub(crate) fn pid(self) -> i32 {
        self.pid.as_raw_pid()
    }

    pub(crate) fn is_alive(self) -> bool {
        Process::find(self.pid()) == Some(self)
    }

    /// Sends a signal if this very process still lives; that it has just gone is no error.
    pub(crate) fn signal(self, signal: Signal) {
        if self.is_alive()
            && let Err(error) = kill_process(self.pid, signal)
        {
            tracing::warn!(pid = self.pid(), %error, "a PostgreSQL process could not be signalled");
        }
    }

    /// Waits until the process is gone; `false` when it still lives after `timeout`.
    pub(crate) async fn gone_within(self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        while self.is_alive() {
            if Instant::now() >= deadline {
                return false;
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        true
    }
}

/// The start time in `/proc/<pid>/stat`, unless the process is dead and only waits for its parent.
///
/// The second field is the program's name in parentheses and may itself hold spaces and parentheses; after
/// it come the state and, nineteen fields later, the start time in clock ticks since boot.
fn start_of_live(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let state = fields.next()?;
    let started = fields.nth(18)?.parse().ok()?;
    (!matches!(state, "Z" | "X")).then_some(started)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "42 (odd ) name) S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1000 200 300";

    #[test]
    fn the_start_time_is_read_behind_any_program_name() {
        assert_eq!(start_of_live(STAT), Some(987_654));
    }

    #[test]
    fn a_dead_process_that_nobody_collected_is_not_alive() {
        assert_eq!(start_of_live(&STAT.replace(") S", ") Z")), None);
    }

    #[test]
    fn this_process_lives_but_belongs_to_no_cluster() {
        let me = i32::try_from(std::process::id()).unwrap();
        assert!(Process::find(me).unwrap().is_alive());
        assert_eq!(Cluster::new(std::env::current_dir().unwrap()).process(me), None);
        assert_eq!(Process::find(0), None);
        assert_eq!(Process::find(-1), None);
    }

    #[test]
    fn a_number_that_was_given_to_a_later_process_is_another_process() {
        let me = Process::find(i32::try_from(std::process::id()).unwrap()).unwrap();
        assert!(!Process { started: Some(1), ..me }.is_alive());
    }

    #[test]
    fn a_cluster_is_recognised_in_arguments_and_titles() {
        let cluster = Cluster::new(PathBuf::from("/d/cluster"));
        assert!(cluster.is_named_in("/usr/lib/postgresql/15/bin/postgres\0-D\0/d/cluster\0-c\0a=b\0"));
        assert!(cluster.is_named_in(&format!("postgres: {}: checkpointer \0", cluster.name)));
        assert!(!cluster.is_named_in("postgres\0-D\0/d/cluster2\0"));
        assert!(!cluster.is_named_in("postgres: 15/main: checkpointer \0"));
    }
}
