//! The receiver as a process of its own: this very program, started again.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use anyhow::Context;
use connector::hooks::ingest::{Delivery, Ingest, Limits, Sink};
use connector::key::MasterKey;
use connector::{Engine, store};
use console::hooks::{Doors, Receiver, serve};
use tokio::sync::watch;

use crate::process::{Background, Cpu, cpu_of_family};

/// What the process is started with.
#[derive(Debug, Clone, clap::Args)]
pub struct ReceiveArgs {
    /// Receive deliveries into this database instead of measuring
    #[arg(long, hide = true, value_name = "URL")]
    receive: Option<String>,
    /// The key
    #[arg(long, hide = true, value_name = "FILE")]
    receive_key: Option<PathBuf>,
    /// Store nothing
    #[arg(long, hide = true)]
    receive_bare: bool,
}

/// A running receiver.
pub struct Receiving {
    /// Where it listens.
    pub address: SocketAddr,
    /// The process.
    pub process: Background,
}

impl Receiving {
    /// Starts it and waits until it listens.
    pub fn start(url: &str, key: &Path, bare: bool) -> anyhow::Result<Receiving> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--receive").arg(url).arg("--receive-key").arg(key);
        if bare {
            command.arg("--receive-bare");
        }
        let mut process = Background(command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?);
        let stdout = process.0.stdout.take().context("the receiver has no standard output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line.trim().parse().with_context(|| format!("the receiver said {line:?}"))?;
        Ok(Receiving { address, process })
    }

    /// Processor time so far.
    pub fn cpu(&self) -> anyhow::Result<Cpu> {
        cpu_of_family(self.process.0.id())
    }
}

/// Receives, when that is what this process was started for; true when it did.
pub fn receive(args: &ReceiveArgs) -> anyhow::Result<bool> {
    let Some(url) = &args.receive else { return Ok(false) };
    let key = args.receive_key.as_deref().context("--receive-key is missing")?;
    // as the program itself runs
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(url, key, args.receive_bare))?;
    Ok(true)
}

async fn run(url: &str, key: &Path, bare: bool) -> anyhow::Result<()> {
    let engine = Arc::new(Engine::new(store::open(url).await?, MasterKey::from_file(key)?));
    let limits = Limits::default();
    let ingest = match bare {
        false => Ingest::start(&engine.db, limits),
        true => Ingest::with_sinks(&engine.db, limits, vec![Nowhere; limits.committers]),
    };
    let receiver = Receiver::new(engine.clone(), ingest.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    writeln!(std::io::stdout(), "{}", listener.local_addr()?)?;
    let (stop, stopped) = watch::channel(false);
    let serving = tokio::spawn(serve(listener, receiver, Doors::default(), stopped));
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    terminate.recv().await;
    stop.send_replace(true);
    serving.await?;
    ingest.close().await;
    Ok(())
}

/// Answers at once.
#[derive(Clone)]
struct Nowhere;

impl Sink for Nowhere {
    async fn store(&mut self, _batch: &[Delivery]) -> connector::Result<()> {
        Ok(())
    }
}
