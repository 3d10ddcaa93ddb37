//! A private server, owned or joined.

use std::fs::{self, File, TryLockError};
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::Signal;
use tokio::process::Child;
use tokio::time::Instant;

use crate::directory::Home;
use crate::launch::{Launched, Outcome, POLL_INTERVAL, launch};
use crate::pid_file::{PidFile, Status};
use crate::process::Process;
use crate::programs::{self, Programs};
use crate::recovery::{self, Adopted};
use crate::{Error, Settings, database, initialise, socket};

/// A fast shutdown ends with a checkpoint, which writes at most what `shared_buffers` holds.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);
/// An immediate shutdown writes nothing.
const IMMEDIATE_STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// What the server says when processes of a killed one still hold its shared memory.
const MEMORY_STILL_HELD: &str = "pre-existing shared memory block";

/// How long the last program to end waits for an owner that is ending too, or just beginning.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(1);

/// A running private server.
///
/// The last program that uses it stops it. Dropping this asks the server to stop without waiting for it;
/// [`Server::stop`] waits.
#[derive(Debug)]
pub struct Server {
    url: String,
    /// `None` once it was left.
    role: Option<Role>,
}

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one of these in a program")]
enum Role {
    Owner(Owned),
    Guest(Guest),
}

impl Server {
    /// Starts the server in `settings.data_dir`, making database, role and directory when they are missing,
    /// and returns when it accepts connections; or joins the one that another live program runs there.
    ///
    /// # Errors
    /// See [`Error`]; each says what to do.
    pub async fn start(settings: Settings) -> Result<Server, Error> {
        settings.check()?;
        let started = Instant::now();
        let deadline = started + settings.start_timeout;
        let candidates = programs::find(settings.programs.as_deref())?;
        let home = Home::prepare(&settings.data_dir)?;
        let lock = home.open_lock()?;
        let mut told = false;
        loop {
            match lock.try_lock() {
                Ok(()) => return own(&settings, home, &candidates, lock, deadline).await,
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => {
                    return Err(Error::directory_io(home.lock_path(), "it cannot be locked", error));
                }
            }
            if let Some(server) = join(&settings, &home, deadline).await? {
                return Ok(server);
            }
            if Instant::now() >= deadline {
                let owner = fs::read_to_string(home.lock_path()).unwrap_or_default();
                return Err(Error::LockTimedOut {
                    path: home.lock_path(),
                    owner,
                    waited: settings.start_timeout,
                });
            }
            if !told {
                tracing::info!(directory = %home.root().display(), "waiting for another program's server");
                told = true;
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// The URL of the database, for `sqlx` and every other client that knows the `host` parameter.
    #[must_use]
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Whether this program runs the server; `false` when it joined one that another live program runs.
    #[must_use]
    pub fn is_owner(&self) -> bool {
        matches!(self.role, Some(Role::Owner(_)))
    }

    /// Stops the server and waits until it is gone, unless another program uses it: then it is left
    /// running, and the last of those stops it.
    ///
    /// # Errors
    /// [`Error::StopTimedOut`] when the server is still there; its data are safe.
    pub async fn stop(mut self) -> Result<(), Error> {
        match self.role.take() {
            Some(Role::Owner(owned)) => owned.leave().await,
            Some(Role::Guest(guest)) => guest.leave().await,
            None => Ok(()),
        }
    }
}

/// Returns the other program's server when it is ready, `None` while it is not.
async fn join(settings: &Settings, home: &Home, deadline: Instant) -> Result<Option<Server>, Error> {
    // From here on nobody stops the server; whoever is about to holds the lock alone, and then notes it.
    let users = home.open_users()?;
    if users.try_lock_shared().is_err() {
        return Ok(None);
    }
    let Ok(Some(found)) = PidFile::read(&home.cluster.directory) else { return Ok(None) };
    let (Status::Ready, Some(socket_dir)) = (found.status, found.socket_dir) else { return Ok(None) };
    if home.was_told_to_stop(found.pid) {
        return Ok(None);
    }
    if let Err(error) = database::ensure(settings, &socket_dir, deadline).await {
        // The file may be left over from a server that the owner is about to replace.
        tracing::debug!(%error, "the other program's server does not answer yet");
        return Ok(None);
    }
    let guest = Guest { home: home.clone(), users };
    Ok(Some(Server { url: database::url(settings, &socket_dir), role: Some(Role::Guest(guest)) }))
}

/// Takes over or starts the server; the caller holds the lock.
async fn own(
    settings: &Settings,
    home: Home,
    candidates: &[Programs],
    mut lock: File,
    deadline: Instant,
) -> Result<Server, Error> {
    name_owner(&mut lock)
        .map_err(|error| Error::directory_io(home.lock_path(), "it cannot be written", error))?;
    let users = home.open_users()?;
    // Only a program that leaves holds it alone, and not for long.
    while users.try_lock_shared().is_err() && Instant::now() < deadline {
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    let (owned, socket_dir) = match recovery::settle(&home, settings, deadline).await? {
        Some(Adopted { process, socket_dir }) => (
            Owned { process: Some(process), child: None, socket_dir: socket_dir.clone(), home, users, lock },
            socket_dir,
        ),
        None => {
            let programs = initialise::ensure(&home, candidates).await?;
            let socket_dir = home.socket_dir();
            (start_anew(settings, home, &programs, (users, lock), deadline).await?, socket_dir)
        }
    };
    let log = owned.home.log();
    let answer = database::ensure(settings, &socket_dir, deadline).await;
    answer.map_err(|source| Error::Refused { action: "open its database", log, source })?;
    Ok(Server { url: database::url(settings, &socket_dir), role: Some(Role::Owner(owned)) })
}

/// Leaves this program's name and number in the lock file, for whoever waits for it.
fn name_owner(lock: &mut File) -> std::io::Result<()> {
    let program = std::env::args_os().next().unwrap_or_default();
    let program = Path::new(&program).file_name().unwrap_or_default().to_string_lossy();
    lock.set_len(0)?;
    lock.rewind()?;
    write!(lock, "{program}, process {}", std::process::id())
}

async fn start_anew(
    settings: &Settings,
    home: Home,
    programs: &Programs,
    (users, lock): (File, File),
    deadline: Instant,
) -> Result<Owned, Error> {
    let socket_dir = home.socket_dir();
    let mut owned = Owned { process: None, child: None, socket_dir, home, users, lock };
    loop {
        let mut launched = launch(&owned.home, programs, settings)?;
        owned.process = Process::find(launched.pid);
        let outcome = launched.ready(&owned.home, deadline).await;
        let reason = match outcome? {
            Outcome::Ready => {
                owned.child = Some(launched.child);
                return Ok(owned);
            }
            Outcome::Ended(status) => format!("it ended with {status}"),
        };
        owned.process = None;
        if Instant::now() >= deadline || !memory_still_held(&launched, &owned.home) {
            return Err(launched.failed(&owned.home, reason));
        }
        // The processes of a killed server go by themselves as soon as they notice; nothing announces it.
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

fn memory_still_held(launched: &Launched, home: &Home) -> bool {
    launched.log_tail(home).contains(MEMORY_STILL_HELD)
}

/// The owner's hold on the server: its process, and the lock that ends with this value.
#[derive(Debug)]
struct Owned {
    /// `None` when there is nothing to stop.
    process: Option<Process>,
    /// Set when this process started the server and has to collect its exit.
    child: Option<Child>,
    socket_dir: PathBuf,
    home: Home,
    /// Locked together with every other program that uses the server.
    users: File,
    /// Held, never read: others wait on it.
    #[expect(dead_code, reason = "the open file is the lock")]
    lock: File,
}

/// Whether no other program uses the server. The caller has left it then, and nobody joins until `users`
/// is closed.
fn is_last(users: &File) -> bool {
    users.unlock().is_ok() && users.try_lock().is_ok()
}

/// A joined server: what it takes to stop it when its owner is gone.
#[derive(Debug)]
struct Guest {
    home: Home,
    users: File,
}

impl Guest {
    async fn leave(self) -> Result<(), Error> {
        let deadline = Instant::now() + LEAVE_TIMEOUT;
        while is_last(&self.users) {
            if let Some(owned) = self.take_over()? {
                return owned.stop().await;
            }
            if Instant::now() >= deadline {
                break;
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        Ok(())
    }

    /// The server as its owner has it, unless there is an owner.
    fn take_over(&self) -> Result<Option<Owned>, Error> {
        let (users, lock) = (self.home.open_users()?, self.home.open_lock()?);
        if lock.try_lock().is_err() {
            return Ok(None);
        }
        let found = PidFile::read(&self.home.cluster.directory).ok().flatten();
        let process = found.as_ref().and_then(|found| self.home.cluster.process(found.pid));
        let socket_dir = found.and_then(|found| found.socket_dir).unwrap_or_else(|| self.home.socket_dir());
        Ok(Some(Owned { process, child: None, socket_dir, home: self.home.clone(), users, lock }))
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        // Best effort: a server that stays is taken over by the next start.
        if is_last(&self.users)
            && let Ok(Some(mut owned)) = self.take_over()
        {
            owned.ask_to_stop();
            owned.process = None;
        }
    }
}

impl Owned {
    async fn leave(mut self) -> Result<(), Error> {
        if is_last(&self.users) {
            return self.stop().await;
        }
        // The others may be ending at this very moment too.
        let guest = Guest { home: self.home.clone(), users: self.home.open_users()? };
        self.process = None;
        drop(self);
        guest.leave().await
    }

    async fn stop(mut self) -> Result<(), Error> {
        self.ask_to_stop();
        let Some(process) = self.process else { return Ok(()) };
        if !self.gone_within(process, STOP_TIMEOUT).await {
            tracing::warn!(pid = process.pid(), "PostgreSQL does not stop; the next start will recover");
            process.signal(Signal::QUIT);
            if !self.gone_within(process, IMMEDIATE_STOP_TIMEOUT).await {
                let waited = STOP_TIMEOUT + IMMEDIATE_STOP_TIMEOUT;
                return Err(Error::StopTimedOut { pid: process.pid(), waited });
            }
        }
        self.process = None;
        let _ = fs::remove_file(self.home.stopping());
        socket::remove_if_outside(&self.socket_dir, self.home.root());
        Ok(())
    }

    /// Orders a fast shutdown. The note comes first: until the server has seen the signal it looks healthy.
    fn ask_to_stop(&self) {
        if let Some(process) = self.process {
            let note = self.home.stopping();
            let noted = fs::write(&note, process.pid().to_string()).and_then(|()| self.home.hand_over(&note));
            if let Err(error) = noted {
                tracing::debug!(%error, "could not note that the server stops");
            }
            process.signal(Signal::INT);
        }
    }

    async fn gone_within(&mut self, process: Process, timeout: Duration) -> bool {
        match &mut self.child {
            Some(child) => tokio::time::timeout(timeout, child.wait()).await.is_ok(),
            None => process.gone_within(timeout).await,
        }
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        if self.process.is_some() && is_last(&self.users) {
            self.ask_to_stop();
        }
    }
}
