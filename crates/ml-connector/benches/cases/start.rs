//! `start`: from starting `serve` until it answers that it is ready.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::database::scratch;
use crate::engine::key_file;
use crate::process::{Background, ml_connector};
use crate::report::{Measured, Target, progress};

/// How often readiness is asked for.
const ASK_EVERY: Duration = Duration::from_millis(1);
/// Later than this, something is broken.
const GIVE_UP: Duration = Duration::from_secs(120);

/// Measures starts with nothing there, with the private database there, and with a server that runs.
pub async fn measure(runs: u32, dir: &Path) -> anyhow::Result<Measured> {
    let mut measured = Measured::default();
    for run in 1..=runs {
        progress(&format!("run {run} of {runs}"));
        let scratch = scratch(dir)?;
        let key = key_file(scratch.path())?;
        let private = || {
            let mut command = ml_connector();
            command.arg("--data-dir").arg(scratch.path().join("data")).arg("--key-file").arg(&key);
            command
        };
        for (name, target) in [("empty_ms", Target::Below(2_000.0)), ("warm_ms", Target::Below(100.0))] {
            let (serve, took) = ready(private()).await?;
            measured.add(name, target, took.as_secs_f64() * 1e3);
            serve.process.end().await?;
        }
        let mut postgres = crate::database::Postgres::start(dir).await?;
        let url = postgres.fresh("served").await?;
        for name in ["url_empty_ms", "url_warm_ms"] {
            let mut command = ml_connector();
            command.env("DATABASE_URL", &url).arg("--key-file").arg(&key);
            let (serve, took) = ready(command).await?;
            measured.add(name, Target::None, took.as_secs_f64() * 1e3);
            serve.process.end().await?;
        }
        postgres.stop().await?;
    }
    measured.note("empty, warm: private server not yet made, made and stopped before".to_owned());
    measured.note(
        "url_empty, url_warm: DATABASE_URL of a running server, without and with the schema".to_owned(),
    );
    Ok(measured)
}

/// A `serve` that is ready.
pub struct Serve {
    /// The process.
    pub process: Background,
    _stderr: std::thread::JoinHandle<()>,
}

/// Starts `serve` and waits until it is ready; tells how long that took from just before the start.
pub async fn ready(mut command: Command) -> anyhow::Result<(Serve, Duration)> {
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let started = Instant::now();
    let mut process = Background(command.spawn()?);
    let mut stderr = BufReader::new(process.0.stderr.take().context("serve has no standard error")?);
    // its first line names the port; nothing can be asked before
    let mut line = String::new();
    stderr.read_line(&mut line)?;
    let Some(at) = line.find("http://") else {
        stderr.read_to_string(&mut line)?;
        anyhow::bail!("serve said:\n{line}");
    };
    let url = format!("{}ready", line.split_at(at).1.trim());
    let http = reqwest::Client::new();
    while !http.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
        anyhow::ensure!(started.elapsed() < GIVE_UP, "serve did not become ready");
        tokio::time::sleep(ASK_EVERY).await;
    }
    let took = started.elapsed();
    // read on, or a full pipe would stop it
    let reader = std::thread::spawn(move || {
        let _ = std::io::copy(&mut stderr, &mut std::io::sink());
    });
    Ok((Serve { process, _stderr: reader }, took))
}
