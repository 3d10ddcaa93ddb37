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

/// The same while a field keeps only options in use, and an order names one that has none.
const EVERY_IN_USE: Duration = Duration::from_mins(1);

/// After a poll of orders: asks for a reading of each kind of which stored orders name what is not known or has another
/// name by now, where `[reference]` wants that. While only options in use are kept, also when an order names one that has
/// none; it may have been stored right after a reading, so that is asked when nothing new was stored, too.
///
/// # Errors
/// Failures of the database.
pub async fn ask_for(engine: &Engine, clients: &Clients, news: bool) -> Result<()> {
    let (connection, settings) = (clients.connection.id, &clients.connection.settings);
    for kind in Kind::ALL {
        let is_optioned = settings.optioned().any(|purpose| purpose == kind.purpose());
        let every = (EVERY.as_secs_f64(), EVERY_IN_USE.as_secs_f64());
        let is_asked = news
            && kind.is_wanted(settings)
            && reference::names_unknown(&engine.db, connection, kind, every.0).await?
            || is_optioned && reference::comes_into_use(&engine.db, connection, kind, every.1).await?;
        if is_asked {
            jobs::ask_for(&engine.db, connection, &[Job::Reference(kind)]).await?;
            engine.wake();
        }
    }
    Ok(())
}
