//! The Oracle side: the token and both feeds.

use oracle_fusion::{Limit, Query};

use super::{Check, OracleSide, failed, ledger, note, ok, skipped};
use crate::code::Code;
use crate::error::Error;
use crate::feed::Feed;
use crate::settings::Settings;
use crate::trouble;

/// Everything that is tested in Oracle.
pub(super) async fn checks(clients: &OracleSide) -> Vec<Check> {
    let side = "oracle";
    let mut checks = Vec::new();
    match clients.fusion.authorize().await {
        Ok(token) => checks.push(ok(
            side,
            "token",
            format!("valid until {}", token.expires_at.strftime("%Y-%m-%d %H:%M:%SZ")),
        )),
        Err(error) => return out_of_reach(&clients.connection.settings, &trouble::oracle(error)),
    }
    for feed in Feed::ALL {
        checks.extend(feed_checks(clients, feed).await);
    }
    if let Some(settings) = &clients.connection.settings.journal {
        checks.extend(ledger::checks(clients, settings).await);
    }
    checks
}

/// What there is to say when there is no token, or no client that could ask for one.
pub(super) fn out_of_reach(settings: &Settings, error: &Error) -> Vec<Check> {
    let side = "oracle";
    let mut checks = vec![failed(side, "token", error)];
    checks.extend(Feed::ALL.map(|feed| skipped(side, feed.as_str())));
    checks.extend(settings.journal.as_ref().map(|_| skipped(side, "journal")));
    checks
}

async fn feed_checks(clients: &OracleSide, feed: Feed) -> Vec<Check> {
    let side = "oracle";
    let name = feed.as_str();
    let mut checks = Vec::new();
    match clients.fusion.describe(feed.resource()).await {
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
    checks.push(match clients.fusion.page(&canary).await {
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
