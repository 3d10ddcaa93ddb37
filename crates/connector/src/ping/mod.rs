//! Testing a connection: what works on each side, what does not, and what to do about it.
//!
//! It writes nothing anywhere: neither a task, nor a webhook, nor anything in Oracle.

mod account;
mod asana;
mod ledger;
mod oracle;
mod webhooks;

use std::sync::Arc;

use ::asana::Asana;
use oracle_fusion::Fusion;

use crate::engine::{Clients, Engine};
use crate::error::{Error, Result};
use crate::ids::ConnectionId;
use crate::journal::JournalSettings;
use crate::posting::ledger::LedgerMemory;
use crate::settings::Settings;
use crate::store::connections::{self, Connection};

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

/// What the tests of the Oracle side ask with.
struct OracleSide {
    settings: Settings,
    fusion: Fusion,
    ledger: LedgerMemory,
}

/// What the tests of the Asana side ask with.
struct AsanaSide {
    connection: Connection,
    asana: Asana,
    /// The clients that the engine works with, when both sides have one.
    both: Option<Arc<Clients>>,
}

/// Tests both sides, each to its end, and what journals need when there are journal settings. A side whose secret
/// or address is unusable keeps nothing of the other from being tested.
pub async fn ping(engine: &Engine, connection: ConnectionId) -> Result<Vec<Check>> {
    let connection = connections::load(&engine.db, connection).await?;
    let settings = &connection.settings;
    // the engine's own where there are some: they know which pause Oracle has asked for
    let (fusion, asana, both) = match engine.clients(connection.id).await {
        Ok(both) => (Ok(both.fusion.clone()), Ok(both.asana.clone()), Some(both)),
        Err(_) => (engine.fusion(&connection).await, engine.asana(&connection).await, None),
    };
    let oracle = async {
        match fusion {
            Ok(fusion) => {
                let ledger = LedgerMemory::default();
                oracle::checks(&OracleSide { settings: settings.clone(), fusion, ledger }).await
            }
            Err(error) => oracle::out_of_reach(settings, &error),
        }
    };
    let asana = async {
        match asana {
            Ok(asana) => {
                asana::checks(engine, &AsanaSide { connection: connection.clone(), asana, both }).await
            }
            Err(error) => asana::out_of_reach(settings, &error),
        }
    };
    let (mut oracle, asana) = tokio::join!(oracle, asana);
    oracle.extend(asana);
    Ok(oracle)
}

/// Tests only whether Oracle gives a token and shows both feeds, with a client of no connection, or the reason why there
/// is none.
pub async fn oracle_alone(fusion: Result<Fusion>) -> Vec<Check> {
    match fusion {
        Ok(fusion) => oracle::feeds(&fusion).await.unwrap_or_else(|refused| refused),
        Err(error) => oracle::no_token(&error),
    }
}

/// Tests only the clearing account of journal settings that may not be stored yet.
pub async fn clearing_account(settings: &Settings, fusion: Fusion, journal: &JournalSettings) -> Check {
    let side = OracleSide { settings: settings.clone(), fusion, ledger: LedgerMemory::default() };
    account::check(&side, journal).await
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
