//! The engine's commands, run as an operator runs them, on a database of the benchmark.

use std::path::{Path, PathBuf};
use std::process::Command;

use secrecy::ExposeSecret;
use sqlx::PgConnection;

use crate::database;
use crate::process::{Ended, ml_connector, run};
use crate::stand_in::StandIn;

/// The connection's name in every benchmark.
pub const NAME: &str = "bench";

/// A database with the schema and one connection to the stand-ins.
pub struct Engine {
    /// The database.
    pub url: String,
    key: PathBuf,
}

impl Engine {
    /// Adds the connection; the schema is made on the way.
    pub async fn connect(
        url: String,
        stand_in: &StandIn,
        directory: &Path,
        asana_rate: u32,
    ) -> anyhow::Result<Engine> {
        Engine::add(url, stand_in, directory, &settings_toml(stand_in, asana_rate)).await
    }

    /// The same, with journals for completed tasks.
    pub async fn connect_with_journals(
        url: String,
        stand_in: &StandIn,
        directory: &Path,
        asana_rate: u32,
    ) -> anyhow::Result<Engine> {
        let ledger = &stand_in.facts.ledger;
        let text = |name: &str| match &ledger[name] {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let balancing = ledger["balancing_segment"].as_u64().unwrap_or(0) + 1;
        let settings = format!(
            "{}\n[journal]\nledger_id = {:?}\nledger_currency = {:?}\nsource = {:?}\ncategory = {:?}\n\
             data_access_set = {:?}\nclearing_account_id = {:?}\nbalancing_segment = {balancing}\n\
             time_zone = \"UTC\"\nrate_type = {:?}\n",
            settings_toml(stand_in, asana_rate),
            text("ledger_id"),
            text("currency"),
            text("source"),
            text("category"),
            text("data_access_set_id"),
            text("clearing_account_id"),
            text("conversion_type"),
        );
        Engine::add(url, stand_in, directory, &settings).await
    }

    async fn add(url: String, stand_in: &StandIn, directory: &Path, text: &str) -> anyhow::Result<Engine> {
        let key = key_file(directory)?;
        let settings = directory.join("settings.toml");
        std::fs::write(&settings, text)?;
        let engine = Engine { url, key };
        let mut add = engine.command(&["connection", "add", NAME]);
        add.arg("--file").arg(&settings);
        add.env("ML_CONNECTOR_ORACLE_SECRET", &stand_in.facts.client_secret);
        add.env("ML_CONNECTOR_ASANA_TOKEN", &stand_in.facts.asana_token);
        run(&mut add).await?;
        Ok(engine)
    }

    /// The file of its key.
    pub fn key(&self) -> &Path {
        &self.key
    }

    /// A command on this database.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = ml_connector();
        command.args(args).arg("--key-file").arg(&self.key).env("DATABASE_URL", &self.url);
        command
    }

    /// Runs a command to its end.
    pub async fn run(&self, args: &[&str]) -> anyhow::Result<Ended> {
        run(&mut self.command(args)).await
    }

    /// Opens the database.
    pub async fn open(&self) -> anyhow::Result<PgConnection> {
        database::connect(&self.url).await
    }
}

/// A key of the benchmark's own.
pub fn key_file(directory: &Path) -> anyhow::Result<PathBuf> {
    let file = directory.join("key");
    std::fs::write(&file, connector::key::MasterKey::generate().expose_secret())?;
    Ok(file)
}

fn settings_toml(stand_in: &StandIn, asana_rate: u32) -> String {
    let facts = &stand_in.facts;
    let fields: String = facts.fields.iter().map(|(key, gid)| format!("{key} = {gid}\n")).collect();
    format!(
        "[oracle]\nurl = {:?}\ntoken_url = {:?}\nclient_id = {:?}\nscope = {:?}\n\
         [asana]\nurl = {:?}\nworkspace = {:?}\nrequests_per_minute = {asana_rate}\n\
         [fields]\n{fields}\
         [routing.default]\nproject = {:?}\n",
        facts.oracle_url,
        facts.token_url,
        facts.client_id,
        facts.scope,
        facts.asana_url,
        facts.workspace,
        facts.project,
    )
}
