//! The database: the one in `DATABASE_URL`, or a private server in the data directory.

use std::path::PathBuf;

use connector::{Engine, store};
use embedded_postgres::{Server, Settings};
use secrecy::ExposeSecret;
use sqlx::PgPool;

use crate::cli::Global;
use crate::{person, secret};

/// An open database, and the private server when there is one.
pub struct Database {
    /// The pool.
    pub pool: PgPool,
    server: Option<(Server, PathBuf)>,
}

impl Database {
    /// Opens the database; starts the private server when `DATABASE_URL` is not set.
    pub async fn open(global: &Global) -> anyhow::Result<Database> {
        if let Some(url) = &global.database_url {
            return Ok(Database { pool: store::open(url.expose_secret()).await?, server: None });
        }
        Database::private(data_dir(global)?).await
    }

    /// Opens the private server in `dir`.
    pub async fn private(dir: PathBuf) -> anyhow::Result<Database> {
        let server = Server::start(Settings::new(dir.clone())).await?;
        let pool = store::open(&server.url()).await?;
        Ok(Database { pool, server: Some((server, dir)) })
    }

    /// Opens the database and brings its schema up to date.
    pub async fn ready(global: &Global) -> anyhow::Result<Database> {
        let database = Database::open(global).await?;
        store::migrate(&database.pool).await?;
        Ok(database)
    }

    /// Opens the database without asking it anything; a private server is started.
    pub async fn lazily(global: &Global) -> anyhow::Result<Database> {
        match &global.database_url {
            Some(url) => Ok(Database { pool: store::lazily(url.expose_secret())?, server: None }),
            None => Database::private(data_dir(global)?).await,
        }
    }

    /// Where it is, in words without a password.
    pub fn place(&self) -> String {
        let options = self.pool.connect_options();
        let name = options.get_database().unwrap_or("postgres");
        match &self.server {
            Some((_, dir)) => format!("the private server in {}", dir.display()),
            None => format!("database {name} of {}:{}", options.get_host(), options.get_port()),
        }
    }

    /// Closes the pool and stops the private server, if this program started it.
    pub async fn close(self) -> anyhow::Result<()> {
        self.pool.close().await;
        if let Some((server, _)) = self.server {
            server.stop().await?;
        }
        Ok(())
    }

    /// The engine on this database, with the key from the environment.
    pub fn engine(&self, global: &Global) -> anyhow::Result<Engine> {
        let master = secret::master_key(global.key_file.as_ref())?;
        Ok(Engine::new(self.pool.clone(), master).used_by(person::of_the_system()))
    }
}

/// Where the private server keeps its files.
pub fn data_dir(global: &Global) -> anyhow::Result<PathBuf> {
    match &global.data_dir {
        Some(dir) => Ok(dir.join("postgres")),
        None => embedded_postgres::default_data_dir("ml-connector")
            .ok_or_else(|| anyhow::anyhow!("there is no home directory; give --data-dir")),
    }
}
