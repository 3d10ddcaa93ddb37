//! Suppliers and accounts that orders name and that were never read: they may be newer than the last reading.

use std::time::Duration;

use crate::engine::{Clients, Engine};
use crate::error::Result;
use crate::reference::Kind;
use crate::store::jobs::{self, Job};
use crate::store::reference;

/// How long they are not asked for again although an order names one that is not known.
const EVERY: Duration = Duration::from_hours(1);

/// Asks for a reading of each kind of which stored orders name what is not known, where `[reference]` wants that.
///
/// # Errors
/// Failures of the database.
pub async fn ask_for(engine: &Engine, clients: &Clients) -> Result<()> {
    let settings = &clients.connection.settings;
    let Some(wished) = &settings.reference else { return Ok(()) };
    let connection = clients.connection.id;
    for kind in Kind::ALL {
        let can_be_read = match kind {
            Kind::Suppliers => true,
            // which chart of accounts is read, a person or the journals' ledger tells
            Kind::Accounts => wished.chart_of_accounts.is_some() || settings.journal.is_some(),
        };
        if can_be_read
            && settings.fields.contains_key(&kind.purpose())
            && reference::names_unknown(&engine.db, connection, kind, EVERY.as_secs_f64()).await?
        {
            jobs::ask_for(&engine.db, connection, &[Job::Reference(kind)]).await?;
            engine.wake();
        }
    }
    Ok(())
}
