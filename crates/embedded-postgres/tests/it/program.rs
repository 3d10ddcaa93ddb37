//! A second program: this test binary run again, in a process of its own that can be killed.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use embedded_postgres::{Server, Settings};

use crate::place::wait_until;

const DATA_DIR: &str = "EMBEDDED_POSTGRES_TEST_DATA_DIR";

/// What the second program does: starts a server, says how that went, stops when its input ends.
#[tokio::test]
#[ignore = "other tests run it in a process of its own"]
async fn holds_a_server() {
    let data_dir = std::env::var(DATA_DIR).unwrap();
    match Server::start(Settings::new(data_dir)).await {
        Ok(server) => {
            println!("\nSTARTED {} {}", if server.is_owner() { "owner" } else { "joined" }, server.url());
            let input = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()));
            input.await.unwrap().unwrap();
            server.stop().await.unwrap();
        }
        Err(error) => println!("\nFAILED {}", error.code()),
    }
}

pub struct Program {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

/// What a program said after its start.
#[derive(Debug, PartialEq, Eq)]
pub enum Said {
    Owner(String),
    Joined(String),
    Failed(String),
}

impl Program {
    /// Runs the program as this user.
    pub fn run(data_dir: &Path) -> Program {
        let binary = std::env::current_exe().unwrap();
        Program::spawn(Command::new(binary), data_dir)
    }

    /// Runs a copy of the program as another user, who may not be able to reach this binary.
    pub fn run_as(uid: u32, gid: u32, data_dir: &Path, copy: &Path) -> Program {
        let mut command = Command::new(copy);
        command.uid(uid).gid(gid).current_dir("/");
        Program::spawn(command, data_dir)
    }

    /// A copy of this binary in `directory`.
    pub fn copy_to(directory: &Path) -> PathBuf {
        let copy = directory.join("program");
        std::fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
        copy
    }

    fn spawn(mut command: Command, data_dir: &Path) -> Program {
        command.args(["--exact", "program::holds_a_server", "--ignored", "--nocapture"]);
        command.env(DATA_DIR, data_dir).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().unwrap());
        Program { child, input, output }
    }

    /// Waits until the program says how its start went.
    pub fn said(&mut self) -> Said {
        for line in self.output.by_ref().lines().map(Result::unwrap) {
            match line.split_once(' ') {
                Some(("FAILED", code)) => return Said::Failed(code.to_owned()),
                Some(("STARTED", rest)) => {
                    let (how, url) = rest.split_once(' ').unwrap();
                    return if how == "owner" {
                        Said::Owner(url.to_owned())
                    } else {
                        Said::Joined(url.to_owned())
                    };
                }
                _ => {}
            }
        }
        panic!("the program ended without a word");
    }

    /// Ends the program as a user would, and waits until it has stopped what it owns.
    pub fn end(mut self) {
        drop(self.input.take());
        self.child.wait().unwrap();
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Kills the program at the moment when `condition` holds.
    pub fn kill_when(mut self, what: &str, condition: impl FnMut() -> bool) {
        wait_until(what, condition);
        self.kill();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Ended already, except in a test that failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
