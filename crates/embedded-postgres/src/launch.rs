//! Runs the server's programs as the right user, and waits until a server is ready.

use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::Instant;

use crate::directory::Home;
use crate::pid_file::{PidFile, Status};
use crate::programs::Programs;
use crate::{Error, Settings, options, socket};

/// How often a condition is looked at that nothing announces.
pub(crate) const POLL_INTERVAL: Duration = Duration::from_millis(2);

/// A log that has grown beyond this is put aside at the next start, as `postgres.log.1`.
const LOG_BYTES: u64 = 8 * 1024 * 1024;

/// How much of a program's output an error shows.
const TAIL_BYTES: usize = 2000;

/// The environment that the programs see. The rest stays out: `PG*` variables would change what they do, and
/// others may hold secrets that a database server has no business with.
const KEPT_VARIABLES: [&str; 3] = ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"];

/// A program of the server, to be run as the server's user in the data directory.
pub(crate) fn command(program: &Path, home: &Home) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("LC_ALL", "C");
    command.envs(KEPT_VARIABLES.iter().filter_map(|name| Some((name, env::var_os(name)?))));
    command.current_dir(home.root()).stdin(Stdio::null());
    // Ctrl-C in a terminal goes to the whole process group, and PostgreSQL takes it as an order to stop.
    command.process_group(0);
    if let Some(account) = &home.account {
        command.uid(account.uid).gid(account.gid);
    }
    command
}

/// A server that was started and is not yet known to be ready.
pub(crate) struct Launched {
    pub(crate) child: Child,
    pub(crate) pid: i32,
    log_start: u64,
}

/// Starts the server of an existing cluster.
pub(crate) fn launch(home: &Home, programs: &Programs, settings: &Settings) -> Result<Launched, Error> {
    let socket_dir = home.socket_dir();
    socket::prepare(&socket_dir, home.server_uid(), |path| home.hand_over(path))?;
    let log =
        open_log(home).map_err(|error| Error::directory_io(home.log(), "it cannot be written", error))?;
    let log_start = log.metadata().map_or(0, |found| found.len());
    let unusable = |error| Error::directory_io(home.log(), "it cannot be used for output", error);

    let postgres = programs.postgres();
    let mut command = command(&postgres, home);
    command.arg("-D").arg(&home.cluster.directory);
    for pair in options::parameters(settings, &socket_dir, &home.cluster.name) {
        command.arg("-c").arg(pair);
    }
    command.stdout(log.try_clone().map_err(unusable)?).stderr(log);
    let child = command.spawn().map_err(|error| home.explain_spawn(&postgres, error))?;
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).unwrap_or_default();
    Ok(Launched { child, pid, log_start })
}

impl Launched {
    /// Waits until the server says that it is ready, or has ended.
    pub(crate) async fn ready(&mut self, home: &Home, deadline: Instant) -> Result<Outcome, Error> {
        loop {
            if self.says_ready(home)? {
                return Ok(Outcome::Ready);
            }
            if let Some(status) =
                self.child.try_wait().map_err(|error| self.failed(home, error.to_string()))?
            {
                return Ok(Outcome::Ended(status));
            }
            if Instant::now() >= deadline {
                return Err(self.failed(home, "it was not ready in time".to_owned()));
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    fn says_ready(&self, home: &Home) -> Result<bool, Error> {
        let found = PidFile::read(&home.cluster.directory).map_err(|error| {
            Error::directory_io(&home.cluster.directory, "its pid file cannot be read", error)
        })?;
        Ok(found.is_some_and(|found| found.pid == self.pid && found.status == Status::Ready))
    }

    /// What the server has written to its log since it was started.
    pub(crate) fn log_tail(&self, home: &Home) -> String {
        let mut text = Vec::new();
        // Without a log there is nothing to show; the error says the rest.
        let _ = File::open(home.log()).and_then(|mut file| {
            file.seek(SeekFrom::Start(self.log_start))?;
            file.read_to_end(&mut text)
        });
        tail(&text)
    }

    pub(crate) fn failed(&self, home: &Home, reason: String) -> Error {
        Error::StartFailed { reason, log: home.log(), log_tail: self.log_tail(home) }
    }
}

/// How a start went.
pub(crate) enum Outcome {
    Ready,
    Ended(ExitStatus),
}

fn open_log(home: &Home) -> io::Result<File> {
    let path = home.log();
    if fs::metadata(&path).is_ok_and(|found| found.len() > LOG_BYTES) {
        fs::rename(&path, path.with_extension("log.1"))?;
    }
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path)?;
    home.hand_over(&path)?;
    Ok(file)
}

/// The end of a program's output, in whole lines.
pub(crate) fn tail(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    let mut taken = 0;
    let mut lines: Vec<&str> = text
        .lines()
        .rev()
        .take_while(|line| {
            taken += line.len() + 1;
            taken <= TAIL_BYTES
        })
        .collect();
    lines.reverse();
    lines.join("\n").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_keeps_whole_lines_from_the_end() {
        let lines: Vec<String> = (0..1000).map(|number| format!("line {number}")).collect();
        let kept = tail(lines.join("\n").as_bytes());
        assert!(kept.len() <= TAIL_BYTES);
        assert!(kept.starts_with("line ") && kept.ends_with("\nline 999"));
        assert_eq!(tail(b"\n one \n"), "one");
    }
}
