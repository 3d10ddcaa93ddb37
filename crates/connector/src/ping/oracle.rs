//! The Oracle side: the token and both feeds.

use oracle_fusion::{Fusion, Limit, Query};

use super::{Check, OracleSide, failed, ledger, note, ok, skipped};
use crate::code::Code;
use crate::error::Error;
use crate::feed::Feed;
use crate::settings::Settings;
use crate::trouble;

const SIDE: &str = "oracle";

/// Everything that is tested in Oracle.
pub(super) async fn checks(clients: &OracleSide) -> Vec<Check> {
    let mut checks = match feeds(&clients.fusion).await {
        Ok(checks) => checks,
        Err(refused) => return with_journal_skipped(&clients.settings, refused),
    };
    if let Some(settings) = &clients.settings.journal {
        checks.extend(ledger::checks(clients, settings).await);
    }
    checks
}

/// The token and both feeds; as an error what there is to say when there is no token.
pub(super) async fn feeds(fusion: &Fusion) -> Result<Vec<Check>, Vec<Check>> {
    let token = fusion.authorize().await.map_err(|error| no_token(&trouble::oracle(error)))?;
    let until = format!("valid until {}", token.expires_at.strftime("%Y-%m-%d %H:%M:%SZ"));
    let mut checks = vec![ok(SIDE, "token", until)];
    for feed in Feed::ALL {
        checks.extend(feed_checks(fusion, feed).await);
    }
    Ok(checks)
}

/// What there is to say when there is no token, or no client that could ask for one.
pub(super) fn out_of_reach(settings: &Settings, error: &Error) -> Vec<Check> {
    with_journal_skipped(settings, no_token(error))
}

pub(super) fn no_token(error: &Error) -> Vec<Check> {
    let mut checks = vec![failed(SIDE, "token", error)];
    checks.extend(Feed::ALL.map(|feed| skipped(SIDE, feed.as_str())));
    checks
}

fn with_journal_skipped(settings: &Settings, mut checks: Vec<Check>) -> Vec<Check> {
    checks.extend(settings.journal.as_ref().map(|_| skipped(SIDE, "journal")));
    checks
}

async fn feed_checks(fusion: &Fusion, feed: Feed) -> Vec<Check> {
    let side = SIDE;
    let name = feed.as_str();
    let mut checks = Vec::new();
    match fusion.describe(feed.resource()).await {
        Ok(described) if described.is_queryable("LastUpdateDate") => {
            checks.push(ok(side, format!("{name}: describe"), "LastUpdateDate can be queried"));
        }
        Ok(_) => checks.push(note(
            side,
            format!("{name}: describe"),
            "LastUpdateDate cannot be queried: every poll reads the whole feed and compares",
        )),
        Err(error) => checks.push(failed(side, format!("{name}: describe"), &trouble::oracle(error))),
    }
    // the canary: missing data access looks like an empty collection
    let canary = Query::new(feed.resource()).limit(Limit::ONE);
    checks.push(match fusion.page(&canary).await {
        Ok(page) if page.items.is_empty() => failed(
            side,
            format!("{name}: rows"),
            &Error::new(Code::OracleNoRows, format!("{name}: status 200, but not one row is visible")),
        ),
        Ok(_) => ok(side, format!("{name}: rows"), "at least one row is visible"),
        Err(error) => failed(side, format!("{name}: rows"), &trouble::oracle(error)),
    });
    checks
}
