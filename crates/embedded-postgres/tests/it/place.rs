//! A directory of a test's own, and looks at the server in it.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use embedded_postgres::{Server, Settings};
use rustix::process::{Pid, Signal, kill_process};
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;

/// No condition of these tests takes longer on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Place {
    pub outer: TempDir,
    pub data_dir: PathBuf,
}

impl Place {
    pub fn new() -> Place {
        Place::named("data")
    }

    /// A place whose data directory has this name, open for the server's user to pass through.
    pub fn named(name: &str) -> Place {
        let outer = tempfile::tempdir().unwrap();
        fs::set_permissions(outer.path(), Permissions::from_mode(0o755)).unwrap();
        let data_dir = outer.path().join(name);
        Place { outer, data_dir }
    }

    pub fn settings(&self) -> Settings {
        Settings::new(&self.data_dir)
    }

    pub async fn start(&self) -> Server {
        Server::start(self.settings()).await.unwrap()
    }

    pub fn cluster(&self) -> PathBuf {
        self.data_dir.join("cluster")
    }

    /// The running server's process, as its pid file names it.
    pub fn postmaster(&self) -> i32 {
        let text = fs::read_to_string(self.cluster().join("postmaster.pid")).unwrap();
        text.lines().next().unwrap().parse().unwrap()
    }

    /// Every process of this cluster's server: the server writes down how it was started, with the name
    /// that its processes carry. Command lines can be read where working directories cannot.
    pub fn processes(&self) -> Vec<i32> {
        let Ok(started_with) = fs::read_to_string(self.cluster().join("postmaster.opts")) else {
            return Vec::new();
        };
        let name = started_with.split_once("cluster_name=").unwrap().1.split('"').next().unwrap();
        let entries = fs::read_dir("/proc").unwrap();
        let pids = entries.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
        let named = |pid: &i32| {
            fs::read(format!("/proc/{pid}/cmdline"))
                .is_ok_and(|line| String::from_utf8_lossy(&line).contains(name))
        };
        pids.filter(named).collect()
    }

    /// Names of the entries in the data directory that begin with `prefix`.
    pub fn entries(&self, prefix: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(&self.data_dir) else { return Vec::new() };
        let names = entries.filter_map(|entry| entry.unwrap().file_name().into_string().ok());
        names.filter(|name| name.starts_with(prefix)).collect()
    }
}

pub async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.unwrap()
}

/// One value, as text.
pub async fn ask(url: &str, sql: &'static str) -> String {
    let mut connection = connect(url).await;
    let answer = sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    answer
}

/// Writes a row that later starts must find again.
pub async fn write_row(url: &str) {
    let mut connection = connect(url).await;
    sqlx::raw_sql("CREATE TABLE kept (word text NOT NULL); INSERT INTO kept VALUES ('still here')")
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

pub async fn read_row(url: &str) -> String {
    ask(url, "SELECT word FROM kept").await
}

pub fn signal(pid: i32, signal: Signal) {
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}

/// Looks again and again until `condition` holds.
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(begin.elapsed() < PATIENCE, "waited {PATIENCE:?} for: {what}");
        std::thread::yield_now();
    }
}

pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

pub fn mode_of(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

/// The user that a process runs as.
pub fn user_of(pid: i32) -> u32 {
    fs::metadata(format!("/proc/{pid}")).unwrap().uid()
}
