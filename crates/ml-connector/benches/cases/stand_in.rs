//! The stand-ins for Oracle and Asana, as a process of their own.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use anyhow::Context;
use serde::Deserialize;

use crate::process::{Background, Cpu, cpu_of_family, ml_connector};

/// What `ml-connector sandbox --json` says of itself.
#[derive(Debug, Deserialize)]
pub struct Facts {
    pub oracle_url: String,
    pub token_url: String,
    pub client_id: String,
    pub client_secret: String,
    pub scope: String,
    pub asana_url: String,
    pub asana_token: String,
    pub control_url: String,
    pub workspace: String,
    pub project: String,
    pub fields: serde_json::Map<String, serde_json::Value>,
    pub ledger: serde_json::Value,
}

/// The running stand-ins.
pub struct StandIn {
    /// Addresses and made-up secrets.
    pub facts: Facts,
    process: Background,
    http: reqwest::Client,
}

impl StandIn {
    /// Starts them with `args`, on free ports.
    pub fn start(args: &[&str]) -> anyhow::Result<StandIn> {
        let mut command = ml_connector();
        command.args(["sandbox", "--json"]).args(args);
        for side in ["--oracle", "--asana", "--control"] {
            command.args([side, "127.0.0.1:0"]);
        }
        let mut process = Background(command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?);
        let stdout = process.0.stdout.take().context("the stand-ins have no standard output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let facts = serde_json::from_str(&line).with_context(|| format!("the stand-ins said {line:?}"))?;
        Ok(StandIn { facts, process, http: reqwest::Client::new() })
    }

    /// Processor time so far.
    pub fn cpu(&self) -> anyhow::Result<Cpu> {
        cpu_of_family(self.process.0.id())
    }

    /// Reads from the control interface.
    pub async fn get<T: serde::de::DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let answer = self.http.get(format!("{}{path}", self.facts.control_url)).send().await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    /// Sends to the control interface.
    pub async fn send(
        &self,
        method: reqwest::Method,
        path: &str,
        body: &serde_json::Value,
    ) -> anyhow::Result<()> {
        let request = self.http.request(method, format!("{}{path}", self.facts.control_url)).json(body);
        let answer = request.send().await?;
        let status = answer.status();
        anyhow::ensure!(status.is_success(), "{path} answered {status}: {}", answer.text().await?);
        Ok(())
    }

    /// Ends them.
    pub async fn end(self) -> anyhow::Result<()> {
        self.process.end().await
    }
}
