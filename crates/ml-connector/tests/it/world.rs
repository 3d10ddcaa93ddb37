//! A database, a key, a directory, and connections in it.

use std::path::PathBuf;

use connector::key::MasterKey;
use embedded_postgres::Server;
use secrecy::ExposeSecret;
use sqlx::PgPool;
use tokio::process::Command;

use crate::pair::Pair;
use crate::program::{Run, program, run};

/// What the commands of one test share.
pub struct World {
    pub key: String,
    pub database_url: String,
    pub db: PgPool,
    pub directory: tempfile::TempDir,
    /// Absent only while [`World::raise_database`] is at it.
    server: Option<Server>,
}

/// A directory that the private server's user may pass through.
pub fn directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::set_permissions(directory.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
    directory
}

impl World {
    /// An empty database.
    pub async fn new() -> World {
        let directory = directory();
        let server =
            Server::start(embedded_postgres::Settings::new(directory.path().join("postgres"))).await.unwrap();
        let database_url = server.url();
        let db = connector::store::open(&database_url).await.unwrap();
        let key = MasterKey::generate().expose_secret().to_owned();
        World { key, database_url, db, directory, server: Some(server) }
    }

    /// The program with this world's database and key.
    pub fn program(&self, args: &[&str]) -> Command {
        let mut command = program(args);
        command.env("HOME", self.directory.path());
        command.env("DATABASE_URL", &self.database_url).env("ML_CONNECTOR_KEY", &self.key);
        command
    }

    /// Runs a command, whatever comes of it.
    pub async fn run(&self, args: &[&str]) -> Run {
        run(self.program(args)).await
    }

    /// Runs a command that must succeed.
    pub async fn succeeds(&self, args: &[&str]) -> Run {
        self.run(args).await.ends_with(0)
    }

    /// Writes a file and returns its path.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The command that adds a connection for a pair, with its secrets in the environment.
    pub fn adds(&self, name: &str, pair: &Pair, flags: &[&str]) -> Command {
        let file = self.file(&format!("{name}.toml"), &pair.settings());
        let mut args = vec!["connection", "add", name, "-f", file.to_str().unwrap()];
        args.extend(flags);
        let mut command = self.program(&args);
        command.env("ML_CONNECTOR_ORACLE_SECRET", pair.client_secret());
        command.env("ML_CONNECTOR_ASANA_TOKEN", pair.asana_token());
        command
    }

    /// Adds a connection.
    pub async fn add(&self, name: &str, pair: &Pair) {
        run(self.adds(name, pair, &[])).await.ends_with(0);
    }

    /// Lets every lease run out, as a minute does.
    pub async fn expire_leases(&self) {
        self.execute(
            "update jobs set lease_until = now() - interval '1 second' where lease_until is not null",
        )
        .await;
    }

    /// The time passes after which a creation in doubt can no longer arrive. Rows that a node has locked are left alone.
    pub async fn age_creations(&self) {
        self.execute(
            "with free as (select connection_id, order_id, line_id from creations for update skip locked)
             update creations c set doubted_at = c.doubted_at - interval '1 minute' from free
             where (c.connection_id, c.order_id, c.line_id) = (free.connection_id, free.order_id, free.line_id)",
        )
        .await;
    }

    pub async fn execute(&self, sql: &'static str) {
        sqlx::query(sql).execute(&self.db).await.unwrap();
    }

    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.db).await.unwrap()
    }

    /// All documents of a connection: feed, id and text.
    pub async fn documents(&self, connection: &str) -> Vec<(String, String, String)> {
        sqlx::query_as(
            "select feed, source_id, body from documents join connections using (connection_id)
             where name = $1 order by feed, source_id",
        )
        .bind(connection)
        .fetch_all(&self.db)
        .await
        .unwrap()
    }

    /// How many movements of a connection stand in each state that is not `delivered`.
    pub async fn undelivered(&self, connection: &str) -> Vec<(String, i64)> {
        sqlx::query_as(
            "select movements.state, count(*) from movements join connections using (connection_id)
             where name = $1 and movements.state <> 'delivered' group by 1",
        )
        .bind(connection)
        .fetch_all(&self.db)
        .await
        .unwrap()
    }

    /// Every row of Oracle up to the watermark, in the order of date and id, stands in the documents.
    pub async fn check_watermarks(&self, connection: &str, pair: &Pair) {
        let marks: Vec<(String, i64, String)> = sqlx::query_as(
            "select feed, (extract(epoch from watermark) * 1000)::bigint, watermark_id from feeds
             join connections using (connection_id) where name = $1 and watermark is not null",
        )
        .bind(connection)
        .fetch_all(&self.db)
        .await
        .unwrap();
        let number = |id: &str| id.parse::<i64>().unwrap();
        let stored = self.documents(connection).await;
        for ((feed, id), date) in pair.dates() {
            let passed =
                marks.iter().any(|(of, at, last)| of == feed && (date, number(&id)) <= (*at, number(last)));
            assert!(
                !passed || stored.iter().any(|(f, i, _)| f == feed && *i == id),
                "the watermark of {feed} passed {id}, which is not stored"
            );
        }
    }

    /// Stops the server at once, as a machine that loses power does. It stays away until [`World::raise_database`].
    pub async fn fell_database(&mut self) {
        let pid_file = self.directory.path().join("postgres/cluster/postmaster.pid");
        let text = std::fs::read_to_string(&pid_file).unwrap();
        let pid = rustix::process::Pid::from_raw(text.lines().next().unwrap().parse().unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::QUIT).unwrap();
        crate::program::until("the server is gone", || async { !pid_file.exists() }).await;
    }

    /// Starts the server again, at the same address.
    pub async fn raise_database(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop().await.unwrap();
        }
        let settings = embedded_postgres::Settings::new(self.directory.path().join("postgres"));
        let server = Server::start(settings).await.unwrap();
        assert_eq!(server.url(), self.database_url);
        self.server = Some(server);
    }

    /// Stops the server.
    pub async fn end(self) {
        self.db.close().await;
        if let Some(server) = self.server {
            server.stop().await.unwrap();
        }
    }
}
