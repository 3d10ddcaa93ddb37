//! Testing a connection: what works on each side, what does not, and what to do about it.
//!
//! It writes nothing anywhere: neither a task, nor a webhook, nor anything in Oracle.

mod account;
mod asana;
mod ledger;
mod oracle;
mod webhooks;

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::ids::ConnectionId;

/// One thing that was tested.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Check {
    /// `oracle` or `asana`.
    pub side: &'static str,
    /// What was tested.
    pub name: String,
    /// How it went.
    pub verdict: Verdict,
    /// What was found.
    pub detail: String,
    /// The failure's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<&'static str>,
}

/// How a test went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It works.
    Ok,
    /// It works, with something to know.
    Note,
    /// It does not work.
    Failed,
    /// It could not be tested, since something before it failed.
    Skipped,
}

/// Tests both sides, each to its end, and what journals need when there are journal settings.
pub async fn ping(engine: &Engine, connection: ConnectionId) -> Result<Vec<Check>> {
    let clients = engine.clients(connection).await?;
    let (mut oracle, asana) = tokio::join!(oracle::checks(&clients), asana::checks(engine, &clients));
    oracle.extend(asana);
    Ok(oracle)
}

fn ok(side: &'static str, name: impl Into<String>, detail: impl Into<String>) -> Check {
    Check { side, name: name.into(), verdict: Verdict::Ok, detail: detail.into(), code: None, remedy: None }
}

fn note(side: &'static str, name: impl Into<String>, detail: impl Into<String>) -> Check {
    Check { verdict: Verdict::Note, ..ok(side, name, detail) }
}

fn skipped(side: &'static str, name: impl Into<String>) -> Check {
    Check { verdict: Verdict::Skipped, ..ok(side, name, "not tested, since an earlier test failed") }
}

fn failed(side: &'static str, name: impl Into<String>, error: &Error) -> Check {
    Check {
        verdict: Verdict::Failed,
        code: Some(error.code.info().code),
        remedy: Some(error.code.info().remedy),
        ..ok(side, name, error.message.clone())
    }
}
