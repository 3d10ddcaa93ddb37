//! Sending movements again from what is stored of them, never by reading the source again.
//!
//! A replay is a movement of its own with the stored record, or an edited one, frozen into it; the first one stays as
//! it was. It goes the way of all movements: planned against what the tasks show, stored before it is sent.

pub mod decide;
pub mod edit;
pub mod preview;

use std::collections::{BTreeMap, HashSet};

use sqlx::PgPool;
use tokio::sync::watch;

use crate::code::Code;
use crate::error::{Error, Result};
use crate::ids::MovementId;
use crate::replay::decide::{Decided, decide};
use crate::store::actions::{self, NewAction, Subject, What};
use crate::store::connections::Connection;
use crate::store::jobs::{self, Job};
use crate::store::replays::{self, NewReplay};
use crate::store::{self, movements};

/// Movements sent again in one transaction.
const BATCH: usize = 500;
/// Replays that a report names; all are counted.
const NAMED: usize = 100;

/// Who sends again, why, and what may be sent.
#[derive(Debug, Clone)]
pub struct How {
    /// The person's name.
    pub by: String,
    /// Why, in the person's words.
    pub note: Option<String>,
    /// Whether a record that has changed in Oracle since may be sent as it was.
    pub older: bool,
}

/// A replay that was opened.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Opened {
    /// The movement that is sent again.
    pub of: MovementId,
    /// The new movement.
    pub movement: MovementId,
}

/// Movements that were refused for one reason.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Refused {
    /// The reason's code.
    pub code: &'static str,
    /// How many.
    pub count: u64,
    /// One of them.
    pub example: MovementId,
    /// Why, for that one.
    pub reason: String,
}

/// What became of a wish to send again.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Report {
    /// How many replays were opened.
    pub count: u64,
    /// The first hundred of them.
    pub opened: Vec<Opened>,
    /// What was refused, by reason.
    pub refused: Vec<Refused>,
}

/// Opens a replay for each of these movements that may be sent again, 500 in a transaction, and asks for the push.
/// For a replay the movement is meant whose record it carries. `progress` counts movements decided on.
///
/// # Errors
/// [`Code::MovementUnknown`] when an id is not one of the connection's; nothing was opened then.
pub async fn replay(
    db: &PgPool,
    connection: &Connection,
    ids: &[MovementId],
    how: &How,
    progress: &watch::Sender<u64>,
) -> Result<Report> {
    let origins = movements::origins(db, connection.id, ids).await?;
    let mut report = Report::default();
    let mut refused: BTreeMap<Code, Refused> = BTreeMap::new();
    for batch in origins.chunks(BATCH) {
        let mut tx = store::begin(db).await?;
        let mut opens = Vec::with_capacity(batch.len());
        let mut records = HashSet::new();
        let candidates = replays::lock(&mut tx, connection.id, batch).await?;
        // of several movements of one record the newest is sent again
        for candidate in candidates.iter().rev() {
            let decided = decide(candidate, &connection.settings.reading(), how.older);
            match decided {
                Ok(_) if !records.insert((&candidate.feed, &candidate.source_id)) => {
                    let why = "a newer one of these movements carries the same record";
                    count(&mut refused, candidate.id, &Error::new(Code::ReplayUnderWay, why));
                }
                Ok(Decided { body, deviates }) => {
                    opens.push(NewReplay { id: MovementId::new(), of: candidate.id, body, deviates });
                }
                Err(error) => count(&mut refused, candidate.id, &error),
            }
        }
        let afters: Vec<String> = opens.iter().map(|open| open.id.to_string()).collect();
        let note = how.note.as_deref();
        let told: Vec<NewAction<'_>> = opens
            .iter()
            .zip(&afters)
            .map(|(open, after)| NewAction { subject_id: open.of.0, note, before: None, after: Some(after) })
            .collect();
        replays::open(&mut tx, connection.id, &opens, &how.by).await?;
        actions::record(&mut tx, connection.id, (Subject::Movement, What::Replayed), &how.by, &told).await?;
        tx.commit().await?;
        report.count += opens.len() as u64;
        let room = NAMED.saturating_sub(report.opened.len());
        report.opened.extend(opens.iter().take(room).map(|o| Opened { of: o.of, movement: o.id }));
        progress.send_modify(|count| *count += batch.len() as u64);
    }
    if report.count > 0 {
        jobs::ask_for(db, connection.id, &[Job::Push]).await?;
    }
    report.refused = refused.into_values().collect();
    Ok(report)
}

/// Gives up movements that are held or failed.
///
/// # Errors
/// [`Code::MovementUnknown`], and [`Code::DiscardUnfit`] when one is neither; nothing was changed then.
pub async fn discard(db: &PgPool, connection: &Connection, ids: &[MovementId], how: &How) -> Result<()> {
    movements::origins(db, connection.id, ids).await?;
    let mut tx = store::begin(db).await?;
    for candidate in replays::lock(&mut tx, connection.id, ids).await? {
        let is_discarded = candidate.outcome.as_deref() == Some("discarded");
        if !matches!(candidate.state.as_str(), "held" | "failed") || is_discarded {
            let state = if is_discarded { "discarded already" } else { candidate.state.as_str() };
            let words = format!("movement {} is {state}", candidate.id);
            return Err(Error::new(Code::DiscardUnfit, words));
        }
    }
    replays::discard(&mut tx, connection.id, ids, &how.by).await?;
    let note = how.note.as_deref();
    let told: Vec<NewAction<'_>> =
        ids.iter().map(|id| NewAction { subject_id: id.0, note, before: None, after: None }).collect();
    actions::record(&mut tx, connection.id, (Subject::Movement, What::Discarded), &how.by, &told).await?;
    tx.commit().await?;
    Ok(())
}

fn count(refused: &mut BTreeMap<Code, Refused>, id: MovementId, error: &Error) {
    let code = error.code.info().code;
    let reason = || error.message.clone();
    let same = refused.entry(error.code).or_insert_with(|| Refused {
        code,
        count: 0,
        example: id,
        reason: reason(),
    });
    same.count += 1;
}
