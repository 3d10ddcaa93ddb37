//! Suppliers and accounts that orders name and that are not stored, or not under the name that the order says: they may
//! be newer than the last reading, or renamed since.

use std::time::Duration;

use crate::engine::{Clients, Engine};
use crate::error::Result;
use crate::reference::Kind;
use crate::store::jobs::{self, Job};
use crate::store::reference;

/// How long they are not asked for again although an order names one that is not known, or otherwise.
const EVERY: Duration = Duration::from_hours(1);

/// Asks for a reading of each kind of which stored orders name what is not known or has another name by now, where
/// `[reference]` wants that.
///
/// # Errors
/// Failures of the database.
pub async fn ask_for(engine: &Engine, clients: &Clients) -> Result<()> {
    let connection = clients.connection.id;
    for kind in Kind::ALL {
        if kind.is_wanted(&clients.connection.settings)
            && reference::names_unknown(&engine.db, connection, kind, EVERY.as_secs_f64()).await?
        {
            jobs::ask_for(&engine.db, connection, &[Job::Reference(kind)]).await?;
            engine.wake();
        }
    }
    Ok(())
}
