//! Running the program, and what came of it.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// No command of these tests takes longer on the slowest machine.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// What a run left.
#[derive(Debug)]
pub struct Run {
    /// Which command, for messages.
    pub what: String,
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// The program, without any of the test's own environment but the search path.
pub fn program(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ml-connector"));
    command.args(args).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// Runs a command to its end.
pub async fn run(mut command: Command) -> Run {
    let what = format!("{:?}", command.as_std().get_args().collect::<Vec<_>>());
    let ended = tokio::time::timeout(PATIENCE, command.output()).await;
    let output = ended.unwrap_or_else(|_| panic!("{what} does not end")).unwrap();
    Run {
        what,
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Run {
    /// Demands an exit code.
    #[track_caller]
    pub fn ends_with(self, code: i32) -> Run {
        assert_eq!(self.code, Some(code), "{}\n{}\n{}", self.what, self.stdout, self.stderr);
        self
    }

    /// Standard output as JSON, with nothing else on it.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{}: {error} in {:?}", self.what, self.stdout))
    }
}

/// A program that runs until it is told to stop, with its log read as it comes.
pub struct Running {
    pub child: Child,
    err: tokio::task::JoinHandle<String>,
    line: tokio::sync::mpsc::UnboundedReceiver<String>,
}

/// Starts a program that stays.
pub fn start(mut command: Command) -> Running {
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let (told, line) = tokio::sync::mpsc::unbounded_channel();
    let err = tokio::spawn(async move {
        let mut all = String::new();
        while let Ok(Some(line)) = lines.next_line().await {
            all.push_str(&line);
            all.push('\n');
            // nobody needs to listen
            let _ = told.send(line);
        }
        all
    });
    Running { child, err, line }
}

impl Running {
    /// Waits for a line on standard error that contains `text`.
    pub async fn says(&mut self, text: &str) -> String {
        let heard = tokio::time::timeout(PATIENCE, async {
            while let Some(line) = self.line.recv().await {
                if line.contains(text) {
                    return line;
                }
            }
            panic!("the program ended without saying {text:?}");
        });
        heard.await.unwrap_or_else(|_| panic!("the program does not say {text:?}"))
    }

    /// Waits for the line that tells where `serve` listens, and returns the address.
    pub async fn listens(&mut self) -> String {
        let line = self.says("status at ").await;
        line.split_once("status at ").unwrap().1.trim_end_matches('/').to_owned()
    }

    /// Waits for the line that tells where `serve` takes deliveries, and returns the address.
    pub async fn takes_deliveries(&mut self) -> SocketAddr {
        let line = self.says("deliveries are taken at ").await;
        let url = line.split_once("taken at http://").unwrap().1;
        url.split_once('/').unwrap().0.parse().unwrap()
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Ends it as `kill -9` does; says whether it was running until then.
    pub async fn kill(mut self) -> bool {
        use std::os::unix::process::ExitStatusExt;
        self.child.start_kill().unwrap();
        self.child.wait().await.unwrap().signal() == Some(9)
    }

    /// Asks it to end with SIGTERM and waits; returns its code, standard output and standard error.
    pub async fn stop(mut self) -> Run {
        let pid = i32::try_from(self.child.id().unwrap()).unwrap();
        rustix::process::kill_process(
            rustix::process::Pid::from_raw(pid).unwrap(),
            rustix::process::Signal::TERM,
        )
        .unwrap();
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        let code = ended.unwrap_or_else(|_| panic!("the program does not stop")).unwrap().code();
        let mut stdout = String::new();
        if let Some(mut out) = self.child.stdout.take() {
            tokio::io::AsyncReadExt::read_to_string(&mut out, &mut stdout).await.unwrap();
        }
        Run { what: "a program told to stop".into(), code, stdout, stderr: self.err.await.unwrap() }
    }
}

/// Looks again and again until `condition` holds.
pub async fn until<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let begin = std::time::Instant::now();
    while !condition().await {
        assert!(begin.elapsed() < PATIENCE, "waited {PATIENCE:?} for: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
