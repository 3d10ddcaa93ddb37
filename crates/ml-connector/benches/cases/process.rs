//! Running processes and reading what the kernel says of them.

use std::collections::HashMap;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

/// How often a running process's peak memory is read.
const SAMPLE_EVERY: Duration = Duration::from_millis(20);
/// Linux counts processor time in hundredths of a second for every program (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

/// The binary that is measured.
pub fn ml_connector() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ml-connector"));
    // nothing of the caller's own setup may change what is measured
    for name in ["DATABASE_URL", "ML_CONNECTOR_DATA_DIR", "ML_CONNECTOR_KEY", "ML_CONNECTOR_LOG"] {
        command.env_remove(name);
    }
    command
}

/// Processor time in seconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cpu {
    /// In the program.
    pub user: f64,
    /// In the kernel on its behalf.
    pub system: f64,
}

impl Cpu {
    /// What was used since `before`.
    pub fn since(self, before: Cpu) -> Cpu {
        Cpu { user: self.user - before.user, system: self.system - before.system }
    }

    /// For a note: user and system.
    pub fn text(self) -> String {
        format!("{:.2} s user + {:.2} s system", self.user, self.system)
    }

    /// Both together.
    pub fn total(self) -> f64 {
        self.user + self.system
    }
}

/// How a process ended.
pub struct Ended {
    /// From just before it was started until it had ended.
    pub elapsed: Duration,
    /// Its processor time.
    pub cpu: Cpu,
    /// Peak resident memory in bytes, as last read before the end.
    pub peak_rss: u64,
    /// Its standard output.
    pub stdout: String,
}

/// Runs a process to its end; it must succeed and write little to standard output.
pub async fn run(command: &mut Command) -> anyhow::Result<Ended> {
    let started = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let pid = Pid::from_child(&child);
    // the process stays as a zombie, so that its processor time can be read to the last tick
    let mut ended = tokio::task::spawn_blocking(move || {
        rustix::process::waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)?;
        Ok::<_, rustix::io::Errno>(Instant::now())
    });
    let mut sample = tokio::time::interval(SAMPLE_EVERY);
    let mut peak_rss = 0;
    let at = loop {
        tokio::select! {
            at = &mut ended => break at??,
            _ = sample.tick() => peak_rss = peak_memory(child.id()).unwrap_or(peak_rss),
        }
    };
    let cpu = processes()?.get(&child.id()).map(Stat::own).unwrap_or_default();
    let (mut stdout, mut stderr) = (String::new(), String::new());
    for (pipe, text) in [
        (child.stdout.take().map(|pipe| Box::new(pipe) as Box<dyn std::io::Read>), &mut stdout),
        (child.stderr.take().map(|pipe| Box::new(pipe) as Box<dyn std::io::Read>), &mut stderr),
    ] {
        pipe.context("a pipe of the process is missing")?.read_to_string(text)?;
    }
    let status = child.wait()?;
    anyhow::ensure!(status.success(), "{command:?} ended with {status}:\n{stdout}{stderr}");
    Ok(Ended { elapsed: at - started, cpu, peak_rss, stdout })
}

/// Peak resident memory of a running process, in bytes.
pub fn peak_memory(pid: u32) -> Option<u64> {
    memory(pid, "VmHWM")
}

/// Resident memory of a running process, in bytes.
pub fn memory_now(pid: u32) -> Option<u64> {
    memory(pid, "VmRSS")
}

fn memory(pid: u32, name: &str) -> Option<u64> {
    let value = crate::machine::field(&format!("/proc/{pid}/status"), name)?;
    crate::machine::kilobytes(&value).map(|kb| kb * 1024)
}

/// A line of `/proc/PID/stat`.
struct Stat {
    parent: u32,
    own: Cpu,
    /// Of children that have ended and were waited for.
    gone_children: Cpu,
}

impl Stat {
    fn own(&self) -> Cpu {
        self.own
    }

    fn read(text: &str) -> Option<Stat> {
        // the name in parentheses may hold anything
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
        let seconds = |at: usize| Some(fields.get(at)?.parse::<f64>().ok()? / TICKS_PER_SECOND);
        Some(Stat {
            parent: fields.get(1)?.parse().ok()?,
            own: Cpu { user: seconds(11)?, system: seconds(12)? },
            gone_children: Cpu { user: seconds(13)?, system: seconds(14)? },
        })
    }
}

fn processes() -> anyhow::Result<HashMap<u32, Stat>> {
    let mut all = HashMap::new();
    for entry in std::fs::read_dir("/proc")? {
        let entry = entry?;
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // a process may be gone between the two looks
        let stat = std::fs::read_to_string(entry.path().join("stat")).ok().as_deref().and_then(Stat::read);
        all.extend(stat.map(|stat| (pid, stat)));
    }
    Ok(all)
}

/// Processor time of a process and its children so far, those that have ended included.
pub fn cpu_of_family(pid: u32) -> anyhow::Result<Cpu> {
    let all = processes()?;
    let mut sum = Cpu::default();
    for (each, stat) in &all {
        if *each == pid || stat.parent == pid {
            for part in [stat.own, stat.gone_children] {
                sum = Cpu { user: sum.user + part.user, system: sum.system + part.system };
            }
        }
    }
    Ok(sum)
}

/// A process in the background, killed when dropped.
pub struct Background(pub Child);

impl Background {
    /// Asks it to end and waits until it has.
    pub async fn end(mut self) -> anyhow::Result<()> {
        rustix::process::kill_process(Pid::from_child(&self.0), Signal::TERM)?;
        while self.0.try_wait()?.is_none() {
            tokio::time::sleep(SAMPLE_EVERY).await;
        }
        Ok(())
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        // an error means that it has ended already
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
