//! A private PostgreSQL for the benchmark, with a fresh database for each run.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::Context;
use embedded_postgres::{Server, Settings};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use url::Url;

use crate::process::{Cpu, cpu_of_family};

/// A private server that runs with the settings that `serve` uses.
pub struct Postgres {
    server: Server,
    postmaster: u32,
    admin: PgConnection,
    directory: tempfile::TempDir,
}

impl Postgres {
    /// Starts a server in a new directory below `dir`.
    pub async fn start(dir: &Path) -> anyhow::Result<Postgres> {
        let directory = scratch(dir)?;
        let home = directory.path().join("postgres");
        let server = Server::start(Settings::new(&home)).await?;
        let pid_file = std::fs::read_to_string(home.join("cluster/postmaster.pid"))?;
        let postmaster = pid_file.lines().next().context("postmaster.pid is empty")?.trim().parse()?;
        let admin = connect(&server.url()).await?;
        Ok(Postgres { server, postmaster, admin, directory })
    }

    /// The server's version, as it says itself.
    pub async fn version(&mut self) -> anyhow::Result<String> {
        Ok(sqlx::query_scalar("show server_version").fetch_one(&mut self.admin).await?)
    }

    /// Makes an empty database and returns its URL. Both dropping and copying files end in a checkpoint,
    /// so that what an earlier run left to be written does not fall into the next one's time. Dropping ends
    /// an autovacuum and waits for sessions that are closing.
    pub async fn fresh(&mut self, name: &str) -> anyhow::Result<String> {
        for statement in
            [format!("drop database if exists {name}"), format!("create database {name} strategy file_copy")]
        {
            sqlx::query(AssertSqlSafe(statement)).execute(&mut self.admin).await?;
        }
        let mut url = Url::parse(&self.server.url())?;
        url.set_path(name);
        Ok(url.into())
    }

    /// Processor time of all the server's processes so far.
    pub fn cpu(&self) -> anyhow::Result<Cpu> {
        cpu_of_family(self.postmaster)
    }

    /// A directory for the run's own files.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Stops the server and deletes its files.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.admin.close().await?;
        self.server.stop().await?;
        Ok(())
    }
}

/// Opens a connection.
pub async fn connect(url: &str) -> anyhow::Result<PgConnection> {
    let options: PgConnectOptions = url.parse()?;
    Ok(options.disable_statement_logging().connect().await?)
}

/// A new directory that the server's own user may pass through.
pub fn scratch(dir: &Path) -> anyhow::Result<tempfile::TempDir> {
    let made = tempfile::Builder::new().prefix("ml-connector-bench-").tempdir_in(dir)?;
    std::fs::set_permissions(made.path(), std::fs::Permissions::from_mode(0o711))?;
    Ok(made)
}
