//! Puts right what an earlier run left behind: called by the owner of the lock, before it starts a server.
//!
//! A healthy server is taken over. One that is stopping is waited for. One that does not answer, and
//! processes that lost their server, are ended. A pid file that names no process of this cluster is removed.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::Signal;
use tokio::time::Instant;

use crate::directory::Home;
use crate::launch::POLL_INTERVAL;
use crate::pid_file::{self, PidFile, Status};
use crate::process::Process;
use crate::{Error, Settings, database, socket};

/// How long each step takes to make a server end that does not answer: fast shutdown, then immediate
/// shutdown, then no choice. Only the first loses nothing but time; after the others the next start recovers.
const STEPS: [(Signal, Duration); 3] = [
    (Signal::INT, Duration::from_secs(5)),
    (Signal::QUIT, Duration::from_secs(3)),
    (Signal::KILL, Duration::from_secs(5)),
];

/// A server that is stopping still has its last checkpoint to write.
const STOPPING_TIMEOUT: Duration = Duration::from_secs(30);

/// A process that lost its server notices within moments and goes by itself.
const ORPHAN_TIMEOUT: Duration = Duration::from_secs(1);

/// A server of an earlier run that is as good as a new one.
pub(crate) struct Adopted {
    pub(crate) process: Process,
    pub(crate) socket_dir: PathBuf,
}

/// Leaves either one healthy server, which is returned, or none at all and a clean cluster directory.
pub(crate) async fn settle(
    home: &Home,
    settings: &Settings,
    deadline: Instant,
) -> Result<Option<Adopted>, Error> {
    let cluster = &home.cluster;
    let unusable = |error| Error::directory_io(&cluster.directory, "its pid file cannot be used", error);
    if let Some(found) = PidFile::read(&cluster.directory).map_err(unusable)?
        && let Some(process) = cluster.process(found.pid)
    {
        if let Some(adopted) = adopt(home, settings, process, deadline).await {
            tracing::info!(pid = process.pid(), "taking over the PostgreSQL server of an earlier run");
            return Ok(Some(adopted));
        }
        end(process, &STEPS).await?;
    }
    for orphan in cluster.processes() {
        if !orphan.gone_within(ORPHAN_TIMEOUT).await {
            end(orphan, &STEPS[1..]).await?;
        }
    }
    // Whatever the file names now is no process of this cluster.
    pid_file::remove(&cluster.directory).map_err(unusable)?;
    socket::remove_stale(&home.socket_dir()).map_err(unusable)?;
    match fs::remove_file(home.stopping()) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(unusable(error)),
        _ => Ok(None),
    }
}

/// Waits while the server starts or stops; returns it when it is ready and answers.
async fn adopt(home: &Home, settings: &Settings, process: Process, deadline: Instant) -> Option<Adopted> {
    let told_to_stop = home.was_told_to_stop(process.pid());
    while process.is_alive() {
        let found = PidFile::read(&home.cluster.directory).ok()??;
        match found.status {
            _ if told_to_stop || found.status == Status::Stopping => {
                process.gone_within(STOPPING_TIMEOUT).await;
                return None;
            }
            Status::Ready => {
                let socket_dir = found.socket_dir?;
                let answer = database::ensure(settings, &socket_dir, deadline).await;
                if let Err(error) = &answer {
                    tracing::warn!(pid = process.pid(), %error, "the server of an earlier run does not answer");
                }
                return answer.ok().map(|()| Adopted { process, socket_dir });
            }
            _ if Instant::now() >= deadline => return None,
            _ => tokio::time::sleep(POLL_INTERVAL).await,
        }
    }
    None
}

/// Ends a process, more firmly with each step.
async fn end(process: Process, steps: &[(Signal, Duration)]) -> Result<(), Error> {
    for &(signal, patience) in steps {
        if !process.is_alive() {
            return Ok(());
        }
        tracing::warn!(pid = process.pid(), ?signal, "ending a PostgreSQL process of an earlier run");
        process.signal(signal);
        if process.gone_within(patience).await {
            return Ok(());
        }
    }
    Err(Error::LeftoverStuck { pid: process.pid() })
}
